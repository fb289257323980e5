/* The exact way: each node process serves its log directory with byte ranges. A dropped connection
 * costs nothing: the next request begins where the last byte was. */
#include "ray/follow_private.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

static const int64_t PIECE = 8 * 1024 * 1024;
static const int64_t PIECE_TIMEOUT_MS = 10000;
/* With the node gone for so long the dashboard may still know its log. */
enum { FAILURES_BEFORE_OTHER_WAY = 3 };

static bool arrived(void *ctx, int status, const char *data, size_t n) {
    struct rt_follow *f = ctx;
    rt_follow_enter_data(f);
    f->no_ranges = status != 206;
    if (!f->no_ranges)
        rt_follow_deliver(f, data, n);
    return rt_follow_leave_data(f, !f->no_ranges);
}

static void is_live(struct rt_follow *f) {
    char text[160];
    const char *at = strstr(f->node_url, "://");
    snprintf(text, sizeof(text), "byte ranges of %.100s", at ? at + 3 : f->node_url);
    f->ranges_worked = true;
    f->ray->node_failed_ms = 0;
    rt_follow_live(f, text);
}

static void other_way(struct rt_follow *f) {
    f->way = RT_WAY_STREAM;
    rt_stream_next(f);
}

static void nothing_new(struct rt_follow *f, int64_t total) {
    is_live(f);
    if (f->tail_bytes >= 0) { /* an empty file has no tail */
        f->tail_bytes = -1;
        f->off = total > 0 ? total : 0;
    }
    if (total >= 0 && total < f->off) {
        f->rotated = 0;
        rt_rotated_next(f);
    } else if (rt_follow_complete(f)) {
        rt_follow_finish(f);
    } else {
        rt_follow_later(f, f->poll_ms, rt_ranges_next);
    }
}

static void got_piece(struct rt_follow *f, const struct rt_http_answer *a) {
    is_live(f);
    if (f->tail_bytes >= 0)
        rt_follow_deliver_tail(f, a->body, a->body_len,
                               a->range_total >= 0 ? a->range_total : (int64_t)a->body_len);
    const bool more = a->range_total > f->off;
    /* The end is sure only when a later request finds nothing. */
    rt_follow_later(f, more || rt_follow_complete(f) ? 0 : f->poll_ms, rt_ranges_next);
}

static void not_there(struct rt_follow *f) {
    if (rt_follow_complete(f)) {
        rt_follow_finish(f);
        return;
    }
    rt_follow_waiting(f, "the log is not there yet");
    rt_follow_later(f, 2 * f->poll_ms, rt_ranges_next);
}

static void failed(struct rt_follow *f, const struct rt_error *err) {
    if (f->got > 0 && err->code == RT_E_TIMEOUT) { /* slow, not lost */
        rt_follow_later(f, 0, rt_ranges_next);
    } else if (!f->ranges_worked || f->no_ranges || err->code == RT_E_DENIED) {
        f->ray->node_failed_ms = rt_loop_now_ms(f->ray->loop);
        other_way(f);
    } else if (f->failures >= FAILURES_BEFORE_OTHER_WAY) {
        other_way(f);
    } else {
        rt_follow_lost(f, err, rt_ranges_next);
    }
}

static void answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct rt_follow *f = ctx;
    rt_follow_call_over(f);
    if (f->dead)
        ;
    else if (a && a->status == 416)
        nothing_new(f, a->range_total);
    else if (a && a->status == 404)
        not_there(f);
    else if (!err && a->status == 206)
        got_piece(f, a);
    else if (!err)
        other_way(f); /* the whole file came: somebody in between does not know ranges */
    else
        failed(f, err);
    rt_follow_leave(f);
}

/* Slashes stay: a log may lie in a directory of its own. */
char *rt_ranges_path(const char *filename) {
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_buf_adds(&b, "/logs");
    while (*filename) {
        const size_t n = strcspn(filename, "/");
        char *part = rt_strndup(filename, n), *encoded = rt_url_encode(part);
        if (n > 0)
            rt_buf_addf(&b, "/%s", encoded);
        free(part);
        free(encoded);
        filename += n + (filename[n] == '/');
    }
    return rt_buf_take(&b);
}

void rt_ranges_next(struct rt_follow *f) {
    if (f->dead)
        return;
    char range[64];
    const bool tail = f->tail_bytes >= 0;
    if (tail)
        snprintf(range, sizeof(range), "-%" PRId64, RT_MAX(f->tail_bytes, 1));
    else
        snprintf(range, sizeof(range), "%" PRId64 "-%" PRId64, f->off, f->off + PIECE - 1);
    char *path = rt_ranges_path(f->filename);
    const struct rt_ray_call c = {
        .route = "node: /logs/{file}",
        .path = path,
        .node = f->node_url,
        .range = range,
        .timeout_ms = PIECE_TIMEOUT_MS,
        .data = tail ? NULL : arrived,
    };
    f->after_end = f->job_over;
    f->seen = f->got = 0;
    f->no_ranges = false;
    f->call = rt_ray_send(f->ray, &c, answered, f);
    free(path);
}
