"""What a test platform is made of and how it moves: templates, compute requirements with their instances, worker pools with
their nodes, work requirements with their task groups and tasks. clock() runs in a thread; everything is done under LOCK."""
import argparse
import datetime as dt
import os
import re
import signal
import subprocess
import threading
import time
import traceback
import uuid

M = "co.yellowdog.platform.model."
LOCK = threading.RLock()
CHANGED = threading.Condition(LOCK)
ARGS = argparse.Namespace()           # filled by the program


def now():
    return dt.datetime.now(dt.timezone.utc)


def iso(t):
    return t.isoformat(timespec="milliseconds").replace("+00:00", "Z") if t else None


def seconds(d):
    """ISO-8601 duration -> seconds (days to seconds; no months)"""
    if d is None:
        return None
    m = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+(?:\.\d+)?)S)?)?", d)
    if not m:
        raise Bad(f"not a duration: {d}")
    a = [float(x or 0) for x in m.groups()]
    return a[0] * 86400 + a[1] * 3600 + a[2] * 60 + a[3]


def ydid(kind):
    return f"ydid:{kind}:000000:{uuid.uuid4()}"


class Api(Exception):
    status, error = 400, "InvalidRequestException"

    def __init__(self, message, *detail):
        super().__init__(message)
        self.body = {"errorType": self.error, "message": message, "detail": list(detail)}


class Bad(Api):
    pass


class Denied(Api):
    status, error = 401, "NotAuthorisedException"


class Forbidden(Api):
    status, error = 403, "MissingPermissionException"


class Missing(Api):
    status, error = 404, "NotFoundException"


class Clash(Api):
    status, error = 409, "ConflictException"


class BadWorkState(Api):
    error = "InvalidWorkRequirementStatusException"


class BadComputeState(Api):
    error = "InvalidComputeRequirementStatusException"


class BadPoolState(Api):
    error = "InvalidWorkerPoolStatusException"


# ---- state
TEMPLATES, REQS, POOLS, NODES, WORK, TASKS = {}, {}, {}, {}, {}, {}
WORKER_NODE, GROUPS = {}, {}          # worker id -> node id; group id -> (work id, group)
PROCS = {}                            # task id -> Popen
NODE_UP = {}                          # node key -> Popen (hook "up")
NODE_DOWN = {}                        # slot -> Popen (hook "down"); the slot is free when it has ended
FAULTS, CALLS = [], []
VERSION = 0
CAPACITY = {"max": None}              # how many instances may live at a time (None: no limit)


def touch(*objs):
    """something changed: wake every event stream"""
    global VERSION
    VERSION += 1
    for o in objs:
        o["_v"] = VERSION
    CHANGED.notify_all()


def set_status(o, s):
    if o.get("status") == s:
        return False
    o["status"], o["statusChangedTime"] = s, iso(now())
    o["_since"] = time.time()
    touch(o)
    return True


def clean(o):
    if isinstance(o, dict):
        return {k: clean(v) for k, v in o.items() if not k.startswith("_") and v is not None}
    if isinstance(o, list):
        return [clean(v) for v in o]
    return o


def get(table, key, what):
    if key in table:
        return table[key]
    raise Missing(f"{what} not found: {key}")


def by_name(table, ns, name, what):
    hits = [o for o in table.values() if o.get("namespace") == ns and o.get("name") == name]
    if not hits:
        raise Missing(f"{what} not found: {ns}/{name}")
    return sorted(hits, key=lambda o: o["createdTime"])[-1]


def template(ref):
    """a template is named by its id or as namespace/name"""
    if ref in TEMPLATES:
        return TEMPLATES[ref]
    if ref and "/" in ref:
        ns, name = ref.split("/", 1)
        for t in TEMPLATES.values():
            if t.get("namespace") == ns and t["name"] == name:
                return t
    raise Missing(f"ComputeRequirementTemplate not found: {ref}")


NAME = re.compile(r"[a-z](?:[a-z0-9-_]{0,58}[a-z0-9])?")


def check_name(n, what):
    if not n or not NAME.fullmatch(n):
        raise Bad(f"Invalid {what} name '{n}'", "names are lower case letters, digits, '-' and '_', start with a "
                  "letter, and have at most 60 characters")


def pool_view(p):
    ns = [n for n in NODES.values() if n["workerPoolId"] == p["id"]]
    ws = [w for n in ns for w in n.get("workers") or []]

    def counts(xs):
        c = {}
        for x in xs:
            c[x["status"]] = c.get(x["status"], 0) + 1
        return c
    v = dict(p)
    v["nodeSummary"] = {"statusCounts": counts(ns), "actionQueueStatuses": {}, "lastUpdatedTime": iso(now())}
    v["workerSummary"] = {"statusCounts": counts(ws),
                          "claimedWorkerCount": sum(1 for w in ws if w.get("taskGroupId")),
                          "lastUpdatedTime": iso(now())}
    r = REQS[p["computeRequirementId"]]
    v["expectedNodeCount"] = r["expectedInstanceCount"]
    v["awaitingNodes"] = p["status"] in ("PENDING", "EMPTY", "CONFIGURING") and r["targetInstanceCount"] > 0
    return clean(v)


def pool_summary(p):
    v = pool_view(p)
    ns = [n for n in NODES.values() if n["workerPoolId"] == p["id"] and n["status"] in ("RUNNING", "LATE")]
    return {k: v.get(k) for k in ("id", "name", "namespace", "type", "status", "createdTime", "statusChangedTime")} | {
        "registeredNodeCount": len(ns), "registeredWorkerCount": sum(len(n["workers"]) for n in ns),
        "claimedWorkerCount": v["workerSummary"]["claimedWorkerCount"],
        "workingWorkerCount": v["workerSummary"]["statusCounts"].get("RUNNING", 0), "healthy": True}


def work_view(w):
    v = clean(w)
    for g in v.get("taskGroups") or []:
        c = {}
        for t in TASKS.values():
            if t["taskGroupId"] == g["id"]:
                c[t["status"]] = c.get(t["status"], 0) + 1
        g["taskSummary"] = {"statusCounts": c, "taskCount": sum(c.values()), "lastUpdatedTime": iso(now())}
    return v


# ---- compute
def alive():
    return sum(1 for r in REQS.values() for i in r["_instances"] if i["status"] in ("PENDING", "RUNNING"))


def add_instances(r, n):
    source = r["provisionStrategy"]["sources"][0]
    source["status"], source["statusMessage"] = "ACTIVE", None
    for _ in range(n):
        if CAPACITY["max"] is not None and alive() >= CAPACITY["max"]:
            source["status"], source["statusMessage"] = "ERRORED", "Insufficient capacity"
            break
        r["_seq"] += 1
        i = {"type": M + "AwsInstance", "id": {"sourceId": r["_source"], "instanceId": f"i-{uuid.uuid4().hex[:17]}"},
             "createdTime": iso(now()), "provider": "AWS", "instanceType": r["_tmpl"].get("_instanceType", "c5.xlarge"),
             "region": "eu-west-2", "subregion": "eu-west-2a", "imageId": r.get("_imagesId") or "ami-test",
             "hostname": f"{r['name']}-{r['_seq']}", "spot": bool(r["_tmpl"].get("_spot")),
             "_slot": next_slot(), "_born": time.time()}
        set_status(i, "PENDING")
        r["_instances"].append(i)
        i["_key"] = f"n{i['_slot']}"
        if ARGS.exec == "hook":
            NODE_UP[i["_key"]] = subprocess.Popen([ARGS.hook, "up", i["_key"], str(i["_slot"])],
                                                 stdout=subprocess.PIPE, text=True)
    r["expectedInstanceCount"] = sum(1 for i in r["_instances"] if i["status"] in ("PENDING", "RUNNING"))
    touch(r)


def next_slot():
    used = {i["_slot"] for r in REQS.values() for i in r["_instances"] if i["status"] in ("PENDING", "RUNNING")}
    used |= {k for k, p in NODE_DOWN.items() if p.poll() is None}
    s = 1
    while s in used:
        s += 1
    return s


def provision(u):
    t = template(u.get("templateId"))
    ns = u.get("requirementNamespace") or t.get("namespace") or "default"
    check_name(u.get("requirementName"), "requirement")
    n = int(u.get("targetInstanceCount") or 0)
    if any(r["namespace"] == ns and r["name"] == u["requirementName"] and r["status"] != "TERMINATED"
           for r in REQS.values()):
        raise Clash(f"A compute requirement with name '{u['requirementName']}' already exists in namespace '{ns}'")
    src = ydid("compsrc")
    r = {"id": ydid("compreq"), "namespace": ns, "name": u["requirementName"], "tag": u.get("requirementTag"),
         "createdTime": iso(now()), "createdFromId": t["id"], "targetInstanceCount": n, "expectedInstanceCount": 0,
         "maintainInstanceCount": bool(u.get("maintainInstanceCount")), "autoShutdown": u.get("autoShutdown"),
         "supportedOperations": {"canStopStart": True, "canScaleOut": True, "canReprovision": True},
         "provisionStrategy": {"type": M + "SingleSourceProvisionStrategy", "sources": [
             {"type": M + "SimulatorComputeSource", "id": src, "name": "test-source", "limit": 0}]},
         "_instances": [], "_seq": 0, "_tmpl": t, "_source": src, "_imagesId": u.get("imagesId"),
         "_userData": u.get("userData"), "_instanceTags": u.get("instanceTags")}
    REQS[r["id"]] = r
    set_status(r, "PROVISIONING")
    add_instances(r, n)
    return r


def end_instance(i, r, why="TERMINATED"):
    if i["status"] in ("TERMINATED",):
        return
    set_status(i, why)
    for n in NODES.values():
        if n["details"]["instanceId"] == i["id"]["instanceId"] and n["status"] in ("RUNNING", "LATE"):
            end_node(n, "TERMINATED", lost=True)
    if ARGS.exec == "hook":
        NODE_DOWN[i["_slot"]] = subprocess.Popen([ARGS.hook, "down", i["_key"], str(i["_slot"])])
    r["expectedInstanceCount"] = sum(1 for x in r["_instances"] if x["status"] in ("PENDING", "RUNNING"))


def terminate_req(r):
    if r["status"] == "TERMINATED":
        raise BadComputeState(f"Compute requirement {r['id']} is TERMINATED and cannot be changed")
    set_status(r, "TERMINATING")
    for i in r["_instances"]:
        end_instance(i, r)


def end_node(n, status, lost):
    """the node goes; with lost, what ran on it fails"""
    n["deregisteredTime"] = iso(now())
    set_status(n, status)
    for t in list(TASKS.values()):
        if t.get("nodeId") == n["id"] and t["status"] in ("ALLOCATED", "DOWNLOADING", "EXECUTING", "UPLOADING"):
            kill_task(t)
            finish_task(t, "FAILED", "ALLOCATION_LOST", "The node that the task was running on has gone")
    for w in n.get("workers") or []:
        w["status"] = "SHUTDOWN"
        w["taskGroupId"] = None
    touch(POOLS[n["workerPoolId"]])


# ---- tasks
def node_dir(n):
    return os.path.join(ARGS.state, "nodes", n["_key"])


def start_task(t, n):
    d = os.path.join(node_dir(n), t["id"].replace(":", "_"))
    if ARGS.exec == "sim":
        return
    os.makedirs(d, exist_ok=True)
    args = t.get("arguments") or []
    with open(os.path.join(d, "taskdata.txt"), "w") as f:
        f.write(t.get("taskData") or "")
    env = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", "USER": "yd-agent", "LOGNAME": "yd-agent",
           "YD_TASK_ID": t["id"], "YD_TASK_NAME": t.get("name") or "", "YD_NODE_ID": n["id"],
           "YD_WORKER_ID": t["workerId"]}
    env.update(t.get("environment") or {})
    with open(os.path.join(d, "env"), "w") as f:
        for k, v in env.items():
            f.write(f"{k}={v}\n")
    out = open(os.path.join(d, "taskoutput.txt"), "w")
    if ARGS.exec == "hook":
        cmd = [ARGS.hook, "run", n["_key"], d] + args
        PROCS[t["id"]] = subprocess.Popen(cmd, cwd=d, stdout=out, stderr=subprocess.STDOUT,
                                          stdin=subprocess.DEVNULL, start_new_session=True)
        return
    env.setdefault("HOME", node_dir(n))
    cmd = ["bash"] + args
    if os.geteuid() == 0:
        ray = os.path.join(node_dir(n), "ray")          # every node has its own /tmp/ray and /dev/shm
        os.makedirs(ray, exist_ok=True)
        os.makedirs("/tmp/ray", exist_ok=True)
        pre = (f"mount --make-rprivate /; mount --bind '{ray}' /tmp/ray; mount -t tmpfs tmpfs /dev/shm; "
               "exec \"$@\"")
        cmd = ["unshare", "--mount", "--pid", "--fork", "--mount-proc", "--kill-child=TERM",
               "bash", "-c", pre, "-"] + cmd
    PROCS[t["id"]] = subprocess.Popen(cmd, cwd=d, env=env, stdout=out, stderr=subprocess.STDOUT,
                                      stdin=subprocess.DEVNULL, start_new_session=True)


def kill_task(t):
    """abort: SIGTERM to the script (its EXIT trap runs), SIGKILL to all of it after --grace"""
    p = PROCS.get(t["id"])
    if p is None or p.poll() is not None:
        return

    def children(pid):
        try:
            with open(f"/proc/{pid}/task/{pid}/children") as f:
                return [int(x) for x in f.read().split()]
        except OSError:
            return []

    def worker():
        target, bash = p.pid, None
        for _ in range(4):                       # unshare -> bash: find the script's own shell
            try:
                with open(f"/proc/{target}/comm") as f:
                    if f.read().strip() == "bash":
                        bash = target
                        break
            except OSError:
                break
            kids = children(target)
            if not kids:
                break
            target = kids[0]
        if ARGS.exec == "hook":
            subprocess.run([ARGS.hook, "abort", t["_node_key"], t["id"]], timeout=ARGS.grace + 30)
        else:
            # a shell runs its trap only after its foreground child ended: end that child first
            for pid in children(bash or p.pid) + [bash or p.pid]:
                try:
                    os.kill(pid, signal.SIGTERM)
                except OSError:
                    pass
        try:
            p.wait(ARGS.grace)
        except subprocess.TimeoutExpired:
            try:
                os.killpg(p.pid, signal.SIGKILL)
            except OSError:
                pass
    threading.Thread(target=worker, daemon=True).start()


def finish_task(t, status, error=None, message=None, code=None):
    if t["status"] in ("COMPLETED", "FAILED", "ABORTED", "CANCELLED", "DISCARDED"):
        return
    if error:
        t.setdefault("errors", []).append(clean({
            "timestamp": iso(now()), "error": message, "nodeId": t.get("nodeId"), "workerId": t.get("workerId"),
            "errorType": error, "statusAtFailure": t["status"], "processExitCode": code, "causedFailure": True}))
    t["finishedTime"] = iso(now())
    set_status(t, status)
    for n in NODES.values():
        for w in n.get("workers") or []:
            if w["id"] == t.get("workerId") and w["status"] == "RUNNING":
                w["status"] = "SLEEPING"
                w["_idle"] = time.time()
    wid, g = GROUPS[t["taskGroupId"]]
    touch(WORK[wid])


def add_tasks(g_id, tasks):
    if g_id not in GROUPS:
        raise Missing(f"TaskGroup not found: {g_id}")
    wid, g = GROUPS[g_id]
    w = WORK[wid]
    if w["status"] not in ("RUNNING", "HELD"):
        raise BadWorkState(f"Work requirement {wid} is {w['status']}: tasks cannot be added")
    if g["status"] in ("COMPLETED", "FAILED", "CANCELLED", "FINISHING", "FAILING", "CANCELLING"):
        raise Bad(f"Task group '{g['name']}' is {g['status']}: tasks cannot be added")
    if not isinstance(tasks, list) or not tasks:
        raise Bad("At least one task is required")
    out = []
    types = g["runSpecification"].get("taskTypes") or []
    names = {t["name"] for t in TASKS.values() if t["taskGroupId"] == g_id}
    for x in tasks:
        if x.get("taskType") not in types:
            raise Bad(f"Task type '{x.get('taskType')}' is not in the task group's task types {types}")
        name = x.get("name") or f"task-{uuid.uuid4().hex[:8]}"
        if name in names:
            raise Bad(f"Task names must be unique within a task group: '{name}'")
        names.add(name)
        t = {k: x.get(k) for k in ("tag", "taskType", "arguments", "taskData", "environment", "timeout", "data")}
        t |= {"id": ydid("task"), "name": name, "taskGroupId": g_id, "retryCount": 0}
        set_status(t, "READY" if w["status"] == "RUNNING" else "PENDING")
        TASKS[t["id"]] = t
        out.append(t)
    if g["status"] == "PENDING":
        set_status(g, "RUNNING")
    touch(w)
    return out


def cancel_task(t, abort):
    if t["status"] in ("PENDING", "READY"):
        finish_task(t, "CANCELLED")
    elif t["status"] in ("ALLOCATED", "DOWNLOADING", "EXECUTING", "UPLOADING"):
        if not abort:
            raise Bad(f"Task {t['id']} is {t['status']}; it can only be aborted")
        t["abortRequestedTime"] = iso(now())
        t["_abort"] = time.time()
        kill_task(t)
        touch(t)


# ---- work
def put_groups(w, groups):
    have = {g["id"]: g for g in w["taskGroups"]}
    out, names = [], set()
    for g in groups or []:
        if not g.get("name"):
            raise Bad("A task group needs a name")
        if g["name"] in names:
            raise Bad(f"Task group names must be unique: '{g['name']}'")
        names.add(g["name"])
        if g.get("id"):
            if g["id"] not in have:
                raise Bad(f"Unknown task group {g['id']}")
            old = have[g["id"]]
            for k in ("priority", "tag", "finishIfAllTasksFinished", "finishIfAnyTaskFailed", "runSpecification"):
                if k in g:
                    old[k] = g[k]
            out.append(old)
            continue
        rs = g.get("runSpecification") or {}
        if not rs.get("taskTypes"):
            raise Bad("runSpecification.taskTypes is required")
        n = {k: v for k, v in g.items() if k not in ("id", "status", "statusChangedTime", "taskSummary")}
        n.setdefault("priority", 0)
        n.setdefault("finishIfAllTasksFinished", True)
        n.setdefault("finishIfAnyTaskFailed", False)
        n |= {"id": f"ydid:taskgrp:{w['id'].split(':', 2)[2]}:{w['_gseq']}", "starved": False,
              "waitingOnDependency": False}
        w["_gseq"] += 1
        set_status(n, "PENDING")
        GROUPS[n["id"]] = (w["id"], n)
        out.append(n)
    gone = set(have) - {g["id"] for g in out}
    if gone:
        raise Bad("Task groups cannot be removed from a work requirement")
    w["taskGroups"] = out


def add_work(x):
    check_name(x.get("name"), "work requirement")
    if not x.get("namespace"):
        raise Bad("namespace is required")
    if any(w["namespace"] == x["namespace"] and w["name"] == x["name"] for w in WORK.values()):
        raise Clash(f"A work requirement with name '{x['name']}' already exists in namespace '{x['namespace']}'")
    w = {"id": ydid("workreq"), "namespace": x["namespace"], "name": x["name"], "tag": x.get("tag"),
         "priority": x.get("priority") or 0, "createdTime": iso(now()), "taskGroups": [], "_gseq": 1}
    put_groups(w, x.get("taskGroups"))
    WORK[w["id"]] = w
    set_status(w, "RUNNING")
    return w


FINAL = ("COMPLETED", "FAILED", "CANCELLED")


def transition_work(w, to, abort):
    if w["status"] in FINAL:
        raise BadWorkState(f"Work requirement {w['id']} is {w['status']} and cannot go to {to}")
    if to == "CANCELLING":
        set_status(w, "CANCELLING")
        for g in w["taskGroups"]:
            if g["status"] not in FINAL:
                set_status(g, "CANCELLING")
        for t in list(TASKS.values()):
            if GROUPS[t["taskGroupId"]][0] == w["id"]:
                if t["status"] in ("PENDING", "READY"):
                    finish_task(t, "CANCELLED")
                elif abort:
                    cancel_task(t, True)
    elif to in ("HELD", "RUNNING", "FINISHING"):
        if w["status"] == "CANCELLING":
            raise BadWorkState(f"Work requirement {w['id']} is CANCELLING and cannot go to {to}")
        set_status(w, to)
        for t in TASKS.values():
            if GROUPS[t["taskGroupId"]][0] == w["id"] and t["status"] in ("PENDING", "READY"):
                set_status(t, "READY" if to != "HELD" else "PENDING")
    else:
        raise BadWorkState(f"Work requirement {w['id']} cannot go to {to}")
    touch(w)


# ---- the clock
def matches(g, n):
    rs, d = g["runSpecification"], n["details"]
    p = POOLS[n["workerPoolId"]]
    return (set(rs.get("taskTypes") or []) & set(d["supportedTaskTypes"])
            and (not rs.get("workerTags") or d.get("workerTag") in rs["workerTags"])
            and (not rs.get("namespaces") or p["namespace"] in rs["namespaces"])
            and (not rs.get("instanceTypes") or d["instanceType"] in rs["instanceTypes"]))


def tick():
    t0 = time.time()
    for r in REQS.values():
        for i in r["_instances"]:
            if i["status"] == "PENDING" and r["status"] != "TERMINATING":
                if ARGS.exec == "hook":
                    p = NODE_UP.get(i["_key"])
                    if p and p.poll() is not None:
                        a = (p.stdout.readline().split() + ["", ""])[:2]
                        NODE_UP.pop(i["_key"])
                        i["privateIpAddress"] = a[0] or None
                        i["publicIpAddress"] = (a[1] or None) if r["_tmpl"].get("_public", True) else None
                        set_status(i, "RUNNING" if p.returncode == 0 else "UNAVAILABLE")
                elif t0 - i["_born"] >= ARGS.boot:
                    i["privateIpAddress"] = ARGS.private_ip or f"10.0.0.{10 + i['_slot']}"
                    if r["_tmpl"].get("_public", True):
                        i["publicIpAddress"] = ARGS.public_ip or f"198.51.100.{10 + i['_slot']}"
                    set_status(i, "RUNNING")
        st = {i["status"] for i in r["_instances"]}
        live = sum(1 for i in r["_instances"] if i["status"] in ("PENDING", "RUNNING"))
        if r["status"] == "PROVISIONING":
            if live < r["targetInstanceCount"]:
                add_instances(r, r["targetInstanceCount"] - live)   # waits for capacity
            elif "PENDING" not in st:
                set_status(r, "RUNNING")
        elif r["status"] == "TERMINATING" and st <= {"TERMINATED", "UNAVAILABLE"}:
            set_status(r, "TERMINATED")

    # nodes register some time after their instance runs
    known = {n["details"]["instanceId"] for n in NODES.values()}
    for p in POOLS.values():
        r = REQS[p["computeRequirementId"]]
        for i in r["_instances"]:
            if i["status"] == "RUNNING" and i["id"]["instanceId"] not in known and t0 - i["_since"] >= ARGS.register:
                props = p["properties"] or {}
                tgt = props.get("createNodeWorkers") or {"targetType": "PER_NODE", "targetCount": 1}
                vcpu = r["_tmpl"].get("_vcpus", 4)
                k = int(tgt.get("targetCount") or 1) * (vcpu if tgt["targetType"] == "PER_VCPU" else 1)
                nid = ydid("node")
                n = {"id": nid, "workerPoolId": p["id"], "registeredTime": iso(now()), "_key": i["_key"],
                     "actionQueueStatus": "EMPTY", "agentVersion": "7.4.0",
                     "details": {"instanceId": i["id"]["instanceId"], "provider": "AWS", "region": "eu-west-2",
                                 "sourceName": "test-source", "instanceType": i["instanceType"],
                                 "hostname": i["hostname"], "privateIpAddress": i.get("privateIpAddress"),
                                 "publicIpAddress": i.get("publicIpAddress"), "vcpus": vcpu,
                                 "ram": r["_tmpl"].get("_ram", 16), "supportedTaskTypes": r["_tmpl"].get(
                                     "_taskTypes", ["bash"]), "workerTag": props.get("workerTag"),
                                 "nodeSlot": i["_slot"], "spot": i["spot"]},
                     "workers": [{"id": f"ydid:wrkr:{nid.split(':', 2)[2]}:{j + 1}", "status": "STOPPED",
                                  "registeredTime": iso(now()), "_idle": t0} for j in range(k)]}
                NODES[nid] = n
                for w in n["workers"]:
                    WORKER_NODE[w["id"]] = nid
                set_status(n, "RUNNING")
                touch(p)

    # give ready tasks to free workers
    for w in WORK.values():
        if w["status"] not in ("RUNNING", "FINISHING"):
            continue
        for g in w["taskGroups"]:
            ready = [t for t in TASKS.values() if t["taskGroupId"] == g["id"] and t["status"] == "READY"]
            for t in ready:
                for n in NODES.values():
                    if n["status"] != "RUNNING" or n.get("_draining") or not matches(g, n):
                        continue
                    if POOLS[n["workerPoolId"]]["status"] in ("SHUTDOWN", "TERMINATED"):
                        continue
                    free = [k for k in n["workers"] if k["status"] in ("STOPPED", "SLEEPING")]
                    if free:
                        k = free[0]
                        k["status"], k["taskGroupId"] = "RUNNING", g["id"]
                        t["workerId"], t["nodeId"], t["_node_key"] = k["id"], n["id"], n["_key"]
                        set_status(t, "ALLOCATED")
                        break

    for t in list(TASKS.values()):
        g = GROUPS[t["taskGroupId"]][1]
        if t["status"] == "ALLOCATED" and t0 - t["_since"] >= ARGS.start:
            t["startedTime"] = iso(now())
            start_task(t, NODES[t["nodeId"]])
            set_status(t, "EXECUTING")
            touch(WORK[GROUPS[t["taskGroupId"]][0]])
        elif t["status"] == "EXECUTING":
            p = PROCS.get(t["id"])
            code = p.poll() if p else None
            if ARGS.exec == "sim" and t.get("_abort") and t0 - t["_abort"] >= ARGS.abort:
                finish_task(t, "ABORTED")
            elif code is not None:
                if t.get("_abort"):
                    finish_task(t, "ABORTED")
                elif t.get("_timedout"):
                    finish_task(t, "FAILED", "TIMED_OUT", "The task ran for longer than its timeout")
                elif code == 0:
                    finish_task(t, "COMPLETED")
                else:
                    finish_task(t, "FAILED", "PROCESS_NON_ZERO_EXIT", f"Process exited with code {code}", code)
            limit = seconds(t.get("timeout") or g["runSpecification"].get("taskTimeout"))
            if limit is not None and t["status"] == "EXECUTING" and not t.get("_timedout") \
                    and t0 - t["_since"] >= limit * ARGS.timescale:
                t["_timedout"] = True
                if p:
                    kill_task(t)
                else:
                    finish_task(t, "FAILED", "TIMED_OUT", "The task ran for longer than its timeout")

    # groups and work requirements
    done = ("COMPLETED", "FAILED", "ABORTED", "CANCELLED", "DISCARDED")
    for w in WORK.values():
        if w["status"] in FINAL:
            continue
        for g in w["taskGroups"]:
            if g["status"] in FINAL:
                continue
            ts = [t for t in TASKS.values() if t["taskGroupId"] == g["id"]]
            bad = any(t["status"] in ("FAILED", "ABORTED") for t in ts)
            if g.get("finishIfAnyTaskFailed") and any(t["status"] == "FAILED" for t in ts):
                for t in ts:
                    if t["status"] in ("PENDING", "READY"):
                        finish_task(t, "DISCARDED")
            open_ = [t for t in ts if t["status"] not in done]
            if g["status"] == "CANCELLING" and not open_:
                set_status(g, "CANCELLED")
            elif ts and not open_ and (g.get("finishIfAllTasksFinished", True) or w["status"] == "FINISHING"):
                set_status(g, "FAILED" if bad else "COMPLETED")
            elif w["status"] == "FINISHING" and not ts:
                set_status(g, "COMPLETED")
            if g["status"] in FINAL:
                for n in NODES.values():
                    for k in n["workers"]:
                        if k.get("taskGroupId") == g["id"] and k["status"] != "SHUTDOWN":
                            k["taskGroupId"], k["status"], k["_idle"] = None, "STOPPED", t0
                touch(w)
        gs = {g["status"] for g in w["taskGroups"]}
        if w["taskGroups"] and gs <= set(FINAL):
            if w["status"] == "CANCELLING":
                set_status(w, "CANCELLED")
            else:
                set_status(w, "FAILED" if "FAILED" in gs else "COMPLETED")
        elif w["status"] == "CANCELLING" and not w["taskGroups"]:
            set_status(w, "CANCELLED")

    # pools: status, and shutting down what idles
    for p in POOLS.values():
        r = REQS[p["computeRequirementId"]]
        if p["status"] == "TERMINATED":
            continue
        ns = [n for n in NODES.values() if n["workerPoolId"] == p["id"] and n["status"] in ("RUNNING", "LATE")]
        busy = [n for n in ns if any(k.get("taskGroupId") or k["status"] == "RUNNING" for k in n["workers"])]
        running = {t["nodeId"] for t in TASKS.values() if t["status"] in ("ALLOCATED", "EXECUTING")}
        if p["status"] == "SHUTDOWN" or any(n.get("_draining") for n in ns):
            for n in ns:
                if (p["status"] == "SHUTDOWN" or n.get("_draining")) and n["id"] not in running:
                    for i in r["_instances"]:
                        if i["id"]["instanceId"] == n["details"]["instanceId"]:
                            end_instance(i, r)
                    if n["status"] == "RUNNING":
                        end_node(n, "DEREGISTERED", lost=False)
        if p["status"] == "SHUTDOWN":
            if r["status"] not in ("TERMINATING", "TERMINATED") and not (running & {n["id"] for n in ns}):
                terminate_req(r)
            if r["status"] == "TERMINATED":
                set_status(p, "TERMINATED")
            continue
        if r["status"] == "TERMINATED":
            set_status(p, "TERMINATED")
            continue
        ever = [n for n in NODES.values() if n["workerPoolId"] == p["id"]]
        set_status(p, "RUNNING" if busy else "IDLE" if ns else "EMPTY" if ever else "PENDING")
        props = p["properties"] or {}
        a = props.get("idleNodeShutdown") or {}
        if a.get("enabled") and ns and ever:
            lim = seconds(a.get("timeout") or "PT5M") * ARGS.timescale
            keep = int(props.get("minNodes") or 0)
            for n in [n for n in ns if n not in busy][: max(0, len(ns) - keep)]:
                if all(t0 - k.get("_idle", t0) >= lim for k in n["workers"]):
                    for i in r["_instances"]:
                        if i["id"]["instanceId"] == n["details"]["instanceId"]:
                            end_instance(i, r)
        a = props.get("idlePoolShutdown") or {}
        if a.get("enabled") and p["status"] in ("IDLE", "EMPTY") and ever:
            if t0 - p["_since"] >= seconds(a.get("timeout") or "PT30M") * ARGS.timescale:
                set_status(p, "SHUTDOWN")


def clock():
    while True:
        with LOCK:
            try:
                tick()
            except Exception:
                traceback.print_exc()
        time.sleep(0.05)
