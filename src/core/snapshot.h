/* The store's last known state of a cluster on disk (STATE/clusters/NAME/snapshot.json), shown dimmed
 * with its age at the next start. env_vars do not go into it. */
#ifndef RT_CORE_SNAPSHOT_H
#define RT_CORE_SNAPSHOT_H

#include "core/store.h"

bool rt_snapshot_save(const struct rt_cluster *c, struct rt_error *err);
/* Fills a fresh cluster; a missing file is fine (false without code), a damaged one is an error. */
bool rt_snapshot_load(struct rt_store *s, struct rt_cluster *c, struct rt_error *err);

#endif
