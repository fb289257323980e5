/* Rings of samples, by cluster and node. */
#include "core/history.h"

#include "base/buf.h"
#include "base/map.h"
#include "base/str.h"
#include "net/loop.h"
#include <stdlib.h>

#define UNKNOWN 255
#define FULL 200 /* shares are kept in half percents */
#define SHARES RT_M_NET_IN

struct ring {
    int64_t step; /* the newest one, in steps since the epoch; 0: empty */
    uint8_t share[SHARES][RT_HISTORY_SAMPLES];
    float net[RT_M_COUNT - SHARES][RT_HISTORY_SAMPLES];
};

struct rt_history {
    struct rt_store *store;
    struct rt_map rings; /* "cluster/node", "cluster/" */
};

const char *rt_measure_name(enum rt_measure m) {
    static const char *const names[] = {"cpu", "memory", "gpu", "object store", "disk", "network in", "network out"};
    return m < RT_M_COUNT ? names[m] : "";
}

/* ---- what a node does ---- */

static double share(double used, double total) {
    return used >= 0 && total > 0 ? RT_MIN(used / total, 1) : -1;
}

static double claimed(const struct rt_node *n, const char *name) {
    const struct rt_amount *a = rt_amounts_get(&n->amounts, name);
    return a ? share(a->used, a->total) : -1;
}

static double gpu_share(const struct rt_node *n) {
    double sum = 0;
    size_t known = 0;
    for (size_t i = 0; i < n->ngpus; i++)
        if (n->gpus[i].percent >= 0) {
            sum += n->gpus[i].percent;
            known++;
        }
    return known ? RT_MIN(sum / 100 / (double)known, 1) : claimed(n, "GPU");
}

double rt_node_measure(const struct rt_node *n, enum rt_measure m) {
    switch (m) {
    case RT_M_CPU:
        return n->cpu_percent >= 0 ? RT_MIN(n->cpu_percent / 100, 1) : claimed(n, "CPU");
    case RT_M_MEMORY:
        return share(n->mem_used_bytes, n->mem_total_bytes);
    case RT_M_GPU:
        return gpu_share(n);
    case RT_M_STORE:
        return share(n->store_used_bytes, n->store_total_bytes);
    case RT_M_DISK:
        return share(n->disk_used_bytes, n->disk_total_bytes);
    case RT_M_NET_IN:
        return n->net_in_bps;
    case RT_M_NET_OUT:
        return n->net_out_bps;
    case RT_M_COUNT:
        break;
    }
    return -1;
}

static double cluster_measure(const struct rt_cluster *c, enum rt_measure m) {
    const struct rt_totals t = rt_cluster_totals(c);
    double sum = -1;
    switch (m) {
    case RT_M_CPU:
        return share(t.cpu_used, t.cpu_total);
    case RT_M_GPU:
        return share(t.gpu_used, t.gpu_total);
    case RT_M_MEMORY:
        return share(t.mem_used_bytes, t.mem_total_bytes);
    case RT_M_NET_IN:
    case RT_M_NET_OUT:
        for (size_t i = 0; i < c->nodes.n; i++) {
            const double v = c->nodes.v[i].alive ? rt_node_measure(&c->nodes.v[i], m) : -1;
            if (v >= 0)
                sum = RT_MAX(sum, 0) + v;
        }
        return sum;
    case RT_M_STORE:
    case RT_M_DISK:
    case RT_M_COUNT:
        break;
    }
    return -1;
}

/* ---- rings ---- */

static struct ring *ring_of(struct rt_history *h, const char *cluster, const char *node) {
    char *key = rt_strf("%s/%s", cluster, node);
    struct ring *r = rt_map_get(&h->rings, key);
    if (!r && h->rings.n < RT_HISTORY_NODES) {
        r = RT_NEW(struct ring);
        rt_map_set(&h->rings, key, r);
    }
    free(key);
    return r;
}

static void blank(struct ring *r, size_t at) {
    for (int m = 0; m < SHARES; m++)
        r->share[m][at] = UNKNOWN;
    for (int m = 0; m < RT_M_COUNT - SHARES; m++)
        r->net[m][at] = -1;
}

/* Steps in which nothing was heard stay unknown. False: the clock was set back a little, what is known stands. After a
 * leap back all begins anew. */
static bool advance(struct ring *r, int64_t step) {
    if (step < r->step && r->step - step < RT_HISTORY_SAMPLES)
        return false;
    if (step < r->step)
        r->step = 0;
    const int64_t gap = RT_MIN(step - r->step, RT_HISTORY_SAMPLES);
    for (int64_t i = 0; i < gap; i++)
        blank(r, (size_t)((step - i) % RT_HISTORY_SAMPLES));
    r->step = step;
    return true;
}

static void keep(struct ring *r, size_t at, enum rt_measure m, double v) {
    if (m >= SHARES)
        r->net[m - SHARES][at] = (float)RT_MIN(v, 1e30);
    else
        r->share[m][at] = v < 0 ? UNKNOWN : (uint8_t)(RT_MIN(v, 1) * FULL + 0.5);
}

static double kept(const struct ring *r, size_t at, enum rt_measure m) {
    if (m >= SHARES)
        return (double)r->net[m - SHARES][at];
    return r->share[m][at] == UNKNOWN ? -1 : (double)r->share[m][at] / FULL;
}

void rt_history_sample(struct rt_history *h, const struct rt_cluster *c, int64_t now_ms) {
    const int64_t step = now_ms / RT_HISTORY_STEP_MS;
    const size_t at = (size_t)(step % RT_HISTORY_SAMPLES);
    struct ring *r = ring_of(h, c->name, "");
    if (r && advance(r, step))
        for (int m = 0; m < RT_M_COUNT; m++)
            keep(r, at, (enum rt_measure)m, cluster_measure(c, (enum rt_measure)m));
    for (size_t i = 0; i < c->nodes.n; i++) {
        const struct rt_node *n = &c->nodes.v[i];
        r = n->alive ? ring_of(h, c->name, n->id) : NULL;
        if (r && advance(r, step))
            for (int m = 0; m < RT_M_COUNT; m++)
                keep(r, at, (enum rt_measure)m, rt_node_measure(n, (enum rt_measure)m));
    }
}

/* Takes away what is too old to be shown; of one cluster, or (NULL) of none in particular. */
static void sweep(struct rt_history *h, const char *cluster, int64_t oldest) {
    struct rt_strs old = {0};
    const size_t len = cluster ? strlen(cluster) : 0;
    size_t it = 0;
    const char *key;
    void *value;
    while (rt_map_next(&h->rings, &it, &key, &value)) {
        const struct ring *r = value;
        const bool of_it = cluster && strncmp(key, cluster, len) == 0 && key[len] == '/';
        if (cluster ? of_it : r->step < oldest)
            rt_strs_add(&old, key);
    }
    for (size_t i = 0; i < old.n; i++)
        free(rt_map_remove(&h->rings, old.v[i]));
    rt_strs_deinit(&old);
}

static void on_store(void *ctx, struct rt_cluster *c, enum rt_topic t) {
    struct rt_history *h = ctx;
    if (!c)
        return;
    if (t == RT_T_CLUSTER && !rt_store_cluster(h->store, c->name)) {
        sweep(h, c->name, 0);
        return;
    }
    if (t != RT_T_NODES || c->fresh[RT_T_NODES].from_snapshot || c->fresh[RT_T_NODES].error.code)
        return;
    const int64_t now = rt_wall_ms();
    if (h->rings.n > RT_HISTORY_NODES / 2)
        sweep(h, NULL, now / RT_HISTORY_STEP_MS - RT_HISTORY_SAMPLES);
    rt_history_sample(h, c, now);
}

struct rt_history *rt_history_create(struct rt_store *s) {
    struct rt_history *h = RT_NEW(struct rt_history);
    h->store = s;
    rt_map_init(&h->rings, false);
    rt_store_watch(s, on_store, h);
    return h;
}

void rt_history_destroy(struct rt_history *h) {
    size_t it = 0;
    const char *key;
    void *value;
    if (!h)
        return;
    rt_store_unwatch(h->store, on_store, h);
    while (rt_map_next(&h->rings, &it, &key, &value))
        free(value);
    rt_map_deinit(&h->rings);
    free(h);
}

bool rt_history_get(const struct rt_history *h, const char *cluster, const char *node, enum rt_measure m, int64_t now_ms,
                    double out[RT_HISTORY_SAMPLES]) {
    char *key = rt_strf("%s/%s", cluster, node ? node : "");
    const struct ring *r = h ? rt_map_get(&h->rings, key) : NULL;
    const int64_t last = now_ms / RT_HISTORY_STEP_MS;
    bool known = false;
    free(key);
    for (int64_t i = 0; i < RT_HISTORY_SAMPLES; i++) {
        const int64_t step = last - RT_HISTORY_SAMPLES + 1 + i;
        const bool there = r && step <= r->step && step > r->step - RT_HISTORY_SAMPLES && r->step > 0;
        out[i] = there ? kept(r, (size_t)(step % RT_HISTORY_SAMPLES), m) : -1;
        known = known || out[i] >= 0;
    }
    return known;
}

/* ---- as text ---- */

const char *rt_height(double share_of_one, bool ascii) {
    static const char *const bars[] = {"▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"};
    static const char *const digits[] = {"0", "1", "2", "3", "4", "5", "6", "7", "8", "9"};
    const double v = RT_MAX(RT_MIN(share_of_one, 1), 0);
    if (ascii)
        return digits[RT_MIN((size_t)(v * 10), (size_t)9)];
    return bars[RT_MIN((size_t)(v * 8), (size_t)7)];
}

void rt_sparkline(struct rt_buf *out, const double *v, size_t n, double max, int cols, bool ascii) {
    const size_t from = (size_t)RT_MAX((int64_t)n - cols, 0);
    double top = max;
    for (size_t i = from; max <= 0 && i < n; i++)
        top = RT_MAX(top, v[i]);
    for (size_t i = from; i < n; i++)
        rt_buf_adds(out, v[i] < 0 ? " " : rt_height(top > 0 ? v[i] / top : 0, ascii));
}
