#include "base/shell.h"
#include "base/str.h"
#include "unit/cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const nasty[] = {
    "plain",
    "",
    " ",
    "a b",
    "it's",
    "\"",
    "\\",
    "a\\b",
    "!",
    "!!",
    "$HOME",
    "`id`",
    "$(id)",
    "*",
    "~",
    "~root",
    "A=b",
    "--x=y",
    "--x=y z",
    "-",
    "--",
    ";",
    "a&b",
    "|",
    "<>",
    "#",
    "\n",
    "a\nb\n",
    "\t",
    "'''",
    "'\\''",
    "{a,b}",
    "[x]",
    "?",
    "^",
    "\xc3\xa4\xf0\x9f\x98\x80",
    "\xff",
    "a\x01"
    "b",
    "%s",
    "@x",
    "(",
    NULL,
};

static void simple_words_stay_readable(void **state) {
    (void)state;
    const char *words[] = {"ray", "start", "--num-cpus=4", "/a/b.c", "user@host:22", NULL};
    char *line = rt_shell_join(words);
    assert_string_equal(line, "ray start --num-cpus=4 /a/b.c user@host:22");
    free(line);
}

static void an_assignment_is_quoted(void **state) {
    (void)state;
    const char *words[] = {"A=b", "it's", NULL};
    char *line = rt_shell_join(words);
    assert_string_equal(line, "'A=b' 'it'\\''s'");
    free(line);
}

static void our_own_splitter_reads_every_word_back(void **state) {
    (void)state;
    char *line = rt_shell_join(nasty);
    struct rt_strs words = {0};
    struct rt_error err = {0};
    assert_true(rt_split_words(line, &words, &err));
    for (size_t i = 0; nasty[i]; i++)
        assert_string_equal(words.v[i], nasty[i]);
    assert_int_equal(words.n, RT_COUNT(nasty) - 1);
    rt_strs_deinit(&words);
    free(line);
}

/* Every word printed by a shell, each followed by ";\n", must come back as it was. */
static void a_shell_reads_every_word_back(const char *shell) {
    struct rt_buf inner, outer, want, got;
    rt_buf_init(&inner, 0);
    rt_buf_init(&outer, 0);
    rt_buf_init(&want, 0);
    rt_buf_init(&got, 0);
    rt_buf_adds(&inner, "printf '%s;\\n' ");
    rt_shell_words(&inner, nasty);
    const char *command[] = {shell, "-c", rt_buf_str(&inner), NULL};
    rt_shell_words(&outer, command);
    for (size_t i = 0; nasty[i]; i++)
        rt_buf_addf(&want, "%s;\n", nasty[i]);

    FILE *p = popen(rt_buf_str(&outer), "r");
    assert_non_null(p);
    char chunk[512];
    for (size_t n; (n = fread(chunk, 1, sizeof chunk, p)) > 0;)
        rt_buf_add(&got, chunk, n);
    assert_int_equal(pclose(p), 0);
    assert_string_equal(rt_buf_str(&got), rt_buf_str(&want));
    rt_buf_deinit(&inner);
    rt_buf_deinit(&outer);
    rt_buf_deinit(&want);
    rt_buf_deinit(&got);
}

static void sh_reads_every_word_back(void **state) {
    (void)state;
    a_shell_reads_every_word_back("/bin/sh");
}

static void bash_reads_every_word_back(void **state) {
    (void)state;
    a_shell_reads_every_word_back("bash");
}

static void what_was_quoted_in_pieces_is_read_in_one(void **state) {
    (void)state;
    static const struct {
        const char *line, *readable;
    } cases[] = {
        {"python train.py --lr 3", "python train.py --lr 3"},
        {"python -c 'print('\\''hi'\\'')'", "python -c \"print('hi')\""},
        {"python -c 'print(\"it'\"'\"'s\")'", "python -c \"print(\\\"it's\\\")\""},
        {"printf 'a'\\\\'n' x", "printf 'a\\n' x"},
        {"echo 'wow'\\!", "echo 'wow!'"},
        {"echo 'it'\\''s $HOME'", "echo 'it'\\''s $HOME'"},
        {"echo 'a'\"$HOME\"'b'  'c d'", "echo 'a'\"$HOME\"'b'  'c d'"},
        {"echo x'a'\\''b'", "echo x'a'\\''b'"},
        {"echo 'no end", "echo 'no end"},
        {"echo \\", "echo \\"},
        {"", ""},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct rt_buf out;
        rt_buf_init(&out, 0);
        rt_shell_readable(&out, cases[i].line);
        assert_string_equal(rt_buf_str(&out), cases[i].readable);
        rt_buf_deinit(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(simple_words_stay_readable),
        cmocka_unit_test(an_assignment_is_quoted),
        cmocka_unit_test(our_own_splitter_reads_every_word_back),
        cmocka_unit_test(what_was_quoted_in_pieces_is_read_in_one),
        cmocka_unit_test(sh_reads_every_word_back),
        cmocka_unit_test(bash_reads_every_word_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
