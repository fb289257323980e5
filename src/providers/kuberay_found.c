/* What objects of the API server mean for somebody who looks for a Ray: an address to attach to, and a line about it. */
#include "providers/kuberay_watch.h"
#include <stdlib.h>

const struct kfound_kind kuberay_found_kinds[KF_END] = {
    [KF_CLUSTERS] = {"/apis/ray.io/v1", "rayclusters"}, [KF_JOBS] = {"/apis/ray.io/v1", "rayjobs"},
    [KF_SERVICES] = {"/apis/ray.io/v1", "rayservices"}, [KF_PLAIN] = {"/api/v1", "services"},
    [KF_OLD] = {"/apis/ray.io/v1alpha1", "rayclusters"},
};

static char *target_of(const char *context, const char *space, const char *kind, const char *name) {
    return rt_strf("kube://%s/%s/%s%s", context ? context : "", space, kind, name);
}

static bool cluster(const char *context, const json_t *object, char **target, char **text) {
    struct kcluster c;
    struct rt_error ignored;
    if (!kuberay_decode_cluster(object, &c, &ignored))
        return false;
    int64_t wanted = 0;
    for (size_t i = 0; i < c.ngroups; i++)
        wanted += c.groups[i].wanted;
    const char *state = c.deleting ? "being deleted" : c.suspend ? "suspended" : c.head_ready ? "ready" : c.head_reason ? c.head_reason : "starting";
    char *of = c.from_name ? rt_strf(" of %s %s", c.from_kind, c.from_name) : rt_strdup("");
    *text = rt_strf("RayCluster%s, %s, %lld worker%s in %zu group%s%s%s", of, state, (long long)wanted, rt_plural(wanted), c.ngroups,
                    rt_plural((int64_t)c.ngroups), c.version ? ", Ray " : "",
                    c.version ? c.version : "");
    *target = target_of(context, c.space ? c.space : "default", "", c.name);
    free(of);
    kuberay_cluster_deinit(&c);
    return true;
}

/* One of an operator that knows ray.io/v1 not yet: its dashboard can be watched, its groups are not ours to change. */
static bool old_cluster(const char *context, const char *space, const char *name, const json_t *object, char **target, char **text) {
    const char *state = rt_json_str(object, "status.state"), *service = rt_json_str(object, "status.head.serviceName");
    char *usual = rt_strf("%s-head-svc", name);
    *text = rt_strf("RayCluster %s of an old KubeRay (ray.io/v1alpha1)%s%s: its dashboard", name, state && *state ? ", " : "",
                    state && *state ? state : "");
    *target = target_of(context, space, "service:", service && *service ? service : usual);
    free(usual);
    return true;
}

/* RayJob and RayService: their cluster is what can be attached to. */
static bool job(const char *context, const char *space, const char *name, const json_t *object, char **target, char **text) {
    const char *of = rt_json_str(object, "status.rayClusterName"), *state = rt_json_str(object, "status.jobStatus");
    const char *deployed = rt_json_str(object, "status.jobDeploymentStatus");
    if (!of || !*of)
        return false;
    *text = rt_strf("RayJob %s%s%s%s%s", name, deployed && *deployed ? ", " : "", deployed ? deployed : "", state && *state ? ", " : "",
                    state ? state : "");
    *target = target_of(context, space, "", of);
    return true;
}

static bool service(const char *context, const char *space, const char *name, const json_t *object, char **target, char **text) {
    const char *state = rt_json_str(object, "status.serviceStatus");
    char *head = rt_strf("%s-head-svc", name); /* which follows the cluster through upgrades */
    *text = rt_strf("RayService %s%s%s", name, state && *state ? ", " : "", state ? state : "");
    *target = target_of(context, space, "service:", head);
    free(head);
    return true;
}

/* A dashboard that KubeRay did not make. */
static bool plain(const char *context, const char *space, const char *name, const json_t *object, char **target, char **text) {
    const json_t *labels = rt_json_at(object, "metadata.labels"), *port = NULL;
    size_t i = 0;
    if (json_object_get(labels, "ray.io/cluster") || json_object_get(labels, "ray.io/originated-from-cr-name"))
        return false;
    json_array_foreach(rt_json_at(object, "spec.ports"), i, port)
        if (json_integer_value(json_object_get(port, "port")) == 8265 || rt_streq(rt_json_str(port, "name"), "dashboard")) {
            *text = rt_strdup("a service with a dashboard's port");
            *target = target_of(context, space, "service:", name);
            return true;
        }
    return false;
}

bool kuberay_found(enum kfound what, const char *context, const json_t *object, char **target, char **text) {
    const char *space = rt_json_str(object, "metadata.namespace"), *name = rt_json_str(object, "metadata.name");
    *target = *text = NULL;
    if (!space || !name)
        return false;
    switch (what) {
    case KF_CLUSTERS:
        return cluster(context, object, target, text);
    case KF_OLD:
        return old_cluster(context, space, name, object, target, text);
    case KF_JOBS:
        return job(context, space, name, object, target, text);
    case KF_SERVICES:
        return service(context, space, name, object, target, text);
    case KF_PLAIN:
        return plain(context, space, name, object, target, text);
    case KF_END:
        break;
    }
    return false;
}
