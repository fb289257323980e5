#!/usr/bin/env python3
"""raytui and the RayDog library side by side: what one builds, the other sees and ends, and both send the same.

usage: test_raydog.py RAYTUI PYTHON-WITH-RAYDOG [TEST...].
"""
import contextlib
import json
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
from platform_bed import KEY, SECRET, Ssh, World, until  # noqa: E402

RAYTUI, PYTHON = sys.argv[1:3]
SCRIPTS = {"HEAD_SCRIPT": "#!/usr/bin/bash\ntrap 'ray stop' EXIT\nray start --head --block\n",
           "WORKER_SCRIPT": "#!/usr/bin/bash\ntrap 'ray stop' EXIT\nray start --address=$RAY_HEAD_IP:6379 --block\n",
           "OBSERVABILITY_SCRIPT": "#!/usr/bin/bash\nsleep infinity\n"}


def library(platform, *words):
    p = subprocess.run([PYTHON, os.path.join(HERE, "raydog.py"), *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=200,
                       env={**os.environ, "YD_API_URL": platform.url, "YD_API_KEY_ID": KEY, "YD_API_KEY_SECRET": SECRET, **SCRIPTS})
    if p.returncode:
        raise AssertionError(p.stdout)
    return p.stdout


def scripts_of(home):
    for name, text in SCRIPTS.items():
        home.file(name.lower(), text)
    return home.dir


def key_of(world):
    return {"YD_API_URL": world.platform.url, "YD_API_KEY_ID": KEY, "YD_API_KEY_SECRET": SECRET}


def sent(platform):
    """What was posted, ids and the addresses of nodes left out."""
    all_of = []
    for c in platform.ask("calls"):
        if c["method"] != "POST":
            continue
        body = json.loads(json.dumps(c["body"]))
        for task in body if isinstance(body, list) else []:
            task["environment"] = sorted(task.get("environment") or {})
        all_of.append((c["path"].split("ydid")[0], body))
    return all_of


class BothWays(unittest.TestCase):
    def setUp(self):
        self.worlds = []

    def tearDown(self):
        for w in self.worlds:
            w.close()

    def world(self, **more):
        w = World(RAYTUI, ssh, **more)
        self.worlds.append(w)
        return w

    def test_what_the_library_built_is_found_and_ended(self):
        w = self.world(pools="{}")
        library(w.platform, "build", "demo", w.home.dir + "/saved.json", "test/ray-head", "-", "cpu=test/ray-worker:2", "gpu=test/ray-worker-gpu:1")
        seen = w.home.run("discover", "yellowdog://raydog", env=key_of(w)).stdout
        self.assertIn("yellowdog://raydog/demo", seen)
        self.assertIn("3 pools, 4 nodes, tag team", seen)
        pools = {p["name"]: p["desired"] for p in w.home.json("pools", "demo")["items"]}
        self.assertEqual(sorted(pools.values()), [1, 1, 2])
        w.home.run("down", "demo", "--yes", timeout=100)
        self.assertEqual((w.platform.living(), w.platform.machines()), ([], []))
        self.assertNotIn("raydog/demo", w.home.run("discover", "yellowdog://raydog", env=key_of(w)).stdout)

    def test_it_is_ended_without_a_configuration(self):
        w = self.world()
        library(w.platform, "build", "other", w.home.dir + "/saved.json", "test/ray-head", "test/ray-head", "cpu=test/ray-worker:1")
        w.home.run("down", "yellowdog://raydog/other", "--yes", timeout=100, env=key_of(w))
        self.assertEqual((w.platform.living(), w.platform.machines()), ([], []))

    def test_its_saved_state_is_enough_to_end_it(self):
        w = self.world(pools="{}")
        library(w.platform, "build", "named-otherwise", w.home.dir + "/saved.json", "test/ray-head", "-", "cpu=test/ray-worker:1")
        w.configure(pools="{}", extra="    state_file: %s/saved.json\n" % w.home.dir)
        w.home.run("down", "demo", "--yes", timeout=100)
        self.assertEqual((w.platform.living(), w.platform.machines()), ([], []))

    def test_what_raytui_built_the_library_ends(self):
        w = self.world()
        saved = w.home.dir + "/mine.json"
        w.configure(extra="    state_file: %s\n" % saved)
        w.home.run("up", "demo", "--yes", timeout=150)
        with open(saved) as f:
            state = json.load(f)
        self.assertEqual((state["cluster_name"], state["cluster_namespace"], state["cluster_tag"]), ("demo", "raydog", "team"))
        self.assertEqual(sorted(state["worker_pool_ids"]), sorted(p["id"] for p in w.platform.state()["pools"]))
        library(w.platform, "shut-down", saved)
        until("the end", lambda: not w.platform.living() and not w.platform.machines())
        self.assertIn("is down", w.home.run("down", "demo", "--yes", timeout=100).stdout)

    def test_both_send_the_same(self):
        theirs, mine = self.world(), self.world()
        library(theirs.platform, "build", "demo", theirs.home.dir + "/saved.json", "test/ray-head", "test/ray-head", "cpu=test/ray-worker:2",
                "gpu=test/ray-worker-gpu:1")
        d = scripts_of(mine.home)
        mine.configure(head="test/ray-head, images: ami-1, instance_tags: {owner: me}, metrics_enabled: true, start_script: %s/head_script" % d,
                       pools="{cpu: {template: test/ray-worker, count: 2, task_script: %s/worker_script}, "
                             "gpu: {template: test/ray-worker-gpu, count: 1, task_script: %s/worker_script}}" % (d, d),
                       extra="    observability: {template: test/ray-head, start_script: %s/observability_script}\n    lifetime: 4h\n" % d)
        mine.home.run("up", "demo", "--yes", timeout=150)
        ours, others = sent(mine.platform), sent(theirs.platform)
        # the order in which pools are made is one's own; what is made is not
        of = lambda calls, path: sorted((json.dumps(b, sort_keys=True) for p, b in calls if p.startswith(path)))  # noqa: E731
        self.assertEqual(of(ours, "/workerPools"), of(others, "/workerPools"))
        self.assertEqual(of(ours, "/work/requirements"), of(others, "/work/requirements"))
        # a task's number is one's own: RayDog counts the head first although it runs second
        bare = lambda calls: sorted(json.dumps([{k: v for k, v in t.items() if k != "name"} for t in b], sort_keys=True)  # noqa: E731
                                    for p, b in calls if p.startswith("/work/taskGroups"))
        self.assertEqual(bare(ours), bare(others))
        # observability runs before the head, the head before its workers
        firsts = [b[0]["taskData"] for p, b in ours if p.startswith("/work/taskGroups")]
        self.assertEqual(firsts, [SCRIPTS["OBSERVABILITY_SCRIPT"], SCRIPTS["HEAD_SCRIPT"]] + [SCRIPTS["WORKER_SCRIPT"]] * 2)


if __name__ == "__main__":
    with contextlib.closing(Ssh()) as ssh:
        unittest.main(argv=[sys.argv[0], "-v", *sys.argv[3:]])
