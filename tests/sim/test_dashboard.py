#!/usr/bin/env python3
"""Does the made-up dashboard answer in the shapes that were recorded from real ones?"""
import http.client
import json
import os
import socket
import subprocess
import sys
import time
import unittest
import urllib.error
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
FIXTURES = os.path.join(os.path.dirname(HERE), "fixtures")
# keys by node or resource, not by Ray
NAMED = {"labels", "resources_total", "resourcesTotal", "nodeLogicalResources", "disk", "runtime_env", "metadata", "env_vars",
         "required_resources"}


def recorded(version, name):
    path = os.path.join(FIXTURES, "ray-" + version, name)
    if not os.path.exists(path):
        raise unittest.SkipTest("no recording " + name)
    with open(path) as f:
        return f.read()


def wrong(real, made, path=""):
    """Keys that only one of the two has, and values of another type. null may stand for anything."""
    if real is None or made is None:
        return []
    if isinstance(real, dict) and isinstance(made, dict):
        if path.rsplit(".", 1)[-1] in NAMED:
            return []
        out = ["%s.%s only recorded" % (path, k) for k in real if k not in made]
        out += ["%s.%s only made up" % (path, k) for k in made if k not in real]
        for k in real:
            if k in made:
                out += wrong(real[k], made[k], path + "." + k)
        return out
    if isinstance(real, list) and isinstance(made, list):
        return wrong(real[0], made[0], path + "[]") if real and made else []
    number = (int, float)
    same = isinstance(made, type(real)) or (isinstance(real, number) and isinstance(made, number))
    return [] if same else ["%s: %s recorded, %s made up" % (path, type(real).__name__, type(made).__name__)]


class Dashboard(unittest.TestCase):
    words, version = [], "2.60.0"

    @classmethod
    def setUpClass(cls):
        cls.child = subprocess.Popen([sys.executable, os.path.join(HERE, "dashboard.py"), *cls.words], stdout=subprocess.PIPE)
        cls.port = int(cls.child.stdout.readline())

    @classmethod
    def tearDownClass(cls):
        cls.child.terminate()
        cls.child.wait()
        cls.child.stdout.close()

    def get(self, path, body=None, method=None, headers=None):
        """Status and text; an answer that is cut is an exception."""
        data = body.encode() if isinstance(body, str) else None if body is None else json.dumps(body).encode()
        r = urllib.request.Request("http://127.0.0.1:%d%s" % (self.port, path), data, headers or {"User-Agent": "test"}, method=method)
        try:
            with urllib.request.urlopen(r, timeout=5) as a:
                return a.status, a.read().decode()
        except urllib.error.HTTPError as e:
            with e:
                return e.code, e.read().decode()

    def same_shape(self, path, name):
        status, text = self.get(path)
        self.assertEqual(status, 200)
        self.assertEqual(wrong(json.loads(recorded(self.version, name)), json.loads(text)), [])

    def fault(self, **words):
        self.assertEqual(self.get("/_test/fault", words)[0], 200)


class New(Dashboard):
    words = ["--nodes", "5", "--jobs", "40", "--dead", "1"]

    def test_version_has_the_recorded_shape(self):
        self.same_shape("/api/version", "version.json")

    def test_nodes_have_the_recorded_shape(self):
        self.same_shape("/api/v0/nodes?detail=1", "v0_nodes_detail.json")

    def test_the_summary_of_nodes_has_the_recorded_shape(self):
        _, text = self.get("/nodes?view=summary")
        found = wrong(json.loads(recorded("2.60.0", "nodes_summary_busy.json")), json.loads(text))
        optional = {"hostMem", "cgroupMem", "numWorkers"}
        self.assertEqual([x for x in found if x.split(" ")[0].rsplit(".", 1)[-1] not in optional], [])

    def test_the_status_text_has_the_recorded_lines(self):
        real = json.loads(recorded("2.60.0", "cluster_status_format1.json"))["data"]["clusterStatus"]
        made = json.loads(self.get("/api/cluster_status?format=1")[1])["data"]["clusterStatus"]
        heads = lambda text: [x for x in text.split("\n") if x and not x.startswith((" ", "===="))]
        self.assertEqual(heads(real), heads(made))

    def test_each_job_has_the_recorded_keys(self):
        real = json.loads(recorded("2.60.0", "jobs_list.json"))
        made = json.loads(self.get("/api/jobs/")[1])
        self.assertEqual(len(made), 40)
        for j in made:
            self.assertEqual(set(j), set(real[0]))
        self.assertGreaterEqual({j["status"] for j in made}, {"PENDING", "RUNNING", "SUCCEEDED", "FAILED", "STOPPED"})

    def test_the_list_of_nodes_is_cut_at_the_limit(self):
        answer = json.loads(self.get("/api/v0/nodes?limit=2")[1])["data"]["result"]
        self.assertEqual((len(answer["result"]), answer["num_filtered"]), (2, 5))
        self.assertEqual(self.get("/api/v0/nodes?limit=10001")[0], 400)

    def test_filters_are_honoured(self):
        query = "/api/v0/nodes?filter_keys=state&filter_predicates=%s&filter_values=dead"
        self.assertEqual(len(json.loads(self.get(query % "%3D")[1])["data"]["result"]["result"]), 1)
        self.assertEqual(len(json.loads(self.get(query % "!%3D")[1])["data"]["result"]["result"]), 4)

    def test_a_job_runs_and_ends(self):
        self.assertEqual(self.get("/api/jobs/", {"entrypoint": "sleep 0.2; exit 3", "submission_id": "mine"})[0], 200)
        self.assertEqual(self.get("/api/jobs/", {"entrypoint": "x", "submission_id": "mine"})[0], 500)
        end = time.monotonic() + 5
        while json.loads(self.get("/api/jobs/mine")[1])["status"] != "FAILED" and time.monotonic() < end:
            time.sleep(0.05)
        job = json.loads(self.get("/api/jobs/mine")[1])
        self.assertEqual((job["status"], job["driver_exit_code"]), ("FAILED", 3))
        self.assertIn("Running entrypoint for job mine", json.loads(self.get("/api/jobs/mine/logs")[1])["logs"])
        self.assertEqual(json.loads(self.get("/api/jobs/mine/stop", "{}")[1]), {"stopped": False})
        self.assertEqual(json.loads(self.get("/api/jobs/mine", method="DELETE")[1]), {"deleted": True})
        self.assertEqual(self.get("/api/jobs/mine")[0], 404)

    def test_packages_are_kept(self):
        self.assertEqual(self.get("/api/packages/gcs/a.zip")[0], 404)
        self.assertEqual(self.get("/api/packages/gcs/a.zip", "zip", "PUT")[0], 200)
        self.assertEqual(self.get("/api/packages/gcs/a.zip")[0], 200)

    def test_a_log_is_the_same_by_ranges_and_by_the_dashboard(self):
        info = json.loads(self.get("/_test/info")[1])
        job, node = info["log_job"], info["nodes"][0]
        whole = self.get("/api/v0/logs/file?node_id=%s&filename=job-driver-%s.log&lines=-1" % (node, job))[1]
        status, part = self.get("/logs/job-driver-%s.log" % job, headers={"Range": "bytes=100-"})
        self.assertEqual((status, part), (206, whole[100:]))
        self.assertEqual(self.get("/logs/job-driver-%s.log" % job, headers={"Range": "bytes=%d-" % len(whole)})[0], 416)
        last = self.get("/api/v0/logs/file?node_id=%s&filename=job-driver-%s.log&lines=3" % (node, job))[1]
        self.assertEqual(last, "".join(whole.splitlines(True)[-3:]))

    def test_faults_come_and_go(self):
        for mode, status in (("500", 500), ("401", 401), ("403", 403), ("missing", 404)):
            self.fault(mode=mode, count=1)
            self.assertEqual(self.get("/api/jobs/")[0], status)
        self.fault(mode="html", path="/api/jobs/", count=1)
        self.assertEqual(self.get("/api/version")[0], 200)
        self.assertIn("<html>", self.get("/api/jobs/")[1])
        self.fault(mode="truncated", count=1)
        self.assertRaises(http.client.IncompleteRead, self.get, "/api/jobs/")
        self.fault(mode="gcs-frozen", seconds=1)
        self.assertEqual(self.get("/api/gcs_healthz")[0], 503)
        self.fault()
        self.assertEqual(self.get("/api/jobs/")[0], 200)

    def test_a_refused_connection_is_accepted_again_later(self):
        self.fault(mode="refuse", seconds=0.5)
        time.sleep(0.2)
        with self.assertRaises(OSError):
            socket.create_connection(("127.0.0.1", self.port), 1).close()
        end = time.monotonic() + 5
        while time.monotonic() < end:
            try:
                self.assertEqual(self.get("/api/version")[0], 200)
                return
            except OSError:
                time.sleep(0.05)
        self.fail("it did not come back")


class Old(Dashboard):
    words, version = ["--nodes", "2", "--ray-version", "2.9.3"], "2.9.3"

    def test_version_has_the_recorded_shape(self):
        self.same_shape("/api/version", "version.json")

    def test_nodes_have_the_recorded_shape(self):
        self.same_shape("/api/v0/nodes?detail=1", "v0_nodes.json")

    def test_logs_carry_a_marker_in_each_chunk(self):
        info = json.loads(self.get("/_test/info")[1])
        text = self.get("/api/v0/logs/file?node_id=%s&filename=job-driver-%s.log&lines=1" % (info["nodes"][0], info["log_job"]))[1]
        self.assertTrue(text.startswith("12026-"))
        missing = self.get("/api/v0/logs/file?node_id=%s&filename=nope.log" % info["nodes"][0])
        self.assertEqual((missing[0], missing[1][:8]), (200, "0Closing"))


class Pictures(unittest.TestCase):
    def test_the_same_seed_and_time_give_the_same_answers(self):
        seen = []
        for _ in range(2):
            child = subprocess.Popen([sys.executable, os.path.join(HERE, "dashboard.py"), "--now-ms", "1795229242000", "--no-agent"],
                                     stdout=subprocess.PIPE)
            port = int(child.stdout.readline())
            bodies = []
            for path in ("/api/jobs/", "/nodes?view=summary", "/api/v0/nodes?detail=1", "/api/cluster_status?format=1", "/api/version"):
                with urllib.request.urlopen("http://127.0.0.1:%d%s" % (port, path), timeout=5) as a:
                    bodies.append(a.read())
            child.terminate()
            child.wait()
            child.stdout.close()
            seen.append(bodies)
        self.assertEqual(seen[0], seen[1])


del Dashboard
if __name__ == "__main__":
    unittest.main()
