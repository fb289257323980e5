/* A list of any length, decoded while its bytes arrive: one element is held at a time, and one that
 * cannot be understood costs itself, not the others. */
#include "ray/private.h"

#include "base/log.h"

/* Listing waits on the far side's own collection; the State API gives up after 24 s. */
static const int64_t LIST_TIMEOUT_MS = 30000;

static bool element(void *ctx, size_t index, const char *text, size_t n) {
    struct rt_list *l = ctx;
    struct rt_error err = {0};
    json_t *v = rt_json_parse(text, n, &err);
    l->seen++;
    if (!v || !l->item(l->ctx, v, &err)) {
        l->left_out++;
        rt_log(RT_LOG_WARN, "%s: %s: element %zu left out: %s", l->ray->name, l->route, index,
               err.message);
    }
    json_decref(v);
    return true;
}

static bool arrived(void *ctx, int status, const char *data, size_t n) {
    (void)status;
    struct rt_list *l = ctx;
    return rt_jsplit_feed(l->split, data, n, &l->err);
}

/* {"result": false, "msg": "..."} may come with status 200: then that is the reason. */
static void refused(struct rt_list *l) {
    json_t *rest = rt_list_rest(l);
    const char *msg =
        rest && json_is_false(json_object_get(rest, "result")) ? rt_json_str(rest, "msg") : NULL;
    if (msg) {
        char why[400];
        rt_error_set(&l->err, RT_E_REMOTE, "%s", rt_ray_reason(why, sizeof(why), msg));
    }
    json_decref(rest);
}

static void finished(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    (void)a;
    struct rt_list *l = ctx;
    l->call = NULL;
    if (l->err.code == RT_OK && err) {
        l->err = *err;
    } else {
        if (l->err.code == RT_OK && !rt_jsplit_end(l->split, &l->err))
            refused(l);
        if (l->err.code != RT_OK)
            rt_error_wrap(&l->err, "GET %s", l->route);
    }
    l->end(l->ctx, l->err.code != RT_OK ? &l->err : NULL);
}

void rt_list_start(struct rt_list *l, struct rt_ray *r, const char *route, const char *path,
                   const char *array) {
    l->ray = r;
    l->route = route;
    l->split = rt_jsplit_create(array, 0, element, l);
    const struct rt_ray_call c = {
        .route = route, .path = path, .timeout_ms = LIST_TIMEOUT_MS, .data = arrived};
    l->call = rt_ray_send(r, &c, finished, l);
}

json_t *rt_list_rest(const struct rt_list *l) {
    struct rt_error ignored = {0};
    const char *text = rt_jsplit_rest(l->split);
    return text ? rt_json_parse(text, strlen(text), &ignored) : NULL;
}

static size_t counter(const json_t *v, const char *key) {
    const json_t *n = json_object_get(v, key);
    return json_is_integer(n) && json_integer_value(n) > 0 ? (size_t)json_integer_value(n) : 0;
}

void rt_list_counters(const struct rt_list *l, struct rt_arena *arena, size_t *total,
                      const char **note) {
    json_t *rest = rt_list_rest(l);
    const json_t *r = rt_json_at(rest, "data.result");
    const size_t at_source = counter(r, "total"), kept = counter(r, "num_after_truncation");
    const size_t matching = counter(r, "num_filtered");
    const char *warning = rt_json_str(r, "partial_failure_warning");
    *total = RT_MAX(matching, l->seen);
    if (warning && *warning)
        *note = rt_arena_strdup(arena, warning);
    else if (kept < at_source)
        *note = rt_arena_strf(arena, "Ray itself keeps %zu of %zu", kept, at_source);
    json_decref(rest);
}

void rt_list_deinit(struct rt_list *l) {
    rt_op_drop(&l->call);
    rt_jsplit_destroy(l->split);
    l->split = NULL;
}

void *rt_batch_array(struct rt_arena *arena, void *v, size_t n, size_t size) {
    void *out = n > 0 ? rt_arena_alloc(arena, n * size) : NULL;
    if (n > 0)
        memcpy(out, v, n * size);
    free(v);
    return out;
}
