/* Pods as rows: their containers, what they wait for, who ran in their place before. */
#include "base/vec.h"
#include "providers/kuberay.h"

/* ---- containers ---- */

static const json_t *named(const json_t *list, const char *name) {
    size_t i = 0;
    json_t *c = NULL;
    json_array_foreach(list, i, c)
        if (rt_streq(rt_json_str(c, "name"), name))
            return c;
    return NULL;
}

static const char *const states[] = {"running", "waiting", "terminated"};

static void decode_state(const json_t *status, struct kcontainer *out) {
    const json_t *restarts = json_object_get(status, "restartCount");
    for (size_t i = 0; i < RT_COUNT(states); i++) {
        const json_t *s = json_object_get(json_object_get(status, "state"), states[i]);
        if (!json_is_object(s))
            continue;
        out->state = rt_strdup(states[i]);
        out->reason = rt_strdup(rt_json_str(s, "reason"));
    }
    out->ready = json_is_true(json_object_get(status, "ready"));
    out->restarts = json_is_integer(restarts) ? (int64_t)json_integer_value(restarts) : 0;
    const json_t *last = rt_json_at(status, "lastState.terminated"), *code = json_object_get(last, "exitCode");
    if (json_is_object(last))
        out->before = rt_strf("%s, exit code %lld", rt_json_str(last, "reason") ? rt_json_str(last, "reason") : "ended",
                              json_is_integer(code) ? (long long)json_integer_value(code) : -1);
}

/* The spec names them all; the status comes later. */
static void decode_list(const json_t *object, bool init, struct kpod *out) {
    const json_t *specs = rt_json_at(object, init ? "spec.initContainers" : "spec.containers");
    const json_t *all = rt_json_at(object, init ? "status.initContainerStatuses" : "status.containerStatuses");
    size_t i = 0;
    json_t *spec = NULL;
    json_array_foreach(specs, i, spec) {
        const char *name = rt_json_str(spec, "name");
        if (!name)
            continue;
        struct kcontainer *c = &out->containers[out->ncontainers++];
        c->name = rt_strdup(name);
        c->init = init;
        decode_state(named(all, name), c);
    }
}

void kuberay_decode_containers(const json_t *object, struct kpod *out) {
    const size_t n = json_array_size(rt_json_at(object, "spec.containers")) + json_array_size(rt_json_at(object, "spec.initContainers"));
    out->containers = rt_alloc((n + 1) * sizeof(*out->containers));
    decode_list(object, false, out);
    decode_list(object, true, out);
}

void kuberay_containers_deinit(struct kpod *pod) {
    for (size_t i = 0; i < pod->ncontainers; i++) {
        free(pod->containers[i].name);
        free(pod->containers[i].state);
        free(pod->containers[i].reason);
        free(pod->containers[i].before);
    }
    free(pod->containers);
}

/* ---- rows ---- */

static void put_pod(struct rt_arena *a, const struct kpod *pod, struct rt_pod *out) {
    struct rt_container *list = rt_arena_alloc(a, (pod->ncontainers + 1) * sizeof(*list));
    for (size_t i = 0; i < pod->ncontainers; i++) {
        const struct kcontainer *c = &pod->containers[i];
        list[i] = (struct rt_container){.name = rt_arena_strdup(a, c->name), .state = rt_arena_strdup(a, c->state),
                                        .reason = rt_arena_strdup(a, c->reason), .restarts = c->restarts, .init = c->init,
                                        .ready = c->ready, .before = rt_arena_strdup(a, c->before)};
    }
    *out = (struct rt_pod){.id = rt_arena_strdup(a, pod->name), .pool = pod->head ? "head" : rt_arena_strdup(a, pod->group),
                           .phase = rt_arena_strdup(a, pod->phase), .node = rt_arena_strdup(a, pod->node),
                           .ip = rt_arena_strdup(a, pod->ip), .why = rt_arena_strdup(a, pod->why), .containers = list,
                           .ncontainers = pod->ncontainers, .created_ms = pod->created_ms, .head = pod->head,
                           .ready = pod->ready, .deleting = pod->deleting};
}

void kuberay_show_pods(struct rt_provider *p) {
    struct rt_error err;
    if (!(p->shown & RT_TOPIC_BIT(RT_T_PODS)))
        return;
    if (p->own->service) {
        rt_error_set(&err, RT_E_UNSUPPORTED, "%s is a service: which pods are behind it is not looked at", p->conf->name);
        rt_store_fail(p->env.store, p->cluster, RT_T_PODS, &err);
        return;
    }
    if (p->pods_listed || (p->listed && !p->space)) {
        struct rt_rows b = {.arena = rt_arena_create(), .size = sizeof(struct rt_pod)};
        struct rt_pod *rows = rt_arena_alloc(b.arena, (p->npods + 1) * sizeof(*rows));
        for (size_t i = 0; i < p->npods; i++)
            put_pod(b.arena, &p->pods[i], &rows[i]);
        b.v = rows;
        b.n = b.total = p->npods;
        rt_store_put_rows(p->env.store, p->cluster, RT_T_PODS, &b);
    }
    if (p->pods_error.code || p->error.code)
        rt_store_fail(p->env.store, p->cluster, RT_T_PODS, p->pods_error.code ? &p->pods_error : &p->error);
}
