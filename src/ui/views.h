/* The views there are, each made by name (registry: views.c). */
#ifndef RT_UI_VIEWS_H
#define RT_UI_VIEWS_H

#include "app/submit.h"
#include "core/table.h"
#include "ui/view.h"

struct rt_view_def {
    const char *name; /* "jobs"; NULL ends the table */
    const char *tab;  /* key in the tab bar: "4"; NULL: not there */
    const char *help;
    struct rt_view *(*create)(struct rt_ui *ui);
    uint32_t need;    /* enum rt_cap: only where the provider has it; 0 */
};
extern const struct rt_view_def rt_view_defs[];
const struct rt_view_def *rt_view_find(const char *name);
/* Has the cluster on the screen what this view shows? */
bool rt_view_fits(struct rt_ui *ui, const struct rt_view_def *d);

struct rt_view *rt_view_columns(struct rt_ui *ui, const struct rt_table *t); /* popup: which columns, in which order */
struct rt_view *rt_view_pulse(struct rt_ui *ui); /* all clusters together */
struct rt_view *rt_view_tree(struct rt_ui *ui);  /* pools, nodes, actors; jobs, actors, tasks */
struct rt_view *rt_view_heat(struct rt_ui *ui);  /* all nodes of one */
struct rt_view *rt_view_clusters(struct rt_ui *ui);
struct rt_view *rt_view_pools(struct rt_ui *ui);
struct rt_view *rt_view_nodes(struct rt_ui *ui);
struct rt_view *rt_view_jobs(struct rt_ui *ui);
struct rt_view *rt_view_actors(struct rt_ui *ui);
struct rt_view *rt_view_tasks(struct rt_ui *ui);
struct rt_view *rt_view_events(struct rt_ui *ui);
struct rt_view *rt_view_pgs(struct rt_ui *ui);
struct rt_view *rt_view_serve(struct rt_ui *ui);
struct rt_view *rt_view_envs(struct rt_ui *ui);
struct rt_view *rt_view_workers(struct rt_ui *ui);
struct rt_view *rt_view_pods(struct rt_ui *ui);
struct rt_view *rt_view_rayjobs(struct rt_ui *ui);
struct rt_view *rt_view_rayservices(struct rt_ui *ui);
struct rt_view *rt_view_forwards(struct rt_ui *ui);
struct rt_view *rt_view_operations(struct rt_ui *ui);
struct rt_view *rt_view_start(struct rt_ui *ui); /* nothing is configured: what was found here */
/* Everything known of one row, kept up to date. */
struct rt_view *rt_view_detail(struct rt_ui *ui, const struct rt_table *t, const char *cluster, const char *id);
/* What is here, and of a cluster (NULL: none) what its machines have and lack. */
struct rt_view *rt_view_doctor(struct rt_ui *ui, const char *cluster);
/* Why a thing waits, failed or stays, kept up to date. */
struct rt_view *rt_view_why(struct rt_ui *ui, const char *cluster, enum rt_why_kind k, const char *id);
struct rt_view *rt_view_node(struct rt_ui *ui, const char *cluster, const char *id); /* bars, processes, logs */
struct rt_view *rt_view_raw(struct rt_ui *ui, const char *cluster, const char *table, const char *id);

/* Command lines of single panes (pane_*.c), given to their lists. */
enum rt_taken rt_clusters_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err);
bool rt_show_machine_log(struct rt_ui *ui, const char *cluster, const char *name, struct rt_error *err);
enum rt_taken rt_pools_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err);
enum rt_taken rt_jobs_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err);
enum rt_taken rt_pods_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err);
enum rt_taken rt_owners_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err);
enum rt_taken rt_operations_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err);

/* view_log.c */
struct rt_view *rt_view_log(struct rt_ui *ui, const struct rt_log_target *t, struct rt_error *err);
bool rt_show_log(struct rt_ui *ui, const struct rt_log_target *t, struct rt_error *err); /* made and put on the screen */
/* Shows the line (from 0) as soon as it was read, with what is searched for. */
void rt_view_log_go(struct rt_view *v, int64_t line, const char *regex);
/* view_node_logs.c: a popup that picks a log file of a node. NULL with the reason. */
struct rt_view *rt_view_node_logs(struct rt_ui *ui, const char *cluster, const char *node_id, struct rt_error *err);
/* view_help.c: keys and commands of the view that had the focus. */
struct rt_view *rt_view_help(struct rt_ui *ui, const char *view, const char *klass);
/* forms: popups or side views. `job` NULL: an empty form. */
struct rt_view *rt_form_submit(struct rt_ui *ui, const char *cluster, const struct rt_submit_form *from);
struct rt_view *rt_form_attach(struct rt_ui *ui);
struct rt_view *rt_form_init(struct rt_ui *ui);
struct rt_view *rt_form_scale(struct rt_ui *ui, const char *cluster, const char *pool);
struct rt_view *rt_form_add_pool(struct rt_ui *ui, const char *cluster);
struct rt_view *rt_form_forward(struct rt_ui *ui, const char *cluster);

/* palette.c: what could stand at the cursor of a command line; fills whole words that begin as typed. */
void rt_complete(struct rt_ui *ui, const char *line, size_t at, struct rt_strs *out, size_t *word_start);

#endif
