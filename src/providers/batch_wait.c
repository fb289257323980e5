/* Until Ray is there: the queue, the head, its workers. */
#include "providers/batch_impl.h"
#include <stdlib.h>
#include <string.h>

enum {
    LOOK_MS = 2000,
    PATIENCE_MS = 20000, /* for a worker's job to leave the queue once the head is there */
    JOIN_MS = 180000
};

static void head_failed(struct btask *t) {
    struct bjob *head = t->provider->jobs[0];
    struct rt_error err = {0};
    rt_error_set(&err, RT_E_REMOTE, "job %s of the head has ended: %s", head->id ? head->id : "?",
                 head->ended ? head->ended : head->plain ? head->plain : "it is not in the queue any more");
    if (head->tail.len) {
        batch_task_say(t, rt_buf_str(&head->tail));
        rt_error_hint(&err, "its last line: %.250s", head->log);
    }
    batch_task_fail(t, &err);
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
    batch_task_fail(t, &err);
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
    batch_task_note(t, &err);
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
        batch_task_step(t, p->conf->name, "workers join");
    }
    for (size_t i = 1; i < p->njobs; i++)
        settled = worker_settled(t, p->jobs[i]) && settled;
    const size_t missing = t->is_up ? fixed_missing(p) : 0;
    if (!settled || (missing && now - t->ready_ms < JOIN_MS))
        return;
    if (missing) {
        rt_error_set(&err, RT_E_REMOTE, "%zu host%s of job %s %s not join: %s", missing, rt_plural((int64_t)missing), p->jobs[0]->id,
                     missing == 1 ? "does" : "do", p->jobs[0]->log ? p->jobs[0]->log : "");
        batch_task_note(t, &err);
    }
    add_waiting(t);
    batch_task_end(t);
}

static void say_wait(struct btask *t) {
    struct rt_provider *p = t->provider;
    const struct rt_cluster *c = p->cluster;
    const struct bjob *head = p->jobs[0];
    if (c->state == RT_CL_QUEUED && c->state_detail)
        batch_task_say(t, c->state_detail);
    else if (head->log)
        batch_task_say(t, head->log);
}

static void waited(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    struct btask *t = p->task;
    struct bjob *head = p->jobs[0];
    const int64_t now = rt_loop_now_ms(p->env.loop), passed = now - t->since_ms;
    p->op = NULL;
    t->since_ms = now;
    if (err || r->status != 0) { /* the login node is away: its jobs are not */
        batch_task_say(t, err ? err->message : "the login node does not answer");
        return;
    }
    batch_take_look(p, r->out);
    batch_show(p);
    if (p->queue_error.code) {
        batch_task_say(t, p->queue_error.message);
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

void batch_task_wait(struct btask *t) {
    batch_task_end_step(t, NULL);
    if (!t->provider->up)
        batch_task_step(t, "head", "in the queue, then starting Ray");
    batch_task_enter(t, BT_WAIT);
    t->provider->looked_ms = 0;
}

void batch_task_on_wait(struct btask *t) {
    struct rt_provider *p = t->provider;
    const int64_t now = rt_loop_now_ms(p->env.loop);
    struct rt_error err = {0};
    if (t->limit_ms && now > t->limit_ms) {
        rt_error_set(&err, RT_E_TIMEOUT, "%s did not come up in time", p->conf->name);
        rt_error_hint(&err, "`up_timeout` says how long it may take beside the queue; `--keep` leaves what was made");
        batch_task_fail(t, &err);
        return;
    }
    if (p->looked_ms && now - p->looked_ms < LOOK_MS)
        return;
    p->looked_ms = now;
    batch_task_look(t, waited);
}
