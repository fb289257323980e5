/* What a process of the cluster is doing: its stack, where its CPU time goes, who holds its memory. Ray runs py-spy and
 * memray on the process' node and gives what they say. */
#ifndef RT_RAY_PROFILE_H
#define RT_RAY_PROFILE_H

#include "core/profile.h"
#include "ray/client.h"

struct rt_profile {
    enum rt_profile_kind kind;
    /* A process of a node; with a task its worker, as long as it works on that task. */
    const char *node_id, *node_ip; /* node_ip NULL: not known. Old Rays know a node by its address alone */
    int64_t pid;
    const char *task_id;           /* NULL: the process */
    int64_t attempt;               /* of the task */
    int duration_s;                /* not for a stack; at most RT_PROFILE_MAX_S */
    const char *format;            /* CPU: raw, flamegraph, speedscope; memory: flamegraph, table */
    bool native;                   /* frames of C and C++ too */
};
#define RT_PROFILE_MAX_S 60 /* what every Ray allows */

/* What came, as it came. Errors say why it is not possible and what to do about it. Strings are copied. */
struct rt_op *rt_ray_profile(struct rt_ray *r, const struct rt_profile *p, rt_ray_raw_fn *fn, void *ctx);

#endif
