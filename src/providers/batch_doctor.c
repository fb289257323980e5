/* What the login node has and lacks, for `doctor`. */
#include "providers/batch_impl.h"
#include <stdlib.h>

struct doctor {
    struct rt_op op;
    struct rt_op *script;
    void (*done)(void *ctx, const char *lines, const struct rt_error *err);
    void *ctx;
};

static void cancel(struct rt_op *op) {
    struct doctor *d = (struct doctor *)op;
    rt_op_drop(&d->script);
    free(d);
}

static void told(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    const struct doctor d = *(struct doctor *)ctx;
    free(ctx);
    d.done(d.ctx, err ? NULL : r->out, err);
}

struct rt_op *batch_doctor(struct rt_provider *p, void (*done)(void *ctx, const char *lines, const struct rt_error *err), void *ctx) {
    struct doctor *d = RT_NEW(struct doctor);
    const struct batch_script s = batch_script_of(p, NULL);
    struct rt_buf b;
    d->op.cancel = cancel;
    d->done = done;
    d->ctx = ctx;
    rt_buf_init(&b, RT_MIB);
    batch_script_doctor(&s, &b);
    const struct rt_exec_opts o = {.script = rt_buf_str(&b), .login_shell = true, .timeout_ms = 60000};
    d->script = far_exec_patiently(p->env.loop, p->env.hop, &o, told, d);
    rt_buf_deinit(&b);
    return &d->op;
}
