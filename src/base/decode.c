/* JSON values to structs by field tables. */
#include "base/decode.h"
#include "base/str.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *type_name(const json_t *v) {
    switch (json_typeof(v)) {
    case JSON_OBJECT:
        return "object";
    case JSON_ARRAY:
        return "list";
    case JSON_STRING:
        return "text";
    case JSON_INTEGER:
        return "integer";
    case JSON_REAL:
        return "number";
    case JSON_TRUE:
    case JSON_FALSE:
        return "boolean";
    case JSON_NULL:
        break;
    }
    return "null";
}

static bool unexpected(const json_t *v, struct rt_error *err) {
    if (!json_is_string(v))
        return rt_error_set(err, RT_E_PROTOCOL, "unexpected %s", type_name(v));
    char shown[60];
    return rt_error_set(err, RT_E_PROTOCOL, "unexpected text \"%s\"",
                        rt_clean_to(shown, sizeof shown, json_string_value(v)));
}

int64_t rt_i64_within(double v) {
    if (isnan(v))
        return 0;
    if (v >= (double)RT_I64_MOST)
        return RT_I64_MOST;
    if (v <= -(double)RT_I64_MOST)
        return -RT_I64_MOST;
    return (int64_t)v;
}

static int64_t within(int64_t v) {
    return RT_MAX(-RT_I64_MOST, RT_MIN(v, RT_I64_MOST));
}

static bool to_f64(const json_t *v, double *out) {
    if (json_is_number(v)) {
        *out = json_number_value(v);
        return true;
    }
    return json_is_string(v) && rt_parse_f64(json_string_value(v), out);
}

static bool to_i64(const json_t *v, int64_t *out) {
    double real;
    if (json_is_integer(v)) {
        *out = within(json_integer_value(v));
        return true;
    }
    if (json_is_string(v) && rt_parse_i64(json_string_value(v), out)) {
        *out = within(*out);
        return true;
    }
    if (!to_f64(v, &real))
        return false;
    *out = rt_i64_within(real);
    return true;
}

static const char *to_text(const json_t *v, struct rt_arena *arena) {
    if (json_is_string(v))
        return rt_arena_strndup(arena, json_string_value(v), json_string_length(v));
    char *dump = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    const char *text = rt_arena_strdup(arena, dump ? dump : "");
    free(dump);
    return text;
}

static bool to_kvs(const json_t *v, struct rt_kvs *out, struct rt_arena *arena) {
    if (!json_is_object(v))
        return false;
    out->v = rt_arena_alloc(arena, json_object_size(v) * sizeof *out->v);
    for (void *it = json_object_iter((json_t *)(uintptr_t)v); it;
         it = json_object_iter_next((json_t *)(uintptr_t)v, it)) {
        const json_t *value = json_object_iter_value(it);
        struct rt_kv *kv = &out->v[out->n++];
        kv->key = rt_arena_strdup(arena, json_object_iter_key(it));
        kv->value = json_is_null(value) ? NULL : to_text(value, arena);
    }
    return true;
}

static bool to_resources(const json_t *v, struct rt_resources *out, struct rt_arena *arena,
                         struct rt_error *err) {
    if (!json_is_object(v))
        return unexpected(v, err);
    out->v = rt_arena_alloc(arena, json_object_size(v) * sizeof *out->v);
    for (void *it = json_object_iter((json_t *)(uintptr_t)v); it;
         it = json_object_iter_next((json_t *)(uintptr_t)v, it)) {
        const json_t *value = json_object_iter_value(it);
        double amount;
        if (json_is_null(value))
            continue;
        if (!to_f64(value, &amount)) {
            char key[60];
            unexpected(value, err);
            return rt_error_wrap(err, "%s", rt_clean_to(key, sizeof key, json_object_iter_key(it)));
        }
        out->v[out->n++] =
            (struct rt_resource){rt_arena_strdup(arena, json_object_iter_key(it)), amount};
    }
    return true;
}

static int word_index(const char *const *names, const char *word) {
    for (int i = 0; names && names[i]; i++)
        if (strcmp(names[i], word) == 0)
            return i;
    return 0;
}

static void set_absent(const struct rt_field *fields, void *out) {
    for (const struct rt_field *f = fields; f->key; f++) {
        char *at = (char *)out + f->off;
        switch (f->type) {
        case RT_F_STR:
        case RT_F_JSON:
            *(const char **)(void *)at = NULL;
            break;
        case RT_F_I64:
            *(int64_t *)(void *)at = f->absent;
            break;
        case RT_F_F64:
            *(double *)(void *)at = (double)f->absent;
            break;
        case RT_F_BOOL:
            *(bool *)(void *)at = f->absent != 0;
            break;
        case RT_F_ENUM:
            *(int *)(void *)at = (int)f->absent;
            break;
        case RT_F_OBJ:
            set_absent(f->sub, at);
            break;
        case RT_F_KV:
            *(struct rt_kvs *)(void *)at = (struct rt_kvs){0};
            break;
        case RT_F_RES:
            *(struct rt_resources *)(void *)at = (struct rt_resources){0};
            break;
        }
    }
}

static bool read_fields(const json_t *v, const struct rt_field *fields, void *out,
                        struct rt_arena *arena, struct rt_error *err);

/* The value is there and not null; its member holds what absent means. */
static bool read_value(const json_t *v, const struct rt_field *f, void *member,
                       struct rt_arena *arena, struct rt_error *err) {
    switch (f->type) {
    case RT_F_STR:
        if (!json_is_string(v))
            return unexpected(v, err);
        *(const char **)member = to_text(v, arena);
        return true;
    case RT_F_I64:
        return to_i64(v, member) || unexpected(v, err);
    case RT_F_F64:
        return to_f64(v, member) || unexpected(v, err);
    case RT_F_BOOL:
        *(bool *)member = json_is_true(v);
        return json_is_boolean(v) || unexpected(v, err);
    case RT_F_ENUM:
        *(int *)member = json_is_string(v) ? word_index(f->names, json_string_value(v)) : 0;
        return json_is_string(v) || unexpected(v, err);
    case RT_F_OBJ:
        return read_fields(v, f->sub, member, arena, err);
    case RT_F_KV:
        return to_kvs(v, member, arena) || unexpected(v, err);
    case RT_F_RES:
        return to_resources(v, member, arena, err);
    case RT_F_JSON:
        break;
    }
    char *dump = json_dumps(v, JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15));
    *(const char **)member = rt_arena_strdup(arena, dump);
    free(dump);
    return true;
}

static bool read_fields(const json_t *v, const struct rt_field *fields, void *out,
                        struct rt_arena *arena, struct rt_error *err) {
    if (!json_is_object(v))
        return unexpected(v, err);
    for (const struct rt_field *f = fields; f->key; f++) {
        const json_t *value = json_object_get(v, f->key);
        if (value && !json_is_null(value)) {
            if (!read_value(value, f, (char *)out + f->off, arena, err))
                return rt_error_wrap(err, "%s", f->key);
        } else if (f->required) {
            return rt_error_set(err, RT_E_PROTOCOL, "%s: %s", f->key, value ? "null" : "missing");
        }
    }
    return true;
}

bool rt_decode(const json_t *v, const struct rt_field *fields, void *out, struct rt_arena *arena,
               struct rt_error *err) {
    set_absent(fields, out);
    if (!v)
        return rt_error_set(err, RT_E_PROTOCOL, "missing");
    return read_fields(v, fields, out, arena, err);
}

const char *rt_kvs_get(const struct rt_kvs *l, const char *key) {
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i].key, key) == 0)
            return l->v[i].value;
    return NULL;
}

double rt_resources_get(const struct rt_resources *l, const char *name, double absent) {
    for (size_t i = 0; i < l->n; i++)
        if (strcmp(l->v[i].name, name) == 0)
            return l->v[i].amount;
    return absent;
}
