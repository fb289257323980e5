/* What went wrong with a request, in words a person can use. */
#include "base/mem.h"
#include "base/str.h"
#include "net/http_impl.h"
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

char *rt_http_path(const struct rt_http_call *r, char *out, size_t size) {
    const char *host = strstr(r->url, "://");
    const char *path = host ? strchr(host + 3, '/') : NULL;
    size_t n = path ? strcspn(path, "?#") : 0;
    char *plain = n ? rt_strndup(path, n) : rt_strdup("/");
    rt_clean_to(out, size, plain);
    free(plain);
    return out;
}

void rt_http_fail(struct rt_http_call *r, enum rt_code code, const char *fmt, ...) {
    if (r->error.code != RT_OK)
        return;
    char text[sizeof r->error.message], path[160];
    va_list ap;
    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    rt_error_set(&r->error, code, "%s %s: %s", r->method, rt_http_path(r, path, sizeof path), text);
}

/* Who was asked, as a person would name it. */
static const char *peer(const struct rt_http_call *r, char *out, size_t size) {
    char host[200];
    if (r->unix_socket) {
        rt_clean_to(out, size, r->unix_socket);
        return out;
    }
    rt_clean_to(host, sizeof host, r->at.host);
    snprintf(out, size, strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, r->at.port);
    return out;
}

static void not_connected(struct rt_http_call *r, const char *at) {
    long reason = 0;
    curl_easy_getinfo(r->easy, CURLINFO_OS_ERRNO, &reason);
    const char *via = r->proxy ? " (by its proxy)" : "";
    if (reason == ECONNREFUSED) {
        rt_http_fail(r, RT_E_UNREACHABLE, "connection refused by %s%s", at, via);
        rt_error_hint(
            &r->error,
            "the machine is there, but nothing listens on this port: is the head running?");
    } else if (reason == ENOENT && r->unix_socket) {
        rt_http_fail(r, RT_E_UNREACHABLE, "there is no socket %s", at);
    } else {
        rt_http_fail(r, RT_E_UNREACHABLE, "no connection to %s%s: %s", at, via,
                     reason ? strerror((int)reason) : "it failed without a reason");
    }
}

static void timed_out(struct rt_http_call *r, const char *at) {
    long request_bytes = 0; /* the times of curl tell another story in each version */
    double limit_s = (double)r->timeout_ms / 1000;
    curl_easy_getinfo(r->easy, CURLINFO_REQUEST_SIZE, &request_bytes);
    if (request_bytes == 0) {
        rt_http_fail(r, RT_E_TIMEOUT, "no connection to %s within %g s", at,
                     (double)r->connect_timeout_ms / 1000);
        rt_error_hint(&r->error, "is the address right, and reachable from here (VPN, firewall)?");
    } else if (r->timeout_ms <= 0) {
        rt_http_fail(r, RT_E_TIMEOUT, "%s has been silent for a minute", at);
    } else if (r->bytes > 0) {
        char got[32];
        rt_fmt_bytes(got, sizeof got, (double)r->bytes);
        rt_http_fail(r, RT_E_TIMEOUT, "%s did not end its answer within %g s (%s came)", at,
                     limit_s, got);
    } else {
        rt_http_fail(r, RT_E_TIMEOUT, "no answer from %s within %g s", at, limit_s);
    }
}

static void broke_off(struct rt_http_call *r, const char *at) {
    char got[32];
    rt_fmt_bytes(got, sizeof got, (double)r->bytes);
    rt_http_fail(r, RT_E_UNREACHABLE, "the answer of %s broke off after %s", at, got);
}

/* curl's own words for it, clean. */
struct words {
    char text[CURL_ERROR_SIZE * 2];
};
static struct words in_words(const struct rt_http_call *r, CURLcode code) {
    struct words w;
    rt_clean_to(w.text, sizeof w.text, *r->curl_text ? r->curl_text : curl_easy_strerror(code));
    return w;
}

/* A dialled stream that ends tells nothing by itself; its dialer may know why. */
static bool dialer_knows(struct rt_http_call *r) {
    struct rt_error why = {0};
    if (!r->dialer || !r->dialer->error || !r->dialer->error(r->dialer->ctx, &why))
        return false;
    rt_http_fail(r, why.code ? why.code : RT_E_UNREACHABLE, "%s", why.message);
    rt_error_hint(&r->error, "%s", why.hint);
    return true;
}

static void explain_tls(struct rt_http_call *r, CURLcode code, const char *at) {
    struct words w = in_words(r, code);
    if (code == CURLE_PEER_FAILED_VERIFICATION) {
        rt_http_fail(r, RT_E_UNREACHABLE, "the certificate of %s is not trusted: %s", at, w.text);
        rt_error_hint(&r->error,
                      "if a CA of your site has signed it, name that CA's file in ca_file");
    } else if (code == CURLE_SSL_CACERT_BADFILE) {
        rt_http_fail(r, RT_E_CONFIG, "cannot read the CA file %s",
                     r->ca_file ? r->ca_file : "of this system");
    } else {
        rt_http_fail(r, RT_E_UNREACHABLE, "no TLS with %s: %s", at, w.text);
        rt_error_hint(&r->error, "does it speak plain http:// on this port?");
    }
}

void rt_http_explain(struct rt_http_call *r, CURLcode code) {
    char at[240];
    peer(r, at, sizeof at);
    switch (code) {
    case CURLE_COULDNT_CONNECT:
        not_connected(r, at);
        break;
    case CURLE_COULDNT_RESOLVE_HOST:
        rt_http_fail(r, RT_E_UNREACHABLE, "no host has the name %s", r->at.host);
        break;
    case CURLE_COULDNT_RESOLVE_PROXY:
        rt_http_fail(r, RT_E_UNREACHABLE, "the name of the proxy is not known");
        break;
    case CURLE_OPERATION_TIMEDOUT:
        if (r->status || !dialer_knows(r))
            timed_out(r, at);
        break;
    case CURLE_GOT_NOTHING:
        if (!dialer_knows(r))
            rt_http_fail(r, RT_E_UNREACHABLE, "%s closed the connection without an answer", at);
        break;
    case CURLE_PARTIAL_FILE:
        broke_off(r, at);
        break;
    case CURLE_SEND_ERROR:
    case CURLE_RECV_ERROR:
        if (r->status)
            broke_off(r, at);
        else if (!dialer_knows(r))
            rt_http_fail(r, RT_E_UNREACHABLE, "the connection to %s was lost: %s", at,
                         in_words(r, code).text);
        break;
    case CURLE_READ_ERROR:
    case CURLE_ABORTED_BY_CALLBACK:
        rt_http_fail(r, RT_E_IO, "cannot read %s",
                     r->body_file ? r->body_file : "what is to be sent");
        break;
    case CURLE_WEIRD_SERVER_REPLY:
    case CURLE_UNSUPPORTED_PROTOCOL:
        rt_http_fail(r, RT_E_PROTOCOL, "%s does not speak HTTP: %s", at, in_words(r, code).text);
        rt_error_hint(&r->error,
                      "is this the dashboard's port (8265), and not Ray's own (6379, 10001)?");
        break;
    case CURLE_PEER_FAILED_VERIFICATION:
    case CURLE_SSL_CONNECT_ERROR:
    case CURLE_SSL_CACERT_BADFILE:
    case CURLE_SSL_CIPHER:
    case CURLE_SSL_CERTPROBLEM:
        explain_tls(r, code, at);
        break;
    default:
        rt_http_fail(r, RT_E_PROTOCOL, "no good answer from %s: %s", at, in_words(r, code).text);
    }
}
