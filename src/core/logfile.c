/* A local file as a log: its beginning and its end are counted at once, the rest by workers; then it is
 * watched growing, shrinking and being replaced. */
#include "core/logbuf_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    AT_ONCE = 16,        /* blocks: a file of so many is counted when it is opened */
    FRONT = 2,           /* blocks counted before the first page */
    TAIL_LINES = 300,    /* lines counted from the end before the first page */
    TAIL_MAX = 32,       /* but no more blocks than these */
    REACH_MAX = 128,     /* blocks counted backwards in one call */
    SAMPLES = 6,
    GROWTH_MAX = 512,    /* blocks counted in one look at a growing file */
    AFTER_PAGE_MS = 15,  /* workers begin: the first page is drawn until then, and has the machine for itself */
    SOON_MS = 30, LATER_MS = 100, QUIET_MS = 2000
};

/* One look at a file that is followed; a worker's. */
struct probe {
    struct rt_logfile *f; /* loop thread only, not after a cancel */
    struct rt_logsource *source;
    char *path;
    int64_t known; /* bytes */
    bool reopen;   /* it was replaced before: open the new one */
    int fd;        /* the new one, or -1 */
    int64_t size;
    bool replaced, behind;
    struct growth {
        uint32_t len, newlines;
        bool ends_line;
    } *v;
    size_t n;
};

struct rt_logfile {
    struct rt_logbuf *b;
    char *path;
    struct rt_logsource *source; /* borrowed from the buffer */
    int64_t size;                /* bytes of it that have blocks */
    bool follow, replaced;
    bool behind;    /* one look did not count all that there is */
    double density; /* newlines per block, where they were not counted */
    struct rt_logscan scan;
    struct rt_timer *first; /* until the workers begin */
    struct rt_timer *timer;
    struct rt_op *op;
    int64_t changed_ms;
};

static void follow_soon(struct rt_logfile *f);

static const char *base_name(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash && slash[1] ? slash + 1 : path;
}

/* Counting. */

static uint32_t count_at(int fd, int64_t off, uint32_t len, bool *ends_line) {
    char *buf = rt_realloc(NULL, len + 1);
    size_t got = rt_pread_full(fd, buf, len, off);
    uint32_t newlines = (uint32_t)rt_count_newlines(buf, got);
    *ends_line = got == len && len > 0 && buf[len - 1] == '\n';
    free(buf);
    return newlines;
}

static void count_block(struct rt_logbuf *b, size_t i) {
    struct rt_logblock *k = &b->blocks.v[i];
    k->newlines = count_at(k->source->fd, k->off, k->len, &k->ends_line);
}

static void flush_later(struct rt_logbuf *b) {
    for (size_t i = 0; i < b->later.n; i++) {
        rt_logbuf_mark(b, b->later.v[i]);
        free(b->later.v[i]);
    }
    b->later.n = 0;
}

/* All numbers from the end move together. */
static void move_tail(struct rt_logbuf *b, int64_t by) {
    int64_t from = b->tail < b->blocks.n ? b->blocks.v[b->tail].lines : b->newlines;
    for (size_t i = b->tail; i < b->blocks.n; i++)
        b->blocks.v[i].lines += by;
    b->newlines += by;
    rt_logbuf_moved(b, from, by);
}

/* The block after the counted ones is counted, too. */
static void advance_front(struct rt_logbuf *b) {
    b->blocks.v[b->front].lines = b->front_lines;
    b->front_lines += b->blocks.v[b->front++].newlines;
    if (b->front < b->tail) {
        b->blocks.v[b->front].lines = b->front_lines;
        int64_t end = b->tail < b->blocks.n ? b->blocks.v[b->tail].lines : b->newlines;
        if (b->front_lines >= end) /* more lines than were estimated */
            move_tail(b, b->front_lines - end + 1 +
                             (int64_t)(b->file->density * (double)(b->tail - b->front)));
        return;
    }
    int64_t end = b->tail < b->blocks.n ? b->blocks.v[b->tail].lines : b->newlines;
    move_tail(b, b->front_lines - end);
    b->front = b->tail = b->blocks.n;
    b->front_lines = b->newlines;
    flush_later(b);
}

static bool counted(void *ctx, struct rt_logunit *u) {
    struct rt_logfile *f = ctx;
    struct rt_logbuf *b = f->b;
    for (size_t i = 0; i < u->hi - u->lo && b->front < b->tail; i++) {
        b->blocks.v[b->front].newlines = u->newlines[i];
        b->blocks.v[b->front].ends_line = u->ends_line[i];
        advance_front(b);
    }
    rt_logbuf_changed(b);
    if (!rt_logbuf_exact(b))
        return true;
    rt_logscan_stop(&f->scan);
    return false;
}

static void counted_all(void *ctx) {
    (void)ctx;
}

static void extend_tail(struct rt_logbuf *b) {
    int64_t end = b->tail < b->blocks.n ? b->blocks.v[b->tail].lines : b->newlines;
    count_block(b, --b->tail);
    b->blocks.v[b->tail].lines = end - b->blocks.v[b->tail].newlines;
}

bool rt_logfile_reach(struct rt_logbuf *b, int64_t k) {
    if (!b->file || b->tail >= b->blocks.n)
        return false;
    int64_t start = b->blocks.v[b->tail].lines;
    double blocks = (double)(start - k) / (b->file->density + 1);
    if (k >= start)
        return true;
    if (blocks > REACH_MAX)
        return false;
    for (int i = 0; i < REACH_MAX && b->tail > b->front + 1; i++) {
        extend_tail(b);
        if (b->blocks.v[b->tail].lines < b->front_lines) /* the estimate was too low */
            move_tail(b, b->front_lines - b->blocks.v[b->tail].lines +
                             (int64_t)(b->file->density * (double)(b->tail - b->front)));
        if (k >= b->blocks.v[b->tail].lines)
            return true;
    }
    return false;
}

/* Opening. */

static void add_file_blocks(struct rt_logfile *f) {
    for (int64_t off = 0; off < f->size; off += RT_LOGBLOCK) {
        struct rt_logblock *k = rt_vec_push(&f->b->blocks);
        k->off = off;
        k->len = (uint32_t)RT_MIN(f->size - off, (int64_t)RT_LOGBLOCK);
        k->source = f->source;
    }
}

static double sample(struct rt_logfile *f) {
    struct rt_logbuf *b = f->b;
    size_t span = b->tail - b->front;
    double sum = 0;
    bool ends;
    for (size_t i = 0; i < SAMPLES; i++) {
        const struct rt_logblock *k = &b->blocks.v[b->front + span * i / SAMPLES];
        sum += count_at(f->source->fd, k->off, k->len, &ends);
    }
    return sum / SAMPLES;
}

static void count_first(struct rt_logfile *f) {
    struct rt_logbuf *b = f->b;
    size_t n = b->blocks.n;
    b->tail = n;
    size_t at_once = n <= AT_ONCE ? n : FRONT;
    for (size_t i = 0; i < at_once; i++) {
        count_block(b, i);
        b->blocks.v[i].lines = b->front_lines;
        b->front_lines += b->blocks.v[i].newlines;
        b->front++;
    }
    b->newlines = b->front_lines;
    if (b->front == n)
        return;
    b->blocks.v[b->front].lines = b->front_lines;
    f->density = sample(f);
    b->newlines += (int64_t)(f->density * (double)(n - b->front));
    while (n - b->tail < TAIL_MAX && b->tail > b->front + 1 &&
           (b->tail == n || b->newlines - b->blocks.v[b->tail].lines < TAIL_LINES))
        extend_tail(b);
    if (b->blocks.v[b->tail].lines < b->front_lines)
        move_tail(b, b->front_lines - b->blocks.v[b->tail].lines + 1);
}

static bool open_regular(const char *path, int *fd, struct stat *st, struct rt_error *err) {
    *fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (*fd < 0 || fstat(*fd, st) != 0) {
        int e = errno;
        if (*fd >= 0)
            close(*fd);
        return rt_error_set(err, e == ENOENT ? RT_E_NOT_FOUND : e == EACCES ? RT_E_DENIED : RT_E_IO,
                            "%s: %s", path, strerror(e));
    }
    if (S_ISREG(st->st_mode))
        return true;
    close(*fd);
    rt_error_set(err, RT_E_UNSUPPORTED, "%s is no regular file", path);
    return rt_error_hint(err, "write it to a file first, and open that");
}

static void count_rest(void *ctx) {
    struct rt_logfile *f = ctx;
    if (!rt_logbuf_exact(f->b))
        rt_logscan_start(&f->scan, f->b->front, f->b->tail);
}

bool rt_logfile_open(struct rt_logbuf *b, const char *path, bool follow, struct rt_error *err) {
    struct stat st;
    int fd;
    if (!open_regular(path, &fd, &st, err))
        return false;
    struct rt_logfile *f = RT_NEW(struct rt_logfile);
    b->file = f;
    *f = (struct rt_logfile){.b = b, .path = rt_strdup(path), .follow = follow, .size = (int64_t)st.st_size};
    f->source = rt_logsource_create(fd);
    *rt_vec_push(&b->sources) = f->source;
    b->bytes = f->size;
    add_file_blocks(f);
    count_first(f);
    bool ends = true;
    if (f->size > 0)
        count_at(fd, f->size - 1, 1, &ends);
    b->unfinished = !ends;
    f->scan = (struct rt_logscan){.b = b,
                                  .work = rt_logunit_count,
                                  .raw = true,
                                  .until = -1,
                                  .unit = counted,
                                  .end = counted_all,
                                  .ctx = f};
    if (!rt_logbuf_exact(b))
        f->first = rt_timer_start(b->loop, AFTER_PAGE_MS, 0, count_rest, f);
    follow_soon(f);
    rt_logbuf_changed(b);
    return true;
}

/* Following. */

static void probe_free(void *ctx) {
    struct probe *p = ctx;
    if (p->fd >= 0)
        close(p->fd);
    rt_logsource_unref(p->source);
    free(p->path);
    free(p->v);
    free(p);
}

/* Counts from the last block that was not full. */
static void count_growth(struct probe *p) {
    int64_t off = p->known - p->known % RT_LOGBLOCK;
    p->v = rt_alloc(GROWTH_MAX * sizeof *p->v);
    for (; off < p->size && p->n < GROWTH_MAX; off += RT_LOGBLOCK) {
        struct growth *g = &p->v[p->n++];
        g->len = (uint32_t)RT_MIN(p->size - off, (int64_t)RT_LOGBLOCK);
        g->newlines = count_at(p->source->fd, off, g->len, &g->ends_line);
    }
    p->behind = off < p->size;
}

static void probe_work(void *ctx) {
    struct probe *p = ctx;
    struct stat named, held;
    bool is_there = stat(p->path, &named) == 0 && S_ISREG(named.st_mode);
    p->size = p->known;
    if (fstat(p->source->fd, &held) != 0)
        return;
    p->size = (int64_t)held.st_size;
    p->replaced = is_there && (named.st_ino != held.st_ino || named.st_dev != held.st_dev);
    if (p->size > p->known)
        count_growth(p);
    else if (p->size == p->known && p->replaced && p->reopen)
        p->fd = open(p->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
}

static void add_growth(struct rt_logfile *f, const struct probe *p) {
    struct rt_logbuf *b = f->b;
    bool exact = rt_logbuf_exact(b); /* if not, the new lines are counted from the estimated end, too */
    for (size_t i = 0; i < p->n; i++) {
        const struct growth *g = &p->v[i];
        struct rt_logblock *k = i == 0 && f->size % RT_LOGBLOCK ? &b->blocks.v[b->blocks.n - 1] : NULL;
        if (!k) {
            k = rt_vec_push(&b->blocks);
            k->off = f->size;
            k->source = f->source;
            k->lines = b->newlines;
        }
        f->size += g->len - k->len;
        b->bytes += g->len - k->len;
        b->newlines += (int64_t)g->newlines - k->newlines;
        k->len = g->len;
        k->newlines = g->newlines;
        k->ends_line = g->ends_line;
        b->unfinished = !g->ends_line;
    }
    if (exact) {
        b->front = b->tail = b->blocks.n;
        b->front_lines = b->newlines;
    }
}

/* Another file, or the same one from its beginning: what comes next starts a line of its own. */
static void start_over(struct rt_logfile *f, const char *what) {
    struct rt_logbuf *b = f->b;
    rt_logbuf_close_last(b);
    char *text = rt_strf("--- %.200s %s ---", base_name(f->path), what);
    rt_logbuf_mark(b, text);
    free(text);
    f->size = 0;
}

static void cut_short(struct rt_logfile *f) {
    struct rt_logbuf *b = f->b;
    start_over(f, "became shorter: what it held before is gone");
    b->first = b->blocks.n;
    rt_logbuf_forget(b, 0);
}

static void take_new(struct rt_logfile *f, struct probe *p) {
    start_over(f, "was replaced by a new file");
    f->source = rt_logsource_create(p->fd);
    p->fd = -1;
    *rt_vec_push(&f->b->sources) = f->source;
}

static void probed(void *ctx) {
    struct probe *p = ctx;
    struct rt_logfile *f = p->f;
    f->op = NULL;
    bool grown = p->size > p->known, changed = p->size != p->known || p->fd >= 0;
    if (grown)
        add_growth(f, p);
    else if (!rt_logbuf_exact(f->b)) /* what was there is counted first */
        changed = false;
    else if (p->size < p->known)
        cut_short(f);
    else if (p->fd >= 0)
        take_new(f, p);
    f->behind = p->behind;
    f->replaced = f->source == p->source && p->replaced && p->size == p->known;
    if (changed) {
        f->changed_ms = rt_loop_now_ms(f->b->loop);
        rt_logbuf_changed(f->b);
    }
    probe_free(p);
    follow_soon(f);
}

static void probe_start(void *ctx) {
    struct rt_logfile *f = ctx;
    if (f->op)
        return;
    struct probe *p = RT_NEW(struct probe);
    p->f = f;
    p->source = rt_logsource_ref(f->source);
    p->path = rt_strdup(f->path);
    p->known = f->size;
    p->reopen = f->replaced;
    p->fd = -1;
    f->op = rt_loop_work(f->b->loop, probe_work, probed, probe_free, p);
}

/* Looks again: at once as long as there is more, soon while something happens, now and then otherwise. */
static void follow_soon(struct rt_logfile *f) {
    if (!f->follow)
        return;
    bool busy = rt_loop_now_ms(f->b->loop) - f->changed_ms < QUIET_MS;
    if (!f->timer)
        f->timer = rt_timer_start(f->b->loop, SOON_MS, 0, probe_start, f);
    else
        rt_timer_again(f->timer, f->behind ? 0 : busy ? SOON_MS : LATER_MS, 0);
}

void rt_logfile_destroy(struct rt_logfile *f) {
    if (!f)
        return;
    rt_logscan_stop(&f->scan);
    rt_timer_stop(f->first);
    rt_timer_stop(f->timer);
    rt_op_drop(&f->op);
    free(f->path);
    free(f);
}
