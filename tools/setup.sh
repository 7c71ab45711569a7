#!/bin/sh
# Make .venv with the locked packages and capslib in it.
#
#     sh tools/setup.sh [INTERPRETER]
#
# Does nothing, and needs no network, while .venv is up to date: it is when its stamp holds this folder's path, the lock and
# pyproject.toml as they are now. The stamp is written last, so an interrupted setup goes on where it stopped.
set -eu
cd "$(dirname "$0")/.."
wanted=${1:-}
python=.venv/bin/python
stamp=.venv/course.stamp

current() { pwd && cat requirements.lock pyproject.toml; }
version() { "$1" -c 'import sys; print(sys.version_info[:2])' 2>/dev/null || echo none; }
usable() { [ -x "$python" ] && "$python" -m pip --version >/dev/null 2>&1; }

if [ -n "$wanted" ]; then
    chosen=$(sh tools/find_python.sh "$wanted")
    same=$([ "$(version "$chosen")" = "$(version "$python")" ] && echo yes || echo no)
else
    chosen=""
    same=yes
fi
if [ "$same" = yes ] && usable; then
    if current | cmp -s - "$stamp"; then exit 0; fi
    # An environment whose Python the course no longer supports is made anew.
    sh tools/find_python.sh "$python" >/dev/null 2>&1 || same=no
fi
if [ "$same" = no ] || ! usable; then
    [ -n "$chosen" ] || chosen=$(sh tools/find_python.sh)
    echo "setup: making .venv with $chosen"
    "$chosen" -m venv --clear .venv
fi

echo "setup: installing the locked packages; the first time this downloads about 0.6 GB and takes a few minutes"
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 PIP_NO_INPUT=1
"$python" -m pip install -r requirements.lock || {
    echo "setup: the packages could not be installed (see above); run the command again to go on" >&2
    exit 1
}
# The lock holds setuptools, so building capslib needs no network either.
"$python" -m pip install --quiet --no-deps --no-build-isolation -e .
# What a first picture would otherwise wait for: matplotlib's list of fonts, and the bundled digits in a form that loads fast.
"$python" -c "import matplotlib.font_manager; from capslib import digits; digits.load()"
# JupyterLab's defaults in this environment alone: it does not ask about news or look for updates, which need a network.
mkdir -p .venv/share/jupyter/lab/settings
cat >.venv/share/jupyter/lab/settings/overrides.json <<'END'
{"@jupyterlab/apputils-extension:notification": {"fetchNews": "false", "checkForUpdates": false}}
END
current >"$stamp.part"
mv "$stamp.part" "$stamp"
echo "setup: ready"
