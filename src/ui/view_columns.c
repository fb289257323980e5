/* The columns of a list: which are shown, in which order. Every key takes effect at once, below the popup. */
#include "ui/setup.h"
#include "ui/views.h"

#include "base/str.h"
#include "ui/list.h"
#include "ui/tools.h"
#include <stdlib.h>

struct choice {
    const struct rt_column *column; /* the table's */
    bool shown;
};

struct editor {
    struct rt_view view;
    const struct rt_table *table;
    struct choice choices[RT_FIT_MAX];
    size_t n, at, top;
};

static const char footer[] = "Space shows or hides  J K moves  r as delivered  Enter done";

static struct editor *of(struct rt_view *v) {
    return (struct editor *)v;
}

static void read_setup(struct editor *e) {
    struct rt_column now[RT_FIT_MAX];
    e->n = rt_setup_apply(rt_ui_setup(e->view.ui), e->table, now, RT_COUNT(now));
    for (size_t i = 0; i < e->n; i++)
        for (const struct rt_column *c = e->table->columns; c->id; c++)
            if (rt_streq(c->id, now[i].id))
                e->choices[i] = (struct choice){c, !now[i].wide};
}

static void write_setup(struct editor *e) {
    struct rt_strs ids = {0};
    for (size_t i = 0; i < e->n; i++)
        if (e->choices[i].shown)
            rt_strs_add(&ids, e->choices[i].column->id);
    rt_setup_columns(rt_ui_setup(e->view.ui), e->table, &ids);
    rt_strs_deinit(&ids);
}

static void toggle(struct editor *e) {
    size_t shown = 0;
    for (size_t i = 0; i < e->n; i++)
        shown += e->choices[i].shown;
    if (shown == 1 && e->choices[e->at].shown) {
        rt_ui_note(e->view.ui, "one column stays");
        return;
    }
    e->choices[e->at].shown = !e->choices[e->at].shown;
    write_setup(e);
}

static void move_row(struct editor *e, int step) {
    const size_t to = e->at + (size_t)step; /* below zero it is beyond n */
    if (to >= e->n)
        return;
    const struct choice c = e->choices[e->at];
    e->choices[e->at] = e->choices[to];
    e->choices[to] = c;
    e->at = to;
    write_setup(e);
}

static bool columns_key(struct rt_view *v, struct rt_key k) {
    struct editor *e = of(v);
    const bool shift = k.mods & RT_MOD_SHIFT;
    if (k.mods & ~(uint32_t)RT_MOD_SHIFT)
        return false;
    switch (k.code) {
    case 'j':
    case RT_K_DOWN:
    case RT_K_TAB:
        if (shift && k.code == RT_K_DOWN)
            move_row(e, 1);
        else
            e->at = RT_MIN(e->at + 1, e->n - 1);
        break;
    case 'k':
    case RT_K_UP:
        if (shift && k.code == RT_K_UP)
            move_row(e, -1);
        else
            e->at -= e->at > 0;
        break;
    case 'g':
    case RT_K_HOME:
        e->at = 0;
        break;
    case 'G':
    case RT_K_END:
        e->at = e->n - 1;
        break;
    case 'J':
    case '>':
        move_row(e, 1);
        break;
    case 'K':
    case '<':
        move_row(e, -1);
        break;
    case ' ':
    case 'x':
        toggle(e);
        break;
    case 'r':
        rt_setup_columns(rt_ui_setup(v->ui), e->table, NULL);
        read_setup(e);
        break;
    case 'Q':
        rt_ui_command(v->ui, "quit");
        break;
    case 'q':
    case RT_K_ENTER:
    case RT_K_ESC:
        rt_ui_close(v->ui, v);
        break;
    default:
        return false;
    }
    rt_ui_mark(v->ui);
    return true;
}

static bool columns_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r) {
    struct editor *e = of(v);
    const size_t at = e->top + (size_t)(ev->row - r.row);
    if (ev->mouse == RT_MOUSE_WHEEL_UP)
        e->at -= e->at > 0;
    else if (ev->mouse == RT_MOUSE_WHEEL_DOWN)
        e->at = RT_MIN(e->at + 1, e->n - 1);
    else if (ev->mouse == RT_MOUSE_PRESS && rt_rect_has(r, ev->row, ev->col) && ev->row < r.row + r.rows - 1 && at < e->n) {
        e->at = at;
        toggle(e);
    }
    rt_ui_mark(v->ui);
    return true;
}

static void columns_draw(struct rt_view *v, const struct rt_draw *d, struct rt_rect r) {
    struct editor *e = of(v);
    const struct rt_look look = rt_theme_look(d->theme, RT_R_DIALOG), dim = rt_tool_look(d->theme, RT_R_DIALOG, RT_R_DIM);
    const size_t rows = (size_t)RT_MAX(r.rows - 1, 1);
    rt_surface_fill(d->s, r, look);
    if (e->at < e->top)
        e->top = e->at;
    if (e->at >= e->top + rows)
        e->top = e->at - rows + 1;
    for (size_t i = e->top; i < e->n && i < e->top + rows; i++) {
        const struct choice *c = &e->choices[i];
        const struct rt_rect line = {r.row + (int)(i - e->top), r.col, 1, r.cols};
        rt_tool_put(d->s, line.row, line.col, 1, i == e->at ? ">" : " ", look);
        rt_tool_put(d->s, line.row, line.col + 2, 3, c->shown ? "[x]" : "[ ]", look);
        rt_tool_put(d->s, line.row, line.col + 6, r.cols - 6, c->column->title, c->shown ? look : dim);
        rt_tool_put(d->s, line.row, line.col + 22, r.cols - 22, c->column->id, dim);
        if (i != e->at)
            continue;
        rt_surface_tint(d->s, line, rt_theme_over(d->theme, RT_R_SELECT));
        d->s->cursor_row = line.row;
        d->s->cursor_col = line.col;
    }
    if (r.rows > 1)
        rt_tool_put(d->s, r.row + r.rows - 1, r.col + 2, r.cols - 2, footer, dim);
}

static void columns_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    (void)right;
    rt_buf_addf(left, "columns of %s", of(v)->table->name);
}

static void columns_want(struct rt_view *v, int max_rows, int max_cols, int *rows, int *cols) {
    *rows = RT_MIN(max_rows, (int)of(v)->n + 3);
    *cols = RT_MIN(max_cols, (int)sizeof footer + 5);
}

static void columns_text(struct rt_view *v, struct rt_buf *out) {
    const struct editor *e = of(v);
    for (size_t i = 0; i < e->n; i++)
        rt_buf_addf(out, "%s %s\n", e->choices[i].shown ? "[x]" : "[ ]", e->choices[i].column->id);
}

static void columns_destroy(struct rt_view *v) {
    free(v);
}

static const struct rt_view_ops ops = {
    .name = "columns",
    .modal = true,
    .draw = columns_draw,
    .title = columns_title,
    .key = columns_key,
    .mouse = columns_mouse,
    .want = columns_want,
    .text = columns_text,
    .destroy = columns_destroy,
};

struct rt_view *rt_view_columns(struct rt_ui *ui, const struct rt_table *t) {
    struct editor *e = RT_NEW(struct editor);
    e->view = (struct rt_view){.ops = &ops, .ui = ui};
    e->table = t;
    read_setup(e);
    return &e->view;
}
