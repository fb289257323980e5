/* Clean text broken into lines of the screen. Pure. */
#ifndef RT_UI_WRAP_H
#define RT_UI_WRAP_H

#include "ui/surface.h"

/* Bytes of the first screen line of s[0..n) in `cols` columns (at least one character); *next is where the
 * line after it begins. `words` breaks at blanks where it can; a newline always breaks. */
size_t rt_wrap(const char *s, size_t n, int cols, bool words, size_t *next);
int rt_wrap_count(const char *text, int cols);
/* Draws from screen line `from` on, no more than r has rows; gives the rows used. */
int rt_wrap_put(struct rt_surface *s, struct rt_rect r, const char *text, int from, struct rt_look look);

#endif
