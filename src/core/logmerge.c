/* Lines of several sources, put in the order of their times. */
#include "core/logmerge.h"

#include "base/str.h"
#include "base/vec.h"
#include "core/logbuf.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    LATE_MS = 1000,     /* what an answer may take beyond the pause between two looks */
    OPENING_MS = 8000,  /* what a source may take to answer at all */
    TICK_MS = 100,
    TURN_US = 8000,     /* of work in one turn of the loop */
    SOURCE_MEMORY = 256 * 1024,
    UNTIMED = 20,       /* lines without a time in a row: more than a traceback has as a rule */
    FRESH_BYTES = 4 * 1024 * 1024, /* a buffer that is read to its end is made anew after so much */
    NAME_MAX_BYTES = 48
};

struct source {
    char *ident;
    char name[NAME_MAX_BYTES + 1]; /* of the actor or task; "" */
    char *label;                   /* name and ident */
    struct rt_logbuf *buf;         /* what waits */
    int64_t next;                  /* number of the first line in it that waits */
    int64_t lines;                 /* that went out */
    bool open;                     /* its last line is not finished */
    bool have;                     /* `key` is that of its first line */
    int64_t key, last_key;
    int untimed;                   /* lines since the last one that had a time of its own, with Ray's */
    bool plain;                    /* it wrote a line without a time */
    int64_t pause_ms;              /* between two looks at it */
    int64_t data_ms;               /* loop time of its last bytes, or of its beginning */
    bool alive, ended;
};

struct rt_logmerge {
    struct rt_loop *loop;
    struct rt_logmerge_out out;
    RT_VEC(struct source *) sources;
    struct rt_timer *timer;
    struct rt_buf line;
};

struct rt_logmerge *rt_logmerge_create(struct rt_loop *l, const struct rt_logmerge_out *out) {
    struct rt_logmerge *m = RT_NEW(struct rt_logmerge);
    m->loop = l;
    m->out = *out;
    rt_buf_init(&m->line, 0);
    return m;
}

void rt_logmerge_destroy(struct rt_logmerge *m) {
    if (!m)
        return;
    rt_timer_stop(m->timer);
    for (size_t i = 0; i < m->sources.n; i++) {
        struct source *s = m->sources.v[i];
        rt_logbuf_destroy(s->buf);
        free(s->ident);
        free(s->label);
        free(s);
    }
    rt_vec_deinit(&m->sources);
    rt_buf_deinit(&m->line);
    free(m);
}

/* ---- names ---- */

/* Nothing in a name may end the prefix or mean anything to a terminal. */
static void plain(char *text) {
    for (char *p = text; *p; p++)
        if ((unsigned char)*p < 0x20 || (unsigned char)*p > 0x7e || *p == '(' || *p == ')' || *p == '\\')
            *p = '_';
}

static void relabel(struct source *s) {
    free(s->label);
    s->label = rt_strf("%s%s%s", s->name, s->name[0] ? " " : "", s->ident);
}

static void take_name(struct source *s, const char *text, size_t n) {
    snprintf(s->name, sizeof s->name, "%.*s", (int)RT_MIN(n, (size_t)NAME_MAX_BYTES), text);
    s->name[strcspn(s->name, "\r\n")] = '\0';
    plain(s->name);
    relabel(s);
}

/* Ray's lines about the worker itself. */
static bool is_magic(struct source *s, const char *text, size_t n) {
    static const char *const names[] = {":actor_name:", ":task_name:"};
    static const char job[] = ":job_id:";
    for (size_t i = 0; i < RT_COUNT(names); i++) {
        const size_t k = strlen(names[i]);
        if (n >= k && memcmp(text, names[i], k) == 0) {
            take_name(s, text + k, n - k);
            return true;
        }
    }
    return n >= sizeof job - 1 && memcmp(text, job, sizeof job - 1) == 0;
}

/* ---- sources ---- */

static void fresh(struct rt_logmerge *m, struct source *s) {
    if (s->buf)
        rt_logbuf_destroy(s->buf);
    s->buf = rt_logbuf_create(m->loop, NULL);
    rt_logbuf_limit(s->buf, SOURCE_MEMORY, 0);
    s->next = 0;
}

size_t rt_logmerge_add(struct rt_logmerge *m, const char *ident) {
    struct source *s = RT_NEW(struct source);
    s->ident = rt_strdup(ident);
    plain(s->ident);
    relabel(s);
    s->last_key = INT64_MIN;
    s->data_ms = rt_loop_now_ms(m->loop);
    fresh(m, s);
    *rt_vec_push(&m->sources) = s;
    return m->sources.n - 1;
}

static bool waits(const struct source *s) {
    return s->next < rt_logbuf_lines(s->buf, NULL) - (s->open ? 1 : 0);
}

/* What comes next is no part of the last line. */
static void close_line(struct source *s) {
    if (s->open)
        rt_logbuf_append(s->buf, "\n", 1);
    s->open = false;
}

/* Of a progress bar, what a terminal would show last: it must not overwrite what stands in front. */
static void after_returns(struct rt_line *l) {
    while (l->len && l->text[l->len - 1] == '\r')
        l->len--;
    for (size_t i = l->len; i > 0; i--)
        if (l->text[i - 1] == '\r') {
            l->text += i;
            l->len -= i;
            return;
        }
}

/* Steps over Ray's own lines; true when a line waits, with its key. */
static bool has_line(struct source *s) {
    struct rt_line l;
    if (!s->have)
        s->next = RT_MAX(s->next, rt_logbuf_first(s->buf)); /* more came than the disk keeps; a mark says so */
    while (!s->have && waits(s) && rt_logbuf_line(s->buf, s->next, &l)) {
        if (l.kind != RT_LINE_MARK && is_magic(s, l.text, l.len)) {
            s->next++;
            s->untimed = RT_MIN(s->untimed + 1, UNTIMED);
            continue;
        }
        const int64_t ms = l.kind == RT_LINE_MARK ? -1 : rt_log_time(l.text, l.len);
        s->key = ms >= 0 && ms > s->last_key ? ms : s->last_key;
        if (l.kind != RT_LINE_MARK) {
            s->untimed = ms >= 0 ? 0 : RT_MIN(s->untimed + 1, UNTIMED);
            s->plain = s->plain || ms < 0;
        }
        s->have = true;
    }
    return s->have;
}

/* What it writes says no time, so that nothing can be put in order by waiting for it - and it may write without end. */
static bool is_timeless(const struct source *s) {
    return s->untimed >= UNTIMED || (s->plain && s->last_key == INT64_MIN);
}

/* Nothing of it can be earlier than what others have. */
static bool is_silent(const struct source *s, int64_t now) {
    return s->ended || is_timeless(s) || now - s->data_ms >= (s->alive ? s->pause_ms + LATE_MS : OPENING_MS);
}

static void go_out(struct rt_logmerge *m, size_t i) {
    struct source *s = m->sources.v[i];
    struct rt_line l;
    if (rt_logbuf_line(s->buf, s->next, &l)) {
        rt_buf_clear(&m->line);
        if (l.kind == RT_LINE_MARK) {
            rt_buf_add(&m->line, l.text, l.len);
            m->out.mark(m->out.ctx, rt_buf_str(&m->line));
        } else {
            after_returns(&l);
            rt_buf_addf(&m->line, "(%s) ", s->label);
            rt_buf_add(&m->line, l.text, l.len);
            rt_buf_addc(&m->line, '\n');
            s->lines++;
            m->out.data(m->out.ctx, m->line.data, m->line.len);
        }
    }
    s->last_key = s->key;
    s->have = false;
    s->next++;
    if (!waits(s) && !s->open && rt_logbuf_bytes(s->buf) > FRESH_BYTES)
        fresh(m, s);
}

/* The source whose line is next, or SIZE_MAX: none, or one has to be waited for. */
static size_t choose(struct rt_logmerge *m, int64_t now) {
    size_t best = SIZE_MAX;
    bool wait = false;
    for (size_t i = 0; i < m->sources.n; i++) {
        struct source *s = m->sources.v[i];
        if (!has_line(s))
            wait = wait || !is_silent(s, now);
        else if (best == SIZE_MAX || s->key < m->sources.v[best]->key)
            best = i;
    }
    if (best != SIZE_MAX && wait && m->sources.v[best]->key != INT64_MIN)
        return SIZE_MAX;
    return best;
}

static void pump(void *ctx) {
    struct rt_logmerge *m = ctx;
    const int64_t begun = rt_mono_us(), now = rt_loop_now_ms(m->loop);
    rt_timer_stop(m->timer);
    m->timer = NULL;
    for (int i = 1;; i++) {
        const size_t next = choose(m, now);
        if (next == SIZE_MAX)
            break;
        go_out(m, next);
        if (i % 64 == 0 && rt_mono_us() - begun > TURN_US) {
            m->timer = rt_timer_start(m->loop, 0, 0, pump, m);
            return;
        }
    }
    if (!rt_logmerge_drained(m))
        m->timer = rt_timer_start(m->loop, TICK_MS, 0, pump, m);
}

static void soon(struct rt_logmerge *m) {
    if (!m->timer)
        m->timer = rt_timer_start(m->loop, 0, 0, pump, m);
}

void rt_logmerge_append(struct rt_logmerge *m, size_t source, const char *data, size_t n) {
    struct source *s = m->sources.v[source];
    if (!n)
        return;
    rt_logbuf_append(s->buf, data, n);
    s->open = data[n - 1] != '\n';
    s->alive = true;
    s->data_ms = rt_loop_now_ms(m->loop);
    soon(m);
}

void rt_logmerge_mark(struct rt_logmerge *m, size_t source, const char *text) {
    struct source *s = m->sources.v[source];
    close_line(s);
    rt_logbuf_mark(s->buf, text);
    soon(m);
}

void rt_logmerge_end(struct rt_logmerge *m, size_t source, bool ended) {
    struct source *s = m->sources.v[source];
    if (ended)
        close_line(s);
    else
        s->data_ms = rt_loop_now_ms(m->loop);
    s->ended = ended;
    soon(m);
}

void rt_logmerge_alive(struct rt_logmerge *m, size_t source, int64_t pause_ms) {
    struct source *s = m->sources.v[source];
    s->pause_ms = pause_ms;
    if (!s->alive)
        s->data_ms = rt_loop_now_ms(m->loop);
    s->alive = true;
}

/* ---- what is known ---- */

const char *rt_logmerge_name(const struct rt_logmerge *m, size_t source) {
    return m->sources.v[source]->label;
}

const char *rt_logmerge_ident(const struct rt_logmerge *m, size_t source) {
    return m->sources.v[source]->ident;
}

int64_t rt_logmerge_lines(const struct rt_logmerge *m, size_t source) {
    return m->sources.v[source]->lines;
}

bool rt_logmerge_drained(const struct rt_logmerge *m) {
    for (size_t i = 0; i < m->sources.n; i++)
        if (waits(m->sources.v[i]))
            return false;
    return true;
}

char *rt_logmerge_veil(const struct rt_logmerge *m, const bool *hidden, size_t n) {
    struct rt_buf b;
    bool any = false;
    rt_buf_init(&b, 0);
    rt_buf_adds(&b, "^\\((?:[^()]* )?(?:");
    for (size_t i = 0; i < n && i < m->sources.n; i++) {
        if (!hidden[i])
            continue;
        rt_buf_addf(&b, "%s\\Q%s\\E", any ? "|" : "", m->sources.v[i]->ident);
        any = true;
    }
    rt_buf_adds(&b, ")\\)");
    char *re = any ? rt_strdup(rt_buf_str(&b)) : NULL;
    rt_buf_deinit(&b);
    return re;
}
