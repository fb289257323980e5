/* What `ray up --log-style record --log-color false` writes, read as it comes: how far it is, and why it failed. Lines of its own
 * are "YYYY-MM-DD HH:MM:SS,mmm<TAB>LEVEL file.py:LINE -- text"; all other output is that of commands on the head. */
#ifndef RT_PROVIDERS_LAUNCHER_SAY_H
#define RT_PROVIDERS_LAUNCHER_SAY_H

#include "base/buf.h"
#include "base/error.h"
#include <stdbool.h>
#include <stddef.h>

enum { LAUNCHER_STEPS = 7 }; /* Ray's own count: [1/7] to [7/7] */

struct launcher_say {
    struct rt_buf line;   /* not ended yet */
    int step;             /* 1 to 7; 0 before the first */
    bool asked;           /* for a head: from now on something may exist */
    bool done;            /* the head is set up */
    int refusals;         /* logins that the head refused, while it waits for SSH */
    char *refusal;        /* the last one, in ssh's words; NULL */
    bool key_open;        /* ssh passes the key over: others may read it */
    struct rt_buf complaint; /* what it calls an error */
    char *exception;      /* the last line of a traceback; NULL */
    char *last;           /* the last line that says something; NULL */
    bool complaining, traced; /* what follows belongs to a complaint, to a traceback */
    bool panicked;        /* the complaint is its last word */
};

/* A step begins (its words; `step` says which), or a line came that a person may want to read, without the noise of dates and
 * command lines. Text is clean. */
enum launcher_word { LAUNCHER_STEP, LAUNCHER_LINE };
typedef void launcher_said_fn(void *ctx, enum launcher_word word, const char *text);

void launcher_say_init(struct launcher_say *s);
void launcher_say_deinit(struct launcher_say *s);
void launcher_say_feed(struct launcher_say *s, const char *data, size_t n, launcher_said_fn *fn, void *ctx);
/* After its end: the rest of a line without an end. */
void launcher_say_end(struct launcher_say *s, launcher_said_fn *fn, void *ctx);
/* Why it failed; `what` is "ray up". Never leaves err empty. */
void launcher_say_error(const struct launcher_say *s, const char *what, struct rt_error *err);

#endif
