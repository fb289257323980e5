"""Bytes through raytui's forwards and through `ssh -L`."""
import time
from statistics import median

import measure
import tunnel
from parts import FAR_PORT, FAR_PORTS, Hosts, Skip, free_port, need, say


def ssh_forward(hosts, host, count=1):
    ports = [free_port() for _ in range(count)]
    argv = ["ssh", "-F", hosts.config, "-o", "BatchMode=yes", "-o", "ExitOnForwardFailure=yes", "-N"]
    for i, port in enumerate(ports):
        argv += ["-L", "127.0.0.1:%d:127.0.0.1:%d" % (port, FAR_PORT + i)]
    return ports, measure.Process(argv + [host])


def raytui_forward(r, hosts, host, transport, count=1):
    ports = [free_port() for _ in range(count)]
    far = [FAR_PORT + i for i in range(count)]
    f = r.config("clusters:\n  tun: {provider: address, url: \"http://127.0.0.1:8265\", hop: \"ssh://%s\", ssh_config: \"%s\", "
                 "transport: %s, ports: %s, local_ports: {%s}}\n" % (host, hosts.config, transport, far,
                                                                     ", ".join("%d: %d" % x for x in zip(far, ports))))
    return ports, measure.Process([r.path, "--config", f, "forward", "tun"], r.env)


def tunnel_figures(ports, delayed):
    big = 60_000_000 if delayed else 300_000_000
    return {"latency": tunnel.latency_us(ports[0], 200 if delayed else 1000),
            "get 1": tunnel.rate(ports, tunnel.get, big, 1), "put 1": tunnel.rate(ports, tunnel.put, big, 1),
            "get 10": tunnel.rate(ports, tunnel.get, big, 10), "put 10": tunnel.rate(ports, tunnel.put, big, 10)}


def bastion_figures(ports, _):
    return {"latency": tunnel.latency_us(ports[0], 1000), "get 10": tunnel.rate(ports, tunnel.get, 200_000_000, 10),
            "put 10": tunnel.rate(ports, tunnel.put, 200_000_000, 10)}


def tunnel_rounds(hosts, host, delayed, ways, rounds, figures=tunnel_figures):
    """Every way in turn, several times; the median of each figure."""
    got = {name: [] for name in ways}
    cpu = {}
    for n in range(rounds):
        for name, start in ways.items():
            ports, process = start(hosts, host)
            try:
                got[name].append(figures(ports, delayed))
                if n == 0 and not delayed and figures == tunnel_figures:
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
        row(t, "%s, %s connection%s, %s%s" % (k[:3], k[4:], "s" if k.endswith("10") else "", name, words), figures[k], "ssh -L", peer[k], goal)


def row(t, what, mine, who, theirs, goal):
    ratio = mine / theirs
    t.add(what, "%.0f MB/s" % mine, "%s %.0f MB/s" % (who, theirs), "%.2f" % ratio, ">= %.1f" % goal, ratio >= goal)


def bastion(t, r, o):
    """Ten forwards at once to a host behind another one."""
    need("ssh")
    with Hosts() as hosts:
        ways = {"ssh -J -L": lambda h, host: ssh_forward(h, host, FAR_PORTS),
                "libssh2": lambda h, host: raytui_forward(r, h, host, "libssh2", FAR_PORTS),
                "openssh": lambda h, host: raytui_forward(r, h, host, "openssh", FAR_PORTS)}
        got, _ = tunnel_rounds(hosts, "head", False, ways, o.rounds, bastion_figures)
    peer = got.pop("ssh -J -L")
    for name, figures in got.items():
        most = 1.25 if name == "libssh2" else 1.0
        ratio = figures["latency"] / peer["latency"]
        t.add("through a bastion: small request, %s (median)" % name, "%.0f us" % figures["latency"], "ssh -J -L %.0f us" % peer["latency"],
              "%.2f" % ratio, "<= %.2f" % most, ratio <= most)
        for k in ("get 10", "put 10"):
            row(t, "through a bastion: %s, ten forwards, %s" % (k[:3], name), figures[k], "ssh -J -L", peer[k], 0.4 if name == "libssh2" else 1.0)
