/* One call in flight.
 *
 * Starting something gives a `struct rt_op *`. Its callback runs exactly once, later, on the loop
 * thread, never inside the call that started it. rt_op_cancel ends it silently: the callback does not
 * run, and its memory is gone when cancel returns. The owner keeps the pointer and clears it first
 * thing in the callback; closing anything is then: cancel what is in flight, free. */
#ifndef RT_NET_OP_H
#define RT_NET_OP_H

/* What an implementation puts first in its own struct. */
struct rt_op {
    void (*cancel)(struct rt_op *op); /* frees op */
};

static inline void rt_op_cancel(struct rt_op *op) {
    if (op)
        op->cancel(op);
}

/* Cancels what *op holds and clears it. */
static inline void rt_op_drop(struct rt_op **op) {
    struct rt_op *o = *op;
    *op = 0;
    rt_op_cancel(o);
}

#endif
