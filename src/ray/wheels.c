/* Entries of pip and uv that name a wheel in the working directory: a name misspelt there is found
 * out by Ray only minutes later, on the cluster. The entries themselves are never touched. */
#include "ray/plan.h"
#include "ray/walk.h"

#include <string.h>

static const char PLACEHOLDER[] = "${RAY_RUNTIME_ENV_CREATE_WORKING_DIR}/";

struct wheels {
    const struct rt_walk *walk; /* NULL: there is no local working directory */
    const char *dir;
    struct rt_strs names; /* the wheels that will be there */
    struct rt_strs *warnings;
};

static bool goes_along(const struct wheels *w, const char *rel) {
    for (size_t i = 0; i < w->walk->entries.n; i++)
        if (strcmp(w->walk->entries.v[i].rel, rel) == 0 &&
            w->walk->entries.v[i].kind == RT_ENTRY_FILE)
            return true;
    return false;
}

static size_t common_prefix(const char *a, const char *b) {
    size_t n = 0;
    while (a[n] && a[n] == b[n])
        n++;
    return n;
}

/* By spelling, else the one that begins alike ("x-1.2.whl" for "x-1.2.0-py3-none-any.whl"). */
static const char *nearest(const struct wheels *w, const char *rel) {
    if (w->names.n == 0)
        return NULL;
    const char *near = rt_nearest(rel, (const char *const *)w->names.v);
    size_t best = 3;
    for (size_t i = 0; !near && i < w->names.n; i++)
        best = RT_MAX(best, common_prefix(rel, w->names.v[i]));
    for (size_t i = 0; !near && i < w->names.n; i++)
        if (best > 3 && common_prefix(rel, w->names.v[i]) == best)
            near = w->names.v[i];
    return near;
}

static void check_one(const struct wheels *w, const char *entry) {
    const char *at = strstr(entry, PLACEHOLDER);
    if (!at)
        return;
    at += sizeof(PLACEHOLDER) - 1;
    char *rel = rt_strndup(at, strcspn(at, " ;[#\"'"));
    if (!rt_ends(rel, ".whl") || (w->walk && goes_along(w, rel))) {
        free(rel);
        return;
    }
    const char *near = w->walk ? nearest(w, rel) : NULL;
    char *path = w->walk ? rt_strf("%s/%s", w->dir, rel) : NULL;
    struct stat st;
    if (!w->walk)
        rt_strs_addf(w->warnings,
                     "%s is named in the runtime_env, but there is no local working directory",
                     rel);
    else if (stat(path, &st) == 0)
        rt_strs_addf(
            w->warnings,
            "%s is named in the runtime_env, but an ignore rule leaves it out of the package", rel);
    else if (near)
        rt_strs_addf(w->warnings,
                     "%s is named in the runtime_env, but not in the directory. Did you mean %s?",
                     rel, near);
    else
        rt_strs_addf(w->warnings, "%s is named in the runtime_env, but not in the directory", rel);
    free(path);
    free(rel);
}

static void check_list(const struct wheels *w, const json_t *list) {
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v) {
        if (json_is_string(v))
            check_one(w, json_string_value(v));
    }
}

static void check_tool(const struct wheels *w, const json_t *tool) {
    check_list(w, json_is_object(tool) ? json_object_get(tool, "packages") : tool);
}

static bool names_any(const json_t *env) {
    char *text = json_dumps(env, JSON_COMPACT);
    const bool yes = text && strstr(text, PLACEHOLDER);
    free(text);
    return yes;
}

void rt_env_check_wheels(const json_t *env, const char *working_dir, const struct rt_strs *excludes,
                         struct rt_strs *warnings) {
    if (!names_any(env))
        return;
    struct rt_error ignored = {0};
    struct rt_walk walk = {0};
    struct wheels w = {.warnings = warnings, .dir = working_dir};
    if (working_dir && rt_walk(working_dir, excludes, NULL, &walk, &ignored))
        w.walk = &walk;
    for (size_t i = 0; w.walk && i < walk.entries.n; i++)
        if (rt_ends(walk.entries.v[i].rel, ".whl"))
            rt_strs_add(&w.names, walk.entries.v[i].rel);
    check_tool(&w, json_object_get(env, "pip"));
    check_tool(&w, json_object_get(env, "uv"));
    rt_strs_deinit(&w.names);
    rt_walk_deinit(&walk);
}
