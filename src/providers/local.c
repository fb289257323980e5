/* Provider `local`: a real Ray on this machine. */
#include "providers/local.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/shell.h"
#include "net/proc.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- state into the store ---- */

/* Without its head the cluster is over, whatever else of it still runs. */
static enum rt_cluster_state without_head(const struct rt_provider *p, bool moving) {
    if (p->up)
        return RT_CL_STARTING;
    return moving ? RT_CL_STOPPING : p->nnodes || p->lost ? RT_CL_FAILED : RT_CL_DOWN;
}

static enum rt_cluster_state state_of(const struct rt_provider *p) {
    const struct lnode *head = local_head(p);
    bool moving = false;
    for (size_t i = 0; i < p->nnodes; i++)
        moving = moving || p->nodes[i]->state == LNODE_STARTING || p->nodes[i]->state == LNODE_STOPPING;
    if (!head)
        return without_head(p, moving);
    if (head->state == LNODE_STARTING)
        return RT_CL_STARTING;
    if (head->state == LNODE_STOPPING || p->ended_by_others)
        return RT_CL_STOPPING;
    return moving ? RT_CL_SCALING : RT_CL_UP;
}

void local_show(struct rt_provider *p) {
    struct pool_node *nodes = local_pool_nodes(p);
    pools_show(p->env.store, p->cluster, "processes", &p->pools, nodes, p->nnodes);
    free(nodes);
    const bool ours = p->journal && rt_journal_count(p->journal) > 0;
    p->cluster->ours = ours || !local_head(p); /* what is not there yet will be ours */
    const enum rt_cluster_state state = state_of(p);
    rt_store_set_state(p->env.store, p->cluster, state, state != RT_CL_FAILED ? NULL : p->lost ? p->lost : "its head has ended");
    local_watchdog_show(p);
}

static void local_join(struct rt_provider *p) {
    struct pool_node *nodes = local_pool_nodes(p);
    pools_join(p->cluster, nodes, p->nnodes);
    free(nodes);
    local_show(p);
}

static void local_refresh(struct rt_provider *p) {
    local_nodes_look(p);
    local_show(p);
}

/* ---- life ---- */

static bool local_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx) {
    struct pool_confs pools;
    const bool ok = local_pools_read(conf, &pools, problem, ctx);
    pools_deinit(&pools);
    return ok;
}

static void local_where(const struct rt_cluster_conf *conf, struct rt_buf *out) {
    (void)conf;
    rt_buf_adds(out, "this machine");
}

static struct rt_provider *local_create(const struct rt_provider_env *env, const struct rt_cluster_conf *conf,
                                        struct rt_cluster *cluster, struct rt_error *err) {
    struct rt_provider *p = RT_NEW(struct rt_provider);
    (void)err;
    p->env = *env;
    p->conf = conf;
    p->own = conf->own;
    p->cluster = cluster;
    p->lock = -1;
    local_pools_read(conf, &p->pools, conf_ignore_problem, NULL);
    p->journal = rt_journal_open(conf->name, &p->journal_error);
    if (p->journal)
        local_nodes_find(p);
    local_show(p);
    return p;
}

/* When nothing is under way any more. */
static void unlock(struct rt_provider *p) {
    if (p->tasks)
        return;
    rt_file_unlock(p->lock);
    p->lock = -1;
}

static void task_free(struct task *t) {
    if (t->provider->up == t) {
        t->provider->up = NULL;
        local_ports_release(&t->provider->held);
    }
    t->provider->tasks--;
    unlock(t->provider);
    free(t->result);
    free(t);
}

/* What runs goes on: nodes live in sessions of their own, the journal finds them again. */
static void local_destroy(struct rt_provider *p) {
    local_ports_release(&p->held);
    rt_timer_stop(p->tick);
    rt_op_drop(&p->probe);
    rt_proc_destroy(p->watchdog);
    local_env_cancel(p);
    struct task *tasks[64];
    size_t ntasks = 0;
    for (size_t i = 0; i < p->nnodes; i++) {
        struct task *t = p->nodes[i]->task;
        bool known = !t;
        for (size_t k = 0; k < ntasks; k++)
            known = known || tasks[k] == t;
        if (!known && ntasks < RT_COUNT(tasks))
            tasks[ntasks++] = t;
    }
    if (p->up && ntasks < RT_COUNT(tasks) && !p->nnodes)
        tasks[ntasks++] = p->up;
    while (p->nnodes)
        local_node_free(p->nodes[p->nnodes - 1]);
    for (size_t k = 0; k < ntasks; k++)
        task_free(tasks[k]);
    free(p->nodes);
    rt_journal_close(p->journal);
    pools_deinit(&p->pools);
    free(p->place.ray);
    free(p->job);
    free(p->lost);
    free(p);
}

static bool local_endpoint(struct rt_provider *p, enum rt_endpoint_kind kind, struct rt_endpoint *out, struct rt_error *err) {
    const struct lnode *head = local_head(p);
    if (!head || !p->place.dashboard) {
        rt_error_set(err, RT_E_UNREACHABLE, "%s is not up", p->conf->name);
        return rt_error_hint(err, "`raytui up %s` starts it (u on the screen)", p->conf->name);
    }
    if (head->state == LNODE_STARTING)
        return rt_error_set(err, RT_E_UNREACHABLE, "%s is starting", p->conf->name);
    if (head->state == LNODE_STOPPING)
        return rt_error_set(err, RT_E_UNREACHABLE, "%s is going down", p->conf->name);
    snprintf(out->host, sizeof out->host, "127.0.0.1");
    out->port = kind == RT_EP_DASHBOARD ? p->place.dashboard : p->place.client;
    snprintf(out->url, sizeof out->url, "http://127.0.0.1:%d", p->place.dashboard);
    return true;
}

/* ---- tasks ---- */

/* Nothing is made or ended before the others' work is known, and while they may not work. */
static bool may_work(struct rt_provider *p, const char *what, struct rt_error *err) {
    if (!rt_cluster_begin(p->journal, &p->journal_error, p->conf->name, what, &p->lock, err))
        return false;
    if (!p->tasks)
        local_nodes_meet(p);
    return true;
}

static struct task *task_new(struct rt_provider *p) {
    struct task *t = RT_NEW(struct task);
    t->provider = p;
    p->tasks++;
    return t;
}

static void task_end(struct task *t) {
    struct rt_provider *p = t->provider;
    struct rt_operation *op = t->operation;
    struct rt_error err = t->first;
    char *result = t->result;
    t->result = NULL;
    task_free(t);
    local_show(p);
    rt_operation_finish(op, err.code ? &err : NULL, result);
    free(result);
    p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_NODES);
}

/* Stops what the task has started; an `up` that failed takes all with it. */
static void undo(struct task *t) {
    struct rt_provider *p = t->provider;
    t->undo = true;
    local_env_cancel(p);
    for (size_t i = 0; i < p->nnodes; i++) {
        struct lnode *n = p->nodes[i];
        if ((n->task == t || (t->is_up && !t->keep)) && n->state != LNODE_STOPPING) {
            if (n->task == t && n->state == LNODE_STARTING)
                t->open--;
            local_node_stop(n, t);
        }
    }
}

static void maybe_end(struct task *t);

/* Nodes live in sessions of their own: one that is starting joins without us, the journal knows it. */
static void let_go(struct task *t) {
    struct rt_provider *p = t->provider;
    local_env_cancel(p);
    for (size_t i = p->nnodes; i-- > 0;) {
        struct lnode *n = p->nodes[i];
        if (n->task != t)
            continue;
        n->task = NULL;
        if (n->waiting)
            local_node_free(n);
    }
    task_end(t);
}

static void cancel_task(void *ctx) {
    struct task *t = ctx;
    if (t->operation->leaving) {
        let_go(t);
        return;
    }
    if (!t->first.code)
        rt_error_set(&t->first, RT_E_CANCELLED, "cancelled");
    if (t->is_down)
        return;
    undo(t);
    maybe_end(t);
}

static void remove_temp_dir(struct rt_provider *p, struct task *t) {
    struct rt_error err = {0};
    char *dir = local_temp_dir(p);
    if (!rt_remove_tree(dir, &err) && !t->first.code)
        t->first = err;
    free(dir);
}

/* The last step of down (or of an up that was undone): nothing of it stays. */
static void all_ended(struct task *t) {
    struct rt_provider *p = t->provider;
    if (!p->nnodes) {
        const bool made = p->place.gcs != 0; /* a directory that somebody named may be somebody else's */
        if (made || !p->own || !p->own->temp_dir)
            remove_temp_dir(p, t);
        p->place = (struct local_place){.ray = p->place.ray};
        local_watchdog_stop(p);
        if (p->journal)
            watchdog_job_gone(p->journal);
    }
    task_end(t);
}

/* The workers of the configuration that are not there; with a task they are started. Gives their number. */
static int missing_workers(struct rt_provider *p, struct task *t) {
    int missing = 0;
    for (size_t i = 0; i < p->pools.n; i++) {
        const struct pool_conf *po = &p->pools.v[i];
        int64_t want = RT_MAX(po->nodes, po->min);
        for (size_t k = 0; k < p->nnodes; k++)
            want -= rt_streq(p->nodes[k]->pool, po->name);
        for (int64_t k = 1; want > 0; k++) {
            char *name = rt_strf("%s-%lld", po->name, (long long)k);
            if (!local_node_named(p, name)) {
                if (t)
                    local_node_start(p, t, name, po->name);
                missing++;
                want--;
            }
            free(name);
        }
    }
    return missing;
}

static void stop_all(struct task *t) {
    struct rt_provider *p = t->provider;
    bool workers = false;
    for (size_t i = 0; i < p->nnodes; i++) {
        if (!rt_streq(p->nodes[i]->name, "head")) {
            workers = true;
            if (p->nodes[i]->state != LNODE_STOPPING)
                local_node_stop(p->nodes[i], t);
        }
    }
    struct lnode *head = local_head(p);
    if (!workers && head && head->state != LNODE_STOPPING)
        local_node_stop(head, t); /* last: it knows the others */
}

static void maybe_end(struct task *t) {
    if (t->open)
        return;
    if (!t->is_down && !(t->undo && t->is_up && !t->keep)) {
        task_end(t);
        return;
    }
    stop_all(t);
    if (!t->open)
        all_ended(t);
}

static void set_lost(struct rt_provider *p, char *why) {
    free(p->lost);
    p->lost = why;
}

void local_node_leave(struct lnode *n) {
    struct task *t = n->task;
    struct rt_error err = {0};
    n->task = NULL;
    rt_error_set(&err, RT_E_CANCELLED, "%s ends for another operation", n->name);
    rt_operation_step_end(t->operation, n->step, &err);
    t->open--;
    if (!t->first.code)
        t->first = err;
    maybe_end(t);
}

void local_node_done(struct lnode *n, const struct rt_error *err) {
    struct task *t = n->task;
    const bool head = rt_streq(n->name, "head"), ended = n->state == LNODE_STOPPING || n->state == LNODE_LOST;
    const size_t step = n->step;
    n->task = NULL;
    if (head && n->state == LNODE_LOST && !t)
        set_lost(n->provider, rt_strf("its head ended%s%.200s", n->why && *n->why ? ": " : "", n->why ? n->why : ""));
    if (err && t && !t->undo && n->state == LNODE_STARTING) { /* timed out: it goes again */
        rt_operation_step_end(t->operation, step, err);
        t->open--;
        if (!t->first.code)
            t->first = *err;
        local_node_stop(n, t);
        return;
    }
    if (ended)
        local_node_free(n);
    if (!t)
        return;
    rt_operation_step_end(t->operation, step, err);
    t->open--;
    if (err && !t->first.code)
        t->first = *err;
    struct rt_error unwatched = {0};
    if (t->is_up && head && !err && !t->undo && !ended && !local_watchdog_start(t->provider, t->provider->job, &unwatched)) {
        t->first = unwatched;
        undo(t);
    } else if (t->is_up && head && !err && !t->undo && !ended)
        missing_workers(t->provider, t);
    else if (t->is_up && err && !t->undo && head)
        undo(t);
    maybe_end(t);
}

static struct rt_operation *begin(struct rt_provider *p, struct task *t, const char *verb, char *title) {
    t->operation = rt_operation_start(p->env.operations, verb, p->conf->name, title, cancel_task, t);
    free(title);
    return t->operation;
}

/* ---- up ---- */

static void have_ray(struct rt_provider *p, const char *ray, const struct rt_error *err) {
    struct task *t = p->up;
    char *dir = local_temp_dir(p);
    struct rt_error e = {0};
    if (err)
        e = *err;
    free(p->place.ray);
    p->place.ray = rt_strdup(ray);
    if (e.code || !local_choose_ports(p, &e) || !rt_mkdirs(dir, &e)) {
        t->first = e;
        task_end(t);
    } else {
        local_nodes_drop(p);
        local_node_start(p, t, "head", "head");
    }
    free(dir);
}

/* Of a cluster whose head is up. Given up, it takes only what it has added. */
static struct rt_operation *add_workers(struct rt_provider *p) {
    struct task *t = task_new(p);
    struct rt_operation *op = begin(p, t, "up", rt_strf("bring %s up", p->conf->name));
    t->result = rt_strf("%s is up", p->conf->name);
    t->open = 1; /* while tasks are handed out */
    missing_workers(p, t);
    if (--t->open == 0)
        task_end(t);
    local_show(p);
    return op;
}

static struct rt_operation *local_up(struct rt_provider *p, const struct rt_up_opts *o, struct rt_error *err) {
    if (p->up) {
        rt_error_set(err, RT_E_BUSY, "%s is coming up already", p->conf->name);
        return NULL;
    }
    if (!may_work(p, "up", err))
        return NULL;
    const struct lnode *head = local_head(p);
    const bool add = head && head->state == LNODE_UP && missing_workers(p, NULL);
    if (head && !add) {
        rt_error_set(err, RT_E_CONFLICT, "%s is up already", p->conf->name);
        unlock(p);
        return NULL;
    }
    if (state_of(p) == RT_CL_STOPPING) {
        rt_error_set(err, RT_E_BUSY, "%s is going down", p->conf->name);
        unlock(p);
        return NULL;
    }
    if (add)
        return add_workers(p);
    set_lost(p, NULL);
    struct task *t = p->up = task_new(p);
    t->is_up = true;
    t->keep = o->keep;
    p->up_timeout_ms = o->timeout_ms ? o->timeout_ms : p->conf->up_timeout_ms;
    t->result = rt_strf("%s is up", p->conf->name);
    struct rt_operation *op = begin(p, t, "up", rt_strf("bring %s up", p->conf->name));
    free(p->job);
    if (watchdog_job(p->journal, p->conf->name, op->id, o->user_job, &p->job, &t->first))
        local_env_get(p, op, have_ray);
    else
        task_end(t);
    local_show(p);
    return op;
}

static bool local_plan(struct rt_provider *p, const char *verb, const struct rt_up_opts *o, struct rt_buf *out, struct rt_error *err) {
    (void)o;
    (void)err;
    char *tmp = local_temp_dir(p);
    if (rt_streq(verb, "down")) {
        for (size_t i = 0; i < p->nnodes; i++)
            rt_buf_addf(out, "end node %s (session %lld)\n", p->nodes[i]->name, (long long)p->nodes[i]->pid);
        rt_buf_addf(out, "remove %s\n", tmp);
        free(tmp);
        return true;
    }
    for (size_t i = 0; !local_head(p) && i < p->nnodes; i++)
        rt_buf_addf(out, "end node %s (session %lld): its head has ended\n", p->nodes[i]->name, (long long)p->nodes[i]->pid);
    char *line = local_env_plan(p);
    struct local_place before = p->place;
    struct rt_error ignored = {0};
    if (!p->place.dashboard)
        local_choose_ports(p, &ignored);
    rt_buf_addf(out, "%s\n", line);
    free(line);
    struct rt_strs argv = {0};
    local_node_argv(p, "head", "head", &argv);
    line = rt_shell_join((const char *const *)argv.v);
    rt_buf_addf(out, "%s\n", line);
    free(line);
    rt_strs_deinit(&argv);
    for (size_t i = 0; i < p->pools.n; i++) {
        char *name = rt_strf("%s-1", p->pools.v[i].name);
        local_node_argv(p, name, p->pools.v[i].name, &argv);
        line = rt_shell_join((const char *const *)argv.v);
        rt_buf_addf(out, "%lld x  %s\n", (long long)RT_MAX(p->pools.v[i].nodes, p->pools.v[i].min), line);
        free(line);
        free(name);
        rt_strs_deinit(&argv);
    }
    const struct watchdog_opts life = watchdog_opts(p->conf, p->conf->user_script);
    watchdog_plan(&life, out);
    p->place = before;
    local_ports_release(&p->held);
    free(tmp);
    return true;
}

/* ---- down ---- */

static struct rt_operation *local_down(struct rt_provider *p, struct rt_error *err) {
    if (p->up)
        rt_operation_cancel(p->up->operation);
    if (!may_work(p, "down", err))
        return NULL;
    set_lost(p, NULL);
    struct task *t = task_new(p);
    t->is_down = true;
    t->result = rt_strf("%s is down", p->conf->name);
    struct rt_operation *op = begin(p, t, "down", rt_strf("take %s down", p->conf->name));
    stop_all(t);
    if (!t->open)
        all_ended(t); /* nothing ran: what is left on disk goes */
    return op;
}

/* ---- scale ---- */

static bool local_scale_impact(struct rt_provider *p, const char *pool, int64_t n, struct rt_scale_impact *out, struct rt_error *err) {
    const struct lnode *head = local_head(p);
    struct pool_node *nodes = local_pool_nodes(p);
    const bool up = head && head->state == LNODE_UP;
    const bool ok = pools_impact(p->conf, p->cluster, up, &p->pools, nodes, p->nnodes, pool, n, out, err);
    free(nodes);
    return ok;
}

static struct rt_operation *local_scale(struct rt_provider *p, const char *pool, int64_t n, struct rt_error *err) {
    struct rt_scale_impact impact = {0};
    if (!may_work(p, "scale", err))
        return NULL;
    if (!local_scale_impact(p, pool, n, &impact, err)) {
        rt_scale_impact_deinit(&impact);
        unlock(p);
        return NULL;
    }
    const int64_t from = impact.from;
    rt_scale_impact_deinit(&impact);
    struct task *t = task_new(p);
    struct rt_operation *op = begin(p, t, "scale", rt_strf("scale %s from %lld to %lld", pool, (long long)from, (long long)n));
    t->result = rt_strf("%s has %lld node%s", pool, (long long)n, rt_plural(n));
    t->open = 1; /* while tasks are handed out */
    for (int64_t k = 1, missing = n - from; missing > 0; k++) {
        char *name = rt_strf("%s-%lld", pool, (long long)k);
        if (!local_node_named(p, name)) {
            local_node_start(p, t, name, pool);
            missing--;
        }
        free(name);
    }
    if (n < from) {
        struct pool_node *nodes = local_pool_nodes(p);
        struct lnode **go = rt_alloc((p->nnodes + 1) * sizeof(struct lnode *));
        size_t *index = rt_alloc((p->nnodes + 1) * sizeof *index);
        const size_t count = pools_leaving(p->cluster, nodes, p->nnodes, pool, (size_t)(from - n), index);
        for (size_t i = 0; i < count; i++)
            go[i] = p->nodes[index[i]];
        for (size_t i = 0; i < count; i++)
            local_node_stop(go[i], t);
        free(index);
        free(go);
        free(nodes);
    }
    if (--t->open == 0)
        task_end(t);
    local_show(p);
    return op;
}

static bool local_set_limits(struct rt_provider *p, const char *pool, int64_t min, int64_t max, struct rt_error *err) {
    return pools_set_limits(p->conf, &p->pools, pool, min, max, LOCAL_POOL_MAX, err);
}

static struct rt_operation *local_remove_node(struct rt_provider *p, const char *node_id, struct rt_error *err) {
    const struct rt_node *ray = rt_store_node(p->cluster, node_id);
    struct lnode *n = ray && ray->name ? local_node_named(p, ray->name) : NULL;
    if (!n) {
        rt_error_set(err, RT_E_UNSUPPORTED, "%s was not started by raytui", node_id);
        return NULL;
    }
    if (rt_streq(n->name, "head")) {
        rt_error_set(err, RT_E_UNSUPPORTED, "the head ends with its cluster");
        rt_error_hint(err, "`raytui down %s`", p->conf->name);
        return NULL;
    }
    if (n->state != LNODE_UP) {
        rt_error_set(err, RT_E_BUSY, "%s is on its way already", n->name);
        return NULL;
    }
    if (!may_work(p, "remove-node", err))
        return NULL;
    n = local_node_named(p, ray->name); /* another raytui may have ended it */
    if (!n) {
        rt_error_set(err, RT_E_NOT_FOUND, "%s has ended already", ray->name);
        unlock(p);
        return NULL;
    }
    struct task *t = task_new(p);
    struct rt_operation *op = begin(p, t, "remove-node", rt_strf("end node %s", n->name));
    t->result = rt_strf("%s has ended", n->name);
    local_node_stop(n, t);
    local_show(p);
    return op;
}

static bool local_shell(struct rt_provider *p, const char *node_id, struct rt_strs *argv, struct rt_error *err) {
    const char *shell = getenv("SHELL");
    (void)p;
    (void)node_id;
    (void)err;
    rt_strs_add(argv, shell && *shell ? shell : "/bin/sh");
    return true;
}

static bool local_equivalent(struct rt_provider *p, const char *verb, const char *arg, struct rt_buf *out) {
    struct rt_strs argv = {0};
    if (rt_streq(verb, "down")) {
        for (size_t i = 0; i < p->nnodes; i++)
            rt_buf_addf(out, "kill -TERM %lld   # %s\n", (long long)p->nodes[i]->pid, p->nodes[i]->name);
        return p->nnodes > 0;
    }
    if (!rt_streq(verb, "scale") || !arg)
        return false;
    char *pool = rt_strndup(arg, strcspn(arg, " ")), *name = rt_strf("%s-N", pool);
    local_node_argv(p, name, pool, &argv);
    char *line = rt_shell_join((const char *const *)argv.v);
    rt_buf_adds(out, line);
    free(line);
    free(name);
    free(pool);
    rt_strs_deinit(&argv);
    return true;
}

static void local_machine_logs(struct rt_provider *p, struct rt_strs *out) {
    for (size_t i = 0; i < p->nnodes; i++) {
        char *file = rt_strf("node-%s.log", p->nodes[i]->name), *path = rt_cluster_path(p->conf->name, file);
        rt_strs_addf(out, "%s\t%s", p->nodes[i]->name, path);
        free(path);
        free(file);
    }
}

/* ---- a Ray that somebody else runs here ---- */

struct look {
    struct rt_op op;
    struct rt_op *get;
    void (*found)(void *ctx, const char *target, const char *text);
    void (*done)(void *ctx);
    void *ctx;
};

static void look_cancel(struct rt_op *op) {
    struct look *l = (struct look *)op;
    rt_op_drop(&l->get);
    free(l);
}

static void looked(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct look *l = ctx;
    struct rt_error ignored = {0};
    l->get = NULL;
    if (!err && a->status == 200) {
        json_t *v = rt_json_parse(a->body, a->body_len, &ignored);
        const char *version = rt_json_str(v, "ray_version");
        char clean[64], *text = version ? rt_strf("a Ray cluster on 127.0.0.1:8265 (%s)", rt_clean_to(clean, sizeof clean, version)) : NULL;
        if (text)
            l->found(l->ctx, "http://127.0.0.1:8265", text);
        free(text);
        json_decref(v);
    }
    l->done(l->ctx);
    free(l);
}

static struct rt_op *local_discover(const struct rt_provider_env *env, void (*found)(void *ctx, const char *target, const char *text),
                                    void (*done)(void *ctx), void *ctx) {
    struct look *l = RT_NEW(struct look);
    l->op.cancel = look_cancel;
    l->found = found;
    l->done = done;
    l->ctx = ctx;
    const struct rt_http_request r = {.url = "http://127.0.0.1:8265/api/version", .timeout_ms = 2000, .pool = "discover"};
    const struct rt_http_callbacks cb = {.done = looked, .ctx = l};
    l->get = rt_http_send(env->http, &r, &cb);
    return &l->op;
}

const struct rt_provider_ops rt_provider_local = {
    .name = "local",
    .summary = "a real Ray on this machine, started and ended by raytui",
    .caps = RT_CAP_UP | RT_CAP_DOWN | RT_CAP_SCALE | RT_CAP_REMOVE_NODE | RT_CAP_SHELL | RT_CAP_MACHINE_LOGS | RT_CAP_DISCOVER |
            RT_CAP_KEEPALIVE,
    .config = local_fields,
    .config_size = sizeof(struct local_config),
    .starts = true,
    .check = local_check,
    .where = local_where,
    .create = local_create,
    .destroy = local_destroy,
    .endpoint = local_endpoint,
    .refresh = local_refresh,
    .join = local_join,
    .plan = local_plan,
    .up = local_up,
    .down = local_down,
    .scale_impact = local_scale_impact,
    .scale = local_scale,
    .set_limits = local_set_limits,
    .remove_node = local_remove_node,
    .keepalive = local_keepalive,
    .shell = local_shell,
    .equivalent = local_equivalent,
    .machine_logs = local_machine_logs,
    .discover = local_discover,
};
