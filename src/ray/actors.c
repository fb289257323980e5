/* Actors by state, so that the dead ones of a long life do not crowd out those that matter. */
#include "ray/private.h"

#include <string.h>

/* The filter is applied at the source. */
#define STATE_IS(s) "&filter_keys=state&filter_predicates=%3D&filter_values=" s
static const char *const paths[] = {
    "/api/v0/actors?detail=1&limit=1000" STATE_IS("ALIVE"),
    "/api/v0/actors?detail=1&limit=1000" STATE_IS("PENDING_CREATION"),
    "/api/v0/actors?detail=1&limit=1000" STATE_IS("RESTARTING"),
    "/api/v0/actors?detail=1&limit=1000" STATE_IS("DEPENDENCIES_UNREADY"),
    "/api/v0/actors?detail=1&limit=200" STATE_IS("DEAD"),
    NULL,
};

static const struct rt_field actor_fields[] = {
    RT_FIELD(struct rt_actor, id, "actor_id", RT_F_STR, .required = true),
    RT_FIELD(struct rt_actor, class_name, "class_name", RT_F_STR),
    RT_FIELD(struct rt_actor, name, "name", RT_F_STR),
    RT_FIELD(struct rt_actor, state, "state", RT_F_STR),
    RT_FIELD(struct rt_actor, job_id, "job_id", RT_F_STR),
    RT_FIELD(struct rt_actor, node_id, "node_id", RT_F_STR),
    RT_FIELD(struct rt_actor, pid, "pid", RT_F_I64, .absent = -1),
    RT_FIELD(struct rt_actor, ray_namespace, "ray_namespace", RT_F_STR),
    RT_FIELD(struct rt_actor, placement_group_id, "placement_group_id", RT_F_STR),
    RT_FIELD(struct rt_actor, death_cause, "death_cause", RT_F_JSON),
    RT_FIELD(struct rt_actor, resources, "required_resources", RT_F_RES),
    RT_FIELD(struct rt_actor, label_selector, "label_selector", RT_F_KV),
    RT_FIELD(struct rt_actor, restarts, "num_restarts", RT_F_I64, .absent = -1),
    RT_FIELD(struct rt_actor, detached, "is_detached", RT_F_BOOL),
    {0},
};

/* Supervisors of jobs, Serve's controller and proxies, and Data's helpers are Ray, not the person's
 * work. */
static bool of_ray(const struct rt_actor *d) {
    static const char *const classes[] = {"JobSupervisor", "ServeController",
                                          "ProxyActor",    "HTTPProxyActor",
                                          "_StatsActor",   "AutoscalingRequester"};
    for (size_t i = 0; i < RT_COUNT(classes); i++)
        if (rt_streq(d->class_name, classes[i]))
            return true;
    return rt_streq(d->ray_namespace, "SUPERVISOR_ACTOR_RAY_NAMESPACE") ||
           (d->name && rt_starts(d->name, "_ray_internal_"));
}

struct actors {
    struct rt_op op;
    struct rt_list list;
    struct rt_ray *ray;
    size_t path;
    struct rt_arena *arena;
    RT_VEC(struct rt_actor) v, own;
    size_t hidden, left_out;
    const char *note;
    rt_ray_actors_fn *fn;
    void *ctx;
};

static void actors_free(struct actors *o) {
    rt_list_deinit(&o->list);
    rt_arena_destroy(o->arena);
    rt_vec_deinit(&o->v);
    rt_vec_deinit(&o->own);
    free(o);
}

static void actors_cancel(struct rt_op *op) {
    actors_free((struct actors *)op);
}

static bool actor_came(void *ctx, const json_t *v, struct rt_error *err) {
    struct actors *o = ctx;
    struct rt_actor d = {0};
    if (!rt_decode(v, actor_fields, &d, o->arena, err))
        return false;
    rt_needs_unfold(&d.resources, o->arena);
    if (!of_ray(&d))
        *rt_vec_push(&o->v) = d;
    else if (!rt_streq(d.state, "DEAD"))
        *rt_vec_push(&o->own) = d;
    return true;
}

static void start_path(struct actors *o);

static void deliver(struct actors *o, const struct rt_error *err) {
    rt_actors b = {0};
    if (!err) {
        b = (rt_actors){.n = o->v.n, .total = o->v.n + o->hidden, .left_out = o->left_out, .note = o->note};
        b.v = rt_batch_array(o->arena, o->v.v, o->v.n, sizeof(*o->v.v));
        b.own = rt_batch_array(o->arena, o->own.v, o->own.n, sizeof(*o->own.v));
        b.nown = o->own.n;
        b.arena = o->arena;
        o->arena = NULL;
        o->v.v = NULL;
        o->own.v = NULL;
    }
    const struct rt_error copy = err ? *err : (struct rt_error){0};
    rt_ray_actors_fn *fn = o->fn;
    void *fn_ctx = o->ctx;
    actors_free(o);
    fn(fn_ctx, &b, err ? &copy : NULL);
    rt_batch_deinit(&b);
}

static void path_ended(void *ctx, const struct rt_error *err) {
    struct actors *o = ctx;
    size_t at_source = 0;
    if (err) {
        deliver(o, err);
        return;
    }
    rt_list_counters(&o->list, o->arena, &at_source, &o->note);
    o->hidden += at_source - o->list.seen; /* what was not sent may be anybody's */
    o->left_out += o->list.left_out;
    rt_list_deinit(&o->list);
    if (paths[++o->path])
        start_path(o);
    else
        deliver(o, NULL);
}

static void start_path(struct actors *o) {
    o->list = (struct rt_list){.item = actor_came, .end = path_ended, .ctx = o};
    rt_list_start(&o->list, o->ray, "/api/v0/actors", paths[o->path], "data.result.result");
}

struct rt_op *rt_ray_actors(struct rt_ray *r, rt_ray_actors_fn *fn, void *ctx) {
    struct actors *o = RT_NEW(struct actors);
    o->op.cancel = actors_cancel;
    o->arena = rt_arena_create();
    o->fn = fn;
    o->ctx = ctx;
    o->ray = r;
    start_path(o);
    return &o->op;
}
