/* Ports of a pod through `kubectl port-forward`, one child per port. The child lies: it listens on while its pod is
 * gone, and ends when one connection was refused. So it counts as up only after a probe went through, is probed again
 * while nothing else moves, and is replaced when it ends or the pod is another. */
#include "net/kube_private.h"

#include "base/log.h"
#include "net/proc.h"
#include "net/relay.h"
#include "net/tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    START_MS = 20000,     /* until it says where it listens */
    PROBE_MS = 5000,      /* for the first byte of an answer */
    STAYS_MS = 400,       /* a connection that lives so long was not refused */
    PROBE_EVERY_MS = 15000,
    BACK_OFF_MS = 500,
    BACK_OFF_MOST_MS = 15000,
    STREAM_WAIT_MS = 10000,
    GIVE_UP = 2,          /* failures in a row, after which streams wait no longer */
    CONNECT_MS = 5000,
    DASHBOARD_PORT = 8265,
    CLIENT_PORT = 10001
};

enum phase { PH_NO_TARGET, PH_STARTING, PH_PROBING, PH_UP, PH_WAITING };

struct port {
    struct rt_kube_ports *ports;
    int port, local;
    enum phase phase;
    struct rt_proc *proc;
    int64_t pid;            /* of proc */
    struct rt_buf out, words;
    struct rt_timer *timer; /* of the phase */
    struct rt_op *connect;  /* of the probe */
    int fd;                 /* of the probe; -1 */
    struct rt_fd *watch;
    struct rt_timer *limit; /* of the probe */
    int64_t moved;          /* bytes towards us when it was last looked */
    struct rt_kube_port_status status;
    int64_t bytes_in;       /* of streams that ended */
};

struct stream {
    struct rt_op op;
    struct rt_kube_ports *ports;
    struct port *port;
    int fd; /* -1 once it is carried */
    struct rt_op *connect, *relay;
    struct rt_timer *limit;
    struct rt_splice *to;
    void (*end)(void *ctx, const struct rt_error *err); /* NULL: nobody's */
    void *ctx;
    struct rt_splice own;
    struct rt_op *later;
    struct rt_error error;
};

struct rt_kube_ports {
    struct rt_kube *kube;
    struct rt_loop *loop;
    char *space, *target, *why_none;
    struct rt_dialer dialer;
    RT_VEC(struct port *) all;
    RT_VEC(struct stream *) streams;
    struct rt_error error; /* of the last stream that was not had */
};

static void child_start(struct port *t);

/* ---- streams ---- */

static void stream_free(struct stream *s) {
    struct rt_kube_ports *p = s->ports;
    for (size_t i = 0; p && i < p->streams.n; i++)
        if (p->streams.v[i] == s) {
            rt_vec_remove(&p->streams, i);
            break;
        }
    rt_op_drop(&s->connect);
    rt_op_drop(&s->relay);
    rt_op_drop(&s->later);
    rt_timer_stop(s->limit);
    if (s->fd >= 0)
        close(s->fd);
    free(s);
}

static void stream_cancel(struct rt_op *op) {
    stream_free((struct stream *)op);
}

static void tell_end(void *ctx) {
    struct stream *s = ctx;
    void (*end)(void *, const struct rt_error *) = s->end;
    void *end_ctx = s->ctx;
    const struct rt_error err = s->error;
    s->later = NULL;
    if (s->port)
        s->port->bytes_in += s->to->bytes_in;
    if (s->ports && err.code)
        s->ports->error = err;
    stream_free(s);
    if (end)
        end(end_ctx, err.code ? &err : NULL);
}

static void stream_end(struct stream *s, const struct rt_error *err) {
    if (s->later)
        return;
    if (err)
        s->error = *err;
    rt_op_drop(&s->connect);
    rt_op_drop(&s->relay);
    rt_timer_stop(s->limit);
    s->limit = NULL;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
    s->later = rt_loop_defer(s->ports->loop, tell_end, s);
}

static void on_relayed(void *ctx, const struct rt_error *err) {
    struct stream *s = ctx;
    s->relay = NULL;
    stream_end(s, err);
}

static void on_connected(void *ctx, int far, const struct rt_error *err) {
    struct stream *s = ctx;
    s->connect = NULL;
    if (err) {
        stream_end(s, err);
        return;
    }
    const int near = s->fd;
    s->fd = -1;
    s->relay = rt_relay_start(s->ports->loop, near, far, s->to);
}

static void stream_go(struct stream *s) {
    rt_timer_stop(s->limit);
    s->limit = NULL;
    s->connect = rt_tcp_connect(s->ports->loop, "127.0.0.1", s->port->local, CONNECT_MS, on_connected, s);
}

static bool waits(const struct stream *s) {
    return s->limit != NULL;
}

static void on_stream_late(void *ctx) {
    struct stream *s = ctx;
    const struct port *t = s->port;
    struct rt_error err = t->status.error;
    if (!err.code)
        rt_error_set(&err, RT_E_TIMEOUT, "port %d: no way to the pod in %d s", t->port, STREAM_WAIT_MS / 1000);
    stream_end(s, &err);
}

/* ---- a port's phases ---- */

static void phase_timer(struct port *t, int64_t ms, rt_loop_fn *fn) {
    rt_timer_stop(t->timer);
    t->timer = ms >= 0 ? rt_timer_start(t->ports->loop, ms, 0, fn, t) : NULL;
}

static void probe_drop(struct port *t) {
    rt_op_drop(&t->connect);
    rt_fd_unwatch(t->watch);
    t->watch = NULL;
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
    rt_timer_stop(t->limit);
    t->limit = NULL;
}

static void on_wait_over(void *ctx) {
    struct port *t = ctx;
    phase_timer(t, -1, NULL);
    child_start(t);
}

static void child_drop(struct port *t) {
    probe_drop(t);
    if (t->proc)
        rt_kube_child_forget(t->pid);
    rt_proc_destroy(t->proc);
    t->proc = NULL;
    t->status.up = false;
    t->status.up_since_ms = 0;
    t->status.retry_at_ms = 0;
    phase_timer(t, -1, NULL);
}

static void fail(struct port *t, const struct rt_error *err) {
    const bool was_up = t->phase == PH_UP;
    child_drop(t);
    t->status.error = *err;
    t->status.attempt = was_up ? 1 : t->status.attempt + 1;
    int64_t wait = was_up ? 0 : BACK_OFF_MS;
    for (int i = 2; i < t->status.attempt && wait < BACK_OFF_MOST_MS; i++)
        wait *= 2;
    wait = RT_MIN(wait, (int64_t)BACK_OFF_MOST_MS);
    rt_log(RT_LOG_INFO, "port %d of %s: %s", t->port, t->ports->target ? t->ports->target : "-", err->message);
    t->phase = PH_WAITING;
    for (size_t i = 0; t->status.attempt >= GIVE_UP && i < t->ports->streams.n; i++)
        if (t->ports->streams.v[i]->port == t && waits(t->ports->streams.v[i]))
            stream_end(t->ports->streams.v[i], err);
    t->status.retry_at_ms = rt_loop_now_ms(t->ports->loop) + wait;
    phase_timer(t, wait, on_wait_over);
}

/* ---- the probe ---- */

static void probe(struct port *t);

static void on_probe_due(void *ctx) {
    struct port *t = ctx;
    int64_t moved = t->bytes_in;
    for (size_t i = 0; i < t->ports->streams.n; i++)
        if (t->ports->streams.v[i]->port == t)
            moved += t->ports->streams.v[i]->to->bytes_in;
    if (moved != t->moved) { /* what people sent through it is probe enough */
        t->moved = moved;
        phase_timer(t, PROBE_EVERY_MS, on_probe_due);
        return;
    }
    phase_timer(t, -1, NULL);
    probe(t);
}

static void went_through(struct port *t) {
    const bool news = t->phase != PH_UP;
    probe_drop(t);
    t->phase = PH_UP;
    t->status.up = true;
    t->status.attempt = 0;
    t->status.error = (struct rt_error){0};
    phase_timer(t, PROBE_EVERY_MS, on_probe_due);
    if (!news)
        return;
    t->status.up_since_ms = rt_wall_ms();
    for (size_t i = 0; i < t->ports->streams.n; i++)
        if (t->ports->streams.v[i]->port == t && waits(t->ports->streams.v[i]))
            stream_go(t->ports->streams.v[i]);
}

static void refused(struct port *t) {
    struct rt_error err;
    char line[300];
    rt_kube_last_line(rt_buf_str(&t->words), line, sizeof line);
    rt_error_set(&err, RT_E_UNREACHABLE, "port %d of %s does not answer%s%s", t->port, t->ports->target, *line ? ": " : "", line);
    fail(t, &err);
}

static void on_probe_late(void *ctx) {
    struct port *t = ctx;
    const bool speaks = t->port == DASHBOARD_PORT || t->port == CLIENT_PORT;
    if (t->fd >= 0 && !speaks)
        went_through(t);
    else
        refused(t);
}

static void on_probe_answer(void *ctx, int events) {
    struct port *t = ctx;
    char some[256];
    (void)events;
    const ssize_t n = recv(t->fd, some, sizeof some, 0);
    if (n > 0)
        went_through(t);
    else if (n == 0 || (errno != EAGAIN && errno != EINTR && errno != EWOULDBLOCK))
        refused(t);
}

static void on_probe_connected(void *ctx, int fd, const struct rt_error *err) {
    static const char http[] = "GET /api/version HTTP/1.1\r\nHost: localhost\r\nUser-Agent: raytui\r\nConnection: close\r\n\r\n";
    static const char http2[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0"; /* and empty SETTINGS: nine bytes, the last is the NUL */
    struct port *t = ctx;
    t->connect = NULL;
    if (err) {
        refused(t);
        return;
    }
    t->fd = fd;
    if (t->port == DASHBOARD_PORT)
        rt_fd_send(fd, http, sizeof http - 1);
    else if (t->port == CLIENT_PORT)
        rt_fd_send(fd, http2, sizeof http2);
    else
        rt_timer_again(t->limit, STAYS_MS, 0);
    t->watch = rt_fd_watch(t->ports->loop, fd, RT_READ, on_probe_answer, t);
}

static void probe(struct port *t) {
    probe_drop(t);
    t->limit = rt_timer_start(t->ports->loop, PROBE_MS, 0, on_probe_late, t);
    t->connect = rt_tcp_connect(t->ports->loop, "127.0.0.1", t->local, CONNECT_MS, on_probe_connected, t);
}

/* ---- the child ---- */

static void on_child_exit(void *ctx, const struct rt_proc_exit *e) {
    struct port *t = ctx;
    struct rt_error err;
    char line[300];
    (void)e;
    rt_kube_child_forget(t->pid);
    t->proc = NULL;
    rt_kube_last_line(rt_buf_str(&t->words), line, sizeof line);
    const bool denied = rt_contains_i(line, "forbidden");
    rt_error_set(&err, denied ? RT_E_DENIED : RT_E_UNREACHABLE, "port-forward to %s: %s", t->ports->target,
                 *line ? line : "ended without a word");
    if (denied)
        rt_error_hint(&err, "a role must allow `create` of pods/portforward");
    fail(t, &err);
}

static void on_child_output(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    struct port *t = ctx;
    int local = 0;
    rt_kube_keep(stream == RT_STDERR ? &t->words : &t->out, data, n);
    if (t->phase != PH_STARTING)
        return;
    const char *at = strstr(rt_buf_str(&t->out), "Forwarding from 127.0.0.1:");
    if (!at || !strstr(at, " -> ") || sscanf(at, "Forwarding from 127.0.0.1:%d", &local) != 1 || local < 1 || local > 65535)
        return;
    t->local = local;
    t->phase = PH_PROBING;
    phase_timer(t, -1, NULL);
    probe(t);
}

static void on_child_late(void *ctx) {
    struct port *t = ctx;
    struct rt_error err;
    rt_error_set(&err, RT_E_TIMEOUT, "port-forward to %s did not begin in %d s", t->ports->target, START_MS / 1000);
    fail(t, &err);
}

static void no_target(struct port *t) {
    const struct rt_kube_ports *p = t->ports;
    t->phase = PH_NO_TARGET;
    rt_error_set(&t->status.error, RT_E_UNREACHABLE, "%s", p->why_none ? p->why_none : "there is no pod to reach now");
}

static void child_start(struct port *t) {
    struct rt_kube_ports *p = t->ports;
    struct rt_error err;
    struct rt_strs argv = {0};
    if (!p->target) {
        no_target(t);
        return;
    }
    rt_buf_clear(&t->out);
    rt_buf_clear(&t->words);
    t->phase = PH_STARTING;
    rt_kube_argv(p->kube, &argv);
    rt_strs_add(&argv, "port-forward");
    rt_strs_add(&argv, "--namespace");
    rt_strs_add(&argv, p->space);
    rt_strs_add(&argv, "--address");
    rt_strs_add(&argv, "127.0.0.1");
    rt_strs_add(&argv, p->target);
    rt_strs_addf(&argv, ":%d", t->port);
    const struct rt_proc_opts o = {.argv = (const char *const *)argv.v, .own_session = true, .output = on_child_output};
    t->proc = rt_proc_start(p->loop, &o, on_child_exit, t, &err);
    rt_strs_deinit(&argv);
    if (!t->proc) {
        fail(t, &err);
        return;
    }
    t->pid = rt_proc_pid(t->proc);
    rt_kube_child_note(t->pid);
    phase_timer(t, START_MS, on_child_late);
}

static struct port *port_of(struct rt_kube_ports *p, int port) {
    for (size_t i = 0; i < p->all.n; i++)
        if (p->all.v[i]->port == port)
            return p->all.v[i];
    struct port *t = RT_NEW(struct port);
    t->ports = p;
    t->port = port;
    t->fd = -1;
    rt_buf_init(&t->out, 0);
    rt_buf_init(&t->words, 0);
    *rt_vec_push(&p->all) = t;
    child_start(t);
    return t;
}

/* ---- the dialer ---- */

static struct stream *new_stream(struct rt_kube_ports *p, int fd, int port, struct rt_splice *to) {
    struct stream *s = RT_NEW(struct stream);
    s->op.cancel = stream_cancel;
    s->ports = p;
    s->fd = fd;
    s->to = to ? to : &s->own;
    s->end = s->to->end;
    s->ctx = s->to->ctx;
    s->to->end = on_relayed;
    s->to->ctx = s;
    *rt_vec_push(&p->streams) = s;
    s->port = port_of(p, port);
    s->limit = rt_timer_start(p->loop, STREAM_WAIT_MS, 0, on_stream_late, s);
    if (s->port->phase == PH_UP)
        stream_go(s);
    return s;
}

static struct rt_op *ports_splice(void *ctx, int fd, const char *host, int port, struct rt_splice *to) {
    (void)host;
    return &new_stream(ctx, fd, port, to)->op;
}

static int ports_dial(void *ctx, const char *host, int port, struct rt_error *err) {
    int pair[2];
    (void)host;
    if (!rt_fd_pair(pair, err))
        return -1;
    new_stream(ctx, pair[1], port, NULL);
    return pair[0];
}

static bool ports_error(void *ctx, struct rt_error *err) {
    const struct rt_kube_ports *p = ctx;
    if (p->error.code)
        *err = p->error;
    return p->error.code != RT_OK;
}

/* ---- life ---- */

struct rt_kube_ports *rt_kube_ports_create(struct rt_kube *k, struct rt_loop *l) {
    struct rt_kube_ports *p = RT_NEW(struct rt_kube_ports);
    p->kube = k;
    p->loop = l;
    p->dialer = (struct rt_dialer){.dial = ports_dial, .error = ports_error, .splice = ports_splice, .ctx = p};
    return p;
}

struct rt_kubes *rt_kube_ports_kubes(const struct rt_kube_ports *p) {
    return p->kube->kubes;
}

bool rt_kube_ports_carried(const struct rt_kube_ports *p) {
    return p->all.n > 0;
}

bool rt_kube_ports_failing(const struct rt_kube_ports *p) {
    for (size_t i = 0; i < p->all.n; i++)
        if (p->all.v[i]->status.attempt)
            return true;
    return false;
}

void rt_kube_ports_close(struct rt_kube_ports *p) {
    struct rt_error err;
    rt_error_set(&err, RT_E_UNREACHABLE, "the ports of the pod are not carried any more");
    for (size_t i = 0; i < p->streams.n; i++) {
        p->streams.v[i]->port = NULL;
        stream_end(p->streams.v[i], &err);
    }
    for (size_t i = 0; i < p->all.n; i++) {
        struct port *t = p->all.v[i];
        child_drop(t);
        rt_buf_deinit(&t->out);
        rt_buf_deinit(&t->words);
        free(t);
    }
    p->all.n = 0;
}

void rt_kube_ports_rest(struct rt_kube_ports *p) {
    rt_kube_ports_turn(p, true, true); /* out of the line */
    rt_kube_ports_close(p);
}

void rt_kube_ports_begin(struct rt_kube_ports *p, int port) {
    port_of(p, port);
}

void rt_kube_ports_destroy(struct rt_kube_ports *p) {
    if (!p)
        return;
    rt_kube_ports_rest(p);
    while (p->streams.n)
        stream_free(p->streams.v[p->streams.n - 1]);
    rt_vec_deinit(&p->all);
    rt_vec_deinit(&p->streams);
    free(p->space);
    free(p->target);
    free(p->why_none);
    free(p);
}

void rt_kube_ports_target(struct rt_kube_ports *p, const char *space, const char *target, const char *why_none) {
    const bool same = rt_streq(p->target, target) && rt_streq(p->space, space);
    if (!rt_streq(p->why_none, why_none)) {
        free(p->why_none);
        p->why_none = rt_strdup(why_none);
    }
    if (!same) {
        free(p->target);
        free(p->space);
        p->target = rt_strdup(target);
        p->space = rt_strdup(space);
    }
    for (size_t i = 0; i < p->all.n; i++) {
        struct port *t = p->all.v[i];
        if (!same) {
            child_drop(t);
            t->status.attempt = 0;
            child_start(t);
        } else if (t->phase == PH_NO_TARGET) {
            no_target(t);
        }
    }
}

const struct rt_dialer *rt_kube_ports_dialer(struct rt_kube_ports *p) {
    return &p->dialer;
}

bool rt_kube_ports_status(const struct rt_kube_ports *p, int port, struct rt_kube_port_status *out) {
    for (size_t i = 0; i < p->all.n; i++)
        if (p->all.v[i]->port == port) {
            *out = p->all.v[i]->status;
            return true;
        }
    return false;
}
