/* The size of a pool: which jobs come, which go, and what that would end. */
#include "providers/batch_impl.h"
#include <stdlib.h>

enum { JOBS_MAX = 1000 };

static bool counts(const struct bjob *j, const char *pool) {
    return rt_streq(j->pool, pool) && (batch_job_lives(j) || j->wanted);
}

int64_t batch_pool_jobs(const struct rt_provider *p, const char *pool) {
    int64_t n = 0;
    for (size_t i = 1; i < p->njobs; i++)
        n += counts(p->jobs[i], pool) && !(p->task && rt_strs_has(&p->task->stop, p->jobs[i]->node));
    return n;
}

int64_t batch_pool_size(const struct rt_provider *p, const struct batch_pool *pool) {
    return pool->fixed + batch_pool_jobs(p, pool->name);
}

/* Those that wait first, then those without work, the last first among them. */
static void victims(struct rt_provider *p, const struct batch_pool *pool, int64_t n, struct rt_strs *nodes) {
    for (int rank = 0; rank <= 2; rank++) {
        for (size_t i = p->njobs; i-- > 1 && (int64_t)nodes->n < n;) {
            struct bjob *j = p->jobs[i];
            struct rt_strs ids = {0}, work = {0};
            const struct rt_node *ray = batch_ray_node(p, j->node);
            if (!counts(j, pool->name) || rt_strs_has(nodes, j->node))
                continue;
            if (ray)
                rt_strs_add(&ids, ray->id);
            rt_work_on_nodes(p->cluster, &ids, &work);
            if ((j->state == BATCH_QUEUED ? 0 : work.n ? 2 : 1) == rank)
                rt_strs_add(nodes, j->node);
            rt_strs_deinit(&ids);
            rt_strs_deinit(&work);
        }
    }
}

void batch_scale_jobs(struct rt_provider *p, const struct batch_pool *pool, int64_t n, struct rt_strs *nodes) {
    const int64_t from = batch_pool_size(p, pool);
    if (n < from)
        victims(p, pool, from - n, nodes);
    for (int64_t i = pool->fixed + 1; n > from && (int64_t)nodes->n < n - from; i++) {
        char *node = rt_strf("%s-%lld", pool->name, (long long)i);
        const struct bjob *j = batch_job_named(p, node);
        if (!j)
            j = batch_job_add(p, node, pool->name);
        if (!counts(j, pool->name))
            rt_strs_add(nodes, node);
        free(node);
    }
}

bool batch_scale_impact(struct rt_provider *p, const char *name, int64_t n, struct rt_scale_impact *out, struct rt_error *err) {
    const struct batch_pool *pool = batch_pool_named(&p->pools, name);
    if (!pool)
        return rt_error_set(err, RT_E_NOT_FOUND, "%s has no pool %s", p->conf->name, name);
    if (!batch_job_lives(p->jobs[0])) {
        rt_error_set(err, RT_E_CONFLICT, "%s is not up", p->conf->name);
        return rt_error_hint(err, "`raytui up %s` starts it", p->conf->name);
    }
    const int64_t max = pool->max < 0 ? JOBS_MAX : pool->max;
    if (n < pool->fixed) {
        rt_error_set(err, RT_E_LIMIT, "pool %s: %lld of its hosts belong to the job of the head", name, (long long)pool->fixed);
        return rt_error_hint(err, "they end with the cluster; `nodes` in the configuration says how many it gets");
    }
    if (n < pool->min || n > max) {
        rt_error_set(err, RT_E_LIMIT, "pool %s: %lld is %s (%lld..%lld)", name, (long long)n, n < pool->min ? "below its min" : "above its max",
                     (long long)pool->min, (long long)max);
        return rt_error_hint(err, "`raytui scale %s %s N --%s M` moves the limit", p->conf->name, name, n < pool->min ? "min" : "max");
    }
    out->from = batch_pool_size(p, pool);
    out->to = n;
    if (n >= out->from)
        return true;
    struct rt_strs nodes = {0};
    batch_scale_jobs(p, pool, n, &nodes);
    for (size_t i = 0; i < nodes.n; i++) {
        const struct rt_node *ray = batch_ray_node(p, nodes.v[i]);
        if (ray)
            rt_strs_add(&out->nodes, ray->id);
    }
    rt_strs_deinit(&nodes);
    rt_work_on_nodes(p->cluster, &out->nodes, &out->work);
    out->ends_work = out->work.n > 0;
    return true;
}

bool batch_set_limits(struct rt_provider *p, const char *name, int64_t min, int64_t max, struct rt_error *err) {
    struct batch_pool *pool = batch_pool_named(&p->pools, name);
    if (!pool)
        return rt_error_set(err, RT_E_NOT_FOUND, "%s has no pool %s", p->conf->name, name);
    if (min < pool->fixed || max < min || max > JOBS_MAX)
        return rt_error_set(err, RT_E_USAGE, "pool %s: %lld <= min <= max <= %d is wanted", name, (long long)pool->fixed, JOBS_MAX);
    pool->min = min;
    pool->max = max;
    return true;
}
