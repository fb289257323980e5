/* Forwards over loopback: an echo server on a thread of its own, clients on others, the loop
 * between. */
#include "net/forward.h"

#include "base/mem.h"
#include "net/port.h"
#include "net/relay.h"
#include "net/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* ---- sockets that wait, for the threads ---- */

static int port_of(int fd) {
    struct sockaddr_in a = {0};
    socklen_t n = sizeof a;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    return ntohs(a.sin_port);
}

static int connect_to(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    if (connect(fd, (const struct sockaddr *)&a, sizeof a) != 0) {
        close(fd);
        return -1;
    }
    return fd;
}

static bool write_all(int fd, const char *data, size_t n) {
    while (n > 0) {
        ssize_t m = send(fd, data, n, MSG_NOSIGNAL);
        if (m <= 0)
            return false;
        data += m;
        n -= (size_t)m;
    }
    return true;
}

/* Reads to the end; -1 with errno when that is no clean end. */
static ssize_t read_all(int fd, char *to, size_t size) {
    size_t n = 0;
    for (;;) {
        ssize_t m = recv(fd, to + n, size - n, 0);
        if (m < 0)
            return -1;
        if (m == 0)
            return (ssize_t)n;
        n += (size_t)m;
    }
}

struct server {
    int fd, port;
    pthread_t thread;
};

static void *echo_one(void *arg) {
    int fd = (int)(intptr_t)arg;
    char buf[65536];
    ssize_t n;
    while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
        if (!write_all(fd, buf, (size_t)n))
            break;
    shutdown(fd, SHUT_WR); /* only now: what a half-close is good for */
    close(fd);
    return NULL;
}

static void *serve(void *arg) {
    struct server *s = arg;
    int fd;
    while ((fd = accept(s->fd, NULL, NULL)) >= 0) {
        pthread_t t;
        pthread_create(&t, NULL, echo_one, (void *)(intptr_t)fd);
        pthread_detach(t);
    }
    return NULL;
}

static void server_start(struct server *s) {
    s->fd = rt_port_listen(0);
    assert_true(s->fd >= 0);
    s->port = port_of(s->fd);
    assert_int_equal(pthread_create(&s->thread, NULL, serve, s), 0);
}

static void server_stop(struct server *s) {
    shutdown(s->fd, SHUT_RDWR);
    pthread_join(s->thread, NULL);
    close(s->fd);
}

/* ---- a client that sends, half-closes, and wants all of it back ---- */

struct client {
    pthread_t thread;
    int port, done_fd;
    size_t n;
    bool ok;
};

struct upload {
    int fd;
    const char *data;
    size_t n;
};

static void *upload(void *arg) {
    struct upload *u = arg;
    write_all(u->fd, u->data, u->n);
    shutdown(u->fd, SHUT_WR);
    return NULL;
}

static bool round_trip(int fd, size_t n) {
    char *sent = malloc(n + 1), *got = malloc(n + 1);
    struct upload u = {fd, sent, n};
    pthread_t t;
    for (size_t i = 0; i < n; i++)
        sent[i] = (char)(i * 31 + i / 251);
    pthread_create(&t, NULL, upload, &u);
    ssize_t m = read_all(fd, got, n + 1);
    pthread_join(t, NULL);
    bool ok = m == (ssize_t)n && memcmp(sent, got, n) == 0;
    free(sent);
    free(got);
    return ok;
}

static void *run_client(void *arg) {
    struct client *c = arg;
    int fd = connect_to(c->port);
    c->ok = fd >= 0 && round_trip(fd, c->n);
    if (fd >= 0)
        close(fd);
    assert_int_equal(write(c->done_fd, "", 1), 1);
    return NULL;
}

/* ---- the loop between them ---- */

struct bench {
    struct rt_loop *loop;
    int pipe[2];
    struct rt_fd *watch;
    int done;
};

static void on_done(void *ctx, int events) {
    struct bench *b = ctx;
    char c[64];
    (void)events;
    ssize_t n = read(b->pipe[0], c, sizeof c);
    b->done += n > 0 ? (int)n : 0;
}

static void bench_start(struct bench *b) {
    struct rt_error err = {0};
    *b = (struct bench){0};
    b->loop = rt_loop_create(&err);
    assert_int_equal(pipe(b->pipe), 0);
    rt_fd_prepare(b->pipe[0]);
    b->watch = rt_fd_watch(b->loop, b->pipe[0], RT_READ, on_done, b);
}

static void bench_run(struct bench *b, int until) {
    while (b->done < until)
        rt_loop_turn(b->loop, true);
}

static void bench_stop(struct bench *b) {
    rt_fd_unwatch(b->watch);
    close(b->pipe[0]);
    close(b->pipe[1]);
    rt_loop_destroy(b->loop);
}

static void start_client(struct bench *b, struct client *c, int port, size_t n) {
    *c = (struct client){.port = port, .n = n, .done_fd = b->pipe[1]};
    pthread_create(&c->thread, NULL, run_client, c);
}

/* Turns until all connections of the forward have ended. */
static void settle(struct bench *b, struct rt_forward *f) {
    while (rt_forward_status(f)->connections > 0)
        rt_loop_turn(b->loop, true);
}

/* ---- tests ---- */

static void carries_bytes_both_ways_and_half_closes(void **state) {
    struct server s;
    struct bench b;
    struct client c[20];
    struct rt_error err = {0};
    (void)state;
    server_start(&s);
    bench_start(&b);
    struct rt_forward_opts o = {.host = "127.0.0.1", .port = s.port};
    struct rt_forward *f = rt_forward_open(b.loop, &o, &err);
    assert_non_null(f);
    for (size_t i = 0; i < RT_COUNT(c); i++)
        start_client(&b, &c[i], rt_forward_status(f)->local_port, 300000 + 1000 * i);
    bench_run(&b, RT_COUNT(c));
    int64_t sum = 0;
    for (size_t i = 0; i < RT_COUNT(c); i++) {
        pthread_join(c[i].thread, NULL);
        assert_true(c[i].ok);
        sum += (int64_t)c[i].n;
    }
    settle(&b, f);
    assert_int_equal(rt_forward_status(f)->bytes_in, sum);
    assert_int_equal(rt_forward_status(f)->bytes_out, sum);
    assert_int_equal(rt_forward_status(f)->connections_total, RT_COUNT(c));
    assert_int_equal(rt_forward_status(f)->error.code, RT_OK);
    rt_forward_close(f);
    bench_stop(&b);
    server_stop(&s);
}

static void one_stalled_reader_does_not_stall_the_others(void **state) {
    struct server s;
    struct bench b;
    struct client c;
    struct rt_error err = {0};
    (void)state;
    server_start(&s);
    bench_start(&b);
    struct rt_forward_opts o = {.host = "127.0.0.1", .port = s.port};
    struct rt_forward *f = rt_forward_open(b.loop, &o, &err);
    int stalled = connect_to(rt_forward_status(f)->local_port);
    rt_fd_prepare(stalled);
    char junk[65536] = {0};
    size_t unmoved = 0;
    while (unmoved < 50) { /* sends, never reads, until nothing goes any more */
        unmoved = send(stalled, junk, sizeof junk, MSG_NOSIGNAL) > 0 ? 0 : unmoved + 1;
        rt_loop_turn(b.loop, false);
        if (unmoved)
            usleep(1000);
    }
    start_client(&b, &c, rt_forward_status(f)->local_port, 2000000);
    bench_run(&b, 1);
    pthread_join(c.thread, NULL);
    assert_true(c.ok);
    assert_int_equal(rt_forward_status(f)->connections_total, 2);
    close(stalled);
    settle(&b, f);
    rt_forward_close(f);
    bench_stop(&b);
    server_stop(&s);
}

static void a_taken_port_is_not_stolen_and_its_holder_named(void **state) {
    struct bench b;
    struct rt_error err = {0};
    char who[80];
    (void)state;
    bench_start(&b);
    int other = rt_port_listen(0), port = port_of(other);
    assert_false(rt_port_free(port));
    struct rt_forward_opts o = {
        .host = "127.0.0.1", .port = 1, .local_port = port, .pinned = true, .first_free = port};
    struct rt_forward *f = rt_forward_open(b.loop, &o, &err);
    assert_non_null(f);
    const struct rt_forward_status *st = rt_forward_status(f);
    assert_true(st->moved);
    assert_true(st->local_port > port);
    rt_port_holder(port, who, sizeof who);
    assert_non_null(strstr(st->note, who));
#if defined(__linux__)
    char mine[40];
    snprintf(mine, sizeof mine, "pid %d (", (int)getpid());
    assert_non_null(strstr(st->note, mine));
#endif
    rt_forward_close(f);
    close(other);
    assert_true(rt_port_free(port));
    bench_stop(&b);
}

static void a_port_is_reserved_once_and_can_still_be_listened_on(void **state) {
    (void)state;
    int probe = rt_port_listen(0), port = port_of(probe);
    assert_int_equal(rt_port_reserve(port), -1); /* somebody listens */
    close(probe);
    int fd = rt_port_reserve(port);
    assert_true(fd >= 0);
    assert_int_equal(rt_port_reserve(port), -1);
    probe = rt_port_listen(port);
    assert_true(probe >= 0);
    close(probe);
    close(fd);
    fd = rt_port_reserve(port);
    assert_true(fd >= 0);
    close(fd);
}

static void a_listener_on_all_addresses_counts_as_taken(void **state) {
    struct sockaddr_in a = {.sin_family = AF_INET};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    (void)state;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    assert_int_equal(bind(fd, (const struct sockaddr *)&a, sizeof a), 0);
    assert_int_equal(listen(fd, 5), 0);
    assert_false(rt_port_free(port_of(fd)));
    close(fd);
}

static bool is_ready(void *ctx) {
    return *(bool *)ctx;
}

static void connections_wait_for_the_way_and_then_go_through(void **state) {
    struct server s;
    struct bench b;
    struct client c;
    struct rt_error err = {0};
    bool ready = false;
    (void)state;
    server_start(&s);
    bench_start(&b);
    struct rt_forward_opts o = {
        .host = "127.0.0.1", .port = s.port, .ready = is_ready, .ready_ctx = &ready};
    struct rt_forward *f = rt_forward_open(b.loop, &o, &err);
    start_client(&b, &c, rt_forward_status(f)->local_port, 5000);
    while (rt_forward_status(f)->connections_total == 0)
        rt_loop_turn(b.loop, true);
    for (int i = 0; i < 5; i++)
        rt_loop_turn(b.loop, false);
    assert_int_equal(b.done, 0);
    ready = true;
    bench_run(&b, 1);
    pthread_join(c.thread, NULL);
    assert_true(c.ok);
    settle(&b, f);
    rt_forward_close(f);
    bench_stop(&b);
    server_stop(&s);
}

struct refused {
    pthread_t thread;
    int port, done_fd;
    ssize_t got;
    int err_no;
};

static void *run_refused(void *arg) {
    struct refused *r = arg;
    char buf[100];
    int fd = connect_to(r->port);
    write_all(fd, "GET / HTTP/1.1\r\n\r\n", 18);
    r->got = read_all(fd, buf, sizeof buf);
    r->err_no = errno;
    close(fd);
    assert_int_equal(write(r->done_fd, "", 1), 1);
    return NULL;
}

static void who_waited_too_long_reads_a_clean_end(void **state) {
    struct bench b;
    struct rt_error err = {0};
    bool ready = false;
    (void)state;
    bench_start(&b);
    struct rt_forward_opts o = {
        .host = "127.0.0.1", .port = 1, .ready = is_ready, .ready_ctx = &ready};
    struct rt_forward *f = rt_forward_open(b.loop, &o, &err);
    struct refused r = {.port = rt_forward_status(f)->local_port, .done_fd = b.pipe[1]};
    pthread_create(&r.thread, NULL, run_refused, &r);
    bench_run(&b, 1);
    pthread_join(r.thread, NULL);
    assert_int_equal(r.got, 0); /* not -1 with ECONNRESET */
    settle(&b, f);
    rt_forward_close(f);
    bench_stop(&b);
}

static void a_far_side_that_is_not_there_is_told(void **state) {
    struct bench b;
    struct rt_error err = {0};
    (void)state;
    bench_start(&b);
    int gone = rt_port_listen(0), port = port_of(gone);
    close(gone);
    struct rt_forward_opts o = {.host = "127.0.0.1", .port = port};
    struct rt_forward *f = rt_forward_open(b.loop, &o, &err);
    struct refused r = {.port = rt_forward_status(f)->local_port, .done_fd = b.pipe[1]};
    pthread_create(&r.thread, NULL, run_refused, &r);
    bench_run(&b, 1);
    pthread_join(r.thread, NULL);
    assert_int_equal(r.got, 0);
    assert_int_equal(rt_forward_status(f)->error.code, RT_E_UNREACHABLE);
    rt_forward_close(f);
    bench_stop(&b);
}

/* A dialer as kubectl's or a proxy's would be: only descriptors. */
struct fake {
    int port;
    bool fail;
};

static int fake_dial(void *ctx, const char *host, int port, struct rt_error *err) {
    struct fake *k = ctx;
    assert_string_equal(host, "head");
    assert_int_equal(port, 8265);
    if (k->fail) {
        rt_error_set(err, RT_E_UNREACHABLE, "no way");
        return -1;
    }
    int fd = connect_to(k->port);
    rt_fd_prepare(fd);
    return fd;
}

static bool fake_error(void *ctx, struct rt_error *err) {
    (void)ctx;
    (void)err;
    return false;
}

static void goes_through_a_dialer_that_only_dials(void **state) {
    struct server s;
    struct bench b;
    struct client c;
    struct rt_error err = {0};
    (void)state;
    server_start(&s);
    bench_start(&b);
    struct fake fake = {.port = s.port};
    struct rt_dialer d = {.dial = fake_dial, .error = fake_error, .ctx = &fake};
    struct rt_forward_opts o = {.dialer = &d, .host = "head", .port = 8265};
    struct rt_forward *f = rt_forward_open(b.loop, &o, &err);
    start_client(&b, &c, rt_forward_status(f)->local_port, 100000);
    bench_run(&b, 1);
    pthread_join(c.thread, NULL);
    assert_true(c.ok);
    settle(&b, f);
    fake.fail = true;
    struct refused r = {.port = rt_forward_status(f)->local_port, .done_fd = b.pipe[1]};
    pthread_create(&r.thread, NULL, run_refused, &r);
    bench_run(&b, 2);
    pthread_join(r.thread, NULL);
    assert_int_equal(r.got, 0);
    assert_string_equal(rt_forward_status(f)->error.message, "no way");
    rt_forward_close(f);
    bench_stop(&b);
    server_stop(&s);
}

static void closing_ends_open_connections(void **state) {
    struct server s;
    struct bench b;
    struct rt_error err = {0};
    char c;
    (void)state;
    server_start(&s);
    bench_start(&b);
    struct rt_forward_opts o = {.host = "127.0.0.1", .port = s.port};
    struct rt_forward *f = rt_forward_open(b.loop, &o, &err);
    int fd = connect_to(rt_forward_status(f)->local_port);
    while (rt_forward_status(f)->connections_total == 0)
        rt_loop_turn(b.loop, true);
    rt_forward_close(f);
    rt_forward_close(NULL);
    assert_int_equal(recv(fd, &c, 1, 0), 0);
    close(fd);
    bench_stop(&b);
    server_stop(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(carries_bytes_both_ways_and_half_closes),
        cmocka_unit_test(one_stalled_reader_does_not_stall_the_others),
        cmocka_unit_test(a_taken_port_is_not_stolen_and_its_holder_named),
        cmocka_unit_test(a_port_is_reserved_once_and_can_still_be_listened_on),
        cmocka_unit_test(a_listener_on_all_addresses_counts_as_taken),
        cmocka_unit_test(connections_wait_for_the_way_and_then_go_through),
        cmocka_unit_test(who_waited_too_long_reads_a_clean_end),
        cmocka_unit_test(a_far_side_that_is_not_there_is_told),
        cmocka_unit_test(goes_through_a_dialer_that_only_dials),
        cmocka_unit_test(closing_ends_open_connections),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
