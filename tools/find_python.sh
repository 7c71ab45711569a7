#!/bin/sh
# Print a Python that the course can use, or say in one line why there is none.
#
#     sh tools/find_python.sh [INTERPRETER]
#
# An INTERPRETER that is given is the only one tried. Otherwise python3 is, then each supported version by its name.
set -u
cd "$(dirname "$0")/.." || exit 1

# One place says which versions are supported: requires-python = ">=3.LOW,<3.END" in pyproject.toml.
range=$(sed -n 's/^requires-python = ">=3\.\([0-9]*\),<3\.\([0-9]*\)"$/\1 \2/p' pyproject.toml)
low=${range% *}
end=${range#* }
supported="Python 3.$low to 3.$((end - 1))"

# Prints the version; the exit status says what is missing. Runs in any Python, Python 2 included.
look() {
    "$1" -c "
import platform, sys
print('%d.%d.%d' % sys.version_info[:3])
if not (3, $low) <= sys.version_info[:2] < (3, $end):
    sys.exit(3)
if sys.platform == 'darwin' and platform.machine() == 'x86_64':
    sys.exit(4)
try:
    import ensurepip, venv
except ImportError:
    sys.exit(5)
" 2>/dev/null
}

refuse() {
    echo "setup: $*" >&2
    exit 1
}

if [ -z "${1:-}" ]; then
    set -- python3
    minor=$((end - 1))
    while [ "$minor" -ge "$low" ]; do
        set -- "$@" "python3.$minor"
        minor=$((minor - 1))
    done
fi

without_venv="" unsupported="" intel=""
for candidate in "$@"; do
    version=$(look "$candidate")
    case $? in
        0) echo "$candidate" && exit 0 ;;
        3) unsupported=${unsupported:-"$candidate is Python $version"} ;;
        4) intel=yes ;;
        5) without_venv=${without_venv:-"$candidate (Python $version)"} ;;
    esac
done
another="or name another one: make setup PYTHON=/path/to/python"
if [ -n "$without_venv" ]; then
    refuse "$without_venv has no venv module; install it (on Debian and Ubuntu it is a package named like python3-venv), $another"
fi
if [ -n "$intel" ]; then
    refuse "there is no TensorFlow for Macs with an Intel processor, nor for a Python built for one"
fi
if [ -n "$unsupported" ]; then
    refuse "$unsupported, expected $supported; install one of these, $another"
fi
refuse "found no Python at $*, expected $supported; install one of these, $another"
