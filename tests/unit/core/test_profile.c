/* Collapsed stacks counted by place. */
#include "unit/cmocka_all.h"

#include "base/str.h"
#include "core/profile.h"
#include <string.h>

static void check(const char *stacks, const char *want) {
    struct rt_buf out;
    rt_buf_init(&out, 0);
    rt_profile_summary(&out, stacks, strlen(stacks));
    assert_string_equal(rt_buf_str(&out), want);
    rt_buf_deinit(&out);
}

static void the_hottest_place_stands_first(void **state) {
    (void)state;
    check("main (a.py:1);load (a.py:7) 20\nmain (a.py:1);work (b c.py:9) 70\r\nmain (a.py:1) 10\n",
          "100 samples, 3 stacks, 3 places\n\n   self    all  place\n"
          "  70.0%  70.0%  work (b c.py:9)\n  20.0%  20.0%  load (a.py:7)\n  10.0% 100.0%  main (a.py:1)\n");
}

static void recursion_counts_once(void **state) {
    (void)state;
    check("f;f;f 4\n", "4 samples, 1 stacks, 1 places\n\n   self    all  place\n 100.0% 100.0%  f\n");
}

static void lines_of_another_form_are_left_out(void **state) {
    (void)state;
    check("<svg>\nno number\n12\n 3\nf 0\nf -3\nf 99999999999999999999\n;; 2\nok 2", /* empty names are names */
          "4 samples, 2 stacks, 2 places\n\n   self    all  place\n  50.0%  50.0%  \n  50.0%  50.0%  ok\n");
    check("", "0 samples, 0 stacks, 0 places\n\n   self    all  place\n");
}

static void names_from_outside_are_made_harmless(void **state) {
    (void)state;
    struct rt_buf out;
    const char stacks[] = "\x1b]52;c;aGk=\x07" "f 1\n\xe2\x80\xae" "g 1\n";
    rt_buf_init(&out, 0);
    rt_profile_summary(&out, stacks, sizeof stacks - 1);
    assert_null(strchr(rt_buf_str(&out), '\x1b'));
    assert_null(strstr(rt_buf_str(&out), "\xe2\x80\xae"));
    rt_buf_deinit(&out);
}

static void a_stack_without_end_and_many_places_are_held_in_bounds(void **state) {
    (void)state;
    struct rt_buf in, out;
    rt_buf_init(&in, 0);
    rt_buf_init(&out, 0);
    for (int i = 0; i < 100000; i++)
        rt_buf_adds(&in, "x;");
    rt_buf_adds(&in, "y 1\n");
    for (int i = 0; i < 60; i++)
        rt_buf_addf(&in, "place%d 1\n", i);
    rt_profile_summary(&out, rt_buf_str(&in), in.len);
    assert_non_null(strstr(rt_buf_str(&out), "61 samples"));
    assert_non_null(strstr(rt_buf_str(&out), "and 21 more\n"));
    rt_buf_deinit(&in);
    rt_buf_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_hottest_place_stands_first),
        cmocka_unit_test(recursion_counts_once),
        cmocka_unit_test(lines_of_another_form_are_left_out),
        cmocka_unit_test(names_from_outside_are_made_harmless),
        cmocka_unit_test(a_stack_without_end_and_many_places_are_held_in_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
