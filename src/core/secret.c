/* Secrets: out of a file, an environment variable or a command, never in a message or a log. */
#include "base/fs.h"
#include "base/log.h"
#include "base/mem.h"
#include "core/config.h"
#include "net/proc.h"
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#define SECRET_MAX (64 * RT_KIB)
#define COMMAND_TIMEOUT_MS 10000

struct get {
    struct rt_op op;
    struct rt_op *inner; /* the deferred answer, or the command */
    rt_secret_fn *fn;
    void *ctx;
    char *command; /* its first word, for messages */
    struct rt_buf value;
    struct rt_error err;
};

bool rt_secret_set(const struct rt_secret_conf *s) {
    return s->value || s->file || s->env || s->command;
}

static void get_free(struct get *g) {
    if (g->value.data)
        memset(g->value.data, 0, g->value.len);
    rt_buf_deinit(&g->value);
    free(g->command);
    free(g);
}

static void get_cancel(struct rt_op *op) {
    struct get *g = (struct get *)(void *)op;
    rt_op_drop(&g->inner);
    get_free(g);
}

/* One line: the newline that editors and commands put behind it is not part of it. */
static void trim(struct rt_buf *value) {
    while (value->len &&
           (value->data[value->len - 1] == '\n' || value->data[value->len - 1] == '\r'))
        value->data[--value->len] = '\0';
}

static void answer(void *ctx) {
    struct get *g = ctx;
    g->inner = NULL;
    if (g->err.code == RT_OK) {
        trim(&g->value);
        if (!g->value.len)
            rt_error_set(&g->err, RT_E_CONFIG, "the secret is empty");
    }
    bool ok = g->err.code == RT_OK;
    if (ok)
        rt_log_secret(rt_buf_str(&g->value));
    g->fn(g->ctx, ok ? rt_buf_str(&g->value) : NULL, ok ? NULL : &g->err);
    get_free(g);
}

static void read_file(struct get *g, const char *file) {
    char *path = rt_path_expand(file);
    struct stat st;
    if (!rt_file_read(path, SECRET_MAX, &g->value, &g->err))
        rt_error_wrap(&g->err, "secret");
    else if (stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)))
        rt_log(RT_LOG_WARN, "%s can be read by others (mode %04o)", path,
               (unsigned)(st.st_mode & 07777));
    free(path);
}

static void read_env(struct get *g, const char *name) {
    const char *value = getenv(name);
    if (value)
        rt_buf_adds(&g->value, value);
    else
        rt_error_set(&g->err, RT_E_CONFIG, "the environment variable %s is not set", name);
}

/* What a command says on stderr is for people; its last line tells the most. */
static void command_failed(struct get *g, const struct rt_run_result *r) {
    char said[200];
    const char *text = r->err_text ? r->err_text : "";
    size_t n = r->err_len;
    while (n && (text[n - 1] == '\n' || text[n - 1] == '\r'))
        n--;
    size_t from = n;
    while (from && text[from - 1] != '\n')
        from--;
    char *line = rt_strndup(text + from, n - from);
    rt_clean_to(said, sizeof(said), line);
    free(line);
    if (r->exit.timed_out)
        rt_error_set(&g->err, RT_E_TIMEOUT, "%s: no answer within %d s", g->command,
                     COMMAND_TIMEOUT_MS / 1000);
    else if (r->exit.signal)
        rt_error_set(&g->err, RT_E_FAILED, "%s: ended by signal %d", g->command, r->exit.signal);
    else
        rt_error_set(&g->err, RT_E_FAILED, "%s: exit %d%s%s", g->command, r->exit.status,
                     *said ? ": " : "", said);
}

static void ran(void *ctx, const struct rt_run_result *r, const struct rt_error *err) {
    struct get *g = ctx;
    if (err)
        g->err = *err;
    else if (r->exit.status != 0 || r->exit.signal || r->exit.timed_out)
        command_failed(g, r);
    else
        rt_buf_add(&g->value, r->out, r->out_len);
    answer(g);
}

/* False with g->err set: the command is no command line. */
static bool run_command(struct rt_loop *l, struct get *g, const char *line) {
    struct rt_strs words = {0};
    bool ok = rt_split_words(line, &words, &g->err);
    if (ok && !words.n)
        ok = rt_error_set(&g->err, RT_E_CONFIG, "an empty command");
    if (ok) {
        struct rt_proc_opts o = {.argv = (const char *const *)words.v,
                                 .timeout_ms = COMMAND_TIMEOUT_MS};
        g->command = rt_strdup(words.v[0]);
        g->inner = rt_run(l, &o, SECRET_MAX, ran, g);
    }
    rt_strs_deinit(&words);
    return ok;
}

struct rt_op *rt_secret_get(struct rt_loop *l, const struct rt_secret_conf *s, rt_secret_fn *fn,
                            void *ctx) {
    struct get *g = RT_NEW(struct get);
    g->op.cancel = get_cancel;
    g->fn = fn;
    g->ctx = ctx;
    rt_buf_init(&g->value, SECRET_MAX);
    bool running = false;
    if (s->file)
        read_file(g, s->file);
    else if (s->env)
        read_env(g, s->env);
    else if (s->command)
        running = run_command(l, g, s->command);
    else if (s->value)
        rt_buf_adds(&g->value, s->value);
    else
        rt_error_set(&g->err, RT_E_CONFIG, "no secret is configured");
    if (!running)
        g->inner = rt_loop_defer(l, answer, g);
    return &g->op;
}
