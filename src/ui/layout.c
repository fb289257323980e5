/* One list at a time up to 119 columns; a rail at the left from 120; three columns from 180. */
#include "ui/layout.h"

#include "base/macros.h"

#define RAIL_COLS 27
#define WIDE 120
#define VERY_WIDE 180
#define SPLIT_ROWS 30
#define LEAST_ROWS 5
#define MAIN_STEP 4
#define MAIN_FRAME 3 /* the frame and the titles of the columns */
#define LEAST_COLS 20

static struct rt_rect body_of(const struct rt_layout_in *in, struct rt_layout *out) {
    const bool short_screen = in->rows < 8;
    out->frames = in->rows >= 10 && in->cols >= 30;
    out->header_rows = in->uses && in->rows >= SPLIT_ROWS && in->cols < WIDE ? 2 : 1;
    out->header = (struct rt_rect){0, 0, out->header_rows, in->cols};
    const int tab_rows = short_screen ? 0 : 1;
    out->tabs = (struct rt_rect){out->header_rows, 0, tab_rows, in->cols};
    out->hints = (struct rt_rect){in->rows - 1, 0, 1, in->cols};
    const int top = out->header_rows + tab_rows;
    return (struct rt_rect){top, 0, in->rows - top - 1, in->cols};
}

static int clamp(int v, int low, int high) {
    return v < low ? low : v > high ? high : v;
}

/* The clusters get what they need, at most half; the pools the rest. */
static void split_rail(const struct rt_layout_in *in, struct rt_rect rail, struct rt_layout *out) {
    if (!in->rail_pools) {
        out->pane[RT_PANE_CLUSTERS] = rail;
        return;
    }
    if (!in->rail_clusters) {
        out->pane[RT_PANE_POOLS] = rail;
        return;
    }
    const int half = rail.rows / 2;
    const int want = in->cluster_rows ? in->cluster_rows + 2 : half;
    const int first = clamp(want, RT_MIN(4, half), half);
    out->pane[RT_PANE_CLUSTERS] = (struct rt_rect){rail.row, rail.col, first, rail.cols};
    out->pane[RT_PANE_POOLS] = (struct rt_rect){rail.row + first, rail.col, rail.rows - first, rail.cols};
}

static int share(int total, int percent, int least) {
    return clamp(total * (percent ? percent : 50) / 100, least, total - least);
}

/* A short list leaves the rest to the log below it; in steps, so that the border does not move with every row. */
static int side_rows(const struct rt_layout_in *in, int rows) {
    const int half = share(rows, in->side_share, 6);
    if (in->side_share || !in->main_rows)
        return half;
    return RT_MAX(half, rows - (RT_MAX(in->main_rows, 1) + MAIN_STEP - 1) / MAIN_STEP * MAIN_STEP - MAIN_FRAME);
}

static void split_side(const struct rt_layout_in *in, struct rt_rect r, struct rt_layout *out) {
    out->pane[RT_PANE_MAIN] = r;
    if (!in->side)
        return;
    if (in->cols >= VERY_WIDE) {
        const int side = share(r.cols, in->side_share, 40);
        out->pane[RT_PANE_MAIN].cols = r.cols - side;
        out->pane[RT_PANE_SIDE] = (struct rt_rect){r.row, r.col + r.cols - side, r.rows, side};
    } else if (in->cols >= WIDE && in->rows >= SPLIT_ROWS) {
        const int side = side_rows(in, r.rows);
        out->pane[RT_PANE_MAIN].rows = r.rows - side;
        out->pane[RT_PANE_SIDE] = (struct rt_rect){r.row + r.rows - side, r.col, side, r.cols};
    } else {
        out->pane[RT_PANE_MAIN] = (struct rt_rect){0};
        out->pane[RT_PANE_SIDE] = r;
        out->side_replaces = true;
    }
}

void rt_layout_make(const struct rt_layout_in *in, struct rt_layout *out) {
    *out = (struct rt_layout){0};
    if (in->rows < LEAST_ROWS || in->cols < LEAST_COLS) {
        out->too_small = true;
        return;
    }
    struct rt_rect body = body_of(in, out);
    if (in->zoom) {
        out->pane[in->focus] = body;
        out->side_replaces = in->focus == RT_PANE_SIDE;
        return;
    }
    if (in->cols >= WIDE && in->rows >= 15 && (in->rail_clusters || in->rail_pools)) {
        const int rail = clamp(in->rail_cols ? in->rail_cols : RAIL_COLS, 16, in->cols / 3);
        split_rail(in, (struct rt_rect){body.row, 0, body.rows, rail}, out);
        body.col += rail;
        body.cols -= rail;
    }
    split_side(in, body, out);
}

bool rt_layout_shown(const struct rt_layout *l, enum rt_pane p) {
    return l->pane[p].rows > 0 && l->pane[p].cols > 0;
}

struct rt_rect rt_layout_popup(const struct rt_layout *l, int rows, int cols, int want_rows, int want_cols) {
    const int top = l->header_rows, room = RT_MAX(rows - top - 1, 1);
    const int r = clamp(want_rows, 1, room), c = clamp(want_cols, 1, cols);
    return (struct rt_rect){top + (room - r) / 2, (cols - c) / 2, r, c};
}
