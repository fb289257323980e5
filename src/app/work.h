/* One piece of work on a cluster of its own (`run`): made, waited for, a job submitted and followed, torn down, whatever
 * happens on the way. What a killed raytui left is known at the next start by STATE/clusters/NAME/run.json. */
#ifndef RT_APP_WORK_H
#define RT_APP_WORK_H

#include "app/action.h"

struct rt_work_status {
    const char *cluster; /* its name in the store, while it is there */
    const char *job;     /* submission id; NULL: not submitted yet */
    int job_status;      /* enum rt_job_status once it ended; 0 */
    bool kept;           /* the cluster was left, as asked for */
};
/* Of the operation that `run` started. False: it is none. */
bool rt_work_status(const struct rt_app *a, const struct rt_operation *op, struct rt_work_status *out);
/* The job's log as it comes. */
void rt_work_on_data(struct rt_app *a, const struct rt_operation *op, void (*fn)(void *ctx, const char *data, size_t n), void *ctx);

/* Clusters that a `run` made whose raytui does not live any more; names of the store. Appends. */
void rt_works_left(const struct rt_app *a, struct rt_strs *names);
/* One of them in a line: its name, when it was made and by which words. Appends. */
void rt_work_left_text(const char *name, struct rt_buf *out);

#endif
