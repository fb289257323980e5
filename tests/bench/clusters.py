"""Clusters that are made: `up` of three hosts beside a script with plain ssh."""
import os
import subprocess
import time
from statistics import median

from parts import Hosts, Skip, need, say

# What a person would write: the head, then both workers at once, until the head knows of all three.
BY_HAND = r"""
set -e
on() { ssh -F "$CONFIG" -o BatchMode=yes "$@"; }
start='PATH=/srv/venv/bin:$PATH ray start --disable-usage-stats --object-store-memory=104857600'
on head "$start --head --node-ip-address=$NET.1.10 --port=6379 --dashboard-host=127.0.0.1 --dashboard-port=8266 --num-cpus=1"
on w1 "$start --address=$NET.1.10:6379 --node-ip-address=$NET.1.11 --num-cpus=2" & a=$!
on w2 "$start --address=$NET.1.10:6379 --node-ip-address=$NET.1.12 --num-cpus=2" & b=$!
wait $a; wait $b
on head 'until [ "$(curl -s "http://127.0.0.1:8266/api/v0/nodes?detail=1" | grep -o ALIVE | wc -l)" -ge 3 ]; do sleep 0.1; done'
"""


def seconds(argv, env):
    begin = time.perf_counter()
    done = subprocess.run(argv, env=dict(os.environ, **env), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          universal_newlines=True, timeout=300)
    if done.returncode:
        raise Skip("%s: %s" % (argv[0], done.stdout.strip()[-300:]))
    return time.perf_counter() - begin


def up(t, r, o):
    need("ssh")
    mine, theirs = [], []
    with Hosts() as hosts:
        hosts.run("ray-hosts.sh", "install", hosts.state)
        f = r.config("clusters:\n  lab:\n    provider: ssh\n    head: head\n    pools: {cpu: {hosts: [w1, w2], cpus: 2}}\n    cpus: 1\n"
                     "    object_store_memory: 100MiB\n    python: {venv: /srv/venv, ray: 2.60.0}\n    ssh_config: %s\n" % hosts.config)
        raytui = [r.path, "--config", f]
        for _ in range(2):
            theirs.append(seconds(["bash", "-c", BY_HAND], {"CONFIG": hosts.config, "NET": hosts.env["RTB_NET"]}))
            hosts.run("ray-hosts.sh", "down", hosts.state)
            mine.append(seconds(raytui + ["up", "lab", "--yes"], r.env))
            seconds(raytui + ["down", "lab", "--yes"], r.env)
            say("by hand %.1f s, raytui %.1f s" % (theirs[-1], mine[-1]))
    ratio = median(mine) / median(theirs)
    t.add("up of three hosts, Ray installed", "%.1f s" % median(mine), "a script with ssh %.1f s" % median(theirs), "%.2f" % ratio, "<= 1.1",
          ratio <= 1.1)
