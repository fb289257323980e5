/* The screen from its opening to its end: terminal, store, timers, frames. */
#include "ui/shell.h"

#include "app/work.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/str.h"
#include "core/history.h"
#include "net/proc.h"
#include "ui/list.h"
#include "ui/notices.h"
#include <stdio.h>
#include <stdlib.h>

#define FRAME_MS 33
#define TICK_MS 1000
#define SPIN_MS 250

struct rt_ui *rt_ui_create(struct rt_error *err) {
    if (!rt_term_usable(err))
        return NULL;
    struct rt_ui *ui = RT_NEW(struct rt_ui);
    ui->asker = (struct rt_asker){asker_ask, ui};
    ui->dragged = RT_PANE_COUNT;
    ui->focus = RT_PANE_MAIN;
    ui->choice_at = SIZE_MAX;
    rt_surface_init(&ui->surface);
    rt_input_init(&ui->input);
    return ui;
}

const struct rt_asker *rt_ui_asker(struct rt_ui *ui) {
    return &ui->asker;
}

/* ---- frames ---- */

static void draw(struct rt_ui *ui) {
    if (!ui->running_now || ui->leaving)
        return;
    shell_draw(ui);
    shell_look(ui);
    shell_title(ui);
}

static void on_frame_now(void *ctx) {
    struct rt_ui *ui = ctx;
    ui->frame_now = NULL;
    draw(ui);
}

static void on_frame(void *ctx) {
    struct rt_ui *ui = ctx;
    if (ui->marked)
        draw(ui);
}

void shell_frame_now(struct rt_ui *ui) {
    ui->marked = true;
    if (!ui->frame_now && ui->running_now)
        ui->frame_now = rt_loop_defer(ui->app->loop, on_frame_now, ui);
}

void rt_ui_mark(struct rt_ui *ui) {
    if (ui->marked || !ui->running_now)
        return;
    ui->marked = true;
    const int64_t wait = ui->drawn_ms + FRAME_MS - rt_mono_ms();
    if (wait <= 0)
        shell_frame_now(ui);
    else
        rt_timer_again(ui->frame, wait, 0);
}

/* ---- what makes frames ---- */

struct change {
    struct rt_cluster *c;
    enum rt_topic t;
};

static void tell_view(struct rt_ui *ui, struct rt_view *v, void *ctx) {
    const struct change *change = ctx;
    (void)ui;
    if (v->ops->changed)
        v->ops->changed(v, change->c, change->t);
}

static void on_store(void *ctx, struct rt_cluster *c, enum rt_topic t) {
    struct rt_ui *ui = ctx;
    struct change change = {c, t};
    shell_each_view(ui, tell_view, &change);
    rt_ui_mark(ui);
}

static bool any_ticks(struct rt_ui *ui) {
    const struct rt_cluster *c = ui->cluster ? rt_store_cluster(ui->app->store, ui->cluster) : NULL;
    if (c && c->fresh[RT_T_CLUSTER].at_ms + c->fresh[RT_T_NODES].at_ms > 0)
        return true;
    for (int p = 0; p < RT_PANE_COUNT; p++) {
        struct rt_view *v = rt_layout_shown(&ui->layout, (enum rt_pane)p) ? shell_pane(ui, (enum rt_pane)p) : NULL;
        if (v && v->ops->ticks && v->ops->ticks(v))
            return true;
    }
    return false;
}

static void setup_load(struct rt_ui *ui) {
    char *path = rt_path(RT_DIR_STATE, "ui.json");
    struct rt_error err = {0};
    if (!rt_setup_load(&ui->setup, path, &err)) {
        rt_log(RT_LOG_WARN, "%s", err.message);
        rt_ui_error(ui, &err);
    }
    free(path);
}

void setup_save(struct rt_ui *ui) {
    struct rt_error err = {0};
    if (!ui->setup.changed)
        return;
    char *path = rt_path(RT_DIR_STATE, "ui.json");
    if (!rt_setup_save(&ui->setup, path, &err)) {
        rt_log(RT_LOG_WARN, "columns and order are not remembered: %s", err.message);
        rt_ui_note(ui, "columns and order are not remembered: %s", err.message);
    }
    free(path);
}

static void on_tick(void *ctx) {
    struct rt_ui *ui = ctx;
    setup_save(ui);
    const bool busy = ui->animations && rt_operations_running(ui->app->operations) > 0;
    rt_timer_again(ui->tick, busy ? SPIN_MS : TICK_MS, 0);
    if (busy || any_ticks(ui))
        rt_ui_mark(ui);
}

static void on_resized(void *ctx) {
    draw(ctx);
}

static void on_resumed(void *ctx) {
    shell_frame_now(ctx);
}

static void on_gone(void *ctx) {
    struct rt_ui *ui = ctx;
    const int signum = rt_term_ended_by(ui->term);
    ui->status = signum ? 128 + signum : 0;
    shell_quit(ui, false);
}

/* ---- opening ---- */

static void on_key_problem(void *ctx, const struct rt_error *err) {
    rt_ui_error(ctx, err);
}

void shell_load_keys(struct rt_ui *ui) {
    rt_keymap_deinit(&ui->keymap);
    rt_keymap_init(&ui->keymap, ui->app->config, on_key_problem, ui);
}

void shell_load_theme(struct rt_ui *ui, const char *name) {
    struct rt_error err = {0};
    if (!rt_theme_load(&ui->theme, name, rt_term_depth(ui->term), &err))
        rt_ui_error(ui, &err);
}

static bool open_terminal(struct rt_ui *ui, const struct rt_ui_opts *o, struct rt_error *err) {
    const struct rt_term_events ev = {shell_event, on_resized, on_gone, on_resumed, ui};
    const struct rt_config *c = ui->app->config;
    ui->term = rt_term_open(ui->app->loop, o->color, &ev, err);
    if (!ui->term)
        return false;
    ui->ascii = o->ascii || c->ascii || !rt_term_utf8();
    ui->animations = c->animations;
    ui->mouse = c->mouse;
    rt_term_mouse(ui->term, ui->mouse);
    shell_load_theme(ui, o->theme ? o->theme : c->theme ? c->theme : "default");
    shell_load_keys(ui);
    return true;
}

/* Did the person name any cluster? `local` is there always. */
static bool configured(const struct rt_config *c) {
    for (size_t i = 0; i < c->nclusters; i++)
        if (c->clusters[i]->file)
            return true;
    return c->nproblems > 0;
}

static void open_log(struct rt_ui *ui, const char *file) {
    struct rt_error err = {0};
    const struct rt_log_target t = {.what = RT_LOG_FILE, .id = file};
    struct rt_view *v = rt_view_log(ui, &t, &err);
    ui->log_alone = v != NULL;
    if (v)
        rt_ui_push(ui, v);
    else
        rt_ui_error(ui, &err);
}

/* A named cluster shows its jobs, no cluster at all the first-run page, else the list of clusters. */
static void open_first(struct rt_ui *ui, const struct rt_ui_opts *o) {
    struct rt_error err = {0};
    const char *name = o->target ? rt_app_target(ui->app, o->target, &err) : NULL;
    if (err.code)
        rt_ui_error(ui, &err);
    if (name) {
        rt_ui_set_cluster(ui, name);
        shell_open_tab(ui, "jobs");
        rt_ui_command(ui, "open");
        if (!rt_app_start(ui->app, name, &err))
            rt_ui_error(ui, &err);
        shell_offer_left(ui);
        return;
    }
    shell_open_tab(ui, configured(ui->app->config) || o->log_file ? "clusters" : "start");
    if (o->log_file)
        open_log(ui, o->log_file);
    else
        rt_app_attach_all(ui->app);
    shell_offer_left(ui);
    if (ui->app->config->nproblems)
        rt_ui_error(ui, &ui->app->config->problems[0]);
}

static void destroy_views(struct rt_ui *ui) {
    rt_op_drop(&ui->close_later);
    while (ui->popups.n) {
        struct rt_view *v = ui->popups.v[--ui->popups.n];
        v->ops->destroy(v);
    }
    while (ui->pushed.n) {
        struct rt_view *v = ui->pushed.v[--ui->pushed.n];
        v->ops->destroy(v);
    }
    while (ui->closing.n) {
        struct rt_view *v = ui->closing.v[--ui->closing.n];
        v->ops->destroy(v);
    }
    for (size_t i = 0; i < RT_TABS_MAX; i++) {
        if (ui->tabs[i])
            ui->tabs[i]->ops->destroy(ui->tabs[i]);
        ui->tabs[i] = NULL;
    }
}

static void drop_calls(struct rt_ui *ui) {
    for (size_t i = 0; i < ui->calls.n; i++)
        ui->calls.v[i]->dialog = NULL; /* its dialog is gone */
    calls_cancel(ui);
}

static void shut(struct rt_ui *ui) {
    ui->running_now = false;
    rt_term_close(ui->term);
    ui->term = NULL;
    rt_store_unwatch(ui->app->store, on_store, ui);
    scaling_stop(ui);
    rt_op_drop(&ui->frame_now);
    destroy_views(ui);
    rt_history_destroy(ui->history_of);
    rt_notices_destroy(ui->notices);
    ui->history_of = NULL;
    ui->notices = NULL;
    drop_calls(ui);
    rt_proc_destroy(ui->clipboard);
    ui->clipboard = NULL;
    rt_timer_stop(ui->frame);
    rt_timer_stop(ui->tick);
    rt_timer_stop(ui->toast_timer);
    ui->frame = ui->tick = ui->toast_timer = NULL;
    prompt_save(ui);
    setup_save(ui);
}

int rt_ui_run(struct rt_ui *ui, struct rt_app *app, const struct rt_ui_opts *o) {
    struct rt_error err = {0};
    ui->app = app;
    if (!open_terminal(ui, o, &err)) {
        fprintf(stderr, "raytui: %s\n", err.message);
        return rt_code_exit(err.code);
    }
    prompt_load(ui);
    ui->frame = rt_timer_start(app->loop, INT64_C(1) << 40, 0, on_frame, ui);
    ui->tick = rt_timer_start(app->loop, TICK_MS, 0, on_tick, ui);
    ui->notices = rt_notices_create(app->store, shell_notice, ui);
    ui->history_of = rt_history_create(app->store); /* before the views look */
    rt_store_watch(app->store, on_store, ui);
    ui->running_now = true;
    setup_load(ui);
    shell_open_tab(ui, "clusters");
    ui->history_n = ui->history_at = 0;
    shell_layout(ui);
    open_first(ui, o);
    draw(ui);
    rt_loop_run(app->loop);
    shut(ui);
    return ui->status;
}

void rt_ui_destroy(struct rt_ui *ui) {
    if (!ui)
        return;
    rt_keymap_deinit(&ui->keymap);
    rt_surface_deinit(&ui->surface);
    rt_input_deinit(&ui->input);
    rt_setup_deinit(&ui->setup);
    rt_strs_deinit(&ui->past);
    rt_strs_deinit(&ui->left);
    rt_strs_deinit(&ui->choices);
    for (size_t i = 0; i < ui->looked.n; i++)
        free(ui->looked.v[i].cluster);
    rt_vec_deinit(&ui->looked);
    rt_vec_deinit(&ui->pushed);
    rt_vec_deinit(&ui->popups);
    rt_vec_deinit(&ui->closing);
    rt_vec_deinit(&ui->calls);
    rt_vec_deinit(&ui->asked);
    free(ui->toast.text);
    free(ui->toast.undo);
    free(ui->find_before);
    free(ui->own_line);
    free(ui->last_line);
    free(ui->cluster);
    free(ui);
}

/* ---- `raytui keys` ---- */

static const char *section(const char *view) {
    return !*view ? "everywhere" : rt_streq(view, "list") ? "every list" : rt_streq(view, "text") ? "every text" : view;
}

void rt_ui_print_keys(void) {
    const char *last = NULL;
    for (const struct rt_key_default *d = rt_key_defaults; d->view; d++) {
        if (!rt_streq(last, d->view))
            printf("%s%s\n", last ? "\n" : "", section(d->view));
        last = d->view;
        printf("  %-10s %-18s %s\n", d->key, d->command, d->help);
    }
}
