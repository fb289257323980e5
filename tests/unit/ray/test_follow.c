/* Following logs that grow, over connections that break: what arrives must be the file, byte by
 * byte. */
#include "ray/follow.h"
#include "unit/ray/dashboard.h"

/* A job, its log, and how the servers misbehave. */
static struct {
    pthread_mutex_t lock;
    struct rt_buf log;
    char status[16], type[16];
    bool started, no_file, marked, whole_only, no_job;
    const char *rotated, *old; /* another file: its path and text */
    int drop_every; /* answers are cut after so many bytes; 0: never */
    int asked;
    struct httpd *node;
    bool node_refuses;
} ray;

static struct dashboard d;

struct seen {
    struct rt_buf data;
    bool ended, failed;
    int live, lost, waiting, restarted;
    char how[200];
    struct rt_error err;
    int status;
    struct rt_follow *destroy_in_data, *destroy_in_event;
};
static struct seen seen;

static void lock(void) {
    pthread_mutex_lock(&ray.lock);
}

static void unlock(void) {
    pthread_mutex_unlock(&ray.lock);
}

static void grow(const char *text) {
    lock();
    rt_buf_adds(&ray.log, text);
    unlock();
}

static void set_status(const char *status) {
    lock();
    snprintf(ray.status, sizeof(ray.status), "%s", status);
    unlock();
}

static char *copy_log(size_t *n) {
    lock();
    char *copy = rt_alloc(ray.log.len + 1);
    if (ray.log.len > 0)
        memcpy(copy, ray.log.data, ray.log.len);
    *n = ray.log.len;
    unlock();
    return copy;
}

/* ---- the node's own port ---- */

static bool send_cut(const struct httpd_request *r, const char *data, size_t n) {
    const size_t limit = ray.drop_every > 0 ? (size_t)ray.drop_every : n;
    httpd_send(r, data, RT_MIN(n, limit));
    return n <= limit;
}

static bool node_answer(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    char range[64] = "", head[300];
    size_t n, from = 0, to;
    if (ray.node_refuses)
        return false;
    const bool old = ray.rotated && strcmp(r->target, ray.rotated) == 0;
    if (ray.no_file || (!old && strcmp(r->target, "/logs/job-driver-job_1.log") != 0)) {
        httpd_text(r, 404, "text/plain", "404: Not Found");
        return true;
    }
    char *log = old ? rt_strdup(ray.old) : copy_log(&n);
    if (old)
        n = strlen(log);
    httpd_header(r, "Range", range, sizeof(range));
    const char *spec = strchr(range, '=') ? strchr(range, '=') + 1 : "0-";
    to = n;
    if (*spec == '-') {
        const size_t last = (size_t)strtoull(spec + 1, NULL, 10);
        from = last < n ? n - last : 0;
    } else {
        char *end;
        from = (size_t)strtoull(spec, &end, 10);
        if (end[0] == '-' && end[1])
            to = RT_MIN(n, (size_t)strtoull(end + 1, NULL, 10) + 1);
    }
    bool go_on = true;
    if (ray.whole_only) {
        httpd_answer(r, 200, "text/plain", NULL, log, n);
    } else if (from >= n) {
        snprintf(head, sizeof(head), "Content-Range: bytes */%zu\r\n", n);
        httpd_answer(r, 416, "text/plain", head, "", 0);
    } else {
        const int len = snprintf(
            head, sizeof(head),
            "HTTP/1.1 206 X\r\nContent-Length: %zu\r\nContent-Range: bytes %zu-%zu/%zu\r\n\r\n",
            to - from, from, to - 1, n);
        go_on = httpd_send(r, head, (size_t)len) && send_cut(r, log + from, to - from);
    }
    free(log);
    return go_on;
}

/* ---- the dashboard ---- */

static bool get_job(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    char text[600];
    if (ray.no_job) {
        httpd_text(r, 404, "text/plain", "Job job_1 does not exist");
        return true;
    }
    lock();
    snprintf(text, sizeof(text),
             "{\"type\":\"SUBMISSION\",\"submission_id\":%s,\"job_id\":\"01000000\",\"status\":\"%"
             "s\",\"message\":\"Job has not started yet.\","
             "\"driver_node_id\":%s,\"driver_agent_http_address\":%s%s%s}",
             strcmp(ray.type, "DRIVER") == 0 ? "null" : "\"job_1\"", ray.status,
             ray.started ? "\"n1\"" : "null", ray.started ? "\"" : "",
             ray.started ? httpd_url(ray.node) : "null", ray.started ? "\"" : "");
    unlock();
    httpd_text(r, 200, "application/json", text);
    return true;
}

/* As Rays up to 2.44 do: a byte before each 64 KiB. */
static bool send_marked(const struct httpd_request *r, const char *data, size_t n) {
    bool ok = true;
    for (size_t at = 0; ok && at < n; at += 65536)
        ok = httpd_chunk(r, "1", 1) && httpd_chunk(r, data + at, RT_MIN(n - at, (size_t)65536));
    return ok;
}

static bool get_stream(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    static const char head[] =
        "HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-Encoding: chunked\r\n\r\n";
    const bool whole = strstr(r->target, "/logs/file") != NULL;
    if (ray.no_file || strstr(r->target, "no-such-file")) {
        if (ray.marked)
            httpd_text(
                r, 200, "text/plain",
                "0Closing HTTP stream due to internal server error.\nA file is not found at: x");
        else
            httpd_text(r, 500, "text/plain", "A file is not found at: /tmp/ray/logs/x.log");
        return true;
    }
    httpd_send(r, head, sizeof(head) - 1);
    size_t sent = 0, budget = ray.drop_every > 0 && !whole
                                  ? (size_t)ray.drop_every * (size_t)(1 + ray.asked++)
                                  : SIZE_MAX;
    for (;;) {
        size_t n;
        char *log = copy_log(&n);
        const size_t left = RT_MIN(n - sent, budget - RT_MIN(sent, budget));
        const bool ok = left == 0 || (ray.marked && whole ? send_marked(r, log + sent, left) : httpd_chunk(r, log + sent, left));
        sent += left;
        free(log);
        if (!ok || sent >= budget || httpd_stopping(r->server))
            return false;
        if (whole)
            return httpd_chunk(r, "", 0);
        httpd_sleep_ms(20);
    }
}

static bool get_text(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    size_t n;
    char *log = copy_log(&n);
    json_t *v = json_pack("{s:s%}", "logs", log, n);
    char *text = json_dumps(v, JSON_COMPACT);
    httpd_text(r, 200, "application/json", text);
    free(text);
    json_decref(v);
    free(log);
    return true;
}

static bool get_node(void *ctx, const struct httpd_request *r) {
    (void)ctx;
    char text[200];
    snprintf(text, sizeof(text),
             "{\"data\":{\"detail\":{\"ip\":\"127.0.0.1\",\"raylet\":{\"dashboardAgentListenPort\":"
             "%d}}}}",
             httpd_port(ray.node));
    httpd_text(r, 200, "application/json", text);
    return true;
}

static const struct route routes[] = {
    {"GET", "/api/jobs/job_1/logs", .fn = get_text},
    {"GET", "/api/jobs/job_1", .fn = get_job},
    {"GET", "/api/v0/logs/", .fn = get_stream},
    {"GET", "/nodes/n1", .fn = get_node},
};

static int open_with(bool nodes_can_be_reached) {
    memset(&ray, 0, sizeof(ray));
    memset(&seen, 0, sizeof(seen));
    pthread_mutex_init(&ray.lock, NULL);
    rt_buf_init(&ray.log, 0);
    rt_buf_init(&seen.data, 0);
    snprintf(ray.status, sizeof(ray.status), "RUNNING");
    ray.started = true;
    ray.node = httpd_start(node_answer, NULL);
    dashboard_open(&d, routes, RT_COUNT(routes));
    if (!nodes_can_be_reached) {
        rt_ray_destroy(d.ray);
        d.ray = rt_ray_create(&(struct rt_ray_opts){
            .loop = d.loop, .http = d.http, .name = "test", .url = httpd_url(d.server)});
        d.ray->haste = 20;
    }
    return 0;
}

static int open_nodes(void **state) {
    (void)state;
    return open_with(true);
}

static int open_dashboard_only(void **state) {
    (void)state;
    return open_with(false);
}

static int close_all(void **state) {
    (void)state;
    dashboard_close(&d);
    httpd_stop(ray.node);
    rt_buf_deinit(&ray.log);
    rt_buf_deinit(&seen.data);
    pthread_mutex_destroy(&ray.lock);
    return 0;
}

/* ---- what is seen ---- */

static void got_data(void *ctx, const char *data, size_t n) {
    struct seen *s = ctx;
    assert_true(n > 0);
    rt_buf_add(&s->data, data, n);
    if (s->destroy_in_data) {
        rt_follow_destroy(s->destroy_in_data);
        s->destroy_in_data = NULL;
        s->ended = true;
    }
}

static void got_event(void *ctx, enum rt_follow_event e, const char *text,
                      const struct rt_job *job) {
    struct seen *s = ctx;
    s->live += e == RT_FOLLOW_LIVE;
    s->lost += e == RT_FOLLOW_LOST;
    s->waiting += e == RT_FOLLOW_WAITING;
    s->restarted += e == RT_FOLLOW_RESTARTED;
    if (e == RT_FOLLOW_LIVE)
        snprintf(s->how, sizeof(s->how), "%s", text);
    if (e == RT_FOLLOW_ENDED) {
        assert_false(s->ended);
        s->ended = true;
        s->status = job ? job->status : -1;
    }
    if (s->destroy_in_event) {
        rt_follow_destroy(s->destroy_in_event);
        s->destroy_in_event = NULL;
        s->ended = true;
    }
}

static void got_failure(void *ctx, const struct rt_error *err) {
    struct seen *s = ctx;
    s->failed = true;
    s->err = *err;
}

static struct rt_follow *start(const struct rt_follow_opts *o) {
    const struct rt_follow_callbacks cb = {got_data, got_event, got_failure, &seen};
    return rt_follow_start(d.ray, o, &cb);
}

static const struct rt_follow_opts whole_job = {
    .job = "job_1", .tail_bytes = -1, .follow = true, .until_job_ends = true};

static void wait_for_bytes(size_t n) {
    const int64_t end = rt_mono_ms() + 60000;
    while (seen.data.len < n && !seen.failed && rt_mono_ms() < end)
        rt_loop_turn(d.loop, true);
    assert_true(seen.data.len >= n);
}

static void assert_all_arrived(void) {
    assert_false(seen.failed);
    assert_int_equal(seen.data.len, ray.log.len);
    assert_memory_equal(seen.data.data, ray.log.data, ray.log.len);
}

/* A log of many lines, some of them bytes that are no text. */
static void grow_much(int lines) {
    char line[128];
    for (int i = 0; i < lines; i++) {
        snprintf(line, sizeof(line), "%d 1 line %d \xff\xfe \x1b[31mred\x1b[0m\r\n", i % 10, i);
        grow(line);
    }
}

static void follow_while_it_grows(void) {
    grow_much(2000);
    struct rt_follow *f = start(&whole_job);
    for (int i = 0; i < 8; i++) {
        wait_for_bytes(ray.log.len);
        grow_much(300);
    }
    grow("an unfinished last line");
    set_status("SUCCEEDED");
    dashboard_wait(&d, &seen.ended);
    assert_int_equal(seen.status, RT_JOB_SUCCEEDED);
    assert_all_arrived();
    rt_follow_destroy(f);
}

/* ---- by ranges ---- */

static void ranges_give_the_file(void **state) {
    (void)state;
    follow_while_it_grows();
    assert_true(rt_starts(seen.how, "byte ranges of 127.0.0.1:"));
    assert_int_equal(seen.live, 1);
    assert_int_equal(seen.lost, 0);
}

static void ranges_survive_answers_cut_in_the_middle(void **state) {
    (void)state;
    ray.drop_every = 20000;
    follow_while_it_grows();
    assert_true(seen.lost > 0 && seen.live > 1);
}

static void a_tail_begins_with_a_whole_line(void **state) {
    (void)state;
    grow_much(1000);
    struct rt_follow_opts o = whole_job;
    o.tail_bytes = 1000;
    struct rt_follow *f = start(&o);
    wait_for_bytes(500);
    grow("more\n");
    set_status("FAILED");
    dashboard_wait(&d, &seen.ended);
    assert_true(seen.data.len <= 1005 && seen.data.len > 900);
    assert_memory_equal(seen.data.data, ray.log.data + ray.log.len - seen.data.len, seen.data.len);
    assert_int_equal(ray.log.data[ray.log.len - seen.data.len - 1], '\n');
    rt_follow_destroy(f);
}

static void a_tail_longer_than_the_file_is_the_file(void **state) {
    (void)state;
    grow("one\ntwo\n");
    set_status("STOPPED");
    struct rt_follow_opts o = whole_job;
    o.tail_bytes = 65536;
    struct rt_follow *f = start(&o);
    dashboard_wait(&d, &seen.ended);
    assert_all_arrived();
    rt_follow_destroy(f);
}

static void an_empty_log_of_a_job_that_ended_ends(void **state) {
    (void)state;
    set_status("SUCCEEDED");
    for (int tail = 0; tail < 2; tail++) {
        struct rt_follow_opts o = whole_job;
        o.tail_bytes = tail ? 100 : -1;
        seen.ended = false;
        struct rt_follow *f = start(&o);
        dashboard_wait(&d, &seen.ended);
        assert_int_equal(seen.data.len, 0);
        rt_follow_destroy(f);
    }
}

static void without_follow_it_ends_with_what_is_there(void **state) {
    (void)state;
    grow_much(100);
    struct rt_follow_opts o = whole_job;
    o.follow = false;
    struct rt_follow *f = start(&o);
    dashboard_wait(&d, &seen.ended);
    assert_int_equal(seen.status, RT_JOB_RUNNING);
    assert_all_arrived();
    rt_follow_destroy(f);
}

static void a_log_that_is_not_there_yet_is_waited_for(void **state) {
    (void)state;
    ray.started = false;
    ray.no_file = true;
    set_status("PENDING");
    struct rt_follow *f = start(&whole_job);
    while (seen.waiting == 0)
        rt_loop_turn(d.loop, true);
    ray.started = true;
    set_status("RUNNING");
    while (dashboard_count(&d, "GET /api/jobs/job_1") < 3)
        rt_loop_turn(d.loop, true);
    grow("first\n");
    ray.no_file = false;
    wait_for_bytes(6);
    set_status("SUCCEEDED");
    dashboard_wait(&d, &seen.ended);
    assert_all_arrived();
    rt_follow_destroy(f);
}

static void a_file_that_was_replaced_starts_anew(void **state) {
    (void)state;
    grow_much(50);
    struct rt_follow_opts o = {
        .node_id = "n1", .filename = "job-driver-job_1.log", .tail_bytes = -1, .follow = true};
    struct rt_follow *f = start(&o);
    wait_for_bytes(ray.log.len);
    lock();
    rt_buf_clear(&ray.log);
    rt_buf_adds(&ray.log, "new\n");
    unlock();
    while (seen.restarted == 0)
        rt_loop_turn(d.loop, true);
    rt_buf_clear(&seen.data);
    wait_for_bytes(4);
    assert_memory_equal(seen.data.data, "new\n", 4);
    rt_follow_destroy(f);
}

/* What was written between the last look and the rotation stands under another name. */
static void check_rotation(const char *path, const char *old, const char *want) {
    const struct rt_follow_opts o = {.node_id = "n1", .filename = "job-driver-job_1.log", .tail_bytes = -1, .follow = true};
    grow("one\ntwo\n");
    struct rt_follow *f = start(&o);
    wait_for_bytes(8);
    lock();
    ray.rotated = path;
    ray.old = old;
    rt_buf_clear(&ray.log);
    rt_buf_adds(&ray.log, "new\n");
    unlock();
    wait_for_bytes(strlen(want));
    assert_int_equal(seen.restarted, 1);
    assert_int_equal(seen.data.len, strlen(want));
    assert_memory_equal(seen.data.data, want, strlen(want));
    rt_follow_destroy(f);
}

static void nothing_is_lost_when_a_file_is_rotated(void **state) {
    (void)state;
    check_rotation("/logs/job-driver-job_1.log.1", "one\ntwo\nthree\n", "one\ntwo\nthree\nnew\n");
}

static void nothing_is_lost_when_ray_rotates(void **state) {
    (void)state;
    check_rotation("/logs/job-driver-job_1.1.log", "one\ntwo\nthree\n", "one\ntwo\nthree\nnew\n");
}

static void an_older_file_of_that_name_is_not_taken_for_it(void **state) {
    (void)state;
    check_rotation("/logs/job-driver-job_1.log.1", "uno\ndos\ntres\n", "one\ntwo\nnew\n");
}

/* ---- by the stream ---- */

static void the_stream_gives_the_file(void **state) {
    (void)state;
    follow_while_it_grows();
    assert_string_equal(seen.how, "the dashboard's stream");
}

static void the_stream_is_resumed_where_it_broke(void **state) {
    (void)state;
    ray.drop_every = 40000;
    follow_while_it_grows();
    assert_true(seen.lost > 0);
}

static void the_stream_is_taken_where_the_node_refuses(void **state) {
    (void)state;
    ray.node_refuses = true;
    follow_while_it_grows();
    assert_string_equal(seen.how, "the dashboard's stream");
}

static void the_stream_is_taken_where_somebody_drops_ranges(void **state) {
    (void)state;
    ray.whole_only = true;
    follow_while_it_grows();
    assert_string_equal(seen.how, "the dashboard's stream");
}

static void a_tail_of_the_stream_begins_with_a_whole_line(void **state) {
    a_tail_begins_with_a_whole_line(state);
}

/* ---- by the whole text ---- */

static void an_old_ray_behind_a_dashboard_gives_the_text(void **state) {
    (void)state;
    ray.marked = true;
    grow("1 looks like a marker\n0 so does this\n");
    struct rt_follow *f = start(&whole_job);
    wait_for_bytes(ray.log.len);
    grow("last");
    set_status("FAILED");
    dashboard_wait(&d, &seen.ended);
    assert_int_equal(seen.status, RT_JOB_FAILED);
    assert_all_arrived();
    assert_int_equal(dashboard_count(&d, "GET /api/v0/logs/stream"), 0);
    rt_follow_destroy(f);
}

static void an_old_ray_behind_a_dashboard_gives_a_nodes_file(void **state) {
    (void)state;
    const struct rt_follow_opts o = {.node_id = "n1", .filename = "worker-1.out", .tail_bytes = -1, .follow = true};
    ray.marked = true;
    grow("1 looks like a marker\n0 so does this\n");
    struct rt_follow *f = start(&o);
    wait_for_bytes(ray.log.len);
    grow_much(5000); /* several blocks */
    wait_for_bytes(ray.log.len);
    grow("1");
    rt_follow_end(f);
    dashboard_wait(&d, &seen.ended);
    assert_all_arrived();
    assert_int_equal(seen.lost, 0);
    rt_follow_destroy(f);
}

/* ---- what cannot be followed ---- */

static void wait_for_failure(const struct rt_follow_opts *o, enum rt_code code) {
    struct rt_follow *f = start(o);
    dashboard_wait(&d, &seen.failed);
    assert_int_equal(seen.err.code, code);
    rt_follow_destroy(f);
}

static void no_such_job_fails(void **state) {
    (void)state;
    ray.no_job = true;
    wait_for_failure(&whole_job, RT_E_NOT_FOUND);
}

static void a_driver_has_no_log(void **state) {
    (void)state;
    snprintf(ray.type, sizeof(ray.type), "DRIVER");
    wait_for_failure(&whole_job, RT_E_UNSUPPORTED);
}

/* ---- leaving ---- */

static void destroying_it_inside_its_callbacks_is_fine(void **state) {
    (void)state;
    grow_much(1000);
    seen.destroy_in_data = start(&whole_job);
    dashboard_wait(&d, &seen.ended);
    seen.ended = false;
    seen.destroy_in_event = start(&whole_job);
    dashboard_wait(&d, &seen.ended);
    for (int i = 0; i < 10; i++) {
        rt_loop_turn(d.loop, false);
        httpd_sleep_ms(2);
    }
}

static void destroying_it_at_any_time_is_fine(void **state) {
    (void)state;
    grow_much(3000);
    for (int turns = 0; turns < 60; turns += 3) {
        struct rt_follow *f = start(&whole_job);
        for (int i = 0; i < turns; i++) {
            rt_loop_turn(d.loop, false);
            httpd_sleep_ms(1);
        }
        rt_follow_retry(f);
        rt_follow_destroy(f);
    }
}

#define NODES(f) cmocka_unit_test_setup_teardown(f, open_nodes, close_all)
#define DASHBOARD(f) cmocka_unit_test_setup_teardown(f, open_dashboard_only, close_all)

int main(void) {
    const struct CMUnitTest tests[] = {
        NODES(ranges_give_the_file),
        NODES(ranges_survive_answers_cut_in_the_middle),
        NODES(a_tail_begins_with_a_whole_line),
        NODES(a_tail_longer_than_the_file_is_the_file),
        NODES(an_empty_log_of_a_job_that_ended_ends),
        NODES(without_follow_it_ends_with_what_is_there),
        NODES(a_log_that_is_not_there_yet_is_waited_for),
        NODES(a_file_that_was_replaced_starts_anew),
        NODES(nothing_is_lost_when_a_file_is_rotated),
        NODES(nothing_is_lost_when_ray_rotates),
        NODES(an_older_file_of_that_name_is_not_taken_for_it),
        DASHBOARD(the_stream_gives_the_file),
        DASHBOARD(the_stream_is_resumed_where_it_broke),
        NODES(the_stream_is_taken_where_the_node_refuses),
        NODES(the_stream_is_taken_where_somebody_drops_ranges),
        DASHBOARD(a_tail_of_the_stream_begins_with_a_whole_line),
        DASHBOARD(an_old_ray_behind_a_dashboard_gives_the_text),
        DASHBOARD(an_old_ray_behind_a_dashboard_gives_a_nodes_file),
        NODES(no_such_job_fails),
        NODES(a_driver_has_no_log),
        NODES(destroying_it_inside_its_callbacks_is_fine),
        DASHBOARD(destroying_it_at_any_time_is_fine),
        NODES(destroying_it_at_any_time_is_fine),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
