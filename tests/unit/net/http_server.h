/* A small HTTP server on the loop of a test, good at misbehaving. Each connection is served by the
 * test's handler, which gets a whole request and answers with the functions below. */
#ifndef RT_TESTS_NET_HTTP_SERVER_H
#define RT_TESTS_NET_HTTP_SERVER_H

#include "base/buf.h"
#include "base/mem.h"
#include "net/loop.h"
#include "unit/cmocka_all.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct server;

struct peer { /* a connection of a client */
    struct peer *next;
    struct server *server;
    struct rt_fd *watch;
    struct rt_timer *drip;
    int fd;
    struct rt_buf in, out;
    size_t sent;      /* of out */
    size_t zeros;     /* to be sent after out */
    bool close_after; /* what is queued */
    bool dripping;    /* one byte per tick */
};

struct asked { /* a request */
    char method[16], path[256];
    const char *head; /* all of it */
    const char *body;
    size_t body_len;
};

typedef void serve_fn(struct peer *p, const struct asked *a);

struct server {
    struct rt_loop *loop;
    struct rt_fd *watch;
    struct peer *peers;
    serve_fn *serve;
    int fd, port;
    int accepted, requests;
    struct rt_buf last_head, last_body; /* of the last request */
    size_t sent;                        /* bytes handed to the kernel */
    bool deaf;                          /* connections are accepted and not read */
};

static void peer_close(struct peer *p) {
    struct peer **at = &p->server->peers;
    while (*at != p)
        at = &(*at)->next;
    *at = p->next;
    rt_fd_unwatch(p->watch);
    rt_timer_stop(p->drip);
    close(p->fd);
    rt_buf_deinit(&p->in);
    rt_buf_deinit(&p->out);
    free(p);
}

static void peer_arm(struct peer *p) {
    bool more = p->sent < p->out.len || p->zeros > 0;
    rt_fd_events(p->watch, (p->server->deaf ? 0 : RT_READ) | (more && !p->dripping ? RT_WRITE : 0));
}

/* Writes what is queued; false when the peer is gone. */
static bool peer_flush(struct peer *p, size_t most) {
    static const char zeros[65536];
    while (most > 0 && (p->sent < p->out.len || p->zeros > 0)) {
        bool queued = p->sent < p->out.len;
        size_t n = queued ? p->out.len - p->sent : RT_MIN(p->zeros, sizeof zeros);
        ssize_t wrote = write(p->fd, queued ? p->out.data + p->sent : zeros, RT_MIN(n, most));
        if (wrote < 0 && errno == EAGAIN)
            break;
        if (wrote < 0) {
            peer_close(p);
            return false;
        }
        *(queued ? &p->sent : &p->zeros) += queued ? (size_t)wrote : (size_t)0 - (size_t)wrote;
        p->server->sent += (size_t)wrote;
        most -= (size_t)wrote;
    }
    if (p->sent == p->out.len && p->zeros == 0 && p->close_after) {
        peer_close(p);
        return false;
    }
    peer_arm(p);
    return true;
}

static void peer_drip(void *ctx) {
    peer_flush(ctx, 1);
}

/* ---- what a handler does */

static inline void send_text(struct peer *p, const char *text) {
    rt_buf_adds(&p->out, text);
}

static inline void answer(struct peer *p, int status, const char *type, const char *body) {
    rt_buf_addf(&p->out, "HTTP/1.1 %d Word\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n%s",
                status, type, strlen(body), body);
}

/* From now on one byte per `every_ms`. */
static inline void drip(struct peer *p, int64_t every_ms) {
    p->dripping = true;
    p->drip = rt_timer_start(p->server->loop, every_ms, every_ms, peer_drip, p);
}

/* ---- the server */

static const char *header_of(const char *head, const char *name) {
    size_t n = strlen(name);
    for (const char *line = head; line; line = strstr(line, "\r\n")) {
        line += line == head ? 0 : 2;
        if (strncasecmp(line, name, n) == 0 && line[n] == ':')
            return line + n + 1 + strspn(line + n + 1, " ");
    }
    return NULL;
}

/* Takes one whole request out of p->in and serves it; false when there is none yet. */
static bool peer_serve(struct peer *p) {
    char *end = p->in.len ? strstr(p->in.data, "\r\n\r\n") : NULL;
    if (!end)
        return false;
    struct asked a = {.head = p->in.data};
    const char *length = header_of(p->in.data, "Content-Length");
    size_t head_len = (size_t)(end + 4 - p->in.data);
    a.body_len = length ? (size_t)strtoul(length, NULL, 10) : 0;
    if (p->in.len < head_len + a.body_len)
        return false;
    a.body = p->in.data + head_len;
    sscanf(p->in.data, "%15s %255s", a.method, a.path);
    p->server->requests++;
    rt_buf_clear(&p->server->last_head);
    rt_buf_add(&p->server->last_head, p->in.data, head_len);
    rt_buf_clear(&p->server->last_body);
    rt_buf_add(&p->server->last_body, a.body, a.body_len);
    p->server->serve(p, &a);
    rt_buf_drop(&p->in, head_len + a.body_len);
    return true;
}

static void peer_ready(void *ctx, int events) {
    struct peer *p = ctx;
    if (events & RT_READ) {
        char chunk[65536];
        ssize_t n = read(p->fd, chunk, sizeof chunk);
        if (n == 0 || (n < 0 && errno != EAGAIN)) {
            peer_close(p);
            return;
        }
        if (n > 0)
            rt_buf_add(&p->in, chunk, (size_t)n);
        while (peer_serve(p))
            ;
    }
    peer_flush(p, p->dripping ? 0 : (size_t)1 << 20);
}

/* Serves a descriptor that is connected already. */
static void server_adopt(struct server *s, int fd) {
    struct peer *p = RT_NEW(struct peer);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    p->server = s;
    p->fd = fd;
    rt_buf_init(&p->in, 0);
    rt_buf_init(&p->out, 0);
    p->next = s->peers;
    s->peers = p;
    s->accepted++;
    p->watch = rt_fd_watch(s->loop, fd, s->deaf ? 0 : RT_READ, peer_ready, p);
}

static void server_accept(void *ctx, int events) {
    (void)events;
    struct server *s = ctx;
    int fd = accept(s->fd, NULL, NULL);
    if (fd >= 0)
        server_adopt(s, fd);
}

static void server_listen(struct server *s, const struct sockaddr *at, socklen_t len) {
    s->fd = socket(at->sa_family, SOCK_STREAM, 0);
    assert_int_equal(bind(s->fd, at, len), 0);
    assert_int_equal(listen(s->fd, 64), 0);
    s->watch = rt_fd_watch(s->loop, s->fd, RT_READ, server_accept, s);
}

static void server_init(struct server *s, struct rt_loop *loop, serve_fn *serve) {
    *s = (struct server){.loop = loop, .serve = serve, .fd = -1};
    rt_buf_init(&s->last_head, 0);
    rt_buf_init(&s->last_body, 0);
}

static inline void server_start(struct server *s, struct rt_loop *loop, serve_fn *serve) {
    server_init(s, loop, serve);
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    server_listen(s, (const struct sockaddr *)(const void *)&at, sizeof at);
    assert_int_equal(getsockname(s->fd, (struct sockaddr *)(void *)&at, &len), 0);
    s->port = ntohs(at.sin_port);
}

static inline void server_start_unix(struct server *s, struct rt_loop *loop, serve_fn *serve,
                                     const char *path) {
    server_init(s, loop, serve);
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    snprintf(at.sun_path, sizeof at.sun_path, "%s", path);
    server_listen(s, (const struct sockaddr *)(const void *)&at, sizeof at);
}

static void server_stop_listening(struct server *s) {
    rt_fd_unwatch(s->watch);
    s->watch = NULL;
    if (s->fd >= 0)
        close(s->fd);
    s->fd = -1;
}

static void server_stop(struct server *s) {
    server_stop_listening(s);
    while (s->peers)
        peer_close(s->peers);
    rt_buf_deinit(&s->last_head);
    rt_buf_deinit(&s->last_body);
}

#endif
