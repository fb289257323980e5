/* What is asked for a stack or a profile, and what each refusal of a real dashboard means to a person. */
#include "unit/ray/dashboard.h"

#include "ray/profile.h"

struct got {
    bool done;
    struct rt_error err;
    char text[64];
};

static void got(void *ctx, const char *text, size_t n, const struct rt_error *err) {
    struct got *g = ctx;
    g->done = true;
    if (err)
        g->err = *err;
    else
        snprintf(g->text, sizeof g->text, "%.*s", (int)n, text);
}

static const struct rt_profile a_process = {.kind = RT_PROFILE_STACK, .node_id = "ab12", .node_ip = "10.0.0.1", .pid = 77};

static struct got ask(const struct rt_profile *p, const struct route *routes, size_t n, const char *asked) {
    struct dashboard d;
    struct got g = {0};
    char want[300];
    dashboard_open(&d, routes, n);
    rt_ray_profile(d.ray, p, got, &g);
    dashboard_wait(&d, &g.done);
    if (asked) {
        snprintf(want, sizeof want, "GET %s -", asked);
        assert_string_equal(d.asked.v[0], want);
    }
    dashboard_close(&d);
    return g;
}

static void a_process_is_named_by_address_and_node(void **state) {
    (void)state;
    const struct route r[] = {{"GET", "/worker/traceback", .type = "text/plain", .text = "Thread 1"}};
    const struct got g = ask(&a_process, r, 1, "/worker/traceback?native=0&pid=77&ip=10.0.0.1&node_id=ab12");
    assert_int_equal(g.err.code, RT_OK);
    assert_string_equal(g.text, "Thread 1");
}

static void a_task_is_named_by_its_attempt(void **state) {
    (void)state;
    const struct route r[] = {{"GET", "/task/cpu_profile", .type = "text/plain", .text = "f 1"}};
    struct rt_profile p = a_process;
    p.kind = RT_PROFILE_CPU;
    p.task_id = "t 1";
    p.attempt = 2;
    p.native = true;
    p.duration_s = 3;
    p.format = "raw";
    const struct got g = ask(&p, r, 1, "/task/cpu_profile?native=1&task_id=t%201&attempt_number=2&node_id=ab12&duration=3&format=raw");
    assert_string_equal(g.text, "f 1");
}

static void each_refusal_says_what_to_do(void **state) {
    (void)state;
    static const struct {
        int status;
        const char *body, *message, *hint;
        enum rt_code code;
        enum rt_profile_kind kind;
    } cases[] = {
        {403, "Profiling is disabled by default for security reasons. To enable profiling, set ...", "switched off",
         "RAY_DASHBOARD_ENABLE_PROFILING=1", RT_E_DENIED, RT_PROFILE_STACK},
        {500, "Failed to execute: py-spy is not installed", "py-spy is not installed on the node", "pip install py-spy",
         RT_E_UNSUPPORTED, RT_PROFILE_CPU},
        {500, "Failed to execute: memray is not installed", "memray is not installed", "pip install memray", RT_E_UNSUPPORTED,
         RT_PROFILE_MEMORY},
        {500, "Failed to execute `py-spy dump -p 7`.\n\nNote that this command requires ...\n=== stderr ===\nPermission Denied: Try "
              "running again with elevated permissions by going 'sudo env \"PATH=$PATH\" !!'\n", "ptrace is not permitted",
         "chmod u+s", RT_E_DENIED, RT_PROFILE_STACK},
        {500, "Failed to execute `py-spy dump -p 7`.\n\n=== stderr ===\nError: Failed to get process executable name. Check that the "
              "process is running.\nReason: No such file or directory (os error 2)\n", "the process is gone", "look at the list",
         RT_E_NOT_FOUND, RT_PROFILE_STACK},
        {500, "Failed to get agent address for node at node_id ab12", "the node cannot be asked", "", RT_E_NOT_FOUND, RT_PROFILE_STACK},
        {500, "{\"result\": false, \"msg\": \"Traceback (most recent call last):\\n  File x\\ngrpc.aio._call.AioRpcError: <AioRpcError of RPC "
              "that terminated with:\\n\\tstatus = StatusCode.UNKNOWN\\n\\tdetails = \\\"Unexpected <class 'FileNotFoundError'>: [Errno 2] "
              "No such file or directory: 'sudo'\\\"\\n>\\n\", \"data\": {}}", "by sudo, and the node has no sudo", "newer Ray",
         RT_E_UNSUPPORTED, RT_PROFILE_STACK},
        {404, "404: Not Found", "no such profile", "Ray 2.10", RT_E_UNSUPPORTED, RT_PROFILE_MEMORY},
        {400, "duration must be between 1 and 30 seconds, got: 60", "between 1 and 30", "", RT_E_REMOTE, RT_PROFILE_CPU},
    };
    for (size_t i = 0; i < RT_COUNT(cases); i++) {
        const struct route r[] = {{"GET", "/", .status = cases[i].status, .type = "text/plain; charset=utf-8", .text = cases[i].body}};
        struct rt_profile p = a_process;
        p.kind = cases[i].kind;
        p.duration_s = 1;
        p.format = "flamegraph";
        const struct got g = ask(&p, r, 1, NULL);
        assert_int_equal(g.err.code, cases[i].code);
        assert_non_null(strstr(g.err.message, cases[i].message));
        assert_non_null(strstr(g.err.hint, cases[i].hint));
    }
}

static void a_cancelled_one_is_silent(void **state) {
    (void)state;
    const struct route r[] = {{"GET", "/worker/traceback", .type = "text/plain", .text = "Thread 1"}};
    struct dashboard d;
    struct got g = {0}, later = {0};
    dashboard_open(&d, r, 1);
    rt_op_cancel(rt_ray_profile(d.ray, &a_process, got, &g));
    rt_ray_profile(d.ray, &a_process, got, &later);
    dashboard_wait(&d, &later.done);
    assert_false(g.done);
    dashboard_close(&d);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_process_is_named_by_address_and_node),
        cmocka_unit_test(a_task_is_named_by_its_attempt),
        cmocka_unit_test(each_refusal_says_what_to_do),
        cmocka_unit_test(a_cancelled_one_is_silent),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
