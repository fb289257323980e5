/* An HTTP client under test with the server it talks to: what each path does, and a reply that
 * remembers what came. */
#ifndef RT_TESTS_NET_HTTP_CLIENT_H
#define RT_TESTS_NET_HTTP_CLIENT_H

#include "net/http.h"
#include "unit/net/http_server.h"

#include "base/fs.h"
#include "net/http.h"
#include "unit/net/http_server.h"

static struct rt_loop *loop;
static struct rt_http *http;
static struct server server;

static int first_free; /* descriptor before a test; all above are the test's */

static inline void serve(struct peer *p, const struct asked *a);

static inline int lowest_free_fd(void) {
    int fd = dup(0);
    close(fd);
    return fd;
}

static inline int setup(void **state) {
    (void)state;
    struct rt_error err = {0};
    first_free = lowest_free_fd();
    loop = rt_loop_create(&err);
    http = rt_http_create(loop);
    server_start(&server, loop, serve);
    return 0;
}

static inline int teardown(void **state) {
    (void)state;
    server_stop(&server);
    rt_http_destroy(http);
    rt_loop_destroy(loop);
    return lowest_free_fd() == first_free ? 0 : -1;
}

/* What libraries open once for ever is not a test's leak. */
static inline int warm_up(void **state) {
    setup(state);
    teardown(state);
    return 0;
}

/* ---- what the server does, by path */

static inline void serve_broken(struct peer *p, const char *how) {
    if (strcmp(how, "hang") == 0)
        return;
    if (strcmp(how, "nothing") == 0)
        p->close_after = true;
    if (strcmp(how, "truncated") == 0) {
        send_text(p, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
        p->close_after = true;
    }
    if (strcmp(how, "chunk-cut") == 0) {
        send_text(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        p->close_after = true;
    }
    if (strcmp(how, "not-http") == 0) {
        send_text(p, "\x15\x03\x01 go away\r\n");
        p->close_after = true;
    }
    if (strcmp(how, "half-head") == 0) {
        send_text(p, "HTTP/1.1 200 OK\r\nContent-");
        p->close_after = true;
    }
    if (strcmp(how, "drip") == 0) {
        answer(p, 200, "text/plain", "one byte after the other");
        drip(p, 1);
    }
    if (strcmp(how, "drip-for-ever") == 0) {
        send_text(p, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        p->zeros = 100000;
        drip(p, 10);
    }
}

static inline void serve(struct peer *p, const struct asked *a) {
    if (strncmp(a->path, "/zeros/", 7) == 0) {
        size_t n = strtoul(a->path + 7, NULL, 10);
        rt_buf_addf(&p->out, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
        p->zeros = n;
    } else if (strncmp(a->path, "/endless", 8) == 0) {
        send_text(p, "HTTP/1.1 200 OK\r\n\r\n");
        p->zeros = SIZE_MAX / 2;
    } else if (strncmp(a->path, "/status/", 8) == 0) {
        answer(p, atoi(a->path + 8), "text/html", "<h1>no</h1>");
    } else if (strcmp(a->path, "/chunked") == 0) {
        send_text(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n "
                     "world\r\n0\r\n\r\n");
    } else if (strcmp(a->path, "/part") == 0) {
        send_text(p, "HTTP/1.1 206 Part\r\nContent-Range: bytes 100-104/1234\r\nContent-Length: "
                     "5\r\n\r\nhello");
    } else if (strcmp(a->path, "/past-the-end") == 0) {
        send_text(p, "HTTP/1.1 416 No\r\ncontent-range: bytes */77\r\nContent-Length: 0\r\n\r\n");
    } else if (strncmp(a->path, "/busy/", 6) == 0) {
        char head[120];
        snprintf(head, sizeof head, "HTTP/1.1 503 No\r\nRetry-After: %.40s\r\nContent-Length: 0\r\n\r\n", a->path + 6);
        send_text(p, head);
    } else if (strcmp(a->path, "/moved") == 0) {
        send_text(p, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    } else if (strncmp(a->path, "/broken/", 8) == 0) {
        serve_broken(p, a->path + 8);
    } else {
        answer(p, 200, "application/json", "{\"ok\": true}");
    }
}

/* ---- a client that remembers */

struct reply {
    struct rt_op *op;
    int dones, datas;
    bool had_answer, had_error;
    int status;
    char type[64];
    struct rt_buf body; /* of the answer, or what the data callback got */
    struct rt_error err;
    int64_t range_start, range_end, range_total, retry_after_ms, bytes;
    int64_t sent, total;
    int progress;
    size_t biggest;       /* data call */
    size_t stop_at;       /* the data callback returns false after so many bytes */
    struct reply *cancel; /* by the data callback or the done callback */
    bool count_only, cancel_self, destroy_http;
};

static inline void on_done(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct reply *r = ctx;
    r->op = NULL;
    r->dones++;
    if (a) {
        r->had_answer = true;
        r->status = a->status;
        snprintf(r->type, sizeof r->type, "%s", a->content_type);
        assert_int_equal(a->body[a->body_len], '\0');
        if (a->body_len)
            rt_buf_add(&r->body, a->body, a->body_len);
        r->range_start = a->range_start;
        r->range_end = a->range_end;
        r->range_total = a->range_total;
        r->retry_after_ms = a->retry_after_ms;
        r->bytes = a->bytes;
        assert_true(a->elapsed_us >= 0);
    }
    if (err) {
        r->had_error = true;
        r->err = *err;
    }
    if (r->cancel)
        rt_op_drop(&r->cancel->op);
    if (r->destroy_http) {
        rt_http_destroy(http);
        http = NULL;
    }
    rt_loop_stop(loop);
}

static inline bool on_data(void *ctx, int status, const char *data, size_t n) {
    struct reply *r = ctx;
    r->status = status;
    r->datas++;
    r->biggest = RT_MAX(r->biggest, n);
    r->bytes += (int64_t)n;
    if (!r->count_only)
        rt_buf_add(&r->body, data, n);
    if (r->cancel)
        rt_op_drop(&r->cancel->op);
    if (r->cancel_self)
        rt_op_drop(&r->op);
    return !r->stop_at || (size_t)r->bytes < r->stop_at;
}

static inline void on_progress(void *ctx, int64_t sent, int64_t total) {
    struct reply *r = ctx;
    assert_true(sent >= r->sent);
    r->sent = sent;
    r->total = total;
    r->progress++;
}

static inline void send_url(struct reply *r, const char *url, struct rt_http_request q,
                            bool with_data) {
    q.url = url;
    const struct rt_http_callbacks cb = {
        .done = on_done, .data = with_data ? on_data : NULL, .progress = on_progress, .ctx = r};
    r->op = rt_http_send(http, &q, &cb);
    assert_non_null(r->op);
    assert_int_equal(r->dones, 0);
}

static inline const char *url_of(const char *path) {
    static char url[300];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server.port, path);
    return url;
}

static inline void get_with(struct reply *r, const char *path, struct rt_http_request q) {
    *r = (struct reply){0};
    send_url(r, url_of(path), q, false);
    while (r->dones == 0)
        rt_loop_turn(loop, true);
    assert_int_equal(r->dones, 1);
}

static inline void get(struct reply *r, const char *path) {
    get_with(r, path, (struct rt_http_request){0});
}

static inline void check_failed(const struct reply *r, enum rt_code code, const char *words) {
    assert_true(r->had_error);
    assert_int_equal(r->err.code, code);
    if (!strstr(r->err.message, words))
        fail_msg("\"%s\" is not in \"%s\"", words, r->err.message);
}

static inline bool was_sent(const char *line) {
    return server.last_head.len && strstr(server.last_head.data, line);
}

/* ---- other help */

static inline void tick(void *ctx) {
    ++*(int *)ctx;
}

struct dialled {
    int dials;
    char host[64];
    int port;
    bool refuse, hang_up, knows;
};

static inline int dial(void *ctx, const char *host, int port, struct rt_error *err) {
    struct dialled *d = ctx;
    int fd[2];
    d->dials++;
    snprintf(d->host, sizeof d->host, "%s", host);
    d->port = port;
    if (d->refuse) {
        rt_error_set(err, RT_E_DENIED, "login refused");
        rt_error_hint(err, "log in first");
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
        return -1;
    if (d->hang_up)
        close(fd[1]);
    else
        server_adopt(&server, fd[1]);
    return fd[0];
}

static inline bool dial_error(void *ctx, struct rt_error *err) {
    const struct dialled *d = ctx;
    if (!d->knows)
        return false;
    rt_error_set(err, RT_E_TIMEOUT, "login1: no answer on port 22");
    return true;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

#endif
