/* A person's own commands and hotkeys: their variables, their question, programs before the screen or behind it. */
#include "ui/shell.h"

#include "base/shell.h"
#include "base/str.h"
#include "net/proc.h"
#include "ui/dialog.h"
#include "ui/text.h"
#include "ui/vars.h"
#include <stdlib.h>

#define OUTPUT_MAX ((size_t)4 * 1024 * 1024)
#define OUTPUT_MS 60000

/* ---- what is selected ---- */

enum { VAR_CLUSTER, VAR_POOL, VAR_NODE_ID, VAR_NODE_IP, VAR_JOB_ID, VAR_ADDRESS, VAR_COUNT };

static const char *some(const char *s) {
    return s && *s ? s : NULL;
}

static void variables(struct rt_ui *ui, struct rt_var out[VAR_COUNT + 1]) {
    const struct rt_selection sel = shell_selection(ui);
    const struct rt_cluster *c = sel.cluster ? rt_store_cluster(ui->app->store, sel.cluster) : NULL;
    const struct rt_node *n = c && sel.node ? rt_store_node(c, sel.node) : NULL;
    out[VAR_CLUSTER] = (struct rt_var){"CLUSTER", some(sel.cluster), "cluster"};
    out[VAR_POOL] = (struct rt_var){"POOL", some(sel.pool), "pool"};
    out[VAR_NODE_ID] = (struct rt_var){"NODE_ID", some(sel.node), "node"};
    out[VAR_NODE_IP] = (struct rt_var){"NODE_IP", n ? some(n->ip) : NULL, "node"};
    out[VAR_JOB_ID] = (struct rt_var){"JOB_ID", sel.jobs && sel.jobs->n ? some(sel.jobs->v[0]) : NULL, "job"};
    out[VAR_ADDRESS] = (struct rt_var){"ADDRESS", c ? some(c->where) : NULL, "cluster with an address"};
    out[VAR_COUNT] = (struct rt_var){0};
}

static char *cleaned(const char *text) {
    struct rt_buf out;
    rt_buf_init(&out, 8192);
    rt_clean(&out, text, strlen(text));
    return rt_buf_take(&out);
}

static char *expanded(struct rt_ui *ui, const char *line, bool program, struct rt_error *err) {
    struct rt_var vars[VAR_COUNT + 1];
    struct rt_buf out;
    variables(ui, vars);
    for (int i = 0; program && i < VAR_COUNT; i++)
        (void)setenv(vars[i].name, vars[i].value ? vars[i].value : "", 1);
    rt_buf_init(&out, 0);
    if (rt_vars_expand(&out, line, vars, program, err))
        return rt_buf_take(&out);
    rt_buf_deinit(&out);
    return NULL;
}

/* ---- programs ---- */

struct output {
    struct rt_op *op;
    struct rt_view *view;
};

static void output_free(void *ctx) {
    struct output *o = ctx;
    rt_op_drop(&o->op);
    free(o);
}

static void add_lines(struct rt_buf *out, const char *text, size_t n) {
    while (n) {
        const char *end = memchr(text, '\n', n);
        const size_t len = end ? (size_t)(end - text) : n;
        rt_clean(out, text, len);
        rt_buf_addc(out, '\n');
        text += len + (end != NULL);
        n -= len + (end != NULL);
    }
}

static void got_output(void *ctx, const struct rt_run_result *r, const struct rt_error *err) {
    struct output *o = ctx;
    struct rt_buf text;
    o->op = NULL;
    rt_buf_init(&text, 0);
    if (err) {
        rt_buf_addf(&text, "%s\n", err->message);
    } else {
        add_lines(&text, r->out, r->out_len);
        add_lines(&text, r->err_text, r->err_len);
        if (r->exit.timed_out)
            rt_buf_adds(&text, "[ended after a minute]\n");
        else if (r->exit.status != 0)
            rt_buf_addf(&text, "[exit status %d]\n", r->exit.status);
        else if (!text.len)
            rt_buf_adds(&text, "[no output]\n");
    }
    rt_text_set(o->view, rt_buf_str(&text));
    rt_buf_deinit(&text);
}

void shell_show_output(struct rt_ui *ui, const char *title, const char *const *argv) {
    const struct rt_proc_opts opts = {.argv = argv, .timeout_ms = OUTPUT_MS};
    struct output *o = RT_NEW(struct output);
    char *clean = cleaned(title);
    o->view = rt_text_create(ui, "text", clean, "running ...");
    free(clean);
    rt_text_on_change(o->view, 0, NULL, o, output_free);
    o->op = rt_run(ui->app->loop, &opts, OUTPUT_MAX, got_output, o);
    rt_ui_push(ui, o->view);
}

/* Its output is read in a pane; the screen stays. */
static bool run_behind(struct rt_ui *ui, const char *line) {
    const char *argv[] = {"/bin/sh", "-c", line, NULL};
    shell_show_output(ui, line, argv);
    return true;
}

/* The screen is handed over. The line goes to the shell as an argument. */
static bool run_before(struct rt_ui *ui, char *line, struct rt_error *err) {
    static char sh[] = "/bin/sh", c[] = "-c";
    static char script[] = "eval \"$1\"; printf '\\n[%s] Enter goes back to raytui ' \"$?\"; read -r _";
    char *argv[] = {sh, c, script, sh, line, NULL};
    return rt_term_run(ui->term, argv, err) >= 0;
}

/* A line whose variables have their values, behind '!'. */
static bool start_program(struct rt_ui *ui, char *line, struct rt_error *err) {
    const bool behind = *line == '>';
    line += behind;
    line += strspn(line, " ");
    if (!*line)
        return rt_error_set(err, RT_E_USAGE, "usage: !COMMAND, or !>COMMAND to read its output in a pane");
    return behind ? run_behind(ui, line) : run_before(ui, line, err);
}

bool shell_run_program(struct rt_ui *ui, const char *line, struct rt_error *err) {
    char *whole = expanded(ui, line, true, err);
    const bool ok = whole && start_program(ui, whole, err);
    free(whole);
    return ok;
}

/* ---- a person's own lines ---- */

bool shell_own_refused(struct rt_ui *ui, const char *name, bool writes, struct rt_error *err) {
    const struct rt_cluster *c = ui->cluster ? rt_store_cluster(ui->app->store, ui->cluster) : NULL;
    if (!writes || (!ui->app->readonly && !(c && c->readonly)))
        return false;
    rt_error_set(err, RT_E_DENIED, "%s: read-only", name);
    return true;
}

static bool run_line(struct rt_ui *ui, char *line, struct rt_error *err) {
    struct rt_strs words = {0};
    if (*line == '!')
        return start_program(ui, line + 1, err);
    const bool ok = rt_split_words(line, &words, err) && (!words.n || shell_run(ui, &words, err));
    rt_strs_deinit(&words);
    return ok;
}

static void answered(void *ctx, bool yes) {
    struct rt_ui *ui = ctx;
    struct rt_error err = {0};
    char *line = ui->own_line;
    ui->own_line = NULL;
    if (yes && line && !run_line(ui, line, &err) && err.code)
        rt_ui_error(ui, &err);
    free(line);
}

bool shell_run_own(struct rt_ui *ui, const struct shell_own *own, struct rt_error *err) {
    if (shell_own_refused(ui, own->name, own->writes, err))
        return false;
    char *line = expanded(ui, own->line, *own->line == '!', err);
    if (!line || !own->confirm) {
        const bool ok = line && run_line(ui, line, err);
        free(line);
        return ok;
    }
    free(ui->own_line);
    ui->own_line = line; /* what was asked about runs, whatever is selected when the answer comes */
    struct rt_confirmation c = {.grade = RT_CONFIRM_YES_NO, .title = rt_strf("Run %s?", own->name), .text = cleaned(line + strspn(line, "!> "))};
    rt_ui_popup(ui, rt_dialog_confirm(ui, &c, answered, ui));
    return true;
}

bool shell_run_user_command(struct rt_ui *ui, const struct rt_binding *b, const struct rt_strs *w, struct rt_error *err) {
    struct rt_buf line;
    if (ui->depth >= SHELL_DEPTH_MAX)
        return rt_error_set(err, RT_E_CONFIG, "%s stands for itself", w->v[0]);
    rt_buf_init(&line, 0);
    rt_buf_adds(&line, b->command);
    for (size_t i = 1; i < w->n; i++) {
        rt_buf_addc(&line, ' ');
        rt_shell_word(&line, w->v[i]);
    }
    const struct shell_own own = {.name = b->key, .line = rt_buf_str(&line), .confirm = b->confirm, .writes = b->writes};
    ui->depth++;
    const bool ok = shell_run_own(ui, &own, err);
    ui->depth--;
    rt_buf_deinit(&line);
    return ok;
}
