#!/usr/bin/env python3
"""free_ports.py N: N ports that nobody listens on, in one line. They lie below the ports that the system gives to
connections, so that none of them is taken by one before a server binds it, and outside Ray's own (10002 to 19999)."""
import os
import random
import socket
import sys

FROM, TO = 20000, 32000


def is_free(port):
    with socket.socket() as s:
        try:
            s.bind(("", port))  # every address: a head listens on two
        except OSError:
            return False
    return True


def free_ports(n):
    dice = random.Random(os.urandom(8))  # two who ask at once hardly meet
    found = []
    while len(found) < n:
        port = dice.randrange(FROM, TO)
        if port not in found and is_free(port):
            found.append(port)
    return found


if __name__ == "__main__":
    print(*free_ports(int(sys.argv[1])))
