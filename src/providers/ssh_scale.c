/* The size of a pool: which host is next, which goes, and what that would end. */
#include "providers/ssh.h"
#include <stdlib.h>

size_t ssh_pool_size(const struct rt_provider *p, const char *pool) {
    size_t n = 0;
    for (size_t i = 1; i < p->nnodes; i++)
        n += rt_streq(p->nodes[i]->pool, pool) && (p->nodes[i]->state == SNODE_STARTING || p->nodes[i]->state == SNODE_UP);
    return n;
}

/* Those without work first, the last host first among them. */
static void victims(const struct rt_provider *p, const char *pool, size_t wanted, struct snode **out, size_t *n) {
    for (int busy = 0; busy <= 1; busy++) {
        for (size_t i = p->nnodes; i-- > 1 && *n < wanted;) {
            struct snode *node = p->nodes[i];
            struct rt_strs ids = {0}, work = {0};
            const struct rt_node *ray = ssh_ray_node(p, node->name);
            if (!rt_streq(node->pool, pool) || (node->state != SNODE_UP && node->state != SNODE_STARTING))
                continue;
            if (ray)
                rt_strs_add(&ids, ray->id);
            rt_work_on_nodes(p->cluster, &ids, &work);
            if ((work.n > 0) == (busy == 1))
                out[(*n)++] = node;
            rt_strs_deinit(&ids);
            rt_strs_deinit(&work);
        }
    }
}

void ssh_scale_nodes(const struct rt_provider *p, const char *pool, int64_t n, struct snode ***out, size_t *count) {
    const int64_t from = (int64_t)ssh_pool_size(p, pool);
    *out = rt_alloc((p->nnodes + 1) * sizeof(**out));
    *count = 0;
    if (n < from) {
        victims(p, pool, (size_t)(from - n), *out, count);
        return;
    }
    for (size_t i = 1; i < p->nnodes && (int64_t)*count < n - from; i++) {
        struct snode *node = p->nodes[i];
        if (rt_streq(node->pool, pool) && node->phase == PH_NONE && (node->state == SNODE_ABSENT || node->state == SNODE_LOST))
            (*out)[(*count)++] = node;
    }
}

bool ssh_scale_impact(struct rt_provider *p, const char *pool, int64_t n, struct rt_scale_impact *out, struct rt_error *err) {
    const struct ssh_pool *po = ssh_pool_named(&p->pools, pool);
    if (!po)
        return rt_error_set(err, RT_E_NOT_FOUND, "%s has no pool %s", p->conf->name, pool);
    if (!p->up) {
        rt_error_set(err, RT_E_CONFLICT, "%s is not up", p->conf->name);
        return rt_error_hint(err, "`raytui up %s` starts it", p->conf->name);
    }
    if (n > (int64_t)po->hosts.n) {
        rt_error_set(err, RT_E_LIMIT, "pool %s has %zu host%s", pool, po->hosts.n, po->hosts.n == 1 ? "" : "s");
        return rt_error_hint(err, "more are added to `hosts` of the pool in the configuration");
    }
    if (n < po->min || n > po->max) {
        rt_error_set(err, RT_E_LIMIT, "pool %s: %lld is %s (%lld..%lld)", pool, (long long)n, n < po->min ? "below its min" : "above its max",
                     (long long)po->min, (long long)po->max);
        return rt_error_hint(err, "`raytui scale %s %s N --%s M` moves the limit", p->conf->name, pool, n < po->min ? "min" : "max");
    }
    out->from = (int64_t)ssh_pool_size(p, pool);
    out->to = n;
    if (n >= out->from)
        return true;
    struct snode **go = NULL;
    size_t count = 0;
    ssh_scale_nodes(p, pool, n, &go, &count);
    for (size_t i = 0; i < count; i++) {
        const struct rt_node *ray = ssh_ray_node(p, go[i]->name);
        if (ray)
            rt_strs_add(&out->nodes, ray->id);
    }
    free(go);
    rt_work_on_nodes(p->cluster, &out->nodes, &out->work);
    out->ends_work = out->work.n > 0;
    return true;
}

bool ssh_set_limits(struct rt_provider *p, const char *pool, int64_t min, int64_t max, struct rt_error *err) {
    for (size_t i = 0; i < p->pools.n; i++) {
        struct ssh_pool *po = &p->pools.v[i];
        if (!rt_streq(po->name, pool))
            continue;
        if (min < 0 || max < min || max > (int64_t)po->hosts.n)
            return rt_error_set(err, RT_E_USAGE, "pool %s: 0 <= min <= max <= %zu (its hosts) is wanted", pool, po->hosts.n);
        po->min = min;
        po->max = max;
        return true;
    }
    return rt_error_set(err, RT_E_NOT_FOUND, "%s has no pool %s", p->conf->name, pool);
}
