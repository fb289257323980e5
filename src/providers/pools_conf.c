/* Pools as they are configured. */
#include "base/vec.h"
#include "providers/pools.h"
#include <stdlib.h>
#include <string.h>

#define P(member) .off = offsetof(struct pool_conf, member)

static const struct rt_yfield fields_with_hosts[] = {
    {.key = "hosts", P(hosts), .type = RT_Y_STRS},
    {.key = "cpus", .alias = {"num_cpus_per_node", "cpus_per_node"}, P(size.cpus), .type = RT_Y_F64, .max = 100000},
    {.key = "gpus", .alias = {"num_gpus_per_node", "gpus_per_node"}, P(size.gpus), .type = RT_Y_F64, .max = 100000},
    {.key = "memory_gb", .alias = {"ray_memory_gb"}, P(size.memory_gb), .type = RT_Y_F64, .max = 1000000},
    {.key = "resources", P(size.resources), .type = RT_Y_KVS},
    {.key = "labels", P(size.labels), .type = RT_Y_KVS},
    {.key = "accelerator_type", P(size.accelerator_type), .type = RT_Y_STR},
    {.key = "nodes", P(nodes), .type = RT_Y_I64, .max = 10000},
    {.key = "min", P(min), .type = RT_Y_I64, .max = 10000},
    {.key = "max", P(max), .type = RT_Y_I64, .max = 10000},
    {.key = "price_per_hour", P(price_per_hour), .type = RT_Y_F64, .max = 1000000},
    {0},
};

/* {"NAME": amount} from "NAME=AMOUNT"; gives it. */
static json_t *resources_json(const struct node_size *s) {
    json_t *all = json_object();
    for (size_t i = 0; i < s->resources.n; i++) {
        const char *text = s->resources.v[i], *eq = strrchr(text, '=');
        double v = 1;
        if (!eq)
            continue;
        rt_parse_f64(eq + 1, &v);
        char *name = rt_strndup(text, (size_t)(eq - text));
        json_object_set_new(all, name, json_real(v));
        free(name);
    }
    if (s->accelerator_type) { /* what Ray itself adds for a type that it knows */
        char *name = rt_strf("accelerator_type:%s", s->accelerator_type);
        json_object_set_new(all, name, json_real(1));
        free(name);
    }
    return all;
}

void node_size_args(const struct node_size *s, struct rt_strs *out) {
    char n[32];
    if (s->cpus > 0)
        rt_strs_addf(out, "--num-cpus=%s", rt_fmt_amount(n, sizeof n, s->cpus));
    if (s->gpus > 0)
        rt_strs_addf(out, "--num-gpus=%s", rt_fmt_amount(n, sizeof n, s->gpus));
    if (s->memory_gb > 0)
        rt_strs_addf(out, "--memory=%lld", (long long)(s->memory_gb * 1024 * 1024 * 1024));
    json_t *all = resources_json(s);
    char *text = json_object_size(all) ? json_dumps(all, JSON_COMPACT) : NULL;
    if (text)
        rt_strs_addf(out, "--resources=%s", text);
    free(text);
    json_decref(all);
    if (!s->labels.n)
        return;
    struct rt_buf b;
    rt_buf_init(&b, RT_MIB);
    for (size_t i = 0; i < s->labels.n; i++)
        rt_buf_addf(&b, "%s%s", i ? "," : "--labels=", s->labels.v[i]);
    rt_strs_add(out, rt_buf_str(&b));
    rt_buf_deinit(&b);
}

bool conf_text_ok(const char *s) {
    for (; s && *s; s++)
        if ((unsigned char)*s < ' ' || *s == 127)
            return false;
    return true;
}

void conf_ignore_problem(void *ctx, const struct rt_error *err) {
    (void)ctx;
    (void)err;
}

bool pools_problem(const struct rt_ynode *at, rt_yproblem_fn *problem, void *ctx, char *text) {
    struct rt_error err = {0};
    rt_ynode_error(at, &err, "%s", text);
    problem(ctx, &err);
    free(text);
    return false;
}

struct pool_conf *pools_push(struct pool_confs *l, const struct pool_rules *rules, const char *name) {
    const struct pool_conf *d = &rules->defaults;
    l->v = rt_realloc(l->v, (l->n + 1) * sizeof(*l->v));
    l->own = rules->own;
    struct pool_conf *p = &l->v[l->n++];
    *p = (struct pool_conf){.name = rt_strdup(name), .nodes = d->nodes, .min = d->min, .max = d->max, .price_per_hour = d->price_per_hour,
                            .size = {.cpus = d->size.cpus, .gpus = d->size.gpus, .memory_gb = d->size.memory_gb}};
    if (rules->own_size) {
        p->own = rt_alloc(rules->own_size);
        if (rules->own_defaults)
            memcpy(p->own, rules->own_defaults, rules->own_size);
    }
    return p;
}

static bool read_fields(struct pool_conf *p, const struct rt_ynode *at, const struct pool_rules *rules, rt_yproblem_fn *problem, void *ctx) {
    const struct rt_yfield *fields = rules->hosts ? fields_with_hosts : fields_with_hosts + 1;
    bool ok = rt_yaml_read(at, fields, rules->own, p, problem, ctx);
    if (ok && rules->own)
        ok = rt_yaml_read(at, rules->own, fields, p->own, problem, ctx);
    return ok;
}

/* One string of labels for `ray start` can hold no comma. */
static bool labels_check(const struct pool_conf *p, const struct rt_ynode *at, rt_yproblem_fn *problem, void *ctx) {
    for (size_t i = 0; i < p->size.labels.n; i++) {
        const char *text = p->size.labels.v[i], *eq = strchr(text, '=');
        if (!eq || strchr(eq + 1, '=') || strpbrk(text, ", \"\n"))
            return pools_problem(at, problem, ctx, rt_strf("pool %s: labels: \"%s\" is no label of Ray", p->name, text));
    }
    return true;
}

bool pools_read(const struct rt_ynode *map, const struct pool_rules *rules, struct pool_confs *out, rt_yproblem_fn *problem, void *ctx) {
    struct rt_error err = {0};
    bool ok = true;
    if (!map)
        return true;
    if (map->kind != RT_Y_MAP)
        return pools_problem(map, problem, ctx, rt_strf("pools: a map of names is wanted: %s", rules->example));
    for (size_t i = 0; i < map->n; i++) {
        const char *name = map->keys[i]->text;
        const struct rt_ynode *at = map->items[i];
        if (!rt_cluster_name_ok(name, NULL, &err) || rt_streq(name, "head") || pool_named(out, name)) {
            ok = pools_problem(map->keys[i], problem, ctx,
                               rt_strf("pools: %s is no possible name (a-z, 0-9 and -, not head, none twice)", name));
            continue;
        }
        struct pool_conf *p = pools_push(out, rules, name);
        const bool read = read_fields(p, at, rules, problem, ctx) && labels_check(p, at, problem, ctx);
        ok = read && (!rules->check || rules->check(p, at, problem, ctx)) && ok;
    }
    return ok;
}

void pools_deinit(struct pool_confs *l) {
    for (size_t i = 0; i < l->n; i++) {
        struct pool_conf *p = &l->v[i];
        rt_yaml_free(fields_with_hosts, p);
        if (l->own)
            rt_yaml_free(l->own, p->own);
        free(p->own);
        free(p->name);
    }
    free(l->v);
    *l = (struct pool_confs){0};
}

struct pool_conf *pool_named(const struct pool_confs *l, const char *name) {
    for (size_t i = 0; i < l->n; i++)
        if (rt_streq(l->v[i].name, name))
            return &l->v[i];
    return NULL;
}
