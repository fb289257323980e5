/* Clusters that a key of the platform sees, whoever built them: yellowdog://[NAMESPACE]. */
#include "providers/yellowdog_impl.h"
#include <stdlib.h>
#include <string.h>

static const char scheme[] = "yellowdog://";

struct discover {
    struct rt_op op;
    struct yd_api *api;
    struct rt_op *pools_call, *works_call;
    struct yd_result *pools, *works;
    struct rt_error error;
    char *space; /* NULL: all that can be read */
    void (*found)(void *ctx, const char *target, const char *text);
    void (*done)(void *ctx, const struct rt_error *err);
    void *ctx;
};

static void discover_free(struct discover *d) {
    rt_op_drop(&d->pools_call);
    rt_op_drop(&d->works_call);
    yd_result_free(d->pools);
    yd_result_free(d->works);
    yd_api_destroy(d->api);
    free(d->space);
    free(d);
}

static void cancel(struct rt_op *op) {
    discover_free((struct discover *)(void *)op);
}

/* ---- what is a cluster ---- */

static bool same(const char *space, const char *other) {
    return rt_streq(space, other) && space;
}

/* Is the pool one of RUN's? */
static bool pool_of(const struct yd_pool *p, const char *space, const char *run) {
    const size_t n = strlen(run);
    return same(p->space, space) && p->name && strncmp(p->name, run, n) == 0 && p->name[n] == '-';
}

static bool head_of(const struct yd_pool *p, const char *space, const char *run) {
    char *head = yd_name_head(run);
    const bool is = same(p->space, space) && rt_streq(p->name, head);
    free(head);
    return is;
}

/* RUN is the cluster's name, or NAME-rN after it was up before. */
static char *cluster_of(const char *run) {
    const size_t n = strlen(run);
    size_t digits = n;
    while (digits && run[digits - 1] >= '0' && run[digits - 1] <= '9')
        digits--;
    const bool again = digits < n && digits > 2 && run[digits - 1] == 'r' && run[digits - 2] == '-';
    return rt_strndup(run, again ? digits - 2 : n);
}

static void tell(struct discover *d, const char *space, const char *run, const struct yd_work *w) {
    size_t pools = 0;
    int64_t nodes = 0;
    for (size_t i = 0; i < d->pools->n; i++) {
        const struct yd_pool *p = &d->pools->pools[i];
        if (!pool_of(p, space, run))
            continue;
        pools++;
        nodes += RT_MAX(p->nodes, 0);
    }
    char *name = cluster_of(run), *target = rt_strf("%s%s/%s", scheme, space, name);
    char *text = rt_strf("%s in %s: %s, %zu pool%s, %lld node%s%s%s", name, space, w && w->status ? w->status : "pools without work", pools,
                         pools == 1 ? "" : "s", (long long)nodes, nodes == 1 ? "" : "s", w && w->tag ? ", tag " : "", w && w->tag ? w->tag : "");
    char clean[400];
    d->found(d->ctx, target, rt_clean_to(clean, sizeof clean, text));
    free(text);
    free(target);
    free(name);
}

static bool has_work(const struct discover *d, const char *space, const char *run) {
    for (size_t i = 0; i < d->works->n; i++)
        if (same(d->works->works[i].space, space) && rt_streq(d->works->works[i].name, run))
            return true;
    return false;
}

static void tell_all(struct discover *d) {
    for (size_t i = 0; i < d->works->n; i++) {
        const struct yd_work *w = &d->works->works[i];
        bool cluster = false;
        for (size_t k = 0; w->name && w->space && k < d->pools->n && !cluster; k++)
            cluster = head_of(&d->pools->pools[k], w->space, w->name);
        if (cluster)
            tell(d, w->space, w->name, w);
    }
    for (size_t i = 0; i < d->pools->n; i++) { /* what a program that died left behind */
        const struct yd_pool *p = &d->pools->pools[i];
        char *run = p->name && p->space && rt_ends(p->name, "-00-head") ? rt_strndup(p->name, strlen(p->name) - strlen("-00-head")) : NULL;
        if (run && *run && !has_work(d, p->space, run))
            tell(d, p->space, run, NULL);
        free(run);
    }
}

/* ---- asking ---- */

static void finish(struct discover *d) {
    const struct rt_error e = d->error;
    void (*done)(void *, const struct rt_error *) = d->done;
    void *ctx = d->ctx;
    if (!e.code)
        tell_all(d);
    discover_free(d);
    done(ctx, e.code ? &e : NULL);
}

static void note(struct discover *d, const struct yd_failure *f) {
    if (f && !d->error.code)
        d->error = f->error;
    if (!d->pools_call && !d->works_call)
        finish(d);
}

static void got_pools(void *ctx, struct yd_result *r, const struct yd_failure *f) {
    struct discover *d = ctx;
    d->pools_call = NULL;
    d->pools = r;
    note(d, f);
}

static void got_works(void *ctx, struct yd_result *r, const struct yd_failure *f) {
    struct discover *d = ctx;
    d->works_call = NULL;
    d->works = r;
    note(d, f);
}

/* The key of a configured cluster of that namespace, else of any; NULL: that of the environment. */
static const struct rt_cluster_conf *known(const struct rt_config *config, const char *space) {
    const struct rt_cluster_conf *any = NULL;
    for (size_t i = 0; config && i < config->nclusters; i++) {
        const struct rt_cluster_conf *c = config->clusters[i];
        if (c->ops != &rt_provider_yellowdog || c->broken || !c->own || !c->file)
            continue;
        if (rt_streq(((const struct yd_config *)c->own)->space, space))
            return c;
        any = any ? any : c;
    }
    return getenv("YD_API_KEY_ID") ? NULL : any;
}

static struct yd_api *api_of(const struct rt_provider_env *env, const struct rt_cluster_conf *c) {
    struct yd_access access = {.pool = scheme};
    if (c) {
        const struct yd_config *own = c->own;
        access = (struct yd_access){.url = own->api_url, .key_id = own->key_id, .secret = &own->secret, .ca_file = c->ca_file, .proxy = c->proxy, .pool = scheme};
    }
    return yd_api_create(env->loop, env->http, &access);
}

struct rt_op *yd_discover_at(const struct rt_provider_env *env, const char *where, void (*found)(void *ctx, const char *target, const char *text),
                             void (*done)(void *ctx, const struct rt_error *err), void *ctx) {
    const char *space = rt_starts(where, scheme) ? where + sizeof scheme - 1 : NULL;
    if (!space || strchr(space, '/'))
        return NULL;
    struct discover *d = RT_NEW(struct discover);
    d->op.cancel = cancel;
    d->space = *space ? rt_strdup(space) : NULL;
    d->found = found;
    d->done = done;
    d->ctx = ctx;
    d->api = api_of(env, known(env->config, d->space));
    d->pools_call = yd_send(d->api, &(struct yd_call){.verb = YD_POOLS, .space = d->space, .living = true}, got_pools, d);
    d->works_call = yd_send(d->api, &(struct yd_call){.verb = YD_WORKS, .space = d->space, .living = true}, got_works, d);
    return &d->op;
}

/* ---- without asking ---- */

struct here {
    struct rt_op op;
    struct rt_op *soon;
    void (*found)(void *ctx, const char *target, const char *text);
    void (*done)(void *ctx);
    void *ctx;
};

static void here_cancel(struct rt_op *op) {
    struct here *h = (struct here *)(void *)op;
    rt_op_drop(&h->soon);
    free(h);
}

static void here_tell(void *ctx) {
    struct here *h = ctx;
    void (*done)(void *) = h->done;
    void *done_ctx = h->ctx;
    const char *url = getenv("YD_API_URL"), *id = getenv("YD_API_KEY_ID");
    char *text = rt_strf("clusters on %.200s (YD_API_KEY_ID in the environment)", url && *url ? url : "the YellowDog platform");
    if (id && *id)
        h->found(h->ctx, scheme, text);
    free(text);
    free(h);
    done(done_ctx);
}

struct rt_op *yd_discover(const struct rt_provider_env *env, void (*found)(void *ctx, const char *target, const char *text),
                          void (*done)(void *ctx), void *ctx) {
    struct here *h = RT_NEW(struct here);
    h->op.cancel = here_cancel;
    h->found = found;
    h->done = done;
    h->ctx = ctx;
    h->soon = rt_loop_defer(env->loop, here_tell, h);
    return &h->op;
}

/* ---- templates for a form ---- */

struct choices {
    struct rt_op op;
    struct yd_api *api;
    struct rt_op *call;
    void (*done)(void *ctx, const struct rt_strs *words, const struct rt_error *err);
    void *ctx;
};

static void choices_cancel(struct rt_op *op) {
    struct choices *c = (struct choices *)(void *)op;
    rt_op_drop(&c->call);
    yd_api_destroy(c->api);
    free(c);
}

static void got_templates(void *ctx, struct yd_result *r, const struct yd_failure *f) {
    struct choices *c = ctx;
    const struct rt_error err = f ? f->error : (struct rt_error){0};
    void (*done)(void *, const struct rt_strs *, const struct rt_error *) = c->done;
    void *done_ctx = c->ctx;
    struct rt_strs words = {0};
    c->call = NULL;
    for (size_t i = 0; r && i < r->n; i++) {
        const struct yd_template *t = &r->templates[i];
        char word[200];
        if (t->space && t->name) {
            char *whole = rt_strf("%s/%s", t->space, t->name);
            rt_strs_add(&words, rt_clean_to(word, sizeof word, whole));
            free(whole);
        }
    }
    yd_result_free(r);
    choices_cancel(&c->op);
    done(done_ctx, f ? NULL : &words, f ? &err : NULL);
    rt_strs_deinit(&words);
}

struct rt_op *yd_choices(const struct rt_provider_env *env, const struct rt_cluster_conf *conf, const char *field,
                         void (*done)(void *ctx, const struct rt_strs *words, const struct rt_error *err), void *ctx) {
    if (!rt_streq(field, conf ? "template" : "head.template"))
        return NULL;
    struct choices *c = RT_NEW(struct choices);
    c->op.cancel = choices_cancel;
    c->done = done;
    c->ctx = ctx;
    c->api = api_of(env, conf ? conf : known(env->config, NULL));
    c->call = yd_send(c->api, &(struct yd_call){.verb = YD_TEMPLATES, .once = true}, got_templates, c);
    return &c->op;
}
