/* A pane of plain text: scrolling, search, wrap, copy and save. Detail, raw answers, help and doctor use it. */
#ifndef RT_UI_TEXT_H
#define RT_UI_TEXT_H

#include "ui/view.h"

/* `name` is one of text, detail, why, raw, doctor, stats, check, help. Lines of "key  value" show the key dim. */
struct rt_view *rt_text_create(struct rt_ui *ui, const char *name, const char *title, const char *text);
void rt_text_set(struct rt_view *v, const char *text); /* keeps the place */
void rt_text_set_title(struct rt_view *v, const char *title);
/* `refill` is called when a topic of the view's cluster changes and every second while it is drawn: it calls
 * rt_text_set. `ctx_free` frees ctx with the view. */
void rt_text_on_change(struct rt_view *v, uint32_t topics, void (*refill)(struct rt_view *v, void *ctx), void *ctx,
                       void (*ctx_free)(void *ctx));
/* Command lines of its own, tried first; called with the ctx of rt_text_on_change. */
void rt_text_on_command(struct rt_view *v, enum rt_taken (*command)(struct rt_view *v, void *ctx, const struct rt_strs *words,
                                                                     struct rt_error *err));

#endif
