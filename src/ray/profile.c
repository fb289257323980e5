/* Stacks and profiles through the dashboard, and what it means when there are none. */
#include "ray/profile.h"

#include "ray/private.h"
#include <stdlib.h>

/* How long beyond the measuring an answer may take: memray writes its report after it. */
enum { SLACK_MS = 45000 };

struct profile {
    struct rt_op op;
    struct rt_op *call;
    rt_ray_raw_fn *fn;
    void *ctx;
    enum rt_profile_kind kind;
};

static void cancel(struct rt_op *op) {
    struct profile *p = (struct profile *)op;
    rt_op_cancel(p->call);
    free(p);
}

static const char *tool(enum rt_profile_kind k) {
    return k == RT_PROFILE_MEMORY ? "memray" : "py-spy";
}

/* The body tells more than its status; which words stand for what is Ray's, py-spy's and memray's choice. */
static void explain(enum rt_profile_kind k, const struct rt_http_answer *a, struct rt_error *err) {
    const char *text = a->body, *name = tool(k);
    if (rt_contains_i(text, "Profiling is disabled")) {
        rt_error_set(err, RT_E_DENIED, "profiling is switched off on this cluster");
        rt_error_hint(err, "its head must be started with RAY_DASHBOARD_ENABLE_PROFILING=1");
    } else if (rt_contains_i(text, "is not installed")) {
        rt_error_set(err, RT_E_UNSUPPORTED, "%s is not installed on the node, or not on the PATH of its Ray", name);
        rt_error_hint(err, "pip install %s there, and start its Ray with that directory on PATH", name);
    } else if (rt_contains_i(text, "'sudo'")) { /* until about Ray 2.10 it is run unasked */
        rt_error_set(err, RT_E_UNSUPPORTED, "this Ray runs %s by sudo, and the node has no sudo", name);
        rt_error_hint(err, "install sudo there, or take a newer Ray");
    } else if (rt_contains_i(text, "permission") || rt_contains_i(text, "Operation not permitted")) {
        rt_error_set(err, RT_E_DENIED, "%s may not look into the process: ptrace is not permitted to it", name);
        rt_error_hint(err, "on the node: sudo chown root `which %s` && sudo chmod u+s `which %s`; in a container add SYS_PTRACE",
                      name, name);
    } else if (rt_contains_i(text, "No such process") || rt_contains_i(text, "process is running") ||
               rt_contains_i(text, "No such file or directory (os error 2)")) {
        rt_error_set(err, RT_E_NOT_FOUND, "the process is gone");
        rt_error_hint(err, "it ended, or another worker took over: look at the list again");
    } else if (rt_contains_i(text, "agent address") || rt_contains_i(text, "UNAVAILABLE") || rt_contains_i(text, "KeyError")) {
        rt_error_set(err, RT_E_NOT_FOUND, "the node cannot be asked: it left, or its agent does not answer");
    } else if (a->status == 404) {
        rt_error_set(err, RT_E_UNSUPPORTED, "this Ray has no such profile");
        if (k == RT_PROFILE_MEMORY)
            rt_error_hint(err, "memory profiles came with Ray 2.10");
    }
}

static void answered(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct profile *p = ctx;
    const struct profile was = *p;
    struct rt_error e = err ? *err : (struct rt_error){0};
    free(p);
    if (err && a)
        explain(was.kind, a, &e);
    was.fn(was.ctx, err ? NULL : a->body, err ? 0 : a->body_len, err ? &e : NULL);
}

static const char *route(const struct rt_profile *p) {
    switch (p->kind) {
    case RT_PROFILE_STACK:
        return p->task_id ? "/task/traceback" : "/worker/traceback";
    case RT_PROFILE_CPU:
        return p->task_id ? "/task/cpu_profile" : "/worker/cpu_profile";
    case RT_PROFILE_MEMORY:
        break;
    }
    return "/memory_profile";
}

static void add_text(struct rt_buf *out, const char *key, const char *value) {
    if (value && *value) {
        char *encoded = rt_url_encode(value);
        rt_buf_addf(out, "&%s=%s", key, encoded);
        free(encoded);
    }
}

struct rt_op *rt_ray_profile(struct rt_ray *r, const struct rt_profile *q, rt_ray_raw_fn *fn, void *ctx) {
    struct profile *p = RT_NEW(struct profile);
    struct rt_buf path;
    p->op.cancel = cancel;
    p->fn = fn;
    p->ctx = ctx;
    p->kind = q->kind;
    rt_buf_init(&path, 0);
    rt_buf_addf(&path, "%s?native=%d", route(q), q->native ? 1 : 0);
    if (q->task_id) {
        add_text(&path, "task_id", q->task_id);
        rt_buf_addf(&path, "&attempt_number=%lld", (long long)q->attempt);
    } else { /* an old Ray that is not told the address takes any node */
        rt_buf_addf(&path, "&pid=%lld", (long long)q->pid);
        add_text(&path, "ip", q->node_ip);
    }
    add_text(&path, "node_id", q->node_id);
    if (q->kind != RT_PROFILE_STACK) {
        rt_buf_addf(&path, "&duration=%d", q->duration_s);
        add_text(&path, "format", q->format);
    }
    const struct rt_ray_call c = {
        .route = route(q),
        .path = rt_buf_str(&path),
        .timeout_ms = SLACK_MS + (q->kind == RT_PROFILE_STACK ? 0 : 1000 * (int64_t)q->duration_s),
    };
    p->call = rt_ray_send(r, &c, answered, p);
    rt_buf_deinit(&path);
    return &p->op;
}
