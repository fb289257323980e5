/* Sends a submission: what Ray does not have yet is packed and uploaded, then the job is posted
 * under an id made here. When an answer is lost the job is looked for by that id, so that nothing
 * runs twice. */
#include "ray/plan.h"
#include "ray/private.h"

#include <string.h>

static const int64_t UPLOAD_TIMEOUT_MS = 30 * 60 * 1000;
static const int64_t POST_TIMEOUT_MS = 60000;
static const int64_t TICK_MS = 100;
enum { MAX_LOOKS = 5, MAX_POSTS = 3, MAX_UPLOADS = 2 };

struct submit {
    struct rt_op op;
    struct rt_ray *ray;
    struct rt_plan *plan;   /* NULL: it could not even be made */
    struct rt_op *call;     /* request or worker: one at a time */
    bool plan_away;         /* a worker has it and frees it when cancelled */
    struct rt_timer *later; /* before the next look */
    struct rt_timer *ticks; /* progress while packing */
    size_t package;         /* the one being looked at */
    int uploads, looks, posts;
    bool id_given;
    struct rt_error err; /* refused at once, or why the answer to the POST did not come */
    struct rt_submit_callbacks cb;
};

static void next_package(struct submit *s);
static void look_for_package(struct submit *s);
static void post(struct submit *s);
static void look_for_job(struct submit *s);

/* ---- life ---- */

static void submit_free(struct submit *s) {
    rt_timer_stop(s->later);
    rt_timer_stop(s->ticks);
    if (s->plan_away)
        atomic_store(&s->plan->cancel, true);
    else
        rt_plan_destroy(s->plan);
    rt_op_cancel(s->call);
    free(s);
}

static void submit_cancel(struct rt_op *op) {
    submit_free((struct submit *)op);
}

static void over(struct submit *s, const struct rt_error *err) {
    const struct rt_submit_callbacks cb = s->cb;
    const struct rt_error copy = err ? *err : (struct rt_error){0};
    char *id = s->plan ? rt_strdup(s->plan->submission_id) : NULL;
    submit_free(s);
    cb.done(cb.ctx, err ? NULL : id, err ? &copy : NULL);
    free(id);
}

static void tell(struct submit *s, const char *stage, int64_t done, int64_t total) {
    const struct rt_submit_progress p = {stage, done, total};
    if (s->cb.progress)
        s->cb.progress(s->cb.ctx, &p);
}

/* Nothing is known about what the far side did with it. */
static bool is_lost(const struct rt_error *err) {
    return err->code == RT_E_UNREACHABLE || err->code == RT_E_TIMEOUT || err->code == RT_E_PROTOCOL;
}

/* ---- packages ---- */

static struct rt_plan_package *current(struct submit *s) {
    return &s->plan->packages.v[s->package];
}

static char *package_path(const struct rt_plan_package *k) {
    char *name = rt_url_encode(k->made.uri + strlen("gcs://"));
    char *path = rt_strf("/api/packages/gcs/%s", name);
    free(name);
    return path;
}

static void uploaded(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct submit *s = ctx;
    s->call = NULL;
    if (!err) {
        s->package++;
        s->uploads = 0;
        next_package(s);
    } else if (is_lost(err) && ++s->uploads < MAX_UPLOADS) {
        look_for_package(s); /* it may have arrived */
    } else {
        struct rt_error e = *err;
        if (a && a->status == 413)
            rt_error_set(&e, RT_E_LIMIT, "Ray does not take a package of this size (%s)",
                         current(s)->made.uri);
        rt_error_wrap(&e, "uploading %s", current(s)->path);
        over(s, &e);
    }
}

static void upload_moved(void *ctx, int64_t sent, int64_t total) {
    tell(ctx, "uploading", sent, total);
}

static void upload(struct submit *s) {
    const struct rt_plan_package *k = current(s);
    char *path = package_path(k);
    const struct rt_ray_call c = {
        .method = "PUT",
        .route = "/api/packages/gcs/{name}",
        .path = path,
        .body_file = k->made.as_is ? k->made.as_is : k->made.zip_path,
        .timeout_ms = UPLOAD_TIMEOUT_MS,
        .progress = upload_moved,
    };
    tell(s, "uploading", 0, k->made.zip_bytes);
    s->call = rt_ray_send(s->ray, &c, uploaded, s);
    free(path);
}

static void packed(void *ctx) {
    struct submit *s = ctx;
    s->call = NULL;
    s->plan_away = false;
    rt_timer_stop(s->ticks);
    s->ticks = NULL;
    if (s->plan->err.code != RT_OK)
        over(s, &s->plan->err);
    else
        upload(s);
}

static void tick(void *ctx) {
    struct submit *s = ctx;
    tell(s, "packing", atomic_load(&s->plan->packed), current(s)->made.bytes);
}

static void pack(struct submit *s) {
    if (current(s)->made.zip_path || current(s)->made.as_is) {
        upload(s);
        return;
    }
    tell(s, "packing", 0, current(s)->made.bytes);
    s->plan->packing = s->package;
    s->ticks = rt_timer_start(s->ray->loop, TICK_MS, TICK_MS, tick, s);
    s->plan_away = true;
    s->call = rt_plan_run(s->ray->loop, s->plan, rt_plan_pack, packed, s);
}

static void package_looked_for(void *ctx, const struct rt_http_answer *a,
                               const struct rt_error *err) {
    struct submit *s = ctx;
    s->call = NULL;
    if (!err) {
        s->package++;
        next_package(s);
    } else if (a && a->status == 404) {
        pack(s);
    } else {
        struct rt_error e = *err;
        over(s, &e);
    }
}

static void look_for_package(struct submit *s) {
    char *path = package_path(current(s));
    const struct rt_ray_call c = {.route = "/api/packages/gcs/{name}", .path = path};
    s->call = rt_ray_send(s->ray, &c, package_looked_for, s);
    free(path);
}

static void next_package(struct submit *s) {
    if (s->package == s->plan->packages.n)
        post(s);
    else
        look_for_package(s);
}

/* ---- the job ---- */

static void look_again(void *ctx) {
    struct submit *s = ctx;
    rt_timer_stop(s->later);
    s->later = NULL;
    look_for_job(s);
}

static void give_up(struct submit *s) {
    struct rt_error e = s->err;
    rt_error_hint(&e, "it may have arrived all the same: look for job %s before submitting again",
                  s->plan->submission_id);
    over(s, &e);
}

static void job_looked_for(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    (void)a;
    struct submit *s = ctx;
    s->call = NULL;
    if (!err) {
        over(s, NULL);
    } else if (err->code == RT_E_NOT_FOUND && s->posts < MAX_POSTS) {
        post(s);
    } else if (err->code != RT_E_NOT_FOUND && ++s->looks < MAX_LOOKS) {
        s->later = rt_timer_start(s->ray->loop, ((int64_t)500 << s->looks) / s->ray->haste, 0,
                                  look_again, s);
    } else {
        give_up(s);
    }
}

static char *job_path(const struct submit *s) {
    return rt_strf("/api/jobs/%s", s->plan->submission_id); /* its letters need no encoding */
}

static void look_for_job(struct submit *s) {
    char *path = job_path(s);
    const struct rt_ray_call c = {.route = "/api/jobs/{id}", .path = path};
    s->call = rt_ray_send(s->ray, &c, job_looked_for, s);
    free(path);
}

static void posted(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    (void)a;
    struct submit *s = ctx;
    s->call = NULL;
    if (!err) {
        over(s, NULL);
        return;
    }
    s->err = *err;
    if (is_lost(err) || (err->code == RT_E_CONFLICT && s->posts > 1)) {
        look_for_job(s);
        return;
    }
    const bool no_agent = strstr(err->message, "No available agent") != NULL; /* nothing was begun */
    if (no_agent && s->posts < MAX_POSTS) {
        post(s);
        return;
    }
    struct rt_error e = *err;
    if (err->code == RT_E_CONFLICT)
        rt_error_hint(&e, "choose another submission id");
    else if (no_agent)
        rt_error_hint(&e, "no node's dashboard agent takes jobs: it is still starting, or "
                          "dashboard_agent.log of the head says why it does not listen");
    over(s, &e);
}

static void post(struct submit *s) {
    struct rt_error err = {0};
    char *body = rt_plan_body(s->plan, false, true, &err);
    if (!body) {
        over(s, &err);
        return;
    }
    const struct rt_ray_call c = {
        .method = "POST",
        .route = "/api/jobs/",
        .body = body,
        .body_len = strlen(body),
        .timeout_ms = POST_TIMEOUT_MS,
    };
    s->posts++;
    tell(s, "submitting", 0, 0);
    s->call = rt_ray_send(s->ray, &c, posted, s);
    free(body);
}

/* ---- start ---- */

/* An id that somebody chose may be taken: said before anything is uploaded. */
static void id_looked_for(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    (void)a;
    struct submit *s = ctx;
    s->call = NULL;
    struct rt_error e = {0};
    if (err && err->code == RT_E_NOT_FOUND) {
        next_package(s);
        return;
    }
    if (err) {
        e = *err;
    } else {
        rt_error_set(&e, RT_E_CONFLICT, "a job %s already exists", s->plan->submission_id);
        rt_error_hint(&e, "choose another submission id");
    }
    over(s, &e);
}

static void prepared(void *ctx) {
    struct submit *s = ctx;
    s->call = NULL;
    s->plan_away = false;
    struct rt_error err = s->plan->err;
    char *body = err.code == RT_OK ? rt_plan_body(s->plan, false, true, &err)
                                   : NULL; /* wrong numbers: now */
    free(body);
    if (err.code != RT_OK) {
        over(s, &err);
    } else if (s->id_given) {
        char *path = job_path(s);
        const struct rt_ray_call c = {.route = "/api/jobs/{id}", .path = path};
        s->call = rt_ray_send(s->ray, &c, id_looked_for, s);
        free(path);
    } else {
        next_package(s);
    }
}

static void refused(void *ctx) {
    struct submit *s = ctx;
    s->call = NULL;
    over(s, &s->err);
}

struct rt_op *rt_ray_submit(struct rt_ray *r, const struct rt_submit *job,
                            const struct rt_submit_callbacks *cb) {
    struct submit *s = RT_NEW(struct submit);
    s->op.cancel = submit_cancel;
    s->ray = r;
    s->cb = *cb;
    s->id_given = job->submission_id != NULL;
    s->plan = rt_plan_create(job, &s->err);
    s->plan_away = s->plan != NULL;
    s->call = s->plan ? rt_plan_run(r->loop, s->plan, rt_plan_prepare, prepared, s)
                      : rt_loop_defer(r->loop, refused, s);
    return &s->op;
}
