/* why: one answer about one thing. What must be known is waited for; what may fail costs only its own lines. */
#include "cli/internal.h"
#include <stdio.h>
#include <stdlib.h>

enum { OPTIONAL_WAIT_MS = 5000 };

struct why {
    uint32_t wanted; /* topics that are still to be tried, one after the other */
    cli_fn *then;
    enum rt_why_kind kind;
    char *id;
};

static void why_release(void *held) {
    struct why *y = held;
    free(y->id);
    free(y);
}

static void print_answer(const struct cli *c, const struct rt_why *w) {
    if (c->kind == RT_OUT_JSON) {
        char at[40];
        json_t *v = json_pack("{s:i, s:s, s:s, s:o}", "schema", 1, "cluster", w->cluster, "at", rt_fmt_iso(at, sizeof at, rt_wall_ms()),
                              "item", rt_why_json(w));
        json_dumpf(v, stdout, JSON_INDENT(2));
        fputc('\n', stdout);
        json_decref(v);
        return;
    }
    struct rt_buf b;
    rt_buf_init(&b, 4 * RT_MIB);
    rt_why_text(&b, w, rt_wall_ms());
    printf("%s\n\n%s", w->title, rt_buf_str(&b));
    rt_buf_deinit(&b);
}

static void answer(struct cli *c) {
    const struct why *y = c->held;
    struct rt_why w;
    struct rt_error err = {0};
    const bool ok = rt_app_why(c->app, c->call.cluster, y->kind, y->id, &w, &err);
    if (ok)
        print_answer(c, &w);
    rt_why_deinit(&w);
    cli_release(c);
    if (ok)
        cli_end(c, 0);
    else
        cli_fail(c, &err);
}

/* ---- topics that may fail: the autoscaler's events do for good after a node died ---- */

static void next_optional(struct cli *c);

static void tried(void *ctx, const struct rt_error *err) {
    struct cli *c = ctx;
    (void)err; /* stands in the answer */
    c->op = NULL;
    next_optional(c);
}

static void next_optional(struct cli *c) {
    struct why *y = c->held;
    for (int t = 0; t < RT_T_COUNT; t++) {
        if (!(y->wanted & RT_TOPIC_BIT(t)))
            continue;
        y->wanted &= ~RT_TOPIC_BIT(t);
        c->op = rt_app_wait(c->app, c->call.cluster, RT_TOPIC_BIT(t), OPTIONAL_WAIT_MS, tried, c);
        return;
    }
    y->then(c);
}

static void try_topics(struct cli *c, uint32_t topics, cli_fn *then) {
    struct why *y = c->held;
    y->wanted = topics;
    y->then = then;
    next_optional(c);
}

static const uint32_t needed = RT_TOPIC_BIT(RT_T_JOBS) | RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_DEMAND) | RT_TOPIC_BIT(RT_T_ACTORS);
static const uint32_t lists = RT_TOPIC_BIT(RT_T_PGS) | RT_TOPIC_BIT(RT_T_TASKS) | RT_TOPIC_BIT(RT_T_EVENTS) | RT_TOPIC_BIT(RT_T_ENVS);

static bool resolve(struct cli *c, struct rt_error *err) {
    struct why *y = c->held;
    const char *id = NULL;
    if (!rt_why_find(rt_store_cluster(c->app->store, c->call.cluster), c->call.args.v[0], &y->kind, &id, err))
        return false;
    free(y->id);
    y->id = rt_strdup(id);
    return true;
}

static void resolve_or_fail(struct cli *c) {
    struct rt_error err = {0};
    const struct why *y = c->held;
    if (resolve(c, &err))
        try_topics(c, rt_why_topics(y->kind) & lists & ~(RT_TOPIC_BIT(RT_T_PGS) | RT_TOPIC_BIT(RT_T_TASKS)), answer);
    else {
        cli_release(c);
        cli_fail(c, &err);
    }
}

/* Tasks and placement groups are asked for only when nothing else has the name, or the answer needs them. */
static void have_things(struct cli *c) {
    struct rt_error err = {0};
    const struct why *y = c->held;
    if (resolve(c, &err) && y->kind != RT_WHY_CLUSTER)
        try_topics(c, rt_why_topics(y->kind) & lists, answer);
    else
        try_topics(c, RT_TOPIC_BIT(RT_T_PGS) | RT_TOPIC_BIT(RT_T_TASKS), resolve_or_fail);
}

static void waited(void *ctx, const struct rt_error *err) {
    struct cli *c = ctx;
    c->op = NULL;
    if (!err) {
        have_things(c);
        return;
    }
    cli_release(c);
    cli_fail(c, err);
}

/* One that cannot be reached is just what is asked about. */
static void have_cluster(void *ctx, const struct rt_error *err) {
    struct cli *c = ctx;
    (void)err;
    c->op = NULL;
    answer(c);
}

void verb_why(struct cli *c) {
    struct rt_error err = {0};
    if (!cli_thing(c, &err)) {
        cli_fail(c, &err);
        return;
    }
    const char *thing = c->call.args.n ? c->call.args.v[0] : NULL;
    const char *named = c->call.cluster ? c->call.cluster : rt_call_option(&c->call, "cluster");
    struct why *y = RT_NEW(struct why);
    cli_hold(c, y, why_release);
    if (!named)
        named = rt_call_option(&c->call, "address");
    const bool is_cluster = thing && !named && rt_store_cluster(c->app->store, thing);
    if (is_cluster)
        named = thing;
    const char *name = named ? rt_app_target(c->app, named, &err) : rt_app_default_cluster(c->app, &err);
    if (!name) {
        cli_release(c);
        cli_fail(c, &err);
        return;
    }
    if (!c->call.cluster)
        c->call.cluster = rt_strdup(name);
    y->kind = RT_WHY_CLUSTER;
    y->id = rt_strdup(name);
    c->op = rt_app_wait(c->app, name, needed | RT_TOPIC_BIT(RT_T_CLUSTER), 0, is_cluster || !thing ? have_cluster : waited, c);
}
