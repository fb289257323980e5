/* What is sent to the platform, compared with what the real RayDog builder sends; names, saved state, scripts. */
#include "base/fs.h"
#include "providers/yellowdog_api.h"
#include "unit/cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static json_t *calls;

static int load(void **state) {
    (void)state;
    calls = json_load_file(RT_FIXTURES "/yellowdog/raydog-calls.json", 0, NULL);
    return calls ? 0 : -1;
}

static int unload(void **state) {
    (void)state;
    json_decref(calls);
    return 0;
}

/* The body of the k-th recorded call of this method whose path begins so; from 0. */
static const json_t *recorded(const char *method, const char *path, int k) {
    const json_t *c = NULL;
    size_t i = 0;
    json_array_foreach(calls, i, c) {
        if (rt_streq(rt_json_str(c, "method"), method) && rt_starts(rt_json_str(c, "path"), path) && k-- == 0)
            return json_object_get(c, "body");
    }
    fail_msg("no such call: %s %s", method, path);
    return NULL;
}

static void assert_same(json_t *ours, const json_t *theirs) {
    if (!json_equal(ours, theirs)) {
        char *a = json_dumps(ours, JSON_INDENT(1) | JSON_SORT_KEYS), *b = json_dumps(theirs, JSON_INDENT(1) | JSON_SORT_KEYS);
        print_message("ours: %s\ntheirs: %s\n", a, b);
        fail_msg("the bodies differ");
    }
    json_decref(ours);
}

/* ---- pools ---- */

static const char pool_path[] = "/workerPools/provisioned/template";

static void the_pool_of_a_head_is_asked_for_as_raydog_does(void **state) {
    (void)state;
    struct rt_strs tags = {0};
    rt_strs_add(&tags, "owner=me");
    const struct yd_pool_spec s = {
        .name = "demo-00-head",
        .space = "raydog",
        .tag = "team",
        .template_id = "test/ray-head",
        .image = "ami-0123456789abcdef0",
        .userdata = "#!/bin/bash\necho setup\n",
        .instance_tags = &tags,
        .worker_tag = "demo-00-head",
        .nodes = 1,
        .metrics = true,
    };
    assert_same(yd_body_pool(&s), recorded("POST", pool_path, 0));
    rt_strs_deinit(&tags);
}

static void pools_of_observability_and_workers_too(void **state) {
    (void)state;
    struct yd_pool_spec s = {
        .name = "demo-observability",
        .space = "raydog",
        .tag = "team",
        .template_id = "test/ray-head",
        .worker_tag = "demo-observability-00",
        .nodes = 1,
    };
    assert_same(yd_body_pool(&s), recorded("POST", pool_path, 1));
    s.name = s.worker_tag = "demo-02-wrkrs";
    s.template_id = "test/ray-worker-gpu";
    assert_same(yd_body_pool(&s), recorded("POST", pool_path, 2));
}

/* The deliberate difference: RayDog's pools cannot grow, for their maxNodes is what they begin with. */
static void a_pool_may_have_room_to_grow(void **state) {
    (void)state;
    const struct yd_pool_spec s = {.name = "a", .space = "b", .template_id = "t", .worker_tag = "a", .nodes = 2, .max_nodes = 8};
    json_t *v = yd_body_pool(&s);
    assert_int_equal(json_integer_value(rt_json_at(v, "provisionedProperties.maxNodes")), 8);
    assert_int_equal(json_integer_value(rt_json_at(v, "requirementTemplateUsage.targetInstanceCount")), 2);
    assert_null(rt_json_at(v, "requirementTemplateUsage.requirementTag"));
    assert_null(rt_json_at(v, "requirementTemplateUsage.instanceTags"));
    json_decref(v);
    const struct yd_pool_spec small = {.name = "a", .space = "b", .template_id = "t", .worker_tag = "a", .nodes = 5, .max_nodes = 3};
    v = yd_body_pool(&small); /* the platform refuses less */
    assert_int_equal(json_integer_value(rt_json_at(v, "provisionedProperties.maxNodes")), 5);
    json_decref(v);
}

static void idleness_and_boot_time_are_sent_as_configured(void **state) {
    (void)state;
    const struct yd_pool_spec s = {.name = "a", .space = "b", .worker_tag = "a", .nodes = 1, .idle_node_ms = 600000, .idle_pool_ms = -1, .boot_ms = 90000};
    json_t *v = yd_body_pool(&s);
    assert_string_equal(rt_json_str(v, "provisionedProperties.idleNodeShutdown.timeout"), "PT10M");
    assert_true(json_is_true(rt_json_at(v, "provisionedProperties.idleNodeShutdown.enabled")));
    assert_true(json_is_false(rt_json_at(v, "provisionedProperties.idlePoolShutdown.enabled")));
    assert_null(rt_json_at(v, "provisionedProperties.idlePoolShutdown.timeout"));
    assert_string_equal(rt_json_str(v, "provisionedProperties.nodeBootTimeout"), "PT1M30S");
    json_decref(v);
}

/* ---- work ---- */

static const struct yd_group_spec groups[] = {
    {.name = YD_GROUP_HEAD, .worker_tag = "demo-00-head", .space = "raydog", .fail_with_task = true, .timeout_ms = 4 * 3600000},
    {.name = YD_GROUP_OBSERVABILITY, .worker_tag = "demo-observability-00", .space = "raydog", .timeout_ms = 4 * 3600000},
    {.name = "worker-nodes-01", .worker_tag = "demo-01-wrkrs", .space = "raydog", .timeout_ms = 4 * 3600000},
    {.name = "worker-nodes-02", .worker_tag = "demo-02-wrkrs", .space = "raydog", .timeout_ms = 4 * 3600000},
};

static void the_work_requirement_is_as_raydog_sends_it(void **state) {
    (void)state;
    assert_same(yd_body_work("raydog", "demo", "team", groups, 3), recorded("POST", "/work/requirements", 0));
}

static void a_group_is_added_to_the_whole_object_as_it_was_read(void **state) {
    (void)state;
    const json_t *sent = recorded("PUT", "/work/requirements", 0);
    json_t *read = json_deep_copy(sent);
    json_array_remove(json_object_get(read, "taskGroups"), 3);
    assert_same(yd_body_append(read, &groups[3]), sent);
    assert_int_equal(json_array_size(json_object_get(read, "taskGroups")), 3); /* what was read stays */
    json_decref(read);
}

static void fields_that_nobody_knows_stay(void **state) {
    (void)state;
    json_t *read = json_loads("{\"id\":\"x\",\"newThing\":{\"a\":[1,2]},\"taskGroups\":[{\"name\":\"head-node\",\"other\":7}]}", 0, NULL);
    json_t *v = yd_body_append(read, &groups[2]);
    assert_true(json_equal(json_object_get(v, "newThing"), json_object_get(read, "newThing")));
    assert_int_equal(json_integer_value(json_object_get(json_array_get(json_object_get(v, "taskGroups"), 0), "other")), 7);
    assert_int_equal(json_array_size(json_object_get(v, "taskGroups")), 2);
    json_decref(v);
    json_decref(read);
}

static void a_group_is_never_added_twice(void **state) {
    (void)state;
    assert_null(yd_body_append(recorded("PUT", "/work/requirements", 0), &groups[3]));
    assert_null(yd_body_append(NULL, &groups[3]));
    json_t *list = json_array(), *bare = json_object();
    assert_null(yd_body_append(list, &groups[3]));
    json_t *v = yd_body_append(bare, &groups[3]);
    assert_int_equal(json_array_size(json_object_get(v, "taskGroups")), 1);
    json_decref(v);
    json_decref(bare);
    json_decref(list);
}

static void a_tag_of_a_group_is_sent_where_there_is_one(void **state) {
    (void)state;
    const struct yd_group_spec g = {.name = "worker-nodes-01", .worker_tag = "a", .space = "b", .tag = "gpu"};
    json_t *v = yd_body_work("b", "demo", NULL, &g, 1);
    const json_t *group = json_array_get(json_object_get(v, "taskGroups"), 0);
    assert_string_equal(rt_json_str(group, "tag"), "gpu");
    assert_null(rt_json_at(group, "runSpecification.taskTimeout"));
    assert_null(json_object_get(v, "tag"));
    json_decref(v);
}

/* ---- tasks ---- */

static const char task_path[] = "/work/taskGroups/";

static void tasks_are_as_raydog_sends_them(void **state) {
    (void)state;
    struct rt_strs head_env = {0}, env = {0};
    rt_strs_add(&head_env, "OBSERVABILITY_HOST=10.0.0.14");
    rt_strs_add(&env, "RAY_HEAD_NODE_PRIVATE_IP=10.0.0.11");
    rt_strs_add(&env, "RAY_HEAD_IP=10.0.0.11");
    rt_strs_add(&env, "OBSERVABILITY_HOST=10.0.0.14");
    const char *watch = "#!/usr/bin/bash\nsleep 1e6\n",
               *head = "#!/usr/bin/bash\ntrap \"ray stop; echo Ray stopped\" EXIT\nray start --head --port=6379 --num-cpus=0 --dashboard-host=0.0.0.0 --block\n",
               *worker = "#!/usr/bin/bash\ntrap \"ray stop; echo Ray stopped\" EXIT\nray start --address=$RAY_HEAD_IP:6379 --block\n";
    assert_same(yd_body_tasks(&(struct yd_task_spec){watch, NULL, 2, 1}), recorded("POST", task_path, 0));
    assert_same(yd_body_tasks(&(struct yd_task_spec){head, &head_env, 1, 1}), recorded("POST", task_path, 1));
    assert_same(yd_body_tasks(&(struct yd_task_spec){worker, &env, 3, 2}), recorded("POST", task_path, 2));
    assert_same(yd_body_tasks(&(struct yd_task_spec){worker, &env, 5, 1}), recorded("POST", task_path, 3));
    rt_strs_deinit(&head_env);
    rt_strs_deinit(&env);
}

static void a_value_may_have_equal_signs_and_be_empty(void **state) {
    (void)state;
    struct rt_strs env = {0};
    rt_strs_add(&env, "A=b=c");
    rt_strs_add(&env, "EMPTY=");
    json_t *v = yd_body_tasks(&(struct yd_task_spec){"x", &env, 1, 1});
    const json_t *sent = json_object_get(json_array_get(v, 0), "environment");
    assert_string_equal(rt_json_str(sent, "A"), "b=c");
    assert_string_equal(rt_json_str(sent, "EMPTY"), "");
    json_decref(v);
    rt_strs_deinit(&env);
}

static void task_numbers_go_on_after_the_highest(void **state) {
    (void)state;
    const struct yd_task tasks[] = {{.name = "task-00003"}, {.name = "task-00017"}, {.name = "mine-99"}, {.name = NULL}, {.name = "task-7x"},
                                    {.name = "task-99999999999"}};
    assert_int_equal(yd_task_highest(tasks, RT_COUNT(tasks)), 17);
    assert_int_equal(yd_task_highest(NULL, 0), 0);
}

/* ---- names ---- */

static void names_of_a_cluster_are_raydogs(void **state) {
    (void)state;
    char *names[] = {yd_name_head("demo"), yd_name_workers("demo", 2), yd_name_observability("demo"), yd_tag_observability("demo"), yd_group_workers(12)};
    static const char *const wanted[] = {"demo-00-head", "demo-02-wrkrs", "demo-observability", "demo-observability-00", "worker-nodes-12"};
    for (size_t i = 0; i < RT_COUNT(names); i++) {
        assert_string_equal(names[i], wanted[i]);
        free(names[i]);
    }
    assert_int_equal(yd_workers_index("demo", "demo-02-wrkrs"), 2);
    assert_int_equal(yd_workers_index("demo", "demo-123-wrkrs"), 123);
    assert_int_equal(yd_workers_index("demo", "demo-00-head"), 0);
    assert_int_equal(yd_workers_index("demo", "demo2-01-wrkrs"), 0);
    assert_int_equal(yd_workers_index("demo", "demo-x-wrkrs"), 0);
    assert_int_equal(yd_workers_index("demo", "demo-01-wrkrs-2"), 0);
    assert_int_equal(yd_workers_index("demo", "demo"), 0);
    assert_int_equal(yd_workers_index("demo", NULL), 0);
}

static void names_that_the_platform_refuses_are_refused_before(void **state) {
    (void)state;
    static const char *const good[] = {"a", "demo", "demo-00-head", "a_b"};
    static const char *const bad[] = {"", "Demo", "1demo", "-demo", "demo-", "de mo", "d\xc3\xa9mo", "demo\x1b[1m", "a.b", "_a"};
    struct rt_error err = {0};
    char longest[62] = {0};
    for (size_t i = 0; i < RT_COUNT(good); i++)
        assert_true(yd_name_ok(good[i], "cluster", &err));
    for (size_t i = 0; i < RT_COUNT(bad); i++) {
        rt_error_clear(&err);
        assert_false(yd_name_ok(bad[i], "cluster", &err));
        assert_int_equal(err.code, RT_E_CONFIG);
        assert_null(strchr(err.message, '\x1b'));
    }
    memset(longest, 'x', 60);
    assert_true(yd_name_ok(longest, "cluster", &err));
    longest[60] = 'x';
    assert_false(yd_name_ok(longest, "cluster", &err));
    assert_non_null(strstr(err.message, "too long"));
    assert_false(yd_name_ok(NULL, "namespace", &err));
    assert_string_equal(err.message, "namespace has no name");
}

static void durations_are_written_short(void **state) {
    (void)state;
    static const struct {
        int64_t ms;
        const char *text;
    } cases[] = {{14400000, "PT4H"}, {180000, "PT3M"}, {93600000, "P1DT2H"}, {86400000, "P1D"}, {5415000, "PT1H30M15S"}, {500, "PT0.500S"}, {0, "PT0S"}, {61001, "PT1M1.001S"}};
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        char *text = yd_duration(cases[i].ms);
        assert_string_equal(text, cases[i].text);
        assert_int_equal(yd_duration_ms(text), cases[i].ms);
        free(text);
    }
}

/* ---- saved state ---- */

static void saved_state_of_raydog_is_read_and_written_the_same(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct yd_saved s;
    struct stat st;
    char dir[] = "/tmp/yd-saved-XXXXXX";
    assert_true(yd_saved_read(RT_FIXTURES "/yellowdog/raydog-saved-state.json", &s, &err));
    assert_string_equal(s.name, "demo");
    assert_string_equal(s.space, "raydog");
    assert_string_equal(s.tag, "team");
    assert_int_equal(s.pool_ids.n, 4);
    assert_string_equal(s.pool_ids.v[2], "ydid:wrkrpool:000000:e5e3c11a-bed5-4d2f-8758-11c8860a16c5");
    assert_non_null(mkdtemp(dir));
    char *path = rt_path_join(dir, "saved.json");
    assert_true(yd_saved_write(path, &s, &err));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct rt_buf a, b;
    rt_buf_init(&a, 0);
    rt_buf_init(&b, 0);
    assert_true(rt_file_read(RT_FIXTURES "/yellowdog/raydog-saved-state.json", 0, &a, &err));
    assert_true(rt_file_read(path, 0, &b, &err));
    assert_string_equal(rt_buf_str(&b), rt_buf_str(&a)); /* to the byte */
    rt_buf_deinit(&a);
    rt_buf_deinit(&b);
    yd_saved_deinit(&s);
    yd_saved_deinit(&s);
    unlink(path);
    rmdir(dir);
    free(path);
}

static void what_is_no_saved_state_is_told(void **state) {
    (void)state;
    static const char *const texts[] = {"", "[]", "{\"cluster_name\":\"x\"}", "{\"cluster_name\":7,\"cluster_namespace\":\"y\"}", "<html>"};
    char path[] = "/tmp/yd-saved-XXXXXX";
    const int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    for (size_t i = 0; i < RT_COUNT(texts); i++) {
        struct rt_error err = {0};
        struct yd_saved s;
        assert_true(rt_file_write(path, texts[i], strlen(texts[i]), &err));
        assert_false(yd_saved_read(path, &s, &err));
        assert_true(rt_starts(err.message, path));
        assert_null(s.name);
    }
    unlink(path);
    struct rt_error err = {0};
    struct yd_saved s;
    assert_false(yd_saved_read(path, &s, &err));
}

/* ---- scripts ---- */

static void our_own_scripts_lack_nothing(void **state) {
    (void)state;
    for (int r = 0; r < YD_ROLES; r++) {
        struct rt_strs out = {0};
        yd_script_lacks((enum yd_role)r, yd_script((enum yd_role)r), &out);
        if (out.n)
            fail_msg("%d: %s", r, out.v[0]);
        assert_true(rt_starts(yd_script((enum yd_role)r), "#!/usr/bin/env bash\n"));
    }
    struct rt_strs none = {0};
    yd_script_lacks(YD_HEAD, NULL, &none);
    assert_int_equal(none.n, 0);
}

static void scripts_of_raydog_lack_nothing_either(void **state) {
    (void)state;
    struct rt_strs out = {0};
    yd_script_lacks(YD_HEAD, rt_json_str(json_array_get(recorded("POST", task_path, 1), 0), "taskData"), &out);
    yd_script_lacks(YD_WORKER, rt_json_str(json_array_get(recorded("POST", task_path, 2), 0), "taskData"), &out);
    assert_int_equal(out.n, 0);
}

static void what_a_script_lacks_is_named(void **state) {
    (void)state;
    struct rt_strs out = {0};
    yd_script_lacks(YD_WORKER, "#!/bin/bash\n# trap \"ray stop\" EXIT --block RAY_HEAD_IP\nray start --address=10.0.0.1:6379\n", &out);
    assert_int_equal(out.n, 3);
    assert_non_null(strstr(out.v[0], "--block"));
    assert_non_null(strstr(out.v[1], "trap"));
    assert_non_null(strstr(out.v[2], "RAY_HEAD_IP"));
    rt_strs_deinit(&out);
    yd_script_lacks(YD_HEAD, "trap 'ray stop' EXIT\nray start --port=1\nsleep infinity", &out);
    assert_int_equal(out.n, 1);
    assert_non_null(strstr(out.v[0], "--head"));
    rt_strs_deinit(&out);
    yd_script_lacks(YD_HEAD, "trap 'docker stop ray' EXIT\ndocker run --name ray image\n", &out);
    assert_int_equal(out.n, 0);
}

/* The scripts as files, for a shell checker where there is one. */
static void the_scripts_please_a_shell_checker(void **state) {
    (void)state;
    if (system("command -v shellcheck >/dev/null 2>&1") != 0)
        skip();
    for (int r = 0; r <= YD_ROLES; r++) {
        const char *text = r < YD_ROLES ? yd_script((enum yd_role)r) : yd_userdata;
        FILE *f = popen("shellcheck -s bash -", "w");
        assert_non_null(f);
        assert_true(fputs(text, f) >= 0);
        assert_int_equal(pclose(f), 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_pool_of_a_head_is_asked_for_as_raydog_does),
        cmocka_unit_test(pools_of_observability_and_workers_too),
        cmocka_unit_test(a_pool_may_have_room_to_grow),
        cmocka_unit_test(idleness_and_boot_time_are_sent_as_configured),
        cmocka_unit_test(the_work_requirement_is_as_raydog_sends_it),
        cmocka_unit_test(a_group_is_added_to_the_whole_object_as_it_was_read),
        cmocka_unit_test(fields_that_nobody_knows_stay),
        cmocka_unit_test(a_group_is_never_added_twice),
        cmocka_unit_test(a_tag_of_a_group_is_sent_where_there_is_one),
        cmocka_unit_test(tasks_are_as_raydog_sends_them),
        cmocka_unit_test(a_value_may_have_equal_signs_and_be_empty),
        cmocka_unit_test(task_numbers_go_on_after_the_highest),
        cmocka_unit_test(names_of_a_cluster_are_raydogs),
        cmocka_unit_test(names_that_the_platform_refuses_are_refused_before),
        cmocka_unit_test(durations_are_written_short),
        cmocka_unit_test(saved_state_of_raydog_is_read_and_written_the_same),
        cmocka_unit_test(what_is_no_saved_state_is_told),
        cmocka_unit_test(our_own_scripts_lack_nothing),
        cmocka_unit_test(scripts_of_raydog_lack_nothing_either),
        cmocka_unit_test(what_a_script_lacks_is_named),
        cmocka_unit_test(the_scripts_please_a_shell_checker),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
