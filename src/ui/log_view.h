/* Inside the log view only: its state, and what its files share. */
#ifndef RT_UI_LOG_VIEW_H
#define RT_UI_LOG_VIEW_H

#include "base/vec.h"
#include "ui/input.h"
#include "ui/view.h"

enum log_ask { LOG_ASK_NOTHING, LOG_ASK_SEARCH, LOG_ASK_FILTER, LOG_ASK_PIPE };
enum log_time { LOG_TIME_OFF, LOG_TIME_CLOCK, LOG_TIME_ELAPSED, LOG_TIME_COUNT };
enum { LOG_SPANS = 128, LOG_MATCHES = 64 };

/* A place on the screen: a line and which of its screen lines (when wrapped). */
struct log_place {
    int64_t line;
    int sub;
};

struct log_view {
    struct rt_view view;
    enum rt_log_what what;
    char *id, *file;
    struct rt_strs jobs; /* the selection that actions here mean */
    struct rt_log *log;
    struct rt_logbuf *buf; /* the log's */
    struct rt_view *picker; /* of its sources, while it is open */

    struct log_place top;
    int64_t at;       /* the line that search, marks and selection start from */
    bool at_shown;    /* `at` was jumped to: shown with a pointer */
    bool follow, wrap, numbers;
    bool walk;        /* `at` is what moves: a list of hits */
    bool keeping;     /* filters changed: `keep` is what the top stays near, until all lines were looked at */
    int64_t keep;
    int64_t wanted;   /* a line to show once it was read; -1 */
    int col;          /* first shown column when not wrapped */
    enum log_time time_mode;
    int64_t first_time_ms; /* of the log; -1 not known yet */
    int64_t clear;    /* lines before it are not shown (C) */
    bool selecting;
    int64_t anchor;
    RT_VEC(int64_t) marks; /* in order */

    enum log_ask asking;
    struct rt_input input;
    char *regex;      /* what is searched for; NULL */
    struct rt_op *search, *count;
    bool backwards;
    int steps;        /* n and N that were pressed while a search ran: forwards, or backwards when negative */
    int64_t count_at, count_all;
    bool count_done;
    struct rt_timer *seek; /* looks for an error while the log is still being read */
    enum rt_line_kind seek_kind;
    int64_t seek_from;
    bool seek_backwards;

    struct rt_op *saving;
    char *save_path;
    enum { LOG_SAVE_KEEP, LOG_SAVE_PIPE, LOG_SAVE_EDIT } save_for;
    char *pipe_command;

    int rows, cols;   /* of the text, as drawn last */
    struct rt_buf clean;
    int64_t more;        /* bytes of the line that are not in it */
    struct rt_span spans[LOG_SPANS];
    size_t nspans;
};

/* log_view_draw.c */
void log_view_draw(struct rt_view *v, const struct rt_draw *w, struct rt_rect r);
/* Cleans a line into lv->clean and lv->spans; its kind, or -1 when it cannot be read yet. */
int log_view_clean(struct log_view *lv, int64_t line, int64_t *time_ms);

/* The colour of a source of a merged log; red is for errors. */
int32_t log_source_colour(const struct rt_draw *w, size_t source);

/* view_log_sources.c */
struct rt_view *log_view_sources(struct log_view *lv); /* a popup */
void log_view_sources_gone(struct rt_view *popup);     /* the log view goes: the popup closes */

/* log_view_move.c */
int64_t log_view_next(struct log_view *lv, int64_t line);     /* the shown line after; -1 */
int64_t log_view_previous(struct log_view *lv, int64_t line); /* the shown line before; -1 */
int64_t log_view_last(struct log_view *lv);                   /* -1 when nothing is shown */
void log_view_settle(struct log_view *lv); /* top is a possible place: follows, never past the end */
void log_view_move(struct log_view *lv, int screen_lines);
void log_view_first(struct log_view *lv);
void log_view_end(struct log_view *lv);
void log_view_jump(struct log_view *lv, int64_t line); /* shows it, with room above */
bool log_view_jump_time(struct log_view *lv, const char *text); /* "10:42", "-5m"; false: no time */
void log_view_mark(struct log_view *lv);
void log_view_next_mark(struct log_view *lv);
void log_view_renumber(void *ctx, int64_t from, int64_t by);

/* log_view_find.c */
void log_view_search(struct log_view *lv, const char *regex);
void log_view_search_again(struct log_view *lv, bool backwards);
void log_view_search_clear(struct log_view *lv);
void log_view_filter(struct log_view *lv, const char *text); /* "!text" drops */
void log_view_keep_place(struct log_view *lv); /* before other lines are shown */
void log_view_seek(struct log_view *lv, enum rt_line_kind kind, bool backwards);

/* log_view_out.c */
void log_view_copy(struct log_view *lv);
void log_view_save(struct log_view *lv, const char *path); /* NULL: a name of its own */
void log_view_pipe(struct log_view *lv, const char *command);
void log_view_edit(struct log_view *lv);

#endif
