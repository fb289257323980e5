/* One frame: header, tabs, panes in their frames, the bottom line, popups. */
#include "ui/shell.h"

#include "base/str.h"

static struct rt_look look(const struct rt_draw *d, enum rt_role r) {
    return rt_theme_look(d->theme, r);
}

static int put(const struct rt_draw *d, int row, int col, int cols, const char *text, enum rt_role role) {
    return cols > 0 ? rt_surface_put(d->s, row, col, cols, text, strlen(text), look(d, role)) : 0;
}

/* ---- tabs ---- */

/* What a number opens. Log files are not a view of their own: 7 shows those of a node in front of any. */
struct tab {
    const char *key, *name, *command;
    bool active;
};

static size_t tabs_of(const struct rt_ui *ui, struct tab out[RT_TABS_MAX]) {
    size_t n = 0;
    for (size_t i = 0; rt_view_defs[i].name && n + 1 < RT_TABS_MAX; i++) {
        const struct rt_view_def *v = &rt_view_defs[i];
        if (!v->tab)
            continue;
        if (rt_streq(v->tab, "8"))
            out[n++] = (struct tab){"7", "logs", "node-logs", false};
        out[n++] = (struct tab){v->tab, v->name, v->name, i == ui->tab};
    }
    return n;
}

static int tab_cols(const struct tab *t) {
    return (int)(strlen(t->key) + strlen(t->name)) + 1;
}

/* Two blanks between them where those with a number find room so. */
static int tab_gap(const struct tab *v, size_t n, int cols) {
    int need = 0;
    for (size_t i = 0; i < n; i++)
        need += v[i].key[0] >= '0' && v[i].key[0] <= '9' ? tab_cols(&v[i]) + 2 : 0;
    return need > cols ? 1 : 2;
}

void shell_tabs(struct rt_ui *ui, const struct rt_draw *d) {
    const struct rt_rect r = ui->layout.tabs;
    struct tab tabs[RT_TABS_MAX];
    const size_t n = tabs_of(ui, tabs);
    const int gap = tab_gap(tabs, n, r.cols);
    int col = r.col + 1;
    ui->ntabs = 0;
    if (r.rows < 1)
        return;
    for (size_t i = 0; i < n; i++) {
        const struct tab *t = &tabs[i];
        const int need = tab_cols(t);
        if (col + need > r.col + r.cols)
            continue;
        ui->tab_places[ui->ntabs].at = col;
        ui->tab_places[ui->ntabs].cols = need;
        ui->tab_places[ui->ntabs++].command = t->command;
        col += put(d, r.row, col, 4, t->key, t->active ? RT_R_TAB_ACTIVE : RT_R_KEY) + 1;
        col += put(d, r.row, col, need, t->name, t->active ? RT_R_TAB_ACTIVE : RT_R_TAB) + gap;
    }
}

/* ---- frames ---- */

/* What stands between "</" and ">" is the filter: seen from afar. */
static void put_right(const struct rt_draw *d, int row, int col, int cols, const char *text) {
    put(d, row, col, cols, text, RT_R_HEADER_DIM);
    const char *from = strstr(text, "</"), *to = from ? strchr(from, '>') : NULL;
    if (from && to)
        rt_surface_put(d->s, row, col + rt_width(text, (size_t)(from - text)), cols, from, (size_t)(to - from) + 1, look(d, RT_R_FILTER));
}

static size_t trimmed(const char *s) {
    size_t n = strlen(s);
    while (n && s[n - 1] == ' ')
        n--;
    return n;
}

static void frame_title(const struct rt_draw *d, struct rt_rect r, const char *left, const char *right, bool many) {
    struct rt_buf cut, clean;
    const int room = r.cols - 4;
    int right_cols = rt_width(right, trimmed(right));
    int col = r.col + 1;
    if (room < 4)
        return;
    if (right_cols > room * 2 / 3)
        right_cols = 0;
    rt_buf_init(&clean, 0);
    rt_buf_init(&cut, 0);
    rt_clean(&clean, left, strlen(left)); /* names of things stand in it, as their cluster gave them */
    rt_fit(&cut, rt_buf_str(&clean), room - (right_cols ? right_cols + 3 : 0) - (many ? 2 : 0), RT_CUT_RIGHT, d->ascii);
    const size_t word = strcspn(rt_buf_str(&cut), " ");
    col += put(d, r.row, col, 1, " ", RT_R_TITLE);
    if (many && d->focus)
        col += put(d, r.row, col, 2, "> ", RT_R_ACCENT);
    col += rt_surface_put(d->s, r.row, col, room, rt_buf_str(&cut), word, look(d, d->focus ? RT_R_TITLE_FOCUS : RT_R_TITLE));
    col += put(d, r.row, col, room, rt_buf_str(&cut) + word, RT_R_HEADER_DIM);
    put(d, r.row, col, 1, " ", RT_R_TITLE);
    if (right_cols) {
        const int at = r.col + r.cols - right_cols - 3;
        put(d, r.row, at, 1, " ", RT_R_TITLE);
        put_right(d, r.row, at + 1, right_cols, right);
        put(d, r.row, at + 1 + right_cols, 1, " ", RT_R_TITLE);
    }
    rt_buf_deinit(&cut);
    rt_buf_deinit(&clean);
}

static int panes_shown(const struct rt_ui *ui) {
    int n = 0;
    for (int p = 0; p < RT_PANE_COUNT; p++)
        n += rt_layout_shown(&ui->layout, (enum rt_pane)p);
    return n;
}

static void draw_pane(struct rt_ui *ui, struct rt_draw d, enum rt_pane p) {
    struct rt_view *v = shell_pane(ui, p);
    struct rt_rect r = ui->layout.pane[p];
    struct rt_buf left, right;
    if (!v || !rt_layout_shown(&ui->layout, p))
        return;
    d.focus = ui->focus == p && !ui->popups.n;
    d.framed = ui->layout.frames;
    if (!d.framed) {
        v->ops->draw(v, &d, r);
        return;
    }
    rt_buf_init(&left, 0);
    rt_buf_init(&right, 0);
    rt_surface_box(d.s, r, look(&d, d.focus ? RT_R_BORDER_FOCUS : RT_R_BORDER), d.ascii);
    v->ops->draw(v, &d, rt_rect_inside(r));
    if (v->ops->title) /* after drawing: it may tell what is seen */
        v->ops->title(v, &left, &right);
    else
        rt_buf_adds(&left, v->ops->name);
    frame_title(&d, r, rt_buf_str(&left), rt_buf_str(&right), panes_shown(ui) > 1);
    rt_buf_deinit(&left);
    rt_buf_deinit(&right);
}

struct rt_rect shell_popup_rect(struct rt_ui *ui, struct rt_view *v) {
    int rows = ui->surface.rows * 2 / 3, cols = ui->surface.cols * 2 / 3;
    if (v->ops->want)
        v->ops->want(v, RT_MAX(ui->surface.rows - 2, 3), ui->surface.cols, &rows, &cols);
    return rt_layout_popup(&ui->layout, ui->surface.rows, ui->surface.cols, rows, cols);
}

static void draw_popup(struct rt_ui *ui, struct rt_draw d, size_t i) {
    struct rt_view *v = ui->popups.v[i];
    const struct rt_rect r = shell_popup_rect(ui, v);
    struct rt_buf left, right;
    rt_buf_init(&left, 0);
    rt_buf_init(&right, 0);
    d.focus = i + 1 == ui->popups.n;
    d.framed = r.rows > 3;
    d.s->cursor_shown = false;
    rt_surface_fill(d.s, r, look(&d, RT_R_DIALOG));
    if (d.framed)
        rt_surface_box(d.s, r, look(&d, RT_R_DIALOG_BORDER), d.ascii);
    v->ops->draw(v, &d, d.framed ? rt_rect_inside(r) : r);
    if (v->ops->title)
        v->ops->title(v, &left, &right);
    if (d.framed)
        frame_title(&d, r, rt_buf_str(&left), rt_buf_str(&right), false);
    rt_buf_deinit(&left);
    rt_buf_deinit(&right);
}

/* ---- the frame ---- */

static void draw_too_small(const struct rt_draw *d) {
    put(d, 0, 0, d->s->cols, "raytui needs 20x5", RT_R_TEXT);
}

void shell_draw(struct rt_ui *ui) {
    int rows = 0, cols = 0;
    struct rt_draw d = {.s = &ui->surface, .theme = &ui->theme, .ascii = ui->ascii, .animations = ui->animations, .now_ms = rt_wall_ms()};
    rt_term_size(ui->term, &rows, &cols);
    rt_surface_resize(&ui->surface, rows, cols);
    rt_surface_clear(&ui->surface, look(&d, RT_R_TEXT));
    ui->surface.cursor_row = ui->surface.cursor_col = 0;
    shell_layout(ui);
    ui->marked = false;
    ui->drawn_ms = rt_mono_ms();
    if (ui->layout.too_small) {
        draw_too_small(&d);
    } else {
        shell_header(ui, &d);
        shell_tabs(ui, &d);
        for (int p = 0; p < RT_PANE_COUNT; p++)
            if ((enum rt_pane)p != ui->focus)
                draw_pane(ui, d, (enum rt_pane)p);
        draw_pane(ui, d, ui->focus); /* last: the cursor is its */
        for (size_t i = 0; i < ui->popups.n; i++)
            draw_popup(ui, d, i);
        shell_bottom(ui, &d);
    }
    rt_term_show(ui->term, &ui->surface);
}
