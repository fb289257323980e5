/* Two sockets, two directions. What was read is written at once; only what the other side does not
 * take is kept, and that direction then rests until it does. */
#include "net/relay.h"

#include "base/mem.h"
#include "net/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { CHUNK = 256 * 1024, ROUNDS = 8 /* a turn of the loop is shared with others */ };

struct way {
    char *rest; /* read, not yet written */
    size_t len, off;
    bool eof, shut;
    bool gone; /* not only half-closed: a Unix socket tells the difference */
};

struct side {
    struct relay *relay;
    int fd;
    struct rt_fd *watch;
    struct way way; /* from this side to the other */
};

struct relay {
    struct rt_op op;
    struct rt_loop *loop;
    struct side side[2]; /* near, far */
    struct rt_splice *s;
    struct rt_op *end; /* the end is told later, never inside start */
    struct rt_error error;
};

static void relay_free(struct relay *r) {
    rt_op_drop(&r->end);
    for (int i = 0; i < 2; i++) {
        rt_fd_unwatch(r->side[i].watch);
        close(r->side[i].fd);
        free(r->side[i].way.rest);
    }
    free(r);
}

static void relay_cancel(struct rt_op *op) {
    relay_free((struct relay *)op);
}

static void tell_end(void *ctx) {
    struct relay *r = ctx;
    r->end = NULL;
    struct rt_splice *s = r->s;
    struct rt_error e = r->error;
    relay_free(r);
    s->end(s->ctx, e.code ? &e : NULL);
}

static void finish(struct relay *r, int err_no) {
    if (r->end)
        return;
    if (err_no)
        rt_error_set(&r->error, RT_E_UNREACHABLE, "the connection broke: %s", strerror(err_no));
    for (int i = 0; i < 2; i++)
        rt_fd_events(r->side[i].watch, 0);
    r->end = rt_loop_defer(r->loop, tell_end, r);
}

static bool would_block(int err_no) {
    return err_no == EAGAIN || err_no == EWOULDBLOCK || err_no == EINTR;
}

/* Writes what is kept; -1 and errno when the other side is gone. */
static int flush(struct way *w, int to) {
    while (w->off < w->len) {
        ssize_t n = rt_fd_send(to, w->rest + w->off, w->len - w->off);
        if (n < 0)
            return would_block(errno) ? 0 : -1;
        w->off += (size_t)n;
    }
    free(w->rest);
    w->rest = NULL;
    w->len = w->off = 0;
    return 0;
}

static void keep(struct way *w, const char *data, size_t n) {
    w->rest = rt_alloc(n);
    memcpy(w->rest, data, n);
    w->len = n;
    w->off = 0;
}

/* One read and its write. 1: more may come, 0: rests, -1: broken. */
static int move(struct way *w, int from, int to, int64_t *count) {
    char chunk[CHUNK];
    ssize_t n = recv(from, chunk, sizeof chunk, 0);
    if (n < 0)
        return would_block(errno) ? 0 : -1;
    if (n == 0) {
        w->eof = true;
        w->gone = rt_fd_send(from, "", 0) < 0 && errno == EPIPE;
        return 0;
    }
    *count += n;
    ssize_t m = rt_fd_send(to, chunk, (size_t)n);
    if (m < 0 && !would_block(errno))
        return -1;
    size_t done = m > 0 ? (size_t)m : 0;
    if (done < (size_t)n) {
        keep(w, chunk + done, (size_t)n - done);
        return 0;
    }
    return n == CHUNK;
}

static int pump(struct relay *r, int i, bool readable) {
    struct way *w = &r->side[i].way;
    int from = r->side[i].fd, to = r->side[1 - i].fd;
    int64_t *count = i == 0 ? &r->s->bytes_out : &r->s->bytes_in;
    if (w->len > 0 && flush(w, to) < 0)
        return -1;
    for (int k = 0; readable && k < ROUNDS && w->len == 0 && !w->eof; k++) {
        int rc = move(w, from, to, count);
        if (rc < 0)
            return -1;
        if (rc == 0)
            break;
    }
    if (w->eof && w->len == 0 && !w->shut) {
        w->shut = true;
        shutdown(to, SHUT_WR);
    }
    return 0;
}

static void set_events(struct relay *r, int i) {
    const struct way *out = &r->side[i].way, *in = &r->side[1 - i].way;
    int events = (out->eof || out->len > 0 ? 0 : RT_READ) | (in->len > 0 ? RT_WRITE : 0);
    rt_fd_events(r->side[i].watch, events);
}

/* Only the side that is ready is read: the other one would only say EAGAIN, or calls by itself. */
static void step(struct relay *r, const struct side *ready, int events) {
    if (r->end)
        return;
    for (int i = 0; i < 2; i++)
        if (pump(r, i, ready == &r->side[i] && (events & (RT_READ | RT_HANGUP))) < 0) {
            finish(r, errno == EPIPE || errno == ECONNRESET ? 0 : errno);
            return;
        }
    bool ended = r->side[0].way.shut && r->side[1].way.shut;
    if (ended || (r->side[1].way.gone && r->side[1].way.shut)) {
        finish(r, 0);
        return;
    }
    set_events(r, 0);
    set_events(r, 1);
}

static void on_ready(void *ctx, int events) {
    const struct side *s = ctx;
    step(s->relay, s, events);
}

struct rt_op *rt_relay_start(struct rt_loop *l, int near, int far, struct rt_splice *s) {
    struct relay *r = RT_NEW(struct relay);
    r->op.cancel = relay_cancel;
    r->loop = l;
    r->s = s;
    r->side[0].fd = near;
    r->side[1].fd = far;
    for (int i = 0; i < 2; i++) {
        r->side[i].relay = r;
        r->side[i].watch = rt_fd_watch(l, r->side[i].fd, RT_READ, on_ready, &r->side[i]);
    }
    return &r->op;
}
