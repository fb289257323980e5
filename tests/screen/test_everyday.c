/* What people do in their first hour: keys of other tools, misspelt words, places that are not there. */
#include "world.h"

#include "base/fs.h"
#include "base/mem.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static struct world w;

static int make(void **state) {
    static const char *const args[] = {"--nodes", "6", "--jobs", "8", "--actors", "3", NULL};
    return world_setup(state, &w, args);
}

static void open_prod(struct rt_pty *t) {
    world_configure(&w, world_prod);
    world_start_prod(&w, t, 24, 80, NULL, "6 nodes");
}

/* How often the text stands in a row. */
static int times(struct rt_pty *t, int row, const char *text) {
    struct rt_buf line;
    int n = 0;
    rt_buf_init(&line, 0);
    rt_pty_row(t, row, &line);
    for (const char *s = rt_buf_str(&line); (s = strstr(s, text)); s += strlen(text))
        n++;
    rt_buf_deinit(&line);
    return n;
}

static void each_pane_names_the_key_of_the_help(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t);
    for (const char *key = "1235689@04"; *key; key++) {
        const char typed[] = {*key, '\0'};
        rt_pty_type(&t, typed);
        rt_pty_settle(&t);
        if (times(&t, 23, "? help") != 1)
            fail_msg("after %c there is no \"? help\"", *key);
    }
    world_leave(&t, ":q<Enter>");
}

static void forwards_are_switched_on_where_they_are_listed(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t);
    rt_pty_type(&t, "9");
    rt_pty_until(&t, "no forwards - t opens those of the cluster", 5000);
    rt_pty_type(&t, "t");
    rt_pty_until(&t, "direct", 10000);
    rt_pty_type(&t, "0");
    rt_pty_until(&t, "all clusters", 5000);
    assert_int_equal(times(&t, 3, "CLUSTER"), 1);
    rt_pty_type(&t, "t");
    rt_pty_until(&t, "no forwards", 10000);
    world_leave(&t, ":q<Enter>");
}

static void a_long_error_is_read_to_its_end(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t);
    rt_pty_type(&t, ":theme nosuch<Enter>");
    rt_pty_until(&t, "mono", 3000); /* the last of all themes, on a row of its own */
    assert_int_equal(times(&t, 22, "no theme nosuch"), 1);
    assert_int_equal(times(&t, 23, "Esc"), 1);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until(&t, "? help", 3000);
    world_leave(&t, ":q<Enter>");
}

static void nothing_is_saved_where_no_directory_is(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t);
    char line[200];
    snprintf(line, sizeof line, ":w %s/nowhere/list.txt<Enter>", w.dir);
    rt_pty_type(&t, line);
    rt_pty_until(&t, "cannot write", 3000);
    snprintf(line, sizeof line, "%s/nowhere", w.dir);
    assert_int_not_equal(access(line, F_OK), 0);
    rt_pty_type(&t, "<Esc>");
    world_leave(&t, ":q<Enter>");
}

static void a_word_that_resembles_nothing_suggests_nothing(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t);
    rt_pty_type(&t, ":foo<Enter>");
    rt_pty_until(&t, "no command foo - ? lists them", 3000);
    rt_pty_type(&t, "<Esc>:thme<Enter>");
    rt_pty_until(&t, "did you mean theme?", 3000);
    rt_pty_type(&t, "<Esc>");
    world_leave(&t, ":q<Enter>");
}

static void a_usage_is_told_as_it_is_typed_here(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t);
    rt_pty_type(&t, ":scale<Enter>");
    rt_pty_until(&t, "usage: :scale ", 3000);
    rt_pty_type(&t, "<Esc>:theme<Enter>");
    rt_pty_until(&t, "usage: :theme NAME", 3000);
    rt_pty_type(&t, "<Esc>");
    world_leave(&t, ":q<Enter>");
}

static void what_was_not_found_is_not_ticked_off(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t);
    rt_pty_type(&t, "d");
    rt_pty_until(&t, "entrypoint", 3000);
    rt_pty_type(&t, "/nosuchword<Enter>");
    rt_pty_until(&t, "· not found: nosuchword", 3000);
    world_leave(&t, ":q<Enter>");
}

static void a_verb_without_its_words_opens_its_form(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t);
    rt_pty_type(&t, ":submit<Enter>");
    rt_pty_until(&t, "submit to prod", 3000);
    rt_pty_type(&t, "python -c \"import x<Tab>");
    rt_pty_until(&t, "a quote (\") is not closed", 5000);
    rt_pty_type(&t, "<Esc>y");
    rt_pty_until_gone(&t, "submit to prod", 3000);
    world_leave(&t, ":q<Enter>");
}

static void how_often_is_asked_can_be_set(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t);
    rt_pty_type(&t, ":set refresh=0<Enter>");
    rt_pty_until(&t, "not between 1s and 1h", 3000);
    rt_pty_type(&t, "<Esc>:set refresh=5<Enter>");
    rt_pty_until(&t, "asks every 5s", 3000);
    rt_pty_type(&t, ":set speed=5<Enter>");
    rt_pty_until(&t, "refresh=5s", 3000);
    rt_pty_type(&t, "<Esc>");
    world_leave(&t, ":q<Enter>");
}

static void seven_lists_the_logs_of_the_head(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t);
    rt_pty_type(&t, "7");
    rt_pty_until(&t, "logs of node node-000", 5000);
    rt_pty_type(&t, "<Esc>");
    world_leave(&t, ":q<Enter>");
}

static void the_dashboard_opens_where_one_stands(void **state) {
    struct rt_pty t;
    struct rt_buf said;
    struct rt_error err = {0};
    (void)state;
    world_configure(&w, world_prod);
    char *program = rt_strf("%s/browser", w.dir), *file = rt_strf("%s/asked", w.dir), *variable = rt_strf("BROWSER=%s", program);
    char *text = rt_strf("#!/bin/sh\nprintf %%s \"$1\" >%s.new && mv %s.new %s\n", file, file, file);
    assert_true(rt_file_write(program, text, strlen(text), &err));
    assert_int_equal(chmod(program, 0700), 0);
    const char *const env[] = {variable, NULL};
    world_start_prod(&w, &t, 24, 80, env, "6 nodes");
    rt_pty_type(&t, "3");
    rt_pty_until(&t, "node-003", 5000);
    rt_pty_type(&t, "o");
    rt_pty_until(&t, "the dashboard of prod opens", 5000);
    while (access(file, R_OK) != 0)
        usleep(10000);
    rt_buf_init(&said, 0);
    assert_true(rt_file_read(file, 0, &said, &err));
    assert_non_null(strstr(rt_buf_str(&said), "/#/cluster/nodes/"));
    rt_buf_deinit(&said);
    rt_pty_type(&t, "X");
    rt_pty_until(&t, ":exec prod ", 3000);
    rt_pty_type(&t, "<Esc>");
    world_leave(&t, ":q<Enter>");
    free(text);
    free(variable);
    free(file);
    free(program);
}

static void nobody_is_offered_a_shell_where_only_a_url_is_known(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t);
    rt_pty_type(&t, "3");
    rt_pty_until(&t, "node-003", 5000);
    rt_pty_settle(&t);
    assert_int_equal(times(&t, 23, "s shell"), 0);
    rt_pty_type(&t, "s");
    rt_pty_until(&t, "there is no way to a shell", 5000);
    world_leave(&t, "<Esc>:q<Enter>");
}

static void columns_are_measured_anew_when_a_cluster_s_name_stands_in_front(void **state) {
    struct rt_pty t;
    struct rt_buf before, after;
    (void)state;
    open_prod(&t);
    rt_pty_type(&t, "3");
    rt_pty_until(&t, "node-003", 5000);
    rt_pty_settle(&t);
    rt_buf_init(&before, 0);
    rt_buf_init(&after, 0);
    rt_pty_row(&t, 3, &before);
    rt_pty_type(&t, "0");
    rt_pty_until(&t, "all clusters", 5000);
    rt_pty_type(&t, "0");
    rt_pty_until_gone(&t, "all clusters", 5000);
    rt_pty_settle(&t);
    rt_pty_row(&t, 3, &after);
    assert_string_equal(rt_buf_str(&before), rt_buf_str(&after));
    rt_buf_deinit(&before);
    rt_buf_deinit(&after);
    world_leave(&t, ":q<Enter>");
}

static void what_runs_is_cancelled_after_a_question(void **state) {
    struct rt_pty t;
    struct rt_error err = {0};
    static const char sleeper[] = "#!/bin/sh\nexec sleep 60\n";
    (void)state;
    char *program = rt_strf("%s/slow-ray", w.dir);
    char *config = rt_strf("%s  slow: {provider: local, ray_command: %s, cpus: 1}\n", world_prod, program);
    assert_true(rt_file_write(program, sleeper, sizeof sleeper - 1, &err));
    assert_int_equal(chmod(program, 0700), 0);
    world_configure(&w, config);
    world_start_prod(&w, &t, 24, 80, NULL, "6 nodes");
    rt_pty_type(&t, ":up slow<Enter>");
    rt_pty_until(&t, "Bring slow up?", 5000);
    rt_pty_type(&t, "y@");
    rt_pty_until(&t, "1 running @", 60000);
    rt_pty_type(&t, "<^K>");
    rt_pty_until(&t, "Cancel: bring slow up?", 5000);
    rt_pty_until(&t, "What it has made until now is taken away again.", 5000);
    rt_pty_type(&t, "n");
    rt_pty_until(&t, "1 running @", 60000);
    rt_pty_type(&t, "<^K>y");
    rt_pty_until(&t, "cancelled", 60000);
    world_leave(&t, ":q<Enter>");
    free(config);
    free(program);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_pane_names_the_key_of_the_help),
        cmocka_unit_test(forwards_are_switched_on_where_they_are_listed),
        cmocka_unit_test(a_long_error_is_read_to_its_end),
        cmocka_unit_test(nothing_is_saved_where_no_directory_is),
        cmocka_unit_test(a_word_that_resembles_nothing_suggests_nothing),
        cmocka_unit_test(a_usage_is_told_as_it_is_typed_here),
        cmocka_unit_test(what_was_not_found_is_not_ticked_off),
        cmocka_unit_test(a_verb_without_its_words_opens_its_form),
        cmocka_unit_test(how_often_is_asked_can_be_set),
        cmocka_unit_test(seven_lists_the_logs_of_the_head),
        cmocka_unit_test(the_dashboard_opens_where_one_stands),
        cmocka_unit_test(nobody_is_offered_a_shell_where_only_a_url_is_known),
        cmocka_unit_test(columns_are_measured_anew_when_a_cluster_s_name_stands_in_front),
        cmocka_unit_test(what_runs_is_cancelled_after_a_question),
    };
    return cmocka_run_group_tests(tests, make, world_teardown);
}
