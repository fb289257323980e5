/* Operations on a RayJob or a RayService: suspended, resumed, deleted; and what comes of it. The uid goes along, so that
 * another object of that name, which came meanwhile, is left alone. */
#include "base/vec.h"
#include "providers/kuberay.h"

enum { LIMIT_MS = 30 * 60 * 1000 };

enum change { C_SUSPEND, C_RESUME, C_DELETE };
static const char *const words[] = {[C_SUSPEND] = "suspend", [C_RESUME] = "resume", [C_DELETE] = "delete"};

struct kchange {
    struct rt_provider *provider;
    struct rt_operation *operation;
    enum kowner_kind kind;
    enum change change;
    char *id, *uid, *result;
    size_t step;
    struct rt_op *op;
    struct rt_timer *limit;
};

/* ---- the end ---- */

static void finish(struct kchange *t, const struct rt_error *err) {
    struct rt_provider *p = t->provider;
    struct rt_operation *o = t->operation;
    char *result = t->result;
    for (size_t i = 0; i < p->nchanges; i++)
        if (p->changes[i] == t) {
            p->changes[i] = p->changes[--p->nchanges];
            break;
        }
    rt_op_drop(&t->op);
    rt_timer_stop(t->limit);
    free(t->id);
    free(t->uid);
    free(t);
    rt_operation_finish(o, err, err ? NULL : result);
    free(result);
}

static void on_cancel(void *ctx) {
    struct rt_error err;
    rt_error_set(&err, RT_E_CANCELLED, "cancelled: what was asked of the API server stays asked");
    finish(ctx, &err);
}

static void on_limit(void *ctx) {
    struct kchange *t = ctx;
    struct rt_error err;
    rt_error_set(&err, RT_E_TIMEOUT, "%s: not done in time: does the operator run?", t->operation->title);
    finish(t, &err);
}

void kuberay_changes_abandon(struct rt_provider *p) {
    while (p->nchanges)
        on_cancel(p->changes[p->nchanges - 1]);
    free(p->changes);
    p->changes = NULL;
}

/* ---- what comes of it ---- */

static bool settled(const struct kchange *t, const json_t *object) {
    const char *deployment = rt_json_str(object, "status.jobDeploymentStatus");
    if (t->change == C_DELETE)
        return !object;
    if (t->change == C_SUSPEND)
        return rt_streq(deployment, "Suspended");
    return deployment && *deployment && !rt_starts(deployment, "Suspend");
}

static void look(struct kchange *t) {
    struct rt_error err;
    bool listed = false;
    const json_t *object = kuberay_owner(t->provider, t->kind, t->id, &listed);
    if (object && !rt_streq(rt_json_str(object, "metadata.uid"), t->uid))
        object = NULL; /* a later one of that name */
    if (t->op || !listed)
        return;
    if (settled(t, object)) {
        finish(t, NULL);
    } else if (!object) {
        rt_error_set(&err, RT_E_CONFLICT, "%s was deleted meanwhile", t->id);
        finish(t, &err);
    }
}

void kuberay_changes_look(struct rt_provider *p, enum kowner_kind k) {
    for (size_t i = p->nchanges; i-- > 0;)
        if (i < p->nchanges && p->changes[i]->kind == k)
            look(p->changes[i]);
}

static void on_answer(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct kchange *t = ctx;
    (void)a;
    t->op = NULL;
    if (err && !(t->change == C_DELETE && err->code == RT_E_NOT_FOUND)) {
        finish(t, err);
        return;
    }
    rt_operation_step_end(t->operation, t->step, NULL);
    t->step = rt_operation_step(t->operation, t->id, t->change == C_DELETE ? "until it is gone" : "until the operator has done it");
    look(t);
}

static void send(struct kchange *t) {
    const char *slash = strchr(t->id, '/');
    char *path = rt_strf("/apis/ray.io/v1/namespaces/%.*s/%s/%s", (int)(slash - t->id), t->id, kuberay_owner_plural(t->kind), slash + 1);
    json_t *body = t->change == C_DELETE
                       ? json_pack("{s:s, s:s, s:s, s:{s:s}}", "apiVersion", "v1", "kind", "DeleteOptions", "propagationPolicy", "Background",
                                   "preconditions", "uid", t->uid)
                       : json_pack("{s:{s:s}, s:{s:b}}", "metadata", "uid", t->uid, "spec", "suspend", t->change == C_SUSPEND);
    char *text = json_dumps(body, JSON_COMPACT);
    const struct rt_kube_request r = {.method = t->change == C_DELETE ? "DELETE" : "PATCH", .path = path, .body = text,
                                      .content_type = t->change == C_DELETE ? NULL : RT_KUBE_MERGE_PATCH};
    t->op = rt_kube_send(t->provider->kube, &r, on_answer, t);
    json_decref(body);
    free(text);
    free(path);
}

/* ---- the verb ---- */

static bool change_of(const char *verb, enum kowner_kind kind, enum change *out, struct rt_error *err) {
    for (size_t i = 0; i < RT_COUNT(words); i++)
        if (rt_streq(words[i], verb)) {
            *out = (enum change)i;
            return kind == K_RAYJOB || *out == C_DELETE ||
                   rt_error_set(err, RT_E_UNSUPPORTED, "a RayService cannot be suspended: KubeRay has no such field for it");
        }
    return rt_error_set(err, RT_E_INTERNAL, "no change %s", verb);
}

static const char *result_of(enum kowner_kind kind, enum change c) {
    if (c == C_DELETE)
        return kind == K_RAYJOB ? "the RayJob is gone; a cluster that was its own goes with it" : "the RayService is gone; its clusters go with it";
    return c == C_SUSPEND ? "the RayJob is suspended: its cluster is gone" : "the RayJob goes on, with a cluster that is made anew";
}

struct rt_operation *kuberay_change(struct rt_provider *p, enum rt_topic list, const char *id, const char *verb, struct rt_error *err) {
    const enum kowner_kind kind = list == RT_T_RAYJOBS ? K_RAYJOB : K_RAYSERVICE;
    enum change change;
    bool listed = false;
    const json_t *object = kuberay_owner(p, kind, id, &listed);
    if (!change_of(verb, kind, &change, err))
        return NULL;
    if (!object) {
        rt_error_set(err, RT_E_NOT_FOUND, "there is no %s %s", kind == K_RAYJOB ? "RayJob" : "RayService", id);
        return NULL;
    }
    struct kchange *t = RT_NEW(struct kchange);
    char *title = rt_strf("%s %s", words[change], id);
    t->provider = p;
    t->kind = kind;
    t->change = change;
    t->id = rt_strdup(id);
    t->uid = rt_strdup(rt_json_str(object, "metadata.uid"));
    t->result = rt_strdup(result_of(kind, change));
    t->operation = rt_operation_start(p->env.operations, words[change], p->conf->name, title, on_cancel, t);
    t->limit = rt_timer_start(p->env.loop, LIMIT_MS, 0, on_limit, t);
    t->step = rt_operation_step(t->operation, t->id, change == C_DELETE ? "asking for its deletion" : "patching the RayJob");
    p->changes = rt_realloc(p->changes, (p->nchanges + 1) * sizeof(struct kchange *));
    p->changes[p->nchanges++] = t;
    free(title);
    send(t);
    return t->operation;
}
