/* The proxy child of a context: found, started, watched, started again. */
#include "net/kube_private.h"

#include "base/fs.h"
#include "base/log.h"
#include "net/proc.h"

#include <stdio.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>

enum {
    START_MS = 20000,  /* until it serves: an exec plugin is not asked before the first request */
    BACK_OFF_MS = 500, /* doubled up to the next */
    BACK_OFF_MOST_MS = 15000,
    STEADY_MS = 60000, /* who has served so long begins with the shortest wait again */
    WORDS_MAX = 8 * 1024
};

static const char serves[] = "Starting to serve on";

/* ---- words ---- */

void rt_kube_keep(struct rt_buf *b, const char *data, size_t n) {
    const size_t keep = RT_MIN(n, (size_t)WORDS_MAX / 2);
    if (b->len + keep > WORDS_MAX)
        rt_buf_drop(b, RT_MIN(b->len, (size_t)WORDS_MAX / 2));
    rt_buf_add(b, data + (n - keep), keep);
}

/* Warnings, and klog's lines (I1121 …), are noise beside an "error: …". */
static bool is_noise(const char *line, size_t n) {
    if (n >= 8 && strncasecmp(line, "warning:", 8) == 0)
        return true;
    return n > 5 && strchr("IWE", line[0]) && strspn(line + 1, "0123456789") == 4;
}

void rt_kube_last_line(const char *text, char *out, size_t size) {
    const char *best = "", *noise = "";
    size_t best_len = 0, noise_len = 0;
    while (*text) {
        const size_t n = strcspn(text, "\r\n");
        if (n && is_noise(text, n)) {
            noise = text;
            noise_len = n;
        } else if (n) {
            best = text;
            best_len = n;
        }
        text += n + strspn(text + n, "\r\n");
    }
    char *line = best_len ? rt_strndup(best, best_len) : rt_strndup(noise, noise_len);
    rt_clean_to(out, size, rt_starts(line, "error: ") ? line + 7 : line);
    free(line);
}

/* Does it make sense to start it again by itself? */
static bool is_final(const char *words) {
    static const char *const ends[] = {"unknown flag", "unknown shorthand flag", "unknown command", "does not exist", "no context",
                                       "error loading config", "invalid configuration", "context was not found"};
    for (size_t i = 0; i < RT_COUNT(ends); i++)
        if (rt_contains_i(words, ends[i]))
            return true;
    return false;
}

static void explain_end(const struct rt_kube *k, struct rt_error *err) {
    const char *words = rt_buf_str(&k->words);
    char line[300];
    rt_kube_last_line(words, line, sizeof line);
    if (rt_contains_i(words, "unknown flag") || rt_contains_i(words, "unknown command")) {
        rt_error_set(err, RT_E_UNSUPPORTED, "%s is too old: %s", k->program, line);
        rt_error_hint(err, "`%s version --client` shows its version; 1.24 and newer are known to work", k->program);
    } else if (is_final(words)) {
        rt_error_set(err, RT_E_CONFIG, "%s: %s", k->program, *line ? line : "ended without a word");
        rt_error_hint(err, "`%s config get-contexts` lists the contexts", k->program);
    } else {
        rt_error_set(err, RT_E_UNREACHABLE, "%s proxy: %s", k->program, *line ? line : "ended without a word");
    }
}

/* ---- waiting for it ---- */

/* Those that wait now: who asks again in its callback waits for the next time. */
static void settle(struct rt_kube *k, const struct rt_error *err) {
    const struct rt_error copy = err ? *err : (struct rt_error){0};
    k->refs++;
    for (size_t n = k->waits.n; n && k->waits.n; n--) {
        struct rt_kube_wait *w = k->waits.v[0];
        rt_vec_remove(&k->waits, 0);
        w->go(w, err ? &copy : NULL);
    }
    rt_kube_put(k);
}

void rt_kube_unwait(struct rt_kube *k, struct rt_kube_wait *w) {
    for (size_t i = 0; i < k->waits.n; i++)
        if (k->waits.v[i] == w) {
            rt_vec_remove(&k->waits, i);
            return;
        }
}

void rt_kube_note(struct rt_kube *k, const struct rt_error *err) {
    if (k->status.state == RT_KUBE_UP)
        k->status.error = err ? *err : (struct rt_error){0};
}

/* ---- the child ---- */

static void start(struct rt_kube *k);

static void on_retry(void *ctx) {
    start(ctx);
}

static void arm(struct rt_kube *k, int64_t ms, rt_loop_fn *fn) {
    rt_timer_stop(k->timer);
    k->timer = rt_timer_start(k->kubes->loop, ms, 0, fn, k);
}

/* `err` is kept; who waits is told. */
static void down(struct rt_kube *k, const struct rt_error *err, bool final) {
    const bool steady = k->status.state == RT_KUBE_UP && rt_loop_now_ms(k->kubes->loop) - k->up_ms > STEADY_MS;
    k->status.error = *err;
    k->status.attempt = steady ? 1 : k->status.attempt + 1;
    k->status.state = final ? RT_KUBE_FAILED : RT_KUBE_RETRYING;
    k->failed_ms = rt_loop_now_ms(k->kubes->loop);
    rt_log(RT_LOG_WARN, "%s", err->message);
    rt_http_forget_pool(k->kubes->http, k->pool);
    rt_timer_stop(k->timer);
    k->timer = NULL;
    if (!final) {
        int64_t wait = BACK_OFF_MS;
        for (int i = 1; i < k->status.attempt && wait < BACK_OFF_MOST_MS; i++)
            wait *= 2;
        wait = RT_MIN(wait, BACK_OFF_MOST_MS);
        k->status.retry_at_ms = rt_loop_now_ms(k->kubes->loop) + wait;
        arm(k, wait, on_retry);
    }
    settle(k, err);
}

static void child_drop(struct rt_kube *k) {
    if (k->proc)
        rt_kube_child_forget(k->pid);
    rt_proc_destroy(k->proc);
    k->proc = NULL;
}

static void on_late(void *ctx) {
    struct rt_kube *k = ctx;
    struct rt_error err;
    k->timer = NULL;
    child_drop(k);
    rt_error_set(&err, RT_E_TIMEOUT, "%s proxy did not begin to serve in %d s", k->program, START_MS / 1000);
    down(k, &err, false);
}

static void on_exit_(void *ctx, const struct rt_proc_exit *e) {
    struct rt_kube *k = ctx;
    struct rt_error err;
    (void)e;
    rt_kube_child_forget(k->pid);
    k->proc = NULL;
    explain_end(k, &err);
    down(k, &err, k->status.state == RT_KUBE_STARTING && is_final(rt_buf_str(&k->words)));
}

static void up(struct rt_kube *k) {
    k->status.state = RT_KUBE_UP;
    k->status.error = (struct rt_error){0};
    k->up_ms = rt_loop_now_ms(k->kubes->loop);
    rt_timer_stop(k->timer);
    k->timer = NULL;
    settle(k, NULL);
}

static void on_output(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    struct rt_kube *k = ctx;
    if (stream == RT_STDERR) {
        rt_kube_keep(&k->words, data, n);
        k->words_ms = rt_loop_now_ms(k->kubes->loop);
        return;
    }
    if (k->status.state != RT_KUBE_STARTING)
        return;
    rt_kube_keep(&k->out, data, n);
    if (strstr(rt_buf_str(&k->out), serves))
        up(k);
}

static bool find_program(struct rt_kube *k, struct rt_error *err) {
    static const char *const names[] = {"kubectl", "oc"};
    for (size_t i = 0; i < RT_COUNT(names); i++) {
        char *path = rt_which(names[i]);
        free(path);
        if (path) {
            free(k->program);
            k->program = rt_strdup(names[i]);
            return true;
        }
    }
    rt_error_set(err, RT_E_NOT_FOUND, "neither kubectl nor oc is in PATH");
    return rt_error_hint(err, "install kubectl: https://kubernetes.io/docs/tasks/tools/");
}

void rt_kube_argv(const struct rt_kube *k, struct rt_strs *out) {
    rt_strs_add(out, k->program ? k->program : "kubectl");
    if (k->kubeconfig) {
        rt_strs_add(out, "--kubeconfig");
        rt_strs_add(out, k->kubeconfig);
    }
    if (k->context) {
        rt_strs_add(out, "--context");
        rt_strs_add(out, k->context);
    }
}

static bool make_place(const struct rt_kube *k, struct rt_error *err) {
    const bool made = rt_mkdir_runtime(err);
    if (!k->kubes->swept)
        rt_kube_sweep();
    k->kubes->swept = true;
    if (made && strlen(k->socket) + 1 > sizeof((struct sockaddr_un *)NULL)->sun_path)
        return rt_error_set(err, RT_E_LIMIT, "%s is too long for a socket: set XDG_RUNTIME_DIR", k->socket);
    if (made)
        unlink(k->socket);
    return made;
}

static void start(struct rt_kube *k) {
    struct rt_error err = {0};
    struct rt_strs argv = {0};
    rt_buf_clear(&k->out);
    rt_buf_clear(&k->words);
    k->status.state = RT_KUBE_STARTING;
    if (find_program(k, &err) && make_place(k, &err)) {
        rt_kube_argv(k, &argv);
        rt_strs_add(&argv, "proxy");
        rt_strs_addf(&argv, "--unix-socket=%s", k->socket);
        const struct rt_proc_opts o = {.argv = (const char *const *)argv.v, .own_session = true, .output = on_output};
        k->proc = rt_proc_start(k->kubes->loop, &o, on_exit_, k, &err);
        rt_strs_deinit(&argv);
    }
    if (!k->proc) {
        down(k, &err, true);
        return;
    }
    k->pid = rt_proc_pid(k->proc);
    rt_kube_child_note(k->pid);
    arm(k, START_MS, on_late);
}

static void on_begin(void *ctx) {
    struct rt_kube *k = ctx;
    rt_timer_stop(k->timer);
    k->timer = NULL;
    start(k);
}

static void tell_waiting(void *ctx) {
    struct rt_kube *k = ctx;
    rt_timer_stop(k->timer);
    k->timer = NULL;
    settle(k, k->status.state == RT_KUBE_FAILED ? &k->status.error : NULL);
}

void rt_kube_await(struct rt_kube *k, struct rt_kube_wait *w) {
    *rt_vec_push(&k->waits) = w;
    switch (k->status.state) {
    case RT_KUBE_IDLE:
        k->status.state = RT_KUBE_STARTING;
        arm(k, 0, on_begin);
        break;
    case RT_KUBE_FAILED: /* kubectl may be there by now, or the context */
        if (rt_loop_now_ms(k->kubes->loop) - k->failed_ms >= BACK_OFF_MOST_MS) {
            k->status.state = RT_KUBE_STARTING;
            arm(k, 0, on_begin);
            break;
        }
        /* fall through */
    case RT_KUBE_UP:
        if (!k->timer)
            arm(k, 0, tell_waiting);
        break;
    case RT_KUBE_STARTING:
    case RT_KUBE_RETRYING:
        break;
    }
}

/* ---- contexts ---- */

struct rt_kubes *rt_kubes_create(struct rt_loop *l, struct rt_http *http) {
    struct rt_kubes *k = RT_NEW(struct rt_kubes);
    k->loop = l;
    k->http = http;
    return k;
}

void rt_kubes_destroy(struct rt_kubes *k) {
    if (!k)
        return;
    rt_vec_deinit(&k->all);
    rt_vec_deinit(&k->turns);
    char *dir = rt_path(RT_DIR_RUNTIME, NULL);
    rmdir(dir); /* unless somebody else has something in it */
    free(dir);
    free(k);
}

struct rt_kube *rt_kube_get(struct rt_kubes *all, const char *kubeconfig, const char *context) {
    for (size_t i = 0; i < all->all.n; i++) {
        struct rt_kube *k = all->all.v[i];
        if (rt_streq(k->kubeconfig, kubeconfig) && rt_streq(k->context, context)) {
            k->refs++;
            return k;
        }
    }
    struct rt_kube *k = RT_NEW(struct rt_kube);
    char *name = rt_strf("kube-%u.sock", ++all->sockets);
    k->kubes = all;
    k->refs = 1;
    k->kubeconfig = rt_strdup(kubeconfig);
    k->context = rt_strdup(context);
    k->socket = rt_path(RT_DIR_RUNTIME, name);
    k->pool = rt_strf("kube %s", k->socket);
    rt_buf_init(&k->out, 2 * (size_t)WORDS_MAX);
    rt_buf_init(&k->words, 2 * (size_t)WORDS_MAX);
    *rt_vec_push(&all->all) = k;
    free(name);
    return k;
}

void rt_kube_put(struct rt_kube *k) {
    if (!k || --k->refs)
        return;
    struct rt_kubes *all = k->kubes;
    for (size_t i = 0; i < all->all.n; i++)
        if (all->all.v[i] == k) {
            rt_vec_remove(&all->all, i);
            break;
        }
    rt_timer_stop(k->timer);
    rt_http_forget_pool(all->http, k->pool);
    child_drop(k);
    unlink(k->socket);
    rt_buf_deinit(&k->out);
    rt_buf_deinit(&k->words);
    rt_vec_deinit(&k->waits);
    rt_vec_deinit(&k->listers);
    free(k->kubeconfig);
    free(k->context);
    free(k->program);
    free(k->socket);
    free(k->pool);
    free(k);
}

bool rt_kube_target(const char *text, char **context, char **space, char **name) {
    static const char scheme[] = "kube://";
    *context = *space = *name = NULL;
    if (!rt_starts(text, scheme))
        return false;
    const char *rest = text + sizeof scheme - 1, *last = strrchr(rest, '/');
    if (!last) {
        *context = *rest ? rt_strdup(rest) : NULL;
        return true;
    }
    const char *before = last;
    while (before > rest && before[-1] != '/')
        before--;
    if (before == rest) { /* one slash: CONTEXT/NAMESPACE */
        *context = last > rest ? rt_strndup(rest, (size_t)(last - rest)) : NULL;
        *space = last[1] ? rt_strdup(last + 1) : NULL;
        return true;
    }
    *context = before - 1 > rest ? rt_strndup(rest, (size_t)(before - 1 - rest)) : NULL;
    *space = last > before ? rt_strndup(before, (size_t)(last - before)) : NULL;
    *name = last[1] ? rt_strdup(last + 1) : NULL;
    return *space && *name;
}

/* ---- the namespace of the context ---- */

struct space {
    struct rt_op op;
    struct rt_kube *kube;
    struct rt_op *run;
    rt_kube_space_fn *fn;
    void *ctx;
};

static void space_cancel(struct rt_op *op) {
    struct space *s = (struct space *)op;
    rt_op_cancel(s->run);
    free(s);
}

static void on_space(void *ctx, const struct rt_run_result *r, const struct rt_error *run_err) {
    struct space *s = ctx;
    rt_kube_space_fn *fn = s->fn;
    void *fn_ctx = s->ctx;
    const char *program = s->kube->program ? s->kube->program : "kubectl";
    struct rt_error err = run_err ? *run_err : (struct rt_error){0};
    char line[300] = "";
    if (!run_err && r->exit.status != 0) {
        rt_kube_last_line(r->err_text, line, sizeof line);
        rt_error_set(&err, RT_E_CONFIG, "%s: %s", program, *line ? line : "config view failed");
        rt_error_hint(&err, "`%s config get-contexts` lists the contexts", program);
    } else if (!run_err) {
        rt_kube_last_line(r->out, line, sizeof line);
    }
    free(s);
    fn(fn_ctx, err.code ? NULL : *line ? line : "default", err.code ? &err : NULL);
}

struct rt_op *rt_kube_space(struct rt_kube *k, rt_kube_space_fn *fn, void *ctx) {
    struct space *s = RT_NEW(struct space);
    struct rt_strs argv = {0};
    struct rt_error ignored;
    s->op.cancel = space_cancel;
    s->kube = k;
    s->fn = fn;
    s->ctx = ctx;
    find_program(k, &ignored);
    rt_kube_argv(k, &argv);
    rt_strs_add(&argv, "config");
    rt_strs_add(&argv, "view");
    rt_strs_add(&argv, "--minify");
    rt_strs_add(&argv, "-o");
    rt_strs_add(&argv, "jsonpath={.contexts[0].context.namespace}");
    const struct rt_proc_opts o = {.argv = (const char *const *)argv.v, .timeout_ms = START_MS};
    s->run = rt_run(k->kubes->loop, &o, WORDS_MAX, on_space, s);
    rt_strs_deinit(&argv);
    return &s->op;
}

const struct rt_kube_status *rt_kube_status(const struct rt_kube *k) {
    return &k->status;
}

const char *rt_kube_socket(const struct rt_kube *k) {
    return k->socket;
}
