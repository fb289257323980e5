#include "loghelp.h"

/* ---- help ---- */

static void check_all(struct bench *t) {
    naive_lines lines = {0};
    naive_split(&t->bytes, &lines);
    bool exact;
    assert_int_equal(rt_logbuf_lines(t->b, &exact), lines.n);
    assert_true(exact);
    assert_int_equal(rt_logbuf_bytes(t->b), t->bytes.len);
    for (size_t i = 0; i < lines.n; i++)
        assert_line(t->b, (int64_t)i, lines.v[i].text, RT_MIN(lines.v[i].len, RT_MIB));
    for (int i = 0; i < 2000 && lines.n > 0; i++) {
        size_t k = (size_t)rand() % lines.n;
        assert_line(t->b, (int64_t)k, lines.v[k].text, RT_MIN(lines.v[k].len, RT_MIB));
    }
    struct rt_line line;
    assert_false(rt_logbuf_line(t->b, (int64_t)lines.n, &line));
    assert_false(rt_logbuf_line(t->b, -1, &line));
    rt_vec_deinit(&lines);
}

static void append_in_pieces(struct bench *t, const struct rt_buf *text) {
    for (size_t at = 0; at < text->len;) {
        size_t n = 1 + (size_t)rand() % (rand() % 4 ? 300 : 200000);
        n = RT_MIN(n, text->len - at);
        bench_append(t, text->data + at, n);
        at += n;
        if (rand() % 3 == 0)
            rt_loop_turn(t->loop, false);
    }
}

/* ---- tests ---- */

static void an_empty_log_has_no_lines(void **state) {
    struct bench *t = *state;
    bench_appended(t);
    check_all(t);
    bench_append(t, "", 0);
    check_all(t);
    bench_open(t, false);
    check_all(t);
}

static void the_last_line_grows(void **state) {
    struct bench *t = *state;
    bench_appended(t);
    bench_append(t, "one\ntw", 6);
    assert_int_equal(rt_logbuf_lines(t->b, NULL), 2);
    assert_text(t->b, 1, "tw");
    bench_append(t, "o", 1);
    assert_text(t->b, 1, "two");
    bench_append(t, "\n", 1);
    assert_int_equal(rt_logbuf_lines(t->b, NULL), 2);
    bench_append(t, "\n", 1);
    assert_int_equal(rt_logbuf_lines(t->b, NULL), 3);
    assert_text(t->b, 2, "");
}

static void any_pieces_give_the_lines_of_the_whole(void **state) {
    struct bench *t = *state;
    for (int round = 0; round < 8; round++) {
        srand((unsigned)round);
        struct rt_buf text;
        rt_buf_init(&text, RT_GIB);
        add_random_text(&text, rand() % 6000);
        bench_appended(t);
        if (round % 2)
            rt_logbuf_limit(t->b, 128 * RT_KIB, 0); /* most of it goes to the disk */
        append_in_pieces(t, &text);
        check_all(t);
        rt_buf_deinit(&text);
    }
}

static void lines_end_anywhere_in_a_block(void **state) {
    struct bench *t = *state;
    bench_appended(t);
    struct rt_buf text;
    rt_buf_init(&text, RT_GIB);
    for (size_t extra = 0; extra < 4; extra++) { /* newlines just before, at and behind the border of blocks */
        size_t want = (extra + 1) * 64 * RT_KIB - 2 + extra;
        while (text.len < want)
            rt_buf_addc(&text, 'a');
        rt_buf_addc(&text, '\n');
    }
    append_in_pieces(t, &text);
    check_all(t);
    rt_buf_clear(&t->bytes);
    rt_buf_add(&t->bytes, text.data, text.len);
    bench_open(t, false);
    check_all(t);
    rt_buf_deinit(&text);
}

static void a_file_gives_its_lines(void **state) {
    struct bench *t = *state;
    for (int round = 0; round < 6; round++) {
        srand((unsigned)round + 100);
        rt_buf_clear(&t->bytes);
        add_random_text(&t->bytes, round < 3 ? rand() % 500 : 20000 + rand() % 20000);
        bench_open(t, false);
        bench_settle(t);
        check_all(t);
    }
}

static void a_file_that_is_none_is_refused(void **state) {
    struct bench *t = *state;
    struct rt_error err = {0};
    assert_null(rt_logbuf_open_file(t->loop, "/nonexistent/x.log", false, &err));
    assert_int_equal(err.code, RT_E_NOT_FOUND);
    assert_null(rt_logbuf_open_file(t->loop, t->dir, false, &err));
    assert_int_equal(err.code, RT_E_UNSUPPORTED);
}

/* Remembers the number of a line as a view would. */
struct remembered {
    int64_t number;
    int calls;
};

static void renumbered(void *ctx, int64_t from, int64_t by) {
    struct remembered *r = ctx;
    if (r->number >= from)
        r->number += by;
    r->calls++;
}

static void both_ends_of_a_big_file_are_there_at_once(void **state) {
    struct bench *t = *state;
    for (int round = 0; round < 3; round++) {
        /* short lines first, last, or in the middle: every estimate is wrong in its own way */
        rt_buf_clear(&t->bytes);
        int n = 0;
        for (int part = 0; part < 3; part++)
            for (size_t end = (size_t)(part + 1) * 8 * RT_MIB; t->bytes.len < end; n++)
                rt_buf_addf(&t->bytes, "line %d%*s\n", n, part == round ? 1 : 300, "");
        naive_lines lines = {0};
        naive_split(&t->bytes, &lines);
        bench_open(t, false);
        bool exact;
        struct remembered r = {0};
        int64_t last = rt_logbuf_lines(t->b, &exact) - 1;
        assert_false(exact);
        rt_logbuf_on_renumber(t->b, renumbered, &r);
        for (size_t i = 0; i < 200; i++) {
            assert_line(t->b, (int64_t)i, lines.v[i].text, lines.v[i].len);
            assert_line(t->b, last - (int64_t)i, lines.v[lines.n - 1 - i].text, lines.v[lines.n - 1 - i].len);
        }
        r.number = last - 100;
        rt_logbuf_mark(t->b, "--- waits for its place ---");
        while (rt_logbuf_lines(t->b, &exact), !exact) {
            assert_line(t->b, r.number, lines.v[lines.n - 101].text, lines.v[lines.n - 101].len);
            rt_loop_turn(t->loop, true);
        }
        assert_true(r.calls > 0);
        assert_int_equal(r.number, lines.n - 101);
        assert_text(t->b, (int64_t)lines.n, "--- waits for its place ---");
        for (size_t i = 0; i < lines.n; i += 997)
            assert_line(t->b, (int64_t)i, lines.v[i].text, lines.v[i].len);
        rt_vec_deinit(&lines);
    }
}

static void pages_back_from_the_end_do_not_wait_for_the_index(void **state) {
    struct bench *t = *state;
    rt_buf_clear(&t->bytes);
    for (int i = 0; t->bytes.len < 16 * RT_MIB; i++)
        rt_buf_addf(&t->bytes, "line %d\n", i);
    naive_lines lines = {0};
    naive_split(&t->bytes, &lines);
    bench_open(t, false);
    int64_t last = rt_logbuf_lines(t->b, NULL) - 1;
    struct remembered r = {.number = last};
    rt_logbuf_on_renumber(t->b, renumbered, &r);
    for (int64_t back = 0; back < 300000; back += 50) /* no turn of the loop in between */
        assert_line(t->b, r.number - back, lines.v[lines.n - 1 - (size_t)back].text,
                    lines.v[lines.n - 1 - (size_t)back].len);
    bench_settle(t);
    check_all(t);
    rt_vec_deinit(&lines);
}

static void a_very_long_line_is_cut(void **state) {
    struct bench *t = *state;
    bench_appended(t);
    rt_logbuf_limit(t->b, 256 * RT_KIB, 0);
    bench_append(t, "before\n", 7);
    char *part = rt_alloc(RT_MIB);
    memset(part, 'y', RT_MIB);
    for (int i = 0; i < 5; i++)
        bench_append(t, part, RT_MIB);
    bench_append(t, "\nafter", 6);
    check_all(t);
    bench_open(t, false);
    bench_settle(t);
    check_all(t);
    free(part);
}

static void a_long_line_that_is_overwritten_shows_its_end(void **state) {
    struct bench *t = *state;
    bench_appended(t);
    for (int i = 0; i < 100000; i++) {
        char text[64];
        snprintf(text, sizeof text, "\r%3d%%|%-30s|", i % 100, "###");
        bench_append(t, text, strlen(text));
    }
    bench_append(t, "\r100% done", 10);
    struct rt_line line;
    assert_int_equal(rt_logbuf_lines(t->b, NULL), 1);
    assert_true(rt_logbuf_line(t->b, 0, &line));
    assert_true(line.len <= 64 * RT_KIB);
    assert_memory_equal(line.text + line.len - 10, "\r100% done", 10);
}

static void marks_stand_between_lines(void **state) {
    struct bench *t = *state;
    bench_appended(t);
    rt_logbuf_mark(t->b, "first");
    bench_append(t, "a\nb", 3);
    rt_logbuf_mark(t->b, "in b");
    rt_logbuf_mark(t->b, "again");
    bench_append(t, "bb\nc\n", 5);
    rt_logbuf_mark(t->b, "last");
    static const char *const want[] = {"first", "a", "bbb", "in b", "again", "c", "last"};
    assert_int_equal(rt_logbuf_lines(t->b, NULL), RT_COUNT(want));
    for (size_t i = 0; i < RT_COUNT(want); i++) {
        struct rt_line line;
        assert_text(t->b, (int64_t)i, want[i]);
        rt_logbuf_line(t->b, (int64_t)i, &line);
        assert_int_equal(line.kind == RT_LINE_MARK, i != 1 && i != 2 && i != 5);
    }
    assert_int_equal(rt_logbuf_next_kind(t->b, RT_LINE_MARK, 1, false), 3);
    assert_int_equal(rt_logbuf_next_kind(t->b, RT_LINE_MARK, 2, true), 0);
    assert_int_equal(rt_logbuf_next_kind(t->b, RT_LINE_MARK, 7, false), -1);
}

static void a_restart_ends_the_line_before_it(void **state) {
    struct bench *t = *state;
    bench_appended(t);
    bench_append(t, "a\nb", 3);
    rt_logbuf_restart(t->b, "--- replaced ---");
    bench_append(t, "c", 1);
    static const char *const want[] = {"a", "b", "--- replaced ---", "c"};
    assert_int_equal(rt_logbuf_lines(t->b, NULL), RT_COUNT(want));
    for (size_t i = 0; i < RT_COUNT(want); i++)
        assert_text(t->b, (int64_t)i, want[i]);
}

static void count_calls(void *ctx) {
    ++*(int *)ctx;
}

static void changes_are_told_once_a_turn(void **state) {
    struct bench *t = *state;
    int calls = 0;
    bench_appended(t);
    rt_logbuf_on_change(t->b, count_calls, &calls);
    for (int i = 0; i < 100; i++)
        bench_append(t, "x\n", 2);
    assert_int_equal(calls, 0);
    rt_loop_turn(t->loop, true);
    assert_int_equal(calls, 1);
    rt_loop_turn(t->loop, false);
    assert_int_equal(calls, 1);
}

static int64_t add_numbered(struct bench *t, int64_t from, size_t bytes) {
    char text[64];
    for (size_t n = 0; n < bytes; from++) {
        int len = snprintf(text, sizeof text, "line %012lld\n", (long long)from);
        rt_logbuf_append(t->b, text, (size_t)len);
        n += (size_t)len;
    }
    return from;
}

/* The newest lines are there, the oldest are not, a mark says why, and numbers stay. */
static void check_newest_kept(struct bench *t, int64_t n, size_t kept, const char *why) {
    int64_t mark = rt_logbuf_next_kind(t->b, RT_LINE_MARK, 0, false);
    struct rt_line line;
    assert_true(mark > 0);
    assert_true(rt_logbuf_line(t->b, mark, &line));
    assert_non_null(strstr(line.text, why));
    assert_int_equal(rt_logbuf_next_kind(t->b, RT_LINE_MARK, mark + 1, false), -1);
    assert_int_equal(rt_logbuf_lines(t->b, NULL), n + 1);
    int64_t first = rt_logbuf_first(t->b), few = (int64_t)(kept / 18);
    assert_true(first > 0 && first >= n - few - 70000 && first <= n - few * 3 / 4);
    assert_true(rt_logbuf_line(t->b, first - 1, &line));
    assert_int_equal(line.kind, RT_LINE_MARK);
    for (int64_t i = RT_MAX(first, mark + 1); i < n + 1; i += 37) {
        char text[64];
        snprintf(text, sizeof text, "line %012lld", (long long)i - 1);
        assert_text(t->b, i, text);
    }
}

static void past_the_quota_the_oldest_lines_go(void **state) {
    struct bench *t = *state;
    for (int turns = 0; turns < 2; turns++) { /* mostly the loop writes, or mostly the workers */
        bench_appended(t);
        rt_logbuf_limit(t->b, 256 * RT_KIB, 4 * (int64_t)RT_MIB);
        int64_t n = 0;
        while (n < 1000000) {
            n = add_numbered(t, n, turns ? 50000 : 2000000);
            rt_loop_turn(t->loop, true);
        }
        check_newest_kept(t, n, 4 * RT_MIB, "so much of the log is kept");
    }
}

static void with_a_full_disk_the_newest_lines_stay_in_memory(void **state) {
    struct bench *t = *state;
    if (access("/dev/full", W_OK) != 0)
        skip();
    for (int turns = 0; turns < 2; turns++) {
        rt_logbuf_destroy(t->b);
        t->b = rt_logbuf_create(t->loop, "/dev/full");
        rt_logbuf_limit(t->b, RT_MIB, 0);
        int64_t n = 0;
        while (n < 300000) {
            n = add_numbered(t, n, 100000);
            if (turns)
                rt_loop_turn(t->loop, false);
        }
        for (int i = 0; i < 20; i++)
            rt_loop_turn(t->loop, false);
        check_newest_kept(t, n, RT_MIB, "No space left on device");
    }
}

static void without_a_place_for_the_spill_the_newest_lines_stay(void **state) {
    struct bench *t = *state;
    t->b = rt_logbuf_create(t->loop, "/nonexistent/spill");
    rt_logbuf_limit(t->b, RT_MIB, 0);
    int64_t n = add_numbered(t, 0, 5 * RT_MIB);
    check_newest_kept(t, n, RT_MIB, "No such file");
}

static void the_spill_leaves_nothing_behind(void **state) {
    struct bench *t = *state;
    bench_appended(t);
    rt_logbuf_limit(t->b, 256 * RT_KIB, 0);
    add_numbered(t, 0, 4 * RT_MIB);
    rt_loop_turn(t->loop, false);
    char *dir = rt_path(RT_DIR_CACHE, NULL);
    assert_int_equal(rmdir(dir), 0); /* it is empty */
    free(dir);
}

static void a_buffer_may_go_at_any_time(void **state) {
    struct bench *t = *state;
    for (int round = 0; round < 30; round++) {
        bench_appended(t);
        rt_logbuf_limit(t->b, 128 * RT_KIB, 0);
        struct rt_error err;
        if (round % 2)
            assert_true(rt_logbuf_filter_add(t->b, "1", false, &err));
        for (int k = 0; k <= round; k++) {
            add_numbered(t, 0, 150000);
            if (k % 3)
                rt_loop_turn(t->loop, false);
        }
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_up, bench_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(an_empty_log_has_no_lines),
        TEST(the_last_line_grows),
        TEST(any_pieces_give_the_lines_of_the_whole),
        TEST(lines_end_anywhere_in_a_block),
        TEST(a_file_gives_its_lines),
        TEST(a_file_that_is_none_is_refused),
        TEST(both_ends_of_a_big_file_are_there_at_once),
        TEST(pages_back_from_the_end_do_not_wait_for_the_index),
        TEST(a_very_long_line_is_cut),
        TEST(a_long_line_that_is_overwritten_shows_its_end),
        TEST(marks_stand_between_lines),
        TEST(a_restart_ends_the_line_before_it),
        TEST(changes_are_told_once_a_turn),
        TEST(past_the_quota_the_oldest_lines_go),
        TEST(with_a_full_disk_the_newest_lines_stay_in_memory),
        TEST(without_a_place_for_the_spill_the_newest_lines_stay),
        TEST(the_spill_leaves_nothing_behind),
        TEST(a_buffer_may_go_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
