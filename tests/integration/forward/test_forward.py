#!/usr/bin/env python3
"""Forwards and hops: raytui, Ray's own tools and a real Ray behind a bastion.
usage: test_forward.py RAYTUI RAY-BIN-DIR namespaces|loopback"""
import os
import re
import signal
import subprocess
import sys
import time
import unittest
import urllib.request

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE, os.path.join(HERE, "..", "..", "support")]
import beds  # noqa: E402
from raytui_run import Home, free_port, ray_client, until  # noqa: E402

RAYTUI, RAY_BIN, KIND = sys.argv[1:4]
BED = None
COUNTING = "import time\nfor i in range(%d):\n    print('line', i, flush=True)\n    time.sleep(0.02)"


def entry(name, config_file=None, extra=""):
    return "  %s: {provider: address, hop: \"ssh://head\", ssh_config: %s, url: \"%s\", client_port: %d%s}\n" % (
        name, config_file or BED.config_file, BED.dashboard, BED.client_port, extra)


class Case(unittest.TestCase):
    extra = ""

    def setUp(self):
        self.web, self.client = free_port(), free_port()
        ports = ", local_ports: {8265: %d, 10001: %d}" % (self.web, self.client)
        self.home = Home(RAYTUI, "clusters:\n" + entry("lab", extra=self.extra + ports) + entry("loose", extra=self.extra))
        self.running = []

    def tearDown(self):
        for p in self.running:
            p.stop()
        self.home.close()

    def start(self, *words):
        p = self.home.start(*words)
        self.running.append(p)
        return p

    def forward(self, *words):
        p = self.start("forward", "lab", *words)
        until(lambda: "forwards are up: %s" % p.err, lambda: len(p.out) >= 2)
        return p

    def version(self, port=None):
        request = urllib.request.Request("http://127.0.0.1:%d/api/version" % (port or self.web), headers={"User-Agent": "test"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return answer.read().decode()

    def ray(self, *words, timeout=90):
        env = dict(self.home.env, PATH=RAY_BIN + ":" + self.home.env["PATH"])
        return subprocess.run([RAY_BIN + "/" + words[0], *words[1:]], env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT, text=True, timeout=timeout, cwd=self.home.dir)

    def counting_job(self, n):
        return self.home.json("submit", "-c", "lab", "--", "python", "-c", COUNTING % n)["item"]["result"]

    def assert_counted(self, lines, n):
        self.assertEqual([x for x in lines if x.startswith("line ")], ["line %d" % i for i in range(n)])


class Through(Case):
    """What works at all, over one hop with a bastion in front."""

    def test_nodes_jobs_submit_and_logs_go_through_the_hop(self):
        nodes = self.home.json("nodes", "lab")["items"]
        self.assertEqual([n["state"] for n in nodes], ["ALIVE"])
        p = self.home.run("submit", "-c", "lab", "--wait", "--", "python", "-c", "print('through'); raise SystemExit(3)", code=1)
        self.assertIn("through", p.stdout.splitlines())
        jobs = self.home.json("jobs", "lab")["items"]
        failed = [j for j in jobs if "SystemExit(3)" in j["entrypoint"]]
        self.assertEqual(failed[0]["status"], "FAILED")
        p = self.home.run("logs", "-c", "lab", failed[0]["id"])
        self.assertIn("through", p.stdout.splitlines())
        job = self.counting_job(100)
        p = self.home.run("logs", "-c", "lab", "-f", job)
        self.assert_counted(p.stdout.splitlines(), 100)

    def test_a_working_directory_goes_through_the_hop(self):
        self.home.file("work/main.py", "import helper; print(helper.WORD)")
        self.home.file("work/helper.py", "WORD = 'packed'\n" + "# %s\n" % ("x" * 200) * 4000)
        p = self.home.run("submit", "-c", "lab", "--working-dir", self.home.dir + "/work", "--wait", "--", "python", "main.py")
        self.assertIn("packed", p.stdout.splitlines())

    def test_ray_s_own_tools_work_through_the_forwards(self):
        p = self.forward()
        self.assertIn("127.0.0.1:%d -> " % self.web, p.out[0] + p.out[1])
        lines = self.home.run("env", "lab").stdout.splitlines()
        self.assertIn("export RAY_ADDRESS=ray://127.0.0.1:%d" % self.client, lines)
        self.assertIn("export RAY_API_SERVER_ADDRESS=http://127.0.0.1:%d" % self.web, lines)
        self.assertIn("export DASHBOARD_URL=http://127.0.0.1:%d" % self.web, lines)
        self.assertEqual(self.home.run("env", "lab", "--jobs").stdout, "export RAY_ADDRESS=http://127.0.0.1:%d\n" % self.web)
        done = self.ray("ray", "job", "submit", "--address", "http://127.0.0.1:%d" % self.web, "--", "echo", "by ray itself")
        self.assertIn("by ray itself", done.stdout)
        self.assertEqual(done.returncode, 0, done.stdout)
        done = self.ray("python", "-c", ray_client("ray://127.0.0.1:%d" % self.client) + "print('CPUS', ray.cluster_resources()['CPU'])", timeout=180)
        self.assertIn("CPUS 2.0", done.stdout)
        self.assertEqual(p.stop(), 143)
        with self.assertRaises(OSError):
            self.version()

    def test_env_without_a_forward_says_what_opens_one(self):
        p = self.home.run("env", "lab", code=3)
        self.assertEqual(p.stdout, "")
        self.assertIn("raytui forward lab", p.stderr)

    def test_a_command_gets_the_addresses_and_gives_its_status(self):
        script = "import os, urllib.request as u; u.urlopen(u.Request(os.environ['DASHBOARD_URL'] + '/api/version', headers={'User-Agent': 'x'})); " \
                 "print(os.environ['RAY_ADDRESS']); raise SystemExit(7)"
        p = self.home.run("forward", "lab", "--", sys.executable, "-c", script, code=7)
        self.assertEqual(p.stdout, "ray://127.0.0.1:%d\n" % self.client)
        p = self.home.run("forward", "lab", "--", "no-such-command", code=4)
        self.assertIn("no-such-command", p.stderr)
        p = self.start("forward", "lab", "--", "sh", "-c", "trap 'echo asked; exit 9' TERM; echo begun; while :; do sleep 0.1; done")
        until("it runs", lambda: "begun" in p.out)
        self.assertEqual(p.stop(signal.SIGTERM), 9)
        self.assertEqual(p.out, ["begun", "asked"])

    def test_other_ports_are_carried_too(self):
        port = int(re.search(r":(\d+)$", BED.dashboard).group(1))
        local = free_port()
        p = self.start("forward", "lab", "127.0.0.1:%d" % port, "--local-port", str(local))
        until("it is up", lambda: p.out)
        self.assertIn("ray_version", self.version(local))
        p = self.home.run("forward", "lab", "nonsense", code=64)
        self.assertIn("not a port", p.stderr)

    def test_a_second_raytui_takes_the_next_port_and_says_who_holds_the_first(self):
        self.forward()
        p = self.start("forward", "lab")
        until("it is up", lambda: len(p.out) >= 2)
        text = "\n".join(p.out)
        self.assertIn("%d" % self.web, text)
        self.assertIn("raytui", text)
        second = int(re.search(r"127\.0\.0\.1:(\d+) ->", p.out[0]).group(1))
        self.assertNotEqual(second, self.web)
        self.assertIn("ray_version", self.version(second))
        self.assertIn("ray_version", self.version())

    def test_a_port_is_remembered(self):
        p = self.start("forward", "loose")
        until("it is up", lambda: len(p.out) >= 2)
        first = list(p.out)
        p.stop()
        p = self.start("forward", "loose")
        until("it is up", lambda: len(p.out) >= 2)
        self.assertEqual([x.split()[0] for x in p.out], [x.split()[0] for x in first])


class ThroughOpenssh(Through):
    """The same by the system's ssh as a child."""
    extra = ", transport: openssh"


class Lost(Case):
    """The way breaks and comes back."""

    def tearDown(self):
        super().tearDown()
        try:
            BED.start_sshd()
        except subprocess.CalledProcessError:
            pass

    def break_for(self, seconds):
        BED.kill_sshd()
        time.sleep(seconds)
        BED.start_sshd()

    def test_a_followed_log_loses_no_line_when_sshd_is_killed_twice(self):
        job = self.counting_job(600)
        p = self.start("logs", "-c", "lab", "-f", job)
        for _ in range(2):
            n = len(p.out)
            until("lines come", lambda: len(p.out) > n + 20)
            self.break_for(2)
        self.assertEqual(p.wait(60), 0, p.err)
        self.assert_counted(p.out, 600)

    def test_a_forward_keeps_its_port_and_a_ray_client_its_connection(self):
        p = self.forward()
        script = ray_client("ray://127.0.0.1:%d" % self.client) + """
@ray.remote(num_cpus=0)
class Counter:
    n = 0
    def add(self):
        self.n += 1
        return self.n
c = Counter.remote()
print('COUNT', ray.get(c.add.remote()), flush=True)
sys.stdin.readline()
print('COUNT', ray.get(c.add.remote()), flush=True)
"""
        env = dict(self.home.env)
        driver = subprocess.Popen([RAY_BIN + "/python", "-c", script], env=env, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE, text=True)
        try:
            first = driver.stdout.readline()
            self.assertEqual(first, "COUNT 1\n", first or driver.stderr.read())
            self.break_for(3)
            until(lambda: "it is back: %s" % p.err, lambda: p.err and p.err[-1].endswith(": ok"))
            self.assertIn("ray_version", self.version())
            out, err = driver.communicate("go\n", timeout=60)
            self.assertEqual(out, "COUNT 2\n", err)
        finally:
            driver.kill()
            driver.communicate()
        self.assertEqual(len(p.out), 2)  # the addresses stand, once
        self.assertTrue([x for x in p.err if "unreachable" in x or "retry" in x or "lost" in x], p.err)

    def test_while_it_is_down_a_connection_waits_and_is_then_refused(self):
        p = self.forward()
        BED.kill_sshd()
        until("the loss is known", lambda: len(p.err) > 1)
        begin = time.monotonic()
        with self.assertRaises(OSError):
            self.version()
        self.assertLess(time.monotonic() - begin, 9)
        BED.start_sshd()
        until("it is back", self.answers, 40)

    def answers(self):
        try:
            return "ray_version" in self.version()
        except OSError:
            return False

    def test_packets_that_vanish_cost_no_line(self):
        if not BED.can_drop:
            self.skipTest("packets cannot be dropped on loopback without root")
        job = self.counting_job(500)
        p = self.start("logs", "-c", "lab", "-f", job)
        until("lines come", lambda: len(p.out) > 20)
        BED.fault("bastion", "drop")
        time.sleep(6)
        BED.fault("bastion", "undrop")
        self.assertEqual(p.wait(90), 0, p.err)
        self.assert_counted(p.out, 500)


class LostOpenssh(Lost):
    """The same by the system's ssh as a child."""
    extra = ", transport: openssh"


class Keys(Case):
    """Who is trusted, and who is not."""
    unknown = "SHA256:"

    def cluster(self, name, *replace):
        path = BED.with_config(replace, "config-" + name)
        with open(self.home.dir + "/config/raytui/config.yaml", "a") as f:
            f.write(entry(name, path, self.extra))
        return path

    def test_an_unknown_host_key_without_a_terminal_is_refused_with_a_hint(self):
        empty = self.home.file("known_hosts_empty", "")
        self.cluster("unknown", (BED.known_hosts, empty), ("StrictHostKeyChecking yes", "StrictHostKeyChecking ask"))
        p = self.home.run("nodes", "unknown", code=5)
        self.assertIn(self.unknown, p.stderr)
        self.assertIn("connect once with `ssh ", p.stderr)
        self.assertEqual(os.path.getsize(empty), 0)
        p = self.home.run("nodes", "unknown", "--yes", code=5)  # never accepts an unknown key
        self.assertEqual(os.path.getsize(empty), 0)
        p = self.home.run("forward", "unknown", code=5)
        self.assertIn(self.unknown, p.stderr)

    def test_a_changed_host_key_is_refused_naming_file_and_line(self):
        with open(BED.known_hosts) as f:
            lines = f.read().splitlines()
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.home.dir + "/other"], check=True)
        with open(self.home.dir + "/other.pub") as f:
            other = f.read().split()[1]
        wrong = ["# a comment"] + [" ".join(x.split()[:2] + [other]) for x in lines if " ssh-ed25519 " in x]
        path = self.home.file("known_hosts_wrong", "\n".join(wrong) + "\n")
        self.cluster("changed", (BED.known_hosts, path))
        p = self.home.run("nodes", "changed", code=5)
        self.assertRegex(p.stderr, "known_hosts_wrong:2")
        self.assertRegex(p.stderr, "changed|CHANGED")

    def test_a_key_that_the_host_does_not_take_is_refused(self):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", self.home.dir + "/stranger"], check=True)
        key = BED.value("IdentityFile")
        self.cluster("stranger", (key, self.home.dir + "/stranger"))
        p = self.home.run("nodes", "stranger", code=5)
        self.assertIn("stranger", p.stderr)

    def test_a_host_that_is_not_there_is_not_reached(self):
        address = BED.value("HostName")
        self.cluster("nowhere", ("HostName " + address, "HostName no-such-host.invalid"))
        p = self.home.run("nodes", "nowhere", code=3)
        self.assertIn("no-such-host.invalid", p.stderr)


class KeysOpenssh(Keys):
    extra = ", transport: openssh"
    unknown = "Host key verification failed"


if __name__ == "__main__":
    BED = beds.Namespaces() if KIND == "namespaces" else beds.Loopback()
    try:
        BED.up()
        unittest.main(argv=[sys.argv[0], "-v", *sys.argv[4:]], exit=False).result.wasSuccessful() or sys.exit(1)
    except beds.Unavailable as e:
        print("skipped: %s" % e)
        sys.exit(77)
    finally:
        BED.down()
