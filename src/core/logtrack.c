/* One bit (or two) about every finished line of a log, kept up to date while it grows. */
#include "core/logbuf_impl.h"

enum { KINDS_STEP = 4 }; /* blocks: kinds of fewer new lines are looked up when asked for */

/* Lines that will not change any more, as far as is known. */
static int64_t finished(const struct rt_logbuf *b) {
    return rt_logbuf_exact(b) ? b->newlines : b->front_lines;
}

static bool track_unit(void *ctx, struct rt_logunit *u) {
    struct rt_logtrack *t = ctx;
    int64_t from = RT_MAX(t->done - u->first, 0), n = RT_MIN(u->lines, finished(t->b) - u->first) - from;
    t->too_hard = t->too_hard || u->too_hard;
    if (n > 0) {
        /* Lines that were dropped before they were looked at. */
        while (t->done < u->first) {
            const uint64_t none[16] = {0};
            int64_t gap = RT_MIN(u->first - t->done, (int64_t)1024);
            rt_logbits_add(&t->bits[0], none, 0, gap);
            rt_logbits_add(&t->bits[1], none, 0, u->bits[1] ? gap : 0);
            t->done += gap;
        }
        rt_logbits_add(&t->bits[0], u->bits[0], from, n);
        if (u->bits[1])
            rt_logbits_add(&t->bits[1], u->bits[1], from, n);
        t->done += n;
    }
    rt_logbuf_changed(t->b);
    return true;
}

static void track_end(void *ctx) {
    struct rt_logtrack *t = ctx;
    rt_logbuf_changed(t->b);
}

void rt_logtrack_init(struct rt_logtrack *t, struct rt_logbuf *b, struct rt_logregex *re) {
    *t = (struct rt_logtrack){.b = b, .re = re};
    t->scan = (struct rt_logscan){.b = b,
                                  .work = re ? rt_logunit_match : rt_logunit_kinds,
                                  .re = re,
                                  .narrow = !re,
                                  .until = -1,
                                  .unit = track_unit,
                                  .end = track_end,
                                  .ctx = t};
}

void rt_logtrack_deinit(struct rt_logtrack *t) {
    if (t->b)
        rt_logscan_stop(&t->scan);
    rt_logbits_deinit(&t->bits[0]);
    rt_logbits_deinit(&t->bits[1]);
    rt_logregex_unref(t->re);
    *t = (struct rt_logtrack){0};
}

bool rt_logtrack_behind(const struct rt_logtrack *t, size_t *block) {
    const struct rt_logbuf *b = t->b;
    if (t->done >= finished(b))
        return false;
    *block = rt_logbuf_block_of(b, RT_MAX(t->done, rt_logbuf_oldest(b)));
    return *block < b->front && (t->re || b->front - *block >= KINDS_STEP);
}

void rt_logtrack_follow(struct rt_logtrack *t) {
    size_t block;
    if (!rt_logscan_running(&t->scan) && rt_logtrack_behind(t, &block))
        rt_logscan_start(&t->scan, block, t->b->front);
}
