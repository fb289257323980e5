/* The event loop: timers, descriptors, signals, deferred calls, worker threads. The only public face of
 * libuv. One thread; everything here is called on it. A turn should stay under about 8 ms. */
#ifndef RT_NET_LOOP_H
#define RT_NET_LOOP_H

#include "base/error.h"
#include "net/op.h"
#include <stdbool.h>
#include <stdint.h>

struct rt_loop;
struct rt_timer;
struct rt_fd;
struct rt_signal;

typedef void rt_loop_fn(void *ctx);

struct rt_loop *rt_loop_create(struct rt_error *err);
/* All timers, watches and ops of the loop must be gone. Children that were told to end and work that was
 * cancelled are waited for (the former are killed after half a second). NULL is fine. */
void rt_loop_destroy(struct rt_loop *l);
/* Runs until rt_loop_stop, or until nothing is left that could happen. Returns at once if stop was
 * called before. */
void rt_loop_run(struct rt_loop *l);
void rt_loop_stop(struct rt_loop *l);
/* One turn: waits at most for the next event (or not at all). For tests. */
void rt_loop_turn(struct rt_loop *l, bool wait);

int64_t rt_loop_now_ms(const struct rt_loop *l);   /* monotonic, cached per turn */
int64_t rt_mono_ms(void);                          /* monotonic, fresh */
int64_t rt_mono_us(void);
int64_t rt_wall_ms(void);                          /* since the epoch; RAYTUI_NOW_MS fixes it for screen tests */

/* First call after delay, then every repeat (0: once; the timer stays valid, stopped). */
struct rt_timer *rt_timer_start(struct rt_loop *l, int64_t delay_ms, int64_t repeat_ms, rt_loop_fn *fn, void *ctx);
void rt_timer_again(struct rt_timer *t, int64_t delay_ms, int64_t repeat_ms);
void rt_timer_stop(struct rt_timer *t); /* frees; NULL is fine; may be called in its own callback */

enum { RT_READ = 1, RT_WRITE = 2, RT_HANGUP = 4 };
typedef void rt_fd_fn(void *ctx, int events);
/* One watch per descriptor. The descriptor stays the caller's, and so do its flags: unwatch before close.
 * Events 0 is paused. RT_HANGUP comes with any error, wanted or not. NULL: nothing that can be waited for
 * (a regular file; a descriptor that is watched already). */
struct rt_fd *rt_fd_watch(struct rt_loop *l, int fd, int events, rt_fd_fn *fn, void *ctx);
void rt_fd_events(struct rt_fd *w, int events); /* NULL is fine */
void rt_fd_unwatch(struct rt_fd *w); /* NULL is fine; may be called in its own callback */

typedef void rt_signal_fn(void *ctx, int signum);
struct rt_signal *rt_signal_watch(struct rt_loop *l, int signum, rt_signal_fn *fn, void *ctx);
void rt_signal_unwatch(struct rt_signal *s); /* NULL is fine; may be called in its own callback */

/* Calls fn in the next turn. */
struct rt_op *rt_loop_defer(struct rt_loop *l, rt_loop_fn *fn, void *ctx);

/* Runs `work` on a worker thread with memory that nobody else touches, then `done` on the loop.
 * Cancel: `done` does not run; once `work` has returned `free_ctx` (may be NULL) runs on the loop.
 * Without cancel `done` owns ctx. */
struct rt_op *rt_loop_work(struct rt_loop *l, rt_loop_fn *work, rt_loop_fn *done, rt_loop_fn *free_ctx, void *ctx);

/* Resolves a name to numeric addresses (at most 8, IPv4 and IPv6 as the system orders them); a numeric
 * address is its own answer. Neither cancel nor the end of the loop waits for a silent name server. */
struct rt_addresses {
    char text[8][46];
    int n;
};
typedef void rt_resolve_fn(void *ctx, const struct rt_addresses *a, const struct rt_error *err);
struct rt_op *rt_resolve(struct rt_loop *l, const char *host, rt_resolve_fn *fn, void *ctx);

#endif
