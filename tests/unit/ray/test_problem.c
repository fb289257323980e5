/* What a person reads when the dashboard does not answer as hoped. */
#include "ray/private.h"
#include "unit/ray/recording.h"

static void assert_reason(const char *text, const char *expected) {
    char out[400];
    assert_string_equal(rt_ray_reason(out, sizeof(out), text), expected);
}

static void of_recordings_the_telling_line_is_taken(void **state) {
    (void)state;
    static const char *const cases[][2] = {
        {"ray-2.60.0/job_submit_dup.txt",
         "Job with submission_id fail_exit already exists. Please use a different submission_id."},
        {"ray-2.60.0/job_delete_running.txt",
         "Attempted to delete job 'raysubmit_CyJKGRWNtsJXaMFB', but it is in a non-terminal state "
         "RUNNING."},
        {"ray-2.60.0/job_submit_badkey.txt",
         "JobSubmitRequest.__init__() got an unexpected keyword argument 'nonsense'"},
        {"ray-2.60.0/job_submit_badid.txt",
         "[Errno 2] No such file or directory: "
         "'/tmp/ray/session_2026-11-21_02-46-09_050822_8100/logs/job-driver-a/b c.log'"},
        {"ray-2.60.0/job_submit_badjson.txt", "Server got itself in trouble"},
        {"ray-2.60.0/job_get_missing.txt", "Job nope does not exist"},
        {"ray-2.60.0/auth_missing.txt", "Unauthorized: Missing authentication token"},
        {"ray-2.60.0/logs_dead_node.txt",
         "failed to connect to all addresses; last error: UNKNOWN: ipv4:10.0.0.1:45659: Failed to "
         "connect to remote host: "
         "Connection refused"},
        {"ray-2.9.3/job_submit_dup.txt",
         "Job with submission_id f1 already exists. Please use a different submission_id."},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        char *text = recording(cases[i][0]);
        assert_reason(text, cases[i][1]);
        free(text);
    }
}

static void what_follows_an_exception_does_not_hide_it(void **state) {
    (void)state;
    assert_reason("Traceback (most recent call last):\n  File "
                  "\"x\"\nray.exceptions.RuntimeEnvSetupError: no such package\n"
                  "Try this:\n   - that\n",
                  "no such package");
    assert_reason("Traceback (most recent call last):\n  File \"x\"\ngrpc.aio._call.AioRpcError: <AioRpcError of RPC that terminated "
                  "with:\n\tstatus = StatusCode.UNKNOWN\n\tdetails = \"no such process\"\n>\n",
                  "no such process");
    assert_reason("Could not find a log file. Please make sure\n\tnode_id: None\n\tpid: None\n",
                  "Could not find a log file. Please make sure");
}

static void nothing_and_garbage_are_survived(void **state) {
    (void)state;
    assert_reason("", "");
    assert_reason("\n.\n^^^\n", "");
    assert_reason("Traceback (most recent call last):", "Traceback (most recent call last):");
    assert_reason("bad \x1b[31mred\x07", "bad ^[[31mred^G");
}

static struct rt_error problem(int status, const char *type, const char *body) {
    struct rt_error err = {0};
    const struct rt_http_answer a = {
        .status = status, .content_type = type, .body = body, .body_len = strlen(body)};
    rt_ray_problem(&a, "GET", "/api/jobs/", &err);
    return err;
}

static void each_status_has_its_code(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *body;
        enum rt_code code;
    } cases[] = {
        {400, "bad", RT_E_REMOTE},
        {401, "no", RT_E_DENIED},
        {403, "no", RT_E_DENIED},
        {404, "404: Not Found", RT_E_UNSUPPORTED},
        {404, "Job x does not exist", RT_E_NOT_FOUND},
        {405, "not allowed", RT_E_UNSUPPORTED},
        {413, "Maximum request body size exceeded", RT_E_LIMIT},
        {429, "slow down", RT_E_BUSY},
        {500, "boom", RT_E_REMOTE},
        {500, "X already exists.", RT_E_CONFLICT},
        {501, "no serve", RT_E_UNSUPPORTED},
        {502, "", RT_E_UNREACHABLE},
        {504, "", RT_E_TIMEOUT},
        {302, "", RT_E_PROTOCOL},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++)
        assert_int_equal(problem(cases[i].status, "text/plain", cases[i].body).code, cases[i].code);
}

static void a_page_is_named_whatever_its_status(void **state) {
    (void)state;
    struct rt_error err = problem(503, "text/html; charset=utf-8", "<html>upstream");
    assert_int_equal(err.code, RT_E_UNREACHABLE);
    assert_non_null(strstr(err.message, "HTML page"));
    err = problem(404, "", "\n <!DOCTYPE HTML><title>404</title>");
    assert_int_equal(err.code, RT_E_PROTOCOL);
    assert_non_null(strstr(err.message, "HTML page"));
}

static void amounts_have_real_names_in_a_fixed_order(void **state) {
    (void)state;
    struct rt_arena *arena = rt_arena_create();
    struct rt_resource v[] = {{"node:10.0.0.1", 1},
                              {"zeta", 3},
                              {"memory", 1 << 30},
                              {"CPU_group_0_0123456789abcdef0123456789abcdef0100", 1},
                              {"bundle_group_0123456789abcdef0123456789abcdef0100", 1000},
                              {"my_group_x", 2},
                              {"GPU", 4},
                              {"CPU", 8}};
    const struct rt_resources total = {v, RT_COUNT(v)};
    const struct rt_amounts a =
        rt_node_amounts(&total,
                        "0.19999999999999996/8.0 CPU (0.0 used of 2.0 reserved in placement "
                        "groups)\n4.77MiB/1.00GiB memory\n"
                        "1.0/4.0 GPU\nnonsense\n1.0/2.0 my_group\n2.0/2.0 my_group_x",
                        arena);
    assert_int_equal(a.n, 5);
    assert_string_equal(a.v[0].name, "CPU");
    assert_true(a.v[0].used > 0.19 && a.v[0].used < 0.21 && a.v[0].total == 8);
    assert_true(rt_amounts_reserved(&a, &a.v[0]) == 2);
    assert_true(rt_amounts_reserved(&a, &a.v[1]) == 0);
    assert_string_equal(a.v[1].name, "GPU");
    assert_true(a.v[1].used == 1);
    assert_string_equal(a.v[2].name, "memory");
    assert_true(a.v[2].used > 4.7 * 1048576 && a.v[2].used < 4.8 * 1048576);
    assert_string_equal(a.v[3].name, "my_group_x");
    assert_true(a.v[3].used == 2);
    assert_true(a.v[4].used < 0); /* unknown, not nothing */
    rt_arena_destroy(arena);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(of_recordings_the_telling_line_is_taken),
        cmocka_unit_test(what_follows_an_exception_does_not_hide_it),
        cmocka_unit_test(nothing_and_garbage_are_survived),
        cmocka_unit_test(each_status_has_its_code),
        cmocka_unit_test(a_page_is_named_whatever_its_status),
        cmocka_unit_test(amounts_have_real_names_in_a_fixed_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
