#!/usr/bin/env python3
"""The provider `pbs`: real Rays in jobs of PBS, from `up` to nothing, and what a scheduler does to them.

usage: test_pbs.py RAYTUI [TEST...]. A login node and three nodes of four CPUs each, namespaces with an sshd each; their homes
are shared. OpenPBS runs in them where `qstat --version` on this machine names it (RTB_PBS=real: or else the test fails).
"""
import contextlib
import json
import os
import signal
import sys
import time
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from far_bed import VERSION, FarBed  # noqa: E402
from raytui_run import Home, until  # noqa: E402

RAYTUI = sys.argv[1]
NODES = ("n1", "n2", "n3")


class Bed(FarBed):
    def __init__(self):
        super().__init__("pbs", "rtq", 175, "pbs-up.sh", "pbs-down.sh", RTB_NODES="3", RTB_CPUS="4")
        print(self.said.splitlines()[-1], flush=True)

    def jobs(self, name):
        """Ids of what waits or runs."""
        return self.ssh("login", "qselect -u ray -N " + name).split()

    def left(self, user="ray"):
        """What a cluster of the user may have left."""
        found = ["job " + x for x in self.ssh("login", "qselect -u " + user, user).splitlines() if x[:1].isdigit()]
        found += [x for x in self.ssh("login", "ls -Ad ~/.raytui/[a-z]* 2>/dev/null", user).split() if x.startswith("/")]
        for host in NODES:
            found += [host + ": " + x for x in self.ssh(host, "ps -u %s -o pid=,args=" % user, user).splitlines()
                      if ("ray" in x.replace("-u ray", "") and "ssh" not in x and "ps -u" not in x)]
            files = self.ssh(host, "ls -Ad /tmp/rt-$(id -u)-* /tmp/ray 2>/dev/null", user)
            found += [host + ": " + x for x in files.split() if x.startswith("/")]
        return found


def config(name="lab", extra="", nodes=2, cpus=2, walltime="20m", login="login", provider="pbs"):
    return ("clusters:\n  %s:\n    provider: %s\n    login: %s\n    walltime: %s\n    nodes: %d\n    num_cpus_per_node: %d\n"
            "    memory_gb: 1\n    object_store_memory: 100MiB\n    python: {venv: /srv/venv, ray: %s}\n    ssh_config: %s\n%s"
            % (name, provider, login, walltime, nodes, cpus, VERSION, bed.config, extra))


def alive(home, name="lab"):
    return sorted(n["name"] for n in home.json("nodes", name)["items"] if n["state"] == "ALIVE")


def reason(home):
    """Why the pool is not complete; "" also when a busy cluster does not answer in time."""
    p = home.run("pools", "-o", "json", "lab", code=None)
    rows = json.loads(p.stdout)["items"] if p.returncode == 0 else []
    return next((x["why"] or "" for x in rows if x["name"] == "workers"), "")


def cluster(home, name="lab"):
    return next(c for c in home.json("ls")["items"] if c["name"] == name)


def nothing_left(seconds=60):
    """A process that Ray's dashboard has just forked ends by itself when it sees that its parent is gone."""
    until(lambda: "nothing left: %s" % bed.left(), lambda: not bed.left(), seconds)


class Life(unittest.TestCase):
    """One cluster for all of these, in the order of their names."""

    @classmethod
    def setUpClass(cls):
        cls.home = Home(RAYTUI, config())
        p = cls.home.run("up", "lab", "--yes", timeout=300)
        assert "lab is up" in p.stdout, p.stdout + p.stderr
        # of another user, whose login scripts are noisy: its walltime passes while the others run
        cls.brief = Home(RAYTUI, config("brief", nodes=1, cpus=1, walltime="100s", login="noisy@login"))
        cls.brief_up = cls.brief.start("up", "brief", "--yes")

    @classmethod
    def tearDownClass(cls):
        cls.home.run("down", "lab", "--yes", timeout=240)
        cls.brief_up.stop()
        cls.brief.run("down", "brief", "--yes", timeout=240)
        cls.brief.close()
        lives = os.path.exists(cls.home.dir + "/state/raytui/clusters/lab/journal.jsonl")
        cls.home.close()
        nothing_left()
        assert not lives, "the journal still holds something"

    def test_1_the_hosts_of_one_job_are_there_and_a_job_sees_them(self):
        self.assertEqual(alive(self.home), ["head", "workers-1"])
        self.assertEqual(len(bed.jobs("rt-lab-head")), 1)
        p = self.home.run("submit", "-c", "lab", "--wait", "--", "python", "-c",
                          "import ray; ray.init(); print('CPUS', ray.cluster_resources()['CPU'])", timeout=180)
        self.assertIn("CPUS 4.0", p.stdout)

    def test_2_it_ends_with_its_walltime(self):
        row = cluster(self.home)
        self.assertEqual(row["ends_why"], "walltime")
        left = row["ends_at_ms"] / 1000 - time.time()
        self.assertTrue(0 < left < 20 * 60 + 30, left)

    def test_3_another_up_adds_nothing(self):
        self.home.run("up", "lab", "--yes", timeout=120)
        self.assertEqual(len(bed.jobs("rt-lab-head")), 1)

    def test_4_plus_submits_a_job_that_joins_and_minus_ends_it(self):
        self.home.run("scale", "lab", "workers", "+1", "--yes", timeout=240)
        self.assertEqual(len(bed.jobs("rt-lab-workers-1")) + len(bed.jobs("rt-lab-workers-2")), 1)
        self.assertEqual(len(alive(self.home)), 3)
        self.home.run("scale", "lab", "workers", "-1", "--yes", timeout=240)
        self.assertEqual(alive(self.home), ["head", "workers-1"])
        until("its job ends", lambda: len(bed.ssh("login", "qselect -u ray").split()) == 1, 30)

    def test_5_what_waits_says_why_and_a_hold_says_who(self):
        hog = bed.ssh("login", "for i in 1 2 3 4 5; do echo sleep 600 | qsub -N hog -l select=1:ncpus=2; done").split()
        try:
            self.home.run("scale", "lab", "workers", "+1", "--yes", timeout=240)
            until(lambda: "the reason: %s" % reason(self.home),
                  lambda: any(x in reason(self.home) for x in ("CPUs are wanted", "Not enough free nodes")), 60)
            job = [x for x in bed.ssh("login", "qselect -u ray").split() if x not in hog + bed.jobs("rt-lab-head")]
            self.assertEqual(len(job), 1)
            bed.ssh("login", "qhold " + job[0])
            until(lambda: "the hold: %s" % reason(self.home),
                  lambda: "held by its owner" in reason(self.home) and "qrls " + job[0] in reason(self.home), 60)
            self.home.run("scale", "lab", "workers", "-1", "--yes", timeout=240)
            self.assertEqual([x for x in bed.ssh("login", "qselect -u ray").split() if x in job], [])
        finally:
            bed.ssh("login", "qdel " + " ".join(hog))

    def test_6_files_are_closed_to_others_and_the_script_can_be_read(self):
        self.assertEqual(bed.ssh("login", "stat -c %a ~/.raytui/lab ~/.raytui/lab/connection").split(), ["700", "600"])
        self.assertIn("#PBS -l select=2:ncpus=2:mem=1024mb", bed.ssh("login", "cat ~/.raytui/lab/jobs/head/job"))

        self.assertIn("Ray runtime started", self.home.run("logs", "-c", "lab", "--machine", "head").stdout)

    def test_7_doctor_tells_what_the_login_node_has(self):
        p = self.home.run("doctor", "lab")
        for word in ("PBS", "queue workq", "queue disabled", "takes no jobs", "python3", "ray", "Ray " + VERSION):
            self.assertIn(word, p.stdout)

    def test_8_deleted_by_somebody_it_is_down_and_says_so(self):
        bed.ssh("login", "qdel " + bed.jobs("rt-lab-head")[0])
        until(lambda: "it is down: %s" % cluster(self.home), lambda: cluster(self.home)["state"] in ("down", "failed"), 90)
        p = self.home.run("nodes", "lab", code=None)
        self.assertNotEqual(p.returncode, 0)

    def test_9_at_the_end_of_its_walltime_it_is_down_and_not_failed(self):
        self.assertEqual(self.brief_up.wait(300), 0, self.brief_up.err)
        until(lambda: "it is down: %s" % cluster(self.brief, "brief"), lambda: cluster(self.brief, "brief")["state"] == "down", 240)
        until(lambda: "only its notes left: %s" % bed.left("noisy"), lambda: all(x.startswith("/home") for x in bed.left("noisy")), 60)


class Faults(unittest.TestCase):
    def setUp(self):
        self.home = Home(RAYTUI, config(nodes=1))

    def tearDown(self):
        self.home.run("down", "lab", "--yes", timeout=240, code=None)
        self.home.close()
        nothing_left()

    def test_a_refusal_stands_beside_the_field_that_it_means(self):
        for field, value, words in (("queue", "nosuch", "Unknown queue"), ("queue", "disabled", "Queue is not enabled"),
                                    ("gpus_per_node", "1", "Unknown resource: ngpus"), ("select", "1:nogpus=2", "Unknown resource: nogpus")):
            self.home.configure(config(extra="    %s: %s\n" % (field, value)))
            p = self.home.run("up", "lab", "--yes", timeout=120, code=None)
            self.assertNotEqual(p.returncode, 0)
            self.assertRegex(p.stderr, r"config\.yaml:12:%d: %s: %s: qsub refuses it: %s" % (7 + len(field), field, value, words))
            nothing_left(10)

    def test_what_can_never_run_is_no_waiting(self):
        self.home.configure(config(cpus=64))
        p = self.home.run("up", "lab", "--yes", timeout=120, code=None)
        self.assertNotEqual(p.returncode, 0)
        self.assertIn("CPUs are wanted, but there are", p.stderr)
        nothing_left(10)

    def test_killed_in_any_step_and_started_again_it_makes_nothing_twice(self):
        for seconds in (0.5, 1.5, 3, 6):
            p = self.home.start("up", "lab", "--yes")
            time.sleep(seconds)
            p.stop(signal.SIGKILL)
        self.home.run("up", "lab", "--yes", timeout=240)
        self.assertEqual(alive(self.home), ["head"])
        self.assertEqual(len(bed.jobs("rt-lab-head")), 1)
        # and the head's Ray ends by itself: its job is over, and says so
        host = bed.ssh("login", "qstat -f -F json %s" % bed.jobs("rt-lab-head")[0]).split('"exec_host":')[1].split('"')[1].split("/")[0]
        bed.ssh(host, "pkill -KILL -u ray -x gcs_server")
        until(lambda: "it has failed: %s" % cluster(self.home), lambda: cluster(self.home)["state"] == "failed", 120)

    def test_auto_finds_pbs_and_remembers_it(self):
        self.home.configure(config(provider="auto"))
        p = self.home.run("up", "lab", "--dry-run")
        self.assertIn("#PBS -N rt-lab-head", p.stdout)
        self.assertEqual(cluster(self.home)["provider"], "pbs")
        nothing_left(10)

    def test_commands_that_only_a_login_shell_has_are_found(self):
        self.home.configure(config(login="dash@login"))
        p = self.home.run("doctor", "lab")
        self.assertIn("queue workq", p.stdout)


if __name__ == "__main__":
    with contextlib.closing(Bed()) as bed:
        unittest.main(argv=[sys.argv[0], "-v", *sys.argv[2:]])
