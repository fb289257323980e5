/* `doctor`: kubectl, the API server, the operator, and each right that is needed, with what will not work without it. */
#include "net/proc.h"
#include "providers/doctor.h"
#include "providers/kuberay.h"
#include <stdio.h>

#define MIN_MINOR 24 /* of kubectl: older ones were not tried */

static const struct right {
    const char *group, *resource, *sub, *verb, *without;
    bool needed; /* nothing works without it */
} rights[] = {
    {"ray.io", "rayclusters", "", "list", "no RayCluster is seen", true},
    {"ray.io", "rayclusters", "", "watch", "changes are seen late", false},
    {"ray.io", "rayclusters", "", "create", "`up` and `run` make no cluster", false},
    {"ray.io", "rayclusters", "", "patch", "pools are not scaled, nothing is suspended or resumed", false},
    {"ray.io", "rayclusters", "", "delete", "`down` removes nothing", false},
    {"ray.io", "rayjobs", "", "list", "RayJobs are not seen", false},
    {"ray.io", "rayjobs", "", "patch", "RayJobs are not suspended or resumed", false},
    {"ray.io", "rayjobs", "", "delete", "RayJobs are not deleted", false},
    {"ray.io", "rayservices", "", "list", "RayServices are not seen", false},
    {"ray.io", "rayservices", "", "delete", "RayServices are not deleted", false},
    {"", "pods", "", "list", "pools show no pods and no reasons", true},
    {"", "pods", "", "watch", "changes of pods are seen late", false},
    {"", "pods", "log", "get", "no logs of containers", false},
    {"", "pods", "exec", "create", "no shell in a pod", false},
    {"", "pods", "portforward", "create", "no local ports: no Ray client, and no dashboard without services/proxy", false},
    {"", "services", "proxy", "get", "the dashboard is reached by a port-forward", false},
    {"", "services", "proxy", "create", "jobs are submitted by a port-forward", false},
    {"", "events", "", "list", "the operator's and the scheduler's words are not seen", false},
    {"", "nodes", "", "list", "whether the head fits on a machine is not known before", false},
};

struct doctor {
    struct rt_doctor base;
    struct rt_provider *provider;
    char *space;
    size_t right, denied;
};

static void release(struct rt_doctor *d) {
    free(((struct doctor *)d)->space);
}

static void ask(struct doctor *d, const char *path, const char *body, rt_kube_fn *fn) {
    const struct rt_kube_request r = {.method = body ? "POST" : NULL, .path = path, .body = body};
    d->base.look = rt_kube_send(d->provider->kube, &r, fn, d);
}

/* ---- rights ---- */

static void next_right(struct doctor *d);

static void got_right(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct doctor *d = ctx;
    const struct right *r = &rights[d->right++];
    d->base.look = NULL;
    if (err) {
        rt_doctor_line(&d->base.lines, "warn", "rights", "cannot be asked for: %s", err->message);
        rt_doctor_end(&d->base);
        return;
    }
    if (!json_is_true(rt_json_at(a->json, "status.allowed"))) {
        d->denied++;
        rt_doctor_line(&d->base.lines, r->needed ? "bad" : "warn", "right", "no `%s` on %s%s%s: %s", r->verb, r->resource, *r->sub ? "/" : "", r->sub, r->without);
    }
    next_right(d);
}

static void next_right(struct doctor *d) {
    if (d->right == RT_COUNT(rights)) {
        if (!d->denied)
            rt_doctor_line(&d->base.lines, "ok", "rights", "all %zu that are used in namespace %s", RT_COUNT(rights), d->space);
        rt_doctor_end(&d->base);
        return;
    }
    const struct right *r = &rights[d->right];
    json_t *v = json_pack("{ss ss s{s{ss ss ss ss ss}}}", "apiVersion", "authorization.k8s.io/v1", "kind", "SelfSubjectAccessReview", "spec",
                          "resourceAttributes", "namespace", rt_streq(r->resource, "nodes") ? "" : d->space, "group", r->group, "resource",
                          r->resource, "subresource", r->sub, "verb", r->verb);
    char *body = json_dumps(v, JSON_COMPACT);
    ask(d, "/apis/authorization.k8s.io/v1/selfsubjectaccessreviews", body, got_right);
    free(body);
    json_decref(v);
}

/* ---- the operator ---- */

static void got_operator(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct doctor *d = ctx;
    const json_t *items = err ? NULL : json_object_get(a->json, "items");
    d->base.look = NULL;
    for (size_t i = 0; i < json_array_size(items); i++) {
        const json_t *it = json_array_get(items, i);
        const json_t *box = json_array_get(rt_json_at(it, "spec.template.spec.containers"), 0);
        const char *image = rt_json_str(box, "image"), *space = rt_json_str(it, "metadata.namespace");
        const json_int_t ready = json_integer_value(rt_json_at(it, "status.readyReplicas"));
        rt_doctor_line(&d->base.lines, ready > 0 ? "ok" : "bad", "operator", "%s in %s%s", image ? image : "KubeRay", space ? space : "?",
             ready > 0 ? "" : ": none of its pods is ready, changes of RayClusters have no effect");
    }
    if (!json_array_size(items))
        rt_doctor_line(&d->base.lines, "warn", "operator", "%s: whether one runs shows when a RayCluster gets a status",
             err ? "its deployment may not be seen" : "no deployment kuberay-operator");
    next_right(d);
}

static void got_crd(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct doctor *d = ctx;
    const json_t *kinds = err ? NULL : json_object_get(a->json, "resources");
    struct rt_buf names;
    d->base.look = NULL;
    rt_buf_init(&names, 1024);
    for (size_t i = 0; i < json_array_size(kinds); i++) {
        const char *name = rt_json_str(json_array_get(kinds, i), "name");
        if (name && !strchr(name, '/'))
            rt_buf_addf(&names, "%s%s", names.len ? ", " : "", name);
    }
    if (!err)
        rt_doctor_line(&d->base.lines, "ok", "KubeRay", "ray.io/v1 with %s", rt_buf_str(&names));
    else if (err->code == RT_E_NOT_FOUND)
        rt_doctor_line(&d->base.lines, "bad", "KubeRay", "its CRDs (ray.io/v1) are not installed here");
    else
        rt_doctor_line(&d->base.lines, "warn", "KubeRay", "%s", err->message);
    rt_buf_deinit(&names);
    ask(d, "/apis/apps/v1/deployments?labelSelector=app.kubernetes.io%2Fname%20in%20(kuberay,kuberay-operator)&limit=10", NULL, got_operator);
}

/* ---- the API server ---- */

static void got_server(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct doctor *d = ctx;
    const char *version = err ? NULL : rt_json_str(a->json, "gitVersion");
    d->base.look = NULL;
    if (err) {
        rt_doctor_error(&d->base.lines, "bad", "API server", err);
        rt_doctor_end(&d->base);
        return;
    }
    rt_doctor_line(&d->base.lines, "ok", "API server", "Kubernetes %s", version ? version : "of an unknown version");
    ask(d, "/apis/ray.io/v1", NULL, got_crd);
}

static void got_space(void *ctx, const char *space, const struct rt_error *err) {
    struct doctor *d = ctx;
    const struct kuberay_config *own = d->provider->own;
    d->base.look = NULL;
    if (err) {
        rt_doctor_error(&d->base.lines, "bad", "context", err);
        rt_doctor_end(&d->base);
        return;
    }
    d->space = rt_strdup(d->provider->space ? d->provider->space : space);
    rt_doctor_line(&d->base.lines, "ok", "context", "%s, namespace %s", own->context ? own->context : "the current one", d->space);
    ask(d, "/version", NULL, got_server);
}

/* ---- kubectl ---- */

static void got_client(void *ctx, const struct rt_run_result *r, const struct rt_error *err) {
    struct doctor *d = ctx;
    const char *start = r && r->out ? strchr(r->out, '{') : NULL; /* warnings may stand before */
    struct rt_error ignored = {0};
    json_t *v = start ? rt_json_parse(start, strlen(start), &ignored) : NULL;
    const char *version = rt_json_str(v, "clientVersion.gitVersion"), *minor = rt_json_str(v, "clientVersion.minor");
    d->base.look = NULL;
    if (err)
        rt_doctor_line(&d->base.lines, "bad", "kubectl", "%s", err->message);
    else if (!version)
        rt_doctor_line(&d->base.lines, "warn", "kubectl", "its version cannot be read");
    else
        rt_doctor_line(&d->base.lines, minor && atoi(minor) < MIN_MINOR ? "warn" : "ok", "kubectl", "%s%s", version,
             minor && atoi(minor) < MIN_MINOR ? " is old: 1.24 and newer are known to work" : "");
    json_decref(v);
    d->base.look = rt_kube_space(d->provider->kube, got_space, d);
}

struct rt_op *kuberay_doctor(struct rt_provider *p, void (*done)(void *ctx, const char *lines, const struct rt_error *err), void *ctx) {
    struct doctor *d = rt_doctor_new(sizeof *d, release, done, ctx);
    struct rt_strs argv = {0};
    d->provider = p;
    rt_kube_argv(p->kube, &argv);
    while (argv.n > 1) /* the client alone: no context is needed, none may be in the way */
        free(argv.v[--argv.n]), argv.v[argv.n] = NULL;
    rt_strs_add(&argv, "version");
    rt_strs_add(&argv, "--client");
    rt_strs_add(&argv, "-o");
    rt_strs_add(&argv, "json");
    const struct rt_proc_opts o = {.argv = (const char *const *)argv.v, .timeout_ms = 10000};
    d->base.look = rt_run(p->env.loop, &o, RT_MIB, got_client, d);
    rt_strs_deinit(&argv);
    return &d->base.op;
}
