/* Lines that fold. */
#include "ui/outline.h"

#include "base/str.h"
#include "core/table.h"
#include "ui/list.h"
#include "ui/tools.h"
#include <stdlib.h>

#define BAR_COLS 20

static struct rt_outline *of(struct rt_view *v) {
    return (struct rt_outline *)v;
}

/* What a person did to a fold, as values of the map. */
static void *fold_word(struct rt_outline *o, bool shut) {
    return shut ? (void *)&o->folds : (void *)o;
}

void rt_outline_init(struct rt_outline *o, struct rt_ui *ui, const struct rt_view_ops *ops, void (*fill)(struct rt_outline *o)) {
    o->view.ops = ops;
    o->view.ui = ui;
    o->fill = fill;
    o->dirty = true;
    rt_map_init(&o->folds, false);
}

static void drop_rows(struct rt_outline *o) {
    for (size_t i = 0; i < o->rows.n; i++) {
        free(o->rows.v[i].key);
        free(o->rows.v[i].text);
        free(o->rows.v[i].command);
        free(o->rows.v[i].tail);
    }
    o->rows.n = 0;
}

void rt_outline_deinit(struct rt_outline *o) {
    drop_rows(o);
    rt_vec_deinit(&o->rows);
    rt_vec_deinit(&o->seen);
    rt_map_deinit(&o->folds);
    free(o->at_key);
    free(o->filter);
    o->at_key = o->filter = NULL;
}

/* ---- rows ---- */

struct rt_outline_row *rt_outline_add(struct rt_outline *o, int depth, const char *key, const char *text) {
    struct rt_outline_row *r = rt_vec_push(&o->rows);
    struct rt_buf clean;
    rt_buf_init(&clean, 8192);
    rt_clean(&clean, text, strlen(text));
    r->key = rt_strdup(key);
    r->text = rt_buf_take(&clean);
    r->depth = depth;
    r->role = RT_R_TEXT;
    r->bar = -1;
    return r;
}

struct rt_outline_row *rt_outline_fold(struct rt_outline *o, int depth, const char *key, const char *text, bool open) {
    struct rt_outline_row *r = rt_outline_add(o, depth, key, text);
    const void *told = rt_map_get(&o->folds, key);
    r->folds = true;
    r->shut = told ? told == fold_word(o, true) : !open;
    return r;
}

static bool matches(const struct rt_outline *o, const struct rt_outline_row *r) {
    char *text = rt_strf("%s %s", r->text, r->tail ? r->tail : "");
    const bool yes = rt_filter_match(o->filter, text);
    free(text);
    return yes;
}

/* Which rows a filter leaves: those that match, what they belong to, and what belongs to them. */
enum { LEFT_OUT, PATH, MATCH };
static void choose(const struct rt_outline *o, char *left) {
    int path = 0; /* a row less deep than this is on the way to one that matches */
    for (size_t i = o->rows.n; i-- > 0;) {
        const int depth = o->rows.v[i].depth;
        left[i] = matches(o, &o->rows.v[i]) ? MATCH : depth < path ? PATH : LEFT_OUT;
        if (left[i] != LEFT_OUT || depth == 0)
            path = depth;
    }
    int below = INT32_MAX; /* deeper rows belong to one that matched */
    for (size_t i = 0; i < o->rows.n; i++) {
        if (o->rows.v[i].depth <= below)
            below = left[i] == MATCH ? o->rows.v[i].depth : INT32_MAX;
        else if (left[i] == LEFT_OUT)
            left[i] = MATCH;
    }
}

static void see(struct rt_outline *o) {
    int hidden = INT32_MAX; /* rows deeper than this are folded away */
    char *left = o->filter && o->rows.n ? rt_alloc(o->rows.n) : NULL;
    if (left)
        choose(o, left);
    o->seen.n = 0;
    o->text_cols = 0;
    for (size_t i = 0; i < o->rows.n; i++) {
        const struct rt_outline_row *r = &o->rows.v[i];
        if (r->depth > hidden || (left && left[i] == LEFT_OUT))
            continue;
        hidden = r->shut && !(left && left[i] == PATH) ? r->depth : INT32_MAX;
        *rt_vec_push(&o->seen) = i;
        if (r->bar >= 0)
            o->text_cols = RT_MAX(o->text_cols, rt_width(r->text, strlen(r->text)));
    }
    free(left);
}

static void find_cursor(struct rt_outline *o) {
    for (size_t i = 0; o->at_key && i < o->seen.n; i++)
        if (rt_streq(o->rows.v[o->seen.v[i]].key, o->at_key)) {
            o->at = i;
            return;
        }
    o->at = o->seen.n ? RT_MIN(o->at, o->seen.n - 1) : 0;
}

void rt_outline_settle(struct rt_outline *o) {
    if (!o->dirty)
        return;
    o->dirty = false;
    drop_rows(o);
    o->fill(o);
    see(o);
    find_cursor(o);
}

const struct rt_outline_row *rt_outline_here(struct rt_outline *o) {
    rt_outline_settle(o);
    return o->at < o->seen.n ? &o->rows.v[o->seen.v[o->at]] : NULL;
}

static void move_to(struct rt_outline *o, int64_t to) {
    rt_outline_settle(o);
    if (!o->seen.n)
        return;
    o->at = (size_t)RT_MAX(RT_MIN(to, (int64_t)o->seen.n - 1), 0);
    free(o->at_key);
    o->at_key = rt_strdup(o->rows.v[o->seen.v[o->at]].key);
    rt_ui_mark(o->view.ui);
}

static void set_fold(struct rt_outline *o, size_t row, bool shut) {
    struct rt_outline_row *r = &o->rows.v[row];
    rt_map_set(&o->folds, r->key, fold_word(o, shut));
    r->shut = shut;
    see(o);
    find_cursor(o);
    rt_ui_mark(o->view.ui);
}

/* ---- drawing ---- */

static void draw_row(const struct rt_outline *o, const struct rt_draw *d, struct rt_rect line, const struct rt_outline_row *r, bool open) {
    const int end = line.col + line.cols;
    int col = line.col + 2 + 2 * r->depth;
    struct rt_buf cut;
    rt_buf_init(&cut, 0);
    if (r->folds)
        rt_tool_put(d->s, line.row, col - 2 + 1, 1, d->ascii ? (open ? "-" : "+") : (open ? "▾" : "▸"), rt_theme_look(d->theme, RT_R_DIM));
    col++;
    if (r->health != RT_H_UNKNOWN)
        col += rt_tool_put(d->s, line.row, col, end - col, rt_health_glyph(r->health, d->ascii), rt_theme_look(d->theme, rt_role_of_health(r->health))) + 1;
    rt_fit(&cut, r->text, RT_MAX(end - col, 0), RT_CUT_RIGHT, d->ascii);
    const int used = rt_tool_put(d->s, line.row, col, end - col, rt_buf_str(&cut), rt_theme_look(d->theme, r->role));
    col += r->bar >= 0 ? o->text_cols + 2 : used + 2;
    if (r->bar >= 0 && col + BAR_COLS < end)
        col += rt_tool_bar(d, line.row, col, BAR_COLS, r->bar) + 2;
    if (r->tail && col < end) {
        rt_buf_clear(&cut);
        rt_fit(&cut, r->tail, end - col, RT_CUT_RIGHT, d->ascii);
        rt_tool_put(d->s, line.row, col, end - col, rt_buf_str(&cut), rt_theme_look(d->theme, r->bar >= 0 ? RT_R_TEXT : RT_R_DIM));
    }
    rt_buf_deinit(&cut);
}

void rt_outline_draw(struct rt_view *v, const struct rt_draw *d, struct rt_rect area) {
    struct rt_outline *o = of(v);
    rt_outline_settle(o);
    o->drawn = area;
    o->page = RT_MAX(area.rows, 1);
    if (o->at < o->top)
        o->top = o->at;
    if (o->at >= o->top + (size_t)o->page)
        o->top = o->at - (size_t)o->page + 1;
    if (o->top + (size_t)o->page > o->seen.n)
        o->top = o->seen.n > (size_t)o->page ? o->seen.n - (size_t)o->page : 0;
    if (!o->seen.n && o->rows.n && area.rows > 0)
        rt_tool_put(d->s, area.row, area.col + 2, area.cols - 2, "the filter hides all - Esc", rt_theme_look(d->theme, RT_R_DIM));
    for (int i = 0; i < area.rows && o->top + (size_t)i < o->seen.n; i++) {
        const struct rt_rect line = {area.row + i, area.col, 1, area.cols};
        const size_t at = o->top + (size_t)i;
        const struct rt_outline_row *r = &o->rows.v[o->seen.v[at]];
        const bool below = at + 1 < o->seen.n && o->rows.v[o->seen.v[at + 1]].depth > r->depth;
        draw_row(o, d, line, r, !r->shut || below); /* a filter opens what is on the way */
        if (at != o->at)
            continue;
        rt_tool_put(d->s, line.row, line.col, 1, ">", rt_theme_look(d->theme, d->focus ? RT_R_ACCENT : RT_R_DIM));
        rt_surface_tint(d->s, line, rt_theme_over(d->theme, d->focus ? RT_R_SELECT : RT_R_SELECT_DIM));
        if (d->focus) {
            d->s->cursor_row = line.row;
            d->s->cursor_col = line.col;
        }
    }
}

/* ---- commands ---- */

static bool do_move(struct rt_outline *o, const char *how, struct rt_error *err) {
    const int page = RT_MAX(o->page - 1, 1);
    int64_t by = 0;
    if (rt_streq(how, "first"))
        by = -(int64_t)o->at;
    else if (rt_streq(how, "last"))
        by = (int64_t)o->seen.n;
    else if (rt_streq(how, "page") || rt_streq(how, "-page"))
        by = *how == '-' ? -page : page;
    else if (rt_streq(how, "half") || rt_streq(how, "-half"))
        by = *how == '-' ? -page / 2 : page / 2;
    else if (!how || !rt_parse_i64(*how == '+' ? how + 1 : how, &by))
        return rt_error_set(err, RT_E_USAGE, "usage: move N|first|last|page|-page|half|-half");
    move_to(o, (int64_t)o->at + by);
    return true;
}

/* Shuts the row, or the one it belongs to. */
static void do_fold(struct rt_outline *o) {
    const struct rt_outline_row *here = rt_outline_here(o);
    if (!here)
        return;
    if (here->folds && !here->shut) {
        set_fold(o, o->seen.v[o->at], true);
        return;
    }
    for (size_t i = o->at; i-- > 0;)
        if (o->rows.v[o->seen.v[i]].depth < here->depth) {
            move_to(o, (int64_t)i);
            return;
        }
}

static void do_fold_all(struct rt_outline *o) {
    bool any_open = false;
    rt_outline_settle(o);
    for (size_t i = 0; i < o->rows.n; i++)
        any_open = any_open || (o->rows.v[i].folds && !o->rows.v[i].shut);
    for (size_t i = 0; i < o->rows.n; i++)
        if (o->rows.v[i].folds) {
            rt_map_set(&o->folds, o->rows.v[i].key, fold_word(o, any_open));
            o->rows.v[i].shut = any_open;
        }
    see(o);
    find_cursor(o);
}

static bool do_enter(struct rt_outline *o) {
    const struct rt_outline_row *here = rt_outline_here(o);
    if (here && here->command) {
        char *line = rt_strdup(here->command);
        const bool ok = rt_ui_command(o->view.ui, line);
        free(line);
        return ok;
    }
    if (here && here->folds)
        set_fold(o, o->seen.v[o->at], !here->shut);
    return true;
}

static void set_filter(struct rt_outline *o, const char *text) {
    free(o->filter);
    o->filter = text && *text ? rt_strdup(text) : NULL;
    rt_outline_settle(o);
    see(o);
    find_cursor(o);
    rt_ui_mark(o->view.ui);
}

enum rt_taken rt_outline_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err) {
    struct rt_outline *o = of(v);
    const char *name = words->v[0];
    const struct rt_outline_row *here = rt_outline_here(o);
    bool ok = true;
    if (rt_streq(name, "move"))
        ok = do_move(o, words->n > 1 ? words->v[1] : NULL, err);
    else if (rt_streq(name, "fold"))
        do_fold(o);
    else if (rt_streq(name, "unfold") && here && here->folds && here->shut)
        set_fold(o, o->seen.v[o->at], false);
    else if (rt_streq(name, "fold-toggle") && here && here->folds)
        set_fold(o, o->seen.v[o->at], !here->shut);
    else if (rt_streq(name, "fold-all"))
        do_fold_all(o);
    else if (rt_streq(name, "enter"))
        ok = do_enter(o);
    else if (rt_streq(name, "filter"))
        set_filter(o, words->n > 1 ? words->v[1] : NULL);
    else if (!rt_streq(name, "unfold") && !rt_streq(name, "fold-toggle"))
        return RT_TAKEN_NO;
    rt_ui_mark(v->ui);
    return ok ? RT_TAKEN_YES : RT_TAKEN_FAILED;
}

bool rt_outline_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r) {
    struct rt_outline *o = of(v);
    (void)r;
    if (ev->mouse == RT_MOUSE_WHEEL_UP || ev->mouse == RT_MOUSE_WHEEL_DOWN) {
        move_to(o, (int64_t)o->at + (ev->mouse == RT_MOUSE_WHEEL_UP ? -3 : 3));
        return true;
    }
    if (ev->mouse != RT_MOUSE_PRESS || !rt_rect_has(o->drawn, ev->row, ev->col))
        return false;
    move_to(o, (int64_t)o->top + ev->row - o->drawn.row);
    return !ev->double_click || rt_ui_key(v->ui, (struct rt_key){RT_K_ENTER, 0});
}

void rt_outline_text(struct rt_view *v, struct rt_buf *out) {
    struct rt_outline *o = of(v);
    rt_outline_settle(o);
    for (size_t i = 0; i < o->rows.n; i++) {
        const struct rt_outline_row *r = &o->rows.v[i];
        rt_buf_addf(out, "%*s%s", 2 * r->depth, "", r->text);
        if (r->bar >= 0)
            rt_buf_addf(out, "  %.0f%%", 100 * r->bar);
        rt_buf_addf(out, "%s%s\n", r->tail ? "  " : "", r->tail ? r->tail : "");
    }
}

const char *rt_outline_filter(struct rt_view *v) {
    return of(v)->filter;
}

bool rt_outline_back(struct rt_view *v) {
    if (!of(v)->filter)
        return false;
    set_filter(of(v), NULL);
    return true;
}

void rt_outline_title(const struct rt_outline *o, struct rt_buf *right) {
    if (!o->filter)
        return;
    rt_buf_adds(right, "</");
    rt_clean(right, o->filter, strlen(o->filter));
    rt_buf_adds(right, ">  ");
}
