#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "unit/cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char top[64], *path;

static int make_top(void **state) {
    (void)state;
    unsetenv("RAYTUI_LOG");
    snprintf(top, sizeof top, "/tmp/raytui-log-XXXXXX");
    if (!mkdtemp(top))
        return -1;
    path = rt_path_join(top, "state/raytui.log");
    return 0;
}

static int remove_top(void **state) {
    (void)state;
    struct rt_error err = {0};
    rt_log_close();
    free(path);
    return rt_remove_tree(top, &err) ? 0 : -1;
}

/* Gives the content of the log. */
static char *content(void) {
    struct rt_buf b;
    struct rt_error err = {0};
    rt_buf_init(&b, 0);
    if (!rt_file_read(path, 0, &b, &err))
        fail_msg("%s", err.message);
    return rt_buf_take(&b);
}

static void lines_carry_time_level_and_pid_and_the_file_is_private(void **state) {
    (void)state;
    rt_log_open(path, RT_LOG_INFO);
    assert_string_equal(rt_log_path(), path);
    rt_log(RT_LOG_WARN, "answer in %d ms", 12);
    rt_log(RT_LOG_DEBUG, "hidden");
    assert_true(rt_log_wants(RT_LOG_INFO));
    assert_false(rt_log_wants(RT_LOG_DEBUG));
    char *text = content();
    assert_int_equal(text[4], '-');
    assert_int_equal(text[10], 'T');
    char *end = rt_strf(" warn [%ld] answer in 12 ms\n", (long)getpid());
    assert_true(rt_ends(text, end));
    assert_null(strstr(text, "hidden"));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    free(end);
    free(text);
}

static void secrets_never_reach_the_file(void **state) {
    (void)state;
    rt_log_secret("tok-1234");
    rt_log_open(path, RT_LOG_INFO); /* a secret may be known before the log is opened */
    rt_log_secret("tok-1234-longer");
    rt_log_secret("abc"); /* too short to be told from words */
    rt_log_secret(NULL);
    rt_log(RT_LOG_INFO, "tok-1234 Bearer tok-1234-longer, abc tok-1234tok-1234.");
    char *text = content();
    assert_non_null(strstr(text, "] *** Bearer ***, abc ******.\n"));
    free(text);
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_log_mask(&b);
    rt_buf_adds(&b, "x tok-1234-longer");
    rt_log_mask(&b);
    assert_string_equal(rt_buf_str(&b), "x ***");
    assert_int_equal(b.len, 5);
    rt_buf_deinit(&b);
}

static void foreign_bytes_cannot_forge_lines_or_drive_a_terminal(void **state) {
    (void)state;
    rt_log_open(path, RT_LOG_INFO);
    rt_log(RT_LOG_INFO, "a\n2026 forged\x1b[2J");
    char *text = content();
    assert_true(rt_ends(text, "] a 2026 forged^[[2J\n"));
    free(text);
}

static void the_environment_decides_the_level(void **state) {
    (void)state;
    setenv("RAYTUI_LOG", "debug", 1);
    rt_log_open(path, RT_LOG_ERROR);
    assert_true(rt_log_wants(RT_LOG_DEBUG));
    setenv("RAYTUI_LOG", "nonsense", 1);
    rt_log_open(path, RT_LOG_WARN);
    assert_true(rt_log_wants(RT_LOG_WARN));
    assert_false(rt_log_wants(RT_LOG_INFO));
    unsetenv("RAYTUI_LOG");
}

static void a_path_that_cannot_be_opened_costs_only_the_log(void **state) {
    (void)state;
    rt_log_open("/dev/null/x/raytui.log", RT_LOG_INFO);
    assert_null(rt_log_path());
    assert_false(rt_log_wants(RT_LOG_ERROR));
    rt_log(RT_LOG_ERROR, "nothing happens");
    rt_log_open(top, RT_LOG_INFO); /* a directory */
    assert_null(rt_log_path());
    rt_log_open(NULL, RT_LOG_INFO);
    assert_null(rt_log_path());
}

static off_t size_of(const char *name) {
    struct stat st;
    return stat(name, &st) == 0 ? st.st_size : -1;
}

static void a_full_file_is_kept_once_and_begun_anew(void **state) {
    (void)state;
    char *older = rt_strf("%s.1", path), line[60001];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    rt_log_open(path, RT_LOG_INFO);
    for (int i = 0; i < 400; i++) {
        rt_log(RT_LOG_INFO, "%d %s", i, line);
        assert_true(size_of(path) <= (off_t)(10 * RT_MIB + 70000));
    }
    assert_true(size_of(older) >= (off_t)(10 * RT_MIB));
    assert_true(size_of(older) <= (off_t)(10 * RT_MIB + 70000));
    assert_true(size_of(path) > 0);
    rt_log(RT_LOG_INFO, "%s%s", line, line);
    char *text = content();
    assert_non_null(strstr(text, "(a message longer than 64 KiB: "));
    free(text);
    free(older);
}

static void a_file_that_another_process_rotated_is_not_rotated_again(void **state) {
    (void)state;
    char *older = rt_strf("%s.1", path), line[60001];
    memset(line, 'x', sizeof line - 1);
    line[sizeof line - 1] = '\0';
    rt_log_open(path, RT_LOG_INFO);
    struct rt_error err = {0};
    while (size_of(path) < (off_t)(10 * RT_MIB))
        rt_log(RT_LOG_INFO, "%s", line);
    assert_int_equal(rename(path, older), 0);
    assert_true(rt_file_append(path, "theirs\n", 7, false, &err));
    rt_log(RT_LOG_INFO, "ours");
    char *text = content();
    assert_true(rt_starts(text, "theirs\n"));
    assert_true(rt_ends(text, "ours\n"));
    assert_true(size_of(older) >= (off_t)(10 * RT_MIB));
    free(text);
    free(older);
}

int main(void) {
#define IN_TOP(f) cmocka_unit_test_setup_teardown(f, make_top, remove_top)
    const struct CMUnitTest tests[] = {
        IN_TOP(lines_carry_time_level_and_pid_and_the_file_is_private),
        IN_TOP(secrets_never_reach_the_file),
        IN_TOP(foreign_bytes_cannot_forge_lines_or_drive_a_terminal),
        IN_TOP(the_environment_decides_the_level),
        IN_TOP(a_path_that_cannot_be_opened_costs_only_the_log),
        IN_TOP(a_full_file_is_kept_once_and_begun_anew),
        IN_TOP(a_file_that_another_process_rotated_is_not_rotated_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
