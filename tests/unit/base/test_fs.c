#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "unit/cmocka_all.h"
#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char top[64]; /* a fresh directory for each test */

static int make_top(void **state) {
    (void)state;
    snprintf(top, sizeof top, "/tmp/raytui-fs-XXXXXX");
    return mkdtemp(top) ? 0 : -1;
}

static int remove_top(void **state) {
    (void)state;
    struct rt_error err = {0};
    return rt_remove_tree(top, &err) ? 0 : -1;
}

static char *under(const char *name) {
    return rt_path_join(top, name);
}

static void check_content(const char *path, const char *want) {
    struct rt_buf b;
    struct rt_error err = {0};
    rt_buf_init(&b, 0);
    assert_true(rt_file_read(path, 0, &b, &err));
    assert_string_equal(rt_buf_str(&b), want);
    rt_buf_deinit(&b);
}

static mode_t mode_of(const char *path) {
    struct stat st;
    assert_int_equal(lstat(path, &st), 0);
    return st.st_mode & 07777;
}

static void a_written_file_is_private_and_so_are_its_parents(void **state) {
    (void)state;
    struct rt_error err = {0};
    char *path = under("a/b/file"), *dir = under("a/b");
    assert_true(rt_file_write(path, "one", 3, &err));
    assert_true(rt_file_write(path, "two", 3, &err));
    check_content(path, "two");
    assert_int_equal(mode_of(path), 0600);
    assert_int_equal(mode_of(dir), 0700);
    free(path);
    free(dir);
}

static void writing_through_a_link_keeps_the_link(void **state) {
    (void)state;
    struct rt_error err = {0};
    char *real = under("real"), *link = under("link");
    assert_true(rt_file_write(real, "one", 3, &err));
    assert_int_equal(symlink("real", link), 0);
    assert_true(rt_file_write(link, "two", 3, &err));
    check_content(real, "two");
    struct stat st;
    assert_int_equal(lstat(link, &st), 0);
    assert_true(S_ISLNK(st.st_mode));
    free(real);
    free(link);
}

static void a_full_disk_is_named_and_hinted_at(void **state) {
    (void)state;
    struct rt_error err = {0};
    if (!rt_file_exists("/dev/full"))
        skip();
    assert_false(rt_file_append("/dev/full", "x", 1, true, &err));
    assert_int_equal(err.code, RT_E_LIMIT);
    assert_string_equal(err.message, "cannot write /dev/full: No space left on device");
    assert_non_null(strstr(err.hint, "make room"));
    assert_false(rt_file_write("/dev/full", "x", 1, &err));
    assert_int_equal(err.code, RT_E_LIMIT);
}

/* In a child, because limits cannot be taken back: files of more than 1000 bytes cannot be written.
 */
static int write_with_a_limit(const char *journal, const char *file) {
    static const char data[2000] = {0};
    struct rt_error err = {0};
    struct rlimit limit = {1000, 1000};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) != 0)
        return 1;
    if (!rt_file_append(journal, data, 600, false, &err))
        return 2;
    if (rt_file_append(journal, data, 600, false, &err) || err.code != RT_E_LIMIT)
        return 3;
    if (rt_file_write(file, data, sizeof data, &err) || err.code != RT_E_LIMIT)
        return 4;
    return 0;
}

static void a_write_that_fails_half_way_leaves_the_old_content(void **state) {
    (void)state;
    struct rt_error err = {0};
    char *journal = under("journal"), *file = under("file");
    assert_true(rt_file_write(file, "old", 3, &err));
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(write_with_a_limit(journal, file));
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);

    struct stat st;
    assert_int_equal(stat(journal, &st), 0);
    assert_int_equal(st.st_size, 600); /* no torn record */
    check_content(file, "old");
    int entries = 0;
    DIR *d = opendir(top);
    for (const struct dirent *e; (e = readdir(d)) != NULL;)
        entries += e->d_name[0] != '.';
    closedir(d);
    assert_int_equal(entries, 2); /* nothing half-written beside them */
    free(journal);
    free(file);
}

static void reading_names_what_is_wrong(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct rt_buf b;
    rt_buf_init(&b, 0);
    char *path = under("file");
    assert_false(rt_file_read(path, 0, &b, &err));
    assert_int_equal(err.code, RT_E_NOT_FOUND);
    assert_non_null(strstr(err.message, path));
    assert_false(rt_file_read(top, 0, &b, &err));
    assert_int_equal(err.code, RT_E_IO);
    assert_true(rt_file_write(path, "12345", 5, &err));
    assert_true(rt_file_read(path, 5, &b, &err));
    assert_false(rt_file_read(path, 4, &b, &err));
    assert_int_equal(err.code, RT_E_LIMIT);
    rt_buf_deinit(&b);
    free(path);
}

static void appending_adds_at_the_end(void **state) {
    (void)state;
    struct rt_error err = {0};
    char *path = under("sub/journal");
    assert_true(rt_file_append(path, "one\n", 4, true, &err));
    assert_true(rt_file_append(path, "two\n", 4, false, &err));
    check_content(path, "one\ntwo\n");
    assert_int_equal(mode_of(path), 0600);
    free(path);
}

static void removing_a_tree_never_follows_links(void **state) {
    (void)state;
    struct rt_error err = {0};
    char *keep = under("keep/file"), *deep = under("tree/x/y/file"), *tree = under("tree"),
         *link = under("tree/x/link");
    assert_true(rt_file_write(keep, "k", 1, &err));
    assert_true(rt_file_write(deep, "d", 1, &err));
    assert_int_equal(symlink("../../keep", link), 0);
    assert_true(rt_remove_tree(tree, &err));
    assert_false(rt_dir_exists(tree));
    assert_true(rt_file_exists(keep));
    assert_true(rt_remove_tree(tree, &err)); /* absent is fine */
    free(keep);
    free(deep);
    free(tree);
    free(link);
}

static void a_held_lock_names_its_holder(void **state) {
    (void)state;
    struct rt_error err = {0};
    char *path = under("lock");
    int fd = rt_file_lock(path, "up prod, pid 12", &err);
    assert_true(fd >= 0);
    assert_int_equal(rt_file_lock(path, "me", &err), -1);
    assert_int_equal(err.code, RT_E_BUSY);
    assert_string_equal(err.message, "busy: up prod, pid 12");
    rt_file_unlock(fd);
    fd = rt_file_lock(path, "me", &err);
    assert_true(fd >= 0);
    rt_file_unlock(fd);
    rt_file_unlock(-1);
    free(path);
}

static void a_private_directory_is_ours_alone(void **state) {
    (void)state;
    struct rt_error err = {0};
    char *dir = under("run"), *link = under("link");
    assert_true(rt_mkdir_private(dir, &err));
    assert_true(rt_mkdir_private(dir, &err));
    assert_int_equal(mode_of(dir), 0700);
    assert_int_equal(chmod(dir, 0777), 0);
    assert_false(rt_mkdir_private(dir, &err));
    assert_int_equal(err.code, RT_E_DENIED);
    assert_int_equal(symlink(top, link), 0);
    assert_false(rt_mkdir_private(link, &err));
    free(dir);
    free(link);
}

static void places_follow_xdg_and_ignore_relative_values(void **state) {
    (void)state;
    setenv("HOME", "/home/x", 1);
    setenv("XDG_CONFIG_HOME", "/conf", 1);
    setenv("XDG_STATE_HOME", "relative", 1);
    unsetenv("XDG_CACHE_HOME");
    unsetenv("XDG_RUNTIME_DIR");
    setenv("TMPDIR", "/scratch", 1);
    char *p = rt_path(RT_DIR_CONFIG, "config.yaml");
    assert_string_equal(p, "/conf/raytui/config.yaml");
    free(p);
    p = rt_path(RT_DIR_STATE, NULL);
    assert_string_equal(p, "/home/x/.local/state/raytui");
    free(p);
    p = rt_path(RT_DIR_CACHE, "a");
    assert_string_equal(p, "/home/x/.cache/raytui/a");
    free(p);
    p = rt_path(RT_DIR_RUNTIME, NULL);
    assert_true(rt_starts(p, "/scratch/raytui-"));
    free(p);
    setenv("XDG_RUNTIME_DIR", "/run/user/1", 1);
    p = rt_path(RT_DIR_RUNTIME, "s");
    assert_true(rt_starts(p, "/run/user/1/raytui-") && rt_ends(p, "/s"));
    free(p);
}

static void a_tilde_is_home_only_in_front(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"~", "/home/x"}, {"~/a", "/home/x/a"}, {"~joe/a", "~joe/a"}, {"a/~", "a/~"}, {"/b", "/b"}};
    setenv("HOME", "/home/x", 1);
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        char *p = rt_path_expand(cases[i][0]);
        assert_string_equal(p, cases[i][1]);
        free(p);
    }
}

static void joining_handles_slashes_and_absolute_parts(void **state) {
    (void)state;
    static const char *const cases[][3] = {{"a", "b", "a/b"}, {"a/", "b", "a/b"}, {"a", "/b", "/b"},
                                           {"a", "", "a"},    {"", "b", "b"},     {"/", "b", "/b"}};
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        char *p = rt_path_join(cases[i][0], cases[i][1]);
        assert_string_equal(p, cases[i][2]);
        free(p);
    }
}

static void a_process_is_known_by_pid_and_start(void **state) {
    (void)state;
    int64_t me = getpid();
    assert_true(rt_process_alive(me));
    uint64_t start = rt_process_started(me);
    assert_true(start != 0);
    assert_true(start == rt_process_started(me));
    assert_false(rt_process_alive(0));
    assert_false(rt_process_alive(-1));
    assert_false(rt_process_alive(INT64_MAX));

    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(0);
    siginfo_t info;
    assert_int_equal(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT),
                     0); /* a zombie from here */
    assert_false(rt_process_alive(child));
    assert_true(rt_process_started(child) == 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    assert_false(rt_process_alive(child));
}

int main(void) {
#define IN_TOP(f) cmocka_unit_test_setup_teardown(f, make_top, remove_top)
    const struct CMUnitTest tests[] = {
        IN_TOP(a_written_file_is_private_and_so_are_its_parents),
        IN_TOP(writing_through_a_link_keeps_the_link),
        cmocka_unit_test(a_full_disk_is_named_and_hinted_at),
        IN_TOP(a_write_that_fails_half_way_leaves_the_old_content),
        IN_TOP(reading_names_what_is_wrong),
        IN_TOP(appending_adds_at_the_end),
        IN_TOP(removing_a_tree_never_follows_links),
        IN_TOP(a_held_lock_names_its_holder),
        IN_TOP(a_private_directory_is_ours_alone),
        cmocka_unit_test(places_follow_xdg_and_ignore_relative_values),
        cmocka_unit_test(a_tilde_is_home_only_in_front),
        cmocka_unit_test(joining_handles_slashes_and_absolute_parts),
        cmocka_unit_test(a_process_is_known_by_pid_and_start),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
