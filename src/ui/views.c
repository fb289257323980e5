/* The registry of views, and the table panes: rows over the generic list. */
#include "ui/views.h"

#include "base/str.h"
#include "core/cells.h"
#include "ui/list.h"

const struct rt_view_def rt_view_defs[] = {
    {"clusters", "1", "clusters and how they are reached", rt_view_clusters, 0},
    {"pools", "2", "pools of nodes, scaled with + and -", rt_view_pools, 0},
    {"nodes", "3", "nodes and what they carry", rt_view_nodes, 0},
    {"jobs", "4", "jobs", rt_view_jobs, 0},
    {"actors", "5", "actors and where they live", rt_view_actors, 0},
    {"tasks", "6", "tasks that run, wait or failed", rt_view_tasks, 0},
    {"events", "8", "what the autoscaler and jobs reported", rt_view_events, 0},
    {"forwards", "9", "local ports carried to clusters", rt_view_forwards, 0},
    {"operations", "@", "what raytui does and did", rt_view_operations, 0},
    {"pgs", NULL, "placement groups", rt_view_pgs, 0},
    {"serve", NULL, "Serve applications and their deployments", rt_view_serve, 0},
    {"envs", NULL, "runtime environments and how their making went", rt_view_envs, 0},
    {"workers", NULL, "worker processes", rt_view_workers, 0},
    {"pods", NULL, "pods and their containers (KubeRay)", rt_view_pods, RT_CAP_PODS},
    {"rayjobs", NULL, "RayJobs and the clusters they made (KubeRay)", rt_view_rayjobs, RT_CAP_RAYJOBS},
    {"rayservices", NULL, "RayServices and the clusters that serve (KubeRay)", rt_view_rayservices, RT_CAP_RAYSERVICES},
    {"pulse", NULL, "all clusters together", rt_view_pulse, 0},
    {"heat", NULL, "all nodes at a glance", rt_view_heat, 0},
    {"tree", NULL, "pools, nodes and jobs with what they carry", rt_view_tree, 0},
    {"start", NULL, "what was found on this machine", rt_view_start, 0},
    {0},
};

const struct rt_view_def *rt_view_find(const char *name) {
    for (const struct rt_view_def *d = rt_view_defs; d->name; d++)
        if (rt_streq(d->name, name))
            return d;
    return NULL;
}

bool rt_view_fits(struct rt_ui *ui, const struct rt_view_def *d) {
    const char *name = rt_ui_cluster(ui);
    const struct rt_cluster *c = name ? rt_store_cluster(rt_ui_app(ui)->store, name) : NULL;
    return !d->need || (c && c->caps & d->need);
}

static void cluster_rail(const void *row, const struct rt_row_env *env, struct rt_buf *left, struct rt_buf *right) {
    const struct rt_cluster *c = row;
    rt_buf_adds(left, c->name);
    const enum rt_health h = rt_cluster_health(c);
    if (h == RT_H_OK || h == RT_H_OFF)
        rt_buf_adds(right, c->provider);
    else
        rt_cluster_state_text(right, c, env->now_ms);
}

static void pool_rail(const void *row, const struct rt_row_env *env, struct rt_buf *left, struct rt_buf *right) {
    const struct rt_pool *p = row;
    rt_buf_adds(left, p->name);
    for (const struct rt_column *c = rt_table_pools.columns; c->id; c++)
        if (rt_streq(c->id, "ready"))
            c->text(right, row, env);
    if (p->max >= 0 && !p->head)
        rt_buf_addf(right, " (%lld..%lld)", (long long)RT_MAX(p->min, 0), (long long)p->max);
}

struct rt_view *rt_view_clusters(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {
        .table = &rt_table_clusters,
        .words = {[RT_H_OK] = "up", [RT_H_BUSY] = "in progress", [RT_H_WAITING] = "queued", [RT_H_WARN] = "in need of you", [RT_H_BAD] = "unreachable or failed"},
        .rail = cluster_rail,
        .command = rt_clusters_command,
    };
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_pools(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {
        .table = &rt_table_pools, .words = {[RT_H_BUSY] = "changing", [RT_H_BAD] = "failing"}, .rail = pool_rail, .command = rt_pools_command};
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_nodes(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {
        .table = &rt_table_nodes, .words = {[RT_H_OK] = "alive", [RT_H_WARN] = "in need", [RT_H_BAD] = "dead", [RT_H_OFF] = "gone"}};
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_jobs(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {
        .table = &rt_table_jobs,
        .words = {[RT_H_OK] = "running", [RT_H_WAITING] = "pending", [RT_H_BAD] = "failed"},
        .command = rt_jobs_command};
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_forwards(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {
        .table = &rt_table_forwards, .words = {[RT_H_OK] = "up", [RT_H_BUSY] = "retrying", [RT_H_BAD] = "down"}};
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_operations(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {
        .table = &rt_table_operations, .words = {[RT_H_BUSY] = "running", [RT_H_BAD] = "failed"}, .command = rt_operations_command};
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_actors(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {
        .table = &rt_table_actors, .words = {[RT_H_OK] = "alive", [RT_H_BUSY] = "restarting", [RT_H_WAITING] = "pending", [RT_H_BAD] = "died"}};
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_tasks(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {
        .table = &rt_table_tasks, .words = {[RT_H_OK] = "running", [RT_H_WAITING] = "pending", [RT_H_BAD] = "failed"}};
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_events(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {.table = &rt_table_events, .words = {[RT_H_WARN] = "warning|s", [RT_H_BAD] = "error|s"}};
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_pgs(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {
        .table = &rt_table_pgs, .words = {[RT_H_OK] = "created", [RT_H_WAITING] = "pending", [RT_H_BAD] = "infeasible"}};
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_serve(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {
        .table = &rt_table_serve, .words = {[RT_H_OK] = "healthy", [RT_H_BUSY] = "changing", [RT_H_BAD] = "unhealthy"}};
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_envs(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {.table = &rt_table_envs, .words = {[RT_H_OK] = "made", [RT_H_BAD] = "failed"}};
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_workers(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {.table = &rt_table_workers, .words = {[RT_H_OK] = "alive", [RT_H_BAD] = "died"}};
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_pods(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {
        .table = &rt_table_pods,
        .words = {[RT_H_OK] = "ready", [RT_H_BUSY] = "starting", [RT_H_WARN] = "without a place", [RT_H_BAD] = "failing", [RT_H_OFF] = "ending"},
        .command = rt_pods_command};
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_rayjobs(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {
        .table = &rt_table_rayjobs,
        .words = {[RT_H_OK] = "running", [RT_H_BUSY] = "starting", [RT_H_WAITING] = "waiting", [RT_H_BAD] = "failed", [RT_H_OFF] = "suspended"},
        .command = rt_owners_command};
    return rt_list_create(ui, &opts);
}

struct rt_view *rt_view_rayservices(struct rt_ui *ui) {
    static const struct rt_list_opts opts = {
        .table = &rt_table_rayservices,
        .words = {[RT_H_OK] = "running", [RT_H_BUSY] = "starting", [RT_H_BAD] = "unhealthy"},
        .command = rt_owners_command};
    return rt_list_create(ui, &opts);
}
