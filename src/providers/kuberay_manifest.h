/* What `up` of a KubeRay cluster asks the API server for: the fields of the configuration that say how the cluster is
 * made, and the RayCluster object (ray.io/v1) that they become. Nothing here contacts anybody. */
#ifndef RT_PROVIDERS_KUBERAY_MANIFEST_H
#define RT_PROVIDERS_KUBERAY_MANIFEST_H

#include "core/config.h"

#define KUBERAY_RAY_VERSION "2.60.0" /* when neither `ray_version` nor the image's tag says another */

/* Filled by KUBERAY_MAKE_FIELDS, a member of the provider's configuration. Nodes are borrowed from the document. */
struct kuberay_make {
    char *image, *image_pull_policy, *ray_version, *service_account, *gpu_key, *manifest;
    struct rt_strs image_pull_secrets, gpu_selector, other_selector; /* selectors "K=V" */
    struct rt_strs labels, annotations;                              /* of every pod, "K=V" */
    const struct rt_ynode *head, *pools, *autoscaler, *gpu_tolerations, *other_tolerations;
    int64_t n_nodes, max_nodes; /* 0: not said; both count the head */
    const struct rt_ynode *node_config;
    bool no_gpus, off; /* supports_gpus: false; enabled: false */
};

bool kuberay_parse_not(const struct rt_ynode *n, void *member, struct rt_error *err); /* false becomes true */

/* clang-format off */
/* The rows for a field table of T, whose member `m` is a struct kuberay_make. */
#define KUBERAY_MAKE_FIELDS(T, m) \
    {.key = "image", .form = true, .off = offsetof(T, m.image), .type = RT_Y_STR, \
     .help = "image of every pod (default rayproject/ray with ray_version)", .example = "rayproject/ray:" KUBERAY_RAY_VERSION}, \
    {.key = "image_pull_policy", .off = offsetof(T, m.image_pull_policy), .type = RT_Y_STR, \
     .help = "Always, IfNotPresent or Never", .example = "IfNotPresent"}, \
    {.key = "image_pull_secrets", .off = offsetof(T, m.image_pull_secrets), .type = RT_Y_STRS, \
     .help = "secrets with the registry's credentials", .example = "[registry]"}, \
    {.key = "ray_version", .off = offsetof(T, m.ray_version), .type = RT_Y_STR, \
     .help = "Ray in the image (default: as its tag says)", .example = KUBERAY_RAY_VERSION}, \
    {.key = "head", .form = true, .alias = {"head_node"}, .off = offsetof(T, m.head), .type = RT_Y_NODE, \
     .help = "pod of the head: cpu, memory_gb, gpu_count", .example = "{cpu: 2, memory_gb: 4}"}, \
    {.key = "pools", .form = true, .alias = {"scaling_groups"}, .off = offsetof(T, m.pools), .type = RT_Y_NODE, \
     .help = "worker groups: cpu, memory_gb, gpu_count, replicas, min, max, image, node_selector, tolerations", \
     .example = "{cpu: {cpu: 4, memory_gb: 16, replicas: 2}}"}, \
    {.key = "autoscaler", .alias = {"autoscaler_config"}, .off = offsetof(T, m.autoscaler), .type = RT_Y_NODE, \
     .help = "Ray's autoscaler beside the head, for pools with max above min: cpu, memory_gb, idle_timeout; off: sizes change by hand", \
     .example = "{cpu: 0.5, memory_gb: 0.5, idle_timeout: 60s}"}, \
    {.key = "n_nodes", .off = offsetof(T, m.n_nodes), .type = RT_Y_I64, .min = 1, .max = 100000, \
     .help = "instead of head and pools: so many like nodes, the head counts", .example = "3"}, \
    {.key = "max_nodes", .off = offsetof(T, m.max_nodes), .type = RT_Y_I64, .min = 1, .max = 100000, \
     .help = "with n_nodes: how many the autoscaler may make of them", .example = "5"}, \
    {.key = "node_config", .off = offsetof(T, m.node_config), .type = RT_Y_NODE, \
     .help = "with n_nodes: what each node is", .example = "{cpu: 2, memory_gb: 4}"}, \
    {.key = "service_account", .off = offsetof(T, m.service_account), .type = RT_Y_STR, \
     .help = "service account of the pods", .example = "ray"}, \
    {.key = "gpu_node_selector", .off = offsetof(T, m.gpu_selector), .type = RT_Y_KVS, \
     .help = "labels of the machines for pods with GPUs", .example = "{accelerator: h100}"}, \
    {.key = "non_gpu_node_selector", .off = offsetof(T, m.other_selector), .type = RT_Y_KVS, \
     .help = "labels of the machines for the other pods", .example = "{pool: cpu}"}, \
    {.key = "gpu_tolerations", .off = offsetof(T, m.gpu_tolerations), .type = RT_Y_NODE, \
     .help = "taints that pods with GPUs tolerate", .example = "[{key: nvidia.com/gpu, operator: Exists, effect: NoSchedule}]"}, \
    {.key = "non_gpu_tolerations", .off = offsetof(T, m.other_tolerations), .type = RT_Y_NODE, \
     .help = "taints that the other pods tolerate", .example = "[{key: batch, operator: Exists}]"}, \
    {.key = "gpu_resource_request_key", .off = offsetof(T, m.gpu_key), .type = RT_Y_STR, \
     .help = "name of the GPU resource", .example = "nvidia.com/gpu"}, \
    {.key = "supports_gpus", .off = offsetof(T, m.no_gpus), .type = RT_Y_CUSTOM, .parse = kuberay_parse_not, \
     .help = "false: pools with GPUs are refused", .example = "true"}, \
    {.key = "enabled", .off = offsetof(T, m.off), .type = RT_Y_CUSTOM, .parse = kuberay_parse_not, \
     .help = "false: no cluster is made here, only found", .example = "true"}, \
    {.key = "labels", .off = offsetof(T, m.labels), .type = RT_Y_KVS, .help = "labels of every pod", .example = "{team: search}"}, \
    {.key = "annotations", .off = offsetof(T, m.annotations), .type = RT_Y_KVS, \
     .help = "annotations of every pod", .example = "{sidecar.istio.io/inject: \"false\"}"}, \
    {.key = "manifest", .off = offsetof(T, m.manifest), .type = RT_Y_STR, \
     .help = "instead of all these: a file with a RayCluster", .example = "~/raycluster.yaml"}
/* clang-format on */

/* Everything that can be known without the server: ranges, names, an autoscaler where one is needed. Reports every problem;
 * reads `manifest`. */
bool kuberay_make_check(const struct rt_cluster_conf *conf, const struct kuberay_make *m, rt_yproblem_fn *problem, void *ctx);

/* The RayCluster; gives it (json_decref). NULL with the first problem. `name` and `space` are those of the object; a manifest
 * that names others is refused. */
json_t *kuberay_manifest(const struct rt_cluster_conf *conf, const struct kuberay_make *m, const char *name, const char *space,
                         struct rt_error *err);

/* What the head pod and the autoscaler beside it ask for, from a RayCluster: thousandths of a CPU, bytes. */
void kuberay_manifest_head(const json_t *cluster, int64_t *milli_cpu, double *memory_bytes);
/* "500m" "2" "1.5Gi": a Kubernetes quantity as a number; false when it is none. */
bool kuberay_quantity(const char *text, double *out);

#endif
