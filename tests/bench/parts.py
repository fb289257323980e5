"""What the groups of measurements share: the table, the worlds that are measured, small functions."""
import glob
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
CACHE = os.path.join(os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache"), "raytui-tests", "bench")


FAR_PORT, FAR_PORTS = 9100, 10  # where the far end of the tunnels listens


class Skip(Exception):
    pass


def say(text):
    print("    " + text, file=sys.stderr, flush=True)


def need(program):
    if not shutil.which(program):
        raise Skip(program + " is not installed")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def post(url, path, body=None):
    data = json.dumps(body or {}).encode()
    request = urllib.request.Request(url + path, data, {"User-Agent": "raytui-bench"})
    return json.loads(urllib.request.urlopen(request, timeout=30).read())


def get_json(url, path):
    return json.loads(urllib.request.urlopen(urllib.request.Request(url + path, headers={"User-Agent": "raytui-bench"}), timeout=30).read())


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


class Hosts:
    """Real sshd hosts in namespaces; the far end of the tunnels runs in `head`."""

    def __init__(self):
        if os.geteuid() != 0 or not sys.platform.startswith("linux"):
            raise Skip("hosts in namespaces need root on Linux")
        self.state = tempfile.mkdtemp(prefix="raytui-bench-hosts-")
        self.env = dict(os.environ, RTB_PREFIX="rtbb", RTB_NET="10.83")
        self.run("hosts-up.sh", self.state)
        self.config = os.path.join(self.state, "ssh_config")
        self.helpers = [self.inside(os.path.join(HERE, "tunnel.py"), "serve", str(FAR_PORT), str(FAR_PORTS)),
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
