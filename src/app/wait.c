/* What a one-shot command does: attach, look, wait for the first answers. */
#include "app/session.h"
#include <stdlib.h>
#include <string.h>

struct waiter {
    struct rt_op op;
    struct session *session;
    uint32_t topics;
    int64_t since_ms; /* wall */
    int64_t timeout_ms;
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

/* What Ray is asked for; the way to the cluster itself is another matter. */
static const enum rt_topic asked[] = {RT_T_NODES, RT_T_JOBS, RT_T_DEMAND, RT_T_ACTORS, RT_T_TASKS,
                                      RT_T_PGS, RT_T_EVENTS, RT_T_SERVE, RT_T_ENVS, RT_T_WORKERS};

static bool wants(const struct waiter *w, enum rt_topic t) {
    return w->topics & RT_TOPIC_BIT(t);
}

static bool failed_since(const struct waiter *w, enum rt_topic t) {
    const struct rt_freshness *f = &w->session->cluster->fresh[t];
    return f->error.code && f->error_at_ms >= w->since_ms;
}

static bool came_since(const struct waiter *w, enum rt_topic t) {
    const struct rt_freshness *f = &w->session->cluster->fresh[t];
    return !f->from_snapshot && f->at_ms >= w->since_ms;
}

/* The reason why nothing can come, or NULL while something may: what was asked for before the way to it. */
static const struct rt_error *hopeless(const struct waiter *w) {
    const struct rt_freshness *fresh = w->session->cluster->fresh;
    for (size_t i = 0; i < RT_COUNT(asked); i++)
        if (wants(w, asked[i]) && failed_since(w, asked[i]))
            return &fresh[asked[i]].error;
    return failed_since(w, RT_T_CLUSTER) ? &fresh[RT_T_CLUSTER].error : NULL;
}

/* What was asked for and is not there yet; NULL: all of it is. */
static const char *missing(const struct waiter *w) {
    for (size_t i = 0; i < RT_COUNT(asked); i++)
        if (wants(w, asked[i]) && !came_since(w, asked[i]))
            return rt_topic_name(asked[i]);
    return wants(w, RT_T_CLUSTER) && !w->session->cluster->ray_version ? "its version" : NULL;
}

static void finish_bad(struct waiter *w, const struct rt_error *why) {
    struct rt_error err = *why;
    const struct rt_cluster *c = w->session->cluster;
    const size_t n = strlen(c->name);
    /* Only its own words: a version that fails beside it says another thing. */
    if (w->session->unwell.code && why == &c->fresh[RT_T_CLUSTER].error && rt_streq(err.message, w->session->unwell.message))
        err.code = RT_E_TIMEOUT; /* the dashboard is there, what stands behind it is silent */
    if ((c->reach == RT_REACH_TOKEN_NEEDED || c->reach == RT_REACH_REFUSED) && err.code == RT_E_DENIED)
        rt_error_wrap(&err, "%s", rt_reach_name(c->reach));
    if (strncmp(err.message, c->name, n) != 0 || err.message[n] != ':')
        rt_error_wrap(&err, "%s", c->name);
    finish(w, &err);
}

/* Pools that the provider knows by itself: what Ray would add to them is a help, no condition. */
static bool has_pools(const struct waiter *w) {
    return wants(w, RT_T_POOLS) && w->session->conf->ops->own_pools && came_since(w, RT_T_POOLS);
}

/* Of the provider's own lists the first that did not come; RT_T_COUNT: all did. */
static enum rt_topic missing_own(const struct waiter *w) {
    enum rt_topic t = RT_T_PODS;
    while (t <= RT_T_RAYSERVICES && (!wants(w, t) || came_since(w, t)))
        t++;
    return t <= RT_T_RAYSERVICES ? t : RT_T_COUNT;
}

/* Whether Ray answers is nothing to them. */
static void check_own(struct waiter *w) {
    const enum rt_topic t = missing_own(w);
    if (t == RT_T_COUNT)
        finish(w, NULL);
    else if (failed_since(w, t))
        finish_bad(w, &w->session->cluster->fresh[t].error);
}

static void check(void *ctx) {
    struct waiter *w = ctx;
    if (w->start_error.code) {
        finish(w, &w->start_error);
        return;
    }
    if (w->topics && !(w->topics & ~RT_TOPICS_OWN)) {
        check_own(w);
        return;
    }
    const struct rt_error *why = hopeless(w);
    if (has_pools(w) && (why || w->topics == RT_TOPIC_BIT(RT_T_POOLS)))
        finish(w, NULL);
    else if (why)
        finish_bad(w, why);
    else if (w->session->cluster->reach == RT_REACH_OK && !missing(w))
        finish(w, NULL);
}

static void on_timeout(void *ctx) {
    struct waiter *w = ctx;
    const struct rt_cluster *c = w->session->cluster;
    struct rt_error err = {0};
    const enum rt_topic own = missing_own(w);
    if (own != RT_T_COUNT)
        rt_error_set(&err, RT_E_TIMEOUT, "%s: no answer about %s within %lld s", c->name, rt_topic_name(own), (long long)w->timeout_ms / 1000);
    else if (c->reach == RT_REACH_OK)
        rt_error_set(&err, RT_E_TIMEOUT, "%s: no answer about %s within %lld s", c->name, missing(w), (long long)w->timeout_ms / 1000);
    else
        rt_error_set(&err, RT_E_TIMEOUT, "%s: no answer within %lld s (%s)", c->name, (long long)w->timeout_ms / 1000,
                     rt_reach_name(c->reach));
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
    w->timeout_ms = timeout_ms ? timeout_ms : 15000;
    w->timeout = rt_timer_start(a->loop, w->timeout_ms, 0, on_timeout, w);
    w->session->waited = topics;
    rt_store_watch(a->store, on_store, w);
    if (!w->session->attached)
        session_attach(w->session, true);
    else
        session_poke(w->session, topics);
    return &w->op;
}
