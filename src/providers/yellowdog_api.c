/* An account's way to the platform: its key, requests, second attempts, lists in slices. */
#include "base/log.h"
#include "providers/yellowdog_call.h"
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

#define PUBLIC_URL "https://api.yellowdog.ai"

enum {
    CONNECT_MS = 15000,
    ANSWER_MS = 90000,
    LOOK_MS = 30000,     /* of a call that comes again by itself */
    ATTEMPTS = 3,
    BACKOFF_MS = 2000,   /* the longest first pause; it doubles */
    BACKOFF_MAX_MS = 60000,
    PATIENCE_MS = 120000, /* of a Retry-After; a longer one is told instead */
    SLICES_MAX = 10000,
    BODY_MAX = 64 * 1024 * 1024,
};

struct call;

struct yd_api {
    struct rt_loop *loop;
    struct rt_http *http;
    char *url, *key_id, *ca_file, *proxy, *pool;
    struct rt_secret_conf secret;
    char *authorization; /* the header; NULL: not known (any more) */
    struct rt_op *asking; /* for the secret */
    struct call *waiting; /* for it */
};

struct call {
    struct rt_op op;
    struct yd_api *api;
    struct call *next, **link; /* in a list of waiting ones; link NULL: in none */
    struct rt_op *inner;       /* the request, or the deferred end */
    struct rt_timer *pause;
    const struct yd_route *route;
    enum yd_verb verb;
    char *what;                /* "GET /work/tasks", for messages */
    char *path, *slice, *body;
    int attempts, slices;
    bool once;
    bool unsure;               /* an attempt that makes something failed in a way that does not say whether it did */
    struct yd_result *result;
    struct yd_failure failure;
    yd_fn *fn;
    void *ctx;
};

/* ---- the account ---- */

static char *forget(char *secret) {
    if (secret)
        memset(secret, 0, strlen(secret));
    free(secret);
    return NULL;
}

static const char *or_env(const char *said, const char *name) {
    const char *env = getenv(name);
    return said ? said : env && *env ? env : NULL;
}

struct yd_api *yd_api_create(struct rt_loop *l, struct rt_http *http, const struct yd_access *a) {
    struct yd_api *api = RT_NEW(struct yd_api);
    const char *url = or_env(a->url, "YD_API_URL");
    api->loop = l;
    api->http = http;
    api->url = rt_strdup(url ? url : PUBLIC_URL);
    for (size_t n = strlen(api->url); n && api->url[n - 1] == '/'; n--)
        api->url[n - 1] = '\0';
    api->key_id = rt_strdup(or_env(a->key_id, "YD_API_KEY_ID"));
    if (a->secret && rt_secret_set(a->secret))
        api->secret = (struct rt_secret_conf){rt_strdup(a->secret->value), rt_strdup(a->secret->file), rt_strdup(a->secret->env),
                                              rt_strdup(a->secret->command)};
    else
        api->secret.env = rt_strdup("YD_API_KEY_SECRET");
    api->ca_file = rt_strdup(a->ca_file);
    api->proxy = rt_strdup(a->proxy);
    api->pool = rt_strdup(a->pool);
    return api;
}

void yd_api_destroy(struct yd_api *api) {
    if (!api)
        return;
    rt_op_drop(&api->asking);
    forget(api->authorization);
    forget(api->secret.value);
    free(api->secret.file);
    free(api->secret.env);
    free(api->secret.command);
    free(api->url);
    free(api->key_id);
    free(api->ca_file);
    free(api->proxy);
    free(api->pool);
    free(api);
}

const char *yd_api_url(const struct yd_api *api) {
    return api->url;
}

/* ---- calls ---- */

static void unlist(struct call *c) {
    if (!c->link)
        return;
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    c->link = NULL;
    c->next = NULL;
}

static void enlist(struct call **list, struct call *c) {
    while (*list)
        list = &(*list)->next;
    *list = c;
    c->link = list;
}

static void call_free(struct call *c) {
    unlist(c);
    rt_op_drop(&c->inner);
    rt_timer_stop(c->pause);
    free(c->what);
    free(c->path);
    free(c->slice);
    free(c->body);
    yd_result_free(c->result);
    free(c);
}

static void cancel(struct rt_op *op) {
    call_free((struct call *)(void *)op);
}

static void give(struct call *c) {
    struct yd_result *r = c->result;
    c->result = NULL;
    yd_fn *fn = c->fn;
    void *ctx = c->ctx;
    call_free(c);
    fn(ctx, r, NULL);
}

static void fail(struct call *c) {
    const struct yd_failure f = c->failure;
    yd_fn *fn = c->fn;
    void *ctx = c->ctx;
    call_free(c);
    fn(ctx, NULL, &f);
}

static void start(struct call *c);

static void again(void *ctx) {
    struct call *c = ctx;
    rt_timer_stop(c->pause);
    c->pause = NULL;
    start(c);
}

/* Full jitter: those who failed together do not come back together. */
static int64_t jitter(int attempt) {
    uint32_t dice = 0;
    const int64_t most = RT_MIN((int64_t)BACKOFF_MS << (attempt - 1), (int64_t)BACKOFF_MAX_MS);
    if (RAND_bytes((unsigned char *)&dice, sizeof dice) != 1)
        return most;
    return (int64_t)(dice % (uint32_t)(most + 1));
}

/* True: there will be another attempt, after so long (-1: jitter). */
static bool try_again(struct call *c, int64_t after_ms) {
    if (c->once || c->attempts >= ATTEMPTS || after_ms > PATIENCE_MS)
        return false;
    const int64_t pause = after_ms >= 0 ? after_ms : jitter(c->attempts);
    rt_log(RT_LOG_INFO, "yellowdog: %s; again in %lld ms", c->failure.error.message, (long long)pause);
    c->pause = rt_timer_start(c->api->loop, pause, 0, again, c);
    return true;
}

static void no_answer(struct call *c, const struct rt_error *err) {
    c->failure = (struct yd_failure){.error = *err};
    const bool lost = err->code == RT_E_UNREACHABLE || err->code == RT_E_TIMEOUT;
    if (lost)
        rt_error_hint(&c->failure.error, "is api_url right, and can the platform be reached from here (VPN, proxy, firewall)?");
    if (c->route->makes) {
        c->failure.maybe = lost || c->unsure;
        if (lost)
            rt_error_hint(&c->failure.error, "it is not known whether the platform has done it all the same");
    } else if (lost && try_again(c, -1)) {
        return;
    }
    fail(c);
}

static void refused(struct call *c, const struct rt_http_answer *a, const json_t *json) {
    c->failure = (struct yd_failure){0};
    yd_refused(a->status, json, a->body, c->what, &c->failure);
    if (a->status == 401) /* the secret may have been changed: it is read again */
        c->api->authorization = forget(c->api->authorization);
    if (a->status >= 500 || a->status == 429) {
        c->unsure = c->unsure || (c->route->makes && a->status >= 500);
        if (try_again(c, a->retry_after_ms))
            return;
    }
    c->failure.maybe = c->unsure;
    fail(c);
}

static void answered_well(struct call *c, json_t *json) {
    struct rt_error err = {0};
    char *next = NULL;
    if (!yd_result_add(c->result, c->verb, json, &next, &err)) {
        c->failure = (struct yd_failure){.error = err, .maybe = c->route->makes};
        rt_error_wrap(&c->failure.error, "%s", c->what);
        fail(c);
        return;
    }
    if (!next) {
        give(c);
        return;
    }
    const bool same = rt_streq(next, c->slice);
    free(c->slice);
    c->slice = next;
    c->attempts = 0;
    if (!same && ++c->slices < SLICES_MAX) {
        start(c);
        return;
    }
    c->failure = (struct yd_failure){0};
    rt_error_set(&c->failure.error, RT_E_PROTOCOL, "%s: the list does not end", c->what);
    fail(c);
}

static void answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *http_err) {
    struct call *c = ctx;
    struct rt_error err = {0};
    c->inner = NULL;
    if (http_err || !a) {
        no_answer(c, http_err);
        return;
    }
    json_t *json = a->body_len ? rt_json_parse(a->body, a->body_len, &err) : NULL;
    const bool well = a->status >= 200 && a->status < 300;
    if (well && a->body_len && !json) {
        rt_error_wrap(&err, "%s", c->what);
        c->failure = (struct yd_failure){.error = err, .status = a->status, .maybe = c->route->makes};
        fail(c);
    } else if (well) {
        answered_well(c, json);
    } else {
        refused(c, a, json);
    }
    json_decref(json);
}

static void send_it(struct call *c) {
    struct yd_api *api = c->api;
    char *slice = c->slice ? rt_url_encode(c->slice) : NULL;
    char *url = slice ? rt_strf("%s%s%csliceId=%s", api->url, c->path, strchr(c->path, '?') ? '&' : '?', slice) : rt_strf("%s%s", api->url, c->path);
    const char *const headers[] = {api->authorization, "Accept: application/json", c->body ? "Content-Type: application/json" : NULL, NULL};
    const struct rt_http_request q = {
        .method = c->route->method,
        .url = url,
        .headers = headers,
        .body = c->body,
        .body_len = c->body ? strlen(c->body) : 0,
        .proxy = api->proxy,
        .ca_file = api->ca_file,
        .connect_timeout_ms = CONNECT_MS,
        .timeout_ms = c->once ? LOOK_MS : ANSWER_MS,
        .max_bytes = BODY_MAX,
        .fresh = c->route->makes,
        .pool = api->pool,
    };
    const struct rt_http_callbacks cb = {.done = answered, .ctx = c};
    c->attempts++;
    c->inner = rt_http_send(api->http, &q, &cb);
    free(slice);
    free(url);
}

/* ---- the key ---- */

static void got_secret(void *ctx, const char *value, const struct rt_error *err) {
    struct yd_api *api = ctx;
    struct call *mine = api->waiting, *c = NULL;
    struct rt_error why = err ? *err : (struct rt_error){0};
    api->asking = NULL;
    if (value) {
        api->authorization = rt_strf("Authorization: yd-key %s:%s", api->key_id, value);
    } else {
        rt_error_wrap(&why, "the key's secret");
        if (!why.hint[0])
            rt_error_hint(&why, "set key_secret_env, key_secret_file or key_secret_command, or the variable YD_API_KEY_SECRET");
    }
    api->waiting = NULL; /* those who come from now on wait anew; these may be cancelled meanwhile */
    if (mine)
        mine->link = &mine;
    while ((c = mine)) {
        unlist(c);
        if (value) {
            start(c);
            continue;
        }
        c->failure = (struct yd_failure){.error = why};
        fail(c);
    }
}

static void no_key(void *ctx) {
    struct call *c = ctx;
    c->inner = NULL;
    c->failure = (struct yd_failure){0};
    rt_error_set(&c->failure.error, RT_E_CONFIG, "there is no key for %s", c->api->url);
    rt_error_hint(&c->failure.error, "set key_id and key_secret_env, or the variables YD_API_KEY_ID and YD_API_KEY_SECRET");
    fail(c);
}

static void start(struct call *c) {
    struct yd_api *api = c->api;
    if (api->authorization) {
        send_it(c);
    } else if (!api->key_id) {
        c->inner = rt_loop_defer(api->loop, no_key, c);
    } else {
        enlist(&api->waiting, c);
        if (!api->asking)
            api->asking = rt_secret_get(api->loop, &api->secret, got_secret, api);
    }
}

/* ---- what callers see ---- */

struct rt_op *yd_send(struct yd_api *api, const struct yd_call *what, yd_fn *fn, void *ctx) {
    struct call *c = RT_NEW(struct call);
    c->op.cancel = cancel;
    c->api = api;
    c->verb = what->verb;
    c->route = yd_route(what->verb);
    c->path = yd_route_path(what);
    c->what = rt_strf("%s %.*s", c->route->method, (int)strcspn(c->path, "?"), c->path);
    c->once = what->once;
    c->result = yd_result_new();
    c->fn = fn;
    c->ctx = ctx;
    if (what->body) {
        c->body = json_dumps(what->body, JSON_COMPACT);
        json_decref(what->body);
    }
    start(c);
    return &c->op;
}

void yd_call_text(const struct yd_api *api, const struct yd_call *c, struct rt_buf *out) {
    char *path = yd_route_path(c);
    rt_buf_addf(out, "%s %s%s", yd_route(c->verb)->method, api->url, path);
    free(path);
}
