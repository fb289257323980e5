/* Small batches for tests of the store and of tables. */
#ifndef RT_TESTS_CORE_BATCH_H
#define RT_TESTS_CORE_BATCH_H

#include "core/store.h"

/* A batch of `count` rows of the type of the array given; strings are borrowed from the test. */
#define batch_of(batch, rows, count)                                                               \
    do {                                                                                           \
        (batch)->arena = rt_arena_create();                                                        \
        (batch)->n = (batch)->total = (count);                                                     \
        (batch)->v = rt_arena_alloc((batch)->arena, ((count) + 1) * sizeof(*(batch)->v));          \
        memcpy((batch)->v, (rows), (count) * sizeof(*(batch)->v));                                 \
    } while (0)

static inline struct rt_job job_of(const char *id, int status) {
    return (struct rt_job){.id = id,
                           .submission_id = id,
                           .type = "SUBMISSION",
                           .status = status,
                           .status_text = rt_job_status_names[status],
                           .entrypoint = "python train.py",
                           .start_ms = 1000,
                           .end_ms = -1,
                           .driver_exit_code = -1};
}

static inline struct rt_node node_of(const char *id, const char *ip, const char *pool) {
    return (struct rt_node){.id = id,
                            .ip = ip,
                            .name = ip,
                            .state = "ALIVE",
                            .alive = true,
                            .pool = pool,
                            .start_ms = 1000,
                            .cpu_percent = -1,
                            .cpus = -1,
                            .mem_used_bytes = -1,
                            .mem_total_bytes = -1,
                            .disk_used_bytes = -1,
                            .disk_total_bytes = -1,
                            .store_used_bytes = -1,
                            .store_total_bytes = -1,
                            .net_in_bps = -1,
                            .net_out_bps = -1,
                            .workers = -1,
                            .idle_ms = -1};
}

#endif
