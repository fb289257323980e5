/* A socket of ours and a direct-tcpip channel. What comes is sent on at once; what our side does
 * not take is kept, and that channel is not read until it does: its window then stops the far side,
 * and no other channel suffers. From our side only as much is read as the window and the session's
 * socket will take. */
#include "net/ssh_chan.h"

#include "net/tcp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { STEPS = 4 };

struct stream {
    struct rt_chan chan;
    struct rt_loop *loop;
    int fd;
    struct rt_fd *watch;
    int events;
    struct rt_splice *to;
    char *rest; /* came, not yet taken by our side */
    size_t rest_len, rest_off;
    bool readable, writable;  /* our side, as far as we know */
    bool near_eof, far_eof;   /* has ended */
    bool near_shut, far_shut; /* was told so */
    struct rt_op *later;      /* the end is told outside of the pump */
    struct rt_error error;
};

static void stream_free(struct stream *t) {
    rt_op_drop(&t->later);
    rt_fd_unwatch(t->watch);
    if (t->fd >= 0)
        close(t->fd);
    free(t->rest);
    free(t);
}

static void stream_cancel(struct rt_op *op) {
    struct stream *t = (struct stream *)op;
    if (t->chan.ssh)
        rt_chan_leave(&t->chan);
    stream_free(t);
}

static void tell_end(void *ctx) {
    struct stream *t = ctx;
    t->later = NULL;
    struct rt_splice *to = t->to;
    struct rt_error err = t->error;
    stream_free(t);
    to->end(to->ctx, err.code ? &err : NULL);
}

static void end(struct stream *t) {
    if (t->chan.ssh)
        rt_chan_leave(&t->chan);
    rt_fd_unwatch(t->watch);
    t->watch = NULL;
    close(t->fd); /* our side reads end-of-file now, whoever is told later */
    t->fd = -1;
    t->later = rt_loop_defer(t->loop, tell_end, t);
}

static void stream_failed(struct rt_chan *c, const struct rt_error *err) {
    struct stream *t = (struct stream *)c;
    t->error = *err;
    end(t);
}

static bool would_block(int err_no) {
    return err_no == EAGAIN || err_no == EWOULDBLOCK || err_no == EINTR;
}

/* Our side is gone: the far side is told by the close of the channel. */
static void near_gone(struct stream *t) {
    t->near_eof = t->near_shut = t->far_eof = t->far_shut = true;
    t->rest_len = t->rest_off = 0;
}

static size_t give(struct stream *t, const char *data, size_t n) {
    ssize_t m = rt_fd_send(t->fd, data, n);
    if (m < 0 && !would_block(errno)) {
        near_gone(t);
        return n;
    }
    size_t done = m > 0 ? (size_t)m : 0;
    t->writable = done == n;
    t->to->bytes_in += (int64_t)done;
    return done;
}

static bool flush_rest(struct stream *t) {
    if (t->rest_off == t->rest_len || !t->writable)
        return false;
    t->rest_off += give(t, t->rest + t->rest_off, t->rest_len - t->rest_off);
    if (t->rest_off >= t->rest_len) {
        free(t->rest);
        t->rest = NULL;
        t->rest_off = t->rest_len = 0;
    }
    return true;
}

static void keep_rest(struct stream *t, const char *data, size_t n) {
    t->rest = rt_alloc(n);
    memcpy(t->rest, data, n);
    t->rest_len = n;
    t->rest_off = 0;
}

static bool from_far(struct stream *t) {
    struct rt_ssh *s = t->chan.ssh;
    bool moved = flush_rest(t);
    if (t->rest_len > 0 || t->far_eof || !t->writable)
        return moved;
    ssize_t n = libssh2_channel_read(t->chan.c, s->scratch, sizeof s->scratch);
    if (n > 0) {
        size_t done = give(t, s->scratch, (size_t)n);
        if (done < (size_t)n)
            keep_rest(t, s->scratch + done, (size_t)n - done);
        return true;
    }
    if (n == LIBSSH2_ERROR_EAGAIN || (n == 0 && !libssh2_channel_eof(t->chan.c)))
        return moved;
    if (n < 0 && rt_ssh_fatal(s, n))
        return moved;
    t->far_eof = true;
    return true;
}

static bool send_all(struct stream *t, const char *data, size_t n) {
    while (n > 0) {
        ssize_t m = libssh2_channel_write(t->chan.c, data, n);
        if (m <= 0) {
            /* The window was looked at before, and the socket takes all: this is an end. */
            if (!rt_ssh_fatal(t->chan.ssh, m))
                near_gone(t);
            return false;
        }
        data += m;
        n -= (size_t)m;
        t->to->bytes_out += m;
    }
    return true;
}

/* How much may be read from our side now. */
static size_t room(const struct stream *t) {
    if (rt_ssh_io_queued(t->chan.ssh->io) >= RT_SSH_OUT_HIGH)
        return 0;
    return RT_MIN((size_t)libssh2_channel_window_write(t->chan.c), (size_t)RT_SSH_WRITE);
}

static bool from_near(struct stream *t) {
    struct rt_ssh *s = t->chan.ssh;
    size_t n = t->readable && !t->near_eof ? room(t) : 0;
    if (n == 0)
        return false;
    ssize_t got = recv(t->fd, s->scratch, n, 0);
    if (got < 0 && would_block(errno)) {
        t->readable = false;
        return false;
    }
    if (got < 0) {
        near_gone(t);
    } else if (got == 0) {
        t->near_eof = true;
    } else {
        t->readable = (size_t)got == n; /* a short read has emptied it */
        send_all(t, s->scratch, (size_t)got);
    }
    return true;
}

static bool pass_ends(struct stream *t) {
    bool moved = false;
    if (t->far_eof && t->rest_len == 0 && !t->near_shut) {
        shutdown(t->fd, SHUT_WR);
        t->near_shut = moved = true;
    }
    if (t->near_eof && !t->far_shut) {
        libssh2_channel_send_eof(t->chan.c);
        t->far_shut = moved = true;
    }
    return moved;
}

static bool stream_step(struct rt_chan *c) {
    struct stream *t = (struct stream *)c;
    bool moved = from_far(t);
    if (!c->ssh->dead)
        moved |= from_near(t);
    if (!c->ssh->dead)
        moved |= pass_ends(t);
    if (t->near_shut && t->far_shut && t->rest_len == 0) {
        end(t);
        return true;
    }
    return moved;
}

static void stream_watch(struct rt_chan *c) {
    struct stream *t = (struct stream *)c;
    int events = (!t->near_eof && !t->readable ? RT_READ : 0) | (t->writable ? 0 : RT_WRITE);
    if (events == t->events || !t->watch)
        return;
    t->events = events;
    rt_fd_events(t->watch, events);
}

static void on_near(void *ctx, int events) {
    struct stream *t = ctx;
    struct rt_ssh *s = t->chan.ssh;
    t->readable = t->readable || (events & (RT_READ | RT_HANGUP)) != 0;
    t->writable = t->writable || (events & RT_WRITE) != 0;
    if (!s || t->chan.state != RT_CHAN_OPEN) {
        rt_fd_events(t->watch, t->events = 0);
        return;
    }
    bool moved = true;
    for (int i = 0; i < STEPS && moved && t->chan.ssh;
         i++) /* all that is there: nobody wakes us for it again */
        moved = stream_step(&t->chan);
    if (moved && t->chan.ssh)
        rt_ssh_pump_soon(s);
    if (t->watch)
        stream_watch(&t->chan);
    rt_ssh_kick(s);
}

static const struct rt_chan_ops stream_ops = {
    .step = stream_step, .watch = stream_watch, .failed = stream_failed};

struct rt_op *rt_ssh_splice(struct rt_ssh *s, int fd, const char *host, int port,
                            struct rt_splice *to) {
    struct stream *t = RT_NEW(struct stream);
    t->chan.op.cancel = stream_cancel;
    t->chan.ops = &stream_ops;
    snprintf(t->chan.host, sizeof t->chan.host, "%s", host);
    t->chan.port = port;
    t->loop = s->loop;
    t->fd = fd;
    t->to = to;
    t->writable = true;
    t->readable = true; /* the client may have spoken before the channel was there */
    t->watch = rt_fd_watch(s->loop, fd, 0, on_near, t);
    rt_chan_add(s, &t->chan);
    return &t->chan.op;
}
