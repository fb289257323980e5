/* How a stream to host:port is had: a hop implements it, http and forwards use it.
 *
 * `dial` gives at once one end of a socket pair (non-blocking, caller closes); the far side is
 * connected behind it. If that fails the descriptor reads end-of-file and `error` tells why. */
#ifndef RT_NET_DIAL_H
#define RT_NET_DIAL_H

#include "base/error.h"
#include "net/op.h"
#include <stdint.h>

/* A stream that a dialer carries by itself: counters, and the end. Kept by the dialer until `end`
 * or cancel. */
struct rt_splice {
    int64_t bytes_in, bytes_out; /* towards us, towards the far side */
    /* Runs once, later; `err` tells why the far side was not had or was lost, NULL: both sides have
     * ended. */
    void (*end)(void *ctx, const struct rt_error *err);
    void *ctx;
};

struct rt_dialer {
    int (*dial)(void *ctx, const char *host, int port, struct rt_error *err); /* -1 on failure */
    /* The last reason why a stream could not be had; false when there is none. */
    bool (*error)(void *ctx, struct rt_error *err);
    void *ctx;
    /* May be NULL. Takes `fd` (a connected stream, non-blocking) and carries it to host:port,
     * without the copy that a socket pair costs. Cancel closes it. */
    struct rt_op *(*splice)(void *ctx, int fd, const char *host, int port, struct rt_splice *s);
};

#endif
