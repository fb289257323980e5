#!/usr/bin/env python3
"""The autoscaler of old Rays: why things wait and pools do not grow. usage: test_autoscaler_v1.py RAYTUI RAY-VERSION"""
import sys
import unittest

from scaled import Scaled

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


class Autoscaler(Scaled):
    scaler, extra = "v1", ""

    def test_why_things_wait_and_a_pool_does_not_grow(self):
        self.submit("demand", DEMAND)
        # Ray tells the CPU with which an actor is placed before or behind its GPUs, or not at all.
        self.why_until("trainer", "2 GPU", "on one node; no node has any GPU", "on Ray's list of waiting demand: {'CPU': 1.0, 'GPU': 2.0}",
                       "Adding 1 node(s) of type big.")
        self.why_until("demand", "an actor of it waits")
        self.why_until("big", "waits; whether a node of it could hold it is not known: {'CPU': 64.0}")


if __name__ == "__main__":
    unittest.main(argv=sys.argv[:1] + sys.argv[3:], verbosity=2)
