#!/bin/sh
# run.sh RAYTUI PYTHON [TEST...]: test_slurm.py with the tests' own Ray.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ "$(id -u)" = 0 ] || { echo "skipped: namespaces need root"; exit 77; }
command -v apt-get >/dev/null || command -v slurmctld >/dev/null || { echo "skipped: no Slurm, and no Debian to install it from"; exit 77; }
"$here/../../testbed/ray-venv.sh" "${RAY_VERSION:-2.60.0}" >/dev/null || { echo "skipped: no Ray environment"; exit 77; }
raytui=$1 python=$2
shift 2
exec "$python" "$here/test_slurm.py" "$raytui" "$@"
