#!/usr/bin/env python3
"""Logs of several sources over the faults that a made-up dashboard can have. usage: test_logs_sim.py RAYTUI [TEST...]"""
import os
import re
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from raytui_run import Home, Sim, until  # noqa: E402

RAYTUI = sys.argv.pop(1)


class Logs(unittest.TestCase):
    options = ("--nodes", "2", "--jobs", "10", "--log-lines", "200")

    def setUp(self):
        self.sim = Sim("--port", "0", *self.options)
        self.home = Home(RAYTUI, "clusters:\n  sim: {provider: address, url: \"%s\"}\n" % self.sim.url)
        self.info = self.sim.get("info")
        self.job = self.info["log_job"]

    def tearDown(self):
        self.sim.close()
        self.home.close()

    def logs(self, *words, **more):
        return self.home.run("logs", "-c", "sim", *words, **more)

    def test_driver_and_workers_by_time_each_line_once(self):
        lines = self.logs("--all", self.job).stdout.splitlines()
        by = {}
        for line in lines:
            source, text = re.fullmatch(r"\(([^)]*)\) (.*)", line).groups()
            by.setdefault(source, []).append(text)
        sizes = {k: len(v) for k, v in by.items()}
        self.assertEqual(sizes, {"driver": 202, "train pid=6400, ip=10.0.0.1": 30, "train pid=6401, ip=10.0.0.1": 60,
                                 "train pid=6402, ip=10.0.0.1": 90, "Counter pid=6403, ip=10.0.0.1": 120})
        for texts in by.values():
            steps = [int(m.group(1)) for m in (re.search(r"step (\d+)", t) for t in texts) if m]
            self.assertEqual(steps, list(range(len(steps))))
        times = [m.group(1) for m in (re.search(r"\) (2026-11-21 1\S+ \S+|2026-11-21 10\S+)", x) for x in lines) if m]
        self.assertEqual(times, sorted(times))
        alone = self.logs("--workers", self.job).stdout
        self.assertNotIn("(driver)", alone)
        self.assertEqual(len(alone.splitlines()), 300)

    def test_the_same_file_of_every_node(self):
        out = self.logs("*/raylet.out").stdout
        self.assertIn("(10.0.0.1/raylet.out) ", out)
        self.assertIn("(10.0.0.2/raylet.out) ", out)

    def test_a_follow_over_a_lost_dashboard_says_so_and_loses_nothing(self):
        follow = self.home.start("logs", "-c", "sim", "-f", "--all", self.job)
        until("the history comes", lambda: len(follow.out) >= 502)
        self.sim.fault("reset", seconds=6)
        self.sim.post("cut")
        time.sleep(2)
        self.sim.post("log", submission_id=self.job, lines=50)
        until("what was written meanwhile", lambda: sum("(driver)" in x for x in follow.out) >= 252)
        follow.stop()
        driver = [re.search(r"step (\d+)", x) for x in follow.out if x.startswith("(driver)")]
        self.assertEqual([int(m.group(1)) for m in driver if m], list(range(250)))

    def test_what_a_dead_node_wrote_stays_readable(self):
        node = self.info["nodes"][1]
        seen = self.logs(node + "/raylet.out").stdout
        self.assertGreater(len(seen), 1000)
        both = self.logs("*/raylet.out").stdout
        self.sim.post("node", index=1)
        self.assertEqual(self.logs(node + "/raylet.out").stdout, seen)
        again = self.logs("*/raylet.out").stdout
        self.assertEqual(sorted(x for x in again.splitlines() if "10.0.0.2" in x), sorted(x for x in both.splitlines() if "10.0.0.2" in x))

    def test_what_was_seen_is_there_without_the_cluster(self):
        seen = self.logs("--all", self.job).stdout
        self.sim.close()
        p = self.logs("--cached", self.job)
        self.assertIn("from the cache, seen until", p.stderr)
        self.assertEqual(p.stdout.splitlines(), [x[len("(driver) "):] for x in seen.splitlines() if x.startswith("(driver) ")])
        names = self.logs("--cached").stdout.splitlines()
        self.assertIn("jobs/" + self.job, names)
        self.assertEqual(sum("/worker-" in x for x in names), 4)
        self.logs("--cached", "no-such-job", code=4)
        self.logs(self.job, code=3)

    def test_the_cache_keeps_to_its_quota(self):
        self.home.configure("log_cache: 60KiB\nclusters:\n  sim: {provider: address, url: \"%s\"}\n" % self.sim.url)
        for _ in range(3):
            self.logs("--all", self.job)
        total = sum(os.path.getsize(os.path.join(d, f)) for d, _, files in os.walk(self.home.dir + "/cache/raytui/logs") for f in files)
        self.assertLessEqual(total, 60 * 1024)

    def test_a_search_over_everything_a_job_and_a_node(self):
        p = self.logs("--search", "step 000000029 ", self.job)
        self.assertEqual(len(p.stdout.splitlines()), 5)
        self.assertRegex(p.stdout, r"(?m)^%s:32:2026-11-21 10:00:00,029 INFO" % self.job)
        self.assertIn("5 lines of 5 files", p.stderr)
        everywhere = self.logs("--search", "step 000000029 ").stdout
        self.assertGreater(len(everywhere.splitlines()), 10)
        node = self.info["nodes"][1]
        self.assertTrue(all(x.startswith("10.0.0.2/") for x in self.logs("--search", "step 000000029 ", node).stdout.splitlines()))
        self.logs("--search", "nobody wrote this", code=1)
        self.assertIn("pattern", self.logs("--search", "(", code=64).stderr)

    def test_a_search_finds_what_the_cache_has_of_a_dead_node(self):
        node = self.info["nodes"][1]
        self.logs(node + "/raylet.out")
        alive = self.logs("--search", "step 000000029 ")
        self.assertNotIn("from the cache", alive.stderr)
        self.sim.post("node", index=1)
        dead = self.logs("--search", "step 000000029 ")
        there = [x for x in dead.stdout.splitlines() if x.startswith("10.0.0.2/")]
        self.assertEqual(there, [x for x in alive.stdout.splitlines() if x.startswith("10.0.0.2/raylet.out:")])
        self.assertEqual(len(there), 1)
        self.assertRegex(dead.stderr, r"--- 10\.0\.0\.2/raylet\.out: from the cache, seen until \d\d:\d\d \(\d+s ago\) ---")
        self.assertRegex(dead.stderr, r"files, 1 of them from the cache")
        named = self.logs("--search", "step 000000029 ", node).stdout.splitlines()
        self.assertEqual(named, there)

    def test_a_search_without_the_cluster_is_one_of_the_cache(self):
        self.logs("--all", self.job)
        self.logs("*/raylet.out")
        seen = sorted(self.logs("--search", "step 000000029 ", self.job).stdout.splitlines())
        self.sim.close()
        p = self.logs("--search", "step 000000029 ")
        self.assertIn("searching what the cache has", p.stderr)
        self.assertIn("--- %s: from the cache, seen until" % self.job, p.stderr)
        lines = p.stdout.splitlines()
        self.assertEqual(len(lines), len(seen) + 2)
        texts = [x.split(":", 2)[2] for x in lines]
        for line in seen:
            self.assertIn(line.split(":", 2)[2], texts)
        for line in lines:  # what stands in front is what it is called in the cache
            place, number, text = line.split(":", 2)
            kept = self.logs("--cached", place).stdout.splitlines()
            self.assertEqual(kept[int(number) - 1], text)
        of_job = self.logs("--search", "step 000000029 ", self.job).stdout.splitlines()
        self.assertEqual(of_job, [x for x in seen if x.startswith(self.job)])
        self.logs("--search", "nobody wrote this", code=1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
