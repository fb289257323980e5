/* A Ray client of this machine against a cluster: are Ray and Python the same, does its port answer? `ray://` refuses what does not
 * fit, late (30 s of silence when the Rays are far apart) and in words that do not help, so it is said before the address is used. */
#include "app/session.h"
#include "base/fs.h"
#include "net/proc.h"
#include "net/tcp.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PYTHON_MS = 10000, DIAL_MS = 3000, THERE_MS = 2000 };

static const char metadata[] = "/api/v0/cluster_metadata";

static const char script[] = "import platform\nprint(platform.python_version())\n"
                             "from importlib.metadata import version\nprint(version('ray'))\n";

struct look {
    struct rt_op op;
    struct session *s;
    struct rt_op *step;
    struct rt_timer *limit; /* of what the cluster is asked */
    struct rt_ray *ray;     /* of a cluster that is not attached; NULL */
    char there_ray[48], there_python[48];
    int port;
    char problem[400];
    rt_app_client_fn *fn;
    void *ctx;
};

static void look_cancel(struct rt_op *op) {
    struct look *l = (struct look *)op;
    rt_op_drop(&l->step);
    rt_timer_stop(l->limit);
    if (l->ray)
        rt_ray_destroy(l->ray);
    free(l);
}

static void over(struct look *l) {
    const struct look copy = *l;
    look_cancel(&l->op);
    free(copy.s->client.problem);
    copy.s->client.problem = copy.problem[0] ? rt_strdup(copy.problem) : NULL;
    copy.s->client.known = true;
    copy.fn(copy.ctx, copy.problem[0] ? copy.problem : NULL);
}

/* ---- the port, where no forward carries it ---- */

static void dialled(void *ctx, int fd, const struct rt_error *err) {
    struct look *l = ctx;
    l->step = NULL;
    if (err)
        snprintf(l->problem, sizeof l->problem,
                 "ray:// needs port %d, which does not answer from here (%.120s): jobs and logs work; for ray:// reach it over a host "
                 "that sees the head (`hop: ssh://...`), or submit a job",
                 l->port, err->message);
    else
        close(fd);
    over(l);
}

static void dial(struct look *l) {
    struct rt_endpoint at = {0};
    struct rt_error err = {0};
    if (l->problem[0] || session_carried(l->s) || !l->s->conf->ops->endpoint(l->s->provider, RT_EP_CLIENT, &at, &err))
        over(l);
    else
        l->step = rt_tcp_connect(l->s->app->loop, at.host, l->port = at.port, DIAL_MS, dialled, l);
}

/* ---- Ray and Python ---- */

static bool same_minor(const char *a, const char *b) {
    int x[2] = {0}, y[2] = {0};
    return sscanf(a, "%d.%d", &x[0], &x[1]) == 2 && sscanf(b, "%d.%d", &y[0], &y[1]) == 2 && x[0] == y[0] && x[1] == y[1];
}

/* `python` and `ray` as printed here; "" unknown. */
static void compare(struct look *l, const char *python, const char *ray) {
    const char *which = l->s->conf->client_python ? "client_python" : "python3 here";
    const bool other_ray = *l->there_ray && *ray && !rt_streq(ray, l->there_ray);
    const bool other_python = *l->there_python && *python && !same_minor(python, l->there_python);
    if (!*ray && l->s->conf->client_python && *python)
        snprintf(l->problem, sizeof l->problem, "client_python (%.100s) has no Ray: pip install \"ray[client]==%s\"",
                 l->s->conf->client_python, *l->there_ray ? l->there_ray : "VERSION");
    else if (*ray && (other_ray || other_python))
        snprintf(l->problem, sizeof l->problem,
                 "the cluster has Ray %s on Python %s, %s Ray %s on Python %s: ray.init(\"ray://...\") will fail; %s%s or submit a job",
                 *l->there_ray ? l->there_ray : "?", *l->there_python ? l->there_python : "?", which, ray, python,
                 other_ray ? "install ray==" : "use Python ", other_ray ? l->there_ray : l->there_python);
}

static void asked_python(void *ctx, const struct rt_run_result *r, const struct rt_error *err) {
    struct look *l = ctx;
    l->step = NULL;
    char python[48] = "", ray[48] = "";
    if (r) {
        const size_t n = strcspn(r->out, "\r\n");
        char *first = rt_strndup(r->out, n), *second = rt_strdup(r->out + n + strspn(r->out + n, "\r\n"));
        second[strcspn(second, "\r\n")] = '\0';
        rt_clean_to(python, sizeof python, first);
        rt_clean_to(ray, sizeof ray, second);
        free(first);
        free(second);
    }
    if (l->s->conf->client_python && !python[0])
        snprintf(l->problem, sizeof l->problem, "client_python (%.100s) does not run: %.200s", l->s->conf->client_python,
                 err ? err->message : r->exit.timed_out ? "no answer in 10 s" : "it is no Python");
    else
        compare(l, python, ray);
    dial(l);
}

static void no_python(void *ctx) {
    struct look *l = ctx;
    l->step = NULL;
    dial(l);
}

static void ask_python(struct look *l) {
    const char *set = l->s->conf->client_python, *ignore = getenv("RAY_IGNORE_VERSION_MISMATCH");
    struct rt_strs words = {0};
    struct rt_error err = {0};
    bool ok = !(ignore && *ignore) && rt_split_words(set ? set : "python3", &words, &err) && words.n;
    if (ok) {
        char *first = rt_path_expand(words.v[0]);
        free(words.v[0]);
        words.v[0] = first;
        rt_strs_add(&words, "-c");
        rt_strs_add(&words, script);
        const struct rt_proc_opts o = {.argv = (const char *const *)words.v, .timeout_ms = PYTHON_MS};
        l->step = rt_run(l->s->app->loop, &o, RT_KIB, asked_python, l);
    } else {
        snprintf(l->problem, sizeof l->problem, "%s%.200s", err.code ? "client_python: " : "", err.message);
        l->step = rt_loop_defer(l->s->app->loop, no_python, l);
    }
    rt_strs_deinit(&words);
}

/* ---- what the cluster has ---- */

/* {"data": {"rayVersion", "pythonVersion"}} (Ray's dashboard, modules/state) */
static void read_metadata(const char *text, size_t n, char ray[48], char python[48]) {
    struct rt_error bad = {0};
    json_t *v = rt_json_parse(text, n, &bad), *data = json_object_get(v, "data");
    const char *ray_text = rt_json_str(data, "rayVersion"), *python_text = rt_json_str(data, "pythonVersion");
    rt_clean_to(ray, 48, ray_text ? ray_text : "");
    rt_clean_to(python, 48, python_text ? python_text : "");
    json_decref(v);
}

static void no_answer(void *ctx) {
    struct look *l = ctx;
    rt_timer_stop(l->limit);
    l->limit = NULL;
    rt_op_drop(&l->step);
    ask_python(l);
}

static void answered(void *ctx, const char *text, size_t n, const struct rt_error *err) {
    struct look *l = ctx;
    l->step = NULL;
    if (!err)
        read_metadata(text, n, l->there_ray, l->there_python);
    no_answer(l);
}

static void ask_there(struct look *l, const char *token) {
    struct rt_endpoint web = {0};
    struct rt_error err = {0};
    struct rt_strs headers = {0};
    if (!env_address(l->s, RT_EP_DASHBOARD, &web, &err)) {
        no_answer(l);
        return;
    }
    session_headers(l->s, &headers);
    const struct rt_ray_opts o = {.loop = l->s->app->loop, .http = l->s->app->p->http, .name = l->s->conf->name, .url = web.url,
                                  .proxy = l->s->conf->proxy, .ca_file = l->s->conf->ca_file,
                                  .headers = headers.n ? (const char *const *)headers.v : NULL};
    l->ray = rt_ray_create(&o);
    rt_strs_deinit(&headers);
    if (token)
        rt_ray_set_token(l->ray, token);
    l->step = rt_ray_get(l->ray, metadata, answered, l);
}

static void got_token(void *ctx, const char *value, const struct rt_error *err) {
    struct look *l = ctx;
    l->step = NULL;
    ask_there(l, err ? NULL : value);
}

/* An attached cluster told it, or is asked at this moment. */
static void begin(void *ctx) {
    struct look *l = ctx;
    const struct rt_cluster *c = l->s->cluster;
    l->step = NULL;
    snprintf(l->there_ray, sizeof l->there_ray, "%s", c->ray_version ? c->ray_version : "");
    snprintf(l->there_python, sizeof l->there_python, "%s", c->python_version ? c->python_version : "");
    if (*l->there_ray && *l->there_python) {
        ask_python(l);
        return;
    }
    l->limit = rt_timer_start(l->s->app->loop, THERE_MS, 0, no_answer, l);
    if (l->s->attached && l->s->ray)
        l->step = rt_ray_get(l->s->ray, metadata, answered, l);
    else if (rt_secret_set(&l->s->conf->token))
        l->step = rt_secret_get(l->s->app->loop, &l->s->conf->token, got_token, l);
    else
        ask_there(l, NULL);
}

struct rt_op *rt_app_client(struct rt_app *a, const char *cluster, rt_app_client_fn *fn, void *ctx) {
    struct rt_error err = {0};
    struct session *s = session_get(a, cluster, &err);
    if (!s)
        return NULL;
    struct look *l = RT_NEW(struct look);
    l->op.cancel = look_cancel;
    l->s = s;
    l->fn = fn;
    l->ctx = ctx;
    l->step = rt_loop_defer(a->loop, begin, l);
    return &l->op;
}

/* ---- kept with the session ---- */

static void known(void *ctx, const char *problem) {
    struct session *s = ctx;
    (void)problem;
    s->client.look = NULL;
    rt_store_touch(s->app->store, s->cluster, RT_T_CLUSTER);
}

const char *client_problem(struct session *s) {
    if (!s->client.known && !s->client.look && s->attached && s->cluster->ray_version)
        s->client.look = rt_app_client(s->app, s->conf->name, known, s);
    return s->client.problem;
}

void client_forget(struct session *s) {
    rt_op_drop(&s->client.look);
    rt_op_drop(&s->client.metadata);
    free(s->client.problem);
    free(s->client.asked);
    s->client = (struct session_client){0};
}

static void got_metadata(void *ctx, const char *text, size_t n, const struct rt_error *err) {
    struct session *s = ctx;
    char ray[48], python[48] = "";
    s->client.metadata = NULL;
    if (!err)
        read_metadata(text, n, ray, python);
    if (*python)
        rt_store_set_python(s->app->store, s->cluster, python);
    if (s->nforwards)
        client_problem(s); /* known by the time somebody uses it */
}

void client_learn(struct session *s) {
    const char *session = s->cluster->session_name ? s->cluster->session_name : s->cluster->ray_version; /* 2.9 tells none */
    if (s->client.metadata || !session || rt_streq(session, s->client.asked))
        return;
    char *asked = rt_strdup(session);
    client_forget(s); /* another head may have another Ray */
    s->client.asked = asked;
    s->client.metadata = rt_ray_get(s->ray, metadata, got_metadata, s);
}
