#include "base/fs.h"
#include "unit/net/http_client.h"

/* ---- other ways */

static void a_unix_socket_is_a_way(void **state) {
    (void)state;
    char dir[] = "/tmp/raytui-http-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char *path = rt_path_join(dir, "s");
    struct server own;
    server_start_unix(&own, loop, serve, path);
    struct reply r = {0};
    send_url(&r, "http://localhost/x", (struct rt_http_request){.unix_socket = path}, false);
    while (r.dones == 0)
        rt_loop_turn(loop, true);
    assert_int_equal(r.status, 200);
    assert_int_equal(own.requests, 1);
    rt_buf_deinit(&r.body);
    server_stop(&own);
    unlink(path);
    r = (struct reply){0};
    send_url(&r, "http://localhost/x", (struct rt_http_request){.unix_socket = path, .pool = "b"},
             false);
    while (r.dones == 0)
        rt_loop_turn(loop, true);
    check_failed(&r, RT_E_UNREACHABLE, path);
    free(path);
    rmdir(dir);
}

static void a_proxy_is_asked_for_the_whole_address(void **state) {
    (void)state;
    struct reply r = {0};
    send_url(&r, "http://far.invalid:8265/x", (struct rt_http_request){.proxy = url_of("")}, false);
    while (r.dones == 0)
        rt_loop_turn(loop, true);
    assert_int_equal(r.status, 200);
    assert_true(was_sent("GET http://far.invalid:8265/x HTTP/1.1\r\n"));
    rt_buf_deinit(&r.body);
}

static void a_proxy_of_the_environment_is_not_for_this_machine(void **state) {
    (void)state;
    setenv("http_proxy", "http://127.0.0.1:1", 1);
    struct reply r;
    get(&r, "/x");
    assert_int_equal(r.status, 200);
    rt_buf_deinit(&r.body);
    unsetenv("http_proxy");
}

static void get_dialled(struct reply *r, struct dialled *d, const struct rt_dialer *dialer,
                        const char *url) {
    (void)d;
    *r = (struct reply){0};
    send_url(r, url, (struct rt_http_request){.dialer = dialer, .pool = "c"}, false);
    while (r->dones == 0)
        rt_loop_turn(loop, true);
}

static void a_dialer_is_a_way_and_no_name_is_looked_up(void **state) {
    (void)state;
    struct dialled d = {0};
    const struct rt_dialer dialer = {.dial = dial, .error = dial_error, .ctx = &d};
    struct reply r;
    for (int i = 0; i < 3; i++) {
        get_dialled(&r, &d, &dialer, "http://head.of.far.invalid:8265/x");
        assert_string_equal(r.err.message, "");
        assert_int_equal(r.status, 200);
        rt_buf_deinit(&r.body);
    }
    assert_int_equal(d.dials, 1); /* the stream is kept */
    while (server.peers)
        peer_close(server.peers);
    get_dialled(&r, &d, &dialer, "http://head.of.far.invalid:8265/x");
    assert_int_equal(r.status, 200);
    assert_int_equal(d.dials, 2); /* and replaced when it has ended */
    rt_buf_deinit(&r.body);
    assert_string_equal(d.host, "head.of.far.invalid");
    assert_int_equal(d.port, 8265);
    get_dialled(&r, &d, &dialer, "http://10.1.2.3:52365/x");
    assert_string_equal(d.host, "10.1.2.3");
    assert_int_equal(d.port, 52365);
    rt_buf_deinit(&r.body);
    get_dialled(&r, &d, &dialer, "http://[fd00::5]:8265/x");
    assert_string_equal(d.host, "fd00::5");
    assert_int_equal(r.status, 200);
    rt_buf_deinit(&r.body);
}

static void dialled_and_direct_connections_are_kept_apart(void **state) {
    (void)state;
    struct dialled d = {0};
    const struct rt_dialer dialer = {.dial = dial, .error = dial_error, .ctx = &d};
    struct reply r;
    get_with(&r, "/x", (struct rt_http_request){.pool = "c"});
    rt_buf_deinit(&r.body);
    get_dialled(&r, &d, &dialer, url_of("/x"));
    assert_int_equal(d.dials, 1);
    assert_int_equal(r.status, 200);
    rt_buf_deinit(&r.body);
    rt_http_forget_pool(http, "c");
    get_dialled(&r, &d, &dialer, url_of("/x"));
    assert_int_equal(d.dials, 2);
    rt_buf_deinit(&r.body);
}

static void what_the_dialer_says_is_the_error(void **state) {
    (void)state;
    struct dialled d = {.refuse = true};
    const struct rt_dialer dialer = {.dial = dial, .error = dial_error, .ctx = &d};
    struct reply r;
    get_dialled(&r, &d, &dialer, "http://head:8265/x");
    check_failed(&r, RT_E_DENIED, "GET /x: login refused");
    assert_string_equal(r.err.hint, "log in first");
    d = (struct dialled){.hang_up = true, .knows = true};
    get_dialled(&r, &d, &dialer, "http://head:8265/x");
    check_failed(&r, RT_E_TIMEOUT, "GET /x: login1: no answer on port 22");
    d = (struct dialled){.hang_up = true};
    get_dialled(&r, &d, &dialer, "http://head:8265/x");
    assert_int_equal(r.err.code, RT_E_UNREACHABLE);
    assert_non_null(strstr(r.err.message, "head:8265"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_unix_socket_is_a_way),
        TEST(a_proxy_is_asked_for_the_whole_address),
        TEST(a_proxy_of_the_environment_is_not_for_this_machine),
        TEST(a_dialer_is_a_way_and_no_name_is_looked_up),
        TEST(dialled_and_direct_connections_are_kept_apart),
        TEST(what_the_dialer_says_is_the_error),
    };
    return cmocka_run_group_tests(tests, warm_up, NULL);
}
