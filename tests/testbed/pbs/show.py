"""What qstat and pbsnodes print, letter by letter as OpenPBS 23.06.06 does."""
import json
import re
import time

VERSION = "23.06.06"


def date(t):
    return time.strftime("%a %b %e %H:%M:%S %Y", time.localtime(t)).replace("  ", " ") if t else None


def hms(seconds):
    seconds = max(0, int(seconds))
    return "%02d:%02d:%02d" % (seconds // 3600, seconds // 60 % 60, seconds % 60)


def parsed(value):
    """As their JSON has it: a number where it looks like one."""
    return int(value) if isinstance(value, int) or re.match(r"-?\d+$", str(value)) else str(value)


def attributes(job, server):
    """(name, value) in their order; a dict for what has parts."""
    now = time.time()
    a = [("Job_Name", job.name), ("Job_Owner", "%s@login" % job.user)]
    if job.start:
        used = int((job.end or now) - job.start)
        a.append(("resources_used", {"cpupercent": 0, "cput": "00:00:00", "mem": "7232kb", "ncpus": job.ncpus(), "vmem": "10380kb",
                                     "walltime": hms(used)}))
    a += [("job_state", job.state), ("queue", job.queue), ("server", "login")]
    if job.account:
        a.append(("Account_Name", job.account))
    a.append(("Checkpoint", "u"))
    a.append(("ctime", date(job.ctime)))
    if job.depend:
        a.append(("depend", job.depend))
    a.append(("Error_Path", "login:" + job.error_path))
    if job.exec_host:
        a += [("exec_host", job.exec_host), ("exec_vnode", job.exec_vnode)]
    if job.execution_time:
        a.append(("Execution_Time", date(job.execution_time)))
    a += [("Hold_Types", job.holds or "n"), ("Join_Path", job.join), ("Keep_Files", job.keep), ("Mail_Points", "a"),
          ("mtime", date(job.mtime)), ("Output_Path", "login:" + job.output_path), ("Priority", 0), ("qtime", date(job.ctime)),
          ("Rerunable", "True" if job.rerunable else "False"), ("Resource_List", dict(sorted(job.resources.items())))]
    if job.start:
        a.append(("stime", date(job.start)))
    if job.end and job.start:
        a.append(("obittime", date(job.end)))
    if job.process and not job.end:
        a.append(("session_id", job.process.pid))
    if job.start:
        a.append(("jobdir", job.home))
    a.append(("substate", job.substate))
    a.append(("Variable_List", job.variables))
    if job.comment:
        a.append(("comment", job.comment))
    a.append(("etime", date(job.ctime)))
    if job.start:
        a.append(("run_count", job.runs))
    start = server.estimate(job)
    if start:
        a.append(("estimated", {"start_time": date(start)}))
    if job.exit_status is not None:
        a.append(("Exit_status", job.exit_status))
    a.append(("Submit_arguments", job.arguments))
    if job.state == "F":
        a.append(("history_timestamp", int(job.end)))
    a += [("project", job.project or "_pbs_project_default"), ("Submit_Host", "login")]
    return [(k, v) for k, v in a if v is not None]


def wrapped(line):
    """A line of at most 80 columns; what is over goes on after a tab, wherever it breaks."""
    out, width = "", 79
    while len(line) > width:
        at = line.rfind(",", 0, width)
        at = at + 1 if at > 20 else width
        out += line[:at] + "\n\t"
        line, width = line[at:], 71
    return out + line


def full_text(job, server):
    lines = ["Job Id: " + job.id]
    for key, value in attributes(job, server):
        if key == "Variable_List":
            value = ",".join("%s=%s" % (k, v.replace(",", "\\,")) for k, v in value.items())
        if isinstance(value, dict):
            lines += [wrapped("    %s.%s = %s" % (key, k, v)) for k, v in value.items()]
        else:
            lines.append(wrapped("    %s = %s" % (key, value)))
    return "\n".join(lines) + "\n\n"


def dump(value):
    """Their JSON: tabs, and a tab after each colon."""
    text = json.dumps(value, indent="\t", ensure_ascii=False, separators=(",", ":\t"))
    return re.sub(r"\{\}", "{\n}", text) + "\n"


def full_json(jobs, server, named):
    """Several named jobs: 23.06.06 prints the first one only."""
    jobs = jobs[:1] if named else jobs
    d = {"timestamp": int(time.time()), "pbs_version": VERSION, "pbs_server": "login"}
    if jobs:
        d["Jobs"] = {}
    for job in jobs:
        row = d["Jobs"][job.id] = {}
        for key, value in attributes(job, server):
            if isinstance(value, dict):
                row[key] = {k: parsed(v) for k, v in value.items()}
            else:
                row[key] = value if key in ("Job_Name", "project", "Account_Name") else parsed(value)
    return dump(d)


def cut(text, n):
    return text if len(text) < n else text[:n - 1] + "*"


def table(jobs):
    if not jobs:
        return ""
    out = ("Job id            Name             User              Time Use S Queue\n"
           "----------------  ---------------- ----------------  -------- - -----\n")
    for j in jobs:
        used = "00:00:00" if j.start else "0"
        out += "%-17s %-16s %-16s  %8s %s %-16s\n" % (cut(j.id, 17), cut(j.name, 16), cut(j.user, 16), used, j.state, j.queue)
    return out


def queues(server, full):
    if not full:
        out = ("Queue              Max   Tot Ena Str   Que   Run   Hld   Wat   Trn   Ext Type\n"
               "---------------- ----- ----- --- --- ----- ----- ----- ----- ----- ----- ----\n")
    else:
        out = ""
    for name, q in server.queues.items():
        jobs = [j for j in server.jobs.values() if j.queue == name and j.state != "F"]
        if not full:
            n = {s: sum(j.state == s for j in jobs) for s in "QRHWTE"}
            out += "%-16s %5d %5d %3s %3s %5d %5d %5d %5d %5d %5d Exe*\n" % (
                name, 0, len(jobs), "yes" if q["enabled"] else "no", "yes" if q["started"] else "no",
                n["Q"], n["R"], n["H"], n["W"], n["T"], n["E"])
            continue
        out += "Queue: %s\n    queue_type = Execution\n    total_jobs = %d\n" % (name, len(jobs))
        if q["max"]:
            out += "    resources_max.walltime = %s\n" % hms(q["max"])
        out += "    enabled = %s\n    started = %s\n\n" % (q["enabled"], q["started"])
    return out


def nodes(server, as_json):
    if as_json:
        d = {"timestamp": int(time.time()), "pbs_version": VERSION, "pbs_server": "login", "nodes": {}}
        for n in server.nodes.values():
            d["nodes"][n.name] = {"Mom": n.name, "ntype": "PBS", "state": server.node_state(n), "pcpus": n.ncpus,
                                  "resources_available": {"arch": "linux", "host": n.name, "mem": "%dgb" % n.gb, "ncpus": n.ncpus,
                                                          "vnode": n.name},
                                  "resources_assigned": {"ncpus": n.used}, "resv_enable": "True", "sharing": "default_shared",
                                  "license": "l"}
        return dump(d)
    out = ""
    for n in server.nodes.values():
        out += ("%s\n     Mom = %s\n     ntype = PBS\n     state = %s\n     pcpus = %d\n     resources_available.arch = linux\n"
                "     resources_available.host = %s\n     resources_available.mem = %dgb\n     resources_available.ncpus = %d\n"
                "     resources_available.vnode = %s\n     resources_assigned.ncpus = %d\n     resv_enable = True\n"
                "     sharing = default_shared\n     license = l\n\n"
                % (n.name, n.name, server.node_state(n), n.ncpus, n.name, n.gb, n.ncpus, n.name, n.used))
    return out
