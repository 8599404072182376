#!/bin/sh
# Runs a script with a Python that this project supports (3.11 to 3.14): PYTHON when it is set, else the
# first one found. Where there is none but uv is, uv brings one. Usage: with_python.sh SCRIPT [ARGUMENT...]
set -u

supported() {
    "$1" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))' >/dev/null 2>&1
}

for candidate in ${PYTHON:+"$PYTHON"} python3 python3.13 python3.12 python3.11 python3.14 python; do
    if supported "$candidate"; then
        exec "$candidate" "$@"
    fi
done
if command -v uv >/dev/null 2>&1; then
    exec uv run --no-project --python '>=3.11,<3.15' -- python "$@"
fi
echo "No Python 3.11, 3.12, 3.13 or 3.14 (with its venv module) was found." \
    "Install one, or name it: make PYTHON=/path/to/python3.12 ..." >&2
exit 1
