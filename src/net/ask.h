/* Questions that the network layer must put to a person: passphrase, password, one-time code, host key.
 * The screen answers with a dialog, the command line over /dev/tty, nobody with a refusal. */
#ifndef RT_NET_ASK_H
#define RT_NET_ASK_H

#include "net/op.h"
#include <stdbool.h>

enum rt_ask_kind { RT_ASK_YES_NO, RT_ASK_TEXT, RT_ASK_SECRET };

struct rt_question {
    enum rt_ask_kind kind;
    const char *cluster; /* whose; may be NULL */
    const char *title;   /* "host key of lab1" */
    const char *text;    /* clean; may have several lines */
    const char *prompt;  /* "Password:"; clean */
    const char *unanswered_hint; /* which option, key or file would answer without asking */
};

/* answer NULL: not answered (no terminal, Esc). For yes/no: "yes". Wiped by the asker afterwards. */
typedef void rt_answer_fn(void *ctx, const char *answer);

struct rt_asker {
    /* Never calls `fn` inside this call. */
    struct rt_op *(*ask)(void *ctx, const struct rt_question *q, rt_answer_fn *fn, void *fn_ctx);
    void *ctx;
};

#endif
