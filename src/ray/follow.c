/* Following a log: the job's state beside it, the choice of the way, and what the person is told.
 */
#include "ray/follow_private.h"

#include <string.h>

static const int64_t JOB_POLL_MS = 2000;
static const int64_t WAIT_POLL_MS = 1000;
static const int64_t POLL_MS = 500;
static const int64_t WHOLE_POLL_MS = 2500; /* where all is asked for again */
static const int64_t MAX_BACKOFF_MS = 10000;
static const int64_t NODE_RETRY_MS = 60000;
static const int64_t SILENT_MS = 5000;
static const int64_t MAX_TAIL = 16 * 1024 * 1024;
enum { MAX_REFUSALS = 5 };
enum { DEFAULT_AGENT_PORT = 52365 };

static void ask_job(struct rt_follow *f);

/* ---- life ---- */

static void stop_all(struct rt_follow *f) {
    rt_op_drop(&f->job_call);
    rt_timer_stop(f->timer);
    rt_timer_stop(f->job_timer);
    rt_timer_stop(f->quiet_timer);
    f->timer = f->job_timer = f->quiet_timer = NULL;
}

static void follow_free(struct rt_follow *f) {
    stop_all(f);
    rt_op_drop(&f->call);
    rt_batch_deinit(&f->job);
    rt_buf_deinit(&f->tail);
    free(f->job_id);
    free(f->node_id);
    free(f->filename);
    free(f->node_url);
    free(f);
}

void rt_follow_leave(struct rt_follow *f) {
    if (--f->busy == 0 && f->dead && !f->in_data)
        follow_free(f);
}

void rt_follow_enter_data(struct rt_follow *f) {
    f->in_data = true;
    rt_follow_enter(f);
}

bool rt_follow_leave_data(struct rt_follow *f, bool go_on) {
    go_on = go_on && !f->dead;
    rt_follow_leave(f);
    f->in_data = !go_on; /* refused, the request ends by itself */
    return go_on;
}

void rt_follow_destroy(struct rt_follow *f) {
    if (!f)
        return;
    if (f->busy == 0) {
        follow_free(f);
        return;
    }
    f->dead = true;
    stop_all(f);
}

/* ---- towards the person ---- */

void rt_follow_tell(struct rt_follow *f, enum rt_follow_event e, const char *text) {
    if (!f->dead && f->cb.event)
        f->cb.event(f->cb.ctx, e, text, f->job.n > 0 ? &f->job.v[0] : NULL);
}

void rt_follow_live(struct rt_follow *f, const char *text) {
    f->failures = 0;
    f->waiting = false;
    if (f->live)
        return;
    f->live = true;
    rt_follow_tell(f, RT_FOLLOW_LIVE, text);
}

void rt_follow_waiting(struct rt_follow *f, const char *text) {
    if (f->waiting)
        return;
    f->waiting = true;
    rt_follow_tell(f, RT_FOLLOW_WAITING, text);
}

static void remember(struct rt_follow *f, const char *data, size_t n) {
    const size_t take = RT_MIN(n, sizeof f->last), keep = RT_MIN(f->last_n, sizeof f->last - take);
    memmove(f->last, f->last + f->last_n - keep, keep);
    memcpy(f->last + keep, data + n - take, take);
    f->last_n = keep + take;
}

void rt_follow_deliver(struct rt_follow *f, const char *data, size_t n) {
    if (n == 0)
        return;
    remember(f, data, n);
    f->off += (int64_t)n;
    f->got += (int64_t)n;
    if (!f->dead && f->cb.data)
        f->cb.data(f->cb.ctx, data, n);
}

void rt_follow_deliver_tail(struct rt_follow *f, const char *data, size_t n, int64_t total) {
    const bool whole = (int64_t)n >= total;
    const size_t want = (size_t)RT_MIN((int64_t)n, f->tail_bytes);
    const char *from = data + (n - want);
    if (!whole || want < n) { /* the line that was cut is not shown */
        const char *newline = memchr(from, '\n', want);
        from = newline ? newline + 1 : from;
    }
    const size_t left = (size_t)(data + n - from);
    f->tail_bytes = -1;
    f->off = total - (int64_t)left;
    rt_follow_deliver(f, from, left);
}

void rt_follow_fail(struct rt_follow *f, const struct rt_error *err) {
    const struct rt_error copy = *err;
    stop_all(f);
    if (!f->dead && f->cb.failed)
        f->cb.failed(f->cb.ctx, &copy);
}

void rt_follow_finish(struct rt_follow *f) {
    stop_all(f);
    rt_follow_tell(f, RT_FOLLOW_ENDED, "");
}

/* ---- time ---- */

static void timer_fired(void *ctx) {
    struct rt_follow *f = ctx;
    rt_follow_enter(f);
    rt_timer_stop(f->timer);
    f->timer = NULL;
    f->then(f);
    rt_follow_leave(f);
}

void rt_follow_later(struct rt_follow *f, int64_t ms, void (*then)(struct rt_follow *f)) {
    if (f->dead)
        return;
    rt_timer_stop(f->timer);
    f->then = then;
    f->timer = rt_timer_start(f->ray->loop, ms / f->ray->haste, 0, timer_fired, f);
}

static int64_t backoff(int failures) {
    return failures >= 4 ? MAX_BACKOFF_MS : (int64_t)1000 << failures;
}

/* Of a job that is over nothing more will come: a cluster that answers and does not have it is
 * final. */
static bool is_final(const struct rt_follow *f, const struct rt_error *err) {
    return err->code == RT_E_DENIED || err->code == RT_E_UNSUPPORTED ||
           (err->code == RT_E_REMOTE && (f->job_over || !f->follow) && f->failures >= MAX_REFUSALS);
}

void rt_follow_lost(struct rt_follow *f, const struct rt_error *err,
                    void (*then)(struct rt_follow *f)) {
    if (is_final(f, err)) {
        rt_follow_fail(f, err);
        return;
    }
    f->waiting = false;
    if (f->live || f->failures == 0) {
        f->live = false;
        rt_follow_tell(f, RT_FOLLOW_LOST, err->message);
    }
    rt_follow_later(f, backoff(f->failures), then);
    f->failures++;
}

void rt_follow_retry(struct rt_follow *f) {
    if (f->timer)
        rt_timer_again(f->timer, 0, 0);
    if (f->job_timer)
        rt_timer_again(f->job_timer, 0, 0);
}

int64_t rt_follow_pause_ms(const struct rt_follow *f) {
    const bool by_range = f->way == RT_WAY_RANGES, by_stream = f->way == RT_WAY_STREAM && f->ray->features.stream == RT_STREAM_RAW;
    return by_range ? f->poll_ms : by_stream ? POLL_MS : WHOLE_POLL_MS;
}

void rt_follow_end(struct rt_follow *f) {
    if (!f->follow)
        return;
    f->follow = false;
    if (f->call) { /* begun before the end was known */
        rt_op_drop(&f->call);
        rt_timer_stop(f->quiet_timer);
        f->quiet_timer = NULL;
        rt_follow_later(f, 0, rt_follow_choose);
    } else if (f->timer) {
        rt_timer_again(f->timer, 0, 0);
    }
}

bool rt_follow_complete(const struct rt_follow *f) {
    return !f->follow || (f->until_job_ends && f->after_end);
}

/* ---- the way ---- */

static bool nodes_can_be_reached(const struct rt_follow *f) {
    const int64_t failed = f->ray->node_failed_ms;
    const bool worth_a_try = failed == 0 || rt_loop_now_ms(f->ray->loop) - failed > NODE_RETRY_MS;
    return (f->ray->node_direct || f->ray->node_dialer) && (worth_a_try || f->ranges_worked);
}

static bool has_port(const char *address) {
    struct rt_url u;
    struct rt_error ignored = {0};
    if (!rt_url_parse(address, &u, &ignored))
        return false;
    const bool ok = u.port > 0;
    rt_url_deinit(&u);
    return ok;
}

void rt_follow_choose(struct rt_follow *f) {
    f->way = f->node_url && nodes_can_be_reached(f) ? RT_WAY_RANGES : RT_WAY_STREAM;
    if (f->way == RT_WAY_RANGES)
        rt_ranges_next(f);
    else
        rt_stream_next(f);
}

/* ---- the job beside it ---- */

static void job_timer_fired(void *ctx) {
    struct rt_follow *f = ctx;
    rt_follow_enter(f);
    rt_timer_stop(f->job_timer);
    f->job_timer = NULL;
    ask_job(f);
    rt_follow_leave(f);
}

static void ask_job_later(struct rt_follow *f, int64_t ms) {
    if (f->dead)
        return;
    rt_timer_stop(f->job_timer);
    f->job_timer = rt_timer_start(f->ray->loop, ms / f->ray->haste, 0, job_timer_fired, f);
}

static void begin(struct rt_follow *f, const struct rt_job *j) {
    f->node_id = rt_strdup(j->driver_node_id);
    f->filename = rt_strf("job-driver-%s.log", j->submission_id);
    /* "http://IP:-1" was seen where the node could not bind its port */
    if (j->driver_agent_http_address && has_port(j->driver_agent_http_address))
        f->node_url = rt_strdup(j->driver_agent_http_address);
    rt_follow_choose(f);
}

static void first_line(const char *text, char *out, size_t size) {
    char *line = rt_strndup(text ? text : "", text ? strcspn(text, "\n") : 0);
    rt_clean_to(out, size, line);
    free(line);
}

static void not_started(struct rt_follow *f, const struct rt_job *j) {
    char why[200];
    first_line(j->message, why, sizeof(why));
    if (f->job_over || !f->follow) { /* it never ran: its text, if any, is all there is */
        f->way = RT_WAY_TEXT;
        rt_text_next(f);
        return;
    }
    rt_follow_waiting(f, *why ? why : "the job has not started yet");
}

static void job_known(struct rt_follow *f) {
    const struct rt_job *j = &f->job.v[0];
    struct rt_error err = {0};
    f->job_failures = 0;
    if (rt_job_ended((enum rt_job_status)j->status) && !f->job_over) {
        f->job_over = true;
        f->over_at_ms = rt_loop_now_ms(f->ray->loop);
    }
    if (!j->submission_id) {
        rt_error_set(&err, RT_E_UNSUPPORTED,
                     "job %s was started by a program of its own: Ray keeps no log of it",
                     f->job_id);
        rt_error_hint(&err, "its workers' logs are among the logs of the nodes");
        rt_follow_fail(f, &err);
        return;
    }
    if (f->way == RT_WAY_NONE && j->driver_node_id)
        begin(f, j);
    else if (f->way == RT_WAY_NONE)
        not_started(f, j);
    else if (f->job_over && f->way == RT_WAY_STREAM)
        rt_stream_job_over(f);
    if (f->follow && !f->job_over)
        ask_job_later(f, f->way == RT_WAY_NONE ? WAIT_POLL_MS : JOB_POLL_MS);
}

/* A log that flows needs no help; a stream that is silent may be dead without anybody noticing. */
static void job_lost(struct rt_follow *f, const struct rt_error *err) {
    if (err->code == RT_E_DENIED || err->code == RT_E_NOT_FOUND || err->code == RT_E_UNSUPPORTED) {
        rt_op_drop(&f->call);
        rt_follow_fail(f, err);
        return;
    }
    const bool silent = f->way == RT_WAY_STREAM && f->call &&
                        rt_loop_now_ms(f->ray->loop) - f->last_data_ms > SILENT_MS;
    if (silent)
        rt_op_drop(&f->call);
    if (silent)
        rt_follow_lost(f, err, rt_follow_choose);
    else if (f->way == RT_WAY_NONE && f->job_failures == 0)
        rt_follow_tell(f, RT_FOLLOW_LOST, err->message);
    ask_job_later(f, backoff(f->job_failures));
    f->job_failures++;
}

static void job_answered(void *ctx, rt_jobs *b, const struct rt_error *err) {
    struct rt_follow *f = ctx;
    f->job_call = NULL;
    rt_follow_enter(f);
    if (err) {
        job_lost(f, err);
    } else {
        rt_batch_deinit(&f->job);
        f->job = *b;
        memset(b, 0, sizeof(*b));
        job_known(f);
    }
    rt_follow_leave(f);
}

static void ask_job(struct rt_follow *f) {
    if (!f->dead && !f->job_call)
        f->job_call = rt_ray_job(f->ray, f->job_id, job_answered, f);
}

/* ---- a file of a node ---- */

/* Where the node's own port is; without an answer the dashboard has to do. */
static void node_answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct rt_follow *f = ctx;
    f->job_call = NULL;
    rt_follow_enter(f);
    struct rt_error e = {0};
    json_t *v = err ? NULL : rt_ray_json(a, "/nodes/{id}", &e);
    const json_t *detail = rt_json_at(v, "data.detail");
    const char *ip = rt_json_str(detail, "ip");
    const json_t *port = rt_json_at(detail, "raylet.dashboardAgentListenPort");
    const json_int_t p = json_is_integer(port) ? json_integer_value(port) : DEFAULT_AGENT_PORT;
    if (ip && p > 0 && p < 65536)
        f->node_url = rt_strf(strchr(ip, ':') ? "http://[%s]:%d" : "http://%s:%d", ip, (int)p);
    json_decref(v);
    if (err && err->code == RT_E_DENIED)
        rt_follow_fail(f, err);
    else
        rt_follow_choose(f);
    rt_follow_leave(f);
}

static void ask_node(struct rt_follow *f) {
    char *id = rt_url_encode(f->node_id), *path = rt_strf("/nodes/%s", id);
    const struct rt_ray_call c = {.route = "/nodes/{id}", .path = path};
    f->job_call = rt_ray_send(f->ray, &c, node_answered, f);
    free(path);
    free(id);
}

/* ---- start ---- */

struct rt_follow *rt_follow_start(struct rt_ray *r, const struct rt_follow_opts *o,
                                  const struct rt_follow_callbacks *cb) {
    struct rt_follow *f = RT_NEW(struct rt_follow);
    f->ray = r;
    f->cb = *cb;
    f->tail_bytes = RT_MIN(o->tail_bytes, MAX_TAIL);
    f->follow = o->follow;
    f->poll_ms = o->poll_ms > 0 ? o->poll_ms : POLL_MS;
    f->until_job_ends = o->until_job_ends;
    rt_buf_init(&f->tail, 0);
    if (o->job) {
        f->job_id = rt_strdup(o->job);
        ask_job(f);
    } else {
        f->node_id = rt_strdup(o->node_id);
        f->filename = rt_strdup(o->filename);
        f->node_url = rt_strdup(o->node_url);
        if (f->node_url)
            rt_follow_later(f, 0, rt_follow_choose);
        else
            ask_node(f);
    }
    return f;
}
