#!/bin/sh
# run.sh RAYTUI PYTHON [TEST...]: test_kube.py in a network namespace of its own, where the addresses of pods exist.
# Kubernetes is built first where it is not yet: minutes, once.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
bed=$here/../../testbed
[ "$(uname)" = Linux ] || { echo "skipped: the control plane is built for Linux only"; exit 77; }
unshare -n true 2>/dev/null || { echo "skipped: namespaces need root"; exit 77; }
"$bed/kube/build.sh" >/dev/null || { echo "skipped: no Kubernetes"; exit 77; }
"$bed/ray-venv.sh" "${RAY_VERSION:-2.60.0}" >/dev/null || { echo "skipped: no Ray environment"; exit 77; }
raytui=$1 python=$2
shift 2
exec unshare -n sh -c 'ip link set lo up; ip addr add 10.244.0.0/16 dev lo; exec "$@"' kube \
    "$python" "$here/test_kube.py" "$raytui" "$@"
