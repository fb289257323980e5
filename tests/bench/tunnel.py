#!/usr/bin/env python3
"""Bytes and small requests over TCP, to see what a tunnel makes of them.

  tunnel.py serve PORT [COUNT]  on so many ports from there: answers "PING\\n" with 1 KiB, "GET N\\n" with N bytes, "PUT N\\n" + N bytes with "ok\\n"
"""
import socket
import sys
import threading
import time

BLOCK = bytes(range(256)) * 4096


def listen(port):
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    s.bind(("127.0.0.1", port))
    s.listen(64)
    return s


def serve(s):
    while True:
        c, _ = s.accept()
        threading.Thread(target=answer, args=(c,), daemon=True).start()


def answer(c):
    c.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    f, sink = c.makefile("rb"), bytearray(1 << 20)
    try:
        for line in f:
            words = line.split()
            if words[0] == b"PING":
                c.sendall(BLOCK[:1024])
            elif words[0] == b"GET":
                left = int(words[1])
                while left:
                    n = min(left, len(BLOCK))
                    c.sendall(BLOCK[:n])
                    left -= n
            elif words[0] == b"PUT":
                left = int(words[1])
                while left:
                    n = f.readinto(memoryview(sink)[:min(left, len(sink))])
                    if not n:
                        return
                    left -= n
                c.sendall(b"ok\n")
    except OSError:
        pass
    finally:
        c.close()


def connect(port, limit=15):
    """A connection that has answered once: the way is open from end to end."""
    end = time.monotonic() + limit
    while True:
        try:
            s = socket.create_connection(("127.0.0.1", port), 5)
            s.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            s.settimeout(60)
            ping(s)
            return s
        except OSError:
            if time.monotonic() > end:
                raise
            time.sleep(0.1)


def ping(s):
    s.sendall(b"PING\n")
    got = 0
    while got < 1024:
        n = len(s.recv(4096))
        if not n:
            raise OSError("closed")
        got += n


def latency_us(port, count=1000):
    """Median of so many small requests on one connection."""
    with connect(port) as s:
        times = []
        for _ in range(count):
            t = time.perf_counter()
            ping(s)
            times.append(time.perf_counter() - t)
    return sorted(times)[count // 2] * 1e6


def get(s, size):
    s.sendall(b"GET %d\n" % size)
    sink, left = bytearray(1 << 20), size
    while left:
        n = s.recv_into(sink, min(left, len(sink)))
        if not n:
            raise OSError("closed")
        left -= n


def put(s, size):
    s.sendall(b"PUT %d\n" % size)
    left = size
    while left:
        n = min(left, len(BLOCK))
        s.sendall(BLOCK[:n])
        left -= n
    if s.recv(16) != b"ok\n":
        raise OSError("closed")


def rate(ports, how, size, connections):
    """MB/s of all connections together, which take the ports in turn."""
    socks = [connect(ports[i % len(ports)]) for i in range(connections)]
    failed = []

    def work(s):
        try:
            how(s, size // connections)
        except OSError as e:
            failed.append(e)
    threads = [threading.Thread(target=work, args=(s,)) for s in socks]
    t = time.perf_counter()
    for x in threads:
        x.start()
    for x in threads:
        x.join()
    seconds = time.perf_counter() - t
    for s in socks:
        s.close()
    if failed:
        raise failed[0]
    return size / 1e6 / seconds


if __name__ == "__main__":
    if sys.argv[1:2] != ["serve"]:
        sys.exit(__doc__)
    listeners = [listen(int(sys.argv[2]) + i) for i in range(int(sys.argv[3]) if len(sys.argv) > 3 else 1)]
    print("up", flush=True)
    for one in listeners[1:]:
        threading.Thread(target=serve, args=(one,), daemon=True).start()
    serve(listeners[0])
