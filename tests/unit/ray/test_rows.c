/* Lists that are asked only while somebody looks, from recordings to the lines of their tables. */
#include "core/store.h"
#include "core/table.h"
#include "unit/ray/dashboard.h"

static struct dashboard d;
static bool done;
static struct rt_error failed;
static struct rt_store *store;
static struct rt_cluster *cluster;

static void got_rows(void *ctx, struct rt_rows *b, const struct rt_error *err) {
    const enum rt_topic *t = ctx;
    failed = err ? *err : (struct rt_error){0};
    if (!err)
        rt_store_put_rows(store, cluster, *t, b);
    done = true;
}

static void ask(enum rt_topic topic, const struct route *routes, size_t n) {
    done = false;
    store = rt_store_create();
    cluster = rt_store_add(store, "test", "address");
    dashboard_open(&d, routes, n);
    rt_ray_rows(d.ray, topic, got_rows, &topic);
    dashboard_wait(&d, &done);
}

static void end(void) {
    dashboard_close(&d);
    rt_store_destroy(store);
}

/* A cell of a row as a person reads it. */
static void assert_cell(const struct rt_table *t, size_t row, const char *column, const char *expected) {
    const struct rt_row_env env = {.store = store, .cluster = cluster, .now_ms = 1795230700000};
    struct rt_buf out;
    rt_buf_init(&out, 0);
    for (const struct rt_column *c = t->columns; c->id; c++)
        if (rt_streq(c->id, column))
            c->text(&out, t->at(&env, row), &env);
    assert_string_equal(rt_buf_str(&out), expected);
    rt_buf_deinit(&out);
}

static json_t *json_of(const struct rt_table *t, size_t row) {
    const struct rt_row_env env = {.store = store, .cluster = cluster, .now_ms = 1795230700000};
    return t->json(t->at(&env, row), &env, false);
}

static void tasks_are_asked_by_state_and_show_the_last_line_of_their_error(void **state) {
    (void)state;
    static const struct route routes[] = {
        {"GET", "/api/v0/tasks?detail=1&limit=500&filter_keys=state&filter_predicates=%3D&filter_values=FAILED",
         .fixture = "ray-2.60.0/tasks_detail.json"},
        {"GET", "/api/v0/tasks", .text = "{\"result\":true,\"data\":{\"result\":{\"total\":0,\"result\":[]}}}"},
    };
    ask(RT_T_TASKS, routes, RT_COUNT(routes));
    assert_int_equal(failed.code, RT_OK);
    assert_int_equal(d.asked.n, 4); /* RUNNING, two that wait, FAILED: never all of them */
    for (size_t i = 0; i < d.asked.n; i++)
        assert_non_null(strstr(d.asked.v[i], "filter_values="));
    assert_int_equal(cluster->lists[RT_T_TASKS].n, 1);
    assert_cell(&rt_table_tasks, 0, "name", "bad");
    assert_cell(&rt_table_tasks, 0, "resources", "CPU 1");
    json_t *v = json_of(&rt_table_tasks, 0);
    assert_string_equal(json_string_value(json_object_get(v, "state")), "FAILED");
    json_decref(v);
    end();
}

static void equal_bundles_of_a_placement_group_are_counted(void **state) {
    (void)state;
    static const struct route routes[] = {{"GET", "/api/v0/placement_groups", .fixture = "ray-2.60.0/pgs_busy.json"}};
    ask(RT_T_PGS, routes, RT_COUNT(routes));
    assert_int_equal(cluster->lists[RT_T_PGS].n, 2);
    assert_cell(&rt_table_pgs, 0, "bundles", "{CPU 40} x 2");
    assert_cell(&rt_table_pgs, 0, "why", "needs 40 CPU");
    assert_cell(&rt_table_pgs, 1, "why", "-");
    end();
}

static void events_that_complain_need_attention(void **state) {
    (void)state;
    static const struct route routes[] = {{"GET", "/api/v0/cluster_events", .fixture = "ray-2.60.0/autoscaler_v1_events.json"}};
    const struct rt_row_env env = {.now_ms = 0};
    size_t bad = 0;
    ask(RT_T_EVENTS, routes, RT_COUNT(routes));
    const struct rt_rows *b = &cluster->lists[RT_T_EVENTS];
    assert_int_equal(b->n, 6);
    for (size_t i = 0; i < b->n; i++)
        bad += rt_table_events.attention((const struct rt_cluster_event *)b->v + i, &env);
    assert_true(bad > 0 && bad < b->n);
    end();
}

static void what_the_autoscaler_repeats_is_one_row(void **state) {
    (void)state;
    static const struct route routes[] = {
        {"GET", "/api/v0/cluster_events",
         .text = "{\"result\": true, \"data\": {\"result\": {\"total\": 4, \"num_after_truncation\": 4, \"num_filtered\": 4, \"result\": ["
                 "{\"event_id\": \"a\", \"severity\": \"WARNING\", \"source_type\": \"AUTOSCALER\", \"message\": \"No room\", \"time\": \"2026-11-21 10:00:05\"},"
                 "{\"event_id\": \"b\", \"severity\": \"INFO\", \"source_type\": \"AUTOSCALER\", \"message\": \"No room\", \"time\": \"2026-11-21 10:00:07\"},"
                 "{\"event_id\": \"c\", \"severity\": \"WARNING\", \"source_type\": \"AUTOSCALER\", \"message\": \"No room\", \"time\": \"2026-11-21 10:00:09\"},"
                 "{\"event_id\": \"d\", \"severity\": \"WARNING\", \"source_type\": \"AUTOSCALER\", \"message\": \"No room\", \"time\": \"2026-11-21 10:00:01\"}"
                 "]}}}"}};
    ask(RT_T_EVENTS, routes, RT_COUNT(routes));
    const struct rt_rows *b = &cluster->lists[RT_T_EVENTS];
    assert_int_equal(b->n, 2);
    assert_int_equal(b->total, 2);
    assert_string_equal(rt_table_events.id(b->v), "a"); /* it keeps its place while it is repeated */
    assert_cell(&rt_table_events, 0, "message", "3× No room");
    assert_cell(&rt_table_events, 0, "time", "2026-11-21 10:00:09");
    assert_cell(&rt_table_events, 1, "message", "No room");
    json_t *v = json_of(&rt_table_events, 0);
    assert_int_equal(json_integer_value(json_object_get(v, "times")), 3);
    json_decref(v);
    end();
}

static void a_runtime_environment_hides_its_secrets(void **state) {
    (void)state;
    static const struct route routes[] = {{"GET", "/api/v0/runtime_envs", .fixture = "ray-2.60.0/runtime_envs.json"}};
    ask(RT_T_ENVS, routes, RT_COUNT(routes));
    assert_int_equal(cluster->lists[RT_T_ENVS].n, 1);
    assert_cell(&rt_table_envs, 0, "state", "FAILED");
    assert_cell(&rt_table_envs, 0, "creation", "2s");
    json_t *v = json_of(&rt_table_envs, 0);
    char *text = json_dumps(v, 0);
    assert_non_null(strstr(text, "\"RAY_worker_niceness\": \"***\""));
    free(text);
    json_decref(v);
    end();
}

static void workers_survive_numbers_past_64_bits(void **state) {
    (void)state;
    static const struct route routes[] = {{"GET", "/api/v0/workers", .fixture = "ray-2.60.0/workers_detail.json"}};
    ask(RT_T_WORKERS, routes, RT_COUNT(routes));
    assert_int_equal(failed.code, RT_OK);
    assert_int_equal(cluster->lists[RT_T_WORKERS].left_out, 0);
    assert_cell(&rt_table_workers, 0, "state", "ALIVE");
    assert_cell(&rt_table_workers, 1, "why", "Shutdown by ray.shutdown().");
    end();
}

static void an_application_stands_before_its_deployments(void **state) {
    (void)state;
    static const struct route routes[] = {{"GET", "/api/serve/applications/", .fixture = "ray-2.60.0/serve_running.json"}};
    ask(RT_T_SERVE, routes, RT_COUNT(routes));
    assert_true(cluster->lists[RT_T_SERVE].n >= 2);
    assert_cell(&rt_table_serve, 0, "name", "app1");
    assert_cell(&rt_table_serve, 0, "status", "RUNNING");
    const struct rt_serve *deployment = (const struct rt_serve *)cluster->lists[RT_T_SERVE].v + 1;
    assert_string_equal(deployment->app, "app1");
    assert_non_null(deployment->deployment);
    assert_true(deployment->wanted >= 1);
    const struct rt_serve *replica = deployment + 1;
    assert_string_equal(replica->id, "app1/Hello/k289jw84");
    assert_string_equal(replica->log_file, "serve/replica_app1_Hello_k289jw84.log");
    assert_string_equal(replica->log_node, replica->node_id);
    assert_string_equal(deployment->log_file, "serve/controller_402.log");
    assert_string_equal((deployment - 1)->log_node, "7f6f1bbb969f874aaddc8f44e1b3c08f27823502fe32ca6dd24780fa");
    assert_int_equal(replica->pid, 495);
    assert_cell(&rt_table_serve, 2, "name", "    k289jw84");
    assert_cell(&rt_table_serve, 2, "status", "RUNNING");
    assert_true(rt_table_serve.columns[0].order(deployment, replica) < 0);
    assert_true(rt_table_serve.columns[0].order(deployment - 1, replica) < 0);
    end();
}

static void resources_come_in_one_order_whatever_order_ray_gave(void **state) {
    (void)state;
    static const struct route tasks[] = {{"GET", "/api/v0/tasks", .text =
        "{\"result\": true, \"data\": {\"result\": {\"result\": [{\"task_id\": \"t1\", \"state\": \"RUNNING\", \"required_resources\": "
        "{\"zeta\": 1.0, \"alpha\": 1.0, \"memory\": 1073741824.0, \"GPU\": 1.0, \"CPU\": 2.0}}]}}}"}};
    static const struct route groups[] = {{"GET", "/api/v0/placement_groups", .text =
        "{\"result\": true, \"data\": {\"result\": {\"result\": [{\"placement_group_id\": \"p1\", \"state\": \"PENDING\", \"bundles\": "
        "[{\"unit_resources\": {\"zeta\": 1.0, \"CPU\": 2.0}}]}]}}}"}};
    ask(RT_T_TASKS, tasks, RT_COUNT(tasks));
    const struct rt_resources *l = &((const struct rt_task *)cluster->lists[RT_T_TASKS].v)->resources;
    static const char *const wanted[] = {"CPU", "GPU", "memory", "alpha", "zeta"};
    assert_int_equal(l->n, 5);
    for (size_t i = 0; i < l->n; i++)
        assert_string_equal(l->v[i].name, wanted[i]);
    end();
    ask(RT_T_PGS, groups, RT_COUNT(groups));
    assert_cell(&rt_table_pgs, 0, "bundles", "{CPU 2, zeta 1}");
    end();
}

static void what_is_inside_of_a_placement_group_needs_what_it_asked_for(void **state) {
    (void)state;
    static const struct route tasks[] = {{"GET", "/api/v0/tasks", .text =
        "{\"result\": true, \"data\": {\"result\": {\"result\": [{\"task_id\": \"t1\", \"state\": \"RUNNING\", \"required_resources\": "
        "{\"bundle_group_0123456789abcdef0123456789abcdef0100\": 0.001, \"CPU_group_0_0123456789abcdef0123456789abcdef0100\": 0.5, "
        "\"my_group_x\": 1.0, \"CPU_group_0123456789abcdef0123456789abcdef0100\": 0.5}}]}}}"}};
    ask(RT_T_TASKS, tasks, RT_COUNT(tasks));
    assert_cell(&rt_table_tasks, 0, "resources", "CPU 0.5, my_group_x 1");
    end();
}

static void a_list_that_ray_itself_cut_says_so(void **state) {
    (void)state;
    static const struct route routes[] = {{"GET", "/api/v0/workers", .text =
        "{\"result\": true, \"msg\": \"\", \"data\": {\"result\": {\"total\": 12345, \"num_after_truncation\": 10000, \"num_filtered\": 9999, "
        "\"result\": [{\"worker_id\": \"w1\", \"pid\": 7, \"is_alive\": true}], \"partial_failure_warning\": \"\", \"warnings\": null}}}"}};
    ask(RT_T_WORKERS, routes, RT_COUNT(routes));
    assert_int_equal(failed.code, RT_OK);
    assert_int_equal(cluster->lists[RT_T_WORKERS].n, 1);
    assert_int_equal(cluster->lists[RT_T_WORKERS].total, 9999);
    assert_string_equal(cluster->lists[RT_T_WORKERS].note, "Ray itself keeps 10000 of 12345");
    end();
}

static void a_head_without_the_packages_of_serve_has_no_applications(void **state) {
    (void)state;
    static const struct route routes[] = {{"GET", "/api/serve/applications/", .status = 501, .type = "text/plain",
                                           .text = "Serve dependencies are not installed. Please run `pip install \"ray[serve]\"`."}};
    ask(RT_T_SERVE, routes, RT_COUNT(routes));
    assert_int_equal(failed.code, RT_OK);
    assert_int_equal(cluster->lists[RT_T_SERVE].n, 0);
    assert_string_equal(cluster->lists[RT_T_SERVE].note, "Serve dependencies are not installed. Please run `pip install \"ray[serve]\"`.");
    end();
}

static void what_cannot_be_had_says_why(void **state) {
    (void)state;
    static const struct route routes[] = {
        {"GET", "/api/serve/applications/", .status = 404, .type = "text/plain", .text = "404: Not Found"},
        {"GET", "/api/v0/cluster_events", .status = 500, .type = "text/plain", .text = "500 Internal Server Error"},
    };
    ask(RT_T_SERVE, routes, RT_COUNT(routes));
    assert_int_equal(failed.code, RT_E_UNSUPPORTED);
    assert_non_null(strstr(failed.message, "this Ray has no GET /api/serve/applications/"));
    end();
    ask(RT_T_EVENTS, routes, RT_COUNT(routes));
    assert_int_equal(failed.code, RT_E_REMOTE);
    end();
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tasks_are_asked_by_state_and_show_the_last_line_of_their_error),
        cmocka_unit_test(equal_bundles_of_a_placement_group_are_counted),
        cmocka_unit_test(events_that_complain_need_attention),
        cmocka_unit_test(what_the_autoscaler_repeats_is_one_row),
        cmocka_unit_test(a_runtime_environment_hides_its_secrets),
        cmocka_unit_test(workers_survive_numbers_past_64_bits),
        cmocka_unit_test(an_application_stands_before_its_deployments),
        cmocka_unit_test(resources_come_in_one_order_whatever_order_ray_gave),
        cmocka_unit_test(what_is_inside_of_a_placement_group_needs_what_it_asked_for),
        cmocka_unit_test(a_list_that_ray_itself_cut_says_so),
        cmocka_unit_test(a_head_without_the_packages_of_serve_has_no_applications),
        cmocka_unit_test(what_cannot_be_had_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
