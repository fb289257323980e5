/* What several views do beside drawing: other programs on the terminal, looks over looks. */
#ifndef RT_UI_TOOLS_H
#define RT_UI_TOOLS_H

#include "ui/view.h"

/* Opens a file in $VISUAL, $EDITOR or vi, at a line (0: none) where the editor is known to take one. */
bool rt_tool_edit(struct rt_ui *ui, const char *path, int64_t line, struct rt_error *err);
/* Lets a person change a text in the editor; gives the new text, NULL with the reason. */
char *rt_tool_edit_text(struct rt_ui *ui, const char *text, struct rt_error *err);
/* A role drawn upon another one. */
struct rt_look rt_tool_look(const struct rt_theme *t, enum rt_role below, enum rt_role over);
/* Draws a text at a place in at most `cols` columns; gives the columns used. */
int rt_tool_put(struct rt_surface *s, int row, int col, int cols, const char *text, struct rt_look look);

/* A bar of `cols` columns; gives the columns used. */
int rt_tool_bar(const struct rt_draw *d, int row, int col, int cols, double fraction);

#endif
