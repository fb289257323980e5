/* Writes a log, or what is seen of it, to a file: workers read, choose and write, one after the other. */
#include "base/fs.h"
#include "core/logbuf_impl.h"
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* A unit's share: which of its lines, and the marks that stand before them. */
struct part {
    struct rt_logsave_part base;
    int fd;
    uint64_t *keep; /* NULL: all */
    struct part_mark {
        int64_t line; /* from the unit's first */
        char *text;
    } *marks;
    size_t n_marks, next_mark;
    int64_t written; /* lines */
    int error;
};

struct save {
    struct rt_logtask task;
    struct rt_logscan scan;
    char *path, *temp; /* temp NULL: written in place */
    int fd;
    int64_t upto, lines;
    size_t marks; /* written or on their way */
    bool visible_only, started;
    struct rt_error err;
    rt_save_fn *fn;
    void *ctx;
};

static void part_free(struct rt_logsave_part *base) {
    struct part *p = (struct part *)base;
    for (size_t i = 0; i < p->n_marks; i++)
        free(p->marks[i].text);
    free(p->marks);
    free(p->keep);
    close(p->fd);
    free(p);
}

static void write_out(struct part *p, const char *s, size_t n) {
    while (n > 0 && p->error == 0) {
        ssize_t w = write(p->fd, s, n);
        if (w < 0 && errno != EINTR)
            p->error = errno;
        if (w > 0) {
            s += w;
            n -= (size_t)w;
        }
    }
}

/* Marks that stand before line `line` of the unit. */
static void write_marks(struct part *p, int64_t line) {
    for (; p->next_mark < p->n_marks && p->marks[p->next_mark].line <= line; p->next_mark++) {
        write_out(p, p->marks[p->next_mark].text, strlen(p->marks[p->next_mark].text));
        write_out(p, "\n", 1);
        p->written++;
    }
}

/* Lines of a run that are wanted are written in as few pieces as may be. */
static void write_run(struct rt_logunit *u, struct part *p, const struct rt_logrun *run, int64_t *line,
                      bool *inside) {
    const char *at = run->text, *end = at + run->n, *from = NULL;
    for (;;) {
        const char *nl = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        bool keep = *line < u->lines && (!p->keep || rt_words_get(p->keep, *line));
        bool mark = !*inside && p->next_mark < p->n_marks && p->marks[p->next_mark].line <= *line;
        if ((mark || !keep) && from) {
            write_out(p, from, (size_t)(at - from));
            from = NULL;
        }
        if (mark)
            write_marks(p, *line);
        if (keep && !from)
            from = at;
        *inside = !nl && run->more;
        if (!*inside) {
            p->written += keep;
            (*line)++;
        }
        if (!nl)
            break;
        at = nl + 1;
    }
    if (from) {
        write_out(p, from, (size_t)(end - from));
        if (!run->more)
            write_out(p, "\n", 1);
    }
}

static void save_work(void *unit) {
    struct rt_logunit *u = unit;
    struct part *p = (struct part *)u->save;
    struct rt_logrun run;
    int64_t line = 0;
    bool inside = false;
    while (line < u->lines && p->error == 0 && !atomic_load(&u->stop) && rt_logreader_next(&u->reader, &run))
        write_run(u, p, &run, &line, &inside);
    if (inside)
        write_out(p, "\n", 1); /* the last line of the log came in parts and has no newline */
}

static void prepare(void *ctx, struct rt_logunit *u) {
    struct save *s = ctx;
    struct rt_logbuf *b = s->task.b;
    struct part *p = RT_NEW(struct part);
    u->save = &p->base;
    p->base.free = part_free;
    p->fd = fcntl(s->fd, F_DUPFD_CLOEXEC, 0);
    p->error = p->fd < 0 ? errno : 0;
    size_t last = rt_logbuf_marks_upto(b, u->first + u->lines - 1);
    if (last > s->marks) {
        p->marks = rt_alloc((last - s->marks) * sizeof *p->marks);
        for (; s->marks < last; s->marks++)
            p->marks[p->n_marks++] = (struct part_mark){.line = b->marks.v[s->marks].line - u->first,
                                                        .text = rt_strdup(b->marks.v[s->marks].text)};
    }
    if (!s->visible_only || !rt_logbuf_filtering(b))
        return;
    p->keep = rt_alloc(((size_t)u->lines / 64 + 1) * sizeof(uint64_t));
    for (int64_t i = 0; i < u->lines; i++)
        if (rt_logbuf_passes(b, u->first + i))
            rt_words_set(p->keep, i);
}

static void save_free(struct save *s) {
    rt_logscan_stop(&s->scan);
    rt_logtask_remove(&s->task);
    if (s->fd >= 0)
        close(s->fd);
    if (s->temp)
        unlink(s->temp);
    free(s->temp);
    free(s->path);
    free(s);
}

static void save_cancel(struct rt_op *op) {
    save_free((struct save *)op);
}

static void save_done(struct save *s) {
    if (!s->err.code && s->temp) {
        if (rename(s->temp, s->path) != 0) {
            rt_error_set(&s->err, RT_E_IO, "%s: %s", s->path, strerror(errno));
        } else {
            free(s->temp);
            s->temp = NULL;
        }
    }
    rt_save_fn *fn = s->fn;
    void *ctx = s->ctx;
    struct rt_error err = s->err;
    int64_t lines = s->lines;
    save_free(s);
    fn(ctx, lines, err.code ? &err : NULL);
}

static void failed(struct save *s, int error) {
    rt_error_set(&s->err, error == ENOSPC || error == EDQUOT ? RT_E_LIMIT : RT_E_IO, "%s: %s", s->path,
                 strerror(error));
}

static bool save_unit(void *ctx, struct rt_logunit *u) {
    struct save *s = ctx;
    const struct part *p = (const struct part *)u->save;
    s->lines += p->written;
    if (p->error == 0)
        return true;
    failed(s, p->error);
    save_done(s);
    return false;
}

/* Marks behind the last line are few and short. */
static void save_end(void *ctx) {
    struct save *s = ctx;
    struct rt_logbuf *b = s->task.b;
    struct rt_buf text;
    rt_buf_init(&text, 0);
    for (; s->marks < b->marks.n; s->marks++, s->lines++)
        rt_buf_addf(&text, "%s\n", b->marks.v[s->marks].text);
    if (text.len > 0 && write(s->fd, text.data, text.len) != (ssize_t)text.len)
        failed(s, errno ? errno : ENOSPC);
    rt_buf_deinit(&text);
    save_done(s);
}

/* A new file beside the old one; a pipe or a device is written as it is. */
static bool open_target(struct save *s) {
    struct stat st;
    if (stat(s->path, &st) == 0 && !S_ISREG(st.st_mode)) {
        s->fd = open(s->path, O_WRONLY | O_CLOEXEC | O_NONBLOCK);
    } else {
        s->temp = rt_strf("%s.XXXXXX", s->path);
        s->fd = mkstemp(s->temp);
        if (s->fd < 0) {
            free(s->temp);
            s->temp = NULL;
        } else {
            fcntl(s->fd, F_SETFD, FD_CLOEXEC);
        }
    }
    if (s->fd < 0)
        failed(s, errno);
    return s->fd >= 0;
}

static void save_wake(struct rt_logtask *t) {
    struct save *s = (struct save *)t;
    if (s->started || !rt_logbuf_exact(t->b) || (s->visible_only && !rt_logfilters_ready(t->b, s->upto)))
        return;
    s->started = true;
    if (!open_target(s))
        save_done(s);
    else if (!rt_logscan_start(&s->scan, 0, t->b->blocks.n))
        save_end(s);
}

struct rt_op *rt_logbuf_save(struct rt_logbuf *b, const char *path, bool visible_only, rt_save_fn *fn, void *ctx) {
    struct save *s = RT_NEW(struct save);
    s->task = (struct rt_logtask){.op = {.cancel = save_cancel}, .wake = save_wake};
    s->path = rt_strdup(path);
    s->fd = -1;
    s->upto = b->newlines;
    s->visible_only = visible_only;
    s->fn = fn;
    s->ctx = ctx;
    s->scan = (struct rt_logscan){.b = b,
                                  .work = save_work,
                                  .tail = true,
                                  .whole = true,
                                  .narrow = true,
                                  .until = -1,
                                  .prepare = prepare,
                                  .unit = save_unit,
                                  .end = save_end,
                                  .ctx = s};
    rt_logtask_add(b, &s->task);
    return &s->task.op;
}
