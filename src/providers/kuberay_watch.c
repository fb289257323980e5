/* What there is to attach to at a place, kept up to date by watches: RayClusters, RayJobs, RayServices and services with
 * a dashboard's port, in one namespace, several, or all of them, of one context or of all. */
#include "providers/kuberay_watch.h"

#include "base/map.h"
#include "base/vec.h"
#include "net/proc.h"
#include <stdlib.h>
#include <string.h>

enum {
    AT_ONCE = 6, /* places that are looked at for the first time */
    KEPT = 12,   /* that stay open while others wait: a kubectl for each context */
    TIMEOUT_MS = 10000,
    OUTPUT_MAX = 1024 * 1024
};

struct thing {
    char *target, *text;
};

/* Objects of one kind at a place. */
struct shelf {
    struct place *place;
    enum kfound what;
    struct rt_kube_watch *watch;
    struct rt_map things; /* by uid */
    bool told;            /* a whole list, or why there is none */
    struct rt_error error;
};

struct place {
    struct search *search;
    char *context, *space; /* NULL: the current one; all namespaces */
    struct rt_kube *kube;
    struct rt_op *asking; /* the context's own namespace, when all may not be seen */
    struct shelf shelves[KF_END];
    bool begun, settled, replaced; /* replaced: by its namespaces */
    struct rt_error error;         /* of what was asked beside the lists */
};

struct search {
    struct rt_op op;
    struct rt_provider_env env;
    struct rt_op *contexts, *soon;
    RT_VEC(struct place *) places;
    rt_seen_fn *fn;
    void *ctx;
    struct rt_error error; /* of the list of contexts */
};

static void go_on(struct search *s);
static void add_place(struct search *s, const char *context, const char *space);

/* ---- telling ---- */

static int by_target(const void *a, const void *b) {
    const struct rt_seen *x = a, *y = b;
    const int c = strcmp(x->target, y->target);
    return c ? c : strcmp(x->text, y->text);
}

typedef RT_VEC(struct rt_seen) seens;

static void gather_shelf(const struct shelf *h, struct rt_map *seen, seens *out) {
    const size_t from = out->n;
    const char *uid = NULL;
    void *value = NULL;
    for (size_t it = 0; rt_map_next(&h->things, &it, &uid, &value);) {
        struct thing *t = value;
        if (rt_map_get(seen, t->target))
            continue;
        rt_map_set(seen, t->target, t);
        *rt_vec_push(out) = (struct rt_seen){t->target, t->text};
    }
    if (out->n > from)
        qsort(out->v + from, out->n - from, sizeof *out->v, by_target);
}

static void add_error(struct rt_error *all, const struct place *pl, const struct rt_error *err) {
    struct rt_error one = *err;
    rt_error_wrap(&one, "%s%s%s", pl->context ? pl->context : "current context", pl->space ? "/" : "", pl->space ? pl->space : "");
    if (all->code)
        rt_error_wrap(&one, "%.*s;", (int)sizeof all->message / 2, all->message);
    *all = one;
}

/* That the other kinds cannot be seen matters only where RayClusters can: there they are few, or none. */
static void gather_error(const struct place *pl, struct rt_error *all) {
    const struct rt_error *err = &pl->shelves[KF_CLUSTERS].error;
    struct rt_error none;
    if (pl->error.code)
        err = &pl->error;
    if (!err->code || pl->replaced)
        return;
    if (err->code == RT_E_NOT_FOUND) {
        if (!pl->shelves[KF_OLD].error.code)
            return;
        rt_error_set(&none, RT_E_UNSUPPORTED, "KubeRay is not installed there: it has no RayClusters (ray.io/v1)");
        err = &none;
    }
    add_error(all, pl, err);
}

static void tell(void *ctx) {
    struct search *s = ctx;
    struct rt_map seen;
    seens all = {0};
    struct rt_error err = s->error;
    bool whole = !s->contexts;
    s->soon = NULL;
    rt_map_init(&seen, true);
    for (size_t i = 0; i < s->places.n; i++) {
        const struct place *pl = s->places.v[i];
        for (int k = 0; k < KF_END; k++)
            gather_shelf(&pl->shelves[k], &seen, &all);
        gather_error(pl, &err);
        whole = whole && pl->settled;
    }
    rt_map_deinit(&seen);
    s->fn(s->ctx, all.v, all.n, whole, err.code ? &err : NULL); /* may cancel the search */
    rt_vec_deinit(&all);
}

static void tell_soon(struct search *s) {
    if (!s->soon)
        s->soon = rt_loop_defer(s->env.loop, tell, s);
}

/* ---- one kind at a place ---- */

static void thing_free(struct thing *t) {
    if (!t)
        return;
    free(t->target);
    free(t->text);
    free(t);
}

static void on_put(void *ctx, const json_t *object) {
    struct shelf *h = ctx;
    const char *uid = rt_json_str(object, "metadata.uid");
    char *target = NULL, *text = NULL;
    thing_free(rt_map_remove(&h->things, uid));
    if (!kuberay_found(h->what, h->place->context, object, &target, &text))
        return;
    struct thing *t = RT_NEW(struct thing);
    *t = (struct thing){target, text};
    rt_map_set(&h->things, uid, t);
}

static void on_gone(void *ctx, const char *space, const char *name, const char *uid) {
    struct shelf *h = ctx;
    (void)space;
    (void)name;
    thing_free(rt_map_remove(&h->things, uid));
}

static void on_synced(void *ctx, const struct rt_error *err);

static void open_shelf(struct place *pl, enum kfound what) {
    struct shelf *h = &pl->shelves[what];
    const struct kfound_kind *kind = &kuberay_found_kinds[what];
    const struct rt_kube_watch_events e = {.put = on_put, .gone = on_gone, .synced = on_synced, .ctx = h};
    char *path = pl->space ? rt_strf("%s/namespaces/%s/%s", kind->group, pl->space, kind->plural) : rt_strf("%s/%s", kind->group, kind->plural);
    h->watch = rt_kube_watch_open(pl->kube, path, NULL, &e);
    free(path);
}

/* ---- a place ---- */

static void place_close(struct place *pl) {
    rt_op_drop(&pl->asking);
    for (int i = 0; i < KF_END; i++) {
        rt_kube_watch_close(pl->shelves[i].watch);
        pl->shelves[i].watch = NULL;
    }
    rt_kube_put(pl->kube);
    pl->kube = NULL;
}

static void place_settle(struct place *pl) {
    pl->settled = true;
    go_on(pl->search);
}

/* Namespaces that the configuration names for this context; appends. */
static void configured_spaces(const struct place *pl, struct rt_strs *out) {
    const struct rt_config *config = pl->search->env.config;
    for (size_t i = 0; config && i < config->nclusters; i++) {
        const struct rt_cluster_conf *c = config->clusters[i];
        const struct kuberay_config *own = c->own;
        if (c->ops != &rt_provider_kuberay || !own || !rt_streq(own->context, pl->context))
            continue;
        for (size_t k = 0; k < own->spaces.n; k++)
            if (!rt_streq(own->spaces.v[k], "*") && !rt_strs_has(out, own->spaces.v[k]))
                rt_strs_add(out, own->spaces.v[k]);
    }
}

/* All namespaces may not be seen: the context's own, and those that are known. */
static void on_space(void *ctx, const char *space, const struct rt_error *err) {
    struct place *pl = ctx;
    struct rt_strs spaces = {0};
    pl->asking = NULL;
    if (err) {
        pl->error = *err;
    } else {
        rt_strs_add(&spaces, space);
        configured_spaces(pl, &spaces);
        for (size_t i = 0; i < spaces.n; i++)
            add_place(pl->search, pl->context, spaces.v[i]);
        pl->replaced = true;
    }
    rt_strs_deinit(&spaces);
    place_settle(pl);
    place_close(pl); /* the child stays: those that take its place have it */
}

static void narrow(struct place *pl) {
    for (int i = 0; i < KF_END; i++) {
        rt_kube_watch_close(pl->shelves[i].watch);
        pl->shelves[i].watch = NULL;
    }
    pl->asking = rt_kube_space(pl->kube, on_space, pl);
}

static void on_synced(void *ctx, const struct rt_error *err) {
    struct shelf *h = ctx;
    struct place *pl = h->place;
    bool settled = true;
    h->told = true;
    h->error = err ? *err : (struct rt_error){0};
    tell_soon(pl->search);
    if (err && err->code == RT_E_DENIED && h->what == KF_CLUSTERS && !pl->space && !pl->settled) {
        narrow(pl);
        return;
    }
    if (err && err->code == RT_E_NOT_FOUND && h->what == KF_CLUSTERS && !pl->shelves[KF_OLD].watch)
        open_shelf(pl, KF_OLD); /* which is asked again and again too: either may be installed later */
    for (int i = 0; i < KF_END; i++)
        settled = settled && (pl->shelves[i].told || !pl->shelves[i].watch);
    if (settled && !pl->settled)
        place_settle(pl);
}

static void place_open(struct place *pl) {
    pl->begun = true;
    pl->kube = rt_kube_get(pl->search->env.kubes, NULL, pl->context);
    for (int i = 0; i < KF_OLD; i++)
        open_shelf(pl, (enum kfound)i);
}

static size_t place_count(const struct place *pl) {
    size_t n = 0;
    for (int i = 0; i < KF_END; i++)
        n += pl->shelves[i].things.n;
    return n;
}

/* ---- several ---- */

/* A few at a time. While some wait, those that have nothing to show are let go, and what is too many. */
static void go_on(struct search *s) {
    size_t looking = 0, kept = 0, waiting = 0;
    for (size_t i = 0; i < s->places.n; i++) {
        const struct place *pl = s->places.v[i];
        looking += pl->begun && !pl->settled;
        waiting += !pl->begun;
    }
    for (size_t i = 0; i < s->places.n && waiting; i++) {
        struct place *pl = s->places.v[i];
        if (pl->settled && pl->kube && !pl->asking && (!place_count(pl) || ++kept > KEPT))
            place_close(pl);
    }
    for (size_t i = 0; i < s->places.n && looking < AT_ONCE; i++)
        if (!s->places.v[i]->begun) {
            place_open(s->places.v[i]);
            looking++;
        }
    tell_soon(s);
}

static void add_place(struct search *s, const char *context, const char *space) {
    struct place *pl = RT_NEW(struct place);
    pl->search = s;
    pl->context = context && *context ? rt_strdup(context) : NULL;
    pl->space = space && *space ? rt_strdup(space) : NULL;
    for (int i = 0; i < KF_END; i++) {
        pl->shelves[i].place = pl;
        pl->shelves[i].what = (enum kfound)i;
        rt_map_init(&pl->shelves[i].things, false);
    }
    *rt_vec_push(&s->places) = pl;
}

static void place_free(struct place *pl) {
    const char *uid = NULL;
    void *value = NULL;
    place_close(pl);
    for (int i = 0; i < KF_END; i++) {
        for (size_t it = 0; rt_map_next(&pl->shelves[i].things, &it, &uid, &value);)
            thing_free(value);
        rt_map_deinit(&pl->shelves[i].things);
    }
    free(pl->context);
    free(pl->space);
    free(pl);
}

static void search_cancel(struct rt_op *op) {
    struct search *s = (struct search *)op;
    rt_op_drop(&s->contexts);
    rt_op_drop(&s->soon);
    for (size_t i = 0; i < s->places.n; i++)
        place_free(s->places.v[i]);
    rt_vec_deinit(&s->places);
    free(s);
}

static void on_names(void *ctx, const struct rt_run_result *r, const struct rt_error *err) {
    struct search *s = ctx;
    s->contexts = NULL;
    if (err)
        s->error = *err;
    const char *text = err ? "" : r->out;
    while (*text) {
        const size_t n = strcspn(text, "\r\n");
        char *name = rt_strndup(text, n);
        if (n)
            add_place(s, name, NULL);
        free(name);
        text += n + strspn(text + n, "\r\n");
    }
    go_on(s);
}

/* kube://CONTEXT, kube://CONTEXT/NAMESPACE[,NAMESPACE]; no context: the current one; "*": all that there are. */
struct rt_op *kuberay_watch_at(const struct rt_provider_env *env, const char *where, rt_seen_fn *fn, void *ctx) {
    char *context = NULL, *space = NULL, *name = NULL;
    if (!rt_kube_target(where, &context, &space, &name))
        return NULL;
    struct search *s = RT_NEW(struct search);
    s->op.cancel = search_cancel;
    s->env = *env;
    s->fn = fn;
    s->ctx = ctx;
    if (rt_streq(context, "*")) {
        char *kubectl = rt_which("kubectl");
        const char *const argv[] = {kubectl ? "kubectl" : "oc", "config", "get-contexts", "-o", "name", NULL};
        const struct rt_proc_opts o = {.argv = argv, .timeout_ms = TIMEOUT_MS};
        free(kubectl);
        s->contexts = rt_run(env->loop, &o, OUTPUT_MAX, on_names, s);
    } else {
        for (const char *at = space ? space : ""; at;) {
            const size_t n = strcspn(at, ",");
            char *one = rt_strndup(at, n);
            add_place(s, context, one);
            free(one);
            at = at[n] ? at + n + 1 : NULL;
        }
        go_on(s);
    }
    free(context);
    free(space);
    free(name);
    return &s->op;
}
