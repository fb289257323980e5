/* Pools: the node types of the YAML, how many of each Ray has, and what its autoscaler says of the rest. */
#include "base/vec.h"
#include "providers/launcher.h"
#include <string.h>

static const char *launcher_pool_of(const struct rt_provider *p, const struct rt_node *n) {
    if (n->head)
        return "head";
    if (launcher_is_local(p))
        return RT_LAUNCHER_LOCAL_TYPE;
    return n->pool ? n->pool : "workers";
}

static const struct rt_pool *said_of(const struct rt_provider *p, const char *name) {
    for (size_t i = 0; i < p->said.n; i++)
        if (rt_streq(p->said.v[i].name, name))
            return &p->said.v[i];
    return NULL;
}

/* Living nodes of a pool; *one is one of them. */
static int64_t living(const struct rt_provider *p, const char *name, const struct rt_node **one) {
    int64_t n = 0;
    for (size_t i = 0; p->up && i < p->cluster->nodes.n; i++) {
        const struct rt_node *node = &p->cluster->nodes.v[i];
        if (!node->alive || !rt_streq(launcher_pool_of(p, node), name))
            continue;
        *one = node;
        n++;
    }
    return n;
}

static void amounts(struct rt_arena *arena, const struct rt_strs *resources, const struct rt_node *one, struct rt_amounts *out) {
    const size_t n = resources->n ? resources->n : one ? one->amounts.n : 0;
    out->v = n ? rt_arena_alloc(arena, n * sizeof(*out->v)) : NULL;
    for (size_t i = 0; resources->n && i < n; i++) {
        const char *eq = strchr(resources->v[i], '=');
        double total = 0;
        if (eq && rt_parse_f64(eq + 1, &total))
            out->v[out->n++] = (struct rt_amount){rt_arena_strndup(arena, resources->v[i], (size_t)(eq - resources->v[i])), -1, total};
    }
    for (size_t i = 0; !resources->n && i < n; i++)
        out->v[out->n++] = (struct rt_amount){rt_arena_strdup(arena, one->amounts.v[i].name), -1, one->amounts.v[i].total};
}

static const char *why(const struct rt_provider *p, struct rt_arena *arena, const struct rt_launcher_type *t, const struct rt_pool *row,
                       const struct rt_pool *said) {
    char minutes[32];
    if (said && said->why)
        return rt_arena_strdup(arena, said->why);
    if (!p->up)
        return NULL;
    if (row->pending > 0 && launcher_is_local(p) && p->cluster->autoscaler_v2)
        return rt_arena_strf(arena, "its head was started with Ray's newer autoscaler (v2), which starts no worker of provider `local`: `raytui down %s`, then `raytui up %s`",
                             p->conf->name, p->conf->name);
    if (row->ready < t->min)
        return "the autoscaler has not started them yet";
    if (row->ready <= t->min)
        return NULL;
    const double s = t->idle_timeout_s >= 0 ? t->idle_timeout_s : p->file.idle_timeout_minutes * 60;
    return rt_arena_strf(arena, "above min: idle ones go after %s", rt_fmt_age(minutes, sizeof minutes, (int64_t)(s * 1000)));
}

/* What the autoscaler works for: its word is some seconds old, so its own sum counts, not what of it is pending. */
static int64_t wanted_of(const struct rt_launcher_type *t, const struct rt_pool *said) {
    return said ? RT_MAX(said->ready - t->head, 0) + RT_MAX(said->pending, 0) : 0;
}

static void put_type(const struct rt_provider *p, rt_pools *out, const struct rt_launcher_type *t) {
    const struct rt_node *one = NULL;
    const struct rt_pool *said = p->up ? said_of(p, t->name) : NULL;
    struct rt_pool *row = &out->v[out->n++];
    *row = (struct rt_pool){.name = rt_arena_strdup(out->arena, t->name), .kind = "node type", .min = t->min, .max = t->max,
                            .scalable = true, .limits_move = true};
    row->ready = living(p, t->name, &one);
    row->failed = said ? RT_MAX(said->failed, 0) : 0;
    row->desired = RT_MAX(RT_MAX(t->min, row->ready), RT_MIN(wanted_of(t, said), t->max));
    row->pending = p->up ? row->desired - row->ready : 0;
    row->price_per_hour = p->conf->price_per_hour;
    row->why = why(p, out->arena, t, row, said);
    amounts(out->arena, &t->resources, one, &row->per_node);
}

void launcher_pools(struct rt_provider *p, rt_pools *out) {
    const struct rt_launcher_file *f = &p->file;
    const struct rt_launcher_type *head = rt_launcher_type(f, f->head_type);
    static const struct rt_strs none;
    const struct rt_node *one = NULL;
    out->arena = rt_arena_create();
    out->v = rt_arena_alloc(out->arena, (f->ntypes + 1) * sizeof(*out->v));
    struct rt_pool *row = &out->v[out->n++];
    *row = (struct rt_pool){.name = "head", .kind = "head", .min = 1, .max = 1, .desired = 1, .head = true};
    row->ready = living(p, "head", &one);
    amounts(out->arena, head && !launcher_is_local(p) ? &head->resources : &none, one, &row->per_node);
    for (size_t i = 0; i < f->ntypes; i++)
        if (!f->types[i].head || f->types[i].max > 0)
            put_type(p, out, &f->types[i]);
    out->total = out->n;
}

/* Ray's nodes know their type; the head's is shown as the head's own pool, as everywhere. */
void launcher_join(struct rt_provider *p) {
    struct rt_cluster *c = p->cluster;
    for (size_t i = 0; i < c->nodes.n; i++) {
        const char *pool = launcher_pool_of(p, &c->nodes.v[i]);
        if (!rt_streq(pool, c->nodes.v[i].pool))
            c->nodes.v[i].pool = rt_arena_strdup(c->nodes.arena, pool);
    }
    launcher_show(p);
}

static void keep(struct rt_pool *to, struct rt_arena *arena, const struct rt_pool *from) {
    *to = (struct rt_pool){.name = rt_arena_strdup(arena, from->name), .min = -1, .max = -1, .desired = -1, .ready = from->ready,
                           .pending = from->pending, .failed = from->failed, .why = rt_arena_strdup(arena, from->why)};
}

void launcher_told(struct rt_provider *p, const rt_pools *said) {
    rt_arena_destroy(p->said.arena);
    p->said = (rt_pools){.arena = rt_arena_create()};
    p->said.v = rt_arena_alloc(p->said.arena, (said->n + 1) * sizeof(*p->said.v));
    for (size_t i = 0; i < said->n; i++)
        keep(&p->said.v[p->said.n++], p->said.arena, &said->v[i]);
    launcher_show(p);
}
