/* Life of a cluster of this machine while raytui does not run: its watchdog is a process of its own, which ends the
 * cluster by `raytui down`. */
#include "base/fs.h"
#include "net/proc.h"
#include "providers/local.h"
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char *dir_of(const struct rt_provider *p) {
    return rt_cluster_path(p->conf->name, "watchdog");
}

/* The interpreter that runs Ray: what its first line names. */
static char *python_of(const char *ray) {
    struct rt_error ignored = {0};
    struct rt_buf b;
    char *python = NULL;
    rt_buf_init(&b, RT_MIB);
    if (rt_file_read(ray, RT_MIB, &b, &ignored) && rt_starts(rt_buf_str(&b), "#!/")) {
        const char *line = rt_buf_str(&b) + 2;
        python = rt_strndup(line, strcspn(line, " \r\n"));
    }
    rt_buf_deinit(&b);
    if (python && strstr(python, "python") && rt_file_exists(python))
        return python;
    free(python);
    return rt_strdup("python3");
}

static bool words(const struct rt_provider *p, const struct watchdog_opts *o, const char *dir, struct rt_strs *out, struct rt_error *err) {
    char *self = rt_self_path(), *python = python_of(p->place.ray), url[64];
    if (!self)
        self = rt_which("raytui");
    snprintf(url, sizeof url, "http://127.0.0.1:%d", p->place.dashboard);
    watchdog_argv(o, python, dir, url, local_head(p)->pid, out);
    free(python);
    if (!self)
        return rt_error_set(err, RT_E_FAILED, "the program raytui is not found: nothing could end the cluster");
    rt_strs_add(out, self);
    free(self);
    if (rt_file_exists(p->env.config->path)) {
        rt_strs_add(out, "--config");
        rt_strs_add(out, p->env.config->path);
    }
    rt_strs_add(out, "down");
    rt_strs_add(out, p->conf->name);
    rt_strs_add(out, "--yes");
    return true;
}

static void ended(void *ctx, const struct rt_proc_exit *e) {
    struct rt_provider *p = ctx;
    (void)e;
    p->watchdog = NULL;
}

static bool start(struct rt_provider *p, const struct watchdog_opts *o, const char *dir, struct rt_error *err) {
    struct rt_strs argv = {0};
    char *log = rt_cluster_path(p->conf->name, "watchdog.log"), pid[32], started[32];
    bool ok = rt_journal_want(p->journal, "up", "watchdog", "watchdog", NULL, err) && watchdog_write(o, dir, err) &&
              words(p, o, dir, &argv, err);
    if (ok) {
        const struct rt_proc_opts opts = {.argv = (const char *const *)argv.v, .own_session = true, .stay = true, .output_file = log, .cwd = "/"};
        p->watchdog = rt_proc_start(p->env.loop, &opts, ended, p, err);
        ok = p->watchdog != NULL;
    }
    if (ok) {
        snprintf(pid, sizeof pid, "%lld", (long long)rt_proc_pid(p->watchdog));
        snprintf(started, sizeof started, "%llu", (unsigned long long)rt_process_started(rt_proc_pid(p->watchdog)));
        ok = rt_journal_made(p->journal, "watchdog", "watchdog", pid, started, err);
    }
    rt_strs_deinit(&argv);
    free(log);
    return ok;
}

bool local_watchdog_start(struct rt_provider *p, const char *job, struct rt_error *err) {
    const struct watchdog_opts o = watchdog_opts(p->conf, job);
    if (!watchdog_wanted(&o))
        return true;
    char *dir = dir_of(p);
    const bool ok = rt_remove_tree(dir, err) && start(p, &o, dir, err);
    free(dir);
    return ok || rt_error_wrap(err, "its watchdog");
}

/* Only the watchdog itself: `raytui down` may be its child. */
void local_watchdog_stop(struct rt_provider *p) {
    const struct rt_journal_item *it = p->journal ? rt_journal_find(p->journal, "watchdog", "watchdog") : NULL;
    struct rt_error ignored = {0};
    int64_t pid = 0;
    if (!it)
        return;
    if (it->id && it->data && rt_parse_i64(it->id, &pid) && pid > 1 && rt_process_started(pid) == strtoull(it->data, NULL, 10))
        kill((pid_t)pid, SIGTERM);
    char *dir = dir_of(p);
    rt_remove_tree(dir, &ignored);
    free(dir);
    rt_journal_gone(p->journal, "watchdog", "watchdog", &ignored);
}

void local_watchdog_show(struct rt_provider *p) {
    char *path = rt_cluster_path(p->conf->name, "watchdog/state.json");
    struct rt_error ignored = {0};
    struct rt_buf b;
    rt_buf_init(&b, RT_MIB);
    if (local_head(p) && rt_file_exists(path))
        rt_file_read(path, RT_MIB, &b, &ignored);
    watchdog_show(p->env.store, p->cluster, rt_buf_str(&b), 0, NULL);
    rt_buf_deinit(&b);
    free(path);
}

struct rt_operation *local_keepalive(struct rt_provider *p, struct rt_error *err) {
    char *file = rt_cluster_path(p->conf->name, "watchdog/keepalive"), *state = rt_cluster_path(p->conf->name, "watchdog/state.json");
    const bool watched = rt_file_exists(state);
    const bool ok = watched ? rt_file_write(file, "", 0, err)
                            : rt_error_set(err, RT_E_CONFLICT, "nothing watches %s: neither idle_timeout nor lifetime is set, or it is not up",
                                           p->conf->name);
    free(file);
    free(state);
    if (!ok)
        return NULL;
    struct rt_operation *op = rt_operation_start(p->env.operations, "keepalive", p->conf->name, "start the idle time anew", NULL, NULL);
    rt_operation_finish(op, NULL, "its idle time starts anew");
    return op;
}
