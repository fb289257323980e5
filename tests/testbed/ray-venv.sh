#!/bin/bash
# ray-venv.sh [VERSION [EXTRA]]: a virtual environment with ray[default] (default 2.60.0) in
# ${XDG_CACHE_HOME:-$HOME/.cache}/raytui-tests/ray-VERSION; prints its bin directory. EXTRA (serve) is added to
# it. The markers .ready and .ready-EXTRA say that it is whole. A second run is a no-op, two at once wait for
# each other.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/lib.sh"
v=${1:-2.60.0} extra=${2:-}
d=${XDG_CACHE_HOME:-$HOME/.cache}/raytui-tests/ray-$v
ready() { [ -e "$d/.ready" ] && { [ -z "$extra" ] || [ -e "$d/.ready-$extra" ]; }; }
pip_install() { # WHAT LOG: the end of the installer's own words, when it fails
    "$d/bin/pip" install -q --disable-pip-version-check "$1" >"$2" 2>&1 ||
        { tail -n 5 "$2" >&2; rtb_die "$1 cannot be installed with $("$d/bin/python" --version)"; }
}
patient() { # a node that is not there after 30 s is given up by Ray; several that start at once on two cores may take longer
    local f
    for f in "$d"/lib/python3*/site-packages/ray/_private/node.py; do
        grep -qs 'raylet_start_wait_time_s = 30$' "$f" || continue
        sed -i 's/raylet_start_wait_time_s = 30$/raylet_start_wait_time_s = 180/' "$f"
        "$d/bin/python" -m compileall -q "$f"
    done
}
if ! ready; then
    mkdir -p "$(dirname "$d")"
    lock=$d.lock
    if ! mkdir "$lock" 2>/dev/null; then
        echo "testbed: waiting for another installation of Ray $v" >&2
        for _ in $(seq 600); do [ -d "$lock" ] || break; sleep 1; done
        ready || rtb_die "Ray $v did not get installed; remove $lock and try again"
        echo "$d/bin"; exit 0
    fi
    trap 'rmdir "$lock" 2>/dev/null' EXIT
    if [ ! -e "$d/.ready" ]; then
        python=python3; [ ! -x /usr/bin/python3 ] || python=/usr/bin/python3
        echo "testbed: installing Ray $v (a minute, about 400 MB)" >&2
        rm -rf "$d"
        $python -m venv "$d" >&2 || rtb_die "no virtual environment: is python3-venv installed?"
        pip_install "ray[default]==$v" "$d/pip.log"
        touch "$d/.ready"
    fi
    if [ -n "$extra" ] && [ ! -e "$d/.ready-$extra" ]; then
        echo "testbed: adding $extra to Ray $v" >&2
        pip_install "ray[default,$extra]==$v" "$d/pip-$extra.log"
        touch "$d/.ready-$extra"
    fi
fi
patient
echo "$d/bin"
