/* Addresses of dashboards: what is accepted is what curl, which connects, reads in it. */
#include "fuzz.h"

#include "base/mem.h"
#include "base/str.h"
#include "net/http.h"
#include <curl/curl.h>
#include <string.h>

static void same_as_curl(const char *text, const struct rt_url *u) {
    char *host = NULL, *port = NULL, *scheme = NULL;
    CURLU *c = curl_url();
    PROMISE(curl_url_set(c, CURLUPART_URL, text, CURLU_PATH_AS_IS) == CURLUE_OK);
    PROMISE(curl_url_get(c, CURLUPART_HOST, &host, 0) == CURLUE_OK);
    PROMISE(curl_url_get(c, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) == CURLUE_OK);
    PROMISE(curl_url_get(c, CURLUPART_SCHEME, &scheme, 0) == CURLUE_OK);
    /* curl writes "127.1" as 127.0.0.1 and an IPv6 address in its shortest form */
    if (strchr(host, '[') == NULL && strspn(host, "0123456789.") != strlen(host))
        PROMISE(rt_streq(host, u->host));
    PROMISE(atoi(port) == u->port);
    PROMISE(rt_streq(scheme, u->scheme));
    curl_free(host);
    curl_free(port);
    curl_free(scheme);
    curl_url_cleanup(c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    char *text = rt_strndup((const char *)data, size);
    struct rt_error err = {0};
    struct rt_url u;
    if (rt_url_parse(text, &u, &err)) {
        PROMISE(*u.host && u.port > 0 && u.port < 65536);
        PROMISE(!*u.path || (u.path[0] == '/' && u.path[strlen(u.path) - 1] != '/'));
        same_as_curl(text, &u);
    }
    rt_url_deinit(&u);
    char *encoded = rt_url_encode(text);
    PROMISE(strspn(encoded, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~%") == strlen(encoded));
    free(encoded);
    free(text);
    return 0;
}
