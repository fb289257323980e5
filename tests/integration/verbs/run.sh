#!/bin/bash
# run.sh RAYTUI PYTHON VERSION [TEST...]: test_verbs.py with a Ray of this version.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
"$here/../../testbed/ray-venv.sh" "$3" >/dev/null || { echo "skipped: no environment with Ray $3"; exit 77; }
. "$here/../../testbed/lib.sh"
[ "$(id -u)" != 0 ] || rtb_packages stunnel4 openssl >&2
raytui=$1 python=$2 version=$3
shift 3
exec "$here/../../testbed/apart.sh" "$python" "$here/test_verbs.py" "$raytui" "$version" "$@"
