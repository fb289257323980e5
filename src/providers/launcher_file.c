/* Ray's YAML into what raytui needs of it, Ray's defaults applied. */
#include "providers/launcher_file.h"

#include "base/fs.h"
#include "base/mem.h"
#include "providers/launcher_yaml.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define FILE_MAX RT_MIB
enum { DASHBOARD = 8265, CLIENT = 10001, GCS = 6379 };

/* ---- what Ray's own files say (defaults.yaml of each provider, providers.py) ---- */

struct launcher_default_type {
    const char *name;
    int64_t min, max; /* max < 0: the cluster's */
};
struct launcher_default {
    const char *type;
    int64_t max_workers;
    const char *user; /* NULL: none */
    const char *head; /* head_node_type; NULL: the file has to say */
    struct launcher_default_type types[3];
};

#define TWO_TYPES(head_type, worker) .head = head_type, .types = {{head_type, 0, 0}, {worker, 0, -1}}

static const struct launcher_default defaults[] = {
    {.type = "aws", .max_workers = 2, .user = "ubuntu", TWO_TYPES("ray.head.default", "ray.worker.default")},
    {.type = "gcp", .max_workers = 2, .user = "ubuntu", TWO_TYPES("ray_head_default", "ray_worker_small")},
    {.type = "azure", .max_workers = 2, .user = "ubuntu", TWO_TYPES("ray.head.default", "ray.worker.default")},
    {.type = "local"},
    {.type = "external", TWO_TYPES("ray.head.default", "ray.worker.default")},
    {.type = "vsphere", .max_workers = 5, .user = "ray", .head = "ray.head.default",
     .types = {{"ray.head.default", 0, 0}, {"worker", 1, 3}, {"worker_2", 1, 2}}},
    {.type = "aliyun", .max_workers = 2, TWO_TYPES("ray.head.default", "ray.worker.default")},
    {.type = "spark", .max_workers = 8, .head = "ray.head.default", .types = {{"ray.head.default", 0, 0}, {"ray.worker", 0, 4}}},
    {.type = "readonly", .head = "ray.head.default", .types = {{"ray.head.default", 0, 0}}},
    {.type = "kuberay"},
    {.type = "fake_multinode", TWO_TYPES("ray.head.default", "ray.worker.default")},
    {.type = "fake_multinode_docker", TWO_TYPES("ray.head.default", "ray.worker.default")},
};

const char *const launcher_types[] = {"local",   "aws",    "gcp",   "azure",   "external",       "vsphere",
                                      "kuberay", "aliyun", "spark", "readonly", "fake_multinode", "fake_multinode_docker", NULL};

/* NULL: no such provider type. */
static const struct launcher_default *launcher_default(const char *type) {
    for (size_t i = 0; i < RT_COUNT(defaults); i++)
        if (rt_streq(defaults[i].type, type))
            return &defaults[i];
    return NULL;
}

/* ---- parts ---- */

static char *copy(const struct rt_ynode *map, const char *key) {
    return rt_strdup(launcher_text(map, key));
}

static char *absolute(const char *path) {
    char *expanded = rt_path_expand(path), here[4096];
    if (expanded[0] == '/' || !getcwd(here, sizeof here))
        return expanded;
    char *joined = rt_path_join(here, expanded);
    free(expanded);
    return joined;
}

char *launcher_path(const struct rt_launcher_file *f, const char *path) {
    char *expanded = rt_path_expand(path);
    const char *slash = strrchr(f->path, '/');
    if (expanded[0] == '/' || !slash)
        return expanded;
    char *full = rt_strf("%.*s/%s", (int)(slash - f->path), f->path, expanded);
    free(expanded);
    return full;
}

static bool may_be_secret(const char *key) {
    static const char *const words[] = {"secret", "password", "token", "credential", "key"};
    for (size_t i = 0; i < RT_COUNT(words); i++)
        if (rt_contains_i(key, words[i]))
            return true;
    return false;
}

static void read_provider(struct rt_launcher_file *f, const struct rt_ynode *p) {
    const char *type = launcher_text(p, "type"), *region = launcher_text(p, "region");
    f->type = rt_strdup(type ? type : "");
    for (size_t i = 0; p && p->kind == RT_Y_MAP && i < p->n; i++)
        if (p->items[i]->kind == RT_Y_SCALAR && launcher_kind(p->items[i]) != L_NULL && !may_be_secret(p->keys[i]->text))
            rt_strs_addf(&f->provider, "%s=%s", p->keys[i]->text, p->items[i]->text);
    f->module = copy(p, "module");
    f->region = rt_strdup(region ? region : launcher_text(p, "location"));
    f->zone = copy(p, "availability_zone");
    f->project = copy(p, "project_id");
    f->head_ip = copy(p, "head_ip");
    f->external_head_ip = copy(p, "external_head_ip");
    f->coordinator = copy(p, "coordinator_address");
    const struct rt_ynode *ips = rt_ynode_get(p, "worker_ips");
    for (size_t i = 0; ips && ips->kind == RT_Y_SEQ && i < ips->n; i++)
        if (ips->items[i]->kind == RT_Y_SCALAR)
            rt_strs_add(&f->worker_ips, ips->items[i]->text);
    f->internal_ips = launcher_true(rt_ynode_get(p, "use_internal_ips")) && !launcher_true(rt_ynode_get(p, "use_external_head_ip"));
}

static void read_auth(struct rt_launcher_file *f, const struct rt_ynode *auth, const struct launcher_default *d) {
    const char *user = launcher_text(auth, "ssh_user"), *key = launcher_text(auth, "ssh_private_key");
    f->auth.user = rt_strdup(user ? user : !auth && d && d->user ? d->user : "");
    f->auth.key = key && *key ? launcher_path(f, key) : NULL;
    f->auth.proxy_command = copy(auth, "ssh_proxy_command");
    f->auth.proxy_node_id = launcher_true(rt_ynode_get(auth, "ssh_proxy_use_node_id"));
}

static void read_docker(struct rt_launcher_docker *d, const struct rt_ynode *map) {
    d->image = copy(map, "image");
    d->head_image = copy(map, "head_image");
    d->worker_image = copy(map, "worker_image");
    d->container = copy(map, "container_name");
    d->podman = launcher_true(rt_ynode_get(map, "use_podman"));
    d->on = d->container && *d->container && ((d->image && *d->image) || (d->head_image && *d->head_image));
}

/* "--port=6379" or "--port 6379" in a shell line; 0. */
static int option_port(const char *line, const char *option) {
    const size_t n = strlen(option);
    for (const char *at = strstr(line, option); at; at = strstr(at + n, option)) {
        const char *value = at + n + 1;
        int port = 0;
        if ((at > line && at[-1] != ' ') || (at[n] != '=' && at[n] != ' '))
            continue;
        for (size_t i = 0; i < 5 && value[i] >= '0' && value[i] <= '9'; i++)
            port = port * 10 + (value[i] - '0');
        if (port > 0 && port < 65536)
            return port;
    }
    return 0;
}

static void read_ports(struct rt_launcher_file *f, const struct rt_ynode *commands) {
    f->dashboard_port = DASHBOARD;
    f->client_port = CLIENT;
    f->gcs_port = GCS;
    for (size_t i = 0; commands && commands->kind == RT_Y_SEQ && i < commands->n; i++) {
        const char *line = commands->items[i]->text;
        if (!line || !strstr(line, "ray start") || !strstr(line, "--head"))
            continue;
        const int dashboard = option_port(line, "--dashboard-port"), client = option_port(line, "--ray-client-server-port"),
                  gcs = option_port(line, "--port");
        f->dashboard_port = dashboard ? dashboard : f->dashboard_port;
        f->client_port = client ? client : f->client_port;
        f->gcs_port = gcs ? gcs : f->gcs_port;
    }
}

/* ---- node types ---- */

static struct rt_launcher_type *push_type(struct rt_launcher_file *f, const char *name) {
    f->types = rt_realloc(f->types, (f->ntypes + 1) * sizeof *f->types);
    struct rt_launcher_type *t = &f->types[f->ntypes++];
    *t = (struct rt_launcher_type){.name = rt_strdup(name), .idle_timeout_s = -1, .head = rt_streq(name, f->head_type)};
    return t;
}

static void read_values(struct rt_strs *out, const struct rt_ynode *map) {
    for (size_t i = 0; map && map->kind == RT_Y_MAP && i < map->n; i++)
        if (map->items[i]->kind == RT_Y_SCALAR)
            rt_strs_addf(out, "%s=%s", map->keys[i]->text, map->items[i]->text);
}

static void read_type(struct rt_launcher_file *f, const struct rt_ynode *key, const struct rt_ynode *n) {
    struct rt_launcher_type *t = push_type(f, key->text);
    t->line = key->line;
    t->column = key->column;
    t->max = t->head ? 0 : f->max_workers;
    t->min_given = launcher_int(rt_ynode_get(n, "min_workers"), &t->min);
    t->max_given = launcher_int(rt_ynode_get(n, "max_workers"), &t->max);
    if (!launcher_number(rt_ynode_get(n, "idle_timeout_s"), &t->idle_timeout_s))
        t->idle_timeout_s = -1;
    read_values(&t->resources, rt_ynode_get(n, "resources"));
    read_values(&t->labels, rt_ynode_get(n, "labels"));
    t->image = copy(rt_ynode_get(n, "docker"), "worker_image");
}

/* Provider `local`: as many as there are addresses, or as a coordinator gives. */
static void local_type(struct rt_launcher_file *f, const struct rt_ynode *root) {
    const struct rt_ynode *max = rt_ynode_get(root, "max_workers");
    const int64_t ips = (int64_t)f->worker_ips.n;
    struct rt_launcher_type *t = push_type(f, RT_LAUNCHER_LOCAL_TYPE);
    t->max = t->min = f->coordinator ? 0 : ips;
    t->min_given = launcher_int(rt_ynode_get(root, "min_workers"), &t->min);
    t->max_given = launcher_int(max, &t->max);
    if (!f->coordinator) {
        t->min = RT_MIN(t->min, ips);
        t->max = RT_MIN(t->max, ips);
    }
    f->max_workers = t->max;
    for (size_t i = 0; i < root->n; i++)
        if (rt_streq(root->keys[i]->text, "provider")) {
            t->line = root->keys[i]->line;
            t->column = root->keys[i]->column;
        }
}

static void read_types(struct rt_launcher_file *f, const struct rt_ynode *root, const struct launcher_default *d) {
    const struct rt_ynode *types = rt_ynode_get(root, "available_node_types");
    const bool local = rt_streq(f->type, "local");
    const char *head = launcher_text(root, "head_node_type");
    f->head_type = rt_strdup(head ? head : local ? RT_LAUNCHER_LOCAL_TYPE : d && d->head ? d->head : "");
    f->max_workers = d ? d->max_workers : 0;
    launcher_int(rt_ynode_get(root, "max_workers"), &f->max_workers);
    if (local) {
        local_type(f, root);
    } else if (types && types->kind == RT_Y_MAP) {
        for (size_t i = 0; i < types->n; i++)
            read_type(f, types->keys[i], types->items[i]);
    } else if (!types && d && !rt_streq(f->type, "external")) {
        for (size_t i = 0; i < RT_COUNT(d->types) && d->types[i].name; i++) {
            struct rt_launcher_type *t = push_type(f, d->types[i].name);
            t->min = d->types[i].min;
            t->max = d->types[i].max < 0 ? f->max_workers : d->types[i].max;
        }
    }
}

/* ---- the whole ---- */

static void fill(struct rt_launcher_file *f, const struct rt_ynode *root) {
    const struct rt_ynode *provider = rt_ynode_get(root, "provider");
    const char *name = launcher_text(root, "cluster_name");
    f->cluster_name = rt_strdup(name ? name : "");
    read_provider(f, provider);
    const struct launcher_default *d = launcher_default(f->type);
    read_auth(f, rt_ynode_get(root, "auth"), d);
    read_docker(&f->docker, rt_ynode_get(root, "docker"));
    read_ports(f, rt_ynode_get(root, "head_start_ray_commands"));
    f->idle_timeout_minutes = 5;
    f->upscaling_speed = 1;
    launcher_number(rt_ynode_get(root, "idle_timeout_minutes"), &f->idle_timeout_minutes);
    launcher_number(rt_ynode_get(root, "upscaling_speed"), &f->upscaling_speed);
    read_types(f, root, d);
}

/* What Ray looks at first, before it applies anything. False: the rest would only be noise. */
static bool is_map(const struct rt_ydoc *doc, struct lwords *w) {
    const struct rt_ynode start = {.file = doc->file, .line = 1, .column = 1};
    if (doc->root && doc->root->kind == RT_Y_MAP)
        return true;
    launcher_problem(w, &start, "cluster_name: NAME, provider: {type: aws, ...}, ...; `raytui init launcher` writes one", "%s",
                     doc->root ? "a map of a cluster is expected" : "the file is empty");
    return false;
}

static void provider_type(const struct rt_ynode *root, struct lwords *w) {
    const struct rt_ynode *p = rt_ynode_get(root, "provider");
    const struct rt_ynode *type = rt_ynode_get(p, "type");
    char hint[300] = "there are: ";
    if (!p) {
        launcher_problem(w, root, "provider: {type: aws, region: us-west-2}", "provider is missing");
    } else if (p->kind == RT_Y_MAP && !type) {
        launcher_problem(w, p, "type: local, aws, gcp, azure, ...", "provider.type is missing");
    } else if (type && type->kind == RT_Y_SCALAR && !launcher_default(type->text)) {
        const char *near = rt_nearest(type->text, launcher_types);
        for (size_t i = 0; launcher_types[i]; i++)
            snprintf(hint + strlen(hint), sizeof hint - strlen(hint), "%s%s", i ? ", " : "", launcher_types[i]);
        if (near)
            snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
        launcher_problem(w, type, hint, "Unknown provider type %s", type->text);
    }
    if (!rt_ynode_get(root, "cluster_name"))
        launcher_problem(w, root, "cluster_name: NAME", "cluster_name is missing");
}

static bool parse(const char *path, const char *text, size_t n, struct rt_launcher_file *out, struct lwords *w) {
    struct rt_error err = {0};
    *out = (struct rt_launcher_file){.path = absolute(path)};
    w->warnings = &out->warnings;
    const bool is_yaml = rt_yaml_parse(path, text, n, &out->doc, &err);
    fill(out, out->doc.root);
    if (!is_yaml) {
        w->ok = false;
        if (w->problem)
            w->problem(w->ctx, &err);
    } else if (is_map(&out->doc, w)) {
        provider_type(out->doc.root, w);
        launcher_schema(out->doc.root, w);
        if (launcher_default(out->type))
            launcher_rules(out, w);
    }
    return w->ok;
}

bool rt_launcher_parse(const char *path, const char *text, size_t n, struct rt_launcher_file *out, rt_yproblem_fn *problem,
                       void *ctx) {
    struct lwords w = {.problem = problem, .ctx = ctx, .ok = true};
    return parse(path, text, n, out, &w);
}

bool rt_launcher_load(const char *path, struct rt_launcher_file *out, rt_yproblem_fn *problem, void *ctx) {
    struct lwords w = {.problem = problem, .ctx = ctx, .ok = true};
    struct rt_error err = {0};
    struct rt_buf text;
    rt_buf_init(&text, 0);
    if (rt_file_read(path, FILE_MAX, &text, &err)) {
        parse(path, rt_buf_str(&text), text.len, out, &w);
        if (out->doc.root)
            launcher_disk(out, &w);
    } else {
        parse(path, "", 0, out, &(struct lwords){.ok = true});
        w.ok = false;
        if (!rt_file_exists(path)) {
            rt_error_set(&err, RT_E_NOT_FOUND, "%s: Ray's cluster configuration file does not exist", path);
            rt_error_hint(&err, "`raytui init launcher NAME cloud=gcp` writes one");
        }
        if (problem)
            problem(ctx, &err);
    }
    rt_buf_deinit(&text);
    return w.ok;
}

static void free_type(struct rt_launcher_type *t) {
    free(t->name);
    rt_strs_deinit(&t->resources);
    rt_strs_deinit(&t->labels);
    free(t->image);
}

void rt_launcher_deinit(struct rt_launcher_file *f) {
    char *const texts[] = {f->path,        f->cluster_name,       f->type,        f->module,          f->region,           f->zone,
                           f->project,     f->head_ip,            f->external_head_ip, f->coordinator, f->auth.user,       f->auth.key,
                           f->auth.proxy_command, f->docker.image, f->docker.head_image, f->docker.worker_image, f->docker.container, f->head_type};
    for (size_t i = 0; i < RT_COUNT(texts); i++)
        free(texts[i]);
    for (size_t i = 0; i < f->ntypes; i++)
        free_type(&f->types[i]);
    free(f->types);
    rt_strs_deinit(&f->provider);
    rt_strs_deinit(&f->worker_ips);
    rt_strs_deinit(&f->warnings);
    rt_yaml_deinit(&f->doc);
    *f = (struct rt_launcher_file){0};
}

const struct rt_launcher_type *rt_launcher_type(const struct rt_launcher_file *f, const char *name) {
    for (size_t i = 0; i < f->ntypes; i++)
        if (rt_streq(f->types[i].name, name))
            return &f->types[i];
    return NULL;
}

const char *rt_launcher_head(const struct rt_launcher_file *f) {
    if (!rt_streq(f->type, "local") || f->coordinator)
        return NULL;
    return f->external_head_ip && *f->external_head_ip && !f->internal_ips ? f->external_head_ip : f->head_ip;
}
