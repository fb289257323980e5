/* Worker groups as pools: what is wanted, what is there, and why they differ; what a change would end. */
#include "base/vec.h"
#include "providers/kuberay.h"
#include <stdio.h>

/* ---- pods and Ray's nodes ---- */

const struct rt_node *kuberay_node_of(const struct rt_provider *p, const struct kpod *pod) {
    for (size_t i = 0; i < p->cluster->nodes.n; i++) {
        const struct rt_node *n = &p->cluster->nodes.v[i];
        if (n->alive && kuberay_pod_of(p, n->id) == pod)
            return n;
    }
    return NULL;
}

/* 0 is not there yet, 1 has no work, 2 works. */
static int worth(const struct rt_provider *p, const struct kpod *pod) {
    const struct rt_node *n = kuberay_node_of(p, pod);
    if (!pod->ready)
        return 0;
    if (!n)
        return 1;
    struct rt_strs ids = {0}, work = {0};
    rt_strs_add(&ids, n->id);
    rt_work_on_nodes(p->cluster, &ids, &work);
    const int v = work.n ? 2 : 1;
    rt_strs_deinit(&ids);
    rt_strs_deinit(&work);
    return v;
}

void kuberay_victims(const struct rt_provider *p, const char *group, size_t n, struct rt_strs *out) {
    for (int w = 0; w <= 2; w++) {
        while (n) {
            const struct kpod *youngest = NULL;
            for (size_t i = 0; i < p->npods; i++) {
                const struct kpod *pod = &p->pods[i];
                if (pod->head || pod->deleting || !rt_streq(pod->group, group) || rt_strs_has(out, pod->name) || worth(p, pod) != w)
                    continue;
                if (!youngest || pod->created_ms > youngest->created_ms)
                    youngest = pod;
            }
            if (!youngest)
                break;
            rt_strs_add(out, youngest->name);
            n--;
        }
    }
}

/* ---- pools ---- */

struct counts {
    int64_t ready, there, failed;
    const struct kpod *waiting; /* the one whose reason says most */
};

/* "Unschedulable: …" says more than "ContainerCreating". */
static size_t telling(const struct kpod *pod) {
    return pod && pod->why ? strlen(pod->why) : 0;
}

/* Are there fewer nodes than ready pods? Where several pods share an address, which is which cannot be told. */
static bool ray_misses_some(const struct rt_provider *p) {
    size_t alive = 0, ready = 0;
    if (!p->cluster->fresh[RT_T_NODES].at_ms || p->cluster->fresh[RT_T_NODES].from_snapshot || p->cluster->reach != RT_REACH_OK)
        return false;
    for (size_t i = 0; i < p->cluster->nodes.n; i++)
        alive += p->cluster->nodes.v[i].alive;
    for (size_t i = 0; i < p->npods; i++)
        ready += p->pods[i].ready;
    return alive < ready;
}

static struct counts count(const struct rt_provider *p, const char *group, bool head) {
    struct counts c = {0};
    const bool misses = ray_misses_some(p);
    for (size_t i = 0; i < p->npods; i++) {
        const struct kpod *pod = &p->pods[i];
        if (head ? !pod->head : pod->head || !rt_streq(pod->group, group))
            continue;
        c.there += !pod->deleting;
        if (pod->ready && misses && !kuberay_node_of(p, pod))
            c.failed++;
        else
            c.ready += pod->ready;
        if (!pod->ready && telling(pod) > telling(c.waiting))
            c.waiting = pod;
    }
    return c;
}

static const char *why(const struct rt_provider *p, struct rt_arena *arena, const struct kgroup *g, const struct counts *c) {
    const int64_t wanted = g->wanted;
    char clean[400];
    if (p->cluster->state_detail && p->seen.observed < p->seen.generation && p->behind_ms && rt_starts(p->cluster->state_detail, "the operator"))
        return "the operator has not seen the last change: does it run?";
    if (p->seen.suspend)
        return c->there ? "is being suspended" : "suspended";
    if (c->waiting && !c->waiting->deleting)
        return rt_arena_strf(arena, "%s", rt_clean_to(clean, sizeof clean, c->waiting->why));
    if (c->there < wanted && p->seen.failure)
        return rt_arena_strf(arena, "%s", rt_clean_to(clean, sizeof clean, p->seen.failure));
    if (c->failed)
        return rt_arena_strf(arena, "%lld pod%s ready, but Ray does not list %s", (long long)c->failed, c->failed == 1 ? " is" : "s are",
                             c->failed == 1 ? "it" : "them");
    if (c->waiting)
        return rt_arena_strf(arena, "%s is ending", c->waiting->name);
    if (g->replicas * g->hosts != wanted)
        return rt_arena_strf(arena, "replicas says %lld, the limits make it %lld", (long long)g->replicas, (long long)wanted);
    if (c->there > wanted && p->seen.autoscaler)
        return "only the autoscaler takes nodes away here";
    return NULL;
}

static void put_amount(struct rt_amounts *l, const char *name, double total) {
    if (total > 0)
        l->v[l->n++] = (struct rt_amount){.name = name, .used = -1, .total = total};
}

static void put_group(const struct rt_provider *p, rt_pools *out, const struct kgroup *g) {
    struct rt_pool *row = &out->v[out->n++];
    const struct counts c = count(p, g->name, false);
    *row = (struct rt_pool){.name = rt_arena_strdup(out->arena, g->name), .kind = "worker group", .scalable = true, .limits_move = p->seen.autoscaler};
    row->min = g->min * g->hosts;
    row->max = g->max < 0 ? -1 : g->max * g->hosts;
    row->desired = g->wanted;
    row->ready = c.ready;
    row->failed = c.failed;
    row->pending = RT_MAX(g->wanted - c.ready - c.failed, 0);
    row->why = why(p, out->arena, g, &c);
    row->per_node.v = rt_arena_alloc(out->arena, 3 * sizeof(*row->per_node.v));
    put_amount(&row->per_node, "CPU", g->cpu);
    put_amount(&row->per_node, "GPU", g->gpu);
    put_amount(&row->per_node, "memory", g->memory_bytes);
}

void kuberay_pools(const struct rt_provider *p, rt_pools *out) {
    char clean[400];
    out->arena = rt_arena_create();
    out->v = rt_arena_alloc(out->arena, (p->seen.ngroups + 1) * sizeof(*out->v));
    const struct counts head = count(p, NULL, true);
    const int64_t one = !p->seen.suspend;
    out->v[out->n++] = (struct rt_pool){.name = "head", .kind = "head", .min = 1, .max = 1, .desired = one, .ready = head.ready, .head = true,
                                        .pending = RT_MAX(one - head.ready - head.failed, 0), .failed = head.failed};
    if (head.waiting)
        out->v[0].why = rt_arena_strdup(out->arena, rt_clean_to(clean, sizeof clean, head.waiting->why));
    for (size_t i = 0; i < p->seen.ngroups; i++)
        put_group(p, out, &p->seen.groups[i]);
    out->total = out->n;
}

/* ---- a change ---- */

int64_t kuberay_replicas(const struct kgroup *g, int64_t nodes) {
    return nodes < 0 ? nodes : nodes >= INT32_MAX ? INT32_MAX : (nodes + g->hosts - 1) / g->hosts;
}

void kuberay_plan_scale(const struct rt_provider *p, const struct kgroup *g, int64_t n, int64_t min, int64_t max, struct kpatch *out,
                        struct rt_strs *pods, char *note, size_t size) {
    const int64_t replicas = n / g->hosts;
    *out = (struct kpatch){.replicas = replicas, .min = min, .max = max};
    note[0] = '\0';
    if (!p->seen.autoscaler) {
        if (n < g->wanted && g->hosts == 1)
            kuberay_victims(p, g->name, (size_t)(g->wanted - n), pods);
        out->pods = pods;
        return;
    }
    out->replicas = -1; /* the autoscaler's own */
    if (min < 0 && max < 0) {
        if (n > g->wanted) {
            out->min = replicas;
            out->max = g->max >= 0 && replicas > g->max ? replicas : -1;
        } else {
            out->max = replicas;
            out->min = g->min > replicas ? replicas : -1;
        }
    }
    char less[24] = "no limit";
    const int64_t most = out->max >= 0 ? out->max : g->max;
    if (most >= 0)
        snprintf(less, sizeof less, "%lld", (long long)most);
    snprintf(note, size, "The autoscaler owns the size of %s: its limits become min %lld, max %s (now %lld..%lld).", g->name,
             (long long)(out->min >= 0 ? out->min : g->min), less, (long long)g->min, (long long)g->max);
}

static bool within(const struct rt_provider *p, const struct kgroup *g, int64_t n, const struct rt_scale_impact *limits, struct rt_error *err) {
    const int64_t min = limits->min >= 0 ? kuberay_replicas(g, limits->min) : g->min;
    const int64_t max = limits->max >= 0 ? kuberay_replicas(g, limits->max) : g->max;
    if (n % g->hosts) {
        rt_error_set(err, RT_E_USAGE, "group %s: its nodes come %lld at a time (numOfHosts)", g->name, (long long)g->hosts);
        return false;
    }
    if (max >= 0 && min > max)
        return rt_error_set(err, RT_E_USAGE, "group %s: min %lld is above max %lld", g->name, (long long)min, (long long)max);
    if (p->seen.autoscaler || (n / g->hosts >= min && (max < 0 || n / g->hosts <= max)))
        return true;
    const bool low = n / g->hosts < min;
    rt_error_set(err, RT_E_LIMIT, "group %s: %lld is %s (%lld..%lld): the operator would make it that", g->name, (long long)n,
                 low ? "below its min" : "above its max", (long long)min, (long long)max);
    return rt_error_hint(err, "`raytui scale %s %s %lld --%s %lld` moves the limit along", p->conf->name, g->name, (long long)n,
                         low ? "min" : "max", (long long)n);
}

bool kuberay_scale_impact(struct rt_provider *p, const char *pool, int64_t n, struct rt_scale_impact *out, struct rt_error *err) {
    const struct kgroup *g = kuberay_group(&p->seen, pool);
    struct rt_strs pods = {0};
    struct kpatch patch;
    if (!p->object)
        return rt_error_set(err, RT_E_CONFLICT, "%s: its RayCluster is not known now", p->conf->name);
    if (!g)
        return rt_error_set(err, RT_E_NOT_FOUND, "%s has no worker group %s", p->conf->name, pool);
    if (p->seen.suspend) {
        rt_error_set(err, RT_E_CONFLICT, "%s is suspended", p->conf->name);
        return rt_error_hint(err, "`raytui resume %s` brings its pods back", p->conf->name);
    }
    if (!within(p, g, n, out, err))
        return false;
    out->from = g->wanted;
    out->to = n;
    out->autoscaled = p->seen.autoscaler;
    kuberay_plan_scale(p, g, n, kuberay_replicas(g, out->min), kuberay_replicas(g, out->max), &patch, &pods, out->note, sizeof out->note);
    for (size_t i = 0; i < pods.n; i++) {
        const struct rt_node *node = kuberay_node_of(p, kuberay_pod(p, pods.v[i]));
        if (node)
            rt_strs_add(&out->nodes, node->id);
    }
    rt_strs_deinit(&pods);
    rt_work_on_nodes(p->cluster, &out->nodes, &out->work);
    out->ends_work = out->work.n > 0;
    return true;
}
