#!/bin/bash
# run.sh TEST [ARG...]: SSH hosts in namespaces of their own around a test program; 77 where that is impossible.
# A test bed that is up already (RTB_STATE) is used and left alone.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); bed=$here/../../testbed
[ "$(uname)" = Linux ] || { echo "skipped: network namespaces need Linux"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "skipped: hosts in network namespaces need root"; exit 77; }
unshare --net true 2>/dev/null || { echo "skipped: no network namespaces can be made here"; exit 77; }
if [ -n "${RTB_STATE:-}" ]; then . "$RTB_STATE/env.sh"; export RTB_STATE RTB_PREFIX RTB_NET; exec "$@"; fi
export RTB_PREFIX=rtt$$ RTB_NET=${RTB_NET:-10.81}
RTB_PREFIX=${RTB_PREFIX:0:7}
RTB_STATE=$(mktemp -d /tmp/raytui-ssh-XXXXXX); export RTB_STATE
trap 'bash "$bed/hosts-down.sh" "$RTB_STATE" --purge >/dev/null 2>&1' EXIT
bash "$bed/hosts-up.sh" "$RTB_STATE" >"$RTB_STATE/up.log" 2>&1 || { cat "$RTB_STATE/up.log"; exit 1; }
"$@"
