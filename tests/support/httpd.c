/* See httpd.h. Blocking sockets, one thread per connection. */
#include "support/httpd.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#ifndef MSG_NOSIGNAL
#define MSG_NOSIGNAL 0 /* SIGPIPE is ignored */
#endif

enum { MAX_CONNECTIONS = 1024 };

struct httpd {
    int fd, port;
    char url[64];
    httpd_fn *fn;
    void *ctx;
    pthread_t acceptor;
    pthread_mutex_t lock;
    struct connection {
        struct httpd *server;
        pthread_t thread;
        int fd;
        bool used;
    } all[MAX_CONNECTIONS];
    atomic_bool stopping;
};

bool httpd_send(const struct httpd_request *r, const void *data, size_t n) {
    const char *p = data;
    while (n > 0) {
        const ssize_t sent = send(r->fd, p, n, MSG_NOSIGNAL);
        if (sent <= 0)
            return false;
        p += sent;
        n -= (size_t)sent;
    }
    return true;
}

bool httpd_chunk(const struct httpd_request *r, const void *data, size_t n) {
    char head[32];
    const int len = snprintf(head, sizeof(head), "%zx\r\n", n);
    return httpd_send(r, head, (size_t)len) && httpd_send(r, data, n) && httpd_send(r, "\r\n", 2);
}

void httpd_answer(const struct httpd_request *r, int status, const char *type, const char *extra,
                  const void *body, size_t n) {
    char head[1024];
    const int len = snprintf(head, sizeof(head),
                             "HTTP/1.1 %d X\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s\r\n",
                             status, type, n, extra ? extra : "");
    if (httpd_send(r, head, (size_t)len) && strcmp(r->method, "HEAD") != 0)
        httpd_send(r, body, n);
}

void httpd_text(const struct httpd_request *r, int status, const char *type, const char *body) {
    httpd_answer(r, status, type, NULL, body, strlen(body));
}

bool httpd_header(const struct httpd_request *r, const char *name, char *out, size_t size) {
    const size_t n = strlen(name);
    for (const char *line = r->head; *line;) {
        const char *end = strstr(line, "\r\n");
        if (!end)
            break;
        if (strncasecmp(line, name, n) == 0 && line[n] == ':') {
            const char *v = line + n + 1;
            while (*v == ' ')
                v++;
            snprintf(out, size, "%.*s", (int)(end - v), v);
            return true;
        }
        line = end + 2;
    }
    return false;
}

void httpd_sleep_ms(int ms) {
    const struct timespec t = {ms / 1000, (long)(ms % 1000) * 1000000};
    nanosleep(&t, NULL);
}

/* ---- reading ---- */

static bool read_head(struct httpd_request *r, size_t *have) {
    for (;;) {
        r->head[*have] = '\0';
        if (strstr(r->head, "\r\n\r\n"))
            return true;
        if (*have + 1 >= sizeof(r->head))
            return false;
        const ssize_t n = recv(r->fd, r->head + *have, sizeof(r->head) - 1 - *have, 0);
        if (n <= 0)
            return false;
        *have += (size_t)n;
    }
}

static bool read_request(struct httpd_request *r) {
    size_t have = 0;
    if (!read_head(r, &have))
        return false;
    char *lines = strstr(r->head, "\r\n"), *end = strstr(r->head, "\r\n\r\n") + 4;
    if (sscanf(r->head, "%7s %4095s", r->method, r->target) != 2)
        return false;
    const size_t extra = have - (size_t)(end - r->head);
    char value[32], *early = malloc(extra + 1);
    memcpy(early, end, extra);
    end[-2] = '\0';
    memmove(r->head, lines + 2, strlen(lines + 2) + 1);
    r->body_len = httpd_header(r, "Content-Length", value, sizeof(value))
                      ? (size_t)strtoull(value, NULL, 10)
                      : 0;
    if (httpd_header(r, "Expect", value, sizeof(value)))
        httpd_send(r, "HTTP/1.1 100 Continue\r\n\r\n", 25);
    r->body = calloc(1, r->body_len + 1);
    size_t got = extra < r->body_len ? extra : r->body_len;
    memcpy(r->body, early, got);
    free(early);
    while (got < r->body_len) {
        const ssize_t n = recv(r->fd, r->body + got, r->body_len - got, 0);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

static void *serve(void *arg) {
    struct connection *c = arg;
    for (bool go_on = true; go_on && !c->server->stopping;) {
        struct httpd_request *r = calloc(1, sizeof(*r));
        r->server = c->server;
        r->fd = c->fd;
        go_on = read_request(r);
        if (go_on) {
            go_on = c->server->fn(c->server->ctx, r);
        }
        free(r->body);
        free(r);
    }
    shutdown(c->fd, SHUT_RDWR);
    return NULL;
}

static void *accept_all(void *arg) {
    struct httpd *s = arg;
    for (;;) {
        const int fd = accept(s->fd, NULL, NULL);
        if (fd < 0)
            return NULL;
        pthread_mutex_lock(&s->lock);
        struct connection *c = NULL;
        for (size_t i = 0; i < MAX_CONNECTIONS && !c; i++)
            if (!s->all[i].used)
                c = &s->all[i];
        if (c && !s->stopping) {
            *c = (struct connection){.server = s, .fd = fd, .used = true};
            pthread_create(&c->thread, NULL, serve, c);
        } else {
            close(fd);
        }
        pthread_mutex_unlock(&s->lock);
    }
}

struct httpd *httpd_start(httpd_fn *fn, void *ctx) {
    signal(SIGPIPE, SIG_IGN);
    struct httpd *s = calloc(1, sizeof(*s));
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof(at);
    s->fn = fn;
    s->ctx = ctx;
    pthread_mutex_init(&s->lock, NULL);
    s->fd = socket(AF_INET, SOCK_STREAM, 0);
    if (bind(s->fd, (struct sockaddr *)&at, sizeof(at)) != 0 || listen(s->fd, 64) != 0 ||
        getsockname(s->fd, (struct sockaddr *)&at, &len) != 0)
        abort();
    s->port = ntohs(at.sin_port);
    snprintf(s->url, sizeof(s->url), "http://127.0.0.1:%d", s->port);
    pthread_create(&s->acceptor, NULL, accept_all, s);
    return s;
}

void httpd_drop_all(struct httpd *s) {
    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < MAX_CONNECTIONS; i++)
        if (s->all[i].used)
            shutdown(s->all[i].fd, SHUT_RDWR);
    pthread_mutex_unlock(&s->lock);
}

void httpd_stop(struct httpd *s) {
    if (!s)
        return;
    s->stopping = true;
    shutdown(s->fd, SHUT_RDWR);
    close(s->fd);
    pthread_join(s->acceptor, NULL);
    httpd_drop_all(s);
    for (size_t i = 0; i < MAX_CONNECTIONS; i++)
        if (s->all[i].used) {
            pthread_join(s->all[i].thread, NULL);
            close(s->all[i].fd);
        }
    pthread_mutex_destroy(&s->lock);
    free(s);
}

int httpd_port(const struct httpd *s) {
    return s->port;
}

const char *httpd_url(const struct httpd *s) {
    return s->url;
}

bool httpd_stopping(const struct httpd *s) {
    return s->stopping;
}
