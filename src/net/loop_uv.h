/* What the other files of this layer may know of the loop beyond loop.h. */
#ifndef RT_NET_LOOP_UV_H
#define RT_NET_LOOP_UV_H

#include "net/loop.h"
#include <uv.h>

uv_loop_t *rt_loop_uv(struct rt_loop *l);

/* A timer that does not keep rt_loop_run going by itself. */
void rt_timer_background(struct rt_timer *t);

/* Something that lives on without an owner (a child that is being reaped). `end` is called when the
 * loop is destroyed and must close what it has; the link is taken out before the call. */
struct rt_loop_rest {
    struct rt_loop_rest *next, *prev;
    void (*end)(struct rt_loop_rest *rest);
};
void rt_loop_rest_add(struct rt_loop *l, struct rt_loop_rest *rest);
void rt_loop_rest_remove(struct rt_loop_rest *rest); /* one that is not in a list is fine */

/* Where the look-ups of names that are under way are kept. */
struct rt_lookup;
struct rt_lookup **rt_loop_lookups(struct rt_loop *l);

#endif
