/* The first screen without a configuration: what was found on this machine, each with one key. */
#include "ui/views.h"

#include "base/str.h"
#include "base/vec.h"
#include <stdlib.h>

struct found {
    char *target, *text, *key;
};

struct start {
    struct rt_view view;
    RT_VEC(struct found) found;
    size_t at, top;      /* selected; the first that is drawn */
    struct rt_op *op;
    int first_row;
    char *where;         /* NULL: this machine */
    bool looked;         /* all that is there was told once */
    struct rt_error error;
};

static struct start *of(struct rt_view *v) {
    return (struct start *)v;
}

static void on_found(void *ctx, const struct rt_found *f) {
    struct start *s = ctx;
    if (!f) {
        s->op = NULL;
        s->looked = true;
    } else if (f->error) {
        s->error = *f->error;
    } else {
        struct found *own = rt_vec_push(&s->found);
        *own = (struct found){rt_strdup(f->target), rt_strdup(f->text), rt_strdup(f->key)};
    }
    rt_ui_mark(s->view.ui);
}

static void forget(struct start *s) {
    for (size_t i = 0; i < s->found.n; i++) {
        free(s->found.v[i].target);
        free(s->found.v[i].text);
        free(s->found.v[i].key);
    }
    s->found.n = 0;
}

/* Addresses stand below each other. */
static char *row_of(const struct rt_seen *row, int width) {
    char clean[400];
    return rt_strf("%-*s  %s", width, row->target, rt_clean_to(clean, sizeof clean, row->text));
}

/* A place that is watched: the selection stays on its cluster. */
static void on_seen(void *ctx, const struct rt_seen *all, size_t n, bool whole, const struct rt_error *err) {
    struct start *s = ctx;
    char *selected = s->at < s->found.n ? rt_strdup(s->found.v[s->at].target) : NULL;
    int width = 0;
    forget(s);
    s->at = n ? RT_MIN(s->at, n - 1) : 0;
    for (size_t i = 0; i < n; i++)
        width = RT_MAX(width, (int)RT_MIN(strlen(all[i].target), (size_t)60));
    for (size_t i = 0; i < n; i++) {
        *rt_vec_push(&s->found) = (struct found){rt_strdup(all[i].target), row_of(&all[i], width), rt_strdup("Enter attaches")};
        if (rt_streq(selected, all[i].target))
            s->at = i;
    }
    s->looked = whole;
    s->error = err ? *err : (struct rt_error){0};
    free(selected);
    rt_ui_mark(s->view.ui);
}

/* `where` NULL: here. */
static void look(struct start *s, const char *where) {
    struct rt_app *app = rt_ui_app(s->view.ui);
    char *copy = rt_strdup(where);
    rt_op_drop(&s->op);
    forget(s);
    free(s->where);
    s->where = copy;
    s->at = 0;
    s->looked = false;
    s->error = (struct rt_error){0};
    s->op = copy ? rt_app_watch_at(app, copy, on_seen, s) : rt_app_discover(app, on_found, s);
    if (!s->op)
        s->op = rt_app_discover_at(app, copy, on_found, s);
    rt_ui_mark(s->view.ui);
}

static int put(const struct rt_draw *d, int row, struct rt_rect r, int indent, const char *text, enum rt_role role) {
    return rt_surface_put(d->s, row, r.col + indent, r.cols - indent - 1, text, strlen(text), rt_theme_look(d->theme, role));
}

static void draw_found(struct start *s, const struct rt_draw *d, struct rt_rect r, int row) {
    const size_t shown = (size_t)RT_MAX(1, r.row + r.rows - row);
    s->first_row = row;
    if (s->at < s->top)
        s->top = s->at;
    if (s->at >= s->top + shown)
        s->top = s->at - shown + 1;
    if (s->found.n < s->top + shown)
        s->top = s->found.n > shown ? s->found.n - shown : 0;
    for (size_t i = s->top; i < s->found.n && row < r.row + r.rows; i++, row++) {
        const struct found *f = &s->found.v[i];
        const int key = f->key ? rt_width(f->key, strlen(f->key)) : 0;
        struct rt_buf text;
        char number[24];
        rt_buf_init(&text, 0);
        snprintf(number, sizeof number, "%zu", i + 1);
        rt_fit(&text, f->text, r.cols - 12 - key, RT_CUT_RIGHT, d->ascii);
        put(d, row, r, 3, number, RT_R_KEY);
        put(d, row, r, 6, rt_buf_str(&text), RT_R_TEXT);
        if (f->key && r.cols > key + 20)
            put(d, row, r, r.cols - key - 3, f->key, RT_R_DIM);
        if (i == s->at) {
            put(d, row, r, 1, ">", RT_R_ACCENT);
            rt_surface_tint(d->s, (struct rt_rect){row, r.col, 1, r.cols}, rt_theme_over(d->theme, d->focus ? RT_R_SELECT : RT_R_SELECT_DIM));
            d->s->cursor_row = row;
            d->s->cursor_col = r.col;
        }
        rt_buf_deinit(&text);
    }
}

static void draw_keys(const struct rt_draw *d, struct rt_rect r, int row) {
    static const char *const keys[][2] = {{"L", "start a Ray cluster here, on this machine"}, {"n", "new cluster, elsewhere"},
                                          {"a", "attach to an address"},                      {"A", "look again"},
                                          {"?", "keys and commands"},                         {":q", "leave"}};
    for (size_t i = 0; i < RT_COUNT(keys) && row + (int)i < r.row + r.rows; i++) {
        put(d, row + (int)i, r, 3, keys[i][0], RT_R_KEY);
        put(d, row + (int)i, r, 6, keys[i][1], RT_R_TEXT);
    }
}

static void start_draw(struct rt_view *v, const struct rt_draw *d, struct rt_rect r) {
    struct start *s = of(v);
    const struct rt_config *c = rt_ui_app(v->ui)->config;
    bool configured = false;
    for (size_t i = 0; i < c->nclusters; i++)
        configured |= c->clusters[i]->file != NULL;
    int row = r.row + (r.rows > 10 ? 1 : 0);
    char head[200], clean[160];
    const char *place = s->where ? rt_clean_to(clean, sizeof clean, s->where) : "this machine";
    if (s->error.code)
        rt_clean_to(head, sizeof head, s->error.message);
    else
        snprintf(head, sizeof head, s->found.n ? "Found on %s:" : !s->looked ? "Looking at %s ..." : "No Ray was found on %s.", place);
    if (!configured)
        row += put(d, row, r, 2, "Nothing is configured yet.", RT_R_STRONG) > 0;
    put(d, row, r, 2, head, RT_R_TEXT);
    row += r.rows > 10 ? 2 : 1;
    draw_found(s, d, r, row);
    draw_keys(d, r, row + (int)s->found.n + (r.rows > 10 && s->found.n ? 1 : 0));
}

static void attach(struct start *s, size_t i) {
    if (i >= s->found.n)
        return;
    char *target = rt_strdup(s->found.v[i].target);
    if (rt_app_is_place(target)) {
        look(s, target);
        free(target);
        return;
    }
    struct rt_buf line;
    rt_buf_init(&line, 0);
    rt_buf_addf(&line, "open \"%s\"", target);
    rt_ui_command(s->view.ui, rt_buf_str(&line));
    rt_buf_deinit(&line);
    free(target);
}

static void move(struct start *s, size_t to) {
    if (to < s->found.n)
        s->at = to;
    rt_ui_mark(s->view.ui);
}

static bool start_key(struct rt_view *v, struct rt_key k) {
    struct start *s = of(v);
    if (k.mods)
        return false;
    if (k.code >= '1' && k.code <= '9' && (size_t)(k.code - '1') < s->found.n)
        attach(s, (size_t)(k.code - '1'));
    else if (k.code == 'j' || k.code == RT_K_DOWN)
        move(s, s->at + 1);
    else if (k.code == 'k' || k.code == RT_K_UP)
        move(s, s->at ? s->at - 1 : 0);
    else if (k.code == RT_K_ENTER)
        attach(s, s->at);
    else
        return false;
    return true;
}

static bool start_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r) {
    struct start *s = of(v);
    (void)r;
    if (ev->mouse != RT_MOUSE_PRESS || ev->row < s->first_row)
        return false;
    move(s, s->top + (size_t)(ev->row - s->first_row));
    if (ev->double_click)
        attach(s, s->at);
    return true;
}

static enum rt_taken start_command(struct rt_view *v, const struct rt_strs *w, struct rt_error *err) {
    (void)err;
    if (!rt_streq(w->v[0], "discover"))
        return RT_TAKEN_NO;
    look(of(v), w->n > 1 ? w->v[1] : of(v)->where);
    return RT_TAKEN_YES;
}

static void start_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    (void)v;
    (void)right;
    rt_buf_adds(left, "start");
}

static void start_text(struct rt_view *v, struct rt_buf *out) {
    for (size_t i = 0; i < of(v)->found.n; i++)
        rt_buf_addf(out, "%s\t%s\n", of(v)->found.v[i].target, of(v)->found.v[i].text);
}

static void start_destroy(struct rt_view *v) {
    struct start *s = of(v);
    rt_op_drop(&s->op);
    forget(s);
    free(s->where);
    rt_vec_deinit(&s->found);
    free(s);
}

static const struct rt_view_ops ops = {.name = "start", .draw = start_draw, .title = start_title, .key = start_key,
                                       .mouse = start_mouse, .command = start_command, .text = start_text, .destroy = start_destroy};

struct rt_view *rt_view_start(struct rt_ui *ui) {
    struct start *s = RT_NEW(struct start);
    s->view = (struct rt_view){.ops = &ops, .ui = ui};
    look(s, NULL);
    return &s->view;
}
