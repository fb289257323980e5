/* HTTP over libcurl's multi interface on our loop.
 *
 * At most 128 KiB of body are handed out per turn of the loop (the transfer pauses and goes on next
 * turn), so that no answer of any size keeps a key waiting. Each request has a deadline. User-Agent is
 * always sent (Ray up to 2.49 answers 500 without one). Redirects are not followed. */
#ifndef RT_NET_HTTP_H
#define RT_NET_HTTP_H

#include "net/dial.h"
#include "net/loop.h"
#include <stddef.h>

struct rt_http;

struct rt_http *rt_http_create(struct rt_loop *l);
/* All its requests must be over or cancelled; may be called in the last one's callback. NULL is fine. */
void rt_http_destroy(struct rt_http *h);
/* Connections of this pool are not used again; idle ones are closed, busy ones end with their requests.
 * Called before a dialer ends, and where what is behind an address has been replaced. */
void rt_http_forget_pool(struct rt_http *h, const char *pool);

/* What libcurl says of itself: "libcurl/7.88.1 OpenSSL/3.0.17 ...", borrowed for ever; it is loaded for this. NULL with the
 * reason when it cannot be. */
const char *rt_http_library(struct rt_error *err);

struct rt_http_request {
    const char *method;              /* "GET" when NULL */
    const char *url;                 /* http:// or https:// */
    const char *const *headers;      /* "Name: value", NULL-terminated; may be NULL */
    const char *body;                /* may be NULL */
    size_t body_len;
    const char *body_file;           /* instead of body: streamed from this file, as long as it is now */
    const char *range;               /* "bytes=N-" without the "bytes=": "100-", "-65536"; may be NULL */
    const struct rt_dialer *dialer;  /* keeps until done; NULL: direct */
    const char *unix_socket;         /* instead of TCP */
    const char *proxy, *ca_file;     /* may be NULL: what the environment says (never for loopback), the system's */
    int64_t connect_timeout_ms;      /* 0: 3 s; 15 s by a dialer, which may have to open its way first */
    int64_t timeout_ms;              /* whole request; 0: 10 s; -1: none (a stream) */
    size_t max_bytes;                /* 0: 128 MiB. None for a stream that a data callback takes */
    bool stream;                     /* TCP keepalive; no low-speed limit */
    bool sparse;                     /* one of many streams on which little comes: it is held with little memory */
    bool fresh;                      /* a connection of its own: curl sends again by itself what a kept one swallowed, a POST too */
    const char *pool;                /* connections are shared only within one pool name (a cluster) and dialer */
};

struct rt_http_answer {
    int status;              /* 200, 404, ... */
    const char *body;        /* NUL-terminated, valid during the callback; "" when a data callback took it */
    size_t body_len;
    const char *content_type; /* "" when absent */
    int64_t range_start, range_end, range_total; /* from Content-Range; -1 when absent */
    int64_t retry_after_ms;  /* from Retry-After; -1 when absent or a date */
    int64_t elapsed_us;
    int64_t bytes;           /* of body */
};

/* err NULL: an answer came, whatever its status. Else RT_E_UNREACHABLE, RT_E_TIMEOUT, RT_E_LIMIT,
 * RT_E_PROTOCOL; RT_E_IO (body_file), RT_E_CONFIG (ca_file), RT_E_USAGE (url), or what the dialer says. The
 * message names method and path (no query secrets). `a` is NULL when no status line came; a transfer that
 * broke off after it gives both. */
typedef void rt_http_done_fn(void *ctx, const struct rt_http_answer *a, const struct rt_error *err);

/* Body bytes as they come; only for 2xx answers (the body of other answers is collected up to 64 KiB and
 * stands in the answer). Return false to end the request: done then runs with RT_E_CANCELLED. */
typedef bool rt_http_data_fn(void *ctx, int status, const char *data, size_t n);
/* Bytes sent of body_file, or received of the answer when there is none; total 0: unknown. May be NULL. */
typedef void rt_http_progress_fn(void *ctx, int64_t sent, int64_t total);

struct rt_http_callbacks {
    rt_http_done_fn *done;
    rt_http_data_fn *data;         /* NULL: collected into the answer */
    rt_http_progress_fn *progress; /* NULL */
    void *ctx;
};

/* Everything in `r` is copied except the dialer. Never NULL: what is wrong at once comes in done. */
struct rt_op *rt_http_send(struct rt_http *h, const struct rt_http_request *r, const struct rt_http_callbacks *cb);

/* Percent-encodes for a path segment or query value; gives it. */
char *rt_url_encode(const char *s);

struct rt_url {
    char *scheme, *host, *path; /* path begins with '/' or is "" and has no trailing slash */
    int port;                   /* the scheme's default when absent */
};
bool rt_url_parse(const char *url, struct rt_url *out, struct rt_error *err);
void rt_url_deinit(struct rt_url *u);

#endif
