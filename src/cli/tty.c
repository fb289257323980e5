/* Questions over /dev/tty, never over stdin or stdout. Without a terminal: not answered. */
#include "cli/internal.h"
#include "base/fs.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

struct question {
    struct rt_op op;
    struct rt_op *defer;
    struct rt_fd *watch;
    int fd; /* -1: no terminal */
    bool hidden;
    struct termios before;
    enum rt_ask_kind kind;
    char line[1024];
    size_t len;
    bool answered;
    rt_answer_fn *fn;
    void *ctx;
};

static void question_free(struct question *q) {
    rt_op_drop(&q->defer);
    rt_fd_unwatch(q->watch);
    if (q->hidden)
        tcsetattr(q->fd, TCSAFLUSH, &q->before);
    if (q->fd >= 0)
        close(q->fd);
    memset(q->line, 0, sizeof q->line);
    free(q);
}

static void cancel(struct rt_op *op) {
    question_free((struct question *)op);
}

static void answer(void *ctx) {
    struct question *q = ctx;
    q->defer = NULL;
    const char *text = q->answered ? q->line : NULL;
    if (q->answered && q->kind == RT_ASK_YES_NO)
        text = rt_streq(q->line, "y") || rt_streq(q->line, "yes") ? "yes" : NULL;
    if (q->hidden && write(q->fd, "\n", 1) < 0)
        text = NULL;
    q->fn(q->ctx, text);
    question_free(q);
}

static void readable(void *ctx, int events) {
    struct question *q = ctx;
    char c;
    (void)events;
    const ssize_t n = read(q->fd, &c, 1); /* the terminal gives whole lines */
    if (n <= 0) {
        answer(q);
        return;
    }
    if (c != '\n') {
        if (q->len + 1 < sizeof q->line)
            q->line[q->len++] = c;
        return;
    }
    q->answered = true;
    answer(q);
}

static void hide(struct question *q) {
    struct termios t;
    if (tcgetattr(q->fd, &q->before) != 0)
        return;
    t = q->before;
    t.c_lflag &= ~(tcflag_t)ECHO;
    q->hidden = tcsetattr(q->fd, TCSAFLUSH, &t) == 0;
}

static struct rt_op *ask(void *ctx, const struct rt_question *q, rt_answer_fn *fn, void *fn_ctx) {
    const struct cli_tty *tty = ctx;
    struct question *x = RT_NEW(struct question);
    x->op.cancel = cancel;
    x->fn = fn;
    x->ctx = fn_ctx;
    x->kind = q->kind;
    x->fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (x->fd < 0) {
        if (q->unanswered_hint)
            out_note("raytui: %s%s%s: not answered without a terminal (%s)", q->cluster ? q->cluster : "", q->cluster ? ": " : "",
                     q->title ? q->title : q->prompt, q->unanswered_hint);
        x->defer = rt_loop_defer(*tty->loop, answer, x);
        return &x->op;
    }
    if (q->kind == RT_ASK_SECRET)
        hide(x);
    struct rt_buf b;
    rt_buf_init(&b, 64 * RT_KIB);
    if (q->title)
        rt_buf_addf(&b, "%s%s%s\n", q->cluster ? q->cluster : "", q->cluster ? ": " : "", q->title);
    if (q->text)
        rt_buf_addf(&b, "%s\n", q->text);
    rt_buf_addf(&b, "%s%s ", q->prompt ? q->prompt : "", q->kind == RT_ASK_YES_NO ? " [y/N]" : "");
    if (write(x->fd, b.data, b.len) < 0)
        out_note("raytui: the terminal cannot be written to");
    rt_buf_deinit(&b);
    x->watch = rt_fd_watch(*tty->loop, x->fd, RT_READ, readable, x);
    return &x->op;
}

const struct rt_asker *cli_asker(struct cli_tty *t, struct rt_loop **loop) {
    t->loop = loop;
    t->asker = (struct rt_asker){.ask = ask, .ctx = t};
    return &t->asker;
}
