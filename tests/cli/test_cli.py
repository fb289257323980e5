#!/usr/bin/env python3
"""What scripts rely on: exit status, what goes to stdout, the JSON, help, completions, man pages.
usage: test_cli.py RAYTUI SOURCE-DIR"""
import json
import os
import pty
import re
import shlex
import shutil
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "support"))
from raytui_run import Home, Sim, free_port, until  # noqa: E402

RAYTUI, SOURCE = sys.argv[1:3]
ENVELOPE = ["at", "cluster", "items", "schema", "shown", "total", "warnings"]


def raytui(home, *words, **more):
    return home.run(*words, code=None, **more)


class Sims(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.sim = Sim("--nodes", "3", "--jobs", "5")
        cls.home = Home(RAYTUI, "clusters:\n  sim: {provider: address, url: \"%s\"}\n" % cls.sim.url)

    @classmethod
    def tearDownClass(cls):
        cls.sim.close()
        cls.home.close()


class Status(Sims):
    def test_wrong_usage_is_64_and_says_what_is_right(self):
        for words, said in ((("frobnicate", "x"), "no such verb frobnicate"), (("noeds", "sim"), "no such verb noeds; nearest: nodes"),
                            (("noeds",), "no such verb noeds; nearest: nodes"), (("frobnicate",), "no such verb frobnicate, and no cluster"),
                            (("nodes", "--bogus"), "--help"), (("nodes", "sim", "extra"), "usage: raytui nodes"),
                            (("scale", "sim", "cpu"), "usage: raytui scale CLUSTER POOL N|+N|-N"), (("stop",), "usage: raytui stop"),
                            (("nodes", "sim", "-o", "xml"), "table, wide, json"), (("nodes", "sim", "-o"), "-o wants a value"),
                            (("nodes", "sim", "--color", "blue"), "never, auto or always"), (("nodes", "sim", "--sort", "nam"), "did you mean name?"),
                            (("nodes", "sim", "--refresh", "soon"), "no duration"), (("init", "slrum"), "there are: address, local"),
                            (("submit", "-c", "sim"), "nothing to run"), (("nodes", "sim", "-o", "yaml"), "not for nodes"), (("doctor", "-o", "yaml"), "it prints lines for people"), (("show", "sim", "head", "x"), "usage: raytui show"),
                            (("nodes", "sim", "--sort", "zzzzzz"), "there are: name, state"), (("help", "frobnicate"), "no such verb"), (("nodes", "--cluster"), "--cluster wants NAME")):
            p = raytui(self.home, *words)
            self.assertEqual((p.returncode, p.stdout), (64, ""), words)
            self.assertIn(said, p.stderr)
            self.assertTrue(p.stderr.startswith("raytui: "), p.stderr)

    def test_what_is_no_utf8_is_wrong_usage(self):
        for target in (b"http://h\xff:8265", b"ssh://h\xff", b"yellowdog://a\xff/b", b"slurm://h\xff/n", b"a\xff:1", b"a\xff"):
            p = subprocess.run([RAYTUI, "nodes", target, "-o", "json"], env=self.home.env, cwd=self.home.dir, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, timeout=60)
            self.assertEqual((p.returncode, p.stdout), (64, b""), (target, p.stderr))
            self.assertIn("is no UTF-8", json.loads(p.stderr)["error"]["message"])

    def test_what_cannot_be_printed_is_no_success(self):
        with open("/dev/full", "w") as full:
            for words in (("nodes", "sim"), ("nodes", "sim", "-o", "json"), ("complete", "bash"), ("--help",)):
                p = subprocess.run([RAYTUI, *words], env=self.home.env, stdin=subprocess.DEVNULL, stdout=full, stderr=subprocess.PIPE, text=True, timeout=60)
                self.assertEqual(p.returncode, 1, words)
                self.assertIn("could not be written", p.stderr)

    def test_commands_meet_a_broken_pipe_as_elsewhere(self):
        for words in (("exec", "local"), ("forward", "sim")):
            p = self.home.run(*words, "--", "sh", "-c", "yes | head -n 1 >/dev/null")
            self.assertNotIn("roken pipe", p.stderr, words)

    def test_closed_descriptors_take_nothing_from_files(self):
        for closed in ("<&- >&-", ">&-", "<&- >&- 2>&-"):
            p = subprocess.run(["sh", "-c", '"$0" nodes sim ' + closed, RAYTUI], env=dict(self.home.env, RAYTUI_LOG="debug"), timeout=60)
            self.assertEqual(p.returncode, 0, closed)
        with open(self.home.dir + "/state/raytui/raytui.log") as f:
            self.assertNotIn("STATE", f.read())

    def test_what_is_not_there_is_4(self):
        for words in (("nodes", "sin"), ("job", "-c", "sim", "nope"), ("logs", "-c", "sim", "nope"), ("wait", "-c", "sim", "nope"),
                      ("show", "-c", "sim", "nope"), ("stop", "-c", "sim", "--yes", "nope"), ("scale", "sim", "cpus", "3"),
                      ("check", "nope"), ("logs", "--file", "/no/such/file")):
            p = raytui(self.home, *words)
            self.assertEqual((p.returncode, p.stdout), (4, ""), (words, p.stderr))

    def test_what_is_not_reached_is_3(self):
        p = raytui(self.home, "nodes", "--address", "http://127.0.0.1:%d" % free_port())
        self.assertEqual((p.returncode, p.stdout), (3, ""))

    def test_what_is_not_allowed_is_5(self):
        job = self.home.json("submit", "-c", "sim", "--", "true")["item"]["result"]
        for words, said in ((("--readonly", "submit", "-c", "sim", "--", "true"), "read-only"), (("stop", "-c", "sim", job), "--yes")):
            p = raytui(self.home, *words)
            self.assertEqual((p.returncode, p.stdout), (5, ""), p.stderr)
            self.assertIn(said, p.stderr)

    def test_the_cluster_is_named_in_many_ways(self):
        port = self.sim.port
        for words, env in ((("nodes", "sim"), {}), (("nodes", "-c", "sim"), {}), (("nodes", "--cluster=sim"), {}), (("nodes",), {}),
                           (("nodes", "--address", self.sim.url), {}), (("nodes", "127.0.0.1:%d" % port), {}), (("nodes", self.sim.url + "/"), {}),
                           (("nodes",), {"RAYTUI_CLUSTER": "sim"}), (("nodes",), {"RAY_API_SERVER_ADDRESS": self.sim.url}),
                           (("nodes",), {"RAY_ADDRESS": self.sim.url})):
            doc = json.loads(self.home.run(words[0], "-o", "json", *words[1:], env=env).stdout)
            self.assertEqual(doc["total"], 3, (words, env))

    def test_a_gcs_address_is_mapped_to_the_dashboard(self):
        for address in ("127.0.0.9:6379", "ray://127.0.0.9:10001"):
            p = self.home.run("nodes", env={"RAY_ADDRESS": address}, code=3)
            self.assertIn("127.0.0.9:8265", p.stderr)

    def test_prefixes_of_ids_are_enough_when_they_are_unique(self):
        jobs = [j["id"] for j in self.home.json("jobs", "sim")["items"]]
        one = jobs[0]
        short = next(one[:n] for n in range(len("raysubmit_") + 1, len(one)) if sum(j.startswith(one[:n]) for j in jobs) == 1)
        self.assertEqual(self.home.json("job", "-c", "sim", short)["item"]["id"], one)
        p = raytui(self.home, "job", "-c", "sim", "raysubmit_")
        self.assertNotEqual(p.returncode, 0)
        self.assertIn("raysubmit_", p.stderr)


class Restart(unittest.TestCase):
    def test_a_job_that_went_with_its_head_is_not_waited_for(self):
        sim = Sim("--jobs", "8")
        self.addCleanup(sim.close)
        home = Home(RAYTUI, "clusters:\n  sim: {provider: address, url: \"%s\"}\n" % sim.url)
        self.addCleanup(home.close)
        job = next(j["id"] for j in home.json("jobs", "sim")["items"] if j["status"] == "RUNNING" and j["submission_id"])
        p = home.start("wait", "-c", "sim", job, "--verbose")
        self.addCleanup(p.stop)
        until(lambda: p.err, lambda: sum("/api/jobs/" in x for x in p.err) > 1)
        sim.post("restart")
        self.assertEqual(p.wait(60), 4, p.err)
        self.assertIn("sim has no job %s any more" % job, "\n".join(p.err))


class Output(Sims):
    def test_a_list_has_the_documented_envelope(self):
        for verb in ("nodes", "jobs", "pools"):
            doc = self.home.json(verb, "sim")
            self.assertEqual(sorted(doc), ENVELOPE)
            self.assertEqual((doc["schema"], doc["cluster"], doc["warnings"]), (1, "sim", []))
            self.assertEqual(doc["shown"], len(doc["items"]))
            self.assertRegex(doc["at"], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
            for item in doc["items"]:
                for key in item:
                    self.assertRegex(key, "^[a-z][a-z0-9_]*$")
        doc = self.home.json("ls")
        self.assertEqual(sorted(doc), [k for k in ENVELOPE if k != "cluster"])

    def test_one_thing_is_an_item(self):
        job = self.home.json("jobs", "sim")["items"][0]["id"]
        for words in (("show", "sim"), ("job", "-c", "sim", job), ("show", "-c", "sim", job), ("show", "-c", "sim", "head"), ("show", "sim", "head"), ("why", "sim", job), ("why", "sim")):
            doc = self.home.json(*words)
            self.assertEqual(doc["schema"], 1)
            self.assertIsInstance(doc["item"], dict)
        doc = json.loads(self.home.run("wait", "-c", "sim", self.done(), "-o", "json").stdout)
        self.assertEqual(doc["item"]["status"], "SUCCEEDED")

    def done(self):
        return next(j["id"] for j in self.home.json("jobs", "sim")["items"] if j["status"] == "SUCCEEDED")

    def test_an_error_is_json_on_stderr(self):
        for words, code in ((("nodes", "sin"), "not_found"), (("frobnicate", "x"), "usage"), (("nodes", "sim", "--bogus"), "usage")):
            p = raytui(self.home, "-o", "json", *words)
            self.assertEqual(p.stdout, "")
            doc = json.loads(p.stderr)
            self.assertEqual(sorted(doc), ["error", "schema"])
            self.assertEqual(sorted(doc["error"]), ["code", "hint", "message"])
            self.assertEqual(doc["error"]["code"], code)

    def test_unknown_is_null_and_never_nothing(self):
        nodes = self.home.json("nodes", "sim")["items"]
        jobs = self.home.json("jobs", "sim")["items"]
        for rows in (nodes, jobs):
            self.assertEqual(len({tuple(sorted(r)) for r in rows}), 1)  # every row has every key
        pending = [j for j in jobs if j["status"] == "PENDING"]
        self.assertTrue(all(j["ended_ms"] is None for j in pending))

    def test_a_login_node_that_never_answered_has_told_nothing(self):
        home = Home(RAYTUI, "clusters:\n" + "".join("  %s: {provider: %s, %s: nobody@127.0.0.1:1}\n" % x for x in
                                                       (("one", "slurm", "login"), ("two", "pbs", "login"), ("three", "ssh", "head"))))
        try:
            rows = {c["name"]: c["answered_ms"] for c in home.json("ls")["items"] if c["name"] != "local"}
            self.assertEqual(rows, {"one": None, "two": None, "three": None})
        finally:
            home.close()

    def test_doctor_names_each_host_that_cannot_be_reached(self):
        home = Home(RAYTUI, "clusters:\n  lab: {provider: ssh, head: \"nobody@127.0.0.1:1\", workers: [nosuch.invalid]}\n")
        try:
            out = home.run("doctor", "lab", code=None).stdout
            for host in ("nobody@127.0.0.1:1", "nosuch.invalid"):
                self.assertRegex(out, r"(?m)^bad   %s +cannot be reached: " % re.escape(host))
        finally:
            home.close()

    def test_wide_has_more_columns(self):
        usual = self.home.run("nodes", "sim").stdout.splitlines()
        wide = self.home.run("nodes", "sim", "-o", "wide").stdout.splitlines()
        self.assertEqual(len(usual), len(wide))
        self.assertTrue(set(usual[0].split()) < set(wide[0].split()))
        self.assertEqual(self.home.run("nodes", "sim", "--json").stdout[0], "{")

    def test_filter_and_sort(self):
        rows = self.home.json("nodes", "sim", "--sort", "name")["items"]
        names = [n["hostname"] for n in rows]
        self.assertEqual(names, sorted(names))
        self.assertEqual([n["hostname"] for n in self.home.json("nodes", "sim", "--sort", "-name")["items"]], names[::-1])
        doc = self.home.json("nodes", "sim", "--filter", names[1])
        self.assertEqual((doc["shown"], doc["total"], doc["items"][0]["hostname"]), (1, 3, names[1]))

    def test_a_pipe_gets_no_colour_and_whole_lines(self):
        for env in ({}, {"COLUMNS": "40", "TERM": "xterm-256color"}):
            p = self.home.run("jobs", "sim", env=env)
            self.assertNotIn("\033", p.stdout + p.stderr)
            self.assertNotIn("…", p.stdout)
        self.assertIn("\033[", self.home.run("jobs", "sim", "--color", "always").stdout)
        self.assertNotIn("\033", self.home.run("jobs", "sim", "--color", "always", env={"NO_COLOR": "1"}).stdout)
        self.assertIn("\033[", self.home.run("jobs", "sim", "--color", "always", env={"NO_COLOR": ""}).stdout)

    def on_terminal(self, *words, **env):
        """stdout and stderr of the program on a terminal of 80 columns."""
        master, slave = pty.openpty()
        subprocess.run(["stty", "cols", "80", "rows", "24"], stdin=slave, check=True)
        p = subprocess.Popen([RAYTUI, *words], env={**self.home.env, "TERM": "xterm-256color", **env}, stdin=subprocess.DEVNULL, stdout=slave,
                             stderr=slave)
        os.close(slave)
        got = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:
                break
            if not part:
                break
            got += part
        os.close(master)
        p.wait()
        return got.decode().replace("\r\n", "\n")

    def test_a_terminal_gets_colour_and_rows_of_one_line(self):
        text = self.on_terminal("jobs", "sim")
        self.assertIn("\033[32m", text)
        plain = re.sub("\033\\[[0-9;]*m", "", text)
        self.assertEqual([x for x in plain.splitlines() if len(x) > 80], [])
        self.assertNotIn("\033", self.on_terminal("jobs", "sim", NO_COLOR="1"))
        self.assertNotIn("\033", self.on_terminal("jobs", "sim", "--color", "never"))

    def test_secrets_of_a_job_are_masked(self):
        self.home.run("submit", "-c", "sim", "--env", "KEY=hush-hush", "--", "true")
        self.assertNotIn("hush-hush", self.home.run("jobs", "sim", "-o", "json").stdout)
        self.assertIn("hush-hush", self.home.run("jobs", "sim", "-o", "json", "--show-env").stdout)
        self.assertNotIn("hush-hush", self.home.run("submit", "-c", "sim", "--dry-run", "--env", "KEY=hush-hush", "--", "true").stdout)

    def test_verbose_shows_requests_on_stderr_only(self):
        p = self.home.run("nodes", "sim", "--verbose")
        self.assertIn("GET /api/v0/nodes", p.stderr)
        self.assertEqual(p.stdout.splitlines()[0].split()[0], "NODE")
        self.assertEqual(self.home.run("nodes", "sim").stderr, "")

    def test_a_dry_run_sends_nothing(self):
        self.sim.post("calls")
        p = self.home.run("submit", "-c", "sim", "--dry-run", "--", "python", "-c", "print('a b')")
        self.assertEqual(json.loads(p.stdout)["entrypoint"], "python -c 'print('\\''a b'\\'')'")
        self.assertEqual([k for k in self.sim.get("calls") if k.startswith(("POST", "PUT"))], [])

    def test_a_file_is_printed_and_its_last_lines(self):
        path = self.home.file("some.log", "".join("line %d\n" % i for i in range(100)))
        self.assertEqual(len(self.home.run("logs", "--file", path).stdout.splitlines()), 100)
        self.assertEqual(self.home.run("logs", "--file", path, "-n", "2").stdout, "line 98\nline 99\n")

    def test_a_log_that_nobody_reads_on_ends(self):
        path = self.home.file("long.log", "".join("line %d\n" % i for i in range(200000)))
        p = subprocess.Popen([RAYTUI, "logs", "--file", path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=self.home.env)
        self.assertEqual(p.stdout.readline(), b"line 0\n")
        p.stdout.close()
        self.assertEqual(p.stderr.read(), b"")
        self.assertEqual(p.wait(60), 141)
        p.stderr.close()

    @unittest.skipUnless(os.path.exists("/dev/full"), "no full device here")
    def test_a_log_that_finds_no_room_says_so(self):
        path = self.home.file("full.log", "line\n" * 100)
        with open("/dev/full", "wb") as full:
            p = subprocess.run([RAYTUI, "logs", "--file", path], stdout=full, stderr=subprocess.PIPE, env=self.home.env, timeout=60)
        self.assertEqual(p.returncode, 1)
        self.assertIn(b"cannot write the log: No space left", p.stderr)


class InFront(unittest.TestCase):
    """What a proxy in front of a dashboard wants to see."""

    def setUp(self):
        self.sim = Sim("--token", "open-sesame")
        self.home = Home(RAYTUI)

    def tearDown(self):
        self.sim.close()
        self.home.close()

    def nodes(self, fields, code=0):
        self.home.configure("clusters:\n  sim: {provider: address, url: \"%s\", %s}\n" % (self.sim.url, fields))
        p = self.home.run("nodes", "sim", "--verbose", code=code, env={"RAYTUI_LOG": "debug"})
        with open(self.home.dir + "/state/raytui/raytui.log") as f:
            self.assertNotIn("open-sesame", p.stdout + p.stderr + f.read())
        return p

    def test_headers_stand_in_the_configuration_or_are_printed_by_a_command(self):
        self.nodes("headers: {Authorization: \"Bearer open-sesame\"}")
        script = self.home.file("headers", "#!/bin/sh\nprintf 'X-Team: blue\\nAuthorization: Bearer open-sesame\\n'\n", mode=0o700)
        self.nodes("headers_command: %s" % script)
        self.nodes("headers: {X-Other: red}, headers_command: %s" % script)
        p = self.nodes("headers_command: \"sh -c 'echo not today >&2; exit 1'\"", code=5)
        self.assertIn("not today", p.stderr)
        self.nodes("headers: {Authorization: \"Bearer nonsense\"}", code=5)


class Help(Sims):
    def test_help_fits_a_small_terminal(self):
        lines = self.home.run("--help").stdout.splitlines()
        self.assertLessEqual(len(lines), 24)
        self.assertLessEqual(max(map(len, lines)), 79)
        self.assertEqual(self.home.run("-h").stdout.splitlines(), lines)

    def test_every_verb_has_help_in_80_columns(self):
        verbs = self.verbs()
        self.assertGreater(len(verbs), 25)
        for v in verbs:
            lines = self.home.run(v, "--help").stdout.splitlines()
            self.assertTrue(lines[0].startswith("usage: raytui %s" % v), lines[0])
            self.assertLessEqual(max(map(len, lines)), 79, v)

    def verbs(self):
        text = self.home.run("complete", "bash").stdout
        return re.findall(r"^    ([a-z-]+)\) words=", text, re.M)

    def test_help_and_version_are_verbs_too(self):
        self.assertEqual(self.home.run("help").stdout, self.home.run("--help").stdout)
        self.assertEqual(self.home.run("help", "submit").stdout, self.home.run("submit", "--help").stdout)
        self.assertEqual(self.home.run("version").stdout, self.home.run("--version").stdout)
        self.assertEqual(self.home.run("completion", "bash").stdout, self.home.run("complete", "bash").stdout)
        self.assertIn("bash|zsh|fish", self.home.run("completion", "csh", code=64).stderr)

    def test_version(self):
        self.assertRegex(self.home.run("--version").stdout, r"^raytui \d+\.\d+\.\d+\n$")

    def test_keys_lists_the_views(self):
        text = self.home.run("keys").stdout
        for view in ("clusters", "pools", "nodes", "jobs"):
            self.assertIn("\n" + view + "\n", "\n" + text)

    def test_bash_completes_verbs_options_and_clusters(self):
        script = self.home.file("c.bash", self.home.run("complete", "bash").stdout)
        env = dict(self.home.env, PATH=os.path.dirname(RAYTUI) + ":" + self.home.env["PATH"])

        def complete(*words):
            line = " ".join("'%s'" % w for w in words)
            out = subprocess.run(["bash", "-euc", "source %s; COMP_WORDS=(%s); COMP_CWORD=%d; _raytui; printf '%%s\\n' \"${COMPREPLY[@]}\"" % (
                script, line, len(words) - 1)], env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
            self.assertEqual((out.returncode, out.stderr), (0, ""))
            return out.stdout.split()
        self.assertIn("submit", complete("raytui", "su"))
        self.assertIn("sim", complete("raytui", "nodes", "s"))
        self.assertEqual(complete("raytui", "submit", "--working-d"), ["--working-dir"])
        self.assertEqual(complete("raytui", "nodes", "-o", "j"), ["json"])
        self.assertIn("sim", complete("raytui", "jobs", "-c", ""))

    def test_zsh_gets_each_verb_as_one_word(self):
        lines = re.findall(r"^        ('.*')$", self.home.run("complete", "zsh").stdout, re.M)
        self.assertEqual(len(lines), len(self.verbs()))
        for line in lines:
            self.assertEqual(len(shlex.split(line)), 1, line)

    def test_zsh_and_fish_take_their_completions(self):
        shells = [s for s in ("zsh", "fish") if shutil.which(s)]
        for shell in shells:
            path = self.home.file("c." + shell, self.home.run("complete", shell).stdout)
            p = subprocess.run([shell, "-n", path], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
            self.assertEqual((p.returncode, p.stdout), (0, ""))
        if not shells:
            self.skipTest("neither zsh nor fish is installed")

    def test_man_pages_are_right_and_name_every_verb(self):
        pages = {}
        for page, placeholder, part in (("raytui.1", "@VERBS@", "man"), ("raytui.5", "@FIELDS@", "config")):
            with open(os.path.join(SOURCE, "man", page + ".in")) as f:
                pages[page] = f.read().replace(placeholder, self.home.run("complete", part).stdout.rstrip("\n"))
        for v in self.verbs():
            self.assertRegex(pages["raytui.1"], r"Cm %s\b" % v)
        if not shutil.which("mandoc"):
            self.skipTest("mandoc is not installed")
        for page, text in pages.items():
            p = subprocess.run(["mandoc", "-T", "lint", "-W", "warning", self.home.file(page, text)], stdout=subprocess.PIPE, text=True)
            bad = [x for x in p.stdout.splitlines() if re.search(r": (ERROR|WARNING|UNSUPP)", x)]
            self.assertEqual(bad, [])


class Configuration(unittest.TestCase):
    def setUp(self):
        self.home = Home(RAYTUI)

    def tearDown(self):
        self.home.close()

    def providers(self):
        line = next(x for x in self.home.run("doctor").stdout.splitlines() if x.split()[1] == "providers")
        return ", ".join(line.split()[2:])

    def test_a_theme_that_is_not_there_is_told(self):
        self.home.configure("theme: nosuch\n")
        out = self.home.run("check").stdout
        self.assertIn("no theme nosuch - there are: colour-blind, dark, default", out)

    def test_each_problem_has_file_line_column_and_the_nearest_key(self):
        path = self.home.file("bad.yaml", """theme: default
refesh: 2s
clusters:
  lab: {provider: address, ulr: "http://127.0.0.1:8265"}
  up: {provider: address, url: "http://127.0.0.1:8265"}
  two:
    provider: adress
    url: http://127.0.0.1:8265
  gcs: {provider: address, url: "http://127.0.0.1:6379"}
  good: {provider: address, url: "http://127.0.0.1:8265"}
  slow: {provider: local, up_timeout: soon}
  Bad_name: {provider: local}
""")
        p = self.home.run("check", path, code=78)
        self.assertEqual(p.stderr, "")
        self.assertEqual(p.stdout, """{0}:2:1: unknown key "refesh", did you mean "refresh"?
{0}:4:28: unknown key "ulr", did you mean "url"?
{0}:7:15: unknown provider "adress", did you mean "address"? - one of: {1}
{0}:9:3: cluster gcs: url: port 6379 is the GCS, not the dashboard - the dashboard listens on 8265 unless it was told otherwise
{0}:11:39: up_timeout: "soon" is no duration - write 90s, 15m, 4h, 2d, 1h30m, HH:MM:SS or D-HH:MM:SS
{0}:12:3: "Bad_name" cannot be the name of a cluster - a name is a-z, 0-9 and -, and does not begin with -
{0}:5:3: "up" is a verb of raytui and cannot be the name of a cluster
""".format(path, self.providers()))
        doc = json.loads(self.home.run("check", path, "-o", "json", code=78).stdout)
        self.assertEqual((doc["schema"], doc["total"], len(doc["items"])), (1, 7, 7))
        self.assertEqual(sorted(doc["items"][0]), ["hint", "message", "severity"])

    def test_one_bad_cluster_does_not_take_the_others_down(self):
        path = self.home.file("bad.yaml", "clusters:\n  lab: {provider: address, ulr: x}\n  good: {provider: address, url: \"http://127.0.0.1:1\"}\n")
        rows = {c["name"]: c for c in self.home.json("ls", "--config", path)["items"]}
        self.assertEqual(rows["lab"]["state"], "failed")
        self.assertEqual(rows["good"]["reach"], "unreachable")
        self.assertEqual(self.home.run("--config", path, "check", "good").stdout, path + ": good, no problems\n")
        p = self.home.run("--config", path, "check", "lab", code=78)
        self.assertIn(":2:28: unknown key \"ulr\"", p.stdout)
        p = self.home.run("--config", path, "nodes", "lab", code=78)
        self.assertIn("raytui check lab", p.stderr)
        p = self.home.run("--config", path, "nodes", "good", code=3)
        self.assertIn(":2:28: unknown key", p.stderr)

    def test_a_file_that_is_no_yaml_names_the_place(self):
        path = self.home.file("bad.yaml", "clusters:\n  lab: {provider: [\n")
        self.assertRegex(self.home.run("check", path, code=78).stdout, r"^%s:\d+:\d+: " % path)
        p = self.home.run("--config", self.home.dir + "/not-there.yaml", "ls", code=78)
        self.assertIn("not-there.yaml", p.stderr)

    def test_a_name_twice_names_both_places(self):
        self.home.configure("clusters:\n  lab: {provider: address, url: \"http://127.0.0.1:1\"}\n")
        self.home.file("config/raytui/clusters.d/lab.yaml", "clusters:\n  lab: {provider: address, url: \"http://127.0.0.1:2\"}\n")
        out = self.home.run("check", code=78).stdout
        self.assertIn("clusters.d/lab.yaml:2:3", out)
        self.assertIn("config.yaml:2", out)

    def test_a_secret_in_clear_is_a_warning(self):
        self.home.configure("clusters:\n  lab: {provider: address, url: \"http://127.0.0.1:1\", token: abcdef}\n")
        os.chmod(self.home.dir + "/config/raytui/config.yaml", 0o600)
        out = self.home.run("check").stdout
        self.assertIn("warning: ", out)
        self.assertNotIn("abcdef", out + self.home.run("check", "-o", "yaml").stdout)

    def test_the_canonical_form_is_accepted_again(self):
        self.home.configure("refresh: 3s\nclusters:\n  lab: {provider: address, url: \"http://127.0.0.1:1\", hop: \"ssh://me@there\", ports: [8265]}\n")
        text = self.home.run("check", "-o", "yaml").stdout
        again = self.home.file("again.yaml", text)
        self.assertEqual(self.home.run("check", again, "-o", "yaml").stdout, text)

    def test_init_writes_the_fields_that_are_told_and_refuses_what_would_not_do(self):
        cases = {"ssh": ("head=me@lab1", "workers=lab2, lab3", "cpus=4", "python.venv=~/my ray", "python.activate=[module load a, \"b: c\"]", "idle_timeout=1h"),
                 "slurm": ("login=hpc", "partition=gpu", "walltime=4:00:00", "nodes=2", "directives=--exclusive,--comment=x"),
                 "pbs": ("login=hpc", "queue=workq", "select=2:ncpus=4", "resources=tpu=1,fast=2"),
                 "local": ("cpus=2", "pools={workers: {cpus: 1, max: 2}}"), "address": ("url=http://127.0.0.1:8265",)}
        for provider, words in cases.items():
            p = self.home.run("init", provider, "own-" + provider, *words)
            path = re.search(r"wrote (\S+)", p.stdout).group(1)
            self.assertIn("no problems", self.home.run("check", path).stdout)
        with open(self.home.dir + "/config/raytui/clusters.d/own-ssh.yaml") as f:
            text = f.read()
        for line in ("    head: me@lab1 ", "    workers: [lab2, lab3] ", "    cpus: 4 ", "    python: ", "      venv: ~/my ray ",
                     "      activate: [module load a, \"b: c\"] ", "    idle_timeout: 1h ", "    # gpus: 1 "):
            self.assertIn("\n" + line, text)
        with open(self.home.dir + "/config/raytui/clusters.d/own-pbs.yaml") as f:
            self.assertIn("\n    resources: {tpu: 1, fast: 2} ", f.read())
        for words, said in ((("workers=lab2",), "the host of the head is wanted"), (("head=lab1", "cpu=1"), "ssh has no field cpu"),
                            (("head=-oProxyCommand=x",), "is no name of a host"), (("head=a\nb: c",), "on one line"),
                            (("head=lab1", "idle_timeout=soon"), "is no duration"), (("head=lab1", "workers=[a"), "nope")):
            p = self.home.run("init", "ssh", "nope", *words, code=None)
            self.assertIn(said, p.stderr)
            self.assertNotEqual(p.returncode, 0)
        self.assertFalse(os.path.exists(self.home.dir + "/config/raytui/clusters.d/nope.yaml"))

    def test_init_writes_what_check_accepts(self):
        for provider in ("address", "local", "ssh", "slurm", "pbs", "kuberay"):
            p = self.home.run("init", provider, "my-" + provider)
            path = re.search(r"wrote (\S+)", p.stdout).group(1)
            self.assertEqual(os.stat(path).st_mode & 0o777, 0o600)
            self.assertIn("no problems", self.home.run("check", path).stdout)
        self.assertIn("no problems", self.home.run("check").stdout)
        names = [c["name"] for c in self.home.json("ls")["items"]]
        self.assertIn("my-address", names)
        p = self.home.run("init", "address", "my-address", code=1)
        self.assertIn("--force", p.stderr)
        self.home.run("init", "address", "my-address", "--force")
        self.home.run("init", "address", "ls", code=64)
        # every field of the template, once taken out of its comment, is one that is known
        with open(path) as f:
            text = re.sub(r"^(    )# ([a-z_]+:.*)$", r"\1\2", f.read(), flags=re.M)
        unknown = [x for x in self.home.run("check", self.home.file("all.yaml", text), code=None).stdout.splitlines() if "unknown key" in x]
        self.assertEqual(unknown, [])

    def test_a_default_cluster_is_meant_when_none_is_named(self):
        self.home.configure("default: b\nclusters:\n  a: {provider: address, url: \"http://127.0.0.1:1\"}\n  b: {provider: address, url: \"http://127.0.0.1:2\"}\n")
        self.assertIn("127.0.0.1:2", self.home.run("nodes", code=3).stderr)
        self.assertIn("127.0.0.1:1", self.home.run("nodes", code=3, env={"RAYTUI_CLUSTER": "a"}).stderr)


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], "-v", *sys.argv[3:]])
