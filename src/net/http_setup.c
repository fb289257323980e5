/* A request in curl's words. */
#include "base/mem.h"
#include "base/str.h"
#include "net/http_impl.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static bool has_header(const struct rt_http_call *r, const char *name) {
    size_t n = strlen(name);
    for (const struct curl_slist *h = r->headers; h; h = h->next)
        if (strncasecmp(h->data, name, n) == 0)
            return true;
    return false;
}

/* Empty values tell curl not to send what it would send by itself: form types, and Expect, for
 * whose answer it would wait a second. */
static void set_headers(struct rt_http_call *r) {
    r->headers = curl_slist_append(r->headers, "Expect:");
    if (!has_header(r, "content-type:"))
        r->headers = curl_slist_append(r->headers, "Content-Type:");
    curl_easy_setopt(r->easy, CURLOPT_HTTPHEADER, r->headers);
    if (!has_header(r, "user-agent:"))
        curl_easy_setopt(r->easy, CURLOPT_USERAGENT, "raytui/" RT_VERSION);
}

static void set_method(struct rt_http_call *r) {
    CURL *e = r->easy;
    if (r->file >= 0) {
        curl_easy_setopt(e, CURLOPT_UPLOAD, 1L);
        curl_easy_setopt(e, CURLOPT_INFILESIZE_LARGE, (curl_off_t)r->file_size);
        curl_easy_setopt(e, CURLOPT_READFUNCTION, rt_http_on_read);
        curl_easy_setopt(e, CURLOPT_READDATA, r);
        curl_easy_setopt(e, CURLOPT_SEEKFUNCTION, rt_http_on_seek);
        curl_easy_setopt(e, CURLOPT_SEEKDATA, r);
    } else if (r->body || rt_streq(r->method, "POST") || rt_streq(r->method, "PUT")) {
        curl_easy_setopt(e, CURLOPT_POST, 1L);
        curl_easy_setopt(e, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)r->body_len);
        curl_easy_setopt(e, CURLOPT_POSTFIELDS, r->body ? r->body : "");
    }
    if (rt_streq(r->method, "HEAD"))
        curl_easy_setopt(e, CURLOPT_NOBODY, 1L);
    else
        curl_easy_setopt(e, CURLOPT_CUSTOMREQUEST, r->method);
}

/* ---- the way there */

static bool is_loopback(const char *host) {
    return rt_starts(host, "127.") || rt_streq(host, "::1") || rt_streq(host, "localhost");
}

static void set_way(struct rt_http_call *r) {
    CURL *e = r->easy;
    if (r->unix_socket)
        curl_easy_setopt(e, CURLOPT_UNIX_SOCKET_PATH, r->unix_socket);
    if (r->dialer)
        rt_http_set_dialer(r);
    bool straight = r->unix_socket || r->dialer || (!r->proxy && is_loopback(r->at.host));
    if (straight)
        curl_easy_setopt(e, CURLOPT_PROXY, ""); /* nor one of the environment */
    else if (r->proxy)
        curl_easy_setopt(e, CURLOPT_PROXY, r->proxy);
    if (r->resolve)
        curl_easy_setopt(e, CURLOPT_RESOLVE, r->resolve);
    if (r->ca_file)
        curl_easy_setopt(e, CURLOPT_CAINFO, r->ca_file);
}

static void set_limits(struct rt_http_call *r) {
    CURL *e = r->easy;
    curl_easy_setopt(e, CURLOPT_CONNECTTIMEOUT_MS, (long)r->connect_timeout_ms);
    if (r->timeout_ms > 0)
        curl_easy_setopt(e, CURLOPT_TIMEOUT_MS, (long)r->timeout_ms);
    if (r->fresh)
        curl_easy_setopt(e, CURLOPT_FRESH_CONNECT, 1L);
    if (r->stream) {
        /* half of what a turn may take: a log that is written fast */
        curl_easy_setopt(e, CURLOPT_BUFFERSIZE, r->sparse ? 4L * 1024 : 128L * 1024);
        curl_easy_setopt(e, CURLOPT_TCP_KEEPALIVE, 1L);
        curl_easy_setopt(e, CURLOPT_TCP_KEEPIDLE, 30L);
        curl_easy_setopt(e, CURLOPT_TCP_KEEPINTVL, 10L);
    } else if (r->timeout_ms <= 0) { /* no deadline: then at least a byte a second */
        curl_easy_setopt(e, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(e, CURLOPT_LOW_SPEED_TIME, 60L);
    }
}

static void set_callbacks(struct rt_http_call *r) {
    CURL *e = r->easy;
    curl_easy_setopt(e, CURLOPT_PRIVATE, (void *)r);
    curl_easy_setopt(e, CURLOPT_ERRORBUFFER, r->curl_text);
    curl_easy_setopt(e, CURLOPT_WRITEFUNCTION, rt_http_on_body);
    curl_easy_setopt(e, CURLOPT_WRITEDATA, r);
    curl_easy_setopt(e, CURLOPT_HEADERFUNCTION, rt_http_on_header);
    curl_easy_setopt(e, CURLOPT_HEADERDATA, r);
    if (r->cb.progress) {
        curl_easy_setopt(e, CURLOPT_NOPROGRESS, 0L);
        curl_easy_setopt(e, CURLOPT_XFERINFOFUNCTION, rt_http_on_progress);
        curl_easy_setopt(e, CURLOPT_XFERINFODATA, r);
    }
}

void rt_http_setup(struct rt_http_call *r) {
    CURL *e = r->easy;
    curl_easy_setopt(e, CURLOPT_URL, r->url);
#if LIBCURL_VERSION_NUM >= 0x075500
    curl_easy_setopt(e, CURLOPT_PROTOCOLS_STR, "http,https");
#else
    curl_easy_setopt(e, CURLOPT_PROTOCOLS, CURLPROTO_HTTP | CURLPROTO_HTTPS);
#endif
    curl_easy_setopt(e, CURLOPT_PATH_AS_IS, 1L);
    curl_easy_setopt(e, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
    curl_easy_setopt(e, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(e, CURLOPT_FOLLOWLOCATION, 0L);
#if LIBCURL_VERSION_NUM >= 0x075700
    curl_easy_setopt(e, CURLOPT_QUICK_EXIT, 1L); /* a cancel does not wait for a proxy's name */
#endif
    if (r->range)
        curl_easy_setopt(e, CURLOPT_RANGE, r->range);
    set_headers(r);
    set_method(r);
    set_way(r);
    set_limits(r);
    set_callbacks(r);
}
