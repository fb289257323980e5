/* Connects to the addresses of a name, one after the other, within one deadline. */
#include "net/tcp.h"

#include "base/mem.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

struct tcp {
    struct rt_op op;
    struct rt_loop *loop;
    struct rt_op *resolve;
    struct rt_timer *deadline, *next; /* of the whole, of one address */
    struct rt_fd *watch;
    int fd;
    struct rt_addresses addresses;
    int at; /* the address that comes next */
    char *host;
    int port;
    int64_t timeout_ms;
    int last_errno;
    struct rt_error error; /* of the look-up */
    rt_tcp_fn *fn;
    void *ctx;
};

bool rt_fd_prepare(int fd) {
    int fl = fcntl(fd, F_GETFL);
    return fl >= 0 && fcntl(fd, F_SETFL, fl | O_NONBLOCK) == 0 &&
           fcntl(fd, F_SETFD, FD_CLOEXEC) == 0;
}

bool rt_fd_pair(int fds[2], struct rt_error *err) {
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fds) != 0)
        return rt_error_set(err, RT_E_IO, "socketpair: %s", strerror(errno));
    if (rt_fd_prepare(fds[0]) && rt_fd_prepare(fds[1]))
        return true;
    rt_error_set(err, RT_E_IO, "fcntl: %s", strerror(errno));
    close(fds[0]);
    close(fds[1]);
    return false;
}

static void drop_socket(struct tcp *t) {
    rt_fd_unwatch(t->watch);
    t->watch = NULL;
    if (t->fd >= 0)
        close(t->fd);
    t->fd = -1;
}

static void tcp_free(struct tcp *t) {
    rt_op_drop(&t->resolve);
    rt_timer_stop(t->deadline);
    rt_timer_stop(t->next);
    drop_socket(t);
    free(t->host);
    free(t);
}

static void tcp_cancel(struct rt_op *op) {
    tcp_free((struct tcp *)op);
}

static void tcp_end(struct tcp *t, int fd, const struct rt_error *err) {
    rt_tcp_fn *fn = t->fn;
    void *ctx = t->ctx;
    struct rt_error e = err ? *err : (struct rt_error){0};
    if (fd >= 0) {
        rt_fd_unwatch(t->watch);
        t->watch = NULL;
        t->fd = -1;
    }
    tcp_free(t);
    fn(ctx, fd, err ? &e : NULL);
}

static void tcp_fail(struct tcp *t, int err_no) {
    struct rt_error e;
    if (err_no == ETIMEDOUT)
        rt_error_set(&e, RT_E_UNREACHABLE, "%s port %d: no answer (connection timed out)", t->host,
                     t->port);
    else
        rt_error_set(&e, RT_E_UNREACHABLE, "%s port %d: %s", t->host, t->port, strerror(err_no));
    if (err_no == ECONNREFUSED)
        rt_error_hint(&e, "nothing listens there; is the port right, is the service running?");
    else if (err_no == ETIMEDOUT || err_no == EHOSTUNREACH || err_no == ENETUNREACH)
        rt_error_hint(&e, "check the network, a VPN, or the address");
    tcp_end(t, -1, &e);
}

static void try_next(struct tcp *t);

static void on_writable(void *ctx, int events) {
    struct tcp *t = ctx;
    int err_no = 0;
    socklen_t n = sizeof err_no;
    (void)events;
    if (getsockopt(t->fd, SOL_SOCKET, SO_ERROR, &err_no, &n) != 0)
        err_no = errno;
    if (err_no == 0) {
        rt_tcp_nodelay(t->fd);
        tcp_end(t, t->fd, NULL);
        return;
    }
    t->last_errno = err_no;
    try_next(t);
}

/* -1 and errno, or a socket whose connection is under way or had. */
static int begin_connect(const char *address, int port) {
    char service[16];
    struct addrinfo want = {.ai_socktype = SOCK_STREAM,
                            .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV},
                    *a = NULL;
    snprintf(service, sizeof service, "%d", port);
    if (getaddrinfo(address, service, &want, &a) != 0) {
        errno = EADDRNOTAVAIL;
        return -1;
    }
    int fd = socket(a->ai_family, SOCK_STREAM, 0);
    if (fd >= 0 && (!rt_fd_prepare(fd) || (connect(fd, a->ai_addr, a->ai_addrlen) != 0 &&
                                           errno != EINPROGRESS && errno != EINTR))) {
        int saved = errno;
        close(fd);
        errno = saved;
        fd = -1;
    }
    freeaddrinfo(a);
    return fd;
}

static void on_slow(void *ctx) {
    struct tcp *t = ctx;
    t->last_errno = ETIMEDOUT;
    try_next(t);
}

/* While there are other addresses, one that is silent gets only its share of the time. */
static void limit_address(struct tcp *t) {
    int left = t->addresses.n - t->at + 1;
    if (t->next)
        rt_timer_stop(t->next);
    t->next = left > 1 ? rt_timer_start(t->loop, RT_MIN(t->timeout_ms / left, 3000), 0, on_slow, t)
                       : NULL;
}

static void try_next(struct tcp *t) {
    drop_socket(t);
    while (t->at < t->addresses.n) {
        t->fd = begin_connect(t->addresses.text[t->at++], t->port);
        if (t->fd >= 0) {
            t->watch = rt_fd_watch(t->loop, t->fd, RT_WRITE, on_writable, t);
            limit_address(t);
            return;
        }
        t->last_errno = errno;
    }
    tcp_fail(t, t->last_errno);
}

static void on_resolved(void *ctx, const struct rt_addresses *a, const struct rt_error *err) {
    struct tcp *t = ctx;
    t->resolve = NULL;
    if (err) {
        tcp_end(t, -1, err);
        return;
    }
    t->addresses = *a;
    t->last_errno = EADDRNOTAVAIL;
    try_next(t);
}

static void on_deadline(void *ctx) {
    tcp_fail(ctx, ETIMEDOUT);
}

struct rt_op *rt_tcp_connect(struct rt_loop *l, const char *host, int port, int64_t timeout_ms,
                             rt_tcp_fn *fn, void *ctx) {
    struct tcp *t = RT_NEW(struct tcp);
    t->op.cancel = tcp_cancel;
    t->loop = l;
    t->fd = -1;
    t->host = rt_strdup(host);
    t->port = port;
    t->timeout_ms = timeout_ms;
    t->fn = fn;
    t->ctx = ctx;
    t->deadline = rt_timer_start(l, timeout_ms, 0, on_deadline, t);
    t->resolve = rt_resolve(l, host, on_resolved, t);
    return &t->op;
}
