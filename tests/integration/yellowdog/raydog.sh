#!/bin/sh
# raydog.sh RAYTUI PYTHON [TEST...]: test_raydog.py with the RayDog library, in a virtual environment in the user's cache.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ -x /usr/sbin/sshd ] || { echo "skipped: no sshd"; exit 77; }
raytui=$1 python=$2 venv=${XDG_CACHE_HOME:-$HOME/.cache}/raytui-tests/raydog-2.0.0
shift 2
if [ ! -e "$venv/.ready" ]; then
    rm -rf "$venv"
    # of the library only what builds and ends clusters is used: without Ray
    "$python" -m venv "$venv" >/dev/null 2>&1 && "$venv/bin/pip" install -q --disable-pip-version-check yellowdog-sdk==15.9.1 &&
        "$venv/bin/pip" install -q --disable-pip-version-check --no-deps yellowdog-ray==2.0.0 &&
        "$venv/bin/python" -c 'import yellowdog_ray.raydog.builder' || { echo "skipped: the RayDog library cannot be installed"; exit 77; }
    touch "$venv/.ready"
fi
exec "$python" "$here/test_raydog.py" "$raytui" "$venv/bin/python" "$@"
