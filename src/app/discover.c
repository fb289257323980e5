/* What can be found on this machine without being told. Nothing elsewhere is contacted. */
#include "app/session.h"
#include "base/fs.h"
#include "net/kube.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct look {
    struct discover *discover;
    struct rt_op *op;
};

struct discover {
    struct rt_op op;
    struct rt_app *app;
    struct look *looks; /* one per provider */
    size_t nlooks, running;
    struct rt_op *soon;
    bool elsewhere; /* a place that was named; nothing else is looked at */
    struct rt_error error;
    struct rt_strs seen;
    rt_found_fn *fn;
    void *ctx;
};

static void end(struct discover *d) {
    for (size_t i = 0; i < d->nlooks; i++)
        rt_op_drop(&d->looks[i].op);
    free(d->looks);
    rt_op_drop(&d->soon);
    rt_strs_deinit(&d->seen);
    free(d);
}

static void cancel(struct rt_op *op) {
    end((struct discover *)op);
}

static void tell(struct discover *d, const char *target, const char *text, const char *key) {
    if (rt_strs_has(&d->seen, target))
        return;
    rt_strs_add(&d->seen, target);
    char *t = rt_strdup(target), *x = rt_strdup(text), *k = rt_strdup(key);
    const struct rt_found f = {.target = t, .text = x, .key = k};
    d->fn(d->ctx, &f);
    free(t);
    free(x);
    free(k);
}

static void from_environment(struct discover *d) {
    static const char *const names[] = {"RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"};
    for (size_t i = 0; i < RT_COUNT(names); i++) {
        const char *v = getenv(names[i]);
        if (!v || !*v || rt_streq(v, "auto"))
            continue;
        char *text = rt_strf("%s=%.200s in the environment", names[i], v);
        tell(d, v, text, "Enter attaches");
        free(text);
    }
}

static void from_ssh_config(struct discover *d) {
    char *path = rt_path_expand("~/.ssh/config");
    struct rt_buf text;
    struct rt_error err = {0};
    rt_buf_init(&text, RT_MIB);
    char first[96] = "";
    int hosts = 0;
    if (rt_file_read(path, RT_MIB, &text, &err)) {
        for (char *line = text.data, *next; line; line = next) {
            next = strchr(line, '\n');
            if (next)
                *next++ = 0;
            char name[96];
            if (sscanf(line, " Host %95s", name) == 1 && !strpbrk(name, "*?!")) {
                hosts++;
                if (!first[0])
                    snprintf(first, sizeof first, "%s", name);
            }
        }
    }
    if (hosts) {
        char *target = rt_strf("ssh://%s", first);
        char *words = hosts > 1 ? rt_strf("hosts of ~/.ssh/config: %s (+%d)", first, hosts - 1)
                                : rt_strf("a host of ~/.ssh/config: %s", first);
        tell(d, target, words, "Enter attaches to the first, a takes any");
        free(words);
        free(target);
    }
    rt_buf_deinit(&text);
    free(path);
}

static void finish(void *ctx) {
    struct discover *d = ctx;
    d->soon = NULL;
    if (!d->elsewhere) {
        from_environment(d);
        from_ssh_config(d);
    }
    if (d->error.code) {
        const struct rt_error err = d->error;
        const struct rt_found f = {.error = &err};
        d->fn(d->ctx, &f);
    }
    rt_found_fn *fn = d->fn;
    void *fn_ctx = d->ctx;
    end(d);
    fn(fn_ctx, NULL);
}

bool rt_app_is_place(const char *target) {
    char *context = NULL, *space = NULL, *name = NULL;
    static const char *const flat[] = {"slurm://", "pbs://", "yellowdog://"};
    for (size_t i = 0; i < RT_COUNT(flat); i++)
        if (rt_starts(target, flat[i]))
            return !strchr(target + strlen(flat[i]), '/');
    const bool place = rt_starts(target, "kube://") && !(rt_kube_target(target, &context, &space, &name) && name);
    free(context);
    free(space);
    free(name);
    return place;
}

static void provider_found(void *ctx, const char *target, const char *text) {
    const struct look *l = ctx;
    tell(l->discover, target, text, rt_app_is_place(target) ? "Enter looks there" : "Enter attaches");
}

static void provider_done(void *ctx) {
    struct look *l = ctx;
    struct discover *d = l->discover;
    l->op = NULL;
    if (--d->running == 0)
        d->soon = rt_loop_defer(d->app->loop, finish, d);
}

static void place_done(void *ctx, const struct rt_error *err) {
    struct look *l = ctx;
    if (err)
        l->discover->error = *err;
    provider_done(l);
}

static struct discover *new_discover(struct rt_app *a, rt_found_fn *fn, void *ctx) {
    struct discover *d = RT_NEW(struct discover);
    size_t n = 0;
    d->op.cancel = cancel;
    d->app = a;
    d->fn = fn;
    d->ctx = ctx;
    while (rt_providers[n])
        n++;
    d->looks = rt_alloc((n + 1) * sizeof(*d->looks));
    return d;
}

static struct rt_provider_env env_of(struct rt_app *a) {
    return (struct rt_provider_env){.loop = a->loop, .store = a->store, .http = a->p->http, .operations = a->operations,
                                    .asker = a->asker, .config = a->config, .ray = &a->p->ray_calls, .kubes = a->p->kubes};
}

struct rt_op *rt_app_discover_at(struct rt_app *a, const char *where, rt_found_fn *fn, void *ctx) {
    struct discover *d = new_discover(a, fn, ctx);
    const struct rt_provider_env env = env_of(a);
    d->elsewhere = true;
    for (size_t i = 0; rt_providers[i]; i++) {
        struct look *l = &d->looks[d->nlooks];
        l->discover = d;
        if (!rt_providers[i]->discover_at)
            continue;
        l->op = rt_providers[i]->discover_at(&env, where, provider_found, place_done, l);
        d->running += l->op != NULL;
        d->nlooks += l->op != NULL;
    }
    if (!d->running) {
        rt_error_set(&d->error, RT_E_USAGE, "%s is no place to look at", where);
        rt_error_hint(&d->error, "kube://CONTEXT, kube://CONTEXT/NAMESPACE, kube:// for the current context, 'kube://*' for all; slurm://LOGIN, pbs://LOGIN, yellowdog://[NAMESPACE]");
        d->soon = rt_loop_defer(a->loop, finish, d);
    }
    return &d->op;
}

struct rt_op *rt_app_choices(struct rt_app *a, const struct rt_provider_ops *ops, const char *cluster, const char *field,
                             void (*done)(void *ctx, const struct rt_strs *words, const struct rt_error *err), void *ctx) {
    const struct rt_provider_env env = env_of(a);
    return ops->choices ? ops->choices(&env, cluster ? rt_config_cluster(a->config, cluster) : NULL, field, done, ctx) : NULL;
}

struct rt_op *rt_app_watch_at(struct rt_app *a, const char *where, rt_seen_fn *fn, void *ctx) {
    const struct rt_provider_env env = env_of(a);
    struct rt_op *op = NULL;
    for (size_t i = 0; rt_providers[i] && !op; i++)
        if (rt_providers[i]->watch_at)
            op = rt_providers[i]->watch_at(&env, where, fn, ctx);
    return op;
}

struct rt_op *rt_app_discover(struct rt_app *a, rt_found_fn *fn, void *ctx) {
    struct discover *d = new_discover(a, fn, ctx);
    const struct rt_provider_env env = env_of(a);
    for (size_t i = 0; rt_providers[i]; i++) {
        if (!rt_providers[i]->discover)
            continue;
        d->running++;
        struct look *l = &d->looks[d->nlooks++];
        l->discover = d;
        l->op = rt_providers[i]->discover(&env, provider_found, provider_done, l);
    }
    if (!d->running)
        d->soon = rt_loop_defer(d->app->loop, finish, d);
    return &d->op;
}
