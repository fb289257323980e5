/* Living actors, as far as "what sits on this node" needs them. */
#include "ray/private.h"

#include <string.h>

/* Only ALIVE ones have a node; the filter is applied at the source. */
static const char ACTORS_PATH[] =
    "/api/v0/actors?limit=1000&filter_keys=state&filter_predicates=%3D&filter_values=ALIVE";

struct decoded {
    struct rt_actor actor;
    const char *ray_namespace;
};

static const struct rt_field actor_fields[] = {
    RT_FIELD(struct decoded, actor.id, "actor_id", RT_F_STR, .required = true),
    RT_FIELD(struct decoded, actor.class_name, "class_name", RT_F_STR),
    RT_FIELD(struct decoded, actor.name, "name", RT_F_STR),
    RT_FIELD(struct decoded, actor.state, "state", RT_F_STR),
    RT_FIELD(struct decoded, actor.job_id, "job_id", RT_F_STR),
    RT_FIELD(struct decoded, actor.node_id, "node_id", RT_F_STR),
    RT_FIELD(struct decoded, actor.pid, "pid", RT_F_I64, .absent = -1),
    RT_FIELD(struct decoded, ray_namespace, "ray_namespace", RT_F_STR),
    {0},
};

/* Supervisors of jobs, Serve's controller and proxies, and Data's helpers are Ray, not the person's
 * work. */
static bool of_ray(const struct decoded *d) {
    static const char *const classes[] = {"JobSupervisor", "ServeController",
                                          "ProxyActor",    "HTTPProxyActor",
                                          "_StatsActor",   "AutoscalingRequester"};
    for (size_t i = 0; i < RT_COUNT(classes); i++)
        if (rt_streq(d->actor.class_name, classes[i]))
            return true;
    return rt_streq(d->ray_namespace, "SUPERVISOR_ACTOR_RAY_NAMESPACE") ||
           (d->actor.name && rt_starts(d->actor.name, "_ray_internal_"));
}

struct actors {
    struct rt_op op;
    struct rt_list list;
    struct rt_arena *arena;
    RT_VEC(struct rt_actor) v;
    rt_ray_actors_fn *fn;
    void *ctx;
};

static void actors_free(struct actors *o) {
    rt_list_deinit(&o->list);
    rt_arena_destroy(o->arena);
    rt_vec_deinit(&o->v);
    free(o);
}

static void actors_cancel(struct rt_op *op) {
    actors_free((struct actors *)op);
}

static bool actor_came(void *ctx, const json_t *v, struct rt_error *err) {
    struct actors *o = ctx;
    struct decoded d = {0};
    if (!rt_decode(v, actor_fields, &d, o->arena, err))
        return false;
    if (!of_ray(&d) && d.actor.node_id && rt_streq(d.actor.state, "ALIVE"))
        *rt_vec_push(&o->v) = d.actor;
    return true;
}

static void actors_end(void *ctx, const struct rt_error *err) {
    struct actors *o = ctx;
    rt_actors b = {0};
    if (!err) {
        size_t at_source = 0;
        rt_list_counters(&o->list, o->arena, &at_source, &b.note);
        b.n = o->v.n;
        b.v = rt_batch_array(o->arena, o->v.v, o->v.n, sizeof(*o->v.v));
        b.total = o->v.n + (at_source - o->list.seen); /* what was not sent may be anybody's */
        b.left_out = o->list.left_out;
        b.arena = o->arena;
        o->arena = NULL;
        o->v.v = NULL;
    }
    const struct rt_error copy = err ? *err : (struct rt_error){0};
    rt_ray_actors_fn *fn = o->fn;
    void *fn_ctx = o->ctx;
    actors_free(o);
    fn(fn_ctx, &b, err ? &copy : NULL);
    rt_batch_deinit(&b);
}

struct rt_op *rt_ray_actors(struct rt_ray *r, rt_ray_actors_fn *fn, void *ctx) {
    struct actors *o = RT_NEW(struct actors);
    o->op.cancel = actors_cancel;
    o->arena = rt_arena_create();
    o->fn = fn;
    o->ctx = ctx;
    o->list.item = actor_came;
    o->list.end = actors_end;
    o->list.ctx = o;
    rt_list_start(&o->list, r, "/api/v0/actors", ACTORS_PATH, "data.result.result");
    return &o->op;
}
