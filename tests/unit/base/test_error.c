#include "base/error.h"
#include "base/str.h"
#include "unit/cmocka_all.h"
#include <string.h>

static void set_returns_false_and_clears_an_old_hint(void **state) {
    (void)state;
    struct rt_error err = {0};
    rt_error_hint(&err, "old");
    assert_false(rt_error_set(&err, RT_E_TIMEOUT, "no answer in %d s", 3));
    assert_int_equal(err.code, RT_E_TIMEOUT);
    assert_string_equal(err.message, "no answer in 3 s");
    assert_string_equal(err.hint, "");
}

static void wrap_puts_text_in_front_and_keeps_code_and_hint(void **state) {
    (void)state;
    struct rt_error err = {0};
    rt_error_set(&err, RT_E_PROTOCOL, "driver_info: unexpected integer");
    rt_error_hint(&err, "update");
    rt_error_wrap(&err, "job %d", 12);
    assert_false(rt_error_wrap(&err, "GET /api/jobs/"));
    assert_string_equal(err.message, "GET /api/jobs/: job 12: driver_info: unexpected integer");
    assert_int_equal(err.code, RT_E_PROTOCOL);
    assert_string_equal(err.hint, "update");
}

static void arguments_may_be_the_message_itself(void **state) {
    (void)state;
    struct rt_error err = {0};
    rt_error_set(&err, RT_E_IO, "inner");
    rt_error_set(&err, RT_E_IO, "outer (%s)", err.message);
    assert_string_equal(err.message, "outer (inner)");
    rt_error_wrap(&err, "%s", err.message);
    assert_string_equal(err.message, "outer (inner): outer (inner)");
}

static void a_long_message_is_cut_on_a_whole_character(void **state) {
    (void)state;
    struct rt_error err = {0};
    char text[2000] = "";
    for (int shift = 0; shift < 4; shift++) {
        memset(text, 'a', (size_t)shift);
        for (size_t i = (size_t)shift; i + 3 < sizeof text - 1; i += 3)
            memcpy(text + i, "\xe2\x82\xac", 4);
        rt_error_set(&err, RT_E_IO, "%s", text);
        assert_true(strlen(err.message) > sizeof err.message - 5);
        assert_true(rt_utf8_valid(err.message, strlen(err.message)));
        rt_error_wrap(&err, "%d", shift);
        assert_true(rt_utf8_valid(err.message, strlen(err.message)));
        rt_error_hint(&err, "%s", text);
        assert_true(rt_utf8_valid(err.hint, strlen(err.hint)));
    }
}

static void codes_have_words_and_exit_statuses(void **state) {
    (void)state;
    assert_string_equal(rt_code_name(RT_E_NOT_FOUND), "not_found");
    assert_string_equal(rt_code_name((enum rt_code)99), "internal");
    assert_int_equal(rt_code_exit(RT_OK), 0);
    assert_int_equal(rt_code_exit(RT_E_FAILED), 1);
    assert_int_equal(rt_code_exit(RT_E_UNREACHABLE), 3);
    assert_int_equal(rt_code_exit(RT_E_TIMEOUT), 3);
    assert_int_equal(rt_code_exit(RT_E_NOT_FOUND), 4);
    assert_int_equal(rt_code_exit(RT_E_DENIED), 5);
    assert_int_equal(rt_code_exit(RT_E_PARTIAL), 6);
    assert_int_equal(rt_code_exit(RT_E_USAGE), 64);
    assert_int_equal(rt_code_exit(RT_E_CONFIG), 78);
    for (int code = RT_OK; code <= RT_E_INTERNAL; code++)
        assert_true(rt_code_name((enum rt_code)code)[0] != '\0');
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(set_returns_false_and_clears_an_old_hint),
        cmocka_unit_test(wrap_puts_text_in_front_and_keeps_code_and_hint),
        cmocka_unit_test(arguments_may_be_the_message_itself),
        cmocka_unit_test(a_long_message_is_cut_on_a_whole_character),
        cmocka_unit_test(codes_have_words_and_exit_statuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
