/* check, doctor, stats, discover, shell, submit. */
#include "app/submit.h"
#include "base/fs.h"
#include "cli/internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- check ---- */

/* The line that a message is about; 0: of another file, or of none. */
static int line_in(const char *file, const char *message) {
    const size_t n = strlen(file);
    int line = 0;
    return strncmp(message, file, n) == 0 && sscanf(message + n, ":%d:", &line) == 1 ? line : 0;
}

/* Is it about this cluster? It stands between the cluster's first line and that of the next one. */
static bool concerns(const struct rt_config *conf, const struct rt_cluster_conf *only, const struct rt_error *p) {
    const char *file = only->file ? only->file : conf->path;
    const int line = line_in(file, p->message);
    if (only->source_file && rt_starts(p->message, only->source_file) && p->message[strlen(only->source_file)] == ':')
        return true;
    if (line < only->line)
        return false;
    for (size_t i = 0; i < conf->nclusters; i++) {
        const struct rt_cluster_conf *c = conf->clusters[i];
        if (rt_streq(c->file, only->file) && c->line > only->line && c->line <= line)
            return false;
    }
    return true;
}

struct problems {
    const struct cli *cli;
    const struct rt_config *conf;
    const struct rt_cluster_conf *only; /* NULL: all clusters */
    json_t *list;
    size_t errors;
};

static void print_one(struct problems *x, const char *severity, const struct rt_error *p) {
    const bool warning = rt_streq(severity, "warning");
    x->errors += !warning;
    if (x->cli->kind == RT_OUT_JSON)
        json_array_append_new(x->list, json_pack("{s:s, s:s, s:s?}", "severity", severity, "message", p->message, "hint",
                                                 p->hint[0] ? p->hint : NULL));
    else
        printf("%s%s%s%s\n", warning ? "warning: " : "", p->message, p->hint[0] ? " - " : "", p->hint);
}

static void print_list(struct problems *x, const char *severity, const struct rt_error *v, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (!x->only || concerns(x->conf, x->only, &v[i]))
            print_one(x, severity, &v[i]);
}

static void print_error(void *ctx, const struct rt_error *err) {
    print_one(ctx, "error", err);
}

static void print_warning(void *ctx, const struct rt_error *err) {
    print_one(ctx, "warning", err);
}

/* How many errors there are, after the last of them. */
static size_t print_end(struct problems *x) {
    if (x->cli->kind == RT_OUT_JSON)
        out_json_line(json_pack("{s:i, s:o, s:I}", "schema", 1, "items", x->list, "total", (json_int_t)x->errors));
    else
        json_decref(x->list);
    return x->errors;
}

/* A YAML of Ray's launcher, without a configuration that names it. */
static void check_launcher_file(struct cli *c, const char *path) {
    struct problems x = {.cli = c, .list = json_array()};
    rt_app_check_launcher_file(path, false, print_error, print_warning, &x);
    const size_t errors = print_end(&x);
    if (!errors && c->kind != RT_OUT_JSON)
        printf("%s: a cluster of Ray's launcher, no problems\n", path);
    cli_end(c, errors ? 78 : 0);
}

/* How many errors there are. */
static size_t print_problems(const struct cli *c, const struct rt_config *conf, const struct rt_cluster_conf *only) {
    struct problems x = {.cli = c, .conf = conf, .only = only, .list = json_array()};
    print_list(&x, "error", conf->problems, conf->nproblems);
    print_list(&x, "warning", conf->warnings, conf->nwarnings);
    struct rt_error theme = {0};
    if (!only && conf->theme && c->opts->theme_known && !c->opts->theme_known(conf->theme, &theme)) {
        rt_error_wrap(&theme, "%s", conf->path);
        print_list(&x, "warning", &theme, 1);
    }
    for (size_t i = 0; i < conf->nclusters; i++) {
        const struct rt_cluster_conf *one = conf->clusters[i];
        if ((!only || only == one) && rt_streq(one->provider, "launcher") && one->source_file)
            rt_app_check_launcher_file(one->source_file, true, print_error, print_warning, &x);
    }
    return print_end(&x);
}

void verb_check(struct cli *c) {
    const char *what = c->call.args.n ? c->call.args.v[0] : NULL;
    struct rt_config *own = NULL, *conf = c->app->config;
    const struct rt_cluster_conf *only = what ? rt_config_cluster(conf, what) : NULL;
    struct rt_error err = {0};
    if (what && !only) {
        if (!rt_file_exists(what)) {
            rt_error_set(&err, RT_E_NOT_FOUND, "%s: no cluster and no file of this name", what);
            cli_fail(c, &err);
            return;
        }
        if (rt_app_is_launcher_file(what)) {
            check_launcher_file(c, what);
            return;
        }
        conf = own = rt_app_config(what);
    }
    const size_t errors = print_problems(c, conf, only);
    if (c->kind == RT_OUT_YAML) {
        struct rt_buf b;
        rt_buf_init(&b, 16 * RT_MIB);
        rt_config_print(conf, only, &b);
        fwrite(rt_buf_str(&b), 1, b.len, stdout);
        rt_buf_deinit(&b);
    } else if (!errors && only && c->kind != RT_OUT_JSON) {
        printf("%s: %s, no problems\n", only->file ? only->file : conf->path, only->name);
    } else if (!errors && c->kind != RT_OUT_JSON) {
        const bool there = rt_file_exists(conf->path);
        printf("%s: %zu cluster%s, no problems%s\n", conf->path, conf->nclusters, conf->nclusters == 1 ? "" : "s",
               there ? "" : " (no file yet: everything has a default)");
    }
    rt_config_destroy(own);
    cli_end(c, errors ? 78 : 0);
}

/* ---- doctor, stats ---- */

static void print_buf(struct rt_buf *b) {
    fwrite(rt_buf_str(b), 1, b->len, stdout);
    rt_buf_deinit(b);
}

static void bad_line(const char *name, const struct rt_error *err) {
    printf("%-5s %-14s %s\n", "bad", name, err->message);
    if (err->hint[0])
        printf("%-5s %-14s %s\n", "", "", err->hint);
}

static void answered(void *ctx, const struct rt_error *err) {
    struct cli *c = ctx;
    const struct rt_cluster *cl = rt_store_cluster(c->app->store, c->call.cluster);
    c->op = NULL;
    if (err && cl->state == RT_CL_DOWN) {
        printf("%-5s %-14s not up: `raytui up %s` starts it\n", "ok", cl->name, cl->name);
        cli_end(c, 0);
        return;
    }
    if (err) {
        bad_line(cl->name, err);
        cli_end(c, rt_code_exit(err->code));
        return;
    }
    const struct rt_totals t = rt_cluster_totals(cl);
    printf("%-5s %-14s %s: Ray %s, %lld node%s, autoscaler %s\n", "ok", cl->name, cl->where, cl->ray_version ? cl->ray_version : "?",
           (long long)t.nodes_alive, rt_plural(t.nodes_alive), cl->autoscaler ? "yes" : "no");
    cli_end(c, 0);
}

static void far_told(void *ctx, const char *lines, const struct rt_error *err) {
    struct cli *c = ctx;
    c->op = NULL;
    if (err) {
        bad_line(c->call.cluster, err);
        cli_end(c, rt_code_exit(err->code));
        return;
    }
    fputs(lines, stdout);
    c->op = rt_app_wait(c->app, c->call.cluster, RT_TOPIC_BIT(RT_T_CLUSTER) | RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_DEMAND), 0,
                        answered, c);
}

void verb_doctor(struct cli *c) {
    struct rt_buf b;
    struct rt_error err = {0};
    const char *name = c->call.cluster ? c->call.cluster : c->call.args.n ? c->call.args.v[0] : NULL;
    rt_buf_init(&b, RT_MIB);
    rt_app_doctor(c->app, &b);
    print_buf(&b);
    if (!name) {
        cli_end(c, 0);
        return;
    }
    name = rt_app_target(c->app, name, &err);
    if (!name) {
        cli_fail(c, &err);
        return;
    }
    free(c->call.cluster);
    c->call.cluster = rt_strdup(name);
    c->op = rt_app_doctor_far(c->app, c->call.cluster, far_told, c);
}

static void have_stats(struct cli *c) {
    struct rt_buf b;
    rt_buf_init(&b, RT_MIB);
    rt_app_stats(c->app, c->call.cluster, &b);
    print_buf(&b);
    cli_end(c, 0);
}

void verb_stats(struct cli *c) {
    cli_when(c, RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_JOBS) | RT_TOPIC_BIT(RT_T_DEMAND), have_stats);
}

/* ---- discover ---- */

static void found(void *ctx, const struct rt_found *f) {
    struct cli *c = ctx;
    if (!f) {
        c->op = NULL;
        cli_end(c, 0);
    } else if (f->error) { /* after what was found */
        cli_fail(c, f->error);
    } else if (c->kind == RT_OUT_JSON) {
        out_json_line(json_pack("{s:i, s:{s:s, s:s}}", "schema", 1, "item", "target", f->target, "text", f->text));
    } else {
        printf("%-32s  %s\n", f->target, f->text);
    }
}

void verb_discover(struct cli *c) {
    c->op = c->call.args.n ? rt_app_discover_at(c->app, c->call.args.v[0], found, c) : rt_app_discover(c->app, found, c);
}

/* ---- shell: the program becomes it, once the app is gone ---- */

static bool program(struct cli *c, struct rt_error *err) {
    const char *name = c->call.def->name, *node = c->call.args.n ? c->call.args.v[0] : NULL;
    if (rt_streq(name, "cp"))
        return rt_app_copy(c->app, c->call.args.v[0], c->call.args.v[1], &c->exec, err);
    if (rt_streq(name, "exec"))
        return rt_app_exec(c->app, c->call.cluster, node, &c->call.command, &c->exec, err);
    return rt_app_shell(c->app, c->call.cluster, node, &c->exec, err);
}

static void open_shell(struct cli *c) {
    struct rt_error err = {0};
    if (program(c, &err))
        cli_end(c, 0);
    else
        cli_fail(c, &err);
}

/* Where its head is may have to be asked first. */
static void open_at_once(struct cli *c) {
    struct rt_error err = {0};
    if (program(c, &err))
        cli_end(c, 0);
    else if (err.code == RT_E_UNREACHABLE)
        cli_when(c, RT_TOPIC_BIT(RT_T_NODES), open_shell);
    else
        cli_fail(c, &err);
}

static void shell_anyway(void *ctx, const struct rt_error *err) {
    struct cli *c = ctx;
    (void)err; /* Ray may not answer: a shell may be there to find out why */
    c->op = NULL;
    open_shell(c);
}

static void open_when_known(struct cli *c, bool node) {
    struct rt_error err = {0};
    const struct rt_cluster *cl = rt_store_cluster(c->app->store, c->call.cluster);
    if (!rt_call_ready(c->app, &c->call, &err))
        cli_fail(c, &err);
    else if (cl->caps & RT_CAP_PODS) /* which pod is the head's, or the node's */
        c->op = rt_app_wait(c->app, c->call.cluster, RT_TOPIC_BIT(RT_T_POOLS) | (node ? RT_TOPIC_BIT(RT_T_NODES) : 0), 5000, shell_anyway, c);
    else if (node)
        cli_when(c, RT_TOPIC_BIT(RT_T_NODES), open_shell);
    else
        open_at_once(c);
}

void verb_shell(struct cli *c) {
    open_when_known(c, c->call.args.n > 0);
}

static void usage(struct cli *c) {
    struct rt_error err;
    rt_error_set(&err, RT_E_USAGE, "usage: raytui %s %s", c->call.def->name, c->call.def->args);
    cli_fail(c, &err);
}

void verb_exec(struct cli *c) {
    if (c->call.command.n)
        open_when_known(c, c->call.args.n > 0);
    else
        usage(c);
}

void verb_cp(struct cli *c) {
    struct rt_error err = {0};
    bool node = false;
    const char *cluster = c->call.args.n == 2 ? rt_app_copy_cluster(c->app, c->call.args.v[0], c->call.args.v[1], &node) : NULL;
    if (c->call.args.n != 2) {
        usage(c);
    } else if (!cluster) {
        program(c, &err); /* says what is wrong */
        cli_fail(c, &err);
    } else {
        free(c->call.cluster);
        c->call.cluster = rt_strdup(cluster);
        open_when_known(c, node);
    }
}

/* ---- submit ---- */

static void followed(struct cli *c, const char *submission_id) {
    out_note("raytui: submitted %s", submission_id);
    char *id = rt_strdup(submission_id);
    cli_follow_job(c, c->call.cluster, id, true, -1);
    free(id);
}

static void previewed(void *ctx, const struct rt_preview *p, const struct rt_error *err) {
    struct cli *c = ctx;
    char size[24];
    c->op = NULL;
    if (err) {
        cli_fail(c, err);
        return;
    }
    for (size_t i = 0; i < p->warnings.n; i++)
        out_note("raytui: %s", p->warnings.v[i]);
    if (p->files >= 0)
        out_note("raytui: working directory: %lld file%s, %s (%lld ignored)", (long long)p->files, rt_plural(p->files),
                 rt_fmt_bytes(size, sizeof size, (double)p->bytes), (long long)p->ignored);
    if (rt_call_option(&c->call, "dry-run")) {
        printf("%s\n", p->body);
        cli_end(c, 0);
        return;
    }
    cli_run_action(c, rt_call_option(&c->call, "wait") ? followed : NULL);
}

static void preview(struct cli *c) {
    c->op = rt_app_preview(c->app, &c->call, previewed, c);
}

/* The preview comes first in any case: what looks wrong is said before anything is sent. */
void verb_submit(struct cli *c) {
    const bool from = rt_call_option(&c->call, "from") != NULL;
    if (rt_call_option(&c->call, "dry-run") && !from)
        preview(c);
    else
        cli_when(c, from ? RT_TOPIC_BIT(RT_T_JOBS) : RT_TOPIC_BIT(RT_T_CLUSTER), preview);
}
