/* The keys of the configuration, and their names in the tools that people come from. */
#include "core/config_impl.h"

#include <stdlib.h>

static const char *const transports[] = {"auto", "libssh2", "openssh", NULL};
static const char *const attachments[] = {"auto", "manual", "ports", NULL};

bool rt_ynode_is_null(const struct rt_ynode *n) {
    static const char *const words[] = {"", "~", "null", "Null", "NULL"};
    if (n->kind != RT_Y_SCALAR || n->quoted)
        return false;
    for (size_t i = 0; i < RT_COUNT(words); i++)
        if (rt_streq(n->text, words[i]))
            return true;
    return false;
}

const struct rt_ynode *rt_field_node(const struct rt_ynode *map, const struct rt_yfield *f) {
    const struct rt_ynode *n = map ? rt_ynode_get(map, f->key) : NULL;
    for (size_t i = 0; !n && map && i < RT_COUNT(f->alias) && f->alias[i]; i++)
        n = rt_ynode_get(map, f->alias[i]);
    return n;
}

/* ---- values with rules of their own ---- */

static bool port_number(const char *text) {
    int64_t port;
    return rt_parse_i64(text, &port) && port >= 1 && port <= 65535;
}

/* "8265" or "HOST:PORT"; an IPv6 address stands in brackets. */
static bool port_ok(const char *text) {
    const char *colon = strrchr(text, ':');
    if (!colon)
        return port_number(text);
    size_t host = (size_t)(colon - text);
    bool bracketed = text[0] == '[' && host > 2 && text[host - 1] == ']';
    bool plain = host > 0 && !memchr(text, ':', host) && !memchr(text, ' ', host);
    return (bracketed || plain) && port_number(colon + 1);
}

static bool add_port(const struct rt_ynode *n, struct rt_strs *list, struct rt_error *err) {
    char shown[80];
    if (n->kind != RT_Y_SCALAR)
        return rt_ynode_error(n, err, "ports: a port or HOST:PORT is expected");
    if (!port_ok(n->text))
        return rt_ynode_error(n, err, "ports: \"%s\" is neither a port (1 to 65535) nor HOST:PORT",
                              rt_clean_to(shown, sizeof(shown), n->text));
    if (!rt_strs_has(list, n->text))
        rt_strs_add(list, n->text);
    return true;
}

static bool parse_ports(const struct rt_ynode *n, void *member, struct rt_error *err) {
    struct rt_strs list = {0};
    bool ok = true;
    if (rt_ynode_is_null(n))
        return true;
    if (n->kind == RT_Y_MAP)
        return rt_ynode_error(n, err, "ports: a map where a list is expected");
    if (n->kind == RT_Y_SCALAR)
        ok = add_port(n, &list, err);
    for (size_t i = 0; ok && i < n->n; i++)
        ok = add_port(n->items[i], &list, err);
    rt_strs_deinit(member);
    *(struct rt_strs *)member = list;
    return ok;
}

static bool parse_local_ports(const struct rt_ynode *n, void *member, struct rt_error *err) {
    struct rt_strs *list = member;
    char shown[80];
    if (rt_ynode_is_null(n))
        return true;
    if (n->kind != RT_Y_MAP) {
        rt_ynode_error(n, err, "local_ports: a map of ports is expected");
        return rt_error_hint(err, "local_ports: {8265: 9000}");
    }
    rt_strs_deinit(list);
    for (size_t i = 0; i < n->n; i++) {
        const struct rt_ynode *to = n->items[i];
        if (!port_ok(n->keys[i]->text))
            return rt_ynode_error(
                n->keys[i], err, "local_ports: \"%s\" is neither a port (1 to 65535) nor HOST:PORT",
                rt_clean_to(shown, sizeof(shown), n->keys[i]->text));
        if (to->kind != RT_Y_SCALAR || !port_number(to->text))
            return rt_ynode_error(to, err, "local_ports: a port from 1 to 65535 is expected");
        rt_strs_addf(list, "%s=%s", n->keys[i]->text, to->text);
    }
    return true;
}

static bool check_script_keys(const struct rt_ynode *map, struct rt_error *err) {
    static const char *const keys[] = {"entrypoint", "working_dir", "runtime_env", NULL};
    char shown[80];
    for (size_t i = 0; i < map->n; i++) {
        const char *key = map->keys[i]->text;
        bool known = false;
        for (size_t k = 0; keys[k]; k++)
            known = known || rt_streq(keys[k], key);
        const char *near = known ? NULL : rt_nearest(key, keys);
        rt_clean_to(shown, sizeof(shown), key);
        if (near)
            return rt_ynode_error(map->keys[i], err,
                                  "user_script: unknown key \"%s\", did you mean \"%s\"?", shown,
                                  near);
        if (!known)
            return rt_ynode_error(map->keys[i], err, "user_script: unknown key \"%s\"", shown);
    }
    if (!rt_ynode_get(map, "entrypoint"))
        return rt_ynode_error(map, err, "user_script: entrypoint is missing");
    return true;
}

static bool parse_user_script(const struct rt_ynode *n, void *member, struct rt_error *err) {
    char **to = member;
    if (rt_ynode_is_null(n))
        return true;
    if (n->kind == RT_Y_SEQ)
        return rt_ynode_error(n, err,
                              "user_script: a command line, or a map with entrypoint, is expected");
    if (n->kind == RT_Y_MAP && !check_script_keys(n, err))
        return false;
    free(*to);
    if (n->kind == RT_Y_SCALAR) {
        *to = rt_strdup(n->text);
        return true;
    }
    json_t *v = rt_ynode_json(n);
    char *text = json_dumps(v, JSON_COMPACT);
    *to = rt_strdup(text);
    free(text);
    json_decref(v);
    return true;
}

/* Where a bare number has always meant minutes. */
static bool parse_minutes(const struct rt_ynode *n, void *member, struct rt_error *err) {
    double minutes;
    if (rt_ynode_is_null(n))
        return true;
    if (n->kind != RT_Y_SCALAR)
        return rt_ynode_error(n, err, "a duration is expected");
    if (!rt_parse_f64(n->text, &minutes))
        return rt_parse_duration(n->text, member, err);
    if (minutes < 0 || minutes > 1e8)
        return rt_ynode_error(n, err, "\"%s\" is no duration", n->text);
    *(int64_t *)member = (int64_t)(minutes * 60000);
    return true;
}

/* ---- one cluster ---- */

/* clang-format off */
#define C(member) .off = offsetof(struct rt_cluster_conf, member)

const struct rt_yfield rt_cluster_fields[] = {
    {.key = "provider", C(provider), .type = RT_Y_STR, .help = "who makes its machines", .example = "ssh"},
    {.key = "file", C(source_file), .type = RT_Y_STR,
     .help = "a file with these same fields (launcher: Ray's cluster YAML)", .example = "~/tuner/public.yaml"},
    {.key = "attach", C(attach), .type = RT_Y_ENUM, .names = attachments,
     .help = "at the start: auto opens the way, ports opens local ports too, manual waits for Enter",
     .example = "auto"},
    {.key = "transport", C(transport), .type = RT_Y_ENUM, .names = transports,
     .help = "who speaks SSH: libssh2, the system's openssh, or what fits", .example = "auto"},
    {.key = "hop", C(hop), .type = RT_Y_STR, .help = "an SSH host in front of it", .example = "ssh://me@bastion"},
    {.key = "ssh_config", C(ssh_config), .type = RT_Y_STR, .help = "another file than ~/.ssh/config",
     .example = "~/.ssh/lab"},
    {.key = "ports", C(ports), .type = RT_Y_CUSTOM, .parse = parse_ports,
     .help = "ports of the head that get a local port; HOST:PORT as seen from the head", .example = "[8265, 10001]"},
    {.key = "local_ports", C(local_ports), .type = RT_Y_CUSTOM, .parse = parse_local_ports,
     .help = "which local port they get", .example = "{8265: 9000}"},
    {.key = "token", C(token.value), .type = RT_Y_STR, .secret = true,
     .help = "Ray's token in clear; better one of the next three"},
    {.key = "token_file", C(token.file), .type = RT_Y_STR, .help = "file with Ray's token",
     .example = "~/.ray/auth_token"},
    {.key = "token_env", C(token.env), .type = RT_Y_STR, .help = "environment variable with Ray's token",
     .example = "RAY_AUTH_TOKEN"},
    {.key = "token_command", C(token.command), .type = RT_Y_STR, .help = "command that prints Ray's token",
     .example = "pass show ray"},
    {.key = "headers", C(headers), .type = RT_Y_KVS, .secret = true, .help = "headers of every request",
     .example = "{X-Team: blue}"},
    {.key = "headers_command", C(headers_command), .type = RT_Y_STR, .help = "command that prints `Name: value` lines",
     .example = "gcloud-headers"},
    {.key = "ca_file", C(ca_file), .type = RT_Y_STR, .help = "certificates to trust, besides the system's",
     .example = "~/ca.pem"},
    {.key = "proxy", C(proxy), .type = RT_Y_STR, .help = "HTTP or SOCKS proxy in front of it",
     .example = "socks5h://127.0.0.1:1080"},
    {.key = "client_python", C(client_python), .type = RT_Y_STR,
     .help = "the Python here whose Ray is compared before ray:// is used (default: python3 of the PATH)",
     .example = "~/ray/bin/python"},
    {.key = "readonly", C(readonly), .type = RT_Y_BOOL, .help = "nothing of it is changed", .example = "true"},
    {.key = "refresh", C(refresh_ms), .type = RT_Y_DURATION, .min = 1000, .max = 3600000,
     .help = "the shortest interval between two looks", .example = "5s"},
    {.key = "runtime_env", C(runtime_env), .type = RT_Y_STR, .help = "file merged under a job's own runtime_env",
     .example = "~/ray_runtime_env.yaml"},
    {.key = "env_vars", C(env_vars), .type = RT_Y_KVS, .secret = true,
     .help = "environment of every job, under the job's own", .example = "{OMP_NUM_THREADS: 1}"},
    {.key = "entrypoints", C(entrypoints), .type = RT_Y_KVS,
     .help = "commands for `submit --template NAME`, with {head_ip} and {cluster}",
     .example = "{tune: \"python tune.py --server {head_ip}\"}"},
    {.key = "user_script", .need = RT_CAP_KEEPALIVE | RT_CAP_USER_SCRIPT, C(user_script), .type = RT_Y_CUSTOM, .parse = parse_user_script,
     .help = "command line, or {entrypoint, working_dir, runtime_env}: submitted once per up",
     .example = "python train.py"},
    {.key = "ephemeral", .need = RT_CAP_KEEPALIVE, C(ephemeral), .type = RT_Y_BOOL, .help = "ends when user_script ended", .example = "true"},
    {.key = "idle_timeout", .form = true, .need = RT_CAP_KEEPALIVE, C(idle_timeout_ms), .type = RT_Y_DURATION, .help = "ends when nothing ran for so long",
     .example = "60m"},
    {.key = "cluster_idle_timeout", .need = RT_CAP_KEEPALIVE, C(idle_timeout_ms), .type = RT_Y_CUSTOM, .parse = parse_minutes},
    {.key = "lifetime", .need = RT_CAP_KEEPALIVE, .alias = {"cluster_lifetime"}, C(lifetime_ms), .type = RT_Y_DURATION,
     .help = "ends after so long, whatever runs", .example = "8h"},
    {.key = "up_timeout", .alias = {"build_timeout", "activation_timeout", "activation_timeout_seconds"},
     C(up_timeout_ms), .type = RT_Y_DURATION, .help = "how long `up` may take before it is undone",
     .example = "30m"},
    {.key = "head_node_build_timeout", C(up_timeout_ms), .type = RT_Y_DURATION},
    {.key = "price_per_hour", C(price_per_hour), .type = RT_Y_F64, .min = 0, .max = 1000000,
     .help = "of one node, for the estimate of costs", .example = "1.20"},
    {0},
};
/* clang-format on */

/* ---- raytui itself ---- */

/* clang-format off */
#define R(member) .off = offsetof(struct rt_config_own, member)

const struct rt_yfield rt_config_fields[] = {
    {.key = "theme", R(c.theme), .type = RT_Y_STR, .help = "name of a theme", .example = "default"},
    {.key = "default", .alias = {"default_cluster"}, R(c.default_cluster), .type = RT_Y_STR,
     .help = "the cluster that is meant when none is named", .example = "lab"},
    {.key = "refresh", R(c.refresh_ms), .type = RT_Y_DURATION, .min = 1000, .max = 3600000,
     .help = "the shortest interval between two looks", .example = "2s"},
    {.key = "readonly", R(c.readonly), .type = RT_Y_BOOL, .help = "nothing is changed anywhere",
     .example = "false"},
    {.key = "ascii", R(c.ascii), .type = RT_Y_BOOL, .help = "plain characters only", .example = "false"},
    {.key = "mouse", R(c.mouse), .type = RT_Y_BOOL, .help = "clicks and the wheel", .example = "true"},
    {.key = "animations", R(c.animations), .type = RT_Y_BOOL, .help = "moving marks while something is done",
     .example = "true"},
    {.key = "notify", R(c.notify), .type = RT_Y_STR, .help = "how you hear of ended jobs, lost nodes and clusters: none, toast, bell, desktop, or a command line",
     .example = "toast bell desktop"},
    {.key = "max_answer", R(c.max_answer_bytes), .type = RT_Y_SIZE, .min = 1 << 20, .max = (int64_t)1 << 34,
     .help = "the largest answer that is read", .example = "128MiB"},
    {.key = "log_cache", R(c.log_cache_bytes), .type = RT_Y_SIZE, .min = 0, .max = (int64_t)1 << 44,
     .help = "disk that seen logs may take", .example = "1GiB"},
    {.key = "aliases", R(c.aliases), .type = RT_Y_KVS, .help = "short names of command lines",
     .example = "{j: jobs}"},
    {.key = "hotkeys", R(hotkeys), .type = RT_Y_NODE, .help = "keys to command lines, everywhere or per view",
     .example = "{jobs: {x: stop}}"},
    {.key = "commands", R(bound), .type = RT_Y_NODE, .help = "commands of one's own",
     .example = "{top: {command: \"exec $NODE_IP -- top\", help: what runs there}}"},
    {.key = "clusters", R(clusters), .type = RT_Y_NODE, .help = "the clusters, by name"},
    {0},
};
/* clang-format on */
