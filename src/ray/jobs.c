/* Jobs: /api/jobs/ as a batch, and one by its id. */
#include "ray/private.h"

#include <string.h>

static const struct rt_field driver_fields[] = {
    RT_FIELD(struct rt_job, driver_ip, "node_ip_address", RT_F_STR),
    RT_FIELD(struct rt_job, driver_pid, "pid", RT_F_STR),
    {0},
};

static const struct rt_field job_fields[] = {
    RT_FIELD(struct rt_job, type, "type", RT_F_STR),
    RT_FIELD(struct rt_job, submission_id, "submission_id", RT_F_STR),
    RT_FIELD(struct rt_job, job_id, "job_id", RT_F_STR),
    RT_FIELD(struct rt_job, status, "status", RT_F_ENUM, .names = rt_job_status_names),
    RT_FIELD(struct rt_job, status_text, "status", RT_F_STR, .required = true),
    RT_FIELD(struct rt_job, entrypoint, "entrypoint", RT_F_STR),
    RT_FIELD(struct rt_job, message, "message", RT_F_STR),
    RT_FIELD(struct rt_job, error_type, "error_type", RT_F_STR),
    RT_FIELD(struct rt_job, start_ms, "start_time", RT_F_I64, .absent = -1),
    RT_FIELD(struct rt_job, end_ms, "end_time", RT_F_I64, .absent = -1),
    RT_FIELD(struct rt_job, metadata, "metadata", RT_F_KV),
    RT_FIELD(struct rt_job, runtime_env, "runtime_env", RT_F_JSON),
    RT_FIELD(struct rt_job, driver_agent_http_address, "driver_agent_http_address", RT_F_STR),
    RT_FIELD(struct rt_job, driver_node_id, "driver_node_id", RT_F_STR),
    RT_FIELD(struct rt_job, driver_exit_code, "driver_exit_code", RT_F_I64, .absent = -1),
    {.key = "driver_info", .type = RT_F_OBJ, .sub = driver_fields},
    {0},
};

bool rt_job_decode(const json_t *v, struct rt_job *out, struct rt_arena *arena,
                   struct rt_error *err) {
    *out = (struct rt_job){0};
    if (!rt_decode(v, job_fields, out, arena, err))
        return false;
    out->id = out->submission_id ? out->submission_id : out->job_id;
    if (!out->id)
        return rt_error_set(err, RT_E_PROTOCOL, "neither submission_id nor job_id");
    return true;
}

/* ---- all ---- */

struct jobs {
    struct rt_op op;
    struct rt_list list;
    struct rt_arena *arena;
    RT_VEC(struct rt_job) v;
    rt_ray_jobs_fn *fn;
    void *ctx;
};

static void jobs_free(struct jobs *o) {
    rt_list_deinit(&o->list);
    rt_arena_destroy(o->arena);
    rt_vec_deinit(&o->v);
    free(o);
}

static void jobs_cancel(struct rt_op *op) {
    jobs_free((struct jobs *)op);
}

static bool job_came(void *ctx, const json_t *v, struct rt_error *err) {
    struct jobs *o = ctx;
    struct rt_job j;
    if (!rt_job_decode(v, &j, o->arena, err))
        return false;
    *rt_vec_push(&o->v) = j;
    return true;
}

/* Newest first; Ray's own order is none. */
static int by_start(const void *a, const void *b) {
    const struct rt_job *x = a, *y = b;
    if (x->start_ms != y->start_ms)
        return x->start_ms > y->start_ms ? -1 : 1;
    return rt_strcmp(x->id, y->id);
}

static void jobs_end(void *ctx, const struct rt_error *err) {
    struct jobs *o = ctx;
    rt_jobs b = {0};
    if (!err) {
        if (o->v.n > 0)
            qsort(o->v.v, o->v.n, sizeof(*o->v.v), by_start);
        b.n = o->v.n;
        b.v = rt_batch_array(o->arena, o->v.v, o->v.n, sizeof(*o->v.v));
        b.total = o->list.seen;
        b.left_out = o->list.left_out;
        b.arena = o->arena;
        o->arena = NULL;
        o->v.v = NULL;
    }
    const struct rt_error copy = err ? *err : (struct rt_error){0};
    rt_ray_jobs_fn *fn = o->fn;
    void *fn_ctx = o->ctx;
    jobs_free(o);
    fn(fn_ctx, &b, err ? &copy : NULL);
    rt_batch_deinit(&b);
}

struct rt_op *rt_ray_jobs(struct rt_ray *r, rt_ray_jobs_fn *fn, void *ctx) {
    struct jobs *o = RT_NEW(struct jobs);
    o->op.cancel = jobs_cancel;
    o->arena = rt_arena_create();
    o->fn = fn;
    o->ctx = ctx;
    o->list.item = job_came;
    o->list.end = jobs_end;
    o->list.ctx = o;
    rt_list_start(&o->list, r, "/api/jobs/", NULL, "");
    return &o->op;
}

/* ---- one ---- */

struct one {
    struct rt_op op;
    struct rt_op *call;
    char *id;
    rt_ray_jobs_fn *fn;
    void *ctx;
};

static void one_free(struct one *o) {
    rt_op_cancel(o->call);
    free(o->id);
    free(o);
}

static void one_cancel(struct rt_op *op) {
    one_free((struct one *)op);
}

static bool one_decode(const struct rt_http_answer *a, rt_jobs *b, struct rt_error *err) {
    json_t *v = rt_ray_json(a, "/api/jobs/{id}", err);
    if (!v)
        return false;
    b->arena = rt_arena_create();
    b->v = rt_arena_alloc(b->arena, sizeof(*b->v));
    const bool ok = rt_job_decode(v, b->v, b->arena, err);
    json_decref(v);
    if (!ok) {
        err->code = RT_E_PROTOCOL;
        return rt_error_wrap(err, "GET /api/jobs/{id}");
    }
    b->n = b->total = 1;
    return true;
}

static void one_answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct one *o = ctx;
    o->call = NULL;
    rt_jobs b = {0};
    struct rt_error e = {0};
    if (!err)
        one_decode(a, &b, &e);
    else if (err->code == RT_E_NOT_FOUND)
        rt_error_set(&e, RT_E_NOT_FOUND, "no job %s", o->id);
    else
        e = *err;
    rt_ray_jobs_fn *fn = o->fn;
    void *fn_ctx = o->ctx;
    one_free(o);
    fn(fn_ctx, &b, e.code != RT_OK ? &e : NULL);
    rt_batch_deinit(&b);
}

struct rt_op *rt_ray_job(struct rt_ray *r, const char *id, rt_ray_jobs_fn *fn, void *ctx) {
    struct one *o = RT_NEW(struct one);
    o->op.cancel = one_cancel;
    o->id = rt_strdup(id);
    o->fn = fn;
    o->ctx = ctx;
    char *encoded = rt_url_encode(id);
    char *path = rt_strf("/api/jobs/%s", encoded);
    const struct rt_ray_call c = {.route = "/api/jobs/{id}", .path = path};
    o->call = rt_ray_send(r, &c, one_answered, o);
    free(path);
    free(encoded);
    return &o->op;
}
