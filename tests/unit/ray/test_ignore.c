/* gitignore rules, with git itself as the judge. */
#include "ray/package.h"
#include "unit/ray/recording.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

static bool ignored(const char *rules, const char *path, bool is_dir) {
    struct rt_ignore *g = rt_ignore_create();
    rt_ignore_add(g, "", rules);
    const bool yes = rt_ignored(g, path, is_dir);
    rt_ignore_destroy(g);
    return yes;
}

static void a_name_without_slash_is_meant_at_any_depth(void **state) {
    (void)state;
    assert_true(ignored("*.pyc\n", "a/b/x.pyc", false));
    assert_true(ignored("data", "data/x", false));
    assert_false(ignored("/data", "sub/data", false));
    assert_false(ignored("sub/x", "a/sub/x", false));
}

static void a_trailing_slash_means_directories_only(void **state) {
    (void)state;
    assert_true(ignored("build/", "build", true));
    assert_false(ignored("build/", "build", false));
    assert_true(ignored("build/", "build/out.o", false));
}

static void the_last_rule_wins_but_nothing_returns_from_an_ignored_directory(void **state) {
    (void)state;
    assert_false(ignored("*.log\n!keep.log\n", "keep.log", false));
    assert_true(ignored("!keep.log\n*.log\n", "keep.log", false));
    assert_true(ignored("logs/\n!logs/keep.log\n", "logs/keep.log", false));
}

static void rules_of_a_directory_speak_only_of_what_is_in_it(void **state) {
    (void)state;
    struct rt_ignore *g = rt_ignore_create();
    rt_ignore_add(g, "", "*.tmp\n");
    rt_ignore_add(g, "sub/", "/only\n!x.tmp\n");
    assert_true(rt_ignored(g, "sub/only", false));
    assert_false(rt_ignored(g, "only", false));
    assert_false(rt_ignored(g, "sub/x.tmp", false));
    assert_true(rt_ignored(g, "x.tmp", false));
    rt_ignore_destroy(g);
}

static void tells_a_directory_of_which_only_the_contents_are_left_out(void **state) {
    (void)state;
    struct rt_ignore *g = rt_ignore_create();
    rt_ignore_add(g, "", "build/\n__pycache__\n");
    assert_int_equal(rt_ignore_verdict(g, "build", true), RT_V_CONTENTS);
    assert_int_equal(rt_ignore_verdict(g, "a/__pycache__", true), RT_V_IGNORE);
    assert_int_equal(rt_ignore_verdict(g, "src", true), RT_V_NONE);
    assert_false(rt_ignores_all(g));
    rt_ignore_add(g, "", "*\n");
    assert_true(rt_ignores_all(g));
    rt_ignore_add(g, "", "!x\n");
    assert_false(rt_ignores_all(g));
    rt_ignore_destroy(g);
}

static void many_stars_do_not_cost_much(void **state) {
    (void)state;
    char path[2048], rule[512];
    for (size_t i = 0; i + 1 < sizeof(path); i++)
        path[i] = i % 40 == 39 ? '/' : 'a';
    path[sizeof(path) - 1] = '\0';
    size_t n = 0;
    for (int i = 0; i < 40; i++)
        n += (size_t)snprintf(rule + n, sizeof(rule) - n, "**/*a*a*/");
    snprintf(rule + n, sizeof(rule) - n, "b");
    assert_false(ignored(rule, path, false));
}

/* ---- git as the judge ---- */

static const char *const dirs[] = {"a",   "a/b",  "a/b/c",   "build",       "src",     "src/build",
                                   "x y", "deep", "deep/er", "deep/er/est", ".hidden", "foo.d"};
static const char *const files[] = {"f",           "f.txt",       "f.log",
                                    "keep.log",    "a/f.txt",     "a/f.log",
                                    "a/b/f.log",   "a/b/c/f.txt", "a/b/c/keep.log",
                                    "build/x",     "src/build/x", "src/m.py",
                                    "src/m.pyc",   "x y/z",       "x y/tail ",
                                    "#hash",       "!bang",       "deep/er/est/f.txt",
                                    "deep/er/ab",  "deep/er/a-b", "deep/er/a]b",
                                    "deep/er/aXb", "deep/er/a1b", ".hidden/f",
                                    ".env",        "foo.d/f",     "foo",
                                    "back\\slash", "q?",          "star*",
                                    "a/foo",       "UPPER.TXT"};
static const char *const rules[] = {"*.log",
                                    "*.log\n!keep.log",
                                    "!keep.log\n*.log",
                                    "/f.txt",
                                    "f.txt",
                                    "a/f.txt",
                                    "a/*",
                                    "a/*\n!a/b",
                                    "a/**",
                                    "a/**/f.log",
                                    "**/f.log",
                                    "**/build",
                                    "build/",
                                    "/build/",
                                    "build",
                                    "**/build/",
                                    "src/**/x",
                                    "src/build/x",
                                    "a/**/c",
                                    "a/**/c/",
                                    "**",
                                    "*",
                                    "*\n!*/\n!*.py",
                                    "/*\n!/src",
                                    "/*/",
                                    "*/\n",
                                    "!f",
                                    "\\#hash",
                                    "\\!bang",
                                    "#hash",
                                    "x y",
                                    "x\\ y",
                                    "tail\\ ",
                                    "tail ",
                                    "*tail*",
                                    "deep/er/a[!X]b",
                                    "deep/er/a[^X]b",
                                    "deep/er/a[]]b",
                                    "deep/er/a[]-]b",
                                    "deep/er/a[a-z1]b",
                                    "deep/er/a[[:digit:]]b",
                                    "deep/er/a[[:alpha:][:digit:]]b",
                                    "deep/er/a[",
                                    "deep/er/a?b",
                                    "deep/**/a?b",
                                    "deep/*/ab",
                                    ".*",
                                    ".*\n!.env",
                                    "?",
                                    "??",
                                    "f*",
                                    "*f",
                                    "*f*",
                                    "f**t",
                                    "a**b",
                                    "**a",
                                    "a/**/b/**/f*",
                                    "/**/f.txt",
                                    "/**",
                                    "**/",
                                    "foo*",
                                    "foo",
                                    "/foo",
                                    "foo/",
                                    "foo.d/*",
                                    "back\\\\slash",
                                    "q\\?",
                                    "star\\*",
                                    "*.TXT",
                                    "upper.txt",
                                    "[a-c]/f.txt",
                                    "[!a-c]/f.txt",
                                    "a/b/",
                                    "a/b/c/..",
                                    "./f",
                                    "f.txt/",
                                    "a//b",
                                    "/",
                                    "//",
                                    "!",
                                    "!/",
                                    "\\",
                                    "[",
                                    "[]",
                                    "[!]",
                                    "a/b/c/*.txt\r",
                                    "  f.txt",
                                    "*.log   ",
                                    "deep/**/*.txt\n!deep/er/est/f.txt",
                                    "deep/\n!deep/er/est/f.txt",
                                    "*/b",
                                    "*/*/c",
                                    "**/b/c",
                                    "**/*.pyc",
                                    "src/*.py[co]",
                                    "src/*.py[!c]",
                                    "[a?/.[z]",
                                    "/[afoo/[ab]",
                                    "[!x/]",
                                    "\xef\xbb\xbf*.log"};

static void run(const char *dir, const char *const argv[], const char *in, const char *out) {
    const pid_t pid = fork();
    if (pid == 0) {
        if (chdir(dir) != 0 || (in && !freopen(in, "r", stdin)) ||
            (out && !freopen(out, "w", stdout)) || !freopen("/dev/null", "w", stderr))
            _exit(127);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    int status = 0;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) != 127);
}

static void put(const char *dir, const char *name, const char *text) {
    struct rt_error err = {0};
    char *path = rt_path_join(dir, name);
    if (!rt_file_write(path, text, strlen(text), &err))
        fail_msg("%s", err.message);
    free(path);
}

/* The paths that every rule is asked about, as `git check-ignore --stdin -z` reads them. */
static void ask_for_all(const char *dir) {
    struct rt_buf b;
    struct rt_error err = {0};
    rt_buf_init(&b, 0);
    for (size_t i = 0; i < RT_COUNT(dirs); i++)
        rt_buf_add(&b, dirs[i], strlen(dirs[i]) + 1);
    for (size_t i = 0; i < RT_COUNT(files); i++)
        rt_buf_add(&b, files[i], strlen(files[i]) + 1);
    char *path = rt_path_join(dir, "../question");
    assert_true(rt_file_write(path, b.data, b.len, &err));
    free(path);
    rt_buf_deinit(&b);
}

/* Gives how many git ignores. */
static size_t assert_as_git(const char *dir, const char *rule) {
    size_t yes = 0;
    put(dir, ".gitignore", rule);
    static const char *const argv[] = {"git", "check-ignore", "--no-index", "-z", "--stdin", NULL};
    char *in = rt_path_join(dir, "../question"), *out = rt_path_join(dir, "../answer");
    run(dir, argv, in, out);
    struct rt_buf answer;
    struct rt_error err = {0};
    rt_buf_init(&answer, 0);
    assert_true(rt_file_read(out, RT_MIB, &answer, &err));
    for (size_t i = 0; i < RT_COUNT(dirs) + RT_COUNT(files); i++) {
        const bool is_dir = i < RT_COUNT(dirs);
        const char *path = is_dir ? dirs[i] : files[i - RT_COUNT(dirs)];
        const char *at = rt_buf_str(&answer), *end = at + answer.len;
        bool git = false;
        for (; at < end; at += strlen(at) + 1)
            git |= strcmp(at, path) == 0;
        yes += git;
        if (ignored(rule, path, is_dir) != git)
            fail_msg("rule \"%s\", path \"%s\": git says %s", rule, path, git ? "ignored" : "kept");
    }
    rt_buf_deinit(&answer);
    free(in);
    free(out);
    return yes;
}

static void judges_as_git_does(void **state) {
    (void)state;
    char top[] = "/tmp/rt-ignore-XXXXXX";
    assert_non_null(mkdtemp(top));
    char *dir = rt_path_join(top, "tree");
    struct rt_error err = {0};
    assert_true(rt_mkdirs(dir, &err));
    const char *const init[] = {"git", "init", "-q", ".", NULL};
    run(dir, init, NULL, NULL);
    if (!rt_dir_exists(dir)) {
        free(dir);
        skip();
    }
    for (size_t i = 0; i < RT_COUNT(files); i++)
        put(dir, files[i], "x");
    for (size_t i = 0; i < RT_COUNT(dirs); i++) {
        char *path = rt_path_join(dir, dirs[i]);
        assert_true(rt_mkdirs(path, &err));
        free(path);
    }
    ask_for_all(dir);
    size_t yes = 0;
    for (size_t i = 0; i < RT_COUNT(rules); i++)
        yes += assert_as_git(dir, rules[i]);
    assert_true(yes > 500); /* git was really asked */
    free(dir);
    assert_true(rt_remove_tree(top, &err));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_without_slash_is_meant_at_any_depth),
        cmocka_unit_test(a_trailing_slash_means_directories_only),
        cmocka_unit_test(the_last_rule_wins_but_nothing_returns_from_an_ignored_directory),
        cmocka_unit_test(rules_of_a_directory_speak_only_of_what_is_in_it),
        cmocka_unit_test(tells_a_directory_of_which_only_the_contents_are_left_out),
        cmocka_unit_test(many_stars_do_not_cost_much),
        cmocka_unit_test(judges_as_git_does),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
