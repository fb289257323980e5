#!/usr/bin/env python3
"""The provider `local` and the command line against a real Ray on this machine, from `up` to `down`.

usage: test_local.py RAYTUI RAY-BIN-DIR. Everything lives in a HOME of its own; only processes that raytui
started are ended, and by raytui. One cluster serves the whole class: bringing one up takes ten seconds.
"""
import json
import os
import signal
import subprocess
import sys
import time
import unittest
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
import raytui_run  # noqa: E402
from raytui_run import Screen, ray_client, until  # noqa: E402

RAYTUI, RAY_BIN = sys.argv[1:3]


class Home(raytui_run.Home):
    """One with a cluster of this machine."""

    def __init__(self, name):
        super().__init__(RAYTUI)
        self.name, self.tmp = name, self.dir + "/ray"
        self.configure("clusters:\n  %s:\n    provider: local\n    ray_command: %s/ray\n    temp_dir: %s\n    cpus: 2\n"
                       "    object_store_memory: 100MiB\n    dashboard_port: 28265\n    client_port: 21001\n    gcs_port: 26379\n"
                       "    pools: {workers: {cpus: 1, nodes: 1, max: 4}}\n" % (name, RAY_BIN, self.tmp))

    def run(self, *words, timeout=120, **more):
        return super().run(*words, timeout=timeout, **more)

    def processes(self):
        """Processes of this cluster that still run: by its temp dir or its GCS on their command lines, or its name."""
        found = []
        for pid in os.listdir("/proc"):
            if not pid.isdigit():
                continue
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    line = f.read().replace(b"\0", b" ").decode(errors="replace")
            except OSError:
                continue
            if (self.tmp + "/" in line or "--temp-dir=" + self.tmp in line or ":26379" in line) and "test_local.py" not in line:
                found.append((int(pid), line[:150]))
        return found

    def close(self):
        self.run("down", self.name, "--yes", code=None)
        super().close()


class Local(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = Home("mine")
        cls.waiting = cls.home.start("wait", "mine", "--up", "--timeout", "5m")
        time.sleep(1)
        out = cls.home.run("up", "mine", "--yes", timeout=240)
        assert "mine is up" in out.stdout, out.stdout + out.stderr

    @classmethod
    def tearDownClass(cls):
        cls.home.run("down", "mine", "--yes", timeout=120)
        left, tmp = cls.home.processes(), os.path.exists(cls.home.tmp)
        journal = os.path.join(cls.home.dir, "state/raytui/clusters/mine/journal.jsonl")
        lives = os.path.exists(journal) and os.path.getsize(journal) > 0
        cls.home.close()
        assert not left, "left behind: %s" % left
        assert not tmp, "the temp dir is still there"
        assert not lives, "the journal still holds something"

    def nodes(self):
        def told():  # a head on a busy machine may keep its own dashboard waiting
            p = self.home.run("nodes", "-o", "json", "mine", code=None)
            return json.loads(p.stdout)["items"] if p.returncode == 0 else None

        return [n for n in until("the nodes are told", told, 60) if n["state"] == "ALIVE"]

    def test_a_head_and_a_worker_are_there_with_their_pools(self):
        doc = self.home.json("nodes", "mine")
        self.assertEqual(doc["schema"], 1)
        self.assertEqual(doc["cluster"], "mine")
        alive = [n for n in doc["items"] if n["state"] == "ALIVE"]
        self.assertEqual(sorted(n["pool"] for n in alive if n["pool"] == "head"), ["head"])
        self.assertGreaterEqual(len([n for n in alive if n["pool"] == "workers"]), 1)
        pools = {p["name"]: p for p in self.home.json("pools", "mine")["items"]}
        self.assertEqual(pools["head"]["ready"], 1)
        self.assertEqual(pools["workers"]["max"], 4)

    def test_what_a_process_is_doing_can_be_seen(self):
        job = self.home.run("submit", "-c", "mine", "--", "python", "-c",
                            "import ray, time; ray.init()\n@ray.remote\ndef nap():\n    time.sleep(60)\nray.get(nap.remote())").stdout.strip()
        tasks = until("the task runs", lambda: [t for t in self.home.json("tasks", "mine")["items"] if t["name"] == "nap" and t["state"] == "RUNNING"])
        self.assertIn("nap (", self.home.run("stack", "-c", "mine", tasks[0]["id"]).stdout)
        self.home.run("stop", "-c", "mine", job, "--yes")

    def test_what_another_raytui_brings_up_is_seen_by_one_that_waits(self):
        self.waiting.wait(60)
        self.assertEqual((self.waiting.out, self.waiting.err), (["mine up"], []))

    def test_up_again_adds_what_is_missing_and_then_says_that_it_is_up(self):
        self.home.run("scale", "mine", "workers", "0", "--yes")
        until("the worker is gone", lambda: len(self.nodes()) == 1)
        self.home.run("up", "mine", "--yes")
        self.assertEqual(len(self.nodes()), 2)
        p = self.home.run("up", "mine", "--yes", code=None)
        self.assertNotEqual(p.returncode, 0)
        self.assertIn("up already", p.stderr)

    def test_scale_adds_and_ends_real_workers(self):
        before = len(self.nodes())
        self.home.run("scale", "mine", "workers", "+1")
        self.assertEqual(len(self.nodes()), before + 1)
        self.home.run("scale", "mine", "workers", "-1", "--yes")
        until("the worker is gone", lambda: len(self.nodes()) == before)

    def test_a_scale_that_is_taken_back_on_the_screen_is_over(self):
        logs = os.path.join(self.home.dir, "state/raytui/clusters/mine")
        before, had = len(self.nodes()), set(os.listdir(logs))
        screen = Screen(self.home, "mine")

        def started(n):
            new = [os.path.join(logs, f) for f in os.listdir(logs) if f.startswith("op-") and f not in had]
            return len(new) >= n and all(os.path.getsize(f) for f in new)

        def both():
            p = self.home.run("scale", "mine", "workers", str(before - 1), "--yes", code=None)
            return p.returncode == 0  # refused as long as an operation of the screen holds the cluster

        try:
            time.sleep(2)  # until it has read the terminal's answers; a key that comes too early is typed again
            until("a worker more is asked for", lambda: (screen.keys("2G"), screen.keys("+"), time.sleep(2), started(1))[-1], 60)
            screen.keys("u")
            until("both operations are over", both, 60)
            until("as many as before", lambda: len(self.nodes()) == before)
        finally:
            screen.close()

    def test_several_workers_at_once_all_join(self):
        self.home.run("scale", "mine", "workers", "4")
        self.assertEqual(len(self.nodes()), 5)
        self.home.run("scale", "mine", "workers", "1", "--yes")
        until("the workers are gone", lambda: len(self.nodes()) == 2)

    def test_scale_above_max_is_refused_with_the_reason(self):
        p = self.home.run("scale", "mine", "workers", "9", code=None)
        self.assertNotEqual(p.returncode, 0)
        self.assertIn("above its max", p.stderr)
        p = self.home.run("scale", "mine", "wokers", "2", code=4)
        self.assertIn("did you mean workers?", p.stderr)

    def test_submit_wait_has_the_end_of_the_job(self):
        for command, code in ((["python", "-c", "print('fine')"], 0), (["python", "-c", "import sys; sys.exit(3)"], 1)):
            p = self.home.run("submit", "-c", "mine", "--wait", "--", *command, code=code)
            if code == 0:
                self.assertIn("fine", p.stdout)

    def test_words_and_environment_reach_the_job_unchanged(self):
        words = ["a b", "it's", '"q"', "$HOME", "ünï", "*", "-x", ""]
        p = self.home.run("submit", "-c", "mine", "--wait", "--env", "WHO=two words", "--", "python", "-c",
                          "import json, os, sys; print('GOT', json.dumps(sys.argv[1:]), os.environ['WHO'])", *words)
        line = [x for x in p.stdout.splitlines() if x.startswith("GOT ")][0]
        self.assertEqual(line, "GOT %s two words" % json.dumps(words))

    def test_a_working_directory_goes_along_without_what_is_ignored(self):
        d = os.path.join(self.home.dir, "work")
        os.makedirs(d + "/sub", exist_ok=True)
        for name, text in (("main.py", "import os; print('FILES', sorted(os.listdir('.')), open('sub/x').read())"), ("sub/x", "deep"),
                           ("secret.txt", "no"), (".gitignore", "secret.txt\n")):
            with open(os.path.join(d, name), "w") as f:
                f.write(text)
        p = self.home.run("submit", "-c", "mine", "--working-dir", d, "--wait", "--", "python", "main.py")
        line = [x for x in p.stdout.splitlines() if x.startswith("FILES")][0]
        self.assertIn("main.py", line)
        self.assertNotIn("secret.txt", line)
        self.assertIn("deep", line)

    def test_stop_ends_a_job_and_delete_takes_its_record(self):
        job = self.home.json("submit", "-c", "mine", "--", "sleep", "600")["item"]["result"]
        until("running", lambda: self.home.json("job", "-c", "mine", job)["item"]["status"] == "RUNNING")
        self.assertEqual(self.home.run("stop", "-c", "mine", job, code=5).returncode, 5)  # no terminal, no --yes
        self.home.run("stop", "-c", "mine", "--yes", job)
        self.assertEqual(self.home.json("job", "-c", "mine", job)["item"]["status"], "STOPPED")
        self.assertEqual(self.home.run("wait", "-c", "mine", job, code=2).stdout.split()[-1], "STOPPED")
        self.home.run("delete", "-c", "mine", "--yes", job)
        self.home.run("job", "-c", "mine", job, code=4)

    def test_a_follow_prints_each_line_once_and_ends_with_the_job(self):
        count = 300
        job = self.home.json("submit", "-c", "mine", "--", "python", "-u", "-c",
                             "import time\nfor i in range(%d):\n    print('line', i)\n    time.sleep(0.01)" % count)["item"]["result"]
        p = self.home.run("logs", "-c", "mine", "-f", job)
        lines = [x for x in p.stdout.splitlines() if x.startswith("line ")]
        self.assertEqual(lines, ["line %d" % i for i in range(count)])

    def test_killed_and_started_again_it_finds_what_it_made(self):
        p = self.home.start("scale", "mine", "workers", "2")
        time.sleep(1.5)
        p.stop(signal.SIGKILL)
        until("two workers", lambda: len([n for n in self.nodes() if n["pool"] == "workers"]) == 2)
        pools = {x["name"]: x for x in self.home.json("pools", "mine")["items"]}
        self.assertEqual(pools["workers"]["desired"], 2)
        self.home.run("scale", "mine", "workers", "1", "--yes")

    def test_ray_s_own_tools_work_with_env(self):
        lines = self.home.run("env", "mine").stdout
        env = dict(self.home.env)
        for line in lines.splitlines():
            name, value = line[len("export "):].split("=", 1)
            env[name] = value.strip("'")
        self.assertTrue(env["RAY_ADDRESS"].startswith("ray://127.0.0.1:"))
        out = subprocess.run([RAY_BIN + "/python", "-c", ray_client() + "print('CPUS', ray.cluster_resources()['CPU'])"],
                             env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120).stdout
        self.assertIn("CPUS", out)

    def test_an_address_attaches_without_configuration(self):
        url = "http://127.0.0.1:28265"
        rows = self.home.json("nodes", "--address", url)["items"]
        self.assertGreaterEqual(len(rows), 2)
        self.assertEqual(json.load(urllib.request.urlopen(urllib.request.Request(url + "/api/version", headers={"User-Agent": "x"})))["ray_version"],
                         self.home.json("show", "mine")["item"]["ray_version"])

    def test_ls_shows_it_up(self):
        rows = {c["name"]: c for c in self.home.json("ls")["items"]}
        self.assertEqual(rows["mine"]["state"], "up")

    def test_readonly_refuses(self):
        p = self.home.run("--readonly", "scale", "mine", "workers", "+1", code=5)
        self.assertIn("read-only", p.stderr)


class NothingThere(unittest.TestCase):
    def test_what_is_not_up_says_how_it_comes_up(self):
        home = Home("other")
        try:
            p = home.run("nodes", "other", code=3)
            self.assertIn("raytui up other", p.stderr)
            self.assertEqual(home.run("down", "other", "--yes").returncode, 0)
        finally:
            home.close()

    def test_a_ray_that_cannot_start_shows_its_own_words(self):
        home = Home("other")
        path = home.dir + "/config/raytui/config.yaml"
        bad = home.dir + "/bad-ray"
        with open(bad, "w") as f:
            f.write("#!/bin/sh\n[ \"$1\" = --version ] && { echo 'ray, version 0'; exit 0; }\necho 'no such luck today' >&2\nexit 9\n")
        os.chmod(bad, 0o755)
        with open(path) as f:
            text = f.read().replace(RAY_BIN + "/ray", bad)
        with open(path, "w") as f:
            f.write(text)
        try:
            p = home.run("up", "other", "--yes", code=1)
            self.assertIn("no such luck today", p.stderr)
            self.assertFalse(os.path.exists(home.tmp))
        finally:
            home.close()

    def test_a_head_that_dies_is_told_and_up_makes_it_whole_again(self):
        home = Home("other")
        try:
            home.run("up", "other", "--yes", timeout=240)
            with open(os.path.join(home.dir, "state/raytui/clusters/other/journal.jsonl")) as f:
                head = [e for e in map(json.loads, f) if e.get("name") == "head" and e.get("phase") == "made"][-1]
            os.kill(int(head["id"]), signal.SIGKILL)
            row = until("it has failed", lambda: next((c for c in home.json("ls")["items"] if c["state"] == "failed"), None))
            self.assertIn("head", row["state_detail"])
            self.assertIn("its head has ended", home.run("why", "other").stdout)
            home.run("up", "other", "--yes", timeout=240)
            alive = [n for n in home.json("nodes", "other")["items"] if n["state"] == "ALIVE"]
            self.assertEqual(sorted(n["pool"] for n in alive), ["head", "workers"])
        finally:
            home.close()
        self.assertFalse(home.processes())

    def test_an_interrupted_up_leaves_nothing(self):
        home = Home("other")
        try:
            p = home.start("up", "other", "--yes")
            time.sleep(3)
            p.process.send_signal(signal.SIGINT)
            p.wait(60)
            until("no process", lambda: not home.processes(), 60)
            self.assertFalse(os.path.exists(home.tmp))
        finally:
            home.close()


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[3:]])
