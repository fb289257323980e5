/* Walks over the blocks of a log with worker threads: each unit of work has memory and descriptors of its
 * own, and units come back in order. */
#include "core/logbuf_impl.h"
#include <string.h>
#include <unistd.h>

enum {
    STEP_MIN = 4,      /* blocks: the first answer comes soon */
    STEP_MAX = 256,    /* later ones cost little each */
    STEP_MEM = 32,     /* blocks in memory are copied on the loop */
    STEP_LINES = 500000, /* bits of lines are looked at on the loop */
    OVERHANG = RT_LOGLINE_MAX / RT_LOGBLOCK + 1
};

struct rt_logsource *rt_logsource_create(int fd) {
    struct rt_logsource *s = RT_NEW(struct rt_logsource);
    s->fd = fd;
    s->refs = 1;
    return s;
}

struct rt_logsource *rt_logsource_ref(struct rt_logsource *s) {
    s->refs++;
    return s;
}

void rt_logsource_unref(struct rt_logsource *s) {
    if (!s || --s->refs > 0)
        return;
    close(s->fd);
    free(s);
}

static void unit_free(void *ctx) {
    struct rt_logunit *u = ctx;
    for (size_t i = 0; i < u->n_ext; i++) {
        free(u->ext[i].mem);
        rt_logsource_unref(u->sources[i]);
    }
    rt_logreader_deinit(&u->reader);
    rt_logregex_unref(u->re);
    free(u->ext);
    free(u->sources);
    free(u->bits[0]);
    free(u->bits[1]);
    free(u->newlines);
    free(u->ends_line);
    if (u->save)
        u->save->free(u->save);
    free(u);
}

static void add_block(struct rt_logunit *u, const struct rt_logblock *k) {
    struct rt_logextent *last = u->n_ext ? &u->ext[u->n_ext - 1] : NULL;
    if (last && !k->mem && !last->mem && !last->newline && u->sources[u->n_ext - 1] == k->source &&
        last->off + (int64_t)last->len == k->off) {
        last->len += k->len;
        last->newline = k->closed;
        return;
    }
    u->ext = rt_realloc(u->ext, (u->n_ext + 1) * sizeof *u->ext);
    u->sources = rt_realloc(u->sources, (u->n_ext + 1) * sizeof *u->sources);
    struct rt_logextent *x = &u->ext[u->n_ext];
    *x = (struct rt_logextent){.fd = -1, .off = k->off, .len = k->len, .newline = k->closed};
    u->sources[u->n_ext++] = NULL;
    if (k->mem) {
        x->mem = rt_realloc(NULL, k->len + 1);
        memcpy(x->mem, k->mem, k->len);
    } else {
        x->fd = k->source->fd;
        u->sources[u->n_ext - 1] = rt_logsource_ref(k->source);
    }
}

/* The blocks of the unit, and those in which its last line ends. */
static void add_blocks(struct rt_logunit *u, const struct rt_logscan *s) {
    const struct rt_logbuf *b = s->b;
    size_t k = u->lo;
    for (; k < u->hi; k++) {
        add_block(u, &b->blocks.v[k]);
        u->reader.own += b->blocks.v[k].len + (b->blocks.v[k].closed ? 1 : 0);
    }
    bool open = !s->raw && !b->blocks.v[u->hi - 1].ends_line;
    for (; open && k < b->blocks.n && (s->whole || k < u->hi + OVERHANG); k++) {
        add_block(u, &b->blocks.v[k]);
        open = b->blocks.v[k].newlines == 0;
    }
}

static void find_lines(struct rt_logunit *u, const struct rt_logscan *s) {
    struct rt_logbuf *b = s->b;
    u->first = rt_logbuf_first_line_in(b, u->lo);
    int64_t end = rt_logbuf_first_line_in(b, u->hi);
    if (!s->tail)
        end = RT_MIN(end, b->newlines);
    u->lines = RT_MAX(end - u->first, 0);
    u->until = s->until < 0 ? -1 : RT_MAX(s->until - u->first, 0);
    u->reader.partial_start = u->lo > 0 && !b->blocks.v[u->lo - 1].ends_line;
}

/* NULL: no line starts in these blocks. */
static struct rt_logunit *unit_create(struct rt_logscan *s, size_t lo, size_t hi) {
    struct rt_logunit *u = RT_NEW(struct rt_logunit);
    u->scan = s;
    u->lo = lo;
    u->hi = hi;
    if (!s->raw)
        find_lines(u, s);
    if (!s->raw && u->lines == 0) {
        free(u);
        return NULL;
    }
    add_blocks(u, s);
    u->re = s->re ? rt_logregex_ref(s->re) : NULL;
    u->reader.ext = u->ext;
    u->reader.n_ext = u->n_ext;
    u->reader.partial_end = true;
    u->reader.whole = s->whole;
    if (s->prepare)
        s->prepare(s->ctx, u);
    return u;
}

/* How far the next unit goes. */
static size_t next_step(struct rt_logscan *s) {
    size_t n = s->step, max = s->hi - s->lo;
    s->step = RT_MIN(s->step * 2, (size_t)STEP_MAX);
    n = RT_MIN(n, max);
    const struct rt_logblock *v = s->b->blocks.v;
    size_t mem = 0, lines = 0;
    for (size_t i = 0; i < n; i++) {
        const struct rt_logblock *k = &v[s->backwards ? s->hi - 1 - i : s->lo + i];
        mem += k->mem != NULL;
        lines += k->newlines;
        if (mem == STEP_MEM || lines > STEP_LINES)
            return i + 1;
    }
    return n;
}

static void unit_back(void *ctx);

static void pump(struct rt_logscan *s) {
    unsigned width = s->narrow ? 1 : (unsigned)RT_COUNT(s->slot);
    s->lo = RT_MAX(s->lo, s->b->first);
    while (s->lo < s->hi && s->out < width) {
        size_t n = next_step(s), lo = s->backwards ? s->hi - n : s->lo;
        struct rt_logunit *u = unit_create(s, lo, lo + n);
        if (s->backwards)
            s->hi = lo;
        else
            s->lo = lo + n;
        if (!u)
            continue;
        unsigned k = (s->head + s->out++) % RT_COUNT(s->slot);
        s->slot[k].u = u;
        s->slot[k].back = false;
        s->slot[k].op = rt_loop_work(s->b->loop, s->work, unit_back, unit_free, u);
    }
}

/* Lines that were dropped meanwhile do not match: their bytes may be those of others by now. */
static void forget_dropped(struct rt_logunit *u) {
    int64_t gone = RT_MIN(rt_logbuf_oldest(u->scan->b) - u->first, u->lines);
    for (int64_t i = 0; i < gone; i++)
        for (int k = 0; k < 2; k++)
            if (u->bits[k])
                u->bits[k][i / 64] &= ~((uint64_t)1 << (i % 64));
}

static void unit_back(void *ctx) {
    struct rt_logunit *u = ctx;
    struct rt_logscan *s = u->scan;
    for (unsigned i = 0; i < RT_COUNT(s->slot); i++)
        if (s->slot[i].u == u) {
            s->slot[i].op = NULL;
            s->slot[i].back = true;
        }
    while (s->out > 0 && s->slot[s->head].back) {
        u = s->slot[s->head].u;
        s->slot[s->head].u = NULL;
        s->slot[s->head].back = false;
        s->head = (s->head + 1) % RT_COUNT(s->slot);
        s->out--;
        forget_dropped(u);
        bool on = s->unit(s->ctx, u);
        unit_free(u);
        if (!on)
            return;
    }
    pump(s);
    if (s->out == 0)
        s->end(s->ctx);
}

bool rt_logscan_start(struct rt_logscan *s, size_t lo, size_t hi) {
    s->lo = lo;
    s->hi = hi;
    s->step = STEP_MIN;
    pump(s);
    return s->out > 0;
}

void rt_logscan_stop(struct rt_logscan *s) {
    s->lo = s->hi = 0;
    for (unsigned i = 0; i < RT_COUNT(s->slot); i++) {
        if (!s->slot[i].u)
            continue;
        if (s->slot[i].op) {
            atomic_store(&s->slot[i].u->stop, true);
            rt_op_drop(&s->slot[i].op); /* frees the unit when its work has returned */
        } else {
            unit_free(s->slot[i].u);
        }
        s->slot[i].u = NULL;
        s->slot[i].back = false;
    }
    s->out = s->head = 0;
}

bool rt_logscan_running(const struct rt_logscan *s) {
    return s->out > 0;
}

static uint64_t *bits_for(const struct rt_logunit *u) {
    return rt_alloc(((size_t)u->lines / 64 + 1) * sizeof(uint64_t));
}

void rt_logunit_match(void *unit) {
    struct rt_logunit *u = unit;
    u->bits[0] = bits_for(u);
    struct rt_logmatches out = {
        .bits = u->bits[0], .n = u->lines, .until = u->until, .cancel = &u->stop};
    struct rt_logmatcher *m = rt_logmatcher_create(u->re);
    struct rt_logrun run;
    while (out.line < u->lines && !atomic_load(&u->stop) && rt_logreader_next(&u->reader, &run))
        if (!rt_logmatcher_lines(m, run.text, run.n, &out))
            break;
    u->too_hard = rt_logmatcher_too_hard(m);
    rt_logmatcher_destroy(m);
}

static void kinds_of(struct rt_logunit *u, const struct rt_logrun *run, int64_t *line) {
    const char *at = run->text, *end = run->text + run->n;
    for (; *line < u->lines; (*line)++) {
        const char *nl = at < end ? memchr(at, '\n', (size_t)(end - at)) : NULL;
        enum rt_line_kind kind = rt_log_kind(at, (size_t)((nl ? nl : end) - at));
        if (kind == RT_LINE_ERROR)
            rt_words_set(u->bits[0], *line);
        else if (kind == RT_LINE_WARN)
            rt_words_set(u->bits[1], *line);
        if (!nl) {
            (*line)++;
            return;
        }
        at = nl + 1;
    }
}

void rt_logunit_kinds(void *unit) {
    struct rt_logunit *u = unit;
    u->bits[0] = bits_for(u);
    u->bits[1] = bits_for(u);
    int64_t line = 0;
    struct rt_logrun run;
    while (line < u->lines && !atomic_load(&u->stop) && rt_logreader_next(&u->reader, &run))
        kinds_of(u, &run, &line);
}

void rt_logunit_count(void *unit) {
    struct rt_logunit *u = unit;
    size_t n = u->hi - u->lo, k = 0;
    u->newlines = rt_alloc(n * sizeof *u->newlines);
    u->ends_line = rt_alloc(n * sizeof *u->ends_line);
    char *buf = rt_realloc(NULL, RT_LOGBLOCK);
    for (size_t i = 0; i < u->n_ext; i++)
        for (size_t off = 0; off < u->ext[i].len && k < n && !atomic_load(&u->stop); k++) {
            size_t want = RT_MIN(u->ext[i].len - off, (size_t)RT_LOGBLOCK);
            size_t got = rt_pread_full(u->ext[i].fd, buf, want, u->ext[i].off + (int64_t)off);
            u->newlines[k] = (uint32_t)rt_count_newlines(buf, got);
            u->ends_line[k] = got == want && buf[got - 1] == '\n';
            off += want;
        }
    free(buf);
}
