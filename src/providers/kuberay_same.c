/* What a person could have typed; a worker group made from words. */
#include "base/shell.h"
#include "base/vec.h"
#include "providers/kuberay.h"
#include <stdio.h>

/* ---- commands ---- */

static void kubectl(struct rt_provider *p, const char *const *words, struct rt_buf *out) {
    struct rt_strs argv = {0};
    rt_kube_argv(p->kube, &argv);
    if (p->space) {
        rt_strs_add(&argv, "--namespace");
        rt_strs_add(&argv, p->space);
    }
    for (; *words; words++)
        rt_strs_add(&argv, *words);
    rt_shell_words(out, (const char *const *)argv.v);
    rt_buf_addc(out, '\n');
    rt_strs_deinit(&argv);
}

static void patch_line(struct rt_provider *p, json_t *patch, const char *type, struct rt_buf *out) {
    char *text = patch ? json_dumps(patch, JSON_COMPACT) : NULL;
    const char *const words[] = {"patch", "raycluster", p->name, type, "--patch", text, NULL};
    if (text)
        kubectl(p, words, out);
    free(text);
    json_decref(patch);
}

/* "delete-rayjob" of NAMESPACE/NAME. */
static bool same_change(struct rt_provider *p, const char *verb, const char *id, struct rt_buf *out) {
    const char *slash = id ? strchr(id, '/') : NULL;
    const char *kind = strchr(verb, '-');
    if (!slash || !kind)
        return false;
    struct rt_strs argv = {0};
    rt_kube_argv(p->kube, &argv);
    rt_strs_add(&argv, "--namespace");
    rt_strs_addf(&argv, "%.*s", (int)(slash - id), id);
    rt_strs_add(&argv, rt_starts(verb, "delete") ? "delete" : "patch");
    rt_strs_add(&argv, kind + 1);
    rt_strs_add(&argv, slash + 1);
    if (!rt_starts(verb, "delete")) {
        rt_strs_add(&argv, "--type=merge");
        rt_strs_add(&argv, "--patch");
        rt_strs_addf(&argv, "{\"spec\":{\"suspend\":%s}}", rt_starts(verb, "suspend") ? "true" : "false");
    }
    rt_shell_words(out, (const char *const *)argv.v);
    rt_buf_addc(out, '\n');
    rt_strs_deinit(&argv);
    return true;
}

static bool same_scale(struct rt_provider *p, const char *arg, struct rt_buf *out) {
    char pool[128], note[256];
    long long n = 0;
    struct rt_strs pods = {0};
    struct kpatch w;
    if (!arg || sscanf(arg, "%127s %lld", pool, &n) != 2)
        return false;
    const struct kgroup *g = kuberay_group(&p->seen, pool);
    if (!g || !p->object)
        return false;
    kuberay_plan_scale(p, g, n, -1, -1, &w, &pods, note, sizeof note);
    patch_line(p, kuberay_patch_group(p->object, pool, &w), "--type=json", out);
    rt_strs_deinit(&pods);
    return true;
}

bool kuberay_equivalent(struct rt_provider *p, const char *verb, const char *arg, struct rt_buf *out) {
    if (rt_streq(verb, "scale"))
        return same_scale(p, arg, out);
    if (rt_streq(verb, "suspend") || rt_streq(verb, "resume")) {
        patch_line(p, json_pack("{s:{s:b}}", "spec", "suspend", rt_streq(verb, "suspend")), "--type=merge", out);
        return true;
    }
    if (rt_ends(verb, "-rayjob") || rt_ends(verb, "-rayservice"))
        return same_change(p, verb, arg, out);
    if (rt_streq(verb, "forward")) {
        char *what = p->own->service ? rt_strf("service/%s", p->own->service) : rt_strf("service/%s", p->seen.head_service ? p->seen.head_service : p->name);
        const char *const words[] = {"port-forward", what, "8265", "10001", NULL};
        kubectl(p, words, out);
        free(what);
        return true;
    }
    return false;
}

/* ---- a group from words ---- */

static const char *const group_keys[] = {"like", "cpu", "memory_gb", "gpu_count", "replicas", "min", "max", "image", NULL};

static const char *field(const struct rt_strs *fields, const char *key) {
    const size_t n = strlen(key);
    for (size_t i = fields->n; i-- > 0;)
        if (strncmp(fields->v[i], key, n) == 0 && fields->v[i][n] == '=')
            return fields->v[i] + n + 1;
    return NULL;
}

static bool check_keys(const struct rt_strs *fields, struct rt_error *err) {
    for (size_t i = 0; i < fields->n; i++) {
        char *key = rt_strndup(fields->v[i], strcspn(fields->v[i], "="));
        bool there = false;
        for (size_t k = 0; group_keys[k]; k++)
            there = there || rt_streq(group_keys[k], key);
        if (!there || !strchr(fields->v[i], '=')) {
            const char *near = rt_nearest(key, group_keys);
            rt_error_set(err, RT_E_USAGE, "%s: a worker group has no such field", fields->v[i]);
            if (near)
                rt_error_hint(err, "did you mean %s=?", near);
            else
                rt_error_hint(err, "like= cpu= memory_gb= gpu_count= replicas= min= max= image=");
            free(key);
            return false;
        }
        free(key);
    }
    return true;
}

/* The template of a group, of the first one, or of the head. */
static json_t *template_of(const json_t *object, const char *like, struct rt_error *err) {
    json_t *groups = rt_json_at(object, "spec.workerGroupSpecs"), *g = NULL;
    size_t i = 0;
    json_array_foreach(groups, i, g)
        if (!like || rt_streq(rt_json_str(g, "groupName"), like))
            return json_deep_copy(json_object_get(g, "template"));
    if (like) {
        rt_error_set(err, RT_E_NOT_FOUND, "there is no worker group %s to be like", like);
        return NULL;
    }
    const json_t *head = json_array_get(rt_json_at(object, "spec.headGroupSpec.template.spec.containers"), 0);
    const char *image = rt_json_str(head, "image");
    return json_pack("{s:{s:[{s:s, s:s}]}}", "spec", "containers", "name", "ray-worker", "image", image ? image : "rayproject/ray");
}

static void set_both(json_t *resources, const char *key, const char *value) {
    static const char *const sides[] = {"limits", "requests"};
    for (size_t i = 0; i < RT_COUNT(sides); i++) {
        json_t *side = json_object_get(resources, sides[i]);
        if (!side) {
            side = json_object();
            json_object_set_new(resources, sides[i], side);
        }
        if (value)
            json_object_set_new(side, key, json_string(value));
        else
            json_object_del(side, key);
    }
}

static bool set_amounts(json_t *container, const struct rt_strs *fields, struct rt_error *err) {
    static const char *const keys[] = {"cpu", "memory_gb", "gpu_count"};
    static const char *const names[] = {"cpu", "memory", "nvidia.com/gpu"};
    json_t *resources = json_object_get(container, "resources");
    if (!resources) {
        resources = json_object();
        json_object_set_new(container, "resources", resources);
    }
    for (size_t i = 0; i < RT_COUNT(keys); i++) {
        const char *said = field(fields, keys[i]);
        double v = 0;
        char text[40];
        if (!said)
            continue;
        if (!rt_parse_f64(said, &v) || v < 0 || v > 1e6)
            return rt_error_set(err, RT_E_USAGE, "%s=%s is no amount", keys[i], said);
        if (i == 1)
            snprintf(text, sizeof text, "%.0fMi", v * 1024);
        else
            rt_fmt_amount(text, sizeof text, v);
        set_both(resources, names[i], v > 0 ? text : NULL);
    }
    return true;
}

static bool group_number(const struct rt_strs *fields, const char *key, int64_t absent, int64_t *out, struct rt_error *err) {
    const char *said = field(fields, key);
    *out = absent;
    return !said || (rt_parse_i64(said, out) && *out >= 0 && *out <= INT32_MAX) ||
           rt_error_set(err, RT_E_USAGE, "%s=%s is no number of nodes", key, said);
}

json_t *kuberay_group_of(const json_t *object, const char *name, const struct rt_strs *fields, struct rt_error *err) {
    struct kcluster c;
    int64_t replicas = 0, min = 0, max = 0;
    if (!rt_cluster_name_ok(name, NULL, err) || !check_keys(fields, err) || !kuberay_decode_cluster(object, &c, err))
        return NULL;
    const bool taken = kuberay_group(&c, name) || rt_streq(name, "head");
    kuberay_cluster_deinit(&c);
    if (taken) {
        rt_error_set(err, RT_E_CONFLICT, "a pool %s is there already", name);
        return NULL;
    }
    if (!group_number(fields, "replicas", 1, &replicas, err) || !group_number(fields, "min", 0, &min, err) ||
        !group_number(fields, "max", RT_MAX(replicas, min), &max, err))
        return NULL;
    if (min > max || replicas > max) {
        rt_error_set(err, RT_E_USAGE, "group %s: min and replicas must not be above max", name);
        return NULL;
    }
    json_t *pods = template_of(object, field(fields, "like"), err);
    json_t *container = json_array_get(rt_json_at(pods, "spec.containers"), 0);
    if (!pods || !container || !set_amounts(container, fields, err)) {
        if (pods && !container)
            rt_error_set(err, RT_E_PROTOCOL, "the template that it would be like has no container");
        json_decref(pods);
        return NULL;
    }
    if (field(fields, "image"))
        json_object_set_new(container, "image", json_string(field(fields, "image")));
    return json_pack("{s:s, s:I, s:I, s:I, s:{}, s:o}", "groupName", name, "replicas", (json_int_t)replicas, "minReplicas", (json_int_t)min,
                     "maxReplicas", (json_int_t)max, "rayStartParams", "template", pods);
}
