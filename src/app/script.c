/* A tiny job run to its end, for providers that must ask Ray something only Python can (request_resources). */
#include "app/session.h"
#include "ray/follow.h"
#include <stdlib.h>

enum { MAX_LOG = 256 * 1024, NEVER_MS = 24 * 3600 * 1000 };

struct script {
    struct rt_op op;
    struct rt_ray *ray;
    struct rt_op *submit;
    struct rt_follow *follow;
    struct rt_timer *soon; /* an error that was there at once */
    struct rt_buf log;
    struct rt_error err;
    void (*done)(void *ctx, const char *log, const struct rt_error *err);
    void *ctx;
};

static void end(struct script *s) {
    rt_op_drop(&s->submit);
    if (s->follow)
        rt_follow_destroy(s->follow);
    rt_timer_stop(s->soon);
    rt_buf_deinit(&s->log);
    free(s);
}

static void cancel(struct rt_op *op) {
    end((struct script *)op);
}

static void finish(void *ctx) {
    struct script *s = ctx;
    s->done(s->ctx, rt_buf_str(&s->log), s->err.code ? &s->err : NULL);
    end(s);
}

static void got_data(void *ctx, const char *data, size_t n) {
    struct script *s = ctx;
    rt_buf_add(&s->log, data, n);
}

/* A follow is not destroyed inside its own callback. */
static void finish_soon(struct script *s) {
    if (!s->soon)
        return;
    rt_timer_again(s->soon, 0, 0);
}

static void got_event(void *ctx, enum rt_follow_event e, const char *text, const struct rt_job *job) {
    struct script *s = ctx;
    (void)text;
    if (e != RT_FOLLOW_ENDED)
        return;
    if (job && job->status != RT_JOB_SUCCEEDED)
        rt_error_set(&s->err, RT_E_REMOTE, "the job %s ended %s: %.300s", job->id, job->status_text,
                     job->message ? job->message : "");
    finish_soon(s);
}

static void got_failure(void *ctx, const struct rt_error *err) {
    struct script *s = ctx;
    s->err = *err;
    finish_soon(s);
}

static void submitted(void *ctx, const char *submission_id, const struct rt_error *err) {
    struct script *s = ctx;
    s->submit = NULL;
    if (err) {
        s->err = *err;
        finish_soon(s);
        return;
    }
    const struct rt_follow_opts o = {.job = submission_id, .tail_bytes = -1, .follow = true, .until_job_ends = true};
    const struct rt_follow_callbacks cb = {.data = got_data, .event = got_event, .failed = got_failure, .ctx = s};
    s->follow = rt_follow_start(s->ray, &o, &cb);
}

struct rt_op *run_script(void *ctx, const char *cluster, const char *entrypoint,
                         void (*done)(void *fn_ctx, const char *log, const struct rt_error *err), void *fn_ctx) {
    struct rt_app *a = ctx;
    struct script *s = RT_NEW(struct script);
    s->op.cancel = cancel;
    s->done = done;
    s->ctx = fn_ctx;
    rt_buf_init(&s->log, MAX_LOG);
    struct session *session = session_get(a, cluster, &s->err);
    s->ray = session ? session_ray(session, &s->err) : NULL;
    s->soon = rt_timer_start(a->loop, s->ray ? NEVER_MS : 0, 0, finish, s);
    if (!s->ray)
        return &s->op;
    struct rt_submit job;
    rt_submit_init(&job);
    job.entrypoint = entrypoint;
    rt_strs_add(&job.metadata, "job_name=raytui");
    const struct rt_submit_callbacks cb = {.done = submitted, .ctx = s};
    s->submit = rt_ray_submit(s->ray, &job, &cb);
    rt_submit_deinit(&job);
    return &s->op;
}
