#!/bin/bash
# autoscale.sh up DIR [VERSION [v1|v2]] | down DIR: a real autoscaling Ray cluster on this machine, with the
# autoscaler that `ray up` clusters have and Ray's provider `fake_multinode`: every node is a real raylet. Types:
#   ray.head.default  1 CPU, never more than one
#   small             2 CPU                 1 to 3 of them
#   big               4 CPU, bignode: 1     0 to 2
#   gpu               2 CPU, 1 GPU          0 to 1
# At most five workers in all; an idle one goes after AS_IDLE_MIN minutes (default 0.1). DIR holds what belongs to
# it; `up` prints (and writes DIR/env) DASHBOARD=URL GCS=IP:P. AS_EXTRA=serve: with what Ray Serve needs.
# v2 (default; what Ray has since 2.50) and v1 are the two autoscalers. Needs root: the cluster lives in pid and
# mount namespaces of its own and goes as one, nothing else is touched.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/lib.sh"
usage() { sed -n '2,11s/^# \{0,1\}//p' "$0" >&2; exit 2; }
cmd=${1:-}; [ $# -ge 2 ] || usage
mkdir -p "$2"; D=$(cd "$2" && pwd -P); version=${3:-2.60.0} scaler=${4:-v2}
HEAD=fffffffffffffffffffffffffffffffffffffffffffffffffff00000
alive() { [ -s "$D/pid" ] && [ -e "/proc/$(cat "$D/pid")" ] && grep -qz "$D/inside.sh" "/proc/$(cat "$D/pid")/cmdline"; }

down() {
    local i
    alive || { rm -f "$D/pid" "$D/env"; return 0; }
    kill -KILL "$(cat "$D/pid")" # unshare: its namespace goes with it
    for i in $(seq 100); do alive || break; sleep 0.1; done
    ! alive || rtb_die "process $(cat "$D/pid") does not end"
    rm -rf "$D/pid" "$D/env" "$D/ray" "$D/provider"
}

config() { # GCS port
    local module=ray.autoscaler._private.fake_multi_node.node_provider.FakeMultiNodeProvider more=
    [ "$scaler" = v2 ] || { module=autoscale_provider.Provider more=', disable_launch_config_check: true'; }
    cat <<END
cluster_name: autoscale
max_workers: 5
idle_timeout_minutes: ${AS_IDLE_MIN:-0.1}
upscaling_speed: 1.0
provider: {type: external, module: $module, gcs_address: "127.0.0.2:$1", head_node_id: $HEAD, launch_multiple: true, use_node_id_as_ip: true$more}
available_node_types:
  ray.head.default: {resources: {CPU: 1}, node_config: {}, max_workers: 0}
  small: {resources: {CPU: 2}, node_config: {}, min_workers: 1, max_workers: 3}
  big: {resources: {CPU: 4, bignode: 1}, node_config: {}, min_workers: 0, max_workers: 2}
  gpu: {resources: {CPU: 2, GPU: 1}, node_config: {}, min_workers: 0, max_workers: 1}
head_node_type: ray.head.default
auth: {}
file_mounts: {}
cluster_synced_files: []
initialization_commands: []
setup_commands: []
head_setup_commands: []
worker_setup_commands: []
head_start_ray_commands: []
worker_start_ray_commands: []
END
}

# For v1: there the provider looks for the head's GCS at the machine's own address and port 6379 alone.
provider() { # GCS port
    cat <<END
import ray._private.parameter as parameter
from ray.autoscaler._private.fake_multi_node.node_provider import FakeMultiNodeProvider
class Params(parameter.RayParams):
    def __init__(self, *words, **names):
        names.pop("redis_address", None)
        super().__init__(*words, **{**names, "gcs_address": "127.0.0.2:$1", "node_ip_address": "127.0.0.2"})
class Provider(FakeMultiNodeProvider):
    def create_node_with_resources_and_labels(self, *words, **names):
        theirs, parameter.RayParams = parameter.RayParams, Params
        try:
            return super().create_node_with_resources_and_labels(*words, **names)
        finally:
            parameter.RayParams = theirs
END
}

inside() { # the first process of the namespaces
    cat <<END
set -e
mount --make-rprivate /
mkdir -p /tmp/ray
mount --bind '$D/ray' /tmp/ray
mount -t tmpfs tmpfs /dev/shm
export PATH='$bin':\$PATH PYTHONPATH='$D/provider' AUTOSCALER_UPDATE_INTERVAL_S=1 RAY_FAKE_CLUSTER=1 RAY_USAGE_STATS_ENABLED=0 RAY_DASHBOARD_ENABLE_PROFILING=1
export RAY_enable_autoscaler_v2=$([ "$scaler" = v2 ] && echo 1 || echo 0)
$([ "$scaler" != v2 ] || echo "export RAY_CLOUD_INSTANCE_ID=$HEAD RAY_OVERRIDE_NODE_ID_FOR_TESTING=$HEAD RAY_NODE_TYPE_NAME=ray.head.default")
unset RAY_ADDRESS RAY_API_SERVER_ADDRESS
ray start --head --node-ip-address=127.0.0.2 --port=$1 --dashboard-host=127.0.0.1 --dashboard-port=$2 \\
    --ray-client-server-port=$3 --dashboard-agent-listen-port=$4 --metrics-export-port=$5 --num-cpus=1 \\
    --object-store-memory=80000000 --disable-usage-stats --log-color=false --autoscaling-config='$D/autoscale.yaml' --block &
wait
END
}

up() {
    local bin i
    alive && { cat "$D/env"; return 0; }
    rtb_need_root
    rm -rf "$D/ray"
    bin=$("$here/ray-venv.sh" "$version" ${AS_EXTRA:+"$AS_EXTRA"})
    # shellcheck disable=SC2046
    set -- $("$bin/python" "$here/free_ports.py" 5)
    mkdir -p "$D/ray" "$D/provider"
    provider "$1" >"$D/provider/autoscale_provider.py"
    config "$1" >"$D/autoscale.yaml"
    inside "$@" >"$D/inside.sh"
    setsid nohup unshare --mount --pid --fork --mount-proc --kill-child=KILL bash "$D/inside.sh" >"$D/log" 2>&1 </dev/null &
    echo $! >"$D/pid"
    for i in $(seq 600); do
        ! curl -sf --max-time 2 -o "$D/version" "http://127.0.0.1:$2/api/version" || break
        alive && [ "$i" != 600 ] || { tail -n 20 "$D/log" >&2; down; rtb_die "Ray $version did not start"; }
        sleep 0.2
    done
    printf 'DASHBOARD=http://127.0.0.1:%s\nGCS=127.0.0.2:%s\n' "$2" "$1" | tee "$D/env"
}
case $cmd in
up) up ;;
down) down ;;
*) usage ;;
esac
