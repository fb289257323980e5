/* The listener of a forward and the connections behind it. Bytes are carried by the dialer itself
 * where it can do that, else by a relay. */
#include "net/forward.h"

#include "base/mem.h"
#include "base/vec.h"
#include "net/port.h"
#include "net/relay.h"
#include "net/tcp.h"

#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum {
    WAIT_MS = 5000, /* for the way to come up */
    WAIT_STEP_MS = 50,
    REFUSE_MS = 1000,   /* for the client to notice that it was refused */
    CONNECT_MS = 10000, /* straight TCP */
    ACCEPTS = 64,       /* in one turn */
    SEARCH = 200,       /* ports tried from first_free */
    MAX_OPEN = 1000
};

enum phase { WAITING, CONNECTING, CARRIED, REFUSED };

struct conn {
    struct rt_forward *f;
    enum phase phase;
    int fd; /* -1 once it is carried */
    int64_t until_ms;
    struct rt_op *op;    /* the connect, or what carries it */
    struct rt_fd *watch; /* of a refused one: its input is read away */
    struct rt_splice splice;
    int64_t seen_in, seen_out;
};

struct rt_forward {
    struct rt_loop *loop;
    struct rt_forward_opts opts;
    char *host;
    int fd;
    struct rt_fd *watch;
    struct rt_timer *timer; /* runs while somebody waits or is being refused */
    bool ticking;
    RT_VEC(struct conn *) conns;
    struct rt_forward_status status;
};

/* ---- connections ---- */

static void conn_free(struct conn *c) {
    rt_op_drop(&c->op);
    rt_fd_unwatch(c->watch);
    if (c->fd >= 0)
        close(c->fd);
    free(c);
}

static void count_bytes(struct conn *c) {
    struct rt_forward_status *s = &c->f->status;
    s->bytes_in += c->splice.bytes_in - c->seen_in;
    s->bytes_out += c->splice.bytes_out - c->seen_out;
    c->seen_in = c->splice.bytes_in;
    c->seen_out = c->splice.bytes_out;
}

static void conn_remove(struct conn *c) {
    struct rt_forward *f = c->f;
    for (size_t i = 0; i < f->conns.n; i++)
        if (f->conns.v[i] == c) {
            rt_vec_remove(&f->conns, i);
            break;
        }
    count_bytes(c);
    conn_free(c);
}

static void tick_on(struct rt_forward *f) {
    if (!f->ticking)
        rt_timer_again(f->timer, WAIT_STEP_MS, WAIT_STEP_MS);
    f->ticking = true;
}

static void on_refused_input(void *ctx, int events) {
    struct conn *c = ctx;
    char away[4096];
    (void)events;
    ssize_t n = recv(c->fd, away, sizeof away, 0);
    if (n == 0 || (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR))
        conn_remove(c);
}

/* End-of-file, not a reset: what the client has sent already is read before the descriptor goes. */
static void refuse(struct conn *c) {
    struct rt_forward *f = c->f;
    shutdown(c->fd, SHUT_WR);
    c->phase = REFUSED;
    c->until_ms = rt_loop_now_ms(f->loop) + REFUSE_MS;
    c->watch = rt_fd_watch(f->loop, c->fd, RT_READ, on_refused_input, c);
    tick_on(f);
}

static void on_carried(void *ctx, const struct rt_error *err) {
    struct conn *c = ctx;
    struct rt_forward_status *s = &c->f->status;
    const struct rt_dialer *d = c->f->opts.dialer;
    c->op = NULL;
    if (err)
        s->error = *err;
    else if (c->splice.bytes_in > 0 || !d || d->splice || !d->error(d->ctx, &s->error))
        rt_error_clear(&s->error);
    conn_remove(c);
}

static void carry(struct conn *c, int far) {
    int fd = c->fd;
    c->fd = -1;
    c->phase = CARRIED;
    c->splice = (struct rt_splice){.end = on_carried, .ctx = c};
    c->op = rt_relay_start(c->f->loop, fd, far, &c->splice);
}

static void on_connected(void *ctx, int far, const struct rt_error *err) {
    struct conn *c = ctx;
    c->op = NULL;
    if (err) {
        c->f->status.error = *err;
        refuse(c);
        return;
    }
    carry(c, far);
}

static void dial(struct conn *c) {
    struct rt_forward *f = c->f;
    const struct rt_dialer *d = f->opts.dialer;
    if (!d) {
        c->phase = CONNECTING;
        c->op = rt_tcp_connect(f->loop, f->host, f->opts.port, CONNECT_MS, on_connected, c);
        return;
    }
    if (d->splice) {
        int fd = c->fd;
        c->fd = -1;
        c->phase = CARRIED;
        c->splice = (struct rt_splice){.end = on_carried, .ctx = c};
        c->op = d->splice(d->ctx, fd, f->host, f->opts.port, &c->splice);
        return;
    }
    int far = d->dial(d->ctx, f->host, f->opts.port, &f->status.error);
    if (far < 0)
        refuse(c);
    else
        carry(c, far);
}

static bool is_ready(const struct rt_forward *f) {
    return !f->opts.ready || f->opts.ready(f->opts.ready_ctx);
}

static void add_conn(struct rt_forward *f, int fd) {
    struct conn *c = RT_NEW(struct conn);
    c->f = f;
    c->fd = fd;
    c->phase = WAITING;
    c->until_ms = rt_loop_now_ms(f->loop) + WAIT_MS;
    *rt_vec_push(&f->conns) = c;
    f->status.connections_total++;
    if (is_ready(f))
        dial(c);
    else
        tick_on(f);
}

/* ---- the listener ---- */

static void on_tick(void *ctx) {
    struct rt_forward *f = ctx;
    int64_t now = rt_loop_now_ms(f->loop);
    bool ready = is_ready(f), needed = false;
    for (size_t i = f->conns.n; i-- > 0;) {
        struct conn *c = f->conns.v[i];
        if (c->phase == WAITING && ready)
            dial(c);
        else if (c->phase == WAITING && now >= c->until_ms)
            refuse(c);
        else if (c->phase == REFUSED && now >= c->until_ms) {
            conn_remove(c);
            continue;
        }
        needed = needed || c->phase == WAITING || c->phase == REFUSED;
    }
    if (f->fd >= 0)
        rt_fd_events(f->watch, RT_READ); /* it rests when descriptors run out */
    if (!needed) {
        f->ticking = false;
        rt_timer_again(f->timer, INT32_MAX, 0);
    }
}

static void on_incoming(void *ctx, int events) {
    struct rt_forward *f = ctx;
    (void)events;
    for (int i = 0; i < ACCEPTS; i++) {
        int fd = accept(f->fd, NULL, NULL);
        if (fd < 0) {
            if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
                rt_error_set(&f->status.error, RT_E_LIMIT, "accept: %s", strerror(errno));
                rt_fd_events(f->watch, 0);
                tick_on(f);
            }
            return;
        }
        if (f->conns.n >= MAX_OPEN || !rt_fd_prepare(fd)) {
            rt_error_set(&f->status.error, RT_E_LIMIT, "more than %d connections at once",
                         MAX_OPEN);
            close(fd);
            continue;
        }
        rt_tcp_nodelay(fd);
        add_conn(f, fd);
    }
}

static int search(const struct rt_forward_opts *o) {
    for (int i = 0; o->first_free > 0 && i < SEARCH && o->first_free + i <= 65535; i++) {
        int port = o->first_free + i;
        int fd = port == o->local_port ? -1 : rt_port_listen(port);
        if (fd >= 0)
            return fd;
    }
    return rt_port_listen(0);
}

static int find_port(const struct rt_forward_opts *o, struct rt_forward_status *s) {
    if (o->local_port == 0)
        return search(o);
    int fd = rt_port_listen(o->local_port);
    if (fd >= 0)
        return fd;
    int err_no = errno;
    char holder[80];
    s->moved = true;
    if (err_no == EADDRINUSE) {
        rt_port_holder(o->local_port, holder, sizeof holder);
        snprintf(s->note, sizeof s->note, "%s%d is held by %s",
                 o->pinned ? "the port asked for, " : "", o->local_port, holder);
    } else {
        snprintf(s->note, sizeof s->note, "%d: %s", o->local_port, strerror(err_no));
    }
    return search(o);
}

static int port_of(int fd) {
    struct sockaddr_in a = {0};
    socklen_t n = sizeof a;
    return getsockname(fd, (struct sockaddr *)&a, &n) == 0 ? ntohs(a.sin_port) : 0;
}

struct rt_forward *rt_forward_open(struct rt_loop *l, const struct rt_forward_opts *o,
                                   struct rt_error *err) {
    struct rt_forward_status s = {0};
    int fd = find_port(o, &s);
    if (fd < 0 || !rt_fd_prepare(fd)) {
        rt_error_set(err, RT_E_IO, "no local port for %s:%d: %s", o->host, o->port,
                     strerror(errno));
        if (fd >= 0)
            close(fd);
        return NULL;
    }
    struct rt_forward *f = RT_NEW(struct rt_forward);
    f->loop = l;
    f->opts = *o;
    f->host = rt_strdup(o->host);
    f->opts.host = f->host;
    f->fd = fd;
    f->status = s;
    f->status.local_port = port_of(fd);
    f->watch = rt_fd_watch(l, fd, RT_READ, on_incoming, f);
    f->timer = rt_timer_start(l, INT32_MAX, 0, on_tick, f);
    return f;
}

void rt_forward_close(struct rt_forward *f) {
    if (!f)
        return;
    rt_fd_unwatch(f->watch);
    rt_timer_stop(f->timer);
    close(f->fd);
    for (size_t i = 0; i < f->conns.n; i++)
        conn_free(f->conns.v[i]);
    rt_vec_deinit(&f->conns);
    free(f->host);
    free(f);
}

const struct rt_forward_status *rt_forward_status(const struct rt_forward *f) {
    /* The counters of open connections are added when somebody looks. */
    struct rt_forward_status *s = (struct rt_forward_status *)(uintptr_t)&f->status;
    s->connections = 0;
    for (size_t i = 0; i < f->conns.n; i++) {
        count_bytes(f->conns.v[i]);
        s->connections += f->conns.v[i]->phase != REFUSED;
    }
    return s;
}
