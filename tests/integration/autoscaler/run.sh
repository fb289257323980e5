#!/bin/sh
# run.sh RAYTUI PYTHON VERSION [TEST...]: test_autoscaler.py with a cluster of this version.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "skipped: the nodes live in namespaces, which needs root"; exit 77; }
unshare --mount --pid --fork --mount-proc true 2>/dev/null || { echo "skipped: no namespaces can be made here"; exit 77; }
"$here/../../testbed/ray-venv.sh" "$3" serve >/dev/null || { echo "skipped: no environment with Ray $3"; exit 77; }
raytui=$1 python=$2 version=$3
shift 3
exec "$python" "$here/test_autoscaler.py" "$raytui" "$version" "$@"
