/* Running a program for its output; finding one. See proc.h. */
#include "base/buf.h"
#include "base/fs.h"
#include "base/mem.h"
#include "net/proc.h"
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct run {
    struct rt_op op;
    struct rt_proc *proc;
    struct rt_op *deferred; /* when it did not start */
    struct rt_error error;
    struct rt_buf out, err_text;
    rt_run_fn *fn;
    void *ctx;
};

static void run_free(struct run *r) {
    rt_buf_deinit(&r->out);
    rt_buf_deinit(&r->err_text);
    free(r);
}

static void run_cancel(struct rt_op *op) {
    struct run *r = (struct run *)op;
    rt_op_drop(&r->deferred);
    rt_proc_destroy(r->proc);
    run_free(r);
}

static void run_output(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    struct run *r = ctx;
    struct rt_buf *b = stream == RT_STDOUT ? &r->out : &r->err_text;
    size_t room = b->max - b->len;
    rt_buf_add(b, data, RT_MIN(n, room));
}

static void run_exited(void *ctx, const struct rt_proc_exit *exit) {
    struct run *r = ctx;
    const struct rt_run_result result = {
        .exit = *exit,
        .out = rt_buf_str(&r->out),
        .out_len = r->out.len,
        .err_text = rt_buf_str(&r->err_text),
        .err_len = r->err_text.len,
    };
    r->fn(r->ctx, &result, NULL);
    run_free(r);
}

static void run_not_started(void *ctx) {
    struct run *r = ctx;
    r->fn(r->ctx, NULL, &r->error);
    run_free(r);
}

struct rt_op *rt_run(struct rt_loop *l, const struct rt_proc_opts *o, size_t max, rt_run_fn *fn,
                     void *ctx) {
    struct run *r = RT_NEW(struct run);
    r->op.cancel = run_cancel;
    r->fn = fn;
    r->ctx = ctx;
    rt_buf_init(&r->out, max);
    rt_buf_init(&r->err_text, max);
    struct rt_proc_opts own = *o;
    own.output = run_output;
    own.output_file = NULL;
    own.stay = false;
    r->proc = rt_proc_start(l, &own, run_exited, r, &r->error);
    if (!r->proc)
        r->deferred = rt_loop_defer(l, run_not_started, r);
    return &r->op;
}

static bool is_program(const char *path) {
    return rt_file_exists(path) && access(path, X_OK) == 0;
}

char *rt_which(const char *name) {
    if (!*name)
        return NULL;
    if (strchr(name, '/'))
        return is_program(name) ? rt_strdup(name) : NULL;
    const char *dir = getenv("PATH");
    while (dir && *dir) {
        size_t n = strcspn(dir, ":");
        char *path = rt_strf("%.*s/%s", n ? (int)n : 1, n ? dir : ".", name);
        if (is_program(path))
            return path;
        free(path);
        dir += n;
        dir += *dir == ':';
    }
    return NULL;
}
