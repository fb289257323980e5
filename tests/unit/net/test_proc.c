#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "net/proc.h"
#include "unit/cmocka_all.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rt_loop *loop;
static int first_free; /* descriptor before a test; all above are the test's */

static int lowest_free_fd(void) {
    int fd = dup(0);
    close(fd);
    return fd;
}

static int make_loop(void **state) {
    (void)state;
    struct rt_error err = {0};
    first_free = lowest_free_fd();
    loop = rt_loop_create(&err);
    return loop ? 0 : -1;
}

/* Whatever a test did, no child and no descriptor of ours may be left when the loop is gone. */
static int destroy_loop(void **state) {
    (void)state;
    rt_loop_destroy(loop);
    bool childless = waitpid(-1, NULL, WNOHANG) == -1 && errno == ECHILD;
    return childless && lowest_free_fd() == first_free ? 0 : -1;
}

/* What libraries open once for ever is not a test's leak. */
static int warm_up(void **state) {
    make_loop(state);
    destroy_loop(state);
    return 0;
}

static void nothing(void *ctx) {
    (void)ctx;
}

/* Turns until no child, not even a zombie, has the number. What ends in the background does not
 * keep a loop going by itself. */
static void turn_until_gone(int64_t pid) {
    struct rt_timer *busy = rt_timer_start(loop, 1, 1, nothing, NULL);
    while (kill((pid_t)pid, 0) == 0)
        rt_loop_turn(loop, true);
    rt_timer_stop(busy);
}

struct child {
    struct rt_proc *p;
    struct rt_buf out, err;
    struct rt_proc_exit exit;
    int exits;
    bool destroy; /* at the first output */
};

static void on_output(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    struct child *c = ctx;
    rt_buf_add(stream == RT_STDOUT ? &c->out : &c->err, data, n);
    if (c->destroy) {
        rt_proc_destroy(c->p);
        c->p = NULL;
        rt_loop_stop(loop);
    }
}

static void on_exit_(void *ctx, const struct rt_proc_exit *exit) {
    struct child *c = ctx;
    c->p = NULL;
    c->exit = *exit;
    c->exits++;
    rt_loop_stop(loop);
}

static void start(struct child *c, const char *const *argv, struct rt_proc_opts o) {
    struct rt_error err = {0};
    o.argv = argv;
    o.output = on_output;
    c->p = rt_proc_start(loop, &o, on_exit_, c, &err);
    assert_string_equal(err.message, "");
    assert_non_null(c->p);
    assert_int_equal(c->exits, 0);
}

static void start_sh(struct child *c, const char *script, struct rt_proc_opts o) {
    const char *const argv[] = {"/bin/sh", "-c", script, NULL};
    start(c, argv, o);
}

static void deinit(struct child *c) {
    rt_buf_deinit(&c->out);
    rt_buf_deinit(&c->err);
}

static void run_sh(struct child *c, const char *script, struct rt_proc_opts o) {
    start_sh(c, script, o);
    rt_loop_run(loop);
    assert_int_equal(c->exits, 1);
}

static void both_streams_and_the_status_arrive(void **state) {
    (void)state;
    struct child c = {0};
    run_sh(&c, "echo out; echo err >&2; exit 7", (struct rt_proc_opts){0});
    assert_string_equal(rt_buf_str(&c.out), "out\n");
    assert_string_equal(rt_buf_str(&c.err), "err\n");
    assert_int_equal(c.exit.status, 7);
    assert_int_equal(c.exit.signal, 0);
    assert_false(c.exit.timed_out);
    deinit(&c);
}

static void much_output_arrives_whole_before_the_exit(void **state) {
    (void)state;
    struct child c = {0};
    run_sh(&c, "dd if=/dev/zero bs=1000 count=3000 2>/dev/null", (struct rt_proc_opts){0});
    assert_int_equal(c.out.len, 3000000);
    deinit(&c);
}

static void the_end_by_a_signal_is_told(void **state) {
    (void)state;
    struct child c = {0};
    run_sh(&c, "kill -9 $$", (struct rt_proc_opts){0});
    assert_int_equal(c.exit.status, -1);
    assert_int_equal(c.exit.signal, SIGKILL);
    deinit(&c);
}

static void input_of_any_size_reaches_the_child(void **state) {
    (void)state;
    struct child c = {0};
    size_t n = 1000000;
    char *input = rt_alloc(n);
    memset(input, 'x', n);
    run_sh(&c, "wc -c", (struct rt_proc_opts){.input = input, .input_len = n});
    assert_int_equal(atol(rt_buf_str(&c.out)), 1000000);
    free(input);
    deinit(&c);
}

static void a_child_that_reads_no_input_is_no_error(void **state) {
    (void)state;
    struct child c = {0};
    size_t n = 1000000;
    char *input = rt_alloc(n);
    run_sh(&c, "exit 3", (struct rt_proc_opts){.input = input, .input_len = n});
    assert_int_equal(c.exit.status, 3);
    free(input);
    deinit(&c);
}

static void without_input_a_child_reads_nothing(void **state) {
    (void)state;
    struct child c = {0};
    run_sh(&c, "cat; echo end", (struct rt_proc_opts){0});
    assert_string_equal(rt_buf_str(&c.out), "end\n");
    deinit(&c);
    c = (struct child){0};
    run_sh(&c, "cat; echo end", (struct rt_proc_opts){.input = "", .input_len = 0});
    assert_string_equal(rt_buf_str(&c.out), "end\n");
    deinit(&c);
}

static void words_are_passed_as_they_are(void **state) {
    (void)state;
    struct child c = {0};
    const char *const argv[] = {"printf", "%s|", "a b", "$HOME;`id`", "", NULL};
    start(&c, argv, (struct rt_proc_opts){0});
    rt_loop_run(loop);
    assert_string_equal(rt_buf_str(&c.out), "a b|$HOME;`id`||");
    deinit(&c);
}

static void the_environment_can_be_added_to_and_taken_from(void **state) {
    (void)state;
    setenv("RT_TEST_GONE", "1", 1);
    setenv("RT_TEST_OLD", "old", 1);
    setenv("RT_TEST_KEPT", "kept", 1);
    const char *const env[] = {"RT_TEST_GONE", "RT_TEST_OLD=new=er", "RT_TEST_ADDED=", NULL};
    struct child c = {0};
    run_sh(&c, "echo \"${RT_TEST_GONE-none} $RT_TEST_OLD $RT_TEST_KEPT ${RT_TEST_ADDED-unset}.\"",
           (struct rt_proc_opts){.env = env});
    assert_string_equal(rt_buf_str(&c.out), "none new=er kept .\n");
    deinit(&c);
}

static void a_child_runs_in_its_directory(void **state) {
    (void)state;
    struct child c = {0};
    run_sh(&c, "pwd", (struct rt_proc_opts){.cwd = "/"});
    assert_string_equal(rt_buf_str(&c.out), "/\n");
    deinit(&c);
}

static void check_refused(const char *program, const char *cwd, enum rt_code code,
                          const char *word) {
    struct rt_error err = {0};
    const char *const argv[] = {program, NULL};
    struct rt_proc_opts o = {
        .argv = argv, .cwd = cwd, .input = "x", .input_len = 1, .output = on_output};
    assert_null(rt_proc_start(loop, &o, on_exit_, NULL, &err));
    assert_int_equal(err.code, code);
    assert_non_null(strstr(err.message, word));
}

static void a_child_inherits_no_descriptor_but_its_three(void **state) {
    (void)state;
    int fd[2];
    assert_int_equal(pipe(fd), 0); /* as a library would, without FD_CLOEXEC */
    int high = dup2(fd[0], 9);
    struct child c = {0};
    run_sh(&c, "for fd in 3 4 5 6 7 8 9; do { true <&$fd; } 2>/dev/null && echo $fd; done",
           (struct rt_proc_opts){0});
    assert_string_equal(rt_buf_str(&c.out), "");
    close(high);
    close(fd[0]);
    close(fd[1]);
    deinit(&c);
}

static void what_is_no_program_is_not_found(void **state) {
    (void)state;
    check_refused("rt-no-such-program", NULL, RT_E_NOT_FOUND, "rt-no-such-program in PATH");
    check_refused("/nowhere/x", NULL, RT_E_NOT_FOUND, "/nowhere/x");
    check_refused("/etc/passwd", NULL, RT_E_FAILED, "permission denied");
    check_refused("/bin/sh", "/nowhere", RT_E_FAILED, "no directory /nowhere");
}

static void an_output_file_that_cannot_be_written_is_told(void **state) {
    (void)state;
    struct rt_error err = {0};
    const char *const argv[] = {"/bin/true", NULL};
    struct rt_proc_opts o = {
        .argv = argv, .output_file = "/nowhere/log", .input = "x", .input_len = 1};
    assert_null(rt_proc_start(loop, &o, on_exit_, NULL, &err));
    assert_int_equal(err.code, RT_E_IO);
}

static void output_goes_to_a_private_file_and_is_appended(void **state) {
    (void)state;
    char dir[] = "/tmp/raytui-proc-XXXXXX";
    assert_non_null(mkdtemp(dir));
    char *path = rt_path_join(dir, "log");
    struct rt_error err = {0};
    for (int i = 0; i < 2; i++) {
        struct child c = {0};
        run_sh(&c, "echo out; echo err >&2", (struct rt_proc_opts){.output_file = path});
        assert_int_equal(c.out.len + c.err.len, 0);
    }
    struct rt_buf b;
    rt_buf_init(&b, 0);
    assert_true(rt_file_read(path, 0, &b, &err));
    assert_string_equal(rt_buf_str(&b), "out\nerr\nout\nerr\n");
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    rt_buf_deinit(&b);
    free(path);
    assert_true(rt_remove_tree(dir, &err));
}

static void a_child_that_takes_too_long_is_told_to_end(void **state) {
    (void)state;
    struct child c = {0};
    run_sh(&c, "echo begun; exec sleep 100", (struct rt_proc_opts){.timeout_ms = 200});
    assert_true(c.exit.timed_out);
    assert_int_equal(c.exit.signal, SIGTERM);
    assert_string_equal(rt_buf_str(&c.out), "begun\n");
    deinit(&c);
}

static void a_child_that_will_not_hear_is_killed(void **state) {
    (void)state;
    struct child c = {0};
    run_sh(&c, "trap '' TERM; while :; do sleep 1; done",
           (struct rt_proc_opts){.timeout_ms = 100, .own_session = true});
    assert_true(c.exit.timed_out);
    assert_int_equal(c.exit.signal, SIGKILL);
    deinit(&c);
}

static void a_grandchild_that_keeps_a_stream_does_not_hold_up_the_exit(void **state) {
    (void)state;
    struct child c = {0};
    run_sh(&c, "sleep 20 & echo $!", (struct rt_proc_opts){0});
    assert_int_equal(c.exit.status, 0);
    int64_t pid = atol(rt_buf_str(&c.out));
    assert_true(pid > 1);
    assert_true(rt_process_alive(pid));
    kill((pid_t)pid, SIGKILL);
    deinit(&c);
}

static void a_session_of_its_own_is_ended_whole(void **state) {
    (void)state;
    struct child c = {0};
    const char *script = "sleep 100 & echo $! $$ $(ps -o sid= -p $$); wait";
    start_sh(&c, script, (struct rt_proc_opts){.own_session = true});
    while (!memchr(rt_buf_str(&c.out), '\n', c.out.len))
        rt_loop_turn(loop, true);
    long grandchild = 0, pid = 0, sid = 0;
    assert_int_equal(sscanf(rt_buf_str(&c.out), "%ld %ld %ld", &grandchild, &pid, &sid), 3);
    assert_int_equal(pid, rt_proc_pid(c.p));
    assert_int_equal(sid, pid);
    rt_proc_kill(c.p, SIGKILL);
    rt_loop_run(loop);
    assert_int_equal(c.exit.signal, SIGKILL);
    while (rt_process_alive(grandchild))
        usleep(1000);
    deinit(&c);
}

static void a_destroyed_child_ends_in_the_background(void **state) {
    (void)state;
    struct child c = {0};
    start_sh(&c, "exec sleep 100", (struct rt_proc_opts){0});
    int64_t pid = rt_proc_pid(c.p);
    rt_proc_destroy(c.p);
    turn_until_gone(pid);
    assert_int_equal(c.exits, 0);
    deinit(&c);
}

static void a_destroyed_child_ends_with_the_loop_at_the_latest(void **state) {
    (void)state;
    struct child c = {.destroy = true};
    start_sh(&c, "trap '' TERM; echo ready; while :; do sleep 0.1; done",
             (struct rt_proc_opts){.own_session = true});
    int64_t pid = rt_proc_pid(c.p);
    rt_loop_run(loop);
    assert_null(c.p);
    rt_loop_destroy(loop);
    assert_false(rt_process_alive(pid));
    struct rt_error err = {0};
    loop = rt_loop_create(&err);
    assert_int_equal(c.exits, 0);
    deinit(&c);
}

static void a_child_that_stays_outlives_its_proc_and_the_loop(void **state) {
    (void)state;
    struct child c = {0};
    const char *const argv[] = {"sleep", "100", NULL};
    struct rt_error err = {0};
    struct rt_proc_opts o = {
        .argv = argv, .stay = true, .own_session = true, .output_file = "/dev/null"};
    c.p = rt_proc_start(loop, &o, on_exit_, &c, &err);
    int64_t pid = rt_proc_pid(c.p);
    rt_proc_destroy(c.p);
    rt_loop_turn(loop, false);
    rt_loop_destroy(loop);
    loop = rt_loop_create(&err);
    assert_true(rt_process_alive(pid));
    kill((pid_t)pid, SIGKILL);
    assert_int_equal(waitpid((pid_t)pid, NULL, 0), pid);
}

static void a_child_that_stays_is_reaped_when_it_ends(void **state) {
    (void)state;
    struct child c = {0};
    start_sh(&c, "exit 0", (struct rt_proc_opts){.stay = true});
    int64_t pid = rt_proc_pid(c.p);
    rt_proc_destroy(c.p);
    turn_until_gone(pid);
    assert_int_equal(c.exits, 0);
    deinit(&c);
}

static void a_child_may_be_destroyed_between_its_end_and_that_of_its_streams(void **state) {
    (void)state;
    struct child c = {0};
    start_sh(&c, "sleep 20 & echo $!", (struct rt_proc_opts){0});
    int64_t pid = rt_proc_pid(c.p);
    while (c.out.len == 0 || kill((pid_t)pid, 0) == 0)
        rt_loop_turn(loop, false);
    rt_proc_destroy(c.p);
    rt_loop_turn(loop, false);
    assert_int_equal(c.exits, 0);
    kill((pid_t)atol(rt_buf_str(&c.out)), SIGKILL);
    deinit(&c);
}

static void a_broken_pipe_ends_the_child_as_it_should(void **state) {
    (void)state;
    struct child c = {.destroy = true};
    start_sh(&c, "yes; exit 0",
             (struct rt_proc_opts){.stay = true}); /* yes must see SIGPIPE, which we ignore */
    int64_t pid = rt_proc_pid(c.p);
    rt_loop_run(loop);
    turn_until_gone(pid);
    deinit(&c);
}

/* ---- rt_run */

struct ran {
    struct rt_op *op;
    struct rt_proc_exit exit;
    char *out, *err_text;
    struct rt_error error;
    int n;
};

static void on_run(void *ctx, const struct rt_run_result *r, const struct rt_error *err) {
    struct ran *x = ctx;
    x->op = NULL;
    x->n++;
    if (r) {
        x->exit = r->exit;
        x->out = rt_strndup(r->out, r->out_len);
        x->err_text = rt_strndup(r->err_text, r->err_len);
    }
    if (err)
        x->error = *err;
    rt_loop_stop(loop);
}

static void run(struct ran *x, const char *program, const char *script, size_t max) {
    const char *const argv[] = {program, "-c", script, NULL};
    const struct rt_proc_opts o = {.argv = argv};
    x->op = rt_run(loop, &o, max, on_run, x);
    assert_non_null(x->op);
    assert_int_equal(x->n, 0);
}

static void run_collects_at_most_so_much_of_each_stream(void **state) {
    (void)state;
    struct ran x = {0};
    run(&x, "/bin/sh", "echo 0123456789; echo abc >&2; exit 2", 6);
    rt_loop_run(loop);
    assert_string_equal(x.out, "012345");
    assert_string_equal(x.err_text, "abc\n");
    assert_int_equal(x.exit.status, 2);
    assert_int_equal(x.error.code, RT_OK);
    free(x.out);
    free(x.err_text);
}

static void run_tells_later_that_there_is_no_such_program(void **state) {
    (void)state;
    struct ran x = {0};
    run(&x, "rt-no-such-program", "", 100);
    rt_loop_run(loop);
    assert_int_equal(x.n, 1);
    assert_int_equal(x.error.code, RT_E_NOT_FOUND);
}

static void run_can_be_cancelled_at_any_time(void **state) {
    (void)state;
    struct rt_timer *busy = rt_timer_start(loop, 1, 1, nothing, NULL);
    for (int turns = 0; turns < 12; turns++) {
        struct ran x = {0};
        run(&x, "/bin/sh", "echo 1; echo 2; exec sleep 100", 100);
        for (int i = 0; i < turns; i++)
            rt_loop_turn(loop, true);
        rt_op_drop(&x.op);
        run(&x, "rt-no-such-program", "", 100);
        rt_op_drop(&x.op);
        rt_loop_turn(loop, false);
        assert_int_equal(x.n, 0);
    }
    rt_timer_stop(busy);
}

/* ---- rt_which */

static void which_looks_in_path(void **state) {
    (void)state;
    char *old = rt_strdup(getenv("PATH"));
    setenv("PATH", "/nowhere::/bin", 1);
    char *sh = rt_which("sh");
    assert_string_equal(sh, "/bin/sh");
    free(sh);
    assert_null(rt_which("rt-no-such-program"));
    assert_null(rt_which(""));
    assert_null(rt_which("/etc/passwd"));
    assert_null(rt_which("/bin"));
    sh = rt_which("/bin/sh");
    assert_string_equal(sh, "/bin/sh");
    free(sh);
    setenv("PATH", old, 1);
    free(old);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_loop, destroy_loop)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(both_streams_and_the_status_arrive),
        TEST(much_output_arrives_whole_before_the_exit),
        TEST(the_end_by_a_signal_is_told),
        TEST(input_of_any_size_reaches_the_child),
        TEST(a_child_that_reads_no_input_is_no_error),
        TEST(without_input_a_child_reads_nothing),
        TEST(words_are_passed_as_they_are),
        TEST(the_environment_can_be_added_to_and_taken_from),
        TEST(a_child_runs_in_its_directory),
        TEST(a_child_inherits_no_descriptor_but_its_three),
        TEST(what_is_no_program_is_not_found),
        TEST(an_output_file_that_cannot_be_written_is_told),
        TEST(output_goes_to_a_private_file_and_is_appended),
        TEST(a_child_that_takes_too_long_is_told_to_end),
        TEST(a_child_that_will_not_hear_is_killed),
        TEST(a_grandchild_that_keeps_a_stream_does_not_hold_up_the_exit),
        TEST(a_session_of_its_own_is_ended_whole),
        TEST(a_destroyed_child_ends_in_the_background),
        TEST(a_destroyed_child_ends_with_the_loop_at_the_latest),
        TEST(a_child_that_stays_outlives_its_proc_and_the_loop),
        TEST(a_child_that_stays_is_reaped_when_it_ends),
        TEST(a_child_may_be_destroyed_between_its_end_and_that_of_its_streams),
        TEST(a_broken_pipe_ends_the_child_as_it_should),
        TEST(run_collects_at_most_so_much_of_each_stream),
        TEST(run_tells_later_that_there_is_no_such_program),
        TEST(run_can_be_cancelled_at_any_time),
        TEST(which_looks_in_path),
    };
    return cmocka_run_group_tests(tests, warm_up, NULL);
}
