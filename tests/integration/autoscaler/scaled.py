"""One cluster with an autoscaler for all tests of a class, and what both autoscalers are asked."""
import json
import os
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from raytui_run import Home, Screen, until  # noqa: E402, F401

RAYTUI, VERSION = sys.argv[1:3]
BED = os.path.join(HERE, "..", "..", "testbed", "autoscale.sh")
PATIENCE = 150


class Scaled(unittest.TestCase):
    scaler, extra = "v2", "serve"

    @classmethod
    def setUpClass(cls):
        cls.dir = tempfile.mkdtemp(prefix="rt-as-", dir="/tmp")
        p = subprocess.run([BED, "up", cls.dir, VERSION, cls.scaler], env={**os.environ, "AS_EXTRA": cls.extra},
                           stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, timeout=180)
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

    def submit(self, name, text):
        self.home.file(name + "/main.py", text)
        self.home.run("submit", "-c", "auto", "--submission-id", name, "--working-dir", os.path.join(self.home.dir, name), "--",
                      "python", "main.py", timeout=120)

    def why(self, thing):
        p = self.home.run("why", "-c", "auto", "-o", "json", thing, code=None)
        if p.returncode:
            return {"summary": p.stderr, "text": p.stderr, "brief": ""}
        item = json.loads(p.stdout)["item"]
        item["text"] = "\n".join([item["summary"]] + [r["text"] for r in item["reasons"]])
        return item

    def why_until(self, thing, *words):
        seen = {}

        def ask():
            seen.update(self.why(thing))
            return all(w in seen["text"] for w in words) and seen
        return until(lambda: "%s in %s" % (words, seen.get("text")), ask, PATIENCE)
