/* TLS against `openssl s_server` with a certificate made for the test; skipped where there is no
 * openssl. */
#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/http.h"
#include "net/proc.h"
#include "unit/cmocka_all.h"
#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct rt_loop *loop;
static struct rt_http *http;
static struct rt_proc *server;
static struct rt_buf said; /* by the server */
static char dir[] = "/tmp/raytui-tls-XXXXXX";
static char *cert, *key;
static int port;

static void on_run(void *ctx, const struct rt_run_result *r, const struct rt_error *err) {
    *(int *)ctx = !err && r->exit.status == 0 ? 1 : -1;
    rt_loop_stop(loop);
}

static bool make_certificate(void) {
    const char *const argv[] = {
        "openssl",  "req",    "-x509",   "-newkey",
        "rsa:2048", "-nodes", "-keyout", key,
        "-out",     cert,     "-days",   "2",
        "-subj",    "/CN=a",  "-addext", "subjectAltName=IP:127.0.0.1,DNS:head.far.invalid",
        NULL};
    int made = 0;
    rt_run(loop, &(struct rt_proc_opts){.argv = argv, .timeout_ms = 20000}, 10000, on_run, &made);
    rt_loop_run(loop);
    return made == 1;
}

static void server_said(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    (void)ctx;
    (void)stream;
    rt_buf_add(&said, data, n);
}

static void server_ended(void *ctx, const struct rt_proc_exit *exit) {
    (void)ctx;
    (void)exit;
    server = NULL;
}

static bool start_server(void) {
    const char *const argv[] = {"openssl", "s_server", "-accept", "127.0.0.1:0", "-cert",
                                cert,      "-key",     key,       "-www",        NULL};
    struct rt_error err = {0};
    server = rt_proc_start(loop, &(struct rt_proc_opts){.argv = argv, .output = server_said},
                           server_ended, NULL, &err);
    while (server && (!strstr(rt_buf_str(&said), "ACCEPT 127.0.0.1:") ||
                      !strchr(strstr(said.data, "ACCEPT"), '\n')))
        rt_loop_turn(loop, true);
    return server &&
           sscanf(strstr(said.data, "ACCEPT 127.0.0.1:"), "ACCEPT 127.0.0.1:%d", &port) == 1;
}

static int setup(void **state) {
    (void)state;
    struct rt_error err = {0};
    rt_buf_init(&said, 0);
    loop = rt_loop_create(&err);
    http = rt_http_create(loop);
    if (!mkdtemp(dir))
        return -1;
    cert = rt_path_join(dir, "cert.pem");
    key = rt_path_join(dir, "key.pem");
    if (!make_certificate() || !start_server())
        port = 0;
    return 0;
}

static int teardown(void **state) {
    (void)state;
    struct rt_error err = {0};
    rt_http_destroy(http);
    rt_proc_destroy(server);
    rt_loop_destroy(loop);
    rt_buf_deinit(&said);
    free(cert);
    free(key);
    return rt_remove_tree(dir, &err) ? 0 : -1;
}

struct reply {
    int dones, status;
    struct rt_error err;
};

static void on_done(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct reply *r = ctx;
    r->dones++;
    r->status = a ? a->status : 0;
    if (err)
        r->err = *err;
}

static void get(struct reply *r, const char *host, struct rt_http_request q) {
    if (!port)
        skip();
    *r = (struct reply){0};
    char url[100];
    snprintf(url, sizeof url, "https://%s:%d/", host, port);
    q.url = url;
    rt_http_send(http, &q, &(struct rt_http_callbacks){.done = on_done, .ctx = r});
    while (r->dones == 0)
        rt_loop_turn(loop, true);
}

static void a_certificate_that_nobody_vouches_for_is_told_with_the_way_out(void **state) {
    (void)state;
    struct reply r;
    get(&r, "127.0.0.1", (struct rt_http_request){0});
    assert_int_equal(r.err.code, RT_E_UNREACHABLE);
    assert_non_null(strstr(r.err.message, "the certificate of 127.0.0.1:"));
    assert_non_null(strstr(r.err.hint, "ca_file"));
    assert_int_equal(r.status, 0);
}

static void a_ca_file_vouches_for_it(void **state) {
    (void)state;
    struct reply r;
    get(&r, "127.0.0.1", (struct rt_http_request){.ca_file = cert});
    assert_string_equal(r.err.message, "");
    assert_int_equal(r.status, 200);
}

static void a_certificate_for_another_host_is_refused(void **state) {
    (void)state;
    struct reply r;
    get(&r, "localhost", (struct rt_http_request){.ca_file = cert});
    assert_int_equal(r.err.code, RT_E_UNREACHABLE);
    assert_non_null(strstr(r.err.message, "the certificate of localhost:"));
}

static void a_ca_file_that_is_not_there_is_named(void **state) {
    (void)state;
    struct reply r;
    get(&r, "127.0.0.1", (struct rt_http_request){.ca_file = "/nowhere/ca.pem"});
    assert_int_equal(r.err.code, RT_E_CONFIG);
    assert_non_null(strstr(r.err.message, "/nowhere/ca.pem"));
}

static int dial(void *ctx, const char *host, int to_port, struct rt_error *err) {
    (void)host;
    (void)err;
    ++*(int *)ctx;
    const struct sockaddr_in at = {.sin_family = AF_INET,
                                   .sin_port = htons((uint16_t)to_port),
                                   .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)(const void *)&at, sizeof at), 0);
    fcntl(fd, F_SETFL, O_NONBLOCK);
    return fd;
}

static void tls_works_over_a_dialled_stream(void **state) {
    (void)state;
    int dials = 0;
    const struct rt_dialer dialer = {.dial = dial, .ctx = &dials};
    struct reply r;
    get(&r, "head.far.invalid", (struct rt_http_request){.ca_file = cert, .dialer = &dialer});
    assert_string_equal(r.err.message, "");
    assert_int_equal(r.status, 200);
    assert_int_equal(dials, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_certificate_that_nobody_vouches_for_is_told_with_the_way_out),
        cmocka_unit_test(a_ca_file_vouches_for_it),
        cmocka_unit_test(a_certificate_for_another_host_is_refused),
        cmocka_unit_test(a_ca_file_that_is_not_there_is_named),
        cmocka_unit_test(tls_works_over_a_dialled_stream),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
