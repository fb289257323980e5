/* What the autoscaler says and does: its list of demand, launches, failures, events. */
#include "core/why_impl.h"

#include "core/rows.h"
#include <math.h>
#include <stdlib.h>

/* ---- demand as text: {'CPU': 40.0} * 2, {'GPU': 1.0} * 1 (PACK) ---- */

static const char *skip_blank(const char *s) {
    return s + strspn(s, " \t");
}

/* 'name': 1.0 at s; gives what follows, NULL when it is no such thing. */
static const char *read_amount(struct why *w, const char *s, struct rt_resource *out) {
    const char quote = *s;
    if (quote != '\'' && quote != '"')
        return NULL;
    const char *end = strchr(s + 1, quote);
    if (!end || end[1] != ':')
        return NULL;
    char number[48];
    const char *at = skip_blank(end + 2);
    const size_t n = strspn(at, "0123456789.eE+-");
    if (!n || n >= sizeof(number))
        return NULL;
    memcpy(number, at, n);
    number[n] = '\0';
    out->name = rt_arena_strndup(w->arena, s + 1, (size_t)(end - s - 1));
    return rt_parse_f64(number, &out->amount) ? skip_blank(at + n) : NULL;
}

struct amounts {
    RT_VEC(struct rt_resource) v;
};

static struct rt_resources keep(struct why *w, struct amounts *a) {
    struct rt_resources out = {.n = a->v.n};
    out.v = rt_arena_alloc(w->arena, (a->v.n + 1) * sizeof(*out.v));
    if (a->v.n)
        memcpy(out.v, a->v.v, a->v.n * sizeof(*out.v));
    rt_vec_deinit(&a->v);
    rt_resources_sort(&out);
    return out;
}

/* {...}, at its brace; gives what follows. */
static const char *read_bundle(struct why *w, const char *s, struct bundle *out) {
    struct amounts a = {0};
    bool ok = true;
    s = skip_blank(s + 1);
    while (ok && *s && *s != '}') {
        struct rt_resource r = {0};
        const char *next = read_amount(w, s, &r);
        ok = next != NULL;
        if (ok) {
            *rt_vec_push(&a.v) = r;
            s = *next == ',' ? skip_blank(next + 1) : next;
        }
    }
    out->need.res = keep(w, &a);
    out->count = 1;
    if (!ok || *s != '}')
        return NULL;
    s = skip_blank(s + 1);
    if (*s != '*')
        return s;
    s = skip_blank(s + 1);
    out->count = strtoll(s, NULL, 10);
    return skip_blank(s + strspn(s, "0123456789"));
}

struct gather {
    RT_VEC(struct bundle) v;
};

static struct bundles keep_bundles(struct why *w, struct gather *g) {
    struct bundles out = {.n = g->v.n};
    out.v = rt_arena_alloc(w->arena, (g->v.n + 1) * sizeof(*out.v));
    if (g->v.n)
        memcpy(out.v, g->v.v, g->v.n * sizeof(*out.v));
    rt_vec_deinit(&g->v);
    return out;
}

struct bundles why_parse_demand(struct why *w, const char *text) {
    struct gather g = {0};
    const char *s = skip_blank(text);
    while (s && *s == '{') {
        struct bundle b = {0};
        s = read_bundle(w, s, &b);
        if (s)
            *rt_vec_push(&g.v) = b;
        if (s && *s == ',')
            s = skip_blank(s + 1);
    }
    struct bundles out = keep_bundles(w, &g);
    if (s && *s == '(') {
        const size_t n = RT_MIN(strcspn(s + 1, ")"), sizeof(out.strategy) - 1);
        memcpy(out.strategy, s + 1, n);
    }
    return out;
}

/* ---- bundles of a placement group ---- */

static struct rt_resources resources_of(struct why *w, const json_t *o) {
    struct amounts a = {0};
    const char *key;
    json_t *v;
    json_object_foreach((json_t *)(uintptr_t)o, key, v) {
        struct rt_resource *r = rt_vec_push(&a.v);
        r->name = rt_arena_strdup(w->arena, key);
        r->amount = json_number_value(v);
    }
    return keep(w, &a);
}

static struct rt_kvs labels_of(struct why *w, const json_t *o) {
    struct rt_kvs out = {0};
    const char *key;
    json_t *v;
    out.v = rt_arena_alloc(w->arena, (json_object_size(o) + 1) * sizeof(*out.v));
    json_object_foreach((json_t *)(uintptr_t)o, key, v) {
        out.v[out.n].key = rt_arena_strdup(w->arena, key);
        out.v[out.n++].value = rt_arena_strdup(w->arena, json_string_value(v));
    }
    return out;
}

struct bundles why_parse_bundles(struct why *w, const char *text) {
    json_t *all = text ? json_loads(text, 0, NULL) : NULL;
    const size_t n = json_array_size(all);
    struct gather g = {0};
    const json_t *last = NULL;
    for (size_t i = 0; i < n; i++) {
        const json_t *b = json_array_get(all, i), *res = json_object_get(b, "unit_resources");
        const json_t *labels = json_object_get(b, "label_selector");
        if (last && json_equal(res, json_object_get(last, "unit_resources")) &&
            (!labels || json_equal(labels, json_object_get(last, "label_selector")))) {
            g.v.v[g.v.n - 1].count++;
            continue;
        }
        *rt_vec_push(&g.v) = (struct bundle){
            .need = {.res = resources_of(w, res), .labels = labels_of(w, labels)}, .count = 1};
        last = b;
    }
    struct bundles out = keep_bundles(w, &g);
    json_decref(all);
    return out;
}

struct bundles why_one(struct why *w, const struct need *need) {
    struct bundles out = {.n = 1};
    out.v = rt_arena_alloc(w->arena, sizeof(*out.v));
    out.v[0] = (struct bundle){.need = *need, .count = 1};
    return out;
}

/* ---- is it on the list? ---- */

bool why_same_resources(const struct rt_resources *a, const struct rt_resources *b) {
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++) {
        const double other = rt_resources_get(b, a->v[i].name, -1);
        if (fabs(other - a->v[i].amount) > 1e-3)
            return false;
    }
    return true;
}

static bool same_bundles(const struct bundles *a, const struct bundles *b) {
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (a->v[i].count != b->v[i].count || !why_same_resources(&a->v[i].need.res, &b->v[i].need.res))
            return false;
    return true;
}

static const struct rt_demand *on_list(struct why *w, const struct bundles *b) {
    for (size_t i = 0; i < w->c->demands.n; i++) {
        const struct rt_demand *d = &w->c->demands.v[i];
        if (!d->text || rt_streq(d->kind, "request_resources"))
            continue;
        const struct bundles of = why_parse_demand(w, d->text);
        if (same_bundles(&of, b))
            return d;
    }
    return NULL;
}

const char *why_strategy(struct why *w, const struct bundles *b) {
    const struct rt_demand *d = on_list(w, b);
    const struct bundles of = d ? why_parse_demand(w, d->text) : (struct bundles){0};
    return rt_arena_strdup(w->arena, of.strategy);
}

/* ---- what happens to it ---- */

static bool could_hold(struct why *w, const struct rt_pool *p, const struct bundles *b) {
    for (size_t i = 0; i < b->n; i++)
        if (why_pool_room(w, p, &b->v[i].need) != ROOM_NEVER)
            return true;
    return false;
}

/* The same failure of many nodes differs in their ids, which stand in parentheses at the end. */
static size_t failure_stem(const char *text) {
    const char *paren = strstr(text, " (");
    return paren ? (size_t)(paren - text) : strlen(text);
}

static void say_failures(struct why *w, const struct bundles *b) {
    const rt_demands *f = &w->c->failures;
    for (size_t i = 0; i < f->n; i++) {
        const char *text = f->v[i].text;
        const size_t stem = failure_stem(text);
        size_t same = 0;
        bool seen = false;
        for (size_t k = 0; k < f->n; k++) {
            const bool equal =
                failure_stem(f->v[k].text) == stem && strncmp(f->v[k].text, text, stem) == 0;
            seen = seen || (equal && k < i);
            same += equal;
        }
        const struct rt_pool *p = rt_store_pool(w->c, f->v[i].kind);
        if (seen || (p && b && !could_hold(w, p, b)))
            continue;
        const char *shown = same > 1 ? rt_arena_strndup(w->arena, text, stem) : text;
        if (same > 1)
            why_line(w, RT_T_DEMAND, "failed lately, %zu times: %s", same, why_clean(w, shown));
        else
            why_line(w, RT_T_DEMAND, "failed lately: %s", why_clean(w, shown));
    }
}

static void say_launches(struct why *w, const struct bundles *b) {
    for (size_t i = 0; i < w->c->pools.n; i++) {
        const struct rt_pool *p = &w->c->pools.v[i];
        if (p->pending > 0 && could_hold(w, p, b))
            why_line(w, RT_T_POOLS, "%s: %lld node%s on the way%s%s", why_clean(w, p->name),
                     (long long)p->pending, p->pending == 1 ? " is" : "s are", p->why ? ": " : "",
                     why_clean(w, p->why));
    }
}

static bool event_matters(struct why *w, const char *message, const struct rt_demand *d,
                          const struct bundles *b) {
    static const char adding[] = " node(s) of type ";
    if (strstr(message, "No available node types can fulfill"))
        return d && strstr(message, d->text);
    const char *kind = strstr(message, adding);
    for (size_t i = 0; kind && i < w->c->pools.n; i++) {
        const struct rt_pool *p = &w->c->pools.v[i];
        const char *name = kind + sizeof(adding) - 1;
        if (rt_starts(name, p->name) && (name[strlen(p->name)] == '.' || !name[strlen(p->name)]))
            return could_hold(w, p, b);
    }
    return false;
}

/* The newest of each sort: what it added, and what it cannot. */
static void say_events(struct why *w, const struct rt_demand *d, const struct bundles *b) {
    const struct rt_rows *l = &w->c->lists[RT_T_EVENTS];
    const struct rt_cluster_event *newest[2] = {NULL, NULL};
    for (size_t i = 0; i < l->n; i++) {
        const struct rt_cluster_event *e = rt_rows_at(l, i);
        if (!e->message || !rt_streq(e->source, "AUTOSCALER") ||
            !event_matters(w, e->message, d, b))
            continue;
        const size_t sort = strstr(e->message, "No available") != NULL;
        if (!newest[sort] || rt_strcmp(newest[sort]->time, e->time) <= 0)
            newest[sort] = e;
    }
    for (size_t i = 0; i < RT_COUNT(newest); i++)
        if (newest[i])
            why_line(w, RT_T_EVENTS, "the autoscaler said at %s: %s", why_clean(w, newest[i]->time),
                     why_clean(w, newest[i]->message));
    if (w->c->fresh[RT_T_EVENTS].error.code)
        why_missing(w, RT_T_EVENTS, "the autoscaler's events");
}

void why_autoscaler(struct why *w, const struct bundles *b) {
    if (w->brief_only || why_missing(w, RT_T_DEMAND, "the autoscaler's status"))
        return;
    const struct rt_demand *d = on_list(w, b);
    if (w->c->autoscaler_error)
        why_line(w, RT_T_DEMAND, "the autoscaler broke down: %s",
                 why_clean(w, w->c->autoscaler_error));
    if (d)
        why_line(w, RT_T_DEMAND, "on Ray's list of waiting demand: %s, %lld of it",
                 why_clean(w, d->text), (long long)d->count);
    if (!w->c->autoscaler) {
        why_line(w, RT_T_DEMAND,
                 "there is no autoscaler: nodes come only when somebody starts them");
        return;
    }
    if (!d)
        why_line(w, RT_T_DEMAND, "the autoscaler does not have it on its list of waiting demand");
    say_launches(w, b);
    say_failures(w, b);
    say_events(w, d, b);
}
