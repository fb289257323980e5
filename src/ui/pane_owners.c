/* RayJobs and RayServices: from them to their clusters and logs. */
#include "ui/list.h"
#include "ui/views.h"

#include "base/str.h"
#include <stdlib.h>

static const struct rt_rayjob *job_of(const struct rt_list_row *r, struct rt_view *v) {
    return rt_list_rows(v)->table == &rt_table_rayjobs ? r->row : NULL;
}

/* Its cluster, attached; NULL with the reason. What is said of it may change meanwhile: copied. */
static const char *attached(struct rt_view *v, const struct rt_list_row *r, struct rt_error *err) {
    struct rt_app *a = rt_ui_app(v->ui);
    const struct rt_rayjob *j = job_of(r, v);
    const struct rt_rayservice *s = j ? NULL : r->row;
    const char *where = j ? j->where : s->where, *fields = j ? j->fields : s->fields;
    if (!where) {
        rt_error_set(err, RT_E_NOT_FOUND, "%s has no RayCluster now", j ? j->id : s->id);
        return NULL;
    }
    const char *name = rt_app_beside(a, where, fields, err);
    if (!name || (!rt_app_attached(a, name) && !rt_app_attach(a, name, true, err)))
        return NULL;
    return name;
}

static bool open_cluster(struct rt_view *v, const struct rt_list_row *r, const struct rt_strs *w, struct rt_error *err) {
    (void)w;
    const char *name = attached(v, r, err);
    if (!name)
        return false;
    rt_ui_set_cluster(v->ui, name);
    rt_ui_command(v->ui, "jobs");
    return true;
}

static bool open_log(struct rt_view *v, const struct rt_list_row *r, const struct rt_strs *w, struct rt_error *err) {
    (void)w;
    const struct rt_rayjob *j = job_of(r, v);
    if (!j->job || !j->cluster)
        return rt_error_set(err, RT_E_NOT_FOUND, "%s has no job yet: it is %s", j->id, j->deployment ? j->deployment : "new");
    char *job = rt_strdup(j->job);
    const char *name = attached(v, r, err);
    const struct rt_log_target t = {.what = RT_LOG_JOB, .cluster = name, .id = job};
    const bool ok = name && rt_show_log(v->ui, &t, err);
    free(job);
    return ok;
}

static bool suspend_or_resume(struct rt_view *v, const struct rt_list_row *r, const struct rt_strs *w, struct rt_error *err) {
    (void)w;
    const struct rt_rayjob *j = job_of(r, v);
    if (!j)
        return rt_error_set(err, RT_E_UNSUPPORTED, "a RayService cannot be suspended");
    return rt_ui_command(v->ui, j->suspend ? "resume-rayjob" : "suspend-rayjob");
}

enum rt_taken rt_owners_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err) {
    static const struct rt_row_command commands[] = {{"open-owned", open_cluster}, {"owned-log", open_log}, {"suspend-or-resume", suspend_or_resume}};
    return rt_list_run(v, words, commands, RT_COUNT(commands), err);
}
