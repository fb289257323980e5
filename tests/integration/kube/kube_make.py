"""Clusters made, refused, given up and torn down."""
import glob
import json
import signal
import unittest

from kube_bed import bed, home, until

REAL = ("provider: kuberay, namespace: %s, annotations: {testbed/real: \"true\", testbed/hold: ray}, head: {cpu: 1, memory_gb: 2}, "
        "pools: {small: {cpu: 1, memory_gb: 1, replicas: 1}}")


class Make(unittest.TestCase):
    """Pods pretended; a namespace for each test."""

    def setUp(self):
        self.space = bed().namespace("m-" + self.id().split(".")[-1][5:].replace("_", "-")[:40].strip("-"))
        self.home = home()

    def tearDown(self):
        self.home.close()
        bed().kubectl("delete", "namespace", self.space, "--wait=false")

    def configure(self, **clusters):
        self.home.configure("clusters:\n" + "".join("  %s: {provider: kuberay, namespace: %s, %s}\n" % (name, self.space, fields)
                                                    for name, fields in clusters.items()))

    def up(self, name, *options, **more):
        return self.home.run("up", name, "--yes", *options, timeout=120, **more)

    def nothing_is_left(self, name):
        self.assertIsNone(bed().get("raycluster", name, "-n", self.space))
        self.assertEqual(bed().pods(name, self.space), [])

    def test_up_and_down(self):
        self.configure(simple="n_nodes: 3, node_config: {cpu: 0.5, memory_gb: 1.5}")
        self.up("simple")
        spec = bed().get("raycluster", "simple", "-n", self.space)["spec"]
        group, = spec["workerGroupSpecs"]
        self.assertEqual((group["replicas"], group["minReplicas"], group["maxReplicas"]), (2, 2, 2))
        want = {"cpu": "500m", "memory": "1536Mi"}
        self.assertEqual(group["template"]["spec"]["containers"][0]["resources"], {"limits": want, "requests": want})
        self.assertFalse(spec.get("enableInTreeAutoscaling"))
        self.assertEqual(len(bed().pods("simple", self.space)), 3)
        self.assertIn("a RayCluster simple already", self.up("simple", code=1).stderr)
        self.home.run("down", "--yes", "simple")
        self.nothing_is_left("simple")

    def test_groups_with_an_autoscaler_and_gpus(self):
        self.configure(big="head: {cpu: 1, memory_gb: 2}, autoscaler: {cpu: 0.25, memory_gb: 0.5, idle_timeout: 30s}, service_account: ray, "
                           "gpu_node_selector: {accelerator: h100}, gpu_tolerations: [{key: nvidia.com/gpu, operator: Exists}], "
                           "pools: {cpu: {cpu: 1, memory_gb: 1, min: 1, max: 4}, gpu: {cpu: 8, memory_gb: 32, gpu_count: 2, replicas: 1}}")
        bed().kubectl("create", "serviceaccount", "ray", "-n", self.space)
        self.up("big")
        spec = bed().get("raycluster", "big", "-n", self.space)["spec"]
        self.assertTrue(spec["enableInTreeAutoscaling"])
        self.assertEqual(spec["autoscalerOptions"]["idleTimeoutSeconds"], 30)
        self.assertEqual(spec["autoscalerOptions"]["resources"]["limits"], {"cpu": "250m", "memory": "512Mi"})
        gpu = [p for p in bed().pods("big", self.space) if p["metadata"]["labels"]["ray.io/group"] == "gpu"]
        self.assertEqual([p["spec"]["nodeName"] for p in gpu], ["testbed-gpu"])
        self.assertEqual(gpu[0]["spec"]["serviceAccountName"], "ray")
        head, = [p for p in bed().pods("big", self.space) if p["metadata"]["labels"]["ray.io/node-type"] == "head"]
        self.assertIn("autoscaler", [c["name"] for c in head["spec"]["containers"]])
        self.home.run("down", "--yes", "big")
        self.nothing_is_left("big")

    def test_a_dry_run_is_validated_and_makes_nothing(self):
        self.configure(dry="n_nodes: 2", wrong="image: \"\"")
        text = self.home.run("up", "dry", "--dry-run", "-o", "yaml").stdout
        self.assertIsNone(bed().get("raycluster", "dry", "-n", self.space))
        bed().apply(text)
        self.assertEqual(bed().get("raycluster", "dry", "-n", self.space)["spec"]["workerGroupSpecs"][0]["replicas"], 1)

    def test_a_manifest_of_ones_own(self):
        good = self.home.file("own.yaml", "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: own, labels: {a: b}}\nspec:\n"
                              "  headGroupSpec:\n    rayStartParams: {}\n    template:\n      spec:\n        containers:\n"
                              "        - {name: ray-head, image: rayproject/ray:2.52.0}\n")
        wrong = self.home.file("wrong.yaml", "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: wrong}\nspec:\n"
                               "  headGroupSpec: {rayStartParams: {}, template: {spec: {containers: no}}}\n")
        self.configure(own="manifest: %s" % good, wrong="manifest: %s" % wrong)
        refused = self.up("wrong", code=None)
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("spec.headGroupSpec.template.spec.containers", refused.stderr)
        self.up("own")
        self.assertEqual(bed().get("raycluster", "own", "-n", self.space)["metadata"]["labels"]["a"], "b")
        self.home.run("down", "--yes", "own")

    def test_an_impossible_selector_is_given_up_with_the_schedulers_words(self):
        self.configure(far="non_gpu_node_selector: {no: where}")
        p = self.up("far", "--timeout", "4s", code=3)
        self.assertIn("didn't match Pod's node affinity/selector", p.stderr)
        self.nothing_is_left("far")
        p = self.up("far", "--timeout", "2s", "--keep", code=3)
        self.assertIn("raytui down far", p.stderr)
        self.assertIsNotNone(bed().get("raycluster", "far", "-n", self.space))
        self.home.run("down", "--yes", "far")
        self.nothing_is_left("far")

    def test_a_quota(self):
        bed().kubectl("create", "quota", "few", "--hard=pods=1", "-n", self.space)
        self.configure(many="n_nodes: 3")
        self.assertIn("exceeded quota: few", self.up("many", "--timeout", "5s", code=3).stderr)
        self.nothing_is_left("many")

    def test_an_operator_that_is_silent_or_refuses(self):
        own = self.home.file("bad.yaml", "apiVersion: ray.io/v1\nkind: RayCluster\nmetadata: {name: bad}\nspec:\n"
                             "  headGroupSpec: {rayStartParams: {}, template: {spec: {containers: []}}}\n")
        self.configure(bad="manifest: %s" % own, lone="n_nodes: 1")
        self.assertIn("the operator refuses it", self.up("bad", "--timeout", "60s", code=1).stderr)
        self.nothing_is_left("bad")
        bed().part("stop", "operator")
        try:
            self.assertIn("no operator", self.up("lone", "--timeout", "3s", code=3).stderr)
        finally:
            bed().part("start", "operator")
        self.nothing_is_left("lone")

    def test_an_interrupt_leaves_nothing(self):
        self.configure(slow="annotations: {testbed/hold: \"yes\"}")
        p = self.home.start("up", "slow", "--yes")
        until(lambda: p.err, lambda: bed().pods("slow", self.space), 60)
        p.process.send_signal(signal.SIGINT)
        self.assertEqual(p.wait(60), 130, p.err)
        self.nothing_is_left("slow")

    def test_down_says_what_hangs(self):
        self.configure(held="n_nodes: 1")
        self.up("held")
        pod = bed().pods("held", self.space)[0]["metadata"]["name"]
        patch = ("patch", "pod", pod, "-n", self.space, "--type=merge", "-p")
        bed().kubectl(*patch, json.dumps({"metadata": {"finalizers": ["example.com/hold"]}}))
        p = self.home.start("down", "--yes", "held")

        def told():
            said = ""
            for name in glob.glob(self.home.dir + "/state/raytui/clusters/held/op-*.log"):
                with open(name) as f:
                    said += f.read()
            return "waits for finalizer example.com/hold" in said
        until(lambda: p.err, told, 60)
        bed().kubectl(*patch, json.dumps({"metadata": {"finalizers": None}}))
        self.assertEqual(p.wait(60), 0, p.err)
        self.nothing_is_left("held")

    def test_what_a_killed_raytui_began_is_known_and_goes(self):
        self.configure(begun="annotations: {testbed/hold: \"yes\"}")
        p = self.home.start("up", "begun", "--yes")
        until(lambda: p.err, lambda: bed().pods("begun", self.space), 60)
        p.process.kill()
        p.wait(30)
        row, = [c for c in self.home.json("ls")["items"] if c["name"] == "begun"]
        self.assertEqual(row["state"], "starting")
        self.home.run("down", "--yes", "begun")
        self.nothing_is_left("begun")


class Run(unittest.TestCase):
    """`run`, with pods that are real processes of Ray."""

    @classmethod
    def setUpClass(cls):
        bed().play_pods()
        cls.space = bed().namespace("runs")
        cls.home = home("clusters:\n  work: {%s}\n" % (REAL % cls.space))

    @classmethod
    def tearDownClass(cls):
        cls.home.close()
        bed().kubectl("delete", "namespace", cls.space, "--wait=false")

    def nothing_is_left(self):
        until("no RayCluster", lambda: not bed().get("rayclusters", None, "-n", self.space), 60)
        self.assertEqual(bed().get("pods", None, "-n", self.space), [])
        self.assertNotIn("work-", self.home.run("ls").stdout)

    def test_a_job_on_a_cluster_of_its_own(self):
        p = self.home.run("run", "--cluster", "work", "--", "python", "-c", "print('forty', 'two')", timeout=240)
        self.assertIn("forty two", p.stdout)
        self.assertIn("SUCCEEDED", p.stderr)
        self.nothing_is_left()

    def test_a_signal_and_a_kill(self):
        words = ("run", "--cluster", "work", "--", "python", "-c", "import time; print('it runs', flush=True); time.sleep(900)")
        p = self.home.start(*words)
        until(lambda: p.err + p.out, lambda: "it runs" in p.out, 180)
        p.process.send_signal(signal.SIGTERM)
        self.assertEqual(p.wait(90), 143, p.err)
        self.nothing_is_left()
        p = self.home.start(*words)
        until(lambda: p.err, lambda: bed().get("rayclusters", None, "-n", self.space), 60)
        p.process.kill()
        p.wait(30)
        said = self.home.run("ls").stderr
        self.assertIn("is left of a `run` that was killed", said)
        name = bed().get("rayclusters", None, "-n", self.space)[0]["metadata"]["name"]
        self.assertIn(name, said)
        self.home.run("down", "--yes", name, timeout=120)
        self.nothing_is_left()
