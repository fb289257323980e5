/* RayJobs and RayServices: what makes RayClusters of its own. Watched in the cluster's namespaces while somebody looks. */
#include "base/vec.h"
#include "providers/kuberay.h"

enum { REST_MS = 60000 }; /* so long a list is kept that nobody looks at any more */

/* One namespace, or all of them. */
struct place {
    struct list *list;
    char *space; /* NULL: all */
    struct rt_kube_watch *watch;
    bool listed;
    struct rt_error error;
};

struct list {
    struct rt_provider *provider;
    enum kowner_kind kind;
    struct place *places;
    size_t nplaces;
    bool looked;
    int64_t looked_ms; /* loop time when somebody did last */
    RT_VEC(json_t *) objects; /* metadata, spec without the cluster's, status */
};

struct kowners {
    struct list lists[K_OWNER_KINDS];
};

static const struct {
    const char *plural, *kind;
    enum rt_topic topic;
} kinds[] = {
    [K_RAYJOB] = {"rayjobs", "RayJobs", RT_T_RAYJOBS},
    [K_RAYSERVICE] = {"rayservices", "RayServices", RT_T_RAYSERVICES},
};

const char *kuberay_owner_plural(enum kowner_kind k) {
    return kinds[k].plural;
}

/* ---- what is kept ---- */

/* Most of such an object is the specification of its cluster. */
static json_t *slim(const json_t *object) {
    static const char *const large[] = {"rayClusterSpec", "rayClusterConfig", "submitterPodTemplate", "serveConfigV2", "runtimeEnvYAML"};
    json_t *spec = json_copy(json_object_get(object, "spec")), *kept = json_object();
    for (size_t i = 0; spec && i < RT_COUNT(large); i++)
        json_object_del(spec, large[i]);
    json_object_set(kept, "metadata", json_object_get(object, "metadata"));
    json_object_set(kept, "spec", spec);
    json_object_set(kept, "status", json_object_get(object, "status"));
    json_decref(spec);
    json_t *own = json_deep_copy(kept);
    json_decref(kept);
    return own;
}

static void on_put(void *ctx, const json_t *object) {
    struct list *l = ((struct place *)ctx)->list;
    const char *uid = rt_json_str(object, "metadata.uid");
    if (!uid || !rt_json_str(object, "metadata.name") || !rt_json_str(object, "metadata.namespace"))
        return;
    for (size_t i = 0; i < l->objects.n; i++)
        if (rt_streq(rt_json_str(l->objects.v[i], "metadata.uid"), uid)) {
            json_decref(l->objects.v[i]);
            l->objects.v[i] = slim(object);
            return;
        }
    *rt_vec_push(&l->objects) = slim(object);
}

static void on_gone(void *ctx, const char *space, const char *name, const char *uid) {
    struct list *l = ((struct place *)ctx)->list;
    (void)space;
    (void)name;
    for (size_t i = 0; i < l->objects.n; i++)
        if (rt_streq(rt_json_str(l->objects.v[i], "metadata.uid"), uid)) {
            json_decref(l->objects.v[i]);
            rt_vec_remove(&l->objects, i);
            return;
        }
}

static bool is_listed(const struct list *l) {
    for (size_t i = 0; i < l->nplaces; i++)
        if (!l->places[i].listed)
            return false;
    return l->nplaces > 0;
}

static bool has_id(const json_t *object, const char *id) {
    const char *space = rt_json_str(object, "metadata.namespace"), *name = rt_json_str(object, "metadata.name");
    const size_t n = strlen(space);
    return strncmp(id, space, n) == 0 && id[n] == '/' && rt_streq(id + n + 1, name);
}

const json_t *kuberay_owner(const struct rt_provider *p, enum kowner_kind k, const char *id, bool *listed) {
    const struct list *l = &p->owners->lists[k];
    *listed = is_listed(l);
    for (size_t i = 0; i < l->objects.n; i++)
        if (has_id(l->objects.v[i], id))
            return l->objects.v[i];
    return NULL;
}

/* ---- rows ---- */

static const char *some(const json_t *v, const char *path) {
    const char *s = rt_json_str(v, path);
    return s && *s ? s : NULL;
}

static char *keep(struct rt_arena *a, const json_t *v, const char *path) {
    return rt_arena_strdup(a, some(v, path));
}

/* How the cluster of one of them is attached to, from here. */
static void lead_to(const struct list *l, struct rt_arena *a, const char *space, const char *cluster, const char **where, const char **fields) {
    const struct kuberay_config *own = l->provider->own;
    if (!cluster)
        return;
    json_t *o = json_pack("{s:s, s:s, s:s, s:s*, s:s*}", "provider", "kuberay", "namespace", space, "name", cluster, "context", own->context,
                          "kubeconfig", own->kubeconfig);
    char *text = json_dumps(o, JSON_COMPACT);
    *fields = rt_arena_strdup(a, text);
    *where = rt_arena_strf(a, "kube://%s/%s/%s", own->context ? own->context : "", space, cluster);
    free(text);
    json_decref(o);
}

static const char *why_of_job(struct rt_arena *a, const json_t *o, const char *deployment) {
    const char *reason = some(o, "status.reason"), *message = some(o, "status.message");
    if (reason && message)
        return rt_arena_strf(a, "%s: %s", reason, message);
    if (reason || message)
        return rt_arena_strdup(a, reason ? reason : message);
    if (rt_json_str(o, "metadata.deletionTimestamp"))
        return "its finalizer waits for the operator to stop the job";
    if (!deployment)
        return json_is_true(rt_json_at(o, "spec.suspend")) ? "suspended before it began" : "the operator has not seen it yet";
    return NULL;
}

/* What the operator would refuse with ValidationFailed, which ends the job. */
static const char *why_not_suspended(const json_t *o, const struct rt_rayjob *r) {
    if (!json_is_true(rt_json_at(o, "spec.shutdownAfterJobFinishes")))
        return "only a RayJob with shutdownAfterJobFinishes can be suspended";
    if (json_object_size(rt_json_at(o, "spec.clusterSelector")))
        return "a RayJob on a cluster of others (clusterSelector) cannot be suspended";
    if (rt_rayjob_ended(r))
        return "it has ended";
    return NULL;
}

static void put_job(const struct list *l, struct rt_arena *a, const json_t *o, struct rt_rayjob *r) {
    r->space = keep(a, o, "metadata.namespace");
    r->name = keep(a, o, "metadata.name");
    r->id = rt_arena_strf(a, "%s/%s", r->space, r->name);
    r->deployment = keep(a, o, "status.jobDeploymentStatus");
    r->status = keep(a, o, "status.jobStatus");
    r->cluster = keep(a, o, "status.rayClusterName");
    r->job = keep(a, o, "status.jobId");
    r->entrypoint = keep(a, o, "spec.entrypoint");
    r->mode = keep(a, o, "spec.submissionMode");
    r->suspend = json_is_true(rt_json_at(o, "spec.suspend"));
    r->deleting = rt_json_str(o, "metadata.deletionTimestamp") != NULL;
    r->created_ms = kuberay_time_ms(rt_json_str(o, "metadata.creationTimestamp"));
    r->start_ms = kuberay_time_ms(rt_json_str(o, "status.startTime"));
    r->end_ms = kuberay_time_ms(rt_json_str(o, "status.endTime"));
    r->why = why_of_job(a, o, r->deployment);
    r->unsuspendable = why_not_suspended(o, r);
    lead_to(l, a, r->space, r->cluster, &r->where, &r->fields);
}

static bool is_true(const json_t *condition) {
    return rt_streq(rt_json_str(condition, "status"), "True");
}

/* "app RUNNING, other DEPLOYING", and what the first says that does not run. */
static void put_apps(struct rt_arena *a, const json_t *status, struct rt_rayservice *r) {
    json_t *apps = rt_json_at(status, "applicationStatuses"), *app = NULL;
    const char *name = NULL, *text = NULL;
    r->apps_total = json_is_object(apps) ? 0 : -1;
    r->apps_running = r->apps_total;
    json_object_foreach(apps, name, app) {
        const char *state = some(app, "status"), *message = some(app, "message");
        text = rt_arena_strf(a, "%s%s%s %s", text ? text : "", text ? ", " : "", name, state ? state : "-");
        r->apps_total++;
        r->apps_running += rt_streq(state, "RUNNING");
        if (message && !r->why && !rt_streq(state, "RUNNING"))
            r->why = rt_arena_strf(a, "%s: %s", name, message);
    }
    r->apps = text;
}

static void put_service(const struct list *l, struct rt_arena *a, const json_t *o, struct rt_rayservice *r) {
    const json_t *status = json_object_get(o, "status"), *ready = kuberay_condition(status, "Ready"), *endpoints = rt_json_at(o, "status.numServeEndpoints");
    r->space = keep(a, o, "metadata.namespace");
    r->name = keep(a, o, "metadata.name");
    r->id = rt_arena_strf(a, "%s/%s", r->space, r->name);
    r->ready = ready ? is_true(ready) : rt_streq(some(o, "status.serviceStatus"), "Running");
    r->upgrading = is_true(kuberay_condition(status, "UpgradeInProgress"));
    r->state = r->ready ? (r->upgrading ? "Upgrading" : "Running") : json_is_object(status) ? "Starting" : NULL;
    r->cluster = keep(a, o, "status.activeServiceStatus.rayClusterName");
    r->pending = keep(a, o, "status.pendingServiceStatus.rayClusterName");
    r->endpoints = json_is_integer(endpoints) ? (int64_t)json_integer_value(endpoints) : r->state ? 0 : -1;
    r->created_ms = kuberay_time_ms(rt_json_str(o, "metadata.creationTimestamp"));
    r->deleting = rt_json_str(o, "metadata.deletionTimestamp") != NULL;
    put_apps(a, rt_json_at(o, r->cluster ? "status.activeServiceStatus" : "status.pendingServiceStatus"), r);
    if (!r->state)
        r->why = "the operator has not seen it yet";
    else if (!r->ready && !r->why && some(ready, "message"))
        r->why = rt_arena_strf(a, "%s: %s", some(ready, "reason") ? some(ready, "reason") : "not ready", some(ready, "message"));
    lead_to(l, a, r->space, r->cluster ? r->cluster : r->pending, &r->where, &r->fields);
}

static void show(struct list *l) {
    struct rt_provider *p = l->provider;
    const bool job = l->kind == K_RAYJOB;
    const size_t size = job ? sizeof(struct rt_rayjob) : sizeof(struct rt_rayservice);
    struct rt_rows b = {.arena = rt_arena_create(), .size = size};
    char *rows = rt_arena_alloc(b.arena, (l->objects.n + 1) * size);
    for (size_t i = 0; i < l->objects.n; i++) {
        void *row = rows + i * size;
        if (job)
            put_job(l, b.arena, l->objects.v[i], row);
        else
            put_service(l, b.arena, l->objects.v[i], row);
    }
    b.v = rows;
    b.n = b.total = l->objects.n;
    rt_store_put_rows(p->env.store, p->cluster, kinds[l->kind].topic, &b);
}

/* ---- watching ---- */

static void explain(const struct list *l, struct rt_error *err) {
    if (err->code == RT_E_NOT_FOUND && strstr(err->message, "404")) {
        rt_error_set(err, RT_E_UNSUPPORTED, "this Kubernetes has no %s (ray.io/v1)", kinds[l->kind].kind);
        rt_error_hint(err, "install the KubeRay operator with its CRDs");
    }
}

static void on_synced(void *ctx, const struct rt_error *err) {
    struct place *pl = ctx;
    struct list *l = pl->list;
    struct rt_provider *p = l->provider;
    bool all = true;
    const struct rt_error *first = NULL;
    pl->error = err ? *err : (struct rt_error){0};
    explain(l, &pl->error);
    pl->listed = pl->listed || !err;
    for (size_t i = 0; i < l->nplaces; i++) {
        all = all && (l->places[i].listed || l->places[i].error.code);
        if (!first && l->places[i].error.code)
            first = &l->places[i].error;
    }
    if (!all)
        return;
    if (l->objects.n || is_listed(l))
        show(l);
    if (first)
        rt_store_fail(p->env.store, p->cluster, kinds[l->kind].topic, first);
    kuberay_changes_look(p, l->kind);
}

static void close_list(struct list *l) {
    for (size_t i = 0; i < l->nplaces; i++) {
        rt_kube_watch_close(l->places[i].watch);
        free(l->places[i].space);
    }
    free(l->places);
    l->places = NULL;
    l->nplaces = 0;
    for (size_t i = 0; i < l->objects.n; i++)
        json_decref(l->objects.v[i]);
    rt_vec_deinit(&l->objects);
}

static void open_place(struct list *l, size_t i, const char *space) {
    const struct rt_kube_watch_events e = {.put = on_put, .gone = on_gone, .synced = on_synced, .ctx = &l->places[i]};
    const char *plural = kinds[l->kind].plural;
    char *path = space ? rt_strf("/apis/ray.io/v1/namespaces/%s/%s", space, plural) : rt_strf("/apis/ray.io/v1/%s", plural);
    l->places[i] = (struct place){.list = l, .space = rt_strdup(space)};
    l->places[i].watch = rt_kube_watch_open(l->provider->kube, path, NULL, &e);
    free(path);
}

static void open_list(struct list *l) {
    const struct rt_provider *p = l->provider;
    const struct rt_strs *spaces = &p->own->spaces;
    const bool all = rt_strs_has(spaces, "*");
    if (!spaces->n && !p->space)
        return; /* the context is being asked for its own */
    l->nplaces = spaces->n > 1 && !all ? spaces->n : 1;
    l->places = rt_alloc(l->nplaces * sizeof(*l->places));
    for (size_t i = 0; i < l->nplaces; i++)
        open_place(l, i, all ? NULL : spaces->n ? spaces->v[i] : p->space);
}

static bool is_wanted(const struct list *l) {
    return l->provider->shown & RT_TOPIC_BIT(kinds[l->kind].topic);
}

void kuberay_owners_look(struct rt_provider *p) {
    const int64_t now = rt_loop_now_ms(p->env.loop);
    for (int k = 0; k < K_OWNER_KINDS; k++) {
        struct list *l = &p->owners->lists[k];
        const bool wanted = is_wanted(l), again = wanted && !l->looked;
        l->looked = wanted;
        if (wanted)
            l->looked_ms = now;
        if (wanted && !l->nplaces)
            open_list(l);
        else if (again && is_listed(l))
            show(l);
        else if (!wanted && l->nplaces && !p->nchanges && now - l->looked_ms >= REST_MS)
            close_list(l);
        if (wanted && !l->nplaces && p->error.code)
            rt_store_fail(p->env.store, p->cluster, kinds[k].topic, &p->error);
    }
}

struct kowners *kuberay_owners_create(struct rt_provider *p) {
    struct kowners *o = RT_NEW(struct kowners);
    for (int k = 0; k < K_OWNER_KINDS; k++)
        o->lists[k] = (struct list){.provider = p, .kind = (enum kowner_kind)k};
    return o;
}

void kuberay_owners_rest(struct kowners *o) {
    for (int k = 0; k < K_OWNER_KINDS; k++)
        close_list(&o->lists[k]);
}

void kuberay_owners_destroy(struct kowners *o) {
    if (!o)
        return;
    kuberay_owners_rest(o);
    free(o);
}
