/* Nodes as a table. */
#include "core/cells.h"
#include "core/table.h"

#define STORE_FULL 0.9 /* above it, and a disk above it, a node wants an eye */

static const struct rt_node *node(const void *row) {
    return row;
}

static bool fuller_than(double used, double total, double share) {
    return used >= 0 && total > 0 && used > total * share;
}

/* ---- cells ---- */

#define TEXT_CELL(fn, value)                                                                       \
    static void fn(struct rt_buf *out, const void *row, const struct rt_row_env *env) {            \
        (void)env;                                                                                 \
        rt_cell_text(out, value);                                                                  \
    }
TEXT_CELL(name_text, rt_node_name(node(row)))
TEXT_CELL(state_text, node(row)->state)
TEXT_CELL(pool_text, node(row)->pool)
TEXT_CELL(ip_text, node(row)->ip)
TEXT_CELL(id_text, node(row)->id)
TEXT_CELL(host_text, node(row)->hostname)
TEXT_CELL(type_text, node(row)->instance_type)

/* "object store 94 % full, disk 97 % full"; appends, nothing when nothing is. */
static void add_full(struct rt_buf *out, const struct rt_node *n) {
    const struct {
        const char *what;
        double used, total;
    } all[] = {{"object store", n->store_used_bytes, n->store_total_bytes},
               {"disk", n->disk_used_bytes, n->disk_total_bytes},
               {"memory", n->mem_used_bytes, n->mem_total_bytes}};
    const char *between = "";
    for (size_t i = 0; n->alive && i < RT_COUNT(all); i++) {
        if (!fuller_than(all[i].used, all[i].total, STORE_FULL))
            continue;
        rt_buf_addf(out, "%s%s %.0f %% full", between, all[i].what, 100 * all[i].used / all[i].total);
        between = ", ";
    }
}

static void why_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    const size_t before = out->len;
    if (!node(row)->state_message)
        add_full(out, node(row));
    if (out->len == before)
        rt_cell_text(out, node(row)->state_message);
}

static void amount_cell(struct rt_buf *out, const struct rt_node *n, const char *name) {
    const struct rt_amount *a = rt_amounts_get(&n->amounts, name);
    if (a)
        rt_cell_claims(out, n->alive ? a->used : -1, n->alive ? rt_amounts_reserved(&n->amounts, a) : 0, a->total);
    else
        rt_buf_addc(out, '-');
}

static void cpu_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    amount_cell(out, node(row), "CPU");
}

static void gpu_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    amount_cell(out, node(row), "GPU");
}

static void mem_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_bytes_of(out, node(row)->mem_used_bytes, node(row)->mem_total_bytes);
}

static void store_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_bytes_of(out, node(row)->store_used_bytes, node(row)->store_total_bytes);
}

static void disk_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_bytes_of(out, node(row)->disk_used_bytes, node(row)->disk_total_bytes);
}

static void workers_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_count(out, node(row)->workers);
}

static int64_t up_ms(const struct rt_node *n, int64_t now_ms) {
    if (n->start_ms <= 0 || (!n->alive && n->end_ms <= 0))
        return -1;
    return RT_MAX((n->alive ? now_ms : n->end_ms) - n->start_ms, 0);
}

static void up_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    rt_cell_age(out, up_ms(node(row), env->now_ms));
}

static void load_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_percent(out, node(row)->cpu_percent);
}

static void idle_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_age(out, node(row)->idle_ms);
}

static void net_text(struct rt_buf *out, const void *row, const struct rt_row_env *env) {
    (void)env;
    rt_cell_bytes_of(out, node(row)->net_in_bps, node(row)->net_out_bps);
}

/* ---- order ---- */

static int by_name(const void *a, const void *b) {
    int d = rt_natcmp(rt_node_name(node(a)), rt_node_name(node(b)));
    return d ? d : rt_strcmp(node(a)->id, node(b)->id);
}

/* Those that live first, the head before its workers. */
static int by_state(const void *a, const void *b) {
    int d = (int)node(b)->alive - (int)node(a)->alive;
    if (!d)
        d = (int)node(b)->head - (int)node(a)->head;
    return d ? d : by_name(a, b);
}

static double used_of(const struct rt_node *n, const char *name) {
    const struct rt_amount *a = rt_amounts_get(&n->amounts, name);
    return a ? a->used : -1;
}

/* What is used as a share of what there is; unknown is less than nothing. */
static double share(double used, double total) {
    return used >= 0 && total > 0 ? used / total : -1;
}

#define ORDER(fn, compare)                                                                         \
    static int fn(const void *a, const void *b) {                                                  \
        int d = compare;                                                                           \
        return d ? d : by_name(a, b);                                                              \
    }
#define SHARE_ORDER(fn, used, total)                                                               \
    ORDER(fn, rt_order_f64(share(node(a)->used, node(a)->total),                                   \
                           share(node(b)->used, node(b)->total)))
ORDER(by_pool, rt_natcmp(node(a)->pool, node(b)->pool))
ORDER(by_cpu, rt_order_f64(used_of(node(a), "CPU"), used_of(node(b), "CPU")))
ORDER(by_gpu, rt_order_f64(used_of(node(a), "GPU"), used_of(node(b), "GPU")))
SHARE_ORDER(by_mem, mem_used_bytes, mem_total_bytes)
SHARE_ORDER(by_store, store_used_bytes, store_total_bytes)
SHARE_ORDER(by_disk, disk_used_bytes, disk_total_bytes)
ORDER(by_workers, rt_order_i64(node(a)->workers, node(b)->workers))
ORDER(by_start, rt_order_i64(node(b)->start_ms, node(a)->start_ms)) /* up longest is most */
ORDER(by_ip, rt_natcmp(node(a)->ip, node(b)->ip))
ORDER(by_load, rt_order_f64(node(a)->cpu_percent, node(b)->cpu_percent))
ORDER(by_idle, rt_order_i64(node(a)->idle_ms, node(b)->idle_ms))
ORDER(by_net, rt_order_f64(node(a)->net_in_bps + node(a)->net_out_bps,
                           node(b)->net_in_bps + node(b)->net_out_bps))

static int by_id(const void *a, const void *b) {
    return rt_strcmp(node(a)->id, node(b)->id);
}

/* ---- state ---- */

/* Ray's words for an end that somebody wanted: "Expected termination: …", "Terminated due to
 * preemption: …". */
static bool ended_as_asked(const struct rt_node *n) {
    return n->state_message &&
           (rt_starts(n->state_message, "Expected") || rt_starts(n->state_message, "Terminated"));
}

static enum rt_health health(const void *row, const struct rt_row_env *env) {
    (void)env;
    const struct rt_node *n = node(row);
    if (n->alive)
        return RT_H_OK;
    return ended_as_asked(n) ? RT_H_OFF : rt_streq(n->state, "DEAD") ? RT_H_BAD : RT_H_UNKNOWN;
}

static enum rt_health store_health(const void *row, const struct rt_row_env *env) {
    (void)env;
    return fuller_than(node(row)->store_used_bytes, node(row)->store_total_bytes, STORE_FULL)
               ? RT_H_WARN
               : RT_H_UNKNOWN;
}

static enum rt_health disk_health(const void *row, const struct rt_row_env *env) {
    (void)env;
    return fuller_than(node(row)->disk_used_bytes, node(row)->disk_total_bytes, STORE_FULL)
               ? RT_H_WARN
               : RT_H_UNKNOWN;
}

static enum rt_health mem_health(const void *row, const struct rt_row_env *env) {
    (void)env;
    return fuller_than(node(row)->mem_used_bytes, node(row)->mem_total_bytes, STORE_FULL)
               ? RT_H_WARN
               : RT_H_UNKNOWN;
}

static bool attention(const void *row, const struct rt_row_env *env) {
    if (!node(row)->alive)
        return health(row, env) == RT_H_BAD;
    return store_health(row, env) == RT_H_WARN || disk_health(row, env) == RT_H_WARN ||
           mem_health(row, env) == RT_H_WARN;
}

/* ---- JSON ---- */

static json_t *gpus_json(const struct rt_node *n) {
    json_t *list = json_array();
    for (size_t i = 0; i < n->ngpus; i++) {
        json_t *g = json_object();
        rt_put_text(g, "name", n->gpus[i].name);
        rt_put_f64(g, "percent", n->gpus[i].percent);
        rt_put_bytes(g, "memory_used_bytes", n->gpus[i].mem_used_bytes);
        rt_put_bytes(g, "memory_total_bytes", n->gpus[i].mem_total_bytes);
        json_array_append_new(list, g);
    }
    return list;
}

static void put_physical(json_t *o, const struct rt_node *n) {
    rt_put_i64(o, "cpus", n->cpus > 0 ? n->cpus : -1);
    rt_put_f64(o, "cpu_percent", n->cpu_percent);
    rt_put_bytes(o, "memory_used_bytes", n->mem_used_bytes);
    rt_put_bytes(o, "memory_total_bytes", n->mem_total_bytes);
    rt_put_bytes(o, "disk_used_bytes", n->disk_used_bytes);
    rt_put_bytes(o, "disk_total_bytes", n->disk_total_bytes);
    rt_put_bytes(o, "object_store_used_bytes", n->store_used_bytes);
    rt_put_bytes(o, "object_store_total_bytes", n->store_total_bytes);
    rt_put_f64(o, "network_in_bytes_per_s", n->net_in_bps);
    rt_put_f64(o, "network_out_bytes_per_s", n->net_out_bps);
    json_object_set_new(o, "gpus", gpus_json(n));
}

static void put_full(json_t *o, const struct rt_node *n) {
    struct rt_buf text;
    rt_buf_init(&text, RT_KIB);
    add_full(&text, n);
    rt_put_text(o, "full", text.len ? rt_buf_str(&text) : NULL);
    rt_buf_deinit(&text);
}

static json_t *to_json(const void *row, const struct rt_row_env *env, bool show_env) {
    (void)show_env;
    const struct rt_node *n = node(row);
    json_t *o = json_object();
    rt_put_text(o, "id", n->id);
    rt_put_text(o, "ip", n->ip);
    rt_put_text(o, "name", n->name);
    rt_put_text(o, "hostname", n->hostname);
    rt_put_text(o, "state", n->state);
    rt_put_text(o, "state_message", n->state_message);
    put_full(o, n);
    rt_put_text(o, "pool", n->pool);
    rt_put_bool(o, "head", n->head);
    rt_put_text(o, "instance_id", n->instance_id);
    rt_put_text(o, "instance_type", n->instance_type);
    rt_put_time(o, "started_ms", n->start_ms);
    rt_put_time(o, "ended_ms", n->end_ms);
    rt_put_i64(o, "up_ms", up_ms(n, env->now_ms));
    rt_put_i64(o, "idle_ms", n->idle_ms);
    rt_put_amounts(o, "resources", &n->amounts);
    rt_put_kvs(o, "labels", &n->labels);
    put_physical(o, n);
    rt_put_i64(o, "workers", n->workers);
    rt_put_i64(o, "agent_port", n->agent_port > 0 ? n->agent_port : -1);
    return o;
}

/* ---- the table ---- */

/* clang-format off */
static const struct rt_column columns[] = {
    {.id = "name", .title = "NODE", .min = 10, .want = 24, .cut = RT_CUT_MIDDLE, .grow = true, .text = name_text,
     .order = by_name},
    {.id = "state", .title = "STATE", .min = 7, .want = 8, .glyph = true, .text = state_text, .order = by_state,
     .health = health},
    {.id = "pool", .title = "POOL", .min = 5, .want = 12, .priority = 2, .text = pool_text, .order = by_pool},
    {.id = "cpu", .title = "CPU", .min = 5, .want = 9, .align = RT_RIGHT, .priority = 1, .text = cpu_text,
     .order = by_cpu},
    {.id = "gpu", .title = "GPU", .min = 3, .want = 5, .align = RT_RIGHT, .priority = 1, .text = gpu_text,
     .order = by_gpu},
    {.id = "memory", .title = "MEM", .min = 9, .want = 11, .align = RT_RIGHT, .priority = 3, .text = mem_text,
     .order = by_mem, .health = mem_health},
    {.id = "object_store", .title = "STORE", .min = 9, .want = 11, .align = RT_RIGHT, .priority = 5,
     .text = store_text, .order = by_store, .health = store_health},
    {.id = "disk", .title = "DISK", .min = 9, .want = 11, .align = RT_RIGHT, .priority = 6, .text = disk_text,
     .order = by_disk, .health = disk_health},
    {.id = "workers", .title = "PROCS", .min = 5, .want = 5, .align = RT_RIGHT, .priority = 7,
     .text = workers_text, .order = by_workers},
    {.id = "up", .title = "UP", .min = 5, .want = 7, .align = RT_RIGHT, .text = up_text, .order = by_start},
    {.id = "ip", .title = "IP", .min = 9, .want = 15, .priority = 4, .text = ip_text, .order = by_ip},
    {.id = "load", .title = "LOAD", .min = 4, .want = 4, .align = RT_RIGHT, .priority = 8, .wide = true,
     .text = load_text, .order = by_load},
    {.id = "idle", .title = "IDLE", .min = 5, .want = 7, .align = RT_RIGHT, .priority = 8, .wide = true,
     .text = idle_text, .order = by_idle},
    {.id = "network", .title = "NET IN/OUT", .min = 10, .want = 11, .align = RT_RIGHT, .priority = 9, .wide = true,
     .text = net_text, .order = by_net},
    {.id = "hostname", .title = "HOST", .min = 8, .want = 20, .cut = RT_CUT_MIDDLE, .priority = 9, .wide = true,
     .text = host_text},
    {.id = "instance_type", .title = "TYPE", .min = 6, .want = 14, .priority = 9, .wide = true, .text = type_text},
    {.id = "id", .title = "ID", .min = 9, .want = 56, .cut = RT_CUT_MIDDLE, .priority = 6, .wide = true,
     .text = id_text, .order = by_id},
    {.id = "state_message", .title = "WHY", .min = 8, .want = 40, .priority = 7, .wide = true, .text = why_text},
    {0},
};
/* clang-format on */

static size_t count(const struct rt_row_env *env) {
    return env->cluster ? env->cluster->nodes.n : 0;
}

static const void *at(const struct rt_row_env *env, size_t i) {
    return &env->cluster->nodes.v[i];
}

static const char *id(const void *row) {
    return node(row)->id;
}

const struct rt_table rt_table_nodes = {
    .name = "nodes",
    .singular = "node",
    .title = "Nodes",
    .topic = RT_T_NODES,
    .columns = columns,
    .default_sort = "state",
    .count = count,
    .at = at,
    .id = id,
    .health = health,
    .attention = attention,
    .json = to_json,
    .empty = "no nodes - the cluster has told of none yet",
};
