"""Logs: the log of a job while it is written, and a large file beside less, lnav and grep."""
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from statistics import median

import measure
from parts import CACHE, Ray, Skip, get_json, need, post, say
from terminal import Program, Replay, keys, stats

LINES = 1_000_000
WRITER = """
import os, sys, time
print("ready", flush=True)
while not os.path.exists(sys.argv[1]):
    time.sleep(0.01)
line = "2026-11-21 10:00:00,123 INFO train.py:42 -- step %09d loss=0.4312 lr=2.9e-4 tokens/s=40123\\n"
sys.stdout.write("".join([line % i for i in range(int(sys.argv[2]))]))
sys.stdout.flush()
time.sleep(60)
"""


def ends_with(path, text, limit, first_after=None):
    """The moment when the file has grown past first_after bytes, and when it ends with a line that holds text."""
    end, first = time.monotonic() + limit, None
    with open(path, "rb") as f:
        while time.monotonic() < end:
            size = f.seek(0, os.SEEK_END)
            if first is None and first_after is not None and size > first_after:
                first = time.perf_counter()
            f.seek(max(0, size - 200))
            if text in f.read():
                return first, time.perf_counter()
            time.sleep(0.001)
    return first, None


def follow_once(name, r, ray, n):
    """A job writes a million lines at once while its log is followed: lines a second from the first to the last, and
    how often the screen was drawn in the busiest second."""
    job = "follow_%d_%s" % (n, name.replace(" ", "_"))
    with tempfile.TemporaryDirectory() as tmp:
        script, go, sink = (os.path.join(tmp, x) for x in ("writer.py", "go", "sink"))
        with open(script, "w") as f:
            f.write(WRITER)
        post(ray.url, "/api/jobs/", {"entrypoint": "exec python %s %s %d" % (script, go, LINES), "submission_id": job})
        while get_json(ray.url, "/api/jobs/" + job)["status"] == "PENDING":
            time.sleep(0.2)
        node = get_json(ray.url, "/api/jobs/" + job)["driver_node_id"]
        frames, last_line = 0, b"step %09d" % (LINES - 1)
        if name == "the screen":
            p = Program([r.path, ray.url], measure.ROWS, measure.COLS, env=r.env)
            time.sleep(2)
            p.send(keys(":logs -f %s<enter>" % job))
            if measure.on_screen(p, ["ready"], 0, 8) == [None]:
                p.stop()
                raise Skip("the log did not come to the screen")
        else:
            argv = ["curl", "-sN", "%s/api/v0/logs/stream?node_id=%s&filename=job-driver-%s.log&lines=-1&interval=0.5"
                    % (ray.url, node, job)]
            if name == "a file":
                argv = [r.path, "logs", "-f", job, "--address", ray.url]
            with open(sink, "wb") as f:
                p = measure.Process(argv, r.env if r else None, stdout=f)
            if ends_with(sink, b"ready", 15)[1] is None:
                p.stop()
                raise Skip("%s did not begin: %s" % (name, (p.child.stderr.read() or b"").decode()[-200:]))
        begin = time.perf_counter()
        open(go, "w").close()
        if name == "the screen":
            first, last = measure.on_screen(p, ["-- step ", last_line.decode()], begin, 30)
            frames = measure.frames_per_second(p.chunks, begin, last or begin)
            p.stop(keys("q"))
        else:
            first, last = ends_with(sink, last_line, 60, os.path.getsize(sink))
            p.stop()
        post(ray.url, "/api/jobs/%s/stop" % job)
        if last is None:
            raise Skip("%s: the last line never came" % name)
        say("%s: %.2f s" % (name, last - first))
        return LINES / max(1e-4, last - first), frames


def follow(t, r, o):
    need("curl")
    names = ["curl"] + (["a file", "the screen"] if r else [])
    got = {name: [] for name in names}
    with Ray() as ray:
        for n in range(o.rounds):
            for name in names:
                got[name].append(follow_once(name, r, ray, n))
    peer = median(x[0] for x in got["curl"])
    if not r:
        say("curl: %.2f M lines/s" % (peer / 1e6))
        return
    for name in names[1:]:
        mine = median(x[0] for x in got[name])
        t.add("log follow, to %s" % name, "%.2f M lines/s" % (mine / 1e6), "curl to a file %.2f M lines/s" % (peer / 1e6),
              "%.2f" % (mine / peer), ">= 0.9", mine >= 0.9 * peer)
    frames = max(x[1] for x in got["the screen"])
    t.add("frames drawn meanwhile", "%d a second" % frames, "-", "-", "<= 30", frames <= 31)


# ---------------------------------------------------------------- a large file
WORD, KEPT, KEPT_EACH = "needleInTheHaystack", "checkpointSaved", 400_000
LEVELS = ["INFO", "INFO", "INFO", "WARNING", "INFO", "INFO", "INFO", "INFO"]
WRITE = """
import sys, time
path, target, begin, end, seconds = sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]), float(sys.argv[5])
began = time.perf_counter()
with open(path, "rb") as f, open(target, "ab", 0) as out:
    f.seek(begin)
    left = end - begin
    while left:
        left -= out.write(f.read(min(left, 1 << 18)))
        early = seconds * (end - begin - left) / (end - begin) - (time.perf_counter() - began)
        if early > 0:
            time.sleep(early)
print(began, time.perf_counter())
"""


def make_line(i, lines):
    note = " " + WORD if i == lines // 100 * 99 else " " + KEPT if i % KEPT_EACH == KEPT_EACH - 1 else ""
    return "2026-11-20 %02d:%02d:%02d,%03d\t%s worker.py:42 -- (train pid=%d, ip=10.0.0.%d) step %09d loss=0.%04d lr=0.00030 grad_norm=%d.%02d%s\n" % (
        10 + i // 3600000 % 14, i // 60000 % 60, i // 1000 % 60, i % 1000, "ERROR" if i % 64 == 0 else LEVELS[i // 8 % 8],
        1000 + i % 64, i % 250, i, i % 9973, i % 7, i % 100, note)


class File:
    """So many lines in the cache; gone afterwards unless it is to be kept for the next time."""

    def __init__(self, lines, keep):
        self.lines, self.keep = lines, keep
        self.dir = os.path.join(CACHE, "logs")
        self.path = os.path.join(self.dir, "lines-%d.log" % lines)
        self.grown = os.path.join(self.dir, "growing.log")

    def __enter__(self):
        os.makedirs(self.dir, exist_ok=True)
        if shutil.disk_usage(self.dir).free < self.lines * 400:
            raise Skip("the disk has no room for %d lines" % self.lines)
        if not os.path.exists(self.path):
            say("writing %s lines" % format(self.lines, ","))
            with open(self.path + ".new", "w") as f:
                for start in range(0, self.lines, 100_000):
                    f.write("".join([make_line(i, self.lines) for i in range(start, min(self.lines, start + 100_000))]))
            os.rename(self.path + ".new", self.path)
        with open(self.path, "rb", 0) as f:      # it is in the page cache for everybody
            while f.read(1 << 22):
                pass
        return self

    def __exit__(self, *_):
        for path in [self.grown] + ([] if self.keep else [self.path]):
            if os.path.exists(path):
                os.unlink(path)

    def offset(self, line):
        """Where a line begins: all are of one length but for a few words."""
        if line >= self.lines:
            return os.path.getsize(self.path)
        with open(self.path, "rb") as f:
            f.seek(int(os.path.getsize(self.path) * line / self.lines) - 100_000 if line > 1000 else 0)
            begin, data = f.tell(), f.read(400_000)
        return begin + data.rindex(b"\n", 0, data.index(b"step %09d" % line)) + 1


def until(program, replay, fed, text, begin, limit):
    """The time of the first output after `begin` with the text on the screen, and how much has been looked at."""
    end = time.perf_counter() + limit
    while time.perf_counter() < end and not program.dead:
        while fed < len(program.chunks):
            when, data = program.chunks[fed]
            fed += 1
            replay.feed(data)
            if when >= begin and text in replay.screen.text():
                return when, fed
        with program.cv:
            program.cv.wait(0.01)
    return None, fed


def walk(argv, env, steps, limit):
    """Each step is keys and the text that they bring; ms of each (None: not within the limit, which ends the walk, and
    what the program has cost by then."""
    p, replay, fed, out = Program(argv, measure.ROWS, 200, env=env), Replay(measure.ROWS, 200), 0, []
    begin = p.t0
    for typed, text in steps:
        if typed:
            begin = p.send(keys(typed))
        when, fed = until(p, replay, fed, text, begin, limit)
        out.append(None if when is None else (when - begin) * 1e3)
        if when is None:
            break
        p.wait_quiet(0.6, 3)
    used = p.usage()
    p.stop(keys("q"))
    return out + [None] * (len(steps) - len(out)), used


def in_words(ms, limit):
    if ms is None:
        return "more than %.0f s" % limit
    return "%.1f ms" % ms if ms < 100 else "%.0f ms" % ms if ms < 1e3 else "%.1f s" % (ms / 1e3)


def first_page(argv, env, text, runs):
    """Median ms from the start of the program to a screen with the text."""
    got = [measure.first_frame(argv, env, expect=re.escape(text), settle=0.7)["expect"] for _ in range(runs)]
    return None if None in got else median(got)


def walks(r, f, limit, runs):
    """raytui, less and lnav through the same file: ms of the first page (median of so many starts), the last line, a word, only some
    lines."""
    first, last, word = ("step %09d" % i for i in (0, f.lines - 1, f.lines // 100 * 99))
    kept = "step %09d" % (f.lines // KEPT_EACH * KEPT_EACH - 1)
    find, keep, names = "/%s<enter>" % WORD, "&%s<enter>" % KEPT, ("first", "last", "word", "kept")
    got = {}

    def through(argv, env, steps, seconds):
        ms, used = walk(argv, env, steps, seconds)
        return ms, used["hwm_kib"] / 1024

    def take(name, ms, mib, seconds=limit):
        got[name] = dict(zip(names, ms), mib=mib, limit=seconds)

    mine = [r.path, "logs", "--file", f.path, "--view"]
    ms, mib = through(mine, r.env, [("", last), ("g", first), ("G", last), ("g", first), (find, word), ("g", first), (keep, kept)], limit)
    take("raytui", [first_page(mine, r.env, last, runs), ms[2], ms[4], ms[6]], mib)
    if shutil.which("less"):
        env = {"LESS": "", "LESSHISTFILE": "-"}
        open_it = ("", first)
        ms = [through(["less", f.path], env, [open_it, step], limit) for step in (("G", last), (find, word), (keep, kept))]
        take("less", [first_page(["less", f.path], env, first, runs)] + [x[0][1] for x in ms], max(x[1] for x in ms))
    if shutil.which("lnav"):
        with tempfile.TemporaryDirectory() as home:
            ms, mib = through(["lnav", f.path], {"HOME": home, "XDG_CONFIG_HOME": home},
                              [("", "worker.py:42"), ("", last), ("g", first), (find, word), ("g", first),
                               (":filter-in %s<enter>" % KEPT, kept)], 3 * limit)
        take("lnav", [ms[0], ms[1], ms[3], ms[5]], mib, 3 * limit)
    return got


def start_growing(f, begin, end, seconds=0):
    """Another process appends these lines as fast as it can, or evenly over some seconds; prints when it began and ended."""
    return subprocess.Popen([sys.executable, "-c", WRITE, f.path, f.grown, str(f.offset(begin)), str(f.offset(end)), str(seconds)],
                            stdout=subprocess.PIPE, universal_newlines=True)


def new_growing(f):
    with open(f.path, "rb") as whole, open(f.grown, "wb") as out:
        out.write(whole.read(f.offset(1000)))


def grow(argv, env, f, lines):
    """A viewer on a file that grows: lines/s until the last of them is on the screen, seconds behind the writer, frames/s."""
    new_growing(f)
    p = Program(argv, measure.ROWS, 200, env=env)
    time.sleep(1)
    p.wait_quiet(0.3, 4)
    n = len(p.chunks)
    writer = start_growing(f, 1000, lines)
    begin, end = (float(x) for x in writer.communicate()[0].split())
    last = measure.on_screen(p, ["step %09d" % (lines - 1)], begin, 60)[0]
    used, chunks = p.usage(), p.chunks[n:]
    p.stop(keys("q"))
    if last is None:
        raise Skip("%s: the last line never came" % argv[0])
    return {"rate": (lines - 1000) / (last - begin), "behind": max(0.0, last - end), "mib": used["hwm_kib"] / 1024,
            "frames": measure.frames_per_second(chunks, begin, last)}


def busy_keys(r, f, count):
    """Lines up and down in a filtered log while its file grows, as long as keys come, and searches run through all of it."""
    rate = 20
    new_growing(f)
    writers = []
    first_row = lambda s: "".join(s.buffer[4][x].data for x in range(s.columns))
    got = measure.key_latency([r.path, "logs", "--file", f.grown, "--view"], r.env, prepare=["g", "&ERROR<enter>"], warmup=1,
                              count=count, rate=rate, look=first_row, stir="/nothing[0-9]+like it<enter>",
                              begin=lambda: writers.append(start_growing(f, 1000, f.lines, 1.2 * count / rate)))
    end = float(writers[0].communicate()[0].split()[1])
    return [ms for when, ms in got if when < end]


def large(t, r, o):
    need("grep")
    with File(o.log_lines, o.keep) as f:
        got, grep = {}, {WORD: [], KEPT: []}
        for word in grep:
            grep[word] = median(measure.command(["grep", "-c", word, f.path])["ms"] for _ in range(3))
        got = walks(r, f, o.limit, o.runs)
        large_table(t, f, got, grep, o.runs)
        grown = {"raytui": grow([r.path, "logs", "--file", f.grown, "--view"], r.env, f, f.lines // 2)}
        if shutil.which("lnav"):
            with tempfile.TemporaryDirectory() as home:
                grown["lnav"] = grow(["lnav", f.grown], {"HOME": home, "XDG_CONFIG_HOME": home}, f, f.lines // 2)
        grown_table(t, grown)
        seen = stats(busy_keys(r, f, o.keys))
        if not seen:
            raise Skip("no key changed the screen of the log")
        t.add("log: key to screen while it grows, is filtered and searched (p95 of %d)" % seen["n"],
              "%.1f ms (median %.2f, worst %.1f)" % (seen["p95"], seen["median"], seen["max"]), "-", "-", "<= 16 ms", seen["p95"] <= 16)


def large_table(t, f, got, grep, runs):
    mine = got.pop("raytui")
    about = "log of %s lines: " % format(f.lines, ",")

    def peers(name, *more):
        return ", ".join(list(more) + ["%s %s" % (who, in_words(x[name], x["limit"])) for who, x in got.items()])

    def row(what, name, goal_words, goal_ms, *more):
        ratio = "%.2f" % (mine[name] / goal_ms[1]) if mine[name] and goal_ms[1] else "-"
        t.add(about + what, in_words(mine[name], mine["limit"]), peers(name, *more), ratio, goal_words, (mine[name] or 1e9) <= goal_ms[0])

    row("first page, from the start of the program (median of %d)" % runs, "first", "<= 10 ms", (10, None))
    row("last line", "last", "<= 10 ms", (10, None))
    for what, name, word, times in (("a word at 99 %", "word", WORD, 2), ("keep only lines with a word", "kept", KEPT, 3)):
        row(what, name, "<= %d x grep" % times, (times * grep[word], grep[word]), "grep -c %s" % in_words(grep[word], 0))
    t.add(about + "most memory", "%.1f MiB" % mine["mib"], ", ".join("%s %.1f MiB" % (who, x["mib"]) for who, x in got.items()), "-",
          "<= 64 MiB", mine["mib"] <= 64)


def grown_table(t, grown):
    mine, peer = grown["raytui"], grown.get("lnav")
    rate = lambda x: "%.2f M lines/s" % (x["rate"] / 1e6)
    t.add("a file growing at full speed, on the screen", rate(mine), "lnav " + rate(peer) if peer else "-",
          "%.2f" % (mine["rate"] / peer["rate"]) if peer else "-", ">= lnav", peer is None or mine["rate"] >= peer["rate"])
    t.add("behind its writer at the end", "%.2f s" % mine["behind"], "lnav %.2f s" % peer["behind"] if peer else "-", "-", "<= 0.1 s",
          mine["behind"] <= 0.1)
    t.add("frames drawn meanwhile", "%d a second" % mine["frames"], "lnav %d" % peer["frames"] if peer else "-", "-", "<= 30",
          mine["frames"] <= 31)
    t.add("most memory meanwhile", "%.1f MiB" % mine["mib"], "lnav %.1f MiB" % peer["mib"] if peer else "-", "-", "<= 64 MiB",
          mine["mib"] <= 64)
