/* Work on other threads whose results come back to the loop; see loop.h. */
#include "base/mem.h"
#include "net/loop_uv.h"
#include <stdlib.h>

struct work {
    struct rt_op op;
    uv_work_t uv;
    rt_loop_fn *work, *done, *free_ctx;
    void *ctx;
    bool cancelled;
};

static void work_run(uv_work_t *uv) {
    struct work *w = uv->data;
    w->work(w->ctx);
}

static void work_over(uv_work_t *uv, int status) {
    (void)status;
    struct work *w = uv->data;
    rt_loop_fn *fn = w->cancelled ? w->free_ctx : w->done;
    void *ctx = w->ctx;
    free(w);
    if (fn)
        fn(ctx);
}

/* The thread may be inside: what it needs is freed when it has come back. */
static void work_cancel(struct rt_op *op) {
    struct work *w = (struct work *)op;
    w->cancelled = true;
    uv_cancel((uv_req_t *)&w->uv); /* one that has not begun never does */
}

struct rt_op *rt_loop_work(struct rt_loop *l, rt_loop_fn *work, rt_loop_fn *done,
                           rt_loop_fn *free_ctx, void *ctx) {
    struct work *w = RT_NEW(struct work);
    w->op.cancel = work_cancel;
    w->work = work;
    w->done = done;
    w->free_ctx = free_ctx;
    w->ctx = ctx;
    w->uv.data = w;
    uv_queue_work(rt_loop_uv(l), &w->uv, work_run, work_over);
    return &w->op;
}
