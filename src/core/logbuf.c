/* The log buffer itself: bytes and marks come in, numbers are given to lines, changes are told. */
#include "core/logbuf_impl.h"
#include <string.h>

enum { MEM_DEFAULT = 8 * 1024 * 1024 };

static struct rt_logbuf *create(struct rt_loop *l) {
    struct rt_logbuf *b = RT_NEW(struct rt_logbuf);
    b->loop = l;
    b->self = b;
    b->mem_max = MEM_DEFAULT;
    b->kept_max = 8 * RT_GIB;
    b->pending_len = -1;
    for (size_t i = 0; i < RT_LOGCACHE; i++)
        b->view[i].block = SIZE_MAX;
    rt_buf_init(&b->line, 2 * RT_LOGLINE_MAX);
    rt_logtrack_init(&b->kinds, b, NULL);
    return b;
}

struct rt_logbuf *rt_logbuf_create(struct rt_loop *l, const char *spill_path) {
    struct rt_logbuf *b = create(l);
    b->spill = rt_logspill_create(spill_path);
    return b;
}

struct rt_logbuf *rt_logbuf_open_file(struct rt_loop *l, const char *path, bool follow, struct rt_error *err) {
    struct rt_logbuf *b = create(l);
    if (rt_logfile_open(b, path, follow, err))
        return b;
    rt_logbuf_destroy(b);
    return NULL;
}

static void forget_pattern(struct rt_logbuf *b) {
    rt_logmatcher_destroy(b->shown.m);
    rt_logregex_unref(b->shown.re);
    b->shown.m = NULL;
    b->shown.re = NULL;
}

void rt_logbuf_destroy(struct rt_logbuf *b) {
    if (!b)
        return;
    if (b->gone)
        *b->gone = true;
    rt_op_drop(&b->notice);
    rt_logtrack_deinit(&b->kinds);
    rt_logfilters_deinit(b);
    forget_pattern(b);
    rt_logfile_destroy(b->file);
    rt_logspill_destroy(b->spill, b);
    for (size_t i = 0; i < b->blocks.n; i++)
        free(b->blocks.v[i].mem);
    for (size_t i = 0; i < b->sources.n; i++)
        rt_logsource_unref(b->sources.v[i]);
    for (size_t i = 0; i < b->marks.n; i++)
        free(b->marks.v[i].text);
    for (size_t i = 0; i < b->later.n; i++)
        free(b->later.v[i]);
    for (size_t i = 0; i < RT_LOGCACHE; i++) {
        free(b->view[i].copy);
        rt_vec_deinit(&b->view[i].ends);
    }
    rt_vec_deinit(&b->blocks);
    rt_vec_deinit(&b->sources);
    rt_vec_deinit(&b->marks);
    rt_vec_deinit(&b->later);
    rt_buf_deinit(&b->line);
    free(b);
}

void rt_logbuf_limit(struct rt_logbuf *b, size_t mem_bytes, int64_t disk_bytes) {
    if (mem_bytes > 0)
        b->mem_max = RT_MAX(mem_bytes, (size_t)RT_LOGBLOCK);
    if (disk_bytes > 0)
        b->kept_max = RT_MAX((size_t)disk_bytes, (size_t)RT_LOGBLOCK);
}

/* Changes. */

void rt_logbuf_on_change(struct rt_logbuf *b, rt_loop_fn *fn, void *ctx) {
    b->changed = fn;
    b->changed_ctx = ctx;
}

void rt_logbuf_on_renumber(struct rt_logbuf *b, rt_renumber_fn *fn, void *ctx) {
    b->renumbered = fn;
    b->renumbered_ctx = ctx;
}

/* Tasks call back, and then anything may be cancelled or begun, or the buffer may be gone. */
static bool wake_tasks(struct rt_logbuf *b) {
    bool gone = false;
    b->gone = &gone;
    for (struct rt_logtask *t = b->tasks; t; t = t->next)
        t->asleep = true;
    for (struct rt_logtask *t = b->tasks; t && !gone;) {
        if (!t->asleep) {
            t = t->next;
            continue;
        }
        t->asleep = false;
        t->wake(t);
        t = gone ? NULL : b->tasks;
    }
    if (!gone)
        b->gone = NULL;
    return !gone;
}

static void notice(void *ctx) {
    struct rt_logbuf *b = ctx;
    b->notice = NULL;
    rt_logfilters_follow(b);
    /* Nobody waits for the kinds of lines: they come last. */
    if (rt_logbuf_exact(b) && !b->tasks && rt_logfilters_ready(b, b->newlines))
        rt_logtrack_follow(&b->kinds);
    if (wake_tasks(b) && b->changed)
        b->changed(b->changed_ctx);
}

void rt_logbuf_changed(struct rt_logbuf *b) {
    if (!b->notice)
        b->notice = rt_loop_defer(b->loop, notice, b);
}

void rt_logbuf_moved(struct rt_logbuf *b, int64_t from, int64_t by) {
    if (by == 0)
        return;
    for (struct rt_logtask *t = b->tasks; t; t = t->next)
        if (t->renumber)
            t->renumber(t, from, by);
    if (b->renumbered)
        b->renumbered(b->renumbered_ctx, from, by);
}

void rt_logtask_add(struct rt_logbuf *b, struct rt_logtask *t) {
    t->b = b;
    t->next = b->tasks;
    b->tasks = t;
    rt_logbuf_changed(b);
}

void rt_logtask_remove(struct rt_logtask *t) {
    struct rt_logtask **p = &t->b->tasks;
    while (*p && *p != t)
        p = &(*p)->next;
    if (*p)
        *p = t->next;
    rt_logbuf_changed(t->b); /* what waited for it goes on */
}

/* Bytes. */

static struct rt_logblock *open_block(struct rt_logbuf *b) {
    struct rt_logblock *last = b->blocks.n ? &b->blocks.v[b->blocks.n - 1] : NULL;
    if (last && last->len < RT_LOGBLOCK)
        return last;
    struct rt_logblock *k = rt_vec_push(&b->blocks);
    k->lines = b->newlines;
    k->mem = rt_realloc(NULL, RT_LOGBLOCK);
    b->front = b->blocks.n;
    return k;
}

static void add_bytes(struct rt_logbuf *b, const char *data, size_t n) {
    while (n > 0) {
        struct rt_logblock *k = open_block(b);
        size_t some = RT_MIN(n, RT_LOGBLOCK - k->len);
        memcpy(k->mem + k->len, data, some);
        size_t newlines = rt_count_newlines(data, some);
        k->len += (uint32_t)some;
        k->newlines += (uint32_t)newlines;
        k->ends_line = data[some - 1] == '\n';
        b->newlines += (int64_t)newlines;
        b->front_lines = b->newlines;
        b->unfinished = !k->ends_line;
        data += some;
        n -= some;
        if (k->len == RT_LOGBLOCK)
            rt_logspill_relieve(b);
    }
}

void rt_logbuf_append(struct rt_logbuf *b, const char *data, size_t n) {
    if (n == 0 || !b->spill)
        return;
    b->bytes += (int64_t)n;
    add_bytes(b, data, n);
    rt_logbuf_changed(b);
}

void rt_logbuf_close_last(struct rt_logbuf *b) {
    if (!b->unfinished || b->blocks.n == 0)
        return;
    if (b->spill) {
        add_bytes(b, "\n", 1);
        return;
    }
    struct rt_logblock *k = &b->blocks.v[b->blocks.n - 1];
    k->closed = k->ends_line = true;
    k->newlines++;
    b->newlines++;
    b->front_lines = b->newlines;
    b->unfinished = false;
    rt_logbuf_forget(b, b->blocks.n - 1);
}

void rt_logbuf_mark(struct rt_logbuf *b, const char *text) {
    if (!rt_logbuf_exact(b)) {
        *rt_vec_push(&b->later) = rt_strdup(text);
        return;
    }
    struct rt_logmark *m = rt_vec_push(&b->marks);
    m->line = rt_logbuf_data_lines(b);
    m->text = rt_strdup(text);
    rt_logbuf_changed(b);
}

void rt_logbuf_restart(struct rt_logbuf *b, const char *why) {
    if (b->spill) /* a local file restarts by itself */
        rt_logbuf_close_last(b);
    rt_logbuf_mark(b, why);
}

/* Numbers. */

bool rt_logbuf_exact(const struct rt_logbuf *b) {
    return b->front >= b->blocks.n;
}

int64_t rt_logbuf_data_lines(const struct rt_logbuf *b) {
    return b->newlines + (b->unfinished ? 1 : 0);
}

int64_t rt_logbuf_lines(const struct rt_logbuf *b, bool *exact) {
    if (exact)
        *exact = rt_logbuf_exact(b);
    return rt_logbuf_data_lines(b) + (int64_t)b->marks.n;
}

int64_t rt_logbuf_bytes(const struct rt_logbuf *b) {
    return b->bytes;
}

int64_t rt_logbuf_oldest(const struct rt_logbuf *b) {
    return b->first == 0 ? 0 : rt_logbuf_first_line_in(b, b->first);
}

int64_t rt_logbuf_first(const struct rt_logbuf *b) {
    return b->first == 0 ? 0 : rt_logbuf_number_of(b, rt_logbuf_oldest(b));
}

size_t rt_logbuf_marks_upto(const struct rt_logbuf *b, int64_t line) {
    size_t lo = 0, hi = b->marks.n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (b->marks.v[mid].line <= line)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

int64_t rt_logbuf_number_of(const struct rt_logbuf *b, int64_t line) {
    return line + (int64_t)rt_logbuf_marks_upto(b, line);
}

int64_t rt_logbuf_line_of(const struct rt_logbuf *b, int64_t number, size_t *mark) {
    size_t lo = 0, hi = b->marks.n; /* marks with a number of at most `number` */
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (b->marks.v[mid].line + (int64_t)mid <= number)
            lo = mid + 1;
        else
            hi = mid;
    }
    *mark = SIZE_MAX;
    if (lo > 0 && b->marks.v[lo - 1].line + (int64_t)lo - 1 == number) {
        *mark = lo - 1;
        return b->marks.v[lo - 1].line;
    }
    return number - (int64_t)lo;
}

bool rt_logbuf_line(struct rt_logbuf *b, int64_t number, struct rt_line *out) {
    static const char gone[] = "--- not kept any more ---";
    if (number < 0 || number >= rt_logbuf_lines(b, NULL))
        return false;
    size_t mark;
    int64_t line = rt_logbuf_line_of(b, number, &mark);
    *out = (struct rt_line){.number = number, .kind = RT_LINE_MARK};
    if (mark != SIZE_MAX) {
        out->text = b->marks.v[mark].text;
        out->len = strlen(out->text);
        return true;
    }
    if (line < rt_logbuf_oldest(b)) {
        out->text = gone;
        out->len = sizeof gone - 1;
        return true;
    }
    struct rt_logtext t;
    if (!rt_logbuf_text(b, line, &t))
        return false;
    out->text = t.text;
    out->len = t.len;
    out->more = t.more;
    out->kind = rt_log_kind(out->text, out->len);
    return true;
}

/* Matches on the screen: the same pattern for many lines. */
size_t rt_log_matches(struct rt_logbuf *b, const char *regex, const char *text, size_t n, size_t (*out)[2],
                      size_t max) {
    if (!b->shown.re || strcmp(rt_logregex_pattern(b->shown.re), regex) != 0) {
        struct rt_error err;
        forget_pattern(b);
        b->shown.re = rt_logregex_create(regex, &err);
        if (!b->shown.re)
            return 0;
        b->shown.m = rt_logmatcher_create(b->shown.re);
    }
    return rt_logmatcher_all(b->shown.m, text, n, out, max);
}
