/* A made-up dashboard for tests of src/ray: recordings under their routes, faults where a test
 * wants them, and what was asked. With it a loop, an HTTP client and a Ray client that speaks to
 * it. */
#ifndef RT_TEST_RAY_DASHBOARD_H
#define RT_TEST_RAY_DASHBOARD_H

#include "base/log.h"
#include "ray/private.h"
#include "support/httpd.h"
#include "unit/ray/recording.h"

#include <pthread.h>
#include <stdio.h>

struct route {
    const char *method, *path; /* path: prefix of the target */
    int status;                /* 0: 200 */
    const char *type;          /* NULL: application/json */
    const char *fixture, *text;
    httpd_fn *fn; /* instead of both */
};

struct dashboard {
    struct httpd *server;
    const struct route *routes;
    size_t nroutes;
    pthread_mutex_t lock;
    struct rt_strs asked;  /* "GET /api/jobs/ token|-" */
    struct rt_strs bodies; /* of POST and PUT */
    struct rt_loop *loop;
    struct rt_http *http;
    struct rt_ray *ray;
    void *extra; /* the test's own */
};

static struct dashboard *the_dashboard; /* handlers get at it */

static bool dashboard_answer(void *ctx, const struct httpd_request *r) {
    struct dashboard *d = ctx;
    char token[256] = "-", agent[64] = "";
    httpd_header(r, "Authorization", token, sizeof(token));
    httpd_header(r, "User-Agent", agent, sizeof(agent));
    pthread_mutex_lock(&d->lock);
    rt_strs_addf(&d->asked, "%s %s %s", r->method, r->target, token);
    if (r->body_len > 0)
        rt_strs_add(&d->bodies, r->body);
    pthread_mutex_unlock(&d->lock);
    if (strncmp(agent, "raytui/", 7) != 0) { /* as Ray up to 2.49 does without one */
        httpd_text(r, 500, "text/plain",
                   "500 Internal Server Error\n\nServer got itself in trouble");
        return true;
    }
    for (size_t i = 0; i < d->nroutes; i++) {
        const struct route *x = &d->routes[i];
        if (strcmp(x->method, r->method) != 0 || strncmp(r->target, x->path, strlen(x->path)) != 0)
            continue;
        if (x->fn)
            return x->fn(d, r);
        char *text = x->fixture ? recording(x->fixture) : rt_strdup(x->text ? x->text : "");
        httpd_text(r, x->status ? x->status : 200,
                   x->type ? x->type : "application/json; charset=utf-8", text);
        free(text);
        return true;
    }
    httpd_text(r, 404, "text/plain; charset=utf-8", "404: Not Found");
    return true;
}

static inline void dashboard_open(struct dashboard *d, const struct route *routes, size_t n) {
    struct rt_error err = {0};
    *d = (struct dashboard){.routes = routes, .nroutes = n};
    the_dashboard = d;
    pthread_mutex_init(&d->lock, NULL);
    d->server = httpd_start(dashboard_answer, d);
    d->loop = rt_loop_create(&err);
    d->http = rt_http_create(d->loop);
    const struct rt_ray_opts o = {.loop = d->loop,
                                  .http = d->http,
                                  .name = "test",
                                  .url = httpd_url(d->server),
                                  .max_answer = 64 * RT_MIB,
                                  .node_direct = true};
    d->ray = rt_ray_create(&o);
    d->ray->haste = 20;
}

static inline void dashboard_close(struct dashboard *d) {
    rt_ray_destroy(d->ray);
    rt_http_destroy(d->http);
    rt_loop_destroy(d->loop);
    httpd_stop(d->server);
    rt_strs_deinit(&d->asked);
    rt_strs_deinit(&d->bodies);
    pthread_mutex_destroy(&d->lock);
    the_dashboard = NULL;
}

/* Turns the loop until *done; a minute is for ever. */
static inline void dashboard_wait(struct dashboard *d, const bool *done) {
    const int64_t end = rt_mono_ms() + 60000;
    while (!*done && rt_mono_ms() < end)
        rt_loop_turn(d->loop, true);
    assert_true(*done);
}

static inline size_t dashboard_count(struct dashboard *d, const char *prefix) {
    size_t n = 0;
    pthread_mutex_lock(&d->lock);
    for (size_t i = 0; i < d->asked.n; i++)
        n += rt_starts(d->asked.v[i], prefix);
    pthread_mutex_unlock(&d->lock);
    return n;
}

#endif
