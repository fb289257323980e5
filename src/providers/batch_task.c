/* up, down, scale, remove-node: what is asked of the login node in which order, and what an end in the middle leaves. */
#include "base/fs.h"
#include "providers/batch_impl.h"
#include <stdlib.h>
#include <string.h>

enum {
    TICK_MS = 200,
    LOOK_MS = 2000,
    REACH_MS = 60000,
    UP_MS = 30 * 60 * 1000,
    PREPARE_MS = 20 * 60 * 1000,
    SUBMIT_MS = 120000,
    STOP_MS = 200000,
    PATIENCE_MS = 20000, /* for a worker's job to leave the queue once the head is there */
    JOIN_MS = 180000
};

/* ---- life of a task ---- */

static void on_tick(void *ctx) {
    batch_tick(ctx);
}

static bool may_work(struct rt_provider *p, const char *what, struct rt_error *err) {
    if (p->task) {
        rt_error_set(err, RT_E_BUSY, "%s: %s is under way", p->conf->name, p->task->operation->title);
        return false;
    }
    if (!p->journal) {
        *err = p->journal_error;
        err->code = RT_E_IO;
        return rt_error_wrap(err, "%s: nothing is made without its journal", p->conf->name);
    }
    p->lock = rt_cluster_lock(p->conf->name, what, err);
    return p->lock >= 0;
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

static void end_step(struct btask *t, const struct rt_error *err) {
    if (t->stepping)
        rt_operation_step_end(t->operation, t->step, err);
    t->stepping = false;
}

static void begin_step(struct btask *t, const char *subject, const char *title) {
    end_step(t, NULL);
    t->step = rt_operation_step(t->operation, subject, "%s", title);
    t->stepping = true;
}

static void say(struct btask *t, const char *text) {
    if (!t->stepping || !text)
        return;
    rt_operation_output(t->operation, t->step, text, strlen(text));
    rt_operation_output(t->operation, t->step, "\n", 1);
}

static void enter(struct btask *t, enum btask_phase phase) {
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

static void task_end(struct btask *t) {
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
    end_step(t, err.code ? &err : NULL);
    rt_operation_finish(op, err.code ? &err : NULL, t->result);
    rt_strs_deinit(&t->stop);
    free(t->result);
    free(t);
    p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_NODES);
}

/* What the scheduler holds goes on; the journal and the login node's directory know it. */
static void let_go(struct btask *t) {
    if (!t->first.code)
        rt_error_set(&t->first, RT_E_CANCELLED, "cancelled");
    task_end(t);
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
    end_step(t, &t->first);
    if (t->undo || t->keep || t->phase <= BT_LOOK) {
        task_end(t);
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

static void fail(struct btask *t, const struct rt_error *err) {
    if (!t->first.code)
        t->first = *err;
    if (t->undo || t->is_down || !t->is_up)
        task_end(t);
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

static void note_failure(struct btask *t, const struct rt_error *err) {
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

/* The last line that the script printed as its complaint. */
static void complaint(const struct rt_exec_result *r, struct rt_error *err) {
    const char *text = r->err_len ? r->err_text : r->out, *end = text + (r->err_len ? r->err_len : r->out_len);
    char clean[400];
    while (end > text && (unsigned char)end[-1] <= ' ')
        end--;
    const char *line = end;
    while (line > text && line[-1] != '\n')
        line--;
    char *last = rt_strndup(line, (size_t)(end - line));
    rt_clean_to(clean, sizeof clean, last);
    free(last);
    rt_error_set(err, RT_E_REMOTE, "%s", *clean ? clean : r->status < 0 ? "the script was killed" : "it failed without a word");
}

/* Did the script do its work? Else why not. */
static bool went_well(struct rt_provider *p, const struct rt_exec_result *r, const struct rt_error *err, struct rt_error *out) {
    p->op = NULL;
    if (!err && r->status == 0)
        return true;
    if (err)
        *out = *err;
    else
        complaint(r, out);
    return rt_error_wrap(out, "%s", p->own->login);
}

static struct rt_buf script_buf(void) {
    struct rt_buf b;
    rt_buf_init(&b, 8 * RT_MIB);
    return b;
}

static void run(struct rt_provider *p, struct rt_buf *script, int64_t timeout_ms, rt_exec_fn *fn) {
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
    if (!went_well(p, r, err, &e)) { /* the journal keeps it: down tries again */
        rt_error_hint(&e, "`raytui down %s` tries again", p->conf->name);
        fail(t, &e);
        return;
    }
    for (size_t i = 0; i < p->njobs; i++)
        if (all || rt_strs_has(&t->stop, p->jobs[i]->node))
            gone(p, p->jobs[i]);
    if (all) {
        watchdog_job_gone(p->journal);
        p->up = p->connection = false;
        p->place = (struct batch_place){0};
    }
    task_end(t);
}

static void stop(struct btask *t) {
    struct rt_provider *p = t->provider;
    struct rt_buf b = script_buf();
    const struct batch_script s = batch_script_of(p, NULL);
    const bool all = stops_all(t);
    for (size_t i = 0; all && i < p->njobs; i++)
        if (p->jobs[i]->booked && !rt_strs_has(&t->stop, p->jobs[i]->node))
            rt_strs_add(&t->stop, p->jobs[i]->node);
    begin_step(t, p->own->login, all ? "ending its jobs" : "draining and ending");
    enter(t, BT_STOP);
    batch_script_stop(&s, &t->stop, all, &b);
    batch_show(p);
    run(p, &b, STOP_MS, stopped);
}

/* ---- submit ---- */

static void submit_next(struct btask *t);
static void begin_wait(struct btask *t);

/* What the scheduler refused, beside the field that it means. */
static void refused(struct btask *t, struct bjob *j, const char *text) {
    struct rt_provider *p = t->provider;
    struct rt_error err = {0}, ignored = {0};
    char raw[400], sentence[400];
    const char *field = p->dialect->refused(text, raw, sizeof raw);
    const struct rt_ynode *at = field ? batch_conf_at(p->conf, j == p->jobs[0] ? NULL : j->pool, field) : NULL;
    rt_clean_to(sentence, sizeof sentence, raw);
    if (at)
        rt_ynode_error(at, &err, "%s%s%s: %s refuses it: %s", field, at->text ? ": " : "", at->text ? at->text : "", p->dialect->submit, sentence);
    else
        rt_error_set(&err, RT_E_REMOTE, "%s refuses the job: %s", p->dialect->submit, sentence);
    if (field && !at)
        rt_error_hint(&err, "`%s:` in the configuration of %s says what to use", field, p->conf->name);
    else
        rt_error_hint(&err, "`raytui doctor %s` tells what %s offers", p->conf->name, p->dialect->scheduler);
    rt_journal_gone(p->journal, "batch-job", j->node, &ignored);
    j->booked = false;
    free(j->refused);
    j->refused = rt_strdup(sentence);
    if (j == p->jobs[0]) {
        j->wanted = false;
        fail(t, &err);
        return;
    }
    j->wanted = false;
    note_failure(t, &err);
    end_step(t, &err);
    submit_next(t);
}

/* Lines that begin with `word`, without it; gives the text. */
static char *lines_of(const char *text, const char *word) {
    struct rt_buf b;
    const size_t skip = strlen(word);
    rt_buf_init(&b, 64 * RT_KIB);
    while (*text) {
        const size_t n = strcspn(text, "\n");
        if (n >= skip && strncmp(text, word, skip) == 0) {
            rt_buf_add(&b, text + skip, n - skip);
            rt_buf_addc(&b, '\n');
        }
        text += n + (text[n] == '\n');
    }
    return rt_buf_take(&b);
}

static void submitted(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    struct btask *t = p->task;
    struct bjob *j = t->submitting;
    struct rt_error e = {0};
    if (!went_well(p, r, err, &e)) {
        fail(t, &e);
        return;
    }
    char *id = lines_of(r->out, "id ");
    id[strcspn(id, "\n")] = 0;
    if (p->dialect->id_ok(id)) {
        free(j->id);
        j->id = id;
        j->there = true;
        j->state = BATCH_QUEUED;
        rt_journal_made(p->journal, "batch-job", j->node, id, NULL, &e);
        char *text = rt_strf("job %s", id);
        say(t, text);
        free(text);
        batch_show(p);
        submit_next(t);
        return;
    }
    free(id);
    char *text = lines_of(r->out, "refused ");
    refused(t, j, text);
    free(text);
}

static void submit(struct btask *t, struct bjob *j) {
    struct rt_provider *p = t->provider;
    struct rt_error err = {0};
    struct rt_buf b = script_buf();
    const struct batch_script s = batch_script_of(p, j);
    t->submitting = j;
    begin_step(t, j->node, "submitting its job");
    if (!rt_journal_want(p->journal, t->operation->id, "batch-job", j->node, NULL, &err)) {
        rt_buf_deinit(&b);
        fail(t, &err);
        return;
    }
    j->booked = true;
    free(j->refused);
    j->refused = NULL;
    batch_script_submit(&s, &b);
    run(p, &b, SUBMIT_MS, submitted);
}

/* The head comes first: the workers' jobs wait for its. */
static void submit_next(struct btask *t) {
    struct rt_provider *p = t->provider;
    enter(t, BT_SUBMIT);
    for (size_t i = 0; i < p->njobs; i++) {
        struct bjob *j = p->jobs[i];
        if (j->wanted && !j->id) {
            submit(t, j);
            return;
        }
    }
    begin_wait(t);
}

/* ---- Python and Ray ---- */

static void prepared(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    struct rt_error e = {0};
    if (!went_well(p, r, err, &e)) {
        fail(p->task, &e);
        return;
    }
    far_prepared(r->out, &p->ray, &p->python, NULL);
    if (!p->ray || !p->python) {
        rt_error_set(&e, RT_E_PROTOCOL, "%s does not say where Ray is", p->own->login);
        fail(p->task, &e);
        return;
    }
    submit_next(p->task);
}

static void prepare(struct btask *t) {
    struct rt_provider *p = t->provider;
    struct rt_buf b = script_buf();
    const struct batch_script s = batch_script_of(p, NULL);
    begin_step(t, p->own->login, "Python and Ray");
    enter(t, BT_PREPARE);
    batch_script_prepare(&s, &b);
    run(p, &b, PREPARE_MS, prepared);
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
        fail(t, &err);
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
        prepare(t);
    else
        begin_wait(t);
}

static void looked_first(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    struct btask *t = p->task;
    struct rt_error e = {0};
    if (!went_well(p, r, err, &e)) {
        fail(t, &e);
        return;
    }
    batch_take_look(p, r->out);
    batch_show(p);
    if (t->is_down || t->stop.n) {
        stop(t);
    } else if (p->queue_error.code) { /* what lives is not known: nothing is made twice */
        e = p->queue_error;
        if (r->err_len)
            complaint(r, &e);
        rt_error_wrap(&e, "%s", p->own->login);
        fail(t, &e);
    } else if (t->is_up) {
        looked_for_up(t);
    } else {
        prepare(t);
    }
}

static void look(struct btask *t, rt_exec_fn *fn) {
    struct rt_buf b = script_buf();
    const struct batch_script s = batch_script_of(t->provider, NULL);
    batch_script_look(&s, &b);
    run(t->provider, &b, 0, fn);
}

static void reach(struct btask *t) {
    struct rt_provider *p = t->provider;
    if (!p->env.hop && !t->first.code)
        rt_error_set(&t->first, RT_E_UNREACHABLE, "there is no way to %s", p->own->login);
    if (t->first.code) { /* nor can it begin when user_script could not be written down */
        task_end(t);
        return;
    }
    const struct rt_hop_status *st = rt_hop_status(p->env.hop);
    struct rt_error err = st->error;
    if (!t->stepping)
        begin_step(t, p->own->login, "connecting");
    if (st->state == RT_HOP_UP) {
        enter(t, BT_LOOK);
        look(t, looked_first);
        return;
    }
    const bool over = st->state == RT_HOP_FAILED || st->state == RT_HOP_NEEDS_LOGIN || (st->state == RT_HOP_RETRYING && st->error.code);
    if (!over && rt_loop_now_ms(p->env.loop) - t->since_ms < REACH_MS)
        return;
    if (!err.code)
        rt_error_set(&err, RT_E_TIMEOUT, "%s: no connection", p->own->login);
    fail(t, &err);
}

/* ---- waiting for Ray ---- */

static void head_failed(struct btask *t) {
    struct bjob *head = t->provider->jobs[0];
    struct rt_error err = {0};
    rt_error_set(&err, RT_E_REMOTE, "job %s of the head has ended: %s", head->id ? head->id : "?",
                 head->ended ? head->ended : head->plain ? head->plain : "it is not in the queue any more");
    if (head->log)
        rt_error_hint(&err, "its last line: %.250s", head->log);
    fail(t, &err);
}

/* The queue may take days: it does not count. */
static void in_the_queue(struct btask *t, struct bjob *j, int64_t passed_ms) {
    struct rt_error err = {0};
    t->limit_ms += passed_ms;
    if (!j->never)
        return;
    rt_error_set(&err, RT_E_LIMIT, "job %s: %s (%s)", j->id, j->plain, j->reason);
    if (j->todo)
        rt_error_hint(&err, "%s", j->todo);
    fail(t, &err);
}

/* Is there nothing more to wait for of this worker's job? */
static bool worker_settled(struct btask *t, struct bjob *j) {
    struct rt_provider *p = t->provider;
    const int64_t since_ready = rt_loop_now_ms(p->env.loop) - t->ready_ms;
    struct rt_error err = {0};
    if (!j->wanted || rt_strs_has(&j->up, j->node))
        return true;
    if (j->state == BATCH_QUEUED)
        return since_ready > PATIENCE_MS || j->held || j->never;
    if (batch_job_lives(j) && since_ready < JOIN_MS)
        return false;
    rt_error_set(&err, RT_E_REMOTE, "job %s of %s %s: %s", j->id, j->node, batch_job_lives(j) ? "does not join" : "has ended",
                 j->log ? j->log : j->ended ? j->ended : j->plain ? j->plain : "it says nothing");
    j->wanted = false;
    note_failure(t, &err);
    return true;
}

static size_t fixed_missing(const struct rt_provider *p) {
    const struct batch_pool *pool = batch_pool_named(&p->pools, "workers");
    size_t missing = 0;
    for (int64_t i = 1; pool && i <= pool->fixed; i++) {
        char *node = rt_strf("workers-%lld", (long long)i);
        missing += !rt_strs_has(&p->jobs[0]->up, node);
        free(node);
    }
    return missing;
}

static void add_waiting(struct btask *t) {
    struct rt_provider *p = t->provider;
    size_t n = 0;
    const struct bjob *one = NULL;
    for (size_t i = 1; i < p->njobs; i++) {
        if (p->jobs[i]->wanted && p->jobs[i]->state == BATCH_QUEUED) {
            one = p->jobs[i];
            n++;
        }
    }
    if (!n)
        return;
    char *text = rt_strf("%s; %zu job%s of workers wait%s: %s", t->result, n, n == 1 ? "" : "s", n == 1 ? "s" : "",
                         one->plain ? one->plain : one->reason ? one->reason : "queued");
    free(t->result);
    t->result = text;
}

static void workers(struct btask *t) {
    struct rt_provider *p = t->provider;
    const int64_t now = rt_loop_now_ms(p->env.loop);
    struct rt_error err = {0};
    bool settled = true;
    if (!t->ready_ms) {
        t->ready_ms = now;
        begin_step(t, p->conf->name, "workers join");
    }
    for (size_t i = 1; i < p->njobs; i++)
        settled = worker_settled(t, p->jobs[i]) && settled;
    const size_t missing = t->is_up ? fixed_missing(p) : 0;
    if (!settled || (missing && now - t->ready_ms < JOIN_MS))
        return;
    if (missing) {
        rt_error_set(&err, RT_E_REMOTE, "%zu hosts of job %s do not join: %s", missing, p->jobs[0]->id, p->jobs[0]->log ? p->jobs[0]->log : "");
        note_failure(t, &err);
    }
    add_waiting(t);
    task_end(t);
}

static void say_wait(struct btask *t) {
    struct rt_provider *p = t->provider;
    const struct rt_cluster *c = p->cluster;
    const struct bjob *head = p->jobs[0];
    if (c->state == RT_CL_QUEUED && c->state_detail)
        say(t, c->state_detail);
    else if (head->log)
        say(t, head->log);
}

static void waited(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    struct btask *t = p->task;
    struct bjob *head = p->jobs[0];
    const int64_t now = rt_loop_now_ms(p->env.loop), passed = now - t->since_ms;
    p->op = NULL;
    t->since_ms = now;
    if (err || r->status != 0) { /* the login node is away: its jobs are not */
        say(t, err ? err->message : "the login node does not answer");
        return;
    }
    batch_take_look(p, r->out);
    batch_show(p);
    if (p->queue_error.code) {
        say(t, p->queue_error.message);
        return;
    }
    if (p->up) {
        workers(t);
        return;
    }
    say_wait(t);
    if (!batch_job_lives(head))
        head_failed(t);
    else if (head->state == BATCH_QUEUED || head->state == BATCH_SUSPENDED)
        in_the_queue(t, head, passed);
}

static void begin_wait(struct btask *t) {
    end_step(t, NULL);
    begin_step(t, "head", "in the queue, then starting Ray");
    enter(t, BT_WAIT);
    t->provider->looked_ms = 0;
}

static void on_wait(struct btask *t) {
    struct rt_provider *p = t->provider;
    const int64_t now = rt_loop_now_ms(p->env.loop);
    struct rt_error err = {0};
    if (t->limit_ms && now > t->limit_ms) {
        rt_error_set(&err, RT_E_TIMEOUT, "%s did not come up in time", p->conf->name);
        rt_error_hint(&err, "`up_timeout` says how long it may take beside the queue; `--keep` leaves what was made");
        fail(t, &err);
        return;
    }
    if (p->looked_ms && now - p->looked_ms < LOOK_MS)
        return;
    p->looked_ms = now;
    look(t, waited);
}

void batch_tick(struct rt_provider *p) {
    struct btask *t = p->task;
    if (!t || p->op)
        return;
    if (t->phase == BT_REACH)
        reach(t);
    else if (t->phase == BT_WAIT)
        on_wait(t);
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
        task_end(t);
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
