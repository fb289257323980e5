/* A row of /nodes?view=summary: physical usage of one machine, in lists of numbers whose place is
 * their meaning. Everything may be missing while a node starts. */
#include "ray/summary.h"

#include <math.h>
#include <string.h>

static double number(const json_t *v) {
    if (json_is_number(v)) {
        const double d = json_number_value(v);
        return isfinite(d) && d >= 0 ? d : -1;
    }
    double d = -1;
    return json_is_string(v) && rt_parse_f64(json_string_value(v), &d) && d >= 0 ? d : -1;
}

static double item(const json_t *list, size_t i) {
    return json_is_array(list) ? number(json_array_get(list, i)) : -1;
}

static int64_t whole(const json_t *v) {
    const double d = number(v);
    return d >= 0 && d < 9e15 ? (int64_t)d : -1;
}

static const char *text(const json_t *v, const char *path, struct rt_arena *arena) {
    const char *s = rt_json_str(v, path);
    return s && *s ? rt_arena_strdup(arena, s) : NULL;
}

/* "/" where there is one, else the first: the others are usually the same disk seen from elsewhere.
 */
static void read_disk(const json_t *disk, struct rt_summary *s) {
    const json_t *d = json_object_get(disk, "/");
    if (!d && json_is_object(disk)) {
        void *first = json_object_iter((json_t *)(uintptr_t)disk);
        d = first ? json_object_iter_value(first) : NULL;
    }
    s->node.disk_total_bytes = number(json_object_get(d, "total"));
    s->node.disk_used_bytes = number(json_object_get(d, "used"));
}

/* total, available, percent, used: the last one is missing in old Rays. */
static void read_memory(const json_t *mem, struct rt_summary *s) {
    const double total = item(mem, 0), available = item(mem, 1), used = item(mem, 3);
    s->node.mem_total_bytes = total;
    s->node.mem_used_bytes = used >= 0 ? used
                             : total >= 0 && available >= 0 && available <= total
                                 ? total - available
                                 : -1;
}

static double first_of(const json_t *v, const char *a, const char *b) {
    const json_t *x = json_object_get(v, a);
    return number(x ? x : json_object_get(v, b));
}

static double mib(double v) {
    return v < 0 ? -1 : v * (double)RT_MIB;
}

static void read_gpus(const json_t *gpus, struct rt_summary *s, struct rt_arena *arena) {
    const size_t n = RT_MIN(json_array_size(gpus), (size_t)64);
    if (n == 0)
        return;
    s->node.gpus = rt_arena_alloc(arena, n * sizeof(*s->node.gpus));
    for (size_t i = 0; i < n; i++) {
        const json_t *g = json_array_get(gpus, i);
        s->node.gpus[s->node.ngpus++] = (struct rt_gpu){
            .name = text(g, "name", arena),
            .percent = first_of(g, "utilizationGpu", "utilization_gpu"),
            .mem_used_bytes = mib(first_of(g, "memoryUsed", "memory_used")),
            .mem_total_bytes = mib(first_of(g, "memoryTotal", "memory_total")),
        };
    }
}

/* The object store's size is what it uses and what it has left. */
static void read_store(const json_t *raylet, struct rt_summary *s) {
    const double used = number(json_object_get(raylet, "objectStoreUsedMemory"));
    const double left = number(json_object_get(raylet, "objectStoreAvailableMemory"));
    s->node.store_used_bytes = used;
    s->node.store_total_bytes = used >= 0 && left >= 0 ? used + left : -1;
}

/* 0 stands for "did not say", -1 for "could not bind". */
static int read_port(const json_t *v) {
    const int64_t port = whole(v);
    return port > 0 && port < 65536 ? (int)port : 0;
}

void rt_summary_unknown(struct rt_node *n) {
    n->cpu_percent = n->mem_used_bytes = n->mem_total_bytes = n->disk_used_bytes =
        n->disk_total_bytes = -1;
    n->store_used_bytes = n->store_total_bytes = n->net_in_bps = n->net_out_bps = -1;
    n->cpus = n->workers = n->idle_ms = -1;
}

bool rt_summary_decode(const json_t *v, struct rt_summary *s, struct rt_arena *arena,
                       struct rt_error *err) {
    *s = (struct rt_summary){0};
    rt_summary_unknown(&s->node);
    const json_t *raylet = json_object_get(v, "raylet");
    s->node.id = text(raylet, "nodeId", arena);
    if (!s->node.id)
        return rt_error_set(err, RT_E_PROTOCOL, "raylet.nodeId is missing");
    s->node.hostname = text(v, "hostname", arena);
    s->node.instance_id = text(raylet, "instanceId", arena);
    s->node.instance_type = text(raylet, "instanceTypeName", arena);
    s->node_type = text(raylet, "nodeTypeName", arena);
    if (rt_streq(rt_json_str(raylet, "state"), "DEAD"))
        return true; /* its last numbers stay frozen in the answer: they are not the truth any more
                      */
    s->node.cpu_percent = number(json_object_get(v, "cpu"));
    const double cpus = item(json_object_get(v, "cpus"), 0);
    s->node.cpus = cpus >= 0 && cpus < 1e6 ? (int64_t)cpus : -1;
    read_memory(json_object_get(v, "mem"), s);
    read_disk(json_object_get(v, "disk"), s);
    read_store(raylet, s);
    s->node.net_out_bps = item(json_object_get(v, "networkSpeed"), 0);
    s->node.net_in_bps = item(json_object_get(v, "networkSpeed"), 1);
    read_gpus(json_object_get(v, "gpus"), s, arena);
    s->node.workers = whole(json_object_get(raylet, "numWorkers"));
    s->node.idle_ms = whole(rt_json_at(raylet, "stateSnapshot.idleDurationMs"));
    s->node.agent_port = read_port(json_object_get(raylet, "dashboardAgentListenPort"));
    return true;
}
