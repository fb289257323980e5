/* YAML maps to structs by field tables; every problem is reported where it stands. */
#include "base/mem.h"
#include "base/yaml.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct job {
    rt_yproblem_fn *problem;
    void *ctx;
    bool ok;
};

static bool read_map(const struct rt_ynode *map, const struct rt_yfield *fields,
                     const struct rt_yfield *also, void *out, struct job *job);

static void report(struct job *job, const struct rt_error *err) {
    job->ok = false;
    if (job->problem)
        job->problem(job->ctx, err);
}

static const char *kind_name(const struct rt_ynode *n) {
    return n->kind == RT_Y_MAP ? "a map" : n->kind == RT_Y_SEQ ? "a list" : "a text";
}

static bool is_null(const struct rt_ynode *n) {
    return n->kind == RT_Y_SCALAR && !n->quoted &&
           (!*n->text || !strcmp(n->text, "~") || !strcmp(n->text, "null") ||
            !strcmp(n->text, "Null") || !strcmp(n->text, "NULL"));
}

/* The scalar as it may be shown in a message. */
static const char *shown(const struct rt_ynode *n, const struct rt_yfield *f, char *out,
                         size_t size) {
    return f->secret ? "(hidden)" : rt_clean_to(out, size, n->text);
}

static bool wrong_kind(const struct rt_ynode *n, const struct rt_yfield *f, const char *wanted,
                       struct rt_error *err) {
    return rt_ynode_error(n, err, "%s: %s where %s is expected", f->key, kind_name(n), wanted);
}

/* ---- numbers and their limits ---- */

static void show_limit(const struct rt_yfield *f, int64_t v, char *out, size_t size) {
    if (f->type == RT_Y_DURATION)
        rt_fmt_age(out, size, v);
    else if (f->type == RT_Y_SIZE)
        rt_fmt_bytes(out, size, (double)v);
    else
        snprintf(out, size, "%lld", (long long)v);
}

static bool within(const struct rt_ynode *n, const struct rt_yfield *f, double v,
                   struct rt_error *err) {
    char low[40], high[40], text[80];
    bool upper = f->max != 0 || f->min < 0;
    if ((f->min == 0 && f->max == 0) || (v >= (double)f->min && (!upper || v <= (double)f->max)))
        return true;
    show_limit(f, f->min, low, sizeof low);
    show_limit(f, f->max, high, sizeof high);
    if (!upper)
        return rt_ynode_error(n, err, "%s: %s is less than %s", f->key,
                              shown(n, f, text, sizeof text), low);
    return rt_ynode_error(n, err, "%s: %s is not between %s and %s", f->key,
                          shown(n, f, text, sizeof text), low, high);
}

static bool read_number(const struct rt_ynode *n, const struct rt_yfield *f, void *member,
                        struct rt_error *err) {
    char text[80];
    int64_t i = 0;
    double d = 0;
    struct rt_error why = {0};
    switch (f->type) {
    case RT_Y_I64:
        if (!rt_parse_i64(n->text, &i))
            return rt_ynode_error(n, err, "%s: \"%s\" is no whole number", f->key,
                                  shown(n, f, text, sizeof text));
        break;
    case RT_Y_F64:
        if (!rt_parse_f64(n->text, &d))
            return rt_ynode_error(n, err, "%s: \"%s\" is no number", f->key,
                                  shown(n, f, text, sizeof text));
        break;
    default:
        if (!(f->type == RT_Y_SIZE ? rt_parse_size(n->text, &i, &why)
                                   : rt_parse_duration(n->text, &i, &why))) {
            rt_ynode_error(n, err, "%s: %s", f->key,
                           f->secret ? "this value is not understood" : why.message);
            return rt_error_hint(err, "%s", why.hint);
        }
    }
    if (f->type != RT_Y_F64)
        d = (double)i;
    if (!within(n, f, d, err))
        return false;
    if (f->type == RT_Y_F64)
        *(double *)member = d;
    else
        *(int64_t *)member = i;
    return true;
}

/* ---- words ---- */

static bool read_bool(const struct rt_ynode *n, const struct rt_yfield *f, bool *member,
                      struct rt_error *err) {
    static const char *const words[] = {"false", "no", "off", "true", "yes", "on"};
    for (size_t i = 0; i < RT_COUNT(words); i++)
        if (strlen(n->text) == strlen(words[i]) && rt_contains_i(n->text, words[i])) {
            *member = i >= RT_COUNT(words) / 2;
            return true;
        }
    char text[80];
    return rt_ynode_error(n, err, "%s: \"%s\" is neither true nor false", f->key,
                          shown(n, f, text, sizeof text));
}

static bool read_enum(const struct rt_ynode *n, const struct rt_yfield *f, int *member,
                      struct rt_error *err) {
    for (int i = 0; f->names[i]; i++)
        if (strcmp(f->names[i], n->text) == 0) {
            *member = i;
            return true;
        }
    char text[80];
    struct rt_buf list;
    rt_buf_init(&list, 0);
    for (size_t i = 0; f->names[i]; i++)
        rt_buf_addf(&list, "%s%s", i ? ", " : "", f->names[i]);
    const char *near = rt_nearest(n->text, f->names);
    if (near)
        rt_ynode_error(n, err, "%s: unknown \"%s\", did you mean \"%s\"?", f->key,
                       shown(n, f, text, sizeof text), near);
    else
        rt_ynode_error(n, err, "%s: unknown \"%s\"", f->key, shown(n, f, text, sizeof text));
    rt_error_hint(err, "one of: %s", rt_buf_str(&list));
    rt_buf_deinit(&list);
    return false;
}

/* ---- lists ---- */

static bool read_strs(const struct rt_ynode *n, const struct rt_yfield *f, struct rt_strs *member,
                      struct rt_error *err) {
    struct rt_strs list = {0};
    if (n->kind == RT_Y_SCALAR)
        rt_strs_add(&list, n->text);
    for (size_t i = 0; i < n->n; i++) {
        if (n->items[i]->kind != RT_Y_SCALAR) {
            rt_strs_deinit(&list);
            return wrong_kind(n->items[i], f, "a text", err);
        }
        rt_strs_add(&list, n->items[i]->text);
    }
    rt_strs_deinit(member);
    *member = list;
    return true;
}

static bool read_kvs(const struct rt_ynode *n, const struct rt_yfield *f, struct rt_strs *member,
                     struct rt_error *err) {
    struct rt_strs list = {0};
    for (size_t i = 0; i < n->n; i++) {
        const struct rt_ynode *value = n->items[i];
        const char *key = n->keys[i]->text;
        char text[80];
        bool bad_key = !*key || strchr(key, '=');
        if (bad_key || value->kind != RT_Y_SCALAR) {
            rt_strs_deinit(&list);
            rt_clean_to(text, sizeof text, key);
            return bad_key ? rt_ynode_error(n->keys[i], err, "%s: \"%s\" cannot be a name here",
                                            f->key, text)
                           : rt_ynode_error(value, err, "%s: %s: %s where a text is expected",
                                            f->key, text, kind_name(value));
        }
        rt_strs_addf(&list, "%s=%s", key, is_null(value) ? "" : value->text);
    }
    rt_strs_deinit(member);
    *member = list;
    return true;
}

/* ---- fields ---- */

static bool read_custom(const struct rt_ynode *n, const struct rt_yfield *f, void *member,
                        struct rt_error *err) {
    if (f->parse(n, member, err))
        return true;
    size_t len = strlen(n->file);
    if (strncmp(err->message, n->file, len) != 0 || err->message[len] != ':') {
        struct rt_error inner = *err;
        rt_ynode_error(n, err, "%s: %s", f->key, inner.message);
        rt_error_hint(err, "%s", inner.hint);
    }
    return false;
}

static bool read_scalar(const struct rt_ynode *n, const struct rt_yfield *f, void *member,
                        struct rt_error *err) {
    switch (f->type) {
    case RT_Y_STR:
        free(*(char **)member);
        *(char **)member = rt_strdup(n->text);
        return true;
    case RT_Y_BOOL:
        return read_bool(n, f, member, err);
    case RT_Y_ENUM:
        return read_enum(n, f, member, err);
    default:
        return read_number(n, f, member, err);
    }
}

static bool read_member(const struct rt_ynode *n, const struct rt_yfield *f, void *member,
                        struct rt_error *err) {
    switch (f->type) {
    case RT_Y_STRS:
        return n->kind == RT_Y_MAP ? wrong_kind(n, f, "a list", err) : read_strs(n, f, member, err);
    case RT_Y_KVS:
        return n->kind != RT_Y_MAP ? wrong_kind(n, f, "a map", err) : read_kvs(n, f, member, err);
    case RT_Y_NODE:
        *(const struct rt_ynode **)member = n;
        return true;
    case RT_Y_CUSTOM:
        return read_custom(n, f, member, err);
    default:
        return n->kind != RT_Y_SCALAR ? wrong_kind(n, f, "a single value", err)
                                      : read_scalar(n, f, member, err);
    }
}

static void read_value(const struct rt_ynode *n, const struct rt_yfield *f, void *out,
                       struct job *job) {
    void *member = (char *)out + f->off;
    struct rt_error err = {0};
    if (is_null(n) && f->type != RT_Y_NODE && f->type != RT_Y_CUSTOM)
        return;
    if (f->type == RT_Y_STRUCT && n->kind == RT_Y_MAP)
        read_map(n, f->sub, NULL, member, job);
    else if (f->type == RT_Y_STRUCT ? !wrong_kind(n, f, "a map", &err)
                                    : !read_member(n, f, member, &err))
        report(job, &err);
}

static const struct rt_yfield *find_field(const struct rt_yfield *fields, const char *key) {
    for (const struct rt_yfield *f = fields; f && f->key; f++) {
        if (strcmp(f->key, key) == 0)
            return f;
        for (size_t i = 0; i < RT_COUNT(f->alias); i++)
            if (f->alias[i] && strcmp(f->alias[i], key) == 0)
                return f;
    }
    return NULL;
}

static size_t count_fields(const struct rt_yfield *fields) {
    size_t n = 0;
    while (fields && fields[n].key)
        n++;
    return n;
}

static void unknown_key(const struct rt_ynode *key, const struct rt_yfield *fields,
                        const struct rt_yfield *also, struct job *job) {
    size_t n = 0, count = count_fields(fields), more = count_fields(also);
    const char **words = rt_alloc((count + more + 1) * sizeof *words);
    for (size_t i = 0; i < count; i++)
        words[n++] = fields[i].key;
    for (size_t i = 0; i < more; i++)
        words[n++] = also[i].key;
    char text[80];
    struct rt_error err = {0};
    const char *near = rt_nearest(key->text, words);
    rt_clean_to(text, sizeof text, key->text);
    if (near)
        rt_ynode_error(key, &err, "unknown key \"%s\", did you mean \"%s\"?", text, near);
    else
        rt_ynode_error(key, &err, "unknown key \"%s\"", text);
    free(words);
    report(job, &err);
}

static bool read_map(const struct rt_ynode *map, const struct rt_yfield *fields,
                     const struct rt_yfield *also, void *out, struct job *job) {
    const struct rt_ynode **seen = rt_alloc((count_fields(fields) + 1) * sizeof *seen);
    for (size_t i = 0; i < map->n; i++) {
        const struct rt_ynode *key = map->keys[i];
        const struct rt_yfield *f = find_field(fields, key->text);
        if (!f) {
            if (!find_field(also, key->text))
                unknown_key(key, fields, also, job);
            continue;
        }
        const struct rt_ynode **before = &seen[f - fields];
        if (*before) {
            struct rt_error err = {0};
            rt_ynode_error(key, &err, "\"%s\" is another name of \"%s\" in line %d", key->text,
                           (*before)->text, (*before)->line);
            report(job, &err);
            continue;
        }
        *before = key;
        read_value(map->items[i], f, out, job);
    }
    free(seen);
    return job->ok;
}

bool rt_yaml_read(const struct rt_ynode *map, const struct rt_yfield *fields,
                  const struct rt_yfield *also, void *out, rt_yproblem_fn *problem, void *ctx) {
    struct job job = {.problem = problem, .ctx = ctx, .ok = true};
    if (!map || is_null(map))
        return true;
    if (map->kind == RT_Y_MAP)
        return read_map(map, fields, also, out, &job);
    struct rt_error err = {0};
    rt_ynode_error(map, &err, "%s where a map is expected", kind_name(map));
    report(&job, &err);
    return false;
}

void rt_yaml_free(const struct rt_yfield *fields, void *out) {
    for (const struct rt_yfield *f = fields; f->key; f++) {
        void *member = (char *)out + f->off;
        switch (f->type) {
        case RT_Y_STR:
            free(*(char **)member);
            *(char **)member = NULL;
            break;
        case RT_Y_I64:
        case RT_Y_DURATION:
        case RT_Y_SIZE:
            *(int64_t *)member = 0;
            break;
        case RT_Y_F64:
            *(double *)member = 0;
            break;
        case RT_Y_BOOL:
            *(bool *)member = false;
            break;
        case RT_Y_ENUM:
            *(int *)member = 0;
            break;
        case RT_Y_STRS:
        case RT_Y_KVS:
            rt_strs_deinit(member);
            break;
        case RT_Y_STRUCT:
            rt_yaml_free(f->sub, member);
            break;
        case RT_Y_NODE:
            *(const struct rt_ynode **)member = NULL;
            break;
        case RT_Y_CUSTOM:
            break;
        }
    }
}
