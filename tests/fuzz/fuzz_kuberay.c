/* RayClusters and pods as an API server might send them, and the patches that are made of them. */
#include "fuzz.h"

#include "providers/kuberay.h"

static void cluster(const json_t *v) {
    static const struct kpatch scale = {.replicas = 3, .min = 0, .max = 9};
    struct rt_strs fields = {0};
    struct kcluster c;
    struct rt_error err = {0};
    if (!kuberay_decode_cluster(v, &c, &err)) {
        PROMISE(err.code != RT_OK && err.message[0]);
        return;
    }
    for (size_t i = 0; i < c.ngroups; i++) {
        PROMISE(c.groups[i].wanted >= 0);
        json_t *patch = kuberay_patch_group(v, c.groups[i].name, &scale);
        PROMISE(json_array_size(patch) >= 4);
        json_decref(patch);
        json_decref(kuberay_patch_remove_group(v, c.groups[i].name));
    }
    kuberay_cluster_deinit(&c);
    json_decref(kuberay_group_of(v, "another", &fields, &err));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rt_error err = {0};
    struct kpod pod;
    json_t *v = rt_json_parse((const char *)data, size, &err);
    if (!v)
        return 0;
    cluster(v);
    if (kuberay_decode_pod(v, &pod, &err)) {
        PROMISE(pod.ready || pod.why);
        kuberay_pod_deinit(&pod);
    }
    json_decref(v);
    return 0;
}
