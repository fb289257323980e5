/* How Ray is told that nodes go: by its own command, in a tiny job on the cluster. */
#ifndef RT_PROVIDERS_DRAIN_H
#define RT_PROVIDERS_DRAIN_H

#include "base/str.h"

/* A line for /bin/sh that asks for each node in turn; gives it. Work may go on there for so long. */
char *drain_line(const struct rt_strs *node_ids, int seconds);
/* Does what the job printed say that Ray took it for all of them? NULL: it printed nothing. */
bool drain_taken(const char *log);

#endif
