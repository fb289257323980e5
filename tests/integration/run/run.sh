#!/bin/sh
# run.sh RAYTUI PYTHON [TEST...]: test_run.py with the tests' own Ray.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=$("$here/../../testbed/ray-venv.sh" "${RAY_VERSION:-2.60.0}") || { echo "skipped: no Ray environment"; exit 77; }
raytui=$1 python=$2
shift 2
exec "$here/../../testbed/apart.sh" "$python" "$here/test_run.py" "$raytui" "$bin" "$@"
