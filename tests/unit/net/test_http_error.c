#include "unit/net/http_client.h"

/* ---- limits */

static void too_large_an_answer_names_the_limit(void **state) {
    (void)state;
    struct reply r;
    get_with(&r, "/zeros/5000000", (struct rt_http_request){.max_bytes = 1024 * 1024});
    check_failed(&r, RT_E_LIMIT, "GET /zeros/5000000: the answer is larger than 1M");
    assert_non_null(strstr(r.err.hint, "max_answer"));
    rt_buf_deinit(&r.body);
}

static void an_endless_answer_ends_at_the_limit(void **state) {
    (void)state;
    struct reply r;
    get_with(&r, "/endless", (struct rt_http_request){.max_bytes = 1024 * 1024});
    check_failed(&r, RT_E_LIMIT, "larger than 1M");
    assert_true(r.bytes <= 1024 * 1024);
    rt_buf_deinit(&r.body);
}

static void a_stream_has_no_limit(void **state) {
    (void)state;
    struct reply r = {.stop_at = 3000000, .count_only = true};
    send_url(&r, url_of("/endless"),
             (struct rt_http_request){.timeout_ms = -1, .stream = true, .max_bytes = 1000000},
             true);
    while (r.dones == 0)
        rt_loop_turn(loop, true);
    assert_int_equal(r.err.code, RT_E_CANCELLED);
}

/* ---- what goes wrong */

static void a_refused_connection_names_the_port(void **state) {
    (void)state;
    struct reply r;
    server_stop_listening(&server);
    get(&r, "/api/jobs/?token=secret");
    char words[80];
    snprintf(words, sizeof words, "GET /api/jobs/: connection refused by 127.0.0.1:%d",
             server.port);
    check_failed(&r, RT_E_UNREACHABLE, words);
    assert_null(strstr(r.err.message, "secret"));
    assert_false(r.had_answer);
}

static void silence_is_a_timeout(void **state) {
    (void)state;
    struct reply r;
    get_with(&r, "/broken/hang", (struct rt_http_request){.timeout_ms = 200});
    check_failed(&r, RT_E_TIMEOUT, "no answer from 127.0.0.1:");
    assert_non_null(strstr(r.err.message, "within 0.2 s"));
}

/* A listener whose queue is full lets further connections hang. */
static void a_connection_that_does_not_come_about_is_a_timeout_of_its_own(void **state) {
    (void)state;
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t len = sizeof at;
    int full = socket(AF_INET, SOCK_STREAM, 0), waiting[4];
    assert_int_equal(bind(full, (const struct sockaddr *)(const void *)&at, sizeof at), 0);
    assert_int_equal(listen(full, 0), 0);
    assert_int_equal(getsockname(full, (struct sockaddr *)(void *)&at, &len), 0);
    for (size_t i = 0; i < RT_COUNT(waiting); i++) {
        waiting[i] = socket(AF_INET, SOCK_STREAM, 0);
        fcntl(waiting[i], F_SETFL, O_NONBLOCK);
        int ignored = connect(waiting[i], (const struct sockaddr *)(const void *)&at, sizeof at);
        (void)ignored;
    }
    struct reply r = {0};
    char url[60];
    snprintf(url, sizeof url, "http://127.0.0.1:%d/x", ntohs(at.sin_port));
    send_url(&r, url,
             (struct rt_http_request){.connect_timeout_ms = 300, .stream = true, .timeout_ms = -1},
             true);
    while (r.dones == 0)
        rt_loop_turn(loop, true);
    check_failed(&r, RT_E_TIMEOUT, "no connection to 127.0.0.1:");
    assert_non_null(strstr(r.err.message, "within 0.3 s"));
    for (size_t i = 0; i < RT_COUNT(waiting); i++)
        close(waiting[i]);
    close(full);
}

static void slowness_is_a_timeout_that_tells_how_much_came(void **state) {
    (void)state;
    struct reply r;
    get_with(&r, "/broken/drip-for-ever", (struct rt_http_request){.timeout_ms = 1500});
    check_failed(&r, RT_E_TIMEOUT, "did not end its answer within 1.5 s");
    assert_true(r.had_answer);
    rt_buf_deinit(&r.body);
}

static void a_transfer_that_breaks_off_gives_what_came_and_an_error(void **state) {
    (void)state;
    struct reply r;
    get(&r, "/broken/truncated");
    check_failed(&r, RT_E_UNREACHABLE, "broke off after 9B");
    assert_true(r.had_answer);
    assert_int_equal(r.status, 200);
    assert_string_equal(rt_buf_str(&r.body), "only this");
    rt_buf_deinit(&r.body);
    get(&r, "/broken/chunk-cut");
    check_failed(&r, RT_E_UNREACHABLE, "broke off after 5B");
    assert_string_equal(rt_buf_str(&r.body), "hello");
    rt_buf_deinit(&r.body);
}

static void no_answer_at_all_is_told(void **state) {
    (void)state;
    struct reply r;
    get(&r, "/broken/nothing");
    check_failed(&r, RT_E_UNREACHABLE, "closed the connection without an answer");
    assert_false(r.had_answer);
}

static void what_is_not_http_is_a_protocol_error(void **state) {
    (void)state;
    struct reply r;
    get(&r, "/broken/not-http");
    check_failed(&r, RT_E_PROTOCOL, "does not speak HTTP");
    get(&r, "/broken/half-head");
    check_failed(&r, RT_E_UNREACHABLE, "broke off");
    rt_buf_deinit(&r.body);
}

static void tls_with_a_plain_server_is_told(void **state) {
    (void)state;
    struct reply r = {0};
    char url[80];
    snprintf(url, sizeof url, "https://127.0.0.1:%d/x", server.port);
    send_url(&r, url, (struct rt_http_request){.timeout_ms = 2000}, false);
    while (r.dones == 0)
        rt_loop_turn(loop, true);
    assert_true(r.had_error);
    assert_false(r.had_answer);
    assert_true(r.err.code == RT_E_UNREACHABLE || r.err.code == RT_E_TIMEOUT);
}

static void an_unknown_name_is_told(void **state) {
    (void)state;
    struct reply r = {0};
    send_url(&r, "http://no..such..host:8265/x", (struct rt_http_request){0}, false);
    while (r.dones == 0)
        rt_loop_turn(loop, true);
    check_failed(&r, RT_E_UNREACHABLE, "no..such..host");
}

static void a_known_name_is_looked_up_and_remembered(void **state) {
    (void)state;
    char url[80];
    snprintf(url, sizeof url, "http://localhost:%d/x", server.port);
    for (int i = 0; i < 3; i++) {
        struct reply r = {0};
        send_url(&r, url, (struct rt_http_request){0}, false);
        while (r.dones == 0)
            rt_loop_turn(loop, true);
        assert_string_equal(r.err.message, "");
        assert_int_equal(r.status, 200);
        rt_buf_deinit(&r.body);
    }
    assert_int_equal(server.accepted, 1);
}

static void a_bad_address_is_told_later(void **state) {
    (void)state;
    static const char *const urls[] = {
        "127.0.0.1:8265",  "ray://127.0.0.1:10001", "http://", "http://a b/",
        "http://h:99999/", "file:///etc/passwd",    ""};
    for (size_t i = 0; i < RT_COUNT(urls); i++) {
        struct reply r = {0};
        send_url(&r, urls[i], (struct rt_http_request){0}, false);
        rt_loop_turn(loop, true);
        assert_int_equal(r.dones, 1);
        assert_int_equal(r.err.code, RT_E_USAGE);
    }
}

static void a_missing_ca_file_is_told(void **state) {
    (void)state;
    struct reply r = {0};
    send_url(&r, "https://127.0.0.1:1/x", (struct rt_http_request){.ca_file = "/nowhere/ca.pem"},
             false);
    while (r.dones == 0)
        rt_loop_turn(loop, true);
    assert_true(
        r.had_error); /* whether the port or the file is looked at first is curl's business */
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(too_large_an_answer_names_the_limit),
        TEST(an_endless_answer_ends_at_the_limit),
        TEST(a_stream_has_no_limit),
        TEST(a_refused_connection_names_the_port),
        TEST(silence_is_a_timeout),
        TEST(a_connection_that_does_not_come_about_is_a_timeout_of_its_own),
        TEST(slowness_is_a_timeout_that_tells_how_much_came),
        TEST(a_transfer_that_breaks_off_gives_what_came_and_an_error),
        TEST(no_answer_at_all_is_told),
        TEST(what_is_not_http_is_a_protocol_error),
        TEST(tls_with_a_plain_server_is_told),
        TEST(an_unknown_name_is_told),
        TEST(a_known_name_is_looked_up_and_remembered),
        TEST(a_bad_address_is_told_later),
        TEST(a_missing_ca_file_is_told),
    };
    return cmocka_run_group_tests(tests, warm_up, NULL);
}
