/* What a process is doing: its stack or a profile, measured while the view is open. Leaving it, or ^C, cancels. */
#include "ui/shell.h"

#include "app/profile.h"
#include "base/str.h"
#include "ui/list.h"
#include "ui/menu.h"
#include "ui/outline.h"
#include "ui/text.h"
#include <stdlib.h>

struct measuring {
    struct rt_profile_target target;
    struct rt_profile_ask ask;
    char *format; /* what ask.format points to; NULL */
    struct rt_op *op;
    struct rt_view *view;
    int64_t begin_ms;
};

static void measuring_free(void *ctx) {
    struct measuring *m = ctx;
    rt_op_drop(&m->op);
    rt_profile_target_deinit(&m->target);
    free(m->format);
    free(m);
}

static const char *what(const struct measuring *m) {
    return m->ask.kind == RT_PROFILE_STACK ? "stack" : m->ask.kind == RT_PROFILE_CPU ? "CPU profile" : "memory profile";
}

static void add_clean_lines(struct rt_buf *out, const char *text, size_t n) {
    while (n) {
        const char *nl = memchr(text, '\n', n);
        const size_t len = nl ? (size_t)(nl - text) : n;
        rt_clean(out, text, len);
        rt_buf_addc(out, '\n');
        text += len + (nl != NULL);
        n -= len + (nl != NULL);
    }
}

static void show_error(struct measuring *m, const struct rt_error *err) {
    struct rt_buf out;
    rt_buf_init(&out, 0);
    rt_buf_addf(&out, "no %s of the %s\n\n%s\n", what(m), m->target.title, err->message);
    if (err->hint[0])
        rt_buf_addf(&out, "%s\n", err->hint);
    rt_buf_adds(&out, "\n^R tries again\n");
    rt_text_set(m->view, rt_buf_str(&out));
    rt_buf_deinit(&out);
}

static void show_saved(struct measuring *m, const char *path, const char *text, size_t n) {
    struct rt_buf out;
    rt_buf_init(&out, 0);
    rt_buf_addf(&out, "saved to %s (%zu bytes)\nopens with %s\n", path, n, rt_profile_opens_with(&m->ask));
    if (m->ask.kind == RT_PROFILE_CPU && rt_streq(m->ask.format, "raw")) {
        rt_buf_addc(&out, '\n');
        rt_profile_summary(&out, text, n);
    }
    rt_text_set(m->view, rt_buf_str(&out));
    rt_buf_deinit(&out);
    rt_ui_toast(m->view->ui, "saved to %s", path);
}

static void measured(void *ctx, const char *text, size_t n, const struct rt_error *err) {
    struct measuring *m = ctx;
    struct rt_error failed = {0};
    m->op = NULL;
    if (err) {
        show_error(m, err);
    } else if (m->ask.kind == RT_PROFILE_STACK) {
        struct rt_buf out;
        rt_buf_init(&out, 0);
        add_clean_lines(&out, text, n);
        rt_text_set(m->view, rt_buf_str(&out));
        rt_buf_deinit(&out);
    } else {
        char *path = rt_profile_save(&m->target, &m->ask, NULL, text, n, &failed);
        if (path)
            show_saved(m, path, text, n);
        else
            show_error(m, &failed);
        free(path);
    }
}

/* Every second while it runs. */
static void refill(struct rt_view *v, void *ctx) {
    const struct measuring *m = ctx;
    char age[24], text[400];
    if (!m->op)
        return;
    const int64_t ms = rt_mono_ms() - m->begin_ms;
    rt_fmt_age(age, sizeof age, ms);
    if (m->ask.kind == RT_PROFILE_STACK)
        snprintf(text, sizeof text, "asking for the stack of the %.200s: %s\n\n^C or Esc cancels\n", m->target.title, age);
    else
        snprintf(text, sizeof text, "%s of the %.200s: %s of %d s%s\n\n^C or Esc cancels\n", what(m), m->target.title, age,
                 m->ask.duration_s, ms > 1000 * (int64_t)m->ask.duration_s ? ", the report is being written" : "");
    rt_text_set(v, text);
}

static bool begin(struct measuring *m, struct rt_error *err) {
    m->begin_ms = rt_mono_ms();
    m->op = rt_app_profile(rt_ui_app(m->view->ui), &m->target, &m->ask, measured, m, err);
    if (m->op)
        refill(m->view, m);
    return m->op != NULL;
}

static enum rt_taken command(struct rt_view *v, void *ctx, const struct rt_strs *words, struct rt_error *err) {
    struct measuring *m = ctx;
    if (rt_streq(words->v[0], "interrupt") && m->op) {
        rt_op_drop(&m->op);
        rt_text_set(v, "cancelled\n\n^R begins again\n");
        return RT_TAKEN_YES;
    }
    if (!rt_streq(words->v[0], "refresh"))
        return RT_TAKEN_NO;
    return m->op || begin(m, err) ? RT_TAKEN_YES : RT_TAKEN_FAILED;
}

static struct rt_view *create(struct rt_ui *ui, struct rt_profile_target *t, const struct rt_profile_ask *q) {
    struct measuring *m = RT_NEW(struct measuring);
    m->target = *t;
    m->ask = *q;
    m->ask.format = m->format = rt_strdup(q->format);
    char *title = rt_strf("%s of the %s", what(m), t->title);
    m->view = rt_text_create(ui, "text", title, "");
    free(title);
    m->view->cluster = rt_strdup(t->cluster);
    rt_text_on_change(m->view, 0, refill, m, measuring_free);
    rt_text_on_command(m->view, command);
    struct rt_error err = {0};
    if (!begin(m, &err))
        show_error(m, &err);
    return m->view;
}

/* ---- which thing ---- */

/* What stands on a line of a tree or of a node's page, by what Enter does there. */
static char *thing_of_line(struct rt_view *v) {
    static const char *const logs[] = {"actor-log ", "task-log ", "process-log "};
    const struct rt_outline_row *r = rt_outline_here((struct rt_outline *)v);
    for (size_t i = 0; r && i < RT_COUNT(logs); i++)
        if (rt_starts(r->command, logs[i]))
            return rt_strdup(r->command + strlen(logs[i]));
    return NULL;
}

/* The row under the cursor, where rows have processes. */
static char *selected_thing(struct rt_ui *ui) {
    struct rt_view *v = shell_focused(ui);
    if (rt_streq(v->ops->klass, "outline"))
        return thing_of_line(v);
    if (!rt_view_is_list(v))
        return NULL;
    const struct rt_table *t = rt_list_rows(v)->table;
    if (t == &rt_table_serve) {
        const struct rt_list_row *row = rt_list_selected(v);
        const struct rt_serve *r = row ? row->row : NULL;
        return r && r->node_id && r->pid > 0 ? rt_strf("%s/%lld", r->node_id, (long long)r->pid) : NULL;
    }
    const bool has = t == &rt_table_actors || t == &rt_table_tasks || t == &rt_table_workers;
    return has ? rt_strdup(rt_list_selected_id(v)) : NULL;
}

static bool duration(const struct rt_call *c, struct rt_profile_ask *q, struct rt_error *err) {
    const char *text = rt_call_option(c, "duration");
    int64_t ms = 0;
    if (!text)
        return true;
    if (!rt_parse_duration(text, &ms, err))
        return rt_error_wrap(err, "--duration");
    q->duration_s = ms < 1000 || ms > 3600000 ? -1 : (int)(ms / 1000);
    return true;
}

bool shell_open_profile(struct rt_ui *ui, const struct rt_call *c, struct rt_error *err) {
    const struct rt_view *v = shell_focused(ui);
    struct rt_profile_ask q = {.kind = rt_streq(c->def->name, "stack")       ? RT_PROFILE_STACK
                                       : rt_call_option(c, "memory") != NULL ? RT_PROFILE_MEMORY
                                                                             : RT_PROFILE_CPU,
                               .format = rt_call_option(c, "format"),
                               .native = rt_call_option(c, "native") != NULL};
    struct rt_profile_target t;
    char *thing = c->args.n ? rt_strdup(c->args.v[0]) : selected_thing(ui);
    const struct rt_list_row *row = rt_view_is_list(v) && !c->args.n ? rt_list_selected(shell_focused(ui)) : NULL;
    const char *named = rt_call_option(c, "cluster");
    const char *cluster = named ? rt_app_target(ui->app, named, err) : row && row->cluster ? row->cluster->name : ui->cluster;
    bool ok = thing && cluster;
    if (!ok)
        rt_error_set(err, RT_E_USAGE, "no process is selected: an actor, a task, a worker, a replica");
    ok = ok && duration(c, &q, err) && rt_profile_ask_check(&q, err) && rt_app_profile_find(ui->app, cluster, thing, &t, err);
    if (ok)
        rt_ui_push(ui, create(ui, &t, &q));
    free(thing);
    return ok;
}

/* P: what can be measured. */
bool shell_do_profile_menu(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    char *thing = selected_thing(ui);
    (void)w;
    if (!thing)
        return rt_error_set(err, RT_E_USAGE, "no process is selected: an actor, a task, a worker, a replica");
    free(thing);
    struct rt_view *menu = rt_menu_create(ui, "look into the process");
    rt_menu_add(menu, "t", "stack: where it is now", "stack");
    rt_menu_add(menu, "n", "stack with C and C++ frames", "stack --native");
    rt_menu_add(menu, "c", "CPU for 5 s: the hottest places, stacks to a file", "profile");
    rt_menu_add(menu, "C", "CPU for 30 s", "profile --duration 30s");
    rt_menu_add(menu, "f", "flame graph of 5 s (SVG)", "profile --format flamegraph");
    rt_menu_add(menu, "s", "speedscope file of 5 s", "profile --format speedscope");
    rt_menu_add(menu, "m", "memory for 10 s (HTML)", "profile --memory");
    rt_ui_popup(ui, menu);
    return true;
}
