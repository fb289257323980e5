/* Which log files a node has. */
#include "ray/follow.h"
#include "ray/private.h"

#include <string.h>

struct log_list {
    struct rt_op op;
    struct rt_op *call;
    rt_log_list_fn *fn;
    void *ctx;
};

static void log_list_cancel(struct rt_op *op) {
    struct log_list *o = (struct log_list *)op;
    rt_op_cancel(o->call);
    free(o);
}

static int by_name(const void *a, const void *b) {
    return rt_natcmp(*(char *const *)a, *(char *const *)b);
}

/* {category: [names]}; directories end in "/" and cannot be read. */
static void collect(const json_t *categories, struct rt_strs *names) {
    const char *category;
    json_t *list;
    json_object_foreach((json_t *)(uintptr_t)categories, category, list) {
        size_t i;
        json_t *name;
        json_array_foreach(list, i, name) {
            const char *s = json_string_value(name);
            if (s && *s && !rt_ends(s, "/"))
                rt_strs_add(names, s);
        }
    }
    if (names->n > 0)
        qsort(names->v, names->n, sizeof(*names->v), by_name);
}

static void listed(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct log_list *o = ctx;
    struct rt_error e = {0};
    json_t *v = err ? NULL : rt_ray_json(a, "/api/v0/logs", &e);
    struct rt_strs names = {0};
    const json_t *categories = rt_json_at(v, "data.result");
    if (v && !json_is_object(categories))
        rt_error_set(&e, RT_E_PROTOCOL, "GET /api/v0/logs: no list of files in the answer");
    else if (v)
        collect(categories, &names);
    json_decref(v);
    rt_log_list_fn *fn = o->fn;
    void *fn_ctx = o->ctx;
    free(o);
    fn(fn_ctx, &names, err ? err : e.code != RT_OK ? &e : NULL);
    rt_strs_deinit(&names);
}

struct rt_op *rt_ray_log_list(struct rt_ray *r, const char *node_id, const char *glob,
                              rt_log_list_fn *fn, void *ctx) {
    struct log_list *o = RT_NEW(struct log_list);
    o->op.cancel = log_list_cancel;
    o->fn = fn;
    o->ctx = ctx;
    char *node = rt_url_encode(node_id), *pattern = rt_url_encode(glob ? glob : "*");
    char *path = rt_strf("/api/v0/logs?node_id=%s&glob=%s", node, pattern);
    const struct rt_ray_call c = {.route = "/api/v0/logs", .path = path, .timeout_ms = 30000};
    o->call = rt_ray_send(r, &c, listed, o);
    free(path);
    free(pattern);
    free(node);
    return &o->op;
}
