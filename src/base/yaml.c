/* libyaml events to a tree that knows where it stands. */
#include "base/yaml.h"
#include "base/fs.h"
#include "base/map.h"
#include "base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { DEPTH_MAX = 64, NODES_MAX = 100000 };
#define FILE_MAX RT_MIB
#define TEXT_MAX (8 * RT_MIB) /* of all scalars, aliases expanded */

struct reader {
    yaml_parser_t parser;
    yaml_event_t event; /* the one that is looked at */
    const char *file;   /* the document's */
    const char *text;
    size_t size;
    struct rt_map
        anchors; /* name -> struct rt_ynode *, borrowed from the tree that is being built */
    struct rt_ynode attic; /* what left the tree although anchors may still name it */
    size_t nodes, bytes;
    int depth;
    struct rt_error *err;
};

static struct rt_ynode *read_node(struct reader *r);

/* ---- errors ---- */

static bool error_at(struct rt_error *err, const char *file, size_t line, size_t column,
                     const char *text) {
    return rt_error_set(err, RT_E_CONFIG, "%s:%zu:%zu: %s", file, line, column, text);
}

bool rt_ynode_error(const struct rt_ynode *at, struct rt_error *err, const char *fmt, ...) {
    struct rt_buf text;
    rt_buf_init(&text, 0);
    va_list ap;
    va_start(ap, fmt);
    rt_buf_addv(&text, fmt, ap);
    va_end(ap);
    if (at)
        error_at(err, at->file, (size_t)at->line, (size_t)at->column, rt_buf_str(&text));
    else
        rt_error_set(err, RT_E_CONFIG, "%s", rt_buf_str(&text));
    rt_buf_deinit(&text);
    return false;
}

static bool error_here(struct reader *r, const char *fmt, ...) RT_PRINTF(2, 3);
static bool error_here(struct reader *r, const char *fmt, ...) {
    char text[300];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    yaml_mark_t at = r->event.start_mark;
    return error_at(r->err, r->file, at.line + 1, at.column + 1, text);
}

/* A byte that is no text: libyaml tells only its offset. */
static bool reader_error(struct reader *r) {
    size_t line = 1, column = 1;
    for (size_t i = 0; i < r->parser.problem_offset && i < r->size; i++) {
        column++;
        if (r->text[i] == '\n') {
            line++;
            column = 1;
        }
    }
    return error_at(r->err, r->file, line, column, r->parser.problem);
}

static bool parser_error(struct reader *r) {
    const yaml_parser_t *p = &r->parser;
    if (p->error == YAML_READER_ERROR)
        return reader_error(r);
    struct rt_buf text;
    rt_buf_init(&text, 0);
    rt_buf_adds(&text, p->problem ? p->problem : "not YAML");
    if (p->context)
        rt_buf_addf(&text, " (%s that begins in line %zu)", p->context, p->context_mark.line + 1);
    error_at(r->err, r->file, p->problem_mark.line + 1, p->problem_mark.column + 1,
             rt_buf_str(&text));
    rt_buf_deinit(&text);
    if (p->problem_mark.index < r->size && r->text[p->problem_mark.index] == '\t')
        rt_error_hint(r->err, "YAML is indented with blanks, not with tabs");
    return false;
}

/* ---- building ---- */

static bool next_event(struct reader *r) {
    yaml_event_delete(&r->event);
    if (yaml_parser_parse(&r->parser, &r->event))
        return true;
    memset(&r->event, 0, sizeof r->event);
    return parser_error(r);
}

static void free_node(struct rt_ynode *n);

static void free_inside(struct rt_ynode *n) {
    for (size_t i = 0; i < n->n; i++) {
        free_node(n->items[i]);
        if (n->keys)
            free_node(n->keys[i]);
    }
    free(n->items);
    free(n->keys);
    free(n->text);
}

static void free_node(struct rt_ynode *n) {
    if (n)
        free_inside(n);
    free(n);
}

static bool count_node(struct reader *r, size_t bytes) {
    r->nodes++;
    r->bytes += bytes;
    if (r->nodes > NODES_MAX)
        return error_here(r, "more than %d values (aliases expanded)", NODES_MAX);
    if (r->bytes > TEXT_MAX)
        return error_here(r, "more than %zu MiB of text (aliases expanded)", TEXT_MAX / RT_MIB);
    return true;
}

static struct rt_ynode *new_node(const struct reader *r, enum rt_ykind kind) {
    struct rt_ynode *n = RT_NEW(struct rt_ynode);
    n->kind = kind;
    n->line = (int)r->event.start_mark.line + 1;
    n->column = (int)r->event.start_mark.column + 1;
    n->file = r->file;
    return n;
}

/* Adds to a list or, with a key, to a map; takes both. */
static void add_item(struct rt_ynode *to, struct rt_ynode *key, struct rt_ynode *item) {
    if ((to->n & (to->n - 1)) == 0) { /* full at powers of two */
        size_t cap = to->n ? to->n * 2 : 1;
        to->items = rt_realloc(to->items, cap * sizeof(struct rt_ynode *));
        if (to->kind == RT_Y_MAP)
            to->keys = rt_realloc(to->keys, cap * sizeof(struct rt_ynode *));
    }
    to->items[to->n] = item;
    if (to->kind == RT_Y_MAP)
        to->keys[to->n] = key;
    to->n++;
}

static bool enter(struct reader *r) {
    r->depth++;
    return r->depth <= DEPTH_MAX ||
           error_here(r, "nested deeper than %d levels (aliases expanded)", DEPTH_MAX);
}

static struct rt_ynode *copy_node(struct reader *r, const struct rt_ynode *from) {
    if (!enter(r) || !count_node(r, from->text ? strlen(from->text) : 0))
        return NULL;
    struct rt_ynode *n = RT_NEW(struct rt_ynode);
    *n = *from;
    n->shared = true;
    n->text = rt_strdup(from->text);
    n->items = n->keys = NULL;
    n->n = 0;
    for (size_t i = 0; i < from->n; i++) {
        struct rt_ynode *key = from->keys ? copy_node(r, from->keys[i]) : NULL;
        struct rt_ynode *item = !from->keys || key ? copy_node(r, from->items[i]) : NULL;
        if (!item) {
            free_node(key);
            free_node(n);
            return NULL;
        }
        add_item(n, key, item);
    }
    r->depth--;
    return n;
}

static struct rt_ynode *read_scalar(struct reader *r) {
    const char *value = (const char *)r->event.data.scalar.value,
               *tag = (const char *)r->event.data.scalar.tag;
    size_t len = r->event.data.scalar.length;
    if (memchr(value, '\0', len)) {
        error_here(r, "a NUL cannot stand in a text");
        return NULL;
    }
    if (!count_node(r, len))
        return NULL;
    struct rt_ynode *n = new_node(r, RT_Y_SCALAR);
    n->text = rt_strndup(value, len);
    n->quoted =
        r->event.data.scalar.style != YAML_PLAIN_SCALAR_STYLE || rt_streq(tag, YAML_STR_TAG);
    return n;
}

static struct rt_ynode *read_alias(struct reader *r) {
    const char *name = (const char *)r->event.data.alias.anchor;
    const struct rt_ynode *from = rt_map_get(&r->anchors, name);
    if (!from) {
        error_here(r, "*%.60s: no anchor of this name ends above", name);
        return NULL;
    }
    return copy_node(r, from);
}

static struct rt_ynode *read_seq(struct reader *r) {
    if (!count_node(r, 0))
        return NULL;
    struct rt_ynode *n = new_node(r, RT_Y_SEQ);
    for (;;) {
        if (!next_event(r))
            break;
        if (r->event.type == YAML_SEQUENCE_END_EVENT)
            return n;
        struct rt_ynode *item = read_node(r);
        if (!item)
            break;
        add_item(n, NULL, item);
    }
    free_node(n);
    return NULL;
}

static bool is_merge(const struct rt_ynode *key) {
    return !key->quoted && strcmp(key->text, "<<") == 0;
}

/* Reads key and value at the event, and adds them. */
static bool read_pair(struct reader *r, struct rt_ynode *map, struct rt_map *seen) {
    struct rt_ynode *key = read_node(r), *value = NULL;
    if (!key)
        return false;
    const struct rt_ynode *before = key->kind == RT_Y_SCALAR ? rt_map_get(seen, key->text) : NULL;
    if (key->kind != RT_Y_SCALAR)
        rt_ynode_error(key, r->err, "a key must be a plain text");
    else if (before) {
        char shown[80];
        rt_ynode_error(key, r->err, "the key \"%s\" stands in line %d already",
                       rt_clean_to(shown, sizeof shown, key->text), before->line);
    } else if (next_event(r))
        value = read_node(r);
    if (!value) {
        free_node(key);
        return false;
    }
    add_item(map, key, value);
    rt_map_set(seen, key->text, key);
    return true;
}

/* Adds copies of what `from` has and `map` does not. */
static bool merge_map(struct reader *r, struct rt_ynode *map, const struct rt_ynode *from,
                      struct rt_map *seen) {
    if (from->kind != RT_Y_MAP)
        return rt_ynode_error(from, r->err, "<<: only maps can be merged");
    for (size_t i = 0; i < from->n; i++) {
        if (rt_map_get(seen, from->keys[i]->text))
            continue;
        struct rt_ynode *key = copy_node(r, from->keys[i]);
        struct rt_ynode *value = key ? copy_node(r, from->items[i]) : NULL;
        if (!value) {
            free_node(key);
            return false;
        }
        add_item(map, key, value);
        rt_map_set(seen, key->text, key);
    }
    return true;
}

/* Resolves "<<: *base" and "<<: [*a, *b]": keys of the map itself win, then those of earlier maps.
 */
static bool merge(struct reader *r, struct rt_ynode *map, struct rt_map *seen) {
    size_t at = 0;
    while (at < map->n && !is_merge(map->keys[at]))
        at++;
    if (at == map->n)
        return true;
    struct rt_ynode *key = map->keys[at], *from = map->items[at];
    bool ok = true;
    if (from->kind == RT_Y_SEQ)
        for (size_t i = 0; ok && i < from->n; i++)
            ok = merge_map(r, map, from->items[i], seen);
    else
        ok = merge_map(r, map, from, seen);
    if (!ok)
        return false;
    map->n--;
    for (size_t i = at; i < map->n; i++) {
        map->keys[i] = map->keys[i + 1];
        map->items[i] = map->items[i + 1];
    }
    add_item(&r->attic, NULL, key);
    add_item(&r->attic, NULL, from);
    return true;
}

static struct rt_ynode *read_map(struct reader *r) {
    if (!count_node(r, 0))
        return NULL;
    struct rt_ynode *n = new_node(r, RT_Y_MAP);
    struct rt_map seen; /* key -> its node */
    rt_map_init(&seen, true);
    bool ok;
    while ((ok = next_event(r)) && r->event.type != YAML_MAPPING_END_EVENT)
        if (!(ok = read_pair(r, n, &seen)))
            break;
    ok = ok && merge(r, n, &seen);
    rt_map_deinit(&seen);
    if (ok)
        return n;
    free_node(n);
    return NULL;
}

/* The node that begins at the event; afterwards the event is its last. NULL: err says why. */
static struct rt_ynode *read_node(struct reader *r) {
    char *anchor = NULL; /* copied: the event goes while a list is read */
    struct rt_ynode *n = NULL;
    if (!enter(r))
        return NULL;
    switch (r->event.type) {
    case YAML_SCALAR_EVENT:
        anchor = rt_strdup((const char *)r->event.data.scalar.anchor);
        n = read_scalar(r);
        break;
    case YAML_SEQUENCE_START_EVENT:
        anchor = rt_strdup((const char *)r->event.data.sequence_start.anchor);
        n = read_seq(r);
        break;
    case YAML_MAPPING_START_EVENT:
        anchor = rt_strdup((const char *)r->event.data.mapping_start.anchor);
        n = read_map(r);
        break;
    case YAML_ALIAS_EVENT:
        n = read_alias(r);
        break;
    default:
        error_here(r, "not expected here");
        break;
    }
    if (n && anchor)
        rt_map_set(&r->anchors, anchor, n);
    free(anchor);
    r->depth--;
    return n;
}

static bool read_stream(struct reader *r, struct rt_ynode **root) {
    while (next_event(r)) {
        switch (r->event.type) {
        case YAML_STREAM_END_EVENT:
            return true;
        case YAML_STREAM_START_EVENT:
        case YAML_DOCUMENT_END_EVENT:
            break;
        case YAML_DOCUMENT_START_EVENT:
            if (*root)
                return error_here(r, "a second document: only one can stand in this file");
            break;
        default:
            *root = read_node(r);
            if (!*root)
                return false;
        }
    }
    return false;
}

bool rt_yaml_parse(const char *file, const char *text, size_t n, struct rt_ydoc *out,
                   struct rt_error *err) {
    *out = (struct rt_ydoc){0};
    if (n > FILE_MAX)
        return rt_error_set(err, RT_E_CONFIG, "%s: larger than %zu MiB", file, FILE_MAX / RT_MIB);
    if (n >= 3 && memcmp(text, "\xef\xbb\xbf", 3) == 0) { /* libyaml takes it for a character that indents the first line */
        text += 3;
        n -= 3;
    }
    out->file = rt_strdup(file);
    struct reader r = {
        .file = out->file, .text = text, .size = n, .attic = {.kind = RT_Y_SEQ}, .err = err};
    if (!yaml_parser_initialize(&r.parser)) {
        rt_yaml_deinit(out);
        return rt_error_set(err, RT_E_LIMIT, "%s: no memory", file);
    }
    yaml_parser_set_encoding(&r.parser, YAML_UTF8_ENCODING);
    yaml_parser_set_input_string(&r.parser, (const unsigned char *)text, n);
    bool ok = read_stream(&r, &out->root);
    yaml_event_delete(&r.event);
    yaml_parser_delete(&r.parser);
    rt_map_deinit(&r.anchors);
    free_inside(&r.attic);
    if (!ok)
        rt_yaml_deinit(out);
    return ok;
}

bool rt_yaml_load(const char *path, struct rt_ydoc *out, struct rt_error *err) {
    struct rt_buf text;
    *out = (struct rt_ydoc){0};
    rt_buf_init(&text, 0);
    bool ok = rt_file_read(path, FILE_MAX, &text, err) &&
              rt_yaml_parse(path, rt_buf_str(&text), text.len, out, err);
    rt_buf_deinit(&text);
    return ok;
}

void rt_yaml_deinit(struct rt_ydoc *d) {
    free_node(d->root);
    free(d->file);
    *d = (struct rt_ydoc){0};
}

const struct rt_ynode *rt_ynode_get(const struct rt_ynode *map, const char *key) {
    if (!map || map->kind != RT_Y_MAP)
        return NULL;
    for (size_t i = 0; i < map->n; i++)
        if (strcmp(map->keys[i]->text, key) == 0)
            return map->items[i];
    return NULL;
}
