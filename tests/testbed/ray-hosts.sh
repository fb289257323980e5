#!/bin/bash
# ray-hosts.sh up|down|status|install [STATE-DIR]: a real Ray cluster of three hosts (head, w1,
# w2 of hosts-up.sh), started over SSH as a user would: laptop -> head-direct -> w1, w2.
# Only the head is reachable from the laptop; its dashboard listens on the head's loopback, so
# an SSH tunnel is the only way to it. (ray's directory is on PATH at its start: a job's `python` is looked up there.)
#
#   RTB_RAY_VERSION  version of Ray (default 2.60.0)
#   RTB_CPUS         CPUs each host claims (default 2)
#   RTB_WORKERS      which hosts join the head (default "w1 w2"; empty: none)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/lib.sh"
RAY_VERSION=${RTB_RAY_VERSION:-2.60.0}
cmd=${1:-up}; S=$(rtb_state "${2:-}"); N=$RTB_NET
ssh_() { ssh -F "$S/ssh_config" -o BatchMode=yes "$@"; }

install_ray() { # the cached environment as /srv/venv of every host; links to the same files where the disk is the same
    [ -x "$S/share/venv/bin/ray" ] && return 0
    local from to=$S/share/venv.new
    from=$(dirname "$("$here/ray-venv.sh" $RAY_VERSION)")
    rm -rf "$to"; mkdir -p "$S/share"
    cp -al "$from" "$to" 2>/dev/null || { rm -rf "$to"; cp -a "$from" "$to"; }
    rm -rf "$to/bin"; cp -a "$from/bin" "$to/bin"
    grep -lI "^#!$from/" "$to"/bin/* | while read -r f; do sed -i "1s|$from/|/srv/venv/|" "$f"; done
    mv "$to" "$S/share/venv"
}
case $cmd in
install) install_ray ;;
up)
    "$here/hosts-up.sh" "$S" >/dev/null
    install_ray
    common="--num-cpus=${RTB_CPUS:-2} --object-store-memory=200000000 --disable-usage-stats --log-color=false"
    if ! ssh_ head-direct "pgrep -u ray -x gcs_server" >/dev/null 2>&1; then
        ssh_ head-direct "PATH=/srv/venv/bin:\$PATH /srv/venv/bin/ray start --head --node-ip-address=$N.1.10 --port=6379 --dashboard-host=127.0.0.1 --dashboard-port=8265 --ray-client-server-port=10001 $common" </dev/null
    fi
    workers=${RTB_WORKERS-w1 w2}
    for w in w1:$N.1.11 w2:$N.1.12; do
        case " $workers " in *" ${w%%:*} "*) ;; *) continue ;; esac
        ssh_ head-direct "ssh ${w%%:*} 'pgrep -u ray -x raylet >/dev/null || PATH=/srv/venv/bin:\$PATH /srv/venv/bin/ray start --address=$N.1.10:6379 --node-ip-address=${w#*:} $common'" </dev/null
    done
    want=$((1 + $(wc -w <<<"$workers")))
    for _ in $(seq 20); do # the head's own list of nodes is up to 5 s old
        out=$(ssh_ head-direct "/srv/venv/bin/ray status --address=$N.1.10:6379" </dev/null)
        [ "$(grep -c '^ 1 node_' <<<"$out")" -ge $want ] && break; sleep 1
    done
    echo "$out"
    ;;
status) ssh_ head-direct "/srv/venv/bin/ray status --address=$N.1.10:6379" ;;
down) # each host has processes of its own: everything that user ray runs there is this cluster's
    for h in w2 w1 head; do rtb_in $h pkill -KILL -u ray || true; rtb_in $h rm -rf /tmp/ray; done
    ;;
*) echo "usage: ray-hosts.sh up|down|status|install [STATE-DIR]" >&2; exit 2 ;;
esac
