/* A submission worked out before anything is sent. */
#include "ray/plan.h"

#include "base/fs.h"

#include <openssl/rand.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

/* What Ray accepts in one request, and keeps in the memory of its head. */
static const int64_t MAX_PACKAGE = 104857600;

/* What Ray's own client leaves out of a working directory since 2.55, and its variable for it. */
static const char DEFAULT_EXCLUDES[] = ".git,.venv,venv,__pycache__";

void rt_submit_init(struct rt_submit *s) {
    *s = (struct rt_submit){.num_cpus = -1, .num_gpus = -1, .memory_bytes = -1};
}

void rt_submit_deinit(struct rt_submit *s) {
    rt_strs_deinit(&s->env_defaults);
    rt_strs_deinit(&s->env_vars);
    rt_strs_deinit(&s->excludes);
    rt_strs_deinit(&s->py_modules);
    rt_strs_deinit(&s->metadata);
    rt_strs_deinit(&s->resources);
}

/* ---- identity ---- */

/* Ray's alphabet: without letters that look like others. 256 is no multiple of its 56: the rest is
 * drawn again. */
static char *new_id(struct rt_error *err) {
    static const char letters[] = "abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789";
    enum { N = sizeof(letters) - 1, LIMIT = 256 - 256 % N, LENGTH = 16 };
    char id[LENGTH + 1] = {0};
    for (size_t n = 0; n < LENGTH;) {
        unsigned char random[32];
        if (RAND_bytes(random, sizeof(random)) != 1) {
            rt_error_set(err, RT_E_INTERNAL, "no random numbers can be had");
            return NULL;
        }
        for (size_t i = 0; i < sizeof(random) && n < LENGTH; i++)
            if (random[i] < LIMIT)
                id[n++] = letters[random[i] % N];
    }
    return rt_strf("raysubmit_%s", id);
}

/* The id becomes part of a file's name on the cluster. */
static bool id_valid(const char *id, struct rt_error *err) {
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-";
    const size_t n = strlen(id);
    if (n > 0 && n <= 128 && strspn(id, allowed) == n && id[0] != '.' && id[0] != '-')
        return true;
    rt_error_set(err, RT_E_USAGE, "a submission id has letters, digits, _ . - (at most 128)");
    return false;
}

char *rt_user_at_host(void) {
    char host[256] = "";
    if (gethostname(host, sizeof(host) - 1) != 0)
        host[0] = '\0';
    const char *user = getenv("USER"); /* the user database may be far away */
    const struct passwd *pw = user && *user ? NULL : getpwuid(geteuid());
    user = pw ? pw->pw_name : user;
    char *out = rt_strf("%s@%s", user && *user ? user : "unknown", *host ? host : "unknown");
    if (!rt_utf8_valid(out, strlen(out))) {
        free(out);
        out = rt_strdup("unknown");
    }
    return out;
}

/* ---- life ---- */

struct rt_plan *rt_plan_create(const struct rt_submit *s, struct rt_error *err) {
    if (!s->entrypoint || s->entrypoint[strspn(s->entrypoint, " \t\r\n")] == '\0') {
        rt_error_set(err, RT_E_USAGE, "nothing to run: the entrypoint is empty");
        return NULL;
    }
    if (!rt_utf8_valid(s->entrypoint, strlen(s->entrypoint))) {
        rt_error_set(err, RT_E_USAGE, "the entrypoint is not UTF-8");
        return NULL;
    }
    if (s->submission_id && !id_valid(s->submission_id, err))
        return NULL;
    char *id = s->submission_id ? rt_strdup(s->submission_id) : new_id(err);
    if (!id)
        return NULL;
    struct rt_plan *p = RT_NEW(struct rt_plan);
    p->submission_id = id;
    p->id_given = s->submission_id != NULL;
    p->entrypoint = rt_strdup(s->entrypoint);
    p->working_dir = rt_strdup(s->working_dir);
    p->runtime_env = rt_strdup(s->runtime_env);
    rt_strs_copy(&p->env_defaults, &s->env_defaults);
    rt_strs_copy(&p->env_vars, &s->env_vars);
    rt_strs_copy(&p->excludes, &s->excludes);
    rt_strs_copy(&p->py_modules, &s->py_modules);
    rt_strs_copy(&p->metadata, &s->metadata);
    rt_strs_copy(&p->resources, &s->resources);
    p->num_cpus = s->num_cpus;
    p->num_gpus = s->num_gpus;
    p->memory_bytes = s->memory_bytes;
    return p;
}

void rt_plan_destroy(struct rt_plan *p) {
    if (!p)
        return;
    free(p->entrypoint);
    free(p->submission_id);
    free(p->working_dir);
    free(p->runtime_env);
    rt_strs_deinit(&p->env_defaults);
    rt_strs_deinit(&p->env_vars);
    rt_strs_deinit(&p->excludes);
    rt_strs_deinit(&p->py_modules);
    rt_strs_deinit(&p->metadata);
    rt_strs_deinit(&p->resources);
    rt_strs_deinit(&p->warnings);
    for (size_t i = 0; i < p->packages.n; i++) {
        free(p->packages.v[i].path);
        rt_package_deinit(&p->packages.v[i].made);
    }
    rt_vec_deinit(&p->packages);
    json_decref(p->env);
    free(p);
}

/* ---- preparing ---- */

static bool is_uri(const char *s) {
    return strstr(s, "://") != NULL;
}

static bool parse_env(struct rt_plan *p) {
    p->env = p->runtime_env && *p->runtime_env
                 ? rt_json_parse(p->runtime_env, strlen(p->runtime_env), &p->err)
                 : json_object();
    if (!p->env)
        return rt_error_wrap(&p->err, "runtime_env");
    if (!json_is_object(p->env))
        return rt_error_set(&p->err, RT_E_USAGE, "a runtime_env is a map (pip, uv, env_vars, ...)");
    return true;
}

static bool add_texts(json_t *env, const char *key, struct rt_strs *out, struct rt_error *err) {
    const json_t *list = json_object_get(env, key);
    if (!list || json_is_null(list))
        return true;
    if (!json_is_array(list))
        return rt_error_set(err, RT_E_USAGE, "runtime_env: %s is a list", key);
    size_t i;
    json_t *v;
    json_array_foreach(list, i, v) {
        if (!json_is_string(v))
            return rt_error_set(err, RT_E_USAGE, "runtime_env: %s: entry %zu is no text", key,
                                i + 1);
        rt_strs_add(out, json_string_value(v));
    }
    return true;
}

static void add_package(struct rt_plan *p, const char *path, bool working_dir, size_t index) {
    struct rt_plan_package *k = rt_vec_push(&p->packages);
    k->path = rt_path_expand(path);
    k->working_dir = working_dir;
    k->index = index;
}

/* The call's own working_dir and py_modules come before the file's; excludes are only for this
 * side. */
static bool merge_paths(struct rt_plan *p) {
    const json_t *dir = json_object_get(p->env, "working_dir");
    if (dir && !json_is_string(dir) && !json_is_null(dir))
        return rt_error_set(&p->err, RT_E_USAGE, "runtime_env: working_dir is no text");
    if (!p->working_dir && json_is_string(dir))
        p->working_dir = rt_strdup(json_string_value(dir));
    if (!add_texts(p->env, "excludes", &p->excludes, &p->err) ||
        !add_texts(p->env, "py_modules", &p->py_modules, &p->err))
        return false;
    json_object_del(p->env, "excludes");
    json_object_del(p->env, "working_dir");
    json_object_del(p->env, "py_modules");
    if (p->working_dir && is_uri(p->working_dir))
        json_object_set_new(p->env, "working_dir", json_string(p->working_dir));
    else if (p->working_dir && *p->working_dir)
        add_package(p, p->working_dir, true, 0);
    for (size_t i = 0; i < p->py_modules.n; i++)
        if (!is_uri(p->py_modules.v[i]))
            add_package(p, p->py_modules.v[i], false, i);
    return true;
}

/* RAY_OVERRIDE_RUNTIME_ENV_DEFAULT_EXCLUDES: Ray's own switch; its measure is the working directory
 * only. */
static void excludes_of(const struct rt_plan *p, bool working_dir, struct rt_strs *out) {
    const char *override = getenv("RAY_OVERRIDE_RUNTIME_ENV_DEFAULT_EXCLUDES");
    const char *s = working_dir ? override ? override : DEFAULT_EXCLUDES : "";
    while (*s) {
        const size_t n = strcspn(s, ",");
        char *one = rt_strndup(s, n);
        rt_strs_add(out, one);
        free(one);
        s += n + (s[n] == ',');
    }
    rt_strs_copy(out, &p->excludes);
}

static bool make_package(struct rt_plan *p, struct rt_plan_package *k, bool zip) {
    struct rt_strs excludes = {0};
    excludes_of(p, k->working_dir, &excludes);
    const struct rt_package_opts o = {
        .dir = k->path,
        .excludes = &excludes,
        .top_folder = !k->working_dir,
        .make_zip = zip,
        .max_bytes = MAX_PACKAGE,
        .cancel = &p->cancel,
        .progress = &p->packed,
    };
    rt_package_deinit(&k->made);
    const bool ok = rt_package_make(&o, &k->made, &p->err);
    rt_strs_deinit(&excludes);
    return ok || rt_error_wrap(&p->err, "%s", k->working_dir ? "working_dir" : "py_modules");
}

static void check_sizes(struct rt_plan *p) {
    for (size_t i = 0; i < p->packages.n; i++) {
        const struct rt_plan_package *k = &p->packages.v[i];
        char is[32], may[32];
        if (k->made.bytes > MAX_PACKAGE)
            rt_strs_addf(&p->warnings,
                         "%s has %s; Ray takes %s, so it must shrink a lot when packed", k->path,
                         rt_fmt_bytes(is, sizeof(is), (double)k->made.bytes),
                         rt_fmt_bytes(may, sizeof(may), (double)MAX_PACKAGE));
    }
}

static void check_wheels(struct rt_plan *p) {
    const char *dir =
        p->packages.n > 0 && p->packages.v[0].working_dir ? p->packages.v[0].path : NULL;
    struct rt_strs excludes = {0};
    excludes_of(p, true, &excludes);
    if (!(p->working_dir &&
          is_uri(p->working_dir))) /* what is in a package elsewhere is not known */
        rt_env_check_wheels(p->env, dir, &excludes, &p->warnings);
    rt_strs_deinit(&excludes);
}

/* The head's shell would refuse it, minutes later. */
static void check_entrypoint(struct rt_plan *p) {
    struct rt_strs words = {0};
    struct rt_error err = {0};
    if (p->entrypoint && !rt_split_words(p->entrypoint, &words, &err))
        rt_strs_addf(&p->warnings, "the entrypoint: %s", err.message);
    rt_strs_deinit(&words);
}

void rt_plan_prepare(struct rt_plan *p) {
    if (!parse_env(p) || !merge_paths(p) || !rt_env_inline_files(p->env, &p->err) ||
        !rt_env_merge_vars(p->env, &p->env_defaults, &p->env_vars, &p->warnings, &p->err))
        return;
    for (size_t i = 0; i < p->packages.n; i++)
        if (!make_package(p, &p->packages.v[i], false))
            return;
    check_entrypoint(p);
    check_sizes(p);
    check_wheels(p);
}

void rt_plan_pack(struct rt_plan *p) {
    atomic_store(&p->packed, 0);
    make_package(p, &p->packages.v[p->packing], true);
}

struct run {
    struct rt_plan *plan;
    void (*step)(struct rt_plan *p);
    rt_loop_fn *done;
    void *ctx;
};

static void run_step(void *ctx) {
    struct run *r = ctx;
    r->step(r->plan);
}

static void run_over(void *ctx) {
    const struct run r = *(struct run *)ctx;
    free(ctx);
    r.done(r.ctx);
}

static void run_cancelled(void *ctx) {
    struct run *r = ctx;
    rt_plan_destroy(r->plan);
    free(r);
}

struct rt_op *rt_plan_run(struct rt_loop *l, struct rt_plan *p, void (*step)(struct rt_plan *),
                          rt_loop_fn *done, void *ctx) {
    struct run *r = RT_NEW(struct run);
    *r = (struct run){p, step, done, ctx};
    return rt_loop_work(l, run_step, run_over, run_cancelled, r);
}

/* ---- body ---- */

static json_t *number(double v) {
    const bool whole = v < 1e15 && v == (double)(int64_t)v;
    return whole ? json_integer((int64_t)v) : json_real(v);
}

/* Ray's "job_name" is what its own pages show as a title. */
static char *default_name(const char *entrypoint) {
    const char *s = entrypoint + strspn(entrypoint, " \t\r\n");
    size_t n = strcspn(s, " \t\r\n"), more = n + strspn(s + n, " \t");
    more += strcspn(s + more, " \t\r\n");
    n = RT_MIN(more, (size_t)60);
    while (n > 0 && ((unsigned char)s[n] & 0xc0) == 0x80)
        n--;
    while (n > 0 && (s[n - 1] == ' ' || s[n - 1] == '\t'))
        n--;
    return rt_strndup(s, n);
}

static bool set_text(json_t *o, const char *pair, struct rt_error *err) {
    const char *equals = strchr(pair, '=');
    if (!equals || equals == pair)
        return rt_error_set(err, RT_E_USAGE, "metadata is NAME=VALUE, not \"%s\"", pair);
    char *name = rt_strndup(pair, (size_t)(equals - pair));
    const bool ok = json_object_set_new(o, name, json_string(equals + 1)) == 0;
    free(name);
    return ok || rt_error_set(err, RT_E_USAGE, "metadata is not UTF-8");
}

static json_t *metadata(const struct rt_plan *p, struct rt_error *err) {
    json_t *o = json_object();
    bool ok = true;
    for (size_t i = 0; ok && i < p->metadata.n; i++)
        ok = set_text(o, p->metadata.v[i], err);
    if (!ok) {
        json_decref(o);
        return NULL;
    }
    char *name = default_name(p->entrypoint), *who = rt_user_at_host();
    if (!json_object_get(o, "job_name"))
        json_object_set_new(o, "job_name", json_string(name));
    if (!json_object_get(o, "submitted_by"))
        json_object_set_new(o, "submitted_by", json_string(who));
    free(name);
    free(who);
    return o;
}

static bool set_resources(json_t *body, const struct rt_strs *resources, struct rt_error *err) {
    if (resources->n == 0)
        return true;
    json_t *o = json_object();
    json_object_set_new(body, "entrypoint_resources", o);
    for (size_t i = 0; i < resources->n; i++) {
        const char *pair = resources->v[i], *equals = strrchr(pair, '=');
        double v = -1;
        if (!equals || equals == pair || !rt_parse_f64(equals + 1, &v) || v < 0)
            return rt_error_set(err, RT_E_USAGE, "a resource is NAME=NUMBER, not \"%s\"", pair);
        char *name = rt_strndup(pair, (size_t)(equals - pair));
        json_object_set_new(o, name, number(v));
        free(name);
    }
    return true;
}

static json_t *env_to_send(const struct rt_plan *p, bool show_env) {
    json_t *env = json_deep_copy(p->env);
    json_t *modules = json_array();
    for (size_t i = 0; i < p->py_modules.n; i++)
        json_array_append_new(modules, json_string(p->py_modules.v[i]));
    for (size_t i = 0; i < p->packages.n; i++) {
        const struct rt_plan_package *k = &p->packages.v[i];
        json_t *uri = json_string(k->made.uri ? k->made.uri : k->path);
        if (k->working_dir)
            json_object_set_new(env, "working_dir", uri);
        else
            json_array_set_new(modules, k->index, uri);
    }
    if (json_array_size(modules) > 0)
        json_object_set(env, "py_modules", modules);
    json_decref(modules);
    const char *name;
    json_t *v;
    void *next;
    json_t *vars = show_env ? NULL : json_object_get(env, "env_vars");
    json_object_foreach_safe(vars, next, name, v) {
        json_object_set_new(vars, name, json_string("***"));
    }
    return env;
}

static bool fill_body(const struct rt_plan *p, json_t *body, bool preview, bool show_env,
                      struct rt_error *err) {
    json_object_set_new(body, "entrypoint", json_string(p->entrypoint));
    if (p->id_given || !preview)
        json_object_set_new(body, "submission_id", json_string(p->submission_id));
    json_t *env = env_to_send(p, show_env);
    if (json_object_size(env) > 0)
        json_object_set(body, "runtime_env", env);
    json_decref(env);
    json_t *meta = metadata(p, err);
    if (!meta)
        return false;
    json_object_set_new(body, "metadata", meta);
    if (p->num_cpus >= 0)
        json_object_set_new(body, "entrypoint_num_cpus", number(p->num_cpus));
    if (p->num_gpus >= 0)
        json_object_set_new(body, "entrypoint_num_gpus", number(p->num_gpus));
    if (p->memory_bytes >= 0)
        json_object_set_new(body, "entrypoint_memory", json_integer(p->memory_bytes));
    return set_resources(body, &p->resources, err);
}

char *rt_plan_body(const struct rt_plan *p, bool preview, bool show_env, struct rt_error *err) {
    json_t *body = json_object();
    char *text = NULL;
    if (fill_body(p, body, preview, show_env, err))
        text = json_dumps(body, preview ? JSON_INDENT(2) | JSON_REAL_PRECISION(15) : JSON_COMPACT);
    json_decref(body);
    return text;
}
