/* Questions over everything: yes or no, type the name, an answer to the network. */
#ifndef RT_UI_DIALOG_H
#define RT_UI_DIALOG_H

#include "net/ask.h"
#include "ui/view.h"

/* Asks by the grade of `c` (taken); `fn` runs once with the answer, unless the dialog is destroyed before. `v`
 * shows the equivalent. */
typedef void rt_dialog_fn(void *ctx, bool yes);
struct rt_view *rt_dialog_confirm(struct rt_ui *ui, struct rt_confirmation *c, rt_dialog_fn *fn, void *ctx);
/* A question of the network: `fn` runs once with the answer or NULL, unless destroyed before. */
struct rt_view *rt_dialog_question(struct rt_ui *ui, const struct rt_question *q, rt_answer_fn *fn, void *ctx);
/* Clean text to read, several lines; Esc closes. Both strings are copied. */
struct rt_view *rt_dialog_text(struct rt_ui *ui, const char *title, const char *text);

#endif
