#!/usr/bin/env python3
"""raytui beside its peers, measured in the same run.

  bench.py --raytui build/release/raytui [--only GROUPS] [--markdown FILE]

Numbers come from this machine at this moment: read the ratios, not the figures.
"""
import argparse
import json
import os
import platform
import re
import shutil
import subprocess
import sys
import time
from statistics import median

import clusters
import kube
import logs
import measure
import tunnels
from parts import Ray, Raytui, Sim, Skip, Table, need, say
from terminal import stats


GROUPS = ["first", "rows", "key", "load", "idle", "rss", "log", "follow", "tunnel", "bastion", "up", "kube"]


def have_screen(result, what):
    if result.get("first_frame") is None:
        raise Skip("%s drew no frame" % what)


def first(t, r, o):
    need("btop")
    need("htop")
    with Sim("--nodes", 16, "--jobs", 60) as sim:
        argv, got = r.on(sim), {"raytui": [], "btop": [], "htop": []}
        for _ in range(o.runs):
            for name, words, env in (("raytui", argv, r.env), ("btop", ["btop"], None), ("htop", ["htop"], None)):
                one = measure.first_frame(words, env, settle=1)
                have_screen(one, name)
                got[name].append(one["first_frame"])
    mine, theirs = min(got["raytui"]), min(got["btop"])
    t.add("first frame (least of %d)" % o.runs, "%.1f ms" % mine, "btop %.1f ms, htop %.1f ms" % (theirs, min(got["htop"])),
          "%.2f" % (mine / theirs), "<= btop", mine <= theirs)


def rows(t, r, o):
    with Ray() as ray:
        mine, theirs = [], []
        for _ in range(max(3, o.runs // 2)):
            one = measure.first_frame([r.path, ray.url], r.env, expect=r"bench_job_1", settle=2)
            if one["expect"] is None:
                print(one["screen"], file=sys.stderr)
                raise Skip("the job did not come to the screen")
            mine.append(one["expect"])
            theirs.append(measure.command([ray.ray, "list", "nodes", "--address", ray.url])["ms"])
        t.add("rows of a local dashboard on the screen (median)", "%.0f ms" % median(mine), "ray list nodes %.0f ms" % median(theirs),
              "1/%.0f" % (median(theirs) / median(mine)), "<= 60 ms", median(mine) <= 60)
        cli_rows(t, r, o, ray)


def cli_rows(t, r, o, ray):
    mine, theirs = [], []
    for _ in range(max(3, o.runs // 2)):
        mine.append(measure.command([r.path, "nodes", "-o", "json", "--address", ray.url], r.env))
        theirs.append(measure.command([ray.ray, "list", "nodes", "--format", "json", "--address", ray.url]))
    bad = [x for x in mine if x["status"]]
    if bad:
        raise Skip("raytui nodes ended with %d: %s" % (bad[0]["status"], bad[0]["err"].strip()[-200:]))
    items = json.loads(mine[0]["out"]).get("items", [])
    if len(items) != 1:
        raise Skip("raytui nodes lists %d nodes, not 1" % len(items))
    ms = median(x["ms"] for x in mine), median(x["ms"] for x in theirs)
    kib = max(x["kib"] for x in mine), max(x["kib"] for x in theirs)
    t.add("nodes -o json: time (median)", "%.0f ms" % ms[0], "ray list nodes %.0f ms" % ms[1], "1/%.0f" % (ms[1] / ms[0]),
          "<= 1/30", ms[0] * 30 <= ms[1])
    t.add("nodes -o json: peak memory", "%.1f MiB" % (kib[0] / 1024), "ray list nodes %.1f MiB" % (kib[1] / 1024),
          "1/%.0f" % (kib[1] / kib[0]), "<= 1/8", kib[0] * 8 <= kib[1])


def key(t, r, o):
    need("htop")
    with Sim("--nodes", 500, "--jobs", 2000) as sim:
        mine = measure.key_latency(r.on(sim), r.env, prepare=["4"], warmup=3, count=o.keys)
        theirs = measure.key_latency(["htop"], cycle=("<down>", "<up>"), count=o.keys)
    floor = measure.key_latency(["sh", "-c", "stty raw -echo; exec cat"], cycle=("a", "b"), count=30, quit_keys="")
    a, b, f = (stats([x for _, x in got]) for got in (mine, theirs, floor))
    if not a or a["n"] < o.keys // 2:
        raise Skip("keys did not change the screen")
    t.add("key to screen, 500 nodes, 2,000 jobs (median)", "%.2f ms (p95 %.2f)" % (a["median"], a["p95"]),
          "htop %.2f ms (p95 %.2f); the harness alone %.2f" % (b["median"], b["p95"], f["median"]), "%.2f" % (a["median"] / b["median"]),
          "<= htop", a["median"] <= b["median"])


def load(t, r, o):
    with Sim("--nodes", 500, "--jobs", 2000, "--job-bytes", 36000) as sim:
        got = measure.key_latency(r.on(sim), r.env, prepare=["4"], warmup=6, count=o.keys * 5, rate=20, window_ms=400,
                                  stir="<c-r>")
        spans = [(a, b + 0.05) for a, b in sim.ask("/_test/transfers")]
    busy = [x for when, x in got if any(a <= when <= b for a, b in spans)]
    seen = stats(busy)
    if not seen or seen["n"] < 20:
        raise Skip("only %d keys fell into a transfer" % (seen["n"] if seen else 0))
    unseen = sum(x is None for x in busy)
    t.add("key to screen while a 70 MB job list arrives (p95 of %d)" % len(busy), "%.1f ms (median %.1f, worst %.1f%s)" % (
        seen["p95"], seen["median"], seen["max"], ", %d unseen" % unseen if unseen else ""), "-", "-", "<= 16 ms",
        seen["p95"] <= 16 and unseen * 20 <= len(busy))


def idle(t, r, o):
    need("btop")
    with Sim("--nodes", 16, "--jobs", 60) as sim:
        mine = measure.idle(r.on(sim), r.env, seconds=o.seconds)
        theirs = measure.idle(["btop"], seconds=o.seconds)
        calls = sim.ask("/_test/calls")
    with Sim("--nodes", 16, "--jobs", 0) as sim:  # no job whose duration grows
        still = measure.idle(r.on(sim), r.env, seconds=o.seconds, samples=1)
    a, b = mine["cpu"]["median"], theirs["cpu"]["median"]
    say("requests meanwhile: " + ", ".join("%s %d" % x for x in sorted(calls.items())))
    t.add("idle CPU, polled each 2 s", "%.2f %%" % a, "btop %.2f %%" % b, "%.2f" % (a / b), "<= 0.7", a <= 0.7 * b)
    rate = still["bytes_per_s"]["median"]
    t.add("bytes to the terminal when nothing changes", "%.0f B/s (%.0f with six running jobs)" % (rate, mine["bytes_per_s"]["median"]), "btop %.0f B/s" % theirs["bytes_per_s"]["median"],
          "-", "only the age: <= 64 B/s", rate <= 64)


def rss(t, r, o):
    for nodes, jobs, goal in ((16, 60, 14), (500, 2000, 24), (2000, 10000, 48)):
        with Sim("--nodes", nodes, "--jobs", jobs) as sim:
            got = measure.idle(r.on(sim), r.env, prepare=["3", "4"], warmup=8, seconds=3, samples=1)
        if not got["alive"]:
            raise Skip("raytui ended")
        mib = got["rss_kib"] / 1024
        t.add("resident memory, %s nodes, %s jobs" % (format(nodes, ","), format(jobs, ",")),
              "%.1f MiB (peak %.1f)" % (mib, got["peak_kib"] / 1024), "-", "-", "<= %d MiB" % goal, mib <= goal)


# ---------------------------------------------------------------- all together
DOCUMENT = """# Benchmarks

Written by `scripts/bench --markdown docs/benchmarks.md`: raytui beside its peers, in one run. Ratios of tunnels and of followed
logs move a lot between runs, so what only just meets or misses its goal says little.

Measured on %s.
Machine: %s; load before %.1f, after %.1f.
Peers: %s.

%s

Two limits are readings of a goal in words: "nothing but the age" as at most 64 B/s, and "0 %%" as below 0.1 %%. The first page of
a log is counted from the start of the program. By hand, for the log engine alone: `logbench` (tests/bench).
"""


def machine():
    cpu = platform.processor() or platform.machine()
    try:
        with open("/proc/cpuinfo") as f:
            cpu = re.search(r"model name\s*: (.*)", f.read()).group(1)
    except (OSError, AttributeError):
        pass
    system = platform.system() + " " + platform.release()
    try:
        with open("/etc/os-release") as f:
            system = re.search(r'PRETTY_NAME="(.*)"', f.read()).group(1) + ", " + system
    except (OSError, AttributeError):
        pass
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / (1 << 30)
    return "%s, %d cores, %.0f GiB, %s" % (cpu, os.cpu_count(), gib, system)


def versions():
    out = []
    for name, words in (("htop", ["htop", "--version"]), ("btop", ["btop", "--version"]), ("ssh", ["ssh", "-V"]),
                        ("curl", ["curl", "--version"]),
                        ("less", ["less", "--version"]), ("lnav", ["lnav", "-V"]), ("grep", ["grep", "--version"]),
                        ("libssh2", ["pkg-config", "--modversion", "libssh2"])):
        if shutil.which(words[0]):
            done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, universal_newlines=True, check=False)
            found = re.search(r"\d+(\.\d+[.\w]*)?", done.stdout)
            out.append("%s %s" % (name, found.group(0) if found else "?"))
    return ", ".join(out)


def main():
    p = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    p.add_argument("--raytui", help="the program; without it only the peers of tunnel and follow are measured")
    p.add_argument("--only", default=",".join(GROUPS), help="groups: " + ",".join(GROUPS))
    p.add_argument("--runs", type=int, default=9, help="starts of each program")
    p.add_argument("--rounds", type=int, default=3, help="rounds of tunnels and logs")
    p.add_argument("--keys", type=int, default=60)
    p.add_argument("--seconds", type=float, default=6, help="length of one sample of idling")
    p.add_argument("--log-lines", type=int, default=10_000_000, help="lines of the large log")
    p.add_argument("--limit", type=float, default=12, help="seconds that less may take for a step in it")
    p.add_argument("--keep", action="store_true", help="keep the large log in the cache for the next time")
    p.add_argument("--markdown", metavar="FILE", help="write the table there as well")
    o = p.parse_args()
    if o.raytui and not os.access(o.raytui, os.X_OK):
        sys.exit("there is no program at %s" % o.raytui)
    r = Raytui(o.raytui) if o.raytui else None
    table, before = Table(), os.getloadavg()[0]
    work = {"first": first, "rows": rows, "key": key, "load": load, "idle": idle, "rss": rss, "tunnel": tunnels.tunnels,
            "follow": logs.follow, "log": logs.large,
            "bastion": tunnels.bastion, "up": clusters.up, "kube": kube.kube}
    for name in o.only.split(","):
        if name not in work:
            sys.exit("no such group: %s (there are %s)" % (name, ", ".join(GROUPS)))
        print("==> " + name, file=sys.stderr, flush=True)
        try:
            work[name](table, r, o)
        except Skip as e:
            table.skip(name, str(e))
    if r:
        r.close()
    print(table.text())
    if o.markdown:
        with open(o.markdown, "w") as f:
            f.write(DOCUMENT % (time.strftime("%Y-%m-%d"), machine(), before, os.getloadavg()[0], versions(), table.markdown()))


if __name__ == "__main__":
    main()
