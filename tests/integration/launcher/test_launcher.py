#!/usr/bin/env python3
"""The provider `launcher`: the real `ray up` over three hosts, from nothing to nothing, and what goes wrong on the way.

usage: test_launcher.py RAYTUI [TEST...]. The hosts are namespaces with an sshd each; Ray lies in a directory that they share, and
the same one is run here.
"""
import contextlib
import json
import os
import signal
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from far_bed import TESTBED, VERSION, FarBed  # noqa: E402
from raytui_run import Home, ray_client, until  # noqa: E402

RAYTUI = sys.argv[1]
HOSTS = ("head-direct", "w1", "w2")
TYPE = "local.cluster.node"


class Bed(FarBed):
    def __init__(self):
        super().__init__("launcher", "rtl", 100, "launcher-up.sh", "hosts-down.sh", LAUNCHER_IDLE="0.2")
        self.yaml = self.state + "/cluster.yaml"
        self.bin = subprocess.run([TESTBED + "/ray-venv.sh", VERSION], stdout=subprocess.PIPE, text=True, check=True).stdout.strip()
        self.plain = self.state + "/plain_config"  # host keys only: who logs in with what is the YAML's to say
        with open(self.plain, "w") as f:
            f.write("Host *\n  UserKnownHostsFile %s/known_hosts\n  StrictHostKeyChecking yes\n" % self.state)

    def daemons(self, host, name):
        return len(self.ssh(host, "pgrep -u ray -x %s" % name).split())

    def raylets(self):
        return [self.daemons(h, "raylet") for h in HOSTS]

    def left(self):
        """Of Ray, on any host."""
        found = []
        for host in HOSTS:
            lines = self.ssh(host, "ps -u ray -o args=").splitlines()
            found += ["%s: %s" % (host, x) for x in lines if "ray::" in x or "/ray/" in x]
        return found

    def text(self, path=None):
        with open(path or self.yaml) as f:
            return f.read()

    def other(self, name, *changes):
        """Another YAML beside it."""
        text = self.text()
        for old, new in changes:
            assert old in text, old
            text = text.replace(old, new)
        path = "%s/%s.yaml" % (self.state, name)
        with open(path, "w") as f:
            f.write(text)
        return path


def entry(name, path, ssh_config=None):
    return ("  %s: {provider: launcher, file: %s, ray_command: %s/ray, ssh_config: %s, env: {RAY_USAGE_STATS_ENABLED: '0'}}\n"
            % (name, path, bed.bin, ssh_config or bed.plain))


def config(*entries):
    return "clusters:\n" + "".join(entries or (entry("bed", bed.yaml),))


def alive(home):
    return [n for n in home.json("nodes", "bed")["items"] if n["state"] == "ALIVE"]


def row(home, name="bed"):
    return next(c for c in home.json("ls")["items"] if c["name"] == name)


def pool(home):
    return next(p for p in home.json("pools", "bed")["items"] if p["name"] == TYPE)


class Cluster(unittest.TestCase):
    """One cluster for all of these."""

    @classmethod
    def setUpClass(cls):
        cls.home = Home(RAYTUI, config())
        cls.before = bed.text()
        cls.came = cls.home.run("up", "bed", "--yes", timeout=200)

    @classmethod
    def tearDownClass(cls):
        said = cls.home.run("down", "bed", "--yes", timeout=200, code=None)
        left, lives = bed.left(), os.path.exists(cls.home.dir + "/state/raytui/clusters/bed/journal.jsonl")
        state = row(cls.home)["state"]
        cls.home.close()
        assert said.returncode == 0 and "bed is down" in said.stdout, said.stdout + said.stderr
        assert not left, left
        assert not lives, "the journal still holds something"
        assert state == "down", state

    def test_it_came_up_step_by_step(self):
        self.assertIn("bed is up", self.came.stdout)
        at = [self.came.stderr.index("[%d/7]" % n) for n in range(1, 8)]
        self.assertEqual(at, sorted(at))
        self.assertLess(at[-1], self.came.stderr.index("waiting for the dashboard"))
        self.assertEqual(row(self.home)["state"], "up")
        self.assertTrue(self.home.json("show", "bed")["item"]["ours"])

    def test_its_output_is_kept(self):
        p = self.home.run("logs", "-c", "bed", "--machine", "ray-up")
        self.assertIn("Ray runtime started", p.stdout)

    def test_dashboard_and_ray_client_come_through_forwards(self):
        code = ray_client() + "print('NODES', len(ray.nodes()) > 0)"
        p = self.home.run("forward", "bed", "--", bed.bin + "/python", "-c", code, timeout=180)
        self.assertIn("NODES True", p.stdout)
        p = self.home.run("forward", "bed", "--", "sh", "-c", 'curl -s "$DASHBOARD_URL/api/version"', timeout=60)
        self.assertEqual(json.loads(p.stdout)["ray_version"], VERSION)

    def test_a_size_is_changed_in_the_file_while_a_job_runs_through(self):
        until("one worker", lambda: len(alive(self.home)) == 2, 120)
        job = self.home.run("submit", "-c", "bed", "--", "python", "-c", "import time; time.sleep(45); print('THROUGH')").stdout.strip()
        self.home.run("scale", "bed", TYPE, "+1", "--yes", timeout=120)
        self.assertEqual(bed.text(), self.before.replace("min_workers: 1 ", "min_workers: 2 "))
        until("two workers", lambda: len(alive(self.home)) == 3, 120)
        p = pool(self.home)
        self.assertEqual((p["min"], p["max"], p["ready"]), (2, 2, 2))
        self.home.run("scale", "bed", TYPE, "-1", "--yes", timeout=120)
        self.assertEqual(bed.text(), self.before)
        until("an idle worker goes", lambda: len(alive(self.home)) == 2, 180)
        self.assertIn("THROUGH", self.home.run("logs", "-f", "-c", "bed", job, timeout=120).stdout)
        self.assertEqual(self.home.json("job", "-c", "bed", job)["item"]["status"], "SUCCEEDED")

    def test_a_size_that_cannot_be_is_refused_and_nothing_is_written(self):
        before = bed.text()
        p = self.home.run("scale", "bed", TYPE, "3", "--yes", code=None)
        self.assertIn("worker_ips names 2 hosts", p.stderr)
        self.assertEqual(bed.text(), before)

    def test_up_again_restarts_nothing(self):
        session = self.home.json("show", "bed")["item"]["session_name"]
        self.home.run("up", "bed", "--yes", timeout=120)
        self.assertEqual(self.home.json("show", "bed")["item"]["session_name"], session)
        with open(self.home.dir + "/state/raytui/clusters/bed/launcher/up.log") as f:
            self.assertEqual(f.read().count("Cluster: bed"), 1)

    def test_the_autoscaler_s_log_is_a_file_of_the_head(self):
        head = next(n for n in alive(self.home) if n["head"])
        p = self.home.run("logs", "-c", "bed", "%s/monitor.log" % head["id"], timeout=60)
        self.assertIn("Autoscaler", p.stdout)

    def test_commands_and_files_go_to_the_head_and_on_to_a_worker(self):
        worker = until("a worker", lambda: [n for n in alive(self.home) if not n["head"]], 120)[0]
        for place, host in (([], "head"), ([worker["id"]], worker["name"])):
            p = self.home.run("exec", "bed", *place, "--", "sh", "-c", 'hostname; echo "$1"; exit 7', "sh", "two  'blanks'", code=7, timeout=60)
            self.assertIn("two  'blanks'", p.stdout)
            far = "/".join(["bed", *place])
            self.home.file("there/in/text", "some text\n")
            self.home.run("cp", "there", far + ":", timeout=60)
            self.home.run("cp", far + ":there/in/text", "back-" + host, timeout=60)
            self.assertEqual(bed.text(self.home.dir + "/back-" + host), "some text\n")
        p = self.home.run("cp", "bed:no-such-file", ".", code=None, timeout=60)
        self.assertNotEqual(p.returncode, 0)

    def test_a_file_alone_attaches_to_what_runs(self):
        other = Home(RAYTUI, "", env={"PATH": bed.bin + ":" + os.environ["PATH"]})
        try:
            os.mkdir(other.dir + "/.ssh", 0o700)
            other.file(".ssh/config", bed.text(bed.plain))
            nodes = other.json("nodes", "-c", bed.yaml, timeout=60)["items"]
            self.assertEqual(sum(n["head"] for n in nodes if n["state"] == "ALIVE"), 1)
            before = bed.text()
            for words in (("scale", bed.yaml, TYPE, "2"), ("up", bed.yaml)):  # Ray here knows nothing of it, and would restart it
                p = other.run(*words, "--yes", code=None, timeout=60)
                self.assertIn("no record of it", p.stderr)
            self.assertEqual(bed.text(), before)
        finally:
            other.close()


class Trouble(unittest.TestCase):
    def setUp(self):
        self.home = Home(RAYTUI, config())

    def tearDown(self):
        self.home.close()

    def dir(self):
        return self.home.dir + "/state/raytui/clusters/bed/launcher/"

    def test_a_raytui_that_is_killed_in_the_middle_of_up_goes_on_with_it(self):
        up = self.home.start("up", "bed", "--yes")
        until(lambda: "step 5 or later: %s" % up.err, lambda: any("[5/7]" in x or "[7/7]" in x for x in up.err), 120)
        up.process.send_signal(signal.SIGKILL)
        up.wait()
        with open(self.dir() + "up.pid") as f:
            os.kill(int(f.read()), 0)
        self.assertEqual(row(self.home)["state"], "starting")
        p = self.home.run("up", "bed", "--yes", timeout=200)
        self.assertIn("bed is up", p.stdout)
        with open(self.dir() + "up.log") as f:
            self.assertEqual(f.read().count("Cluster: bed"), 1)
        self.assertFalse(os.path.exists(self.dir() + "up.log.1"))
        self.assertEqual(bed.daemons("head-direct", "gcs_server"), 1)
        self.home.run("down", "bed", "--yes", timeout=200)
        self.assertEqual(bed.left(), [])

    def test_down_ends_an_up_that_is_under_way(self):
        up = self.home.start("up", "bed", "--yes")
        until(lambda: "a step: %s" % up.err, lambda: any("[1/7]" in x for x in up.err), 120)
        up.process.send_signal(signal.SIGKILL)
        up.wait()
        self.home.run("down", "bed", "--yes", timeout=200)
        self.assertEqual(bed.left(), [])
        self.assertFalse(os.path.exists(self.home.dir + "/state/raytui/clusters/bed/journal.jsonl"))

    def test_a_key_that_the_head_does_not_know_is_told_at_once(self):
        path = bed.other("stranger", ("id_ed25519", "id_stranger"), ("cluster_name: bed", "cluster_name: stranger"))
        self.home.configure(config(entry("hop", path), entry("ray", path, bed.config)))  # the second: ssh lets the hop in all the same
        p = self.home.run("up", "hop", "--yes", timeout=120, code=5)
        self.assertIn("10.", p.stderr)
        p = self.home.run("up", "ray", "--yes", timeout=120, code=5)
        self.assertIn("the head refuses the login", p.stderr)
        self.assertIn("Permission denied", p.stderr)
        for name in ("hop", "ray"):
            self.assertFalse(os.path.exists(self.home.dir + "/state/raytui/clusters/%s/journal.jsonl" % name))

    def test_a_library_that_is_missing_is_named(self):
        path = self.home.file("gcp.yaml", "cluster_name: g\nprovider: {type: gcp, region: us-west1, availability_zone: us-west1-a, project_id: p}\n"
                              "auth: {ssh_user: ubuntu}\navailable_node_types:\n  head: {resources: {CPU: 2}, node_config: {machineType: n1-standard-2}}\n"
                              "head_node_type: head\n")
        self.home.configure(config(entry("cloud", path)))
        p = self.home.run("up", "cloud", "--yes", timeout=120, code=78)
        self.assertIn("pip install google-api-python-client", p.stderr)
        self.assertNotIn("Traceback", p.stderr)
        p = self.home.run("doctor", "cloud", timeout=120, code=None)
        self.assertRegex(p.stdout, r"bad +libraries +of gcp, missing: googleapiclient")


if __name__ == "__main__":
    with contextlib.closing(Bed()) as bed:
        unittest.main(argv=[sys.argv[0], "-v", *sys.argv[2:]])
