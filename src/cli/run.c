/* Running an action to its end: wait for what must be known, ask, run, show its steps. */
#include "cli/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

void cli_end(struct cli *c, int status) {
    if (c->ended)
        return;
    c->ended = true;
    c->status = status;
    rt_loop_stop(c->app->loop);
}

void cli_fail(struct cli *c, const struct rt_error *err) {
    if (c->ended)
        return;
    if (err->code == RT_E_CANCELLED) {
        out_note("raytui: cancelled");
        cli_end(c, c->interrupts ? 130 : 1);
        return;
    }
    cli_end(c, out_error(c->kind, err));
}

void cli_hold(struct cli *c, void *held, void (*release)(void *held)) {
    c->held = held;
    c->release = release;
    c->signalled = NULL;
}

void cli_release(struct cli *c) {
    void *held = c->held;
    c->held = NULL;
    c->signalled = NULL;
    if (held)
        c->release(held);
}

/* ---- waiting ---- */

static void waited(void *ctx, const struct rt_error *err) {
    struct cli *c = ctx;
    c->op = NULL;
    if (err)
        cli_fail(c, err);
    else
        c->go_on(c);
}

void cli_when(struct cli *c, uint32_t topics, cli_fn *go) {
    c->go_on = go;
    c->op = rt_app_wait(c->app, c->call.cluster, topics, 0, waited, c);
}

/* ---- an operation's steps on stderr ---- */

struct running {
    struct cli *cli;
    struct rt_confirmation question;
    void (*done)(struct cli *c, const char *result);
    size_t shown; /* steps whose begin was printed */
    size_t told;  /* steps whose end was printed */
};

static void running_release(void *held) {
    struct running *r = held;
    rt_confirmation_deinit(&r->question);
    free(r);
}

static void show_steps(void *ctx, struct rt_operation *op) {
    struct running *r = ctx;
    char took[24];
    for (; r->shown < op->nsteps; r->shown++) {
        const struct rt_step *s = &op->steps[r->shown];
        out_note("  %s%s%s ...", s->subject ? s->subject : "", s->subject ? ": " : "", s->title);
    }
    for (; r->told < op->nsteps && op->steps[r->told].state != RT_OPS_RUNNING; r->told++) {
        const struct rt_step *s = &op->steps[r->told];
        const bool ok = s->state == RT_OPS_DONE;
        out_note("  %s%s%s: %s, %s%s%s", s->subject ? s->subject : "", s->subject ? ": " : "", s->title, ok ? "done" : "failed",
                 rt_fmt_age(took, sizeof took, s->end_ms - s->start_ms), !ok && s->last_line ? ": " : "",
                 !ok && s->last_line ? s->last_line : "");
    }
}

static void print_result(struct cli *c, struct rt_operation *op) {
    if (c->kind == RT_OUT_JSON) {
        struct rt_row_env env = cli_env(c, op->cluster);
        struct out_list l = cli_list(c, &rt_table_operations, &env);
        out_row(&l, op, &env);
    } else if (op->result && *op->result) {
        printf("%s\n", op->result);
    }
}

/* What an operation began when it went well: the user_script of `up`. */
static struct rt_operation *follow_up(const struct cli *c, const struct rt_operation *op) {
    for (size_t i = 0; rt_streq(op->verb, "up") && i < rt_operations_count(c->app->operations); i++) {
        struct rt_operation *o = rt_operations_at(c->app->operations, i);
        if (o->state == RT_OPS_RUNNING && rt_streq(o->verb, "submit") && rt_streq(o->cluster, op->cluster))
            return o;
    }
    return NULL;
}

static void operation_ended(void *ctx, struct rt_operation *op);

static void listen(struct running *r, struct rt_operation *op) {
    r->cli->operation = op;
    r->shown = r->told = 0;
    rt_operation_on_change(op, show_steps, r);
    rt_operation_on_done(op, operation_ended, r);
    show_steps(r, op);
}

static void operation_ended(void *ctx, struct rt_operation *op) {
    struct running *r = ctx;
    struct cli *c = r->cli;
    struct rt_operation *next = op->state == RT_OPS_DONE ? follow_up(c, op) : NULL;
    if (next) {
        show_steps(r, op);
        print_result(c, op);
        listen(r, next);
        return;
    }
    void (*done)(struct cli *, const char *) = r->done;
    show_steps(r, op);
    c->operation = NULL;
    cli_release(c);
    if (c->told && c->told(c, op))
        return;
    if (op->state == RT_OPS_CANCELLED) {
        out_note("raytui: %s: cancelled", op->title);
        cli_end(c, c->signum ? 128 + c->signum : 1);
        return;
    }
    if (op->state != RT_OPS_DONE)
        cli_fail(c, &op->error);
    else if (done)
        done(c, op->result);
    else {
        print_result(c, op);
        cli_end(c, 0);
    }
}

static void answered_action(void *ctx, const struct rt_error *err, const char *message, struct rt_operation *op) {
    struct running *r = ctx;
    struct cli *c = r->cli;
    c->op = NULL;
    if (err) {
        cli_release(c);
        cli_fail(c, err);
    } else if (op) {
        if (c->started)
            c->started(c, op);
        listen(r, op);
    } else {
        if (message && *message) {
            const size_t n = strlen(message);
            printf("%s%s", message, message[n - 1] == '\n' ? "" : "\n");
        }
        cli_release(c);
        cli_end(c, 0);
    }
}

static void start(struct running *r) {
    r->cli->op = rt_call_run(r->cli->app, &r->cli->call, answered_action, r);
}

static void answered_question(void *ctx, const char *answer) {
    struct running *r = ctx;
    struct cli *c = r->cli;
    struct rt_error err = {0};
    c->op = NULL;
    if (answer) {
        start(r);
        return;
    }
    rt_error_set(&err, RT_E_DENIED, "%s: not confirmed: %s", c->call.def->name, r->question.title);
    cli_release(c);
    rt_error_hint(&err, "--yes answers yes");
    cli_fail(c, &err);
}

void cli_run_action(struct cli *c, void (*done)(struct cli *c, const char *result)) {
    struct rt_error err = {0};
    struct running *r = RT_NEW(struct running);
    r->cli = c;
    r->done = done;
    cli_hold(c, r, running_release);
    if (!rt_call_ready(c->app, &c->call, &err) || !rt_call_ask(c->app, &c->call, &r->question, &err)) {
        cli_release(c);
        cli_fail(c, &err);
        return;
    }
    if (r->question.grade == RT_CONFIRM_NONE || c->opts->yes) {
        start(r);
        return;
    }
    /* On the command line the name has been typed: a yes is enough for every grade. */
    const struct rt_question q = {.kind = RT_ASK_YES_NO,
                                  .cluster = c->call.cluster,
                                  .title = r->question.title,
                                  .text = r->question.text,
                                  .prompt = "Go on?"};
    c->op = c->app->asker->ask(c->app->asker->ctx, &q, answered_question, r);
}

/* ---- which topics a verb must know before it can check and ask ---- */

static void go(struct cli *c) {
    cli_run_action(c, NULL);
}

/* Tearing down must work where nothing answers any more: what is known is a help, no condition. */
static void go_anyway(void *ctx, const struct rt_error *err) {
    struct cli *c = ctx;
    (void)err;
    c->op = NULL;
    go(c);
}

static void say_client(void *ctx, const char *problem) {
    struct cli *c = ctx;
    c->op = NULL;
    if (problem)
        out_note("raytui: %s: %s", c->call.cluster, problem);
    go(c);
}

void verb_action(struct cli *c) {
    const char *name = c->call.def->name;
    if (rt_streq(name, "env") && !rt_call_option(&c->call, "host") && !rt_call_option(&c->call, "jobs")) {
        c->op = rt_app_client(c->app, c->call.cluster, say_client, c);
        if (!c->op)
            go(c);
        return;
    }
    if (rt_streq(name, "down")) {
        c->op = rt_app_wait(c->app, c->call.cluster, RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_JOBS), 3000, go_anyway, c);
        return;
    }
    if (rt_streq(name, "env") && rt_call_option(&c->call, "host")) {
        cli_when(c, RT_TOPIC_BIT(RT_T_CLUSTER), go);
        return;
    }
    switch (c->call.def->target) {
    case RT_ON_POOL:
    case RT_ON_NODE:
        cli_when(c, RT_TOPIC_BIT(RT_T_POOLS) | RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_DEMAND) | RT_TOPIC_BIT(RT_T_JOBS) | RT_TOPIC_BIT(RT_T_ACTORS), go);
        break;
    case RT_ON_RAYJOB:
        cli_when(c, RT_TOPIC_BIT(RT_T_RAYJOBS), go);
        break;
    case RT_ON_RAYSERVICE:
        cli_when(c, RT_TOPIC_BIT(RT_T_RAYSERVICES), go);
        break;
    case RT_ON_JOB:
        cli_when(c, RT_TOPIC_BIT(RT_T_JOBS), go);
        break;
    case RT_ON_CLUSTER:
        if (c->call.def->need & (RT_CAP_SUSPEND | RT_CAP_ADD_POOL))
            cli_when(c, RT_TOPIC_BIT(RT_T_POOLS), go);
        else
            go(c);
        break;
    case RT_ON_NOTHING:
    case RT_ON_FORWARD:
    case RT_ON_OPERATION:
        go(c);
        break;
    }
}
