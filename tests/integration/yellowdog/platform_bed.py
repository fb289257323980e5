"""A test platform, an SSH server on loopback in the place of the head's, a made-up dashboard, and a HOME to run raytui in."""
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.join(HERE, "..", "..")
TESTBED = os.path.join(TESTS, "testbed")
sys.path.insert(0, os.path.join(TESTS, "support"))
from raytui_run import Home, Screen, Sim, free_ports, until  # noqa: E402

KEY, SECRET = "test-key-id", "test-key-secret"
HEAD_NET = "127.0.%d" % (80 + os.getpid() % 150)  # of this run alone
HEAD = HEAD_NET + ".2"


class Ssh:
    """sshd of the caller on HEAD, port 2222."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="rt-yd-ssh-", dir="/tmp")
        self.run()

    def run(self, *words):
        p = subprocess.run([os.path.join(TESTBED, "hosts-lo-up.sh"), self.dir, *words], env={**os.environ, "RTB_LO": HEAD_NET},
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if p.returncode:
            raise AssertionError(p.stdout)

    def config(self):
        return "Host *\n  Port 2222\n  StrictHostKeyChecking accept-new\n"

    def close(self):
        self.run("stop")
        shutil.rmtree(self.dir, ignore_errors=True)


class Platform:
    def __init__(self, *options):
        self.dir = tempfile.mkdtemp(prefix="rt-yd-", dir="/tmp")
        text = self.bed("up", *options)
        self.url = re.search(r"YD_API_URL=(\S+)", text).group(1)

    def bed(self, what, *options):
        return subprocess.run([os.path.join(TESTBED, "yellowdog", "bed.sh"), what, self.dir, *options], check=True, stdout=subprocess.PIPE,
                              text=True).stdout

    def ask(self, path, body=None, method=None):
        r = urllib.request.Request(self.url + "/_test/" + path, None if body is None else json.dumps(body).encode(), method=method)
        with urllib.request.urlopen(r, timeout=20) as answer:
            data = answer.read()
        return json.loads(data) if data else None

    def state(self):
        return self.ask("state")

    def calls(self, *prefixes):
        """"POST /work/requirements" of the calls that change something, in their order."""
        all_of = [c["method"] + " " + re.sub(r"ydid:[^/]*", "ID", c["path"]) for c in self.ask("calls") if c["method"] != "GET"]
        return [c for c in all_of if not prefixes or c.startswith(prefixes)]

    def bodies(self, path):
        return [c["body"] for c in self.ask("calls") if c["method"] in ("POST", "PUT") and re.search(path, c["path"])]

    def fault(self, path, **more):
        self.ask("fault", dict(path=path, **more))

    def mend(self):
        self.ask("fault", method="DELETE")

    def capacity(self, n):
        self.ask("capacity", {"max": n})

    def pools(self):
        return {p["name"]: p for p in self.state()["pools"]}

    def works(self):
        return {w["name"]: w for w in self.state()["work"]}

    def tasks(self, status=None):
        return [t for t in self.state()["tasks"] if status is None or t["status"] == status]

    def machines(self):
        return [i for i in self.state()["instances"] if i["status"] in ("PENDING", "RUNNING")]

    def living(self):
        """Everything that somebody would have to pay for, by name."""
        s = self.state()
        over = ("TERMINATED", "SHUTDOWN")
        return sorted([p["name"] for p in s["pools"] if p["status"] not in over] +
                      [w["name"] for w in s["work"] if w["status"] not in ("COMPLETED", "FAILED", "CANCELLED")])

    def close(self):
        self.bed("down")
        shutil.rmtree(self.dir, ignore_errors=True)


def config(platform, extra="", head="test/ray-head", pools="{cpu: {template: test/ray-worker, count: 2, max: 4}}", port=8265, name="demo",
           user="root", key=""):
    return ("clusters:\n  %s:\n    provider: yellowdog\n    api_url: %s\n    key_id: %s\n    key_secret_env: YD_TEST_SECRET\n    namespace: raydog\n"
            "    tag: team\n    attach: manual\n    head: {template: %s}\n    pools: %s\n    dashboard_port: %d\n    ssh: {user: %s, key: %s}\n%s"
            % (name, platform.url, KEY, head, pools, port, user, key, extra))


class World:
    """All of it."""

    def __init__(self, raytui, ssh, *options, sim=True, hosts=False, **more):
        self.ssh = ssh
        self.platform = Platform(*(() if hosts else ("--public-ip", HEAD)), *options)
        self.sim = Sim("--port", "0", "--nodes", "1", "--jobs", "0") if sim else None
        self.home = Home(raytui, env={"YD_TEST_SECRET": SECRET})
        self.home.file(".ssh/config", ssh.config())
        self.configure(**more)

    def configure(self, **more):
        more.setdefault("port", self.sim.port if self.sim else 8265)
        more.setdefault("key", self.ssh.dir + "/id_ed25519")
        more.setdefault("user", os.environ.get("USER", "root"))
        self.home.configure(config(self.platform, **more))

    def pool(self, name):
        for p in self.home.json("pools", "demo")["items"]:
            if p["name"] == name:
                return p
        return None

    def journal(self):
        path = self.home.dir + "/state/raytui/clusters/demo/journal.jsonl"
        return open(path).read() if os.path.exists(path) else ""

    def secrets(self):
        """Files of raytui that hold the secret."""
        found = []
        for d, _, files in os.walk(self.home.dir + "/state"):
            for f in files:
                with open(os.path.join(d, f), "rb") as text:
                    if SECRET.encode() in text.read():
                        found.append(f)
        return found

    def close(self):
        self.home.close()
        if self.sim:
            self.sim.close()
        self.platform.close()


__all__ = ["HEAD", "SECRET", "TESTBED", "Screen", "Ssh", "World", "free_ports", "until"]
