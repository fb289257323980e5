#!/bin/sh
# run.sh RAYTUI PYTHON [TEST...]: test_yellowdog.py.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ -x /usr/sbin/sshd ] || { echo "skipped: no sshd"; exit 77; }
raytui=$1 python=$2
shift 2
exec "$python" "$here/test_yellowdog.py" "$raytui" "$@"
