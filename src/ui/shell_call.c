/* Verbs from the screen: asked about by their grade, run, and their end told; scaling keys; questions of the
 * network. */
#include "ui/shell.h"

#include "base/str.h"
#include "ui/dialog.h"
#include <stdlib.h>

#define SCALE_QUIET_MS 400

/* ---- verbs ---- */

static void forget(struct running *r) {
    struct rt_ui *ui = r->ui;
    for (size_t i = 0; i < ui->calls.n; i++)
        if (ui->calls.v[i] == r) {
            rt_vec_remove(&ui->calls, i);
            break;
        }
    rt_call_deinit(&r->call);
    free(r->undo);
    free(r);
}

/* Scaling that needs no question: the way back is one key. */
static char *undo_line(struct rt_ui *ui, const struct rt_call *c) {
    const struct rt_cluster *cluster = c->cluster ? rt_store_cluster(ui->app->store, c->cluster) : NULL;
    const struct rt_pool *p = cluster && rt_streq(c->def->name, "scale") && c->args.n ? rt_store_pool(cluster, c->args.v[0]) : NULL;
    if (!p)
        return NULL;
    const long long now = p->desired >= 0 ? p->desired : RT_MAX(p->ready, 0);
    if (p->limits_move)
        return rt_strf("scale %s %s %lld --min %lld --max %lld", c->cluster, p->name, now, (long long)RT_MAX(p->min, 0),
                       p->max >= 0 ? (long long)p->max : (long long)INT32_MAX);
    return rt_strf("scale %s %s %lld", c->cluster, p->name, now);
}

static void done(void *ctx, const struct rt_error *err, const char *message, struct rt_operation *op) {
    struct running *r = ctx;
    r->op = NULL;
    if (op) {
        char *line = rt_call_text(&r->call);
        rt_operation_set_retry(op, line);
        free(line);
    }
    if (err && err->code)
        rt_ui_error(r->ui, err);
    else if (message && strchr(message, '\n'))
        rt_ui_popup(r->ui, rt_dialog_text(r->ui, r->call.def->name, message));
    else if (message && *message && r->undo)
        rt_ui_toast_undo(r->ui, message, r->undo);
    else if (rt_streq(r->call.def->name, "attach") && r->call.cluster)
        rt_ui_set_cluster(r->ui, r->call.cluster); /* the header says it */
    else if (message && *message)
        rt_ui_toast(r->ui, "%s", message);
    else if (op && !(message && *message))
        rt_ui_toast(r->ui, "%s - @ shows how it goes", op->title);
    rt_ui_mark(r->ui);
    forget(r);
}

static void run(struct running *r) {
    r->op = rt_call_run(r->ui->app, &r->call, done, r);
}

/* Nothing happens to another object than the one that was asked about. */
static void confirmed(void *ctx, bool yes) {
    struct running *r = ctx;
    struct rt_confirmation now = {0};
    struct rt_error err = {0};
    r->dialog = NULL;
    if (!yes) {
        forget(r);
        return;
    }
    const bool ok = rt_call_ready(r->ui->app, &r->call, &err) && rt_call_ask(r->ui->app, &r->call, &now, &err);
    if (ok && now.seen != r->seen)
        rt_error_set(&err, RT_E_CONFLICT, "%s: it changed while the question was open; nothing was done", r->call.def->name);
    rt_confirmation_deinit(&now);
    if (err.code) {
        rt_ui_error(r->ui, &err);
        forget(r);
        return;
    }
    run(r);
}

void rt_ui_call(struct rt_ui *ui, struct rt_call *call) {
    struct rt_confirmation c = {0};
    struct rt_error err = {0};
    if (!rt_call_ready(ui->app, call, &err) || !rt_call_ask(ui->app, call, &c, &err)) {
        rt_ui_error(ui, &err);
        rt_confirmation_deinit(&c);
        rt_call_deinit(call);
        return;
    }
    struct running *r = RT_NEW(struct running);
    r->ui = ui;
    r->call = *call;
    *call = (struct rt_call){0};
    r->seen = c.seen;
    *rt_vec_push(&ui->calls) = r;
    if (c.grade == RT_CONFIRM_NONE) {
        rt_confirmation_deinit(&c);
        r->undo = undo_line(ui, &r->call);
        run(r);
        return;
    }
    r->dialog = rt_dialog_confirm(ui, &c, confirmed, r);
    rt_ui_popup(ui, r->dialog);
}

void shell_call_agreed(struct rt_ui *ui, struct rt_call *call) {
    struct rt_error err = {0};
    if (!rt_call_ready(ui->app, call, &err)) {
        rt_ui_error(ui, &err);
        rt_call_deinit(call);
        return;
    }
    struct running *r = RT_NEW(struct running);
    r->ui = ui;
    r->call = *call;
    *call = (struct rt_call){0};
    *rt_vec_push(&ui->calls) = r;
    run(r);
}

void calls_cancel(struct rt_ui *ui) {
    for (size_t i = ui->calls.n; i-- > 0;) {
        struct running *r = ui->calls.v[i];
        if (r->dialog)
            continue;
        rt_op_drop(&r->op);
        forget(r);
    }
}

/* ---- + and - ---- */

void scaling_stop(struct rt_ui *ui) {
    rt_timer_stop(ui->scaling.timer);
    free(ui->scaling.cluster);
    free(ui->scaling.pool);
    ui->scaling = (struct scaling){0};
}

static void scale_now(void *ctx) {
    struct rt_ui *ui = ctx;
    char *cluster = rt_strdup(ui->scaling.cluster), *pool = rt_strdup(ui->scaling.pool);
    char *number = rt_strf("%+lld", (long long)ui->scaling.by);
    const bool any = ui->scaling.by != 0;
    scaling_stop(ui);
    const char *words[] = {"scale", cluster, pool, number, NULL};
    struct rt_call call;
    struct rt_error err = {0};
    if (any && rt_call_parse(ui->app, words, NULL, &call, &err))
        rt_ui_call(ui, &call);
    else if (any)
        rt_ui_error(ui, &err);
    free(cluster);
    free(pool);
    free(number);
}

static bool within_limits(const char *cluster, const struct rt_pool *p, int64_t to, struct rt_error *err) {
    if (!p->scalable || p->head)
        return rt_error_set(err, RT_E_UNSUPPORTED, "%s: %s cannot be scaled", cluster, p->name);
    if (p->limits_move)
        return to >= 0 || rt_error_set(err, RT_E_USAGE, "%s: %s has none left", cluster, p->name);
    if (to < RT_MAX(p->min, 0))
        return rt_error_set(err, RT_E_USAGE, "%s: %s is at its least (%lld)", cluster, p->name, (long long)RT_MAX(p->min, 0));
    if (p->max >= 0 && to > p->max)
        return rt_error_set(err, RT_E_USAGE, "%s: %s is at its most (%lld)", cluster, p->name, (long long)p->max);
    return true;
}

bool scaling_step(struct rt_ui *ui, const char *cluster, const struct rt_pool *pool, int64_t by, struct rt_error *err) {
    struct scaling *s = &ui->scaling;
    if (s->pool && (!rt_streq(s->pool, pool->name) || !rt_streq(s->cluster, cluster)))
        scale_now(ui);
    const int64_t from = pool->desired >= 0 ? pool->desired : RT_MAX(pool->ready, 0);
    if (!within_limits(cluster, pool, from + s->by + by, err))
        return false;
    if (!s->pool) {
        s->cluster = rt_strdup(cluster);
        s->pool = rt_strdup(pool->name);
        s->from = from;
        s->timer = rt_timer_start(ui->app->loop, SCALE_QUIET_MS, 0, scale_now, ui);
    }
    s->by += by;
    rt_timer_again(s->timer, SCALE_QUIET_MS, 0);
    rt_ui_toast(ui, "%s: %s %lld %s %lld", cluster, pool->name, (long long)from, ui->ascii ? "->" : "→", (long long)(from + s->by));
    return true;
}

/* ---- questions of the network ---- */

struct asked {
    struct rt_op op;
    struct rt_ui *ui;
    struct rt_view *dialog;
    rt_answer_fn *fn;
    void *ctx;
};

static void asked_free(struct asked *a) {
    struct rt_ui *ui = a->ui;
    for (size_t i = 0; i < ui->asked.n; i++)
        if (ui->asked.v[i] == a) {
            rt_vec_remove(&ui->asked, i);
            break;
        }
    free(a);
}

static void asked_cancel(struct rt_op *op) {
    struct asked *a = (struct asked *)op;
    rt_ui_close(a->ui, a->dialog);
    asked_free(a);
}

static void answered(void *ctx, const char *answer) {
    struct asked *a = ctx;
    rt_answer_fn *fn = a->fn;
    void *fn_ctx = a->ctx;
    asked_free(a);
    fn(fn_ctx, answer);
}

struct rt_op *asker_ask(void *ctx, const struct rt_question *q, rt_answer_fn *fn, void *fn_ctx) {
    struct rt_ui *ui = ctx;
    struct asked *a = RT_NEW(struct asked);
    a->op.cancel = asked_cancel;
    a->ui = ui;
    a->fn = fn;
    a->ctx = fn_ctx;
    a->dialog = rt_dialog_question(ui, q, answered, a);
    *rt_vec_push(&ui->asked) = a;
    rt_ui_popup(ui, a->dialog);
    return &a->op;
}
