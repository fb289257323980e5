/* Socket options that have other names, or none, on other systems. */
#include "net/tcp.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

ssize_t rt_fd_send(int fd, const void *data, size_t n) {
#if defined(MSG_NOSIGNAL)
    return send(fd, data, n, MSG_NOSIGNAL);
#else
    return send(fd, data, n, 0);
#endif
}

void rt_tcp_nodelay(int fd) {
    int one = 1;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
}

void rt_tcp_give_up_after(int fd, int64_t ms) {
    rt_tcp_nodelay(fd);
#if defined(TCP_USER_TIMEOUT)
    unsigned int wait = (unsigned int)ms;
    (void)setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &wait, sizeof wait);
#elif defined(TCP_RXT_CONNDROPTIME)
    int wait = (int)(ms / 1000);
    (void)setsockopt(fd, IPPROTO_TCP, TCP_RXT_CONNDROPTIME, &wait, sizeof wait);
#else
    (void)ms;
#endif
}
