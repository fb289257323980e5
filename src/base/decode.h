/* JSON value to struct by a table of fields.
 *
 * Unknown keys pass; null is absent; a wrong type names its path; an unknown enum word becomes 0.
 * Numbers also come as decimal strings and past 64 bits; whole ones are kept within RT_I64_MOST, so that the sum and the
 * difference of two are numbers too. Absent numbers become the field's
 * `absent` value. Strings, lists and maps live in the arena given. */
#ifndef RT_BASE_DECODE_H
#define RT_BASE_DECODE_H

#include "base/error.h"
#include "base/mem.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RT_I64_MOST (INT64_MAX / 4)
int64_t rt_i64_within(double v); /* cut to what fits; 0 for what is no number */

enum rt_ftype {
    RT_F_STR,  /* const char *; NULL when absent */
    RT_F_I64,  /* int64_t; number, float or decimal string */
    RT_F_F64,  /* double */
    RT_F_BOOL, /* bool */
    RT_F_ENUM, /* int; index into `names`, 0 for a word that is not there */
    RT_F_OBJ,  /* a struct inside; `sub` fields; absent leaves its members absent */
    RT_F_KV,   /* struct rt_kvs: object of scalars as text, nested values as compact JSON */
    RT_F_RES,  /* struct rt_resources: object of numbers */
    RT_F_JSON  /* const char *: any value as compact JSON text; NULL when absent */
};

struct rt_kv {
    const char *key, *value; /* value NULL for JSON null */
};
struct rt_kvs {
    struct rt_kv *v;
    size_t n;
};
struct rt_resource {
    const char *name;
    double amount;
};
struct rt_resources {
    struct rt_resource *v;
    size_t n;
};

struct rt_field {
    size_t off;
    const char *key; /* NULL ends the table */
    enum rt_ftype type;
    bool required;
    int64_t absent;            /* for numbers, bools, enums: what an absent or null value reads as */
    const char *const *names;  /* enum words, [0] is "other"; NULL-terminated */
    const struct rt_field *sub;
};
/* RT_FIELD(struct rt_job, start_ms, "start_time", RT_F_I64, .absent = -1) */
#define RT_FIELD(T, member, ...) {.off = offsetof(T, member), __VA_ARGS__}

/* Fills `out` (zeroed by the callee for the fields named). */
bool rt_decode(const json_t *v, const struct rt_field *fields, void *out, struct rt_arena *arena,
               struct rt_error *err);

/* Parses text as JSON, at most 64 MiB and 2048 levels; gives the value. What Python writes although JSON
 * does not know it is understood: integers past 64 bits become reals, NaN and Infinity null, single
 * surrogates and bytes that are no UTF-8 U+FFFD. */
json_t *rt_json_parse(const char *text, size_t n, struct rt_error *err);
/* RT_E_PROTOCOL for a text that is no JSON, with its first bytes; HTML is named as such. Returns false. */
bool rt_json_unlike(struct rt_error *err, const char *head, size_t n);

/* Walks "a.b.c" down objects; borrowed; NULL when absent. */
json_t *rt_json_at(const json_t *v, const char *path);
const char *rt_json_str(const json_t *v, const char *path); /* borrowed; NULL when absent or no string */

const char *rt_kvs_get(const struct rt_kvs *l, const char *key);
double rt_resources_get(const struct rt_resources *l, const char *name, double absent);

#endif
