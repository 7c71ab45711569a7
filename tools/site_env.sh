#!/bin/sh
# Make build/site-env, an environment with Sphinx and what else makes the web edition; pyproject.toml names it, as group `site`.
#
#     sh tools/site_env.sh
#
# The learners' .venv stays without it. Does nothing, and needs no network, while it is up to date.
set -eu
cd "$(dirname "$0")/.."
name=site-env
made_from="requirements.lock pyproject.toml"
. tools/env.sh

echo "site-env: installing Sphinx with its theme"
.venv/bin/python -m venv --clear build/site-env
.venv/bin/python -m uv pip install --quiet --python "$python" -c requirements.lock --group site ||
    { "$python" -m pip install --quiet --upgrade "pip>=25.1" && "$python" -m pip install --quiet -c requirements.lock --group site; }
finished
