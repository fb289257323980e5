/* YAML files, read into a tree that remembers line and column, and from there into structs by field
 * tables; every error names file:line:column, and an unknown key names the nearest known one. */
#ifndef RT_BASE_YAML_H
#define RT_BASE_YAML_H

#include "base/error.h"
#include "base/str.h"
#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

enum rt_ykind { RT_Y_SCALAR, RT_Y_SEQ, RT_Y_MAP };

struct rt_ynode {
    enum rt_ykind kind;
    int line, column;   /* from 1 */
    const char *file;   /* borrowed from the document */
    char *text;         /* scalar */
    bool quoted;        /* scalar written with quotes: stays a string */
    bool shared;        /* it came by an alias or a merge: what is written there stands elsewhere too */
    struct rt_ynode **items; /* seq: the items; map: the values */
    struct rt_ynode **keys;  /* map only */
    size_t n;
};

struct rt_ydoc {
    char *file;
    struct rt_ynode *root; /* NULL for an empty document */
};

/* Reads text. Aliases are expanded and "<<" maps merged, duplicate keys and second documents are errors.
 * Caps, aliases expanded: 1 MiB of file, 8 MiB of scalars, depth 64, 100,000 nodes. Fills `out` in any case
 * (deinit is always fine). */
bool rt_yaml_parse(const char *file, const char *text, size_t n, struct rt_ydoc *out, struct rt_error *err);
bool rt_yaml_load(const char *path, struct rt_ydoc *out, struct rt_error *err);
void rt_yaml_deinit(struct rt_ydoc *d);

const struct rt_ynode *rt_ynode_get(const struct rt_ynode *map, const char *key); /* NULL when absent */
bool rt_ynode_error(const struct rt_ynode *at, struct rt_error *err, const char *fmt, ...) RT_PRINTF(3, 4);
/* YAML value as JSON (plain scalars typed as YAML 1.2 core: null, true/false, numbers); gives it. */
json_t *rt_ynode_json(const struct rt_ynode *n);

/* JSON as YAML in block style, keys in their order, a newline at the end; appends. */
void rt_yaml_print(struct rt_buf *out, const json_t *v);
/* A text that a reader takes for itself without quotes; and a text, quoted as JSON (which is YAML) unless `plain`. */
bool rt_yaml_plain(const char *s);
void rt_yaml_word(struct rt_buf *out, const char *s, bool plain);

enum rt_ytype {
    RT_Y_STR,      /* char *, owned */
    RT_Y_I64, RT_Y_F64, RT_Y_BOOL,
    RT_Y_DURATION, /* int64_t ms */
    RT_Y_SIZE,     /* int64_t bytes */
    RT_Y_ENUM,     /* int, index into names */
    RT_Y_STRS,     /* struct rt_strs; one scalar is a list of one */
    RT_Y_KVS,      /* struct rt_strs of "KEY=VALUE" from a map of scalars */
    RT_Y_STRUCT,   /* nested map: `sub` fields, inside at the offset */
    RT_Y_NODE,     /* const struct rt_ynode *, borrowed from the document: decoded by its owner */
    RT_Y_CUSTOM    /* `parse` does it */
};
struct rt_yfield {
    const char *key; /* NULL ends the table */
    const char *alias[3]; /* other names that people use */
    size_t off;
    enum rt_ytype type;
    const char *const *names;
    const struct rt_yfield *sub;
    int64_t min, max; /* both 0: no limits; max 0: only min */
    /* RT_Y_CUSTOM. An error set with rt_ynode_error keeps its place, any other gets that of `n`. */
    bool (*parse)(const struct rt_ynode *n, void *member, struct rt_error *err);
    const char *help; /* one line, for man pages, forms and templates */
    const char *example;
    bool secret;      /* value is masked wherever it is shown */
    uint32_t need;    /* what its reader must be able to do for it to act, in the reader's own bits; 0: nothing */
    bool wanted;      /* templates write the example out instead of commenting it; forms ask for it */
    bool form;        /* forms ask for it too */
};

typedef void rt_yproblem_fn(void *ctx, const struct rt_error *err);

/* Reads a map into `out`, which is zeroed or holds defaults (owned: they are freed when replaced). Every
 * problem is reported (not only the first); the fields without a problem are filled, those that do not occur
 * or are null stay as they are. `map` may be NULL. `also` (may be NULL) is a second table of keys that are
 * somebody else's business. False if anything was reported. */
bool rt_yaml_read(const struct rt_ynode *map, const struct rt_yfield *fields, const struct rt_yfield *also,
                  void *out, rt_yproblem_fn *problem, void *ctx);
/* Frees what rt_yaml_read filled; members become zero. What RT_Y_CUSTOM filled is its owner's to free. */
void rt_yaml_free(const struct rt_yfield *fields, void *out);

#endif
