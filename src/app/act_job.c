/* Verbs on jobs: stop, delete. Several at once; what could not be done is listed, the rest is done. */
#include "app/act.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { STOP_WAIT_MS = 60000, STOP_POLL_MS = 500 };

struct job_work {
    struct rt_app *app;
    struct session *session;
    struct rt_ray *ray;
    struct rt_operation *operation;
    struct rt_strs jobs; /* ids as Ray knows them */
    size_t next, step, failed;
    bool wait, remove;
    struct rt_op *op;
    struct rt_timer *timer;
    int64_t waiting_since_ms;
    struct rt_error first;
    bool cancelled;
};

static void next_job(struct job_work *w);

static void work_free(struct job_work *w) {
    rt_op_drop(&w->op);
    rt_timer_stop(w->timer);
    rt_strs_deinit(&w->jobs);
    free(w);
}

static void job_ended(struct job_work *w, const struct rt_error *err) {
    rt_operation_step_end(w->operation, w->step, err);
    if (err) {
        if (!w->failed++)
            w->first = *err;
    }
    w->next++;
    next_job(w);
}

static void poll_job(void *ctx);

static void look_later(struct job_work *w) {
    if (w->timer)
        rt_timer_again(w->timer, STOP_POLL_MS, 0);
    else
        w->timer = rt_timer_start(w->app->loop, STOP_POLL_MS, 0, poll_job, w);
}

static void got_job(void *ctx, rt_jobs *b, const struct rt_error *err) {
    struct job_work *w = ctx;
    w->op = NULL;
    struct rt_error e = {0};
    if (err) {
        job_ended(w, err);
        return;
    }
    const struct rt_job *j = &b->v[0];
    rt_store_put_job(w->app->store, w->session->cluster, j);
    if (rt_job_ended((enum rt_job_status)j->status)) {
        job_ended(w, NULL);
    } else if (rt_loop_now_ms(w->app->loop) - w->waiting_since_ms > STOP_WAIT_MS) {
        rt_error_set(&e, RT_E_TIMEOUT, "%s: asked to stop, still %s", j->id, j->status_text);
        if (j->status == RT_JOB_PENDING)
            rt_error_hint(&e, "Ray stops a pending job only when its start times out (15 min)");
        job_ended(w, &e);
    } else {
        look_later(w);
    }
}

static void poll_job(void *ctx) {
    struct job_work *w = ctx;
    w->op = rt_ray_job(w->ray, w->jobs.v[w->next], got_job, w);
}

static void asked(void *ctx, const struct rt_error *err) {
    struct job_work *w = ctx;
    w->op = NULL;
    if (!err && w->remove)
        rt_store_drop_job(w->app->store, w->session->cluster, w->jobs.v[w->next]);
    if (err || w->remove) {
        job_ended(w, err);
        return;
    }
    why_stop_asked(w->session->cluster->name, w->jobs.v[w->next]);
    if (!w->wait) {
        job_ended(w, NULL);
    } else {
        w->waiting_since_ms = rt_loop_now_ms(w->app->loop);
        rt_operation_output(w->operation, w->step, "asked to stop, waiting for its end\n", 35);
        look_later(w);
    }
}

static void finish(struct job_work *w) {
    struct rt_error err = w->first;
    char result[160];
    const size_t done = w->jobs.n - w->failed;
    snprintf(result, sizeof result, "%zu job%s %s", done, done == 1 ? "" : "s", w->remove ? "deleted" : "stopped");
    session_poke(w->session, RT_TOPIC_BIT(RT_T_JOBS));
    if (w->cancelled) {
        rt_error_set(&err, RT_E_CANCELLED, "cancelled");
    } else if (w->failed && w->jobs.n > 1) {
        rt_error_wrap(&err, "%zu of %zu failed, first", w->failed, w->jobs.n);
        if (done)
            err.code = RT_E_PARTIAL;
    }
    rt_operation_finish(w->operation, err.code ? &err : NULL, result);
    work_free(w);
}

static void next_job(struct job_work *w) {
    if (w->next >= w->jobs.n || w->cancelled) {
        finish(w);
        return;
    }
    const char *id = w->jobs.v[w->next];
    w->step = rt_operation_step(w->operation, id, w->remove ? "deleting" : "stopping");
    w->op = w->remove ? rt_ray_delete_job(w->ray, id, asked, w) : rt_ray_stop_job(w->ray, id, asked, w);
}

static void cancel_work(void *ctx) {
    struct job_work *w = ctx;
    struct rt_error err = {0};
    w->cancelled = true;
    rt_op_drop(&w->op);
    rt_error_set(&err, RT_E_CANCELLED, "cancelled");
    rt_operation_step_end(w->operation, w->step, &err);
    finish(w);
}

/* Ids as given may be prefixes; what the store does not know (yet) is taken as it stands. */
static bool whole_ids(struct rt_app *a, const struct rt_call *c, struct rt_strs *out, struct rt_error *err) {
    const struct rt_cluster *cl = rt_store_cluster(a->store, c->cluster);
    for (size_t i = 0; i < c->args.n; i++) {
        const struct rt_job *j = rt_find_job(cl, c->args.v[i], err);
        if (!j && (err->code != RT_E_NOT_FOUND || cl->fresh[RT_T_JOBS].at_ms))
            return false;
        rt_strs_add(out, j ? j->id : c->args.v[i]);
    }
    return true;
}

static struct rt_op *run_on_jobs(struct rt_app *a, const struct rt_call *c, bool remove, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    struct session *s = act_session(a, c, &err);
    struct rt_ray *ray = s ? session_ray(s, &err) : NULL;
    struct rt_strs ids = {0};
    if (!ray || !whole_ids(a, c, &ids, &err)) {
        rt_strs_deinit(&ids);
        return act_answer(a, done, ctx, &err, NULL, " ");
    }
    struct job_work *w = RT_NEW(struct job_work);
    char *title = ids.n == 1 ? rt_strf("%s %s", c->def->name, ids.v[0]) : rt_strf("%s %zu jobs", c->def->name, ids.n);
    w->app = a;
    w->session = s;
    w->ray = ray;
    w->remove = remove;
    w->wait = !remove && !rt_call_option(c, "no-wait");
    w->jobs = ids;
    w->operation = rt_operation_start(a->operations, c->def->name, c->cluster, title, cancel_work, w);
    struct rt_op *answer = act_answer(a, done, ctx, NULL, w->operation, "%s: asked", title);
    free(title);
    next_job(w);
    return answer;
}

struct rt_op *run_stop(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    return run_on_jobs(a, c, false, done, ctx);
}

struct rt_op *run_delete(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    return run_on_jobs(a, c, true, done, ctx);
}

static bool ready_jobs(struct rt_app *a, const struct rt_call *c, bool want_ended, struct rt_error *err) {
    const struct rt_cluster *cl = rt_store_cluster(a->store, c->cluster);
    for (size_t i = 0; i < c->args.n; i++) {
        struct rt_error ignored = {0};
        const struct rt_job *j = rt_find_job(cl, c->args.v[i], &ignored);
        if (!j)
            continue;
        const bool ended = rt_job_ended((enum rt_job_status)j->status);
        if (want_ended && !ended)
            return rt_error_set(err, RT_E_CONFLICT, "%s is %s: stop it first", j->id, j->status_text);
        if (!want_ended && ended)
            return rt_error_set(err, RT_E_CONFLICT, "%s has ended (%s)", j->id, j->status_text);
        if (!j->submission_id) {
            rt_error_set(err, RT_E_UNSUPPORTED, "%s is a driver that connected by itself: Ray cannot %s it", j->id, c->def->name);
            return rt_error_hint(err, "end its process (pid %s on %s)", j->driver_pid ? j->driver_pid : "?",
                                 j->driver_ip ? j->driver_ip : "its machine");
        }
    }
    return true;
}

bool ready_stop(struct rt_app *a, const struct rt_call *c, struct rt_error *err) {
    return ready_jobs(a, c, false, err);
}

bool ready_delete(struct rt_app *a, const struct rt_call *c, struct rt_error *err) {
    return ready_jobs(a, c, true, err);
}

static bool by_us(const struct rt_job *j) {
    char *me = rt_user_at_host();
    const bool same = rt_streq(rt_kvs_get(&j->metadata, "submitted_by"), me);
    free(me);
    return same;
}

static bool ask_jobs(struct rt_app *a, const struct rt_call *c, const char *verb, const char *note,
                     struct rt_confirmation *out, struct rt_error *err) {
    const struct rt_cluster *cl = rt_store_cluster(a->store, c->cluster);
    struct rt_strs ids = {0};
    if (!whole_ids(a, c, &ids, err)) {
        rt_strs_deinit(&ids);
        return false;
    }
    struct rt_buf text;
    rt_buf_init(&text, 64 * RT_KIB);
    size_t others = 0;
    for (size_t i = 0; i < ids.n; i++) {
        const struct rt_job *j = rt_store_job(cl, ids.v[i]);
        others += j && !by_us(j);
        if (i < 10)
            rt_buf_addf(&text, "  %s  %.120s\n", ids.v[i], j && j->entrypoint ? j->entrypoint : "");
        else if (i == 10)
            rt_buf_addf(&text, "  and %zu more\n", ids.n - 10);
    }
    if (note)
        rt_buf_adds(&text, note);
    out->grade = RT_CONFIRM_YES_NO;
    char *foreign = others ? rt_strf(" (%zu not submitted by you)", others) : rt_strdup("");
    out->title = ids.n == 1 ? rt_strf("%s job %s on %s?%s", verb, ids.v[0], c->cluster, foreign)
                            : rt_strf("%s %zu jobs on %s?%s", verb, ids.n, c->cluster, foreign);
    free(foreign);
    out->text = rt_buf_take(&text);
    out->equivalent = rt_strcmp(verb, "Stop") == 0 ? rt_strf("ray job stop %s", ids.v[0]) : rt_strf("ray job delete %s", ids.v[0]);
    rt_strs_deinit(&ids);
    return true;
}

bool ask_stop(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err) {
    return ask_jobs(a, c, "Stop", NULL, out, err);
}

bool ask_delete(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err) {
    return ask_jobs(a, c, "Delete", "Only the record goes; the log file stays on its node.\n", out, err);
}
