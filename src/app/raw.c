/* The raw answer behind a row, as Ray sends it: pretty, env_vars masked. */
#include "app/session.h"
#include "core/table.h"
#include <stdio.h>
#include <stdlib.h>

struct raw {
    struct rt_op op;
    struct rt_op *get;
    struct rt_timer *soon;
    struct rt_error err;
    char *text; /* what is had without asking */
    rt_raw_fn *fn;
    void *ctx;
};

static void end(struct raw *r) {
    rt_op_drop(&r->get);
    rt_timer_stop(r->soon);
    free(r->text);
    free(r);
}

static void cancel(struct rt_op *op) {
    end((struct raw *)op);
}

/* Values of env_vars, wherever they stand. */
static void mask(json_t *v) {
    const char *key;
    json_t *child;
    size_t i;
    if (json_is_array(v)) {
        json_array_foreach(v, i, child) mask(child);
    } else if (json_is_object(v)) {
        void *tmp;
        json_object_foreach_safe(v, tmp, key, child) {
            if (rt_streq(key, "env_vars") && json_is_object(child)) {
                const char *name;
                json_t *value;
                void *tmp2;
                json_object_foreach_safe(child, tmp2, name, value) json_object_set_new(child, name, json_string("***"));
            } else if (rt_streq(key, "serialized_runtime_env") && json_is_string(child)) {
                char *masked = rt_mask_env(json_string_value(child));
                json_object_set_new(v, key, json_string(masked ? masked : ""));
                free(masked);
            } else {
                mask(child);
            }
        }
    }
}

static char *pretty(json_t *v) {
    mask(v);
    char *text = json_dumps(v, JSON_INDENT(2) | JSON_ENCODE_ANY);
    json_decref(v);
    return text;
}

static void answer(void *ctx) {
    struct raw *r = ctx;
    rt_raw_fn *fn = r->fn;
    void *fn_ctx = r->ctx;
    char *text = r->text;
    struct rt_error err = r->err;
    r->text = NULL;
    end(r);
    fn(fn_ctx, err.code ? NULL : text, err.code ? &err : NULL);
    free(text);
}

static void got(void *ctx, const char *text, size_t n, const struct rt_error *err) {
    struct raw *r = ctx;
    r->get = NULL;
    if (err) {
        r->err = *err;
    } else {
        json_t *v = rt_json_parse(text, n, &r->err);
        if (v)
            r->text = pretty(v);
    }
    answer(r);
}

/* Rows without an answer of their own: what raytui knows. */
static void from_table(struct raw *r, struct rt_app *a, struct rt_cluster *c, const char *table, const char *id) {
    const struct rt_table *t = rt_table_find(table);
    const struct rt_row_env env = {.store = a->store, .cluster = c, .now_ms = rt_wall_ms()};
    for (size_t i = 0; t && i < t->count(&env); i++) {
        const void *row = t->at(&env, i);
        if (rt_streq(t->id(row), id)) {
            r->text = pretty(t->json(row, &env, false));
            return;
        }
    }
    rt_error_set(&r->err, RT_E_NOT_FOUND, "%s %s is gone", t ? t->singular : table, id);
}

struct rt_op *rt_app_raw(struct rt_app *a, const char *cluster, const char *table, const char *id, rt_raw_fn *fn, void *ctx) {
    struct raw *r = RT_NEW(struct raw);
    r->op.cancel = cancel;
    r->fn = fn;
    r->ctx = ctx;
    struct rt_cluster *c = rt_store_cluster(a->store, cluster);
    char *path = NULL, *enc = rt_url_encode(id);
    if (rt_streq(table, "jobs"))
        path = rt_strf("/api/jobs/%s", enc);
    else if (rt_streq(table, "nodes"))
        path = rt_strf("/nodes/%s", enc);
    struct session *s = path ? session_get(a, cluster, &r->err) : NULL;
    struct rt_ray *ray = s && c->reach == RT_REACH_OK ? session_ray(s, &r->err) : NULL;
    if (ray) {
        r->get = rt_ray_get(ray, path, got, r);
    } else {
        r->err = (struct rt_error){0};
        from_table(r, a, c, table, id);
        r->soon = rt_timer_start(a->loop, 0, 0, answer, r);
    }
    free(enc);
    free(path);
    return &r->op;
}
