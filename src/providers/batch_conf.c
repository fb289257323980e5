/* The configuration of clusters of batch jobs. */
#include "base/vec.h"
#include "providers/batch_impl.h"
#include <stdlib.h>
#include <string.h>

enum { NODES_MAX = 10000, MINUTE_MS = 60000 };

static const struct rt_yfield pool_fields[] = {
    {.key = "account", .alias = {"slurm_account", "pbs_account"}, .off = offsetof(struct batch_pool, ask.account), .type = RT_Y_STR},
    {.key = "queue", .alias = {"partition", "slurm_partition", "pbs_queue"}, .off = offsetof(struct batch_pool, ask.queue), .type = RT_Y_STR},
    {.key = "qos", .alias = {"slurm_qos"}, .off = offsetof(struct batch_pool, ask.qos), .type = RT_Y_STR},
    {.key = "gres", .off = offsetof(struct batch_pool, ask.gres), .type = RT_Y_STR},
    {.key = "select", .alias = {"pbs_select"}, .off = offsetof(struct batch_pool, ask.select), .type = RT_Y_STR},
    {.key = "walltime", .alias = {"slurm_time", "pbs_walltime"}, .off = offsetof(struct batch_pool, ask.walltime_ms), .type = RT_Y_DURATION},
    {.key = "cpus", .alias = {"cpus_per_node", "num_cpus_per_node"}, .off = offsetof(struct batch_pool, ask.cpus), .type = RT_Y_F64,
     .max = 100000},
    {.key = "gpus", .alias = {"gpus_per_node", "num_gpus_per_node"}, .off = offsetof(struct batch_pool, ask.gpus), .type = RT_Y_F64,
     .max = 100000},
    {.key = "memory_gb", .alias = {"ray_memory_gb"}, .off = offsetof(struct batch_pool, ask.memory_gb), .type = RT_Y_F64, .max = 1000000},
    {.key = "directives", .off = offsetof(struct batch_pool, ask.directives), .type = RT_Y_STRS},
    {.key = "resources", .off = offsetof(struct batch_pool, ask.resources), .type = RT_Y_KVS},
    {.key = "nodes", .off = offsetof(struct batch_pool, nodes), .type = RT_Y_I64, .max = NODES_MAX},
    {.key = "min", .off = offsetof(struct batch_pool, min), .type = RT_Y_I64, .max = NODES_MAX},
    {.key = "max", .off = offsetof(struct batch_pool, max), .type = RT_Y_I64, .max = NODES_MAX},
    {0},
};

/* ---- reading ---- */

static bool ask_check(const struct batch_ask *a, const struct rt_ynode *at, rt_yproblem_fn *problem, void *ctx) {
    const struct {
        const char *key, *value;
    } words[] = {{"account", a->account}, {"queue or partition", a->queue}, {"qos", a->qos}, {"gres", a->gres}, {"select", a->select}};
    bool ok = true;
    for (size_t i = 0; i < RT_COUNT(words); i++)
        if (words[i].value && (!*words[i].value || !conf_text_ok(words[i].value) || strpbrk(words[i].value, " '\"\\$`")))
            ok = pools_problem(at, problem, ctx, rt_strf("%s: one word without quotes is wanted", words[i].key));
    for (size_t i = 0; i < a->directives.n; i++)
        if (!conf_text_ok(a->directives.v[i]) || a->directives.v[i][0] != '-')
            ok = pools_problem(at, problem, ctx, rt_strdup("directives: options as on the command line are wanted, one an item: [\"--exclusive\"]"));
    if (a->walltime_ms && a->walltime_ms < MINUTE_MS)
        ok = pools_problem(at, problem, ctx, rt_strdup("walltime: at least a minute, with its unit: 30m, 4h, 1-00:00:00"));
    return ok;
}

static void inherit_word(char **to, const char *from) {
    if (!*to)
        *to = rt_strdup(from);
}

static void inherit(struct batch_ask *to, const struct batch_ask *from) {
    inherit_word(&to->account, from->account);
    inherit_word(&to->queue, from->queue);
    inherit_word(&to->qos, from->qos);
    inherit_word(&to->gres, from->gres);
    inherit_word(&to->select, from->select);
    to->walltime_ms = to->walltime_ms ? to->walltime_ms : from->walltime_ms;
    to->cpus = to->cpus > 0 ? to->cpus : from->cpus;
    to->gpus = to->gpus > 0 ? to->gpus : from->gpus;
    to->memory_gb = to->memory_gb > 0 ? to->memory_gb : from->memory_gb;
    if (!to->directives.n)
        rt_strs_copy(&to->directives, &from->directives);
    to->nodes = 1;
}

static struct batch_pool *push(struct batch_pools *l, const char *name) {
    l->v = rt_realloc(l->v, (l->n + 1) * sizeof(*l->v));
    struct batch_pool *p = &l->v[l->n++];
    *p = (struct batch_pool){.name = rt_strdup(name), .nodes = -1, .max = -1};
    return p;
}

static bool pool_check(struct batch_pool *p, const struct rt_ynode *at, rt_yproblem_fn *problem, void *ctx) {
    if (p->nodes < 0)
        p->nodes = p->min;
    p->nodes = RT_MAX(p->nodes, p->min);
    if (p->max >= 0 && (p->min > p->max || p->nodes > p->max))
        return pools_problem(at, problem, ctx, rt_strf("pool %s: min and nodes must not be above max", p->name));
    return ask_check(&p->ask, at, problem, ctx);
}

/* "4:ncpus=16+1:ngpus=1" are five: a chunk is a host. */
int64_t batch_hosts(const struct batch_ask *ask) {
    int64_t hosts = 0;
    for (const char *at = ask->select; at && *at;) {
        char *end;
        const long n = strtol(at, &end, 10);
        hosts += end == at ? 1 : RT_MIN(RT_MAX(n, 0), NODES_MAX);
        at = strchr(end, '+');
        at = at ? at + 1 : NULL;
    }
    return RT_MIN(RT_MAX(ask->select ? hosts : ask->nodes, 1), NODES_MAX);
}

/* The hosts of the head's job beside the head; a pool that may grow by jobs of its own as long as no others are named. */
static void own_pool(struct batch_pools *out, const struct batch_config *own) {
    const int64_t fixed = batch_hosts(&own->ask) - 1;
    if (!fixed && own->pools)
        return;
    struct batch_pool *p = push(out, "workers");
    p->fixed = p->min = p->nodes = fixed;
    if (own->pools)
        p->max = fixed;
    inherit(&p->ask, &own->ask);
    rt_strs_copy(&p->ask.resources, &own->ask.resources);
}

bool batch_pools_read(const struct rt_cluster_conf *conf, struct batch_pools *out, rt_yproblem_fn *problem, void *ctx) {
    const struct batch_config *own = conf->own;
    const struct rt_ynode *map = own->pools;
    struct rt_error err = {0};
    bool ok = true;
    *out = (struct batch_pools){0};
    own_pool(out, own);
    if (!map)
        return ok;
    if (map->kind != RT_Y_MAP)
        return pools_problem(map, problem, ctx, rt_strdup("pools: a map of names is wanted: {gpu: {nodes: 2, gpus: 4}}"));
    for (size_t i = 0; i < map->n; i++) {
        const char *name = map->keys[i]->text;
        if (!rt_cluster_name_ok(name, NULL, &err) || rt_streq(name, "head") || batch_pool_named(out, name)) {
            ok = pools_problem(map->keys[i], problem, ctx,
                     rt_strf("pools: %s is no possible name (a-z, 0-9 and -, not head, none twice; workers with nodes above 1 are there)", name));
            continue;
        }
        struct batch_pool *p = push(out, name);
        ok = rt_yaml_read(map->items[i], pool_fields, NULL, p, problem, ctx) && ok;
        inherit(&p->ask, &own->ask);
        ok = pool_check(p, map->items[i], problem, ctx) && ok;
    }
    return ok;
}

void batch_pools_deinit(struct batch_pools *l) {
    for (size_t i = 0; i < l->n; i++) {
        rt_yaml_free(pool_fields, &l->v[i]);
        free(l->v[i].name);
    }
    free(l->v);
    *l = (struct batch_pools){0};
}

struct batch_pool *batch_pool_named(const struct batch_pools *l, const char *name) {
    for (size_t i = 0; i < l->n; i++)
        if (rt_streq(l->v[i].name, name))
            return &l->v[i];
    return NULL;
}

/* ---- checking ---- */

bool batch_check(const struct batch_dialect *d, const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx) {
    const struct batch_config *own = conf->own;
    struct batch_pools pools;
    bool ok = batch_pools_read(conf, &pools, problem, ctx);
    for (size_t i = 0; d->check && i < pools.n; i++)
        ok = d->check(&pools.v[i].ask, conf->node, problem, ctx) && ok;
    batch_pools_deinit(&pools);
    if (!own->login)
        ok = pools_problem(conf->node, problem, ctx, rt_strdup("the login node is wanted: `login: [user@]host`"));
    else if (!far_host_ok(own->login))
        ok = pools_problem(conf->node, problem, ctx, rt_strf("login: %s is no name of a host", own->login));
    ok = far_conf_check(&own->far, conf, problem, ctx) && ok;
    ok = ask_check(&own->ask, conf->node, problem, ctx) && ok;
    return d->check ? d->check(&own->ask, conf->node, problem, ctx) && ok : ok;
}

/* ---- where a field stands ---- */

static const struct rt_ynode *value_of(const struct rt_ynode *map, const struct rt_yfield *fields, const char *key) {
    const struct rt_ynode *found = map && map->kind == RT_Y_MAP ? rt_ynode_get(map, key) : NULL;
    for (const struct rt_yfield *f = fields; map && map->kind == RT_Y_MAP && !found && f && f->key; f++) {
        bool meant = rt_streq(f->key, key);
        for (size_t i = 0; i < RT_COUNT(f->alias); i++)
            meant = meant || rt_streq(f->alias[i], key);
        if (meant)
            found = rt_ynode_get(map, f->key);
        for (size_t i = 0; meant && !found && i < RT_COUNT(f->alias) && f->alias[i]; i++)
            found = rt_ynode_get(map, f->alias[i]);
    }
    return found;
}

const struct rt_ynode *batch_conf_at(const struct rt_cluster_conf *conf, const char *pool, const char *key) {
    const struct batch_config *own = conf->own;
    const struct rt_ynode *in_pool = pool && own->pools ? rt_ynode_get(own->pools, pool) : NULL;
    const struct rt_ynode *found = value_of(in_pool, pool_fields, key);
    return found ? found : value_of(conf->node, conf->ops->config, key);
}

const char *batch_hop_target(const struct rt_cluster_conf *conf) {
    return ((const struct batch_config *)conf->own)->login;
}

void batch_where(const struct rt_cluster_conf *conf, struct rt_buf *out) {
    rt_buf_adds(out, batch_hop_target(conf));
}
