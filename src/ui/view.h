/* A view: what fills a pane or a popup. Drawing is a function of store, view state and size and does no
 * I/O. The shell owns views, gives them rectangles, keys and command lines, and asks what they look at. */
#ifndef RT_UI_VIEW_H
#define RT_UI_VIEW_H

#include "app/action.h"
#include "ui/key.h"
#include "ui/surface.h"
#include "ui/theme.h"

struct rt_history;
struct rt_operation;
struct rt_setup;
struct rt_ui;
struct rt_view;

/* Where and how to draw. */
struct rt_draw {
    struct rt_surface *s;
    const struct rt_theme *theme;
    bool ascii, animations;
    bool focus;      /* the view has the keys */
    bool framed;     /* a frame stands around the rectangle: its right edge may carry a scroll bar */
    int64_t now_ms;  /* wall */
};

enum rt_taken { RT_TAKEN_NO, RT_TAKEN_YES, RT_TAKEN_FAILED /* err is set */ };

/* Every member but name, draw and destroy may be NULL. */
struct rt_view_ops {
    const char *name;  /* "jobs": keymap section and command that opens it */
    const char *klass; /* "list", "text", "outline" or NULL: shared keymap section */
    bool side;         /* may stand beside the list it was opened from (log, detail) */
    bool modal;        /* popups: every key comes here first; keys that are not taken end there */
    void (*draw)(struct rt_view *v, const struct rt_draw *d, struct rt_rect r); /* inside the frame */
    /* For the frame's top line: left "jobs ─ 12 running", right "</fail> 16 of 1,042". Clean text. */
    void (*title)(struct rt_view *v, struct rt_buf *left, struct rt_buf *right);
    bool (*key)(struct rt_view *v, struct rt_key k); /* before the keymap; true: taken */
    void (*paste)(struct rt_view *v, const char *text, size_t n);
    /* A command line, split. Only what the view knows; the shell tries the rest. */
    enum rt_taken (*command)(struct rt_view *v, const struct rt_strs *words, struct rt_error *err);
    /* `at` inside r as it was drawn last. */
    bool (*mouse)(struct rt_view *v, const struct rt_event *ev, struct rt_rect r);
    /* What CLUSTER, POOL, NODE, JOB mean here. Lent until the next change of the view or the store. */
    void (*select)(struct rt_view *v, struct rt_selection *out);
    /* Does this command line work here now, as far as the view knows? Hints leave out what does not. */
    bool (*offers)(struct rt_view *v, const struct rt_strs *words);
    uint32_t (*topics)(struct rt_view *v); /* RT_TOPIC_BITs that it shows of its cluster */
    void (*changed)(struct rt_view *v, struct rt_cluster *c, enum rt_topic t); /* the store; c may be NULL */
    bool (*ticks)(struct rt_view *v);      /* shows ages: wants a redraw each second */
    void (*want)(struct rt_view *v, int max_rows, int max_cols, int *rows, int *cols); /* popups: size with frame */
    /* Everything it shows as text (^S). */
    void (*text)(struct rt_view *v, struct rt_buf *out);
    /* What `/` left of it, as typed; NULL: all of it. Without this member `/` searches. */
    const char *(*filter)(struct rt_view *v);
    bool (*back)(struct rt_view *v); /* Esc: one step (a filter away); false: leave me */
    void (*destroy)(struct rt_view *v);
};

/* What an implementation puts first in its own struct. */
struct rt_view {
    const struct rt_view_ops *ops;
    struct rt_ui *ui;
    char *cluster; /* the cluster it shows; NULL: the current one does not matter */
};

/* ---- what views may ask of the shell (shell.c) ---- */
struct rt_app *rt_ui_app(struct rt_ui *ui);
struct rt_term *rt_ui_term(struct rt_ui *ui);
bool rt_ui_ascii(const struct rt_ui *ui);
const char *rt_ui_cluster(const struct rt_ui *ui); /* the current one's name, or NULL */
void rt_ui_set_cluster(struct rt_ui *ui, const char *name);
/* What nodes and clusters did lately. */
const struct rt_history *rt_ui_history(const struct rt_ui *ui);
/* Columns and order of lists as the person has them; kept on disk by the shell. */
struct rt_setup *rt_ui_setup(struct rt_ui *ui);
/* Something on the screen changed: one frame comes, at most 33 ms later. */
void rt_ui_mark(struct rt_ui *ui);

/* Opens beside or over the current list; taken. */
void rt_ui_push(struct rt_ui *ui, struct rt_view *v);
/* Opens over everything; taken. Popups stack. */
void rt_ui_popup(struct rt_ui *ui, struct rt_view *v);
/* Closes a pushed view or popup, in the next turn: safe inside its own functions. */
void rt_ui_close(struct rt_ui *ui, struct rt_view *v);

/* As if pressed; true if anything took it. */
bool rt_ui_key(struct rt_ui *ui, struct rt_key k);
/* Runs a command line as if typed after ':', with the focused view's selection. False: a toast said why. */
bool rt_ui_command(struct rt_ui *ui, const char *line);
/* Runs a parsed call (taken) with its question and its result as a toast. */
void rt_ui_call(struct rt_ui *ui, struct rt_call *call);
/* Cancels a running operation after a question that says what becomes of what it made. */
void rt_ui_cancel(struct rt_ui *ui, const struct rt_operation *op);
/* Can the line run now? `err` says why not. */
bool rt_ui_can(struct rt_ui *ui, const char *line, struct rt_error *err);

/* To the clipboard, and a toast that says so with `what`. False: a toast said why not. */
bool rt_ui_copy(struct rt_ui *ui, const char *text, size_t n, const char *what);

/* One line over the hints: 4 s; errors stay until Esc. Text is cleaned. */
void rt_ui_toast(struct rt_ui *ui, const char *fmt, ...) RT_PRINTF(2, 3);
/* The same without the mark of what was done: nothing was. */
void rt_ui_note(struct rt_ui *ui, const char *fmt, ...) RT_PRINTF(2, 3);
void rt_ui_error(struct rt_ui *ui, const struct rt_error *err);
/* A toast with `u`: 5 s to run `undo`. */
void rt_ui_toast_undo(struct rt_ui *ui, const char *text, const char *undo_command);

#endif
