/* A list that is kept: listed in pages, watched from there, and so on for ever. */
#include "net/kube_private.h"

#include "base/log.h"
#include "base/map.h"
#include "net/kube_watch.h"

#include <stdlib.h>
#include <string.h>

enum {
    PAGE = 200,           /* objects of a page: pods are 15 KB each */
    LIFE_S = 1800,        /* the server ends a watch after it */
    SILENCE_MS = 120000,  /* bookmarks come about every minute */
    AGAIN_MS = 1000,      /* doubled up to the next */
    AGAIN_MOST_MS = 15000,
    REFUSED_MS = 30000,   /* no right, no such kind: that changes seldom */
    LISTS_AT_ONCE = 4,    /* of a context: what comes at the same time must be held at the same time */
    LINE_MAX_ = 8 * 1024 * 1024
};

struct item {
    char *space, *name;
    unsigned int list; /* the last that had it */
};

struct rt_kube_watch {
    struct rt_kube *kube;
    char *path, *query;
    struct rt_kube_watch_events events;
    struct rt_map items; /* by uid */
    unsigned int list;   /* number of the present one */
    char *version, *next_page;
    struct rt_op *op;
    bool expired;           /* it said 410, or something as good */
    bool listing;           /* one of those of its context that may */
    struct rt_buf line;
    int64_t heard_ms, silence_ms, again_ms, began_ms;
    int failures;
    struct rt_timer *timer; /* of the next try, or of the silence */
    struct rt_op *soon;     /* synced is told */
    struct rt_error error;
};

static void list(struct rt_kube_watch *w);
static void watch(struct rt_kube_watch *w);

/* ---- what is there ---- */

static void tell_synced(void *ctx) {
    struct rt_kube_watch *w = ctx;
    const struct rt_error err = w->error;
    w->soon = NULL;
    w->events.synced(w->events.ctx, err.code ? &err : NULL);
}

static void synced(struct rt_kube_watch *w, const struct rt_error *err) {
    w->error = err ? *err : (struct rt_error){0};
    if (!w->soon)
        w->soon = rt_loop_defer(w->kube->kubes->loop, tell_synced, w);
}

static void item_free(struct item *i) {
    free(i->space);
    free(i->name);
    free(i);
}

static void set_version(struct rt_kube_watch *w, const char *version) {
    if (!version || !*version)
        return;
    free(w->version);
    w->version = rt_strdup(version);
}

static void put(struct rt_kube_watch *w, json_t *object) {
    const char *uid = rt_json_str(object, "metadata.uid"), *name = rt_json_str(object, "metadata.name");
    if (!uid || !name)
        return;
    json_object_del(json_object_get(object, "metadata"), "managedFields");
    struct item *i = rt_map_get(&w->items, uid);
    if (!i) {
        const char *space = rt_json_str(object, "metadata.namespace");
        i = RT_NEW(struct item);
        i->space = rt_strdup(space ? space : "");
        i->name = rt_strdup(name);
        rt_map_set(&w->items, uid, i);
    }
    i->list = w->list;
    w->events.put(w->events.ctx, object);
}

static void gone(struct rt_kube_watch *w, const char *uid) {
    struct item *i = uid ? rt_map_remove(&w->items, uid) : NULL;
    if (!i)
        return;
    w->events.gone(w->events.ctx, i->space, i->name, uid);
    item_free(i);
}

/* What the list before had and this one has not. */
static void sweep(struct rt_kube_watch *w) {
    struct rt_strs away = {0};
    const char *uid = NULL;
    void *value = NULL;
    for (size_t it = 0; rt_map_next(&w->items, &it, &uid, &value);)
        if (((struct item *)value)->list != w->list)
            rt_strs_add(&away, uid);
    for (size_t i = 0; i < away.n; i++)
        gone(w, away.v[i]);
    rt_strs_deinit(&away);
}

/* ---- again, later ---- */

static void arm(struct rt_kube_watch *w, int64_t ms, rt_loop_fn *fn) {
    rt_timer_stop(w->timer);
    w->timer = rt_timer_start(w->kube->kubes->loop, ms, 0, fn, w);
}

static void on_again(void *ctx) {
    struct rt_kube_watch *w = ctx;
    rt_timer_stop(w->timer);
    w->timer = NULL;
    list(w);
}

/* The next one that waits may list. */
static void listed(struct rt_kube_watch *w) {
    struct rt_kube *k = w->kube;
    if (!w->listing)
        return;
    w->listing = false;
    k->listing--;
    if (k->listers.n) {
        struct rt_kube_watch *next = k->listers.v[0];
        rt_vec_remove(&k->listers, 0);
        list(next);
    }
}

static void failed(struct rt_kube_watch *w, const struct rt_error *err);

/* Nobody answers there: those that wait for their turn need not find that out one after another. */
static void fail_waiting(struct rt_kube *k, const struct rt_error *err) {
    while (k->listers.n) {
        struct rt_kube_watch *next = k->listers.v[0];
        rt_vec_remove(&k->listers, 0);
        failed(next, err);
    }
}

static void failed(struct rt_kube_watch *w, const struct rt_error *err) {
    int64_t wait = w->again_ms;
    for (int i = 0; i < w->failures && wait < AGAIN_MOST_MS; i++)
        wait *= 2;
    wait = RT_MIN(wait, (int64_t)AGAIN_MOST_MS);
    if (err->code == RT_E_DENIED || err->code == RT_E_NOT_FOUND)
        wait = RT_MAX(wait, w->again_ms * (REFUSED_MS / AGAIN_MS));
    w->failures++;
    arm(w, wait, on_again);
    synced(w, err);
}

/* ---- the list ---- */

static void on_page(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct rt_kube_watch *w = ctx;
    struct rt_error shape;
    w->op = NULL;
    if (err && a && a->status == 410 && w->next_page) { /* this list grew too old between its pages */
        free(w->next_page);
        w->next_page = NULL;
        list(w);
        return;
    }
    json_t *items = err ? NULL : rt_json_at(a->json, "items");
    if (!err && !json_is_array(items)) {
        rt_error_set(&shape, RT_E_PROTOCOL, "GET %s: no list in the answer", w->path);
        err = &shape;
    }
    if (err) {
        if (err->code == RT_E_UNREACHABLE || err->code == RT_E_TIMEOUT)
            fail_waiting(w->kube, err);
        listed(w);
        failed(w, err);
        return;
    }
    size_t i = 0;
    json_t *object = NULL;
    json_array_foreach(items, i, object)
        put(w, object);
    free(w->next_page);
    const char *more = rt_json_str(a->json, "metadata.continue");
    w->next_page = more && *more ? rt_strdup(more) : NULL;
    set_version(w, rt_json_str(a->json, "metadata.resourceVersion"));
    if (w->next_page) {
        list(w);
        return;
    }
    sweep(w);
    w->failures = 0;
    listed(w);
    synced(w, NULL);
    watch(w);
}

/* The next page, or the first of a new list. */
static void list(struct rt_kube_watch *w) {
    if (!w->listing && w->kube->listing >= LISTS_AT_ONCE) {
        *rt_vec_push(&w->kube->listers) = w;
        return;
    }
    if (!w->listing)
        w->kube->listing++;
    w->listing = true;
    char *page = w->next_page ? rt_url_encode(w->next_page) : NULL;
    char *path = rt_strf("%s?limit=%d%s%s%s%s", w->path, PAGE, w->query ? "&" : "", w->query ? w->query : "", page ? "&continue=" : "",
                         page ? page : "");
    if (!page)
        w->list++;
    const struct rt_kube_request r = {.path = path};
    w->op = rt_kube_send(w->kube, &r, on_page, w);
    free(path);
    free(page);
}

/* ---- the stream ---- */

static bool on_error_event(struct rt_kube_watch *w, const json_t *object) {
    const json_t *code = json_object_get(object, "code");
    rt_log(RT_LOG_DEBUG, "watch of %s: %lld %s", w->path, (long long)json_integer_value(code), rt_json_str(object, "message"));
    w->expired = true;
    return false;
}

static bool on_event(struct rt_kube_watch *w, const char *text, size_t n) {
    struct rt_error ignored;
    json_t *v = rt_json_parse(text, n, &ignored);
    json_t *object = json_object_get(v, "object");
    const char *type = rt_json_str(v, "type");
    bool go_on = true;
    if (rt_streq(type, "ERROR")) {
        go_on = on_error_event(w, object);
    } else if (object && type) {
        set_version(w, rt_json_str(object, "metadata.resourceVersion"));
        if (rt_streq(type, "ADDED") || rt_streq(type, "MODIFIED"))
            put(w, object);
        else if (rt_streq(type, "DELETED"))
            gone(w, rt_json_str(object, "metadata.uid"));
        if (!rt_streq(type, "BOOKMARK"))
            synced(w, NULL);
    } else {
        w->expired = true; /* no event: whatever it is, a list tells more */
        go_on = false;
    }
    json_decref(v);
    return go_on;
}

bool rt_kube_watch_feed(struct rt_kube_watch *w, const char *data, size_t n) {
    bool go_on = true;
    w->heard_ms = rt_loop_now_ms(w->kube->kubes->loop);
    while (go_on && n) {
        const char *eol = memchr(data, '\n', n);
        const size_t part = eol ? (size_t)(eol - data) : n;
        rt_buf_add(&w->line, data, part);
        if (w->line.failed) {
            w->expired = true;
            return false;
        }
        if (eol && w->line.len)
            go_on = on_event(w, rt_buf_str(&w->line), w->line.len);
        if (eol)
            rt_buf_clear(&w->line);
        data += eol ? part + 1 : part;
        n -= eol ? part + 1 : part;
    }
    return go_on;
}

static bool on_data(void *ctx, int status, const char *data, size_t n) {
    (void)status;
    return rt_kube_watch_feed(ctx, data, n);
}

static void on_silence(void *ctx) {
    struct rt_kube_watch *w = ctx;
    const int64_t quiet = rt_loop_now_ms(w->kube->kubes->loop) - w->heard_ms;
    if (quiet < w->silence_ms) {
        arm(w, w->silence_ms - quiet, on_silence);
        return;
    }
    rt_timer_stop(w->timer);
    w->timer = NULL;
    rt_log(RT_LOG_INFO, "watch of %s was silent for %lld s: listed anew", w->path, (long long)quiet / 1000);
    rt_op_drop(&w->op);
    list(w);
}

static void on_end(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct rt_kube_watch *w = ctx;
    const bool short_ = rt_loop_now_ms(w->kube->kubes->loop) - w->began_ms < w->again_ms;
    w->op = NULL;
    rt_timer_stop(w->timer);
    w->timer = NULL;
    if (w->expired || (a && a->status == 410)) {
        if (short_)
            arm(w, w->again_ms, on_again);
        else
            list(w);
    } else if (err && err->code != RT_E_CANCELLED && !(a && a->status >= 200 && a->status < 300)) {
        failed(w, err);
    } else if (err || short_) { /* cut off in the middle, or of no use: how things are now tells a list */
        arm(w, w->again_ms, on_again);
    } else {
        watch(w);
    }
}

static void watch(struct rt_kube_watch *w) {
    char *path = rt_strf("%s?watch=1&allowWatchBookmarks=true&timeoutSeconds=%d&resourceVersion=%s%s%s", w->path, LIFE_S,
                         w->version ? w->version : "0", w->query ? "&" : "", w->query ? w->query : "");
    const struct rt_kube_request r = {.path = path, .timeout_ms = -1, .data = on_data, .sparse = true};
    rt_buf_clear(&w->line);
    w->expired = false;
    w->began_ms = w->heard_ms = rt_loop_now_ms(w->kube->kubes->loop);
    w->op = rt_kube_send(w->kube, &r, on_end, w);
    arm(w, w->silence_ms, on_silence);
    free(path);
}

/* ---- life ---- */

struct rt_kube_watch *rt_kube_watch_open(struct rt_kube *k, const char *path, const char *query,
                                         const struct rt_kube_watch_events *e) {
    struct rt_kube_watch *w = RT_NEW(struct rt_kube_watch);
    w->kube = k;
    w->path = rt_strdup(path);
    w->query = rt_strdup(query);
    w->events = *e;
    w->silence_ms = SILENCE_MS;
    w->again_ms = AGAIN_MS;
    rt_map_init(&w->items, false);
    rt_buf_init(&w->line, LINE_MAX_);
    list(w);
    return w;
}

void rt_kube_watch_paces(struct rt_kube_watch *w, int64_t silence_ms, int64_t again_ms) {
    w->silence_ms = silence_ms;
    w->again_ms = again_ms;
}

void rt_kube_watch_close(struct rt_kube_watch *w) {
    if (!w)
        return;
    struct rt_kube *k = w->kube;
    for (size_t i = k->listers.n; i-- > 0;)
        if (k->listers.v[i] == w)
            rt_vec_remove(&k->listers, i);
    rt_op_drop(&w->op);
    listed(w);
    rt_op_drop(&w->soon);
    rt_timer_stop(w->timer);
    const char *uid = NULL;
    void *value = NULL;
    for (size_t it = 0; rt_map_next(&w->items, &it, &uid, &value);)
        item_free(value);
    rt_map_deinit(&w->items);
    rt_buf_deinit(&w->line);
    free(w->version);
    free(w->next_page);
    free(w->path);
    free(w->query);
    free(w);
}
