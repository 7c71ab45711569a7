#!/bin/sh
# Make build/site-env, an environment with Sphinx and what else makes the web edition; pyproject.toml names it, as group `site`.
#
#     sh tools/site_env.sh
#
# The learners' .venv stays without it. Does nothing, and needs no network, while it is up to date.
set -eu
cd "$(dirname "$0")/.."
python=build/site-env/bin/python
stamp=build/site-env/course.stamp
# An interrupted uv only reports failure, and then pip must not take over.
trap 'exit 130' INT
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 PIP_NO_INPUT=1
current() { pwd -P && cat requirements.lock pyproject.toml; }
if [ -x "$python" ] && current | cmp -s - "$stamp"; then exit 0; fi

echo "site-env: installing Sphinx with its theme"
.venv/bin/python -m venv --clear build/site-env
.venv/bin/python -m uv pip install --quiet --python "$python" -c requirements.lock --group site ||
    { "$python" -m pip install --quiet --upgrade "pip>=25.1" && "$python" -m pip install --quiet -c requirements.lock --group site; }
current >"$stamp.part"
mv "$stamp.part" "$stamp"
