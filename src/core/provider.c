/* What is the same for every provider: finding it, naming its powers, pools as Ray's nodes tell
 * them. */
#include "core/provider.h"

#include "base/mem.h"
#include "base/vec.h"

const char *rt_cap_name(uint32_t one_cap) {
    static const struct {
        uint32_t cap;
        const char *name;
    } names[] = {
        {RT_CAP_UP, "up"},
        {RT_CAP_DOWN, "down"},
        {RT_CAP_SCALE, "scale"},
        {RT_CAP_ADD_POOL, "add-pool"},
        {RT_CAP_REMOVE_POOL, "remove-pool"},
        {RT_CAP_REMOVE_NODE, "remove-node"},
        {RT_CAP_SHELL, "shell"},
        {RT_CAP_SUSPEND, "suspend"},
        {RT_CAP_KEEPALIVE, "keepalive"},
        {RT_CAP_MACHINE_LOGS, "machine logs"},
        {RT_CAP_DISCOVER, "discover"},
        {RT_CAP_EDIT, "edit"},
        {RT_CAP_PODS, "pod"},
        {RT_CAP_RAYJOBS, "rayjobs"},
        {RT_CAP_RAYSERVICES, "rayservices"},
        {RT_CAP_USER_SCRIPT, "user_script"},
    };
    for (size_t i = 0; i < RT_COUNT(names); i++)
        if (names[i].cap == one_cap)
            return names[i].name;
    return "unknown";
}

struct rt_buf *rt_init_file(struct rt_init_files *l, const char *name) {
    const size_t at = l->n++;
    l->v = rt_realloc(l->v, l->n * sizeof *l->v);
    l->v[at].name = rt_strdup(name);
    rt_buf_init(&l->v[at].text, RT_MIB);
    return &l->v[at].text;
}

void rt_init_files_deinit(struct rt_init_files *l) {
    for (size_t i = 0; i < l->n; i++) {
        free(l->v[i].name);
        rt_buf_deinit(&l->v[i].text);
    }
    free(l->v);
    *l = (struct rt_init_files){0};
}

const struct rt_provider_ops *rt_provider_find(const struct rt_provider_ops *const *list,
                                               const char *name) {
    for (; list && *list; list++)
        if (rt_streq((*list)->name, name))
            return *list;
    return NULL;
}

void rt_scale_impact_deinit(struct rt_scale_impact *i) {
    rt_strs_deinit(&i->nodes);
    rt_strs_deinit(&i->work);
    *i = (struct rt_scale_impact){0};
}

/* ---- pools from nodes ---- */

typedef RT_VEC(struct rt_pool) pool_vec;

static struct rt_pool *pool_named(pool_vec *l, const char *name) {
    for (size_t i = 0; i < l->n; i++)
        if (rt_streq(l->v[i].name, name))
            return &l->v[i];
    return NULL;
}

static struct rt_amounts copy_amounts(struct rt_arena *a, const struct rt_amounts *from) {
    struct rt_amounts to = {.n = from->n};
    if (from->n)
        to.v = rt_arena_alloc(a, from->n * sizeof(*to.v));
    for (size_t i = 0; i < from->n; i++)
        to.v[i] = (struct rt_amount){rt_arena_strdup(a, from->v[i].name), -1, from->v[i].total};
    return to;
}

/* What an autoscaler told of a pool stays: nodes know nothing of limits and wishes. */
static bool told_by_autoscaler(const struct rt_pool *p) {
    return p->min >= 0 || p->max >= 0 || p->desired >= 0 || p->pending > 0 || p->failed > 0;
}

static struct rt_pool keep_pool(struct rt_arena *a, const struct rt_pool *old) {
    struct rt_pool p = *old;
    p.name = rt_arena_strdup(a, old->name);
    p.kind = rt_arena_strdup(a, old->kind);
    p.why = rt_arena_strdup(a, old->why);
    p.per_node = copy_amounts(a, &old->per_node);
    p.ready = 0;
    return p;
}

static struct rt_pool new_pool(struct rt_arena *a, const struct rt_node *n, const char *name) {
    return (struct rt_pool){
        .name = rt_arena_strdup(a, name),
        .kind = rt_arena_strdup(a, n->head && rt_streq(name, "head") ? "head" : "nodes"),
        .min = -1,
        .desired = -1,
        .max = -1,
        .head = n->head,
    };
}

static const char *pool_of(const struct rt_node *n) {
    return n->pool ? n->pool : n->head ? "head" : "workers";
}

void rt_pools_from_nodes(struct rt_store *s, struct rt_cluster *c) {
    rt_pools b = {.arena = rt_arena_create()};
    pool_vec pools = {0};
    for (size_t i = 0; i < c->pools.n; i++)
        if (told_by_autoscaler(&c->pools.v[i]))
            *rt_vec_push(&pools) = keep_pool(b.arena, &c->pools.v[i]);
    for (size_t i = 0; i < c->nodes.n; i++) {
        const struct rt_node *n = &c->nodes.v[i];
        const char *name = pool_of(n);
        if (!n->alive)
            continue;
        struct rt_pool *p = pool_named(&pools, name);
        if (!p) {
            p = rt_vec_push(&pools);
            *p = new_pool(b.arena, n, name);
        }
        p->ready++;
        if (!p->per_node.n)
            p->per_node = copy_amounts(b.arena, &n->amounts);
    }
    b.n = b.total = pools.n;
    if (pools.n) {
        b.v = rt_arena_alloc(b.arena, pools.n * sizeof(*b.v));
        memcpy(b.v, pools.v, pools.n * sizeof(*b.v));
    }
    rt_vec_deinit(&pools);
    rt_store_put_pools(s, c, &b);
}

/* ---- what sits on nodes ---- */

static bool job_sits(const struct rt_cluster *c, const struct rt_job *j,
                     const struct rt_strs *node_ids) {
    if (rt_job_ended((enum rt_job_status)j->status))
        return false;
    if (j->driver_node_id)
        return rt_strs_has(node_ids, j->driver_node_id);
    for (size_t i = 0; j->driver_ip && i < node_ids->n; i++) {
        const struct rt_node *n = rt_store_node(c, node_ids->v[i]);
        if (n && rt_streq(n->ip, j->driver_ip))
            return true;
    }
    return false;
}

void rt_work_on_nodes(const struct rt_cluster *c, const struct rt_strs *node_ids,
                      struct rt_strs *out) {
    for (size_t i = 0; i < c->jobs.n; i++) {
        const struct rt_job *j = &c->jobs.v[i];
        if (job_sits(c, j, node_ids))
            rt_strs_addf(out, "job %s (%s)", j->id, j->entrypoint ? j->entrypoint : j->type);
    }
    for (size_t i = 0; i < c->actors.n; i++) {
        const struct rt_actor *a = &c->actors.v[i];
        if (rt_streq(a->state, "DEAD") || !a->node_id || !rt_strs_has(node_ids, a->node_id))
            continue;
        const char *name = a->name && *a->name ? a->name : a->class_name;
        if (a->pid > 0)
            rt_strs_addf(out, "actor %s pid %lld", name ? name : a->id, (long long)a->pid);
        else
            rt_strs_addf(out, "actor %s", name ? name : a->id);
    }
}
