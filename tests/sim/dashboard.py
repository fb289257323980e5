#!/usr/bin/env python3
"""A stand-in for the dashboard of a Ray cluster of any size, for tests and benchmarks of what cannot be had
from a real one: thousands of nodes and jobs, and answers that are wrong in a chosen way.

  dashboard.py --port 0 --nodes 500 --jobs 2000      prints the port it listens on, alone on a line

  GET  /_test/calls            {"GET /api/jobs/": 3, ...}: requests so far, per route; POST clears them
  GET  /_test/info             {"port", "log_job", "log_bytes", "jobs", "nodes", "session_name"}
  POST /_test/fault            {"mode": M, "path": PREFIX, "count": N, "seconds": S, "delay_ms": D}: what goes wrong from
                               now on, for all paths or those with the prefix, for ever or N times or S seconds.
                               Modes: none html 500 truncated deep big slow hang reset refuse 401 403 missing
                               gcs-frozen delay
  POST /_test/cut              ends every open log stream in the middle
  POST /_test/job              {"submission_id": I, ...}: changes fields of a job
  POST /_test/log              {"submission_id": I, "text": T} or {..., "lines": N}: appends to a log
  POST /_test/node             {"index": N}: the node dies, and its logs with it
  GET  /_test/transfers        [[begin, end], ...] of answers over 1 MB, in seconds of the monotonic clock
  POST /_test/restart          a new session, as after a restart of the head; jobs are gone
  POST /_test/quit

It ends with the process that started it, unless --stay.
"""
import argparse
import fnmatch
import json
import os
import re
import socket
import sys
import threading
import time
from urllib.parse import parse_qsl, unquote, urlsplit

import cluster as model

REASONS = {200: "OK", 206: "Partial Content", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found",
           405: "Method Not Allowed", 413: "Request Entity Too Large", 416: "Range Not Satisfiable",
           500: "Internal Server Error", 503: "Service Unavailable"}
TEXT, JSON = "text/plain; charset=utf-8", "application/json; charset=utf-8"
TROUBLE = "500 Internal Server Error\n\nServer got itself in trouble"
MAX_BODY = 100 << 20
# answered without the GCS; everything else waits while it is frozen
WITHOUT_GCS = ("/api/version", "/api/ray/version", "/nodes", "/api/authentication_mode", "/timezone")


HERE = os.path.dirname(os.path.abspath(__file__))
# Words that a terminal would obey: clipboard, title, notice, main screen, reset, questions, direction.
EVIL = "EVIL\x1b]52;c;ZXZpbA==\x07\x1b]0;owned\x07\x1b]9;owned\x07\x1b[?1049l\x1bc\x9b5n\u202e\u2066\x1b[6n\x1bP+q\x1b\\"
# what the other side must be able to give back, or to understand
PLAIN = re.compile(r"(?i).*(_id|id|ip|address|state|status|type|time|time_?ms|version|session_?name|uri|socketname)$")
NAMED = ("labels", "resources_total", "resourcesTotal", "metadata", "env_vars", "required_resources", "unit_resources", "nodeLogicalResources")
# lists that the made-up cluster has not, as they were recorded
RECORDED = {"tasks": "tasks_detail", "placement_groups": "pgs_busy", "runtime_envs": "runtime_envs", "cluster_events": "autoscaler_v2_events_late"}


def evil(value, key=""):
    """The same answer with harm in every name, message and key that people choose."""
    if isinstance(value, dict):
        out = {k: evil(v, k) for k, v in value.items()}
        if key in ("labels", "metadata", "env_vars"):
            out[EVIL] = EVIL
        elif key in NAMED and key != "nodeLogicalResources":
            out[EVIL] = 1.0
        return out
    if isinstance(value, list):
        return [evil(v, key) for v in value]
    if not isinstance(value, str) or not value or PLAIN.fullmatch(key) and key != "submission_id":
        return value
    if key == "clusterStatus":
        return value.replace("cpu_pool", "cpu_pool" + EVIL).replace("quota exceeded", "quota exceeded " + EVIL)
    return value + EVIL


class Gone(Exception):
    """The other side left."""


class Request:
    def __init__(self, method, target, headers, body):
        self.method, self.headers, self.body = method, headers, body
        parts = urlsplit(target)
        self.path, self.query = unquote(parts.path), parse_qsl(parts.query, keep_blank_values=True)
        self.args = dict(self.query)

    def json(self):
        try:
            return json.loads(self.body or b"{}")
        except ValueError:
            return None


class Connection:
    def __init__(self, server, sock):
        self.server, self.sock, self.buffer = server, sock, b""
        self.evil = False

    def run(self):
        try:
            self.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            while True:
                request = self.read()
                if request is None:
                    break
                self.server.handle(self, request)
        except (Gone, OSError):
            pass
        finally:
            with self.server.lock:
                self.server.open.discard(self.sock)
            self.sock.close()

    def more(self):
        data = self.sock.recv(1 << 16)
        if not data:
            raise Gone
        self.buffer += data

    def read(self):
        while b"\r\n\r\n" not in self.buffer:
            if len(self.buffer) > 65536:
                raise Gone
            self.more()
        head, _, self.buffer = self.buffer.partition(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")
        words = lines[0].split(" ")
        if len(words) != 3:
            raise Gone
        headers = {}
        for line in lines[1:]:
            k, _, v = line.partition(":")
            headers[k.strip().lower()] = v.strip()
        if headers.get("expect", "").lower() == "100-continue":
            self.sock.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
        body = self.read_body(headers)
        return Request(words[0], words[1], headers, body)

    def read_body(self, headers):
        if headers.get("transfer-encoding", "").lower() == "chunked":
            out = bytearray()
            while True:
                while b"\r\n" not in self.buffer:
                    self.more()
                size, _, self.buffer = self.buffer.partition(b"\r\n")
                size = int(size.split(b";")[0], 16)
                while len(self.buffer) < size + 2:
                    self.more()
                out += self.buffer[:size]
                self.buffer = self.buffer[size + 2:]
                if not size:
                    return bytes(out)
        size = int(headers.get("content-length") or 0)
        parts, got = [self.buffer], len(self.buffer)
        while got < size:
            data = self.sock.recv(1 << 18)
            if not data:
                raise Gone
            parts.append(data)
            got += len(data)
        data = b"".join(parts)
        self.buffer = data[size:]
        return data[:size]

    # ---- answers
    def head(self, status, ctype, length=None, extra=()):
        lines = ["HTTP/1.1 %d %s" % (status, REASONS.get(status, "OK")), "Content-Type: " + ctype]
        lines.append("Transfer-Encoding: chunked" if length is None else "Content-Length: %d" % length)
        lines += ["%s: %s" % x for x in extra]
        lines.append("Server: Python/3.11 aiohttp/3.14")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")

    def answer(self, status, body, ctype=None, extra=(), method="GET"):
        if self.evil:
            if isinstance(body, (bytes, bytearray)) and body[:1] in (b"{", b"["):
                body = json.loads(body)
            body = body + EVIL if isinstance(body, str) else evil(body) if isinstance(body, (dict, list)) else body
        if isinstance(body, str):
            body, ctype = body.encode(), ctype or TEXT
        elif not isinstance(body, (bytes, bytearray)):
            body, ctype = json.dumps(body).encode(), ctype or JSON
        head = self.head(status, ctype or JSON, len(body), extra)
        if method == "HEAD":
            self.sock.sendall(head)
        elif len(body) < 65536:
            self.sock.sendall(head + body)
        else:
            begin = time.monotonic()
            self.sock.sendall(head)
            self.sock.sendall(body)
            if len(body) > 1 << 20:
                self.server.transfers.append([begin, time.monotonic()])

    def chunk(self, data):
        self.sock.sendall(b"%x\r\n" % len(data) + data + b"\r\n")

    def left(self):
        """True when the client closed its end."""
        self.sock.setblocking(False)
        try:
            return self.sock.recv(1, socket.MSG_PEEK) == b""
        except (BlockingIOError, InterruptedError):
            return False
        except OSError:
            return True
        finally:
            self.sock.setblocking(True)


class Server:
    def __init__(self, options):
        self.o = options
        self.cluster = model.Cluster(options)
        self.calls, self.lock = {}, threading.Lock()
        self.transfers = []
        self.fault = {"mode": "none"}
        self.streams = 0           # raised by each /_test/cut
        self.listener, self.open = None, set()
        self.port = options.port
        self.listen()
        self.cluster.set_agent("http://127.0.0.1:%d" % (-1 if options.no_agent else self.port))

    def listen(self):
        s = socket.socket()
        s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        s.bind(("127.0.0.1", self.port))
        s.listen(128)
        self.listener, self.port = s, s.getsockname()[1]

    def serve(self):
        while True:
            try:
                sock, _ = self.listener.accept()
            except OSError:                       # closed while connections are refused
                time.sleep(0.02)
                continue
            with self.lock:
                self.open.add(sock)
            threading.Thread(target=Connection(self, sock).run, daemon=True).start()

    # ---- what goes wrong
    def take_fault(self, request):
        with self.lock:
            f = self.fault
            if f["mode"] == "none" or not request.path.startswith(f.get("path", "")):
                return None
            if "until" in f and time.monotonic() > f["until"]:
                self.fault = {"mode": "none"}
                return None
            if "count" in f:
                f["count"] -= 1
                if f["count"] <= 0:
                    self.fault = {"mode": "none"}
            return dict(f)

    def refuse(self, seconds):
        """As a dashboard that is gone: no listener, and no connection stays."""
        def later():
            time.sleep(0.05)                      # the answer to this very request goes first
            with self.lock:
                gone, self.open = [self.listener, *self.open], set()
            for s in gone:
                try:
                    s.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            self.listener.close()
            time.sleep(seconds)
            self.listen()
        threading.Thread(target=later, daemon=True).start()

    def broken(self, c, request, f):
        """Answers wrongly; false when the right answer shall follow."""
        mode = f["mode"]
        if mode == "delay":
            time.sleep(f.get("delay_ms", 100) / 1000)
            return False
        if mode == "gcs-frozen":
            if request.path == "/api/gcs_healthz":
                c.answer(503, "503: Health check failed: RPC error: Deadline Exceeded")
                return True
            if request.path in WITHOUT_GCS:
                return False
            self.hang(c)
        elif mode == "html":
            c.answer(200, "<!DOCTYPE html><html><head><title>Sign in</title></head><body>Please sign in</body></html>", "text/html")
        elif mode == "500":
            c.answer(500, TROUBLE)
        elif mode == "401":
            c.answer(401, "Unauthorized: Missing authentication token")
        elif mode == "403":
            c.answer(403, "Forbidden: Invalid authentication token")
        elif mode == "missing":
            c.answer(404, "404: Not Found")
        elif mode == "deep":
            c.answer(200, b'[{"type": ' + b"[" * 100000 + b"]" * 100000 + b"}]", JSON)
        elif mode == "big":
            c.sock.sendall(c.head(200, JSON, 200 << 20))
            block = b'[{"filler": "' + b"x" * ((1 << 20) - 13)
            for _ in range(200):
                c.sock.sendall(block)
                block = b"x" * (1 << 20)
            raise Gone
        elif mode == "slow":
            c.sock.sendall(c.head(200, JSON, 1 << 20))
            for _ in range(1 << 20):
                c.sock.sendall(b" ")
                time.sleep(1)
        elif mode == "hang":
            self.hang(c)
        elif mode == "reset":
            c.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            raise Gone
        elif mode == "truncated":
            self.route(Half(c), request)
            raise Gone
        return True

    @staticmethod
    def hang(c):
        while not c.left():
            time.sleep(0.1)
        raise Gone

    # ---- requests
    def handle(self, c, request):
        c.evil = self.o.evil and not request.path.startswith("/_test/")
        if request.path.startswith("/_test/"):
            return self.control(c, request)
        key = "%s %s" % (request.method, request.path)
        with self.lock:
            self.calls[key] = self.calls.get(key, 0) + 1
        if self.o.delay_ms:
            time.sleep(self.o.delay_ms / 1000)
        fault = self.take_fault(request)
        if fault and self.broken(c, request, fault):
            return None
        if self.o.token and request.path != "/api/authentication_mode":
            given = request.headers.get("authorization", "")
            if not given and "x-ray-authorization" in request.headers:
                given = request.headers["x-ray-authorization"]
            if not given:
                return c.answer(401, "Unauthorized: Missing authentication token")
            if given != "Bearer " + self.o.token:
                return c.answer(403, "Forbidden: Invalid authentication token")
        if self.cluster.old and "user-agent" not in request.headers:
            return c.answer(500, TROUBLE)
        if request.method != "GET" and request.headers.get("user-agent", "").startswith("Mozilla"):
            return c.answer(405, "'%s' method not allowed for browser traffic." % request.method)
        return self.route(c, request)

    def control(self, c, request):
        body = request.json() or {}
        what = request.path[len("/_test/"):]
        if what == "calls" and request.method == "GET":
            with self.lock:
                return c.answer(200, dict(self.calls))
        if what == "calls":
            with self.lock:
                self.calls.clear()
        elif what == "info":
            k = self.cluster
            size = len(k.logs[k.log_job].bytes()) if k.log_job in k.logs else 0
            return c.answer(200, {"port": self.port, "log_job": k.log_job, "log_bytes": size, "jobs": list(k.jobs),
                                  "nodes": [n["node_id"] for n in k.nodes], "session_name": k.session})
        elif what == "transfers":
            return c.answer(200, self.transfers)
        elif what == "fault":
            f = dict(body)
            f.setdefault("mode", "none")
            if "seconds" in f and f["mode"] != "refuse":
                f["until"] = time.monotonic() + f["seconds"]
            if f["mode"] == "refuse":
                self.refuse(f.get("seconds", 2))
                f = {"mode": "none"}
            with self.lock:
                self.fault = f
        elif what == "cut":
            self.streams += 1
        elif what == "job":
            with self.cluster.lock:
                j = self.cluster.find_job(body.pop("submission_id"))
                if j is None:
                    return c.answer(404, "no such job")
                self.cluster.change(j, **body)
        elif what == "node":
            self.cluster.nodes[body["index"]].update(state="DEAD", state_message="the test ended it")
        elif what == "log":
            log = self.cluster.logs.get(body["submission_id"])
            if log is None:
                return c.answer(404, "no such log")
            log.append(body["text"].encode() if "text" in body else log.block(body["lines"]))
        elif what == "restart":
            with self.cluster.lock:
                self.cluster.session = "session_2026-11-21_23-59-59_000000_%d" % (9000 + self.cluster.version)
                self.cluster.jobs.clear()
                self.cluster.logs.clear()
                self.cluster.runs.clear()
                self.cluster.version += 1
        elif what == "quit":
            c.answer(200, {})
            os._exit(0)
        else:
            return c.answer(404, "404: Not Found")
        return c.answer(200, {})

    def route(self, c, r):
        path, k, get = r.path, self.cluster, r.method in ("GET", "HEAD")
        fixed = self.FIXED.get(path)
        if fixed and get:
            return c.answer(200, fixed(self, r), method=r.method)
        if path == "/nodes" and get:
            return self.nodes(c, r)
        if path.startswith("/nodes/") and get:
            return self.node(c, path[len("/nodes/"):])
        if path.startswith("/api/jobs/"):
            return self.jobs(c, r, path[len("/api/jobs/"):])
        if path.startswith("/api/packages/gcs/"):
            return self.package(c, r, path[len("/api/packages/gcs/"):])
        if path.startswith("/api/v0/") and get:
            return self.state(c, r, path[len("/api/v0/"):])
        if path.startswith("/logs/") and get and not self.o.no_agent:
            return self.ranged(c, r, path[len("/logs/"):])
        if path == "/api/authentication_mode" and get and not k.old:
            return c.answer(200, {"authentication_mode": "token" if self.o.token else "disabled"})
        return c.answer(404, "404: Not Found")

    def version(self, _):
        v = {"version": "4", "ray_version": self.o.ray_version, "ray_commit": "b7f4259e944bf6959f721b106adc366ddfa0c356",
             "session_name": self.cluster.session}
        if self.cluster.old:
            del v["session_name"]
        return v

    FIXED = {
        "/api/version": version, "/api/ray/version": version,
        "/api/gcs_healthz": lambda s, r: b"success",
        "/api/cluster_status": lambda s, r: s.cluster.cluster_status() if "format" in r.args else
        {"result": True, "msg": "Got cluster status.", "data": {"autoscalingStatus": None, "autoscalingError": None, "clusterStatus": None}},
        "/api/component_activities": lambda s, r: s.cluster.activities(),
        "/timezone": lambda s, r: {"offset": "+00:00", "value": "Etc/UTC"},
        "/cluster_id": lambda s, r: {"result": True, "msg": "Fetched cluster id", "data": {"clusterId": "e2" * 28}},
        "/api/serve/applications/": lambda s, r: recorded("serve_running") if s.o.evil else
        {"controller_info": {}, "proxies": {}, "applications": {}, "target_capacity": None},
        "/api/jobs/": lambda s, r: s.cluster.jobs_body(),
    }

    def nodes(self, c, r):
        view = r.args.get("view")
        if view == "summary":
            return c.answer(200, self.cluster.nodes_summary())
        if view == "hostNameList":
            return c.answer(200, {"result": True, "msg": "Node hostname list fetched.",
                                  "data": {"hostNameList": [n["_host"] for n in self.cluster.nodes if n["state"] == "ALIVE"]}})
        return c.answer(500, {"result": False, "msg": "Unknown view %s" % view, "data": {}})

    def node(self, c, node_id):
        detail = {"raylet": {"objectStoreUsedMemory": 0, "objectStoreAvailableMemory": 0, "stateMessage": None},
                  "tpus": [], "actors": {}, "workers": []}
        for i, n in enumerate(self.cluster.nodes):
            if n["node_id"] == node_id:
                detail = dict(self.cluster.summary_row(i, n, self.cluster.clock.ms() / 1000), workers=[], actors={})
        return c.answer(200, {"result": True, "msg": "Node details fetched.", "data": {"detail": detail}})

    def jobs(self, c, r, rest):
        k = self.cluster
        k.advance()
        if r.method == "POST" and rest == "":
            body = r.json()
            if not isinstance(body, dict):
                return c.answer(500, TROUBLE)
            return c.answer(*k.submit(body))
        sid, _, verb = rest.partition("/")
        if r.method == "POST" and verb == "stop":
            return c.answer(*k.stop(sid))
        if r.method == "DELETE" and not verb:
            return c.answer(*k.delete(sid))
        j = k.find_job(sid)
        if j is None:
            return c.answer(404, "Job %s does not exist" % sid)
        if verb == "logs":
            log = k.logs.get(j["submission_id"])
            return c.answer(200, {"logs": bytes(log.bytes()).decode() if log else ""})
        if verb:
            return c.answer(404, "404: Not Found")
        return c.answer(200, j)

    def package(self, c, r, name):
        if r.method == "PUT":
            if len(r.body) > MAX_BODY:
                return c.answer(413, "Maximum request body size 104857600 exceeded.")
            self.cluster.packages[name] = r.body
            return c.answer(200, b"")
        if name in self.cluster.packages:
            return c.answer(200, b"")
        return c.answer(404, "Package gcs://%s does not exist" % name)

    def state(self, c, r, what):
        k = self.cluster
        if what == "logs":
            return self.log_list(c, r)
        if what in ("logs/file", "logs/stream"):
            return self.log(c, r, what == "logs/stream")
        if what == "cluster_metadata":
            return c.answer(200, {"result": True, "msg": "", "data": {"rayVersion": self.o.ray_version, "pythonVersion": "3.11.7",
                                                                      "rayInitCluster": False}})
        if what == "actors/summarize":
            counts = {}
            for a in k.actors():
                one = counts.setdefault(a["class_name"], {"class_name": a["class_name"], "state_counts": {}})["state_counts"]
                one[a["state"]] = one.get(a["state"], 0) + 1
            whole = envelope_of({"node_id_to_summary": {"cluster": {"summary": counts, "total_actors": self.o.actors, "summary_by": "class"}}})
            return c.answer(200, whole)
        rows = {"nodes": lambda: k.node_rows("detail" in r.args), "actors": k.actors, "tasks": list, "workers": list,
                "placement_groups": list, "objects": list, "runtime_envs": list, "cluster_events": list}.get(what)
        if rows is None:
            return c.answer(404, "404: Not Found")
        if self.o.evil and what == "workers":
            return c.answer(200, model.envelope([{"worker_id": "%056x" % i, "worker_type": "WORKER", "node_id": n["node_id"], "ip": n["node_ip"], "pid": 100 + i,
                                                  "is_alive": i > 0, "exit_type": "SYSTEM_ERROR", "exit_detail": "Worker died"} for i, n in enumerate(k.nodes)]))
        if self.o.evil and what in RECORDED:
            return c.answer(200, recorded(RECORDED[what]))
        try:
            limit = int(r.args.get("limit", 100))
        except ValueError:
            limit = -1
        if not 0 <= limit <= 10000:
            return c.answer(400, {"result": False, "msg": "Given limit %s exceeds the supported limit 10000." % r.args["limit"],
                                  "data": {"result": None}})
        rows = filtered(rows(), r.query)
        return c.answer(200, model.envelope(rows, limit))

    # ---- logs
    def log_list(self, c, r):
        if "node_id" not in r.args and "node_ip" not in r.args:
            return c.answer(400, {"result": False, "msg": "Both node id and node ip are not provided. Please provide at least one of them.",
                                  "data": {"result": None}})
        if self.find_node(r) is None:
            return c.answer(500, TROUBLE)
        names = self.cluster.log_names()
        glob = r.args.get("glob", "*")
        found = {k: [n for n in v if fnmatch.fnmatch(n, glob)] for k, v in names.items()}
        return c.answer(200, {"result": True, "msg": "", "data": {"result": {k: v for k, v in found.items() if v}}})

    def find_node(self, r):
        for n in self.cluster.nodes:
            if n["state"] == "ALIVE" and (r.args.get("node_id") == n["node_id"] or r.args.get("node_ip") == n["node_ip"]):
                return n
        return None

    def log(self, c, r, stream):
        k, name = self.cluster, r.args.get("filename")
        if "submission_id" in r.args:
            name = "job-driver-%s.log" % r.args["submission_id"]
        if self.find_node(r) is None or not name:
            return c.answer(500, TROUBLE)
        try:
            lines, interval = int(r.args.get("lines", 1000)), float(r.args.get("interval", 1))
        except ValueError:
            return c.answer(500, TROUBLE)
        log = k.log_of(name)
        if log is None:
            why = "A file is not found at: /tmp/ray/%s/logs/%s" % (k.session, name)
            if k.old:
                return c.answer(200, "0Closing HTTP stream due to internal server error.\n" + why)
            return c.answer(500, why)
        data = log.bytes()
        at = tail_start(data, 1000 if lines == 0 else lines)
        c.sock.sendall(c.head(200, "text/plain"))
        cut = self.streams
        while True:
            while at < len(data):
                part = bytes(data[at:at + (65536 if k.old else 1 << 20)])
                c.chunk((b"1" if k.old else b"") + part)
                at += len(part)
                if self.streams != cut:
                    raise Gone
            if not stream:
                break
            wake = time.monotonic() + max(0.02, interval)
            while time.monotonic() < wake:
                time.sleep(0.02)
                if self.streams != cut or c.left():
                    raise Gone
            data = log.bytes()
        c.sock.sendall(b"0\r\n\r\n")
        return None

    def ranged(self, c, r, name):
        """The node's own server: byte ranges of a file in the log directory."""
        log = self.cluster.log_of(name)
        if log is None:
            return c.answer(404, "404: Not Found")
        data = log.bytes()
        size, wanted = len(data), r.headers.get("range", "")
        if not wanted.startswith("bytes="):
            return c.answer(200, bytes(data), "text/plain", [("Accept-Ranges", "bytes")])
        first, _, last = wanted[6:].partition("-")
        if first == "":
            a, b = max(0, size - int(last)), size
        else:
            a, b = int(first), min(size, int(last) + 1) if last else size
        if a >= size or a >= b:
            return c.answer(416, "416: Range Not Satisfiable", extra=[("Content-Range", "bytes */%d" % size)])
        return c.answer(206, bytes(data[a:b]), "text/plain", [("Content-Range", "bytes %d-%d/%d" % (a, b - 1, size)),
                                                              ("Accept-Ranges", "bytes")])


class Half:
    """A connection on which an answer stops in the middle."""

    def __init__(self, c):
        self.c, self.sock, self.head, self.left = c, c.sock, c.head, c.left

    def answer(self, status, body, ctype=None, extra=(), method="GET"):
        if isinstance(body, str):
            body, ctype = body.encode(), ctype or TEXT
        elif not isinstance(body, (bytes, bytearray)):
            body = json.dumps(body).encode()
        self.sock.sendall(self.head(status, ctype or JSON, len(body), extra) + bytes(body[:len(body) // 2]))

    def chunk(self, data):
        self.sock.sendall(b"%x\r\n" % len(data) + data[:len(data) // 2])
        raise Gone


def recorded(name):
    with open(os.path.join(HERE, "..", "fixtures", "ray-2.60.0", name + ".json")) as f:
        return json.load(f)


def envelope_of(result):
    whole = model.envelope([])
    whole["data"]["result"]["result"] = result
    return whole


def filtered(rows, query):
    keys = [v for k, v in query if k == "filter_keys"]
    how = [v for k, v in query if k == "filter_predicates"]
    what = [v for k, v in query if k == "filter_values"]
    for key, predicate, value in zip(keys, how, what):
        rows = [x for x in rows if (str(x.get(key)).lower() == value.lower()) == (predicate == "=")]
    return rows


def tail_start(data, lines):
    """Where the last complete lines begin; all of it for -1."""
    if lines < 0:
        return 0
    at = data.rfind(b"\n") + 1
    for _ in range(lines):
        if at <= 0:
            return 0
        at = data.rfind(b"\n", 0, at - 1) + 1
    return at


def options(argv=None):
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--port", type=int, default=0, help="0: a free one (default)")
    p.add_argument("--nodes", type=int, default=4)
    p.add_argument("--dead", type=int, default=0, help="so many of the nodes are DEAD")
    p.add_argument("--jobs", type=int, default=12)
    p.add_argument("--actors", type=int, default=40)
    p.add_argument("--seed", type=int, default=7)
    p.add_argument("--now-ms", type=int, help="the time stands still here, in every answer")
    p.add_argument("--ray-version", default="2.60.0", help="before 2.49: the old shapes")
    p.add_argument("--autoscaler", action="store_true", help="node types, one launching, a failure")
    p.add_argument("--demand", action="store_true", help="resource demands that wait")
    p.add_argument("--token", help="a bearer token is asked for")
    p.add_argument("--job-bytes", type=int, default=0, help="each job of the list is about so large")
    p.add_argument("--job-s", type=float, default=1.0, help="how long a submitted job runs")
    p.add_argument("--pending-s", type=float, default=0.2, help="how long it waits before")
    p.add_argument("--job-log-rate", type=float, default=10, help="lines/s that a submitted job writes")
    p.add_argument("--log-lines", type=int, help="lines in the log of the first running job (2000)")
    p.add_argument("--log-rate", type=float, default=0, help="lines/s that it grows by")
    p.add_argument("--no-agent", action="store_true", help="no byte ranges: logs only through the dashboard")
    p.add_argument("--delay-ms", type=float, default=0, help="before each answer")
    p.add_argument("--evil", action="store_true", help="harm in every name and message, and lists as they were recorded")
    p.add_argument("--stay", action="store_true", help="do not end with the parent")
    return p.parse_args(argv)


def end_with_parent():
    parent = os.getppid()
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(0)


def main():
    o = options()
    server = Server(o)
    print(server.port, flush=True)
    if not o.stay:
        threading.Thread(target=end_with_parent, daemon=True).start()
    try:
        server.serve()
    except KeyboardInterrupt:
        sys.exit(0)


if __name__ == "__main__":
    main()
