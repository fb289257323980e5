/* Reads the text of `ray status`: the one form in which every Ray tells of its autoscaler. Sections
 * are found by their headers; lines that are not understood pass. */
#include "ray/private.h"

#include <ctype.h>
#include <string.h>

enum section { S_NONE, S_ACTIVE, S_PENDING, S_FAILURES, S_DEMANDS };

struct pool {
    struct rt_pool pool;
    struct rt_strs why;
};

struct demand {
    struct rt_arena *arena;
    RT_VEC(struct rt_demand) v;
};

struct parser {
    struct rt_arena *pool_arena;
    RT_VEC(struct pool) pools;
    struct demand demands, failures;
    bool idle_section; /* only the second autoscaler writes it */
};

/* One line without its end and its leading blanks. */
struct line {
    const char *s;
    size_t n;
};

static bool is(struct line l, const char *text) {
    return l.n == strlen(text) && memcmp(l.s, text, l.n) == 0;
}

static const char *find(struct line l, const char *text) {
    const size_t n = strlen(text);
    for (size_t i = 0; n <= l.n && i <= l.n - n; i++)
        if (memcmp(l.s + i, text, n) == 0)
            return l.s + i;
    return NULL;
}

static const char *find_last(struct line l, const char *text) {
    const size_t n = strlen(text);
    for (size_t i = l.n >= n ? l.n - n + 1 : 0; i > 0; i--)
        if (memcmp(l.s + i - 1, text, n) == 0)
            return l.s + i - 1;
    return NULL;
}

static struct line from(struct line l, const char *at) {
    return (struct line){at, l.n - (size_t)(at - l.s)};
}

static struct line until(struct line l, const char *at) {
    return (struct line){l.s, (size_t)(at - l.s)};
}

/* Leading digits; false when there are none. */
static bool number(struct line *l, int64_t *out) {
    int64_t v = 0;
    size_t i = 0;
    for (; i < l->n && i < 15 && isdigit((unsigned char)l->s[i]); i++)
        v = v * 10 + (l->s[i] - '0');
    if (i == 0)
        return false;
    *out = v;
    *l = from(*l, l->s + i);
    return true;
}

/* A node without a kind is its own entry, "node_<id>": that is no pool. */
static bool is_single_node(struct line name) {
    if (name.n < 37 || memcmp(name.s, "node_", 5) != 0)
        return false;
    for (size_t i = 5; i < name.n; i++)
        if (!isxdigit((unsigned char)name.s[i]))
            return false;
    return true;
}

static bool names_a_head(const char *name) {
    return rt_streq(name, "ray.head.default") || rt_streq(name, "head") ||
           rt_streq(name, "headgroup") || rt_streq(name, "head-group") ||
           rt_streq(name, "head_node");
}

static struct pool *pool_named(struct parser *p, struct line name) {
    if (name.n == 0 || is_single_node(name))
        return NULL;
    for (size_t i = 0; i < p->pools.n; i++)
        if (is(name, p->pools.v[i].pool.name))
            return &p->pools.v[i];
    struct pool *e = rt_vec_push(&p->pools);
    e->pool.name = rt_arena_strndup(p->pool_arena, name.s, name.n);
    e->pool.kind = "node type";
    e->pool.min = e->pool.max = -1;
    e->pool.head = names_a_head(e->pool.name);
    return e;
}

static void because(struct pool *e, struct line why) {
    char *text = rt_strndup(why.s, why.n);
    if (*text && !rt_strs_has(&e->why, text) && e->why.n < 4)
        rt_strs_add(&e->why, text);
    free(text);
}

/* "2 cpu_pool" */
static void read_active(struct parser *p, struct line l) {
    int64_t n = 0;
    if (!number(&l, &n) || l.n < 2 || l.s[0] != ' ')
        return;
    struct pool *e = pool_named(p, from(l, l.s + 1));
    if (e)
        e->pool.ready += n;
}

/* "gpu_pool, 1 launching", or "ID: gpu_pool, uninitialized" */
static void read_pending(struct parser *p, struct line l) {
    const char *colon = find(l, ": ");
    struct line rest = colon ? from(l, colon + 2) : l;
    const char *comma = find(rest, ", ");
    if (!comma && rest.n > 0 && rest.s[rest.n - 1] == ',') /* the state is empty now and then */
        comma = rest.s + rest.n - 1;
    if (!comma)
        return;
    struct pool *e = pool_named(p, until(rest, comma));
    if (!e)
        return;
    struct line state = from(rest, comma + 1);
    while (state.n > 0 && state.s[0] == ' ')
        state = from(state, state.s + 1);
    const struct line phrase = state;
    int64_t n = 1;
    if (!colon)
        number(&state, &n);
    e->pool.pending += n;
    because(e, phrase);
}

static void add_demand(struct demand *d, struct line text, const char *kind, int64_t count) {
    struct rt_demand *x = rt_vec_push(&d->v);
    x->text = rt_arena_strndup(d->arena, text.s, text.n);
    x->kind = rt_arena_strdup(d->arena, kind);
    x->count = count;
}

/* "cpu_pool: NodeTerminated (ip: 10.0.0.3)" */
static void read_failure(struct parser *p, struct line l) {
    const char *colon = find(l, ": ");
    struct pool *e = colon ? pool_named(p, until(l, colon)) : NULL;
    if (e) {
        e->pool.failed++;
        because(e, from(l, colon + 2));
    }
    add_demand(&p->failures, l, e ? e->pool.name : "node", 1);
}

static const char *kind_of(struct line l) {
    if (find(l, "placement group") == l.s)
        return "placement groups";
    if (find(l, "from request_resources") == l.s)
        return "request_resources";
    return "tasks/actors";
}

/* "{'CPU': 1.0}: 5+ pending tasks/actors": the bundle itself is full of colons, the last one ends
 * it. */
static void read_demand(struct parser *p, struct line l) {
    const char *colon = find_last(l, "}: ");
    colon = colon ? colon + 1 : find_last(l, "): ") ? find_last(l, "): ") + 1 : NULL;
    if (!colon)
        return;
    struct line rest = from(l, colon + 2);
    int64_t n = 0;
    if (!number(&rest, &n))
        return;
    while (rest.n > 0 && (rest.s[0] == '+' || rest.s[0] == ' '))
        rest = from(rest, rest.s + 1);
    if (find(rest, "pending ") == rest.s)
        rest = from(rest, rest.s + strlen("pending "));
    add_demand(&p->demands, until(l, colon), kind_of(rest), n);
}

/* ---- lines and sections ---- */

static enum section section_of(struct parser *p, struct line l) {
    if (is(l, "Idle:"))
        p->idle_section = true;
    if (is(l, "Active:") || is(l, "Idle:"))
        return S_ACTIVE;
    if (is(l, "Pending:"))
        return S_PENDING;
    if (is(l, "Recent failures:"))
        return S_FAILURES;
    if (is(l, "From request_resources:") || is(l, "Pending Demands:") || is(l, "Demands:"))
        return S_DEMANDS;
    return S_NONE;
}

static void read_entry(struct parser *p, enum section s, struct line l) {
    switch (s) {
    case S_ACTIVE:
        read_active(p, l);
        break;
    case S_PENDING:
        read_pending(p, l);
        break;
    case S_FAILURES:
        read_failure(p, l);
        break;
    case S_DEMANDS:
        read_demand(p, l);
        break;
    case S_NONE:
        break;
    }
}

static void read_lines(struct parser *p, const char *text, size_t n) {
    enum section s = S_NONE;
    while (n > 0) {
        const char *end = memchr(text, '\n', n);
        const size_t len = end ? (size_t)(end - text) : n, step = end ? len + 1 : len;
        struct line l = {text, len};
        while (l.n > 0 && isspace((unsigned char)l.s[l.n - 1]))
            l.n--;
        const bool entry = l.n > 0 && l.s[0] == ' ';
        while (l.n > 0 && l.s[0] == ' ')
            l = from(l, l.s + 1);
        if (!entry && l.n > 0)
            s = section_of(p, l);
        else if (entry && l.n > 0 && l.s[0] != '(') /* "(no pending nodes)" */
            read_entry(p, s, l);
        text += step;
        n -= step;
    }
}

/* ---- result ---- */

static void take_pools(struct parser *p, rt_pools *out) {
    out->arena = p->pool_arena;
    out->v = p->pools.n > 0 ? rt_arena_alloc(out->arena, p->pools.n * sizeof(*out->v)) : NULL;
    for (size_t i = 0; i < p->pools.n; i++) {
        struct pool *e = &p->pools.v[i];
        struct rt_buf why;
        rt_buf_init(&why, 4096);
        for (size_t k = 0; k < e->why.n; k++)
            rt_buf_addf(&why, "%s%s", k > 0 ? ", " : "", e->why.v[k]);
        e->pool.desired = e->pool.ready + e->pool.pending;
        e->pool.why = why.len > 0 ? rt_arena_strdup(out->arena, rt_buf_str(&why)) : NULL;
        out->v[out->n++] = e->pool;
        rt_buf_deinit(&why);
        rt_strs_deinit(&e->why);
    }
    out->total = out->n;
    rt_vec_deinit(&p->pools);
}

static void take_demands(struct demand *d, rt_demands *out) {
    out->arena = d->arena;
    out->n = out->total = d->v.n;
    out->v = rt_batch_array(d->arena, d->v.v, d->v.n, sizeof(*d->v.v));
    d->v.v = NULL;
}

bool rt_ray_status_parse(const char *text, size_t n, struct rt_ray_status *out,
                         struct rt_error *err) {
    *out = (struct rt_ray_status){0};
    const struct line all = {text, n};
    const bool not_yet = find(all, "No cluster status") != NULL;
    if (!not_yet && !find(all, "Autoscaler status:") && !find(all, "Node status"))
        return rt_error_set(err, RT_E_PROTOCOL, "the cluster status has an unknown form");
    struct parser p = {.pool_arena = rt_arena_create(),
                       .demands.arena = rt_arena_create(),
                       .failures.arena = rt_arena_create()};
    read_lines(&p, text, n);
    take_pools(&p, &out->pools);
    take_demands(&p.demands, &out->demands);
    take_demands(&p.failures, &out->failures);
    out->autoscaler_v2 = p.idle_section;
    out->autoscaler = p.idle_section || out->pools.n > 0;
    return true;
}

void rt_ray_status_deinit(struct rt_ray_status *s) {
    rt_batch_deinit(&s->pools);
    rt_batch_deinit(&s->demands);
    rt_batch_deinit(&s->failures);
    free(s->error);
    *s = (struct rt_ray_status){0};
}
