/* What clusters and pools wrote while they started. */
#include "ui/list.h"
#include "ui/views.h"

#include "base/str.h"

bool rt_show_machine_log(struct rt_ui *ui, const char *cluster, const char *name, struct rt_error *err) {
    const struct rt_log_target t = {.what = RT_LOG_MACHINE, .cluster = cluster, .id = name};
    return rt_show_log(ui, &t, err);
}

enum rt_taken rt_clusters_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err) {
    if (!rt_streq(words->v[0], "machine-log"))
        return RT_TAKEN_NO;
    const char *cluster = rt_list_selected_id(v);
    if (!cluster) {
        rt_error_set(err, RT_E_USAGE, "no cluster is selected");
        return RT_TAKEN_FAILED;
    }
    return rt_show_machine_log(v->ui, cluster, "head", err) ? RT_TAKEN_YES : RT_TAKEN_FAILED;
}
