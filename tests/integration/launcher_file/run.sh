#!/bin/sh
# run.sh RAYTUI PYTHON VERSION [TEST...]: test_launcher_file.py with a `ray` of this version; no cluster is made.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bin=$("$here/../../testbed/ray-venv.sh" "$3") || { echo "skipped: no environment with Ray $3"; exit 77; }
raytui=$1 python=$2
shift 3
exec "$python" "$here/test_launcher_file.py" "$raytui" "$bin" "$@"
