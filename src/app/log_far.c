/* One log of a cluster, beside what is kept of it. */
#include "app/log_far.h"

#include "base/str.h"
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { SLICE = 128 * 1024, SHARE = 4 /* one log may have this part of the quota */ };

struct log_far {
    struct session *session;
    struct rt_follow *follow;
    struct log_far_callbacks cb;
    char *node, *file; /* "jobs" and the job's id, for a driver */
    bool keeps;        /* the cache is on, and the log is read from its beginning */
    struct rt_logcache *cache;
    int64_t off;       /* bytes of the log that came */
    int64_t shown;     /* bytes of it that were shown from the cache */
    bool looked;       /* in the cache */
    bool live;
    int fd;            /* of what is being shown from the cache; -1 */
    struct rt_op *slice;
};

/* Old Rays do not tell. */
static const char *session_name(const struct session *s) {
    return s->cluster->session_name ? s->cluster->session_name : "unknown";
}

static struct rt_logcache_key key_of(const struct log_far *f, bool any) {
    return (struct rt_logcache_key){f->session->cluster->name, any ? NULL : session_name(f->session), f->node, f->file};
}

static void stop_showing(struct log_far *f) {
    rt_op_drop(&f->slice);
    if (f->fd >= 0)
        close(f->fd);
    f->fd = -1;
}

static void show_slice(void *ctx) {
    struct log_far *f = ctx;
    char block[SLICE];
    f->slice = NULL;
    const ssize_t n = pread(f->fd, block, sizeof block, (off_t)f->shown);
    if (n > 0) {
        f->shown += n;
        f->slice = rt_loop_defer(f->session->app->loop, show_slice, f);
        f->cb.follow.data(f->cb.follow.ctx, block, (size_t)n);
        return;
    }
    stop_showing(f);
    if (!f->follow)
        f->cb.follow.event(f->cb.follow.ctx, RT_FOLLOW_ENDED, "", NULL);
}

void log_far_words(const struct rt_logcache_entry *e, char *out, size_t size) {
    const int64_t now = rt_wall_ms();
    char clock[16], age[16];
    snprintf(out, size, "from the cache, seen until %s (%s ago)", rt_fmt_clock(clock, sizeof clock, e->seen_ms, now),
             rt_fmt_age(age, sizeof age, RT_MAX((int64_t)0, now - e->seen_ms)));
}

/* Ids of jobs and nodes are never given twice: a session that is over may have what is meant. */
static bool show_kept(struct log_far *f) {
    struct rt_logcache_entry e;
    struct rt_logcache_key here = key_of(f, false), any = key_of(f, true);
    char words[100], text[160], size[32];
    if (f->looked || f->off || !f->keeps)
        return false;
    f->looked = true;
    if (!rt_logcache_find(&here, &e) && !rt_logcache_find(&any, &e))
        return false;
    f->fd = open(e.path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    free(e.path);
    if (f->fd < 0)
        return false;
    const bool cut = e.bytes >= f->session->app->config->log_cache_bytes / SHARE;
    rt_fmt_bytes(size, sizeof size, (double)e.bytes);
    log_far_words(&e, words, sizeof words);
    snprintf(text, sizeof text, "%s%s%s", words,
             cut ? ", cut after " : "", cut ? size : "");
    f->cb.note(f->cb.follow.ctx, text);
    f->slice = rt_loop_defer(f->session->app->loop, show_slice, f);
    return true;
}

static void keep(struct log_far *f, const char *data, size_t n) {
    const struct rt_logcache_key k = key_of(f, false);
    if (!f->keeps)
        return;
    if (!f->cache)
        f->cache = rt_logcache_open(&k, f->session->app->config->log_cache_bytes / SHARE);
    rt_logcache_put(f->cache, f->off, data, n);
}

/* What the cache already showed is not given again, as long as it is the same. */
static void far_data(void *ctx, const char *data, size_t n) {
    struct log_far *f = ctx;
    size_t skip = 0;
    stop_showing(f);
    if (f->shown > f->off) {
        const struct rt_logcache_key k = key_of(f, false);
        skip = (size_t)RT_MIN((int64_t)n, f->shown - f->off);
        if (!f->cache)
            f->cache = rt_logcache_open(&k, f->session->app->config->log_cache_bytes / SHARE);
        if (!rt_logcache_same(f->cache, f->off, data, skip)) {
            skip = 0;
            f->shown = 0;
            f->cb.follow.event(f->cb.follow.ctx, RT_FOLLOW_RESTARTED, "the log is another one than in the cache", NULL);
        }
    }
    keep(f, data, n);
    f->off += (int64_t)n;
    if (n > skip)
        f->cb.follow.data(f->cb.follow.ctx, data + skip, n - skip);
}

static void far_event(void *ctx, enum rt_follow_event e, const char *text, const struct rt_job *job) {
    struct log_far *f = ctx;
    f->live = e == RT_FOLLOW_LIVE || (f->live && e != RT_FOLLOW_LOST);
    if (e == RT_FOLLOW_LOST)
        show_kept(f);
    if (e == RT_FOLLOW_RESTARTED) {
        f->off = f->shown = 0;
        if (f->cache)
            rt_logcache_restart(f->cache);
    }
    f->cb.follow.event(f->cb.follow.ctx, e, text, job);
}

static void far_failed(void *ctx, const struct rt_error *err) {
    struct log_far *f = ctx;
    f->live = false;
    show_kept(f);
    f->cb.follow.failed(f->cb.follow.ctx, err);
}

static void cache_alone(void *ctx) {
    struct log_far *f = ctx;
    f->slice = NULL;
    if (!show_kept(f))
        f->cb.follow.event(f->cb.follow.ctx, RT_FOLLOW_ENDED, "", NULL);
}

struct log_far *log_far_start(struct session *s, struct rt_ray *ray, const struct rt_follow_opts *o, const struct log_far_callbacks *cb) {
    struct log_far *f = RT_NEW(struct log_far);
    const struct rt_follow_callbacks own = {.data = far_data, .event = far_event, .failed = far_failed, .ctx = f};
    f->session = s;
    f->cb = *cb;
    f->node = rt_strdup(o->job ? "jobs" : o->node_id);
    f->file = rt_strdup(o->job ? o->job : o->filename);
    f->keeps = o->tail_bytes < 0 && s->app->config->log_cache_bytes > 0;
    f->fd = -1;
    if (ray)
        f->follow = rt_follow_start(ray, o, &own);
    else
        f->slice = rt_loop_defer(s->app->loop, cache_alone, f);
    return f;
}

/* ---- the quota ---- */

struct prune {
    struct rt_app *app;
    char *dir;
    int64_t quota;
};

static void prune_work(void *ctx) {
    const struct prune *p = ctx;
    rt_logcache_prune(p->dir, p->quota);
}

static void prune_free(void *ctx) {
    struct prune *p = ctx;
    free(p->dir);
    free(p);
}

static void prune_done(void *ctx) {
    struct prune *p = ctx;
    p->app->p->pruning = NULL;
    prune_free(p);
}

static void prune(struct rt_app *a) {
    if (a->p->pruning)
        return;
    struct prune *p = RT_NEW(struct prune);
    p->app = a;
    p->dir = rt_logcache_dir();
    p->quota = a->config->log_cache_bytes;
    a->p->pruning = rt_loop_work(a->loop, prune_work, prune_done, prune_free, p);
}

void log_far_destroy(struct log_far *f) {
    if (!f)
        return;
    rt_follow_destroy(f->follow);
    stop_showing(f);
    if (f->cache)
        prune(f->session->app);
    rt_logcache_close(f->cache, f->live);
    free(f->node);
    free(f->file);
    free(f);
}

void log_far_retry(struct log_far *f) {
    if (f->follow)
        rt_follow_retry(f->follow);
}

int64_t log_far_pause_ms(const struct log_far *f) {
    return f->follow ? rt_follow_pause_ms(f->follow) : 0;
}

void log_far_end(struct log_far *f) {
    if (f->follow)
        rt_follow_end(f->follow);
}

bool log_far_kept(const struct session *s, const char *job, const char *node, const char *file) {
    const struct rt_logcache_key k = {s->cluster->name, NULL, job ? "jobs" : node, job ? job : file};
    struct rt_logcache_entry e;
    const bool found = s->app->config->log_cache_bytes > 0 && rt_logcache_find(&k, &e);
    if (found)
        free(e.path);
    return found;
}

void log_far_names(const struct session *s, const char *node, struct rt_strs *names) {
    const struct rt_logcache_key k = {s->cluster->name, NULL, node, NULL};
    if (s->app->config->log_cache_bytes > 0)
        rt_logcache_names(&k, names);
}

void log_far_nodes(const struct session *s, bool any, struct rt_strs *nodes) {
    const struct rt_logcache_key k = {s->cluster->name, any ? NULL : s->cluster->session_name, NULL, NULL};
    if (s->app->config->log_cache_bytes > 0 && (any || k.session))
        rt_logcache_nodes(&k, nodes);
}
