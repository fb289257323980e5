/* The line by which nodes are drained. */
#include "providers/drain.h"
#include "unit/cmocka_all.h"
#include <stdlib.h>
#include <string.h>

static void each_node_is_named_as_one_word_and_the_end_is_known(void **state) {
    struct rt_strs ids = {0};
    (void)state;
    rt_strs_add(&ids, "abc0");
    rt_strs_add(&ids, "x; touch /tmp/y");
    char *line = drain_line(&ids, 60);
    assert_non_null(strstr(line, "--node-id abc0 "));
    assert_non_null(strstr(line, "--node-id 'x; touch /tmp/y' "));
    assert_non_null(strstr(line, "--deadline-remaining-seconds 60 "));
    assert_true(drain_taken("Ray says something\nraytui: it is drained\n"));
    assert_false(drain_taken("Draining request rejected\n"));
    assert_false(drain_taken(NULL));
    free(line);
    rt_strs_deinit(&ids);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_node_is_named_as_one_word_and_the_end_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
