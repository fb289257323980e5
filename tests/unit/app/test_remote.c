/* exec and cp: the words that a terminal runs for them. */
#include "../cmocka_all.h"
#include "app/app.h"
#include "base/fs.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static struct rt_app *app;
static char home[] = "/tmp/rt-rem-XXXXXX";

static int make(void **state) {
    struct rt_error err = {0};
    static const char text[] = "clusters:\n  far: {provider: address, hop: 'ssh://me@bastion:2222'}\n  direct: {provider: address, url: 'http://127.0.0.1:9'}\n";
    (void)state;
    assert_non_null(mkdtemp(home));
    setenv("XDG_CONFIG_HOME", home, 1);
    setenv("XDG_STATE_HOME", home, 1);
    setenv("XDG_CACHE_HOME", home, 1);
    char *file = rt_strf("%s/raytui/config.yaml", home);
    assert_true(rt_file_write(file, text, strlen(text), &err));
    free(file);
    const struct rt_app_opts o = {0};
    app = rt_app_create(&o, &err);
    assert_non_null(app);
    return 0;
}

static int end(void **state) {
    struct rt_error err = {0};
    (void)state;
    rt_app_destroy(app);
    return rt_remove_tree(home, &err) ? 0 : 1;
}

static void words(struct rt_strs *out, const char *const *v) {
    for (; *v; v++)
        rt_strs_add(out, *v);
}

static void a_command_is_one_word_of_ssh_quoted_once(void **state) {
    static const char *const typed[] = {"echo", "two  blanks", "$HOME", NULL};
    struct rt_strs command = {0}, argv = {0};
    struct rt_error err = {0};
    (void)state;
    words(&command, typed);
    assert_true(rt_app_exec(app, "far", NULL, &command, &argv, &err));
    assert_string_equal(argv.v[0], "ssh");
    assert_string_equal(argv.v[argv.n - 2], "me@bastion");
    assert_string_equal(argv.v[argv.n - 1], "echo 'two  blanks' '$HOME'");
    rt_strs_deinit(&argv);
    assert_false(rt_app_exec(app, "direct", NULL, &command, &argv, &err));
    assert_int_equal(err.code, RT_E_UNSUPPORTED);
    rt_strs_deinit(&argv);
    rt_strs_deinit(&command);
}

static void a_command_on_this_machine_runs_as_it_is(void **state) {
    static const char *const typed[] = {"echo", "two  blanks", NULL};
    struct rt_strs command = {0}, argv = {0};
    struct rt_error err = {0};
    (void)state;
    words(&command, typed);
    assert_true(rt_app_exec(app, "local", NULL, &command, &argv, &err));
    assert_int_equal(argv.n, 2);
    assert_string_equal(argv.v[1], "two  blanks");
    rt_strs_deinit(&argv);
    rt_strs_deinit(&command);
}

static int run(const char *from, const char *to) {
    struct rt_strs argv = {0};
    struct rt_error err = {0};
    if (!rt_app_copy(app, from, to, &argv, &err))
        fail_msg("%s", err.message);
    const pid_t pid = fork();
    if (pid == 0) {
        if (chdir(home) == 0 && freopen("/dev/null", "w", stderr))
            execvp(argv.v[0], argv.v);
        _exit(127);
    }
    int status = -1;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    rt_strs_deinit(&argv);
    return WEXITSTATUS(status);
}

static void holds(const char *name, const char *text) {
    struct rt_buf b;
    struct rt_error err = {0};
    char *path = rt_path_join(home, name);
    rt_buf_init(&b, 4096);
    if (!rt_file_read(path, 0, &b, &err))
        fail_msg("%s", err.message);
    assert_string_equal(rt_buf_str(&b), text);
    rt_buf_deinit(&b);
    free(path);
}

/* `local` is the one whose far side is here: both ends run for real. */
static void files_and_directories_go_both_ways(void **state) {
    struct rt_error err = {0};
    (void)state;
    char *one = rt_strf("%s/it's one", home), *inside = rt_strf("%s/dir/sub/two", home), *dir = rt_strf("%s/dir", home);
    assert_true(rt_file_write(one, "1\n", 2, &err));
    assert_true(rt_file_write(inside, "2\n", 2, &err));
    assert_int_equal(run(one, "local:named"), 0);
    holds("named", "1\n");
    assert_int_equal(run(one, "local:new/"), 0); /* a directory that is not there yet */
    holds("new/it's one", "1\n");
    assert_int_equal(run(dir, "local:copy"), 0);
    holds("copy/sub/two", "2\n");
    assert_int_equal(run(dir, "local:copy"), 0); /* now it is there: inside */
    holds("copy/dir/sub/two", "2\n");
    assert_int_equal(run("local:named", "back"), 0);
    holds("back", "1\n");
    assert_int_equal(run("local:dir", "dirs"), 0);
    holds("dirs/sub/two", "2\n");
    assert_int_equal(run("local:copy/sub/two", "back"), 0); /* written over */
    holds("back", "2\n");
    assert_int_not_equal(run("local:nothing", "back"), 0);
    holds("back", "2\n");
    free(one);
    free(inside);
    free(dir);
}

/* A file that cannot be read, say: what could be is copied. */
static void a_copy_that_is_not_whole_is_no_success(void **state) {
    static const char tar[] = "#!/bin/sh\nPATH=${PATH#*:}\ncase $1 in -c*) tar \"$@\"; exit 2 ;; esac\nexec tar \"$@\"\n";
    struct rt_error err = {0};
    (void)state;
    char *bin = rt_strf("%s/bin/tar", home), *one = rt_strf("%s/part", home), *old = rt_strdup(getenv("PATH"));
    char *path = rt_strf("%s/bin:%s", home, old);
    assert_true(rt_file_write(bin, tar, strlen(tar), &err));
    assert_int_equal(chmod(bin, 0700), 0);
    assert_true(rt_file_write(one, "3\n", 2, &err));
    setenv("PATH", path, 1);
    assert_int_equal(run(one, "local:part-there"), 2);
    assert_int_equal(run("local:part", "part-here"), 2);
    setenv("PATH", old, 1);
    holds("part-there", "3\n");
    holds("part-here", "3\n");
    free(bin);
    free(one);
    free(old);
    free(path);
}

static void one_end_is_far_and_one_is_here(void **state) {
    struct rt_strs argv = {0};
    struct rt_error err = {0};
    bool node = true;
    (void)state;
    assert_false(rt_app_copy(app, "a", "b", &argv, &err));
    assert_int_equal(err.code, RT_E_USAGE);
    assert_false(rt_app_copy(app, "far:a", "local:b", &argv, &err));
    assert_int_equal(err.code, RT_E_USAGE);
    assert_false(rt_app_copy(app, "/no/such/file", "far:", &argv, &err));
    assert_int_equal(err.code, RT_E_NOT_FOUND);
    assert_string_equal(rt_app_copy_cluster(app, "x", "far:y", &node), "far");
    assert_false(node);
    assert_string_equal(rt_app_copy_cluster(app, "far/n1:x", "y", &node), "far");
    assert_true(node);
    assert_null(rt_app_copy_cluster(app, "nobody:x", "y:z", &node));
    rt_strs_deinit(&argv);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_is_one_word_of_ssh_quoted_once),
        cmocka_unit_test(a_command_on_this_machine_runs_as_it_is),
        cmocka_unit_test(files_and_directories_go_both_ways),
        cmocka_unit_test(a_copy_that_is_not_whole_is_no_success),
        cmocka_unit_test(one_end_is_far_and_one_is_here),
    };
    return cmocka_run_group_tests(tests, make, end);
}
