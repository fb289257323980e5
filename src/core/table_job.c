/* Jobs as a table. */
#include "core/cells.h"
#include "core/table.h"
#include "core/why.h"
#include "net/loop.h"
#include <stdlib.h>

#define PENDING_TOO_LONG_MS 60000

static const struct rt_job *job(const void *row) {
    return row;
}

/* Every verb takes an id without "raysubmit_" too, so the short form is enough to read and type. */
static const char *short_id(const struct rt_job *j) {
    return rt_starts(j->id, "raysubmit_") ? j->id + strlen("raysubmit_") : j->id;
}

static int64_t took_ms(const struct rt_job *j, int64_t now_ms) {
    if (j->start_ms <= 0)
        return -1;
    bool ended = rt_job_ended((enum rt_job_status)j->status);
    if (ended && j->end_ms <= 0)
        return -1;
    return RT_MAX((ended ? j->end_ms : now_ms) - j->start_ms, 0);
}

static const char *user_of(const struct rt_job *j) {
    return rt_kvs_get(&j->metadata, "submitted_by");
}

static const char *name_of(const struct rt_job *j) {
    return rt_kvs_get(&j->metadata, "job_name");
}

/* ---- cells ---- */

#define TEXT_CELL(fn, value)                                                                       \
    static void fn(struct rt_buf *out, const void *row, const struct rt_row_env *env) {            \
        (void)env;                                                                                 \
        rt_cell_text(out, value);                                                                  \
    }
TEXT_CELL(id_text, short_id(job(row)))
TEXT_CELL(status_text,
          job(row)->status_text ? job(row)->status_text : rt_job_status_names[job(row)->status])

static void entrypoint_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_line(out, job(row)->entrypoint);
}

TEXT_CELL(submission_text, job(row)->submission_id)
TEXT_CELL(job_id_text, job(row)->job_id)
TEXT_CELL(type_text, job(row)->type)
TEXT_CELL(name_text, name_of(job(row)))
TEXT_CELL(user_text, user_of(job(row)))

static void started_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cell_clock(out, job(row)->start_ms, env->now_ms);
}

static void took_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cell_age(out, took_ms(job(row), env->now_ms));
}

static void why_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_job *j = job(row);
    const bool by_store = j->status == RT_JOB_PENDING || rt_streq(j->error_type, "RUNTIME_ENV_SETUP_FAILURE");
    if (env->cluster && by_store)
        rt_why_brief(out, env->cluster, RT_WHY_JOB, j->id);
    else
        rt_job_why(out, j);
}

static void node_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_job *j = job(row);
    const struct rt_node *n = env->cluster ? rt_store_node(env->cluster, j->driver_node_id) : NULL;
    rt_cell_text(out, n && n->ip ? n->ip : j->driver_ip ? j->driver_ip : j->driver_node_id);
}

static void exit_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_count(out, job(row)->driver_exit_code);
}

/* ---- order ---- */

static int by_id(const void *a, const void *b) {
    return rt_natcmp(job(a)->id, job(b)->id);
}

#define ORDER(fn, compare)                                                                         \
    static int fn(const void *a, const void *b) {                                                  \
        int d = compare;                                                                           \
        return d ? d : by_id(a, b);                                                                \
    }
ORDER(by_short_id, rt_natcmp(short_id(job(a)), short_id(job(b))))
ORDER(by_start, rt_order_i64(job(a)->start_ms, job(b)->start_ms))
ORDER(by_exit, rt_order_i64(job(a)->driver_exit_code, job(b)->driver_exit_code))
ORDER(by_job_id, rt_natcmp(job(a)->job_id, job(b)->job_id))
ORDER(by_entrypoint, rt_natcmp(job(a)->entrypoint, job(b)->entrypoint))
ORDER(by_name, rt_natcmp(name_of(job(a)), name_of(job(b))))
ORDER(by_user, rt_natcmp(user_of(job(a)), user_of(job(b))))

/* What needs an eye first: running, waiting, failed, then what is over. */
static int status_rank(const struct rt_job *j) {
    switch ((enum rt_job_status)j->status) {
    case RT_JOB_RUNNING:
        return 0;
    case RT_JOB_PENDING:
        return 1;
    case RT_JOB_OTHER:
        return 2;
    case RT_JOB_FAILED:
        return 3;
    case RT_JOB_STOPPED:
        return 4;
    case RT_JOB_SUCCEEDED:
        return 5;
    }
    return 6;
}

/* Within one status the newest first. */
static int by_status(const void *a, const void *b) {
    int d = status_rank(job(a)) - status_rank(job(b));
    return d ? d : by_start(b, a);
}

/* What still runs took as long as now; one clock reading per comparison is a few nanoseconds. */
static int by_took(const void *a, const void *b) {
    int64_t now = rt_wall_ms();
    int d = rt_order_i64(took_ms(job(a), now), took_ms(job(b), now));
    return d ? d : by_id(a, b);
}

/* ---- state ---- */

static enum rt_health health(const void *row, const struct rt_row_env *env) {
    (void)env;
    static const enum rt_health of[] = {
        [RT_JOB_OTHER] = RT_H_UNKNOWN, [RT_JOB_PENDING] = RT_H_WAITING, [RT_JOB_RUNNING] = RT_H_OK,
        [RT_JOB_STOPPED] = RT_H_OFF,   [RT_JOB_SUCCEEDED] = RT_H_DONE,  [RT_JOB_FAILED] = RT_H_BAD,
    };
    int s = job(row)->status;
    return s >= 0 && (size_t)s < RT_COUNT(of) ? of[s] : RT_H_UNKNOWN;
}

static bool attention(const void *row, const struct rt_row_env *env) {
    const struct rt_job *j = job(row);
    if (j->status == RT_JOB_PENDING)
        return j->start_ms > 0 && env->now_ms - j->start_ms > PENDING_TOO_LONG_MS;
    return j->status == RT_JOB_FAILED;
}

/* ---- JSON ---- */

static json_t *runtime_env_json(const char *text, bool show_env) {
    char *masked = show_env ? rt_strdup(text) : rt_mask_env(text);
    json_t *v = masked ? json_loads(masked, JSON_DECODE_ANY, NULL) : NULL;
    free(masked);
    return v ? v : json_null();
}

static json_t *to_json(const void *row, const struct rt_row_env *env, bool show_env) {
    const struct rt_job *j = job(row);
    json_t *o = json_object();
    struct rt_buf why;
    rt_buf_init(&why, 0);
    rt_job_why(&why, j);
    rt_put_text(o, "id", j->id);
    rt_put_text(o, "submission_id", j->submission_id);
    rt_put_text(o, "job_id", j->job_id);
    rt_put_text(o, "type", j->type);
    rt_put_text(o, "status", j->status_text ? j->status_text : rt_job_status_names[j->status]);
    rt_put_text(o, "entrypoint", j->entrypoint);
    rt_put_time(o, "started_ms", j->start_ms);
    rt_put_time(o, "ended_ms", j->end_ms);
    rt_put_i64(o, "took_ms", took_ms(j, env->now_ms));
    rt_put_text(o, "why", why.len ? rt_buf_str(&why) : NULL);
    rt_put_text(o, "message", j->message);
    rt_put_text(o, "error_type", j->error_type);
    rt_put_i64(o, "exit_code", j->driver_exit_code);
    rt_put_text(o, "name", name_of(j));
    rt_put_text(o, "user", user_of(j));
    rt_put_kvs(o, "metadata", &j->metadata);
    json_object_set_new(o, "runtime_env", runtime_env_json(j->runtime_env, show_env));
    rt_put_text(o, "driver_node_id", j->driver_node_id);
    rt_put_text(o, "driver_ip", j->driver_ip);
    rt_put_text(o, "driver_pid", j->driver_pid);
    rt_put_text(o, "driver_agent_http_address", j->driver_agent_http_address);
    rt_buf_deinit(&why);
    return o;
}

/* ---- the table ---- */

/* clang-format off */
static const struct rt_column columns[] = {
    {.id = "id", .title = "ID", .min = 9, .want = 18, .cut = RT_CUT_MIDDLE, .text = id_text, .order = by_short_id},
    {.id = "status", .title = "STATUS", .min = 11, .want = 11, .glyph = true, .text = status_text,
     .order = by_status, .health = health},
    {.id = "entrypoint", .title = "ENTRYPOINT", .min = 12, .want = 40, .priority = 1, .grow = true,
     .text = entrypoint_text, .order = by_entrypoint},
    {.id = "started", .title = "STARTED", .min = 7, .want = 10, .align = RT_RIGHT, .priority = 3,
     .text = started_text, .order = by_start},
    {.id = "took", .title = "TOOK", .min = 6, .want = 7, .align = RT_RIGHT, .text = took_text, .order = by_took},
    {.id = "why", .title = "WHY", .min = 8, .want = 24, .priority = 2, .grow = true, .costly = true, .text = why_text},
    {.id = "submission_id", .title = "SUBMISSION", .min = 12, .want = 26, .cut = RT_CUT_MIDDLE, .priority = 5,
     .wide = true, .text = submission_text, .order = by_id},
    {.id = "job_id", .title = "JOB ID", .min = 8, .want = 8, .cut = RT_CUT_MIDDLE, .priority = 6, .wide = true,
     .text = job_id_text, .order = by_job_id},
    {.id = "type", .title = "TYPE", .min = 6, .want = 10, .priority = 9, .wide = true, .text = type_text},
    {.id = "node", .title = "NODE", .min = 9, .want = 15, .cut = RT_CUT_MIDDLE, .priority = 7, .wide = true,
     .text = node_text},
    {.id = "exit_code", .title = "EXIT", .min = 4, .want = 4, .align = RT_RIGHT, .priority = 8, .wide = true,
     .text = exit_text, .order = by_exit},
    {.id = "name", .title = "NAME", .min = 8, .want = 18, .priority = 7, .wide = true, .text = name_text,
     .order = by_name},
    {.id = "user", .title = "USER", .min = 6, .want = 16, .priority = 8, .wide = true, .text = user_text,
     .order = by_user},
    {0},
};
/* clang-format on */

static size_t count(const struct rt_row_env *env) {
    return env->cluster ? env->cluster->jobs.n : 0;
}

static const void *at(const struct rt_row_env *env, size_t i) {
    return &env->cluster->jobs.v[i];
}

static const char *id(const void *row) {
    return job(row)->id;
}

const struct rt_table rt_table_jobs = {
    .name = "jobs",
    .singular = "job",
    .title = "Jobs",
    .topic = RT_T_JOBS,
    .columns = columns,
    .default_sort = "-started",
    .count = count,
    .at = at,
    .id = id,
    .health = health,
    .attention = attention,
    .json = to_json,
    .empty = "no jobs - n submits one",
};
