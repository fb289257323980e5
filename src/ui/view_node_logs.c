/* Picks one of a node's log files: typing narrows the list, Enter opens the log. */
#include "ui/views.h"

#include "base/str.h"
#include "core/cells.h"
#include "ui/input.h"
#include "ui/tools.h"
#include <stdlib.h>
#include <string.h>

struct picker {
    struct rt_view view;
    char *node;
    struct rt_strs names; /* in order */
    struct rt_input input;
    size_t at, top;       /* among those that match */
    int page;
    struct rt_op *op;
    struct rt_error error;
    bool kept; /* the names are those of the cache */
};

static struct picker *of(struct rt_view *v) {
    return (struct picker *)v;
}

static void got(void *ctx, const struct rt_strs *names, const struct rt_error *err) {
    struct picker *p = ctx;
    p->op = NULL;
    if (err) {
        p->error = *err;
        rt_app_logs_kept(rt_ui_app(p->view.ui), p->view.cluster, p->node, &p->names);
        p->kept = p->names.n > 0;
    } else {
        rt_strs_copy(&p->names, names);
    }
    rt_ui_mark(p->view.ui);
}

/* What names must contain; fingers that filter lists type a slash first. */
static const char *typed(const struct picker *p) {
    const char *text = rt_input_text(&p->input);
    return text + (*text == '/');
}

static bool matches(const struct picker *p, size_t i) {
    return rt_contains_i(p->names.v[i], typed(p));
}

static size_t count(const struct picker *p) {
    size_t n = 0;
    for (size_t i = 0; i < p->names.n; i++)
        n += matches(p, i);
    return n;
}

static const char *chosen(const struct picker *p) {
    size_t n = 0;
    for (size_t i = 0; i < p->names.n; i++)
        if (matches(p, i) && n++ == p->at)
            return p->names.v[i];
    return NULL;
}

static void open_log(struct picker *p) {
    struct rt_ui *ui = p->view.ui;
    struct rt_error err = {0};
    const char *name = chosen(p);
    if (!name)
        return;
    const struct rt_log_target t = {.what = RT_LOG_NODE_FILE, .cluster = p->view.cluster, .id = p->node, .file = name};
    struct rt_view *log = rt_view_log(ui, &t, &err);
    rt_ui_close(ui, &p->view);
    if (log)
        rt_ui_push(ui, log);
    else
        rt_ui_error(ui, &err);
}

static void step(struct picker *p, int by) {
    const int64_t last = (int64_t)count(p) - 1, to = (int64_t)p->at + by;
    p->at = (size_t)RT_MAX(RT_MIN(to, last), 0);
}

static bool picker_key(struct rt_view *v, struct rt_key k) {
    struct picker *p = of(v);
    rt_ui_mark(v->ui);
    switch (k.code) {
    case RT_K_ESC:
        rt_ui_close(v->ui, v);
        return true;
    case RT_K_ENTER:
        open_log(p);
        return true;
    case RT_K_DOWN:
    case RT_K_TAB:
        step(p, 1);
        return true;
    case RT_K_UP:
        step(p, -1);
        return true;
    case RT_K_PGDN:
        step(p, p->page);
        return true;
    case RT_K_PGUP:
        step(p, -p->page);
        return true;
    default:
        break;
    }
    if (k.code == 'c' && k.mods & RT_MOD_CTRL)
        rt_ui_close(v->ui, v);
    else if (rt_input_key(&p->input, k))
        p->at = 0;
    return true;
}

static void picker_paste(struct rt_view *v, const char *text, size_t n) {
    rt_input_paste(&of(v)->input, text, n);
    of(v)->at = 0;
    rt_ui_mark(v->ui);
}

static bool picker_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r) {
    struct picker *p = of(v);
    if (ev->mouse == RT_MOUSE_WHEEL_UP || ev->mouse == RT_MOUSE_WHEEL_DOWN) {
        step(p, ev->mouse == RT_MOUSE_WHEEL_UP ? -3 : 3);
    } else if (ev->mouse == RT_MOUSE_PRESS && ev->row > r.row) {
        p->at = RT_MIN(p->top + (size_t)(ev->row - r.row - 1), RT_MAX(count(p), 1) - 1);
        if (ev->double_click)
            open_log(p);
    }
    rt_ui_mark(v->ui);
    return true;
}

static void put_name(const struct picker *p, const struct rt_draw *w, struct rt_rect r, size_t i, bool here) {
    struct rt_buf name;
    rt_buf_init(&name, 0);
    rt_clean(&name, p->names.v[i], strlen(p->names.v[i]));
    rt_tool_put(w->s, r.row, r.col, 1, here ? ">" : " ", rt_theme_look(w->theme, RT_R_DIALOG));
    rt_tool_put(w->s, r.row, r.col + 2, r.cols - 2, rt_buf_str(&name), rt_theme_look(w->theme, RT_R_DIALOG));
    rt_buf_deinit(&name);
    if (here)
        rt_surface_tint(w->s, r, rt_theme_over(w->theme, RT_R_SELECT));
}

static void picker_draw(struct rt_view *v, const struct rt_draw *w, struct rt_rect r) {
    struct picker *p = of(v);
    const struct rt_look dim = rt_tool_look(w->theme, RT_R_DIALOG, RT_R_DIM), input = rt_theme_look(w->theme, RT_R_INPUT);
    rt_surface_fill(w->s, r, rt_theme_look(w->theme, RT_R_DIALOG));
    const int rows = p->page = RT_MAX(r.rows - 1, 1);
    if (p->at < p->top)
        p->top = p->at;
    if (p->at >= p->top + (size_t)rows)
        p->top = p->at - (size_t)rows + 1;
    size_t n = 0;
    for (size_t i = 0; i < p->names.n && n < p->top + (size_t)rows; i++) {
        if (!matches(p, i))
            continue;
        if (n >= p->top)
            put_name(p, w, (struct rt_rect){r.row + 1 + (int)(n - p->top), r.col, 1, r.cols}, i, n == p->at);
        n++;
    }
    const struct rt_rect line = {r.row, r.col, 1, r.cols};
    rt_surface_fill(w->s, line, input);
    rt_input_draw(&p->input, w->s, line, input, w->ascii, w->focus);
    if (!p->input.text.len)
        rt_tool_put(w->s, r.row, r.col + 2, r.cols - 2, "type to narrow, Enter opens", rt_tool_look(w->theme, RT_R_INPUT, RT_R_DIM));
    if (p->error.code && !p->kept)
        rt_tool_put(w->s, r.row + 1, r.col + 2, r.cols - 2, p->error.message, rt_tool_look(w->theme, RT_R_DIALOG, RT_R_STATUS_FAILED));
    else if (!n)
        rt_tool_put(w->s, r.row + 1, r.col + 2, r.cols - 2, p->op ? "asking the node" : "no such file", dim);
}

static void picker_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    const struct picker *p = of(v);
    const struct rt_cluster *c = rt_store_cluster(rt_ui_app(v->ui)->store, v->cluster);
    const struct rt_node *n = c ? rt_store_node(c, p->node) : NULL;
    rt_buf_adds(left, "logs of node ");
    if (n)
        rt_cell_text(left, rt_node_name(n));
    else
        rt_buf_addf(left, "%.12s", p->node);
    rt_buf_adds(left, p->kept ? ", from the cache" : "");
    rt_buf_addf(right, "%zu of %zu", count(p), p->names.n);
}

static void picker_want(struct rt_view *v, int max_rows, int max_cols, int *rows, int *cols) {
    (void)v;
    *rows = RT_MIN(max_rows, 24);
    *cols = RT_MIN(max_cols, 80);
}

static void picker_text(struct rt_view *v, struct rt_buf *out) {
    const struct picker *p = of(v);
    for (size_t i = 0; i < p->names.n; i++)
        rt_buf_addf(out, "%s\n", p->names.v[i]);
}

static void picker_destroy(struct rt_view *v) {
    struct picker *p = of(v);
    rt_op_drop(&p->op);
    rt_strs_deinit(&p->names);
    rt_input_deinit(&p->input);
    free(p->node);
    free(v->cluster);
    free(p);
}

static const struct rt_view_ops ops = {
    .name = "node-logs",
    .modal = true,
    .draw = picker_draw,
    .title = picker_title,
    .key = picker_key,
    .paste = picker_paste,
    .mouse = picker_mouse,
    .want = picker_want,
    .text = picker_text,
    .destroy = picker_destroy,
};

struct rt_view *rt_view_node_logs(struct rt_ui *ui, const char *cluster, const char *node_id, struct rt_error *err) {
    struct picker *p = RT_NEW(struct picker);
    p->view = (struct rt_view){.ops = &ops, .ui = ui, .cluster = rt_strdup(cluster)};
    p->node = rt_strdup(node_id);
    rt_input_init(&p->input);
    p->op = rt_app_log_files(rt_ui_app(ui), cluster, node_id, got, p, err);
    if (!p->op) {
        got(p, NULL, err);
        if (!p->kept) {
            picker_destroy(&p->view);
            return NULL;
        }
        rt_error_clear(err);
    }
    return &p->view;
}
