/* What clusters and pools wrote while they started. */
#include "ui/list.h"
#include "ui/shell.h"
#include "ui/views.h"

#include "base/str.h"

/* The head, or the last node of a pool. */
static const struct rt_node *node_of(const struct rt_cluster *c, const char *name) {
    const struct rt_node *last = NULL;
    if (rt_streq(name, "head"))
        return rt_store_head(c);
    for (size_t i = 0; i < c->nodes.n; i++) {
        const struct rt_node *n = &c->nodes.v[i];
        if (n->alive && rt_streq(n->pool, name) && (!last || n->start_ms > last->start_ms))
            last = n;
    }
    return last;
}

/* Where nothing was kept of its start there are the files of the node that it became. */
bool rt_show_machine_log(struct rt_ui *ui, const char *cluster, const char *name, struct rt_error *err) {
    const struct rt_log_target t = {.what = RT_LOG_MACHINE, .cluster = cluster, .id = name};
    const struct rt_cluster *c = rt_store_cluster(rt_ui_app(ui)->store, cluster);
    const struct rt_node *n = c ? node_of(c, name) : NULL;
    if (rt_show_log(ui, &t, err))
        return true;
    if (!n || (err->code != RT_E_UNSUPPORTED && err->code != RT_E_NOT_FOUND))
        return false;
    rt_error_clear(err);
    return shell_pick_log(ui, cluster, n->id, err);
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
