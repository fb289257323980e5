/* Commands through a hop: the script goes to a shell's stdin, between marker lines that cut off
 * what login scripts print; `timeout` ends it on the far side, because a command outlives its
 * channel. */
#include "net/hop_private.h"

#include "base/mem.h"
#include "base/str.h"

#include <openssl/rand.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    DEFAULT_TIMEOUT_MS = 30000,
    GRACE_MS = 7000, /* the far `timeout` ends it first, then kills it after 5 s */
    DEFAULT_MAX = 4 * 1024 * 1024,
    NOISE_MAX = 64 * 1024,
    MARK_LEN = 24,
    TIMED_OUT = 124, /* what timeout(1) says */
    KILLED = 137,
    NOT_SEEN = -2
};

/* One of the two outputs: noise, the marker line, what we want, the end marker, noise. */
struct output {
    enum { BEFORE, INSIDE, AFTER } at;
    struct rt_buf kept; /* what we want */
    struct rt_buf tail; /* noise, or what may be the beginning of the end marker */
};

struct exec {
    struct rt_op op;
    struct rt_hop_wait wait;
    struct rt_op *running;
    struct rt_timer *limit;
    bool counted; /* among the hop's running commands */
    char mark[MARK_LEN + 1];
    char *input;
    size_t max;
    int64_t timeout_ms;
    rt_proc_output_fn *output;
    void *output_ctx;
    struct output out[2];
    int status; /* as the end marker says, or NOT_SEEN */
    int64_t started_ms;
    bool too_much;
    bool *gone;
    rt_exec_fn *fn;
    void *ctx;
};

static void exec_free(struct exec *x) {
    struct rt_hop *h = x->wait.hop;
    bool counted = x->counted;
    if (x->gone)
        *x->gone = true;
    rt_op_drop(&x->running);
    rt_hop_unwait(&x->wait);
    rt_timer_stop(x->limit);
    for (int i = 0; i < 2; i++) {
        rt_buf_deinit(&x->out[i].kept);
        rt_buf_deinit(&x->out[i].tail);
    }
    free(x->input);
    free(x);
    if (counted)
        rt_hop_exec_done(h);
}

static void exec_cancel(struct rt_op *op) {
    exec_free((struct exec *)op);
}

static void finish(struct exec *x, const struct rt_error *err) {
    struct rt_error e = err ? *err : (struct rt_error){0};
    struct rt_buf out = x->out[0].kept, err_text = x->out[1].kept;
    struct rt_exec_result r = {.status = x->status,
                               .out = rt_buf_str(&out),
                               .out_len = out.len,
                               .err_text = rt_buf_str(&err_text),
                               .err_len = err_text.len};
    rt_exec_fn *fn = x->fn;
    void *ctx = x->ctx;
    memset(&x->out[0].kept, 0, sizeof x->out[0].kept);
    memset(&x->out[1].kept, 0, sizeof x->out[1].kept);
    exec_free(x);
    fn(ctx, err ? NULL : &r, err ? &e : NULL);
    rt_buf_deinit(&out);
    rt_buf_deinit(&err_text);
}

/* ---- output ---- */

static bool keep(struct exec *x, int i, const char *data, size_t n) {
    struct output *o = &x->out[i];
    bool gone = false;
    if (n == 0)
        return true;
    if (o->kept.len + n > x->max) {
        x->too_much = true;
        return true;
    }
    rt_buf_add(&o->kept, data, n);
    if (!x->output)
        return true;
    x->gone = &gone;
    x->output(x->output_ctx, i == 0 ? RT_STDOUT : RT_STDERR, data, n);
    if (!gone)
        x->gone = NULL;
    return !gone;
}

/* A NUL in the output must not hide the marker from us. */
static char *find(const struct rt_buf *b, const char *mark) {
    char *p = b->data, *end = b->data + b->len;
    while (p && (size_t)(end - p) >= MARK_LEN) {
        if (memcmp(p, mark, MARK_LEN) == 0)
            return p;
        p = memchr(p + 1, mark[0], (size_t)(end - p) - 1);
    }
    return NULL;
}

/* The noise ends with the line that is the marker. */
static void skip_noise(const struct exec *x, struct output *o) {
    char *mark = o->tail.len ? find(&o->tail, x->mark) : NULL;
    if (mark && memchr(mark, '\n', o->tail.len - (size_t)(mark - o->tail.data))) {
        rt_buf_drop(&o->tail, (size_t)(mark + MARK_LEN + 1 - o->tail.data));
        o->at = INSIDE;
    } else if (!mark && o->tail.len > NOISE_MAX) {
        rt_buf_drop(&o->tail, o->tail.len - NOISE_MAX / 2);
    }
}

/* Everything up to the end marker; what might be its beginning is held back. False when x is gone.
 */
static bool take_inside(struct exec *x, int i) {
    struct output *o = &x->out[i];
    char *mark = o->tail.len ? find(&o->tail, x->mark) : NULL;
    size_t n = mark                     ? (size_t)(mark - o->tail.data)
               : o->tail.len > MARK_LEN ? o->tail.len - MARK_LEN
                                        : 0;
    if (mark && !memchr(mark, '\n', o->tail.len - n))
        return true; /* the status is still on its way */
    int status;
    if (mark && i == 0 && sscanf(mark + MARK_LEN, " %d", &status) == 1)
        x->status = status;
    char *data = rt_alloc(n + 1); /* a copy: its reader may end us */
    if (n > 0)
        memcpy(data, o->tail.data, n);
    if (mark) {
        o->at = AFTER;
        rt_buf_clear(&o->tail);
    } else {
        rt_buf_drop(&o->tail, n);
    }
    bool here = keep(x, i, data, n);
    free(data);
    return here;
}

static void on_output(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    struct exec *x = ctx;
    int i = stream == RT_STDOUT ? 0 : 1;
    struct output *o = &x->out[i];
    if (o->at == AFTER)
        return;
    rt_buf_add(&o->tail, data, n);
    if (o->at == BEFORE)
        skip_noise(x, o);
    if (o->at == INSIDE && !take_inside(x, i))
        return;
    if (x->too_much) {
        struct rt_error err;
        rt_error_set(&err, RT_E_LIMIT, "%s: the command printed more than %zu bytes",
                     x->wait.hop->opts.target, x->max);
        finish(x, &err);
    }
}

/* ---- the end ---- */

static void last_words(const struct exec *x, char *out, size_t size) {
    const struct rt_buf *b = x->out[1].tail.len ? &x->out[1].tail : &x->out[0].tail;
    size_t n = b->len;
    while (n > 0 && (unsigned char)b->data[n - 1] <= ' ')
        n--;
    size_t from = n > 200 ? n - 200 : 0;
    char *text = n ? rt_strndup(b->data + from, n - from) : rt_strdup("");
    rt_clean_to(out, size, text);
    free(text);
}

static void timed_out(struct exec *x) {
    struct rt_error err;
    rt_error_set(&err, RT_E_TIMEOUT, "%s: the command did not end in %lld s",
                 x->wait.hop->opts.target, (long long)(x->timeout_ms / 1000));
    finish(x, &err);
}

static void on_command_end(void *ctx, int status, const struct rt_error *err) {
    struct exec *x = ctx;
    x->running = NULL;
    if (err) {
        finish(x, err);
        return;
    }
    if (x->out[0].at == BEFORE) {
        struct rt_error e;
        char words[240];
        last_words(x, words, sizeof words);
        rt_error_set(&e, RT_E_REMOTE, "%s gives no shell: %s", x->wait.hop->opts.target,
                     *words ? words : "no output");
        rt_error_hint(&e, "the account must be allowed to run commands: try `ssh %s true`",
                      x->wait.hop->opts.target);
        finish(x, &e);
        return;
    }
    for (int i = 0; i < 2; i++) { /* ended without its end marker: all that came belongs to it */
        struct output *o = &x->out[i];
        if (o->at == INSIDE)
            rt_buf_add(&o->kept, rt_buf_str(&o->tail), o->tail.len);
    }
    if (x->status == NOT_SEEN)
        x->status = status;
    bool for_time = (x->status == TIMED_OUT || x->status == KILLED) &&
                    rt_mono_ms() - x->started_ms >= x->timeout_ms;
    if (for_time)
        timed_out(x);
    else
        finish(x, NULL);
}

static void on_limit(void *ctx) {
    timed_out(ctx);
}

static void go(struct rt_hop_wait *w, const struct rt_error *err) {
    struct exec *x = (struct exec *)((char *)w - offsetof(struct exec, wait));
    struct rt_hop *h = w->hop;
    if (err) {
        finish(x, err);
        return;
    }
    struct rt_command cmd = {.line = "exec /bin/sh -s",
                             .input = x->input,
                             .input_len = strlen(x->input),
                             .output = on_output,
                             .end = on_command_end,
                             .ctx = x};
    x->counted = true;
    x->started_ms = rt_mono_ms();
    x->limit = rt_timer_start(h->loop, x->timeout_ms + GRACE_MS, 0, on_limit, x);
    x->running = h->way->ops->exec(h->way, &cmd);
}

/* The script runs in a shell of its own, so that its `exit` does not cost the end marker. */
static char *frame(const char *mark, const struct rt_exec_opts *o, int64_t timeout_ms) {
    return rt_strf(
        "if command -v timeout >/dev/null 2>&1; then set -- timeout -k 5 %lld; else set --; fi\n"
        "\"$@\" %s <<'%s'\n"
        "printf '%%s\\n' %s; printf '%%s\\n' %s >&2\n"
        "%s\n%s\n"
        "s=$?; printf '%%s %%d\\n' %s $s; printf '%%s\\n' %s >&2; exit $s\n",
        (long long)((timeout_ms + 999) / 1000), o->login_shell ? "bash -l -s" : "/bin/sh -s", mark,
        mark, mark, o->script, mark, mark, mark);
}

static void make_mark(char *mark) {
    unsigned char random[MARK_LEN / 2];
    if (RAND_bytes(random, sizeof random) != 1)
        memset(random, 7, sizeof random);
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(mark + 2 * i, 3, "%02x", random[i]);
    mark[0] = 'm'; /* a word, not a number */
}

struct rt_op *rt_hop_exec(struct rt_hop *h, const struct rt_exec_opts *o, rt_exec_fn *fn,
                          void *ctx) {
    struct exec *x = RT_NEW(struct exec);
    x->op.cancel = exec_cancel;
    x->wait.go = go;
    x->wait.is_exec = true;
    make_mark(x->mark);
    x->timeout_ms = o->timeout_ms ? o->timeout_ms : DEFAULT_TIMEOUT_MS;
    x->input = frame(x->mark, o, x->timeout_ms);
    x->max = o->max_output ? o->max_output : DEFAULT_MAX;
    x->output = o->output;
    x->output_ctx = o->output_ctx;
    x->status = NOT_SEEN;
    x->fn = fn;
    x->ctx = ctx;
    for (int i = 0; i < 2; i++) {
        rt_buf_init(&x->out[i].kept, x->max);
        rt_buf_init(&x->out[i].tail, 4 * RT_MIB);
    }
    rt_hop_await(h, &x->wait);
    return &x->op;
}
