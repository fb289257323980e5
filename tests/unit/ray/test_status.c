/* The text of `ray status`, as three Rays and both autoscalers write it. */
#include "ray/client.h"
#include "unit/ray/recording.h"

static struct rt_ray_status parsed(const char *name) {
    json_t *v = recording_json(name);
    const char *text = rt_json_str(v, "data.clusterStatus");
    assert_non_null(text);
    struct rt_ray_status s;
    struct rt_error err = {0};
    assert_true(rt_ray_status_parse(text, strlen(text), &s, &err));
    json_decref(v);
    return s;
}

static const struct rt_pool *pool(const struct rt_ray_status *s, const char *name) {
    for (size_t i = 0; i < s->pools.n; i++)
        if (strcmp(s->pools.v[i].name, name) == 0)
            return &s->pools.v[i];
    fail_msg("no pool %s", name);
    return NULL;
}

static void reads_pools_of_the_first_autoscaler(void **state) {
    (void)state;
    struct rt_ray_status s = parsed("ray-2.60.0/autoscaler_v1_fmt_t4.json");
    assert_true(s.autoscaler && !s.autoscaler_v2);
    assert_int_equal(s.pools.n, 3);
    assert_int_equal(pool(&s, "ray.head.default")->ready, 1);
    assert_true(pool(&s, "ray.head.default")->head);
    assert_int_equal(pool(&s, "cpu_pool")->ready, 1);
    assert_int_equal(pool(&s, "cpu_pool")->pending, 1);
    assert_int_equal(pool(&s, "cpu_pool")->desired, 2);
    assert_string_equal(pool(&s, "cpu_pool")->why, "1 launching");
    assert_int_equal(pool(&s, "gpu_pool")->pending, 1);
    assert_string_equal(pool(&s, "gpu_pool")->why, "uninitialized");
    rt_ray_status_deinit(&s);
}

static void reads_demand_with_colons_in_its_bundles(void **state) {
    (void)state;
    struct rt_ray_status s = parsed("ray-2.60.0/cluster_status_demand_fmt.json");
    assert_false(s.autoscaler);
    assert_int_equal(s.pools.n, 0);
    assert_int_equal(s.demands.n, 4);
    assert_string_equal(s.demands.v[0].text, "{'CPU': 64.0}");
    assert_string_equal(s.demands.v[0].kind, "tasks/actors");
    assert_int_equal(s.demands.v[0].count, 3);
    assert_string_equal(s.demands.v[1].text, "{'CPU': 1.0, 'GPU': 1.0}");
    assert_string_equal(s.demands.v[3].text, "{'CPU': 40.0} * 2 (PACK)");
    assert_string_equal(s.demands.v[3].kind, "placement groups");
    rt_ray_status_deinit(&s);
}

static void counts_idle_nodes_of_the_second_autoscaler_as_ready(void **state) {
    (void)state;
    struct rt_ray_status s = parsed("launcher/autoscale-idle.cluster_status_format.json");
    assert_true(s.autoscaler && s.autoscaler_v2);
    assert_int_equal(pool(&s, "small")->ready, 1);
    assert_int_equal(pool(&s, "small")->pending, 1); /* its state is empty: "ID: small, " */
    assert_null(pool(&s, "small")->why);
    assert_int_equal(pool(&s, "ray.head.default")->ready, 1);
    rt_ray_status_deinit(&s);
}

static void leaves_single_nodes_out_of_the_pools(void **state) {
    (void)state;
    struct rt_ray_status s = parsed("ray-2.60.0/autoscaler_v2_fmt_t2.json");
    assert_true(s.autoscaler);
    assert_int_equal(s.pools.n, 2);
    assert_int_equal(pool(&s, "cpu_pool")->pending, 1);
    assert_int_equal(pool(&s, "gpu_pool")->pending, 1);
    assert_int_equal(s.demands.n, 4);
    rt_ray_status_deinit(&s);
}

static void reads_a_long_free_state(void **state) {
    (void)state;
    struct rt_ray_status s = parsed("ray-2.60.0/autoscaler_v2_fmt_t1.json");
    assert_int_equal(pool(&s, "ray.head.default")->pending, 1);
    assert_true(strstr(pool(&s, "ray.head.default")->why, "allocated unmanaged cloud instance") !=
                NULL);
    rt_ray_status_deinit(&s);
}

static void knows_that_the_first_report_is_not_there_yet(void **state) {
    (void)state;
    struct rt_ray_status s = parsed("ray-2.60.0/autoscaler_v1_fmt_t1.json");
    assert_false(s.autoscaler);
    assert_int_equal(s.pools.n + s.demands.n + s.failures.n, 0);
    rt_ray_status_deinit(&s);
}

static void reads_the_old_headers(void **state) {
    (void)state;
    struct rt_ray_status s = parsed("ray-2.9.3/cluster_status_format1.json");
    assert_false(s.autoscaler);
    assert_int_equal(s.demands.n, 0);
    rt_ray_status_deinit(&s);
    static const char text[] =
        "======== Autoscaler status: x ========\nActive:\n 1 head\nDemands:\n"
        " {'CPU': 2.0}: 1+ pending tasks/actors (1+ using placement groups)\n"
        " {'pool_b': 2.0}: 1 from request_resources()\n";
    struct rt_error err = {0};
    assert_true(rt_ray_status_parse(text, sizeof(text) - 1, &s, &err));
    assert_int_equal(s.demands.n, 2);
    assert_string_equal(s.demands.v[0].kind, "tasks/actors");
    assert_string_equal(s.demands.v[1].kind, "request_resources");
    rt_ray_status_deinit(&s);
}

static void counts_failures_per_pool(void **state) {
    (void)state;
    static const char text[] =
        "======== Autoscaler status: x ========\nActive:\n 1 cpu\nIdle:\n (no idle nodes)\n"
        "Pending:\n (no pending nodes)\nRecent failures:\n"
        " gpu: LaunchFailed (latest_attempt: 02:46:09)\n gpu: NodeTerminated (ip: 10.0.0.3)\n";
    struct rt_ray_status s;
    struct rt_error err = {0};
    assert_true(rt_ray_status_parse(text, sizeof(text) - 1, &s, &err));
    assert_int_equal(pool(&s, "gpu")->failed, 2);
    assert_int_equal(pool(&s, "gpu")->ready, 0);
    assert_int_equal(s.failures.n, 2);
    assert_string_equal(s.failures.v[1].text, "gpu: NodeTerminated (ip: 10.0.0.3)");
    assert_string_equal(s.failures.v[1].kind, "gpu");
    rt_ray_status_deinit(&s);
}

static void finds_the_status_below_other_output(void **state) {
    (void)state;
    char *text = recording("launcher/exec-ray-status.txt");
    struct rt_ray_status s;
    struct rt_error err = {0};
    assert_true(rt_ray_status_parse(text, strlen(text), &s, &err));
    assert_int_equal(pool(&s, "local.cluster.node")->ready, 1);
    rt_ray_status_deinit(&s);
    free(text);
}

static void refuses_what_is_no_status(void **state) {
    (void)state;
    struct rt_ray_status s;
    struct rt_error err = {0};
    assert_false(rt_ray_status_parse("<html>", 6, &s, &err));
    assert_int_equal(err.code, RT_E_PROTOCOL);
}

static void survives_every_cut_of_a_status(void **state) {
    (void)state;
    char *text = recording("launcher/autoscale-v1-scaled.status.txt");
    const size_t n = strlen(text);
    for (size_t i = 0; i <= n; i++) {
        struct rt_ray_status s;
        struct rt_error err = {0};
        char *cut = rt_strndup(text, i);
        if (rt_ray_status_parse(cut, i, &s, &err))
            rt_ray_status_deinit(&s);
        free(cut);
    }
    free(text);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_pools_of_the_first_autoscaler),
        cmocka_unit_test(reads_demand_with_colons_in_its_bundles),
        cmocka_unit_test(counts_idle_nodes_of_the_second_autoscaler_as_ready),
        cmocka_unit_test(leaves_single_nodes_out_of_the_pools),
        cmocka_unit_test(reads_a_long_free_state),
        cmocka_unit_test(knows_that_the_first_report_is_not_there_yet),
        cmocka_unit_test(reads_the_old_headers),
        cmocka_unit_test(counts_failures_per_pool),
        cmocka_unit_test(finds_the_status_below_other_output),
        cmocka_unit_test(refuses_what_is_no_status),
        cmocka_unit_test(survives_every_cut_of_a_status),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
