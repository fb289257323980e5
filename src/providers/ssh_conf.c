/* The configuration of `ssh`. */
#include "base/vec.h"
#include "providers/ssh.h"

static const char *const dashboard_hosts[] = {"loopback", "node", NULL};

static const struct rt_yfield python_fields[] = {
    {.key = "venv", .off = offsetof(struct ssh_config, python.venv), .type = RT_Y_STR, .alias = {"ray_venv"},
     .help = "virtual environment on the hosts that has Ray, or where it is made", .example = "~/ray"},
    {.key = "conda", .off = offsetof(struct ssh_config, python.conda), .type = RT_Y_STR, .alias = {"conda_env"},
     .help = "conda environment that has Ray", .example = "ray"},
    {.key = "activate", .off = offsetof(struct ssh_config, python.activate), .type = RT_Y_STRS,
     .help = "shell lines before ray, run by a login bash", .example = "module load python/3.11"},
    {.key = "ray", .off = offsetof(struct ssh_config, python.ray), .type = RT_Y_STR, .alias = {"version"},
     .help = "version of Ray that must be there, or is installed", .example = SSH_RAY_VERSION},
    {.key = "requirements", .off = offsetof(struct ssh_config, python.requirements), .type = RT_Y_STR,
     .help = "requirements.txt of this machine that is installed on the hosts", .example = "~/requirements.txt"},
    {0},
};

const struct rt_yfield ssh_fields[] = {
    {.key = "head", .off = offsetof(struct ssh_config, head), .type = RT_Y_STR, .wanted = true, .alias = {"resource"},
     .help = "[user@]host of the head, or a Host of ~/.ssh/config", .example = "me@lab1"},
    {.key = "workers", .off = offsetof(struct ssh_config, workers), .type = RT_Y_STRS,
     .help = "hosts of the one pool `workers` (or say `pools`)", .example = "[lab2, lab3]"},
    {.key = "pools", .off = offsetof(struct ssh_config, pools), .type = RT_Y_NODE,
     .help = "pools of worker hosts: hosts, cpus, gpus, memory_gb, resources, nodes (that `up` starts), min, max",
     .example = "{cpu: {hosts: [lab2, lab3], cpus: 16}}"},
    /* Offsets of python_fields are those of the whole struct. */
    {.key = "python", .off = 0, .type = RT_Y_STRUCT, .sub = python_fields, .help = "the Python that runs Ray on the hosts"},
    {.key = "ray_version", .off = offsetof(struct ssh_config, ray_version), .type = RT_Y_STR,
     .help = "the same as `python: {ray: VERSION}`", .example = SSH_RAY_VERSION},
    {.key = "cpus", .alias = {"num_cpus_per_node", "cpus_per_node"}, .off = offsetof(struct ssh_config, cpus), .type = RT_Y_F64,
     .max = 100000, .help = "CPUs of each host (default: all that it has)", .example = "16"},
    {.key = "gpus", .alias = {"num_gpus_per_node", "gpus_per_node"}, .off = offsetof(struct ssh_config, gpus), .type = RT_Y_F64,
     .max = 100000, .help = "GPUs of each host", .example = "1"},
    {.key = "memory_gb", .alias = {"ray_memory_gb"}, .off = offsetof(struct ssh_config, memory_gb), .type = RT_Y_F64,
     .max = 1000000, .help = "memory of each host in GiB", .example = "64"},
    {.key = "resources", .off = offsetof(struct ssh_config, resources), .type = RT_Y_KVS, .help = "other resources of the head",
     .example = "{tpu: 1}"},
    {.key = "object_store_memory", .off = offsetof(struct ssh_config, object_store_bytes), .type = RT_Y_SIZE,
     .help = "object store of each node (default: Ray's own choice)", .example = "2GiB"},
    {.key = "temp_dir", .off = offsetof(struct ssh_config, temp_dir), .type = RT_Y_STR,
     .help = "where Ray's temporary directory is made (default /tmp; short: paths of sockets end at 107 bytes)",
     .example = "/scratch/me"},
    {.key = "dashboard_port", .off = offsetof(struct ssh_config, dashboard_port), .type = RT_Y_I64, .max = 65535,
     .help = "first port tried for the dashboard", .example = "8265"},
    {.key = "client_port", .off = offsetof(struct ssh_config, client_port), .type = RT_Y_I64, .max = 65535,
     .help = "first port tried for Ray clients", .example = "10001"},
    {.key = "gcs_port", .off = offsetof(struct ssh_config, gcs_port), .type = RT_Y_I64, .max = 65535,
     .help = "first port tried for the GCS", .example = "6379"},
    {.key = "dashboard_host", .off = offsetof(struct ssh_config, dashboard_host), .type = RT_Y_ENUM, .names = dashboard_hosts,
     .help = "where the dashboard listens: loopback (reached through SSH), or node (anyone who reaches the host may use it)",
     .example = "loopback"},
    {0},
};

static const struct rt_yfield pool_fields[] = {
    {.key = "hosts", .off = offsetof(struct ssh_pool, hosts), .type = RT_Y_STRS},
    {.key = "cpus", .alias = {"num_cpus_per_node", "cpus_per_node"}, .off = offsetof(struct ssh_pool, cpus), .type = RT_Y_F64,
     .max = 100000},
    {.key = "gpus", .alias = {"num_gpus_per_node", "gpus_per_node"}, .off = offsetof(struct ssh_pool, gpus), .type = RT_Y_F64,
     .max = 100000},
    {.key = "memory_gb", .alias = {"ray_memory_gb"}, .off = offsetof(struct ssh_pool, memory_gb), .type = RT_Y_F64, .max = 1000000},
    {.key = "resources", .off = offsetof(struct ssh_pool, resources), .type = RT_Y_KVS},
    {.key = "nodes", .off = offsetof(struct ssh_pool, nodes), .type = RT_Y_I64, .max = 10000},
    {.key = "min", .off = offsetof(struct ssh_pool, min), .type = RT_Y_I64, .max = 10000},
    {.key = "max", .off = offsetof(struct ssh_pool, max), .type = RT_Y_I64, .max = 10000},
    {0},
};

/* A word that can stand for a host in an ssh command line. */
static bool host_ok(const char *s) {
    return s && *s && *s != '-' &&
           !s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-:@%[]")];
}

static bool path_ok(const char *s) {
    for (; s && *s; s++)
        if ((unsigned char)*s < ' ' || *s == 127)
            return false;
    return true;
}

char *ssh_host_target(const struct ssh_config *own, const char *host) {
    const char *at = own->head ? strchr(own->head, '@') : NULL;
    if (!at || strchr(host, '@'))
        return rt_strdup(host);
    return rt_strf("%.*s@%s", (int)(at - own->head), own->head, host);
}

static struct ssh_pool *push(struct ssh_pools *l, const struct ssh_config *own, const char *name) {
    l->v = rt_realloc(l->v, (l->n + 1) * sizeof(*l->v));
    struct ssh_pool *p = &l->v[l->n++];
    *p = (struct ssh_pool){.name = rt_strdup(name), .nodes = -1, .max = -1,
                           .cpus = own->cpus, .gpus = own->gpus, .memory_gb = own->memory_gb};
    return p;
}

/* Takes text. */
static bool bad(const struct rt_ynode *at, rt_yproblem_fn *problem, void *ctx, char *text) {
    struct rt_error err = {0};
    rt_ynode_error(at, &err, "%s", text);
    problem(ctx, &err);
    free(text);
    return false;
}

static bool pool_check(struct ssh_pool *p, const struct rt_ynode *at, rt_yproblem_fn *problem, void *ctx) {
    const int64_t hosts = (int64_t)p->hosts.n;
    if (!hosts)
        return bad(at, problem, ctx, rt_strf("pool %s: its hosts are wanted: {hosts: [lab2, lab3]}", p->name));
    for (size_t i = 0; i < p->hosts.n; i++)
        if (!host_ok(p->hosts.v[i]))
            return bad(at, problem, ctx, rt_strf("pools: %s is no name of a host", p->hosts.v[i]));
    if (p->max < 0 || p->max > hosts)
        p->max = hosts;
    if (p->nodes < 0)
        p->nodes = p->max;
    p->nodes = RT_MAX(p->nodes, p->min);
    if (p->min > p->max || p->nodes > p->max)
        return bad(at, problem, ctx, rt_strf("pool %s: min and nodes must not be above max or the number of hosts", p->name));
    return true;
}

bool ssh_pools_read(const struct rt_cluster_conf *conf, struct ssh_pools *out, rt_yproblem_fn *problem, void *ctx) {
    const struct ssh_config *own = conf->own;
    const struct rt_ynode *map = own->pools;
    struct rt_error err = {0};
    bool ok = true;
    *out = (struct ssh_pools){0};
    if (own->workers.n) {
        struct ssh_pool *p = push(out, own, "workers");
        rt_strs_copy(&p->hosts, &own->workers);
        ok = pool_check(p, conf->node, problem, ctx);
    }
    if (!map)
        return ok;
    if (map->kind != RT_Y_MAP)
        return bad(map, problem, ctx, rt_strdup("pools: a map of names is wanted: {cpu: {hosts: [lab2]}}"));
    for (size_t i = 0; i < map->n; i++) {
        const char *name = map->keys[i]->text;
        if (!rt_cluster_name_ok(name, NULL, &err) || rt_streq(name, "head") || ssh_pool_named(out, name)) {
            ok = bad(map->keys[i], problem, ctx, rt_strf("pools: %s is no possible name (a-z, 0-9 and -, not head, none twice)", name));
            continue;
        }
        struct ssh_pool *p = push(out, own, name);
        ok = rt_yaml_read(map->items[i], pool_fields, NULL, p, problem, ctx) && pool_check(p, map->items[i], problem, ctx) && ok;
    }
    return ok;
}

void ssh_pools_deinit(struct ssh_pools *l) {
    for (size_t i = 0; i < l->n; i++) {
        free(l->v[i].name);
        rt_strs_deinit(&l->v[i].hosts);
        rt_strs_deinit(&l->v[i].resources);
    }
    free(l->v);
    *l = (struct ssh_pools){0};
}

const struct ssh_pool *ssh_pool_named(const struct ssh_pools *l, const char *name) {
    for (size_t i = 0; i < l->n; i++)
        if (rt_streq(l->v[i].name, name))
            return &l->v[i];
    return NULL;
}

bool ssh_conf_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx) {
    const struct ssh_config *own = conf->own;
    const char *const paths[] = {own->python.venv, own->python.conda, own->python.ray, own->ray_version, own->temp_dir};
    static const char *const names[] = {"python.venv", "python.conda", "python.ray", "ray_version", "temp_dir"};
    struct ssh_pools pools;
    bool ok = ssh_pools_read(conf, &pools, problem, ctx);
    ssh_pools_deinit(&pools);
    if (!own->head)
        ok = bad(conf->node, problem, ctx, rt_strdup("the host of the head is wanted: `head: [user@]host`"));
    else if (!host_ok(own->head))
        ok = bad(conf->node, problem, ctx, rt_strf("head: %s is no name of a host", own->head));
    for (size_t i = 0; i < RT_COUNT(paths); i++)
        if (!path_ok(paths[i]))
            ok = bad(conf->node, problem, ctx, rt_strf("%s: control characters cannot stand there", names[i]));
    return ok;
}
