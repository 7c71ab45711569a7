#!/bin/sh
# Make build/lite-env, an environment with JupyterLite, and in its folder wheels what runs in the browser beside capslib.
#
#     sh tools/lite_env.sh
#
# tools/lite/wheels.txt names them by version and SHA-256. Does nothing, and needs no network, while it is up to date.
set -eu
cd "$(dirname "$0")/.."
python=build/lite-env/bin/python
wheels=build/lite-env/wheels
stamp=build/lite-env/course.stamp
# An interrupted uv only reports failure, and then pip must not take over.
trap 'exit 130' INT
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 PIP_NO_INPUT=1
current() { pwd -P && cat requirements.lock tools/lite/wheels.txt tools/lite_env.sh; }
if [ -x "$python" ] && current | cmp -s - "$stamp"; then exit 0; fi
install() {
    .venv/bin/python -m uv pip install --quiet --python "$python" "$@" || "$python" -m pip install --quiet "$@"
}

echo "lite-env: installing JupyterLite"
.venv/bin/python -m venv --clear build/lite-env
# Of a package that also has compiled wheels the browser needs the pure one.
"$python" -m pip download --quiet --no-deps --require-hashes --only-binary :all: --platform any --python-version 3.12 \
    --implementation py --abi none -d "$wheels" -r tools/lite/wheels.txt
# With jupyter-server it lists the notebooks. The widgets' parts that belong to a page lie in these wheels as well.
install -c requirements.lock "$wheels"/jupyterlite_*.whl jupyter-server
install --no-deps "$wheels"/anywidget-*.whl "$wheels"/jupyterlab_widgets-*.whl
current >"$stamp.part"
mv "$stamp.part" "$stamp"
