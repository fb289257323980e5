#!/usr/bin/env python3
"""Logs of a real job's workers on two nodes: merged, searched, and read when the cluster is gone.
usage: test_logs.py RAYTUI RAY-VERSION [TEST...]"""
import os
import re
import signal
import subprocess
import sys
import tempfile
import unittest

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "support"))
from raytui_run import Home, free_ports, until  # noqa: E402

RAYTUI, VERSION = sys.argv.pop(1), sys.argv.pop(1)
RAY_LOCAL = os.path.join(HERE, "..", "..", "testbed", "ray-local.sh")
LINES = 40
JOB = """
import datetime, sys, time
import ray
ray.init(log_to_driver=False)
def say(*words):
    print(datetime.datetime.now().strftime("%%Y-%%m-%%d %%H:%%M:%%S,%%f")[:-3], "INFO", *words, flush=True)
@ray.remote(num_cpus=1)
def shout(who):
    for i in range(%d):
        say("said by", who, "line", i)
        time.sleep(0.05)
    print("ERROR to stderr by", who, file=sys.stderr, flush=True)
@ray.remote(num_cpus=1)
class Counter:
    def count(self):
        for i in range(%d):
            say("counted line", i)
            time.sleep(0.05)
say("driver begins")
where = [n["NodeID"] for n in ray.nodes() if n["Alive"]]
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On
tasks = [shout.options(scheduling_strategy=On(n, soft=False)).remote("task%%d" %% i) for i, n in enumerate(where)]
counter = Counter.remote()
ray.get(tasks + [counter.count.remote()])
say("driver ends")
""" % (LINES, LINES)

BEATS = """
import os, sys, time
import ray
ray.init(log_to_driver=False)
where = [n["NodeID"] for n in ray.nodes() if n["Alive"] and n["NodeManagerAddress"] == "127.0.0.4"][0]
from ray.util.scheduling_strategies import NodeAffinitySchedulingStrategy as On
@ray.remote(num_cpus=1, max_restarts=0)
class Heart:
    def beat(self):
        for i in range(10000):
            print("beat", i, flush=True)
            time.sleep(0.2)
heart = Heart.options(scheduling_strategy=On(where, soft=False)).remote()
try:
    ray.get(heart.beat.remote())
except ray.exceptions.RayError:
    print("the heart stopped", flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.2)
"""


class TwoNodes:
    """A head and a second node, each with a loopback address of its own."""

    def __init__(self):
        self.dir = tempfile.mkdtemp(prefix="rt-logs-", dir="/tmp")
        p = subprocess.run([RAY_LOCAL, "up", self.dir, VERSION], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, text=True, timeout=180)
        assert p.returncode == 0, p.stderr
        place = dict(x.split("=", 1) for x in p.stdout.splitlines() if "=" in x)
        self.url, self.place = place["DASHBOARD"], place
        self.add("127.0.0.3")

    def add(self, ip, before=()):
        """One more node; `before`: words in front of the command."""
        agent, metrics = free_ports(2)
        ray = self.place["RAY"]
        env = {k: v for k, v in os.environ.items() if not k.startswith("RAY_")}
        env["PATH"] = os.path.dirname(ray) + ":" + env["PATH"]
        subprocess.run([*before, ray, "start", "--address=" + self.place["GCS"], "--node-ip-address=" + ip, "--num-cpus=2",
                        "--object-store-memory=100000000", "--disable-usage-stats", "--log-color=false",
                        "--dashboard-agent-listen-port=%d" % agent, "--metrics-export-port=%d" % metrics],
                       env=env, check=True, timeout=120, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    def add_apart(self, ip):
        """A node that does not see the head's files, as one on another machine. False: this machine has no such namespaces."""
        apart = ["unshare", "--mount"] if os.geteuid() == 0 else ["unshare", "--user", "--map-root-user", "--mount"]
        if subprocess.run([*apart, "true"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode:
            return False
        own = os.path.join(self.dir, "apart")
        os.mkdir(own)
        script = 'mount --bind "$1" "$2" && shift 2 && exec "$@"'
        self.add(ip, [*apart, "sh", "-c", script, "apart", own, self.place["TEMP_DIR"]])
        return True

    def kill(self, ip):
        """The raylet of a node alone, as when its machine is taken away."""
        pids = subprocess.run([RAY_LOCAL, "pids", self.dir], check=True, timeout=60, stdout=subprocess.PIPE, text=True).stdout.split()
        for pid in pids:
            try:
                with open("/proc/%s/cmdline" % pid, "rb") as f:
                    words = f.read().decode(errors="replace").split("\0")
            except FileNotFoundError:
                continue
            if words[0].endswith("/raylet") and "--node_ip_address=" + ip in words:
                os.kill(int(pid), signal.SIGKILL)
                return
        raise AssertionError("no raylet of its among %s" % pids)

    def down(self):
        subprocess.run([RAY_LOCAL, "down", self.dir], check=True, timeout=60, stdout=subprocess.DEVNULL)

    def close(self):
        self.down()
        subprocess.run(["rm", "-rf", self.dir], check=True)


class Logs(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.rays = TwoNodes()
        try:
            cls.home = Home(RAYTUI, "clusters:\n  real: {provider: address, url: \"%s\"}\n" % cls.rays.url)
            until("two nodes", lambda: len(cls.home.json("nodes", "real")["items"]) == 2, 60)
            cls.home.file("work/main.py", JOB)
        except BaseException:
            cls.rays.close()
            raise

    @classmethod
    def tearDownClass(cls):
        cls.rays.close()
        cls.home.close()

    def logs(self, *words, **more):
        return self.home.run("logs", "-c", "real", *words, **more)

    def submit(self, name):
        self.home.run("submit", "-c", "real", "--submission-id", name, "--working-dir", self.home.dir + "/work", "--", "python", "main.py")

    def check(self, lines, by_time=True):
        """Every line of every process once, in the order of its source, and all by time."""
        said = {}
        for line in lines:
            m = re.fullmatch(r"\(([^)]*)\) .* (said by (task\d)|counted) line (\d+)", line)
            if m:
                said.setdefault((m.group(1), m.group(3)), []).append(int(m.group(4)))
        self.assertEqual(len(said), 3, said.keys())
        for (source, who), numbers in said.items():
            self.assertEqual(numbers, list(range(LINES)), source)
            self.assertRegex(source, r"^%s pid=\d+, ip=127\.0\.0\.\d$" % ("shout" if who else "Counter"))
        times = [m.group(1) for m in (re.search(r"\) (20\S+ \S+) INFO (?:said|counted|driver)", x) for x in lines) if m]
        self.assertEqual(len(times), 3 * LINES + 2)
        if by_time:
            self.assertEqual(times, sorted(times))
        self.assertEqual(len([x for x in lines if re.match(r"\(shout pid=\d+, ip=\S+, err\) ERROR to stderr by", x)]), 2)
        self.assertFalse([x for x in lines if ":job_id:" in x or ":task_name:" in x])

    def test_1_workers_that_come_while_it_is_followed(self):
        self.submit("followed")
        p = self.logs("-f", "--all", "followed", timeout=180)
        self.assertIn("ended: SUCCEEDED", p.stderr)
        lines = p.stdout.splitlines()
        # A worker that is found late has its first lines after those of others: order holds within each source.
        self.check(lines, by_time=False)
        self.assertEqual([x.split(" ")[-1] for x in lines if re.match(r"\(driver\) .* INFO driver", x)], ["begins", "ends"])

    def test_2_the_same_afterwards_and_workers_alone(self):
        self.check(self.logs("--all", "followed").stdout.splitlines())
        alone = self.logs("--workers", "followed").stdout
        self.assertNotIn("(driver)", alone)
        self.assertIn("counted line 0", alone)

    def test_3_a_file_of_every_node(self):
        out = self.logs("*/raylet.out").stdout
        for ip in ("127.0.0.2", "127.0.0.3"):
            self.assertIn("(%s/raylet.out) " % ip, out)

    def test_4_a_search(self):
        p = self.logs("--search", "said by task[01] line 7$", "followed")
        self.assertEqual(len(p.stdout.splitlines()), 2, p.stdout)
        place, number = p.stdout.split(":")[:2]
        line = self.logs(place).stdout.splitlines()[int(number) - 1]
        self.assertRegex(line, "said by task[01] line 7$")
        p = self.logs("--search", "counted line 9$")
        self.assertEqual(len(p.stdout.splitlines()), 1, p.stdout)
        self.logs("--search", "nobody ever wrote this", "followed", code=1)

    def test_4b_a_node_that_dies_while_its_worker_is_followed(self):
        if not self.rays.add_apart("127.0.0.4"):
            self.skipTest("no mount namespaces: nodes of one machine share their files")
        self.home.file("beats/main.py", BEATS)
        go = self.home.dir + "/go"
        self.home.run("submit", "-c", "real", "--submission-id", "beats", "--working-dir", self.home.dir + "/beats", "--", "python", "main.py", go)
        follow = self.home.start("logs", "-c", "real", "-f", "--all", "beats")
        until("its worker is followed", lambda: sum(" beat " in x for x in follow.out) > 10, 120)
        node = [n["id"] for n in self.home.json("nodes", "real")["items"] if n["ip"] == "127.0.0.4" and n["state"] == "ALIVE"][0]
        alone = self.home.start("logs", "-c", "real", "-f", node + "/raylet.out")
        until("a file of the node is followed", lambda: alone.out, 120)
        self.rays.kill("127.0.0.4")
        mark = r"raytui: --- Heart pid=\d+, ip=127\.0\.0\.4: the node is dead \d\d:\d\d"
        until("the log says that the node is dead", lambda: any(re.match(mark, x) for x in follow.err), 120)
        self.assertEqual(alone.wait(120), 0, alone.err)
        self.assertTrue(any("--- the node is dead" in x for x in alone.err), alone.err)
        until("the driver goes on", lambda: any("the heart stopped" in x for x in follow.out), 120)
        open(go, "w").close()
        self.assertEqual(follow.wait(60), 0, follow.err)
        self.assertFalse([x for x in follow.err if "Heart" in x and "resumed" in x])
        beats = [int(m.group(1)) for m in (re.fullmatch(r"\(Heart pid=\d+, ip=127\.0\.0\.4\) beat (\d+)", x) for x in follow.out) if m]
        self.assertEqual(beats, list(range(len(beats))))
        p = self.logs("--search", "^beat 7$")
        self.assertEqual(len(p.stdout.splitlines()), 1, p.stdout)
        self.assertIn("from the cache, seen until", p.stderr)

    def test_5_what_was_seen_is_there_without_the_cluster(self):
        seen = self.logs("followed").stdout
        self.rays.down()
        p = self.logs("--cached", "followed")
        self.assertEqual(p.stdout, seen)
        self.assertIn("from the cache, seen until", p.stderr)
        workers = [x for x in self.logs("--cached").stdout.splitlines() if "/worker-" in x and x.endswith(".out")]
        texts = [self.logs("--cached", x).stdout for x in workers]
        self.assertEqual(sum("said by task" in x for x in texts), 2)
        self.assertEqual(sum("counted line" in x for x in texts), 1)


if __name__ == "__main__":
    unittest.main(verbosity=2)
