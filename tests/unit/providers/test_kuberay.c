/* What is read off RayClusters and pods as a real API server sends them, and the patches that are sent back. */
#include "providers/kuberay.h"
#include "unit/cmocka_all.h"
#include <stdio.h>

static json_t *fixture(const char *name) {
    json_error_t err;
    char *path = rt_strf("%s/kuberay/%s", RT_FIXTURES, name);
    json_t *v = json_load_file(path, 0, &err);
    if (!v)
        fail_msg("%s: %s", path, err.text);
    free(path);
    return v;
}

static json_t *read_cluster(const char *name, struct kcluster *out) {
    struct rt_error err = {0};
    json_t *v = fixture(name);
    if (!kuberay_decode_cluster(v, out, &err))
        fail_msg("%s: %s", name, err.message);
    return v;
}

/* ---- decoders ---- */

static void a_ready_cluster_has_its_groups(void **state) {
    (void)state;
    struct kcluster c;
    json_t *v = read_cluster("raycluster-ready.json", &c);
    assert_string_equal(c.name, "demo");
    assert_string_equal(c.space, "default");
    assert_string_equal(c.version, "2.52.0");
    assert_string_equal(c.head_service, "demo-head-svc");
    assert_true(c.head_ready);
    assert_false(c.suspended || c.suspend || c.autoscaler || c.deleting || c.token_auth);
    assert_int_equal(c.generation, c.observed);
    assert_int_equal(c.ngroups, 2);
    const struct kgroup *gpu = kuberay_group(&c, "gpu"), *small = kuberay_group(&c, "small");
    assert_non_null(gpu);
    assert_int_equal(gpu->wanted, 1);
    assert_int_equal(gpu->max, 4);
    assert_true(gpu->gpu == 1 && gpu->cpu == 8 && gpu->memory_bytes == 32.0 * 1024 * 1024 * 1024);
    assert_int_equal(small->wanted, 2);
    assert_null(kuberay_group(&c, "none"));
    kuberay_cluster_deinit(&c);
    json_decref(v);
}

static void a_suspended_one_wants_nothing(void **state) {
    (void)state;
    struct kcluster c;
    json_t *v = read_cluster("raycluster-suspended.json", &c);
    assert_true(c.suspend && c.suspended && !c.suspending);
    for (size_t i = 0; i < c.ngroups; i++)
        assert_int_equal(c.groups[i].wanted, 0);
    kuberay_cluster_deinit(&c);
    json_decref(v);
    v = read_cluster("raycluster-suspending.json", &c);
    assert_true(c.suspending && !c.suspended);
    kuberay_cluster_deinit(&c);
    json_decref(v);
}

static void one_that_was_just_made_has_no_status_yet(void **state) {
    (void)state;
    struct kcluster c;
    json_t *v = read_cluster("raycluster-provisioning.json", &c);
    const bool head = c.head_ready;
    kuberay_cluster_deinit(&c);
    json_object_del(v, "status");
    struct rt_error err;
    assert_true(head);
    assert_true(kuberay_decode_cluster(v, &c, &err));
    assert_string_equal(c.head_service, "real-head-svc");
    assert_false(c.head_ready);
    assert_int_equal(c.observed, 0);
    kuberay_cluster_deinit(&c);
    json_decref(v);
}

static void workers_that_were_told_to_go_and_an_autoscaler_are_seen(void **state) {
    (void)state;
    struct kcluster c;
    json_t *v = read_cluster("raycluster-workers-to-delete.json", &c);
    size_t named = 0;
    for (size_t i = 0; i < c.ngroups; i++)
        named += c.groups[i].to_delete.n;
    assert_true(named > 0);
    kuberay_cluster_deinit(&c);
    json_decref(v);
    v = read_cluster("raycluster-autoscaling.json", &c);
    assert_true(c.autoscaler);
    kuberay_cluster_deinit(&c);
    json_decref(v);
}

static void replicas_are_what_the_limits_make_of_them(void **state) {
    (void)state;
    static const struct {
        int64_t replicas, min, max, hosts, wanted;
    } cases[] = {{9, 0, 5, 1, 5}, {-3, 1, 5, 1, 1}, {2, 0, 5, 4, 8}, {3, 5, 4, 1, 4}, {2, 0, 2147483647, 1, 2}};
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct kcluster c;
        struct rt_error err;
        json_t *v = json_pack("{s:{s:s}, s:{s:[{s:s, s:I, s:I, s:I, s:I}]}}", "metadata", "name", "x", "spec", "workerGroupSpecs", "groupName",
                              "g", "replicas", (json_int_t)cases[i].replicas, "minReplicas", (json_int_t)cases[i].min, "maxReplicas",
                              (json_int_t)cases[i].max, "numOfHosts", (json_int_t)cases[i].hosts);
        assert_true(kuberay_decode_cluster(v, &c, &err));
        assert_int_equal(c.groups[0].wanted, cases[i].wanted);
        assert_int_equal(c.groups[0].max, cases[i].max == 2147483647 ? -1 : cases[i].max);
        kuberay_cluster_deinit(&c);
        json_decref(v);
    }
}

static void a_token_is_in_the_secret_of_its_name(void **state) {
    (void)state;
    struct kcluster c;
    struct rt_error err;
    json_t *v = json_pack("{s:{s:s}, s:{s:{s:s}}}", "metadata", "name", "x", "spec", "authOptions", "mode", "token");
    assert_true(kuberay_decode_cluster(v, &c, &err));
    assert_true(c.token_auth);
    assert_string_equal(c.token_secret, "x");
    kuberay_cluster_deinit(&c);
    json_decref(v);
}

static void what_is_no_cluster_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"[]", "{}", "{\"metadata\":{}}", "{\"metadata\":{\"name\":3},\"spec\":{}}",
                                        "{\"metadata\":{\"name\":\"x\"},\"spec\":7}"};
    for (size_t i = 0; i < RT_COUNT(texts); i++) {
        struct kcluster c;
        struct rt_error err;
        json_t *v = json_loads(texts[i], 0, NULL);
        assert_false(kuberay_decode_cluster(v, &c, &err));
        json_decref(v);
    }
}

static char *why_of(const char *file, const char *name_part, struct kpod *pod) {
    json_t *list = fixture(file), *items = json_object_get(list, "items"), *v = NULL;
    size_t i = 0;
    char *why = NULL;
    struct rt_error err;
    if (!items)
        items = json_incref(json_pack("[O]", list)); /* one pod */
    json_array_foreach(items, i, v) {
        if (!strstr(rt_json_str(v, "metadata.name"), name_part))
            continue;
        assert_true(kuberay_decode_pod(v, pod, &err));
        why = rt_strdup(pod->why ? pod->why : "");
        break;
    }
    json_decref(list);
    assert_non_null(why);
    return why;
}

static void a_pod_says_why_it_waits(void **state) {
    (void)state;
    struct kpod pod;
    char *why = why_of("pods-unschedulable.json", "qfmjs", &pod);
    assert_true(strncmp(why, "Unschedulable: 0/2 nodes are available", 38) == 0);
    assert_false(pod.ready || pod.running || pod.head);
    assert_string_equal(pod.group, "gpu");
    kuberay_pod_deinit(&pod);
    free(why);
    why = why_of("pods-ready.json", "head", &pod);
    assert_true(pod.head && pod.ready && pod.ip && pod.created_ms > 0);
    assert_string_equal(why, "");
    kuberay_pod_deinit(&pod);
    free(why);
}

static void images_crashes_and_the_wait_for_the_head_have_their_words(void **state) {
    (void)state;
    static const struct {
        const char *status, *why;
    } cases[] = {
        {"{\"phase\":\"Pending\",\"containerStatuses\":[{\"name\":\"ray\",\"state\":{\"waiting\":{\"reason\":\"ImagePullBackOff\","
         "\"message\":\"Back-off pulling image x\"}}}]}",
         "ImagePullBackOff: Back-off pulling image x"},
        {"{\"phase\":\"Failed\",\"containerStatuses\":[{\"name\":\"ray\",\"state\":{\"terminated\":{\"reason\":\"OOMKilled\",\"exitCode\":137}}}]}",
         "ray ended: OOMKilled, exit code 137"},
        {"{\"phase\":\"Pending\",\"initContainerStatuses\":[{\"name\":\"wait-gcs-ready\",\"state\":{\"running\":{}}}],"
         "\"containerStatuses\":[{\"name\":\"ray\",\"state\":{\"waiting\":{\"reason\":\"PodInitializing\"}}}]}",
         "waits for the head"},
        {"{\"phase\":\"Failed\",\"reason\":\"Evicted\",\"message\":\"low on memory\"}", "Evicted: low on memory"},
        {"{\"phase\":\"Running\"}", "runs, but is not ready"},
        {"{}", "Pending"},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct kpod pod;
        struct rt_error err;
        json_t *v = json_pack("{s:{s:s}, s:o}", "metadata", "name", "x", "status", json_loads(cases[i].status, 0, NULL));
        assert_true(kuberay_decode_pod(v, &pod, &err));
        assert_string_equal(pod.why, cases[i].why);
        kuberay_pod_deinit(&pod);
        json_decref(v);
    }
}

/* ---- patches ---- */

static void is_patch(json_t *patch, const char *wanted) {
    json_t *other = json_loads(wanted, 0, NULL);
    assert_non_null(other);
    if (!json_equal(patch, other)) {
        char *text = json_dumps(patch, JSON_COMPACT);
        fail_msg("%s", text);
    }
    json_decref(other);
    json_decref(patch);
}

static void a_scale_tests_its_group_and_what_it_changes(void **state) {
    (void)state;
    json_t *v = fixture("raycluster-ready.json");
    const struct kpatch w = {.replicas = 4, .min = -1, .max = -1}, limits = {.replicas = -1, .min = 1, .max = 9};
    is_patch(kuberay_patch_group(v, "small", &w),
             "[{\"op\":\"test\",\"path\":\"/spec/workerGroupSpecs/0/groupName\",\"value\":\"small\"},"
             "{\"op\":\"test\",\"path\":\"/spec/workerGroupSpecs/0/replicas\",\"value\":2},"
             "{\"op\":\"replace\",\"path\":\"/spec/workerGroupSpecs/0/replicas\",\"value\":4}]");
    is_patch(kuberay_patch_group(v, "gpu", &limits),
             "[{\"op\":\"test\",\"path\":\"/spec/workerGroupSpecs/1/groupName\",\"value\":\"gpu\"},"
             "{\"op\":\"test\",\"path\":\"/spec/workerGroupSpecs/1/minReplicas\",\"value\":0},"
             "{\"op\":\"replace\",\"path\":\"/spec/workerGroupSpecs/1/minReplicas\",\"value\":1},"
             "{\"op\":\"test\",\"path\":\"/spec/workerGroupSpecs/1/maxReplicas\",\"value\":4},"
             "{\"op\":\"replace\",\"path\":\"/spec/workerGroupSpecs/1/maxReplicas\",\"value\":9}]");
    assert_null(kuberay_patch_group(v, "none", &w));
    json_decref(v);
}

static void a_worker_goes_by_name_and_the_list_is_emptied_afterwards(void **state) {
    (void)state;
    json_t *v = fixture("raycluster-ready.json");
    struct rt_strs pods = {0};
    rt_strs_add(&pods, "demo-small-worker-abcde");
    const struct kpatch w = {.replicas = 1, .min = -1, .max = -1, .pods = &pods}, clear = {.replicas = -1, .min = -1, .max = -1, .clear = true};
    is_patch(kuberay_patch_group(v, "small", &w),
             "[{\"op\":\"test\",\"path\":\"/spec/workerGroupSpecs/0/groupName\",\"value\":\"small\"},"
             "{\"op\":\"test\",\"path\":\"/spec/workerGroupSpecs/0/replicas\",\"value\":2},"
             "{\"op\":\"replace\",\"path\":\"/spec/workerGroupSpecs/0/replicas\",\"value\":1},"
             "{\"op\":\"add\",\"path\":\"/spec/workerGroupSpecs/0/scaleStrategy\",\"value\":{\"workersToDelete\":[\"demo-small-worker-abcde\"]}}]");
    is_patch(kuberay_patch_group(v, "small", &clear),
             "[{\"op\":\"test\",\"path\":\"/spec/workerGroupSpecs/0/groupName\",\"value\":\"small\"},"
             "{\"op\":\"add\",\"path\":\"/spec/workerGroupSpecs/0/scaleStrategy\",\"value\":{}}]");
    rt_strs_deinit(&pods);
    json_decref(v);
}

static void a_group_comes_at_the_end_and_goes_by_its_index(void **state) {
    (void)state;
    struct rt_strs fields = {0};
    struct rt_error err = {0};
    json_t *v = fixture("raycluster-ready.json");
    rt_strs_add(&fields, "like=small");
    rt_strs_add(&fields, "cpu=2");
    rt_strs_add(&fields, "memory_gb=1.5");
    rt_strs_add(&fields, "gpu_count=1");
    rt_strs_add(&fields, "replicas=3");
    rt_strs_add(&fields, "image=other:1");
    json_t *g = kuberay_group_of(v, "more", &fields, &err);
    if (!g)
        fail_msg("%s", err.message);
    const json_t *c = json_array_get(rt_json_at(g, "template.spec.containers"), 0);
    assert_string_equal(rt_json_str(c, "image"), "other:1");
    assert_string_equal(rt_json_str(c, "resources.limits.cpu"), "2");
    assert_string_equal(rt_json_str(c, "resources.requests.memory"), "1536Mi");
    assert_string_equal(json_string_value(json_object_get(rt_json_at(c, "resources.limits"), "nvidia.com/gpu")), "1");
    assert_int_equal(json_integer_value(json_object_get(g, "maxReplicas")), 3);
    json_t *patch = kuberay_patch_add_group(v, g);
    assert_string_equal(rt_json_str(json_array_get(patch, 0), "path"), "/spec/workerGroupSpecs/-");
    json_decref(patch);
    is_patch(kuberay_patch_remove_group(v, "gpu"), "[{\"op\":\"test\",\"path\":\"/spec/workerGroupSpecs/1/groupName\",\"value\":\"gpu\"},"
                                                   "{\"op\":\"remove\",\"path\":\"/spec/workerGroupSpecs/1\"}]");
    json_object_del(json_object_get(v, "spec"), "workerGroupSpecs");
    patch = kuberay_patch_add_group(v, json_object());
    assert_string_equal(rt_json_str(json_array_get(patch, 0), "path"), "/spec/workerGroupSpecs");
    json_decref(patch);
    rt_strs_deinit(&fields);
    json_decref(v);
}

static void groups_that_cannot_be_are_refused_with_the_reason(void **state) {
    (void)state;
    static const struct {
        const char *name, *field, *words;
    } cases[] = {
        {"small", NULL, "there already"},   {"head", NULL, "there already"},     {"Big", NULL, "Big"},
        {"more", "cpus=3", "no such field"}, {"more", "cpu=many", "no amount"},   {"more", "replicas=-1", "no number"},
        {"more", "like=nobody", "nobody"},   {"more", "min=5", NULL /* max follows */},
    };
    json_t *v = fixture("raycluster-ready.json");
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct rt_strs fields = {0};
        struct rt_error err = {0};
        rt_strs_add(&fields, cases[i].field);
        json_t *g = kuberay_group_of(v, cases[i].name, &fields, &err);
        if (!cases[i].words)
            assert_non_null(g);
        else if (g || !strstr(err.message, cases[i].words))
            fail_msg("%s %s: %s", cases[i].name, cases[i].field, err.message);
        json_decref(g);
        rt_strs_deinit(&fields);
    }
    json_decref(v);
}

static void containers_tell_what_runs_in_them_and_what_ran_before(void **state) {
    (void)state;
    struct kpod pod;
    struct rt_error err;
    json_t *o = json_loads("{\"metadata\": {\"name\": \"w\"}, \"spec\": {\"containers\": [{\"name\": \"ray\"}, {\"name\": \"new\"}],"
                           " \"initContainers\": [{\"name\": \"wait\"}]}, \"status\": {\"phase\": \"Running\", \"containerStatuses\":"
                           " [{\"name\": \"ray\", \"ready\": true, \"restartCount\": 2, \"state\": {\"running\": {}}, \"lastState\": {\"terminated\":"
                           " {\"reason\": \"OOMKilled\", \"exitCode\": 137}}}], \"initContainerStatuses\": [{\"name\": \"wait\", \"state\":"
                           " {\"terminated\": {\"reason\": \"Completed\"}}}]}}",
                           0, NULL);
    assert_true(kuberay_decode_pod(o, &pod, &err));
    assert_int_equal(pod.ncontainers, 3);
    assert_string_equal(pod.containers[0].state, "running");
    assert_true(pod.containers[0].ready && pod.containers[0].restarts == 2);
    assert_string_equal(pod.containers[0].before, "OOMKilled, exit code 137");
    assert_string_equal(pod.containers[1].name, "new"); /* has no status yet */
    assert_null(pod.containers[1].state);
    assert_null(pod.containers[1].before);
    assert_true(pod.containers[2].init);
    assert_string_equal(pod.containers[2].reason, "Completed");
    kuberay_pod_deinit(&pod);
    json_decref(o);
}

static void replicas_of_several_hosts_hold_whole_nodes(void **state) {
    (void)state;
    const struct kgroup one = {.hosts = 1}, four = {.hosts = 4};
    assert_int_equal(kuberay_replicas(&one, 3), 3);
    assert_int_equal(kuberay_replicas(&four, 8), 2);
    assert_int_equal(kuberay_replicas(&four, 9), 3);
    assert_int_equal(kuberay_replicas(&four, -1), -1);
    assert_int_equal(kuberay_replicas(&four, INT32_MAX), INT32_MAX);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(containers_tell_what_runs_in_them_and_what_ran_before),
        cmocka_unit_test(replicas_of_several_hosts_hold_whole_nodes),
        cmocka_unit_test(a_ready_cluster_has_its_groups),
        cmocka_unit_test(a_suspended_one_wants_nothing),
        cmocka_unit_test(one_that_was_just_made_has_no_status_yet),
        cmocka_unit_test(workers_that_were_told_to_go_and_an_autoscaler_are_seen),
        cmocka_unit_test(replicas_are_what_the_limits_make_of_them),
        cmocka_unit_test(a_token_is_in_the_secret_of_its_name),
        cmocka_unit_test(what_is_no_cluster_is_refused),
        cmocka_unit_test(a_pod_says_why_it_waits),
        cmocka_unit_test(images_crashes_and_the_wait_for_the_head_have_their_words),
        cmocka_unit_test(a_scale_tests_its_group_and_what_it_changes),
        cmocka_unit_test(a_worker_goes_by_name_and_the_list_is_emptied_afterwards),
        cmocka_unit_test(a_group_comes_at_the_end_and_goes_by_its_index),
        cmocka_unit_test(groups_that_cannot_be_are_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
