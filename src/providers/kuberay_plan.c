/* From the configuration to a complete plan of a cluster: defaults, ranges, and the autoscaler where one is needed. */
#include "providers/kuberay_plan.h"
#include "base/fs.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define UNSAID (-1)
#define MAX_REPLICAS 100000

static const struct rt_yfield node_fields[] = {
    {.key = "cpu", .alias = {"cpus", "num_cpus_per_node"}, .off = offsetof(struct kuberay_group, cpu), .type = RT_Y_F64, .max = 100000},
    {.key = "memory_gb", .alias = {"ray_memory_gb"}, .off = offsetof(struct kuberay_group, memory_gb), .type = RT_Y_F64, .max = 1000000},
    {.key = "gpu_count", .alias = {"gpus", "num_gpus_per_node"}, .off = offsetof(struct kuberay_group, gpus), .type = RT_Y_I64, .max = 1000},
    {.key = "image", .off = offsetof(struct kuberay_group, image), .type = RT_Y_STR},
    {.key = "node_selector", .off = offsetof(struct kuberay_group, selector), .type = RT_Y_KVS},
    {.key = "tolerations", .off = offsetof(struct kuberay_group, tolerations), .type = RT_Y_NODE},
    {0},
};
static const struct rt_yfield group_fields[] = {
    {.key = "replicas", .alias = {"nodes"}, .off = offsetof(struct kuberay_group, replicas), .type = RT_Y_I64, .max = MAX_REPLICAS},
    {.key = "min", .alias = {"min_workers", "minReplicas"}, .off = offsetof(struct kuberay_group, min), .type = RT_Y_I64, .max = MAX_REPLICAS},
    {.key = "max", .alias = {"max_workers", "maxReplicas"}, .off = offsetof(struct kuberay_group, max), .type = RT_Y_I64, .max = MAX_REPLICAS},
    {.key = "name", .off = offsetof(struct kuberay_group, name), .type = RT_Y_STR},
    /* Offsets of node_fields are those of the whole struct. */
    {.key = "worker_nodes", .off = 0, .type = RT_Y_STRUCT, .sub = node_fields},
    {0},
};

struct scaler {
    double cpu, memory_gb;
    int64_t idle_ms;
};
static const struct rt_yfield scaler_fields[] = {
    {.key = "cpu", .off = offsetof(struct scaler, cpu), .type = RT_Y_F64, .max = 100000},
    {.key = "memory_gb", .off = offsetof(struct scaler, memory_gb), .type = RT_Y_F64, .max = 1000000},
    {.key = "idle_timeout", .off = offsetof(struct scaler, idle_ms), .type = RT_Y_DURATION},
    {0},
};

/* Where problems go. */
struct report {
    const struct rt_cluster_conf *conf;
    rt_yproblem_fn *problem;
    void *ctx;
    bool ok;
};

static void bad(struct report *r, const struct rt_ynode *at, const char *fmt, ...) RT_PRINTF(3, 4);
static void bad(struct report *r, const struct rt_ynode *at, const char *fmt, ...) {
    struct rt_error err = {0};
    struct rt_buf text;
    va_list ap;
    rt_buf_init(&text, 4096);
    va_start(ap, fmt);
    rt_buf_addv(&text, fmt, ap);
    va_end(ap);
    if (at || r->conf->node)
        rt_ynode_error(at ? at : r->conf->node, &err, "%s", rt_buf_str(&text));
    else
        rt_error_set(&err, RT_E_CONFIG, "%s", rt_buf_str(&text));
    rt_buf_deinit(&text);
    r->ok = false;
    r->problem(r->ctx, &err);
}

static struct kuberay_group like_node(void) {
    return (struct kuberay_group){.cpu = 1, .memory_gb = 4, .replicas = UNSAID, .min = UNSAID, .max = UNSAID};
}

/* ---- one group ---- */

static void check_node(struct report *r, const struct kuberay_make *m, const struct kuberay_group *g, const struct rt_ynode *at) {
    const char *what = g->name ? g->name : "head";
    if (g->cpu <= 0 || fabs(g->cpu * 1000 - rint(g->cpu * 1000)) > 1e-6)
        bad(r, at, "%s: cpu is more than 0, with at most three decimals", what);
    if (g->memory_gb <= 0)
        bad(r, at, "%s: memory_gb is more than 0", what);
    if (g->gpus > 0 && m->no_gpus)
        bad(r, at, "%s: %lld GPUs are wanted, but supports_gpus is false", what, (long long)g->gpus);
    if (g->tolerations && g->tolerations->kind != RT_Y_SEQ)
        bad(r, g->tolerations, "%s: tolerations: a list is wanted: [{key: gpu, operator: Exists}]", what);
}

/* What was left out follows from what was said; min 0 is Kubernetes' own default. */
static void complete(struct kuberay_group *g) {
    if (g->replicas == UNSAID)
        g->replicas = g->min != UNSAID ? g->min : g->max != UNSAID ? 0 : 1;
    if (g->min == UNSAID)
        g->min = g->max == UNSAID || g->max == g->replicas ? g->replicas : 0;
    if (g->max == UNSAID)
        g->max = RT_MAX(g->replicas, g->min);
}

static bool name_taken(const struct kuberay_plan *p, const struct kuberay_group *g) {
    for (size_t i = 0; i + 1 < p->groups.n; i++)
        if (rt_streq(p->groups.v[i].name, g->name))
            return true;
    return false;
}

static void read_group(struct report *r, const struct kuberay_make *m, struct kuberay_plan *p, const char *name,
                       const struct rt_ynode *at) {
    struct rt_error err = {0};
    struct kuberay_group *g = rt_vec_push(&p->groups);
    *g = like_node();
    g->name = rt_strdup(name);
    r->ok = rt_yaml_read(at, group_fields, node_fields, g, r->problem, r->ctx) &&
            rt_yaml_read(at, node_fields, group_fields, g, r->problem, r->ctx) && r->ok;
    if (!rt_cluster_name_ok(g->name, NULL, &err) || rt_streq(g->name, "head") || rt_streq(g->name, "headgroup") || name_taken(p, g))
        bad(r, at, "pools: %s is no possible name (a-z, 0-9 and -, not head, none twice)", g->name);
    complete(g);
    check_node(r, m, g, at);
    if (g->min > g->max)
        bad(r, at, "pool %s: min %lld is above max %lld", g->name, (long long)g->min, (long long)g->max);
    else if (g->replicas < g->min || g->replicas > g->max)
        bad(r, at, "pool %s: replicas %lld are outside min %lld and max %lld", g->name, (long long)g->replicas, (long long)g->min,
            (long long)g->max);
}

static void read_groups(struct report *r, const struct kuberay_make *m, struct kuberay_plan *p) {
    const struct rt_ynode *l = m->pools;
    if (!l) {
        read_group(r, m, p, "workers", NULL);
        return;
    }
    if (l->kind == RT_Y_SCALAR) {
        bad(r, l, "pools: a map of names is wanted: {cpu: {cpu: 4, memory_gb: 16, replicas: 2}}");
        return;
    }
    for (size_t i = 0; i < l->n; i++) {
        char *name = l->kind == RT_Y_MAP ? rt_strdup(l->keys[i]->text) : rt_strf("group-%zu", i + 1);
        read_group(r, m, p, name, l->items[i]);
        free(name);
    }
}

/* `n_nodes` and `node_config`: one kind of node, of which the head is the first. */
static void read_simple(struct report *r, const struct kuberay_make *m, struct kuberay_plan *p) {
    const int64_t max = m->max_nodes ? m->max_nodes : m->n_nodes;
    if (m->pools || m->head)
        bad(r, m->pools ? m->pools : m->head, "either n_nodes and node_config, or head and pools");
    if (max < m->n_nodes)
        bad(r, NULL, "max_nodes %lld is below n_nodes %lld", (long long)max, (long long)m->n_nodes);
    p->head = like_node();
    if (m->node_config)
        r->ok = rt_yaml_read(m->node_config, node_fields, NULL, &p->head, r->problem, r->ctx) && r->ok;
    check_node(r, m, &p->head, m->node_config);
    if (max <= 1)
        return;
    struct kuberay_group *g = rt_vec_push(&p->groups);
    *g = p->head;
    g->name = rt_strdup("workers");
    g->image = rt_strdup(p->head.image);
    g->selector = (struct rt_strs){0};
    rt_strs_copy(&g->selector, &p->head.selector);
    g->replicas = g->min = m->n_nodes - 1;
    g->max = RT_MAX(max - 1, g->min);
}

/* ---- the autoscaler ---- */

static void read_scaler(struct report *r, const struct kuberay_make *m, struct kuberay_plan *p) {
    const struct rt_ynode *at = m->autoscaler;
    const struct kuberay_group *elastic = NULL;
    const bool off = at && at->kind == RT_Y_SCALAR && (rt_streq(at->text, "off") || rt_streq(at->text, "false"));
    struct scaler s = {.cpu = 0.5, .memory_gb = 0.5};
    for (size_t i = 0; i < p->groups.n && !elastic; i++)
        if (p->groups.v[i].max > p->groups.v[i].min)
            elastic = &p->groups.v[i];
    if (at && !off && at->kind != RT_Y_MAP)
        bad(r, at, "autoscaler: {cpu: 0.5, memory_gb: 0.5} or off is wanted");
    else if (at && !off)
        r->ok = rt_yaml_read(at, scaler_fields, NULL, &s, r->problem, r->ctx) && r->ok;
    if (s.cpu <= 0 || s.memory_gb <= 0)
        bad(r, at, "autoscaler: cpu and memory_gb are more than 0");
    if (elastic && !at)
        bad(r, NULL,
            "pool %s: max %lld above min %lld needs an autoscaler: `autoscaler: {cpu: 0.5, memory_gb: 0.5}`, or `autoscaler: off` to "
            "change its size by hand",
            elastic->name, (long long)elastic->max, (long long)elastic->min);
    p->autoscaled = elastic && at && !off;
    p->scaler_cpu = s.cpu;
    p->scaler_memory_gb = s.memory_gb;
    p->idle_ms = s.idle_ms;
}

/* ---- all of it ---- */

static void check_rest(struct report *r, const struct kuberay_make *m) {
    static const char *const policies[] = {"Always", "IfNotPresent", "Never"};
    const struct rt_ynode *const lists[] = {m->gpu_tolerations, m->other_tolerations};
    bool known = !m->image_pull_policy;
    for (size_t i = 0; i < RT_COUNT(policies); i++)
        known = known || rt_streq(m->image_pull_policy, policies[i]);
    if (!known)
        bad(r, NULL, "image_pull_policy: Always, IfNotPresent or Never is wanted, not %s", m->image_pull_policy);
    for (size_t i = 0; i < RT_COUNT(lists); i++)
        if (lists[i] && lists[i]->kind != RT_Y_SEQ)
            bad(r, lists[i], "tolerations: a list is wanted: [{key: gpu, operator: Exists}]");
}

bool kuberay_plan_read(const struct rt_cluster_conf *conf, const struct kuberay_make *m, struct kuberay_plan *out,
                       rt_yproblem_fn *problem, void *ctx) {
    struct report r = {.conf = conf, .problem = problem, .ctx = ctx, .ok = true};
    *out = (struct kuberay_plan){0};
    if (m->n_nodes) {
        read_simple(&r, m, out);
    } else {
        out->head = like_node();
        if (m->node_config || m->max_nodes)
            bad(&r, m->node_config, "node_config and max_nodes go with n_nodes");
        if (m->head)
            r.ok = rt_yaml_read(m->head, node_fields, NULL, &out->head, problem, ctx) && r.ok;
        check_node(&r, m, &out->head, m->head);
        read_groups(&r, m, out);
    }
    read_scaler(&r, m, out);
    check_rest(&r, m);
    return r.ok;
}

static void group_free(struct kuberay_group *g) {
    free(g->name);
    free(g->image);
    rt_strs_deinit(&g->selector);
}

void kuberay_plan_deinit(struct kuberay_plan *p) {
    group_free(&p->head);
    for (size_t i = 0; i < p->groups.n; i++)
        group_free(&p->groups.v[i]);
    rt_vec_deinit(&p->groups);
}

bool kuberay_parse_not(const struct rt_ynode *n, void *member, struct rt_error *err) {
    const bool yes = n->kind == RT_Y_SCALAR && rt_streq(n->text, "true"), no = n->kind == RT_Y_SCALAR && rt_streq(n->text, "false");
    if (!yes && !no)
        return rt_error_set(err, RT_E_CONFIG, "true or false is wanted");
    *(bool *)member = no;
    return true;
}

char *kuberay_manifest_path(const struct rt_cluster_conf *conf, const struct kuberay_make *m) {
    char *path = rt_path_expand(m->manifest);
    const char *slash = conf->file ? strrchr(conf->file, '/') : NULL;
    if (path[0] == '/' || !slash)
        return path;
    char *dir = rt_strndup(conf->file, (size_t)(slash - conf->file));
    char *joined = rt_path_join(dir, path);
    free(dir);
    free(path);
    return joined;
}
