/* Inside of http: what its files share.
 *
 * A request lives from rt_http_send until its done callback or cancel. The person's callbacks never
 * run inside a call of curl: what curl brings is put into the request, and a deferred call hands it
 * out in the next turn. So a callback may cancel any request and send new ones. */
#ifndef RT_NET_HTTP_IMPL_H
#define RT_NET_HTTP_IMPL_H

#include "base/buf.h"
#include "base/map.h"
#include "net/curl_late.h"
#include "net/http.h"
#include "net/loop_uv.h"

enum {
    RT_HTTP_TURN_BYTES = 128 * 1024,   /* of body, per turn, over all requests */
    RT_HTTP_STREAM_SHARE = 2,          /* a stream's bytes are put away, not decoded: a turn takes so many times more */
    RT_HTTP_REFUSAL_BYTES = 64 * 1024, /* kept of an answer that is not 2xx when 2xx is streamed */
};
#define RT_HTTP_MAX_BYTES (128 * RT_MIB)

struct rt_http {
    struct rt_loop *loop;
    struct rt_http_pool *pools;
    struct rt_map names;                 /* host -> what it was found to be */
    struct rt_http_call *paused, *woken; /* in the order in which they came here */
    struct rt_op *tick;                  /* next turn's work, while there is any */
    uint64_t ticks;
    size_t turn_bytes; /* of body, taken from curl since the last tick */
    bool in_tick, destroyed, curl_begun;
};

/* Connections that may serve each other's requests: one name, one way out. */
struct rt_http_pool {
    struct rt_http_pool *next;
    struct rt_http *http;
    char *name;
    const struct rt_dialer *dialer;
    CURLM *multi;
    struct rt_timer *timer;
    struct rt_http_socket *sockets;
    int requests;
    bool busy;      /* inside a call of curl */
    bool forgotten; /* no new requests; goes with its last one */
};

struct rt_http_call {
    struct rt_op op;
    struct rt_http *http;
    struct rt_http_pool *pool;
    struct rt_http_callbacks cb;

    /* what is asked */
    char *method, *url, *range, *unix_socket, *proxy, *ca_file, *body_file, *pool_name;
    char *body;
    size_t body_len;
    struct rt_url at;
    struct curl_slist *headers, *resolve, *connect_to;
    const struct rt_dialer *dialer;
    int64_t connect_timeout_ms, timeout_ms;
    size_t max_bytes; /* 0: none */
    bool stream, sparse, fresh;

    /* on the way */
    CURL *easy; /* NULL before the name is known and after the end */
    char curl_text[CURL_ERROR_SIZE];
    struct rt_op *lookup;
    struct rt_timer *lookup_deadline;
    struct rt_http_call *next_paused, *next_woken;
    bool is_paused, is_woken;
    uint64_t woken_at;     /* tick */
    int dialled, stand_in; /* see http_dial.c; -1 */
    int file;              /* body_file; -1 */
    int64_t file_size;
    int64_t began_us;

    /* what has come */
    struct rt_buf kept;  /* of the answer */
    struct rt_buf inbox; /* for the data callback */
    char *content_type;
    int status;
    bool head_ended;
    int64_t bytes, range_start, range_end, range_total, retry_after_ms;
    int64_t sent, total; /* progress */
    bool progressed;

    /* the end */
    bool finished, in_callback, dead;
    int64_t elapsed_us;
    struct rt_error error;
};

/* ---- http_pool.c: curl on the loop */
struct rt_http_pool *rt_http_pool_get(struct rt_http *h, const char *name,
                                      const struct rt_dialer *dialer);
void rt_http_pool_release(struct rt_http_pool *p); /* forgets it; it goes when it is not used */
bool rt_http_pool_add(struct rt_http_pool *p, struct rt_http_call *r);
/* Takes the request's handle out and frees it; fine when there is none. */
void rt_http_pool_remove(struct rt_http_call *r);
/* Curl was told to pause it; it goes on with the next tick. */
void rt_http_pause(struct rt_http_call *r);
void rt_http_resume(struct rt_http *h);

/* ---- http_setup.c: a request in curl's words */
void rt_http_setup(struct rt_http_call *r);

/* ---- http_dial.c */
void rt_http_set_dialer(struct rt_http_call *r);
void rt_http_close_dialled(struct rt_http_call *r); /* one that curl has not got yet */

/* ---- http_body.c: what curl brings and takes */
/* Bytes of body that may still be taken before the next tick. */
size_t rt_http_room(const struct rt_http *h);
size_t rt_http_on_body(char *data, size_t size, size_t n, void *request);
size_t rt_http_on_header(char *data, size_t size, size_t n, void *request);
size_t rt_http_on_read(char *out, size_t size, size_t n, void *request);
int rt_http_on_seek(void *request, curl_off_t offset, int origin);
int rt_http_on_progress(void *request, curl_off_t dl_total, curl_off_t dl_now, curl_off_t ul_total,
                        curl_off_t ul_now);

/* ---- http_error.c */
/* Says in r->error what a code of curl means for this request. An error that is there already
 * stays. */
void rt_http_explain(struct rt_http_call *r, CURLcode code);
/* What may be shown of the address: its path, without what may be secret. Returns out. */
char *rt_http_path(const struct rt_http_call *r, char *out, size_t size);
/* "GET /api/jobs/: " and text, code; keeps what is there already. */
void rt_http_fail(struct rt_http_call *r, enum rt_code code, const char *fmt, ...) RT_PRINTF(3, 4);

/* ---- http.c */
void rt_http_need_tick(struct rt_http *h);
/* What has come is handed out with the next tick. */
void rt_http_wake(struct rt_http_call *r);
void rt_http_finish(struct rt_http_call *r, CURLcode code); /* curl is through with it */

#endif
