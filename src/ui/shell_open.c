/* Command lines that open something: views, forms, texts, programs in front of the screen. */
#include "ui/shell.h"

#include "base/str.h"
#include "ui/dialog.h"
#include "ui/list.h"
#include "ui/menu.h"
#include "ui/text.h"
#include <stdlib.h>

/* ---- lists: `jobs /fail @prod` ---- */

static bool use_cluster(struct rt_ui *ui, const char *target, struct rt_error *err) {
    const char *name = rt_app_target(ui->app, target, err);
    if (!name)
        return false;
    rt_ui_set_cluster(ui, name);
    return rt_app_attached(ui->app, name) || rt_app_attach(ui->app, name, true, err);
}

static bool has_power(struct rt_ui *ui, const struct rt_view_def *d, struct rt_error *err) {
    const struct rt_cluster *c = ui->cluster ? rt_store_cluster(ui->app->store, ui->cluster) : NULL;
    if (rt_view_fits(ui, d))
        return true;
    if (!c)
        return rt_error_set(err, RT_E_USAGE, "no cluster is open");
    return rt_error_set(err, RT_E_UNSUPPORTED, "%s: provider %s has no %s", c->name, c->provider, d->name);
}

bool shell_view_words(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    const char *filter = NULL;
    for (size_t i = 1; i < w->n; i++) {
        if (w->v[i][0] == '/' || (w->v[i][0] == '@' && w->v[i][1])) {
            if (w->v[i][0] == '/')
                filter = w->v[i] + 1;
            else if (!use_cluster(ui, w->v[i] + 1, err))
                return false;
        } else if (rt_store_cluster(ui->app->store, w->v[i])) {
            if (!use_cluster(ui, w->v[i], err))
                return false;
        } else {
            filter = w->v[i];
        }
    }
    if (!has_power(ui, rt_view_find(w->v[0]), err))
        return false;
    shell_open_tab(ui, w->v[0]);
    if (filter && rt_view_is_list(shell_main(ui))) {
        rt_list_rows_filter(rt_list_rows(shell_main(ui)), filter);
        rt_ui_mark(ui);
    }
    return true;
}

struct rt_selection shell_selection(struct rt_ui *ui) {
    struct rt_view *v = shell_focused(ui);
    struct rt_selection sel = {.cluster = ui->cluster};
    if (v->ops->select)
        v->ops->select(v, &sel);
    return sel;
}

static const char *selected_cluster(struct rt_ui *ui) {
    return shell_selection(ui).cluster;
}

/* Enter on a cluster: its way and its ports are opened, its jobs are shown. */
bool shell_do_open(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    char *name = rt_strdup(w->n > 1 ? w->v[1] : selected_cluster(ui));
    if (!name)
        return rt_error_set(err, RT_E_USAGE, "nothing is selected");
    const char *words[] = {"attach", name, NULL};
    struct rt_call call;
    bool ok = rt_call_parse(ui->app, words, NULL, &call, err);
    if (ok) {
        rt_ui_set_cluster(ui, call.cluster);
        rt_ui_call(ui, &call);
        shell_open_tab(ui, "jobs");
    }
    free(name);
    return ok;
}

/* As `raytui local`: opened, and brought up without a question when it is down. */
bool shell_do_start_local(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    (void)w;
    if (!use_cluster(ui, "local", err))
        return false;
    shell_open_tab(ui, "jobs");
    return rt_app_start(ui->app, "local", err);
}

bool shell_do_views(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    struct rt_view *menu = rt_menu_create(ui, "views");
    (void)w;
    (void)err;
    for (const struct rt_view_def *d = rt_view_defs; d->name; d++) {
        if (rt_streq(d->name, "start") || !rt_view_fits(ui, d))
            continue;
        char *text = rt_strf("%-12s %s", d->name, d->help);
        rt_menu_add(menu, d->tab ? d->tab : rt_streq(d->name, "pulse") ? "0" : rt_streq(d->name, "heat") ? "H" : rt_streq(d->name, "tree") ? "x" : "", text, d->name);
        free(text);
    }
    rt_menu_add(menu, "t", "stats        what watching costs the head", "stats");
    rt_menu_add(menu, "o", "doctor       what is here, what is missing", "doctor");
    rt_menu_add(menu, "c", "check        problems of the configuration", "check");
    rt_ui_popup(ui, menu);
    return true;
}

bool shell_do_help(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_view *v = shell_focused(ui);
    (void)w;
    (void)err;
    rt_ui_popup(ui, rt_view_help(ui, v->ops->name, v->ops->klass));
    return true;
}

bool shell_do_discover(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    (void)err;
    if (!shell_open_tab(ui, "start"))
        return false;
    if (w->n > 1) {
        char *line = rt_strf("discover %s", w->v[1]);
        rt_ui_command(ui, line);
        free(line);
    }
    return true;
}

/* ---- forms ---- */

static bool again(struct rt_ui *ui, struct rt_error *err) {
    const struct rt_selection sel = shell_selection(ui);
    struct rt_submit_form form = {0};
    const struct rt_cluster *c = sel.cluster ? rt_store_cluster(ui->app->store, sel.cluster) : NULL;
    const struct rt_job *j = c && sel.jobs && sel.jobs->n ? rt_store_job(c, sel.jobs->v[0]) : NULL;
    if (!j)
        return rt_error_set(err, RT_E_USAGE, "no job is selected");
    rt_submit_form_from_job(ui->app, c, j, &form);
    rt_ui_popup(ui, rt_form_submit(ui, sel.cluster, &form));
    rt_submit_form_deinit(&form);
    return true;
}

static bool scale_form(struct rt_ui *ui, struct rt_error *err) {
    const struct rt_selection sel = shell_selection(ui);
    if (!sel.pool)
        return rt_error_set(err, RT_E_USAGE, "no pool is selected");
    rt_ui_popup(ui, rt_form_scale(ui, sel.cluster, sel.pool));
    return true;
}

static bool add_pool_form(struct rt_ui *ui, const char *cluster, struct rt_error *err) {
    const struct rt_cluster *c = cluster ? rt_store_cluster(rt_ui_app(ui)->store, cluster) : NULL;
    if (!c)
        return rt_error_set(err, RT_E_USAGE, "no cluster is open");
    if (!(c->caps & RT_CAP_ADD_POOL))
        return rt_error_set(err, RT_E_UNSUPPORTED, "%s: provider %s adds no pools to a cluster", cluster, c->provider);
    rt_ui_popup(ui, rt_form_add_pool(ui, cluster));
    return true;
}

bool shell_do_form(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    const char *cluster = selected_cluster(ui);
    if (rt_streq(w->v[0], "attach-form")) {
        rt_ui_popup(ui, rt_form_attach(ui));
        return true;
    }
    if (rt_streq(w->v[0], "init-form")) {
        rt_ui_popup(ui, rt_form_init(ui));
        return true;
    }
    if (!cluster) {
        rt_error_set(err, RT_E_USAGE, "no cluster is open");
        return rt_error_hint(err, "1 lists the clusters, Enter opens one");
    }
    if (rt_streq(w->v[0], "submit-again"))
        return again(ui, err);
    if (rt_streq(w->v[0], "scale-form"))
        return scale_form(ui, err);
    if (rt_streq(w->v[0], "add-pool-form"))
        return add_pool_form(ui, cluster, err);
    rt_ui_popup(ui, rt_streq(w->v[0], "forward-form") ? rt_form_forward(ui, cluster) : rt_form_submit(ui, cluster, NULL));
    return true;
}

/* ---- forwards ---- */

bool shell_do_suspend_or_resume(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    const char *cluster = selected_cluster(ui);
    const struct rt_cluster *c = cluster ? rt_store_cluster(ui->app->store, cluster) : NULL;
    (void)w;
    if (!c)
        return rt_error_set(err, RT_E_USAGE, "no cluster is selected");
    char *line = rt_strf("%s %s", c->state == RT_CL_SUSPENDED ? "resume" : "suspend", cluster);
    rt_ui_command(ui, line);
    free(line);
    return true;
}

bool shell_do_forwards_toggle(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    const char *cluster = selected_cluster(ui);
    const struct rt_cluster *c = cluster ? rt_store_cluster(ui->app->store, cluster) : NULL;
    (void)w;
    if (!c)
        return rt_error_set(err, RT_E_USAGE, "no cluster is selected");
    if (!rt_app_forwarded(ui->app, cluster)) {
        const bool ok = rt_app_forward(ui->app, cluster, NULL, 0, err);
        if (ok)
            rt_ui_note(ui, "%s: forwards are opening - 9 lists them", cluster);
        return ok;
    }
    struct rt_strs ids = {0};
    for (size_t i = 0; i < c->nforwards; i++)
        rt_strs_add(&ids, c->forwards[i].id);
    bool ok = true;
    for (size_t i = 0; ok && i < ids.n; i++)
        ok = rt_app_forward_close(ui->app, ids.v[i], err);
    rt_strs_deinit(&ids);
    if (ok)
        rt_ui_toast(ui, "%s: forwards closed", cluster);
    return ok;
}

bool shell_do_copy_env(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    const char *cluster = selected_cluster(ui);
    struct rt_buf text;
    (void)w;
    if (!cluster)
        return rt_error_set(err, RT_E_USAGE, "no cluster is selected");
    rt_buf_init(&text, 0);
    const bool ok = rt_app_env(ui->app, cluster, false, &text, err);
    if (ok)
        rt_ui_copy(ui, rt_buf_str(&text), text.len, "export lines for Ray's tools");
    rt_buf_deinit(&text);
    return ok;
}

bool shell_pick_log(struct rt_ui *ui, const char *cluster, const char *node_id, struct rt_error *err) {
    struct rt_view *picker = rt_view_node_logs(ui, cluster, node_id, err);
    if (picker)
        rt_ui_popup(ui, picker);
    return picker != NULL;
}

bool shell_do_node_logs(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_selection sel = shell_selection(ui);
    const struct rt_cluster *c = sel.cluster ? rt_store_cluster(ui->app->store, sel.cluster) : NULL;
    const struct rt_node *head = c ? rt_store_head(c) : NULL;
    const char *name = w->n > 1 ? w->v[1] : sel.node ? sel.node : head ? head->id : NULL;
    if (!c)
        return rt_error_set(err, RT_E_USAGE, "no cluster is open");
    if (!name)
        return rt_error_set(err, RT_E_USAGE, "%s: no node is known yet", c->name);
    const struct rt_node *n = rt_find_node(c, name, err);
    return n && shell_pick_log(ui, c->name, n->id, err);
}

/* The command line, with what is selected as the place to search. */
bool shell_do_log_search(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_selection sel = shell_selection(ui);
    struct rt_buf line;
    (void)w;
    (void)err;
    rt_buf_init(&line, 0);
    rt_buf_adds(&line, "logs ");
    for (size_t i = 0; sel.jobs && i < sel.jobs->n; i++)
        rt_buf_addf(&line, "%s ", sel.jobs->v[i]);
    if (sel.node && (!sel.jobs || !sel.jobs->n))
        rt_buf_addf(&line, "%s ", sel.node);
    rt_buf_adds(&line, "--search ");
    prompt_open(ui, PROMPT_COMMAND, rt_buf_str(&line));
    rt_buf_deinit(&line);
    return true;
}

/* ---- views of verbs ---- */

static void push_text(struct rt_ui *ui, const char *name, const char *title, struct rt_buf *text) {
    rt_ui_push(ui, rt_text_create(ui, name, title, rt_buf_str(text)));
    rt_buf_deinit(text);
}

static bool open_log(struct rt_ui *ui, const struct rt_call *c, struct rt_error *err) {
    const char *file = rt_call_option(c, "file");
    const char *regex = rt_call_option(c, "search");
    const bool all = regex || rt_call_option(c, "all"), workers = rt_call_option(c, "workers") != NULL;
    const struct rt_cluster *cl = c->cluster ? rt_store_cluster(ui->app->store, c->cluster) : NULL;
    struct rt_log_words words = {.target = {.what = RT_LOG_FILE, .cluster = c->cluster, .id = file}};
    if (!file && !cl)
        return rt_error_set(err, RT_E_USAGE, "no cluster is open");
    if (!file && !rt_log_words(cl, &c->args, all || !workers, all || workers, regex, &words, err))
        return false;
    const bool ok = rt_show_log(ui, &words.target, err);
    rt_log_words_deinit(&words);
    return ok;
}

static bool open_detail(struct rt_ui *ui, const struct rt_call *c, struct rt_error *err) {
    const char *name = c->args.n ? c->args.v[0] : NULL;
    const struct rt_cluster *cl = c->cluster ? rt_store_cluster(ui->app->store, c->cluster)
                                             : ui->cluster ? rt_store_cluster(ui->app->store, ui->cluster) : NULL;
    struct rt_error ignored = {0};
    if (!name)
        return rt_error_set(err, RT_E_USAGE, "usage: %s %s", c->def->name, c->def->args);
    if (cl && rt_store_pool(cl, name))
        rt_ui_push(ui, rt_view_detail(ui, &rt_table_pools, cl->name, name));
    else if (cl && rt_find_job(cl, name, &ignored))
        rt_ui_push(ui, rt_view_detail(ui, &rt_table_jobs, cl->name, rt_find_job(cl, name, &ignored)->id));
    else if (cl && rt_find_node(cl, name, &ignored))
        rt_ui_push(ui, rt_view_detail(ui, &rt_table_nodes, cl->name, rt_find_node(cl, name, &ignored)->id));
    else if (rt_store_cluster(ui->app->store, name))
        rt_ui_push(ui, rt_view_detail(ui, &rt_table_clusters, name, name));
    else
        return rt_error_set(err, RT_E_NOT_FOUND, "nothing here is called %s", name);
    return true;
}

static bool open_why(struct rt_ui *ui, const struct rt_call *c, struct rt_error *err) {
    const char *named = rt_call_option(c, "cluster"), *thing = c->args.n ? c->args.v[0] : NULL, *id = NULL;
    const struct rt_cluster *other = thing ? rt_store_cluster(ui->app->store, thing) : NULL;
    enum rt_why_kind k = RT_WHY_CLUSTER;
    const char *name = named ? rt_app_target(ui->app, named, err) : ui->cluster;
    const struct rt_cluster *cl = name ? rt_store_cluster(ui->app->store, name) : NULL;
    if (named && !name)
        return false;
    if (cl && thing && rt_why_find(cl, thing, &k, &id, err)) {
        rt_ui_push(ui, rt_view_why(ui, cl->name, k, id));
        return true;
    }
    if (other || (cl && !thing)) {
        const char *what = other ? other->name : cl->name;
        rt_error_clear(err);
        rt_ui_push(ui, rt_view_why(ui, what, RT_WHY_CLUSTER, what));
        return true;
    }
    return err->code ? false : rt_error_set(err, RT_E_USAGE, "no cluster is open");
}

static bool open_shell(struct rt_ui *ui, const struct rt_call *c, struct rt_error *err) {
    struct rt_strs argv = {0};
    bool ok = rt_call_ready(ui->app, c, err) && rt_app_shell(ui->app, c->cluster, c->args.n ? c->args.v[0] : NULL, &argv, err);
    if (ok)
        ok = rt_term_run(ui->term, argv.v, err) >= 0;
    rt_strs_deinit(&argv);
    return ok;
}

/* What it printed stays until Enter. */
static bool open_command(struct rt_ui *ui, const struct rt_call *c, struct rt_error *err) {
    static const char pause[] = "\"$@\"; s=$?; printf '\\n[ended with %s; Enter]' \"$s\"; read -r x";
    struct rt_strs argv = {0}, words = {0};
    const bool cp = rt_streq(c->def->name, "cp");
    bool ok = rt_call_ready(ui->app, c, err);
    if (ok && (cp ? c->args.n != 2 : !c->command.n))
        ok = rt_error_set(err, RT_E_USAGE, "%s %s", c->def->name, c->def->args);
    ok = ok && (cp ? rt_app_copy(ui->app, c->args.v[0], c->args.v[1], &words, err)
                   : rt_app_exec(ui->app, c->cluster, c->args.n ? c->args.v[0] : NULL, &c->command, &words, err));
    rt_strs_add(&argv, "sh");
    rt_strs_add(&argv, "-c");
    rt_strs_add(&argv, pause);
    rt_strs_add(&argv, "raytui");
    rt_strs_copy(&argv, &words);
    ok = ok && rt_term_run(ui->term, argv.v, err) >= 0;
    rt_strs_deinit(&argv);
    rt_strs_deinit(&words);
    return ok;
}

/* What it prints is read in a pager, which shows control characters as such; a log that goes on is left with ^C. */
static bool open_tool(struct rt_ui *ui, const struct rt_call *c, struct rt_error *err) {
    static const char *const options[][2] = {{"previous", "log-previous"}, {"follow", "log-follow"}, {"log", "log"},
                                             {"events", "events"}, {"yaml", "yaml"}};
    const bool edit = rt_streq(c->def->name, "edit");
    const char *what = edit ? "edit" : c->args.n || rt_call_option(c, "describe") ? "describe" : "pods";
    struct rt_strs argv = {0};
    for (size_t i = RT_COUNT(options); !edit && i-- > 0;)
        if (rt_call_option(c, options[i][0]))
            what = options[i][1];
    if (!edit) {
        rt_strs_add(&argv, "sh");
        rt_strs_add(&argv, "-c");
        rt_strs_add(&argv, "\"$@\" 2>&1 | ${PAGER:-less}");
        rt_strs_add(&argv, "raytui");
    }
    const bool ok = rt_call_ready(ui->app, c, err) && rt_app_tool(ui->app, c->cluster, what, c->args.n ? c->args.v[0] : NULL, &argv, err) &&
                    rt_term_run(ui->term, argv.v, err) >= 0;
    rt_strs_deinit(&argv);
    return ok;
}

static bool open_problems(struct rt_ui *ui) {
    struct rt_buf text;
    const struct rt_config *c = ui->app->config;
    rt_buf_init(&text, 0);
    for (size_t i = 0; i < c->nproblems; i++)
        rt_buf_addf(&text, "%s\n%s%s%s", c->problems[i].message, c->problems[i].hint[0] ? "    " : "", c->problems[i].hint, c->problems[i].hint[0] ? "\n" : "");
    if (!c->nproblems)
        rt_buf_addf(&text, "%s: no problems\n", c->path ? c->path : "the configuration");
    push_text(ui, "check", "configuration", &text);
    return true;
}

bool shell_open_view(struct rt_ui *ui, const struct rt_call *c, const struct rt_strs *words, struct rt_error *err) {
    const char *name = c->def->name, *view = c->def->view ? c->def->view : name;
    struct rt_buf text;
    if (rt_streq(name, "shell"))
        return open_shell(ui, c, err);
    if (rt_streq(name, "exec") || rt_streq(name, "cp"))
        return open_command(ui, c, err);
    if (rt_streq(name, "edit") || rt_streq(name, "pod"))
        return open_tool(ui, c, err);
    if (rt_streq(view, "log"))
        return open_log(ui, c, err);
    if (rt_streq(view, "detail"))
        return open_detail(ui, c, err);
    if (rt_streq(view, "why"))
        return open_why(ui, c, err);
    if (rt_streq(view, "profile"))
        return shell_open_profile(ui, c, err);
    if (rt_streq(view, "help"))
        return shell_do_help(ui, words, err);
    if (rt_streq(name, "check"))
        return open_problems(ui);
    if (rt_streq(view, "doctor")) {
        rt_ui_push(ui, rt_view_doctor(ui, c->cluster));
        return true;
    }
    if (rt_streq(view, "stats")) {
        const char *cluster = c->cluster ? c->cluster : ui->cluster;
        rt_buf_init(&text, 0);
        char *title = cluster ? rt_strf("%s %s", view, cluster) : rt_strdup(view);
        if (cluster)
            rt_app_stats(ui->app, cluster, &text);
        push_text(ui, view, title, &text);
        free(title);
        return true;
    }
    if (rt_view_find(view))
        return shell_open_tab(ui, view);
    rt_error_set(err, RT_E_UNSUPPORTED, "%s works on the command line only", name);
    return rt_error_hint(err, ":!raytui %s runs it there", name);
}
