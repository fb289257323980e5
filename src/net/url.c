/* Addresses: taken apart and encoded; see http.h. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/http.h"
#include <arpa/inet.h>
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

char *rt_url_encode(const char *s) {
    static const char plain[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    struct rt_buf b;
    rt_buf_init(&b, 0);
    for (; *s; s++) {
        if (strchr(plain, *s))
            rt_buf_addc(&b, *s);
        else
            rt_buf_addf(&b, "%%%02X", (unsigned)(unsigned char)*s);
    }
    return rt_buf_take(&b);
}

/* Letters, digits and "-._~"; other bytes than ASCII's are a name in its own script, which curl knows how to ask for. */
static bool is_name(const char *s, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!((unsigned char)s[i] >= 0x80 || isalnum((unsigned char)s[i]) || strchr("-._~", s[i])))
            return false;
    return n > 0;
}

static bool is_ipv6(const char *text) {
    unsigned char bytes[sizeof(struct in6_addr)];
    return inet_pton(AF_INET6, text, bytes) == 1;
}

/* "::1]" gives "::1", "fe80::1%25eth0]" gives "fe80::1": which interface it is, curl reads by itself. */
static char *read_ipv6(const char *s) {
    const size_t n = strcspn(s, "%]"), zone = strcspn(s + n, "]");
    char *host = rt_strndup(s, n);
    if (is_ipv6(host) && (zone == 0 || (zone > 3 && zone < 16 && strncmp(s + n, "%25", 3) == 0 && is_name(s + n + 3, zone - 3))))
        return host;
    free(host);
    return NULL;
}

/* ":8265", ":" and "" */
static bool read_port(const char *s, size_t n, struct rt_url *out) {
    char text[8];
    int64_t port = strcmp(out->scheme, "https") == 0 ? 443 : 80;
    if (n >= sizeof text || (n && *s != ':'))
        return false;
    snprintf(text, sizeof text, "%.*s", n ? (int)n - 1 : 0, s + 1);
    if (*text && (strspn(text, "0123456789") != strlen(text) || !rt_parse_i64(text, &port)))
        return false;
    out->port = (int)port;
    return port > 0 && port < 65536;
}

/* What curl reads when it connects is the whole again, so that nothing may be taken here that it would read otherwise. Not by
 * curl, which would have to be loaded for it before the first frame. */
static bool take_apart(const char *url, struct rt_url *out) {
    const char *s = strstr(url, "://") + 3;
    out->scheme = rt_strdup(s - url == 8 ? "https" : "http");
    for (const char *c = s; *c; c++)
        if ((unsigned char)*c <= ' ' || *c == 0x7f || *c == '\\')
            return false;
    size_t n = strcspn(s, "/?#");
    const char *at = memchr(s, '@', n), *path = s + n;
    if (at) {
        n -= (size_t)(at + 1 - s);
        s = at + 1;
    }
    const char *bracket = *s == '[' ? memchr(s, ']', n) : NULL;
    const size_t host = bracket ? (size_t)(bracket + 1 - s) : strcspn(s, ":/?#");
    if (bracket || is_name(s, host))
        out->host = bracket ? read_ipv6(s + 1) : rt_strndup(s, host);
    if (!out->host || !read_port(s + host, n - host, out))
        return false;
    size_t len = strcspn(path, "?#");
    while (len > 0 && path[len - 1] == '/')
        len--;
    out->path = rt_strndup(path, len);
    return true;
}

bool rt_url_parse(const char *url, struct rt_url *out, struct rt_error *err) {
    *out = (struct rt_url){0};
    char clean[200];
    const char *secret_end = strrchr(url, '@'); /* user:password@ is not shown */
    rt_clean_to(clean, sizeof clean, secret_end ? secret_end + 1 : url);
    if (strncasecmp(url, "http://", 7) != 0 && strncasecmp(url, "https://", 8) != 0) {
        rt_error_set(err, RT_E_USAGE, "%s is no http:// or https:// address", clean);
        return rt_error_hint(err, "for example http://127.0.0.1:8265");
    }
    if (!take_apart(url, out)) {
        rt_url_deinit(out);
        rt_error_set(err, RT_E_USAGE, "%s is not a valid address", clean);
        return rt_error_hint(err, "it looks like http://HOST:PORT or http://HOST:PORT/PREFIX");
    }
    return true;
}

void rt_url_deinit(struct rt_url *u) {
    free(u->scheme);
    free(u->host);
    free(u->path);
    *u = (struct rt_url){0};
}
