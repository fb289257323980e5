/* Filters: each knows which lines it matches; together they say which lines are seen. */
#include "core/logbuf_impl.h"
#include <stdio.h>
#include <string.h>

static void filter_destroy(struct rt_logfilter *f) {
    rt_logmatcher_destroy(f->matcher);
    rt_logtrack_deinit(&f->track);
    free(f);
}

/* Filters came or went: what passes is worked out again from what each knows. */
static void begin_again(struct rt_logbuf *b) {
    rt_logbits_deinit(&b->pass);
    b->pending_len = -1;
    rt_logfilters_follow(b);
    rt_logbuf_changed(b);
}

/* The veil is the first of the filters, and always counts. */
static bool counts(const struct rt_logbuf *b, size_t i) {
    return (b->veiled && i == 0) || !b->filters_off;
}

static struct rt_logfilter *filter_create(struct rt_logbuf *b, const char *regex, bool drop, struct rt_error *err) {
    struct rt_logregex *re = rt_logregex_create(regex, err);
    if (!re)
        return NULL;
    struct rt_logfilter *f = RT_NEW(struct rt_logfilter);
    rt_logtrack_init(&f->track, b, re);
    f->matcher = rt_logmatcher_create(re);
    f->drop = drop;
    return f;
}

bool rt_logbuf_veil(struct rt_logbuf *b, const char *regex, struct rt_error *err) {
    struct rt_logfilter *f = regex ? filter_create(b, regex, true, err) : NULL;
    if (regex && !f)
        return false;
    if (b->veiled) {
        filter_destroy(b->filters.v[0]);
        rt_vec_remove(&b->filters, 0);
    }
    b->veiled = f != NULL;
    if (f) {
        (void)rt_vec_push(&b->filters);
        memmove(&b->filters.v[1], &b->filters.v[0], (b->filters.n - 1) * sizeof(*b->filters.v));
        b->filters.v[0] = f;
    }
    begin_again(b);
    return true;
}

bool rt_logbuf_filter_add(struct rt_logbuf *b, const char *regex, bool drop, struct rt_error *err) {
    if (rt_logbuf_filters(b) >= RT_LOGFILTERS)
        return rt_error_set(err, RT_E_LIMIT, "there are %d filters already", RT_LOGFILTERS);
    struct rt_logfilter *f = filter_create(b, regex, drop, err);
    if (!f)
        return false;
    *rt_vec_push(&b->filters) = f;
    b->filters_off = false;
    begin_again(b);
    return true;
}

void rt_logbuf_filter_pop(struct rt_logbuf *b) {
    if (rt_logbuf_filters(b) == 0)
        return;
    filter_destroy(b->filters.v[--b->filters.n]);
    begin_again(b);
}

void rt_logfilters_deinit(struct rt_logbuf *b) {
    for (size_t i = 0; i < b->filters.n; i++)
        filter_destroy(b->filters.v[i]);
    rt_vec_deinit(&b->filters);
    rt_logbits_deinit(&b->pass);
}

size_t rt_logbuf_filters(const struct rt_logbuf *b) {
    return b->filters.n - b->veiled;
}

const char *rt_logbuf_filter_at(const struct rt_logbuf *b, size_t i, bool *drop) {
    i += b->veiled;
    if (i >= b->filters.n)
        return NULL;
    if (drop)
        *drop = b->filters.v[i]->drop;
    return rt_logregex_pattern(b->filters.v[i]->track.re);
}

void rt_logbuf_filters_enable(struct rt_logbuf *b, bool on) {
    b->filters_off = !on;
    begin_again(b);
}

bool rt_logbuf_filters_enabled(const struct rt_logbuf *b) {
    return rt_logbuf_filters(b) > 0 && !b->filters_off;
}

bool rt_logbuf_filtering(const struct rt_logbuf *b) {
    return b->veiled || rt_logbuf_filters_enabled(b);
}

/* Lines that all filters have looked at. */
static int64_t looked_at(const struct rt_logbuf *b) {
    int64_t n = INT64_MAX;
    for (size_t i = 0; i < b->filters.n; i++)
        if (counts(b, i))
            n = RT_MIN(n, b->filters.v[i]->track.done);
    return n == INT64_MAX ? 0 : n;
}

static uint64_t passing_word(const struct rt_logbuf *b, int64_t from) {
    uint64_t word = ~(uint64_t)0;
    for (size_t i = 0; i < b->filters.n; i++) {
        const struct rt_logfilter *f = b->filters.v[i];
        const struct rt_logbits *v = &f->track.bits[0];
        if (!counts(b, i))
            continue;
        uint64_t bits = rt_words_at(v->words.v, v->n, from);
        word &= f->drop ? ~bits : bits;
    }
    return word;
}

static void say_too_hard(struct rt_logbuf *b, struct rt_logfilter *f) {
    char text[256];
    f->track.too_hard = false;
    snprintf(text, sizeof text,
             "--- filter \"%.100s\" takes too many steps: lines that it gave up count as not matched ---",
             rt_logregex_pattern(f->track.re));
    rt_logbuf_mark(b, text);
}

void rt_logfilters_follow(struct rt_logbuf *b) {
    enum { WORDS = 64 };
    uint64_t words[WORDS];
    for (size_t i = 0; i < b->filters.n; i++) {
        rt_logtrack_follow(&b->filters.v[i]->track);
        if (b->filters.v[i]->track.too_hard)
            say_too_hard(b, b->filters.v[i]);
    }
    for (int64_t end = looked_at(b); b->pass.n < end;) {
        int64_t n = RT_MIN(end - b->pass.n, (int64_t)WORDS * 64);
        for (int64_t i = 0; i * 64 < n; i++)
            words[i] = passing_word(b, b->pass.n + i * 64);
        rt_logbits_add(&b->pass, words, 0, n);
    }
}

bool rt_logfilters_ready(const struct rt_logbuf *b, int64_t upto) {
    return !rt_logbuf_filtering(b) || b->pass.n >= RT_MIN(upto, b->newlines);
}

/* The unfinished line is matched when it is asked for, and again when it has grown. */
static bool pending_passes(struct rt_logbuf *b) {
    struct rt_logtext t;
    if (!b->unfinished || !rt_logbuf_exact(b) || b->pass.n < b->newlines)
        return false;
    if (b->pending_len == b->bytes)
        return b->pending_pass;
    b->pending_len = b->bytes;
    b->pending_pass = rt_logbuf_text(b, b->newlines, &t);
    for (size_t i = 0; i < b->filters.n && b->pending_pass; i++)
        b->pending_pass = !counts(b, i) || rt_logmatcher_line(b->filters.v[i]->matcher, t.text, t.len) != b->filters.v[i]->drop;
    return b->pending_pass;
}

bool rt_logbuf_passes(struct rt_logbuf *b, int64_t line) {
    if (!rt_logbuf_filtering(b))
        return true;
    return line >= b->newlines ? pending_passes(b) : rt_logbits_get(&b->pass, line);
}

/* What is seen, counted: lines first, then marks among them. */

static int64_t seen_before(struct rt_logbuf *b, int64_t line) {
    int64_t n = rt_logbits_rank(&b->pass, RT_MIN(line, b->pass.n));
    return n + (line > b->newlines && pending_passes(b) ? 1 : 0);
}

/* Marks up to the lines that were looked at. */
static size_t seen_marks(const struct rt_logbuf *b) {
    bool all = rt_logbuf_exact(b) && b->pass.n >= b->newlines;
    return all ? b->marks.n : rt_logbuf_marks_upto(b, b->pass.n);
}

int64_t rt_logbuf_visible(const struct rt_logbuf *b, bool *exact) {
    if (!rt_logbuf_filtering(b))
        return rt_logbuf_lines(b, exact);
    if (exact)
        *exact = rt_logbuf_exact(b) && b->pass.n >= b->newlines;
    return b->pass.ones + (pending_passes(b->self) ? 1 : 0) + (int64_t)seen_marks(b);
}

int64_t rt_logbuf_visible_at(struct rt_logbuf *b, int64_t i) {
    if (i < 0 || i >= rt_logbuf_visible(b, NULL))
        return -1;
    if (!rt_logbuf_filtering(b))
        return i;
    size_t lo = 0, hi = seen_marks(b); /* marks at or before i */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (seen_before(b, b->marks.v[mid].line) + (int64_t)mid <= i)
            lo = mid + 1;
        else
            hi = mid;
    }
    if (lo > 0 && seen_before(b, b->marks.v[lo - 1].line) + (int64_t)lo - 1 == i)
        return b->marks.v[lo - 1].line + (int64_t)lo - 1;
    int64_t line = rt_logbits_select(&b->pass, i - (int64_t)lo);
    return rt_logbuf_number_of(b, line < 0 ? b->newlines : line);
}

int64_t rt_logbuf_visible_index(struct rt_logbuf *b, int64_t number) {
    int64_t n = rt_logbuf_visible(b, NULL);
    if (!rt_logbuf_filtering(b))
        return RT_MIN(RT_MAX(number, 0), n);
    size_t mark;
    int64_t line = rt_logbuf_line_of(b, RT_MAX(number, 0), &mark);
    size_t marks = mark != SIZE_MAX ? mark : rt_logbuf_marks_upto(b, line);
    return RT_MIN(seen_before(b, line) + (int64_t)RT_MIN(marks, seen_marks(b)), n);
}
