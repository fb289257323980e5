/* Actions that take time: steps, progress, output, cancel, result. Listed under @; output is kept in
 * STATE/clusters/NAME/op-ID.log. Loop thread only. */
#ifndef RT_CORE_OPERATION_H
#define RT_CORE_OPERATION_H

#include "core/store.h"
#include "net/loop.h"

enum rt_op_state { RT_OPS_RUNNING, RT_OPS_DONE, RT_OPS_FAILED, RT_OPS_CANCELLED };

struct rt_step {
    char *subject; /* host, node; NULL */
    char *title;   /* "installing ray 2.60.0" */
    enum rt_op_state state;
    int64_t start_ms, end_ms; /* wall; end 0 while running */
    char *last_line;          /* last line of its output, clean; NULL */
    int64_t done, total;      /* progress; total 0: unknown */
};

struct rt_operations; /* the list */

/* Read by views; changed only through the functions below. */
struct rt_operation {
    char id[24];
    char *verb, *cluster, *title; /* "scale", "lab", "scale workers to 3" */
    enum rt_op_state state;
    int64_t start_ms, end_ms; /* wall */
    struct rt_step *steps;
    size_t nsteps;
    struct rt_error error;
    char *result;      /* one line when done; NULL */
    char *log_path;
    bool cancelling;
    bool leaving;      /* cancelled because the program ends: what runs outside of it goes on */
    struct rt_operations *list;
    struct rt_operation_private *priv;
};

struct rt_operations *rt_operations_create(struct rt_loop *l, struct rt_store *s);
void rt_operations_destroy(struct rt_operations *o); /* running ones are cancelled, marked as leaving */
size_t rt_operations_count(const struct rt_operations *o);
struct rt_operation *rt_operations_at(const struct rt_operations *o, size_t i); /* newest first */
struct rt_operation *rt_operations_find(const struct rt_operations *o, const char *id);
size_t rt_operations_running(const struct rt_operations *o);
struct rt_operations *rt_store_operations(const struct rt_store *s); /* what was created for the store */

/* Starts one; `cancel` is called once when somebody asks to stop it (it must still end with finish). */
typedef void rt_operation_cancel_fn(void *ctx);
struct rt_operation *rt_operation_start(struct rt_operations *o, const char *verb, const char *cluster, const char *title,
                                        rt_operation_cancel_fn *cancel, void *ctx);
/* Runs once when it ends, later. */
typedef void rt_operation_done_fn(void *ctx, struct rt_operation *op);
void rt_operation_on_done(struct rt_operation *op, rt_operation_done_fn *fn, void *ctx);
/* Runs at every change (step, line, progress) for the command line's progress. */
void rt_operation_on_change(struct rt_operation *op, rt_operation_done_fn *fn, void *ctx);
/* Whoever listens with this ctx is told nothing any more. */
void rt_operation_ignore(struct rt_operation *op, const void *ctx);
/* Begins a step; gives its index. */
size_t rt_operation_step(struct rt_operation *op, const char *subject, const char *fmt, ...) RT_PRINTF(3, 4);
void rt_operation_step_end(struct rt_operation *op, size_t step, const struct rt_error *err); /* NULL: done */
void rt_operation_progress(struct rt_operation *op, size_t step, int64_t done, int64_t total);
void rt_operation_output(struct rt_operation *op, size_t step, const char *data, size_t n); /* raw bytes */
/* err NULL: done. Running steps end with it. The operation stays in the list (the last 100 do). */
void rt_operation_finish(struct rt_operation *op, const struct rt_error *err, const char *result);
void rt_operation_cancel(struct rt_operation *op);
/* Again as it was asked: what `r` in @ does; NULL when it cannot. Set by whoever starts it. */
void rt_operation_set_retry(struct rt_operation *op, const char *command_line);
const char *rt_operation_retry_line(const struct rt_operation *op);

#endif
