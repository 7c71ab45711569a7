#!/bin/sh
# Make build/oldest-env, an environment with capslib alone, without the course, on the oldest versions that it accepts.
#
#     sh tools/oldest_env.sh
#
# They are those of Pyodide, which runs lessons in a browser, and have wheels for Python 3.11 and 3.12 alone.
# Does nothing, and needs no network, while it is up to date.
set -eu
cd "$(dirname "$0")/.."
name=oldest-env
made_from="requirements.lock pyproject.toml tools/oldest_env.sh"
. tools/env.sh

found=""
for candidate in python3.12 .venv/bin/python python3.11; do
    if "$candidate" -c 'import sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null; then
        found=$candidate
        break
    fi
done
[ -n "$found" ] || { echo "oldest-env: found no Python 3.11 or 3.12, for which the oldest versions have wheels" >&2; exit 1; }
echo "oldest-env: installing the oldest versions that capslib accepts, with $found"
"$found" -m venv --clear build/oldest-env
.venv/bin/python tools/floors.py >build/oldest-env/floors.txt
# What runs the tests is locked; what the floors bring along may be older.
grep -E '^(pytest|pytest-xdist|hypothesis|packaging|setuptools)==' requirements.lock | sed 's/ .*//' >build/oldest-env/tests.txt
install --only-binary :all: -r build/oldest-env/floors.txt -r build/oldest-env/tests.txt
install --no-deps --no-build-isolation -e .
finished
