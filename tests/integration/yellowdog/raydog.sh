#!/bin/sh
# raydog.sh RAYTUI PYTHON [TEST...]: test_raydog.py with the RayDog library, in a virtual environment in the user's cache.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ -x /usr/sbin/sshd ] || { echo "skipped: no sshd"; exit 77; }
raytui=$1 python=$2 venv=${XDG_CACHE_HOME:-$HOME/.cache}/raytui-tests/raydog-2.0.0
shift 2
if [ ! -e "$venv/.ready" ]; then
    rm -rf "$venv"
    install() { "$venv/bin/pip" install -q --disable-pip-version-check "$@"; }
    # of the library only what builds and ends clusters is used: without Ray
    if ! { "$python" -m venv "$venv" && install yellowdog-sdk==15.9.1 && install --no-deps yellowdog-ray==2.0.0 &&
        "$venv/bin/python" -c 'import yellowdog_ray.raydog.builder'; }; then
        echo "skipped: the RayDog library cannot be installed"
        exit 77
    fi
    touch "$venv/.ready"
fi
exec "$here/../../testbed/apart.sh" "$python" "$here/test_raydog.py" "$raytui" "$venv/bin/python" "$@"
