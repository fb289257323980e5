/* What `ssh -G` prints, and how destinations are written. */
#include "net/sshconf.h"

#include "base/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void load(const char *name, struct rt_sshconf *c) {
    char path[512];
    struct rt_buf text;
    struct rt_error err = {0};
    snprintf(path, sizeof path, "%s/ssh/%s", RT_FIXTURES, name);
    rt_buf_init(&text, 0);
    assert_true(rt_file_read(path, 1 << 20, &text, &err));
    assert_true(rt_sshconf_parse(rt_buf_str(&text), c, &err));
    rt_buf_deinit(&text);
}

static void reads_a_host_behind_a_bastion(void **state) {
    struct rt_sshconf c;
    (void)state;
    load("ssh-G-head.txt", &c);
    assert_string_equal(c.hostname, "10.77.1.10");
    assert_string_equal(c.user, "ray");
    assert_int_equal(c.port, 22);
    assert_string_equal(c.proxyjump, "bastion");
    assert_null(c.proxycommand);
    assert_true(c.identitiesonly);
    assert_string_equal(c.stricthostkeychecking, "yes"); /* printed as "true" */
    assert_int_equal(c.identityfile.n, 1);
    assert_string_equal(c.identityfile.v[0], "STATE/keys/id_ed25519");
    assert_int_equal(c.connecttimeout, 0); /* printed as "none" */
    assert_int_equal(c.serveralivecountmax, 3);
    rt_sshconf_deinit(&c);
}

static void expands_home_and_splits_lists(void **state) {
    struct rt_sshconf c;
    (void)state;
    setenv("HOME", "/home/somebody", 1);
    load("ssh-G-plainhost.txt", &c);
    assert_int_equal(c.identityfile.n, 7);
    assert_string_equal(c.identityfile.v[0], "/home/somebody/.ssh/id_rsa");
    assert_int_equal(c.userknownhostsfile.n, 2);
    assert_string_equal(c.userknownhostsfile.v[1], "/home/user/.ssh/known_hosts2");
    assert_int_equal(c.globalknownhostsfile.n, 2);
    assert_string_equal(c.stricthostkeychecking, "ask");
    assert_null(c.proxyjump);
    assert_false(c.identitiesonly);
    rt_sshconf_deinit(&c);
    rt_sshconf_deinit(&c);
}

static void a_copy_owns_its_strings(void **state) {
    struct rt_sshconf c, copy;
    (void)state;
    load("ssh-G-head.txt", &c);
    rt_sshconf_copy(&copy, &c);
    rt_sshconf_deinit(&c);
    assert_string_equal(copy.hostname, "10.77.1.10");
    assert_string_equal(copy.userknownhostsfile.v[0], "STATE/known_hosts");
    rt_sshconf_deinit(&copy);
}

static void keeps_the_word_that_forbids_the_agent(void **state) {
    struct rt_sshconf c;
    struct rt_error err = {0};
    (void)state;
    assert_true(
        rt_sshconf_parse("hostname h\nuser u\nport 2222\nidentityagent none\nproxyjump none\r\n"
                         "stricthostkeychecking false\nbrand-new-key x y z\nbare\n",
                         &c, &err));
    assert_string_equal(c.identityagent, "none");
    assert_null(c.proxyjump);
    assert_string_equal(c.stricthostkeychecking, "no");
    assert_int_equal(c.port, 2222);
    rt_sshconf_deinit(&c);
}

static void refuses_an_answer_without_a_host(void **state) {
    struct rt_sshconf c;
    struct rt_error err = {0};
    (void)state;
    assert_false(rt_sshconf_parse("user u\nport 22\n", &c, &err));
    assert_int_equal(err.code, RT_E_PROTOCOL);
    assert_false(rt_sshconf_parse("hostname h\nuser u\nport 70000\n", &c, &err));
    assert_false(rt_sshconf_parse("", &c, &err));
}

static void reads_destinations(void **state) {
    static const struct {
        const char *text, *user, *host;
        int port;
    } good[] = {
        {"lab1", NULL, "lab1", 0},
        {"me@lab1", "me", "lab1", 0},
        {"me@lab1:2222", "me", "lab1", 2222},
        {"ssh://me@lab1:2222/", "me", "lab1", 2222},
        {"a@realm@login.hpc", "a@realm", "login.hpc", 0},
        {"[::1]:2200", NULL, "::1", 2200},
        {"me@fe80::1", "me", "fe80::1", 0},
    };
    static const char *const bad[] = {"",       "-oProxyCommand=x", "me@",        "lab1:0",
                                      "lab1:x", "lab1:70000",       "la b",       "[::1",
                                      "[::1]x", "-l@lab1",          "lab;reboot", "@lab1"};
    struct rt_error err = {0};
    (void)state;
    for (size_t i = 0; i < RT_COUNT(good); i++) {
        struct rt_ssh_target t;
        assert_true(rt_ssh_target_parse(good[i].text, &t, &err));
        assert_true(rt_streq(t.user, good[i].user));
        assert_string_equal(t.host, good[i].host);
        assert_int_equal(t.port, good[i].port);
        rt_ssh_target_deinit(&t);
    }
    for (size_t i = 0; i < RT_COUNT(bad); i++) {
        struct rt_ssh_target t;
        assert_false(rt_ssh_target_parse(bad[i], &t, &err));
        assert_int_equal(err.code, RT_E_CONFIG);
    }
}

/* ---- with a program that stands for ssh ---- */

struct answer {
    int calls;
    bool ok;
    char user[64], host[64];
    int port;
    size_t keys;
    struct rt_error err;
};

static void on_answer(void *ctx, const struct rt_sshconf *c, const struct rt_error *err) {
    struct answer *a = ctx;
    a->calls++;
    a->ok = c != NULL;
    if (err)
        a->err = *err;
    if (c) {
        snprintf(a->user, sizeof a->user, "%s", c->user);
        snprintf(a->host, sizeof a->host, "%s", c->hostname);
        a->port = c->port;
        a->keys = c->identityfile.n;
    }
}

static void with_program(const char *script, const char *target, struct answer *a) {
    char dir[] = "/tmp/rt-sshconf-XXXXXX", path[64];
    char *old = strdup(getenv("PATH"));
    struct rt_error err = {0};
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof path, "%s/ssh", dir);
    if (script) {
        assert_true(rt_file_write(path, script, strlen(script), &err));
        chmod(path, 0700);
    }
    setenv("PATH", dir, 1);
    *a = (struct answer){0};
    struct rt_loop *l = rt_loop_create(&err);
    struct rt_op *op = rt_sshconf_resolve(l, target, NULL, on_answer, a);
    assert_non_null(op);
    assert_int_equal(a->calls, 0);
    while (a->calls == 0)
        rt_loop_turn(l, true);
    rt_loop_destroy(l);
    setenv("PATH", old, 1);
    free(old);
    rt_remove_tree(dir, &err);
}

static void asks_the_program_by_argv(void **state) {
    struct answer a;
    (void)state;
    with_program("#!/bin/sh\necho \"hostname $*\"\necho 'user u'\necho port 22\n", "me@lab1:2222",
                 &a);
    assert_true(a.ok);
    assert_string_equal(a.host, "-G -l me -p 2222 -- lab1");
}

static void says_what_the_program_said(void **state) {
    struct answer a;
    (void)state;
    with_program("#!/bin/sh\necho 'line 3: Bad configuration option: bogus' >&2\nexit 255\n",
                 "lab1", &a);
    assert_false(a.ok);
    assert_int_equal(a.err.code, RT_E_CONFIG);
    assert_string_equal(a.err.message, "ssh -G lab1: line 3: Bad configuration option: bogus");
}

static void has_defaults_without_the_program(void **state) {
    struct answer a;
    (void)state;
    setenv("USER", "somebody", 1);
    with_program(NULL, "lab1:2200", &a);
    assert_true(a.ok);
    assert_string_equal(a.host, "lab1");
    assert_string_equal(a.user, "somebody");
    assert_int_equal(a.port, 2200);
    assert_true(a.keys >= 4);
}

static void refuses_an_option_as_a_host_later(void **state) {
    struct answer a;
    (void)state;
    with_program("#!/bin/sh\ntouch /tmp/never\n", "-oProxyCommand=x", &a);
    assert_false(a.ok);
    assert_int_equal(a.err.code, RT_E_CONFIG);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reads_a_host_behind_a_bastion),
        cmocka_unit_test(expands_home_and_splits_lists),
        cmocka_unit_test(a_copy_owns_its_strings),
        cmocka_unit_test(keeps_the_word_that_forbids_the_agent),
        cmocka_unit_test(refuses_an_answer_without_a_host),
        cmocka_unit_test(reads_destinations),
        cmocka_unit_test(asks_the_program_by_argv),
        cmocka_unit_test(says_what_the_program_said),
        cmocka_unit_test(has_defaults_without_the_program),
        cmocka_unit_test(refuses_an_option_as_a_host_later),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
