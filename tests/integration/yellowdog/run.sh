#!/bin/sh
# run.sh RAYTUI PYTHON [TEST...]: test_yellowdog.py; what needs a real Ray skips itself where there is none.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ -x /usr/sbin/sshd ] || { echo "skipped: no sshd"; exit 77; }
"$here/../../testbed/ray-venv.sh" "${RAY_VERSION:-2.60.0}" >/dev/null || :
raytui=$1 python=$2
shift 2
exec "$here/../../testbed/apart.sh" "$python" "$here/test_yellowdog.py" "$raytui" "$@"
