/* Cells: text cut on cell borders, looks laid over each other, frames. */
#include "ui/surface.h"

#include "base/mem.h"
#include "base/str.h"
#include <stdlib.h>
#include <string.h>

void rt_surface_init(struct rt_surface *s) {
    *s = (struct rt_surface){0};
}

void rt_surface_deinit(struct rt_surface *s) {
    free(s->cells);
    *s = (struct rt_surface){0};
}

void rt_surface_resize(struct rt_surface *s, int rows, int cols) {
    if (rows == s->rows && cols == s->cols)
        return;
    s->cells = rt_realloc(s->cells, (size_t)rows * (size_t)cols * sizeof(*s->cells) + 1);
    s->rows = rows;
    s->cols = cols;
    rt_surface_clear(s, (struct rt_look){RT_COLOR_DEFAULT, RT_COLOR_DEFAULT, 0});
}

static void blank(struct rt_cell *c, struct rt_look look) {
    c->text[0] = '\0';
    c->len = 0;
    c->width = 1;
    c->look = look;
}

void rt_surface_clear(struct rt_surface *s, struct rt_look look) {
    for (int i = 0; i < s->rows * s->cols; i++)
        blank(&s->cells[i], look);
    s->cursor_shown = false;
}

struct rt_cell *rt_surface_cell(struct rt_surface *s, int row, int col) {
    if (row < 0 || col < 0 || row >= s->rows || col >= s->cols)
        return NULL;
    return &s->cells[row * s->cols + col];
}

/* What is overwritten in part loses its other half. */
static void unlink_wide(struct rt_surface *s, int row, int col) {
    struct rt_cell *c = rt_surface_cell(s, row, col);
    if (c->width == 0 && col > 0)
        blank(c - 1, c[-1].look);
    if (c->width == 2 && col + 1 < s->cols)
        blank(c + 1, c[1].look);
}

static void set_cell(struct rt_surface *s, int row, int col, const char *text, size_t n, int width, struct rt_look look) {
    struct rt_cell *c = rt_surface_cell(s, row, col);
    unlink_wide(s, row, col);
    blank(c, look);
    if (n != 1 || *text != ' ') {
        memcpy(c->text, text, n);
        c->len = (uint8_t)n;
        c->text[n] = '\0';
    }
    c->width = (uint8_t)width;
    if (width == 2) {
        unlink_wide(s, row, col + 1);
        blank(c + 1, look);
        c[1].width = 0;
    }
}

static void add_mark(struct rt_cell *c, const char *text, size_t n) {
    if (!c || !c->len || c->len + n >= sizeof(c->text))
        return;
    memcpy(c->text + c->len, text, n);
    c->len = (uint8_t)(c->len + n);
    c->text[c->len] = '\0';
}

int rt_surface_put(struct rt_surface *s, int row, int col, int cols, const char *text, size_t n, struct rt_look look) {
    int used = 0, last = -1;
    for (size_t i = 0; i < n;) {
        int32_t cp = (unsigned char)text[i];
        size_t len = 1;
        int width = 1;
        if (cp < 0x20 || cp > 0x7e) { /* most text is plain */
            len = rt_utf8_next(text + i, n - i, &cp);
            width = rt_cp_hidden(cp) ? -1 : rt_cp_width(cp);
        }
        const char *bytes = text + i;
        size_t size = len;
        i += len;
        if (width == 0) {
            add_mark(last >= 0 ? rt_surface_cell(s, row, last) : NULL, bytes, size);
            continue;
        }
        if (width < 0) { /* not clean: harmless, and seen */
            bytes = "?";
            size = 1;
            width = 1;
        }
        if (used + width > cols)
            break;
        const int at = col + used;
        used += width;
        if (!rt_surface_cell(s, row, at) || !rt_surface_cell(s, row, at + width - 1))
            continue;
        last = at;
        set_cell(s, row, at, bytes, size, width, look);
    }
    return used;
}

struct rt_rect rt_rect_cut(struct rt_rect r, struct rt_rect b) {
    const int top = RT_MAX(r.row, b.row), left = RT_MAX(r.col, b.col);
    const int bottom = RT_MIN(r.row + r.rows, b.row + b.rows), right = RT_MIN(r.col + r.cols, b.col + b.cols);
    return (struct rt_rect){top, left, RT_MAX(bottom - top, 0), RT_MAX(right - left, 0)};
}

static struct rt_rect on_surface(const struct rt_surface *s, struct rt_rect r) {
    return rt_rect_cut(r, (struct rt_rect){0, 0, s->rows, s->cols});
}

void rt_surface_fill(struct rt_surface *s, struct rt_rect r, struct rt_look look) {
    r = on_surface(s, r);
    for (int row = r.row; row < r.row + r.rows; row++)
        for (int col = r.col; col < r.col + r.cols; col++) {
            unlink_wide(s, row, col);
            blank(rt_surface_cell(s, row, col), look);
        }
}

struct rt_look rt_look_over(struct rt_look base, struct rt_look over) {
    if (over.fg != RT_COLOR_INHERIT)
        base.fg = over.fg;
    if (over.bg != RT_COLOR_INHERIT)
        base.bg = over.bg;
    base.attr |= over.attr;
    /* Dim text on a coloured bar cannot be read. */
    if (over.bg != RT_COLOR_INHERIT || (over.attr & RT_REVERSE))
        base.attr &= ~(uint32_t)RT_DIM | (over.attr & RT_DIM);
    return base;
}

void rt_surface_tint(struct rt_surface *s, struct rt_rect r, struct rt_look over) {
    r = on_surface(s, r);
    for (int row = r.row; row < r.row + r.rows; row++)
        for (int col = r.col; col < r.col + r.cols; col++) {
            struct rt_cell *c = rt_surface_cell(s, row, col);
            c->look = rt_look_over(c->look, over);
        }
}

static void line(struct rt_surface *s, int row, int col, int rows, int cols, const char *text, struct rt_look look) {
    for (int r = row; r < row + rows; r++)
        for (int c = col; c < col + cols; c++)
            rt_surface_put(s, r, c, 1, text, strlen(text), look);
}

void rt_surface_box(struct rt_surface *s, struct rt_rect r, struct rt_look look, bool ascii) {
    static const char *const parts[2][6] = {{"─", "│", "┌", "┐", "└", "┘"}, {"-", "|", "+", "+", "+", "+"}};
    const char *const *p = parts[ascii];
    if (r.rows < 2 || r.cols < 2)
        return;
    const int bottom = r.row + r.rows - 1, right = r.col + r.cols - 1;
    line(s, r.row, r.col, 1, r.cols, p[0], look);
    line(s, bottom, r.col, 1, r.cols, p[0], look);
    line(s, r.row, r.col, r.rows, 1, p[1], look);
    line(s, r.row, right, r.rows, 1, p[1], look);
    line(s, r.row, r.col, 1, 1, p[2], look);
    line(s, r.row, right, 1, 1, p[3], look);
    line(s, bottom, r.col, 1, 1, p[4], look);
    line(s, bottom, right, 1, 1, p[5], look);
}

bool rt_look_equal(struct rt_look a, struct rt_look b) {
    return a.fg == b.fg && a.bg == b.bg && a.attr == b.attr;
}

struct rt_rect rt_rect_inside(struct rt_rect r) {
    return (struct rt_rect){r.row + 1, r.col + 1, RT_MAX(r.rows - 2, 0), RT_MAX(r.cols - 2, 0)};
}

bool rt_rect_has(struct rt_rect r, int row, int col) {
    return row >= r.row && row < r.row + r.rows && col >= r.col && col < r.col + r.cols;
}
