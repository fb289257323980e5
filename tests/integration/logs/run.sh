#!/bin/sh
# run.sh RAYTUI PYTHON VERSION [TEST...]: test_logs.py with a Ray of this version.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ "$(uname)" = Linux ] || { echo "skipped: two nodes need two loopback addresses"; exit 77; }
"$here/../../testbed/ray-venv.sh" "$3" >/dev/null || { echo "skipped: no environment with Ray $3"; exit 77; }
raytui=$1 python=$2 version=$3
shift 3
exec "$here/../../testbed/apart.sh" "$python" "$here/test_logs.py" "$raytui" "$version" "$@"
