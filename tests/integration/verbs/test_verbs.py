#!/usr/bin/env python3
"""Verbs from submit to delete against a real head, with and without a token, and over its death.
usage: test_verbs.py RAYTUI RAY-VERSION"""
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import zipfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from raytui_run import Home, free_ports, until  # noqa: E402

RAYTUI, VERSION = sys.argv[1:3]
RAY_LOCAL = os.path.join(HERE, "..", "..", "testbed", "ray-local.sh")
OLD = VERSION.startswith("2.9")


class Head:
    """A real Ray head on loopback that can be killed and started again on the same ports."""

    def __init__(self, *options):
        self.dir = tempfile.mkdtemp(prefix="rt-head-", dir="/tmp")
        self.ports = " ".join(map(str, free_ports(5)))
        self.options = options
        self.up()

    def up(self):
        p = subprocess.run([RAY_LOCAL, "up", self.dir, VERSION, *self.options], env={**os.environ, "RAY_PORTS": self.ports},
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=180)
        assert p.returncode == 0, p.stderr
        place = dict(x.split("=", 1) for x in p.stdout.splitlines() if "=" in x)
        self.url, self.token_file = place["DASHBOARD"], place.get("TOKEN_FILE")

    def down(self):
        subprocess.run([RAY_LOCAL, "down", self.dir], check=True, timeout=60, stdout=subprocess.DEVNULL)

    def close(self):
        self.down()
        subprocess.run(["rm", "-rf", self.dir], check=True)


class WithHead(unittest.TestCase):
    options = ()

    @classmethod
    def setUpClass(cls):
        cls.head = Head(*cls.options)
        cls.real = "provider: address, url: \"%s\"%s" % (
            cls.head.url, ", token_file: %s" % cls.head.token_file if cls.head.token_file else "")
        cls.home = Home(RAYTUI, "clusters:\n  real: {%s, entrypoints: {tell: \"echo TOLD {head_ip} {cluster}\"}}\n" % cls.real)

    @classmethod
    def tearDownClass(cls):
        cls.head.close()
        cls.home.close()


class Verbs(WithHead):
    def submit(self, *words):
        return self.home.json("submit", "-c", "real", *words)["item"]["result"]

    def job(self, job):
        return self.home.json("job", "-c", "real", job)["item"]

    def test_what_is_there(self):
        item = self.home.json("show", "real")["item"]
        self.assertEqual((item["reach"], item["ray_version"], item["nodes_alive"]), ("ok", VERSION, 1))
        nodes = self.home.json("nodes", "real")
        self.assertEqual((nodes["shown"], nodes["total"], nodes["warnings"]), (1, 1, []))
        node = nodes["items"][0]
        self.assertEqual((node["state"], node["head"]), ("ALIVE", True))
        self.assertEqual([p["ready"] for p in self.home.json("pools", "real")["items"]], [1])
        row = [c for c in self.home.json("ls")["items"] if c["name"] == "real"][0]
        self.assertEqual(row["reach"], "ok")
        self.assertIn("ok    real", self.home.run("doctor", "real").stdout)
        self.assertIn("/api/v0/nodes", self.home.run("stats", "real").stdout)

    def test_submit_wait_has_the_end_of_the_job_and_its_output(self):
        self.home.file("work/main.py", "import os, helper\nprint('SAID', helper.WORD, os.environ['WHO'], sorted(os.listdir('.')))\n")
        self.home.file("work/helper.py", "WORD = 'packed'\n")
        self.home.file("work/data/big.bin", "x" * 100000)
        self.home.file("work/.gitignore", "data/\n")
        self.home.file("work/notes.txt", "not for the cluster")
        p = self.home.run("submit", "-c", "real", "--working-dir", self.home.dir + "/work", "--exclude", "*.txt", "--env", "WHO=me and you",
                          "--metadata", "team=a b", "--wait", "--", "python", "main.py", timeout=120)
        said = [x for x in p.stdout.splitlines() if x.startswith("SAID")]
        self.assertEqual(len(said), 1)
        self.assertRegex(said[0], "SAID packed me and you ")
        self.assertNotIn("data", said[0])
        self.assertNotIn("notes.txt", said[0])
        self.assertIn("ended: SUCCEEDED", p.stderr)
        job = [j for j in self.home.json("jobs", "real")["items"] if j["entrypoint"] == "python main.py"][0]
        self.assertEqual(job["metadata"]["team"], "a b")
        self.assertIn("submitted_by", job["metadata"])
        self.assertNotIn("me and you", json.dumps(self.home.json("jobs", "real")))
        self.assertIn("me and you", json.dumps(self.home.json("jobs", "real", "--show-env")))
        self.home.run("submit", "-c", "real", "--wait", "--", "python", "-c", "raise SystemExit(4)", code=1)

    def test_a_zip_and_a_runtime_environment_go_along(self):
        path = self.home.dir + "/made.zip"
        with zipfile.ZipFile(path, "w") as z:
            z.writestr("main.py", "import os; print('ZIPPED', os.environ['A'])")
        env = self.home.file("env.yaml", "env_vars: {A: from the file}\n")
        p = self.home.run("submit", "-c", "real", "--working-dir", path, "--runtime-env", env, "--wait", "--", "python", "main.py", timeout=120)
        self.assertIn("ZIPPED from the file", p.stdout)

    def test_words_reach_the_job_unchanged(self):
        words = ["a b", "it's", "\"q\"", "$HOME", "ünï", "*", "-x", "", "back\\slash"]
        p = self.home.run("submit", "-c", "real", "--wait", "--", "python", "-c", "import json, sys; print('GOT', json.dumps(sys.argv[1:]))", *words)
        self.assertIn("GOT " + json.dumps(words), p.stdout.splitlines())

    def test_a_command_of_the_configuration_is_filled_in(self):
        p = self.home.run("submit", "-c", "real", "--template", "tell", "--wait", "--", "two words")
        self.assertIn("TOLD 127.0.0.1 real two words", p.stdout.splitlines())
        p = self.home.run("submit", "-c", "real", "--template", "tel", code=4)
        self.assertIn("there are: tell", p.stderr)

    def test_a_store_that_is_full_is_told(self):
        job = self.submit("--", "python", "-u", "-c", "import ray, time\nray.init()\nkept = [ray.put(b'x' * 19000000) for _ in range(5)]\ntime.sleep(600)")
        node = until("it is full", lambda: [n for n in self.home.json("nodes", "real")["items"] if n["full"]], seconds=90)[0]
        self.assertRegex(node["full"], r"object store 9\d % full")
        self.assertIn(node["full"], self.home.run("nodes", "real", "-o", "wide").stdout)
        self.home.run("stop", "-c", "real", "--yes", job)

    def test_a_follow_prints_each_line_once(self):
        job = self.submit("--", "python", "-u", "-c", "import time\nfor i in range(300):\n    print('line', i)\n    time.sleep(0.01)")
        p = self.home.run("logs", "-c", "real", "-f", job)
        self.assertEqual([x for x in p.stdout.splitlines() if x.startswith("line ")], ["line %d" % i for i in range(300)])
        again = self.home.run("logs", "-c", "real", job).stdout
        self.assertEqual(again, p.stdout)
        last = self.home.run("logs", "-c", "real", "-n", "3", job).stdout
        self.assertEqual(last.splitlines(), p.stdout.splitlines()[-3:])

    def test_stop_and_delete(self):
        job = self.submit("--", "sleep", "600")
        until("it runs", lambda: self.job(job)["status"] == "RUNNING")
        self.home.run("delete", "-c", "real", "--yes", job, code=1)
        self.home.run("stop", "-c", "real", job, code=5)
        self.home.run("stop", "-c", "real", "--yes", job[:len("raysubmit_") + 8])
        self.assertEqual(self.job(job)["status"], "STOPPED")
        self.home.run("wait", "-c", "real", job, code=2)
        self.home.run("stop", "-c", "real", "--yes", job, code=1)
        self.home.run("delete", "-c", "real", "--yes", job)
        self.home.run("job", "-c", "real", job, code=4)

    def test_several_jobs_at_once_and_one_that_is_not_there(self):
        jobs = [self.submit("--", "sleep", "600") for _ in range(2)]
        for j in jobs:
            until("it runs", lambda: self.job(j)["status"] == "RUNNING")
        p = self.home.run("stop", "-c", "real", "--yes", *jobs, "no-such-job", code=4)
        self.assertIn("no-such-job", p.stderr)
        self.home.run("stop", "-c", "real", "--yes", *jobs)
        self.assertEqual([self.job(j)["status"] for j in jobs], ["STOPPED", "STOPPED"])
        self.home.run("delete", "-c", "real", "--yes", *jobs)

    def test_a_submission_id_is_used_once(self):
        name = "mine-%d" % time.time()
        self.home.run("submit", "-c", "real", "--submission-id", name, "--wait", "--", "true")
        p = self.home.run("submit", "-c", "real", "--submission-id", name, "--", "true", code=1)
        self.assertIn(name, p.stderr)
        again = self.home.json("submit", "-c", "real", "--from", name)["item"]["result"]
        self.home.run("wait", "-c", "real", again)
        self.assertEqual(self.job(again)["entrypoint"], "true")

    def test_a_wait_ends_with_the_job(self):
        job = self.submit("--", "python", "-c", "import time; time.sleep(2); raise SystemExit(1)")
        p = self.home.run("wait", "-c", "real", job, code=1)
        self.assertEqual(p.stdout, job + " FAILED\n")
        slow = self.submit("--", "sleep", "60")
        p = self.home.run("wait", "-c", "real", "--timeout", "2s", slow, code=3)
        self.assertIn("not there in time", p.stderr)
        self.home.run("stop", "-c", "real", "--yes", "--no-wait", slow)


@unittest.skipIf(OLD, "this Ray has no tokens")
class Token(WithHead):
    options = ("--token",)

    def setUp(self):
        with open(self.head.token_file) as f:
            self.token = f.read().strip()

    def cluster(self, fields):
        self.home.configure("clusters:\n  real: {provider: address, url: \"%s\"%s}\n" % (self.head.url, fields))

    def works(self, **env):
        self.assertEqual(self.home.json("nodes", "real", env=env)["total"], 1)
        p = self.home.run("submit", "-c", "real", "--wait", "--", "echo", "with a token", env=env)
        self.assertIn("with a token", p.stdout.splitlines())
        p = self.home.run("nodes", "real", "--verbose", env={**env, "RAYTUI_LOG": "debug"})
        self.assertNotIn(self.token, p.stdout + p.stderr)
        with open(self.home.dir + "/state/raytui/raytui.log") as f:
            self.assertNotIn(self.token, f.read())

    def refused(self, words, reach="token needed", **env):
        for verb in (("nodes", "real"), ("jobs", "real"), ("submit", "-c", "real", "--", "true")):
            p = self.home.run(*verb, code=5, env=env)
            self.assertIn(words, p.stderr)
            self.assertEqual(p.stdout, "")
        said = json.loads(self.home.run("jobs", "real", "-o", "json", code=5, env=env).stderr)
        self.assertEqual(said["error"]["code"], "denied")
        row = [c for c in self.home.json("ls", env=env)["items"] if c["name"] == "real"][0]
        self.assertEqual(row["reach"], reach)

    def test_from_a_file(self):
        self.cluster(", token_file: %s" % self.head.token_file)
        self.works()
        lines = self.home.run("env", "real").stdout
        self.assertIn("export RAY_AUTH_TOKEN_PATH=%s" % self.head.token_file, lines)
        self.assertNotIn(self.token, lines)

    def test_from_the_environment(self):
        self.cluster(", token_env: MY_TOKEN")
        self.works(MY_TOKEN=self.token)

    def test_from_a_command(self):
        self.cluster(", token_command: \"cat %s\"" % self.head.token_file)
        self.works()

    def test_none(self):
        self.cluster("")
        self.refused("token needed")

    def test_a_wrong_one(self):
        wrong = self.home.file("wrong", "0123456789abcdef\n")
        self.cluster(", token_file: %s" % wrong)
        self.refused("access refused", "access refused")

    def test_a_source_that_fails(self):
        self.cluster(", token_command: \"sh -c 'echo the safe is closed >&2; exit 3'\"")
        self.refused("the safe is closed")
        self.cluster(", token_env: NOT_SET_AT_ALL")
        self.refused("NOT_SET_AT_ALL")
        self.cluster(", token_file: %s/not-there" % self.home.dir)
        self.refused("not-there")


class Client(WithHead):
    def test_a_first_job_has_the_logs_of_workers_that_were_there_before_it(self):
        self.home.file("first/main.py", "import ray\nray.init()\n@ray.remote\ndef f(i):\n    for k in range(3):\n        print('TASK', i, k, flush=True)\n"
                       "ray.get([f.remote(i) for i in range(4)])\n")
        job = self.home.json("submit", "-c", "real", "--working-dir", self.home.dir + "/first", "--", "python", "main.py")["item"]["result"]
        self.home.run("wait", "-c", "real", job)
        for words in (("--all",), ("--workers",), ("-f", "--all")):
            lines = [x for x in self.home.run("logs", "-c", "real", *words, job).stdout.splitlines() if "TASK" in x and not x.startswith("(driver)")]
            self.assertEqual(sorted(x.split(") ")[1] for x in lines), sorted("TASK %d %d" % (i, k) for i in range(4) for k in range(3)))
            self.assertTrue(all(x.startswith("(f pid=") for x in lines), lines)
        self.assertEqual(len(self.home.run("logs", "-c", "real", "--search", "^TASK", job).stdout.splitlines()), 12)
        other = self.home.json("submit", "-c", "real", "--", "python", "-c", "import ray; ray.init()")["item"]["result"]
        self.home.run("wait", "-c", "real", other)
        self.home.run("logs", "-c", "real", "--search", "^TASK", other, code=1) # files that name no job are not of every job

    def test_a_python_that_does_not_fit_is_told_before_it_fails(self):
        for ray in ("2.40.0", VERSION):
            self.home.file("python-%s/ray-%s.dist-info/METADATA" % (ray, ray), "Metadata-Version: 2.1\nName: ray\nVersion: %s\n" % ray)
        python = {n: 'client_python: "%s"' % v for n, v in (
            ("odd", "env PYTHONPATH=%s/python-2.40.0 python3" % self.home.dir), ("bare", "python3 -I"), ("none", "/nowhere/python"),
            ("same", "env PYTHONPATH=%s/python-%s python3" % (self.home.dir, VERSION)))}
        self.home.configure("clusters:\n  real: {%s}\n" % self.real +
                            "".join("  %s: {%s, %s}\n" % (n, self.real, p) for n, p in python.items()))
        there = self.home.json("show", "odd")["item"]
        self.assertEqual(there["ray_version"], VERSION)
        self.assertRegex(there["python_version"], r"^3\.\d+\.\d+$")
        text = self.home.run("show", "odd").stdout
        self.assertIn("the cluster has Ray %s on Python %s, client_python Ray 2.40.0 on Python 3." % (VERSION, there["python_version"]), text)
        p = self.home.run("env", "odd")  # from what was seen last
        self.assertIn("RAY_ADDRESS=ray://", p.stdout)
        self.assertIn("install ray==%s or submit a job" % VERSION, p.stderr)
        self.assertIn("has no Ray", self.home.run("show", "bare").stdout)
        self.assertIn("does not run", self.home.run("show", "none").stdout)
        for name in ("same", "real"):
            self.home.run("show", name)
            self.assertNotIn("will fail", self.home.run("env", name).stderr)
        self.assertNotIn("will fail", self.home.run("env", "odd", env={"RAY_IGNORE_VERSION_MISMATCH": "1"}).stderr)

    @unittest.skipUnless(shutil.which("stunnel4"), "stunnel4 is not installed")
    def test_an_https_route_carries_jobs_and_logs_and_says_what_it_does_not(self):
        port, closed = free_ports(2)
        at = self.home.dir
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-keyout", at + "/key.pem", "-out", at + "/ca.pem", "-days", "2",
                        "-subj", "/CN=ray.test", "-addext", "subjectAltName=IP:127.0.0.1"], check=True, stderr=subprocess.DEVNULL)
        conf = self.home.file("stunnel.conf", "foreground = yes\npid =\n[ray]\naccept = 127.0.0.1:%d\nconnect = %s\ncert = %s/ca.pem\nkey = %s/key.pem\n" % (
            port, self.head.url.split("//")[1], at, at))
        tls = subprocess.Popen(["stunnel4", conf], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            token = self.real.partition(", token_file")[1:]
            way = "provider: address, url: \"https://127.0.0.1:%d\", client_port: %d%s" % (port, closed, "".join(token))
            self.home.configure("clusters:\n  web: {%s, ca_file: %s/ca.pem}\n  strange: {%s}\n" % (way, at, way))
            until("it answers", lambda: self.home.run("nodes", "web", code=None).returncode == 0)
            p = self.home.run("submit", "-c", "web", "--wait", "--", "python", "-c", "print('over TLS')")
            self.assertIn("over TLS", p.stdout)
            self.assertIn("ray:// needs port %d, which does not answer from here" % closed, self.home.run("show", "web").stdout)
            self.assertIn("hop: ssh://", self.home.run("env", "web").stderr)
            self.assertRegex(self.home.run("nodes", "strange", code=None).stderr, "certificate")
        finally:
            tls.terminate()
            tls.wait()


class Death(WithHead):
    def test_a_head_that_is_killed_and_started_again(self):
        before = self.home.json("show", "real")["item"]
        job = self.home.json("submit", "-c", "real", "--", "python", "-u", "-c",
                             "import time\nfor i in range(9999):\n    print('line', i)\n    time.sleep(0.05)")["item"]["result"]
        follow = self.home.start("logs", "-c", "real", "-f", job)
        until("lines come", lambda: len(follow.out) > 20)
        self.head.down()
        p = self.home.run("nodes", "real", code=3)
        self.assertIn("connection refused", p.stderr)
        wait = self.home.start("wait", "real", "--up")
        self.head.up()
        self.assertEqual(wait.wait(30), 0, wait.err)
        self.assertNotEqual(follow.wait(60), 0)  # its job is gone with the session
        lines = [x for x in follow.out if x.startswith("line ")]
        self.assertEqual(lines, ["line %d" % i for i in range(len(lines))])
        after = self.home.json("show", "real")["item"]
        self.assertEqual(after["reach"], "ok")
        self.assertTrue(OLD or after["session_name"] != before["session_name"])
        self.assertEqual(self.home.json("jobs", "real")["total"], 0)
        self.home.run("job", "-c", "real", job, code=4)
        self.home.run("submit", "-c", "real", "--wait", "--", "true")


    def test_the_control_service_frozen_is_told_from_a_dead_head(self):
        """The dashboard goes on answering its version and old nodes meanwhile."""
        pids = subprocess.run([RAY_LOCAL, "pids", self.head.dir], check=True, stdout=subprocess.PIPE, text=True).stdout.split()

        def name(pid):
            try:
                with open("/proc/%s/comm" % pid) as f:
                    return f.read().strip()
            except OSError:
                return ""
        gcs = [int(p) for p in pids if name(p) == "gcs_server"]
        self.assertEqual(len(gcs), 1)
        os.kill(gcs[0], signal.SIGSTOP)
        try:
            p = self.home.run("jobs", "real", code=3, timeout=120)
            self.assertIn("GCS not responding", p.stderr)
        finally:
            os.kill(gcs[0], signal.SIGCONT)
        until("it is well again", lambda: self.home.run("jobs", "real", code=None, timeout=120).returncode == 0, 120)
        self.assertEqual(self.home.json("show", "real")["item"]["reach"], "ok")


class Why(WithHead):
    """A head with 2 CPU, no GPU and no autoscaler."""
    ACTORS = ("import ray, time\nray.init()\n"
              "@ray.remote(num_gpus=1)\nclass Trainer: pass\n"
              "t = Trainer.options(name='trainer').remote()\n"
              "from ray.util.placement_group import placement_group\n"
              "g = placement_group([{'CPU': 2}, {'CPU': 2}], strategy='STRICT_PACK', name='packed')\n"
              "print('READY', flush=True)\ntime.sleep(300)\n")

    def why(self, thing, until_it_says):
        seen = {}

        def ask():
            p = self.home.run("why", "-c", "real", "-o", "json", thing, code=None)
            seen.update(p.returncode == 0 and json.loads(p.stdout)["item"] or {"summary": p.stderr})
            return until_it_says in seen["summary"] and seen
        return until(lambda: "%s in %s" % (until_it_says, seen), ask)

    def reasons(self, item):
        return {r["text"]: r for r in item["reasons"]}

    def test_a_job_too_large_for_any_node(self):
        self.home.run("submit", "-c", "real", "--submission-id", "big", "--entrypoint-num-cpus", "64", "--", "true")
        item = self.why("big", "It asks for 64 CPU on one node; the largest node has 2 CPU.")
        self.assertEqual((item["kind"], item["brief"]), ("job", "needs 64 CPU: largest node has 2"))
        self.assertEqual([p["ever"] for p in item["pools"]], ["never: a node of it has 2 CPU"])
        reasons = self.reasons(item)
        self.assertTrue(any(t.startswith("its supervisor is PENDING_CREATION") for t in reasons), reasons)
        self.assertIn("there is no autoscaler: nodes come only when somebody starts them", reasons)
        self.assertTrue(all(r["at_ms"] > 0 for r in reasons.values()), reasons)
        self.home.run("stop", "-c", "real", "--no-wait", "--yes", "big")
        self.assertIn("needs 64 CPU: largest node has 2", self.home.run("jobs", "real").stdout)
        text = self.home.run("why", "-c", "real", "big").stdout
        self.assertIn("why is big pending?", text)
        self.assertIn("takes no effect: Ray cannot stop a job that has not started", text)

    @unittest.skipIf(OLD, "its environments need a pip that is not there")
    def test_an_environment_that_cannot_be_made(self):
        self.home.run("submit", "-c", "real", "--submission-id", "badpip", "--runtime-env-json",
                      json.dumps({"pip": ["no-such-package-of-anybody==9.9"], "env_vars": {"PIP_NO_INDEX": "1"}}), "--", "true")
        item = self.why("badpip", "Its runtime environment could not be made: "
                        "ERROR: No matching distribution found for no-such-package-of-anybody==9.9")
        self.assertIn("error type: RUNTIME_ENV_SETUP_FAILURE", self.reasons(item))

    def test_actors_and_placement_groups_that_wait(self):
        self.home.file("actors/main.py", self.ACTORS)
        job = self.home.json("submit", "-c", "real", "--working-dir", os.path.join(self.home.dir, "actors"), "--",
                             "python", "main.py")["item"]["result"]
        item = self.why("trainer", "no node has any GPU")
        self.assertEqual((item["kind"], item["brief"]), ("actor", "needs 1 GPU: no node has any"))
        until("the list of demand has it", lambda: any("waiting demand: {'CPU': 1.0, 'GPU': 1.0}" in t
                                                       for t in self.reasons(self.why("trainer", "GPU"))))
        item = self.why("packed", "with all its bundles together (STRICT_PACK), asks for 4 CPU")
        self.assertEqual(item["kind"], "placement-group")
        node = self.home.json("nodes", "real")["items"][0]["id"]
        item = self.why(node[:12], "It is the head and stays as long as the cluster")
        self.assertTrue(any(job in t for t in self.reasons(item)), item)
        self.home.run("stop", "-c", "real", "--yes", job)

    def test_what_is_not_there_and_who_cannot_be_reached(self):
        self.assertIn("no job, actor, task", self.home.run("why", "-c", "real", "nothing-of-this-name", code=4).stderr)
        p = self.home.run("why", "--address", "http://127.0.0.1:1", "-o", "json")
        self.assertIn("connection refused", json.loads(p.stdout)["item"]["summary"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[3:]])
