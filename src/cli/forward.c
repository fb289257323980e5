/* forward: holds forwards without a screen, alone or around a command that gets their addresses. */
#include "cli/internal.h"
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

struct holding {
    struct cli *cli;
    struct rt_timer *timer;
    struct rt_signal *child_signal;
    struct rt_op *client;
    pid_t child;
    bool up;
    char said[sizeof((struct rt_error *)0)->message + 32];
};

static void holding_release(void *held) {
    struct holding *h = held;
    rt_timer_stop(h->timer);
    rt_op_drop(&h->client);
    if (h->child_signal)
        rt_signal_unwatch(h->child_signal);
    if (h->child > 0)
        kill(h->child, SIGTERM); /* its addresses go away now */
    free(h);
}

static void end(struct holding *h, int status) {
    struct cli *c = h->cli;
    cli_release(c);
    cli_end(c, status);
}

static void child_ended(void *ctx, int signum) {
    struct holding *h = ctx;
    int st = 0;
    (void)signum;
    if (h->child <= 0 || waitpid(h->child, &st, WNOHANG) != h->child)
        return;
    h->child = 0;
    end(h, WIFEXITED(st) ? WEXITSTATUS(st) : 128 + WTERMSIG(st));
}

/* The command decides what a signal means; its end is ours. ^C on a terminal has reached it already. */
static bool pass_on(void *held, int signum) {
    struct holding *h = held;
    if (h->child <= 0)
        return false;
    if (signum != SIGINT || !isatty(STDIN_FILENO))
        kill(h->child, signum);
    return true;
}

/* "K=V"; ours wins over what was set outside. */
static void set_variable(struct rt_strs *env, const char *pair) {
    const size_t name = strcspn(pair, "=") + 1;
    for (size_t i = 0; i < env->n; i++) {
        if (strncmp(env->v[i], pair, name) != 0)
            continue;
        free(env->v[i]);
        env->v[i] = rt_strdup(pair);
        return;
    }
    rt_strs_add(env, pair);
}

/* "export NAME='value'" lines into an environment for the child. */
static bool environment(struct cli *c, struct rt_strs *env, struct rt_error *err) {
    extern char **environ;
    struct rt_buf lines;
    rt_buf_init(&lines, 64 * RT_KIB);
    bool ok = rt_app_env(c->app, c->call.cluster, false, &lines, err);
    struct rt_strs words = {0};
    ok = ok && rt_split_words(rt_buf_str(&lines), &words, err);
    for (size_t i = 0; ok && environ[i]; i++)
        rt_strs_add(env, environ[i]);
    for (size_t i = 0; ok && i < words.n; i++) {
        if (rt_streq(words.v[i], "export"))
            continue;
        set_variable(env, words.v[i]);
    }
    rt_strs_deinit(&words);
    rt_buf_deinit(&lines);
    return ok;
}

/* A broken pipe, which is ignored here, ends the command as it would elsewhere. */
static int spawn(pid_t *child, char *const *argv, char *const *env) {
    posix_spawnattr_t attr;
    sigset_t pipe;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setsigdefault(&attr, &pipe);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSIGDEF);
    const int rc = posix_spawnp(child, argv[0], NULL, &attr, argv, env);
    posix_spawnattr_destroy(&attr);
    return rc;
}

static void start_child(struct holding *h) {
    struct cli *c = h->cli;
    struct rt_error err = {0};
    struct rt_strs env = {0};
    if (environment(c, &env, &err)) {
        h->child_signal = rt_signal_watch(c->app->loop, SIGCHLD, child_ended, h);
        const int rc = spawn(&h->child, c->call.command.v, env.v);
        if (rc != 0) {
            h->child = 0;
            rt_error_set(&err, RT_E_NOT_FOUND, "%s: %s", c->call.command.v[0], strerror(rc));
        }
    }
    rt_strs_deinit(&env);
    if (err.code) {
        const int status = out_error(c->kind, &err);
        end(h, status);
    }
}

static void print_forwards(struct cli *c, const struct rt_cluster *cl) {
    for (size_t i = 0; i < cl->nforwards; i++) {
        const struct rt_forward_row *f = &cl->forwards[i];
        if (c->kind == RT_OUT_JSON) {
            const struct rt_row_env env = cli_env(c, cl->name);
            json_t *v = json_pack("{s:i}", "schema", 1);
            json_object_set_new(v, "item", rt_table_forwards.json(f, &env, false));
            out_json_line(v);
        } else if (!c->call.command.n) {
            printf("%s -> %s%s%s\n", f->local, f->to, f->note[0] ? "  " : "", f->note);
        }
    }
    fflush(stdout);
}

static void say_client(void *ctx, const char *problem) {
    struct holding *h = ctx;
    h->client = NULL;
    if (problem)
        out_note("raytui: %s: %s", h->cli->call.cluster, problem);
}

/* Says each change of state once; the first time it is up, the addresses. */
static void look(void *ctx) {
    struct holding *h = ctx;
    struct cli *c = h->cli;
    const struct rt_cluster *cl = rt_store_cluster(c->app->store, c->call.cluster);
    const struct rt_error *why = &cl->fresh[RT_T_CLUSTER].error;
    char now[sizeof h->said];
    snprintf(now, sizeof now, "%s%s%s", rt_reach_name(cl->reach), cl->reach != RT_REACH_OK && why->code ? ": " : "",
             cl->reach != RT_REACH_OK && why->code ? why->message : "");
    if (!rt_streq(now, h->said) && (h->up || cl->reach != RT_REACH_CONNECTING))
        out_note("raytui: %s: %s", cl->name, now);
    memcpy(h->said, now, sizeof now);
    if (cl->reach == RT_REACH_NEEDS_LOGIN || (cl->reach == RT_REACH_LOST && !h->up && why->code == RT_E_DENIED)) {
        if (why->hint[0])
            out_note("        %s", why->hint);
        end(h, 5);
        return;
    }
    if (cl->reach != RT_REACH_OK || h->up)
        return;
    h->up = true;
    print_forwards(c, cl);
    h->client = rt_app_client(c->app, cl->name, say_client, h);
    if (c->call.command.n)
        start_child(h);
}

static void opened(void *ctx, const struct rt_error *err, const char *message, struct rt_operation *op) {
    struct cli *c = ctx;
    (void)message;
    (void)op;
    c->op = NULL;
    if (err) {
        cli_fail(c, err);
        return;
    }
    struct holding *h = RT_NEW(struct holding);
    h->cli = c;
    cli_hold(c, h, holding_release);
    c->signalled = pass_on;
    h->timer = rt_timer_start(c->app->loop, 0, 100, look, h);
}

void verb_forward(struct cli *c) {
    c->op = rt_call_run(c->app, &c->call, opened, c);
}
