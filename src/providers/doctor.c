/* The frame of a provider's look for `doctor`. */
#include "providers/doctor.h"
#include <stdlib.h>

static void release(struct rt_doctor *d) {
    rt_op_drop(&d->look);
    rt_buf_deinit(&d->lines);
    if (d->release)
        d->release(d);
    free(d);
}

static void cancel(struct rt_op *op) {
    release((struct rt_doctor *)op);
}

void *rt_doctor_new(size_t size, void (*release_more)(struct rt_doctor *d), rt_doctor_done *done, void *ctx) {
    struct rt_doctor *d = rt_alloc(size);
    d->op.cancel = cancel;
    d->release = release_more;
    d->done = done;
    d->ctx = ctx;
    rt_buf_init(&d->lines, RT_MIB);
    return d;
}

void rt_doctor_end(struct rt_doctor *d) {
    rt_doctor_done *done = d->done;
    void *ctx = d->ctx;
    char *text = rt_buf_take(&d->lines);
    release(d);
    done(ctx, text, NULL);
    free(text);
}

void rt_doctor_line(struct rt_buf *out, const char *mark, const char *name, const char *fmt, ...) {
    struct rt_buf text;
    va_list ap;
    rt_buf_init(&text, 16 * RT_KIB);
    va_start(ap, fmt);
    rt_buf_addv(&text, fmt, ap);
    va_end(ap);
    rt_buf_addf(out, "%s\t%s\t", mark, name);
    rt_clean(out, rt_buf_str(&text), text.len);
    rt_buf_addc(out, '\n');
    rt_buf_deinit(&text);
}

void rt_doctor_error(struct rt_buf *out, const char *mark, const char *name, const struct rt_error *err) {
    rt_doctor_line(out, mark, name, "%s%s%s", err->message, err->hint[0] ? " - " : "", err->hint);
}
