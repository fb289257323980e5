"""The commands of the stand-in for PBS: their options, and their refusals in OpenPBS's own words and exit statuses."""
import getopt
import os
import re
import time

import show

NAMES = {"ncpus", "mem", "vmem", "walltime", "nodect", "nodes", "place", "select", "host", "vnode", "mpiprocs", "ompthreads", "arch", "cput",
         "pmem", "software", "chunk"}
QSUB_USAGE = """usage: qsub [-a date_time] [-A account_string] [-c interval]
	[-C directive_prefix] [-e path] [-f ] [-h ] [-I [-X]] [-j oe|eo] [-J X-Y[:Z]]
	[-k keep] [-l resource_list] [-m mail_options] [-M user_list]
	[-N jobname] [-o path] [-p priority] [-P project] [-q queue] [-r y|n]
	[-R o|e|oe] [-S path] [-u user_list] [-W otherattributes=value...]
	[-v variable_list] [-V ] [-z] [script | -- command [arg1 ...]]
       qsub --version
"""
OPTIONS = {"qsub": "a:A:c:C:e:fhIj:J:k:l:m:M:N:o:p:P:q:r:R:S:u:W:v:VXz", "qstat": "fF:xHBQaniswtT1JpGM", "qdel": "W:x", "qhold": "h:", "qrls": "h:",
           "qrerun": "W:", "qselect": "u:N:s:xq:", "pbsnodes": "aF:Sjlv"}


class Refusal(Exception):
    def __init__(self, text, rc):
        super().__init__(text)
        self.text, self.rc = text, rc


def seconds(text):
    total = 0
    for part in str(text).split(":"):
        total = total * 60 + int(part)
    return total


def megabytes(text):
    m = re.match(r"(\d+)([kmgt]?)[bw]?$", str(text).lower())
    if not m:
        raise ValueError(text)
    return int(int(m[1]) * {"": 1 / 1048576, "k": 1 / 1024, "m": 1, "g": 1024, "t": 1048576}[m[2]])


def chunks_of(select):
    """[{ncpus, mb, mpiprocs}] of a select statement."""
    found = []
    for part in select.split("+"):
        words = part.split(":")
        n = int(words.pop(0)) if words and words[0].isdigit() else 1
        chunk = {"ncpus": 1, "mb": 0, "mpiprocs": 1}
        for word in words:
            key, _, value = word.partition("=")
            if key not in NAMES:
                raise Refusal("Unknown resource: " + key, 187)
            try:
                if key in ("ncpus", "mpiprocs"):
                    chunk[key] = int(value)
                elif key == "mem":
                    chunk["mb"] = megabytes(value)
                elif key in ("host", "vnode"):
                    chunk["host"] = value
            except ValueError:
                raise Refusal("Illegal attribute or resource value select." + key, 166) from None
        found += [dict(chunk) for _ in range(n)]
    return found


def resources_of(words):
    """The resource list of all -l; `select` and `place` are not cut at commas that they hold."""
    found = {}
    for word in words:
        for item in word.split(","):
            key, _, value = item.partition("=")
            if key not in NAMES:
                raise Refusal("Unknown resource: " + key, 187)
            found.setdefault(key, value)
    if "nodes" in found and ("select" in found or "place" in found):
        raise Refusal("Cannot be used with select or place: nodes", 6)
    if "nodes" in found:
        m = re.match(r"(\d+)(?::ppn=(\d+))?$", found.pop("nodes"))
        if not m:
            raise Refusal("Illegal attribute or resource value Resource_List.nodes", 166)
        found["select"] = "%s:ncpus=%s:mpiprocs=%s" % (m[1], m[2] or 1, m[2] or 1)
        found["place"] = "scatter"
    for key, good in (("walltime", r"\d+(:\d+){0,2}$"), ("place", r"(free|pack|scatter|vscatter|exclhost|excl|shared|:|group=\w+)+$")):
        if key in found and not re.match(good, found[key]):
            raise Refusal("Illegal attribute or resource value Resource_List." + key, 166)
    if "walltime" in found:
        found["walltime"] = show.hms(seconds(found["walltime"]))
    found.setdefault("place", "free" if "select" in found else "pack")
    return found


def directives(script):
    words = []
    for line in script.splitlines():
        if line.startswith("#PBS "):
            words += split(line[5:])
        elif line.strip() and not line.startswith("#"):
            break
    return words


def split(line):
    return [m[1] or m[2] or m[0] for m in re.finditer(r"\"([^\"]*)\"|'([^']*)'|\S+", line)]


def qsub(server, r, user):
    try:
        given, rest = getopt.getopt(r["argv"], OPTIONS["qsub"])
    except getopt.GetoptError as e:
        raise Refusal("invalid option -- '%s'\n%s" % (e.opt, QSUB_USAGE), 2) from None
    path = rest[0] if rest else None
    if path:
        try:
            script = read_as(server, r, path)
        except OSError:
            raise Refusal("script file:: No such file or directory", 1) from None
    else:
        script = r.get("stdin") or ""
    if "\r" in script:
        raise Refusal("script contains cr, lf", 1)
    options = getopt.getopt(directives(script), OPTIONS["qsub"])[0] + given
    o = {k: v for k, v in options}
    if "-W" in o and o["-W"].split("=")[0] not in ("depend", "umask", "group_list", "block", "sandbox", "stagein", "stageout"):
        raise Refusal("Error (15002) submitting job", 154)
    name = o.get("-N") or (os.path.basename(path) if path else "STDIN")
    if "-N" in o and (not re.match(r"[A-Za-z0-9_+.\-]+$", name) or len(name) > 230):
        raise Refusal("illegal -N value\n" + QSUB_USAGE, 2)
    # What the command line says about a resource goes before what the script says.
    wanted = resources_of([v for k, v in given if k == "-l"] + [v for k, v in options if k == "-l"])
    queue = server.queues.get(o.get("-q", "workq"))
    if queue is None:
        raise Refusal("Unknown queue", 170)
    chunks = chunks_of(wanted.get("select") or "1:ncpus=%s" % wanted.get("ncpus", 1))
    if not queue["enabled"]:
        raise Refusal("Queue is not enabled", 173)
    if queue["max"] and seconds(wanted.get("walltime", 0)) > queue["max"]:
        raise Refusal("Job violates queue and/or server resource limits", 188)
    job = server.new_job(user)
    job.name, job.queue, job.script, job.chunks = name, o.get("-q", "workq"), script, chunks
    job.account, job.project, job.arguments = o.get("-A"), o.get("-P"), " ".join(r["argv"])
    job.join, job.keep, job.rerunable = o.get("-j", "n"), o.get("-k", "n"), o.get("-r", "y") != "n"
    job.resources = {**wanted, "ncpus": sum(c["ncpus"] for c in chunks), "nodect": len(chunks), "select": wanted.get("select") or "1:ncpus=%d" % chunks[0]["ncpus"]}
    mb = sum(c["mb"] for c in chunks)
    if mb:
        job.resources["mem"] = "%dgb" % (mb // 1024) if mb % 1024 == 0 else "%dmb" % mb
    for key, letter, attribute in (("-o", "o", "output_path"), ("-e", "e", "error_path")):
        to = o.get(key, "%s.%s%d" % (name, letter, job.number))
        setattr(job, attribute, os.path.join(r["cwd"], to.split(":", 1)[-1]))
    env = r["env"]
    job.variables = {"PBS_O_HOME": env.get("HOME", ""), "PBS_O_LOGNAME": user, "PBS_O_PATH": env.get("PATH", ""), "PBS_O_SHELL": "/bin/bash",
                     "PBS_O_WORKDIR": r["cwd"], "PBS_O_SYSTEM": "Linux", "PBS_O_QUEUE": job.queue, "PBS_O_HOST": "login"}
    if "-V" in o:
        job.variables.update(env)
    for word in o.get("-v", "").split(","):
        key, eq, value = word.partition("=")
        if key:
            job.variables[key] = value if eq else env.get(key, "")
    if "-h" in o:
        job.state, job.substate, job.holds = "H", 20, "u"
    if "-a" in o:
        job.state, job.substate, job.execution_time = "W", 30, time.time() + 86400
    server.jobs[job.id] = job
    return job.id + "\n"


def read_as(server, r, path):
    """The script, which lies in a home or elsewhere on login."""
    pid = server.pid_of("login")
    with open("/proc/%d/root%s" % (pid, os.path.join(r["cwd"], path)), errors="replace", newline="") as f:
        return f.read()


def named(server, prog, words, missing):
    """Jobs of the command line; what is wrong with a word goes to `missing` as (text, rc)."""
    found = []
    for word in words:
        m = re.match(r"(\d+)(\.[\w.-]+)?$", word)
        job = server.jobs.get("%s.login" % m[1]) if m else None
        if not m and prog == "qstat":
            missing.append(("qstat: Unknown queue destination " + word, 170))
        elif not m:
            missing.append(("%s: illegally formed job identifier: %s" % (prog, word), 1))
        elif not job:
            missing.append(("%s: Unknown Job Id %s.login" % (prog, m[1]), 153))
        else:
            found.append(job)
    return found


def qstat(server, r, user):
    del user
    given, rest = getopt.gnu_getopt(r["argv"], OPTIONS["qstat"])
    o, missing = dict(given), []
    if "-Q" in o:
        return show.queues(server, "-f" in o), "", 0
    if "-B" in o:
        return "Server: login\n    server_state = Active\n    job_history_enable = True\n    pbs_version = %s\n" % show.VERSION, "", 0
    if rest:
        jobs = named(server, "qstat", rest, missing)
        if "-x" not in o:
            for j in [j for j in jobs if j.state == "F"]:
                missing.append(("qstat: %s Job has finished, use -x or -H to obtain historical job information" % j.id, 35))
            jobs = [j for j in jobs if j.state != "F"]
    else:
        jobs = [j for j in server.jobs.values() if "-x" in o or j.state != "F"]
    if "-f" not in o:
        out = show.table(jobs)
    elif o.get("-F") == "json":
        out = show.full_json(jobs, server, bool(rest))
    else:
        out = "".join(show.full_text(j, server) for j in jobs)
    return out, "".join(t + "\n" for t, _ in missing), missing[-1][1] if missing else 0


def own(job, user, prog):
    if user not in (job.user, "root"):
        raise Refusal("Unauthorized Request  " + job.id, 159)
    del prog


def qdel(server, r, user):
    given, rest = getopt.getopt(r["argv"], OPTIONS["qdel"])
    missing = []
    for job in named(server, "qdel", rest, missing):
        own(job, user, "qdel")
        if job.state == "F":
            missing.append(("qdel: Job has finished %s" % job.id, 35))
        elif job.state in "RE":
            server.kill(job, " and terminated by %s@login" % user)
            if dict(given).get("-W") == "force":
                server.signal(job, 9)
        else:
            server.drop(job)
    return "", "".join(t + "\n" for t, _ in missing), missing[-1][1] if missing else 0


def qhold(server, r, user):
    missing = []
    letters = dict(getopt.getopt(r["argv"], "h:")[0]).get("-h", "u")
    for job in named(server, "qhold", getopt.getopt(r["argv"], "h:")[1], missing):
        own(job, user, "qhold")
        if job.state in "QHW":
            job.state, job.substate, job.holds = "H", 20, letters
    return "", "".join(t + "\n" for t, _ in missing), missing[-1][1] if missing else 0


def qrls(server, r, user):
    missing = []
    for job in named(server, "qrls", getopt.getopt(r["argv"], "h:")[1], missing):
        own(job, user, "qrls")
        if job.state == "H":
            job.state, job.substate, job.holds = "Q", 10, ""
    return "", "".join(t + "\n" for t, _ in missing), missing[-1][1] if missing else 0


def qrerun(server, r, user):
    """By the operator: the job ends and waits again."""
    missing = []
    for job in named(server, "qrerun", r["argv"], missing):
        if user != "root":
            raise Refusal("Unauthorized Request  " + job.id, 159)
        if not job.rerunable:
            raise Refusal("Job not rerunable " + job.id, 168)
    return "", "".join(t + "\n" for t, _ in missing), missing[-1][1] if missing else 0


def qselect(server, r, user):
    del user
    o = dict(getopt.getopt(r["argv"], OPTIONS["qselect"])[0])
    return "".join(j.id + "\n" for j in server.jobs.values() if j.state != "F" and o.get("-u", j.user) == j.user
                   and o.get("-N", j.name) == j.name)


def pbsnodes(server, r, user):
    del user
    o, rest = getopt.gnu_getopt(r["argv"], OPTIONS["pbsnodes"])
    unknown = [n for n in rest if n not in server.nodes]
    if unknown:
        return "", "".join("Node: %s,  Error: Unknown node \n" % n for n in unknown), 0
    return show.nodes(server, ("-F", "json") in o), "", 0


def remote(server, r, fds):
    """pbs_tmrsh HOST COMMAND...: no shell between; waits for its end."""
    argv = list(r["argv"])
    if r["prog"] == "pbsdsh":
        at = int(argv[1]) if argv[:1] == ["-n"] else 0
        argv = argv[2:] if argv[:1] == ["-n"] else argv
        argv = argv[1:] if argv[:1] == ["--"] else argv
    with server.lock:
        job = server.jobs.get(r["env"].get("PBS_JOBID", ""))
        if not job or job.state != "R":
            return "", "%s: not in a job\n" % r["prog"], 1
        host = job.place[at][0].name if r["prog"] == "pbsdsh" else argv.pop(0)
        if host not in [n.name for n, _ in job.place]:
            return "", "%s: host \"%s\" is not a node in job <%s>\n" % (r["prog"], host, job.id), 255
        p = server.task(job, host, argv, fds)
    return "", "", p.wait() & 255


ALL = {"qsub": qsub, "qstat": qstat, "qdel": qdel, "qhold": qhold, "qrls": qrls, "qrerun": qrerun, "qselect": qselect, "pbsnodes": pbsnodes}


def run(server, r, uid, fds):
    prog, user = r["prog"], "root" if uid == 0 else r["user"]
    if r["argv"] == ["--version"]:
        return {"out": "pbs_version = %s\n" % show.VERSION, "err": "", "rc": 0}
    if prog in ("pbs_tmrsh", "pbsdsh"):
        out, err, rc = remote(server, r, fds)
        return {"out": out, "err": err, "rc": rc}
    try:
        with server.lock:
            got = ALL[prog](server, r, user)
    except Refusal as e:
        return {"out": "", "err": "%s: %s\n" % (prog, e.text.rstrip("\n")), "rc": e.rc}
    except getopt.GetoptError as e:
        return {"out": "", "err": "%s: invalid option -- '%s'\n" % (prog, e.opt), "rc": 2}
    out, err, rc = got if isinstance(got, tuple) else (got, "", 0)
    return {"out": out, "err": err, "rc": rc}
