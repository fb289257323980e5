/* Lines of text into lines of the screen. */
#include "ui/wrap.h"

#include "base/str.h"
#include <string.h>

size_t rt_wrap(const char *s, size_t n, int cols, bool words, size_t *next) {
    size_t at = 0, blank = 0;
    int used = 0;
    while (at < n && s[at] != '\n') {
        int32_t cp = 0;
        const size_t len = rt_utf8_next(s + at, n - at, &cp);
        const int width = RT_MAX(rt_cp_width(cp), 0);
        if (used + width > cols && at) {
            const bool here = !words || cp == ' ' || !blank;
            const size_t end = here ? at : blank;
            *next = end + (words && s[end] == ' ' ? 1u : 0u);
            return end;
        }
        if (cp == ' ')
            blank = at;
        used += width;
        at += len;
    }
    *next = at < n ? at + 1 : at;
    return at;
}

int rt_wrap_count(const char *text, int cols) {
    size_t n = strlen(text), next = 0;
    int lines = 0;
    for (; n; text += next, n -= next, lines++)
        rt_wrap(text, n, cols, true, &next);
    return lines;
}

int rt_wrap_put(struct rt_surface *s, struct rt_rect r, const char *text, int from, struct rt_look look) {
    size_t n = strlen(text), next = 0;
    int line = 0;
    for (; n && line - from < r.rows; text += next, n -= next, line++) {
        const size_t len = rt_wrap(text, n, r.cols, true, &next);
        if (line >= from)
            rt_surface_put(s, r.row + line - from, r.col, r.cols, text, len, look);
    }
    return RT_MAX(line - from, 0);
}
