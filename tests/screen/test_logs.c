/* The log view of the real program, with a log that means harm. */
#include "world.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct world w;

static int make(void **state) {
    static const char *const args[] = {"--nodes", "2", "--jobs", "10", NULL};
    return world_setup(state, &w, args);
}

static void hostile_text(struct rt_buf *b) {
    for (int i = 0; i < 60; i++) {
        rt_buf_addf(b, "2026-11-21 09:%02d:00,123 INFO train.py:42 -- step %d loss=%.4f\n", i, i, 1.0 / (i + 1));
        if (i % 20 == 3)
            rt_buf_addf(b, "2026-11-21 09:%02d:01,000 ERROR worker died: \x1b[31mred\x1b[0m and \x1b[1;32mbold green\x1b[0m\n", i);
        if (i % 20 == 5)
            rt_buf_adds(b, "WARNING 日本語のログ 🚀 wide and e\xcc\x81 combined\n");
        if (i % 20 == 7)
            rt_buf_adds(b, "\x1b]52;c;aGVsbG8=\x07\x1b]0;owned\x07\x1b[2J\x1b[H\x1b[?1049l\x1b[999;999Hmoved\n");
        if (i % 20 == 8)
            rt_buf_adds(b, "\xff bad \x9b" "31m c1 \x08 \x0e \xe2\x80\xae rtl \x1b(0lqqk\x1b(B\n");
        if (i % 20 == 9)
            for (int p = 0; p <= 100; p += 10)
                rt_buf_addf(b, "\r%3d%%|%-10.*s| %d/100%s", p, p / 10, "##########", p, p == 100 ? "\n" : "");
    }
    for (int i = 0; i < 300; i++)
        rt_buf_addc(b, 'x');
    rt_buf_adds(b, " end\n");
}

static void open_log(struct rt_pty *t, int rows, int cols, const char *const *env) {
    struct rt_error err = {0};
    struct rt_buf b;
    world_configure(&w, NULL);
    rt_buf_init(&b, 0);
    hostile_text(&b);
    char *path = rt_strf("%s/home/hostile.log", w.dir);
    assert_true(rt_file_write(path, rt_buf_str(&b), b.len, &err));
    const char *const args[] = {"logs", "--file", path, "--view", NULL};
    world_start(&w, t, rows, cols, args, env);
    rt_pty_until(t, "76 lines", 10000);
    rt_buf_deinit(&b);
    free(path);
}

static bool was_written(const struct rt_pty *t, const char *what) {
    const size_t n = strlen(what);
    for (size_t i = 0; i + n <= t->bytes.len; i++)
        if (memcmp(t->bytes.data + i, what, n) == 0)
            return true;
    return false;
}

/* What the program wrote itself is all that the terminal was told. */
static void assert_harmless(const struct rt_pty *t) {
    static const char *const bad[] = {"\x1b]52;c;aGVsbG8", "owned", "\x1b[2J\x1b[H\x1b[?1049l", "\x1b[999", "\xe2\x80\xae", "\x1b(0lqqk"};
    for (size_t i = 0; i < RT_COUNT(bad); i++)
        assert_false(was_written(t, bad[i]));
}

static void a_hostile_log_at_80x24(void **state) {
    struct rt_pty t;
    (void)state;
    open_log(&t, 24, 80, NULL);
    rt_pty_type(&t, "g");
    rt_pty_until(&t, "step 0 ", 3000);
    rt_pty_matches(&t, "log-hostile-80x24.golden");
    rt_pty_type(&t, "<^W>G");
    rt_pty_until(&t, "x end", 3000);
    rt_pty_matches(&t, "log-wrapped-80x24.golden");
    assert_harmless(&t);
    world_leave(&t, "q");
}

static void a_hostile_log_at_120x36_with_numbers_and_times(void **state) {
    struct rt_pty t;
    (void)state;
    open_log(&t, 36, 120, NULL);
    rt_pty_type(&t, "g#t");
    rt_pty_until(&t, "time beside each line", 3000);
    rt_pty_until_gone(&t, "time beside each line", 10000);
    rt_pty_matches(&t, "log-hostile-120x36.golden");
    assert_harmless(&t);
    world_leave(&t, "q");
}

static void a_hostile_log_without_colours_in_ascii(void **state) {
    struct rt_pty t;
    static const char *const env[] = {"NO_COLOR=1", "LC_ALL=C", NULL};
    (void)state;
    open_log(&t, 24, 80, env);
    rt_pty_type(&t, "g");
    rt_pty_until(&t, "step 0 ", 3000);
    rt_pty_matches(&t, "log-hostile-ascii.golden");
    assert_harmless(&t);
    world_leave(&t, "q");
}

static void matches_are_counted_and_walked(void **state) {
    struct rt_pty t;
    (void)state;
    open_log(&t, 24, 80, NULL);
    rt_pty_type(&t, "g/step 1[0-9]");
    rt_pty_until(&t, "/step 1[0-9]", 3000);
    rt_pty_type(&t, "<Enter>");
    rt_pty_until(&t, "1/10", 3000);
    rt_pty_type(&t, "n");
    rt_pty_until(&t, "2/10", 3000);
    rt_pty_matches(&t, "log-search-80x24.golden");
    rt_pty_type(&t, "NN");
    rt_pty_until(&t, "went on from the end", 3000);
    rt_pty_until(&t, "10/10", 3000);
    world_leave(&t, "q");
}

static void filters_and_errors(void **state) {
    struct rt_pty t;
    (void)state;
    open_log(&t, 24, 80, NULL);
    rt_pty_type(&t, "&ERROR|WARN<Enter>");
    rt_pty_until(&t, "6 of 76 lines", 3000);
    rt_pty_matches(&t, "log-filtered-80x24.golden");
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "of 76", 3000);
    rt_pty_type(&t, "ge");
    rt_pty_until(&t, ">2026-11-21 09:03:01", 3000);
    rt_pty_type(&t, ":73<Enter>");
    rt_pty_until(&t, ">2026-11-21 09:57:00", 3000);
    rt_pty_type(&t, ":9:30<Enter>");
    rt_pty_until(&t, ">2026-11-21 09:30:00", 3000);
    world_leave(&t, "q");
}

static void lines_are_saved_and_piped(void **state) {
    struct rt_pty t;
    (void)state;
    open_log(&t, 24, 80, NULL);
    char *line = rt_strf(":w %s/home/out.txt<Enter>", w.dir), *path = rt_strf("%s/home/out.txt", w.dir);
    rt_pty_type(&t, line);
    rt_pty_until(&t, "76 lines in", 5000);
    assert_true(rt_file_exists(path));
    rt_pty_type(&t, "|wc -l<Enter>");
    rt_pty_until(&t, "Enter goes back", 5000);
    assert_true(rt_pty_shows(&t, "76"));
    rt_pty_type(&t, "<Enter>");
    rt_pty_until(&t, "hostile.log", 5000);
    free(line);
    free(path);
    world_leave(&t, "q");
}

static void help_of_the_log_is_searched(void **state) {
    struct rt_pty t;
    (void)state;
    open_log(&t, 36, 120, NULL);
    rt_pty_type(&t, "?");
    rt_pty_until(&t, "KEYS in log", 3000);
    assert_true(rt_pty_shows(&t, "keep lines that match; ! first drops them"));
    rt_pty_type(&t, "/click selects<Enter>");
    rt_pty_until(&t, "Click selects", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "Click selects", 3000);
    world_leave(&t, "q");
}

/* The driver and four workers of a job that runs, by time. */
static void all_logs_of_a_job_in_one_view(void **state) {
    struct rt_pty t;
    (void)state;
    world_configure(&w, world_prod);
    world_start_prod(&w, &t, 24, 80, NULL, "2 nodes");
    rt_pty_type(&t, "4");
    rt_pty_until(&t, "RUNNING", 10000);
    rt_pty_type(&t, ":logs --all raysubmit_by4<Enter>");
    rt_pty_until(&t, ", 5 sources", 10000);
    rt_pty_until(&t, "2,302 lines", 20000);
    rt_pty_until_gone(&t, "lines/s", 20000);
    rt_pty_type(&t, "g:8<Enter>");
    rt_pty_until(&t, "paused", 3000);
    rt_pty_matches(&t, "log-merged-80x24.golden");
    rt_pty_type(&t, "S");
    rt_pty_until(&t, "5 of 5", 3000);
    rt_pty_type(&t, "j ");
    rt_pty_until(&t, "4 of 5", 3000);
    rt_pty_until(&t, "2,272 of 2,302 lines", 10000);
    rt_pty_matches(&t, "log-sources-80x24.golden");
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "Space shows", 3000);
    world_leave(&t, "Q");
}

static void a_search_over_all_logs_leads_to_them(void **state) {
    struct rt_pty t;
    (void)state;
    world_configure(&w, world_prod);
    world_start_prod(&w, &t, 24, 80, NULL, "2 nodes");
    rt_pty_type(&t, "4");
    rt_pty_until(&t, "RUNNING", 10000);
    rt_pty_type(&t, "<^G>");
    rt_pty_until(&t, "--search", 3000);
    rt_pty_type(&t, "<^U>logs raysubmit_by4 --search 'step 00000002[57]'<Enter>");
    rt_pty_until(&t, "of 5 files", 20000);
    rt_pty_type(&t, "jj");
    rt_pty_matches(&t, "log-search-all-80x24.golden");
    rt_pty_type(&t, "<Enter>");
    rt_pty_until(&t, ">2026-11-21 10:00:00,025", 10000);
    world_leave(&t, "Q");
}

/* Runs last: what it does to the made-up cluster stays. */
static void a_merged_log_is_walked_saved_and_marked(void **state) {
    struct rt_pty t;
    struct rt_error err = {0};
    struct rt_buf text;
    (void)state;
    world_configure(&w, world_prod);
    world_start_prod(&w, &t, 24, 80, NULL, "2 nodes");
    rt_pty_type(&t, "4");
    rt_pty_until(&t, "RUNNING", 10000);
    rt_pty_type(&t, ":logs --all raysubmit_by4<Enter>");
    rt_pty_until(&t, "2,302 lines", 20000);
    world_post(&w, "/_test/log", "{\"submission_id\": \"raysubmit_by4QNjhYxBB3TgSN\", \"text\": \"2026-11-21 10:00:30,000 ERROR boom\\n"
                          "2026-11-21 10:00:31,000 WARNING careful\\n\"}");
    rt_pty_until(&t, "careful", 20000);
    rt_pty_type(&t, "ge");
    rt_pty_until(&t, ">(driver) 2026-11-21 10:00:30,000", 5000);
    rt_pty_type(&t, "w");
    rt_pty_until(&t, ">(driver) 2026-11-21 10:00:31,000", 5000);
    char *path = rt_strf("%s/home/merged.txt", w.dir), *line = rt_strf(":w %s<Enter>", path);
    rt_pty_type(&t, line);
    rt_pty_until(&t, "2,304 lines in", 10000);
    rt_buf_init(&text, 0);
    assert_true(rt_file_read(path, 0, &text, &err));
    assert_true(rt_starts(rt_buf_str(&text), "(driver) 2026-11-21 02:49:14,574"));
    assert_non_null(strstr(rt_buf_str(&text), "\n(Counter pid=6403, ip=10.0.0.1) 2026-11-21 10:00:00,119 INFO"));
    rt_buf_deinit(&text);
    rt_pty_type(&t, "G");
    world_post(&w, "/_test/fault", "{\"mode\": \"reset\", \"seconds\": 5}");
    world_post(&w, "/_test/cut", "{}");
    rt_pty_until(&t, "connection lost", 30000);
    rt_pty_until(&t, "resumed", 60000);
    world_leave(&t, "Q");
    free(path);
    free(line);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_hostile_log_at_80x24),
        cmocka_unit_test(a_hostile_log_at_120x36_with_numbers_and_times),
        cmocka_unit_test(a_hostile_log_without_colours_in_ascii),
        cmocka_unit_test(matches_are_counted_and_walked),
        cmocka_unit_test(filters_and_errors),
        cmocka_unit_test(lines_are_saved_and_piped),
        cmocka_unit_test(help_of_the_log_is_searched),
        cmocka_unit_test(all_logs_of_a_job_in_one_view),
        cmocka_unit_test(a_search_over_all_logs_leads_to_them),
        cmocka_unit_test(a_merged_log_is_walked_saved_and_marked),
    };
    return cmocka_run_group_tests(tests, make, world_teardown);
}
