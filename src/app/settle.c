/* A cluster whose configuration leaves open what it is (`provider: auto`): it is looked at once, what was found is remembered,
 * and the configuration is read again with it. */
#include "app/session.h"
#include "base/fs.h"
#include "base/log.h"
#include <stdlib.h>

/* The session of before goes, and with it what the callers below must not use any more; its way there stays. */
static void replace(void *ctx) {
    struct session *s = ctx;
    struct rt_app *a = s->app;
    const uint32_t looked = s->looked;
    const bool listed = s->listed;
    struct rt_error err = {0};
    char *name = rt_strdup(s->conf->name);
    s->find = NULL;
    a->p->kept_hop = s->hop;
    a->p->kept_target = rt_strdup(s->conf->ops->hop_target(s->conf));
    s->hop = NULL;
    rt_hop_on_change(a->p->kept_hop, NULL, NULL);
    session_detach(s);
    session_destroy(s);
    rt_app_reload(a);
    if (!rt_app_attach(a, name, true, &err))
        rt_log(RT_LOG_WARN, "%s", err.message);
    rt_hop_destroy(a->p->kept_hop); /* what it is now is reached in another way */
    a->p->kept_hop = NULL;
    free(a->p->kept_target);
    a->p->kept_target = NULL;
    rt_app_look(a, name, looked, listed);
    free(name);
}

static void found(void *ctx, const char *provider, const struct rt_error *err) {
    struct session *s = ctx;
    struct rt_error io = {0};
    s->find = NULL;
    if (err) {
        rt_store_fail(s->app->store, s->cluster, RT_T_CLUSTER, err);
        return;
    }
    if (!rt_provider_find(rt_providers, provider))
        rt_error_set(&io, RT_E_UNSUPPORTED, "%s: it has %s", s->conf->name, provider);
    else if (rt_config_settle(s->conf, provider, &io))
        s->find = rt_loop_defer(s->app->loop, replace, s);
    if (io.code)
        rt_store_fail(s->app->store, s->cluster, RT_T_CLUSTER, &io);
}

void session_settle(struct session *s) {
    if (s->conf->ops->find && !s->find)
        s->find = s->conf->ops->find(s->provider, found, s);
}

/* ---- waiting for it ---- */

enum { TICK_MS = 100, WAIT_MS = 120000 };

struct settling {
    struct rt_op op;
    struct rt_app *app;
    char *cluster;
    int64_t since_ms; /* wall */
    struct rt_timer *tick;
    struct rt_error error;
    rt_app_wait_fn *fn;
    void *ctx;
};

static void settling_cancel(struct rt_op *op) {
    struct settling *w = (struct settling *)op;
    rt_timer_stop(w->tick);
    free(w->cluster);
    free(w);
}

static void settling_end(struct settling *w, const struct rt_error *err) {
    rt_app_wait_fn *fn = w->fn;
    void *ctx = w->ctx;
    const struct rt_error copy = err ? *err : (struct rt_error){0};
    settling_cancel(&w->op);
    fn(ctx, err ? &copy : NULL);
}

static void settling_look(void *ctx) {
    struct settling *w = ctx;
    const struct rt_cluster *c = rt_store_cluster(w->app->store, w->cluster);
    struct rt_error err = {0};
    if (w->error.code)
        settling_end(w, &w->error);
    else if (rt_app_settled(w->app, w->cluster))
        settling_end(w, NULL);
    else if (c && c->fresh[RT_T_CLUSTER].error.code && c->fresh[RT_T_CLUSTER].error_at_ms >= w->since_ms &&
             c->fresh[RT_T_CLUSTER].error.code != RT_E_BUSY)
        settling_end(w, &c->fresh[RT_T_CLUSTER].error);
    else if (rt_wall_ms() - w->since_ms > WAIT_MS) {
        rt_error_set(&err, RT_E_TIMEOUT, "%s: nothing was found out about it", w->cluster);
        settling_end(w, &err);
    }
}

bool rt_app_settled(const struct rt_app *a, const char *cluster) {
    const struct rt_cluster_conf *conf = rt_config_cluster(a->config, cluster);
    return !conf || !conf->ops || !conf->ops->find;
}

struct rt_op *rt_app_settle(struct rt_app *a, const char *cluster, rt_app_wait_fn *fn, void *ctx) {
    struct settling *w = RT_NEW(struct settling);
    w->op.cancel = settling_cancel;
    w->app = a;
    w->cluster = rt_strdup(cluster);
    w->since_ms = rt_wall_ms();
    w->fn = fn;
    w->ctx = ctx;
    rt_app_attach(a, cluster, true, &w->error);
    w->tick = rt_timer_start(a->loop, 0, TICK_MS, settling_look, w);
    return &w->op;
}
