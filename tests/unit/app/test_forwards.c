/* Forwards of a cluster that is reached without a way in between. */
#include "../cmocka_all.h"
#include "app/app.h"
#include "base/fs.h"
#include "net/port.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#define PATIENCE_MS 60000

static struct rt_app *app;
static char home[] = "/tmp/rt-fwd-XXXXXX";
static int listener, port;

static int port_of(int fd) {
    struct sockaddr_in a = {0};
    socklen_t n = sizeof a;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&a, &n), 0);
    return ntohs(a.sin_port);
}

static int make(void **state) {
    struct rt_error err = {0};
    (void)state;
    assert_non_null(mkdtemp(home));
    listener = rt_port_listen(0);
    port = port_of(listener);
    char *dir = rt_strf("%s/raytui", home), *file = rt_strf("%s/config.yaml", dir);
    char *text = rt_strf("clusters:\n  lab: {provider: address, url: 'http://127.0.0.1:%d', ports: [8265]}\n", port);
    setenv("XDG_CONFIG_HOME", home, 1);
    setenv("XDG_STATE_HOME", home, 1);
    setenv("XDG_CACHE_HOME", home, 1);
    unsetenv("RAY_ADDRESS");
    unsetenv("RAY_API_SERVER_ADDRESS");
    unsetenv("RAYTUI_CLUSTER");
    assert_true(rt_mkdirs(dir, &err));
    assert_true(rt_file_write(file, text, strlen(text), &err));
    free(text);
    free(file);
    free(dir);
    const struct rt_app_opts o = {0};
    app = rt_app_create(&o, &err);
    return app ? 0 : -1;
}

static int end(void **state) {
    struct rt_error err = {0};
    (void)state;
    rt_app_destroy(app);
    return rt_remove_tree(home, &err) ? 0 : -1;
}

static const struct rt_forward_row *row(void) {
    const struct rt_cluster *c = rt_store_cluster(app->store, "lab");
    assert_int_equal(c->nforwards, 1);
    return &c->forwards[0];
}

static void pass(void *ctx) {
    (void)ctx;
}

static void until(enum rt_health h) {
    const int64_t by = rt_mono_ms() + PATIENCE_MS;
    struct rt_timer *t = rt_timer_start(app->loop, 20, 20, pass, NULL);
    while (row()->health != h && rt_mono_ms() < by)
        rt_loop_turn(app->loop, true);
    rt_timer_stop(t);
    assert_int_equal(row()->health, h);
}

static void a_forward_is_up_only_while_somebody_is_behind_it(void **state) {
    struct rt_error err = {0};
    (void)state;
    assert_true(rt_app_forward(app, "lab", "8265", 0, &err));
    rt_app_look(app, "lab", RT_TOPIC_BIT(RT_T_FORWARDS), false);
    assert_int_equal(row()->health, RT_H_BUSY); /* nobody was asked yet */
    until(RT_H_OK);
    assert_string_equal(row()->state, "up");
    char to[32];
    snprintf(to, sizeof to, "127.0.0.1:%d", port);
    assert_string_equal(row()->to, to);
    assert_true(row()->up_since_ms > 0);
    close(listener);
    until(RT_H_BAD);
    assert_non_null(strstr(row()->state, "down ("));
    assert_int_equal(row()->up_since_ms, 0);
    listener = rt_port_listen(port);
    assert_true(listener >= 0);
    until(RT_H_OK);
    close(listener);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_forward_is_up_only_while_somebody_is_behind_it),
    };
    return cmocka_run_group_tests(tests, make, end);
}
