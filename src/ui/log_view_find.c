/* Finding in a log: search with its count, filters, the next error. */
#include "ui/log_view.h"

#include "base/str.h"
#include <stdlib.h>
#include <string.h>

/* ---- search ---- */

static void counted(void *ctx, int64_t at, int64_t count, bool done) {
    struct log_view *lv = ctx;
    if (done)
        lv->count = NULL;
    lv->count_at = at;
    lv->count_all = count;
    lv->count_done = done;
    rt_ui_mark(lv->view.ui);
}

static void found(void *ctx, int64_t line, bool wrapped, const struct rt_error *err) {
    struct log_view *lv = ctx;
    lv->search = NULL;
    if (err) {
        rt_ui_error(lv->view.ui, err);
        log_view_search_clear(lv);
        return;
    }
    if (line < 0) {
        rt_ui_note(lv->view.ui, "not found: %s%s", lv->regex, rt_logbuf_cuts(lv->buf) ? " (of lines over 1 MiB only the first MiB was looked at)" : "");
        lv->count_done = true;
        rt_ui_mark(lv->view.ui);
        return;
    }
    if (wrapped)
        rt_ui_note(lv->view.ui, lv->backwards ? "went on from the end" : "went on from the top");
    log_view_jump(lv, line);
    if (lv->steps) {
        const bool back = lv->steps < 0;
        lv->steps += back ? 1 : -1;
        log_view_search_again(lv, back);
        return;
    }
    rt_op_drop(&lv->count);
    lv->count = rt_logbuf_count(lv->buf, lv->regex, line, counted, lv);
}

static void start(struct log_view *lv, int64_t from, bool backwards) {
    rt_op_drop(&lv->search);
    lv->backwards = backwards;
    lv->search = rt_logbuf_search(lv->buf, lv->regex, RT_MAX(from, 0), backwards, found, lv);
    rt_ui_mark(lv->view.ui);
}

void log_view_search(struct log_view *lv, const char *regex) {
    log_view_search_clear(lv);
    if (!*regex)
        return;
    lv->regex = rt_strdup(regex);
    /* What is on the screen first; from the end of a followed log backwards. */
    start(lv, lv->follow ? lv->at : lv->at_shown ? lv->at : lv->top.line, lv->follow);
}

void log_view_search_again(struct log_view *lv, bool backwards) {
    if (!lv->regex) {
        rt_ui_note(lv->view.ui, "nothing was searched for yet - / searches");
        return;
    }
    if (lv->search) {
        lv->steps += backwards ? -1 : 1;
        return;
    }
    const int64_t next = backwards ? log_view_previous(lv, lv->at) : log_view_next(lv, lv->at);
    const int64_t over = backwards ? log_view_last(lv) : 0;
    start(lv, next >= 0 ? next : over, backwards);
}

void log_view_search_clear(struct log_view *lv) {
    rt_op_drop(&lv->search);
    rt_op_drop(&lv->count);
    free(lv->regex);
    lv->regex = NULL;
    lv->steps = 0;
    lv->count_at = lv->count_all = 0;
    lv->count_done = false;
    rt_ui_mark(lv->view.ui);
}

/* ---- filters ---- */

void log_view_keep_place(struct log_view *lv) {
    if (!lv->keeping)
        lv->keep = lv->at_shown ? lv->at : lv->top.line;
    lv->keeping = !lv->follow;
}

void log_view_filter(struct log_view *lv, const char *text) {
    struct rt_error err = {0};
    const bool drop = text[0] == '!';
    if (!text[drop ? 1 : 0])
        return;
    log_view_keep_place(lv);
    if (!rt_logbuf_filter_add(lv->buf, text + (drop ? 1 : 0), drop, &err)) {
        rt_ui_error(lv->view.ui, &err);
        return;
    }
    rt_logbuf_filters_enable(lv->buf, true);
    rt_ui_mark(lv->view.ui);
}

/* ---- the next error ---- */

static const char *kind_name(enum rt_line_kind kind) {
    return kind == RT_LINE_ERROR ? "error" : "warning";
}

/* The log is looked through in slices; what it takes longer is asked again. */
static void seek(void *ctx) {
    struct log_view *lv = ctx;
    const int64_t line = rt_logbuf_next_kind(lv->buf, lv->seek_kind, lv->seek_from, lv->seek_backwards);
    if (line < 0 && !rt_logbuf_kinds_known(lv->buf)) {
        if (!lv->seek)
            lv->seek = rt_timer_start(rt_ui_app(lv->view.ui)->loop, 10, 10, seek, lv);
        return;
    }
    rt_timer_stop(lv->seek);
    lv->seek = NULL;
    if (line >= 0)
        log_view_jump(lv, line);
    else
        rt_ui_note(lv->view.ui, "no %s %s", kind_name(lv->seek_kind),
                   lv->seek_backwards                ? "before this"
                   : lv->seek_kind == RT_LINE_ERROR ? "after this - E goes back"
                                                    : "after this - W goes back");
}

void log_view_seek(struct log_view *lv, enum rt_line_kind kind, bool backwards) {
    rt_timer_stop(lv->seek);
    lv->seek = NULL;
    lv->seek_kind = kind;
    lv->seek_backwards = backwards;
    lv->seek_from = backwards ? lv->at - 1 : lv->at_shown ? lv->at + 1 : lv->follow ? lv->at : lv->top.line;
    if (lv->seek_from >= 0)
        seek(lv);
    else
        rt_ui_note(lv->view.ui, "no %s before this", kind_name(kind));
}
