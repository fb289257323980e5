/* The shell: which views there are, where they stand, which one has the keys. */
#include "ui/shell.h"

#include "base/str.h"
#include "ui/dialog.h"
#include "ui/list.h"
#include <stdlib.h>

/* ---- what views ask ---- */

struct rt_app *rt_ui_app(struct rt_ui *ui) {
    return ui->app;
}

struct rt_term *rt_ui_term(struct rt_ui *ui) {
    return ui->term;
}

bool rt_ui_ascii(const struct rt_ui *ui) {
    return ui->ascii;
}

const struct rt_history *rt_ui_history(const struct rt_ui *ui) {
    return ui->history_of;
}

const char *rt_ui_cluster(const struct rt_ui *ui) {
    return ui->cluster;
}

static void touch_list(struct rt_ui *ui, struct rt_view *v, void *ctx) {
    (void)ui;
    (void)ctx;
    if (rt_view_is_list(v))
        rt_list_touch(v);
}

void rt_ui_set_cluster(struct rt_ui *ui, const char *name) {
    if (rt_streq(ui->cluster, name))
        return;
    free(ui->cluster);
    ui->cluster = rt_strdup(name);
    shell_each_view(ui, touch_list, NULL);
    for (size_t i = 0; rt_view_defs[i].name; i++)
        if (rt_streq(rt_view_defs[i].name, "clusters") && name)
            (void)rt_list_select(shell_tab(ui, i), name);
    rt_ui_mark(ui);
}

/* ---- views ---- */

struct rt_view *shell_tab(struct rt_ui *ui, size_t i) {
    if (!ui->tabs[i])
        ui->tabs[i] = rt_view_defs[i].create(ui);
    return ui->tabs[i];
}

static size_t tab_index(const char *name) {
    size_t i = 0;
    while (rt_view_defs[i].name && !rt_streq(rt_view_defs[i].name, name))
        i++;
    return i;
}

struct rt_view *shell_main(struct rt_ui *ui) {
    return shell_tab(ui, ui->tab);
}

struct rt_view *shell_side(struct rt_ui *ui) {
    return ui->pushed.n ? ui->pushed.v[ui->pushed.n - 1] : NULL;
}

struct rt_view *shell_popup(struct rt_ui *ui) {
    return ui->popups.n ? ui->popups.v[ui->popups.n - 1] : NULL;
}

struct rt_view *shell_pane(struct rt_ui *ui, enum rt_pane p) {
    switch (p) {
    case RT_PANE_CLUSTERS:
        return shell_tab(ui, tab_index("clusters"));
    case RT_PANE_POOLS:
        return shell_tab(ui, tab_index("pools"));
    case RT_PANE_MAIN:
        return shell_main(ui);
    case RT_PANE_SIDE:
        return shell_side(ui);
    case RT_PANE_COUNT:
        break;
    }
    return NULL;
}

struct rt_view *shell_focused(struct rt_ui *ui) {
    struct rt_view *v = shell_pane(ui, ui->focus);
    return v ? v : shell_main(ui);
}

void shell_each_view(struct rt_ui *ui, void (*fn)(struct rt_ui *ui, struct rt_view *v, void *ctx), void *ctx) {
    for (size_t i = 0; i < RT_TABS_MAX; i++)
        if (ui->tabs[i])
            fn(ui, ui->tabs[i], ctx);
    for (size_t i = 0; i < ui->pushed.n; i++)
        fn(ui, ui->pushed.v[i], ctx);
    for (size_t i = 0; i < ui->popups.n; i++)
        fn(ui, ui->popups.v[i], ctx);
}

/* ---- places ---- */

static void set_rails(struct rt_ui *ui) {
    for (enum rt_pane p = RT_PANE_CLUSTERS; p <= RT_PANE_POOLS; p++) {
        struct rt_view *v = ui->tabs[tab_index(p == RT_PANE_CLUSTERS ? "clusters" : "pools")];
        if (v)
            rt_list_set_rail(v, rt_layout_shown(&ui->layout, p) && !(ui->zoom && ui->focus == p));
    }
}

/* A pane that went with the room gives the focus to what is seen. */
static void settle_focus(struct rt_ui *ui) {
    if (rt_layout_shown(&ui->layout, ui->focus) && (ui->focus != RT_PANE_SIDE || ui->pushed.n))
        return;
    ui->focus = ui->layout.side_replaces && ui->pushed.n ? RT_PANE_SIDE : RT_PANE_MAIN;
}

/* What the list in the middle has to show; 0: it is no list. */
static int main_rows(struct rt_ui *ui) {
    struct rt_view *v = shell_pane(ui, RT_PANE_MAIN);
    return v && rt_view_is_list(v) ? (int)RT_MAX(RT_MIN(rt_list_rows(v)->n, (size_t)1000), (size_t)1) : 0;
}

void shell_layout(struct rt_ui *ui) {
    const char *name = rt_view_defs[ui->tab].name;
    struct rt_layout_in in = {.side = ui->pushed.n > 0, .zoom = ui->zoom, .focus = ui->focus,
                              .rail_cols = ui->rail_cols, .side_share = ui->side_share};
    rt_term_size(ui->term, &in.rows, &in.cols);
    const bool rail = !rt_streq(name, "clusters") && !rt_streq(name, "start") && !rt_streq(name, "pulse") && !ui->log_alone;
    in.rail_clusters = rail;
    in.rail_pools = rail && !rt_streq(name, "pools");
    in.uses = ui->cluster && rt_store_cluster(ui->app->store, ui->cluster) != NULL;
    in.cluster_rows = (int)RT_MIN(rt_store_count(ui->app->store), (size_t)40);
    in.main_rows = main_rows(ui);
    if (ui->log_alone) {
        in.zoom = true;
        in.focus = RT_PANE_SIDE;
    }
    rt_layout_make(&in, &ui->layout);
    settle_focus(ui);
    set_rails(ui);
}

void shell_focus(struct rt_ui *ui, enum rt_pane p) {
    if (!shell_pane(ui, p) || !rt_layout_shown(&ui->layout, p))
        return;
    ui->focus = p;
    rt_ui_mark(ui);
}

void shell_focus_step(struct rt_ui *ui, int step) {
    for (int i = 1; i <= RT_PANE_COUNT; i++) {
        const enum rt_pane p = (enum rt_pane)(((int)ui->focus + step * i + RT_PANE_COUNT * 2) % RT_PANE_COUNT);
        if (rt_layout_shown(&ui->layout, p) && shell_pane(ui, p)) {
            shell_focus(ui, p);
            return;
        }
    }
}

/* ---- closing ---- */

static void destroy_closing(void *ctx) {
    struct rt_ui *ui = ctx;
    ui->close_later = NULL;
    while (ui->closing.n) {
        struct rt_view *v = ui->closing.v[--ui->closing.n];
        v->ops->destroy(v);
    }
}

static void bury(struct rt_ui *ui, struct rt_view *v) {
    *rt_vec_push(&ui->closing) = v;
    if (!ui->close_later)
        ui->close_later = rt_loop_defer(ui->app->loop, destroy_closing, ui);
    rt_ui_mark(ui);
}

void rt_ui_close(struct rt_ui *ui, struct rt_view *v) {
    for (size_t i = 0; i < ui->popups.n; i++)
        if (ui->popups.v[i] == v) {
            rt_vec_remove(&ui->popups, i);
            bury(ui, v);
            return;
        }
    for (size_t i = 0; i < ui->pushed.n; i++)
        if (ui->pushed.v[i] == v) {
            rt_vec_remove(&ui->pushed, i);
            bury(ui, v);
            if (!ui->pushed.n && ui->focus == RT_PANE_SIDE)
                ui->focus = RT_PANE_MAIN;
            if (!ui->pushed.n && ui->log_alone)
                shell_quit(ui, false);
            return;
        }
}

void shell_close_pushed(struct rt_ui *ui) {
    while (ui->pushed.n)
        rt_ui_close(ui, ui->pushed.v[ui->pushed.n - 1]);
}

/* ---- opening ---- */

void rt_ui_push(struct rt_ui *ui, struct rt_view *v) {
    struct rt_view *top = shell_side(ui);
    if (top && rt_streq(top->ops->name, v->ops->name))
        rt_ui_close(ui, top);
    *rt_vec_push(&ui->pushed) = v;
    if (ui->zoom && ui->focus != RT_PANE_SIDE)
        ui->zoom = false;
    ui->focus = RT_PANE_SIDE;
    rt_ui_mark(ui);
}

struct rt_setup *rt_ui_setup(struct rt_ui *ui) {
    return &ui->setup;
}

void rt_ui_popup(struct rt_ui *ui, struct rt_view *v) {
    *rt_vec_push(&ui->popups) = v;
    rt_ui_mark(ui);
}

static void remember(struct rt_ui *ui, size_t tab) {
    if (ui->history_n && ui->history[ui->history_at] == tab)
        return;
    if (ui->history_n)
        ui->history_n = ui->history_at + 1;
    if (ui->history_n == RT_COUNT(ui->history)) {
        memmove(ui->history, ui->history + 1, sizeof ui->history - sizeof *ui->history);
        ui->history_n--;
    }
    ui->history[ui->history_n] = tab;
    ui->history_at = ui->history_n++;
}

static void go_to(struct rt_ui *ui, size_t tab) {
    const bool beside = rt_layout_shown(&ui->layout, RT_PANE_SIDE) && !ui->layout.side_replaces;
    if (!beside)
        shell_close_pushed(ui);
    ui->tab = tab;
    ui->zoom = false;
    ui->focus = RT_PANE_MAIN;
    rt_ui_mark(ui);
}

bool shell_open_tab(struct rt_ui *ui, const char *name) {
    const size_t i = tab_index(name);
    if (!rt_view_defs[i].name)
        return false;
    remember(ui, i);
    go_to(ui, i);
    return true;
}

void shell_history(struct rt_ui *ui, int step) {
    if (!ui->history_n || (step < 0 && ui->history_at == 0) || (step > 0 && ui->history_at + 1 >= ui->history_n))
        return;
    ui->history_at = step < 0 ? ui->history_at - 1 : ui->history_at + 1;
    go_to(ui, ui->history[ui->history_at]);
}

/* Esc: a toast, a step inside the view, the view beside, the list of before. */
void shell_back(struct rt_ui *ui) {
    struct rt_view *v = shell_focused(ui);
    if (toast_dismiss(ui))
        return;
    if (v->ops->back && v->ops->back(v))
        return;
    if (ui->zoom && !ui->log_alone) {
        ui->zoom = false;
        rt_ui_mark(ui);
    } else if (shell_side(ui) && !ui->log_alone) {
        rt_ui_close(ui, shell_side(ui));
    } else if (ui->focus != RT_PANE_MAIN && !ui->log_alone) {
        shell_focus(ui, RT_PANE_MAIN);
    } else {
        shell_history(ui, -1);
    }
}

/* ---- leaving ---- */

static void leave_answer(void *ctx, bool yes) {
    struct rt_ui *ui = ctx;
    ui->quit_asked = false;
    if (yes)
        shell_quit(ui, false);
}

void shell_quit(struct rt_ui *ui, bool ask) {
    const size_t n = rt_operations_running(ui->app->operations);
    if (!ask || !n) {
        ui->leaving = true;
        rt_loop_stop(ui->app->loop);
        return;
    }
    if (ui->quit_asked)
        return;
    ui->quit_asked = true;
    struct rt_confirmation c = {.grade = RT_CONFIRM_YES_NO};
    c.title = rt_strf("Leave with %zu operation%s running?", n, n == 1 ? "" : "s");
    c.text = rt_strdup("What raytui drives stops after the step that is running; the next start knows what it made.\n@ lists them.");
    rt_ui_popup(ui, rt_dialog_confirm(ui, &c, leave_answer, ui));
}
