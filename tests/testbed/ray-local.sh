#!/bin/bash
# ray-local.sh up DIR [VERSION] [--token] | down DIR | pids DIR: a real Ray head on loopback, on free
# ports and with a temp dir of its own. DIR holds what belongs to it; `up` prints (and writes DIR/env):
#   DASHBOARD=http://127.0.0.1:P  GCS=IP:P  CLIENT_PORT=P  AGENT_PORT=P  TEMP_DIR=D  RAY=.../bin/ray
#   TOKEN_FILE=F (with --token)  PIDS='...'
# RAY_CPUS (default 2) is what the node claims; RAY_PORTS="GCS DASHBOARD CLIENT AGENT METRICS": these ports.
# `down` ends only processes of this head: those that name its temp dir or address on their command lines or
# write into its logs, and their children.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
usage() { sed -n '2,8s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cmd=${1:-}; [ $# -ge 2 ] || usage
mkdir -p "$2"; D=$(cd "$2" && pwd -P); shift 2
die() { echo "ray-local: $*" >&2; exit 1; }

pids() {
    local t a seeds=''
    [ -s "$D/temp_dir" ] || return 0
    t=$(cat "$D/temp_dir"); a=$(cat "$D/address")
    if [ -d /proc/self/fd ]; then # a retitled process is still known by its log
        seeds=$(find /proc/[0-9]*/fd/[12] -lname "$t/*" 2>/dev/null | cut -d/ -f3 | tr '\n' ' ') || true
    fi
    # by the environment, so that awk does not find itself
    ps -axww -o pid=,ppid=,command= 2>/dev/null | T=$t/ A="=$a " SEEDS=$seeds awk -v me=$$ '
        BEGIN { t = ENVIRON["T"]; a = ENVIRON["A"]; n = split(ENVIRON["SEEDS"], s, " "); for (i = 1; i <= n; i++) mine[s[i]] = 1 }
        { parent[$1] = $2; if (index($0 "/", t) || index($0 " ", a)) mine[$1] = 1 }
        END {
            for (more = 1; more;) { more = 0; for (p in parent) if (!(p in mine) && parent[p] in mine) { mine[p] = 1; more = 1 } }
            for (p = me; p > 1; p = parent[p]) delete mine[p]
            for (p in mine) if (p in parent) printf "%s ", p
        }'
}
down() {
    local p i
    for i in $(seq 40); do
        p=$(pids); [ -n "${p// /}" ] || break
        # shellcheck disable=SC2086
        kill -KILL $p 2>/dev/null || true
        sleep 0.1
    done
    [ -z "${p// /}" ] || die "these processes do not end: $p"
    [ ! -s "$D/temp_dir" ] || rm -rf "$(cat "$D/temp_dir")"
    rm -f "$D/temp_dir" "$D/address" "$D/env"
}
answers() { # URL: two minutes' patience
    "$bin/python" - "$1" ${token:+"$D/token"} <<'P'
import sys, time, urllib.request
head = {"User-Agent": "ray-local"}
if len(sys.argv) > 2: head["Authorization"] = "Bearer " + open(sys.argv[2]).read()
end = time.time() + 120
while time.time() < end:
    try: sys.exit(urllib.request.urlopen(urllib.request.Request(sys.argv[1], headers=head), timeout=2).status != 200)
    except Exception: time.sleep(0.2)
sys.exit(1)
P
}
up() {
    local version=2.60.0 token='' bin ip=127.0.0.2 tmp gcs dash client agent metrics
    for x in "$@"; do case $x in --token) token=1 ;; -*) usage ;; *) version=$x ;; esac; done
    if [ -s "$D/env" ] && [ -n "$(pids)" ]; then cat "$D/env"; return 0; fi
    down
    [ "$(uname)" = Linux ] || ip=127.0.0.1 # elsewhere loopback has one address
    bin=$("$here/ray-venv.sh" "$version")
    # shellcheck disable=SC2046,SC2086
    set -- ${RAY_PORTS:-$("$bin/python" "$here/free_ports.py" 5)}
    gcs=$1 dash=$2 client=$3 agent=$4 metrics=$5
    tmp=$(mktemp -d /tmp/rtray-XXXXXX) # short: paths of sockets end at 107 bytes
    echo "$tmp" >"$D/temp_dir"; echo "$ip:$gcs" >"$D/address"
    trap 'rc=$?; [ $rc = 0 ] || down' EXIT
    if [ -n "$token" ]; then
        (umask 077; od -An -N24 -tx1 /dev/urandom | tr -d ' \n' >"$D/token")
        export RAY_AUTH_MODE=token RAY_AUTH_TOKEN_PATH=$D/token
    fi
    unset RAY_ADDRESS RAY_API_SERVER_ADDRESS
    # a job's `python` is looked up on the PATH of its head
    PATH=$bin:$PATH "$bin/ray" start --head --node-ip-address=$ip --port="$gcs" --temp-dir="$tmp" \
        --dashboard-host=127.0.0.1 --dashboard-port="$dash" --ray-client-server-port="$client" \
        --dashboard-agent-listen-port="$agent" --metrics-export-port="$metrics" --num-cpus="${RAY_CPUS:-2}" \
        --object-store-memory=100000000 --disable-usage-stats --log-color=false </dev/null >"$D/start.log" 2>&1 ||
        { tail -n 5 "$D/start.log" >&2; die "Ray $version did not start (all of it: $D/start.log)"; }
    # the agent takes the jobs; it comes after the dashboard
    answers "http://127.0.0.1:$dash/api/version" || die "the dashboard does not answer (see $tmp/session_latest/logs)"
    answers "http://$ip:$agent/api/local_raylet_healthz" || {
        tail -n 5 "$tmp"/session_latest/logs/dashboard_agent.log >&2 || true
        die "the agent does not answer on $ip:$agent"
    }
    {
        echo "DASHBOARD=http://127.0.0.1:$dash"; echo "GCS=$ip:$gcs"; echo "CLIENT_PORT=$client"
        echo "AGENT_PORT=$agent"; echo "TEMP_DIR=$tmp"; echo "RAY=$bin/ray"
        [ -z "$token" ] || echo "TOKEN_FILE=$D/token"
        echo "PIDS='$(pids)'"
    } >"$D/env"
    cat "$D/env"
}
case $cmd in
up) up "$@" ;;
down) down ;;
pids) pids; echo ;;
*) usage ;;
esac
