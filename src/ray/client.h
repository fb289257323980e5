/* A Ray dashboard, spoken to over HTTP (Ray 2.9 to the newest). One per attached cluster.
 *
 * Every call gives an rt_op; its callback gets a batch (which it may take) or an error a person can use:
 * 401/403 -> RT_E_DENIED, 404 on a route -> RT_E_UNSUPPORTED, on a job -> RT_E_NOT_FOUND,
 * a traceback -> its last meaningful line, HTML or garbage named as such. Features are detected once per
 * session name, not read off versions. Strings passed in are copied. */
#ifndef RT_RAY_CLIENT_H
#define RT_RAY_CLIENT_H

#include "base/str.h"
#include "core/store.h"
#include "net/http.h"

struct rt_ray;

struct rt_ray_opts {
    struct rt_loop *loop;
    struct rt_http *http;
    const char *name;               /* the cluster's: connection pool, messages */
    const char *url;                /* http://127.0.0.1:8265, or with a path prefix */
    const struct rt_dialer *dialer; /* keeps; NULL: direct */
    const char *unix_socket, *proxy, *ca_file;
    const char *const *headers;     /* "Name: value"; NULL */
    size_t max_answer;
    /* A stream to another host:port of the cluster (a node's own port), for exact log following; NULL when
     * only the dashboard can be reached. */
    const struct rt_dialer *node_dialer;
    bool node_direct;               /* nodes can be reached straight from here (local clusters) */
};

struct rt_ray *rt_ray_create(const struct rt_ray_opts *o);
void rt_ray_destroy(struct rt_ray *r); /* all its ops must be over or cancelled */
void rt_ray_set_token(struct rt_ray *r, const char *token); /* NULL: none */
void rt_ray_set_headers(struct rt_ray *r, const char *const *headers); /* instead of those before; NULL: none */
void rt_ray_set_url(struct rt_ray *r, const char *url);     /* a new head; features are asked anew */
/* The same with another way to it: `dialer`, `unix_socket` as in rt_ray_opts. */
void rt_ray_set_way(struct rt_ray *r, const char *url, const struct rt_dialer *dialer, const char *unix_socket);
bool rt_ray_way_is(const struct rt_ray *r, const char *url, const struct rt_dialer *dialer, const char *unix_socket);
const char *rt_ray_url(const struct rt_ray *r);

/* What each route cost so far, for :stats. */
struct rt_route_stats {
    char route[48];
    int64_t requests, bytes, elapsed_us, last_us, errors;
};
size_t rt_ray_stats(const struct rt_ray *r, const struct rt_route_stats **out);

struct rt_ray_version {
    char ray_version[48], session_name[128]; /* "" when unknown */
    bool token_auth; /* authentication_mode says token */
};
typedef void rt_ray_version_fn(void *ctx, const struct rt_ray_version *v, const struct rt_error *err);
struct rt_op *rt_ray_version(struct rt_ray *r, rt_ray_version_fn *fn, void *ctx);

/* GCS health: err RT_E_REMOTE "GCS not responding" when the dashboard answers and the GCS does not. */
typedef void rt_ray_done_fn(void *ctx, const struct rt_error *err);
struct rt_op *rt_ray_health(struct rt_ray *r, rt_ray_done_fn *fn, void *ctx);

/* Nodes: /api/v0/nodes joined with /nodes?view=summary (its failure alone costs the physical columns). The
 * callback takes the batch by zeroing it, else it is freed. */
typedef void rt_ray_nodes_fn(void *ctx, rt_nodes *b, const struct rt_error *err);
struct rt_op *rt_ray_nodes(struct rt_ray *r, rt_ray_nodes_fn *fn, void *ctx);

/* Autoscaler status (text form, all versions): pools with active, pending, failed counts, and demand. */
struct rt_ray_status {
    rt_pools pools; /* only what an autoscaler tells; empty without one */
    rt_demands demands;
    rt_demands failures; /* recent failures, text */
    char *error;    /* autoscalingError; NULL */
    bool autoscaler, autoscaler_v2;
};
void rt_ray_status_deinit(struct rt_ray_status *s);
typedef void rt_ray_status_fn(void *ctx, struct rt_ray_status *s, const struct rt_error *err);
struct rt_op *rt_ray_status(struct rt_ray *r, rt_ray_status_fn *fn, void *ctx);
/* The parser of that text alone. */
bool rt_ray_status_parse(const char *text, size_t n, struct rt_ray_status *out, struct rt_error *err);

/* When the cluster was last busy (component_activities): wall ms; 0: active now; -1 unknown. */
typedef void rt_ray_idle_fn(void *ctx, int64_t idle_since_ms, const struct rt_error *err);
struct rt_op *rt_ray_idle(struct rt_ray *r, rt_ray_idle_fn *fn, void *ctx);

typedef void rt_ray_jobs_fn(void *ctx, rt_jobs *b, const struct rt_error *err);
struct rt_op *rt_ray_jobs(struct rt_ray *r, rt_ray_jobs_fn *fn, void *ctx);
/* One job by submission or job id: the batch has one element. */
struct rt_op *rt_ray_job(struct rt_ray *r, const char *id, rt_ray_jobs_fn *fn, void *ctx);

/* Actors (at most 1,000 of each state), without Ray's own. */
typedef void rt_ray_actors_fn(void *ctx, rt_actors *b, const struct rt_error *err);
struct rt_op *rt_ray_actors(struct rt_ray *r, rt_ray_actors_fn *fn, void *ctx);

/* A list of RT_T_TASKS to RT_T_WORKERS: what is asked only while somebody looks. Tasks: those that run, wait or failed;
 * with finished ones a call would cost the head seconds. */
typedef void rt_ray_rows_fn(void *ctx, struct rt_rows *b, const struct rt_error *err);
struct rt_op *rt_ray_rows(struct rt_ray *r, enum rt_topic topic, rt_ray_rows_fn *fn, void *ctx);

/* Any GET, as text, for raw views and features to come. */
typedef void rt_ray_raw_fn(void *ctx, const char *text, size_t n, const struct rt_error *err);
struct rt_op *rt_ray_get(struct rt_ray *r, const char *path, rt_ray_raw_fn *fn, void *ctx);

struct rt_op *rt_ray_stop_job(struct rt_ray *r, const char *id, rt_ray_done_fn *fn, void *ctx);
struct rt_op *rt_ray_delete_job(struct rt_ray *r, const char *id, rt_ray_done_fn *fn, void *ctx);

/* ---- submit: what `ray job submit` does (ray-api 4.2, 4.3) ---- */
struct rt_submit {
    const char *entrypoint;      /* one shell line, already quoted */
    const char *submission_id;   /* NULL: made here, so that a repeated POST cannot run a job twice */
    const char *working_dir;     /* local directory, a .zip, or a URI; NULL */
    const char *runtime_env;     /* JSON text (from a file or text); NULL */
    struct rt_strs env_defaults; /* "K=V", under runtime_env's */
    struct rt_strs env_vars;     /* "K=V", over runtime_env's */
    struct rt_strs excludes;
    struct rt_strs py_modules;   /* local directories or URIs */
    struct rt_strs metadata;     /* "K=V" */
    struct rt_strs resources;    /* "name=number" */
    double num_cpus, num_gpus;   /* < 0: not given */
    int64_t memory_bytes;        /* < 0 */
};
void rt_submit_init(struct rt_submit *s);
void rt_submit_deinit(struct rt_submit *s); /* only the lists */

/* What would be sent: the body as pretty JSON (env_vars masked unless show_env) and notes/warnings (a wheel
 * that is not in the working directory, a number made a string). Packages are only measured. Files are read
 * on a worker. */
struct rt_submit_preview {
    char *body;
    struct rt_strs warnings;
    int64_t files, ignored, bytes; /* of the working directory; -1 without one */
    char *package_uri;             /* gcs://_ray_pkg_….zip; NULL */
};
typedef void rt_submit_preview_fn(void *ctx, const struct rt_submit_preview *p, const struct rt_error *err);
struct rt_op *rt_submit_preview(struct rt_ray *r, const struct rt_submit *s, bool show_env, rt_submit_preview_fn *fn, void *ctx);

struct rt_submit_progress {
    const char *stage;   /* "packing", "uploading", "submitting" */
    int64_t done, total; /* bytes; total 0 unknown */
};
struct rt_submit_callbacks {
    void (*progress)(void *ctx, const struct rt_submit_progress *p); /* NULL */
    void (*done)(void *ctx, const char *submission_id, const struct rt_error *err);
    void *ctx;
};
struct rt_op *rt_ray_submit(struct rt_ray *r, const struct rt_submit *s, const struct rt_submit_callbacks *cb);
/* What a submission from here carries as metadata `submitted_by`; gives it. */
char *rt_user_at_host(void);

/* The runtime_env of a file (YAML or JSON by content) as JSON text with file:line in errors; gives it. */
char *rt_runtime_env_load(const char *path, struct rt_strs *warnings, struct rt_error *err);

#endif
