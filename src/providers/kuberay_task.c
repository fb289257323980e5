/* Operations on a RayCluster: a patch of what was read, then what comes of it.
 *
 * A patch tests what it changes; 409 and 422 mean that somebody else was faster: the object is read again, and if it
 * still says what the person saw, the patch is made anew. */
#include "base/vec.h"
#include "providers/drain.h"
#include "providers/kuberay.h"
#include <stdio.h>

enum { TRIES = 4, LIMIT_MS = 30 * 60 * 1000, DRAINED_S = 30, DRAIN_LOOK_MS = 1000 };

enum kind { T_SCALE, T_REMOVE_NODE, T_ADD_POOL, T_REMOVE_POOL, T_SUSPEND, T_RESUME };
enum phase { P_DRAIN, P_PATCH, P_WAIT, P_CLEAR, P_REMOVE };

struct ktask {
    struct rt_provider *provider;
    struct rt_operation *operation;
    enum kind kind;
    enum phase phase;
    char *pool;
    struct kpatch want;
    struct rt_strs pods;   /* that go */
    json_t *group;         /* that comes */
    int64_t saw_replicas, saw_min, saw_max; /* what the person saw */
    size_t step;
    struct rt_op *op;
    json_t *fresh;         /* read again after a refusal */
    int tries;
    struct rt_timer *limit;
    char *node_id;         /* that is drained */
    int64_t drain_ends_ms; /* loop time */
    struct rt_timer *drain_timer;
    char *result;
};

static void send_patch(struct ktask *t);
static void look(struct ktask *t);

/* ---- the end ---- */

static void task_free(struct ktask *t) {
    struct rt_provider *p = t->provider;
    for (size_t i = 0; i < p->ntasks; i++)
        if (p->tasks[i] == t) {
            p->tasks[i] = p->tasks[--p->ntasks];
            break;
        }
    rt_op_drop(&t->op);
    rt_timer_stop(t->limit);
    rt_timer_stop(t->drain_timer);
    free(t->node_id);
    json_decref(t->fresh);
    json_decref(t->group);
    rt_strs_deinit(&t->pods);
    free(t->result);
    free(t->pool);
    free(t);
}

static void finish(struct ktask *t, const struct rt_error *err) {
    struct rt_operation *o = t->operation;
    char *result = t->result;
    t->result = NULL;
    task_free(t);
    rt_operation_finish(o, err, err ? NULL : result);
    free(result);
}

static void on_cancel(void *ctx) {
    struct ktask *t = ctx;
    struct rt_error err;
    rt_error_set(&err, RT_E_CANCELLED, "cancelled: what was asked of the API server stays asked");
    finish(t, &err);
}

static void on_limit(void *ctx) {
    struct ktask *t = ctx;
    const struct rt_provider *p = t->provider;
    const struct rt_pool *row = t->pool ? rt_store_pool(p->cluster, t->pool) : NULL;
    struct rt_error err;
    rt_error_set(&err, RT_E_TIMEOUT, "%s: not done in time%s%.400s", t->operation->title, row && row->why ? ": " : "",
                 row && row->why ? row->why : "");
    finish(t, &err);
}

void kuberay_tasks_abandon(struct rt_provider *p) {
    while (p->ntasks)
        on_cancel(p->tasks[p->ntasks - 1]);
    free(p->tasks);
    p->tasks = NULL;
}

static struct ktask *task_new(struct rt_provider *p, enum kind kind, const char *verb, const char *pool, const char *title) {
    struct ktask *t = RT_NEW(struct ktask);
    t->provider = p;
    t->kind = kind;
    t->phase = P_PATCH;
    t->pool = rt_strdup(pool);
    t->want = (struct kpatch){.replicas = -1, .min = -1, .max = -1};
    const struct kgroup *g = pool ? kuberay_group(&p->seen, pool) : NULL;
    t->saw_replicas = g ? g->replicas : 0;
    t->saw_min = g ? g->min : 0;
    t->saw_max = g ? g->max : 0;
    t->operation = rt_operation_start(p->env.operations, verb, p->conf->name, title, on_cancel, t);
    t->limit = rt_timer_start(p->env.loop, p->conf->up_timeout_ms > 0 ? p->conf->up_timeout_ms : LIMIT_MS, 0, on_limit, t);
    p->tasks = rt_realloc(p->tasks, (p->ntasks + 1) * sizeof(*p->tasks));
    p->tasks[p->ntasks++] = t;
    return t;
}

/* ---- waiting for what comes of it ---- */

struct state {
    int64_t ready, there;
    const char *why;
};

static struct state state_of(const struct rt_provider *p, const char *group) {
    struct state s = {0};
    for (size_t i = 0; i < p->npods; i++) {
        const struct kpod *pod = &p->pods[i];
        if (group ? pod->head || !rt_streq(pod->group, group) : false)
            continue;
        s.there++;
        s.ready += pod->ready;
        if (!pod->ready && pod->why && !s.why)
            s.why = pod->why;
    }
    return s;
}

static bool all_gone(const struct ktask *t) {
    for (size_t i = 0; i < t->pods.n; i++)
        if (kuberay_pod(t->provider, t->pods.v[i]))
            return false;
    return true;
}

static bool settled(struct ktask *t) {
    const struct rt_provider *p = t->provider;
    const struct kgroup *g = t->pool ? kuberay_group(&p->seen, t->pool) : NULL;
    const struct state s = state_of(p, t->pool);
    switch (t->kind) {
    case T_SCALE:
    case T_ADD_POOL:
        if (!g)
            return false;
        rt_operation_progress(t->operation, t->step, s.ready, g->wanted);
        return s.ready == g->wanted && s.there == g->wanted && all_gone(t);
    case T_REMOVE_NODE:
        return all_gone(t);
    case T_REMOVE_POOL:
        rt_operation_progress(t->operation, t->step, 0, s.there);
        return !s.there;
    case T_SUSPEND:
        return p->seen.suspended && !s.there;
    case T_RESUME: {
        const struct kpod *head = kuberay_head(p);
        return !p->seen.suspended && head && head->ready;
    }
    }
    return false;
}

static void say_why(struct ktask *t) {
    const struct rt_provider *p = t->provider;
    const struct rt_pool *row = t->pool ? rt_store_pool(p->cluster, t->pool) : NULL;
    const char *why = row ? row->why : p->cluster->state_detail;
    const char *said = t->operation->steps[t->step].last_line;
    char clean[400];
    if (!why || rt_streq(said, rt_clean_to(clean, sizeof clean, why)))
        return;
    rt_operation_output(t->operation, t->step, clean, strlen(clean));
    rt_operation_output(t->operation, t->step, "\n", 1);
}

static void next_patch(struct ktask *t, enum phase phase, const char *title) {
    rt_operation_step_end(t->operation, t->step, NULL);
    t->step = rt_operation_step(t->operation, t->pool, "%s", title);
    t->phase = phase;
    t->tries = 0;
    json_decref(t->fresh);
    t->fresh = NULL;
    send_patch(t);
}

static void look(struct ktask *t) {
    const struct rt_provider *p = t->provider;
    struct rt_error err;
    if (t->phase != P_WAIT)
        return;
    if (!p->object && p->listed && !p->error.code) {
        rt_error_set(&err, RT_E_CONFLICT, "the RayCluster %s was deleted", p->name);
        finish(t, &err);
        return;
    }
    if (p->error.code || !p->object || p->seen.observed < p->seen.generation || !settled(t)) {
        say_why(t);
        return;
    }
    if (t->pods.n)
        next_patch(t, P_CLEAR, "clearing workersToDelete");
    else if (t->kind == T_REMOVE_POOL)
        next_patch(t, P_REMOVE, "taking the group out of the RayCluster");
    else
        finish(t, NULL);
}

void kuberay_tasks_look(struct rt_provider *p) {
    for (size_t i = p->ntasks; i-- > 0;)
        if (i < p->ntasks)
            look(p->tasks[i]);
}

/* ---- the patch ---- */

static json_t *body_of(const struct ktask *t, const json_t *object) {
    static const struct kpatch clear = {.replicas = -1, .min = -1, .max = -1, .clear = true};
    if (t->phase == P_CLEAR)
        return kuberay_patch_group(object, t->pool, &clear);
    if (t->phase == P_REMOVE)
        return kuberay_patch_remove_group(object, t->pool);
    switch (t->kind) {
    case T_SCALE:
    case T_REMOVE_NODE:
    case T_REMOVE_POOL: {
        struct kpatch w = t->want;
        w.pods = &t->pods;
        return kuberay_patch_group(object, t->pool, &w);
    }
    case T_ADD_POOL:
        return kuberay_patch_add_group(object, json_deep_copy(t->group));
    case T_SUSPEND:
    case T_RESUME:
        return json_pack("{s:{s:b}}", "spec", "suspend", t->kind == T_SUSPEND);
    }
    return NULL;
}

/* Is it still as the person saw it when this was asked for? */
static bool unchanged(const struct ktask *t, const json_t *object, struct rt_error *err) {
    struct kcluster now;
    bool same = true;
    if (!kuberay_decode_cluster(object, &now, err))
        return false;
    const struct kgroup *g = t->pool ? kuberay_group(&now, t->pool) : NULL;
    if (t->kind == T_ADD_POOL && g)
        same = rt_error_set(err, RT_E_CONFLICT, "group %s is there already", t->pool);
    else if (t->pool && t->kind != T_ADD_POOL && !g)
        same = rt_error_set(err, RT_E_CONFLICT, "group %s was taken away meanwhile", t->pool);
    else if (g && t->phase == P_PATCH && t->kind != T_REMOVE_POOL &&
             ((t->want.replicas >= 0 && g->replicas != t->saw_replicas) || (t->want.min >= 0 && g->min != t->saw_min) ||
              (t->want.max >= 0 && g->max != t->saw_max))) {
        same = rt_error_set(err, RT_E_CONFLICT, "group %s was changed meanwhile: replicas %lld -> %lld (%lld..%lld); nothing was done", t->pool,
                            (long long)t->saw_replicas, (long long)g->replicas, (long long)g->min, (long long)g->max);
        rt_error_hint(err, "look at it and ask again");
    }
    kuberay_cluster_deinit(&now);
    return same;
}

static void on_read(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct ktask *t = ctx;
    struct rt_error changed;
    t->op = NULL;
    if (err) {
        finish(t, err);
        return;
    }
    if (!unchanged(t, a->json, &changed)) {
        finish(t, &changed);
        return;
    }
    json_decref(t->fresh);
    t->fresh = json_deep_copy(a->json);
    send_patch(t);
}

static void on_patched(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct ktask *t = ctx;
    struct rt_provider *p = t->provider;
    t->op = NULL;
    if (err && a && (a->status == 409 || a->status == 422) && ++t->tries < TRIES) {
        char *path = kuberay_path(p, p->name);
        const struct rt_kube_request r = {.path = path};
        t->op = rt_kube_send(p->kube, &r, on_read, t);
        free(path);
        return;
    }
    if (err && t->phase == P_CLEAR) { /* the names are of pods that are gone: harmless */
        finish(t, NULL);
        return;
    }
    if (err) {
        finish(t, err);
        return;
    }
    /* The generation that the operator must have seen: without it the wait would end on the state of before. */
    const json_t *generation = rt_json_at(a->json, "metadata.generation");
    if (p->object && json_is_integer(generation))
        p->seen.generation = RT_MAX(p->seen.generation, (int64_t)json_integer_value(generation));
    if (t->phase == P_CLEAR || t->phase == P_REMOVE || (t->kind == T_SCALE && p->seen.autoscaler)) {
        finish(t, NULL);
        return;
    }
    rt_operation_step_end(t->operation, t->step, NULL);
    t->step = rt_operation_step(t->operation, t->pool, "%s", t->kind == T_SUSPEND || t->kind == T_REMOVE_POOL || t->kind == T_REMOVE_NODE
                                                                  ? "until the pods are gone"
                                                                  : "until the pods are ready");
    t->phase = P_WAIT;
    look(t);
}

static void send_patch(struct ktask *t) {
    struct rt_provider *p = t->provider;
    const json_t *object = t->fresh ? t->fresh : p->object;
    const bool merge = t->phase == P_PATCH && (t->kind == T_SUSPEND || t->kind == T_RESUME);
    json_t *body = object ? body_of(t, object) : NULL;
    struct rt_error err;
    if (!body) {
        rt_error_set(&err, RT_E_CONFLICT, "%s: %s", p->conf->name, object ? "the worker group is gone" : "its RayCluster is not known now");
        finish(t, &err);
        return;
    }
    char *text = json_dumps(body, JSON_COMPACT), *path = kuberay_path(p, p->name);
    const struct rt_kube_request r = {.method = "PATCH", .path = path, .body = text,
                                      .content_type = merge ? RT_KUBE_MERGE_PATCH : RT_KUBE_JSON_PATCH};
    t->op = rt_kube_send(p->kube, &r, on_patched, t);
    free(text);
    free(path);
    json_decref(body);
}

/* ---- verbs ---- */

static bool known(const struct rt_provider *p, struct rt_error *err) {
    if (!p->object) {
        if (p->error.code)
            *err = p->error;
        else
            rt_error_set(err, RT_E_CONFLICT, "%s: its RayCluster is not known now", p->conf->name);
        return false;
    }
    if (p->seen.deleting)
        return rt_error_set(err, RT_E_CONFLICT, "the RayCluster %s is being deleted", p->name);
    return true;
}

bool kuberay_set_limits(struct rt_provider *p, const char *pool, int64_t min, int64_t max, struct rt_error *err) {
    const struct kgroup *g = kuberay_group(&p->seen, pool);
    if (!g)
        return rt_error_set(err, RT_E_NOT_FOUND, "%s has no worker group %s", p->conf->name, pool);
    if (min < 0 || (max >= 0 && max < min))
        return rt_error_set(err, RT_E_USAGE, "pool %s: %lld..%lld are no limits", pool, (long long)min, (long long)max);
    free(p->limits_pool);
    p->limits_pool = rt_strdup(pool);
    const int64_t least = kuberay_replicas(g, min), most = kuberay_replicas(g, max);
    p->limits_min = least != g->min ? least : -1;
    p->limits_max = most != g->max && !(most == INT32_MAX && g->max < 0) ? most : -1;
    return true;
}

struct rt_operation *kuberay_scale(struct rt_provider *p, const char *pool, int64_t n, struct rt_error *err) {
    const struct kgroup *g = kuberay_group(&p->seen, pool);
    const bool limits = rt_streq(p->limits_pool, pool);
    char note[256];
    if (!known(p, err))
        return NULL;
    if (!g) {
        rt_error_set(err, RT_E_NOT_FOUND, "%s has no worker group %s", p->conf->name, pool);
        return NULL;
    }
    char *title = rt_strf("scale %s to %lld", pool, (long long)n);
    struct ktask *t = task_new(p, T_SCALE, "scale", pool, title);
    free(title);
    kuberay_plan_scale(p, g, n, limits ? p->limits_min : -1, limits ? p->limits_max : -1, &t->want, &t->pods, note, sizeof note);
    free(p->limits_pool);
    p->limits_pool = NULL;
    t->result = note[0] ? rt_strdup(note) : rt_strf("%s has %lld", pool, (long long)n);
    t->step = rt_operation_step(t->operation, pool, "patching the RayCluster");
    send_patch(t);
    return t->operation;
}

/* ---- draining ---- */

/* A node whose work is done ends by itself, and so does its container: then the operator may have replaced the pod, and
 * what came in its place goes. Without that one less is wanted, and it would take any. */
static void drain_over(struct ktask *t) {
    const struct rt_provider *p = t->provider;
    const struct kpod *pod = kuberay_pod(p, t->pods.v[0]);
    const struct kgroup *g = kuberay_group(&p->seen, t->pool);
    if (g && (!pod || pod->deleting) && state_of(p, t->pool).there >= g->wanted) {
        rt_strs_deinit(&t->pods);
        kuberay_victims(p, t->pool, 1, &t->pods);
    }
    next_patch(t, P_PATCH, "patching the RayCluster");
}

static void on_drain_look(void *ctx) {
    struct ktask *t = ctx;
    const struct rt_provider *p = t->provider;
    const struct rt_node *node = rt_store_node(p->cluster, t->node_id);
    const struct kpod *pod = kuberay_pod(p, t->pods.v[0]);
    const bool ended = !node || !node->alive || !pod || pod->deleting || !pod->ready;
    if (!ended && rt_loop_now_ms(p->env.loop) < t->drain_ends_ms) {
        p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_NODES);
        return;
    }
    rt_timer_stop(t->drain_timer);
    t->drain_timer = NULL;
    drain_over(t);
}

static void on_drained(void *ctx, const char *log, const struct rt_error *err) {
    struct ktask *t = ctx;
    struct rt_loop *loop = t->provider->env.loop;
    t->op = NULL;
    if (log)
        rt_operation_output(t->operation, t->step, log, strlen(log));
    if (err) {
        rt_operation_output(t->operation, t->step, err->message, strlen(err->message));
        rt_operation_output(t->operation, t->step, "\n", 1);
    }
    if (!drain_taken(log)) {
        drain_over(t);
        return;
    }
    rt_operation_step_end(t->operation, t->step, NULL);
    t->step = rt_operation_step(t->operation, t->pods.v[0], "until its work is done, for %d s", DRAINED_S);
    t->drain_ends_ms = rt_loop_now_ms(loop) + DRAINED_S * 1000;
    t->drain_timer = rt_timer_start(loop, 0, DRAIN_LOOK_MS, on_drain_look, t);
}

/* Ray is told first, so that nothing new begins there and what runs may end. Where it cannot be (an old Ray, no dashboard, no node yet) the pod goes all the
 * same: the person was told what runs on it. */
static void drain(struct ktask *t, const char *node_id) {
    const struct rt_provider *p = t->provider;
    if (!node_id || !p->env.ray->run_script || p->cluster->reach != RT_REACH_OK) {
        t->step = rt_operation_step(t->operation, t->pods.v[0], "patching the RayCluster");
        send_patch(t);
        return;
    }
    struct rt_strs one = {0};
    rt_strs_add(&one, node_id);
    char *line = drain_line(&one, DRAINED_S);
    rt_strs_deinit(&one);
    t->node_id = rt_strdup(node_id);
    t->phase = P_DRAIN;
    t->step = rt_operation_step(t->operation, t->pods.v[0], "draining the node");
    t->op = p->env.ray->run_script(p->env.ray->ctx, p->conf->name, line, on_drained, t);
    free(line);
}

struct rt_operation *kuberay_remove_node(struct rt_provider *p, const char *node_id, struct rt_error *err) {
    const struct kpod *named = kuberay_pod(p, node_id), *pod = named ? named : kuberay_pod_of(p, node_id);
    const struct rt_node *node = pod ? kuberay_node_of(p, pod) : NULL;
    const struct kgroup *g = pod && pod->group ? kuberay_group(&p->seen, pod->group) : NULL;
    if (!known(p, err))
        return NULL;
    if (!pod || pod->head || !g) {
        rt_error_set(err, pod && pod->head ? RT_E_UNSUPPORTED : RT_E_NOT_FOUND,
                     pod && pod->head ? "%s is the head: a cluster has one" : "no worker pod is known for node %s", pod ? pod->name : node_id);
        return NULL;
    }
    if (pod->deleting) {
        rt_error_set(err, RT_E_CONFLICT, "%s is ending already", pod->name);
        return NULL;
    }
    if (g->wanted - g->hosts < g->min * g->hosts) {
        rt_error_set(err, RT_E_LIMIT, "group %s is at its min (%lld): another pod would come at once", g->name, (long long)g->min);
        rt_error_hint(err, "`raytui scale %s %s %lld --min %lld` moves the limit", p->conf->name, g->name, (long long)(g->wanted - g->hosts),
                      (long long)((g->min - 1) * g->hosts));
        return NULL;
    }
    char *title = rt_strf("remove %s", pod->name);
    struct ktask *t = task_new(p, T_REMOVE_NODE, "remove-node", g->name, title);
    free(title);
    rt_strs_add(&t->pods, pod->name);
    t->want.replicas = g->wanted / g->hosts - 1;
    t->result = rt_strf("%s is gone", pod->name);
    drain(t, node ? node->id : NULL);
    return t->operation;
}

struct rt_operation *kuberay_add_pool(struct rt_provider *p, const char *name, const struct rt_strs *fields, struct rt_error *err) {
    if (!known(p, err))
        return NULL;
    json_t *group = kuberay_group_of(p->object, name, fields, err);
    if (!group)
        return NULL;
    char *title = rt_strf("add group %s", name);
    struct ktask *t = task_new(p, T_ADD_POOL, "add-pool", name, title);
    free(title);
    t->group = group;
    t->result = rt_strf("group %s is there", name);
    t->step = rt_operation_step(t->operation, name, "patching the RayCluster");
    send_patch(t);
    return t->operation;
}

/* A group that is taken out of the list leaves its pods behind: it is made empty first. */
struct rt_operation *kuberay_remove_pool(struct rt_provider *p, const char *pool, struct rt_error *err) {
    if (!known(p, err))
        return NULL;
    if (!kuberay_group(&p->seen, pool)) {
        rt_error_set(err, RT_E_NOT_FOUND, "%s has no worker group %s", p->conf->name, pool);
        return NULL;
    }
    if (p->seen.autoscaler && state_of(p, pool).there) {
        rt_error_set(err, RT_E_UNSUPPORTED, "the autoscaler owns group %s: only it takes its pods away", pool);
        rt_error_hint(err, "`raytui scale %s %s 0` moves its limits; when its nodes are gone the group can go", p->conf->name, pool);
        return NULL;
    }
    char *title = rt_strf("remove group %s", pool);
    struct ktask *t = task_new(p, T_REMOVE_POOL, "remove-pool", pool, title);
    free(title);
    t->want = (struct kpatch){.replicas = 0, .min = 0, .max = -1};
    t->result = rt_strf("group %s is gone", pool);
    t->step = rt_operation_step(t->operation, pool, "making it empty");
    send_patch(t);
    return t->operation;
}

struct rt_operation *kuberay_suspend(struct rt_provider *p, bool on, struct rt_error *err) {
    if (!known(p, err))
        return NULL;
    if (p->seen.suspend == on) {
        rt_error_set(err, RT_E_CONFLICT, on ? "%s is suspended already" : "%s is not suspended", p->conf->name);
        return NULL;
    }
    char *title = rt_strf("%s %s", on ? "suspend" : "resume", p->name);
    struct ktask *t = task_new(p, on ? T_SUSPEND : T_RESUME, on ? "suspend" : "resume", NULL, title);
    free(title);
    t->result = rt_strdup(on ? "its pods are gone; the RayCluster stays" : "its head is ready");
    t->step = rt_operation_step(t->operation, NULL, "patching the RayCluster");
    send_patch(t);
    return t->operation;
}
