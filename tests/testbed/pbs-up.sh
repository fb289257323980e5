#!/bin/bash
# pbs-up.sh [STATE-DIR]: a PBS cluster on this machine:
#   login   N.0.2 (reachable from the machine itself), N.1.2: sshd, qsub, qstat, qdel, ...
#   n1..nK  N.1.11...: where jobs run; reachable only from login. K = RTB_NODES (default 3)
# with N = RTB_NET (here default 10.79) and RTB_PREFIX default rtp. /home and /srv are shared between the hosts, as on a
# real cluster. Users as in hosts-up.sh; the commands are on the PATH of each of them but `dash`, who must ask a login shell.
#
#   RTB_CPUS   CPUs each node claims (default 4), RTB_MEM its gigabytes (default 8)
#   RTB_PBS    real: OpenPBS or nothing; stand-in: never OpenPBS; unset: OpenPBS where `qstat --version` names it
#
# Where OpenPBS is installed on the machine its daemons run in the hosts. Where it is not, programs in pbs/ take its place:
# they answer as it was recorded, and really run jobs on the hosts. Queues: workq (default), stopped (takes jobs and starts
# none), disabled (takes none), short (at most 5 minutes). Undo with pbs-down.sh.
set -euo pipefail
export RTB_PREFIX=${RTB_PREFIX:-rtp} RTB_NET=${RTB_NET:-10.79} RTB_SHARED_HOME=1
here=$(cd "$(dirname "$0")" && pwd); . "$here/lib.sh"
rtb_need_root
S=$(rtb_state "${1:-${XDG_RUNTIME_DIR:-/tmp}/raytui-testbed-pbs}"); chmod 755 "$S"
K=${RTB_NODES:-3}; N=$RTB_NET
case ${RTB_PBS:-} in
stand-in) kind=stand-in ;;
*)
    if qstat --version 2>&1 | grep -q '^pbs_version' && exec_=$(dirname "$(dirname "$(readlink -f "$(command -v qstat)")")") &&
        [ -x "$exec_/sbin/pbs_server.bin" ]; then kind=real
    elif [ "${RTB_PBS:-}" = real ]; then rtb_die "no OpenPBS on this machine"
    else kind=stand-in; fi ;;
esac
rtb_packages openssh-server openssh-client iproute2 iptables util-linux openssl libpam-oath oathtool procps python3
rtb_keys
nodes=(); for i in $(seq "$K"); do nodes+=("n$i"); done
hosts="127.0.0.1 localhost
$N.1.2 login"
for i in $(seq "$K"); do hosts+="
$N.1.$((10 + i)) n$i"; done
bin=/srv/pbs/bin; [ $kind = stand-in ] || bin=$exec_/bin

for h in login "${nodes[@]}"; do
    rtb_prepare "$h"; d=$(rtb_dir "$h")
    echo "$hosts" >"$d/etc/hosts"
    echo "export PATH=$bin:\$PATH" >"$d/etc/profile.d/pbs.sh"
    grep -q 'SetEnv PATH' "$d/etc/ssh/sshd_config" ||
        printf 'Match User *,!dash\n  SetEnv PATH=%s:/usr/local/bin:/usr/bin:/bin\n' "$bin" >>"$d/etc/ssh/sshd_config"
    rtb_netns "$h"
done
rtb_leg login out0 $N.0.2/24 $N.0.1/24
rtb_hide $N.1.0/24
rtb_inner switch login $N.1.2/24
for i in $(seq "$K"); do rtb_inner switch "n$i" $N.1.$((10 + i))/24; done
for h in login "${nodes[@]}"; do rtb_start "$h"; done

stand_in_up() {
    local p=$S/share/pbs
    mkdir -p "$p/bin"; chmod 755 "$p" "$p/bin"
    install -m 755 "$here/pbs/client.py" "$p/bin/qsub"
    for c in qstat qdel qhold qrls qrerun qselect pbsnodes pbs_tmrsh pbsdsh; do ln -sf qsub "$p/bin/$c"; done
    local pid; pid=$(cat "$S/pbs.pid" 2>/dev/null || true)
    [ -n "$pid" ] && grep -qa server.py "/proc/$pid/cmdline" 2>/dev/null && return 0
    rm -f "$p/socket"
    setsid python3 "$here/pbs/server.py" "$S" "${RTB_CPUS:-4}" "${RTB_MEM:-8}" "${nodes[@]}" </dev/null >"$S/pbs.log" 2>&1 &
    echo $! >"$S/pbs.pid"
    for _ in $(seq 100); do [ -S "$p/socket" ] && return 0; sleep 0.1; done
    cat "$S/pbs.log" >&2; rtb_die "the stand-in for PBS did not start"
}

# The daemons of OpenPBS: server, scheduler and communication on login, a mom on each node.
real_up() {
    local h d server sched
    for h in login "${nodes[@]}"; do
        server=0; [ "$h" != login ] || server=1
        d=$(rtb_dir "$h")
        cat >"$d/etc/pbs.conf" <<CONF
PBS_EXEC=$exec_
PBS_HOME=/var/spool/pbs
PBS_SERVER=login
PBS_START_SERVER=$server
PBS_START_SCHED=$server
PBS_START_COMM=$server
PBS_START_MOM=$((1 - server))
PBS_CORE_LIMIT=unlimited
PBS_SCP=/usr/bin/scp
PBS_DATA_SERVICE_USER=postgres
CONF
    done
    rtb_in login pgrep -x pbs_server.bin >/dev/null || rtb_in login bash -ec "
        export PATH=$exec_/bin:$exec_/sbin:\$PATH
        install -d -o postgres -g postgres /run/postgresql
        chmod 755 /var/spool
        $exec_/libexec/pbs_habitat
        $exec_/sbin/pbs_comm
        $exec_/sbin/pbs_sched
        $exec_/sbin/pbs_server" >"$S/pbs.log" 2>&1 </dev/null || { tail -n 20 "$S/pbs.log" >&2; rtb_die "the server of OpenPBS did not start"; }
    for h in "${nodes[@]}"; do
        rtb_in "$h" pgrep -x pbs_mom >/dev/null || rtb_in "$h" bash -ec "
            $exec_/libexec/pbs_habitat >/dev/null
            echo '\$clienthost login
\$usecp *:/home/ /home/
\$usecp *:/dev/null /dev/null' >/var/spool/pbs/mom_priv/config
            $exec_/sbin/pbs_mom" >>"$S/pbs.log" 2>&1 </dev/null || { tail -n 20 "$S/pbs.log" >&2; rtb_die "pbs_mom did not start on $h"; }
    done
    rtb_in login bash -ec "
        export PATH=$exec_/bin:\$PATH
        for i in \$(seq 60); do qstat -B >/dev/null 2>&1 && break; sleep 0.5; done
        list=\$(qstat -Q)
        for n in ${nodes[*]}; do
            pbsnodes \$n >/dev/null 2>&1 || echo create node \$n
            echo set node \$n resources_available.ncpus=${RTB_CPUS:-4}
            echo set node \$n resources_available.mem=${RTB_MEM:-8}gb
        done >/run/qmgr
        for q in workq stopped disabled short; do
            grep -q \"^\$q \" <<<\"\$list\" || echo create queue \$q queue_type=execution
            echo set queue \$q enabled=true
            echo set queue \$q started=true
        done >>/run/qmgr
        cat >>/run/qmgr <<'QMGR'
set queue stopped started=false
set queue disabled enabled=false
set queue short resources_max.walltime=00:05:00
set server default_queue=workq
set server flatuid=true
set server job_history_enable=true
set server query_other_jobs=true
set server scheduling=true
QMGR
        qmgr </run/qmgr
        for i in \$(seq 120); do
            [ \"\$(pbsnodes -a | grep -c 'state = free')\" = $K ] && exit 0
            sleep 0.5
        done
        pbsnodes -a; exit 1" >>"$S/pbs.log" 2>&1 </dev/null || { tail -n 40 "$S/pbs.log" >&2; rtb_die "OpenPBS does not see its nodes"; }
}
if [ $kind = real ]; then real_up; else stand_in_up; fi

rtb_login_files "$K"
ssh -F "$S/ssh_config" -o BatchMode=yes login 'pbsnodes -a' >/dev/null || rtb_die "no PBS on login"
echo "testbed: pbs up ($kind); ssh -F $S/ssh_config login"
