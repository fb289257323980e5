#include "base/str.h"
#include "world.h"
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static struct world w;

static int make(void **state) {
    static const char *const args[] = {"--nodes", "3", "--jobs", "8", NULL};
    (void)world_setup(state, &w, args);
    world_configure(&w, world_prod);
    return 0;
}

static void open_clusters(struct rt_pty *t) {
    world_start(&w, t, 24, 80, NULL, NULL);
    rt_pty_until(t, "prod", 5000);
    rt_pty_settle(t);
}

static void a_signal_to_end_gives_it_back(void **state) {
    static const int signals[] = {SIGTERM, SIGHUP, SIGQUIT};
    (void)state;
    for (size_t i = 0; i < RT_COUNT(signals); i++) {
        struct rt_pty t;
        open_clusters(&t);
        assert_int_equal(kill(t.program, signals[i]), 0);
        const int status = rt_pty_wait(&t, 5000);
        assert_int_equal(WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status), 128 + signals[i]); /* as a shell tells it */
        rt_pty_given_back(&t);
        rt_pty_end(&t);
    }
}

static void a_crash_gives_it_back_and_says_so(void **state) {
    static const int signals[] = {SIGSEGV, SIGABRT};
    (void)state;
    for (size_t i = 0; i < RT_COUNT(signals); i++) {
        struct rt_pty t;
        open_clusters(&t);
        assert_int_equal(kill(t.program, signals[i]), 0);
        const int status = rt_pty_wait(&t, 5000);
        assert_true(WIFSIGNALED(status) || WEXITSTATUS(status) != 0);
        rt_pty_given_back(&t);
        rt_pty_until(&t, "crashed", 100);
        rt_pty_end(&t);
    }
}

static void suspended_it_gives_back_and_in_front_it_draws_again(void **state) {
    struct rt_pty t;
    (void)state;
    open_clusters(&t);
    rt_pty_type(&t, "<^Z>");
    rt_pty_wait_stopped(&t, 5000);
    rt_pty_settle(&t);
    rt_pty_given_back(&t);
    assert_false(rt_pty_shows(&t, "prod"));
    rt_pty_continue(&t);
    rt_pty_until(&t, "prod", 5000);
    rt_pty_type(&t, "4");
    rt_pty_until(&t, "jobs", 5000);
    rt_pty_type(&t, "Q");
    assert_int_equal(rt_pty_wait(&t, 5000), 0);
    rt_pty_given_back(&t);
    rt_pty_end(&t);
}

static void a_stop_from_outside_is_the_same(void **state) {
    struct rt_pty t;
    (void)state;
    open_clusters(&t);
    assert_int_equal(kill(t.program, SIGTSTP), 0);
    rt_pty_wait_stopped(&t, 5000);
    rt_pty_settle(&t);
    rt_pty_given_back(&t);
    rt_pty_continue(&t);
    rt_pty_until(&t, "prod", 5000);
    rt_pty_type(&t, "Q");
    assert_int_equal(rt_pty_wait(&t, 5000), 0);
    rt_pty_end(&t);
}

static void a_terminal_that_goes_ends_it(void **state) {
    struct rt_pty t;
    (void)state;
    open_clusters(&t);
    (void)close(t.slave);
    (void)close(t.master);
    t.master = t.slave = open("/dev/null", 2);
    for (int i = 0; i < 250 && kill(t.program, 0) == 0; i++)
        usleep(20000);
    assert_int_not_equal(kill(t.program, 0), 0);
    t.master = -1;
    rt_pty_end(&t);
}

static void a_resize_is_drawn_at_once_and_keeps_the_selection(void **state) {
    struct rt_pty t;
    static const char *const args[] = {"prod", NULL};
    (void)state;
    world_start(&w, &t, 24, 80, args, NULL);
    rt_pty_until(&t, "RUNNING", 10000);
    rt_pty_type(&t, "jj");
    rt_pty_settle(&t);
    struct rt_buf before, after;
    rt_buf_init(&before, 0);
    rt_buf_init(&after, 0);
    for (int row = 0; row < t.rows && !strstr(rt_buf_str(&before), ">"); row++) {
        rt_buf_clear(&before);
        rt_pty_row(&t, row, &before);
    }
    rt_pty_resize(&t, 36, 120);
    rt_pty_until(&t, "Pools", 3000);
    rt_pty_settle(&t);
    char id[12] = "";
    memcpy(id, strchr(rt_buf_str(&before), '>') + 2, 5);
    bool selected = false;
    for (int row = 0; row < t.rows; row++) {
        rt_buf_clear(&after);
        rt_pty_row(&t, row, &after);
        const char *at = strstr(rt_buf_str(&after), id);
        selected |= at && at - rt_buf_str(&after) >= 2 && at[-2] == '>';
    }
    assert_true(selected);
    for (int cols = 20; cols < 220; cols += 17) {
        rt_pty_resize(&t, 5 + cols / 5, cols);
        rt_pty_settle(&t);
    }
    rt_pty_type(&t, "Q");
    assert_int_equal(rt_pty_wait(&t, 5000), 0);
    rt_buf_deinit(&before);
    rt_buf_deinit(&after);
    rt_pty_end(&t);
}

static void another_program_has_the_terminal_and_gives_it_back(void **state) {
    struct rt_pty t;
    (void)state;
    open_clusters(&t);
    rt_pty_type(&t, ":!echo cluster is $CLUSTER.<Enter>");
    rt_pty_until(&t, "cluster is ", 5000);
    rt_pty_until(&t, "Enter goes back", 5000);
    rt_pty_type(&t, "<Enter>");
    rt_pty_until(&t, "PROVIDER", 5000);
    rt_pty_type(&t, "Q");
    assert_int_equal(rt_pty_wait(&t, 5000), 0);
    rt_pty_given_back(&t);
    rt_pty_end(&t);
}

static void no_screen_without_a_terminal_that_can(void **state) {
    struct rt_pty t;
    static const char *const env[] = {"TERM=dumb", NULL};
    (void)state;
    world_start(&w, &t, 24, 80, NULL, env);
    const int status = rt_pty_wait(&t, 5000);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 0);
    assert_true(rt_pty_shows(&t, "raytui jobs"));
    rt_pty_end(&t);
}

static void the_mouse_selects_sorts_and_presses_hints(void **state) {
    struct rt_pty t;
    static const char *const args[] = {"prod", NULL};
    (void)state;
    world_start(&w, &t, 24, 80, args, NULL);
    rt_pty_until(&t, "RUNNING", 10000);
    rt_pty_send(&t, "\x1b[<0;10;7M\x1b[<0;10;7m", 20); /* the third row */
    rt_pty_settle(&t);
    struct rt_buf row;
    rt_buf_init(&row, 0);
    rt_pty_row(&t, 6, &row);
    assert_non_null(strchr(rt_buf_str(&row), '>'));
    rt_pty_send(&t, "\x1b[<0;5;4M\x1b[<0;5;4m", 18); /* the title ID */
    rt_pty_until(&t, "ID\xe2\x86\x91", 3000);
    rt_pty_send(&t, "\x1b[<0;3;24M\x1b[<0;3;24m", 20); /* the first hint: submit */
    rt_pty_until(&t, "entrypoint", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "entrypoint", 3000);
    rt_pty_type(&t, "Q");
    (void)rt_pty_wait(&t, 5000);
    rt_buf_deinit(&row);
    rt_pty_end(&t);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_signal_to_end_gives_it_back),
        cmocka_unit_test(a_crash_gives_it_back_and_says_so),
        cmocka_unit_test(suspended_it_gives_back_and_in_front_it_draws_again),
        cmocka_unit_test(a_stop_from_outside_is_the_same),
        cmocka_unit_test(a_terminal_that_goes_ends_it),
        cmocka_unit_test(a_resize_is_drawn_at_once_and_keeps_the_selection),
        cmocka_unit_test(another_program_has_the_terminal_and_gives_it_back),
        cmocka_unit_test(no_screen_without_a_terminal_that_can),
        cmocka_unit_test(the_mouse_selects_sorts_and_presses_hints),
    };
    return cmocka_run_group_tests(tests, make, world_teardown);
}
