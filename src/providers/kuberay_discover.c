/* What there is to attach to: contexts of the kubeconfig on this machine; RayClusters, RayJobs, RayServices and services
 * with a dashboard's port where a context leads. */
#include "base/vec.h"
#include "net/proc.h"
#include "providers/kuberay.h"
#include <stdio.h>

enum { AT_ONCE = 6, TIMEOUT_MS = 10000, OUTPUT_MAX = 1024 * 1024, PAGE = 500 };

typedef void found_fn(void *ctx, const char *target, const char *text);

/* ---- contexts ---- */

struct contexts {
    struct rt_op op;
    struct rt_op *run;
    found_fn *found;
    void (*done)(void *ctx);
    void *ctx;
};

static void contexts_cancel(struct rt_op *op) {
    struct contexts *c = (struct contexts *)op;
    rt_op_cancel(c->run);
    free(c);
}

/* "*  name  cluster  authinfo  namespace" a line. */
static void tell_contexts(const struct contexts *c, const char *text) {
    char current[256] = "", name[256];
    size_t others = 0;
    while (*text) {
        const size_t n = strcspn(text, "\n");
        char *line = rt_strndup(text, n);
        if (sscanf(line, "* %255s", name) == 1)
            snprintf(current, sizeof current, "%s", name);
        else if (sscanf(line, "%255s", name) == 1)
            others++;
        free(line);
        text += n + (text[n] == '\n');
    }
    if (!*current)
        return;
    char *target = rt_strf("kube://%s", current);
    char *words = others ? rt_strf("current context of the kubeconfig (+%zu others)", others) : rt_strdup("the context of the kubeconfig");
    c->found(c->ctx, target, words);
    free(words);
    free(target);
}

static void on_contexts(void *ctx, const struct rt_run_result *r, const struct rt_error *err) {
    struct contexts *c = ctx;
    c->run = NULL;
    if (!err && r->exit.status == 0)
        tell_contexts(c, r->out);
    void (*done)(void *) = c->done;
    void *done_ctx = c->ctx;
    free(c);
    done(done_ctx);
}

struct rt_op *kuberay_discover(const struct rt_provider_env *env, found_fn *found, void (*done)(void *ctx), void *ctx) {
    struct contexts *c = RT_NEW(struct contexts);
    char *kubectl = rt_which("kubectl");
    const char *const argv[] = {kubectl ? "kubectl" : "oc", "config", "get-contexts", "--no-headers", NULL};
    const struct rt_proc_opts o = {.argv = argv, .timeout_ms = TIMEOUT_MS};
    free(kubectl);
    c->op.cancel = contexts_cancel;
    c->found = found;
    c->done = done;
    c->ctx = ctx;
    c->run = rt_run(env->loop, &o, OUTPUT_MAX, on_contexts, c);
    return &c->op;
}

/* ---- one context ---- */

enum what { W_CLUSTERS, W_JOBS, W_SERVICES, W_PLAIN, W_END };
static const struct {
    const char *group, *plural;
} whats[] = {
    [W_CLUSTERS] = {"/apis/ray.io/v1", "rayclusters"},
    [W_JOBS] = {"/apis/ray.io/v1", "rayjobs"},
    [W_SERVICES] = {"/apis/ray.io/v1", "rayservices"},
    [W_PLAIN] = {"/api/v1", "services"},
};

struct place {
    struct search *search;
    char *context, *space; /* NULL: the current one; all namespaces */
    struct rt_kube *kube;
    struct rt_op *op;
    enum what what;
    bool running, ended;
    struct rt_error error;
};

struct search {
    struct rt_op op;
    struct rt_provider_env env;
    struct rt_op *contexts, *soon;
    RT_VEC(struct place *) places;
    found_fn *found;
    void (*done)(void *ctx, const struct rt_error *err);
    void *ctx;
    struct rt_error error;
    size_t seen;
};

static void ask(struct place *pl);
static void go_on(struct search *s);

static void tell(struct place *pl, const char *space, const char *name, const char *text, bool as_service) {
    char *target = rt_strf(as_service ? "kube://%s/%s/service:%s" : "kube://%s/%s/%s", pl->context ? pl->context : "", space, name);
    pl->search->seen++;
    pl->search->found(pl->search->ctx, target, text);
    free(target);
}

static void tell_cluster(struct place *pl, const json_t *object) {
    struct kcluster c;
    struct rt_error ignored;
    if (!kuberay_decode_cluster(object, &c, &ignored))
        return;
    int64_t wanted = 0;
    for (size_t i = 0; i < c.ngroups; i++)
        wanted += c.groups[i].wanted;
    const char *state = c.deleting ? "being deleted" : c.suspend ? "suspended" : c.head_ready ? "ready" : c.head_reason ? c.head_reason : "starting";
    char *of = c.from_name ? rt_strf(" of %s %s", c.from_kind, c.from_name) : rt_strdup("");
    char *text = rt_strf("RayCluster%s, %s, %lld workers in %zu groups%s%s", of, state, (long long)wanted, c.ngroups, c.version ? ", Ray " : "",
                         c.version ? c.version : "");
    tell(pl, c.space ? c.space : "default", c.name, text, false);
    free(text);
    free(of);
    kuberay_cluster_deinit(&c);
}

/* RayJob and RayService: their cluster is what can be attached to. */
static void tell_owner(struct place *pl, const json_t *object, bool job) {
    const char *space = rt_json_str(object, "metadata.namespace"), *name = rt_json_str(object, "metadata.name");
    const char *cluster = rt_json_str(object, job ? "status.rayClusterName" : "status.activeServiceStatus.rayClusterName");
    const char *state = rt_json_str(object, job ? "status.jobStatus" : "status.serviceStatus");
    const char *deployed = job ? rt_json_str(object, "status.jobDeploymentStatus") : NULL;
    if (!name || !space)
        return;
    char *text = rt_strf("%s %s%s%s%s%s", job ? "RayJob" : "RayService", name, deployed && *deployed ? ", " : "", deployed && *deployed ? deployed : "",
                         state && *state ? ", " : "", state && *state ? state : "");
    if (!job) { /* its service follows the cluster through upgrades */
        char *service = rt_strf("%s-head-svc", name);
        tell(pl, space, service, text, true);
        free(service);
    } else if (cluster && *cluster) {
        tell(pl, space, cluster, text, false);
    }
    free(text);
}

/* A dashboard that KubeRay did not make. */
static void tell_plain(struct place *pl, const json_t *object) {
    const char *space = rt_json_str(object, "metadata.namespace"), *name = rt_json_str(object, "metadata.name");
    const json_t *labels = rt_json_at(object, "metadata.labels"), *port = NULL;
    size_t i = 0;
    if (!name || !space || json_object_get(labels, "ray.io/cluster") || json_object_get(labels, "ray.io/originated-from-cr-name"))
        return;
    json_array_foreach(rt_json_at(object, "spec.ports"), i, port)
        if (json_integer_value(json_object_get(port, "port")) == 8265 || rt_streq(rt_json_str(port, "name"), "dashboard")) {
            tell(pl, space, name, "a service with a dashboard's port", true);
            return;
        }
}

static void take(struct place *pl, const json_t *object) {
    switch (pl->what) {
    case W_CLUSTERS:
        tell_cluster(pl, object);
        break;
    case W_JOBS:
    case W_SERVICES:
        tell_owner(pl, object, pl->what == W_JOBS);
        break;
    case W_PLAIN:
        tell_plain(pl, object);
        break;
    case W_END:
        break;
    }
}

static void place_end(struct place *pl, const struct rt_error *err) {
    struct search *s = pl->search;
    pl->ended = true;
    pl->running = false;
    rt_kube_put(pl->kube);
    pl->kube = NULL;
    if (err) {
        struct rt_error one = *err;
        rt_error_wrap(&one, "%s", pl->context ? pl->context : "current context");
        if (s->error.code)
            rt_error_wrap(&one, "%.*s;", (int)sizeof s->error.message / 2, s->error.message);
        s->error = one;
    }
    go_on(s);
}

static void on_space(void *ctx, const char *space, const struct rt_error *err) {
    struct place *pl = ctx;
    pl->op = NULL;
    if (err) {
        place_end(pl, err);
        return;
    }
    pl->space = rt_strdup(space);
    ask(pl);
}

static void on_list(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct place *pl = ctx;
    struct rt_error e;
    pl->op = NULL;
    if (err && err->code == RT_E_DENIED && a && a->status == 403 && !pl->space) { /* no right to all: what is the context's own */
        pl->op = rt_kube_space(pl->kube, on_space, pl);
        return;
    }
    if (err && pl->what == W_CLUSTERS && err->code != RT_E_NOT_FOUND) {
        place_end(pl, err);
        return;
    }
    if (err && pl->what == W_CLUSTERS) {
        rt_error_set(&e, RT_E_UNSUPPORTED, "KubeRay is not installed there: it has no RayClusters (ray.io/v1)");
        pl->error = e;
        pl->what = W_SERVICES;
    }
    size_t i = 0;
    json_t *object = NULL;
    if (!err)
        json_array_foreach(rt_json_at(a->json, "items"), i, object)
            take(pl, object);
    pl->what++;
    if (pl->what == W_END)
        place_end(pl, pl->error.code ? &pl->error : NULL);
    else
        ask(pl);
}

static void ask(struct place *pl) {
    char *path = pl->space ? rt_strf("%s/namespaces/%s/%s?limit=%d", whats[pl->what].group, pl->space, whats[pl->what].plural, PAGE)
                           : rt_strf("%s/%s?limit=%d", whats[pl->what].group, whats[pl->what].plural, PAGE);
    const struct rt_kube_request r = {.path = path, .timeout_ms = TIMEOUT_MS};
    pl->op = rt_kube_send(pl->kube, &r, on_list, pl);
    free(path);
}

/* ---- several ---- */

static void search_free(struct search *s) {
    rt_op_drop(&s->contexts);
    rt_op_drop(&s->soon);
    for (size_t i = 0; i < s->places.n; i++) {
        struct place *pl = s->places.v[i];
        rt_op_drop(&pl->op);
        rt_kube_put(pl->kube);
        free(pl->context);
        free(pl->space);
        free(pl);
    }
    rt_vec_deinit(&s->places);
    free(s);
}

static void search_cancel(struct rt_op *op) {
    search_free((struct search *)op);
}

static void tell_done(void *ctx) {
    struct search *s = ctx;
    void (*done)(void *, const struct rt_error *) = s->done;
    void *done_ctx = s->ctx;
    const struct rt_error err = s->error;
    s->soon = NULL;
    search_free(s);
    done(done_ctx, err.code ? &err : NULL);
}

static void go_on(struct search *s) {
    size_t running = 0, left = 0;
    for (size_t i = 0; i < s->places.n; i++)
        running += s->places.v[i]->running;
    for (size_t i = 0; i < s->places.n; i++) {
        struct place *pl = s->places.v[i];
        if (!pl->running && !pl->ended && running < AT_ONCE) {
            pl->running = true;
            running++;
            pl->kube = rt_kube_get(s->env.kubes, NULL, pl->context);
            ask(pl);
        }
        left += !pl->ended;
    }
    if (!left && !s->soon)
        s->soon = rt_loop_defer(s->env.loop, tell_done, s);
}

static void add_place(struct search *s, const char *context, const char *space) {
    struct place *pl = RT_NEW(struct place);
    pl->search = s;
    pl->context = context && *context ? rt_strdup(context) : NULL;
    pl->space = space && *space ? rt_strdup(space) : NULL;
    *rt_vec_push(&s->places) = pl;
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

/* kube://CONTEXT, kube://CONTEXT/NAMESPACE; no context: the current one; "*": all that there are. */
struct rt_op *kuberay_discover_at(const struct rt_provider_env *env, const char *where, found_fn *found,
                                  void (*done)(void *ctx, const struct rt_error *err), void *ctx) {
    char *context = NULL, *space = NULL, *name = NULL;
    if (!rt_kube_target(where, &context, &space, &name))
        return NULL;
    struct search *s = RT_NEW(struct search);
    s->op.cancel = search_cancel;
    s->env = *env;
    s->found = found;
    s->done = done;
    s->ctx = ctx;
    if (rt_streq(context, "*")) {
        const char *const argv[] = {"kubectl", "config", "get-contexts", "-o", "name", NULL};
        const struct rt_proc_opts o = {.argv = argv, .timeout_ms = TIMEOUT_MS};
        s->contexts = rt_run(env->loop, &o, OUTPUT_MAX, on_names, s);
    } else {
        add_place(s, context, space);
        go_on(s);
    }
    free(context);
    free(space);
    free(name);
    return &s->op;
}
