"""A Kubernetes with the KubeRay operator for one run of the tests, and what they do to it."""
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.join(HERE, "..", "..")
sys.path.insert(0, os.path.join(TESTS, "support"))
from raytui_run import Home, Running, until  # noqa: E402,F401

SCRIPTS = os.path.join(TESTS, "testbed", "kube")
VERSION = os.environ.get("RAY_VERSION", "2.60.0")


class Bed:
    """The control plane. `kubectl` acts as its administrator; `env` leads a raytui there."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="rt-kube-", dir="/tmp")
        cache = self.script("build.sh", "check").strip()
        self.path = cache + "/bin:" + os.environ["PATH"]
        said = dict(x.split("=", 1) for x in self.script("bed.sh", "up", self.dir).splitlines() if "=" in x)
        self.kubeconfig, self.api = said["KUBECONFIG"], said["API"]
        self.env = {"KUBECONFIG": self.kubeconfig, "PATH": self.path}
        self.podrun = None

    @staticmethod
    def script(name, *words, timeout=240):
        p = subprocess.run([os.path.join(SCRIPTS, name), *words], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=timeout)
        if p.returncode != 0:
            raise RuntimeError("%s %s: %s" % (name, " ".join(words), p.stderr[-800:]))
        return p.stdout

    def part(self, what, name):
        """what: start, stop or kill; name: apiserver, operator, ..."""
        self.script("bed.sh", what, self.dir, name)
        if what == "kill" and name == "apiserver":
            until("the API server is dead", lambda: self.kubectl("get", "--raw", "/readyz", check=False) != "ok", 60)
        if what == "start" and name == "apiserver":
            until("the API server answers", lambda: self.kubectl("get", "--raw", "/readyz", check=False) == "ok", 90)

    def kubectl(self, *words, check=True, given=None, env=None):
        p = subprocess.run(["kubectl", *words], env={**os.environ, **self.env, **(env or {})}, input=given or "", text=True,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=120)
        if check and p.returncode != 0:
            raise AssertionError("kubectl %s: %s" % (" ".join(words), p.stderr))
        return p.stdout

    def get(self, kind, name=None, *words):
        """One object, or the list of them, as it is; None where it is not."""
        out = self.kubectl("get", kind, *([name] if name else []), *words, "-o", "json", check=False)
        if not out:
            return None
        return json.loads(out) if name else json.loads(out)["items"]

    def apply(self, text):
        self.kubectl("apply", "-f", "-", given=text)

    def namespace(self, name):
        """A namespace for one test."""
        self.kubectl("create", "namespace", name)
        until("the service account of " + name, lambda: self.get("serviceaccount", "default", "-n", name), 60)
        return name

    def pods(self, cluster, namespace="default"):
        return self.get("pods", None, "-n", namespace, "-l", "ray.io/cluster=" + cluster)

    def play_pods(self):
        """From now on pods annotated testbed/real are real processes of Ray."""
        if self.podrun is None:
            ray = subprocess.run([os.path.join(TESTS, "testbed", "ray-venv.sh"), VERSION], stdout=subprocess.PIPE, text=True,
                                 check=True).stdout.strip() + "/ray"
            env = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
            self.podrun = Running([sys.executable, os.path.join(SCRIPTS, "podrun.py"), self.dir, "--ray", ray], env)

    def close(self):
        if self.podrun is not None:
            self.podrun.stop()
        self.script("bed.sh", "down", self.dir)
        shutil.rmtree(self.dir, ignore_errors=True)


class Wire:
    """What comes to a server's socket is carried to where `connect` leads; `look` gets each piece before it goes there."""

    def __init__(self, server, connect, look=lambda data: None):
        self.server, self.connect, self.look, self.carried = server, connect, look, []
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            far = self.connect()
            self.carried += [near, far]
            threading.Thread(target=self.carry, args=(near, far, self.look), daemon=True).start()
            threading.Thread(target=self.carry, args=(far, near, lambda data: None), daemon=True).start()

    @staticmethod
    def carry(a, b, look):
        try:
            while True:
                data = a.recv(65536)
                if not data:
                    break
                look(data)
                b.sendall(data)
            b.shutdown(socket.SHUT_WR)
        except OSError:
            pass

    def close(self):
        """Also what the API server keeps open for later requests."""
        for s in (self.server, *self.carried):
            try:
                s.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            s.close()


BED = None


def bed():
    """The one of this run."""
    global BED
    if BED is None:
        BED = Bed()
    return BED


def home(config="", **env):
    """A raytui that sees the bed."""
    return Home(sys.argv[1], config, {**bed().env, **env})
