"""Ray's cluster YAML: the real `ray` and raytui say the same of it."""
import json
import os
import subprocess
import sys
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from raytui_run import TESTS, Home  # noqa: E402

RAYTUI, BIN = sys.argv[1], sys.argv[2]
FIXTURES = os.path.join(TESTS, "fixtures", "launcher")
CLOUDS = ("local", "gcp", "aws", "azure")


def fixture(name):
    with open(os.path.join(FIXTURES, "yaml", name + ".yaml")) as f:
        return f.read()


def ray_says(texts):
    p = subprocess.run([os.path.join(BIN, "python"), os.path.join(HERE, "verdict.py")], input=json.dumps(texts), text=True,
                       stdout=subprocess.PIPE, timeout=300, check=True)
    return json.loads(p.stdout)


class LauncherFile(unittest.TestCase):
    def setUp(self):
        self.home = Home(RAYTUI)

    def tearDown(self):
        self.home.close()

    def check(self, text):
        """Exit status and words of `raytui check` on a cluster with this file."""
        path = self.home.file("cluster.yaml", text)
        self.home.configure("clusters:\n  c: {provider: launcher, file: %s}\n" % path)
        p = self.home.run("check", "c", code=None)
        return p.returncode, p.stdout + p.stderr

    def test_recorded_verdicts_are_those_of_this_ray(self):
        rows, texts = [], []
        with open(os.path.join(FIXTURES, "verdicts.tsv")) as f:
            lines = [line.rstrip("\n") for line in f if not line.startswith("#")]
        for line in lines:
            ray, _, base, *pairs = line.split("\t")
            text = fixture(base)
            for old, new in zip(pairs[::2], pairs[1::2]):
                old, new = old.replace("\\n", "\n"), new.replace("\\n", "\n")
                self.assertIn(old, text, line)
                text = text.replace(old, new, 1)
            rows.append((ray, line))
            texts.append(text)
        self.assertGreater(len(rows), 90)
        for (ray, line), said in zip(rows, ray_says(texts)):
            self.assertEqual(ray, "BAD" if said else "OK", "%s: %s" % (line, said))

    def test_what_ray_up_refuses_check_refuses(self):
        env = {**self.home.env, "RAY_TMPDIR": self.home.dir, "TMPDIR": self.home.dir, "RAY_USAGE_STATS_ENABLED": "0"}
        for name, why in (("bad-yaml", "expected ',' or ']'"), ("bad-schema", "no_such_key"), ("unknown-provider", "Unknown provider type nosuch"),
                          ("local-node-types", "available_node_types is not supported")):
            code, words = self.check(fixture(name))
            self.assertEqual(code, 78, words)
            self.assertIn(why, words)
            self.assertIn("cluster.yaml:", words)
            p = self.home.run("check", self.home.dir + "/cluster.yaml", code=78)  # without a configuration
            self.assertIn(why, p.stdout + p.stderr)
            up = subprocess.run([os.path.join(BIN, "ray"), "up", "-y", "--log-style", "record", "--log-color", "false", self.home.dir + "/cluster.yaml"],
                                env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, timeout=120)
            self.assertEqual(up.returncode, 1, up.stdout)
            self.assertIn(why, up.stdout)

    def test_a_good_file_is_taken(self):
        code, words = self.check(fixture("local"))
        self.assertEqual(code, 0, words)
        self.assertIn("no problems", self.home.run("check", self.home.dir + "/cluster.yaml").stdout)

    def test_what_ray_takes_otherwise_than_meant_is_a_warning(self):
        code, words = self.check(fixture("local").replace("max_workers: 2", "max_workers: 5"))
        self.assertEqual(code, 0, words)
        self.assertIn("cluster.yaml:11:14: max_workers: 5, but there are 2 worker_ips", words)
        found = self.home.json("check", self.home.dir + "/cluster.yaml")
        self.assertEqual([i["severity"] for i in found["items"]], ["warning"])

    def test_files_that_up_would_miss_are_told(self):
        text = fixture("local") + "file_mounts: {/far: near}\n"
        code, words = self.check(text)
        self.assertEqual(code, 78, words)
        self.assertIn("/near: No such file", words)
        self.assertIn("/near: No such file", self.home.run("up", "c", "--dry-run", code=78).stderr)
        self.home.file("near", "x")
        code, words = self.check(text)
        self.assertEqual(code, 0, words)

    def test_templates_are_taken_by_ray_and_by_check(self):
        texts = []
        for cloud in CLOUDS:
            out = self.home.run("init", "launcher", "t-" + cloud, "cloud=" + cloud).stdout
            self.assertIn("clusters.d/t-%s/cluster.yaml" % cloud, out)
            for name in ("cluster.yaml", ".env"):
                path = "%s/config/raytui/clusters.d/t-%s/%s" % (self.home.dir, cloud, name)
                self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            with open("%s/config/raytui/clusters.d/t-%s/cluster.yaml" % (self.home.dir, cloud)) as f:
                texts.append(f.read())
        self.assertEqual(ray_says(texts), [""] * len(CLOUDS))
        for cloud in CLOUDS:
            p = self.home.run("check", "t-" + cloud, code=78 if cloud == "gcp" else 0)
            if cloud == "gcp":
                self.assertIn("project_id is empty", p.stdout + p.stderr)

    def test_init_never_overwrites_a_yaml(self):
        path = self.home.dir + "/config/raytui/clusters.d/mine/cluster.yaml"
        self.home.file("config/raytui/clusters.d/mine/cluster.yaml", fixture("local"))
        out = self.home.run("init", "launcher", "mine", "cloud=aws").stdout
        self.assertIn("stays as it was", out)
        with open(path) as f:
            self.assertEqual(f.read(), fixture("local"))
        self.home.run("init", "launcher", "mine", "cloud=gcp", code=1)
        self.home.run("init", "launcher", "mine", "--force", "cloud=gcp")
        with open(path) as f:
            self.assertEqual(f.read(), fixture("local"))
        p = self.home.run("init", "launcher", "other", "cloud=gpc", code=64)
        self.assertIn("did you mean gcp", p.stdout + p.stderr)

    def test_an_external_provider_parses(self):
        self.home.file("private_key", "-----BEGIN OPENSSH PRIVATE KEY-----\n")
        code, words = self.check(fixture("external"))
        self.assertEqual(code, 0, words)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[3:]])
