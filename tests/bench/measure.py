"""What can be measured of a program in a terminal: its first frame, its answer to a key, what it costs when
left alone. Peers and raytui go through the same functions."""
import os
import random
import re
import subprocess
import tempfile
import time

from terminal import Program, Replay, keys, stats

ROWS, COLS = 40, 140


def first_frame(argv, env=None, expect=None, min_cells=120, settle=1.5, quit_keys="q"):
    """One start. ms after exec: first_frame, the moment from which at least min_cells cells are filled (and stay
    so); expect, the moment when the regular expression is on the screen."""
    p = Program(argv, ROWS, COLS, env=env)
    rx = re.compile(expect) if expect else None
    time.sleep(settle)
    chunks, t0 = list(p.chunks), p.t0
    p.stop(keys(quit_keys))
    replay, frame, seen = Replay(ROWS, COLS), None, None
    for t, data in chunks:
        replay.feed(data)
        if replay.screen.cells() < min_cells:
            frame = None
        elif frame is None:
            frame = t
        if rx and seen is None and rx.search(replay.screen.text()):
            seen = t
    ms = lambda t: None if t is None else (t - t0) * 1e3
    return {"first_frame": ms(frame), "expect": ms(seen), "screen": replay.screen.text()}


def shot(s):
    """Text and attributes of every cell in use, and the cursor."""
    return (s.cursor.x, s.cursor.y,
            tuple(tuple(sorted((x, c) for x, c in s.buffer[y].items())) for y in range(s.lines)))


def key_latency(argv, env=None, prepare=(), cycle=("j", "k"), count=60, warmup=1.5, quit_keys="q", quiet_ms=30,
                patience=0.6, window_ms=300, gap_ms=15, rate=None, stir=None, look=None, begin=None):
    """Times in ms from the write of a key to the first output that changes the screen. Returns [(when, ms or None)]:
    None when nothing changed. With `rate` keys are sent so many times a second, whatever the program does; `stir` is
    a key that is sent before each twentieth of them and not measured. `look` gives what must change of a screen (all of
    it without), `begin` is called before the first key."""
    look = look or shot
    p = Program(argv, ROWS, COLS, env=env)
    time.sleep(warmup)
    for k in prepare:
        p.send(keys(k))
        time.sleep(0.7)
    seq, marks = [keys(k) for k in cycle], []
    if begin:
        begin()
    for i in range(count):
        if stir and i % 20 == 0:
            p.send(keys(stir))
        if rate:
            time.sleep(random.uniform(0.5, 1.5) / rate)
        else:
            time.sleep(random.uniform(0.01, 0.06))  # not in step with the program's own timer
            p.wait_quiet(quiet_ms / 1e3, patience)
        if p.dead:
            break
        n = len(p.chunks)
        t = p.send(seq[i % len(seq)])
        end = t + window_ms / 1e3
        while time.perf_counter() < end and not p.dead:
            last = p.chunks[-1][0] if len(p.chunks) > n else None
            if last and time.perf_counter() - last > gap_ms / 1e3:
                break
            with p.cv:
                p.cv.wait(0.004)
        marks.append((t, n, len(p.chunks)))
    chunks = list(p.chunks)
    p.stop(keys(quit_keys))
    replay, pos, out = Replay(ROWS, COLS), 0, []
    for t, n0, n1 in marks:
        while pos < n0:
            replay.feed(chunks[pos][1])
            pos += 1
        before, hit = look(replay.screen), None
        while pos < n1 and hit is None:
            when, data = chunks[pos]
            replay.feed(data)
            pos += 1
            if when >= t and look(replay.screen) != before:
                hit = when
        out.append((t, None if hit is None else (hit - t) * 1e3))
    return out


def idle(argv, env=None, prepare=(), warmup=4, seconds=10, samples=3, quit_keys="q"):
    """Left alone: CPU in % of one core, bytes to the terminal per second, memory."""
    p = Program(argv, ROWS, COLS, env=env)
    time.sleep(warmup)
    for k in prepare:
        p.send(keys(k))
        time.sleep(1)
    cpu, rate, changed, last = [], [], [], None
    for _ in range(samples):
        u0, b0, n0, t0 = p.usage(), p.total, len(p.chunks), time.perf_counter()
        time.sleep(seconds)
        last, b1, t1 = p.usage(), p.total, time.perf_counter()
        cpu.append(100 * (last["run_s"] - u0["run_s"]) / (t1 - t0))
        rate.append((b1 - b0) / (t1 - t0))
        changed.append(len(p.chunks) - n0)
    chunks = list(p.chunks)
    alive = not p.dead
    p.stop(keys(quit_keys))
    replay = Replay(ROWS, COLS)
    for _, data in chunks:
        replay.feed(data)
    return {"cpu": stats(cpu, 3), "bytes_per_s": stats(rate, 0), "rss_kib": last["rss_kib"], "own_kib": last["own_kib"], "peak_kib": last["hwm_kib"],
            "alive": alive, "screen": replay.screen.text(), "chunks": changed}


def on_screen(program, texts, start, limit=60):
    """Waits until the program falls silent, then gives the time of the chunk after `start` that first brought each
    text to the screen (None where it never came). Nothing is parsed while the program runs."""
    end, still, seen = time.perf_counter() + limit, time.perf_counter(), len(program.chunks)
    while time.perf_counter() < end and not program.dead:
        time.sleep(0.05)
        if len(program.chunks) != seen:
            seen, still = len(program.chunks), time.perf_counter()
        elif time.perf_counter() - still > 2.5 and program.chunks and program.chunks[-1][0] > start:
            break
        if time.perf_counter() - start > 4 and seen_in(program, texts[-1]):
            break
    replay, found = Replay(program.rows, program.cols), [None] * len(texts)
    for when, data in list(program.chunks):
        replay.feed(data)
        if when > start and None in found:
            text = replay.screen.text()
            found = [t if t is not None else when if x in text else None for t, x in zip(found, texts)]
    return found


def seen_in(program, text):
    """Cheap and only a hint: the text as one piece among the last chunks (a clock in the header never falls silent)."""
    return text.encode() in b"".join(x for _, x in program.chunks[-200:])


def command(argv, env=None, cwd=None):
    """One run of a command: milliseconds, peak memory in KiB, exit status, output. The memory is looked at by a
    small process (`time`): a child of Python begins with Python's own size."""
    with tempfile.NamedTemporaryFile("r") as f:
        begin = time.perf_counter()
        done = subprocess.run(["/usr/bin/time", "-q", "-f", "%M", "-o", f.name, *argv], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=dict(os.environ, **(env or {})), cwd=cwd)
        ms = (time.perf_counter() - begin) * 1e3
        kib = int(f.read().split()[-1])
    return {"ms": ms, "kib": kib, "status": done.returncode, "out": done.stdout.decode(errors="replace"),
            "err": done.stderr.decode(errors="replace")}


class Process:
    """A program without a terminal, with the same look at what it costs."""
    tree, usage = Program.tree, Program.usage

    def __init__(self, argv, env=None, stdout=subprocess.DEVNULL):
        self.child = subprocess.Popen(argv, env=dict(os.environ, **(env or {})), stdin=subprocess.DEVNULL, stdout=stdout,
                                      stderr=subprocess.PIPE)
        self.pid = self.child.pid

    def cpu_percent(self, seconds):
        a, t = self.usage()["run_s"], time.perf_counter()
        time.sleep(seconds)
        return 100 * (self.usage()["run_s"] - a) / (time.perf_counter() - t)

    def stop(self):
        self.child.terminate()
        try:
            self.child.wait(3)
        except subprocess.TimeoutExpired:
            self.child.kill()
            self.child.wait()


def frames_per_second(chunks, begin, end):
    """The most frames in any second: bursts of output with a pause of 4 ms between them."""
    times = [t for t, _ in chunks if begin <= t <= end]
    frames = [t for i, t in enumerate(times) if i == 0 or t - times[i - 1] > 0.004]
    most = 0
    for i, t in enumerate(frames):
        most = max(most, sum(1 for x in frames[i:i + 400] if x < t + 1))
    return most
