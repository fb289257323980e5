/* The event loop over libuv: turns, timers, descriptors and signals; see loop.h. */
#include "net/loop.h"
#include "base/log.h"
#include "base/mem.h"
#include "net/loop_uv.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* Deferred calls stand in a ring whose head is no call itself, so that each can be unlinked from
 * wherever it is. */
struct link {
    struct link *next, *prev;
};

struct rt_loop {
    uv_loop_t uv;
    uv_idle_t idle;      /* active while calls are queued: then a turn does not wait */
    struct link queued;  /* for the next turn */
    struct link running; /* of this turn */
    struct rt_loop_rest rest;
    struct rt_lookup *lookups;
    bool stopped;
};

struct deferred {
    struct rt_op op;
    struct link link;
    rt_loop_fn *fn;
    void *ctx;
};

static void link_init(struct link *head) {
    head->next = head->prev = head;
}

static void link_add(struct link *head, struct link *l) {
    l->prev = head->prev;
    l->next = head;
    head->prev->next = l;
    head->prev = l;
}

static void link_remove(struct link *l) {
    l->prev->next = l->next;
    l->next->prev = l->prev;
}

static struct deferred *deferred_of(struct link *l) {
    return (struct deferred *)(void *)((char *)l - offsetof(struct deferred, link));
}

/* What is deferred meanwhile waits for the next turn, so that a call that defers itself for ever
 * lets the others live. */
static void run_deferred(uv_idle_t *idle) {
    struct rt_loop *l = idle->data;
    while (l->queued.next != &l->queued) {
        struct link *first = l->queued.next;
        link_remove(first);
        link_add(&l->running, first);
    }
    while (l->running.next != &l->running) {
        struct deferred *d = deferred_of(l->running.next);
        rt_loop_fn *fn = d->fn;
        void *ctx = d->ctx;
        rt_op_cancel(&d->op);
        fn(ctx);
    }
    if (l->queued.next == &l->queued)
        uv_idle_stop(idle);
}

static void deferred_cancel(struct rt_op *op) {
    struct deferred *d = (struct deferred *)op;
    link_remove(&d->link);
    free(d);
}

struct rt_op *rt_loop_defer(struct rt_loop *l, rt_loop_fn *fn, void *ctx) {
    struct deferred *d = RT_NEW(struct deferred);
    d->op.cancel = deferred_cancel;
    d->fn = fn;
    d->ctx = ctx;
    link_add(&l->queued, &d->link);
    uv_idle_start(&l->idle, run_deferred);
    return &d->op;
}

/* A peer that hangs up must give an error on the descriptor, not end the program. */
static void ignore_sigpipe(void) {
    struct sigaction sa;
    memset(&sa, 0, sizeof sa);
    sa.sa_handler = SIG_IGN;
    sigaction(SIGPIPE, &sa, NULL);
}

struct rt_loop *rt_loop_create(struct rt_error *err) {
    struct rt_loop *l = RT_NEW(struct rt_loop);
    int rc = uv_loop_init(&l->uv);
    if (rc != 0) {
        free(l);
        rt_error_set(err, RT_E_LIMIT, "cannot start the event loop: %s", uv_strerror(rc));
        return NULL;
    }
    ignore_sigpipe();
    link_init(&l->queued);
    link_init(&l->running);
    l->rest.next = l->rest.prev = &l->rest;
    l->idle.data = l;
    uv_idle_init(&l->uv, &l->idle);
    return l;
}

/* What somebody forgot must not keep the program from ending. */
static void close_forgotten(uv_handle_t *h, void *count) {
    if (uv_is_closing(h))
        return;
    ++*(int *)count;
    uv_close(h, NULL);
}

void rt_loop_destroy(struct rt_loop *l) {
    if (!l)
        return;
    while (l->rest.next != &l->rest) {
        struct rt_loop_rest *rest = l->rest.next;
        rt_loop_rest_remove(rest);
        rest->end(rest);
    }
    while (l->queued.next != &l->queued)
        rt_op_cancel(&deferred_of(l->queued.next)->op);
    uv_close((uv_handle_t *)&l->idle, NULL);
    int forgotten = 0;
    uv_walk(&l->uv, close_forgotten, &forgotten);
    if (forgotten)
        rt_log(RT_LOG_WARN, "loop: %d handles were still open at the end", forgotten);
    /* Closing handles and cancelled work give their memory back in callbacks. */
    while (uv_loop_close(&l->uv) == UV_EBUSY)
        uv_run(&l->uv, UV_RUN_ONCE);
    free(l);
}

void rt_loop_turn(struct rt_loop *l, bool wait) {
    uv_run(&l->uv, wait ? UV_RUN_ONCE : UV_RUN_NOWAIT);
}

void rt_loop_run(struct rt_loop *l) {
    while (!l->stopped && uv_loop_alive(&l->uv))
        rt_loop_turn(l, true);
    l->stopped = false;
}

void rt_loop_stop(struct rt_loop *l) {
    l->stopped = true;
}

uv_loop_t *rt_loop_uv(struct rt_loop *l) {
    return &l->uv;
}

void rt_loop_rest_add(struct rt_loop *l, struct rt_loop_rest *rest) {
    rest->prev = l->rest.prev;
    rest->next = &l->rest;
    l->rest.prev->next = rest;
    l->rest.prev = rest;
}

void rt_loop_rest_remove(struct rt_loop_rest *rest) {
    if (!rest->next)
        return;
    rest->prev->next = rest->next;
    rest->next->prev = rest->prev;
    rest->next = rest->prev = NULL;
}

struct rt_lookup **rt_loop_lookups(struct rt_loop *l) {
    return &l->lookups;
}

/* ---- time */

int64_t rt_loop_now_ms(const struct rt_loop *l) {
    return (int64_t)uv_now(&l->uv);
}

int64_t rt_mono_us(void) {
    return (int64_t)(uv_hrtime() / 1000);
}

int64_t rt_mono_ms(void) {
    return (int64_t)(uv_hrtime() / 1000000);
}

int64_t rt_wall_ms(void) {
    const char *fixed = getenv("RAYTUI_NOW_MS");
    if (fixed && *fixed)
        return strtoll(fixed, NULL, 10);
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* ---- timers */

struct rt_timer {
    uv_timer_t uv;
    rt_loop_fn *fn;
    void *ctx;
};

static void free_handle(uv_handle_t *h) {
    free(h->data);
}

static void timer_fired(uv_timer_t *h) {
    struct rt_timer *t = h->data;
    t->fn(t->ctx);
}

/* libuv counts from the beginning of the turn: what this turn has taken already is added. */
static uint64_t from_now(uv_timer_t *h, int64_t delay_ms) {
    int64_t spent = rt_mono_ms() - (int64_t)uv_now(h->loop);
    return (uint64_t)(RT_MAX(delay_ms, 0) + RT_MAX(spent, 0));
}

void rt_timer_again(struct rt_timer *t, int64_t delay_ms, int64_t repeat_ms) {
    uv_timer_start(&t->uv, timer_fired, from_now(&t->uv, delay_ms), (uint64_t)RT_MAX(repeat_ms, 0));
}

struct rt_timer *rt_timer_start(struct rt_loop *l, int64_t delay_ms, int64_t repeat_ms,
                                rt_loop_fn *fn, void *ctx) {
    struct rt_timer *t = RT_NEW(struct rt_timer);
    t->fn = fn;
    t->ctx = ctx;
    t->uv.data = t;
    uv_timer_init(&l->uv, &t->uv);
    rt_timer_again(t, delay_ms, repeat_ms);
    return t;
}

void rt_timer_stop(struct rt_timer *t) {
    if (t)
        uv_close((uv_handle_t *)&t->uv, free_handle);
}

void rt_timer_background(struct rt_timer *t) {
    uv_unref((uv_handle_t *)&t->uv);
}

/* ---- descriptors */

struct rt_fd {
    uv_poll_t uv;
    rt_fd_fn *fn;
    void *ctx;
    int events;
};

static void fd_ready(uv_poll_t *h, int status, int events);

static void fd_arm(struct rt_fd *w) {
    int wanted = (w->events & RT_READ ? UV_READABLE : 0) |
                 (w->events & RT_WRITE ? UV_WRITABLE : 0) |
                 (w->events & RT_HANGUP ? UV_DISCONNECT : 0);
    if (wanted)
        uv_poll_start(&w->uv, wanted, fd_ready);
    else
        uv_poll_stop(&w->uv);
}

/* An error on the descriptor stops libuv's watch: it is shown to the owner as everything it waits
 * for, so that its next call finds the error, and the watch goes on if the owner keeps it. */
static void fd_ready(uv_poll_t *h, int status, int events) {
    struct rt_fd *w = h->data;
    int got = (events & UV_READABLE ? RT_READ : 0) | (events & UV_WRITABLE ? RT_WRITE : 0) |
              (events & UV_DISCONNECT ? RT_HANGUP : 0);
    if (status < 0) {
        got = w->events | RT_HANGUP;
        fd_arm(w);
    }
    w->fn(w->ctx, got);
}

struct rt_fd *rt_fd_watch(struct rt_loop *l, int fd, int events, rt_fd_fn *fn, void *ctx) {
    struct rt_fd *w = RT_NEW(struct rt_fd);
    w->fn = fn;
    w->ctx = ctx;
    w->events = events;
    w->uv.data = w;
    /* libuv makes the descriptor non-blocking. It may be a terminal that others share: put it back.
     */
    int flags = fcntl(fd, F_GETFL);
    int rc = uv_poll_init(&l->uv, &w->uv, fd);
    if (flags >= 0)
        fcntl(fd, F_SETFL, flags);
    if (rc != 0) {
        free(w);
        return NULL;
    }
    fd_arm(w);
    return w;
}

void rt_fd_events(struct rt_fd *w, int events) {
    if (!w || w->events == events)
        return;
    w->events = events;
    fd_arm(w);
}

void rt_fd_unwatch(struct rt_fd *w) {
    if (w)
        uv_close((uv_handle_t *)&w->uv, free_handle);
}

/* ---- signals */

struct rt_signal {
    uv_signal_t uv;
    rt_signal_fn *fn;
    void *ctx;
};

static void signal_came(uv_signal_t *h, int signum) {
    struct rt_signal *s = h->data;
    s->fn(s->ctx, signum);
}

struct rt_signal *rt_signal_watch(struct rt_loop *l, int signum, rt_signal_fn *fn, void *ctx) {
    struct rt_signal *s = RT_NEW(struct rt_signal);
    s->fn = fn;
    s->ctx = ctx;
    s->uv.data = s;
    uv_signal_init(&l->uv, &s->uv);
    uv_signal_start(&s->uv, signal_came, signum);
    return s;
}

void rt_signal_unwatch(struct rt_signal *s) {
    if (s)
        uv_close((uv_handle_t *)&s->uv, free_handle);
}
