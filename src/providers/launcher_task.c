/* up, down and a change of the file: Ray's program does it, raytui sees that it came true. */
#include "base/fs.h"
#include "providers/launcher.h"
#include "providers/watchdog.h"
#include <stdlib.h>
#include <string.h>

enum {
    TICK_MS = 500,
    UP_MS = 30 * 60 * 1000,
    UNREACHED_MS = 45 * 1000,  /* so long is a head tried that should be there */
    SWEEP_MS = 120 * 1000,
    REFUSALS = 24              /* of a login, every 5 s, while a cloud gives its machine the key */
};

enum phase {
    PH_STOP,    /* a `ray` that was started earlier is ended first */
    PH_FIND,    /* is there a head already? */
    PH_REACH,   /* its SSH */
    PH_PROBE,   /* does Ray run there? */
    PH_RAY,     /* Ray's program works */
    PH_FOUND,   /* where the head is now */
    PH_WAIT,    /* until its dashboard answers */
    PH_JOB,     /* user_script is sent */
    PH_SWEEP    /* what is left on the hosts */
};
enum kind { T_UP, T_DOWN, T_APPLY };

struct launcher_task {
    struct rt_provider *provider;
    struct rt_operation *operation;
    enum kind kind;
    enum phase phase;
    bool entered;          /* this phase has begun */
    bool keep, undo, found, was_up;
    bool made;             /* machines may be there because of it */
    bool again;            /* the file was changed once more meanwhile: `ray up` follows it */
    struct rt_error first;
    char *result, *job;
    char *before, *after; /* of the file; NULL */
    struct launcher_run *run;
    struct rt_op *op;
    struct rt_timer *tick, *limit;
    size_t step;
    bool stepping;
    int64_t since_ms;      /* loop time: this phase began */
    bool took;             /* the journal has the cluster because of it */
};

static const char *const whats[] = {[T_UP] = "up", [T_DOWN] = "down", [T_APPLY] = "apply"};

static void go(struct launcher_task *t);

/* ---- steps ---- */

static void step_end(struct launcher_task *t, const struct rt_error *err) {
    if (t->stepping)
        rt_operation_step_end(t->operation, t->step, err);
    t->stepping = false;
}

static void step(struct launcher_task *t, const char *subject, const char *title) {
    step_end(t, NULL);
    t->step = rt_operation_step(t->operation, subject, "%s", title);
    t->stepping = true;
}

static void enter(struct launcher_task *t, enum phase ph) {
    t->phase = ph;
    t->entered = false;
    t->since_ms = rt_loop_now_ms(t->provider->env.loop);
}

static int64_t waited_ms(const struct launcher_task *t) {
    return rt_loop_now_ms(t->provider->env.loop) - t->since_ms;
}

/* ---- the end ---- */

static void task_end(struct launcher_task *t) {
    struct rt_provider *p = t->provider;
    struct rt_operation *op = t->operation;
    const struct rt_error err = t->first;
    char *result = t->result;
    if (t->kind == T_UP && !t->was_up && err.code != RT_E_CANCELLED)
        p->failure = err;
    step_end(t, err.code ? &err : NULL);
    rt_op_drop(&t->op);
    launcher_run_leave(t->run);
    rt_timer_stop(t->tick);
    rt_timer_stop(t->limit);
    free(t->before);
    free(t->job);
    free(t->after);
    free(t);
    p->task = NULL;
    rt_file_unlock(p->lock);
    p->lock = -1;
    launcher_show(p);
    rt_operation_finish(op, err.code ? &err : NULL, result);
    free(result);
    p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_NODES);
}

static void went_wrong(struct launcher_task *t, const struct rt_error *err) {
    if (!t->first.code)
        t->first = *err;
    step_end(t, err);
}

/* A file that Ray refused is put back as it was, unless it was changed since. */
static void write_back(struct launcher_task *t) {
    struct rt_error err = {0};
    if (t->before && !launcher_file_write(t->provider, t->after, t->before, &err))
        rt_error_hint(&t->first, "%s is changed and was not put back: %s", t->provider->file.path, err.message);
}

static void nothing_came(struct launcher_task *t) {
    struct rt_error ignored = {0};
    if (t->took && !t->made)
        rt_journal_gone(t->provider->journal, "cluster", t->provider->conf->name, &ignored);
}

/* An `up` that failed takes what it made with it. */
static void fail(struct launcher_task *t, const struct rt_error *err) {
    struct rt_provider *p = t->provider;
    went_wrong(t, err);
    if (t->kind == T_APPLY)
        write_back(t);
    if (t->kind == T_UP && !t->undo && t->made && !t->was_up && !t->keep) {
        t->undo = true;
        enter(t, PH_RAY);
        return;
    }
    if (t->kind == T_UP && t->made && t->keep)
        rt_error_hint(&t->first, "what was made was kept: `raytui down %s` removes it", p->conf->name);
    nothing_came(t);
    task_end(t);
}

/* What runs outside goes on; the journal knows it. */
static void let_go(struct launcher_task *t) {
    if (!t->first.code)
        rt_error_set(&t->first, RT_E_CANCELLED, "cancelled");
    task_end(t);
}

void launcher_tasks_abandon(struct rt_provider *p) {
    if (p->task)
        let_go(p->task);
}

static void on_cancel(void *ctx) {
    struct launcher_task *t = ctx;
    struct rt_error err = {0};
    if (t->operation->leaving) {
        let_go(t);
        return;
    }
    rt_error_set(&err, RT_E_CANCELLED, "cancelled");
    t->keep = t->keep && !t->found;
    if (t->run && !t->undo) {
        went_wrong(t, &err);
        launcher_run_end(t->run); /* ended() goes on */
        return;
    }
    if (t->undo)
        return; /* it is on its way back already */
    rt_op_drop(&t->op);
    fail(t, &err);
}

static void on_limit(void *ctx) {
    struct launcher_task *t = ctx;
    struct rt_error err = {0};
    if (t->undo)
        return;
    rt_error_set(&err, RT_E_TIMEOUT, "%s did not come up in time", t->provider->conf->name);
    rt_error_hint(&err, "`up_timeout` says how long it may take; `--keep` leaves what was made");
    if (t->run) {
        went_wrong(t, &err);
        launcher_run_end(t->run);
    } else {
        fail(t, &err);
    }
}

/* ---- Ray's program ---- */

static void said(void *ctx, enum launcher_word word, const char *text) {
    struct launcher_task *t = ctx;
    if (word == LAUNCHER_STEP) {
        step(t, t->provider->head, text);
        return;
    }
    if (!t->stepping)
        step(t, NULL, t->found ? "`ray` goes on" : "`ray` starts");
    rt_operation_output(t->operation, t->step, text, strlen(text));
    rt_operation_output(t->operation, t->step, "\n", 1);
}

static const char *doing(const struct launcher_task *t) {
    return t->kind == T_DOWN || t->undo ? "ray down" : "ray up";
}

static void downed(struct launcher_task *t, int status, const struct rt_error *err) {
    struct rt_provider *p = t->provider;
    if (status != 0)
        went_wrong(t, err);
    step_end(t, status == 0 ? NULL : err);
    p->up = false;
    if (status != 0 && !launcher_is_local(p)) {
        rt_error_hint(&t->first, "machines may be left: `raytui down %s` tries again", p->conf->name);
        task_end(t);
        return;
    }
    enter(t, PH_SWEEP);
}

static void upped(struct launcher_task *t, int status, const struct rt_error *err) {
    struct rt_provider *p = t->provider;
    struct rt_error ignored = {0};
    if (status != 0 || t->first.code) {
        fail(t, err);
        return;
    }
    step_end(t, NULL);
    if (t->kind == T_APPLY && t->again) {
        t->again = false;
        enter(t, PH_RAY);
        return;
    }
    if (t->kind == T_APPLY) {
        task_end(t);
        return;
    }
    rt_journal_made(p->journal, "cluster", p->conf->name, p->file.cluster_name, NULL, &ignored);
    enter(t, PH_FOUND);
}

static void ended(void *ctx, int status) {
    struct launcher_task *t = ctx;
    struct launcher_say *say = launcher_run_say(t->run);
    struct rt_error err = {0};
    if (status != 0)
        launcher_say_error(say, doing(t), &err);
    t->made = t->made || (say->asked && !(launcher_is_local(t->provider) && say->step <= 1));
    t->run = NULL; /* frees itself */
    if (t->kind == T_DOWN || t->undo)
        downed(t, status, &err);
    else
        upped(t, status, &err);
}

static void ray_argv(const struct launcher_task *t, struct rt_strs *argv) {
    const struct rt_provider *p = t->provider;
    launcher_words(p, argv);
    const bool down = t->kind == T_DOWN || t->undo;
    rt_strs_add(argv, down ? "down" : "up");
    rt_strs_add(argv, "-y");
    if (!down && (t->was_up || t->kind == T_APPLY))
        rt_strs_add(argv, "--no-restart");
    rt_strs_add(argv, "--log-style");
    rt_strs_add(argv, "record");
    rt_strs_add(argv, "--log-color");
    rt_strs_add(argv, "false");
    rt_strs_add(argv, p->file.path);
}

static void start_ray(struct launcher_task *t) {
    struct rt_provider *p = t->provider;
    const struct launcher_run_events e = {.said = said, .ended = ended, .ctx = t};
    const char *what = t->undo ? "down" : t->was_up && t->kind == T_UP ? "apply" : whats[t->kind];
    struct rt_strs argv = {0};
    struct rt_error err = {0};
    bool ok = true;
    if (t->kind == T_UP && !t->was_up && !t->undo) {
        t->took = !rt_journal_find(p->journal, "cluster", p->conf->name);
        ok = rt_journal_want(p->journal, t->operation->id, "cluster", p->conf->name, NULL, &err);
    }
    ray_argv(t, &argv);
    char *line = rt_strf("`%s`", doing(t));
    step(t, NULL, line);
    t->run = ok ? launcher_run_start(p, t->operation->id, what, &argv, &e, &err) : NULL;
    free(line);
    rt_strs_deinit(&argv);
    if (t->run)
        return;
    if (t->kind == T_DOWN || t->undo)
        downed(t, -1, &err);
    else
        fail(t, &err);
}

/* A login that will not come: Ray itself goes on trying for a quarter of an hour. */
static void look_at_ray(struct launcher_task *t) {
    const struct launcher_say *say = t->run ? launcher_run_say(t->run) : NULL;
    struct rt_error err = {0};
    if (!t->entered) {
        t->entered = true;
        start_ray(t);
        return;
    }
    if (!say || t->first.code || say->step > 1 || t->kind == T_DOWN || t->undo)
        return;
    if (say->key_open || say->refusals >= (launcher_is_local(t->provider) ? 1 : REFUSALS)) {
        launcher_say_error(say, doing(t), &err);
        went_wrong(t, &err);
        launcher_run_end(t->run);
    }
}

/* ---- before it ---- */

static void look_for_head(struct launcher_task *t) {
    struct rt_provider *p = t->provider;
    if (!t->entered) {
        t->entered = true;
        if (!rt_launcher_head(&p->file)) {
            step(t, NULL, "looking for a head that is there already");
            p->ask_error = (struct rt_error){0};
            launcher_head_ask(p);
        }
    }
    if (p->asking)
        return;
    if (p->head)
        enter(t, PH_REACH);
    else if (p->ask_error.code)
        fail(t, &p->ask_error);
    else
        enter(t, PH_RAY);
}

static void look_at_hop(struct launcher_task *t) {
    struct rt_provider *p = t->provider;
    struct rt_error err = {0};
    if (!t->entered) {
        t->entered = true;
        step(t, p->head, "logging in to the head");
        if (!launcher_head_aim(p, &err)) {
            fail(t, &err);
            return;
        }
        rt_hop_open(p->env.hop, true);
        return;
    }
    const struct rt_hop_status *st = rt_hop_status(p->env.hop);
    err = st->error;
    if (st->state == RT_HOP_UP) {
        enter(t, PH_PROBE);
    } else if (st->state == RT_HOP_FAILED || st->state == RT_HOP_NEEDS_LOGIN ||
               (st->state == RT_HOP_RETRYING && waited_ms(t) > UNREACHED_MS)) {
        if (!launcher_is_local(p))
            rt_error_wrap(&err, "its head runs, but whether jobs run there is not known");
        fail(t, &err);
    }
}

static void look_at_dashboard(struct launcher_task *t) {
    struct rt_provider *p = t->provider;
    struct rt_error err = {0};
    if (!t->entered) {
        t->entered = true;
        p->probed = false;
        rt_op_drop(&p->probe);
        launcher_probe(p);
        return;
    }
    if (!p->probed) {
        if (rt_hop_status(p->env.hop)->state != RT_HOP_UP)
            enter(t, PH_REACH);
        else
            launcher_probe(p);
        return;
    }
    t->was_up = p->up;
    if (t->was_up && !launcher_recorded(p, &err))
        fail(t, &err);
    else
        enter(t, PH_RAY);
}

/* ---- after it ---- */

static void look_where(struct launcher_task *t) {
    struct rt_provider *p = t->provider;
    struct rt_error err = {0};
    if (!t->entered) {
        t->entered = true;
        if (!rt_launcher_head(&p->file)) {
            step(t, NULL, "asking where the head is");
            launcher_head_ask(p);
        }
    }
    if (p->asking)
        return;
    if (p->head) {
        enter(t, PH_WAIT);
        return;
    }
    rt_error_set(&err, RT_E_FAILED, "`ray up` has ended, but no head is found: %s", p->ask_error.code ? p->ask_error.message : "no address");
    fail(t, &err);
}

static void look_for_ray(struct launcher_task *t) {
    struct rt_provider *p = t->provider;
    struct rt_error err = {0};
    if (!t->entered) {
        t->entered = true;
        step(t, p->head, "waiting for the dashboard");
        if (!launcher_head_aim(p, &err)) {
            fail(t, &err);
            return;
        }
        p->probed = p->up = false;
        rt_op_drop(&p->probe);
        rt_hop_open(p->env.hop, true);
        return;
    }
    const struct rt_hop_status *st = rt_hop_status(p->env.hop);
    err = st->error;
    if (st->state == RT_HOP_FAILED || st->state == RT_HOP_NEEDS_LOGIN) {
        t->keep = true; /* it is up: only the way there is missing */
        rt_error_wrap(&err, "`ray up` is done, but the head cannot be logged in to");
        if (st->state == RT_HOP_NEEDS_LOGIN && !launcher_is_local(p))
            rt_error_hint(&err, "its host key is new: a terminal can be asked, or `ssh_config` names a file that says StrictHostKeyChecking accept-new");
        fail(t, &err);
    } else if (p->up) {
        enter(t, PH_JOB);
    } else {
        launcher_probe(p);
    }
}

static void submitted(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct launcher_task *t = ctx;
    struct rt_error e = {0};
    t->op = NULL;
    if (err)
        e = *err;
    else if (a->status != 200 && !strstr(a->body, "already exists"))
        rt_error_set(&e, RT_E_REMOTE, "HTTP %d", a->status);
    if (e.code) {
        t->keep = true;
        rt_error_wrap(&e, "%s is up, but user_script was not sent", t->provider->conf->name);
        fail(t, &e);
    } else {
        task_end(t);
    }
}

/* Under an id that the journal holds: sent twice it runs once. */
static void send_job(struct launcher_task *t) {
    struct rt_provider *p = t->provider;
    char url[128];
    if (t->entered)
        return;
    t->entered = true;
    if (!t->job || strstr(t->job, "raytui_elsewhere")) {
        task_end(t);
        return;
    }
    step(t, NULL, "sending user_script");
    snprintf(url, sizeof url, "http://127.0.0.1:%d/api/jobs/", p->file.dashboard_port);
    const char *const headers[] = {"Content-Type: application/json", NULL};
    const struct rt_http_request r = {.method = "POST", .url = url, .headers = headers, .body = t->job, .body_len = strlen(t->job),
                                      .dialer = rt_hop_dialer(p->env.hop), .pool = p->conf->name, .timeout_ms = 60 * 1000};
    const struct rt_http_callbacks cb = {.done = submitted, .ctx = t};
    t->op = rt_http_send(p->env.http, &r, &cb);
}

/* ---- what is left ---- */

static void all_gone(struct launcher_task *t) {
    struct rt_provider *p = t->provider;
    struct rt_error ignored = {0};
    launcher_head_forget(p);
    rt_journal_gone(p->journal, "cluster", p->conf->name, &ignored);
    watchdog_job_gone(p->journal);
    if (t->kind == T_DOWN && t->first.code && launcher_is_local(p)) /* `ray down` failed, but no Ray is left */
        t->first = (struct rt_error){0};
    task_end(t);
}

static void swept(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct launcher_task *t = ctx;
    struct rt_provider *p = t->provider;
    struct rt_error e = {0};
    t->op = NULL;
    if (err)
        e = *err;
    else if (!launcher_far_swept(r->out, &e) && !e.code)
        rt_error_set(&e, RT_E_REMOTE, "the hosts were not looked at: %.300s", r->err_text);
    if (!e.code) {
        step_end(t, NULL);
        all_gone(t);
        return;
    }
    rt_error_wrap(&e, "Ray may be left on hosts of %s", p->conf->name);
    if (!e.hint[0])
        rt_error_hint(&e, "`raytui down %s` tries again", p->conf->name);
    step_end(t, &e);
    if (!t->first.code || t->kind == T_DOWN)
        t->first = e;
    task_end(t);
}

static void sweep(struct launcher_task *t) {
    struct rt_provider *p = t->provider;
    struct rt_buf script;
    rt_buf_init(&script, RT_MIB);
    launcher_far_sweep(p, &script);
    const struct rt_exec_opts o = {.script = rt_buf_str(&script), .timeout_ms = SWEEP_MS};
    t->op = rt_hop_exec(p->env.hop, &o, swept, t);
    rt_buf_deinit(&script);
}

/* `ray down` of a `local` cluster ends Ray on the head alone. */
static void look_after(struct launcher_task *t) {
    struct rt_provider *p = t->provider;
    struct rt_error err = {0};
    if (!launcher_is_local(p)) {
        all_gone(t);
        return;
    }
    if (!t->entered) {
        t->entered = true;
        step(t, p->head, "ending Ray on the workers, looking what is left");
        if (launcher_head_aim(p, &err)) {
            rt_hop_open(p->env.hop, true);
            return;
        }
    }
    if (t->op)
        return;
    const struct rt_hop_status *st = p->env.hop ? rt_hop_status(p->env.hop) : NULL;
    if (st && st->state == RT_HOP_UP) {
        sweep(t);
        return;
    }
    if (st && st->error.code)
        err = st->error;
    if (err.code && (!st || st->state == RT_HOP_FAILED || st->state == RT_HOP_NEEDS_LOGIN || waited_ms(t) > UNREACHED_MS)) {
        step_end(t, &err);
        rt_error_wrap(&err, "Ray may be left on hosts of %s", p->conf->name);
        if (!t->first.code)
            t->first = err;
        task_end(t);
    }
}

/* ---- what was under way ---- */

static void stopped(void *ctx, int status) {
    struct launcher_task *t = ctx;
    (void)status;
    t->run = NULL; /* frees itself */
    enter(t, PH_RAY);
}

static void stop_other(struct launcher_task *t) {
    const struct launcher_run_events e = {.ended = stopped, .ctx = t};
    if (t->entered)
        return;
    t->entered = true;
    step(t, NULL, "ending the `ray` that is under way");
    t->run = launcher_run_find(t->provider, &e);
    if (t->run)
        launcher_run_end(t->run);
    else
        enter(t, PH_RAY);
}

static void go(struct launcher_task *t) {
    static void (*const looks[])(struct launcher_task *) = {
        [PH_STOP] = stop_other, [PH_FIND] = look_for_head, [PH_REACH] = look_at_hop, [PH_PROBE] = look_at_dashboard, [PH_RAY] = look_at_ray,
        [PH_FOUND] = look_where,   [PH_WAIT] = look_for_ray, [PH_JOB] = send_job,           [PH_SWEEP] = look_after};
    looks[t->phase](t);
}

static void on_tick(void *ctx) {
    go(ctx);
}

void launcher_tasks_look(struct rt_provider *p) {
    if (p->task)
        rt_timer_again(p->task->tick, 0, TICK_MS);
}

/* ---- the verbs ---- */

/* Takes title and result. */
static struct launcher_task *task_new(struct rt_provider *p, enum kind kind, const char *verb, char *title, char *result, enum phase ph) {
    struct launcher_task *t = RT_NEW(struct launcher_task);
    t->provider = p;
    t->kind = kind;
    t->result = result;
    t->operation = rt_operation_start(p->env.operations, verb, p->conf->name, title, on_cancel, t);
    t->tick = rt_timer_start(p->env.loop, 0, TICK_MS, on_tick, t);
    free(title);
    p->task = t;
    enter(t, ph);
    return t;
}

static bool may_work(struct rt_provider *p, const char *what, struct rt_error *err) {
    if (p->task) {
        rt_error_set(err, RT_E_BUSY, "%s: %s is under way", p->conf->name, p->task->operation->title);
        return false;
    }
    return rt_cluster_begin(p->journal, &p->journal_error, p->conf->name, what, &p->lock, err);
}

static void unlock(struct rt_provider *p) {
    rt_file_unlock(p->lock);
    p->lock = -1;
}

/* The file is not changed while a `ray` of an earlier raytui still reads it. */
static bool none_left(struct rt_provider *p, struct rt_error *err) {
    const char *what = launcher_run_known(p);
    return !what || rt_error_set(err, RT_E_BUSY, "%s: a `ray %s` that was started earlier is not over", p->conf->name, what);
}

struct rt_operation *launcher_up(struct rt_provider *p, const struct rt_up_opts *o, struct rt_error *err) {
    launcher_tasks_find(p);
    struct launcher_task *t = p->task;
    if (t && t->found && t->kind == T_UP && !t->first.code)
        return t->operation; /* it is coming up already: this one goes on with it */
    if (!may_work(p, "up", err))
        return NULL;
    if (!launcher_read(p, err) || !rt_launcher_ready(&p->file, err)) {
        unlock(p);
        return NULL;
    }
    launcher_head_begin(p);
    p->failure = (struct rt_error){0};
    t = task_new(p, T_UP, "up", rt_strf("bring %s up", p->conf->name), rt_strf("%s is up", p->conf->name), PH_FIND);
    const int64_t limit = o->timeout_ms ? o->timeout_ms : p->conf->up_timeout_ms ? p->conf->up_timeout_ms : UP_MS;
    t->keep = o->keep;
    if (p->cluster->reach == RT_REACH_LOST && !p->up) /* why it was lost says nothing of what comes now */
        rt_store_set_reach(p->env.store, p->cluster, RT_REACH_CONNECTING, NULL);
    t->limit = rt_timer_start(p->env.loop, limit, 0, on_limit, t);
    struct rt_operation *op = t->operation;
    struct rt_error bad = {0};
    if (!watchdog_job(p->journal, p->conf->name, op->id, o->user_job, &t->job, &bad))
        fail(t, &bad);
    launcher_show(p);
    return op;
}

struct rt_operation *launcher_down(struct rt_provider *p, struct rt_error *err) {
    if (p->task && p->task->kind != T_DOWN)
        let_go(p->task); /* its `ray` is ended first */
    if (!may_work(p, "down", err))
        return NULL;
    if (!launcher_read(p, err) && !p->file.path) {
        unlock(p);
        return NULL;
    }
    *err = (struct rt_error){0};
    launcher_head_begin(p);
    p->failure = (struct rt_error){0};
    struct launcher_task *t = task_new(p, T_DOWN, "down", rt_strf("take %s down", p->conf->name), rt_strf("%s is down", p->conf->name),
                                       launcher_run_known(p) ? PH_STOP : PH_RAY);
    launcher_show(p);
    return t->operation;
}

static void replace(char **to, char *text) {
    free(*to);
    *to = text;
}

struct rt_operation *launcher_apply(struct rt_provider *p, char *title, char *result, char *before, char *after, struct rt_error *err) {
    struct launcher_task *now = p->task && p->task->kind == T_APPLY && p->task->before && !p->task->first.code ? p->task : NULL;
    if (now && launcher_file_write(p, before, after, err)) { /* what goes back is what was there at first */
        replace(&now->result, result);
        replace(&now->after, after);
        now->again = true;
        free(title);
        free(before);
        return now->operation;
    }
    if (!now && may_work(p, "scale", err)) {
        if (none_left(p, err) && launcher_file_write(p, before, after, err)) {
            struct launcher_task *t = task_new(p, T_APPLY, "scale", title, result, PH_RAY);
            t->before = before;
            t->after = after;
            launcher_show(p);
            return t->operation;
        }
        unlock(p);
    }
    free(title);
    free(result);
    free(before);
    free(after);
    return NULL;
}

void launcher_tasks_find(struct rt_provider *p) {
    struct rt_error ignored = {0};
    if (p->task || !p->journal)
        return;
    rt_journal_reread(p->journal);
    const char *what = launcher_run_known(p);
    if (!what)
        return;
    const enum kind kind = rt_streq(what, "up") ? T_UP : rt_streq(what, "down") ? T_DOWN : T_APPLY;
    char *verb = rt_strdup(kind == T_APPLY ? "scale" : whats[kind]);
    p->lock = rt_cluster_lock(p->conf->name, verb, &ignored);
    if (p->lock >= 0) { /* else the raytui that started it is there */
        struct launcher_task *t = task_new(p, kind, verb, rt_strf("%s of %s, found again", verb, p->conf->name),
                                           kind == T_APPLY ? rt_strdup("`ray up --no-restart` has ended")
                                                           : rt_strf("%s is %s", p->conf->name, verb), PH_RAY);
        const struct launcher_run_events e = {.said = said, .ended = ended, .ctx = t};
        t->found = t->entered = true;
        t->keep = true; /* nobody is there who asked for it to be undone */
        t->made = kind == T_UP;
        t->run = launcher_run_find(p, &e);
        if (kind == T_UP)
            t->limit = rt_timer_start(p->env.loop, p->conf->up_timeout_ms ? p->conf->up_timeout_ms : UP_MS, 0, on_limit, t);
    }
    free(verb);
}

bool launcher_starting(const struct rt_provider *p) {
    return p->task && p->task->kind == T_UP && !p->task->undo;
}

bool launcher_stopping(const struct rt_provider *p) {
    return p->task && (p->task->kind == T_DOWN || p->task->undo);
}

bool launcher_changing(const struct rt_provider *p) {
    return p->task && p->task->kind == T_APPLY;
}
