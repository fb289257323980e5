/* A look of `doctor` that one provider takes: its lines, what it waits for, its end. */
#ifndef RT_PROVIDERS_DOCTOR_H
#define RT_PROVIDERS_DOCTOR_H

#include "core/provider.h"

typedef void rt_doctor_done(void *ctx, const char *lines, const struct rt_error *err);

/* What a provider puts first in its own. */
struct rt_doctor {
    struct rt_op op;
    struct rt_op *look; /* under way; cleared first thing in its callback */
    struct rt_buf lines;
    void (*release)(struct rt_doctor *d); /* what else is in it; NULL: nothing */
    rt_doctor_done *done;
    void *ctx;
};

/* Gives `size` zeroed bytes that begin with it. */
void *rt_doctor_new(size_t size, void (*release)(struct rt_doctor *d), rt_doctor_done *done, void *ctx);
/* Hands the lines out; `d` is gone. */
void rt_doctor_end(struct rt_doctor *d);

/* A line, cleaned: "MARK\tNAME\ttext"; appends. */
void rt_doctor_line(struct rt_buf *out, const char *mark, const char *name, const char *fmt, ...) RT_PRINTF(4, 5);
/* The same with an error's message and hint. */
void rt_doctor_error(struct rt_buf *out, const char *mark, const char *name, const struct rt_error *err);

#endif
