#!/bin/sh
# run.sh RAYTUI PYTHON VERSION [TEST...]: test_autoscaler.py with a cluster of this version; of 2.9 test_autoscaler_v1.py.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "skipped: the nodes live in namespaces, which needs root"; exit 77; }
unshare --mount --pid --fork --mount-proc true 2>/dev/null || { echo "skipped: no namespaces can be made here"; exit 77; }
case $3 in 2.9.*) test=test_autoscaler_v1.py extra= ;; *) test=test_autoscaler.py extra=serve ;; esac
"$here/../../testbed/ray-venv.sh" "$3" $extra >/dev/null || { echo "skipped: no environment with Ray $3"; exit 77; }
raytui=$1 python=$2 version=$3
shift 3
exec "$here/../../testbed/apart.sh" "$python" "$here/$test" "$raytui" "$version" "$@"
