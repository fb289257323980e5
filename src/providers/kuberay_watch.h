/* Inside the discovery of provider `kuberay` only: what is looked for at a place, and what is found. */
#ifndef RT_PROVIDERS_KUBERAY_WATCH_H
#define RT_PROVIDERS_KUBERAY_WATCH_H

#include "providers/kuberay.h"

/* In the order in which they are told: of several that lead to the same address the first counts. */
enum kfound { KF_CLUSTERS, KF_JOBS, KF_SERVICES, KF_PLAIN, KF_OLD, KF_END };
struct kfound_kind {
    const char *group, *plural;
};
extern const struct kfound_kind kuberay_found_kinds[KF_END];

/* An address to attach to and a line about it; gives both. False: nothing that one could attach to (yet). */
bool kuberay_found(enum kfound what, const char *context, const json_t *object, char **target, char **text);

#endif
