/* ray-schema.json as tables: which keys there may be, and of which kind their values are. Opaque to it, as to us: what a
 * provider adds to its own section, and node_config. */
#include "providers/launcher_yaml.h"

#include <stdio.h>
#include <string.h>

enum want { W_ANY, W_TEXT, W_TEXT_OR_NULL, W_INT, W_NUMBER, W_BOOL, W_LIST, W_COMMANDS, W_MAP, W_COUNTS, W_TEXTS };

struct key {
    const char *name; /* NULL ends the table */
    enum want want;
    const struct key *keys; /* of a W_MAP; NULL: any */
    bool open;              /* of a W_MAP: other keys are the provider's own business */
    bool positive;          /* a number that is not below 0 */
};

static const struct key security_group_keys[] = {{.name = "GroupName", .want = W_TEXT}, {.name = "IpPermissions", .want = W_LIST}, {0}};
static const struct key gcp_credentials_keys[] = {{.name = "type", .want = W_TEXT}, {.name = "credentials", .want = W_TEXT}, {0}};

static const struct key provider_keys[] = {
    {.name = "type", .want = W_TEXT},
    {.name = "region", .want = W_TEXT},
    {.name = "module", .want = W_TEXT},
    {.name = "head_ip", .want = W_TEXT},
    {.name = "worker_ips", .want = W_LIST},
    {.name = "use_internal_ips", .want = W_BOOL},
    {.name = "namespace", .want = W_TEXT},
    {.name = "location", .want = W_TEXT},
    {.name = "resource_group", .want = W_TEXT},
    {.name = "tags", .want = W_MAP},
    {.name = "subscription_id", .want = W_TEXT},
    {.name = "msi_identity_id", .want = W_TEXT},
    {.name = "msi_identity_principal_id", .want = W_TEXT},
    {.name = "subnet_id", .want = W_TEXT},
    {.name = "autoscaler_service_account", .want = W_MAP},
    {.name = "autoscaler_role", .want = W_MAP},
    {.name = "autoscaler_role_binding", .want = W_MAP},
    {.name = "cache_stopped_nodes", .want = W_BOOL},
    {.name = "availability_zone", .want = W_TEXT},
    {.name = "project_id", .want = W_TEXT_OR_NULL},
    {.name = "security_group", .want = W_MAP, .keys = security_group_keys},
    {.name = "disable_node_updaters", .want = W_BOOL},
    {.name = "gcp_credentials", .want = W_MAP, .keys = gcp_credentials_keys},
    {0},
};

static const struct key auth_keys[] = {
    {.name = "ssh_user", .want = W_TEXT},
    {.name = "ssh_public_key", .want = W_TEXT},
    {.name = "ssh_private_key", .want = W_TEXT},
    {.name = "ssh_proxy_command", .want = W_TEXT},
    {.name = "ssh_proxy_use_node_id", .want = W_BOOL},
    {0},
};

static const struct key docker_keys[] = {
    {.name = "image", .want = W_TEXT},
    {.name = "container_name", .want = W_TEXT},
    {.name = "pull_before_run", .want = W_BOOL},
    {.name = "run_options", .want = W_LIST},
    {.name = "head_image", .want = W_TEXT},
    {.name = "head_run_options", .want = W_LIST},
    {.name = "worker_image", .want = W_TEXT},
    {.name = "worker_run_options", .want = W_LIST},
    {.name = "disable_automatic_runtime_detection", .want = W_BOOL},
    {.name = "disable_shm_size_detection", .want = W_BOOL},
    {.name = "use_podman", .want = W_BOOL},
    {0},
};

static const struct key type_docker_keys[] = {
    {.name = "pull_before_run", .want = W_BOOL},
    {.name = "worker_image", .want = W_TEXT},
    {.name = "worker_run_options", .want = W_LIST},
    {0},
};

static const struct key type_keys[] = {
    {.name = "node_config", .want = W_MAP},
    {.name = "min_workers", .want = W_INT},
    {.name = "max_workers", .want = W_INT},
    {.name = "idle_timeout_s", .want = W_NUMBER},
    {.name = "priority", .want = W_INT},
    {.name = "resources", .want = W_COUNTS},
    {.name = "labels", .want = W_TEXTS},
    {.name = "initialization_commands", .want = W_COMMANDS},
    {.name = "worker_setup_commands", .want = W_COMMANDS},
    {.name = "docker", .want = W_MAP, .keys = type_docker_keys},
    {0},
};

static const struct key top_keys[] = {
    {.name = "cluster_name", .want = W_TEXT},
    {.name = "max_workers", .want = W_INT, .positive = true},
    {.name = "min_workers", .want = W_INT}, /* not in the schema: Ray takes it away before, of `local` it reads it */
    {.name = "upscaling_speed", .want = W_NUMBER, .positive = true},
    {.name = "idle_timeout_minutes", .want = W_NUMBER, .positive = true},
    {.name = "provider", .want = W_MAP, .keys = provider_keys, .open = true},
    {.name = "auth", .want = W_MAP, .keys = auth_keys},
    {.name = "docker", .want = W_MAP, .keys = docker_keys},
    {.name = "head_node_type", .want = W_TEXT},
    {.name = "file_mounts", .want = W_MAP},
    {.name = "cluster_synced_files", .want = W_LIST},
    {.name = "file_mounts_sync_continuously", .want = W_BOOL},
    {.name = "rsync_exclude", .want = W_LIST},
    {.name = "rsync_filter", .want = W_LIST},
    {.name = "metadata", .want = W_MAP},
    {.name = "initialization_commands", .want = W_COMMANDS},
    {.name = "setup_commands", .want = W_COMMANDS},
    {.name = "head_setup_commands", .want = W_COMMANDS},
    {.name = "worker_setup_commands", .want = W_COMMANDS},
    {.name = "head_start_ray_commands", .want = W_COMMANDS},
    {.name = "worker_start_ray_commands", .want = W_COMMANDS},
    {.name = "no_restart", .want = W_ANY},
    {.name = "available_node_types", .want = W_MAP},
    {0},
};

static const char *const want_names[] = {
    [W_ANY] = "anything",
    [W_TEXT] = "a text",
    [W_TEXT_OR_NULL] = "a text or nothing",
    [W_INT] = "a whole number",
    [W_NUMBER] = "a number",
    [W_BOOL] = "true or false",
    [W_LIST] = "a list",
    [W_COMMANDS] = "a list of commands",
    [W_MAP] = "a map",
    [W_COUNTS] = "a map",
    [W_TEXTS] = "a map",
};

static bool fits(const struct rt_ynode *n, enum want want) {
    const enum lkind k = launcher_kind(n);
    int64_t i;
    switch (want) {
    case W_TEXT:
        return k == L_STR;
    case W_TEXT_OR_NULL:
        return k == L_STR || k == L_NULL;
    case W_INT:
        return launcher_int(n, &i);
    case W_NUMBER:
        return k == L_INT || k == L_FLOAT;
    case W_BOOL:
        return k == L_BOOL;
    case W_LIST:
    case W_COMMANDS:
        return k == L_LIST;
    case W_MAP:
    case W_COUNTS:
    case W_TEXTS:
        return k == L_MAP;
    default:
        return true;
    }
}

/* "ssh_user: a whole number where a text is expected". */
static void wrong_kind(const struct rt_ynode *n, const char *where, const char *name, enum want want, struct lwords *w) {
    char shown[120] = "", hint[200];
    const enum lkind k = launcher_kind(n);
    if (n->kind == RT_Y_SCALAR && k != L_NULL)
        rt_clean_to(shown, sizeof shown, n->text);
    if ((want == W_TEXT || want == W_TEXT_OR_NULL) && *shown)
        snprintf(hint, sizeof hint, "quote it: \"%s\"", shown);
    else
        snprintf(hint, sizeof hint, "%s", k == L_NULL ? "leave the key out to have Ray's default" : "");
    launcher_problem(w, n, hint, "%s%s%s: %s where %s is expected", where, *where ? "." : "", name, launcher_kind_name(k),
                     want_names[want]);
}

/* Values of resources and labels. */
static void check_values(const struct rt_ynode *map, const char *where, const char *name, enum want want, struct lwords *w) {
    char full[200];
    int64_t count;
    snprintf(full, sizeof full, "%s%s%s", where, *where ? "." : "", name);
    for (size_t i = 0; i < map->n; i++) {
        const struct rt_ynode *v = map->items[i];
        const char *key = map->keys[i]->text;
        if (!fits(v, want))
            wrong_kind(v, full, key, want, w);
        else if (want == W_INT && launcher_int(v, &count) && count < 0)
            launcher_problem(w, v, NULL, "%s.%s: %lld is less than 0", full, key, (long long)count);
    }
}

static void check_commands(const struct rt_ynode *list, const char *name, struct lwords *w) {
    for (size_t i = 0; i < list->n; i++)
        if (launcher_kind(list->items[i]) != L_STR)
            launcher_problem(w, list->items[i], "a command with \": \" in it wants quotes around it",
                             "%s: item %zu is %s where a command is expected", name, i + 1,
                             launcher_kind_name(launcher_kind(list->items[i])));
}

static void check_map(const struct rt_ynode *map, const char *where, const struct key *keys, bool open, struct lwords *w);

static void check_value(const struct rt_ynode *n, const char *where, const struct key *k, struct lwords *w) {
    double v;
    if (!fits(n, k->want)) {
        wrong_kind(n, where, k->name, k->want, w);
        return;
    }
    if (k->positive && launcher_number(n, &v) && v < 0)
        launcher_problem(w, n, NULL, "%s: %g is less than 0", k->name, v);
    if (k->want == W_COMMANDS)
        check_commands(n, k->name, w);
    if (k->want == W_COUNTS || k->want == W_TEXTS)
        check_values(n, where, k->name, k->want == W_COUNTS ? W_INT : W_TEXT, w);
    if (k->want == W_MAP && k->keys) {
        char full[200];
        snprintf(full, sizeof full, "%s%s%s", where, *where ? "." : "", k->name);
        check_map(n, full, k->keys, k->open, w);
    }
}

static const struct key *find(const struct key *keys, const char *name) {
    for (; keys->name; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

static void unknown_key(const struct rt_ynode *key, const char *where, const struct key *keys, struct lwords *w) {
    const char *names[40];
    size_t n = 0;
    char hint[200] = "";
    for (; keys[n].name && n + 1 < RT_COUNT(names); n++)
        names[n] = keys[n].name;
    names[n] = NULL;
    const char *near = rt_nearest(key->text, names);
    if (near)
        snprintf(hint, sizeof hint, "did you mean \"%s\"?", near);
    else
        snprintf(hint, sizeof hint, "what Ray does not read may stand under `metadata:`");
    launcher_problem(w, key, hint, "unknown key \"%s\"%s%s", key->text, *where ? " in " : "", where);
}

static void check_map(const struct rt_ynode *map, const char *where, const struct key *keys, bool open, struct lwords *w) {
    for (size_t i = 0; i < map->n; i++) {
        const struct key *k = find(keys, map->keys[i]->text);
        if (k)
            check_value(map->items[i], where, k, w);
        else if (!open)
            unknown_key(map->keys[i], where, keys, w);
    }
}

static void check_type(const struct rt_ynode *key, const struct rt_ynode *type, bool resources, struct lwords *w) {
    char where[160];
    snprintf(where, sizeof where, "available_node_types.%s", key->text);
    if (launcher_kind(type) != L_MAP) {
        launcher_problem(w, type, "write {node_config: {}, resources: {}}", "%s: %s where a map is expected", where,
                         launcher_kind_name(launcher_kind(type)));
        return;
    }
    check_map(type, where, type_keys, false, w);
    if (!rt_ynode_get(type, "node_config"))
        launcher_problem(w, key, "what the provider is asked for: {} when there is nothing to say", "%s: node_config is missing", where);
    if (resources && !rt_ynode_get(type, "resources"))
        launcher_problem(w, key, "resources: {CPU: 4}, as one such node has them", "%s: resources is missing", where);
}

/* Only AWS is asked by Ray what its machines have. */
static void check_types(const struct rt_ynode *types, const char *provider, struct lwords *w) {
    for (size_t i = 0; i < types->n; i++)
        check_type(types->keys[i], types->items[i], !rt_streq(provider, "aws"), w);
}

void launcher_schema(const struct rt_ynode *root, struct lwords *w) {
    const struct rt_ynode *types = rt_ynode_get(root, "available_node_types"), *auth = rt_ynode_get(root, "auth");
    const char *provider = launcher_text(rt_ynode_get(root, "provider"), "type");
    for (size_t i = 0; i < root->n; i++) {
        const struct rt_ynode *key = root->keys[i];
        const struct key *k = find(top_keys, key->text);
        const bool old = rt_streq(key->text, "head_node") || rt_streq(key->text, "worker_nodes");
        if (rt_streq(key->text, "min_workers") && !rt_streq(provider, "local"))
            launcher_warning(w, key, "min_workers: Ray ignores it here; it belongs to a node type");
        else if (k)
            check_value(root->items[i], "", k, w);
        else if (!old)
            unknown_key(key, "", top_keys, w);
        else if (!launcher_empty(root->items[i]))
            launcher_problem(w, key, "available_node_types and head_node_type say it since Ray 2.0", "%s: Ray does not take it any more",
                             key->text);
        else
            launcher_warning(w, key, "%s: empty, and not used any more", key->text);
    }
    if (types && types->kind == RT_Y_MAP)
        check_types(types, provider, w);
    if (auth && launcher_true(rt_ynode_get(auth, "ssh_proxy_use_node_id")) && !rt_ynode_get(auth, "ssh_proxy_command"))
        launcher_problem(w, rt_ynode_get(auth, "ssh_proxy_use_node_id"), NULL,
                         "auth.ssh_proxy_use_node_id: ssh_proxy_command is wanted with it");
}
