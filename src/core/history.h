/* The last quarter of an hour of every node and cluster: one sample each 15 seconds in a ring of fixed size,
 * 720 bytes a node. Fed by the store. Loop thread only. */
#ifndef RT_CORE_HISTORY_H
#define RT_CORE_HISTORY_H

#include "core/store.h"

#define RT_HISTORY_SAMPLES 60
#define RT_HISTORY_STEP_MS 15000
#define RT_HISTORY_NODES 20000 /* of all clusters; more are not kept */

enum rt_measure { RT_M_CPU, RT_M_MEMORY, RT_M_GPU, RT_M_STORE, RT_M_DISK, RT_M_NET_IN, RT_M_NET_OUT, RT_M_COUNT };
const char *rt_measure_name(enum rt_measure m); /* "cpu", "memory", ... */

/* What a node does now: a share of 0 to 1 (network: bytes per second); < 0 unknown. CPU and GPU are measured ones
 * where the node tells, else what is claimed of them. */
double rt_node_measure(const struct rt_node *n, enum rt_measure m);

struct rt_history;
/* Keeps the store until destroyed. */
struct rt_history *rt_history_create(struct rt_store *s);
void rt_history_destroy(struct rt_history *h); /* NULL is fine */
/* What stands in the store of this cluster becomes the sample of this moment. */
void rt_history_sample(struct rt_history *h, const struct rt_cluster *c, int64_t now_ms);

/* Oldest first, ending with the step that holds now_ms; < 0: unknown. `node` NULL: of the cluster, whose CPU, GPU
 * and memory are the sums over its nodes. False: nothing is known. */
bool rt_history_get(const struct rt_history *h, const char *cluster, const char *node, enum rt_measure m, int64_t now_ms,
                    double out[RT_HISTORY_SAMPLES]);

/* A line of `cols` bars of the newest samples; `max` <= 0: the highest of them is full. Unknown is a blank. Appends. */
struct rt_buf;
void rt_sparkline(struct rt_buf *out, const double *v, size_t n, double max, int cols, bool ascii);
/* The bar of a share: eight heights, or a digit. */
const char *rt_height(double share, bool ascii);

#endif
