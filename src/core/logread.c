/* Windows of whole lines over the bytes of a log. */
#include "core/logread.h"
#include "base/mem.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

size_t rt_pread_full(int fd, char *to, size_t n, int64_t off) {
    size_t got = 0;
    while (got < n) {
        ssize_t r = pread(fd, to + got, n - got, (off_t)(off + (int64_t)got));
        if (r < 0 && errno == EINTR)
            continue;
        if (r <= 0)
            break;
        got += (size_t)r;
    }
    return got;
}

void rt_logreader_deinit(struct rt_logreader *r) {
    free(r->buf);
    r->buf = NULL;
    r->cap = r->pos = r->end = 0;
}

/* One byte more than asked is kept free for a newline that the file does not have. */
static void make_room(struct rt_logreader *r, size_t n) {
    if (r->pos > 0) {
        memmove(r->buf, r->buf + r->pos, r->end - r->pos);
        r->end -= r->pos;
        r->seen = r->seen > r->pos ? r->seen - r->pos : 0;
        r->pos = 0;
    }
    if (r->end + n + 1 > r->cap) {
        r->cap = r->end + n + 1;
        r->buf = rt_realloc(r->buf, r->cap);
    }
}

/* Adds the next bytes; false at the end, also when a file has become shorter. */
static bool fill(struct rt_logreader *r) {
    if (r->cur >= r->n_ext)
        return false;
    const struct rt_logextent *x = &r->ext[r->cur];
    size_t n = RT_MIN(x->len - (size_t)r->cur_off, (size_t)RT_LOGWINDOW), got = n;
    make_room(r, n);
    if (x->mem)
        memcpy(r->buf + r->end, x->mem + r->cur_off, n);
    else
        got = rt_pread_full(x->fd, r->buf + r->end, n, x->off + r->cur_off);
    r->end += got;
    r->cur_off += (int64_t)got;
    if (got < n) {
        r->cur = r->n_ext;
        return got > 0;
    }
    if ((size_t)r->cur_off == x->len) {
        if (x->newline)
            r->buf[r->end++] = '\n';
        r->cur++;
        r->cur_off = 0;
    }
    return true;
}

static void take(struct rt_logreader *r, size_t n) {
    r->pos += n;
    r->at += (int64_t)n;
}

/* Drops bytes up to and with the next newline. */
static bool skip_line(struct rt_logreader *r) {
    for (;;) {
        char *nl = r->end > r->pos ? memchr(r->buf + r->pos, '\n', r->end - r->pos) : NULL;
        if (nl) {
            take(r, (size_t)(nl - (r->buf + r->pos)) + 1);
            return true;
        }
        take(r, r->end - r->pos);
        if (!fill(r))
            return false;
    }
}

/* Where the run ends: the last newline there is, or the one that ends the last line of our own. */
static bool find_end(struct rt_logreader *r, size_t *end) {
    size_t limit = r->end;
    if (r->at + (int64_t)(r->end - r->pos) >= r->own) {
        size_t from = r->pos + (size_t)RT_MAX(r->own - 1 - r->at, 0);
        char *nl = memchr(r->buf + from, '\n', r->end - from);
        if (nl) {
            *end = (size_t)(nl - r->buf);
            r->done = true;
            return true;
        }
        limit = from;
    }
    for (size_t i = limit, stop = RT_MAX(r->pos, r->seen); i > stop; i--)
        if (r->buf[i - 1] == '\n') {
            *end = i - 1;
            return true;
        }
    r->seen = limit;
    return false;
}

static bool give(struct rt_logreader *r, struct rt_logrun *out, size_t n, size_t drop) {
    *out = (struct rt_logrun){.text = r->buf + r->pos, .n = n};
    take(r, n + drop);
    r->open = false;
    return true;
}

/* A line of RT_LOGLINE_MAX bytes without an end: what carriage returns overwrote is forgotten; of other
 * lines the rest is. False: it became shorter, go on reading. */
static bool long_line(struct rt_logreader *r, struct rt_logrun *out) {
    size_t n = r->end - r->pos;
    if (r->whole) {
        give(r, out, n, 0);
        out->more = r->open = true;
        return true;
    }
    for (size_t i = r->end; i > r->pos + n / 2; i--)
        if (r->buf[i - 1] == '\r') {
            take(r, i - r->pos);
            r->seen = 0;
            r->open = true;
            return false;
        }
    r->skip = true;
    return give(r, out, RT_LOGLINE_MAX, 0);
}

bool rt_logreader_next(struct rt_logreader *r, struct rt_logrun *out) {
    if (r->partial_start || r->skip) {
        r->partial_start = r->skip = false;
        r->done = r->done || !skip_line(r);
    }
    while (!r->done && (r->at < r->own || r->open)) {
        size_t end;
        if (r->end > r->pos && find_end(r, &end))
            return give(r, out, end - r->pos, 1);
        if (r->end - r->pos >= RT_LOGLINE_MAX) {
            if (long_line(r, out))
                return true;
            continue;
        }
        if (!fill(r)) {
            r->done = true;
            return r->partial_end && r->end > r->pos && give(r, out, r->end - r->pos, 0);
        }
    }
    return false;
}
