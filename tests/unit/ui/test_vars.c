#include "ui/vars.h"
#include "unit/cmocka_all.h"
#include <string.h>

static const struct rt_var vars[] = {
    {"CLUSTER", "prod", "cluster"},
    {"JOB_ID", "a'b $(touch /tmp/x)", "job"},
    {"JOB", "never", "job"},
    {"POOL", NULL, "pool"},
    {0},
};

static void gives(const char *line, bool program, const char *want) {
    struct rt_error err = {0};
    struct rt_buf out;
    rt_buf_init(&out, 0);
    assert_true(rt_vars_expand(&out, line, vars, program, &err));
    assert_string_equal(rt_buf_str(&out), want);
    rt_buf_deinit(&out);
}

#define QUOTED "'a'\\''b $(touch /tmp/x)'"

static void a_variable_becomes_one_quoted_word(void **state) {
    (void)state;
    gives("stop $JOB_ID --cluster $CLUSTER", false, "stop " QUOTED " --cluster prod");
    gives("stop ${JOB_ID}x", false, "stop " QUOTED "x");
    gives("echo $JOB_ID", true, "echo " QUOTED);
}

static void only_whole_names_are_variables(void **state) {
    (void)state;
    gives("$CLUSTERS $CLUSTER_X ${CLUSTERS} $ $$ ${", false, "$CLUSTERS $CLUSTER_X ${CLUSTERS} $ $$ ${");
    gives("\\$CLUSTER $HOME", true, "\\$CLUSTER $HOME");
}

static void quotes_of_the_person_are_kept(void **state) {
    (void)state;
    gives("'$CLUSTER' \"it's $JOB_ID\"", false, "'$CLUSTER' \"it's \"" QUOTED "\"\"");
    /* The shell itself puts the value between double quotes, and reads it no further. */
    gives("echo \"$JOB_ID\" $CLUSTER", true, "echo \"$JOB_ID\" prod");
}

static void where_a_shell_nests_it_takes_the_value_itself(void **state) {
    static const char *const lines[] = {
        "echo \"$(grep \"$JOB_ID\" f)\"", "echo `x $JOB_ID`", "cat <<E\n$JOB_ID\nE", "x # \"\necho \"$JOB_ID\"", "echo ${X:-\"$JOB_ID\"}",
        "echo $'a\\'$JOB_ID'",
    };
    (void)state;
    for (size_t i = 0; i < RT_COUNT(lines); i++)
        gives(lines[i], true, lines[i]);
}

static void a_variable_without_a_value_is_an_error_that_names_it(void **state) {
    struct rt_error err = {0};
    struct rt_buf out;
    (void)state;
    rt_buf_init(&out, 0);
    assert_false(rt_vars_expand(&out, "x $POOL", vars, false, &err));
    assert_string_equal(err.message, "$POOL: no pool is selected");
    assert_int_equal(err.code, RT_E_USAGE);
    rt_buf_deinit(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_variable_becomes_one_quoted_word),
        cmocka_unit_test(only_whole_names_are_variables),
        cmocka_unit_test(quotes_of_the_person_are_kept),
        cmocka_unit_test(where_a_shell_nests_it_takes_the_value_itself),
        cmocka_unit_test(a_variable_without_a_value_is_an_error_that_names_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
