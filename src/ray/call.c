/* One request to the dashboard (or to a node's own port): headers, statistics, and what a bad
 * answer means. */
#include "ray/private.h"

#include <string.h>

struct call {
    struct rt_op op;
    struct rt_ray *ray;
    struct rt_op *http;
    char method[8];
    char route[48];
    rt_ray_call_fn *fn;
    rt_http_data_fn *data;
    rt_http_progress_fn *progress;
    void *ctx;
};

static struct rt_route_stats *stats_of(struct rt_ray *r, const char *route) {
    for (size_t i = 0; i < r->routes.n; i++)
        if (strcmp(r->routes.v[i].route, route) == 0)
            return &r->routes.v[i];
    struct rt_route_stats *s = rt_vec_push(&r->routes);
    rt_clean_to(s->route, sizeof(s->route), route);
    return s;
}

/* "Not there" and "nothing more" are answers, not failures of a route. */
static bool counts_as_error(const struct rt_http_answer *a, const struct rt_error *err) {
    return err && !(a && (a->status == 404 || a->status == 416)) && err->code != RT_E_CANCELLED;
}

static void count(struct call *c, const struct rt_http_answer *a, const struct rt_error *err) {
    struct rt_route_stats *s = stats_of(c->ray, c->route);
    s->requests++;
    if (a) {
        s->bytes += a->bytes;
        s->elapsed_us += a->elapsed_us;
        s->last_us = a->elapsed_us;
    }
    if (counts_as_error(a, err))
        s->errors++;
}

static void answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *http_err) {
    struct call *c = ctx;
    struct rt_error err = {0};
    if (http_err)
        err = *http_err;
    else if (a->status < 200 || a->status > 299)
        rt_ray_problem(a, c->method, c->route, &err);
    const struct rt_error *e = err.code != RT_OK ? &err : NULL;
    count(c, a, e);
    rt_ray_call_fn *fn = c->fn;
    void *fn_ctx = c->ctx;
    free(c);
    fn(fn_ctx, a, e);
}

static bool arrived(void *ctx, int status, const char *data, size_t n) {
    struct call *c = ctx;
    return c->data(c->ctx, status, data, n);
}

static void progressed(void *ctx, int64_t sent, int64_t total) {
    struct call *c = ctx;
    c->progress(c->ctx, sent, total);
}

static void cancel(struct rt_op *op) {
    struct call *c = (struct call *)op;
    rt_op_cancel(c->http);
    free(c);
}

static void add_headers(const struct rt_ray *r, const struct rt_ray_call *call,
                        struct rt_strs *out) {
    if (!call->node)
        rt_strs_copy(out, &r->headers);
    if (r->token)
        rt_strs_addf(out, "Authorization: Bearer %s", r->token);
    if (call->body)
        rt_strs_add(out, "Content-Type: application/json");
    else if (call->body_file)
        rt_strs_add(out, "Content-Type: application/octet-stream");
}

static struct rt_http_request request(const struct rt_ray *r, const struct rt_ray_call *call,
                                      const char *url, const struct rt_strs *headers) {
    struct rt_http_request q = {
        .method = call->method,
        .url = url,
        .headers = (const char *const *)headers->v,
        .body = call->body,
        .body_len = call->body_len,
        .body_file = call->body_file,
        .range = call->range,
        .dialer = r->dialer,
        .unix_socket = r->unix_socket,
        .proxy = r->proxy,
        .ca_file = r->ca_file,
        .timeout_ms = call->timeout_ms,
        .max_bytes = call->max_bytes ? call->max_bytes : r->max_answer,
        .stream = call->stream,
        .pool = r->name,
    };
    if (r->patience_ms > 0 && !call->stream)
        q.timeout_ms = r->patience_ms;
    if (call->node) { /* a node's port: never through what stands in front of the dashboard */
        q.dialer = r->node_direct ? NULL : r->node_dialer;
        q.unix_socket = q.proxy = NULL;
    }
    return q;
}

struct rt_op *rt_ray_send(struct rt_ray *r, const struct rt_ray_call *call, rt_ray_call_fn *fn,
                          void *ctx) {
    struct call *c = RT_NEW(struct call);
    c->op.cancel = cancel;
    c->ray = r;
    rt_clean_to(c->method, sizeof(c->method), call->method ? call->method : "GET");
    rt_clean_to(c->route, sizeof(c->route), call->route);
    c->fn = fn;
    c->data = call->data;
    c->progress = call->progress;
    c->ctx = ctx;
    const struct rt_http_callbacks cb = {
        .done = answered,
        .data = call->data ? arrived : NULL,
        .progress = call->progress ? progressed : NULL,
        .ctx = c,
    };
    char *url =
        rt_strf("%s%s", call->node ? call->node : r->url, call->path ? call->path : call->route);
    struct rt_strs headers = {0};
    add_headers(r, call, &headers);
    const struct rt_http_request q = request(r, call, url, &headers);
    c->http = rt_http_send(r->http, &q, &cb);
    rt_strs_deinit(&headers);
    free(url);
    return &c->op;
}
