#!/bin/bash
# fault.sh [-s STATE-DIR] HOST ACTION [ARG]: makes something go wrong on one host of a testbed.
#   drop | undrop          packets to and from the host vanish (no reset, no error) / heal
#   reject | undrop        new TCP connections get a reset, old ones at their next packet from outside
#   stop-sshd | start-sshd only the listener ends; open sessions stay
#   kill-sshd              listener and every session end at once (no goodbye)
#   freeze | thaw          every sshd process stops answering (SIGSTOP): TCP stays up
#   rekey-host             new host keys (the client sees a changed key), sshd restarted
#   crash                  the whole host ends (every process), its network stays
#   boot                   starts a crashed host again (its /tmp is empty; sshd only)
#   lag MS [LOSS% [MBIT]]  a second, slow way to the host: prints its address
#   unlag
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
st=; [ "${1:-}" = -s ] && { st=$2; shift 2; }
st=${st:-${XDG_RUNTIME_DIR:-/tmp}/raytui-testbed}
[ -e "$st/env.sh" ] && . "$st/env.sh"
. "$here/lib.sh"; S=$(rtb_state "$st"); rtb_need_root
h=${1:?host}; act=${2:?action}; ns=$(rtb_ns "$h"); d=$(rtb_dir "$h")
ipt() { ip netns exec "$ns" iptables "$@"; }
case $act in
drop)   ipt -F; ipt -A INPUT ! -i lo -j DROP; ipt -A OUTPUT ! -o lo -j DROP ;;
reject) ipt -F; ipt -A INPUT ! -i lo -p tcp -j REJECT --reject-with tcp-reset ;;
undrop) ipt -F ;;
stop-sshd)  rtb_in "$h" bash -c 'kill $(cat /run/sshd.pid)' ;;
start-sshd) rtb_in "$h" bash -c '[ -e /run/sshd.pid ] && kill -0 $(cat /run/sshd.pid) 2>/dev/null || /usr/sbin/sshd' ;;
kill-sshd)  rtb_in "$h" pkill -KILL -x sshd || true ;;
freeze) rtb_in "$h" pkill -STOP -x sshd ;;
thaw)   rtb_in "$h" pkill -CONT -x sshd ;;
rekey-host)
    for t in ed25519 ecdsa rsa; do
        rm -f "$d/etc/ssh/ssh_host_${t}_key"*; ssh-keygen -q -t $t -N '' -C "$h" -f "$d/etc/ssh/ssh_host_${t}_key"
    done
    rtb_in "$h" bash -c 'kill $(cat /run/sshd.pid); sleep 0.3; /usr/sbin/sshd' ;;
crash) p=$(rtb_pid "$h"); kill -KILL "$p"; rm -f "$d/init.pid" ;;
boot)  rtb_start "$h" ;;
lag)
    rtb_packages gcc libc6-dev
    [ -x "$S/netlag" ] || cc -O2 -o "$S/netlag" "$here/netlag.c"
    "$0" -s "$S" "$h" unlag >/dev/null
    n=0; for x in bastion head w1 w2; do n=$((n + 1)); [ $x = "$h" ] && break; done
    net=$RTB_NET.$((90 + n))
    setsid "$S/netlag" - "$net.1/30" "$ns" "$net.2/30" "${3:?MS}" "${4:-0}" "${5:-0}" >"$S/netlag-$h.log" 2>&1 </dev/null &
    echo $! >"$S/netlag-$h.pid"
    for _ in $(seq 50); do grep -q up "$S/netlag-$h.log" && break; sleep 0.1; done
    echo "$net.2" ;;
unlag) [ -e "$S/netlag-$h.pid" ] && kill "$(cat "$S/netlag-$h.pid")" 2>/dev/null; rm -f "$S/netlag-$h.pid"; true ;;
*) sed -n '2,16p' "$0" >&2; exit 2 ;;
esac
