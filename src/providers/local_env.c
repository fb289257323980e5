/* The Ray program: configured, in a venv, on PATH, or in an environment that raytui makes and keeps in its cache. */
#include "base/fs.h"
#include "base/shell.h"
#include "net/proc.h"
#include "providers/local.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { INSTALL_MS = 20 * 60 * 1000, VERIFY_MS = 60 * 1000, KEEP_LINES = 6 };

struct env_job {
    struct rt_provider *provider;
    struct rt_operation *operation;
    local_env_fn *fn;
    struct rt_proc *proc;
    struct rt_op *defer;
    char *ray;          /* program that will be used */
    char *dir, *making; /* managed environment and where it is made */
    size_t step;
    int stage;          /* index into stages */
    struct rt_strs tail; /* last lines of output, for the error */
    struct rt_buf line;
    struct rt_error err;
};

static void next_stage(struct env_job *j);

static const char *version_of(const struct rt_provider *p) {
    return p->own && p->own->python.ray ? p->own->python.ray : LOCAL_RAY_VERSION;
}

static char *managed_dir(const struct rt_provider *p) {
    char *name = rt_strf("ray-%s", version_of(p)), *dir = rt_path(RT_DIR_CACHE, name);
    free(name);
    return dir;
}

/* The program when it is there already; NULL: one must be made. *why says where it comes from. */
static char *existing(const struct rt_provider *p, const char **why) {
    const struct local_config *own = p->own;
    if (own && own->ray_command) {
        *why = "ray_command";
        return rt_path_expand(own->ray_command);
    }
    if (own && own->python.venv) {
        char *venv = rt_path_expand(own->python.venv), *ray = rt_path_join(venv, "bin/ray");
        const bool there = rt_file_exists(ray);
        free(venv);
        *why = "python.venv";
        if (there)
            return ray;
        free(ray);
        return NULL;
    }
    char *found = own && own->python.ray ? NULL : rt_which("ray");
    *why = "PATH";
    if (found)
        return found;
    char *dir = managed_dir(p), *mark = rt_path_join(dir, ".ready");
    if (rt_file_exists(mark))
        found = rt_path_join(dir, "bin/ray");
    *why = "raytui's own environment";
    free(mark);
    free(dir);
    return found;
}

char *local_env_plan(const struct rt_provider *p) {
    const char *why = "";
    char *ray = existing(p, &why), *dir = managed_dir(p), *line;
    if (ray)
        line = rt_strf("use %s (%s)", ray, why);
    else
        line = rt_strf("make a Python environment with ray[default]==%s in %s (about 400 MB, once)", version_of(p),
                       p->own && p->own->python.venv ? p->own->python.venv : dir);
    free(ray);
    free(dir);
    return line;
}

static void job_free(struct env_job *j) {
    rt_proc_destroy(j->proc);
    rt_op_drop(&j->defer);
    j->provider->env_job = NULL;
    rt_strs_deinit(&j->tail);
    rt_buf_deinit(&j->line);
    free(j->ray);
    free(j->dir);
    free(j->making);
    free(j);
}

static void finish(void *ctx) {
    struct env_job *j = ctx;
    struct rt_provider *p = j->provider;
    local_env_fn *fn = j->fn;
    struct rt_error err = j->err;
    char *ray = rt_strdup(j->ray);
    j->defer = NULL;
    job_free(j);
    fn(p, ray, err.code ? &err : NULL);
    free(ray);
}

static void finish_soon(struct env_job *j) {
    j->defer = rt_loop_defer(j->provider->env.loop, finish, j);
}

void local_env_cancel(struct rt_provider *p) {
    struct env_job *j = p->env_job;
    if (!j)
        return;
    struct rt_error ignored = {0};
    char *making = rt_strdup(j->making);
    job_free(j);
    if (making)
        rt_remove_tree(making, &ignored);
    free(making);
}

static void keep_line(struct env_job *j) {
    char clean[400];
    if (!j->line.len)
        return;
    rt_clean_to(clean, sizeof clean, rt_buf_str(&j->line));
    rt_strs_add(&j->tail, clean);
    while (j->tail.n > KEEP_LINES) {
        free(j->tail.v[0]);
        memmove(j->tail.v, j->tail.v + 1, j->tail.n * sizeof(char *));
        j->tail.n--;
    }
    rt_buf_clear(&j->line);
}

static void output(void *ctx, enum rt_stream stream, const char *data, size_t n) {
    struct env_job *j = ctx;
    (void)stream;
    rt_operation_output(j->operation, j->step, data, n);
    for (size_t i = 0; i < n; i++) {
        if (data[i] == '\n')
            keep_line(j);
        else
            rt_buf_addc(&j->line, data[i]);
    }
}

static void stage_failed(struct env_job *j, const struct rt_proc_exit *e, const char *what) {
    struct rt_buf said;
    rt_buf_init(&said, 4 * RT_KIB);
    keep_line(j);
    for (size_t i = 0; i < j->tail.n; i++)
        rt_buf_addf(&said, "%s%s", i ? " | " : "", j->tail.v[i]);
    if (e->timed_out)
        rt_error_set(&j->err, RT_E_TIMEOUT, "%s: not done in time", what);
    else
        rt_error_set(&j->err, RT_E_FAILED, "%s failed (exit %d): %.420s", what, e->status, rt_buf_str(&said));
    rt_error_hint(&j->err, "a Ray of your own: `ray_command: /path/to/ray`; all output: `@`, or %s",
                  j->operation->log_path ? j->operation->log_path : "the operation's log");
    rt_buf_deinit(&said);
    rt_operation_step_end(j->operation, j->step, &j->err);
    if (j->making) {
        struct rt_error ignored = {0};
        rt_remove_tree(j->making, &ignored);
    }
    finish_soon(j);
}

/* venv, pip install, put in place, verify: the first three only for an environment of ours. */
enum { STAGE_VENV, STAGE_INSTALL, STAGE_PLACE, STAGE_VERIFY };
static const char *const stage_names[] = {"making a Python environment", "installing Ray", "putting it in place", "asking its version"};

static void exited(void *ctx, const struct rt_proc_exit *e) {
    struct env_job *j = ctx;
    j->proc = NULL;
    if (e->status != 0) {
        stage_failed(j, e, stage_names[j->stage]);
        return;
    }
    if (j->stage == STAGE_VERIFY && j->tail.n == 0 && j->line.len == 0) {
        stage_failed(j, e, stage_names[j->stage]);
        return;
    }
    rt_operation_step_end(j->operation, j->step, NULL);
    j->stage++;
    next_stage(j);
}

static void run(struct env_job *j, const char *const *argv, int64_t timeout_ms) {
    const char *const env[] = {"PIP_DISABLE_PIP_VERSION_CHECK=1", "PYTHONUNBUFFERED=1", "PYTHONHOME", "PYTHONPATH", NULL};
    const struct rt_proc_opts o = {.argv = argv, .env = env, .timeout_ms = timeout_ms, .output = output};
    j->step = rt_operation_step(j->operation, NULL, "%s", stage_names[j->stage]);
    j->proc = rt_proc_start(j->provider->env.loop, &o, exited, j, &j->err);
    if (!j->proc) {
        rt_error_hint(&j->err, "python3 with its venv module is needed (Debian: apt install python3-venv)");
        rt_operation_step_end(j->operation, j->step, &j->err);
        finish_soon(j);
    }
}

static void place(struct env_job *j) {
    char *mark = rt_path_join(j->dir, ".ready");
    if (rt_file_write(mark, "", 0, &j->err)) {
        j->ray = rt_path_join(j->dir, "bin/ray");
        free(j->making);
        j->making = NULL;
        j->stage = STAGE_VERIFY;
        next_stage(j);
    } else {
        finish_soon(j);
    }
    free(mark);
}

static void next_stage(struct env_job *j) {
    char *pip = j->dir ? rt_path_join(j->dir, "bin/pip") : NULL;
    char *what = rt_strf("ray[default]==%s", version_of(j->provider));
    char *requirements = j->provider->own && j->provider->own->python.requirements
                             ? rt_path_expand(j->provider->own->python.requirements)
                             : NULL;
    const char *const venv[] = {"python3", "-m", "venv", j->dir, NULL};
    const char *const install[] = {pip, "install", "--progress-bar", "off", what, requirements ? "-r" : NULL, requirements, NULL};
    const char *const verify[] = {j->ray, "--version", NULL};
    switch (j->stage) {
    case STAGE_VENV:
        run(j, venv, INSTALL_MS);
        break;
    case STAGE_INSTALL:
        run(j, install, INSTALL_MS);
        break;
    case STAGE_PLACE:
        place(j);
        break;
    case STAGE_VERIFY:
        rt_strs_deinit(&j->tail);
        run(j, verify, VERIFY_MS);
        break;
    default:
        finish_soon(j);
    }
    free(requirements);
    free(what);
    free(pip);
}

void local_env_get(struct rt_provider *p, struct rt_operation *op, local_env_fn *fn) {
    const char *why = "";
    struct env_job *j = RT_NEW(struct env_job);
    j->provider = p;
    j->operation = op;
    j->fn = fn;
    rt_buf_init(&j->line, 64 * RT_KIB);
    p->env_job = j;
    j->ray = existing(p, &why);
    if (j->ray) {
        j->stage = STAGE_VERIFY;
        next_stage(j);
        return;
    }
    j->dir = p->own && p->own->python.venv ? rt_path_expand(p->own->python.venv) : managed_dir(p);
    /* A half-made one (no mark) is made anew; somebody else's directory is never removed. */
    if (!(p->own && p->own->python.venv)) {
        j->making = rt_strdup(j->dir);
        if (!rt_remove_tree(j->dir, &j->err)) {
            finish_soon(j);
            return;
        }
    }
    next_stage(j);
}
