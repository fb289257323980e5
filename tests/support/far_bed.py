"""Hosts in namespaces with an sshd each and a Ray that they share, as tests/testbed brings them up: what the groups over
SSH have in common."""
import os
import subprocess
import tempfile

TESTBED = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "testbed")
VERSION = os.environ.get("RAY_VERSION", "2.60.0")


class Unavailable(RuntimeError):
    """The bed cannot be made here; its text says why."""


class Scripts:
    """Runs scripts of the test bed with `env` beside the environment."""

    patience = 300  # seconds for a script
    env = {}

    def script(self, name, *words, check=True):
        p = subprocess.run([os.path.join(TESTBED, name), *words], env={**os.environ, **self.env}, stdin=subprocess.DEVNULL,
                           stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=self.patience)
        if check and p.returncode != 0:
            raise Unavailable("%s %s: %s" % (name, " ".join(words), p.stdout[-800:]))
        return p.stdout


class FarBed(Scripts):
    """`up` and `down` are scripts of the test bed; beds that run at once differ in `letters` and in the 25 numbers from `net` on."""

    def __init__(self, name, letters, net, up, down, state=None, **env):
        self.mine = state is None
        self.state = state or tempfile.mkdtemp(prefix="rt-%s-" % name, dir="/tmp")
        self.env = {"RTB_PREFIX": "%s%d" % (letters, os.getpid() % 1000), "RTB_NET": "10.%d" % (net + os.getpid() % 25),
                    "RTB_RAY_VERSION": VERSION, **env}
        self.config = self.state + "/ssh_config"
        self.down = down
        if not self.mine:
            return
        try:
            self.said = self.script(up, self.state)
            self.script("ray-hosts.sh", "install", self.state)
        except BaseException:
            self.close()
            raise

    def close(self):
        if self.mine:
            self.script(self.down, self.state, "--purge", check=False)

    def ssh(self, host, command, user="ray"):
        p = subprocess.run(["ssh", "-F", self.config, "-l", user, host, command], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.DEVNULL, text=True, timeout=60)
        return p.stdout
