/* Streams through a hop: they wait for it, then run through its way. */
#include "net/hop_private.h"

#include "base/mem.h"
#include "net/tcp.h"

#include <stddef.h>
#include <stdlib.h>
#include <unistd.h>

struct dial {
    struct rt_op op;
    struct rt_hop_wait wait;
    int fd; /* -1 once the way has it */
    char *host;
    int port;
    struct rt_splice *to; /* the way counts in it; its end comes to us first */
    void (*end)(void *ctx, const struct rt_error *err); /* whose it is; NULL: nobody's */
    void *ctx;
    struct rt_splice own; /* when only a descriptor was asked for */
    struct rt_op *carried;
};

static void forget(struct dial *d) {
    struct rt_hop *h = d->wait.hop;
    for (size_t i = 0; i < h->dials.n; i++)
        if (h->dials.v[i] == &d->op) {
            rt_vec_remove(&h->dials, i);
            return;
        }
}

static void dial_free(struct dial *d) {
    forget(d);
    rt_hop_unwait(&d->wait);
    rt_op_drop(&d->carried);
    if (d->fd >= 0)
        close(d->fd);
    free(d->host);
    free(d);
}

static void dial_cancel(struct rt_op *op) {
    dial_free((struct dial *)op);
}

static void on_end(void *ctx, const struct rt_error *err) {
    struct dial *d = ctx;
    struct rt_hop *h = d->wait.hop;
    struct rt_error e = err ? *err : (struct rt_error){0};
    void (*end)(void *, const struct rt_error *) = d->end;
    void *end_ctx = d->ctx;
    d->carried = NULL;
    h->has_dial_error = err != NULL;
    h->dial_error = e;
    dial_free(d);
    if (end)
        end(end_ctx, err ? &e : NULL);
}

static void go(struct rt_hop_wait *w, const struct rt_error *err) {
    struct dial *d = (struct dial *)((char *)w - offsetof(struct dial, wait));
    if (err) {
        on_end(d, err);
        return;
    }
    int fd = d->fd;
    d->fd = -1;
    d->carried = w->hop->way->ops->splice(w->hop->way, fd, d->host, d->port, d->to);
}

static struct dial *new_dial(struct rt_hop *h, int fd, const char *host, int port,
                             struct rt_splice *to) {
    struct dial *d = RT_NEW(struct dial);
    d->op.cancel = dial_cancel;
    d->wait.hop = h;
    d->wait.go = go;
    d->fd = fd;
    d->host = rt_strdup(host);
    d->port = port;
    d->to = to ? to : &d->own;
    d->end = d->to->end;
    d->ctx = d->to->ctx;
    d->to->end = on_end;
    d->to->ctx = d;
    return d;
}

static struct rt_op *hop_splice(void *ctx, int fd, const char *host, int port,
                                struct rt_splice *s) {
    struct rt_hop *h = ctx;
    struct dial *d = new_dial(h, fd, host, port, s);
    rt_hop_await(h, &d->wait);
    return &d->op;
}

static int hop_dial(void *ctx, const char *host, int port, struct rt_error *err) {
    struct rt_hop *h = ctx;
    int pair[2];
    if (!rt_fd_pair(pair, err))
        return -1;
    struct dial *d = new_dial(h, pair[1], host, port, NULL);
    *rt_vec_push(&h->dials) = &d->op;
    rt_hop_await(h, &d->wait);
    return pair[0];
}

static bool hop_error(void *ctx, struct rt_error *err) {
    const struct rt_hop *h = ctx;
    if (h->has_dial_error)
        *err = h->dial_error;
    return h->has_dial_error;
}

void rt_hop_dialer_init(struct rt_hop *h) {
    h->dialer =
        (struct rt_dialer){.dial = hop_dial, .error = hop_error, .ctx = h, .splice = hop_splice};
}

void rt_hop_drop_dials(struct rt_hop *h) {
    while (h->dials.n > 0)
        rt_op_cancel(h->dials.v[h->dials.n - 1]);
}

const struct rt_dialer *rt_hop_dialer(struct rt_hop *h) {
    return &h->dialer;
}
