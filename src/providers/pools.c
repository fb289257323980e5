/* Pools as they are shown and resized. */
#include "providers/pools.h"
#include <stdlib.h>
#include <string.h>

bool pools_alive(const struct rt_http_answer *a, const struct rt_error *err, struct rt_strs *out) {
    struct rt_error ignored = {0};
    json_t *doc = err || a->status != 200 ? NULL : rt_json_parse(a->body, a->body_len, &ignored), *row;
    json_t *rows = rt_json_at(doc, "data.result.result");
    const bool answered = json_is_array(rows);
    size_t i;
    json_array_foreach(rows, i, row) {
        const char *name = rt_json_str(row, "node_name");
        if (name && rt_streq(rt_json_str(row, "state"), "ALIVE"))
            rt_strs_add(out, name);
    }
    json_decref(doc);
    return answered;
}

const struct rt_node *pools_ray_node(const struct rt_cluster *c, const char *name) {
    const struct rt_node *dead = NULL;
    for (size_t i = 0; i < c->nodes.n; i++) {
        const struct rt_node *n = &c->nodes.v[i];
        if (!rt_streq(n->name, name))
            continue;
        if (n->alive)
            return n;
        dead = n;
    }
    return dead;
}

static bool wanted(const struct pool_node *n) {
    return n->state == POOL_NODE_QUEUED || n->state == POOL_NODE_STARTING || n->state == POOL_NODE_UP;
}

/* Nodes that are wanted: queued, starting or up. */
static size_t pools_size(const struct pool_node *nodes, size_t n, const char *pool) {
    size_t size = 0;
    for (size_t i = 0; i < n; i++)
        size += rt_streq(nodes[i].pool, pool) && wanted(&nodes[i]);
    return size;
}

static const char *reason(const struct pool_node *n, bool unlisted, struct rt_arena *arena) {
    const char *what = n->state == POOL_NODE_STARTING ? "is starting" : n->state == POOL_NODE_STOPPING ? "is ending" : NULL;
    if (what)
        return rt_arena_strf(arena, "%s %s", n->where, what);
    if (n->why && rt_starts(n->why, n->where))
        return rt_arena_strf(arena, "%.160s", n->why);
    if (n->why)
        return rt_arena_strf(arena, "%s: %.160s", n->where, n->why);
    if (n->state == POOL_NODE_QUEUED)
        return rt_arena_strf(arena, "%s waits in the queue", n->where);
    return unlisted ? rt_arena_strf(arena, "%s: Ray does not list it", n->where) : NULL;
}

static void show_node(const struct rt_cluster *c, const struct pool_node *n, struct rt_arena *arena, struct rt_pool *row) {
    const struct rt_node *ray = pools_ray_node(c, n->name);
    const bool asked = c->fresh[RT_T_NODES].at_ms > 0, up = n->state == POOL_NODE_UP;
    const bool there = up && (ray ? ray->alive : n->seen || !asked), unlisted = up && !there;
    const char *why = reason(n, unlisted, arena);
    row->ready += there;
    row->pending += n->state == POOL_NODE_STARTING || n->state == POOL_NODE_QUEUED;
    row->failed += n->state == POOL_NODE_LOST || unlisted;
    if (why)
        row->why = why;
}

static void show_pool(const struct rt_cluster *c, struct rt_arena *arena, const char *name, const struct pool_conf *conf,
                      const struct pool_node *nodes, size_t n, struct rt_pool *row) {
    row->name = rt_arena_strdup(arena, name);
    row->head = !conf;
    row->scalable = conf != NULL;
    row->min = conf ? conf->min : 1;
    row->max = conf ? conf->max : 1;
    row->price_per_hour = conf ? conf->price_per_hour : 0;
    row->desired = (int64_t)pools_size(nodes, n, name);
    for (size_t i = 0; i < n; i++)
        if (rt_streq(nodes[i].pool, name))
            show_node(c, &nodes[i], arena, row);
    if (conf && conf->size.cpus > 0) {
        row->per_node.v = rt_arena_alloc(arena, sizeof(struct rt_amount));
        row->per_node.v[0] = (struct rt_amount){.name = "CPU", .used = -1, .total = conf->size.cpus};
        row->per_node.n = 1;
    }
}

void pools_show(struct rt_store *store, struct rt_cluster *c, const char *kind, const struct pool_confs *pools,
                const struct pool_node *nodes, size_t n) {
    rt_pools b = {.arena = rt_arena_create()};
    b.v = rt_arena_alloc(b.arena, (pools->n + 1) * sizeof(*b.v));
    for (size_t i = 0; i <= pools->n; i++) {
        b.v[b.n] = (struct rt_pool){.kind = kind};
        show_pool(c, b.arena, i ? pools->v[i - 1].name : "head", i ? &pools->v[i - 1] : NULL, nodes, n, &b.v[b.n]);
        b.n++;
    }
    b.total = b.n;
    rt_store_put_pools(store, c, &b);
}

void pools_join(struct rt_cluster *c, const struct pool_node *nodes, size_t n) {
    for (size_t i = 0; i < c->nodes.n; i++) {
        struct rt_node *ray = &c->nodes.v[i];
        for (size_t k = 0; ray->name && k < n; k++)
            if (rt_streq(nodes[k].name, ray->name))
                ray->pool = rt_arena_strdup(c->nodes.arena, nodes[k].pool);
    }
}

static bool has_work(const struct rt_cluster *c, const struct pool_node *n) {
    struct rt_strs ids = {0}, work = {0};
    const struct rt_node *ray = pools_ray_node(c, n->name);
    if (ray)
        rt_strs_add(&ids, ray->id);
    rt_work_on_nodes(c, &ids, &work);
    const bool any = work.n > 0;
    rt_strs_deinit(&ids);
    rt_strs_deinit(&work);
    return any;
}

size_t pools_leaving(const struct rt_cluster *c, const struct pool_node *nodes, size_t n, const char *pool, size_t count, size_t *out) {
    size_t found = 0;
    for (int busy = 0; busy <= 1; busy++)
        for (size_t i = n; i-- > 0 && found < count;)
            if (rt_streq(nodes[i].pool, pool) && wanted(&nodes[i]) && has_work(c, &nodes[i]) == (busy == 1))
                out[found++] = i;
    return found;
}

static bool within_limits(const struct rt_cluster_conf *conf, const struct pool_conf *po, int64_t n, struct rt_error *err) {
    const bool low = n < po->min;
    if (po->hosts.n && n > (int64_t)po->hosts.n) {
        rt_error_set(err, RT_E_LIMIT, "pool %s has %zu host%s", po->name, po->hosts.n, po->hosts.n == 1 ? "" : "s");
        return rt_error_hint(err, "more are added to `hosts` of the pool in the configuration");
    }
    if (!low && n <= po->max)
        return true;
    rt_error_set(err, RT_E_LIMIT, "pool %s: %lld is %s (%lld..%lld)", po->name, (long long)n, low ? "below its min" : "above its max",
                 (long long)po->min, (long long)po->max);
    return rt_error_hint(err, "`raytui scale %s %s N --%s M` moves the limit", conf->name, po->name, low ? "min" : "max");
}

bool pools_impact(const struct rt_cluster_conf *conf, const struct rt_cluster *c, bool up, const struct pool_confs *pools,
                  const struct pool_node *nodes, size_t n, const char *pool, int64_t to, struct rt_scale_impact *out, struct rt_error *err) {
    const struct pool_conf *po = pool_named(pools, pool);
    if (!po)
        return rt_error_set(err, RT_E_NOT_FOUND, "%s has no pool %s", conf->name, pool);
    if (!up) {
        rt_error_set(err, RT_E_CONFLICT, "%s is not up", conf->name);
        return rt_error_hint(err, "`raytui up %s` starts it", conf->name);
    }
    if (!within_limits(conf, po, to, err))
        return false;
    out->from = (int64_t)pools_size(nodes, n, pool);
    out->to = to;
    if (to >= out->from)
        return true;
    size_t *go = rt_alloc((n + 1) * sizeof *go);
    const size_t count = pools_leaving(c, nodes, n, pool, (size_t)(out->from - to), go);
    for (size_t i = 0; i < count; i++) {
        const struct rt_node *ray = pools_ray_node(c, nodes[go[i]].name);
        if (ray)
            rt_strs_add(&out->nodes, ray->id);
    }
    free(go);
    rt_work_on_nodes(c, &out->nodes, &out->work);
    out->ends_work = out->work.n > 0;
    return true;
}

bool pools_set_limits(const struct rt_cluster_conf *conf, struct pool_confs *pools, const char *pool, int64_t min, int64_t max,
                      int64_t cap, struct rt_error *err) {
    struct pool_conf *po = pool_named(pools, pool);
    if (!po)
        return rt_error_set(err, RT_E_NOT_FOUND, "%s has no pool %s", conf->name, pool);
    if (min < 0 || max < min || max > cap)
        return rt_error_set(err, RT_E_USAGE, "pool %s: 0 <= min <= max <= %lld%s is wanted", pool, (long long)cap,
                            po->hosts.n ? " (its hosts)" : "");
    po->min = min;
    po->max = max;
    return true;
}
