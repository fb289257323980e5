/* doctor: what is on this machine, what is missing and what would not work without it. */
#include "app/session.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/vec.h"
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static void line(struct rt_buf *out, const char *mark, const char *name, const char *fmt, ...) RT_PRINTF(4, 5);

static void line(struct rt_buf *out, const char *mark, const char *name, const char *fmt, ...) {
    va_list ap;
    rt_buf_addf(out, "%-5s %-14s ", mark, name);
    va_start(ap, fmt);
    rt_buf_addv(out, fmt, ap);
    va_end(ap);
    rt_buf_addc(out, '\n');
}

static void program(struct rt_buf *out, const char *name, const char *without) {
    char *path = rt_which(name);
    if (path)
        line(out, "ok", name, "%s", path);
    else
        line(out, "warn", name, "not found: %s", without);
    free(path);
}

static void terminal(struct rt_buf *out) {
    const char *term = getenv("TERM"), *depth = getenv("COLORTERM"), *set = nl_langinfo(CODESET);
    const bool usable = term && *term && !rt_streq(term, "dumb");
    line(out, usable ? "ok" : "warn", "terminal", "TERM=%s COLORTERM=%s%s", term ? term : "", depth ? depth : "",
         usable ? "" : " - the screen needs a terminal; verbs work without");
    const bool utf8 = rt_streq(set, "UTF-8");
    line(out, utf8 ? "ok" : "warn", "locale", "%s%s", set, utf8 ? "" : " - plain characters are drawn; set LC_ALL to a UTF-8 locale");
}

static void agent(struct rt_buf *out) {
    const char *path = getenv("SSH_AUTH_SOCK");
    struct stat st;
    if (path && *path && stat(path, &st) == 0)
        line(out, "ok", "ssh agent", "%s", path);
    else
        line(out, "warn", "ssh agent", "none: keys with a passphrase will be asked for");
}

static void place(struct rt_buf *out, const char *name, enum rt_place which) {
    char *path = rt_path(which, NULL);
    struct rt_error err = {0};
    if (which == RT_DIR_CONFIG || rt_mkdirs(path, &err))
        line(out, "ok", name, "%s", path);
    else
        line(out, "bad", name, "%s", err.message);
    free(path);
}

static void configuration(const struct rt_app *a, struct rt_buf *out) {
    const struct rt_config *c = a->config;
    if (!rt_file_exists(c->path))
        line(out, "ok", "config", "%s (none yet: everything has a default)", c->path);
    else
        line(out, c->nproblems ? "bad" : "ok", "config", "%s: %zu cluster%s, %zu problem%s%s", c->path, c->nclusters, rt_plural((int64_t)c->nclusters), c->nproblems,
             rt_plural((int64_t)c->nproblems),
             c->nproblems ? " - `raytui check` lists them" : "");
}

static void http(struct rt_buf *out) {
    struct rt_error err = {0};
    const char *library = rt_http_library(&err);
    line(out, library ? "ok" : "bad", "http", "%s%s%s", library ? library : err.message, library ? "" : " - ", err.hint);
}

void rt_app_doctor(struct rt_app *a, struct rt_buf *out) {
    terminal(out);
    configuration(a, out);
    place(out, "state", RT_DIR_STATE);
    place(out, "cache", RT_DIR_CACHE);
    if (rt_log_path())
        line(out, "ok", "log", "%s (RAYTUI_LOG=debug for more)", rt_log_path());
    http(out);
    agent(out);
    program(out, "ssh", "~/.ssh/config is not read and no shell can be opened");
    program(out, "python3", "`raytui local` cannot make a Ray of its own");
    program(out, "ray", "not needed to watch; `raytui local` makes its own");
    struct rt_buf names;
    rt_buf_init(&names, RT_KIB);
    for (size_t i = 0; rt_providers[i]; i++)
        rt_buf_addf(&names, "%s%s", i ? " " : "", rt_providers[i]->name);
    line(out, "ok", "providers", "%s", rt_buf_str(&names));
    rt_buf_deinit(&names);
}

/* ---- the far side ---- */

struct doctor_look {
    struct rt_op op;
    struct rt_op *look, *soon;
    struct rt_error error; /* of the start, or why it ended early */
    struct session *session; /* whose list it is in; NULL */
    struct doctor_look *next;
    rt_doctor_fn *fn;
    void *ctx;
};

static void unlist(struct doctor_look *f) {
    struct doctor_look **at = f->session ? &f->session->doctors : NULL;
    while (at && *at != f)
        at = &(*at)->next;
    if (at)
        *at = f->next;
    f->session = NULL;
}

static void far_cancel(struct rt_op *op) {
    struct doctor_look *f = (struct doctor_look *)op;
    unlist(f);
    rt_op_drop(&f->look);
    rt_op_drop(&f->soon);
    free(f);
}

static void far_end(struct doctor_look *f, const char *lines, const struct rt_error *err) {
    rt_doctor_fn *fn = f->fn;
    void *ctx = f->ctx;
    const struct rt_error copy = err ? *err : (struct rt_error){0};
    unlist(f);
    free(f);
    fn(ctx, lines, err ? &copy : NULL);
}

static void far_at_once(void *ctx) {
    struct doctor_look *f = ctx;
    f->soon = NULL;
    far_end(f, f->error.code ? NULL : "", f->error.code ? &f->error : NULL);
}

/* "MARK\tNAME\ttext" as a line of ours; what is none is left out. */
static void far_line(const char *text, size_t n, struct rt_buf *out) {
    static const char *const marks[] = {"ok", "warn", "bad"};
    const char *name = memchr(text, '\t', n), *rest = name ? memchr(name + 1, '\t', n - (size_t)(name + 1 - text)) : NULL;
    for (size_t i = 0; rest && i < RT_COUNT(marks); i++) {
        if ((size_t)(name - text) != strlen(marks[i]) || strncmp(text, marks[i], strlen(marks[i])) != 0)
            continue;
        char *raw = rt_strndup(name + 1, (size_t)(rest - name - 1)), clean[80];
        struct rt_buf words;
        rt_buf_init(&words, 4096);
        rt_clean(&words, rest + 1, RT_MIN(n - (size_t)(rest + 1 - text), 800));
        line(out, marks[i], rt_clean_to(clean, sizeof clean, raw), "%s", rt_buf_str(&words));
        rt_buf_deinit(&words);
        free(raw);
    }
}

static void far_told(void *ctx, const char *lines, const struct rt_error *err) {
    struct doctor_look *f = ctx;
    struct rt_buf out;
    f->look = NULL;
    if (err) {
        far_end(f, NULL, err);
        return;
    }
    rt_buf_init(&out, RT_MIB);
    while (*lines) {
        const size_t n = strcspn(lines, "\n");
        far_line(lines, n, &out);
        lines += n + (lines[n] == '\n');
    }
    char *text = rt_buf_take(&out);
    far_end(f, text, NULL);
    free(text);
}

struct rt_op *rt_app_doctor_far(struct rt_app *a, const char *cluster, rt_doctor_fn *fn, void *ctx) {
    struct doctor_look *f = RT_NEW(struct doctor_look);
    f->op.cancel = far_cancel;
    f->fn = fn;
    f->ctx = ctx;
    struct session *s = session_get(a, cluster, &f->error);
    if (s && !s->attached)
        session_attach(s, true);
    if (s && s->conf->ops->doctor) {
        f->session = s;
        f->next = s->doctors;
        s->doctors = f;
        f->look = s->conf->ops->doctor(s->provider, far_told, f);
    } else {
        f->soon = rt_loop_defer(a->loop, far_at_once, f);
    }
    return &f->op;
}

void doctors_drop(struct session *s) {
    while (s->doctors) {
        struct doctor_look *f = s->doctors;
        unlist(f);
        rt_op_drop(&f->look);
        rt_error_set(&f->error, RT_E_NOT_FOUND, "%s was taken off the list", s->conf->name);
        f->soon = rt_loop_defer(s->app->loop, far_at_once, f);
    }
}
