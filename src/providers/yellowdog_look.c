/* A look at the platform: which pools and which work requirement are the cluster's, and all that is known of them. Lists of the
 * namespace first, then the objects in them that are ours, then the machines of each pool. */
#include "base/fs.h"
#include "base/vec.h"
#include "providers/yellowdog_impl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CALLS = 512 };

struct looking {
    struct rt_op op;
    struct rt_provider *provider;
    struct yd_seen *seen;
    yd_look_fn *fn;
    void *ctx;
    RT_VEC(struct ask *) asks; /* in flight */
    bool detailed;             /* the lists were read */
};
/* One call of a look. */
struct ask {
    struct looking *look;
    struct rt_op *op;
    struct yd_result **to;
    bool may_fail;     /* machines may not be for everybody to see */
    size_t part;       /* SIZE_MAX: none; its machines are asked for after its pool */
};

/* ---- names ---- */

/* NAME: 1; NAME-r2: 2; 0: another. */
static unsigned run_number(const char *name, const char *run, size_t n) {
    const size_t len = strlen(name);
    int64_t k = 0;
    if (n < len || strncmp(run, name, len) != 0)
        return 0;
    if (n == len)
        return 1;
    if (n < len + 3 || n > len + 8 || run[len] != '-' || run[len + 1] != 'r')
        return 0;
    char *digits = rt_strndup(run + len + 2, n - len - 2);
    const bool ok = digits[0] != '0' && !digits[strspn(digits, "0123456789")] && rt_parse_i64(digits, &k) && k >= 2;
    free(digits);
    return ok ? (unsigned)k : 0;
}

/* RUN of a pool's name, as the length of it; its role and number. 0: no pool of a Ray cluster. */
static size_t pool_run(const char *name, enum yd_role *role, unsigned *k) {
    const size_t n = strlen(name);
    *k = 0;
    if (rt_ends(name, "-00-head")) {
        *role = YD_HEAD;
        return n - strlen("-00-head");
    }
    if (rt_ends(name, "-observability")) {
        *role = YD_OBSERVABILITY;
        return n - strlen("-observability");
    }
    if (!rt_ends(name, "-wrkrs"))
        return 0;
    size_t run = n - strlen("-wrkrs");
    while (run && name[run - 1] >= '0' && name[run - 1] <= '9')
        run--;
    if (run < 2 || name[run - 1] != '-')
        return 0;
    *role = YD_WORKER;
    char *own = rt_strndup(name, run - 1);
    *k = yd_workers_index(own, name);
    free(own);
    return *k ? run - 1 : 0;
}

/* RayDog's autoscaler: the run ends in eight letters and digits, pools are called RUN-KIND, worker tags KIND_xxxxxxxx. */
static bool of_autoscaler(const char *run, const char *pool) {
    const size_t n = strlen(run);
    enum yd_role role;
    unsigned k;
    return n > 9 && run[n - 9] == '-' && strncmp(pool, run, n) == 0 && pool[n] == '-' && !pool_run(pool, &role, &k);
}

/* ---- the end ---- */

void yd_seen_free(struct yd_seen *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->nparts; i++) {
        yd_result_free(s->parts[i].pool_answer);
        yd_result_free(s->parts[i].nodes);
        yd_result_free(s->parts[i].instances);
        yd_result_free(s->parts[i].requirement);
    }
    free(s->parts);
    yd_result_free(s->pool_list);
    yd_result_free(s->work_list);
    yd_result_free(s->work_answer);
    yd_result_free(s->tasks);
    free(s->run);
    free(s);
}

static void drop_asks(struct looking *l) {
    for (size_t i = 0; i < l->asks.n; i++) {
        rt_op_drop(&l->asks.v[i]->op);
        free(l->asks.v[i]);
    }
    l->asks.n = 0;
}

static void looking_free(struct looking *l) {
    drop_asks(l);
    rt_vec_deinit(&l->asks);
    yd_seen_free(l->seen);
    free(l);
}

static void looking_cancel(struct rt_op *op) {
    looking_free((struct looking *)op);
}

static void looking_end(struct looking *l, const struct rt_error *err) {
    struct yd_seen *seen = err ? NULL : l->seen;
    yd_look_fn *fn = l->fn;
    void *ctx = l->ctx;
    const struct rt_error copy = err ? *err : (struct rt_error){0};
    if (!err)
        l->seen = NULL;
    looking_free(l);
    fn(ctx, seen, err ? &copy : NULL);
}

/* ---- calls ---- */

static void go_on(struct looking *l);
static void ask_machines(struct looking *l, size_t part);

static void answered(void *ctx, struct yd_result *r, const struct yd_failure *f) {
    struct ask *a = ctx;
    struct looking *l = a->look;
    const struct ask was = *a;
    for (size_t i = 0; i < l->asks.n; i++)
        if (l->asks.v[i] == a) {
            rt_vec_remove(&l->asks, i);
            break;
        }
    free(a);
    if (f && f->error.code != RT_E_NOT_FOUND && !(was.may_fail && f->error.code == RT_E_DENIED)) {
        looking_end(l, &f->error);
        return;
    }
    *was.to = r;
    if (was.part != SIZE_MAX && r)
        ask_machines(l, was.part);
    if (!l->asks.n)
        go_on(l);
}

static void ask(struct looking *l, const struct yd_call *c, struct yd_result **to, bool may_fail, size_t part) {
    struct ask *a = RT_NEW(struct ask);
    *a = (struct ask){.look = l, .to = to, .may_fail = may_fail, .part = part};
    *rt_vec_push(&l->asks) = a;
    struct yd_call call = *c;
    call.once = true;
    a->op = yd_send(l->provider->api, &call, answered, a);
}

static void ask_machines(struct looking *l, size_t i) {
    struct yd_part *part = &l->seen->parts[i];
    const struct yd_pool *pool = part->pool_answer->n ? part->pool_answer->pools : NULL;
    if (!pool)
        return;
    part->pool = pool;
    if (!pool->requirement_id || pool->state == YD_POOL_TERMINATED)
        return;
    ask(l, &(struct yd_call){.verb = YD_REQUIREMENT, .id = pool->requirement_id}, &part->requirement, true, SIZE_MAX);
    ask(l, &(struct yd_call){.verb = YD_INSTANCES, .id = pool->requirement_id}, &part->instances, true, SIZE_MAX);
}

/* ---- which are ours ---- */

static bool saved_has(const char *id, const struct yd_saved *saved) {
    return rt_streq(id, saved->work_id);
}

/* The newest that lives, else the newest. */
static const struct yd_work *choose_work(struct looking *l, const struct yd_saved *saved) {
    const char *name = yd_conf_name(l->provider->conf);
    const struct yd_result *list = l->seen->work_list;
    const struct yd_work *best = NULL;
    for (size_t i = 0; list && i < list->n; i++) {
        const struct yd_work *w = &list->works[i];
        const unsigned k = w->name ? run_number(name, w->name, strlen(w->name)) : 0;
        if (!k && !saved_has(w->id, saved))
            continue;
        l->seen->highest_run = RT_MAX(l->seen->highest_run, k);
        const bool lives = !yd_work_over(w->state), better = !best || (lives && yd_work_over(best->state)) ||
                                                            (lives == !yd_work_over(best->state) && w->created_ms >= best->created_ms);
        if (better)
            best = w;
    }
    return best;
}

static bool listed_living(const struct yd_pool *p) {
    return p->state != YD_POOL_TERMINATED;
}

/* Without a work requirement that lives: the run of the pools that do. */
static char *choose_run(const struct looking *l, const struct yd_work *work) {
    const char *name = yd_conf_name(l->provider->conf);
    const struct yd_result *list = l->seen->pool_list;
    unsigned best = 0;
    char *run = work && !yd_work_over(work->state) ? rt_strdup(work->name) : NULL;
    for (size_t i = 0; list && i < list->n; i++) {
        const struct yd_pool *p = &list->pools[i];
        enum yd_role role;
        unsigned k;
        const size_t n = p->name ? pool_run(p->name, &role, &k) : 0;
        const unsigned number = n ? run_number(name, p->name, n) : 0;
        l->seen->highest_run = RT_MAX(l->seen->highest_run, number);
        if (run || !number || !listed_living(p) || p->state == YD_POOL_SHUTDOWN || number <= best)
            continue;
        best = number;
    }
    return run ? run : best == 1 ? rt_strdup(name) : best ? rt_strf("%s-r%u", name, best) : NULL;
}

static void add_part(struct yd_seen *s, const struct yd_pool *p, enum yd_role role, unsigned k) {
    s->parts = rt_realloc(s->parts, (s->nparts + 1) * sizeof *s->parts);
    s->parts[s->nparts] = (struct yd_part){.pool = p, .role = role, .index = k};
    snprintf(s->parts[s->nparts].label, sizeof s->parts[s->nparts].label, "%s", p->name);
    s->nparts++;
}

/* Living pools of any run of ours; those that ended of this one. */
static void choose_parts(struct looking *l, const struct yd_saved *saved) {
    struct yd_seen *s = l->seen;
    const char *name = yd_conf_name(l->provider->conf);
    const struct yd_result *list = s->pool_list;
    for (size_t i = 0; list && i < list->n && s->nparts < MOST_CALLS; i++) {
        const struct yd_pool *p = &list->pools[i];
        enum yd_role role = YD_WORKER;
        unsigned k = 0;
        const size_t n = p->name ? pool_run(p->name, &role, &k) : 0;
        const bool of_run = n && s->run && strlen(s->run) == n && strncmp(s->run, p->name, n) == 0;
        const bool foreign = s->run && p->name && of_autoscaler(s->run, p->name);
        const bool of_any = n && run_number(name, p->name, n);
        if (of_run)
            s->highest_pool = RT_MAX(s->highest_pool, k);
        s->foreign = s->foreign || foreign;
        if (of_run || foreign || (listed_living(p) && (of_any || rt_strs_has(&saved->pool_ids, p->id))))
            add_part(s, p, role, k);
    }
}

static void choose(struct looking *l) {
    struct yd_seen *s = l->seen;
    struct yd_saved saved = {0};
    struct rt_error ignored = {0};
    char *path = l->provider->own->state_file ? rt_path_expand(l->provider->own->state_file) : NULL;
    if (path)
        yd_saved_read(path, &saved, &ignored);
    s->work = choose_work(l, &saved);
    s->run = choose_run(l, s->work);
    choose_parts(l, &saved);
    yd_saved_deinit(&saved);
    free(path);
}

/* ---- what belongs to what ---- */

static bool tagged(const struct yd_work *w, const char *group, const char *tag) {
    const struct yd_group *g = w && tag ? yd_work_group(w, group) : NULL;
    return g && yd_words_have(&g->worker_tags, tag);
}

/* What the pool is called here: as its group says, as the configuration has it, else by its number. */
static void label(const struct rt_provider *p, const struct yd_seen *s, struct yd_part *part) {
    const char *tag = part->pool->worker_tag;
    const size_t run = s->run ? strlen(s->run) : 0;
    if (s->foreign && s->work) {
        const bool head = tagged(s->work, YD_GROUP_HEAD, tag);
        part->role = head ? YD_HEAD : YD_WORKER;
        snprintf(part->label, sizeof part->label, "%s", head ? "head" : part->pool->name + run + 1);
        return;
    }
    if (!run || strncmp(part->pool->name, s->run, run) != 0 || part->pool->name[run] != '-')
        return; /* of another run: under its own name */
    if (part->role != YD_WORKER) {
        snprintf(part->label, sizeof part->label, "%s", part->role == YD_HEAD ? "head" : "observability");
        return;
    }
    for (size_t i = 0; s->work && i < s->work->ngroups; i++) {
        const struct yd_group *g = &s->work->groups[i];
        if (g->tag && tag && yd_words_have(&g->worker_tags, tag)) {
            snprintf(part->label, sizeof part->label, "%s", g->tag);
            return;
        }
    }
    if (yd_note_read(p, part->pool->name, part->label, sizeof part->label, NULL))
        return;
    if (part->index <= p->pools.n)
        snprintf(part->label, sizeof part->label, "%s", p->pools.v[part->index - 1].name);
    else
        snprintf(part->label, sizeof part->label, "%s", part->pool->name + run + 1);
}

static void finish_part(struct yd_part *part) {
    const struct yd_requirement *r = part->requirement && part->requirement->n ? part->requirement->requirements : NULL;
    part->over = !part->pool_answer || part->pool->state == YD_POOL_TERMINATED || (r && yd_requirement_over(r));
}

static void finish(struct looking *l) {
    struct yd_seen *s = l->seen;
    if (s->work_answer && s->work_answer->n)
        s->work = s->work_answer->works;
    for (size_t i = 0; i < s->nparts; i++) {
        finish_part(&s->parts[i]);
        label(l->provider, s, &s->parts[i]);
    }
    s->at_ms = rt_wall_ms();
    looking_end(l, NULL);
}

static void go_on(struct looking *l) {
    struct yd_seen *s = l->seen;
    if (l->detailed) {
        finish(l);
        return;
    }
    l->detailed = true;
    choose(l);
    if (s->work) {
        ask(l, &(struct yd_call){.verb = YD_WORK, .id = s->work->id}, &s->work_answer, false, SIZE_MAX);
        ask(l, &(struct yd_call){.verb = YD_TASKS, .id = s->work->id}, &s->tasks, false, SIZE_MAX);
    }
    for (size_t i = 0; i < s->nparts; i++) {
        struct yd_part *part = &s->parts[i];
        ask(l, &(struct yd_call){.verb = YD_POOL, .id = part->pool->id}, &part->pool_answer, false, i);
        if (listed_living(part->pool))
            ask(l, &(struct yd_call){.verb = YD_NODES, .id = part->pool->id}, &part->nodes, false, SIZE_MAX);
    }
    if (!l->asks.n)
        finish(l);
}

struct rt_op *yd_look(struct rt_provider *p, yd_look_fn *fn, void *ctx) {
    struct looking *l = RT_NEW(struct looking);
    l->op.cancel = looking_cancel;
    l->provider = p;
    l->fn = fn;
    l->ctx = ctx;
    l->seen = RT_NEW(struct yd_seen);
    ask(l, &(struct yd_call){.verb = YD_POOLS, .space = p->own->space}, &l->seen->pool_list, false, SIZE_MAX);
    ask(l, &(struct yd_call){.verb = YD_WORKS, .space = p->own->space}, &l->seen->work_list, false, SIZE_MAX);
    return &l->op;
}
