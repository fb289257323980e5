#!/bin/sh
# run.sh RAYTUI PYTHON [TEST...]: test_launcher.py with the tests' own Ray.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ -x /usr/sbin/sshd ] || { echo "skipped: no sshd"; exit 77; }
[ "$(id -u)" = 0 ] || { echo "skipped: namespaces need root"; exit 77; }
"$here/../../testbed/ray-venv.sh" "${RAY_VERSION:-2.60.0}" >/dev/null || { echo "skipped: no Ray environment"; exit 77; }
raytui=$1 python=$2
shift 2
exec "$python" "$here/test_launcher.py" "$raytui" "$@"
