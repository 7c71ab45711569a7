# What the scripts share that make an environment in build/. Each sets `name` and `made_from`, and sources this file in the
# course's folder; it ends there while the environment is up to date.
python=build/$name/bin/python
stamp=build/$name/course.stamp
# An interrupted uv only reports failure, and then pip must not take over.
trap 'exit 130' INT
export PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_USER=0 PIP_NO_INPUT=1
# Like setup.sh: uv, and pip where uv cannot do it.
install() {
    .venv/bin/python -m uv pip install --quiet --python "$python" "$@" || "$python" -m pip install --quiet "$@"
}
current() { pwd -P && cat $made_from tools/env.sh; }
finished() {
    current >"$stamp.part"
    mv "$stamp.part" "$stamp"
}
if [ -x "$python" ] && current | cmp -s - "$stamp"; then exit 0; fi
