"""RayJobs, RayServices and pods as lists and as what is acted on; one chosen worker that goes; limits that an autoscaler has."""
import unittest

from kube_bed import bed, home, until

SPEC = """{rayVersion: 2.52.0,
    headGroupSpec: {rayStartParams: {}, template: {spec: {containers: [{name: ray-head, image: rayproject/ray:2.52.0, resources: {limits: {cpu: "1", memory: 1Gi}}}]}}},
    workerGroupSpecs: [{groupName: small, replicas: 1, minReplicas: 0, maxReplicas: 3, rayStartParams: {},
      template: {spec: {containers: [{name: ray-worker, image: rayproject/ray:2.52.0, resources: {limits: {cpu: "1", memory: 1Gi}}}]}}}]}"""
JOB = """
apiVersion: ray.io/v1
kind: RayJob
metadata: {name: %s, namespace: owners}
spec:
  entrypoint: python train.py
  shutdownAfterJobFinishes: %s
  rayClusterSpec: """ + SPEC + "\n"
SERVICE = """
apiVersion: ray.io/v1
kind: RayService
metadata: {name: llm, namespace: owners}
spec:
  serveConfigV2: |
    applications: [{name: app, import_path: "app:app", route_prefix: /}]
  rayClusterConfig: """ + SPEC + "\n"
CONFIG = """clusters:
  base: {provider: kuberay, namespace: owners, pools: {small: {cpu: 0.5, memory_gb: 1, replicas: 3, max: 4}, other: {cpu: 0.5, memory_gb: 1, replicas: 1}}, autoscaler: off}
  scaled: {provider: kuberay, namespace: owners, pools: {small: {cpu: 0.5, memory_gb: 1, replicas: 2, min: 1, max: 3}}, autoscaler: {cpu: 0.25, memory_gb: 0.5}}
  plain: {provider: address, url: "http://127.0.0.1:9"}
"""


class Owners(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        bed().namespace("owners")
        cls.home = home(CONFIG)
        cls.home.run("up", "base", "--yes", timeout=120)

    @classmethod
    def tearDownClass(cls):
        for kind in ("rayjob", "rayservice", "raycluster"):
            bed().kubectl("delete", kind, "--all", "-n", "owners", "--wait=false", check=False)
        cls.home.close()
        bed().kubectl("delete", "namespace", "owners", "--wait=false")

    def row(self, verb, name, cluster="base"):
        return next((x for x in self.home.json(verb, cluster)["items"] if x["name"] == name), None)

    def clusters(self):
        return [c["metadata"]["name"] for c in bed().get("raycluster", None, "-n", "owners")]

    def test_a_rayjob_is_listed_suspended_resumed_and_deleted(self):
        bed().apply(JOB % ("train", "true"))
        until(lambda: "a cluster for it: %s" % self.row("rayjobs", "train"), lambda: self.row("rayjobs", "train")["ray_cluster"])
        row = self.row("rayjobs", "train")
        self.assertEqual((row["namespace"], row["entrypoint"], row["suspend"]), ("owners", "python train.py", False))
        self.assertIn(row["deployment_status"], ("Initializing", "Running"))
        self.assertIn(row["ray_cluster"], self.clusters())
        self.assertEqual(row["address"], "kube:///owners/" + row["ray_cluster"])
        self.assertIn("train", self.home.run("rayjobs", "base").stdout)
        self.assertIn("not suspended", self.home.run("resume-rayjob", "base", "train", "--yes", code=None).stderr)
        self.home.run("suspend-rayjob", "base", "train", "--yes", timeout=90)
        self.assertEqual(self.row("rayjobs", "train")["deployment_status"], "Suspended")
        until("its cluster is gone", lambda: row["ray_cluster"] not in self.clusters(), 60)
        self.assertIn("suspended already", self.home.run("suspend-rayjob", "base", "owners/train", "--yes", code=None).stderr)
        self.home.run("resume-rayjob", "base", "train", "--yes", timeout=90)
        again = until("another cluster", lambda: self.row("rayjobs", "train")["ray_cluster"], 60)
        self.assertNotEqual(again, row["ray_cluster"])
        said = self.home.run("delete-rayjob", "base", "train", "--yes", timeout=90).stdout
        self.assertIn("the RayJob is gone", said)
        self.assertIsNone(self.row("rayjobs", "train"))
        until("its cluster is gone", lambda: again not in self.clusters(), 60)

    def test_a_rayjob_that_the_operator_would_refuse_to_suspend(self):
        bed().apply(JOB % ("stays", "false"))
        until("it is seen", lambda: (self.row("rayjobs", "stays") or {}).get("deployment_status"))
        refused = self.home.run("suspend-rayjob", "base", "stays", "--yes", code=None)
        self.assertIn("shutdownAfterJobFinishes", refused.stderr)
        self.assertFalse(bed().get("rayjob", "stays", "-n", "owners")["spec"].get("suspend"))
        self.assertIn("no rayjob nobody", self.home.run("delete-rayjob", "base", "nobody", "--yes", code=None).stderr)
        self.home.run("delete-rayjob", "base", "stays", "--yes", timeout=90)

    def test_a_rayservice_is_listed_and_deleted(self):
        bed().apply(SERVICE)
        row = until(lambda: "a cluster that comes: %s" % self.row("rayservices", "llm"),
                    lambda: (lambda r: r if r and r["pending_ray_cluster"] else None)(self.row("rayservices", "llm")))
        self.assertEqual((row["state"], row["ready"], row["namespace"], row["endpoints"]), ("Starting", False, "owners", 0))
        self.assertTrue(row["why"])
        self.home.run("delete-rayservice", "base", "llm", "--yes", timeout=90)
        self.assertEqual(self.home.json("rayservices", "base")["items"], [])
        until("its cluster is gone", lambda: row["pending_ray_cluster"] not in self.clusters(), 60)

    def test_only_where_the_provider_has_them(self):
        for verb in ("rayjobs", "rayservices", "pods"):
            self.assertIn("provider address has no", self.home.run(verb, "plain", code=None).stderr)

    def test_pods_with_their_containers(self):
        rows = self.home.json("pods", "base")["items"]
        self.assertEqual({r["pool"] for r in rows}, {"head", "other", "small"})
        head = next(r for r in rows if r["head"])
        self.assertEqual((head["phase"], head["ready"], head["restarts"]), ("Running", True, 0))
        self.assertEqual([c["name"] for c in head["containers"] if not c["init"]], ["ray-head"])
        self.assertEqual((head["containers"][0]["state"], head["containers"][0]["before"]), ("running", None))
        worker = next(r for r in rows if r["pool"] == "small")
        self.assertEqual([c["name"] for c in worker["containers"] if c["init"]], ["wait-gcs-ready"])
        self.assertTrue(worker["node"] and worker["ip"])

    def test_one_chosen_worker_goes_and_no_other(self):
        def alive():
            return {p["metadata"]["name"]: p["metadata"]["labels"]["ray.io/group"] for p in bed().pods("base", "owners") if "deletionTimestamp" not in p["metadata"]}
        before = alive()
        chosen = sorted(n for n, g in before.items() if g == "small")[1]
        self.home.run("remove-node", "base", chosen, "--yes", timeout=120)
        self.assertEqual(set(before) - set(alive()), {chosen})
        group = bed().get("raycluster", "base", "-n", "owners")["spec"]["workerGroupSpecs"][0]
        self.assertEqual((group["replicas"], group.get("scaleStrategy", {}).get("workersToDelete", [])), (2, []))
        head = next(n for n, g in before.items() if g == "headgroup")
        self.assertIn("a cluster has one", self.home.run("remove-node", "base", head, "--yes", code=None).stderr)
        self.assertIn("no worker pod", self.home.run("remove-node", "base", "scaled-small-worker-abcde", "--yes", code=None).stderr)

    def test_limits_move_where_an_autoscaler_owns_the_size(self):
        def limits():
            g = bed().get("raycluster", "scaled", "-n", "owners")["spec"]["workerGroupSpecs"][0]
            return g["minReplicas"], g["replicas"], g["maxReplicas"]
        self.home.run("up", "scaled", "--yes", timeout=120)
        self.assertEqual(limits(), (1, 2, 3))
        said = self.home.run("scale", "scaled", "small", "+2", "--yes", timeout=90)
        self.assertEqual(limits(), (4, 2, 4))
        self.assertIn("min 4, max 4 (now 1..3)", said.stdout + said.stderr)
        self.home.run("scale", "scaled", "small", "2", "--min", "1", "--max", "3", "--yes", timeout=90)
        self.assertEqual(limits(), (1, 2, 3))
        self.home.run("scale", "scaled", "small", "-2", "--yes", timeout=90)
        self.assertEqual(limits(), (0, 2, 0))
        pool = next(p for p in self.home.json("pools", "scaled")["items"] if p["name"] == "small")
        self.assertTrue(pool["limits_move"])
