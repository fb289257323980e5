/* The pages of all clusters, of all nodes, of one node, and the tree. */
#include "world.h"

static struct world w;

static int make(void **state) {
    static const char *const args[] = {"--nodes", "40", "--dead", "2", "--jobs", "20", "--actors", "30", "--autoscaler", "--demand", NULL};
    return world_setup(state, &w, args);
}

static void open_prod(struct rt_pty *t, int rows, int cols, const char *const *env) {
    world_configure(&w, world_prod);
    world_start_prod(&w, t, rows, cols, env, "38 nodes");
}

static void all_clusters_with_the_selected_one_beside(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t, 60, 200, NULL);
    rt_pty_type(&t, "10j");
    rt_pty_until(&t, "height is CPU", 5000);
    rt_pty_until(&t, "asked for and not there", 5000);
    rt_pty_matches(&t, "pulse-200x60.golden");
    rt_pty_resize(&t, 24, 80);
    rt_pty_until_gone(&t, "height is CPU", 3000);
    rt_pty_matches(&t, "pulse-80x24.golden");
    world_leave(&t, ":q<Enter>");
}

static void the_heat_map_is_walked_and_opens_a_node(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t, 24, 80, NULL);
    rt_pty_type(&t, ":heat<Enter>");
    rt_pty_until(&t, "height is cpu", 3000);
    rt_pty_type(&t, "jll");
    rt_pty_matches(&t, "heat-80x24.golden");
    rt_pty_type(&t, "m");
    rt_pty_until(&t, "height is memory", 3000);
    rt_pty_type(&t, "<Enter>");
    rt_pty_until(&t, "network in", 5000);
    rt_pty_matches(&t, "node-80x24.golden");
    rt_pty_type(&t, "G");
    rt_pty_until(&t, "log files", 5000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until(&t, "height is memory", 3000);
    world_leave(&t, ":q<Enter>");
}

static void each_gpu_of_a_node_has_its_bar(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t, 60, 100, NULL);
    rt_pty_type(&t, ":nodes<Enter>");
    rt_pty_until(&t, "node-001", 10000);
    rt_pty_type(&t, "/node-003<Enter>");
    rt_pty_until(&t, "1 of 40", 5000);
    rt_pty_type(&t, "<Enter>");
    rt_pty_until(&t, "NVIDIA H100", 20000);
    static const char *const rows[] = {"gpu 0", "39%  39.1G/79.6G  NVIDIA H100", "gpu 7", "88%  39.1G/79.6G  NVIDIA H100", "disk", "network out", "processes of Ray"};
    for (size_t i = 0; i < RT_COUNT(rows); i++)
        rt_pty_until(&t, rows[i], 5000);
    world_leave(&t, ":q<Enter>");
}

static void plain_characters_draw_the_heat_as_digits(void **state) {
    struct rt_pty t;
    static const char *const env[] = {"NO_COLOR=1", "LC_ALL=C", NULL};
    (void)state;
    open_prod(&t, 24, 80, env);
    rt_pty_type(&t, ":heat<Enter>");
    rt_pty_until(&t, "height is cpu", 3000);
    rt_pty_matches(&t, "heat-ascii-mono.golden");
    world_leave(&t, ":q<Enter>");
}

static void the_tree_folds(void **state) {
    struct rt_pty t;
    (void)state;
    open_prod(&t, 24, 80, NULL);
    rt_pty_type(&t, "x");
    rt_pty_until(&t, "actors", 5000);
    rt_pty_matches(&t, "tree-80x24.golden");
    rt_pty_type(&t, "h");
    rt_pty_until_gone(&t, "pool_", 3000);
    rt_pty_type(&t, "l");
    rt_pty_until(&t, "node", 3000);
    world_leave(&t, ":q<Enter>");
}

static void a_command_of_ones_own_asks_and_knows_what_is_selected(void **state) {
    struct rt_pty t;
    static const char *const args[] = {"prod", NULL};
    static const char config[] = "clusters:\n  prod: {provider: address, url: \"http://127.0.0.1:%s\"}\n"
                                 "commands:\n  tell: {command: \"!>echo job $JOB_ID on $CLUSTER\", confirm: true}\n"
                                 "  end: {command: \"stop $JOB_ID\", writes: true}\n";
    (void)state;
    world_configure(&w, config);
    world_start(&w, &t, 24, 80, args, NULL);
    rt_pty_until(&t, "RUNNING", 10000);
    rt_pty_type(&t, ":tell<Enter>");
    rt_pty_until(&t, "Run tell?", 3000);
    rt_pty_type(&t, "y");
    rt_pty_until(&t, "on prod", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_type(&t, "3:end<Enter>");
    rt_pty_until(&t, "no job is selected", 3000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "no job is selected", 3000);
    world_leave(&t, ":q<Enter>");
}

static void a_command_of_ones_own_that_writes_is_refused_where_one_only_reads(void **state) {
    struct rt_pty t;
    static const char *const args[] = {"prod", NULL};
    static const char config[] = "clusters:\n  prod: {provider: address, readonly: true, url: \"http://127.0.0.1:%s\"}\n"
                                 "commands:\n  end: {command: \"stop $JOB_ID\", writes: true}\n  tell: \"!>echo told of $JOB_ID\"\n"
                                 "hotkeys: {jobs: {Z: tell, B: {command: end, writes: true}}}\n";
    (void)state;
    world_configure(&w, config);
    world_start(&w, &t, 24, 80, args, NULL);
    rt_pty_until(&t, "RUNNING", 10000);
    rt_pty_type(&t, ":end<Enter>");
    rt_pty_until(&t, "end: read-only", 5000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "end: read-only", 5000);
    rt_pty_type(&t, "B");
    rt_pty_until(&t, ": read-only", 5000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, ": read-only", 5000);
    rt_pty_type(&t, "Z");
    rt_pty_until(&t, "told of ", 5000);
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "told of ", 5000);
    world_leave(&t, ":q<Enter>");
}

static void what_was_asked_about_is_what_runs(void **state) {
    struct rt_pty t;
    static const char *const args[] = {"prod", NULL};
    static const char config[] = "clusters:\n  prod: {provider: address, url: \"http://127.0.0.1:%s\"}\n"
                                 "commands:\n  tell: {command: \"!>echo told of $JOB_ID\", confirm: true}\n";
    (void)state;
    world_configure(&w, config);
    world_start(&w, &t, 24, 80, args, NULL);
    rt_pty_until(&t, "RUNNING", 10000);
    rt_pty_type(&t, "/tune<Enter>:tell<Enter>");
    rt_pty_until(&t, "Run tell?", 3000);
    rt_pty_until(&t, "echo told of raysubmit_", 3000);
    world_post(&w, "/_test/restart", "{}"); /* the rows go, and another one comes */
    world_post(&w, "/api/jobs/", "{\"entrypoint\": \"tune\", \"submission_id\": \"quite-another\"}");
    rt_pty_until(&t, "quite", 30000);
    rt_pty_type(&t, "y");
    rt_pty_until(&t, "told of raysubmit_", 5000);
    rt_pty_until_gone(&t, "Run tell?", 5000);
    assert_false(rt_pty_shows(&t, "told of quite"));
    rt_pty_type(&t, "<Esc>");
    rt_pty_until_gone(&t, "told of", 5000);
    world_leave(&t, ":q<Enter>");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(all_clusters_with_the_selected_one_beside),
        cmocka_unit_test(the_heat_map_is_walked_and_opens_a_node),
        cmocka_unit_test(each_gpu_of_a_node_has_its_bar),
        cmocka_unit_test(plain_characters_draw_the_heat_as_digits),
        cmocka_unit_test(the_tree_folds),
        cmocka_unit_test(a_command_of_ones_own_asks_and_knows_what_is_selected),
        cmocka_unit_test(a_command_of_ones_own_that_writes_is_refused_where_one_only_reads),
        cmocka_unit_test(what_was_asked_about_is_what_runs),
    };
    return cmocka_run_group_tests(tests, make, world_teardown);
}
