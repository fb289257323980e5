/* The difference between two frames as bytes: only what changed, moves as short as they can be. */
#include "ui/term_out.h"

#include "base/macros.h"
#include "ui/theme.h"
#include <string.h>

#define GAP 6 /* unchanged cells that are cheaper to write again than to jump over */

struct pen {
    const struct rt_caps *caps;
    struct rt_buf *out;
    struct rt_look look;
    bool known;   /* is `look` what the terminal has? */
    int row, col; /* where its cursor is; -1 unknown */
};

static bool same(const struct rt_cell *a, const struct rt_cell *b) {
    return a->width == b->width && a->len == b->len && memcmp(a->text, b->text, a->len) == 0 && rt_look_equal(a->look, b->look);
}

static void color(struct pen *p, int32_t c, bool fg) {
    if (c < 0)
        return;
    if (c >= 0x1000000) {
        rt_buf_addf(p->out, "\x1b[%d;2;%d;%d;%dm", fg ? 38 : 48, (int)(c >> 16) & 255, (int)(c >> 8) & 255, (int)c & 255);
        return;
    }
    rt_caps_add(p->out, fg ? p->caps->fg : p->caps->bg, c, 0);
}

/* Terminals of eight colours show the bright ones as bold. */
static void fit(const struct rt_caps *caps, struct rt_look *look) {
    look->fg = rt_color_fit(look->fg, caps->depth);
    look->bg = rt_color_fit(look->bg, caps->depth);
    if (caps->depth == RT_DEPTH_16 && caps->colors < 16) {
        if (look->fg >= 8)
            look->attr |= RT_BOLD;
        look->fg = look->fg >= 8 ? look->fg - 8 : look->fg;
        look->bg = look->bg >= 8 ? look->bg - 8 : look->bg;
    }
}

static void set_look(struct pen *p, struct rt_look look) {
    const struct rt_caps *c = p->caps;
    if (p->known && rt_look_equal(p->look, look))
        return;
    p->look = look;
    p->known = true;
    fit(c, &look);
    rt_caps_add(p->out, c->plain, 0, 0);
    const struct {
        uint32_t attr;
        const char *cap;
    } attrs[] = {{RT_BOLD, c->bold}, {RT_DIM, c->dim}, {RT_UNDERLINE, c->underline}, {RT_REVERSE, c->reverse}, {RT_ITALIC, c->italic}};
    for (size_t i = 0; i < RT_COUNT(attrs); i++)
        if (look.attr & attrs[i].attr)
            rt_caps_add(p->out, attrs[i].cap, 0, 0);
    color(p, look.fg, true);
    color(p, look.bg, false);
}

static void move_to(struct pen *p, int row, int col) {
    if (p->row == row && p->col == col)
        return;
    rt_caps_add(p->out, p->caps->move, row, col);
    p->row = row;
    p->col = col;
}

static void put_cell(struct pen *p, const struct rt_cell *c, int row, int col, int cols) {
    move_to(p, row, col);
    set_look(p, c->look);
    if (p->caps->only_ascii && c->len && (unsigned char)c->text[0] >= 0x80)
        rt_buf_add(p->out, "??", c->width);
    else if (c->len)
        rt_buf_add(p->out, c->text, p->caps->only_ascii ? 1 : c->len); /* without combining marks */
    else
        rt_buf_addc(p->out, ' ');
    p->col += c->width;
    if (p->col >= cols)
        p->row = p->col = -1; /* the terminal may or may not have wrapped */
}

static bool row_same(const struct rt_cell *a, const struct rt_cell *b, int cols) {
    for (int i = 0; i < cols; i++)
        if (!same(&a[i], &b[i]))
            return false;
    return true;
}

/* Is the next changed cell near enough that writing on is shorter than jumping? */
static bool near_change(const struct rt_cell *a, const struct rt_cell *b, int col, int cols) {
    for (int i = col; i < cols && i < col + GAP; i++)
        if (!same(&a[i], &b[i]))
            return true;
    return false;
}

static void diff_row(struct pen *p, struct rt_cell *old, const struct rt_cell *now, int row, int cols) {
    if (row_same(old, now, cols))
        return;
    for (int col = 0; col < cols; col++) {
        if (now[col].width == 0)
            continue;
        /* The second half of a wide character changes with the first. */
        const bool wide = now[col].width == 2 && col + 1 < cols;
        const bool changed = !same(&old[col], &now[col]) || (wide && !same(&old[col + 1], &now[col + 1]));
        const bool follow = !changed && p->row == row && p->col == col && near_change(old, now, col, cols);
        if (changed || follow)
            put_cell(p, &now[col], row, col, cols);
    }
    memcpy(old, now, (size_t)cols * sizeof(*old));
}

void rt_term_diff(const struct rt_caps *caps, struct rt_surface *old, const struct rt_surface *now, bool all, struct rt_buf *out) {
    struct pen p = {.caps = caps, .out = out, .row = -1, .col = -1};
    if (old->rows != now->rows || old->cols != now->cols) {
        rt_surface_resize(old, now->rows, now->cols);
        all = true;
    }
    if (all) {
        rt_caps_add(out, caps->plain, 0, 0);
        rt_caps_add(out, caps->clear, 0, 0);
        rt_surface_clear(old, (struct rt_look){RT_COLOR_DEFAULT, RT_COLOR_DEFAULT, 0}); /* so it looks now */
    }
    for (int row = 0; row < now->rows; row++)
        diff_row(&p, &old->cells[row * now->cols], &now->cells[row * now->cols], row, now->cols);
    if (p.known)
        rt_caps_add(out, caps->plain, 0, 0);
}
