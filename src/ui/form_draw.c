/* A form on the screen: labels in a column, what is typed beside them, messages and keys below. */
#include "ui/form.h"

#include "base/str.h"
#include "core/operation.h"
#include "ui/tools.h"
#include "ui/wrap.h"
#include <stdio.h>
#include <string.h>

enum { MESSAGE_ROWS = 4 };

static int width(const char *s) {
    return rt_width(s, strlen(s));
}

static int label_cols(const struct rt_form *f) {
    int most = 0;
    for (size_t i = 0; i < f->n; i++)
        if (!f->fields[i].joins)
            most = RT_MAX(most, width(f->fields[i].label));
    return most + 2;
}

static int field_rows(const struct rt_form *f) {
    int rows = 0;
    for (size_t i = 0; i < f->n; i++)
        rows += f->fields[i].joins ? 0 : 1;
    return rows;
}

static int row_of(const struct rt_form *f, size_t field) {
    int row = -1;
    for (size_t i = 0; i <= field; i++)
        row += f->fields[i].joins ? 0 : 1;
    return row;
}

static void put_field(struct rt_form *f, const struct rt_draw *w, size_t i, struct rt_rect r) {
    const bool focus = w->focus && i == f->at;
    const struct rt_look look = rt_theme_look(w->theme, focus ? RT_R_INPUT : RT_R_DIALOG);
    const int note = f->notes[i] && !f->fields[i].cols ? RT_MIN(width(f->notes[i]), r.cols / 2) : 0;
    struct rt_rect in = {r.row, r.col, 1, r.cols - (note ? note + 1 : 0)};
    f->places[i] = in;
    if (focus)
        rt_surface_fill(w->s, in, look);
    if (focus || f->inputs[i].text.len)
        rt_input_draw(&f->inputs[i], w->s, in, look, w->ascii, focus);
    if (!f->inputs[i].text.len && f->fields[i].example)
        rt_tool_put(w->s, in.row, in.col + (focus ? 1 : 0), in.cols - 1, f->fields[i].example,
                    rt_look_over(look, rt_theme_over(w->theme, RT_R_DIM)));
    if (note)
        rt_tool_put(w->s, r.row, r.col + r.cols - note, note, f->notes[i], rt_tool_look(w->theme, RT_R_DIALOG, RT_R_DIM));
}

static void put_fields(struct rt_form *f, const struct rt_draw *w, struct rt_rect r) {
    const int labels = label_cols(f);
    const struct rt_look label = rt_theme_look(w->theme, RT_R_DIALOG), accent = rt_tool_look(w->theme, RT_R_DIALOG, RT_R_ACCENT);
    const int focused = row_of(f, f->at);
    if (focused < f->scroll)
        f->scroll = focused;
    if (focused >= f->scroll + r.rows)
        f->scroll = focused - r.rows + 1;
    int row = -1, col = 0;
    for (size_t i = 0; i < f->n; i++) {
        const struct rt_form_field *d = &f->fields[i];
        if (!d->joins) {
            row++;
            col = r.col + 2;
        }
        const int y = r.row + row - f->scroll;
        f->places[i] = (struct rt_rect){0};
        const int at = d->joins ? col + width(d->label) + 1 : r.col + 2 + labels;
        const int cols = RT_MAX(RT_MIN(d->cols ? d->cols : r.cols, r.col + r.cols - at), 0);
        if (y >= r.row && y < r.row + r.rows) {
            rt_tool_put(w->s, y, col, r.col + r.cols - col, d->label, i == f->at ? accent : label);
            if (i == f->at)
                rt_tool_put(w->s, y, r.col, 1, ">", accent);
            put_field(f, w, i, (struct rt_rect){y, at, 1, cols});
        }
        col = at + cols + 2;
    }
}

static void put_lines(struct rt_form *f, const struct rt_draw *w, struct rt_rect r) {
    const char *help = f->fields[f->at].help;
    int row = 0;
    for (size_t i = 0; i < f->lines.n && row < r.rows; i++) {
        const struct rt_form_line *l = &f->lines.v[i];
        const struct rt_look look = rt_tool_look(w->theme, RT_R_DIALOG, l->role);
        const bool loud = l->role == RT_R_STATUS_WARN || l->role == RT_R_STATUS_FAILED;
        const struct rt_rect text = {r.row + row, r.col + 2, r.rows - row, r.cols - 2};
        if (loud)
            rt_tool_put(w->s, text.row, r.col, 1, "!", look);
        row += rt_wrap_put(w->s, text, l->text, 0, look);
    }
    if (help && row < r.rows)
        rt_wrap_put(w->s, (struct rt_rect){r.row + row, r.col + 2, r.rows - row, r.cols - 2}, help, 0,
                    rt_tool_look(w->theme, RT_R_DIALOG, RT_R_DIM));
}

static int put_key(const struct rt_draw *w, int row, int col, int end, const char *key, const char *text) {
    if (!text || col + width(key) + width(text) + 1 > end)
        return col;
    col += rt_tool_put(w->s, row, col, end - col, key, rt_tool_look(w->theme, RT_R_DIALOG, RT_R_KEY)) + 1;
    col += rt_tool_put(w->s, row, col, end - col, text, rt_tool_look(w->theme, RT_R_DIALOG, RT_R_HINT));
    return col + 2;
}

/* What it does now, in place of the keys. */
static bool put_state(struct rt_form *f, const struct rt_draw *w, struct rt_rect r) {
    char text[200];
    if (f->leaving) {
        rt_tool_put(w->s, r.row, r.col, r.cols, "Leave and forget what was typed?  y or Esc leaves, any other key stays",
                    rt_tool_look(w->theme, RT_R_DIALOG, RT_R_STATUS_WARN));
        return true;
    }
    if (!f->running && !f->operation[0])
        return false;
    const struct rt_operation *op = f->operation[0] ? rt_operations_find(rt_ui_app(f->view.ui)->operations, f->operation) : NULL;
    const struct rt_step *step = op && op->nsteps ? &op->steps[op->nsteps - 1] : NULL;
    int n = snprintf(text, sizeof text, "%s: %s", f->ops->verb, step ? step->title : "asking");
    if (step && step->total > 0 && n > 0 && (size_t)n < sizeof text)
        snprintf(text + n, sizeof text - (size_t)n, " %d%%", (int)(step->done * 100 / step->total));
    rt_tool_put(w->s, r.row, r.col, r.cols, text, rt_tool_look(w->theme, RT_R_DIALOG, RT_R_STATUS_BUSY));
    rt_tool_put(w->s, r.row, r.col + r.cols - 11, 11, "Esc cancels", rt_tool_look(w->theme, RT_R_DIALOG, RT_R_DIM));
    return true;
}

static void put_keys(struct rt_form *f, const struct rt_draw *w, struct rt_rect r) {
    const int end = r.col + r.cols;
    int col = r.col;
    if (put_state(f, w, r))
        return;
    col = put_key(w, r.row, col, end, "F2", f->ops->verb);
    col = put_key(w, r.row, col, end, "F3", f->ops->follow);
    col = put_key(w, r.row, col, end, "F4", f->ops->show);
    if (f->fields[f->at].path)
        col = put_key(w, r.row, col, end, "F5", "browse");
    if (f->fields[f->at].choices)
        col = put_key(w, r.row, col, end, "Space", "next choice");
    col = put_key(w, r.row, col, end, "Tab", "next");
    put_key(w, r.row, col, end, "Esc", "leave");
}

void rt_form_draw(struct rt_view *v, const struct rt_draw *w, struct rt_rect r) {
    struct rt_form *f = (struct rt_form *)v;
    rt_surface_fill(w->s, r, rt_theme_look(w->theme, RT_R_DIALOG));
    const struct rt_rect in = {r.row, r.col + 1, r.rows, RT_MAX(r.cols - 2, 1)};
    const int fields = RT_MAX(RT_MIN(field_rows(f), in.rows - 1), 1);
    put_lines(f, w, (struct rt_rect){in.row + fields + 1, in.col, RT_MAX(in.rows - fields - 2, 0), in.cols});
    put_keys(f, w, (struct rt_rect){in.row + in.rows - 1, in.col, 1, in.cols});
    put_fields(f, w, (struct rt_rect){in.row, in.col, fields, in.cols});
}

void rt_form_want(struct rt_view *v, int max_rows, int max_cols, int *rows, int *cols) {
    const struct rt_form *f = (const struct rt_form *)v;
    *cols = RT_MIN(max_cols, f->ops->cols ? f->ops->cols : 100);
    *rows = RT_MIN(max_rows, field_rows(f) + MESSAGE_ROWS + 5);
}
