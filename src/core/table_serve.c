/* Ray Serve as a table: applications, below them their deployments, below those the replicas. */
#include "core/rows.h"

RT_TEXT_CELL(serve_status, struct rt_serve, r->status)
RT_TEXT_CELL(serve_route, struct rt_serve, r->route)

static void serve_name(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_serve *r = row;
    (void)env;
    rt_buf_adds(out, r->replica ? "    " : r->deployment ? "  " : "");
    rt_cell_text(out, r->replica ? r->replica : r->deployment ? r->deployment : r->app);
}

/* What belongs to something stands below it. */
static int serve_by_name(const void *a, const void *b) {
    const struct rt_serve *x = a, *y = b;
    int d = rt_natcmp(x->app, y->app);
    if (!d)
        d = rt_natcmp(x->deployment ? x->deployment : "", y->deployment ? y->deployment : "");
    if (!d)
        d = rt_natcmp(x->replica ? x->replica : "", y->replica ? y->replica : "");
    return d ? d : rt_strcmp(x->id, y->id);
}

/* Of a traceback its last line: the one that says what is wrong. */
static void serve_message(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const char *s = ((const struct rt_serve *)row)->message, *last = s;
    (void)env;
    for (; s && *s; s += strcspn(s, "\n"), s += *s == '\n')
        if (s[strspn(s, " \t\r")] != '\n' && s[strspn(s, " \t\r")])
            last = s;
    char *line = last ? rt_strndup(last, strcspn(last, "\n")) : NULL;
    rt_cell_text(out, line);
    free(line);
}

static void serve_replicas(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_serve *r = row;
    (void)env;
    rt_cell_amounts(out, (double)r->replicas, (double)r->wanted);
}

static void serve_node(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_serve *r = row;
    const struct rt_node *n = r->node_id && env->cluster ? rt_store_node(env->cluster, r->node_id) : NULL;
    rt_cell_text(out, n ? rt_node_name(n) : r->node_id);
}

static void serve_pid(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const int64_t pid = ((const struct rt_serve *)row)->pid;
    (void)env;
    if (pid > 0)
        rt_buf_addf(out, "%lld", (long long)pid);
    else
        rt_buf_addc(out, '-');
}

static void serve_age(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cell_since(out, ((const struct rt_serve *)row)->deployed_ms, env->now_ms);
}

static enum rt_health serve_health(const void *row, const struct rt_row_env *env) {
    const struct rt_serve *r = row;
    (void)env;
    if (rt_streq(r->status, "RUNNING") || rt_streq(r->status, "HEALTHY"))
        return RT_H_OK;
    return rt_streq(r->status, "UNHEALTHY") || rt_streq(r->status, "DEPLOY_FAILED") ? RT_H_BAD : RT_H_BUSY;
}

static bool serve_attention(const void *row, const struct rt_row_env *env) {
    return serve_health(row, env) != RT_H_OK;
}

static json_t *serve_json(const void *row, const struct rt_row_env *env, bool show_env) {
    const struct rt_serve *r = row;
    json_t *o = json_object();
    (void)env;
    (void)show_env;
    rt_put_text(o, "id", r->id);
    rt_put_text(o, "app", r->app);
    rt_put_text(o, "deployment", r->deployment);
    rt_put_text(o, "replica", r->replica);
    rt_put_text(o, "status", r->status);
    rt_put_text(o, "message", r->message);
    rt_put_text(o, "route_prefix", r->route);
    rt_put_i64(o, "replicas", r->replicas);
    rt_put_i64(o, "wanted_replicas", r->wanted);
    rt_put_text(o, "node_id", r->node_id);
    rt_put_i64(o, "pid", r->pid);
    rt_put_text(o, "log_node_id", r->log_node);
    rt_put_text(o, "log_file", r->log_file);
    rt_put_time(o, "deployed_ms", r->deployed_ms);
    return o;
}

/* clang-format off */
static const struct rt_column serve_columns[] = {
    {.id = "name", .title = "APPLICATION", .min = 12, .want = 28, .text = serve_name, .order = serve_by_name},
    {.id = "status", .title = "STATUS", .min = 8, .want = 15, .whole = true, .glyph = true, .text = serve_status, .health = serve_health},
    {.id = "replicas", .title = "REPLICAS", .min = 8, .want = 8, .align = RT_RIGHT, .text = serve_replicas},
    {.id = "node", .title = "NODE", .min = 8, .want = 18, .cut = RT_CUT_MIDDLE, .priority = 4, .text = serve_node},
    {.id = "pid", .title = "PID", .min = 5, .want = 7, .align = RT_RIGHT, .priority = 6, .text = serve_pid},
    {.id = "route_prefix", .title = "ROUTE", .min = 6, .want = 16, .priority = 5, .text = serve_route},
    {.id = "age", .title = "AGE", .min = 5, .want = 7, .align = RT_RIGHT, .priority = 3, .text = serve_age},
    {.id = "message", .title = "MESSAGE", .min = 20, .want = 60, .grow = true, .priority = 1, .text = serve_message},
    {0},
};
/* clang-format on */

RT_LIST_ROWS(serve, RT_T_SERVE)

const struct rt_table rt_table_serve = {
    .name = "serve",
    .singular = "application",
    .title = "Serve",
    .topic = RT_T_SERVE,
    .columns = serve_columns,
    .default_sort = "name",
    .count = serve_count,
    .at = serve_at,
    .id = rt_rows_id,
    .health = serve_health,
    .attention = serve_attention,
    .json = serve_json,
    .empty = "no Serve applications - `serve deploy FILE`, or a job that calls serve.run(), makes one",
};
