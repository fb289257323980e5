/* One long call of `ray`: its process, its output in a file, its exit status in another. The shell around it is what writes
 * these, so that a raytui that was killed finds all of them again. */
#include "base/fs.h"
#include "net/proc.h"
#include "providers/launcher.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TICK_MS = 200, KILL_AFTER_MS = 5000, CHUNK = 64 * 1024 };

static const char kind[] = "ray"; /* in the journal */

/* $1 the directory, $2 the name, then the command. */
static const char around[] =
    "d=$1 w=$2; shift 2\n"
    "echo $$ >\"$d/$w.pid.new\" && mv \"$d/$w.pid.new\" \"$d/$w.pid\" || exit 125\n"
    "\"$@\"\n"
    "s=$?\n"
    "echo $s >\"$d/$w.status.new\" && mv \"$d/$w.status.new\" \"$d/$w.status\"\n"
    "exit $s\n";

struct launcher_run {
    struct rt_provider *provider;
    struct launcher_run_events events;
    struct launcher_say say;
    char *what;
    struct rt_proc *proc; /* when it is our child */
    struct rt_timer *tick;
    int64_t pid, at;      /* bytes read */
    uint64_t started;     /* rt_process_started of pid; 0 unknown */
    int64_t told_ms;      /* loop time of SIGTERM; 0 */
};

static char *path_of(const struct rt_provider *p, const char *what, const char *end) {
    return rt_strf("%s/%s.%s", p->dir, what, end);
}

/* The number in one of its small files; false: it is not there. */
static bool read_number(const struct rt_provider *p, const char *what, const char *end, int64_t *out) {
    struct rt_buf text;
    struct rt_error ignored = {0};
    char *path = path_of(p, what, end);
    rt_buf_init(&text, 64);
    bool ok = rt_file_read(path, text.max, &text, &ignored);
    if (ok && text.len && text.data[text.len - 1] == '\n')
        text.data[text.len - 1] = '\0';
    ok = ok && rt_parse_i64(rt_buf_str(&text), out);
    rt_buf_deinit(&text);
    free(path);
    return ok;
}

/* ---- its end ---- */

static void run_free(struct launcher_run *r) {
    rt_timer_stop(r->tick);
    rt_proc_destroy(r->proc);
    launcher_say_deinit(&r->say);
    free(r->what);
    free(r);
}

static bool alive(const struct launcher_run *r) {
    if (r->pid <= 1 || !rt_process_alive(r->pid))
        return false;
    return !r->started || rt_process_started(r->pid) == r->started;
}

static void read_more(struct launcher_run *r, bool all) {
    char *path = path_of(r->provider, r->what, "log"), *data = rt_alloc(CHUNK);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = 0;
    do {
        n = fd < 0 ? 0 : pread(fd, data, CHUNK, (off_t)r->at);
        if (n > 0) {
            r->at += n;
            launcher_say_feed(&r->say, data, (size_t)n, r->events.said, r->events.ctx);
        }
    } while (all && n > 0);
    if (fd >= 0)
        close(fd);
    free(data);
    free(path);
}

static void on_tick(void *ctx) {
    struct launcher_run *r = ctx;
    struct rt_provider *p = r->provider;
    struct rt_error ignored = {0};
    int64_t status = -1;
    const bool told = read_number(p, r->what, "status", &status), over = told || !alive(r);
    read_more(r, over);
    if (!over) {
        if (r->told_ms && rt_loop_now_ms(p->env.loop) - r->told_ms > KILL_AFTER_MS)
            kill((pid_t)-r->pid, SIGKILL);
        return;
    }
    launcher_say_end(&r->say, r->events.said, r->events.ctx);
    rt_journal_gone(p->journal, kind, r->what, &ignored);
    const struct launcher_run_events e = r->events;
    rt_timer_stop(r->tick);
    r->tick = NULL;
    e.ended(e.ctx, (int)status); /* reads what it said */
    run_free(r);
}

static void no_news(void *ctx, const struct rt_proc_exit *x) {
    struct launcher_run *r = ctx;
    (void)x;
    r->proc = NULL; /* the next tick sees it */
}

/* ---- its beginning ---- */

static struct launcher_run *run_new(struct rt_provider *p, const char *what, const struct launcher_run_events *e) {
    struct launcher_run *r = RT_NEW(struct launcher_run);
    r->provider = p;
    r->events = *e;
    r->what = rt_strdup(what);
    launcher_say_init(&r->say);
    return r;
}

/* What the last one left: its output is kept once. */
static void put_away(const struct rt_provider *p, const char *what) {
    static const char *const ends[] = {"pid", "status"};
    char *log = path_of(p, what, "log"), *old = path_of(p, what, "log.1");
    rename(log, old);
    free(log);
    free(old);
    for (size_t i = 0; i < RT_COUNT(ends); i++) {
        char *path = path_of(p, what, ends[i]);
        unlink(path);
        free(path);
    }
}

static struct rt_proc *spawn(struct launcher_run *r, const struct rt_strs *argv, struct rt_error *err) {
    struct rt_provider *p = r->provider;
    struct rt_strs words = {0}, env = {0};
    char *log = path_of(p, r->what, "log"), *beside = launcher_beside(p);
    const char *const shell[] = {"/bin/sh", "-c", around, "sh", p->dir, r->what};
    for (size_t i = 0; i < RT_COUNT(shell); i++)
        rt_strs_add(&words, shell[i]);
    rt_strs_copy(&words, argv);
    struct rt_proc *proc = NULL;
    if (launcher_environment(p, &env, err)) {
        const struct rt_proc_opts o = {.argv = (const char *const *)words.v, .env = (const char *const *)env.v, .cwd = beside,
                                       .own_session = true, .stay = true, .output_file = log};
        proc = rt_proc_start(p->env.loop, &o, no_news, r, err);
    }
    rt_strs_deinit(&words);
    rt_strs_deinit(&env);
    free(beside);
    free(log);
    return proc;
}

struct launcher_run *launcher_run_start(struct rt_provider *p, const char *op, const char *what, const struct rt_strs *argv,
                                        const struct launcher_run_events *e, struct rt_error *err) {
    struct rt_error ignored = {0};
    char *path = rt_which(argv->v[0]), id[24];
    if (!path) {
        rt_error_set(err, RT_E_NOT_FOUND, "there is no program %s", argv->v[0]);
        rt_error_hint(err, "`pip install \"ray[default]\"` brings `ray`; `ray_command` names another place");
        return NULL;
    }
    free(path);
    if (!rt_mkdirs(p->dir, err))
        return NULL;
    put_away(p, what);
    if (!rt_journal_want(p->journal, op, kind, what, NULL, err))
        return NULL;
    struct launcher_run *r = run_new(p, what, e);
    r->proc = spawn(r, argv, err);
    if (!r->proc) {
        rt_journal_gone(p->journal, kind, what, &ignored);
        run_free(r);
        return NULL;
    }
    r->pid = rt_proc_pid(r->proc);
    r->started = rt_process_started(r->pid);
    snprintf(id, sizeof id, "%lld", (long long)r->pid);
    char *data = rt_strf("{\"started\": \"%llu\"}", (unsigned long long)r->started);
    rt_journal_made(p->journal, kind, what, id, data, &ignored); /* its own file says it too */
    free(data);
    r->tick = rt_timer_start(p->env.loop, TICK_MS, TICK_MS, on_tick, r);
    return r;
}

/* ---- found again ---- */

static const struct rt_journal_item *item_of(const struct rt_provider *p) {
    for (size_t i = 0; p->journal && i < rt_journal_count(p->journal); i++)
        if (rt_streq(rt_journal_at(p->journal, i)->kind, kind))
            return rt_journal_at(p->journal, i);
    return NULL;
}

const char *launcher_run_known(const struct rt_provider *p) {
    const struct rt_journal_item *item = item_of(p);
    return item ? item->name : NULL;
}

struct launcher_run *launcher_run_find(struct rt_provider *p, const struct launcher_run_events *e) {
    const struct rt_journal_item *item = item_of(p);
    struct rt_error ignored = {0};
    if (!item)
        return NULL;
    struct launcher_run *r = run_new(p, item->name, e);
    json_t *data = item->data ? rt_json_parse(item->data, strlen(item->data), &ignored) : NULL;
    const char *started = data ? rt_json_str(data, "started") : NULL;
    if ((!item->id || !rt_parse_i64(item->id, &r->pid)) && !read_number(p, r->what, "pid", &r->pid))
        r->pid = 0; /* it was never started */
    r->started = started ? strtoull(started, NULL, 10) : 0;
    json_decref(data);
    r->tick = rt_timer_start(p->env.loop, 0, TICK_MS, on_tick, r);
    return r;
}

struct launcher_say *launcher_run_say(struct launcher_run *r) {
    return &r->say;
}

/* Only what leads a group of its own: another process may have got its number. */
void launcher_run_end(struct launcher_run *r) {
    if (!r->told_ms && alive(r) && getpgid((pid_t)r->pid) == (pid_t)r->pid)
        kill((pid_t)-r->pid, SIGTERM);
    if (!r->told_ms)
        r->told_ms = rt_loop_now_ms(r->provider->env.loop);
}

void launcher_run_leave(struct launcher_run *r) {
    if (r)
        run_free(r);
}
