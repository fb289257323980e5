/* What the files of core know of the store and others do not. */
#ifndef RT_CORE_STORE_IMPL_H
#define RT_CORE_STORE_IMPL_H

#include "core/store.h"

struct rt_operations;

/* The list of operations of a store; rt_store_operations reads it. Kept until set to NULL. */
void rt_store_set_operations(struct rt_store *s, struct rt_operations *o);
/* Tells the watchers about a topic that has no cluster of its own in the store: operations.
 * `cluster` is a name; one that is not in the store is told as NULL. */
void rt_store_notify_operations(struct rt_store *s, const char *cluster);
/* The topic's data are a last known state from disk, of that time (0: it never had any). */
void rt_store_mark_snapshot(struct rt_store *s, struct rt_cluster *c, enum rt_topic t,
                            int64_t at_ms);

#endif
