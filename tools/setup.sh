#!/bin/sh
# Make .venv with the locked packages and capslib in it.
#
#     sh tools/setup.sh [INTERPRETER]
#
# Does nothing, and needs no network, while .venv is up to date: it is when its stamp holds this folder's path, the lock and
# pyproject.toml as they are now. The stamp is written last, so an interrupted setup goes on where it stopped.
#
# uv installs; it comes from the lock too. Where it cannot be had, or fails, pip does it more slowly.
set -eu
cd "$(dirname "$0")/.."
here=$(pwd -P)
wanted=${1:-}
python=.venv/bin/python
stamp=.venv/course.stamp
# An interrupted uv only reports failure, and then pip must not take over.
trap 'exit 130' INT

current() { echo "$here" && cat requirements.lock pyproject.toml; }
version() { "$1" -c 'import sys; print(sys.version_info[:2])' 2>/dev/null || echo none; }

# Scripts in .venv/bin hold the path of their Python. So in a folder that was moved they fail, and in a copied one they run what is
# in the first; pip's own script says which it is.
usable() {
    [ -x "$python" ] || return 1
    case $(.venv/bin/pip --version 2>/dev/null) in
        *" from $here/.venv/"*) ;;
        *) return 1 ;;
    esac
}

use_pip() { "$python" -m pip install --quiet "$@"; }
use_uv() { "$python" -m uv pip install --quiet --python "$python" "$@"; }

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
    # A link may lead to the environment of another folder, which is not ours to clear.
    [ ! -L .venv ] || rm .venv
    "$chosen" -m venv --clear .venv
fi

export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 PIP_NO_INPUT=1
echo "setup: installing $(grep -c '^[a-z].*==' requirements.lock) packages; the first time this downloads about 0.6 GB and takes up to a few minutes"
uv=$(sed -n 's/^\(uv==[^ ]*\).*/\1/p' requirements.lock)
if use_pip --only-binary uv "$uv" && use_uv --compile-bytecode -r requirements.lock; then
    install=use_uv
else
    install=use_pip
    echo "setup: uv could not do it (see above), so pip does, which takes longer"
    use_pip -r requirements.lock || {
        echo "setup: the packages could not be installed (see above); run the command again to go on" >&2
        exit 1
    }
fi
echo "setup: installing capslib, and getting fonts and digits ready"
# The lock holds setuptools, so building capslib needs no network either.
"$install" --no-deps --no-build-isolation -e .
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
