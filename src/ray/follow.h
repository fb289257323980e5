/* Follows a log without losing or repeating a byte across dropped connections (ray-api 6.5): by byte ranges
 * of the node's own port where it can be reached, else by the dashboard's stream with what was seen skipped,
 * else (old Rays behind a dashboard only) by the whole text. Ends with the job's final state. */
#ifndef RT_RAY_FOLLOW_H
#define RT_RAY_FOLLOW_H

#include "ray/client.h"

enum rt_follow_event {
    RT_FOLLOW_WAITING,  /* the log is not there yet (job pending): text says why */
    RT_FOLLOW_LIVE,     /* connected (again): text says how ("byte ranges of 10.0.0.3:52365") */
    RT_FOLLOW_LOST,     /* connection lost, tries again: text says why */
    RT_FOLLOW_RESTARTED,/* the file was replaced: what follows starts at its beginning */
    RT_FOLLOW_ENDED     /* complete: the job is terminal and everything was read; `job` is set */
};

struct rt_follow_callbacks {
    void (*data)(void *ctx, const char *data, size_t n);
    void (*event)(void *ctx, enum rt_follow_event e, const char *text, const struct rt_job *job);
    /* It will not go on by itself (no such job, no log for DRIVER jobs, token needed). */
    void (*failed)(void *ctx, const struct rt_error *err);
    void *ctx;
};

struct rt_follow;

struct rt_follow_opts {
    const char *job;        /* submission id; its driver log */
    const char *node_id, *filename; /* or: a file of a node's log directory */
    const char *node_url;   /* where the node serves it itself; NULL: asked for */
    int64_t tail_bytes;     /* -1: from the beginning; else start with about the last so many bytes */
    bool follow;            /* false: what is there now, then ENDED */
    bool until_job_ends;    /* with job: ENDED when it is terminal and complete */
    int64_t poll_ms;        /* pause between two looks for more, where there are looks; 0: as it is usual */
};
/* Several may run. Stopped by destroying it. */
struct rt_follow *rt_follow_start(struct rt_ray *r, const struct rt_follow_opts *o, const struct rt_follow_callbacks *cb);
void rt_follow_destroy(struct rt_follow *f);
/* Nothing more will be written: reads what is there now, then ENDED. Not inside its callbacks. */
void rt_follow_end(struct rt_follow *f);
/* How long nothing may come although something was written: the pause between two looks. */
int64_t rt_follow_pause_ms(const struct rt_follow *f);
void rt_follow_retry(struct rt_follow *f); /* now, instead of at the end of the back-off */

/* Names of the log files of a node, with their category: callback per file. */
typedef void rt_log_list_fn(void *ctx, const struct rt_strs *names, const struct rt_error *err);
struct rt_op *rt_ray_log_list(struct rt_ray *r, const char *node_id, const char *glob, rt_log_list_fn *fn, void *ctx);

#endif
