/* Comparing and searching strings, and lists of them. */
#include "base/str.h"
#include "base/mem.h"
#include <stdlib.h>
#include <string.h>

static unsigned char lower(char c) {
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

static bool digit(char c) {
    return c >= '0' && c <= '9';
}

bool rt_streq(const char *a, const char *b) {
    return rt_strcmp(a, b) == 0;
}

bool rt_starts(const char *s, const char *prefix) {
    return s && strncmp(s, prefix, strlen(prefix)) == 0;
}

bool rt_is_one_of(const char *s, const char *const *list) {
    while (*list && !rt_streq(s, *list))
        list++;
    return *list != NULL;
}

bool rt_ends(const char *s, const char *suffix) {
    size_t n = s ? strlen(s) : 0, m = strlen(suffix);
    return s && n >= m && memcmp(s + n - m, suffix, m) == 0;
}

uint64_t rt_fnv(const char *s) {
    uint64_t h = 14695981039346656037u;
    for (; s && *s; s++)
        h = (h ^ (unsigned char)*s) * 1099511628211u;
    return h;
}

int rt_strcmp(const char *a, const char *b) {
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    return strcmp(a, b);
}

/* Compares the numbers that begin at *a and *b by value, and moves behind them. */
static int number_cmp(const char **a, const char **b) {
    while (**a == '0')
        ++*a;
    while (**b == '0')
        ++*b;
    int differ = 0;
    for (; digit(**a) && digit(**b); ++*a, ++*b)
        if (!differ)
            differ = (int)(unsigned char)**a - (int)(unsigned char)**b;
    if (digit(**a) || digit(**b))
        return digit(**a) ? 1 : -1;
    return differ;
}

int rt_natcmp(const char *a, const char *b) {
    if (!a || !b)
        return (a != NULL) - (b != NULL);
    const char *p = a, *q = b;
    while (*p && *q) {
        if (digit(*p) && digit(*q)) {
            int differ = number_cmp(&p, &q);
            if (differ)
                return differ;
        } else if (*p != *q) {
            return (unsigned char)*p < (unsigned char)*q ? -1 : 1;
        } else {
            p++, q++;
        }
    }
    if (*p || *q)
        return *p ? 1 : -1;
    return strcmp(a, b); /* "a1" and "a01" are not the same */
}

bool rt_contains_i(const char *s, const char *needle) {
    size_t n = strlen(needle);
    if (n == 0)
        return true;
    for (; s && *s; s++) {
        size_t i = 0;
        while (i < n && s[i] && lower(s[i]) == lower(needle[i]))
            i++;
        if (i == n)
            return true;
    }
    return false;
}

bool rt_fuzzy_i(const char *s, const char *needle) {
    for (; s && *s && *needle; s++)
        if (lower(*s) == lower(*needle))
            needle++;
    return *needle == '\0';
}

enum { NEAREST_LONGEST = 64 };

/* Letters to add, drop, change or swap until a is b; case does not count. */
static size_t edit_distance(const char *a, size_t n, const char *b, size_t m) {
    size_t rows[3][NEAREST_LONGEST + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++)
        above[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            bool same = lower(a[i - 1]) == lower(b[j - 1]);
            size_t d = above[j - 1] + !same;
            d = RT_MIN(d, RT_MIN(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && lower(a[i - 1]) == lower(b[j - 2]) &&
                lower(a[i - 2]) == lower(b[j - 1]))
                d = RT_MIN(d, before[j - 2] + 1);
            row[j] = d;
        }
        size_t *free_row = before;
        before = above, above = row, row = free_row;
    }
    return above[m];
}

const char *rt_nearest(const char *word, const char *const *words) {
    const char *best = NULL;
    size_t n = word ? strlen(word) : 0, least = n / 3 + 1;
    if (n == 0 || n > NEAREST_LONGEST)
        return NULL;
    if (least > 4)
        least = 4;
    least++;
    for (size_t i = 0; words[i]; i++) {
        size_t m = strlen(words[i]);
        if (m > NEAREST_LONGEST)
            continue;
        size_t d = edit_distance(word, n, words[i], m);
        if (d < least && 2 * d < RT_MAX(n, m)) {
            least = d;
            best = words[i];
        }
    }
    return best;
}

void rt_strs_take(struct rt_strs *l, char *s) {
    if (!s)
        return;
    if (l->n + 2 > l->cap) {
        l->cap = l->cap ? l->cap * 2 : 8;
        l->v = rt_realloc(l->v, l->cap * sizeof *l->v);
    }
    l->v[l->n++] = s;
    l->v[l->n] = NULL;
}

void rt_strs_add(struct rt_strs *l, const char *s) {
    rt_strs_take(l, rt_strdup(s));
}

void rt_strs_addf(struct rt_strs *l, const char *fmt, ...) {
    struct rt_buf text;
    rt_buf_init(&text, 0);
    va_list ap;
    va_start(ap, fmt);
    rt_buf_addv(&text, fmt, ap);
    va_end(ap);
    rt_strs_take(l, rt_buf_take(&text));
}

bool rt_strs_has(const struct rt_strs *l, const char *s) {
    for (size_t i = 0; i < l->n; i++)
        if (rt_streq(l->v[i], s))
            return true;
    return false;
}

void rt_strs_copy(struct rt_strs *to, const struct rt_strs *from) {
    for (size_t i = 0, n = from->n; i < n; i++)
        rt_strs_add(to, from->v[i]);
}

void rt_strs_deinit(struct rt_strs *l) {
    for (size_t i = 0; i < l->n; i++)
        free(l->v[i]);
    free(l->v);
    *l = (struct rt_strs){0};
}
