#!/bin/bash
# bed.sh up DIR [ARG...] | down DIR: a YellowDog test server (ydserver.py, which takes the ARGs) on 127.0.0.1. `up` prints (and
# writes DIR/env): YD_API_URL=http://127.0.0.1:P  YD_API_KEY_ID=...  YD_API_KEY_SECRET=...  YD_STATE=D  YD_PID=N
# DIR/nodes holds what its nodes write (NODE/TASK/taskoutput.txt). `down` ends the server with the tasks and nodes it runs.
# With `--exec hook --hook .../node-host.sh` every node is a host of its own; see there for YDN_STATE.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
usage() { sed -n '2,5s/^# \{0,1\}//p' "$0" >&2; exit 2; }
die() { echo "yellowdog/bed: $*" >&2; exit 1; }
cmd=${1:-}; [ $# -ge 2 ] || usage
mkdir -p "$2"; D=$(cd "$2" && pwd -P); shift 2

mine() { [ -n "$1" ] && [ "$(readlink "/proc/$1/cwd" 2>/dev/null)" = "$D" ]; } # PID: its working directory says whose it is
down() {
    local p
    p=$(cat "$D/pid" 2>/dev/null || true)
    if mine "$p"; then
        kill "$p" 2>/dev/null || true
        for _ in $(seq 900); do mine "$p" || break; sleep 0.1; done
        ! mine "$p" || kill -KILL "$p"
    fi
    rm -f "$D/pid" "$D/env" "$D/url"
}
up() {
    local url=''
    down
    : >"$D/url"
    (cd "$D" && exec setsid python3 "$here/ydserver.py" --state "$D" "$@" >"$D/url" 2>"$D/server.log" </dev/null) &
    echo $! >"$D/pid"
    for _ in $(seq 600); do
        url=$(head -n 1 "$D/url"); [ -z "$url" ] || break
        kill -0 "$(cat "$D/pid")" 2>/dev/null || die "the server ended: $(tail -n 3 "$D/server.log")"
        sleep 0.1
    done
    [ -n "$url" ] || die "the server does not come"
    {
        echo "YD_API_URL=$url"; echo "YD_API_KEY_ID=test-key-id"; echo "YD_API_KEY_SECRET=test-key-secret"
        echo "YD_STATE=$D"; echo "YD_PID=$(cat "$D/pid")"
    } >"$D/env"
    cat "$D/env"
}
case $cmd in
up) up "$@" ;;
down) down ;;
*) usage ;;
esac
