#!/bin/sh
# Run a command with temporary user directories, so that it neither reads nor writes the settings of who runs it.
#
#     sh tools/apart.sh COMMAND [ARGUMENT ...]
set -eu
apart=$(mktemp -d "${TMPDIR:-/tmp}/capslib.XXXXXX")
trap 'rm -rf "$apart"' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 141' PIPE
trap 'exit 143' TERM
export XDG_CACHE_HOME="$apart/cache" XDG_CONFIG_HOME="$apart/config" XDG_DATA_HOME="$apart/data"
export JUPYTER_CONFIG_DIR="$apart/jupyter/config" JUPYTER_DATA_DIR="$apart/jupyter/data"
export JUPYTER_RUNTIME_DIR="$apart/jupyter/runtime" JUPYTERLAB_SETTINGS_DIR="$apart/jupyter/settings"
export JUPYTERLAB_WORKSPACES_DIR="$apart/jupyter/workspaces" IPYTHONDIR="$apart/ipython"
export MPLCONFIGDIR="$apart/matplotlib" KERAS_HOME="$apart/keras"
unset JUPYTER_CONFIG_PATH JUPYTER_PATH MPLBACKEND
mkdir -p "$MPLCONFIGDIR"
# matplotlib announces on standard error that it collects the fonts when that takes long, and a notebook would keep the line.
.venv/bin/python -c "import matplotlib.font_manager; from capslib import digits; digits.load()"
"$@"
