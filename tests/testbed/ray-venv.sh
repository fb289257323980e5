#!/bin/bash
# ray-venv.sh [VERSION]: a virtual environment with ray[default] (default 2.60.0) in
# ${XDG_CACHE_HOME:-$HOME/.cache}/raytui-tests/ray-VERSION; prints its bin directory. The marker .ready
# says that it is whole. A second run is a no-op, two at once wait for each other.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/lib.sh"
v=${1:-2.60.0}
d=${XDG_CACHE_HOME:-$HOME/.cache}/raytui-tests/ray-$v
if [ ! -e "$d/.ready" ]; then
    mkdir -p "$(dirname "$d")"
    lock=$d.lock
    if ! mkdir "$lock" 2>/dev/null; then
        echo "testbed: waiting for another installation of Ray $v" >&2
        for _ in $(seq 600); do [ -d "$lock" ] || break; sleep 1; done
        [ -e "$d/.ready" ] || rtb_die "Ray $v did not get installed; remove $lock and try again"
        echo "$d/bin"; exit 0
    fi
    trap 'rmdir "$lock" 2>/dev/null' EXIT
    python=python3; [ ! -x /usr/bin/python3 ] || python=/usr/bin/python3
    echo "testbed: installing Ray $v (a minute, about 400 MB)" >&2
    rm -rf "$d"
    $python -m venv "$d" >&2 || rtb_die "no virtual environment: is python3-venv installed?"
    # the end of the installer's own words, when it fails
    "$d/bin/pip" install -q --disable-pip-version-check "ray[default]==$v" >"$d/pip.log" 2>&1 ||
        { tail -n 5 "$d/pip.log" >&2; rtb_die "Ray $v cannot be installed with $($python --version)"; }
    touch "$d/.ready"
fi
echo "$d/bin"
