#include "unit/net/http_client.h"

/* ---- answers */

static void an_answer_comes_with_status_type_and_body(void **state) {
    (void)state;
    struct reply r;
    get(&r, "/x");
    assert_false(r.had_error);
    assert_int_equal(r.status, 200);
    assert_string_equal(r.type, "application/json");
    assert_string_equal(rt_buf_str(&r.body), "{\"ok\": true}");
    assert_int_equal(r.bytes, 12);
    assert_int_equal(r.range_start, -1);
    assert_int_equal(r.range_total, -1);
    rt_buf_deinit(&r.body);
}

static void a_request_says_who_asks(void **state) {
    (void)state;
    struct reply r;
    get(&r, "/x?y=z");
    assert_true(was_sent("GET /x?y=z HTTP/1.1\r\n"));
    assert_true(was_sent("User-Agent: raytui/" RT_VERSION "\r\n"));
    rt_buf_deinit(&r.body);
}

static void headers_are_sent_and_may_replace_ours(void **state) {
    (void)state;
    struct reply r;
    const char *const headers[] = {"Authorization: Bearer abc", "User-Agent: other", NULL};
    get_with(&r, "/x", (struct rt_http_request){.headers = headers});
    assert_true(was_sent("Authorization: Bearer abc\r\n"));
    assert_true(was_sent("User-Agent: other\r\n"));
    assert_false(was_sent("raytui"));
    rt_buf_deinit(&r.body);
}

static void any_status_is_an_answer(void **state) {
    (void)state;
    static const int statuses[] = {201, 302, 404, 500, 503};
    for (size_t i = 0; i < RT_COUNT(statuses); i++) {
        struct reply r;
        char path[32];
        snprintf(path, sizeof path, "/status/%d", statuses[i]);
        get(&r, path);
        assert_false(r.had_error);
        assert_int_equal(r.status, statuses[i]);
        assert_string_equal(r.type, "text/html");
        assert_string_equal(rt_buf_str(&r.body), "<h1>no</h1>");
        rt_buf_deinit(&r.body);
    }
}

static void redirects_are_not_followed(void **state) {
    (void)state;
    struct reply r;
    get(&r, "/moved");
    assert_int_equal(r.status, 302);
    assert_int_equal(server.requests, 1);
}

static void chunks_are_put_together(void **state) {
    (void)state;
    struct reply r;
    get(&r, "/chunked");
    assert_string_equal(rt_buf_str(&r.body), "hello world");
    rt_buf_deinit(&r.body);
}

static void when_to_come_again_is_told(void **state) {
    (void)state;
    static const struct {
        const char *path;
        int64_t ms;
    } cases[] = {{"/busy/7", 7000}, {"/busy/0", 0}, {"/busy/Fri,31-Dec-1999", -1}, {"/busy/7x", -1}, {"/busy/99999999999999999999", 86400000}, {"/status/503", -1}};
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct reply r;
        get(&r, cases[i].path);
        assert_int_equal(r.status, 503);
        assert_int_equal(r.retry_after_ms, cases[i].ms);
        rt_buf_deinit(&r.body);
    }
}

static void a_fresh_request_is_sent_once_whatever_happens(void **state) {
    (void)state;
    struct reply r;
    get(&r, "/x"); /* leaves a connection that could be used again */
    rt_buf_deinit(&r.body);
    get_with(&r, "/broken/nothing", (struct rt_http_request){.method = "POST", .body = "{}", .body_len = 2, .fresh = true});
    assert_true(r.had_error);
    assert_int_equal(r.err.code, RT_E_UNREACHABLE);
    assert_int_equal(server.requests, 2);
    rt_buf_deinit(&r.body);
}

static void a_range_is_asked_for_and_told(void **state) {
    (void)state;
    struct reply r;
    get_with(&r, "/part", (struct rt_http_request){.range = "100-"});
    assert_true(was_sent("Range: bytes=100-\r\n"));
    assert_int_equal(r.status, 206);
    assert_int_equal(r.range_start, 100);
    assert_int_equal(r.range_end, 104);
    assert_int_equal(r.range_total, 1234);
    rt_buf_deinit(&r.body);
    get_with(&r, "/past-the-end", (struct rt_http_request){.range = "-65536"});
    assert_true(was_sent("Range: bytes=-65536\r\n"));
    assert_int_equal(r.status, 416);
    assert_int_equal(r.range_start, -1);
    assert_int_equal(r.range_total, 77);
}

static void one_connection_serves_many_requests_of_a_pool(void **state) {
    (void)state;
    struct reply r;
    for (int i = 0; i < 5; i++) {
        get_with(&r, "/x", (struct rt_http_request){.pool = "a"});
        rt_buf_deinit(&r.body);
    }
    assert_int_equal(server.accepted, 1);
    get_with(&r, "/x", (struct rt_http_request){.pool = "b"});
    rt_buf_deinit(&r.body);
    assert_int_equal(server.accepted, 2);
}

static void a_forgotten_pool_makes_new_connections(void **state) {
    (void)state;
    struct reply r, slow = {0};
    get_with(&r, "/x", (struct rt_http_request){.pool = "a"});
    rt_buf_deinit(&r.body);
    send_url(&slow, url_of("/broken/drip"), (struct rt_http_request){.pool = "a"}, false);
    while (server.requests < 2)
        rt_loop_turn(loop, true);
    rt_http_forget_pool(http, "a");
    rt_http_forget_pool(http, "unknown");
    get_with(&r, "/x", (struct rt_http_request){.pool = "a"});
    assert_int_equal(server.accepted, 2);
    while (slow.dones == 0) /* what was under way ends well */
        rt_loop_turn(loop, true);
    assert_string_equal(rt_buf_str(&slow.body), "one byte after the other");
    rt_buf_deinit(&r.body);
    rt_buf_deinit(&slow.body);
}

static void a_kept_connection_that_the_server_closed_is_replaced(void **state) {
    (void)state;
    struct reply r;
    get(&r, "/x");
    rt_buf_deinit(&r.body);
    while (server.peers)
        peer_close(server.peers);
    get(&r, "/x");
    assert_false(r.had_error);
    assert_int_equal(server.accepted, 2);
    rt_buf_deinit(&r.body);
}

static void many_requests_run_at_once(void **state) {
    (void)state;
    struct reply r[40];
    memset(r, 0, sizeof r);
    for (size_t i = 0; i < RT_COUNT(r); i++)
        send_url(&r[i], url_of(i % 2 ? "/zeros/300000" : "/x"), (struct rt_http_request){0},
                 i % 3 == 0);
    for (size_t i = 0; i < RT_COUNT(r); i++) {
        while (r[i].dones == 0)
            rt_loop_turn(loop, true);
        assert_false(r[i].had_error);
        assert_int_equal(r[i].body.len, i % 2 ? 300000 : 12);
        rt_buf_deinit(&r[i].body);
    }
}

/* ---- sending */

static void a_body_is_posted(void **state) {
    (void)state;
    struct reply r;
    const char *const headers[] = {"Content-Type: application/json", NULL};
    get_with(&r, "/x",
             (struct rt_http_request){
                 .method = "POST", .headers = headers, .body = "{\0}", .body_len = 3});
    assert_true(was_sent("POST /x HTTP/1.1\r\n"));
    assert_true(was_sent("Content-Type: application/json\r\n"));
    assert_true(was_sent("Content-Length: 3\r\n"));
    assert_memory_equal(server.last_body.data, "{\0}", 3);
    rt_buf_deinit(&r.body);
}

static void a_large_body_is_sent_without_waiting_for_leave(void **state) {
    (void)state;
    struct reply r;
    size_t n = 3000000;
    char *body = rt_alloc(n);
    memset(body, 'x', n);
    get_with(&r, "/x", (struct rt_http_request){.method = "PUT", .body = body, .body_len = n});
    assert_true(was_sent("PUT /x"));
    assert_false(was_sent("Expect"));
    assert_false(was_sent("Content-Type"));
    assert_int_equal(server.last_body.len, n);
    assert_memory_equal(server.last_body.data, body, n);
    free(body);
    rt_buf_deinit(&r.body);
}

static void methods_without_a_body_are_sent_as_they_are(void **state) {
    (void)state;
    struct reply r;
    get_with(&r, "/x", (struct rt_http_request){.method = "DELETE"});
    assert_true(was_sent("DELETE /x"));
    rt_buf_deinit(&r.body);
    get_with(&r, "/x", (struct rt_http_request){.method = "POST"});
    assert_true(was_sent("POST /x"));
    assert_true(was_sent("Content-Length: 0\r\n"));
    rt_buf_deinit(&r.body);
}

static void a_file_is_streamed_with_progress(void **state) {
    (void)state;
    char path[] = "/tmp/raytui-http-XXXXXX";
    int fd = mkstemp(path);
    size_t n = 3000000;
    char *content = rt_alloc(n);
    for (size_t i = 0; i < n; i++)
        content[i] = (char)(i % 251);
    assert_int_equal(write(fd, content, n), n);
    close(fd);
    struct reply r;
    get_with(&r, "/x", (struct rt_http_request){.method = "PUT", .body_file = path});
    assert_false(r.had_error);
    assert_true(was_sent("Content-Length: 3000000\r\n"));
    assert_int_equal(server.last_body.len, n);
    assert_memory_equal(server.last_body.data, content, n);
    assert_true(r.progress > 1);
    assert_int_equal(r.sent, n);
    assert_int_equal(r.total, n);
    rt_buf_deinit(&r.body);
    /* on a connection that the server has closed meanwhile it begins again */
    while (server.peers)
        peer_close(server.peers);
    get_with(&r, "/x", (struct rt_http_request){.method = "POST", .body_file = path});
    assert_false(r.had_error);
    assert_memory_equal(server.last_body.data, content, n);
    rt_buf_deinit(&r.body);
    free(content);
    unlink(path);
}

static void a_file_that_cannot_be_read_is_told(void **state) {
    (void)state;
    struct reply r;
    get_with(&r, "/x", (struct rt_http_request){.method = "PUT", .body_file = "/nowhere/zip"});
    check_failed(&r, RT_E_IO, "PUT /x: cannot read /nowhere/zip");
    get_with(&r, "/x", (struct rt_http_request){.method = "PUT", .body_file = "/tmp"});
    check_failed(&r, RT_E_IO, "not a regular file");
    assert_int_equal(server.requests, 0);
}

/* ---- streaming and the budget */

static void data_is_handed_out_as_it_comes(void **state) {
    (void)state;
    struct reply r = {0};
    send_url(&r, url_of("/broken/drip"), (struct rt_http_request){0}, true);
    while (r.dones == 0)
        rt_loop_turn(loop, true);
    assert_true(r.datas > 5);
    assert_string_equal(rt_buf_str(&r.body), "one byte after the other");
    assert_int_equal(r.status, 200);
    rt_buf_deinit(&r.body);
}

/* What nobody says anything on does not wake us: each turn here is the timer's. */
static void a_silent_stream_costs_no_turns(void **state) {
    (void)state;
    struct reply r = {0};
    int ticks = 0, turns = 0;
    send_url(&r, url_of("/broken/hang"), (struct rt_http_request){.timeout_ms = -1, .stream = true},
             true);
    while (server.requests == 0)
        rt_loop_turn(loop, true);
    struct rt_timer *t = rt_timer_start(loop, 1500, 0, tick, &ticks);
    for (; ticks == 0; turns++)
        rt_loop_turn(loop, true);
    assert_true(turns < 10);
    rt_timer_stop(t);
    rt_op_cancel(r.op);
}

static void a_refusal_is_not_data(void **state) {
    (void)state;
    struct reply r = {0};
    send_url(&r, url_of("/status/500"), (struct rt_http_request){0}, true);
    while (r.dones == 0)
        rt_loop_turn(loop, true);
    assert_int_equal(r.datas, 0);
    assert_int_equal(r.status, 500);
    assert_string_equal(rt_buf_str(&r.body), "<h1>no</h1>");
    rt_buf_deinit(&r.body);
}

/* Between two turns at most 128 KiB arrive, whatever waits in the socket, so a timer gets its turn.
 */
static void a_huge_answer_leaves_room_for_the_rest(void **state) {
    (void)state;
    const int64_t size = 70000000;
    struct reply r = {.count_only = true};
    int ticks = 0, ticking_turns = 0;
    struct rt_timer *t = rt_timer_start(loop, 5, 5, tick, &ticks);
    send_url(&r, url_of("/zeros/70000000"), (struct rt_http_request){.timeout_ms = -1}, true);
    int turns = 0;
    while (r.dones == 0) {
        int64_t before = r.bytes;
        int ticks_before = ticks;
        rt_loop_turn(loop, true);
        assert_true(r.bytes - before <= 128 * 1024);
        turns++;
        ticking_turns += ticks > ticks_before;
    }
    assert_int_equal(r.bytes, size);
    assert_true(turns >= size / (128 * 1024));
    assert_true(ticking_turns > 1);
    rt_timer_stop(t);
}

static void the_budget_is_shared_by_all_transfers(void **state) {
    (void)state;
    struct reply r[4];
    memset(r, 0, sizeof r);
    for (int i = 0; i < 4; i++) {
        r[i].count_only = true;
        send_url(&r[i], url_of("/zeros/4000000"), (struct rt_http_request){.timeout_ms = -1}, true);
    }
    int64_t all = 0;
    bool others_moved = false;
    while (all < 4 * 4000000) {
        int64_t before = all;
        rt_loop_turn(loop, true);
        all = 0;
        for (int i = 0; i < 4; i++)
            all += r[i].bytes;
        assert_true(all - before <= 128 * 1024);
        others_moved |= r[3].bytes > 0 && r[0].dones == 0;
    }
    assert_true(others_moved); /* none starves */
    for (int i = 0; i < 4; i++)
        while (r[i].dones == 0)
            rt_loop_turn(loop, true);
}

static void an_answer_that_is_collected_is_whole(void **state) {
    (void)state;
    struct reply r;
    get(&r, "/zeros/5000000");
    assert_int_equal(r.body.len, 5000000);
    rt_buf_deinit(&r.body);
}

static void the_receiver_may_end_a_transfer(void **state) {
    (void)state;
    struct reply r = {.stop_at = 1000000, .count_only = true};
    send_url(&r, url_of("/endless"), (struct rt_http_request){.timeout_ms = -1, .stream = true},
             true);
    while (r.dones == 0)
        rt_loop_turn(loop, true);
    assert_int_equal(r.err.code, RT_E_CANCELLED);
    assert_true(r.bytes >= 1000000 && r.bytes <= 1000000 + 256 * 1024);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_answer_comes_with_status_type_and_body),
        TEST(a_request_says_who_asks),
        TEST(headers_are_sent_and_may_replace_ours),
        TEST(any_status_is_an_answer),
        TEST(redirects_are_not_followed),
        TEST(chunks_are_put_together),
        TEST(when_to_come_again_is_told),
        TEST(a_fresh_request_is_sent_once_whatever_happens),
        TEST(a_range_is_asked_for_and_told),
        TEST(one_connection_serves_many_requests_of_a_pool),
        TEST(a_forgotten_pool_makes_new_connections),
        TEST(a_kept_connection_that_the_server_closed_is_replaced),
        TEST(many_requests_run_at_once),
        TEST(a_body_is_posted),
        TEST(a_large_body_is_sent_without_waiting_for_leave),
        TEST(methods_without_a_body_are_sent_as_they_are),
        TEST(a_file_is_streamed_with_progress),
        TEST(a_file_that_cannot_be_read_is_told),
        TEST(data_is_handed_out_as_it_comes),
        TEST(a_silent_stream_costs_no_turns),
        TEST(a_refusal_is_not_data),
        TEST(a_huge_answer_leaves_room_for_the_rest),
        TEST(the_budget_is_shared_by_all_transfers),
        TEST(an_answer_that_is_collected_is_whole),
        TEST(the_receiver_may_end_a_transfer),
    };
    return cmocka_run_group_tests(tests, warm_up, NULL);
}
