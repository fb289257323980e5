#include "app/pools.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/provider.h"

static struct rt_pool *find(rt_pools *b, const char *name) {
    for (size_t i = 0; i < b->n; i++)
        if (rt_streq(b->v[i].name, name))
            return &b->v[i];
    return NULL;
}

/* A pool that has no living node yet is known to the autoscaler alone. */
static void add(rt_pools *b, const struct rt_pool *from) {
    struct rt_pool *v = rt_arena_alloc(b->arena, (b->n + 1) * sizeof(*v));
    if (b->n)
        memcpy(v, b->v, b->n * sizeof(*v));
    b->v = v;
    struct rt_pool *p = &b->v[b->n++];
    *p = (struct rt_pool){.name = rt_arena_strdup(b->arena, from->name), .kind = "node type", .min = -1, .max = -1};
    p->scalable = true;
}

void pools_merge(struct rt_store *s, struct rt_cluster *c, const rt_pools *status) {
    rt_pools_from_nodes(s, c);
    if (!status->n)
        return;
    rt_pools b = c->pools;
    c->pools = (rt_pools){0};
    for (size_t i = 0; i < status->n; i++) {
        const struct rt_pool *from = &status->v[i];
        if (rt_starts(from->name, "node_"))
            continue; /* a node without a pool */
        if (!find(&b, from->name))
            add(&b, from);
        struct rt_pool *p = find(&b, from->name);
        p->pending = from->pending;
        p->failed = from->failed;
        p->desired = p->ready + p->pending;
        if (from->why)
            p->why = rt_arena_strdup(b.arena, from->why);
    }
    rt_store_put_pools(s, c, &b);
}
