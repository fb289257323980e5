/* A session on the loop: pumps its channels, opens them one at a time, notices when the far side is
 * gone.
 *
 * Any libssh2 call may take in packets of every other channel. So the socket is read only inside
 * pump(), which gives each channel its turn until nothing moves; elsewhere `io->dry` keeps libssh2
 * off it. */
#include "net/ssh_chan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    TURN_US = 4000, /* a pump may take this much of a turn */
    ROUND_BYTES =
        64 * 1024,   /* more would pile up in libssh2's list of packets, which each read walks */
    OPEN_MS = 10000, /* for a channel, in the queue and under way */
    STUCK_MS = 3000,
    PROBE_MS = 5000, /* between a keepalive without answer and the next */
    PROBES = 2
};

/* ---- the end ---- */

static void tell_lost(void *ctx) {
    struct rt_ssh *s = ctx;
    s->dying = NULL;
    struct rt_error err = s->error;
    s->events.lost(s->events.ctx, &err);
}

static void die(struct rt_ssh *s, const char *why) {
    if (s->dead)
        return;
    s->dead = true;
    s->io->refuse = true;
    rt_error_set(&s->error, RT_E_UNREACHABLE, "%s: %s", s->shown, why);
    rt_fd_events(s->watch, 0);
    s->dying = rt_loop_defer(s->loop, tell_lost, s);
}

bool rt_ssh_fatal(struct rt_ssh *s, ssize_t rc) {
    if (s->io->eof) {
        die(s, s->io->err_no ? strerror(s->io->err_no) : "the host closed the connection");
    } else if (rc == LIBSSH2_ERROR_SOCKET_DISCONNECT || rc == LIBSSH2_ERROR_SOCKET_RECV ||
               rc == LIBSSH2_ERROR_SOCKET_SEND || rc == LIBSSH2_ERROR_DECRYPT ||
               rc == LIBSSH2_ERROR_INVALID_MAC || rc == LIBSSH2_ERROR_PROTO) {
        char *why = NULL, clean[200];
        libssh2_session_last_error(s->session, &why, NULL, 0);
        die(s, rt_clean_to(clean, sizeof clean, why ? why : "the connection broke"));
    }
    return s->dead;
}

/* ---- the pump ---- */

static void on_more(void *ctx);

void rt_ssh_pump_soon(struct rt_ssh *s) {
    if (!s->more && !s->dead)
        s->more = rt_loop_defer(s->loop, on_more, s);
}

static bool read_idle(struct rt_ssh *s) {
    ssize_t n;
    bool moved = false;
    if (!s->idle)
        return false;
    while ((n = libssh2_channel_read(s->idle, s->scratch, sizeof s->scratch)) > 0)
        moved = true;
    if (n < 0 && n != LIBSSH2_ERROR_EAGAIN)
        rt_ssh_fatal(s, n);
    return moved;
}

static bool close_some(struct rt_ssh *s) {
    bool moved = false;
    for (size_t i = s->closing.n; i-- > 0;)
        if (libssh2_channel_free(s->closing.v[i]) != LIBSSH2_ERROR_EAGAIN) {
            rt_vec_remove(&s->closing, i);
            moved = true;
        }
    return moved;
}

static void set_events(struct rt_ssh *s) {
    int events = s->dead ? 0 : RT_READ | (rt_ssh_io_queued(s->io) > 0 ? RT_WRITE : 0);
    if (events == s->watched)
        return;
    s->watched = events;
    rt_fd_events(s->watch, events);
}

static void refuse_open(struct rt_chan *c, const char *why) {
    struct rt_error err;
    struct rt_ssh *s = c->ssh;
    bool orphan = c->orphan;
    if (c->ops->is_exec)
        rt_error_set(&err, RT_E_REMOTE, "%s: no command can be run: %s", s->shown, why);
    else
        rt_error_set(&err, RT_E_UNREACHABLE, "%s:%d is not reached from %s: %s", c->host, c->port,
                     s->shown, why);
    rt_chan_leave(c);
    if (!orphan)
        c->ops->failed(c, &err);
}

/* sshd has fewer places than we thought: wait for one of our own to become free. */
static bool requeue(struct rt_ssh *s, struct rt_chan *c) {
    if (!c->ops->is_exec || s->execs <= 1 || c->orphan)
        return false;
    s->execs--;
    s->max_execs = s->execs;
    c->state = RT_CHAN_QUEUED;
    return true;
}

/* "Channel open failure (connect failed)" -> "connect failed" */
static void open_failed(struct rt_ssh *s, struct rt_chan *c) {
    char *why = NULL, text[200];
    int rc = libssh2_session_last_error(s->session, &why, NULL, 0);
    if (rt_ssh_fatal(s, rc) || requeue(s, c))
        return;
    rt_clean_to(text, sizeof text, why ? why : "refused");
    char *open = strchr(text, '('), *shut = open ? strrchr(open, ')') : NULL;
    if (shut)
        *shut = '\0';
    refuse_open(c, shut ? open + 1 : text);
}

static struct rt_chan *next_to_open(struct rt_ssh *s) {
    struct rt_chan *first = NULL;
    for (size_t i = 0; i < s->chans.n; i++) {
        struct rt_chan *c = s->chans.v[i];
        if (c->state == RT_CHAN_OPENING)
            return c;
        if (!first && c->state == RT_CHAN_QUEUED && (!c->ops->is_exec || s->execs < s->max_execs))
            first = c;
    }
    if (first) {
        first->state = RT_CHAN_OPENING;
        s->execs += first->ops->is_exec;
    }
    return first;
}

/* libssh2 keeps the state of an open in the session: only one at a time. */
static bool open_some(struct rt_ssh *s) {
    bool moved = false;
    struct rt_chan *c;
    while (!s->dead && (c = next_to_open(s)) != NULL) {
        c->c = c->ops->is_exec
                   ? libssh2_channel_open_session(s->session)
                   : libssh2_channel_direct_tcpip_ex(s->session, c->host, c->port, "127.0.0.1", 0);
        c->pending = !c->c && libssh2_session_last_errno(s->session) == LIBSSH2_ERROR_EAGAIN;
        if (c->pending)
            return moved;
        moved = true;
        if (c->c) {
            c->state = RT_CHAN_OPEN;
            if (c->orphan)
                rt_chan_leave(c);
        } else {
            open_failed(s, c);
        }
    }
    return moved;
}

static bool step_all(struct rt_ssh *s) {
    bool moved = false;
    /* From the back: a step may take its channel out of the list. */
    for (size_t i = s->chans.n; i-- > 0 && !s->dead;)
        if (i < s->chans.n && s->chans.v[i]->state == RT_CHAN_OPEN)
            moved |= s->chans.v[i]->ops->step(s->chans.v[i]);
    return moved;
}

static void watch_all(struct rt_ssh *s) {
    for (size_t i = 0; i < s->chans.n; i++)
        if (s->chans.v[i]->state == RT_CHAN_OPEN && s->chans.v[i]->ops->watch)
            s->chans.v[i]->ops->watch(s->chans.v[i]);
    set_events(s);
}

/* Without an idle channel and without any other nobody can read; at least the end is noticed. */
static void peek(struct rt_ssh *s) {
    char c;
    if (s->dead || s->idle || s->chans.n > 0 || s->closing.n > 0)
        return;
    ssize_t n = recv(s->io->fd, &c, 1, MSG_PEEK);
    if (n == 0)
        die(s, "the host closed the connection");
    else if (n > 0) {
        s->watched = 0;
        rt_fd_events(s->watch, 0);
    }
}

static void pump(struct rt_ssh *s) {
    int64_t until = rt_mono_us() + TURN_US;
    bool moved = true;
    if (s->dead || s->pumping)
        return;
    s->pumping = true;
    s->io->dry = false;
    while (moved && !s->dead) {
        int64_t before = s->io->bytes_in;
        s->io->budget = ROUND_BYTES;
        moved = read_idle(s);
        moved |= open_some(s);
        moved |= step_all(s);
        moved |= close_some(s);
        moved |= s->io->bytes_in != before;
        rt_ssh_io_flush(s->io);
        if (s->io->eof)
            rt_ssh_fatal(s, 0);
        if (moved && rt_mono_us() > until)
            break;
    }
    s->pumping = false;
    if (moved)
        rt_ssh_pump_soon(s);
    else
        s->io->dry = true;
    watch_all(s);
    peek(s);
}

static void on_more(void *ctx) {
    struct rt_ssh *s = ctx;
    s->more = NULL;
    pump(s);
}

static void on_socket(void *ctx, int events) {
    struct rt_ssh *s = ctx;
    (void)events;
    rt_ssh_io_flush(s->io);
    pump(s);
}

void rt_ssh_kick(struct rt_ssh *s) {
    if (s->dead || s->pumping)
        return;
    rt_ssh_io_flush(s->io);
    if (s->io->eof)
        rt_ssh_fatal(s, 0);
    set_events(s);
}

/* ---- channels come and go ---- */

static void give_up_open(struct rt_chan *c) {
    struct rt_ssh *s = c->ssh;
    struct rt_error err;
    rt_error_set(&err, RT_E_TIMEOUT, "%s:%d is not reached from %s: no answer in %d s", c->host,
                 c->port, s->shown, OPEN_MS / 1000);
    rt_chan_leave(c);
    c->ops->failed(c, &err);
}

static void on_opening(void *ctx) {
    struct rt_ssh *s = ctx;
    int64_t now = rt_mono_ms();
    bool waiting = false, hangs = false, others = false;
    for (size_t i = s->chans.n; i-- > 0;) {
        struct rt_chan *c = s->chans.v[i];
        int64_t age = now - c->queued_ms;
        if (c->state == RT_CHAN_OPEN)
            continue;
        waiting = true;
        hangs = hangs || (c->state == RT_CHAN_OPENING && age >= STUCK_MS);
        others = others || c->state == RT_CHAN_QUEUED;
        if (!c->orphan && age >= OPEN_MS && !c->ops->is_exec)
            give_up_open(c);
    }
    if (hangs && others) {
        s->events.stuck(s->events.ctx);
        return;
    }
    if (waiting)
        return;
    s->opening_on = false;
    rt_timer_again(s->opening, INT32_MAX, 0);
}

static void take_in(struct rt_ssh *s, struct rt_chan *c) {
    c->ssh = s;
    *rt_vec_push(&s->chans) = c;
    if (!s->opening_on)
        rt_timer_again(s->opening, 1000, 1000);
    s->opening_on = true;
    rt_ssh_pump_soon(s);
}

void rt_chan_add(struct rt_ssh *s, struct rt_chan *c) {
    c->state = RT_CHAN_QUEUED;
    c->queued_ms = rt_mono_ms();
    take_in(s, c);
}

void rt_ssh_move_waiting(struct rt_ssh *from, struct rt_ssh *to) {
    for (size_t i = 0; i < from->chans.n;) {
        struct rt_chan *c = from->chans.v[i];
        if (c->state != RT_CHAN_QUEUED) {
            i++;
            continue;
        }
        rt_vec_remove(&from->chans, i);
        take_in(to, c);
    }
}

bool rt_ssh_is_used(const struct rt_ssh *s) {
    for (size_t i = 0; i < s->chans.n; i++)
        if (!s->chans.v[i]->orphan)
            return true;
    return false;
}

/* libssh2 cannot take back an open that is under way: a stand-in waits for its end. */
static void leave_stand_in(struct rt_ssh *s, struct rt_chan *c, size_t at) {
    struct rt_chan *o = RT_NEW(struct rt_chan);
    *o = *c;
    o->orphan = true;
    s->chans.v[at] = o;
}

void rt_chan_leave(struct rt_chan *c) {
    struct rt_ssh *s = c->ssh;
    for (size_t i = 0; s && i < s->chans.n; i++) {
        if (s->chans.v[i] != c)
            continue;
        if (c->pending && !c->orphan && !s->dead) {
            leave_stand_in(s, c, i);
            break;
        }
        rt_vec_remove(&s->chans, i);
        if (c->ops->is_exec && c->state != RT_CHAN_QUEUED)
            s->execs--;
        break;
    }
    if (s && c->c) {
        *rt_vec_push(&s->closing) = c->c;
        rt_ssh_pump_soon(s);
    }
    c->c = NULL;
    c->ssh = NULL;
    c->state = RT_CHAN_GONE;
    if (c->orphan)
        free(c);
}

/* ---- is the far side still there? ---- */

static void on_alive(void *ctx) {
    struct rt_ssh *s = ctx;
    int next = 0;
    bool can_hear = s->idle || s->chans.n > 0;
    if (s->dead)
        return;
    if (s->io->bytes_in != s->heard) {
        s->heard = s->io->bytes_in;
        s->unanswered = 0;
        rt_timer_again(s->alive, s->alive_ms, 0);
        return;
    }
    if (s->unanswered >= PROBES && can_hear) {
        die(s, "no answer any more (keepalive)");
        return;
    }
    libssh2_keepalive_send(s->session, &next);
    s->unanswered++;
    rt_timer_again(s->alive, PROBE_MS, 0);
    rt_ssh_kick(s);
}

struct rt_ssh *rt_ssh_create(struct rt_loop *l, const struct rt_login_result *r, const char *shown,
                             int alive_s, const struct rt_ssh_events *e) {
    struct rt_ssh *s = RT_NEW(struct rt_ssh);
    s->loop = l;
    s->session = r->session;
    s->io = r->io;
    s->idle = r->idle;
    s->shown = rt_strdup(shown);
    s->events = *e;
    s->alive_ms = (int64_t)alive_s * 1000;
    s->max_execs = RT_SSH_MAX_EXEC;
    s->heard = s->io->bytes_in;
    s->io->direct = false;
    s->io->login = NULL;
    libssh2_session_set_blocking(s->session, 0);
    libssh2_session_set_timeout(s->session, 0);
    libssh2_keepalive_config(s->session, 1, 2); /* on_alive says when */
    s->watched = RT_READ;
    s->watch = rt_fd_watch(l, s->io->fd, RT_READ, on_socket, s);
    s->alive = rt_timer_start(l, s->alive_ms, 0, on_alive, s);
    s->opening = rt_timer_start(l, INT32_MAX, 0, on_opening, s);
    rt_ssh_pump_soon(s);
    return s;
}

void rt_ssh_destroy(struct rt_ssh *s) {
    struct rt_error err;
    if (!s)
        return;
    if (s->dead)
        err = s->error;
    else
        rt_error_set(&err, RT_E_UNREACHABLE, "%s: the connection was closed", s->shown);
    s->dead = true;
    while (s->chans.n > 0) {
        struct rt_chan *c = s->chans.v[s->chans.n - 1];
        bool orphan = c->orphan;
        rt_chan_leave(c);
        if (!orphan)
            c->ops->failed(c, &err);
    }
    rt_op_drop(&s->more);
    rt_op_drop(&s->dying);
    rt_timer_stop(s->alive);
    rt_timer_stop(s->opening);
    rt_fd_unwatch(s->watch);
    rt_ssh_discard(s->session, s->io); /* and all channels with it */
    rt_vec_deinit(&s->chans);
    rt_vec_deinit(&s->closing);
    free(s->shown);
    free(s);
}
