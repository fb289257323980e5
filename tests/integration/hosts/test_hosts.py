#!/usr/bin/env python3
"""The provider `ssh`: real Rays over three hosts, from `up` to nothing, and what goes wrong on the way.

usage: test_hosts.py RAYTUI [TEST...]. The hosts are namespaces with an sshd each; Ray lies in a directory that they share.
"""
import base64
import contextlib
import os
import signal
import sys
import time
import unittest
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from far_bed import VERSION, FarBed  # noqa: E402
from raytui_run import Home, until  # noqa: E402

RAYTUI = sys.argv[1]
HOSTS = ("head", "w1", "w2")


class Bed(FarBed):
    """bastion, head, w1, w2; the inner ones are reached through the bastion, `head-direct` is the head from outside."""

    def __init__(self):
        super().__init__("hosts", "rth", 125, "hosts-up.sh", "hosts-down.sh")

    def fault(self, host, what):
        self.script("fault.sh", "-s", self.state, host, what)

    def processes(self, host, user="ray"):
        """Of Ray's or of its jobs' that the user has there."""
        out = self.ssh(host, "ps -u %s -o pid=,args=" % user, user)
        return [x for x in out.splitlines() if "ray" in x.replace("-u ray", "") and "ssh" not in x and "ps -u" not in x]

    def left(self, user="ray"):
        """What a cluster may have left on the hosts."""
        found = []
        for host in HOSTS:
            found += [host + ": " + x for x in self.processes(host, user)]
            files = self.ssh(host, "ls -Ad ~/.raytui /tmp/rt-$(id -u)-* /tmp/ray 2>/dev/null", user)
            found += [host + ": " + x for x in files.split() if x.startswith("/")]
        return found

    def daemons(self, host, name, user="ray"):
        return len(self.ssh(host, "pgrep -u %s -x %s" % (user, name), user).split())


def config(name="lab", head="head", user="", hosts="[w1, w2]", extra="", ssh_config=None):
    return ("clusters:\n  %s:\n    provider: ssh\n    head: %s%s\n    pools: {cpu: {hosts: %s, cpus: 2, labels: {disk: ssd}, accelerator_type: A100}}\n    cpus: 1\n"
            "    object_store_memory: 100MiB\n    python: {venv: /srv/venv, ray: %s}\n    ssh_config: %s\n%s"
            % (name, user, head, hosts, VERSION, ssh_config or bed.config, extra))


def alive(home, name="lab"):
    return sorted(n["name"] for n in home.json("nodes", name)["items"] if n["state"] == "ALIVE")


def pools(home, name="lab"):
    return {p["name"]: p for p in home.json("pools", name)["items"]}


class Cluster(unittest.TestCase):
    """One cluster for all of these."""

    @classmethod
    def setUpClass(cls):
        cls.home = Home(RAYTUI, config())
        p = cls.home.run("up", "lab", "--yes", timeout=200)
        assert "lab is up" in p.stdout, p.stdout + p.stderr

    @classmethod
    def tearDownClass(cls):
        cls.home.run("down", "lab", "--yes", timeout=120)
        left, journal = bed.left(), cls.home.dir + "/state/raytui/clusters/lab/journal.jsonl"
        lives = os.path.exists(journal)
        cls.home.close()
        assert not left, left
        assert not lives, "the journal still holds something"

    def test_a_head_and_its_pool_are_there(self):
        self.assertEqual(alive(self.home), ["cpu-1", "cpu-2", "head"])
        p = pools(self.home)
        self.assertEqual((p["head"]["ready"], p["cpu"]["ready"], p["cpu"]["desired"], p["cpu"]["max"]), (1, 2, 2, 2))

    def test_its_nodes_carry_the_labels_of_their_pool(self):
        nodes = {n["name"]: n for n in self.home.json("nodes", "lab")["items"]}
        self.assertEqual(nodes["cpu-1"]["labels"]["disk"], "ssd")
        self.assertNotIn("disk", nodes["head"]["labels"])
        self.assertIn("accelerator_type:A100", nodes["cpu-2"]["resources"])

    def test_up_again_adds_nothing(self):
        self.home.run("up", "lab", "--yes", timeout=100)
        self.assertEqual([bed.daemons(h, "raylet") for h in HOSTS], [1, 1, 1])
        self.assertEqual(bed.daemons("head", "gcs_server"), 1)

    def test_minus_ends_the_last_host_and_plus_starts_it_again(self):
        self.home.run("scale", "lab", "cpu", "-1", "--yes", timeout=100)
        self.assertEqual([bed.daemons(h, "raylet") for h in HOSTS], [1, 1, 0])
        self.assertEqual(pools(self.home)["cpu"]["desired"], 1)
        self.assertEqual(bed.ssh("w2", "ls -Ad ~/.raytui /tmp/rt-*"), "")
        self.home.run("scale", "lab", "cpu", "+1", timeout=100)
        self.assertEqual(alive(self.home), ["cpu-1", "cpu-2", "head"])
        p = self.home.run("scale", "lab", "cpu", "+1", code=None)
        self.assertIn("pool cpu has 2 hosts", p.stderr)

    def test_a_job_sees_all_of_it_and_ends_with_its_pool(self):
        p = self.home.run("submit", "-c", "lab", "--wait", "--", "python", "-c",
                          "import ray; ray.init(); print('CPUS', ray.cluster_resources()['CPU'])", timeout=120)
        self.assertIn("CPUS 5.0", p.stdout)

    def test_files_are_closed_to_others_and_tell_the_addresses(self):
        self.assertEqual(bed.ssh("head", "stat -c %a ~/.raytui/lab ~/.raytui/lab/connection").split(), ["700", "600"])
        self.assertEqual(bed.ssh("head", "stat -c %a /tmp/rt-*").split(), ["700"])
        text = bed.ssh("head", "cat ~/.raytui/lab/connection")
        self.assertIn("RAY_ADDRESS=ray://", text)
        self.assertIn("DASHBOARD_URL=http://127.0.0.1:", text)

    def test_what_ray_wrote_while_it_started_can_be_read(self):
        self.assertIn("Ray runtime started", self.home.run("logs", "-c", "lab", "--machine", "head").stdout)
        self.assertIn("Ray runtime started", self.home.run("logs", "-c", "lab", "--machine", "cpu").stdout)
        p = self.home.run("logs", "-c", "lab", "--machine", "gpu", code=None)
        self.assertIn("lab has no start-up log of gpu", p.stderr)

    def test_another_laptop_finds_it(self):
        other = Home(RAYTUI, config())
        try:
            self.assertEqual(alive(other), ["cpu-1", "cpu-2", "head"])
            other.run("up", "lab", "--yes", timeout=100)
            self.assertEqual(bed.daemons("head", "gcs_server"), 1)
            self.assertFalse(next(c for c in other.json("ls")["items"] if c["name"] == "lab")["state"] == "down")
        finally:
            other.close()

    def test_two_more_clusters_of_two_users_that_start_at_once_come_and_go(self):
        homes = {"theirs": Home(RAYTUI, config("theirs", user="noisy@")), "second": Home(RAYTUI, config("second", hosts="[w1]"))}
        try:
            for p in [home.start("up", name, "--yes") for name, home in homes.items()]:
                self.assertEqual(p.wait(300), 0, p.err)
            self.assertEqual(alive(homes["theirs"], "theirs"), ["cpu-1", "cpu-2", "head"])
            self.assertEqual(alive(homes["second"], "second"), ["cpu-1", "head"])
            texts = [bed.ssh("head", "cat ~/.raytui/%s/connection" % name, user).split()
                     for name, user in (("lab", "ray"), ("second", "ray"), ("theirs", "noisy"))]
            ports = [x.rsplit(":", 1)[1] for text in texts for x in text if x.startswith(("RAY_ADDRESS=", "DASHBOARD_URL=", "GCS_ADDRESS="))]
            self.assertEqual((len(ports), len(set(ports))), (9, 9))
            for name, home in homes.items():
                home.run("down", name, "--yes", timeout=120)
            self.assertEqual(bed.left("noisy"), [])
            self.assertEqual([bed.daemons(h, "raylet") for h in HOSTS], [1, 1, 1])
            self.assertEqual(alive(self.home), ["cpu-1", "cpu-2", "head"])
        finally:
            for name, home in homes.items():
                home.run("down", name, "--yes", timeout=120, code=None)
                home.close()


class Environment(unittest.TestCase):
    """Python and Ray on the hosts: real pip and venv, an index on each host's loopback, stand-ins for conda and Apptainer."""

    def setUp(self):
        self.home = Home(RAYTUI, config())

    def tearDown(self):
        self.home.run("down", "lab", "--yes", timeout=120, code=None)
        self.home.close()
        for host in HOSTS:
            bed.ssh(host, "rm -rf ~/env ~/bin ~/calls")

    def program(self, host, name, text):
        bed.ssh(host, "mkdir -p ~/bin && cat >~/bin/%s <<'EOF'\n%s\nEOF\nchmod 755 ~/bin/%s" % (name, text, name))

    def run_job(self, code):
        return self.home.run("submit", "-c", "lab", "--wait", "--", "python", "-c", code, timeout=120).stdout

    def wheel(self, name, version, files):
        """One that pip takes, as base64."""
        path, info = "%s/%s-%s-py3-none-any.whl" % (self.home.dir, name, version), "%s-%s.dist-info/" % (name, version)
        with zipfile.ZipFile(path, "w") as z:
            for inside, text in files.items():
                z.writestr(inside, text)
            z.writestr(info + "METADATA", "Metadata-Version: 2.1\nName: %s\nVersion: %s\nProvides-Extra: default\n" % (name, version))
            z.writestr(info + "WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n")
            z.writestr(info + "RECORD", "")
        with open(path, "rb") as f:
            return base64.b64encode(f.read()).decode(), os.path.basename(path)

    def test_ray_and_requirements_are_installed_from_an_index_once(self):
        """The index's Ray leads to the files of the one that the hosts share: nothing of 400 MB is copied."""
        site = bed.ssh("head", "echo /srv/venv/lib/python3.*/site-packages").strip()
        wheels = {"ray": self.wheel("ray", VERSION, {"all.pth": site + "\n", "ray-%s.dist-info/entry_points.txt" % VERSION:
                                               "[console_scripts]\nray = ray.scripts.scripts:main\n"}),
                  "tiny": self.wheel("tiny", "1.0", {"tiny.py": "WORD = 'grain of sand'\n"})}
        servers = {}
        for host in ("head", "w1"):
            for name, (data, file) in wheels.items():
                bed.ssh(host, "mkdir -p ~/env/simple/%s && echo %s | base64 -d >~/env/simple/%s/%s" % (name, data, name, file))
            servers[host] = bed.ssh(host, "cd ~/env; nohup python3 -m http.server --bind 127.0.0.1 7099 >log 2>&1 & echo $!").strip()
        try:
            need = self.home.file("requirements.txt", "tiny\n")
            words = "ray: %s, requirements: %s, index: \"http://127.0.0.1:7099/simple\"" % (VERSION, need)
            self.home.configure(config(hosts="[w1]").replace("/srv/venv", "~/env/v").replace("ray: %s" % VERSION, words))
            self.home.run("up", "lab", "--yes", timeout=200)
            self.assertIn("grain of sand", self.run_job("import tiny; print(tiny.WORD)"))
            self.assertIn("/env/v/bin/python", self.run_job("import sys; print(sys.executable)"))
            before = bed.ssh("w1", "cat ~/env/log")
            for file in ("ray-%s" % VERSION, "tiny-1.0"):
                self.assertIn("GET /simple/%s/%s" % (file.split("-")[0], file), before)
            self.home.run("up", "lab", "--yes", timeout=200)
            self.assertEqual(bed.ssh("w1", "cat ~/env/log"), before)
        finally:
            for host, pid in servers.items():
                bed.ssh(host, "kill %s" % pid)

    def test_one_host_whose_pip_fails_is_named_and_the_others_come_up(self):
        for host in ("head", "w1"):
            bed.ssh(host, "ln -s /srv/venv ~/env")
        self.home.configure(config().replace("/srv/venv", "~/env"))
        p = self.home.run("up", "lab", "--yes", timeout=200, code=6)
        self.assertIn("w2", p.stderr)
        self.assertIn("pip could not install", p.stderr)
        self.assertEqual(alive(self.home), ["cpu-1", "head"])
        bed.ssh("w2", "rm -rf ~/env && ln -s /srv/venv ~/env")
        self.home.run("up", "lab", "--yes", timeout=200)
        self.assertEqual(alive(self.home), ["cpu-1", "cpu-2", "head"])

    def test_conda_and_lines_before_it_find_ray(self):
        for host in ("head", "w1"):
            self.program(host, "conda", "#!/bin/sh\necho 'conda() { test \"$2\" = \"my env\" && PATH=/srv/venv/bin:$PATH; }'")
        self.home.configure(config(hosts="[w1]").replace("venv: /srv/venv", "conda: my env, activate: \"PATH=$HOME/bin:$PATH\""))
        self.home.run("up", "lab", "--yes", timeout=200)
        self.assertEqual(alive(self.home), ["cpu-1", "head"])

    def test_a_container_s_command_line_stands_before_ray_and_python(self):
        for host in ("head", "w1"):
            self.program(host, "apptainer", '#!/bin/sh\necho "$@" >>~/calls\n[ "$1 $2" = "exec my image.sif" ] || exit 9\nshift 2\n'
                                            'PATH=/srv/venv/bin:$PATH exec "$@"')
        self.home.configure(config(hosts="[w1]", extra="    container: ~/bin/apptainer exec 'my image.sif'\n    idle_timeout: 1h\n")
                            .replace("venv: /srv/venv, ", ""))
        self.home.run("up", "lab", "--yes", timeout=200)
        self.assertEqual(alive(self.home), ["cpu-1", "head"])
        self.assertIn("CPUS 3.0", self.run_job("import ray; ray.init(); print('CPUS', ray.cluster_resources()['CPU'])"))
        calls = bed.ssh("head", "cat ~/calls")
        self.assertIn("exec my image.sif ray start --head", calls)
        self.assertIn("watchdog.py", calls)
        self.assertIn("exec my image.sif ray start --address", bed.ssh("w1", "cat ~/calls"))
        self.home.run("down", "lab", "--yes", timeout=120)
        self.assertEqual(bed.left(), [])


class Doctor(unittest.TestCase):
    """What each host has and lacks, before anything is made there."""

    def setUp(self):
        self.home = Home(RAYTUI, config())

    def tearDown(self):
        self.home.close()
        for host in HOSTS:
            bed.ssh(host, "rm -rf ~/env ~/bin; chmod 755 ~")

    def told(self, host):
        """{mark: text of its lines}"""
        found = {"ok": "", "warn": "", "bad": ""}
        for line in self.home.run("doctor", "lab", timeout=100, code=None).stdout.splitlines():
            words = line.split(None, 2)
            if len(words) == 3 and words[1] == host:
                found[words[0]] += words[2] + "\n"
        return found

    def test_every_host_tells_what_it_has_and_nothing_is_left_there(self):
        out = self.home.run("doctor", "lab", timeout=100).stdout
        for host in HOSTS:
            for words in ("Ray %s, /srv/venv/bin/ray" % VERSION, "Python 3.", "memory: ", "home: /home/ray, ", "temp_dir: /tmp, "):
                self.assertTrue([x for x in out.splitlines() if x.startswith("ok    %s " % host) and words in x], (host, words, out))
        self.assertIn("ports 8265 10001 6379 are free", out)
        self.assertNotIn("bad ", out)
        self.assertIn("not up: `raytui up lab` starts it", out)
        self.assertEqual(bed.left(), [])

    def test_a_host_that_cannot_be_reached_is_named_beside_what_the_others_tell(self):
        self.home.configure(config(hosts="[w1, nosuch]"))
        self.assertIn("cannot be reached: ", self.told("nosuch")["bad"])
        self.assertIn("Ray %s" % VERSION, self.told("w1")["ok"])

    def test_what_differs_or_is_missing_is_said_with_what_to_do(self):
        bed.ssh("head", "ln -s /srv/venv ~/env")
        bed.ssh("w1", "mkdir -p ~/env/bin ~/bin && printf '#!/bin/sh\\necho ray, version 2.9.3\\n' >~/env/bin/ray && chmod 755 ~/env/bin/ray &&"
                      " printf '#!/bin/sh\\necho 1000\\n' >~/bin/date && chmod 755 ~/bin/date")
        bed.ssh("w2", "chmod 555 ~")
        other = bed.ssh("head", "nohup python3 -m http.server 8265 >/dev/null 2>&1 & echo $!").strip()
        try:
            self.home.configure(config(extra="    temp_dir: /sys\n").replace("venv: /srv/venv, ray: %s" % VERSION,
                                                                             "venv: ~/env, activate: \"PATH=$HOME/bin:$PATH\""))
            until("the port is taken", lambda: "taken already: port 8265; the next free one" in self.told("head")["ok"], 30)
            w1, w2 = self.told("w1"), self.told("w2")
        finally:
            bed.ssh("head", "kill %s" % other)
        self.assertIn("its Ray is 2.9.3, the head's %s: they must be the same" % VERSION, w1["bad"])
        self.assertIn("temp_dir: nothing can be written in /sys: name another temp_dir", w1["bad"])
        self.assertIn("s behind: times of logs", w1["warn"])
        self.assertIn("home: nothing can be written in /home/ray/.raytui", w2["bad"])
        self.assertIn("no Ray in /home/ray/env: `up` installs", w2["warn"])


class Life(unittest.TestCase):
    """What goes on with every laptop closed: no raytui runs between these commands."""

    def setUp(self):
        self.home = Home(RAYTUI, config())

    def tearDown(self):
        self.home.run("down", "lab", "--yes", timeout=120, code=None)
        self.home.close()
        until(lambda: "nothing left: %s" % bed.left(), lambda: not bed.left(), 20)

    def test_an_idle_cluster_ends_on_all_its_hosts_and_says_why(self):
        self.home.configure(config(hosts="[w1]", extra="    idle_timeout: 15s\n    user_script: python -c 'print(1 + 1)'\n"))
        self.home.run("up", "lab", "--yes", timeout=200)
        until("user_script ran", lambda: [j for j in self.home.json("jobs", "lab")["items"] if j["status"] == "SUCCEEDED"], 60)
        self.home.run("keepalive", "lab")
        self.assertIn("RAY_ADDRESS=ray://", self.home.run("env", "lab", "--host").stdout)
        until("its head ends", lambda: not bed.processes("head"), 90)
        until(lambda: "its worker ends: %s" % bed.processes("w1"), lambda: not bed.processes("w1"), 150)
        self.assertEqual(bed.ssh("w1", "ls -Ad ~/.raytui /tmp/rt-*"), "")
        self.assertEqual(bed.ssh("head", "cat ~/.raytui/lab/ended"), "idle timeout\n")
        self.home.run("down", "lab", "--yes", timeout=120)
        self.assertEqual(bed.left(), [])


class Faults(unittest.TestCase):
    def setUp(self):
        self.home = Home(RAYTUI, config())

    def tearDown(self):
        self.home.run("down", "lab", "--yes", timeout=120, code=None)
        self.home.close()
        until(lambda: "nothing left: %s" % bed.left(), lambda: not bed.left(), 20)

    def test_a_worker_host_that_is_down_is_named_and_the_others_come_up(self):
        bed.fault("w2", "drop")
        try:
            p = self.home.run("up", "lab", "--yes", timeout=200, code=6)
        finally:
            bed.fault("w2", "undrop")
        self.assertIn("w2", p.stderr)
        self.assertEqual(alive(self.home), ["cpu-1", "head"])
        self.home.run("up", "lab", "--yes", timeout=200)
        self.assertEqual(alive(self.home), ["cpu-1", "cpu-2", "head"])

    def test_killed_in_any_step_and_started_again_it_makes_nothing_twice(self):
        for seconds in (0.3, 1, 3, 6):
            p = self.home.start("up", "lab", "--yes")
            time.sleep(seconds)
            p.stop(signal.SIGKILL)
        self.home.run("up", "lab", "--yes", timeout=200)
        self.assertEqual(alive(self.home), ["cpu-1", "cpu-2", "head"])
        self.assertEqual([bed.daemons(h, "raylet") for h in HOSTS], [1, 1, 1])
        self.assertEqual(bed.daemons("head", "gcs_server"), 1)

    def test_killed_and_torn_down_it_leaves_nothing(self):
        p = self.home.start("up", "lab", "--yes")
        time.sleep(5)
        p.stop(signal.SIGKILL)
        self.home.run("down", "lab", "--yes", timeout=120)
        self.assertEqual(bed.left(), [])

    def test_interrupted_it_leaves_nothing(self):
        for seconds in (0.5, 2, 6):
            p = self.home.start("up", "lab", "--yes")
            time.sleep(seconds)
            p.process.send_signal(signal.SIGINT)
            p.wait(90)
            self.assertEqual(bed.left(), [])

    def test_a_head_s_host_that_goes_down_in_the_middle_is_said_and_up_again_makes_it_whole(self):
        p = self.home.start("up", "lab", "--yes")
        until("it is under way", lambda: bed.processes("head"), 60)
        bed.fault("head", "crash")
        try:
            self.assertNotEqual(p.wait(200), 0)
            self.assertIn("head", "\n".join(p.err))
        finally:
            bed.fault("head", "boot")
        until("the host is back", lambda: "Linux" in bed.ssh("head", "uname"), 60)
        self.home.run("up", "lab", "--yes", timeout=200)
        self.assertEqual(alive(self.home), ["cpu-1", "cpu-2", "head"])

    def test_a_changed_host_key_stops_it_before_anything_is_made(self):
        with open(bed.config) as f:
            text = f.read().replace(bed.state + "/known_hosts", bed.state + "/known_hosts.wrong")
        self.home.configure(config(ssh_config=self.home.file("ssh_config", text)))
        p = self.home.run("up", "lab", "--yes", timeout=100, code=5)
        self.assertIn("key", p.stderr)
        self.assertEqual(bed.left(), [])

    def test_hosts_that_only_the_head_sees_are_reached_through_it(self):
        with open(bed.config) as f:
            lines = f.read().replace("Host head-direct", "Host front")
        text = "\n".join(x for x in lines.splitlines() if "ProxyJump" not in x)
        self.home.configure(config(head="front", ssh_config=self.home.file("ssh_config", text)))
        with open(bed.state + "/known_hosts") as f:
            known = f.read().replace("head-direct,", "head-direct,front,")
        path = self.home.file("known_hosts", known)
        self.home.file("ssh_config", text.replace(bed.state + "/known_hosts", path))
        self.home.run("up", "lab", "--yes", timeout=200)
        self.assertEqual(alive(self.home), ["cpu-1", "cpu-2", "head"])

    def test_a_ray_that_cannot_be_installed_says_pip_s_own_words(self):
        self.home.configure(config().replace("/srv/venv", "'~/no such env'"))
        p = self.home.run("up", "lab", "--yes", timeout=200, code=1)
        self.assertIn("pip could not install", p.stderr)
        for host in HOSTS:
            bed.ssh(host, "rm -rf ~/'no such env'")

    def test_a_dry_run_shows_the_scripts_and_touches_nothing(self):
        p = self.home.run("up", "lab", "--dry-run")
        self.assertIn("--node-name=cpu-2", p.stdout)
        self.assertEqual(bed.left(), [])


if __name__ == "__main__":
    with contextlib.closing(Bed()) as bed:
        unittest.main(argv=[sys.argv[0], "-v", *sys.argv[2:]])
