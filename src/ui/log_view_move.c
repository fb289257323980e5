/* Where the log view stands: lines, wrapped lines, the end that is followed, marks, times. */
#include "ui/log_view.h"

#include "base/str.h"
#include "ui/wrap.h"
#include <string.h>
#include <time.h>

/* ---- lines that are shown ---- */

int64_t log_view_last(struct log_view *lv) {
    const int64_t n = rt_logbuf_visible(lv->buf, NULL);
    const int64_t line = n > 0 ? rt_logbuf_visible_at(lv->buf, n - 1) : -1;
    return line >= lv->clear ? line : -1;
}

int64_t log_view_next(struct log_view *lv, int64_t line) {
    const int64_t i = rt_logbuf_visible_index(lv->buf, line + 1);
    return i < rt_logbuf_visible(lv->buf, NULL) ? rt_logbuf_visible_at(lv->buf, i) : -1;
}

int64_t log_view_previous(struct log_view *lv, int64_t line) {
    const int64_t i = rt_logbuf_visible_index(lv->buf, line);
    const int64_t before = i > 0 ? rt_logbuf_visible_at(lv->buf, i - 1) : -1;
    return before >= lv->clear ? before : -1;
}

static int64_t first_shown(struct log_view *lv) {
    const int64_t from = RT_MAX(lv->clear, rt_logbuf_first(lv->buf));
    const int64_t i = rt_logbuf_visible_index(lv->buf, from);
    return i < rt_logbuf_visible(lv->buf, NULL) ? rt_logbuf_visible_at(lv->buf, i) : -1;
}

/* How many screen lines a line takes. */
static int height(struct log_view *lv, int64_t line) {
    if (!lv->wrap || log_view_clean(lv, line, NULL) < 0)
        return 1;
    const char *text = rt_buf_str(&lv->clean);
    size_t n = lv->clean.len, next = 0;
    int rows = 0;
    for (; n; text += next, n -= next, rows++)
        rt_wrap(text, n, lv->cols, false, &next);
    return RT_MAX(rows, 1);
}

/* ---- places ---- */

static bool after(struct log_place a, struct log_place b) {
    return a.line != b.line ? a.line > b.line : a.sub > b.sub;
}

/* The top with which the last line stands in the last row. */
static struct log_place bottom(struct log_view *lv) {
    struct log_place p = {RT_MAX(log_view_last(lv), 0), 0};
    int used = height(lv, p.line);
    while (used < lv->rows) {
        const int64_t before = log_view_previous(lv, p.line);
        if (before < 0)
            return p;
        p.line = before;
        used += height(lv, before);
    }
    p.sub = used - RT_MAX(lv->rows, 1);
    return p;
}

static void up(struct log_view *lv, int n);

/* The line that stood here, or the next one that is shown; what was not looked at yet may still be nearer. */
static void return_to_place(struct log_view *lv) {
    bool all = false;
    const int64_t n = rt_logbuf_visible(lv->buf, &all), i = rt_logbuf_visible_index(lv->buf, lv->keep);
    const int64_t line = n > 0 ? rt_logbuf_visible_at(lv->buf, RT_MIN(i, n - 1)) : -1;
    if (line >= 0)
        lv->top = (struct log_place){line, 0};
    if (line >= 0 && lv->at_shown && lv->at == line)
        up(lv, lv->rows / 3); /* with what stands before it */
    lv->keeping = !all;
}

void log_view_settle(struct log_view *lv) {
    if (lv->keeping && !lv->follow)
        return_to_place(lv);
    if (log_view_last(lv) < 0) {
        lv->top = (struct log_place){lv->clear, 0};
        return;
    }
    const struct log_place end = bottom(lv);
    const int64_t first = first_shown(lv);
    if (lv->follow || after(lv->top, end))
        lv->top = end;
    if (lv->top.line < first)
        lv->top = (struct log_place){first, 0};
    const int64_t i = rt_logbuf_visible_index(lv->buf, lv->top.line), line = rt_logbuf_visible_at(lv->buf, i);
    if (line >= 0 && line != lv->top.line)
        lv->top = (struct log_place){line, 0};
    if (lv->top.sub)
        lv->top.sub = RT_MIN(lv->top.sub, height(lv, lv->top.line) - 1);
    if (lv->follow)
        lv->at = log_view_last(lv);
}

static void up(struct log_view *lv, int n) {
    for (; n > 0; n--) {
        if (lv->top.sub > 0) {
            lv->top.sub--;
            continue;
        }
        const int64_t before = log_view_previous(lv, lv->top.line);
        if (before < 0)
            return;
        lv->top = (struct log_place){before, height(lv, before) - 1};
    }
}

static void down(struct log_view *lv, int n) {
    const struct log_place end = bottom(lv);
    for (; n > 0 && after(end, lv->top); n--) {
        if (lv->top.sub + 1 < height(lv, lv->top.line)) {
            lv->top.sub++;
            continue;
        }
        const int64_t next = log_view_next(lv, lv->top.line);
        if (next < 0)
            return;
        lv->top = (struct log_place){next, 0};
    }
}

/* The last line that has its beginning on the screen. */
static int64_t last_on_screen(struct log_view *lv) {
    int64_t line = lv->top.line;
    for (int used = height(lv, line) - lv->top.sub; used < lv->rows;) {
        const int64_t next = log_view_next(lv, line);
        if (next < 0)
            break;
        line = next;
        used += height(lv, line);
    }
    return line;
}

static void keep_at_on_screen(struct log_view *lv) {
    const int64_t last = last_on_screen(lv);
    if (lv->at < lv->top.line || lv->at > last)
        lv->at_shown = false;
    lv->at = RT_MAX(RT_MIN(lv->at, last), lv->top.line);
}

static void move_selection(struct log_view *lv, int n) {
    for (; n; n += n > 0 ? -1 : 1) {
        const int64_t to = n > 0 ? log_view_next(lv, lv->at) : log_view_previous(lv, lv->at);
        if (to < 0)
            break;
        lv->at = to;
    }
    if (lv->at < lv->top.line)
        lv->top = (struct log_place){lv->at, 0};
    while (last_on_screen(lv) < lv->at) {
        const struct log_place was = lv->top;
        down(lv, 1);
        if (!after(lv->top, was))
            break;
    }
}

void log_view_move(struct log_view *lv, int n) {
    lv->keeping = false;
    const bool followed = lv->follow;
    const bool walks = lv->selecting || lv->walk;
    if (n < 0 || walks)
        lv->follow = false;
    if (walks) {
        move_selection(lv, n);
    } else if (n < 0) {
        up(lv, -n);
    } else if (!followed) {
        down(lv, n);
    }
    if (!walks && !lv->follow)
        keep_at_on_screen(lv);
    rt_ui_mark(lv->view.ui);
}

void log_view_first(struct log_view *lv) {
    lv->follow = lv->keeping = false;
    lv->clear = 0;
    lv->top = (struct log_place){RT_MAX(first_shown(lv), 0), 0};
    lv->at = lv->top.line;
    lv->at_shown = false;
    rt_ui_mark(lv->view.ui);
}

void log_view_end(struct log_view *lv) {
    lv->keeping = false;
    lv->at = RT_MAX(log_view_last(lv), 0);
    lv->at_shown = false;
    if (lv->selecting || lv->walk) {
        move_selection(lv, 0);
    } else {
        lv->follow = true;
        log_view_settle(lv);
    }
    rt_ui_mark(lv->view.ui);
}

void log_view_jump(struct log_view *lv, int64_t line) {
    lv->follow = lv->keeping = false;
    lv->at = line;
    lv->at_shown = true;
    if (line < lv->clear)
        lv->clear = 0;
    if (line < lv->top.line || line > last_on_screen(lv)) {
        lv->top = (struct log_place){line, 0};
        up(lv, lv->rows / 3);
    }
    rt_ui_mark(lv->view.ui);
}

/* ---- times ---- */

static int64_t time_near(struct log_view *lv, int64_t line) {
    const int most = 200;
    for (int i = 0; i < most && line >= 0; i++) {
        struct rt_line l;
        const int64_t ms = rt_logbuf_line(lv->buf, line, &l) ? rt_log_time(l.text, l.len) : -1;
        if (ms >= 0)
            return ms;
        line = log_view_previous(lv, line);
    }
    return -1;
}

static bool parse_clock(const char *text, int *h, int *m, int *s) {
    int64_t v[3] = {0, 0, 0};
    int n = 0;
    for (const char *p = text; n < 3; p++) {
        const size_t digits = strspn(p, "0123456789");
        if (!digits || digits > 2)
            return false;
        for (size_t i = 0; i < digits; i++)
            v[n] = v[n] * 10 + (p[i] - '0');
        n++;
        p += digits;
        if (!*p)
            break;
        if (*p != ':')
            return false;
    }
    *h = (int)v[0];
    *m = (int)v[1];
    *s = (int)v[2];
    return n >= 2 && v[0] < 24 && v[1] < 60 && v[2] < 61;
}

bool log_view_jump_time(struct log_view *lv, const char *text) {
    struct rt_error err = {0};
    int64_t back = 0, want = 0;
    int h = 0, m = 0, s = 0;
    int64_t near = time_near(lv, log_view_last(lv));
    if (text[0] == '-' && rt_parse_duration(text + 1, &back, &err)) {
        want = (near >= 0 ? near : rt_wall_ms()) - back;
    } else if (parse_clock(text, &h, &m, &s)) {
        const time_t day = (time_t)((near >= 0 ? near : rt_wall_ms()) / 1000);
        struct tm tm;
        localtime_r(&day, &tm);
        tm.tm_hour = h;
        tm.tm_min = m;
        tm.tm_sec = s;
        tm.tm_isdst = -1;
        want = (int64_t)mktime(&tm) * 1000;
    } else {
        return false;
    }
    const int64_t line = rt_logbuf_line_at_time(lv->buf, want);
    if (line >= 0)
        log_view_jump(lv, line);
    else
        rt_ui_note(lv->view.ui, near < 0 ? "the lines of this log carry no time" : "no line is that late");
    return true;
}

/* ---- marks ---- */

void log_view_mark(struct log_view *lv) {
    size_t i = 0;
    while (i < lv->marks.n && lv->marks.v[i] < lv->at)
        i++;
    if (i < lv->marks.n && lv->marks.v[i] == lv->at) {
        rt_vec_remove(&lv->marks, i);
    } else {
        (void)rt_vec_push(&lv->marks);
        memmove(&lv->marks.v[i + 1], &lv->marks.v[i], (lv->marks.n - 1 - i) * sizeof(int64_t));
        lv->marks.v[i] = lv->at;
    }
    rt_ui_mark(lv->view.ui);
}

void log_view_next_mark(struct log_view *lv) {
    if (!lv->marks.n) {
        rt_ui_note(lv->view.ui, "no line is marked - m marks one");
        return;
    }
    size_t i = 0;
    while (i < lv->marks.n && lv->marks.v[i] <= lv->at)
        i++;
    log_view_jump(lv, lv->marks.v[i < lv->marks.n ? i : 0]);
}

void log_view_renumber(void *ctx, int64_t from, int64_t by) {
    struct log_view *lv = ctx;
    int64_t *const all[] = {&lv->top.line, &lv->at, &lv->anchor, &lv->seek_from, &lv->keep};
    for (size_t i = 0; i < RT_COUNT(all); i++)
        if (*all[i] >= from)
            *all[i] += by;
    for (size_t i = 0; i < lv->marks.n; i++)
        if (lv->marks.v[i] >= from)
            lv->marks.v[i] += by;
    if (lv->clear && lv->clear >= from)
        lv->clear += by;
}
