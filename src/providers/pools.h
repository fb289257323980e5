/* What the providers that start Ray nodes themselves share: pools as they are configured, how they stand in the store,
 * which nodes go when one shrinks. Ray does not know our pools: nodes are told apart by the names that we gave them
 * ("head", "POOL-1"). */
#ifndef RT_PROVIDERS_POOLS_H
#define RT_PROVIDERS_POOLS_H

#include "core/provider.h"

/* What a node offers to Ray; 0 and empty: what Ray finds on the machine. */
struct node_size {
    double cpus, gpus, memory_gb;
    struct rt_strs resources; /* "NAME=AMOUNT" */
    struct rt_strs labels;    /* "KEY=VALUE" */
    char *accelerator_type;   /* "A100": a resource and a label of Ray */
};
/* Words of `ray start`; appends. */
void node_size_args(const struct node_size *s, struct rt_strs *out);
/* Fields of a table for the struct TYPE with a struct node_size MEMBER; OF says whose they are ("each host"). */
#define NODE_SIZE_FIELDS(TYPE, MEMBER, OF)                                                                              \
    {.key = "cpus", .form = true, .alias = {"num_cpus_per_node", "cpus_per_node"}, .off = offsetof(struct TYPE, MEMBER.cpus),         \
     .type = RT_Y_F64, .max = 100000, .help = "CPUs of " OF " (default: all that it has)", .example = "16"},            \
    {.key = "gpus", .form = true, .alias = {"num_gpus_per_node", "gpus_per_node"}, .off = offsetof(struct TYPE, MEMBER.gpus),         \
     .type = RT_Y_F64, .max = 100000, .help = "GPUs of " OF, .example = "1"},                                           \
    {.key = "memory_gb", .alias = {"ray_memory_gb"}, .off = offsetof(struct TYPE, MEMBER.memory_gb), .type = RT_Y_F64,  \
     .max = 1000000, .help = "memory of " OF " in GiB", .example = "64"},                                               \
    {.key = "resources", .off = offsetof(struct TYPE, MEMBER.resources), .type = RT_Y_KVS,                              \
     .help = "other resources of the head", .example = "{tpu: 1}"},                                                     \
    {.key = "labels", .off = offsetof(struct TYPE, MEMBER.labels), .type = RT_Y_KVS,                                    \
     .help = "labels of the head (Ray 2.45 and newer)", .example = "{disk: ssd}"},                                      \
    {.key = "accelerator_type", .off = offsetof(struct TYPE, MEMBER.accelerator_type), .type = RT_Y_STR,                \
     .help = "what the GPUs of the head are, where Ray cannot tell", .example = "A100"}

struct pool_conf {
    char *name;
    struct node_size size;
    struct rt_strs hosts;    /* only where rules.hosts */
    int64_t nodes, min, max; /* nodes: how many `up` starts */
    double price_per_hour;   /* of one node; 0: not known */
    void *own;               /* rules.own_size bytes filled by rules.own; NULL */
};
struct pool_confs {
    struct pool_conf *v;
    size_t n;
    const struct rt_yfield *own;
};

/* How a provider's pools are read. */
struct pool_rules {
    const char *example;        /* "{cpu: {hosts: [lab2]}}" */
    bool hosts;                 /* `hosts` is a field */
    struct pool_conf defaults;  /* size (without resources and labels), nodes, max, price: before a pool's own fields */
    const struct rt_yfield *own; /* further fields of a pool, and the size of their struct; NULL */
    size_t own_size;
    const void *own_defaults;   /* own_size bytes without anything owned; NULL: zeroes */
    /* After a pool was read; false when it reported something. Fills in what was not said. NULL: none. */
    bool (*check)(struct pool_conf *p, const struct rt_ynode *at, rt_yproblem_fn *problem, void *ctx);
};
/* Appends the pools of `map` (NULL: none) to `out`, which is zeroed or holds pools already. Every problem is reported;
 * then false, and `out` has the others. */
bool pools_read(const struct rt_ynode *map, const struct pool_rules *rules, struct pool_confs *out, rt_yproblem_fn *problem, void *ctx);
/* One pool with the defaults. */
struct pool_conf *pools_push(struct pool_confs *l, const struct pool_rules *rules, const char *name);
void pools_deinit(struct pool_confs *l);
struct pool_conf *pool_named(const struct pool_confs *l, const char *name); /* NULL */
/* Reports text at a place; takes text; always false. */
bool pools_problem(const struct rt_ynode *at, rt_yproblem_fn *problem, void *ctx, char *text);
/* For what is read again: its problems were told when the configuration was. */
void conf_ignore_problem(void *ctx, const struct rt_error *err);
/* No control characters: fit for a line of a script or a path. NULL is fine. */
bool conf_text_ok(const char *s);

/* ---- nodes as they are shown ---- */

enum pool_node_state { POOL_NODE_ABSENT, POOL_NODE_QUEUED, POOL_NODE_STARTING, POOL_NODE_UP, POOL_NODE_STOPPING, POOL_NODE_LOST };

/* A view of one of a provider's nodes; borrows everything. */
struct pool_node {
    const char *name, *pool;
    const char *where; /* in messages: its host, or its name again */
    const char *why;   /* why it was lost or waits; NULL */
    enum pool_node_state state;
    bool seen;         /* the provider saw it live itself: when Ray does not list it yet, that is no failure */
};

#define POOLS_ALIVE_PATH "/api/v0/nodes?limit=10000"
/* Names of the nodes that live, as a dashboard answers for that path; false: it does not answer so yet. */
bool pools_alive(const struct rt_http_answer *a, const struct rt_error *err, struct rt_strs *out);
/* Ray's row of a node of that name: the living one, else a dead one, else NULL. */
const struct rt_node *pools_ray_node(const struct rt_cluster *c, const char *name);
/* The pool "head" and all others into the store. `kind`: the provider's word ("hosts"). */
void pools_show(struct rt_store *store, struct rt_cluster *c, const char *kind, const struct pool_confs *pools,
                const struct pool_node *nodes, size_t n);
/* Writes our pools into Ray's nodes (rt_provider_ops.join); those that we do not know stay as they are. */
void pools_join(struct rt_cluster *c, const struct pool_node *nodes, size_t n);
/* Indices of the nodes that would go, at most `count`: those without work first, the last one first among them. Gives
 * their number; `out` has room for n. */
size_t pools_leaving(const struct rt_cluster *c, const struct pool_node *nodes, size_t n, const char *pool, size_t count, size_t *out);
/* rt_provider_ops.scale_impact, all of it. `up`: the cluster is up. */
bool pools_impact(const struct rt_cluster_conf *conf, const struct rt_cluster *c, bool up, const struct pool_confs *pools,
                  const struct pool_node *nodes, size_t n, const char *pool, int64_t to, struct rt_scale_impact *out, struct rt_error *err);
/* rt_provider_ops.set_limits; `cap` is the highest max that can be. */
bool pools_set_limits(const struct rt_cluster_conf *conf, struct pool_confs *pools, const char *pool, int64_t min, int64_t max,
                      int64_t cap, struct rt_error *err);

#endif
