/* What happened while somebody looked elsewhere: a job ended, nodes were lost, a cluster was lost, is back, or is
 * about to end. Watches the store; what is found at first tells nothing. */
#ifndef RT_UI_NOTICES_H
#define RT_UI_NOTICES_H

#include "core/store.h"

struct rt_notices;
/* `text` is clean, one line; `bad`: something was lost or failed. */
typedef void rt_notice_fn(void *ctx, const char *text, bool bad);

/* Keeps the store until destroyed. */
struct rt_notices *rt_notices_create(struct rt_store *s, rt_notice_fn *fn, void *ctx);
void rt_notices_destroy(struct rt_notices *n); /* NULL is fine */

/* How a person wants to hear of it: words of `notify:`. A line that is none of them is a command. */
struct rt_notify {
    bool toast, bell, desktop;
    const char *command; /* points into the text; NULL */
};
struct rt_notify rt_notify_parse(const char *text); /* NULL: a toast */

#endif
