/* The log on the screen: gutter, line number, time, and the text with its own colours, matches on top. */
#include "ui/log_view.h"

#include "base/str.h"
#include "ui/tools.h"
#include "ui/wrap.h"
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { GUTTER = 1, TIME_COLS = 10 };

int log_view_clean(struct log_view *lv, int64_t line, int64_t *time_ms) {
    struct rt_line l;
    rt_buf_clear(&lv->clean);
    lv->nspans = 0;
    lv->more = 0;
    if (line < 0 || !rt_logbuf_line(lv->buf, line, &l))
        return -1;
    if (time_ms)
        *time_ms = rt_log_time(l.text, l.len);
    lv->nspans = rt_log_clean(l.text, l.len, &lv->clean, lv->spans, LOG_SPANS);
    lv->more = l.more;
    if (l.more) {
        char size[24];
        rt_fmt_bytes(size, sizeof size, (double)l.more);
        rt_buf_addf(&lv->clean, " [%s more of this line, neither shown nor searched]", size);
    }
    return (int)l.kind;
}

/* What is drawn of one line. */
struct piece {
    struct log_view *lv;
    const struct rt_draw *w;
    struct rt_look base;
    size_t from, to;  /* bytes */
    int row, col, cols;
    int skip;         /* columns of the text that lie left of the screen */
};

static struct rt_look span_look(const struct rt_draw *w, struct rt_look base, const struct rt_span *s) {
    struct rt_look over = {RT_COLOR_INHERIT, RT_COLOR_INHERIT, 0};
    if (s->fg >= 0)
        over.fg = rt_color_fit(s->fg, w->theme->depth);
    if (s->bg >= 0)
        over.bg = rt_color_fit(s->bg, w->theme->depth);
    over.attr = (s->bold ? (uint32_t)RT_BOLD : 0u) | (s->dim ? (uint32_t)RT_DIM : 0u) |
                (s->underline ? (uint32_t)RT_UNDERLINE : 0u) | (s->reverse ? (uint32_t)RT_REVERSE : 0u);
    return rt_look_over(base, over);
}

/* The bytes [from, to) of the line, which begin `at` columns into the piece; gives the columns after them. */
static int put_run(const struct piece *p, size_t from, size_t to, int at, struct rt_look look) {
    const char *text = rt_buf_str(&p->lv->clean);
    while (from < to && at < p->skip) {
        int32_t cp = 0;
        from += rt_utf8_next(text + from, to - from, &cp);
        at += RT_MAX(rt_cp_width(cp), 0);
    }
    if (from < to && at - p->skip < p->cols) {
        const int col = at - p->skip;
        rt_surface_put(p->w->s, p->row, p->col + col, p->cols - col, text + from, to - from, look);
    }
    return at + rt_width(text + from, to - from);
}

static int put_text(const struct piece *p) {
    int at = 0;
    size_t done = p->from;
    for (size_t i = 0; i < p->lv->nspans && done < p->to; i++) {
        const struct rt_span *s = &p->lv->spans[i];
        const size_t from = RT_MAX(s->start, done);
        const size_t to = i + 1 == p->lv->nspans ? p->to : RT_MIN(s->start + s->len, p->to);
        if (from >= to)
            continue;
        at = put_run(p, from, to, at, span_look(p->w, p->base, s));
        done = to;
        if (at - p->skip > p->cols)
            break;
    }
    return at;
}

static void tint_bytes(const struct piece *p, size_t from, size_t to, struct rt_look over) {
    const char *text = rt_buf_str(&p->lv->clean);
    from = RT_MAX(from, p->from);
    to = RT_MIN(to, p->to);
    if (from >= to)
        return;
    int a = rt_width(text + p->from, from - p->from) - p->skip, b = a + rt_width(text + from, to - from);
    a = RT_MAX(a, 0);
    b = RT_MIN(b, p->cols);
    if (a < b)
        rt_surface_tint(p->w->s, (struct rt_rect){p->row, p->col + a, 1, b - a}, over);
}

/* The time at the start of a line, which is the same in all lines and therefore dim. */
static size_t time_bytes(const char *text) {
    size_t n = strspn(text, "0123456789-:.,/TZ+[( ");
    n = RT_MIN(n, (size_t)32);
    while (n && (text[n - 1] == ' ' || text[n - 1] == '[' || text[n - 1] == '('))
        n--;
    return n;
}

int32_t log_source_colour(const struct rt_draw *w, size_t source) {
    static const int colours[] = {6, 5, 2, 4, 3, 14, 13, 10, 12, 11};
    return rt_color_fit(colours[source % RT_COUNT(colours)], w->theme->depth);
}

/* "(train pid=12, ip=10.0.0.3) " in front of a merged log's line: its bytes, and which source it is. */
static size_t prefix_bytes(struct log_view *lv, size_t *source) {
    const char *text = rt_buf_str(&lv->clean), *end = text[0] == '(' ? strchr(text, ')') : NULL;
    const size_t n = end ? (size_t)(end - text) - 1 : 0, sources = rt_log_sources(lv->log);
    for (size_t i = 0; n && i < sources; i++) {
        const char *ident = rt_log_source_at(lv->log, i).ident;
        const size_t k = strlen(ident);
        if (k <= n && memcmp(end - k, ident, k) == 0 && (k == n || end[-1 - (int64_t)k] == ' ')) {
            *source = i;
            return n + 2;
        }
    }
    return 0;
}

static void put_matches(const struct piece *p) {
    size_t found[LOG_MATCHES][2];
    const struct rt_buf *t = &p->lv->clean;
    const size_t n = rt_log_matches(p->lv->buf, p->lv->regex, rt_buf_str(t), t->len, found, LOG_MATCHES);
    for (size_t i = 0; i < n; i++)
        tint_bytes(p, found[i][0], found[i][1], rt_theme_over(p->w->theme, RT_R_MATCH));
}

/* There is more to the right; how much, where it is more than can be shown. */
static void put_cut(const struct piece *p) {
    char text[40], size[24] = "";
    if (p->lv->more)
        rt_fmt_bytes(size, sizeof size, (double)p->lv->more + (double)p->lv->clean.len);
    snprintf(text, sizeof text, "%s%s", p->w->ascii ? "~" : "…", size);
    const int cols = RT_MIN(1 + (int)strlen(size), p->cols);
    rt_tool_put(p->w->s, p->row, p->col + p->cols - cols, cols, text, rt_theme_look(p->w->theme, RT_R_DIM));
}

static void put_piece(const struct piece *p, bool first, int64_t time_ms) {
    const int used = put_text(p);
    size_t source = 0;
    const size_t prefix = first ? prefix_bytes(p->lv, &source) : 0, time = prefix ? prefix + 1 : 0;
    if (first && time_ms >= 0)
        tint_bytes(p, time, time + time_bytes(rt_buf_str(&p->lv->clean) + time), rt_theme_over(p->w->theme, RT_R_LOG_TIME));
    if (prefix)
        tint_bytes(p, 0, prefix, (struct rt_look){log_source_colour(p->w, source), RT_COLOR_INHERIT, 0});
    if (p->lv->regex)
        put_matches(p);
    if (used - p->skip > p->cols && p->cols > 1)
        put_cut(p);
}

/* ---- left of the text ---- */

static int number_cols(const struct log_view *lv) {
    char text[24];
    return lv->numbers ? snprintf(text, sizeof text, "%lld", (long long)RT_MAX(rt_logbuf_lines(lv->buf, NULL), 1)) + 1 : 0;
}

static int margin(const struct log_view *lv) {
    return GUTTER + number_cols(lv) + (lv->time_mode != LOG_TIME_OFF ? TIME_COLS : 0);
}

static int64_t first_time(struct log_view *lv) {
    struct rt_line l;
    const int64_t most = 100;
    for (int64_t i = 0; lv->first_time_ms < 0 && i < most && rt_logbuf_line(lv->buf, i, &l); i++)
        lv->first_time_ms = rt_log_time(l.text, l.len);
    return lv->first_time_ms;
}

static void time_text(struct log_view *lv, int64_t ms, char *out, size_t size) {
    out[0] = '\0';
    if (ms < 0)
        return;
    if (lv->time_mode == LOG_TIME_ELAPSED) {
        char age[24];
        const int64_t zero = first_time(lv);
        if (zero >= 0 && ms >= zero)
            snprintf(out, size, "+%s", rt_fmt_age(age, sizeof age, ms - zero));
        return;
    }
    const time_t seconds = (time_t)(ms / 1000);
    struct tm tm;
    localtime_r(&seconds, &tm);
    strftime(out, size, "%H:%M:%S", &tm);
}

static bool marked(const struct log_view *lv, int64_t line) {
    for (size_t i = 0; i < lv->marks.n; i++)
        if (lv->marks.v[i] == line)
            return true;
    return false;
}

static void put_margin(struct log_view *lv, const struct rt_draw *w, int row, int col, int64_t line, int64_t time_ms) {
    const struct rt_look dim = rt_theme_look(w->theme, RT_R_DIM);
    if (marked(lv, line))
        rt_tool_put(w->s, row, col, 1, "*", rt_theme_look(w->theme, RT_R_MARK));
    else if (lv->at_shown && line == lv->at)
        rt_tool_put(w->s, row, col, 1, ">", rt_theme_look(w->theme, RT_R_ACCENT));
    col += GUTTER;
    if (lv->numbers) {
        char text[24];
        const int cols = number_cols(lv);
        snprintf(text, sizeof text, "%*lld", cols - 1, (long long)line + 1);
        rt_tool_put(w->s, row, col, cols - 1, text, dim);
        col += cols;
    }
    if (lv->time_mode != LOG_TIME_OFF) {
        char text[32];
        time_text(lv, time_ms, text, sizeof text);
        rt_tool_put(w->s, row, col, TIME_COLS - 1, text, rt_theme_look(w->theme, RT_R_LOG_TIME));
    }
}

/* ---- lines ---- */

static enum rt_role kind_role(int kind) {
    switch (kind) {
    case RT_LINE_ERROR:
        return RT_R_LOG_ERROR;
    case RT_LINE_WARN:
        return RT_R_LOG_WARN;
    case RT_LINE_MARK:
        return RT_R_LOG_MARK;
    default:
        return RT_R_TEXT;
    }
}

static bool selected(const struct log_view *lv, int64_t line) {
    if (lv->walk && !lv->selecting)
        return line == lv->at;
    return lv->selecting && line >= RT_MIN(lv->anchor, lv->at) && line <= RT_MAX(lv->anchor, lv->at);
}

/* Draws one line from its screen line `sub` on in at most `rows` rows; gives the rows used. */
static int put_line(struct log_view *lv, const struct rt_draw *w, struct rt_rect r, int64_t line, int sub) {
    int64_t time_ms = -1;
    const int kind = log_view_clean(lv, line, &time_ms), left = margin(lv);
    struct piece p = {.lv = lv, .w = w, .base = rt_theme_look(w->theme, kind_role(kind)), .row = r.row, .col = r.col + left,
                      .cols = r.cols - left, .skip = lv->wrap ? 0 : lv->col};
    int used = 0;
    put_margin(lv, w, r.row, r.col, line, time_ms);
    if (kind < 0) {
        rt_tool_put(w->s, r.row, p.col, p.cols, "(not read yet)", rt_theme_look(w->theme, RT_R_DIM));
        used = 1;
    } else if (!lv->wrap) {
        p.to = lv->clean.len;
        put_piece(&p, true, time_ms);
        used = 1;
    } else {
        size_t next = 0;
        int i = 0;
        for (size_t from = 0; used < r.rows && (from < lv->clean.len || !i); from += next, i++) {
            p.from = from;
            p.to = from + rt_wrap(rt_buf_str(&lv->clean) + from, lv->clean.len - from, p.cols, false, &next);
            if (i < sub)
                continue;
            p.row = r.row + used++;
            put_piece(&p, i == 0, time_ms);
        }
    }
    if (selected(lv, line))
        rt_surface_tint(w->s, (struct rt_rect){r.row, r.col, used, r.cols}, rt_theme_over(w->theme, RT_R_SELECT));
    return RT_MAX(used, 1);
}

static void put_empty(struct log_view *lv, const struct rt_draw *w, struct rt_rect r) {
    const struct rt_log_status *st = rt_log_status(lv->log);
    struct rt_buf b;
    rt_buf_init(&b, 0);
    if (st->failed) {
        rt_clean(&b, st->error.message, strlen(st->error.message));
        if (st->error.hint[0]) {
            rt_buf_adds(&b, "\n");
            rt_clean(&b, st->error.hint, strlen(st->error.hint));
        }
    } else if (rt_logbuf_lines(lv->buf, NULL) > 0) {
        rt_buf_adds(&b, lv->clear ? "cleared - g shows all again" : "no line passes the filters - Esc takes them away");
    } else {
        const char *text = st->text[0] ? st->text : "no line yet: it is being opened, or empty";
        rt_clean(&b, text, strlen(text));
    }
    rt_wrap_put(w->s, r, rt_buf_str(&b), 0, rt_theme_look(w->theme, st->failed ? RT_R_STATUS_FAILED : RT_R_DIM));
    rt_buf_deinit(&b);
}

static const char *const ask_prompt[] = {[LOG_ASK_SEARCH] = "/", [LOG_ASK_FILTER] = "&", [LOG_ASK_PIPE] = "|"};
static const char *const ask_help[] = {[LOG_ASK_SEARCH] = "regular expression; lower case finds both",
                                       [LOG_ASK_FILTER] = "keep lines that match; ! first: drop them",
                                       [LOG_ASK_PIPE] = "shell command that gets the lines shown"};

static void put_input(struct log_view *lv, const struct rt_draw *w, struct rt_rect r) {
    const struct rt_look look = rt_theme_look(w->theme, RT_R_INPUT);
    rt_surface_fill(w->s, r, look);
    rt_tool_put(w->s, r.row, r.col, 1, ask_prompt[lv->asking], look);
    rt_input_draw(&lv->input, w->s, (struct rt_rect){r.row, r.col + 1, 1, r.cols - 1}, look, w->ascii, w->focus);
    if (!lv->input.text.len)
        rt_tool_put(w->s, r.row, r.col + 3, r.cols - 3, ask_help[lv->asking], rt_tool_look(w->theme, RT_R_INPUT, RT_R_DIM));
}

void log_view_draw(struct rt_view *v, const struct rt_draw *w, struct rt_rect r) {
    struct log_view *lv = (struct log_view *)v;
    rt_surface_fill(w->s, r, rt_theme_look(w->theme, RT_R_TEXT));
    struct rt_rect text = r;
    if (lv->asking && text.rows > 1)
        text.rows--;
    lv->rows = RT_MAX(text.rows, 1);
    lv->cols = RT_MAX(text.cols - margin(lv), 1);
    log_view_settle(lv);
    int64_t line = log_view_last(lv) < 0 ? -1 : lv->top.line;
    if (line < 0)
        put_empty(lv, w, (struct rt_rect){text.row, text.col + GUTTER, text.rows, text.cols - GUTTER});
    if (w->focus)
        w->s->cursor_shown = false;
    int sub = lv->top.sub;
    for (int row = 0; row < text.rows && line >= 0; line = log_view_next(lv, line), sub = 0) {
        if (w->focus && line == lv->at) {
            w->s->cursor_row = text.row + row;
            w->s->cursor_col = text.col;
            w->s->cursor_shown = lv->at_shown || lv->selecting;
        }
        row += put_line(lv, w, (struct rt_rect){text.row + row, text.col, text.rows - row, text.cols}, line, sub);
    }
    if (lv->asking)
        put_input(lv, w, (struct rt_rect){r.row + r.rows - 1, r.col, 1, r.cols});
}
