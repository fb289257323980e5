/* The ssh_config of a head whose address came late: the real `ssh -G` reads it. */
#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "core/journal.h"
#include "net/loop.h"
#include "net/sshconf.h"
#include "providers/headway.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/rt-headway-XXXXXX";

static int set_up(void **state) {
    (void)state;
    return !mkdtemp(dir) || setenv("XDG_STATE_HOME", dir, 1);
}

static int tear_down(void **state) {
    struct rt_error err;
    (void)state;
    return !rt_remove_tree(dir, &err);
}

static void keep(void *ctx, const struct rt_sshconf *c, const struct rt_error *err) {
    assert_null(err);
    rt_sshconf_copy(ctx, c);
}

static struct rt_sshconf read_by_ssh(const char *target, const char *file) {
    struct rt_error err = {0};
    struct rt_loop *l = rt_loop_create(&err);
    struct rt_sshconf c = {0};
    rt_sshconf_resolve(l, target, file, keep, &c);
    while (!c.hostname)
        rt_loop_turn(l, true);
    rt_loop_destroy(l);
    return c;
}

static void ssh_reads_what_was_meant(void **state) {
    struct rt_error err = {0};
    char *path = NULL, *mine = rt_strf("%s/my config", dir);
    const char own[] = "User somebody\nServerAliveInterval 17\n";
    (void)state;
    assert_true(rt_file_write(mine, own, strlen(own), &err));
    struct rt_headway w = {.host = "203.0.113.7", .user = "ubuntu", .key = "/keys/a b.pem", .include = mine, .own_keys = true,
                           .proxy_command = "ssh -W %h:%p 'my bastion'"};
    assert_true(rt_headway_write("tuner", &w, &path, &err));
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    struct rt_sshconf c = read_by_ssh("203.0.113.7", path);
    char *known = rt_cluster_path("tuner", "known_hosts");
    assert_string_equal(c.user, "ubuntu");
    assert_int_equal(c.identityfile.n, 1);
    assert_string_equal(c.identityfile.v[0], "/keys/a b.pem");
    assert_true(c.identitiesonly);
    assert_string_equal(c.proxycommand, "ssh -W %h:%p 'my bastion'");
    assert_string_equal(c.userknownhostsfile.v[0], known);
    assert_int_equal(c.serveraliveinterval, 17); /* the person's own settings hold for the rest */
    rt_sshconf_deinit(&c);
    rt_headway_forget("tuner");
    assert_int_equal(stat(path, &st), -1);
    free(known);
    free(path);
    free(mine);
}

static void refuses_what_ssh_would_read_as_something_else(void **state) {
    static const struct rt_headway bad[] = {
        {.host = ""},
        {.host = "*"},
        {.host = "a b"},
        {.host = "h\nProxyCommand evil"},
        {.host = "h", .user = "a\"b"},
        {.host = "h", .proxy_command = "nc %h %p\nLocalCommand evil"},
    };
    (void)state;
    for (size_t i = 0; i < RT_COUNT(bad); i++) {
        struct rt_error err = {0};
        char *path = NULL;
        assert_false(rt_headway_write("tuner", &bad[i], &path, &err));
        assert_int_equal(err.code, RT_E_CONFIG);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ssh_reads_what_was_meant),
        cmocka_unit_test(refuses_what_ssh_would_read_as_something_else),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
