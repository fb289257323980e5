/* doctor: what is on this machine, what is missing and what would not work without it. */
#include "app/session.h"
#include "base/fs.h"
#include "base/log.h"
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>
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
        line(out, c->nproblems ? "bad" : "ok", "config", "%s: %zu clusters, %zu problems%s", c->path, c->nclusters, c->nproblems,
             c->nproblems ? " - `raytui check` lists them" : "");
}

void rt_app_doctor(struct rt_app *a, struct rt_buf *out) {
    terminal(out);
    configuration(a, out);
    place(out, "state", RT_DIR_STATE);
    place(out, "cache", RT_DIR_CACHE);
    if (rt_log_path())
        line(out, "ok", "log", "%s (RAYTUI_LOG=debug for more)", rt_log_path());
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
