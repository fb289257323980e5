/* What was seen of logs, on disk: CACHE/logs/CLUSTER/SESSION/NODE/FILE (a job's driver: jobs/ID), each file the bytes
 * as they stand in the log from its beginning. Readable when the node or the whole cluster is gone. */
#ifndef RT_CORE_LOGCACHE_H
#define RT_CORE_LOGCACHE_H

#include "base/error.h"
#include "base/str.h"
#include <stdbool.h>
#include <stdint.h>

/* One log. `node` is "jobs" for drivers. */
struct rt_logcache_key {
    const char *cluster, *session, *node, *file; /* session NULL: of any, the newest */
};

struct rt_logcache;
/* For writing; the file is made with its first bytes. `max`: bytes of one log. */
struct rt_logcache *rt_logcache_open(const struct rt_logcache_key *k, int64_t max);
/* Bytes that stand at `off` in the log. What was kept of another log of this name goes. */
void rt_logcache_put(struct rt_logcache *c, int64_t off, const char *data, size_t n);
/* The same bytes as those that are kept there? */
bool rt_logcache_same(struct rt_logcache *c, int64_t off, const char *data, size_t n);
void rt_logcache_restart(struct rt_logcache *c); /* the log starts over */
/* `seen`: it was looked at until now, whether something came or not. NULL is fine. */
void rt_logcache_close(struct rt_logcache *c, bool seen);

/* What is kept of a log; the path is the caller's. */
struct rt_logcache_entry {
    char *path;
    int64_t bytes, seen_ms; /* wall */
};
bool rt_logcache_find(const struct rt_logcache_key *k, struct rt_logcache_entry *out);
/* Names of the logs of k's node that are kept (k->file NULL). */
void rt_logcache_names(const struct rt_logcache_key *k, struct rt_strs *names);
/* Nodes that something is kept of, "jobs" among them (k->node and k->file NULL). */
void rt_logcache_nodes(const struct rt_logcache_key *k, struct rt_strs *nodes);
/* All logs that are kept of a cluster, as "NODE/FILE", the newest session's only once. */
void rt_logcache_all(const char *cluster, struct rt_strs *names);

/* Deletes the oldest until at most `quota` bytes are left. May run on a worker. */
char *rt_logcache_dir(void); /* gives it */
void rt_logcache_prune(const char *dir, int64_t quota);

#endif
