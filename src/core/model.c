/* The words of the model: names of states, and look-ups in short lists. */
#include "core/model.h"

#include "base/str.h"
#include <stdlib.h>

const char *const rt_job_status_names[] = {"OTHER",     "PENDING", "RUNNING", "STOPPED",
                                           "SUCCEEDED", "FAILED",  NULL};

const char *rt_cluster_state_name(enum rt_cluster_state s) {
    static const char *const names[] = {
        [RT_CL_UNKNOWN] = "unknown",   [RT_CL_QUEUED] = "queued",
        [RT_CL_STARTING] = "starting", [RT_CL_UP] = "up",
        [RT_CL_SCALING] = "scaling",   [RT_CL_SUSPENDED] = "suspended",
        [RT_CL_STOPPING] = "stopping", [RT_CL_DOWN] = "down",
        [RT_CL_FAILED] = "failed",
    };
    return (size_t)s < RT_COUNT(names) ? names[s] : "unknown";
}

const char *rt_reach_name(enum rt_reach r) {
    static const char *const names[] = {
        [RT_REACH_NONE] = "not attached",
        [RT_REACH_CONNECTING] = "connecting",
        [RT_REACH_OK] = "ok",
        [RT_REACH_LOST] = "unreachable",
        [RT_REACH_TOKEN_NEEDED] = "token needed",
        [RT_REACH_REFUSED] = "access refused",
        [RT_REACH_NEEDS_LOGIN] = "needs login",
        [RT_REACH_TURN] = "waiting for its turn",
    };
    return (size_t)r < RT_COUNT(names) ? names[r] : "unknown";
}

bool rt_reach_answers(enum rt_reach r) {
    return r == RT_REACH_OK || r == RT_REACH_CONNECTING || r == RT_REACH_TURN;
}

const struct rt_amount *rt_amounts_get(const struct rt_amounts *a, const char *name) {
    for (size_t i = 0; i < a->n; i++)
        if (rt_streq(a->v[i].name, name))
            return &a->v[i];
    return NULL;
}

double rt_amounts_reserved(const struct rt_amounts *a, const struct rt_amount *of) {
    return a->reserved ? a->reserved[of - a->v] : 0;
}

static int rank(const char *name) {
    static const char *const first[] = {"CPU", "GPU", "memory", "object_store_memory"};
    for (size_t i = 0; i < RT_COUNT(first); i++)
        if (rt_streq(name, first[i]))
            return (int)i;
    return (int)RT_COUNT(first);
}

int rt_resource_order(const char *a, const char *b) {
    const int ra = rank(a), rb = rank(b);
    return ra != rb ? ra - rb : rt_natcmp(a, b);
}

static int by_name(const void *a, const void *b) {
    const struct rt_resource *x = a, *y = b;
    return rt_resource_order(x->name, y->name);
}

void rt_resources_sort(struct rt_resources *l) {
    if (l->n > 1)
        qsort(l->v, l->n, sizeof(*l->v), by_name);
}

bool rt_rayjob_ended(const struct rt_rayjob *j) {
    return rt_streq(j->deployment, "Complete") || rt_streq(j->deployment, "Failed") || rt_streq(j->deployment, "ValidationFailed");
}

/* Many nodes are named by their address; then the host name says more. */
const char *rt_node_name(const struct rt_node *n) {
    if (n->unlike)
        return n->unlike;
    if (n->name && *n->name && !rt_streq(n->name, n->ip))
        return n->name;
    return n->hostname && *n->hostname ? n->hostname : n->ip ? n->ip : n->id;
}
