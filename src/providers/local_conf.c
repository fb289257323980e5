/* The configuration of `local`. */
#include "base/vec.h"
#include "providers/local.h"

static const struct rt_yfield python_fields[] = {
    {.key = "venv", .off = offsetof(struct local_config, python.venv), .type = RT_Y_STR,
     .help = "virtual environment that has Ray, or where it is made", .example = "~/ray"},
    {.key = "ray", .off = offsetof(struct local_config, python.ray), .type = RT_Y_STR,
     .help = "version of Ray to install", .example = LOCAL_RAY_VERSION},
    {.key = "requirements", .off = offsetof(struct local_config, python.requirements), .type = RT_Y_STR,
     .help = "requirements.txt that is installed beside it", .example = "~/requirements.txt"},
    {0},
};

const struct rt_yfield local_fields[] = {
    /* Offsets of python_fields are those of the whole struct. */
    {.key = "python", .off = 0, .type = RT_Y_STRUCT, .sub = python_fields, .help = "the Python that runs Ray"},
    {.key = "ray_command", .off = offsetof(struct local_config, ray_command), .type = RT_Y_STR,
     .help = "a `ray` that is there already", .example = "/opt/ray/bin/ray"},
    {.key = "cpus", .alias = {"num_cpus_per_node", "cpus_per_node"}, .off = offsetof(struct local_config, cpus), .type = RT_Y_F64,
     .max = 100000, .help = "CPUs of the head (default: all of the machine)", .example = "4"},
    {.key = "gpus", .alias = {"num_gpus_per_node", "gpus_per_node"}, .off = offsetof(struct local_config, gpus), .type = RT_Y_F64,
     .max = 100000, .help = "GPUs of the head", .example = "1"},
    {.key = "memory_gb", .alias = {"ray_memory_gb"}, .off = offsetof(struct local_config, memory_gb), .type = RT_Y_F64,
     .max = 1000000, .help = "memory of the head in GiB", .example = "8"},
    {.key = "resources", .off = offsetof(struct local_config, resources), .type = RT_Y_KVS, .help = "other resources of the head",
     .example = "{tpu: 1}"},
    {.key = "object_store_memory", .off = offsetof(struct local_config, object_store_bytes), .type = RT_Y_SIZE,
     .help = "object store of each node (default 512MiB)", .example = "2GiB"},
    {.key = "pools", .off = offsetof(struct local_config, pools), .type = RT_Y_NODE, .help = "worker pools on this machine",
     .example = "{workers: {cpus: 1, nodes: 1, max: 8}}"},
    {.key = "temp_dir", .off = offsetof(struct local_config, temp_dir), .type = RT_Y_STR,
     .help = "Ray's temporary directory (short: paths of sockets end at 107 bytes)", .example = "/tmp/my-ray"},
    {.key = "dashboard_port", .off = offsetof(struct local_config, dashboard_port), .type = RT_Y_I64, .min = 1, .max = 65535,
     .help = "first port tried for the dashboard", .example = "8265"},
    {.key = "client_port", .off = offsetof(struct local_config, client_port), .type = RT_Y_I64, .min = 1, .max = 65535,
     .help = "first port tried for Ray clients", .example = "10001"},
    {.key = "gcs_port", .off = offsetof(struct local_config, gcs_port), .type = RT_Y_I64, .min = 1, .max = 65535,
     .help = "first port tried for the GCS", .example = "6379"},
    {0},
};

static const struct rt_yfield pool_fields[] = {
    {.key = "cpus", .alias = {"num_cpus_per_node", "cpus_per_node"}, .off = offsetof(struct local_pool, cpus), .type = RT_Y_F64,
     .max = 100000},
    {.key = "gpus", .alias = {"num_gpus_per_node", "gpus_per_node"}, .off = offsetof(struct local_pool, gpus), .type = RT_Y_F64,
     .max = 100000},
    {.key = "memory_gb", .alias = {"ray_memory_gb"}, .off = offsetof(struct local_pool, memory_gb), .type = RT_Y_F64, .max = 1000000},
    {.key = "resources", .off = offsetof(struct local_pool, resources), .type = RT_Y_KVS},
    {.key = "nodes", .off = offsetof(struct local_pool, nodes), .type = RT_Y_I64, .max = 64},
    {.key = "min", .off = offsetof(struct local_pool, min), .type = RT_Y_I64, .max = 64},
    {.key = "max", .off = offsetof(struct local_pool, max), .type = RT_Y_I64, .max = 64},
    {0},
};

static struct local_pool *push(struct local_pools *l, const char *name) {
    l->v = rt_realloc(l->v, (l->n + 1) * sizeof(*l->v));
    struct local_pool *p = &l->v[l->n++];
    *p = (struct local_pool){.name = rt_strdup(name), .cpus = 1, .nodes = 1, .max = 16};
    return p;
}

bool local_pools_read(const struct rt_cluster_conf *conf, struct local_pools *out, rt_yproblem_fn *problem, void *ctx) {
    const struct local_config *own = conf->own;
    const struct rt_ynode *map = own ? own->pools : NULL;
    struct rt_error err = {0};
    bool ok = true;
    *out = (struct local_pools){0};
    if (!map) {
        push(out, "workers");
        return true;
    }
    if (map->kind != RT_Y_MAP) {
        rt_ynode_error(map, &err, "pools: a map of names is wanted: {workers: {cpus: 1}}");
        problem(ctx, &err);
        return false;
    }
    for (size_t i = 0; i < map->n; i++) {
        const char *name = map->keys[i]->text;
        if (!rt_cluster_name_ok(name, NULL, &err) || rt_streq(name, "head")) {
            rt_ynode_error(map->keys[i], &err, "pools: %s is no possible name (a-z, 0-9 and -, and not head)", name);
            problem(ctx, &err);
            ok = false;
            continue;
        }
        struct local_pool *p = push(out, name);
        ok = rt_yaml_read(map->items[i], pool_fields, NULL, p, problem, ctx) && ok;
        if (!p->max)
            p->max = 16;
        if (p->min > p->max || p->nodes > p->max) {
            rt_ynode_error(map->items[i], &err, "pool %s: min and nodes must not be above max (%lld)", name, (long long)p->max);
            problem(ctx, &err);
            ok = false;
        }
    }
    return ok;
}

void local_pools_deinit(struct local_pools *l) {
    for (size_t i = 0; i < l->n; i++) {
        free(l->v[i].name);
        rt_strs_deinit(&l->v[i].resources);
    }
    free(l->v);
    *l = (struct local_pools){0};
}
