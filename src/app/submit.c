/* submit: options (or a form, or an earlier job) into what Ray is asked; what was submitted from here is
 * remembered, so that it can be run again with its directory and files. */
#include "app/submit.h"
#include "app/act.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/shell.h"
#include "ray/plan.h"
#include <stdio.h>
#include <stdlib.h>

enum { REMEMBERED = 200, SUBMIT_ASKED_MAX = 64 };

/* ---- remembered submissions: STATE/clusters/NAME/submits.json, {"ID": "submit --working-dir ... -- ..."} ---- */

static json_t *remembered(const char *cluster) {
    json_t *v = rt_cluster_read(cluster, "submits.json", JSON_ARRAY);
    return v ? v : json_array();
}

static json_t *list_json(const struct rt_strs *l) {
    json_t *v = json_array();
    for (size_t i = 0; i < l->n; i++)
        json_array_append_new(v, json_string(l->v[i]));
    return v;
}

/* Paths as they are from anywhere; not what may be a secret (values of env are asked for again), nor the id. */
static void keep_option(const char *option, struct rt_strs *kept) {
    static const char *const paths[] = {"working-dir=", "runtime-env=", "py-module="};
    if (rt_starts(option, "env=") || rt_starts(option, "submission-id=") || rt_starts(option, "runtime-env-json="))
        return;
    for (size_t i = 0; i < RT_COUNT(paths); i++) {
        if (!rt_starts(option, paths[i]) || strstr(option, "://"))
            continue;
        char *expanded = rt_path_expand(option + strlen(paths[i])), *whole = realpath(expanded, NULL);
        rt_strs_addf(kept, "%s%s", paths[i], whole ? whole : expanded);
        free(whole);
        free(expanded);
        return;
    }
    rt_strs_add(kept, option);
}

static void remember(const char *cluster, const char *id, const struct rt_call *c) {
    json_t *all = remembered(cluster);
    struct rt_strs kept = {0};
    for (size_t i = 0; i < c->options.n; i++)
        keep_option(c->options.v[i], &kept);
    json_array_append_new(all, json_pack("{s:s, s:o, s:o}", "id", id, "options", list_json(&kept), "command", list_json(&c->command)));
    while (json_array_size(all) > REMEMBERED)
        json_array_remove(all, 0);
    struct rt_error err = {0};
    if (!rt_cluster_write(cluster, "submits.json", all, &err))
        rt_log(RT_LOG_WARN, "%s: submission not remembered: %s", cluster, err.message);
    rt_strs_deinit(&kept);
    json_decref(all);
}

static json_t *recall(const char *cluster, const char *id) {
    json_t *all = remembered(cluster), *found = NULL, *v;
    size_t i;
    json_array_foreach(all, i, v) {
        if (rt_streq(rt_json_str(v, "id"), id))
            found = v;
    }
    json_incref(found);
    json_decref(all);
    return found;
}

/* "entrypoint-num-cpus=64" as the amount of a resource. */
static void add_asked(const char *option, struct rt_arena *arena, struct rt_resources *out) {
    static const struct {
        const char *option, *resource;
    } known[] = {{"entrypoint-num-cpus=", "CPU"}, {"entrypoint-num-gpus=", "GPU"}};
    static const char memory[] = "entrypoint-memory=", others[] = "entrypoint-resources=";
    struct rt_error ignored = {0};
    struct rt_resource r = {0};
    int64_t bytes = 0;
    for (size_t i = 0; i < RT_COUNT(known); i++)
        if (rt_starts(option, known[i].option) && rt_parse_f64(option + strlen(known[i].option), &r.amount))
            r.name = known[i].resource;
    if (rt_starts(option, memory) && rt_parse_size(option + strlen(memory), &bytes, &ignored))
        r = (struct rt_resource){.name = "memory", .amount = (double)bytes};
    if (r.name && r.amount > 0)
        out->v[out->n++] = r;
    json_t *all = rt_starts(option, others) ? json_loads(option + strlen(others), 0, NULL) : NULL, *v;
    const char *key;
    json_object_foreach(all, key, v) {
        if (out->n < SUBMIT_ASKED_MAX && json_number_value(v) > 0)
            out->v[out->n++] = (struct rt_resource){.name = rt_arena_strdup(arena, key), .amount = json_number_value(v)};
    }
    json_decref(all);
}

bool submit_asked(const char *cluster, const char *id, struct rt_arena *arena, struct rt_resources *out) {
    json_t *known = recall(cluster, id), *option;
    size_t i;
    *out = (struct rt_resources){.v = rt_arena_alloc(arena, (SUBMIT_ASKED_MAX + 1) * sizeof(*out->v))};
    json_array_foreach(json_object_get(known, "options"), i, option) {
        if (json_is_string(option) && out->n < SUBMIT_ASKED_MAX)
            add_asked(json_string_value(option), arena, out);
    }
    json_decref(known);
    return known != NULL;
}

/* ---- options into a submission ---- */

/* Everything that a submission's strings live in until it is sent. */
struct made {
    struct rt_submit s;
    char *entrypoint, *runtime_env, *working_dir;
    struct rt_strs warnings;
};

static void made_deinit(struct made *m) {
    rt_submit_deinit(&m->s);
    rt_strs_deinit(&m->warnings);
    free(m->entrypoint);
    free(m->runtime_env);
    free(m->working_dir);
}

static bool number(const struct rt_call *c, const char *option, double *out, struct rt_error *err) {
    const char *text = rt_call_option(c, option);
    if (!text || !*text)
        return true;
    if (!rt_parse_f64(text, out) || *out < 0)
        return rt_error_set(err, RT_E_USAGE, "--%s %s is no amount", option, text);
    return true;
}

/* {"name": 1} -> "name=1" lines */
static bool json_pairs(const struct rt_call *c, const char *option, struct rt_strs *out, struct rt_error *err) {
    const char *text = rt_call_option(c, option);
    if (!text || !*text)
        return true;
    json_t *v = rt_json_parse(text, strlen(text), err);
    if (!json_is_object(v)) {
        json_decref(v);
        rt_error_set(err, RT_E_USAGE, "--%s wants a JSON object", option);
        return rt_error_hint(err, "such as '{\"name\": 1}'");
    }
    const char *key;
    json_t *item;
    json_object_foreach(v, key, item) {
        char *value = json_is_string(item) ? rt_strdup(json_string_value(item)) : json_dumps(item, JSON_ENCODE_ANY | JSON_COMPACT);
        rt_strs_addf(out, "%s=%s", key, value);
        free(value);
    }
    json_decref(v);
    return true;
}

static bool take_runtime_env(const struct session *s, const struct rt_call *c, struct made *m, struct rt_error *err) {
    const char *file = rt_call_option(c, "runtime-env"), *text = rt_call_option(c, "runtime-env-json");
    if (file && *file && text && *text)
        return rt_error_set(err, RT_E_USAGE, "--runtime-env and --runtime-env-json exclude each other");
    if (text && *text) {
        json_t *v = rt_json_parse(text, strlen(text), err);
        if (!v)
            return rt_error_wrap(err, "--runtime-env-json");
        json_decref(v);
        m->runtime_env = rt_strdup(text);
        return true;
    }
    const char *path = file && *file ? file : s->conf->runtime_env;
    if (!path)
        return true;
    char *full = rt_path_expand(path);
    m->runtime_env = rt_runtime_env_load(full, &m->warnings, err);
    free(full);
    return m->runtime_env != NULL;
}

/* ---- entrypoints of the configuration: "name=template" ---- */

static const char *template_named(const struct rt_cluster_conf *conf, const char *name, struct rt_error *err) {
    const size_t n = strlen(name);
    struct rt_buf names;
    rt_buf_init(&names, RT_MIB);
    for (size_t i = 0; i < conf->entrypoints.n; i++) {
        const char *at = conf->entrypoints.v[i];
        if (strncmp(at, name, n) == 0 && at[n] == '=') {
            rt_buf_deinit(&names);
            return at + n + 1;
        }
        rt_buf_addf(&names, "%s%.*s", i ? ", " : "", (int)strcspn(at, "="), at);
    }
    rt_error_set(err, RT_E_NOT_FOUND, "%s has no entrypoint %s", conf->name, name);
    rt_error_hint(err, names.len ? "there are: %s" : "they stand under `entrypoints:` of its configuration%s", rt_buf_str(&names));
    rt_buf_deinit(&names);
    return NULL;
}

/* {head_ip} and {cluster} replaced, the words of the call behind it; gives the line. */
static char *expand_template(struct session *s, const struct rt_call *c, const char *name, struct rt_error *err) {
    static const char head[] = "{head_ip}", cluster[] = "{cluster}";
    const char *at = template_named(s->conf, name, err);
    struct rt_endpoint client = {0};
    struct rt_buf out;
    if (!at || (strstr(at, head) && !s->conf->ops->endpoint(s->provider, RT_EP_CLIENT, &client, err)))
        return NULL;
    rt_buf_init(&out, RT_MIB);
    while (*at) {
        if (rt_starts(at, head)) {
            rt_buf_adds(&out, client.host);
            at += strlen(head);
        } else if (rt_starts(at, cluster)) {
            rt_buf_adds(&out, s->conf->name);
            at += strlen(cluster);
        } else {
            rt_buf_addc(&out, *at++);
        }
    }
    for (size_t i = 0; i < c->command.n; i++) {
        rt_buf_addc(&out, ' ');
        rt_shell_word(&out, c->command.v[i]);
    }
    return rt_buf_take(&out);
}

/* The shell line of the call; gives it, NULL with the reason. */
static char *entrypoint_of(struct session *s, const struct rt_call *c, struct rt_error *err) {
    const char *line = rt_call_option(c, "entrypoint"), *name = rt_call_option(c, "template");
    if (line && (c->command.n || name)) {
        rt_error_set(err, RT_E_USAGE, "--entrypoint and %s exclude each other", name ? "--template" : "-- CMD");
        return NULL;
    }
    if (name)
        return expand_template(s, c, name, err);
    char *out = line ? rt_strdup(line) : c->command.n ? rt_shell_join((const char *const *)c->command.v) : NULL;
    if (out && out[strspn(out, " \t\n")])
        return out;
    free(out);
    rt_error_set(err, RT_E_USAGE, "nothing to run");
    rt_error_hint(err, "raytui submit --working-dir . -- python script.py");
    return NULL;
}

static bool make(struct session *s, const struct rt_call *c, struct made *m, struct rt_error *err) {
    *m = (struct made){0};
    rt_submit_init(&m->s);
    const char *dir = rt_call_option(c, "working-dir");
    m->entrypoint = entrypoint_of(s, c, err);
    if (!m->entrypoint)
        return false;
    if (!take_runtime_env(s, c, m, err))
        return false;
    m->working_dir = dir && *dir ? (strstr(dir, "://") ? rt_strdup(dir) : rt_path_expand(dir)) : NULL;
    m->s.entrypoint = m->entrypoint;
    m->s.runtime_env = m->runtime_env;
    m->s.working_dir = m->working_dir;
    m->s.submission_id = rt_call_option(c, "submission-id");
    if (m->s.submission_id && !*m->s.submission_id)
        m->s.submission_id = NULL;
    /* Lowest first: the cluster's own, then the call's; runtime_env's stand between them where it is merged. */
    rt_strs_copy(&m->s.env_defaults, &s->conf->env_vars);
    rt_call_options(c, "env", &m->s.env_vars);
    rt_call_options(c, "exclude", &m->s.excludes);
    rt_call_options(c, "py-module", &m->s.py_modules);
    rt_call_options(c, "metadata", &m->s.metadata);
    const char *memory = rt_call_option(c, "entrypoint-memory");
    if (memory && *memory && !rt_parse_size(memory, &m->s.memory_bytes, err))
        return rt_error_wrap(err, "--entrypoint-memory");
    return json_pairs(c, "metadata-json", &m->s.metadata, err) && json_pairs(c, "entrypoint-resources", &m->s.resources, err) &&
           number(c, "entrypoint-num-cpus", &m->s.num_cpus, err) && number(c, "entrypoint-num-gpus", &m->s.num_gpus, err);
}

char *submit_body(struct session *s, const struct rt_call *c, struct rt_error *err) {
    struct made m;
    char *body = NULL;
    struct rt_plan *plan = make(s, c, &m, err) ? rt_plan_create(&m.s, err) : NULL;
    if (plan) {
        rt_plan_prepare(plan);
        if (plan->err.code)
            *err = plan->err;
        else
            body = rt_plan_body(plan, false, true, err);
    }
    rt_plan_destroy(plan);
    made_deinit(&m);
    return body;
}

/* "K=V" of a job's env_vars, as Ray has them. */
static void env_of_job(const struct rt_job *j, struct rt_strs *out) {
    struct rt_error ignored = {0};
    json_t *v = j && j->runtime_env ? rt_json_parse(j->runtime_env, strlen(j->runtime_env), &ignored) : NULL, *value;
    const char *name;
    json_object_foreach(json_object_get(v, "env_vars"), name, value)
        if (json_is_string(value))
            rt_strs_addf(out, "%s=%s", name, json_string_value(value));
    json_decref(v);
}

/* The rest of a job's runtime_env; NULL when there is nothing else. Gives it. */
static char *runtime_env_without_vars(const struct rt_job *j) {
    struct rt_error ignored = {0};
    json_t *v = j && j->runtime_env ? rt_json_parse(j->runtime_env, strlen(j->runtime_env), &ignored) : NULL;
    json_object_del(v, "env_vars");
    char *text = json_object_size(v) ? json_dumps(v, JSON_COMPACT) : NULL;
    json_decref(v);
    return text;
}

static void add_env_of_job(const struct rt_job *j, struct rt_strs *options) {
    struct rt_strs vars = {0};
    env_of_job(j, &vars);
    for (size_t i = 0; i < vars.n; i++)
        rt_strs_addf(options, "env=%s", vars.v[i]);
    rt_strs_deinit(&vars);
}

/* --from JOB: its remembered options first, so that those of the call win. */
static bool with_from(struct rt_app *a, const struct rt_call *c, struct rt_call *out, struct rt_error *err) {
    const char *from = rt_call_option(c, "from");
    *out = (struct rt_call){.def = c->def, .cluster = rt_strdup(c->cluster)};
    if (from && *from) {
        const struct rt_cluster *cl = rt_store_cluster(a->store, c->cluster);
        const struct rt_job *j = rt_find_job(cl, from, err);
        json_t *old = recall(c->cluster, j ? j->id : from), *v;
        size_t i;
        if (!old && !j)
            return false;
        json_array_foreach(json_object_get(old, "options"), i, v) rt_strs_add(&out->options, json_string_value(v));
        if (!c->command.n && !rt_call_option(c, "entrypoint")) {
            json_array_foreach(json_object_get(old, "command"), i, v) rt_strs_add(&out->command, json_string_value(v));
            if (!out->command.n && !rt_call_option(out, "entrypoint"))
                rt_strs_addf(&out->options, "entrypoint=%s", j && j->entrypoint ? j->entrypoint : "");
        }
        add_env_of_job(j, &out->options);
        char *rest = !old && !rt_call_option(c, "runtime-env") && !rt_call_option(c, "runtime-env-json") ? runtime_env_without_vars(j) : NULL;
        if (rest)
            rt_strs_addf(&out->options, "runtime-env-json=%s", rest);
        free(rest);
        json_decref(old);
    }
    rt_strs_copy(&out->options, &c->options);
    rt_strs_copy(&out->command, &c->command);
    return true;
}

/* ---- the verb ---- */

struct submitting {
    struct rt_app *app;
    struct session *session;
    struct rt_call call;
    struct made made;
    struct rt_operation *operation;
    struct rt_op *op;
    const char *stage;
    size_t step;
};

static void submitting_free(struct submitting *x) {
    rt_op_drop(&x->op);
    made_deinit(&x->made);
    rt_call_deinit(&x->call);
    free(x);
}

static void progress(void *ctx, const struct rt_submit_progress *p) {
    struct submitting *x = ctx;
    if (!rt_streq(x->stage, p->stage)) {
        if (x->stage)
            rt_operation_step_end(x->operation, x->step, NULL);
        x->stage = p->stage;
        x->step = rt_operation_step(x->operation, NULL, "%s", p->stage);
    }
    rt_operation_progress(x->operation, x->step, p->done, p->total);
}

static void submitted(void *ctx, const char *submission_id, const struct rt_error *err) {
    struct submitting *x = ctx;
    x->op = NULL;
    if (!err) {
        remember(x->call.cluster, submission_id, &x->call);
        session_poke(x->session, RT_TOPIC_BIT(RT_T_JOBS));
    }
    rt_operation_finish(x->operation, err, submission_id);
    submitting_free(x);
}

static void cancel_submit(void *ctx) {
    struct submitting *x = ctx;
    struct rt_error err = {0};
    rt_error_set(&err, RT_E_CANCELLED, "cancelled");
    rt_operation_finish(x->operation, &err, NULL);
    submitting_free(x);
}

struct rt_op *run_submit(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    struct session *s = act_session(a, c, &err);
    struct rt_ray *ray = s ? session_ray(s, &err) : NULL;
    struct submitting *x = RT_NEW(struct submitting);
    if (!ray || !with_from(a, c, &x->call, &err) || !make(s, &x->call, &x->made, &err)) {
        submitting_free(x);
        return act_answer(a, done, ctx, &err, NULL, " ");
    }
    char *title = rt_strf("submit %.80s", x->made.entrypoint);
    x->app = a;
    x->session = s;
    x->operation = rt_operation_start(a->operations, "submit", c->cluster, title, cancel_submit, x);
    free(title);
    const struct rt_submit_callbacks cb = {.progress = progress, .done = submitted, .ctx = x};
    x->op = rt_ray_submit(ray, &x->made.s, &cb);
    return act_answer(a, done, ctx, NULL, x->operation, "%s: submitting", c->cluster);
}

/* ---- preview ---- */

struct preview {
    struct rt_op op;
    struct rt_op *inner;
    struct made made;
    struct rt_call call;
    struct rt_timer *soon;
    struct rt_error err;
    rt_preview_fn *fn;
    void *ctx;
};

static void preview_free(struct preview *p) {
    rt_op_drop(&p->inner);
    rt_timer_stop(p->soon);
    made_deinit(&p->made);
    rt_call_deinit(&p->call);
    free(p);
}

static void preview_cancel(struct rt_op *op) {
    preview_free((struct preview *)op);
}

static void preview_failed(void *ctx) {
    struct preview *p = ctx;
    p->fn(p->ctx, NULL, &p->err);
    preview_free(p);
}

static void previewed(void *ctx, const struct rt_submit_preview *v, const struct rt_error *err) {
    struct preview *p = ctx;
    p->inner = NULL;
    if (err) {
        p->fn(p->ctx, NULL, err);
    } else {
        struct rt_preview out = {.body = v->body, .files = v->files, .ignored = v->ignored, .bytes = v->bytes};
        rt_strs_copy(&out.warnings, &p->made.warnings);
        rt_strs_copy(&out.warnings, &v->warnings);
        p->fn(p->ctx, &out, NULL);
        rt_strs_deinit(&out.warnings);
    }
    preview_free(p);
}

struct rt_op *rt_app_preview(struct rt_app *a, const struct rt_call *submit, rt_preview_fn *fn, void *ctx) {
    struct preview *p = RT_NEW(struct preview);
    p->op.cancel = preview_cancel;
    p->fn = fn;
    p->ctx = ctx;
    struct session *s = act_session(a, submit, &p->err);
    struct rt_ray *ray = s ? session_ray(s, &p->err) : NULL;
    if (!ray || !with_from(a, submit, &p->call, &p->err) || !make(s, &p->call, &p->made, &p->err)) {
        p->soon = rt_timer_start(a->loop, 0, 0, preview_failed, p);
        return &p->op;
    }
    p->inner = rt_submit_preview(ray, &p->made.s, rt_call_option(submit, "show-env") != NULL, previewed, p);
    return &p->op;
}

/* ---- the form ---- */

void rt_submit_form_deinit(struct rt_submit_form *f) {
    char **all[] = {&f->entrypoint, &f->working_dir, &f->runtime_env_file, &f->runtime_env_json, &f->env_vars, &f->num_cpus,
                    &f->num_gpus, &f->memory, &f->resources, &f->metadata, &f->submission_id, &f->excludes, &f->py_modules, &f->from};
    for (size_t i = 0; i < RT_COUNT(all); i++) {
        free(*all[i]);
        *all[i] = NULL;
    }
}

static char *joined(const struct rt_call *c, const char *option) {
    struct rt_strs l = {0};
    char *text = rt_call_options(c, option, &l) ? rt_shell_join((const char *const *)l.v) : NULL;
    rt_strs_deinit(&l);
    return text;
}

/* "A=*** B=***": which there were, not what they were. */
static char *masked_env(const struct rt_job *j) {
    struct rt_strs vars = {0}, masked = {0};
    env_of_job(j, &vars);
    for (size_t i = 0; i < vars.n; i++)
        rt_strs_addf(&masked, "%.*s=***", (int)strcspn(vars.v[i], "="), vars.v[i]);
    struct rt_buf line;
    rt_buf_init(&line, 0);
    for (size_t i = 0; i < masked.n; i++)
        rt_buf_addf(&line, "%s%s", i ? " " : "", masked.v[i]); /* without quotes around *** */
    rt_strs_deinit(&vars);
    rt_strs_deinit(&masked);
    return line.len ? rt_buf_take(&line) : NULL;
}

void rt_submit_form_from_job(struct rt_app *a, const struct rt_cluster *c, const struct rt_job *j, struct rt_submit_form *out) {
    struct rt_call call = {.def = rt_action_find("submit"), .cluster = rt_strdup(c->name)}, full;
    struct rt_error err = {0};
    *out = (struct rt_submit_form){0};
    rt_strs_addf(&call.options, "from=%s", j->id);
    if (with_from(a, &call, &full, &err)) {
        const char *line = rt_call_option(&full, "entrypoint");
        out->entrypoint = line ? rt_strdup(line) : rt_shell_join((const char *const *)full.command.v);
        out->working_dir = rt_strdup(rt_call_option(&full, "working-dir"));
        out->runtime_env_file = rt_strdup(rt_call_option(&full, "runtime-env"));
        out->runtime_env_json = rt_strdup(rt_call_option(&full, "runtime-env-json"));
        out->num_cpus = rt_strdup(rt_call_option(&full, "entrypoint-num-cpus"));
        out->num_gpus = rt_strdup(rt_call_option(&full, "entrypoint-num-gpus"));
        out->memory = rt_strdup(rt_call_option(&full, "entrypoint-memory"));
        out->resources = rt_strdup(rt_call_option(&full, "entrypoint-resources"));
        out->env_vars = masked_env(j);
        out->from = rt_strdup(j->id);
        out->metadata = joined(&full, "metadata");
        out->excludes = joined(&full, "exclude");
        out->py_modules = joined(&full, "py-module");
    }
    rt_call_deinit(&full);
    rt_call_deinit(&call);
}

static void add_one(struct rt_call *c, const char *option, const char *value) {
    if (value && value[strspn(value, " ")])
        rt_strs_addf(&c->options, "%s=%s", option, value);
}

static bool add_words(struct rt_call *c, const char *option, const char *line, struct rt_error *err) {
    struct rt_strs words = {0};
    if (!line || !*line)
        return true;
    const bool ok = rt_split_words(line, &words, err);
    for (size_t i = 0; ok && i < words.n; i++)
        rt_strs_addf(&c->options, "%s=%s", option, words.v[i]);
    rt_strs_deinit(&words);
    return ok || rt_error_wrap(err, "%s", option);
}

/* Puts the job's own values where *** stands. */
static bool unmask_env(struct rt_app *a, const char *cluster, const char *from, struct rt_call *c, struct rt_error *err) {
    const struct rt_cluster *cl = rt_store_cluster(a->store, cluster);
    struct rt_strs vars = {0};
    bool ok = true;
    if (from)
        env_of_job(cl ? rt_store_job(cl, from) : NULL, &vars);
    for (size_t i = 0; ok && from && i < c->options.n; i++) {
        char **option = &c->options.v[i];
        if (!rt_starts(*option, "env=") || !rt_ends(*option, "=***"))
            continue;
        const size_t n = strlen(*option) - strlen("env=") - strlen("***"); /* with its = */
        size_t k = 0;
        while (k < vars.n && strncmp(vars.v[k], *option + strlen("env="), n) != 0)
            k++;
        if (k == vars.n) {
            ok = rt_error_set(err, RT_E_NOT_FOUND, "%.*s: its value is not known any more: type it", (int)n - 1, *option + strlen("env="));
            break;
        }
        free(*option);
        *option = rt_strf("env=%s", vars.v[k]);
    }
    rt_strs_deinit(&vars);
    return ok;
}

bool rt_submit_form_call(struct rt_app *a, const char *cluster, const struct rt_submit_form *f, struct rt_call *out,
                         struct rt_error *err) {
    *out = (struct rt_call){.def = rt_action_find("submit"), .cluster = rt_strdup(cluster)};
    add_one(out, "entrypoint", f->entrypoint);
    add_one(out, "working-dir", f->working_dir);
    add_one(out, "runtime-env", f->runtime_env_file);
    add_one(out, "runtime-env-json", f->runtime_env_json);
    add_one(out, "entrypoint-num-cpus", f->num_cpus);
    add_one(out, "entrypoint-num-gpus", f->num_gpus);
    add_one(out, "entrypoint-memory", f->memory);
    add_one(out, "entrypoint-resources", f->resources);
    add_one(out, "submission-id", f->submission_id);
    if (add_words(out, "env", f->env_vars, err) && add_words(out, "metadata", f->metadata, err) &&
        add_words(out, "exclude", f->excludes, err) && add_words(out, "py-module", f->py_modules, err) &&
        unmask_env(a, cluster, f->from, out, err))
        return true;
    rt_call_deinit(out);
    return false;
}
