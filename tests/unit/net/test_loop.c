#include "base/mem.h"
#include "net/loop.h"
#include "unit/cmocka_all.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct rt_loop *loop;

static int make_loop(void **state) {
    (void)state;
    struct rt_error err = {0};
    loop = rt_loop_create(&err);
    return loop ? 0 : -1;
}

static int destroy_loop(void **state) {
    (void)state;
    rt_loop_destroy(loop);
    return 0;
}

static void count(void *ctx) {
    ++*(int *)ctx;
}

static void stop(void *ctx) {
    (void)ctx;
    rt_loop_stop(loop);
}

/* ---- turns */

static void run_returns_at_once_when_stopped_before(void **state) {
    (void)state;
    int n = 0;
    struct rt_timer *t = rt_timer_start(loop, 0, 1, count, &n);
    rt_loop_stop(loop);
    rt_loop_run(loop);
    assert_int_equal(n, 0);
    rt_loop_defer(loop, stop, NULL); /* and runs again afterwards */
    rt_loop_run(loop);
    rt_timer_stop(t);
}

static void run_returns_when_nothing_can_happen_any_more(void **state) {
    (void)state;
    int n = 0;
    rt_loop_defer(loop, count, &n);
    rt_loop_run(loop);
    assert_int_equal(n, 1);
}

/* ---- deferred calls */

static void a_deferred_call_comes_later_and_once(void **state) {
    (void)state;
    int n = 0;
    rt_loop_defer(loop, count, &n);
    assert_int_equal(n, 0);
    rt_loop_turn(loop, false);
    assert_int_equal(n, 1);
    rt_loop_turn(loop, false);
    assert_int_equal(n, 1);
}

static void a_cancelled_deferred_call_never_comes(void **state) {
    (void)state;
    int n = 0, m = 0;
    struct rt_op *op = rt_loop_defer(loop, count, &n);
    rt_loop_defer(loop, count, &m);
    rt_op_drop(&op);
    assert_null(op);
    rt_loop_turn(loop, false);
    assert_int_equal(n, 0);
    assert_int_equal(m, 1);
}

struct pair {
    struct rt_op *op[2];
    int n;
};

static void cancel_the_other(void *ctx) {
    struct pair *p = ctx;
    p->n++;
    p->op[0] = NULL;
    rt_op_drop(&p->op[1]);
}

static void a_deferred_call_may_cancel_one_of_the_same_turn(void **state) {
    (void)state;
    struct pair p = {0};
    p.op[0] = rt_loop_defer(loop, cancel_the_other, &p);
    p.op[1] = rt_loop_defer(loop, cancel_the_other, &p);
    rt_loop_turn(loop, false);
    rt_loop_turn(loop, false);
    assert_int_equal(p.n, 1);
}

static void defer_again(void *ctx) {
    ++*(int *)ctx;
    rt_loop_defer(loop, defer_again, ctx);
}

static void what_defers_itself_for_ever_does_not_hold_up_a_turn(void **state) {
    (void)state;
    int n = 0, ticks = 0;
    rt_loop_defer(loop, defer_again, &n);
    struct rt_timer *t = rt_timer_start(loop, 1, 1, count, &ticks);
    int turns = 0;
    while (ticks < 3) {
        rt_loop_turn(loop, true);
        turns++;
    }
    assert_true(n <= turns);
    rt_timer_stop(t);
}

/* ---- timers */

struct timing {
    struct rt_timer *t;
    int n, until;
};

static void stop_own_timer(void *ctx) {
    struct timing *w = ctx;
    if (++w->n == w->until) {
        rt_timer_stop(w->t);
        w->t = NULL;
        rt_loop_stop(loop);
    }
}

static void a_timer_repeats_and_may_be_stopped_in_its_own_callback(void **state) {
    (void)state;
    struct timing w = {.until = 3};
    w.t = rt_timer_start(loop, 0, 1, stop_own_timer, &w);
    rt_loop_run(loop);
    assert_int_equal(w.n, 3);
    assert_null(w.t);
}

static void a_timer_without_repeat_comes_once_and_can_be_started_again(void **state) {
    (void)state;
    int n = 0, ticks = 0;
    struct rt_timer *other = rt_timer_start(loop, 1, 1, count, &ticks);
    struct rt_timer *t = rt_timer_start(loop, 0, 0, count, &n);
    while (ticks < 5)
        rt_loop_turn(loop, true);
    assert_int_equal(n, 1);
    rt_timer_again(t, 0, 0);
    while (ticks < 10)
        rt_loop_turn(loop, true);
    assert_int_equal(n, 2);
    rt_timer_stop(t);
    rt_timer_stop(other);
}

static void a_delay_is_counted_from_the_call_not_from_the_start_of_the_turn(void **state) {
    (void)state;
    int n = 0;
    rt_loop_turn(loop, false);
    int64_t begin = rt_mono_ms();
    while (rt_mono_ms() - begin < 30)
        ; /* a slow turn */
    begin = rt_mono_ms();
    struct rt_timer *t = rt_timer_start(loop, 30, 0, count, &n);
    while (n == 0)
        rt_loop_turn(loop, true);
    assert_true(rt_mono_ms() - begin >= 29);
    rt_timer_stop(t);
}

/* ---- descriptors */

struct watch {
    struct rt_fd *w;
    int fd, events, n;
    bool unwatch;
};

static void seen(void *ctx, int events) {
    struct watch *w = ctx;
    w->events |= events;
    w->n++;
    if (w->unwatch) {
        rt_fd_unwatch(w->w);
        w->w = NULL;
    }
}

static void make_pair(int fd[2]) {
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, fd), 0);
}

static void a_descriptor_tells_when_it_can_be_read_and_written(void **state) {
    (void)state;
    int fd[2];
    make_pair(fd);
    struct watch w = {0};
    w.w = rt_fd_watch(loop, fd[0], RT_READ, seen, &w);
    rt_loop_turn(loop, false);
    assert_int_equal(w.n, 0);
    assert_int_equal(write(fd[1], "x", 1), 1);
    rt_loop_turn(loop, false);
    assert_int_equal(w.events, RT_READ);
    w.events = 0;
    rt_fd_events(w.w, RT_READ | RT_WRITE);
    rt_loop_turn(loop, false);
    assert_int_equal(w.events, RT_READ | RT_WRITE);
    rt_fd_unwatch(w.w);
    close(fd[0]);
    close(fd[1]);
}

static void a_paused_descriptor_tells_nothing(void **state) {
    (void)state;
    int fd[2];
    make_pair(fd);
    struct watch w = {0};
    w.w = rt_fd_watch(loop, fd[0], 0, seen, &w);
    assert_int_equal(write(fd[1], "x", 1), 1);
    rt_loop_turn(loop, false);
    assert_int_equal(w.n, 0);
    rt_fd_events(w.w, RT_READ);
    rt_loop_turn(loop, false);
    assert_int_equal(w.n, 1);
    rt_fd_events(w.w, 0);
    rt_loop_turn(loop, false);
    assert_int_equal(w.n, 1);
    rt_fd_unwatch(w.w);
    close(fd[0]);
    close(fd[1]);
}

static void a_watch_may_end_in_its_own_callback_and_its_number_be_used_again(void **state) {
    (void)state;
    for (int i = 0; i < 3; i++) { /* the same numbers each time */
        int fd[2];
        make_pair(fd);
        struct watch w = {.unwatch = true};
        w.w = rt_fd_watch(loop, fd[0], RT_READ, seen, &w);
        assert_non_null(w.w);
        assert_int_equal(write(fd[1], "xy", 2), 2);
        rt_loop_turn(loop, false);
        assert_int_equal(w.n, 1);
        assert_null(w.w);
        close(fd[0]);
        close(fd[1]);
    }
}

static void a_watch_may_end_before_its_event_of_the_same_turn(void **state) {
    (void)state;
    int a[2], b[2];
    make_pair(a);
    make_pair(b);
    struct watch w = {.unwatch = true}, v = {.unwatch = true};
    w.w = rt_fd_watch(loop, a[0], RT_READ, seen, &w);
    v.w = rt_fd_watch(loop, b[0], RT_READ, seen, &v);
    assert_int_equal(write(a[1], "x", 1), 1);
    assert_int_equal(write(b[1], "x", 1), 1);
    rt_fd_unwatch(v.w);
    rt_loop_turn(loop, false);
    assert_int_equal(w.n, 1);
    assert_int_equal(v.n, 0);
    close(a[0]);
    close(a[1]);
    close(b[0]);
    close(b[1]);
}

static void a_peer_that_goes_is_told(void **state) {
    (void)state;
    int fd[2];
    make_pair(fd);
    struct watch w = {.unwatch = true};
    w.w = rt_fd_watch(loop, fd[0], RT_READ | RT_HANGUP, seen, &w);
    close(fd[1]);
    while (w.n == 0)
        rt_loop_turn(loop, true);
    assert_true(w.events & RT_READ);
    char c;
    assert_int_equal(read(fd[0], &c, 1), 0);
    close(fd[0]);
}

static void a_watch_leaves_the_flags_of_a_descriptor_alone(void **state) {
    (void)state;
    int fd[2];
    make_pair(fd);
    int before = fcntl(fd[0], F_GETFL);
    struct watch w = {0};
    w.w = rt_fd_watch(loop, fd[0], RT_READ, seen, &w);
    assert_int_equal(fcntl(fd[0], F_GETFL), before);
    rt_fd_unwatch(w.w);
    assert_int_equal(fcntl(fd[0], F_GETFL), before);
    close(fd[0]);
    close(fd[1]);
}

static void a_second_watch_of_a_descriptor_is_refused(void **state) {
    (void)state;
    int fd[2];
    make_pair(fd);
    struct watch w = {0};
    w.w = rt_fd_watch(loop, fd[0], RT_READ, seen, &w);
    assert_null(rt_fd_watch(loop, fd[0], RT_WRITE, seen, &w));
    rt_fd_unwatch(w.w);
    close(fd[0]);
    close(fd[1]);
}

/* ---- signals */

static void signal_seen(void *ctx, int signum) {
    *(int *)ctx = signum;
    rt_loop_stop(loop);
}

static void a_signal_comes_in_a_turn(void **state) {
    (void)state;
    int got = 0;
    struct rt_signal *s = rt_signal_watch(loop, SIGUSR1, signal_seen, &got);
    assert_int_equal(kill(getpid(), SIGUSR1), 0);
    assert_int_equal(got, 0);
    rt_loop_run(loop);
    assert_int_equal(got, SIGUSR1);
    rt_signal_unwatch(s);
}

static void a_broken_pipe_is_an_error_not_the_end(void **state) {
    (void)state;
    int fd[2];
    assert_int_equal(pipe(fd), 0);
    close(fd[0]);
    assert_int_equal(write(fd[1], "x", 1), -1);
    close(fd[1]);
}

/* ---- workers */

struct job {
    int gate[2]; /* work reads a byte here before it goes on */
    int worked, done, freed;
};

static void work(void *ctx) {
    struct job *j = ctx;
    char c;
    if (read(j->gate[0], &c, 1) == 1)
        j->worked = 1;
}

static void done(void *ctx) {
    struct job *j = ctx;
    j->done = 1;
    rt_loop_stop(loop);
}

static void freed(void *ctx) {
    struct job *j = ctx;
    j->freed = 1;
    rt_loop_stop(loop);
}

static void work_comes_back_to_the_loop(void **state) {
    (void)state;
    struct job j = {0};
    assert_int_equal(pipe(j.gate), 0);
    rt_loop_work(loop, work, done, freed, &j);
    assert_int_equal(write(j.gate[1], "x", 1), 1);
    rt_loop_run(loop);
    assert_true(j.worked && j.done && !j.freed);
    close(j.gate[0]);
    close(j.gate[1]);
}

static void cancelled_work_is_freed_after_it_has_returned(void **state) {
    (void)state;
    struct job j = {0};
    assert_int_equal(pipe(j.gate), 0);
    struct rt_op *op = rt_loop_work(loop, work, done, freed, &j);
    rt_op_drop(&op);
    assert_false(j.freed);
    assert_int_equal(write(j.gate[1], "x", 1), 1);
    rt_loop_run(loop);
    assert_true(j.freed && !j.done);
    close(j.gate[0]);
    close(j.gate[1]);
}

static void a_loop_is_destroyed_only_when_cancelled_work_has_been_freed(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_loop *own = rt_loop_create(&err);
    struct job j = {0};
    assert_int_equal(pipe(j.gate), 0);
    struct rt_op *op = rt_loop_work(own, work, done, NULL, &j);
    rt_op_drop(&op);
    struct job k = {.gate = {j.gate[0], j.gate[1]}};
    op = rt_loop_work(own, work, done, freed, &k);
    rt_op_drop(&op);
    assert_int_equal(write(j.gate[1], "xx", 2), 2);
    rt_loop_destroy(own);
    assert_true(k.freed && !k.done && !j.done);
    close(j.gate[0]);
    close(j.gate[1]);
}

/* ---- names */

struct lookup {
    struct rt_addresses a;
    struct rt_error err;
    int n;
};

static void resolved(void *ctx, const struct rt_addresses *a, const struct rt_error *err) {
    struct lookup *l = ctx;
    l->n++;
    if (a)
        l->a = *a;
    if (err)
        l->err = *err;
}

static bool has_address(const struct rt_addresses *a, const char *text) {
    for (int i = 0; i < a->n; i++)
        if (strcmp(a->text[i], text) == 0)
            return true;
    return false;
}

static void a_numeric_address_is_its_own_answer(void **state) {
    (void)state;
    struct lookup l = {0}, m = {0};
    rt_resolve(loop, "192.0.2.7", resolved, &l);
    rt_resolve(loop, "2001:db8::1", resolved, &m);
    assert_int_equal(l.n, 0);
    rt_loop_turn(loop, false);
    assert_int_equal(l.n, 1);
    assert_int_equal(l.a.n, 1);
    assert_string_equal(l.a.text[0], "192.0.2.7");
    assert_string_equal(m.a.text[0], "2001:db8::1");
}

static void localhost_is_this_machine(void **state) {
    (void)state;
    struct lookup l = {0};
    rt_resolve(loop, "localhost", resolved, &l);
    while (l.n == 0)
        rt_loop_turn(loop, true);
    assert_true(has_address(&l.a, "127.0.0.1") || has_address(&l.a, "::1"));
}

static void an_impossible_name_is_an_error_with_the_name(void **state) {
    (void)state;
    struct lookup l = {0};
    rt_resolve(loop, "no..such..host", resolved, &l);
    while (l.n == 0)
        rt_loop_turn(loop, true);
    assert_int_equal(l.a.n, 0);
    assert_int_equal(l.err.code, RT_E_UNREACHABLE);
    assert_non_null(strstr(l.err.message, "no..such..host"));
}

static void questions_for_one_name_are_answered_apart_and_cancelled_apart(void **state) {
    (void)state;
    struct lookup l = {0}, m = {0}, k = {0};
    rt_resolve(loop, "localhost", resolved, &l);
    struct rt_op *op = rt_resolve(loop, "localhost", resolved, &m);
    rt_resolve(loop, "localhost", resolved, &k);
    rt_op_drop(&op);
    while (l.n == 0 || k.n == 0)
        rt_loop_turn(loop, true);
    assert_int_equal(m.n, 0);
    assert_true(l.a.n > 0 && k.a.n > 0);
}

static void a_loop_may_end_while_a_name_is_looked_up(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_loop *own = rt_loop_create(&err);
    struct lookup l = {0};
    struct rt_op *op = rt_resolve(own, "localhost", resolved, &l);
    struct rt_op *numeric = rt_resolve(own, "::1", resolved, &l);
    rt_op_drop(&op);
    rt_op_drop(&numeric);
    rt_loop_destroy(own);
    assert_int_equal(l.n, 0);
}

/* ---- clocks */

static void the_wall_clock_can_be_fixed(void **state) {
    (void)state;
    setenv("RAYTUI_NOW_MS", "1234567890123", 1);
    assert_true(rt_wall_ms() == 1234567890123);
    unsetenv("RAYTUI_NOW_MS");
    assert_true(rt_wall_ms() > 1600000000000);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_loop, destroy_loop)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(run_returns_at_once_when_stopped_before),
        TEST(run_returns_when_nothing_can_happen_any_more),
        TEST(a_deferred_call_comes_later_and_once),
        TEST(a_cancelled_deferred_call_never_comes),
        TEST(a_deferred_call_may_cancel_one_of_the_same_turn),
        TEST(what_defers_itself_for_ever_does_not_hold_up_a_turn),
        TEST(a_timer_repeats_and_may_be_stopped_in_its_own_callback),
        TEST(a_timer_without_repeat_comes_once_and_can_be_started_again),
        TEST(a_delay_is_counted_from_the_call_not_from_the_start_of_the_turn),
        TEST(a_descriptor_tells_when_it_can_be_read_and_written),
        TEST(a_paused_descriptor_tells_nothing),
        TEST(a_watch_may_end_in_its_own_callback_and_its_number_be_used_again),
        TEST(a_watch_may_end_before_its_event_of_the_same_turn),
        TEST(a_peer_that_goes_is_told),
        TEST(a_watch_leaves_the_flags_of_a_descriptor_alone),
        TEST(a_second_watch_of_a_descriptor_is_refused),
        TEST(a_signal_comes_in_a_turn),
        TEST(a_broken_pipe_is_an_error_not_the_end),
        TEST(work_comes_back_to_the_loop),
        TEST(cancelled_work_is_freed_after_it_has_returned),
        TEST(a_loop_is_destroyed_only_when_cancelled_work_has_been_freed),
        TEST(a_numeric_address_is_its_own_answer),
        TEST(localhost_is_this_machine),
        TEST(an_impossible_name_is_an_error_with_the_name),
        TEST(questions_for_one_name_are_answered_apart_and_cancelled_apart),
        TEST(a_loop_may_end_while_a_name_is_looked_up),
        TEST(the_wall_clock_can_be_fixed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
