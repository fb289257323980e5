/* What is run on a host. Data reaches a script as quoted words only; `python.activate` is shell by intention. */
#include "base/shell.h"
#include "providers/ssh.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DRAIN_S "5" /* a node that is ended drains so long */

enum { HEAD_S = 150, JOIN_S = 100 };

bool ssh_login_shell(const struct ssh_config *own) {
    return own->python.activate.n > 0 || own->python.conda;
}

static const char *version_wanted(const struct ssh_config *own) {
    return own->python.ray ? own->python.ray : own->ray_version;
}

/* NAME=VALUE of any text. */
static void set(struct rt_buf *out, const char *name, const char *value) {
    rt_buf_addf(out, "%s=", name);
    rt_shell_word(out, value ? value : "");
    rt_buf_addc(out, '\n');
}

/* A path of the far side: ~ is its home. */
static void set_path(struct rt_buf *out, const char *name, const char *path) {
    const bool home = rt_streq(path, "~") || rt_starts(path, "~/");
    rt_buf_addf(out, "%s=%s", name, home ? "$HOME" : "");
    rt_shell_word(out, home ? path + 1 : path);
    rt_buf_addc(out, '\n');
}

static void begin(struct rt_buf *out, const char *cluster) {
    rt_buf_adds(out, "{\n"); /* read as a whole before it runs: nothing in it may read the rest of it as its input */
    rt_buf_adds(out, ssh_sh_common);
    rt_buf_adds(out, "D=$HOME/.raytui/");
    rt_shell_word(out, cluster);
    rt_buf_addc(out, '\n');
}

static void end(struct rt_buf *out) {
    rt_buf_adds(out, "} </dev/null\n");
}

static void activate(const struct ssh_config *own, struct rt_buf *out) {
    for (size_t i = 0; i < own->python.activate.n; i++)
        rt_buf_addf(out, "%s\n", own->python.activate.v[i]);
    if (own->python.conda) {
        rt_buf_adds(out, "eval \"$(conda shell.bash hook)\" && conda activate ");
        rt_shell_word(out, own->python.conda);
        rt_buf_adds(out, " || exit 1\n");
    }
}

/* ---- Python and Ray ---- */

static void find_ray(const struct ssh_script *s, struct rt_buf *out) {
    const struct ssh_config *own = s->own;
    const char *want = version_wanted(own);
    set(out, "VERSION", want ? want : SSH_RAY_VERSION);
    if (ssh_login_shell(own) && !own->python.venv) {
        rt_buf_adds(out, "RAY=$(command -v ray)\n"
                         "fits \"$RAY\" || die \"$(uname -n): after python.activate there is $([ -n \"$have\" ] && echo \"Ray $have,"
                         " not $WANT\" || echo \"no ray on the PATH\")\"\n");
        return;
    }
    if (own->python.venv) {
        set_path(out, "V", own->python.venv);
        rt_buf_adds(out, "RAY=$V/bin/ray\n");
    } else if (s->requirements) {
        rt_buf_addf(out, "V=$HOME/.raytui/.venvs/%s\nRAY=$V/bin/ray\n", s->cluster);
    } else {
        rt_buf_adds(out, "V=$HOME/.raytui/.venvs/ray-$VERSION\n"
                         "RAY=$(command -v ray)\n"
                         "fits \"$RAY\" || RAY=$V/bin/ray\n");
    }
    rt_buf_adds(out, "fits \"$RAY\" || make_venv \"$V\" \"$VERSION\"\n");
}

void ssh_script_prepare(const struct ssh_script *s, struct rt_buf *out) {
    begin(out, s->cluster);
    rt_buf_adds(out, ssh_sh_python);
    set(out, "NODE", s->node);
    set(out, "WANT", version_wanted(s->own));
    rt_buf_adds(out, "home\n"
                     "set -- $(sed 's/^.*) //' /proc/$$/stat 2>/dev/null || ps -o pgid= -o pgid= -o pgid= -p $$)\n"
                     "echo \"$$ $(started $$) $3\" >\"$D/$NODE.step\"\n");
    activate(s->own, out);
    find_ray(s, out);
    rt_buf_adds(out, "PY=$(python_of \"$RAY\")\n");
    if (s->requirements) {
        rt_buf_adds(out, "printf %s ");
        rt_shell_word(out, s->requirements);
        rt_buf_adds(out, " >\"$D/$NODE.requirements\"\n"
                         "require \"$D/$NODE.requirements\"\n");
    }
    rt_buf_adds(out, "rm -f \"$D/$NODE.step\"\n"
                     "set -- ${SSH_CONNECTION-}\n"
                     "printf '%s\\n' \"ray $RAY\" \"python $PY\" \"address ${3-}\"\n");
    end(out);
}

/* ---- the node's own script ----
 *
 * Ray opens its temporary directory to all users of the host, so it lies in one that is closed. */

static void option(struct rt_buf *out, const char *text) {
    rt_buf_adds(out, " \\\n    ");
    rt_shell_word(out, text);
}

static void optionf(struct rt_buf *out, const char *fmt, ...) RT_PRINTF(2, 3);
static void optionf(struct rt_buf *out, const char *fmt, ...) {
    struct rt_buf text;
    va_list ap;
    rt_buf_init(&text, 0);
    va_start(ap, fmt);
    rt_buf_addv(&text, fmt, ap);
    va_end(ap);
    option(out, rt_buf_str(&text));
    rt_buf_deinit(&text);
}

static void sizes(struct rt_buf *out, double cpus, double gpus, double memory_gb, const struct rt_strs *resources) {
    char n[32];
    if (cpus > 0)
        optionf(out, "--num-cpus=%s", rt_fmt_amount(n, sizeof n, cpus));
    if (gpus > 0)
        optionf(out, "--num-gpus=%s", rt_fmt_amount(n, sizeof n, gpus));
    if (memory_gb > 0)
        optionf(out, "--memory=%lld", (long long)(memory_gb * 1024 * 1024 * 1024));
    json_t *all = json_object();
    for (size_t i = 0; i < resources->n; i++) {
        const char *eq = strchr(resources->v[i], '=');
        double v = 1;
        if (!eq)
            continue;
        rt_parse_f64(eq + 1, &v);
        char *name = rt_strndup(resources->v[i], (size_t)(eq - resources->v[i]));
        json_object_set_new(all, name, json_real(v));
        free(name);
    }
    char *text = json_object_size(all) ? json_dumps(all, JSON_COMPACT) : NULL;
    if (text)
        optionf(out, "--resources=%s", text);
    free(text);
    json_decref(all);
}

void ssh_script_node(const struct ssh_script *s, struct rt_buf *out) {
    const struct ssh_config *own = s->own;
    const bool head = !s->pool;
    rt_buf_addf(out, "#!/bin/sh\n# Node %s of the Ray cluster %s, written by raytui.\n", s->node, s->cluster);
    rt_buf_adds(out, head ? "TMPDIR=$1 IP=$2 AGENT=$3 METRICS=$4 GCS=$5 DASHBOARD=$6 CLIENT=$7 DASHBOARD_IP=$8\n"
                          : "TMPDIR=$1 IP=$2 AGENT=$3 METRICS=$4\n");
    activate(own, out);
    set(out, "RAY", s->ray ? s->ray : "ray");
    rt_buf_adds(out, "PATH=$(dirname \"$RAY\"):$PATH\n" /* a job's `python` is looked up on the PATH of its head */
                     "RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S=" DRAIN_S "\n"
                     "export PATH TMPDIR RAY_GRACEFUL_SHUTDOWN_DRAIN_TIMEOUT_S\n"
                     "exec \"$RAY\" start");
    if (head) {
        rt_buf_adds(out, " --head \\\n    --port=\"$GCS\" --temp-dir=\"$TMPDIR/r\" \\\n"
                         "    --dashboard-host=\"$DASHBOARD_IP\" --dashboard-port=\"$DASHBOARD\" "
                         "--ray-client-server-port=\"$CLIENT\"");
        sizes(out, own->cpus, own->gpus, own->memory_gb, &own->resources);
    } else {
        optionf(out, "--address=%s:%d", s->place->ip, s->place->gcs);
        sizes(out, s->pool->cpus, s->pool->gpus, s->pool->memory_gb, &s->pool->resources);
    }
    optionf(out, "--node-name=%s", s->node);
    if (own->object_store_bytes)
        optionf(out, "--object-store-memory=%lld", (long long)own->object_store_bytes);
    rt_buf_adds(out, " \\\n    --node-ip-address=\"$IP\" --dashboard-agent-listen-port=\"$AGENT\" --metrics-export-port=\"$METRICS\""
                     " \\\n    --block --disable-usage-stats --log-color=false\n");
}

/* ---- start ---- */

static void begin_start(const struct ssh_script *s, struct rt_buf *out) {
    begin(out, s->cluster);
    rt_buf_adds(out, ssh_sh_net);
    rt_buf_adds(out, ssh_sh_launch);
    rt_buf_adds(out, ssh_sh_stop);
    set(out, "NODE", s->node);
    set(out, "PY", s->python ? s->python : "python3");
    rt_buf_addf(out, "SHELL_OF_NODE='%s'\n", ssh_login_shell(s->own) ? "bash -l" : "sh");
    rt_buf_adds(out, "home\n");
}

static void write_node(const struct ssh_script *s, struct rt_buf *out) {
    struct rt_buf text;
    rt_buf_init(&text, RT_MIB);
    ssh_script_node(s, &text);
    rt_buf_adds(out, "    printf %s ");
    rt_shell_word(out, rt_buf_str(&text));
    rt_buf_adds(out, " >\"$D/$NODE.sh\" && chmod 700 \"$D/$NODE.sh\" || die \"cannot write in $D\"\n");
    rt_buf_deinit(&text);
}

static void start_head(const struct ssh_script *s, struct rt_buf *out) {
    const struct ssh_config *own = s->own;
    begin_start(s, out);
    set_path(out, "BASE", own->temp_dir ? own->temp_dir : "/tmp");
    rt_buf_adds(out, "old() { sed -n \"s/^$1 //p\" \"$D/head.place\" 2>/dev/null; }\n"
                     "lock \"$D/head.lock\"\n"
                     "if ! alive \"$D/head.pid\"; then\n"
                     "    stop_node head\n"
                     "    temp=$(old temp_dir)\n"
                     "    [ -z \"$temp\" ] || remove_temp \"$temp\"\n"
                     "    rm -f \"$D/connection\"\n");
    write_node(s, out);
    rt_buf_adds(out, "    IP=$(net ip");
    for (size_t i = 0; s->peers && i < s->peers->n; i++) {
        rt_buf_addc(out, ' ');
        rt_shell_word(out, s->peers->v[i]);
    }
    rt_buf_addf(out, ") && set -- $(net ports %d %d %d 52365 52366) || exit 1\n", own->dashboard_port ? (int)own->dashboard_port : 8265,
                own->client_port ? (int)own->client_port : 10001, own->gcs_port ? (int)own->gcs_port : 6379);
    rt_buf_addf(out, "    DASHBOARD_IP=%s\n", own->dashboard_host == 1 ? "$IP" : "127.0.0.1");
    rt_buf_adds(out, "    mkdir -p \"$BASE\" && TEMP=$(mktemp -d \"$BASE/rt-$(id -u)-XXXXXX\") || die \"no temporary directory in $BASE\"\n"
                     "    printf '%s\\n' \"ip $IP\" \"dashboard_ip $DASHBOARD_IP\" \"dashboard $1\" \"client $2\" \"gcs $3\" \"temp_dir $TEMP\""
                     " >\"$D/head.place\"\n"
                     "    launch head ");
    char *mark = rt_strf("%s/%s/head", s->cluster, s->mark);
    rt_shell_word(out, mark);
    free(mark);
    rt_buf_addf(out, " \"$TEMP\" \"$IP\" \"$4\" \"$5\" \"$3\" \"$1\" \"$2\" \"$DASHBOARD_IP\"\n"
                     "fi\n"
                     "wait_for head %d net up \"$(old dashboard_ip)\" \"$(old dashboard)\"\n", HEAD_S);
    rt_buf_adds(out, "printf '%s\\n' \"RAY_ADDRESS=ray://$(old ip):$(old client)\" \"DASHBOARD_URL=http://$(old dashboard_ip):$(old dashboard)\""
                     " \"GCS_ADDRESS=$(old ip):$(old gcs)\" >\"$D/connection.new\" && mv \"$D/connection.new\" \"$D/connection\"\n"
                     "unlock\n");
    rt_buf_adds(out, ssh_sh_look);
}

static void start_worker(const struct ssh_script *s, struct rt_buf *out) {
    begin_start(s, out);
    set(out, "HEAD_IP", s->place->ip);
    set(out, "TEMP", s->place->temp_dir);
    rt_buf_addf(out, "GCS=%d\n", s->place->gcs);
    rt_buf_adds(out, "if ! alive \"$D/$NODE.pid\"; then\n"
                     "    stop_node \"$NODE\"\n"
                     "    net reach \"$HEAD_IP\" \"$GCS\" 2>/dev/null || die \"$(uname -n) has no way to the head at $HEAD_IP:$GCS\"\n");
    write_node(s, out);
    rt_buf_adds(out, "    IP=$(net ip \"$HEAD_IP\") && set -- $(net ports 52365 52366) || exit 1\n"
                     "    mkdir -p \"$TEMP\" && [ -O \"$TEMP\" ] && chmod 700 \"$TEMP\" || die \"no temporary directory $TEMP on $(uname -n)\"\n"
                     "    echo \"temp_dir $TEMP\" >\"$D/$NODE.place\"\n"
                     "    launch \"$NODE\" ");
    char *mark = rt_strf("%s/%s/%s", s->cluster, s->mark, s->node);
    rt_shell_word(out, mark);
    free(mark);
    rt_buf_addf(out, " \"$TEMP\" \"$IP\" \"$1\" \"$2\"\n"
                     "fi\n"
                     "wait_for \"$NODE\" %d says_up \"$NODE\"\n", JOIN_S);
}

void ssh_script_start(const struct ssh_script *s, struct rt_buf *out) {
    if (s->pool)
        start_worker(s, out);
    else
        start_head(s, out);
    end(out);
}

/* ---- stop, look, book ---- */

void ssh_script_stop(const struct ssh_script *s, struct rt_buf *out) {
    begin(out, s->cluster);
    rt_buf_adds(out, ssh_sh_stop);
    set(out, "NODE", s->node);
    rt_buf_adds(out, "[ -d \"$D\" ] || exit 0\n"
                     "stop_node \"$NODE\"\n"
                     "temp=$(sed -n 's/^temp_dir //p' \"$D/$NODE.place\" 2>/dev/null)\n"
                     "[ -z \"$temp\" ] || remove_temp \"$temp\"\n"
                     "rm -rf \"$D/$NODE\".*\n");
    if (rt_streq(s->node, "head"))
        rt_buf_adds(out, "rm -f \"$D/connection\"\nrmdir \"$D/nodes\" 2>/dev/null\n");
    rt_buf_adds(out, "rmdir \"$D\" \"$HOME/.raytui\" 2>/dev/null\nexit 0\n");
    end(out);
}

void ssh_script_look(const char *cluster, struct rt_buf *out) {
    begin(out, cluster);
    rt_buf_adds(out, ssh_sh_look);
    end(out);
}

void ssh_script_book(const char *cluster, const char *node, const char *host, struct rt_buf *out) {
    begin(out, cluster);
    set(out, "NODE", node);
    if (host) {
        set(out, "HOST", host);
        rt_buf_adds(out, "home\nmkdir -p \"$D/nodes\" && echo \"$HOST\" >\"$D/nodes/$NODE.new\" && mv \"$D/nodes/$NODE.new\" \"$D/nodes/$NODE\" ||"
                         " die \"cannot write in $D\"\n");
    } else {
        rt_buf_adds(out, "rm -f \"$D/nodes/$NODE\"\n");
    }
    end(out);
}
