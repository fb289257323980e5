#!/usr/bin/python3
"""qsub, qstat, qdel, ... of the stand-in for PBS, by the name that it is called by: asks the server (server.py) and prints."""
import getopt
import json
import os
import pwd
import socket
import sys

BASE = os.path.dirname(os.path.dirname(os.path.realpath(__file__)))


def script_of(argv):
    try:
        return getopt.getopt(argv, "a:A:c:C:e:fhIj:J:k:l:m:M:N:o:p:P:q:r:R:S:u:W:v:VXz")[1]
    except getopt.GetoptError:
        return argv


def main():
    prog, argv = os.path.basename(sys.argv[0]), sys.argv[1:]
    request = {"prog": prog, "argv": argv, "cwd": os.getcwd(), "host": os.uname().nodename, "env": dict(os.environ),
               "user": pwd.getpwuid(os.getuid()).pw_name}
    if prog == "qsub" and not script_of(argv):
        request["stdin"] = sys.stdin.read()
    s = socket.socket(socket.AF_UNIX)
    try:
        s.connect(BASE + "/socket")
    except OSError:
        print("Connection refused\n%s: cannot connect to server login (errno=15010)" % prog, file=sys.stderr)
        return 226
    data = json.dumps(request).encode()
    socket.send_fds(s, [b"%10d" % len(data)], [1, 2])
    s.sendall(data)
    s.shutdown(socket.SHUT_WR)
    text = b""
    while chunk := s.recv(65536):
        text += chunk
    if not text:
        print("%s: the server went away" % prog, file=sys.stderr)
        return 1
    answer = json.loads(text)
    sys.stdout.write(answer["out"])
    sys.stdout.flush()
    sys.stderr.write(answer["err"])
    return answer["rc"]


sys.exit(main())
