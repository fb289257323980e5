/* What Kubernetes has of a RayCluster and beside it as tables: pods, RayJobs, RayServices. */
#include "core/rows.h"

/* Nothing where there is nothing to say. */
static void put_why(struct rt_buf *out, const char *why) {
    if (why)
        rt_clean(out, why, strlen(why));
}

/* ---- pods ---- */

RT_TEXT_CELL(pod_name, struct rt_pod, r->id)
RT_TEXT_CELL(pod_pool, struct rt_pod, r->pool)
RT_TEXT_CELL(pod_node, struct rt_pod, r->node)
RT_TEXT_CELL(pod_ip, struct rt_pod, r->ip)
RT_TEXT_CELL(pod_phase, struct rt_pod, r->deleting ? "Terminating" : r->phase)
RT_NUMBER_ORDER(pod_by_age, struct rt_pod, created_ms)

static int64_t pod_restarts(const struct rt_pod *r) {
    int64_t n = 0;
    for (size_t i = 0; i < r->ncontainers; i++)
        n += RT_MAX(r->containers[i].restarts, 0);
    return n;
}

static void pod_ready(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_pod *r = row;
    size_t ready = 0, n = 0;
    (void)env;
    for (size_t i = 0; i < r->ncontainers; i++)
        if (!r->containers[i].init) {
            ready += r->containers[i].ready;
            n++;
        }
    rt_buf_addf(out, "%zu/%zu", ready, n);
}

static void pod_restarted(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_count(out, pod_restarts(row));
}

static int pod_by_restarts(const void *a, const void *b) {
    const int d = rt_order_i64(pod_restarts(a), pod_restarts(b));
    return d ? d : rt_natcmp(rt_rows_id(a), rt_rows_id(b));
}

/* "ray-head autoscaler": init containers only while they have something to tell. */
static void pod_containers(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_pod *r = row;
    const size_t from = out->len;
    (void)env;
    for (size_t i = 0; i < r->ncontainers; i++) {
        const struct rt_container *c = &r->containers[i];
        if (c->init && !rt_streq(c->state, "running") && !c->reason)
            continue;
        if (c->init && rt_streq(c->reason, "Completed"))
            continue;
        rt_buf_adds(out, out->len > from ? " " : "");
        rt_clean(out, c->name, strlen(c->name));
    }
    if (out->len == from)
        rt_buf_addc(out, '-');
}

static void pod_age(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cell_since(out, ((const struct rt_pod *)row)->created_ms, env->now_ms);
}

static void pod_why(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_pod *r = row;
    (void)env;
    put_why(out, r->why);
    for (size_t i = 0; !r->why && i < r->ncontainers; i++) {
        const struct rt_container *c = &r->containers[i];
        if (!c->before)
            continue;
        rt_buf_adds(out, "before: ");
        rt_clean(out, c->before, strlen(c->before));
        rt_buf_adds(out, ", ");
        rt_clean(out, c->name, strlen(c->name));
        return;
    }
}

/* The head stands first, groups together. */
static int pod_by_pool(const void *a, const void *b) {
    const struct rt_pod *x = a, *y = b;
    int d = (int)y->head - (int)x->head;
    if (!d)
        d = rt_natcmp(x->pool ? x->pool : "", y->pool ? y->pool : "");
    return d ? d : rt_natcmp(x->id, y->id);
}

static bool pod_fails(const struct rt_pod *r) {
    if (rt_streq(r->phase, "Failed"))
        return true;
    for (size_t i = 0; i < r->ncontainers; i++) {
        const char *reason = r->containers[i].reason;
        if (reason && (rt_ends(reason, "BackOff") || rt_starts(reason, "Err") || rt_streq(reason, "OOMKilled") || rt_streq(reason, "Error")))
            return true;
    }
    return false;
}

static enum rt_health pod_health(const void *row, const struct rt_row_env *env) {
    const struct rt_pod *r = row;
    (void)env;
    if (r->deleting)
        return RT_H_OFF;
    if (pod_fails(r))
        return RT_H_BAD;
    if (r->ready)
        return RT_H_OK;
    return r->why && rt_starts(r->why, "Unschedulable") ? RT_H_WARN : rt_streq(r->phase, "Succeeded") ? RT_H_DONE : RT_H_BUSY;
}

static bool pod_attention(const void *row, const struct rt_row_env *env) {
    const enum rt_health h = pod_health(row, env);
    return h == RT_H_BAD || h == RT_H_WARN || pod_restarts(row) > 0;
}

static json_t *pod_json(const void *row, const struct rt_row_env *env, bool show_env) {
    const struct rt_pod *r = row;
    json_t *o = json_object(), *list = json_array();
    (void)env;
    (void)show_env;
    rt_put_text(o, "name", r->id);
    rt_put_text(o, "pool", r->pool);
    rt_put_bool(o, "head", r->head);
    rt_put_text(o, "phase", r->phase);
    rt_put_bool(o, "ready", r->ready);
    rt_put_bool(o, "deleting", r->deleting);
    rt_put_i64(o, "restarts", pod_restarts(r));
    rt_put_text(o, "node", r->node);
    rt_put_text(o, "ip", r->ip);
    rt_put_text(o, "why", r->why);
    rt_put_time(o, "created_ms", r->created_ms);
    for (size_t i = 0; i < r->ncontainers; i++) {
        const struct rt_container *c = &r->containers[i];
        json_t *one = json_object();
        rt_put_text(one, "name", c->name);
        rt_put_text(one, "state", c->state);
        rt_put_text(one, "reason", c->reason);
        rt_put_bool(one, "ready", c->ready);
        rt_put_bool(one, "init", c->init);
        rt_put_i64(one, "restarts", c->restarts);
        rt_put_text(one, "before", c->before);
        json_array_append_new(list, one);
    }
    json_object_set_new(o, "containers", list);
    return o;
}

/* clang-format off */
static const struct rt_column pod_columns[] = {
    {.id = "name", .title = "POD", .min = 20, .want = 32, .cut = RT_CUT_MIDDLE, .text = pod_name, .order = pod_by_pool},
    {.id = "pool", .title = "POOL", .min = 5, .want = 12, .cut = RT_CUT_MIDDLE, .priority = 3, .text = pod_pool, .order = pod_by_pool},
    {.id = "phase", .title = "PHASE", .min = 9, .want = 13, .glyph = true, .text = pod_phase, .health = pod_health},
    {.id = "ready", .title = "READY", .min = 5, .want = 5, .align = RT_RIGHT, .text = pod_ready},
    {.id = "restarts", .title = "RESTARTS", .min = 8, .want = 8, .align = RT_RIGHT, .priority = 4, .text = pod_restarted,
     .order = pod_by_restarts},
    {.id = "containers", .title = "CONTAINERS", .min = 14, .want = 20, .priority = 6, .text = pod_containers},
    {.id = "node", .title = "NODE", .min = 10, .want = 16, .cut = RT_CUT_MIDDLE, .priority = 5, .text = pod_node},
    {.id = "age", .title = "AGE", .min = 6, .want = 6, .align = RT_RIGHT, .priority = 2, .text = pod_age, .order = pod_by_age},
    {.id = "why", .title = "WHY", .min = 20, .want = 40, .priority = 1, .grow = true, .text = pod_why},
    {.id = "ip", .title = "IP", .min = 9, .want = 15, .priority = 7, .wide = true, .text = pod_ip},
    {0},
};
/* clang-format on */

RT_LIST_ROWS(pods, RT_T_PODS)

const struct rt_table rt_table_pods = {
    .name = "pods",
    .singular = "pod",
    .title = "Pods",
    .topic = RT_T_PODS,
    .columns = pod_columns,
    .default_sort = "name",
    .count = pods_count,
    .at = pods_at,
    .id = rt_rows_id,
    .health = pod_health,
    .attention = pod_attention,
    .json = pod_json,
    .empty = "no pods: the RayCluster is suspended, or its operator makes none",
};

/* ---- RayJobs ---- */

RT_TEXT_CELL(job_name, struct rt_rayjob, r->name)
RT_TEXT_CELL(job_space, struct rt_rayjob, r->space)
RT_TEXT_CELL(job_deployment, struct rt_rayjob, r->deleting ? "Deleting" : r->deployment)
RT_TEXT_CELL(job_status, struct rt_rayjob, r->status)
RT_TEXT_CELL(job_cluster, struct rt_rayjob, r->cluster)
RT_TEXT_CELL(job_id, struct rt_rayjob, r->job)
RT_TEXT_CELL(job_entrypoint, struct rt_rayjob, r->entrypoint)
RT_NUMBER_ORDER(job_by_age, struct rt_rayjob, created_ms)

static void job_why(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    put_why(out, ((const struct rt_rayjob *)row)->why);
}

static void job_age(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cell_since(out, ((const struct rt_rayjob *)row)->created_ms, env->now_ms);
}

static void job_took(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_rayjob *r = row;
    rt_cell_age(out, r->start_ms <= 0 ? -1 : (r->end_ms > 0 ? r->end_ms : env->now_ms) - r->start_ms);
}

static enum rt_health job_health(const void *row, const struct rt_row_env *env) {
    const struct rt_rayjob *r = row;
    (void)env;
    if (rt_streq(r->deployment, "Failed") || rt_streq(r->deployment, "ValidationFailed") || rt_streq(r->status, "FAILED"))
        return RT_H_BAD;
    if (rt_streq(r->deployment, "Suspended") || rt_streq(r->status, "STOPPED"))
        return RT_H_OFF;
    if (rt_streq(r->deployment, "Complete"))
        return RT_H_DONE;
    if (rt_streq(r->deployment, "Retrying") || rt_streq(r->deployment, "Waiting"))
        return RT_H_WAITING;
    return rt_streq(r->status, "RUNNING") ? RT_H_OK : RT_H_BUSY;
}

static bool job_attention(const void *row, const struct rt_row_env *env) {
    return job_health(row, env) == RT_H_BAD;
}

static json_t *job_json(const void *row, const struct rt_row_env *env, bool show_env) {
    const struct rt_rayjob *r = row;
    json_t *o = json_object();
    (void)env;
    (void)show_env;
    rt_put_text(o, "id", r->id);
    rt_put_text(o, "name", r->name);
    rt_put_text(o, "namespace", r->space);
    rt_put_text(o, "deployment_status", r->deployment);
    rt_put_text(o, "job_status", r->status);
    rt_put_text(o, "ray_cluster", r->cluster);
    rt_put_text(o, "address", r->where);
    rt_put_text(o, "submission_id", r->job);
    rt_put_text(o, "entrypoint", r->entrypoint);
    rt_put_text(o, "submission_mode", r->mode);
    rt_put_bool(o, "suspend", r->suspend);
    rt_put_bool(o, "deleting", r->deleting);
    rt_put_text(o, "why", r->why);
    rt_put_time(o, "created_ms", r->created_ms);
    rt_put_time(o, "start_ms", r->start_ms);
    rt_put_time(o, "end_ms", r->end_ms);
    return o;
}

/* clang-format off */
static const struct rt_column job_columns[] = {
    {.id = "name", .title = "RAYJOB", .min = 12, .want = 24, .cut = RT_CUT_MIDDLE, .text = job_name},
    {.id = "namespace", .title = "NAMESPACE", .min = 9, .want = 12, .priority = 4, .text = job_space},
    {.id = "deployment", .title = "STATE", .min = 10, .want = 18, .glyph = true, .text = job_deployment, .health = job_health},
    {.id = "status", .title = "JOB", .min = 9, .want = 9, .priority = 1, .text = job_status},
    {.id = "cluster", .title = "RAYCLUSTER", .min = 16, .want = 24, .cut = RT_CUT_MIDDLE, .priority = 2, .text = job_cluster},
    {.id = "took", .title = "TOOK", .min = 4, .want = 6, .align = RT_RIGHT, .priority = 5, .text = job_took},
    {.id = "age", .title = "AGE", .min = 6, .want = 6, .align = RT_RIGHT, .text = job_age, .order = job_by_age},
    {.id = "why", .title = "WHY", .min = 16, .want = 40, .priority = 3, .grow = true, .text = job_why},
    {.id = "submission_id", .title = "SUBMISSION ID", .min = 13, .want = 24, .cut = RT_CUT_MIDDLE, .priority = 7, .wide = true, .text = job_id},
    {.id = "entrypoint", .title = "ENTRYPOINT", .min = 10, .want = 40, .priority = 6, .wide = true, .text = job_entrypoint},
    {0},
};
/* clang-format on */

RT_LIST_ROWS(rayjobs, RT_T_RAYJOBS)

const struct rt_table rt_table_rayjobs = {
    .name = "rayjobs",
    .singular = "rayjob",
    .title = "RayJobs",
    .topic = RT_T_RAYJOBS,
    .columns = job_columns,
    .default_sort = "-age",
    .count = rayjobs_count,
    .at = rayjobs_at,
    .id = rt_rows_id,
    .health = job_health,
    .attention = job_attention,
    .json = job_json,
    .empty = "no RayJobs in the namespaces of this cluster",
};

/* ---- RayServices ---- */

RT_TEXT_CELL(service_name, struct rt_rayservice, r->name)
RT_TEXT_CELL(service_space, struct rt_rayservice, r->space)
RT_TEXT_CELL(service_state, struct rt_rayservice, r->deleting ? "Deleting" : r->state)
RT_TEXT_CELL(service_cluster, struct rt_rayservice, r->cluster ? r->cluster : r->pending)
RT_TEXT_CELL(service_pending, struct rt_rayservice, r->cluster ? r->pending : NULL)
RT_NUMBER_ORDER(service_by_age, struct rt_rayservice, created_ms)

static void service_apps(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    const struct rt_rayservice *r = row;
    (void)env;
    rt_cell_amounts(out, (double)r->apps_running, (double)r->apps_total);
}

static void service_endpoints(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_count(out, ((const struct rt_rayservice *)row)->endpoints);
}

static void service_age(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cell_since(out, ((const struct rt_rayservice *)row)->created_ms, env->now_ms);
}

static void service_why(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    put_why(out, ((const struct rt_rayservice *)row)->why);
}

static enum rt_health service_health(const void *row, const struct rt_row_env *env) {
    const struct rt_rayservice *r = row;
    (void)env;
    if (r->deleting)
        return RT_H_OFF;
    if (r->apps && (strstr(r->apps, "UNHEALTHY") || strstr(r->apps, "DEPLOY_FAILED")))
        return RT_H_BAD;
    if (!r->ready)
        return r->why && strstr(r->why, "nvalid") ? RT_H_BAD : RT_H_BUSY;
    return r->upgrading ? RT_H_BUSY : RT_H_OK;
}

static bool service_attention(const void *row, const struct rt_row_env *env) {
    return service_health(row, env) == RT_H_BAD;
}

static json_t *service_json(const void *row, const struct rt_row_env *env, bool show_env) {
    const struct rt_rayservice *r = row;
    json_t *o = json_object();
    (void)env;
    (void)show_env;
    rt_put_text(o, "id", r->id);
    rt_put_text(o, "name", r->name);
    rt_put_text(o, "namespace", r->space);
    rt_put_text(o, "state", r->state);
    rt_put_bool(o, "ready", r->ready);
    rt_put_bool(o, "upgrading", r->upgrading);
    rt_put_bool(o, "deleting", r->deleting);
    rt_put_text(o, "ray_cluster", r->cluster);
    rt_put_text(o, "pending_ray_cluster", r->pending);
    rt_put_text(o, "address", r->where);
    rt_put_text(o, "applications", r->apps);
    rt_put_i64(o, "endpoints", r->endpoints);
    rt_put_text(o, "why", r->why);
    rt_put_time(o, "created_ms", r->created_ms);
    return o;
}

/* clang-format off */
static const struct rt_column service_columns[] = {
    {.id = "name", .title = "RAYSERVICE", .min = 10, .want = 24, .cut = RT_CUT_MIDDLE, .text = service_name},
    {.id = "namespace", .title = "NAMESPACE", .min = 9, .want = 12, .priority = 5, .text = service_space},
    {.id = "state", .title = "STATE", .min = 10, .want = 14, .glyph = true, .text = service_state, .health = service_health},
    {.id = "cluster", .title = "RAYCLUSTER", .min = 14, .want = 24, .cut = RT_CUT_MIDDLE, .priority = 2, .text = service_cluster},
    {.id = "pending", .title = "COMING", .min = 10, .want = 20, .cut = RT_CUT_MIDDLE, .priority = 6, .text = service_pending},
    {.id = "applications", .title = "APPS", .min = 4, .want = 6, .align = RT_RIGHT, .priority = 1, .text = service_apps},
    {.id = "endpoints", .title = "ENDPOINTS", .min = 9, .want = 9, .align = RT_RIGHT, .priority = 4, .text = service_endpoints},
    {.id = "age", .title = "AGE", .min = 6, .want = 6, .align = RT_RIGHT, .text = service_age, .order = service_by_age},
    {.id = "why", .title = "WHY", .min = 16, .want = 40, .priority = 3, .grow = true, .text = service_why},
    {0},
};
/* clang-format on */

RT_LIST_ROWS(rayservices, RT_T_RAYSERVICES)

const struct rt_table rt_table_rayservices = {
    .name = "rayservices",
    .singular = "rayservice",
    .title = "RayServices",
    .topic = RT_T_RAYSERVICES,
    .columns = service_columns,
    .default_sort = "name",
    .count = rayservices_count,
    .at = rayservices_at,
    .id = rt_rows_id,
    .health = service_health,
    .attention = service_attention,
    .json = service_json,
    .empty = "no RayServices in the namespaces of this cluster",
};
