/* What runs in Ray, as tables: actors, tasks, placement groups. */
#include "core/rows.h"
#include "core/why.h"
#include "net/loop.h"
#include <stdlib.h>

/* ---- actors ---- */

RT_TEXT_CELL(actor_id, struct rt_actor, r->id)
RT_TEXT_CELL(actor_class, struct rt_actor, r->class_name)
RT_TEXT_CELL(actor_name, struct rt_actor, r->name)
RT_TEXT_CELL(actor_state, struct rt_actor, r->state)
RT_TEXT_CELL(actor_job, struct rt_actor, r->job_id)
RT_NUMBER_ORDER(actor_by_pid, struct rt_actor, pid)
RT_NUMBER_ORDER(actor_by_restarts, struct rt_actor, restarts)

/* A node's name says more than its id; while it is not known the id stands. */
static void node_cell(struct rt_buf *out, const char *id, const struct rt_row_env *env) {
    const struct rt_node *n = id && env->cluster ? rt_store_node(env->cluster, id) : NULL;
    rt_cell_text(out, n ? rt_node_name(n) : id);
}

static void actor_node(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    node_cell(out, ((const struct rt_actor *)row)->node_id, env);
}

static void actor_pid(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_actor *r = row;
    (void)env;
    if (r->pid > 0)
        rt_buf_addf(out, "%lld", (long long)r->pid);
    else
        rt_buf_addc(out, '-');
}

static void actor_restarts(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_count(out, ((const struct rt_actor *)row)->restarts);
}

static void actor_needs(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_resources(out, &((const struct rt_actor *)row)->resources);
}

/* The short form of `why`, or a dash. */
static void brief(struct rt_buf *out, enum rt_why_kind k, const char *id, const struct rt_row_env *env) {
    const size_t before = out->len;
    if (env->cluster)
        rt_why_brief(out, env->cluster, k, id);
    if (out->len == before)
        rt_buf_addc(out, '-');
}

static void actor_why(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    brief(out, RT_WHY_ACTOR, ((const struct rt_actor *)row)->id, env);
}

/* Somebody wanted it, or nobody needed it any more (reasons of common.proto; older ones have the texts alone). */
static bool died_as_meant(const char *cause) {
    static const char *const meant[] = {"INTENDED", "\"RAY_KILL\"", "\"OUT_OF_SCOPE\"", "\"REF_DELETED\"", "was killed by `ray.kill`",
                                        "all references to the actor were removed"};
    for (size_t i = 0; i < RT_COUNT(meant); i++)
        if (strstr(cause, meant[i]))
            return true;
    return false;
}

static enum rt_health actor_health(const void *row, const struct rt_row_env *env) {
    const struct rt_actor *r = row;
    (void)env;
    if (rt_streq(r->state, "ALIVE"))
        return RT_H_OK;
    if (rt_streq(r->state, "RESTARTING"))
        return RT_H_BUSY;
    if (rt_streq(r->state, "DEAD"))
        return !r->death_cause || !strstr(r->death_cause, "_context")                                ? RT_H_OFF
               : strstr(r->death_cause, "actor_died_error") && died_as_meant(r->death_cause) ? RT_H_OFF
                                                                                             : RT_H_BAD;
    return RT_H_WAITING;
}

static bool actor_attention(const void *row, const struct rt_row_env *env) {
    const enum rt_health h = actor_health(row, env);
    return h == RT_H_BAD || h == RT_H_WAITING || h == RT_H_BUSY;
}

static json_t *actor_json(const void *row, const struct rt_row_env *env, bool show_env) {
    const struct rt_actor *r = row;
    json_t *o = json_object();
    (void)env;
    (void)show_env;
    rt_put_text(o, "id", r->id);
    rt_put_text(o, "class_name", r->class_name);
    rt_put_text(o, "name", r->name);
    rt_put_text(o, "state", r->state);
    rt_put_text(o, "job_id", r->job_id);
    rt_put_text(o, "node_id", r->node_id);
    rt_put_i64(o, "pid", r->pid > 0 ? r->pid : -1);
    rt_put_text(o, "namespace", r->ray_namespace);
    rt_put_text(o, "placement_group_id", r->placement_group_id);
    rt_put_resources(o, "resources", &r->resources);
    rt_put_i64(o, "restarts", r->restarts);
    rt_put_bool(o, "detached", r->detached);
    rt_put_json(o, "death_cause", r->death_cause);
    return o;
}

/* clang-format off */
static const struct rt_column actor_columns[] = {
    {.id = "class_name", .title = "CLASS", .min = 8, .want = 24, .grow = true, .text = actor_class},
    {.id = "state", .title = "STATE", .min = 8, .want = 18, .glyph = true, .text = actor_state, .health = actor_health},
    {.id = "name", .title = "NAME", .min = 6, .want = 18, .priority = 2, .text = actor_name},
    {.id = "node", .title = "NODE", .min = 8, .want = 18, .cut = RT_CUT_MIDDLE, .priority = 1, .text = actor_node},
    {.id = "pid", .title = "PID", .min = 6, .want = 8, .align = RT_RIGHT, .priority = 4, .text = actor_pid, .order = actor_by_pid},
    {.id = "job_id", .title = "JOB", .min = 8, .want = 8, .priority = 3, .text = actor_job},
    {.id = "resources", .title = "NEEDS", .min = 6, .want = 16, .priority = 6, .text = actor_needs},
    {.id = "restarts", .title = "RESTARTS", .min = 8, .want = 8, .align = RT_RIGHT, .priority = 5, .text = actor_restarts,
     .order = actor_by_restarts},
    {.id = "why", .title = "WHY", .min = 16, .want = 40, .priority = 2, .grow = true, .costly = true, .text = actor_why},
    {.id = "id", .title = "ID", .min = 9, .want = 32, .cut = RT_CUT_MIDDLE, .priority = 7, .wide = true, .text = actor_id},
    {0},
};
/* clang-format on */

static size_t actors_count(const struct rt_row_env *env) {
    return env->cluster ? env->cluster->actors.n : 0;
}

static const void *actors_at(const struct rt_row_env *env, size_t i) {
    return &env->cluster->actors.v[i];
}

const struct rt_table rt_table_actors = {
    .name = "actors",
    .singular = "actor",
    .title = "Actors",
    .topic = RT_T_ACTORS,
    .columns = actor_columns,
    .default_sort = "state",
    .count = actors_count,
    .at = actors_at,
    .id = rt_rows_id,
    .health = actor_health,
    .attention = actor_attention,
    .json = actor_json,
    .empty = "no actors - a job that makes some shows them here",
};

/* ---- tasks ---- */

RT_TEXT_CELL(task_name, struct rt_task, r->name)
RT_TEXT_CELL(task_state, struct rt_task, r->state)
RT_TEXT_CELL(task_type, struct rt_task, r->type)
RT_TEXT_CELL(task_job, struct rt_task, r->job_id)
RT_TEXT_CELL(task_id, struct rt_task, r->id)
RT_NUMBER_ORDER(task_by_start, struct rt_task, start_ms)
RT_NUMBER_ORDER(task_by_attempt, struct rt_task, attempt)

static void task_node(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    node_cell(out, ((const struct rt_task *)row)->node_id, env);
}

static int64_t task_took(const struct rt_task *r, int64_t now_ms) {
    const int64_t from = r->start_ms > 0 ? r->start_ms : r->created_ms;
    return from > 0 ? RT_MAX((int64_t)0, (r->end_ms > 0 ? r->end_ms : now_ms) - from) : -1;
}

/* What still runs took as long as now. */
static int task_by_took(const void *a, const void *b) {
    const int64_t now = rt_wall_ms();
    const int d = rt_order_i64(task_took(a, now), task_took(b, now));
    return d ? d : rt_strcmp(((const struct rt_task *)a)->id, ((const struct rt_task *)b)->id);
}

static void task_started(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cell_clock(out, ((const struct rt_task *)row)->start_ms, env->now_ms);
}

static void task_age(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cell_age(out, task_took(row, env->now_ms));
}

static void task_needs(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_resources(out, &((const struct rt_task *)row)->resources);
}

static void task_attempt(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_count(out, ((const struct rt_task *)row)->attempt);
}

/* The last line of the error: above it stands the traceback. */
static void task_why(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_task *r = row;
    if (r->state && (rt_starts(r->state, "PENDING") || rt_streq(r->state, "SUBMITTED_TO_WORKER"))) {
        brief(out, RT_WHY_TASK, r->id, env);
        return;
    }
    size_t n = 0;
    const char *line = r->error_message ? rt_last_line(r->error_message, &n) : NULL;
    if (n)
        rt_clean(out, line, n);
    else
        rt_cell_text(out, r->error_type);
}

static enum rt_health task_health(const void *row, const struct rt_row_env *env) {
    const struct rt_task *r = row;
    (void)env;
    if (!r->state)
        return RT_H_UNKNOWN;
    if (rt_starts(r->state, "RUNNING"))
        return RT_H_OK;
    if (rt_streq(r->state, "FAILED"))
        return RT_H_BAD;
    return rt_streq(r->state, "FINISHED") ? RT_H_DONE : RT_H_WAITING;
}

static bool task_attention(const void *row, const struct rt_row_env *env) {
    const enum rt_health h = task_health(row, env);
    return h == RT_H_BAD || (h == RT_H_WAITING && task_took(row, env->now_ms) > 60000);
}

static json_t *task_json(const void *row, const struct rt_row_env *env, bool show_env) {
    const struct rt_task *r = row;
    json_t *o = json_object();
    (void)show_env;
    rt_put_text(o, "id", r->id);
    rt_put_text(o, "name", r->name);
    rt_put_text(o, "state", r->state);
    rt_put_text(o, "type", r->type);
    rt_put_text(o, "job_id", r->job_id);
    rt_put_text(o, "actor_id", r->actor_id);
    rt_put_text(o, "node_id", r->node_id);
    rt_put_i64(o, "pid", r->pid);
    rt_put_i64(o, "attempt", r->attempt);
    rt_put_time(o, "created_ms", r->created_ms);
    rt_put_time(o, "started_ms", r->start_ms);
    rt_put_time(o, "ended_ms", r->end_ms);
    rt_put_i64(o, "took_ms", task_took(r, env->now_ms));
    rt_put_resources(o, "resources", &r->resources);
    rt_put_text(o, "placement_group_id", r->placement_group_id);
    rt_put_text(o, "error_type", r->error_type);
    rt_put_text(o, "error_message", r->error_message);
    return o;
}

/* clang-format off */
static const struct rt_column task_columns[] = {
    {.id = "name", .title = "TASK", .min = 8, .want = 28, .grow = true, .text = task_name},
    {.id = "state", .title = "STATE", .min = 9, .want = 26, .glyph = true, .text = task_state, .health = task_health},
    {.id = "job_id", .title = "JOB", .min = 8, .want = 8, .priority = 3, .text = task_job},
    {.id = "node", .title = "NODE", .min = 8, .want = 18, .cut = RT_CUT_MIDDLE, .priority = 2, .text = task_node},
    {.id = "resources", .title = "NEEDS", .min = 6, .want = 14, .priority = 4, .text = task_needs},
    {.id = "took", .title = "TOOK", .min = 5, .want = 7, .align = RT_RIGHT, .text = task_age, .order = task_by_took},
    {.id = "why", .title = "WHY", .min = 8, .want = 36, .priority = 1, .grow = true, .costly = true, .text = task_why},
    {.id = "started", .title = "STARTED", .min = 7, .want = 10, .align = RT_RIGHT, .priority = 5, .wide = true, .text = task_started,
     .order = task_by_start},
    {.id = "type", .title = "TYPE", .min = 8, .want = 20, .priority = 6, .wide = true, .text = task_type},
    {.id = "attempt", .title = "TRY", .min = 3, .want = 3, .align = RT_RIGHT, .priority = 7, .wide = true, .text = task_attempt,
     .order = task_by_attempt},
    {.id = "id", .title = "ID", .min = 9, .want = 48, .cut = RT_CUT_MIDDLE, .priority = 7, .wide = true, .text = task_id},
    {0},
};
/* clang-format on */

RT_LIST_ROWS(tasks, RT_T_TASKS)

const struct rt_table rt_table_tasks = {
    .name = "tasks",
    .singular = "task",
    .title = "Tasks",
    .topic = RT_T_TASKS,
    .columns = task_columns,
    .default_sort = "-started",
    .count = tasks_count,
    .at = tasks_at,
    .id = rt_rows_id,
    .health = task_health,
    .attention = task_attention,
    .json = task_json,
    .empty = "no task runs, waits or failed - finished ones are not asked for: they would cost the head seconds",
};

/* ---- placement groups ---- */

RT_TEXT_CELL(pg_id, struct rt_pg, r->id)
RT_TEXT_CELL(pg_name, struct rt_pg, r->name)
RT_TEXT_CELL(pg_state, struct rt_pg, r->state)
RT_TEXT_CELL(pg_job, struct rt_pg, r->job_id)

static void add_bundle(struct rt_buf *out, const json_t *need) {
    struct rt_resources l = {.v = rt_alloc((json_object_size(need) + 1) * sizeof(*l.v))};
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)need, key, v)
        l.v[l.n++] = (struct rt_resource){.name = key, .amount = json_number_value(v)};
    rt_resources_sort(&l);
    rt_buf_addc(out, '{');
    if (l.n)
        rt_cell_resources(out, &l);
    rt_buf_addc(out, '}');
    free(l.v);
}

/* {CPU 40} x 2: equal bundles are counted. */
static void pg_bundles(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_pg *r = row;
    json_t *all = r->bundles ? json_loads(r->bundles, 0, NULL) : NULL;
    const size_t n = json_array_size(all);
    (void)env;
    if (!n)
        rt_buf_addc(out, '-');
    for (size_t i = 0; i < n;) {
        const json_t *need = json_object_get(json_array_get(all, i), "unit_resources");
        size_t same = 1;
        while (i + same < n && json_equal(need, json_object_get(json_array_get(all, i + same), "unit_resources")))
            same++;
        rt_buf_adds(out, i ? " " : "");
        add_bundle(out, need);
        if (same > 1)
            rt_buf_addf(out, " x %zu", same);
        i += same;
    }
    json_decref(all);
}

static bool is_infeasible(const struct rt_pg *r) {
    return rt_streq(r->stats.scheduling_state, "INFEASIBLE");
}

static void pg_why(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    brief(out, RT_WHY_PG, ((const struct rt_pg *)row)->id, env);
}

static enum rt_health pg_health(const void *row, const struct rt_row_env *env) {
    const struct rt_pg *r = row;
    (void)env;
    if (rt_streq(r->state, "CREATED"))
        return RT_H_OK;
    if (rt_streq(r->state, "REMOVED"))
        return RT_H_OFF;
    return is_infeasible(r) ? RT_H_BAD : RT_H_WAITING;
}

static bool pg_attention(const void *row, const struct rt_row_env *env) {
    const enum rt_health h = pg_health(row, env);
    return h == RT_H_BAD || h == RT_H_WAITING;
}

static json_t *pg_json(const void *row, const struct rt_row_env *env, bool show_env) {
    const struct rt_pg *r = row;
    json_t *o = json_object();
    (void)env;
    (void)show_env;
    rt_put_text(o, "id", r->id);
    rt_put_text(o, "name", r->name);
    rt_put_text(o, "state", r->state);
    rt_put_text(o, "scheduling_state", r->stats.scheduling_state);
    rt_put_text(o, "job_id", r->job_id);
    rt_put_bool(o, "detached", r->detached);
    rt_put_json(o, "bundles", r->bundles);
    return o;
}

/* clang-format off */
static const struct rt_column pg_columns[] = {
    {.id = "name", .title = "NAME", .min = 8, .want = 20, .text = pg_name},
    {.id = "state", .title = "STATE", .min = 8, .want = 12, .glyph = true, .text = pg_state, .health = pg_health},
    {.id = "bundles", .title = "BUNDLES", .min = 10, .want = 32, .grow = true, .text = pg_bundles},
    {.id = "job_id", .title = "JOB", .min = 8, .want = 8, .priority = 3, .text = pg_job},
    {.id = "why", .title = "WHY", .min = 8, .want = 34, .priority = 1, .costly = true, .text = pg_why},
    {.id = "id", .title = "ID", .min = 9, .want = 36, .cut = RT_CUT_MIDDLE, .priority = 6, .wide = true, .text = pg_id},
    {0},
};
/* clang-format on */

RT_LIST_ROWS(pgs, RT_T_PGS)

const struct rt_table rt_table_pgs = {
    .name = "pgs",
    .singular = "placement-group",
    .title = "Placement groups",
    .topic = RT_T_PGS,
    .columns = pg_columns,
    .default_sort = "state",
    .count = pgs_count,
    .at = pgs_at,
    .id = rt_rows_id,
    .health = pg_health,
    .attention = pg_attention,
    .json = pg_json,
    .empty = "no placement groups",
};
