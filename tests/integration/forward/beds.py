"""Hosts with sshd behind a bastion and a real Ray on the inner one, in two kinds."""
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from far_bed import Scripts, Unavailable  # noqa: E402, F401


class Bed(Scripts):
    """config_file, known_hosts, dashboard (URL as the head sees it), client_port"""

    def value(self, keyword):
        """The first value of a keyword in the ssh configuration."""
        with open(self.config_file) as f:
            return next(x.split()[1] for x in f if x.split()[:1] == [keyword])

    def with_config(self, replace, name):
        """Another ssh configuration: the usual one with some lines replaced."""
        with open(self.config_file) as f:
            text = f.read()
        for old, new in replace:
            assert old in text, (old, text)
            text = text.replace(old, new)
        path = os.path.join(self.state, name)
        with open(path, "w") as f:
            f.write(text)
        return path


class Namespaces(Bed):
    """bastion, head: hosts in namespaces; the head is reached through the bastion only."""
    can_drop = True

    def __init__(self):
        self.state = tempfile.mkdtemp(prefix="rt-bed-", dir="/tmp")
        self.env = {"RTB_PREFIX": "rtf%d" % (os.getpid() % 1000), "RTB_NET": "10.%d" % (150 + os.getpid() % 25), "RTB_WORKERS": ""}
        self.config_file = self.state + "/ssh_config"
        self.known_hosts = self.state + "/known_hosts"
        self.dashboard, self.client_port = "http://127.0.0.1:8265", 10001

    def up(self):
        self.script("hosts-up.sh", self.state)
        self.script("ray-hosts.sh", "up", self.state)

    def down(self):
        self.script("ray-hosts.sh", "down", self.state, check=False)
        self.script("hosts-down.sh", self.state, "--purge", check=False)

    def fault(self, host, what):
        self.script("fault.sh", "-s", self.state, host, what)

    def kill_sshd(self):
        self.fault("bastion", "kill-sshd")

    def start_sshd(self):
        self.fault("bastion", "start-sshd")


class Loopback(Bed):
    """bastion, head: sshds of the caller on loopback addresses; nothing of it needs root."""
    can_drop = False

    def __init__(self):
        self.state = tempfile.mkdtemp(prefix="rt-bed-", dir="/tmp")
        self.env = {"RTB_LO": "127.0.%d" % (100 + os.getpid() % 100)}
        self.config_file = self.state + "/hosts/ssh_config"
        self.known_hosts = self.state + "/hosts/known_hosts"

    def up(self):
        self.script("hosts-lo-up.sh", self.state + "/hosts")
        place = dict(x.split("=", 1) for x in self.script("ray-local.sh", "up", self.state + "/ray").splitlines() if "=" in x)
        self.dashboard, self.client_port = place["DASHBOARD"], int(place["CLIENT_PORT"])

    def down(self):
        self.script("ray-local.sh", "down", self.state + "/ray", check=False)
        self.script("hosts-lo-up.sh", self.state + "/hosts", "stop", check=False)
        shutil.rmtree(self.state, ignore_errors=True)

    def kill_sshd(self):
        """The bastion's listener and every session of it, at once."""
        with open(self.state + "/hosts/bastion/sshd.pid") as f:
            first = int(f.read())
        tree, grown = {first}, True
        while grown:
            grown = False
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    with open("/proc/%s/stat" % pid) as f:
                        parent = int(f.read().rsplit(")", 1)[1].split()[1])
                except OSError:
                    continue
                if parent in tree and int(pid) not in tree:
                    tree.add(int(pid))
                    grown = True
        for pid in tree:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        time.sleep(0.2)

    def start_sshd(self):
        here = self.state + "/hosts/bastion"
        subprocess.run(["/usr/sbin/sshd", "-f", here + "/sshd_config", "-E", here + "/sshd.log"], check=True)
