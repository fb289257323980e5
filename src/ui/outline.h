/* A pane of lines that fold: a tree, or a page of sections. Whoever makes one fills it; the outline draws, folds,
 * moves and opens. Rows are told apart by their keys: the cursor and what is folded survive a new filling. */
#ifndef RT_UI_OUTLINE_H
#define RT_UI_OUTLINE_H

#include "base/map.h"
#include "base/vec.h"
#include "ui/view.h"

struct rt_outline_row {
    char *key;     /* unique; owned */
    char *text;    /* clean; owned */
    char *command; /* what Enter runs; NULL: it folds, or nothing. Owned */
    char *tail;    /* after the bar: a number, a sparkline, why. Clean; NULL. Owned */
    int depth;
    enum rt_health health; /* a glyph in front; UNKNOWN: none */
    enum rt_role role;
    double bar;    /* < 0: none; a bar stands between text and tail */
    bool folds, shut; /* rows below that are deeper belong to it */
};

struct rt_outline {
    struct rt_view view; /* the maker's vtable takes the functions below */
    RT_VEC(struct rt_outline_row) rows;
    RT_VEC(size_t) seen; /* rows that are not folded away */
    struct rt_map folds; /* keys that a person folded or opened */
    char *at_key;
    char *filter; /* NULL: none */
    size_t at, top;
    int page, text_cols;
    bool dirty; /* to be filled again before it is drawn */
    void (*fill)(struct rt_outline *o); /* calls rt_outline_add */
    struct rt_rect drawn;
};

void rt_outline_init(struct rt_outline *o, struct rt_ui *ui, const struct rt_view_ops *ops, void (*fill)(struct rt_outline *o));
void rt_outline_deinit(struct rt_outline *o);
/* A new last row; text is copied and cleaned. Lent until the next one. */
struct rt_outline_row *rt_outline_add(struct rt_outline *o, int depth, const char *key, const char *text);
/* The same, shut unless a person opened it or (`open`) as long as nobody shut it. */
struct rt_outline_row *rt_outline_fold(struct rt_outline *o, int depth, const char *key, const char *text, bool open);
/* Fills it if it is dirty. */
void rt_outline_settle(struct rt_outline *o);
/* The row under the cursor, or NULL. */
const struct rt_outline_row *rt_outline_here(struct rt_outline *o);

/* For vtables. */
void rt_outline_draw(struct rt_view *v, const struct rt_draw *d, struct rt_rect r);
/* move, fold, unfold, fold-all, enter, filter */
enum rt_taken rt_outline_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err);
bool rt_outline_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r);
void rt_outline_text(struct rt_view *v, struct rt_buf *out);
const char *rt_outline_filter(struct rt_view *v);
bool rt_outline_back(struct rt_view *v);
/* "</text>" for the right of a title while it is filtered. */
void rt_outline_title(const struct rt_outline *o, struct rt_buf *right);

#endif
