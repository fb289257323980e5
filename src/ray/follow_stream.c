/* The dashboard's own stream, where the nodes cannot be reached. It always starts at the file's
 * beginning and never ends: after a drop what was seen is skipped by counting, and when the job is
 * over the whole file is read once more to be sure of its end. */
#include "ray/follow_private.h"

#include <stdio.h>
#include <string.h>

static const int64_t QUIET_MS = 2000; /* twice the server's interval, and a second */
static const int64_t CHECK_MS = 500;
static const int64_t FILE_TIMEOUT_MS = 10 * 60 * 1000;

static void read_all(struct rt_follow *f);
static void open_stream(struct rt_follow *f);

static bool arrived(void *ctx, int status, const char *data, size_t n) {
    (void)status;
    struct rt_follow *f = ctx;
    rt_follow_enter_data(f);
    const int64_t known = RT_MAX(f->off - f->seen, 0), skip = RT_MIN(known, (int64_t)n);
    f->seen += (int64_t)n;
    f->last_data_ms = rt_loop_now_ms(f->ray->loop);
    rt_follow_live(f, "the dashboard's stream");
    rt_follow_deliver(f, data + skip, n - (size_t)skip);
    return rt_follow_leave_data(f, true);
}

/* Reading for the tail alone: only the end of what came is kept. */
static bool arrived_for_tail(void *ctx, int status, const char *data, size_t n) {
    (void)status;
    struct rt_follow *f = ctx;
    f->seen += (int64_t)n;
    rt_buf_add(&f->tail, data, n);
    const size_t keep = (size_t)f->tail_bytes + 1;
    if (f->tail.len > 2 * keep + RT_MIB)
        rt_buf_drop(&f->tail, f->tail.len - keep);
    return !f->tail.failed;
}

/* "A file is not found at: ...", "Could not find a log file": not yet, or never. */
static bool is_missing(const struct rt_error *err) {
    return err->code == RT_E_NOT_FOUND || strstr(err->message, "file is not found") ||
           strstr(err->message, "find a log file");
}

static void ended_badly(struct rt_follow *f, const struct rt_error *err,
                        void (*again)(struct rt_follow *f)) {
    if (is_missing(err) && rt_follow_complete(f)) {
        rt_follow_finish(f);
    } else if (is_missing(err)) {
        rt_follow_waiting(f, "the log is not there yet");
        rt_follow_later(f, 2 * CHECK_MS, again);
    } else {
        rt_follow_lost(f, err, again);
    }
}

static char *path_of(const struct rt_follow *f, const char *kind, const char *more) {
    char *node = rt_url_encode(f->node_id), *name = rt_url_encode(f->filename);
    char *path = rt_strf("/api/v0/logs/%s?node_id=%s&filename=%s&lines=-1&format=text%s", kind,
                         node, name, more);
    free(name);
    free(node);
    return path;
}

/* ---- once, whole ---- */

static void all_read(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    (void)a;
    struct rt_follow *f = ctx;
    rt_follow_call_over(f);
    if (f->dead)
        ;
    else if (err)
        ended_badly(f, err, read_all);
    else if (f->tail_bytes >= 0)
        rt_follow_deliver_tail(f, rt_buf_str(&f->tail), f->tail.len, f->seen);
    if (!f->dead && !err && rt_follow_complete(f))
        rt_follow_finish(f);
    else if (!f->dead && !err)
        open_stream(f);
    rt_follow_leave(f);
}

static void read_all(struct rt_follow *f) {
    if (f->dead)
        return;
    char *path = path_of(f, "file", "");
    const struct rt_ray_call c = {
        .route = "/api/v0/logs/file",
        .path = path,
        .timeout_ms = FILE_TIMEOUT_MS,
        .max_bytes = SIZE_MAX / 4,
        .data = f->tail_bytes >= 0 ? arrived_for_tail : arrived,
    };
    rt_timer_stop(f->quiet_timer);
    f->quiet_timer = NULL;
    f->after_end = f->job_over;
    f->seen = f->got = 0;
    rt_buf_clear(&f->tail);
    f->call = rt_ray_send(f->ray, &c, all_read, f);
    free(path);
}

/* ---- the stream ---- */

static void check_quiet(void *ctx) {
    struct rt_follow *f = ctx;
    rt_follow_enter(f);
    const int64_t now = rt_loop_now_ms(f->ray->loop);
    if (f->call && !f->live && now - f->last_data_ms > QUIET_MS / f->ray->haste)
        rt_follow_live(f, "the dashboard's stream"); /* silent, but it stands */
    const int64_t since = RT_MAX(f->last_data_ms, f->over_at_ms);
    if (!f->dead && f->job_over && f->until_job_ends && now - since > QUIET_MS / f->ray->haste) {
        rt_op_drop(&f->call);
        read_all(f);
    }
    rt_follow_leave(f);
}

static struct rt_timer *watch_quiet(struct rt_follow *f) {
    const int64_t every = CHECK_MS / f->ray->haste;
    return rt_timer_start(f->ray->loop, every, every, check_quiet, f);
}

void rt_stream_job_over(struct rt_follow *f) {
    if (f->call && !f->quiet_timer)
        f->quiet_timer = watch_quiet(f);
}

static void stream_ended(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    (void)a;
    struct rt_follow *f = ctx;
    rt_follow_call_over(f);
    rt_timer_stop(f->quiet_timer);
    f->quiet_timer = NULL;
    struct rt_error e = {0};
    if (!err)
        rt_error_set(&e, RT_E_UNREACHABLE, "the stream was closed");
    if (!f->dead)
        ended_badly(f, err ? err : &e, rt_follow_choose);
    rt_follow_leave(f);
}

static void open_stream(struct rt_follow *f) {
    char *path = path_of(f, "stream", "&interval=0.5");
    const struct rt_ray_call c = {
        .route = "/api/v0/logs/stream",
        .path = path,
        .timeout_ms = -1,
        .max_bytes = SIZE_MAX / 4,
        .stream = true,
        .data = arrived,
    };
    f->after_end = f->job_over;
    f->seen = f->got = 0;
    f->last_data_ms = rt_loop_now_ms(f->ray->loop);
    f->call = rt_ray_send(f->ray, &c, stream_ended, f);
    f->quiet_timer = watch_quiet(f);
    free(path);
}

/* ---- is it usable here? ---- */

/* A file that is not there tells the dialect: an error status (new), an error in the text (some),
 * or the marker "0" before it (old: each piece begins with such a byte, and no one can tell them
 * from the log's). */
static enum rt_stream_kind kind_of(const struct rt_http_answer *a, const struct rt_error *err) {
    if (!err && a->body_len == 0) /* neither says anything */
        return RT_STREAM_UNKNOWN;
    if (!err)
        return a->body[0] == '0' ? RT_STREAM_MARKED : RT_STREAM_RAW;
    if (a && a->status == 500 && strstr(a->body, "not found"))
        return RT_STREAM_RAW;
    return err->code == RT_E_UNSUPPORTED ? RT_STREAM_MARKED : RT_STREAM_UNKNOWN;
}

static void marked(struct rt_follow *f) {
    struct rt_error err = {0};
    if (f->job_id && f->off == 0) {
        f->way = RT_WAY_TEXT;
        rt_text_next(f);
    } else if (!f->job_id && f->tail_bytes < 0) {
        rt_marked_next(f);
    } else {
        rt_error_set(&err, RT_E_UNSUPPORTED,
                     "this Ray's stream is not exact, and the node's own port cannot be reached");
        rt_error_hint(&err, "%s", f->node_url ? f->node_url : "port 52365 of the node");
        if (f->ranges_worked)
            rt_follow_lost(f, &err, rt_follow_choose);
        else
            rt_follow_fail(f, &err);
    }
}

static void go(struct rt_follow *f) {
    if (f->ray->features.stream == RT_STREAM_MARKED)
        marked(f);
    else if (!f->follow || f->tail_bytes >= 0 || (f->job_over && f->until_job_ends))
        read_all(f);
    else
        open_stream(f);
}

static void probed(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct rt_follow *f = ctx;
    rt_follow_call_over(f);
    const enum rt_stream_kind kind = kind_of(a, err);
    struct rt_error e = {0};
    if (kind != RT_STREAM_UNKNOWN)
        f->ray->features.stream = kind;
    if (!err)
        rt_error_set(&e, RT_E_PROTOCOL, "GET /api/v0/logs/file: an empty answer");
    if (f->dead)
        ;
    else if (kind == RT_STREAM_UNKNOWN)
        rt_follow_lost(f, err ? err : &e, rt_follow_choose);
    else
        go(f);
    rt_follow_leave(f);
}

void rt_stream_next(struct rt_follow *f) {
    if (f->dead)
        return;
    if (f->ray->features.stream != RT_STREAM_UNKNOWN) {
        go(f);
        return;
    }
    char *node = rt_url_encode(f->node_id);
    char *path =
        rt_strf("/api/v0/logs/"
                "file?node_id=%s&filename=raytui-asks-for-no-such-file.log&lines=1&format=text",
                node);
    const struct rt_ray_call c = {.route = "/api/v0/logs/file", .path = path};
    f->call = rt_ray_send(f->ray, &c, probed, f);
    free(path);
    free(node);
}
