/* What a one-shot command does: attach, look, wait for the first answers. */
#include "app/session.h"
#include <stdlib.h>

struct waiter {
    struct rt_op op;
    struct session *session;
    uint32_t topics;
    int64_t since_ms; /* wall */
    struct rt_timer *timeout, *soon;
    struct rt_error start_error;
    rt_app_wait_fn *fn;
    void *ctx;
};

static void check(void *ctx);

static void on_store(void *ctx, struct rt_cluster *c, enum rt_topic t) {
    struct waiter *w = ctx;
    (void)t;
    if (w->session && c == w->session->cluster)
        rt_timer_again(w->soon, 0, 0); /* not inside the put */
}

static void end(struct waiter *w) {
    rt_timer_stop(w->timeout);
    rt_timer_stop(w->soon);
    if (w->session) {
        w->session->waited = 0;
        rt_store_unwatch(w->session->app->store, on_store, w);
    }
    free(w);
}

static void cancel(struct rt_op *op) {
    end((struct waiter *)op);
}

static void finish(struct waiter *w, const struct rt_error *err) {
    rt_app_wait_fn *fn = w->fn;
    void *ctx = w->ctx;
    struct rt_error copy = err ? *err : (struct rt_error){0};
    end(w);
    fn(ctx, err ? &copy : NULL);
}

/* The reason why nothing can come, or NULL while something may. */
static const struct rt_error *hopeless(const struct waiter *w) {
    const struct rt_cluster *c = w->session->cluster;
    const struct rt_freshness *f = &c->fresh[RT_T_CLUSTER];
    switch (c->reach) {
    case RT_REACH_LOST:
    case RT_REACH_TOKEN_NEEDED:
    case RT_REACH_NEEDS_LOGIN:
        return f->error.code && f->error_at_ms >= w->since_ms ? &f->error : NULL;
    case RT_REACH_NONE:
    case RT_REACH_CONNECTING:
    case RT_REACH_OK:
        break;
    }
    return NULL;
}

static void check(void *ctx) {
    struct waiter *w = ctx;
    if (w->start_error.code) {
        finish(w, &w->start_error);
        return;
    }
    const struct rt_cluster *c = w->session->cluster;
    const struct rt_error *why = hopeless(w);
    if (why) {
        finish(w, why);
        return;
    }
    if (c->reach != RT_REACH_OK)
        return;
    for (int t = 0; t < RT_T_COUNT; t++) {
        const struct rt_freshness *f = &c->fresh[t];
        if (!(w->topics & RT_TOPIC_BIT(t)) || t == RT_T_CLUSTER)
            continue;
        if (f->error.code && f->error_at_ms >= w->since_ms) {
            finish(w, &f->error);
            return;
        }
        if (f->from_snapshot || f->at_ms < w->since_ms)
            return;
    }
    finish(w, NULL);
}

static void on_timeout(void *ctx) {
    struct waiter *w = ctx;
    const struct rt_cluster *c = w->session->cluster;
    struct rt_error err = {0};
    rt_error_set(&err, RT_E_TIMEOUT, "%s: no answer in time (%s)", c->name,
                 c->fresh[RT_T_CLUSTER].error.code ? c->fresh[RT_T_CLUSTER].error.message : rt_reach_name(c->reach));
    finish(w, &err);
}

struct rt_op *rt_app_wait(struct rt_app *a, const char *cluster, uint32_t topics, int64_t timeout_ms, rt_app_wait_fn *fn,
                          void *ctx) {
    struct waiter *w = RT_NEW(struct waiter);
    w->op.cancel = cancel;
    w->topics = topics;
    w->fn = fn;
    w->ctx = ctx;
    w->since_ms = rt_wall_ms();
    w->soon = rt_timer_start(a->loop, 0, 0, check, w);
    w->session = session_get(a, cluster, &w->start_error);
    if (!w->session)
        return &w->op;
    w->timeout = rt_timer_start(a->loop, timeout_ms ? timeout_ms : 15000, 0, on_timeout, w);
    w->session->waited = topics;
    rt_store_watch(a->store, on_store, w);
    if (!w->session->attached)
        session_attach(w->session, true);
    else
        session_poke(w->session, topics);
    return &w->op;
}
