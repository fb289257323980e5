/* Pools of a living cluster: added, taken away, made larger and smaller. */
#include "providers/drain.h"
#include "providers/yellowdog_impl.h"
#include <stdlib.h>
#include <string.h>

enum { DRAIN_S = 60, TASKS_MS = 60000, NODES_MS = 120000, COMING_MS = 30 * 60 * 1000 };

/* ---- common ---- */

static bool changeable(const struct rt_provider *p, struct rt_error *err) {
    const struct yd_seen *s = p->seen;
    if (!s) {
        *err = p->look_error;
        return err->code ? false : rt_error_set(err, RT_E_UNREACHABLE, "%s: the platform was not asked yet", p->conf->name);
    }
    if (s->foreign) {
        rt_error_set(err, RT_E_UNSUPPORTED, "RayDog's autoscaler owns the pools of %s", p->conf->name);
        return rt_error_hint(err, "it makes nodes when tasks and actors ask for them");
    }
    if (yd_work_lives(s) && yd_role_ip(s, YD_HEAD))
        return true;
    rt_error_set(err, RT_E_CONFLICT, "%s is not up", p->conf->name);
    return rt_error_hint(err, "`raytui up %s` starts it", p->conf->name);
}

static const struct yd_part *living(const struct rt_provider *p, const char *pool, struct rt_error *err) {
    const struct yd_part *part = yd_seen_part(p->seen, pool);
    if (!part || part->over || yd_pool_over(part->pool)) {
        if (!part && !yd_conf_pool_named(&p->pools, pool))
            rt_error_set(err, RT_E_NOT_FOUND, "%s has no pool %s", p->conf->name, pool);
        else
            rt_error_set(err, RT_E_CONFLICT, "pool %s of %s is not there", pool, p->conf->name);
        rt_error_hint(err, "`raytui up %s` makes pools of the configuration that are missing, `raytui add-pool` others", p->conf->name);
        return NULL;
    }
    if (part->role == YD_WORKER)
        return part;
    rt_error_set(err, RT_E_UNSUPPORTED, "pool %s has one node, which goes with the cluster", pool);
    return NULL;
}

static bool exists(const struct rt_provider *p, const char *pool, struct rt_error *err) {
    if (yd_seen_part(p->seen, pool) || yd_conf_pool_named(&p->pools, pool))
        return true;
    return rt_error_set(err, RT_E_NOT_FOUND, "%s has no pool %s", p->conf->name, pool);
}

/* What was asked of the platform stays asked. */
static void stop(struct yd_run *r) {
    if (r->first.code == RT_E_TIMEOUT)
        rt_error_hint(&r->first, "what was asked of the platform stays asked; `raytui pools %s` tells what is missing", r->provider->conf->name);
    yd_run_end(r);
}

/* ---- more ---- */

static void want_pool(struct yd_run *r, const struct yd_pool_conf *conf, bool owned) {
    r->wants = rt_alloc(sizeof *r->wants);
    r->wants[0] = (struct yd_want){.role = YD_WORKER, .conf = *conf, .owned = owned};
    for (size_t i = 0; i < r->provider->pools.n; i++)
        if (rt_streq(r->provider->pools.v[i].name, conf->name))
            r->wants[0].preferred = (unsigned)(i + 1);
    r->nwants = 1;
}

static void resized(void *ctx, struct yd_result *a, const struct yd_failure *f) {
    struct yd_run *r = ctx;
    r->op = NULL;
    r->posting = false;
    yd_result_free(a);
    if (f)
        yd_run_note(r, &f->error);
    else
        r->resized = true;
    if (r->first.code)
        r->give_up(r);
    else
        yd_run_look(r, 0);
}

static void resize(struct yd_run *r, const struct yd_part *part) {
    yd_run_title(r, "size of %s: %lld", part->pool->name, (long long)r->count);
    r->posting = true;
    yd_run_send(r, &(struct yd_call){.verb = YD_POOL_RESIZE, .id = part->pool->id, .size = r->count}, resized);
}

/* The pool has its machines and tasks: until all execute. */
static void until_executing(struct yd_run *r) {
    struct rt_provider *p = r->provider;
    const struct yd_part *part = yd_seen_part(p->seen, r->pool);
    struct rt_buf why;
    if (!part || part->over) {
        struct rt_error err = {0};
        rt_error_set(&err, RT_E_REMOTE, "pool %s has ended meanwhile", r->pool);
        yd_run_note(r, &err);
        yd_run_end(r);
        return;
    }
    const struct yd_count c = yd_part_count(p, p->seen, part);
    yd_run_title(r, "until the nodes of %s start Ray", r->pool);
    rt_operation_progress(r->operation, r->step, c.executing, r->count);
    rt_buf_init(&why, 4 * RT_KIB);
    if (yd_part_why(p, p->seen, part, &why))
        yd_run_say(r, rt_buf_str(&why));
    if (c.executing < r->count && c.tasks < r->count) {
        struct rt_error err = {0};
        rt_error_set(&err, RT_E_PARTIAL, "pool %s: %lld of %lld nodes run: %.400s", r->pool, (long long)c.executing, (long long)r->count,
                     rt_buf_str(&why));
        yd_run_note(r, &err);
    }
    rt_buf_deinit(&why);
    if (c.executing >= r->count || r->first.code)
        yd_run_end(r);
    else
        yd_run_look(r, yd_run_pace_ms(r));
}

static bool already(const struct rt_provider *p, const char *pool, struct rt_error *err) {
    rt_error_set(err, RT_E_CONFLICT, "%s has a pool %s already", p->conf->name, pool);
    return rt_error_hint(err, "`raytui scale %s %s N` resizes it", p->conf->name, pool);
}

static bool still_up(struct yd_run *r) {
    struct rt_error err = {0};
    if (changeable(r->provider, &err))
        return true;
    yd_run_note(r, &err);
    yd_run_end(r);
    return false;
}

static void decide_more(struct yd_run *r) {
    const struct yd_part *part = yd_seen_part(r->provider->seen, r->pool);
    const bool there = part && !part->over && !yd_pool_over(part->pool);
    if (!still_up(r))
        return;
    if (!r->name) {
        struct rt_error err = {0};
        r->name = rt_strdup(r->provider->seen->run);
        if (there && rt_streq(r->operation->verb, "add-pool") && yd_part_count(r->provider, r->provider->seen, part).tasks) {
            already(r->provider, r->pool, &err);
            yd_run_note(r, &err);
            yd_run_end(r);
            return;
        }
    }
    if (there && !r->resized && yd_part_count(r->provider, r->provider->seen, part).wanted < r->count)
        resize(r, part);
    else if (yd_ensure(r))
        until_executing(r);
}

static struct yd_run *start_more(struct rt_provider *p, const char *verb, const char *pool, const struct yd_pool_conf *conf, bool owned,
                                 char *title, struct rt_error *err) {
    struct yd_run *r = yd_run_start(p, verb, title, decide_more, stop, err);
    if (!r)
        return NULL;
    r->pool = rt_strdup(pool);
    r->count = conf->count;
    want_pool(r, conf, owned);
    r->result = rt_strf("%s: the %lld node%s of pool %s start%s Ray", p->conf->name, (long long)conf->count, conf->count == 1 ? "" : "s", pool,
                        conf->count == 1 ? "s" : "");
    yd_run_limit(r, p->conf->up_timeout_ms ? p->conf->up_timeout_ms : COMING_MS);
    return r;
}

struct rt_operation *yd_add_pool(struct rt_provider *p, const char *name, const struct rt_strs *fields, struct rt_error *err) {
    struct yd_pool_conf conf;
    if (!yd_conf_pool(p->conf, &p->pools, name, fields, &conf, err))
        return NULL;
    const struct yd_part *part = p->seen ? yd_seen_part(p->seen, conf.name) : NULL;
    bool ok = !p->seen || changeable(p, err); /* not asked yet: the operation does */
    if (ok && part && !part->over && !yd_pool_over(part->pool))
        ok = already(p, conf.name, err);
    struct yd_run *r = ok ? start_more(p, "add-pool", conf.name, &conf, true, rt_strf("add pool %s", conf.name), err) : NULL;
    if (!r) {
        yd_conf_pool_deinit(&conf);
        return NULL;
    }
    rt_strs_copy(&r->words, fields);
    r->wants[0].words = &r->words;
    return r->operation;
}

/* ---- less ---- */

/* Those on which least is lost: without a task, then without work in Ray, the newest first. */
static int worth(const struct rt_provider *p, const struct yd_node *n) {
    for (size_t i = 0; i < p->cluster->nodes.n; i++) {
        const struct rt_node *ray = &p->cluster->nodes.v[i];
        if (!ray->alive || yd_node_of(p, ray, NULL) != n)
            continue;
        struct rt_strs id = {0}, work = {0};
        rt_strs_add(&id, ray->id);
        rt_work_on_nodes(p->cluster, &id, &work);
        const bool busy = work.n > 0;
        rt_strs_deinit(&id);
        rt_strs_deinit(&work);
        return busy ? 2 : 1;
    }
    return 0;
}

static void leaving(const struct rt_provider *p, const struct yd_part *part, size_t count, struct rt_strs *nodes) {
    for (int w = 0; w <= 2; w++)
        for (size_t i = part->nodes ? part->nodes->n : 0; i-- > 0 && nodes->n < count;) {
            const struct yd_node *n = &part->nodes->nodes[i];
            if (!yd_node_gone(n) && worth(p, n) == w)
                rt_strs_add(nodes, n->id);
        }
}

static void rays_of(const struct rt_provider *p, const struct rt_strs *nodes, struct rt_strs *out) {
    for (size_t i = 0; i < p->cluster->nodes.n; i++) {
        const struct rt_node *ray = &p->cluster->nodes.v[i], *alive = ray->alive ? ray : NULL;
        const struct yd_node *n = alive ? yd_node_of(p, ray, NULL) : NULL;
        if (n && rt_strs_has(nodes, n->id))
            rt_strs_add(out, ray->id);
    }
}

/* Several nodes with one address cannot be told apart in Ray: another could be drained. */
static bool one_of_several(const struct rt_provider *p, const struct yd_node *node) {
    size_t same = 0;
    for (size_t i = 0; i < p->seen->nparts; i++) {
        const struct yd_result *r = p->seen->parts[i].role == YD_WORKER ? p->seen->parts[i].nodes : NULL;
        for (size_t k = 0; r && k < r->n; k++)
            same += !yd_node_gone(&r->nodes[k]) && rt_streq(r->nodes[k].private_ip, node->private_ip);
    }
    return same > 1;
}

static void rays_to_drain(struct yd_run *r) {
    const struct rt_provider *p = r->provider;
    rays_of(p, &r->nodes, &r->rays);
    for (size_t i = r->rays.n; i-- > 0;) {
        const struct rt_node *ray = rt_store_node(p->cluster, r->rays.v[i]);
        const struct yd_node *n = ray ? yd_node_of(p, ray, NULL) : NULL;
        if (n && !one_of_several(p, n))
            continue;
        free(r->rays.v[i]);
        memmove(&r->rays.v[i], &r->rays.v[i + 1], (r->rays.n - i) * sizeof *r->rays.v); /* with the NULL at the end */
        r->rays.n--;
    }
}

static void drained(void *ctx, const char *log, const struct rt_error *err) {
    struct yd_run *r = ctx;
    r->op = NULL;
    r->drained = !err && drain_taken(log);
    if (!r->drained)
        yd_run_say(r, err ? err->message : "Ray did not drain them");
    yd_run_title(r, "until their work is done, for %d s at most", DRAIN_S);
    yd_run_look(r, 500);
}

/* Ray is told first, so that nothing new begins there and what runs may end. Where it cannot be told they go all the same: the
 * person saw what runs there. */
static bool drain(struct yd_run *r) {
    const struct rt_provider *p = r->provider;
    if (!r->rays.n || !p->env.ray->run_script || p->cluster->reach != RT_REACH_OK)
        return false;
    char *line = drain_line(&r->rays, DRAIN_S);
    yd_run_title(r, "draining %zu node%s", r->rays.n, r->rays.n == 1 ? "" : "s");
    r->op = p->env.ray->run_script(p->env.ray->ctx, p->conf->name, line, drained, r);
    free(line);
    return true;
}

static bool still_in_ray(const struct yd_run *r) {
    for (size_t i = 0; i < r->rays.n; i++) {
        const struct rt_node *n = rt_store_node(r->provider->cluster, r->rays.v[i]);
        if (n && n->alive)
            return true;
    }
    return false;
}

/* Once, and until it is over; false: go on. */
static bool drains(struct yd_run *r) {
    const struct rt_provider *p = r->provider;
    if (!r->drain_asked) {
        r->drain_asked = true;
        return drain(r);
    }
    if (!r->drained || r->aborted || !still_in_ray(r) || yd_run_waited_ms(r) >= DRAIN_S * 1000)
        return false;
    p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_NODES);
    yd_run_look(r, 1000);
    return true;
}

/* The next task on one of the nodes that is not told to end yet; NULL: none is left. */
static const struct yd_task *running_on(const struct yd_run *r, bool untold) {
    const struct yd_seen *s = r->provider->seen;
    for (size_t i = 0; s->tasks && i < s->tasks->n; i++) {
        const struct yd_task *t = &s->tasks->tasks[i];
        const struct yd_node *n = yd_task_over(t) ? NULL : yd_task_node(s, t);
        if (n && rt_strs_has(&r->nodes, n->id) && !(untold && t->aborting))
            return t;
    }
    return NULL;
}

static void told(void *ctx, struct yd_result *a, const struct yd_failure *f) {
    struct yd_run *r = ctx;
    r->op = NULL;
    yd_result_free(a);
    if (f && !yd_failure_too_late(f) && f->error.code != RT_E_NOT_FOUND)
        yd_run_say(r, f->error.message);
    yd_run_look(r, 0);
}

static bool nodes_there(const struct yd_run *r, const struct yd_part *part) {
    for (size_t i = 0; i < r->nodes.n; i++) {
        const struct yd_node *n = yd_part_node(part, r->nodes.v[i]);
        if (n && !yd_node_gone(n))
            return true;
    }
    return false;
}

/* Tasks that wait for a node which nobody wants any more. */
static const struct yd_task *superfluous(const struct yd_run *r, const struct yd_part *part) {
    const struct yd_seen *s = r->provider->seen;
    const struct yd_count c = yd_part_count(r->provider, s, part);
    const struct yd_group *g = yd_part_group(s, part);
    for (size_t i = s->tasks ? s->tasks->n : 0; g && c.tasks > r->count && i-- > 0;) {
        const struct yd_task *t = &s->tasks->tasks[i];
        if (rt_streq(t->group_id, g->id) && (t->state == YD_TASK_READY || t->state == YD_TASK_PENDING) && !t->aborting)
            return t;
    }
    return NULL;
}

/* Drained; their tasks end; the nodes shut down; the pool's size follows. */
static void decide_less(struct yd_run *r) {
    struct rt_provider *p = r->provider;
    const struct yd_part *part = yd_seen_part(p->seen, r->pool);
    if (!still_up(r))
        return;
    if (!part || part->over) {
        yd_run_end(r);
        return;
    }
    if (drains(r))
        return;
    const struct yd_task *t = running_on(r, true);
    if (!t)
        t = superfluous(r, part);
    if (t && !r->shut) {
        r->aborted = true;
        yd_run_title(r, "ending the scripts of %s", r->pool);
        yd_run_send(r, &(struct yd_call){.verb = YD_TASK_ABORT, .id = t->id}, told);
        return;
    }
    r->aborted = true;
    if (running_on(r, false) && !r->shut && yd_run_waited_ms(r) < TASKS_MS) {
        yd_run_look(r, 1000);
        return;
    }
    if (r->at < r->nodes.n) {
        r->shut = true;
        yd_run_title(r, "shutting nodes of %s down", r->pool);
        yd_run_send(r, &(struct yd_call){.verb = YD_NODE_SHUT_DOWN, .id = r->nodes.v[r->at++]}, told);
        return;
    }
    if (nodes_there(r, part) && yd_run_waited_ms(r) < NODES_MS) {
        yd_run_title(r, "until the nodes are gone");
        yd_run_look(r, 1000);
        return;
    }
    if (!r->resized)
        resize(r, part);
    else
        yd_run_end(r);
}

static struct rt_operation *start_less(struct rt_provider *p, const char *verb, const char *pool, int64_t to, struct rt_strs *nodes, char *title,
                                       struct rt_error *err) {
    struct yd_run *r = yd_run_start(p, verb, title, decide_less, stop, err);
    if (!r) {
        rt_strs_deinit(nodes);
        return NULL;
    }
    r->pool = rt_strdup(pool);
    r->count = to;
    r->nodes = *nodes;
    rays_to_drain(r);
    r->result = rt_strf("%s: pool %s has %lld node%s", p->conf->name, pool, (long long)to, to == 1 ? "" : "s");
    return r->operation;
}

/* ---- scale ---- */

bool yd_scale_impact(struct rt_provider *p, const char *pool, int64_t n, struct rt_scale_impact *out, struct rt_error *err) {
    *out = (struct rt_scale_impact){.min = -1, .max = -1};
    if (!exists(p, pool, err) || !changeable(p, err))
        return false;
    const struct yd_part *part = living(p, pool, err);
    if (!part)
        return false;
    const int64_t most = part->pool->max_nodes, least = RT_MAX(0, part->pool->min_nodes);
    if (n < least || (most >= 0 && n > most)) {
        rt_error_set(err, RT_E_LIMIT, "pool %s: %lld is %s (%lld..%lld): the platform keeps what the pool was made with", pool, (long long)n,
                     n < least ? "below its min" : "above its max", (long long)least, (long long)most);
        return rt_error_hint(err, "`raytui add-pool %s %s-2 like=%s count=%lld` adds another; `max` in the configuration holds from the next `up`",
                             p->conf->name, pool, pool, (long long)RT_MAX(1, n - RT_MAX(most, 0)));
    }
    out->from = yd_part_count(p, p->seen, part).wanted;
    out->to = n;
    if (n >= out->from)
        return true;
    struct rt_strs nodes = {0};
    leaving(p, part, (size_t)(out->from - n), &nodes);
    rays_of(p, &nodes, &out->nodes);
    rt_strs_deinit(&nodes);
    rt_work_on_nodes(p->cluster, &out->nodes, &out->work);
    out->ends_work = out->work.n > 0;
    return true;
}

/* Of the configuration, or as it was added from here; false: what its nodes run is not known. */
static bool conf_of(const struct rt_provider *p, const struct yd_part *part, int64_t n, struct yd_pool_conf *out, bool *owned,
                    struct rt_error *err) {
    const struct yd_pool_conf *known = yd_conf_pool_named(&p->pools, part->label);
    struct rt_strs words = {0};
    char label[64];
    bool ok = known != NULL;
    *owned = !known;
    if (known) {
        *out = *known;
    } else if (yd_note_read(p, part->pool->name, label, sizeof label, &words) && words.n) {
        ok = yd_conf_pool(p->conf, &p->pools, label, &words, out, err);
    } else {
        rt_error_set(err, RT_E_UNSUPPORTED, "what the nodes of pool %s run is not known here: it is in no configuration", part->label);
        rt_error_hint(err, "`raytui add-pool %s NAME template=... task_script=...` adds a pool of its own", p->conf->name);
    }
    rt_strs_deinit(&words);
    out->count = n;
    return ok;
}

struct rt_operation *yd_scale(struct rt_provider *p, const char *pool, int64_t n, struct rt_error *err) {
    struct rt_scale_impact impact = {0};
    const bool possible = yd_scale_impact(p, pool, n, &impact, err);
    const int64_t from = impact.from;
    rt_scale_impact_deinit(&impact);
    if (!possible)
        return NULL;
    char *title = rt_strf("scale %s from %lld to %lld", pool, (long long)from, (long long)n);
    if (n < from) {
        struct rt_strs nodes = {0};
        leaving(p, yd_seen_part(p->seen, pool), (size_t)(from - n), &nodes);
        return start_less(p, "scale", pool, n, &nodes, title, err);
    }
    struct yd_pool_conf conf = {0};
    bool owned = false;
    if (!conf_of(p, yd_seen_part(p->seen, pool), n, &conf, &owned, err)) {
        free(title);
        return NULL;
    }
    struct yd_run *r = start_more(p, "scale", pool, &conf, owned, title, err);
    if (!r && owned)
        yd_conf_pool_deinit(&conf);
    return r ? r->operation : NULL;
}

struct rt_operation *yd_remove_node(struct rt_provider *p, const char *node_id, struct rt_error *err) {
    const struct rt_node *ray = rt_store_node(p->cluster, node_id);
    const struct yd_part *part = NULL;
    const struct yd_node *n = ray ? yd_node_of(p, ray, &part) : NULL;
    if (!n) {
        rt_error_set(err, RT_E_NOT_FOUND, "no node of the platform is known behind %s", node_id);
        return NULL;
    }
    if (part->role != YD_WORKER) {
        rt_error_set(err, RT_E_UNSUPPORTED, "the head ends with its cluster");
        rt_error_hint(err, "`raytui down %s`", p->conf->name);
        return NULL;
    }
    if (!changeable(p, err) || !living(p, part->label, err))
        return NULL;
    struct rt_strs nodes = {0};
    rt_strs_add(&nodes, n->id);
    const int64_t to = RT_MAX(0, yd_part_count(p, p->seen, part).wanted - 1);
    return start_less(p, "remove-node", part->label, to, &nodes, rt_strf("end node %s of %s", n->hostname ? n->hostname : n->id, part->label), err);
}

/* ---- remove-pool ---- */

/* Drained, its tasks ended, then shut down, and terminated when that does not do. */
static void decide_remove(struct yd_run *r) {
    const struct yd_part *part = yd_seen_part(r->provider->seen, r->pool);
    struct rt_strs names = {0};
    if (part && !part->over) {
        if (drains(r))
            return;
        const struct yd_task *t = running_on(r, true);
        if (!t)
            t = superfluous(r, part);
        if (t && r->at++ < 10000) {
            r->aborted = true;
            yd_run_title(r, "ending the scripts of %s", r->pool);
            yd_run_send(r, &(struct yd_call){.verb = YD_TASK_ABORT, .id = t->id}, told);
            return;
        }
        if (running_on(r, false) && yd_run_waited_ms(r) < TASKS_MS) {
            yd_run_look(r, 1000);
            return;
        }
    }
    if (part)
        rt_strs_add(&names, part->pool->name);
    yd_end_pools(r, &names);
    rt_strs_deinit(&names);
}

static struct yd_run *start_remove(struct rt_provider *p, const char *pool, struct rt_error *err) {
    if (p->seen && p->seen->foreign) {
        changeable(p, err);
        return NULL;
    }
    const struct yd_part *part = exists(p, pool, err) ? living(p, pool, err) : NULL;
    struct yd_run *r = part ? yd_run_start(p, "remove-pool", rt_strf("take pool %s away", pool), decide_remove, stop, err) : NULL;
    if (!r)
        return NULL;
    r->pool = rt_strdup(pool);
    r->result = rt_strf("pool %s is gone", pool);
    for (size_t i = 0; part->nodes && i < part->nodes->n; i++)
        if (!yd_node_gone(&part->nodes->nodes[i]))
            rt_strs_add(&r->nodes, part->nodes->nodes[i].id);
    rays_to_drain(r);
    return r;
}

struct rt_operation *yd_remove_pool(struct rt_provider *p, const char *pool, struct rt_error *err) {
    const struct yd_run *r = start_remove(p, pool, err);
    return r ? r->operation : NULL;
}

struct rt_operation *yd_remove_pool_now(struct rt_provider *p, const char *pool, struct rt_error *err) {
    struct yd_run *r = start_remove(p, pool, err);
    if (r)
        r->drain_asked = true; /* so it is not */
    return r ? r->operation : NULL;
}
