"""Shared part of the terminal benchmarks: run a full-screen program in a pseudo terminal,
note when each piece of its output arrives, and replay that output into a screen model.

How time is taken
  * A reader thread does nothing but read() the pty master and note time.perf_counter() for
    each chunk. Nothing is parsed while a measurement runs; the chunks are replayed later.
    So the cost of the Python screen model is not in any figure.
  * The harness itself has a floor (scheduler + pty + Python), which a raw-mode echo measures.
    Nothing is subtracted; read all figures next to it.

How a screen is judged
  * The model is pyte's screen plus what ncurses, tcell and crossterm also use: REP (CSI b),
    SU/SD (CSI S/T). Terminal queries (DA1/DA2, DSR, OSC 10/11, window size) are answered the
    way xterm does, because several programs wait for these answers before they draw.
  * A cell is "non-blank" when its character is not a space (colour alone does not count).

Needs Python 3.9 and pyte. Linux only (/proc).
"""
import fcntl
import itertools
import os
import pty
import re
import signal
import statistics
import struct
import sys
import termios
import threading
import time

import pyte

sys.setswitchinterval(0.0002)
CLK = os.sysconf("SC_CLK_TCK")
PAGE = os.sysconf("SC_PAGE_SIZE")


# ---------------------------------------------------------------- screen model
class Screen(pyte.Screen):
    _last = " "

    def draw(self, data):
        if data:
            self._last = data[-1]
        super().draw(data)

    def repeat(self, count=1, **_):
        super().draw(self._last * min(count or 1, self.columns * self.lines))

    def scroll_up(self, count=1, **_):
        self._scroll(count or 1, pyte.Screen.index, bottom=True)

    def scroll_down(self, count=1, **_):
        self._scroll(count or 1, pyte.Screen.reverse_index, bottom=False)

    def _scroll(self, count, step, bottom):
        top, bot = (self.margins.top, self.margins.bottom) if self.margins else (0, self.lines - 1)
        keep = self.cursor.y
        for _ in range(min(count, self.lines)):
            self.cursor.y = bot if bottom else top
            step(self)
        self.cursor.y = keep

    def select_graphic_rendition(self, *attrs, **kw):
        if kw.get("private"):
            return
        super().select_graphic_rendition(*attrs)

    def report_device_status(self, *a, **k):
        pass

    def report_device_attributes(self, *a, **k):
        pass

    def cells(self):
        n = 0
        for y in range(self.lines):
            line = self.buffer[y]
            for x in list(line.keys()):
                if x < self.columns and line[x].data not in (" ", "\u00a0", ""):
                    n += 1
        return n

    def text(self):
        return "\n".join(self.display)


class Stream(pyte.ByteStream):
    csi = dict(pyte.Stream.csi, b="repeat", S="scroll_up", T="scroll_down")
    events = frozenset(itertools.chain(
        pyte.Stream.basic.values(), pyte.Stream.escape.values(), pyte.Stream.sharp.values(),
        csi.values(), ["define_charset"], ["set_icon_name", "set_title"], ["draw", "debug"]))


_DROP = re.compile(
    rb"\x1b[P_X^][^\x1b]*\x1b\\"             # DCS, APC, SOS, PM strings
    rb"|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)"   # OSC strings
    rb"|\x1b\[[<>=][0-9;:]*[ -/]*[@-~]"      # private CSI pyte would misread
    rb"|\x1b\[\??[0-9;]*[ !\"$'*][a-zA-Z~]"  # CSI with an intermediate byte
    rb"|\x1b\[\?[0-9;]*[numc]")              # private CSI that print garbage
_TAIL = re.compile(rb"\x1b(?:[P_X^\]][^\x07\x1b]*\x1b?|\[[<>=?]?[0-9;:]*[ -/]?)?$")


class Replay:
    """Feed raw chunks; keeps sequences that are split over two chunks together."""

    def __init__(self, rows, cols):
        self.screen = Screen(cols, rows)
        self.stream = Stream(self.screen)
        self.carry = b""

    def feed(self, data):
        data = self.carry + data
        m = _TAIL.search(data)
        self.carry = b""
        if m and len(data) - m.start() < 65536:
            self.carry, data = data[m.start():], data[:m.start()]
        data = _DROP.sub(b"", data)
        try:
            self.stream.feed(data)
        except Exception as e:                 # a sequence the model does not know
            self.errors = getattr(self, "errors", 0) + 1
            self.last_error = repr(e)
            self.stream = Stream(self.screen)

    def snapshot(self):
        return tuple(self.screen.display)


# ---------------------------------------------------------------- the program under test
class Program:
    def __init__(self, argv, rows=40, cols=140, term="xterm-256color", env=None, cwd=None):
        self.rows, self.cols = rows, cols
        self.chunks = []                       # (time, bytes)
        self.total = 0
        self.cv = threading.Condition()
        self.dead = False
        self.app_cursor = False
        e = dict(os.environ)
        for k in ("TMUX", "STY", "NO_COLOR", "COLUMNS", "LINES", "TERM_PROGRAM"):
            e.pop(k, None)
        e.update(TERM=term, LANG="C.UTF-8", LC_ALL="C.UTF-8", COLORTERM="truecolor")
        e.update(env or {})
        r, w = os.pipe()                       # start gate: the window size is set before exec
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            os.close(w)
            os.read(r, 1)
            os.close(r)
            if cwd:
                os.chdir(cwd)
            try:
                os.execvpe(argv[0], argv, e)
            except OSError as err:
                os.write(2, ("exec: %s\n" % err).encode())
            os._exit(127)
        os.close(r)
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, cols * 8, rows * 16))
        self.thread = threading.Thread(target=self._reader, daemon=True)
        self.thread.start()
        self.t0 = time.perf_counter()
        os.write(w, b"g")
        os.close(w)

    def _reader(self):
        while True:
            try:
                b = os.read(self.fd, 1 << 16)
            except OSError:
                b = b""
            t = time.perf_counter()
            with self.cv:
                if not b:
                    self.dead = True
                    self.cv.notify_all()
                    return
                self.chunks.append((t, b))
                self.total += len(b)
                self.cv.notify_all()
            if b"\x1b" in b:
                on, off = b.rfind(b"\x1b[?1h"), b.rfind(b"\x1b[?1l")
                if on != off:
                    self.app_cursor = on > off
                self._answer(b)

    def _answer(self, b):
        out = b""
        if re.search(rb"\x1b\[0?c", b):
            out += b"\x1b[?62;22c"
        if re.search(rb"\x1b\[>0?c", b):
            out += b"\x1b[>41;390;0c"
        if b"\x1b[6n" in b:
            out += b"\x1b[1;1R"
        if b"\x1b[5n" in b:
            out += b"\x1b[0n"
        if b"\x1b]11;?" in b:
            out += b"\x1b]11;rgb:0000/0000/0000\x1b\\"
        if b"\x1b]10;?" in b:
            out += b"\x1b]10;rgb:ffff/ffff/ffff\x1b\\"
        if b"\x1b[18t" in b:
            out += b"\x1b[8;%d;%dt" % (self.rows, self.cols)
        if b"\x1b[14t" in b:
            out += b"\x1b[4;%d;%dt" % (self.rows * 16, self.cols * 8)
        if out:
            self.send(out)

    def send(self, data):
        # a terminal in application cursor mode (DECSET 1) sends SS3 for the cursor keys
        if self.app_cursor and len(data) == 3 and data[:2] == b"\x1b[" and data[2:3] in b"ABCDHF":
            data = b"\x1bO" + data[2:]
        try:
            os.write(self.fd, data)
        except OSError:
            pass
        return time.perf_counter()

    def wait_quiet(self, quiet_s, limit_s):
        """Wait until nothing has been written for quiet_s. True when it became quiet."""
        end = time.perf_counter() + limit_s
        while True:
            now = time.perf_counter()
            last = self.chunks[-1][0] if self.chunks else self.t0
            if self.dead or (now - last >= quiet_s and self.chunks):
                return True
            if now >= end:
                return False
            with self.cv:
                self.cv.wait(min(quiet_s, max(0.001, end - now)))

    def tree(self):
        """This process and all its descendants."""
        kids = {}
        for p in os.listdir("/proc"):
            if p.isdigit():
                try:
                    with open("/proc/%s/stat" % p) as f:
                        s = f.read()
                    kids.setdefault(int(s[s.rindex(")") + 2:].split()[1]), []).append(int(p))
                except (OSError, ValueError):
                    pass
        out, todo = [], [self.pid]
        while todo:
            p = todo.pop()
            out.append(p)
            todo += kids.get(p, [])
        return out

    def usage(self):
        r = dict(cpu_s=0.0, run_s=0.0, rss_kib=0, own_kib=0, pss_kib=0, hwm_kib=0, threads=0, switches=0, procs=0)
        for p in self.tree():
            try:
                with open("/proc/%d/stat" % p) as f:
                    s = f.read()
                f = s[s.rindex(")") + 2:].split()
                r["cpu_s"] += sum(map(int, f[11:15])) / CLK
                r["rss_kib"] += int(f[21]) * PAGE // 1024
                r["own_kib"] = r["own_kib"] or r["rss_kib"]  # of the first: the program without its children
                r["threads"] += int(f[17])
                r["procs"] += 1
                with open("/proc/%d/status" % p) as g:
                    m = re.search(r"VmHWM:\s+(\d+)", g.read())
                r["hwm_kib"] += int(m.group(1)) if m else 0
                with open("/proc/%d/smaps_rollup" % p) as g:
                    m = re.search(r"^Pss:\s+(\d+)", g.read(), re.M)
                r["pss_kib"] += int(m.group(1)) if m else 0
                for t in os.listdir("/proc/%d/task" % p):
                    with open("/proc/%d/task/%s/schedstat" % (p, t)) as g:
                        r["run_s"] += int(g.read().split()[0]) / 1e9
                    with open("/proc/%d/task/%s/status" % (p, t)) as g:
                        r["switches"] += sum(int(x) for x in re.findall(r"ctxt_switches:\s+(\d+)", g.read()))
            except OSError:
                pass
        return r

    def stop(self, quit_keys=b""):
        """Ask with the quit keys, then hang up; only the process started here is signalled."""
        try:
            if quit_keys and not self.dead:
                self.send(quit_keys)
                for _ in range(25):
                    if os.waitpid(self.pid, os.WNOHANG)[0]:
                        return
                    time.sleep(0.02)
            for sig in (signal.SIGHUP, signal.SIGTERM, signal.SIGKILL):
                os.kill(self.pid, sig)
                for _ in range(25):
                    if os.waitpid(self.pid, os.WNOHANG)[0]:
                        return
                    time.sleep(0.02)
        except (OSError, ChildProcessError):
            pass
        finally:
            try:
                os.close(self.fd)
            except OSError:
                pass


# ---------------------------------------------------------------- small functions
_NAMED = dict(enter="\r", esc="\x1b", tab="\t", space=" ", up="\x1b[A", down="\x1b[B", right="\x1b[C",
              left="\x1b[D", home="\x1b[H", end="\x1b[F", pgup="\x1b[5~", pgdn="\x1b[6~", bs="\x7f",
              f1="\x1bOP", f3="\x1bOR", f4="\x1bOS", f5="\x1b[15~", f6="\x1b[17~", f10="\x1b[21~",
              btab="\x1b[Z", **{"del": "\x1b[3~"})


def keys(spec):
    """'j', '<down>', '<c-d>', '/foo<enter>' -> bytes"""
    def one(m):
        n = m.group(1).lower()
        if n in _NAMED:
            return _NAMED[n]
        if n.startswith("c-") and len(n) == 3:
            return chr(ord(n[2]) & 31)
        return m.group(0)
    return re.sub(r"<([^<>]+)>", one, spec).encode()


def stats(xs, nd=2):
    xs = [x for x in xs if x is not None]
    if not xs:
        return None
    xs = sorted(xs)
    p95 = xs[min(len(xs) - 1, int(round(0.95 * (len(xs) - 1))))]
    return dict(n=len(xs), min=round(xs[0], nd), median=round(statistics.median(xs), nd),
                p95=round(p95, nd), max=round(xs[-1], nd))
