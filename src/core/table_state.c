/* What else Ray tells of itself, as tables: events, runtime environments, workers. */
#include "core/rows.h"
#include "core/why.h"

/* ---- events ---- */

RT_TEXT_CELL(event_time, struct rt_cluster_event, r->time)
RT_TEXT_CELL(event_severity, struct rt_cluster_event, r->severity)
RT_TEXT_CELL(event_source, struct rt_cluster_event, r->source)

static void event_message(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_cluster_event *r = row;
    if (r->times > 1)
        rt_buf_addf(out, "%lld%s ", (long long)r->times, env->ascii ? "x" : "×");
    rt_cell_text(out, r->message);
}

static int event_by_time(const void *a, const void *b) {
    const struct rt_cluster_event *x = a, *y = b;
    const int d = rt_strcmp(x->time, y->time);
    return d ? d : rt_strcmp(x->id, y->id);
}

static enum rt_health event_health(const void *row, const struct rt_row_env *env) {
    const struct rt_cluster_event *r = row;
    (void)env;
    if (rt_streq(r->severity, "ERROR") || rt_streq(r->severity, "FATAL"))
        return RT_H_BAD;
    return rt_streq(r->severity, "WARNING") || (r->message && rt_starts(r->message, "Error")) ? RT_H_WARN : RT_H_UNKNOWN;
}

static bool event_attention(const void *row, const struct rt_row_env *env) {
    return event_health(row, env) != RT_H_UNKNOWN;
}

static json_t *event_json(const void *row, const struct rt_row_env *env, bool show_env) {
    const struct rt_cluster_event *r = row;
    json_t *o = json_object();
    (void)env;
    (void)show_env;
    rt_put_text(o, "id", r->id);
    rt_put_text(o, "time", r->time);
    rt_put_text(o, "severity", r->severity);
    rt_put_text(o, "source", r->source);
    rt_put_text(o, "message", r->message);
    rt_put_i64(o, "times", RT_MAX(r->times, 1));
    return o;
}

/* clang-format off */
static const struct rt_column event_columns[] = {
    {.id = "time", .title = "TIME (HEAD)", .min = 19, .want = 19, .text = event_time, .order = event_by_time},
    {.id = "severity", .title = "SEVERITY", .min = 8, .want = 9, .glyph = true, .priority = 2, .text = event_severity,
     .health = event_health},
    {.id = "source", .title = "SOURCE", .min = 6, .want = 12, .priority = 1, .text = event_source},
    {.id = "message", .title = "MESSAGE", .min = 16, .want = 60, .grow = true, .text = event_message},
    {0},
};
/* clang-format on */

RT_LIST_ROWS(events, RT_T_EVENTS)

const struct rt_table rt_table_events = {
    .name = "events",
    .singular = "event",
    .title = "Events",
    .topic = RT_T_EVENTS,
    .columns = event_columns,
    .default_sort = "-time",
    .count = events_count,
    .at = events_at,
    .id = rt_rows_id,
    .health = event_health,
    .attention = event_attention,
    .json = event_json,
    .empty = "no events - the autoscaler and jobs write some",
};

/* ---- runtime environments ---- */

/* Of what the installer wrote, the line that matters. */
static void env_error(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    size_t n = 0;
    const char *line = rt_installer_line(((const struct rt_env *)row)->error, &n);
    (void)env;
    if (line)
        rt_clean(out, line, n);
    else
        rt_buf_addc(out, '-');
}

RT_NUMBER_ORDER(env_by_made, struct rt_env, creation_ms)

static void env_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    char *masked = rt_mask_env(((const struct rt_env *)row)->runtime_env);
    (void)env;
    rt_cell_text(out, masked);
    free(masked);
}

static void env_state(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_text(out, ((const struct rt_env *)row)->success ? "made" : "FAILED");
}

static void env_node(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const char *id = ((const struct rt_env *)row)->node_id;
    const struct rt_node *n = env->cluster ? rt_store_node(env->cluster, id) : NULL;
    rt_cell_text(out, n ? rt_node_name(n) : id);
}

static void env_made(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_age(out, ((const struct rt_env *)row)->creation_ms);
}

static enum rt_health env_health(const void *row, const struct rt_row_env *env) {
    (void)env;
    return ((const struct rt_env *)row)->success ? RT_H_OK : RT_H_BAD;
}

static bool env_attention(const void *row, const struct rt_row_env *env) {
    return env_health(row, env) == RT_H_BAD;
}

static json_t *env_json(const void *row, const struct rt_row_env *env, bool show_env) {
    const struct rt_env *r = row;
    json_t *o = json_object();
    char *masked = show_env ? rt_strdup(r->runtime_env) : rt_mask_env(r->runtime_env);
    (void)env;
    rt_put_text(o, "id", r->id);
    rt_put_bool(o, "success", r->success);
    rt_put_text(o, "error", r->error);
    rt_put_text(o, "node_id", r->node_id);
    rt_put_i64(o, "creation_ms", r->creation_ms);
    rt_put_i64(o, "references", r->refs);
    rt_put_json(o, "runtime_env", masked);
    free(masked);
    return o;
}

/* clang-format off */
static const struct rt_column env_columns[] = {
    {.id = "state", .title = "STATE", .min = 6, .want = 8, .glyph = true, .text = env_state, .health = env_health},
    {.id = "node", .title = "NODE", .min = 8, .want = 18, .cut = RT_CUT_MIDDLE, .priority = 2, .text = env_node},
    {.id = "creation", .title = "MADE IN", .min = 7, .want = 7, .align = RT_RIGHT, .priority = 1, .text = env_made,
     .order = env_by_made},
    {.id = "error", .title = "WHY", .min = 8, .want = 40, .priority = 1, .text = env_error},
    {.id = "runtime_env", .title = "RUNTIME ENV", .min = 12, .want = 60, .grow = true, .text = env_text},
    {0},
};
/* clang-format on */

RT_LIST_ROWS(envs, RT_T_ENVS)

const struct rt_table rt_table_envs = {
    .name = "envs",
    .singular = "env",
    .title = "Runtime environments",
    .topic = RT_T_ENVS,
    .columns = env_columns,
    .default_sort = "state",
    .count = envs_count,
    .at = envs_at,
    .id = rt_rows_id,
    .health = env_health,
    .attention = env_attention,
    .json = env_json,
    .empty = "no runtime environments were made",
};

/* ---- workers ---- */

RT_TEXT_CELL(worker_type, struct rt_worker, r->type)
RT_TEXT_CELL(worker_exit, struct rt_worker, r->exit_detail ? r->exit_detail : r->exit_type)
RT_TEXT_CELL(worker_id, struct rt_worker, r->id)
RT_NUMBER_ORDER(worker_by_pid, struct rt_worker, pid)
RT_NUMBER_ORDER(worker_by_start, struct rt_worker, start_ms)

static void worker_state(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_text(out, ((const struct rt_worker *)row)->alive ? "ALIVE" : "DEAD");
}

static void worker_pid(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_buf_addf(out, "%lld", (long long)((const struct rt_worker *)row)->pid);
}

static void worker_node(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_worker *r = row;
    const struct rt_node *n = env->cluster ? rt_store_node(env->cluster, r->node_id) : NULL;
    rt_cell_text(out, n ? rt_node_name(n) : r->ip);
}

static void worker_up(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_worker *r = row;
    rt_cell_since(out, r->start_ms, r->end_ms > 0 ? r->end_ms : env->now_ms);
}

static enum rt_health worker_health(const void *row, const struct rt_row_env *env) {
    const struct rt_worker *r = row;
    (void)env;
    if (r->alive)
        return RT_H_OK;
    return !r->exit_type || rt_starts(r->exit_type, "INTENDED") ? RT_H_OFF : RT_H_BAD;
}

static bool worker_attention(const void *row, const struct rt_row_env *env) {
    return worker_health(row, env) == RT_H_BAD;
}

static json_t *worker_json(const void *row, const struct rt_row_env *env, bool show_env) {
    const struct rt_worker *r = row;
    json_t *o = json_object();
    (void)env;
    (void)show_env;
    rt_put_text(o, "id", r->id);
    rt_put_bool(o, "alive", r->alive);
    rt_put_text(o, "type", r->type);
    rt_put_text(o, "node_id", r->node_id);
    rt_put_text(o, "ip", r->ip);
    rt_put_i64(o, "pid", r->pid);
    rt_put_time(o, "started_ms", r->start_ms);
    rt_put_time(o, "ended_ms", r->end_ms);
    rt_put_text(o, "exit_type", r->exit_type);
    rt_put_text(o, "exit_detail", r->exit_detail);
    return o;
}

/* clang-format off */
static const struct rt_column worker_columns[] = {
    {.id = "pid", .title = "PID", .min = 6, .want = 8, .align = RT_RIGHT, .text = worker_pid, .order = worker_by_pid},
    {.id = "state", .title = "STATE", .min = 6, .want = 8, .glyph = true, .text = worker_state, .health = worker_health},
    {.id = "type", .title = "TYPE", .min = 6, .want = 10, .priority = 2, .text = worker_type},
    {.id = "node", .title = "NODE", .min = 8, .want = 18, .cut = RT_CUT_MIDDLE, .text = worker_node},
    {.id = "up", .title = "UP", .min = 5, .want = 7, .align = RT_RIGHT, .priority = 1, .text = worker_up, .order = worker_by_start},
    {.id = "why", .title = "WHY", .min = 10, .want = 50, .grow = true, .text = worker_exit},
    {.id = "id", .title = "ID", .min = 9, .want = 56, .cut = RT_CUT_MIDDLE, .priority = 4, .wide = true, .text = worker_id},
    {0},
};
/* clang-format on */

RT_LIST_ROWS(workers, RT_T_WORKERS)

const struct rt_table rt_table_workers = {
    .name = "workers",
    .singular = "worker",
    .title = "Workers",
    .topic = RT_T_WORKERS,
    .columns = worker_columns,
    .default_sort = "state",
    .count = workers_count,
    .at = workers_at,
    .id = rt_rows_id,
    .health = worker_health,
    .attention = worker_attention,
    .json = worker_json,
    .empty = "no worker processes",
};
