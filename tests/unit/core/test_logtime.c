#include "unit/cmocka_all.h"

#include "core/logbuf.h"
#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t at(const char *raw) {
    return rt_log_time(raw, strlen(raw));
}

static int zone(void **state) {
    (void)state;
    setenv("TZ", "XST-3", 1); /* three hours east, without summer time */
    setenv("RAYTUI_NOW_MS", "1795597200000", 1); /* 2026-11-25T09:00:00Z */
    tzset();
    return 0;
}

static void a_time_with_a_zone_is_taken_as_it_is(void **state) {
    (void)state;
    assert_int_equal(at("2026-11-20T10:00:00Z x"), 1795168800000);
    assert_int_equal(at("2026-11-20T10:00:00.123456789Z stdout F x"), 1795168800123);
    assert_int_equal(at("2026-11-20T10:00:00.5+02:00 x"), 1795161600500);
    assert_int_equal(at("2026-11-20 10:00:00-0130 x"), 1795174200000);
}

static void a_time_without_a_zone_is_local(void **state) {
    (void)state;
    const int64_t want = 1795158000123; /* 07:00 UTC */
    assert_int_equal(at("2026-11-20 10:00:00,123\tINFO worker.py:42 -- x"), want);
    assert_int_equal(at("[2026-11-20 10:00:00,123 I 12 34] (raylet) x"), want);
    assert_int_equal(at("(train pid=12, ip=10.0.0.1) 2026-11-20 10:00:00,123 x"), want);
    assert_int_equal(at("\x1b[36m(train pid=12)\x1b[0m 2026-11-20 10:00:00.123 x"), want);
    assert_int_equal(at("INFO 2026-11-20 10:00:00,123 serve 12 x.py:1 - y"), want);
    assert_int_equal(at("{\"asctime\": \"2026-11-20 10:00:00,123\", \"levelname\": \"INFO\"}"), want);
    assert_int_equal(at("2026/11/20 10:00:00.123 x"), want);
}

static void a_date_without_a_year_is_the_last_such_date(void **state) {
    (void)state;
    assert_int_equal(at("I1120 10:00:00.123456 12 file.cc:1] x"), 1795158000123);
    assert_int_equal(at("INFO 11-20 10:00:00 [api.py:1] x"), 1795158000000);
    assert_int_equal(at("Nov 20 10:00:00 host sshd: x"), 1795158000000);
    assert_int_equal(at("Nov  2 10:00:00 host sshd: x"), 1793602800000);
    assert_int_equal(at("E1220 10:00:00.000000 12 file.cc:1] x"), 1766214000000); /* 2025 */
}

static void seconds_since_the_epoch_count_at_the_start(void **state) {
    (void)state;
    assert_int_equal(at("1795168800 x"), 1795168800000);
    assert_int_equal(at("1795168800.25 x"), 1795168800250);
    assert_int_equal(at("[1795168800123] x"), 1795168800123);
    assert_int_equal(at("17951688001234567 x"), -1);
    assert_int_equal(at("line 1795168800"), -1);
    assert_int_equal(at("1795168800_1"), -1);
}

static void other_lines_have_none(void **state) {
    (void)state;
    assert_int_equal(at(""), -1);
    assert_int_equal(at("hello"), -1);
    assert_int_equal(at("2026-13-20 10:00:00"), -1);
    assert_int_equal(at("2026-11-20 25:00:00"), -1);
    assert_int_equal(at("2026-11-20"), -1);
    assert_int_equal(at("10:00:00"), -1);
    assert_int_equal(at("x2026-11-20 10:00:00"), -1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_time_with_a_zone_is_taken_as_it_is),
        cmocka_unit_test(a_time_without_a_zone_is_local),
        cmocka_unit_test(a_date_without_a_year_is_the_last_such_date),
        cmocka_unit_test(seconds_since_the_epoch_count_at_the_start),
        cmocka_unit_test(other_lines_have_none),
    };
    return cmocka_run_group_tests(tests, zone, NULL);
}
