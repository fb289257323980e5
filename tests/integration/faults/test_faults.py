#!/usr/bin/env python3
"""Answers that are wrong, late or missing, and a disk that takes nothing: each ends in one clear line, the
right exit status, and in time. usage: test_faults.py RAYTUI"""
import json
import os
import signal
import subprocess
import sys
import time
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "support"))
from raytui_run import Home, Sim, free_port, until  # noqa: E402

RAYTUI = sys.argv[1]
SOON, DEADLINE = 6, 20  # seconds, with room for a slow machine: nothing here may wait for more


def config(url, name="sim"):
    return "clusters:\n  %s: {provider: address, url: \"%s\"}\n" % (name, url)


class WithSim(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.sim = Sim(*cls.options)
        cls.home = Home(RAYTUI, config(cls.sim.url))

    @classmethod
    def tearDownClass(cls):
        cls.sim.close()
        cls.home.close()

    def setUp(self):
        self.sim.fault("none")

    def tearDown(self):
        self.sim.fault("none")

    def refused(self, status, words, *command, within=SOON):
        """The command ends so, in time, with nothing on stdout and one line (and a hint) on stderr."""
        begin = time.monotonic()
        p = self.home.run(*command, code=status)
        self.assertLess(time.monotonic() - begin, within)
        self.assertEqual(p.stdout, "")
        lines = p.stderr.splitlines()
        self.assertTrue(lines and lines[0].startswith("raytui: sim: "), p.stderr)
        self.assertLessEqual(len(lines), 2, p.stderr)
        self.assertIn(words, p.stderr)
        self.assertNotIn("Traceback", p.stderr)
        return p.stderr


class Answers(WithSim):
    """Whatever comes from everywhere, as when another program sits on the port."""

    def check(self, mode, status, words, within=SOON):
        for verb in ("jobs", "nodes"):
            self.sim.fault(mode)
            self.refused(status, words, verb, "sim", within=within)
        self.sim.fault(mode)
        p = self.home.run("jobs", "sim", "-o", "json", code=status)
        self.assertEqual(p.stdout, "")
        said = json.loads(p.stderr)
        self.assertEqual(said["schema"], 1)
        self.assertEqual(sorted(said["error"]), ["code", "hint", "message"])
        self.assertIn(words, said["error"]["message"])
        self.sim.fault("none")
        self.assertEqual(self.home.json("jobs", "sim")["total"], 12)

    def test_a_page_of_html_is_named_as_such(self):
        self.check("html", 1, "HTML")

    def test_a_500_shows_the_line_that_matters(self):
        self.check("500", 1, "Server got itself in trouble (status 500)")

    def test_an_answer_that_breaks_off_is_no_answer(self):
        self.check("truncated", 3, "broke off")

    def test_json_without_a_bottom_is_refused(self):
        self.check("deep", 1, "de")

    def test_a_body_of_200_mb_is_refused_by_its_size(self):
        self.check("big", 1, "larger than 128M")

    def test_a_connection_that_resets_is_lost(self):
        self.check("reset", 3, "connection")

    def test_a_401_is_a_token_that_is_needed(self):
        self.check("401", 5, "token needed")

    def test_a_403_is_a_token_that_is_refused(self):
        self.check("403", 5, "Invalid authentication token")

    def test_a_server_without_the_routes_is_no_ray(self):
        self.check("missing", 1, "this Ray has no")

    def test_a_frozen_control_service_is_told_from_a_dead_dashboard(self):
        self.check("gcs-frozen", 3, "GCS not responding", within=DEADLINE)

    def test_one_byte_a_second_ends_at_the_deadline(self):
        self.sim.fault("slow")
        self.refused(3, "s", "jobs", "sim", within=DEADLINE)

    def test_silence_ends_at_the_deadline(self):
        self.sim.fault("hang")
        self.refused(3, "no answer", "jobs", "sim", within=DEADLINE)

    def test_nobody_listening_is_said_at_once_and_heals(self):
        self.sim.fault("refuse", seconds=3)
        time.sleep(0.3)
        err = self.refused(3, "connection refused", "jobs", "sim")
        self.assertIn("is the head running?", err)
        until("it answers again", lambda: self.home.run("jobs", "sim", code=None).returncode == 0, 15)

    def test_ls_shows_what_ails_a_cluster_and_ends_well(self):
        for mode, state in (("401", "token needed"), ("reset", "unreachable"), ("html", "unreachable")):
            self.sim.fault(mode)
            rows = {c["name"]: c for c in self.home.json("ls")["items"]}
            self.assertEqual(rows["sim"]["reach"], state)
            self.assertTrue(rows["sim"]["error"], rows["sim"])


class OneRoute(WithSim):
    """One route is broken, the others are not."""

    def check(self, mode, status, words, within=SOON):
        self.sim.fault(mode, path="/api/jobs")
        self.refused(status, words, "jobs", "sim", within=within)
        self.assertEqual(self.home.json("nodes", "sim")["total"], 4)

    def test_jobs_that_are_html(self):
        self.check("html", 1, "GET /api/jobs/: HTML")

    def test_jobs_that_are_a_500(self):
        self.check("500", 1, "GET /api/jobs/: Server got itself in trouble")

    def test_jobs_that_break_off(self):
        self.check("truncated", 3, "broke off after")

    def test_jobs_that_nest_without_end(self):
        self.check("deep", 1, "deeper than 200 levels")

    def test_jobs_that_need_a_token(self):
        self.check("403", 5, "Invalid authentication token")

    def test_jobs_that_this_ray_does_not_have(self):
        self.check("missing", 1, "this Ray has no GET /api/jobs/")

    def test_jobs_that_never_come(self):
        self.check("hang", 3, "no answer about jobs within 15 s", within=DEADLINE)

    def test_nodes_without_measurements_are_listed_with_a_warning(self):
        for mode in ("html", "500", "truncated", "deep", "missing"):
            self.sim.fault(mode, path="/nodes")
            doc = self.home.json("nodes", "sim")
            self.assertEqual(doc["total"], 4)
            self.assertIn("no physical usage", doc["warnings"][0])

    def test_a_broken_submit_says_so_and_sends_nothing_twice(self):
        self.sim.post("calls")
        self.sim.fault("500", path="/api/jobs/")
        p = self.home.run("submit", "-c", "sim", "--", "true", code=1)
        self.assertIn("Server got itself in trouble", p.stderr)
        self.assertEqual(p.stdout, "")
        self.assertLessEqual(self.sim.get("calls").get("POST /api/jobs/", 0), 1)


class Element(WithSim):
    def test_one_job_that_makes_no_sense_leaves_the_others(self):
        job = self.sim.get("info")["jobs"][3]
        self.sim.post("job", submission_id=job, status={"not": "a status"})
        doc = self.home.json("jobs", "sim")
        self.assertEqual(doc["shown"], 11)
        self.assertEqual(doc["total"], 12)
        self.assertEqual(doc["warnings"], ["1 row could not be understood and is left out"])
        p = self.home.run("jobs", "sim")
        self.assertEqual(len(p.stdout.splitlines()), 12)  # a title and eleven jobs
        self.assertIn("1 row could not be understood", p.stderr)


class Hostile(WithSim):
    """What a cluster's users wrote is shown, and does nothing else."""
    EVIL = "py\x1b]52;c;ZXZpbA==\x07 \x1b[2J\x1b[31m\x1b]0;owned\x07 \u202etxt.exe\u2066 \x9b31m \r\n--flag"

    def harmless(self, *command):
        p = self.home.run(*command)
        for bad in ("\x1b", "\x07", "\r", "\x9b", "\u202e", "\u2066"):
            self.assertNotIn(bad, p.stdout + p.stderr, command)
        return p.stdout

    def test_an_entrypoint_with_escape_sequences(self):
        job = self.sim.get("info")["jobs"][0]
        self.sim.post("job", submission_id=job, entrypoint=self.EVIL, message=self.EVIL, metadata={self.EVIL: self.EVIL, "job_submission_id": self.EVIL})
        rows = self.harmless("jobs", "sim").splitlines()
        self.assertEqual(len(rows), 13)  # a line a job, whatever the words hold
        for command in (("jobs", "sim", "-o", "wide"), ("job", "-c", "sim", job), ("show", "-c", "sim", job), ("why", "-c", "sim", job)):
            self.harmless(*command)
        item = [j for j in self.home.json("jobs", "sim")["items"] if j["id"] == job][0]
        self.assertIn("txt.exe", item["entrypoint"])

    def test_names_of_a_megabyte(self):
        job = self.sim.get("info")["jobs"][1]
        self.sim.post("job", submission_id=job, entrypoint="x" * (1 << 20), metadata={"k" * (1 << 20): "v" * (1 << 20)})
        rows = self.harmless("jobs", "sim").splitlines()
        self.assertEqual(len(rows), 13)
        self.harmless("job", "-c", "sim", job)
        self.assertEqual(self.home.json("jobs", "sim")["shown"], 12)


class Events(WithSim):
    def test_events_that_answer_500_for_ever_cost_only_themselves(self):
        self.sim.fault("500", path="/api/v0/cluster_events")
        p = self.home.run("events", "sim", code=1)
        self.assertIn("Server got itself in trouble", p.stderr)
        for verb in ("nodes", "jobs", "pools", "actors"):
            self.assertGreaterEqual(self.home.json(verb, "sim")["total"], 0)
        job = self.sim.get("info")["jobs"][0]
        self.home.run("why", "-c", "sim", job)
        self.assertEqual(self.home.json("show", "sim")["item"]["reach"], "ok")


class Restart(WithSim):
    def test_a_head_that_starts_anew_is_a_new_session(self):
        before = self.home.json("show", "sim")["item"]["session_name"]
        self.home.run("submit", "-c", "sim", "--", "true")
        self.assertGreater(self.home.json("jobs", "sim")["total"], 0)
        self.sim.post("restart")
        self.assertNotEqual(self.home.json("show", "sim")["item"]["session_name"], before)
        self.assertEqual(self.home.json("jobs", "sim")["total"], 0)

    def test_a_follow_ends_when_its_head_starts_anew(self):
        job = self.home.json("submit", "-c", "sim", "--", "true")["item"]["result"]
        p = self.home.start("logs", "-c", "sim", "-f", job)
        until("lines", lambda: p.out)
        self.sim.post("restart")
        self.sim.post("cut")
        status = p.wait(40)
        self.assertNotEqual(status, 0)
        self.assertTrue([x for x in p.err if x.startswith("raytui: ")], p.err)


class Follow(WithSim):
    options = ("--job-s", "5", "--job-log-rate", "50")

    def lines(self, job):
        got = subprocess.run([RAYTUI, "logs", "-c", "sim", job], env=self.home.env, stdout=subprocess.PIPE, text=True).stdout
        return got.splitlines()

    def follow(self, *trouble):
        job = self.home.json("submit", "-c", "sim", "--", "true")["item"]["result"]
        p = self.home.start("logs", "-c", "sim", "-f", job)
        until("the first lines", lambda: len(p.out) > 5)
        for t in trouble:
            t()
            time.sleep(1.0)
        self.assertEqual(p.wait(60), 0, p.err)
        self.assertEqual(p.out, self.lines(job))
        self.assertGreater(len(p.out), 100)

    def test_cut_three_times_no_line_is_lost_and_none_comes_twice(self):
        cut = lambda: self.sim.post("cut")  # noqa: E731
        self.follow(cut, cut, cut)

    def test_the_dashboard_gone_for_two_seconds_costs_no_line(self):
        self.follow(lambda: self.sim.fault("refuse", seconds=2))

    def test_errors_in_the_middle_cost_no_line(self):
        self.follow(lambda: self.sim.fault("500", seconds=1.5), lambda: self.sim.post("cut"), lambda: self.sim.fault("reset", seconds=1.5))


class FollowStream(Follow):
    """The same through the dashboard's stream, where the nodes' own ports are out of reach."""
    options = Follow.options + ("--no-agent",)


class Names(unittest.TestCase):
    def test_what_is_not_there_has_status_3_or_4_and_a_hint(self):
        home = Home(RAYTUI, config("http://no-such-host.invalid:8265", "far") + config("http://127.0.0.1:%d" % free_port(), "near")[10:])
        try:
            p = home.run("nodes", "far", code=3)
            self.assertIn("no host has the name no-such-host.invalid", p.stderr)
            p = home.run("nodes", "near", code=3)
            self.assertIn("connection refused", p.stderr)
            p = home.run("nodes", "fat", code=4)
            self.assertIn("did you mean far?", p.stderr)
            p = home.run("jobs", "--address", "http://no-such-host.invalid:8265", code=3)
            p = home.run("nodes", code=64)
            self.assertIn("far", p.stderr)
            self.assertIn("near", p.stderr)
            rows = {c["name"]: c["reach"] for c in home.json("ls")["items"]}
            self.assertEqual((rows["far"], rows["near"]), ("unreachable", "unreachable"))
        finally:
            home.close()


class Disk(unittest.TestCase):
    """State cannot be written: what only reads goes on, what must keep a journal refuses."""

    def setUp(self):
        self.sim = Sim()
        self.home = Home(RAYTUI, config(self.sim.url) + "  mine: {provider: local, ray_command: /bin/false, temp_dir: /tmp/rt-never}\n")

    def tearDown(self):
        self.sim.close()
        self.home.close()

    def reads(self, env):
        for words in (("ls",), ("nodes", "sim"), ("jobs", "sim"), ("show", "sim"), ("pools", "sim"), ("check",), ("env", "sim")):
            p = self.home.run(*words, env=env)
            self.assertTrue(p.stdout, words)
        job = self.home.run("submit", "-c", "sim", "--wait", "--", "true", env=env)
        self.assertIn("SUCCEEDED", job.stderr)

    def test_a_state_directory_that_cannot_be_made(self):
        self.home.file("flat", "a file where a directory should be")
        env = {"XDG_STATE_HOME": self.home.dir + "/flat/state", "XDG_CACHE_HOME": self.home.dir + "/flat/cache"}
        self.reads(env)
        p = self.home.run("up", "mine", "--yes", env=env, code=1)
        self.assertIn("journal", p.stderr)
        self.assertIn(self.home.dir + "/flat: Not a directory", p.stderr)

    def test_a_full_disk(self):
        mount = self.home.dir + "/full"
        os.mkdir(mount)
        # a disk of one page in a mount namespace of its own: nothing of the machine's is touched
        script = ("mount -t tmpfs -o size=16k tmpfs %s && dd if=/dev/zero of=%s/filler bs=4k 2>/dev/null; export XDG_STATE_HOME=%s/state; "
                  "exec \"$@\"") % (mount, mount, mount)
        front = ["unshare", "-m", "sh", "-c", script, "sh"]
        if subprocess.run(front + ["true"], stderr=subprocess.DEVNULL).returncode != 0:
            self.skipTest("no mount namespaces here")

        def run(*words):
            return subprocess.run(front + [RAYTUI, *words], env=self.home.env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True, timeout=60, start_new_session=True)
        for words in (("ls",), ("nodes", "sim"), ("jobs", "sim")):
            p = run(*words)
            self.assertEqual((p.returncode, bool(p.stdout)), (0, True), p.stderr)
        p = run("up", "mine", "--yes")
        self.assertEqual(p.returncode, 1, p.stderr)
        self.assertRegex(p.stderr, "No space left")


class Interrupted(WithSim):
    def test_leaving_a_follow_stops_no_job(self):
        job = self.sim.get("info")["log_job"]
        p = self.home.start("logs", "-c", "sim", "-f", job)
        until("lines", lambda: p.out)
        self.assertEqual(p.stop(signal.SIGINT), 130)
        self.assertEqual(self.home.json("job", "-c", "sim", job)["item"]["status"], "RUNNING")

    def test_sigterm_ends_a_wait(self):
        job = self.sim.get("info")["log_job"]
        p = self.home.start("wait", "-c", "sim", job)
        time.sleep(0.5)
        self.assertEqual(p.stop(signal.SIGTERM), 143)

    def test_a_reader_that_leaves_early_is_no_error(self):
        p = subprocess.run("%s logs -c sim %s | head -n 1" % (RAYTUI, self.sim.get("info")["log_job"]), shell=True, env=self.home.env,
                           stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=30)
        self.assertEqual(len(p.stdout.splitlines()), 1)
        self.assertEqual(p.stderr, "")


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[2:]])
