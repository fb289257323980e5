/* A program in a pseudo terminal, as a shell with job control would run it, and the screen that it draws. */
#ifndef RT_TESTS_PTY_H
#define RT_TESTS_PTY_H

#include "unit/cmocka_all.h"

#include "base/buf.h"
#include <stdbool.h>
#include <sys/types.h>
#include <termios.h>
#include <vterm.h>

struct rt_pty {
    int master, slave;      /* the slave stays open: its modes are looked at afterwards */
    int events, orders;     /* pipes of the small shell in front of the program */
    pid_t shell, program;
    int rows, cols;
    VTerm *vt;
    VTermScreen *screen;
    struct termios before;
    struct rt_buf bytes;    /* all that was written */
    int status;             /* of wait(); -1 while it runs */
    bool stopped;
    const char *hide;       /* text that goldens show as '#': a port number; NULL */
};

/* argv[0] is the program's path; `env` "NAME=value", NULL-terminated, added to ours. */
void rt_pty_start(struct rt_pty *t, int rows, int cols, const char *const *argv, const char *const *env);
void rt_pty_end(struct rt_pty *t); /* kills what still runs */

/* "j<Enter>:q": names in angle brackets, "<<" is '<'. */
void rt_pty_type(struct rt_pty *t, const char *keys);
void rt_pty_send(struct rt_pty *t, const char *bytes, size_t n);
void rt_pty_resize(struct rt_pty *t, int rows, int cols);
/* Takes what comes until the text stands on the screen; fails the test after `ms`. */
void rt_pty_until(struct rt_pty *t, const char *text, int ms);
void rt_pty_until_gone(struct rt_pty *t, const char *text, int ms);
/* Takes what comes until nothing has come for a while. */
void rt_pty_settle(struct rt_pty *t);
bool rt_pty_shows(struct rt_pty *t, const char *text);
/* The text of a row, without blanks at its end. */
void rt_pty_row(struct rt_pty *t, int row, struct rt_buf *out);
/* Waits for the end (or the stop) of the program. */
int rt_pty_wait(struct rt_pty *t, int ms);
void rt_pty_wait_stopped(struct rt_pty *t, int ms);
void rt_pty_continue(struct rt_pty *t);
/* The terminal is as it was: its modes, the main screen, a cursor, no mouse, no paste marks. */
void rt_pty_given_back(struct rt_pty *t);

/* Text and looks against tests/screen/NAME; RT_UPDATE_GOLDENS=1 writes it. */
void rt_pty_matches(struct rt_pty *t, const char *name);

#endif
