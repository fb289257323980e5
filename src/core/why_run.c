/* Why a job, an actor, a task, a placement group waits or failed. */
#include "core/why_impl.h"

#include "core/rows.h"
#include <stdlib.h>

#define START_TIMEOUT_MS (900 * INT64_C(1000)) /* Ray's own, unless the head says otherwise */
#define SUPERVISOR "_ray_internal_job_actor_"

static void title(struct why *w, const char *fmt, ...) RT_PRINTF(2, 3);
static void title(struct why *w, const char *fmt, ...) {
    struct rt_buf b;
    va_list ap;
    rt_buf_init(&b, 4 * RT_KIB);
    va_start(ap, fmt);
    rt_buf_addv(&b, fmt, ap);
    va_end(ap);
    w->title = rt_arena_strdup(w->arena, rt_buf_str(&b));
    rt_buf_deinit(&b);
}

/* What a job waits with in Ray: its supervisor; NULL when it is not known. */
static const struct rt_actor *supervisor_of(const struct rt_cluster *c, const struct rt_job *j) {
    const size_t n = strlen(SUPERVISOR);
    for (size_t i = 0; j->submission_id && i < c->actors.nown; i++) {
        const struct rt_actor *a = &c->actors.own[i];
        if (a->name && strncmp(a->name, SUPERVISOR, n) == 0 &&
            rt_streq(a->name + n, j->submission_id))
            return a;
    }
    return NULL;
}

/* ---- pending jobs ---- */

/* Room is there, or none is asked for: then it is the environment, or the start itself. */
static void waits_for_start(struct why *w, const struct rt_job *j, const struct rt_actor *sup) {
    const bool env = rt_contains_i(j->message, "runtime environment");
    const char *age = why_age(w, j->start_ms);
    if (sup && rt_streq(sup->state, "ALIVE")) {
        w->summary = rt_arena_strf(
            w->arena,
            "Its supervisor runs on %s since it was placed; the entrypoint is being started.",
            why_node_name(w, sup->node_id));
        w->brief = "starting";
    } else if (env) {
        w->summary = rt_arena_strf(
            w->arena, "Nodes have room for it; its runtime environment is being made, for %s.",
            age);
        w->brief = rt_arena_strf(w->arena, "runtime env is being made");
    } else {
        w->summary =
            rt_arena_strf(w->arena, "Nodes have room for it; Ray has not started it for %s.", age);
        w->brief = "starting";
    }
}

/* What was asked: the supervisor knows; else what was typed here; else nobody tells. */
static bool asked(struct why *w, const struct rt_job *j, const struct rt_actor *sup,
                  struct need *need) {
    *need = (struct need){0};
    if (sup) {
        *need = (struct need){.res = sup->resources, .labels = sup->label_selector};
        const char *node = rt_kvs_get(&sup->label_selector, "ray.io/node-id");
        if (node && sup->label_selector.n == 1)
            need->labels = (struct rt_kvs){0};
        why_line(w, RT_T_ACTORS, "its supervisor is %s%s%s and asks for %s",
                 why_clean(w, sup->state), node ? ", meant for node " : "",
                 node ? why_node_name(w, node) : "",
                 need->res.n || need->labels.n ? why_needs(w, need) : "nothing of its own");
        return true;
    }
    if (w->env.asked) {
        need->res = *w->env.asked;
        why_line(w, RT_T_JOBS, "it was submitted from here and asked for %s",
                 need->res.n ? why_needs(w, need) : "nothing");
        return true;
    }
    return !rt_contains_i(j->message, "resources") && j->message &&
           *j->message; /* Ray says so only if some were asked for */
}

static void say_stop(struct why *w, const struct rt_job *j) {
    if (w->env.stop_asked_ms <= 0)
        return;
    if (j->status == RT_JOB_PENDING)
        why_line(w, RT_T_JOBS,
                 "its stop was asked for %s ago and takes no effect: Ray cannot stop a job that "
                 "has not started",
                 why_age(w, w->env.stop_asked_ms));
    else if (j->status == RT_JOB_RUNNING)
        why_line(w, RT_T_JOBS,
                 "its stop was asked for %s ago and it still runs: it is ended by force 3 s after "
                 "it was asked",
                 why_age(w, w->env.stop_asked_ms));
}

static void job_pending(struct why *w, const struct rt_job *j) {
    const struct rt_actor *sup = supervisor_of(w->c, j);
    struct need need;
    say_stop(w, j);
    why_line(w, RT_T_JOBS, "Ray says: %s", why_clean(w, j->message));
    if (!asked(w, j, sup, &need)) {
        w->summary = "It waits for resources; what it asked for is not known: the job API does not "
                     "tell, and its supervisor was not seen.";
        w->brief = "waits for resources";
        why_missing(w, RT_T_ACTORS, "its supervisor");
        return;
    }
    const enum room room = why_fit(w, "It", &need);
    const char *broken = NULL;
    if (room == ROOM_NOW || (!need.res.n && !need.labels.n)) {
        waits_for_start(w, j, sup);
        broken = why_environment(w, j);
        if (broken)
            w->summary =
                rt_arena_strf(w->arena, "Its runtime environment cannot be made: %s", broken);
    } else {
        const struct bundles b = why_one(w, &need);
        why_autoscaler(w, &b);
    }
    if (j->start_ms > 0)
        why_line(w, RT_T_JOBS,
                 "submitted %s ago; Ray gives up on a job that has not started after %lld minutes, "
                 "unless the head is set otherwise",
                 why_age(w, j->start_ms), (long long)(START_TIMEOUT_MS / 60000));
}

/* ---- jobs that run or ended ---- */

static void say_exit(struct why *w, const struct rt_job *j) {
    if (j->error_type)
        why_line(w, RT_T_JOBS, "error type: %s", why_clean(w, j->error_type));
    if (j->driver_exit_code >= 0)
        why_line(w, RT_T_JOBS, "exit code: %lld", (long long)j->driver_exit_code);
    if (j->driver_node_id)
        why_line(w, RT_T_JOBS, "its driver was on %s", why_node_name(w, j->driver_node_id));
}

static void job_failed(struct why *w, const struct rt_job *j) {
    const bool env = rt_streq(j->error_type, "RUNTIME_ENV_SETUP_FAILURE") ||
                     (j->message && rt_starts(j->message, "runtime_env setup failed"));
    struct rt_buf brief;
    rt_buf_init(&brief, 64 * RT_KIB);
    if (env) {
        const char *said = why_installer(w, j->message);
        rt_buf_addf(&brief, "runtime env: %s", said ? said : "could not be made");
        w->summary = rt_arena_strf(w->arena, "Its runtime environment could not be made: %s",
                                   said ? said : "Ray does not say why.");
    } else {
        rt_job_why(&brief, j);
        w->summary = rt_arena_strf(w->arena, "It failed: %s",
                                   brief.len ? rt_buf_str(&brief) : "Ray does not say why.");
    }
    w->brief = rt_arena_strdup(w->arena, rt_buf_str(&brief));
    rt_buf_deinit(&brief);
    say_exit(w, j);
    if (env)
        why_environment(w, j);
}

/* What runs may itself wait: for nodes, in its tasks and actors. */
static void job_running(struct why *w, const struct rt_job *j) {
    const struct rt_rows *tasks = &w->c->lists[RT_T_TASKS];
    const struct rt_task *task = NULL;
    const struct rt_actor *actor = NULL;
    size_t ntasks = 0, nactors = 0;
    w->summary = rt_arena_strf(w->arena, "It runs, since %s.", why_age(w, j->start_ms));
    w->brief = "";
    say_stop(w, j);
    for (size_t i = 0; i < tasks->n; i++) {
        const struct rt_task *t = rt_rows_at(tasks, i);
        if (j->job_id && rt_streq(t->job_id, j->job_id) &&
            rt_streq(t->state, "PENDING_NODE_ASSIGNMENT")) {
            task = task ? task : t;
            ntasks++;
        }
    }
    for (size_t i = 0; i < w->c->actors.n; i++) {
        const struct rt_actor *a = &w->c->actors.v[i];
        if (j->job_id && rt_streq(a->job_id, j->job_id) && rt_streq(a->state, "PENDING_CREATION")) {
            actor = actor ? actor : a;
            nactors++;
        }
    }
    if (ntasks)
        why_line(w, RT_T_TASKS, "%zu of its tasks wait%s for a node, %s among them", ntasks,
                 ntasks == 1 ? "s" : "", why_clean(w, task->name));
    if (nactors)
        why_line(w, RT_T_ACTORS, "%zu of its actors wait%s for a node, %s among them", nactors,
                 nactors == 1 ? "s" : "", why_clean(w, actor->class_name));
    if (!task && !actor)
        return;
    const struct need need =
        actor ? (struct need){.res = actor->resources, .labels = actor->label_selector}
              : (struct need){.res = task->resources, .labels = task->label_selector};
    const struct bundles b = why_one(w, &need);
    why_fit(w,
            actor ? "It runs, but an actor of it waits, which"
                  : "It runs, but a task of it waits, which",
            &need);
    why_autoscaler(w, &b);
}

void why_job(struct why *w, const struct rt_job *j) {
    const char *id = why_clean(w, j->id);
    switch ((enum rt_job_status)j->status) {
    case RT_JOB_PENDING:
        title(w, "why is %s pending?", id);
        job_pending(w, j);
        break;
    case RT_JOB_FAILED:
        title(w, "why did %s fail?", id);
        job_failed(w, j);
        break;
    case RT_JOB_RUNNING:
        title(w, "what does %s do?", id);
        job_running(w, j);
        break;
    case RT_JOB_STOPPED:
    case RT_JOB_SUCCEEDED:
    case RT_JOB_OTHER:
        title(w, "%s", id);
        w->summary = rt_arena_strf(w->arena, "%s: %s", why_clean(w, j->status_text),
                                   why_clean(w, j->message));
        say_exit(w, j);
        break;
    }
}

/* ---- what is inside a placement group ---- */

static const struct rt_pg *pg_of(const struct rt_cluster *c, const char *id) {
    for (size_t i = 0; id && i < c->lists[RT_T_PGS].n; i++) {
        const struct rt_pg *g = rt_rows_at(&c->lists[RT_T_PGS], i);
        if (rt_streq(g->id, id))
            return g;
    }
    return NULL;
}

static void pg_reasons(struct why *w, const char *subject, const struct rt_pg *g);

/* Its place is in a group: the group's reason is its reason. True when that was said. */
static bool in_group(struct why *w, const char *pg_id) {
    const struct rt_pg *g = pg_of(w->c, pg_id);
    if (!pg_id || !*pg_id)
        return false;
    if (!g) {
        why_line(w, RT_T_PGS, "it belongs to placement group %s, of which nothing is known%s",
                 why_clean(w, pg_id), why_known(w, RT_T_PGS) ? "" : " yet");
        return false;
    }
    why_line(w, RT_T_PGS, "it belongs to placement group %s, which is %s",
             why_clean(w, g->name && *g->name ? g->name : g->id), why_clean(w, g->state));
    if (rt_streq(g->state, "CREATED"))
        return false;
    pg_reasons(w, "Its placement group", g);
    return true;
}

static void waits_for_node(struct why *w, const struct rt_resources *res,
                           const struct rt_kvs *labels, const char *pg_id) {
    const struct need need = {.res = *res, .labels = *labels};
    if (in_group(w, pg_id))
        return;
    const enum room room = why_fit(w, "It", &need);
    if (room == ROOM_NOW)
        why_line(w, RT_T_NODES,
                 "there is room: it is being placed, or its runtime environment is being made; Ray "
                 "does not tell which");
    const struct bundles b = why_one(w, &need);
    why_autoscaler(w, &b);
}

/* ---- actors ---- */

static const char *death(struct why *w, const struct rt_actor *a) {
    json_t *v = a->death_cause ? json_loads(a->death_cause, 0, NULL) : NULL, *kind;
    const char *key, *why = NULL;
    json_object_foreach(v, key, kind) {
        why = why ? why : rt_json_str(kind, "error_message");
        if (!why && rt_json_str(kind, "formatted_exception_string")) {
            size_t n = 0; /* below its traceback */
            const char *line = rt_last_line(rt_json_str(kind, "formatted_exception_string"), &n);
            why = rt_arena_strf(w->arena, "Its constructor failed: %.*s", (int)RT_MIN(n, (size_t)2000), line);
        }
        why = why ? why : rt_json_str(kind, "preemption_context");
    }
    const char *out = why ? why_clean(w, why) : NULL;
    json_decref(v);
    return out;
}

void why_actor(struct why *w, const struct rt_actor *a) {
    static const char because[] = "The actor is dead because "; /* as Ray begins; a narrow column shows nothing else of it */
    const char *name = why_clean(w, a->name && *a->name ? a->name : a->class_name);
    const char *dead = death(w, a);
    if (rt_streq(a->state, "PENDING_CREATION") || rt_streq(a->state, "RESTARTING")) {
        title(w, "why is actor %s %s?", name,
              rt_streq(a->state, "RESTARTING") ? "restarting" : "pending");
        if (dead)
            why_line(w, RT_T_ACTORS, "it died before: %s", dead);
        waits_for_node(w, &a->resources, &a->label_selector, a->placement_group_id);
    } else if (rt_streq(a->state, "DEPENDENCIES_UNREADY")) {
        title(w, "why is actor %s pending?", name);
        w->summary = "It waits for the arguments of its constructor: results of other tasks that "
                     "are not there yet.";
        w->brief = "waits for its arguments";
    } else if (rt_streq(a->state, "DEAD")) {
        title(w, "why is actor %s dead?", name);
        w->summary = dead ? dead : "It is dead; Ray does not say why.";
        w->brief = dead ? dead + (rt_starts(dead, because) ? sizeof because - 1 : 0) : "";
    } else {
        title(w, "actor %s", name);
        w->summary = rt_arena_strf(w->arena, "It is %s on %s.", why_clean(w, a->state),
                                   why_node_name(w, a->node_id));
    }
    if (a->restarts > 0)
        why_line(w, RT_T_ACTORS, "restarted %lld time%s", (long long)a->restarts,
                 a->restarts == 1 ? "" : "s");
}

/* ---- tasks ---- */

void why_task(struct why *w, const struct rt_task *t) {
    static const struct {
        const char *state, *summary, *brief;
    } waits[] = {
        {"PENDING_ARGS_AVAIL",
         "It waits for its arguments: results of other tasks that are not there yet.",
         "waits for its arguments"},
        {"PENDING_ARGS_FETCH", "It has a node and fetches its arguments to it.",
         "fetches its arguments"},
        {"PENDING_OBJ_STORE_MEM_AVAIL",
         "It has a node and waits for room in that node's object store.", "object store is full"},
        {"SUBMITTED_TO_WORKER", "It was given to a worker, which has not begun it.",
         "with a worker"},
    };
    const char *name = why_clean(w, t->name);
    title(w, "why is task %s %s?", name, why_clean(w, t->state));
    for (size_t i = 0; i < RT_COUNT(waits); i++)
        if (rt_streq(t->state, waits[i].state)) {
            w->summary = waits[i].summary;
            w->brief = waits[i].brief;
            return;
        }
    if (rt_streq(t->state, "PENDING_NODE_ASSIGNMENT")) {
        waits_for_node(w, &t->resources, &t->label_selector, t->placement_group_id);
    } else if (rt_streq(t->state, "FAILED")) {
        const char *said = why_installer(w, t->error_message);
        w->summary =
            said ? said : rt_arena_strf(w->arena, "It failed: %s", why_clean(w, t->error_type));
        w->brief = w->summary;
        if (t->error_type)
            why_line(w, RT_T_TASKS, "error type: %s", why_clean(w, t->error_type));
    } else {
        w->summary = rt_arena_strf(w->arena, "It is %s.", why_clean(w, t->state));
    }
}

/* ---- placement groups ---- */

/* All bundles as one: what must lie on a single node under STRICT_PACK. */
static struct need together(struct why *w, const struct bundles *b) {
    struct need sum = {0};
    size_t most = 0;
    for (size_t i = 0; i < b->n; i++)
        most += b->v[i].need.res.n;
    sum.res.v = rt_arena_alloc(w->arena, (most + 1) * sizeof(*sum.res.v));
    for (size_t i = 0; i < b->n; i++)
        for (size_t k = 0; k < b->v[i].need.res.n; k++) {
            const struct rt_resource *r = &b->v[i].need.res.v[k];
            size_t at = 0;
            while (at < sum.res.n && !rt_streq(sum.res.v[at].name, r->name))
                at++;
            sum.res.n = RT_MAX(sum.res.n, at + 1);
            sum.res.v[at].name = r->name;
            sum.res.v[at].amount += r->amount * (double)b->v[i].count;
        }
    return sum;
}

/* The bundle that is hardest to place gives the summary; each has its line. */
static void pg_reasons(struct why *w, const char *subject, const struct rt_pg *g) {
    const struct bundles b = why_parse_bundles(w, g->bundles);
    const bool infeasible = rt_streq(g->stats.scheduling_state, "INFEASIBLE");
    size_t hardest = 0;
    enum room worst = ROOM_UNKNOWN;
    for (size_t i = 0; i < b.n; i++) {
        static const char *const words[] = {"not known", "there is room now",
                                            "a node could hold it, none has room now",
                                            "no node could ever hold it"};
        const enum room r = why_room(w, &b.v[i].need);
        if (r > worst) {
            worst = r;
            hardest = i;
        }
        why_line(w, RT_T_NODES, "bundle of %s, %lld of it: %s", why_needs(w, &b.v[i].need),
                 (long long)b.v[i].count, words[r]);
    }
    if (!b.n) {
        w->summary = rt_arena_strf(w->arena, "%s waits; what it asks for is not known.", subject);
        return;
    }
    const char *who = b.n == 1 && b.v[0].count == 1
                          ? subject
                          : rt_arena_strf(w->arena, "%s has a bundle that", subject);
    if (rt_streq(why_strategy(w, &b), "STRICT_PACK")) {
        const struct need sum = together(w, &b);
        why_fit(
            w, rt_arena_strf(w->arena, "%s, with all its bundles together (STRICT_PACK),", subject),
            &sum);
    } else if (worst == ROOM_NOW) {
        w->summary = rt_arena_strf(w->arena,
                                   "%s waits although each bundle by itself would find room: all "
                                   "of them must be had together, in the way its strategy wants.",
                                   subject);
        w->brief = "not all bundles at once";
    } else {
        why_fit(w, who, &b.v[hardest].need);
    }
    if (infeasible)
        why_line(w, RT_T_PGS,
                 "Ray calls it infeasible: as the cluster is now it can never be placed");
    why_autoscaler(w, &b);
}

void why_pg(struct why *w, const struct rt_pg *g) {
    const char *name = why_clean(w, g->name && *g->name ? g->name : g->id);
    if (rt_streq(g->state, "CREATED") || rt_streq(g->state, "REMOVED")) {
        title(w, "placement group %s", name);
        w->summary = rt_arena_strf(w->arena, "It is %s.", why_clean(w, g->state));
        return;
    }
    title(w, "why is placement group %s %s?", name, why_clean(w, g->state));
    pg_reasons(w, "It", g);
}
