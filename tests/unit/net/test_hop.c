/* Hops without a network: a script stands for the ssh program, as configuration, master and client.
 */
#include "net/hop.h"

#include "base/fs.h"
#include "base/mem.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static const char fake_ssh[] =
    "#!/bin/sh\n"
    "dir=$(dirname \"$0\")\n"
    "for last; do :; done\n"
    "case \" $* \" in\n"
    "*' -G '*) echo 'hostname 127.0.0.1'; echo 'user me'; echo \"port $(cat $dir/port)\" ;;\n"
    "*' -M '*)\n"
    "  [ -e $dir/denied ] && { echo 'me@lab: Permission denied (publickey).' >&2; exit 255; }\n"
    "  while [ -e $dir/slow ]; do sleep 0.02; done\n"
    "  while [ $# -gt 0 ]; do [ \"$1\" = -S ] && : >\"$2\"; shift; done\n"
    "  echo $$ >$dir/master; exec sleep 1000 ;;\n"
    "*) echo 'Welcome'; echo 'quota' >&2; sh -c \"$last\"; s=$?; echo 'Goodbye'; exit $s ;;\n"
    "esac\n";

struct bench {
    char dir[40];
    char *old_path;
    struct rt_loop *loop;
    struct rt_hop *hop;
    int changes;
};

static void put(const struct bench *b, const char *name, const char *text) {
    char path[80];
    struct rt_error err;
    snprintf(path, sizeof path, "%s/%s", b->dir, name);
    assert_true(rt_file_write(path, text, strlen(text), &err));
    chmod(path, 0700);
}

static void on_change(void *ctx, struct rt_hop *h) {
    struct bench *b = ctx;
    (void)h;
    b->changes++;
}

static void start(struct bench *b, enum rt_transport t, const char *jump) {
    struct rt_error err = {0};
    char path[200];
    *b = (struct bench){.dir = "/tmp/rt-hop-XXXXXX"};
    assert_non_null(mkdtemp(b->dir));
    put(b, "ssh", fake_ssh);
    put(b, "port", "1");
    b->old_path = rt_strdup(getenv("PATH"));
    snprintf(path, sizeof path, "%s:/usr/bin:/bin", b->dir);
    setenv("PATH", path, 1);
    setenv("XDG_RUNTIME_DIR", b->dir, 1);
    b->loop = rt_loop_create(&err);
    struct rt_hop_opts o = {.name = "lab", .target = "me@lab:2222", .jump = jump, .transport = t};
    b->hop = rt_hop_create(b->loop, &o, on_change, b);
}

static void stop(struct bench *b) {
    struct rt_error err;
    rt_hop_destroy(b->hop);
    for (int i = 0; i < 20; i++)
        rt_loop_turn(b->loop, false);
    rt_loop_destroy(b->loop);
    setenv("PATH", b->old_path, 1);
    free(b->old_path);
    rt_remove_tree(b->dir, &err);
}

static void turn(struct bench *b) {
    rt_loop_turn(b->loop, false);
    usleep(2000);
}

static void until(struct bench *b, enum rt_hop_state s) {
    while (rt_hop_status(b->hop)->state != s)
        turn(b);
}

struct outcome {
    int calls, status;
    char out[4096], err_text[4096], streamed[4096];
    struct rt_error err;
};

static void on_exec(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct outcome *o = ctx;
    o->calls++;
    if (err) {
        o->err = *err;
        return;
    }
    o->status = r->status;
    snprintf(o->out, sizeof o->out, "%.*s", (int)r->out_len, r->out);
    snprintf(o->err_text, sizeof o->err_text, "%.*s", (int)r->err_len, r->err_text);
}

static void on_output(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    struct outcome *o = ctx;
    if (stream == RT_STDOUT)
        strncat(o->streamed, data, n);
}

static void run(struct bench *b, const struct rt_exec_opts *opts, struct outcome *o) {
    *o = (struct outcome){0};
    rt_hop_exec(b->hop, opts, on_exec, o);
    assert_int_equal(o->calls, 0);
    while (o->calls == 0)
        turn(b);
}

static void run_script(struct bench *b, const char *script, struct outcome *o) {
    struct rt_exec_opts opts = {.script = script, .output = on_output, .output_ctx = o};
    run(b, &opts, o);
}

static void cuts_noise_and_keeps_output_to_the_byte(void **state) {
    struct bench b;
    struct outcome o;
    (void)state;
    start(&b, RT_TRANSPORT_OPENSSH, NULL);
    run_script(&b, "printf 'a\\nb'; printf 'c' >&2; exit 3", &o); /* opens the hop by itself */
    assert_int_equal(o.err.code, RT_OK);
    assert_string_equal(o.out, "a\nb");
    assert_string_equal(o.streamed, "a\nb");
    assert_string_equal(o.err_text, "c");
    assert_int_equal(o.status, 3);
    run_script(&b, "true", &o);
    assert_string_equal(o.out, "");
    assert_int_equal(o.status, 0);
    run_script(&b, "cat <<'EOF'\n'quotes' \"and\" $dollars `ticks` \\n\nEOF", &o);
    assert_string_equal(o.out, "'quotes' \"and\" $dollars `ticks` \\n\n");
    stop(&b);
}

static void output_comes_while_the_command_runs(void **state) {
    struct bench b;
    struct outcome o = {0};
    struct rt_exec_opts opts = {
        .script = "echo 'a line that is long enough to be more than a marker'; sleep 100",
        .output = on_output,
        .output_ctx = &o};
    (void)state;
    start(&b, RT_TRANSPORT_OPENSSH, NULL);
    struct rt_op *op = rt_hop_exec(b.hop, &opts, on_exec, &o);
    while (!o.streamed[0])
        turn(&b);
    assert_int_equal(strncmp(o.streamed, "a line", 6), 0);
    rt_op_cancel(op);
    assert_int_equal(o.calls, 0);
    stop(&b);
}

static void too_much_output_is_an_error(void **state) {
    struct bench b;
    struct outcome o;
    struct rt_exec_opts opts = {.script = "head -c 5000 /dev/zero | tr '\\0' x",
                                .max_output = 1000};
    (void)state;
    start(&b, RT_TRANSPORT_OPENSSH, NULL);
    run(&b, &opts, &o);
    assert_int_equal(o.err.code, RT_E_LIMIT);
    stop(&b);
}

static void a_command_that_takes_too_long_is_ended(void **state) {
    struct bench b;
    struct outcome o;
    struct rt_exec_opts opts = {.script = "sleep 100", .timeout_ms = 200};
    (void)state;
    start(&b, RT_TRANSPORT_OPENSSH, NULL);
    run(&b, &opts, &o);
    assert_int_equal(o.err.code, RT_E_TIMEOUT);
    stop(&b);
}

static void a_master_that_dies_is_replaced(void **state) {
    struct bench b;
    struct outcome o;
    struct rt_buf pid;
    struct rt_error err;
    char path[80];
    int64_t n;
    (void)state;
    start(&b, RT_TRANSPORT_OPENSSH, NULL);
    rt_hop_open(b.hop, false);
    until(&b, RT_HOP_UP);
    snprintf(path, sizeof path, "%s/master", b.dir);
    rt_buf_init(&pid, 32);
    while (!rt_file_read(path, 32, &pid, &err) || pid.len == 0)
        turn(&b);
    pid.data[strcspn(pid.data, "\n")] = '\0';
    assert_true(rt_parse_i64(pid.data, &n));
    kill((pid_t)n, SIGKILL);
    until(&b, RT_HOP_RETRYING);
    assert_int_equal(rt_hop_status(b.hop)->attempt, 1);
    assert_true(b.changes > 0);
    run_script(&b, "echo back", &o); /* waits for it */
    assert_string_equal(o.out, "back\n");
    rt_buf_deinit(&pid);
    stop(&b);
}

static void a_refusal_is_not_tried_for_ever(void **state) {
    struct bench b;
    struct outcome o;
    (void)state;
    start(&b, RT_TRANSPORT_OPENSSH, NULL);
    put(&b, "denied", "");
    rt_hop_open(b.hop, false);
    until(&b, RT_HOP_NEEDS_LOGIN);
    assert_int_equal(rt_hop_status(b.hop)->error.code, RT_E_DENIED);
    assert_non_null(strstr(rt_hop_status(b.hop)->error.hint, "ssh-add"));
    run_script(&b, "true", &o);
    assert_int_equal(o.err.code, RT_E_DENIED);
    stop(&b);
}

static void a_refused_connection_is_tried_again_by_itself(void **state) {
    struct bench b;
    (void)state;
    start(&b, RT_TRANSPORT_LIBSSH2, NULL);
    rt_hop_open(b.hop, false);
    until(&b, RT_HOP_RETRYING);
    assert_non_null(strstr(rt_hop_status(b.hop)->error.message, "127.0.0.1 port 1"));
    assert_true(rt_hop_status(b.hop)->retry_at_ms > 0);
    while (rt_hop_status(b.hop)->attempt < 2)
        turn(&b);
    rt_hop_close(b.hop);
    assert_int_equal(rt_hop_status(b.hop)->state, RT_HOP_IDLE);
    stop(&b);
}

static void jump_hosts_in_a_circle_are_a_configuration_error(void **state) {
    struct bench b;
    (void)state;
    start(&b, RT_TRANSPORT_LIBSSH2, NULL);
    put(&b, "ssh",
        "#!/bin/sh\necho 'hostname h'; echo 'user u'; echo 'port 22'; echo 'proxyjump other'\n");
    rt_hop_open(b.hop, false);
    until(&b, RT_HOP_FAILED);
    assert_int_equal(rt_hop_status(b.hop)->error.code, RT_E_CONFIG);
    assert_non_null(strstr(rt_hop_status(b.hop)->error.message, "circle"));
    stop(&b);
}

static void one_that_ends_takes_nothing_from_one_that_connects(void **state) {
    struct bench b;
    char path[80];
    (void)state;
    start(&b, RT_TRANSPORT_OPENSSH, NULL);
    put(&b, "slow", "");
    rt_hop_open(b.hop, false);
    const struct rt_hop_opts o = {.name = "other", .target = "me@other", .transport = RT_TRANSPORT_OPENSSH};
    struct rt_hop *other = rt_hop_create(b.loop, &o, NULL, NULL);
    rt_hop_open(other, false);
    turn(&b);
    rt_hop_destroy(other);
    snprintf(path, sizeof path, "%s/slow", b.dir);
    assert_int_equal(unlink(path), 0);
    while (rt_hop_status(b.hop)->state == RT_HOP_CONNECTING)
        turn(&b);
    assert_int_equal(rt_hop_status(b.hop)->state, RT_HOP_UP);
    stop(&b);
}

static void its_socket_is_for_nobody_else(void **state) {
    struct bench b;
    struct rt_error err;
    (void)state;
    start(&b, RT_TRANSPORT_OPENSSH, NULL);
    char *dir = rt_path(RT_DIR_RUNTIME, NULL);
    assert_true(rt_mkdirs(dir, &err));
    assert_int_equal(chmod(dir, 0777), 0); /* as somebody else may have made it beforehand */
    rt_hop_open(b.hop, false);
    until(&b, RT_HOP_FAILED);
    assert_non_null(strstr(rt_hop_status(b.hop)->error.message, "is not a private directory"));
    free(dir);
    stop(&b);
}

static void prints_the_line_that_a_person_would_type(void **state) {
    static const char *const extra[] = {"-N", "-L", "8265:localhost:8265", NULL};
    struct bench b;
    struct rt_strs argv = {0};
    (void)state;
    start(&b, RT_TRANSPORT_AUTO, "bastion");
    char *line = rt_hop_command(b.hop, extra);
    assert_string_equal(line, "ssh -J bastion -p 2222 -N -L 8265:localhost:8265 me@lab");
    free(line);
    rt_hop_argv(b.hop, &argv);
    assert_int_equal(argv.n, 6);
    assert_string_equal(argv.v[5], "me@lab");
    rt_strs_deinit(&argv);
    stop(&b);
}

static void leads_nowhere_until_it_is_told_where(void **state) {
    struct bench b;
    struct outcome o;
    (void)state;
    start(&b, RT_TRANSPORT_OPENSSH, NULL);
    rt_hop_aim(b.hop, NULL, NULL);
    rt_hop_open(b.hop, true);
    assert_int_equal(rt_hop_status(b.hop)->state, RT_HOP_IDLE);
    run_script(&b, "echo never", &o);
    assert_int_equal(o.err.code, RT_E_UNREACHABLE);
    assert_non_null(strstr(o.err.message, "the address of the head is not known yet"));
    rt_hop_aim(b.hop, "me@lab:2222", NULL); /* it was to be opened */
    until(&b, RT_HOP_UP);
    rt_hop_aim(b.hop, "me@lab:2222", NULL); /* the same: nothing ends */
    assert_int_equal(rt_hop_status(b.hop)->state, RT_HOP_UP);
    run_script(&b, "echo here", &o);
    assert_string_equal(o.out, "here\n");
    rt_hop_aim(b.hop, "me@other", "/etc/ssh/ssh_config");
    assert_int_equal(rt_hop_status(b.hop)->state, RT_HOP_CONNECTING);
    char *line = rt_hop_command(b.hop, NULL);
    assert_string_equal(line, "ssh -F /etc/ssh/ssh_config me@other");
    free(line);
    until(&b, RT_HOP_UP);
    rt_hop_close(b.hop);
    rt_hop_aim(b.hop, "me@third", NULL); /* nobody wants it open */
    assert_int_equal(rt_hop_status(b.hop)->state, RT_HOP_IDLE);
    stop(&b);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cuts_noise_and_keeps_output_to_the_byte),
        cmocka_unit_test(output_comes_while_the_command_runs),
        cmocka_unit_test(too_much_output_is_an_error),
        cmocka_unit_test(a_command_that_takes_too_long_is_ended),
        cmocka_unit_test(a_master_that_dies_is_replaced),
        cmocka_unit_test(a_refusal_is_not_tried_for_ever),
        cmocka_unit_test(a_refused_connection_is_tried_again_by_itself),
        cmocka_unit_test(jump_hosts_in_a_circle_are_a_configuration_error),
        cmocka_unit_test(one_that_ends_takes_nothing_from_one_that_connects),
        cmocka_unit_test(its_socket_is_for_nobody_else),
        cmocka_unit_test(prints_the_line_that_a_person_would_type),
        cmocka_unit_test(leads_nowhere_until_it_is_told_where),
    };
    signal(SIGPIPE, SIG_IGN);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
