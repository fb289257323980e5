#!/usr/bin/env python3
"""The scripts that `init` writes start a real Ray on a test platform, and stop it.

usage: test_scripts.py RAYTUI RAY-BIN [TEST...].
"""
import glob
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from platform_bed import TESTBED, Ssh, World, until  # noqa: E402

RAYTUI, BIN = sys.argv[1:3]
PATIENCE = 240
ssh = None


def scripts(world, gcs, dashboard, client, agent, metrics):
    """Those of `init`, with the place of Ray here and with ports of this test: all nodes have one address."""
    world.home.run("init", "yellowdog", "mine")
    small = "--node-ip-address=127.0.0.1 --object-store-memory=100000000 --disable-usage-stats"
    with open(world.home.dir + "/config/raytui/clusters.d/mine-head.sh") as f:
        head = f.read()
    with open(world.home.dir + "/config/raytui/clusters.d/mine-worker.sh") as f:
        worker = f.read()
    changes = [("VENV=/opt/yellowdog/agent/venv", "VENV=" + os.path.dirname(BIN)),
               ("--port=6379", "--port=%d %s --dashboard-port=%d --ray-client-server-port=%d --dashboard-agent-listen-port=%d "
                "--metrics-export-port=%d" % (gcs, small, dashboard, client, agent, metrics)),
               ('--address="$RAY_HEAD_IP:6379"', '--address="$RAY_HEAD_IP:%d" --num-cpus=2 %s --dashboard-agent-listen-port=0 '
                "--metrics-export-port=0" % (gcs, small))]
    for old, new in changes:
        assert old in head + worker, old
        head, worker = head.replace(old, new), worker.replace(old, new)
    os.remove(world.home.dir + "/config/raytui/clusters.d/mine.yaml")
    world.home.file("head.sh", head)
    world.home.file("worker.sh", worker)


def alive(world):
    return [n for n in world.home.json("nodes", "demo")["items"] if n["state"] == "ALIVE"]


class Scripts(unittest.TestCase):
    def setUp(self):
        self.world = World(RAYTUI, ssh, "--exec", "local", "--private-ip", "127.0.0.1", "--grace", "60", sim=False)

    def tearDown(self):
        self.world.close()

    def outputs(self):
        texts = []
        for path in glob.glob(self.world.platform.dir + "/nodes/*/*/taskoutput.txt"):
            with open(path, errors="replace") as f:
                texts.append(f.read())
        return texts

    def test_scripts_of_init_start_ray_and_stop_it(self):
        w = self.world
        ports = subprocess.check_output([sys.executable, os.path.join(TESTBED, "free_ports.py"), "5"], text=True).split()
        gcs, dashboard, client, agent, metrics = map(int, ports)
        d = w.home.dir
        scripts(w, gcs, dashboard, client, agent, metrics)
        w.configure(head="test/ray-head, start_script: %s/head.sh" % d, port=dashboard, extra="    up_timeout: 8m\n",
                    pools="{cpu: {template: test/ray-worker, count: 1, max: 3, task_script: %s/worker.sh}}" % d)
        w.home.run("up", "demo", "--yes", timeout=500)
        until("a worker", lambda: len(alive(w)) == 2, PATIENCE)
        self.assertEqual(len(w.platform.tasks("EXECUTING")), 2)

        w.home.run("down", "demo", "--yes", timeout=300)
        self.assertEqual((w.platform.living(), w.platform.machines()), ([], []))
        until("the ends of both scripts", lambda: len([t for t in self.outputs() if "Ray stopped" in t]) == 2, PATIENCE)


if __name__ == "__main__":
    try:
        ssh = Ssh()
        program = unittest.main(argv=[sys.argv[0], "-v", *sys.argv[3:]], exit=False)
        status = 0 if program.result.wasSuccessful() else 1
    finally:
        if ssh:
            ssh.close()
    sys.exit(status)
