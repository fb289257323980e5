/* What curl brings of an answer and takes of a request. Runs inside curl: nothing here calls a
 * person's callback. */
#include "base/mem.h"
#include "base/str.h"
#include "net/http_impl.h"
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

size_t rt_http_room(const struct rt_http *h) {
    return RT_HTTP_TURN_BYTES - h->turn_bytes;
}

static bool is_good(int status) {
    return status >= 200 && status < 300;
}

static void too_large(struct rt_http_call *r) {
    char limit[32];
    rt_fmt_bytes(limit, sizeof limit, (double)r->max_bytes);
    rt_http_fail(r, RT_E_LIMIT, "the answer is larger than %s", limit);
    rt_error_hint(&r->error, "raise max_answer in the configuration if this is no mistake");
}

/* An announced length tells before the first byte that it will be too much. */
static bool announced_too_large(const struct rt_http_call *r) {
    curl_off_t length = -1;
    return r->bytes == 0 &&
           curl_easy_getinfo(r->easy, CURLINFO_CONTENT_LENGTH_DOWNLOAD_T, &length) == CURLE_OK &&
           length > 0 && (uint64_t)length > r->max_bytes;
}

/* Returns what curl wants: n, or anything else to end the transfer. */
size_t rt_http_on_body(char *data, size_t size, size_t n, void *request) {
    struct rt_http_call *r = request;
    n *= size;
    const size_t weight = r->stream ? (n + RT_HTTP_STREAM_SHARE - 1) / RT_HTTP_STREAM_SHARE : n;
    if (weight > rt_http_room(r->http)) {
        rt_http_pause(r);
        return CURL_WRITEFUNC_PAUSE;
    }
    long status = 0;
    curl_easy_getinfo(r->easy, CURLINFO_RESPONSE_CODE, &status);
    r->status = (int)status;
    if (!is_good(r->status) && r->max_bytes == 0) /* only a stream that was granted has no limit */
        r->max_bytes = RT_HTTP_MAX_BYTES;
    if (r->max_bytes && (n > r->max_bytes - (size_t)r->bytes || announced_too_large(r))) {
        too_large(r);
        return 0;
    }
    r->http->turn_bytes += weight;
    rt_http_need_tick(r->http);
    r->bytes += (int64_t)n;
    if (r->cb.data && is_good(r->status)) {
        rt_buf_add(&r->inbox, data, n);
        rt_http_wake(r);
    } else if (r->cb.data) {
        rt_buf_add(&r->kept, data, RT_MIN(n, r->kept.max - r->kept.len));
    } else {
        rt_buf_add(&r->kept, data, n);
    }
    return n;
}

/* "bytes 100-199/1234", "bytes 0-9" + "/" + "*", "bytes " + "*" + "/1234" */
static void content_range(struct rt_http_call *r, const char *text) {
    text += strspn(text, " \t");
    if (strncasecmp(text, "bytes", 5) != 0)
        return;
    text += 5;
    text += strspn(text, " \t=");
    char *end;
    if (*text >= '0' && *text <= '9') {
        r->range_start = strtoll(text, &end, 10);
        if (*end == '-')
            r->range_end = strtoll(end + 1, &end, 10);
        text = end;
    }
    text = strchr(text, '/');
    if (text && text[1] >= '0' && text[1] <= '9')
        r->range_total = strtoll(text + 1, NULL, 10);
}

/* Seconds; a date (which hardly anybody sends) counts as not said. */
static void retry_after(struct rt_http_call *r, const char *text) {
    static const int64_t most_s = 86400;
    char *end;
    text += strspn(text, " \t");
    if (*text < '0' || *text > '9')
        return;
    const long long s = strtoll(text, &end, 10);
    if (!end[strspn(end, " \t\r\n")])
        r->retry_after_ms = RT_MIN(s, most_s) * 1000;
}

static const struct {
    const char *name;
    void (*read)(struct rt_http_call *r, const char *text);
} headers[] = {{"content-range:", content_range}, {"retry-after:", retry_after}};

size_t rt_http_on_header(char *data, size_t size, size_t n, void *request) {
    struct rt_http_call *r = request;
    n *= size;
    if (n >= 5 && memcmp(data, "HTTP/", 5) == 0) { /* a new answer: 100 and the like came before */
        r->range_start = r->range_end = r->range_total = r->retry_after_ms = -1;
        r->head_ended = false;
    }
    if (n <= 2) /* the empty line */
        r->head_ended = true;
    for (size_t i = 0; i < RT_COUNT(headers); i++) {
        const size_t name = strlen(headers[i].name);
        if (n > name && strncasecmp(data, headers[i].name, name) == 0) {
            char *value = rt_strndup(data + name, RT_MIN(n - name, (size_t)200));
            headers[i].read(r, value);
            free(value);
        }
    }
    return n;
}

size_t rt_http_on_read(char *out, size_t size, size_t n, void *request) {
    struct rt_http_call *r = request;
    ssize_t got = read(r->file, out, size * n);
    return got < 0 ? CURL_READFUNC_ABORT : (size_t)got;
}

int rt_http_on_seek(void *request, curl_off_t offset, int origin) {
    const struct rt_http_call *r = request;
    return lseek(r->file, (off_t)offset, origin) < 0 ? CURL_SEEKFUNC_FAIL : CURL_SEEKFUNC_OK;
}

int rt_http_on_progress(void *request, curl_off_t dl_total, curl_off_t dl_now, curl_off_t ul_total,
                        curl_off_t ul_now) {
    struct rt_http_call *r = request;
    int64_t now = r->file >= 0 ? ul_now : dl_now, total = r->file >= 0 ? ul_total : dl_total;
    if (now != r->sent || total != r->total) {
        r->sent = now;
        r->total = total;
        r->progressed = true;
        rt_http_wake(r);
    }
    return 0;
}
