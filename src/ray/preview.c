/* What a submission would send, worked out the same way and not sent. */
#include "ray/plan.h"
#include "ray/private.h"

struct preview {
    struct rt_op op;
    struct rt_plan *plan; /* NULL: it could not be made */
    struct rt_op *work;
    bool plan_away, show_env;
    struct rt_error err;
    rt_submit_preview_fn *fn;
    void *ctx;
};

static void preview_free(struct preview *o) {
    if (o->plan_away)
        atomic_store(&o->plan->cancel, true);
    else
        rt_plan_destroy(o->plan);
    rt_op_cancel(o->work);
    free(o);
}

static void preview_cancel(struct rt_op *op) {
    preview_free((struct preview *)op);
}

static void fill(const struct rt_plan *p, struct rt_submit_preview *out) {
    out->files = out->ignored = out->bytes = -1;
    rt_strs_copy(&out->warnings, &p->warnings);
    if (p->packages.n == 0 || !p->packages.v[0].working_dir)
        return;
    const struct rt_package *k = &p->packages.v[0].made;
    out->files = k->files;
    out->ignored = k->ignored;
    out->bytes = k->bytes;
    out->package_uri = rt_strdup(k->uri);
}

static void made(void *ctx) {
    struct preview *o = ctx;
    o->work = NULL;
    o->plan_away = false;
    struct rt_error err = o->plan ? o->plan->err : o->err;
    struct rt_submit_preview p = {0};
    if (err.code == RT_OK)
        p.body = rt_plan_body(o->plan, true, o->show_env, &err);
    if (err.code == RT_OK)
        fill(o->plan, &p);
    rt_submit_preview_fn *fn = o->fn;
    void *fn_ctx = o->ctx;
    preview_free(o);
    fn(fn_ctx, err.code == RT_OK ? &p : NULL, err.code == RT_OK ? NULL : &err);
    free(p.body);
    free(p.package_uri);
    rt_strs_deinit(&p.warnings);
}

struct rt_op *rt_submit_preview(struct rt_ray *r, const struct rt_submit *s, bool show_env,
                                rt_submit_preview_fn *fn, void *ctx) {
    struct preview *o = RT_NEW(struct preview);
    o->op.cancel = preview_cancel;
    o->show_env = show_env;
    o->fn = fn;
    o->ctx = ctx;
    o->plan = rt_plan_create(s, &o->err);
    o->plan_away = o->plan != NULL;
    o->work = o->plan ? rt_plan_run(r->loop, o->plan, rt_plan_prepare, made, o)
                      : rt_loop_defer(r->loop, made, o);
    return &o->op;
}
