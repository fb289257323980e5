/* What is asked for on one node, against what nodes have and have free. */
#include "core/why_impl.h"

#define NODES_LISTED 6
#define EPSILON 1e-6 /* Ray counts in ten-thousandths */

/* ---- one node ---- */

static bool known(const struct rt_node *n) {
    return n->amounts.n > 0;
}

/* Ray gives each node a resource of its own address, which lists leave out: that address, or NULL. */
static const char *place_of(const char *name) {
    return strncmp(name, "node:", 5) == 0 ? name + 5 : NULL;
}

static double total_of(const struct rt_node *n, const char *name) {
    const char *place = place_of(name);
    if (place)
        return rt_streq(place, n->ip) || (n->head && rt_streq(place, "__internal_head__")) ? 1 : 0;
    const struct rt_amount *a = rt_amounts_get(&n->amounts, name);
    return a ? a->total : 0;
}

/* < 0: not known. */
static double free_of(const struct rt_node *n, const char *name) {
    if (place_of(name))
        return total_of(n, name);
    const struct rt_amount *a = rt_amounts_get(&n->amounts, name);
    if (!a)
        return 0;
    return a->used < 0 || a->total < 0 ? -1 : RT_MAX(a->total - a->used - rt_amounts_reserved(&n->amounts, a), 0.0);
}

/* "in(a,b)" as a list of words. */
static bool in_list(const char *list, const char *value) {
    const size_t n = value ? strlen(value) : 0;
    for (const char *s = list; *s && *s != ')';) {
        s += strspn(s, ", ");
        const size_t len = strcspn(s, ",) ");
        if (len && len == n && memcmp(s, value, n) == 0)
            return true;
        s += len;
    }
    return false;
}

static bool label_fits(const char *wanted, const char *value) {
    const bool negated = *wanted == '!';
    wanted += negated;
    const bool same =
        rt_starts(wanted, "in(") ? in_list(wanted + 3, value) : rt_streq(wanted, value);
    return same != negated;
}

static bool labels_fit(const struct rt_node *n, const struct need *need) {
    for (size_t i = 0; i < need->labels.n; i++)
        if (!label_fits(need->labels.v[i].value ? need->labels.v[i].value : "",
                        rt_kvs_get(&n->labels, need->labels.v[i].key)))
            return false;
    return true;
}

static bool total_fits(const struct rt_node *n, const struct need *need) {
    for (size_t i = 0; i < need->res.n; i++)
        if (total_of(n, need->res.v[i].name) + EPSILON < need->res.v[i].amount)
            return false;
    return labels_fit(n, need);
}

static bool free_fits(const struct rt_node *n, const struct need *need) {
    for (size_t i = 0; i < need->res.n; i++)
        if (free_of(n, need->res.v[i].name) + EPSILON < need->res.v[i].amount)
            return false;
    return total_fits(n, need);
}

/* ---- many ---- */

struct tally {
    size_t nodes, unknown, now, later, labelled;
    double largest, freest; /* of the resource that is shortest */
};

static struct tally tally(const struct rt_cluster *c, const char *pool, const struct need *need,
                          const char *shortest) {
    struct tally t = {.freest = -1};
    for (size_t i = 0; i < c->nodes.n; i++) {
        const struct rt_node *n = &c->nodes.v[i];
        if (!n->alive || (pool && !rt_streq(n->pool, pool)))
            continue;
        t.nodes++;
        t.unknown += !known(n);
        t.labelled += labels_fit(n, need);
        t.now += free_fits(n, need);
        t.later += total_fits(n, need);
        if (shortest) {
            t.largest = RT_MAX(t.largest, total_of(n, shortest));
            if (total_fits(n, need))
                t.freest = RT_MAX(t.freest, free_of(n, shortest));
        }
    }
    return t;
}

/* The resource of which the best node has least of what is asked; NULL: labels alone, or all there
 * singly. */
static const char *shortest_of(const struct rt_cluster *c, const struct need *need, bool of_free) {
    const char *name = NULL;
    double worst = 1 - EPSILON;
    for (size_t r = 0; r < need->res.n; r++) {
        const double want = need->res.v[r].amount;
        double best = 0;
        for (size_t i = 0; i < c->nodes.n; i++) {
            const struct rt_node *n = &c->nodes.v[i];
            if (n->alive && (!of_free || total_fits(n, need)))
                best = RT_MAX(best, of_free ? free_of(n, need->res.v[r].name)
                                            : total_of(n, need->res.v[r].name));
        }
        if (want > 0 && best / want < worst) {
            worst = best / want;
            name = need->res.v[r].name;
        }
    }
    return name;
}

enum room why_room(const struct why *w, const struct need *need) {
    const struct tally t = tally(w->c, NULL, need, NULL);
    if (!why_known(w, RT_T_NODES) || (!t.later && t.unknown))
        return ROOM_UNKNOWN;
    return t.now ? ROOM_NOW : t.later ? ROOM_LATER : ROOM_NEVER;
}

/* Of a pool without nodes only what its provider says of each is known. */
static enum room unseen_room(const struct rt_pool *p, const struct need *need) {
    if (!p->per_node.n)
        return ROOM_UNKNOWN;
    for (size_t i = 0; i < need->res.n; i++) {
        const struct rt_amount *a = rt_amounts_get(&p->per_node, need->res.v[i].name);
        if ((a ? a->total : 0) + EPSILON < need->res.v[i].amount)
            return ROOM_NEVER;
    }
    return need->labels.n ? ROOM_UNKNOWN : ROOM_LATER;
}

enum room why_pool_room(const struct why *w, const struct rt_pool *p, const struct need *need) {
    const struct tally t = tally(w->c, p->name, need, NULL);
    if (t.later)
        return ROOM_LATER;
    if (t.nodes)
        return t.unknown ? ROOM_UNKNOWN : ROOM_NEVER;
    return unseen_room(p, need);
}

/* ---- rows ---- */

static void add_free(struct rt_buf *out, struct why *w, const char *pool, const char *name) {
    double low = -1, high = -1;
    size_t n = 0, unknown = 0;
    struct rt_buf list;
    rt_buf_init(&list, 4 * RT_KIB);
    for (size_t i = 0; i < w->c->nodes.n; i++) {
        const struct rt_node *node = &w->c->nodes.v[i];
        char text[32];
        if (!node->alive || !rt_streq(node->pool, pool))
            continue;
        const double f = free_of(node, name);
        unknown += f < 0;
        low = n && low < f ? low : f;
        high = RT_MAX(high, f);
        const bool bytes = rt_streq(name, "memory") || rt_streq(name, "object_store_memory");
        if (n++ < NODES_LISTED)
            rt_buf_addf(&list, "%s%s", n > 1 ? ", " : "",
                        f < 0   ? "?"
                        : bytes ? rt_fmt_bytes(text, sizeof(text), f)
                                : rt_fmt_amount(text, sizeof(text), f));
    }
    rt_buf_addf(out, "%s%s ", out->len ? "; " : "", why_clean(w, name));
    if (n <= NODES_LISTED)
        rt_buf_adds(out, rt_buf_str(&list));
    else if (unknown)
        rt_buf_adds(out, "not known of all");
    else if (high - low < EPSILON)
        rt_buf_addf(out, "%.4g each", low);
    else
        rt_buf_addf(out, "%.4g to %.4g", low, high);
    rt_buf_deinit(&list);
}

static const char *free_text(struct why *w, const char *pool, const struct need *need,
                             size_t nodes) {
    struct rt_buf b, all;
    if (!nodes)
        return "no node";
    rt_buf_init(&b, 16 * RT_KIB);
    rt_buf_init(&all, 16 * RT_KIB);
    for (size_t i = 0; i < need->res.n; i++)
        add_free(&b, w, pool, need->res.v[i].name);
    rt_buf_addf(&all, "%zu node%s%s%s", nodes, nodes == 1 ? "" : "s", b.len ? ": " : "",
                rt_buf_str(&b));
    const char *out = rt_arena_strdup(w->arena, rt_buf_str(&all));
    rt_buf_deinit(&b);
    rt_buf_deinit(&all);
    return out;
}

static const char *type_text(struct why *w, const char *pool, const struct rt_pool *p,
                             const struct need *need) {
    const struct rt_node *first = NULL;
    struct rt_buf b;
    for (size_t i = 0; i < w->c->nodes.n && !first; i++)
        if (w->c->nodes.v[i].alive && rt_streq(w->c->nodes.v[i].pool, pool))
            first = &w->c->nodes.v[i];
    if (first && first->instance_type && *first->instance_type)
        return why_clean(w, first->instance_type);
    rt_buf_init(&b, 4 * RT_KIB);
    for (size_t i = 0; i < need->res.n; i++) {
        const char *name = need->res.v[i].name;
        const struct rt_amount *a = !first && p ? rt_amounts_get(&p->per_node, name) : NULL;
        const double v = first ? total_of(first, name) : a ? a->total : 0;
        if (v > 0)
            rt_buf_addf(&b, "%s%s", b.len ? ", " : "", why_amount(w, name, v));
    }
    if (!b.len && first && total_of(first, "CPU") > 0) /* nothing of what is asked for: what it is then */
        rt_buf_adds(&b, why_amount(w, "CPU", total_of(first, "CPU")));
    const char *out = rt_arena_strdup(w->arena, b.len ? rt_buf_str(&b) : "-");
    rt_buf_deinit(&b);
    return out;
}

/* "; the pool is at 3 of max 8, 1 on its way" */
static const char *growth_text(struct why *w, const struct rt_pool *p) {
    struct rt_buf b;
    rt_buf_init(&b, 4 * RT_KIB);
    if (p && p->max >= 0 && !p->head && p->ready >= p->max)
        rt_buf_addf(&b, "; the pool is at its max of %lld", (long long)p->max);
    else if (p && p->max >= 0 && !p->head && p->ready >= 0)
        rt_buf_addf(&b, "; the pool is at %lld of max %lld", (long long)p->ready,
                    (long long)p->max);
    if (p && p->pending > 0)
        rt_buf_addf(&b, "; %lld more on the way", (long long)p->pending);
    const char *out = rt_arena_strdup(w->arena, rt_buf_str(&b));
    rt_buf_deinit(&b);
    return out;
}

static const char *lacking(struct why *w, const char *pool, const struct need *need,
                           const struct tally *t) {
    if (!t->labelled && need->labels.n)
        return rt_arena_strf(w->arena, "no node of it has the label %s=%s",
                             why_clean(w, need->labels.v[0].key),
                             why_clean(w, need->labels.v[0].value));
    for (size_t i = 0; i < need->res.n; i++) {
        const char *name = need->res.v[i].name;
        const struct tally r = tally(w->c, pool, need, name);
        if (r.largest <= 0)
            return rt_arena_strf(w->arena, "no %s", why_clean(w, name));
        if (r.largest + EPSILON < need->res.v[i].amount)
            return rt_arena_strf(w->arena, "a node of it has %s", why_amount(w, name, r.largest));
    }
    return "no node of it has all of it together";
}

static void add_row(struct why *w, const char *pool, const struct rt_pool *p,
                    const struct need *need) {
    const struct tally t = tally(w->c, pool, need, NULL);
    const char *growth = growth_text(w, p);
    const enum room unseen = p && !t.nodes ? unseen_room(p, need) : ROOM_UNKNOWN;
    struct rt_why_pool *r = rt_vec_push(&w->pools);
    r->name = why_clean(w, pool);
    r->type = type_text(w, pool, p, need);
    r->free = free_text(w, pool, need, t.nodes);
    if (t.now) {
        r->health = RT_H_OK;
        r->ever = rt_arena_strf(w->arena, "yes, now: %zu node%s room", t.now,
                                t.now == 1 ? " has" : "s have");
    } else if (t.later || unseen == ROOM_LATER) {
        r->health = RT_H_WAITING;
        r->ever = rt_arena_strf(w->arena, "%s%s",
                                t.later ? "yes, when enough is free on one" : "yes, on a new node",
                                growth);
    } else if (t.nodes && !t.unknown) {
        r->health = RT_H_BAD;
        r->ever = rt_arena_strf(w->arena, "never: %s", lacking(w, pool, need, &t));
    } else if (unseen == ROOM_NEVER) {
        r->health = RT_H_BAD;
        r->ever = "never: a node of it has less";
    } else {
        r->ever = rt_arena_strf(w->arena, "not known: %s%s",
                                t.nodes ? "its nodes do not tell what they have"
                                        : "no node of it was seen yet",
                                growth);
    }
}

static bool listed(const struct why *w, const char *pool, size_t before) {
    for (size_t i = before; i < w->pools.n; i++)
        if (rt_streq(w->pools.v[i].name, pool))
            return true;
    return false;
}

static void add_rows(struct why *w, const struct need *need) {
    const struct rt_cluster *c = w->c;
    const size_t before = w->pools.n;
    for (size_t i = 0; i < c->pools.n; i++)
        if (c->pools.v[i].name)
            add_row(w, c->pools.v[i].name, &c->pools.v[i], need);
    for (size_t i = 0; i < c->nodes.n; i++) {
        const struct rt_node *n = &c->nodes.v[i];
        if (n->alive && n->pool && !rt_store_pool(c, n->pool) && !listed(w, n->pool, before))
            add_row(w, n->pool, NULL, need);
    }
}

/* ---- the verdict ---- */

/* Is there a kind of node of which it is not known what it has? */
static bool unseen_kinds(const struct why *w, const struct need *need) {
    for (size_t i = 0; i < w->c->pools.n; i++)
        if (why_pool_room(w, &w->c->pools.v[i], need) == ROOM_UNKNOWN)
            return true;
    return false;
}

static void say_never(struct why *w, const char *subject, const struct need *need) {
    const char *name = shortest_of(w->c, need, false), *all = why_needs(w, need);
    const struct tally t = tally(w->c, NULL, need, name);
    const char *what = name ? why_amount(w, name, rt_resources_get(&need->res, name, 0)) : all;
    if (!name && need->labels.n && !t.labelled) {
        w->summary = rt_arena_strf(w->arena, "%s asks for %s; no node has %s.", subject, all,
                                   need->labels.n > 1 ? "these labels" : "that label");
        w->brief = rt_arena_strf(w->arena, "needs label %s=%s: no node has it",
                                 why_clean(w, need->labels.v[0].key),
                                 why_clean(w, need->labels.v[0].value));
    } else if (!name) {
        w->summary = rt_arena_strf(
            w->arena, "%s asks for %s on one node; no node has all of it together.", subject, all);
        w->brief = rt_arena_strf(w->arena, "needs %s: no node has all of it", all);
    } else if (t.largest <= 0) {
        w->summary = rt_arena_strf(w->arena, "%s asks for %s on one node; no node has any %s.",
                                   subject, all, why_clean(w, name));
        w->brief = rt_arena_strf(w->arena, "needs %s: no node has any", what);
    } else {
        const char *largest = why_amount(w, name, t.largest);
        w->summary = rt_arena_strf(w->arena, "%s asks for %s on one node; the largest node has %s.",
                                   subject, all, largest);
        w->brief = rt_arena_strf(w->arena, "needs %s: largest node has %.*s", what,
                                 (int)strcspn(largest, " "), largest);
    }
    if (!w->brief_only && unseen_kinds(w, need))
        why_line(
            w, RT_T_POOLS,
            "some kinds of node were not seen yet: whether one of them could hold it is not known");
}

static void say_later(struct why *w, const char *subject, const struct need *need) {
    const char *name = shortest_of(w->c, need, true), *all = why_needs(w, need);
    const struct tally t = tally(w->c, NULL, need, name);
    const char *what = name ? why_amount(w, name, rt_resources_get(&need->res, name, 0)) : all;
    if (!name || t.freest < 0) {
        w->summary = rt_arena_strf(
            w->arena, "%s asks for %s on one node; no node has all of it free.", subject, all);
        w->brief = rt_arena_strf(w->arena, "needs %s: not free on one node", all);
        return;
    }
    const char *freest = why_amount(w, name, t.freest);
    w->summary = rt_arena_strf(
        w->arena, "%s asks for %s on one node; at most %s is free on one that could hold it.",
        subject, all, freest);
    w->brief = rt_arena_strf(w->arena, "needs %s: %.*s free at most", what,
                             (int)strcspn(freest, " "), freest);
}

/* More of the first pool that could hold it is the way out, where pools can be scaled by hand. */
static void offer_growth(struct why *w, const struct need *need) {
    for (size_t i = 0; i < w->c->pools.n && !w->action.key; i++) {
        const struct rt_pool *p = &w->c->pools.v[i];
        const bool grows =
            p->scalable && !p->head && (p->max < 0 || RT_MAX(p->desired, p->ready) < p->max);
        if (!grows || !(w->c->caps & RT_CAP_SCALE) || why_pool_room(w, p, need) != ROOM_LATER)
            continue;
        w->action.key = "+";
        w->action.pool = rt_arena_strdup(w->arena, p->name);
        w->action.text = rt_arena_strf(w->arena, "one %s node more", why_clean(w, p->name));
    }
}

enum room why_fit(struct why *w, const char *subject, const struct need *need) {
    if (!need->res.n && !need->labels.n) {
        w->summary = rt_arena_strf(w->arena, "%s asks for no resources of its own.", subject);
        return why_room(w, need);
    }
    const enum room room = why_room(w, need);
    const char *all = why_needs(w, need);
    if (room == ROOM_UNKNOWN) {
        w->summary =
            rt_arena_strf(w->arena, "%s asks for %s; what nodes have is not known.", subject, all);
        w->brief = rt_arena_strf(w->arena, "needs %s", all);
        why_missing(w, RT_T_NODES, "nodes");
    } else if (room == ROOM_NOW) {
        w->summary =
            rt_arena_strf(w->arena, "%s asks for %s; a node has room for it now.", subject, all);
        w->brief = rt_arena_strf(w->arena, "needs %s: there is room", all);
    } else if (room == ROOM_LATER) {
        say_later(w, subject, need);
    } else {
        say_never(w, subject, need);
    }
    if (why_known(w, RT_T_NODES) && !w->brief_only)
        add_rows(w, need);
    if (room != ROOM_NOW && !w->brief_only)
        offer_growth(w, need);
    return room;
}
