#!/usr/bin/env python3
"""The provider `slurm`: real Rays in jobs of a real Slurm, from `up` to nothing, and what goes wrong on the way.

usage: test_slurm.py RAYTUI [TEST...]. A login node and three nodes of four CPUs, in namespaces, with one shared home.
"""
import contextlib
import os
import signal
import subprocess
import sys
import time
import unittest
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from far_bed import VERSION, FarBed  # noqa: E402
from raytui_run import Home, until  # noqa: E402

RAYTUI = sys.argv[1]
NODES = ("n1", "n2", "n3")
SEED = "00112233445566778899aabbccddeeff00112233" # of one-time codes, as the test bed knows it


class Bed(FarBed):
    patience = 400

    def __init__(self):
        super().__init__("slurm", "rts", 200, "slurm-up.sh", "slurm-down.sh", os.environ.get("RT_SLURM_BED"), RTB_NODES="3")

    @property
    def password(self):
        with open(self.state + "/env.sh") as f:
            return next(x.split("=", 1)[1].strip() for x in f if x.startswith("RTB_PASSWORD="))

    def jobs(self, user="ray"):
        """{name: (id, state, reason)} of what waits or runs."""
        rows = self.ssh("login", "squeue -h -u %s -o '%%j|%%i|%%T|%%r'" % user).splitlines()
        return {r.split("|")[0]: tuple(r.split("|")[1:]) for r in rows}

    def left(self):
        found = ["queue: " + x for x in self.jobs()]
        found += ["login: " + x for x in self.ssh("login", "ls -Ad ~/.raytui 2>/dev/null").split()]
        for host in NODES:
            rows = self.ssh(host, "ps -u ray -o args=; ls -Ad /tmp/rt-* /tmp/ray 2>/dev/null").splitlines()
            found += [host + ": " + x for x in rows if ("ray" in x.replace("-u ray", "") or "rt-" in x) and "ssh" not in x and "ps -u" not in x]
        return found


def config(name="hpc", partition="long", walltime="20m", extra="", more=""):
    return ("clusters:\n  %s:\n    provider: slurm\n    login: login\n    partition: %s\n    walltime: %s\n    cpus_per_node: 3\n"
            "    memory_gb: 2\n    object_store_memory: 100MiB\n    python: {venv: /srv/venv, ray: %s}\n    ssh_config: %s\n%s%s"
            % (name, partition, walltime, VERSION, bed.config, extra, more))


def alive(home, name="hpc"):
    return sorted(n["name"] for n in home.json("nodes", name)["items"] if n["state"] == "ALIVE")


def pools(home, name="hpc"):
    return {p["name"]: p for p in home.json("pools", name)["items"]}


def row(home, name="hpc"):
    return next(c for c in home.json("ls")["items"] if c["name"] == name)


def nothing_left(seconds):
    """A process that Ray's dashboard has just forked ends by itself when it sees that its parent is gone."""
    until(lambda: "nothing left: %s" % bed.left(), lambda: not bed.left(), seconds)


class Cluster(unittest.TestCase):
    """One cluster for all of these: a job with the head and a worker."""

    @classmethod
    def setUpClass(cls):
        cls.home = Home(RAYTUI, config(extra="    nodes: 2\n"))
        p = cls.home.run("up", "hpc", "--yes", timeout=200)
        assert "hpc is up" in p.stdout, p.stdout + p.stderr

    @classmethod
    def tearDownClass(cls):
        cls.home.run("down", "hpc", "--yes", timeout=200)
        left, journal = bed.left(), cls.home.dir + "/state/raytui/clusters/hpc/journal.jsonl"
        lives = os.path.exists(journal)
        cls.home.close()
        assert not left, left
        assert not lives, "the journal still holds something"

    def test_one_job_holds_the_head_and_its_worker(self):
        self.assertEqual(alive(self.home), ["head", "workers-1"])
        self.assertEqual(list(bed.jobs()), ["rt-hpc-head"])
        p = self.home.run("submit", "-c", "hpc", "--wait", "--", "python", "-c",
                          "import ray; ray.init(); print('CPUS', ray.cluster_resources()['CPU'])", timeout=120)
        self.assertIn("CPUS 6.0", p.stdout)

    def test_the_script_is_kept_and_files_are_closed_to_others(self):
        self.assertEqual(bed.ssh("login", "stat -c %a ~/.raytui/hpc ~/.raytui/hpc/connection").split(), ["700", "600"])
        self.assertIn("#SBATCH --partition=long", bed.ssh("login", "cat ~/.raytui/hpc/jobs/head/job"))
        text = bed.ssh("login", "cat ~/.raytui/hpc/connection")
        self.assertIn("RAY_ADDRESS=ray://10.", text)
        self.assertIn("DASHBOARD_URL=http://127.0.0.1:", text)

    def test_what_ray_wrote_while_it_started_can_be_read(self):
        for name in ("head", "workers"):
            self.assertIn("Ray runtime started", self.home.run("logs", "-c", "hpc", "--machine", name).stdout)
        p = self.home.run("logs", "-c", "hpc", "--machine", "head-job")
        self.assertEqual((p.stdout, p.stderr), ("", "raytui: head-job: nothing was written yet\n"))

    def test_its_ports_are_forwarded_over_one_session_with_the_login_node(self):
        p = self.home.start("forward", "hpc")
        try:
            until(lambda: "two forwards: %s %s" % (p.out, p.err), lambda: len(p.out) >= 2, 90)
            to = sorted(x.split(" -> ")[1].split(":")[0] for x in p.out)
            self.assertEqual(to[0][:3] + to[1], "10.127.0.0.1")
            url = "http://" + next(x for x in p.out if "-> 127.0.0.1" in x).split(" ->")[0] + "/api/version"
            with urllib.request.urlopen(url, timeout=60) as answer:
                self.assertIn(VERSION, answer.read().decode())
            sessions = bed.ssh("login", "ps -eo args=").splitlines()
            self.assertEqual(len([x for x in sessions if x.startswith("sshd: ray@notty")]), 2) # its own, and that of this look
        finally:
            p.stop()

    def test_the_end_of_the_walltime_is_told(self):
        r = row(self.home)
        self.assertEqual(r["ends_why"], "walltime")
        self.assertLess(abs(r["ends_at_ms"] / 1000 - time.time()), 20 * 60)

    def test_another_laptop_finds_it_and_makes_nothing_twice(self):
        other = Home(RAYTUI, config(extra="    nodes: 2\n"))
        try:
            self.assertEqual(alive(other), ["head", "workers-1"])
            before = bed.jobs()
            other.run("up", "hpc", "--yes", timeout=100)
            self.assertEqual(bed.jobs(), before)
            self.assertEqual(row(other)["state"], "up")
        finally:
            other.close()

    def test_plus_submits_a_job_that_waits_with_its_reason_then_joins_and_minus_cancels_it(self):
        blocker = bed.ssh("login", "sbatch --parsable -p long -w n3 -c4 -o /dev/null --wrap 'sleep 600'", "dash").strip()
        try:
            until("the blocker runs", lambda: "R" in bed.ssh("login", "squeue -h -j %s -o %%t" % blocker), 60)
            p = self.home.run("scale", "hpc", "workers", "+1", timeout=120)
            self.assertIn("1 job of workers waits: the nodes that it wants are busy", p.stdout)
            pool = pools(self.home)["workers"]
            self.assertEqual((pool["ready"], pool["desired"], pool["pending"]), (1, 2, 1))
            self.assertIn("Resources", pool["why"])
        finally:
            bed.ssh("login", "scancel %s" % blocker, "dash")
        until("the worker joins", lambda: alive(self.home) == ["head", "workers-1", "workers-2"], 120)
        p = self.home.run("scale", "hpc", "workers", "0", code=None)
        self.assertIn("belong to the job of the head", p.stderr)
        self.home.run("scale", "hpc", "workers", "-1", "--yes", timeout=120)
        self.assertEqual(list(bed.jobs()), ["rt-hpc-head"])
        self.assertEqual(bed.ssh("n3", "ls -Ad /tmp/rt-* 2>/dev/null"), "")


class Faults(unittest.TestCase):
    def setUp(self):
        self.home = Home(RAYTUI, config())

    def tearDown(self):
        self.home.run("down", "hpc", "--yes", timeout=200, code=None)
        self.home.close()
        nothing_left(90)

    def test_what_sbatch_refuses_is_said_beside_the_field(self):
        self.home.configure(config(partition="nosuch"))
        p = self.home.run("up", "hpc", "--yes", timeout=100, code=78)
        self.assertIn("config.yaml:5:16", p.stderr)
        self.assertIn("partition: nosuch: sbatch refuses it: invalid partition specified: nosuch", p.stderr)
        nothing_left(10)

    def test_a_job_that_can_never_start_is_no_cluster_that_waits(self):
        self.home.configure(config(partition="debug", walltime="2h"))
        p = self.home.run("up", "hpc", "--yes", timeout=100, code=1)
        self.assertIn("it will never start", p.stderr)
        nothing_left(10)

    def test_hostile_words_are_refused_before_anything_is_run(self):
        for words in ("account: 'a b'", "qos: \"$(touch /tmp/evil)\"", "directives: [\"--x\\ntouch /tmp/evil\"]"):
            self.home.configure(config(extra="    %s\n" % words))
            self.home.run("up", "hpc", "--yes", timeout=100, code=78)
        nothing_left(10)

    def test_held_then_let_go_it_comes_up_and_ends_in_order_before_its_walltime_is_over(self):
        extra = ("    pools: {cpu: {nodes: 1, cpus: 1, directives: [\"--comment=x\"]}}\n"
                 "    directives: [\"--hold\"]\n")
        self.home.configure(config(walltime="3m", extra=extra))
        up = self.home.start("up", "hpc", "--yes")
        try:
            jobs = until("two jobs", lambda: len(bed.jobs()) == 2 and bed.jobs(), 90)
            head = jobs["rt-hpc-head"][0]
            until("the worker waits for the head", lambda: bed.jobs()["rt-hpc-cpu-1"][2] == "Dependency", 90)
            held = until("queued", lambda: row(self.home)["state"] == "queued" and row(self.home), 90)
            self.assertIn("JobHeldUser: it is held - `scontrol release %s`" % head, held["state_detail"])
            bed.ssh("login", "scontrol release %s" % head)
            self.assertEqual(up.wait(200), 0, up.err)
        finally:
            up.stop()
        until("the worker joins", lambda: alive(self.home) == ["cpu-1", "head"], 60)
        until("its end, and that of its worker", lambda: not bed.jobs(), 300)
        r = row(self.home)
        self.assertEqual((r["state"], r["state_detail"].split(": ", 1)[1]), ("down", "its walltime is over"))
        for host in NODES:
            self.assertEqual(bed.ssh(host, "ls -Ad /tmp/rt-* 2>/dev/null"), "")

    def test_killed_in_any_step_it_makes_nothing_twice_and_a_head_that_ends_is_a_failure(self):
        for seconds in (0.2, 0.5, 1, 4):
            p = self.home.start("up", "hpc", "--yes")
            time.sleep(seconds)
            p.stop(signal.SIGKILL)
        self.home.run("up", "hpc", "--yes", timeout=200)
        self.assertEqual(list(bed.jobs()), ["rt-hpc-head"])
        self.assertEqual(alive(self.home), ["head"])
        for host in NODES:
            bed.ssh(host, "pkill -KILL -u ray -x gcs_server")
        until("its job has ended", lambda: not bed.jobs(), 150)
        r = row(self.home)
        self.assertEqual(r["state"], "failed")
        self.assertIn("Ray on the head ended", r["state_detail"])

    def test_interrupted_it_leaves_nothing(self):
        for seconds in (0.4, 3):
            p = self.home.start("up", "hpc", "--yes")
            time.sleep(seconds)
            p.process.send_signal(signal.SIGINT)
            p.wait(200)
            nothing_left(10)

    def test_killed_then_requeued_and_cancelled_by_others_it_is_failed_and_down_leaves_nothing(self):
        self.home.configure(config(extra="    directives: [\"--requeue\"]\n"))
        p = self.home.start("up", "hpc", "--yes")
        head = until("its job runs", lambda: bed.jobs().get("rt-hpc-head", ("", ""))[1] == "RUNNING" and bed.jobs()["rt-hpc-head"][0], 90)
        time.sleep(2)
        p.stop(signal.SIGKILL)
        bed.ssh("login", "scontrol requeue %s" % head)
        until("it is in the queue again", lambda: row(self.home)["state"] == "queued", 90)
        bed.ssh("login", "scancel %s" % head)
        r = until("failed", lambda: row(self.home)["state"] == "failed" and row(self.home), 90)
        self.assertIn("it was cancelled", r["state_detail"])
        self.home.run("down", "hpc", "--yes", timeout=200)
        nothing_left(10)

    def test_preempted_it_waits_and_comes_up_again_and_without_requeue_it_says_who_took_its_nodes(self):
        self.home.configure(config(extra="    directives: [\"--requeue\"]\n"))
        self.home.run("up", "hpc", "--yes", timeout=200)
        head = bed.jobs()["rt-hpc-head"][0]

        def preempt():
            return bed.ssh("login", "sbatch --parsable -p high -N3 --exclusive -o /dev/null --wrap 'sleep 600'", "dash").strip()

        blocker = preempt()
        try:
            until(lambda: "it waits: %s" % row(self.home), lambda: row(self.home)["state"] == "queued", 90)
            was = bed.ssh("login", "sed -n 's/^host //p' ~/.raytui/hpc/head.place").strip()
            until("nothing of it runs", lambda: not [x for x in bed.left() if "raylet" in x or "gcs_server" in x], 60)
            bed.ssh("login", "scontrol update jobid=%s starttime=now excnodelist=%s" % (head, was)) # it moves
        finally:
            bed.ssh("login", "scancel %s" % blocker, "dash")
        until(lambda: "it is up again: %s" % row(self.home), lambda: "ALIVE" in self.home.run("nodes", "hpc", code=None).stdout, 240)
        self.assertEqual(alive(self.home), ["head"])
        self.assertEqual(bed.jobs()["rt-hpc-head"][0], head)
        self.assertNotEqual(bed.ssh("login", "sed -n 's/^host //p' ~/.raytui/hpc/head.place").strip(), was)
        bed.ssh("login", "scontrol update jobid=%s requeue=0" % head)
        blocker = preempt()
        try:
            r = until(lambda: "it has failed: %s" % row(self.home), lambda: row(self.home)["state"] == "failed" and row(self.home), 90)
        finally:
            bed.ssh("login", "scancel %s" % blocker, "dash")
        self.assertIn("a job of higher priority took its nodes", r["state_detail"])
        self.home.run("down", "hpc", "--yes", timeout=200)
        nothing_left(10)

    def test_a_second_factor_is_asked_for_once_and_an_idle_cluster_ends_by_itself(self):
        extra = "    dashboard_host: node\n    idle_timeout: 10s\n"
        self.home.configure(config(extra=extra).replace("provider: slurm", "provider: auto").replace("login: login", "login: otp@login"))
        logins = [0]

        def code():
            logins[0] += 1
            return subprocess.run(["oathtool", "--totp", "--now", "%d seconds" % (30 * (logins[0] - 1)), SEED], stdout=subprocess.PIPE, text=True,
                                  check=True).stdout.strip()

        answers = [("Password: ", lambda: bed.password), ("for `otp': ", code)]
        status, text, asked = self.home.answering(["up", "hpc", "--yes"], answers)
        self.assertEqual((status, asked), (0, [1, 1]), text)
        self.assertIn("hpc is up", text)
        try:
            until("it ends by itself", lambda: not bed.jobs("otp"), 120)
            status, text, asked = self.home.answering(["nodes", "hpc"], answers, 60)
            self.assertEqual(asked, [1, 1], text)
            self.assertRegex(text, "hpc is not up: job [0-9]+: idle timeout")
        finally:
            status, text, asked = self.home.answering(["down", "hpc", "--yes"], answers)
        self.assertEqual((status, asked), (0, [1, 1]), text)

    def test_a_dry_run_shows_the_script_and_touches_nothing(self):
        p = self.home.run("up", "hpc", "--dry-run")
        self.assertIn("#SBATCH --time=0-00:20:00", p.stdout)
        nothing_left(10)

    def test_doctor_tells_what_the_login_node_has(self):
        p = self.home.run("doctor", "hpc")
        for words in ("slurm-wlm", "debug*:", "/srv/venv/bin/ray"):
            self.assertIn(words, p.stdout)

    def test_three_lines_suffice(self):
        self.home.configure("clusters:\n  hpc:\n    provider: slurm\n    login: login\n    ray_version: %s\n    ssh_config: %s\n"
                            % (VERSION, bed.config))
        self.assertIn("no problems", self.home.run("check", "hpc").stdout)
        self.assertIn("--nodes=1", self.home.run("up", "hpc", "--dry-run").stdout)


if __name__ == "__main__":
    with contextlib.closing(Bed()) as bed:
        unittest.main(argv=[sys.argv[0], "-v", *sys.argv[2:]])
