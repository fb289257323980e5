/* A pane of plain text. Lines are found once per text; only the visible ones are looked at when it is drawn. */
#include "ui/text.h"

#include "base/str.h"
#include "base/vec.h"
#include "ui/wrap.h"
#include <stdlib.h>

struct line {
    size_t at, len;
    int indent; /* of what goes on from the line before */
};

struct text {
    struct rt_view view;
    char *title, *text, *search;
    RT_VEC(struct line) lines;
    size_t top, page;
    int scroll, cols;
    bool wrap, hang, stale; /* hang: "key   value" goes on below its value */
    size_t found; /* line of the last match; SIZE_MAX: none */
    uint32_t topics;
    void (*refill)(struct rt_view *v, void *ctx);
    void (*ctx_free)(void *ctx);
    enum rt_taken (*command)(struct rt_view *v, void *ctx, const struct rt_strs *words, struct rt_error *err);
    void *ctx;
};

static struct text *of(struct rt_view *v) {
    return (struct text *)v;
}

/* ---- lines ---- */

/* "key                   value": the key is dim, glyphs and values speak. */
static size_t key_length(const char *s, size_t n) {
    size_t i = 0;
    while (i < n && s[i] == ' ')
        i++;
    while (i + 1 < n && !(s[i] == ' ' && s[i + 1] == ' '))
        i++;
    return i + 1 < n && i < 40 ? i : 0;
}

/* "key                   value": where the value begins; 0: no such line. */
static size_t value_at(const char *s, size_t n) {
    size_t i = key_length(s, n);
    while (i && i < n && s[i] == ' ')
        i++;
    return i < n ? i : 0;
}

static void cut_lines(struct text *t) {
    const char *s = t->text;
    size_t at = 0;
    const size_t n = strlen(s);
    t->lines.n = 0;
    while (at < n) {
        const size_t len = strcspn(s + at, "\n");
        size_t from = at;
        const size_t end = at + len;
        const int hang = t->hang && t->cols > 0 ? rt_width(s + at, value_at(s + at, len)) : 0;
        const int under = 2 * hang < t->cols ? hang : 0;
        do {
            size_t next = end - from, take = end - from;
            const int indent = from > at ? under : 0;
            if (t->wrap && t->cols > 0)
                take = rt_wrap(s + from, end - from, t->cols - indent, true, &next);
            *rt_vec_push(&t->lines) = (struct line){from, take, indent};
            from += RT_MAX(next, 1);
        } while (t->wrap && from < end);
        at = end + 1;
    }
}

static void hold(struct text *t) {
    const size_t last = t->lines.n > t->page ? t->lines.n - t->page : 0;
    t->top = RT_MIN(t->top, last);
}

void rt_text_set(struct rt_view *v, const char *text) {
    struct text *t = of(v);
    t->stale = false;
    if (rt_streq(t->text, text))
        return;
    free(t->text);
    t->text = rt_strdup(text ? text : "");
    cut_lines(t);
    hold(t);
    rt_ui_mark(v->ui);
}

void rt_text_set_title(struct rt_view *v, const char *title) {
    free(of(v)->title);
    of(v)->title = rt_strdup(title);
}

void rt_text_on_change(struct rt_view *v, uint32_t topics, void (*refill)(struct rt_view *v, void *ctx), void *ctx,
                       void (*ctx_free)(void *ctx)) {
    struct text *t = of(v);
    t->topics = topics;
    t->refill = refill;
    t->ctx = ctx;
    t->ctx_free = ctx_free;
    t->stale = true;
}

void rt_text_on_command(struct rt_view *v, enum rt_taken (*command)(struct rt_view *v, void *ctx, const struct rt_strs *words,
                                                                     struct rt_error *err)) {
    of(v)->command = command;
}

/* ---- drawing ---- */

static size_t skip_columns(const char *s, size_t n, int cols) {
    size_t at = 0;
    for (int skipped = 0; skipped < cols && at < n;) {
        int32_t cp = 0;
        const size_t len = rt_utf8_next(s + at, n - at, &cp);
        skipped += RT_MAX(rt_cp_width(cp), 0);
        at += len;
    }
    return at;
}

static void show_matches(const struct text *t, const struct rt_draw *d, const char *s, size_t n, int row, struct rt_rect r) {
    const size_t len = t->search ? strlen(t->search) : 0;
    for (size_t i = 0; len && i + len <= n; i++) {
        if (strncasecmp(s + i, t->search, len) != 0)
            continue;
        const struct rt_rect place = {row, r.col + rt_width(s, i), 1, rt_width(s + i, len)};
        rt_surface_tint(d->s, rt_rect_cut(place, r), rt_theme_over(d->theme, RT_R_MATCH));
        i += len - 1;
    }
}

static void draw_line(const struct text *t, const struct rt_draw *d, const struct line *l, int row, struct rt_rect r) {
    const char *s = t->text + l->at;
    const size_t skip = t->wrap ? 0 : skip_columns(s, l->len, t->scroll);
    const bool continued = l->at > 0 && t->text[l->at - 1] != '\n';
    const size_t key = continued ? 0 : key_length(s, l->len);
    const struct rt_look dim = rt_theme_look(d->theme, RT_R_DIM), plain = rt_theme_look(d->theme, RT_R_TEXT);
    int col = r.col;
    if (key > skip)
        col += rt_surface_put(d->s, row, col, r.cols, s + skip, key - skip, dim);
    const size_t from = RT_MAX(key, skip);
    const int end = r.col + r.cols;
    col += l->indent;
    rt_surface_put(d->s, row, col, end - col, s + from, l->len - from, plain);
    if (!t->wrap && rt_width(s + skip, l->len - skip) > r.cols)
        rt_surface_put(d->s, row, end - 1, 1, d->ascii ? "~" : "…", d->ascii ? 1 : strlen("…"), dim);
    show_matches(t, d, s + skip, l->len - skip, row, (struct rt_rect){r.row, r.col + l->indent, r.rows, r.cols - l->indent});
}

static void draw_scroll_bar(const struct text *t, const struct rt_draw *d, struct rt_rect r) {
    const size_t n = t->lines.n, rows = (size_t)r.rows;
    if (!d->framed || r.rows < 3 || n <= rows)
        return;
    const int thumb = RT_MAX((int)(rows * rows / n), 1);
    const int at = (int)(t->top * (rows - (size_t)thumb) / (n - rows));
    const char *bar = d->ascii ? "#" : "┃";
    for (int i = 0; i < thumb; i++)
        rt_surface_put(d->s, r.row + at + i, r.col + r.cols, 1, bar, strlen(bar), rt_theme_look(d->theme, RT_R_SCROLL));
}

static void text_draw(struct rt_view *v, const struct rt_draw *d, struct rt_rect r) {
    struct text *t = of(v);
    const struct rt_rect in = {r.row, r.col + 1, r.rows, RT_MAX(r.cols - 2, 1)};
    if (t->stale && t->refill)
        t->refill(v, t->ctx);
    if (t->cols != in.cols && t->wrap) {
        t->cols = in.cols;
        cut_lines(t);
    }
    t->cols = in.cols;
    t->page = (size_t)RT_MAX(r.rows, 1);
    hold(t);
    for (int i = 0; i < in.rows && t->top + (size_t)i < t->lines.n; i++)
        draw_line(t, d, &t->lines.v[t->top + (size_t)i], in.row + i, in);
    draw_scroll_bar(t, d, r);
    d->s->cursor_row = r.row;
    d->s->cursor_col = r.col;
}

static void text_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    const struct text *t = of(v);
    rt_buf_adds(left, t->title);
    if (t->search)
        rt_buf_addf(right, "/%s  ", t->search);
    if (t->page && t->lines.n > t->page) {
        const size_t room = t->lines.n - t->page;
        if (!t->top || t->top >= room)
            rt_buf_adds(right, t->top ? "end" : "top");
        else
            rt_buf_addf(right, "%zu%%", t->top * 100 / room);
    }
}

/* ---- command lines ---- */

static void go(struct text *t, int64_t to) {
    t->top = (size_t)RT_MAX(to, 0);
    hold(t);
    rt_ui_mark(t->view.ui);
}

static bool do_move(struct text *t, const char *how) {
    const int64_t page = (int64_t)RT_MAX(t->page, 2) - 1;
    int64_t by = 0;
    if (rt_streq(how, "first"))
        by = -(int64_t)t->top;
    else if (rt_streq(how, "last"))
        by = (int64_t)t->lines.n;
    else if (rt_streq(how, "page") || rt_streq(how, "-page"))
        by = *how == '-' ? -page : page;
    else if (rt_streq(how, "half") || rt_streq(how, "-half"))
        by = *how == '-' ? -page / 2 : page / 2;
    else if (!rt_parse_i64(*how == '+' ? how + 1 : how, &by))
        return false;
    go(t, (int64_t)t->top + by);
    return true;
}

static bool line_matches(const struct text *t, size_t i) {
    char *line = rt_strndup(t->text + t->lines.v[i].at, t->lines.v[i].len);
    const bool found = rt_contains_i(line, t->search);
    free(line);
    return found;
}

static void search(struct text *t, int step) {
    const size_t n = t->lines.n;
    if (!t->search || !n)
        return;
    size_t from = t->found < n ? t->found : t->top;
    for (size_t k = t->found < n ? 1 : 0; k <= n; k++) {
        const size_t i = step > 0 ? (from + k) % n : (from + n - k % n) % n;
        if (!line_matches(t, i))
            continue;
        if ((step > 0 && i < from) || (step < 0 && i > from))
            rt_ui_note(t->view.ui, "the search goes on at the other end");
        t->found = i;
        go(t, (int64_t)i - (int64_t)t->page / 3);
        return;
    }
    rt_ui_note(t->view.ui, "not found: %s", t->search);
}

static void new_search(struct text *t, const char *what) {
    free(t->search);
    t->search = what && *what ? rt_strdup(what) : NULL;
    t->found = SIZE_MAX;
    search(t, 1);
    rt_ui_mark(t->view.ui);
}

static enum rt_taken text_command(struct rt_view *v, const struct rt_strs *w, struct rt_error *err) {
    struct text *t = of(v);
    const char *name = w->v[0], *arg = w->n > 1 ? w->v[1] : "";
    int64_t line = 0;
    const enum rt_taken taken = t->command ? t->command(v, t->ctx, w, err) : RT_TAKEN_NO;
    if (taken != RT_TAKEN_NO)
        return taken;
    if (rt_streq(name, "move")) {
        if (do_move(t, arg))
            return RT_TAKEN_YES;
        rt_error_set(err, RT_E_USAGE, "usage: move N|first|last|page|-page|half|-half");
        return RT_TAKEN_FAILED;
    }
    if (rt_streq(name, "scroll") && rt_parse_i64(*arg == '+' ? arg + 1 : arg, &line))
        t->scroll = (int)RT_MAX(RT_MIN(t->scroll + line, 100000), 0);
    else if (rt_streq(name, "search"))
        new_search(t, arg);
    else if (rt_streq(name, "search-next"))
        search(t, 1);
    else if (rt_streq(name, "search-previous"))
        search(t, -1);
    else if (rt_streq(name, "copy-text"))
        rt_ui_copy(v->ui, t->text, strlen(t->text), t->title);
    else if (rt_streq(name, "wrap")) {
        t->wrap = !t->wrap;
        cut_lines(t);
    } else if (rt_parse_i64(name, &line))
        go(t, line - 1);
    else
        return RT_TAKEN_NO;
    rt_ui_mark(v->ui);
    return RT_TAKEN_YES;
}

/* ---- the rest ---- */

static bool text_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r) {
    struct text *t = of(v);
    (void)r;
    if (ev->mouse != RT_MOUSE_WHEEL_UP && ev->mouse != RT_MOUSE_WHEEL_DOWN)
        return false;
    go(t, (int64_t)t->top + (ev->mouse == RT_MOUSE_WHEEL_UP ? -3 : 3));
    return true;
}

static bool text_back(struct rt_view *v) {
    struct text *t = of(v);
    if (!t->search)
        return false;
    new_search(t, NULL);
    return true;
}

static uint32_t text_topics(struct rt_view *v) {
    return of(v)->topics;
}

static void text_changed(struct rt_view *v, struct rt_cluster *c, enum rt_topic topic) {
    struct text *t = of(v);
    (void)c;
    if (t->topics & RT_TOPIC_BIT(topic))
        t->stale = true;
}

/* Ages stand in it. */
static bool text_ticks(struct rt_view *v) {
    struct text *t = of(v);
    t->stale |= t->refill != NULL;
    return t->refill != NULL;
}

/* As a popup: as wide as its lines, as high as there are. */
static void text_want(struct rt_view *v, int max_rows, int max_cols, int *rows, int *cols) {
    const struct text *t = of(v);
    int widest = rt_width(t->title, strlen(t->title)) + 8;
    for (size_t i = 0; i < t->lines.n; i++)
        widest = RT_MAX(widest, rt_width(t->text + t->lines.v[i].at, t->lines.v[i].len));
    *rows = RT_MIN(max_rows, (int)RT_MIN(t->lines.n, (size_t)10000) + 2);
    *cols = RT_MIN(max_cols, widest + 4);
}

static void text_text(struct rt_view *v, struct rt_buf *out) {
    rt_buf_adds(out, of(v)->text);
}

static void text_destroy(struct rt_view *v) {
    struct text *t = of(v);
    if (t->ctx_free)
        t->ctx_free(t->ctx);
    free(t->title);
    free(t->text);
    free(t->search);
    free(v->cluster);
    rt_vec_deinit(&t->lines);
    free(t);
}

#define TEXT_OPS(view_name)                                                                        \
    {                                                                                              \
        .name = view_name, .klass = "text", .side = true, .draw = text_draw, .title = text_title,                     \
        .command = text_command, .mouse = text_mouse, .topics = text_topics, .changed = text_changed,                \
        .ticks = text_ticks, .want = text_want, .text = text_text, .back = text_back, .destroy = text_destroy                           \
    }

static const struct rt_view_ops all_ops[] = {TEXT_OPS("text"),  TEXT_OPS("detail"), TEXT_OPS("raw"), TEXT_OPS("doctor"),
                                             TEXT_OPS("stats"), TEXT_OPS("check"),  TEXT_OPS("help"),
                                             TEXT_OPS("why")};

struct rt_view *rt_text_create(struct rt_ui *ui, const char *name, const char *title, const char *text) {
    struct text *t = RT_NEW(struct text);
    t->view = (struct rt_view){.ops = &all_ops[0], .ui = ui};
    for (size_t i = 0; i < RT_COUNT(all_ops); i++)
        if (rt_streq(all_ops[i].name, name))
            t->view.ops = &all_ops[i];
    t->title = rt_strdup(title);
    t->text = rt_strdup(text ? text : "");
    t->hang = rt_streq(name, "detail");
    t->wrap = t->hang || rt_streq(name, "why"); /* sentences, not rows */
    t->found = SIZE_MAX;
    cut_lines(t);
    return &t->view;
}
