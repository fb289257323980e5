/* Several logs as one, by time. */
#include "unit/core/loghelp.h"

#include "base/str.h"
#include "core/logmerge.h"

struct merge {
    struct rt_loop *loop;
    struct rt_logmerge *m;
    struct rt_buf out; /* lines and marks */
    char dir[64];
};

static void got_data(void *ctx, const char *data, size_t n) {
    rt_buf_add(&((struct merge *)ctx)->out, data, n);
}

static void got_mark(void *ctx, const char *text) {
    rt_buf_addf(&((struct merge *)ctx)->out, "%s\n", text);
}

static int up(void **state) {
    struct rt_error err = {0};
    struct merge *t = RT_NEW(struct merge);
    const struct rt_logmerge_out out = {.data = got_data, .mark = got_mark, .ctx = t};
    t->loop = rt_loop_create(&err);
    snprintf(t->dir, sizeof t->dir, "/tmp/logmerge-test-XXXXXX");
    assert_non_null(mkdtemp(t->dir));
    setenv("XDG_CACHE_HOME", t->dir, 1);
    rt_buf_init(&t->out, 0);
    t->m = rt_logmerge_create(t->loop, &out);
    *state = t;
    return 0;
}

static int down(void **state) {
    struct merge *t = *state;
    struct rt_error err = {0};
    rt_logmerge_destroy(t->m);
    rt_loop_destroy(t->loop);
    rt_remove_tree(t->dir, &err);
    rt_buf_deinit(&t->out);
    free(t);
    return 0;
}

static void say(struct merge *t, size_t source, const char *text) {
    rt_logmerge_append(t->m, source, text, strlen(text));
}

static void over(void *ctx) {
    *(bool *)ctx = true;
}

/* Until everything went out, or a minute. */
static void drain(struct merge *t) {
    bool late = false;
    struct rt_timer *limit = rt_timer_start(t->loop, 60000, 0, over, &late);
    while (!late && !rt_logmerge_drained(t->m))
        rt_loop_turn(t->loop, true);
    rt_timer_stop(limit);
    assert_false(late);
}

static void ends_with(struct merge *t, const char *want) {
    drain(t);
    assert_string_equal(rt_buf_str(&t->out), want);
}

static void lines_go_out_by_time(void **state) {
    struct merge *t = *state;
    const size_t a = rt_logmerge_add(t->m, "driver"), b = rt_logmerge_add(t->m, "pid=7");
    say(t, a, "2026-11-21 10:00:01 one\n2026-11-21 10:00:03 three\n");
    say(t, b, "2026-11-21 10:00:02 two\n2026-11-21 10:00:04 four\n");
    rt_logmerge_end(t->m, a, true);
    rt_logmerge_end(t->m, b, true);
    ends_with(t, "(driver) 2026-11-21 10:00:01 one\n(pid=7) 2026-11-21 10:00:02 two\n"
                 "(driver) 2026-11-21 10:00:03 three\n(pid=7) 2026-11-21 10:00:04 four\n");
    assert_int_equal(rt_logmerge_lines(t->m, b), 2);
}

static void a_line_without_a_time_stays_behind_the_one_before_it(void **state) {
    struct merge *t = *state;
    const size_t a = rt_logmerge_add(t->m, "a"), b = rt_logmerge_add(t->m, "b");
    say(t, a, "2026-11-21 10:00:01 Traceback\n  File x\n  File y\n2026-11-21 10:00:05 on\n");
    say(t, b, "2026-11-21 10:00:02 between\n2026-11-21 09:00:00 a clock that was set back\n2026-11-21 10:00:06 end\n");
    rt_logmerge_end(t->m, a, true);
    rt_logmerge_end(t->m, b, true);
    ends_with(t, "(a) 2026-11-21 10:00:01 Traceback\n(a)   File x\n(a)   File y\n(b) 2026-11-21 10:00:02 between\n"
                 "(b) 2026-11-21 09:00:00 a clock that was set back\n(a) 2026-11-21 10:00:05 on\n(b) 2026-11-21 10:00:06 end\n");
}

static void a_slower_source_is_waited_for(void **state) {
    struct merge *t = *state;
    const size_t fast = rt_logmerge_add(t->m, "fast"), slow = rt_logmerge_add(t->m, "slow");
    say(t, fast, "2026-11-21 10:00:05 later\n");
    rt_logmerge_alive(t->m, slow, 500);
    for (int i = 0; i < 4; i++)
        rt_loop_turn(t->loop, false);
    assert_int_equal(t->out.len, 0);
    say(t, slow, "2026-11-21 10:00:01 earlier\n");
    ends_with(t, "(slow) 2026-11-21 10:00:01 earlier\n(fast) 2026-11-21 10:00:05 later\n");
}

static void a_silent_source_holds_nobody_for_ever(void **state) {
    struct merge *t = *state;
    const size_t a = rt_logmerge_add(t->m, "a"), b = rt_logmerge_add(t->m, "silent");
    rt_logmerge_alive(t->m, b, 500);
    say(t, a, "2026-11-21 10:00:05 x\n");
    ends_with(t, "(a) 2026-11-21 10:00:05 x\n");
}

struct talker {
    struct merge *t;
    size_t source;
    const char *text;
};

static void talk(void *ctx) {
    struct talker *x = ctx;
    say(x->t, x->source, x->text);
}

/* More often than anybody is silent. */
static void holds_nobody(struct merge *t, const char *text) {
    const size_t driver = rt_logmerge_add(t->m, "driver");
    struct talker worker = {t, rt_logmerge_add(t->m, "worker"), text};
    rt_logmerge_alive(t->m, worker.source, 500);
    talk(&worker);
    say(t, driver, "2026-11-21 10:00:05 begun\nnext\n");
    struct rt_timer *timer = rt_timer_start(t->loop, 50, 50, talk, &worker);
    bool late = false;
    struct rt_timer *limit = rt_timer_start(t->loop, 30000, 0, over, &late);
    while (!late && !strstr(rt_buf_str(&t->out), "(driver) next"))
        rt_loop_turn(t->loop, true);
    rt_timer_stop(timer);
    rt_timer_stop(limit);
    assert_false(late);
}

static void a_source_that_prints_without_end_and_without_times_holds_nobody(void **state) {
    holds_nobody(*state, "step\n");
}

static void a_source_with_nothing_but_rays_own_lines_holds_nobody(void **state) {
    holds_nobody(*state, ":task_name:f\n");
}

static void rays_own_lines_become_the_name(void **state) {
    struct merge *t = *state;
    const size_t a = rt_logmerge_add(t->m, "pid=12, ip=10.0.0.3");
    say(t, a, ":job_id:01000000\n:actor_name:Train(er)\x1b\nhello\n:task_name:f\nworld\n");
    rt_logmerge_end(t->m, a, true);
    ends_with(t, "(Train_er__ pid=12, ip=10.0.0.3) hello\n(f pid=12, ip=10.0.0.3) world\n");
    assert_string_equal(rt_logmerge_name(t->m, a), "f pid=12, ip=10.0.0.3");
}

static void an_unfinished_line_waits_and_a_mark_finishes_it(void **state) {
    struct merge *t = *state;
    const size_t a = rt_logmerge_add(t->m, "a");
    say(t, a, "whole\nha");
    ends_with(t, "(a) whole\n");
    say(t, a, "lf\nrest");
    ends_with(t, "(a) whole\n(a) half\n");
    rt_logmerge_mark(t->m, a, "--- lost ---");
    say(t, a, " of it\n");
    ends_with(t, "(a) whole\n(a) half\n(a) rest\n--- lost ---\n(a)  of it\n");
}

static void a_progress_bar_does_not_overwrite_its_source(void **state) {
    struct merge *t = *state;
    const size_t a = rt_logmerge_add(t->m, "a");
    say(t, a, "\r 10%\r 50%\r100%\ndos\r\n\r\n");
    ends_with(t, "(a) 100%\n(a) dos\n(a) \n");
}

static void bytes_that_are_no_text_go_through(void **state) {
    struct merge *t = *state;
    const size_t a = rt_logmerge_add(t->m, "a");
    rt_logmerge_append(t->m, a, "\xff\x00\x80 x\n", 6);
    drain(t);
    assert_int_equal(t->out.len, 4 + 6);
    assert_memory_equal(t->out.data, "(a) \xff\x00\x80 x\n", 10);
}

/* Each line once and in order, though far more than memory keeps comes from one side first. */
static void many_lines_meet_in_bounded_memory(void **state) {
    enum { LINES = 200000 };
    struct merge *t = *state;
    const size_t a = rt_logmerge_add(t->m, "a"), b = rt_logmerge_add(t->m, "b");
    char line[160];
    rt_logmerge_alive(t->m, b, 500);
    for (int s = 0; s < 2; s++) {
        for (int i = 0; i < LINES; i++) {
            const int n = snprintf(line, sizeof line, "2026-11-21 %02d:%02d:%02d.%03d line %d of %d ----------------------------------------\n",
                                   i / 36000, i / 600 % 60, i / 10 % 60, i % 10 * 100 + s, i, s);
            rt_logmerge_append(t->m, s ? b : a, line, (size_t)n);
            if (i % 5000 == 0)
                rt_loop_turn(t->loop, false);
        }
        rt_logmerge_end(t->m, s ? b : a, true);
    }
    drain(t);
    const char *p = rt_buf_str(&t->out), *all = p + t->out.len;
    for (int i = 0; i < LINES; i++) {
        for (int s = 0; s < 2; s++) {
            char got[200] = "";
            const char *end = memchr(p, '\n', (size_t)(all - p));
            assert_true(end && end - p < (ptrdiff_t)sizeof got);
            memcpy(got, p, (size_t)(end - p));
            snprintf(line, sizeof line, " line %d of %d ", i, s);
            assert_non_null(strstr(got, line));
            p = end + 1;
        }
    }
    assert_ptr_equal(p, all);
}

static void a_line_longer_than_any_screen_is_cut_not_lost(void **state) {
    struct merge *t = *state;
    const size_t a = rt_logmerge_add(t->m, "a");
    char block[64 * 1024];
    memset(block, 'x', sizeof block);
    for (int i = 0; i < 800; i++) /* 50 MB */
        rt_logmerge_append(t->m, a, block, sizeof block);
    say(t, a, "\nnext\n");
    drain(t);
    const char *nl = strchr(rt_buf_str(&t->out), '\n');
    assert_non_null(nl);
    assert_in_range(nl - rt_buf_str(&t->out), 1000000, 1 << 21);
    assert_string_equal(nl, "\n(a) next\n");
}

/* Until the filters looked at every line; a hang ends in the time limit of the test. */
static void settle(struct merge *t, struct rt_logbuf *b) {
    for (bool exact = false; !exact;) {
        rt_logbuf_visible(b, &exact);
        if (!exact)
            rt_loop_turn(t->loop, true);
    }
}

static void the_veil_covers_what_is_hidden_whatever_runs_in_it(void **state) {
    struct merge *t = *state;
    struct rt_error err = {0};
    const size_t a = rt_logmerge_add(t->m, "pid=1"), b = rt_logmerge_add(t->m, "pid=12");
    const bool none[2] = {false, false}, first[2] = {true, false};
    assert_null(rt_logmerge_veil(t->m, none, 2));
    say(t, a, "x\n:task_name:f\ny\n");
    say(t, b, "(pid=1) z\n");
    rt_logmerge_end(t->m, a, true);
    rt_logmerge_end(t->m, b, true);
    drain(t);
    struct rt_logbuf *log = rt_logbuf_create(t->loop, NULL);
    rt_logbuf_append(log, t->out.data, t->out.len);
    rt_logbuf_mark(log, "--- a mark ---");
    char *re = rt_logmerge_veil(t->m, first, 2);
    assert_true(rt_logbuf_veil(log, re, &err));
    settle(t, log);
    assert_int_equal(rt_logbuf_visible(log, NULL), 2); /* of pid=12, and the mark */
    assert_int_equal(rt_logbuf_filters(log), 0);
    assert_true(rt_logbuf_filter_add(log, "nothing", false, &err));
    rt_logbuf_filters_enable(log, false); /* the veil stays */
    settle(t, log);
    assert_int_equal(rt_logbuf_visible(log, NULL), 2);
    assert_true(rt_logbuf_veil(log, NULL, &err));
    assert_int_equal(rt_logbuf_visible(log, NULL), 4);
    free(re);
    rt_logbuf_destroy(log);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, up, down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(lines_go_out_by_time),
        TEST(a_line_without_a_time_stays_behind_the_one_before_it),
        TEST(a_slower_source_is_waited_for),
        TEST(a_silent_source_holds_nobody_for_ever),
        TEST(a_source_that_prints_without_end_and_without_times_holds_nobody),
        TEST(a_source_with_nothing_but_rays_own_lines_holds_nobody),
        TEST(rays_own_lines_become_the_name),
        TEST(an_unfinished_line_waits_and_a_mark_finishes_it),
        TEST(a_progress_bar_does_not_overwrite_its_source),
        TEST(bytes_that_are_no_text_go_through),
        TEST(many_lines_meet_in_bounded_memory),
        TEST(a_line_longer_than_any_screen_is_cut_not_lost),
        TEST(the_veil_covers_what_is_hidden_whatever_runs_in_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
