/* logs: a job's driver log, a node's file, several by time, or a local file to stdout; wait: until a job ends or a cluster answers. */
#include "cli/internal.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { LINE_MAX_BYTES = 1 << 20 };

struct follow {
    struct cli *cli;
    struct rt_log *log;
    char *cluster, *id;
    bool is_job, search, follows, clean; /* clean: stdout is a terminal */
    int64_t last_lines; /* -1: all */
    int64_t told;       /* marks before it were printed */
    int stdout_errno;   /* it takes nothing any more */
    struct rt_buf line, held;
    struct rt_op *soon;
};

static void follow_release(void *held) {
    struct follow *f = held;
    rt_op_drop(&f->soon);
    rt_log_close_target(f->log);
    rt_buf_deinit(&f->line);
    rt_buf_deinit(&f->held);
    free(f->cluster);
    free(f->id);
    free(f);
}

/* Text for the terminal: everything else in it is made harmless. */
static void print_part(const char *line, size_t n) {
    struct rt_buf text;
    struct rt_span spans[64];
    rt_buf_init(&text, 4 * LINE_MAX_BYTES);
    rt_log_clean(line, n, &text, spans, RT_COUNT(spans));
    fwrite(rt_buf_str(&text), 1, text.len, stdout);
    rt_buf_deinit(&text);
}

static void print_clean(const char *line, size_t n) {
    print_part(line, n);
    fputc('\n', stdout);
}

bool cli_print_log(struct rt_buf *line, bool clean, const char *data, size_t n) {
    if (!clean)
        return out_bytes(data, n);
    while (n) {
        const char *nl = memchr(data, '\n', n);
        const size_t part = nl ? (size_t)(nl - data) : n;
        rt_buf_add(line, data, part);
        if (nl)
            print_clean(rt_buf_str(line), line->len);
        else if (line->len > LINE_MAX_BYTES) /* its end is far */
            print_part(rt_buf_str(line), line->len);
        if (nl || line->len > LINE_MAX_BYTES)
            rt_buf_clear(line);
        data += part + (nl ? 1 : 0);
        n -= part + (nl ? 1 : 0);
    }
    return true;
}

static void over(void *ctx);

static void print(struct follow *f, const char *data, size_t n) {
    if (f->stdout_errno || cli_print_log(&f->line, f->clean, data, n))
        return;
    f->stdout_errno = errno;
    if (f->log && !f->soon)
        f->soon = rt_loop_defer(f->cli->app->loop, over, f);
}

static void print_last(struct follow *f) {
    const char *text = rt_buf_str(&f->held), *end = text + f->held.len, *from = end;
    int64_t left = f->last_lines;
    while (from > text && left > 0) {
        from--;
        while (from > text && from[-1] != '\n')
            from--;
        left--;
    }
    print(f, from, (size_t)(end - from));
    rt_buf_clear(&f->held);
    f->last_lines = -1;
}

static void got(void *ctx, const char *data, size_t n) {
    struct follow *f = ctx;
    if (f->last_lines >= 0) {
        rt_buf_add(&f->held, data, n);
        if (f->held.len > 64 * RT_MIB)
            rt_buf_drop(&f->held, f->held.len - 32 * RT_MIB);
        return;
    }
    print(f, data, n);
}

int cli_job_exit(int job_status) {
    return job_status == RT_JOB_FAILED ? 1 : job_status == RT_JOB_STOPPED ? 2 : 0;
}

/* What raytui itself says between the lines: a connection that was lost, a node that died, what came from the cache. */
static void note_marks(struct follow *f) {
    struct rt_logbuf *b = rt_log_buffer(f->log);
    const int64_t n = rt_logbuf_lines(b, NULL);
    struct rt_line line;
    struct rt_buf text;
    rt_buf_init(&text, 0);
    for (; f->told < n; f->told++)
        if (rt_logbuf_line(b, f->told, &line) && line.kind == RT_LINE_MARK) {
            rt_buf_clear(&text);
            rt_clean(&text, line.text, line.len);
            out_note("raytui: %s", rt_buf_str(&text));
        }
    rt_buf_deinit(&text);
}

/* Nobody reads on (`| head`): that is no failure worth a word. */
static void end_unread(struct cli *c, int why) {
    struct rt_error err = {0};
    if (why == EPIPE) {
        cli_end(c, 128 + SIGPIPE);
        return;
    }
    rt_error_set(&err, RT_E_IO, "cannot write the log: %s", strerror(why));
    cli_fail(c, &err);
}

/* The log is not closed inside its own callback. */
static void over(void *ctx) {
    struct follow *f = ctx;
    struct cli *c = f->cli;
    const struct rt_log_status st = *rt_log_status(f->log);
    f->soon = NULL;
    if (f->last_lines >= 0)
        print_last(f);
    note_marks(f);
    if (f->line.len)
        print_clean(rt_buf_str(&f->line), f->line.len);
    fflush(stdout);
    if (f->stdout_errno) {
        const int why = f->stdout_errno;
        cli_release(c);
        end_unread(c, why);
        return;
    }
    if (st.failed) {
        cli_release(c);
        cli_fail(c, &st.error);
        return;
    }
    if (f->search) {
        const int64_t hits = rt_log_hits(f->log);
        out_note("raytui: %s", st.text);
        cli_release(c);
        cli_end(c, hits > 0 ? 0 : 1);
        return;
    }
    const bool to_end = f->follows && f->is_job;
    if (to_end && st.job_status)
        out_note("raytui: %s %s", f->id, st.text);
    cli_release(c);
    cli_end(c, to_end ? cli_job_exit(st.job_status) : 0);
}

static void changed(void *ctx) {
    struct follow *f = ctx;
    const struct rt_log_status *st = f->log ? rt_log_status(f->log) : NULL;
    fflush(stdout);
    if (st)
        note_marks(f);
    if (st && (st->ended || st->failed) && !f->soon)
        f->soon = rt_loop_defer(f->cli->app->loop, over, f);
    else if (st && f->last_lines >= 0 && st->following && f->held.len)
        print_last(f);
}

static void follow(struct cli *c, const struct rt_log_target *t, bool on, int64_t last_lines) {
    struct rt_error err = {0};
    struct follow *f = RT_NEW(struct follow);
    f->cli = c;
    cli_hold(c, f, follow_release);
    f->cluster = rt_strdup(t->cluster);
    f->id = rt_strdup(t->id);
    f->is_job = t->what == RT_LOG_JOB || t->what == RT_LOG_MERGED;
    f->search = t->what == RT_LOG_SEARCH;
    f->follows = on;
    f->clean = isatty(STDOUT_FILENO);
    f->last_lines = last_lines;
    rt_buf_init(&f->line, 2 * LINE_MAX_BYTES);
    rt_buf_init(&f->held, 128 * RT_MIB);
    f->log = rt_log_open_target(c->app, t, on, changed, f, &err);
    if (!f->log) {
        cli_release(c);
        cli_fail(c, &err);
        return;
    }
    rt_log_on_data(f->log, got, f);
}

void cli_follow_job(struct cli *c, const char *cluster, const char *job, bool on, int64_t last_lines) {
    const struct rt_log_target t = {.what = RT_LOG_JOB, .cluster = cluster, .id = job};
    follow(c, &t, on, last_lines);
}

static bool wanted_lines(const struct cli *c, int64_t *out, struct rt_error *err) {
    const char *text = rt_call_option(&c->call, "lines");
    *out = -1;
    if (text && (!rt_parse_i64(text, out) || *out < 0))
        return rt_error_set(err, RT_E_USAGE, "--lines %s is no number", text);
    return true;
}

static void have_jobs(struct cli *c) {
    const struct rt_cluster *cl = rt_store_cluster(c->app->store, c->call.cluster);
    const char *regex = rt_call_option(&c->call, "search");
    const bool all = regex || rt_call_option(&c->call, "all"), workers = rt_call_option(&c->call, "workers") != NULL;
    struct rt_error err = {0};
    struct rt_log_words words;
    int64_t lines = -1;
    if (!wanted_lines(c, &lines, &err) ||
        !rt_log_words(cl, &c->call.args, all || !workers, all || workers, regex, &words, &err)) {
        cli_fail(c, &err);
        return;
    }
    if (words.target.what == RT_LOG_MERGED) /* nodes and jobs come while it is followed */
        rt_app_look(c->app, cl->name, RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_JOBS), false);
    follow(c, &words.target, rt_call_option(&c->call, "follow") != NULL, lines);
    rt_log_words_deinit(&words);
}

/* Which lists the words are looked up in. */
static uint32_t topics_of(const struct cli *c) {
    const uint32_t nodes = RT_TOPIC_BIT(RT_T_NODES), jobs = RT_TOPIC_BIT(RT_T_JOBS);
    uint32_t topics = 0;
    if (rt_call_option(&c->call, "search") || rt_call_option(&c->call, "all") || rt_call_option(&c->call, "workers") || c->call.args.n > 1)
        return nodes | jobs;
    for (size_t i = 0; i < c->call.args.n; i++)
        topics |= strchr(c->call.args.v[i], '/') ? nodes : jobs;
    return topics;
}

/* What is kept of a cluster that is away is searched all the same. */
static void have_jobs_or_cache(void *ctx, const struct rt_error *err) {
    struct cli *c = ctx;
    const struct rt_cluster *cl = rt_store_cluster(c->app->store, c->call.cluster);
    struct rt_strs kept = {0};
    c->op = NULL;
    if (err && cl->reach != RT_REACH_OK)
        rt_app_logs_kept(c->app, cl->name, NULL, &kept);
    const bool go = !err || kept.n;
    rt_strs_deinit(&kept);
    if (!go) {
        cli_fail(c, err);
        return;
    }
    if (err) {
        out_note("raytui: %s: searching what the cache has", err->message);
        rt_app_recall(c->app, cl->name);
    }
    have_jobs(c);
}

/* Goes to where the last lines of a file begin. False: it is none that one can go about in. */
static bool seek_last(FILE *in, int64_t lines) {
    char block[64 * 1024];
    if (fseeko(in, 0, SEEK_END) != 0)
        return false;
    off_t at = ftello(in);
    bool at_end = true; /* the newline of the last line begins no other */
    while (at > 0) {
        const size_t n = (size_t)RT_MIN(at, (off_t)sizeof block);
        at -= (off_t)n;
        if (fseeko(in, at, SEEK_SET) != 0 || fread(block, 1, n, in) < n)
            break;
        for (size_t i = n; i > 0; i--, at_end = false)
            if (block[i - 1] == '\n' && !at_end && --lines <= 0)
                return fseeko(in, at + (off_t)i, SEEK_SET) == 0;
    }
    return fseeko(in, 0, SEEK_SET) == 0;
}

static void print_file(struct cli *c, const char *file, int64_t lines) {
    struct rt_error err = {0};
    FILE *in = fopen(file, "rb");
    if (!in) {
        rt_error_set(&err, RT_E_NOT_FOUND, "%s cannot be read", file);
        cli_fail(c, &err);
        return;
    }
    struct follow f = {.cli = c, .clean = isatty(STDOUT_FILENO), .last_lines = lines};
    rt_buf_init(&f.line, 2 * LINE_MAX_BYTES);
    rt_buf_init(&f.held, 128 * RT_MIB);
    if (lines > 0 && seek_last(in, lines))
        f.last_lines = -1;
    char block[64 * 1024];
    for (size_t n; (n = fread(block, 1, sizeof block, in)) > 0;)
        got(&f, block, n);
    fclose(in);
    if (f.last_lines >= 0)
        print_last(&f);
    if (f.line.len)
        print_clean(rt_buf_str(&f.line), f.line.len);
    rt_buf_deinit(&f.line);
    rt_buf_deinit(&f.held);
    if (f.stdout_errno)
        end_unread(c, f.stdout_errno);
    else
        cli_end(c, 0);
}

static void print_kept(struct cli *c) {
    struct rt_error err = {0};
    int64_t lines = -1;
    struct rt_strs names = {0};
    const struct rt_log_target t = {.what = RT_LOG_KEPT, .cluster = c->call.cluster, .id = c->call.args.n ? c->call.args.v[0] : NULL};
    if (!t.id) {
        rt_app_logs_kept(c->app, c->call.cluster, NULL, &names);
        for (size_t i = 0; i < names.n; i++)
            print_clean(names.v[i], strlen(names.v[i]));
        rt_strs_deinit(&names);
        cli_end(c, 0);
        return;
    }
    struct rt_log *log = wanted_lines(c, &lines, &err) ? rt_log_open_target(c->app, &t, false, NULL, NULL, &err) : NULL;
    char *path = log ? rt_strdup(rt_log_kept_path(log)) : NULL;
    if (log)
        out_note("raytui: %s", rt_log_status(log)->text);
    rt_log_close_target(log);
    if (path)
        print_file(c, path, lines);
    else
        cli_fail(c, &err);
    free(path);
}

/* ---- what a machine wrote while Ray started ---- */

enum { MACHINE_TICK_MS = 300, MACHINE_TICKS = 100 };

struct machine {
    struct cli *cli;
    struct rt_log *log;
    struct rt_timer *timer;
    int ticks;
};

static void machine_release(void *held) {
    struct machine *m = held;
    rt_timer_stop(m->timer);
    rt_log_close_target(m->log);
    free(m);
}

/* Its first bytes come over the network. */
static void machine_tick(void *ctx) {
    struct machine *m = ctx;
    struct cli *c = m->cli;
    struct rt_error err = {0};
    int64_t lines = -1;
    bool exact = false;
    if (rt_log_status(m->log)->silent) {
        out_note("raytui: %s", rt_log_status(m->log)->text);
        cli_release(c);
        cli_end(c, 0);
        return;
    }
    if (!rt_logbuf_lines(rt_log_buffer(m->log), &exact) && ++m->ticks < MACHINE_TICKS)
        return;
    char *path = m->ticks < MACHINE_TICKS && wanted_lines(c, &lines, &err) ? rt_strdup(rt_log_kept_path(m->log)) : NULL;
    if (!path && !err.code)
        rt_error_set(&err, RT_E_TIMEOUT, "nothing came from %s", rt_call_option(&c->call, "machine"));
    cli_release(c);
    if (path)
        print_file(c, path, lines);
    else
        cli_fail(c, &err);
    free(path);
}

static void print_machine(struct cli *c) {
    struct rt_error err = {0};
    struct machine *m = RT_NEW(struct machine);
    const struct rt_log_target t = {.what = RT_LOG_MACHINE, .cluster = c->call.cluster, .id = rt_call_option(&c->call, "machine")};
    m->cli = c;
    cli_hold(c, m, machine_release);
    m->log = rt_log_open_target(c->app, &t, true, NULL, NULL, &err);
    if (m->log) {
        m->timer = rt_timer_start(c->app->loop, 0, MACHINE_TICK_MS, machine_tick, m);
    } else {
        cli_release(c);
        cli_fail(c, &err);
    }
}

static void machine_known(void *ctx, const struct rt_error *err) {
    struct cli *c = ctx;
    (void)err; /* it may not answer yet: what it wrote tells why */
    c->op = NULL;
    print_machine(c);
}

void verb_logs(struct cli *c) {
    const char *file = rt_call_option(&c->call, "file");
    int64_t lines = -1;
    struct rt_error err = {0};
    if (rt_call_option(&c->call, "cached")) {
        print_kept(c);
        return;
    }
    if (rt_call_option(&c->call, "machine")) {
        c->op = rt_app_wait(c->app, c->call.cluster, RT_TOPIC_BIT(RT_T_CLUSTER), 0, machine_known, c);
        return;
    }
    if (!file && rt_call_option(&c->call, "search")) {
        c->op = rt_app_wait(c->app, c->call.cluster, topics_of(c), 0, have_jobs_or_cache, c);
        return;
    }
    if (!file) {
        cli_when(c, topics_of(c), have_jobs);
        return;
    }
    if (!wanted_lines(c, &lines, &err)) {
        cli_fail(c, &err);
        return;
    }
    print_file(c, file, lines);
}

/* ---- wait ---- */

struct waiting {
    struct cli *cli;
    struct rt_timer *timer, *timeout;
    char *job;
};

static void waiting_release(void *held) {
    struct waiting *w = held;
    rt_timer_stop(w->timer);
    rt_timer_stop(w->timeout);
    free(w->job);
    free(w);
}

static void wait_timed_out(void *ctx) {
    struct waiting *w = ctx;
    struct cli *c = w->cli;
    struct rt_error err = {0};
    rt_error_set(&err, RT_E_TIMEOUT, "%s: not there in time", w->job ? w->job : c->call.cluster);
    cli_release(c);
    cli_fail(c, &err);
}

static void look_at_job(void *ctx) {
    struct waiting *w = ctx;
    struct cli *c = w->cli;
    const struct rt_cluster *cl = rt_store_cluster(c->app->store, c->call.cluster);
    const struct rt_job *j = rt_store_job(cl, w->job);
    if (!j && cl->fresh[RT_T_JOBS].at_ms && !cl->fresh[RT_T_JOBS].error.code) {
        struct rt_error err = {0};
        rt_error_set(&err, RT_E_NOT_FOUND, "%s has no job %s any more", cl->name, w->job);
        rt_error_hint(&err, "it was deleted, or the head was started anew");
        cli_release(c);
        cli_fail(c, &err);
        return;
    }
    if (!j || !rt_job_ended((enum rt_job_status)j->status))
        return;
    const int status = cli_job_exit(j->status);
    if (c->kind == RT_OUT_JSON) {
        const struct rt_row_env env = cli_env(c, cl->name);
        json_t *v = json_pack("{s:i, s:s}", "schema", 1, "cluster", cl->name);
        json_object_set_new(v, "item", rt_table_jobs.json(j, &env, false));
        out_json_line(v);
    } else {
        printf("%s %s\n", j->id, j->status_text);
    }
    cli_release(c);
    cli_end(c, status);
}

static void look_at_cluster(void *ctx) {
    struct waiting *w = ctx;
    struct cli *c = w->cli;
    const struct rt_cluster *cl = rt_store_cluster(c->app->store, c->call.cluster);
    if (cl->reach != RT_REACH_OK)
        return;
    if (c->kind == RT_OUT_JSON) {
        const struct rt_row_env env = cli_env(c, cl->name);
        json_t *v = json_pack("{s:i}", "schema", 1);
        json_object_set_new(v, "item", rt_table_clusters.json(cl, &env, false));
        out_json_line(v);
    } else {
        printf("%s %s\n", cl->name, rt_cluster_state_name(cl->state));
    }
    cli_release(c);
    cli_end(c, 0);
}

static struct waiting *wait_start(struct cli *c, rt_loop_fn *look) {
    struct rt_error err = {0};
    int64_t timeout = 0;
    const char *text = rt_call_option(&c->call, "timeout");
    if (text && !rt_parse_duration(text, &timeout, &err)) {
        rt_error_wrap(&err, "--timeout");
        cli_fail(c, &err);
        return NULL;
    }
    struct waiting *w = RT_NEW(struct waiting);
    w->cli = c;
    cli_hold(c, w, waiting_release);
    w->timer = rt_timer_start(c->app->loop, 0, 200, look, w);
    if (timeout)
        w->timeout = rt_timer_start(c->app->loop, timeout, 0, wait_timed_out, w);
    return w;
}

static void wait_for_job(struct cli *c) {
    const struct rt_cluster *cl = rt_store_cluster(c->app->store, c->call.cluster);
    struct rt_error err = {0};
    const struct rt_job *j = rt_find_job(cl, c->call.args.v[0], &err);
    if (!j) {
        cli_fail(c, &err);
        return;
    }
    rt_app_look(c->app, cl->name, RT_TOPIC_BIT(RT_T_JOBS), false);
    struct waiting *w = wait_start(c, look_at_job);
    if (w)
        w->job = rt_strdup(j->id);
}

void verb_wait(struct cli *c) {
    struct rt_error err = {0};
    if (!rt_call_option(&c->call, "up")) {
        cli_when(c, RT_TOPIC_BIT(RT_T_JOBS), wait_for_job);
        return;
    }
    if (rt_app_attach(c->app, c->call.cluster, true, &err))
        wait_start(c, look_at_cluster);
    else
        cli_fail(c, &err);
}
