/* `run`: create, wait, submit, follow, tear down. */
#include "app/work.h"
#include "app/act.h"
#include "app/work_left.h"
#include "base/fs.h"
#include "base/log.h"
#include "ray/follow.h"
#include <stdlib.h>

enum { READY_MS = 180 * 1000, AGAIN_MS = 2000, LOST_MS = 5 * 60 * 1000 };

enum phase { W_UP, W_WAIT, W_SUBMIT, W_FOLLOW, W_DOWN, W_OVER };

struct work {
    struct work *next;
    struct rt_app *app;
    struct rt_operation *operation;
    enum phase phase;
    char *name;             /* of the cluster */
    struct rt_call submit;
    struct rt_up_opts up;
    bool keep, kept;
    int64_t lost_ms;        /* how long the cluster may be out of reach */
    struct rt_operation *inner; /* up, submit, down */
    size_t *steps;          /* of ours, for each of the inner one's */
    size_t nsteps, nended;
    size_t step;            /* waiting, following */
    int64_t until_ms;       /* loop time: the end of patience with a cluster that came up but does not answer */
    struct rt_op *op;
    struct rt_follow *follow;
    struct rt_timer *timer; /* the next try; out of reach for too long */
    struct rt_op *soon;
    char *job;
    int job_status;
    struct rt_error first;  /* the first thing that went wrong */
    void (*data)(void *ctx, const char *data, size_t n);
    void *data_ctx;
};

static void finish(struct work *w);
static void tear_down(struct work *w);
static void wait_for(struct work *w);

/* ---- the inner operation's steps are ours ---- */

static void mirror(void *ctx, struct rt_operation *op) {
    struct work *w = ctx;
    for (; w->nsteps < op->nsteps; w->nsteps++) {
        w->steps = rt_realloc(w->steps, (w->nsteps + 1) * sizeof(*w->steps));
        const struct rt_step *s = &op->steps[w->nsteps];
        w->steps[w->nsteps] = rt_operation_step(w->operation, s->subject, "%s", s->title);
    }
    for (; w->nended < w->nsteps && op->steps[w->nended].state != RT_OPS_RUNNING; w->nended++) {
        const struct rt_step *s = &op->steps[w->nended];
        struct rt_error err = {0};
        if (s->state != RT_OPS_DONE)
            rt_error_set(&err, RT_E_FAILED, "%s", s->last_line ? s->last_line : "failed");
        rt_operation_step_end(w->operation, w->steps[w->nended], err.code ? &err : NULL);
    }
}

static void follow_inner(struct work *w, struct rt_operation *op, rt_operation_done_fn *done) {
    w->inner = op;
    w->nsteps = w->nended = 0;
    rt_operation_on_change(op, mirror, w);
    rt_operation_on_done(op, done, w);
    mirror(w, op);
}

/* The one that ended; its steps are told to the end. */
static void inner_over(struct work *w, struct rt_operation *op) {
    mirror(w, op);
    for (; w->nended < w->nsteps; w->nended++)
        rt_operation_step_end(w->operation, w->steps[w->nended], op->state == RT_OPS_FAILED ? &op->error : NULL);
    w->inner = NULL;
}

static void drop_inner(struct work *w) {
    if (!w->inner)
        return;
    rt_operation_ignore(w->inner, w);
    w->inner = NULL;
}

static void went_wrong(struct work *w, const struct rt_error *err) {
    if (!w->first.code)
        w->first = *err;
}

static struct session *session_of(struct work *w, struct rt_error *err) {
    return session_get(w->app, w->name, err);
}

/* ---- following ---- */

static void stop_following(struct work *w) {
    rt_op_drop(&w->op);
    rt_op_drop(&w->soon);
    rt_timer_stop(w->timer);
    w->timer = NULL;
    rt_follow_destroy(w->follow);
    w->follow = NULL;
}

static void followed(void *ctx) {
    struct work *w = ctx;
    w->soon = NULL;
    stop_following(w);
    rt_operation_step_end(w->operation, w->step, w->first.code ? &w->first : NULL);
    tear_down(w);
}

/* A follow is not destroyed inside its own callback. */
static void over_soon(struct work *w) {
    if (!w->soon)
        w->soon = rt_loop_defer(w->app->loop, followed, w);
}

static void got_data(void *ctx, const char *data, size_t n) {
    struct work *w = ctx;
    rt_operation_output(w->operation, w->step, data, n);
    if (w->data)
        w->data(w->data_ctx, data, n);
}

static void out_of_reach(void *ctx) {
    struct work *w = ctx;
    char age[24];
    w->timer = NULL;
    rt_error_set(&w->first, RT_E_UNREACHABLE, "%s was out of reach for %s while the job %s ran", w->name,
                 rt_fmt_age(age, sizeof age, w->lost_ms), w->job);
    over_soon(w);
}

static void got_event(void *ctx, enum rt_follow_event e, const char *text, const struct rt_job *job) {
    struct work *w = ctx;
    (void)text;
    if (e == RT_FOLLOW_LOST) {
        if (!w->timer)
            w->timer = rt_timer_start(w->app->loop, w->lost_ms, 0, out_of_reach, w);
        return;
    }
    rt_timer_stop(w->timer);
    w->timer = NULL;
    if (e != RT_FOLLOW_ENDED)
        return;
    w->job_status = job ? job->status : RT_JOB_OTHER;
    if (job && job->status != RT_JOB_SUCCEEDED)
        rt_error_set(&w->first, RT_E_REMOTE, "the job %s ended %s%s%.300s", w->job, job->status_text, job->message ? ": " : "",
                     job->message ? job->message : "");
    over_soon(w);
}

static void got_failure(void *ctx, const struct rt_error *err) {
    struct work *w = ctx;
    went_wrong(w, err);
    over_soon(w);
}

static void follow(struct work *w) {
    struct rt_error err = {0};
    struct session *s = session_of(w, &err);
    struct rt_ray *ray = s ? session_ray(s, &err) : NULL;
    if (!ray) {
        went_wrong(w, &err);
        tear_down(w);
        return;
    }
    const struct rt_follow_opts o = {.job = w->job, .tail_bytes = -1, .follow = true, .until_job_ends = true};
    const struct rt_follow_callbacks cb = {.data = got_data, .event = got_event, .failed = got_failure, .ctx = w};
    w->phase = W_FOLLOW;
    w->step = rt_operation_step(w->operation, w->name, "job %s", w->job);
    w->follow = rt_follow_start(ray, &o, &cb);
}

/* ---- submitting ---- */

static void submitted(void *ctx, struct rt_operation *op) {
    struct work *w = ctx;
    inner_over(w, op);
    if (op->state == RT_OPS_DONE) {
        w->job = rt_strdup(op->result);
        follow(w);
        return;
    }
    went_wrong(w, &op->error);
    tear_down(w);
}

static void submitting(void *ctx, const struct rt_error *err, const char *message, struct rt_operation *op) {
    struct work *w = ctx;
    (void)message;
    w->op = NULL;
    if (op) {
        follow_inner(w, op, submitted);
        return;
    }
    went_wrong(w, err);
    tear_down(w);
}

/* ---- until it answers ---- */

static void try_again(void *ctx) {
    struct work *w = ctx;
    w->timer = NULL;
    wait_for(w);
}

static void answered(void *ctx, const struct rt_error *err) {
    struct work *w = ctx;
    w->op = NULL;
    if (err && rt_loop_now_ms(w->app->loop) < w->until_ms) {
        w->timer = rt_timer_start(w->app->loop, AGAIN_MS, 0, try_again, w);
        return;
    }
    rt_operation_step_end(w->operation, w->step, err);
    if (err) {
        went_wrong(w, err);
        tear_down(w);
        return;
    }
    w->phase = W_SUBMIT;
    w->op = rt_call_run(w->app, &w->submit, submitting, w);
}

static void wait_for(struct work *w) {
    w->op = rt_app_wait(w->app, w->name, RT_TOPIC_BIT(RT_T_CLUSTER) | RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_JOBS), 0,
                        answered, w);
}

/* ---- up ---- */

static void came_up(void *ctx, struct rt_operation *op) {
    struct work *w = ctx;
    inner_over(w, op);
    if (op->state == RT_OPS_DONE && !w->first.code) {
        w->phase = W_WAIT;
        w->until_ms = rt_loop_now_ms(w->app->loop) + READY_MS;
        w->step = rt_operation_step(w->operation, w->name, "waiting for its answer");
        wait_for(w);
        return;
    }
    if (op->state == RT_OPS_FAILED)
        went_wrong(w, &op->error);
    tear_down(w);
}

/* ---- down ---- */

static void is_down(void *ctx, struct rt_operation *op) {
    struct work *w = ctx;
    inner_over(w, op);
    if (op->state == RT_OPS_FAILED)
        went_wrong(w, &op->error);
    finish(w);
}

static void tear_down(struct work *w) {
    struct rt_error err = {0};
    w->phase = W_DOWN;
    w->kept = w->keep && rt_journal_lives(w->name);
    if (w->kept || !rt_journal_lives(w->name)) {
        finish(w);
        return;
    }
    struct session *s = session_of(w, &err);
    struct rt_operation *op = s ? s->conf->ops->down(s->provider, &err) : NULL;
    if (op) {
        follow_inner(w, op, is_down);
        return;
    }
    went_wrong(w, &err);
    finish(w);
}

/* ---- the end ---- */

/* Nothing of it stays: off the list, its directory too. Not inside a callback of what is destroyed. */
static void forget(void *ctx) {
    struct work *w = ctx;
    struct rt_error err = {0};
    w->soon = NULL;
    work_left_forget(w->app, w->name, &err);
    if (err.code)
        rt_log(RT_LOG_WARN, "%s: %s", w->name, err.message);
}

static void finish(struct work *w) {
    const bool gone = !rt_journal_lives(w->name);
    struct rt_error err = w->first;
    w->phase = W_OVER;
    if (w->kept)
        work_left_kept(w->name);
    if (!gone && err.code && err.code != RT_E_CANCELLED && !err.hint[0])
        rt_error_hint(&err, "%s is still there: `raytui down %s` removes it", w->name, w->name);
    char *said = rt_strf("%s%s%s", w->job ? w->job : "", w->job ? " SUCCEEDED" : "", gone ? "" : w->kept ? "; its cluster is kept" : "");
    rt_operation_finish(w->operation, err.code ? &err : NULL, said);
    free(said);
    if (gone)
        w->soon = rt_loop_defer(w->app->loop, forget, w);
}

/* The program ends: what runs goes on, and is found at the next start. */
static void let_go(struct work *w) {
    struct rt_error err = {0};
    drop_inner(w);
    stop_following(w);
    w->phase = W_OVER;
    rt_error_set(&err, RT_E_CANCELLED, "left");
    rt_operation_finish(w->operation, &err, NULL);
}

static void cancel(void *ctx) {
    struct work *w = ctx;
    struct rt_error err = {0};
    if (w->operation->leaving) {
        let_go(w);
        return;
    }
    rt_error_set(&err, RT_E_CANCELLED, "cancelled");
    went_wrong(w, &err);
    switch (w->phase) {
    case W_UP:
        rt_operation_cancel(w->inner); /* it cleans up, and then came_up runs */
        break;
    case W_SUBMIT:
        if (w->inner) {
            struct rt_operation *submit = w->inner;
            drop_inner(w);
            rt_operation_cancel(submit);
        }
        stop_following(w);
        tear_down(w);
        break;
    case W_WAIT:
    case W_FOLLOW:
        stop_following(w);
        tear_down(w);
        break;
    case W_DOWN:
    case W_OVER:
        break;
    }
}

/* ---- the verb ---- */

static bool patience(const struct rt_call *c, struct work *w, struct rt_error *err) {
    const char *timeout = rt_call_option(c, "timeout"), *lost = rt_call_option(c, "lost");
    w->lost_ms = LOST_MS;
    return (!timeout || rt_parse_duration(timeout, &w->up.timeout_ms, err)) && (!lost || rt_parse_duration(lost, &w->lost_ms, err));
}

/* Its operations have gone before. */
static void work_free(struct work *w) {
    stop_following(w);
    rt_call_deinit(&w->submit);
    free(w->steps);
    free(w->job);
    free(w->name);
    free(w);
}

/* The call `submit` of the same words, on the cluster that is made. */
static void submit_call(const struct rt_call *c, const char *cluster, struct rt_call *out) {
    static const char *const own[] = {"cluster", "address", "keep", "timeout", "lost", "dry-run"};
    *out = (struct rt_call){.def = rt_action_find("submit"), .cluster = rt_strdup(cluster)};
    rt_strs_copy(&out->command, &c->command);
    for (size_t i = 0; i < c->options.n; i++) {
        const size_t n = strcspn(c->options.v[i], "=");
        bool ours = false;
        for (size_t k = 0; k < RT_COUNT(own); k++)
            ours = ours || (strlen(own[k]) == n && strncmp(c->options.v[i], own[k], n) == 0);
        if (!ours)
            rt_strs_add(&out->options, c->options.v[i]);
    }
}

static bool can_run(const struct rt_call *c, const struct rt_cluster_conf *conf, struct rt_error *err) {
    const uint32_t need = RT_CAP_UP | RT_CAP_DOWN;
    if (!c->command.n && !rt_call_option(c, "entrypoint")) {
        rt_error_set(err, RT_E_USAGE, "run: no command");
        return rt_error_hint(err, "raytui run --cluster SPEC -- python train.py");
    }
    if ((conf->ops->caps & need) != need)
        return rt_error_set(err, RT_E_UNSUPPORTED, "%s: provider %s makes no clusters", conf->name, conf->provider);
    return true;
}

static bool begin(struct rt_app *a, const struct rt_call *c, struct work *w, struct rt_error *err) {
    w->app = a;
    w->keep = w->up.keep = rt_call_option(c, "keep") != NULL;
    if (!patience(c, w, err))
        return false;
    const struct rt_cluster_conf *conf = work_left_make(a, c->args.v[0], err);
    if (!conf)
        return false;
    w->name = rt_strdup(conf->name);
    return can_run(c, conf, err);
}

/* What the far side would have made is the result; nothing of it stays. */
static void validated(void *ctx, struct rt_operation *op) {
    struct work *w = ctx;
    char *plan = rt_strdup(op->result);
    const struct rt_error err = op->state == RT_OPS_DONE ? (struct rt_error){0} : op->error;
    inner_over(w, op);
    w->phase = W_OVER;
    rt_operation_finish(w->operation, err.code ? &err : NULL, plan);
    w->soon = rt_loop_defer(w->app->loop, forget, w);
    free(plan);
}

/* The far side is asked what it thinks of the cluster, where it can be. False: `w` is the caller's still. */
static bool validate(struct rt_app *a, const struct rt_call *c, struct work *w, struct rt_error *err) {
    struct session *s = session_of(w, err);
    w->up.dry_run = true;
    struct rt_operation *up = s ? s->conf->ops->up(s->provider, &w->up, err) : NULL;
    if (!up)
        return false;
    char *title = rt_strf("run on %s: dry run", w->name);
    w->operation = rt_operation_start(a->operations, "run", c->args.v[0], title, cancel, w);
    w->next = a->p->works;
    a->p->works = w;
    follow_inner(w, up, validated);
    free(title);
    return true;
}

/* What would be done, in words. */
static struct rt_op *dry_run(struct rt_app *a, struct work *w, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    struct rt_buf plan;
    struct session *s = session_of(w, &err);
    rt_buf_init(&plan, RT_MIB);
    w->up.dry_run = true;
    if (s && s->conf->ops->plan)
        s->conf->ops->plan(s->provider, "up", &w->up, &plan, &err);
    struct rt_op *op = act_answer(a, done, ctx, err.code ? &err : NULL, NULL, "%s", rt_buf_str(&plan));
    rt_buf_deinit(&plan);
    return op;
}

struct rt_op *run_work(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0}, ignored = {0};
    struct work *w = RT_NEW(struct work);
    struct session *s = NULL;
    struct rt_operation *up = NULL;
    const bool dry = rt_call_option(c, "dry-run") != NULL;
    bool ok = begin(a, c, w, &err);
    if (ok && dry && rt_config_cluster(a->config, w->name)->ops->validates) {
        if (validate(a, c, w, &err))
            return act_answer(a, done, ctx, NULL, w->operation, "%s: validated", w->name);
        ok = false;
    }
    if (ok && !dry) {
        s = work_left_note(a, w->name, c, &err) ? session_of(w, &err) : NULL;
        up = s ? s->conf->ops->up(s->provider, &w->up, &err) : NULL;
        ok = up != NULL;
    }
    if (!ok || dry) {
        struct rt_op *op = ok ? dry_run(a, w, done, ctx) : act_answer(a, done, ctx, &err, NULL, " ");
        if (w->name && !rt_journal_lives(w->name))
            work_left_forget(a, w->name, &ignored);
        work_free(w);
        return op;
    }
    submit_call(c, w->name, &w->submit);
    char *line = c->command.n ? rt_call_text(&w->submit) : rt_strdup(rt_call_option(c, "entrypoint"));
    char *title = rt_strf("run on %s: %.100s", w->name, line);
    w->operation = rt_operation_start(a->operations, "run", c->args.v[0], title, cancel, w);
    free(title);
    free(line);
    w->next = a->p->works;
    a->p->works = w;
    follow_inner(w, up, came_up);
    if (!s->attached)
        session_attach(s, true);
    return act_answer(a, done, ctx, NULL, w->operation, "%s: coming up", w->name);
}

void works_destroy(struct rt_app *a) {
    while (a->p->works) {
        struct work *w = a->p->works;
        a->p->works = w->next;
        work_free(w);
    }
}

bool works_use(const struct rt_app *a, const char *cluster) {
    const struct work *w = a->p->works;
    while (w && !(w->phase != W_OVER && rt_streq(w->name, cluster)))
        w = w->next;
    return w != NULL;
}

static struct work *work_of(const struct rt_app *a, const struct rt_operation *op) {
    struct work *w = a->p->works;
    while (w && w->operation != op)
        w = w->next;
    return w;
}

bool rt_work_status(const struct rt_app *a, const struct rt_operation *op, struct rt_work_status *out) {
    const struct work *w = work_of(a, op);
    *out = (struct rt_work_status){0};
    if (w)
        *out = (struct rt_work_status){.cluster = w->name, .job = w->job, .job_status = w->job_status, .kept = w->kept};
    return w != NULL;
}

void rt_work_on_data(struct rt_app *a, const struct rt_operation *op, void (*fn)(void *ctx, const char *data, size_t n), void *ctx) {
    struct work *w = work_of(a, op);
    if (w) {
        w->data = fn;
        w->data_ctx = ctx;
    }
}
