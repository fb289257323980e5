/* From an actor, a task or a worker to what it wrote. */
#include "ui/shell.h"

#include "base/str.h"
#include "core/table.h"
#include "ui/list.h"
#include "ui/text.h"
#include <stdlib.h>

static const struct rt_table *table_of(const char *command) {
    return rt_streq(command, "actor-log") ? &rt_table_actors : rt_streq(command, "task-log") ? &rt_table_tasks
                                                         : rt_streq(command, "worker-log") ? &rt_table_workers : NULL;
}

/* The id that was typed, or the row of a list under the cursor. */
static const char *which(struct rt_ui *ui, const struct rt_strs *w, const struct rt_table *t, const struct rt_list_row **row) {
    struct rt_view *v = shell_focused(ui);
    *row = NULL;
    if (t && rt_view_is_list(v) && rt_list_rows(v)->table == t)
        *row = rt_list_selected(v);
    if (w->n > 1 && !rt_streq(w->v[1], "err") && !rt_streq(w->v[1], "out"))
        return w->v[1];
    return *row ? t->id((*row)->row) : NULL;
}

static const void *find(const struct rt_table *t, const struct rt_row_env *env, const char *id) {
    for (size_t i = 0; t && env->cluster && i < t->count(env); i++)
        if (rt_streq(t->id(t->at(env, i)), id))
            return t->at(env, i);
    return NULL;
}

/* A task that failed has its reason in its row: no file tells it better. */
static bool show_error(struct rt_ui *ui, const struct rt_task *task) {
    struct rt_buf out;
    if (!task || !task->error_message || !*task->error_message)
        return false;
    rt_buf_init(&out, 0);
    rt_buf_addf(&out, "%s\n\n", task->error_type ? task->error_type : "error");
    for (const char *s = task->error_message; *s;) {
        const size_t n = strcspn(s, "\n");
        rt_clean(&out, s, n);
        rt_buf_addc(&out, '\n');
        s += n + (s[n] == '\n');
    }
    char *title = rt_strf("error of task %s", task->name ? task->name : task->id);
    rt_ui_push(ui, rt_text_create(ui, "text", title, rt_buf_str(&out)));
    free(title);
    rt_buf_deinit(&out);
    return true;
}

bool shell_do_run_log(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_table *t = table_of(w->v[0]);
    const struct rt_list_row *row;
    const char *id = which(ui, w, t, &row);
    const bool wants_err = w->n > 1 && rt_streq(w->v[w->n - 1], "err");
    const struct rt_selection sel = shell_selection(ui);
    const char *cluster = row && row->cluster ? row->cluster->name : sel.cluster;
    const struct rt_cluster *c = cluster ? rt_store_cluster(ui->app->store, cluster) : NULL;
    if (!id || !c)
        return rt_error_set(err, RT_E_USAGE, "nothing is selected");
    const struct rt_row_env env = {.store = ui->app->store, .cluster = c, .now_ms = rt_wall_ms(), .ascii = ui->ascii};
    const void *found = row ? row->row : find(t, &env, id);
    struct rt_log_target target = {.cluster = c->name, .id = id, .file = wants_err ? "err" : NULL};
    if (t == &rt_table_tasks && !wants_err && show_error(ui, found))
        return true;
    char *process = NULL;
    if (t == &rt_table_workers && found)
        process = rt_strf("%s/%lld", ((const struct rt_worker *)found)->node_id, (long long)((const struct rt_worker *)found)->pid);
    target.what = t == &rt_table_actors ? RT_LOG_ACTOR : t == &rt_table_tasks ? RT_LOG_TASK : RT_LOG_PROCESS;
    target.id = process ? process : id;
    const bool ok = rt_show_log(ui, &target, err);
    free(process);
    return ok;
}

/* A replica's log is a file of its node; an application and a deployment have none of their own. */
bool shell_do_serve_log(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_list_row *row;
    if (!which(ui, w, &rt_table_serve, &row) || !row)
        return rt_error_set(err, RT_E_USAGE, "nothing is selected");
    const struct rt_serve *r = row->row;
    const char *cluster = row->cluster ? row->cluster->name : ui->cluster;
    if (!r->replica) {
        rt_ui_push(ui, rt_view_detail(ui, &rt_table_serve, cluster, r->id));
        return true;
    }
    if (!r->node_id || !r->log_file)
        return rt_error_set(err, RT_E_NOT_FOUND, "the replica has no log yet: it is %s", r->status ? r->status : "not placed");
    const struct rt_log_target target = {.what = RT_LOG_NODE_FILE, .cluster = cluster, .id = r->node_id, .file = r->log_file};
    return rt_show_log(ui, &target, err);
}
