#include "base/map.h"
#include "base/mem.h"
#include "unit/cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void *number(size_t n) {
    return (void *)(uintptr_t)n;
}

static void an_empty_map_has_nothing(void **state) {
    (void)state;
    struct rt_map m = {0};
    size_t it = 0;
    assert_null(rt_map_get(&m, "x"));
    assert_null(rt_map_remove(&m, "x"));
    assert_false(rt_map_next(&m, &it, NULL, NULL));
    rt_map_deinit(&m);
    rt_map_deinit(&m);
}

static void keys_are_copied_unless_borrowed(void **state) {
    (void)state;
    char key[] = "key";
    struct rt_map m;
    rt_map_init(&m, false);
    rt_map_set(&m, key, number(1));
    key[0] = 'x';
    assert_ptr_equal(rt_map_get(&m, "key"), number(1));
    rt_map_deinit(&m);

    rt_map_init(&m, true);
    rt_map_set(&m, key, number(2));
    const char *there = NULL;
    size_t it = 0;
    assert_true(rt_map_next(&m, &it, &there, NULL));
    assert_ptr_equal(there, key);
    rt_map_deinit(&m);
}

/* A long random walk against a plain array. */
static void agrees_with_a_table_over_many_changes(void **state) {
    (void)state;
    enum { KEYS = 300 };
    size_t value[KEYS] = {0}, live = 0;
    char key[16];
    struct rt_map m;
    rt_map_init(&m, false);
    unsigned random = 12345;
    for (size_t step = 1; step <= 60000; step++) {
        random = random * 1103515245u + 12345u;
        size_t k = (random >> 16) % KEYS;
        snprintf(key, sizeof key, "key%zu", k);
        assert_ptr_equal(rt_map_get(&m, key), number(value[k]));
        if ((random >> 8) % 2) {
            live += value[k] == 0;
            value[k] = step;
            rt_map_set(&m, key, number(step));
        } else {
            live -= value[k] != 0;
            assert_ptr_equal(rt_map_remove(&m, key), number(value[k]));
            value[k] = 0;
        }
        assert_int_equal(m.n, live);
    }
    size_t it = 0, seen = 0;
    const char *name;
    void *v;
    while (rt_map_next(&m, &it, &name, &v)) {
        assert_ptr_equal(v, number(value[strtoul(name + 3, NULL, 10)]));
        seen++;
    }
    assert_int_equal(seen, live);
    rt_map_deinit(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_map_has_nothing),
        cmocka_unit_test(keys_are_copied_unless_borrowed),
        cmocka_unit_test(agrees_with_a_table_over_many_changes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
