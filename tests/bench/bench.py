#!/usr/bin/env python3
"""raytui beside its peers, measured in the same run.

  bench.py --raytui build/release/raytui [--only first,rows,key,load,idle,rss,tunnel,follow] [--markdown FILE]

Numbers come from this machine at this moment: read the ratios, not the figures.
"""
import argparse
import glob
import json
import os
import platform
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request

import measure
import tunnel
from terminal import Program, keys, stats

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
GROUPS = ["first", "rows", "key", "load", "idle", "rss", "tunnel", "follow"]
median = statistics.median


class Skip(Exception):
    pass


def say(text):
    print("    " + text, file=sys.stderr, flush=True)


# ---------------------------------------------------------------- what is measured against
class Sim:
    """The made-up dashboard."""

    def __init__(self, *words):
        self.child = subprocess.Popen([sys.executable, os.path.join(TESTS, "sim", "dashboard.py"), *map(str, words)],
                                      stdout=subprocess.PIPE)
        self.port = int(self.child.stdout.readline())
        self.url = "http://127.0.0.1:%d" % self.port

    def ask(self, path, body=None):
        data = None if body is None else json.dumps(body).encode()
        with urllib.request.urlopen(self.url + path, data, timeout=120) as r:
            return json.loads(r.read() or b"null")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.child.terminate()
        self.child.wait()


class Ray:
    """A real head on loopback."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="raytui-bench-")
        done = subprocess.run([os.path.join(TESTS, "testbed", "ray-local.sh"), "up", self.dir, "2.60.0"], stdout=subprocess.PIPE,
                              universal_newlines=True, stdin=subprocess.DEVNULL)
        if done.returncode:
            raise Skip("no real Ray could be started")
        self.env = dict(line.split("=", 1) for line in done.stdout.splitlines() if "=" in line)
        self.url, self.ray = self.env["DASHBOARD"], self.env["RAY"]
        post(self.url, "/api/jobs/", {"entrypoint": "echo hello", "submission_id": "bench_job_1"})
        time.sleep(6)                             # until its nodes are reported and the job is over

    def __enter__(self):
        return self

    def __exit__(self, *_):
        subprocess.run([os.path.join(TESTS, "testbed", "ray-local.sh"), "down", self.dir], check=False)
        shutil.rmtree(self.dir, ignore_errors=True)


class Raytui:
    """raytui with a home of its own."""

    def __init__(self, path):
        self.path, self.home = os.path.abspath(path), tempfile.mkdtemp(prefix="raytui-bench-home-")
        self.env = {"HOME": self.home, "XDG_CONFIG_HOME": self.home + "/config", "XDG_STATE_HOME": self.home + "/state",
                    "XDG_CACHE_HOME": self.home + "/cache", "XDG_RUNTIME_DIR": self.home + "/run"}
        os.mkdir(self.home + "/run", 0o700)

    def config(self, text):
        f = os.path.join(self.home, "bench.yaml")
        with open(os.open(f, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as out:
            out.write(text)
        return f

    def on(self, sim):
        """The command line for a configured cluster."""
        f = self.config("default: sim\nclusters:\n  sim: {provider: address, url: \"%s\"}\n" % sim.url)
        return [self.path, "--config", f, "sim"]

    def close(self):
        shutil.rmtree(self.home, ignore_errors=True)


# ---------------------------------------------------------------- the rows
class Table:
    def __init__(self):
        self.rows = []

    def add(self, what, figure, peer, ratio, goal, ok):
        self.rows.append((what, figure, peer, ratio, goal, "ok" if ok else "short"))
        say("%s: %s; %s; %s (goal %s): %s" % self.rows[-1])

    def skip(self, what, why):
        self.rows.append((what, "-", "-", "-", "-", "skipped: " + why))
        say("%s: skipped: %s" % (what, why))

    def text(self):
        head = ("what", "raytui", "peer", "ratio", "goal", "")
        width = [max(len(r[i]) for r in [head] + self.rows) for i in range(6)]
        return "\n".join("  ".join(c.ljust(w) for c, w in zip(r, width)).rstrip() for r in [head] + self.rows)

    def markdown(self):
        lines = ["| what | raytui | peer in the same run | ratio | goal | |", "| --- | --- | --- | --- | --- | --- |"]
        return "\n".join(lines + ["| " + " | ".join(r) + " |" for r in self.rows])


def need(program):
    if not shutil.which(program):
        raise Skip(program + " is not installed")


def have_screen(result, what):
    if result.get("first_frame") is None:
        raise Skip("%s drew no frame" % what)


def first(t, r, o):
    need("btop")
    need("htop")
    with Sim("--nodes", 16, "--jobs", 60) as sim:
        argv, got = r.on(sim), {"raytui": [], "btop": [], "htop": []}
        for _ in range(o.runs):
            for name, words, env in (("raytui", argv, r.env), ("btop", ["btop"], None), ("htop", ["htop"], None)):
                one = measure.first_frame(words, env)
                have_screen(one, name)
                got[name].append(one["first_frame"])
    mine, theirs = min(got["raytui"]), min(got["btop"])
    t.add("first frame (least of %d)" % o.runs, "%.1f ms" % mine, "btop %.1f ms, htop %.1f ms" % (theirs, min(got["htop"])),
          "%.2f" % (mine / theirs), "<= btop", mine <= theirs)


def rows(t, r, o):
    with Ray() as ray:
        mine, theirs = [], []
        for _ in range(max(3, o.runs // 2)):
            one = measure.first_frame([r.path, ray.url], r.env, expect=r"bench_job_1", settle=2)
            if one["expect"] is None:
                print(one["screen"], file=sys.stderr)
                raise Skip("the job did not come to the screen")
            mine.append(one["expect"])
            theirs.append(measure.command([ray.ray, "list", "nodes", "--address", ray.url])["ms"])
        t.add("rows of a local dashboard on the screen (median)", "%.0f ms" % median(mine), "ray list nodes %.0f ms" % median(theirs),
              "1/%.0f" % (median(theirs) / median(mine)), "<= 60 ms", median(mine) <= 60)
        cli_rows(t, r, o, ray)


def cli_rows(t, r, o, ray):
    mine, theirs = [], []
    for _ in range(max(3, o.runs // 2)):
        mine.append(measure.command([r.path, "nodes", "-o", "json", "--address", ray.url], r.env))
        theirs.append(measure.command([ray.ray, "list", "nodes", "--format", "json", "--address", ray.url]))
    bad = [x for x in mine if x["status"]]
    if bad:
        raise Skip("raytui nodes ended with %d: %s" % (bad[0]["status"], bad[0]["err"].strip()[-200:]))
    items = json.loads(mine[0]["out"]).get("items", [])
    if len(items) != 1:
        raise Skip("raytui nodes lists %d nodes, not 1" % len(items))
    ms = median(x["ms"] for x in mine), median(x["ms"] for x in theirs)
    kib = max(x["kib"] for x in mine), max(x["kib"] for x in theirs)
    t.add("nodes -o json: time (median)", "%.0f ms" % ms[0], "ray list nodes %.0f ms" % ms[1], "1/%.0f" % (ms[1] / ms[0]),
          "<= 1/30", ms[0] * 30 <= ms[1])
    t.add("nodes -o json: peak memory", "%.1f MiB" % (kib[0] / 1024), "ray list nodes %.1f MiB" % (kib[1] / 1024),
          "1/%.0f" % (kib[1] / kib[0]), "<= 1/8", kib[0] * 8 <= kib[1])


def key(t, r, o):
    need("htop")
    with Sim("--nodes", 500, "--jobs", 2000) as sim:
        mine = measure.key_latency(r.on(sim), r.env, prepare=["4"], warmup=3, count=o.keys)
        theirs = measure.key_latency(["htop"], cycle=("<down>", "<up>"), count=o.keys)
    floor = measure.key_latency(["sh", "-c", "stty raw -echo; exec cat"], cycle=("a", "b"), count=30, quit_keys="")
    a, b, f = (stats([x for _, x in got]) for got in (mine, theirs, floor))
    if not a or a["n"] < o.keys // 2:
        raise Skip("keys did not change the screen")
    t.add("key to screen, 500 nodes, 2,000 jobs (median)", "%.2f ms (p95 %.2f)" % (a["median"], a["p95"]),
          "htop %.2f ms (p95 %.2f); the harness alone %.2f" % (b["median"], b["p95"], f["median"]), "%.2f" % (a["median"] / b["median"]),
          "<= htop", a["median"] <= b["median"])


def load(t, r, o):
    with Sim("--nodes", 500, "--jobs", 2000, "--job-bytes", 36000) as sim:
        got = measure.key_latency(r.on(sim), r.env, prepare=["4"], warmup=6, count=o.keys * 5, rate=20, window_ms=400,
                                  stir="<c-r>")
        spans = [(a, b + 0.05) for a, b in sim.ask("/_test/transfers")]
    busy = [x for when, x in got if any(a <= when <= b for a, b in spans)]
    seen = stats(busy)
    if not seen or seen["n"] < 20:
        raise Skip("only %d keys fell into a transfer" % (seen["n"] if seen else 0))
    unseen = sum(x is None for x in busy)
    t.add("key to screen while a 70 MB job list arrives (p95 of %d)" % len(busy), "%.1f ms (median %.1f, worst %.1f%s)" % (
        seen["p95"], seen["median"], seen["max"], ", %d unseen" % unseen if unseen else ""), "-", "-", "<= 16 ms",
        seen["p95"] <= 16 and unseen * 20 <= len(busy))


def idle(t, r, o):
    need("btop")
    with Sim("--nodes", 16, "--jobs", 60) as sim:
        mine = measure.idle(r.on(sim), r.env, seconds=o.seconds)
        theirs = measure.idle(["btop"], seconds=o.seconds)
        calls = sim.ask("/_test/calls")
    with Sim("--nodes", 16, "--jobs", 0) as sim:  # no job whose duration grows
        still = measure.idle(r.on(sim), r.env, seconds=o.seconds, samples=1)
    a, b = mine["cpu"]["median"], theirs["cpu"]["median"]
    say("requests meanwhile: " + ", ".join("%s %d" % x for x in sorted(calls.items())))
    t.add("idle CPU, polled each 2 s", "%.2f %%" % a, "btop %.2f %%" % b, "%.2f" % (a / b), "<= 0.7", a <= 0.7 * b)
    rate = still["bytes_per_s"]["median"]
    t.add("bytes to the terminal when nothing changes", "%.0f B/s (%.0f with six running jobs)" % (rate, mine["bytes_per_s"]["median"]), "btop %.0f B/s" % theirs["bytes_per_s"]["median"],
          "-", "only the age: <= 64 B/s", rate <= 64)


def rss(t, r, o):
    for nodes, jobs, goal in ((16, 60, 14), (500, 2000, 24), (2000, 10000, 48)):
        with Sim("--nodes", nodes, "--jobs", jobs) as sim:
            got = measure.idle(r.on(sim), r.env, prepare=["3", "4"], warmup=8, seconds=3, samples=1)
        if not got["alive"]:
            raise Skip("raytui ended")
        mib = got["rss_kib"] / 1024
        t.add("resident memory, %s nodes, %s jobs" % (format(nodes, ","), format(jobs, ",")),
              "%.1f MiB (peak %.1f)" % (mib, got["peak_kib"] / 1024), "-", "-", "<= %d MiB" % goal, mib <= goal)


# ---- tunnels
def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Hosts:
    """Real sshd hosts in namespaces; the far end of the tunnels runs in `head`."""

    def __init__(self):
        if os.geteuid() != 0 or not sys.platform.startswith("linux"):
            raise Skip("hosts in namespaces need root on Linux")
        self.state = tempfile.mkdtemp(prefix="raytui-bench-hosts-")
        self.env = dict(os.environ, RTB_PREFIX="rtbb", RTB_NET="10.83")
        self.run("hosts-up.sh", self.state)
        self.config = os.path.join(self.state, "ssh_config")
        self.helpers = [self.inside(os.path.join(HERE, "tunnel.py"), "serve", "9100"),
                        self.inside(os.path.join(TESTS, "sim", "dashboard.py"), "--port", "8265", "--stay")]

    def run(self, script, *words):
        done = subprocess.run([os.path.join(TESTS, "testbed", script), *words], env=self.env, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
        if done.returncode:
            raise Skip("%s: %s" % (script, done.stderr.strip()[-200:]))
        return done.stdout.strip()

    def inside(self, script, *words):
        """Runs a script in head, which sees only /usr and the shared /srv of this machine's files."""
        with open(os.path.join(self.state, "hosts", "head", "init.pid")) as f:
            pid = f.read().strip()
        for source in glob.glob(os.path.join(os.path.dirname(script), "*.py")):
            shutil.copy(source, os.path.join(self.state, "share"))
        return subprocess.Popen(["nsenter", "-t", pid, "-m", "-u", "-i", "-n", "-p", "--", "/usr/bin/python3",
                                 "/srv/" + os.path.basename(script), *words], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)

    def lag(self, ms):
        """A second way to head, half of the delay in each direction; gives the Host of the configuration."""
        address = self.run("fault.sh", "-s", self.state, "head", "lag", str(ms / 2))
        with open(self.config) as f:
            rest = f.read()
        with open(self.config, "w") as f:
            f.write("Host head-lag\n  HostName %s\n  HostKeyAlias head\n%s" % (address, rest))
        return "head-lag"

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for h in self.helpers:
            h.terminate()
        subprocess.run([os.path.join(TESTS, "testbed", "hosts-down.sh"), self.state, "--purge"], env=self.env, check=False,
                       stdout=subprocess.DEVNULL)


def ssh_forward(hosts, host):
    port = free_port()
    return port, measure.Process(["ssh", "-F", hosts.config, "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-N",
                                  "-L", "127.0.0.1:%d:127.0.0.1:9100" % port, host])


def raytui_forward(r, hosts, host, transport):
    port = free_port()
    f = r.config("clusters:\n  tun: {provider: address, url: \"http://127.0.0.1:8265\", hop: \"ssh://%s\", ssh_config: \"%s\", "
                 "transport: %s, ports: [9100], local_ports: {9100: %d}}\n" % (host, hosts.config, transport, port))
    return port, measure.Process([r.path, "--config", f, "forward", "tun"], r.env)


def tunnel_figures(port, delayed):
    big = 60_000_000 if delayed else 300_000_000
    return {"latency": tunnel.latency_us(port, 200 if delayed else 1000),
            "get 1": tunnel.rate(port, tunnel.get, big, 1), "put 1": tunnel.rate(port, tunnel.put, big, 1),
            "get 10": tunnel.rate(port, tunnel.get, big, 10), "put 10": tunnel.rate(port, tunnel.put, big, 10)}


def tunnel_rounds(hosts, host, delayed, ways, rounds):
    """Every way in turn, several times; the median of each figure."""
    got = {name: [] for name in ways}
    cpu = {}
    for n in range(rounds):
        for name, start in ways.items():
            port, process = start(hosts, host)
            try:
                got[name].append(tunnel_figures(port, delayed))
                if n == 0 and not delayed:
                    time.sleep(1)
                    cpu[name] = process.cpu_percent(5)
            except OSError as e:
                process.stop()
                raise Skip("%s: %s: %s" % (name, e, (process.child.stderr.read() or b"").decode()[-300:].strip()))
            process.stop()
    return {name: {k: median(x[k] for x in runs) for k in runs[0]} for name, runs in got.items()}, cpu


def tunnels(t, r, o):
    need("ssh")
    with Hosts() as hosts:
        ways = {"ssh -L": ssh_forward}
        if r:
            ways["libssh2"] = lambda h, host: raytui_forward(r, h, host, "libssh2")
            ways["openssh"] = lambda h, host: raytui_forward(r, h, host, "openssh")
        for delayed in (False, True):
            host = hosts.lag(10) if delayed else "head-direct"
            got, cpu = tunnel_rounds(hosts, host, delayed, ways, 1 if delayed else o.rounds)
            peer = got.pop("ssh -L")
            if not r:
                say("ssh -L%s: %s" % (", 10 ms" if delayed else "", peer))
            for name, figures in got.items():
                tunnel_table(t, name, figures, peer, ", 10 ms" if delayed else "")
            for name, percent in cpu.items():
                if name != "ssh -L":
                    t.add("forward idle, %s" % name, "%.2f %%" % percent, "ssh -L %.2f %%" % cpu["ssh -L"], "-", "0 % (below 0.1)", percent < 0.1)


def tunnel_table(t, name, figures, peer, words):
    ratio = figures["latency"] / peer["latency"]
    t.add("small request, %s%s (median)" % (name, words), "%.0f us" % figures["latency"], "ssh -L %.0f us" % peer["latency"],
          "%.2f" % ratio, "<= 1.1", ratio <= 1.1)
    for k in ("get 1", "put 1", "get 10", "put 10"):
        goal = 1.0 if name == "openssh" else 0.5 if k.startswith("get") else 0.7
        ratio = figures[k] / peer[k]
        t.add("%s, %s connection%s, %s%s" % (k[:3], k[4:], "s" if k.endswith("10") else "", name, words), "%.0f MB/s" % figures[k],
              "ssh -L %.0f MB/s" % peer[k], "%.2f" % ratio, ">= %.1f" % goal, ratio >= goal)


# ---- logs
LINES = 1_000_000
WRITER = """
import os, sys, time
print("ready", flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
line = "2026-11-21 10:00:00,123 INFO train.py:42 -- step %09d loss=0.4312 lr=2.9e-4 tokens/s=40123\\n"
sys.stdout.write("".join([line % i for i in range(int(sys.argv[2]))]))
sys.stdout.flush()
time.sleep(60)
"""


def ends_with(path, text, limit, first_after=None):
    """The moment when the file has grown past first_after bytes, and when it ends with a line that holds text."""
    end, first = time.monotonic() + limit, None
    with open(path, "rb") as f:
        while time.monotonic() < end:
            size = f.seek(0, os.SEEK_END)
            if first is None and first_after is not None and size > first_after:
                first = time.perf_counter()
            f.seek(max(0, size - 200))
            if text in f.read():
                return first, time.perf_counter()
            time.sleep(0.001)
    return first, None


def post(url, path, body=None):
    data = json.dumps(body or {}).encode()
    request = urllib.request.Request(url + path, data, {"User-Agent": "raytui-bench"})
    return json.loads(urllib.request.urlopen(request, timeout=30).read())


def get_json(url, path):
    return json.loads(urllib.request.urlopen(urllib.request.Request(url + path, headers={"User-Agent": "raytui-bench"}), timeout=30).read())


def follow_once(name, r, ray, n):
    """A job writes a million lines at once while its log is followed: lines a second from the first to the last, and
    how often the screen was drawn in the busiest second."""
    job = "follow_%d_%s" % (n, name.replace(" ", "_"))
    with tempfile.TemporaryDirectory() as tmp:
        script, go, sink = (os.path.join(tmp, x) for x in ("writer.py", "go", "sink"))
        with open(script, "w") as f:
            f.write(WRITER)
        post(ray.url, "/api/jobs/", {"entrypoint": "exec python %s %s %d" % (script, go, LINES), "submission_id": job})
        while get_json(ray.url, "/api/jobs/" + job)["status"] == "PENDING":
            time.sleep(0.2)
        node = get_json(ray.url, "/api/jobs/" + job)["driver_node_id"]
        frames, last_line = 0, b"step %09d" % (LINES - 1)
        if name == "the screen":
            p = Program([r.path, ray.url], measure.ROWS, measure.COLS, env=r.env)
            time.sleep(2)
            p.send(keys(":logs -f %s<enter>" % job))
            if measure.on_screen(p, ["ready"], 0, 8) == [None]:
                p.stop()
                raise Skip("the log did not come to the screen")
        else:
            argv = ["curl", "-sN", "%s/api/v0/logs/stream?node_id=%s&filename=job-driver-%s.log&lines=-1&interval=0.5"
                    % (ray.url, node, job)]
            if name == "a file":
                argv = [r.path, "logs", "-f", job, "--address", ray.url]
            with open(sink, "wb") as f:
                p = measure.Process(argv, r.env if r else None, stdout=f)
            if ends_with(sink, b"ready", 15)[1] is None:
                p.stop()
                raise Skip("%s did not begin: %s" % (name, (p.child.stderr.read() or b"").decode()[-200:]))
        begin = time.perf_counter()
        open(go, "w").close()
        if name == "the screen":
            first, last = measure.on_screen(p, ["-- step ", last_line.decode()], begin, 30)
            frames = measure.frames_per_second(p.chunks, begin, last or begin)
            p.stop(keys("q"))
        else:
            first, last = ends_with(sink, last_line, 60, os.path.getsize(sink))
            p.stop()
        post(ray.url, "/api/jobs/%s/stop" % job)
        if last is None:
            raise Skip("%s: the last line never came" % name)
        say("%s: %.2f s" % (name, last - first))
        return LINES / max(1e-4, last - first), frames


def follow(t, r, o):
    need("curl")
    names = ["curl"] + (["a file", "the screen"] if r else [])
    got = {name: [] for name in names}
    with Ray() as ray:
        for n in range(o.rounds):
            for name in names:
                got[name].append(follow_once(name, r, ray, n))
    peer = median(x[0] for x in got["curl"])
    if not r:
        say("curl: %.2f M lines/s" % (peer / 1e6))
        return
    for name in names[1:]:
        mine = median(x[0] for x in got[name])
        t.add("log follow, to %s" % name, "%.2f M lines/s" % (mine / 1e6), "curl to a file %.2f M lines/s" % (peer / 1e6),
              "%.2f" % (mine / peer), ">= 0.9", mine >= 0.9 * peer)
    frames = max(x[1] for x in got["the screen"])
    t.add("frames drawn meanwhile", "%d a second" % frames, "-", "-", "<= 30", frames <= 31)


# ---------------------------------------------------------------- all together
def machine():
    cpu = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as f:
            cpu = re.search(r"model name\s*: (.*)", f.read()).group(1)
    except (OSError, AttributeError):
        pass
    system = platform.system() + " " + platform.release()
    try:
        with open("/etc/os-release") as f:
            system = re.search(r'PRETTY_NAME="(.*)"', f.read()).group(1) + ", " + system
    except (OSError, AttributeError):
        pass
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return "%s, %d cores, %.0f GiB, %s" % (cpu, os.cpu_count(), gib, system)


def versions():
    out = []
    for name, words in (("htop", ["htop", "--version"]), ("btop", ["btop", "--version"]), ("ssh", ["ssh", "-V"]),
                        ("curl", ["curl", "--version"]), ("libssh2", ["pkg-config", "--modversion", "libssh2"])):
        if shutil.which(words[0]):
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=False)
            found = re.search(r"\d+\.\d+[.\w]*", done.stdout)
            out.append("%s %s" % (name, found.group(0) if found else "?"))
    return ", ".join(out)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--raytui", help="the program; without it only the peers of tunnel and follow are measured")
    p.add_argument("--only", default=",".join(GROUPS), help="groups: " + ",".join(GROUPS))
    p.add_argument("--runs", type=int, default=9, help="starts of each program")
    p.add_argument("--rounds", type=int, default=3, help="rounds of tunnels and logs")
    p.add_argument("--keys", type=int, default=60)
    p.add_argument("--seconds", type=float, default=10, help="length of one sample of idling")
    p.add_argument("--markdown", metavar="FILE", help="write the table there as well")
    o = p.parse_args()
    if o.raytui and not os.access(o.raytui, os.X_OK):
        sys.exit("there is no program at %s" % o.raytui)
    r = Raytui(o.raytui) if o.raytui else None
    table = Table()
    work = {"first": first, "rows": rows, "key": key, "load": load, "idle": idle, "rss": rss, "tunnel": tunnels, "follow": follow}
    for name in o.only.split(","):
        if name not in work:
            sys.exit("no such group: %s (there are %s)" % (name, ", ".join(GROUPS)))
        print("==> " + name, file=sys.stderr, flush=True)
        try:
            work[name](table, r, o)
        except Skip as e:
            table.skip(name, str(e))
    if r:
        r.close()
    print(table.text())
    if o.markdown:
        with open(o.markdown, "w") as f:
            f.write("Measured on %s, by `scripts/bench`.\nMachine: %s.\nPeers: %s.\n\n%s\n" % (
                time.strftime("%Y-%m-%d"), machine(), versions(), table.markdown()))


if __name__ == "__main__":
    main()
