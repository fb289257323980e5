"""What happens to work on a real Ray in pods: the API server dies, the head is replaced, pools change."""
import unittest

from kube_bed import bed, home, until

CONFIG = """clusters:
  life: {provider: kuberay, namespace: life, annotations: {testbed/real: "true", testbed/hold: ray}, head: {cpu: 1, memory_gb: 2},
         pools: {small: {cpu: 1, memory_gb: 1, replicas: 1, max: 3}}, autoscaler: off}
"""
COUNT = "import time\nfor i in range(%d):\n    print('line', i, flush=True)\n    time.sleep(0.25)"


class Life(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        bed().play_pods()
        bed().namespace("life")
        cls.home = home(CONFIG)
        cls.home.run("up", "life", "--yes", timeout=240)

    @classmethod
    def tearDownClass(cls):
        cls.home.run("down", "life", "--yes", timeout=120)
        cls.home.close()
        bed().kubectl("delete", "namespace", "life", "--wait=false")

    def submit(self, count):
        return self.home.start("submit", "-c", "life", "--wait", "--", "python", "-c", COUNT % count)

    def head(self):
        return [p for p in bed().pods("life", "life") if p["metadata"]["labels"]["ray.io/node-type"] == "head"
                and "deletionTimestamp" not in p["metadata"]]

    def test_1_a_followed_log_survives_the_api_server(self):
        p = self.submit(40)
        until(lambda: p.err + p.out, lambda: "line 3" in p.out, 120)
        bed().part("kill", "apiserver")
        bed().part("start", "apiserver")
        self.assertEqual(p.wait(90), 0, p.err)
        self.assertEqual([x for x in p.out if x.startswith("line ")], ["line %d" % i for i in range(40)])

    def test_2_pools_are_real_nodes(self):
        def alive():
            return len([n for n in self.home.json("nodes", "life")["items"] if n["state"] == "ALIVE"])
        self.assertEqual(alive(), 2)
        self.home.run("scale", "life", "small", "2", "--yes", timeout=400)
        until(alive, lambda: alive() == 3, 90)
        self.home.run("scale", "life", "small", "1", "--yes", timeout=400)
        until(alive, lambda: alive() == 2, 90)

    def test_3_a_head_that_is_deleted_under_a_followed_log(self):
        p = self.submit(2000)
        until(lambda: p.err + p.out, lambda: "line 3" in p.out, 120)
        old = self.head()[0]["metadata"]["name"]
        bed().kubectl("delete", "pod", old, "-n", "life", "--wait=false")
        until("a new head", lambda: any(h["metadata"]["name"] != old and h["status"].get("phase") == "Running" for h in self.head()), 120)
        self.assertNotEqual(p.wait(90), 0)
        self.assertIn("raysubmit_", "\n".join(p.err))
        self.home.run("wait", "life", "--up", "--timeout", "120s", timeout=150)
        again = self.home.run("submit", "-c", "life", "--wait", "--", "python", "-c", COUNT % 3, timeout=400)
        self.assertIn("line 2", again.stdout)
