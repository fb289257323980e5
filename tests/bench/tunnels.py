"""Bytes through raytui's forwards and through `ssh -L`."""
import time
from statistics import median

import measure
import tunnel
from parts import Hosts, Skip, free_port, need, say


def ssh_forward(hosts, host):
    port = free_port()
    return port, measure.Process(["ssh", "-F", hosts.config, "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-N",
                                  "-L", "127.0.0.1:%d:127.0.0.1:9100" % port, host])


def raytui_forward(r, hosts, host, transport):
    port = free_port()
    f = r.config("clusters:\n  tun: {provider: address, url: \"http://127.0.0.1:8265\", hop: \"ssh://%s\", ssh_config: \"%s\", "
                 "transport: %s, ports: [9100], local_ports: {9100: %d}}\n" % (host, hosts.config, transport, port))
    return port, measure.Process([r.path, "--config", f, "forward", "tun"], r.env)


def tunnel_figures(port, delayed):
    big = 60_000_000 if delayed else 300_000_000
    return {"latency": tunnel.latency_us(port, 200 if delayed else 1000),
            "get 1": tunnel.rate(port, tunnel.get, big, 1), "put 1": tunnel.rate(port, tunnel.put, big, 1),
            "get 10": tunnel.rate(port, tunnel.get, big, 10), "put 10": tunnel.rate(port, tunnel.put, big, 10)}


def tunnel_rounds(hosts, host, delayed, ways, rounds):
    """Every way in turn, several times; the median of each figure."""
    got = {name: [] for name in ways}
    cpu = {}
    for n in range(rounds):
        for name, start in ways.items():
            port, process = start(hosts, host)
            try:
                got[name].append(tunnel_figures(port, delayed))
                if n == 0 and not delayed:
                    time.sleep(1)
                    cpu[name] = process.cpu_percent(5)
            except OSError as e:
                process.stop()
                raise Skip("%s: %s: %s" % (name, e, (process.child.stderr.read() or b"").decode()[-300:].strip()))
            process.stop()
    return {name: {k: median(x[k] for x in runs) for k in runs[0]} for name, runs in got.items()}, cpu


def tunnels(t, r, o):
    need("ssh")
    with Hosts() as hosts:
        ways = {"ssh -L": ssh_forward}
        if r:
            ways["libssh2"] = lambda h, host: raytui_forward(r, h, host, "libssh2")
            ways["openssh"] = lambda h, host: raytui_forward(r, h, host, "openssh")
        for delayed in (False, True):
            host = hosts.lag(10) if delayed else "head-direct"
            got, cpu = tunnel_rounds(hosts, host, delayed, ways, 1 if delayed else o.rounds)
            peer = got.pop("ssh -L")
            if not r:
                say("ssh -L%s: %s" % (", 10 ms" if delayed else "", peer))
            for name, figures in got.items():
                tunnel_table(t, name, figures, peer, ", 10 ms" if delayed else "")
            for name, percent in cpu.items():
                if name != "ssh -L":
                    t.add("forward idle, %s" % name, "%.2f %%" % percent, "ssh -L %.2f %%" % cpu["ssh -L"], "-", "0 % (below 0.1)", percent < 0.1)


def tunnel_table(t, name, figures, peer, words):
    ratio = figures["latency"] / peer["latency"]
    t.add("small request, %s%s (median)" % (name, words), "%.0f us" % figures["latency"], "ssh -L %.0f us" % peer["latency"],
          "%.2f" % ratio, "<= 1.1", ratio <= 1.1)
    for k in ("get 1", "put 1", "get 10", "put 10"):
        goal = 1.0 if name == "openssh" else 0.5 if k.startswith("get") else 0.7
        ratio = figures[k] / peer[k]
        t.add("%s, %s connection%s, %s%s" % (k[:3], k[4:], "s" if k.endswith("10") else "", name, words), "%.0f MB/s" % figures[k],
              "ssh -L %.0f MB/s" % peer[k], "%.2f" % ratio, ">= %.1f" % goal, ratio >= goal)
