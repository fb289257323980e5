#include "ui/notices.h"

#include "base/buf.h"
#include "net/loop.h"
#include "unit/cmocka_all.h"
#include "unit/core/batch.h"

struct world {
    struct rt_store *store;
    struct rt_cluster *c;
    struct rt_notices *n;
    struct rt_buf said;
};

static void note(void *ctx, const char *text, bool bad) {
    rt_buf_addf(ctx, "%s%s\n", bad ? "! " : "", text);
}

static void make(struct world *w) {
    *w = (struct world){.store = rt_store_create()};
    rt_buf_init(&w->said, 0);
    w->n = rt_notices_create(w->store, note, &w->said);
    w->c = rt_store_add(w->store, "prod", "address");
}

static void end(struct world *w) {
    rt_notices_destroy(w->n);
    rt_store_destroy(w->store);
    rt_buf_deinit(&w->said);
}

static void jobs(struct world *w, int first, int second) {
    struct rt_job j[] = {job_of("one", first), job_of("two", second)};
    rt_jobs b = {0};
    batch_of(&b, j, 2);
    rt_store_put_jobs(w->store, w->c, &b);
}

static void says(struct world *w, const char *want) {
    assert_string_equal(rt_buf_str(&w->said), want);
    rt_buf_clear(&w->said);
}

static void only_jobs_that_ran_are_told_of_and_once(void **state) {
    struct world w;
    (void)state;
    make(&w);
    jobs(&w, RT_JOB_RUNNING, RT_JOB_SUCCEEDED);
    says(&w, "");
    jobs(&w, RT_JOB_SUCCEEDED, RT_JOB_SUCCEEDED);
    says(&w, "prod: job one ended: SUCCEEDED\n");
    jobs(&w, RT_JOB_SUCCEEDED, RT_JOB_RUNNING);
    says(&w, "");
    end(&w);
}

static void nodes(struct world *w, size_t dead, const char *why) {
    struct rt_node n[] = {node_of("a", "10.0.0.1", "x"), node_of("b", "10.0.0.2", "x"), node_of("c", "10.0.0.3", "x")};
    rt_nodes b = {0};
    for (size_t i = 0; i < dead; i++) {
        n[i].alive = false;
        n[i].state = "DEAD";
        n[i].state_message = why;
    }
    batch_of(&b, n, 3);
    rt_store_put_nodes(w->store, w->c, &b);
}

static void lost_nodes_are_told_together_and_wanted_ends_are_not(void **state) {
    struct world w;
    (void)state;
    make(&w);
    nodes(&w, 0, NULL);
    nodes(&w, 1, "Expected termination: asked for");
    says(&w, "");
    nodes(&w, 0, NULL);
    nodes(&w, 1, "health check failed");
    says(&w, "! prod: node 10.0.0.1 was lost: health check failed\n");
    nodes(&w, 0, NULL);
    nodes(&w, 3, "health check failed");
    says(&w, "! prod: 3 nodes were lost: health check failed\n");
    end(&w);
}

static void a_cluster_is_lost_and_back(void **state) {
    struct world w;
    (void)state;
    make(&w);
    rt_store_set_reach(w.store, w.c, RT_REACH_CONNECTING, NULL);
    rt_store_set_reach(w.store, w.c, RT_REACH_OK, NULL);
    says(&w, "");
    rt_store_set_reach(w.store, w.c, RT_REACH_LOST, "refused");
    says(&w, "! prod is unreachable: refused\n");
    rt_store_set_reach(w.store, w.c, RT_REACH_CONNECTING, NULL);
    rt_store_set_reach(w.store, w.c, RT_REACH_LOST, "refused again");
    says(&w, "");
    rt_store_set_reach(w.store, w.c, RT_REACH_OK, NULL);
    says(&w, "prod is back\n");
    rt_store_set_reach(w.store, w.c, RT_REACH_NONE, NULL);
    rt_store_set_reach(w.store, w.c, RT_REACH_LOST, "never reached");
    says(&w, "");
    rt_store_remove(w.store, "prod");
    end(&w);
}

static void a_cluster_that_failed_is_told_with_what_ended_it(void **state) {
    struct world w;
    (void)state;
    make(&w);
    rt_store_set_reach(w.store, w.c, RT_REACH_OK, NULL);
    rt_store_set_state(w.store, w.c, RT_CL_FAILED, "its head ended: killed");
    rt_store_set_reach(w.store, w.c, RT_REACH_LOST, "refused");
    says(&w, "! prod failed: its head ended: killed\n");
    end(&w);
}

static void what_is_told_to_come_or_to_end_is_not_lost(void **state) {
    struct world w;
    (void)state;
    make(&w);
    rt_store_set_state(w.store, w.c, RT_CL_STARTING, NULL);
    rt_store_set_reach(w.store, w.c, RT_REACH_LOST, "refused");
    rt_store_set_state(w.store, w.c, RT_CL_UP, NULL);
    rt_store_set_reach(w.store, w.c, RT_REACH_OK, NULL);
    rt_store_set_state(w.store, w.c, RT_CL_STOPPING, NULL);
    rt_store_set_reach(w.store, w.c, RT_REACH_LOST, "it is going down");
    rt_store_set_state(w.store, w.c, RT_CL_DOWN, NULL);
    says(&w, "");
    end(&w);
}

static void an_end_is_told_at_15_and_at_5_minutes(void **state) {
    struct world w;
    (void)state;
    make(&w);
    w.c->ends_at_ms = rt_wall_ms() + 3600 * 1000;
    rt_store_touch(w.store, w.c, RT_T_CLUSTER);
    says(&w, "");
    static const int left_s[] = {800, 280, 800};
    for (size_t i = 0; i < RT_COUNT(left_s); i++) {
        w.c->ends_at_ms = rt_wall_ms() + left_s[i] * 1000;
        rt_store_touch(w.store, w.c, RT_T_JOBS);
        assert_non_null(strstr(rt_buf_str(&w.said), "! prod ends in "));
        rt_buf_clear(&w.said);
        rt_store_touch(w.store, w.c, RT_T_CLUSTER);
        says(&w, "");
        if (i == 1) { /* kept alive: the next end is news */
            w.c->ends_at_ms = rt_wall_ms() + 3600 * 1000;
            rt_store_touch(w.store, w.c, RT_T_CLUSTER);
            says(&w, "");
        }
    }
    end(&w);
}

static void notify_is_words_or_a_command(void **state) {
    (void)state;
    assert_true(rt_notify_parse(NULL).toast);
    const struct rt_notify none = rt_notify_parse("none"), two = rt_notify_parse("bell, desktop"), line = rt_notify_parse("notify-send raytui");
    assert_false(none.toast || none.bell || none.desktop || none.command);
    assert_true(two.bell && two.desktop && !two.toast && !two.command);
    assert_string_equal(line.command, "notify-send raytui");
    assert_true(line.toast);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_jobs_that_ran_are_told_of_and_once),
        cmocka_unit_test(lost_nodes_are_told_together_and_wanted_ends_are_not),
        cmocka_unit_test(a_cluster_is_lost_and_back),
        cmocka_unit_test(a_cluster_that_failed_is_told_with_what_ended_it),
        cmocka_unit_test(what_is_told_to_come_or_to_end_is_not_lost),
        cmocka_unit_test(an_end_is_told_at_15_and_at_5_minutes),
        cmocka_unit_test(notify_is_words_or_a_command),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
