/* A popup list of choices; each has a key of its own and a command line. */
#ifndef RT_UI_MENU_H
#define RT_UI_MENU_H

#include "ui/view.h"

/* All strings are copied. `key` may be "". */
struct rt_view *rt_menu_create(struct rt_ui *ui, const char *title);
void rt_menu_add(struct rt_view *menu, const char *key, const char *text, const char *command);

#endif
