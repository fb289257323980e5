/* Logs into buffers: a job's driver log followed over every drop, a node's file, an operation's output, a
 * local file. */
#include "app/log_private.h"
#include "core/logcache.h"
#include "core/operation.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WAY_MS = 500, NODES_MS = 5000 };

void log_changed(struct rt_log *l) {
    if (l->change)
        l->change(l->change_ctx);
}

static void on_buffer(void *ctx) {
    log_changed(ctx);
}

/* Is it the node that went? Nobody else may look at them. */
static void ask_for_nodes(struct rt_log *l) {
    struct poll *p = &l->session->polls[POLL_NODES];
    if (l->session->cluster->reach != RT_REACH_OK || p->op || rt_loop_now_ms(l->app->loop) - p->ended_ms < NODES_MS)
        return;
    p->asked = true;
    p->due_ms = 0;
    session_look_again(l->session);
}

/* Its node is known to be dead: nothing more comes, and nobody need ask. */
static void bury(struct rt_log *l) {
    const struct rt_node *n = l->node ? rt_store_node(l->session->cluster, l->node) : NULL;
    if (!l->lost || !l->far || l->status.ended || !n)
        return;
    if (n->alive) {
        ask_for_nodes(l);
        return;
    }
    log_far_destroy(l->far);
    l->far = NULL;
    log_mark(l, "the node is dead", n->state_message);
    l->lost = l->status.following = false;
    l->status.ended = true;
    snprintf(l->status.text, sizeof l->status.text, "ended: the node is dead");
    log_changed(l);
}

static void on_rate(void *ctx) {
    struct rt_log *l = ctx;
    bool exact = false;
    bury(l);
    const int64_t lines = rt_logbuf_lines(l->buf, &exact);
    const double rate = l->counted ? (double)(lines - l->rate_lines) : 0; /* an index is no stream */
    l->rate_lines = lines;
    l->counted = l->counted || exact;
    if (rate > 0 || l->status.lines_per_s > 0) {
        l->status.lines_per_s = rate;
        log_changed(l);
    }
}

void log_data(void *ctx, const char *data, size_t n) {
    struct rt_log *l = ctx;
    if (!l->data) {
        rt_logbuf_append(l->buf, data, n);
        return;
    }
    l->data(l->data_ctx, data, n);
    log_changed(l);
}

void log_mark(struct rt_log *l, const char *what, const char *why) {
    char clock[16], text[256];
    const int64_t now = rt_wall_ms();
    snprintf(text, sizeof text, "--- %s %s%s%.150s ---", what, rt_fmt_clock(clock, sizeof clock, now, now), why ? ": " : "",
             why ? why : "");
    rt_logbuf_mark(l->buf, text);
}

/* What comes next was kept; it is no stream, but what was seen of one. */
static void got_note(void *ctx, const char *text) {
    struct rt_log *l = ctx;
    char mark[200];
    snprintf(l->cached, sizeof l->cached, "%s", text);
    snprintf(mark, sizeof mark, "--- %s ---", text);
    rt_logbuf_mark(l->buf, mark);
}

static void got_event(void *ctx, enum rt_follow_event e, const char *text, const struct rt_job *job) {
    struct rt_log *l = ctx;
    struct rt_log_status *st = &l->status;
    switch (e) {
    case RT_FOLLOW_WAITING:
        st->following = true;
        snprintf(st->text, sizeof st->text, "waiting: %s", text ? text : "the log is not there yet");
        break;
    case RT_FOLLOW_LIVE:
        if (l->lost)
            log_mark(l, "resumed", NULL);
        l->lost = false;
        l->cached[0] = '\0';
        st->following = true;
        snprintf(st->text, sizeof st->text, "following");
        break;
    case RT_FOLLOW_LOST:
        if (!l->lost)
            log_mark(l, "connection lost", text);
        l->lost = true;
        if (l->cached[0])
            snprintf(st->text, sizeof st->text, "%.60s: %.130s", l->cached, text ? text : "");
        else
            snprintf(st->text, sizeof st->text, "lost: %s", text ? text : "");
        break;
    case RT_FOLLOW_RESTARTED:
        rt_logbuf_restart(l->buf, text);
        break;
    case RT_FOLLOW_ENDED:
        st->following = false;
        st->ended = true;
        st->job_status = job ? job->status : 0;
        if (l->cached[0])
            snprintf(st->text, sizeof st->text, "%s", l->cached);
        else
            snprintf(st->text, sizeof st->text, "ended%s%s", job ? ": " : "", job ? job->status_text : "");
        if (job && l->session)
            rt_store_put_job(l->app->store, l->session->cluster, job);
        break;
    }
    log_changed(l);
}

void log_failed(void *ctx, const struct rt_error *err) {
    struct rt_log *l = ctx;
    l->status.following = false;
    l->status.failed = true;
    l->status.error = *err;
    snprintf(l->status.text, sizeof l->status.text, "%.60s%s%.130s", l->cached, l->cached[0] ? ": " : "", err->message);
    log_changed(l);
}

/* The node that has the log is dead. */
static bool is_gone(const struct session *s, const struct rt_log_target *t) {
    const struct rt_job *j = t->what == RT_LOG_JOB ? rt_store_job(s->cluster, t->id) : NULL;
    const char *id = t->what == RT_LOG_JOB ? (j ? j->driver_node_id : NULL) : t->id;
    const struct rt_node *n = id ? rt_store_node(s->cluster, id) : NULL;
    return n && !n->alive;
}

static void start_far(struct rt_log *l, struct rt_ray *ray, const struct rt_follow_opts *o) {
    const struct log_far_callbacks cb = {{.data = log_data, .event = got_event, .failed = log_failed, .ctx = l}, got_note};
    l->far = log_far_start(l->session, ray, o, &cb);
}

static void look_for_way(void *ctx) {
    struct rt_log *l = ctx;
    struct rt_error err = {0};
    struct rt_ray *ray = session_ray(l->session, &err);
    if (!ray && (err.code == RT_E_BUSY || err.code == RT_E_UNREACHABLE)) {
        snprintf(l->status.text, sizeof l->status.text, "waiting: %.180s", err.message);
        log_changed(l);
        return;
    }
    rt_timer_stop(l->pull_timer);
    l->pull_timer = NULL;
    if (ray)
        start_far(l, ray, &(struct rt_follow_opts){.tail_bytes = -1, .follow = true, .until_job_ends = true, .job = l->waits});
    else
        log_failed(l, &err);
}

/* Its cluster was attached to just now: where it is is still being found out. */
static bool open_later(struct rt_log *l, const struct rt_log_target *t) {
    if (!l->session->attached)
        session_attach(l->session, true);
    l->waits = rt_strdup(t->id);
    l->buf = rt_logbuf_create(l->app->loop, NULL);
    l->status.following = true;
    snprintf(l->status.text, sizeof l->status.text, "waiting: connecting");
    l->pull_timer = rt_timer_start(l->app->loop, WAY_MS, WAY_MS, look_for_way, l);
    return true;
}

static bool open_far(struct rt_log *l, const struct rt_log_target *t, bool follow, struct rt_error *err) {
    l->session = session_get(l->app, t->cluster, err);
    struct rt_ray *ray = l->session ? session_ray(l->session, err) : NULL;
    const bool job = t->what == RT_LOG_JOB;
    if (ray && is_gone(l->session, t) && log_far_kept(l->session, job ? t->id : NULL, t->id, t->file))
        ray = NULL; /* nobody can be asked */
    if (!ray && job && follow && l->session && err->code == RT_E_BUSY && !log_far_kept(l->session, t->id, t->id, t->file)) {
        rt_error_clear(err);
        return open_later(l, t);
    }
    if (!ray && !(l->session && log_far_kept(l->session, job ? t->id : NULL, t->id, t->file)))
        return false;
    if (!l->session->attached)
        session_attach(l->session, true);
    struct rt_follow_opts o = {.tail_bytes = -1, .follow = follow, .until_job_ends = t->what == RT_LOG_JOB};
    if (t->what == RT_LOG_JOB) {
        o.job = t->id;
    } else {
        o.node_id = t->id;
        o.filename = t->file;
        l->node = rt_strdup(t->id);
    }
    l->buf = rt_logbuf_create(l->app->loop, NULL);
    start_far(l, ray, &o);
    return true;
}

/* ---- what a process wrote ---- */

static const char *worker_file(const struct rt_strs *names) {
    for (size_t i = 0; i < names->n; i++)
        if (rt_starts(names->v[i], "worker-"))
            return names->v[i];
    return names->n ? names->v[0] : NULL;
}

static void got_files(void *ctx, const struct rt_strs *names, const struct rt_error *err) {
    struct rt_log *l = ctx;
    struct rt_error e = {0};
    l->listing = NULL;
    const char *file = err ? NULL : worker_file(names);
    struct rt_ray *ray = file ? session_ray(l->session, &e) : NULL;
    if (!err && !file) {
        rt_error_set(&e, RT_E_NOT_FOUND, "the node has no such file of this process");
        rt_error_hint(&e, "the logs of ended processes go with their session or node");
    }
    if (!ray) {
        log_failed(l, err ? err : &e);
        return;
    }
    const struct rt_follow_opts o = {.tail_bytes = -1, .follow = l->follow_on, .node_id = l->node, .filename = file};
    const struct log_far_callbacks cb = {{.data = log_data, .event = got_event, .failed = log_failed, .ctx = l}, got_note};
    l->far = log_far_start(l->session, ray, &o, &cb);
}

/* The node and the process that an actor or a task has or had. */
static bool find_process(const struct rt_cluster *c, const struct rt_log_target *t, const char **node, int64_t *pid, struct rt_error *err) {
    const struct rt_rows *tasks = &c->lists[RT_T_TASKS];
    const bool actor = t->what == RT_LOG_ACTOR;
    for (size_t i = 0; actor && i < c->actors.n; i++)
        if (rt_streq(c->actors.v[i].id, t->id)) {
            *node = c->actors.v[i].node_id;
            *pid = c->actors.v[i].pid;
        }
    for (size_t i = 0; !actor && i < tasks->n; i++) {
        const struct rt_task *task = &((const struct rt_task *)tasks->v)[i];
        if (rt_streq(task->id, t->id)) {
            *node = task->node_id;
            *pid = task->pid;
        }
    }
    if (*node && **node && *pid > 0)
        return true;
    rt_error_set(err, RT_E_NOT_FOUND, "the %s has no process to read: it was not placed yet, or nothing is kept of where it ran", actor ? "actor" : "task");
    return rt_error_hint(err, "d shows what is known of it");
}

static bool open_process(struct rt_log *l, const struct rt_log_target *t, bool follow, struct rt_error *err) {
    const struct rt_cluster *c = rt_store_cluster(l->app->store, t->cluster);
    const char *node = NULL, *slash = strchr(t->id, '/');
    int64_t pid = 0;
    if (t->what == RT_LOG_PROCESS) {
        if (!slash || !rt_parse_i64(slash + 1, &pid))
            return rt_error_set(err, RT_E_USAGE, "a process is named NODE/PID");
        l->node = rt_strndup(t->id, (size_t)(slash - t->id));
    } else if (!c || !find_process(c, t, &node, &pid, err)) {
        return false;
    } else {
        l->node = rt_strdup(node);
    }
    l->session = session_get(l->app, t->cluster, err);
    struct rt_ray *ray = l->session ? session_ray(l->session, err) : NULL;
    if (!ray)
        return false;
    char *glob = rt_strf("*-%lld.%s", (long long)pid, rt_streq(t->file, "err") ? "err" : "out");
    l->follow_on = follow;
    l->buf = rt_logbuf_create(l->app->loop, NULL);
    l->listing = rt_ray_log_list(ray, l->node, glob, got_files, l);
    snprintf(l->status.text, sizeof l->status.text, "looking for its file");
    free(glob);
    return true;
}

/* "NODE/FILE" or "jobs/ID" of the cache, as a file of this machine. */
static bool open_kept(struct rt_log *l, const struct rt_log_target *t, struct rt_error *err) {
    const char *slash = strchr(t->id, '/');
    struct rt_logcache_entry e;
    char *node = slash ? rt_strndup(t->id, (size_t)(slash - t->id)) : rt_strdup("jobs");
    const struct rt_logcache_key k = {t->cluster, NULL, node, slash ? slash + 1 : t->id};
    const bool found = rt_logcache_find(&k, &e);
    free(node);
    if (!found)
        return rt_error_set(err, RT_E_NOT_FOUND, "the cache has no log %s of %s", t->id, t->cluster);
    l->buf = rt_logbuf_open_file(l->app->loop, e.path, false, err);
    l->path = e.path;
    log_far_words(&e, l->status.text, sizeof l->status.text);
    l->status.ended = true;
    return l->buf != NULL;
}

static bool open_near(struct rt_log *l, const struct rt_log_target *t, bool follow, struct rt_error *err) {
    const char *path = t->id;
    if (t->what == RT_LOG_OPERATION) {
        const struct rt_operation *op = rt_operations_find(l->app->operations, t->id);
        if (!op || !op->log_path)
            return rt_error_set(err, RT_E_NOT_FOUND, "operation %s has no output", t->id);
        path = op->log_path;
    }
    l->buf = rt_logbuf_open_file(l->app->loop, path, follow, err);
    l->status.following = follow;
    l->status.ended = !follow;
    snprintf(l->status.text, sizeof l->status.text, "%s", follow ? "following" : "file");
    return l->buf != NULL;
}

struct rt_log *rt_log_open_target(struct rt_app *a, const struct rt_log_target *t, bool follow, rt_loop_fn *change, void *ctx,
                                  struct rt_error *err) {
    struct rt_log *l = RT_NEW(struct rt_log);
    l->app = a;
    const bool far = t->what == RT_LOG_JOB || t->what == RT_LOG_NODE_FILE;
    const bool process = t->what == RT_LOG_ACTOR || t->what == RT_LOG_TASK || t->what == RT_LOG_PROCESS;
    if (!(t->what == RT_LOG_MERGED ? merged_open(l, t, follow, err) : t->what == RT_LOG_SEARCH ? search_open(l, t, err) : t->what == RT_LOG_KEPT ? open_kept(l, t, err) : t->what == RT_LOG_POD ? pod_open(l, t, follow, err) : t->what == RT_LOG_MACHINE ? machine_open(l, t, follow, err) : far ? open_far(l, t, follow, err) : process ? open_process(l, t, follow, err) : open_near(l, t, follow, err))) {
        rt_log_close_target(l);
        return NULL;
    }
    l->change = change; /* not before there is something to look at */
    l->change_ctx = ctx;
    rt_logbuf_on_change(l->buf, on_buffer, l);
    if (follow)
        l->rate_timer = rt_timer_start(a->loop, 1000, 1000, on_rate, l);
    if (l->session) {
        l->next = l->session->logs;
        l->session->logs = l;
    }
    return l;
}

/* Nothing more comes. */
static void stop_reading(struct rt_log *l) {
    rt_timer_stop(l->rate_timer);
    rt_timer_stop(l->pull_timer);
    rt_op_drop(&l->listing);
    log_far_destroy(l->far);
    merged_close(l->merged);
    search_close(l->search);
    for (struct rt_log **at = l->session ? &l->session->logs : NULL; at && *at; at = &(*at)->next)
        if (*at == l) {
            *at = l->next;
            break;
        }
    l->rate_timer = l->pull_timer = NULL;
    l->far = NULL;
    l->merged = NULL;
    l->search = NULL;
    l->session = NULL;
}

void logs_drop(struct session *s) {
    while (s->logs) {
        struct rt_log *l = s->logs;
        struct rt_error err;
        stop_reading(l);
        rt_error_set(&err, RT_E_NOT_FOUND, "%s was taken off the list", s->conf->name);
        if (!l->status.ended)
            log_failed(l, &err);
    }
}

void rt_log_close_target(struct rt_log *l) {
    if (!l)
        return;
    stop_reading(l);
    pod_close(l->pod);
    if (l->buf)
        rt_logbuf_destroy(l->buf);
    free(l->node);
    free(l->waits);
    free(l->path);
    free(l->machine);
    free(l);
}

struct rt_logbuf *rt_log_buffer(struct rt_log *l) {
    return l->buf;
}

const char *rt_log_kept_path(const struct rt_log *l) {
    return l->path;
}

const struct rt_log_status *rt_log_status(const struct rt_log *l) {
    return &l->status;
}

void rt_log_on_data(struct rt_log *l, void (*fn)(void *ctx, const char *data, size_t n), void *ctx) {
    l->data = fn;
    l->data_ctx = ctx;
}

void rt_log_retry(struct rt_log *l) {
    if (l->far)
        log_far_retry(l->far);
    if (l->merged)
        merged_retry(l->merged);
    if (l->pod)
        pod_retry(l->pod);
}

struct rt_op *rt_app_log_files(struct rt_app *a, const char *cluster, const char *node_id, rt_log_files_fn *fn, void *ctx,
                               struct rt_error *err) {
    struct session *s = session_get(a, cluster, err);
    struct rt_ray *ray = s ? session_ray(s, err) : NULL;
    return ray ? rt_ray_log_list(ray, node_id, NULL, fn, ctx) : NULL;
}

void rt_app_logs_kept(struct rt_app *a, const char *cluster, const char *node_id, struct rt_strs *names) {
    const struct rt_logcache_key k = {.cluster = cluster, .node = node_id};
    if (a->config->log_cache_bytes <= 0)
        return;
    if (node_id)
        rt_logcache_names(&k, names);
    else
        rt_logcache_all(cluster, names);
}
