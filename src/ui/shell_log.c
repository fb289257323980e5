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

static bool show_file(struct rt_ui *ui, const char *cluster, const char *node, const char *file, struct rt_error *err) {
    const struct rt_log_target target = {.what = RT_LOG_NODE_FILE, .cluster = cluster, .id = node, .file = file};
    return rt_show_log(ui, &target, err);
}

static bool show_job(struct rt_ui *ui, const char *cluster, const char *job, struct rt_error *err) {
    const struct rt_log_target target = {.what = RT_LOG_JOB, .cluster = cluster, .id = job};
    return rt_show_log(ui, &target, err);
}

/* A replica's own; an application's and a deployment's is what Serve's controller wrote. */
static bool serve_log(struct rt_ui *ui, const struct rt_cluster *c, const struct rt_serve *r, struct rt_error *err) {
    if (!r->log_node || !r->log_file)
        return rt_error_set(err, RT_E_NOT_FOUND, "%s has no log yet: it is %s", r->replica ? "the replica" : "Serve's controller",
                            r->status ? r->status : "not placed");
    return show_file(ui, c->name, r->log_node, r->log_file, err);
}

/* A group writes nothing: the job that made it does. */
static bool pg_log(struct rt_ui *ui, const struct rt_cluster *c, const struct rt_pg *g, struct rt_error *err) {
    for (size_t i = 0; g->job_id && i < c->jobs.n; i++)
        if (rt_streq(c->jobs.v[i].job_id, g->job_id))
            return show_job(ui, c->name, c->jobs.v[i].id, err);
    return rt_error_set(err, RT_E_NOT_FOUND, "the job that made it (%s) is not listed", g->job_id ? g->job_id : "not told");
}

static const struct rt_job *job_named_in(const struct rt_cluster *c, const char *text) {
    for (size_t i = 0; text && i < c->jobs.n; i++) {
        const char *id = c->jobs.v[i].id, *at = strstr(text, id);
        const size_t n = strlen(id);
        if (at && (at == text || at[-1] == ' ') && (!at[n] || strchr(" .,:", at[n])))
            return &c->jobs.v[i];
    }
    return NULL;
}

/* Of what tells of a job that job's; else what the autoscaler wrote, which is beside the head. */
static bool event_log(struct rt_ui *ui, const struct rt_cluster *c, const struct rt_cluster_event *e, struct rt_error *err) {
    const struct rt_job *j = rt_streq(e->source, "AUTOSCALER") ? NULL : job_named_in(c, e->message);
    const struct rt_node *head = rt_store_head(c);
    if (j)
        return show_job(ui, c->name, j->id, err);
    if (!head)
        return rt_error_set(err, RT_E_NOT_FOUND, "%s: the node of its head is not known yet", c->name);
    if (rt_streq(e->source, "AUTOSCALER"))
        return show_file(ui, c->name, head->id, "monitor.log", err);
    return shell_pick_log(ui, c->name, head->id, err);
}

/* Those that have no log of their own lead to the one that tells of them. */
bool shell_do_row_log(struct rt_ui *ui, const struct rt_strs *w, struct rt_error *err) {
    struct rt_view *v = shell_focused(ui);
    const struct rt_list_row *row = rt_view_is_list(v) ? rt_list_selected(v) : NULL;
    const struct rt_table *t = row ? rt_list_rows(v)->table : NULL;
    (void)w;
    if (!row || !row->cluster)
        return rt_error_set(err, RT_E_USAGE, "nothing is selected");
    if (t == &rt_table_serve)
        return serve_log(ui, row->cluster, row->row, err);
    if (t == &rt_table_pgs)
        return pg_log(ui, row->cluster, row->row, err);
    if (t == &rt_table_events)
        return event_log(ui, row->cluster, row->row, err);
    if (t == &rt_table_envs) {
        const struct rt_env *e = row->row;
        return e->node_id ? show_file(ui, row->cluster->name, e->node_id, "runtime_env_agent.log", err)
                          : rt_error_set(err, RT_E_NOT_FOUND, "Ray does not tell the node of this environment");
    }
    return rt_error_set(err, RT_E_UNSUPPORTED, "%s have no log", t->name);
}
