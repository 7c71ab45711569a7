#!/bin/sh
# Check the widgets' JavaScript: its types as the comments state them (TypeScript), and its habits (Biome).
#
#     sh tools/lint_js.sh
#
# For developers only: no widget needs Node. npm puts both tools into build/js once; from then on no network is needed. Where
# npm is missing or brings nothing, one line says that the checks were left out, and the exit status is 0.
set -u
cd "$(dirname "$0")/.." || exit 1
wanted="typescript@7.0.2 @biomejs/biome@2.6.8"
home=build/js
tools=$home/node_modules/.bin

left_out() {
    echo "lint_js: $1: checks of the widgets' JavaScript are left out"
    exit 0
}

# Both are programs for one machine, so having them is not enough.
work() { "$tools/tsc" --version && "$tools/biome" --version; }

command -v npm >/dev/null 2>&1 || left_out "npm is not installed"
if [ "$(cat "$home/installed" 2>/dev/null)" != "$wanted" ] || ! work >/dev/null 2>&1; then
    mkdir -p "$home"
    # shellcheck disable=SC2086 # Two names.
    npm install --prefix "$home" --save-exact --ignore-scripts --no-audit --no-fund --fetch-retries=0 \
        --fetch-timeout=60000 $wanted >"$home/npm.log" 2>&1 </dev/null && work >>"$home/npm.log" 2>&1 ||
        left_out "npm could not install $wanted (see $home/npm.log)"
    echo "$wanted" >"$home/installed"
fi

status=0
"$tools/tsc" --project tools/js || status=1
"$tools/biome" lint --config-path=tools/js --error-on-warnings capslib/widgets/js tools/web tools/lite/static tests/widgets || status=1
exit "$status"
