/* What all operations share: look, decide, send, look again. */
#include "base/fs.h"
#include "providers/yellowdog_impl.h"
#include <stdlib.h>
#include <string.h>

enum { LOOKS_MAY_FAIL = 8, FIRST_MAY_FAIL = 2 };

static void wants_free(struct yd_run *r) {
    yd_wants_free(r);
    for (size_t i = 0; i < r->nendings; i++)
        free(r->endings[i].name);
    free(r->endings);
}

static void run_free(struct yd_run *r) {
    struct rt_provider *p = r->provider;
    p->run = NULL;
    rt_op_drop(&r->op);
    rt_op_drop(&r->probe);
    rt_timer_stop(r->pause);
    rt_timer_stop(r->limit);
    rt_file_unlock(p->lock);
    p->lock = -1;
    wants_free(r);
    rt_strs_deinit(&r->made);
    rt_strs_deinit(&r->words);
    rt_strs_deinit(&r->nodes);
    rt_strs_deinit(&r->rays);
    free(r->step_title);
    free(r->result);
    free(r->name);
    free(r->pool);
    free(r->wanted);
    free(r->job);
    free(r);
}

void yd_run_end(struct yd_run *r) {
    struct rt_provider *p = r->provider;
    struct rt_operation *operation = r->operation;
    const struct rt_error err = r->first;
    char *result = r->result;
    r->result = NULL;
    yd_run_step_end(r, err.code ? &err : NULL);
    run_free(r);
    yd_show(p);
    rt_operation_finish(operation, err.code ? &err : NULL, result);
    free(result);
    p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_NODES);
}

void yd_run_abandon(struct rt_provider *p) {
    if (!p->run)
        return;
    if (!p->run->first.code)
        rt_error_set(&p->run->first, RT_E_CANCELLED, "cancelled");
    yd_run_end(p->run);
}

void yd_run_note(struct yd_run *r, const struct rt_error *err) {
    if (!r->first.code)
        r->first = *err;
}

/* What is being made is waited for: its answer says what there is to undo. */
static void stop(struct yd_run *r) {
    if (r->posting)
        return;
    rt_op_drop(&r->op);
    rt_timer_again(r->pause, INT32_MAX, 0);
    r->give_up(r);
}

static void on_cancel(void *ctx) {
    struct yd_run *r = ctx;
    struct rt_error err = {0};
    rt_error_set(&err, RT_E_CANCELLED, "cancelled");
    yd_run_note(r, &err);
    if (r->operation->leaving)
        yd_run_end(r);
    else
        stop(r);
}

static void on_limit(void *ctx) {
    struct yd_run *r = ctx;
    struct rt_error err = {0};
    if (r->first.code)
        return;
    rt_error_set(&err, RT_E_TIMEOUT, "%s: it took too long%s%s", r->operation->title, r->step_title ? ", at: " : "",
                 r->step_title ? r->step_title : "");
    yd_run_note(r, &err);
    stop(r);
}

void yd_run_limit(struct yd_run *r, int64_t ms) {
    rt_timer_stop(r->limit);
    r->limit = rt_timer_start(r->provider->env.loop, ms, 0, on_limit, r);
}

/* ---- steps ---- */

void yd_run_step_end(struct yd_run *r, const struct rt_error *err) {
    if (r->step_title)
        rt_operation_step_end(r->operation, r->step, err);
    free(r->step_title);
    r->step_title = NULL;
}

void yd_run_title(struct yd_run *r, const char *fmt, ...) {
    struct rt_buf text;
    va_list ap;
    rt_buf_init(&text, 1024);
    va_start(ap, fmt);
    rt_buf_addv(&text, fmt, ap);
    va_end(ap);
    if (!rt_streq(r->step_title, rt_buf_str(&text))) {
        yd_run_step_end(r, NULL);
        r->step_title = rt_strdup(rt_buf_str(&text));
        r->step = rt_operation_step(r->operation, NULL, "%s", r->step_title);
        r->since_ms = 0;
    }
    rt_buf_deinit(&text);
}

void yd_run_say(struct yd_run *r, const char *text) {
    char clean[400];
    rt_clean_to(clean, sizeof clean, text);
    if (!r->step_title || rt_streq(r->operation->steps[r->step].last_line, clean))
        return;
    rt_operation_output(r->operation, r->step, clean, strlen(clean));
    rt_operation_output(r->operation, r->step, "\n", 1);
}

int64_t yd_run_waited_ms(const struct yd_run *r) {
    return r->since_ms ? rt_loop_now_ms(r->provider->env.loop) - r->since_ms : 0;
}

/* Often at first, then as RayDog does. */
int64_t yd_run_pace_ms(const struct yd_run *r) {
    const int64_t age = rt_wall_ms() - r->operation->start_ms;
    return age < 30000 ? 1000 : age < 300000 ? 3000 : 10000;
}

/* ---- looks ---- */

static bool will_not_mend(const struct rt_error *err) {
    return err->code == RT_E_DENIED || err->code == RT_E_CONFIG || err->code == RT_E_USAGE;
}

static void looked(void *ctx, struct yd_seen *seen, const struct rt_error *err) {
    struct yd_run *r = ctx;
    struct rt_provider *p = r->provider;
    r->op = NULL;
    yd_take_look(p, seen, err);
    if (err) {
        yd_run_say(r, err->message);
        if (will_not_mend(err) || ++r->failures > (r->looked_once ? LOOKS_MAY_FAIL : FIRST_MAY_FAIL)) {
            if (r->undoing)
                rt_error_hint(&r->first, "whether all that was made has ended is not known (%.150s): `raytui down %s`", err->message, p->conf->name);
            yd_run_note(r, err);
            yd_run_end(r);
            return;
        }
        yd_run_look(r, 500 << RT_MIN(r->failures, 4));
        return;
    }
    r->failures = 0;
    r->looked_once = true;
    if (!r->since_ms)
        r->since_ms = rt_loop_now_ms(p->env.loop);
    yd_show(p);
    r->decide(r);
}

static void on_pause(void *ctx) {
    struct yd_run *r = ctx;
    r->op = yd_look(r->provider, looked, r);
}

void yd_run_look(struct yd_run *r, int64_t delay_ms) {
    rt_timer_again(r->pause, delay_ms, 0);
}

void yd_run_send(struct yd_run *r, const struct yd_call *c, yd_fn *fn) {
    r->op = yd_send(r->provider->api, c, fn, r);
}

/* ---- begin ---- */

struct yd_run *yd_run_start(struct rt_provider *p, const char *verb, char *title, void (*decide)(struct yd_run *r),
                            void (*give_up)(struct yd_run *r), struct rt_error *err) {
    struct yd_run *r = NULL;
    if (p->run)
        rt_error_set(err, RT_E_BUSY, "%s: %s is under way", p->conf->name, p->run->operation->title);
    else if (rt_cluster_begin(p->journal, &p->journal_error, p->conf->name, verb, &p->lock, err))
        r = RT_NEW(struct yd_run);
    if (r) {
        rt_op_drop(&p->look);
        r->provider = p;
        r->decide = decide;
        r->give_up = give_up;
        r->operation = rt_operation_start(p->env.operations, verb, p->conf->name, title, on_cancel, r);
        r->pause = rt_timer_start(p->env.loop, 0, 0, on_pause, r);
        p->run = r;
        yd_run_title(r, "looking what is there");
        yd_show(p);
    }
    free(title);
    return r;
}
