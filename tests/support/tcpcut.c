/* See tcpcut.h. */
#include "support/tcpcut.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SIGPIPE is ignored */
#endif

enum { MAX_CONNECTIONS = 4096 };

struct pair {
    struct tcpcut *owner;
    pthread_t thread;
    int near, far;
};

struct tcpcut {
    int fd, port;
    struct sockaddr_in target;
    size_t max_bytes;
    int max_ms;
    pthread_t acceptor;
    struct pair all[MAX_CONNECTIONS];
    size_t n;
    atomic_int cuts;
    atomic_bool stopping;
};

static int64_t now_ms(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static bool write_all(int fd, const char *p, size_t n) {
    while (n > 0) {
        const ssize_t sent = send(fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

/* Moves what there is; false when one side ended or the far side gave enough. */
static bool move_some(struct pair *p, struct pollfd *fds, size_t *left) {
    char buf[16384];
    for (int i = 0; i < 2; i++) {
        if (!(fds[i].revents & (POLLIN | POLLHUP | POLLERR)))
            continue;
        ssize_t n = recv(fds[i].fd, buf, sizeof(buf), 0);
        if (n <= 0)
            return false;
        const bool cut = i == 1 && p->owner->max_bytes > 0 && (size_t)n >= *left;
        if (cut)
            n = (ssize_t)*left;
        if (i == 1)
            *left -= (size_t)n;
        if (!write_all(fds[1 - i].fd, buf, (size_t)n))
            return false;
        if (cut) {
            p->owner->cuts++;
            return false;
        }
    }
    return true;
}

static void *pump(void *arg) {
    struct pair *p = arg;
    const struct tcpcut *t = p->owner;
    const int64_t end = now_ms() + t->max_ms;
    size_t left = t->max_bytes > 0 ? t->max_bytes : SIZE_MAX;
    struct pollfd fds[2] = {{.fd = p->near, .events = POLLIN}, {.fd = p->far, .events = POLLIN}};
    while (!t->stopping) {
        if (poll(fds, 2, 20) > 0 && !move_some(p, fds, &left))
            break;
        if (t->max_ms > 0 && now_ms() > end) {
            p->owner->cuts++;
            break;
        }
    }
    shutdown(p->near, SHUT_RDWR);
    shutdown(p->far, SHUT_RDWR);
    return NULL;
}

static void *accept_all(void *arg) {
    struct tcpcut *t = arg;
    while (t->n < MAX_CONNECTIONS) {
        const int near = accept(t->fd, NULL, NULL);
        if (near < 0)
            break;
        const int far = socket(AF_INET, SOCK_STREAM, 0);
        if (connect(far, (struct sockaddr *)&t->target, sizeof(t->target)) != 0) {
            close(far);
            close(near);
            continue;
        }
        struct pair *p = &t->all[t->n++];
        *p = (struct pair){.owner = t, .near = near, .far = far};
        pthread_create(&p->thread, NULL, pump, p);
    }
    return NULL;
}

struct tcpcut *tcpcut_start(const char *host, int port, size_t max_bytes, int max_ms) {
    signal(SIGPIPE, SIG_IGN);
    struct tcpcut *t = calloc(1, sizeof(*t));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    t->max_bytes = max_bytes;
    t->max_ms = max_ms;
    t->target = (struct sockaddr_in){.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    if (inet_pton(AF_INET, host, &t->target.sin_addr) != 1)
        abort();
    t->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(t->fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(t->fd, 64) != 0 ||
        getsockname(t->fd, (struct sockaddr *)&at, &len) != 0)
        abort();
    t->port = ntohs(at.sin_port);
    pthread_create(&t->acceptor, NULL, accept_all, t);
    return t;
}

void tcpcut_stop(struct tcpcut *t) {
    t->stopping = true;
    shutdown(t->fd, SHUT_RDWR);
    close(t->fd);
    pthread_join(t->acceptor, NULL);
    for (size_t i = 0; i < t->n; i++) {
        pthread_join(t->all[i].thread, NULL);
        close(t->all[i].near);
        close(t->all[i].far);
    }
    free(t);
}

int tcpcut_port(const struct tcpcut *t) {
    return t->port;
}

int tcpcut_cuts(const struct tcpcut *t) {
    return t->cuts;
}
