/* Lists that are asked only while somebody looks at them: State API rows by tables of fields, and Serve. */
#include "base/map.h"
#include "ray/private.h"

#include <stdio.h>

struct kind {
    enum rt_topic topic;
    const char *route, *array;
    const char *const *paths; /* asked one after the other, into one batch */
    const struct rt_field *fields;
    size_t size;
};

#define STATE_IS(s) "&filter_keys=state&filter_predicates=%3D&filter_values=" s

/* Without a filter a list of tasks costs the head seconds; these states are what somebody waits for. */
static const char *const task_paths[] = {
    "/api/v0/tasks?detail=1&limit=1000" STATE_IS("RUNNING"),
    "/api/v0/tasks?detail=1&limit=1000" STATE_IS("PENDING_NODE_ASSIGNMENT"),
    "/api/v0/tasks?detail=1&limit=1000" STATE_IS("PENDING_ARGS_AVAIL"),
    "/api/v0/tasks?detail=1&limit=500" STATE_IS("FAILED"),
    NULL,
};
static const char *const pg_paths[] = {"/api/v0/placement_groups?detail=1&limit=1000", NULL};
static const char *const event_paths[] = {"/api/v0/cluster_events?limit=1000", NULL};
static const char *const env_paths[] = {"/api/v0/runtime_envs?detail=1&limit=1000", NULL};
static const char *const worker_paths[] = {"/api/v0/workers?detail=1&limit=1000", NULL};

static const struct rt_field task_fields[] = {
    RT_FIELD(struct rt_task, id, "task_id", RT_F_STR, .required = true),
    RT_FIELD(struct rt_task, name, "name", RT_F_STR),
    RT_FIELD(struct rt_task, state, "state", RT_F_STR),
    RT_FIELD(struct rt_task, job_id, "job_id", RT_F_STR),
    RT_FIELD(struct rt_task, actor_id, "actor_id", RT_F_STR),
    RT_FIELD(struct rt_task, type, "type", RT_F_STR),
    RT_FIELD(struct rt_task, node_id, "node_id", RT_F_STR),
    RT_FIELD(struct rt_task, error_type, "error_type", RT_F_STR),
    RT_FIELD(struct rt_task, error_message, "error_message", RT_F_STR),
    RT_FIELD(struct rt_task, attempt, "attempt_number", RT_F_I64, .absent = -1),
    RT_FIELD(struct rt_task, pid, "worker_pid", RT_F_I64, .absent = -1),
    RT_FIELD(struct rt_task, created_ms, "creation_time_ms", RT_F_I64, .absent = -1),
    RT_FIELD(struct rt_task, start_ms, "start_time_ms", RT_F_I64, .absent = -1),
    RT_FIELD(struct rt_task, end_ms, "end_time_ms", RT_F_I64, .absent = -1),
    RT_FIELD(struct rt_task, resources, "required_resources", RT_F_RES),
    RT_FIELD(struct rt_task, label_selector, "label_selector", RT_F_KV),
    RT_FIELD(struct rt_task, placement_group_id, "placement_group_id", RT_F_STR),
    {0},
};

static const struct rt_field pg_stats_fields[] = {
    {.key = "scheduling_state", .off = 0, .type = RT_F_STR},
    {0},
};
static const struct rt_field pg_fields[] = {
    RT_FIELD(struct rt_pg, id, "placement_group_id", RT_F_STR, .required = true),
    RT_FIELD(struct rt_pg, name, "name", RT_F_STR),
    RT_FIELD(struct rt_pg, job_id, "creator_job_id", RT_F_STR),
    RT_FIELD(struct rt_pg, state, "state", RT_F_STR),
    RT_FIELD(struct rt_pg, bundles, "bundles", RT_F_JSON),
    RT_FIELD(struct rt_pg, stats, "stats", RT_F_OBJ, .sub = pg_stats_fields),
    RT_FIELD(struct rt_pg, detached, "is_detached", RT_F_BOOL),
    {0},
};

static const struct rt_field event_fields[] = {
    RT_FIELD(struct rt_cluster_event, id, "event_id", RT_F_STR, .required = true),
    RT_FIELD(struct rt_cluster_event, severity, "severity", RT_F_STR),
    RT_FIELD(struct rt_cluster_event, source, "source_type", RT_F_STR),
    RT_FIELD(struct rt_cluster_event, message, "message", RT_F_STR),
    RT_FIELD(struct rt_cluster_event, time, "time", RT_F_STR),
    {0},
};

static const struct rt_field env_fields[] = {
    RT_FIELD(struct rt_env, runtime_env, "runtime_env", RT_F_JSON),
    RT_FIELD(struct rt_env, node_id, "node_id", RT_F_STR),
    RT_FIELD(struct rt_env, error, "error", RT_F_STR),
    RT_FIELD(struct rt_env, creation_ms, "creation_time_ms", RT_F_I64, .absent = -1),
    RT_FIELD(struct rt_env, refs, "ref_cnt", RT_F_I64, .absent = -1),
    RT_FIELD(struct rt_env, success, "success", RT_F_BOOL),
    {0},
};

static const struct rt_field worker_fields[] = {
    RT_FIELD(struct rt_worker, id, "worker_id", RT_F_STR, .required = true),
    RT_FIELD(struct rt_worker, type, "worker_type", RT_F_STR),
    RT_FIELD(struct rt_worker, node_id, "node_id", RT_F_STR),
    RT_FIELD(struct rt_worker, ip, "ip", RT_F_STR),
    RT_FIELD(struct rt_worker, exit_type, "exit_type", RT_F_STR),
    RT_FIELD(struct rt_worker, exit_detail, "exit_detail", RT_F_STR),
    RT_FIELD(struct rt_worker, pid, "pid", RT_F_I64, .absent = -1),
    RT_FIELD(struct rt_worker, start_ms, "start_time_ms", RT_F_I64, .absent = -1),
    RT_FIELD(struct rt_worker, end_ms, "end_time_ms", RT_F_I64, .absent = -1),
    RT_FIELD(struct rt_worker, alive, "is_alive", RT_F_BOOL),
    {0},
};

static const char LIST[] = "data.result.result";
static const struct kind kinds[] = {
    {RT_T_TASKS, "/api/v0/tasks", LIST, task_paths, task_fields, sizeof(struct rt_task)},
    {RT_T_PGS, "/api/v0/placement_groups", LIST, pg_paths, pg_fields, sizeof(struct rt_pg)},
    {RT_T_EVENTS, "/api/v0/cluster_events", LIST, event_paths, event_fields, sizeof(struct rt_cluster_event)},
    {RT_T_ENVS, "/api/v0/runtime_envs", LIST, env_paths, env_fields, sizeof(struct rt_env)},
    {RT_T_WORKERS, "/api/v0/workers", LIST, worker_paths, worker_fields, sizeof(struct rt_worker)},
};

struct rows {
    struct rt_op op;
    struct rt_list list;
    struct rt_op *get; /* Serve: one document */
    struct rt_ray *ray;
    const struct kind *kind;
    size_t path;
    struct rt_arena *arena;
    char *v; /* growing array */
    size_t n, cap, total, left_out;
    const char *note;
    rt_ray_rows_fn *fn;
    void *ctx;
};

static void rows_free(struct rows *o) {
    rt_list_deinit(&o->list);
    rt_op_drop(&o->get);
    rt_arena_destroy(o->arena);
    free(o->v);
    free(o);
}

static void rows_cancel(struct rt_op *op) {
    rows_free((struct rows *)op);
}

static void *push(struct rows *o, size_t size) {
    if (o->n == o->cap) {
        o->cap = o->cap ? 2 * o->cap : 64;
        o->v = rt_realloc(o->v, o->cap * size);
    }
    void *slot = o->v + o->n++ * size;
    memset(slot, 0, size);
    return slot;
}

/* The autoscaler says the same again and again: one row for all of it, with the id of the first, the time of the last. */
static void fold_events(struct rows *o) {
    struct rt_cluster_event *v = (void *)o->v;
    struct rt_map seen;
    size_t kept = 0;
    rt_map_init(&seen, false);
    for (size_t i = 0; i < o->n; i++) {
        const char *const words[] = {v[i].severity, v[i].source, v[i].message};
        char *key = rt_strf("%s\n%s\n%s", words[0] ? words[0] : "", words[1] ? words[1] : "", words[2] ? words[2] : "");
        struct rt_cluster_event *first = rt_map_get(&seen, key);
        if (first) {
            first->times++;
            if (rt_strcmp(v[i].time, first->time) > 0)
                first->time = v[i].time;
        } else {
            v[kept] = v[i];
            v[kept].times = 1;
            rt_map_set(&seen, key, &v[kept++]);
        }
        free(key);
    }
    o->total -= RT_MIN(o->total, o->n - kept);
    o->n = kept;
    rt_map_deinit(&seen);
}

static void deliver(struct rows *o, size_t size, const struct rt_error *err) {
    struct rt_rows b = {0};
    if (!err && o->kind && o->kind->topic == RT_T_EVENTS)
        fold_events(o);
    if (!err) {
        b = (struct rt_rows){.arena = o->arena, .n = o->n, .size = size, .total = RT_MAX(o->total, o->n),
                             .left_out = o->left_out, .note = o->note};
        b.v = rt_batch_array(o->arena, o->v, o->n, size);
        o->arena = NULL;
        o->v = NULL;
    }
    const struct rt_error copy = err ? *err : (struct rt_error){0};
    rt_ray_rows_fn *fn = o->fn;
    void *ctx = o->ctx;
    rows_free(o);
    fn(ctx, &b, err ? &copy : NULL);
    rt_batch_deinit(&b);
}

/* ---- State API ---- */

/* Ray gives runtime environments no id: what they are and where is one. */
static void name_env(struct rows *o, struct rt_env *e) {
    e->id = rt_arena_strf(o->arena, "%.12s-%016llx", e->node_id ? e->node_id : "", (unsigned long long)rt_fnv(e->runtime_env));
}

static bool row_came(void *ctx, const json_t *v, struct rt_error *err) {
    struct rows *o = ctx;
    void *slot = push(o, o->kind->size);
    if (!rt_decode(v, o->kind->fields, slot, o->arena, err)) {
        o->n--;
        return false;
    }
    if (o->kind->topic == RT_T_ENVS)
        name_env(o, slot);
    else if (o->kind->topic == RT_T_TASKS)
        rt_needs_unfold(&((struct rt_task *)slot)->resources, o->arena);
    return true;
}

static void start_path(struct rows *o);

static void path_ended(void *ctx, const struct rt_error *err) {
    struct rows *o = ctx;
    size_t at_source = 0;
    if (err) {
        deliver(o, o->kind->size, err);
        return;
    }
    rt_list_counters(&o->list, o->arena, &at_source, &o->note);
    o->total += at_source;
    o->left_out += o->list.left_out;
    if (o->kind->paths[++o->path]) {
        rt_list_deinit(&o->list);
        start_path(o);
    } else {
        deliver(o, o->kind->size, NULL);
    }
}

static void start_path(struct rows *o) {
    o->list = (struct rt_list){.item = row_came, .end = path_ended, .ctx = o};
    rt_list_start(&o->list, o->ray, o->kind->route, o->kind->paths[o->path], o->kind->array);
}

/* ---- Serve ---- */

static int64_t ms_of(const json_t *v, const char *key) {
    const json_t *s = json_object_get(v, key);
    return json_is_number(s) ? (int64_t)(json_number_value(s) * 1000) : -1;
}

static const char *text_of(struct rows *o, const json_t *v, const char *key) {
    const char *s = rt_json_str(v, key);
    return s && *s ? rt_arena_strdup(o->arena, s) : NULL;
}

/* "/serve/controller_779.log": a name among the node's logs. */
static void log_of(struct rows *o, struct rt_serve *r, const json_t *v) {
    const char *file = rt_json_str(v, "log_file_path");
    r->log_node = text_of(o, v, "node_id");
    r->log_file = file && *file ? rt_arena_strdup(o->arena, file + strspn(file, "/")) : NULL;
}

static void add_replica(struct rows *o, const char *app, const char *deployment, const json_t *v) {
    struct rt_serve *r = push(o, sizeof(*r));
    const json_t *pid = json_object_get(v, "pid");
    *r = (struct rt_serve){.app = app, .deployment = deployment, .replicas = -1, .wanted = -1, .pid = -1};
    r->replica = text_of(o, v, "replica_id");
    if (!r->replica)
        r->replica = rt_arena_strdup(o->arena, "?");
    r->status = text_of(o, v, "state");
    r->node_id = text_of(o, v, "node_id");
    log_of(o, r, v);
    if (json_is_integer(pid) && json_integer_value(pid) > 0)
        r->pid = json_integer_value(pid);
    r->deployed_ms = ms_of(v, "start_time_s");
    r->id = rt_arena_strf(o->arena, "%s/%s/%s", app, deployment, r->replica);
}

static void add_deployment(struct rows *o, const char *app, const json_t *d, const json_t *controller) {
    struct rt_serve *r = push(o, sizeof(*r));
    const json_t *wanted = json_object_get(d, "target_num_replicas"), *replicas = json_object_get(d, "replicas");
    size_t running = 0, i;
    json_t *replica;
    json_array_foreach(replicas, i, replica) running += rt_streq(rt_json_str(replica, "state"), "RUNNING");
    const char *name = text_of(o, d, "name");
    r->app = app;
    r->deployment = name = name ? name : rt_arena_strdup(o->arena, "?");
    r->pid = -1;
    r->status = text_of(o, d, "status");
    r->message = text_of(o, d, "message");
    r->replicas = json_is_array(replicas) ? (int64_t)running : -1;
    r->wanted = json_is_integer(wanted) ? json_integer_value(wanted) : r->replicas;
    r->deployed_ms = -1;
    r->id = rt_arena_strf(o->arena, "%s/%s", app, name);
    log_of(o, r, controller);
    json_array_foreach(replicas, i, replica) add_replica(o, app, name, replica); /* r may move */
}

static void add_application(struct rows *o, const char *name, const json_t *a, const json_t *controller) {
    struct rt_serve *r = push(o, sizeof(*r));
    const char *app = rt_arena_strdup(o->arena, name), *key;
    json_t *d;
    *r = (struct rt_serve){.id = app, .app = app, .replicas = -1, .wanted = -1, .pid = -1};
    r->status = text_of(o, a, "status");
    r->message = text_of(o, a, "message");
    r->route = text_of(o, a, "route_prefix");
    r->deployed_ms = ms_of(a, "last_deployed_time_s");
    log_of(o, r, controller);
    json_object_foreach(json_object_get(a, "deployments"), key, d) add_deployment(o, app, d, controller);
}

/* A head without the packages of Serve runs none: an empty list, and what would change that. */
static void got_serve(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct rows *o = ctx;
    struct rt_error e = err ? *err : (struct rt_error){0};
    o->get = NULL;
    if (a && a->status == 501) {
        o->note = rt_arena_strdup(o->arena, e.message);
        deliver(o, sizeof(struct rt_serve), NULL);
        return;
    }
    json_t *doc = err ? NULL : rt_ray_json(a, "/api/serve/applications/", &e), *app;
    const char *name;
    const json_t *controller = json_object_get(doc, "controller_info");
    json_object_foreach(json_object_get(doc, "applications"), name, app) add_application(o, name, app, controller);
    json_decref(doc);
    deliver(o, sizeof(struct rt_serve), e.code ? &e : NULL);
}

static void start_serve(struct rows *o) {
    const struct rt_ray_call c = {.route = "/api/serve/applications/", .timeout_ms = 30000};
    o->get = rt_ray_send(o->ray, &c, got_serve, o);
}

struct rt_op *rt_ray_rows(struct rt_ray *r, enum rt_topic topic, rt_ray_rows_fn *fn, void *ctx) {
    struct rows *o = RT_NEW(struct rows);
    o->op.cancel = rows_cancel;
    o->ray = r;
    o->arena = rt_arena_create();
    o->fn = fn;
    o->ctx = ctx;
    for (size_t i = 0; i < RT_COUNT(kinds); i++)
        if (kinds[i].topic == topic)
            o->kind = &kinds[i];
    if (o->kind)
        start_path(o);
    else
        start_serve(o);
    return &o->op;
}
