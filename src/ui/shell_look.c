/* What is looked at decides what is polled; the terminal's title. */
#include "ui/shell.h"

#include "base/str.h"
#include "ui/list.h"
#include <stdlib.h>

static struct looked *entry(struct rt_ui *ui, const char *cluster) {
    for (size_t i = 0; i < ui->looked.n; i++)
        if (rt_streq(ui->looked.v[i].cluster, cluster))
            return &ui->looked.v[i];
    struct looked *l = rt_vec_push(&ui->looked);
    l->cluster = rt_strdup(cluster);
    return l;
}

static bool clusters_seen(struct rt_ui *ui) {
    const char *name = rt_view_defs[ui->tab].name;
    return rt_streq(name, "clusters") || rt_streq(name, "pulse") || rt_layout_shown(&ui->layout, RT_PANE_CLUSTERS);
}

/* Topics that panes and popups show of a cluster. */
static uint32_t topics_of(struct rt_ui *ui, const char *cluster) {
    uint32_t topics = 0;
    const bool current = rt_streq(ui->cluster, cluster);
    for (int p = 0; p < RT_PANE_COUNT; p++) {
        struct rt_view *v = rt_layout_shown(&ui->layout, (enum rt_pane)p) ? shell_pane(ui, (enum rt_pane)p) : NULL;
        const bool all = rt_view_is_list(v) && rt_list_all(v);
        if (v && v->ops->topics && (all || (v->cluster ? rt_streq(v->cluster, cluster) : current)))
            topics |= v->ops->topics(v);
    }
    if (current) /* the header */
        topics |= RT_TOPIC_BIT(RT_T_CLUSTER) | RT_TOPIC_BIT(RT_T_NODES);
    return topics;
}

void shell_look(struct rt_ui *ui) {
    const bool listed = clusters_seen(ui);
    for (size_t i = 0; i < rt_store_count(ui->app->store); i++) {
        const char *name = rt_store_at(ui->app->store, i)->name;
        struct looked *l = entry(ui, name);
        const uint32_t topics = topics_of(ui, name);
        if (l->topics == topics && l->listed == listed)
            continue;
        l->topics = topics;
        l->listed = listed;
        rt_app_look(ui->app, name, topics, listed);
    }
}

void shell_title(struct rt_ui *ui) {
    const struct rt_cluster *c = ui->cluster ? rt_store_cluster(ui->app->store, ui->cluster) : NULL;
    struct rt_buf text;
    rt_buf_init(&text, 256);
    rt_buf_adds(&text, "raytui");
    if (c) {
        const struct rt_totals t = rt_cluster_totals(c);
        rt_buf_addf(&text, ": %s", c->name);
        if (t.nodes_alive >= 0)
            rt_buf_addf(&text, " %lld node%s", (long long)t.nodes_alive, rt_plural(t.nodes_alive));
        if (t.jobs_running >= 0)
            rt_buf_addf(&text, " %lld job%s", (long long)t.jobs_running, rt_plural(t.jobs_running));
    }
    rt_term_title(ui->term, rt_buf_str(&text));
    rt_buf_deinit(&text);
}
