/* What a node offers and what of it is in use: /api/v0/nodes knows the totals exactly and under
 * their real names, nodeLogicalResources tells what is used as lines of text. */
#include "ray/private.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

/* "node:10.0.0.1", "node:__internal_head__", and the copies that placement groups make of a
 * resource
 * ("CPU_group_0_<hex>", "bundle_group_<hex>") are Ray's bookkeeping. */
static const char *group_mark(const char *name) {
    const char *g = strstr(name, "_group_");
    if (!g)
        return NULL;
    const char *hex = strrchr(name, '_') + 1;
    const size_t n = strlen(hex);
    return n >= 32 && strspn(hex, "0123456789abcdef") == n ? g : NULL;
}

static bool is_bookkeeping(const char *name) {
    return rt_starts(name, "node:") || group_mark(name);
}

static int by_rank(const void *a, const void *b) {
    const struct rt_amount *x = a, *y = b;
    return rt_resource_order(x->name, y->name);
}

/* "4.77MiB", "0.19999999999999996", "0B": a number and perhaps a unit; -1 when it is neither. */
static double quantity(const char *s, size_t n) {
    static const struct {
        const char *unit;
        double factor;
    } units[] = {{"KiB", 1024.0},
                 {"MiB", 1048576.0},
                 {"GiB", 1073741824.0},
                 {"TiB", 1099511627776.0},
                 {"B", 1.0}};
    char text[64];
    if (n == 0 || n >= sizeof(text))
        return -1;
    memcpy(text, s, n);
    text[n] = '\0';
    double factor = 1;
    for (size_t i = 0; i < RT_COUNT(units); i++)
        if (rt_ends(text, units[i].unit)) {
            factor = units[i].factor;
            text[n - strlen(units[i].unit)] = '\0';
            break;
        }
    double v = -1;
    if (!rt_parse_f64(text, &v) || v < 0)
        return -1;
    return v * factor;
}

/* One line "<used>/<total> <name> (...)". */
static bool line_of(const char *line, size_t n, const char *name, double *used, double *total) {
    const char *slash = memchr(line, '/', n);
    const char *blank = slash ? memchr(slash, ' ', n - (size_t)(slash - line)) : NULL;
    if (!blank)
        return false;
    const char *at = blank + 1;
    const size_t left = n - (size_t)(at - line), len = strlen(name);
    if (left < len || memcmp(at, name, len) != 0)
        return false;
    if (left > len && !(at[len] == ' ' && (left == len + 1 || at[len + 1] == '(')))
        return false;
    *used = quantity(line, (size_t)(slash - line));
    *total = quantity(slash + 1, (size_t)(blank - slash - 1));
    return true;
}

/* "(0.0 used of 1.0 reserved in placement groups)" at the end of a line: the first number does not count the rest of it. */
static double reserved_of(const char *line, size_t n) {
    static const char middle[] = " used of ";
    char *text = rt_strndup(line, n), *open = strchr(text, '('), *of = open ? strstr(open, middle) : NULL;
    double left = 0;
    if (of) {
        const double used = quantity(open + 1, (size_t)(of - open - 1));
        of += sizeof middle - 1;
        const double total = quantity(of, strcspn(of, " "));
        left = used >= 0 && total > used ? total - used : 0;
    }
    free(text);
    return left;
}

static double used_of(const char *logical, const char *name, double *reserved) {
    double used = -1, total = -1;
    *reserved = 0;
    while (logical && *logical) {
        const size_t n = strcspn(logical, "\n");
        if (line_of(logical, n, name, &used, &total)) {
            *reserved = reserved_of(logical, n);
            return used;
        }
        logical += n + (logical[n] == '\n');
    }
    return -1;
}

/* In the order that v has in the end. */
static const double *reserves(const struct rt_amounts *a, const char *logical, struct rt_arena *arena) {
    double *out = rt_arena_alloc(arena, (a->n + 1) * sizeof(*out));
    bool any = false;
    for (size_t i = 0; i < a->n; i++) {
        (void)used_of(logical, a->v[i].name, &out[i]);
        any = any || out[i] > 0;
    }
    return any ? out : NULL;
}

struct rt_amounts rt_node_amounts(const struct rt_resources *total, const char *logical,
                                  struct rt_arena *arena) {
    struct rt_amounts out = {0};
    if (total->n == 0)
        return out;
    out.v = rt_arena_alloc(arena, total->n * sizeof(*out.v));
    for (size_t i = 0; i < total->n; i++) {
        const struct rt_resource *r = &total->v[i];
        if (is_bookkeeping(r->name))
            continue;
        double reserved;
        out.v[out.n++] = (struct rt_amount){r->name, used_of(logical, r->name, &reserved), r->amount};
    }
    if (out.n > 0)
        qsort(out.v, out.n, sizeof(*out.v), by_rank);
    out.reserved = reserves(&out, logical, arena);
    return out;
}

void rt_needs_unfold(struct rt_resources *needs, struct rt_arena *arena) {
    struct rt_resources out = {.v = needs->v};
    for (size_t i = 0; i < needs->n; i++) {
        struct rt_resource r = needs->v[i];
        const char *mark = group_mark(r.name);
        if (mark)
            r.name = rt_arena_strndup(arena, r.name, (size_t)(mark - r.name));
        if (mark && (rt_streq(r.name, "bundle") || rt_resources_get(&out, r.name, -1) >= 0))
            continue;
        out.v[out.n++] = r;
    }
    rt_resources_sort(&out);
    *needs = out;
}
