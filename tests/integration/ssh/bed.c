#include "bed.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/tcp.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

const char *bed_state(void) {
    return getenv("RTB_STATE");
}

char *bed_path(const char *name) {
    return rt_strf("%s/%s", bed_state(), name);
}

/* ---- answers ---- */

struct asking {
    struct rt_op op;
    struct bed *bed;
    struct rt_op *later;
    rt_answer_fn *fn;
    void *ctx;
};

static void asking_cancel(struct rt_op *op) {
    struct asking *a = (struct asking *)op;
    rt_op_drop(&a->later);
    free(a);
}

static void give_answer(void *ctx) {
    struct asking *a = ctx;
    struct bed *b = a->bed;
    rt_answer_fn *fn = a->fn;
    void *fn_ctx = a->ctx;
    const char *answer = b->answers ? b->answers[b->asked - 1] : NULL;
    free(a);
    fn(fn_ctx, answer);
}

static struct rt_op *on_ask(void *ctx, const struct rt_question *q, rt_answer_fn *fn,
                            void *fn_ctx) {
    struct bed *b = ctx;
    struct asking *a = RT_NEW(struct asking);
    b->asked++;
    b->last.kind = q->kind;
    snprintf(b->last_text, sizeof b->last_text, "%s", q->text);
    snprintf(b->last_prompt, sizeof b->last_prompt, "%s", q->prompt);
    a->op.cancel = asking_cancel;
    a->bed = b;
    a->fn = fn;
    a->ctx = fn_ctx;
    a->later = rt_loop_defer(b->loop, give_answer, a);
    return &a->op;
}

/* ---- hops ---- */

static const char *either(const char *a, const char *b) {
    return a ? a : b;
}

static void write_config(struct bed *b, const struct bed_conf *c) {
    static const char *const names[] = {"bastion", "head-direct", "head", "w1", "w2"};
    static const char *const inner[] = {"0.2", "2.10", "1.10", "1.11", "1.12"};
    const char *net = getenv("RTB_NET"), *s = bed_state();
    struct rt_error err;
    struct rt_buf t;
    rt_buf_init(&t, 0);
    if (c->extra)
        rt_buf_addf(&t, "%s\n", c->extra);
    for (size_t i = 0; i < RT_COUNT(names); i++)
        rt_buf_addf(&t, "Host %s\n  HostName %s.%s\n%s", names[i], net, inner[i],
                    i < 2 ? "" : "  ProxyJump bastion\n");
    rt_buf_addf(&t,
                "Host *\n  User %s\n  IdentityFile %s/keys/%s\n  IdentitiesOnly yes\n  "
                "UserKnownHostsFile %s/%s\n"
                "  GlobalKnownHostsFile /dev/null\n  StrictHostKeyChecking %s\n",
                either(c->user, "ray"), s, either(c->key, "id_ed25519"), s,
                either(c->known, "known_hosts"), either(c->strict, "yes"));
    snprintf(b->config, sizeof b->config, "%s/config-XXXXXX", s);
    int fd = mkstemp(b->config);
    assert_true(fd >= 0);
    close(fd);
    assert_true(rt_file_write(b->config, t.data, t.len, &err));
    rt_buf_deinit(&t);
}

void bed_open(struct bed *b, const char *target, enum rt_transport t, const struct bed_conf *c,
              const char *const *answers) {
    static const struct bed_conf usual;
    struct rt_error err = {0};
    *b = (struct bed){.answers = answers};
    write_config(b, c ? c : &usual);
    b->loop = rt_loop_create(&err);
    assert_non_null(b->loop);
    b->asker = (struct rt_asker){.ask = on_ask, .ctx = b};
    b->opts = (struct rt_hop_opts){.name = "bed",
                                   .target = target,
                                   .config_file = b->config,
                                   .transport = t,
                                   .asker = answers ? &b->asker : NULL};
    b->hop = rt_hop_create(b->loop, &b->opts, NULL, NULL);
}

void bed_close(struct bed *b) {
    rt_hop_destroy(b->hop);
    for (int i = 0; i < 50; i++)
        rt_loop_turn(b->loop, false);
    rt_loop_destroy(b->loop);
    unlink(b->config);
}

static void on_tick(void *ctx) {
    (void)ctx;
}

void bed_turn(struct bed *b) {
    struct rt_timer *t = rt_timer_start(b->loop, 20, 0, on_tick, NULL);
    rt_loop_turn(b->loop, true);
    rt_timer_stop(t);
}

static const char *what(const struct bed *b) {
    return rt_hop_status(b->hop)->error.message;
}

void bed_wait(struct bed *b, enum rt_hop_state state) {
    int64_t until = rt_mono_ms() + SECONDS * 1000;
    while (rt_hop_status(b->hop)->state != state) {
        if (rt_mono_ms() > until)
            fail_msg("state %d, not %d: %s", rt_hop_status(b->hop)->state, state, what(b));
        bed_turn(b);
    }
}

enum rt_hop_state bed_settle(struct bed *b, bool may_ask) {
    int64_t until = rt_mono_ms() + SECONDS * 1000;
    rt_hop_open(b->hop, may_ask);
    for (;;) {
        enum rt_hop_state s = rt_hop_status(b->hop)->state;
        if (s != RT_HOP_IDLE && s != RT_HOP_CONNECTING)
            return s;
        if (rt_mono_ms() > until)
            fail_msg("still connecting: %s", what(b));
        bed_turn(b);
    }
}

/* ---- commands ---- */

static void on_exec(void *ctx, const struct rt_exec_result *res, const struct rt_error *err) {
    struct bed_result *r = ctx;
    r->ended = true;
    r->failed = err != NULL;
    if (err) {
        r->error = *err;
        return;
    }
    r->status = res->status;
    snprintf(r->out, sizeof r->out, "%s", res->out);
    snprintf(r->err_text, sizeof r->err_text, "%s", res->err_text);
}

struct rt_op *bed_exec_start(struct bed *b, const struct rt_exec_opts *o, struct bed_result *r) {
    *r = (struct bed_result){0};
    return rt_hop_exec(b->hop, o, on_exec, r);
}

void bed_exec_opts(struct bed *b, const struct rt_exec_opts *o, struct bed_result *r) {
    int64_t until = rt_mono_ms() + SECONDS * 1000;
    bed_exec_start(b, o, r);
    while (!r->ended) {
        if (rt_mono_ms() > until)
            fail_msg("the command does not end: %s", o->script);
        bed_turn(b);
    }
}

void bed_exec(struct bed *b, const char *script, struct bed_result *r) {
    struct rt_exec_opts o = {.script = script};
    bed_exec_opts(b, &o, r);
}

/* ---- the world around ---- */

static int spawn(const char *const *argv, int out) {
    pid_t pid = fork();
    if (pid == 0) {
        if (out >= 0)
            dup2(out, STDOUT_FILENO);
        execvp(argv[0], (char *const *)(uintptr_t)argv);
        _exit(127);
    }
    assert_true(pid > 0);
    return (int)pid;
}

int bed_spawn(const char *const *argv) {
    return spawn(argv, -1);
}

void bed_fault(const char *host, const char *action) {
    const char *argv[] = {
        "bash", RT_SOURCE_DIR "/tests/testbed/fault.sh", "-s", bed_state(), host, action, NULL};
    int status;
    waitpid(spawn(argv, -1), &status, 0);
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

char *bed_command(const char *const *argv) {
    int fds[2], status;
    char text[512] = "";
    assert_int_equal(pipe(fds), 0);
    int pid = spawn(argv, fds[1]);
    close(fds[1]);
    ssize_t n = read(fds[0], text, sizeof text - 1);
    close(fds[0]);
    waitpid(pid, &status, 0);
    text[n > 0 ? strcspn(text, "\n") : 0] = '\0';
    return rt_strdup(text);
}

void bed_sshd(const char *host, int port, const char *config) {
    struct rt_error err;
    struct rt_buf pid;
    char inside[64];
    char *file = rt_strf("%s/share/sshd-%d.conf", bed_state(), port);
    char *pid_file = rt_strf("%s/hosts/%s/init.pid", bed_state(), host);
    char *text =
        rt_strf("Port %d\nHostKey /etc/ssh/ssh_host_ed25519_key\nUsePAM yes\nPidFile none\n%s\n",
                port, config);
    snprintf(inside, sizeof inside, "/srv/sshd-%d.conf", port);
    assert_true(rt_file_write(file, text, strlen(text), &err));
    rt_buf_init(&pid, 64);
    assert_true(rt_file_read(pid_file, 64, &pid, &err));
    pid.data[strcspn(pid.data, "\n")] = '\0';
    const char *argv[] = {"nsenter", "-t", pid.data,         "-m", "-u",   "-i", "-n",
                          "-p",      "--", "/usr/sbin/sshd", "-f", inside, NULL};
    waitpid(spawn(argv, -1), NULL, 0);
    rt_buf_deinit(&pid);
    free(file);
    free(pid_file);
    free(text);
}

int bed_echo_start(const char *host, int port) {
    char ns[64], number[16], self[512];
    ssize_t n = readlink("/proc/self/exe", self, sizeof self - 1);
    assert_true(n > 0);
    self[n] = '\0';
    snprintf(ns, sizeof ns, "%s-%s", getenv("RTB_PREFIX"), host);
    snprintf(number, sizeof number, "%d", port);
    const char *argv[] = {"ip", "netns", "exec", ns, self, "--echo", number, NULL};
    int fds[2];
    char ready;
    assert_int_equal(pipe(fds), 0);
    int pid = spawn(argv, fds[1]);
    close(fds[1]);
    assert_int_equal(read(fds[0], &ready, 1), 1);
    close(fds[0]);
    return pid;
}

void bed_echo_stop(int pid) {
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
}

static void echo(int fd) {
    char buf[65536];
    ssize_t n;
    while ((n = recv(fd, buf, sizeof buf, 0)) > 0)
        for (ssize_t done = 0, m; done < n; done += m)
            if ((m = send(fd, buf + done, (size_t)(n - done), MSG_NOSIGNAL)) <= 0)
                _exit(0);
    _exit(0);
}

int bed_echo_main(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    int one = 1, fd = socket(AF_INET, SOCK_STREAM, 0);
    a.sin_addr.s_addr = htonl(INADDR_ANY);
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, (const struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 128) != 0)
        return 1;
    signal(SIGCHLD, SIG_IGN);
    if (write(STDOUT_FILENO, "r", 1) != 1)
        return 1;
    close(STDOUT_FILENO);
    for (;;) {
        int c = accept(fd, NULL, NULL);
        if (c >= 0 && fork() == 0)
            echo(c);
        close(c);
    }
}

int bed_connect(int port) {
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_port = htons((uint16_t)port)};
    a.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&a, sizeof a), 0);
    rt_fd_prepare(fd);
    return fd;
}

bool bed_round_trip(struct bed *b, int fd, size_t n) {
    size_t sent = 0, got = 0;
    bool shut = false;
    char buf[65536];
    int64_t until = rt_mono_ms() + SECONDS * 1000;
    while (rt_mono_ms() < until) {
        while (sent < n) {
            size_t k = RT_MIN(n - sent, sizeof buf);
            for (size_t i = 0; i < k; i++)
                buf[i] = (char)((sent + i) * 31 >> 3);
            ssize_t m = send(fd, buf, k, MSG_NOSIGNAL);
            if (m <= 0)
                break;
            sent += (size_t)m;
        }
        if (sent == n && !shut) {
            shut = true;
            shutdown(fd, SHUT_WR);
        }
        ssize_t m;
        while ((m = recv(fd, buf, sizeof buf, 0)) > 0)
            for (ssize_t i = 0; i < m; i++, got++)
                if (buf[i] != (char)(got * 31 >> 3))
                    return false;
        if (m == 0)
            return got == n;
        if (errno != EAGAIN && errno != EWOULDBLOCK)
            return false;
        struct rt_timer *t = rt_timer_start(b->loop, 2, 0, on_tick, NULL);
        rt_loop_turn(b->loop, true);
        rt_timer_stop(t);
    }
    return false;
}
