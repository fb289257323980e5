/* A file of a node of an old Ray behind a dashboard. The stream cannot be told from its markers there, but a file that
 * is given once can: it comes in blocks of 64 KiB up to the size it had, with one byte before each. So it is asked for
 * again and again, and what was seen is skipped by counting. */
#include "ray/follow_private.h"

#include <stdlib.h>
#include <string.h>

static const int64_t POLL_MS = 2500;
static const int64_t TIMEOUT_MS = 10 * 60 * 1000;
enum { BLOCK = 64 * 1024, WHY_MAX = 300 };

/* f->seen counts the bytes that came, with the markers. */
static int64_t plain_bytes(int64_t raw) {
    return raw - (raw + BLOCK) / (BLOCK + 1);
}

static bool arrived(void *ctx, int status, const char *data, size_t n) {
    struct rt_follow *f = ctx;
    (void)status;
    rt_follow_enter_data(f);
    while (n > 0 && !f->dead) {
        const int64_t in_block = f->seen % (BLOCK + 1);
        if (in_block == 0 && *data == '0')
            f->no_ranges = true; /* it is the reason why there is no file */
        if (in_block == 0) {
            data++;
            n--;
            f->seen++;
            continue;
        }
        const size_t part = RT_MIN(n, (size_t)(BLOCK + 1 - in_block));
        if (f->no_ranges) {
            if (f->tail.len < WHY_MAX)
                rt_buf_add(&f->tail, data, part);
        } else {
            const int64_t known = RT_MAX(f->off - plain_bytes(f->seen), 0), skip = RT_MIN(known, (int64_t)part);
            rt_follow_live(f, "the whole file, asked for again and again");
            rt_follow_deliver(f, data + skip, part - (size_t)skip);
        }
        f->seen += (int64_t)part;
        data += part;
        n -= part;
    }
    return rt_follow_leave_data(f, true);
}

static void whole_came(struct rt_follow *f) {
    rt_follow_live(f, "the whole file, asked for again and again");
    if (plain_bytes(f->seen) < f->off) {
        f->off = 0;
        rt_follow_tell(f, RT_FOLLOW_RESTARTED, "the file was replaced");
        rt_follow_later(f, 0, rt_marked_next);
    } else if (rt_follow_complete(f)) {
        rt_follow_finish(f);
    } else {
        rt_follow_later(f, POLL_MS, rt_marked_next);
    }
}

static void refused(struct rt_follow *f) {
    struct rt_error err = {0};
    char why[WHY_MAX];
    rt_clean_to(why, sizeof why, rt_buf_str(&f->tail));
    rt_error_set(&err, RT_E_REMOTE, "%.250s", why);
    if (!strstr(why, "not found"))
        rt_follow_lost(f, &err, rt_follow_choose);
    else if (rt_follow_complete(f))
        rt_follow_finish(f);
    else {
        rt_follow_waiting(f, "the log is not there yet");
        rt_follow_later(f, POLL_MS, rt_marked_next);
    }
}

static void answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct rt_follow *f = ctx;
    (void)a;
    rt_follow_call_over(f);
    if (f->dead)
        ;
    else if (err)
        rt_follow_lost(f, err, rt_follow_choose);
    else if (f->no_ranges)
        refused(f);
    else
        whole_came(f);
    rt_follow_leave(f);
}

void rt_marked_next(struct rt_follow *f) {
    if (f->dead)
        return;
    char *node = rt_url_encode(f->node_id), *name = rt_url_encode(f->filename);
    char *path = rt_strf("/api/v0/logs/file?node_id=%s&filename=%s&lines=-1", node, name);
    const struct rt_ray_call c = {.route = "/api/v0/logs/file", .path = path, .timeout_ms = TIMEOUT_MS, .max_bytes = SIZE_MAX / 4,
                                  .data = arrived};
    f->no_ranges = false;
    f->seen = f->got = 0;
    rt_buf_clear(&f->tail);
    f->call = rt_ray_send(f->ray, &c, answered, f);
    free(path);
    free(name);
    free(node);
}
