/* A growing byte buffer with a cap. It remembers its own failure (cap reached): build, then check once. */
#ifndef RT_BASE_BUF_H
#define RT_BASE_BUF_H

#include "base/macros.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

struct rt_buf {
    char *data; /* NUL-terminated whenever it is not NULL */
    size_t len, cap, max;
    bool failed; /* something did not fit; what is there stays valid */
};

/* `max` 0 means 64 MiB. */
void rt_buf_init(struct rt_buf *b, size_t max);
void rt_buf_deinit(struct rt_buf *b); /* may be called twice */
bool rt_buf_add(struct rt_buf *b, const void *data, size_t n);
bool rt_buf_adds(struct rt_buf *b, const char *s); /* NULL adds nothing */
bool rt_buf_addc(struct rt_buf *b, char c);
bool rt_buf_addf(struct rt_buf *b, const char *fmt, ...) RT_PRINTF(2, 3);
bool rt_buf_addv(struct rt_buf *b, const char *fmt, va_list ap) RT_PRINTF(2, 0);
void rt_buf_clear(struct rt_buf *b);             /* keeps the memory, forgets the failure */
void rt_buf_drop(struct rt_buf *b, size_t n);    /* removes n bytes at the front */
const char *rt_buf_str(const struct rt_buf *b);  /* never NULL */
char *rt_buf_take(struct rt_buf *b);             /* gives the string (never NULL), leaves the buffer empty */

#endif
