#include "world.h"
#include <string.h>

static struct world w;

static int make(void **state) {
    static const char *const args[] = {"--nodes", "12", "--jobs", "60", NULL};
    return world_setup(state, &w, args);
}

static void open_jobs(struct rt_pty *t, int rows, int cols, const char *const *env) {
    world_configure(&w, world_prod);
    world_start_prod(&w, t, rows, cols, env, "12 nodes");
    rt_pty_until(t, "needs", 10000); /* of the pending job, told by its supervisor */
}

static void jobs_at_80x24(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80, NULL);
    rt_pty_matches(&t, "jobs-80x24.golden");
    rt_pty_type(&t, "jj");
    rt_pty_matches(&t, "jobs-80x24-third.golden");
    world_leave(&t, ":q<Enter>");
}

static void jobs_at_120x36_with_the_rail(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 36, 120, NULL);
    rt_pty_matches(&t, "jobs-120x36.golden");
    rt_pty_type(&t, "d");
    rt_pty_until(&t, "job ", 2000);
    rt_pty_matches(&t, "job-detail-120x36.golden");
    world_leave(&t, ":q<Enter>");
}

static void three_columns_at_200x60(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 60, 200, NULL);
    rt_pty_type(&t, "d");
    rt_pty_matches(&t, "job-detail-200x60.golden");
    world_leave(&t, ":q<Enter>");
}

static void a_pending_job_says_why(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 120, NULL);
    rt_pty_type(&t, "w");
    rt_pty_until(&t, "could it ever?", 5000);
    rt_pty_until(&t, "at most 4 GPU is free", 5000);
    rt_pty_matches(&t, "why-job-120x24.golden");
    rt_pty_type(&t, "<Esc>");
    rt_pty_type(&t, ":why nothing-of-this-name<Enter>");
    rt_pty_until(&t, "no job, actor", 5000);
    world_leave(&t, ":q<Enter>");
}

static void the_least_size_is_20x5(void **state) {
    struct rt_pty t;
    static const char *const args[] = {"prod", NULL};
    (void)state;
    world_configure(&w, world_prod);
    world_start(&w, &t, 5, 20, args, NULL);
    rt_pty_until(&t, "RUN", 10000);
    rt_pty_matches(&t, "jobs-20x5.golden");
    rt_pty_resize(&t, 4, 20);
    rt_pty_until(&t, "needs 20x5", 3000);
    rt_pty_resize(&t, 24, 80);
    rt_pty_until(&t, "ENTRYPOINT", 3000);
    world_leave(&t, ":q<Enter>");
}

static void plain_characters_without_colours(void **state) {
    struct rt_pty t;
    static const char *const env[] = {"NO_COLOR=1", "LC_ALL=C", NULL};
    (void)state;
    open_jobs(&t, 24, 80, env);
    rt_pty_matches(&t, "jobs-ascii-mono.golden");
    world_leave(&t, ":q<Enter>");
}

static void nodes_pools_and_clusters(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80, NULL);
    rt_pty_type(&t, "3");
    rt_pty_until(&t, "alive", 3000);
    rt_pty_matches(&t, "nodes-80x24.golden");
    rt_pty_type(&t, "2");
    rt_pty_until(&t, "MIN..MAX", 3000);
    rt_pty_matches(&t, "pools-80x24.golden");
    rt_pty_type(&t, "1");
    rt_pty_until(&t, "CLUSTER", 3000);
    rt_pty_matches(&t, "clusters-80x24.golden");
    world_leave(&t, ":q<Enter>");
}

static void a_filter_is_typed_seen_kept_and_cleared(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80, NULL);
    rt_pty_type(&t, "/tune");
    rt_pty_until(&t, "of 60", 3000);
    rt_pty_type(&t, "<Enter>");
    rt_pty_until(&t, "</tune>", 3000);
    rt_pty_matches(&t, "jobs-filtered.golden");
    rt_pty_type(&t, "/nothing at all<Enter>");
    rt_pty_until(&t, "hides all 60", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "hides", 3000);
    rt_pty_type(&t, "!");
    rt_pty_until(&t, "<!>", 3000);
    assert_false(rt_pty_shows(&t, "SUCCEEDED"));
    world_leave(&t, ":q<Enter>");
}

static void marked_jobs_are_stopped_together_after_a_question(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80, NULL);
    rt_pty_type(&t, "<Space><Space><Space>");
    rt_pty_until(&t, "3 marked", 3000);
    rt_pty_matches(&t, "jobs-marked.golden");
    rt_pty_type(&t, "<^K>");
    rt_pty_until(&t, "top 3 jobs", 3000);
    rt_pty_matches(&t, "jobs-stop-question.golden");
    rt_pty_type(&t, "<Enter>"); /* alone it does nothing dangerous */
    rt_pty_until_gone(&t, "top 3 jobs", 3000);
    assert_true(rt_pty_shows(&t, "3 marked"));
    world_leave(&t, ":q<Enter>");
}

static void help_lists_the_keys_of_the_view(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80, NULL);
    rt_pty_type(&t, "?");
    rt_pty_until(&t, "KEYS in jobs", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "KEYS in jobs", 3000);
    world_leave(&t, ":q<Enter>");
}

static void an_id_is_copied_through_the_terminal(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80, NULL);
    rt_pty_type(&t, "c");
    rt_pty_until(&t, "copied: raysubmit_", 3000);
    assert_non_null(strstr(rt_buf_str(&t.bytes), "\x1b]52;c;cmF5c3VibWl0X")); /* "raysubmit_" */
    world_leave(&t, ":q<Enter>");
}

static void all_clusters_are_one_list(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 100, NULL);
    rt_pty_type(&t, ":all<Enter>");
    rt_pty_until(&t, "all clusters", 3000);
    rt_pty_until(&t, "CLUSTER", 3000);
    rt_pty_type(&t, ":all<Enter>");
    rt_pty_until_gone(&t, "all clusters", 3000);
    world_leave(&t, ":q<Enter>");
}

static void commands_are_completed_and_wrong_ones_explained(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80, NULL);
    rt_pty_type(&t, ":nods<Enter>");
    rt_pty_until(&t, "did you mean nodes?", 3000);
    rt_pty_type(&t, "<Esc>:nodes /gpu<Enter>");
    rt_pty_until(&t, "</gpu>", 3000);
    world_leave(&t, ":q<Enter>");
}

static void pasted_text_never_acts_as_keys(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80, NULL);
    rt_pty_send(&t, "\x1b[200~Q\r:q\r\x1b[201~", 17);
    rt_pty_type(&t, ":");
    rt_pty_send(&t, "\x1b[200~nodes\rq\x1b[201~", 19);
    rt_pty_until(&t, ":nodes q", 3000);
    rt_pty_type(&t, "<Esc>");
    world_leave(&t, ":q<Enter>");
}

static void nothing_is_written_while_nothing_changes(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80, NULL);
    rt_pty_settle(&t);
    const size_t before = t.bytes.len;
    for (int i = 0; i < 10; i++)
        rt_pty_settle(&t);
    assert_int_equal(t.bytes.len, before);
    world_leave(&t, ":q<Enter>");
}

static void a_lost_dashboard_keeps_its_rows_and_says_so(void **state) {
    struct rt_pty t;
    (void)state;
    open_jobs(&t, 24, 80, NULL);
    world_post(&w, "/_test/fault", "{\"mode\": \"reset\"}");
    rt_pty_until(&t, "unreachable", 20000);
    assert_true(rt_pty_shows(&t, "RUNNING"));
    world_post(&w, "/_test/fault", "{\"mode\": \"none\"}");
    rt_pty_type(&t, "<^R>");
    rt_pty_until(&t, "up", 20000);
    world_leave(&t, ":q<Enter>");
}

static void the_first_run_says_what_there_is_and_which_keys(void **state) {
    struct rt_pty t;
    (void)state;
    world_configure(&w, NULL);
    world_start(&w, &t, 24, 80, NULL, NULL);
    rt_pty_until(&t, "Nothing is configured yet", 5000);
    rt_pty_until(&t, "start a Ray cluster here", 5000);
    world_leave(&t, ":q<Enter>");
}

static void wrong_configuration_is_told_and_the_rest_works(void **state) {
    struct rt_pty t;
    (void)state;
    world_configure(&w, "clusters:\n  bad: {provider: addres, url: \"x\"}\n  prod: {provider: address, url: \"http://127.0.0.1:%s\"}\n");
    world_start(&w, &t, 24, 80, NULL, NULL);
    rt_pty_until(&t, "config.yaml:2:", 5000);
    rt_pty_until(&t, "12", 10000);
    world_leave(&t, ":q<Enter>");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(jobs_at_80x24),
        cmocka_unit_test(jobs_at_120x36_with_the_rail),
        cmocka_unit_test(three_columns_at_200x60),
        cmocka_unit_test(a_pending_job_says_why),
        cmocka_unit_test(the_least_size_is_20x5),
        cmocka_unit_test(plain_characters_without_colours),
        cmocka_unit_test(nodes_pools_and_clusters),
        cmocka_unit_test(a_filter_is_typed_seen_kept_and_cleared),
        cmocka_unit_test(marked_jobs_are_stopped_together_after_a_question),
        cmocka_unit_test(help_lists_the_keys_of_the_view),
        cmocka_unit_test(an_id_is_copied_through_the_terminal),
        cmocka_unit_test(all_clusters_are_one_list),
        cmocka_unit_test(commands_are_completed_and_wrong_ones_explained),
        cmocka_unit_test(pasted_text_never_acts_as_keys),
        cmocka_unit_test(nothing_is_written_while_nothing_changes),
        cmocka_unit_test(a_lost_dashboard_keeps_its_rows_and_says_so),
        cmocka_unit_test(the_first_run_says_what_there_is_and_which_keys),
        cmocka_unit_test(wrong_configuration_is_told_and_the_rest_works),
    };
    return cmocka_run_group_tests(tests, make, world_teardown);
}
