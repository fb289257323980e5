/* What is run on the login node and in jobs. Data reaches a script as quoted words only; `python.activate` and
 * `directives` are the person's own text by intention. */
#include "base/shell.h"
#include "providers/batch_impl.h"
#include <stdlib.h>
#include <string.h>

#define DRAIN_S "3" /* a node that is told to end drains so long: a scheduler may kill it soon after */

/* ---- on the login node ---- */

static void begin(const struct batch_script *s, struct rt_buf *out) {
    far_begin(&s->own->far, s->cluster, out);
    far_set(out, "SCHEDULER", s->dialect->scheduler);
    far_set(out, "SUBMIT", s->dialect->submit);
    rt_buf_addf(out, "CLUSTER=%s\nPREFIX=rt-$CLUSTER-\n", s->cluster);
    rt_buf_adds(out, s->dialect->login_shell);
}

void batch_script_prepare(const struct batch_script *s, struct rt_buf *out) {
    far_prepare(&s->own->far, s->cluster, "login", s->requirements, out);
}

void batch_script_look(const struct batch_script *s, struct rt_buf *out) {
    begin(s, out);
    rt_buf_adds(out, batch_sh_look);
    far_end(out);
}

static void write_file(struct rt_buf *out, const char *name, struct rt_buf *text) {
    rt_buf_adds(out, "printf %s ");
    rt_shell_word(out, rt_buf_str(text));
    rt_buf_addf(out, " >\"$J/%s\" || return 1\n", name);
    rt_buf_deinit(text);
}

void batch_script_submit(const struct batch_script *s, struct rt_buf *out) {
    struct rt_buf job, node;
    rt_buf_init(&job, RT_MIB);
    rt_buf_init(&node, RT_MIB);
    batch_script_job(s, &job);
    batch_script_node(s, &node);
    begin(s, out);
    far_set(out, "NODE", s->node);
    rt_buf_adds(out, "NAME=$PREFIX$NODE\nwrite_files() {\n");
    write_file(out, "job", &job);
    write_file(out, "node", &node);
    rt_buf_adds(out, "}\n");
    rt_buf_adds(out, batch_sh_submit);
    far_end(out);
}

void batch_script_stop(const struct batch_script *s, const struct rt_strs *nodes, bool all, struct rt_buf *out) {
    begin(s, out);
    rt_buf_adds(out, "NODES='");
    for (size_t i = 0; i < nodes->n; i++)
        rt_buf_addf(out, "%s%s", i ? " " : "", nodes->v[i]); /* names of nodes are a-z, 0-9 and - */
    rt_buf_adds(out, "'\n");
    if (all)
        rt_buf_adds(out, "for j in \"$D\"/jobs/*; do\n"
                         "    [ -d \"$j\" ] || continue\n"
                         "    case \" $NODES \" in *\" ${j##*/} \"*) ;; *) NODES=\"$NODES ${j##*/}\" ;; esac\n"
                         "done\n");
    rt_buf_adds(out, "[ ! -d \"$D\" ] || lock \"$D/submit.lock\"\n");
    rt_buf_adds(out, batch_sh_stop);
    if (all)
        rt_buf_adds(out, "rm -rf \"$D\"\nrmdir \"$HOME/.raytui\" 2>/dev/null\n");
    rt_buf_adds(out, "exit 0\n");
    far_end(out);
}

void batch_script_doctor(const struct batch_script *s, struct rt_buf *out) {
    begin(s, out);
    rt_buf_adds(out, s->dialect->doctor_shell);
    rt_buf_adds(out, far_sh_python);
    const struct far_conf *far = &s->own->far;
    if (far->python.venv) {
        far_set_path(out, "V", far->python.venv);
        rt_buf_adds(out, "RAY=$V/bin/ray\n");
    } else {
        rt_buf_adds(out, "RAY=$(command -v ray || ls -d \"$HOME\"/.raytui/.venvs/*/bin/ray 2>/dev/null | tail -n 1)\n");
    }
    rt_buf_adds(out, "say() { printf '%s\\t%s\\t%s\\n' \"$@\"; }\n"
                     "say ok host \"$(uname -n), $(uname -sr), login shell ${SHELL-}\"\n"
                     "if command -v \"$SUBMIT\" >/dev/null 2>&1; then\n"
                     "    b_doctor\n"
                     "else\n"
                     "    say bad \"$SUBMIT\" \"not on the PATH: is this a login node of $SCHEDULER?\"\n"
                     "fi\n"
                     "if command -v python3 >/dev/null; then say ok python3 \"$(python3 --version 2>&1), $(command -v python3)\"\n"
                     "else say warn python3 'not on the PATH: load one in python.activate, or name python.venv'; fi\n"
                     "if [ -x \"$RAY\" ]; then say ok ray \"$(version_of \"$RAY\"), $RAY\"\n"
                     "else say warn ray \"none in ${V:-PATH and ~/.raytui/.venvs}: \\`up\\` installs one\"; fi\n"
                     "say ok home \"$HOME, $(df -Pk \"$HOME\" 2>/dev/null | awk 'NR == 2 { printf \"%.1f GiB of %.1f GiB free\", $4 / 1048576, $2 / 1048576 }')\"\n"
                     "if command -v quota >/dev/null 2>&1; then\n"
                     "    quota -w 2>/dev/null | awk 'NR > 2 && $3 > 0 { printf \"%s\\tquota\\t%s: %.1f GiB of %.1f GiB\\n\","
                     " ($2 + 0 > 0.9 * $3 ? \"warn\" : \"ok\"), $1, $2 / 1048576, $3 / 1048576 }'\n"
                     "fi\n"
                     "if (mkdir -p \"$HOME/.raytui\" && : >\"$HOME/.raytui/.probe\") 2>/dev/null; then\n"
                     "    rm -f \"$HOME/.raytui/.probe\"\n"
                     "    rmdir \"$HOME/.raytui\" 2>/dev/null\n"
                     "else say bad home 'nothing can be written there'; fi\n"
                     "exit 0\n");
    far_end(out);
}

/* ---- in a job ---- */

static void begin_job(const struct batch_script *s, const char *what, struct rt_buf *out) {
    rt_buf_addf(out, "# %s of job %s of the Ray cluster %s, written by raytui.\numask 077\n", what, s->node, s->cluster);
    rt_buf_addf(out, "CLUSTER=%s NODE=%s\nD=$HOME/.raytui/$CLUSTER\nJ=$D/jobs/$NODE\n", s->cluster, s->node);
    rt_buf_adds(out, s->dialect->job_shell);
}

void batch_script_job(const struct batch_script *s, struct rt_buf *out) {
    char *name = rt_strf("rt-%s-%s", s->cluster, s->node);
    struct batch_ask ask = *s->ask;
    const bool head = rt_streq(s->node, "head");
    ask.nodes = head ? s->fixed + 1 : 1;
    const struct batch_job job = {.cluster = s->cluster, .node = s->node, .name = name, .ask = &ask};
    rt_buf_adds(out, "#!/bin/bash\n");
    s->dialect->header(&job, out);
    begin_job(s, "The script", out);
    rt_buf_addf(out, "WALL=%lld\nb_begin\n", (long long)(ask.walltime_ms / 1000));
    rt_buf_adds(out, head ? batch_sh_head_job : batch_sh_worker_job);
    free(name);
}

/* Amounts that are not asked for are those that the scheduler gave. */
static void run_ray(const struct batch_script *s, bool head, struct rt_buf *out) {
    const struct batch_ask *ask = s->ask;
    const struct far_conf *far = &s->own->far;
    const struct node_size size = {.cpus = ask->cpus, .gpus = ask->gpus, .memory_gb = ask->memory_gb, .resources = ask->resources,
                                   .labels = far->size.labels, .accelerator_type = far->size.accelerator_type};
    rt_buf_addf(out, "run_%s() {\n", head ? "head" : "worker");
    rt_buf_addf(out, "RAY_OPTIONS=\"%s%s\"\n", ask->cpus > 0 ? "" : "${CPUS:+--num-cpus=$CPUS} ", ask->gpus > 0 ? "" : "${GPUS:+--num-gpus=$GPUS}");
    rt_buf_adds(out, "export RAYTUI_NODE=$MARK\nexec ");
    far_ray_start(far, &size, head, NULL, out);
    rt_buf_adds(out, "}\n");
}

static void head_node(const struct batch_script *s, struct rt_buf *out) {
    const struct far_conf *far = &s->own->far;
    watchdog_script(&s->watchdog, out);
    run_ray(s, true, out);
    rt_buf_adds(out, "begin_head() {\n"
                     "IP=$(net ip \"$@\" ${SLURM_SUBMIT_HOST:-${PBS_O_HOST:-}} \"$(uname -n)\") || exit 1\n"
                     "case $IP in 127.*) die \"$(uname -n) has no address but its loopback\" ;; esac\n");
    rt_buf_addf(out, "DASHBOARD_IP=%s\n", far->dashboard_host == FAR_NODE ? "$IP" : "127.0.0.1");
    rt_buf_addf(out, "temp_of_head\nnote\nset -- $(net ports \"$J/temp.$name\" %d %d %d 52365 52366)\n[ $# = 6 ] || die 'no free ports'\n",
                far->dashboard_port ? (int)far->dashboard_port : 8265, far->client_port ? (int)far->client_port : 10001,
                far->gcs_port ? (int)far->gcs_port : 6379);
    rt_buf_adds(out, "DASHBOARD=$1 CLIENT=$2 GCS=$3 AGENT=$4 METRICS=$5 held=$6 since=$(started \"$6\")\n"
                     "printf '%s\\n' \"job $(b_id)\" \"began $(date +%s)\" \"host $(uname -n)\" \"ip $IP\" \"dashboard_ip $DASHBOARD_IP\" \"dashboard $DASHBOARD\""
                     " \"client $CLIENT\" \"gcs $GCS\" \"temp_dir $TMPDIR\" >\"$D/head.place.new\" &&\n"
                     "    mv \"$D/head.place.new\" \"$D/head.place\" || exit 1\n"
                     "}\n");
    rt_buf_addf(out, "WATCHDOG=%s\n", watchdog_wanted(&s->watchdog) ? "yes" : "");
}

void batch_script_node(const struct batch_script *s, struct rt_buf *out) {
    const bool head = rt_streq(s->node, "head");
    const struct far_conf *far = &s->own->far;
    rt_buf_adds(out, "#!/bin/bash\n");
    begin_job(s, "What runs on each host", out);
    rt_buf_addf(out, "CONTAINER=%s\nwithin() { ", far->container ? "yes" : "");
    far_container(far, out);
    rt_buf_adds(out, "\"$@\"; }\n"
                     "cleaning=\n"
                     "[ \"$1\" != clean ] || { cleaning=yes; shift; }\n"
                     "name=$1 NODE_NAME=$1\nshift\n"
                     "exec </dev/null >>\"$J/$name.log\" 2>&1\n"
                     "unset SSH_CONNECTION SSH_CLIENT SSH_TTY\n");
    rt_buf_adds(out, far_sh_common);
    if (far_login_shell(far))
        rt_buf_adds(out, "[ ! -r /etc/profile ] || . /etc/profile\n");
    far_activate(far, out);
    far_set(out, "RAY", s->ray ? s->ray : "ray");
    far_set(out, "PY", s->python ? s->python : "python3");
    far_set_path(out, "BASE", far->temp_dir ? far->temp_dir : "/tmp");
    rt_buf_adds(out, far_sh_net);
    rt_buf_adds(out, far_sh_connection);
    rt_buf_adds(out, batch_sh_node);
    if (head)
        head_node(s, out);
    run_ray(s, false, out);
    rt_buf_adds(out, batch_sh_node_run);
}
