/* ls, nodes, pools, jobs, show, job. */
#include "cli/internal.h"
#include <stdio.h>
#include <stdlib.h>

enum { LS_WAIT_MS = 4000, LS_LOOK_MS = 50, REASONS_WAIT_MS = 4000 };

struct rt_row_env cli_env(const struct cli *c, const char *cluster) {
    return (struct rt_row_env){
        .store = c->app->store,
        .cluster = cluster ? rt_store_cluster(c->app->store, cluster) : NULL,
        .now_ms = rt_wall_ms(),
        .ascii = c->opts->ascii,
    };
}

struct out_list cli_list(const struct cli *c, const struct rt_table *t, const struct rt_row_env *env) {
    return (struct out_list){
        .table = t,
        .envs = env,
        .nenvs = 1,
        .kind = c->kind,
        .show_env = rt_call_option(&c->call, "show-env") != NULL,
        .color = out_color(c->opts->color),
        .filter = rt_call_option(&c->call, "filter"),
        .sort = rt_call_option(&c->call, "sort"),
    };
}

static void print_list(struct cli *c, const struct rt_table *t) {
    const struct rt_row_env env = cli_env(c, c->call.cluster);
    const struct out_list l = cli_list(c, t, &env);
    struct rt_error err = {0};
    if (out_rows(&l, &err))
        cli_end(c, 0);
    else
        cli_fail(c, &err);
}

/* ---- ls: every cluster, asked at once; those that do not answer in time say so ---- */

struct ls {
    struct cli *cli;
    struct rt_timer *timer;
    int64_t since_ms;
};

static bool settled(const struct rt_cluster *cl, int64_t since_ms) {
    if (cl->reach == RT_REACH_NONE)
        return true;
    if (cl->reach == RT_REACH_CONNECTING || cl->reach == RT_REACH_TURN)
        return false;
    if (cl->reach != RT_REACH_OK)
        return true;
    if (!cl->ray_version)
        return false;
    static const enum rt_topic wanted[] = {RT_T_NODES, RT_T_JOBS};
    for (size_t i = 0; i < RT_COUNT(wanted); i++) {
        const struct rt_freshness *f = &cl->fresh[wanted[i]];
        if (f->error_at_ms < since_ms && (f->from_snapshot || f->at_ms < since_ms))
            return false;
    }
    return true;
}

static void ls_release(void *held) {
    struct ls *x = held;
    rt_timer_stop(x->timer);
    free(x);
}

static void ls_look(void *ctx) {
    struct ls *x = ctx;
    struct cli *c = x->cli;
    bool all = true;
    for (size_t i = 0; i < rt_store_count(c->app->store); i++)
        all = all && settled(rt_store_at(c->app->store, i), x->since_ms);
    if (!all && rt_wall_ms() - x->since_ms < LS_WAIT_MS)
        return;
    cli_release(c);
    print_list(c, &rt_table_clusters);
}

void verb_ls(struct cli *c) {
    struct ls *x = RT_NEW(struct ls);
    x->cli = c;
    cli_hold(c, x, ls_release);
    x->since_ms = rt_wall_ms();
    rt_app_attach_all(c->app);
    for (size_t i = 0; i < rt_store_count(c->app->store); i++)
        rt_app_look(c->app, rt_store_at(c->app->store, i)->name, 0, true);
    x->timer = rt_timer_start(c->app->loop, 0, LS_LOOK_MS, ls_look, x);
}

/* ---- one cluster's lists ---- */

static const struct rt_table *table_of(const struct cli *c) {
    return rt_table_find(c->call.def->view);
}

static bool job_waits(const struct cli *c) {
    const struct rt_cluster *cl = rt_store_cluster(c->app->store, c->call.cluster);
    for (size_t i = 0; i < cl->jobs.n; i++)
        if (cl->jobs.v[i].status == RT_JOB_PENDING)
            return true;
    return false;
}

static void have_reasons(void *ctx, const struct rt_error *err) {
    struct cli *c = ctx;
    (void)err; /* costs words of the WHY column alone */
    c->op = NULL;
    print_list(c, table_of(c));
}

/* What a pending job waits for stands with its supervisor and the nodes. */
static void have_table(struct cli *c) {
    const uint32_t reasons = RT_TOPIC_BIT(RT_T_ACTORS) | RT_TOPIC_BIT(RT_T_NODES);
    if (table_of(c) == &rt_table_jobs && job_waits(c))
        c->op = rt_app_wait(c->app, c->call.cluster, reasons, REASONS_WAIT_MS, have_reasons, c);
    else
        print_list(c, table_of(c));
}

static uint32_t topics_of(const struct rt_table *t) {
    if (t == &rt_table_pools)
        return RT_TOPIC_BIT(RT_T_POOLS) | RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_DEMAND);
    /* Their rows name nodes. */
    const bool on_nodes = t->topic == RT_T_ACTORS || (t->topic >= RT_T_TASKS && t->topic <= RT_T_WORKERS);
    return RT_TOPIC_BIT(t->topic) | (on_nodes ? RT_TOPIC_BIT(RT_T_NODES) : 0);
}

void verb_table(struct cli *c) {
    const struct rt_table *t = table_of(c);
    struct rt_error err = {0};
    if (!rt_call_ready(c->app, &c->call, &err))
        cli_fail(c, &err);
    else if (t == &rt_table_forwards || t == &rt_table_operations)
        print_list(c, t); /* of this process: none; the screen has them */
    else
        cli_when(c, topics_of(t), have_table);
}

/* ---- one thing ---- */

static bool show_row(struct cli *c, const struct rt_table *t, const char *id) {
    const struct rt_row_env env = cli_env(c, c->call.cluster);
    const struct out_list l = cli_list(c, t, &env);
    for (size_t i = 0; id && i < t->count(&env); i++) {
        const void *row = t->at(&env, i);
        if (rt_streq(t->id(row), id)) {
            out_row(&l, row, &env);
            cli_end(c, 0);
            return true;
        }
    }
    return false;
}

static void have_things(struct cli *c) {
    const struct rt_cluster *cl = rt_store_cluster(c->app->store, c->call.cluster);
    const char *text = c->call.args.v[0];
    struct rt_error err = {0}, ignored = {0};
    const struct rt_job *j = rt_find_job(cl, text, &err);
    if (j && show_row(c, &rt_table_jobs, j->id))
        return;
    if (!rt_streq(c->call.def->name, "job")) {
        const struct rt_node *n = rt_find_node(cl, text, &ignored);
        if ((n && show_row(c, &rt_table_nodes, n->id)) || show_row(c, &rt_table_pools, text))
            return;
        if (err.code == RT_E_NOT_FOUND)
            rt_error_set(&err, RT_E_NOT_FOUND, "%s: no job, node or pool %s", cl->name, text);
    }
    cli_fail(c, &err);
}

static void print_card(void *ctx, const char *problem) {
    struct cli *c = ctx;
    struct rt_buf card;
    (void)problem; /* stands in the card */
    c->op = NULL;
    show_row(c, &rt_table_clusters, c->call.cluster);
    if (c->kind == RT_OUT_JSON)
        return;
    rt_buf_init(&card, 64 * RT_KIB);
    rt_app_card(c->app, c->call.cluster, &card);
    printf("\n%s", rt_buf_str(&card));
    rt_buf_deinit(&card);
}

static void have_cluster(void *ctx, const struct rt_error *err) {
    struct cli *c = ctx;
    (void)err; /* an unreachable cluster is shown as such */
    c->op = rt_app_client(c->app, c->call.cluster, print_card, c);
    if (!c->op)
        print_card(c, NULL);
}

void verb_show(struct cli *c) {
    struct rt_error err = {0};
    const uint32_t all = RT_TOPIC_BIT(RT_T_JOBS) | RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_DEMAND);
    if (!c->call.args.n) {
        rt_error_set(&err, RT_E_USAGE, "usage: raytui %s %s", c->call.def->name, c->call.def->args);
        cli_fail(c, &err);
        return;
    }
    if (!cli_thing(c, &err)) {
        cli_fail(c, &err);
        return;
    }
    if (!c->call.cluster) {
        const char *name = rt_store_cluster(c->app->store, c->call.args.v[0]) ? c->call.args.v[0] : NULL;
        if (name && !rt_call_option(&c->call, "cluster") && !rt_call_option(&c->call, "address")) {
            c->call.cluster = rt_strdup(name);
            c->op = rt_app_wait(c->app, name, all | RT_TOPIC_BIT(RT_T_CLUSTER), 0, have_cluster, c);
            return;
        }
        const char *option = rt_call_option(&c->call, "cluster");
        if (!option)
            option = rt_call_option(&c->call, "address");
        name = option ? rt_app_target(c->app, option, &err) : rt_app_default_cluster(c->app, &err);
        if (!name) {
            cli_fail(c, &err);
            return;
        }
        c->call.cluster = rt_strdup(name);
    }
    cli_when(c, all, have_things);
}
