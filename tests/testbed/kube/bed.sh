#!/bin/bash
# bed.sh up DIR | down DIR | start DIR PART | stop DIR PART | kill DIR PART: a one-machine Kubernetes with the KubeRay
# operator and kwok, all on 127.0.0.1. `up` takes 8 to 15 seconds and prints KUBECONFIG=FILE and API=URL; DIR holds what
# belongs to it. PART is one of etcd apiserver kcm scheduler kwok operator: `stop` asks it to end, `kill` does not ask,
# `start` starts it again as it was. RTB_KUBE_PORT: first of five ports in a row (default: free ones, found by itself).
# Pods are pretended by kwok (kwok.yaml) or played by podrun.py. kubeconfig.viewer belongs to a user without any right.
# The API server reaches pods and services by their addresses only where these exist: inside
#   unshare -n sh -c 'ip link set lo up; ip addr add 10.244.0.0/16 dev lo; exec CMD'
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd); . "$here/../lib.sh"
usage() { sed -n '2,6s/^# \{0,1\}//p' "$0" >&2; exit 2; }
PARTS='operator kwok scheduler kcm apiserver etcd' # in the order in which they are ended
cmd=${1:-}; [ $# -ge 2 ] || usage
mkdir -p "$2"; D=$(cd "$2" && pwd -P); part=${3:-}; shift 2
mkdir -p "$D"/{pki,log,pid,part,podlog}

# ---- parts: each has its command in part/NAME and its process in pid/NAME ------------------------------------------

mine() { [ "$(readlink "/proc/$1/cwd" 2>/dev/null)" = "$D" ]; } # PID: its working directory says whose it is
running() { local p; p=$(cat "$D/pid/$1" 2>/dev/null) && mine "$p"; }
launch() { # PART: starts what part/NAME says
    (cd "$D" && umask 077 && exec setsid bash "$D/part/$1" >>"$D/log/$1.log" 2>&1 </dev/null) &
    echo $! >"$D/pid/$1"
}
part() { # NAME COMMAND...: keeps the command and starts it
    local n=$1; shift
    { printf 'exec'; printf ' %q' "$@"; echo; } >"$D/part/$n"
    launch "$n"
}
stop() { # TENTHS-OF-A-SECOND NAME...: SIGTERM, wait, SIGKILL
    local i=$1 n p; shift
    for n; do if running "$n"; then kill "$(cat "$D/pid/$n")" 2>/dev/null || true; fi; done
    for n; do
        running "$n" || continue
        p=$(cat "$D/pid/$n")
        while mine "$p" && [ "$i" -gt 0 ]; do i=$((i - 1)); sleep 0.1; done
        if mine "$p"; then kill -KILL "$p" 2>/dev/null || true; fi
    done
}
down() {
    local f e g
    stop 120 podrun # it gives its Ray processes 8 seconds
    for f in "$D"/pid/pod-*; do # what is left of a pod whose podrun.py was killed
        [ -f "$f" ] || continue
        for e in $(grep -lzxF "RTB_POD=${f##*/pod-}" /proc/[0-9]*/environ 2>/dev/null); do
            g=$(sed 's/.*) //' "${e%/environ}/stat" 2>/dev/null | cut -d' ' -f3)
            [ -z "$g" ] || kill -KILL "-$g" 2>/dev/null || true
        done
        [ ! -s "$f" ] || rm -rf "$(cat "$f")"
    done
    # shellcheck disable=SC2086
    stop 60 $PARTS
    rm -rf "$D"
}

# ---- up ------------------------------------------------------------------------------------------------------------

fail() { # keeps the logs
    # shellcheck disable=SC2086
    stop 60 $PARTS
    rtb_die "$* (logs: $D/log)"
}
alive() { running "$1" || fail "$1 ended: $(tail -n 3 "$D/log/$1.log")"; }
until_ok() { # SECONDS WHAT COMMAND...
    local end=$(($(date +%s) + $1)) what=$2; shift 2
    while ! "$@" >/dev/null 2>&1; do
        [ "$(date +%s)" -lt $end ] || fail "$what is not ready in time"
        sleep 0.2
    done
}
busy() { # PORT: is one of the five from it on taken?
    local o h
    for o in 0 1 2 3 4; do
        h=$(printf '%04X' $(($1 + o)))
        ! grep -qi ":$h 00000000:0000 0A" /proc/net/tcp || return 0
    done
    return 1
}
ec_key() { openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" 2>/dev/null; }
cert() { # NAME SUBJECT [SAN]
    ec_key "$1"
    openssl req -new -key "$1.key" -subj "$2" -out "$1.csr" 2>/dev/null
    { echo "extendedKeyUsage=serverAuth,clientAuth"; [ -z "${3:-}" ] || echo "subjectAltName=$3"; } >"$1.ext"
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 30 -extfile "$1.ext" -out "$1.crt" 2>/dev/null
}
kubeconfig() { # USER FILE
    cat >"$2" <<END
apiVersion: v1
kind: Config
clusters:
- name: testbed
  cluster: {server: "$api", certificate-authority-data: $(base64 -w0 pki/ca.crt)}
users:
- name: $1
  user: {client-certificate-data: $(base64 -w0 "pki/$1.crt"), client-key-data: $(base64 -w0 "pki/$1.key")}
contexts:
- name: testbed
  context: {cluster: testbed, user: $1, namespace: default}
current-context: testbed
END
}
api_ready() { alive etcd; alive apiserver; kubectl get --raw /readyz; }
operator_ready() { alive operator; [ "$(curl -sf "http://127.0.0.1:$op_port/readyz")" = ok ]; }
nodes_ready() {
    [ "$(kubectl get nodes -o 'jsonpath={.items[*].status.conditions[?(@.type=="Ready")].status}')" = 'True True' ]
}

up() {
    local cache port c
    cache=$("$here/build.sh") || rtb_die "there is no Kubernetes here"
    PATH=$cache/bin:$PATH
    umask 077
    port=${RTB_KUBE_PORT:-}
    if [ -z "$port" ]; then
        port=26443
        while busy "$port"; do port=$((port + 10)); [ "$port" -lt 32000 ] || rtb_die "no free ports"; done
    fi
    local etcd=http://127.0.0.1:$((port + 1)) peer=http://127.0.0.1:$((port + 2)) kubelet_port=$((port + 3))
    op_port=$((port + 4)) api=https://127.0.0.1:$port

    cd "$D/pki"
    ec_key ca
    openssl req -x509 -new -key ca.key -subj /CN=testbed-ca -days 30 -out ca.crt 2>/dev/null
    cert server /CN=kube-apiserver IP:127.0.0.1,DNS:localhost
    cert admin /O=system:masters/CN=admin
    cert viewer /O=viewers/CN=viewer
    cert kubelet /CN=kubelet IP:127.0.0.1
    openssl genrsa -out sa.key 2048 2>/dev/null
    openssl rsa -in sa.key -pubout -out sa.pub 2>/dev/null
    cd "$D"
    kubeconfig admin kubeconfig
    kubeconfig viewer kubeconfig.viewer
    export KUBECONFIG=$D/kubeconfig

    part etcd etcd --name testbed --data-dir "$D/etcd" --listen-client-urls "$etcd" --advertise-client-urls "$etcd" \
        --listen-peer-urls "$peer" --initial-advertise-peer-urls "$peer" --initial-cluster "testbed=$peer" --unsafe-no-fsync
    part apiserver kube-apiserver --etcd-servers="$etcd" \
        --bind-address=127.0.0.1 --advertise-address=127.0.0.1 --secure-port="$port" --endpoint-reconciler-type=none \
        --tls-cert-file=pki/server.crt --tls-private-key-file=pki/server.key --client-ca-file=pki/ca.crt \
        --service-account-issuer=https://kubernetes.default.svc --service-account-key-file=pki/sa.pub \
        --service-account-signing-key-file=pki/sa.key --service-cluster-ip-range=10.96.0.0/16 \
        --kubelet-client-certificate=pki/admin.crt --kubelet-client-key=pki/admin.key \
        --authorization-mode=RBAC --profiling=false --event-ttl=2h --shutdown-delay-duration=0
    until_ok 90 "the API server" api_ready
    part kcm kube-controller-manager --kubeconfig="$KUBECONFIG" --leader-elect=false --secure-port=0 \
        --service-account-private-key-file=pki/sa.key --root-ca-file=pki/ca.crt --profiling=false \
        --controllers=garbage-collector-controller,namespace-controller,serviceaccount-controller,serviceaccount-token-controller,endpoints-controller,endpointslice-controller,job-controller,resourcequota-controller,node-lifecycle-controller,pod-garbage-collector-controller,root-ca-certificate-publisher-controller
    part scheduler kube-scheduler --kubeconfig="$KUBECONFIG" --leader-elect=false --secure-port=0 --profiling=false
    kubectl create -f "$cache/crd" >log/crd.log 2>&1 || fail "CRDs: $(tail -n 2 log/crd.log)"
    for c in rayclusters rayjobs rayservices; do until_ok 60 "CRD $c" kubectl get "$c.ray.io"; done
    until_ok 60 "the default service account" kubectl -n default get serviceaccount default
    part kwok kwok --kubeconfig="$KUBECONFIG" --config="$here/kwok.yaml" --manage-all-nodes=true \
        --node-ip=127.0.0.1 --node-port="$kubelet_port" --server-address="127.0.0.1:$kubelet_port" \
        --tls-cert-file=pki/kubelet.crt --tls-private-key-file=pki/kubelet.key \
        --cidr=10.244.0.1/16 --node-lease-duration-seconds=40 \
        --enable-crds=PortForward,ClusterPortForward,Logs,ClusterLogs,Exec,ClusterExec
    part operator kuberay-operator --metrics-addr=0 --health-probe-bind-address="127.0.0.1:$op_port" \
        --enable-leader-election=false --use-kubernetes-proxy=true --log-stdout-encoder=console
    kubectl apply -f "$here/node.yaml" >log/node.log 2>&1 || fail "nodes: $(cat log/node.log)"
    until_ok 60 "the nodes" nodes_ready
    until_ok 60 "the operator" operator_ready
    echo "KUBECONFIG=$KUBECONFIG"
    echo "API=$api"
}

case $cmd in
up) up ;;
down) down ;;
start) [ -f "$D/part/$part" ] || usage
    PATH=$("$here/build.sh")/bin:$PATH; export KUBECONFIG=$D/kubeconfig
    launch "$part" ;;
stop) stop 300 "$part" ;;
kill)
    if running "$part"; then
        p=$(cat "$D/pid/$part")
        kill -KILL "$p"
        while mine "$p"; do sleep 0.1; done # its port is free then
    fi ;;
*) usage ;;
esac
