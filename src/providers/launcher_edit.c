/* One number of Ray's YAML changed in place: comments, order, quotes and line ends stay as the person wrote them. What comes out
 * is read again and must be the old tree but for that number; so what an edit cannot know (anchors, merged maps, styles that were
 * not thought of) ends in a refusal, never in a different cluster. */
#include "providers/launcher_yaml.h"

#include "base/mem.h"
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* What is edited, and where in the text. */
struct edit {
    const char *path, *text;
    size_t n;
    const char *type, *key;
    int64_t value;
    const struct rt_ynode *root;
    const struct rt_ynode *map, *header; /* the map with the key; the key it stands under, NULL at the top */
};

/* ---- places in the text: libyaml counts lines and characters ---- */

/* Length of the line end at `at`, as libyaml takes it; 0. */
static size_t line_end(const struct edit *e, size_t at) {
    const unsigned char *s = (const unsigned char *)e->text + at;
    const size_t left = e->n - at;
    if (!left)
        return 0;
    if (s[0] == '\r')
        return left > 1 && s[1] == '\n' ? 2 : 1;
    if (s[0] == '\n')
        return 1;
    if (left > 1 && s[0] == 0xc2 && s[1] == 0x85)
        return 2;
    return left > 2 && s[0] == 0xe2 && s[1] == 0x80 && (s[2] == 0xa8 || s[2] == 0xa9) ? 3 : 0;
}

/* Where a line begins (behind a byte order mark); the end of the text when it has no such line. */
static size_t line_start(const struct edit *e, int line) {
    size_t at = e->n >= 3 && memcmp(e->text, "\xef\xbb\xbf", 3) == 0 ? 3 : 0;
    for (int i = 1; i < line && at < e->n;) {
        const size_t end = line_end(e, at);
        i += end > 0;
        at += end ? end : 1;
    }
    return at;
}

static size_t place(const struct edit *e, const struct rt_ynode *n) {
    size_t at = line_start(e, n->line);
    for (int i = 1; i < n->column && at < e->n; i++) {
        int32_t cp;
        at += rt_utf8_next(e->text + at, e->n - at, &cp);
    }
    return at;
}

/* The line end of the text: its first; "\n" when it has none. */
static const char *eol_of(const struct edit *e) {
    const char *first = strpbrk(e->text, "\r\n");
    return first && first[0] == '\r' ? first[1] == '\n' ? "\r\n" : "\r" : "\n";
}

static bool blank(const struct edit *e, size_t from, size_t to) {
    for (; from < to; from++)
        if (e->text[from] != ' ')
            return false;
    return true;
}

/* ---- the new text ---- */

static void splice(const struct edit *e, size_t at, size_t cut, const char *in, struct rt_buf *out) {
    rt_buf_add(out, e->text, at);
    rt_buf_adds(out, in);
    rt_buf_add(out, e->text + at + cut, e->n - at - cut);
}

static json_t *wanted_tree(const struct edit *e) {
    json_t *v = rt_ynode_json(e->root);
    json_t *map = e->header ? json_object_get(json_object_get(v, "available_node_types"), e->type) : v;
    json_object_set_new(map, e->key, json_integer(e->value));
    return v;
}

/* Is it the old tree but for the one number? */
static bool verify(const struct edit *e, const struct rt_buf *text, struct rt_error *err) {
    struct rt_ydoc doc;
    bool same = false;
    if (!text->failed && rt_yaml_parse(e->path, rt_buf_str(text), text->len, &doc, err)) {
        json_t *now = rt_ynode_json(doc.root), *wanted = wanted_tree(e);
        same = json_equal(now, wanted);
        json_decref(now);
        json_decref(wanted);
        rt_yaml_deinit(&doc);
    }
    if (same)
        return true;
    rt_ynode_error(e->map, err, "%s of %s cannot be changed alone: what it is written with stands elsewhere too", e->key, e->type);
    err->code = RT_E_UNSUPPORTED;
    return rt_error_hint(err, "an anchor or a merged map: write the number out in the file by hand");
}

static bool refuse(const struct rt_ynode *at, const struct edit *e, struct rt_error *err, const char *why) {
    rt_ynode_error(at, err, "%s of %s: %s", e->key, e->type, why);
    err->code = RT_E_UNSUPPORTED;
    return rt_error_hint(err, "write the number out in the file by hand");
}

/* ---- a number that is there ---- */

static bool replace(const struct edit *e, const struct rt_ynode *n, struct rt_buf *out, struct rt_error *err) {
    char number[24];
    int64_t was;
    if (n->shared)
        return refuse(n, e, err, "it stands in an anchor");
    if (!launcher_int(n, &was))
        return refuse(n, e, err, "it is no number");
    const size_t at = place(e, n), len = strlen(n->text);
    if (at + len > e->n || memcmp(e->text + at, n->text, len) != 0)
        return refuse(n, e, err, "it has an anchor or a tag of its own");
    snprintf(number, sizeof number, "%" PRId64, e->value);
    splice(e, at, len, number, out);
    return verify(e, out, err);
}

/* ---- a number that is missing ---- */

/* The key of the map itself (not of a merged one) and its value. */
static const struct rt_ynode *own_key(const struct rt_ynode *map, const char *key, const struct rt_ynode **value) {
    for (size_t i = 0; i < map->n; i++)
        if (!map->keys[i]->shared && rt_streq(map->keys[i]->text, key)) {
            *value = map->items[i];
            return map->keys[i];
        }
    return NULL;
}

static const struct rt_ynode *first_key(const struct rt_ynode *map) {
    const struct rt_ynode *first = NULL;
    for (size_t i = 0; i < map->n; i++)
        if (!map->keys[i]->shared && (!first || map->keys[i]->line < first->line))
            first = map->keys[i];
    return first;
}

/* Behind the brace of a flow map, past its anchor or tag; 0: it is a block. */
static size_t brace(const struct edit *e) {
    size_t at = place(e, e->map);
    while (at < e->n && (e->text[at] == '&' || e->text[at] == '!')) {
        while (at < e->n && e->text[at] != ' ' && !line_end(e, at))
            at++;
        while (at < e->n && e->text[at] == ' ')
            at++;
    }
    return at < e->n && e->text[at] == '{' ? at + 1 : 0;
}

static bool insert_flow(const struct edit *e, size_t at, struct rt_buf *out, struct rt_error *err) {
    size_t next = at;
    while (next < e->n && strchr(" \t\r\n", e->text[next]) && e->text[next])
        next++;
    const char *quote = next < e->n && e->text[next] == '"' ? "\"" : "";
    const bool tight = next == at;
    char *in = rt_strf("%s%s%s: %" PRId64 "%s", quote, e->key, quote, e->value, !e->map->n ? "" : tight ? ", " : ",");
    splice(e, at, 0, in, out);
    free(in);
    return verify(e, out, err);
}

/* A line of its own before `line`, indented as `like` is. */
static bool insert_line(const struct edit *e, int line, const struct rt_ynode *like, struct rt_buf *out, struct rt_error *err) {
    const size_t at = line_start(e, line), indent = line_start(e, like->line), key = place(e, like);
    const bool open = at == e->n && e->n && e->text[e->n - 1] != '\n' && e->text[e->n - 1] != '\r';
    if (!blank(e, indent, key))
        return refuse(like, e, err, "its place is not known in this style");
    char *in = rt_strf("%s%*s%s: %" PRId64 "%s", open ? eol_of(e) : "", (int)(key - indent), "", e->key, e->value, open ? "" : eol_of(e));
    rt_buf_clear(out);
    splice(e, at, 0, in, out);
    free(in);
    return verify(e, out, err);
}

/* Beside the other limit, else under the line that opens the map (so that a comment stays with its key), else before its first key. */
static bool insert_block(const struct edit *e, struct rt_buf *out, struct rt_error *err) {
    const bool min = rt_streq(e->key, "min_workers");
    const struct rt_ynode *value = NULL, *like = first_key(e->map), *other = own_key(e->map, min ? "max_workers" : "min_workers", &value);
    if (!like)
        return refuse(e->map, e, err, "its place is not known in this style");
    if (other && value->line == other->line && insert_line(e, other->line + !min, other, out, err))
        return true;
    if (e->header)
        return insert_line(e, e->header->line + 1, like, out, err);
    const struct rt_ynode *name = own_key(e->map, "cluster_name", &value);
    if (name && value->line == name->line && insert_line(e, name->line + 1, name, out, err))
        return true;
    return insert_line(e, like->line, like, out, err);
}

static bool insert(const struct edit *e, struct rt_buf *out, struct rt_error *err) {
    if (e->map->shared)
        return refuse(e->map, e, err, "the node type comes from an anchor");
    const size_t flow = brace(e);
    return flow ? insert_flow(e, flow, out, err) : insert_block(e, out, err);
}

/* ---- the whole ---- */

static bool find_map(struct edit *e, struct rt_error *err) {
    const struct rt_ynode *types = rt_ynode_get(e->root, "available_node_types"),
                          *provider = rt_ynode_get(rt_ynode_get(e->root, "provider"), "type");
    if (provider && rt_streq(provider->text, "local") && rt_streq(e->type, RT_LAUNCHER_LOCAL_TYPE) && !types) {
        e->map = e->root;
        return true;
    }
    for (size_t i = 0; types && types->kind == RT_Y_MAP && i < types->n; i++)
        if (rt_streq(types->keys[i]->text, e->type)) {
            e->header = types->keys[i];
            e->map = types->items[i];
        }
    if (!e->map) {
        rt_error_set(err, RT_E_NOT_FOUND, "%s: no node type %s in the file", e->path, e->type);
        return rt_error_hint(err, types ? "its types stand under available_node_types"
                                        : "it is Ray's own default: write available_node_types into the file");
    }
    return e->map->kind == RT_Y_MAP || refuse(e->map, e, err, "the node type is no map");
}

bool rt_launcher_edit(const char *path, const char *text, size_t n, const char *type, const char *key, int64_t value, struct rt_buf *out,
                      struct rt_error *err) {
    struct rt_ydoc doc;
    struct edit e = {.path = path, .text = text, .n = n, .type = type, .key = key, .value = value};
    if (!rt_streq(key, "min_workers") && !rt_streq(key, "max_workers"))
        return rt_error_set(err, RT_E_INTERNAL, "%s is no number of workers", key);
    if (value < 0)
        return rt_error_set(err, RT_E_USAGE, "%s must not be less than 0", key);
    if (!rt_yaml_parse(path, text, n, &doc, err))
        return false;
    e.root = doc.root;
    bool ok = find_map(&e, err);
    if (ok) {
        const struct rt_ynode *now = NULL;
        struct rt_error first = {0};
        rt_buf_clear(out);
        ok = own_key(e.map, key, &now) ? replace(&e, now, out, &first) : insert(&e, out, &first);
        if (ok)
            rt_error_clear(err);
        else
            *err = first;
    }
    if (!ok)
        rt_buf_clear(out);
    rt_yaml_deinit(&doc);
    return ok;
}

/* ---- what differs ---- */

enum { AROUND = 2 };

struct lines {
    const char **v; /* borrowed; each ends at the next, the last at `end` */
    size_t n;
    const char *end;
};

static struct lines split(const char *text) {
    struct lines l = {.end = text + strlen(text)};
    for (const char *at = text; *at; at += strcspn(at, "\n"), at += *at == '\n') {
        l.v = rt_realloc(l.v, (l.n + 1) * sizeof *l.v);
        l.v[l.n++] = at;
    }
    return l;
}

static size_t length(const struct lines *l, size_t i) {
    return (size_t)((i + 1 < l->n ? l->v[i + 1] : l->end) - l->v[i]);
}

static bool same_line(const struct lines *a, size_t i, const struct lines *b, size_t k) {
    return length(a, i) == length(b, k) && memcmp(a->v[i], b->v[k], length(a, i)) == 0;
}

static void print_lines(struct rt_buf *out, char mark, const struct lines *l, size_t from, size_t to) {
    for (; from < to; from++) {
        size_t n = length(l, from);
        const bool ended = n && l->v[from][n - 1] == '\n';
        n -= ended;
        n -= n && l->v[from][n - 1] == '\r';
        rt_buf_addc(out, mark);
        rt_buf_add(out, l->v[from], n);
        rt_buf_adds(out, ended ? "\n" : "\n\\ No newline at end of file\n");
    }
}

void rt_launcher_diff(const char *path, const char *before, const char *after, struct rt_buf *out) {
    struct lines a = split(before), b = split(after);
    size_t top = 0, bottom = 0;
    while (top < a.n && top < b.n && same_line(&a, top, &b, top))
        top++;
    while (bottom < a.n - top && bottom < b.n - top && same_line(&a, a.n - 1 - bottom, &b, b.n - 1 - bottom))
        bottom++;
    if (top < a.n || top < b.n) {
        const size_t from = top > AROUND ? top - AROUND : 0, below = RT_MIN(bottom, AROUND);
        const size_t old_end = a.n - bottom, new_end = b.n - bottom;
        rt_buf_addf(out, "--- %s\n+++ %s\n@@ -%zu,%zu +%zu,%zu @@\n", path, path, from + (old_end + below > from), old_end + below - from,
                    from + (new_end + below > from), new_end + below - from);
        print_lines(out, ' ', &a, from, top);
        print_lines(out, '-', &a, top, old_end);
        print_lines(out, '+', &b, top, new_end);
        print_lines(out, ' ', &b, new_end, new_end + below);
    }
    free(a.v);
    free(b.v);
}
