#!/bin/sh
# scripts.sh RAYTUI PYTHON [TEST...]: test_scripts.py; the scripts that `init` writes and a real Ray.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
[ -x /usr/sbin/sshd ] || { echo "skipped: no sshd"; exit 77; }
if [ "$(id -u)" != 0 ] || ! unshare --mount --pid --fork true 2>/dev/null; then
    echo "skipped: nodes need root and namespaces"
    exit 77
fi
raytui=$1 python=$2
shift 2
bin=$("$here/../../testbed/ray-venv.sh") || { echo "skipped: no Ray"; exit 77; }
exec "$python" "$here/test_scripts.py" "$raytui" "$bin" "$@"
