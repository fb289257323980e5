"""The program run as a person would, for tests written in Python: in a HOME of its own, without a terminal."""
import fcntl
import json
import os
import pty
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time
import urllib.request

TESTS = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..")
SIM = os.path.join(TESTS, "sim", "dashboard.py")
sys.path.insert(0, os.path.join(TESTS, "testbed"))
from free_ports import free_ports  # noqa: E402


class Home:
    """A HOME with a configuration, and raytui run in it. Nothing of the caller's own settings gets in."""

    def __init__(self, raytui, config="", env=None):
        self.raytui = raytui
        self.dir = tempfile.mkdtemp(prefix="rt-it-", dir="/tmp")
        self.env = {k: v for k, v in os.environ.items()
                    if not k.startswith(("RAY", "XDG_", "PYTHON", "SSH_")) and k not in ("NO_COLOR", "http_proxy", "https_proxy")}
        self.env.update(HOME=self.dir, XDG_CONFIG_HOME=self.dir + "/config", XDG_STATE_HOME=self.dir + "/state",
                        XDG_CACHE_HOME=self.dir + "/cache", XDG_RUNTIME_DIR=self.dir + "/run", TERM="dumb", LC_ALL="C.UTF-8")
        self.env.update(env or {})
        os.makedirs(self.dir + "/config/raytui")
        os.mkdir(self.dir + "/run", 0o700)
        self.configure(config)

    def configure(self, text):
        with open(self.dir + "/config/raytui/config.yaml", "w") as f:
            f.write(text)

    def file(self, name, text, mode=0o600):
        path = os.path.join(self.dir, name)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w") as f:
            f.write(text)
        os.chmod(path, mode)
        return path

    def run(self, *words, code=0, timeout=60, env=None, **more):
        """Runs to the end; `code` None: any status."""
        more.setdefault("stdin", subprocess.DEVNULL)
        p = subprocess.run([self.raytui, *words], env={**self.env, **(env or {})}, cwd=self.dir, stdout=subprocess.PIPE,
                           stderr=subprocess.PIPE, timeout=timeout, text=True, start_new_session=True, **more)
        if code is not None and p.returncode != code:
            raise AssertionError("raytui %s: exit %d, not %d\n%s\n%s" % (" ".join(words), p.returncode, code, p.stdout[-2000:], p.stderr))
        return p

    def json(self, *words, **more):
        return json.loads(self.run(words[0], "-o", "json", *words[1:], **more).stdout)

    def start(self, *words, env=None):
        return Running([self.raytui, *words], {**self.env, **(env or {})}, self.dir)

    def answering(self, words, answers, timeout=200):
        """Runs at a terminal of its own; `answers` are (end of a prompt, function that gives the answer). Gives status, output,
        and how often each prompt came."""
        pid, tty = pty.fork()
        if pid == 0:
            os.chdir(self.dir)
            os.execve(self.raytui, [self.raytui, *words], self.env)
        text, seen, asked, end = "", 0, [0] * len(answers), time.time() + timeout
        while time.time() < end and select.select([tty], [], [], max(0, end - time.time()))[0]:
            try:
                data = os.read(tty, 65536)
            except OSError:
                break
            text += data.decode(errors="replace")
            for i, (prompt, answer) in enumerate(answers):
                if prompt in text[seen:]:
                    asked[i], seen = asked[i] + 1, len(text)
                    os.write(tty, (answer() + "\n").encode())
        if time.time() >= end:
            os.kill(pid, signal.SIGKILL)
        status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
        os.close(tty)
        return status, text, asked

    def close(self):
        shutil.rmtree(self.dir, ignore_errors=True)


class Running:
    """A process whose output is read as it comes."""

    def __init__(self, argv, env, cwd=None):
        self.process = subprocess.Popen(argv, env=env, cwd=cwd, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, start_new_session=True)
        self.out, self.err = [], []
        self.readers = [threading.Thread(target=self.read, args=x, daemon=True)
                        for x in ((self.process.stdout, self.out), (self.process.stderr, self.err))]
        for t in self.readers:
            t.start()

    @staticmethod
    def read(stream, lines):
        for line in stream:
            lines.append(line.rstrip("\n"))

    def wait(self, timeout=60):
        self.process.wait(timeout)
        for t in self.readers:
            t.join(10)
        self.process.stdout.close()
        self.process.stderr.close()
        return self.process.returncode

    def stop(self, signum=signal.SIGTERM):
        """Ends it if it still runs; its status."""
        if self.process.poll() is None:
            self.process.send_signal(signum)
        try:
            return self.wait(15)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.wait(15)
            raise


class Screen:
    """The program on a terminal of its own, as text."""
    CODES = re.compile(r"\x1b(?:\[[0-9;:<=>?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)|[()][0-9A-B]|[=>78MDE])")

    def __init__(self, home, *words, env=None):
        self.taken, self.lock, self.rows = bytearray(), threading.Lock(), 40
        near, far = pty.openpty()
        self.fd = near
        self.resize()
        self.process = subprocess.Popen([home.raytui, *words], env={**home.env, "TERM": "xterm-256color", **(env or {})}, cwd=home.dir,
                                        stdin=far, stdout=far, stderr=far, start_new_session=True)
        os.close(far)
        threading.Thread(target=self.read, daemon=True).start()

    def read(self):
        try:
            while True:
                data = os.read(self.fd, 65536)
                with self.lock:
                    self.take(data)
        except OSError:
            pass

    def take(self, data):
        self.taken += data

    def resize(self):
        """Another height: all of it is drawn anew."""
        self.rows = 81 - self.rows
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", self.rows, 160, 0, 0))

    def text(self):
        with self.lock:
            self.taken.clear()
        self.resize()
        os.killpg(self.process.pid, signal.SIGWINCH)
        time.sleep(0.4)
        with self.lock:
            return self.CODES.sub("", self.taken.decode(errors="replace"))

    def shows(self, words, seconds=60):
        """Waits until the words are there."""
        last = [""]

        def look():
            last[0] = self.text()
            return words in last[0]
        until(lambda: "'%s' on the screen:\n%s" % (words, last[0]), look, seconds)
        return last[0]

    def gone(self, words, seconds=60):
        until("no '%s' on the screen" % words, lambda: words not in self.text(), seconds)

    def keys(self, text):
        os.write(self.fd, text.encode())

    def close(self):
        self.process.terminate()
        self.process.wait(20)
        os.close(self.fd)


class Sim:
    """The made-up dashboard, with faults on demand."""

    def __init__(self, *options):
        self.process = subprocess.Popen(["python3", SIM, *options], stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.url = "http://127.0.0.1:%d" % self.port

    def post(self, what, **body):
        data = json.dumps(body).encode()
        request = urllib.request.Request(self.url + "/_test/" + what, data, {"Content-Type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.loads(answer.read())

    def get(self, what):
        with urllib.request.urlopen(self.url + "/_test/" + what, timeout=10) as answer:
            return json.loads(answer.read())

    def fault(self, mode, **more):
        self.post("fault", mode=mode, **more)

    def close(self):
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()


def ray_client(address=None):
    """Python that connects to the address, or that of the environment. Ray starts a server for each client and gives up on it when
    the machine is busy: that is tried again."""
    return """
import ray, sys, time
for attempt in range(4):
    try:
        ray.init(%r, log_to_driver=False)
        break
    except ConnectionError:
        if attempt == 3:
            raise
        time.sleep(1)
""" % address


def until(what, fn, seconds=40):
    begin = time.time()
    while time.time() < begin + seconds:
        got = fn()
        if got:
            return got
        time.sleep(min(1, 0.2 + (time.time() - begin) / 20))  # asking costs what is waited for some of its time
    raise AssertionError("not in %d s: %s" % (seconds, what() if callable(what) else what))


def free_port():
    return free_ports(1)[0]
