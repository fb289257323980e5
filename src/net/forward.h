/* A port of this machine, carried to a port seen from the far side of a dialer. Loop thread only.
 *
 * The listener is ours, on loopback only; it never moves and never closes while what is behind it is
 * replaced. While the way is down new connections wait up to 5 s and are then refused cleanly. */
#ifndef RT_NET_FORWARD_H
#define RT_NET_FORWARD_H

#include "net/dial.h"
#include "net/loop.h"

struct rt_forward;

struct rt_forward_opts {
    const struct rt_dialer *dialer; /* keeps; NULL: straight TCP */
    const char *host;               /* as seen from the far side */
    int port;
    int local_port;      /* wanted: pinned, remembered or the port's own number; 0: any */
    bool pinned;         /* the person asked for exactly this one */
    int first_free;      /* where the search for a free one begins (8266, 20001) */
    /* Is the way up? Connections wait for it. NULL: always. */
    bool (*ready)(void *ctx);
    void *ready_ctx;
};

struct rt_forward_status {
    int local_port;
    bool moved;            /* not the wanted one: `note` says who holds that */
    char note[160];
    int connections;       /* open now */
    int64_t connections_total;
    int64_t bytes_in, bytes_out; /* towards us, towards the cluster */
    struct rt_error error; /* of the last connection that failed; RT_OK after one that worked */
};

/* Listens at once. NULL when no port can be had. */
struct rt_forward *rt_forward_open(struct rt_loop *l, const struct rt_forward_opts *o, struct rt_error *err);
/* No callback runs afterwards; open connections end. NULL is fine. */
void rt_forward_close(struct rt_forward *f);
const struct rt_forward_status *rt_forward_status(const struct rt_forward *f); /* borrowed until the next turn */

/* "pid 123 (python3)" of who listens on a loopback port, or "another process"; to `out`. */
void rt_port_holder(int port, char *out, size_t size);
/* Is anybody listening on 127.0.0.1:port? (a bind test; no connection is made) */
bool rt_port_free(int port);
/* A port that nobody listens on, for a program that will in some seconds: until the descriptor is closed (with close()) no
 * other raytui of this machine reserves it. It holds the UDP port of that number, so the program can listen. -1: taken. */
int rt_port_reserve(int port);

#endif
