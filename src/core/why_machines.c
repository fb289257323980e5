/* Why a pool does not grow, why a node stays or went, why a cluster is not reached. */
#include "core/why_impl.h"

#include "core/rows.h"

#define LISTED 5

/* ---- pools ---- */

/* The autoscaler's list has no labels; the tasks and actors behind it do. How many of those that ask for the same
 * wait for a label that no node of this pool has, when none of them could go there; else 0. */
static size_t kept_away(struct why *w, const struct rt_pool *p, const struct bundles *b) {
    const struct rt_rows *tasks = &w->c->lists[RT_T_TASKS];
    const bool by_task = why_known(w, RT_T_TASKS); /* also those that make actors */
    size_t away = 0;
    if (b->n != 1 || b->v[0].count != 1)
        return 0;
    for (size_t i = 0; i < (by_task ? tasks->n : w->c->actors.n); i++) {
        const struct rt_task *t = by_task ? rt_rows_at(tasks, i) : NULL;
        const struct rt_actor *a = by_task ? NULL : &w->c->actors.v[i];
        const struct need need = t ? (struct need){.res = t->resources, .labels = t->label_selector}
                                   : (struct need){.res = a->resources, .labels = a->label_selector};
        if (!rt_streq(t ? t->state : a->state, t ? "PENDING_NODE_ASSIGNMENT" : "PENDING_CREATION") ||
            !why_same_resources(&need.res, &b->v[0].need.res))
            continue;
        if (why_pool_room(w, p, &need) != ROOM_NEVER)
            return 0;
        away++;
    }
    return away;
}

/* What waits and could be held by a node of this pool. */
static size_t say_demand_for(struct why *w, const struct rt_pool *p) {
    size_t n = 0;
    for (size_t i = 0; i < w->c->demands.n; i++) {
        const struct rt_demand *d = &w->c->demands.v[i];
        const struct bundles b = why_parse_demand(w, d->text);
        enum room best = ROOM_NEVER;
        bool part = false; /* some bundles fit, others never will */
        for (size_t k = 0; k < b.n; k++) {
            const enum room r = why_pool_room(w, p, &b.v[k].need);
            best = r == ROOM_LATER ? r : best == ROOM_NEVER ? r : best;
            part = part || r == ROOM_NEVER;
        }
        if (!b.n || best == ROOM_NEVER)
            continue;
        const size_t away = kept_away(w, p, &b);
        if (away && (int64_t)away >= d->count) {
            why_line(w, RT_T_DEMAND, "waits for a label that no node of it has: %s, %lld of it", why_clean(w, d->text),
                     (long long)d->count);
            continue;
        }
        n++;
        why_line(w, RT_T_DEMAND, "%s: %s, %lld of it (%s)",
                 best == ROOM_LATER ? part ? "waits; a part of it would fit on a node of it"
                                           : "waits and would fit on a node of it"
                                    : "waits; whether a node of it could hold it is not known",
                 why_clean(w, d->text), (long long)d->count, why_clean(w, d->kind));
    }
    return n;
}

static size_t say_failures_of(struct why *w, const struct rt_pool *p) {
    size_t n = 0;
    for (size_t i = 0; i < w->c->failures.n; i++) {
        const struct rt_demand *f = &w->c->failures.v[i];
        if (!rt_streq(f->kind, p->name))
            continue;
        if (n++ < LISTED)
            why_line(w, RT_T_DEMAND, "failed lately: %s", why_clean(w, f->text));
    }
    return n;
}

static void say_pool_events(struct why *w, const struct rt_pool *p) {
    const struct rt_rows *l = &w->c->lists[RT_T_EVENTS];
    const struct rt_cluster_event *newest = NULL;
    for (size_t i = 0; i < l->n; i++) {
        const struct rt_cluster_event *e = rt_rows_at(l, i);
        const char *at =
            e->message && rt_streq(e->source, "AUTOSCALER") ? strstr(e->message, p->name) : NULL;
        const bool whole = at && (!at[strlen(p->name)] || strchr(".,: ", at[strlen(p->name)]));
        if (whole && (!newest || rt_strcmp(newest->time, e->time) <= 0))
            newest = e;
    }
    if (newest)
        why_line(w, RT_T_EVENTS, "the autoscaler said at %s: %s", why_clean(w, newest->time),
                 why_clean(w, newest->message));
}

static bool full(const struct rt_pool *p) {
    return p->max >= 0 && p->ready >= p->max;
}

static void pool_summary(struct why *w, const struct rt_pool *p, size_t demands, size_t failures) {
    const char *name = why_clean(w, p->name), *why = why_clean(w, p->why);
    const long long missing = p->desired >= 0 ? (long long)(p->desired - RT_MAX(p->ready, 0)) : 0;
    if (p->head) {
        w->summary =
            "It is the head's own pool: it does not grow, and stays as long as the cluster.";
    } else if (p->pending > 0) {
        w->summary = rt_arena_strf(w->arena, "%lld node%s of it %s on the way%s%s.",
                                   (long long)p->pending, p->pending == 1 ? "" : "s",
                                   p->pending == 1 ? "is" : "are", *why ? ": " : "", why);
        w->brief = *why ? why : rt_arena_strf(w->arena, "%lld on the way", (long long)p->pending);
    } else if (missing > 0) {
        w->summary = rt_arena_strf(w->arena, "%lld node%s of it %s missing%s%s.", missing,
                                   missing == 1 ? "" : "s", missing == 1 ? "is" : "are",
                                   *why ? ": " : " and none is on the way", why);
        w->brief = *why ? why : rt_arena_strf(w->arena, "%lld missing, none on the way", missing);
    } else if (full(p)) {
        w->summary = rt_arena_strf(w->arena, "It is at its max of %lld%s.", (long long)p->max,
                                   demands ? ", and more waits for it" : "");
        w->brief = demands ? "at its max, and more waits" : why;
    } else if (failures || *why) {
        w->summary =
            rt_arena_strf(w->arena, "It has what was asked for; the last word about it was: %s",
                          *why ? why : "a failure, see below");
        w->brief = why;
    } else if (!w->c->autoscaler && !p->scalable) {
        w->summary = "It does not grow by itself: there is no autoscaler here, and its provider "
                     "cannot scale it.";
    } else if (!w->c->autoscaler) {
        w->summary = rt_arena_strf(
            w->arena,
            "It does not grow by itself: there is no autoscaler here; `scale %s` asks for more.",
            name);
    } else if (!why_known(w, RT_T_DEMAND)) {
        w->summary = "Whether anything waits for it is not known.";
    } else if (demands) {
        w->summary = "Something waits that a node of it could hold, and the autoscaler adds none; "
                     "it does not say why.";
        w->brief = "demand waits, no node is added";
    } else {
        w->summary =
            "Nothing waits that a node of it could hold: the autoscaler has no reason to add one.";
    }
}

void why_pool(struct why *w, const struct rt_pool *p) {
    const char *name = why_clean(w, p->name);
    w->title = rt_arena_strf(w->arena, "why does pool %s not grow?", name);
    const bool limits = p->min >= 0 || p->max >= 0;
    if (limits)
        why_line(w, RT_T_POOLS, "%lld ready, %lld wanted, min %s, max %s", (long long)p->ready,
                 (long long)RT_MAX(p->desired, p->ready),
                 p->min >= 0 ? rt_arena_strf(w->arena, "%lld", (long long)p->min) : "not known",
                 p->max >= 0 ? rt_arena_strf(w->arena, "%lld", (long long)p->max) : "not known");
    else
        why_line(w, RT_T_POOLS, "%lld ready, %lld on the way; its min and max are not known",
                 (long long)RT_MAX(p->ready, 0), (long long)RT_MAX(p->pending, 0));
    if (w->c->autoscaler_error)
        why_line(w, RT_T_DEMAND, "the autoscaler broke down: %s",
                 why_clean(w, w->c->autoscaler_error));
    why_missing(w, RT_T_DEMAND, "what waits");
    const size_t demands = p->head ? 0 : say_demand_for(w, p), failures = say_failures_of(w, p);
    say_pool_events(w, p);
    pool_summary(w, p, demands, failures);
    if (!p->head && p->scalable && (w->c->caps & RT_CAP_SCALE) && !full(p)) {
        w->action = (struct rt_why_action){.key = "+", .pool = rt_arena_strdup(w->arena, p->name)};
        w->action.text = rt_arena_strf(w->arena, "one %s node more", name);
    }
}

/* ---- nodes ---- */

static size_t say_use(struct why *w, const struct rt_node *n) {
    struct rt_buf b;
    size_t used = 0;
    rt_buf_init(&b, 16 * RT_KIB);
    for (size_t i = 0; i < n->amounts.n; i++) {
        const struct rt_amount *a = &n->amounts.v[i];
        if (a->used <= 0 || rt_streq(a->name, "object_store_memory"))
            continue;
        char of[32];
        const bool bytes = rt_streq(a->name, "memory");
        rt_buf_addf(&b, "%s%s of %s", used++ ? ", " : "", why_amount(w, a->name, a->used),
                    bytes ? rt_fmt_bytes(of, sizeof(of), a->total)
                          : rt_fmt_amount(of, sizeof(of), a->total));
    }
    if (used)
        why_line(w, RT_T_NODES, "taken: %s", rt_buf_str(&b));
    rt_buf_deinit(&b);
    return used;
}

static size_t say_actors_on(struct why *w, const struct rt_node *n) {
    const rt_actors *l = &w->c->actors;
    size_t on = 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct rt_actor *a = &l->v[i];
        if (!rt_streq(a->node_id, n->id) || rt_streq(a->state, "DEAD"))
            continue;
        if (on++ < LISTED)
            why_line(w, RT_T_ACTORS, "actor %s%s%s of job %s lives here%s",
                     why_clean(w, a->class_name), a->name && *a->name ? " " : "",
                     why_clean(w, a->name), why_clean(w, a->job_id),
                     a->detached ? ", detached: it stays after its job" : "");
    }
    if (on > LISTED)
        why_line(w, RT_T_ACTORS, "and %zu actor%s more", on - LISTED, rt_plural((int64_t)(on - LISTED)));
    return on;
}

static size_t say_jobs_on(struct why *w, const struct rt_node *n) {
    size_t on = 0;
    for (size_t i = 0; i < w->c->jobs.n; i++) {
        const struct rt_job *j = &w->c->jobs.v[i];
        if (j->status != RT_JOB_RUNNING || !rt_streq(j->driver_node_id, n->id))
            continue;
        if (on++ < LISTED)
            why_line(w, RT_T_JOBS, "the driver of job %s runs here", why_clean(w, j->id));
    }
    if (on > LISTED)
        why_line(w, RT_T_JOBS, "and %zu drivers more", on - LISTED);
    return on;
}

static size_t say_tasks_on(struct why *w, const struct rt_node *n) {
    const struct rt_rows *l = &w->c->lists[RT_T_TASKS];
    const struct rt_task *first = NULL;
    size_t on = 0;
    for (size_t i = 0; i < l->n; i++) {
        const struct rt_task *t = rt_rows_at(l, i);
        if (rt_streq(t->node_id, n->id) && t->state && rt_starts(t->state, "RUNNING")) {
            first = first ? first : t;
            on++;
        }
    }
    if (on)
        why_line(w, RT_T_TASKS, "%zu task%s run%s here, %s among them", on, on == 1 ? "" : "s",
                 on == 1 ? "s" : "", why_clean(w, first->name));
    return on;
}

static size_t say_groups_on(struct why *w, const struct rt_node *n) {
    const struct rt_rows *l = &w->c->lists[RT_T_PGS];
    size_t on = 0;
    for (size_t i = 0; n->id && i < l->n; i++) {
        const struct rt_pg *g = rt_rows_at(l, i);
        if (!g->bundles || !rt_streq(g->state, "CREATED") || !strstr(g->bundles, n->id))
            continue;
        on++;
        why_line(w, RT_T_PGS, "placement group %s reserves part of it",
                 why_clean(w, g->name && *g->name ? g->name : g->id));
    }
    return on;
}

static size_t say_objects_on(struct why *w, const struct rt_node *n) {
    if (n->store_used_bytes <= 0)
        return 0;
    char text[32];
    why_line(w, RT_T_NODES, "%s of objects in its object store",
             rt_fmt_bytes(text, sizeof(text), n->store_used_bytes));
    return 1;
}

static void say_floor(struct why *w) {
    for (size_t i = 0; i < w->c->demands.n; i++) {
        const struct rt_demand *d = &w->c->demands.v[i];
        if (rt_streq(d->kind, "request_resources"))
            why_line(w, RT_T_DEMAND, "request_resources() keeps a floor of %s, %lld of it",
                     why_clean(w, d->text), (long long)d->count);
    }
}

/* Nobody uses it: who would end it? */
static void idle_summary(struct why *w, const struct rt_node *n) {
    const struct rt_pool *p = n->pool ? rt_store_pool(w->c, n->pool) : NULL;
    const char *idle = n->idle_ms >= 0 ? rt_arena_strf(w->arena, "It is idle, for %s",
                                                       why_age(w, w->env.now_ms - n->idle_ms))
                                       : "Nothing that is known uses it";
    if (n->head)
        w->summary =
            rt_arena_strf(w->arena, "%s; it is the head and stays as long as the cluster.", idle);
    else if (p && p->min >= 0 && p->ready <= p->min)
        w->summary = rt_arena_strf(w->arena, "%s; its pool %s is at its min of %lld.", idle,
                                   why_clean(w, p->name), (long long)p->min);
    else if (!w->c->autoscaler)
        w->summary = rt_arena_strf(w->arena, "%s; there is no autoscaler that would end it.", idle);
    else
        w->summary = rt_arena_strf(
            w->arena, "%s; the autoscaler ends it after its idle timeout, which it does not tell.",
            idle);
}

static void alive_node(struct why *w, const struct rt_node *n) {
    const size_t used = say_use(w, n), actors = say_actors_on(w, n), jobs = say_jobs_on(w, n),
                 tasks = say_tasks_on(w, n);
    const size_t groups = say_groups_on(w, n), objects = say_objects_on(w, n);
    say_floor(w);
    why_missing(w, RT_T_ACTORS, "actors on it");
    why_missing(w, RT_T_JOBS, "drivers on it");
    if (n->idle_ms > 0)
        why_line(w, RT_T_NODES, "Ray counts it as idle for %s",
                 why_age(w, w->env.now_ms - n->idle_ms));
    if (!used && !actors && !jobs && !tasks && !groups && !objects) {
        idle_summary(w, n);
        return;
    }
    struct rt_buf b;
    const struct {
        size_t n;
        const char *what;
    } held[] = {{actors, "actors"},
                {jobs, "drivers of jobs"},
                {tasks, "tasks"},
                {groups, "placement groups"},
                {objects, "objects"}};
    rt_buf_init(&b, 4 * RT_KIB);
    for (size_t i = 0; i < RT_COUNT(held); i++)
        if (held[i].n)
            rt_buf_addf(&b, "%s%s", b.len ? ", " : "", held[i].what);
    w->summary =
        rt_arena_strf(w->arena, "It stays because it is in use: %s.",
                      b.len ? rt_buf_str(&b) : "resources are taken, by what is not known");
    w->brief = rt_arena_strf(w->arena, "held by %s", b.len ? rt_buf_str(&b) : "what is not known");
    if (n->head)
        w->summary = rt_arena_strf(w->arena,
                                   "It is the head and stays as long as the cluster; in use by %s.",
                                   b.len ? rt_buf_str(&b) : "what is not known");
    rt_buf_deinit(&b);
}

void why_node(struct why *w, const struct rt_node *n) {
    const char *name = why_clean(w, rt_node_name(n));
    if (n->alive) {
        w->title = rt_arena_strf(w->arena, "why does node %s stay?", name);
        alive_node(w, n);
        return;
    }
    const bool told = n->state_message && *n->state_message;
    w->title = rt_arena_strf(w->arena, "why is node %s dead?", name);
    w->summary = told ? why_clean(w, n->state_message) : "It is dead; Ray does not say why.";
    w->brief = told ? w->summary : "";
    if (n->end_ms > 0)
        why_line(w, RT_T_NODES, "it ended %s ago", why_age(w, n->end_ms));
}

/* ---- clusters ---- */

static void say_next_try(struct why *w) {
    const struct rt_cluster *c = w->c;
    char text[32];
    if (c->retry_at_ms > w->env.now_ms)
        why_line(w, RT_T_CLUSTER, "the next try is in %s",
                 rt_fmt_age(text, sizeof(text), c->retry_at_ms - w->env.now_ms));
    if (c->reach_since_ms > 0)
        why_line(w, RT_T_CLUSTER, "%s for %s", rt_reach_name(c->reach),
                 why_age(w, c->reach_since_ms));
    bool hinted = false;
    for (int t = 0; t < RT_T_COUNT; t++) {
        const struct rt_freshness *f = &c->fresh[t];
        if (!f->error.code)
            continue;
        if (c->reach == RT_REACH_OK)
            why_line(w, (enum rt_topic)t, "%s", why_clean(w, f->error.message));
        if (f->error.hint[0] && !hinted)
            why_line(w, (enum rt_topic)t, "%s", why_clean(w, f->error.hint));
        hinted = hinted ||
                 (f->error.hint[0] && c->reach != RT_REACH_OK); /* one cause, told by every topic */
    }
}

/* What it says of its own end is worth more than that it does not answer. */
static bool failed_by_itself(const struct rt_cluster *c) {
    return c->state == RT_CL_FAILED && c->state_detail && *c->state_detail;
}

static void how_it_is(struct why *w) {
    const struct rt_cluster *c = w->c;
    struct rt_buf state;
    rt_buf_init(&state, 4 * RT_KIB);
    rt_cluster_state_text(&state, c, w->env.now_ms);
    w->title = rt_arena_strf(w->arena, "why is %s %s?", c->name,
                             c->reach == RT_REACH_OK || c->reach == RT_REACH_NONE
                                 ? rt_cluster_state_name(c->state)
                                 : rt_reach_name(c->reach));
    const char *detail = why_clean(w, c->reach != RT_REACH_OK && c->reach_detail ? c->reach_detail
                                                                                 : c->state_detail);
    w->summary =
        rt_arena_strf(w->arena, "It is %s%s%s.", rt_buf_str(&state), *detail ? ": " : "", detail);
    w->brief = detail;
    rt_buf_deinit(&state);
}

void why_cluster(struct why *w) {
    const struct rt_cluster *c = w->c;
    if (failed_by_itself(c)) {
        w->title = rt_arena_strf(w->arena, "why did %s fail?", c->name);
        w->brief = why_clean(w, c->state_detail);
        w->summary = rt_arena_strf(w->arena, "It failed: %s.", w->brief);
    } else {
        how_it_is(w);
    }
    say_next_try(w);
    if (c->autoscaler_error)
        why_line(w, RT_T_DEMAND, "the autoscaler broke down: %s",
                 why_clean(w, c->autoscaler_error));
    for (size_t i = 0; i < c->demands.n; i++) {
        const struct rt_demand *d = &c->demands.v[i];
        why_line(w, RT_T_DEMAND, "waits: %s, %lld of it (%s)", why_clean(w, d->text),
                 (long long)d->count, why_clean(w, d->kind));
    }
    for (size_t i = 0; i < c->failures.n; i++)
        why_line(w, RT_T_DEMAND, "failed lately: %s", why_clean(w, c->failures.v[i].text));
    if (c->ends_at_ms > w->env.now_ms) {
        char text[32];
        why_line(w, RT_T_CLUSTER, "it ends in %s%s%s",
                 rt_fmt_age(text, sizeof(text), c->ends_at_ms - w->env.now_ms),
                 c->ends_why ? ": " : "", why_clean(w, c->ends_why));
    }
}
