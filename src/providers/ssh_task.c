/* up, down, remove-node: which nodes are started or ended in which order, and what an end in the middle leaves. */
#include "base/fs.h"
#include "providers/ssh.h"
#include <stdlib.h>
#include <string.h>

enum { TICK_MS = 100, UP_MS = 30 * 60 * 1000 };

/* ---- life of a task ---- */

static void on_tick(void *ctx);

static bool may_work(struct rt_provider *p, const char *what, struct rt_error *err) {
    return rt_cluster_begin(p->journal, &p->journal_error, p->conf->name, what, &p->lock, err);
}

static void cancel_task(void *ctx);

/* Takes title. */
static struct stask *task_new(struct rt_provider *p, const char *verb, char *title) {
    struct stask *t = RT_NEW(struct stask);
    t->provider = p;
    t->operation = rt_operation_start(p->env.operations, verb, p->conf->name, title, cancel_task, t);
    free(title);
    p->tasks = rt_realloc(p->tasks, (p->ntasks + 1) * sizeof(*p->tasks));
    p->tasks[p->ntasks++] = t;
    if (!p->tick)
        p->tick = rt_timer_start(p->env.loop, 0, TICK_MS, on_tick, p);
    return t;
}

static void task_free(struct stask *t) {
    struct rt_provider *p = t->provider;
    for (size_t i = 0; i < p->ntasks; i++) {
        if (p->tasks[i] == t) {
            memmove(&p->tasks[i], &p->tasks[i + 1], (p->ntasks - i - 1) * sizeof(*p->tasks));
            p->ntasks--;
            break;
        }
    }
    for (size_t i = 0; i < p->nnodes; i++)
        if (p->nodes[i]->task == t)
            p->nodes[i]->task = NULL;
    if (!p->ntasks) {
        rt_timer_stop(p->tick);
        p->tick = NULL;
        rt_file_unlock(p->lock);
        p->lock = -1;
        free(p->requirements);
        p->requirements = NULL;
        free(p->job);
        p->job = NULL;
    }
    rt_timer_stop(t->limit);
    free(t->result);
    free(t);
}

/* What the operation ends with: hosts that failed beside others that did not are named. */
static struct rt_error verdict(const struct stask *t) {
    struct rt_error err = t->first.code ? t->first : t->partial;
    if (t->first.code || !t->failed || (!t->is_up && !t->is_down && t->failed >= t->wanted))
        return err;
    err.code = RT_E_PARTIAL;
    if (t->failed > 1)
        rt_error_wrap(&err, "%zu hosts failed, the first", t->failed);
    rt_error_wrap(&err, "%s, but", t->result);
    rt_error_hint(&err, "`raytui %s %s` again tries what is missing", t->operation->verb, t->provider->conf->name);
    return err;
}

static void task_end(struct stask *t) {
    struct rt_provider *p = t->provider;
    struct rt_operation *op = t->operation;
    const struct rt_error err = verdict(t);
    char *result = t->result;
    t->result = NULL;
    task_free(t);
    ssh_show(p);
    rt_operation_finish(op, err.code ? &err : NULL, result);
    free(result);
    p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_NODES);
}

static bool open_nodes(const struct stask *t) {
    const struct rt_provider *p = t->provider;
    for (size_t i = 0; i < p->nnodes; i++)
        if (p->nodes[i]->task == t && p->nodes[i]->phase != PH_NONE)
            return true;
    return false;
}

/* What runs on the hosts goes on; the journal and the head's list know it. */
static void let_go(struct stask *t) {
    struct rt_provider *p = t->provider;
    if (!t->first.code)
        rt_error_set(&t->first, RT_E_CANCELLED, "cancelled");
    for (size_t i = 0; i < p->nnodes; i++) {
        struct snode *n = p->nodes[i];
        if (n->task != t)
            continue;
        ssh_node_halt(n, &t->first);
        n->state = n->booked || n->touched ? SNODE_UP : SNODE_ABSENT;
    }
    task_end(t);
}

void ssh_tasks_abandon(struct rt_provider *p) {
    while (p->ntasks)
        let_go(p->tasks[0]);
}

/* Workers first; the head, which knows them, when they have gone (see go_on). */
static void undo(struct stask *t) {
    struct rt_provider *p = t->provider;
    t->undo = true;
    for (size_t i = p->nnodes; i-- > 0;) {
        struct snode *n = p->nodes[i];
        if (n->task != t)
            continue;
        const bool stop = n->touched && !n->before && !t->keep;
        ssh_node_halt(n, &t->first);
        n->state = n->before || t->keep ? SNODE_UP : SNODE_ABSENT;
        if (stop && i > 0)
            ssh_node_stop(n, t);
    }
    for (size_t i = 1; t->is_up && !t->keep && i < p->nnodes; i++) /* those that it has brought up already */
        if (!p->nodes[i]->task && p->nodes[i]->touched && !p->nodes[i]->before)
            ssh_node_stop(p->nodes[i], t);
    rt_timer_again(p->tick, 0, TICK_MS);
}

static void cancel_task(void *ctx) {
    struct stask *t = ctx;
    if (!t->first.code)
        rt_error_set(&t->first, RT_E_CANCELLED, "cancelled");
    if (t->operation->leaving || t->is_down)
        let_go(t);
    else
        undo(t);
}

static void on_limit(void *ctx) {
    struct stask *t = ctx;
    if (t->undo)
        return;
    rt_error_set(&t->first, RT_E_TIMEOUT, "%s did not come up in time", t->provider->conf->name);
    rt_error_hint(&t->first, "`up_timeout` says how long it may take; `--keep` leaves what was made");
    undo(t);
}

/* ---- steps ---- */

/* The head goes last, also when workers could not be reached: its list of them stays, and `down` tries again. */
static void go_on(struct stask *t) {
    struct snode *head = t->provider->nodes[0];
    if (open_nodes(t))
        return;
    const bool take_head = t->is_down || (t->undo && t->is_up && !t->keep && !head->before);
    if (take_head && head->touched && !t->head_taken) {
        t->head_taken = true;
        ssh_node_stop(head, t);
        return;
    }
    task_end(t);
}

static void on_tick(void *ctx) {
    struct rt_provider *p = ctx;
    for (size_t i = 0; i < p->nnodes; i++)
        ssh_node_tick(p->nodes[i]);
    for (size_t i = p->ntasks; i-- > 0;)
        go_on(p->tasks[i]);
}

static void note_failure(struct stask *t, const struct rt_error *err) {
    t->failed++;
    if (!t->partial.code)
        t->partial = *err;
}

void ssh_task_node_failed(struct snode *n, const struct rt_error *err) {
    struct stask *t = n->task;
    const bool head = n == t->provider->nodes[0], was_stopping = n->state == SNODE_STOPPING;
    if (was_stopping) { /* it stays in the journal: down tries again */
        n->touched = n->booked = true;
        n->state = SNODE_LOST;
        n->task = NULL;
        if (!t->first.code && head)
            t->first = *err;
        else
            note_failure(t, err);
        return;
    }
    if (head) {
        if (!t->first.code)
            t->first = *err;
        t->head_taken = t->is_down; /* out of reach: not tried again */
        undo(t);
        return;
    }
    note_failure(t, err);
    if (n->before) {
        n->state = SNODE_LOST;
        n->task = NULL;
    } else if (n->touched && !t->keep) {
        ssh_node_stop(n, t);
    } else {
        n->state = SNODE_ABSENT;
        n->task = NULL;
    }
}

bool ssh_peers(const struct stask *t, struct rt_strs *out) {
    const struct rt_provider *p = t->provider;
    bool coming = false;
    for (size_t i = 1; i < p->nnodes; i++) {
        const struct snode *n = p->nodes[i];
        if (n->task != t)
            continue;
        if (n->phase == PH_READY && n->address && *n->address)
            rt_strs_add(out, n->address);
        coming = coming || n->phase == PH_REACH || n->phase == PH_PREPARE;
    }
    return out->n > 0 || !coming;
}

/* The head was looked at: what lives already is not made again. */
static void looked_for_up(struct stask *t) {
    struct rt_provider *p = t->provider;
    struct snode *head = p->nodes[0];
    head->before = p->coming;
    for (size_t i = 1; i < p->nnodes; i++)
        p->nodes[i]->before = p->coming && p->nodes[i]->booked;
    if (p->up) {
        head->phase = PH_NONE;
        head->state = SNODE_UP;
        head->task = NULL;
        head->touched = true;
    } else {
        ssh_node_start(head, t);
    }
}

static void looked_for_down(struct stask *t) {
    struct rt_provider *p = t->provider;
    struct snode *head = p->nodes[0];
    head->phase = PH_NONE;
    head->touched = true;
    for (size_t i = 1; i < p->nnodes; i++)
        if (p->nodes[i]->booked || p->nodes[i]->touched)
            ssh_node_stop(p->nodes[i], t);
}

void ssh_task_looked(struct stask *t) {
    t->head_asked = true;
    if (t->is_down)
        looked_for_down(t);
    else
        looked_for_up(t);
}

/* ---- up ---- */

static bool read_requirements(struct rt_provider *p, struct rt_error *err) {
    return p->requirements || far_requirements(&p->own->far, &p->requirements, err);
}

static bool busy(const struct rt_provider *p, struct rt_error *err) {
    if (!p->ntasks)
        return false;
    rt_error_set(err, RT_E_BUSY, "%s: %s is under way", p->conf->name, p->tasks[0]->operation->title);
    return true;
}

static bool listed_by_ray(const struct snode *n) {
    const struct rt_node *ray = pools_ray_node(n->provider->cluster, n->name);
    return n->state == SNODE_UP && n->provider->up && ray && ray->alive;
}

/* Is there nothing that up could add? */
static bool all_there(const struct rt_provider *p) {
    for (size_t i = 0; i < p->pools.n; i++) {
        int64_t there = 0;
        for (size_t k = 1; k < p->nnodes; k++)
            there += rt_streq(p->nodes[k]->pool, p->pools.v[i].name) && listed_by_ray(p->nodes[k]);
        if (there < p->pools.v[i].nodes)
            return false;
    }
    return p->up;
}

/* Nodes that the journal knows may have been cut short: starting them again makes nothing twice. */
static void start_pool(struct stask *t, const struct pool_conf *pool) {
    struct rt_provider *p = t->provider;
    struct snode **v = NULL;
    size_t count = 0;
    ssh_scale_nodes(p, pool->name, RT_MAX(pool->nodes, (int64_t)ssh_pool_size(p, pool->name)), &v, &count);
    for (size_t i = 1; i < p->nnodes; i++)
        if (rt_streq(p->nodes[i]->pool, pool->name) && p->nodes[i]->state == SNODE_UP && !listed_by_ray(p->nodes[i]))
            ssh_node_start(p->nodes[i], t);
    for (size_t k = 0; k < count; k++)
        ssh_node_start(v[k], t);
    free(v);
}

struct rt_operation *ssh_up(struct rt_provider *p, const struct rt_up_opts *o, struct rt_error *err) {
    if (busy(p, err))
        return NULL;
    if (p->looked && all_there(p)) {
        rt_error_set(err, RT_E_CONFLICT, "%s is up already", p->conf->name);
        return NULL;
    }
    if (!read_requirements(p, err) || !may_work(p, "up", err))
        return NULL;
    struct stask *t = task_new(p, "up", rt_strf("bring %s up", p->conf->name));
    const int64_t limit = o->timeout_ms ? o->timeout_ms : p->conf->up_timeout_ms ? p->conf->up_timeout_ms : UP_MS;
    t->keep = o->keep;
    t->limit = rt_timer_start(p->env.loop, limit, 0, on_limit, t);
    t->result = rt_strf("%s is up", p->conf->name);
    t->is_up = true;
    struct rt_operation *op = t->operation;
    if (!watchdog_job(p->journal, p->conf->name, op->id, o->user_job, &p->job, &t->first)) {
        task_end(t);
        return op;
    }
    ssh_node_look(p->nodes[0], t);
    for (size_t i = 0; i < p->pools.n; i++)
        start_pool(t, &p->pools.v[i]);
    ssh_show(p);
    return op;
}

/* ---- down ---- */

struct rt_operation *ssh_down(struct rt_provider *p, struct rt_error *err) {
    ssh_tasks_abandon(p);
    if (!may_work(p, "down", err))
        return NULL;
    struct stask *t = task_new(p, "down", rt_strf("take %s down", p->conf->name));
    struct rt_operation *op = t->operation;
    t->is_down = true;
    t->result = rt_strf("%s is down", p->conf->name);
    if (!p->env.hop && !rt_journal_count(p->journal)) { /* no way to the head was ever opened */
        task_end(t);
        return op;
    }
    ssh_node_look(p->nodes[0], t);
    ssh_show(p);
    return op;
}

/* ---- one node ---- */

struct rt_operation *ssh_remove_node(struct rt_provider *p, const char *node_id, struct rt_error *err) {
    const struct rt_node *ray = rt_store_node(p->cluster, node_id);
    struct snode *n = ray && ray->name ? ssh_node_named(p, ray->name) : NULL;
    if (!n) {
        rt_error_set(err, RT_E_UNSUPPORTED, "%s was not started by raytui", node_id);
        return NULL;
    }
    if (n == p->nodes[0]) {
        rt_error_set(err, RT_E_UNSUPPORTED, "the head ends with its cluster");
        rt_error_hint(err, "`raytui down %s`", p->conf->name);
        return NULL;
    }
    if (n->phase != PH_NONE) {
        rt_error_set(err, RT_E_BUSY, "%s is on its way already", n->name);
        return NULL;
    }
    if (!may_work(p, "remove-node", err))
        return NULL;
    struct stask *t = task_new(p, "remove-node", rt_strf("end node %s on %s", n->name, n->host));
    t->head_asked = true;
    t->result = rt_strf("%s has ended", n->name);
    n->booked = true;
    ssh_node_stop(n, t);
    ssh_show(p);
    return t->operation;
}

struct rt_operation *ssh_scale(struct rt_provider *p, const char *pool, int64_t n, struct rt_error *err) {
    struct rt_scale_impact impact = {0};
    const bool possible = ssh_scale_impact(p, pool, n, &impact, err);
    const int64_t from = impact.from;
    rt_scale_impact_deinit(&impact);
    if (!possible || !read_requirements(p, err) || !may_work(p, "scale", err))
        return NULL;
    struct stask *t = task_new(p, "scale", rt_strf("scale %s from %lld to %lld", pool, (long long)from, (long long)n));
    struct snode **v = NULL;
    size_t count = 0;
    t->head_asked = true;
    t->result = rt_strf("%s has %lld node%s", pool, (long long)n, rt_plural(n));
    ssh_scale_nodes(p, pool, n, &v, &count);
    t->wanted = count;
    for (size_t i = 0; i < count; i++) {
        v[i]->before = false;
        if (n > from)
            ssh_node_start(v[i], t);
        else
            ssh_node_stop(v[i], t);
    }
    free(v);
    ssh_show(p);
    return t->operation;
}
