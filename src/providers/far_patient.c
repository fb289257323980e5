/* A script on a host that is not reached yet, where a person may have to answer a question on the way. */
#include "providers/far.h"
#include <stdlib.h>

enum { REACH_MS = 120000, LOOK_EVERY_MS = 100 };

struct patient {
    struct rt_op op;
    struct rt_loop *loop;
    struct rt_hop *hop;
    struct rt_timer *tick;
    struct rt_op *exec;
    int64_t since_ms;
    char *script;
    struct rt_exec_opts opts;
    rt_exec_fn *fn;
    void *ctx;
};

static void patient_free(struct patient *p) {
    rt_timer_stop(p->tick);
    rt_op_drop(&p->exec);
    free(p->script);
    free(p);
}

static void cancel(struct rt_op *op) {
    patient_free((struct patient *)op);
}

static void ran(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct patient *p = ctx;
    rt_exec_fn *fn = p->fn;
    void *to = p->ctx;
    p->exec = NULL;
    patient_free(p);
    fn(to, r, err);
}

static void look(void *ctx) {
    struct patient *p = ctx;
    const struct rt_hop_status *st = rt_hop_status(p->hop);
    const bool late = rt_loop_now_ms(p->loop) - p->since_ms > REACH_MS;
    struct rt_error err = st->error;
    if (st->state == RT_HOP_UP) {
        rt_timer_stop(p->tick);
        p->tick = NULL;
        p->exec = rt_hop_exec(p->hop, &p->opts, ran, p);
        return;
    }
    if (st->state == RT_HOP_FAILED || st->state == RT_HOP_NEEDS_LOGIN || (st->state == RT_HOP_RETRYING && err.code) || late) {
        if (!err.code)
            rt_error_set(&err, RT_E_TIMEOUT, "no connection");
        ran(p, NULL, &err);
    }
}

struct rt_op *far_exec_patiently(struct rt_loop *l, struct rt_hop *hop, const struct rt_exec_opts *o, rt_exec_fn *fn, void *ctx) {
    struct patient *p = RT_NEW(struct patient);
    p->op.cancel = cancel;
    p->loop = l;
    p->hop = hop;
    p->opts = *o;
    p->opts.script = p->script = rt_strdup(o->script);
    p->fn = fn;
    p->ctx = ctx;
    p->since_ms = rt_loop_now_ms(l);
    if (rt_hop_status(hop)->state != RT_HOP_UP)
        rt_hop_open(hop, true);
    p->tick = rt_timer_start(l, 0, LOOK_EVERY_MS, look, p);
    return &p->op;
}
