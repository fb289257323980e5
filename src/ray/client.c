/* The client itself: what it carries with each request, and the small questions (version, health,
 * idle). */
#include "ray/private.h"

#include "base/log.h"

#include <math.h>
#include <string.h>

/* ---- life ---- */

static void forget_features(struct rt_ray *r) {
    r->features = (struct rt_ray_features){0};
    r->session[0] = '\0';
}

static char *without_slash(const char *url) {
    size_t n = strlen(url);
    while (n > 0 && url[n - 1] == '/')
        n--;
    return rt_strndup(url, n);
}

struct rt_ray *rt_ray_create(const struct rt_ray_opts *o) {
    struct rt_ray *r = RT_NEW(struct rt_ray);
    r->loop = o->loop;
    r->http = o->http;
    r->name = rt_strdup(o->name);
    r->url = without_slash(o->url);
    r->dialer = o->dialer;
    r->node_dialer = o->node_dialer;
    r->node_direct = o->node_direct;
    r->unix_socket = rt_strdup(o->unix_socket);
    r->proxy = rt_strdup(o->proxy);
    r->ca_file = rt_strdup(o->ca_file);
    r->max_answer = o->max_answer;
    r->haste = 1;
    rt_ray_set_headers(r, o->headers);
    return r;
}

void rt_ray_destroy(struct rt_ray *r) {
    if (!r)
        return;
    free(r->name);
    free(r->url);
    free(r->unix_socket);
    free(r->proxy);
    free(r->ca_file);
    rt_strs_deinit(&r->headers);
    free(r->token);
    rt_vec_deinit(&r->routes);
    free(r);
}

void rt_ray_set_headers(struct rt_ray *r, const char *const *headers) {
    rt_strs_deinit(&r->headers);
    for (; headers && *headers; headers++)
        rt_strs_add(&r->headers, *headers);
}

void rt_ray_set_token(struct rt_ray *r, const char *token) {
    free(r->token);
    r->token = NULL;
    const size_t n =
        token ? strcspn(token, "\r\n") : 0; /* a file's last newline would split the header */
    if (n > 0) {
        r->token = rt_strndup(token, n);
        rt_log_secret(r->token);
    }
    r->features.auth_known = false;
}

void rt_ray_set_url(struct rt_ray *r, const char *url) {
    free(r->url);
    r->url = without_slash(url);
    r->node_failed_ms = 0;
    rt_http_forget_pool(r->http, r->name);
    forget_features(r);
}

bool rt_ray_way_is(const struct rt_ray *r, const char *url, const struct rt_dialer *dialer, const char *unix_socket) {
    return rt_streq(r->url, url) && r->dialer == dialer && rt_streq(r->unix_socket, unix_socket);
}

void rt_ray_set_way(struct rt_ray *r, const char *url, const struct rt_dialer *dialer, const char *unix_socket) {
    char *copy = rt_strdup(unix_socket);
    free(r->unix_socket);
    r->unix_socket = copy;
    r->dialer = dialer;
    rt_ray_set_url(r, url);
}

const char *rt_ray_url(const struct rt_ray *r) {
    return r->url;
}

size_t rt_ray_stats(const struct rt_ray *r, const struct rt_route_stats **out) {
    *out = r->routes.v;
    return r->routes.n;
}

/* ---- version ---- */

struct version {
    struct rt_op op;
    struct rt_ray *ray;
    struct rt_op *call;
    struct rt_ray_version v;
    rt_ray_version_fn *fn;
    void *ctx;
};

static void version_cancel(struct rt_op *op) {
    struct version *o = (struct version *)op;
    rt_op_cancel(o->call);
    free(o);
}

static void version_end(struct version *o, const struct rt_error *err) {
    const struct version copy = *o;
    free(o);
    copy.fn(copy.ctx, &copy.v, err);
}

/* 404 before Ray 2.52: no token there. */
static void mode_answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct version *o = ctx;
    o->call = NULL;
    struct rt_error ignored = {0};
    json_t *v = err ? NULL : rt_ray_json(a, "/api/authentication_mode", &ignored);
    const char *mode = rt_json_str(v, "authentication_mode");
    o->v.token_auth = mode && strcmp(mode, "disabled") != 0;
    o->ray->features.token_auth = o->v.token_auth;
    o->ray->features.auth_known = mode || (a && a->status == 404);
    json_decref(v);
    version_end(o, NULL);
}

static void version_answered(void *ctx, const struct rt_http_answer *a,
                             const struct rt_error *err) {
    struct version *o = ctx;
    o->call = NULL;
    struct rt_error e = {0};
    json_t *v = err ? NULL : rt_ray_json(a, "/api/version", &e);
    const char *ray_version = rt_json_str(v, "ray_version"),
               *session = rt_json_str(v, "session_name");
    if (v && !ray_version)
        rt_error_set(&e, RT_E_PROTOCOL,
                     "GET /api/version: no ray_version in the answer: not a Ray dashboard");
    if (err || e.code != RT_OK) {
        json_decref(v);
        o->v.token_auth = err && err->code == RT_E_DENIED;
        version_end(o, err ? err : &e);
        return;
    }
    rt_clean_to(o->v.ray_version, sizeof(o->v.ray_version), ray_version);
    rt_clean_to(o->v.session_name, sizeof(o->v.session_name), session ? session : "");
    json_decref(v);
    if (strcmp(o->v.session_name, o->ray->session) != 0) {
        forget_features(o->ray);
        memcpy(o->ray->session, o->v.session_name, sizeof(o->ray->session));
    }
    if (o->ray->features.auth_known) {
        o->v.token_auth = o->ray->features.token_auth;
        version_end(o, NULL);
        return;
    }
    const struct rt_ray_call c = {.route = "/api/authentication_mode"};
    o->call = rt_ray_send(o->ray, &c, mode_answered, o);
}

struct rt_op *rt_ray_version(struct rt_ray *r, rt_ray_version_fn *fn, void *ctx) {
    struct version *o = RT_NEW(struct version);
    o->op.cancel = version_cancel;
    o->ray = r;
    o->fn = fn;
    o->ctx = ctx;
    const struct rt_ray_call c = {.route = "/api/version"};
    o->call = rt_ray_send(r, &c, version_answered, o);
    return &o->op;
}

/* ---- questions of one request ---- */

struct single {
    struct rt_op op;
    struct rt_op *call;
    union {
        rt_ray_done_fn *done;
        rt_ray_idle_fn *idle;
        rt_ray_raw_fn *raw;
    } fn;
    void *ctx;
    char *what; /* the job a 404 speaks of */
};

static void single_cancel(struct rt_op *op) {
    struct single *s = (struct single *)op;
    rt_op_cancel(s->call);
    free(s->what);
    free(s);
}

static struct single *single_new(void *ctx) {
    struct single *s = RT_NEW(struct single);
    s->op.cancel = single_cancel;
    s->ctx = ctx;
    return s;
}

static struct single single_over(void *ctx) {
    struct single *s = ctx, copy = *s;
    free(s->what);
    free(s);
    return copy;
}

static void health_answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    const struct single s = single_over(ctx);
    struct rt_error e = {0};
    if (err)
        e = *err;
    if (a && a->status == 503 && strstr(a->body, "Health check failed")) {
        rt_error_set(&e, RT_E_REMOTE, "GCS not responding");
        rt_error_hint(&e, "the dashboard answers, but the cluster's control service does not: what "
                          "is shown may be old");
    }
    s.fn.done(s.ctx, e.code != RT_OK ? &e : NULL);
}

struct rt_op *rt_ray_health(struct rt_ray *r, rt_ray_done_fn *fn, void *ctx) {
    struct single *s = single_new(ctx);
    s->fn.done = fn;
    const struct rt_ray_call c = {.route = "/api/gcs_healthz"};
    s->call = rt_ray_send(r, &c, health_answered, s);
    return &s->op;
}

/* {"driver": {"is_active": ..., "last_activity_at": s}, ...}: the latest of all components counts.
 */
static int64_t idle_since(const json_t *components) {
    int64_t latest = -1;
    const char *name;
    json_t *c;
    json_object_foreach((json_t *)(uintptr_t)components, name, c) {
        const char *active = rt_json_str(c, "is_active");
        if (active && strcmp(active, "ACTIVE") == 0)
            return 0;
        const json_t *at = json_object_get(c, "last_activity_at");
        const double s = json_is_number(at) ? json_number_value(at) : -1;
        if (isfinite(s) && s > 0 && s < 1e11)
            latest = RT_MAX(latest, (int64_t)(s * 1000));
    }
    return latest;
}

static void idle_answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    const struct single s = single_over(ctx);
    struct rt_error e = {0};
    json_t *v = err ? NULL : rt_ray_json(a, "/api/component_activities", &e);
    const int64_t since = json_is_object(v) ? idle_since(v) : -1;
    json_decref(v);
    s.fn.idle(s.ctx, since, err ? err : e.code != RT_OK ? &e : NULL);
}

struct rt_op *rt_ray_idle(struct rt_ray *r, rt_ray_idle_fn *fn, void *ctx) {
    struct single *s = single_new(ctx);
    s->fn.idle = fn;
    const struct rt_ray_call c = {.route = "/api/component_activities"};
    s->call = rt_ray_send(r, &c, idle_answered, s);
    return &s->op;
}

static void raw_answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    const struct single s = single_over(ctx);
    s.fn.raw(s.ctx, err ? NULL : a->body, err ? 0 : a->body_len, err);
}

struct rt_op *rt_ray_get(struct rt_ray *r, const char *path, rt_ray_raw_fn *fn, void *ctx) {
    struct single *s = single_new(ctx);
    s->fn.raw = fn;
    char *route = rt_strndup(path, strcspn(path, "?"));
    const struct rt_ray_call c = {.route = route, .path = path, .timeout_ms = 30000};
    s->call = rt_ray_send(r, &c, raw_answered, s);
    free(route);
    return &s->op;
}

/* ---- stop and delete ---- */

/* {"stopped": false} means that there was nothing left to stop. */
static void job_changed(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct single *p = ctx;
    char *id = p->what;
    p->what = NULL;
    const struct single s = single_over(p);
    struct rt_error e = {0};
    if (err)
        e = *err;
    if (a && a->status == 404 && e.code == RT_E_NOT_FOUND)
        rt_error_set(&e, RT_E_NOT_FOUND, "no job %s", id);
    else if (strstr(e.message, "non-terminal state"))
        rt_error_hint(&e, "only a job that has ended can be deleted: stop it first");
    free(id);
    s.fn.done(s.ctx, e.code != RT_OK ? &e : NULL);
}

static struct rt_op *change_job(struct rt_ray *r, const char *method, const char *route,
                                const char *suffix, const char *id, rt_ray_done_fn *fn, void *ctx) {
    struct single *s = single_new(ctx);
    s->fn.done = fn;
    s->what = rt_strdup(id);
    char *encoded = rt_url_encode(id);
    char *path = rt_strf("/api/jobs/%s%s", encoded, suffix);
    const struct rt_ray_call c = {.method = method, .route = route, .path = path};
    s->call = rt_ray_send(r, &c, job_changed, s);
    free(path);
    free(encoded);
    return &s->op;
}

struct rt_op *rt_ray_stop_job(struct rt_ray *r, const char *id, rt_ray_done_fn *fn, void *ctx) {
    return change_job(r, "POST", "/api/jobs/{id}/stop", "/stop", id, fn, ctx);
}

struct rt_op *rt_ray_delete_job(struct rt_ray *r, const char *id, rt_ray_done_fn *fn, void *ctx) {
    return change_job(r, "DELETE", "/api/jobs/{id}", "", id, fn, ctx);
}
