/* Clusters as a table: the first thing that is seen. */
#include "core/cells.h"
#include "core/table.h"

static const struct rt_cluster *cluster(const void *row) {
    return row;
}

/* ---- state in words ---- */

/* How it is reached says more than its last known state as long as that way is not open. */
static bool reach_speaks(const struct rt_cluster *c) {
    switch (c->reach) {
    case RT_REACH_LOST: /* while it comes or goes that is no news */
        return c->state == RT_CL_UNKNOWN || c->state == RT_CL_UP || c->state == RT_CL_SCALING ||
               (c->state == RT_CL_FAILED && !c->state_detail);
    case RT_REACH_TOKEN_NEEDED:
    case RT_REACH_NEEDS_LOGIN:
    case RT_REACH_REFUSED:
        return c->state != RT_CL_DOWN && c->state != RT_CL_SUSPENDED;
    case RT_REACH_CONNECTING:
        return c->state == RT_CL_UNKNOWN || c->state == RT_CL_UP;
    case RT_REACH_TURN: /* beside what is known of it */
        return c->state == RT_CL_UNKNOWN;
    case RT_REACH_NONE:
        return c->state == RT_CL_UNKNOWN || c->fresh[RT_T_CLUSTER].from_snapshot;
    case RT_REACH_OK:
        break;
    }
    return false;
}

static int64_t pending_nodes(const struct rt_cluster *c) {
    int64_t n = 0;
    for (size_t i = 0; i < c->pools.n; i++)
        n += RT_MAX(c->pools.v[i].pending, 0);
    return n;
}

void rt_cluster_state_text(struct rt_buf *out, const struct rt_cluster *c, int64_t now_ms) {
    if (reach_speaks(c)) {
        rt_buf_adds(out, rt_reach_name(c->reach));
        if (c->reach == RT_REACH_LOST && c->reach_since_ms > 0) {
            rt_buf_addc(out, ' ');
            rt_cell_since(out, c->reach_since_ms, now_ms);
        }
        return;
    }
    bool up = c->state == RT_CL_UP || c->state == RT_CL_UNKNOWN;
    rt_buf_adds(out, up ? "up" : rt_cluster_state_name(c->state));
    if (c->state_detail && *c->state_detail) {
        rt_buf_adds(out, " (");
        rt_clean(out, c->state_detail, strlen(c->state_detail));
        rt_buf_addc(out, ')');
    }
    if (c->unwell)
        rt_buf_adds(out, ", GCS not responding");
    if (c->reach == RT_REACH_TURN)
        rt_buf_addf(out, ", %s", rt_reach_name(c->reach));
    int64_t pending = pending_nodes(c);
    if (up && !c->unwell && pending > 0)
        rt_buf_addf(out, ", %lld node%s starting", (long long)pending, pending == 1 ? "" : "s");
}

enum rt_health rt_cluster_health(const struct rt_cluster *c) {
    static const enum rt_health by_reach[] = {
        [RT_REACH_NONE] = RT_H_OFF,
        [RT_REACH_CONNECTING] = RT_H_BUSY,
        [RT_REACH_OK] = RT_H_OK,
        [RT_REACH_LOST] = RT_H_BAD,
        [RT_REACH_TOKEN_NEEDED] = RT_H_WARN,
        [RT_REACH_NEEDS_LOGIN] = RT_H_WARN,
        [RT_REACH_REFUSED] = RT_H_WARN,
        [RT_REACH_TURN] = RT_H_WAITING,
    };
    static const enum rt_health by_state[] = {
        [RT_CL_UNKNOWN] = RT_H_OK,    [RT_CL_QUEUED] = RT_H_WAITING, [RT_CL_STARTING] = RT_H_BUSY,
        [RT_CL_UP] = RT_H_OK,         [RT_CL_SCALING] = RT_H_BUSY,   [RT_CL_SUSPENDED] = RT_H_OFF,
        [RT_CL_STOPPING] = RT_H_BUSY, [RT_CL_DOWN] = RT_H_OFF,       [RT_CL_FAILED] = RT_H_BAD,
    };
    const enum rt_health h = reach_speaks(c) ? by_reach[c->reach] : by_state[c->state];
    return h == RT_H_OK && c->unwell ? RT_H_WARN : h;
}

/* ---- cells ---- */

#define TEXT_CELL(fn, value)                                                                       \
    static void fn(struct rt_buf *out, const void *row, const struct rt_row_env *env) {            \
        (void)env;                                                                                 \
        rt_cell_text(out, value);                                                                  \
    }
TEXT_CELL(name_text, cluster(row)->name)
TEXT_CELL(provider_text, cluster(row)->provider)
TEXT_CELL(where_text, cluster(row)->where)
TEXT_CELL(version_text, cluster(row)->ray_version)
TEXT_CELL(python_text, cluster(row)->python_version)

static void state_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cluster_state_text(out, cluster(row), env->now_ms);
}

/* How many nodes there should be; -1 unknown. */
static int64_t wanted_nodes(const struct rt_cluster *c) {
    int64_t sum = c->pools.n ? 0 : -1;
    for (size_t i = 0; i < c->pools.n; i++) {
        const struct rt_pool *p = &c->pools.v[i];
        int64_t there = RT_MAX(p->ready, 0);
        sum += p->desired >= 0 ? p->desired : there + RT_MAX(p->pending, 0);
    }
    return sum;
}

static void nodes_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    int64_t alive = rt_cluster_totals(cluster(row)).nodes_alive;
    int64_t wanted = wanted_nodes(cluster(row));
    if (wanted < 0 || (alive < 0 && cluster(row)->state == RT_CL_DOWN)) {
        rt_cell_count(out, alive);
        return;
    }
    rt_cell_count(out, RT_MAX(alive, 0));
    rt_buf_addc(out, '/');
    rt_cell_count(out, wanted);
}

static void cpu_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    struct rt_totals t = rt_cluster_totals(cluster(row));
    rt_cell_claims(out, t.cpu_used, t.cpu_reserved, t.cpu_total);
}

static void gpu_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    struct rt_totals t = rt_cluster_totals(cluster(row));
    rt_cell_claims(out, t.gpu_used, t.gpu_reserved, t.gpu_total);
}

static double mem_percent(const struct rt_totals *t) {
    return t->mem_used_bytes >= 0 && t->mem_total_bytes > 0
               ? 100 * t->mem_used_bytes / t->mem_total_bytes
               : -1;
}

static void mem_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    struct rt_totals t = rt_cluster_totals(cluster(row));
    rt_cell_percent(out, mem_percent(&t));
}

/* "12 3 1": running, pending, failed. */
static void jobs_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    struct rt_totals t = rt_cluster_totals(cluster(row));
    if (t.jobs_total < 0)
        rt_buf_addc(out, '-');
    else
        rt_buf_addf(out, "%lld %lld %lld", (long long)t.jobs_running, (long long)t.jobs_pending,
                    (long long)t.jobs_failed);
}

static void idle_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cell_since(out, cluster(row)->idle_since_ms, env->now_ms);
}

static void ends_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_cluster *c = cluster(row);
    rt_cell_clock(out, c->ends_at_ms, env->now_ms);
    if (c->ends_at_ms > 0 && c->ends_why) {
        rt_buf_addc(out, ' ');
        rt_clean(out, c->ends_why, strlen(c->ends_why));
    }
}

static void cost_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const double cost = rt_cluster_cost(cluster(row));
    (void)env;
    if (cost < 0)
        rt_buf_addc(out, '-');
    else
        rt_buf_addf(out, "%.2f", cost);
}

/* Wall time of the newest good answer; 0: none. */
static void age_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cell_since(out, rt_cluster_newest_ms(cluster(row)), env->now_ms);
}

/* ---- order ---- */

static int by_name(const void *a, const void *b) {
    return rt_natcmp(cluster(a)->name, cluster(b)->name);
}

#define ORDER(fn, compare)                                                                         \
    static int fn(const void *a, const void *b) {                                                  \
        int d = compare;                                                                           \
        return d ? d : by_name(a, b);                                                              \
    }
#define TOTAL_ORDER(fn, order, member)                                                             \
    ORDER(fn, order(rt_cluster_totals(cluster(a)).member, rt_cluster_totals(cluster(b)).member))
TOTAL_ORDER(by_nodes, rt_order_i64, nodes_alive)
TOTAL_ORDER(by_cpu, rt_order_f64, cpu_total)
TOTAL_ORDER(by_gpu, rt_order_f64, gpu_total)
TOTAL_ORDER(by_jobs, rt_order_i64, jobs_running)
ORDER(by_provider, rt_strcmp(cluster(a)->provider, cluster(b)->provider))
ORDER(by_idle, rt_order_i64(cluster(a)->idle_since_ms, cluster(b)->idle_since_ms))
ORDER(by_end, rt_order_i64(cluster(a)->ends_at_ms, cluster(b)->ends_at_ms))
ORDER(by_cost, rt_order_f64(rt_cluster_cost(cluster(a)), rt_cluster_cost(cluster(b))))
ORDER(by_age, rt_order_i64(rt_cluster_newest_ms(cluster(b)), rt_cluster_newest_ms(cluster(a))))
ORDER(by_state, (int)rt_cluster_health(cluster(a)) - (int)rt_cluster_health(cluster(b)))

static int by_mem(const void *a, const void *b) {
    struct rt_totals ta = rt_cluster_totals(cluster(a)), tb = rt_cluster_totals(cluster(b));
    int d = rt_order_f64(mem_percent(&ta), mem_percent(&tb));
    return d ? d : by_name(a, b);
}

/* ---- state ---- */

static enum rt_health health(const void *row, const struct rt_row_env *env) {
    (void)env;
    return rt_cluster_health(cluster(row));
}

static bool attention(const void *row, const struct rt_row_env *env) {
    (void)env;
    enum rt_health h = rt_cluster_health(cluster(row));
    return h == RT_H_BAD || h == RT_H_WARN || cluster(row)->autoscaler_error;
}

/* ---- JSON ---- */

static void put_totals(json_t *o, const struct rt_cluster *c) {
    struct rt_totals t = rt_cluster_totals(c);
    rt_put_i64(o, "nodes_alive", t.nodes_alive);
    rt_put_i64(o, "nodes_wanted", wanted_nodes(c));
    rt_put_f64(o, "cpu_used", t.cpu_used);
    rt_put_f64(o, "cpu_reserved", t.cpu_used < 0 ? -1 : t.cpu_reserved);
    rt_put_f64(o, "cpu_total", t.cpu_total);
    rt_put_f64(o, "gpu_used", t.gpu_used);
    rt_put_f64(o, "gpu_reserved", t.gpu_used < 0 ? -1 : t.gpu_reserved);
    rt_put_f64(o, "gpu_total", t.gpu_total);
    rt_put_bytes(o, "memory_used_bytes", t.mem_used_bytes);
    rt_put_bytes(o, "memory_total_bytes", t.mem_total_bytes);
    rt_put_i64(o, "jobs_running", t.jobs_running);
    rt_put_i64(o, "jobs_pending", t.jobs_pending);
    rt_put_i64(o, "jobs_failed", t.jobs_failed);
    rt_put_i64(o, "jobs_total", t.jobs_total);
}

static json_t *to_json(const void *row, const struct rt_row_env *env, bool show_env) {
    (void)env;
    (void)show_env;
    const struct rt_cluster *c = cluster(row);
    json_t *o = json_object();
    rt_put_text(o, "name", c->name);
    rt_put_text(o, "provider", c->provider);
    rt_put_text(o, "where", c->where);
    rt_put_text(o, "state", rt_cluster_state_name(c->state));
    rt_put_text(o, "state_detail", c->state_detail);
    rt_put_text(o, "reach", rt_reach_name(c->reach));
    rt_put_text(o, "reach_detail", c->reach_detail);
    rt_put_text(o, "ray_version", c->ray_version);
    rt_put_text(o, "python_version", c->python_version);
    rt_put_text(o, "session_name", c->session_name);
    put_totals(o, c);
    rt_put_time(o, "idle_since_ms", c->idle_since_ms);
    rt_put_time(o, "ends_at_ms", c->ends_at_ms);
    rt_put_text(o, "ends_why", c->ends_why);
    rt_put_f64(o, "cost_per_hour", rt_cluster_cost(c));
    rt_put_time(o, "answered_ms", rt_cluster_newest_ms(c));
    rt_put_bool(o, "ours", c->ours);
    rt_put_bool(o, "readonly", c->readonly);
    rt_put_bool(o, "autoscaler", c->autoscaler);
    rt_put_text(o, "autoscaler_error", c->autoscaler_error);
    rt_put_error(o, "error", &c->fresh[RT_T_CLUSTER].error);
    return o;
}

/* ---- the table ---- */

/* clang-format off */
static const struct rt_column columns[] = {
    {.id = "name", .title = "CLUSTER", .min = 8, .want = 16, .cut = RT_CUT_MIDDLE, .whole = true, .text = name_text,
     .order = by_name},
    {.id = "provider", .title = "PROVIDER", .min = 7, .want = 9, .priority = 3, .text = provider_text,
     .order = by_provider},
    {.id = "state", .title = "STATE", .min = 14, .want = 22, .glyph = true, .grow = true, .text = state_text,
     .order = by_state, .health = health},
    {.id = "nodes", .title = "NODES", .min = 5, .want = 7, .align = RT_RIGHT, .priority = 1, .text = nodes_text,
     .order = by_nodes},
    {.id = "cpu", .title = "CPU", .min = 7, .want = 13, .align = RT_RIGHT, .priority = 2, .text = cpu_text,
     .order = by_cpu},
    {.id = "gpu", .title = "GPU", .min = 5, .want = 7, .align = RT_RIGHT, .priority = 2, .text = gpu_text,
     .order = by_gpu},
    {.id = "memory", .title = "MEM", .min = 4, .want = 4, .align = RT_RIGHT, .priority = 4, .text = mem_text,
     .order = by_mem},
    {.id = "jobs", .title = "JOBS", .min = 5, .want = 8, .align = RT_RIGHT, .priority = 2, .text = jobs_text,
     .order = by_jobs},
    {.id = "idle", .title = "IDLE", .min = 5, .want = 7, .align = RT_RIGHT, .priority = 6, .text = idle_text,
     .order = by_idle},
    {.id = "ends", .title = "ENDS", .min = 5, .want = 14, .priority = 5, .text = ends_text, .order = by_end},
    {.id = "age", .title = "AGE", .min = 5, .want = 6, .align = RT_RIGHT, .text = age_text, .order = by_age},
    {.id = "cost", .title = "COST/H", .min = 6, .want = 8, .align = RT_RIGHT, .priority = 7, .wide = true, .text = cost_text,
     .order = by_cost},
    {.id = "ray_version", .title = "RAY", .min = 6, .want = 8, .priority = 7, .wide = true, .text = version_text},
    {.id = "python_version", .title = "PYTHON", .min = 6, .want = 8, .priority = 7, .wide = true, .text = python_text},
    {.id = "where", .title = "WHERE", .min = 10, .want = 32, .cut = RT_CUT_MIDDLE, .priority = 8, .wide = true,
     .text = where_text},
    {0},
};
/* clang-format on */

static size_t count(const struct rt_row_env *env) {
    return rt_store_count(env->store);
}

static const void *at(const struct rt_row_env *env, size_t i) {
    return rt_store_at(env->store, i);
}

static const char *id(const void *row) {
    return cluster(row)->name;
}

const struct rt_table rt_table_clusters = {
    .name = "clusters",
    .singular = "cluster",
    .title = "Clusters",
    .topic = RT_T_CLUSTER,
    .columns = columns,
    .default_sort = "name",
    .global = true,
    .count = count,
    .at = at,
    .id = id,
    .health = health,
    .attention = attention,
    .json = to_json,
    .empty = "no clusters - a attaches to an address, n makes one, A looks for some",
};
