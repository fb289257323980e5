/* Drawing a list: titles of columns, the rows that are visible, and why there are none. */
#include "ui/list_impl.h"

#include "base/str.h"
#include "net/loop.h"

struct canvas {
    struct list *l;
    const struct rt_draw *d;
    struct rt_rect r;    /* the rows */
    struct rt_buf text, cell;
};

static void put(const struct canvas *c, int row, int col, int cols, const char *text, enum rt_role role) {
    rt_surface_put(c->d->s, row, col, RT_MIN(cols, c->r.col + c->r.cols - col), text, strlen(text), rt_theme_look(c->d->theme, role));
}

/* ---- titles of columns ---- */

static void draw_titles(struct canvas *c, int row) {
    const struct rt_list_rows *rows = &c->l->rows;
    for (size_t i = c->l->nfit; i-- > 0;) {
        const struct rt_fit *f = &c->l->fit[i];
        const bool sorted = rows->sort && rt_streq(rows->sort->id, f->column->id);
        const char *arrow = !sorted ? "" : rows->descending ? (c->d->ascii ? "v" : "↓") : (c->d->ascii ? "^" : "↑");
        const int col = c->r.col + 2 + f->at;
        if (i > 0 && f->at < c->l->fit[0].cols)
            continue;
        rt_buf_clear(&c->text);
        rt_buf_addf(&c->text, "%s%s", f->column->title, f->cols > (int)strlen(f->column->title) ? arrow : "");
        const int width = rt_width(rt_buf_str(&c->text), c->text.len);
        const int pad = f->column->align == RT_RIGHT ? RT_MAX(f->cols - width, 0) : 0;
        put(c, row, col + pad, f->cols - pad, rt_buf_str(&c->text), sorted ? RT_R_COLUMN_SORT : RT_R_COLUMN);
    }
}

/* ---- rows ---- */

/* What the filter found is seen in the cell. */
static void show_matches(const struct canvas *c, const char *text, int row, int col, int cols) {
    const char *filter = c->l->rows.filter;
    if (!filter || *filter == '!' || rt_starts(filter, "-f "))
        return;
    const size_t n = strlen(filter);
    for (const char *s = text; *s; s++) {
        if (strncasecmp(s, filter, n) != 0)
            continue;
        const int at = rt_width(text, (size_t)(s - text));
        const int width = rt_width(s, n);
        if (at + width <= cols)
            rt_surface_tint(c->d->s, (struct rt_rect){row, col + at, 1, width}, rt_theme_over(c->d->theme, RT_R_FILTER));
        s += n - 1;
    }
}

static void draw_cell(struct canvas *c, const struct rt_fit *f, const struct rt_list_row *r, const struct rt_row_env *env, int row) {
    const struct rt_column *column = f->column;
    const enum rt_health h = column->health ? column->health(r->row, env) : RT_H_UNKNOWN;
    enum rt_role role = h == RT_H_UNKNOWN ? RT_R_TEXT : rt_role_of_health(h);
    int col = c->r.col + 2 + f->at, cols = f->cols;
    rt_buf_clear(&c->text);
    rt_buf_clear(&c->cell);
    list_cell_text(c->l, column, r, env, &c->text);
    if (rt_streq(rt_buf_str(&c->text), "-"))
        role = RT_R_DIM;
    if (column->glyph && cols > 2) {
        put(c, row, col, 1, rt_health_glyph(h, c->d->ascii), rt_role_of_health(h));
        col += 2;
        cols -= 2;
    }
    const int used = rt_fit(&c->cell, rt_buf_str(&c->text), cols, column->cut, c->d->ascii);
    const int pad = column->align == RT_RIGHT ? cols - used : 0;
    put(c, row, col + pad, cols - pad, rt_buf_str(&c->cell), role);
    show_matches(c, rt_buf_str(&c->cell), row, col + pad, cols - pad);
}

static void draw_rail_row(struct canvas *c, const struct rt_list_row *r, const struct rt_row_env *env, int row) {
    const enum rt_health h = c->l->rows.table->health(r->row, env);
    const int cols = c->r.cols - 4;
    rt_buf_clear(&c->text);
    rt_buf_clear(&c->cell);
    c->l->opts->rail(r->row, env, &c->text, &c->cell);
    const int left = cols - 2 - rt_width(rt_buf_str(&c->text), c->text.len); /* beside the whole name */
    const int right = RT_MIN(rt_width(rt_buf_str(&c->cell), c->cell.len), RT_MAX(cols / 2, left));
    struct rt_buf name, state;
    rt_buf_init(&name, 0);
    rt_buf_init(&state, 0);
    rt_fit(&state, rt_buf_str(&c->cell), right, RT_CUT_RIGHT, c->d->ascii);
    rt_fit(&name, rt_buf_str(&c->text), cols - right - 2, RT_CUT_MIDDLE, c->d->ascii);
    put(c, row, c->r.col + 2, 1, rt_health_glyph(h, c->d->ascii), rt_role_of_health(h));
    const bool current = c->l->rows.table == &rt_table_clusters && rt_streq(rt_ui_cluster(c->l->view.ui), c->l->rows.table->id(r->row));
    put(c, row, c->r.col + 4, cols - right - 2, rt_buf_str(&name), current ? RT_R_STRONG : RT_R_TEXT);
    put(c, row, c->r.col + c->r.cols - right - 1, right, rt_buf_str(&state), RT_R_DIM);
    rt_buf_deinit(&name);
    rt_buf_deinit(&state);
}

static bool is_stale(const struct list *l, const struct rt_list_row *r) {
    const struct rt_cluster *c = l->rows.table == &rt_table_clusters ? r->row : r->cluster;
    if (!c || l->rows.table == &rt_table_forwards)
        return false;
    return c->reach == RT_REACH_LOST || c->fresh[l->rows.table->topic].from_snapshot;
}

static void draw_row(struct canvas *c, size_t index, int row) {
    struct list *l = c->l;
    const struct rt_list_row *r = &l->rows.v[index];
    const struct rt_row_env env = list_env(l, r);
    const struct rt_rect line = {row, c->r.col, 1, c->r.cols};
    const bool marked = list_marked(l, r);
    if (l->rail)
        draw_rail_row(c, r, &env, row);
    else
        for (size_t i = l->nfit; i-- > 0;)
            if (i == 0 || l->fit[i].at >= l->fit[0].cols)
                draw_cell(c, &l->fit[i], r, &env, row);
    if (is_stale(l, r))
        rt_surface_tint(c->d->s, line, rt_theme_over(c->d->theme, RT_R_STALE));
    if (marked) {
        rt_surface_tint(c->d->s, line, rt_theme_over(c->d->theme, RT_R_MARK));
        put(c, row, c->r.col + 1, 1, c->d->ascii ? "*" : "•", RT_R_MARK);
    }
    if (index != l->index)
        return;
    put(c, row, c->r.col, 1, ">", c->d->focus ? RT_R_ACCENT : RT_R_DIM);
    rt_surface_tint(c->d->s, line, rt_theme_over(c->d->theme, c->d->focus ? RT_R_SELECT : RT_R_SELECT_DIM));
    if (c->d->focus) {
        c->d->s->cursor_row = row;
        c->d->s->cursor_col = c->r.col;
    }
}

/* ---- nothing to show ---- */

static bool is_away(const struct rt_cluster *c) {
    return c->reach != RT_REACH_OK && c->reach != RT_REACH_NONE;
}

static void say_why(const struct list *l, struct rt_buf *out, struct rt_buf *hint) {
    const struct rt_cluster *c = list_cluster(l);
    const struct rt_table *t = l->rows.table;
    if (l->rows.total) {
        rt_buf_addf(out, "%s hides all %zu", l->rows.filter ? "the filter" : "only what needs attention is shown: it", l->rows.total);
        rt_buf_adds(hint, "Esc shows them");
    } else if (t->global || l->all) {
        rt_buf_adds(out, t->empty);
    } else if (!c) {
        rt_buf_adds(out, "no cluster is open");
        rt_buf_adds(hint, "1 lists the clusters, Enter opens one");
    } else if (is_away(c) && (c->state == RT_CL_DOWN || (c->state == RT_CL_FAILED && c->state_detail))) {
        rt_buf_addf(out, c->state == RT_CL_DOWN ? "%s is down" : "%s failed: ", c->name);
        if (c->state == RT_CL_FAILED)
            rt_clean(out, c->state_detail, strlen(c->state_detail));
        rt_buf_addf(hint, ":up %s brings it up (u in 1 clusters)", c->name);
    } else if (is_away(c) && (c->state == RT_CL_STARTING || c->state == RT_CL_STOPPING)) {
        rt_buf_addf(out, "%s is %s", c->name, c->state == RT_CL_STARTING ? "coming up" : "going down");
        rt_buf_adds(hint, "@ shows the steps");
    } else if (c->fresh[t->topic].error.code) {
        rt_clean(out, c->fresh[t->topic].error.message, strlen(c->fresh[t->topic].error.message));
        rt_clean(hint, c->fresh[t->topic].error.hint, strlen(c->fresh[t->topic].error.hint));
    } else if (c->reach == RT_REACH_NONE) {
        rt_buf_addf(out, "%s is not attached", c->name);
        rt_buf_adds(hint, "Enter on it in 1 clusters attaches");
    } else if (c->reach != RT_REACH_OK) {
        rt_buf_addf(out, "%s: %s", c->name, rt_reach_name(c->reach));
        if (c->reach_detail) {
            rt_clean(hint, c->reach_detail, strlen(c->reach_detail));
            rt_buf_adds(hint, " - ^R tries at once");
        }
    } else if (c->fresh[t->topic].at_ms <= 0) {
        rt_buf_addf(out, "asking %s for its %s%s", c->name, t->name, rt_ui_ascii(l->view.ui) ? "..." : "…");
    } else {
        rt_buf_adds(out, t->empty);
        rt_buf_adds(hint, l->rows.note ? l->rows.note : "");
    }
}

/* Long reasons wrap; a reason is worth the room. */
static int draw_wrapped(struct canvas *c, int row, const char *text, enum rt_role role) {
    const int cols = RT_MAX(c->r.cols - 4, 1);
    while (*text && row < c->r.row + c->r.rows) {
        size_t n = 0, blank = 0;
        while (text[n] && rt_width(text, n + 1) <= cols) {
            n++;
            if (text[n] == ' ' || !text[n])
                blank = n;
        }
        if (text[n] && blank)
            n = blank;
        rt_surface_put(c->d->s, row, c->r.col + 2, cols, text, RT_MAX(n, 1), rt_theme_look(c->d->theme, role));
        text += RT_MAX(n, 1);
        while (*text == ' ')
            text++;
        row++;
    }
    return row;
}

static void draw_empty(struct canvas *c) {
    struct rt_buf hint;
    rt_buf_init(&hint, 0);
    rt_buf_clear(&c->text);
    say_why(c->l, &c->text, &hint);
    if (c->l->rail) {
        put(c, c->r.row, c->r.col + 2, c->r.cols - 2, "-", RT_R_DIM);
    } else {
        const int top = c->r.row + (c->r.rows > 6 ? 1 : 0);
        const int row = draw_wrapped(c, top, rt_buf_str(&c->text), RT_R_TEXT);
        draw_wrapped(c, row, rt_buf_str(&hint), RT_R_DIM);
    }
    c->d->s->cursor_row = c->r.row;
    c->d->s->cursor_col = c->r.col;
    rt_buf_deinit(&hint);
}

/* ---- the whole ---- */

static void draw_scroll_bar(const struct canvas *c) {
    const size_t n = c->l->rows.n;
    if (!c->d->framed || c->r.rows < 3 || n <= (size_t)c->r.rows)
        return;
    const int thumb = RT_MAX((int)((size_t)c->r.rows * (size_t)c->r.rows / n), 1);
    const int at = (int)(c->l->top * (size_t)(c->r.rows - thumb) / (n - (size_t)c->r.rows));
    const char *text = c->d->ascii ? "#" : "┃";
    for (int i = 0; i < thumb; i++)
        rt_surface_put(c->d->s, c->r.row + at + i, c->r.col + c->r.cols, 1, text, strlen(text), rt_theme_look(c->d->theme, RT_R_SCROLL));
}

static void keep_visible(struct list *l, int rows) {
    const size_t room = (size_t)RT_MAX(rows, 1);
    if (l->index < l->top)
        l->top = l->index;
    if (l->index >= l->top + room)
        l->top = l->index - room + 1;
    if (l->top + room > l->rows.n)
        l->top = l->rows.n > room ? l->rows.n - room : 0;
}

static void cluster_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)row;
    rt_buf_adds(out, env->cluster ? env->cluster->name : "-");
}

/* With rows of several clusters the first column says whose they are. */
static const struct rt_column *columns_of(struct list *l) {
    static const struct rt_column whose = {.id = "cluster", .title = "CLUSTER", .min = 8, .want = 16, .cut = RT_CUT_MIDDLE, .text = cluster_text};
    const struct rt_setup *setup = rt_ui_setup(l->view.ui);
    size_t n = 0;
    if (l->all && !rt_streq(l->rows.table->columns[0].id, whose.id)) /* forwards say it themselves */
        l->columns[n++] = whose;
    rt_setup_apply(setup, l->rows.table, l->columns + n, RT_COUNT(l->columns) - n);
    if (l->columns_seen != setup->revision || l->columns_whose != (n > 0))
        l->needs_cols = -1;
    l->columns_seen = setup->revision;
    l->columns_whose = n > 0;
    return l->columns;
}

static void measure(struct canvas *c, const struct rt_column *columns, int cols) {
    struct list *l = c->l;
    if (l->needs_cols != cols)
        memset(l->needs, 0, sizeof l->needs);
    l->needs_cols = cols;
    for (size_t i = l->top; i < l->rows.n && i < l->top + (size_t)c->r.rows; i++) {
        const struct rt_row_env env = list_env(l, &l->rows.v[i]);
        for (size_t k = 0; columns[k].id && k < RT_FIT_MAX; k++) {
            if (columns[k].wide && !l->rows.wide)
                continue;
            rt_buf_clear(&c->text);
            list_cell_text(l, &columns[k], &l->rows.v[i], &env, &c->text);
            const int width = rt_width(rt_buf_str(&c->text), c->text.len) + (columns[k].glyph ? 2 : 0);
            l->needs[k] = RT_MAX(l->needs[k], width);
        }
    }
}

static void fit_columns(struct canvas *c, int cols) {
    struct list *l = c->l;
    const struct rt_column *columns = columns_of(l);
    if (l->scroll > 0)
        l->nfit = rt_columns_scrolled(columns, cols, l->rows.wide, &l->scroll, l->fit);
    if (l->scroll > 0)
        return;
    measure(c, columns, cols);
    l->nfit = rt_columns_fit(columns, cols, l->rows.wide, l->needs, l->fit);
}

void list_draw(struct rt_view *v, const struct rt_draw *d, struct rt_rect r) {
    struct list *l = list_of(v);
    struct canvas c = {.l = l, .d = d, .r = r};
    const bool titles = !l->rail && r.rows >= 3;
    list_gather(l);
    rt_buf_init(&c.text, 0);
    rt_buf_init(&c.cell, 0);
    keep_visible(l, r.rows - titles);
    if (!l->rail)
        fit_columns(&c, r.cols - 3);
    if (titles && l->rows.n) {
        draw_titles(&c, r.row);
        c.r.row++;
        c.r.rows--;
    }
    if (titles && l->rows.n && l->rows.note && c.r.rows >= 3) {
        c.r.rows--;
        put(&c, c.r.row + c.r.rows, c.r.col + 2, c.r.cols - 2, l->rows.note, RT_R_STATUS_WARN);
    }
    l->drawn = c.r;
    l->page = c.r.rows;
    keep_visible(l, c.r.rows);
    for (int i = 0; i < c.r.rows && l->top + (size_t)i < l->rows.n; i++)
        draw_row(&c, l->top + (size_t)i, c.r.row + i);
    if (!l->rows.n)
        draw_empty(&c);
    draw_scroll_bar(&c);
    rt_buf_deinit(&c.text);
    rt_buf_deinit(&c.cell);
}
