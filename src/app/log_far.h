/* One log of a cluster: followed, kept in the cache, and read from there when it cannot be had. */
#ifndef RT_APP_LOG_FAR_H
#define RT_APP_LOG_FAR_H

#include "app/session.h"
#include "core/logcache.h"
#include "ray/follow.h"

struct log_far;

struct log_far_callbacks {
    struct rt_follow_callbacks follow; /* as rt_follow gives them; their ctx counts */
    void (*note)(void *ctx, const char *text); /* what follows comes from the cache: "from the cache, seen until ..." */
};
/* `ray` NULL: from the cache alone, then ENDED. Not destroyed inside its callbacks. */
struct log_far *log_far_start(struct session *s, struct rt_ray *ray, const struct rt_follow_opts *o, const struct log_far_callbacks *cb);
void log_far_destroy(struct log_far *f); /* NULL is fine */
void log_far_retry(struct log_far *f);
int64_t log_far_pause_ms(const struct log_far *f); /* rt_follow_pause_ms */
void log_far_end(struct log_far *f); /* rt_follow_end */

/* Is something kept of it? Of a driver with `job`, else of a node's file. */
bool log_far_kept(const struct session *s, const char *job, const char *node, const char *file);
/* "from the cache, seen until 17:14:02 (3h ago)". */
void log_far_words(const struct rt_logcache_entry *e, char *out, size_t size);
/* The files of a node that something is kept of. */
void log_far_names(const struct session *s, const char *node, struct rt_strs *names);
/* The nodes that something is kept of ("jobs" among them), of this session of the cluster or of any. */
void log_far_nodes(const struct session *s, bool any, struct rt_strs *nodes);

#endif
