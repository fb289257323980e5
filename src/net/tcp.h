/* TCP connections to a name, and what every connection of ours is set to. */
#ifndef RT_NET_TCP_H
#define RT_NET_TCP_H

#include "net/loop.h"
#include <sys/types.h>

/* `fd` is connected, non-blocking, close-on-exec and the callback's to close; -1 with `err`. */
typedef void rt_tcp_fn(void *ctx, int fd, const struct rt_error *err);
struct rt_op *rt_tcp_connect(struct rt_loop *l, const char *host, int port, int64_t timeout_ms,
                             rt_tcp_fn *fn, void *ctx);

bool rt_fd_prepare(int fd);                        /* non-blocking, close-on-exec */
bool rt_fd_pair(int fds[2], struct rt_error *err); /* a prepared Unix socket pair */

/* send() that raises no SIGPIPE where the system can do that (else the program ignores the signal).
 */
ssize_t rt_fd_send(int fd, const void *data, size_t n);

/* No delay for small packets. */
void rt_tcp_nodelay(int fd);
/* Besides, a peer that acknowledges nothing for `ms` is given up, where the system can do that. */
void rt_tcp_give_up_after(int fd, int64_t ms);

#endif
