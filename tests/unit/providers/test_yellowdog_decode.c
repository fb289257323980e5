/* What is read off the platform's answers, as a real client got them. */
#include "providers/yellowdog_api.h"
#include "unit/cmocka_all.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static json_t *answers;
static struct rt_arena *arena;

static int setup(void **state) {
    (void)state;
    json_error_t err;
    answers = json_load_file(RT_FIXTURES "/yellowdog/answers.json", 0, &err);
    arena = rt_arena_create();
    return answers ? 0 : -1;
}

static int teardown(void **state) {
    (void)state;
    json_decref(answers);
    rt_arena_destroy(arena);
    return 0;
}

static const json_t *answer(const char *call) {
    const json_t *body = json_object_get(json_object_get(answers, call), "body");
    if (!body)
        fail_msg("no answer %s", call);
    return body;
}

static const json_t *item(const char *call, size_t i) {
    return json_array_get(json_object_get(answer(call), "items"), i);
}

static json_t *parse(const char *text) {
    struct rt_error err = {0};
    json_t *v = rt_json_parse(text, strlen(text), &err);
    if (!v)
        fail_msg("%s", err.message);
    return v;
}

#define READ(kind, v, out)                                                                                                            \
    do {                                                                                                                               \
        struct rt_error err_ = {0};                                                                                                    \
        if (!yd_decode_##kind(v, out, arena, &err_))                                                                                   \
            fail_msg("%s", err_.message);                                                                                              \
    } while (0)

/* ---- pools and machines ---- */

static void a_pool_tells_its_limits_and_its_nodes(void **state) {
    (void)state;
    struct yd_pool p;
    READ(pool, answer("GET /workerPools/{id}"), &p);
    assert_string_equal(p.name, "demo-00-head");
    assert_string_equal(p.space, "raydog");
    assert_string_equal(p.status, "RUNNING");
    assert_int_equal(p.state, YD_POOL_RUNNING);
    assert_false(yd_pool_over(&p));
    assert_string_equal(p.requirement_id, "ydid:compreq:000000:65795b03-df57-474b-9de4-4d78082e697b");
    assert_string_equal(p.worker_tag, "demo-00-head");
    assert_int_equal(p.min_nodes, 0);
    assert_int_equal(p.max_nodes, 1);
    assert_int_equal(p.expected, 1);
    assert_int_equal(p.nodes, 1);
    assert_int_equal(p.claimed, 1);
    assert_false(p.awaiting);
    assert_int_equal(p.idle_node_ms, 180000);
    assert_int_equal(p.idle_pool_ms, 180000);
    assert_int_equal(p.created_ms, 1795231640715);
}

static void a_pool_of_a_list_tells_less(void **state) {
    (void)state;
    struct yd_pool p;
    READ(pool, item("GET /workerPools/?sliced=true&size=2", 1), &p);
    assert_string_equal(p.name, "demo-01-wrkrs");
    assert_int_equal(p.nodes, 2);
    assert_int_equal(p.claimed, 2);
    assert_int_equal(p.max_nodes, -1);
    assert_int_equal(p.expected, -1);
    assert_int_equal(p.idle_node_ms, -1);
    assert_null(p.requirement_id);
    assert_null(p.worker_tag);
}

static void nodes_that_are_late_count_as_there(void **state) {
    (void)state;
    struct yd_pool p;
    json_t *v = parse("{\"id\":\"x\",\"status\":\"SHUTDOWN\",\"nodeSummary\":{\"statusCounts\":{\"RUNNING\":2,\"LATE\":1,\"LOST\":5}}}");
    READ(pool, v, &p);
    assert_int_equal(p.nodes, 3);
    assert_true(yd_pool_over(&p));
    json_decref(v);
}

static void a_node_tells_its_addresses_and_what_it_takes(void **state) {
    (void)state;
    struct yd_node n;
    READ(node, item("GET /workerPools/nodes?workerPoolId={id}", 0), &n);
    assert_string_equal(n.id, "ydid:node:000000:761e25d2-1343-4b25-a56d-8300eb5724cc");
    assert_string_equal(n.private_ip, "10.0.0.11");
    assert_string_equal(n.public_ip, "198.51.100.11");
    assert_string_equal(n.instance_id, "i-56cceb166b0f400a9");
    assert_string_equal(n.instance_type, "m5.large");
    assert_string_equal(n.worker_tag, "demo-00-head");
    assert_int_equal(n.state, YD_NODE_RUNNING);
    assert_false(yd_node_gone(&n));
    assert_int_equal(n.vcpus, 2);
    assert_true(n.ram_gb == 8);
    assert_true(yd_words_have(&n.task_types, "bash"));
    assert_false(yd_words_have(&n.task_types, "docker"));
    assert_int_equal(n.nworkers, 1);
    assert_string_equal(n.workers[0].status, "RUNNING");
    assert_string_equal(n.workers[0].group_id, "ydid:taskgrp:000000:60ca43e6-0696-4764-a9eb-a983293fbaba:1");
}

static void a_node_without_a_public_address_has_none(void **state) {
    (void)state;
    struct yd_node n;
    json_t *v = parse("{\"id\":\"x\",\"status\":\"LOST\",\"details\":{\"privateIpAddress\":\"10.0.0.9\",\"publicIpAddress\":null}}");
    READ(node, v, &n);
    assert_string_equal(n.private_ip, "10.0.0.9");
    assert_null(n.public_ip);
    assert_true(yd_node_gone(&n));
    assert_int_equal(n.vcpus, -1);
    assert_int_equal(n.task_types.n, 0);
    json_decref(v);
}

static void an_instance_is_named_by_two_ids(void **state) {
    (void)state;
    struct yd_instance i;
    READ(instance, item("GET /compute/instances?computeRequirementId={id}", 0), &i);
    assert_string_equal(i.id, "i-56cceb166b0f400a9");
    assert_string_equal(i.source_id, "ydid:compsrc:000000:0a835683-160e-463b-ad25-f9c756098918");
    assert_string_equal(i.public_ip, "198.51.100.11");
    assert_string_equal(i.private_ip, "10.0.0.11");
    assert_int_equal(i.state, YD_INSTANCE_RUNNING);
}

static void a_requirement_tells_why_machines_do_not_come(void **state) {
    (void)state;
    struct yd_requirement r;
    json_t *v = parse("{\"id\":\"x\",\"name\":\"demo-01-wrkrs\",\"status\":\"PROVISIONING\",\"targetInstanceCount\":3,\"expectedInstanceCount\":1,"
                      "\"provisionStrategy\":{\"sources\":[{\"name\":\"good\",\"status\":\"ACTIVE\"},"
                      "{\"name\":\"aws\\u001b[1m\",\"status\":\"ERRORED\",\"statusMessage\":\"InsufficientInstanceCapacity\"}]}}");
    READ(requirement, v, &r);
    assert_int_equal(r.target, 3);
    assert_int_equal(r.expected, 1);
    assert_int_equal(r.alive, -1);
    assert_false(yd_requirement_over(&r));
    assert_string_equal(r.trouble, "aws^[[1m: InsufficientInstanceCapacity");
    json_decref(v);
    v = parse("{\"id\":\"x\",\"status\":\"TERMINATING\",\"provisionStrategy\":{\"sources\":[{\"name\":\"good\",\"status\":\"ACTIVE\"}]}}");
    READ(requirement, v, &r);
    assert_null(r.trouble);
    assert_true(yd_requirement_over(&r));
    json_decref(v);
}

static void templates_have_a_name_in_a_namespace(void **state) {
    (void)state;
    struct yd_template t;
    READ(template, item("GET /compute/templates/requirements?sliced=true", 2), &t);
    assert_string_equal(t.space, "test");
    assert_string_equal(t.name, "ray-worker-gpu");
    assert_string_equal(t.description, "spot GPU workers");
}

/* ---- work ---- */

static void a_work_requirement_has_groups_with_counts(void **state) {
    (void)state;
    struct yd_work w;
    READ(work, answer("GET /work/requirements/{id}"), &w);
    assert_string_equal(w.name, "demo");
    assert_string_equal(w.tag, "team");
    assert_int_equal(w.state, YD_WORK_RUNNING);
    assert_int_equal(w.ngroups, 4);
    const struct yd_group *g = yd_work_group(&w, "worker-nodes-01");
    assert_non_null(g);
    assert_true(yd_words_have(&g->worker_tags, "demo-01-wrkrs"));
    assert_true(rt_resources_get(&g->counts, "EXECUTING", 0) == 2);
    assert_int_equal(g->tasks, 2);
    assert_int_equal(g->timeout_ms, 4 * 3600 * 1000);
    assert_null(g->tag);
    assert_null(yd_work_group(&w, "worker-nodes-09"));
}

static void a_work_requirement_that_was_shut_down_is_over(void **state) {
    (void)state;
    struct yd_work w;
    READ(work, answer("GET /work/requirements/{id} after shut_down()"), &w);
    assert_int_equal(w.state, YD_WORK_CANCELLED);
    assert_true(yd_work_over(w.state));
    assert_int_equal(w.groups[2].state, YD_WORK_FAILED);
    assert_true(yd_work_over(w.groups[2].state));
}

static void a_task_tells_where_it_runs_but_not_its_environment(void **state) {
    (void)state;
    struct yd_task t;
    READ(task, answer("GET /work/tasks/{id}"), &t);
    assert_string_equal(t.name, "task-00001");
    assert_int_equal(t.state, YD_TASK_EXECUTING);
    assert_false(yd_task_over(&t));
    assert_string_equal(t.worker_id, "ydid:wrkr:000000:761e25d2-1343-4b25-a56d-8300eb5724cc:1");
    assert_string_equal(t.node_id, "ydid:node:000000:761e25d2-1343-4b25-a56d-8300eb5724cc");
    assert_int_equal(t.started_ms, 1795231641986);
    assert_int_equal(t.timeout_ms, -1);
    assert_int_equal(t.nerrors, 0);
}

static void why_a_task_ended_is_said_in_words(void **state) {
    (void)state;
    static const struct {
        const char *error, *why;
    } cases[] = {
        {"{\"errorType\":\"PROCESS_NON_ZERO_EXIT\",\"processExitCode\":3,\"error\":\"Process exited with code 3\"}", "exit 3 (PROCESS_NON_ZERO_EXIT)"},
        {"{\"errorType\":\"ALLOCATION_LOST\",\"error\":\"x\"}", "its node went away (ALLOCATION_LOST)"},
        {"{\"errorType\":\"TIMED_OUT\"}", "it ran for longer than its lifetime (TIMED_OUT)"},
        {"{\"errorType\":\"TRANSITION_REFUSED\",\"error\":\"not\\nnow\"}", "TRANSITION_REFUSED: not now"},
        {"{\"errorType\":\"NEW_WORD\"}", "NEW_WORD"},
        {"{}", "UNKNOWN_ERROR"},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        struct yd_task t;
        char *text = rt_strf("{\"id\":\"x\",\"status\":\"FAILED\",\"errors\":[{\"errorType\":\"OLDER\"},%s]}", cases[i].error), why[200];
        json_t *v = parse(text);
        READ(task, v, &t);
        assert_true(yd_task_over(&t));
        assert_string_equal(yd_task_why(&t, why, sizeof why), cases[i].why);
        json_decref(v);
        free(text);
    }
    assert_string_equal(yd_task_why(&(struct yd_task){0}, (char[8]){"old"}, 8), "");
}

/* ---- what may be otherwise ---- */

static void a_new_status_word_is_no_error(void **state) {
    (void)state;
    struct yd_pool p;
    struct yd_task t;
    json_t *v = parse("{\"id\":\"x\",\"status\":\"HIBERNATED\",\"somethingNew\":{\"a\":[1]}}");
    READ(pool, v, &p);
    assert_int_equal(p.state, YD_POOL_OTHER);
    assert_string_equal(p.status, "HIBERNATED");
    READ(task, v, &t);
    assert_int_equal(t.state, YD_TASK_OTHER);
    assert_false(yd_task_over(&t));
    json_decref(v);
}

static void what_has_no_id_is_refused(void **state) {
    (void)state;
    static const char *const texts[] = {"{}", "[]", "null", "{\"id\":7}", "{\"id\":null}", "\"id\""};
    for (size_t i = 0; i < RT_COUNT(texts); i++) {
        struct rt_error err = {0};
        struct yd_pool p;
        struct yd_instance n;
        struct yd_work w;
        json_t *v = json_loads(texts[i], JSON_DECODE_ANY, NULL);
        assert_false(yd_decode_pool(v, &p, arena, &err));
        assert_int_equal(err.code, RT_E_PROTOCOL);
        assert_false(yd_decode_instance(v, &n, arena, &err));
        assert_false(yd_decode_work(v, &w, arena, &err));
        json_decref(v);
    }
}

static void an_account_may_see_all_or_some_namespaces(void **state) {
    (void)state;
    struct yd_account a;
    json_t *v = parse("{\"accountName\":\"acme\",\"name\":\"ray\",\"allNamespacesReadable\":false,\"readableNamespaces\":[\"a\",\"b\"]}");
    READ(account, v, &a);
    assert_string_equal(a.account, "acme");
    assert_string_equal(a.application, "ray");
    assert_false(a.all_spaces);
    assert_true(yd_words_have(&a.spaces, "b"));
    json_decref(v);
}

/* ---- times ---- */

static void times_have_milliseconds(void **state) {
    (void)state;
    assert_int_equal(yd_time_ms("2026-11-21T03:27:20.715Z"), 1795231640715);
    assert_int_equal(yd_time_ms("2026-11-21T03:27:20Z"), 1795231640000);
    assert_int_equal(yd_time_ms("2026-11-21T03:27:20.7159999Z"), 1795231640715);
    assert_int_equal(yd_time_ms("2026-11-21T03:27:20.5Z"), 1795231640500);
    assert_int_equal(yd_time_ms("yesterday"), 0);
    assert_int_equal(yd_time_ms(NULL), 0);
}

static void durations_are_read_in_every_form(void **state) {
    (void)state;
    static const struct {
        const char *text;
        int64_t ms;
    } cases[] = {
        {"PT3M", 180000},  {"PT4H", 14400000}, {"P1DT2H", 93600000}, {"PT0.5S", 500}, {"P1W", 604800000}, {"PT1H30M15S", 5415000},
        {"PT0S", 0},       {"PT36H", 129600000}, {"PT1.001S", 1001},  {"P", -1},       {"PT", -1},         {"3M", -1},
        {"P3M", -1},       {"PT3", -1},        {"PT3X", -1},         {"PTM", -1},     {"PT1H2", -1},      {"PT9999999999999999H", -1},
        {"PTT3M", -1},     {"", -1},           {"PT-3M", -1},        {"PT1.2.3S", -1}, {"PT00000000000000000000000000000000000001S", -1},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++)
        if (yd_duration_ms(cases[i].text) != cases[i].ms)
            fail_msg("%s: %lld", cases[i].text, (long long)yd_duration_ms(cases[i].text));
    assert_int_equal(yd_duration_ms(NULL), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(a_pool_tells_its_limits_and_its_nodes),
        TEST(a_pool_of_a_list_tells_less),
        TEST(nodes_that_are_late_count_as_there),
        TEST(a_node_tells_its_addresses_and_what_it_takes),
        TEST(a_node_without_a_public_address_has_none),
        TEST(an_instance_is_named_by_two_ids),
        TEST(a_requirement_tells_why_machines_do_not_come),
        TEST(templates_have_a_name_in_a_namespace),
        TEST(a_work_requirement_has_groups_with_counts),
        TEST(a_work_requirement_that_was_shut_down_is_over),
        TEST(a_task_tells_where_it_runs_but_not_its_environment),
        TEST(why_a_task_ended_is_said_in_words),
        TEST(a_new_status_word_is_no_error),
        TEST(what_has_no_id_is_refused),
        TEST(an_account_may_see_all_or_some_namespaces),
        TEST(times_have_milliseconds),
        TEST(durations_are_read_in_every_form),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
