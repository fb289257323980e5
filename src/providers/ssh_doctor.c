/* What each host of `ssh` has and lacks, for `doctor`: all are asked at once, those that only the head sees through it. What
 * must be the same on all hosts is compared with the head's. */
#include "providers/doctor.h"
#include "providers/ssh.h"
#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 60000, CLOCK_S = 60 };

struct visit {
    struct doctor *doctor;
    struct snode *node;
    struct rt_op *op;
    bool again; /* through the head */
    struct rt_error direct;
    struct rt_buf lines;
    char *ray, *python;
};

struct doctor {
    struct rt_op op;
    struct rt_provider *provider;
    struct visit *v; /* [0] is the head */
    size_t n, left;
    void (*done)(void *ctx, const char *lines, const struct rt_error *err);
    void *ctx;
};

static void doctor_free(struct doctor *d) {
    for (size_t i = 0; i < d->n; i++) {
        struct visit *v = &d->v[i];
        rt_op_drop(&v->op);
        if (v->node != d->provider->nodes[0] && !v->node->task)
            ssh_node_drop_hop(v->node);
        rt_buf_deinit(&v->lines);
        free(v->ray);
        free(v->python);
    }
    free(d->v);
    free(d);
}

static void cancel(struct rt_op *op) {
    doctor_free((struct doctor *)op);
}

/* ---- what must be the same ---- */

static void compare(const struct doctor *d, struct visit *v) {
    const struct visit *head = &d->v[0];
    if (v->ray && head->ray && !rt_streq(v->ray, head->ray))
        rt_doctor_line(&v->lines, "bad", v->node->host, "its Ray is %s, the head's %s: they must be the same; `python: {ray: %s}` asks for it", v->ray, head->ray, head->ray);
    const char *minor = v->python ? strchr(v->python, '.') : NULL;
    const size_t n = minor ? (size_t)(minor - v->python) + 1 + strcspn(minor + 1, ".") : 0;
    if (n && head->python && (strncmp(v->python, head->python, n) != 0 || (head->python[n] && head->python[n] != '.')))
        rt_doctor_line(&v->lines, "bad", v->node->host, "its Python is %s, the head's %s: Ray wants the same minor version on all nodes", v->python, head->python);
}

static void check_clock(struct visit *v, const char *text) {
    int64_t there = 0;
    if (!rt_parse_i64(text, &there))
        return;
    const int64_t ahead = there - rt_wall_ms() / 1000;
    if (ahead > CLOCK_S || ahead < -CLOCK_S)
        rt_doctor_line(&v->lines, "warn", v->node->host, "its clock is %lld s %s: times of logs and events will not fit together; does it run NTP?",
             (long long)(ahead < 0 ? -ahead : ahead), ahead < 0 ? "behind" : "ahead");
}

/* ---- the visits ---- */

static void finish(struct doctor *d) {
    void (*done)(void *, const char *, const struct rt_error *) = d->done;
    void *ctx = d->ctx;
    struct rt_buf all;
    rt_buf_init(&all, RT_MIB);
    for (size_t i = 0; i < d->n; i++) {
        if (i)
            compare(d, &d->v[i]);
        rt_buf_add(&all, d->v[i].lines.data, d->v[i].lines.len);
    }
    doctor_free(d);
    done(ctx, rt_buf_str(&all), NULL);
    rt_buf_deinit(&all);
}

static void take_line(struct visit *v, const char *text, size_t n) {
    char *copy = rt_strndup(text, n);
    if (!rt_starts(copy, "is\t"))
        rt_buf_addf(&v->lines, "%s\n", copy);
    else if (rt_starts(copy, "is\tclock\t"))
        check_clock(v, copy + 9);
    else if (rt_starts(copy, "is\tray\t"))
        v->ray = rt_strdup(copy + 7);
    else if (rt_starts(copy, "is\tpython\t"))
        v->python = rt_strdup(copy + 10);
    free(copy);
}

static void visit(struct visit *v);

static void told(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct visit *v = ctx;
    struct doctor *d = v->doctor;
    v->op = NULL;
    if (err && !v->again && !v->node->task && v->node != d->provider->nodes[0] && ssh_node_may_go_through_head(v->node, err)) {
        v->again = v->node->through_head = true;
        v->direct = *err;
        ssh_node_drop_hop(v->node);
        visit(v);
        return;
    }
    if (err) {
        const struct rt_error *why = v->again ? &v->direct : err; /* the nearer reason */
        if (v->again)
            v->node->through_head = false;
        rt_doctor_line(&v->lines, "bad", v->node->host, "cannot be reached: %s%s%s", why->message, *why->hint ? " - " : "", why->hint);
    } else {
        for (const char *at = r->out; *at;) {
            const size_t n = strcspn(at, "\n");
            take_line(v, at, n);
            at += n + (at[n] == '\n');
        }
        struct rt_error e = {0};
        if (r->status != 0) {
            far_complaint(r, &e);
            rt_doctor_line(&v->lines, "bad", v->node->host, "%s", e.message);
        } else if (v->node->through_head) {
            rt_doctor_line(&v->lines, "ok", v->node->host, "reached through the head");
        }
    }
    if (--d->left == 0)
        finish(d);
}

static void visit(struct visit *v) {
    const struct rt_provider *p = v->doctor->provider;
    const struct far_conf *far = &p->own->far;
    struct rt_buf b;
    rt_buf_init(&b, RT_MIB);
    far_doctor(far, p->conf->name, v->node->host, v->node == p->nodes[0], far->python.requirements != NULL, &b);
    const struct rt_exec_opts o = {.script = rt_buf_str(&b), .login_shell = far_login_shell(far), .timeout_ms = LOOK_MS};
    v->op = far_exec_patiently(p->env.loop, ssh_node_hop(v->node), &o, told, v);
    rt_buf_deinit(&b);
}

static bool has_host(const struct doctor *d, const char *host) {
    for (size_t i = 0; i < d->n; i++)
        if (rt_streq(d->v[i].node->host, host))
            return true;
    return false;
}

struct rt_op *ssh_doctor(struct rt_provider *p, void (*done)(void *ctx, const char *lines, const struct rt_error *err), void *ctx) {
    struct doctor *d = RT_NEW(struct doctor);
    d->op.cancel = cancel;
    d->provider = p;
    d->done = done;
    d->ctx = ctx;
    d->v = rt_alloc(p->nnodes * sizeof *d->v);
    for (size_t i = 0; i < p->nnodes; i++) {
        if (has_host(d, p->nodes[i]->host))
            continue;
        d->v[d->n] = (struct visit){.doctor = d, .node = p->nodes[i]};
        rt_buf_init(&d->v[d->n++].lines, RT_MIB);
    }
    d->left = d->n;
    for (size_t i = 0; i < d->n; i++)
        visit(&d->v[i]);
    return &d->op;
}
