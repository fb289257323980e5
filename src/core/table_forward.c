/* Forwards as a table: of one cluster, or of all when none is given. */
#include "core/cells.h"
#include "core/table.h"

static const struct rt_forward_row *forward(const void *row) {
    return row;
}

/* The id is CLUSTER:REMOTE, and a cluster's name has no colon. */
static void cluster_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_clean(out, forward(row)->id, strcspn(forward(row)->id, ":"));
}

#define TEXT_CELL(fn, value)                                                                       \
    static void fn(struct rt_buf *out, const void *row, const struct rt_row_env *env) {            \
        (void)env;                                                                                 \
        rt_cell_text(out, value);                                                                  \
    }
TEXT_CELL(local_text, forward(row)->local)
TEXT_CELL(to_text, forward(row)->to)
TEXT_CELL(state_text, forward(row)->state)
TEXT_CELL(via_text, forward(row)->via)
TEXT_CELL(note_text, forward(row)->note)

static void up_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cell_since(out, forward(row)->up_since_ms, env->now_ms);
}

static void in_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_bytes(out, (double)forward(row)->bytes_in);
}

static void out_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_bytes(out, (double)forward(row)->bytes_out);
}

static void connections_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_count(out, forward(row)->connections);
}

/* ---- order ---- */

static int by_id(const void *a, const void *b) {
    return rt_natcmp(forward(a)->id, forward(b)->id);
}

#define ORDER(fn, compare)                                                                         \
    static int fn(const void *a, const void *b) {                                                  \
        int d = compare;                                                                           \
        return d ? d : by_id(a, b);                                                                \
    }
ORDER(by_local, rt_order_i64(forward(a)->local_port, forward(b)->local_port))
ORDER(by_up, rt_order_i64(forward(b)->up_since_ms, forward(a)->up_since_ms))
ORDER(by_in, rt_order_i64(forward(a)->bytes_in, forward(b)->bytes_in))
ORDER(by_out, rt_order_i64(forward(a)->bytes_out, forward(b)->bytes_out))
ORDER(by_connections, rt_order_i64(forward(a)->connections, forward(b)->connections))

/* ---- state ---- */

static enum rt_health health(const void *row, const struct rt_row_env *env) {
    (void)env;
    return forward(row)->health;
}

static bool attention(const void *row, const struct rt_row_env *env) {
    (void)env;
    return forward(row)->health != RT_H_OK;
}

static json_t *to_json(const void *row, const struct rt_row_env *env, bool show_env) {
    (void)env;
    (void)show_env;
    const struct rt_forward_row *f = forward(row);
    json_t *o = json_object();
    char *cluster = rt_strndup(f->id, strcspn(f->id, ":"));
    rt_put_text(o, "id", f->id);
    rt_put_text(o, "cluster", cluster);
    rt_put_text(o, "local", f->local_port > 0 ? f->local : NULL);
    rt_put_i64(o, "local_port", f->local_port > 0 ? f->local_port : -1);
    rt_put_text(o, "to", f->to);
    rt_put_i64(o, "remote_port", f->remote_port > 0 ? f->remote_port : -1);
    rt_put_text(o, "state", f->state);
    rt_put_text(o, "via", f->via[0] ? f->via : NULL);
    rt_put_text(o, "note", f->note[0] ? f->note : NULL);
    rt_put_i64(o, "connections", f->connections);
    rt_put_time(o, "up_since_ms", f->up_since_ms);
    rt_put_i64(o, "in_bytes", f->bytes_in);
    rt_put_i64(o, "out_bytes", f->bytes_out);
    free(cluster);
    return o;
}

/* ---- the table ---- */

/* clang-format off */
static const struct rt_column columns[] = {
    {.id = "cluster", .title = "CLUSTER", .min = 7, .want = 12, .cut = RT_CUT_MIDDLE, .priority = 1, .whole = true,
     .text = cluster_text, .order = by_id},
    {.id = "local", .title = "LOCAL", .min = 14, .want = 17, .whole = true, .text = local_text, .order = by_local},
    {.id = "to", .title = "TO", .min = 15, .want = 26, .cut = RT_CUT_MIDDLE, .priority = 1, .text = to_text},
    {.id = "state", .title = "STATE", .min = 8, .want = 20, .glyph = true, .grow = true, .text = state_text,
     .health = health},
    {.id = "via", .title = "VIA", .min = 8, .want = 24, .priority = 3, .text = via_text},
    {.id = "up", .title = "UP", .min = 5, .want = 7, .align = RT_RIGHT, .priority = 2, .text = up_text, .order = by_up},
    {.id = "in", .title = "IN", .min = 5, .want = 6, .align = RT_RIGHT, .priority = 4, .text = in_text, .order = by_in},
    {.id = "out", .title = "OUT", .min = 5, .want = 6, .align = RT_RIGHT, .priority = 4, .text = out_text,
     .order = by_out},
    {.id = "connections", .title = "CONNS", .min = 5, .want = 5, .align = RT_RIGHT, .priority = 6, .wide = true,
     .text = connections_text, .order = by_connections},
    {.id = "note", .title = "NOTE", .min = 8, .want = 40, .priority = 5, .wide = true, .text = note_text},
    {0},
};
/* clang-format on */

static size_t count(const struct rt_row_env *env) {
    if (env->cluster)
        return env->cluster->nforwards;
    size_t n = 0;
    for (size_t i = 0; i < rt_store_count(env->store); i++)
        n += rt_store_at(env->store, i)->nforwards;
    return n;
}

static const void *at(const struct rt_row_env *env, size_t i) {
    if (env->cluster)
        return &env->cluster->forwards[i];
    for (size_t k = 0; k < rt_store_count(env->store); k++) {
        const struct rt_cluster *c = rt_store_at(env->store, k);
        if (i < c->nforwards)
            return &c->forwards[i];
        i -= c->nforwards;
    }
    return NULL;
}

static const char *id(const void *row) {
    return forward(row)->id;
}

const struct rt_table rt_table_forwards = {
    .name = "forwards",
    .singular = "forward",
    .title = "Forwards",
    .topic = RT_T_FORWARDS,
    .columns = columns,
    .default_sort = "cluster",
    .count = count,
    .at = at,
    .id = id,
    .health = health,
    .attention = attention,
    .json = to_json,
    .empty = "no forwards - t opens those of the cluster, F one more port",
};
