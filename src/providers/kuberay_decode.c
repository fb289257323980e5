/* What is read off RayClusters and pods. Any field may be missing: zeros and empty strings are left out by the server. */
#include "base/vec.h"
#include "providers/kuberay.h"
#include <stdio.h>
#include <time.h>

static bool truth(const json_t *v, const char *path) {
    return json_is_true(rt_json_at(v, path));
}

static int64_t number(const json_t *v, const char *path, int64_t absent) {
    const json_t *n = rt_json_at(v, path);
    return json_is_integer(n) ? (int64_t)json_integer_value(n) : absent;
}

static char *text(const json_t *v, const char *path) {
    const char *s = rt_json_str(v, path);
    return s && *s ? rt_strdup(s) : NULL;
}

/* A key with dots and slashes, which a path cannot name. */
static const char *member(const json_t *object, const char *key) {
    return json_string_value(json_object_get(object, key));
}

/* ---- RayCluster ---- */

/* What Ray's container (the first) asks for: its limit counts, for that is what KubeRay tells Ray. */
static double amount(const json_t *container, const char *key) {
    double v = -1;
    const char *limit = member(rt_json_at(container, "resources.limits"), key),
               *request = member(rt_json_at(container, "resources.requests"), key);
    const char *said = limit ? limit : request;
    return said && kuberay_quantity(said, &v) ? v : -1;
}

static double gpus(const json_t *container) {
    const char *key = NULL;
    json_t *value = NULL;
    double v = 0;
    json_object_foreach(rt_json_at(container, "resources.limits"), key, value)
        if (rt_ends(key, "/gpu") && kuberay_quantity(json_string_value(value), &v))
            return v;
    return 0;
}

/* Int32 on the server; products of two must fit wherever they are made. */
static int64_t size_of(const json_t *g, const char *key, int64_t absent) {
    return RT_MIN(RT_MAX(number(g, key, absent), INT32_MIN), INT32_MAX);
}

static bool decode_group(const json_t *g, const struct kcluster *c, struct kgroup *out) {
    const json_t *ray = json_array_get(rt_json_at(g, "template.spec.containers"), 0), *name = NULL;
    size_t i = 0;
    const char *group = rt_json_str(g, "groupName");
    if (!group)
        return false;
    out->name = rt_strdup(group);
    out->replicas = size_of(g, "replicas", 0);
    out->min = size_of(g, "minReplicas", 0);
    out->max = size_of(g, "maxReplicas", INT32_MAX);
    out->hosts = RT_MAX(size_of(g, "numOfHosts", 1), 1);
    const int64_t most = RT_MIN(out->max, 1000000), least = RT_MIN(RT_MAX(out->min, 0), most);
    out->wanted = RT_MAX(RT_MIN(RT_MAX(out->replicas, least), most), 0) * RT_MIN(out->hosts, 100000);
    if (c->suspend || truth(g, "suspend"))
        out->wanted = 0;
    if (out->max >= INT32_MAX)
        out->max = -1;
    out->cpu = amount(ray, "cpu");
    out->memory_bytes = amount(ray, "memory");
    out->gpu = gpus(ray);
    json_array_foreach(rt_json_at(g, "scaleStrategy.workersToDelete"), i, name)
        rt_strs_add(&out->to_delete, json_string_value(name));
    return true;
}

static void decode_conditions(const json_t *status, struct kcluster *out) {
    size_t i = 0;
    json_t *c = NULL;
    json_array_foreach(json_object_get(status, "conditions"), i, c) {
        const char *type = rt_json_str(c, "type");
        const bool on = rt_streq(rt_json_str(c, "status"), "True");
        if (rt_streq(type, "HeadPodReady")) {
            out->head_ready = on;
            free(out->head_reason);
            const char *message = rt_json_str(c, "message");
            out->head_reason = on ? NULL : message && *message ? rt_strf("%s: %.200s", rt_json_str(c, "reason"), message) : text(c, "reason");
        } else if (rt_streq(type, "ReplicaFailure") && on) {
            free(out->failure);
            out->failure = text(c, "message");
        } else if (rt_streq(type, "RayClusterSuspending")) {
            out->suspending = on;
        } else if (rt_streq(type, "RayClusterSuspended")) {
            out->suspended = on;
        }
    }
}

bool kuberay_decode_cluster(const json_t *object, struct kcluster *out, struct rt_error *err) {
    const json_t *spec = json_object_get(object, "spec"), *status = json_object_get(object, "status"), *g = NULL;
    const json_t *labels = rt_json_at(object, "metadata.labels");
    size_t i = 0;
    *out = (struct kcluster){0};
    if (!rt_json_str(object, "metadata.name") || !json_is_object(spec))
        return rt_error_set(err, RT_E_PROTOCOL, "not a RayCluster: no metadata.name or no spec");
    out->name = text(object, "metadata.name");
    out->space = text(object, "metadata.namespace");
    out->uid = text(object, "metadata.uid");
    out->version = text(spec, "rayVersion");
    out->generation = number(object, "metadata.generation", 0);
    out->observed = number(status, "observedGeneration", 0);
    out->deleting = rt_json_str(object, "metadata.deletionTimestamp") != NULL;
    out->suspend = truth(spec, "suspend");
    out->autoscaler = truth(spec, "enableInTreeAutoscaling");
    out->managed_by = text(spec, "managedBy");
    out->from_kind = rt_strdup(member(labels, "ray.io/originated-from-crd"));
    out->from_name = rt_strdup(member(labels, "ray.io/originated-from-cr-name"));
    out->token_auth = rt_streq(rt_json_str(spec, "authOptions.mode"), "token");
    const char *secret = rt_json_str(spec, "authOptions.secretName"), *service = rt_json_str(status, "head.serviceName");
    if (out->token_auth)
        out->token_secret = rt_strdup(secret && *secret ? secret : out->name);
    out->head_service = service && *service ? rt_strdup(service) : rt_strf("%s-head-svc", out->name);
    decode_conditions(status, out);
    const json_t *groups = json_object_get(spec, "workerGroupSpecs");
    out->groups = rt_alloc((json_array_size(groups) + 1) * sizeof(*out->groups));
    json_array_foreach(groups, i, g)
        if (decode_group(g, out, &out->groups[out->ngroups]))
            out->ngroups++;
    return true;
}

void kuberay_cluster_deinit(struct kcluster *c) {
    for (size_t i = 0; i < c->ngroups; i++) {
        free(c->groups[i].name);
        rt_strs_deinit(&c->groups[i].to_delete);
    }
    free(c->groups);
    free(c->name);
    free(c->space);
    free(c->uid);
    free(c->version);
    free(c->head_reason);
    free(c->failure);
    free(c->head_service);
    free(c->token_secret);
    free(c->managed_by);
    free(c->from_kind);
    free(c->from_name);
    *c = (struct kcluster){0};
}

const struct kgroup *kuberay_group(const struct kcluster *c, const char *name) {
    for (size_t i = 0; i < c->ngroups; i++)
        if (rt_streq(c->groups[i].name, name))
            return &c->groups[i];
    return NULL;
}

/* ---- pods ---- */

int64_t kuberay_time_ms(const char *s) {
    int y = 0, mo = 0, d = 0, h = 0, mi = 0, sec = 0;
    if (!s || sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d", &y, &mo, &d, &h, &mi, &sec) != 6)
        return 0;
    struct tm tm = {.tm_year = y - 1900, .tm_mon = mo - 1, .tm_mday = d, .tm_hour = h, .tm_min = mi, .tm_sec = sec};
    return (int64_t)timegm(&tm) * 1000;
}

static char *words(const char *reason, const char *message) {
    if (reason && message && *message)
        return rt_strf("%s: %.300s", reason, message);
    return rt_strdup(reason ? reason : message);
}

static char *why_of_containers(const json_t *list, bool init) {
    size_t i = 0;
    json_t *c = NULL;
    json_array_foreach(list, i, c) {
        const json_t *waiting = rt_json_at(c, "state.waiting"), *ended = rt_json_at(c, "state.terminated");
        const char *reason = rt_json_str(waiting, "reason");
        if (waiting && !rt_streq(reason, "PodInitializing"))
            return words(reason ? reason : "waiting", rt_json_str(waiting, "message"));
        if (ended && (!init || number(ended, "exitCode", 0) != 0))
            return rt_strf("%s ended: %s, exit code %lld", rt_json_str(c, "name"), rt_json_str(ended, "reason"),
                           (long long)number(ended, "exitCode", -1));
        if (init && rt_json_at(c, "state.running"))
            return rt_streq(rt_json_str(c, "name"), "wait-gcs-ready") ? rt_strdup("waits for the head")
                                                                     : rt_strf("init container %s runs", rt_json_str(c, "name"));
    }
    return NULL;
}

const json_t *kuberay_condition(const json_t *status, const char *type) {
    size_t i = 0;
    json_t *c = NULL;
    json_array_foreach(json_object_get(status, "conditions"), i, c)
        if (rt_streq(rt_json_str(c, "type"), type))
            return c;
    return NULL;
}

static char *why_of(const json_t *status, const char *phase, bool deleting) {
    const json_t *placed = kuberay_condition(status, "PodScheduled");
    if (deleting)
        return rt_strdup("is ending");
    char *why = NULL;
    if (placed && !rt_streq(rt_json_str(placed, "status"), "True"))
        why = words(rt_json_str(placed, "reason"), rt_json_str(placed, "message"));
    if (!why)
        why = why_of_containers(json_object_get(status, "initContainerStatuses"), true);
    if (!why)
        why = why_of_containers(json_object_get(status, "containerStatuses"), false);
    if (!why && rt_json_str(status, "reason"))
        why = words(rt_json_str(status, "reason"), rt_json_str(status, "message"));
    return why ? why : rt_strdup(rt_streq(phase, "Running") ? "runs, but is not ready" : phase ? phase : "Pending");
}

static bool has_container(const json_t *object, const char *name) {
    size_t i = 0;
    json_t *c = NULL;
    json_array_foreach(rt_json_at(object, "spec.containers"), i, c)
        if (rt_streq(rt_json_str(c, "name"), name))
            return true;
    return false;
}

bool kuberay_decode_pod(const json_t *object, struct kpod *out, struct rt_error *err) {
    const json_t *labels = rt_json_at(object, "metadata.labels"), *status = json_object_get(object, "status");
    const char *phase = rt_json_str(status, "phase");
    *out = (struct kpod){0};
    if (!rt_json_str(object, "metadata.name"))
        return rt_error_set(err, RT_E_PROTOCOL, "a pod without a name");
    out->name = text(object, "metadata.name");
    out->uid = text(object, "metadata.uid");
    out->group = rt_strdup(member(labels, "ray.io/group"));
    out->ip = text(status, "podIP");
    out->node = text(object, "spec.nodeName");
    out->head = rt_streq(member(labels, "ray.io/node-type"), "head");
    out->deleting = rt_json_str(object, "metadata.deletionTimestamp") != NULL;
    out->running = rt_streq(phase, "Running") && !out->deleting;
    out->ready = out->running && rt_streq(rt_json_str(kuberay_condition(status, "Ready"), "status"), "True");
    out->phase = text(status, "phase");
    kuberay_decode_containers(object, out);
    out->autoscaler = has_container(object, "autoscaler");
    out->created_ms = kuberay_time_ms(rt_json_str(object, "metadata.creationTimestamp"));
    if (!out->ready)
        out->why = why_of(status, phase, out->deleting);
    return true;
}

void kuberay_pod_deinit(struct kpod *pod) {
    free(pod->name);
    free(pod->uid);
    free(pod->group);
    free(pod->ip);
    free(pod->node);
    free(pod->phase);
    kuberay_containers_deinit(pod);
    free(pod->why);
    *pod = (struct kpod){0};
}
