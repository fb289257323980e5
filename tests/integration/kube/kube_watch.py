"""RayClusters that others change: seen on the screen, found in odd places, changed by two at a time."""
import json
import os
import signal
import socket
import subprocess
import threading
import unittest

from kube_bed import Wire, bed, home, until
from kube_reach import manifest
from raytui_run import Screen


def patch(space, value, path="/spec/workerGroupSpecs/0/replicas"):
    bed().kubectl("patch", "raycluster", "demo", "-n", space, "--type=json", "-p",
                  json.dumps([{"op": "replace", "path": path, "value": value}]))


class Watch(unittest.TestCase):
    """One RayCluster, pods pretended."""

    @classmethod
    def setUpClass(cls):
        cls.space = bed().namespace("watched")
        bed().kubectl("apply", "-n", cls.space, "-f", "-", given=manifest())
        until("four pods", lambda: sum(p["status"].get("phase") == "Running" for p in bed().pods("demo", cls.space)) == 4, 90)
        cls.home = home("clusters:\n  demo: {provider: kuberay, namespace: %s}\n" % cls.space)

    @classmethod
    def tearDownClass(cls):
        cls.home.close()
        bed().kubectl("delete", "namespace", cls.space, "--wait=false")

    def groups(self):
        return bed().get("raycluster", "demo", "-n", self.space)["spec"]["workerGroupSpecs"]

    def test_1_rows_follow_what_others_do(self):
        alone = home()
        screen = Screen(alone)
        try:
            screen.shows("Nothing is configured yet")
            screen.keys(":discover kube:///%s,second\r" % self.space)
            row = "kube:///%s/demo  RayCluster, ready, " % self.space
            screen.shows(row + "3 workers in 2 groups")
            patch(self.space, 4)
            screen.shows(row + "5 workers")
            second = bed().namespace("second")
            bed().kubectl("apply", "-n", second, "-f", "-", given=manifest())
            screen.shows("kube:///second/demo")
            bed().kubectl("delete", "raycluster", "demo", "-n", second)
            until("it is off the screen", lambda: "kube:///second/demo" not in screen.text(), 60)
            bed().part("kill", "apiserver")
            screen.shows("no API server answers")
            bed().part("start", "apiserver")
            patch(self.space, 2)
            screen.shows(row + "3 workers")
            bed().kubectl("delete", "namespace", second, "--wait=false")
        finally:
            screen.close()
            alone.close()

    def test_2_of_fifty_contexts_one_that_is_away_does_not_stop_the_others(self):
        config = json.loads(bed().kubectl("config", "view", "--raw", "-o", "json"))
        there = {**config["contexts"][0]["context"], "namespace": self.space}
        config["clusters"].append({"name": "away", "cluster": {"server": "https://127.0.0.1:9"}})
        config["contexts"] = [{"name": "same-%02d" % i, "context": there} for i in range(49)]
        config["contexts"].insert(20, {"name": "away", "context": {**there, "cluster": "away"}})
        config["current-context"] = "same-00"
        path = self.home.file("many.json", json.dumps(config))
        p = self.home.run("discover", "kube://*", code=3, env={"KUBECONFIG": path}, timeout=180)
        self.assertEqual(p.stdout.count("/%s/demo " % self.space), 49)
        self.assertIn("away: no API server answers", p.stderr)

    def test_3_objects_of_the_old_version_are_like_others(self):
        bed().kubectl("apply", "-n", self.space, "-f", "-",
                      given=manifest().replace("ray.io/v1", "ray.io/v1alpha1").replace("name: demo", "name: old"))
        self.assertIn("/%s/old " % self.space, self.home.run("discover", "kube:///" + self.space).stdout)
        other = home("clusters:\n  old: {provider: kuberay, namespace: %s}\n" % self.space)
        try:
            until("its pods", lambda: sum(p["status"].get("phase") == "Running" for p in bed().pods("old", self.space)) == 4, 180)
            other.run("scale", "old", "small", "1", "--yes")
            pool = next(p for p in other.json("pools", "old")["items"] if p["name"] == "small")
            self.assertEqual((pool["desired"], pool["ready"]), (1, 1))
        finally:
            other.close()
            bed().kubectl("delete", "raycluster", "old", "-n", self.space)

    def test_4_who_was_faster_is_not_overwritten(self):
        with Between(lambda: patch(self.space, 3)) as kubectl:
            p = self.home.run("scale", "demo", "small", "5", "--yes", code=None, env={"PATH": kubectl.path})
        self.assertNotEqual(p.returncode, 0)
        self.assertIn("was changed meanwhile: replicas 2 -> 3", p.stderr)
        self.assertEqual(self.groups()[0]["replicas"], 3)
        patch(self.space, 2)

    def test_5_a_group_that_moved_meanwhile_is_found_again(self):
        def reverse():
            groups = self.groups()
            patch(self.space, list(reversed(groups)), "/spec/workerGroupSpecs")
        with Between(reverse) as kubectl:
            self.home.run("scale", "demo", "small", "3", "--yes", env={"PATH": kubectl.path})
        self.assertEqual([(g["groupName"], g["replicas"]) for g in self.groups()], [("gpu", 1), ("small", 3)])
        reverse()
        patch(self.space, 2)


class Between:
    """A kubectl whose proxy does something just before the first patch goes through it."""

    def __init__(self, act):
        self.act, self.lock, self.done = act, threading.Lock(), False
        self.home = home()
        real, near = self.home.dir + "/run/real.sock", self.home.dir + "/run/near.sock"
        self.child = subprocess.Popen(["kubectl", "proxy", "--unix-socket", real], env={**os.environ, **bed().env},
                                      stdout=subprocess.PIPE, text=True)
        self.child.stdout.readline()

        def connect():
            s = socket.socket(socket.AF_UNIX)
            s.connect(real)
            return s
        server = socket.socket(socket.AF_UNIX)
        server.bind(near)
        server.listen(64)
        self.wire = Wire(server, connect, self.look)
        kubectl = next(d + "/kubectl" for d in bed().path.split(":") if os.path.exists(d + "/kubectl"))
        script = self.home.file("between/kubectl", "#!/bin/sh\nfor a; do case $a in --unix-socket=*) s=${a#*=} ;; esac; done\n"
                                "[ -n \"$s\" ] || exec %s \"$@\"\n"
                                "ln -s %s \"$s\" && echo \"Starting to serve on $s\" && exec sleep 600\n" % (kubectl, near), 0o755)
        self.path = os.path.dirname(script) + ":" + bed().path

    def look(self, data):
        with self.lock:
            if data.startswith(b"PATCH ") and not self.done:
                self.done = True
                self.act()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.wire.close()
        self.child.send_signal(signal.SIGTERM)
        self.child.wait(20)
        self.child.stdout.close()
        self.home.close()


class Run(unittest.TestCase):
    """`run` on an API server, pods pretended: no Ray ever answers there."""

    def setUp(self):
        self.space = bed().namespace("w-run-" + self.id().split("_")[-1])
        self.home = home("clusters:\n  once: {provider: kuberay, namespace: %s, n_nodes: 2}\n"
                         "  wrong: {provider: kuberay, namespace: %s, manifest: wrong.yaml}\n" % (self.space, self.space))

    def tearDown(self):
        self.home.close()
        bed().kubectl("delete", "namespace", self.space, "--wait=false")

    def clusters(self):
        return [c["metadata"]["name"] for c in bed().get("rayclusters", None, "-n", self.space)]

    def test_a_dry_run_is_validated(self):
        text = self.home.run("run", "--cluster", "once", "--dry-run", "-o", "yaml", "--", "true").stdout
        self.assertIn("kind: RayCluster", text)
        bed().kubectl("apply", "--dry-run=server", "-f", "-", given=text)
        self.home.file("config/raytui/wrong.yaml", "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: wrong}\nspec:\n"
                       "  headGroupSpec: {rayStartParams: {}, template: {spec: {containers: no}}}\n")
        refused = self.home.run("run", "--cluster", "wrong", "--dry-run", "--", "true", code=None)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("spec.headGroupSpec.template.spec.containers", refused.stderr)
        self.assertEqual(self.clusters(), [])
        self.assertEqual([d for d in os.listdir(self.home.dir + "/state/raytui/clusters") if "-" in d], [])

    def test_what_a_killed_one_left_is_offered_to_be_removed(self):
        p = self.home.start("run", "--cluster", "once", "--", "true")
        name, = until("a RayCluster", self.clusters, 60)
        until(lambda: p.err, lambda: any("pods" in x or "waiting" in x for x in p.err), 60)
        p.process.kill()
        p.wait(30)
        question = "Remove %s, which was left?" % name
        screen = Screen(self.home)
        try:
            self.assertIn("by: run", screen.shows(question))
            screen.keys("n")
            screen.shows("stays")
        finally:
            screen.close()
        self.assertEqual(self.clusters(), [name])
        screen = Screen(self.home)
        try:
            screen.shows(question)
            screen.keys("y")
            until("it is gone", lambda: not self.clusters(), 90)
            until("its pods too", lambda: not bed().pods(name, self.space), 60)
        finally:
            screen.close()


if __name__ == "__main__":
    unittest.main()
