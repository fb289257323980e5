/* What a look says: states, numbers and reasons, for the store and for those who act on them. */
#include "base/fs.h"
#include "providers/headway.h"
#include "providers/watchdog.h"
#include "providers/yellowdog_impl.h"
#include <stdlib.h>
#include <string.h>

enum {
    PATIENT_MS = 20000,         /* so long a task may wait beside a free node */
    FIRST_WORD_MS = 10 * 60000, /* so long the script of a head may take until its Ray answers first */
};

/* ---- finding ---- */

bool yd_work_lives(const struct yd_seen *s) {
    return s && s->work && !yd_work_over(s->work->state);
}

void yd_seen_living(const struct yd_seen *s, struct rt_buf *out) {
    if (yd_work_lives(s))
        rt_buf_addf(out, "work requirement %s (%s)", s->work->name, s->work->status ? s->work->status : "?");
    for (size_t i = 0; s && i < s->nparts; i++)
        if (!s->parts[i].over)
            rt_buf_addf(out, "%spool %s (%s)", out->len ? ", " : "", s->parts[i].pool->name, s->parts[i].pool->status ? s->parts[i].pool->status : "?");
}

bool yd_seen_lives(const struct yd_seen *s) {
    for (size_t i = 0; s && i < s->nparts; i++)
        if (!s->parts[i].over)
            return true;
    return yd_work_lives(s);
}

const struct yd_part *yd_seen_part(const struct yd_seen *s, const char *label) {
    const struct yd_part *over = NULL;
    for (size_t i = 0; s && i < s->nparts; i++) {
        const struct yd_part *part = &s->parts[i];
        if (!rt_streq(part->label, label))
            continue;
        if (!part->over && !yd_pool_over(part->pool))
            return part;
        if (!over || over->over || part->index > over->index)
            over = part;
    }
    return over;
}

const struct yd_group *yd_part_group(const struct yd_seen *s, const struct yd_part *part) {
    const struct yd_group *found = NULL;
    for (size_t i = 0; s->work && part->pool->worker_tag && i < s->work->ngroups; i++) {
        const struct yd_group *g = &s->work->groups[i];
        if (yd_words_have(&g->worker_tags, part->pool->worker_tag) && (!found || yd_work_over(found->state) || !yd_work_over(g->state)))
            found = g;
    }
    return found;
}

const struct yd_node *yd_part_node(const struct yd_part *part, const char *node_id) {
    for (size_t i = 0; part->nodes && i < part->nodes->n; i++)
        if (rt_streq(part->nodes->nodes[i].id, node_id))
            return &part->nodes->nodes[i];
    return NULL;
}

static bool of_part(const struct yd_seen *s, const struct yd_part *part, const struct yd_task *t) {
    for (size_t i = 0; s->work && part->pool->worker_tag && i < s->work->ngroups; i++)
        if (rt_streq(s->work->groups[i].id, t->group_id))
            return yd_words_have(&s->work->groups[i].worker_tags, part->pool->worker_tag);
    return false;
}

static const char *group_of(enum yd_role role) {
    return role == YD_HEAD ? YD_GROUP_HEAD : YD_GROUP_OBSERVABILITY;
}

const struct yd_task *yd_role_task(const struct yd_seen *s, enum yd_role role) {
    const struct yd_group *g = s && s->work ? yd_work_group(s->work, group_of(role)) : NULL;
    const struct yd_task *found = NULL;
    for (size_t i = 0; g && s->tasks && i < s->tasks->n; i++) {
        const struct yd_task *t = &s->tasks->tasks[i];
        if (rt_streq(t->group_id, g->id) && (!found || yd_task_over(found)))
            found = t;
    }
    return found;
}

const struct yd_node *yd_task_node(const struct yd_seen *s, const struct yd_task *t) {
    for (size_t i = 0; i < s->nparts; i++) {
        const struct yd_part *part = &s->parts[i];
        const struct yd_node *n = t->node_id ? yd_part_node(part, t->node_id) : NULL;
        for (size_t k = 0; !n && t->worker_id && part->nodes && k < part->nodes->n; k++)
            for (size_t w = 0; w < part->nodes->nodes[k].nworkers; w++)
                if (rt_streq(part->nodes->nodes[k].workers[w].id, t->worker_id))
                    n = &part->nodes->nodes[k];
        if (n)
            return n;
    }
    return NULL;
}

static const struct yd_node *role_node(const struct yd_seen *s, enum yd_role role) {
    const struct yd_task *t = yd_role_task(s, role);
    return t && t->state == YD_TASK_EXECUTING ? yd_task_node(s, t) : NULL;
}

const char *yd_role_ip(const struct yd_seen *s, enum yd_role role) {
    const struct yd_node *n = role_node(s, role);
    return n ? n->private_ip : NULL;
}

/* The instance knows it better than the node, which may never be told. */
const char *yd_head_public_ip(const struct yd_seen *s) {
    const struct yd_node *n = role_node(s, YD_HEAD);
    for (size_t i = 0; n && i < s->nparts; i++) {
        const struct yd_result *r = s->parts[i].instances;
        for (size_t k = 0; r && k < r->n; k++)
            if (rt_streq(r->instances[k].id, n->instance_id) && r->instances[k].public_ip)
                return r->instances[k].public_ip;
    }
    return n ? n->public_ip : NULL;
}

/* ---- Ray's nodes ---- */

/* Nodes with one address (several on one machine) are told apart by their order only. */
static size_t rank_among(const struct rt_cluster *c, const struct rt_node *ray) {
    size_t rank = 0;
    for (size_t i = 0; i < c->nodes.n && &c->nodes.v[i] != ray; i++)
        rank += c->nodes.v[i].alive && !c->nodes.v[i].head && rt_streq(c->nodes.v[i].ip, ray->ip);
    return rank;
}

static bool runs(const struct yd_seen *s, const struct yd_node *n) {
    for (size_t i = 0; s->tasks && i < s->tasks->n; i++) {
        const struct yd_task *t = &s->tasks->tasks[i];
        if (t->state == YD_TASK_EXECUTING && yd_task_node(s, t) == n)
            return true;
    }
    return false;
}

const struct yd_node *yd_node_of(const struct rt_provider *p, const struct rt_node *ray, const struct yd_part **part) {
    const struct yd_seen *s = p->seen;
    size_t skip = ray->head || !ray->alive ? 0 : rank_among(p->cluster, ray);
    for (size_t i = 0; s && ray->ip && i < s->nparts; i++) {
        const struct yd_part *q = &s->parts[i];
        if (ray->head != (q->role == YD_HEAD))
            continue;
        for (size_t k = 0; q->nodes && k < q->nodes->n; k++) {
            const struct yd_node *n = &q->nodes->nodes[k];
            if (!rt_streq(n->private_ip, ray->ip) || (yd_node_gone(n) && ray->alive) || (ray->alive && !runs(s, n)) || skip-- > 0)
                continue;
            if (part)
                *part = q;
            return n;
        }
    }
    return NULL;
}

/* The one pool of workers that there is; NULL: none or several. */
static const struct yd_part *only_workers(const struct yd_seen *s) {
    const struct yd_part *found = NULL;
    for (size_t i = 0; s && i < s->nparts; i++) {
        if (s->parts[i].role != YD_WORKER || s->parts[i].over)
            continue;
        if (found)
            return NULL;
        found = &s->parts[i];
    }
    return found;
}

/* Either may come first: Ray's nodes, or what the platform says. */
static void assign_pools(struct rt_provider *p) {
    rt_nodes *nodes = &p->cluster->nodes;
    const struct yd_part *only = only_workers(p->seen);
    for (size_t i = 0; i < nodes->n; i++) {
        struct rt_node *ray = &nodes->v[i];
        const struct yd_part *part = NULL;
        const struct yd_node *n = yd_node_of(p, ray, &part);
        const char *label = n ? part->label : only && !ray->head ? only->label : NULL;
        if (label && !rt_streq(ray->pool, label))
            ray->pool = rt_arena_strdup(nodes->arena, label);
        if (!n || rt_streq(ray->instance_id, n->instance_id))
            continue;
        ray->instance_id = rt_arena_strdup(nodes->arena, n->instance_id);
        ray->instance_type = rt_arena_strdup(nodes->arena, n->instance_type);
    }
}

void yd_join(struct rt_provider *p) {
    yd_show(p);
}

/* ---- numbers ---- */

static void count_nodes(const struct yd_seen *s, const struct yd_part *part, struct yd_count *c) {
    for (size_t i = 0; part->nodes && i < part->nodes->n; i++) {
        const struct yd_node *n = &part->nodes->nodes[i];
        c->lost = c->lost || n->state == YD_NODE_LOST;
        if (yd_node_gone(n))
            continue;
        c->nodes++;
        c->no_bash = c->no_bash || (n->task_types.n && !yd_words_have(&n->task_types, "bash"));
        c->free_node = c->free_node || !runs(s, n);
    }
}

static void count_tasks(const struct yd_seen *s, const struct yd_part *part, struct yd_count *c) {
    for (size_t i = 0; s->tasks && i < s->tasks->n; i++) {
        const struct yd_task *t = &s->tasks->tasks[i];
        if (!of_part(s, part, t))
            continue;
        c->tasks += !yd_task_over(t);
        c->waiting += t->state == YD_TASK_PENDING || t->state == YD_TASK_READY;
        c->executing += t->state == YD_TASK_EXECUTING;
        c->failed += t->state == YD_TASK_FAILED;
        if (t->state == YD_TASK_FAILED && (!c->failure || t->changed_ms >= c->failure->changed_ms))
            c->failure = t;
    }
}

static int64_t joined(const struct rt_provider *p, const struct yd_part *part) {
    int64_t n = 0;
    if (!p->cluster->fresh[RT_T_NODES].at_ms)
        return -1;
    for (size_t i = 0; i < p->cluster->nodes.n; i++)
        n += p->cluster->nodes.v[i].alive && rt_streq(p->cluster->nodes.v[i].pool, part->label);
    return n;
}

struct yd_count yd_part_count(const struct rt_provider *p, const struct yd_seen *s, const struct yd_part *part) {
    struct yd_count c = {.joined = joined(p, part), .wanted = part->pool->expected};
    const struct yd_requirement *r = part->requirement && part->requirement->n ? part->requirement->requirements : NULL;
    if (r && r->target >= 0)
        c.wanted = r->target;
    for (size_t i = 0; part->instances && i < part->instances->n; i++)
        c.machines += part->instances->instances[i].state == YD_INSTANCE_RUNNING;
    count_nodes(s, part, &c);
    count_tasks(s, part, &c);
    c.wanted = part->over ? 0 : RT_MAX(c.wanted, 0);
    return c;
}

/* ---- why ---- */

static int64_t coming_machines(const struct yd_part *part) {
    int64_t n = 0;
    for (size_t i = 0; part->instances && i < part->instances->n; i++)
        n += part->instances->instances[i].state == YD_INSTANCE_PENDING;
    return n;
}

static bool waits_long(const struct yd_seen *s, const struct yd_part *part) {
    for (size_t i = 0; s->tasks && i < s->tasks->n; i++) {
        const struct yd_task *t = &s->tasks->tasks[i];
        if (t->state == YD_TASK_READY && of_part(s, part, t) && t->changed_ms && s->at_ms - t->changed_ms > PATIENT_MS)
            return true;
    }
    return false;
}

static void failure_text(const struct yd_task *t, struct rt_buf *out) {
    char why[256];
    rt_buf_addf(out, "%s failed: %s", t->name ? t->name : "a task", yd_task_why(t, why, sizeof why));
}

/* The cause alone; nothing when there is none that is known. */
static void cause(const struct yd_seen *s, const struct yd_part *part, const struct yd_count *c, struct rt_buf *out) {
    const int64_t coming = coming_machines(part), had = c->machines + coming;
    if (part->over || yd_pool_over(part->pool))
        rt_buf_addf(out, "the pool has ended (%s)%s", part->pool->status ? part->pool->status : "gone",
                    c->failure ? "; " : "");
    if (c->failure && (part->over || c->tasks < c->wanted))
        failure_text(c->failure, out);
    else if (c->lost && c->nodes < c->wanted)
        rt_buf_adds(out, "a node was lost");
    else if (part->over || yd_pool_over(part->pool))
        return;
    else if (part->instances && had < c->wanted && c->nodes < c->wanted)
        rt_buf_addf(out, "no capacity for %lld of %lld machines", (long long)(c->wanted - had), (long long)c->wanted);
    else if (coming)
        rt_buf_addf(out, "%lld booting", (long long)coming);
    else if (c->waiting && c->free_node && c->no_bash)
        rt_buf_adds(out, "its nodes do not offer task type bash: the agents of the template's image must be configured with it");
    else if (c->nodes < c->machines)
        rt_buf_adds(out, "the agents of the machines have not registered yet");
    else if (c->waiting && c->free_node && waits_long(s, part))
        rt_buf_addf(out, "%lld task%s waiting beside a free node", (long long)c->waiting, c->waiting == 1 ? "" : "s");
    else if (c->joined >= 0 && c->executing > c->joined)
        rt_buf_adds(out, "the script runs, Ray has not joined yet");
}

bool yd_part_why(const struct rt_provider *p, const struct yd_seen *s, const struct yd_part *part, struct rt_buf *out) {
    const struct yd_count c = yd_part_count(p, s, part);
    const bool in_ray = part->role != YD_OBSERVABILITY;
    const bool whole = !part->over && !yd_pool_over(part->pool) && c.executing >= c.wanted && c.nodes >= c.wanted &&
                       (!in_ray || c.joined < 0 || c.joined >= c.wanted);
    if (whole)
        return false;
    struct rt_buf why;
    rt_buf_init(&why, 4 * RT_KIB);
    cause(s, part, &c, &why);
    if (!part->over)
        rt_buf_addf(out, "%lld machine%s, %lld node%s, %lld executing", (long long)c.machines, c.machines == 1 ? "" : "s", (long long)c.nodes,
                    c.nodes == 1 ? "" : "s", (long long)c.executing);
    if (!part->over && in_ray && c.joined >= 0)
        rt_buf_addf(out, ", %lld in Ray", (long long)c.joined);
    if (why.len)
        rt_buf_addf(out, "%s%s", out->len ? ": " : "", rt_buf_str(&why));
    rt_buf_deinit(&why);
    return true;
}

/* ---- where the head is ---- */

static const char *address_of(struct rt_provider *p, const struct yd_seen *s) {
    const char *ip = yd_role_ip(s, YD_HEAD), *open = yd_head_public_ip(s);
    const struct yd_config *own = p->own;
    p->no_way = (struct rt_error){0};
    if (own->ssh_address == YD_ADDRESS_PRIVATE || (own->ssh_jump && own->ssh_address != YD_ADDRESS_PUBLIC))
        return ip;
    if (open || !ip)
        return open;
    rt_error_set(&p->no_way, RT_E_UNREACHABLE, "the head of %s has no public address (its private one is %s)", p->conf->name, ip);
    rt_error_hint(&p->no_way, "say `ssh: {jump: USER@HOST}` with a host that reaches it, or `ssh: {address: private}` where this machine does");
    return NULL;
}

static void aim(struct rt_provider *p, const struct yd_seen *s) {
    const char *ip = yd_role_ip(s, YD_HEAD), *address = address_of(p, s);
    char *file = NULL;
    struct rt_error err = {0};
    if (!rt_streq(p->head_ip, ip)) {
        free(p->head_ip);
        p->head_ip = rt_strdup(ip);
    }
    if (rt_streq(p->aim, address))
        return;
    free(p->aim);
    p->aim = rt_strdup(address);
    if (!p->env.hop)
        return;
    if (!address) {
        rt_hop_aim(p->env.hop, NULL, NULL);
        return;
    }
    char *key = p->own->ssh_key ? rt_path_expand(p->own->ssh_key) : NULL;
    const struct rt_headway way = {.host = address, .user = p->own->ssh_user ? p->own->ssh_user : "yd-agent", .key = key, .jump = p->own->ssh_jump,
                                   .include = p->conf->ssh_config, .own_keys = true};
    if (rt_headway_write(p->conf->name, &way, &file, &err))
        rt_hop_aim(p->env.hop, address, file);
    else
        p->no_way = err;
    free(key);
    free(file);
}

/* ---- into the store ---- */

static enum rt_cluster_state state_of(const struct rt_provider *p, const struct yd_seen *s, struct rt_buf *why) {
    const struct yd_task *head = yd_role_task(s, YD_HEAD);
    if (!yd_seen_lives(s)) {
        if (head && head->state == YD_TASK_FAILED)
            failure_text(head, why);
        return RT_CL_DOWN;
    }
    if (!yd_work_lives(s)) {
        if (p->run)
            return RT_CL_STARTING;
        if (head && head->state == YD_TASK_FAILED)
            failure_text(head, why);
        rt_buf_addf(why, "%smachines are left over: `raytui down %s` ends them", why->len ? "; " : "", p->conf->name);
        return s->work && s->work->state != YD_WORK_FAILED ? RT_CL_STOPPING : RT_CL_FAILED;
    }
    if (s->work->state == YD_WORK_CANCELLING)
        return RT_CL_STOPPING;
    if (head && yd_task_over(head)) {
        failure_text(head, why);
        return RT_CL_FAILED;
    }
    if (!head || head->state != YD_TASK_EXECUTING) {
        const struct yd_part *part = yd_seen_part(s, "head");
        if (part)
            yd_part_why(p, s, part, why);
        return RT_CL_STARTING;
    }
    const bool spoke = p->cluster->reach == RT_REACH_OK || p->cluster->version_ms >= head->started_ms;
    if (!spoke && rt_wall_ms() - head->started_ms < FIRST_WORD_MS)
        return RT_CL_STARTING; /* its script runs; nothing is known of Ray yet */
    for (size_t i = 0; i < s->nparts; i++) {
        const struct yd_count c = yd_part_count(p, s, &s->parts[i]);
        if (!s->parts[i].over && s->parts[i].role == YD_WORKER && c.waiting)
            return RT_CL_SCALING;
    }
    return RT_CL_UP;
}

static void show_part(struct rt_provider *p, const struct yd_seen *s, const struct yd_part *part, rt_pools *b) {
    struct rt_pool *row = &b->v[b->n++];
    const struct yd_count c = yd_part_count(p, s, part);
    const struct yd_pool_conf *conf = yd_conf_pool_named(&p->pools, part->label);
    struct rt_buf why;
    rt_buf_init(&why, 4 * RT_KIB);
    const bool in_ray = part->role != YD_OBSERVABILITY && c.joined >= 0;
    *row = (struct rt_pool){.kind = "worker pool", .name = rt_arena_strdup(b->arena, part->label), .head = part->role != YD_WORKER,
                            .scalable = part->role == YD_WORKER, .min = part->role == YD_WORKER ? 0 : 1};
    row->desired = c.wanted;
    row->max = part->pool->max_nodes;
    row->ready = in_ray ? c.joined : c.executing;
    row->failed = RT_MIN(c.failed, RT_MAX(0, c.wanted - c.tasks));
    row->pending = RT_MAX(0, c.wanted - row->ready - row->failed);
    row->price_per_hour = conf ? conf->price_per_hour : p->conf->price_per_hour;
    if (yd_part_why(p, s, part, &why)) {
        char clean[400];
        row->why = rt_arena_strdup(b->arena, rt_clean_to(clean, sizeof clean, rt_buf_str(&why)));
    }
    rt_buf_deinit(&why);
}

/* Of the configuration, and not there. */
static void show_absent(const char *name, const struct yd_pool_conf *conf, rt_pools *b) {
    b->v[b->n++] = (struct rt_pool){.kind = "worker pool", .name = rt_arena_strdup(b->arena, name), .head = !conf, .scalable = conf != NULL,
                                    .min = conf ? 0 : 1, .max = conf ? conf->max : 1, .price_per_hour = conf ? conf->price_per_hour : 0};
}

static bool shown(const rt_pools *b, const char *name) {
    for (size_t i = 0; i < b->n; i++)
        if (rt_streq(b->v[i].name, name))
            return true;
    return false;
}

/* One that is over and was taken away on purpose is not. */
static bool missed(const struct rt_provider *p, const struct yd_seen *s, const struct yd_part *part) {
    const bool ours = yd_conf_pool_named(&p->pools, part->label) || (p->journal && rt_journal_find(p->journal, "pool", part->pool->name));
    return !part->over || (yd_work_lives(s) && ours);
}

static void show_pools(struct rt_provider *p) {
    const struct yd_seen *s = p->seen;
    rt_pools b = {.arena = rt_arena_create()};
    const struct yd_part *head = yd_seen_part(s, "head");
    b.v = rt_arena_alloc(b.arena, ((s ? s->nparts : 0) + p->pools.n + 2) * sizeof *b.v);
    if (head)
        show_part(p, s, head, &b);
    else
        show_absent("head", NULL, &b);
    for (size_t i = 0; s && i < s->nparts; i++)
        if (!shown(&b, s->parts[i].label) && yd_seen_part(s, s->parts[i].label) == &s->parts[i] && missed(p, s, &s->parts[i]))
            show_part(p, s, &s->parts[i], &b);
    for (size_t i = 0; i < p->pools.n; i++)
        if (!shown(&b, p->pools.v[i].name))
            show_absent(p->pools.v[i].name, &p->pools.v[i], &b);
    b.total = b.n;
    rt_store_put_pools(p->env.store, p->cluster, &b);
}

/* The tasks of the platform end after their time-out, whatever runs. */
static void show_end(struct rt_provider *p) {
    const struct yd_task *head = yd_role_task(p->seen, YD_HEAD);
    const struct yd_group *g = p->seen && p->seen->work ? yd_work_group(p->seen->work, YD_GROUP_HEAD) : NULL;
    const int64_t limit = !head ? -1 : head->timeout_ms >= 0 ? head->timeout_ms : g ? g->timeout_ms : -1;
    const bool ends = head && head->state == YD_TASK_EXECUTING && head->started_ms && limit >= 0;
    watchdog_show(p->env.store, p->cluster, NULL, ends ? head->started_ms + limit : 0, "lifetime");
}

void yd_show(struct rt_provider *p) {
    struct rt_buf why;
    rt_buf_init(&why, 4 * RT_KIB);
    assign_pools(p);
    show_pools(p);
    p->cluster->pools_foretold = true;
    p->cluster->told_ms = p->seen ? p->seen->at_ms : 0;
    const bool ours = p->journal && rt_journal_count(p->journal) > 0;
    p->cluster->ours = ours || !yd_seen_lives(p->seen);
    if (p->seen) {
        aim(p, p->seen);
        const enum rt_cluster_state state = state_of(p, p->seen, &why);
        char clean[300];
        rt_store_set_state(p->env.store, p->cluster, state, why.len ? rt_clean_to(clean, sizeof clean, rt_buf_str(&why)) : NULL);
        show_end(p);
    } else if (p->run) {
        rt_store_set_state(p->env.store, p->cluster, RT_CL_STARTING, NULL);
    }
    rt_buf_deinit(&why);
}
