/* Inside kuberay_manifest*.c: the configuration's words about a cluster to be made, checked and complete. */
#ifndef RT_PROVIDERS_KUBERAY_PLAN_H
#define RT_PROVIDERS_KUBERAY_PLAN_H

#include "base/vec.h"
#include "providers/kuberay_manifest.h"

struct kuberay_group {
    char *name;           /* of a worker group; NULL: the head */
    double cpu, memory_gb;
    int64_t gpus, replicas, min, max;
    char *image;          /* NULL: the cluster's */
    struct rt_strs selector;
    const struct rt_ynode *tolerations;
};
struct kuberay_plan {
    struct kuberay_group head;
    RT_VEC(struct kuberay_group) groups;
    bool autoscaled;
    double scaler_cpu, scaler_memory_gb;
    int64_t idle_ms; /* 0: Ray's own */
};

/* Reports every problem; `out` is to be freed in any case. */
bool kuberay_plan_read(const struct rt_cluster_conf *conf, const struct kuberay_make *m, struct kuberay_plan *out,
                       rt_yproblem_fn *problem, void *ctx);
void kuberay_plan_deinit(struct kuberay_plan *p);
/* The path of `manifest`, from the configuration's directory; gives it. */
char *kuberay_manifest_path(const struct rt_cluster_conf *conf, const struct kuberay_make *m);

#endif
