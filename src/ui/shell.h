/* Inside the shell only: what its files share. */
#ifndef RT_UI_SHELL_H
#define RT_UI_SHELL_H

#include "base/vec.h"
#include "ui/command.h"
#include "ui/input.h"
#include "ui/keymap.h"
#include "ui/layout.h"
#include "ui/setup.h"
#include "ui/term.h"
#include "ui/ui.h"
#include "ui/views.h"

#define RT_TABS_MAX 32

enum prompt_mode { PROMPT_NONE, PROMPT_COMMAND, PROMPT_FIND };

struct toast {
    char *text, *undo;   /* NULL: none */
    bool error, note;
    int64_t until_ms;    /* loop time; 0: until Esc */
};

/* A verb that was started from the screen. */
struct running {
    struct rt_ui *ui;
    struct rt_op *op;
    struct rt_view *dialog; /* its question, while it is open */
    struct rt_call call;
    uint64_t seen;
    char *undo;             /* the line that takes it back; NULL */
};

/* A scaling key was pressed: presses are counted until a moment of silence. */
struct scaling {
    char *cluster, *pool;
    int64_t from, by;
    struct rt_timer *timer;
};

struct looked {
    char *cluster;
    uint32_t topics;
    bool listed;
};

struct rt_proc;
struct hint_place {
    int at, cols;
    struct rt_key key;
};

struct rt_ui {
    struct rt_app *app; /* NULL before run */
    struct rt_term *term;
    struct rt_theme theme;
    struct rt_keymap keymap;
    struct rt_surface surface;
    struct rt_layout layout;
    struct rt_asker asker;
    bool ascii, animations, mouse, running_now, leaving, quit_asked;
    bool log_alone;                      /* `logs --file F --view` */
    char *cluster;
    struct rt_notices *notices;
    struct rt_setup setup;
    struct rt_history *history_of; /* nodes and clusters, while the screen is open */

    struct rt_view *tabs[RT_TABS_MAX];   /* by place in rt_view_defs; made when first opened */
    size_t tab;
    RT_VEC(struct rt_view *) pushed;     /* beside or over the tab; the last is seen */
    RT_VEC(struct rt_view *) popups;     /* over everything; the last has the keys */
    RT_VEC(struct rt_view *) closing;    /* destroyed in the next turn */
    struct rt_op *close_later;
    size_t history[64], history_n, history_at;
    enum rt_pane focus;
    bool zoom;
    int rail_cols, side_share;
    enum rt_pane dragged;                /* RT_PANE_COUNT: none */

    struct rt_timer *frame, *tick;
    struct rt_op *frame_now;
    bool marked;
    int64_t drawn_ms;                    /* loop time of the last frame */

    enum prompt_mode prompt;
    struct rt_input input;
    struct rt_strs past;                 /* command lines of before */
    size_t past_at;
    struct rt_strs choices;              /* completion: what fits */
    size_t choice_at, choice_start;
    char *find_before;                   /* the filter that Esc restores */

    struct toast toast;
    struct rt_timer *toast_timer;
    RT_VEC(struct running *) calls;
    struct rt_strs left;                 /* clusters that the open question is about: shell_offer_left */
    struct scaling scaling;
    char *own_line;                      /* waits for its question to be answered */
    char cancelling[24];                 /* the operation that the open question is about */
    char *last_line;                     /* for "." */
    struct rt_proc *clipboard;           /* the program that takes a copy; NULL */
    int64_t interrupted_ms;              /* loop time of the last ^C */
    int depth;                           /* aliases within aliases */
    RT_VEC(struct looked) looked;
    RT_VEC(struct asked *) asked;        /* open questions of the network */
    struct hint_place hints[32];
    size_t nhints;
    struct {
        int at, cols;
        const char *command;
    } tab_places[RT_TABS_MAX];
    size_t ntabs;
    int status;
};

/* ---- shell.c: views and focus ---- */
struct rt_view *shell_tab(struct rt_ui *ui, size_t i);       /* made if it is not there */
struct rt_view *shell_main(struct rt_ui *ui);                /* the tab in front */
struct rt_view *shell_side(struct rt_ui *ui);                /* the pushed view, or NULL */
struct rt_view *shell_pane(struct rt_ui *ui, enum rt_pane p); /* what stands there; NULL */
struct rt_view *shell_focused(struct rt_ui *ui);             /* below popups */
struct rt_view *shell_popup(struct rt_ui *ui);               /* the last one, or NULL */
bool shell_open_tab(struct rt_ui *ui, const char *name);
void shell_focus(struct rt_ui *ui, enum rt_pane p);
void shell_focus_step(struct rt_ui *ui, int step);
void shell_history(struct rt_ui *ui, int step);
void shell_back(struct rt_ui *ui);
void shell_close_pushed(struct rt_ui *ui);
void shell_quit(struct rt_ui *ui, bool ask);
void shell_layout(struct rt_ui *ui);
void shell_each_view(struct rt_ui *ui, void (*fn)(struct rt_ui *ui, struct rt_view *v, void *ctx), void *ctx);

/* ---- shell_draw.c, shell_status.c ---- */
void shell_draw(struct rt_ui *ui);   /* now */
void shell_header(struct rt_ui *ui, const struct rt_draw *d);
void shell_bottom(struct rt_ui *ui, const struct rt_draw *d);
void shell_tabs(struct rt_ui *ui, const struct rt_draw *d);
struct rt_rect shell_popup_rect(struct rt_ui *ui, struct rt_view *v);

/* ---- ui.c ---- */
void shell_frame_now(struct rt_ui *ui); /* in the next turn, whatever was drawn just before */
void shell_load_theme(struct rt_ui *ui, const char *name);
void shell_load_keys(struct rt_ui *ui);

/* ---- shell_input.c ---- */
void shell_event(void *ctx, const struct rt_event *ev);

/* ---- shell_prompt.c ---- */
void prompt_open(struct rt_ui *ui, enum prompt_mode mode, const char *text);
void prompt_close(struct rt_ui *ui, bool keep);
bool prompt_key(struct rt_ui *ui, struct rt_key k);
void prompt_load(struct rt_ui *ui);
void prompt_save(struct rt_ui *ui);

/* ---- ui.c: what is found again ---- */
void setup_save(struct rt_ui *ui); /* if it changed */

/* ---- shell_command.c ---- */
bool shell_run(struct rt_ui *ui, const struct rt_strs *words, struct rt_error *err);
/* shell_open.c: commands that open views, forms and other programs */
bool shell_open_view(struct rt_ui *ui, const struct rt_call *c, const struct rt_strs *words, struct rt_error *err);
bool shell_view_words(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);
bool shell_do_open(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);
bool shell_do_start_local(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);
bool shell_do_views(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);
bool shell_do_help(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);
bool shell_do_form(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);
bool shell_do_discover(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);
bool shell_do_forwards_toggle(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);
bool shell_do_suspend_or_resume(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);
bool shell_do_log_search(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);
bool shell_do_node_logs(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);
bool shell_do_run_log(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err); /* shell_log.c */
bool shell_do_row_log(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);
/* Opens the choice of a node's log files. */
bool shell_pick_log(struct rt_ui *ui, const char *cluster, const char *node_id, struct rt_error *err);
bool shell_do_copy_env(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);

/* What the focused view selects, else the cluster that is open. */
struct rt_selection shell_selection(struct rt_ui *ui);

/* shell_copy.c: is the variable there, with something in it? */
bool shell_has_variable(const char *name);

/* shell_browse.c */
bool shell_do_browse(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);
bool shell_do_exec_line(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);

/* view_profile.c: the verbs stack and profile, and the menu of both */
bool shell_open_profile(struct rt_ui *ui, const struct rt_call *c, struct rt_error *err);
bool shell_do_profile_menu(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err);

/* ---- shell_own.c: lines of the configuration ---- */
#define SHELL_DEPTH_MAX 8 /* names within names */
struct shell_own {
    const char *name, *line;
    bool confirm, writes;
};
/* Refused in read-only mode, asked about where it is to be, its variables replaced, run. */
bool shell_run_own(struct rt_ui *ui, const struct shell_own *own, struct rt_error *err);
bool shell_own_refused(struct rt_ui *ui, const char *name, bool writes, struct rt_error *err);
/* Further words are added to its line. */
bool shell_run_user_command(struct rt_ui *ui, const struct rt_binding *b, const struct rt_strs *w, struct rt_error *err);
/* What a program prints, in a pane; the screen stays. */
void shell_show_output(struct rt_ui *ui, const char *title, const char *const *argv);
/* "COMMAND" gets the screen; ">COMMAND" runs behind it, its output is read in a pane. */
bool shell_run_program(struct rt_ui *ui, const char *line, struct rt_error *err);

/* ---- shell_call.c ---- */
/* Runs a parsed call (taken) that a question of its own was answered for. */
void shell_call_agreed(struct rt_ui *ui, struct rt_call *call);
void calls_cancel(struct rt_ui *ui);
void shell_offer_left(struct rt_ui *ui); /* shell_left.c: what killed runs left may be removed */
void scaling_stop(struct rt_ui *ui);
bool scaling_step(struct rt_ui *ui, const char *cluster, const struct rt_pool *pool, int64_t by, struct rt_error *err);
struct rt_op *asker_ask(void *ctx, const struct rt_question *q, rt_answer_fn *fn, void *fn_ctx);

/* ---- shell_toast.c ---- */
bool toast_dismiss(struct rt_ui *ui); /* Esc; false: there was none */
void toast_notice(struct rt_ui *ui, const char *text, bool bad);
bool toast_undo(struct rt_ui *ui);

/* ---- shell_notice.c ---- */
void shell_notice(void *ctx, const char *text, bool bad);

/* ---- shell_look.c ---- */
void shell_look(struct rt_ui *ui); /* tells the app what is looked at */
void shell_title(struct rt_ui *ui);

#endif
