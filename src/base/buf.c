/* Growing byte buffer with a cap. */
#include "base/buf.h"
#include "base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static size_t limit(const struct rt_buf *b) {
    return b->max ? b->max : 64 * RT_MIB;
}

void rt_buf_init(struct rt_buf *b, size_t max) {
    *b = (struct rt_buf){.max = max ? max : 64 * RT_MIB};
}

void rt_buf_deinit(struct rt_buf *b) {
    size_t max = b->max;
    free(b->data);
    *b = (struct rt_buf){.max = max};
}

/* Room for n more bytes and the NUL; false (and failed) when the cap forbids it. */
static bool reserve(struct rt_buf *b, size_t n) {
    if (b->failed)
        return false;
    if (n > limit(b) || b->len > limit(b) - n) {
        b->failed = true;
        return false;
    }
    size_t need = b->len + n + 1;
    if (need > b->cap) {
        size_t cap = b->cap ? b->cap : 64;
        while (cap < need)
            cap *= 2;
        b->data = rt_realloc(b->data, RT_MIN(cap, limit(b) + 1));
        b->cap = RT_MIN(cap, limit(b) + 1);
    }
    return true;
}

bool rt_buf_add(struct rt_buf *b, const void *data, size_t n) {
    if (!reserve(b, n))
        return false;
    if (n)
        memcpy(b->data + b->len, data, n);
    b->len += n;
    b->data[b->len] = '\0';
    return true;
}

bool rt_buf_adds(struct rt_buf *b, const char *s) {
    return rt_buf_add(b, s, s ? strlen(s) : 0);
}

bool rt_buf_addc(struct rt_buf *b, char c) {
    return rt_buf_add(b, &c, 1);
}

bool rt_buf_addv(struct rt_buf *b, const char *fmt, va_list ap) {
    char small[256];
    va_list again;
    va_copy(again, ap);
    int n = vsnprintf(small, sizeof small, fmt, ap);
    bool ok = n >= 0;
    if (!ok)
        b->failed = true;
    else if ((size_t)n < sizeof small)
        ok = rt_buf_add(b, small, (size_t)n);
    else if ((ok = reserve(b, (size_t)n))) {
        vsnprintf(b->data + b->len, (size_t)n + 1, fmt, again);
        b->len += (size_t)n;
    }
    va_end(again);
    return ok;
}

bool rt_buf_addf(struct rt_buf *b, const char *fmt, ...) {
    va_list ap;
    va_start(ap, fmt);
    bool ok = rt_buf_addv(b, fmt, ap);
    va_end(ap);
    return ok;
}

void rt_buf_clear(struct rt_buf *b) {
    b->len = 0;
    b->failed = false;
    if (b->data)
        b->data[0] = '\0';
}

void rt_buf_drop(struct rt_buf *b, size_t n) {
    if (!b->data)
        return;
    n = RT_MIN(n, b->len);
    memmove(b->data, b->data + n, b->len - n + 1);
    b->len -= n;
}

const char *rt_buf_str(const struct rt_buf *b) {
    return b->data ? b->data : "";
}

char *rt_buf_take(struct rt_buf *b) {
    char *s = b->data ? b->data : rt_strdup("");
    b->data = NULL;
    rt_buf_deinit(b);
    return s;
}
