/* Events of the terminal: keys to views, the keymap and command lines; pastes; the mouse. */
#include "ui/shell.h"

#include "base/str.h"
#include <stdlib.h>

static bool run_binding(struct rt_ui *ui, const struct rt_bind *b) {
    struct rt_error err = {0};
    char *line = rt_strdup(b->command); /* a reload may take the keymap away */
    if (b->own) {
        const struct shell_own own = {.name = b->help && *b->help ? b->help : line, .line = line, .confirm = b->confirm, .writes = b->writes};
        if (!shell_run_own(ui, &own, &err) && err.code)
            rt_ui_error(ui, &err);
    } else {
        rt_ui_command(ui, line);
    }
    free(line);
    return true;
}

static bool key_to_view(struct rt_ui *ui, struct rt_view *v, struct rt_key k) {
    if (v->ops->key && v->ops->key(v, k))
        return true;
    const struct rt_bind *b = rt_keymap_find(&ui->keymap, v->ops->name, v->ops->klass, k);
    return b && run_binding(ui, b);
}

/* What works over a question too. */
static bool key_over_modal(struct rt_ui *ui, struct rt_key k) {
    if (!(k.mods & RT_MOD_CTRL) || (k.code != 'l' && k.code != 'z'))
        return false;
    rt_ui_command(ui, k.code == 'l' ? "redraw" : "background");
    return true;
}

bool rt_ui_key(struct rt_ui *ui, struct rt_key k) {
    struct rt_view *popup = shell_popup(ui);
    rt_ui_mark(ui);
    if (ui->prompt)
        return prompt_key(ui, k);
    if (popup && popup->ops->modal)
        return (popup->ops->key && popup->ops->key(popup, k)) || key_over_modal(ui, k);
    return key_to_view(ui, popup ? popup : shell_focused(ui), k);
}

static void paste(struct rt_ui *ui, const char *text, size_t n) {
    struct rt_view *v = shell_popup(ui) ? shell_popup(ui) : shell_focused(ui);
    if (ui->prompt)
        rt_input_paste(&ui->input, text, n);
    else if (v->ops->paste)
        v->ops->paste(v, text, n);
}

/* ---- mouse ---- */

static bool click_hint(struct rt_ui *ui, int col) {
    for (size_t i = 0; i < ui->nhints; i++)
        if (col >= ui->hints[i].at && col < ui->hints[i].at + ui->hints[i].cols)
            return rt_ui_key(ui, ui->hints[i].key);
    return false;
}

static bool click_tab(struct rt_ui *ui, int col) {
    for (size_t i = 0; i < ui->ntabs; i++)
        if (col >= ui->tab_places[i].at && col < ui->tab_places[i].at + ui->tab_places[i].cols)
            return rt_ui_command(ui, ui->tab_places[i].command);
    return false;
}

static enum rt_pane pane_at(const struct rt_ui *ui, int row, int col) {
    for (int p = 0; p < RT_PANE_COUNT; p++)
        if (rt_rect_has(ui->layout.pane[p], row, col))
            return (enum rt_pane)p;
    return RT_PANE_COUNT;
}

/* A border between panes is taken at its left or upper pane's last line. */
static bool begin_drag(struct rt_ui *ui, int row, int col) {
    const struct rt_layout *l = &ui->layout;
    const struct rt_rect main = l->pane[RT_PANE_MAIN], side = l->pane[RT_PANE_SIDE];
    if (rt_layout_shown(l, RT_PANE_CLUSTERS) && l->pane[RT_PANE_CLUSTERS].col == 0 && col == main.col - 1 && main.cols > 0 && main.col > 0) {
        ui->dragged = RT_PANE_CLUSTERS;
        return true;
    }
    if (!rt_layout_shown(l, RT_PANE_SIDE) || l->side_replaces)
        return false;
    if ((side.row > main.row && row == side.row && col >= side.col) || (side.col > main.col && col == side.col)) {
        ui->dragged = RT_PANE_SIDE;
        return true;
    }
    return false;
}

static void drag(struct rt_ui *ui, int row, int col) {
    const struct rt_rect main = ui->layout.pane[RT_PANE_MAIN], side = ui->layout.pane[RT_PANE_SIDE];
    if (ui->dragged == RT_PANE_CLUSTERS)
        ui->rail_cols = col + 1;
    else if (side.row > main.row)
        ui->side_share = 100 - RT_MAX(RT_MIN((row - main.row) * 100 / (main.rows + side.rows), 90), 10);
    else
        ui->side_share = 100 - RT_MAX(RT_MIN((col - main.col) * 100 / (main.cols + side.cols), 90), 10);
}

static void mouse_to_pane(struct rt_ui *ui, const struct rt_event *ev) {
    const enum rt_pane p = pane_at(ui, ev->row, ev->col);
    struct rt_view *v = p == RT_PANE_COUNT ? NULL : shell_pane(ui, p);
    if (!v)
        return;
    if (ev->mouse == RT_MOUSE_PRESS)
        shell_focus(ui, p);
    const struct rt_rect r = ui->layout.frames ? rt_rect_inside(ui->layout.pane[p]) : ui->layout.pane[p];
    if (v->ops->mouse)
        v->ops->mouse(v, ev, r);
}

static void mouse(struct rt_ui *ui, const struct rt_event *ev) {
    struct rt_view *popup = shell_popup(ui);
    if (ui->dragged != RT_PANE_COUNT) {
        if (ev->mouse == RT_MOUSE_DRAG)
            drag(ui, ev->row, ev->col);
        else
            ui->dragged = RT_PANE_COUNT;
        return;
    }
    if (popup) {
        const struct rt_rect r = shell_popup_rect(ui, popup);
        if (popup->ops->mouse && rt_rect_has(r, ev->row, ev->col))
            popup->ops->mouse(popup, ev, rt_rect_inside(r));
        return;
    }
    if (ev->mouse == RT_MOUSE_PRESS && rt_rect_has(ui->layout.hints, ev->row, ev->col) && click_hint(ui, ev->col))
        return;
    if (ev->mouse == RT_MOUSE_PRESS && rt_rect_has(ui->layout.tabs, ev->row, ev->col) && click_tab(ui, ev->col))
        return;
    if (ev->mouse == RT_MOUSE_PRESS && ev->button == 1 && begin_drag(ui, ev->row, ev->col))
        return;
    mouse_to_pane(ui, ev);
}

void shell_event(void *ctx, const struct rt_event *ev) {
    struct rt_ui *ui = ctx;
    switch (ev->type) {
    case RT_EV_KEY:
        rt_ui_key(ui, ev->key);
        break;
    case RT_EV_PASTE:
        paste(ui, ev->text, ev->len);
        break;
    case RT_EV_MOUSE:
        mouse(ui, ev);
        break;
    case RT_EV_REPORT:
        return;
    }
    shell_frame_now(ui);
}
