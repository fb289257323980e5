#!/usr/bin/env python3
"""What a cluster does while every laptop is closed: its watchdog submits user_script once, counts idle time, takes
keepalives, and ends it. Between the commands of these tests no raytui runs.

usage: test_life.py RAYTUI RAY-BIN-DIR [TEST...]
"""
import os
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from raytui_run import Home, free_ports, until  # noqa: E402

RAYTUI, RAY_BIN = sys.argv[1], sys.argv[2]


class Life(unittest.TestCase):
    def make(self, fields):
        self.home = Home(RAYTUI)
        self.tmp = self.home.dir + "/ray"
        ports = free_ports(3)
        self.home.configure(
            "clusters:\n  mine:\n    provider: local\n    ray_command: %s/ray\n    temp_dir: %s\n    cpus: 2\n"
            "    object_store_memory: 100MiB\n    dashboard_port: %d\n    client_port: %d\n    gcs_port: %d\n"
            "    pools: {workers: {cpus: 1, nodes: 0}}\n%s" % (RAY_BIN, self.tmp, *ports, fields))
        self.addCleanup(self.close)

    def close(self):
        self.home.run("down", "mine", "--yes", code=None, timeout=120)
        left = self.processes()
        self.home.close()
        self.assertEqual(left, [])

    def state(self, name):
        return self.home.dir + "/state/raytui/clusters/mine/" + name

    def processes(self):
        """Of this cluster, and of its watchdog."""
        found = []
        for pid in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    line = f.read().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if self.home.dir in line and "test_life.py" not in line:
                found.append("%s %s" % (pid, line[:120]))
        return found

    def ends(self):
        c = next(c for c in self.home.json("ls")["items"] if c["name"] == "mine")
        return c["ends_why"], c["ends_at_ms"]

    def jobs(self):
        return self.home.json("jobs", "mine")["items"]

    def gone(self):
        until(lambda: "it ends: %s" % self.processes(), lambda: not self.processes() and not os.path.exists(self.state("journal.jsonl")), 120)
        self.assertFalse(os.path.exists(self.tmp))

    def test_its_script_runs_once_and_idle_time_ends_it_unless_it_is_kept_alive(self):
        self.make("    idle_timeout: 30s\n    env_vars: {COLOUR: blue}\n"
                  "    user_script: python -c \"import os; print('it is', os.environ['COLOUR'])\"\n")
        self.assertIn("When nothing ran for 30s", self.home.run("up", "mine", "--dry-run").stdout)
        self.home.run("up", "mine", "--yes", timeout=240)
        job = until("user_script ran", lambda: [j for j in self.jobs() if j["status"] == "SUCCEEDED"], 120)[0]
        self.assertIn("it is blue", self.home.run("logs", job["submission_id"]).stdout)
        until("an end is told", lambda: self.ends()[0] == "idle timeout", 60)
        self.assertEqual(len(self.jobs()), 1)
        first = self.ends()[1]
        time.sleep(4)
        self.home.run("keepalive", "mine")
        until("it is put off", lambda: self.ends()[1] > first + 2000, 60)
        host = self.home.run("env", "mine", "--host").stdout
        self.assertIn("RAY_ADDRESS=ray://", host)
        self.assertTrue(self.processes())
        self.gone()
        self.assertIn("is not up", self.home.run("nodes", "mine", code=None).stderr)

    def test_an_ephemeral_cluster_ends_with_its_script_and_keeps_what_it_printed(self):
        self.make("    ephemeral: true\n    user_script: {entrypoint: python hello.py, working_dir: ~/work}\n")
        self.home.file("work/hello.py", "import ray\nray.init()\nprint('CPUS', ray.cluster_resources()['CPU'])\n")
        p = self.home.run("up", "mine", "--yes", timeout=240)
        self.assertIn("mine is up", p.stdout)
        self.gone()
        with open(self.state("user_script.log")) as f:
            self.assertIn("CPUS 2.0", f.read())

    def test_a_lifetime_ends_it_whatever_runs(self):
        self.make("    lifetime: 60s\n    price_per_hour: 1.5\n    entrypoints: {say: \"echo {cluster} at {head_ip}\"}\n")
        self.home.run("up", "mine", "--yes", timeout=240)
        p = self.home.run("submit", "-c", "mine", "--wait", "--template", "say", "--", "it's $HOME")
        self.assertIn("mine at 127.0.0.1 it's $HOME", p.stdout)
        self.assertIn("Ray runtime started", self.home.run("logs", "-c", "mine", "--machine", "head").stdout)
        self.assertIn("there are: say", self.home.run("submit", "-c", "mine", "--template", "no", code=None).stderr)
        self.assertEqual(next(c for c in self.home.json("ls")["items"] if c["name"] == "mine")["cost_per_hour"], 1.5)
        self.home.run("submit", "-c", "mine", "--", "sleep", "600")
        self.assertEqual(self.ends()[0], "lifetime")
        self.gone()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[3:]])
