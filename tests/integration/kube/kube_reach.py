"""RayClusters found, reached and scaled: real API server, scheduler and operator."""
import json
import os
import socket
import subprocess
import unittest
import urllib.request

from kube_bed import SCRIPTS, Wire, bed, home, until
from raytui_run import Screen, Sim, free_port

CONFIG = """clusters:
  demo: {provider: kuberay, namespace: %s, name: demo, local_ports: {8265: %d, 10001: %d}}
"""


def manifest(name="raycluster.yaml"):
    with open(os.path.join(SCRIPTS, name)) as f:
        return f.read()


def dashboard_of(pod, port):
    """A pod's own port: 10.244.x.y:8265 leads to a port of this machine."""
    return Wire(socket.create_server((pod["status"]["podIP"], 8265)), lambda: socket.create_connection(("127.0.0.1", port)))


def get(port, path="/api/version"):
    """None while nobody answers."""
    try:
        request = urllib.request.Request("http://127.0.0.1:%d%s" % (port, path), headers={"User-Agent": "test"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())
    except (OSError, ValueError):
        return None


class Pools(unittest.TestCase):
    """Pods pretended by kwok."""

    @classmethod
    def setUpClass(cls):
        cls.bed = bed()
        cls.space = cls.bed.namespace("pools")
        cls.bed.kubectl("apply", "-n", cls.space, "-f", "-", given=manifest())
        cls.home = home(CONFIG % (cls.space, free_port(), free_port()))
        until("four pods are ready", lambda: cls.ready() == 4, 180)

    @classmethod
    def tearDownClass(cls):
        cls.bed.kubectl("delete", "raycluster", "--all", "-n", cls.space)
        cls.home.close()

    @classmethod
    def pods(cls):
        return [p for p in cls.bed.pods("demo", cls.space) if "deletionTimestamp" not in p["metadata"]]

    @classmethod
    def ready(cls):
        return sum(p["status"].get("phase") == "Running" for p in cls.pods())

    def pool(self, name):
        return next(x for x in self.home.json("pools", "demo")["items"] if x["name"] == name)

    def spec(self, name):
        groups = self.bed.get("raycluster", "demo", "-n", self.space)["spec"]["workerGroupSpecs"]
        return next(g for g in groups if g["groupName"] == name)

    def test_what_is_there_is_found_and_shown(self):
        found = self.home.run("discover", "kube:///" + self.space).stdout
        self.assertIn("kube:///%s/demo" % self.space, found)
        everywhere = self.home.run("discover", "kube://").stdout
        self.assertIn("kube:///%s/demo" % self.space, everywhere)
        p = self.pool("gpu")
        self.assertEqual((p["min"], p["desired"], p["max"], p["ready"]), (0, 1, 4, 1))

    def test_a_group_grows_and_shrinks_and_chosen_names_are_cleared(self):
        self.home.run("scale", "demo", "small", "4", "--yes")
        self.assertEqual(self.spec("small")["replicas"], 4)
        self.assertEqual(self.pool("small")["ready"], 4)
        self.home.run("scale", "demo", "small", "2", "--yes")
        self.assertEqual(self.spec("small")["replicas"], 2)
        self.assertFalse(self.spec("small").get("scaleStrategy", {}).get("workersToDelete"))
        until("two are left", lambda: sum(p["metadata"]["labels"]["ray.io/group"] == "small" for p in self.pods()) == 2)
        self.assertEqual(self.spec("gpu")["replicas"], 1)

    def test_limits_are_kept_and_move_when_they_are_named(self):
        p = self.home.run("scale", "demo", "gpu", "7", "--yes", code=None)
        self.assertNotEqual(p.returncode, 0)
        self.assertIn("above its max (0..4)", p.stderr)
        self.assertEqual(self.spec("gpu")["replicas"], 1)
        self.home.run("scale", "demo", "gpu", "5", "--max", "6", "--yes")
        self.assertEqual((self.spec("gpu")["replicas"], self.spec("gpu")["maxReplicas"]), (5, 6))
        self.home.run("scale", "demo", "gpu", "1", "--max", "4", "--yes")

    def test_a_group_comes_and_goes_without_orphans(self):
        self.home.run("add-pool", "demo", "extra", "like=small", "replicas=1", "max=2", "cpu=2", "--yes")
        self.assertEqual(self.spec("extra")["template"]["spec"]["containers"][0]["resources"]["limits"]["cpu"], "2")
        self.home.run("remove-pool", "demo", "extra", "--yes")
        groups = [g["groupName"] for g in self.bed.get("raycluster", "demo", "-n", self.space)["spec"]["workerGroupSpecs"]]
        self.assertEqual(groups, ["small", "gpu"])
        self.assertFalse([p for p in self.pods() if p["metadata"]["labels"]["ray.io/group"] == "extra"])

    def test_the_whole_is_suspended_and_resumed(self):
        self.home.run("suspend", "demo", "--yes")
        self.assertEqual(self.pods(), [])
        self.assertEqual(self.pool("small")["why"], "suspended")
        p = self.home.run("scale", "demo", "small", "3", "--yes", code=None)
        self.assertIn("is suspended", p.stderr)
        self.home.run("resume", "demo", "--yes")
        until("four pods are ready", lambda: self.ready() == 4, 180)

    def test_why_pods_wait_is_said_in_the_schedulers_words(self):
        impossible = [{"op": "test", "path": "/spec/workerGroupSpecs/0/groupName", "value": "small"},
                      {"op": "add", "path": "/spec/workerGroupSpecs/0/template/spec/nodeSelector", "value": {"moon": "full"}}]
        self.bed.kubectl("patch", "raycluster", "demo", "-n", self.space, "--type=json", "-p", json.dumps(impossible))
        running = self.home.start("scale", "demo", "small", "3", "--yes")
        try:
            row = until("a pod waits", lambda: (lambda p: p if "Unschedulable" in (p["why"] or "") else None)(self.pool("small")))
            self.assertIn("0/2 nodes are available", row["why"])
            self.assertEqual((row["ready"], row["pending"]), (2, 1))
        finally:
            running.stop()
            back = [{"op": "remove", "path": "/spec/workerGroupSpecs/0/template/spec/nodeSelector"}]
            self.bed.kubectl("patch", "raycluster", "demo", "-n", self.space, "--type=json", "-p", json.dumps(back))
            self.home.run("scale", "demo", "small", "2", "--yes")

    def test_an_operator_that_is_away_is_named(self):
        self.bed.part("stop", "operator")
        running = self.home.start("scale", "demo", "small", "3", "--yes")
        try:
            until("the patch is there", lambda: self.spec("small")["replicas"] == 3)
            until("the operator is missed", lambda: self.watch_says("the operator has not seen"), 60)
        finally:
            self.bed.part("start", "operator")
        self.assertEqual(running.wait(90), 0)
        self.home.run("scale", "demo", "small", "2", "--yes")

    def watch_says(self, words):
        """What the log of the running operation tells."""
        state = self.home.dir + "/state/raytui/clusters/demo"
        for name in os.listdir(state) if os.path.isdir(state) else []:
            if name.startswith("op-"):
                with open(os.path.join(state, name)) as f:
                    if words in f.read():
                        return True
        return False

    def test_who_may_not_look_is_told_which_right_is_missing(self):
        p = self.home.run("pools", "demo", code=5, env={"KUBECONFIG": self.bed.kubeconfig + ".viewer"})
        self.assertIn('User "viewer" cannot list resource "rayclusters"', p.stderr)

    def test_without_kubectl_that_is_said(self):
        p = self.home.run("pools", "demo", code=None, env={"PATH": "/nonexistent"})
        self.assertIn("neither kubectl nor oc is in PATH", p.stderr)

    def fake_kubectl(self, text):
        path = self.home.file("fake/kubectl", "#!/bin/sh\n" + text, 0o755)
        return os.path.dirname(path) + ":" + self.bed.path

    def test_a_kubectl_that_is_too_old_or_warns_first(self):
        real = next(d + "/kubectl" for d in self.bed.path.split(":") if os.path.exists(d + "/kubectl"))
        old = self.fake_kubectl('echo "error: unknown flag: --unix-socket" >&2; exit 1\n')
        p = self.home.run("pools", "demo", code=None, env={"PATH": old})
        self.assertIn("too old", p.stderr)
        loud = self.fake_kubectl('echo "WARNING: version difference" >&2; echo "note: hello"; exec %s "$@"\n' % real)
        self.assertIn("small", self.home.run("pools", "demo", env={"PATH": loud}).stdout)

    def test_an_expired_login_speaks_for_itself(self):
        plugin = self.home.file("fake/login", "#!/bin/sh\necho 'Token has expired, run: cloud login' >&2; exit 1\n", 0o755)
        config = json.loads(self.bed.kubectl("config", "view", "--raw", "-o", "json"))
        config["users"][0]["user"] = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": plugin, "interactiveMode": "Never"}}
        for c in config["contexts"]:
            c["context"]["user"] = config["users"][0]["name"]
        path = self.home.file("expired.json", json.dumps(config))
        p = self.home.run("pools", "demo", code=5, env={"KUBECONFIG": path})
        self.assertIn("Token has expired, run: cloud login", p.stderr)


class Reach(unittest.TestCase):
    """A made-up dashboard behind pretended pods: the ways to it."""

    @classmethod
    def setUpClass(cls):
        cls.bed = bed()
        cls.space = cls.bed.namespace("reach")
        cls.sim = Sim("--job-s", "300")
        cls.bed.kubectl("apply", "-n", cls.space, "-f", "-", given=manifest())
        cls.port = free_port()
        cls.home = home(CONFIG % (cls.space, cls.port, free_port()))
        cls.head = until("the head is ready", cls.new_head, 90)

    @classmethod
    def tearDownClass(cls):
        cls.bed.kubectl("delete", "raycluster", "--all", "-n", cls.space)
        cls.sim.close()
        cls.home.close()

    @classmethod
    def new_head(cls, other_than=None):
        for p in cls.bed.pods("demo", cls.space):
            if (p["metadata"]["labels"]["ray.io/node-type"] == "head" and p["status"].get("podIP") and "deletionTimestamp" not in p["metadata"]
                    and p["metadata"]["name"] != other_than):
                return p
        return None

    def behind(self, pod):
        """The dashboard is behind the pod for port-forwards."""
        self.bed.apply(json.dumps({
            "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "PortForward",
            "metadata": {"name": pod["metadata"]["name"], "namespace": self.space},
            "spec": {"forwards": [{"ports": [8265], "target": {"address": "127.0.0.1", "port": self.sim.port}}]}}))

    def test_1_the_dashboard_comes_through_the_service_proxy(self):
        wire = dashboard_of(self.head, self.sim.port)
        try:
            jobs = self.home.json("jobs", "demo", env={"RAYTUI_LOG": "debug"})["items"]
            self.assertGreater(len(jobs), 3)
        finally:
            wire.close()

    def test_2_without_the_service_proxy_it_comes_by_a_port_forward(self):
        self.behind(self.head)
        self.assertGreater(len(self.home.json("jobs", "demo")["items"]), 3)

    def test_3_a_followed_log_loses_no_line_when_the_api_server_is_killed(self):
        self.behind(self.head)
        job = self.home.run("submit", "--cluster", "demo", "--", "train").stdout.split()[-1]
        log = self.home.start("logs", "-f", "--cluster", "demo", job)
        try:
            until("the log comes", lambda: len(log.out) > 20, 60)
            self.bed.part("kill", "apiserver")
            self.bed.part("start", "apiserver")
            before = len(log.out)
            until("the log goes on", lambda: len(log.out) > before + 20, 120)
        finally:
            log.stop()
        steps = [int(x.split(" step ")[1].split()[0]) for x in log.out if " step " in x]
        self.assertEqual(steps, list(range(steps[0], steps[0] + len(steps))))

    def test_4_a_log_followed_by_the_service_proxy_goes_on_by_a_port_forward(self):
        self.behind(self.head)
        wire = dashboard_of(self.head, self.sim.port)
        log = None
        try:
            job = self.home.run("submit", "--cluster", "demo", "--", "train").stdout.split()[-1]
            log = self.home.start("logs", "-f", "--cluster", "demo", job)
            until("the log comes", lambda: len(log.out) > 20, 60)
            wire.close()
            before = len(log.out)
            until("the log goes on", lambda: len(log.out) > before + 40, 120)
        finally:
            wire.close()
            if log:
                log.stop()
        steps = [int(x.split(" step ")[1].split()[0]) for x in log.out if " step " in x]
        self.assertEqual(steps, list(range(steps[0], steps[0] + len(steps))))

    def test_5_a_forward_keeps_its_port_through_api_server_and_head(self):
        self.behind(self.head)
        held = self.home.start("forward", "demo", "8265")
        try:
            until("the port answers", lambda: get(self.port), 60)
            self.bed.part("kill", "apiserver")
            until("the way is lost", lambda: not get(self.port), 60)
            self.bed.part("start", "apiserver")
            until("the port answers again", lambda: get(self.port), 90)
            old = self.head["metadata"]["name"]
            self.bed.kubectl("delete", "pod", old, "-n", self.space, "--wait=false")
            Reach.head = until("another head", lambda: self.new_head(old), 90)
            self.behind(self.head)
            until("the same port answers for the new head", lambda: get(self.port), 90)
            self.assertIsNone(held.process.poll())
        finally:
            held.stop()


if __name__ == "__main__":
    unittest.main()


class Turns(unittest.TestCase):
    """More RayClusters than are carried at a time, each behind a port-forward alone."""
    NAMES = ["turn%d" % i for i in range(8)]

    @classmethod
    def setUpClass(cls):
        cls.space = bed().namespace("turns")
        cls.sim = Sim()
        one = json.loads(bed().kubectl("create", "--dry-run=client", "-o", "json", "-n", cls.space, "-f", "-", given=manifest()))
        one["spec"]["workerGroupSpecs"] = []
        for name in cls.NAMES:
            one["metadata"]["name"] = name
            bed().apply(json.dumps(one))
        heads = until("all heads", cls.heads, 90)
        for head in heads:
            bed().apply(json.dumps({
                "apiVersion": "kwok.x-k8s.io/v1alpha1", "kind": "PortForward", "metadata": {"name": head, "namespace": cls.space},
                "spec": {"forwards": [{"ports": [8265], "target": {"address": "127.0.0.1", "port": cls.sim.port}}]}}))
        cls.home = home("clusters:\n" + "".join("  %s: {provider: kuberay, namespace: %s, dashboard: forward}\n" % (n, cls.space) for n in cls.NAMES))

    @classmethod
    def tearDownClass(cls):
        cls.home.close()
        cls.sim.close()
        bed().kubectl("delete", "namespace", cls.space, "--wait=false")

    @classmethod
    def heads(cls):
        found = [p["metadata"]["name"] for n in cls.NAMES for p in bed().pods(n, cls.space) if p["status"].get("phase") == "Running"]
        return found if len(found) == len(cls.NAMES) else None

    def test_a_few_are_carried_at_a_time_and_each_has_its_turn(self):
        screen, most, carried = Screen(self.home), [0], set()

        def children():
            found = subprocess.run(["ps", "-o", "args=", "--ppid", str(screen.process.pid)], stdout=subprocess.PIPE, text=True).stdout
            return {word for x in found.splitlines() if " port-forward " in x for word in x.split() if word.startswith("pod/")}

        def look():
            now = children()
            most[0] = max(most[0], len(now))
            carried.update(now)
            return len(carried) == len(self.NAMES)
        try:
            screen.shows("waiting for its turn", 120)
            until(lambda: "every one is carried once: %s" % carried, look, 240)
        finally:
            screen.close()
        self.assertLessEqual(most[0], 5)
