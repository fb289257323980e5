/* YAML values as JSON. */
#include "base/yaml.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool among(const char *s, const char *const *words) {
    for (; *words; words++)
        if (strcmp(s, *words) == 0)
            return true;
    return false;
}

/* 0o17 and 0x1F. */
static bool parse_based(const char *s, int64_t *out) {
    int base = s[0] != '0' ? 0 : s[1] == 'o' ? 8 : s[1] == 'x' ? 16 : 0;
    if (!base)
        return false;
    size_t digits = strspn(s + 2, base == 8 ? "01234567" : "0123456789abcdefABCDEF");
    if (digits == 0 || s[2 + digits])
        return false;
    errno = 0;
    long long v = strtoll(s + 2, NULL, base);
    *out = v;
    return errno == 0;
}

/* A plain scalar, typed by the core schema of YAML 1.2. */
static json_t *plain(const char *s) {
    static const char *const nulls[] = {"", "~", "null", "Null", "NULL", NULL};
    static const char *const trues[] = {"true", "True", "TRUE", NULL};
    static const char *const falses[] = {"false", "False", "FALSE", NULL};
    int64_t integer;
    double real;
    if (among(s, nulls))
        return json_null();
    if (among(s, trues))
        return json_true();
    if (among(s, falses))
        return json_false();
    if (rt_parse_i64(s, &integer) || parse_based(s, &integer))
        return json_integer(integer);
    if (rt_parse_f64(s, &real))
        return json_real(real);
    return json_string(s);
}

json_t *rt_ynode_json(const struct rt_ynode *n) {
    if (!n)
        return json_null();
    if (n->kind == RT_Y_SCALAR)
        return n->quoted ? json_string(n->text) : plain(n->text);
    json_t *v = n->kind == RT_Y_SEQ ? json_array() : json_object();
    for (size_t i = 0; i < n->n; i++) {
        json_t *item = rt_ynode_json(n->items[i]);
        if (n->kind == RT_Y_SEQ)
            json_array_append_new(v, item);
        else
            json_object_set_new(v, n->keys[i]->text, item);
    }
    return v;
}
