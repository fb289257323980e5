/* Operations as a table: what was asked for, how far it is, how it ended. */
#include "core/cells.h"
#include "core/operation.h"
#include "core/table.h"

static const struct rt_operation *op(const void *row) {
    return row;
}

static const char *state_word(const struct rt_operation *o) {
    static const char *const words[] = {
        [RT_OPS_RUNNING] = "running",
        [RT_OPS_DONE] = "done",
        [RT_OPS_FAILED] = "failed",
        [RT_OPS_CANCELLED] = "cancelled",
    };
    return o->cancelling && o->state == RT_OPS_RUNNING ? "cancelling" : words[o->state];
}

/* The step that is at work, or the one at which it ended. */
static const struct rt_step *step_of(const struct rt_operation *o) {
    for (size_t i = 0; i < o->nsteps; i++)
        if (o->steps[i].state == RT_OPS_RUNNING || o->steps[i].state == RT_OPS_FAILED)
            return &o->steps[i];
    return o->nsteps ? &o->steps[o->nsteps - 1] : NULL;
}

static int64_t took_ms(const struct rt_operation *o, int64_t now_ms) {
    return RT_MAX((o->end_ms ? o->end_ms : now_ms) - o->start_ms, 0);
}

/* ---- cells ---- */

#define TEXT_CELL(fn, value)                                                                       \
    static void fn(struct rt_buf *out, const void *row, const struct rt_row_env *env) {            \
        (void)env;                                                                                 \
        rt_cell_text(out, value);                                                                  \
    }
TEXT_CELL(title_text, op(row)->title)
TEXT_CELL(cluster_text, op(row)->cluster)
TEXT_CELL(state_text, state_word(op(row)))
TEXT_CELL(verb_text, op(row)->verb)
TEXT_CELL(id_text, op(row)->id)

static void step_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    const struct rt_step *s = step_of(op(row));
    if (!s)
        return;
    if (s->subject) {
        rt_clean(out, s->subject, strlen(s->subject));
        rt_buf_adds(out, ": ");
    }
    rt_clean(out, s->title, strlen(s->title));
    if (s->state == RT_OPS_RUNNING && s->total > 0)
        rt_buf_addf(out, " %lld%%", (long long)(100 * RT_MIN(s->done, s->total) / s->total));
}

static void started_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cell_clock(out, op(row)->start_ms, env->now_ms);
}

static void took_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cell_age(out, took_ms(op(row), env->now_ms));
}

static void result_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    const struct rt_operation *o = op(row);
    const char *text = o->state == RT_OPS_FAILED ? o->error.message : o->result;
    if (text && *text)
        rt_clean(out, text, strlen(text));
}

/* What it is at; when it is over, what came of it. */
static void now_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const size_t before = out->len;
    if (op(row)->state != RT_OPS_RUNNING)
        result_text(out, row, env);
    if (out->len == before)
        step_text(out, row, env);
}

/* ---- order ---- */

static int by_start(const void *a, const void *b) {
    int d = rt_order_i64(op(a)->start_ms, op(b)->start_ms);
    return d ? d : rt_natcmp(op(a)->id, op(b)->id);
}

static int by_cluster(const void *a, const void *b) {
    int d = rt_natcmp(op(a)->cluster, op(b)->cluster);
    return d ? d : by_start(a, b);
}

static int by_state(const void *a, const void *b) {
    int d = (int)op(a)->state - (int)op(b)->state;
    return d ? d : by_start(b, a);
}

static int by_took(const void *a, const void *b) {
    int64_t now = rt_wall_ms();
    int d = rt_order_i64(took_ms(op(a), now), took_ms(op(b), now));
    return d ? d : by_start(a, b);
}

static int by_id(const void *a, const void *b) {
    return rt_natcmp(op(a)->id, op(b)->id);
}

/* ---- state ---- */

static enum rt_health health(const void *row, const struct rt_row_env *env) {
    (void)env;
    static const enum rt_health of[] = {
        [RT_OPS_RUNNING] = RT_H_BUSY,
        [RT_OPS_DONE] = RT_H_DONE,
        [RT_OPS_FAILED] = RT_H_BAD,
        [RT_OPS_CANCELLED] = RT_H_OFF,
    };
    return of[op(row)->state];
}

static bool attention(const void *row, const struct rt_row_env *env) {
    (void)env;
    return op(row)->state == RT_OPS_FAILED;
}

static json_t *step_json(const struct rt_step *s) {
    static const char *const words[] = {
        [RT_OPS_RUNNING] = "running",
        [RT_OPS_DONE] = "done",
        [RT_OPS_FAILED] = "failed",
        [RT_OPS_CANCELLED] = "cancelled",
    };
    json_t *o = json_object();
    rt_put_text(o, "subject", s->subject);
    rt_put_text(o, "title", s->title);
    rt_put_text(o, "state", words[s->state]);
    rt_put_time(o, "started_ms", s->start_ms);
    rt_put_time(o, "ended_ms", s->end_ms);
    rt_put_text(o, "last_line", s->last_line);
    rt_put_i64(o, "done", s->total > 0 ? s->done : -1);
    rt_put_i64(o, "total", s->total > 0 ? s->total : -1);
    return o;
}

static json_t *to_json(const void *row, const struct rt_row_env *env, bool show_env) {
    (void)show_env;
    const struct rt_operation *p = op(row);
    json_t *o = json_object();
    json_t *steps = json_array();
    for (size_t i = 0; i < p->nsteps; i++)
        json_array_append_new(steps, step_json(&p->steps[i]));
    rt_put_text(o, "id", p->id);
    rt_put_text(o, "verb", p->verb);
    rt_put_text(o, "cluster", p->cluster);
    rt_put_text(o, "title", p->title);
    rt_put_text(o, "state", state_word(p));
    rt_put_time(o, "started_ms", p->start_ms);
    rt_put_time(o, "ended_ms", p->end_ms);
    rt_put_i64(o, "took_ms", took_ms(p, env->now_ms));
    json_object_set_new(o, "steps", steps);
    rt_put_text(o, "result", p->result);
    rt_put_error(o, "error", &p->error);
    rt_put_text(o, "log_path", p->log_path);
    return o;
}

/* ---- the table ---- */

/* clang-format off */
static const struct rt_column columns[] = {
    {.id = "title", .title = "OPERATION", .min = 17, .want = 27, .text = title_text},
    {.id = "cluster", .title = "CLUSTER", .min = 7, .want = 9, .cut = RT_CUT_MIDDLE, .priority = 1,
     .text = cluster_text, .order = by_cluster},
    {.id = "state", .title = "STATE", .min = 11, .want = 12, .glyph = true, .text = state_text, .order = by_state,
     .health = health},
    {.id = "started", .title = "STARTED", .min = 7, .want = 10, .align = RT_RIGHT, .priority = 4,
     .text = started_text, .order = by_start},
    {.id = "took", .title = "TOOK", .min = 6, .want = 7, .align = RT_RIGHT, .text = took_text, .order = by_took},
    {.id = "now", .title = "NOW OR END", .min = 16, .want = 40, .priority = 1, .grow = true, .text = now_text},
    {.id = "step", .title = "STEP", .min = 10, .want = 28, .priority = 6, .wide = true, .text = step_text},
    {.id = "result", .title = "RESULT", .min = 12, .want = 32, .priority = 6, .wide = true, .text = result_text},
    {.id = "verb", .title = "VERB", .min = 5, .want = 10, .priority = 6, .wide = true, .text = verb_text},
    {.id = "id", .title = "ID", .min = 8, .want = 20, .priority = 6, .wide = true, .text = id_text, .order = by_id},
    {0},
};
/* clang-format on */

static size_t count(const struct rt_row_env *env) {
    struct rt_operations *list = rt_store_operations(env->store);
    return list ? rt_operations_count(list) : 0;
}

static const void *at(const struct rt_row_env *env, size_t i) {
    return rt_operations_at(rt_store_operations(env->store), i);
}

static const char *id(const void *row) {
    return op(row)->id;
}

const struct rt_table rt_table_operations = {
    .name = "operations",
    .singular = "operation",
    .title = "Operations",
    .topic = RT_T_OPERATIONS,
    .columns = columns,
    .default_sort = "-started",
    .global = true,
    .count = count,
    .at = at,
    .id = id,
    .health = health,
    .attention = attention,
    .json = to_json,
    .empty = "nothing was done yet - operations such as up, scale and submit stand here",
};
