#!/usr/bin/env python3
"""The screen over a dashboard whose every word means harm, and what looking costs. usage: test_looking.py RAYTUI"""
import os
import re
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from raytui_run import Home, Screen, Sim, until  # noqa: E402

RAYTUI = sys.argv[1]
# parts of what the dashboard says, as a terminal would obey them
HARM = (b"\x1b]52;c;ZXZpbA==", b"\x1b]0;owned", b"\x1b]9;owned", b"\x1b[?1049l\x1bc", b"\x9b5n", b"\xc2\x9b5n", "\u202e".encode(), "\u2066".encode(), b"\x1b[6n",
        b"\x1bP+q")


class Raw(Screen):
    """Keeps every byte that was written to the terminal."""

    def __init__(self, *words, **more):
        self.all = bytearray()
        super().__init__(*words, **more)

    def take(self, data):
        super().take(data)
        self.all += data


class Bed(unittest.TestCase):
    options = ()
    config = ""

    def setUp(self):
        self.sim = Sim(*self.options)
        self.home = Home(RAYTUI, self.config + "clusters:\n  sim: {provider: address, url: \"%s\"}\n" % self.sim.url)
        self.screen = None

    def tearDown(self):
        if self.screen:
            self.screen.close()
        self.sim.close()
        self.home.close()


class Hostile(Bed):
    options = ("--nodes", "6", "--dead", "1", "--jobs", "20", "--actors", "8", "--autoscaler", "--demand", "--evil")
    config = "notify: toast,bell,desktop\n"
    # the way to each list, and what opens something from it
    VIEWS = (("clusters", "dwvY"), ("pools", "dwY"), ("nodes", "dwYlv"), ("jobs", "dwYlrv"), ("actors", "dwYl"), ("tasks", "dwYl"), ("events", "dYl"),
             ("pgs", "dwYl"), ("serve", "dYl"), ("envs", "dYl"), ("workers", "dYl"), ("forwards", "d"), ("operations", "d"), ("pulse", ""), ("heat", "d"),
             ("tree", "d"))

    def check(self, where):
        with self.screen.lock:
            data = bytes(self.screen.all)
        for harm in HARM:
            at = data.find(harm)
            self.assertEqual(at, -1, "%r after %s: %r" % (harm, where, data[max(0, at - 60):at + 60]))

    def test_no_word_of_the_dashboard_is_obeyed(self):
        self.sim.post("job", submission_id=self.sim.get("info")["log_job"], entrypoint="x" * (1 << 20), metadata={"k" * (1 << 20): "v"})
        self.screen = Raw(self.home, "sim")
        self.screen.shows("RUNNING")
        for view, keys in self.VIEWS:
            self.screen.keys(":%s @sim\r" % view)
            self.screen.shows("EVIL" if view not in ("clusters", "forwards", "operations", "pulse", "heat") else "sim")
            for key in keys:
                self.screen.keys(key)
                self.screen.text()
                self.check("%s in %s" % (key, view))
                self.screen.keys("\x1b")
                time.sleep(0.1)
                self.screen.keys("\x1b")
                self.screen.text()
                self.screen.keys(":%s @sim\r" % view)
            self.check(view)
        for line in (":stats", ":logs --search EVIL", ":why", ":columns"):
            self.screen.keys(line + "\r")
            self.screen.text()
            self.screen.keys("\x1b")
            self.screen.text()  # else Esc and what comes next are one key
            self.check(line)

    def test_a_notice_tells_it_harmlessly(self):
        self.screen = Raw(self.home, "sim")
        self.screen.shows("RUNNING")
        self.sim.post("job", submission_id=self.sim.get("info")["log_job"], status="FAILED")
        until("the bell or the desktop is told", lambda: b"\x1b]777;notify;" in self.screen.all or b"\x1b]9;" in self.screen.all, 60)
        self.check("a notice")


class Told(Bed):
    """A job that fails is told as the configuration says."""

    def fail_a_job(self, notify):
        self.home.close()
        self.home = Home(RAYTUI, "notify: %s\nclusters:\n  sim: {provider: address, url: \"%s\"}\n" % (notify, self.sim.url))
        self.screen = Raw(self.home, "sim")
        self.screen.shows("RUNNING")
        self.sim.post("job", submission_id=self.sim.get("info")["log_job"], status="FAILED")

    def rings(self):
        """The bell itself; one also ends what is written beside the text, as the title is."""
        return b"\a" in re.sub(rb"\x1b\][^\a]*\a", b"", bytes(self.screen.all))

    def test_by_the_bell_alone(self):
        self.fail_a_job("bell")
        until("the bell", self.rings, 60)
        self.assertFalse(re.search(rb"\x1b\](9|777);", bytes(self.screen.all)))

    def test_by_nothing(self):
        self.fail_a_job("none")
        self.screen.shows("3 failed")
        self.assertFalse(self.rings())


class Polite(Bed):
    """What nobody looks at is asked seldom, or not at all."""
    options = ("--nodes", "4", "--jobs", "1000", "--job-bytes", "600")

    def asked(self, route):
        return sum(n for k, n in self.sim.get("calls").items() if k.split(" ")[1] == route)

    def after_nodes(self, times):
        """The calls during so many requests of the nodes, which are on the screen."""
        self.sim.post("calls")
        until("%d requests of nodes" % times, lambda: self.asked("/api/v0/nodes") >= times, 120)
        return {r: self.asked(r) for r in ("/api/jobs/", "/api/v0/tasks", "/api/v0/actors", "/api/v0/cluster_events", "/api/v0/workers")}

    def test_a_thousand_jobs_are_not_asked_for_every_two_seconds(self):
        self.screen = Screen(self.home, "sim")
        self.screen.shows("1,000")
        self.screen.keys(":nodes\r")
        self.screen.shows("node-003")
        calls = self.after_nodes(6)  # half a minute
        self.assertLessEqual(calls.pop("/api/jobs/"), 3)
        self.assertEqual(set(calls.values()), {0}, calls)
        self.screen.keys(":tasks\r")
        until("tasks are asked for", lambda: self.asked("/api/v0/tasks"))
        self.screen.keys(":nodes\r")
        self.screen.shows("node-003")
        self.assertEqual(self.after_nodes(2)["/api/v0/tasks"], 0)
        self.screen.keys(":stats\r")
        self.screen.shows("MS EACH")
        self.screen.shows("/api/v0/tasks")


class Frozen(Bed):
    def test_old_rows_are_shown_as_such_while_the_control_service_hangs(self):
        self.screen = Screen(self.home, "sim")
        self.screen.shows("RUNNING")
        self.sim.fault("gcs-frozen")
        self.assertIn("RUNNING", self.screen.shows("GCS"))
        self.sim.fault("none")
        self.screen.gone("GCS")
        self.sim.post("restart")
        self.screen.shows("no jobs")


class Offline(Bed):
    def test_what_was_seen_is_there_after_a_kill_and_without_the_cluster(self):
        self.screen = Screen(self.home, "sim")
        self.screen.shows("RUNNING")
        kept = os.path.join(self.home.dir, "state/raytui/clusters/sim/snapshot.json")
        until("it is kept", lambda: os.path.exists(kept))
        self.screen.process.kill()
        self.screen.close()
        self.sim.close()
        self.screen = Screen(self.home, "sim")
        self.assertIn("RUNNING", self.screen.shows("unreachable"))
        self.screen.keys(":nodes\r")
        self.screen.shows("node-003")


if __name__ == "__main__":
    if not os.access(RAYTUI, os.X_OK):
        print("skipped: %s is not there" % RAYTUI)
        sys.exit(77)
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[2:]])
