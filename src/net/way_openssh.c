/* A way out through the system's ssh: one child is the master and holds the connection; each
 * endpoint gets a forward from a Unix socket of ours, each command a short-lived client of the same
 * master. The master cannot ask: what needs an answer is had beforehand (ssh-add), or ends as
 * "needs login". */
#include "net/way.h"

#include "base/fs.h"
#include "base/mem.h"
#include "base/str.h"
#include "base/vec.h"
#include "net/relay.h"
#include "net/tcp.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    LOOK_MS = 25,      /* for the master's socket */
    REASON_MS = 50,    /* the master writes why after the stream has ended */
    MASTER_MS = 30000, /* for connection and login */
    FORWARD_MS = 10000,
    TOWARDS_SSH = 1024 * 1024, /* bytes that may wait for it: then a large piece is written at once, not in parts */
    ALIVE_S = 5,
    SAID_MAX = 8 * 1024 /* of what the master wrote */
};

struct endpoint {
    struct child *way;
    char *host, *path;
    int port;
    bool ready;
    struct rt_op *op;
    struct rt_error error;
};

struct child {
    struct rt_way way;
    struct rt_loop *loop;
    struct rt_way_events events;
    struct rt_strs words; /* that choose the target */
    char *host, *shown;
    char *dir, *socket; /* a directory of its own: it goes with the last one, not with another's */
    struct rt_proc *master;
    struct rt_error not_started; /* why there is none */
    struct rt_timer *look;
    int64_t until_ms;
    bool up;
    struct rt_buf said; /* its latest words */
    int64_t said_total;
    RT_VEC(struct endpoint *) endpoints;
    RT_VEC(struct stream *) streams;
    RT_VEC(struct command *) commands;
    unsigned int paths;
};

struct stream {
    struct rt_op op;
    struct child *way; /* NULL once the way is gone */
    struct rt_loop *loop;
    int near;
    struct endpoint *endpoint;
    struct rt_splice *to; /* the relay counts in it; its end comes to us first */
    void (*end)(void *ctx, const struct rt_error *err);
    void *ctx;
    struct rt_op *relay;
    struct rt_timer *later; /* the end is told, after the master had its say */
    struct rt_error error;
    int64_t said_before; /* how much the master had written when this stream began */
};

struct command {
    struct rt_op op;
    struct child *way;
    struct rt_loop *loop;
    struct rt_proc *proc;
    struct rt_command cmd;
    struct rt_op *later;
    struct rt_error error;
};

/* ---- what the master says ---- */

static bool said(const struct child *c, const char *what) {
    return rt_contains_i(rt_buf_str(&c->said), what);
}

/* What ends every failure behind a jump host says less than the line before it. */
static bool is_echo(const char *line, size_t n) {
    static const char *const echoes[] = {"kex_exchange_identification:", "Connection closed by UNKNOWN", "Host key verification failed"};
    for (size_t i = 0; i < RT_COUNT(echoes); i++)
        if (n >= strlen(echoes[i]) && strncmp(line, echoes[i], strlen(echoes[i])) == 0)
            return true;
    return false;
}

/* The last line that is worth reading. */
static void last_line(const struct child *c, char *out, size_t size) {
    const char *text = rt_buf_str(&c->said), *best = "", *end = text;
    size_t best_len = 0;
    while (*end) {
        size_t n = strcspn(end, "\r\n");
        if (n > 0 && *end != '@' && (!best_len || !is_echo(end, n))) {
            best = end;
            best_len = n;
        }
        end += n + strspn(end + n, "\r\n");
    }
    char *line = rt_strndup(best, best_len);
    rt_clean_to(out, size, line);
    free(line);
}

/* "Offending ED25519 key in FILE:LINE" */
static bool offending_line(const struct child *c, char *out, size_t size) {
    const char *at = strstr(rt_buf_str(&c->said), "Offending ");
    const char *in = at ? strstr(at, " key in ") : NULL;
    if (!in)
        return false;
    in += strlen(" key in ");
    char *place = rt_strndup(in, strcspn(in, "\r\n"));
    rt_clean_to(out, size, place);
    free(place);
    return true;
}

static enum rt_way_end classify(const struct child *c, struct rt_error *err) {
    char line[300], place[200];
    last_line(c, line, sizeof line);
    rt_error_set(err, RT_E_UNREACHABLE, "ssh %s: %s", c->shown, *line ? line : "ended without a word");
    if (said(c, "host identification has changed") && offending_line(c, place, sizeof place)) {
        rt_error_set(err, RT_E_DENIED, "ssh %s: %s (%s)", c->shown, line, place);
        rt_error_hint(err, "if the host was made anew, take that line away; if not, another host answers in its place");
        return RT_WAY_FAILED;
    }
    if (said(c, "host identification has changed") || said(c, "revoked host key") || said(c, "host key verification failed")) {
        err->code = RT_E_DENIED;
        rt_error_hint(err, "connect once with `ssh %s` and compare the fingerprint", c->shown);
        return RT_WAY_FAILED;
    }
    if (said(c, "permission denied") || said(c, "too many authentication failures")) {
        err->code = RT_E_DENIED;
        rt_error_hint(err, "load the key first (ssh-add), or log in once with `ssh %s`", c->shown);
        return RT_WAY_NEEDS_LOGIN;
    }
    if (said(c, "bad configuration option") || said(c, "invalid characters") ||
        said(c, "unknown option")) {
        err->code = RT_E_CONFIG;
        return RT_WAY_FAILED;
    }
    return RT_WAY_LOST;
}

/* ---- streams ---- */

static void stream_free(struct stream *t) {
    struct child *c = t->way;
    for (size_t i = 0; c && i < c->streams.n; i++)
        if (c->streams.v[i] == t) {
            rt_vec_remove(&c->streams, i);
            break;
        }
    rt_op_drop(&t->relay);
    rt_timer_stop(t->later);
    if (t->near >= 0)
        close(t->near);
    free(t);
}

static void stream_cancel(struct rt_op *op) {
    stream_free((struct stream *)op);
}

/* "channel 2: open failed: connect failed: Connection refused", among what it wrote since then. */
static void add_reason(struct stream *t) {
    const struct child *c = t->way;
    if (!c || t->error.code || t->to->bytes_in > 0)
        return;
    int64_t from = RT_MAX(t->said_before - (c->said_total - (int64_t)c->said.len), 0);
    const char *key = "open failed: ", *why = strstr(rt_buf_str(&c->said) + from, key);
    if (!why)
        return;
    char clean[200], *line;
    why += strlen(key);
    line = rt_strndup(why, strcspn(why, "\r\n"));
    rt_error_set(&t->error, RT_E_UNREACHABLE, "%s:%d is not reached from %s: %s", t->endpoint->host,
                 t->endpoint->port, c->shown, rt_clean_to(clean, sizeof clean, line));
    free(line);
}

static void tell_stream_end(void *ctx) {
    struct stream *t = ctx;
    add_reason(t);
    void (*end)(void *, const struct rt_error *) = t->end;
    void *end_ctx = t->ctx;
    struct rt_error err = t->error;
    stream_free(t);
    end(end_ctx, err.code ? &err : NULL);
}

static void stream_end(struct stream *t, const struct rt_error *err) {
    if (t->later)
        return;
    if (err)
        t->error = *err;
    if (t->near >= 0)
        close(t->near);
    t->near = -1;
    bool silent = !err && t->to->bytes_in == 0;
    t->later = rt_timer_start(t->loop, silent ? REASON_MS : 0, 0, tell_stream_end, t);
}

static void on_relay_end(void *ctx, const struct rt_error *err) {
    struct stream *t = ctx;
    t->relay = NULL;
    stream_end(t, err);
}

static int connect_unix(const char *path, struct rt_error *err) {
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    const int room = TOWARDS_SSH;
    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    if (fd >= 0)
        (void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
    if (fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof a) == 0 && rt_fd_prepare(fd))
        return fd;
    rt_error_set(err, RT_E_UNREACHABLE, "the forward of ssh: %s", strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static void stream_go(struct stream *t) {
    struct rt_error err;
    int far = connect_unix(t->endpoint->path, &err), near = t->near;
    if (far < 0) {
        stream_end(t, &err);
        return;
    }
    t->near = -1;
    t->said_before = t->way->said_total;
    t->relay = rt_relay_start(t->loop, near, far, t->to);
}

/* ---- endpoints: one forward of the master each ---- */

static void endpoint_free(struct endpoint *e) {
    rt_op_drop(&e->op);
    unlink(e->path);
    free(e->host);
    free(e->path);
    free(e);
}

static void endpoint_remove(struct endpoint *e) {
    struct child *c = e->way;
    for (size_t i = 0; i < c->endpoints.n; i++)
        if (c->endpoints.v[i] == e) {
            rt_vec_remove(&c->endpoints, i);
            break;
        }
    endpoint_free(e);
}

static void on_forwarded(void *ctx, const struct rt_run_result *r, const struct rt_error *err) {
    struct endpoint *e = ctx;
    struct child *c = e->way;
    struct rt_error failure = err ? *err : (struct rt_error){0};
    e->op = NULL;
    e->ready = !err && r->exit.status == 0;
    if (!err && !e->ready) {
        char clean[200];
        rt_error_set(&failure, RT_E_UNREACHABLE, "ssh %s: no forward to %s:%d: %s", c->shown,
                     e->host, e->port,
                     rt_clean_to(clean, sizeof clean, r->err_text ? r->err_text : ""));
    }
    for (size_t i = c->streams.n; i-- > 0;) {
        struct stream *t = c->streams.v[i];
        if (t->endpoint != e || t->relay || t->later)
            continue;
        if (e->ready)
            stream_go(t);
        else
            stream_end(t, &failure);
    }
    if (!e->ready) {
        for (size_t i = 0; i < c->streams.n; i++)
            if (c->streams.v[i]->endpoint == e)
                c->streams.v[i]->endpoint = NULL;
        endpoint_remove(e);
    }
}

/* ssh -S SOCKET and the words that choose the target; the caller adds the host. */
static void client_argv(const struct child *c, struct rt_strs *argv) {
    rt_strs_add(argv, "ssh");
    rt_strs_add(argv, "-S");
    rt_strs_add(argv, c->socket);
    rt_strs_add(argv, "-oBatchMode=yes");
    rt_strs_add(argv, "-oControlMaster=no");
    rt_strs_add(argv, "-oClearAllForwardings=no");
    rt_strs_copy(argv, &c->words);
}

static struct endpoint *endpoint_open(struct child *c, const char *host, int port) {
    struct endpoint *e = RT_NEW(struct endpoint);
    struct rt_strs argv = {0};
    e->way = c;
    e->host = rt_strdup(host);
    e->port = port;
    e->path = rt_strf("%s-%u", c->socket, ++c->paths);
    client_argv(c, &argv);
    rt_strs_add(&argv, "-O");
    rt_strs_add(&argv, "forward");
    rt_strs_add(&argv, "-L");
    rt_strs_addf(&argv, strchr(host, ':') ? "%s:[%s]:%d" : "%s:%s:%d", e->path, host, port);
    rt_strs_add(&argv, "--");
    rt_strs_add(&argv, c->host);
    struct rt_proc_opts o = {.argv = (const char *const *)argv.v, .timeout_ms = FORWARD_MS};
    *rt_vec_push(&c->endpoints) = e;
    e->op = rt_run(c->loop, &o, SAID_MAX, on_forwarded, e);
    rt_strs_deinit(&argv);
    return e;
}

static struct endpoint *endpoint_of(struct child *c, const char *host, int port) {
    for (size_t i = 0; i < c->endpoints.n; i++)
        if (c->endpoints.v[i]->port == port && rt_streq(c->endpoints.v[i]->host, host))
            return c->endpoints.v[i];
    return endpoint_open(c, host, port);
}

static struct rt_op *child_splice(struct rt_way *w, int fd, const char *host, int port,
                                  struct rt_splice *to) {
    struct child *c = (struct child *)w;
    struct stream *t = RT_NEW(struct stream);
    t->op.cancel = stream_cancel;
    t->way = c;
    t->loop = c->loop;
    t->near = fd;
    t->to = to;
    t->end = to->end;
    t->ctx = to->ctx;
    to->end = on_relay_end;
    to->ctx = t;
    *rt_vec_push(&c->streams) = t;
    t->endpoint = endpoint_of(c, host, port);
    if (t->endpoint->ready)
        stream_go(t);
    return &t->op;
}

/* ---- commands ---- */

static void command_free(struct command *x) {
    struct child *c = x->way;
    for (size_t i = 0; c && i < c->commands.n; i++)
        if (c->commands.v[i] == x) {
            rt_vec_remove(&c->commands, i);
            break;
        }
    rt_op_drop(&x->later);
    rt_proc_destroy(x->proc);
    free(x);
}

static void command_cancel(struct rt_op *op) {
    command_free((struct command *)op);
}

static void command_failed(void *ctx) {
    struct command *x = ctx;
    struct rt_command cmd = x->cmd;
    struct rt_error err = x->error;
    x->later = NULL;
    command_free(x);
    cmd.end(cmd.ctx, -1, &err);
}

static void on_command_exit(void *ctx, const struct rt_proc_exit *e) {
    struct command *x = ctx;
    struct rt_command cmd = x->cmd;
    int status = e->status;
    x->proc = NULL;
    command_free(x);
    cmd.end(cmd.ctx, status, NULL);
}

static void on_command_output(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    const struct command *x = ctx;
    x->cmd.output(x->cmd.ctx, stream, data, n);
}

static struct rt_op *child_exec(struct rt_way *w, const struct rt_command *cmd) {
    struct child *c = (struct child *)w;
    struct command *x = RT_NEW(struct command);
    struct rt_strs argv = {0};
    x->op.cancel = command_cancel;
    x->way = c;
    x->loop = c->loop;
    x->cmd = *cmd;
    *rt_vec_push(&c->commands) = x;
    client_argv(c, &argv);
    rt_strs_add(&argv, "-T");
    rt_strs_add(&argv, "--");
    rt_strs_add(&argv, c->host);
    rt_strs_add(&argv, cmd->line);
    struct rt_proc_opts o = {.argv = (const char *const *)argv.v,
                             .input = cmd->input,
                             .input_len = cmd->input_len,
                             .output = on_command_output};
    x->proc = rt_proc_start(c->loop, &o, on_command_exit, x, &x->error);
    if (!x->proc)
        x->later = rt_loop_defer(c->loop, command_failed, x);
    rt_strs_deinit(&argv);
    return &x->op;
}

/* ---- the master ---- */

static void end_all(struct child *c, const struct rt_error *err) {
    while (c->streams.n > 0) {
        struct stream *t = c->streams.v[c->streams.n - 1];
        c->streams.n--;
        t->way = NULL;
        t->endpoint = NULL;
        rt_op_drop(&t->relay);
        stream_end(t, err);
    }
    while (c->commands.n > 0) {
        struct command *x = c->commands.v[c->commands.n - 1];
        c->commands.n--;
        x->way = NULL;
        x->error = *err;
        rt_proc_destroy(x->proc);
        x->proc = NULL;
        if (!x->later)
            x->later = rt_loop_defer(c->loop, command_failed, x);
    }
}

static void child_destroy(struct rt_way *w) {
    struct child *c = (struct child *)w;
    struct rt_error err;
    rt_error_set(&err, RT_E_UNREACHABLE, "ssh %s: the connection was closed", c->shown);
    end_all(c, &err);
    for (size_t i = 0; i < c->endpoints.n; i++)
        endpoint_free(c->endpoints.v[i]);
    rt_timer_stop(c->look);
    rt_proc_destroy(c->master);
    unlink(c->socket);
    rmdir(c->dir);
    char *all = rt_path(RT_DIR_RUNTIME, NULL);
    rmdir(all); /* unless somebody else has something in it */
    free(all);
    rt_vec_deinit(&c->endpoints);
    rt_vec_deinit(&c->streams);
    rt_vec_deinit(&c->commands);
    rt_strs_deinit(&c->words);
    rt_buf_deinit(&c->said);
    free(c->host);
    free(c->shown);
    free(c->dir);
    free(c->socket);
    free(c);
}

static void on_said(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    struct child *c = ctx;
    (void)stream;
    size_t keep = RT_MIN(n, (size_t)SAID_MAX / 2);
    if (c->said.len + keep > SAID_MAX)
        rt_buf_drop(&c->said, RT_MIN(c->said.len, (size_t)SAID_MAX / 2));
    rt_buf_add(&c->said, data + (n - keep), keep);
    c->said_total += (int64_t)n;
}

static void on_master_exit(void *ctx, const struct rt_proc_exit *e) {
    struct child *c = ctx;
    struct rt_error err;
    (void)e;
    c->master = NULL;
    enum rt_way_end end = classify(c, &err);
    c->events.down(c->events.ctx, c->up ? RT_WAY_LOST : end, &err);
}

/* The socket appears under its name when the login is done and the master listens. */
static void on_look(void *ctx) {
    struct child *c = ctx;
    struct rt_error err;
    if (!c->master) {
        err = c->not_started;
        rt_error_wrap(&err, "the ssh program could not be started");
        if (err.code == RT_E_NOT_FOUND)
            rt_error_hint(&err, "install openssh-client");
        c->events.down(c->events.ctx, RT_WAY_FAILED, &err);
        return;
    }
    if (access(c->socket, F_OK) == 0) {
        rt_timer_stop(c->look);
        c->look = NULL;
        c->up = true;
        c->events.up(c->events.ctx);
    } else if (rt_mono_ms() >= c->until_ms) {
        rt_error_set(&err, RT_E_TIMEOUT, "ssh %s: no login in %d s", c->shown, MASTER_MS / 1000);
        c->events.down(c->events.ctx, RT_WAY_LOST, &err);
    }
}

static void master_argv(const struct child *c, struct rt_strs *argv) {
    static const char *const fixed[] = {"ssh",
                                        "-N",
                                        "-T",
                                        "-x",
                                        "-a",
                                        "-M",
                                        "-oControlPersist=no",
                                        "-oBatchMode=yes",
                                        "-oExitOnForwardFailure=no",
                                        "-oClearAllForwardings=yes",
                                        "-oPermitLocalCommand=no",
                                        "-oRemoteCommand=none",
                                        "-oStreamLocalBindUnlink=yes",
                                        "-oConnectTimeout=10",
                                        "-oServerAliveCountMax=2",
                                        "-oLogLevel=INFO"};
    for (size_t i = 0; i < RT_COUNT(fixed); i++)
        rt_strs_add(argv, fixed[i]);
    rt_strs_addf(argv, "-oServerAliveInterval=%d", ALIVE_S);
    rt_strs_add(argv, "-S");
    rt_strs_add(argv, c->socket);
    rt_strs_copy(argv, &c->words);
    rt_strs_add(argv, "--");
    rt_strs_add(argv, c->host);
}

static bool start_master(struct child *c) {
    struct rt_error *err = &c->not_started;
    struct rt_strs argv = {0};
    char *name = rt_strf("ssh-%llx", (unsigned long long)rt_mono_us());
    c->dir = rt_path(RT_DIR_RUNTIME, name);
    c->socket = rt_path_join(c->dir, "s");
    bool ok = rt_mkdir_runtime(err) && rt_mkdir_private(c->dir, err);
    if (ok && strlen(c->socket) + 20 > sizeof((struct sockaddr_un *)NULL)->sun_path)
        ok = rt_error_set(err, RT_E_LIMIT, "%s is too long for a socket: set XDG_RUNTIME_DIR",
                          c->socket);
    master_argv(c, &argv);
    struct rt_proc_opts o = {.argv = (const char *const *)argv.v, .output = on_said};
    if (ok)
        c->master = rt_proc_start(c->loop, &o, on_master_exit, c, err);
    rt_strs_deinit(&argv);
    free(name);
    return c->master != NULL;
}

static const struct rt_way_ops child_ops = {
    .destroy = child_destroy, .splice = child_splice, .exec = child_exec};

struct rt_way *rt_way_openssh(struct rt_loop *l, const struct rt_way_opts *o,
                              const struct rt_way_events *e) {
    struct child *c = RT_NEW(struct child);
    c->way.ops = &child_ops;
    c->loop = l;
    c->events = *e;
    c->shown = rt_strdup(o->target);
    c->host = rt_way_words(o->target, o->jump, o->config_file, &c->words);
    c->until_ms = rt_mono_ms() + MASTER_MS;
    rt_buf_init(&c->said, 2 * SAID_MAX);
    bool started = start_master(c);
    c->look = rt_timer_start(l, started ? LOOK_MS : 0, LOOK_MS, on_look, c);
    return &c->way;
}
