/* The configuration of `ssh`. */
#include "providers/ssh.h"
#include <string.h>

#define S(member) .off = offsetof(struct ssh_config, member)

const struct rt_yfield ssh_fields[] = {
    {.key = "head", S(head), .type = RT_Y_STR, .wanted = true, .alias = {"resource", "login"},
     .help = "[user@]host of the head, or a Host of ~/.ssh/config", .example = "me@lab1"},
    {.key = "workers", .form = true, S(workers), .type = RT_Y_STRS,
     .help = "hosts of the one pool `workers` (or say `pools`)", .example = "[lab2, lab3]"},
    {.key = "pools", S(pools), .type = RT_Y_NODE,
     .help = "pools of worker hosts: hosts, cpus, gpus, memory_gb, resources, labels, accelerator_type, nodes (that `up` starts), min, max",
     .example = "{cpu: {hosts: [lab2, lab3], cpus: 16}}"},
    FAR_FIELDS,
    {0},
};

char *ssh_host_target(const struct ssh_config *own, const char *host) {
    const char *at = own->head ? strchr(own->head, '@') : NULL;
    if (!at || strchr(host, '@'))
        return rt_strdup(host);
    return rt_strf("%.*s@%s", (int)(at - own->head), own->head, host);
}

static bool pool_check(struct pool_conf *p, const struct rt_ynode *at, rt_yproblem_fn *problem, void *ctx) {
    const int64_t hosts = (int64_t)p->hosts.n;
    if (!hosts)
        return pools_problem(at, problem, ctx, rt_strf("pool %s: its hosts are wanted: {hosts: [lab2, lab3]}", p->name));
    for (size_t i = 0; i < p->hosts.n; i++)
        if (!far_host_ok(p->hosts.v[i]))
            return pools_problem(at, problem, ctx, rt_strf("pools: %s is no name of a host", p->hosts.v[i]));
    if (p->max < 0 || p->max > hosts)
        p->max = hosts;
    if (p->nodes < 0)
        p->nodes = p->max;
    p->nodes = RT_MAX(p->nodes, p->min);
    if (p->min > p->max || p->nodes > p->max)
        return pools_problem(at, problem, ctx, rt_strf("pool %s: min and nodes must not be above max or the number of hosts", p->name));
    return true;
}

bool ssh_pools_read(const struct rt_cluster_conf *conf, struct pool_confs *out, rt_yproblem_fn *problem, void *ctx) {
    const struct ssh_config *own = conf->own;
    const struct node_size *size = &own->far.size;
    const struct pool_rules rules = {
        .example = "{cpu: {hosts: [lab2]}}",
        .hosts = true,
        .defaults = {.nodes = -1, .max = -1, .price_per_hour = conf->price_per_hour,
                     .size = {.cpus = size->cpus, .gpus = size->gpus, .memory_gb = size->memory_gb}},
        .check = pool_check,
    };
    bool ok = true;
    *out = (struct pool_confs){0};
    if (own->workers.n) {
        struct pool_conf *p = pools_push(out, &rules, "workers");
        rt_strs_copy(&p->hosts, &own->workers);
        ok = pool_check(p, conf->node, problem, ctx);
    }
    return pools_read(own->pools, &rules, out, problem, ctx) && ok;
}

bool ssh_conf_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx) {
    const struct ssh_config *own = conf->own;
    struct pool_confs pools;
    bool ok = ssh_pools_read(conf, &pools, problem, ctx);
    pools_deinit(&pools);
    if (!own->head)
        ok = pools_problem(conf->node, problem, ctx, rt_strdup("the host of the head is wanted: `head: [user@]host`"));
    else if (!far_host_ok(own->head))
        ok = pools_problem(conf->node, problem, ctx, rt_strf("head: %s is no name of a host", own->head));
    return far_conf_check(&own->far, conf, problem, ctx) && ok;
}
