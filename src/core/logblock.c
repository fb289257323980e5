/* From the number of a line to its bytes: the block in which it starts, and where it ends. */
#include "core/logbuf_impl.h"
#include <string.h>

/* How much of the end of a long line is searched for carriage returns. */
enum { LAST_PART = 64 * 1024 };

int64_t rt_logbuf_first_line_in(const struct rt_logbuf *b, size_t block) {
    if (block == 0)
        return 0;
    if (block >= b->blocks.n)
        return rt_logbuf_data_lines(b);
    return b->blocks.v[block].lines + (b->blocks.v[block - 1].ends_line ? 0 : 1);
}

/* The block of blocks [lo, hi) that holds newline number `k`; hi when none does. */
static size_t with_newline(const struct rt_logbuf *b, size_t lo, size_t hi, int64_t k) {
    size_t end = hi;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        const struct rt_logblock *v = &b->blocks.v[mid];
        if (v->lines + v->newlines <= k)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < end && b->blocks.v[lo].lines <= k ? lo : end;
}

/* The same among all blocks that are counted; blocks.n when none is. */
static size_t find_newline(struct rt_logbuf *b, int64_t k) {
    if (rt_logbuf_exact(b))
        return with_newline(b, b->first, b->blocks.n, k);
    size_t at = b->blocks.n;
    if (k < b->front_lines) {
        at = with_newline(b, b->first, b->front, k);
        return at == b->front ? b->blocks.n : at;
    }
    if (rt_logfile_reach(b, k))
        at = with_newline(b, b->tail, b->blocks.n, k);
    return at;
}

static struct rt_logview *pick_view(struct rt_logbuf *b, size_t block) {
    struct rt_logview *oldest = &b->view[0];
    for (size_t i = 0; i < RT_LOGCACHE; i++) {
        if (b->view[i].block == block)
            return &b->view[i];
        if (b->view[i].used < oldest->used)
            oldest = &b->view[i];
    }
    oldest->block = block;
    oldest->len = 0;
    oldest->ends.n = 0;
    return oldest;
}

static void find_ends(struct rt_logview *w, uint32_t from, uint32_t to) {
    for (const char *at = w->text + from, *end = w->text + to; at < end;) {
        const char *nl = memchr(at, '\n', (size_t)(end - at));
        if (!nl)
            return;
        *rt_vec_push(&w->ends) = (uint32_t)(nl - w->text);
        at = nl + 1;
    }
}

const struct rt_logview *rt_logbuf_look(struct rt_logbuf *b, size_t block) {
    const struct rt_logblock *k = &b->blocks.v[block];
    struct rt_logview *w = pick_view(b, block);
    w->used = ++b->clock;
    bool fresh = w->len == 0;
    if (k->mem) {
        w->text = k->mem;
    } else if (fresh || w->text != w->copy || w->len != k->len) {
        if (!w->copy)
            w->copy = rt_realloc(NULL, RT_LOGBLOCK);
        size_t got = rt_pread_full(k->source->fd, w->copy, k->len, k->off);
        if (got < k->len) /* the file is shorter now; following it will tell */
            memset(w->copy + got, ' ', k->len - got);
        w->text = w->copy;
    }
    if (w->len < k->len) {
        find_ends(w, w->len, k->len);
        if (k->closed)
            *rt_vec_push(&w->ends) = k->len;
        w->len = k->len;
    }
    return w;
}

void rt_logbuf_forget(struct rt_logbuf *b, size_t block) {
    for (size_t i = 0; i < RT_LOGCACHE; i++)
        if (b->view[i].block != SIZE_MAX && b->view[i].block >= block) {
            b->view[i].block = SIZE_MAX;
            b->view[i].used = 0;
        }
}

/* Where a line starts. False: not known, or not kept. */
static bool find_start(struct rt_logbuf *b, int64_t line, size_t *block, uint32_t *off) {
    *block = b->first;
    *off = 0;
    if (b->first >= b->blocks.n)
        return false;
    if ((b->first == 0 || b->blocks.v[b->first - 1].ends_line) && line == rt_logbuf_oldest(b))
        return true; /* the newline before it is not kept */
    size_t at = find_newline(b, line - 1);
    if (at >= b->blocks.n)
        return false;
    const struct rt_logview *w = rt_logbuf_look(b, at);
    size_t i = (size_t)(line - 1 - b->blocks.v[at].lines);
    if (i >= w->ends.n)
        return false;
    *off = w->ends.v[i] + 1;
    *block = at;
    if (*off >= b->blocks.v[at].len) {
        *block = at + 1;
        *off = 0;
    }
    return *block < b->blocks.n;
}

size_t rt_logbuf_block_of(const struct rt_logbuf *b, int64_t line) {
    size_t lo = b->first, hi = b->front; /* the last block whose first line is not behind it */
    while (lo + 1 < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (rt_logbuf_first_line_in(b, mid) <= line)
            lo = mid;
        else
            hi = mid;
    }
    return line >= rt_logbuf_data_lines(b) ? b->blocks.n : lo;
}

/* Where a line ends: at its newline, or with the last byte there is. */
static bool find_end(struct rt_logbuf *b, int64_t line, size_t *block, uint32_t *off) {
    if (line >= b->newlines) {
        *block = b->blocks.n - 1;
        *off = b->blocks.v[*block].len;
        return true;
    }
    size_t at = find_newline(b, line);
    if (at >= b->blocks.n)
        return false;
    const struct rt_logview *w = rt_logbuf_look(b, at);
    size_t i = (size_t)(line - b->blocks.v[at].lines);
    if (i >= w->ends.n)
        return false;
    *block = at;
    *off = w->ends.v[i];
    return true;
}

/* Appends the bytes from one place up to another, at most `max`. */
static void gather(struct rt_logbuf *b, size_t block, uint32_t off, size_t to_block, uint32_t to, size_t max) {
    for (; block <= to_block && b->line.len < max; block++, off = 0) {
        const struct rt_logview *w = rt_logbuf_look(b, block);
        size_t end = block == to_block ? to : b->blocks.v[block].len;
        if (end > off)
            rt_buf_add(&b->line, w->text + off, RT_MIN(end - off, max - b->line.len));
    }
}

/* A line that is overwritten again and again has its newest state at its end. */
static bool gather_last_part(struct rt_logbuf *b, size_t block, uint32_t to) {
    size_t from = block;
    size_t have = to;
    while (from > b->first && have < LAST_PART)
        have += b->blocks.v[--from].len;
    gather(b, from, (uint32_t)(have > LAST_PART ? have - LAST_PART : 0), block, to, LAST_PART);
    const char *cr = b->line.len ? memchr(b->line.data, '\r', b->line.len - 1) : NULL;
    if (cr)
        rt_buf_drop(&b->line, (size_t)(cr - b->line.data) + 1);
    return cr != NULL;
}

/* Bytes from one place up to another. */
static int64_t distance(const struct rt_logbuf *b, size_t block, uint32_t off, size_t to_block, uint32_t to) {
    int64_t sum = (int64_t)to - off;
    for (; block < to_block; block++)
        sum += b->blocks.v[block].len;
    return sum;
}

/* Where it starts is known, where it ends not yet: block by block until it does, or until it is too long to be shown whole. */
static void look_ahead(struct rt_logbuf *b, size_t block, uint32_t off, struct rt_logtext *out) {
    const char *nl = NULL;
    for (size_t seen = 0; block < b->blocks.n && !nl && b->line.len < RT_LOGLINE_MAX; block++, off = 0, seen = b->line.len) {
        gather(b, block, off, block, b->blocks.v[block].len, RT_LOGLINE_MAX);
        nl = b->line.len > seen ? memchr(b->line.data + seen, '\n', b->line.len - seen) : NULL;
    }
    out->len = nl ? (size_t)(nl - b->line.data) : b->line.len;
    out->more = !nl && block < b->blocks.n ? distance(b, block, 0, b->blocks.n - 1, b->blocks.v[b->blocks.n - 1].len) : 0;
}

/* Where it ends is known, where it starts not yet. */
static void look_back(struct rt_logbuf *b, size_t block, uint32_t to, struct rt_logtext *out) {
    gather_last_part(b, block, to);
    const char *text = rt_buf_str(&b->line);
    size_t start = b->line.len;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    rt_buf_drop(&b->line, start);
    out->len = b->line.len;
    out->more = start ? 0 : distance(b, b->front, 0, block, to) - (int64_t)b->line.len;
}

bool rt_logbuf_text(struct rt_logbuf *b, int64_t line, struct rt_logtext *out) {
    size_t from, to;
    uint32_t off, end;
    const bool starts = find_start(b, line, &from, &off), ends = find_end(b, line, &to, &end);
    *out = (struct rt_logtext){0};
    rt_buf_clear(&b->line);
    if (!starts && !ends)
        return false;
    if (starts && ends && to == from) {
        const struct rt_logview *w = rt_logbuf_look(b, from);
        out->text = w->text + off;
        out->len = end > off ? end - off : 0;
        return true;
    }
    if (!ends || (starts && !rt_logbuf_exact(b) && line >= b->newlines)) { /* the last one by an estimate */
        look_ahead(b, from, off, out);
    } else if (!starts) {
        look_back(b, to, end, out);
    } else {
        const bool is_long = to - from > RT_LOGLINE_MAX / RT_LOGBLOCK, overwritten = is_long && gather_last_part(b, to, end);
        if (!overwritten) {
            rt_buf_clear(&b->line);
            gather(b, from, off, to, end, RT_LOGLINE_MAX);
        }
        out->len = b->line.len;
        out->more = overwritten ? 0 : distance(b, from, off, to, end) - (int64_t)out->len;
    }
    out->text = rt_buf_str(&b->line);
    return true;
}

bool rt_logbuf_cuts(const struct rt_logbuf *b) {
    size_t run = 0;
    for (size_t i = b->first; i < b->blocks.n; i++) {
        run = b->blocks.v[i].newlines ? 0 : run + 1;
        if (run >= RT_LOGLINE_MAX / RT_LOGBLOCK)
            return true;
    }
    return false;
}
