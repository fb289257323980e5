#include "unit/cmocka_all.h"

#include "base/str.h"
#include "ui/wrap.h"
#include <string.h>

/* The lines, joined by |. */
static void assert_lines(const char *text, int cols, bool words, const char *want) {
    struct rt_buf b;
    rt_buf_init(&b, 0);
    size_t n = strlen(text), next = 0;
    for (const char *p = text; n; p += next, n -= next) {
        const size_t len = rt_wrap(p, n, cols, words, &next);
        assert_true(next > 0 && len <= next && next <= n);
        rt_buf_addf(&b, "%s%.*s", b.len ? "|" : "", (int)len, p);
    }
    assert_string_equal(rt_buf_str(&b), want);
    rt_buf_deinit(&b);
}

static void breaks_at_blanks(void **state) {
    (void)state;
    assert_lines("one two three", 8, true, "one two|three");
    assert_lines("one two three", 7, true, "one two|three");
    assert_lines("one two three", 3, true, "one|two|thr|ee");
}

static void a_word_longer_than_a_line_is_cut(void **state) {
    (void)state;
    assert_lines("abcdefghij k", 4, true, "abcd|efgh|ij k");
}

static void newlines_break_and_empty_lines_stay(void **state) {
    (void)state;
    assert_lines("a\n\nb", 10, true, "a||b");
}

static void without_words_every_column_is_used(void **state) {
    (void)state;
    assert_lines("one two three", 5, false, "one t|wo th|ree");
}

static void wide_characters_are_not_halved(void **state) {
    (void)state;
    assert_lines("日本語日本", 5, false, "日本|語日|本");
    assert_lines("日本", 1, false, "日|本"); /* one at least, or it would never end */
}

static void counts_what_it_draws(void **state) {
    (void)state;
    struct rt_surface s;
    rt_surface_init(&s);
    rt_surface_resize(&s, 10, 10);
    const char *text = "the quick brown fox\njumps";
    assert_int_equal(rt_wrap_count(text, 10), 3);
    assert_int_equal(rt_wrap_put(&s, (struct rt_rect){0, 0, 10, 10}, text, 0, (struct rt_look){-1, -1, 0}), 3);
    assert_int_equal(rt_wrap_put(&s, (struct rt_rect){0, 0, 1, 10}, text, 1, (struct rt_look){-1, -1, 0}), 1);
    assert_string_equal(rt_surface_cell(&s, 0, 0)->text, "b");
    rt_surface_deinit(&s);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(breaks_at_blanks),
        cmocka_unit_test(a_word_longer_than_a_line_is_cut),
        cmocka_unit_test(newlines_break_and_empty_lines_stay),
        cmocka_unit_test(without_words_every_column_is_used),
        cmocka_unit_test(wide_characters_are_not_halved),
        cmocka_unit_test(counts_what_it_draws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
