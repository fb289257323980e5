/* The door of why: from a thing to its answer, and what its files share. */
#include "core/why_impl.h"

#include "core/rows.h"

static const char *const kind_names[] = {
    [RT_WHY_CLUSTER] = "cluster",    [RT_WHY_POOL] = "pool",
    [RT_WHY_NODE] = "node",          [RT_WHY_JOB] = "job",
    [RT_WHY_ACTOR] = "actor",        [RT_WHY_TASK] = "task",
    [RT_WHY_PG] = "placement-group",
};

const char *rt_why_kind_name(enum rt_why_kind k) {
    return k < RT_WHY_KINDS ? kind_names[k] : "thing";
}

enum rt_why_kind rt_why_kind_of(const char *table) {
    const struct rt_table *t = table ? rt_table_find(table) : NULL;
    for (int k = 0; t && k < RT_WHY_KINDS; k++)
        if (rt_streq(t->singular, kind_names[k]))
            return (enum rt_why_kind)k;
    return RT_WHY_KINDS;
}

uint32_t rt_why_topics(enum rt_why_kind k) {
    const uint32_t machines = RT_TOPIC_BIT(RT_T_CLUSTER) | RT_TOPIC_BIT(RT_T_NODES) |
                              RT_TOPIC_BIT(RT_T_POOLS) | RT_TOPIC_BIT(RT_T_DEMAND) |
                              RT_TOPIC_BIT(RT_T_EVENTS);
    const uint32_t jobs = RT_TOPIC_BIT(RT_T_JOBS), actors = RT_TOPIC_BIT(RT_T_ACTORS),
                   pgs = RT_TOPIC_BIT(RT_T_PGS);
    switch (k) {
    case RT_WHY_CLUSTER:
        return machines | jobs;
    case RT_WHY_POOL:
        return machines | jobs | actors | RT_TOPIC_BIT(RT_T_TASKS); /* these tell the labels of what waits */
    case RT_WHY_NODE:
        return (machines | jobs | actors | pgs | RT_TOPIC_BIT(RT_T_TASKS)) &
               ~RT_TOPIC_BIT(RT_T_EVENTS);
    case RT_WHY_JOB:
        return machines | jobs | actors | RT_TOPIC_BIT(RT_T_ENVS) | RT_TOPIC_BIT(RT_T_TASKS);
    case RT_WHY_ACTOR:
        return machines | actors | pgs;
    case RT_WHY_TASK:
        return machines | pgs | RT_TOPIC_BIT(RT_T_TASKS);
    case RT_WHY_PG:
        return machines | pgs;
    case RT_WHY_KINDS:
        break;
    }
    return 0;
}

/* ---- pieces of an answer ---- */

void why_line(struct why *w, enum rt_topic from, const char *fmt, ...) {
    struct rt_buf b;
    va_list ap;
    if (w->brief_only)
        return;
    rt_buf_init(&b, 64 * RT_KIB);
    va_start(ap, fmt);
    rt_buf_addv(&b, fmt, ap);
    va_end(ap);
    struct rt_why_line *l = rt_vec_push(&w->lines);
    l->text = rt_arena_strdup(w->arena, rt_buf_str(&b));
    l->from = from;
    l->at_ms = w->c->fresh[from].at_ms;
    rt_buf_deinit(&b);
}

const char *why_clean(struct why *w, const char *s) {
    struct rt_buf b;
    rt_buf_init(&b, 64 * RT_KIB);
    rt_clean(&b, s ? s : "", s ? strlen(s) : 0);
    const char *out = rt_arena_strdup(w->arena, rt_buf_str(&b));
    rt_buf_deinit(&b);
    return out;
}

const char *why_age(struct why *w, int64_t from_ms) {
    char text[32];
    const int64_t ms = from_ms > 0 ? RT_MAX(w->env.now_ms - from_ms, 0) : -1;
    return rt_arena_strdup(w->arena, rt_fmt_age(text, sizeof(text), ms));
}

const char *why_node_name(struct why *w, const char *node_id) {
    const struct rt_node *n = node_id ? rt_store_node(w->c, node_id) : NULL;
    return why_clean(w, n ? rt_node_name(n) : node_id);
}

const char *why_amount(struct why *w, const char *name, double v) {
    char text[32];
    if (rt_streq(name, "memory") || rt_streq(name, "object_store_memory"))
        rt_fmt_bytes(text, sizeof(text), v);
    else
        rt_fmt_amount(text, sizeof(text), v);
    return rt_arena_strf(w->arena, "%s %s", text, why_clean(w, name));
}

const char *why_needs(struct why *w, const struct need *need) {
    struct rt_buf b;
    rt_buf_init(&b, 16 * RT_KIB);
    const size_t n = need->res.n;
    for (size_t i = 0; i < n; i++)
        rt_buf_addf(&b, "%s%s",
                    !i           ? ""
                    : i + 1 == n ? " and "
                                 : ", ",
                    why_amount(w, need->res.v[i].name, need->res.v[i].amount));
    for (size_t i = 0; i < need->labels.n; i++)
        rt_buf_addf(&b, "%s%s=%s",
                    i   ? ", "
                    : n ? " and the label "
                        : "the label ",
                    why_clean(w, need->labels.v[i].key), why_clean(w, need->labels.v[i].value));
    const char *out = rt_arena_strdup(w->arena, rt_buf_str(&b));
    rt_buf_deinit(&b);
    return out;
}

bool why_known(const struct why *w, enum rt_topic t) {
    return w->c->fresh[t].at_ms > 0;
}

bool why_missing(struct why *w, enum rt_topic t, const char *what) {
    const struct rt_freshness *f = &w->c->fresh[t];
    if (f->at_ms > 0)
        return false;
    if (f->error.code)
        why_line(w, t, "%s: not known: %s", what, why_clean(w, f->error.message));
    else
        why_line(w, t, "%s: not known yet", what);
    return true;
}

/* ---- things by id ---- */

static const void *row_of(const struct rt_rows *l, const char *id) {
    for (size_t i = 0; i < l->n; i++)
        if (rt_streq(rt_rows_id(rt_rows_at(l, i)), id))
            return rt_rows_at(l, i);
    return NULL;
}

static const struct rt_actor *actor_of(const struct rt_cluster *c, const char *id) {
    for (size_t i = 0; i < c->actors.n; i++)
        if (rt_streq(c->actors.v[i].id, id))
            return &c->actors.v[i];
    return NULL;
}

static const void *thing(const struct rt_cluster *c, enum rt_why_kind k, const char *id) {
    switch (k) {
    case RT_WHY_CLUSTER:
        return c;
    case RT_WHY_POOL:
        return rt_store_pool(c, id);
    case RT_WHY_NODE:
        return rt_store_node(c, id);
    case RT_WHY_JOB:
        return rt_store_job(c, id);
    case RT_WHY_ACTOR:
        return actor_of(c, id);
    case RT_WHY_TASK:
        return row_of(&c->lists[RT_T_TASKS], id);
    case RT_WHY_PG:
        return row_of(&c->lists[RT_T_PGS], id);
    case RT_WHY_KINDS:
        break;
    }
    return NULL;
}

static void answer(struct why *w, enum rt_why_kind k, const void *row) {
    switch (k) {
    case RT_WHY_CLUSTER:
        why_cluster(w);
        break;
    case RT_WHY_POOL:
        why_pool(w, row);
        break;
    case RT_WHY_NODE:
        why_node(w, row);
        break;
    case RT_WHY_JOB:
        why_job(w, row);
        break;
    case RT_WHY_ACTOR:
        why_actor(w, row);
        break;
    case RT_WHY_TASK:
        why_task(w, row);
        break;
    case RT_WHY_PG:
        why_pg(w, row);
        break;
    case RT_WHY_KINDS:
        break;
    }
}

/* Everything below is of the past then. */
static void say_unreachable(struct why *w, enum rt_why_kind k) {
    const struct rt_cluster *c = w->c;
    if (k == RT_WHY_CLUSTER || rt_reach_answers(c->reach))
        return;
    why_line(w, RT_T_CLUSTER, "%s is %s%s%s: what follows is the last that was known", c->name,
             rt_reach_name(c->reach), c->reach_detail ? ": " : "", why_clean(w, c->reach_detail));
}

bool rt_why(struct rt_why *out, const struct rt_cluster *c, enum rt_why_kind k, const char *id,
            const struct rt_why_env *env, struct rt_error *err) {
    *out = (struct rt_why){0};
    const void *row = thing(c, k, id);
    if (!row)
        return rt_error_set(err, RT_E_NOT_FOUND, "%s: no %s %s", c->name, rt_why_kind_name(k), id);
    struct why w = {.arena = rt_arena_create(), .c = c, .env = *env};
    say_unreachable(&w, k);
    answer(&w, k, row);
    *out = (struct rt_why){.arena = w.arena,
                           .kind = k,
                           .title = w.title,
                           .summary = w.summary,
                           .brief = w.brief ? w.brief : "",
                           .npools = w.pools.n,
                           .nlines = w.lines.n,
                           .action = w.action};
    out->cluster = rt_arena_strdup(w.arena, c->name);
    out->id = rt_arena_strdup(w.arena, id);
    out->pools = rt_arena_alloc(w.arena, (w.pools.n + 1) * sizeof(*out->pools));
    out->lines = rt_arena_alloc(w.arena, (w.lines.n + 1) * sizeof(*out->lines));
    if (w.pools.n)
        memcpy(out->pools, w.pools.v, w.pools.n * sizeof(*out->pools));
    if (w.lines.n)
        memcpy(out->lines, w.lines.v, w.lines.n * sizeof(*out->lines));
    rt_vec_deinit(&w.pools);
    rt_vec_deinit(&w.lines);
    return true;
}

void rt_why_deinit(struct rt_why *w) {
    rt_arena_destroy(w->arena);
    *w = (struct rt_why){0};
}

void rt_why_brief(struct rt_buf *out, const struct rt_cluster *c, enum rt_why_kind k,
                  const char *id) {
    struct why w = {.arena = rt_arena_create(), .c = c, .brief_only = true};
    const void *row = thing(c, k, id);
    if (row)
        answer(&w, k, row);
    rt_buf_adds(out, w.brief);
    rt_arena_destroy(w.arena);
}

/* ---- from what a person typed ---- */

struct finding {
    enum rt_why_kind kind;
    const char *id;
    size_t n; /* prefixes that fit */
    bool whole;
    struct rt_strs ids;
};

static void look_at(struct finding *f, enum rt_why_kind k, const char *id, const char *name,
                    const char *text) {
    if (f->whole || !id)
        return;
    f->whole = rt_streq(id, text) || rt_streq(name, text);
    if (!f->whole && !rt_starts(id, text))
        return;
    f->kind = k;
    f->id = id;
    f->n++;
    if (f->ids.n < 4)
        rt_strs_addf(&f->ids, "%s %s", rt_why_kind_name(k), id);
}

static void look_at_rows(struct finding *f, const struct rt_cluster *c, const char *text) {
    for (size_t i = 0; i < c->actors.n; i++)
        look_at(f, RT_WHY_ACTOR, c->actors.v[i].id, c->actors.v[i].name, text);
    for (size_t i = 0; i < c->lists[RT_T_TASKS].n; i++)
        look_at(f, RT_WHY_TASK, rt_rows_id(rt_rows_at(&c->lists[RT_T_TASKS], i)), NULL, text);
    for (size_t i = 0; i < c->lists[RT_T_PGS].n; i++) {
        const struct rt_pg *g = rt_rows_at(&c->lists[RT_T_PGS], i);
        look_at(f, RT_WHY_PG, g->id, g->name, text);
    }
}

static bool ambiguous(const struct finding *f, const char *text, struct rt_error *err) {
    struct rt_buf list;
    rt_buf_init(&list, 4 * RT_KIB);
    for (size_t i = 0; i < f->ids.n; i++)
        rt_buf_addf(&list, "%s%s", i ? ", " : "", f->ids.v[i]);
    rt_error_set(err, RT_E_USAGE, "%zu things begin with \"%s\": %s%s", f->n, text,
                 rt_buf_str(&list), f->n > f->ids.n ? ", ..." : "");
    rt_buf_deinit(&list);
    return rt_error_hint(err, "write more of the id");
}

static bool found(enum rt_why_kind kind, const char *row, enum rt_why_kind *k, const char **id,
                  struct rt_error *err) {
    *k = kind;
    *id = row;
    rt_error_clear(err);
    return true;
}

/* What has this very id or name goes before what begins with it. */
bool rt_why_find(const struct rt_cluster *c, const char *text, enum rt_why_kind *k, const char **id,
                 struct rt_error *err) {
    struct finding f = {0};
    if (rt_store_job(c, text))
        return found(RT_WHY_JOB, rt_store_job(c, text)->id, k, id, err);
    if (rt_store_pool(c, text))
        return found(RT_WHY_POOL, rt_store_pool(c, text)->name, k, id, err);
    look_at_rows(&f, c, text);
    const struct rt_job *j = f.whole ? NULL : rt_find_job(c, text, err);
    const struct rt_node *n =
        f.whole || j || err->code == RT_E_USAGE ? NULL : rt_find_node(c, text, err);
    const bool several = !f.whole && !j && !n && err->code == RT_E_USAGE; /* told by them */
    if (f.whole || (!j && !n && f.n == 1 && !several))
        found(f.kind, f.id, k, id, err);
    else if (j || n)
        found(j ? RT_WHY_JOB : RT_WHY_NODE, j ? j->id : n->id, k, id, err);
    else if (!several && !f.n && rt_streq(c->name, text))
        found(RT_WHY_CLUSTER, c->name, k, id, err);
    else if (!several && f.n)
        ambiguous(&f, text, err);
    else if (!several)
        rt_error_set(err, RT_E_NOT_FOUND,
                     "%s: no job, actor, task, placement group, node or pool %s", c->name, text);
    rt_strs_deinit(&f.ids);
    return err->code == RT_OK;
}
