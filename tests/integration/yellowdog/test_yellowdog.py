#!/usr/bin/env python3
"""The provider `yellowdog`, from `up` to nothing, and what goes wrong on the way.

usage: test_yellowdog.py RAYTUI [TEST...]. The platform is a test server; most nodes are made up.
"""
import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from platform_bed import HEAD, SECRET, TESTBED, Screen, Ssh, World, free_ports, until  # noqa: E402

RAYTUI = sys.argv[1]


class Made(unittest.TestCase):
    """One cluster of made-up nodes for all of these; each leaves it as it was."""

    @classmethod
    def setUpClass(cls):
        cls.world = World(RAYTUI, ssh)
        cls.home, cls.platform = cls.world.home, cls.world.platform
        cls.out = cls.home.run("up", "demo", "--yes", timeout=100)

    @classmethod
    def tearDownClass(cls):
        try:
            cls.home.run("down", "demo", "--yes", timeout=100)
            left = cls.platform.living(), cls.platform.machines(), cls.world.journal(), cls.world.secrets()
        finally:
            cls.world.close()
        assert not any(left), left

    def test_up_builds_in_the_order_of_raydog(self):
        self.assertIn("demo is up: head %s (10.0.0." % HEAD, self.out.stdout)
        self.assertEqual(self.platform.calls()[:5], ["POST /workerPools/provisioned/template"] * 2 + ["POST /work/requirements"] +
                         ["POST /work/taskGroups/ID/tasks"] * 2)

    def test_workers_get_the_address_of_the_head_under_both_names(self):
        head, workers = self.platform.bodies("/taskGroups/.*/tasks")[:2]
        self.assertEqual([t["name"] for t in head + workers], ["task-00001", "task-00002", "task-00003"])
        self.assertEqual(set(workers[0]["environment"]), {"RAY_HEAD_NODE_PRIVATE_IP", "RAY_HEAD_IP"})
        self.assertEqual(workers[0]["environment"]["RAY_HEAD_IP"], workers[1]["environment"]["RAY_HEAD_NODE_PRIVATE_IP"])

    def test_up_again_makes_nothing(self):
        before = len(self.platform.calls())
        self.home.run("up", "demo", "--yes", timeout=100)
        self.assertEqual(len(self.platform.calls()), before)

    def test_a_pool_grows_shrinks_and_knows_its_limit(self):
        self.home.run("scale", "demo", "cpu", "+2", "--yes", timeout=100)
        self.assertEqual(len(self.platform.tasks("EXECUTING")), 5)
        p = self.home.run("scale", "demo", "cpu", "+1", "--yes", code=1)
        self.assertIn("5 is above its max (0..4)", p.stderr)
        self.assertIn("raytui add-pool demo", p.stderr)
        self.home.run("scale", "demo", "cpu", "3", "--yes", timeout=100)
        self.assertEqual((len(self.platform.tasks("EXECUTING")), len(self.platform.machines())), (4, 4))
        self.home.run("scale", "demo", "cpu", "2", "--yes", timeout=100)
        self.assertEqual((len(self.platform.tasks("EXECUTING")), len(self.platform.machines())), (3, 3))

    def test_a_pool_is_added_and_taken_away_alone(self):
        self.home.run("add-pool", "demo", "gpu", "template=test/ray-worker-gpu", "count=1", "max=2", "--yes", timeout=100)
        self.assertEqual(self.world.pool("gpu")["desired"], 1)
        self.home.run("scale", "demo", "gpu", "2", "--yes", timeout=100)
        p = self.home.run("add-pool", "demo", "gpu", "like=cpu", "--yes", code=1)
        self.assertIn("has a pool gpu already", p.stderr)
        self.home.run("remove-pool", "demo", "gpu", "--yes", timeout=100)
        self.assertIsNone(self.world.pool("gpu"))
        self.assertEqual(self.platform.living(), ["demo", "demo-00-head", "demo-01-wrkrs"])
        self.assertEqual(len(self.platform.tasks("EXECUTING")), 3)

    def test_what_a_lost_node_did_is_told(self):
        node = [n for n in self.platform.state()["nodes"] if n["status"] == "RUNNING" and n["details"]["workerTag"] == "demo-01-wrkrs"][0]
        self.platform.ask("lose-node/" + node["id"], {})
        row = until("the loss", lambda: (self.world.pool("cpu") if "ALLOCATION_LOST" in (self.world.pool("cpu")["why"] or "") else None))
        self.assertEqual(row["desired"], 2)
        self.home.run("remove-pool", "demo", "cpu", "--yes", timeout=100)
        self.home.run("up", "demo", "--yes", timeout=100)
        self.assertEqual(self.world.pool("cpu")["desired"], 2)

    def test_a_command_runs_on_the_head(self):
        self.assertIn("from the head", self.home.run("exec", "demo", "--", "echo", "from the head").stdout)

    def test_the_limits_of_idleness_are_sent(self):
        idle = self.platform.bodies("/provisioned/template")[1]["provisionedProperties"]
        self.assertEqual((idle["idleNodeShutdown"], idle["idlePoolShutdown"]), ({"enabled": True, "timeout": "PT3M"},) * 2)
        self.home.run("add-pool", "demo", "patient", "like=cpu", "count=1", "idle_node_shutdown=never", "idle_pool_shutdown=20m", "--yes", timeout=100)
        idle = self.platform.bodies("/provisioned/template")[-1]["provisionedProperties"]
        self.assertEqual((idle["idleNodeShutdown"]["enabled"], idle["idlePoolShutdown"]["timeout"]), (False, "PT20M"))
        self.home.run("remove-pool", "demo", "patient", "--now", "--yes", timeout=100)

    def test_the_form_of_a_new_pool_has_the_templates_as_choices(self):
        screen = Screen(self.home, "demo")
        try:
            screen.shows("demo")
            screen.keys(":add-pool-form\r")
            screen.shows("Space: those that are there")
            screen.keys("gpu\t\t\t\t ")
            screen.shows("test/ray-")
            screen.keys("\x1bOS")  # F4
            screen.shows("raytui add-pool demo gpu 'template=test/ray-")
        finally:
            screen.close()

    def test_ray_is_asked_through_the_head(self):
        self.assertEqual(len(self.home.json("nodes", "demo")["items"]), 1)
        p = self.home.run("forward", "demo", "--", "sh", "-c", "curl -s $RAY_API_SERVER_ADDRESS/api/version")
        self.assertIn("ray_version", p.stdout)


class Trouble(unittest.TestCase):
    def setUp(self):
        self.worlds = []

    def tearDown(self):
        for w in self.worlds:
            self.assertEqual(w.secrets(), [])
            w.close()

    def world(self, *options, **more):
        w = World(RAYTUI, ssh, *options, **more)
        self.worlds.append(w)
        return w

    def test_a_wrong_key_is_told_and_nothing_is_made(self):
        w = self.world()
        p = w.home.run("up", "demo", "--yes", code=5, env={"YD_TEST_SECRET": "wrong"})
        self.assertIn("401", p.stderr)
        p = w.home.run("up", "demo", "--yes", code=None, env={"YD_TEST_SECRET": ""})
        self.assertNotEqual(p.returncode, 0)
        self.assertIn("the secret is empty", p.stderr)
        self.assertEqual((w.platform.calls(), w.journal()), ([], ""))

    def test_without_capacity_it_ends_what_it_made(self):
        w = self.world("--capacity", "0", extra="    up_timeout: 4s\n")
        p = w.home.run("up", "demo", "--yes", code=3, timeout=100)
        self.assertIn("no capacity for 1 of 1 machines", p.stderr)
        self.assertIn("all that was made has ended again; `up_timeout`", p.stderr)
        self.assertIn("  until the task of head executes: failed", p.stderr)
        self.assertEqual(p.stderr.count(": failed"), 1)
        self.assertEqual((w.platform.living(), w.journal()), ([], ""))

    def test_keep_leaves_what_was_made(self):
        w = self.world("--capacity", "0", extra="    up_timeout: 3s\n")
        p = w.home.run("up", "demo", "--yes", "--keep", code=3, timeout=100)
        self.assertIn("work requirement demo (RUNNING), pool demo-00-head (PENDING), pool demo-01-wrkrs (PENDING) go on at the platform", p.stderr)
        self.assertIn("`raytui down demo` ends them", p.stderr)
        self.assertIn("  until the task of head executes: failed", p.stderr)
        self.assertEqual(len(w.platform.living()), 3)
        w.platform.capacity(8)
        w.configure(extra="    up_timeout: 90s\n")
        w.home.run("up", "demo", "--yes", timeout=100)
        until("the workers execute", lambda: len(w.platform.tasks("EXECUTING")) == 3)
        self.assertEqual(len(w.platform.living()), 3)
        w.home.run("down", "demo", "--yes", timeout=100)
        self.assertEqual((w.platform.living(), w.journal()), ([], ""))

    def test_nodes_that_take_no_bash_are_recognised(self):
        w = self.world(pools="{cpu: {template: test/no-bash}}")
        w.home.run("up", "demo", "--yes", timeout=100)
        until("the reason", lambda: "do not offer task type bash" in (w.pool("cpu")["why"] or ""))

    def test_a_head_that_nobody_can_reach_is_not_ended_for_that(self):
        w = self.world(head="test/ray-worker")
        p = w.home.run("up", "demo", "--yes", code=6, timeout=100)
        self.assertIn("no public address", p.stderr)
        self.assertIn("jump", p.stderr)
        self.assertEqual(len(w.platform.living()), 3)

    def test_answers_that_are_lost_make_nothing_twice(self):
        w = self.world()
        for path in ("POST /workerPools/provisioned/template", "POST /work/requirements", "POST /work/taskGroups"):
            w.platform.fault(path, after=True, drop=True, count=1)
        w.home.run("up", "demo", "--yes", timeout=100)
        self.assertEqual(w.platform.living(), ["demo", "demo-00-head", "demo-01-wrkrs"])
        self.assertEqual((len(w.platform.tasks()), len(w.platform.machines())), (3, 3))

    def test_a_platform_that_stumbles_while_it_ends_all_is_asked_again(self):
        w = self.world()
        w.home.run("up", "demo", "--yes", timeout=100)
        w.platform.fault("PUT /compute/requirements", status=503, count=4)
        w.platform.fault("DELETE /workerPools", status=503, count=4)
        w.home.run("down", "demo", "--yes", timeout=200)
        self.assertEqual((w.platform.living(), w.journal()), ([], ""))
        w.home.run("down", "demo", "--yes", timeout=100)

    def test_user_script_is_sent_once(self):
        w = self.world(extra="    user_script: python train.py\n")
        w.home.run("up", "demo", "--yes", timeout=100)
        w.home.run("up", "demo", "--yes", timeout=100)
        ids = [j["submission_id"] for j in w.home.json("jobs", "demo")["items"] if j["entrypoint"] == "python train.py"]
        self.assertEqual(len(ids), 1)

    def test_what_cannot_be_ended_is_named(self):
        w = self.world()
        w.home.run("up", "demo", "--yes", timeout=100)
        w.platform.fault("PUT /compute/requirements", status=403, count=100)
        w.platform.fault("DELETE /workerPools", status=403, count=100)
        p = w.home.run("down", "demo", "--yes", code=6, timeout=200)
        self.assertIn("pool demo-00-head", p.stderr)
        self.assertIn("pool demo-01-wrkrs", p.stderr)
        w.platform.mend()
        w.home.run("down", "demo", "--yes", timeout=100)
        self.assertEqual((w.platform.living(), w.journal()), ([], ""))

    def test_a_pool_that_ended_by_itself_hinders_nobody(self):
        w = self.world("--timescale", "0.01", pools="{cpu: {template: test/no-bash}, more: {template: test/ray-worker}}")
        w.home.run("up", "demo", "--yes", timeout=100)
        until("the end of the idle pool", lambda: w.platform.pools()["demo-01-wrkrs"]["status"] == "TERMINATED")
        self.assertIn("has ended", w.pool("cpu")["why"])
        w.home.run("down", "demo", "--yes", timeout=100)
        self.assertEqual((w.platform.living(), w.journal()), ([], ""))

    def test_a_life_that_is_over_is_told(self):
        w = self.world("--timescale", "0.01", extra="    lifetime: 10m\n")
        w.home.run("up", "demo", "--yes", timeout=100)
        self.assertEqual(w.platform.bodies("/work/requirements$")[0]["taskGroups"][0]["runSpecification"]["taskTimeout"], "PT10M")
        until("its end", lambda: "TIMED_OUT" in w.home.run("show", "demo", code=None).stdout, 60)

    def test_killed_at_any_step_it_goes_on_where_it_was(self):
        w = self.world()
        for at in range(1, 6):
            w.home.env["RAYTUI_LOG"] = "debug"
            p = w.home.start("up", "demo", "--yes")
            until("step %d" % at, lambda: len(w.platform.calls("POST")) >= at or p.process.poll() is not None)
            p.process.kill()
            p.wait()
        w.home.run("up", "demo", "--yes", timeout=100)
        self.assertEqual(w.platform.living(), ["demo", "demo-00-head", "demo-01-wrkrs"])
        self.assertEqual((len(w.platform.tasks()), len(w.platform.machines())), (3, 3))
        w.home.run("down", "demo", "--yes", timeout=100)
        self.assertEqual((w.platform.living(), w.journal()), ([], ""))

    def test_killed_in_the_middle_it_is_ended_from_another_machine(self):
        w = self.world()
        p = w.home.start("up", "demo", "--yes")
        until("two pools", lambda: len(w.platform.calls("POST")) >= 2)
        p.process.kill()
        p.wait()
        other = World(RAYTUI, ssh)
        self.worlds.append(other)
        with open(w.home.dir + "/config/raytui/config.yaml") as f:
            other.home.configure(f.read())
        other.home.run("down", "demo", "--yes", timeout=100)
        self.assertEqual((w.platform.living(), w.platform.machines()), ([], []))

    def test_the_secret_is_on_no_command_line(self):
        w = self.world(sim=True)
        p = w.home.start("up", "demo", "--yes", "--verbose")
        seen = set()
        while p.process.poll() is None:
            try:
                with open("/proc/%d/cmdline" % p.process.pid, "rb") as f:
                    seen.add(f.read())
            except OSError:
                pass
        p.wait()
        self.assertFalse([x for x in seen if SECRET.encode() in x])
        self.assertNotIn(SECRET, "\n".join(p.out + p.err))


SMALL = "--object-store-memory=100000000 --disable-usage-stats --min-worker-port=0 --max-worker-port=0"


def scripts_of_init(home, bin, ip, gcs, web, client, agent, metrics):
    """What `init` writes, with the place of Ray here and with ports of this test; where its files begin."""
    home.run("init", "yellowdog", "mine")
    at = home.dir + "/config/raytui/clusters.d/mine"
    os.remove(at + ".yaml")
    changes = {"head": [("--port=6379", "--port=%d --node-ip-address=%s --dashboard-port=%d --ray-client-server-port=%d --dashboard-agent-listen-port=%d "
                         "--metrics-export-port=%d %s" % (gcs, ip, web, client, agent, metrics, SMALL)),
                        ("--dashboard-host=0.0.0.0", "--dashboard-host=127.0.0.1")],
               "worker": [('--address="$RAY_HEAD_IP:6379"', '--address="$RAY_HEAD_IP:%d" --num-cpus=2 --dashboard-agent-listen-port=0 '
                           "--metrics-export-port=0 %s" % (gcs, SMALL))]}
    for role, pairs in changes.items():
        path = "%s-%s.sh" % (at, role)
        with open(path) as f:
            text = f.read()
        for old, new in [("VENV=/opt/yellowdog/agent/venv", "VENV=" + os.path.dirname(bin)), *pairs]:
            assert old in text, old
            text = text.replace(old, new)
        with open(path, "w") as f:
            f.write(text)
    return at


def own_address():
    """As Ray finds it: it does not let a node be 127.0.0.1."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        try:
            s.connect(("192.0.2.1", 9))
        except OSError:
            return "127.0.0.1"
        return s.getsockname()[0]


CLIENT = """
import os, ray
ray.init(os.environ["RAY_ADDRESS"], log_to_driver=False)
print("answer", ray.get(ray.remote(lambda: 6 * 7).remote()))
"""


class RealRay(unittest.TestCase):
    """The life of one cluster with a real Ray behind its tasks, which the scripts of `init` start and stop."""

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("nodes in namespaces of their own need root")
        p = subprocess.run([os.path.join(TESTBED, "ray-venv.sh"), os.environ.get("RAY_VERSION", "2.60.0")], stdout=subprocess.PIPE, text=True)
        if p.returncode:
            self.skipTest("no Ray environment")
        bin, ip, ports = p.stdout.strip(), own_address(), free_ports(5)
        self.python = bin + "/python"
        w = self.world = World(RAYTUI, ssh, "--exec", "local", "--private-ip", ip, "--grace", "60", sim=False)
        at = scripts_of_init(w.home, bin, ip, *ports)
        w.configure(port=ports[1], head="test/ray-head, start_script: %s-head.sh" % at, extra="    client_port: %d\n" % ports[2],
                    pools="{cpu: {template: test/ray-worker, count: 1, max: 3, task_script: %s-worker.sh}}" % at)

    def tearDown(self):
        self.world.close()

    def cpus(self):
        p = self.world.home.run("nodes", "demo", "-o", "json", code=None)
        return None if p.returncode else sum(n["resources"].get("CPU", {}).get("total", 0) for n in self.items(p) if n["state"] == "ALIVE")

    @staticmethod
    def items(p):
        return json.loads(p.stdout)["items"]

    def ray_has(self, cpus):
        until(lambda: "%d CPUs:\n%s" % (cpus, self.world.home.run("pools", "demo", code=None).stdout), lambda: self.cpus() == cpus, 240)

    def test_its_life(self):
        home, platform = self.world.home, self.world.platform
        p = home.run("up", "demo", "--yes", timeout=200)
        self.assertIn("demo is up", p.stdout)
        self.ray_has(2)
        self.assertEqual(self.world.pool("cpu")["ready"], 1)
        until("an answer to a Ray client", lambda: "answer 42" in home.run("forward", "demo", "--", self.python, "-c", CLIENT, timeout=120,
                                                                            code=None).stdout, 180)
        job = home.run("submit", "--cluster", "demo", "--", "sleep", "600").stdout.split()[0]
        home.run("add-pool", "demo", "more", "like=cpu", "count=1", "--yes", timeout=120)
        self.ray_has(4)
        home.run("scale", "demo", "cpu", "+2", "--yes", timeout=120)
        self.ray_has(8)
        home.run("scale", "demo", "cpu", "-1", "--yes", timeout=200)
        self.ray_has(6)
        home.run("remove-pool", "demo", "more", "--yes", timeout=200)
        self.ray_has(4)
        self.assertEqual((self.world.pool("cpu")["ready"], self.world.pool("more")), (2, None))
        self.assertIn("RUNNING", home.run("jobs", "demo").stdout, job)
        home.run("down", "demo", "--yes", timeout=200)
        self.assertEqual((platform.living(), platform.machines(), self.world.journal()), ([], [], ""))
        out = []
        for d, _, files in os.walk(platform.dir):
            for f in files:
                if f == "taskoutput.txt":
                    with open(os.path.join(d, f), errors="replace") as text:
                        out.append(text.read())
        self.assertEqual(len(out), 5)
        self.assertTrue(all("Ray stopped" in x for x in out), out)


SLEEPER = """
import ray, time
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On
ray.init(log_to_driver=False)
node = [n for n in ray.nodes() if n["Alive"] and n["NodeManagerAddress"] == "%s"][0]["NodeID"]
@ray.remote(max_retries=0)
def work():
    print("begun", flush=True)
    time.sleep(12)
    return "whole"
r = work.options(scheduling_strategy=On(node, soft=False)).remote()
print("asked", flush=True)
print("answer", ray.get(r), flush=True)
"""


class OwnHosts(unittest.TestCase):
    """Nodes that are hosts of their own, with addresses of their own."""

    def setUp(self):
        if os.geteuid() != 0:
            self.skipTest("hosts in namespaces need root")
        self.dir = tempfile.mkdtemp(prefix="rt-yd-hosts-", dir="/tmp")
        os.environ.update(YDN_STATE=self.dir, RTB_PREFIX="ydn%d" % (os.getpid() % 100), RTB_NET="10.%d" % (110 + os.getpid() % 100))
        p = subprocess.run([os.path.join(TESTBED, "ray-hosts.sh"), "install", self.dir], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if p.returncode:
            self.skipTest("no Ray for hosts: " + p.stdout[-300:])
        hook = os.path.join(TESTBED, "yellowdog", "node-host.sh")
        w = self.world = World(RAYTUI, ssh, "--exec", "hook", "--hook", hook, "--grace", "20", sim=False, hosts=True)
        at = scripts_of_init(w.home, "/srv/venv/bin", "$(hostname -i | cut -d' ' -f1)", 6379, 8265, 10001, 52365, 8080)
        w.home.file(".ssh/config", "Host *\n  StrictHostKeyChecking accept-new\n")
        w.configure(head="test/ray-head, start_script: %s-head.sh" % at, user="ray", key=self.dir + "/keys/id_ed25519",
                    pools="{cpu: {template: test/ray-worker, count: 2, max: 3, task_script: %s-worker.sh}}" % at)

    def tearDown(self):
        self.world.close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def workers(self):
        p = self.world.home.run("nodes", "demo", "-o", "json", code=None)
        return [] if p.returncode else [n for n in json.loads(p.stdout)["items"] if n["state"] == "ALIVE" and n["pool"] == "cpu"]

    def test_a_node_is_drained_before_it_goes(self):
        home = self.world.home
        home.run("up", "demo", "--yes", timeout=240)
        two = until(lambda: home.run("pools", "demo", code=None).stdout, lambda: (lambda w: w if len(w) == 2 else None)(self.workers()), 400)
        victim = two[0]
        job = home.start("submit", "--cluster", "demo", "--wait", "--", "python", "-c", SLEEPER % victim["ip"])
        until(lambda: "the task is asked for: %s" % (job.out + job.err), lambda: "asked" in job.out, 120)
        p = home.run("remove-node", "demo", victim["id"], "--yes", timeout=240)
        self.assertIn("draining 1 node: done", p.stderr)
        self.assertNotIn("Ray did not drain", p.stderr)
        self.assertEqual(job.wait(120), 0, job.out + job.err)
        self.assertIn("answer whole", job.out)
        until("one is left", lambda: [n["id"] for n in self.workers()] == [two[1]["id"]], 120)
        home.run("down", "demo", "--yes", timeout=240)
        self.assertEqual((self.world.platform.living(), self.world.platform.machines()), ([], []))


if __name__ == "__main__":
    with contextlib.closing(Ssh()) as ssh:
        unittest.main(argv=[sys.argv[0], "-v", *sys.argv[2:]])
