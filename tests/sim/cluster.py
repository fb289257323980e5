"""A made-up Ray cluster of any size, in the shapes that Ray 2.60.0 (and 2.9.3) answers with.

Everything comes from a seed, so that the same words give the same cluster. What has not changed since it
was last asked for is not made again.
"""
import json
import random
import re
import shlex
import threading
import time

HEX = "0123456789abcdef"
MESSAGES = {
    "PENDING": "Job has not started yet. It may be waiting for resources (CPUs, GPUs, memory, custom resources) "
               "to become available.",
    "RUNNING": "Job is currently running.",
    "SUCCEEDED": "Job finished successfully.",
    "STOPPED": "Job was intentionally stopped.",
}
TERMINAL = ("SUCCEEDED", "STOPPED", "FAILED")
SCRIPTS = ["train.py --lr 3e-4", "tune.py --trials 64", "etl.py --day 2026-11-20", "evaluate.py --split test",
           "serve_warmup.py", "preprocess.py --shard 7", "export.py --format parquet"]
GIB = 1 << 30


class Clock:
    """Wall time: the real one, or one that stands still for pictures. Lengths always run."""

    def __init__(self, fixed_ms=None):
        self.fixed_ms = fixed_ms

    def ms(self):
        return self.fixed_ms if self.fixed_ms is not None else int(time.time() * 1000)

    @staticmethod
    def mono():
        return time.monotonic()


def to_camel(key):
    """Ray's own mangling of dictionary keys."""
    first, *rest = key.split("_")
    return first + "".join(x.title() for x in rest)


def envelope(rows, limit=None):
    shown = rows if limit is None else rows[:limit]
    return {"result": True, "msg": "", "data": {"result": {
        "total": len(rows), "num_after_truncation": len(rows), "num_filtered": len(rows), "result": shown,
        "partial_failure_warning": "", "warnings": None}}}


def memory_text(n):
    for unit, size in (("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if n >= size:
            return "%.2f%s" % (n / size, unit)
    return "%dB" % n


class Log:
    """A job's log: lines made from their number, so that any part can be made at any time."""

    def __init__(self, head, lines, rate, started):
        self.head, self.fixed, self.rate, self.started = head, lines, rate, started
        self.ended = None          # monotonic end of growth
        self.data = bytearray(head)
        self.made = 0
        self.lock = threading.Lock()

    @staticmethod
    def line(i):
        return b"2026-11-21 10:00:%02d,%03d INFO train.py:42 -- step %09d loss=0.%04d lr=2.9e-4 tokens/s=%d\n" % (
            i // 1000 % 60, i % 1000, i, (i * 7919) % 10000, 40000 + i % 997)

    def bytes(self):
        """All of it up to now."""
        with self.lock:
            now = self.ended if self.ended is not None else Clock.mono()
            want = self.fixed + int(max(0.0, now - self.started) * self.rate)
            if want > self.made:
                line = self.line
                self.data += b"".join([line(i) for i in range(self.made, want)])
                self.made = want
            return self.data

    def block(self, lines):
        """So many more lines, made before they are appended at once."""
        self.bytes()
        with self.lock:
            first, self.made = self.made, self.made + lines
            self.fixed += lines
        return b"".join([self.line(i) for i in range(first, first + lines)])

    def append(self, data):
        with self.lock:
            self.data += data


class Cluster:
    def __init__(self, o):
        self.o = o
        self.clock = Clock(o.now_ms)
        self.rnd = random.Random(o.seed)
        self.lock = threading.RLock()
        self.version = 0           # of the jobs
        self.cache = {}
        self.packages = {}
        self.old = tuple(int(x) for x in o.ray_version.split(".")[:2]) < (2, 49)
        stamp = time.gmtime(self.clock.ms() / 1000 - 4 * 3600)
        self.session = "session_%s_%06d_%d" % (time.strftime("%Y-%m-%d_%H-%M-%S", stamp), o.seed * 7919 % 1000000, 8100)
        self.born_ms = self.clock.ms() - 4 * 3600 * 1000
        self.agent = "http://127.0.0.1:-1"
        self.nodes = [self.make_node(i) for i in range(o.nodes)]
        self.jobs = {}
        self.logs = {}
        self.runs = {}             # submitted here: id -> (monotonic start, seconds, exit code)
        self.log_job = None
        for i in range(o.jobs):
            self.make_job(i)

    def hex(self, n):
        return "".join(self.rnd.choice(HEX) for _ in range(n))

    # ---- nodes
    def make_node(self, i):
        group = "head" if i == 0 else ("gpu" if i % 4 == 3 else "cpu")
        ip = "10.0.%d.%d" % (i // 250, i % 250 + 1)
        cpus = 8.0 if i == 0 else (64.0 if group == "gpu" else 32.0)
        memory = float((24 if i == 0 else 256 if group == "gpu" else 128) * GIB)
        total = {"node:" + ip: 1.0, "memory": memory, "object_store_memory": memory // 4, "CPU": cpus}
        if i == 0:
            total["node:__internal_head__"] = 1.0
        if group == "gpu":
            total.update({"GPU": 8.0, "accelerator_type:H100": 1.0})
        nid = self.hex(56)
        labels = {"ray.io/node-id" if not self.old else "ray.io/node_id": nid}
        if i and not self.old:
            labels["ray.io/node-group"] = group
        used = {k: round(v * self.rnd.random(), 1 if k in ("CPU", "GPU") else 0) for k, v in total.items()
                if k in ("CPU", "GPU", "memory", "object_store_memory")}
        if "GPU" in used:
            used["GPU"] = float(int(used["GPU"]))
        dead = bool(self.o.dead) and i > 0 and i > self.o.nodes - 1 - self.o.dead
        return {"node_id": nid, "node_ip": ip, "is_head_node": i == 0, "state": "DEAD" if dead else "ALIVE",
                "state_message": "Unexpected termination: health check failed due to missing too many heartbeats" if dead else None,
                "node_name": ip, "resources_total": total, "labels": labels,
                "start_time_ms": self.born_ms + 20000 + i * 137, "end_time_ms": self.clock.ms() - 60000 if dead else 0,
                "_group": group, "_used": used, "_cpu": round(100 * self.rnd.random(), 1),
                "_mem": round(20 + 60 * self.rnd.random(), 1), "_host": "node-%03d" % i}

    def node_rows(self, detail):
        hide = () if detail else ("start_time_ms", "end_time_ms")
        if self.old:
            hide += ("state_message",)
        return [{k: v for k, v in n.items() if k[0] != "_" and k not in hide} for n in self.nodes]

    def summary_row(self, i, n, now):
        total, percent = int(n["resources_total"]["memory"]), n["_mem"]
        avail = int(total * (100 - percent) / 100)
        used_store = int(n["_used"]["object_store_memory"])
        session = "/tmp/ray/" + self.session
        mangled = {("node:InternalHead" if k == "node:__internal_head__" else to_camel(k) if k == "object_store_memory" else k): v
                   for k, v in n["resources_total"].items()}
        process = {"pid": 8612 + i, "createTime": self.born_ms / 1000, "cpuPercent": 0.4,
                   "cpuTimes": {"user": 0.88, "system": 0.23, "childrenUser": 0.0, "childrenSystem": 0.0},
                   "cmdline": ["ray::DashboardAgent"] + [""] * 120,
                   "memoryInfo": {"rss": 127946752.0, "vms": 1394855936.0, "pfaults": None, "pageins": None},
                   "memoryFullInfo": None, "numFds": 50, "gpuMemoryUsage": None, "gpuUtilization": None}
        gpus = [{"index": g, "name": "NVIDIA H100", "uuid": "GPU-%08x" % (i * 8 + g), "utilizationGpu": (i * 13 + g * 7) % 101,
                 "memoryUsed": 40000, "memoryTotal": 81559, "processesPids": []}
                for g in range(int(n["resources_total"].get("GPU", 0)))]
        disk = {"total": 270553174016, "used": 15986692096, "free": 81806602240, "percent": 16.3}
        row = {
            "now": now, "hostname": n["_host"], "ip": n["node_ip"], "cpu": n["_cpu"],
            "cpus": [int(n["resources_total"]["CPU"])] * 2,
            "mem": [total, avail, percent] if self.old else [total, avail, percent, total - avail],
            "shm": 9109504,
            "raylet": {
                "storeStats": {"objectStoreBytesAvail": str(int(n["resources_total"]["object_store_memory"]) - used_store)},
                "coreWorkersStats": [], "objectStoreUsedMemory": used_store,
                "objectStoreAvailableMemory": int(n["resources_total"]["object_store_memory"]) - used_store,
                "nodeId": n["node_id"], "nodeManagerAddress": n["node_ip"],
                "rayletSocketName": session + "/sockets/raylet", "objectStoreSocketName": session + "/sockets/plasma_store",
                "nodeManagerPort": 41155, "objectManagerPort": 34185, "nodeManagerHostname": n["_host"],
                "metricsExportPort": 33049, "resourcesTotal": n["resources_total"] if self.old else mangled,
                "nodeName": n["node_name"], "startTimeMs": str(n["start_time_ms"]), "isHeadNode": n["is_head_node"],
                "labels": n["labels"], "runtimeEnvAgentPort": 43953,
                "stateSnapshot": {"state": "ACTIVE", "idleDurationMs": "0", "nodeActivity": []},
                "metricsAgentPort": 38283, "dashboardAgentListenPort": 52365, "tempDir": "/tmp/ray", "sessionDir": session,
                "state": n["state"], "instanceId": "", "nodeTypeName": self.type_of(n), "instanceTypeName": "",
                "numWorkers": 1 + i % 9, "endTimeMs": str(n["end_time_ms"]), "stateMessage": n["state_message"]},
            "agent": process, "bootTime": self.born_ms / 1000 - 600,
            "loadAvg": [[2.08, 1.04, 0.4], [1.04, 0.52, 0.2]], "disk": {"/": disk, "/tmp/ray": disk},
            "diskIo": [2208117760, 4374028288, 54327, 33326], "diskIoSpeed": [10314416.37, 22653487.22, 44.43, 73.87],
            "gpus": gpus, "tpus": [], "network": [1507645, 823153319], "networkSpeed": [1200.5, 88000.25],
            "cmdline": ["/opt/ray/core/src/ray/raylet/raylet", "--raylet_socket_name=%s/sockets/raylet" % session],
            "gcs": dict(process, cmdline=["/opt/ray/core/src/ray/gcs/gcs_server"]) if i == 0 else None}
        if self.old:
            row["status"] = n["state"]
        return row

    def type_of(self, n):
        return (n["_group"] + "_pool" if n["_group"] != "head" else "head_node") if self.o.autoscaler else ""

    def logical(self, n):
        lines = []
        for k, total in n["resources_total"].items():
            if k.startswith(("node:", "accelerator_type:")):
                continue
            used = n["_used"].get(k, 0.0)
            if "memory" in k:
                lines.append("%s/%s %s" % (memory_text(used), memory_text(total), k))
            else:
                lines.append("%s/%s %s" % (used, total, k))
        return "\n".join(sorted(lines))

    def nodes_summary(self):
        """Ray makes it anew every 5 s at most; here only the times in it are."""
        stamp = self.clock.ms() // 5000 * 5000 / 1000 + 0.123456
        with self.lock:
            hit = self.cache.get("summary")
            if hit and hit[0] == stamp:
                return hit[1]
            if hit:
                body = hit[1].replace(b'{"now": %.6f,' % hit[0], b'{"now": %.6f,' % stamp)
            else:
                body = json.dumps({"result": True, "msg": "Node summary fetched.", "data": {
                    "summary": [self.summary_row(i, n, stamp) for i, n in enumerate(self.nodes)],
                    "nodeLogicalResources": {n["node_id"]: self.logical(n) for n in self.nodes if n["state"] == "ALIVE"}}}).encode()
            self.cache["summary"] = (stamp, body)
            return body

    def cluster_status(self):
        alive = [n for n in self.nodes if n["state"] == "ALIVE"]
        total, used = {}, {}
        for n in alive:
            for k, v in n["resources_total"].items():
                if not k.startswith(("node:", "accelerator_type:")):
                    total[k] = total.get(k, 0) + v
                    used[k] = used.get(k, 0) + n["_used"].get(k, 0)
        if self.o.autoscaler:
            counts = {}
            for n in alive:
                counts[self.type_of(n)] = counts.get(self.type_of(n), 0) + 1
            active = ["%d %s" % (c, t) for t, c in sorted(counts.items())]
            pending = ["gpu_pool, 1 launching"]
            failures = ["cpu_pool: LaunchFailed (latest_attempt: 02:40:11) - quota exceeded"]
            idle = "Idle:\n (no idle nodes)\n"
        else:
            active, pending, failures, idle = ["1 node_" + n["node_id"] for n in alive], [], [], ""
        demands = ["{'CPU': 64.0}: 3+ pending tasks/actors", "{'GPU': 4.0}: 1+ pending tasks/actors"] if self.o.demand else []
        usage = []
        for k in sorted(total):
            if "memory" in k:
                usage.append(" %s/%s %s" % (memory_text(used[k]), memory_text(total[k]), k))
            else:
                usage.append(" %s/%s %s" % (round(used[k], 1), total[k], k))
        stamp = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(self.clock.ms() // 5000 * 5))
        rule = "-" * 63
        lines = ["======== Autoscaler status: %s.000000 ========" % stamp, "Node status", rule, "Active:"]
        lines += [" " + x for x in active]
        lines += (idle + "Pending:").split("\n") + ([" " + x for x in pending] or [" (no pending nodes)"])
        lines += ["Recent failures:"] + ([" " + x for x in failures] or [" (no failures)"])
        lines += ["", "Resources", rule, "Usage:" if self.old else "Total Usage:"] + usage + [""]
        if not self.old:
            lines += ["From request_resources:", " (none)"]
        lines += ["Demands:" if self.old else "Pending Demands:"]
        lines += [" " + x for x in demands] or [" (no resource demands)"]
        return {"result": True, "msg": "Got formatted cluster status.", "data": {"clusterStatus": "\n".join(lines)}}

    # ---- jobs
    def job(self, **k):
        base = {"type": "SUBMISSION", "job_id": None, "submission_id": None, "driver_info": None, "status": "PENDING",
                "entrypoint": "", "message": MESSAGES["PENDING"], "error_type": None, "start_time": None, "end_time": None,
                "metadata": None, "runtime_env": None, "driver_agent_http_address": None, "driver_node_id": None,
                "driver_exit_code": None}
        base.update(k)
        return base

    def make_job(self, i):
        """Most jobs of a cluster that lives for long are over; the newest run or wait."""
        o, rnd = self.o, self.rnd
        young = o.jobs - 1 - i
        status = ("PENDING" if young < max(1, o.jobs // 50) else "RUNNING" if young < max(3, o.jobs // 10) else
                  ("SUCCEEDED", "SUCCEEDED", "FAILED", "SUCCEEDED", "STOPPED")[i % 5])
        sid = "raysubmit_" + "".join(rnd.choice("ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz23456789") for _ in range(16))
        start = self.clock.ms() - 45000 - young * (4 * 3600000 - 600000) // max(1, o.jobs)
        driver = i % 17 == 16 and status != "PENDING"
        jid = "%02x000000" % (i % 255 + 1) if i < 255 else "%08x" % (i + 1)
        started = status != "PENDING"
        j = self.job(submission_id=sid, status=status, entrypoint="python %s --run %d" % (SCRIPTS[i % len(SCRIPTS)], i),
                     message=MESSAGES.get(status, ""), start_time=start,
                     end_time=start + 12000 + i % 90 * 1000 if status in TERMINAL else None)
        if i % 3 == 0:
            j["metadata"] = {"job_name": "nightly-%d" % i, "submitted_by": "alice@laptop" if i % 2 else "bob@desk"}
        if i % 4 == 1:
            j["runtime_env"] = {"working_dir": "gcs://_ray_pkg_%016x.zip" % (i * 2654435761 % (1 << 64)),
                                "env_vars": {"WANDB_MODE": "offline", "SECRET_TOKEN": "s3cret"}}
        if status == "FAILED":
            j.update(error_type="JOB_ENTRYPOINT_COMMAND_ERROR", driver_exit_code=1 + i % 3,
                     message="Job entrypoint command failed with exit code %d, last available logs (truncated to 20,000 chars):\n"
                             "Traceback (most recent call last):\n  File \"main.py\", line 12, in <module>\n"
                             "ValueError: shard %d is empty\n" % (1 + i % 3, i))
        elif status == "SUCCEEDED":
            j["driver_exit_code"] = 0
        if started:
            node = self.nodes[0]
            j.update(job_id=jid, driver_info={"id": jid, "node_ip_address": node["node_ip"], "pid": str(6000 + i)},
                     driver_agent_http_address="AGENT", driver_node_id=node["node_id"])
        if driver:
            j.update(type="DRIVER", submission_id=None, driver_agent_http_address=None, message="", error_type=None,
                     driver_exit_code=None, entrypoint="python notebook.py",
                     runtime_env={}, metadata={})
        if o.job_bytes:
            j["message"] += "x" * max(0, o.job_bytes - len(json.dumps(j)) - 30)
        self.jobs[sid if not driver else jid] = j
        if not driver and started:
            running = status == "RUNNING"
            first = running and self.log_job is None
            lines = (o.log_lines if o.log_lines is not None else 2000) if first else 40
            self.logs[sid] = self.make_log(sid, j["entrypoint"], lines, o.log_rate if first else 0)
            if first:
                self.log_job = sid

    def make_log(self, sid, entrypoint, lines, rate):
        head = ("2026-11-21 02:49:14,574\tINFO job_manager.py:581 -- Runtime env is setting up.\n"
                "Running entrypoint for job %s: %s\n" % (sid, entrypoint)).encode()
        return Log(head, lines, rate, Clock.mono())

    def set_agent(self, address):
        self.agent = address
        for j in self.jobs.values():
            if j["driver_agent_http_address"] == "AGENT":
                j["driver_agent_http_address"] = address

    def advance(self):
        """Lets submitted jobs begin and end when their time has come."""
        with self.lock:
            for sid, (t0, seconds, code) in list(self.runs.items()):
                j, age = self.jobs[sid], Clock.mono() - t0
                if j["status"] == "PENDING" and age >= self.o.pending_s:
                    node = self.nodes[0]
                    self.change(j, status="RUNNING", message=MESSAGES["RUNNING"], driver_node_id=node["node_id"],
                                driver_agent_http_address=self.agent)
                    self.logs[sid] = self.make_log(sid, j["entrypoint"], 0, self.o.job_log_rate)
                if j["status"] == "RUNNING" and age >= self.o.pending_s + seconds:
                    if code:
                        self.finish(sid, "FAILED", code)
                    else:
                        self.finish(sid, "SUCCEEDED", 0)

    def change(self, j, **k):
        j.update(k)
        self.version += 1

    def finish(self, sid, status, code):
        j, log = self.jobs[sid], self.logs.get(sid)
        self.runs.pop(sid, None)
        if log:
            log.ended = Clock.mono()
        message = MESSAGES.get(status)
        if status == "FAILED":
            message = "Job entrypoint command failed with exit code %d, last available logs (truncated to 20,000 chars):\n" % code
        self.change(j, status=status, message=message, end_time=self.clock.ms(), driver_exit_code=code,
                    error_type="JOB_ENTRYPOINT_COMMAND_ERROR" if status == "FAILED" else None)

    def submit(self, body):
        allowed = {"entrypoint", "submission_id", "runtime_env", "metadata", "entrypoint_num_cpus", "entrypoint_num_gpus",
                   "entrypoint_memory", "entrypoint_resources", "job_id"} | (set() if self.old else {"entrypoint_label_selector"})
        for k in body:
            if k not in allowed:
                return 400, "TypeError: JobSubmitRequest.__init__() got an unexpected keyword argument '%s'" % k
        if not isinstance(body.get("entrypoint"), str):
            return 400, "TypeError: JobSubmitRequest.__init__() missing 1 required positional argument: 'entrypoint'"
        metadata = body.get("metadata")
        if metadata is not None and not all(isinstance(v, str) for v in metadata.values()):
            return 400, "TypeError: metadata values must be strings, got %r" % metadata
        with self.lock:
            sid = body.get("submission_id") or "raysubmit_" + self.hex(16)
            if "/" in sid:
                return 500, "FileNotFoundError: [Errno 2] No such file or directory: 'job-driver-%s.log'" % sid
            if sid in self.jobs:
                return 500, ("RuntimeError: Request failed with status code 400: Traceback (most recent call last):\n"
                             "ValueError: Job with submission_id %s already exists. Please use a different submission_id.\n." % sid)
            self.jobs[sid] = self.job(submission_id=sid, entrypoint=body["entrypoint"], start_time=self.clock.ms(),
                                      metadata=metadata, runtime_env=body.get("runtime_env"))
            self.runs[sid] = (Clock.mono(),) + self.duration(body["entrypoint"])
            self.version += 1
            return 200, {"job_id": sid, "submission_id": sid}

    def duration(self, entrypoint):
        """`sleep N` takes N seconds, `exit N` ends with N; anything else takes --job-s."""
        try:
            words = shlex.split(entrypoint)
        except ValueError:
            words = entrypoint.split()
        seconds, code = self.o.job_s, 0
        for a, b in zip(words, words[1:]):
            b = b.rstrip(";")
            if a == "sleep" and re.fullmatch(r"[0-9.]+", b):
                seconds = float(b)
            elif a == "exit" and b.isdigit():
                code = int(b)
        return seconds, code

    def stop(self, sid):
        with self.lock:
            j = self.find_job(sid)
            if j is None:
                return 404, "Job %s does not exist" % sid
            if j["type"] == "DRIVER":
                return 400, "Can only stop submission type jobs"
            if j["status"] in TERMINAL:
                return 200, {"stopped": False}
            if j["status"] == "RUNNING":
                self.finish(j["submission_id"], "STOPPED", None)
            elif j["submission_id"] in self.runs:
                self.runs.pop(j["submission_id"])
                self.finish(j["submission_id"], "STOPPED", None)
            return 200, {"stopped": True}

    def delete(self, sid):
        with self.lock:
            j = self.find_job(sid)
            if j is None:
                return 404, "Job %s does not exist" % sid
            if j["status"] not in TERMINAL:
                return 500, ("RuntimeError: Request failed with status code 500: Traceback (most recent call last):\n"
                             "RuntimeError: Attempted to delete job '%s', but it is in a non-terminal state %s.\n.\n" % (sid, j["status"]))
            del self.jobs[j["submission_id"]]
            self.version += 1
            return 200, {"deleted": True}

    def find_job(self, jid):
        if jid in self.jobs:
            return self.jobs[jid]
        return next((j for j in self.jobs.values() if j["job_id"] == jid), None)

    def jobs_body(self):
        self.advance()
        with self.lock:
            hit = self.cache.get("jobs")
            if not hit or hit[0] != self.version:
                rows = list(self.jobs.values())
                random.Random(self.o.seed).shuffle(rows)   # Ray does not sort them
                hit = (self.version, json.dumps(rows).encode())
                self.cache["jobs"] = hit
            return hit[1]

    # ---- the rest
    def actors(self):
        rows = []
        for i in range(self.o.actors):
            node, dead = self.nodes[i % len(self.nodes)], i % 10 == 9
            rows.append({"actor_id": "%024x01000000" % (i + 1), "class_name": ("Trainer", "Counter", "ServeReplica:app")[i % 3],
                         "state": "DEAD" if dead else "ALIVE", "job_id": "01000000", "name": "", "node_id": node["node_id"],
                         "pid": 13430 + i, "ray_namespace": "9ae23790-ae4b-4f3f-b73b-7070b86d57f4",
                         "serialized_runtime_env": "{}", "required_resources": {"CPU": 0.5}, "death_cause": None,
                         "is_detached": False, "placement_group_id": None, "repr_name": "", "num_restarts": "0"})
        for n, j in enumerate(j for j in self.jobs.values() if j["status"] == "PENDING" and j["submission_id"]):
            # alone here stands what a job asked for
            rows.append({"actor_id": "%024x02000000" % (n + 1), "class_name": "JobSupervisor", "state": "PENDING_CREATION", "job_id": "01000000",
                         "name": "_ray_internal_job_actor_" + j["submission_id"], "node_id": None, "pid": 0,
                         "ray_namespace": "SUPERVISOR_ACTOR_RAY_NAMESPACE", "serialized_runtime_env": "{}", "required_resources": {"GPU": 8.0},
                         "death_cause": None, "is_detached": True, "placement_group_id": None, "repr_name": "", "num_restarts": "0"})
        return rows

    def activities(self):
        self.advance()
        n = sum(j["status"] == "RUNNING" for j in self.jobs.values())
        now = self.clock.ms() / 1000
        return {"driver": {"is_active": "ACTIVE" if n else "INACTIVE", "reason": "Number of active drivers: %d" % n if n else None,
                           "timestamp": now, "last_activity_at": now - (0 if n else 300)}}

    def log_names(self):
        fixed = ["raylet.out", "raylet.err", "gcs_server.out", "dashboard.log", "jobs/"]
        return {"internal": fixed + ["job-driver-%s.log" % s for s in self.jobs if s in self.logs],
                "worker_out": ["worker-%056x-%s-%d.out" % (i, self.log_job_id(), 6400 + i) for i in range(4)]}

    def log_job_id(self):
        """Of the job whose log is the long one; its workers have logs, too."""
        j = self.jobs.get(self.log_job)
        return j["job_id"] if j and j["job_id"] else "01000000"

    def log_of(self, name):
        self.advance()
        m = re.fullmatch(r"job-driver-(.+)\.log", name)
        if m:
            return self.logs.get(m.group(1))
        m = re.fullmatch(r"worker-0*(\d+)-(\w+)-\d+\.out", name)
        if m:
            what = ":actor_name:Counter" if m.group(1) == "3" else ":task_name:train"
            head = ":job_id:%s\n%s\n" % (m.group(2), what)
            return self.logs.setdefault(name, Log(head.encode(), 30 * (int(m.group(1)) + 1), 0, Clock.mono()))
        if name in ("raylet.out", "raylet.err", "gcs_server.out", "dashboard.log"):
            return self.logs.setdefault(name, Log(b"[state] started\n", 100, 0, Clock.mono()))
        return None
