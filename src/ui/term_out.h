/* Inside the terminal only: cells into the bytes that show them. */
#ifndef RT_UI_TERM_OUT_H
#define RT_UI_TERM_OUT_H

#include "ui/surface.h"
#include "ui/term.h"

/* What this terminal's description offers; NULL: nothing. */
struct rt_caps {
    const char *move, *clear, *plain, *bold, *dim, *underline, *reverse, *italic, *fg, *bg;
    enum rt_depth depth;
    int colors;
    bool only_ascii; /* the locale has no UTF-8: other characters show as ?, their bytes might be controls there */
};

/* Appends what turns `old` into `now`; `old` becomes `now`. `all`: nothing is known of what stands there. */
void rt_term_diff(const struct rt_caps *caps, struct rt_surface *old, const struct rt_surface *now, bool all, struct rt_buf *out);

/* term.c: fills a capability with parameters; padding is left out. */
void rt_caps_add(struct rt_buf *out, const char *cap, long a, long b);

#endif
