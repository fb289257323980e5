/* What a container of a pod writes, as Kubernetes' own tool tells it. An end that nobody asked for (the API server went,
 * the connection idled out) is followed by another try, which begins where the last one ended. */
#include "app/log_private.h"
#include "net/proc.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { AGAIN_MS = 1000, AGAIN_MAX_MS = 15000 };

struct pod_log {
    struct rt_log *log;
    char *cluster, *id;
    const char *what; /* of the provider's tool */
    struct rt_proc *proc;
    struct rt_timer *again;
    int64_t wait_ms;
    int64_t restarts;    /* of the container when it was asked last; -1 unknown */
    uint64_t seen, skip; /* bytes that came; that come once more */
    char words[240];     /* the last it said on stderr */
};

static void start(struct pod_log *x);

/* The same bytes come again when it is asked anew. */
static void take(struct pod_log *x, const char *data, size_t n) {
    const size_t known = (size_t)RT_MIN((uint64_t)n, x->skip);
    x->skip -= known;
    if (n == known)
        return;
    x->seen += n - known;
    x->wait_ms = AGAIN_MS;
    log_data(x->log, data + known, n - known);
    if (!x->log->lost)
        return;
    x->log->lost = false;
    snprintf(x->log->status.text, sizeof x->log->status.text, "following");
}

static void on_output(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    struct pod_log *x = ctx;
    const char *end = memchr(data, '\n', n);
    if (stream == RT_STDOUT)
        take(x, data, n);
    else
        snprintf(x->words, sizeof x->words, "%.*s", (int)RT_MIN(end ? (size_t)(end - data) : n, sizeof x->words), data);
}

static void on_again(void *ctx) {
    struct pod_log *x = ctx;
    rt_timer_stop(x->again);
    x->again = NULL;
    start(x);
}

static const struct rt_pod *pod_of(const struct pod_log *x) {
    const struct rt_cluster *c = rt_store_cluster(x->log->app->store, x->cluster);
    const size_t n = strcspn(x->id, "/");
    const struct rt_rows *pods = c ? &c->lists[RT_T_PODS] : NULL;
    for (size_t i = 0; pods && i < pods->n; i++) {
        const struct rt_pod *pod = &((const struct rt_pod *)pods->v)[i];
        if (strncmp(pod->id, x->id, n) == 0 && !pod->id[n])
            return pod;
    }
    return NULL;
}

static bool pod_is_there(const struct pod_log *x) {
    const struct rt_pod *pod = pod_of(x);
    return pod && !pod->deleting && !rt_streq(pod->phase, "Succeeded") && !rt_streq(pod->phase, "Failed");
}

static int64_t restarts_of(const struct pod_log *x) {
    const struct rt_pod *pod = pod_of(x);
    const char *slash = strchr(x->id, '/');
    for (size_t i = 0; pod && slash && i < pod->ncontainers; i++)
        if (rt_streq(pod->containers[i].name, slash + 1))
            return pod->containers[i].restarts;
    return -1;
}

static void lost(struct pod_log *x) {
    struct rt_log *l = x->log;
    char clean[240];
    l->lost = true;
    l->status.following = true;
    snprintf(l->status.text, sizeof l->status.text, "lost%s%.150s", x->words[0] ? ": " : "", rt_clean_to(clean, sizeof clean, x->words));
    x->again = rt_timer_start(l->app->loop, x->wait_ms, 0, on_again, x);
    x->wait_ms = RT_MIN(x->wait_ms * 2, AGAIN_MAX_MS);
    log_changed(l);
}

/* 0 is the container's end, or that of what there was. */
static void on_exit_of(void *ctx, const struct rt_proc_exit *e) {
    struct pod_log *x = ctx;
    struct rt_log *l = x->log;
    struct rt_error err;
    x->proc = NULL;
    if (e->status != 0 && l->follow_on && pod_is_there(x)) {
        lost(x);
        return;
    }
    if (e->status != 0) {
        rt_error_set(&err, RT_E_FAILED, "%s", x->words[0] ? x->words : "kubectl ended without a word");
        log_failed(l, &err);
        return;
    }
    l->status.following = false;
    l->status.ended = true;
    snprintf(l->status.text, sizeof l->status.text, "ended");
    log_changed(l);
}

static void start(struct pod_log *x) {
    struct rt_log *l = x->log;
    struct rt_error err = {0};
    struct rt_strs argv = {0};
    const int64_t restarts = restarts_of(x);
    x->words[0] = '\0';
    if (x->seen && restarts != x->restarts) {
        rt_logbuf_restart(l->buf, "the container was started again");
        x->seen = 0;
    }
    x->restarts = restarts;
    x->skip = x->seen;
    if (rt_app_tool(l->app, x->cluster, x->what, x->id, &argv, &err)) {
        const struct rt_proc_opts o = {.argv = (const char *const *)argv.v, .output = on_output};
        x->proc = rt_proc_start(l->app->loop, &o, on_exit_of, x, &err);
    }
    rt_strs_deinit(&argv);
    if (!x->proc)
        log_failed(l, &err);
}

bool pod_open(struct rt_log *l, const struct rt_log_target *t, bool follow, struct rt_error *err) {
    const bool previous = rt_streq(t->file, "previous");
    if (!rt_store_cluster(l->app->store, t->cluster))
        return rt_error_set(err, RT_E_NOT_FOUND, "no cluster %s", t->cluster);
    struct pod_log *x = l->pod = RT_NEW(struct pod_log);
    x->log = l;
    x->cluster = rt_strdup(t->cluster);
    x->id = rt_strdup(t->id);
    x->what = previous ? "log-previous" : follow ? "log-follow" : "log";
    x->wait_ms = AGAIN_MS;
    l->follow_on = follow && !previous;
    l->buf = rt_logbuf_create(l->app->loop, NULL);
    l->status.following = l->follow_on;
    snprintf(l->status.text, sizeof l->status.text, "%s", previous ? "what ran before" : "following");
    start(x);
    if (!l->status.failed)
        return true;
    *err = l->status.error;
    return false;
}

void pod_close(struct pod_log *x) {
    if (!x)
        return;
    rt_timer_stop(x->again);
    rt_proc_destroy(x->proc);
    free(x->cluster);
    free(x->id);
    free(x);
}

void pod_retry(struct pod_log *x) {
    if (!x->again)
        return;
    x->wait_ms = AGAIN_MS;
    on_again(x);
}
