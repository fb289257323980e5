/* Menus: a short list over everything, a line for each choice. */
#include "ui/menu.h"

#include "base/str.h"
#include "base/vec.h"
#include "ui/tools.h"
#include <stdlib.h>

struct item {
    char *key, *text, *command;
};

struct menu {
    struct rt_view view;
    char *title;
    RT_VEC(struct item) items;
    size_t at, top;
};

static struct menu *of(struct rt_view *v) {
    return (struct menu *)v;
}

static void choose(struct menu *m, size_t i) {
    if (i >= m->items.n)
        return;
    rt_ui_close(m->view.ui, &m->view);
    rt_ui_command(m->view.ui, m->items.v[i].command);
}

static void move_to(struct menu *m, size_t i) {
    m->at = RT_MIN(i, m->items.n ? m->items.n - 1 : 0);
    rt_ui_mark(m->view.ui);
}

/* A key that an item names comes before the keys of moving. */
static bool item_key(struct menu *m, struct rt_key k) {
    for (size_t i = 0; i < m->items.n; i++) {
        struct rt_key own;
        if (*m->items.v[i].key && rt_key_parse(m->items.v[i].key, &own) && rt_key_equal(own, k)) {
            choose(m, i);
            return true;
        }
    }
    return false;
}

static bool menu_key(struct rt_view *v, struct rt_key k) {
    struct menu *m = of(v);
    if (item_key(m, k))
        return true;
    if (k.mods & ~(uint32_t)RT_MOD_SHIFT)
        return false;
    switch (k.code) {
    case 'j':
    case RT_K_DOWN:
    case RT_K_TAB:
        move_to(m, m->at + 1);
        return true;
    case 'k':
    case RT_K_UP:
        move_to(m, m->at ? m->at - 1 : 0);
        return true;
    case 'g':
    case RT_K_HOME:
        move_to(m, 0);
        return true;
    case 'G':
    case RT_K_END:
        move_to(m, m->items.n);
        return true;
    case RT_K_ENTER:
        choose(m, m->at);
        return true;
    case 'Q':
        rt_ui_command(v->ui, "quit");
        return true;
    case 'q':
    case RT_K_ESC:
        rt_ui_close(v->ui, v);
        return true;
    default:
        return false;
    }
}

static bool menu_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r) {
    struct menu *m = of(v);
    if (ev->mouse == RT_MOUSE_WHEEL_UP)
        move_to(m, m->at ? m->at - 1 : 0);
    else if (ev->mouse == RT_MOUSE_WHEEL_DOWN)
        move_to(m, m->at + 1);
    else if (ev->mouse == RT_MOUSE_PRESS && rt_rect_has(r, ev->row, ev->col))
        choose(m, m->top + (size_t)(ev->row - r.row));
    return true;
}

static int key_cols(const struct menu *m) {
    int most = 0;
    for (size_t i = 0; i < m->items.n; i++)
        most = RT_MAX(most, rt_width(m->items.v[i].key, strlen(m->items.v[i].key)));
    return most;
}

static void menu_draw(struct rt_view *v, const struct rt_draw *w, struct rt_rect r) {
    struct menu *m = of(v);
    const int keys = key_cols(m);
    const struct rt_look look = rt_theme_look(w->theme, RT_R_DIALOG), key = rt_tool_look(w->theme, RT_R_DIALOG, RT_R_KEY);
    rt_surface_fill(w->s, r, look);
    w->s->cursor_shown = false;
    const size_t rows = (size_t)RT_MAX(r.rows, 1);
    if (m->at < m->top)
        m->top = m->at;
    if (m->at >= m->top + rows)
        m->top = m->at - rows + 1;
    for (size_t i = m->top; i < m->items.n && i < m->top + rows; i++) {
        const int row = r.row + (int)(i - m->top);
        rt_tool_put(w->s, row, r.col, 1, i == m->at ? ">" : " ", look);
        rt_tool_put(w->s, row, r.col + 2, keys, m->items.v[i].key, key);
        rt_tool_put(w->s, row, r.col + 2 + keys + (keys ? 2 : 0), r.cols - keys - 5, m->items.v[i].text, look);
        if (i != m->at)
            continue;
        rt_surface_tint(w->s, (struct rt_rect){row, r.col, 1, r.cols}, rt_theme_over(w->theme, RT_R_SELECT));
        w->s->cursor_row = row;
        w->s->cursor_col = r.col;
        w->s->cursor_shown = true;
    }
}

static void menu_want(struct rt_view *v, int max_rows, int max_cols, int *rows, int *cols) {
    const struct menu *m = of(v);
    int most = rt_width(m->title, strlen(m->title)) + 4;
    for (size_t i = 0; i < m->items.n; i++)
        most = RT_MAX(most, rt_width(m->items.v[i].text, strlen(m->items.v[i].text)) + key_cols(m) + 6);
    *cols = RT_MIN(max_cols, most + 2);
    *rows = RT_MIN(max_rows, (int)RT_MIN(m->items.n, (size_t)10000) + 2);
}

static void menu_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    (void)right;
    rt_buf_adds(left, of(v)->title);
}

static void menu_text(struct rt_view *v, struct rt_buf *out) {
    const struct menu *m = of(v);
    for (size_t i = 0; i < m->items.n; i++)
        rt_buf_addf(out, "%-8s %-40s %s\n", m->items.v[i].key, m->items.v[i].text, m->items.v[i].command);
}

static void menu_destroy(struct rt_view *v) {
    struct menu *m = of(v);
    for (size_t i = 0; i < m->items.n; i++) {
        free(m->items.v[i].key);
        free(m->items.v[i].text);
        free(m->items.v[i].command);
    }
    rt_vec_deinit(&m->items);
    free(m->title);
    free(m);
}

static const struct rt_view_ops ops = {
    .name = "menu",
    .modal = true,
    .draw = menu_draw,
    .title = menu_title,
    .key = menu_key,
    .mouse = menu_mouse,
    .want = menu_want,
    .text = menu_text,
    .destroy = menu_destroy,
};

struct rt_view *rt_menu_create(struct rt_ui *ui, const char *title) {
    struct menu *m = RT_NEW(struct menu);
    m->view = (struct rt_view){.ops = &ops, .ui = ui};
    m->title = rt_strdup(title);
    return &m->view;
}

void rt_menu_add(struct rt_view *menu, const char *key, const char *text, const char *command) {
    struct menu *m = of(menu);
    struct item *i = rt_vec_push(&m->items);
    *i = (struct item){rt_strdup(key ? key : ""), rt_strdup(text), rt_strdup(command)};
}
