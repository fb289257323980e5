/* A grid of cells that views draw on; the terminal shows what differs from the frame before. Pure. */
#ifndef RT_UI_SURFACE_H
#define RT_UI_SURFACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rt_rect {
    int row, col, rows, cols;
};

enum { RT_BOLD = 1, RT_DIM = 2, RT_UNDERLINE = 4, RT_REVERSE = 8, RT_ITALIC = 16 };

#define RT_COLOR_DEFAULT (-1) /* the terminal's own */
#define RT_COLOR_INHERIT (-2) /* what lies below; resolved by the theme */
#define RT_COLOR_RGB(rgb) (0x1000000 | (rgb))

struct rt_look {
    int32_t fg, bg; /* RT_COLOR_*; 0-255; 0x1000000 | rgb */
    uint32_t attr;
};

/* One column. A wide character takes two: the second has width 0. */
struct rt_cell {
    char text[14]; /* UTF-8 with its combining marks; "" is a blank */
    uint8_t len, width;
    struct rt_look look;
};

struct rt_surface {
    int rows, cols;
    struct rt_cell *cells;
    int cursor_row, cursor_col; /* where the terminal's cursor stands */
    bool cursor_shown;
};

void rt_surface_init(struct rt_surface *s);
void rt_surface_deinit(struct rt_surface *s);
void rt_surface_resize(struct rt_surface *s, int rows, int cols); /* a new size is cleared */
void rt_surface_clear(struct rt_surface *s, struct rt_look look);
struct rt_cell *rt_surface_cell(struct rt_surface *s, int row, int col); /* NULL outside */

/* Clean UTF-8 text at row, col, in at most `cols` columns and never outside the surface; a wide character that
 * would stick out becomes a blank. Gives the columns used. */
int rt_surface_put(struct rt_surface *s, int row, int col, int cols, const char *text, size_t n, struct rt_look look);
/* Blanks with this look. */
void rt_surface_fill(struct rt_surface *s, struct rt_rect r, struct rt_look look);
/* Changes looks, leaves text: what `over` does not inherit. */
void rt_surface_tint(struct rt_surface *s, struct rt_rect r, struct rt_look over);
/* A frame of lines along the inside of r. */
void rt_surface_box(struct rt_surface *s, struct rt_rect r, struct rt_look look, bool ascii);
bool rt_look_equal(struct rt_look a, struct rt_look b);
/* The rest of a look over another one. */
struct rt_look rt_look_over(struct rt_look base, struct rt_look over);
struct rt_rect rt_rect_inside(struct rt_rect r); /* without its frame; never negative */
struct rt_rect rt_rect_cut(struct rt_rect r, struct rt_rect bounds);
bool rt_rect_has(struct rt_rect r, int row, int col);

#endif
