#!/usr/bin/env python3
"""A test server that speaks the part of the YellowDog Platform API that a Ray cluster manager
needs: compute requirement templates, provisioned worker pools, nodes, instances, work
requirements, task groups, tasks, event streams. Standard library only. See README.md.

Three ways to run the tasks (--exec):
  sim    nothing runs; a task goes to EXECUTING and stays there until it is aborted or times out
  local  the task's script runs with bash on this machine, in its own pid and mount namespace
         when run as root (so that a `ray stop` in it ends only its own processes)
  hook   a program of yours makes and ends the nodes and runs the scripts on them (--hook FILE)
"""
import argparse
import gzip
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

from ydworld import (add_instances, add_tasks, add_work, Api, ARGS, Bad, BadComputeState, BadPoolState,
                     BadWorkState, by_name, CALLS, cancel_task, CAPACITY, CHANGED, check_name, clean, clock, Denied,
                     end_instance, end_node, FAULTS, FINAL, get, GROUPS, iso, kill_task, LOCK, M, Missing, NODES,
                     now, pool_summary, pool_view, POOLS, PROCS, provision, put_groups, REQS, set_status, TASKS,
                     template, TEMPLATES, terminate_req, touch, transition_work, WORK, work_view, WORKER_NODE, ydid)

# ---- HTTP
ROUTES = []


def route(method, pattern):
    rx = re.compile("^" + re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", pattern) + "$")

    def deco(f):
        ROUTES.append((method, rx, f))
        return f
    return deco


def flag(q, k):
    return (q.get(k, ["false"])[-1]).lower() == "true"


def sliced(items, q, view=clean):
    """pagination: size 1..1000 (default --slice), sliceId is opaque"""
    size = int(q.get("size", [ARGS.slice])[-1])
    if not 1 <= size <= 1000:
        raise Bad("size must be between 1 and 1000")
    sid = q.get("sliceId", [None])[-1]
    at = 0
    if sid:
        if not re.fullmatch(r"s\d+", sid):
            raise Bad(f"Unknown slice '{sid}'")
        at = int(sid[1:])
    out = {"items": [view(x) for x in items[at:at + size]]}
    if at + size < len(items):
        out["nextSliceId"] = f"s{at + size}"
    return out


def find(items, q, fields):
    for k in fields:
        if k in q:
            key = {"statuses": "status", "namespaces": "namespace", "providers": "provider",
                   "taskGroupId": "taskGroupId"}.get(k, k)
            items = [o for o in items if str(o.get(key)) in q[k]]
    key = q.get("sortField", ["createdTime"])[-1]
    items = sorted(items, key=lambda o: str(o.get(key) or ""))
    return items[::-1] if q.get("sortDirection", [""])[-1] == "DESCENDING" else items


@route("GET", "/compute/templates/requirements")
def _(q, b):
    xs = [{k: t.get(k) for k in ("id", "name", "namespace", "description", "strategyType", "type")}
          for t in find(list(TEMPLATES.values()), q, ("name", "namespaces"))]
    return sliced(xs, q) if flag(q, "sliced") else clean(xs)


@route("POST", "/compute/templates/requirements")
def _(q, b):
    check_name(b.get("name"), "template")
    t = dict(b, id=ydid("crt"), createdTime=iso(now()))
    TEMPLATES[t["id"]] = t
    return clean(t)


@route("GET", "/compute/templates/requirements/{id}")
def _(q, b, id):
    return clean(template(id))


@route("DELETE", "/compute/templates/requirements/{id}")
def _(q, b, id):
    TEMPLATES.pop(template(id)["id"])


@route("GET", "/compute/namespaces/{ns}/templates/requirements/{name}")
def _(q, b, ns, name):
    return clean(template(f"{ns}/{name}"))


@route("PUT", "/compute/templates/test")
def _(q, b):
    t = template(b.get("templateId"))
    return {"type": t["type"] + "TestResult", "computeRequirement": {
        "namespace": b.get("requirementNamespace") or "default", "name": b["requirementName"],
        "targetInstanceCount": b.get("targetInstanceCount", 0), "provisionStrategy": {
            "type": M + "SingleSourceProvisionStrategy", "sources": []}}}


@route("GET", "/compute/templates/sources")
def _(q, b):
    return sliced([], q) if flag(q, "sliced") else []


@route("POST", "/compute/templates/provision")
def _(q, b):
    return clean(provision(b))


@route("GET", "/compute/requirements")
def _(q, b):
    rs = find(list(REQS.values()), q, ("name", "namespace", "namespaces", "tag", "statuses"))
    if flag(q, "summaries"):
        return sliced(rs, q, lambda r: clean({k: r.get(k) for k in (
            "id", "namespace", "name", "tag", "targetInstanceCount", "expectedInstanceCount", "createdTime",
            "statusChangedTime", "status")} | {"healthy": True, "aliveInstanceCount": r["expectedInstanceCount"]}))
    return sliced(rs, q)


@route("GET", "/compute/requirements/{id}")
def _(q, b, id):
    return clean(get(REQS, id, "ComputeRequirement"))


@route("GET", "/compute/namespaces/{ns}/requirements/{name}")
def _(q, b, ns, name):
    return clean(by_name(REQS, ns, name, "ComputeRequirement"))


@route("GET", "/compute/requirements/{id}/updating")
def _(q, b, id):
    return get(REQS, id, "ComputeRequirement")["status"] in ("PROVISIONING", "TERMINATING")


@route("PUT", "/compute/requirements/{id}/transition/{to}")
def _(q, b, id, to):
    r = get(REQS, id, "ComputeRequirement")
    if to == "TERMINATED":
        terminate_req(r)
    elif r["status"] in ("TERMINATING", "TERMINATED"):
        raise BadComputeState(f"Compute requirement {id} is {r['status']} and cannot go to {to}")
    elif to == "PROVISIONING":
        set_status(r, to)
    else:
        raise Bad(f"this test server does not do the transition to {to}")
    return clean(r)


@route("PUT", "/compute/requirements/{id}/autoShutdown")
def _(q, b, id):
    r = get(REQS, id, "ComputeRequirement")
    r["autoShutdown"] = b
    touch(r)
    return clean(r)


@route("PUT", "/compute/requirements/{id}/instances/transition/{to}")
def _(q, b, id, to):
    r = get(REQS, id, "ComputeRequirement")
    for i in r["_instances"]:
        if any(x["instanceId"] == i["id"]["instanceId"] for x in b):
            if to == "TERMINATED":
                end_instance(i, r)
    touch(r)


@route("PUT", "/compute/requirements/{id}/instances/deprovision")
def _(q, b, id):
    r = get(REQS, id, "ComputeRequirement")
    for i in r["_instances"]:
        if any(x["instanceId"] == i["id"]["instanceId"] for x in b):
            end_instance(i, r)
            r["targetInstanceCount"] -= 1
    touch(r)


@route("GET", "/compute/instances")
def _(q, b):
    xs = [i for r in REQS.values() for i in r["_instances"]
          if "computeRequirementId" not in q or r["id"] in q["computeRequirementId"]]
    return sliced(find(xs, q, ("statuses", "providers", "publicIpAddress", "privateIpAddress", "hostname")), q)


# worker pools
@route("GET", "/workerPools")
def _(q, b):
    ps = find(list(POOLS.values()), q, ("name", "namespace", "namespaces", "statuses", "type"))
    return sliced(ps, q, lambda p: clean(pool_summary(p))) if flag(q, "sliced") else [clean(pool_summary(p)) for p in ps]


@route("POST", "/workerPools/provisioned/template")
def _(q, b):
    u = b.get("requirementTemplateUsage") or {}
    props = b.get("provisionedProperties") or {}
    lo, hi, n = props.get("minNodes") or 0, props.get("maxNodes"), u.get("targetInstanceCount") or 0
    if hi is not None and n > hi:
        raise Bad(f"targetInstanceCount {n} is greater than maxNodes {hi}")
    if n < lo:
        raise Bad(f"targetInstanceCount {n} is less than minNodes {lo}")
    r = provision(u)
    p = {"type": M + "ProvisionedWorkerPool", "id": ydid("wrkrpool"), "name": r["name"], "namespace": r["namespace"],
         "createdTime": iso(now()), "properties": props, "computeRequirementId": r["id"], "expectedNodeCount": n,
         "awaitingNodes": True}
    POOLS[p["id"]] = p
    set_status(p, "PENDING")
    return pool_view(p)


@route("PUT", "/workerPools/provisioned/{id}")
def _(q, b, id):
    p = get(POOLS, id, "WorkerPool")
    if p["status"] in ("SHUTDOWN", "TERMINATED"):
        raise BadPoolState(f"Worker pool {id} is {p['status']}")
    n = int(q.get("size", ["-1"])[-1])
    props = p["properties"] or {}
    hi, lo = props.get("maxNodes"), props.get("minNodes") or 0
    if n < 0 or n < lo or (hi is not None and n > hi):
        raise Bad(f"Invalid worker pool size {n}", f"minNodes {lo}, maxNodes {hi}")
    r = REQS[p["computeRequirementId"]]
    r["targetInstanceCount"] = n
    live = [i for i in r["_instances"] if i["status"] in ("PENDING", "RUNNING")]
    if n > len(live):
        set_status(r, "PROVISIONING")
        add_instances(r, n - len(live))
    elif n < len(live):
        used = {x["details"]["instanceId"] for x in NODES.values() if any(k.get("taskGroupId") for k in x["workers"])}
        live.sort(key=lambda i: i["id"]["instanceId"] in used)          # idle nodes go first
        for i in live[: len(live) - n]:
            node = next((x for x in NODES.values() if x["details"]["instanceId"] == i["id"]["instanceId"]), None)
            if node and i["id"]["instanceId"] in used:
                node["_draining"] = True
            else:
                end_instance(i, r)
    touch(p)
    return pool_view(p)


@route("GET", "/workerPools/nodes")
def _(q, b):
    ns = find(list(NODES.values()), q, ("workerPoolId", "statuses"))
    if "workerTag" in q:
        ns = [n for n in ns if n["details"].get("workerTag") in q["workerTag"]]
    return sliced(ns, q)


@route("GET", "/workerPools/nodes/{id}")
def _(q, b, id):
    return clean(get(NODES, id, "Node"))


@route("DELETE", "/workerPools/nodes/{id}")
def _(q, b, id):
    n = get(NODES, id, "Node")
    n["_draining"] = True                 # ends when its task has ended
    touch(n)
    return clean(n)


@route("GET", "/workerPools/nodes/{id}/actions")
def _(q, b, id):
    get(NODES, id, "Node")
    return {"status": "EMPTY"}


@route("GET", "/workerPools/workers/{id}/node")
def _(q, b, id):
    return clean(NODES[get(WORKER_NODE, id, "Worker")])


@route("GET", "/workerPools/{id}")
def _(q, b, id):
    return pool_view(get(POOLS, id, "WorkerPool"))


@route("DELETE", "/workerPools/{id}")
def _(q, b, id):
    p = get(POOLS, id, "WorkerPool")
    if p["status"] != "TERMINATED":
        set_status(p, "SHUTDOWN")


@route("GET", "/workerPools/{ns}/{name}")
def _(q, b, ns, name):
    return pool_view(by_name(POOLS, ns, name, "WorkerPool"))


# work
@route("GET", "/work/requirements")
def _(q, b):
    ws = find(list(WORK.values()), q, ("name", "namespace", "namespaces", "tag", "statuses"))

    def summary(w):
        ts = [t for t in TASKS.values() if GROUPS[t["taskGroupId"]][0] == w["id"]]
        return clean({k: w.get(k) for k in ("id", "namespace", "name", "tag", "createdTime", "statusChangedTime",
                                            "priority", "status")} | {
            "totalTaskCount": len(ts), "completedTaskCount": sum(t["status"] == "COMPLETED" for t in ts),
            "healthy": not any(t["status"] == "FAILED" for t in ts)})
    return sliced(ws, q, summary) if flag(q, "sliced") else [summary(w) for w in ws]


@route("POST", "/work/requirements")
def _(q, b):
    return work_view(add_work(b))


@route("PUT", "/work/requirements")
def _(q, b):
    w = get(WORK, b.get("id"), "WorkRequirement")
    if w["status"] in FINAL + ("CANCELLING",):
        raise BadWorkState(f"Work requirement {w['id']} is {w['status']} and cannot be changed")
    put_groups(w, b.get("taskGroups"))
    w["priority"], w["tag"] = b.get("priority") or 0, b.get("tag")
    touch(w)
    return work_view(w)


@route("GET", "/work/requirements/{id}")
def _(q, b, id):
    return work_view(get(WORK, id, "WorkRequirement"))


@route("GET", "/work/namespaces/{ns}/requirements/{name}")
def _(q, b, ns, name):
    return work_view(by_name(WORK, ns, name, "WorkRequirement"))


@route("PUT", "/work/requirements/{id}/transition/{to}")
def _(q, b, id, to):
    w = get(WORK, id, "WorkRequirement")
    transition_work(w, to, flag(q, "abort"))
    return work_view(w)


@route("POST", "/work/taskGroups/{id}/tasks")
def _(q, b, id):
    return clean(add_tasks(id, b))


@route("POST", "/work/namespaces/{ns}/requirements/{name}/taskGroups/{group}/tasks")
def _(q, b, ns, name, group):
    w = by_name(WORK, ns, name, "WorkRequirement")
    for g in w["taskGroups"]:
        if g["name"] == group:
            return clean(add_tasks(g["id"], b))
    raise Missing(f"TaskGroup not found: {group}")


@route("GET", "/work/tasks")
def _(q, b):
    ts = list(TASKS.values())
    if "workRequirementId" in q:
        ts = [t for t in ts if GROUPS[t["taskGroupId"]][0] in q["workRequirementId"]]
    return sliced(find(ts, q, ("taskGroupId", "name", "tag", "statuses")), q)


@route("GET", "/work/tasks/{id}")
def _(q, b, id):
    return clean(get(TASKS, id, "Task"))


@route("PUT", "/work/tasks/{id}/cancel")
def _(q, b, id):
    t = get(TASKS, id, "Task")
    cancel_task(t, flag(q, "abort"))
    return clean(t)


@route("GET", "/application")
def _(q, b):
    return {"accountId": "ydid:acct:000000:00000000-0000-0000-0000-000000000001", "accountName": "test",
            "id": ydid("app"), "name": "raytui-test", "allNamespacesReadable": True, "features": []}


@route("GET", "/namespaces")
def _(q, b):
    names = sorted({o["namespace"] for t in (POOLS, WORK, REQS) for o in t.values()})
    return sliced([{"id": n, "namespace": n, "deletable": False} for n in names], q)


@route("GET", "/allowances")
@route("GET", "/images/families")
@route("GET", "/namespaces/policies")
def _(q, b):
    return sliced([], q)


# the test's own levers; no credentials asked
@route("GET", "/_test/state")
def _(q, b):
    return clean({"templates": list(TEMPLATES.values()), "requirements": list(REQS.values()),
                  "instances": [i for r in REQS.values() for i in r["_instances"]],
                  "pools": [pool_view(p) for p in POOLS.values()], "nodes": list(NODES.values()),
                  "work": [work_view(w) for w in WORK.values()], "tasks": list(TASKS.values())})


@route("GET", "/_test/calls")
def _(q, b):
    return list(CALLS)


@route("POST", "/_test/fault")
def _(q, b):
    FAULTS.append(dict(b, count=b.get("count", 1)))


@route("DELETE", "/_test/fault")
def _(q, b):
    FAULTS.clear()


@route("POST", "/_test/capacity")
def _(q, b):
    CAPACITY["max"] = b.get("max")


@route("POST", "/_test/lose-node/{id}")
def _(q, b, id):
    n = get(NODES, id, "Node")
    end_node(n, "LOST", lost=True)


def take_fault(call):
    for f in FAULTS:
        if re.search(f.get("path", ""), call):
            if f.get("skip", 0) > 0:
                f["skip"] -= 1
                return {}
            f["count"] -= 1
            if f["count"] <= 0:
                FAULTS.remove(f)
            return f
    return {}


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server_version = "yd-test/1"
    sys_version = ""

    def log_message(self, fmt, *a):
        if ARGS.verbose:
            sys.stderr.write(fmt % a + "\n")

    def reply(self, status, body=None, headers=()):
        data = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        if body is not None:
            self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        for k, v in headers:
            self.send_header(k, v)
        self.end_headers()
        self.wfile.write(data)

    def fail(self, f):
        """True: the caller got what the fault says"""
        time.sleep(f.get("delay", 0))
        if f.get("drop"):
            self.close_connection = True
            self.connection.close()
        elif f.get("status"):
            self.reply(f["status"], f.get("body") or {
                "errorType": f.get("errorType", "InternalServerException"),
                "message": f.get("message", "made to fail by the test"), "detail": []},
                [("Retry-After", str(f["retryAfter"]))] if "retryAfter" in f else [])
        return bool(f.get("drop") or f.get("status"))

    def auth(self):
        a = self.headers.get("Authorization") or ""
        m = re.fullmatch(r"yd-key ([^:]+):(.+)", a)
        if not m or (m.group(1), m.group(2)) != (ARGS.key, ARGS.secret):
            raise Denied("Invalid API key")

    def stream(self, view):
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Cache-Control", "no-cache")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()

        def put(s):
            d = s.encode()
            self.wfile.write(b"%x\r\n%s\r\n" % (len(d), d))
            self.wfile.flush()
        last, beat = None, time.time()
        try:
            while True:
                with CHANGED:
                    s = json.dumps(view())
                    key = re.sub(r'"lastUpdatedTime": "[^"]*"', "", s)
                    if key == last:
                        CHANGED.wait(1.0)
                        s = None
                    else:
                        last = key
                if s is not None:
                    put(f"data:{s}\n\n")
                elif time.time() - beat > ARGS.beat:
                    put(":keep-alive\n\n")
                    beat = time.time()
        except OSError:
            self.close_connection = True

    def handle_any(self):
        u = urlsplit(self.path)
        path, q = unquote(u.path).rstrip("/") or "/", parse_qs(u.query, keep_blank_values=True)
        raw = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        try:
            fault, lost = {}, False
            if not path.startswith("/_test/"):
                fault = take_fault(f"{self.command} {path}")
                lost = fault.get("after", False)
                if fault and not lost and self.fail(fault):
                    return
                self.auth()
            if (self.headers.get("Content-Encoding") or "") == "gzip":
                raw = gzip.decompress(raw)
            try:
                body = json.loads(raw) if raw else None
            except ValueError:
                raise Bad("The request body is not JSON")
            if not path.startswith("/_test/"):
                CALLS.append({"method": self.command, "path": path, "query": q, "body": body,
                              "gzip": self.headers.get("Content-Encoding") == "gzip",
                              "userAgent": self.headers.get("User-Agent")})
            m = re.fullmatch(r"/(workerPools|work/requirements|compute/requirements)/([^/]+)/updates", path)
            if m and self.command == "GET":
                table, view = {"workerPools": (POOLS, pool_view), "work/requirements": (WORK, work_view),
                               "compute/requirements": (REQS, clean)}[m.group(1)]
                o = get(table, m.group(2), "Object")
                return self.stream(lambda: view(o))
            for method, rx, run in ROUTES:
                mm = rx.match(path)
                if mm and method == self.command:
                    with LOCK:
                        out = run(q, body, **mm.groupdict())
                    if lost and self.fail(fault):
                        return
                    return self.reply(200 if out is not None else 204, out)
            if any(rx.match(path) for _, rx, _ in ROUTES):
                return self.reply(405, {"errorType": "InvalidRequestException", "message": "Method not allowed",
                                        "detail": []})
            raise Missing(f"No such resource: {path}")
        except Api as e:
            self.reply(e.status, e.body)
        except (KeyError, TypeError, ValueError, AttributeError) as e:
            self.reply(400, {"errorType": "InvalidRequestException", "message": f"{type(e).__name__}: {e}",
                             "detail": []})

    do_GET = do_POST = do_PUT = do_DELETE = handle_any


def seed_templates():
    def t(ns, name, **kw):
        x = {"type": M + "ComputeRequirementStaticTemplate", "id": ydid("crt"), "namespace": ns, "name": name,
             "description": kw.pop("description", None), "strategyType": M + "SingleSourceProvisionStrategy",
             "sources": [], "createdTime": iso(now()), **kw}
        TEMPLATES[x["id"]] = x
    t("test", "ray-head", description="one on-demand node with a public address", _instanceType="m5.large",
      _vcpus=2, _ram=8, _public=True)
    t("test", "ray-worker", description="on-demand workers, private addresses only", _instanceType="c5.xlarge",
      _vcpus=4, _ram=8, _public=False)
    t("test", "ray-worker-gpu", description="spot GPU workers", _instanceType="g4dn.xlarge", _vcpus=4, _ram=16,
      _public=False, _spot=True)
    t("test", "no-bash", description="nodes that do not advertise the bash task type", _instanceType="c5.large",
      _vcpus=2, _ram=4, _taskTypes=["docker"])


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--port", type=int, default=0, help="0: any free port; it is printed")
    p.add_argument("--key", default="test-key-id")
    p.add_argument("--secret", default="test-key-secret")
    p.add_argument("--exec", choices=["sim", "local", "hook"], default="sim")
    p.add_argument("--hook", help="program for --exec hook: up|down|run|abort NODE ...")
    p.add_argument("--state", default=None, help="directory for the nodes' files (default: a new one)")
    p.add_argument("--boot", type=float, default=0.3, help="seconds until an instance runs (sim, local)")
    p.add_argument("--register", type=float, default=0.3, help="seconds until its node registers")
    p.add_argument("--start", type=float, default=0.2, help="seconds from ALLOCATED to EXECUTING")
    p.add_argument("--abort", type=float, default=0.3, help="seconds an abort takes (sim)")
    p.add_argument("--grace", type=float, default=60, help="seconds from SIGTERM to SIGKILL (local, hook)")
    p.add_argument("--timescale", type=float, default=1.0, help="multiplies every idle and task timeout")
    p.add_argument("--slice", type=int, default=100, help="default slice size")
    p.add_argument("--beat", type=float, default=15, help="seconds between keep-alive comments of a stream")
    p.add_argument("--capacity", type=int, default=None, help="how many instances may live at a time")
    p.add_argument("--private-ip", help="the private address every node has (local)")
    p.add_argument("--public-ip", help="the public address every node has (local)")
    p.add_argument("-v", "--verbose", action="store_true")
    p.parse_args(namespace=ARGS)
    if ARGS.exec == "local":
        ARGS.private_ip = ARGS.private_ip or "127.0.0.1"
        ARGS.public_ip = ARGS.public_ip or "127.0.0.1"
    if ARGS.exec == "hook" and not ARGS.hook:
        p.error("--exec hook needs --hook")
    CAPACITY["max"] = ARGS.capacity
    made = ARGS.state is None
    if made:
        ARGS.state = tempfile.mkdtemp(prefix="yd-test-")
    os.makedirs(ARGS.state, exist_ok=True)
    seed_templates()
    threading.Thread(target=clock, daemon=True).start()
    s = ThreadingHTTPServer(("127.0.0.1", ARGS.port), Handler)
    s.daemon_threads = True
    print(f"http://127.0.0.1:{s.server_address[1]}", flush=True)

    def stop(*_):
        with LOCK:
            for t in TASKS.values():
                kill_task(t)
            ps = list(PROCS.values())
        for q in ps:
            try:
                q.wait(ARGS.grace)
            except subprocess.TimeoutExpired:
                pass
        if ARGS.exec == "hook":
            for r in REQS.values():
                for i in r["_instances"]:
                    if i["status"] in ("PENDING", "RUNNING"):
                        subprocess.run([ARGS.hook, "down", i["_key"], str(i["_slot"])])
        if made:
            shutil.rmtree(ARGS.state, ignore_errors=True)
        os._exit(0)
    signal.signal(signal.SIGTERM, lambda *a: threading.Thread(target=stop).start())
    try:
        s.serve_forever()
    except KeyboardInterrupt:
        stop()


if __name__ == "__main__":
    main()
