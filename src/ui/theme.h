/* Roles of things on the screen, and how they look. A theme maps each role to a look for 16 colours, 256 and
 * true colour; the built-in default uses the terminal's own 16 colours and its own background. */
#ifndef RT_UI_THEME_H
#define RT_UI_THEME_H

#include "base/error.h"
#include "core/model.h"
#include "ui/surface.h"
#include "ui/term.h"

#define RT_ROLES(X)                                                                                \
    X(TEXT, "text")                                                                                \
    X(DIM, "dim")                                                                                  \
    X(STRONG, "strong")                                                                            \
    X(ACCENT, "accent")                                                                            \
    X(BORDER, "border")                                                                            \
    X(BORDER_FOCUS, "border.focus")                                                                \
    X(TITLE, "title")                                                                              \
    X(TITLE_FOCUS, "title.focus")                                                                  \
    X(HEADER, "header")                                                                            \
    X(HEADER_DIM, "header.dim")                                                                    \
    X(BRAND, "brand")                                                                              \
    X(TAB, "tab")                                                                                  \
    X(TAB_ACTIVE, "tab.active")                                                                    \
    X(KEY, "key")                                                                                  \
    X(HINT, "hint")                                                                                \
    X(COLUMN, "column")                                                                            \
    X(COLUMN_SORT, "column.sort")                                                                  \
    X(SELECT, "select")                                                                            \
    X(SELECT_DIM, "select.dim")                                                                    \
    X(MARK, "mark")                                                                                \
    X(MATCH, "match")                                                                              \
    X(FILTER, "filter")                                                                            \
    X(STALE, "stale")                                                                              \
    X(SCROLL, "scroll")                                                                            \
    X(BAR, "bar")                                                                                  \
    X(BAR_HIGH, "bar.high")                                                                        \
    X(BAR_EMPTY, "bar.empty")                                                                      \
    X(TOAST, "toast")                                                                              \
    X(TOAST_ERROR, "toast.error")                                                                  \
    X(INPUT, "input")                                                                              \
    X(DIALOG, "dialog")                                                                            \
    X(DIALOG_BORDER, "dialog.border")                                                              \
    X(BUTTON, "button")                                                                            \
    X(BUTTON_ACTIVE, "button.active")                                                              \
    X(LOG_TIME, "log.time")                                                                        \
    X(LOG_WARN, "log.warn")                                                                        \
    X(LOG_ERROR, "log.error")                                                                      \
    X(LOG_MARK, "log.mark")                                                                        \
    X(STATUS_UNKNOWN, "status.unknown")                                                            \
    X(STATUS_OK, "status.ok")                                                                      \
    X(STATUS_BUSY, "status.busy")                                                                  \
    X(STATUS_WAITING, "status.waiting")                                                            \
    X(STATUS_DONE, "status.done")                                                                  \
    X(STATUS_WARN, "status.warn")                                                                  \
    X(STATUS_FAILED, "status.failed")                                                              \
    X(STATUS_OFF, "status.off")

enum rt_role {
#define X(id, name) RT_R_##id,
    RT_ROLES(X)
#undef X
    RT_R_COUNT
};
const char *rt_role_name(enum rt_role r);
enum rt_role rt_role_of_health(enum rt_health h);

/* One colour for each depth; RT_COLOR_INHERIT where the theme says nothing. */
struct rt_paint {
    int32_t c16, c256, rgb;
};
struct rt_theme_row {
    struct rt_paint fg, bg;
    uint32_t attr;
};
struct rt_theme {
    char name[40];
    enum rt_depth depth;
    struct rt_theme_row rows[RT_R_COUNT];
};

/* By name: the configuration's themes/NAME.yaml, the installed ones, or built in ("default"). On failure the
 * default is filled in and the error says what is wrong, with its place. */
bool rt_theme_load(struct rt_theme *t, const char *name, enum rt_depth depth, struct rt_error *err);
void rt_theme_default(struct rt_theme *t, enum rt_depth depth);
bool rt_theme_parse(struct rt_theme *t, const char *file, const char *text, size_t n, struct rt_error *err);
/* The names of all themes that can be found; for completion. */
struct rt_strs;
void rt_theme_names(struct rt_strs *out);
bool rt_theme_hint(struct rt_error *err); /* which there are; gives false */

/* What a cell of this role looks like; what the role does not say comes from "text". */
struct rt_look rt_theme_look(const struct rt_theme *t, enum rt_role r);
/* The role alone: colours it does not name stay RT_COLOR_INHERIT (for rt_look_over and rt_surface_tint). */
struct rt_look rt_theme_over(const struct rt_theme *t, enum rt_role r);
/* A colour brought down to what a terminal can show. */
int32_t rt_color_fit(int32_t color, enum rt_depth depth);

#endif
