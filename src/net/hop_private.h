/* What hop.c, hop_dial.c and hop_exec.c share. */
#ifndef RT_NET_HOP_PRIVATE_H
#define RT_NET_HOP_PRIVATE_H

#include "base/vec.h"
#include "net/hop.h"
#include "net/way.h"

enum { RT_HOP_WAIT_MS = 10000, RT_HOP_MAX_EXEC = 8 };

/* Something that needs the hop to be up. */
struct rt_hop_wait {
    struct rt_hop *hop;
    struct rt_timer *limit;
    bool waiting;
    bool is_exec; /* at most RT_HOP_MAX_EXEC run at once */
    struct rt_error error;
    /* err NULL: hop->way is there now. Else it will not be had. Runs inside rt_hop_await when the
     * hop is up, else later. */
    void (*go)(struct rt_hop_wait *w, const struct rt_error *err);
};

struct rt_hop {
    struct rt_loop *loop;
    struct rt_hop_opts opts; /* strings are ours; `target` is for messages only while it is `aimless` */
    bool aimless;            /* where it leads is not known yet */
    bool wanted;             /* it was opened, and was not closed since */
    struct rt_hop_status status;
    char via[400];
    char fallback[200]; /* why libssh2 was not taken */
    rt_hop_change_fn *change;
    void *ctx;
    struct rt_way *way;
    bool openssh;     /* the way is, or the next one will be, the ssh program */
    bool both_failed; /* the ssh program could not either: libssh2 may ask again */
    bool may_ask;
    struct rt_timer *retry;
    struct rt_op *notice;
    int64_t back_off_ms, up_mono_ms;
    unsigned int seed;
    RT_VEC(struct rt_hop_wait *) waits;
    RT_VEC(struct rt_op *) dials; /* streams whose descriptor was given out */
    int execs;
    struct rt_dialer dialer;
    struct rt_error dial_error;
    bool has_dial_error;
};

/* Begins to wait (and opens an idle hop). */
void rt_hop_await(struct rt_hop *h, struct rt_hop_wait *w);
void rt_hop_unwait(struct rt_hop_wait *w); /* also when it has ended */
void rt_hop_exec_done(struct rt_hop *h);
void rt_hop_dialer_init(struct rt_hop *h);
void rt_hop_drop_dials(struct rt_hop *h);

#endif
