/* Which sources of a merged log are seen: Space switches one. */
#include "ui/log_view.h"
#include "ui/views.h"

#include "base/str.h"
#include "ui/tools.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct sources {
    struct rt_view view;
    struct log_view *log; /* tells us when it goes */
    size_t at, top;
    int page;
};

static struct sources *of(struct rt_view *v) {
    return (struct sources *)v;
}

static size_t count(const struct sources *p) {
    return p->log ? rt_log_sources(p->log->log) : 0;
}

static void step(struct sources *p, int by) {
    const int64_t last = (int64_t)count(p) - 1, to = (int64_t)p->at + by;
    p->at = (size_t)RT_MAX(RT_MIN(to, last), 0);
}

static void toggle(struct sources *p) {
    if (p->at < count(p))
        rt_log_source_show(p->log->log, p->at, !rt_log_source_at(p->log->log, p->at).shown);
}

/* Only the one here; again: all that were read. */
static void only(struct sources *p) {
    bool alone = true;
    for (size_t i = 0; i < count(p); i++)
        alone = alone && rt_log_source_at(p->log->log, i).shown == (i == p->at);
    for (size_t i = 0; i < count(p); i++) {
        const struct rt_log_source s = rt_log_source_at(p->log->log, i);
        const bool want = i == p->at || (alone && (s.shown || !rt_streq(s.state, "not read")));
        if (s.shown != want)
            rt_log_source_show(p->log->log, i, want);
    }
}

static bool sources_key(struct rt_view *v, struct rt_key k) {
    struct sources *p = of(v);
    rt_ui_mark(v->ui);
    switch (k.code) {
    case RT_K_ESC:
    case RT_K_ENTER:
    case 'q':
    case 'S':
        rt_ui_close(v->ui, v);
        return true;
    case RT_K_DOWN:
    case 'j':
        step(p, 1);
        return true;
    case RT_K_UP:
    case 'k':
        step(p, -1);
        return true;
    case RT_K_PGDN:
        step(p, p->page);
        return true;
    case RT_K_PGUP:
        step(p, -p->page);
        return true;
    case RT_K_HOME:
    case 'g':
        p->at = 0;
        return true;
    case RT_K_END:
    case 'G':
        step(p, INT32_MAX);
        return true;
    case ' ':
        toggle(p);
        return true;
    case 'o':
        only(p);
        return true;
    default:
        if (k.code == 'c' && k.mods & RT_MOD_CTRL)
            rt_ui_close(v->ui, v);
        return true;
    }
}

static bool sources_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r) {
    struct sources *p = of(v);
    if (ev->mouse == RT_MOUSE_WHEEL_UP || ev->mouse == RT_MOUSE_WHEEL_DOWN) {
        step(p, ev->mouse == RT_MOUSE_WHEEL_UP ? -3 : 3);
    } else if (ev->mouse == RT_MOUSE_PRESS && ev->row >= r.row && ev->row < r.row + r.rows - 1) {
        p->at = RT_MIN(p->top + (size_t)(ev->row - r.row), RT_MAX(count(p), 1) - 1);
        toggle(p);
    }
    rt_ui_mark(v->ui);
    return true;
}

static void put_source(const struct sources *p, const struct rt_draw *w, struct rt_rect r, size_t i) {
    const struct rt_log_source s = rt_log_source_at(p->log->log, i);
    const struct rt_look look = rt_theme_look(w->theme, RT_R_DIALOG);
    struct rt_look over = {log_source_colour(w, i), RT_COLOR_INHERIT, 0};
    char lines[32], right[80];
    rt_tool_put(w->s, r.row, r.col, 3, s.shown ? "[x]" : "[ ]", look);
    snprintf(right, sizeof right, "%s  %s", s.state, rt_fmt_count(lines, sizeof lines, s.lines));
    const int width = (int)strlen(right), left = RT_MAX(r.cols - width - 6, 1);
    rt_tool_put(w->s, r.row, r.col + 4, left, s.name, rt_look_over(look, over));
    rt_tool_put(w->s, r.row, r.col + r.cols - width - 1, width, right, rt_tool_look(w->theme, RT_R_DIALOG, RT_R_DIM));
    if (i == p->at)
        rt_surface_tint(w->s, r, rt_theme_over(w->theme, RT_R_SELECT));
}

static void sources_draw(struct rt_view *v, const struct rt_draw *w, struct rt_rect r) {
    struct sources *p = of(v);
    const int rows = p->page = RT_MAX(r.rows - 1, 1);
    rt_surface_fill(w->s, r, rt_theme_look(w->theme, RT_R_DIALOG));
    if (p->at < p->top)
        p->top = p->at;
    if (p->at >= p->top + (size_t)rows)
        p->top = p->at - (size_t)rows + 1;
    for (size_t i = p->top; i < count(p) && i < p->top + (size_t)rows; i++)
        put_source(p, w, (struct rt_rect){r.row + (int)(i - p->top), r.col, 1, r.cols}, i);
    rt_tool_put(w->s, r.row + r.rows - 1, r.col, r.cols, "Space shows or hides  o only this, all  Enter back",
                rt_tool_look(w->theme, RT_R_DIALOG, RT_R_DIM));
}

static void sources_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    const struct sources *p = of(v);
    size_t shown = 0;
    for (size_t i = 0; i < count(p); i++)
        shown += rt_log_source_at(p->log->log, i).shown;
    rt_buf_adds(left, "sources");
    rt_buf_addf(right, "%zu of %zu", shown, count(p));
}

static void sources_want(struct rt_view *v, int max_rows, int max_cols, int *rows, int *cols) {
    *rows = RT_MIN(max_rows, (int)RT_MIN(count(of(v)), 100) + 3);
    *cols = RT_MIN(max_cols, 78);
}

static void sources_text(struct rt_view *v, struct rt_buf *out) {
    for (size_t i = 0; i < count(of(v)); i++) {
        const struct rt_log_source s = rt_log_source_at(of(v)->log->log, i);
        rt_buf_addf(out, "%s %s %s %lld\n", s.shown ? "[x]" : "[ ]", s.name, s.state, (long long)s.lines);
    }
}

static void sources_destroy(struct rt_view *v) {
    if (of(v)->log)
        of(v)->log->picker = NULL;
    free(v->cluster);
    free(v);
}

static const struct rt_view_ops ops = {
    .name = "log-sources",
    .modal = true,
    .draw = sources_draw,
    .title = sources_title,
    .key = sources_key,
    .mouse = sources_mouse,
    .want = sources_want,
    .text = sources_text,
    .destroy = sources_destroy,
};

struct rt_view *log_view_sources(struct log_view *lv) {
    struct sources *p = RT_NEW(struct sources);
    p->view = (struct rt_view){.ops = &ops, .ui = lv->view.ui, .cluster = rt_strdup(lv->view.cluster)};
    p->log = lv;
    return &p->view;
}

void log_view_sources_gone(struct rt_view *popup) {
    of(popup)->log = NULL;
    rt_ui_close(popup->ui, popup);
}
