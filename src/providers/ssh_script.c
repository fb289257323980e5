/* What is run on a host of `ssh`. */
#include "base/shell.h"
#include "providers/ssh.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { HEAD_S = 150, JOIN_S = 100 };

void ssh_script_prepare(const struct ssh_script *s, struct rt_buf *out) {
    far_prepare(&s->own->far, s->cluster, s->node, s->requirements, out);
}

/* ---- the node's own script ---- */

/* A worker that ended because its head is gone for good takes its files with it; one that ended while the head lives
 * leaves them, for its last words. */
static void leave_with_head(const struct ssh_script *s, struct rt_buf *out) {
    struct rt_buf text;
    rt_buf_init(&text, RT_MIB);
    ssh_script_stop(s, &text);
    far_set(out, "PY", s->python ? s->python : "python3");
    rt_buf_adds(out, "END=");
    rt_shell_word(out, rt_buf_str(&text));
    rt_buf_adds(out, "\n(\n    while kill -0 $$; do sleep 3; done\n    ");
    far_container(&s->own->far, out);
    rt_buf_adds(out, "\"$PY\" -c 'import socket, sys; socket.create_connection((sys.argv[1], int(sys.argv[2])), 5)' \"$HEAD_IP\" \"$GCS\" ||\n"
                     "        { unset RAYTUI_NODE; exec sh -c \"$END\"; }\n"
                     ") </dev/null >/dev/null 2>&1 &\n");
    rt_buf_deinit(&text);
}

void ssh_script_node(const struct ssh_script *s, struct rt_buf *out) {
    const struct far_conf *far = &s->own->far;
    const bool head = !s->pool;
    rt_buf_addf(out, "#!/bin/sh\n# Node %s of the Ray cluster %s, written by raytui.\n", s->node, s->cluster);
    rt_buf_adds(out, head ? "TMPDIR=$1 IP=$2 AGENT=$3 METRICS=$4 GCS=$5 DASHBOARD=$6 CLIENT=$7 DASHBOARD_IP=$8\n"
                          : "TMPDIR=$1 IP=$2 AGENT=$3 METRICS=$4\n");
    if (!head) {
        far_set(out, "HEAD_IP", s->place->ip);
        rt_buf_addf(out, "GCS=%d\n", s->place->gcs);
    }
    far_activate(far, out);
    if (!head)
        leave_with_head(s, out);
    far_set(out, "RAY", s->ray ? s->ray : "ray");
    far_node_environment(out);
    rt_buf_adds(out, "exec ");
    far_ray_start(far, head ? &far->size : &s->pool->size, head, s->node, out);
}

/* ---- start ---- */

static void begin_start(const struct ssh_script *s, struct rt_buf *out) {
    far_begin(&s->own->far, s->cluster, out);
    rt_buf_adds(out, far_sh_net);
    rt_buf_adds(out, far_sh_launch);
    rt_buf_adds(out, far_sh_stop);
    far_set(out, "NODE", s->node);
    far_set(out, "PY", s->python ? s->python : "python3");
    rt_buf_addf(out, "SHELL_OF_NODE='%s'\n", far_login_shell(&s->own->far) ? "bash -l" : "sh");
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

static void mark_word(const struct ssh_script *s, const char *node, struct rt_buf *out) {
    char *mark = rt_strf("%s/%s/%s", s->cluster, s->mark, node);
    rt_shell_word(out, mark);
    free(mark);
}

static void watch(const struct ssh_script *s, struct rt_buf *out) {
    struct rt_buf end;
    rt_buf_init(&end, RT_MIB);
    ssh_script_end(s->cluster, &end);
    watchdog_script(s->life, out);
    rt_buf_adds(out, "if ! alive \"$D/watchdog.pid\"; then\n"
                     "    write_watchdog\n"
                     "    printf %s ");
    rt_shell_word(out, rt_buf_str(&end));
    rt_buf_adds(out, " >\"$D/watchdog/end.sh\" || die \"cannot write in $D\"\n"
                     "    alive \"$D/head.pid\"\n" /* sets pid */
                     "    launch watchdog ");
    mark_word(s, "watchdog", out);
    rt_buf_adds(out, " \"$PY\" \"http://$(old dashboard_ip):$(old dashboard)\" \"$pid\" sh \"$D/watchdog/end.sh\"\nfi\n");
    rt_buf_deinit(&end);
}

static void start_head(const struct ssh_script *s, struct rt_buf *out) {
    const struct far_conf *far = &s->own->far;
    begin_start(s, out);
    far_set_path(out, "BASE", far->temp_dir ? far->temp_dir : "/tmp");
    rt_buf_adds(out, "old() { sed -n \"s/^$1 //p\" \"$D/head.place\" 2>/dev/null; }\n"
                     "lock \"$D/head.lock\"\n"
                     "if ! alive \"$D/head.pid\"; then\n"
                     "    stop_node head\n"
                     "    temp=$(old temp_dir)\n"
                     "    [ -z \"$temp\" ] || remove_temp \"$temp\"\n"
                     "    rm -f \"$D/connection\"\n"
                     "    stop_node watchdog\n"
                     "    rm -rf \"$D/watchdog\" \"$D\"/watchdog.*\n");
    write_node(s, out);
    rt_buf_adds(out, "    IP=$(net ip");
    for (size_t i = 0; s->peers && i < s->peers->n; i++) {
        rt_buf_addc(out, ' ');
        rt_shell_word(out, s->peers->v[i]);
    }
    rt_buf_addf(out, ") && set -- $(net ports \"$D/$NODE.sh\" %d %d %d 52365 52366) || exit 1\n"
                     "    echo \"$6 $(started $6)\" >\"$D/$NODE.claim\"\n", far->dashboard_port ? (int)far->dashboard_port : 8265,
                far->client_port ? (int)far->client_port : 10001, far->gcs_port ? (int)far->gcs_port : 6379);
    rt_buf_addf(out, "    DASHBOARD_IP=%s\n", far->dashboard_host == FAR_NODE ? "$IP" : "127.0.0.1");
    rt_buf_adds(out, "    mkdir -p \"$BASE\" && TEMP=$(mktemp -d \"$BASE/rt-$(id -u)-XXXXXX\") || die \"no temporary directory in $BASE\"\n"
                     "    printf '%s\\n' \"ip $IP\" \"dashboard_ip $DASHBOARD_IP\" \"dashboard $1\" \"client $2\" \"gcs $3\" \"temp_dir $TEMP\""
                     " >\"$D/head.place\"\n"
                     "    launch head ");
    mark_word(s, "head", out);
    rt_buf_addf(out, " \"$TEMP\" \"$IP\" \"$4\" \"$5\" \"$3\" \"$1\" \"$2\" \"$DASHBOARD_IP\"\n"
                     "fi\n"
                     "wait_for head %d net up \"$(old dashboard_ip)\" \"$(old dashboard)\"\n", HEAD_S);
    rt_buf_adds(out, far_sh_connection);
    rt_buf_adds(out, "connection \"$(old ip)\" \"$(old gcs)\" \"$(old dashboard_ip)\" \"$(old dashboard)\" \"$(old client)\"\n"
                     "unlock\n");
    if (s->life && watchdog_wanted(s->life))
        watch(s, out);
    rt_buf_adds(out, far_sh_look);
}

static void start_worker(const struct ssh_script *s, struct rt_buf *out) {
    begin_start(s, out);
    far_set(out, "HEAD_IP", s->place->ip);
    far_set(out, "TEMP", s->place->temp_dir);
    rt_buf_addf(out, "GCS=%d\n", s->place->gcs);
    rt_buf_adds(out, "if ! alive \"$D/$NODE.pid\"; then\n"
                     "    stop_node \"$NODE\"\n"
                     "    net reach \"$HEAD_IP\" \"$GCS\" 2>/dev/null || die \"$(uname -n) has no way to the head at $HEAD_IP:$GCS\"\n");
    write_node(s, out);
    rt_buf_adds(out, "    IP=$(net ip \"$HEAD_IP\") && set -- $(net ports \"$D/$NODE.sh\" 52365 52366) || exit 1\n"
                     "    echo \"$3 $(started $3)\" >\"$D/$NODE.claim\"\n"
                     "    mkdir -p \"$TEMP\" && [ -O \"$TEMP\" ] && chmod 700 \"$TEMP\" || die \"no temporary directory $TEMP on $(uname -n)\"\n"
                     "    echo \"temp_dir $TEMP\" >\"$D/$NODE.place\"\n"
                     "    launch \"$NODE\" ");
    mark_word(s, s->node, out);
    rt_buf_addf(out, " \"$TEMP\" \"$IP\" \"$1\" \"$2\"\n"
                     "fi\n"
                     "wait_for \"$NODE\" %d says_up \"$NODE\"\n", JOIN_S);
}

void ssh_script_start(const struct ssh_script *s, struct rt_buf *out) {
    if (s->pool)
        start_worker(s, out);
    else
        start_head(s, out);
    far_end(out);
}

/* ---- stop, look, book ---- */

static void stop_and_clean(const char *node, struct rt_buf *out) {
    far_set(out, "NODE", node);
    rt_buf_adds(out, "temp=$(sed -n 's/^temp_dir //p' \"$D/$NODE.place\" 2>/dev/null)\n"
                     "stop_node \"$NODE\"\n"
                     "[ -z \"$temp\" ] || remove_temp \"$temp\"\n"
                     "rm -rf \"$D/$NODE\".*\n");
}

void ssh_script_stop(const struct ssh_script *s, struct rt_buf *out) {
    const bool head = rt_streq(s->node, "head");
    far_begin(NULL, s->cluster, out);
    rt_buf_adds(out, far_sh_stop);
    rt_buf_adds(out, "[ -d \"$D\" ] || exit 0\n");
    if (head)
        stop_and_clean("watchdog", out);
    stop_and_clean(s->node, out);
    if (head)
        rt_buf_adds(out, "rm -rf \"$D/watchdog\" \"$D/connection\" \"$D/ended\" \"$D/user_script.log\"\nrmdir \"$D/nodes\" 2>/dev/null\n");
    rt_buf_adds(out, "rmdir \"$D\" \"$HOME/.raytui\" 2>/dev/null\nexit 0\n");
    far_end(out);
}

void ssh_script_end(const char *cluster, struct rt_buf *out) {
    far_begin(NULL, cluster, out);
    rt_buf_adds(out, far_sh_stop);
    rt_buf_adds(out, far_sh_connection);
    rt_buf_adds(out, "lock \"$D/head.lock\"\n");
    stop_and_clean("head", out);
    rt_buf_adds(out, "ended \"${RAYTUI_WHY-its time was over}\"\n");
    far_end(out);
}

void ssh_script_look(const char *cluster, struct rt_buf *out) {
    far_begin(NULL, cluster, out);
    rt_buf_adds(out, far_sh_look);
    far_end(out);
}

void ssh_script_book(const char *cluster, const char *node, const char *host, struct rt_buf *out) {
    far_begin(NULL, cluster, out);
    far_set(out, "NODE", node);
    if (host) {
        far_set(out, "HOST", host);
        rt_buf_adds(out, "home\nmkdir -p \"$D/nodes\" && echo \"$HOST\" >\"$D/nodes/$NODE.new\" && mv \"$D/nodes/$NODE.new\" \"$D/nodes/$NODE\" ||"
                         " die \"cannot write in $D\"\n");
    } else {
        rt_buf_adds(out, "rm -f \"$D/nodes/$NODE\"\n");
    }
    far_end(out);
}
