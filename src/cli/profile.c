/* stack and profile: what a process of the cluster is doing, to stdout or a file. */
#include "cli/internal.h"

#include "app/profile.h"
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { OPTIONAL_WAIT_MS = 10000 };

struct profile {
    struct rt_profile_target target;
    struct rt_profile_ask ask;
    bool lists_known; /* tasks and workers were asked for */
};

static void profile_release(void *held) {
    struct profile *p = held;
    rt_profile_target_deinit(&p->target);
    free(p);
}

static void fail(struct cli *c, const struct rt_error *err) {
    const struct rt_error e = *err;
    cli_release(c);
    cli_fail(c, &e);
}

static void print_json(const struct cli *c, const char *key, const char *value, size_t n) {
    const struct profile *p = c->held;
    struct rt_buf clean;
    rt_buf_init(&clean, 0);
    for (size_t at = 0; at < n;) {
        const char *nl = memchr(value + at, '\n', n - at);
        const size_t len = nl ? (size_t)(nl - value) - at : n - at;
        rt_clean(&clean, value + at, len);
        if (nl)
            rt_buf_addc(&clean, '\n');
        at += len + (nl != NULL);
    }
    json_t *v = json_pack("{s:i, s:s, s:s, s:s?, s:I, s:s?, s:s}", "schema", 1, "cluster", p->target.cluster, "subject", p->target.title,
                          "node_id", p->target.node, "pid", (json_int_t)p->target.pid, "task_id", p->target.task, key, rt_buf_str(&clean));
    rt_buf_deinit(&clean);
    json_dumpf(v, stdout, JSON_INDENT(2));
    fputc('\n', stdout);
    json_decref(v);
}

static void print_lines(const char *text, size_t n) {
    struct rt_buf line;
    rt_buf_init(&line, 0);
    while (n) {
        const char *nl = memchr(text, '\n', n);
        const size_t len = nl ? (size_t)(nl - text) : n;
        rt_buf_clear(&line);
        rt_clean(&line, text, len);
        printf("%s\n", rt_buf_str(&line));
        text += len + (nl != NULL);
        n -= len + (nl != NULL);
    }
    rt_buf_deinit(&line);
}

static bool keep(struct cli *c, const char *text, size_t n, struct rt_error *err) {
    const struct profile *p = c->held;
    const char *to = rt_call_option(&c->call, "save");
    const bool stack = p->ask.kind == RT_PROFILE_STACK;
    if (rt_streq(to, "-"))
        return fwrite(text, 1, n, stdout) == n || rt_error_set(err, RT_E_IO, "stdout: %s", "not all could be written");
    if (stack && !to) {
        if (c->kind == RT_OUT_JSON)
            print_json(c, "stack", text, n);
        else
            print_lines(text, n);
        return true;
    }
    char *path = rt_profile_save(&p->target, &p->ask, to, text, n, err);
    if (!path)
        return false;
    if (c->kind == RT_OUT_JSON)
        print_json(c, "file", path, strlen(path));
    else
        printf("%s\n", path);
    if (!stack)
        out_note("opens with %s", rt_profile_opens_with(&p->ask));
    free(path);
    return true;
}

static void measured(void *ctx, const char *text, size_t n, const struct rt_error *err) {
    struct cli *c = ctx;
    const struct profile *p = c->held;
    struct rt_error e = err ? *err : (struct rt_error){0};
    c->op = NULL;
    if (err)
        rt_error_wrap(&e, "%s: %s", p->target.cluster, p->target.title);
    if (err || !keep(c, text, n, &e)) {
        fail(c, &e);
        return;
    }
    cli_release(c);
    cli_end(c, 0);
}

static void find(struct cli *c);

static void lists_tried(void *ctx, const struct rt_error *err) {
    struct cli *c = ctx;
    (void)err; /* the thing may be known without them */
    c->op = NULL;
    find(c);
}

static void find(struct cli *c) {
    struct profile *p = c->held;
    struct rt_error err = {0};
    const uint32_t lists = RT_TOPIC_BIT(RT_T_TASKS) | RT_TOPIC_BIT(RT_T_WORKERS);
    if (rt_app_profile_find(c->app, c->call.cluster, c->call.args.v[0], &p->target, &err)) {
        if (p->ask.kind != RT_PROFILE_STACK && isatty(STDERR_FILENO))
            out_note("%s: %d s (^C cancels)", p->target.title, p->ask.duration_s);
        c->op = rt_app_profile(c->app, &p->target, &p->ask, measured, c, &err);
        if (!c->op)
            fail(c, &err);
    } else if (!p->lists_known && err.code == RT_E_NOT_FOUND) { /* dear lists only when nothing else has the name */
        p->lists_known = true;
        c->op = rt_app_wait(c->app, c->call.cluster, lists, OPTIONAL_WAIT_MS, lists_tried, c);
    } else {
        fail(c, &err);
    }
}

static bool options(struct cli *c, struct profile *p, struct rt_error *err) {
    const char *length = rt_call_option(&c->call, "duration");
    int64_t ms = 0;
    const bool stack = rt_streq(c->call.def->name, "stack");
    p->ask = (struct rt_profile_ask){.kind = stack ? RT_PROFILE_STACK : rt_call_option(&c->call, "memory") ? RT_PROFILE_MEMORY : RT_PROFILE_CPU,
                                     .format = rt_call_option(&c->call, "format"),
                                     .native = rt_call_option(&c->call, "native") != NULL};
    if (c->call.args.n != 1)
        return rt_error_set(err, RT_E_USAGE, "usage: raytui %s %s", c->call.def->name, c->call.def->args);
    if (length && !rt_parse_duration(length, &ms, err))
        return rt_error_wrap(err, "--duration");
    p->ask.duration_s = !length ? 0 : ms < 1000 || ms > 3600000 ? -1 : (int)(ms / 1000);
    return rt_profile_ask_check(&p->ask, err);
}

void verb_profile(struct cli *c) {
    struct rt_error err = {0};
    struct profile *p = RT_NEW(struct profile);
    cli_hold(c, p, profile_release);
    const char *named = rt_call_option(&c->call, "cluster");
    if (!named)
        named = rt_call_option(&c->call, "address");
    if (!options(c, p, &err)) {
        fail(c, &err);
        return;
    }
    const char *name = named ? rt_app_target(c->app, named, &err) : rt_app_default_cluster(c->app, &err);
    if (!name) {
        fail(c, &err);
        return;
    }
    c->call.cluster = rt_strdup(name);
    cli_when(c, RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_ACTORS), find);
}
