/* hop_probe [-F CONFIG] [-T libssh2|openssh] [-e SCRIPT] TARGET [LPORT:HOST:PORT...]
 *
 * Opens a hop, says its states on stdout, runs the script if there is one, and holds the forwards
 * until it is ended. What the benchmarks of forwards measure. */
#include "net/forward.h"
#include "net/hop.h"

#include "base/mem.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

struct probe {
    struct rt_loop *loop;
    struct rt_hop *hop;
    const char *script;
    struct rt_op *exec;
};

static void on_exec(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct probe *p = ctx;
    p->exec = NULL;
    if (err)
        printf("exec: %s (%s)\n", err->message, err->hint);
    else
        printf("exec: status %d\n%s%s", r->status, r->out, r->err_text);
    rt_loop_stop(p->loop);
}

static void on_change(void *ctx, struct rt_hop *h) {
    static const char *const names[] = {"idle",     "connecting",  "up",
                                        "retrying", "needs login", "failed"};
    struct probe *p = ctx;
    const struct rt_hop_status *s = rt_hop_status(h);
    printf("%s: %s%s%s\n", s->via, names[s->state], s->error.code ? ": " : "", s->error.message);
    fflush(stdout);
    if (s->state == RT_HOP_UP && p->script && !p->exec) {
        struct rt_exec_opts o = {.script = p->script};
        p->exec = rt_hop_exec(h, &o, on_exec, p);
    }
    if (s->state == RT_HOP_FAILED || s->state == RT_HOP_NEEDS_LOGIN)
        rt_loop_stop(p->loop);
}

static void on_signal(void *ctx, int signum) {
    struct probe *p = ctx;
    (void)signum;
    rt_loop_stop(p->loop);
}

static bool is_up(void *ctx) {
    return rt_hop_status(ctx)->state == RT_HOP_UP;
}

static struct rt_forward *forward(struct probe *p, const char *spec) {
    char host[200];
    int local, port;
    struct rt_error err = {0};
    if (sscanf(spec, "%d:%199[^:]:%d", &local, host, &port) != 3)
        return NULL;
    struct rt_forward_opts o = {.dialer = rt_hop_dialer(p->hop),
                                .host = host,
                                .port = port,
                                .local_port = local,
                                .ready = is_up,
                                .ready_ctx = p->hop};
    struct rt_forward *f = rt_forward_open(p->loop, &o, &err);
    if (!f)
        fprintf(stderr, "%s\n", err.message);
    return f;
}

int main(int argc, char **argv) {
    struct probe p = {0};
    struct rt_hop_opts o = {.name = "probe"};
    struct rt_error err = {0};
    struct rt_forward *forwards[16];
    int c, n = 0;
    while ((c = getopt(argc, argv, "F:T:e:")) != -1) {
        if (c == 'F')
            o.config_file = optarg;
        else if (c == 'T')
            o.transport =
                strcmp(optarg, "openssh") == 0 ? RT_TRANSPORT_OPENSSH : RT_TRANSPORT_LIBSSH2;
        else if (c == 'e')
            p.script = optarg;
        else
            return 64;
    }
    if (optind >= argc)
        return 64;
    signal(SIGPIPE, SIG_IGN);
    o.target = argv[optind++];
    p.loop = rt_loop_create(&err);
    p.hop = rt_hop_create(p.loop, &o, on_change, &p);
    struct rt_signal *term = rt_signal_watch(p.loop, SIGTERM, on_signal, &p);
    while (optind < argc && n < 16)
        forwards[n++] = forward(&p, argv[optind++]);
    rt_hop_open(p.hop, false);
    rt_loop_run(p.loop);
    for (int i = 0; i < n; i++) {
        const struct rt_forward_status *s = forwards[i] ? rt_forward_status(forwards[i]) : NULL;
        if (s && s->error.code)
            printf("forward: %s\n", s->error.message);
        rt_forward_close(forwards[i]);
    }
    rt_op_drop(&p.exec);
    rt_hop_destroy(p.hop);
    rt_signal_unwatch(term);
    rt_loop_destroy(p.loop);
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
    fprintf(stderr, "cpu %.2f s, resident %ld KiB\n",
            (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
                (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6,
            u.ru_maxrss);
    return 0;
}
