/* gitignore patterns by git's rules. A pattern is cut into segments at its slashes; segments are
 * matched one by one, so that no pattern costs more than (segments x segments) steps, whatever its
 * stars. */
#include "base/vec.h"
#include "ray/package.h"

#include <ctype.h>
#include <string.h>

struct rule {
    char *base;  /* "" or "dir/": what it speaks of lies below */
    char **segs; /* "**" stands for any number of them */
    size_t n;
    bool keep, dir_only;
};

struct rt_ignore {
    RT_VEC(struct rule) rules;
};

struct rt_ignore *rt_ignore_create(void) {
    return RT_NEW(struct rt_ignore);
}

void rt_ignore_destroy(struct rt_ignore *g) {
    if (!g)
        return;
    for (size_t i = 0; i < g->rules.n; i++) {
        for (size_t k = 0; k < g->rules.v[i].n; k++)
            free(g->rules.v[i].segs[k]);
        free(g->rules.v[i].segs);
        free(g->rules.v[i].base);
    }
    rt_vec_deinit(&g->rules);
    free(g);
}

/* ---- one segment ---- */

static const char *class_end(const char *p) { /* of "[:alpha:]", at its first ':' */
    const char *end = strstr(p + 1, ":]");
    return end;
}

static bool in_class(const char *name, size_t n, unsigned char c) {
    static const struct {
        const char *name;
        int (*is)(int);
    } classes[] = {{"alnum", isalnum}, {"alpha", isalpha}, {"blank", isblank},
                   {"cntrl", iscntrl}, {"digit", isdigit}, {"graph", isgraph},
                   {"lower", islower}, {"print", isprint}, {"punct", ispunct},
                   {"space", isspace}, {"upper", isupper}, {"xdigit", isxdigit}};
    for (size_t i = 0; i < RT_COUNT(classes); i++)
        if (strlen(classes[i].name) == n && memcmp(classes[i].name, name, n) == 0)
            return classes[i].is(c) != 0;
    return false;
}

/* One member of a bracket: a character, perhaps escaped. NULL at the end of the text. */
static const char *member(const char *p, unsigned char *out) {
    if (*p == '\\')
        p++;
    *out = (unsigned char)*p;
    return *p ? p + 1 : NULL;
}

/* p is behind "[". Gives the place behind "]" and whether c is in; NULL: it never closes, nothing
 * matches. */
static const char *bracket(const char *p, unsigned char c, bool *in) {
    const bool negated = *p == '!' || *p == '^';
    bool found = false;
    if (negated)
        p++;
    for (bool first = true; *p && (*p != ']' || first); first = false) {
        if (p[0] == '[' && p[1] == ':' && class_end(p + 1)) {
            const char *end = class_end(p + 1);
            found |= in_class(p + 2, (size_t)(end - p - 2), c);
            p = end + 2;
            continue;
        }
        unsigned char low, high;
        p = member(p, &low);
        if (!p)
            return NULL;
        high = low;
        if (p[0] == '-' && p[1] && p[1] != ']') {
            p = member(p + 1, &high);
            if (!p)
                return NULL;
        }
        found |= low <= c && c <= high;
    }
    *in = found != negated;
    return *p ? p + 1 : NULL;
}

/* Matches one character of the pattern; gives the rest of it, NULL when it does not match. */
static const char *one(const char *p, unsigned char c) {
    bool in = false;
    switch (*p) {
    case '\0':
        return NULL;
    case '?':
        return p + 1;
    case '[':
        p = bracket(p + 1, c, &in);
        return in ? p : NULL;
    case '\\':
        return (unsigned char)p[1] == c && c ? p + 2 : NULL;
    default:
        return (unsigned char)*p == c ? p + 1 : NULL;
    }
}

/* Going back to the last star is enough: an earlier one has nothing to gain. */
static bool segment(const char *p, const char *s, size_t n) {
    const char *star = NULL;
    size_t i = 0, mark = 0;
    while (i < n) {
        const char *next;
        if (*p == '*') {
            star = ++p;
            mark = i;
        } else if ((next = one(p, (unsigned char)s[i])) != NULL) {
            p = next;
            i++;
        } else if (star) {
            p = star;
            i = ++mark;
        } else {
            return false;
        }
    }
    while (*p == '*')
        p++;
    return *p == '\0';
}

/* ---- whole paths ---- */

struct part {
    const char *s;
    size_t n;
};
enum { MAX_PARTS = 512 };

static size_t split(const char *path, struct part *out) {
    size_t n = 0;
    while (*path && n < MAX_PARTS) {
        const size_t len = strcspn(path, "/");
        if (len > 0)
            out[n++] = (struct part){path, len};
        path += len + (path[len] == '/');
    }
    return n;
}

static bool is_any(const char *seg) {
    return strcmp(seg, "**") == 0;
}

/* The same going back, over segments: "**" is the star. At the end it wants at least one. */
static bool parts_match(const struct rule *r, const struct part *v, size_t n) {
    size_t p = 0, i = 0, star = SIZE_MAX, mark = 0;
    while (i < n) {
        if (p < r->n && is_any(r->segs[p])) {
            if (p + 1 == r->n)
                return true;
            star = ++p;
            mark = i;
        } else if (p < r->n && segment(r->segs[p], v[i].s, v[i].n)) {
            p++;
            i++;
        } else if (star != SIZE_MAX) {
            p = star;
            i = ++mark;
        } else {
            return false;
        }
    }
    return p == r->n;
}

static bool rule_matches(const struct rule *r, const char *path, bool is_dir) {
    if (r->dir_only && !is_dir)
        return false;
    if (!rt_starts(path, r->base))
        return false;
    path += strlen(r->base);
    struct part parts[MAX_PARTS];
    const size_t n = split(path, parts);
    return n > 0 && parts_match(r, parts, n);
}

/* ---- reading ---- */

/* Trailing blanks do not count unless a backslash stands before them. */
static size_t trimmed(const char *s, size_t n) {
    while (n > 0 && s[n - 1] == ' ') {
        size_t slashes = 0;
        while (slashes < n - 1 && s[n - 2 - slashes] == '\\')
            slashes++;
        if (slashes % 2 == 1)
            break;
        n--;
    }
    return n;
}

/* Behind the bracket that opens at s[0]; 1 when it never closes. */
static size_t bracket_length(const char *s, size_t n) {
    size_t i = 1;
    i += i < n && (s[i] == '!' || s[i] == '^');
    i += i < n && s[i] == ']';
    while (i < n && s[i] != ']') {
        const char *end =
            s[i] == '[' && i + 1 < n && s[i + 1] == ':' ? strstr(s + i + 2, ":]") : NULL;
        i = end && end + 1 < s + n ? (size_t)(end + 2 - s) : i + 1 + (s[i] == '\\');
    }
    return i < n ? i + 1 : 1;
}

/* Up to the next slash, or n; one in brackets does not count. */
static size_t segment_length(const char *s, size_t n) {
    size_t i = 0;
    while (i < n && s[i] != '/') {
        if (s[i] == '\\' && i + 1 < n && s[i + 1] != '/')
            i += 2;
        else
            i += s[i] == '[' ? bracket_length(s + i, n - i) : 1;
    }
    return RT_MIN(i, n);
}

static void add_segment(struct rule *r, const char *s, size_t n) {
    r->segs = rt_realloc(r->segs, (r->n + 1) * sizeof(*r->segs));
    r->segs[r->n++] = rt_strndup(s, n);
}

static void add_line(struct rt_ignore *g, const char *base, const char *s, size_t n) {
    if (n > 0 && s[n - 1] == '\r')
        n--;
    n = trimmed(s, n);
    if (n == 0 || s[0] == '#')
        return;
    struct rule r = {.keep = s[0] == '!'};
    if (r.keep)
        s++, n--;
    if (n > 0 && s[n - 1] == '/') {
        r.dir_only = true;
        n--;
    }
    if (n == 0)
        return;
    const bool anywhere = !memchr(s, '/', n); /* a name without a slash is meant at any depth */
    if (s[0] == '/')
        s++, n--;
    if (n == 0)
        return;
    if (anywhere)
        add_segment(&r, "**", 2);
    if (anywhere && n == 2 && memcmp(s, "**", 2) == 0)
        n = 1;                                 /* a lone "**" is a name like "*" */
    for (const char *end = s + n; s <= end;) { /* an empty segment, as in "a//b", matches nothing */
        const size_t len = segment_length(s, (size_t)(end - s));
        add_segment(&r, s, len);
        s += len + 1;
    }
    r.base = rt_strdup(base);
    *rt_vec_push(&g->rules) = r;
}

void rt_ignore_add(struct rt_ignore *g, const char *base, const char *text) {
    if (rt_starts(text, "\xef\xbb\xbf"))
        text += 3;
    while (*text) {
        const size_t n = strcspn(text, "\n");
        add_line(g, base, text, n);
        text += n + (text[n] == '\n');
    }
}

/* ---- answers ---- */

enum rt_verdict rt_ignore_verdict(const struct rt_ignore *g, const char *path, bool is_dir) {
    for (size_t i = g->rules.n; i > 0; i--) {
        const struct rule *r = &g->rules.v[i - 1];
        if (rule_matches(r, path, is_dir))
            return r->keep ? RT_V_KEEP : r->dir_only ? RT_V_CONTENTS : RT_V_IGNORE;
    }
    return RT_V_NONE;
}

/* What lies in an ignored directory cannot be kept. */
bool rt_ignored(const struct rt_ignore *g, const char *path, bool is_dir) {
    char *parent = rt_strdup(path);
    bool ignored = false;
    for (char *slash = strchr(parent, '/'); slash && !ignored; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        ignored = rt_ignore_verdict(g, parent, true) >= RT_V_IGNORE;
        *slash = '/';
    }
    free(parent);
    return ignored || rt_ignore_verdict(g, path, is_dir) >= RT_V_IGNORE;
}

bool rt_ignores_all(const struct rt_ignore *g) {
    bool all = false;
    for (size_t i = 0; i < g->rules.n; i++) {
        const struct rule *r = &g->rules.v[i];
        if (r->keep)
            return false;
        const char *last = r->segs[r->n - 1];
        all |= !r->dir_only && (strcmp(last, "*") == 0 || strcmp(last, "**") == 0) &&
               (r->n == 1 || (r->n == 2 && is_any(r->segs[0])));
    }
    return all;
}
