/* Inside app only: the clusters of `run`: made up from a configuration, noted on disk, found again. */
#ifndef RT_APP_WORK_LEFT_H
#define RT_APP_WORK_LEFT_H

#include "app/session.h"

struct rt_call;

/* A cluster with a name of its own and the fields of `spec`: a configured name, a file with a cluster's fields, or a
 * RayCluster manifest. It stands in configuration and store afterwards. */
struct rt_cluster_conf *work_left_make(struct rt_app *a, const char *spec, struct rt_error *err);
/* Before anything is made: who runs it, and what would be needed to tear it down. */
bool work_left_note(struct rt_app *a, const char *name, const struct rt_call *c, struct rt_error *err);
/* It was left on purpose. */
void work_left_kept(const char *name);
/* Off the list, and its directory away. */
void work_left_forget(struct rt_app *a, const char *name, struct rt_error *err);
/* At the start: clusters of other or earlier runs are put on the list. */
void work_left_adopt(struct rt_app *a);

#endif
