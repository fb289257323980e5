/* From the terminal's size to rectangles. Pure: the same arguments give the same places. */
#ifndef RT_UI_LAYOUT_H
#define RT_UI_LAYOUT_H

#include "ui/surface.h"

enum rt_pane { RT_PANE_CLUSTERS, RT_PANE_POOLS, RT_PANE_MAIN, RT_PANE_SIDE, RT_PANE_COUNT };

struct rt_layout_in {
    int rows, cols;
    bool rail_clusters, rail_pools; /* wanted in the rail */
    bool side;                      /* a log or a detail is open beside the list */
    bool zoom;
    bool uses;                 /* the header has bars of use: a second line where one is too short */
    enum rt_pane focus;
    int rail_cols, side_share; /* chosen by hand; 0: the usual (27 columns; 50 percent) */
    int main_rows;             /* how many the list would like, when a log stands below it; 0: half */
    int cluster_rows;          /* how many the rail's first list would like; 0: half */
};
struct rt_layout {
    bool too_small;              /* under 20x5: nothing but a line that says so */
    bool frames;                 /* panes have frames */
    int header_rows;             /* 0 to 2 */
    struct rt_rect header, tabs, hints;
    struct rt_rect pane[RT_PANE_COUNT]; /* with their frames; rows 0: not shown */
    bool side_replaces;          /* the side takes the place of the list */
};

void rt_layout_make(const struct rt_layout_in *in, struct rt_layout *out);
bool rt_layout_shown(const struct rt_layout *l, enum rt_pane p);
/* A popup of the wanted size in the middle of the body. */
struct rt_rect rt_layout_popup(const struct rt_layout *l, int rows, int cols, int want_rows, int want_cols);

#endif
