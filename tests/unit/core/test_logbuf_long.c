/* One line that is larger than memory should be: 64 MB, or as many as RT_TEST_LINE_MB says. */
#include "loghelp.h"

#include <sys/resource.h>
#include <sys/stat.h>

#if defined(__has_feature)
#define HAS_FEATURE(f) __has_feature(f)
#else
#define HAS_FEATURE(f) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
enum { MEASURED = 0 }; /* a sanitizer keeps what was freed */
#else
enum { MEASURED = 1 };
#endif

enum { BEGINNING = 1024 * 1024, MOST_KIB = 48 * 1024 };

static int64_t line_bytes(void) {
    const char *mb = getenv("RT_TEST_LINE_MB");
    return (mb ? strtoll(mb, NULL, 10) : 64) * 1000 * 1000;
}

static int64_t most_memory_kib(void) {
    struct rusage u;
    getrusage(RUSAGE_SELF, &u);
#ifdef __APPLE__
    return u.ru_maxrss / 1024;
#else
    return u.ru_maxrss;
#endif
}

/* "first ... needle", without an end. */
static void write_line(const char *path, int64_t bytes) {
    static char part[100 * 1000];
    memset(part, 'x', sizeof part);
    memcpy(part, "first ", 6);
    for (int64_t i = 0; i < bytes; i += (int64_t)sizeof part) {
        bench_write(path, part, sizeof part, O_APPEND);
        memset(part, 'x', 6);
    }
    bench_write(path, " needle", 7, O_APPEND);
}

static void open_line(struct bench *t, bool follow) {
    struct rt_error err = {0};
    write_line(t->path, line_bytes());
    t->b = rt_logbuf_open_file(t->loop, t->path, follow, &err);
    assert_non_null(t->b);
}

static void its_beginning_is_there_before_its_end_is_known(void **state) {
    struct bench *t = *state;
    struct rt_line line;
    bool exact = true;
    open_line(t, false);
    rt_logbuf_lines(t->b, &exact);
    assert_false(exact);
    assert_true(rt_logbuf_line(t->b, 0, &line));
    assert_int_equal(line.len, BEGINNING);
    assert_memory_equal(line.text, "first xx", 8);
    assert_true(line.more > 0);
    const int64_t last = rt_logbuf_lines(t->b, NULL) - 1;
    assert_true(rt_logbuf_line(t->b, last, &line));
    if (last > 0) /* by the estimate */
        assert_memory_equal(line.text + line.len - 7, " needle", 7);
    bench_settle(t);
    assert_int_equal(rt_logbuf_lines(t->b, NULL), 1);
    assert_true(rt_logbuf_line(t->b, 0, &line));
    assert_int_equal((int64_t)line.len + line.more, line_bytes() + 7);
}

static void its_end_is_there_before_its_beginning_is_known(void **state) {
    struct bench *t = *state;
    struct rt_line line;
    struct rt_error err = {0};
    bench_write(t->path, "zero\none\n", 9, O_APPEND);
    write_line(t->path, line_bytes());
    bench_write(t->path, "\nlast\n", 6, O_APPEND);
    t->b = rt_logbuf_open_file(t->loop, t->path, false, &err);
    assert_non_null(t->b);
    const int64_t n = rt_logbuf_lines(t->b, NULL);
    assert_text(t->b, n - 1, "last");
    assert_true(rt_logbuf_line(t->b, n - 2, &line));
    assert_memory_equal(line.text + line.len - 9, "xx needle", 9);
    assert_true(line.more > 0);
    assert_text(t->b, 0, "zero");
    assert_text(t->b, 1, "one");
    bench_settle(t);
    assert_int_equal(rt_logbuf_lines(t->b, NULL), 4);
    assert_true(rt_logbuf_line(t->b, 2, &line));
    assert_memory_equal(line.text, "first xx", 8);
    assert_text(t->b, 3, "last");
}

struct answer {
    bool done;
    int64_t line;
};

static void answered(void *ctx, int64_t line, bool wrapped, const struct rt_error *err) {
    struct answer *a = ctx;
    (void)wrapped;
    assert_null(err);
    *a = (struct answer){true, line};
}

static int64_t search(struct bench *t, const char *regex) {
    struct answer a = {0};
    rt_logbuf_search(t->b, regex, 0, false, answered, &a);
    while (!a.done)
        rt_loop_turn(t->loop, true);
    return a.line;
}

static void a_search_looks_at_its_beginning_and_the_log_says_so(void **state) {
    struct bench *t = *state;
    struct rt_error err = {0};
    open_line(t, false);
    assert_int_equal(search(t, "^first"), 0);
    assert_int_equal(search(t, "needle"), -1);
    assert_true(rt_logbuf_cuts(t->b));
    assert_true(rt_logbuf_filter_add(t->b, "first", false, &err));
    bench_settle(t);
    assert_int_equal(rt_logbuf_visible(t->b, NULL), 1);
    bench_appended(t);
    bench_append(t, "short\n", 6);
    assert_false(rt_logbuf_cuts(t->b));
}

static void saved(void *ctx, int64_t lines, const struct rt_error *err) {
    assert_null(err);
    *(int64_t *)ctx = lines;
}

static void it_grows_ends_and_is_saved_whole_in_little_memory(void **state) {
    struct bench *t = *state;
    struct rt_line line;
    char copy[128];
    struct stat st;
    const int64_t before = most_memory_kib();
    open_line(t, true);
    bench_settle(t);
    write_line(t->path, line_bytes() / 2);
    bench_write(t->path, "\nnext", 5, O_APPEND);
    const int64_t end = rt_mono_ms() + 60000;
    while (rt_logbuf_lines(t->b, NULL) != 2 && rt_mono_ms() < end)
        rt_loop_turn(t->loop, true);
    bench_settle(t);
    assert_text(t->b, 1, "next");
    assert_true(rt_logbuf_line(t->b, 0, &line));
    assert_int_equal((int64_t)line.len + line.more, line_bytes() + line_bytes() / 2 + 14);
    snprintf(copy, sizeof copy, "%s/copy", t->dir);
    int64_t lines = -1;
    rt_logbuf_save(t->b, copy, false, saved, &lines);
    while (lines < 0)
        rt_loop_turn(t->loop, true);
    assert_int_equal(lines, 2);
    assert_int_equal(stat(copy, &st), 0);
    assert_int_equal(st.st_size, line_bytes() + line_bytes() / 2 + 20);
    if (MEASURED)
        assert_in_range(most_memory_kib() - before, 0, MOST_KIB);
}

static void appended_it_is_held_in_little_memory(void **state) {
    struct bench *t = *state;
    struct rt_line line;
    char part[50 * 1000];
    const int64_t before = most_memory_kib();
    memset(part, 'y', sizeof part);
    bench_appended(t);
    for (int64_t i = 0; i < line_bytes(); i += (int64_t)sizeof part) {
        rt_logbuf_append(t->b, part, sizeof part);
        if (i % 1000000 == 0)
            rt_loop_turn(t->loop, false);
    }
    bench_settle(t);
    assert_int_equal(rt_logbuf_lines(t->b, NULL), 1);
    assert_true(rt_logbuf_line(t->b, 0, &line));
    assert_int_equal((int64_t)line.len + line.more, line_bytes());
    if (MEASURED)
        assert_in_range(most_memory_kib() - before, 0, MOST_KIB);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_up, bench_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(it_grows_ends_and_is_saved_whole_in_little_memory),
        TEST(appended_it_is_held_in_little_memory),
        TEST(its_beginning_is_there_before_its_end_is_known),
        TEST(its_end_is_there_before_its_beginning_is_known),
        TEST(a_search_looks_at_its_beginning_and_the_log_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
