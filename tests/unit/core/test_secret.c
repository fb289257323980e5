#include "base/log.h"
#include "core/config.h"
#include "home.h"

#define FROM(member, text) ((struct rt_secret_conf){.member = (char[]){text}})

struct got {
    struct rt_loop *loop;
    struct rt_op *op;
    int calls;
    char *value;
    struct rt_error err;
};

static void got_it(void *ctx, const char *value, const struct rt_error *err) {
    struct got *g = ctx;
    g->op = NULL;
    g->calls++;
    assert_true(!value == !!err);
    g->value = rt_strdup(value);
    if (err)
        g->err = *err;
    rt_loop_stop(g->loop);
}

static struct got get(const struct rt_secret_conf *s) {
    struct rt_error err = {0};
    struct got g = {.loop = rt_loop_create(&err)};
    g.op = rt_secret_get(g.loop, s, got_it, &g);
    assert_int_equal(g.calls, 0); /* later, not inside */
    rt_loop_run(g.loop);
    assert_int_equal(g.calls, 1);
    rt_loop_turn(g.loop, false);
    rt_loop_destroy(g.loop);
    return g;
}

static void check_value(struct rt_secret_conf s, const char *want) {
    struct got g = get(&s);
    if (g.err.code)
        print_error("%s\n", g.err.message);
    assert_string_equal(g.value, want);
    struct rt_buf text;
    rt_buf_init(&text, 0);
    rt_buf_addf(&text, "token=%s", want);
    rt_log_mask(&text);
    assert_string_equal(rt_buf_str(&text), "token=***");
    rt_buf_deinit(&text);
    free(g.value);
}

static void check_error(struct rt_secret_conf s, enum rt_code code, const char *want) {
    struct got g = get(&s);
    assert_null(g.value);
    assert_int_equal(g.err.code, code);
    if (!strstr(g.err.message, want))
        fail_msg("\"%s\" is not in \"%s\"", want, g.err.message);
}

static void a_secret_comes_from_where_it_is(void **state) {
    struct home *h = *state;
    home_write(h, "token", "file-secret\r\n");
    setenv("RT_TEST_TOKEN", "env-secret", 1);
    check_value(FROM(file, "~/raytui/token"), "file-secret");
    check_value(FROM(env, "RT_TEST_TOKEN"), "env-secret");
    check_value(FROM(command, "printf '%s\\n' 'command secret'"), "command secret");
    check_value(FROM(value, "clear-secret"), "clear-secret");
}

static void a_secret_that_cannot_be_had_says_why(void **state) {
    struct home *h = *state;
    home_write(h, "empty", "\n");
    unsetenv("RT_TEST_TOKEN");
    check_error(FROM(file, "~/raytui/none"), RT_E_NOT_FOUND, "raytui/none");
    check_error(FROM(file, "~/raytui/empty"), RT_E_CONFIG, "the secret is empty");
    check_error(FROM(env, "RT_TEST_TOKEN"), RT_E_CONFIG, "RT_TEST_TOKEN is not set");
    check_error(FROM(command, "sh -c 'echo first >&2; echo locked >&2; exit 3'"), RT_E_FAILED,
                "sh: exit 3: locked");
    check_error(FROM(command, "no-such-program-x y"), RT_E_NOT_FOUND, "no-such-program-x");
    check_error(FROM(command, "sh -c 'kill -9 $$'"), RT_E_FAILED, "sh: ended by signal 9");
    check_error(FROM(command, "'unfinished"), RT_E_USAGE, "");
    check_error(FROM(command, ""), RT_E_CONFIG, "an empty command");
    check_error((struct rt_secret_conf){0}, RT_E_CONFIG, "no secret is configured");
}

static void a_command_is_no_shell_line(void **state) {
    (void)state;
    check_value(FROM(command, "echo $HOME;ls"), "$HOME;ls");
}

static void cancel_is_silent(void **state) {
    (void)state;
    struct rt_error err = {0};
    struct got g = {.loop = rt_loop_create(&err)};
    struct rt_secret_conf now = FROM(value, "x"), slow = FROM(command, "sleep 60");
    rt_op_cancel(rt_secret_get(g.loop, &now, got_it, &g));
    struct rt_op *op = rt_secret_get(g.loop, &slow, got_it, &g);
    rt_loop_turn(g.loop, false);
    rt_op_cancel(op);
    for (int i = 0; i < 3; i++)
        rt_loop_turn(g.loop, false);
    assert_int_equal(g.calls, 0);
    rt_loop_destroy(g.loop);
}

static void one_that_is_configured_is_known(void **state) {
    (void)state;
    assert_false(rt_secret_set(&(struct rt_secret_conf){0}));
    assert_true(rt_secret_set(&FROM(env, "A")));
    assert_true(rt_secret_set(&FROM(value, "a")));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        home_test(a_secret_comes_from_where_it_is), home_test(a_secret_that_cannot_be_had_says_why),
        home_test(a_command_is_no_shell_line),      home_test(cancel_is_silent),
        home_test(one_that_is_configured_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
