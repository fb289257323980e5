/* Provider `kuberay`: a RayCluster is watched with its pods; what they say becomes state, pools and the way in. */
#include "providers/kuberay.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/vec.h"
#include <stdio.h>

enum {
    DASHBOARD_PORT = 8265,
    SILENT_MS = 10000,   /* so long may the operator be behind before it is called silent */
    REST_EVERY_MS = 30000,
    REST_AFTER_MS = 120000, /* nobody looked for so long: what is open is closed */
    PROBE_MS = 5000,
    DOUBT = 4 /* failures in a row of the port-forward to the dashboard */
};

/* ---- pods ---- */

const struct kpod *kuberay_pod(const struct rt_provider *p, const char *name) {
    for (size_t i = 0; i < p->npods; i++)
        if (rt_streq(p->pods[i].name, name))
            return &p->pods[i];
    return NULL;
}

/* Beside a head that ends, its successor counts. */
const struct kpod *kuberay_head(const struct rt_provider *p) {
    const struct kpod *best = NULL;
    for (size_t i = 0; i < p->npods; i++) {
        const struct kpod *pod = &p->pods[i];
        if (!pod->head)
            continue;
        if (!best || (best->deleting && !pod->deleting) || (best->deleting == pod->deleting && !best->ready && pod->ready))
            best = pod;
    }
    return best;
}

const struct kpod *kuberay_pod_of(const struct rt_provider *p, const char *node_id) {
    const struct rt_node *n = rt_store_node(p->cluster, node_id);
    const struct kpod *by_ip = NULL;
    size_t same_ip = 0;
    for (size_t i = 0; n && i < p->npods; i++) {
        const struct kpod *pod = &p->pods[i];
        if (rt_streq(pod->name, n->instance_id) || rt_streq(pod->name, n->name) || rt_streq(pod->name, n->hostname))
            return pod;
        if (pod->ip && rt_streq(pod->ip, n->ip) && !pod->deleting) {
            by_ip = pod;
            same_ip++;
        }
    }
    return same_ip == 1 ? by_ip : NULL; /* with hostNetwork several share one */
}

/* ---- state ---- */

static bool behind(struct rt_provider *p) {
    const int64_t now = rt_loop_now_ms(p->env.loop);
    if (!p->object || p->seen.observed >= p->seen.generation || p->seen.managed_by) {
        p->behind_ms = 0;
        return false;
    }
    if (!p->behind_ms)
        p->behind_ms = now;
    return now - p->behind_ms >= SILENT_MS;
}

static bool whole(const struct rt_provider *p) {
    for (size_t i = 0; i < p->seen.ngroups; i++) {
        int64_t ready = 0;
        for (size_t k = 0; k < p->npods; k++)
            ready += p->pods[k].ready && rt_streq(p->pods[k].group, p->seen.groups[i].name);
        if (ready != p->seen.groups[i].wanted)
            return false;
    }
    return true;
}

static enum rt_cluster_state state_of(struct rt_provider *p, char *detail, size_t size) {
    const struct kcluster *c = &p->seen;
    const struct kpod *head = kuberay_head(p);
    detail[0] = '\0';
    if (!p->object)
        return p->making ? RT_CL_STARTING : p->listed ? RT_CL_DOWN : RT_CL_UNKNOWN;
    if (c->deleting)
        return RT_CL_STOPPING;
    if (behind(p))
        snprintf(detail, size, "the operator has not seen the last change");
    if (c->suspended && c->suspend)
        return RT_CL_SUSPENDED;
    if (c->suspending)
        return RT_CL_STOPPING;
    if (c->failure && !detail[0])
        snprintf(detail, size, "%.400s", c->failure);
    if (!p->pods_listed)
        return RT_CL_UNKNOWN;
    if (!head || !head->ready) {
        const char *why = head && head->why ? head->why : c->head_reason;
        if (!detail[0] && why)
            snprintf(detail, size, "head: %.400s", why);
        return RT_CL_STARTING;
    }
    return whole(p) ? RT_CL_UP : RT_CL_SCALING;
}

void kuberay_show(struct rt_provider *p) {
    char detail[480], clean[480];
    if (p->own->service)
        return; /* no object tells of it: the dashboard alone does */
    const enum rt_cluster_state st = state_of(p, detail, sizeof detail);
    rt_store_set_state(p->env.store, p->cluster, st, detail[0] ? rt_clean_to(clean, sizeof clean, detail) : NULL);
    if (p->object && p->pods_listed) {
        rt_pools b = {0};
        kuberay_pools(p, &b);
        rt_store_put_pools(p->env.store, p->cluster, &b);
    }
    if (p->error.code || p->pods_error.code)
        rt_store_fail(p->env.store, p->cluster, RT_T_POOLS, p->error.code ? &p->error : &p->pods_error);
}

/* ---- how the dashboard is reached ---- */

static const char *service_of(const struct rt_provider *p) {
    return p->own->service ? p->own->service : p->seen.head_service;
}

static char *service_path(const struct rt_provider *p) {
    return rt_strf("/api/v1/namespaces/%s/services/%s:%d/proxy", p->space, service_of(p), DASHBOARD_PORT);
}

/* A head is ready when its dashboard serves. Who is refused then is not allowed, or nobody reaches the pod from there; and
 * what is no Ray's answer comes from something in between. */
static bool service_works(const struct rt_kube_answer *a, const struct rt_error *err) {
    return !err && rt_json_str(a->json, "ray_version");
}

static void on_way(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    p->probe = NULL;
    if (!a || (err && err->code == RT_E_UNREACHABLE))
        if (!err || err->code != RT_E_TIMEOUT)
            return; /* nothing is known of the way: with the next look */
    p->through_service = service_works(a, err);
    p->way_known = true;
    if (!p->through_service)
        rt_log(RT_LOG_INFO, "%s: by port-forward, the service proxy says: %s", p->conf->name, err ? err->message : "no Ray there");
    p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_CLUSTER);
}

static bool wants_forward(const struct rt_provider *p) {
    return p->own->via == KUBERAY_VIA_FORWARD || p->seen.token_auth || rt_secret_set(&p->conf->token);
}

/* A dashboard that is lost behind the service proxy: an API server that came after the one which reached the head may not. */
static bool is_doubtful(const struct rt_provider *p) {
    return p->through_service && p->own->via == KUBERAY_VIA_AUTO && p->cluster->reach == RT_REACH_LOST;
}

/* Once per head, and while the way is in doubt: the API server may reach it or not. */
static void find_way(struct rt_provider *p) {
    const struct kpod *head = kuberay_head(p);
    if (!p->own->service && (!p->object || !head || !head->ready))
        return;
    const char *uid = p->own->service ? "" : head->uid;
    if (!p->tried_head || !rt_streq(p->tried_head, uid)) {
        free(p->tried_head);
        p->tried_head = rt_strdup(uid);
        p->way_known = p->way_known && p->through_service; /* which goes to every head */
        rt_op_drop(&p->probe);
        p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_CLUSTER);
    }
    if (p->probe || (p->way_known && !is_doubtful(p)))
        return;
    if (p->own->via == KUBERAY_VIA_SERVICE || wants_forward(p)) {
        p->through_service = p->own->via == KUBERAY_VIA_SERVICE;
        p->way_known = true;
        p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_CLUSTER);
        return;
    }
    char *base = service_path(p), *path = rt_strf("%s/api/version", base);
    const struct rt_kube_request r = {.path = path, .timeout_ms = PROBE_MS};
    p->probe = rt_kube_send(p->kube, &r, on_way, p);
    free(path);
    free(base);
}

static void set_target(struct rt_provider *p) {
    const struct kpod *head = kuberay_head(p);
    char *target = NULL, *why = NULL;
    if (p->own->service)
        target = rt_strf("service/%s", p->own->service);
    else if (head && head->ready)
        target = rt_strf("pod/%s", head->name);
    else if (p->object)
        why = rt_strf("no head pod is ready%s%.200s", head && head->why ? ": " : "", head && head->why ? head->why : "");
    else
        why = rt_strf("there is no RayCluster %s", p->name);
    rt_kube_ports_target(p->ports, p->space ? p->space : "default", target, why);
    free(target);
    free(why);
}

static void changed(struct rt_provider *p) {
    if (p->space)
        set_target(p);
    kuberay_show(p);
    kuberay_show_pods(p);
    find_way(p);
    kuberay_tasks_look(p);
    kuberay_making_look(p);
}

/* ---- what the watches tell ---- */

static void forget_object(struct rt_provider *p) {
    json_decref(p->object);
    p->object = NULL;
    kuberay_cluster_deinit(&p->seen);
}

static void look_at_pods(struct rt_provider *p);

static void on_cluster(void *ctx, const json_t *object) {
    struct rt_provider *p = ctx;
    struct kcluster c;
    struct rt_error err;
    if (!kuberay_decode_cluster(object, &c, &err)) {
        rt_log(RT_LOG_WARN, "%s: %s", p->conf->name, err.message);
        return;
    }
    forget_object(p);
    p->object = json_deep_copy(object);
    p->seen = c;
}

static void on_cluster_gone(void *ctx, const char *space, const char *name, const char *uid) {
    struct rt_provider *p = ctx;
    (void)space;
    (void)name;
    if (p->object && rt_streq(p->seen.uid, uid))
        forget_object(p);
}

/* A list that is not there at all: who is missing, and what helps. */
void kuberay_explain(const struct rt_provider *p, struct rt_error *err) {
    if (err->code == RT_E_NOT_FOUND && strstr(err->message, "404")) {
        rt_error_set(err, RT_E_UNSUPPORTED, "KubeRay is not installed in this Kubernetes: it has no RayClusters (ray.io/v1)");
        rt_error_hint(err, "install the KubeRay operator with its CRDs, or name a plain `service` with a dashboard");
    } else if (err->code == RT_E_DENIED && !p->space) {
        rt_error_hint(err, "name one `namespace` where you may list RayClusters");
    }
}

static void on_clusters_synced(void *ctx, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    p->error = err ? *err : (struct rt_error){0};
    kuberay_explain(p, &p->error);
    if (!err)
        p->listed = true;
    if (p->object && !p->space && p->seen.space)
        p->space = rt_strdup(p->seen.space);
    look_at_pods(p);
    changed(p);
}

static struct kpod *slot_of(struct rt_provider *p, const char *uid) {
    for (size_t i = 0; i < p->npods; i++)
        if (rt_streq(p->pods[i].uid, uid))
            return &p->pods[i];
    p->pods = rt_realloc(p->pods, (p->npods + 1) * sizeof(*p->pods));
    p->pods[p->npods] = (struct kpod){0};
    return &p->pods[p->npods++];
}

static void on_pod(void *ctx, const json_t *object) {
    struct rt_provider *p = ctx;
    struct kpod pod;
    struct rt_error err;
    if (!kuberay_decode_pod(object, &pod, &err)) {
        rt_log(RT_LOG_WARN, "%s: %s", p->conf->name, err.message);
        return;
    }
    struct kpod *slot = slot_of(p, pod.uid);
    kuberay_pod_deinit(slot);
    *slot = pod;
}

static void on_pod_gone(void *ctx, const char *space, const char *name, const char *uid) {
    struct rt_provider *p = ctx;
    (void)space;
    (void)name;
    for (size_t i = 0; i < p->npods; i++)
        if (rt_streq(p->pods[i].uid, uid)) {
            kuberay_pod_deinit(&p->pods[i]);
            p->pods[i] = p->pods[--p->npods];
            return;
        }
}

static void on_pods_synced(void *ctx, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    p->pods_error = err ? *err : (struct rt_error){0};
    if (!err)
        p->pods_listed = true;
    changed(p);
    p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_NODES);
}

/* ---- watching ---- */

char *kuberay_path(const struct rt_provider *p, const char *name) {
    if (!p->space)
        return rt_strdup("/apis/ray.io/v1/rayclusters");
    return rt_strf("/apis/ray.io/v1/namespaces/%s/rayclusters%s%s", p->space, name ? "/" : "", name ? name : "");
}

static void look_at_cluster(struct rt_provider *p) {
    char *path = kuberay_path(p, NULL), *query = rt_strf("fieldSelector=metadata.name%%3D%s", p->name);
    const struct rt_kube_watch_events e = {.put = on_cluster, .gone = on_cluster_gone, .synced = on_clusters_synced, .ctx = p};
    p->clusters = rt_kube_watch_open(p->kube, path, query, &e);
    free(query);
    free(path);
}

static void look_at_pods(struct rt_provider *p) {
    if (p->pods_watch || !p->space)
        return;
    char *path = rt_strf("/api/v1/namespaces/%s/pods", p->space), *query = rt_strf("labelSelector=ray.io%%2Fcluster%%3D%s", p->name);
    const struct rt_kube_watch_events e = {.put = on_pod, .gone = on_pod_gone, .synced = on_pods_synced, .ctx = p};
    p->pods_watch = rt_kube_watch_open(p->kube, path, query, &e);
    free(query);
    free(path);
}

static void on_space(void *ctx, const char *space, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    p->asking = NULL;
    p->error = err ? *err : (struct rt_error){0};
    if (space)
        p->space = rt_strdup(space);
    kuberay_look(p);
    kuberay_show_pods(p);
    kuberay_owners_look(p);
}

void kuberay_look(struct rt_provider *p) {
    const bool everywhere = p->own->spaces.n > 1 || rt_strs_has(&p->own->spaces, "*");
    if (p->asking || p->clusters)
        return;
    if (!p->space && !everywhere) {
        if (!p->error.code)
            p->asking = rt_kube_space(p->kube, on_space, p);
        return;
    }
    if (p->own->service) {
        set_target(p);
        find_way(p);
        return;
    }
    look_at_cluster(p);
    look_at_pods(p);
}

static void kuberay_look_at(struct rt_provider *p, uint32_t topics) {
    const bool more = topics & ~p->shown;
    p->shown = topics;
    if (more) {
        p->asked_ms = rt_loop_now_ms(p->env.loop);
        kuberay_look(p);
        kuberay_show_pods(p);
    }
    kuberay_owners_look(p);
}

static void stop_looking(struct rt_provider *p) {
    kuberay_owners_rest(p->owners);
    rt_kube_watch_close(p->clusters);
    rt_kube_watch_close(p->pods_watch);
    p->clusters = p->pods_watch = NULL;
    rt_op_drop(&p->asking);
    rt_op_drop(&p->probe);
    for (size_t i = 0; i < p->npods; i++)
        kuberay_pod_deinit(&p->pods[i]);
    p->npods = 0;
    p->pods_listed = p->listed = false;
}

static void on_rest(void *ctx) {
    struct rt_provider *p = ctx;
    if (p->ntasks || p->nchanges || p->making || rt_loop_now_ms(p->env.loop) - p->asked_ms < REST_AFTER_MS)
        return;
    stop_looking(p);
    rt_kube_ports_rest(p->ports);
    rt_timer_stop(p->rest);
    p->rest = NULL;
}

static void kuberay_refresh(struct rt_provider *p) {
    struct rt_kube_port_status st;
    p->asked_ms = rt_loop_now_ms(p->env.loop);
    if (!p->rest)
        p->rest = rt_timer_start(p->env.loop, REST_EVERY_MS, REST_EVERY_MS, on_rest, p);
    if (p->error.code && !p->clusters) /* the context: it may have been mended */
        p->error = (struct rt_error){0};
    kuberay_look(p);
    kuberay_owners_look(p);
    if (p->way_known && !p->through_service && rt_kube_ports_status(p->ports, DASHBOARD_PORT, &st) && st.attempt >= DOUBT)
        p->way_known = false; /* the port-forward does not work either: the service proxy may by now */
    find_way(p);
    if (p->behind_ms || (p->object && p->seen.observed < p->seen.generation))
        changed(p); /* an operator that stays silent tells nothing */
}

/* Ray does not always know our groups: nodes are told apart by their pods. */
static void kuberay_join(struct rt_provider *p) {
    for (size_t i = 0; i < p->cluster->nodes.n; i++) {
        struct rt_node *n = &p->cluster->nodes.v[i];
        const struct kpod *pod = kuberay_pod_of(p, n->id);
        if (pod)
            n->pool = rt_arena_strdup(p->cluster->nodes.arena, pod->head ? "head" : pod->group);
    }
    kuberay_show(p);
}

/* ---- reaching it ---- */

static bool not_there(const struct rt_provider *p, struct rt_error *err) {
    const struct kpod *head = kuberay_head(p);
    if (p->error.code && !p->object) {
        *err = p->error;
        return false;
    }
    if (!p->listed) { /* its object may have come, its pools have not been told */
        rt_error_set(err, RT_E_BUSY, "%s: its RayCluster was not looked at yet", p->conf->name);
        return rt_error_hint(err, "`raytui ls` shows whether it can be reached");
    }
    if (!p->object) {
        rt_error_set(err, RT_E_UNREACHABLE, "there is no RayCluster %s in namespace %s", p->name, p->space ? p->space : "of any name");
        return rt_error_hint(err, "`raytui discover kube://%s` lists those that are there", p->own->context ? p->own->context : "");
    }
    if (!p->pods_listed && p->pods_error.code) {
        *err = p->pods_error;
    } else if (!p->pods_listed) {
        rt_error_set(err, RT_E_BUSY, "%s: its pods were not looked at yet", p->conf->name);
    } else if (p->seen.suspend) {
        rt_error_set(err, RT_E_UNREACHABLE, "%s is suspended", p->conf->name);
        rt_error_hint(err, "`raytui resume %s` brings its pods back", p->conf->name);
    } else if (!head || !head->ready) {
        rt_error_set(err, RT_E_UNREACHABLE, "%s: no head pod is ready%s%.300s", p->conf->name, head && head->why ? ": " : "",
                     head && head->why ? head->why : "");
    } else {
        return true;
    }
    return false;
}

static bool kuberay_endpoint(struct rt_provider *p, enum rt_endpoint_kind kind, struct rt_endpoint *out, struct rt_error *err) {
    *out = (struct rt_endpoint){.port = kind == RT_EP_CLIENT ? 10001 : DASHBOARD_PORT, .dialer = rt_kube_ports_dialer(p->ports)};
    snprintf(out->host, sizeof out->host, "head");
    if (!p->own->service && !not_there(p, err))
        return false;
    if (p->error.code && !p->space) {
        *err = p->error;
        return false;
    }
    if (!p->way_known)
        return rt_error_set(err, RT_E_BUSY, "%s: the way to its dashboard is being looked for", p->conf->name);
    if (!p->through_service) {
        snprintf(out->url, sizeof out->url, "http://head:%d", DASHBOARD_PORT);
        return true;
    }
    char *path = service_path(p);
    snprintf(out->url, sizeof out->url, "http://localhost%s", path);
    snprintf(out->unix_socket, sizeof out->unix_socket, "%s", rt_kube_socket(p->kube));
    free(path);
    out->dialer = NULL;
    return true;
}

static const struct rt_dialer *kuberay_dialer(struct rt_provider *p) {
    return rt_kube_ports_dialer(p->ports);
}

static bool kuberay_turn(struct rt_provider *p, bool looked, bool done) {
    const bool had = p->turn;
    p->turn = rt_kube_ports_turn(p->ports, looked || p->through_service, done);
    if (had && !p->turn && p->own->via == KUBERAY_VIA_AUTO && !wants_forward(p) && p->cluster->reach == RT_REACH_LOST)
        p->way_known = false; /* the service proxy may do better before its next turn */
    return p->turn;
}

static bool kuberay_port_way(struct rt_provider *p, int port, struct rt_port_way *out) {
    struct rt_kube_port_status st;
    const int64_t now = rt_loop_now_ms(p->env.loop);
    *out = (struct rt_port_way){.health = RT_H_BUSY};
    const struct kpod *head = kuberay_head(p);
    snprintf(out->via, sizeof out->via, "port-forward %.80s", p->own->service ? p->own->service : head ? head->name : p->name);
    rt_kube_ports_begin(p->ports, port);
    if (!rt_kube_ports_status(p->ports, port, &st))
        return false;
    out->up = st.up;
    out->up_since_ms = st.up_since_ms;
    if (st.up) {
        out->health = RT_H_OK;
        snprintf(out->state, sizeof out->state, "up");
    } else if (st.retry_at_ms) {
        const int64_t in = RT_MAX(0, st.retry_at_ms - now);
        snprintf(out->state, sizeof out->state, "retrying (%d, in %d s)", st.attempt, (int)((in + 999) / 1000));
    } else {
        snprintf(out->state, sizeof out->state, st.error.code ? "waiting" : "connecting");
    }
    if (st.error.code)
        snprintf(out->note, sizeof out->note, "%.150s", st.error.message);
    return true;
}

/* ---- life ---- */

static void kuberay_where(const struct rt_cluster_conf *conf, struct rt_buf *out) {
    const struct kuberay_config *own = conf->own;
    const char *space = own->spaces.n > 1 ? "*" : own->spaces.n ? own->spaces.v[0] : "-";
    rt_buf_addf(out, "kube://%s/%s/%s", own->context ? own->context : "", space,
                own->service ? own->service : own->name ? own->name : conf->name);
}

static struct rt_provider *kuberay_create(const struct rt_provider_env *env, const struct rt_cluster_conf *conf,
                                          struct rt_cluster *cluster, struct rt_error *err) {
    struct rt_provider *p = RT_NEW(struct rt_provider);
    const struct kuberay_config *own = conf->own;
    (void)err;
    char *file = own->kubeconfig ? rt_path_expand(own->kubeconfig) : NULL;
    p->env = *env;
    p->conf = conf;
    p->own = own;
    p->cluster = cluster;
    p->kube = rt_kube_get(env->kubes, file, own->context);
    p->ports = rt_kube_ports_create(p->kube, env->loop);
    p->name = rt_strdup(own->service ? own->service : own->name ? own->name : conf->name);
    p->limits_min = p->limits_max = -1;
    p->owners = kuberay_owners_create(p);
    if (own->spaces.n == 1 && !rt_streq(own->spaces.v[0], "*"))
        p->space = rt_strdup(own->spaces.v[0]);
    if (!p->space)
        p->space = kuberay_made_space(conf->name);
    free(file);
    return p;
}

static void kuberay_destroy(struct rt_provider *p) {
    kuberay_tasks_abandon(p);
    kuberay_making_abandon(p);
    kuberay_changes_abandon(p);
    stop_looking(p);
    kuberay_owners_destroy(p->owners);
    rt_timer_stop(p->rest);
    rt_kube_ports_destroy(p->ports);
    forget_object(p);
    rt_kube_put(p->kube);
    free(p->pods);
    free(p->tried_head);
    free(p->limits_pool);
    free(p->space);
    free(p->name);
    free(p);
}

const struct rt_provider_ops rt_provider_kuberay = {
    .name = "kuberay",
    .summary = "a RayCluster of a Kubernetes or OpenShift with the KubeRay operator",
    .caps = RT_CAP_UP | RT_CAP_DOWN | RT_CAP_SHELL | RT_CAP_EDIT | RT_CAP_PODS | RT_CAP_SCALE | RT_CAP_ADD_POOL | RT_CAP_REMOVE_POOL | RT_CAP_REMOVE_NODE | RT_CAP_SUSPEND | RT_CAP_DISCOVER | RT_CAP_RAYJOBS | RT_CAP_RAYSERVICES,
    .config = kuberay_fields,
    .config_size = sizeof(struct kuberay_config),
    .own_pools = true,
    .check = kuberay_check,
    .where = kuberay_where,
    .create = kuberay_create,
    .destroy = kuberay_destroy,
    .endpoint = kuberay_endpoint,
    .dialer = kuberay_dialer,
    .turn = kuberay_turn,
    .port_way = kuberay_port_way,
    .token_command = kuberay_token_command,
    .refresh = kuberay_refresh,
    .look = kuberay_look_at,
    .join = kuberay_join,
    .validates = true,
    .plan = kuberay_plan_text,
    .up = kuberay_up,
    .down = kuberay_down,
    .scale_impact = kuberay_scale_impact,
    .scale = kuberay_scale,
    .set_limits = kuberay_set_limits,
    .remove_node = kuberay_remove_node,
    .add_pool = kuberay_add_pool,
    .remove_pool = kuberay_remove_pool,
    .suspend = kuberay_suspend,
    .change = kuberay_change,
    .shell = kuberay_shell,
    .tool = kuberay_tool,
    .equivalent = kuberay_equivalent,
    .doctor = kuberay_doctor,
    .discover = kuberay_discover,
    .discover_at = kuberay_discover_at,
    .watch_at = kuberay_watch_at,
};
