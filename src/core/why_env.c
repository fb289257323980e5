/* Runtime environments: what a job wants made, and the words of the installer that could not. */
#include "core/why_impl.h"

#include "core/rows.h"

/* ---- the line that says what is wrong ---- */

struct span {
    const char *s;
    size_t n;
};

static bool contains(struct span l, const char *word) {
    const size_t n = strlen(word);
    for (size_t i = 0; i + n <= l.n; i++)
        if (strncasecmp(l.s + i, word, n) == 0)
            return true;
    return false;
}

static bool begins(struct span l, const char *word) {
    return l.n >= strlen(word) && memcmp(l.s, word, strlen(word)) == 0;
}

/* How much a line tells; 0: nothing. */
static int weight(struct span l) {
    if (!l.n || strspn(l.s, "^~ -=.") >= l.n || begins(l, "File \"") || begins(l, "Traceback"))
        return 0;
    if (begins(l, "ERROR: No matching") || begins(l, "ResolvePackageNotFound") ||
        begins(l, "PackagesNotFoundError"))
        return 4;
    if (begins(l, "ERROR:") || begins(l, "error:") || begins(l, "× "))
        return 3;
    if (contains(l, "Error: ") || contains(l, "error: "))
        return 2;
    return 1;
}

const char *rt_installer_line(const char *text, size_t *n) {
    struct span best = {NULL, 0};
    int heaviest = 0;
    for (const char *s = text; s && *s;) {
        struct span l = {s, strcspn(s, "\n")};
        s += l.n + (s[l.n] == '\n');
        while (l.n && (*l.s == ' ' || *l.s == '\t' || *l.s == '\r'))
            l.s++, l.n--;
        const int v = weight(l);
        if (v && v >= heaviest) { /* of equal ones the last: it is the outcome */
            heaviest = v;
            best = l;
        }
    }
    *n = RT_MIN(best.n, (size_t)600);
    return best.s;
}

const char *why_installer(struct why *w, const char *text) {
    size_t n = 0;
    const char *line = rt_installer_line(text, &n);
    return line ? why_clean(w, rt_arena_strndup(w->arena, line, n)) : NULL;
}

/* ---- the environments that were made or not ---- */

/* pip: [...] and pip: {"packages": [...]} are the same wish. */
static const json_t *packages(const json_t *env, const char *kind) {
    const json_t *v = json_object_get(env, kind);
    return json_is_object(v) && json_object_get(v, "packages") ? json_object_get(v, "packages") : v;
}

static bool same_wish(const json_t *a, const json_t *b) {
    static const char *const kinds[] = {"pip",        "uv",        "conda",    "working_dir",
                                        "py_modules", "image_uri", "container"};
    bool any = false;
    for (size_t i = 0; i < RT_COUNT(kinds); i++) {
        const json_t *x = packages(a, kinds[i]), *y = packages(b, kinds[i]);
        if (!x && !y)
            continue;
        if (!x || !y || !json_equal(x, y))
            return false;
        any = true;
    }
    return any;
}

/* "pip, working_dir" */
static const char *parts(struct why *w, const json_t *env) {
    struct rt_buf b;
    const char *key;
    json_t *v;
    rt_buf_init(&b, 4 * RT_KIB);
    json_object_foreach((json_t *)(uintptr_t)env, key, v) {
        if (!rt_streq(key, "env_vars") && !rt_starts(key, "_ray") &&
            json_is_true(v) + json_is_string(v) + json_is_array(v) + json_is_object(v))
            rt_buf_addf(&b, "%s%s", b.len ? ", " : "", why_clean(w, key));
    }
    const char *out = rt_arena_strdup(w->arena, rt_buf_str(&b));
    rt_buf_deinit(&b);
    return out;
}

static const char *say_made(struct why *w, const json_t *env) {
    const struct rt_rows *l = &w->c->lists[RT_T_ENVS];
    const char *broken = NULL;
    for (size_t i = 0; i < l->n; i++) {
        const struct rt_env *e = rt_rows_at(l, i);
        json_t *of = e->runtime_env ? json_loads(e->runtime_env, 0, NULL) : NULL;
        const bool same = of && same_wish(env, of);
        json_decref(of);
        if (!same)
            continue;
        const char *node = why_node_name(w, e->node_id), *said = why_installer(w, e->error);
        if (!e->success && !e->error && e->creation_ms < 0) {
            why_line(w, RT_T_ENVS, "the runtime environment is being made on %s", node);
        } else if (e->success) {
            char took[32];
            why_line(w, RT_T_ENVS, "the runtime environment was made on %s%s%s", node,
                     e->creation_ms >= 0 ? " in " : "",
                     e->creation_ms >= 0 ? rt_fmt_age(took, sizeof(took), e->creation_ms) : "");
        } else if (said) {
            why_line(w, RT_T_ENVS, "the runtime environment could not be made on %s: %s", node,
                     said);
            broken = said;
        } else {
            why_line(w, RT_T_ENVS,
                     "the runtime environment could not be made on %s; Ray's list keeps no reason",
                     node);
        }
    }
    return broken;
}

const char *why_environment(struct why *w, const struct rt_job *j) {
    if (w->brief_only)
        return NULL;
    json_t *env = j->runtime_env ? json_loads(j->runtime_env, 0, NULL) : NULL;
    const char *wants = env ? parts(w, env) : "", *broken = NULL;
    if (*wants) {
        why_line(w, RT_T_JOBS, "its runtime environment wants: %s", wants);
        broken = say_made(w, env);
    }
    json_decref(env);
    return broken;
}
