#!/usr/bin/env python3
"""A stand-in for kubectl and the API server behind it, for screens: one namespace `ml` with a RayCluster `train`, its pods, RayJobs
and a RayService, always the same. Its head's dashboard is the one that listens on the port in SIM_DASHBOARD.

  kubectl proxy --unix-socket=PATH   lists, watches that stay silent, the service proxy, patches and deletions (taken, without effect)
  kubectl logs|describe|get|config   what it says of a pod
"""
import http.server
import json
import os
import socketserver
import sys
import threading
import time
import urllib.error
import urllib.request

MADE = "2026-11-21T08:30:00Z"


def meta(name, made=MADE, **more):
    return {"name": name, "namespace": "ml", "uid": "uid-" + name, "creationTimestamp": made, "generation": 1, **more}


def group(name, replicas, most):
    container = {"name": "ray-worker", "image": "ray", "resources": {"limits": {"cpu": "4", "memory": "16Gi"}}}
    return {"groupName": name, "replicas": replicas, "minReplicas": 0, "maxReplicas": most, "template": {"spec": {"containers": [container]}}}


CLUSTER = {
    "metadata": meta("train"),
    "spec": {"rayVersion": "2.60.0", "headGroupSpec": {}, "workerGroupSpecs": [group("cpu", 3, 8), group("gpu", 2, 4)]},
    "status": {"observedGeneration": 1, "head": {"serviceName": "train-head-svc"},
               "conditions": [{"type": "HeadPodReady", "status": "True", "reason": "HeadPodRunningAndReady"}]},
}


def status(name, ready=True, restarts=0, waiting=None, ended=None, before=None):
    state = {"waiting": waiting} if waiting else {"terminated": ended} if ended else {"running": {"startedAt": MADE}}
    return {"name": name, "ready": ready, "restartCount": restarts, "state": state,
            "lastState": {"terminated": before} if before else {}}


def pod(name, where, pool, containers, phase="Running", made=MADE, node="node-a", conditions=None, init=()):
    ready = phase == "Running" and all(c["ready"] for c in containers)
    kind = "head" if pool == "headgroup" else "worker"
    return {
        "metadata": meta(name, made, labels={"ray.io/cluster": "train", "ray.io/node-type": kind, "ray.io/group": pool}),
        "spec": {"nodeName": node, "containers": [{"name": c["name"]} for c in containers] or [{"name": "ray-worker"}], "initContainers": [{"name": c["name"]} for c in init]},
        "status": {"phase": phase, "podIP": where, "containerStatuses": list(containers), "initContainerStatuses": list(init),
                   "conditions": conditions or [{"type": "PodScheduled", "status": "True"}, {"type": "Ready", "status": str(ready)}]},
    }


DONE = {"name": "wait-gcs-ready", "ready": True, "restartCount": 0, "state": {"terminated": {"reason": "Completed", "exitCode": 0}}}
KILLED = {"reason": "OOMKilled", "exitCode": 137}
PODS = [
    pod("train-head-x7k2p", "10.1.0.4", "headgroup", [status("ray-head"), status("autoscaler", restarts=1, before=KILLED)]),
    pod("train-cpu-worker-2bq9d", "10.1.0.5", "cpu", [status("ray-worker")], node="node-b", init=[DONE]),
    pod("train-cpu-worker-fm4zw", "10.1.0.6", "cpu", [status("ray-worker", restarts=3, before=KILLED)], node="node-b", init=[DONE]),
    pod("train-cpu-worker-t8hxs", "10.1.0.7", "cpu",
        [status("ray-worker", False, waiting={"reason": "ImagePullBackOff", "message": 'Back-off pulling image "ray:2.60.0-typo"'})],
        phase="Pending", made="2026-11-21T09:58:30Z"),
    pod("train-gpu-worker-9kd5c", "10.1.0.8", "gpu", [status("ray-worker")], node="node-gpu-1", init=[DONE]),
    pod("train-gpu-worker-vvn2j", None, "gpu", [], phase="Pending", made="2026-11-21T09:59:15Z", node=None,
        conditions=[{"type": "PodScheduled", "status": "False", "reason": "Unschedulable",
                     "message": "0/3 nodes are available: 3 Insufficient nvidia.com/gpu."}]),
]


def rayjob(name, deployment, job, cluster, made, begin=None, end=None, suspend=False, **more):
    said = {"jobDeploymentStatus": deployment, "jobStatus": job, "rayClusterName": cluster, "jobId": name + "-k4x2f" if job else "",
            "startTime": begin, "endTime": end, **more}
    return {"metadata": meta(name, made), "spec": {"entrypoint": "python %s.py" % name, "shutdownAfterJobFinishes": True, "suspend": suspend},
            "status": {k: v for k, v in said.items() if v is not None}}


RAYJOBS = [
    rayjob("nightly-eval", "Running", "RUNNING", "nightly-eval-z5kqd", "2026-11-21T09:12:00Z", "2026-11-21T09:12:04Z"),
    rayjob("finetune", "Complete", "SUCCEEDED", "finetune-7hw2m", "2026-11-21T02:00:00Z", "2026-11-21T02:00:05Z", "2026-11-21T05:31:00Z"),
    rayjob("ingest", "Failed", "FAILED", "ingest-p8c4t", "2026-11-21T08:01:00Z", "2026-11-21T08:01:06Z", "2026-11-21T08:03:20Z",
           reason="AppFailed", message="Job entrypoint command failed with exit code 1"),
    rayjob("sweep", "Suspended", "", "", "2026-11-20T22:00:00Z", suspend=True),
]
RAYSERVICES = [{
    "metadata": meta("llm", "2026-11-19T10:00:00Z"), "spec": {},
    "status": {"serviceStatus": "Running", "numServeEndpoints": 4,
               "activeServiceStatus": {"rayClusterName": "llm-d6jrk", "applicationStatuses": {"chat": {"status": "RUNNING"}, "embed": {"status": "RUNNING"}}},
               "pendingServiceStatus": {"rayClusterName": "llm-x2v8n"},
               "conditions": [{"type": "Ready", "status": "True"}, {"type": "UpgradeInProgress", "status": "True"}]},
}, {
    "metadata": meta("vision", "2026-11-21T09:50:00Z"), "spec": {},
    "status": {"pendingServiceStatus": {"rayClusterName": "vision-q9bzf", "applicationStatuses": {
        "detect": {"status": "DEPLOY_FAILED", "message": "ModuleNotFoundError: No module named 'torchvision'"}}},
        "conditions": [{"type": "Ready", "status": "False", "reason": "Initializing", "message": "RayService is initializing"}]},
}]
LISTS = {"rayclusters": [CLUSTER], "pods": PODS, "rayjobs": RAYJOBS, "rayservices": RAYSERVICES}


class Api(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *words):
        pass

    def address_string(self):
        return "unix"

    def answer(self, code, body):
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def relay(self, path):
        try:
            with urllib.request.urlopen("http://127.0.0.1:%s%s" % (os.environ["SIM_DASHBOARD"], path), timeout=10) as a:
                self.answer(a.status, a.read())
        except urllib.error.HTTPError as e:
            self.answer(e.code, e.read())

    def do_GET(self):
        path, _, query = self.path.partition("?")
        if "/proxy/" in path:
            self.relay("/" + self.path.split("/proxy/", 1)[1])
            return
        kind = path.rsplit("/", 1)[1]
        if kind not in LISTS:
            self.answer(404, b'{"kind": "Status", "message": "not found"}')
        elif "watch=1" in query:
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.flush()
            threading.Event().wait(3600)
        else:
            items = LISTS[kind]
            if "fieldSelector=metadata.name%3D" in query:  # whichever cluster is asked for: it is like this one
                name = query.split("fieldSelector=metadata.name%3D")[1].split("&")[0]
                items = [{**o, "metadata": {**o["metadata"], "name": name, "uid": "uid-" + name},
                          "spec": {**o["spec"], "enableInTreeAutoscaling": name == "auto"}} for o in items]
            self.answer(200, json.dumps({"items": items, "metadata": {"resourceVersion": "1"}}).encode())

    def do_PATCH(self):
        self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.answer(200, b"{}")

    do_DELETE = do_PATCH


class Server(socketserver.ThreadingMixIn, socketserver.UnixStreamServer):
    daemon_threads = True


def proxy(path):
    parent = os.getppid()
    server = Server(path, Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print("Starting to serve on " + path, flush=True)
    while os.getppid() == parent:
        time.sleep(0.5)


def main():
    words = [w for w in sys.argv[1:]]
    sockets = [w.split("=", 1)[1] for w in words if w.startswith("--unix-socket=")]
    if "proxy" in words:
        proxy(sockets[0])
    elif "logs" in words:
        container = "".join(w.split("=", 1)[1] for w in words if w.startswith("--container="))
        for i in range(1, 6):
            print("%s line %d%s" % (container, i, " of before" if "--previous" in words else ""), flush=True)
        while "--follow" in words:
            time.sleep(1)
    elif "describe" in words:
        print("Name:         %s\nStatus:       Running\nEvents:\n  Normal  Scheduled  Successfully assigned" % words[-1].split("/")[-1])
    elif "get" in words:
        print("apiVersion: v1\nkind: Pod\nmetadata:\n  name: %s" % next(w for w in words if w.startswith("pod/"))[4:])


main()
