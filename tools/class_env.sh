#!/bin/sh
# Make build/class-env, an environment with the locked packages, capslib and nbgrader, in which the tests grade a class.
#
#     sh tools/class_env.sh
#
# The learners' .venv stays without nbgrader. The lock is a constraint, so this fails if nbgrader needs other versions.
set -eu
cd "$(dirname "$0")/.."
python=build/class-env/bin/python
use_uv() { .venv/bin/python -m uv "$@"; }

use_uv venv --quiet --clear --python .venv/bin/python build/class-env
use_uv pip install --quiet --python "$python" -r requirements.lock
use_uv pip install --quiet --python "$python" --no-build-isolation -c requirements.lock -e ".[class]"
