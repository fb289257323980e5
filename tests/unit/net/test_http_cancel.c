#include "unit/net/http_client.h"

/* ---- cancel */

/* One turn after the other, for each kind of request and with each way to receive it. */
static void cancel_is_silent_at_each_stage(void **state) {
    (void)state;
    static const char *const paths[] = {"/x",           "/zeros/1000000",    "/broken/drip",
                                        "/broken/hang", "/broken/truncated", "/chunked",
                                        "/endless"};
    struct dialled d = {0};
    const struct rt_dialer dialer = {.dial = dial, .error = dial_error, .ctx = &d};
    struct rt_timer *busy = rt_timer_start(loop, 1, 1, tick, &(int){0});
    for (int kind = 0; kind < (int)RT_COUNT(paths) * 4; kind++) {
        for (int stage = 0; stage < 12; stage++) {
            struct reply r = {.count_only = true};
            char url[100];
            snprintf(url, sizeof url, "http://%s:%d%s", kind & 1 ? "localhost" : "127.0.0.1",
                     server.port, paths[kind / 4]);
            send_url(
                &r, url,
                (struct rt_http_request){.dialer = kind & 1 ? NULL : &dialer, .timeout_ms = 2000},
                kind & 2);
            for (int i = 0; i < stage && r.dones == 0; i++)
                rt_loop_turn(loop, true);
            int before = r.dones + r.datas;
            rt_op_drop(&r.op);
            for (int i = 0; i < 3; i++)
                rt_loop_turn(loop, true);
            assert_int_equal(before, r.dones + r.datas);
            rt_buf_deinit(&r.body);
        }
        rt_http_forget_pool(http, NULL);
    }
    rt_timer_stop(busy);
}

static unsigned next_random(unsigned *seed) {
    *seed = *seed * 1103515245u + 12345u;
    return *seed >> 16 & 0x7FFF;
}

/* Anything in any order, always the same: sanitizers look on. */
static void wild_use_leaves_nothing_behind(void **state) {
    (void)state;
    static const char *const paths[] = {
        "/x",       "/zeros/400000", "/broken/drip",    "/broken/hang", "/broken/truncated",
        "/chunked", "/endless",      "/broken/nothing", "/status/500",  "/broken/not-http"};
    static const char *const pools[] = {NULL, "a", "b"};
    struct dialled d = {0};
    const struct rt_dialer dialer = {.dial = dial, .error = dial_error, .ctx = &d};
    struct reply r[12];
    unsigned seed = 7;
    memset(r, 0, sizeof r);
    struct rt_timer *busy = rt_timer_start(loop, 1, 1, tick, &(int){0});
    for (int step = 0; step < 4000; step++) {
        struct reply *x = &r[next_random(&seed) % RT_COUNT(r)];
        unsigned what = next_random(&seed);
        if (!x->op) {
            rt_buf_deinit(&x->body);
            *x = (struct reply){
                .count_only = true, .stop_at = what & 64 ? 50000 : 0, .cancel_self = what & 128};
            x->cancel = what & 256 ? &r[next_random(&seed) % RT_COUNT(r)] : NULL;
            x->cancel = x->cancel == x ? NULL : x->cancel;
            char url[100];
            snprintf(url, sizeof url, "http://%s:%d%s", what & 1 ? "127.0.0.1" : "localhost",
                     server.port, paths[next_random(&seed) % RT_COUNT(paths)]);
            send_url(x, url,
                     (struct rt_http_request){.dialer = what & 2 ? &dialer : NULL,
                                              .pool = pools[what % 3],
                                              .timeout_ms = what & 4 ? 5 : 1000,
                                              .max_bytes = what & 8 ? 60000 : 0,
                                              .stream = what & 16},
                     what & 32);
        } else if (what % 8 == 0) {
            rt_op_drop(&x->op);
        } else if (what % 64 == 1) {
            rt_http_forget_pool(http, pools[what % 3]);
        } else if (what % 64 == 2 && server.peers) {
            peer_close(server.peers);
        }
        if (what % 3)
            rt_loop_turn(loop, false);
    }
    for (size_t i = 0; i < RT_COUNT(r); i++) {
        rt_op_drop(&r[i].op);
        rt_buf_deinit(&r[i].body);
    }
    rt_timer_stop(busy);
}

static void a_callback_may_cancel_another_request(void **state) {
    (void)state;
    struct rt_timer *busy = rt_timer_start(loop, 1, 1, tick, &(int){0});
    for (int with_data = 0; with_data < 2; with_data++) {
        struct reply r = {0}, other = {0}, third = {0};
        r.cancel = &other;
        send_url(&other, url_of("/zeros/3000000"), (struct rt_http_request){0}, true);
        send_url(&r, url_of("/zeros/1000000"), (struct rt_http_request){0}, with_data);
        send_url(&third, url_of("/zeros/3000000"), (struct rt_http_request){0}, false);
        other.count_only = true;
        while (r.dones == 0 || third.dones == 0)
            rt_loop_turn(loop, true);
        assert_int_equal(r.body.len, 1000000);
        assert_int_equal(third.body.len, 3000000);
        if (with_data)
            assert_int_equal(other.dones, 0);
        rt_buf_deinit(&r.body);
        rt_buf_deinit(&third.body);
    }
    rt_timer_stop(busy);
}

static void a_callback_may_cancel_its_own_request(void **state) {
    (void)state;
    struct rt_timer *busy = rt_timer_start(loop, 1, 1, tick, &(int){0});
    struct reply r = {.cancel_self = true, .count_only = true};
    send_url(&r, url_of("/endless"), (struct rt_http_request){.stream = true, .timeout_ms = -1},
             true);
    while (r.datas == 0)
        rt_loop_turn(loop, true);
    for (int i = 0; i < 5; i++)
        rt_loop_turn(loop, true);
    assert_int_equal(r.datas, 1);
    assert_int_equal(r.dones, 0);
    rt_timer_stop(busy);
}

static void the_last_callback_may_destroy_the_client(void **state) {
    (void)state;
    struct reply r = {.destroy_http = true};
    send_url(&r, url_of("/x"), (struct rt_http_request){0}, false);
    while (r.dones == 0)
        rt_loop_turn(loop, true);
    rt_loop_turn(loop, false);
    assert_null(http);
    rt_buf_deinit(&r.body);
}

static void destroying_a_client_that_did_nothing_is_fine(void **state) {
    (void)state;
    rt_http_destroy(rt_http_create(loop));
    rt_http_destroy(NULL);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(cancel_is_silent_at_each_stage),
        TEST(wild_use_leaves_nothing_behind),
        TEST(a_callback_may_cancel_another_request),
        TEST(a_callback_may_cancel_its_own_request),
        TEST(the_last_callback_may_destroy_the_client),
        TEST(destroying_a_client_that_did_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, warm_up, NULL);
}
