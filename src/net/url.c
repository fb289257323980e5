/* Addresses: taken apart and encoded; see http.h. */
#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/http.h"
#include <curl/curl.h>
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

static char *part(CURLU *u, CURLUPart what, unsigned flags) {
    char *text = NULL;
    if (curl_url_get(u, what, &text, flags) != CURLUE_OK)
        return NULL;
    char *own = rt_strdup(text);
    curl_free(text);
    return own;
}

/* "[::1]" -> "::1" */
static void strip_brackets(char *host) {
    size_t n = strlen(host);
    if (n >= 2 && host[0] == '[' && host[n - 1] == ']') {
        memmove(host, host + 1, n - 2);
        host[n - 2] = '\0';
    }
}

static void strip_slashes(char *path) {
    for (size_t n = strlen(path); n > 0 && path[n - 1] == '/'; n--)
        path[n - 1] = '\0';
}

static bool take_apart(CURLU *u, struct rt_url *out) {
    char *port = part(u, CURLUPART_PORT, CURLU_DEFAULT_PORT);
    int64_t number = 0;
    bool ok = port && rt_parse_i64(port, &number) && number > 0 && number < 65536;
    free(port);
    out->scheme = part(u, CURLUPART_SCHEME, 0);
    out->host = part(u, CURLUPART_HOST, 0);
    out->path = part(u, CURLUPART_PATH, 0);
    out->port = (int)number;
    if (!ok || !out->scheme || !out->host || !*out->host || !out->path)
        return false;
    strip_brackets(out->host);
    strip_slashes(out->path);
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
    CURLU *u = curl_url();
    bool ok = u && curl_url_set(u, CURLUPART_URL, url, CURLU_PATH_AS_IS) == CURLUE_OK &&
              take_apart(u, out);
    curl_url_cleanup(u);
    if (!ok) {
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
