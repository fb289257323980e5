/* From argv to a verb: global options, help, and the loop around one call. */
#include "app/work.h"
#include "cli/internal.h"
#include "base/fs.h"
#include "base/log.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

struct parsed {
    struct rt_strs words; /* without global options */
    bool help, version;
    enum rt_out_kind kind;
};

/* ---- global options ---- */

static bool value_of(const char *name, int argc, char **argv, int *i, const char **out) {
    const size_t n = strlen(name);
    if (strncmp(argv[*i], name, n) != 0 || (argv[*i][n] && argv[*i][n] != '='))
        return false;
    if (argv[*i][n] == '=')
        *out = argv[*i] + n + 1;
    else
        *out = *i + 1 < argc ? argv[++*i] : NULL;
    return true;
}

static bool global_option(int argc, char **argv, int *i, struct rt_cli_opts *o, struct parsed *p, struct rt_error *err) {
    const char *w = argv[*i], *value = NULL;
    struct {
        const char *name;
        bool *on;
    } flags[] = {{"--readonly", &o->readonly}, {"--ascii", &o->ascii}, {"--verbose", &o->verbose}, {"--yes", &o->yes},
                 {"-y", &o->yes}, {"--help", &p->help}, {"-h", &p->help}, {"--version", &p->version}};
    for (size_t k = 0; k < RT_COUNT(flags); k++) {
        if (rt_streq(w, flags[k].name))
            return *flags[k].on = true;
    }
    if (rt_streq(w, "--json")) {
        o->output = "json";
        return true;
    }
    int64_t ms = 0;
    if (value_of("--refresh", argc, argv, i, &value)) {
        if (!value)
            rt_error_set(err, RT_E_USAGE, "--refresh wants a duration");
        else if (rt_parse_duration(value, &ms, err))
            o->refresh_ms = ms;
        else
            rt_error_wrap(err, "--refresh");
        return true;
    }
    struct {
        const char *name;
        const char **value;
    } values[] = {{"--config", &o->config}, {"--theme", &o->theme}, {"--color", &o->color}, {"--output", &o->output}, {"-o", &o->output}};
    for (size_t k = 0; k < RT_COUNT(values); k++) {
        if (!value_of(values[k].name, argc, argv, i, values[k].value))
            continue;
        return *values[k].value || !rt_error_set(err, RT_E_USAGE, "%s wants a value", values[k].name);
    }
    return false;
}

static bool parse(int argc, char **argv, struct rt_cli_opts *o, struct parsed *p, struct rt_error *err) {
    static const char *const colors[] = {"never", "auto", "always"};
    int i = 1;
    for (; i < argc && !rt_streq(argv[i], "--"); i++)
        if (!global_option(argc, argv, &i, o, p, err))
            rt_strs_add(&p->words, argv[i]);
    for (; i < argc; i++)
        rt_strs_add(&p->words, argv[i]);
    if (err->code)
        return false;
    if (o->output && !out_kind(o->output, &p->kind)) {
        rt_error_set(err, RT_E_USAGE, "-o %s: unknown form", o->output);
        return rt_error_hint(err, "table, wide, json");
    }
    bool known = !o->color;
    for (size_t k = 0; k < RT_COUNT(colors); k++)
        known = known || rt_streq(o->color, colors[k]);
    if (!known)
        return rt_error_set(err, RT_E_USAGE, "--color %s: never, auto or always", o->color);
    return true;
}

/* ---- one verb ---- */

static const struct {
    const char *name;
    cli_fn *run;
} verbs[] = {
    {"ls", verb_ls},         {"clusters", verb_ls}, {"nodes", verb_table},    {"pools", verb_table},
    {"jobs", verb_table},    {"show", verb_show}, {"why", verb_why},   {"job", verb_show},       {"forwards", verb_table},
    {"operations", verb_table}, {"logs", verb_logs}, {"wait", verb_wait},     {"check", verb_check},
    {"doctor", verb_doctor}, {"stats", verb_stats}, {"discover", verb_discover}, {"shell", verb_shell}, {"exec", verb_exec}, {"cp", verb_cp},
    {"submit", verb_submit}, {"run", verb_run}, {"edit", verb_edit}, {"pod", verb_pod}, {"forward", verb_forward}, {"actors", verb_table}, {"tasks", verb_table},
    {"pgs", verb_table}, {"serve", verb_table}, {"envs", verb_table}, {"workers", verb_table}, {"events", verb_table},
    {"pods", verb_table}, {"rayjobs", verb_table}, {"rayservices", verb_table},
    {"stack", verb_profile}, {"profile", verb_profile},
};

static void settled(void *ctx, const struct rt_error *err);

static void dispatch(struct cli *c) {
    const char *name = c->call.cluster;
    if (name && !rt_streq(c->call.def->name, "check") && !rt_app_settled(c->app, name)) {
        c->op = rt_app_settle(c->app, name, settled, c);
        return;
    }
    for (size_t i = 0; i < RT_COUNT(verbs); i++) {
        if (rt_streq(verbs[i].name, c->call.def->name)) {
            verbs[i].run(c);
            return;
        }
    }
    verb_action(c);
}

static void settled(void *ctx, const struct rt_error *err) {
    struct cli *c = ctx;
    c->op = NULL;
    if (err)
        cli_fail(c, err);
    else
        dispatch(c);
}

static void interrupted(void *ctx, int signum) {
    struct cli *c = ctx;
    c->interrupts++;
    c->signum = signum;
    if (c->interrupts == 1 && c->held && c->signalled && c->signalled(c->held, signum))
        return;
    if (c->interrupts == 1 && c->operation) {
        out_note("raytui: stopping (once more: leave at once)");
        rt_operation_cancel(c->operation);
        return;
    }
    if (c->operation)
        out_note("raytui: left while %s was running; `raytui ls` shows what is there", c->operation->title);
    cli_end(c, 128 + signum);
}

static void first_turn(void *ctx) {
    dispatch(ctx);
}

/* What is wrong in a file does not take the rest of it down, but is not kept quiet either. */
static bool config_usable(const struct rt_config *conf, const struct rt_cli_opts *o, const struct rt_strs *words, struct rt_error *err) {
    if (!conf->nproblems || rt_streq(words->v[0], "check"))
        return true;
    if (o->config && !rt_file_exists(conf->path)) {
        *err = conf->problems[0];
        err->code = RT_E_CONFIG;
        return false;
    }
    out_note("raytui: %s", conf->problems[0].message);
    if (conf->nproblems > 1)
        out_note("        and %zu more: `raytui check` lists them", conf->nproblems - 1);
    return true;
}

/* What a `run` that was killed left behind costs money until somebody hears of it. */
static void tell_left(struct cli *c) {
    struct rt_strs left = {0};
    rt_works_left(c->app, &left);
    for (size_t i = 0; i < left.n; i++)
        if (!rt_streq(left.v[i], c->call.cluster))
            out_note("raytui: %s is left of a `run` that was killed: `raytui down %s` removes it", left.v[i], left.v[i]);
    rt_strs_deinit(&left);
}

bool cli_thing(struct cli *c, struct rt_error *err) {
    struct rt_strs *words = &c->call.args;
    if (words->n < 2)
        return true;
    if (words->n > 2 || rt_call_option(&c->call, "cluster") || rt_call_option(&c->call, "address"))
        return rt_error_set(err, RT_E_USAGE, "usage: raytui %s %s", c->call.def->name, c->call.def->args);
    const char *name = rt_app_target(c->app, words->v[0], err);
    if (!name)
        return false;
    c->call.cluster = rt_strdup(name);
    free(words->v[0]);
    words->v[0] = words->v[1];
    words->n = 1;
    return true;
}

/* YAML is for what people keep as YAML: a configuration, a manifest. What is only read by people has no JSON. */
static bool form_fits(const struct cli *c, struct rt_error *err) {
    static const char *const with_yaml[] = {"check", "up", "run", NULL}, *const without_json[] = {"doctor", "stats", NULL};
    const char *verb = c->call.def->name;
    const bool yaml = c->kind == RT_OUT_YAML, json = c->kind == RT_OUT_JSON && rt_is_one_of(verb, without_json);
    if (!json && (!yaml || rt_is_one_of(verb, with_yaml)))
        return true;
    rt_error_set(err, RT_E_USAGE, "-o %s: not for %s", json ? "json" : "yaml", verb);
    return rt_error_hint(err, "%s", rt_is_one_of(verb, without_json) ? "it prints lines for people" : "table, wide, json");
}

static int run_verb(struct parsed *p, const struct rt_cli_opts *o) {
    struct cli c = {.opts = o, .kind = p->kind};
    struct cli_tty tty;
    struct rt_loop *loop = NULL;
    struct rt_error err = {0};
    const struct rt_app_opts ao = {.config_path = o->config, .readonly = o->readonly, .ascii = o->ascii,
                                   .refresh_ms = o->refresh_ms, .asker = cli_asker(&tty, &loop)};
    c.app = rt_app_create(&ao, &err);
    if (!c.app)
        return out_error(p->kind, &err);
    loop = c.app->loop;
    if (!config_usable(c.app->config, o, &p->words, &err)) {
        rt_app_destroy(c.app);
        return out_error(p->kind, &err);
    }
    if (!rt_call_parse(c.app, (const char *const *)p->words.v, NULL, &c.call, &err)) {
        rt_app_destroy(c.app);
        return out_error(p->kind, &err);
    }
    if (!form_fits(&c, &err)) {
        rt_call_deinit(&c.call);
        rt_app_destroy(c.app);
        return out_error(p->kind, &err);
    }
    tell_left(&c);
    struct rt_signal *on_int = rt_signal_watch(loop, SIGINT, interrupted, &c);
    struct rt_signal *on_term = rt_signal_watch(loop, SIGTERM, interrupted, &c);
    struct rt_op *start = rt_loop_defer(loop, first_turn, &c);
    (void)start; /* runs before anything can end the loop */
    rt_loop_run(loop);
    rt_op_drop(&c.op);
    if (c.operation)
        rt_operation_ignore(c.operation, c.held);
    cli_release(&c);
    rt_signal_unwatch(on_int);
    rt_signal_unwatch(on_term);
    rt_buf_deinit(&c.line);
    rt_call_deinit(&c.call);
    rt_app_destroy(c.app);
    if (c.exec.n) {
        fflush(stdout);
        signal(SIGPIPE, SIG_DFL); /* an ignored one would stay so */
        execvp(c.exec.v[0], c.exec.v);
        out_note("raytui: %s cannot be run", c.exec.v[0]);
        c.status = 1;
    }
    rt_strs_deinit(&c.exec);
    return c.status;
}

/* For shell completion: nothing is contacted. */
static int complete(const char *what, const struct rt_cli_opts *o) {
    struct rt_error err = {0};
    if (what && generate(what))
        return 0;
    if (!rt_streq(what, "clusters")) {
        rt_error_set(&err, RT_E_USAGE, "usage: raytui completion bash|zsh|fish");
        rt_error_hint(&err, "source <(raytui completion bash)");
        return out_error(RT_OUT_TABLE, &err);
    }
    struct rt_config *conf = rt_app_config(o->config);
    for (size_t i = 0; i < conf->nclusters; i++)
        printf("%s\n", conf->clusters[i]->name);
    rt_config_destroy(conf);
    return 0;
}

/* `VERB --help`, and as many a tool has it, `help VERB`. */
static int show_help(const struct parsed *p) {
    const size_t at = p->words.n && rt_streq(p->words.v[0], "help");
    const struct rt_action_def *d = p->words.n > at ? rt_action_find(p->words.v[at]) : NULL;
    if (p->words.n > at && !d && at) {
        struct rt_error err = {0};
        rt_error_set(&err, RT_E_USAGE, "no such verb %s", p->words.v[at]);
        rt_error_hint(&err, "`raytui --help` lists them");
        return out_error(p->kind, &err);
    }
    if (d)
        help_verb(d);
    else
        help_all();
    return 0;
}

/* A file for the log view alone: asked for, or on a terminal. */
static const char *file_to_view(const struct parsed *p, int argc, char **argv) {
    bool view = isatty(STDOUT_FILENO);
    const char *file = NULL;
    if (!p->words.n || !rt_streq(p->words.v[0], "logs"))
        return NULL;
    for (int i = 1; i < argc; i++) {
        const char *value = NULL;
        view = view || rt_streq(argv[i], "--view");
        if (value_of("--file", argc, argv, &i, &value))
            file = value;
    }
    return view ? file : NULL;
}

static const char *word_in_argv(int argc, char **argv, const char *word) {
    for (int i = 1; i < argc; i++)
        if (rt_streq(argv[i], word))
            return argv[i];
    return NULL;
}

enum rt_cli_next rt_cli_main(int argc, char **argv, struct rt_cli_opts *o, const char **target, const char **log_file,
                             int *status) {
    struct parsed p = {0};
    struct rt_error err = {0};
    enum rt_cli_next next = RT_CLI_EXIT;
    *target = *log_file = NULL;
    const bool ok = parse(argc, argv, o, &p, &err);
    char *log = rt_path(RT_DIR_STATE, "raytui.log");
    rt_log_open(log, o->verbose ? RT_LOG_DEBUG : RT_LOG_WARN);
    rt_log_stderr(o->verbose);
    free(log);
    const char *first = p.words.n ? p.words.v[0] : NULL;
    const struct rt_action_def *d = first ? rt_action_find(first) : NULL;
    if (!ok) {
        *status = out_error(p.kind, &err);
    } else if (p.version || (rt_streq(first, "version") && p.words.n == 1)) {
        printf("raytui " RT_VERSION "\n");
        *status = 0;
    } else if (p.help || rt_streq(first, "help")) {
        *status = show_help(&p);
    } else if (rt_streq(first, "complete") || rt_streq(first, "completion")) {
        *status = complete(p.words.n > 1 ? p.words.v[1] : NULL, o);
    } else if (rt_streq(first, "keys") && o->print_keys) {
        o->print_keys();
        *status = 0;
    } else if (!first || (!d && p.words.n == 1) || (rt_streq(first, "attach") && p.words.n == 2)) {
        *target = first ? word_in_argv(argc, argv, p.words.v[p.words.n - 1]) : NULL;
        next = RT_CLI_SCREEN;
    } else if ((*log_file = file_to_view(&p, argc, argv)) != NULL) {
        next = RT_CLI_SCREEN;
    } else {
        *status = run_verb(&p, o);
    }
    if (next == RT_CLI_EXIT)
        *status = out_end(p.kind, *status);
    rt_strs_deinit(&p.words);
    return next;
}
