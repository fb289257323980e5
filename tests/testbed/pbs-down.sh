#!/bin/bash
# pbs-down.sh [STATE-DIR] [--purge]: ends what pbs-up.sh started.
export RTB_PREFIX=${RTB_PREFIX:-rtp} RTB_NET=${RTB_NET:-10.79}
s=${1:-}; case $s in ''|--*) set -- "${XDG_RUNTIME_DIR:-/tmp}/raytui-testbed-pbs" "$@"; s=$1 ;; esac
pid=$(cat "$s/pbs.pid" 2>/dev/null)
[ -n "$pid" ] && grep -qa server.py "/proc/$pid/cmdline" 2>/dev/null && kill "$pid"
rm -f "$s/pbs.pid"
exec "$(dirname "$0")/hosts-down.sh" "$@"
