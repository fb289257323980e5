/* Searching and counting: workers match, this looks at what came back. */
#include "core/logbuf_impl.h"

enum { TELL_MS = 60 };

/* Operations that go over the whole log wait until all of it is known. */
static bool ready(const struct rt_logbuf *b, int64_t upto) {
    return rt_logbuf_exact(b) && rt_logfilters_ready(b, upto);
}

struct search {
    struct rt_logtask task;
    struct rt_logscan scan;
    struct rt_logregex *re;
    struct rt_error err; /* of the pattern */
    int64_t from;        /* number, then line */
    int64_t upto;        /* finished lines when it began */
    bool backwards, wrapped, started;
    rt_search_fn *fn;
    void *ctx;
};

static void search_free(struct search *s) {
    rt_logscan_stop(&s->scan);
    rt_logtask_remove(&s->task);
    rt_logregex_unref(s->re);
    free(s);
}

static void search_cancel(struct rt_op *op) {
    search_free((struct search *)op);
}

static void search_done(struct search *s, int64_t line) {
    struct rt_logbuf *b = s->task.b;
    rt_search_fn *fn = s->fn;
    void *ctx = s->ctx;
    struct rt_error err = s->err;
    bool wrapped = s->wrapped;
    int64_t number = line < 0 ? -1 : rt_logbuf_number_of(b, line);
    search_free(s);
    fn(ctx, number, wrapped, err.code ? &err : NULL);
}

/* The line of a unit that is nearest in the direction of the search, within [lo, hi); or -1. */
static int64_t nearest(struct search *s, const struct rt_logunit *u, int64_t lo, int64_t hi) {
    lo = RT_MAX(lo, u->first);
    hi = RT_MIN(hi, u->first + u->lines);
    for (int64_t i = lo; i < hi; i++) {
        int64_t line = s->backwards ? hi - 1 - (i - lo) : i;
        if (rt_words_get(u->bits[0], line - u->first) && rt_logbuf_passes(s->task.b, line))
            return line;
    }
    return -1;
}

/* First the lines from where it starts to the end in its direction, then the others. */
static void bounds(const struct search *s, int64_t *lo, int64_t *hi) {
    int64_t all = INT64_MAX;
    if (s->backwards) {
        *lo = s->wrapped ? s->from + 1 : 0;
        *hi = s->wrapped ? all : s->from + 1;
    } else {
        *lo = s->wrapped ? 0 : s->from;
        *hi = s->wrapped ? s->from : all;
    }
}

static bool search_unit(void *ctx, struct rt_logunit *u) {
    struct search *s = ctx;
    int64_t lo, hi;
    bounds(s, &lo, &hi);
    int64_t line = nearest(s, u, lo, hi);
    if (line < 0 && !u->too_hard)
        return true;
    if (line < 0)
        rt_error_set(&s->err, RT_E_LIMIT, "pattern \"%.100s\" takes too many steps",
                     rt_logregex_pattern(s->re));
    search_done(s, line);
    return false;
}

static void search_next(void *ctx) {
    struct search *s = ctx;
    struct rt_logbuf *b = s->task.b;
    for (;;) {
        if (s->started && s->wrapped) {
            search_done(s, -1);
            return;
        }
        s->wrapped = s->started;
        s->started = true;
        int64_t lo, hi;
        bounds(s, &lo, &hi);
        size_t end = b->blocks.n, from = RT_MIN(rt_logbuf_block_of(b, lo), end);
        size_t to = hi == INT64_MAX ? end : RT_MIN(rt_logbuf_block_of(b, RT_MAX(hi - 1, 0)) + 1, end);
        s->scan.until = s->backwards || rt_logbuf_filtering(b) ? -1 : lo;
        if (from < to && lo < hi && rt_logscan_start(&s->scan, from, to))
            return;
    }
}

static void search_wake(struct rt_logtask *t) {
    struct search *s = (struct search *)t;
    if (!s->re) {
        search_done(s, -1);
        return;
    }
    if (s->started || !ready(t->b, s->upto))
        return;
    size_t mark;
    int64_t last = rt_logbuf_data_lines(t->b) - 1;
    s->from = rt_logbuf_line_of(t->b, s->from, &mark);
    if (mark != SIZE_MAX && s->backwards)
        s->from--; /* a mark's line stands behind it */
    if (s->backwards)
        s->from = RT_MIN(s->from, last);
    search_next(s);
}

static void search_renumber(struct rt_logtask *t, int64_t from, int64_t by) {
    struct search *s = (struct search *)t;
    if (!s->started && s->from >= from)
        s->from += by;
}

struct rt_op *rt_logbuf_search(struct rt_logbuf *b, const char *regex, int64_t from, bool backwards,
                               rt_search_fn *fn, void *ctx) {
    struct search *s = RT_NEW(struct search);
    s->task = (struct rt_logtask){
        .op = {.cancel = search_cancel}, .wake = search_wake, .renumber = search_renumber};
    s->re = rt_logregex_create(regex, &s->err);
    if (s->re)
        rt_error_clear(&s->err);
    s->from = from;
    s->upto = b->newlines;
    s->backwards = backwards;
    s->fn = fn;
    s->ctx = ctx;
    s->scan = (struct rt_logscan){.b = b,
                                  .work = rt_logunit_match,
                                  .re = s->re,
                                  .backwards = backwards,
                                  .tail = true,
                                  .until = -1,
                                  .unit = search_unit,
                                  .end = search_next,
                                  .ctx = s};
    rt_logtask_add(b, &s->task);
    return &s->task.op;
}

struct count {
    struct rt_logtask task;
    struct rt_logscan scan;
    struct rt_logregex *re;
    int64_t number, line, upto, at, count, told_ms;
    bool started;
    bool *gone; /* set when it is cancelled in its own callback */
    rt_count_fn *fn;
    void *ctx;
};

static void count_free(struct count *c) {
    if (c->gone)
        *c->gone = true;
    rt_logscan_stop(&c->scan);
    rt_logtask_remove(&c->task);
    rt_logregex_unref(c->re);
    free(c);
}

static void count_cancel(struct rt_op *op) {
    count_free((struct count *)op);
}

static void count_end(void *ctx) {
    struct count *c = ctx;
    rt_count_fn *fn = c->fn;
    void *fn_ctx = c->ctx;
    int64_t at = c->at, count = c->count;
    count_free(c);
    fn(fn_ctx, at, count, true);
}

static bool count_unit(void *ctx, struct rt_logunit *u) {
    struct count *c = ctx;
    struct rt_logbuf *b = c->task.b;
    for (int64_t i = 0; i < u->lines; i += 64) {
        uint64_t word = rt_words_at(u->bits[0], u->lines, i);
        for (; word; word &= word - 1) {
            int64_t line = u->first + i + __builtin_ctzll(word);
            if (!rt_logbuf_passes(b, line))
                continue;
            c->count++;
            c->at += line <= c->line;
        }
    }
    if (u->too_hard) {
        count_end(c);
        return false;
    }
    bool gone = false;
    if (rt_loop_now_ms(b->loop) - c->told_ms < TELL_MS)
        return true;
    c->told_ms = rt_loop_now_ms(b->loop);
    c->gone = &gone;
    c->fn(c->ctx, c->at, c->count, false);
    if (!gone)
        c->gone = NULL;
    return !gone;
}

static void count_wake(struct rt_logtask *t) {
    struct count *c = (struct count *)t;
    if (c->started || (c->re && !ready(t->b, c->upto)))
        return;
    c->started = true;
    size_t mark;
    c->line = rt_logbuf_line_of(t->b, c->number, &mark) - (mark != SIZE_MAX);
    c->told_ms = rt_loop_now_ms(t->b->loop);
    if (!c->re || !rt_logscan_start(&c->scan, 0, t->b->blocks.n))
        count_end(c);
}

static void count_renumber(struct rt_logtask *t, int64_t from, int64_t by) {
    struct count *c = (struct count *)t;
    if (!c->started && c->number >= from)
        c->number += by;
}

struct rt_op *rt_logbuf_count(struct rt_logbuf *b, const char *regex, int64_t line, rt_count_fn *fn, void *ctx) {
    struct rt_error err;
    struct count *c = RT_NEW(struct count);
    c->task = (struct rt_logtask){
        .op = {.cancel = count_cancel}, .wake = count_wake, .renumber = count_renumber};
    c->re = rt_logregex_create(regex, &err);
    c->number = line;
    c->upto = b->newlines;
    c->fn = fn;
    c->ctx = ctx;
    c->scan = (struct rt_logscan){.b = b,
                                  .work = rt_logunit_match,
                                  .re = c->re,
                                  .tail = true,
                                  .until = -1,
                                  .unit = count_unit,
                                  .end = count_end,
                                  .ctx = c};
    rt_logtask_add(b, &c->task);
    return &c->task.op;
}
