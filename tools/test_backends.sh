#!/bin/sh
# Run the tests that hold on any Keras backend with each of those other than TensorFlow that .venv has.
#
#     sh tools/test_backends.sh TEST_FILE ...
set -u
export JAX_ENABLE_X64=1 # Without it JAX computes in float32 what is asked of it in float64.
status=0
left_out=""
for backend in jax torch; do
    if .venv/bin/python -c "import $backend" 2>/dev/null; then
        echo "Keras on $backend:"
        KERAS_BACKEND=$backend .venv/bin/python -m pytest "$@" || status=1
    else
        left_out="$left_out $backend"
    fi
done
[ -z "$left_out" ] || echo "Left out, not installed in .venv:$left_out"
exit $status
