/* What the autoscaler tells: its text for pools and demand (all versions), its JSON for the one
 * thing that the text leaves out, an autoscaler that broke down, and why a kind of node cannot be
 * had. */
#include "ray/private.h"

#include <string.h>

static const char TEXT_PATH[] = "/api/cluster_status?format=1";

struct status {
    struct rt_op op;
    struct rt_op *text_call, *json_call;
    struct rt_ray_status s;
    struct rt_error err;
    char *broken;               /* autoscalingError */
    struct rt_strs unavailable; /* kind, reason, kind, reason, ... */
    rt_ray_status_fn *fn;
    void *ctx;
};

static void status_free(struct status *o) {
    rt_op_cancel(o->text_call);
    rt_op_cancel(o->json_call);
    rt_ray_status_deinit(&o->s);
    rt_strs_deinit(&o->unavailable);
    free(o->broken);
    free(o);
}

static void status_cancel(struct rt_op *op) {
    status_free((struct status *)op);
}

/* Ray counts in the text which kinds failed to launch; only here it says why. */
static void explain(struct status *o) {
    rt_pools *pools = &o->s.pools;
    for (size_t i = 0; i + 1 < o->unavailable.n; i += 2)
        for (size_t k = 0; k < pools->n; k++)
            if (rt_streq(pools->v[k].name, o->unavailable.v[i]))
                pools->v[k].why = rt_arena_strdup(pools->arena, o->unavailable.v[i + 1]);
}

static void over_when_both(struct status *o) {
    if (o->text_call || o->json_call)
        return;
    explain(o);
    struct rt_ray_status s = o->s;
    const struct rt_error err = o->err;
    s.error = o->broken;
    o->broken = NULL;
    o->s = (struct rt_ray_status){0};
    rt_ray_status_fn *fn = o->fn;
    void *fn_ctx = o->ctx;
    status_free(o);
    fn(fn_ctx, &s, err.code != RT_OK ? &err : NULL);
    rt_ray_status_deinit(&s);
}

static void text_answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct status *o = ctx;
    o->text_call = NULL;
    if (err) {
        o->err = *err;
        rt_op_drop(&o->json_call);
    } else {
        json_t *v = rt_ray_json(a, "/api/cluster_status", &o->err);
        const char *text = rt_json_str(v, "data.clusterStatus");
        if (text && !rt_ray_status_parse(text, strlen(text), &o->s, &o->err))
            rt_error_wrap(&o->err, "GET /api/cluster_status");
        json_decref(v);
    }
    over_when_both(o);
}

static void read_availability(struct status *o, const json_t *v) {
    const json_t *kinds = rt_json_at(
        v, "data.clusterStatus.autoscalerReport.nodeAvailabilitySummary.nodeAvailabilities");
    const char *key;
    json_t *kind;
    json_object_foreach((json_t *)(uintptr_t)kinds, key, kind) {
        const char *name = rt_json_str(kind, "nodeType");
        const char *category = rt_json_str(kind, "unavailableNodeInformation.category");
        const char *text = rt_json_str(kind, "unavailableNodeInformation.description");
        if (!name || !category)
            continue;
        rt_strs_add(&o->unavailable, name);
        rt_strs_addf(&o->unavailable, "%s%s%s", category, text && *text ? ": " : "",
                     text ? text : "");
    }
}

/* Its failure costs only what it would have added. */
static void json_answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct status *o = ctx;
    o->json_call = NULL;
    struct rt_error ignored = {0};
    json_t *v = err ? NULL : rt_ray_json(a, "/api/cluster_status", &ignored);
    const char *broken = rt_json_str(v, "data.autoscalingError");
    if (broken && *broken) {
        char line[400];
        o->broken = rt_strdup(rt_ray_reason(line, sizeof(line), broken));
    }
    read_availability(o, v);
    json_decref(v);
    over_when_both(o);
}

struct rt_op *rt_ray_status(struct rt_ray *r, rt_ray_status_fn *fn, void *ctx) {
    struct status *o = RT_NEW(struct status);
    o->op.cancel = status_cancel;
    o->fn = fn;
    o->ctx = ctx;
    const struct rt_ray_call text = {.route = "/api/cluster_status", .path = TEXT_PATH};
    const struct rt_ray_call json = {.route = "/api/cluster_status", .max_bytes = 16 * RT_MIB};
    o->text_call = rt_ray_send(r, &text, text_answered, o);
    o->json_call = rt_ray_send(r, &json, json_answered, o);
    return &o->op;
}
