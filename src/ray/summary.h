/* A row of /nodes?view=summary, as far as it is shown. */
#ifndef RT_RAY_SUMMARY_H
#define RT_RAY_SUMMARY_H

#include "ray/private.h"

struct rt_summary {
    struct rt_node
        node; /* id, hostname, instance and what is measured; the rest comes from elsewhere */
    const char *node_type; /* the autoscaler's name of its kind; NULL */
};
/* Every measured number becomes unknown. */
void rt_summary_unknown(struct rt_node *n);
bool rt_summary_decode(const json_t *v, struct rt_summary *s, struct rt_arena *arena,
                       struct rt_error *err);

#endif
