/* To the next error, warning or mark, and to a time: answers at once, from what is known. */
#include "core/logbuf_impl.h"
#include <string.h>

enum {
    LOOK_US = 8000,  /* for lines whose kind is not known yet */
    TIMELESS = 32    /* blocks without a time that are passed over */
};

/* The first line in [from, to) that has its bit and is visible, or -1. */
static int64_t next_bit(const struct rt_logbuf *b, const struct rt_logbits *v, int64_t from, int64_t to) {
    bool filtering = rt_logbuf_filtering(b);
    to = RT_MIN(to, v->n);
    for (int64_t i = from; i < to; i += 64) {
        uint64_t w = rt_words_at(v->words.v, to, i);
        if (w && filtering)
            w &= rt_words_at(b->pass.words.v, b->pass.n, i);
        if (w)
            return i + __builtin_ctzll(w);
    }
    return -1;
}

/* The last one in [from, to), or -1. */
static int64_t previous_bit(const struct rt_logbuf *b, const struct rt_logbits *v, int64_t from, int64_t to) {
    bool filtering = rt_logbuf_filtering(b);
    to = RT_MIN(to, v->n);
    while (to > from) {
        int64_t i = RT_MAX(to - 64, from);
        uint64_t w = rt_words_at(v->words.v, to, i);
        if (w && filtering)
            w &= rt_words_at(b->pass.words.v, b->pass.n, i);
        if (w)
            return i + 63 - __builtin_clzll(w);
        to = i;
    }
    return -1;
}

/* Looks at lines one by one, as long as time allows. */
static int64_t look_for(struct rt_logbuf *b, enum rt_line_kind kind, int64_t from, int64_t to, bool backwards) {
    int64_t start = rt_mono_us();
    for (int64_t i = from; i < to; i++) {
        int64_t line = backwards ? to - 1 - (i - from) : i;
        struct rt_logtext t;
        if (!rt_logbuf_text(b, line, &t))
            return -1;
        if (rt_log_kind(t.text, t.len) == kind && rt_logbuf_passes(b, line))
            return line;
        if ((i - from) % 256 == 255 && rt_mono_us() - start > LOOK_US)
            return -1;
    }
    return -1;
}

static int64_t next_mark(const struct rt_logbuf *b, int64_t from, bool backwards) {
    int64_t best = -1;
    for (size_t i = 0; i < b->marks.n; i++) {
        int64_t number = b->marks.v[i].line + (int64_t)i;
        if (backwards && number <= from)
            best = number;
        else if (!backwards && number >= from)
            return number;
    }
    return best;
}

bool rt_logbuf_kinds_known(const struct rt_logbuf *b) {
    size_t block;
    return rt_logbuf_exact(b) && !rt_logtrack_behind(&b->kinds, &block);
}

int64_t rt_logbuf_next_kind(struct rt_logbuf *b, enum rt_line_kind kind, int64_t from, bool backwards) {
    if (kind == RT_LINE_MARK)
        return next_mark(b, from, backwards);
    if (kind == RT_LINE_PLAIN)
        return -1;
    size_t mark;
    const struct rt_logbits *v = &b->kinds.bits[kind == RT_LINE_ERROR ? 0 : 1];
    int64_t line = rt_logbuf_line_of(b, RT_MAX(from, 0), &mark), end = rt_logbuf_data_lines(b), found;
    int64_t oldest = rt_logbuf_oldest(b);
    if (backwards) {
        end = RT_MIN(end, line + (mark == SIZE_MAX));
        found = look_for(b, kind, RT_MAX(b->kinds.done, oldest), end, true);
        if (found < 0)
            found = previous_bit(b, v, oldest, end);
    } else {
        line = RT_MAX(line, oldest);
        found = next_bit(b, v, line, end);
        if (found < 0)
            found = look_for(b, kind, RT_MAX(line, b->kinds.done), end, false);
    }
    return found < 0 ? -1 : rt_logbuf_number_of(b, found);
}

/* Times. */

/* Blocks whose lines have numbers, as one row. */
static size_t known_blocks(const struct rt_logbuf *b) {
    size_t end = rt_logbuf_exact(b) ? 0 : b->blocks.n - b->tail;
    return b->front - RT_MIN(b->first, b->front) + end;
}

static size_t known_block(const struct rt_logbuf *b, size_t i) {
    size_t front = b->front - RT_MIN(b->first, b->front);
    return i < front ? b->first + i : b->tail + (i - front);
}

/* The time of the first line that starts in a block and has one; -1. */
static int64_t block_time(struct rt_logbuf *b, size_t block) {
    const struct rt_logview *w = rt_logbuf_look(b, block);
    size_t len = b->blocks.v[block].len;
    bool starts = block == 0 || b->blocks.v[block - 1].ends_line;
    for (size_t i = starts ? 0 : 1; i <= w->ends.n; i++) {
        size_t from = i == 0 ? 0 : (size_t)w->ends.v[i - 1] + 1;
        size_t to = i < w->ends.n ? w->ends.v[i] : len;
        int64_t ms = from < to ? rt_log_time(w->text + from, to - from) : -1;
        if (ms >= 0)
            return ms;
    }
    return -1;
}

/* The last of the known blocks that begins before the time. */
static size_t block_before(struct rt_logbuf *b, int64_t wall_ms) {
    size_t lo = 0, hi = known_blocks(b);
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2, at = mid;
        int64_t ms = -1;
        while (ms < 0 && at < hi && at < mid + TIMELESS)
            ms = block_time(b, known_block(b, at++));
        if (ms >= 0 && ms < wall_ms)
            lo = at - 1;
        else
            hi = mid;
    }
    return lo;
}

int64_t rt_logbuf_line_at_time(struct rt_logbuf *b, int64_t wall_ms) {
    size_t n = known_blocks(b);
    if (n == 0)
        return -1;
    size_t at = block_before(b, wall_ms), last = RT_MIN(at + TIMELESS, n - 1);
    int64_t line = rt_logbuf_first_line_in(b, known_block(b, at));
    int64_t end = rt_logbuf_first_line_in(b, known_block(b, last) + 1);
    struct rt_logtext t;
    for (; line < end && rt_logbuf_text(b, line, &t); line++)
        if (rt_log_time(t.text, t.len) >= wall_ms)
            return rt_logbuf_visible_at(b, rt_logbuf_visible_index(b, rt_logbuf_number_of(b, line)));
    return -1;
}
