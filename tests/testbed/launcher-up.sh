#!/bin/bash
# launcher-up.sh [STATE-DIR]: hosts for clusters of Ray's own launcher (`ray up`, provider type `local`). Undo with hosts-down.sh.
#
#   laptop  = this machine; it reaches only the head, by its outer address
#   head    = head_ip N.1.10, external_head_ip N.2.10; its autoscaler starts Ray on w1 and w2 over SSH itself
#   w1, w2  = worker_ips N.1.11, N.1.12
#
# The hosts come from hosts-up.sh: they have pid namespaces of their own, so the `ray stop` that the launcher runs there
# ends nothing else on this machine. Writes STATE-DIR/cluster.yaml; the `ray` for it is the tests' own (ray-venv.sh), the
# hosts have the same one. Run `ray` with RAY_TMPDIR and TMPDIR set, or it keeps its state in /tmp.
#   LAUNCHER_MIN, LAUNCHER_MAX   min_workers, max_workers (default 1, 2)
#   LAUNCHER_IDLE                idle_timeout_minutes (default 1)
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
export RTB_PREFIX=${RTB_PREFIX:-rtl} RTB_NET=${RTB_NET:-10.79}
. "$here/lib.sh"
S=$(rtb_state "${1:-${XDG_RUNTIME_DIR:-/tmp}/raytui-launcher}"); N=$RTB_NET

rtb_packages openssh-client rsync
"$here/hosts-up.sh" "$S" >/dev/null
"$here/ray-hosts.sh" install "$S"
for h in head w1 w2; do # the launcher runs `bash --login -c -i 'source ~/.bashrc; ...'`
    grep -q srv/venv "$S/hosts/$h/home/ray/.bashrc" || sed -i '1i export PATH=/srv/venv/bin:$PATH' "$S/hosts/$h/home/ray/.bashrc"
done
cat >"$S/cluster.yaml" <<END
# Three hosts of a test bed.
cluster_name: bed
provider:
  type: local
  head_ip: $N.1.10
  external_head_ip: $N.2.10
  worker_ips: [$N.1.11, $N.1.12]
auth:
  ssh_user: ray
  ssh_private_key: $S/keys/id_ed25519
min_workers: ${LAUNCHER_MIN:-1}   # how many are always there
max_workers: ${LAUNCHER_MAX:-2}
upscaling_speed: 1.0
idle_timeout_minutes: ${LAUNCHER_IDLE:-1}
head_start_ray_commands:
  - ray stop
  - ray start --head --node-ip-address=$N.1.10 --port=6379 --dashboard-host=127.0.0.1 --num-cpus=1 --object-store-memory=100000000 --disable-usage-stats --autoscaling-config=~/ray_bootstrap_config.yaml
worker_start_ray_commands:
  - ray stop
  - ray start --address=\$RAY_HEAD_IP:6379 --num-cpus=2 --object-store-memory=100000000 --disable-usage-stats
END
