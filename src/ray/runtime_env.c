/* runtime_env: from YAML or JSON, merged with variables from elsewhere. What raytui does not know
 * passes through untouched. */
#include "base/fs.h"
#include "base/yaml.h"
#include "ray/plan.h"

#include <string.h>

/* ---- reading a file ---- */

static bool is_plain_text(const json_t *v) {
    return json_is_string(v);
}

/* Ray takes only text; 1.10 must stay "1.10", so the scalar's own spelling counts. */
static void vars_as_text(const struct rt_ynode *vars, json_t *out, struct rt_strs *warnings) {
    for (size_t i = 0; vars && vars->kind == RT_Y_MAP && i < vars->n; i++) {
        const char *name = vars->keys[i]->text;
        const struct rt_ynode *value = vars->items[i];
        const json_t *typed = json_object_get(out, name);
        if (value->kind != RT_Y_SCALAR || is_plain_text(typed))
            continue;
        if (json_is_null(typed))
            rt_strs_addf(warnings, "env_vars: %s has no value: sent as \"\"", name);
        else
            rt_strs_addf(warnings, "env_vars: %s: %s is sent as the text \"%s\"", name, value->text,
                         value->text);
        json_object_set_new(out, name, json_string(json_is_null(typed) ? "" : value->text));
    }
}

static char *dump(json_t *v) {
    char *raw = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(v);
    return raw;
}

static char *from_yaml(const char *path, const char *text, size_t n, struct rt_strs *warnings,
                       struct rt_error *err) {
    struct rt_ydoc doc;
    if (!rt_yaml_parse(path, text, n, &doc, err))
        return NULL;
    char *out = NULL;
    if (!doc.root) {
        out = rt_strdup("{}");
    } else if (doc.root->kind != RT_Y_MAP) {
        rt_ynode_error(doc.root, err, "a runtime_env is a map (pip, uv, env_vars, ...)");
    } else {
        json_t *v = rt_ynode_json(doc.root);
        vars_as_text(rt_ynode_get(doc.root, "env_vars"), json_object_get(v, "env_vars"), warnings);
        out = dump(v);
    }
    rt_yaml_deinit(&doc);
    return out;
}

char *rt_runtime_env_load(const char *path, struct rt_strs *warnings, struct rt_error *err) {
    struct rt_buf text;
    rt_buf_init(&text, 0);
    char *out = NULL;
    if (rt_file_read(path, RT_MIB, &text, err)) {
        const char *s = rt_buf_str(&text);
        struct rt_error json_err = {0};
        json_t *v = s[strspn(s, " \t\r\n")] == '{' ? rt_json_parse(s, text.len, &json_err) : NULL;
        /* What is not JSON may still be YAML's form of it, and there errors name their line. */
        out = v ? dump(v) : from_yaml(path, s, text.len, warnings, err);
    }
    rt_buf_deinit(&text);
    return out;
}

/* ---- variables ---- */

static bool set_pair(json_t *vars, const char *pair, bool only_if_absent, struct rt_error *err) {
    const char *equals = strchr(pair, '=');
    if (!equals || equals == pair)
        return rt_error_set(err, RT_E_USAGE, "an environment variable is NAME=VALUE, not \"%.*s\"",
                            (int)strcspn(pair, "="), pair);
    char *name = rt_strndup(pair, (size_t)(equals - pair));
    json_t *value = json_string(equals + 1);
    const bool text = value != NULL;
    if (text && !(only_if_absent && json_object_get(vars, name)))
        json_object_set(vars, name, value);
    json_decref(value);
    if (!text)
        rt_error_set(err, RT_E_USAGE, "%s: the value is not UTF-8", name);
    free(name);
    return text;
}

static bool normalize_vars(json_t *vars, struct rt_strs *warnings, struct rt_error *err) {
    const char *name;
    json_t *v;
    void *next;
    json_object_foreach_safe(vars, next, name, v) {
        if (is_plain_text(v))
            continue;
        if (json_is_object(v) || json_is_array(v))
            return rt_error_set(err, RT_E_USAGE, "runtime_env: env_vars: %s is no text", name);
        char *text = json_is_null(v) ? rt_strdup("")
                                     : json_dumps(v, JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
        rt_strs_addf(warnings, "env_vars: %s: sent as the text \"%s\"", name, text);
        json_object_set_new(vars, name, json_string(text));
        free(text);
    }
    return true;
}

bool rt_env_merge_vars(json_t *env, const struct rt_strs *under, const struct rt_strs *over,
                       struct rt_strs *warnings, struct rt_error *err) {
    json_t *vars = json_object_get(env, "env_vars");
    if (vars && !json_is_object(vars) && !json_is_null(vars))
        return rt_error_set(err, RT_E_USAGE, "runtime_env: env_vars is a map of names and texts");
    if (!json_is_object(vars)) {
        vars = json_object();
        json_object_set_new(env, "env_vars", vars);
    }
    bool ok = normalize_vars(vars, warnings, err);
    for (size_t i = 0; ok && i < under->n; i++)
        ok = set_pair(vars, under->v[i], true, err);
    for (size_t i = 0; ok && i < over->n; i++)
        ok = set_pair(vars, over->v[i], false, err);
    if (json_object_size(vars) == 0)
        json_object_del(env, "env_vars");
    return ok;
}

/* ---- files named in it ---- */

static json_t *requirement_lines(const char *path, struct rt_error *err) {
    struct rt_buf text;
    rt_buf_init(&text, 0);
    json_t *out = NULL;
    if (rt_file_read(path, RT_MIB, &text, err)) {
        out = json_array();
        for (const char *s = rt_buf_str(&text); *s;) {
            const size_t n = strcspn(s, "\r\n");
            if (n > 0 && json_array_append_new(out, json_stringn(s, n)) != 0) {
                rt_error_set(err, RT_E_USAGE, "%s is not UTF-8", path);
                json_decref(out);
                out = NULL;
                break;
            }
            s += n;
            s += strspn(s, "\r\n");
        }
    }
    rt_buf_deinit(&text);
    return out;
}

static json_t *conda_file(const char *path, struct rt_error *err) {
    struct rt_ydoc doc;
    if (!rt_yaml_load(path, &doc, err))
        return NULL;
    json_t *v = doc.root && doc.root->kind == RT_Y_MAP ? rt_ynode_json(doc.root) : NULL;
    if (!v)
        rt_error_set(err, RT_E_CONFIG, "%s: a conda environment is a map", path);
    rt_yaml_deinit(&doc);
    return v;
}

static bool inline_one(json_t *env, const char *key, bool conda, struct rt_error *err) {
    const char *path = json_string_value(json_object_get(env, key));
    if (!path || (conda && !rt_ends(path, ".yml") && !rt_ends(path, ".yaml")))
        return true; /* a conda environment's name */
    char *full = rt_path_expand(path);
    json_t *v = conda ? conda_file(full, err) : requirement_lines(full, err);
    free(full);
    if (!v)
        return rt_error_wrap(err, "runtime_env: %s", key);
    json_object_set_new(env, key, v);
    return true;
}

bool rt_env_inline_files(json_t *env, struct rt_error *err) {
    return inline_one(env, "pip", false, err) && inline_one(env, "uv", false, err) &&
           inline_one(env, "conda", true, err);
}
