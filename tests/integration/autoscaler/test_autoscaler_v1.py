#!/usr/bin/env python3
"""The autoscaler of old Rays: why things wait and pools do not grow. usage: test_autoscaler_v1.py RAYTUI RAY-VERSION"""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from raytui_run import Home, until  # noqa: E402

RAYTUI, VERSION = sys.argv[1:3]
BED = os.path.join(HERE, "..", "..", "testbed", "autoscale.sh")
PATIENCE = 150

DEMAND = """
import time, ray
ray.init(logging_level="ERROR")
@ray.remote
def nap(): time.sleep(600)
big = nap.options(num_cpus=3, resources={"bignode": 0.5}, name="big").remote()
never = nap.options(num_cpus=64, name="never").remote()
@ray.remote(num_gpus=2)
class Trainer: pass
trainer = Trainer.options(name="trainer").remote()
time.sleep(600)
"""


class Autoscaler(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="rt-as-", dir="/tmp")
        p = subprocess.run([BED, "up", cls.dir, VERSION, "v1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=180)
        if p.returncode:
            subprocess.run(["rm", "-rf", cls.dir], check=True)
            raise unittest.SkipTest(p.stderr)
        url = dict(x.split("=", 1) for x in p.stdout.splitlines())["DASHBOARD"]
        cls.home = Home(RAYTUI, "clusters:\n  auto: {provider: address, url: \"%s\"}\n" % url)

    @classmethod
    def tearDownClass(cls):
        subprocess.run([BED, "down", cls.dir], check=True, timeout=60, stdout=subprocess.DEVNULL)
        subprocess.run(["rm", "-rf", cls.dir], check=True)
        cls.home.close()

    def why_until(self, thing, *words):
        seen = [""]

        def ask():
            p = self.home.run("why", "-c", "auto", "-o", "json", thing, code=None)
            item = json.loads(p.stdout)["item"] if p.returncode == 0 else {"summary": p.stderr, "reasons": []}
            seen[0] = "\n".join([item["summary"]] + [r["text"] for r in item["reasons"]])
            return all(w in seen[0] for w in words)
        until(lambda: "%s in %s" % (words, seen[0]), ask, PATIENCE)
        return seen[0]

    def test_why_things_wait_and_a_pool_does_not_grow(self):
        self.home.file("demand/main.py", DEMAND)
        self.home.run("submit", "-c", "auto", "--submission-id", "demand", "--working-dir", os.path.join(self.home.dir, "demand"), "--",
                      "python", "main.py", timeout=120)
        # Ray tells the CPU with which an actor is placed before or behind its GPUs, or not at all.
        self.why_until("trainer", "2 GPU", "on one node; no node has any GPU", "on Ray's list of waiting demand: {'CPU': 1.0, 'GPU': 2.0}",
                       "Adding 1 node(s) of type big.")
        self.why_until("demand", "an actor of it waits")
        self.why_until("big", "waits; whether a node of it could hold it is not known: {'CPU': 64.0}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
