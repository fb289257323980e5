/* up, down, scale, remove-node: what is asked of the login node in which order, and what an end in the middle leaves. */
#include "base/fs.h"
#include "providers/batch_impl.h"
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 200, REACH_MS = 60000, UP_MS = 30 * 60 * 1000, STOP_MS = 200000 };

/* ---- life of a task ---- */

static void on_tick(void *ctx) {
    batch_tick(ctx);
}

static bool may_work(struct rt_provider *p, const char *what, struct rt_error *err) {
    if (p->task) {
        rt_error_set(err, RT_E_BUSY, "%s: %s is under way", p->conf->name, p->task->operation->title);
        return false;
    }
    return rt_cluster_begin(p->journal, &p->journal_error, p->conf->name, what, &p->lock, err);
}

static void cancel_task(void *ctx);

/* Takes title. */
static struct btask *task_new(struct rt_provider *p, const char *verb, char *title) {
    struct btask *t = RT_NEW(struct btask);
    t->provider = p;
    t->operation = rt_operation_start(p->env.operations, verb, p->conf->name, title, cancel_task, t);
    t->since_ms = rt_loop_now_ms(p->env.loop);
    free(title);
    p->task = t;
    rt_op_drop(&p->look);
    p->tick = rt_timer_start(p->env.loop, 0, TICK_MS, on_tick, p);
    if (p->env.hop)
        rt_hop_open(p->env.hop, true);
    return t;
}

void batch_task_end_step(struct btask *t, const struct rt_error *err) {
    if (t->stepping)
        rt_operation_step_end(t->operation, t->step, err);
    t->stepping = false;
}

void batch_task_step(struct btask *t, const char *subject, const char *title) {
    batch_task_end_step(t, NULL);
    t->step = rt_operation_step(t->operation, subject, "%s", title);
    t->stepping = true;
}

void batch_task_say(struct btask *t, const char *text) {
    if (!t->stepping || !text || rt_streq(text, t->said))
        return;
    free(t->said);
    t->said = rt_strdup(text);
    rt_operation_output(t->operation, t->step, text, strlen(text));
    rt_operation_output(t->operation, t->step, "\n", 1);
}

void batch_task_enter(struct btask *t, enum btask_phase phase) {
    t->phase = phase;
    t->since_ms = rt_loop_now_ms(t->provider->env.loop);
}

static struct rt_error verdict(const struct btask *t) {
    struct rt_error err = t->first.code ? t->first : t->partial;
    if (t->first.code || !t->failed || (!t->is_up && t->failed >= t->wanted))
        return err;
    err.code = RT_E_PARTIAL;
    if (t->failed > 1)
        rt_error_wrap(&err, "%zu jobs failed, the first", t->failed);
    rt_error_wrap(&err, "%s, but", t->result);
    return err;
}

void batch_task_end(struct btask *t) {
    struct rt_provider *p = t->provider;
    struct rt_operation *op = t->operation;
    const struct rt_error err = verdict(t);
    rt_op_drop(&p->op);
    rt_timer_stop(p->tick);
    p->tick = NULL;
    p->task = NULL;
    p->looked_ms = 0;
    rt_file_unlock(p->lock);
    p->lock = -1;
    free(p->requirements);
    free(p->user_job);
    p->requirements = p->user_job = NULL;
    for (size_t i = 0; i < p->njobs; i++)
        p->jobs[i]->wanted = p->jobs[i]->before = false;
    batch_show(p);
    batch_task_end_step(t, err.code ? &err : NULL);
    rt_operation_finish(op, err.code ? &err : NULL, t->result);
    rt_strs_deinit(&t->stop);
    free(t->result);
    free(t->said);
    free(t);
    p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_NODES);
}

/* What the scheduler holds goes on; the journal and the login node's directory know it. */
static void let_go(struct btask *t) {
    if (!t->first.code)
        rt_error_set(&t->first, RT_E_CANCELLED, "cancelled");
    batch_task_end(t);
}

void batch_tasks_abandon(struct rt_provider *p) {
    if (p->task)
        let_go(p->task);
}

static void stop(struct btask *t);

/* What this task has made goes again. */
static void undo(struct btask *t) {
    struct rt_provider *p = t->provider;
    rt_op_drop(&p->op);
    batch_task_end_step(t, &t->first);
    if (t->undo || t->keep || t->phase <= BT_LOOK) {
        batch_task_end(t);
        return;
    }
    t->undo = true;
    rt_strs_deinit(&t->stop);
    t->stop = (struct rt_strs){0};
    for (size_t i = 0; i < p->njobs; i++)
        if (p->jobs[i]->wanted)
            rt_strs_add(&t->stop, p->jobs[i]->node);
    stop(t);
}

void batch_task_fail(struct btask *t, const struct rt_error *err) {
    if (!t->first.code)
        t->first = *err;
    if (t->undo || t->is_down || !t->is_up)
        batch_task_end(t);
    else
        undo(t);
}

static void cancel_task(void *ctx) {
    struct btask *t = ctx;
    if (!t->first.code)
        rt_error_set(&t->first, RT_E_CANCELLED, "cancelled");
    if (t->operation->leaving || t->is_down || t->phase == BT_STOP)
        let_go(t);
    else
        undo(t);
}

void batch_task_note(struct btask *t, const struct rt_error *err) {
    t->failed++;
    if (!t->partial.code)
        t->partial = *err;
}

/* ---- scripts ---- */

static void on_output(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    const struct rt_provider *p = ctx;
    if (stream == RT_STDERR && p->task && p->task->stepping)
        rt_operation_output(p->task->operation, p->task->step, data, n);
}

/* Did the script do its work? Else why not. */
bool batch_task_went_well(struct rt_provider *p, const struct rt_exec_result *r, const struct rt_error *err, struct rt_error *out) {
    p->op = NULL;
    if (!err && r->status == 0)
        return true;
    if (err)
        *out = *err;
    else
        far_complaint(r, out);
    return rt_error_wrap(out, "%s", p->own->login);
}

struct rt_buf batch_script_buf(void) {
    struct rt_buf b;
    rt_buf_init(&b, 8 * RT_MIB);
    return b;
}

void batch_task_run(struct rt_provider *p, struct rt_buf *script, int64_t timeout_ms, rt_exec_fn *fn) {
    p->op = batch_run(p, script, timeout_ms, on_output, fn);
}

/* ---- stop ---- */

static void gone(struct rt_provider *p, struct bjob *j) {
    struct rt_error ignored = {0};
    if (rt_journal_find(p->journal, "batch-job", j->node))
        rt_journal_gone(p->journal, "batch-job", j->node, &ignored);
    batch_job_forget(j);
    free(j->refused);
    j->refused = NULL;
    j->booked = false;
}

static bool stops_all(const struct btask *t) {
    return t->is_down || (t->undo && t->is_up && !t->provider->jobs[0]->before);
}

static void stopped(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    struct btask *t = p->task;
    struct rt_error e = {0};
    const bool all = stops_all(t);
    if (!batch_task_went_well(p, r, err, &e)) { /* the journal keeps it: down tries again */
        rt_error_hint(&e, "`raytui down %s` tries again", p->conf->name);
        batch_task_fail(t, &e);
        return;
    }
    for (size_t i = 0; i < p->njobs; i++)
        if (all || rt_strs_has(&t->stop, p->jobs[i]->node))
            gone(p, p->jobs[i]);
    if (all) {
        watchdog_job_gone(p->journal);
        p->up = p->connection = false;
        far_place_clear(&p->place);
    }
    batch_task_end_step(t, NULL);
    batch_task_end(t);
}

static void stop(struct btask *t) {
    struct rt_provider *p = t->provider;
    struct rt_buf b = batch_script_buf();
    const struct batch_script s = batch_script_of(p, NULL);
    const bool all = stops_all(t);
    for (size_t i = 0; all && i < p->njobs; i++)
        if (p->jobs[i]->booked && !rt_strs_has(&t->stop, p->jobs[i]->node))
            rt_strs_add(&t->stop, p->jobs[i]->node);
    batch_task_step(t, p->own->login, all ? "ending its jobs" : "draining and ending");
    batch_task_enter(t, BT_STOP);
    batch_script_stop(&s, &t->stop, all, &b);
    batch_show(p);
    batch_task_run(p, &b, STOP_MS, stopped);
}

/* ---- the first look ---- */

static void want_workers(struct btask *t, const struct batch_pool *pool) {
    struct rt_provider *p = t->provider;
    struct rt_strs nodes = {0};
    batch_scale_jobs(p, pool, RT_MAX(pool->nodes, batch_pool_size(p, pool)), &nodes);
    for (size_t i = 0; i < nodes.n; i++)
        batch_job_named(p, nodes.v[i])->wanted = true;
    rt_strs_deinit(&nodes);
}

static void looked_for_up(struct btask *t) {
    struct rt_provider *p = t->provider;
    struct bjob *head = p->jobs[0];
    struct rt_error err = {0};
    bool any = false;
    for (size_t i = 0; i < p->njobs; i++)
        p->jobs[i]->before = batch_job_lives(p->jobs[i]);
    if (batch_job_lives(head) && head->state == BATCH_ENDING) {
        rt_error_set(&err, RT_E_BUSY, "job %s of before is still ending", head->id);
        rt_error_hint(&err, "in a minute `raytui up %s` will do", p->conf->name);
        batch_task_fail(t, &err);
        return;
    }
    head->wanted = !batch_job_lives(head);
    for (size_t i = 0; i < p->pools.n; i++)
        want_workers(t, &p->pools.v[i]);
    for (size_t i = 0; i < p->njobs; i++) {
        if (p->jobs[i]->wanted)
            batch_job_forget(p->jobs[i]);
        any = any || p->jobs[i]->wanted;
    }
    if (any)
        batch_task_prepare(t);
    else
        batch_task_wait(t);
}

static void looked_first(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    struct btask *t = p->task;
    struct rt_error e = {0};
    if (!batch_task_went_well(p, r, err, &e)) {
        batch_task_fail(t, &e);
        return;
    }
    batch_take_look(p, r->out);
    batch_show(p);
    if (t->is_down || t->stop.n) {
        stop(t);
    } else if (p->queue_error.code) { /* what lives is not known: nothing is made twice */
        e = p->queue_error;
        if (r->err_len)
            far_complaint(r, &e);
        rt_error_wrap(&e, "%s", p->own->login);
        batch_task_fail(t, &e);
    } else if (t->is_up) {
        looked_for_up(t);
    } else {
        batch_task_prepare(t);
    }
}

void batch_task_look(struct btask *t, rt_exec_fn *fn) {
    struct rt_buf b = batch_script_buf();
    const struct batch_script s = batch_script_of(t->provider, NULL);
    batch_script_look(&s, &b);
    batch_task_run(t->provider, &b, 0, fn);
}

static void reach(struct btask *t) {
    struct rt_provider *p = t->provider;
    if (!p->env.hop && !t->first.code)
        rt_error_set(&t->first, RT_E_UNREACHABLE, "there is no way to %s", p->own->login);
    if (t->first.code) { /* nor can it begin when user_script could not be written down */
        batch_task_end(t);
        return;
    }
    const struct rt_hop_status *st = rt_hop_status(p->env.hop);
    struct rt_error err = st->error;
    if (!t->stepping)
        batch_task_step(t, p->own->login, "connecting");
    if (st->state == RT_HOP_UP) {
        batch_task_enter(t, BT_LOOK);
        batch_task_look(t, looked_first);
        return;
    }
    const bool over = st->state == RT_HOP_FAILED || st->state == RT_HOP_NEEDS_LOGIN || (st->state == RT_HOP_RETRYING && st->error.code);
    if (!over && rt_loop_now_ms(p->env.loop) - t->since_ms < REACH_MS)
        return;
    if (!err.code)
        rt_error_set(&err, RT_E_TIMEOUT, "%s: no connection", p->own->login);
    batch_task_fail(t, &err);
}

void batch_tick(struct rt_provider *p) {
    struct btask *t = p->task;
    if (!t || p->op)
        return;
    if (t->phase == BT_REACH)
        reach(t);
    else if (t->phase == BT_WAIT)
        batch_task_on_wait(t);
}

/* ---- verbs ---- */

static bool read_requirements(struct rt_provider *p, struct rt_error *err) {
    return p->requirements || far_requirements(&p->own->far, &p->requirements, err);
}

struct rt_operation *batch_up(struct rt_provider *p, const struct rt_up_opts *o, struct rt_error *err) {
    if (!read_requirements(p, err) || !may_work(p, "up", err))
        return NULL;
    struct btask *t = task_new(p, "up", rt_strf("bring %s up", p->conf->name));
    struct rt_error e = {0};
    const int64_t limit = o->timeout_ms ? o->timeout_ms : p->conf->up_timeout_ms ? p->conf->up_timeout_ms : UP_MS;
    t->keep = o->keep;
    t->limit_ms = t->since_ms + limit;
    t->result = rt_strf("%s is up", p->conf->name);
    t->is_up = true;
    if (!watchdog_job(p->journal, p->conf->name, t->operation->id, o->user_job, &p->user_job, &e))
        t->first = e;
    batch_show(p);
    return t->operation;
}

struct rt_operation *batch_down(struct rt_provider *p, struct rt_error *err) {
    batch_tasks_abandon(p);
    if (!may_work(p, "down", err))
        return NULL;
    struct btask *t = task_new(p, "down", rt_strf("take %s down", p->conf->name));
    t->is_down = true;
    t->result = rt_strf("%s is down", p->conf->name);
    struct rt_operation *op = t->operation;
    if (!p->env.hop && !rt_journal_count(p->journal)) /* no way there was ever opened */
        batch_task_end(t);
    else
        batch_show(p);
    return op;
}

struct rt_operation *batch_scale(struct rt_provider *p, const char *name, int64_t n, struct rt_error *err) {
    struct rt_scale_impact impact = {0};
    struct rt_strs nodes = {0};
    const bool possible = batch_scale_impact(p, name, n, &impact, err);
    const int64_t from = impact.from;
    rt_scale_impact_deinit(&impact);
    if (!possible || !read_requirements(p, err) || !may_work(p, "scale", err))
        return NULL;
    batch_scale_jobs(p, batch_pool_named(&p->pools, name), n, &nodes);
    struct btask *t = task_new(p, "scale", rt_strf("scale %s from %lld to %lld", name, (long long)from, (long long)n));
    t->result = rt_strf("%s: %lld wanted", name, (long long)n);
    t->wanted = nodes.n;
    for (size_t i = 0; i < nodes.n; i++) {
        struct bjob *j = batch_job_named(p, nodes.v[i]);
        if (n < from)
            rt_strs_add(&t->stop, j->node);
        else
            batch_job_forget(j);
        j->wanted = n > from;
    }
    rt_strs_deinit(&nodes);
    batch_show(p);
    return t->operation;
}

struct rt_operation *batch_remove_node(struct rt_provider *p, const char *node_id, struct rt_error *err) {
    const struct rt_node *ray = rt_store_node(p->cluster, node_id);
    struct bjob *j = ray && ray->name ? batch_job_named(p, ray->name) : NULL;
    if (!j || j == p->jobs[0]) {
        rt_error_set(err, RT_E_UNSUPPORTED, "%s belongs to the job of the head", ray && ray->name ? ray->name : node_id);
        rt_error_hint(err, "it ends with its cluster: `raytui down %s`", p->conf->name);
        return NULL;
    }
    if (!may_work(p, "remove-node", err))
        return NULL;
    struct btask *t = task_new(p, "remove-node", rt_strf("end job %s of %s", j->id ? j->id : "?", j->node));
    t->result = rt_strf("%s has ended", j->node);
    rt_strs_add(&t->stop, j->node);
    batch_show(p);
    return t->operation;
}
