#!/usr/bin/env python3
"""Real Ray processes for the pods of the test bed (standard library only).

usage: podrun.py DIR [--ray PATH-OF-ray]

Watches the pods of every RayCluster.  A pod whose template has the annotation
testbed/real: "true" (and testbed/hold: "ray" so that kwok leaves it Pending) gets a real
`ray start … --block` process on 127.0.0.1; when that answers, the hold is taken off, and kwok
makes the pod Ready.  kubectl port-forward, logs and exec reach the process through kwok's
PortForward, Logs and Exec objects.  A pod that is deleted has its process group ended; a process
that ends by itself fails its pod (annotation testbed/fail), and the operator replaces it.
The same happens to all ready pods when podrun.py is started again: what an earlier one left running is
ended first (DIR/pid/pod-UID lists them; bed.sh ends them too).
"""
import argparse
import datetime
import glob
import json
import os
import shlex
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import urllib.error
import urllib.request

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from free_ports import free_ports  # noqa: E402

KEEP = ("--num-cpus", "--num-gpus", "--resources", "--labels")


def relay(server, port):
    """carries what connects to the listening socket `server` to 127.0.0.1:port, until server is closed"""
    def pump(a, b):
        try:
            while data := a.recv(65536):
                b.sendall(data)
        except OSError:
            pass
        for s in a, b:
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass

    while True:
        try:
            inner = server.accept()[0]
        except OSError:
            return
        try:
            outer = socket.create_connection(("127.0.0.1", port), 10)
        except OSError:
            inner.close()
            continue
        outer.settimeout(None)
        threading.Thread(target=pump, args=(inner, outer), daemon=True).start()
        threading.Thread(target=pump, args=(outer, inner), daemon=True).start()


def sweep(mark):
    """ends what is left of the pod of this file: Ray's workers and jobs have process groups of their own,
    but all have the variable from the pod's `ray start`"""
    try:
        with open(mark) as f:
            tmp = f.read()
    except OSError:
        return
    note = os.path.basename(mark).replace("pod-", "RTB_POD=", 1).encode()
    for p in glob.glob("/proc/[0-9]*"):
        try:
            with open(p + "/environ", "rb") as f:
                if note in f.read().split(b"\0"):
                    os.killpg(os.getpgid(int(p[6:])), signal.SIGKILL)
        except OSError:
            pass
    if tmp:
        shutil.rmtree(tmp, ignore_errors=True)
    try:
        os.unlink(mark)
    except OSError:
        pass


class Api:
    def __init__(self, directory, url):
        pki = os.path.join(directory, "pki")
        self.url = url
        self.tls = ssl.create_default_context(cafile=os.path.join(pki, "ca.crt"))
        self.tls.load_cert_chain(os.path.join(pki, "admin.crt"), os.path.join(pki, "admin.key"))

    def open(self, path, method="GET", body=None, kind="application/json", timeout=None):
        req = urllib.request.Request(self.url + path, method=method)
        if body is not None:
            req.data = json.dumps(body).encode()
            req.add_header("Content-Type", kind)
        return urllib.request.urlopen(req, context=self.tls, timeout=timeout)

    def call(self, path, method="GET", body=None, kind="application/json"):
        """one that changes something is tried until the API server is there to hear it"""
        for _ in range(120 if method != "GET" else 1):
            try:
                with self.open(path, method, body, kind, 30) as r:
                    return json.load(r)
            except urllib.error.HTTPError as e:
                if e.code < 500:
                    return {"kind": "Status", "code": e.code, "message": e.read().decode()[:300]}
            except OSError:
                pass
            time.sleep(0.5 if method != "GET" else 0)
        return {}

    def annotate(self, ns, pod, **notes):
        body = {"metadata": {"annotations": {"testbed/" + k: v for k, v in notes.items()}}}
        return self.call(f"/api/v1/namespaces/{ns}/pods/{pod}", "PATCH", body,
                         "application/merge-patch+json")


class Pod:
    def __init__(self, api, obj, directory, ray, heads):
        m = obj["metadata"]
        self.api, self.dir, self.ray, self.heads = api, directory, ray, heads
        self.ns, self.name, self.labels = m["namespace"], m["name"], m["labels"]
        self.key = (self.ns, self.labels["ray.io/cluster"])
        self.head = self.labels.get("ray.io/node-type") == "head"
        box = obj["spec"]["containers"][0]
        env = {e["name"]: e.get("value", "") for e in box.get("env", [])}
        words = shlex.split(env.get("KUBERAY_GEN_RAY_START_CMD", ""))
        self.args = [w for w in words if w.split("=")[0] in KEEP]
        self.proc, self.gone, self.tmp, self.lock = None, False, None, threading.Lock()
        self.uid = m["uid"]
        self.servers = []
        self.mark = os.path.join(directory, "pid", "pod-" + self.uid)
        self.log = os.path.join(directory, "podlog", f"{self.ns}_{self.name}.log")

    def crs(self):
        yield "portforwards", "PortForward", {"forwards": [
            {"ports": [inside], "target": {"address": "127.0.0.1", "port": outside}}
            for inside, outside in self.ports.items()]}
        yield "logs", "Logs", {"logs": [{"logsFile": self.log, "follow": True}]}
        yield "execs", "Exec", {"execs": [{"local": {"workDir": self.dir}}]}

    def run(self):
        self.ports = {}
        if self.head:
            gcs, dash, client = free_ports(3)
            self.tmp = tempfile.mkdtemp(prefix="ray-")  # short: Ray's socket paths must fit 107 bytes
            self.ports = {6379: gcs, 8265: dash, 10001: client}
            cmd = [self.ray, "start", "--head", f"--port={gcs}", "--dashboard-host=127.0.0.1",
                   f"--dashboard-port={dash}", f"--ray-client-server-port={client}",
                   f"--temp-dir={self.tmp}"]
        else:
            while self.key not in self.heads and not self.gone:
                time.sleep(0.5)
            if self.gone:
                return
            cmd = [self.ray, "start", f"--address=127.0.0.1:{self.heads[self.key]}"]
        cmd += ["--node-ip-address=127.0.0.1", "--block", "--disable-usage-stats",
                "--object-store-memory=100000000"] + self.args
        open(self.log, "a").close()
        for plural, kind, spec in self.crs():
            if kind != "PortForward" or self.ports:
                self.api.call(f"/apis/kwok.x-k8s.io/v1alpha1/namespaces/{self.ns}/{plural}/{self.name}"
                              "?fieldManager=podrun&force=true", "PATCH", {
                                  "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": kind,
                                  "metadata": {"name": self.name}, "spec": spec},
                              "application/apply-patch+yaml")
        here = os.path.dirname(os.path.abspath(self.ray))  # jobs say `python`: the one beside ray
        with self.lock:
            if self.gone:
                return
            with open(self.mark, "w") as f:
                f.write(self.tmp or "")
            self.proc = subprocess.Popen(cmd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                         stderr=subprocess.STDOUT, start_new_session=True,
                                         env={**os.environ, "PATH": f"{here}:{os.environ['PATH']}",
                                              "RTB_POD": self.uid,  # and what the operator takes from the pod's own fields:
                                              "RAY_CLOUD_INSTANCE_ID": self.name,
                                              "RAY_NODE_TYPE_NAME": self.labels.get("ray.io/group", ""),
                                              **({"TMPDIR": self.tmp} if self.tmp else {})})
        threading.Thread(target=self.copy_log, daemon=True).start()
        threading.Thread(target=self.wait_ready, daemon=True).start()
        code = self.proc.wait()
        sweep(self.mark)
        if self.head:
            self.heads.pop(self.key, None)
        if not self.gone:
            self.api.annotate(self.ns, self.name, fail=f"RayExit{code}", hold=None)

    def has_address(self, ip):
        """the pod's address, where it exists on this machine, leads to its Ray: for the API server's own proxy"""
        if self.servers or self.gone or not getattr(self, "ports", None):
            return
        for inside, outside in self.ports.items():
            server = socket.socket()
            server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                server.bind((ip, inside))
                server.listen(64)
            except OSError:
                server.close()
                return
            self.servers.append(server)
            threading.Thread(target=relay, args=(server, outside), daemon=True).start()

    def copy_log(self):  # the kubelet's log format: time, stream, F(ull line), text
        with open(self.log, "ab", buffering=0) as out:
            for line in self.proc.stdout:
                now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%f")
                out.write(f"{now}000Z stdout F ".encode() + line.rstrip(b"\n") + b"\n")
                if b"Ray runtime started" in line:
                    self.started = True

    def wait_ready(self):
        self.started = False
        while self.proc.poll() is None:
            up = self.started
            if up and self.head:
                try:
                    url = f"http://127.0.0.1:{self.ports[8265]}/api/version"
                    urllib.request.urlopen(url, timeout=2).close()
                except OSError:
                    up = False
            if up:
                if self.head:
                    self.heads[self.key] = self.ports[6379]
                self.api.annotate(self.ns, self.name, hold=None)
                return
            time.sleep(0.3)

    def stop(self):
        with self.lock:
            self.gone = True
        for server in self.servers:
            server.shutdown(socket.SHUT_RDWR)
            server.close()
        if self.proc and self.proc.poll() is None:
            os.killpg(self.proc.pid, signal.SIGTERM)
            try:
                self.proc.wait(8)
            except subprocess.TimeoutExpired:
                os.killpg(self.proc.pid, signal.SIGKILL)
        sweep(self.mark)
        for plural, _, _ in self.crs() if hasattr(self, "ports") else ():
            self.api.call(f"/apis/kwok.x-k8s.io/v1alpha1/namespaces/{self.ns}/{plural}/{self.name}",
                          "DELETE")


def main():
    ap = argparse.ArgumentParser()
    ap.add_argument("dir")
    ap.add_argument("--ray", default=shutil.which("ray"))
    a = ap.parse_args()
    os.chdir(a.dir)  # bed.sh knows its own by this
    a.dir = os.getcwd()
    for mark in glob.glob("pid/pod-*"):
        sweep(mark)
    with open("pid/podrun", "w") as f:
        f.write(str(os.getpid()))
    with open("kubeconfig") as f:
        url = f.read().split('server: "')[1].split('"')[0]
    api, pods, heads = Api(a.dir, url), {}, {}
    path = "/api/v1/pods?labelSelector=ray.io%2Fcluster"

    def see(kind, obj):
        uid, m = obj["metadata"]["uid"], obj["metadata"]
        gone = kind == "DELETED" or "deletionTimestamp" in m
        if gone and uid in pods and not pods[uid].gone:
            threading.Thread(target=pods[uid].stop).start()
        real = m.get("annotations", {}).get("testbed/real")
        if not gone and uid not in pods and real and obj["spec"].get("nodeName"):
            pods[uid] = Pod(api, obj, a.dir, a.ray, heads)
            threading.Thread(target=pods[uid].run, daemon=True).start()
        if not gone and uid in pods and obj["status"].get("podIP"):
            pods[uid].has_address(obj["status"]["podIP"])

    def end(*_):
        raise SystemExit

    for s in signal.SIGTERM, signal.SIGHUP:
        signal.signal(s, end)
    for p in api.call(path).get("items", []):  # made ready by an earlier podrun: their processes are gone
        notes = p["metadata"].get("annotations", {})
        if "testbed/real" in notes and "testbed/hold" not in notes and p["status"].get("phase") == "Running":
            api.annotate(p["metadata"]["namespace"], p["metadata"]["name"], fail="PodrunRestarted")
            pods[p["metadata"]["uid"]] = Pod(api, p, a.dir, a.ray, heads)
    try:
        while True:
            listing = api.call(path)
            for p in listing.get("items", []):
                see("ADDED", p)
            rv = listing.get("metadata", {}).get("resourceVersion", "")
            try:
                with api.open(f"{path}&watch=1&resourceVersion={rv}") as stream:
                    for line in stream:
                        event = json.loads(line)
                        if event["type"] not in ("ERROR", "BOOKMARK"):
                            see(event["type"], event["object"])
            except OSError:
                time.sleep(1)
    finally:
        ends = [threading.Thread(target=p.stop) for p in pods.values() if not p.gone]
        for t in ends:
            t.start()
        for t in ends:
            t.join()


main()
