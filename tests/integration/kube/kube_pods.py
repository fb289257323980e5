"""Pods as machines: shell, logs, events, objects; the object in an editor; what `doctor` says."""
import os
import unittest

from kube_bed import bed, home, until

ROLE = """
apiVersion: rbac.authorization.k8s.io/v1
kind: Role
metadata: {name: looker, namespace: pods}
rules:
- {apiGroups: [ray.io], resources: [rayclusters], verbs: [get, list, watch]}
- {apiGroups: [""], resources: [pods, services], verbs: [get, list, watch]}
---
apiVersion: rbac.authorization.k8s.io/v1
kind: RoleBinding
metadata: {name: looker, namespace: pods}
roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: looker}
subjects: [{apiGroup: rbac.authorization.k8s.io, kind: User, name: viewer}]
"""
KWOK = """
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Logs
metadata: {name: %(pod)s, namespace: pods}
spec: {logs: [{logsFile: %(log)s, follow: true}]}
---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Exec
metadata: {name: %(pod)s, namespace: pods}
spec: {execs: [{local: {workDir: /}}]}
"""


class Pods(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        bed().namespace("pods")
        cls.home = home("clusters:\n  demo: {provider: kuberay, namespace: pods, pools: {small: {cpu: 0.5, memory_gb: 1, replicas: 2}}}\n")
        cls.home.run("up", "demo", "--yes", timeout=120)
        cls.head, = [p["metadata"]["name"] for p in bed().pods("demo", "pods") if p["metadata"]["labels"]["ray.io/node-type"] == "head"]
        log = cls.home.file("pod.log", "2026-01-01T00:00:00.000000000Z stdout F it \033[31mspeaks\n", 0o644)
        bed().apply(KWOK % {"pod": cls.head, "log": log})

    @classmethod
    def tearDownClass(cls):
        cls.home.run("down", "demo", "--yes", timeout=120)
        cls.home.close()
        bed().kubectl("delete", "namespace", "pods", "--wait=false")

    def test_a_pod_is_listed_told_of_and_logged(self):
        self.assertEqual(self.home.run("pod", "demo").stdout.count("demo-"), 3)
        self.assertIn("Scheduled", self.home.run("pod", "demo", self.head, "--events").stdout)
        self.assertIn("ray-head", self.home.run("pod", "demo", self.head).stdout)
        self.assertIn("kind: Pod", self.home.run("pod", "demo", self.head, "--yaml").stdout)
        until("the log", lambda: "speaks" in self.home.run("pod", "demo", self.head + "/ray-head", "--log", code=None).stdout)
        self.assertIn("no pod demo-head", self.home.run("pod", "demo", "demo-head", code=4).stderr)

    def test_a_shell_on_the_head(self):
        p = self.home.run("shell", "demo", code=None, input="echo in-$((40+2)); exit\n", stdin=None)
        self.assertIn("in-42", p.stdout, p.stderr)

    def test_the_object_in_an_editor(self):
        def replicas():
            return bed().get("raycluster", "demo", "-n", "pods")["spec"]["workerGroupSpecs"][0]["maxReplicas"]
        self.home.run("edit", "demo", env={"EDITOR": "sed -i s/maxReplicas:.*/maxReplicas:\\ 7/"})
        self.assertEqual(replicas(), 7)
        wrong = self.home.run("edit", "demo", code=None, env={"EDITOR": "sed -i s/maxReplicas:.*/maxReplicas:\\ many/"})
        self.assertNotEqual(wrong.returncode, 0)
        self.assertIn("is invalid", wrong.stdout + wrong.stderr)
        self.assertEqual(replicas(), 7)

    def test_doctor_names_each_right_that_is_missing(self):
        said = self.home.run("doctor", "demo", code=None).stdout
        for word in ("kubectl", "API server     Kubernetes v1.35.4", "rayclusters", "all 19 that are used in namespace pods"):
            self.assertIn(word, said)
        bed().apply(ROLE)
        viewer = {"KUBECONFIG": bed().dir + "/kubeconfig.viewer"}
        said = self.home.run("doctor", "demo", code=None, env=viewer).stdout
        self.assertIn("no `patch` on rayclusters: pools are not scaled", said)
        self.assertIn("no `get` on services/proxy: the dashboard is reached by a port-forward", said)
        self.assertIn("no `patch` on rayjobs: RayJobs are not suspended", said)
        self.assertNotIn("no `list` on pods", said)
        refused = self.home.run("scale", "demo", "small", "3", "--max", "9", "--yes", code=None, env=viewer, timeout=90)
        self.assertEqual(refused.returncode, 5, refused.stderr)
        self.assertIn("cannot patch", refused.stderr)


class Kubectl(unittest.TestCase):
    """What people's kubectl and kubeconfig do."""

    def setUp(self):
        self.home = home("clusters:\n  demo: {provider: kuberay, namespace: default}\n")

    def tearDown(self):
        self.home.close()

    def fake(self, text):
        path = self.home.file("bin/kubectl", "#!/bin/sh\n" + text, 0o755)
        return {"PATH": os.path.dirname(path) + ":/usr/bin:/bin"}

    def test_none(self):
        bare = self.home.dir + "/bare"
        os.makedirs(bare)
        for tool in ("sh", "env", "python3"):
            os.symlink("/bin/" + tool if os.path.exists("/bin/" + tool) else "/usr/bin/" + tool, bare + "/" + tool)
        p = self.home.run("up", "demo", "--yes", code=None, env={"PATH": bare})
        self.assertNotEqual(p.returncode, 0)
        self.assertIn("kubectl", p.stderr)
        self.assertIn("bad   kubectl", self.home.run("doctor", "demo", code=None, env={"PATH": bare}).stdout)

    def test_one_that_is_old_and_one_that_warns_first(self):
        real = [d for d in bed().path.split(":") if os.path.exists(d + "/kubectl")][0] + "/kubectl"
        old = self.fake('case "$*" in version*) echo \'{"clientVersion": {"minor": "20", "gitVersion": "v1.20.2"}}\' ;; *) exec %s "$@" ;; esac\n' % real)
        said = self.home.run("doctor", "demo", code=None, env=old).stdout
        self.assertIn("v1.20.2 is old", said)
        noisy = self.fake('echo "WARNING: this tool is old" >&2; echo "notice: hello"; exec %s "$@"\n' % real)
        said = self.home.run("doctor", "demo", code=None, env=noisy).stdout
        self.assertIn("Kubernetes v1.35.4", said)
