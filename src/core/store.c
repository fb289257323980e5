/* The store: clusters by name, the last answer of each topic, and who wants to know of changes. */
#include "core/store.h"

#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/operation.h"
#include "core/store_impl.h"

/* The cluster comes first: what the outside holds is a pointer to it. */
struct entry {
    struct rt_cluster c;
    struct rt_map nodes, pools, jobs; /* id -> element of the batch; keys stand in its arena */
    size_t jobs_cap;                  /* elements that fit c.jobs.v */
    struct rt_totals totals;          /* of what is there; made anew with nodes and jobs */
};

struct watch {
    rt_store_fn *fn; /* NULL: gone, swept when nobody is being told */
    void *ctx;
};

struct rt_store {
    RT_VEC(struct entry *) clusters;
    RT_VEC(struct watch) watches;
    int telling; /* depth of notify */
    struct rt_operations *operations;
};

static void count_totals(struct entry *e);

static struct entry *entry_of(struct rt_cluster *c) {
    return (struct entry *)(void *)c;
}

static const struct entry *entry_at(const struct rt_cluster *c) {
    return (const struct entry *)(const void *)c;
}

const char *rt_topic_name(enum rt_topic t) {
    static const char *const names[RT_T_COUNT] = {
        [RT_T_CLUSTER] = "cluster",   [RT_T_NODES] = "nodes",
        [RT_T_POOLS] = "pools",       [RT_T_DEMAND] = "demand",
        [RT_T_JOBS] = "jobs",         [RT_T_ACTORS] = "actors",
        [RT_T_TASKS] = "tasks",       [RT_T_PGS] = "pgs",
        [RT_T_EVENTS] = "events",     [RT_T_SERVE] = "serve",
        [RT_T_ENVS] = "envs",         [RT_T_WORKERS] = "workers",
        [RT_T_PODS] = "pods",         [RT_T_RAYJOBS] = "RayJobs",
        [RT_T_RAYSERVICES] = "RayServices",
        [RT_T_FORWARDS] = "forwards", [RT_T_OPERATIONS] = "operations",
    };
    return (size_t)t < RT_T_COUNT ? names[t] : "unknown";
}

/* ---- watchers ---- */

static void sweep_watches(struct rt_store *s) {
    for (size_t i = s->watches.n; i-- > 0;)
        if (!s->watches.v[i].fn)
            rt_vec_remove(&s->watches, i);
}

static void notify(struct rt_store *s, struct rt_cluster *c, enum rt_topic t) {
    s->telling++;
    for (size_t i = 0; i < s->watches.n; i++) {
        struct watch w = s->watches.v[i];
        if (w.fn)
            w.fn(w.ctx, c, t);
    }
    if (--s->telling == 0)
        sweep_watches(s);
}

void rt_store_watch(struct rt_store *s, rt_store_fn *fn, void *ctx) {
    *rt_vec_push(&s->watches) = (struct watch){fn, ctx};
}

void rt_store_unwatch(struct rt_store *s, rt_store_fn *fn, void *ctx) {
    for (size_t i = 0; i < s->watches.n; i++)
        if (s->watches.v[i].fn == fn && s->watches.v[i].ctx == ctx) {
            s->watches.v[i].fn = NULL;
            break;
        }
    if (!s->telling)
        sweep_watches(s);
}

void rt_store_touch(struct rt_store *s, struct rt_cluster *c, enum rt_topic t) {
    if (t == RT_T_NODES || t == RT_T_JOBS)
        count_totals(entry_of(c));
    c->fresh[t].revision++;
    notify(s, c, t);
}

void rt_store_set_operations(struct rt_store *s, struct rt_operations *o) {
    s->operations = o;
}

struct rt_operations *rt_store_operations(const struct rt_store *s) {
    return s->operations;
}

void rt_store_notify_operations(struct rt_store *s, const char *cluster) {
    struct rt_cluster *c = rt_store_cluster(s, cluster);
    if (c)
        c->fresh[RT_T_OPERATIONS].revision++;
    notify(s, c, RT_T_OPERATIONS);
}

/* ---- clusters ---- */

struct rt_store *rt_store_create(void) {
    return RT_NEW(struct rt_store);
}

static void entry_destroy(struct entry *e) {
    struct rt_cluster *c = &e->c;
    rt_map_deinit(&e->nodes);
    rt_map_deinit(&e->pools);
    rt_map_deinit(&e->jobs);
    rt_batch_deinit(&c->nodes);
    rt_batch_deinit(&c->pools);
    rt_batch_deinit(&c->demands);
    rt_batch_deinit(&c->failures);
    rt_batch_deinit(&c->jobs);
    rt_batch_deinit(&c->actors);
    for (size_t i = 0; i < RT_T_COUNT; i++)
        rt_batch_deinit(&c->lists[i]);
    free(c->forwards);
    char *const owned[] = {c->where,        c->state_detail, c->reach_detail,    c->ray_version,
                           c->session_name, c->ends_why,     c->autoscaler_error, c->python_version};
    for (size_t i = 0; i < RT_COUNT(owned); i++)
        free(owned[i]);
    free((char *)(uintptr_t)c->name);
    free((char *)(uintptr_t)c->provider);
    free(e);
}

void rt_store_destroy(struct rt_store *s) {
    if (!s)
        return;
    for (size_t i = 0; i < s->clusters.n; i++)
        entry_destroy(s->clusters.v[i]);
    rt_vec_deinit(&s->clusters);
    rt_vec_deinit(&s->watches);
    free(s);
}

struct rt_cluster *rt_store_cluster(const struct rt_store *s, const char *name) {
    for (size_t i = 0; i < s->clusters.n; i++)
        if (rt_streq(s->clusters.v[i]->c.name, name))
            return &s->clusters.v[i]->c;
    return NULL;
}

size_t rt_store_count(const struct rt_store *s) {
    return s->clusters.n;
}

struct rt_cluster *rt_store_at(const struct rt_store *s, size_t i) {
    return &s->clusters.v[i]->c;
}

struct rt_cluster *rt_store_add(struct rt_store *s, const char *name, const char *provider) {
    struct rt_cluster *old = rt_store_cluster(s, name);
    if (old && !rt_streq(old->provider, provider)) {
        free((char *)(uintptr_t)old->provider);
        old->provider = rt_strdup(provider);
    }
    if (old)
        return old;
    struct entry *e = RT_NEW(struct entry);
    e->c.name = rt_strdup(name);
    e->c.provider = rt_strdup(provider);
    rt_map_init(&e->nodes, true);
    rt_map_init(&e->pools, true);
    rt_map_init(&e->jobs, true);
    count_totals(e);
    *rt_vec_push(&s->clusters) = e;
    rt_store_touch(s, &e->c, RT_T_CLUSTER);
    return &e->c;
}

void rt_store_remove(struct rt_store *s, const char *name) {
    for (size_t i = 0; i < s->clusters.n; i++) {
        struct entry *e = s->clusters.v[i];
        if (!rt_streq(e->c.name, name))
            continue;
        rt_vec_remove(&s->clusters, i);
        notify(s, &e->c, RT_T_CLUSTER);
        entry_destroy(e);
        return;
    }
}

/* ---- answers ---- */

/* A good answer has come: its time, and no error any more. */
static void stamp(struct rt_cluster *c, enum rt_topic t) {
    struct rt_freshness *f = &c->fresh[t];
    if (f->error.code != RT_OK || f->from_snapshot)
        f->revision++;
    f->at_ms = rt_wall_ms();
    f->from_snapshot = false;
    f->error_at_ms = 0;
    rt_error_clear(&f->error);
}

void rt_store_mark_snapshot(struct rt_store *s, struct rt_cluster *c, enum rt_topic t,
                            int64_t at_ms) {
    c->fresh[t].at_ms = at_ms;
    c->fresh[t].from_snapshot = at_ms > 0;
    rt_store_touch(s, c, t);
}

/* Takes the batch: the old arena dies, the new one moves in. */
#define SWAP_BATCH(to, from)                                                                       \
    do {                                                                                           \
        rt_arena_destroy((to)->arena);                                                             \
        *(to) = *(from);                                                                           \
        memset((from), 0, sizeof(*(from)));                                                        \
    } while (0)

static void remap(struct rt_map *m) {
    rt_map_deinit(m);
    rt_map_init(m, true);
}

/* Its name with the beginning of its id, or with the end of it. False: another one has that as well. */
static bool mark(rt_nodes *b, struct rt_node *n, const char *name, bool by_end, struct rt_map *taken) {
    const size_t len = strlen(n->id), piece = 6;
    n->unlike = rt_arena_strf(b->arena, "%s#%.6s", name, by_end && len > piece ? n->id + len - piece : n->id);
    const bool alone = !rt_map_get(taken, n->unlike);
    rt_map_set(taken, n->unlike, n);
    return alone;
}

/* Nodes of one machine have its name all of them. Not those that died: one that came back under its old name is alone with it. */
static bool tell_apart(rt_nodes *b, bool by_end) {
    struct rt_map first, taken; /* name -> the first one that has it; what tells them apart */
    bool apart = true;
    rt_map_init(&first, true);
    rt_map_init(&taken, true);
    for (size_t i = 0; i < b->n; i++)
        b->v[i].unlike = NULL;
    for (size_t i = 0; i < b->n; i++) {
        struct rt_node *n = &b->v[i];
        const char *name = rt_node_name(n);
        if (!n->alive || !n->id || !name || rt_streq(name, n->id))
            continue;
        struct rt_node *other = rt_map_get(&first, name);
        if (!other) {
            rt_map_set(&first, name, n);
            continue;
        }
        if (!other->unlike)
            mark(b, other, name, by_end, &taken);
        apart = mark(b, n, name, by_end, &taken) && apart;
    }
    rt_map_deinit(&first);
    rt_map_deinit(&taken);
    return apart;
}

void rt_store_put_nodes(struct rt_store *s, struct rt_cluster *c, rt_nodes *b) {
    struct entry *e = entry_of(c);
    remap(&e->nodes);
    if (!tell_apart(b, false)) /* ids of some kinds of nodes differ in their last digits alone */
        tell_apart(b, true);
    SWAP_BATCH(&c->nodes, b);
    for (size_t i = 0; i < c->nodes.n; i++)
        if (c->nodes.v[i].id)
            rt_map_set(&e->nodes, c->nodes.v[i].id, &c->nodes.v[i]);
    stamp(c, RT_T_NODES);
    rt_store_touch(s, c, RT_T_NODES);
}

void rt_store_put_pools(struct rt_store *s, struct rt_cluster *c, rt_pools *b) {
    struct entry *e = entry_of(c);
    remap(&e->pools);
    SWAP_BATCH(&c->pools, b);
    for (size_t i = 0; i < c->pools.n; i++)
        if (c->pools.v[i].name)
            rt_map_set(&e->pools, c->pools.v[i].name, &c->pools.v[i]);
    stamp(c, RT_T_POOLS);
    rt_store_touch(s, c, RT_T_POOLS);
}

void rt_store_put_demands(struct rt_store *s, struct rt_cluster *c, rt_demands *b) {
    SWAP_BATCH(&c->demands, b);
    stamp(c, RT_T_DEMAND);
    rt_store_touch(s, c, RT_T_DEMAND);
}

void rt_store_put_failures(struct rt_cluster *c, rt_demands *b) {
    SWAP_BATCH(&c->failures, b);
}

void rt_store_put_actors(struct rt_store *s, struct rt_cluster *c, rt_actors *b) {
    SWAP_BATCH(&c->actors, b);
    stamp(c, RT_T_ACTORS);
    rt_store_touch(s, c, RT_T_ACTORS);
}

void rt_store_put_forwards(struct rt_store *s, struct rt_cluster *c, const struct rt_forward_row *v,
                           size_t n) {
    stamp(c, RT_T_FORWARDS);
    if (n && n == c->nforwards && memcmp(c->forwards, v, n * sizeof(*v)) == 0)
        return; /* nothing moved */
    struct rt_forward_row *copy = n ? rt_alloc(n * sizeof(*v)) : NULL;
    if (n)
        memcpy(copy, v, n * sizeof(*v));
    free(c->forwards);
    c->forwards = copy;
    c->nforwards = n;
    rt_store_touch(s, c, RT_T_FORWARDS);
}

static bool kvs_equal(const struct rt_kvs *a, const struct rt_kvs *b) {
    if (a->n != b->n)
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!rt_streq(a->v[i].key, b->v[i].key) || !rt_streq(a->v[i].value, b->v[i].value))
            return false;
    return true;
}

static bool job_equal(const struct rt_job *a, const struct rt_job *b) {
    return a->status == b->status && a->start_ms == b->start_ms && a->end_ms == b->end_ms &&
           a->driver_exit_code == b->driver_exit_code && rt_streq(a->id, b->id) &&
           rt_streq(a->submission_id, b->submission_id) && rt_streq(a->job_id, b->job_id) &&
           rt_streq(a->type, b->type) && rt_streq(a->status_text, b->status_text) &&
           rt_streq(a->entrypoint, b->entrypoint) && rt_streq(a->message, b->message) &&
           rt_streq(a->error_type, b->error_type) && rt_streq(a->runtime_env, b->runtime_env) &&
           rt_streq(a->driver_agent_http_address, b->driver_agent_http_address) &&
           rt_streq(a->driver_node_id, b->driver_node_id) && rt_streq(a->driver_ip, b->driver_ip) &&
           rt_streq(a->driver_pid, b->driver_pid) && kvs_equal(&a->metadata, &b->metadata);
}

static bool jobs_equal(const rt_jobs *a, const rt_jobs *b) {
    if (a->n != b->n || a->total != b->total || a->left_out != b->left_out ||
        !rt_streq(a->note, b->note))
        return false;
    for (size_t i = 0; i < a->n; i++)
        if (!job_equal(&a->v[i], &b->v[i]))
            return false;
    return true;
}

static void index_jobs(struct entry *e) {
    remap(&e->jobs);
    for (size_t i = 0; i < e->c.jobs.n; i++)
        if (e->c.jobs.v[i].id)
            rt_map_set(&e->jobs, e->c.jobs.v[i].id, &e->c.jobs.v[i]);
}

void rt_store_put_rows(struct rt_store *s, struct rt_cluster *c, enum rt_topic t, struct rt_rows *b) {
    SWAP_BATCH(&c->lists[t], b);
    stamp(c, t);
    rt_store_touch(s, c, t);
}

void rt_store_put_jobs(struct rt_store *s, struct rt_cluster *c, rt_jobs *b) {
    /* Ten thousand jobs of which none changed are the usual answer: the old rows stay, and with
     * them the revision, so that nobody sorts and draws them again. */
    if (c->jobs.arena && jobs_equal(&c->jobs, b)) {
        rt_batch_deinit(b);
        stamp(c, RT_T_JOBS);
        notify(s, c, RT_T_JOBS);
        return;
    }
    struct entry *e = entry_of(c);
    SWAP_BATCH(&c->jobs, b);
    e->jobs_cap = c->jobs.n;
    index_jobs(e);
    stamp(c, RT_T_JOBS);
    rt_store_touch(s, c, RT_T_JOBS);
}

static struct rt_job copy_job(struct rt_arena *a, const struct rt_job *j) {
    struct rt_job k = *j;
    const char **const strings[] = {&k.id,
                                    &k.submission_id,
                                    &k.job_id,
                                    &k.type,
                                    &k.status_text,
                                    &k.entrypoint,
                                    &k.message,
                                    &k.error_type,
                                    &k.runtime_env,
                                    &k.driver_ip,
                                    &k.driver_pid,
                                    &k.driver_agent_http_address,
                                    &k.driver_node_id};
    for (size_t i = 0; i < RT_COUNT(strings); i++)
        *strings[i] = rt_arena_strdup(a, *strings[i]);
    if (k.metadata.n)
        k.metadata.v = rt_arena_alloc(a, k.metadata.n * sizeof(*k.metadata.v));
    for (size_t i = 0; i < k.metadata.n; i++) {
        k.metadata.v[i].key = rt_arena_strdup(a, j->metadata.v[i].key);
        k.metadata.v[i].value = rt_arena_strdup(a, j->metadata.v[i].value);
    }
    return k;
}

/* Room for one job more; the array moves within the arena when it is full. */
static void grow_jobs(struct entry *e) {
    rt_jobs *b = &e->c.jobs;
    if (!b->arena)
        b->arena = rt_arena_create();
    if (b->n < e->jobs_cap)
        return;
    size_t cap = b->n + b->n / 8 + 16;
    struct rt_job *v = rt_arena_alloc(b->arena, cap * sizeof(*v));
    if (b->n)
        memcpy(v, b->v, b->n * sizeof(*v));
    b->v = v;
    e->jobs_cap = cap;
}

void rt_store_put_job(struct rt_store *s, struct rt_cluster *c, const struct rt_job *j) {
    struct entry *e = entry_of(c);
    struct rt_job *old = rt_map_get(&e->jobs, j->id);
    if (old && job_equal(old, j))
        return;
    if (old) {
        *old = copy_job(c->jobs.arena, j);
    } else {
        grow_jobs(e);
        c->jobs.v[c->jobs.n++] = copy_job(c->jobs.arena, j);
        c->jobs.total = RT_MAX(c->jobs.total + 1, c->jobs.n);
        index_jobs(e);
    }
    rt_store_touch(s, c, RT_T_JOBS);
}

void rt_store_drop_job(struct rt_store *s, struct rt_cluster *c, const char *id) {
    struct entry *e = entry_of(c);
    struct rt_job *old = rt_map_get(&e->jobs, id);
    if (!old)
        return;
    size_t at = (size_t)(old - c->jobs.v);
    memmove(old, old + 1, (c->jobs.n - at - 1) * sizeof(*old));
    c->jobs.n--;
    if (c->jobs.total)
        c->jobs.total--;
    index_jobs(e);
    rt_store_touch(s, c, RT_T_JOBS);
}

void rt_store_fail(struct rt_store *s, struct rt_cluster *c, enum rt_topic t,
                   const struct rt_error *err) {
    struct rt_freshness *f = &c->fresh[t];
    bool same = f->error.code == err->code && rt_streq(f->error.message, err->message);
    f->error = *err;
    f->error_at_ms = rt_wall_ms();
    if (!same)
        f->revision++;
    notify(s, c, t);
}

/* ---- state ---- */

/* Replaces an owned string; true if it is another one now. */
static bool set_text(char **to, const char *text) {
    if (rt_streq(*to, text))
        return false;
    char *copy = rt_strdup(text);
    free(*to);
    *to = copy;
    return true;
}

void rt_store_set_state(struct rt_store *s, struct rt_cluster *c, enum rt_cluster_state st,
                        const char *detail) {
    bool changed = set_text(&c->state_detail, detail);
    changed = changed || c->state != st;
    c->state = st;
    if (st != RT_CL_UNKNOWN)
        stamp(c, RT_T_CLUSTER);
    if (changed)
        rt_store_touch(s, c, RT_T_CLUSTER);
}

void rt_store_set_reach(struct rt_store *s, struct rt_cluster *c, enum rt_reach r,
                        const char *detail) {
    bool changed = set_text(&c->reach_detail, detail);
    if (c->reach != r) {
        c->reach = r;
        c->reach_since_ms = rt_wall_ms();
        changed = true;
    }
    if (r == RT_REACH_OK)
        c->retry_at_ms = 0;
    if (changed)
        rt_store_touch(s, c, RT_T_CLUSTER);
}

/* Ids of an older session mean nothing in the new one. */
static void drop_session(struct rt_store *s, struct rt_cluster *c) {
    static const enum rt_topic topics[] = {RT_T_NODES, RT_T_JOBS,  RT_T_ACTORS, RT_T_TASKS,  RT_T_PGS,
                                           RT_T_EVENTS, RT_T_SERVE, RT_T_ENVS,   RT_T_WORKERS};
    struct entry *e = entry_of(c);
    remap(&e->nodes);
    remap(&e->jobs);
    rt_batch_deinit(&c->nodes);
    rt_batch_deinit(&c->jobs);
    rt_batch_deinit(&c->actors);
    for (size_t i = RT_T_TASKS; i <= RT_T_WORKERS; i++)
        rt_batch_deinit(&c->lists[i]);
    e->jobs_cap = 0;
    for (size_t i = 0; i < RT_COUNT(topics); i++) {
        struct rt_freshness *f = &c->fresh[topics[i]];
        *f = (struct rt_freshness){.revision = f->revision};
        rt_store_touch(s, c, topics[i]);
    }
}

void rt_store_set_version(struct rt_store *s, struct rt_cluster *c, const char *ray_version,
                          const char *session_name) {
    bool other = session_name && *session_name && c->session_name &&
                 !rt_streq(c->session_name, session_name);
    bool changed = false;
    if (ray_version && *ray_version)
        changed = set_text(&c->ray_version, ray_version);
    if (session_name && *session_name && set_text(&c->session_name, session_name))
        changed = true;
    if (other) {
        drop_session(s, c);
        set_text(&c->python_version, NULL);
    }
    c->version_ms = rt_wall_ms();
    stamp(c, RT_T_CLUSTER);
    if (changed)
        rt_store_touch(s, c, RT_T_CLUSTER);
}

void rt_store_set_python(struct rt_store *s, struct rt_cluster *c, const char *version) {
    if (set_text(&c->python_version, version))
        rt_store_touch(s, c, RT_T_CLUSTER);
}

/* ---- look-ups ---- */

const struct rt_node *rt_store_node(const struct rt_cluster *c, const char *id) {
    return id ? rt_map_get(&entry_at(c)->nodes, id) : NULL;
}

const struct rt_node *rt_store_head(const struct rt_cluster *c) {
    for (size_t i = 0; i < c->nodes.n; i++)
        if (c->nodes.v[i].head && c->nodes.v[i].alive)
            return &c->nodes.v[i];
    return NULL;
}

const struct rt_pool *rt_store_pool(const struct rt_cluster *c, const char *name) {
    return name ? rt_map_get(&entry_at(c)->pools, name) : NULL;
}

const struct rt_job *rt_store_job(const struct rt_cluster *c, const char *id) {
    return id ? rt_map_get(&entry_at(c)->jobs, id) : NULL;
}

/* Unknown (< 0) becomes known with the first number that comes. */
static void add_known(double *sum, double v) {
    if (v >= 0)
        *sum = *sum < 0 ? v : *sum + v;
}

static void add_amount(const struct rt_amounts *l, const char *name, double *used, double *reserved, double *total) {
    const struct rt_amount *a = rt_amounts_get(l, name);
    if (!a)
        return;
    add_known(used, a->used);
    *reserved += rt_amounts_reserved(l, a);
    add_known(total, a->total);
}

static void count_nodes(struct rt_totals *t, const rt_nodes *b) {
    t->nodes_alive = 0;
    t->nodes_total = (int64_t)b->n;
    for (size_t i = 0; i < b->n; i++) {
        const struct rt_node *n = &b->v[i];
        if (!n->alive)
            continue;
        t->nodes_alive++;
        add_amount(&n->amounts, "CPU", &t->cpu_used, &t->cpu_reserved, &t->cpu_total);
        add_amount(&n->amounts, "GPU", &t->gpu_used, &t->gpu_reserved, &t->gpu_total);
        add_known(&t->mem_used_bytes, n->mem_used_bytes);
        add_known(&t->mem_total_bytes, n->mem_total_bytes);
    }
}

static void count_jobs(struct rt_totals *t, const rt_jobs *b) {
    t->jobs_running = t->jobs_pending = t->jobs_failed = 0;
    t->jobs_total = (int64_t)RT_MAX(b->n, b->total);
    for (size_t i = 0; i < b->n; i++) {
        t->jobs_running += b->v[i].status == RT_JOB_RUNNING;
        t->jobs_pending += b->v[i].status == RT_JOB_PENDING;
        t->jobs_failed += b->v[i].status == RT_JOB_FAILED;
    }
}

static struct rt_totals nothing_known(void) {
    return (struct rt_totals){.nodes_alive = -1,
                              .nodes_total = -1,
                              .cpu_used = -1,
                              .cpu_total = -1,
                              .gpu_used = -1,
                              .gpu_total = -1,
                              .mem_used_bytes = -1,
                              .mem_total_bytes = -1,
                              .jobs_running = -1,
                              .jobs_pending = -1,
                              .jobs_failed = -1,
                              .jobs_total = -1};
}

/* Counted once per answer: a list of clusters asks for them at every cell. */
static void count_totals(struct entry *e) {
    const struct rt_cluster *c = &e->c;
    e->totals = nothing_known();
    if (c->nodes.arena || c->fresh[RT_T_NODES].at_ms)
        count_nodes(&e->totals, &c->nodes);
    if (c->jobs.arena || c->fresh[RT_T_JOBS].at_ms)
        count_jobs(&e->totals, &c->jobs);
}

double rt_cluster_cost(const struct rt_cluster *c) {
    double sum = 0;
    bool known = false;
    for (size_t i = 0; i < c->nodes.n; i++) {
        const struct rt_pool *p = c->nodes.v[i].pool ? rt_store_pool(c, c->nodes.v[i].pool) : NULL;
        const double price = p && p->price_per_hour > 0 ? p->price_per_hour : c->price_per_hour;
        if (!c->nodes.v[i].alive || price <= 0)
            continue;
        sum += price;
        known = true;
    }
    return known ? sum : -1;
}

/* Whose age would lie: forwards and operations are our own, pools may come from the configuration alone. */
static int64_t provider_told_ms(const struct rt_cluster *c) {
    int64_t at = RT_MAX(c->told_ms, c->fresh[RT_T_CLUSTER].at_ms);
    if (!c->pools_foretold)
        at = RT_MAX(at, c->fresh[RT_T_POOLS].at_ms);
    for (int t = RT_T_PODS; t <= RT_T_RAYSERVICES; t++)
        at = RT_MAX(at, c->fresh[t].at_ms);
    return at;
}

static int64_t ray_told_ms(const struct rt_cluster *c) {
    const int64_t version_ms = c->unwell ? 0 : c->version_ms; /* the dashboard knows that by heart */
    int64_t at = RT_MAX(version_ms, RT_MAX(c->fresh[RT_T_NODES].at_ms, c->fresh[RT_T_DEMAND].at_ms));
    for (int t = RT_T_JOBS; t <= RT_T_WORKERS; t++)
        at = RT_MAX(at, c->fresh[t].at_ms);
    return at;
}

/* A provider that still answers must not make the numbers of a Ray that does not look young. */
int64_t rt_cluster_newest_ms(const struct rt_cluster *c) {
    static const bool absent[RT_CL_FAILED + 1] = {[RT_CL_DOWN] = true, [RT_CL_QUEUED] = true, [RT_CL_STARTING] = true,
                                             [RT_CL_SUSPENDED] = true, [RT_CL_FAILED] = true};
    const int64_t ray = ray_told_ms(c), provider = provider_told_ms(c);
    const bool meant = c->reach == RT_REACH_OK || !absent[c->state];
    return ray > 0 && meant ? ray : RT_MAX(ray, provider);
}

struct rt_totals rt_cluster_totals(const struct rt_cluster *c) {
    const bool over = c->state == RT_CL_DOWN || c->state == RT_CL_SUSPENDED || c->state == RT_CL_FAILED;
    const bool ended = over && c->reach != RT_REACH_OK;
    return ended ? nothing_known() : entry_at(c)->totals;
}
