/* What there is to attach to, without contacting anybody: the contexts of the kubeconfig. A look at a place that ends once
 * all of it was seen. */
#include "net/proc.h"
#include "providers/kuberay.h"
#include <stdio.h>

enum { TIMEOUT_MS = 10000, OUTPUT_MAX = 1024 * 1024 };

typedef void found_fn(void *ctx, const char *target, const char *text);

struct contexts {
    struct rt_op op;
    struct rt_op *run;
    found_fn *found;
    void (*done)(void *ctx);
    void *ctx;
};

static void contexts_cancel(struct rt_op *op) {
    struct contexts *c = (struct contexts *)op;
    rt_op_cancel(c->run);
    free(c);
}

/* "*  name  cluster  authinfo  namespace" a line. */
static void tell_contexts(const struct contexts *c, const char *text) {
    char current[256] = "", name[256];
    size_t others = 0;
    while (*text) {
        const size_t n = strcspn(text, "\n");
        char *line = rt_strndup(text, n);
        if (sscanf(line, "* %255s", name) == 1)
            snprintf(current, sizeof current, "%s", name);
        else if (sscanf(line, "%255s", name) == 1)
            others++;
        free(line);
        text += n + (text[n] == '\n');
    }
    if (!*current)
        return;
    char *target = rt_strf("kube://%s", current);
    char *words = others ? rt_strf("current context of the kubeconfig (+%zu others)", others) : rt_strdup("the context of the kubeconfig");
    c->found(c->ctx, target, words);
    free(words);
    free(target);
}

static void on_contexts(void *ctx, const struct rt_run_result *r, const struct rt_error *err) {
    struct contexts *c = ctx;
    c->run = NULL;
    if (!err && r->exit.status == 0)
        tell_contexts(c, r->out);
    void (*done)(void *) = c->done;
    void *done_ctx = c->ctx;
    free(c);
    done(done_ctx);
}

struct rt_op *kuberay_discover(const struct rt_provider_env *env, found_fn *found, void (*done)(void *ctx), void *ctx) {
    struct contexts *c = RT_NEW(struct contexts);
    char *kubectl = rt_which("kubectl");
    const char *const argv[] = {kubectl ? "kubectl" : "oc", "config", "get-contexts", "--no-headers", NULL};
    const struct rt_proc_opts o = {.argv = argv, .timeout_ms = TIMEOUT_MS};
    free(kubectl);
    c->op.cancel = contexts_cancel;
    c->found = found;
    c->done = done;
    c->ctx = ctx;
    c->run = rt_run(env->loop, &o, OUTPUT_MAX, on_contexts, c);
    return &c->op;
}

/* ---- a place, once ---- */

struct once {
    struct rt_op op;
    struct rt_op *watch;
    found_fn *found;
    void (*done)(void *ctx, const struct rt_error *err);
    void *ctx;
};

static void once_cancel(struct rt_op *op) {
    struct once *o = (struct once *)op;
    rt_op_cancel(o->watch);
    free(o);
}

static void on_seen(void *ctx, const struct rt_seen *all, size_t n, bool whole, const struct rt_error *err) {
    struct once *o = ctx;
    if (!whole)
        return;
    const struct rt_error e = err ? *err : (struct rt_error){0};
    void (*done)(void *, const struct rt_error *) = o->done;
    void *done_ctx = o->ctx;
    for (size_t i = 0; i < n; i++)
        o->found(o->ctx, all[i].target, all[i].text);
    rt_op_cancel(&o->op);
    done(done_ctx, e.code ? &e : NULL);
}

struct rt_op *kuberay_discover_at(const struct rt_provider_env *env, const char *where, found_fn *found,
                                  void (*done)(void *ctx, const struct rt_error *err), void *ctx) {
    struct once *o = RT_NEW(struct once);
    o->op.cancel = once_cancel;
    o->found = found;
    o->done = done;
    o->ctx = ctx;
    o->watch = kuberay_watch_at(env, where, on_seen, o);
    if (o->watch)
        return &o->op;
    free(o);
    return NULL;
}
