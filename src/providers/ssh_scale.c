/* The size of a pool: which host is next, which goes, and what that would end. */
#include "providers/ssh.h"
#include <stdlib.h>

size_t ssh_pool_size(const struct rt_provider *p, const char *pool) {
    size_t n = 0;
    for (size_t i = 1; i < p->nnodes; i++)
        n += rt_streq(p->nodes[i]->pool, pool) && (p->nodes[i]->state == SNODE_STARTING || p->nodes[i]->state == SNODE_UP);
    return n;
}

void ssh_scale_nodes(const struct rt_provider *p, const char *pool, int64_t n, struct snode ***out, size_t *count) {
    const int64_t from = (int64_t)ssh_pool_size(p, pool);
    *out = rt_alloc((p->nnodes + 1) * sizeof(**out));
    *count = 0;
    if (n < from) {
        struct pool_node *nodes = ssh_pool_nodes(p);
        size_t *go = rt_alloc((p->nnodes + 1) * sizeof *go);
        *count = pools_leaving(p->cluster, nodes, p->nnodes, pool, (size_t)(from - n), go);
        for (size_t i = 0; i < *count; i++)
            (*out)[i] = p->nodes[go[i]];
        free(go);
        free(nodes);
        return;
    }
    for (size_t i = 1; i < p->nnodes && (int64_t)*count < n - from; i++) {
        struct snode *node = p->nodes[i];
        if (rt_streq(node->pool, pool) && node->phase == PH_NONE && (node->state == SNODE_ABSENT || node->state == SNODE_LOST))
            (*out)[(*count)++] = node;
    }
}

bool ssh_scale_impact(struct rt_provider *p, const char *pool, int64_t n, struct rt_scale_impact *out, struct rt_error *err) {
    struct pool_node *nodes = ssh_pool_nodes(p);
    const bool ok = pools_impact(p->conf, p->cluster, p->up, &p->pools, nodes, p->nnodes, pool, n, out, err);
    free(nodes);
    return ok;
}

bool ssh_set_limits(struct rt_provider *p, const char *pool, int64_t min, int64_t max, struct rt_error *err) {
    const struct pool_conf *po = pool_named(&p->pools, pool);
    return pools_set_limits(p->conf, &p->pools, pool, min, max, po ? (int64_t)po->hosts.n : 0, err);
}
