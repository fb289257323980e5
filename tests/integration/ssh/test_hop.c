/* Hops through real SSH servers: host keys, ways to log in, commands, streams, and what happens
 * when the other side goes away. */
#include "bed.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/tcp.h"

#include <libssh2.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

static const char *const nothing[] = {NULL};
static const char *const yes[] = {"yes", NULL};
static const char *const password[] = {"correct-horse", NULL};

static bool has_error(const struct bed *b, const char *text) {
    const struct rt_error *e = &rt_hop_status(b->hop)->error;
    bool found = rt_contains_i(e->message, text) || rt_contains_i(e->hint, text);
    if (!found)
        print_message("\"%s\" is not in: %s (%s)\n", text, e->message, e->hint);
    return found;
}

static void runs_here(struct bed *b, const char *host) {
    struct bed_result r;
    bed_exec(b, "hostname", &r);
    if (r.failed)
        fail_msg("%s", r.error.message);
    assert_int_equal(r.status, 0);
    assert_int_equal(strncmp(r.out, host, strlen(host)), 0);
}

/* ---- host keys ---- */

static void goes_through_the_bastion(void **state) {
    struct bed b;
    (void)state;
    bed_open(&b, "head", RT_TRANSPORT_LIBSSH2, NULL, NULL);
    assert_int_equal(bed_settle(&b, false), RT_HOP_UP);
    assert_string_equal(rt_hop_status(b.hop)->via, "libssh2 head");
    runs_here(&b, "head");
    bed_close(&b);
}

static void knows_hashed_names(void **state) {
    struct bed b;
    struct bed_conf c = {.known = "known_hosts.hashed"};
    (void)state;
    bed_open(&b, "w1", RT_TRANSPORT_LIBSSH2, &c, NULL);
    assert_int_equal(bed_settle(&b, false), RT_HOP_UP);
    bed_close(&b);
}

static void refuses_a_changed_key_even_when_not_strict(void **state) {
    static const char *const strict[] = {"yes", "no", "accept-new", "ask"};
    (void)state;
    for (size_t i = 0; i < RT_COUNT(strict); i++) {
        struct bed b;
        struct bed_conf c = {.known = "known_hosts.wrong", .strict = strict[i]};
        bed_open(&b, "bastion", RT_TRANSPORT_AUTO, &c, yes);
        assert_int_equal(bed_settle(&b, true), RT_HOP_FAILED);
        assert_int_equal(b.asked, 0);
        assert_true(has_error(&b, "known_hosts.wrong:1"));
        assert_true(has_error(&b, "ssh-keygen -f"));
        bed_close(&b);
    }
}

static void refuses_a_revoked_key(void **state) {
    struct bed b;
    struct bed_conf c = {.known = "known_hosts.revoked", .strict = "no"};
    (void)state;
    bed_open(&b, "bastion", RT_TRANSPORT_AUTO, &c, yes);
    assert_int_equal(bed_settle(&b, true), RT_HOP_FAILED);
    assert_true(has_error(&b, "revoked"));
    bed_close(&b);
}

static void asks_for_an_unknown_key_and_remembers_it(void **state) {
    struct bed b;
    struct rt_error err;
    struct bed_conf c = {.known = "known_hosts.new", .strict = "ask"};
    char *path = bed_path("known_hosts.new");
    (void)state;
    assert_true(rt_file_write(path, "# mine", 6, &err)); /* without a newline at its end */
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, &c, yes);
    assert_int_equal(bed_settle(&b, false), RT_HOP_NEEDS_LOGIN);
    assert_int_equal(b.asked, 0);
    assert_int_equal(bed_settle(&b, true), RT_HOP_UP);
    assert_int_equal(b.asked, 1);
    assert_int_equal(b.last.kind, RT_ASK_YES_NO);
    assert_non_null(strstr(b.last_text, "SHA256:"));
    bed_close(&b);
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, &c, NULL);
    assert_int_equal(bed_settle(&b, false), RT_HOP_UP);
    bed_close(&b);
    unlink(path);
    free(path);
}

static void refuses_an_unknown_key_without_a_yes(void **state) {
    static const char *const no[] = {"no", NULL};
    struct bed b;
    struct bed_conf c = {.known = "known_hosts.empty", .strict = "ask"};
    (void)state;
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, &c, no);
    assert_int_equal(bed_settle(&b, true), RT_HOP_FAILED);
    assert_int_equal(b.asked, 1);
    bed_close(&b);
    c.strict = "yes";
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, &c, yes);
    assert_int_equal(bed_settle(&b, true), RT_HOP_FAILED);
    assert_int_equal(b.asked, 0);
    assert_true(has_error(&b, "StrictHostKeyChecking"));
    bed_close(&b);
}

/* ---- logging in ---- */

static void takes_an_ecdsa_key(void **state) {
    struct bed b;
    struct bed_conf c = {.key = "id_ecdsa"};
    (void)state;
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, &c, NULL);
    assert_int_equal(bed_settle(&b, false), RT_HOP_UP);
    bed_close(&b);
}

static bool old_libssh2(void) {
    return libssh2_version(0x010b00) == NULL;
}

static void goes_by_ssh_where_libssh2_cannot(void **state) {
    static const char *const keys[] = {"id_rsa", "id_cert"};
    (void)state;
    for (size_t i = 0; i < RT_COUNT(keys); i++) {
        struct bed b;
        struct bed_conf c = {.key = keys[i]};
        bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, &c, NULL);
        enum rt_hop_state s = bed_settle(&b, false);
        assert_int_equal(s, old_libssh2() ? RT_HOP_FAILED : RT_HOP_UP);
        if (old_libssh2())
            assert_true(has_error(&b, "1.11"));
        bed_close(&b);
        bed_open(&b, "head", RT_TRANSPORT_AUTO, &c, NULL);
        assert_int_equal(bed_settle(&b, false), RT_HOP_UP);
        if (old_libssh2())
            assert_non_null(strstr(rt_hop_status(b.hop)->via, "ssh head (libssh2"));
        runs_here(&b, "head");
        bed_close(&b);
    }
}

static void newer_ciphers_only_go_by_ssh(void **state) {
    struct bed b;
    char extra[200];
    struct bed_conf c = {.extra = extra};
    (void)state;
    snprintf(extra, sizeof extra, "Host strange\n  HostName %s.0.2\n  Port 2200",
             getenv("RTB_NET"));
    bed_sshd("bastion", 2200, "Ciphers chacha20-poly1305@openssh.com,aes256-gcm@openssh.com");
    bed_open(&b, "strange", RT_TRANSPORT_LIBSSH2, &c, NULL);
    enum rt_hop_state s = bed_settle(&b, false);
    assert_int_equal(s, old_libssh2() ? RT_HOP_FAILED : RT_HOP_UP);
    if (old_libssh2())
        assert_true(has_error(&b, "in common"));
    bed_close(&b);
    bed_open(&b, "strange", RT_TRANSPORT_AUTO, &c, NULL);
    assert_int_equal(bed_settle(&b, false), RT_HOP_UP);
    runs_here(&b, "bastion");
    bed_close(&b);
}

/* libssh2 cannot use the RSA key, the ssh program is refused with it and cannot ask: libssh2 can.
 */
static void what_ssh_cannot_do_either_is_asked_for(void **state) {
    struct bed b;
    char extra[200];
    struct bed_conf c = {.extra = extra, .user = "pw", .key = "id_rsa_stranger"};
    char *key = bed_path("keys/id_rsa_stranger");
    const char *keygen[] = {"ssh-keygen", "-q", "-t", "rsa", "-N", "", "-f", key, NULL};
    (void)state;
    if (access(key, F_OK) != 0)
        free(bed_command(keygen));
    snprintf(extra, sizeof extra, "Host mixed\n  HostName %s.0.2\n  Port 2201", getenv("RTB_NET"));
    bed_sshd("bastion", 2201, "PasswordAuthentication yes\nKbdInteractiveAuthentication no");
    bed_open(&b, "mixed", RT_TRANSPORT_AUTO, &c, password);
    assert_int_equal(bed_settle(&b, false), RT_HOP_NEEDS_LOGIN);
    assert_int_equal(b.asked, 0);
    assert_int_equal(bed_settle(&b, true), RT_HOP_UP);
    assert_int_equal(b.asked, 1);
    assert_string_equal(rt_hop_status(b.hop)->via, "libssh2 mixed");
    bed_close(&b);
    free(key);
}

static void a_proxy_command_goes_by_ssh(void **state) {
    struct bed b;
    char extra[400];
    struct bed_conf c = {.extra = extra};
    (void)state;
    snprintf(
        extra, sizeof extra,
        "Host detour\n  HostName %s.1.11\n  ProxyCommand ssh -F %s/ssh_config -W %%h:%%p bastion",
        getenv("RTB_NET"), bed_state());
    bed_open(&b, "detour", RT_TRANSPORT_AUTO, &c, NULL);
    assert_int_equal(bed_settle(&b, false), RT_HOP_UP);
    assert_non_null(strstr(rt_hop_status(b.hop)->via, "ProxyCommand"));
    runs_here(&b, "w1");
    bed_close(&b);
}

static void asks_for_the_passphrase_of_a_key(void **state) {
    static const char *const wrong_then_right[] = {"wrong", "correct-horse", NULL};
    struct bed b;
    struct bed_conf c = {.key = "id_enc"};
    (void)state;
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, &c, wrong_then_right);
    assert_int_equal(bed_settle(&b, false), RT_HOP_NEEDS_LOGIN);
    assert_int_equal(b.asked, 0);
    assert_int_equal(bed_settle(&b, true), RT_HOP_UP);
    assert_int_equal(b.asked, 2);
    assert_int_equal(b.last.kind, RT_ASK_SECRET);
    bed_close(&b);
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, &c, nothing);
    assert_int_equal(bed_settle(&b, true), RT_HOP_NEEDS_LOGIN);
    bed_close(&b);
}

static void a_key_that_is_accepted_nowhere_is_refused(void **state) {
    struct bed b;
    struct bed_conf c = {.key = "id_stranger"};
    (void)state;
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, &c, NULL);
    assert_int_equal(bed_settle(&b, false), RT_HOP_FAILED);
    assert_true(has_error(&b, "permission denied"));
    bed_close(&b);
}

static void asks_for_a_password(void **state) {
    static const char *const second[] = {"wrong", "correct-horse", NULL};
    struct bed b;
    struct bed_conf c = {.user = "pw", .key = "id_stranger"};
    (void)state;
    bed_open(&b, "pw@bastion", RT_TRANSPORT_LIBSSH2, &c, second);
    assert_int_equal(bed_settle(&b, false), RT_HOP_NEEDS_LOGIN);
    assert_int_equal(bed_settle(&b, true), RT_HOP_UP);
    assert_int_equal(b.asked, 2);
    bed_close(&b);
}

static void takes_two_factors(void **state) {
    struct bed b;
    struct bed_conf c = {.user = "both"};
    (void)state;
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, &c, password);
    assert_int_equal(bed_settle(&b, true), RT_HOP_UP);
    assert_int_equal(b.asked, 1);
    runs_here(&b, "bastion");
    bed_close(&b);
}

static void never_sends_a_one_time_code_twice(void **state) {
    static const char *const tool[] = {"oathtool", "--totp",
                                       "00112233445566778899aabbccddeeff00112233", NULL};
    const char *answers[] = {"correct-horse", NULL, NULL, NULL};
    struct bed b;
    struct bed_conf c = {.user = "otp", .key = "id_stranger"};
    char *code = bed_command(tool);
    (void)state;
    answers[1] = code;
    bed_open(&b, "bastion", RT_TRANSPORT_AUTO, &c, answers);
    assert_int_equal(bed_settle(&b, true), RT_HOP_UP);
    assert_int_equal(b.asked, 2);
    assert_non_null(strstr(b.last_prompt, "One-time password"));
    bed_fault("bastion", "kill-sshd");
    bed_fault("bastion", "start-sshd");
    bed_wait(&b, RT_HOP_NEEDS_LOGIN);
    assert_int_equal(b.asked, 2);
    bed_close(&b);
    free(code);
}

static void takes_a_key_from_the_agent(void **state) {
    struct bed b;
    struct bed_conf c = {.key = "none", .extra = "IdentitiesOnly no"};
    char *socket = bed_path("agent"), *key = bed_path("keys/id_ed25519");
    const char *agent[] = {"ssh-agent", "-D", "-a", socket, NULL},
               *add[] = {"ssh-add", "-q", key, NULL};
    (void)state;
    unlink(socket);
    int pid = bed_spawn(agent);
    while (access(socket, F_OK) != 0)
        usleep(10000);
    setenv("SSH_AUTH_SOCK", socket, 1);
    free(bed_command(add));
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, &c, NULL);
    enum rt_hop_state s = bed_settle(&b, false);
    unsetenv("SSH_AUTH_SOCK");
    bed_echo_stop(pid);
    assert_int_equal(s, RT_HOP_UP);
    bed_close(&b);
    unlink(socket);
    free(socket);
    free(key);
}

/* ---- commands ---- */

static void cuts_off_the_noise_of_login_scripts(void **state) {
    static const char *const users[] = {"noisy", "dash", "ray"};
    (void)state;
    for (size_t i = 0; i < RT_COUNT(users); i++)
        for (int t = RT_TRANSPORT_LIBSSH2; t <= RT_TRANSPORT_OPENSSH; t++) {
            struct bed b;
            struct bed_result r;
            struct bed_conf c = {.user = users[i]};
            bed_open(&b, "bastion", (enum rt_transport)t, &c, NULL);
            bed_exec(&b, "printf 'it'\"'\"'s $HOME'; echo no >&2; exit 7", &r);
            if (r.failed)
                fail_msg("%s", r.error.message);
            assert_string_equal(r.out, "it's $HOME");
            assert_string_equal(r.err_text, "no\n");
            assert_int_equal(r.status, 7);
            bed_close(&b);
        }
}

static void a_login_shell_reads_its_profile(void **state) {
    struct bed b;
    struct bed_result r;
    struct rt_exec_opts o = {.script = "shopt -q login_shell && echo $BASH_VERSION",
                             .login_shell = true};
    struct bed_conf c = {.user = "noisy"};
    (void)state;
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, &c, NULL);
    bed_exec_opts(&b, &o, &r);
    assert_int_equal(r.status, 0);
    assert_true(r.out[0] >= '4');
    bed_close(&b);
}

static void an_account_without_a_shell_is_explained(void **state) {
    struct bed b;
    struct bed_result r;
    struct bed_conf c = {.user = "nologin"};
    (void)state;
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, &c, NULL);
    bed_exec(&b, "true", &r);
    assert_true(r.failed);
    assert_int_equal(r.error.code, RT_E_REMOTE);
    assert_non_null(strstr(r.error.message, "not available"));
    bed_close(&b);
}

static void ends_what_takes_too_long_on_the_far_side(void **state) {
    struct bed b;
    struct bed_result r;
    struct rt_exec_opts o = {.script = "exec sleep 4711", .timeout_ms = 1000};
    (void)state;
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, NULL, NULL);
    bed_exec_opts(&b, &o, &r);
    assert_true(r.failed);
    assert_int_equal(r.error.code, RT_E_TIMEOUT);
    bed_exec(&b, "pgrep -f 'sleep 471[1]' || echo gone", &r);
    assert_string_equal(r.out, "gone\n");
    bed_close(&b);
}

static void stops_reading_what_is_too_much(void **state) {
    struct bed b;
    struct bed_result r;
    struct rt_exec_opts o = {.script = "head -c 3000000 /dev/zero | tr '\\0' x",
                             .max_output = 100000};
    (void)state;
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, NULL, NULL);
    bed_exec_opts(&b, &o, &r);
    assert_int_equal(r.error.code, RT_E_LIMIT);
    runs_here(&b, "bastion");
    bed_close(&b);
}

static void many_commands_at_once_wait_for_their_turn(void **state) {
    for (int t = RT_TRANSPORT_LIBSSH2; t <= RT_TRANSPORT_OPENSSH; t++) {
        struct bed b;
        static struct bed_result r[20];
        struct rt_exec_opts o = {.script = "sleep 0.1; echo done"};
        (void)state;
        bed_open(&b, "bastion", (enum rt_transport)t, NULL, NULL);
        for (size_t i = 0; i < RT_COUNT(r); i++)
            bed_exec_start(&b, &o, &r[i]);
        for (size_t i = 0; i < RT_COUNT(r); i++) {
            while (!r[i].ended)
                bed_turn(&b);
            assert_string_equal(r[i].out, "done\n");
        }
        bed_close(&b);
    }
}

static void cancelled_commands_leave_nothing_behind(void **state) {
    struct bed b;
    struct bed_result r[3];
    struct rt_exec_opts o = {.script = "sleep 30"};
    (void)state;
    bed_open(&b, "head", RT_TRANSPORT_LIBSSH2, NULL, NULL);
    struct rt_op *early = bed_exec_start(&b, &o, &r[0]);
    rt_op_cancel(early); /* while the hop connects */
    bed_wait(&b, RT_HOP_UP);
    struct rt_op *second = bed_exec_start(&b, &o, &r[1]);
    rt_op_cancel(second); /* in the queue */
    struct rt_op *third = bed_exec_start(&b, &o, &r[2]);
    for (int i = 0; i < 20; i++)
        bed_turn(&b);
    rt_op_cancel(third); /* while it runs */
    runs_here(&b, "head");
    assert_false(r[0].ended || r[1].ended || r[2].ended);
    bed_close(&b);
}

/* ---- streams ---- */

static bool is_up(void *ctx) {
    return rt_hop_status(ctx)->state == RT_HOP_UP;
}

static struct rt_forward *forward(struct bed *b, int port) {
    struct rt_error err = {0};
    struct rt_forward_opts o = {.dialer = rt_hop_dialer(b->hop),
                                .host = "127.0.0.1",
                                .port = port,
                                .ready = is_up,
                                .ready_ctx = b->hop};
    struct rt_forward *f = rt_forward_open(b->loop, &o, &err);
    assert_non_null(f);
    return f;
}

static void dialled_streams_carry_and_half_close(void **state) {
    int echo = bed_echo_start("head", 7100);
    (void)state;
    for (int t = RT_TRANSPORT_LIBSSH2; t <= RT_TRANSPORT_OPENSSH; t++) {
        struct bed b;
        struct rt_error err = {0};
        bed_open(&b, "head", (enum rt_transport)t, NULL, NULL);
        const struct rt_dialer *d = rt_hop_dialer(b.hop);
        for (int i = 0; i < 3; i++) {
            int fd = d->dial(d->ctx, "127.0.0.1", 7100, &err); /* the first one opens the hop */
            assert_true(fd >= 0);
            assert_true(bed_round_trip(&b, fd, 3000000));
            close(fd);
        }
        assert_false(d->error(d->ctx, &err));
        bed_close(&b);
    }
    bed_echo_stop(echo);
}

static void a_port_that_nobody_serves_reads_an_end_and_a_reason(void **state) {
    (void)state;
    for (int t = RT_TRANSPORT_LIBSSH2; t <= RT_TRANSPORT_OPENSSH; t++) {
        struct bed b;
        struct rt_error err = {0};
        char c;
        ssize_t n;
        bed_open(&b, "head", (enum rt_transport)t, NULL, NULL);
        const struct rt_dialer *d = rt_hop_dialer(b.hop);
        int fd = d->dial(d->ctx, "127.0.0.1", 9, &err);
        while ((n = recv(fd, &c, 1, 0)) < 0)
            bed_turn(&b);
        assert_int_equal(n, 0);
        int64_t until = rt_mono_ms() + 5000;
        while (!d->error(d->ctx, &err) && rt_mono_ms() < until)
            bed_turn(&b);
        assert_true(d->error(d->ctx, &err));
        assert_int_equal(err.code, RT_E_UNREACHABLE);
        assert_non_null(strstr(err.message, "127.0.0.1:9"));
        assert_non_null(strstr(err.message, "connect failed"));
        close(fd);
        bed_close(&b);
    }
}

static void fifty_at_once_and_one_that_does_not_read(void **state) {
    int echo = bed_echo_start("head", 7101), fds[50];
    (void)state;
    for (int t = RT_TRANSPORT_LIBSSH2; t <= RT_TRANSPORT_OPENSSH; t++) {
        struct bed b;
        char junk[65536] = {0};
        bed_open(&b, "head", (enum rt_transport)t, NULL, NULL);
        struct rt_forward *f = forward(&b, 7101);
        assert_int_equal(bed_settle(&b, false), RT_HOP_UP);
        int port = rt_forward_status(f)->local_port, stalled = bed_connect(port);
        for (int idle = 0; idle < 20;) { /* its answers pile up until nothing moves */
            idle = send(stalled, junk, sizeof junk, MSG_NOSIGNAL) > 0 ? 0 : idle + 1;
            bed_turn(&b);
        }
        for (size_t i = 0; i < RT_COUNT(fds); i++)
            fds[i] = bed_connect(port);
        for (size_t i = 0; i < RT_COUNT(fds); i++) {
            assert_true(bed_round_trip(&b, fds[i], 100000));
            close(fds[i]);
        }
        assert_int_equal(rt_forward_status(f)->connections_total, 51);
        assert_true(rt_forward_status(f)->bytes_in >= 50 * 100000);
        close(stalled);
        rt_forward_close(f);
        bed_close(&b);
    }
    bed_echo_stop(echo);
}

static void an_open_that_hangs_does_not_stop_the_others(void **state) {
    struct bed b;
    struct rt_error err = {0};
    char net[64], banner[64] = "";
    int open_before;
    ssize_t n;
    (void)state;
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, NULL, NULL);
    const struct rt_dialer *d = rt_hop_dialer(b.hop);
    assert_int_equal(bed_settle(&b, false), RT_HOP_UP);
    snprintf(net, sizeof net, "%s.1.10", getenv("RTB_NET"));
    open_before = d->dial(d->ctx, net, 22, &err);
    while (recv(open_before, banner, 4, 0) != 4)
        bed_turn(&b);
    bed_fault("w1", "drop");
    char w1[64];
    snprintf(w1, sizeof w1, "%s.1.11", getenv("RTB_NET"));
    int hanging = d->dial(d->ctx, w1, 22, &err);
    for (int i = 0; i < 10; i++)
        bed_turn(&b);
    int next = d->dial(d->ctx, net, 22, &err);
    while ((n = recv(next, banner, 4, 0)) < 0)
        bed_turn(&b);
    bed_fault("w1", "undrop");
    assert_int_equal(n, 4);
    assert_int_equal(strncmp(banner, "SSH-", 4), 0);
    assert_int_equal(rt_hop_status(b.hop)->state, RT_HOP_UP);
    assert_int_equal(send(open_before, "SSH-2.0-x\r\n", 11, MSG_NOSIGNAL), 11); /* still alive */
    while ((n = recv(open_before, banner, 1, 0)) < 0)
        bed_turn(&b);
    assert_int_equal(n, 1);
    runs_here(&b, "bastion");
    close(open_before);
    close(hanging);
    close(next);
    bed_close(&b);
}

/* ---- when the other side goes away ---- */

static void comes_back_on_the_same_port(void **state) {
    int echo = bed_echo_start("head", 7102);
    (void)state;
    for (int t = RT_TRANSPORT_LIBSSH2; t <= RT_TRANSPORT_OPENSSH; t++) {
        struct bed b;
        char c;
        ssize_t n;
        bed_open(&b, "head", (enum rt_transport)t, NULL, NULL);
        struct rt_forward *f = forward(&b, 7102);
        int port = rt_forward_status(f)->local_port;
        assert_int_equal(bed_settle(&b, false), RT_HOP_UP);
        int open = bed_connect(port);
        while (send(open, "x", 1, MSG_NOSIGNAL) != 1 || recv(open, &c, 1, 0) != 1)
            bed_turn(&b);
        bed_fault("bastion", "kill-sshd");
        bed_wait(&b, RT_HOP_RETRYING);
        while ((n = recv(open, &c, 1, 0)) > 0 ||
               (n < 0 && rt_hop_status(b.hop)->state != RT_HOP_UP && n != 0)) {
            if (n < 0)
                bed_turn(&b);
            if (rt_hop_status(b.hop)->attempt > 2)
                break;
        }
        int waiting = bed_connect(port); /* comes while the way is down */
        bed_fault("bastion", "start-sshd");
        assert_true(bed_round_trip(&b, waiting, 50000));
        assert_int_equal(rt_hop_status(b.hop)->state, RT_HOP_UP);
        assert_int_equal(rt_forward_status(f)->local_port, port);
        close(open);
        close(waiting);
        rt_forward_close(f);
        bed_close(&b);
    }
    bed_echo_stop(echo);
}

static void notices_that_packets_vanish(void **state) {
    (void)state;
    for (int t = RT_TRANSPORT_LIBSSH2; t <= RT_TRANSPORT_OPENSSH; t++) {
        struct bed b;
        bed_open(&b, "bastion", (enum rt_transport)t, NULL, NULL);
        assert_int_equal(bed_settle(&b, false), RT_HOP_UP);
        bed_fault("bastion", "drop");
        bed_wait(&b, RT_HOP_RETRYING);
        bed_fault("bastion", "undrop");
        bed_wait(&b, RT_HOP_UP);
        runs_here(&b, "bastion");
        bed_close(&b);
    }
}

static void a_frozen_server_does_not_hold_us(void **state) {
    struct bed b;
    (void)state;
    bed_open(&b, "bastion", RT_TRANSPORT_LIBSSH2, NULL, NULL);
    bed_fault("bastion", "freeze");
    assert_int_equal(bed_settle(&b, false), RT_HOP_RETRYING);
    assert_true(has_error(&b, "no answer"));
    bed_fault("bastion", "thaw");
    bed_wait(&b, RT_HOP_UP);
    bed_close(&b);
}

static void a_refused_connection_is_tried_again(void **state) {
    struct bed b;
    (void)state;
    bed_fault("bastion", "stop-sshd");
    bed_open(&b, "head", RT_TRANSPORT_AUTO, NULL, NULL);
    assert_int_equal(bed_settle(&b, false), RT_HOP_RETRYING);
    assert_true(has_error(&b, "refused"));
    bed_fault("bastion", "start-sshd");
    bed_wait(&b, RT_HOP_UP);
    bed_close(&b);
}

static void a_dead_inner_host_is_named(void **state) {
    struct bed b;
    (void)state;
    bed_fault("w2", "stop-sshd");
    bed_open(&b, "w2", RT_TRANSPORT_LIBSSH2, NULL, NULL);
    assert_int_equal(bed_settle(&b, false), RT_HOP_RETRYING);
    assert_true(has_error(&b, "is not reached from ray@"));
    bed_fault("w2", "start-sshd");
    bed_wait(&b, RT_HOP_UP);
    bed_close(&b);
}

/* Not a bed of roses: destroyed at every moment of its way up. */
static void may_be_destroyed_at_any_time(void **state) {
    (void)state;
    for (int t = RT_TRANSPORT_LIBSSH2; t <= RT_TRANSPORT_OPENSSH; t++)
        for (int turns = 0; turns < 40; turns += 3) {
            struct bed b;
            struct rt_error err = {0};
            bed_open(&b, "head", (enum rt_transport)t, NULL, NULL);
            const struct rt_dialer *d = rt_hop_dialer(b.hop);
            int fd = d->dial(d->ctx, "127.0.0.1", 22, &err);
            for (int i = 0; i < turns; i++)
                bed_turn(&b);
            bed_close(&b);
            char c;
            while (recv(fd, &c, 1, 0) > 0)
                ;
            assert_int_equal(recv(fd, &c, 1, 0), 0);
            close(fd);
        }
}

int main(int argc, char **argv) {
    if (argc == 3 && strcmp(argv[1], "--echo") == 0)
        return bed_echo_main((int)strtol(argv[2], NULL, 10));
    if (!bed_state()) {
        puts("skipped: no test bed (RTB_STATE); run.sh makes one");
        return 77;
    }
    if (argc == 2)
        cmocka_set_test_filter(argv[1]);
    signal(SIGPIPE, SIG_IGN);
    unsetenv("SSH_AUTH_SOCK");
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(goes_through_the_bastion),
        cmocka_unit_test(knows_hashed_names),
        cmocka_unit_test(refuses_a_changed_key_even_when_not_strict),
        cmocka_unit_test(refuses_a_revoked_key),
        cmocka_unit_test(asks_for_an_unknown_key_and_remembers_it),
        cmocka_unit_test(refuses_an_unknown_key_without_a_yes),
        cmocka_unit_test(takes_an_ecdsa_key),
        cmocka_unit_test(goes_by_ssh_where_libssh2_cannot),
        cmocka_unit_test(newer_ciphers_only_go_by_ssh),
        cmocka_unit_test(what_ssh_cannot_do_either_is_asked_for),
        cmocka_unit_test(a_proxy_command_goes_by_ssh),
        cmocka_unit_test(asks_for_the_passphrase_of_a_key),
        cmocka_unit_test(a_key_that_is_accepted_nowhere_is_refused),
        cmocka_unit_test(asks_for_a_password),
        cmocka_unit_test(takes_two_factors),
        cmocka_unit_test(never_sends_a_one_time_code_twice),
        cmocka_unit_test(takes_a_key_from_the_agent),
        cmocka_unit_test(cuts_off_the_noise_of_login_scripts),
        cmocka_unit_test(a_login_shell_reads_its_profile),
        cmocka_unit_test(an_account_without_a_shell_is_explained),
        cmocka_unit_test(ends_what_takes_too_long_on_the_far_side),
        cmocka_unit_test(stops_reading_what_is_too_much),
        cmocka_unit_test(many_commands_at_once_wait_for_their_turn),
        cmocka_unit_test(cancelled_commands_leave_nothing_behind),
        cmocka_unit_test(dialled_streams_carry_and_half_close),
        cmocka_unit_test(a_port_that_nobody_serves_reads_an_end_and_a_reason),
        cmocka_unit_test(fifty_at_once_and_one_that_does_not_read),
        cmocka_unit_test(an_open_that_hangs_does_not_stop_the_others),
        cmocka_unit_test(comes_back_on_the_same_port),
        cmocka_unit_test(notices_that_packets_vanish),
        cmocka_unit_test(a_frozen_server_does_not_hold_us),
        cmocka_unit_test(a_refused_connection_is_tried_again),
        cmocka_unit_test(a_dead_inner_host_is_named),
        cmocka_unit_test(may_be_destroyed_at_any_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
