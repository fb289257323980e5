/* The configuration of `launcher`, and how `ray` is called. */
#include "base/decode.h"
#include "base/fs.h"
#include "providers/launcher.h"
#include "providers/pools.h"
#include <stdlib.h>
#include <string.h>

#define L(member) .off = offsetof(struct launcher_config, member)

const struct rt_yfield launcher_fields[] = {
    {.key = "env_file", .form = true, L(env_file), .type = RT_Y_STR, .help = "KEY=VALUE lines that `ray up` gets in its environment",
     .example = "~/tuner/.env"},
    {.key = "env", L(env), .type = RT_Y_KVS, .help = "the same, here; wins over the file", .example = "{AWS_PROFILE: tuner}"},
    {.key = "ray_command", .form = true, L(ray_command), .type = RT_Y_STR,
     .help = "the `ray` that makes the cluster, with the libraries of its cloud", .example = "~/venv/bin/ray"},
    {0},
};

/* What would end the cluster by itself, each where it stands. */
static bool no_end(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx) {
    const struct {
        const char *key;
        bool set;
    } fields[] = {{"idle_timeout", conf->idle_timeout_ms}, {"cluster_idle_timeout", conf->idle_timeout_ms}, {"lifetime", conf->lifetime_ms},
                  {"cluster_lifetime", conf->lifetime_ms}, {"ephemeral", conf->ephemeral}};
    bool ok = true;
    for (size_t i = 0; i < RT_COUNT(fields); i++) {
        const struct rt_ynode *at = fields[i].set ? rt_ynode_get(conf->node, fields[i].key) : NULL;
        if (at)
            ok = pools_problem(at, problem, ctx, rt_strf("%s: take it out: nothing on a head of the launcher may end its machines; idle workers go by "
                                                         "idle_timeout_minutes of its own YAML, all of it by `raytui down %s`", fields[i].key, conf->name));
    }
    return ok;
}

/* `file` is a field of every cluster; its absence is told here. */
bool launcher_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx) {
    const struct launcher_config *own = conf->own;
    struct rt_launcher_file f;
    struct rt_strs words = {0};
    struct rt_error err = {0};
    if (!conf->source_file)
        return pools_problem(conf->node, problem, ctx, rt_strdup("the YAML of `ray up` is wanted: `file: ~/cluster.yaml`"));
    bool ok = rt_launcher_load(conf->source_file, &f, problem, ctx);
    rt_launcher_deinit(&f);
    if (own->ray_command && (!rt_split_words(own->ray_command, &words, &err) || !words.n))
        ok = pools_problem(conf->node, problem, ctx, rt_strf("ray_command: %s", err.code ? err.message : "it is empty"));
    rt_strs_deinit(&words);
    return no_end(conf, problem, ctx) && ok;
}

static void keep_first(void *ctx, const struct rt_error *err) {
    struct rt_error *first = ctx;
    if (!first->code)
        *first = *err;
}

bool launcher_read(struct rt_provider *p, struct rt_error *err) {
    struct rt_launcher_file f;
    struct rt_error first = {0};
    const bool ok = rt_launcher_load(p->conf->source_file, &f, keep_first, &first);
    p->file_error = first;
    if (!ok && p->file.path) {
        rt_launcher_deinit(&f);
    } else {
        rt_launcher_deinit(&p->file);
        p->file = f;
    }
    if (!ok)
        *err = first;
    return ok;
}

bool launcher_is_local(const struct rt_provider *p) {
    return rt_streq(p->file.type, "local");
}

void launcher_words(const struct rt_provider *p, struct rt_strs *argv) {
    struct rt_strs words = {0};
    struct rt_error ignored = {0};
    if (p->own->ray_command && rt_split_words(p->own->ray_command, &words, &ignored)) {
        for (size_t i = 0; i < words.n; i++)
            rt_strs_take(argv, rt_path_expand(words.v[i]));
    } else {
        rt_strs_add(argv, "ray");
    }
    rt_strs_deinit(&words);
}

/* Does Ray's record of a `local` cluster in that directory say that its head runs? */
static bool recorded_in(const struct rt_provider *p, const char *dir) {
    struct rt_buf text;
    struct rt_error ignored = {0};
    char *path = rt_strf("%s/ray/cluster-%s.state", dir, p->file.cluster_name);
    rt_buf_init(&text, RT_MIB);
    json_t *v = rt_file_read(path, text.max, &text, &ignored) ? rt_json_parse(rt_buf_str(&text), text.len, &ignored) : NULL;
    const json_t *head = p->file.head_ip ? json_object_get(v, p->file.head_ip) : NULL;
    const bool runs = rt_streq(json_string_value(json_object_get(head, "state")), "running");
    json_decref(v);
    rt_buf_deinit(&text);
    free(path);
    return runs;
}

/* One that a person made by hand is recorded in the usual place: that one is used while ours knows nothing, else `ray up`
 * would take the cluster for a new one and restart its Ray. */
static bool by_hand(const struct rt_provider *p) {
    const char *usual = getenv("RAY_TMPDIR");
    return launcher_is_local(p) && !recorded_in(p, p->dir) && recorded_in(p, usual && *usual ? usual : "/tmp");
}

bool launcher_recorded(const struct rt_provider *p, struct rt_error *err) {
    if (!launcher_is_local(p) || recorded_in(p, p->dir) || by_hand(p))
        return true;
    rt_error_set(err, RT_E_CONFLICT, "%s is up, but Ray has no record of it on this machine: `ray up` would begin it anew, and its jobs would end",
                 p->conf->name);
    return rt_error_hint(err, "it is changed where it was made; or `raytui down %s`, then `raytui up %s`", p->conf->name, p->conf->name);
}

/* Relative to the file that says so. */
static char *env_path(const struct rt_provider *p) {
    char *path = p->own->env_file ? rt_path_expand(p->own->env_file) : NULL;
    const char *slash = p->conf->file ? strrchr(p->conf->file, '/') : NULL;
    if (!path || *path == '/' || !slash)
        return path;
    char *whole = rt_strf("%.*s/%s", (int)(slash - p->conf->file), p->conf->file, path);
    free(path);
    return whole;
}

bool launcher_environment(const struct rt_provider *p, struct rt_strs *out, struct rt_error *err) {
    char *path = env_path(p);
    const bool ok = !path || rt_launcher_env_load(path, out, err);
    free(path);
    rt_strs_copy(out, &p->own->env);
    if (!by_hand(p)) {
        rt_strs_addf(out, "RAY_TMPDIR=%s", p->dir);
        rt_strs_addf(out, "TMPDIR=%s", p->dir);
    }
    if (launcher_is_local(p)) /* the newer autoscaler never starts a worker of a `local` cluster */
        rt_strs_add(out, "RAY_UP_enable_autoscaler_v2=0");
    rt_strs_add(out, "PYTHONUNBUFFERED=1");
    return ok;
}

char *launcher_beside(const struct rt_provider *p) {
    const char *slash = p->file.path ? strrchr(p->file.path, '/') : NULL;
    return slash && slash > p->file.path ? rt_strndup(p->file.path, (size_t)(slash - p->file.path)) : rt_strdup("/");
}
