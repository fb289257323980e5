/* The last known state of a cluster as JSON: bounded, without anybody's env_vars. */
#include "core/snapshot.h"

#include "base/fs.h"
#include "base/str.h"
#include "core/cells.h"
#include "core/journal.h"
#include "core/store_impl.h"
#include "net/loop.h"
#include <stdlib.h>

#define SCHEMA 1
#define JOBS_KEPT 1000
#define NODES_KEPT 5000
#define MESSAGE_KEPT                                                                               \
    1500 /* bytes of a job's message, from its end: that is where the reason stands */
#define FILE_MAX (64 * RT_MIB)

static const enum rt_topic topics[] = {RT_T_CLUSTER, RT_T_NODES, RT_T_POOLS, RT_T_JOBS};

/* ---- saving ---- */

static json_t *amounts_json(const struct rt_amounts *l) {
    json_t *list = json_array();
    for (size_t i = 0; i < l->n; i++) {
        json_t *one = json_object();
        rt_put_text(one, "name", l->v[i].name);
        rt_put_f64(one, "used", l->v[i].used);
        rt_put_f64(one, "total", l->v[i].total);
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *gpus_json(const struct rt_node *n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n->ngpus; i++) {
        json_t *g = json_object();
        rt_put_text(g, "name", n->gpus[i].name);
        rt_put_f64(g, "percent", n->gpus[i].percent);
        rt_put_f64(g, "mem_used", n->gpus[i].mem_used_bytes);
        rt_put_f64(g, "mem_total", n->gpus[i].mem_total_bytes);
        json_array_append_new(list, g);
    }
    return list;
}

static json_t *node_json(const struct rt_node *n) {
    json_t *o = json_object();
    rt_put_text(o, "id", n->id);
    rt_put_text(o, "ip", n->ip);
    rt_put_text(o, "name", n->name);
    rt_put_text(o, "hostname", n->hostname);
    rt_put_text(o, "state", n->state);
    rt_put_text(o, "state_message", n->state_message);
    rt_put_text(o, "pool", n->pool);
    rt_put_text(o, "instance_id", n->instance_id);
    rt_put_text(o, "instance_type", n->instance_type);
    rt_put_bool(o, "head", n->head);
    rt_put_bool(o, "alive", n->alive);
    rt_put_i64(o, "start_ms", n->start_ms);
    rt_put_i64(o, "end_ms", n->end_ms);
    json_object_set_new(o, "amounts", amounts_json(&n->amounts));
    rt_put_kvs(o, "labels", &n->labels);
    rt_put_f64(o, "cpu_percent", n->cpu_percent);
    rt_put_i64(o, "cpus", n->cpus);
    rt_put_f64(o, "mem_used", n->mem_used_bytes);
    rt_put_f64(o, "mem_total", n->mem_total_bytes);
    rt_put_f64(o, "disk_used", n->disk_used_bytes);
    rt_put_f64(o, "disk_total", n->disk_total_bytes);
    rt_put_f64(o, "store_used", n->store_used_bytes);
    rt_put_f64(o, "store_total", n->store_total_bytes);
    rt_put_f64(o, "net_in", n->net_in_bps);
    rt_put_f64(o, "net_out", n->net_out_bps);
    json_object_set_new(o, "gpus", gpus_json(n));
    rt_put_i64(o, "workers", n->workers);
    rt_put_i64(o, "idle_ms", n->idle_ms);
    return o;
}

static json_t *pool_json(const struct rt_pool *p) {
    json_t *o = json_object();
    rt_put_text(o, "name", p->name);
    rt_put_text(o, "kind", p->kind);
    rt_put_text(o, "why", p->why);
    rt_put_i64(o, "min", p->min);
    rt_put_i64(o, "desired", p->desired);
    rt_put_i64(o, "max", p->max);
    rt_put_i64(o, "ready", p->ready);
    rt_put_i64(o, "pending", p->pending);
    rt_put_i64(o, "failed", p->failed);
    rt_put_bool(o, "head", p->head);
    rt_put_bool(o, "scalable", p->scalable);
    json_object_set_new(o, "per_node", amounts_json(&p->per_node));
    return o;
}

static bool continues(char c) {
    return ((unsigned char)c & 0xC0) == 0x80; /* in the middle of a UTF-8 sequence */
}

/* The first line and the end of a long message. */
static void put_message(json_t *o, const char *message) {
    size_t n = message ? strlen(message) : 0;
    if (n <= 2 * MESSAGE_KEPT) {
        rt_put_text(o, "message", message);
        return;
    }
    size_t first = RT_MIN(strcspn(message, "\n"), (size_t)MESSAGE_KEPT);
    const char *tail = message + n - MESSAGE_KEPT;
    while (first && continues(message[first]))
        first--;
    while (continues(*tail))
        tail++;
    char *text = rt_strf("%.*s\n…%s", (int)first, message, tail);
    rt_put_text(o, "message", text);
    free(text);
}

/* Without env_vars: what was in clear in a job does not come to lie on a disk. */
static void put_runtime_env(json_t *o, const char *text) {
    json_t *env = text ? json_loads(text, 0, NULL) : NULL;
    json_object_del(env, "env_vars");
    char *rest = env && json_object_size(env) ? json_dumps(env, JSON_COMPACT) : NULL;
    rt_put_text(o, "runtime_env", rest);
    free(rest);
    json_decref(env);
}

static json_t *job_json(const struct rt_job *j) {
    json_t *o = json_object();
    rt_put_text(o, "id", j->id);
    rt_put_text(o, "submission_id", j->submission_id);
    rt_put_text(o, "job_id", j->job_id);
    rt_put_text(o, "type", j->type);
    rt_put_text(o, "status", rt_job_status_names[j->status]);
    rt_put_text(o, "status_text", j->status_text);
    rt_put_text(o, "entrypoint", j->entrypoint);
    put_message(o, j->message);
    rt_put_text(o, "error_type", j->error_type);
    rt_put_i64(o, "start_ms", j->start_ms);
    rt_put_i64(o, "end_ms", j->end_ms);
    rt_put_kvs(o, "metadata", &j->metadata);
    put_runtime_env(o, j->runtime_env);
    rt_put_text(o, "driver_node_id", j->driver_node_id);
    rt_put_text(o, "driver_ip", j->driver_ip);
    rt_put_text(o, "driver_pid", j->driver_pid);
    rt_put_i64(o, "exit_code", j->driver_exit_code);
    return o;
}

static int newest_first(const void *a, const void *b) {
    return rt_order_i64((*(const struct rt_job *const *)b)->start_ms,
                        (*(const struct rt_job *const *)a)->start_ms);
}

static int put(const char *data, size_t n, void *out) {
    rt_buf_add(out, data, n);
    return 0;
}

/* Written row by row: the JSON of all rows at once would stay with the process, in pieces. */
static void add_row(struct rt_buf *out, size_t i, json_t *row) {
    if (i)
        rt_buf_addc(out, ',');
    (void)json_dump_callback(row, put, out, JSON_COMPACT);
    json_decref(row);
}

static void add_jobs(struct rt_buf *out, const rt_jobs *b) {
    const struct rt_job **order = rt_alloc((b->n + 1) * sizeof(struct rt_job *));
    for (size_t i = 0; i < b->n; i++)
        order[i] = &b->v[i];
    qsort(order, b->n, sizeof(struct rt_job *), newest_first);
    for (size_t i = 0; i < RT_MIN(b->n, (size_t)JOBS_KEPT); i++)
        add_row(out, i, job_json(order[i]));
    free(order);
}

static json_t *head_json(const struct rt_cluster *c) {
    json_t *o = json_object(), *at = json_object();
    for (size_t i = 0; i < RT_COUNT(topics); i++)
        rt_put_time(at, rt_topic_name(topics[i]), c->fresh[topics[i]].at_ms);
    json_object_set_new(o, "schema", json_integer(SCHEMA));
    rt_put_text(o, "name", c->name);
    rt_put_text(o, "state", rt_cluster_state_name(c->state));
    rt_put_text(o, "ray_version", c->ray_version);
    rt_put_text(o, "python_version", c->python_version);
    rt_put_text(o, "session_name", c->session_name);
    json_object_set_new(o, "at_ms", at);
    rt_put_i64(o, "jobs_total", (int64_t)RT_MAX(c->jobs.n, c->jobs.total));
    return o;
}

bool rt_snapshot_save(const struct rt_cluster *c, struct rt_error *err) {
    struct rt_buf text;
    rt_buf_init(&text, 0);
    add_row(&text, 0, head_json(c));
    text.len--; /* it goes on behind its brace */
    rt_buf_adds(&text, ",\"nodes\":[");
    for (size_t i = 0; i < RT_MIN(c->nodes.n, (size_t)NODES_KEPT); i++)
        add_row(&text, i, node_json(&c->nodes.v[i]));
    rt_buf_adds(&text, "],\"pools\":[");
    for (size_t i = 0; i < c->pools.n; i++)
        add_row(&text, i, pool_json(&c->pools.v[i]));
    rt_buf_adds(&text, "],\"jobs\":[");
    add_jobs(&text, &c->jobs);
    rt_buf_adds(&text, "]}");
    char *path = rt_cluster_path(c->name, "snapshot.json");
    const bool ok = rt_file_write(path, rt_buf_str(&text), text.len, err);
    rt_buf_deinit(&text);
    free(path);
    return ok || rt_error_wrap(err, "last known state of %s", c->name);
}

/* ---- loading ---- */

/* clang-format off */
#define N(member) .off = offsetof(struct rt_node, member)
static const struct rt_field node_fields[] = {
    {.key = "id", N(id), .type = RT_F_STR, .required = true},
    {.key = "ip", N(ip), .type = RT_F_STR},
    {.key = "name", N(name), .type = RT_F_STR},
    {.key = "hostname", N(hostname), .type = RT_F_STR},
    {.key = "state", N(state), .type = RT_F_STR},
    {.key = "state_message", N(state_message), .type = RT_F_STR},
    {.key = "pool", N(pool), .type = RT_F_STR},
    {.key = "instance_id", N(instance_id), .type = RT_F_STR},
    {.key = "instance_type", N(instance_type), .type = RT_F_STR},
    {.key = "head", N(head), .type = RT_F_BOOL},
    {.key = "alive", N(alive), .type = RT_F_BOOL},
    {.key = "start_ms", N(start_ms), .type = RT_F_I64, .absent = -1},
    {.key = "end_ms", N(end_ms), .type = RT_F_I64, .absent = -1},
    {.key = "labels", N(labels), .type = RT_F_KV},
    {.key = "cpu_percent", N(cpu_percent), .type = RT_F_F64, .absent = -1},
    {.key = "cpus", N(cpus), .type = RT_F_I64, .absent = -1},
    {.key = "mem_used", N(mem_used_bytes), .type = RT_F_F64, .absent = -1},
    {.key = "mem_total", N(mem_total_bytes), .type = RT_F_F64, .absent = -1},
    {.key = "disk_used", N(disk_used_bytes), .type = RT_F_F64, .absent = -1},
    {.key = "disk_total", N(disk_total_bytes), .type = RT_F_F64, .absent = -1},
    {.key = "store_used", N(store_used_bytes), .type = RT_F_F64, .absent = -1},
    {.key = "store_total", N(store_total_bytes), .type = RT_F_F64, .absent = -1},
    {.key = "net_in", N(net_in_bps), .type = RT_F_F64, .absent = -1},
    {.key = "net_out", N(net_out_bps), .type = RT_F_F64, .absent = -1},
    {.key = "workers", N(workers), .type = RT_F_I64, .absent = -1},
    {.key = "idle_ms", N(idle_ms), .type = RT_F_I64, .absent = -1},
    {0},
};
/* clang-format on */

/* clang-format off */
#define P(member) .off = offsetof(struct rt_pool, member)
static const struct rt_field pool_fields[] = {
    {.key = "name", P(name), .type = RT_F_STR, .required = true},
    {.key = "kind", P(kind), .type = RT_F_STR},
    {.key = "why", P(why), .type = RT_F_STR},
    {.key = "min", P(min), .type = RT_F_I64, .absent = -1},
    {.key = "desired", P(desired), .type = RT_F_I64, .absent = -1},
    {.key = "max", P(max), .type = RT_F_I64, .absent = -1},
    {.key = "ready", P(ready), .type = RT_F_I64, .absent = -1},
    {.key = "pending", P(pending), .type = RT_F_I64, .absent = -1},
    {.key = "failed", P(failed), .type = RT_F_I64, .absent = -1},
    {.key = "head", P(head), .type = RT_F_BOOL},
    {.key = "scalable", P(scalable), .type = RT_F_BOOL},
    {0},
};
/* clang-format on */

/* clang-format off */
#define J(member) .off = offsetof(struct rt_job, member)
static const struct rt_field job_fields[] = {
    {.key = "id", J(id), .type = RT_F_STR, .required = true},
    {.key = "submission_id", J(submission_id), .type = RT_F_STR},
    {.key = "job_id", J(job_id), .type = RT_F_STR},
    {.key = "type", J(type), .type = RT_F_STR},
    {.key = "status", J(status), .type = RT_F_ENUM, .names = rt_job_status_names},
    {.key = "status_text", J(status_text), .type = RT_F_STR},
    {.key = "entrypoint", J(entrypoint), .type = RT_F_STR},
    {.key = "message", J(message), .type = RT_F_STR},
    {.key = "error_type", J(error_type), .type = RT_F_STR},
    {.key = "start_ms", J(start_ms), .type = RT_F_I64, .absent = -1},
    {.key = "end_ms", J(end_ms), .type = RT_F_I64, .absent = -1},
    {.key = "metadata", J(metadata), .type = RT_F_KV},
    {.key = "runtime_env", J(runtime_env), .type = RT_F_STR},
    {.key = "driver_node_id", J(driver_node_id), .type = RT_F_STR},
    {.key = "driver_ip", J(driver_ip), .type = RT_F_STR},
    {.key = "driver_pid", J(driver_pid), .type = RT_F_STR},
    {.key = "exit_code", J(driver_exit_code), .type = RT_F_I64, .absent = -1},
    {0},
};
/* clang-format on */

/* clang-format off */
#define A(member) .off = offsetof(struct rt_amount, member)
static const struct rt_field amount_fields[] = {
    {.key = "name", A(name), .type = RT_F_STR, .required = true},
    {.key = "used", A(used), .type = RT_F_F64, .absent = -1},
    {.key = "total", A(total), .type = RT_F_F64, .absent = -1},
    {0},
};
/* clang-format on */

/* clang-format off */
#define G(member) .off = offsetof(struct rt_gpu, member)
static const struct rt_field gpu_fields[] = {
    {.key = "name", G(name), .type = RT_F_STR},
    {.key = "percent", G(percent), .type = RT_F_F64, .absent = -1},
    {.key = "mem_used", G(mem_used_bytes), .type = RT_F_F64, .absent = -1},
    {.key = "mem_total", G(mem_total_bytes), .type = RT_F_F64, .absent = -1},
    {0},
};
/* clang-format on */

/* Decodes the elements of a list into an array of the arena; gives their number. */
static bool decode_list(const json_t *list, const struct rt_field *fields, size_t size,
                        struct rt_arena *arena, void *out, size_t *n, struct rt_error *err) {
    *n = 0;
    if (!list)
        return true;
    if (!json_is_array(list))
        return rt_error_set(err, RT_E_PROTOCOL, "a list is expected");
    size_t count = json_array_size(list);
    char *v = count ? rt_arena_alloc(arena, count * size) : NULL;
    for (size_t i = 0; i < count; i++)
        if (!rt_decode(json_array_get(list, i), fields, v + i * size, arena, err))
            return rt_error_wrap(err, "%zu", i);
    *(void **)out = v;
    *n = count;
    return true;
}

#define DECODE(list, fields, batch, err)                                                           \
    decode_list(list, fields, sizeof(*(batch)->v), (batch)->arena, &(batch)->v, &(batch)->n, err)

/* All lists, decoded before the store sees any: a damaged file leaves nothing behind. */
struct lists {
    rt_nodes nodes;
    rt_pools pools;
    rt_jobs jobs;
};

static bool decode_amounts(const json_t *list, struct rt_arena *arena, struct rt_amounts *out,
                           struct rt_error *err) {
    return decode_list(list, amount_fields, sizeof(*out->v), arena, &out->v, &out->n, err);
}

static bool decode_nodes(const json_t *list, rt_nodes *b, struct rt_error *err) {
    b->arena = rt_arena_create();
    bool ok = DECODE(list, node_fields, b, err);
    for (size_t i = 0; ok && i < b->n; i++) {
        const json_t *item = json_array_get(list, i);
        struct rt_node *n = &b->v[i];
        ok = decode_amounts(json_object_get(item, "amounts"), b->arena, &n->amounts, err) &&
             decode_list(json_object_get(item, "gpus"), gpu_fields, sizeof(*n->gpus), b->arena,
                         &n->gpus, &n->ngpus, err);
    }
    b->total = b->n;
    return ok || rt_error_wrap(err, "nodes");
}

static bool decode_pools(const json_t *list, rt_pools *b, struct rt_error *err) {
    b->arena = rt_arena_create();
    bool ok = DECODE(list, pool_fields, b, err);
    for (size_t i = 0; ok && i < b->n; i++)
        ok = decode_amounts(json_object_get(json_array_get(list, i), "per_node"), b->arena,
                            &b->v[i].per_node, err);
    b->total = b->n;
    return ok || rt_error_wrap(err, "pools");
}

static bool decode_jobs(const json_t *o, rt_jobs *b, struct rt_error *err) {
    b->arena = rt_arena_create();
    bool ok = DECODE(json_object_get(o, "jobs"), job_fields, b, err);
    json_int_t total = json_integer_value(json_object_get(o, "jobs_total"));
    b->total = total > (json_int_t)b->n ? (size_t)total : b->n;
    return ok || rt_error_wrap(err, "jobs");
}

static enum rt_cluster_state state_named(const char *name) {
    for (int s = RT_CL_UNKNOWN; s <= RT_CL_FAILED; s++)
        if (rt_streq(rt_cluster_state_name((enum rt_cluster_state)s), name))
            return (enum rt_cluster_state)s;
    return RT_CL_UNKNOWN;
}

static int64_t answered_ms(const json_t *o, enum rt_topic t) {
    return (int64_t)json_integer_value(json_object_get(json_object_get(o, "at_ms"), rt_topic_name(t)));
}

/* Each topic gets the time of its answer. */
static void stamp_topics(struct rt_store *s, struct rt_cluster *c, const json_t *o) {
    for (size_t i = 0; i < RT_COUNT(topics); i++)
        rt_store_mark_snapshot(s, c, topics[i], answered_ms(o, topics[i]));
    c->version_ms = c->ray_version ? answered_ms(o, RT_T_CLUSTER) : 0;
}

static bool load(struct rt_store *s, struct rt_cluster *c, const json_t *o, struct rt_error *err) {
    struct lists l = {0};
    if (json_integer_value(json_object_get(o, "schema")) != SCHEMA)
        return rt_error_set(err, RT_E_PROTOCOL, "of another version");
    bool ok = decode_nodes(json_object_get(o, "nodes"), &l.nodes, err) &&
              decode_pools(json_object_get(o, "pools"), &l.pools, err) &&
              decode_jobs(o, &l.jobs, err);
    if (ok) {
        rt_store_set_version(s, c, rt_json_str(o, "ray_version"), rt_json_str(o, "session_name"));
        rt_store_set_python(s, c, rt_json_str(o, "python_version"));
        rt_store_set_state(s, c, state_named(rt_json_str(o, "state")), NULL);
        if (answered_ms(o, RT_T_NODES)) /* no answer is not "none" */
            rt_store_put_nodes(s, c, &l.nodes);
        rt_store_put_pools(s, c, &l.pools);
        if (answered_ms(o, RT_T_JOBS))
            rt_store_put_jobs(s, c, &l.jobs);
        stamp_topics(s, c, o);
    }
    rt_batch_deinit(&l.nodes);
    rt_batch_deinit(&l.pools);
    rt_batch_deinit(&l.jobs);
    return ok;
}

bool rt_snapshot_load(struct rt_store *s, struct rt_cluster *c, struct rt_error *err) {
    char *path = rt_cluster_path(c->name, "snapshot.json");
    struct rt_buf text;
    rt_buf_init(&text, FILE_MAX);
    rt_error_clear(err);
    bool ok = rt_file_exists(path);
    bool there = ok;
    ok = ok && rt_file_read(path, FILE_MAX, &text, err);
    json_t *o = ok ? rt_json_parse(rt_buf_str(&text), text.len, err) : NULL;
    ok = o && load(s, c, o, err);
    if (there && !ok)
        rt_error_wrap(err, "%s", path);
    json_decref(o);
    rt_buf_deinit(&text);
    free(path);
    return ok;
}
