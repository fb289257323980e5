#!/usr/bin/env python3
"""A cluster that grows by itself: why things wait and nodes stay, Serve, stacks and profiles of processes on two
nodes. One cluster serves all tests, in the order of their names. usage: test_autoscaler.py RAYTUI RAY-VERSION"""
import json
import os
import re
import sys
import unittest

from scaled import PATIENCE, Scaled, Screen, until

# Holds the nodes, and asks for what there can and cannot be.
DEMAND = """
import time, ray
ray.init(logging_level="ERROR")
@ray.remote
def nap(): time.sleep(600)
@ray.remote(num_cpus=0)
class Holder:
    def spin(self):
        end = time.time() + 600
        while time.time() < end: sum(i * i for i in range(10000))
big = nap.options(num_cpus=3, resources={"bignode": 0.5}, name="big").remote()
never = nap.options(num_cpus=64, name="never").remote()
labelled = nap.options(num_cpus=0.25, label_selector={"zone": "mars"}, name="labelled").remote()
holders = [Holder.options(name="on-head", resources={"node:__internal_head__": 0.001}).remote(),
           Holder.options(name="on-big", resources={"bignode": 0.1}).remote()]
busy = [h.spin.remote() for h in holders]
@ray.remote(num_gpus=2)
class Trainer: pass
trainer = Trainer.options(name="trainer").remote()
from ray.util.placement_group import placement_group
wide = placement_group([{"CPU": 8}, {"CPU": 2}], strategy="SPREAD", name="wide")
print("READY", flush=True)
time.sleep(600)
"""

SERVE = """
import time, ray
from ray import serve
ray.init(logging_level="ERROR")
@serve.deployment(num_replicas=2, ray_actor_options={"num_cpus": 0.1})
class Model: pass
@serve.deployment(ray_actor_options={"num_cpus": 0.1})
class Front:
    def __init__(self, model): self.model = model
@serve.deployment(ray_actor_options={"num_cpus": 0.1})
class Bad:
    def __init__(self): raise RuntimeError("no weights here")
serve.start(proxy_location="Disabled")
serve.run(Front.bind(Model.bind()), name="good", route_prefix="/good")
print("READY", flush=True)
try:
    serve.run(Bad.bind(), name="bad", route_prefix="/bad")
except Exception as e:
    print(e, flush=True)
time.sleep(600)
"""


class Autoscaler(Scaled):
    def items(self, table):
        p = self.home.run(table, "auto", "-o", "json", code=None)
        return json.loads(p.stdout)["items"] if p.returncode == 0 else []

    def pool_of_nodes(self):
        return {n["id"]: n["pool"] for n in self.items("nodes") if n["state"] == "ALIVE"}

    def test_1_pools_grow_by_what_is_asked(self):
        self.submit("demand", DEMAND)
        until(lambda: "a node of type big in %s" % self.pool_of_nodes(), lambda: "big" in self.pool_of_nodes().values(), PATIENCE)
        pools = {p["name"]: p for p in self.items("pools")}
        self.assertEqual(pools["big"]["ready"], 1)
        self.assertIn("ray.head.default", pools)
        until("the placement group is listed", lambda: any(g["name"] == "wide" for g in self.items("pgs")), PATIENCE)
        said = until("the autoscaler's events", lambda: [e["message"] for e in self.items("events") if "of type big" in e["message"]], PATIENCE)
        self.assertRegex(said[0], r"^Adding \d node\(s\) of type big\.")
        head = [n["id"] for n in self.items("nodes") if n["head"]][0]
        self.assertRegex(self.home.run("logs", "-c", "auto", head + "/monitor.log").stdout, r"Adding \d node\(s\) of type big\.")

    def test_2_what_no_node_can_hold_says_so(self):
        actor = self.why_until("trainer", "waiting demand: {'CPU': 1.0, 'GPU': 2.0}")
        self.assertEqual(actor["kind"], "actor")
        self.assertRegex(actor["summary"], "^It asks for .*2 GPU.* on one node; no node has any GPU")
        group = self.why_until("wide", "asks for 8 CPU on one node; the largest node has 4 CPU")
        self.assertEqual(group["kind"], "placement-group")
        self.assertIn("bundle of 2 CPU, 1 of it: ", group["text"])
        job = self.why_until("demand", "an actor of it waits")
        self.assertEqual(job["kind"], "job")
        never = until("the task is listed", lambda: [t["id"] for t in self.items("tasks") if t["name"] == "never"], PATIENCE)[0]
        never = self.why_until(never, "64 CPU on one node; the largest node has 4 CPU")
        self.assertTrue(all(p["ever"].startswith(("never", "not known")) for p in never["pools"]), never)
        labelled = [t["id"] for t in self.items("tasks") if t["name"] == "labelled"][0]
        labelled = self.why_until(labelled, "It asks for 0.25 CPU and the label zone=mars; no node has that label.")
        self.why_until("small", "waits for a label that no node of it has: {'CPU': 0.25}")

    def test_3_a_pool_that_does_not_grow_and_nodes_that_stay(self):
        pool = self.why_until("big", "would fit on a node of it")
        self.assertEqual(pool["kind"], "pool")
        self.assertNotIn("waits and would fit on a node of it: {'CPU': 8", pool["text"])
        nodes = self.pool_of_nodes()
        task = until("the task runs", lambda: [t for t in self.items("tasks") if t["name"] == "big" and t["state"] == "RUNNING"], PATIENCE)[0]
        self.assertEqual(nodes[task["node_id"]], "big")
        stays = self.why_until(task["node_id"], "2 tasks run here, ")["text"]
        self.assertIn("It stays because it is in use", stays)
        self.assertRegex(stays, "run here, (big|Holder.spin) among them")
        head = [n["id"] for n in self.items("nodes") if n["head"]][0]
        self.assertIn("It is the head and stays as long as the cluster", self.why(head)["summary"])

    def test_3b_every_list_leads_to_a_log(self):
        head = [n["id"] for n in self.items("nodes") if n["head"]][0]
        screen = Screen(self.home, "auto")
        try:
            screen.shows("demand")
            for view, there, shown in (("pgs", "wide", "log demand"), ("events", "Adding", "log monitor.log"), ("envs", "made", "log runtime_env_agent.log"),
                                       ("clusters", "address", "logs of node"), ("pools", "ray.head.default", "logs of node"),
                                       ("workers", "DRIVER", "log %s" % head[:4]), ("actors", "Holder", "following")):
                screen.keys(":%s\r" % view)
                screen.shows(there)
                screen.keys(":filter AUTOSCALER\r" if view == "events" else ":filter WORKER\r" if view == "workers" else "")
                screen.keys("l")
                screen.shows(shown)
                screen.keys("\x1b")
                screen.gone(shown)
        finally:
            screen.close()

    def test_4_stacks_and_profiles_of_processes_on_two_nodes(self):
        names = ("on-head", "on-big")
        actors = {}

        def alive():
            actors.update({a["name"]: a for a in self.items("actors") if a["state"] == "ALIVE"})
            return all(n in actors for n in names)
        until(lambda: "%s live: %s" % (names, actors), alive, PATIENCE)
        for name in names:
            p = self.home.run("stack", "-c", "auto", name, code=None)
            self.assertEqual(p.returncode, 0, p.stderr)
            self.assertRegex(p.stdout, r"Process %d: " % actors[name]["pid"])
            self.assertIn("spin (main.py:", p.stdout)
        self.assertNotEqual(actors["on-head"]["node_id"], actors["on-big"]["node_id"])
        task = until("the task runs", lambda: [t for t in self.items("tasks") if t["name"] == "big" and t["state"] == "RUNNING"], PATIENCE)[0]
        item = self.home.json("stack", "-c", "auto", task["id"])
        self.assertEqual(item["task_id"], task["id"])
        self.assertIn("nap (main.py:", item["stack"])
        p = self.home.run("profile", "-c", "auto", "on-head", "--duration", "2s")
        path = os.path.join(self.home.dir, p.stdout.strip())
        self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
        with open(path) as f:
            self.assertRegex(f.read(), r"(?m)spin \(main\.py:\d+\).* \d+$")
        p = self.home.run("profile", "-c", "auto", "on-head", "--duration", "1s", "--format", "flamegraph", "--save", "-")
        self.assertIn("<svg", p.stdout)

    def test_5_where_it_is_not_possible_the_reason_is_said(self):
        p = self.home.run("profile", "-c", "auto", "--memory", "on-head", code=1)
        self.assertIn("memray is not installed on the node", p.stderr)
        self.assertIn("pip install memray", p.stderr)
        head = [n["id"] for n in self.items("nodes") if n["head"]][0]
        p = self.home.run("stack", "-c", "auto", head + "/999999", code=4)
        self.assertIn("the process is gone", p.stderr)
        self.assertIn("no actor, task or worker", self.home.run("stack", "-c", "auto", "nothing-of-this-name", code=4).stderr)

    def test_6_serve_has_applications_deployments_and_replicas(self):
        self.home.run("stop", "-c", "auto", "--yes", "demand", timeout=120)
        self.submit("serving", SERVE)
        seen = {}

        def there():
            seen.update({x["id"]: x for x in self.items("serve")})
            return seen.get("good", {}).get("status") == "RUNNING" and seen.get("bad/Bad", {}).get("message")
        until(lambda: "both applications in %s" % seen, there, PATIENCE)
        self.assertEqual((seen["good/Model"]["status"], seen["good/Model"]["replicas"], seen["good/Model"]["wanted_replicas"]), ("HEALTHY", 2, 2))
        self.assertIn("no weights here", seen["bad/Bad"]["message"])
        rows = self.home.run("serve", "auto").stdout.splitlines()
        self.assertTrue(any(re.match(r"  Bad .*no weights here$", r) for r in rows), rows)
        replicas = [x for x in seen.values() if x["app"] == "good" and x["replica"]]
        self.assertEqual(sorted(r["deployment"] for r in replicas), ["Front", "Model", "Model"])
        one = replicas[0]
        log = self.home.run("logs", "-c", "auto", "%s/%s" % (one["node_id"], one["log_file"])).stdout
        self.assertIn(one["replica"], log)
        stack = self.home.run("stack", "-c", "auto", "%s/%d" % (one["node_id"], one["pid"])).stdout
        self.assertIn("Process %d: " % one["pid"], stack)

    def test_7_a_node_that_nobody_needs_goes_and_is_remembered(self):
        big = [i for i, p in self.pool_of_nodes().items() if p == "big"]
        # replicas live on after their job, and may sit there
        self.submit("shutdown", "import ray\nfrom ray import serve\nray.init()\nserve.shutdown()\n")
        gone = until("the node of type big went", lambda: not [1 for p in self.pool_of_nodes().values() if p == "big"], PATIENCE)
        self.assertTrue(gone)
        if big:
            dead = [n for n in self.items("nodes") if n["id"] == big[0]]
            self.assertEqual([n["state"] for n in dead], ["DEAD"])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[3:]])
