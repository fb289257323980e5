/* A dashboard that answers anything at all: each question of the Ray client, what came into a store, and from there every cell,
 * object and reason that a person or a script would see of it.
 *
 * Input: a byte that picks one question, or two of one cluster, one with a status per request, one with the size of the slices in which bodies come,
 * then the bodies, RS (0x1e) between them; the last one answers all further requests. HTTP itself is replaced
 * (-Wl,--wrap=rt_http_send). */
#include "fuzz.h"

#include "base/buf.h"
#include "core/table.h"
#include "core/why.h"
#include "ray/client.h"
#include "ray/follow.h"

#include <string.h>

enum { QUESTIONS = 15, ROWS_FROM = 9, MOST_REQUESTS = 64, MOST_ROWS = 20, NOW_MS = 1800000000 };

/* ---- HTTP ---- */

struct asked {
    struct rt_op op;
    struct rt_http_callbacks cb;
    struct asked *next;
};

static struct {
    struct asked *first;
    size_t asked;
    uint8_t statuses, slice;
    const char *body;
    size_t left;
} server;

static void forget(struct rt_op *op) {
    for (struct asked **p = &server.first; *p; p = &(*p)->next)
        if (&(*p)->op == op) {
            struct asked *gone = *p;
            *p = gone->next;
            free(gone);
            return;
        }
}

struct rt_op *__wrap_rt_http_send(struct rt_http *h, const struct rt_http_request *r, const struct rt_http_callbacks *cb);
struct rt_op *__wrap_rt_http_send(struct rt_http *h, const struct rt_http_request *r, const struct rt_http_callbacks *cb) {
    struct asked *a = calloc(1, sizeof *a), **p = &server.first;
    (void)h;
    PROMISE(a && r->url);
    a->op.cancel = forget;
    a->cb = *cb;
    while (*p)
        p = &(*p)->next;
    *p = a;
    return &a->op;
}

static void answer(struct asked *asked) {
    static const int statuses[] = {200, 404, 500, 401};
    const struct rt_http_callbacks cb = asked->cb;
    const char *end = memchr(server.body, 0x1e, server.left);
    const size_t n = end ? (size_t)(end - server.body) : server.left;
    char *body = rt_strndup(server.body, n);
    const size_t len = strlen(body);
    struct rt_http_answer a = {.status = statuses[server.statuses >> (2 * (server.asked++ % 4)) & 3], .body = body, .body_len = len,
                               .content_type = "application/json", .range_start = -1, .range_end = -1, .range_total = -1,
                               .retry_after_ms = -1, .bytes = (int64_t)len};
    if (end) {
        server.left -= n + 1;
        server.body = end + 1;
    }
    server.first = asked->next;
    free(asked);
    bool go_on = true;
    if (cb.data && a.status == 200) {
        const size_t slice = server.slice ? server.slice : len + 1;
        for (size_t at = 0; go_on && at < len; at += slice)
            go_on = cb.data(cb.ctx, a.status, body + at, RT_MIN(slice, len - at));
        a.body = "";
        a.body_len = 0;
    }
    struct rt_error err = {0};
    if (!go_on)
        rt_error_set(&err, RT_E_CANCELLED, "ended by its caller");
    cb.done(cb.ctx, &a, go_on ? NULL : &err);
    free(body);
}

/* ---- what came ---- */

struct world {
    struct rt_store *store;
    struct rt_cluster *c;
    bool over;
};

static void end(struct world *w, enum rt_topic t, const struct rt_error *err) {
    PROMISE(!w->over);
    w->over = true;
    PROMISE(!err || (err->code != RT_OK && err->message[0]));
    if (err)
        rt_store_fail(w->store, w->c, t, err);
}

static void got_version(void *ctx, const struct rt_ray_version *v, const struct rt_error *err) {
    struct world *w = ctx;
    if (!err)
        rt_store_set_version(w->store, w->c, v->ray_version, v->session_name);
    end(w, RT_T_CLUSTER, err);
}

static void got_done(void *ctx, const struct rt_error *err) {
    end(ctx, RT_T_CLUSTER, err);
}

static void got_idle(void *ctx, int64_t since_ms, const struct rt_error *err) {
    (void)since_ms;
    end(ctx, RT_T_CLUSTER, err);
}

static void got_nodes(void *ctx, rt_nodes *b, const struct rt_error *err) {
    struct world *w = ctx;
    if (!err)
        rt_store_put_nodes(w->store, w->c, b);
    end(w, RT_T_NODES, err);
}

static void got_jobs(void *ctx, rt_jobs *b, const struct rt_error *err) {
    struct world *w = ctx;
    if (!err)
        rt_store_put_jobs(w->store, w->c, b);
    end(w, RT_T_JOBS, err);
}

static void got_actors(void *ctx, rt_actors *b, const struct rt_error *err) {
    struct world *w = ctx;
    if (!err)
        rt_store_put_actors(w->store, w->c, b);
    end(w, RT_T_ACTORS, err);
}

static void got_status(void *ctx, struct rt_ray_status *s, const struct rt_error *err) {
    struct world *w = ctx;
    if (!err) {
        rt_store_put_pools(w->store, w->c, &s->pools);
        rt_store_put_demands(w->store, w->c, &s->demands);
        rt_store_put_failures(w->c, &s->failures);
    }
    end(w, RT_T_DEMAND, err);
}

struct rows_for {
    struct world *w;
    enum rt_topic topic;
};

static void got_rows(void *ctx, struct rt_rows *b, const struct rt_error *err) {
    struct rows_for *r = ctx;
    if (!err)
        rt_store_put_rows(r->w->store, r->w->c, r->topic, b);
    end(r->w, r->topic, err);
}

static void got_names(void *ctx, const struct rt_strs *names, const struct rt_error *err) {
    for (size_t i = 0; !err && i < names->n; i++)
        PROMISE(names->v[i]);
    end(ctx, RT_T_CLUSTER, err);
}

/* ---- what is shown of it ---- */

static void promise_clean(const struct rt_buf *text, bool lines) {
    struct rt_buf again;
    rt_buf_init(&again, 0);
    for (size_t at = 0; at < text->len;) {
        const char *line = rt_buf_str(text) + at;
        const char *stop = lines ? memchr(line, '\n', text->len - at) : NULL;
        const size_t n = stop ? (size_t)(stop - line) : text->len - at;
        again.len = 0;
        rt_clean(&again, line, n);
        PROMISE(again.len == n && memcmp(rt_buf_str(&again), line, n) == 0);
        at += n + (stop != NULL);
    }
    rt_buf_deinit(&again);
}

static void show_row(const struct rt_table *t, const void *row, const struct rt_row_env *env) {
    struct rt_buf text;
    rt_buf_init(&text, 0);
    PROMISE(t->id(row) && t->id(row)[0]);
    for (const struct rt_column *k = t->columns; k->id; k++) {
        text.len = 0;
        k->text(&text, row, env);
        promise_clean(&text, false);
        if (k->health)
            k->health(row, env);
        if (k->order)
            PROMISE(k->order(row, row) == 0);
    }
    text.len = 0;
    rt_row_describe(&text, t, row, env);
    promise_clean(&text, true);
    json_t *o = t->json(row, env, false);
    char *json = json_dumps(o, JSON_COMPACT);
    PROMISE(json);
    free(json);
    json_decref(o);
    rt_buf_deinit(&text);
}

static void show_why(const struct rt_table *t, const char *id, const struct rt_row_env *env) {
    const enum rt_why_kind kind = rt_why_kind_of(t->name);
    const struct rt_why_env known = {.now_ms = env->now_ms};
    struct rt_why why;
    struct rt_error err = {0};
    struct rt_buf text;
    if (kind == RT_WHY_KINDS || !rt_why(&why, env->cluster, kind, id, &known, &err))
        return;
    rt_buf_init(&text, 0);
    rt_why_text(&text, &why, env->now_ms);
    promise_clean(&text, true);
    json_decref(rt_why_json(&why));
    rt_buf_deinit(&text);
    rt_why_deinit(&why);
}

static void show(const struct world *w) {
    const struct rt_row_env env = {.store = w->store, .cluster = w->c, .now_ms = NOW_MS};
    for (const struct rt_table *const *t = rt_tables(); *t; t++) {
        const size_t n = RT_MIN((*t)->count(&env), (size_t)MOST_ROWS);
        for (size_t i = 0; i < n; i++) {
            const void *row = (*t)->at(&env, i);
            show_row(*t, row, &env);
            show_why(*t, (*t)->id(row), &env);
        }
    }
}

/* ---- the questions ---- */

static struct rt_op *ask(unsigned which, struct rt_ray *ray, struct world *w, struct rows_for *rows) {
    switch (which) {
    case 0: return rt_ray_version(ray, got_version, w);
    case 1: return rt_ray_health(ray, got_done, w);
    case 2: return rt_ray_nodes(ray, got_nodes, w);
    case 3: return rt_ray_status(ray, got_status, w);
    case 4: return rt_ray_idle(ray, got_idle, w);
    case 5: return rt_ray_jobs(ray, got_jobs, w);
    case 6: return rt_ray_job(ray, "raysubmit_1", got_jobs, w);
    case 7: return rt_ray_actors(ray, got_actors, w);
    case 8: return rt_ray_log_list(ray, "abc", "*", got_names, w);
    default:
        *rows = (struct rows_for){w, RT_T_TASKS + (which - ROWS_FROM) % (RT_T_WORKERS - RT_T_TASKS + 1)};
        return rt_ray_rows(ray, rows->topic, got_rows, rows);
    }
}

static void put(struct rt_loop *loop, struct rt_ray *ray, struct world *w, unsigned which) {
    struct rows_for rows;
    w->over = false;
    server.asked = 0;
    struct rt_op *op = ask(which % QUESTIONS, ray, w, &rows);
    for (int idle = 0; !w->over && idle < 2 && server.asked < MOST_REQUESTS; idle = server.first ? 0 : idle + 1)
        if (server.first)
            answer(server.first);
        else
            rt_loop_turn(loop, false); /* what was put off */
    if (!w->over)
        rt_op_cancel(op);
    PROMISE(!server.first);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    static struct rt_loop *loop;
    struct rt_error err = {0};
    if (size < 3)
        return 0;
    if (!loop)
        loop = rt_loop_create(&err);
    const struct rt_ray_opts o = {.loop = loop, .name = "lab", .url = "http://127.0.0.1:8265", .max_answer = RT_MIB};
    struct rt_ray *ray = rt_ray_create(&o);
    struct world w = {.store = rt_store_create()};
    w.c = rt_store_add(w.store, "lab", "address");
    server.statuses = data[1];
    server.slice = data[2];
    server.body = (const char *)data + 3;
    server.left = size - 3;
    put(loop, ray, &w, data[0] % 16u);
    if (data[0] / 16u)
        put(loop, ray, &w, data[0] / 16u - 1);
    show(&w);
    rt_ray_destroy(ray);
    rt_store_destroy(w.store);
    return 0;
}
