#!/bin/sh
# Make build/class-env, an environment with the locked packages, capslib and nbgrader, in which the tests grade a class.
#
#     sh tools/class_env.sh
#
# The learners' .venv stays without nbgrader. The lock is a constraint, so this fails if nbgrader needs other versions.
# Does nothing, and needs no network, while it is up to date.
set -eu
cd "$(dirname "$0")/.."
name=class-env
made_from="requirements.lock pyproject.toml tools/class_env.sh"
. tools/env.sh

echo "class-env: installing the locked packages and nbgrader"
.venv/bin/python -m venv --clear build/class-env
install -r requirements.lock
install --no-build-isolation -c requirements.lock -e ".[class]"
finished
