/* Cuts a JSON array into elements while bytes arrive.
 *
 * Two machines take turns. The envelope (everything that is not inside the wanted array) is read
 * byte by byte: its structure is checked, keys are compared with the path, and the text is kept as
 * the rest. Inside the array only quotes and brackets matter: an element is found by its end and
 * handed out as it stands, from the caller's memory when it came in one piece. */
#include "base/jsplit.h"
#include "base/buf.h"
#include "base/decode.h"
#include "base/mem.h"
#include "base/str.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { DEPTH_MAX = 200, KEY_MAX = 128, HEAD_MAX = 80 };

enum mode {
    M_VALUE,       /* envelope: a value must follow */
    M_FIRST_VALUE, /* behind "[": a value or "]" */
    M_FIRST_KEY,   /* behind "{": a key or "}" */
    M_KEY,         /* behind "," in an object */
    M_COLON,       /* behind a key */
    M_NEXT,        /* behind a value: "," or the end of the container */
    M_STRING,      /* inside a text */
    M_SCALAR,      /* inside a number or word */
    M_END,         /* behind the top value */
    M_ITEM_FIRST,  /* wanted array: an element or "]" */
    M_ITEM,        /* behind ",": an element */
    M_ITEM_NEXT,   /* behind an element: "," or "]" */
    M_ITEM_NESTED, /* inside an object, array or text that is an element */
    M_ITEM_SCALAR  /* inside a number or word that is an element */
};

struct rt_jsplit {
    char *path;
    const char **keys; /* of the path, into `path` split by NULs */
    size_t nkeys;
    size_t max_element;
    rt_jsplit_fn *fn;
    void *ctx;

    enum mode mode;
    uint64_t offset;              /* bytes of earlier chunks */
    uint8_t kinds[DEPTH_MAX + 1]; /* '{' or '[' of each open container */
    size_t depth;    /* open containers, the wanted array and what is open in an element included */
    size_t matched;  /* how many keys of the path the open objects and the last key stand for */
    bool key_string; /* M_STRING is a key */
    bool at_path;    /* the value that comes is the one at the path */
    bool in_string, escaped;
    char key[KEY_MAX];
    size_t key_len; /* KEY_MAX when longer than any key of ours */

    bool found;        /* the array came */
    size_t item_depth; /* depth of the wanted array */
    const char *other; /* what stood at the path in its place */
    size_t count;
    struct rt_buf element; /* one that did not come in one piece */
    struct rt_buf rest;
    char head[HEAD_MAX];
    size_t head_len;
    bool failed, stopped;
    struct rt_error error;
};

struct rt_jsplit *rt_jsplit_create(const char *path, size_t max_element, rt_jsplit_fn *fn,
                                   void *ctx) {
    struct rt_jsplit *s = RT_NEW(struct rt_jsplit);
    s->path = rt_strdup(path);
    s->max_element = max_element ? max_element : 8 * RT_MIB;
    s->fn = fn;
    s->ctx = ctx;
    s->at_path = *path == '\0';
    rt_buf_init(&s->element, s->max_element);
    rt_buf_init(&s->rest, 4 * RT_MIB);

    s->keys = rt_alloc((strlen(path) / 2 + 1) * sizeof *s->keys);
    for (char *p = s->path; *p;) {
        s->keys[s->nkeys++] = p;
        p += strcspn(p, ".");
        if (*p)
            *p++ = '\0';
    }
    return s;
}

void rt_jsplit_destroy(struct rt_jsplit *s) {
    if (!s)
        return;
    rt_buf_deinit(&s->element);
    rt_buf_deinit(&s->rest);
    free(s->keys);
    free(s->path);
    free(s);
}

const char *rt_jsplit_rest(const struct rt_jsplit *s) {
    return s->rest.failed ? "" : rt_buf_str(&s->rest);
}

size_t rt_jsplit_count(const struct rt_jsplit *s) {
    return s->count;
}

/* The path as it was given. */
static void add_path(const struct rt_jsplit *s, struct rt_buf *out) {
    for (size_t i = 0; i < s->nkeys; i++)
        rt_buf_addf(out, "%s%s", i ? "." : "", s->keys[i]);
}

/* `at` cannot stand where it does. NULL is returned for `return unexpected(...)`. */
static const char *unexpected(struct rt_jsplit *s, const char *data, const char *at) {
    uint64_t offset = s->offset + (uint64_t)(at - data);
    s->failed = true;
    if (offset < HEAD_MAX && s->count == 0) {
        rt_json_unlike(&s->error, s->head, s->head_len);
        return NULL;
    }
    char shown[16];
    rt_clean_to(shown, sizeof shown, (char[]){*at, '\0'});
    rt_error_set(&s->error, RT_E_PROTOCOL,
                 "not JSON: unexpected %s%s%s at byte %llu (after %zu elements)",
                 *at ? "\"" : "NUL", shown, *at ? "\"" : "", (unsigned long long)offset, s->count);
    return NULL;
}

static bool push(struct rt_jsplit *s, char kind) {
    if (s->depth == DEPTH_MAX) {
        s->failed = true;
        return rt_error_set(&s->error, RT_E_LIMIT, "JSON nested deeper than %d levels", DEPTH_MAX);
    }
    s->kinds[s->depth++] = (uint8_t)kind;
    return true;
}

static bool pop(struct rt_jsplit *s, char closing) {
    uint8_t open = closing == '}' ? '{' : '[';
    if (s->depth == 0 || s->kinds[s->depth - 1] != open)
        return false;
    s->depth--;
    return true;
}

static bool is_blank(char c) {
    return c == ' ' || c == '\n' || c == '\r' || c == '\t';
}

static bool is_word(char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
           c == '+' || c == '.';
}

/* ---- the envelope ---- */

static void value_ended(struct rt_jsplit *s) {
    s->mode = s->depth ? M_NEXT : M_END;
    /* A key that matched stands for its value only, which is over. */
    if (s->matched >= s->depth && s->depth > 0)
        s->matched = s->depth - 1;
}

static void key_ended(struct rt_jsplit *s) {
    size_t level = s->depth - 1;
    s->mode = M_COLON;
    s->at_path = false;
    if (s->matched != level || level >= s->nkeys)
        return;
    const char *want = s->keys[level];
    if (strlen(want) == s->key_len && memcmp(want, s->key, s->key_len) == 0) {
        s->matched = level + 1;
        s->at_path = s->matched == s->nkeys;
    }
}

/* The value at c begins. */
static const char *value_begins(struct rt_jsplit *s, const char *data, const char *c) {
    bool wanted = s->at_path;
    s->at_path = false;
    if (wanted && *c == '[' && !s->found) {
        if (!push(s, '['))
            return NULL;
        rt_buf_adds(&s->rest, "[]");
        s->found = true;
        s->item_depth = s->depth;
        s->mode = M_ITEM_FIRST;
        return c + 1;
    }
    if (wanted)
        s->other = *c == '{'   ? "an object"
                   : *c == '"' ? "a text"
                   : *c == '[' ? "a second list"
                   : *c == 'n' ? "null"
                               : "a value";
    if (*c == '{' || *c == '[') {
        if (!push(s, *c))
            return NULL;
        s->mode = *c == '{' ? M_FIRST_KEY : M_FIRST_VALUE;
    } else if (*c == '"') {
        s->mode = M_STRING;
        s->key_string = false;
    } else if (is_word(*c)) {
        s->mode = M_SCALAR;
    } else {
        return unexpected(s, data, c);
    }
    rt_buf_addc(&s->rest, *c);
    return c + 1;
}

static const char *string_part(struct rt_jsplit *s, const char *c) {
    rt_buf_addc(&s->rest, *c);
    if (s->key_string && s->key_len < KEY_MAX && (s->escaped || *c != '"'))
        s->key[s->key_len++] = *c;
    if (s->escaped) {
        s->escaped = false;
    } else if (*c == '\\') {
        s->escaped = true;
    } else if (*c == '"') {
        if (s->key_string)
            key_ended(s);
        else
            value_ended(s);
    }
    return c + 1;
}

static const char *key_begins(struct rt_jsplit *s, const char *c) {
    s->mode = M_STRING;
    s->key_string = true;
    s->key_len = 0;
    rt_buf_addc(&s->rest, *c);
    return c + 1;
}

/* One byte that is neither blank nor inside a text or word. */
static const char *structure(struct rt_jsplit *s, const char *data, const char *c) {
    bool closes = *c == '}' || *c == ']';
    switch (s->mode) {
    case M_FIRST_VALUE:
        if (!closes)
            return value_begins(s, data, c);
        break;
    case M_VALUE:
        return value_begins(s, data, c);
    case M_FIRST_KEY:
    case M_KEY:
        if (*c == '"')
            return key_begins(s, c);
        if (s->mode == M_KEY)
            return unexpected(s, data, c);
        break;
    case M_COLON:
        if (*c != ':')
            return unexpected(s, data, c);
        s->mode = M_VALUE;
        rt_buf_addc(&s->rest, *c);
        return c + 1;
    case M_NEXT:
        if (*c == ',') {
            s->mode = s->kinds[s->depth - 1] == '{' ? M_KEY : M_VALUE;
            rt_buf_addc(&s->rest, *c);
            return c + 1;
        }
        break;
    default:
        return unexpected(s, data, c);
    }
    if (!closes || !pop(s, *c))
        return unexpected(s, data, c);
    rt_buf_addc(&s->rest, *c);
    value_ended(s);
    return c + 1;
}

static const char *envelope(struct rt_jsplit *s, const char *data, const char *c) {
    if (s->mode == M_STRING)
        return string_part(s, c);
    if (s->mode == M_SCALAR) {
        if (is_word(*c)) {
            rt_buf_addc(&s->rest, *c);
            return c + 1;
        }
        value_ended(s);
    }
    return is_blank(*c) ? c + 1 : structure(s, data, c);
}

/* ---- the elements ---- */

/* The next quote or backslash, or end. Most bytes of an answer pass here, eight at a time. */
static const char *string_special(const char *p, const char *end) {
    const uint64_t ones = 0x0101010101010101u, highs = 0x8080808080808080u;
    while (end - p >= 8) {
        uint64_t v;
        memcpy(&v, p, sizeof v);
        uint64_t quote = v ^ (ones * '"'), slash = v ^ (ones * '\\');
        uint64_t hit = (((quote - ones) & ~quote) | ((slash - ones) & ~slash)) & highs;
        if (hit)
            break;
        p += 8;
    }
    while (p < end && *p != '"' && *p != '\\')
        p++;
    return p;
}

static const char *skip_string(struct rt_jsplit *s, const char *p, const char *end) {
    if (s->escaped && p < end) {
        s->escaped = false;
        p++;
    }
    while ((p = string_special(p, end)) < end) {
        if (*p == '"') {
            s->in_string = false;
            return p + 1;
        }
        if (++p == end) {
            s->escaped = true;
            break;
        }
        p++;
    }
    return p;
}

static const bool structural[256] = {
    ['"'] = true, ['{'] = true, ['}'] = true, ['['] = true, [']'] = true};

/* Runs to the end of the element: behind it with mode M_ITEM_NEXT, or `end` when it goes on. NULL:
 * failed. */
static const char *nested_end(struct rt_jsplit *s, const char *data, const char *p,
                              const char *end) {
    while (p < end) {
        if (s->in_string) {
            p = skip_string(s, p, end);
            if (s->in_string)
                return end;
        } else {
            while (p < end && !structural[(unsigned char)*p])
                p++;
            if (p == end)
                return end;
            char c = *p;
            if (c == '"')
                s->in_string = true;
            else if (c == '{' || c == '[') {
                if (!push(s, c))
                    return NULL;
            } else if (!pop(s, c))
                return unexpected(s, data, p);
            p++;
        }
        if (s->depth == s->item_depth && !s->in_string) {
            s->mode = M_ITEM_NEXT;
            return p;
        }
    }
    return p;
}

static bool too_large(struct rt_jsplit *s) {
    s->failed = true;
    return rt_error_set(&s->error, RT_E_LIMIT, "element %zu is larger than %zu bytes", s->count,
                        s->max_element);
}

static bool hand_out(struct rt_jsplit *s, const char *start, size_t n) {
    if (n > s->max_element)
        return too_large(s);
    if (s->element.len) {
        if (!rt_buf_add(&s->element, start, n))
            return too_large(s);
        start = s->element.data;
        n = s->element.len;
    }
    bool goes_on = s->fn(s->ctx, s->count, start, n);
    s->count++;
    rt_buf_clear(&s->element);
    s->stopped = !goes_on;
    return goes_on;
}

/* From p, inside an element, to its end or the end of the chunk. */
static const char *element(struct rt_jsplit *s, const char *data, const char *p, const char *end) {
    const char *start = p;
    if (s->mode == M_ITEM_NESTED) {
        p = nested_end(s, data, p, end);
    } else {
        while (p < end && is_word(*p))
            p++;
        if (p < end)
            s->mode = M_ITEM_NEXT;
    }
    if (!p)
        return NULL;
    if (s->mode == M_ITEM_NEXT)
        return hand_out(s, start, (size_t)(p - start)) ? p : NULL;
    if (!rt_buf_add(&s->element, start, (size_t)(p - start))) {
        too_large(s);
        return NULL;
    }
    return p;
}

/* Between elements; *p is not blank. */
static const char *between(struct rt_jsplit *s, const char *data, const char *p) {
    if (*p == ']' && s->mode != M_ITEM) {
        pop(s, *p);
        value_ended(s);
        return p + 1;
    }
    if (s->mode == M_ITEM_NEXT) {
        if (*p != ',')
            return unexpected(s, data, p);
        s->mode = M_ITEM;
        return p + 1;
    }
    if (*p == '{' || *p == '[' || *p == '"')
        s->mode = M_ITEM_NESTED;
    else if (is_word(*p))
        s->mode = M_ITEM_SCALAR;
    else
        return unexpected(s, data, p);
    return p;
}

static bool run(struct rt_jsplit *s, const char *data, size_t n) {
    const char *end = data + n;
    for (const char *p = data; p && p < end;) {
        if (s->mode < M_ITEM_FIRST)
            p = envelope(s, data, p);
        else if (s->mode >= M_ITEM_NESTED)
            p = element(s, data, p, end);
        else
            p = is_blank(*p) ? p + 1 : between(s, data, p);
    }
    return !s->failed && !s->stopped;
}

bool rt_jsplit_feed(struct rt_jsplit *s, const char *data, size_t n, struct rt_error *err) {
    if (n > 0 && s->head_len < HEAD_MAX) {
        size_t part = RT_MIN(n, HEAD_MAX - s->head_len);
        memcpy(s->head + s->head_len, data, part);
        s->head_len += part;
    }
    bool ok = !s->failed && !s->stopped && run(s, data, n);
    s->offset += n;
    if (s->failed)
        *err = s->error;
    return ok;
}

static bool list_missing(const struct rt_jsplit *s, struct rt_error *err) {
    struct rt_buf path;
    rt_buf_init(&path, 0);
    add_path(s, &path);
    if (s->nkeys == 0)
        rt_error_set(err, RT_E_PROTOCOL, "%s instead of a list", s->other);
    else if (s->other)
        rt_error_set(err, RT_E_PROTOCOL, "%s is %s, not a list", rt_buf_str(&path), s->other);
    else
        rt_error_set(err, RT_E_PROTOCOL, "no list at %s", rt_buf_str(&path));
    rt_buf_deinit(&path);
    return false;
}

bool rt_jsplit_end(struct rt_jsplit *s, struct rt_error *err) {
    if (s->failed) {
        *err = s->error;
        return false;
    }
    if (s->stopped)
        return false;
    if (s->mode == M_SCALAR)
        value_ended(s);
    if (s->mode == M_VALUE && s->depth == 0)
        return rt_json_unlike(err, s->head, s->head_len);
    if (s->mode != M_END)
        return rt_error_set(err, RT_E_PROTOCOL,
                            "the answer breaks off after %llu bytes (%zu elements)",
                            (unsigned long long)s->offset, s->count);
    if (!s->found || s->other)
        return list_missing(s, err);
    return true;
}
