#!/bin/sh
# run.sh RAYTUI PYTHON namespaces|loopback [TEST...]: test_forward.py with the tests' own Ray.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ -x /usr/sbin/sshd ] || { echo "skipped: no sshd"; exit 77; }
[ "$3" != namespaces ] || [ "$(id -u)" = 0 ] || { echo "skipped: namespaces need root"; exit 77; }
bin=$("$here/../../testbed/ray-venv.sh" "${RAY_VERSION:-2.60.0}") || { echo "skipped: no Ray environment"; exit 77; }
raytui=$1 python=$2 kind=$3
shift 3
# where the namespaces are there too, one transport is enough here
[ "$kind" != loopback ] || [ "$(id -u)" != 0 ] || [ $# != 0 ] || set -- Through Lost Keys
exec "$python" "$here/test_forward.py" "$raytui" "$bin" "$kind" "$@"
