/* edit, pod: what Kubernetes' own tool does with a cluster's objects. */
#include "cli/internal.h"
#include "net/proc.h"
#include <stdio.h>
#include <unistd.h>

/* The program becomes the editor's, once the app is gone. */
static void open_editor(struct cli *c) {
    struct rt_error err = {0};
    if (rt_app_tool(c->app, c->call.cluster, "edit", NULL, &c->exec, &err))
        cli_end(c, 0);
    else
        cli_fail(c, &err);
}

/* Also where Ray itself does not answer: the object is what may have to be mended. */
static void edit_anyway(void *ctx, const struct rt_error *err) {
    struct cli *c = ctx;
    (void)err;
    c->op = NULL;
    open_editor(c);
}

void verb_edit(struct cli *c) {
    struct rt_error err = {0};
    if (!rt_call_ready(c->app, &c->call, &err))
        cli_fail(c, &err);
    else
        c->op = rt_app_wait(c->app, c->call.cluster, RT_TOPIC_BIT(RT_T_POOLS), 5000, edit_anyway, c);
}

/* ---- pod ---- */

static void output(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    struct cli *c = ctx;
    if (stream == RT_STDOUT)
        cli_print_log(&c->line, isatty(STDOUT_FILENO), data, n);
    else
        fwrite(data, 1, n, stderr);
    fflush(stdout);
}

static void ended(void *ctx, const struct rt_proc_exit *exit) {
    struct cli *c = ctx;
    c->held = NULL; /* the process is gone by itself */
    if (c->line.len)
        cli_print_log(&c->line, true, "\n", 1);
    cli_end(c, exit->status > 0 ? 1 : exit->status < 0 ? 128 + exit->signal : 0);
}

static void stop(void *held) {
    rt_proc_destroy(held);
}

static const char *what_of(const struct rt_call *call) {
    static const char *const options[][2] = {{"previous", "log-previous"}, {"follow", "log-follow"}, {"log", "log"},
                                             {"events", "events"}, {"yaml", "yaml"}};
    for (size_t i = 0; i < RT_COUNT(options); i++)
        if (rt_call_option(call, options[i][0]))
            return options[i][1];
    return call->args.n || rt_call_option(call, "describe") ? "describe" : "pods";
}

static void tell(void *ctx, const struct rt_error *ignored) {
    struct cli *c = ctx;
    struct rt_error err = {0};
    struct rt_strs argv = {0};
    struct rt_proc *proc = NULL;
    (void)ignored;
    c->op = NULL;
    rt_buf_init(&c->line, 4 * RT_MIB);
    if (rt_app_tool(c->app, c->call.cluster, what_of(&c->call), c->call.args.n ? c->call.args.v[0] : NULL, &argv, &err)) {
        const struct rt_proc_opts o = {.argv = (const char *const *)argv.v, .output = output};
        proc = rt_proc_start(c->app->loop, &o, ended, c, &err);
    }
    rt_strs_deinit(&argv);
    if (proc)
        cli_hold(c, proc, stop);
    else
        cli_fail(c, &err);
}

void verb_pod(struct cli *c) {
    struct rt_error err = {0};
    if (!rt_call_ready(c->app, &c->call, &err))
        cli_fail(c, &err);
    else
        c->op = rt_app_wait(c->app, c->call.cluster, RT_TOPIC_BIT(RT_T_POOLS), 5000, tell, c);
}
