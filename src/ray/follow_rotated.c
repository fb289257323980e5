/* A file that is suddenly shorter was rotated, or is another one. What was written to the old one after the last look
 * still exists under its new name: Python's "x.log.1", Ray's own "x.1.log". That it is the same file is seen by the last
 * bytes that came of it. */
#include "ray/follow_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t TIMEOUT_MS = 10000;
enum { NAMES = 2 };

static char *rotated_name(const struct rt_follow *f) {
    const char *name = f->filename, *slash = strrchr(name, '/'), *dot = strrchr(slash ? slash : name, '.');
    if (f->rotated == 0)
        return rt_strf("%s.1", name);
    return dot ? rt_strf("%.*s.1%s", (int)(dot - name), name, dot) : rt_strf("%s.1", name);
}

static bool arrived(void *ctx, int status, const char *data, size_t n) {
    struct rt_follow *f = ctx;
    rt_follow_enter_data(f);
    f->no_ranges = f->no_ranges || status != 206;
    for (; n > 0 && f->checked < f->last_n && !f->no_ranges; data++, n--, f->checked++)
        f->no_ranges = *data != f->last[f->checked];
    if (!f->no_ranges) {
        const size_t checked = f->checked, had = f->last_n;
        rt_follow_deliver(f, data, n);
        f->checked = checked + (f->last_n - had); /* all of it was looked at */
    }
    return rt_follow_leave_data(f, !f->no_ranges);
}

static void begin_anew(struct rt_follow *f, const char *why) {
    f->off = 0;
    f->last_n = 0;
    rt_follow_tell(f, RT_FOLLOW_RESTARTED, why);
    rt_follow_later(f, 0, rt_ranges_next);
}

static void answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct rt_follow *f = ctx;
    rt_follow_call_over(f);
    if (f->dead)
        ;
    else if (!f->no_ranges && !err && a->status == 206 && a->range_total > f->off)
        rt_rotated_next(f);
    else if (!f->no_ranges && !err && a->status == 206)
        begin_anew(f, "the file was rotated");
    else if (!f->no_ranges && err && !a)
        rt_follow_lost(f, err, rt_ranges_next); /* which finds it shorter again */
    else if (++f->rotated < NAMES)
        rt_rotated_next(f);
    else
        begin_anew(f, "the file was replaced");
    rt_follow_leave(f);
}

void rt_rotated_next(struct rt_follow *f) {
    char range[64];
    if (f->dead)
        return;
    snprintf(range, sizeof range, "%" PRId64 "-", f->off - (int64_t)f->last_n);
    char *name = rotated_name(f), *path = rt_ranges_path(name);
    const struct rt_ray_call c = {.route = "node: /logs/{file}", .path = path, .node = f->node_url, .range = range,
                                  .timeout_ms = TIMEOUT_MS, .data = arrived};
    f->no_ranges = false;
    f->checked = 0;
    f->seen = f->got = 0;
    f->call = rt_ray_send(f->ray, &c, answered, f);
    free(path);
    free(name);
}
