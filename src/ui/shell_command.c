/* Command lines: what the view knows, what the shell knows, a person's own, the program's verbs - in this order. */
#include "ui/shell.h"

#include "base/fs.h"
#include "base/str.h"
#include "ui/list.h"
#include <stdlib.h>

#define INTERRUPT_MS 2000

typedef const struct rt_strs words_t;

static bool do_prompt(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    prompt_open(ui, PROMPT_COMMAND, "");
    return true;
}

static bool do_find(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    prompt_open(ui, PROMPT_FIND, "");
    return true;
}

static bool do_back(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    struct rt_view *popup = shell_popup(ui);
    if (popup)
        rt_ui_close(ui, popup);
    else
        shell_back(ui);
    return true;
}

/* q: closes what is in front; on the first view it leaves. */
static bool do_close(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    if (shell_popup(ui))
        rt_ui_close(ui, shell_popup(ui));
    else if (shell_side(ui))
        rt_ui_close(ui, shell_side(ui));
    else if (ui->history_at > 0)
        shell_history(ui, -1);
    else
        shell_quit(ui, true);
    return true;
}

static bool do_quit(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    shell_quit(ui, true);
    return true;
}

static bool do_interrupt(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    const int64_t now = rt_mono_ms();
    if (ui->calls.n) {
        calls_cancel(ui);
        rt_ui_toast(ui, "cancelled");
    } else if (ui->interrupted_ms && now - ui->interrupted_ms < INTERRUPT_MS) {
        shell_quit(ui, true);
    } else {
        rt_ui_note(ui, "^C again leaves");
    }
    ui->interrupted_ms = now;
    return true;
}

static bool do_focus_next(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    shell_focus_step(ui, 1);
    return true;
}

static bool do_focus_previous(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    shell_focus_step(ui, -1);
    return true;
}

static bool do_previous(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    shell_history(ui, ui->history_at > 0 ? -1 : 1);
    return true;
}

static bool do_history_back(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    shell_history(ui, -1);
    return true;
}

static bool do_history_forward(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    shell_history(ui, 1);
    return true;
}

static bool do_zoom(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    ui->zoom = !ui->zoom;
    return true;
}

/* resize +5: the log or the detail gets 5 % more of the room beside its list. */
static bool do_resize(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    const struct rt_rect main = ui->layout.pane[RT_PANE_MAIN], side = ui->layout.pane[RT_PANE_SIDE];
    int64_t by = 0;
    if (w->n != 2 || !rt_parse_i64(w->v[1] + (w->v[1][0] == '+'), &by) || by < -100 || by > 100)
        return rt_error_set(err, RT_E_USAGE, "usage: resize +N|-N (percent)");
    if (!rt_layout_shown(&ui->layout, RT_PANE_SIDE) || !rt_layout_shown(&ui->layout, RT_PANE_MAIN))
        return rt_error_set(err, RT_E_USAGE, "no log or detail stands beside a list here");
    const int share = side.row > main.row ? side.rows * 100 / (main.rows + side.rows) : side.cols * 100 / (main.cols + side.cols);
    ui->side_share = RT_MAX(RT_MIN((share + 2) / 5 * 5 + (int)by, 90), 10);
    rt_ui_mark(ui);
    return true;
}

static bool do_redraw(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    rt_term_redraw(ui->term);
    return true;
}

static bool do_background(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    rt_term_suspend(ui->term);
    return true;
}

static bool do_mouse(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    ui->mouse = !ui->mouse;
    rt_term_mouse(ui->term, ui->mouse);
    rt_ui_note(ui, ui->mouse ? "mouse on: Shift+drag selects text" : "mouse off: the terminal selects text");
    return true;
}

static bool do_refresh(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    if (ui->cluster)
        rt_app_poke(ui->app, ui->cluster, 0);
    for (size_t i = 0; !ui->cluster && i < rt_store_count(ui->app->store); i++)
        rt_app_poke(ui->app, rt_store_at(ui->app->store, i)->name, 0);
    rt_ui_note(ui, "asking again");
    return true;
}

static bool do_undo(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    (void)err;
    if (!toast_undo(ui))
        rt_ui_note(ui, "nothing to take back");
    return true;
}

static bool do_repeat(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    if (!ui->last_line)
        return rt_error_set(err, RT_E_USAGE, "no action to repeat yet");
    char *line = rt_strdup(ui->last_line);
    rt_ui_command(ui, line);
    free(line);
    return true;
}

static bool do_theme(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    struct rt_theme theme;
    if (w->n != 2) {
        rt_error_set(err, RT_E_USAGE, "usage: theme NAME");
        return rt_theme_hint(err);
    }
    if (!rt_theme_load(&theme, w->v[1], rt_term_depth(ui->term), err))
        return false;
    ui->theme = theme;
    rt_term_redraw(ui->term);
    return true;
}

/* A misspelt path is not made: the file would be found nowhere. */
static bool has_place(const char *path, struct rt_error *err) {
    const char *slash = strrchr(path, '/');
    char *dir = rt_strndup(path, slash ? (size_t)(slash - path) : 0);
    const bool ok = !*dir || rt_dir_exists(dir);
    if (!ok)
        rt_error_set(err, RT_E_NOT_FOUND, "cannot write %s: there is no directory %s", path, dir);
    free(dir);
    return ok;
}

/* Everything that the view in front shows, as a file beside where raytui was started. */
static bool do_save(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    struct rt_view *v = shell_focused(ui);
    struct rt_buf text;
    if (!v->ops->text)
        return rt_error_set(err, RT_E_UNSUPPORTED, "%s has nothing to save", v->ops->name);
    char *path = w->n > 1 ? rt_path_expand(w->v[1]) : rt_strf("raytui-%s-%lld.txt", v->ops->name, (long long)(rt_wall_ms() / 1000));
    rt_buf_init(&text, 0);
    v->ops->text(v, &text);
    const bool ok = has_place(path, err) && rt_file_write(path, rt_buf_str(&text), text.len, err);
    if (ok)
        rt_ui_toast(ui, "saved to %s", path);
    rt_buf_deinit(&text);
    free(path);
    return ok;
}

static bool set_refresh(struct rt_ui *ui, const char *text, struct rt_error *err) {
    int64_t ms = 0;
    char said[32];
    if (!rt_parse_duration(text, &ms, err))
        return false;
    if (ms < 1000 || ms > 3600000)
        return rt_error_set(err, RT_E_USAGE, "refresh=%s is not between 1s and 1h", text);
    rt_app_set_refresh(ui->app, ms);
    rt_ui_toast(ui, "asks every %s; clusters with a `refresh` of their own as before", rt_fmt_age(said, sizeof said, ms));
    return true;
}

static bool do_set(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    if (w->n == 2 && rt_starts(w->v[1], "theme=")) {
        struct rt_strs line = {0};
        rt_strs_add(&line, "theme");
        rt_strs_add(&line, w->v[1] + 6);
        const bool ok = do_theme(ui, &line, err);
        rt_strs_deinit(&line);
        return ok;
    }
    if (w->n == 2 && (rt_streq(w->v[1], "animations=on") || rt_streq(w->v[1], "animations=off"))) {
        ui->animations = rt_streq(w->v[1], "animations=on");
        return true;
    }
    if (w->n == 2 && rt_starts(w->v[1], "refresh="))
        return set_refresh(ui, w->v[1] + 8, err);
    return rt_error_set(err, RT_E_USAGE, "usage: set theme=NAME | animations=on|off | refresh=5s");
}

static bool do_reload(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    (void)w;
    const bool ok = rt_app_reload(ui->app);
    shell_load_keys(ui);
    if (ok)
        rt_ui_toast(ui, "read again");
    else if (ui->app->config->nproblems)
        *err = ui->app->config->problems[0];
    else
        rt_error_set(err, RT_E_CONFIG, "the configuration has problems");
    return ok;
}

static bool do_alias(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    if (w->n < 2 || !strchr(w->v[1], '='))
        return rt_error_set(err, RT_E_USAGE, "usage: alias NAME=COMMAND");
    struct rt_buf text;
    rt_buf_init(&text, 0);
    for (size_t i = 1; i < w->n; i++)
        rt_buf_addf(&text, "%s%s", i > 1 ? " " : "", w->v[i]);
    rt_strs_add(&ui->app->config->aliases, rt_buf_str(&text));
    rt_buf_deinit(&text);
    return true;
}

static bool do_cluster(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    if (w->n != 2)
        return rt_error_set(err, RT_E_USAGE, "usage: cluster NAME");
    const char *name = rt_app_target(ui->app, w->v[1], err);
    if (!name)
        return false;
    rt_ui_set_cluster(ui, name);
    return rt_app_attached(ui->app, name) || rt_app_attach(ui->app, name, true, err);
}

const struct shell_command shell_commands[] = {
    {"prompt", "", "the command line", do_prompt},
    {"find", "", "filter a list, search a text", do_find},
    {"back", "", "one step back", do_back},
    {"close", "", "close what is in front", do_close},
    {"quit", "", "leave raytui", do_quit},
    {"q", "", "leave raytui", do_quit},
    {"interrupt", "", "cancel what was started; twice: leave", do_interrupt},
    {"focus-next", "", "next pane", do_focus_next},
    {"focus-previous", "", "pane before", do_focus_previous},
    {"previous", "", "the view before", do_previous},
    {"history-back", "", "back in the history of views", do_history_back},
    {"history-forward", "", "forward in the history of views", do_history_forward},
    {"views", "", "pick a view", shell_do_views},
    {"zoom", "", "this pane alone", do_zoom},
    {"redraw", "", "draw all again", do_redraw},
    {"background", "", "to the shell; `fg` comes back", do_background},
    {"suspend-or-resume", "", "let the machines of the cluster go, or bring them back", shell_do_suspend_or_resume},
    {"mouse", "", "mouse on and off", do_mouse},
    {"refresh", "", "ask again, reconnect now", do_refresh},
    {"undo", "", "take the last change back", do_undo},
    {"repeat", "", "the last action once more", do_repeat},
    {"save", "[FILE]", "what this view shows, to a file", do_save},
    {"w", "[FILE]", "what this view shows, to a file", do_save},
    {"help", "", "keys and commands", shell_do_help},
    {"resize", "+N|-N", "more or less room for the log beside its list, in percent", do_resize},
    {"theme", "NAME", "other colours", do_theme},
    {"set", "NAME=VALUE", "theme=NAME, animations=on|off, refresh=5s", do_set},
    {"reload", "", "read the configuration again", do_reload},
    {"alias", "NAME=COMMAND", "a name for a command line", do_alias},
    {"cluster", "NAME", "change the cluster", do_cluster},
    {"ctx", "NAME", "change the cluster", do_cluster},
    {"open", "[CLUSTER]", "attach and show its jobs", shell_do_open},
    {"start-local", "", "start a Ray cluster on this machine", shell_do_start_local},
    {"discover", "[WHERE]", "look for clusters on this machine, or at kube://CONTEXT", shell_do_discover},
    {"attach-form", "", "attach to an address", shell_do_form},
    {"init-form", "", "new cluster", shell_do_form},
    {"submit-form", "", "submit a job", shell_do_form},
    {"submit-again", "", "submit the selected job again", shell_do_form},
    {"scale-form", "", "set the number of nodes of a pool", shell_do_form},
    {"add-pool-form", "", "add a pool to the cluster", shell_do_form},
    {"forward-form", "", "forward another port", shell_do_form},
    {"forwards-toggle", "", "forwards of the cluster on and off", shell_do_forwards_toggle},
    {"log-search", "", "search all logs of the selected job or node, or of the cluster", shell_do_log_search},
    {"node-logs", "[NODE]", "pick a log file of a node", shell_do_node_logs},
    {"actor-log", "[ACTOR] [err]", "what an actor wrote", shell_do_run_log},
    {"task-log", "[TASK] [err]", "a task's error, or what its worker wrote", shell_do_run_log},
    {"worker-log", "[WORKER] [err]", "what a worker wrote", shell_do_run_log},
    {"row-log", "", "the log that tells of the selected row", shell_do_row_log},
    {"process-log", "NODE/PID [err]", "what a process of a node wrote", shell_do_run_log},
    {"profile-menu", "", "look into the selected process: stack, CPU, memory", shell_do_profile_menu},
    {"browse", "", "the dashboard in a browser, at the selected job or node", shell_do_browse},
    {"exec-line", "", "a command line for the selected node, or the head", shell_do_exec_line},
    {"copy-env", "", "copy export lines for Ray's own tools", shell_do_copy_env},
    {0},
};

/* ---- which of them ---- */

static const struct shell_command *find_command(const char *name) {
    for (const struct shell_command *c = shell_commands; c->name; c++)
        if (rt_streq(c->name, name))
            return c;
    return NULL;
}

static const char *alias_of(const struct rt_ui *ui, const char *name) {
    const struct rt_strs *l = &ui->app->config->aliases;
    const size_t n = strlen(name);
    for (size_t i = l->n; i-- > 0;)
        if (strncmp(l->v[i], name, n) == 0 && l->v[i][n] == '=')
            return l->v[i] + n + 1;
    return NULL;
}

/* A person's own words stand for a line; what follows is added to it. */
static bool run_alias(struct rt_ui *ui, const char *line, words_t *w, struct rt_error *err) {
    struct rt_strs all = {0};
    if (ui->depth >= SHELL_DEPTH_MAX)
        return rt_error_set(err, RT_E_CONFIG, "%s stands for itself", w->v[0]);
    bool ok = rt_split_words(line, &all, err);
    for (size_t i = 1; ok && i < w->n; i++)
        rt_strs_add(&all, w->v[i]);
    ui->depth++;
    ok = ok && all.n && shell_run(ui, &all, err);
    ui->depth--;
    rt_strs_deinit(&all);
    return ok;
}

static const struct rt_binding *user_command(const struct rt_ui *ui, const char *name) {
    for (size_t i = 0; i < ui->app->config->ncommands; i++)
        if (rt_streq(ui->app->config->commands[i].key, name))
            return &ui->app->config->commands[i];
    return NULL;
}

static void selection(struct rt_ui *ui, struct rt_selection *sel) {
    struct rt_view *v = shell_focused(ui);
    *sel = (struct rt_selection){.cluster = ui->cluster};
    if (v->ops->select)
        v->ops->select(v, sel);
}

/* Of what needs many words none was said: its form asks for them. */
static const char *form_of(words_t *w) {
    return w->n > 1 ? NULL : rt_streq(w->v[0], "submit") ? "submit-form" : rt_streq(w->v[0], "init") ? "init-form" : NULL;
}

static bool run_action(struct rt_ui *ui, words_t *w, struct rt_error *err) {
    struct rt_selection sel;
    struct rt_call call;
    if (form_of(w))
        return rt_ui_command(ui, form_of(w));
    selection(ui, &sel);
    if (!rt_call_parse(ui->app, (const char *const *)w->v, &sel, &call, err))
        return false;
    if (call.def->run) {
        free(ui->last_line);
        ui->last_line = rt_strdup(w->v[0]);
        rt_ui_call(ui, &call);
        return true;
    }
    const bool ok = shell_open_view(ui, &call, w, err);
    rt_call_deinit(&call);
    return ok;
}

static bool unknown(const char *word, struct rt_error *err) {
    const char *names[160];
    size_t n = 0;
    for (const struct shell_command *c = shell_commands; c->name && n + 1 < RT_COUNT(names); c++)
        names[n++] = c->name;
    for (const char *const *v = rt_action_names(); *v && n + 1 < RT_COUNT(names); v++)
        names[n++] = *v;
    names[n] = NULL;
    const char *near = rt_nearest(word, names);
    rt_error_set(err, RT_E_USAGE, "no command %s", word);
    return near ? rt_error_hint(err, "did you mean %s?", near) : rt_error_hint(err, "? lists them");
}

bool shell_run(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    struct rt_view *views[] = {shell_popup(ui), shell_focused(ui)};
    for (size_t i = 0; i < RT_COUNT(views); i++) {
        const enum rt_taken taken = views[i] && views[i]->ops->command ? views[i]->ops->command(views[i], w, err) : RT_TAKEN_NO;
        if (taken != RT_TAKEN_NO)
            return taken == RT_TAKEN_YES;
    }
    const struct shell_command *c = find_command(w->v[0]);
    if (c)
        return c->run(ui, w, err);
    const char *alias = alias_of(ui, w->v[0]);
    if (alias)
        return run_alias(ui, alias, w, err);
    const struct rt_binding *own = user_command(ui, w->v[0]);
    if (own)
        return shell_run_user_command(ui, own, w, err);
    if (rt_view_find(w->v[0]) && !rt_streq(w->v[0], "start"))
        return shell_view_words(ui, w, err);
    return rt_action_find(w->v[0]) ? run_action(ui, w, err) : unknown(w->v[0], err);
}

bool rt_ui_command(struct rt_ui *ui, const char *line) {
    struct rt_strs words = {0};
    struct rt_error err = {0};
    bool ok;
    line += strspn(line, " ");
    rt_ui_mark(ui);
    if (*line == '!')
        ok = shell_run_program(ui, line + 1, &err);
    else
        ok = rt_split_words(line, &words, &err) && (!words.n || shell_run(ui, &words, &err));
    if (!ok && err.code)
        rt_ui_error(ui, &err);
    rt_strs_deinit(&words);
    return ok;
}

bool rt_ui_can(struct rt_ui *ui, const char *line, struct rt_error *err) {
    struct rt_strs w = {0};
    struct rt_view *v = shell_popup(ui) ? shell_popup(ui) : shell_focused(ui);
    bool ok = rt_split_words(line, &w, err) && w.n;
    if (ok && v->ops->offers)
        ok = v->ops->offers(v, &w);
    if (ok && !find_command(w.v[0]) && !rt_view_find(w.v[0]) && rt_action_find(w.v[0])) {
        struct rt_selection sel;
        struct rt_call call;
        selection(ui, &sel);
        ok = rt_call_parse(ui->app, (const char *const *)w.v, &sel, &call, err);
        if (ok) {
            ok = rt_call_ready(ui->app, &call, err);
            rt_call_deinit(&call);
        }
    }
    rt_strs_deinit(&w);
    return ok;
}
