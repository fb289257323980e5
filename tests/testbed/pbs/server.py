#!/usr/bin/python3
"""server.py STATE-DIR CPUS GIGABYTES NODE...: server, scheduler and moms of the stand-in for PBS, on the machine itself.

Takes requests of client.py on STATE-DIR/share/pbs/socket. Jobs go through the states of OpenPBS and run in the namespaces
of their hosts as the user who submitted them: PBS_NODEFILE, spooled output, walltime; SIGTERM to the session of the script,
then SIGKILL to every session of the job (and only to those: what left its session stays, as there).
"""
import json
import os
import pwd
import signal
import socket
import struct
import subprocess
import sys
import threading
import time

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import commands  # noqa: E402

KILL_DELAY = 10
TICK = 0.25


class Node:
    def __init__(self, name, ncpus, gb):
        self.name, self.ncpus, self.gb, self.used, self.used_mb = name, ncpus, gb, 0, 0


class Job:
    def __init__(self, number, user):
        account = pwd_of(user)
        self.number, self.id, self.user = number, "%d.login" % number, user
        self.uid, self.gid, self.home = account
        self.name = self.queue = self.script = self.arguments = ""
        self.account = self.project = self.depend = self.comment = None
        self.state, self.substate, self.holds = "Q", 10, ""
        self.join, self.keep, self.rerunable = "n", "n", True
        self.output_path = self.error_path = ""
        self.resources, self.chunks, self.variables = {}, [], {}
        self.ctime = self.mtime = time.time()
        self.start = self.end = self.execution_time = self.exit_status = None
        self.exec_host = self.exec_vnode = None
        self.runs, self.place = 0, []      # place: (node, chunk)
        self.leaders = []                  # process ids on the machine: the job's sessions
        self.process = None
        self.killed = None                 # when SIGTERM was sent
        self.ending = ""                   # " and terminated by ..."

    def ncpus(self):
        return sum(c["ncpus"] for c in self.chunks)

    def walltime(self):
        w = self.resources.get("walltime")
        return commands.seconds(w) if w else None

    def say(self, text):
        if self.comment != text:
            self.comment, self.mtime = text, time.time()


def pwd_of(user):
    """uid, gid, home inside the hosts: their users are not the machine's."""
    with open(os.path.join(STATE, "hosts", "login", "etc", "passwd")) as f:
        for line in f:
            p = line.rstrip("\n").split(":")
            if p[0] == user:
                return int(p[2]), int(p[3]), p[5]
    raise KeyError(user)


class Server:
    def __init__(self, nodes):
        self.lock = threading.RLock()
        self.jobs, self.nodes, self.next = {}, {n.name: n for n in nodes}, 0
        self.queues = {"workq": {"enabled": True, "started": True, "max": None}, "stopped": {"enabled": True, "started": False, "max": None},
                       "disabled": {"enabled": False, "started": True, "max": None}, "short": {"enabled": True, "started": True, "max": 300}}

    def new_job(self, user):
        self.next += 1
        return Job(self.next - 1, user)

    # ---- hosts ----

    def pid_of(self, host):
        try:
            with open(os.path.join(STATE, "hosts", host, "init.pid")) as f:
                pid = int(f.read())
            os.stat("/proc/%d" % pid)
            return pid
        except (OSError, ValueError):
            return None

    def node_state(self, node):
        if not self.pid_of(node.name):
            return "down"
        return "free" if node.used < node.ncpus else "job-busy"

    def inside(self, host, argv, env, job, **more):
        """A process of the job on the host, in a session of its own."""
        return subprocess.Popen(["nsenter", "-t", str(self.pid_of(host)), "-m", "-u", "-i", "-n", "-p", "--", "setsid", "setpriv",
                                 "--reuid", str(job.uid), "--regid", str(job.gid), "--clear-groups", "env", "-i", "-C", job.home,
                                 *["%s=%s" % x for x in env.items()], *argv], start_new_session=True, **more)

    def as_root(self, host, script, data=None):
        pid = self.pid_of(host)
        if pid:
            subprocess.run(["nsenter", "-t", str(pid), "-m", "-u", "-i", "-n", "-p", "--", "sh", "-c", script], input=data, check=False)

    # ---- scheduling ----

    def fits(self, job):
        """Nodes for its chunks, or None and why not."""
        free = {n.name: [n.ncpus - n.used, n.gb * 1024 - n.used_mb] for n in self.nodes.values() if self.pid_of(n.name)}
        total = sum(n.ncpus for n in self.nodes.values())
        scatter, place = "scatter" in job.resources["place"], []
        if job.ncpus() > total or max(c["ncpus"] for c in job.chunks) > max(n.ncpus for n in self.nodes.values()):
            available = sum(x[0] for x in free.values())
            return None, "Can Never Run: Insufficient amount of resource: ncpus (R: %d A: %d T: %d)" % (job.ncpus(), available, total)
        if scatter and len(job.chunks) > len(self.nodes):
            return None, "Can Never Run: Not enough total nodes available"
        if max(c["mb"] for c in job.chunks) > max(n.gb for n in self.nodes.values()) * 1024:
            return None, "Can Never Run: Insufficient amount of resource: mem (R: %dkb A: %dkb T: %dkb)" % (
                sum(c["mb"] for c in job.chunks) * 1024, sum(x[1] for x in free.values()) * 1024,
                sum(n.gb for n in self.nodes.values()) * 1024 * 1024)
        available, taken = sum(x[0] for x in free.values()), set()
        for c in job.chunks:
            found = next((n for n, (cpus, mb) in free.items() if cpus >= c["ncpus"] and mb >= c["mb"] and not (scatter and n in taken)
                          and c.get("host", n) == n), None)
            if not found:
                if job.ncpus() > available:
                    return None, "Not Running: Insufficient amount of resource: ncpus (R: %d A: %d T: %d)" % (job.ncpus(), available, total)
                return None, "Not Running: Not enough free nodes available"
            taken.add(found)
            free[found][0] -= c["ncpus"]
            free[found][1] -= c["mb"]
            place.append((self.nodes[found], c))
        return place, None

    def estimate(self, job):
        """When a waiting job may begin: the first end of a running one; None where nobody can tell."""
        if job.state != "Q" or not job.comment or not job.comment.startswith("Not Running: Insufficient"):
            return None
        ends = [j.start + j.walltime() for j in self.jobs.values() if j.state == "R" and j.walltime()]
        return min(ends) if ends else None

    def schedule(self):
        for job in self.jobs.values():
            if job.state == "W" and job.execution_time and job.execution_time <= time.time():
                job.state, job.substate = "Q", 10
            if job.state != "Q":
                continue
            if not self.queues[job.queue]["started"]:
                job.say("Not Running: Queue not started.")
                continue
            place, why = self.fits(job)
            if place:
                self.run(job, place)
            else:
                job.say(why)

    # ---- running ----

    def environment(self, job):
        return {**{k: str(v) for k, v in job.variables.items()}, "HOME": job.home, "LOGNAME": job.user, "USER": job.user, "SHELL": "/bin/bash",
                "PBS_ENVIRONMENT": "PBS_BATCH", "PBS_JOBID": job.id, "PBS_JOBNAME": job.name, "PBS_JOBDIR": job.home,
                "PBS_QUEUE": job.queue, "PBS_NODEFILE": "/var/spool/pbs/aux/" + job.id, "PBS_NODENUM": "0", "PBS_TASKNUM": "1",
                "PBS_MOMPORT": "15003", "PBS_CONF_FILE": "/etc/pbs.conf", "NCPUS": str(job.chunks[0]["ncpus"]),
                "OMP_NUM_THREADS": str(job.chunks[0]["ncpus"]), "TMPDIR": "/var/tmp/pbs." + job.id}

    def run(self, job, place):
        job.place, job.runs = place, job.runs + 1
        job.start = job.mtime = time.time()
        job.state, job.substate, job.end, job.exit_status, job.killed, job.ending = "R", 42, None, None, None, ""
        for n, c in place:
            n.used += c["ncpus"]
            n.used_mb += c["mb"]
        mem = lambda c: ":mem=%dkb" % (c["mb"] * 1024) if c["mb"] else ""  # noqa: E731
        job.exec_host = "+".join("%s/%d%s" % (n.name, min(i, n.used - c["ncpus"]), "*%d" % c["ncpus"] if c["ncpus"] > 1 else "") for i, (n, c) in enumerate(place))
        job.exec_vnode = "+".join("(%s:ncpus=%d%s)" % (n.name, c["ncpus"], mem(c)) for n, c in place)
        job.say("Job run at %s on %s" % (time.strftime("%a %b %d at %H:%M"), job.exec_vnode))
        lines = "".join((n.name + "\n") * c["mpiprocs"] for n, c in place)
        first = place[0][0].name
        for host in {n.name for n, _ in place}:
            self.as_root(host, "mkdir -p /var/spool/pbs/aux /var/spool/pbs/spool; chmod 755 /var/spool /var/spool/pbs /var/spool/pbs/aux;"
                               "chmod 1777 /var/spool/pbs/spool; cat >/var/spool/pbs/aux/%s; mkdir -p -m 700 /var/tmp/pbs.%s;"
                               "chown %d:%d /var/tmp/pbs.%s" % (job.id, job.id, job.uid, job.gid, job.id), lines.encode())
        self.as_root(first, "umask 077; mkdir -p -m 755 /var/spool/pbs/mom; cat >/var/spool/pbs/mom/%s.SC; chmod 700 /var/spool/pbs/mom/%s.SC; cd /var/spool/pbs/spool; : >%s.OU; : >%s.ER; chown %d:%d %s.* ../mom/%s.SC"
                     % (job.id, job.id, job.id, job.id, job.uid, job.gid, job.id, job.id), job.script.encode())
        err = "2>&1" if job.join == "oe" else "2>/var/spool/pbs/spool/%s.ER" % job.id
        # As there: the person's login shell reads one line, the name of the script.
        job.process = self.inside(first, ["/bin/bash", "-c", "exec >/var/spool/pbs/spool/%s.OU %s; echo /var/spool/pbs/mom/%s.SC |"
                                          " exec -a -bash /bin/bash; exit ${PIPESTATUS[1]}" % (job.id, err, job.id)],
                                  self.environment(job), job)
        job.leaders = [job.process.pid]

    def sessions(self, job, first=False):
        """Process ids, on the machine, of all that is in the job's sessions; first: in that of its script."""
        parents, session = {}, {}
        for p in filter(str.isdigit, os.listdir("/proc")):
            try:
                with open("/proc/%s/stat" % p) as f:
                    rest = f.read().rsplit(") ", 1)[1].split()
            except (OSError, IndexError):
                continue
            if rest[0] != "Z":
                parents[int(p)], session[int(p)] = int(rest[1]), int(rest[3])
        for leader in job.leaders:          # nsenter; its child leads the session of the task
            for child in [p for p, up in parents.items() if up == leader and session[p] == p]:
                job_sessions.setdefault(job.id, [])
                if child not in job_sessions[job.id]:
                    job_sessions[job.id].append(child)
        mine = job_sessions.get(job.id, [])
        mine = mine[:1] if first else mine
        return {p for p, s in session.items() if s in mine}

    def signal(self, job, what):
        """TERM reaches the first host only, as there."""
        for p in self.sessions(job, what == signal.SIGTERM):
            try:
                os.kill(p, what)
            except OSError:
                pass

    def kill(self, job, ending):
        if job.killed is None:
            job.killed, job.ending = time.time(), ending
            if ending:
                job.say(job.comment + ending)
            self.signal(job, signal.SIGTERM)

    def task(self, job, host, argv, fds):
        """pbs_tmrsh and pbsdsh: a process on another node, with the caller's output."""
        env = {**self.environment(job), "PATH": "/bin:/usr/bin", "PBS_NODENUM": "1"}
        p = self.inside(host, argv, env, job, stdin=subprocess.DEVNULL, stdout=fds[0], stderr=fds[1])
        job.leaders.append(p.pid)
        self.sessions(job)
        return p

    def watch(self, job):
        self.sessions(job)
        status = job.process.poll()
        now, limit = time.time(), job.walltime()
        if status is None and limit and now - job.start > limit and job.killed is None:
            self.kill(job, " and exceeded resource walltime")
            job.exit_status = -29
        if status is None:
            if job.killed and now - job.killed > KILL_DELAY:
                self.signal(job, signal.SIGKILL)
            return
        if job.killed and now - job.killed <= KILL_DELAY and self.sessions(job, True):
            return                       # its shell is gone, what cleans up after it may still end by itself
        self.signal(job, signal.SIGKILL)
        if self.sessions(job):
            return
        if job.state == "R":             # a moment of E, as there
            job.state, job.substate = "E", 51
            return
        if job.exit_status is None:
            job.exit_status = 256 - status if status < 0 else status
            if job.killed:
                job.exit_status = 271
        self.finish(job)

    def finish(self, job):
        first = job.place[0][0].name
        for spool, to in ((".OU", job.output_path), (".ER", job.error_path)):
            if to != "/dev/null" and not (spool == ".ER" and job.join == "oe"):
                self.as_root("login", "umask 077; cat >'%s'; chown %d:%d '%s'" % (to, job.uid, job.gid, to), self.read(first, job.id + spool))
        for host in {n.name for n, _ in job.place}:
            self.as_root(host, "rm -rf /var/spool/pbs/spool/%s.* /var/spool/pbs/mom/%s.SC /var/spool/pbs/aux/%s /var/tmp/pbs.%s"
                         % (job.id, job.id, job.id, job.id))
        for n, c in job.place:
            n.used -= c["ncpus"]
            n.used_mb -= c["mb"]
        if not job.ending:
            job.say(job.comment + (" and finished" if job.exit_status == 0 else " and failed"))
        job.place, job.leaders = [], []
        job_sessions.pop(job.id, None)
        job.state, job.end = "F", time.time()
        job.substate = 92 if job.exit_status == 0 else 91 if job.exit_status == 271 else 93

    def read(self, host, name):
        try:
            with open("/proc/%d/root/var/spool/pbs/spool/%s" % (self.pid_of(host), name), "rb") as f:
                return f.read()
        except (OSError, TypeError):
            return b""

    def drop(self, job):
        """One that never ran."""
        if job.comment:
            job.say(job.comment + " and terminated")
        job.state, job.substate, job.end = "F", 91, time.time()

    def loop(self):
        while True:
            with self.lock:
                try:
                    self.schedule()
                    for job in self.jobs.values():
                        if job.state in "RE":
                            self.watch(job)
                except Exception as e:  # noqa: BLE001  the stand-in lives on; what happened is in its log
                    print("loop: %r" % e, flush=True)
            time.sleep(TICK)


job_sessions = {}
STATE = sys.argv[1] if len(sys.argv) > 1 else ""


def serve(server, connection):
    with connection:
        head, fds, _, _ = socket.recv_fds(connection, 10, 2)
        try:
            uid = struct.unpack("3i", connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1]
            data = b""
            while len(data) < int(head):
                data += connection.recv(65536)
            answer = commands.run(server, json.loads(data), uid, fds)
        finally:
            for fd in fds:
                os.close(fd)
        try:
            connection.sendall(json.dumps(answer).encode())
        except OSError:
            pass                         # the caller was ended with its job


def main():
    nodes = [Node(n, int(sys.argv[2]), int(sys.argv[3])) for n in sys.argv[4:]]
    server = Server(nodes)
    path = STATE + "/share/pbs/socket"
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(path)
    os.chmod(path, 0o666)
    listener.listen(64)
    threading.Thread(target=server.loop, daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    while True:
        connection, _ = listener.accept()
        threading.Thread(target=serve, args=(server, connection), daemon=True).start()


if __name__ == "__main__":
    sys.modules["server"] = sys.modules["__main__"]
    main()
