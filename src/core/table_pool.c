/* Pools as a table. */
#include "core/cells.h"
#include "core/table.h"

static const struct rt_pool *pool(const void *row) {
    return row;
}

/* ---- cells ---- */

#define TEXT_CELL(fn, value)                                                                       \
    static void fn(struct rt_buf *out, const void *row, const struct rt_row_env *env) {            \
        (void)env;                                                                                 \
        rt_cell_text(out, value);                                                                  \
    }
TEXT_CELL(name_text, pool(row)->name)
TEXT_CELL(kind_text, pool(row)->kind)

/* "4", "4/8" when some are missing and none is on its way, "4 -> 8" while it changes. */
static void ready_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_pool *p = pool(row);
    const char *arrow = env->ascii ? "->" : "→";
    rt_cell_count(out, p->ready);
    if (p->desired < 0 && p->pending > 0)
        rt_buf_addf(out, " %s %lld", arrow, (long long)(RT_MAX(p->ready, 0) + p->pending));
    if (p->desired < 0 || p->desired == p->ready)
        return;
    if (p->pending > 0 || p->desired < p->ready)
        rt_buf_addf(out, " %s %lld", arrow, (long long)p->desired);
    else
        rt_buf_addf(out, "/%lld", (long long)p->desired);
}

static void limits_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    const struct rt_pool *p = pool(row);
    if (p->min < 0 && p->max < 0) {
        rt_buf_addc(out, '-');
        return;
    }
    rt_buf_addf(out, "%lld..", (long long)RT_MAX(p->min, 0));
    if (p->max >= 0)
        rt_buf_addf(out, "%lld", (long long)p->max);
}

static void pending_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_count(out, pool(row)->pending);
}

static void failed_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_count(out, pool(row)->failed);
}

static void why_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    const struct rt_pool *p = pool(row);
    if (p->why)
        rt_clean(out, p->why, strlen(p->why));
    else if (p->failed > 0)
        rt_buf_addf(out, "%lld failed", (long long)p->failed);
}

static void add_offer(struct rt_buf *out, const struct rt_amount *a) {
    char text[32];
    if (rt_streq(a->name, "memory") || rt_streq(a->name, "object_store_memory"))
        rt_fmt_bytes(text, sizeof(text), a->total);
    else
        rt_fmt_amount(text, sizeof(text), a->total);
    rt_buf_adds(out, out->len ? " " : "");
    rt_clean(out, a->name, strlen(a->name));
    rt_buf_addf(out, " %s", text);
}

/* What one node of it offers: "CPU 16 GPU 4". */
static void offer_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    const struct rt_amounts *l = &pool(row)->per_node;
    struct rt_buf text;
    rt_buf_init(&text, 0);
    for (size_t i = 0; i < l->n; i++)
        if (l->v[i].total > 0 && !rt_streq(l->v[i].name, "object_store_memory"))
            add_offer(&text, &l->v[i]);
    rt_buf_adds(out, text.len ? rt_buf_str(&text) : "-");
    rt_buf_deinit(&text);
}

/* ---- order ---- */

static int by_name(const void *a, const void *b) {
    return rt_natcmp(pool(a)->name, pool(b)->name);
}

/* The head's own pool stands first. */
static int head_first(const void *a, const void *b) {
    int d = (int)pool(b)->head - (int)pool(a)->head;
    return d ? d : by_name(a, b);
}

#define ORDER(fn, compare)                                                                         \
    static int fn(const void *a, const void *b) {                                                  \
        int d = compare;                                                                           \
        return d ? d : by_name(a, b);                                                              \
    }
ORDER(by_ready, rt_order_i64(pool(a)->ready, pool(b)->ready))
ORDER(by_max, rt_order_i64(pool(a)->max, pool(b)->max))
ORDER(by_pending, rt_order_i64(pool(a)->pending, pool(b)->pending))
ORDER(by_failed, rt_order_i64(pool(a)->failed, pool(b)->failed))

/* ---- state ---- */

static enum rt_health health(const void *row, const struct rt_row_env *env) {
    const struct rt_pool *p = pool(row);
    const struct rt_cluster *c = env->cluster;
    if (c && (c->state == RT_CL_DOWN || c->state == RT_CL_SUSPENDED) && p->ready <= 0 && p->pending <= 0 && p->failed <= 0)
        return RT_H_OFF; /* nobody waits for it */
    bool short_of = p->desired >= 0 && p->ready < p->desired;
    if (p->failed > 0 && (short_of || p->ready <= 0))
        return RT_H_BAD;
    if (short_of && p->pending <= 0 && p->why)
        return RT_H_WARN;
    if (short_of || p->pending > 0 || (p->desired >= 0 && p->ready > p->desired))
        return RT_H_BUSY;
    return p->ready > 0 ? RT_H_OK : RT_H_OFF;
}

static bool attention(const void *row, const struct rt_row_env *env) {
    enum rt_health h = health(row, env);
    return h == RT_H_BAD || h == RT_H_WARN || pool(row)->why;
}

static json_t *to_json(const void *row, const struct rt_row_env *env, bool show_env) {
    (void)env;
    (void)show_env;
    const struct rt_pool *p = pool(row);
    json_t *o = json_object();
    json_t *offer = json_object();
    for (size_t i = 0; i < p->per_node.n; i++)
        rt_put_f64(offer, p->per_node.v[i].name, p->per_node.v[i].total);
    rt_put_text(o, "name", p->name);
    rt_put_text(o, "kind", p->kind);
    rt_put_i64(o, "min", p->min);
    rt_put_i64(o, "desired", p->desired);
    rt_put_i64(o, "max", p->max);
    rt_put_i64(o, "ready", p->ready);
    rt_put_i64(o, "pending", p->pending);
    rt_put_i64(o, "failed", p->failed);
    rt_put_text(o, "why", p->why);
    rt_put_bool(o, "head", p->head);
    rt_put_bool(o, "scalable", p->scalable);
    rt_put_bool(o, "limits_move", p->limits_move);
    json_object_set_new(o, "per_node", offer);
    return o;
}

/* ---- the table ---- */

/* clang-format off */
static const struct rt_column columns[] = {
    {.id = "name", .title = "POOL", .min = 8, .want = 18, .cut = RT_CUT_MIDDLE, .glyph = true, .text = name_text,
     .order = head_first, .health = health},
    {.id = "kind", .title = "KIND", .min = 5, .want = 12, .priority = 3, .text = kind_text},
    {.id = "ready", .title = "READY", .min = 7, .want = 9, .align = RT_RIGHT, .text = ready_text, .order = by_ready},
    {.id = "limits", .title = "MIN..MAX", .min = 8, .want = 8, .align = RT_RIGHT, .priority = 1,
     .text = limits_text, .order = by_max},
    {.id = "per_node", .title = "EACH", .min = 6, .want = 22, .priority = 4, .text = offer_text},
    {.id = "why", .title = "WHY", .min = 8, .want = 30, .priority = 2, .grow = true, .text = why_text},
    {.id = "pending", .title = "PENDING", .min = 7, .want = 7, .align = RT_RIGHT, .priority = 5, .wide = true,
     .text = pending_text, .order = by_pending},
    {.id = "failed", .title = "FAILED", .min = 6, .want = 6, .align = RT_RIGHT, .priority = 5, .wide = true,
     .text = failed_text, .order = by_failed},
    {0},
};
/* clang-format on */

static size_t count(const struct rt_row_env *env) {
    return env->cluster ? env->cluster->pools.n : 0;
}

static const void *at(const struct rt_row_env *env, size_t i) {
    return &env->cluster->pools.v[i];
}

static const char *id(const void *row) {
    return pool(row)->name;
}

const struct rt_table rt_table_pools = {
    .name = "pools",
    .singular = "pool",
    .title = "Pools",
    .topic = RT_T_POOLS,
    .columns = columns,
    .default_sort = "name",
    .count = count,
    .at = at,
    .id = id,
    .health = health,
    .attention = attention,
    .json = to_json,
    .empty = "no pools - the cluster has told of none yet",
};
