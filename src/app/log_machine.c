/* What a machine wrote while Ray started there: a file of this machine that its provider fills while it is read. */
#include "app/log_private.h"
#include "base/fs.h"
#include <stdlib.h>
#include <string.h>

enum { PULL_MS = 1500 };

/* "NAME\tPATH" of a node, or of the last node of a pool. */
static const char *line_of(const struct rt_strs *all, const char *name) {
    const size_t n = strlen(name);
    const char *of_pool = NULL;
    for (size_t i = 0; i < all->n; i++) {
        if (strncmp(all->v[i], name, n) != 0)
            continue;
        if (all->v[i][n] == '\t')
            return all->v[i];
        if (all->v[i][n] == '-' && all->v[i][n + 1 + strspn(all->v[i] + n + 1, "0123456789")] == '\t')
            of_pool = all->v[i];
    }
    return of_pool;
}

static void say(struct rt_log *l, const char *note) {
    snprintf(l->status.text, sizeof l->status.text, "%s%s %s", l->machine, note ? ":" : ",", note ? note : "while Ray starts");
    l->status.silent = note != NULL;
}

static void on_pull(void *ctx) {
    struct rt_log *l = ctx;
    const struct rt_provider_ops *ops = l->session->conf->ops;
    const char *note = ops->machine_pull(l->session->provider, l->machine);
    const bool other = l->status.silent != (note != NULL);
    say(l, note);
    if (other)
        log_changed(l);
}

bool machine_open(struct rt_log *l, const struct rt_log_target *t, bool follow, struct rt_error *err) {
    struct rt_strs all = {0};
    l->session = session_get(l->app, t->cluster, err);
    if (!l->session)
        return false;
    const struct rt_provider_ops *ops = l->session->conf->ops;
    if (!ops->machine_logs)
        return rt_error_set(err, RT_E_UNSUPPORTED, "provider %s keeps no start-up logs", ops->name);
    ops->machine_logs(l->session->provider, &all);
    const char *line = line_of(&all, t->id);
    if (!line) {
        rt_error_set(err, RT_E_NOT_FOUND, "%s has no start-up log of %s", t->cluster, t->id);
        rt_strs_deinit(&all);
        return false;
    }
    const char *tab = strchr(line, '\t');
    l->machine = rt_strndup(line, (size_t)(tab - line));
    l->path = rt_strdup(tab + 1);
    if (!rt_file_exists(tab + 1))
        rt_file_append(tab + 1, "", 0, false, err);
    l->buf = rt_logbuf_open_file(l->app->loop, tab + 1, follow, err);
    rt_strs_deinit(&all);
    if (!l->buf)
        return false;
    l->status.following = follow;
    l->status.ended = !follow;
    say(l, NULL);
    if (ops->machine_pull) {
        if (!l->session->attached)
            session_attach(l->session, true);
        l->pull_timer = rt_timer_start(l->app->loop, 0, PULL_MS, on_pull, l);
    }
    return true;
}
