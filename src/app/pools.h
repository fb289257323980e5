/* Pools of clusters whose provider has none of its own: Ray's nodes, with what the autoscaler says. */
#ifndef RT_APP_POOLS_H
#define RT_APP_POOLS_H

#include "core/store.h"

/* Writes pools from the cluster's nodes and the autoscaler's last status (borrowed; may be empty). */
void pools_merge(struct rt_store *s, struct rt_cluster *c, const rt_pools *status);

#endif
