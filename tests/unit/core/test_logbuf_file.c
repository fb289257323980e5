#include "loghelp.h"

#include <sys/stat.h>

/* ---- help ---- */

/* Until a line reads so, or some seconds have passed. */
static void until_text(struct bench *t, int64_t number, const char *text) {
    struct rt_line line;
    for (int64_t end = rt_mono_ms() + 10000; rt_mono_ms() < end; rt_loop_turn(t->loop, true))
        if (rt_logbuf_line(t->b, number, &line) && line.len == strlen(text) && memcmp(line.text, text, line.len) == 0)
            return;
    fail_msg("line %ld never became \"%s\"", (long)number, text);
}

static void until_lines(struct bench *t, int64_t n) {
    for (int64_t end = rt_mono_ms() + 20000; rt_logbuf_lines(t->b, NULL) != n && rt_mono_ms() < end;)
        rt_loop_turn(t->loop, true);
    assert_int_equal(rt_logbuf_lines(t->b, NULL), n);
}

static void put(struct bench *t, const char *text) {
    bench_write(t->path, text, strlen(text), O_APPEND);
}

static int64_t find_mark(struct bench *t, const char *what) {
    int64_t number = rt_logbuf_next_kind(t->b, RT_LINE_MARK, 0, false);
    struct rt_line line;
    assert_true(number >= 0);
    assert_true(rt_logbuf_line(t->b, number, &line));
    assert_non_null(strstr(line.text, what));
    return number;
}

/* ---- following ---- */

static void a_growing_file_is_followed(void **state) {
    struct bench *t = *state;
    rt_buf_adds(&t->bytes, "one\ntw");
    bench_open(t, true);
    assert_text(t->b, 1, "tw");
    put(t, "o");
    until_text(t, 1, "two");
    put(t, "\nthree\n");
    until_text(t, 2, "three");
    assert_int_equal(rt_logbuf_lines(t->b, NULL), 3);
}

static void growth_over_many_blocks_gives_every_line(void **state) {
    struct bench *t = *state;
    bench_open(t, true);
    srand(3);
    struct rt_buf more;
    rt_buf_init(&more, RT_GIB);
    for (int i = 0; i < 25; i++) {
        rt_buf_clear(&more);
        add_random_text(&more, rand() % 3000);
        bench_write(t->path, more.data, more.len, O_APPEND);
        rt_buf_add(&t->bytes, more.data, more.len);
        for (int k = rand() % 4; k > 0; k--)
            rt_loop_turn(t->loop, true);
    }
    naive_lines lines = {0};
    naive_split(&t->bytes, &lines);
    until_lines(t, (int64_t)lines.n);
    for (size_t i = 0; i < lines.n; i++)
        assert_line(t->b, (int64_t)i, lines.v[i].text, lines.v[i].len);
    assert_int_equal(rt_logbuf_bytes(t->b), t->bytes.len);
    rt_vec_deinit(&lines);
    rt_buf_deinit(&more);
}

static void a_file_grows_while_its_index_is_made(void **state) {
    struct bench *t = *state;
    rt_buf_adds(&t->bytes, "first\n");
    bench_write(t->path, "first\n", 6, O_TRUNC);
    assert_int_equal(truncate(t->path, 400 * (off_t)RT_MIB), 0); /* a hole: takes time, but no room */
    put(t, "\nlast");
    struct rt_error err;
    t->b = rt_logbuf_open_file(t->loop, t->path, true, &err);
    assert_non_null(t->b);
    bool exact;
    assert_text(t->b, 0, "first");
    assert_text(t->b, rt_logbuf_lines(t->b, &exact) - 1, "last");
    assert_false(exact);
    put(t, " line\none more\nand one");
    struct rt_line line;
    bool early = false;
    do {
        int64_t last = rt_logbuf_lines(t->b, &exact) - 1;
        assert_true(rt_logbuf_line(t->b, last, &line));
        if (line.len == 7) {
            assert_text(t->b, last - 1, "one more");
            assert_text(t->b, last - 2, "last line");
            early = early || !exact;
        }
        if (!exact || line.len != 7)
            rt_loop_turn(t->loop, true);
    } while (!exact || line.len != 7);
    if (!early)
        print_message("the index was made too fast to see\n");
    assert_int_equal(rt_logbuf_lines(t->b, NULL), 5);
    assert_text(t->b, 2, "last line");
    put(t, "!\n");
    until_text(t, 4, "and one!");
}

static void without_follow_a_file_stays_as_it_was(void **state) {
    struct bench *t = *state;
    rt_buf_adds(&t->bytes, "one\n");
    bench_open(t, false);
    put(t, "two\n");
    for (int i = 0; i < 5; i++)
        rt_loop_turn(t->loop, false);
    assert_int_equal(rt_logbuf_lines(t->b, NULL), 1);
}

static void a_replaced_file_goes_on_behind_a_mark(void **state) {
    struct bench *t = *state;
    char old[128];
    snprintf(old, sizeof old, "%s.1", t->path);
    rt_buf_adds(&t->bytes, "one\ntwo");
    bench_open(t, true);
    put(t, " and a half");
    assert_int_equal(rename(t->path, old), 0);
    put(t, "three\nfour\n");
    until_text(t, 4, "four");
    assert_text(t->b, 0, "one");
    assert_text(t->b, 1, "two and a half");
    assert_int_equal(find_mark(t, "was replaced"), 2);
    assert_text(t->b, 3, "three");
    put(t, "five\n");
    until_text(t, 5, "five");
    assert_int_equal(unlink(t->path), 0);
    put(t, "six\n");
    until_text(t, 7, "six");
    assert_text(t->b, 1, "two and a half");
}

static void a_file_cut_short_starts_over(void **state) {
    struct bench *t = *state;
    for (int i = 0; i < 20000; i++)
        rt_buf_addf(&t->bytes, "old line %d\n", i);
    rt_buf_adds(&t->bytes, "unfinished");
    bench_open(t, true);
    bench_settle(t);
    bench_write(t->path, "new\nline\n", 9, O_TRUNC);
    until_text(t, 20003, "line");
    assert_int_equal(find_mark(t, "became shorter"), 20001);
    assert_text(t->b, 20002, "new");
    assert_true(rt_logbuf_first(t->b) >= 20001);
    struct rt_line line;
    assert_true(rt_logbuf_line(t->b, 5, &line));
    assert_int_equal(line.kind, RT_LINE_MARK);
    bench_write(t->path, "", 0, O_TRUNC);
    put(t, "again\n");
    until_text(t, 20005, "again");
}

static void filters_and_searches_go_over_replaced_files(void **state) {
    struct bench *t = *state;
    struct rt_error err;
    char old[128];
    snprintf(old, sizeof old, "%s.1", t->path);
    rt_buf_adds(&t->bytes, "yes 1\nno\nyes 2");
    bench_open(t, true);
    assert_true(rt_logbuf_filter_add(t->b, "yes", false, &err));
    assert_int_equal(rename(t->path, old), 0);
    put(t, "no\nyes 3\nyes");
    until_lines(t, 7);
    bench_settle(t);
    static const int64_t want[] = {0, 2, 3, 5, 6};
    assert_int_equal(rt_logbuf_visible(t->b, NULL), RT_COUNT(want));
    for (int64_t i = 0; i < (int64_t)RT_COUNT(want); i++)
        assert_int_equal(rt_logbuf_visible_at(t->b, i), want[i]);
}

/* ---- saving ---- */

struct saved {
    bool done;
    int64_t lines;
    struct rt_error err;
};

static void saved(void *ctx, int64_t lines, const struct rt_error *err) {
    struct saved *s = ctx;
    s->done = true;
    s->lines = lines;
    if (err)
        s->err = *err;
}

static struct saved save(struct bench *t, const char *path, bool visible_only) {
    struct saved s = {0};
    rt_logbuf_save(t->b, path, visible_only, saved, &s);
    assert_false(s.done);
    while (!s.done)
        rt_loop_turn(t->loop, true);
    return s;
}

static void assert_file(const char *path, const struct rt_buf *want) {
    struct rt_buf got;
    struct rt_error err;
    rt_buf_init(&got, RT_GIB);
    assert_true(rt_file_read(path, RT_GIB, &got, &err));
    assert_int_equal(got.len, want->len);
    assert_memory_equal(rt_buf_str(&got), rt_buf_str(want), want->len);
    rt_buf_deinit(&got);
}

static void a_saved_log_is_the_log(void **state) {
    struct bench *t = *state;
    char path[128];
    snprintf(path, sizeof path, "%s/saved", t->dir);
    for (unsigned seed = 0; seed < 4; seed++) {
        srand(seed);
        struct rt_buf text;
        rt_buf_init(&text, RT_GIB);
        add_random_text(&text, seed ? 20000 : 0);
        if (seed == 2) /* and a line of several megabytes */
            for (int i = 0; i < 400000; i++)
                rt_buf_adds(&text, "long line, ");
        bench_appended(t);
        rt_logbuf_limit(t->b, 256 * RT_KIB, 0);
        bench_append(t, rt_buf_str(&text), text.len);
        naive_lines lines = {0};
        naive_split(&t->bytes, &lines);
        assert_int_equal(save(t, path, false).lines, lines.n);
        if (t->bytes.len && t->bytes.data[t->bytes.len - 1] != '\n')
            rt_buf_addc(&t->bytes, '\n');
        assert_file(path, &t->bytes);
        rt_vec_deinit(&lines);
        rt_buf_deinit(&text);
    }
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void what_is_seen_is_saved_with_its_marks(void **state) {
    struct bench *t = *state;
    struct rt_error err;
    char path[128];
    snprintf(path, sizeof path, "%s/saved", t->dir);
    bench_appended(t);
    rt_logbuf_limit(t->b, 128 * RT_KIB, 0);
    rt_logbuf_mark(t->b, "start");
    struct rt_buf want;
    rt_buf_init(&want, 0);
    rt_buf_adds(&want, "start\n");
    int64_t n = 1;
    for (int i = 0; i < 60000; i++) {
        char text[64];
        snprintf(text, sizeof text, "%s line %d\n", i % 7 == 0 ? "keep" : "drop", i);
        bench_append(t, text, strlen(text));
        if (i % 7 == 0) {
            rt_buf_adds(&want, text);
            n++;
        }
        if (i % 1000 == 0) {
            rt_logbuf_mark(t->b, "mark");
            rt_buf_adds(&want, "mark\n");
            n++;
        }
    }
    rt_logbuf_mark(t->b, "end");
    rt_buf_adds(&want, "end\n");
    assert_true(rt_logbuf_filter_add(t->b, "keep", false, &err));
    assert_int_equal(save(t, path, true).lines, n + 1);
    assert_file(path, &want);
    rt_buf_deinit(&want);
}

static void a_save_that_fails_says_so_and_leaves_nothing(void **state) {
    struct bench *t = *state;
    char path[128];
    bench_appended(t);
    bench_append(t, "x\n", 2);
    struct saved s = save(t, "/nonexistent/file", false);
    assert_int_equal(s.err.code, RT_E_IO);
    assert_non_null(strstr(s.err.message, "/nonexistent/file"));
    if (access("/dev/full", W_OK) == 0)
        assert_int_equal(save(t, "/dev/full", false).err.code, RT_E_LIMIT);
    snprintf(path, sizeof path, "%s/saved", t->dir);
    bench_write(path, "before", 6, O_TRUNC);
    struct saved cancelled = {0};
    rt_op_cancel(rt_logbuf_save(t->b, path, false, saved, &cancelled));
    struct rt_op *op = rt_logbuf_save(t->b, path, false, saved, &cancelled);
    rt_loop_turn(t->loop, false);
    if (!cancelled.done)
        rt_op_cancel(op);
    rt_loop_turn(t->loop, false);
    assert_int_equal(unlink(path), 0);
    rt_logbuf_destroy(t->b);
    t->b = NULL;
    assert_int_equal(rmdir(t->dir), 0); /* no other file was left */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_up, bench_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_growing_file_is_followed),
        TEST(growth_over_many_blocks_gives_every_line),
        TEST(a_file_grows_while_its_index_is_made),
        TEST(without_follow_a_file_stays_as_it_was),
        TEST(a_replaced_file_goes_on_behind_a_mark),
        TEST(a_file_cut_short_starts_over),
        TEST(filters_and_searches_go_over_replaced_files),
        TEST(a_saved_log_is_the_log),
        TEST(what_is_seen_is_saved_with_its_marks),
        TEST(a_save_that_fails_says_so_and_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
