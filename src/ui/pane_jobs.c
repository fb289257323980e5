/* Jobs: one key stops what runs and deletes what has ended. */
#include "ui/list.h"
#include "ui/views.h"

#include "base/str.h"

static bool all_ended(struct rt_view *v, const struct rt_selection *sel) {
    const struct rt_cluster *c = sel->cluster ? rt_store_cluster(rt_ui_app(v->ui)->store, sel->cluster) : NULL;
    bool ended = c && sel->jobs && sel->jobs->n;
    for (size_t i = 0; ended && i < sel->jobs->n; i++) {
        const struct rt_job *j = rt_store_job(c, sel->jobs->v[i]);
        ended = j && rt_job_ended((enum rt_job_status)j->status);
    }
    return ended;
}

enum rt_taken rt_jobs_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err) {
    struct rt_selection sel = {0};
    (void)err;
    if (!rt_streq(words->v[0], "stop-or-delete"))
        return RT_TAKEN_NO;
    v->ops->select(v, &sel);
    /* The verb's own error, if there is one, has been told. */
    return rt_ui_command(v->ui, all_ended(v, &sel) ? "delete" : "stop") ? RT_TAKEN_YES : RT_TAKEN_FAILED;
}
