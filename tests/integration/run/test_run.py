#!/usr/bin/env python3
"""`run`: a cluster around one job, and what ends it: success, failure, signals, a lost connection, a kill -9.
usage: test_run.py RAYTUI RAY-BIN-DIR [TEST...]"""
import json
import os
import re
import signal
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from raytui_run import Home, until  # noqa: E402

RAYTUI, RAY_BIN = sys.argv[1:3]
FIELDS = "provider: local, ray_command: %s/ray, cpus: 1, object_store_memory: 100MiB, pools: {workers: {cpus: 1, nodes: 0, max: 2}}" % RAY_BIN


class Run(unittest.TestCase):
    def setUp(self):
        # a job's `python` is looked up on the PATH of its head
        self.home = Home(RAYTUI, "clusters:\n  little: {%s}\n" % FIELDS, {"PATH": RAY_BIN + ":" + os.environ["PATH"]})

    def tearDown(self):
        for name in self.clusters():
            self.home.run("down", "--yes", name, code=None, timeout=120)
        self.assertEqual(self.processes(), [])
        self.home.close()

    def clusters(self):
        """Names of those that raytui made and that are not gone."""
        root = self.home.dir + "/state/raytui/clusters"
        return [n for n in (os.listdir(root) if os.path.isdir(root) else []) if re.fullmatch(r"little-[a-z0-9]{5}", n)]

    def processes(self):
        """Of Rays that were started from this home: each has it in its environment."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/environ" % pid, "rb") as f:
                    if ("HOME=" + self.home.dir).encode() in f.read().split(b"\0"):
                        with open("/proc/%s/cmdline" % pid, "rb") as line:
                            found.append((int(pid), line.read().replace(b"\0", b" ").decode(errors="replace")))
            except OSError:
                pass
        return found

    def nothing_is_left(self):
        until(self.processes, lambda: not self.processes(), 60)
        self.assertNotIn("little-", self.home.run("ls").stdout)
        self.assertEqual(self.clusters(), [])

    def running_job(self, *options):
        """A `run` whose job has begun to print."""
        p = self.home.start("run", "--cluster", "little", *options, "--", "python", "-c",
                            "import time; print('it runs', flush=True); time.sleep(600)")
        until(lambda: "\n".join(p.err + p.out), lambda: "it runs" in p.out, 120)
        return p

    def test_success(self):
        p = self.home.run("run", "--cluster", "little", "--", "python", "-c", "print('forty', 'two')", timeout=180)
        self.assertIn("forty two", p.stdout)
        self.assertIn("SUCCEEDED", p.stderr)
        self.nothing_is_left()

    def test_a_file_serves_as_well_and_a_job_that_fails_is_the_verbs_failure(self):
        spec = self.home.file("little.yaml", "".join("%s\n" % f for f in (
            "provider: local", "ray_command: %s/ray" % RAY_BIN, "cpus: 1", "pools: {workers: {cpus: 1, nodes: 0, max: 2}}")))
        p = self.home.run("run", "--cluster", spec, "--", "python", "-c", "print('so far'); raise SystemExit(3)", code=1, timeout=180)
        self.assertIn("so far", p.stdout)
        self.assertIn("FAILED", p.stderr)
        self.nothing_is_left()

    def test_an_interrupt_while_it_comes_up(self):
        p = self.home.start("run", "--cluster", "little", "--", "sleep", "600")
        until(lambda: p.err, lambda: any("starting the head ..." in x for x in p.err), 120)
        p.process.send_signal(signal.SIGINT)
        self.assertEqual(p.wait(60), 130, p.err)
        self.nothing_is_left()

    def test_an_interrupt_while_it_submits(self):
        p = self.home.start("run", "--cluster", "little", "--", "sleep", "600")
        until(lambda: p.err, lambda: any("submitting ..." in x for x in p.err), 120)
        p.process.send_signal(signal.SIGINT)
        self.assertEqual(p.wait(60), 130, p.err)
        self.nothing_is_left()

    def test_a_second_interrupt_leaves_at_once(self):
        p = self.running_job()
        p.process.send_signal(signal.SIGINT)
        until(lambda: p.err, lambda: any("once more" in x for x in p.err), 60)
        p.process.send_signal(signal.SIGINT)
        self.assertEqual(p.wait(60), 130, p.err)

    def test_a_signal_while_the_job_runs(self):
        p = self.running_job()
        p.process.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(60), 143, p.err)
        self.nothing_is_left()

    def test_a_connection_that_is_lost(self):
        p = self.running_job("--lost", "2s")
        for pid, line in self.processes():
            if "dashboard" in line or "gcs_server" in line:
                os.kill(pid, signal.SIGKILL)
        self.assertNotEqual(p.wait(120), 0)
        self.nothing_is_left()

    def test_kept(self):
        p = self.home.run("run", "--cluster", "little", "--keep", "--", "true", timeout=180)
        name, = self.clusters()
        self.assertIn("raytui down " + name, p.stderr)
        again = self.home.run("ls")
        self.assertIn(name, again.stdout)
        self.assertNotIn("was killed", again.stderr)
        self.home.run("down", "--yes", name, timeout=120)
        self.nothing_is_left()

    def test_what_a_killed_one_left_is_found_and_removed(self):
        p = self.running_job()
        p.process.kill()
        p.wait(30)
        name, = self.clusters()
        again = self.home.run("ls")
        self.assertIn("%s is left of a `run` that was killed" % name, again.stderr)
        with open("%s/state/raytui/clusters/%s/run.json" % (self.home.dir, name)) as f:
            note = json.load(f)
        self.assertEqual(note["pid"], p.process.pid)
        self.home.run("down", "--yes", name, timeout=120)
        self.nothing_is_left()

    def test_what_cannot_be_is_refused_before_anything_is_made(self):
        self.assertIn("no cluster nothing", self.home.run("run", "--cluster", "nothing", "--", "true", code=4).stderr)
        self.assertIn("no command", self.home.run("run", "--cluster", "little", code=64).stderr)
        self.home.configure("clusters:\n  there: {provider: address, url: \"http://127.0.0.1:1\"}\n  little: {%s}\n" % FIELDS)
        self.assertIn("makes no clusters", self.home.run("run", "--cluster", "there", "--", "true", code=1).stderr)
        plan = self.home.run("run", "--cluster", "little", "--dry-run", "--", "true").stdout
        self.assertIn("ray start --head", plan.replace(RAY_BIN + "/", ""))
        self.assertEqual(self.clusters(), [])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0]] + sys.argv[3:], verbosity=2)
