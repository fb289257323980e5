"""A RayCluster whose pods are real processes of Ray: jobs, logs, nodes, and what happens to them."""
import os
import signal
import subprocess
import unittest

from kube_bed import SCRIPTS, VERSION, bed, home, until
from kube_reach import get
from raytui_run import Running, free_port, ray_client

CONFIG = """clusters:
  real: {provider: kuberay, namespace: %s, name: real, local_ports: {8265: %d, 10001: %d}}
"""
# an actor on the worker whose pod has this name, for as long as there are three nodes
WORK = """import os, ray, time
ray.init()
@ray.remote(num_cpus=0.4, scheduling_strategy="SPREAD")
class A:
    def where(self): return os.environ.get("RAY_CLOUD_INSTANCE_ID")
    def work(self):
        while sum(n["Alive"] for n in ray.nodes()) > 2:
            time.sleep(0.5)
all = [A.remote() for i in range(4)]
there = [a for a in all if ray.get(a.where.remote()) == "%s"][0]
for a in all:
    if a is not there:
        ray.kill(a)
print("works", flush=True)
ray.get(there.work.remote())"""
CLIENT = """
print("got", ray.get(ray.remote(lambda x: 2 * x).remote(21)), flush=True)
time.sleep(600)
"""


class Real(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.bed = bed()
        cls.space = cls.bed.namespace("real")
        cls.bed.play_pods()
        with open(os.path.join(SCRIPTS, "raycluster-real.yaml")) as f:
            cls.bed.kubectl("apply", "-n", cls.space, "-f", "-", given=f.read())
        cls.port, cls.client_port = free_port(), free_port()
        cls.home = home(CONFIG % (cls.space, cls.port, cls.client_port))
        cls.home.run("wait", "real", "--up", "--timeout", "180s", timeout=200)

    @classmethod
    def tearDownClass(cls):
        cls.bed.kubectl("delete", "raycluster", "--all", "-n", cls.space, check=False)
        until("the pods are gone", lambda: not cls.bed.pods("real", cls.space), 90)
        cls.home.close()

    def nodes(self):
        return [n for n in self.home.json("nodes", "real")["items"] if n["state"] == "ALIVE"]

    def pool(self):
        return next(p for p in self.home.json("pools", "real")["items"] if p["name"] == "small")

    def workers(self):
        return [p["metadata"]["name"] for p in self.bed.pods("real", self.space)
                if p["metadata"]["labels"]["ray.io/node-type"] == "worker" and "deletionTimestamp" not in p["metadata"]]

    def test_1_ray_gets_a_worker_more_and_a_worker_less(self):
        self.home.run("scale", "real", "small", "2", "--yes", timeout=400)
        until("Ray lists three nodes", lambda: len(self.nodes()) == 3, 90)
        until(lambda: "two are ready: %s" % self.pool(), lambda: (self.pool()["ready"], self.pool()["desired"]) == (2, 2), 60)
        old = set(self.workers())
        self.home.run("scale", "real", "small", "1", "--yes", timeout=400)
        self.assertEqual(len(self.workers()), 1)
        self.assertLess(set(self.workers()), old)
        until("Ray lists two nodes", lambda: len(self.nodes()) == 2, 90)

    def test_2_a_chosen_worker_is_drained_and_goes(self):
        self.home.run("scale", "real", "small", "2", "--yes", timeout=400)
        until("Ray lists three nodes", lambda: len(self.nodes()) == 3, 90)
        chosen, stays = sorted(self.workers())
        busy = self.home.start("submit", "-c", "real", "--wait", "--", "python", "-c", WORK % stays)
        until(lambda: busy.err + busy.out, lambda: "works" in busy.out, 120)
        told = self.home.run("remove-node", "real", chosen, "--yes", timeout=240).stderr
        self.assertIn("draining the node: done", told)
        self.assertEqual(self.workers(), [stays])
        group = self.bed.get("raycluster", "real", "-n", self.space)["spec"]["workerGroupSpecs"][0]
        self.assertEqual((group["replicas"], group["scaleStrategy"].get("workersToDelete", [])), (1, []))
        until("Ray lists two nodes", lambda: len(self.nodes()) == 2, 90)
        self.assertEqual(busy.wait(120), 0, busy.err)

    def client(self):
        """A program that is connected by ray://, and stays so."""
        ray = subprocess.run([os.path.join(SCRIPTS, "..", "ray-venv.sh"), VERSION], stdout=subprocess.PIPE, text=True, check=True)
        env = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
        return Running([ray.stdout.strip() + "/python", "-c", ray_client("ray://127.0.0.1:%d" % self.client_port) + CLIENT], env)

    def test_3_a_new_head_answers_at_the_same_ports(self):
        held = self.home.start("forward", "real")
        client = None
        try:
            client = self.client()
            until(lambda: "the client works: %s" % client.err[-5:], lambda: "got 42" in client.out, 120)
            before = until("the port answers", lambda: get(self.port), 90)
            head = next(p["metadata"]["name"] for p in self.bed.pods("real", self.space)
                        if p["metadata"]["labels"]["ray.io/node-type"] == "head")
            self.bed.kubectl("delete", "pod", head, "-n", self.space, "--wait=false")
            after = until("a new Ray answers", lambda: (lambda v: v if v and v["session_name"] != before["session_name"] else None)(get(self.port)), 180)
            self.assertEqual(after["ray_version"], before["ray_version"])
            client.stop(signal.SIGKILL)
            client = self.client()
            until(lambda: "a new client works: %s" % client.err[-5:], lambda: "got 42" in client.out, 120)
            self.assertIsNone(held.process.poll())
        finally:
            if client:
                client.stop(signal.SIGKILL)
            held.stop()


if __name__ == "__main__":
    unittest.main()
