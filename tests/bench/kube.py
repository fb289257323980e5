"""RayClusters: raytui beside the kubectl-ray plugin, on a real API server with the KubeRay operator; pods pretended."""
import copy
import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from http.client import HTTPConnection
from statistics import median

import measure
from parts import TESTS, Skip, need, say
from terminal import Program, Replay, keys

SCRIPTS = os.path.join(TESTS, "testbed", "kube")
CLUSTERS, PODS = 100, 2000
BULK = "bulk"  # the namespace of the many


class Unix(HTTPConnection):
    """HTTP over a socket of this machine."""

    def __init__(self, path):
        super().__init__("localhost", timeout=60)
        self.path = path

    def connect(self):
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.connect(self.path)

    def call(self, method, path, body=None, kind="application/json"):
        self.request(method, path, json.dumps(body) if body is not None else None, {"Content-Type": kind})
        answer = self.getresponse()
        text = answer.read()
        if answer.status > 299:
            raise Skip("%s %s: %d %s" % (method, path, answer.status, text[:200]))
        return json.loads(text)


class Bed:
    """The control plane, with one RayCluster of four pods."""

    def __init__(self):
        self.dir, self.proxy = tempfile.mkdtemp(prefix="raytui-bench-kube-"), None
        cache = self.script("build.sh", "all").strip()
        said = dict(x.split("=", 1) for x in self.script("bed.sh", "up", self.dir).splitlines() if "=" in x)
        self.env = {"KUBECONFIG": said["KUBECONFIG"], "PATH": cache + "/bin:" + os.environ["PATH"]}
        self.proxy = subprocess.Popen(["kubectl", "proxy", "--unix-socket", self.dir + "/bench.sock"], env=dict(os.environ, **self.env),
                                      stdout=subprocess.PIPE)
        self.proxy.stdout.readline()
        with open(os.path.join(SCRIPTS, "raycluster.yaml")) as f:
            self.kubectl("apply", "-f", "-", given=f.read())
        end = time.time() + 90
        while time.time() < end and self.running() < 4:
            time.sleep(0.2)

    def script(self, name, *words):
        done = subprocess.run([os.path.join(SCRIPTS, name), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, universal_newlines=True)
        if done.returncode:
            raise Skip("%s: %s" % (name, done.stderr.strip()[-200:]))
        return done.stdout

    def kubectl(self, *words, given=""):
        return subprocess.run(["kubectl", *words], env=dict(os.environ, **self.env), input=given, stdout=subprocess.PIPE, check=True,
                              universal_newlines=True).stdout

    def running(self):
        return self.kubectl("get", "pods", "-o", "jsonpath={.items[*].status.phase}").split().count("Running")

    def api(self):
        return Unix(self.dir + "/bench.sock")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.proxy:
            self.proxy.kill()
            self.proxy.wait()
        self.script("bed.sh", "down", self.dir)
        shutil.rmtree(self.dir, ignore_errors=True)


def lists(t, r, o, bed, env):
    """Everything of a context, by a command; then what one look costs that a running screen takes."""
    mine, theirs = [], []
    for _ in range(o.runs):
        theirs.append(measure.command(["kubectl", "ray", "get", "cluster", "--all-namespaces"], bed.env))
        mine.append(measure.command([r.path, "discover", "kube://"], env))
    if any(x["status"] for x in mine + theirs) or "kube:///default/demo" not in mine[0]["out"] or "demo" not in theirs[0]["out"]:
        raise Skip("the RayCluster was not listed: %s" % (mine[0]["err"] or theirs[0]["err"]).strip()[-200:])
    a, b = (min(x["ms"] for x in got) for got in (mine, theirs))
    t.add("RayClusters of a context, by a command (least of %d)" % o.runs, "discover %.0f ms" % a, "kubectl ray get cluster %.0f ms" % b,
          "%.2f" % (a / b), "<= 1", a <= b)
    return b


def poll(t, screen, env, theirs):
    """What the screen reads is one request to its own child: the same, asked of that child."""
    p = Program(screen, 40, 140, env=env)
    try:
        end, sockets = time.time() + 30, []
        while time.time() < end and not sockets:
            time.sleep(0.2)
            runtime = env["XDG_RUNTIME_DIR"]
            sockets = [os.path.join(d, f) for d, _, files in os.walk(runtime) for f in files if f.startswith("kube-")]
        if not sockets:
            raise Skip("the screen has no proxy")
        time.sleep(2)
        api, got = Unix(sockets[0]), []
        for _ in range(30):
            begin = time.perf_counter()
            api.call("GET", "/apis/ray.io/v1/rayclusters?limit=200")
            got.append((time.perf_counter() - begin) * 1e3)
    finally:
        p.stop(keys("q"))
    t.add("one look of a running screen at them (median of 30)", "%.1f ms" % median(got), "kubectl ray get cluster %.0f ms" % theirs,
          "1/%.0f" % (theirs / median(got)), "<= 1/5", median(got) * 5 <= theirs)


def reaction(t, screen, bed, env):
    """From the moment at which a change is sent to the API server until the screen shows it."""
    bed.script("bed.sh", "stop", bed.dir, "operator")
    p, api, marks = Program(screen, 40, 140, env=env), bed.api(), []
    try:
        time.sleep(3)
        p.send(keys("2"))
        time.sleep(2)
        for i in range(15):
            n = 31 + i  # a number that stands nowhere else
            patch = [{"op": "replace", "path": "/spec/workerGroupSpecs/0/maxReplicas", "value": n}]
            marks.append((time.perf_counter(), "..%d" % n))
            api.call("PATCH", "/apis/ray.io/v1/namespaces/default/rayclusters/demo", patch, "application/json-patch+json")
            time.sleep(0.5 + 0.05 * i)
        chunks = list(p.chunks)
    finally:
        p.stop(keys("q"))
        bed.script("bed.sh", "start", bed.dir, "operator")
    replay, got, at = Replay(40, 140), [], 0
    for when, data in chunks:
        replay.feed(data)
        while at < len(marks) and marks[at][1] in replay.screen.text():
            got.append((when - marks[at][0]) * 1e3)
            at += 1
    if len(got) < len(marks):
        raise Skip("only %d of %d changes came to the screen\n%s" % (len(got), len(marks), replay.screen.text()))
    t.add("a changed RayCluster on the screen (median of %d)" % len(got), "%.0f ms (worst %.0f)" % (median(got), max(got)), "-", "-", "<= 200 ms",
          median(got) <= 200)


def fill(bed):
    """The many, as plain objects: nobody but the API server is at work then."""
    for part in ("operator", "scheduler", "kcm", "kwok"):
        bed.script("bed.sh", "stop", bed.dir, part)
    bed.kubectl("create", "namespace", BULK)
    api, base = bed.api(), "/api/v1/namespaces/%s/pods" % BULK
    api.call("POST", "/api/v1/namespaces/%s/serviceaccounts" % BULK, {"metadata": {"name": "default"}})
    cluster = api.call("GET", "/apis/ray.io/v1/namespaces/default/rayclusters/demo")
    like = {p["metadata"]["labels"]["ray.io/group"]: p for p in api.call("GET", "/api/v1/namespaces/default/pods?limit=50")["items"]}
    drop = ("uid", "resourceVersion", "creationTimestamp", "managedFields", "ownerReferences", "generateName", "finalizers", "generation")
    each = PODS // CLUSTERS

    def make(i):
        own, name = bed.api(), "many-%03d" % i
        one = copy.deepcopy(cluster)
        one["metadata"] = {"name": name, "namespace": BULK}
        one["spec"]["workerGroupSpecs"][0]["replicas"] = each - 2
        one["spec"]["workerGroupSpecs"][0]["maxReplicas"] = each
        made = own.call("POST", "/apis/ray.io/v1/namespaces/%s/rayclusters" % BULK, one)
        one["metadata"] = made["metadata"]
        one["status"]["observedGeneration"] = made["metadata"]["generation"]
        own.call("PUT", "/apis/ray.io/v1/namespaces/%s/rayclusters/%s/status" % (BULK, name), one)
        for k in range(each):
            group = "headgroup" if k == 0 else "gpu" if k == 1 else "small"
            pod = copy.deepcopy(like[group])
            pod["metadata"] = {a: b for a, b in pod["metadata"].items() if a not in drop}
            pod["metadata"].update(name="%s-%s-%02d" % (name, group, k), namespace=BULK)
            pod["metadata"]["labels"]["ray.io/cluster"] = name
            pod["status"]["podIP"] = "10.244.%d.%d" % (100 + i // 10, 10 + (i % 10) * each + k)
            pod["status"]["podIPs"] = [{"ip": pod["status"]["podIP"]}]
            own.call("POST", base, pod)
            own.call("PATCH", "%s/%s/status" % (base, pod["metadata"]["name"]), {"status": pod["status"]}, "application/merge-patch+json")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(make, range(CLUSTERS)))


def memory(t, r, bed, env):
    """All of them attached, on one screen."""
    fill(bed)
    rows = "".join("  many-%03d: {provider: kuberay, namespace: %s}\n" % (i, BULK) for i in range(CLUSTERS))
    f = r.config("clusters:\n" + rows)
    got = measure.idle([r.path, "--config", f], env, warmup=25, seconds=5, samples=1)
    if not got["alive"] or "many-" not in got["screen"]:
        raise Skip("the screen does not show the clusters\n%s" % got["screen"])
    say(got["screen"].strip())
    mib = got["own_kib"] / 1024
    t.add("resident memory, %d RayClusters with %s pods" % (CLUSTERS, format(PODS, ",")), "%.1f MiB" % mib,
          "its kubectl beside it %.0f MiB" % ((got["rss_kib"] - got["own_kib"]) / 1024), "-", "<= 32 MiB", mib <= 32)


def kube(t, r, o):
    need("kubectl")
    with Bed() as bed:
        f = r.config("default: demo\nclusters:\n  demo: {provider: kuberay, namespace: default}\n")
        env, screen = {**r.env, **bed.env}, [r.path, "--config", f, "demo"]
        theirs = lists(t, r, o, bed, env)
        poll(t, screen, env, theirs)
        reaction(t, screen, bed, env)
        memory(t, r, bed, env)
