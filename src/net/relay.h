/* Carries bytes between two descriptors, both ways, each half closed for itself. */
#ifndef RT_NET_RELAY_H
#define RT_NET_RELAY_H

#include "net/dial.h"
#include "net/loop.h"

/* Takes both descriptors (connected, non-blocking stream sockets). `near` is our side: what is read
 * from it counts as out. The op ends when both sides have ended or one is broken. */
struct rt_op *rt_relay_start(struct rt_loop *l, int near, int far, struct rt_splice *s);

#endif
