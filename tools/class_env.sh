#!/bin/sh
# Make build/class-env, an environment with the locked packages, capslib and nbgrader, in which the tests grade a class.
#
#     sh tools/class_env.sh
#
# The learners' .venv stays without nbgrader. The lock is a constraint, so this fails if nbgrader needs other versions.
set -eu
cd "$(dirname "$0")/.."
python=build/class-env/bin/python
# An interrupted uv only reports failure, and then pip must not take over.
trap 'exit 130' INT
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 PIP_NO_INPUT=1
# Like setup.sh: uv, and pip where uv cannot do it.
install() {
    .venv/bin/python -m uv pip install --quiet --python "$python" "$@" || "$python" -m pip install --quiet "$@"
}

echo "class-env: installing the locked packages and nbgrader"
.venv/bin/python -m venv --clear build/class-env
install -r requirements.lock
install --no-build-isolation -c requirements.lock -e ".[class]"
