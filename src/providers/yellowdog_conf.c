/* The configuration of `yellowdog`: RayDog's own parameter names are understood everywhere. */
#include "base/fs.h"
#include "base/vec.h"
#include "providers/pools.h"
#include "providers/yellowdog_impl.h"
#include <stdlib.h>
#include <string.h>

enum { MOST_NODES = 10000, MOST_TEXT = 256 * 1024 };

#define C(member) .off = offsetof(struct yd_config, member)
#define K(member) .off = offsetof(struct yd_kind, member)
#define P(member) .off = offsetof(struct yd_pool_conf, member)

static const char *const addresses[] = {"auto", "public", "private", NULL};

/* A duration, or "never". */
static bool parse_idle(const struct rt_ynode *n, void *member, struct rt_error *err) {
    int64_t *ms = member;
    if (n->kind != RT_Y_SCALAR)
        return rt_ynode_error(n, err, "a duration is expected, or never");
    if (rt_streq(n->text, "never") || rt_streq(n->text, "off") || rt_streq(n->text, "false")) {
        *ms = -1;
        return true;
    }
    if (!rt_parse_duration(n->text, ms, err))
        return false;
    return *ms >= 1000 || rt_ynode_error(n, err, "a second at least is expected, or never");
}

/* clang-format off */
static const struct rt_yfield head_fields[] = {
    {.key = "template", .alias = {"compute_requirement_template_id", "head_node_compute_requirement_template_id", "template_id"}, K(template_id),
     .type = RT_Y_STR, .wanted = true, .help = "compute requirement template: its id, or NAMESPACE/NAME", .example = "me/ray-head"},
    {.key = "images", .alias = {"images_id", "head_node_images_id"}, K(images), .type = RT_Y_STR,
     .help = "image of its machine (default: the template's)", .example = "ami-0123456789abcdef0"},
    {.key = "userdata", .alias = {"head_node_userdata"}, K(userdata), .type = RT_Y_STR,
     .help = "what the machine runs at its first start: text, or a file", .example = "userdata.sh"},
    {.key = "instance_tags", .alias = {"head_node_instance_tags"}, K(instance_tags), .type = RT_Y_KVS,
     .help = "tags of the machine at its provider", .example = "{owner: me}"},
    {.key = "metrics_enabled", .alias = {"metrics", "head_node_metrics_enabled"}, K(metrics), .type = RT_Y_BOOL,
     .help = "the platform collects metrics of the machine", .example = "true"},
    {.key = "start_script", .alias = {"script", "ray_start_script", "head_node_ray_start_script"}, K(script), .type = RT_Y_STR,
     .help = "Bash script that starts Ray: text, or a file (default: one of raytui's)", .example = "head.sh"},
    {0},
};
static const struct rt_yfield observability_fields[] = {
    {.key = "template", .alias = {"compute_requirement_template_id", "observability_node_compute_requirement_template_id", "template_id"},
     K(template_id), .type = RT_Y_STR, .help = "compute requirement template: its id, or NAMESPACE/NAME", .example = "me/observability"},
    {.key = "images", .alias = {"images_id", "observability_node_images_id"}, K(images), .type = RT_Y_STR, .help = "image of its machine"},
    {.key = "userdata", .alias = {"observability_node_userdata"}, K(userdata), .type = RT_Y_STR,
     .help = "what the machine runs at its first start: text, or a file"},
    {.key = "instance_tags", .alias = {"observability_node_instance_tags"}, K(instance_tags), .type = RT_Y_KVS,
     .help = "tags of the machine at its provider"},
    {.key = "metrics_enabled", .alias = {"metrics", "observability_node_metrics_enabled"}, K(metrics), .type = RT_Y_BOOL,
     .help = "the platform collects metrics of the machine"},
    {.key = "start_script", .alias = {"script", "observability_node_start_script"}, K(script), .type = RT_Y_STR,
     .help = "Bash script that starts Prometheus and Grafana: text, or a file (default: one of raytui's)", .example = "observability.sh"},
    {0},
};
static const struct rt_yfield kind_fields[] = {
    {.key = "template", .alias = {"compute_requirement_template_id", "worker_node_compute_requirement_template_id", "template_id"},
     K(template_id), .type = RT_Y_STR},
    {.key = "images", .alias = {"images_id", "worker_node_images_id"}, K(images), .type = RT_Y_STR},
    {.key = "userdata", .alias = {"worker_node_userdata"}, K(userdata), .type = RT_Y_STR},
    {.key = "instance_tags", .alias = {"worker_node_instance_tags"}, K(instance_tags), .type = RT_Y_KVS},
    {.key = "metrics_enabled", .alias = {"metrics", "worker_node_metrics_enabled"}, K(metrics), .type = RT_Y_BOOL},
    {.key = "task_script", .alias = {"script", "start_script", "worker_node_task_script"}, K(script), .type = RT_Y_STR},
    {0},
};
static const struct rt_yfield pool_fields[] = {
    {.key = "count", .alias = {"nodes", "node_count", "worker_pool_node_count"}, P(count), .type = RT_Y_I64, .max = MOST_NODES},
    {.key = "max", .alias = {"max_nodes"}, P(max), .type = RT_Y_I64, .max = MOST_NODES},
    {.key = "name", .alias = {"worker_pool_internal_name"}, P(name), .type = RT_Y_STR},
    {.key = "idle_node_shutdown", P(idle_node_ms), .type = RT_Y_CUSTOM, .parse = parse_idle},
    {.key = "idle_pool_shutdown", P(idle_pool_ms), .type = RT_Y_CUSTOM, .parse = parse_idle},
    {.key = "price_per_hour", P(price_per_hour), .type = RT_Y_F64, .max = 1000000},
    {0},
};
static const struct rt_yfield ssh_fields[] = {
    {.key = "user", .alias = {"ssh_user"}, C(ssh_user), .type = RT_Y_STR, .help = "user of the nodes (default: yd-agent)", .example = "yd-agent"},
    {.key = "key", .alias = {"private_key_file", "private_key"}, C(ssh_key), .type = RT_Y_STR, .wanted = true,
     .help = "private key file (default: as ssh finds one)", .example = "~/.ssh/yd"},
    {.key = "jump", C(ssh_jump), .type = RT_Y_STR,
     .help = "[user@]host in front, for a head without a public address", .example = "me@bastion"},
    {.key = "address", C(ssh_address), .type = RT_Y_ENUM, .names = addresses,
     .help = "which address of the head: public, private, or what there is (auto)", .example = "auto"},
    {0},
};

/* Under RayDog's names, without blocks. */
#define FLAT(block, name, member, kind) {.key = block "_node_" name, C(member), .type = kind}
const struct rt_yfield yd_fields[] = {
    {.key = "api_url", .alias = {"yd_platform_api_url"}, C(api_url), .type = RT_Y_STR,
     .help = "the platform (default: YD_API_URL, else https://api.yellowdog.ai)", .example = "https://api.yellowdog.ai"},
    {.key = "key_id", .alias = {"yd_application_key_id"}, C(key_id), .type = RT_Y_STR,
     .help = "id of an application's key (default: YD_API_KEY_ID)"},
    {.key = "key_secret", .alias = {"yd_application_key_secret"}, C(secret.value), .type = RT_Y_STR, .secret = true,
     .help = "its secret in clear; better one of the next three (default: YD_API_KEY_SECRET)"},
    {.key = "key_secret_file", C(secret.file), .type = RT_Y_STR, .help = "file with the secret", .example = "~/.yellowdog/secret"},
    {.key = "key_secret_env", C(secret.env), .type = RT_Y_STR, .help = "environment variable with the secret"},
    {.key = "key_secret_command", C(secret.command), .type = RT_Y_STR, .help = "command that prints the secret", .example = "pass show yellowdog"},
    {.key = "namespace", .alias = {"cluster_namespace"}, C(space), .type = RT_Y_STR, .wanted = true,
     .help = "namespace of everything that is made", .example = "me"},
    {.key = "name", .alias = {"cluster_name"}, C(name), .type = RT_Y_STR,
     .help = "name of the cluster there (default: this cluster's name)", .example = "demo"},
    {.key = "tag", .alias = {"cluster_tag"}, C(tag), .type = RT_Y_STR, .help = "tag of everything that is made", .example = "team"},
    {.key = "head", .type = RT_Y_STRUCT, .off = offsetof(struct yd_config, head), .sub = head_fields, .help = "the head"},
    {.key = "pools", .alias = {"worker_pools"}, .form = true, C(pools), .type = RT_Y_NODE, .wanted = true,
     .help = "pools of workers: template, count, max, images, userdata, instance_tags, metrics_enabled, task_script, idle_node_shutdown, "
             "idle_pool_shutdown",
     .example = "{cpu: {template: me/ray-worker, count: 2, max: 8}}"},
    {.key = "observability", .type = RT_Y_STRUCT, .off = offsetof(struct yd_config, observability), .sub = observability_fields,
     .help = "a node of its own for Prometheus and Grafana, when a template is given"},
    {.key = "ssh", .type = RT_Y_STRUCT, .off = 0, .sub = ssh_fields, .help = "how the head is logged in to"},
    {.key = "dashboard_port", C(dashboard_port), .type = RT_Y_I64, .min = 1, .max = 65535, .help = "port of Ray's dashboard on the head",
     .example = "8265"},
    {.key = "client_port", C(client_port), .type = RT_Y_I64, .min = 1, .max = 65535, .help = "port of Ray's client server on the head",
     .example = "10001"},
    {.key = "idle_node_shutdown", C(idle_node_ms), .type = RT_Y_CUSTOM, .parse = parse_idle,
     .help = "a node on which nothing runs ends after so long; never", .example = "3m"},
    {.key = "idle_pool_shutdown", C(idle_pool_ms), .type = RT_Y_CUSTOM, .parse = parse_idle,
     .help = "a pool on which nothing runs ends after so long; never", .example = "3m"},
    {.key = "node_boot_timeout", C(boot_ms), .type = RT_Y_DURATION, .help = "how long a machine may take until it is a node", .example = "10m"},
    {.key = "state_file", C(state_file), .type = RT_Y_STR, .help = "RayDog's saved state: read, and written at up", .example = "~/demo.json"},
    {.key = "enable_observability", C(observe), .type = RT_Y_BOOL, .help = "observability must have a template", .example = "true"},
    FLAT("head", "compute_requirement_template_id", head.template_id, RT_Y_STR),
    FLAT("head", "images_id", head.images, RT_Y_STR),
    FLAT("head", "userdata", head.userdata, RT_Y_STR),
    FLAT("head", "instance_tags", head.instance_tags, RT_Y_KVS),
    FLAT("head", "metrics_enabled", head.metrics, RT_Y_BOOL),
    FLAT("head", "ray_start_script", head.script, RT_Y_STR),
    FLAT("observability", "compute_requirement_template_id", observability.template_id, RT_Y_STR),
    FLAT("observability", "images_id", observability.images, RT_Y_STR),
    FLAT("observability", "userdata", observability.userdata, RT_Y_STR),
    FLAT("observability", "instance_tags", observability.instance_tags, RT_Y_KVS),
    FLAT("observability", "metrics_enabled", observability.metrics, RT_Y_BOOL),
    FLAT("observability", "start_script", observability.script, RT_Y_STR),
    {0},
};
/* clang-format on */

const char *yd_conf_name(const struct rt_cluster_conf *conf) {
    const struct yd_config *own = conf->own;
    return own->name ? own->name : conf->name;
}

bool yd_conf_observed(const struct yd_config *own) {
    return own->observability.template_id != NULL;
}

/* ---- texts ---- */

/* A file beside the configuration that names it. */
static char *file_of(const struct rt_cluster_conf *conf, const char *value) {
    const char *const beside[] = {conf->source_file, conf->file};
    char *path = rt_path_expand(value);
    for (size_t i = 0; *path != '/' && i < RT_COUNT(beside); i++) {
        const char *slash = beside[i] ? strrchr(beside[i], '/') : NULL;
        char *there = slash ? rt_strf("%.*s/%s", (int)(slash - beside[i]), beside[i], path) : NULL;
        if (there && rt_file_exists(there)) {
            free(path);
            return there;
        }
        free(there);
    }
    return path;
}

static bool is_text(const char *value) {
    return strchr(value, '\n') || rt_starts(value, "#!");
}

char *yd_conf_text(const struct rt_cluster_conf *conf, const char *value, const char *absent, const char *what, struct rt_error *err) {
    if (!value)
        return rt_strdup(absent);
    if (is_text(value))
        return rt_strdup(value);
    struct rt_buf text;
    char *path = file_of(conf, value);
    rt_buf_init(&text, MOST_TEXT);
    bool ok = rt_file_read(path, MOST_TEXT, &text, err);
    if (ok && (!rt_utf8_valid(rt_buf_str(&text), text.len) || strlen(rt_buf_str(&text)) != text.len)) /* JSON could not carry it */
        ok = rt_error_set(err, RT_E_CONFIG, "%s is no text in UTF-8", path);
    if (!ok)
        rt_error_wrap(err, "%s", what);
    char *out = ok ? rt_buf_take(&text) : NULL;
    rt_buf_deinit(&text);
    free(path);
    return out;
}

/* ---- pools ---- */

struct report {
    const struct rt_cluster_conf *conf;
    rt_yproblem_fn *problem;
    void *ctx;
};

static bool bad(const struct report *r, const struct rt_ynode *at, char *text) {
    return pools_problem(at ? at : r->conf->node, r->problem, r->ctx, text);
}

static bool pool_complete(const struct report *r, struct yd_pool_conf *p) {
    if (p->max < 0)
        p->max = p->count;
    return p->count <= p->max || bad(r, p->at, rt_strf("pool %s: count %lld is above max %lld", p->name, (long long)p->count, (long long)p->max));
}

static void pool_defaults(const struct rt_cluster_conf *conf, struct yd_pool_conf *p) {
    const struct yd_config *own = conf->own;
    *p = (struct yd_pool_conf){.count = 1, .max = -1, .idle_node_ms = own->idle_node_ms, .idle_pool_ms = own->idle_pool_ms,
                               .price_per_hour = conf->price_per_hour};
}

static bool pool_fields_read(const struct report *r, struct yd_pool_conf *p) {
    const bool here = rt_yaml_read(p->at, pool_fields, kind_fields, p, r->problem, r->ctx);
    return here && rt_yaml_read(p->at, kind_fields, pool_fields, &p->kind, r->problem, r->ctx);
}

static bool name_free(const struct yd_pool_confs *l, const struct yd_pool_conf *p) {
    for (size_t i = 0; i < l->n; i++)
        if (&l->v[i] != p && rt_streq(l->v[i].name, p->name))
            return false;
    return !rt_streq(p->name, "head") && !rt_streq(p->name, "observability");
}

static bool pool_read(const struct report *r, struct yd_pool_confs *out, const char *name, const struct rt_ynode *at) {
    struct rt_error ignored = {0};
    struct yd_pool_conf *p = rt_vec_push(out);
    pool_defaults(r->conf, p);
    p->name = name ? rt_strdup(name) : rt_strf("pool-%zu", out->n);
    p->at = at;
    if (!pool_fields_read(r, p))
        return false;
    if (!rt_cluster_name_ok(p->name, NULL, &ignored) || !name_free(out, p))
        return bad(r, at, rt_strf("pools: %s is no possible name (a-z, 0-9 and -, not head or observability, none twice)", p->name));
    return pool_complete(r, p);
}

bool yd_conf_pools(const struct rt_cluster_conf *conf, struct yd_pool_confs *out, rt_yproblem_fn *problem, void *ctx) {
    const struct rt_ynode *l = ((const struct yd_config *)conf->own)->pools;
    const struct report r = {conf, problem, ctx};
    bool ok = true;
    *out = (struct yd_pool_confs){0};
    if (l && l->kind == RT_Y_SCALAR && !rt_streq(l->text, ""))
        return bad(&r, l, rt_strf("pools: a map of names is wanted: {cpu: {template: me/ray-worker, count: 2}}"));
    for (size_t i = 0; l && i < l->n; i++)
        ok = pool_read(&r, out, l->kind == RT_Y_MAP ? l->keys[i]->text : NULL, l->items[i]) && ok;
    return ok;
}

void yd_conf_pool_deinit(struct yd_pool_conf *p) {
    rt_yaml_free(kind_fields, &p->kind);
    free(p->name);
    *p = (struct yd_pool_conf){0};
}

void yd_conf_pools_deinit(struct yd_pool_confs *l) {
    for (size_t i = 0; i < l->n; i++)
        yd_conf_pool_deinit(&l->v[i]);
    rt_vec_deinit(l);
}

const struct yd_pool_conf *yd_conf_pool_named(const struct yd_pool_confs *l, const char *name) {
    for (size_t i = 0; i < l->n; i++)
        if (rt_streq(l->v[i].name, name))
            return &l->v[i];
    return NULL;
}

/* ---- a pool by words ---- */

static void first_problem(void *ctx, const struct rt_error *err) {
    struct rt_error *first = ctx;
    if (first->code)
        return;
    const char *text = strstr(err->message, ": "); /* without a place: there is no file */
    *first = *err;
    rt_error_set(first, RT_E_USAGE, "%s", text ? text + 2 : err->message);
}

static void like(struct yd_pool_conf *p, const struct yd_pool_conf *from) {
    p->kind = (struct yd_kind){.template_id = rt_strdup(from->kind.template_id), .images = rt_strdup(from->kind.images),
                               .userdata = rt_strdup(from->kind.userdata), .script = rt_strdup(from->kind.script), .metrics = from->kind.metrics};
    rt_strs_copy(&p->kind.instance_tags, &from->kind.instance_tags);
    p->idle_node_ms = from->idle_node_ms;
    p->idle_pool_ms = from->idle_pool_ms;
    p->price_per_hour = from->price_per_hour;
}

/* The words as YAML, "like" taken out. */
static bool words_yaml(const struct rt_strs *words, struct rt_buf *out, const char **of, struct rt_error *err) {
    for (size_t i = 0; i < words->n; i++) {
        const char *word = words->v[i], *equals = strchr(word, '=');
        if (!equals || equals == word) {
            rt_error_set(err, RT_E_USAGE, "\"%s\": KEY=VALUE is expected", word);
            return rt_error_hint(err, "as in template=me/ray-worker count=2");
        }
        if (rt_starts(word, "like=")) {
            *of = equals + 1;
            continue;
        }
        char *key = rt_strndup(word, (size_t)(equals - word));
        rt_yaml_word(out, key, false);
        rt_buf_adds(out, ": ");
        if (equals[1] == '{')
            rt_buf_adds(out, equals + 1);
        else
            rt_yaml_word(out, equals + 1, !equals[1] || !equals[1 + strspn(equals + 1, "0123456789")]);
        rt_buf_addc(out, '\n');
        free(key);
    }
    return true;
}

static bool pool_of_words(const struct rt_cluster_conf *conf, const struct yd_pool_confs *known, const struct rt_strs *words,
                          struct yd_pool_conf *p, struct rt_error *err) {
    struct rt_error first = {0};
    const struct report r = {conf, first_problem, &first};
    struct rt_ydoc doc = {0};
    struct rt_buf text;
    const char *of = NULL;
    rt_buf_init(&text, RT_MIB);
    bool ok = words_yaml(words, &text, &of, err);
    const struct yd_pool_conf *from = of ? yd_conf_pool_named(known, of) : NULL;
    if (ok && of && !from)
        ok = rt_error_set(err, RT_E_NOT_FOUND, "like=%s: there is no such pool in the configuration", of);
    if (ok && from)
        like(p, from);
    ok = ok && rt_yaml_parse("-", rt_buf_str(&text), text.len, &doc, err);
    p->at = doc.root;
    if (ok && !(pool_fields_read(&r, p) && pool_complete(&r, p))) {
        *err = first;
        ok = false;
    }
    p->at = NULL;
    rt_yaml_deinit(&doc);
    rt_buf_deinit(&text);
    return ok;
}

bool yd_conf_pool(const struct rt_cluster_conf *conf, const struct yd_pool_confs *known, const char *name, const struct rt_strs *words,
                  struct yd_pool_conf *out, struct rt_error *err) {
    pool_defaults(conf, out);
    out->name = rt_strdup(name);
    bool ok = pool_of_words(conf, known, words, out, err);
    if (ok && (!rt_cluster_name_ok(out->name, NULL, err) || rt_streq(out->name, "head") || rt_streq(out->name, "observability")))
        ok = rt_error_set(err, RT_E_USAGE, "%s is no possible name of a pool (a-z, 0-9 and -, not head or observability)", out->name);
    if (ok && !out->kind.template_id) {
        rt_error_set(err, RT_E_USAGE, "pool %s: its template is wanted", name);
        ok = rt_error_hint(err, "template=NAMESPACE/NAME, or like=POOL for that of another pool");
    }
    if (!ok)
        yd_conf_pool_deinit(out);
    return ok;
}

/* ---- check ---- */

static bool text_check(const struct report *r, const char *value, const char *what) {
    struct rt_error err = {0};
    char *text = yd_conf_text(r->conf, value, "", what, &err);
    free(text);
    return text || bad(r, NULL, rt_strdup(err.message));
}

static bool kind_check(const struct report *r, const struct yd_kind *k, const char *name) {
    char *userdata = rt_strf("%s: userdata", name), *script = rt_strf("%s: its script", name);
    const bool ok = text_check(r, k->userdata, userdata);
    const bool both = text_check(r, k->script, script) && ok;
    free(userdata);
    free(script);
    return both;
}

static bool name_check(const struct report *r, const char *key, const char *value) {
    struct rt_error err = {0};
    const struct rt_ynode *at = rt_ynode_get(r->conf->node, key);
    return !value || yd_name_ok(value, key, &err) || bad(r, at, rt_strdup(err.message));
}

bool yd_conf_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx) {
    const struct yd_config *own = conf->own;
    const struct report r = {conf, problem, ctx};
    struct yd_pool_confs pools;
    bool ok = yd_conf_pools(conf, &pools, problem, ctx);
    for (size_t i = 0; i < pools.n; i++) {
        ok = kind_check(&r, &pools.v[i].kind, pools.v[i].name) && ok;
        if (!pools.v[i].kind.template_id)
            ok = bad(&r, pools.v[i].at, rt_strf("pool %s: its template is wanted: {template: NAMESPACE/NAME}", pools.v[i].name));
    }
    yd_conf_pools_deinit(&pools);
    if (!own->space)
        ok = bad(&r, NULL, rt_strdup("the namespace is wanted: `namespace: me`"));
    ok = name_check(&r, "namespace", own->space) && ok;
    ok = name_check(&r, "name", yd_conf_name(conf)) && ok;
    ok = name_check(&r, "tag", own->tag) && ok;
    if (conf->idle_timeout_ms || conf->ephemeral)
        ok = bad(&r, NULL, rt_strdup("idle_timeout and ephemeral: nothing on the head of a YellowDog cluster may end it; `lifetime` limits the life of "
                                     "its tasks, idle_node_shutdown and idle_pool_shutdown end what runs none"));
    if (own->observe && !own->observability.template_id)
        ok = bad(&r, NULL, rt_strdup("enable_observability: the template of its node is wanted: `observability: {template: me/observability}`"));
    ok = kind_check(&r, &own->head, "head") && ok;
    return kind_check(&r, &own->observability, "observability") && ok;
}
