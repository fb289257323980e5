/* One request to the API server, and what its refusals mean. */
#include "net/kube_private.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>

enum {
    BODY_MAX = 64 * 1024 * 1024,
    WORDS_FRESH_MS = 30000, /* what the child wrote so lately belongs to the answer */
};

struct call {
    struct rt_op op;
    struct rt_kube_wait wait;
    struct rt_kube *kube;
    struct rt_op *http;
    struct rt_kube_request request;
    char *method, *path, *body, *content_type;
    rt_kube_fn *fn;
    void *ctx;
};

/* ---- refusals ---- */

static enum rt_code code_of(int status) {
    switch (status) {
    case 401:
    case 403:
        return RT_E_DENIED;
    case 404:
        return RT_E_NOT_FOUND;
    case 409:
    case 410:
        return RT_E_CONFLICT;
    case 400:
    case 415:
    case 422:
        return RT_E_USAGE;
    case 429:
        return RT_E_BUSY;
    default:
        return RT_E_REMOTE;
    }
}

/* kubectl itself answers in plain text: it could not log in, or there is no way to the server. */
static bool from_kubectl(const char *text, const char *words, struct rt_error *err) {
    static const char *const no_way[] = {"dial tcp", "connection refused", "no such host", "i/o timeout", "EOF", "x509", "tls:",
                                         "connection reset", "network is unreachable", "no route to host", "proxyconnect"};
    char line[300], said[300] = "";
    rt_kube_last_line(text, line, sizeof line);
    if (words)
        rt_kube_last_line(words, said, sizeof said);
    if (strstr(text, "getting credentials") || strstr(text, "exec: executable")) {
        rt_error_set(err, RT_E_DENIED, "the login of this context does not work: %s", *said ? said : line);
        return !rt_error_hint(err, "%s", *said ? line : "log in again with the tool of your cloud");
    }
    for (size_t i = 0; i < RT_COUNT(no_way); i++)
        if (rt_contains_i(text, no_way[i])) {
            rt_error_set(err, RT_E_UNREACHABLE, "no API server answers: %s", line);
            if (strstr(line, ":8080")) /* what kubectl takes where nothing is configured */
                rt_error_hint(err, "no kubeconfig was found: set KUBECONFIG, or log in with the tool of your cloud");
            return true;
        }
    return false;
}

static void hint_for(int status, struct rt_error *err) {
    if (status == 401)
        rt_error_hint(err, "the login of this context is not accepted (any more): log in again");
    else if (status == 403)
        rt_error_hint(err, "a role must allow it: `kubectl auth can-i --list` shows what you may do");
}

/* What an answer that is not 2xx means; `words` are the latest of the child's own (an exec plugin's), or NULL. */
static void explain(const struct rt_kube_answer *a, const char *method, const char *path, const char *words, struct rt_error *err) {
    const char *message = rt_json_str(a->json, "message"), *kind = rt_json_str(a->json, "kind");
    char clean[400];
    if (rt_streq(kind, "Status") && message) {
        rt_error_set(err, code_of(a->status), "%s", rt_clean_to(clean, sizeof clean, message));
        hint_for(a->status, err);
        return;
    }
    const char *body = a->body ? a->body : "";
    if (a->status >= 500 && from_kubectl(body, words, err))
        return;
    rt_kube_last_line(body, clean, sizeof clean);
    const char *query = strchr(path, '?');
    rt_error_set(err, code_of(a->status), "%s %.*s: %d%s%s", method ? method : "GET", query ? (int)(query - path) : (int)strlen(path), path,
                 a->status, *clean ? ": " : "", clean);
    hint_for(a->status, err);
}

/* ---- the request ---- */

static void call_free(struct call *c) {
    free(c->method);
    free(c->path);
    free(c->body);
    free(c->content_type);
    free(c);
}

static void cancel(struct rt_op *op) {
    struct call *c = (struct call *)op;
    rt_kube_unwait(c->kube, &c->wait);
    rt_op_cancel(c->http);
    call_free(c);
}

static void finish(struct call *c, const struct rt_kube_answer *a, const struct rt_error *err) {
    rt_kube_fn *fn = c->fn;
    void *ctx = c->ctx;
    call_free(c);
    fn(ctx, a, err);
}

static const char *fresh_words(const struct rt_kube *k) {
    return k->words_ms && rt_loop_now_ms(k->kubes->loop) - k->words_ms < WORDS_FRESH_MS ? rt_buf_str(&k->words) : NULL;
}

static void answered(void *ctx, const struct rt_http_answer *http, const struct rt_error *http_err) {
    struct call *c = ctx;
    struct rt_kube *k = c->kube;
    struct rt_error err = http_err ? *http_err : (struct rt_error){0}, ignored;
    struct rt_kube_answer a = {0};
    json_t *json = NULL;
    c->http = NULL;
    if (http) {
        json = http->body_len ? rt_json_parse(http->body, http->body_len, &ignored) : NULL;
        a = (struct rt_kube_answer){.status = http->status, .body = http->body, .body_len = http->body_len, .json = json};
    }
    if (!http_err && (http->status < 200 || http->status > 299))
        explain(&a, c->method, c->path, fresh_words(k), &err);
    const bool away = err.code == RT_E_UNREACHABLE || err.code == RT_E_TIMEOUT;
    if (away || (http && !http_err))
        rt_kube_note(k, away ? &err : NULL);
    finish(c, http ? &a : NULL, err.code ? &err : NULL);
    json_decref(json);
}

static bool arrived(void *ctx, int status, const char *data, size_t n) {
    struct call *c = ctx;
    return c->request.data(c->ctx, status, data, n);
}

static void go(struct rt_kube_wait *w, const struct rt_error *err) {
    struct call *c = (struct call *)((char *)w - offsetof(struct call, wait));
    struct rt_kube *k = c->kube;
    if (err) {
        finish(c, NULL, err);
        return;
    }
    char *url = rt_strf("http://localhost%s", c->path),
         *type = rt_strf("Content-Type: %s", c->content_type ? c->content_type : "application/json");
    const char *const headers[] = {"Accept: application/json, */*", c->body ? type : NULL, NULL};
    const struct rt_http_request q = {
        .method = c->method,
        .fresh = rt_streq(c->method, "POST"), /* nothing is made twice */
        .url = url,
        .headers = headers,
        .body = c->body,
        .body_len = c->request.body_len,
        .unix_socket = k->socket,
        .timeout_ms = c->request.timeout_ms,
        .max_bytes = c->request.max_bytes ? c->request.max_bytes : BODY_MAX,
        .stream = c->request.timeout_ms < 0,
        .sparse = c->request.sparse,
        .pool = k->pool,
    };
    const struct rt_http_callbacks cb = {.done = answered, .data = c->request.data ? arrived : NULL, .ctx = c};
    c->http = rt_http_send(k->kubes->http, &q, &cb);
    free(type);
    free(url);
}

struct rt_op *rt_kube_send(struct rt_kube *k, const struct rt_kube_request *r, rt_kube_fn *fn, void *ctx) {
    struct call *c = RT_NEW(struct call);
    c->op.cancel = cancel;
    c->wait.go = go;
    c->kube = k;
    c->request = *r;
    c->method = rt_strdup(r->method ? r->method : "GET");
    c->path = rt_strdup(r->path);
    if (r->body) {
        c->request.body_len = r->body_len ? r->body_len : strlen(r->body);
        c->body = rt_alloc(c->request.body_len + 1);
        memcpy(c->body, r->body, c->request.body_len);
    }
    c->content_type = rt_strdup(r->content_type);
    c->fn = fn;
    c->ctx = ctx;
    if (k->status.state == RT_KUBE_UP)
        go(&c->wait, NULL);
    else
        rt_kube_await(k, &c->wait);
    return &c->op;
}
