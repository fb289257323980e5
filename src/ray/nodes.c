/* Nodes: /api/v0/nodes says which there are, /nodes?view=summary what their machines are doing.
 * Both are asked at once; only the first must succeed. */
#include "base/map.h"
#include "ray/summary.h"

#include <string.h>

/* The State API never gives more than 10,000 rows. */
static const char NODES_PATH[] = "/api/v0/nodes?detail=1&limit=10000";
static const char SUMMARY_PATH[] = "/nodes?view=summary";

struct row {
    struct rt_node node;
    struct rt_resources total;
};

static const struct rt_field node_fields[] = {
    RT_FIELD(struct row, node.id, "node_id", RT_F_STR, .required = true),
    RT_FIELD(struct row, node.ip, "node_ip", RT_F_STR),
    RT_FIELD(struct row, node.name, "node_name", RT_F_STR),
    RT_FIELD(struct row, node.state, "state", RT_F_STR, .required = true),
    RT_FIELD(struct row, node.state_message, "state_message", RT_F_STR),
    RT_FIELD(struct row, node.head, "is_head_node", RT_F_BOOL),
    RT_FIELD(struct row, node.start_ms, "start_time_ms", RT_F_I64, .absent = -1),
    RT_FIELD(struct row, node.end_ms, "end_time_ms", RT_F_I64, .absent = -1),
    RT_FIELD(struct row, node.labels, "labels", RT_F_KV),
    RT_FIELD(struct row, total, "resources_total", RT_F_RES),
    {0},
};

struct nodes {
    struct rt_op op;
    struct rt_ray *ray;
    struct rt_list rows, summaries;
    bool rows_over, summaries_over;
    struct rt_error summary_err;
    struct rt_arena *arena;
    RT_VEC(struct row) v;
    RT_VEC(struct rt_summary) s;
    rt_ray_nodes_fn *fn;
    void *ctx;
};

static void nodes_free(struct nodes *o) {
    rt_list_deinit(&o->rows);
    rt_list_deinit(&o->summaries);
    rt_arena_destroy(o->arena);
    rt_vec_deinit(&o->v);
    rt_vec_deinit(&o->s);
    free(o);
}

static void nodes_cancel(struct rt_op *op) {
    nodes_free((struct nodes *)op);
}

static bool row_came(void *ctx, const json_t *v, struct rt_error *err) {
    struct nodes *o = ctx;
    struct row r = {0};
    if (!rt_decode(v, node_fields, &r, o->arena, err))
        return false;
    rt_summary_unknown(&r.node);
    r.node.alive = strcmp(r.node.state, "ALIVE") == 0;
    *rt_vec_push(&o->v) = r;
    return true;
}

static bool summary_came(void *ctx, const json_t *v, struct rt_error *err) {
    struct nodes *o = ctx;
    struct rt_summary s;
    if (!rt_summary_decode(v, &s, o->arena, err))
        return false;
    *rt_vec_push(&o->s) = s;
    return true;
}

/* ---- joining ---- */

/* The autoscaler's name of its kind, else the group it was started with, else what it is. */
static const char *pool_of(const struct rt_node *n, const struct rt_summary *s) {
    if (s && s->node_type)
        return s->node_type;
    const char *group = rt_kvs_get(&n->labels, "ray.io/node-group");
    if (group && *group)
        return group;
    return n->head ? "head" : "workers";
}

static void take_measurements(struct rt_node *n, const struct rt_node *m) {
    n->hostname = m->hostname;
    n->instance_id = m->instance_id;
    n->instance_type = m->instance_type;
    n->cpu_percent = m->cpu_percent;
    n->cpus = m->cpus;
    n->mem_used_bytes = m->mem_used_bytes;
    n->mem_total_bytes = m->mem_total_bytes;
    n->disk_used_bytes = m->disk_used_bytes;
    n->disk_total_bytes = m->disk_total_bytes;
    n->store_used_bytes = m->store_used_bytes;
    n->store_total_bytes = m->store_total_bytes;
    n->net_in_bps = m->net_in_bps;
    n->net_out_bps = m->net_out_bps;
    n->gpus = m->gpus;
    n->ngpus = m->ngpus;
    n->workers = m->workers;
    n->idle_ms = m->idle_ms;
    n->agent_port = m->agent_port;
}

static void join(struct nodes *o, struct row *r, const struct rt_summary *s,
                 const json_t *logical) {
    struct rt_node *n = &r->node;
    if (s)
        take_measurements(n, &s->node);
    if (!n->alive) { /* the two answers may disagree for a moment */
        const char *hostname = n->hostname;
        rt_summary_unknown(n);
        n->hostname = hostname;
        n->gpus = NULL;
        n->ngpus = 0;
    }
    n->pool = pool_of(n, s);
    const json_t *text = json_object_get(logical, n->id);
    n->amounts = rt_node_amounts(&r->total, json_string_value(text), o->arena);
}

static void join_all(struct nodes *o, rt_nodes *b) {
    struct rt_map by_id;
    rt_map_init(&by_id, true);
    for (size_t i = 0; i < o->s.n; i++)
        rt_map_set(&by_id, o->s.v[i].node.id, &o->s.v[i]);
    json_t *rest = o->summary_err.code == RT_OK ? rt_list_rest(&o->summaries) : NULL;
    const json_t *logical = rt_json_at(rest, "data.nodeLogicalResources");
    b->v = o->v.n > 0 ? rt_arena_alloc(o->arena, o->v.n * sizeof(*b->v)) : NULL;
    for (size_t i = 0; i < o->v.n; i++) {
        struct row *r = &o->v.v[i];
        join(o, r, rt_map_get(&by_id, r->node.id), logical);
        b->v[b->n++] = r->node;
    }
    json_decref(rest);
    rt_map_deinit(&by_id);
}

/* The head first, the living before the dead, then by age. */
static int by_rank(const void *a, const void *b) {
    const struct rt_node *x = a, *y = b;
    if (x->alive != y->alive)
        return x->alive ? -1 : 1;
    if (x->head != y->head)
        return x->head ? -1 : 1;
    if (x->start_ms != y->start_ms)
        return x->start_ms < y->start_ms ? -1 : 1;
    return strcmp(x->id, y->id);
}

static void over(struct nodes *o, const struct rt_error *err) {
    rt_nodes b = {0};
    if (!err) {
        rt_list_counters(&o->rows, o->arena, &b.total, &b.note);
        join_all(o, &b);
        if (b.n > 0)
            qsort(b.v, b.n, sizeof(*b.v), by_rank);
        b.left_out = o->rows.left_out;
        if (o->summary_err.code != RT_OK)
            b.note = rt_arena_strf(o->arena, "no physical usage: %s", o->summary_err.message);
        b.arena = o->arena;
        o->arena = NULL;
    }
    const struct rt_error copy = err ? *err : (struct rt_error){0};
    rt_ray_nodes_fn *fn = o->fn;
    void *fn_ctx = o->ctx;
    nodes_free(o);
    fn(fn_ctx, &b, err ? &copy : NULL);
    rt_batch_deinit(&b);
}

static void rows_end(void *ctx, const struct rt_error *err) {
    struct nodes *o = ctx;
    o->rows_over = true;
    if (err || o->summaries_over)
        over(o, err);
}

static void summaries_end(void *ctx, const struct rt_error *err) {
    struct nodes *o = ctx;
    o->summaries_over = true;
    if (err)
        o->summary_err = *err;
    if (o->rows_over)
        over(o, NULL);
}

struct rt_op *rt_ray_nodes(struct rt_ray *r, rt_ray_nodes_fn *fn, void *ctx) {
    struct nodes *o = RT_NEW(struct nodes);
    o->op.cancel = nodes_cancel;
    o->ray = r;
    o->arena = rt_arena_create();
    o->fn = fn;
    o->ctx = ctx;
    o->rows.item = row_came;
    o->rows.end = rows_end;
    o->summaries.item = summary_came;
    o->summaries.end = summaries_end;
    o->rows.ctx = o->summaries.ctx = o;
    rt_list_start(&o->rows, r, "/api/v0/nodes", NODES_PATH, "data.result.result");
    rt_list_start(&o->summaries, r, "/nodes", SUMMARY_PATH, "data.summary");
    return &o->op;
}
