/* Looking into a process of a cluster: which one a name means, the measuring, the file that keeps it. */
#ifndef RT_APP_PROFILE_H
#define RT_APP_PROFILE_H

#include "app/app.h"
#include "core/profile.h"

struct rt_profile_target {
    char *cluster, *title; /* "actor Counter, process 4711 on node1" */
    char *node, *ip, *task; /* task NULL: the process */
    int64_t pid, attempt;
};
/* An actor (id, its beginning, name), a task, a worker, NODE/PID, or a PID that only one worker has. */
bool rt_app_profile_find(struct rt_app *a, const char *cluster, const char *thing, struct rt_profile_target *out,
                         struct rt_error *err);
void rt_profile_target_deinit(struct rt_profile_target *t);

struct rt_profile_ask {
    enum rt_profile_kind kind;
    int duration_s;     /* 0: 5, for memory 10; not for a stack */
    const char *format; /* NULL: raw, for memory flamegraph. Borrowed for the call */
    bool native;
};
/* Sets what was left open; false when it is out of what Ray takes. */
bool rt_profile_ask_check(struct rt_profile_ask *q, struct rt_error *err);

/* `q` has been checked. Text as it came; it may hold anything. */
typedef void rt_profile_fn(void *ctx, const char *text, size_t n, const struct rt_error *err);
struct rt_op *rt_app_profile(struct rt_app *a, const struct rt_profile_target *t, const struct rt_profile_ask *q, rt_profile_fn *fn,
                             void *ctx, struct rt_error *err);

/* Keeps it in `path`, or in a file of this directory whose name says what it is; gives the path, NULL with the reason. */
char *rt_profile_save(const struct rt_profile_target *t, const struct rt_profile_ask *q, const char *path, const char *data, size_t n,
                      struct rt_error *err);
/* What such a file is opened with. */
const char *rt_profile_opens_with(const struct rt_profile_ask *q);

#endif
