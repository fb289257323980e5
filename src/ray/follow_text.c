/* The last resort: the whole log as one JSON string, over and over. Old Rays offer nothing better
 * where only the dashboard can be reached. Its bytes are not the file's (line ends are changed), so
 * there is no way back to another way. */
#include "ray/follow_private.h"

static const int64_t POLL_MS = 2500;
enum { TRIES_AFTER_END = 3 };

static void take(struct rt_follow *f, const json_t *logs) {
    const char *text = json_string_value(logs);
    const int64_t n = (int64_t)json_string_length(logs);
    if (f->tail_bytes >= 0) {
        rt_follow_deliver_tail(f, text, (size_t)n, n);
    } else if (n < f->off) {
        f->off = 0;
        rt_follow_tell(f, RT_FOLLOW_RESTARTED, "the log is shorter than before");
        rt_follow_deliver(f, text, (size_t)n);
    } else {
        rt_follow_deliver(f, text + f->off, (size_t)(n - f->off));
    }
}

static void failed(struct rt_follow *f, const struct rt_error *err) {
    const bool final = err->code == RT_E_DENIED || err->code == RT_E_NOT_FOUND ||
                       (rt_follow_complete(f) && f->failures >= TRIES_AFTER_END);
    if (final)
        rt_follow_fail(f, err);
    else
        rt_follow_lost(f, err, rt_text_next);
}

static void answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct rt_follow *f = ctx;
    rt_follow_call_over(f);
    struct rt_error e = {0};
    json_t *v = err || f->dead ? NULL : rt_ray_json(a, "/api/jobs/{id}/logs", &e);
    const json_t *logs = json_object_get(v, "logs");
    if (v && !json_is_string(logs))
        rt_error_set(&e, RT_E_PROTOCOL, "GET /api/jobs/{id}/logs: no text in the answer");
    if (f->dead)
        ;
    else if (err || e.code != RT_OK)
        failed(f, err ? err : &e);
    else {
        rt_follow_live(f, "the whole text, asked for again and again");
        take(f, logs);
        if (f->dead)
            ;
        else if (rt_follow_complete(f) && f->got == 0)
            rt_follow_finish(f);
        else
            rt_follow_later(f, rt_follow_complete(f) ? 0 : POLL_MS, rt_text_next);
    }
    json_decref(v);
    rt_follow_leave(f);
}

void rt_text_next(struct rt_follow *f) {
    if (f->dead)
        return;
    char *id = rt_url_encode(f->job_id), *path = rt_strf("/api/jobs/%s/logs", id);
    const struct rt_ray_call c = {
        .route = "/api/jobs/{id}/logs", .path = path, .timeout_ms = 60000};
    f->after_end = f->job_over;
    f->seen = f->got = 0;
    f->call = rt_ray_send(f->ray, &c, answered, f);
    free(path);
    free(id);
}
