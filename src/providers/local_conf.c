/* The configuration of `local`. */
#include "providers/local.h"

static const struct rt_yfield python_fields[] = {
    {.key = "venv", .off = offsetof(struct local_config, python.venv), .type = RT_Y_STR,
     .help = "virtual environment that has Ray, or where it is made", .example = "~/ray"},
    {.key = "ray", .form = true, .off = offsetof(struct local_config, python.ray), .type = RT_Y_STR,
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
    NODE_SIZE_FIELDS(local_config, size, "the head"),
    {.key = "object_store_memory", .form = true, .off = offsetof(struct local_config, object_store_bytes), .type = RT_Y_SIZE,
     .help = "object store of each node (default 512MiB)", .example = "2GiB"},
    {.key = "pools", .form = true, .off = offsetof(struct local_config, pools), .type = RT_Y_NODE, .help = "worker pools on this machine",
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

static bool pool_check(struct pool_conf *p, const struct rt_ynode *at, rt_yproblem_fn *problem, void *ctx) {
    if (!p->max)
        p->max = 16;
    if (p->max > LOCAL_POOL_MAX)
        return pools_problem(at, problem, ctx, rt_strf("pool %s: max is at most %d", p->name, LOCAL_POOL_MAX));
    if (p->min > p->max || p->nodes > p->max)
        return pools_problem(at, problem, ctx, rt_strf("pool %s: min and nodes must not be above max (%lld)", p->name, (long long)p->max));
    return true;
}

bool local_pools_read(const struct rt_cluster_conf *conf, struct pool_confs *out, rt_yproblem_fn *problem, void *ctx) {
    const struct local_config *own = conf->own;
    const struct pool_rules rules = {
        .example = "{workers: {cpus: 1}}",
        .defaults = {.size = {.cpus = 1}, .nodes = 1, .max = 16},
        .check = pool_check,
    };
    *out = (struct pool_confs){0};
    if (own && own->pools)
        return pools_read(own->pools, &rules, out, problem, ctx);
    pools_push(out, &rules, "workers");
    return true;
}
