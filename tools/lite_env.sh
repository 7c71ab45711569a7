#!/bin/sh
# Make build/lite-env, an environment with JupyterLite, and in its folder wheels what runs in the browser beside capslib.
#
#     sh tools/lite_env.sh
#
# tools/lite/wheels.txt names them by version and SHA-256. Does nothing, and needs no network, while it is up to date.
set -eu
cd "$(dirname "$0")/.."
name=lite-env
made_from="requirements.lock tools/lite/wheels.txt tools/lite_env.sh"
. tools/env.sh
wheels=build/lite-env/wheels

echo "lite-env: installing JupyterLite"
.venv/bin/python -m venv --clear build/lite-env
# Of a package that also has compiled wheels the browser needs the pure one.
"$python" -m pip download --quiet --no-deps --require-hashes --only-binary :all: --platform any --python-version 3.12 \
    --implementation py --abi none -d "$wheels" -r tools/lite/wheels.txt
# With jupyter-server it lists the notebooks. The widgets' parts that belong to a page lie in these wheels as well.
install -c requirements.lock "$wheels"/jupyterlite_*.whl jupyter-server
install --no-deps "$wheels"/anywidget-*.whl "$wheels"/jupyterlab_widgets-*.whl
finished
