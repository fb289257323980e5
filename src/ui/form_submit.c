/* The submit form: what `submit` takes, with what would be sent looked at while it is typed. */
#include "ui/form.h"
#include "ui/views.h"

#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct rt_form_field fields[] = {
    {.id = "entrypoint", .label = "entrypoint", .example = "python script.py --option value"},
    {.id = "working_dir", .label = "working dir", .example = "goes along with the job: . or ~/project", .path = true},
    {.id = "runtime_env_file", .label = "runtime env", .example = "a YAML or JSON file, or {...}", .path = true},
    {.id = "env_vars", .label = "env vars", .example = "A=1 B='two words'"},
    {.id = "num_cpus", .label = "resources: CPU", .example = "-", .cols = 6},
    {.id = "num_gpus", .label = "GPU", .example = "-", .cols = 6, .joins = true},
    {.id = "memory", .label = "memory", .example = "-", .cols = 8, .joins = true},
    {.id = "resources", .label = "custom", .example = "{\"name\": 1}", .joins = true},
    {.id = "excludes", .label = "excludes", .example = "data/ *.ckpt", .cols = 22},
    {.id = "py_modules", .label = "py modules", .example = "-", .joins = true, .path = true},
    {.id = "submission_id", .label = "submission id", .example = "(made by raytui)", .cols = 22},
    {.id = "metadata", .label = "metadata", .example = "key=value", .joins = true},
    {0},
};

struct submit_own {
    char *from; /* the job it was filled from; NULL */
    char *body; /* of the last preview; NULL */
    struct rt_error error;
};

static struct rt_submit_form read_form(const struct rt_form *f) {
    const char *env = rt_form_get(f, "runtime_env_file");
    const bool text = env[strspn(env, " ")] == '{';
    const struct submit_own *own = f->own;
    struct rt_submit_form s = {
        .from = rt_strdup(own->from),
        .entrypoint = rt_strdup(rt_form_get(f, "entrypoint")),
        .working_dir = rt_strdup(rt_form_get(f, "working_dir")),
        .runtime_env_file = text ? NULL : rt_strdup(env),
        .runtime_env_json = text ? rt_strdup(env) : NULL,
        .env_vars = rt_strdup(rt_form_get(f, "env_vars")),
        .num_cpus = rt_strdup(rt_form_get(f, "num_cpus")),
        .num_gpus = rt_strdup(rt_form_get(f, "num_gpus")),
        .memory = rt_strdup(rt_form_get(f, "memory")),
        .resources = rt_strdup(rt_form_get(f, "resources")),
        .excludes = rt_strdup(rt_form_get(f, "excludes")),
        .py_modules = rt_strdup(rt_form_get(f, "py_modules")),
        .submission_id = rt_strdup(rt_form_get(f, "submission_id")),
        .metadata = rt_strdup(rt_form_get(f, "metadata")),
    };
    return s;
}

static bool submit_call(struct rt_form *f, struct rt_call *out, struct rt_error *err) {
    struct rt_submit_form s = read_form(f);
    bool ok = s.entrypoint[strspn(s.entrypoint, " ")] != '\0';
    if (!ok) {
        rt_error_set(err, RT_E_USAGE, "nothing to run: the entrypoint is empty");
        f->at = 0;
    }
    ok = ok && rt_submit_form_call(rt_ui_app(f->view.ui), f->view.cluster, &s, out, err);
    rt_submit_form_deinit(&s);
    return ok;
}

static void note_files(struct rt_form *f, const struct rt_preview *p) {
    char text[96], bytes[24], files[24], ignored[24];
    if (p->files < 0) {
        rt_form_note(f, "working_dir", NULL);
        return;
    }
    int n = snprintf(text, sizeof text, "%s file%s, %s", rt_fmt_count(files, sizeof files, p->files), p->files == 1 ? "" : "s",
                     rt_fmt_bytes(bytes, sizeof bytes, (double)p->bytes));
    if (p->ignored > 0 && n > 0)
        snprintf(text + n, sizeof text - (size_t)n, " (%s ignored)", rt_fmt_count(ignored, sizeof ignored, p->ignored));
    rt_form_note(f, "working_dir", text);
}

static void previewed(void *ctx, const struct rt_preview *p, const struct rt_error *err) {
    struct rt_form *f = ctx;
    struct submit_own *own = f->own;
    f->preview = NULL;
    free(own->body);
    own->body = NULL;
    own->error = err ? *err : (struct rt_error){0};
    if (err) {
        rt_form_note(f, "working_dir", NULL);
        rt_form_fail(f, err);
        return;
    }
    own->body = rt_strdup(p->body);
    rt_form_clear_lines(f);
    note_files(f, p);
    for (size_t i = 0; i < p->warnings.n; i++)
        rt_form_say(f, RT_R_STATUS_WARN, p->warnings.v[i]);
}

static void submit_preview(struct rt_form *f) {
    struct rt_call c = {0};
    struct rt_error err = {0};
    struct submit_own *own = f->own;
    if (!*rt_form_get(f, "entrypoint")) {
        rt_form_clear_lines(f);
        return;
    }
    if (!submit_call(f, &c, &err)) {
        own->error = err;
        rt_form_fail(f, &err);
        return;
    }
    f->preview = rt_app_preview(rt_ui_app(f->view.ui), &c, previewed, f);
    rt_call_deinit(&c);
}

/* The line to type; what stands for a secret of the job before stays masked. */
static void add_command(const struct rt_form *f, const struct rt_call *c, struct rt_buf *out) {
    struct rt_call shown = {.def = c->def, .cluster = c->cluster};
    const bool masked = strstr(rt_form_get(f, "env_vars"), "=***") != NULL;
    for (size_t i = 0; i < c->options.n; i++) {
        if (masked && rt_starts(c->options.v[i], "env="))
            rt_strs_addf(&shown.options, "%.*s=***", (int)(strcspn(c->options.v[i] + 4, "=") + 4), c->options.v[i]);
        else
            rt_strs_add(&shown.options, c->options.v[i]);
    }
    char *line = rt_call_text(&shown);
    rt_buf_addf(out, "raytui %s\n\n", line);
    free(line);
    rt_strs_deinit(&shown.options);
}

static void submit_request(struct rt_form *f, struct rt_buf *out) {
    const struct submit_own *own = f->own;
    struct rt_call c = {0};
    struct rt_error err = {0};
    if (submit_call(f, &c, &err))
        add_command(f, &c, out);
    rt_call_deinit(&c);
    if (own->body)
        rt_buf_addf(out, "POST /api/jobs/\n%s\n", own->body);
    else
        rt_buf_addf(out, "%s\n", err.code ? err.message : own->error.code ? own->error.message : "still looking at the directory");
}

/* The log is opened by its id: the job may not be in the list yet. */
static char *submit_done(struct rt_form *f, const char *result, bool follow) {
    struct rt_error err = {0};
    if (!follow || !result)
        return NULL;
    const struct rt_log_target t = {.what = RT_LOG_JOB, .cluster = f->view.cluster, .id = result};
    if (!rt_show_log(f->view.ui, &t, &err))
        rt_ui_error(f->view.ui, &err);
    return NULL;
}

static void submit_destroy(struct rt_form *f) {
    struct submit_own *own = f->own;
    free(own->from);
    free(own->body);
    free(own);
}

static const struct rt_form_ops ops = {
    .name = "submit-form",
    .verb = "submit",
    .follow = "submit and follow",
    .show = "the request",
    .waits = true,
    .did = "submitted",
    .call = submit_call,
    .preview = submit_preview,
    .request = submit_request,
    .done = submit_done,
    .destroy = submit_destroy,
};

struct rt_view *rt_form_submit(struct rt_ui *ui, const char *cluster, const struct rt_submit_form *from) {
    char *title = rt_strf("submit to %s", cluster);
    struct rt_form *f = rt_form_create(ui, &ops, fields, title, cluster);
    free(title);
    struct submit_own *own = RT_NEW(struct submit_own);
    f->own = own;
    if (from) {
        own->from = rt_strdup(from->from);
        rt_form_fill(f, "entrypoint", from->entrypoint);
        rt_form_fill(f, "working_dir", from->working_dir);
        rt_form_fill(f, "runtime_env_file", from->runtime_env_file ? from->runtime_env_file : from->runtime_env_json);
        rt_form_fill(f, "env_vars", from->env_vars);
        rt_form_fill(f, "num_cpus", from->num_cpus);
        rt_form_fill(f, "num_gpus", from->num_gpus);
        rt_form_fill(f, "memory", from->memory);
        rt_form_fill(f, "resources", from->resources);
        rt_form_fill(f, "excludes", from->excludes);
        rt_form_fill(f, "py_modules", from->py_modules);
        rt_form_fill(f, "metadata", from->metadata);
        rt_form_changed(f);
    }
    return &f->view;
}
