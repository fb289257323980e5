/* A cluster's session that goes while something still needs it. */
#include "../cmocka_all.h"
#include "app/action.h"
#include "app/session.h"
#include "base/fs.h"
#include "net/port.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct rt_app *app;
static char home[] = "/tmp/rt-ses-XXXXXX";
static int listener; /* takes connections and says nothing */

static int make(void **state) {
    struct rt_error err = {0};
    struct sockaddr_in a = {0};
    socklen_t n = sizeof a;
    (void)state;
    assert_non_null(mkdtemp(strcpy(home, "/tmp/rt-ses-XXXXXX")));
    listener = rt_port_listen(0);
    assert_int_equal(getsockname(listener, (struct sockaddr *)&a, &n), 0);
    char *text = rt_strf("clusters:\n  lab: {provider: address, url: 'http://127.0.0.1:%d'}\n", ntohs(a.sin_port));
    char *file = rt_strf("%s/raytui/config.yaml", home);
    static const char *const places[] = {"XDG_CONFIG_HOME", "XDG_STATE_HOME", "XDG_CACHE_HOME"};
    for (size_t i = 0; i < RT_COUNT(places); i++)
        setenv(places[i], home, 1);
    unsetenv("RAY_ADDRESS");
    unsetenv("RAY_API_SERVER_ADDRESS");
    unsetenv("RAYTUI_CLUSTER");
    assert_true(rt_file_write(file, text, strlen(text), &err));
    free(file);
    free(text);
    app = rt_app_create(&(struct rt_app_opts){0}, &err);
    return app ? 0 : -1;
}

static int end(void **state) {
    struct rt_error err = {0};
    (void)state;
    rt_app_destroy(app);
    close(listener);
    return rt_remove_tree(home, &err) ? 0 : -1;
}

static void run(const char *line, struct rt_error *err) {
    struct rt_call c;
    struct rt_strs words = {0};
    *err = (struct rt_error){0};
    assert_true(rt_split_words(line, &words, err));
    assert_true(rt_call_parse(app, (const char *const *)words.v, NULL, &c, err));
    if (rt_call_ready(app, &c, err))
        rt_op_cancel(rt_call_run(app, &c, NULL, NULL));
    rt_call_deinit(&c);
    rt_strs_deinit(&words);
}

static void a_log_ends_when_its_cluster_is_forgotten(void **state) {
    const struct rt_log_part part = {.what = RT_LOG_PART_DRIVER, .id = "job"};
    const struct rt_log_target targets[] = {
        {.what = RT_LOG_JOB, .cluster = "lab", .id = "job"},
        {.what = RT_LOG_NODE_FILE, .cluster = "lab", .id = "node", .file = "raylet.out"},
        {.what = RT_LOG_MERGED, .cluster = "lab", .id = "job", .parts = &part, .nparts = 1},
        {.what = RT_LOG_SEARCH, .cluster = "lab", .parts = &part, .nparts = 1, .regex = "x"},
    };
    struct rt_log *logs[RT_COUNT(targets)];
    struct rt_error err = {0};
    (void)state;
    for (size_t i = 0; i < RT_COUNT(targets); i++) {
        logs[i] = rt_log_open_target(app, &targets[i], targets[i].what != RT_LOG_SEARCH, NULL, NULL, &err);
        assert_non_null(logs[i]);
    }
    rt_loop_turn(app->loop, false);
    rt_log_close_target(logs[0]);
    run("forget lab", &err);
    assert_int_equal(err.code, RT_OK);
    assert_null(session_find(app, "lab"));
    for (size_t i = 1; i < RT_COUNT(targets); i++) {
        assert_true(rt_log_status(logs[i])->failed);
        assert_string_equal(rt_log_status(logs[i])->text, "lab was taken off the list");
        assert_int_equal(rt_log_sources(logs[i]), 0);
        rt_log_retry(logs[i]);
        rt_log_close_target(logs[i]);
    }
}

static void a_session_stays_while_an_operation_needs_it(void **state) {
    struct rt_error err = {0};
    (void)state;
    struct session *s = session_get(app, "lab", &err);
    assert_non_null(s);
    struct rt_operation *op = rt_operation_start(app->operations, "down", "lab", NULL, NULL, NULL);
    assert_true(rt_app_reload(app));
    assert_ptr_equal(session_find(app, "lab"), s);
    run("forget lab", &err);
    assert_int_equal(err.code, RT_E_CONFLICT);
    assert_ptr_equal(session_find(app, "lab"), s);
    rt_operation_finish(op, NULL, NULL);
    assert_true(rt_app_reload(app));
    assert_null(session_find(app, "lab"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_log_ends_when_its_cluster_is_forgotten, make, end),
        cmocka_unit_test_setup_teardown(a_session_stays_while_an_operation_needs_it, make, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
