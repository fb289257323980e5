/* How a stream to host:port is had: a hop implements it, http and forwards use it.
 *
 * `dial` gives at once one end of a socket pair (non-blocking, caller closes); the far side is connected
 * behind it. If that fails the descriptor reads end-of-file and `error` tells why. */
#ifndef RT_NET_DIAL_H
#define RT_NET_DIAL_H

#include "base/error.h"

struct rt_dialer {
    int (*dial)(void *ctx, const char *host, int port, struct rt_error *err); /* -1 on failure */
    /* The last reason why a stream could not be had; false when there is none. */
    bool (*error)(void *ctx, struct rt_error *err);
    void *ctx;
};

#endif
