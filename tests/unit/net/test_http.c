#include "net/http.h"
#include "base/fs.h"
#include "unit/net/http_server.h"

static struct rt_loop *loop;
static struct rt_http *http;
static struct server server;

static int first_free; /* descriptor before a test; all above are the test's */

static void serve(struct peer *p, const struct asked *a);

static int lowest_free_fd(void) {
    int fd = dup(0);
    close(fd);
    return fd;
}

static int setup(void **state) {
    (void)state;
    struct rt_error err = {0};
    first_free = lowest_free_fd();
    loop = rt_loop_create(&err);
    http = rt_http_create(loop, &err);
    server_start(&server, loop, serve);
    return 0;
}

static int teardown(void **state) {
    (void)state;
    server_stop(&server);
    rt_http_destroy(http);
    rt_loop_destroy(loop);
    return lowest_free_fd() == first_free ? 0 : -1;
}

/* What libraries open once for ever is not a test's leak. */
static int warm_up(void **state) {
    setup(state);
    teardown(state);
    return 0;
}

/* ---- what the server does, by path */

static void serve_broken(struct peer *p, const char *how) {
    if (strcmp(how, "hang") == 0)
        return;
    if (strcmp(how, "nothing") == 0)
        p->close_after = true;
    if (strcmp(how, "truncated") == 0) {
        send_text(p, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nonly this");
        p->close_after = true;
    }
    if (strcmp(how, "chunk-cut") == 0) {
        send_text(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n");
        p->close_after = true;
    }
    if (strcmp(how, "not-http") == 0) {
        send_text(p, "\x15\x03\x01 go away\r\n");
        p->close_after = true;
    }
    if (strcmp(how, "half-head") == 0) {
        send_text(p, "HTTP/1.1 200 OK\r\nContent-");
        p->close_after = true;
    }
    if (strcmp(how, "drip") == 0) {
        answer(p, 200, "text/plain", "one byte after the other");
        drip(p, 1);
    }
    if (strcmp(how, "drip-for-ever") == 0) {
        send_text(p, "HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        p->zeros = 100000;
        drip(p, 10);
    }
}

static void serve(struct peer *p, const struct asked *a) {
    if (strncmp(a->path, "/zeros/", 7) == 0) {
        size_t n = strtoul(a->path + 7, NULL, 10);
        rt_buf_addf(&p->out, "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n", n);
        p->zeros = n;
    } else if (strncmp(a->path, "/endless", 8) == 0) {
        send_text(p, "HTTP/1.1 200 OK\r\n\r\n");
        p->zeros = SIZE_MAX / 2;
    } else if (strncmp(a->path, "/status/", 8) == 0) {
        answer(p, atoi(a->path + 8), "text/html", "<h1>no</h1>");
    } else if (strcmp(a->path, "/chunked") == 0) {
        send_text(p, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\n\r\n");
    } else if (strcmp(a->path, "/part") == 0) {
        send_text(p, "HTTP/1.1 206 Part\r\nContent-Range: bytes 100-104/1234\r\nContent-Length: 5\r\n\r\nhello");
    } else if (strcmp(a->path, "/past-the-end") == 0) {
        send_text(p, "HTTP/1.1 416 No\r\ncontent-range: bytes */77\r\nContent-Length: 0\r\n\r\n");
    } else if (strcmp(a->path, "/moved") == 0) {
        send_text(p, "HTTP/1.1 302 Found\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n");
    } else if (strncmp(a->path, "/broken/", 8) == 0) {
        serve_broken(p, a->path + 8);
    } else {
        answer(p, 200, "application/json", "{\"ok\": true}");
    }
}

/* ---- a client that remembers */

struct reply {
    struct rt_op *op;
    int dones, datas;
    bool had_answer, had_error;
    int status;
    char type[64];
    struct rt_buf body; /* of the answer, or what the data callback got */
    struct rt_error err;
    int64_t range_start, range_end, range_total, bytes;
    int64_t sent, total;
    int progress;
    size_t biggest;   /* data call */
    size_t stop_at;   /* the data callback returns false after so many bytes */
    struct reply *cancel; /* by the data callback or the done callback */
    bool count_only, cancel_self, destroy_http;
};

static void on_done(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct reply *r = ctx;
    r->op = NULL;
    r->dones++;
    if (a) {
        r->had_answer = true;
        r->status = a->status;
        snprintf(r->type, sizeof r->type, "%s", a->content_type);
        assert_int_equal(a->body[a->body_len], '\0');
        if (a->body_len)
            rt_buf_add(&r->body, a->body, a->body_len);
        r->range_start = a->range_start;
        r->range_end = a->range_end;
        r->range_total = a->range_total;
        r->bytes = a->bytes;
        assert_true(a->elapsed_us >= 0);
    }
    if (err) {
        r->had_error = true;
        r->err = *err;
    }
    if (r->cancel)
        rt_op_drop(&r->cancel->op);
    if (r->destroy_http) {
        rt_http_destroy(http);
        http = NULL;
    }
    rt_loop_stop(loop);
}

static bool on_data(void *ctx, int status, const char *data, size_t n) {
    struct reply *r = ctx;
    r->status = status;
    r->datas++;
    r->biggest = RT_MAX(r->biggest, n);
    r->bytes += (int64_t)n;
    if (!r->count_only)
        rt_buf_add(&r->body, data, n);
    if (r->cancel)
        rt_op_drop(&r->cancel->op);
    if (r->cancel_self)
        rt_op_drop(&r->op);
    return !r->stop_at || (size_t)r->bytes < r->stop_at;
}

static void on_progress(void *ctx, int64_t sent, int64_t total) {
    struct reply *r = ctx;
    assert_true(sent >= r->sent);
    r->sent = sent;
    r->total = total;
    r->progress++;
}

static void send_url(struct reply *r, const char *url, struct rt_http_request q, bool with_data) {
    q.url = url;
    const struct rt_http_callbacks cb = {
        .done = on_done, .data = with_data ? on_data : NULL, .progress = on_progress, .ctx = r};
    r->op = rt_http_send(http, &q, &cb);
    assert_non_null(r->op);
    assert_int_equal(r->dones, 0);
}

static const char *url_of(const char *path) {
    static char url[300];
    snprintf(url, sizeof url, "http://127.0.0.1:%d%s", server.port, path);
    return url;
}

static void get_with(struct reply *r, const char *path, struct rt_http_request q) {
    *r = (struct reply){0};
    send_url(r, url_of(path), q, false);
    while (r->dones == 0)
        rt_loop_turn(loop, true);
    assert_int_equal(r->dones, 1);
}

static void get(struct reply *r, const char *path) {
    get_with(r, path, (struct rt_http_request){0});
}

static void check_failed(const struct reply *r, enum rt_code code, const char *words) {
    assert_true(r->had_error);
    assert_int_equal(r->err.code, code);
    if (!strstr(r->err.message, words))
        fail_msg("\"%s\" is not in \"%s\"", words, r->err.message);
}

static bool was_sent(const char *line) {
    return server.last_head.len && strstr(server.last_head.data, line);
}

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
        send_url(&r[i], url_of(i % 2 ? "/zeros/300000" : "/x"), (struct rt_http_request){0}, i % 3 == 0);
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
    get_with(&r, "/x", (struct rt_http_request){.method = "POST", .headers = headers, .body = "{\0}", .body_len = 3});
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

static void tick(void *ctx) {
    ++*(int *)ctx;
}

/* What nobody says anything on does not wake us: each turn here is the timer's. */
static void a_silent_stream_costs_no_turns(void **state) {
    (void)state;
    struct reply r = {0};
    int ticks = 0, turns = 0;
    send_url(&r, url_of("/broken/hang"), (struct rt_http_request){.timeout_ms = -1, .stream = true}, true);
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

/* Between two turns at most 128 KiB arrive, whatever waits in the socket, so a timer gets its turn. */
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
    send_url(&r, url_of("/endless"), (struct rt_http_request){.timeout_ms = -1, .stream = true}, true);
    while (r.dones == 0)
        rt_loop_turn(loop, true);
    assert_int_equal(r.err.code, RT_E_CANCELLED);
    assert_true(r.bytes >= 1000000 && r.bytes <= 1000000 + 128 * 1024);
}

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
             (struct rt_http_request){.timeout_ms = -1, .stream = true, .max_bytes = 1000000}, true);
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
    snprintf(words, sizeof words, "GET /api/jobs/: connection refused by 127.0.0.1:%d", server.port);
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
    send_url(&r, url, (struct rt_http_request){.connect_timeout_ms = 300, .stream = true, .timeout_ms = -1}, true);
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
    static const char *const urls[] = {"127.0.0.1:8265", "ray://127.0.0.1:10001", "http://", "http://a b/",
                                       "http://h:99999/", "file:///etc/passwd", ""};
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
    send_url(&r, "https://127.0.0.1:1/x", (struct rt_http_request){.ca_file = "/nowhere/ca.pem"}, false);
    while (r.dones == 0)
        rt_loop_turn(loop, true);
    assert_true(r.had_error); /* whether the port or the file is looked at first is curl's business */
}

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
    send_url(&r, "http://localhost/x", (struct rt_http_request){.unix_socket = path, .pool = "b"}, false);
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

struct dialled {
    int dials;
    char host[64];
    int port;
    bool refuse, hang_up, knows;
};

static int dial(void *ctx, const char *host, int port, struct rt_error *err) {
    struct dialled *d = ctx;
    int fd[2];
    d->dials++;
    snprintf(d->host, sizeof d->host, "%s", host);
    d->port = port;
    if (d->refuse) {
        rt_error_set(err, RT_E_DENIED, "login refused");
        rt_error_hint(err, "log in first");
        return -1;
    }
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, fd) != 0)
        return -1;
    if (d->hang_up)
        close(fd[1]);
    else
        server_adopt(&server, fd[1]);
    return fd[0];
}

static bool dial_error(void *ctx, struct rt_error *err) {
    const struct dialled *d = ctx;
    if (!d->knows)
        return false;
    rt_error_set(err, RT_E_TIMEOUT, "login1: no answer on port 22");
    return true;
}

static void get_dialled(struct reply *r, struct dialled *d, const struct rt_dialer *dialer, const char *url) {
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

/* ---- cancel */

/* One turn after the other, for each kind of request and with each way to receive it. */
static void cancel_is_silent_at_each_stage(void **state) {
    (void)state;
    static const char *const paths[] = {"/x", "/zeros/1000000", "/broken/drip", "/broken/hang", "/broken/truncated",
                                        "/chunked", "/endless"};
    struct dialled d = {0};
    const struct rt_dialer dialer = {.dial = dial, .error = dial_error, .ctx = &d};
    struct rt_timer *busy = rt_timer_start(loop, 1, 1, tick, &(int){0});
    for (int kind = 0; kind < (int)RT_COUNT(paths) * 4; kind++) {
        for (int stage = 0; stage < 12; stage++) {
            struct reply r = {.count_only = true};
            char url[100];
            snprintf(url, sizeof url, "http://%s:%d%s", kind & 1 ? "localhost" : "127.0.0.1", server.port,
                     paths[kind / 4]);
            send_url(&r, url, (struct rt_http_request){.dialer = kind & 1 ? NULL : &dialer, .timeout_ms = 2000},
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
    static const char *const paths[] = {"/x", "/zeros/400000", "/broken/drip", "/broken/hang", "/broken/truncated",
                                        "/chunked", "/endless", "/broken/nothing", "/status/500", "/broken/not-http"};
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
            *x = (struct reply){.count_only = true, .stop_at = what & 64 ? 50000 : 0, .cancel_self = what & 128};
            x->cancel = what & 256 ? &r[next_random(&seed) % RT_COUNT(r)] : NULL;
            x->cancel = x->cancel == x ? NULL : x->cancel;
            char url[100];
            snprintf(url, sizeof url, "http://%s:%d%s", what & 1 ? "127.0.0.1" : "localhost", server.port,
                     paths[next_random(&seed) % RT_COUNT(paths)]);
            send_url(x, url, (struct rt_http_request){.dialer = what & 2 ? &dialer : NULL,
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
    send_url(&r, url_of("/endless"), (struct rt_http_request){.stream = true, .timeout_ms = -1}, true);
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
    struct rt_error err = {0};
    rt_http_destroy(rt_http_create(loop, &err));
    rt_http_destroy(NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_answer_comes_with_status_type_and_body),
        TEST(a_request_says_who_asks),
        TEST(headers_are_sent_and_may_replace_ours),
        TEST(any_status_is_an_answer),
        TEST(redirects_are_not_followed),
        TEST(chunks_are_put_together),
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
        TEST(a_unix_socket_is_a_way),
        TEST(a_proxy_is_asked_for_the_whole_address),
        TEST(a_proxy_of_the_environment_is_not_for_this_machine),
        TEST(a_dialer_is_a_way_and_no_name_is_looked_up),
        TEST(dialled_and_direct_connections_are_kept_apart),
        TEST(what_the_dialer_says_is_the_error),
        TEST(cancel_is_silent_at_each_stage),
        TEST(wild_use_leaves_nothing_behind),
        TEST(a_callback_may_cancel_another_request),
        TEST(a_callback_may_cancel_its_own_request),
        TEST(the_last_callback_may_destroy_the_client),
        TEST(destroying_a_client_that_did_nothing_is_fine),
    };
    return cmocka_run_group_tests(tests, warm_up, NULL);
}
