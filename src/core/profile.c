/* Where the time went: collapsed stacks counted by function. */
#include "core/profile.h"

#include "base/map.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include <stdlib.h>
#include <string.h>

enum { SHOWN = 40, DEPTH_MAX = 1000 };

struct place {
    const char *name; /* lent by the map's arena */
    int64_t self, all;
    size_t line; /* the stack that counted it last: recursion counts once */
};

struct count {
    struct rt_map by_name;
    struct rt_arena *arena;
    RT_VEC(struct place *) places;
    int64_t samples;
    size_t lines;
};

static struct place *place(struct count *c, const char *s, size_t n) {
    char *name = rt_arena_strndup(c->arena, s, n);
    struct place *p = rt_map_get(&c->by_name, name);
    if (p)
        return p;
    p = rt_arena_alloc(c->arena, sizeof *p);
    *p = (struct place){.name = name};
    rt_map_set(&c->by_name, name, p);
    *rt_vec_push(&c->places) = p;
    return p;
}

/* "a;b;c 12"; blanks may stand inside of the frames. */
static void add_line(struct count *c, const char *s, size_t n) {
    size_t end = n;
    while (end > 0 && s[end - 1] >= '0' && s[end - 1] <= '9')
        end--;
    char *number = rt_strndup(s + end, n - end);
    int64_t samples = 0;
    const bool good = end > 1 && s[end - 1] == ' ' && rt_parse_i64(number, &samples) && samples > 0 && samples < INT64_C(1) << 40;
    free(number);
    if (!good)
        return;
    c->lines++;
    c->samples += samples;
    struct place *last = NULL;
    size_t at = 0;
    for (int depth = 0; at < end - 1 && depth < DEPTH_MAX; depth++) {
        const char *semicolon = memchr(s + at, ';', end - 1 - at);
        const size_t len = semicolon ? (size_t)(semicolon - s) - at : end - 1 - at;
        last = place(c, s + at, len);
        if (last->line != c->lines)
            last->all += samples;
        last->line = c->lines;
        at += len + 1;
    }
    if (last)
        last->self += samples;
}

static int hottest(const void *a, const void *b) {
    const struct place *x = *(struct place *const *)a, *y = *(struct place *const *)b;
    if (x->self != y->self)
        return x->self > y->self ? -1 : 1;
    if (x->all != y->all)
        return x->all > y->all ? -1 : 1;
    return strcmp(x->name, y->name);
}

void rt_profile_summary(struct rt_buf *out, const char *stacks, size_t n) {
    struct count c = {.arena = rt_arena_create()};
    rt_map_init(&c.by_name, true);
    while (n > 0) {
        const char *nl = memchr(stacks, '\n', n);
        const size_t len = nl ? (size_t)(nl - stacks) : n;
        add_line(&c, stacks, len > 0 && stacks[len - 1] == '\r' ? len - 1 : len);
        stacks += len + (nl != NULL);
        n -= len + (nl != NULL);
    }
    if (c.places.n > 1)
        qsort(c.places.v, c.places.n, sizeof *c.places.v, hottest);
    rt_buf_addf(out, "%lld samples, %zu stacks, %zu places\n\n   self    all  place\n", (long long)c.samples, c.lines, c.places.n);
    for (size_t i = 0; i < c.places.n && i < SHOWN; i++) {
        const struct place *p = c.places.v[i];
        rt_buf_addf(out, "%6.1f%% %5.1f%%  ", 100.0 * (double)p->self / (double)c.samples, 100.0 * (double)p->all / (double)c.samples);
        rt_clean(out, p->name, strlen(p->name));
        rt_buf_addc(out, '\n');
    }
    if (c.places.n > SHOWN)
        rt_buf_addf(out, "and %zu more\n", c.places.n - SHOWN);
    rt_vec_deinit(&c.places);
    rt_map_deinit(&c.by_name);
    rt_arena_destroy(c.arena);
}
