/* What the files of this layer share; nobody outside includes it. */
#ifndef RT_RAY_PRIVATE_H
#define RT_RAY_PRIVATE_H

#include "base/jsplit.h"
#include "base/vec.h"
#include "ray/client.h"

/* What is known of the server beyond its answers; forgotten when the session or the address
 * changes. */
enum rt_stream_kind {
    RT_STREAM_UNKNOWN,
    RT_STREAM_RAW,
    RT_STREAM_MARKED /* each piece begins with a byte that is not the log's */
};
struct rt_ray_features {
    bool auth_known, token_auth;
    enum rt_stream_kind stream;
};

struct rt_ray {
    struct rt_loop *loop;
    struct rt_http *http;
    char *name, *url;
    const struct rt_dialer *dialer, *node_dialer;
    char *unix_socket, *proxy, *ca_file;
    struct rt_strs headers; /* as configured, for the dashboard and what stands before it */
    char *token;            /* also for the nodes' own ports; NULL */
    size_t max_answer;
    bool node_direct;
    char session[128];
    struct rt_ray_features features;
    int haste;              /* waits between requests are so many times shorter: 1, more in tests */
    int64_t patience_ms;    /* no request lasts longer; 0: as long as it says. For tests */
    int64_t node_failed_ms; /* loop time when a node's own port could not be reached; 0 */
    RT_VEC(struct rt_route_stats) routes;
};

/* ---- one request (call.c) ---- */

struct rt_ray_call {
    const char *method; /* NULL: GET */
    const char *route;  /* as the statistics name it: "/api/jobs/{id}" */
    const char *path;   /* with query; NULL: the route */
    const char *node;   /* "http://10.0.0.3:52365" instead of the dashboard; NULL */
    const char *body, *body_file, *range;
    size_t body_len;
    int64_t timeout_ms; /* as in rt_http_request */
    size_t max_bytes;
    bool stream;
    rt_http_data_fn *data; /* 2xx bodies in slices; NULL: collected */
    rt_http_progress_fn *progress;
};

/* err NULL: a 2xx answer. Else `a` is still there when an answer came (its status tells). */
typedef void rt_ray_call_fn(void *ctx, const struct rt_http_answer *a, const struct rt_error *err);
struct rt_op *rt_ray_send(struct rt_ray *r, const struct rt_ray_call *c, rt_ray_call_fn *fn,
                          void *ctx);

/* What an answer that is not 2xx means. */
void rt_ray_problem(const struct rt_http_answer *a, const char *method, const char *route,
                    struct rt_error *err);
/* The line of a traceback, of a JSON envelope or of plain text that a person can use; never longer
 * than size. */
char *rt_ray_reason(char *out, size_t size, const char *text);
/* The body as JSON; HTML and garbage are named as such. */
json_t *rt_ray_json(const struct rt_http_answer *a, const char *route, struct rt_error *err);

/* ---- a list decoded in slices (list.c) ---- */

/* One element; false: it is left out and counted. Strings go into the list's arena. */
typedef bool rt_list_item_fn(void *ctx, const json_t *v, struct rt_error *err);
typedef void rt_list_end_fn(void *ctx, const struct rt_error *err);

/* Part of an operation's own struct. */
struct rt_list {
    struct rt_ray *ray;
    const char *route; /* of static storage */
    struct rt_op *call;
    struct rt_jsplit *split;
    struct rt_error err;
    size_t seen, left_out;
    rt_list_item_fn *item;
    rt_list_end_fn *end;
    void *ctx;
};
/* `array`: path of the list in the answer. `end` runs once unless rt_list_deinit comes first. */
void rt_list_start(struct rt_list *l, struct rt_ray *r, const char *route, const char *path,
                   const char *array);
/* What stands beside the list, parsed; NULL when it cannot be. Only within `end`. */
json_t *rt_list_rest(const struct rt_list *l);
/* total and note of a State API answer. Only within `end`. */
void rt_list_counters(const struct rt_list *l, struct rt_arena *arena, size_t *total,
                      const char **note);
void rt_list_deinit(struct rt_list *l);

/* ---- pieces that tests look at by themselves ---- */

/* An array of the batch kind: in the arena, from a growing one that is freed. */
void *rt_batch_array(struct rt_arena *arena, void *v, size_t n, size_t size);

bool rt_job_decode(const json_t *v, struct rt_job *out, struct rt_arena *arena,
                   struct rt_error *err);

/* Resources of a node under their real names, ordered; `logical` is the text of
 * nodeLogicalResources or NULL. */
struct rt_amounts rt_node_amounts(const struct rt_resources *total, const char *logical,
                                  struct rt_arena *arena);
/* What an actor or a task needs, under real names and ordered: inside of a placement group Ray asks for the copies of its bundles
 * ("CPU_group_0_<hex>" and "CPU_group_<hex>" for one CPU). Changes the list itself. */
void rt_needs_unfold(struct rt_resources *needs, struct rt_arena *arena);

#endif
