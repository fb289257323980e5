/* Requests from their start to their done callback; see http.h and http_impl.h. */
#include "net/http.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/http_impl.h"
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum {
    CONNECT_MS = 3000,
    DIALLED_CONNECT_MS = 15000, /* of TLS: what is behind the dialer may have to be opened first */
    TOTAL_MS = 10000,
    NAME_FRESH_MS = 60000, /* how long a found address is not asked for again */
    NAMES_MAX = 256
};

struct name {
    struct rt_addresses addresses;
    int64_t at_ms;
};

struct rt_http *rt_http_create(struct rt_loop *l) {
    struct rt_http *h = RT_NEW(struct rt_http);
    h->loop = l;
    rt_map_init(&h->names, false);
    return h;
}

static void forget_names(struct rt_http *h) {
    size_t it = 0;
    const char *host;
    void *name;
    while (rt_map_next(&h->names, &it, &host, &name))
        free(name);
    rt_map_deinit(&h->names);
    rt_map_init(&h->names, false);
}

void rt_http_destroy(struct rt_http *h) {
    if (!h)
        return;
    while (h->pools)
        rt_http_pool_release(h->pools);
    rt_op_drop(&h->tick);
    forget_names(h);
    rt_map_deinit(&h->names);
    if (h->curl_begun)
        curl_global_cleanup();
    if (h->in_tick)
        h->destroyed = true;
    else
        free(h);
}

void rt_http_forget_pool(struct rt_http *h, const char *pool) {
    for (struct rt_http_pool *p = h->pools, *next; p; p = next) {
        next = p->next;
        if (rt_streq(p->name, pool ? pool : ""))
            rt_http_pool_release(p);
    }
}

/* ---- handing out */

static void unwake(struct rt_http_call *r) {
    if (!r->is_woken)
        return;
    struct rt_http_call **at = &r->http->woken;
    while (*at != r)
        at = &(*at)->next_woken;
    *at = r->next_woken;
    r->next_woken = NULL;
    r->is_woken = false;
}

/* Nothing outside knows the request any more. */
static void detach(struct rt_http_call *r) {
    rt_http_pool_remove(r);
    rt_op_drop(&r->lookup);
    rt_timer_stop(r->lookup_deadline);
    r->lookup_deadline = NULL;
    unwake(r);
}

static void request_free(struct rt_http_call *r) {
    char *strings[] = {r->method,  r->url,       r->range,     r->unix_socket, r->proxy,
                       r->ca_file, r->body_file, r->pool_name, r->body,        r->content_type};
    for (size_t i = 0; i < RT_COUNT(strings); i++)
        free(strings[i]);
    rt_url_deinit(&r->at);
    struct curl_slist *lists[] = {r->headers, r->resolve, r->connect_to}; /* none is there where curl could not be loaded */
    for (size_t i = 0; i < RT_COUNT(lists); i++)
        if (lists[i])
            curl_slist_free_all(lists[i]);
    rt_http_close_dialled(r);
    if (r->file >= 0)
        close(r->file);
    rt_buf_deinit(&r->kept);
    rt_buf_deinit(&r->inbox);
    free(r);
}

/* In its own callback the memory must last until that returns. */
static void request_cancel(struct rt_op *op) {
    struct rt_http_call *r = (struct rt_http_call *)op;
    if (r->dead)
        return;
    r->dead = true;
    detach(r);
    if (!r->in_callback)
        request_free(r);
}

static void give_data(struct rt_http_call *r) {
    bool more = r->cb.data(r->cb.ctx, r->status, r->inbox.data, r->inbox.len);
    rt_buf_clear(&r->inbox);
    if (more || r->dead)
        return;
    detach(r);
    r->finished = true;
    rt_error_clear(&r->error);
    rt_http_fail(r, RT_E_CANCELLED, "ended by its receiver");
}

static void log_end(const struct rt_http_call *r) {
    char path[160];
    if (!rt_log_wants(RT_LOG_DEBUG))
        return;
    if (r->error.code != RT_OK)
        rt_log(RT_LOG_DEBUG, "http: %s", r->error.message);
    else
        rt_log(RT_LOG_DEBUG, "http: %s:%d: %s %s: %d, %lld bytes, %lld us", r->at.host, r->at.port,
               r->method, rt_http_path(r, path, sizeof path), r->status, (long long)r->bytes,
               (long long)r->elapsed_us);
}

static void give_end(struct rt_http_call *r) {
    const struct rt_http_answer a = {
        .status = r->status,
        .body = rt_buf_str(&r->kept),
        .body_len = r->kept.len,
        .content_type = r->content_type ? r->content_type : "",
        .range_start = r->range_start,
        .range_end = r->range_end,
        .range_total = r->range_total,
        .retry_after_ms = r->retry_after_ms,
        .elapsed_us = r->elapsed_us,
        .bytes = r->bytes,
    };
    log_end(r);
    detach(r);
    r->dead = true;
    r->cb.done(r->cb.ctx, r->status ? &a : NULL, r->error.code != RT_OK ? &r->error : NULL);
}

/* Gives the owner what has come. The request may be gone afterwards, and so may everything else. */
static void hand_out(struct rt_http_call *r) {
    r->in_callback = true;
    if (r->inbox.len > 0)
        give_data(r);
    if (!r->dead && r->progressed) {
        r->progressed = false;
        r->cb.progress(r->cb.ctx, r->sent, r->total);
    }
    if (!r->dead && r->finished)
        give_end(r);
    r->in_callback = false;
    if (r->dead)
        request_free(r);
}

/* Once per turn: hand out what was taken since the last time, then let what was paused go on. */
static void tick(void *ctx) {
    struct rt_http *h = ctx;
    h->tick = NULL;
    h->in_tick = true;
    h->ticks++;
    while (!h->destroyed && h->woken && h->woken->woken_at < h->ticks) {
        struct rt_http_call *r = h->woken;
        unwake(r);
        hand_out(r);
    }
    h->in_tick = false;
    if (h->destroyed) {
        free(h);
        return;
    }
    h->turn_bytes = 0;
    rt_http_resume(h);
}

void rt_http_need_tick(struct rt_http *h) {
    if (!h->tick)
        h->tick = rt_loop_defer(h->loop, tick, h);
}

void rt_http_wake(struct rt_http_call *r) {
    if (r->is_woken || r->dead)
        return;
    struct rt_http_call **end = &r->http->woken;
    while (*end)
        end = &(*end)->next_woken;
    *end = r;
    r->is_woken = true;
    r->woken_at = r->http->ticks;
    rt_http_need_tick(r->http);
}

static void finish(struct rt_http_call *r) {
    r->elapsed_us = rt_mono_us() - r->began_us;
    r->finished = true;
    rt_http_wake(r);
}

void rt_http_finish(struct rt_http_call *r, CURLcode code) {
    long status = 0;
    const char *type = NULL;
    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    curl_easy_getinfo(r->easy, CURLINFO_CONTENT_TYPE, &type);
    r->status = (int)status;
    r->content_type = rt_strdup(type);
    if (code == CURLE_OK && !r->head_ended) /* curl takes half a head for a whole one */
        code = CURLE_PARTIAL_FILE;
    if (code != CURLE_OK)
        rt_http_explain(r, code);
    rt_http_pool_remove(r);
    finish(r);
}

/* ---- names */

static void use_addresses(struct rt_http_call *r, const struct rt_addresses *a) {
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_buf_addf(&b, "%s:%d:", r->at.host, r->at.port);
    for (int i = 0; i < a->n; i++)
        rt_buf_addf(&b, strchr(a->text[i], ':') ? "%s[%s]" : "%s%s", i ? "," : "", a->text[i]);
    r->resolve = curl_slist_append(r->resolve, rt_buf_str(&b));
    rt_buf_deinit(&b);
}

static void remember_name(struct rt_http *h, const char *host, const struct rt_addresses *a) {
    struct name *n = rt_map_get(&h->names, host);
    if (!n) {
        if (h->names.n >= NAMES_MAX)
            forget_names(h);
        n = RT_NEW(struct name);
        rt_map_set(&h->names, host, n);
    }
    n->addresses = *a;
    n->at_ms = rt_mono_ms();
}

/* It takes the time of a frame, with OpenSSL's tables: not before something is asked. */
static bool curl_begin(struct rt_http *h) {
    if (!h->curl_begun)
        h->curl_begun = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
    return h->curl_begun;
}

const char *rt_http_library(struct rt_error *err) {
    return rt_curl_load(err) ? curl_version() : NULL;
}

static void begin(struct rt_http_call *r) {
    r->easy = curl_begin(r->http) ? curl_easy_init() : NULL;
    if (r->easy) {
        rt_http_setup(r);
        if (rt_http_pool_add(rt_http_pool_get(r->http, r->pool_name, r->dialer), r))
            return;
    }
    rt_http_pool_remove(r);
    rt_http_fail(r, RT_E_LIMIT, "libcurl cannot be used, or has no memory left");
    finish(r);
}

static bool is_numeric(const char *host) {
    unsigned char address[sizeof(struct in6_addr)];
    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

/* An old address is better than none: the connection may even be there still. */
static void looked_up(void *ctx, const struct rt_addresses *a, const struct rt_error *err) {
    struct rt_http_call *r = ctx;
    const struct name *old = rt_map_get(&r->http->names, r->at.host);
    r->lookup = NULL;
    rt_timer_stop(r->lookup_deadline);
    r->lookup_deadline = NULL;
    if (a)
        remember_name(r->http, r->at.host, a);
    else if (old)
        a = &old->addresses;
    if (a) {
        use_addresses(r, a);
        begin(r);
    } else {
        rt_http_fail(r, err->code, "%s", err->message);
        rt_error_hint(&r->error, "%s", err->hint);
        finish(r);
    }
}

static void lookup_too_slow(void *ctx) {
    struct rt_http_call *r = ctx;
    rt_op_drop(&r->lookup);
    struct rt_error err = {0};
    rt_error_set(&err, RT_E_TIMEOUT, "no address of %s within %g s", r->at.host,
                 (double)r->connect_timeout_ms / 1000);
    rt_error_hint(&err, "the name servers do not answer: is this machine's network (or VPN) up?");
    looked_up(r, NULL, &err);
}

static bool is_set(const char *env) {
    const char *v = getenv(env);
    return v && *v;
}

/* With a proxy curl looks names up itself: only it knows whose. */
static bool may_use_proxy(const struct rt_http_call *r) {
    return r->proxy || is_set("all_proxy") || is_set("ALL_PROXY") || is_set("https_proxy") ||
           is_set("HTTPS_PROXY") || is_set("http_proxy");
}

static void find_way(struct rt_http_call *r) {
    if (r->dialer || r->unix_socket || is_numeric(r->at.host) || may_use_proxy(r)) {
        begin(r);
        return;
    }
    const struct name *known = rt_map_get(&r->http->names, r->at.host);
    if (known && rt_mono_ms() - known->at_ms < NAME_FRESH_MS) {
        use_addresses(r, &known->addresses);
        begin(r);
    } else {
        r->lookup = rt_resolve(r->http->loop, r->at.host, looked_up, r);
        r->lookup_deadline =
            rt_timer_start(r->http->loop, r->connect_timeout_ms, 0, lookup_too_slow, r);
    }
}

/* ---- sending */

static bool open_body(struct rt_http_call *r) {
    struct stat st;
    if (!r->body_file)
        return true;
    r->file = open(r->body_file, O_RDONLY | O_CLOEXEC);
    if (r->file < 0 || fstat(r->file, &st) != 0 || !S_ISREG(st.st_mode)) {
        rt_http_fail(r, RT_E_IO, "cannot read %s: %s", r->body_file,
                     r->file < 0 ? strerror(errno) : "not a regular file");
        return false;
    }
    r->file_size = st.st_size;
    return true;
}

static void copy_request(struct rt_http_call *r, const struct rt_http_request *q) {
    r->method = rt_strdup(q->method ? q->method : "GET");
    r->url = rt_strdup(q->url);
    r->range = rt_strdup(q->range);
    r->unix_socket = rt_strdup(q->unix_socket);
    r->proxy = rt_strdup(q->proxy);
    r->ca_file = rt_strdup(q->ca_file);
    r->body_file = rt_strdup(q->body_file);
    r->pool_name = rt_strdup(q->pool);
    r->dialer = q->dialer;
    r->stream = q->stream;
    r->sparse = q->sparse;
    r->fresh = q->fresh;
    r->connect_timeout_ms = q->connect_timeout_ms > 0 ? q->connect_timeout_ms
                            : q->dialer               ? DIALLED_CONNECT_MS
                                                      : CONNECT_MS;
    r->timeout_ms = q->timeout_ms != 0 ? q->timeout_ms : TOTAL_MS;
    r->max_bytes = q->max_bytes ? q->max_bytes : RT_HTTP_MAX_BYTES;
    if (q->body && !q->body_file) {
        r->body = rt_alloc(q->body_len + 1);
        memcpy(r->body, q->body, q->body_len);
        r->body_len = q->body_len;
    }
}

static void copy_headers(struct rt_http_call *r, const struct rt_http_request *q) {
    for (const char *const *h = q->headers; h && *h; h++)
        r->headers = curl_slist_append(r->headers, *h);
}

struct rt_op *rt_http_send(struct rt_http *h, const struct rt_http_request *q,
                           const struct rt_http_callbacks *cb) {
    struct rt_http_call *r = RT_NEW(struct rt_http_call);
    r->op.cancel = request_cancel;
    r->http = h;
    r->cb = *cb;
    r->file = r->dialled = r->stand_in = -1;
    r->range_start = r->range_end = r->range_total = r->retry_after_ms = -1;
    r->began_us = rt_mono_us();
    copy_request(r, q);
    rt_buf_init(&r->kept, cb->data ? RT_HTTP_REFUSAL_BYTES : r->max_bytes);
    rt_buf_init(&r->inbox, (size_t)RT_HTTP_TURN_BYTES * RT_HTTP_STREAM_SHARE);
    if (r->stream && cb->data)
        r->max_bytes = 0;
    if (rt_curl_load(&r->error) && rt_url_parse(r->url, &r->at, &r->error) && open_body(r)) {
        copy_headers(r, q);
        find_way(r);
    } else {
        finish(r);
    }
    return &r->op;
}
