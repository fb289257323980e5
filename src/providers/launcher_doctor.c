/* `doctor`: the `ray` that would be run, what its provider's library needs, the key, and the programs that Ray calls. */
#include "base/fs.h"
#include "net/proc.h"
#include "providers/doctor.h"
#include "providers/launcher.h"
#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 60 * 1000, SAID_MAX = 256 * 1024 };

/* argv: modules. */
static const char finder[] =
    "import importlib, sys\n"
    "for m in sys.argv[1:]:\n"
    "    try:\n"
    "        importlib.import_module(m)\n"
    "    except Exception as e:\n"
    "        print(m)\n";

struct doctor {
    struct rt_doctor base;
    struct rt_provider *provider;
};

/* ---- the libraries ---- */

/* The Python of a `ray` that is a script: its first line names it; before other words (`uv run ray`) `python` takes its place. */
static bool python_of(const struct rt_provider *p, struct rt_strs *argv) {
    struct rt_strs words = {0};
    struct rt_buf head;
    struct rt_error ignored = {0};
    launcher_words(p, &words);
    char *path = words.n == 1 ? rt_which(words.v[0]) : NULL;
    rt_buf_init(&head, 64 * RT_KIB);
    if (path && rt_file_read(path, head.max, &head, &ignored) && rt_starts(rt_buf_str(&head), "#!/")) {
        char *first = rt_strndup(head.data + 2, strcspn(head.data + 2, "\r\n"));
        rt_split_words(first, argv, &ignored);
        free(first);
    }
    for (size_t i = 0; words.n > 1 && i + 1 < words.n; i++)
        rt_strs_add(argv, words.v[i]);
    if (words.n > 1)
        rt_strs_add(argv, "python");
    free(path);
    rt_buf_deinit(&head);
    rt_strs_deinit(&words);
    return argv->n > 0 && (words.n != 1 || strstr(argv->v[argv->n - 1], "python"));
}

static void modules_told(void *ctx, const struct rt_run_result *r, const struct rt_error *err) {
    struct doctor *d = ctx;
    const struct rt_launcher_need *need = rt_launcher_need(d->provider->file.type);
    char missing[400];
    d->base.look = NULL;
    rt_clean_to(missing, sizeof missing, r ? r->out : "");
    if (err || r->exit.status != 0)
        rt_doctor_line(&d->base.lines, "warn", "libraries", "could not be looked for: %s", err ? err->message : "its Python failed");
    else if (r->out_len)
        rt_doctor_line(&d->base.lines, "bad", "libraries", "of %s, missing: %s- %s", need->type, missing, need->install ? need->install : "install them beside Ray");
    else
        rt_doctor_line(&d->base.lines, "ok", "libraries", "of %s: %s", need->type, need->modules);
    if (need->login)
        rt_doctor_line(&d->base.lines, "ok", "login", "%s", need->login);
    rt_doctor_end(&d->base);
}

static void look_for_modules(struct doctor *d) {
    const struct rt_provider *p = d->provider;
    const struct rt_launcher_need *need = rt_launcher_need(p->file.type);
    struct rt_strs argv = {0}, env = {0}, modules = {0};
    struct rt_error err = {0};
    if (need && *need->modules && python_of(p, &argv)) {
        rt_strs_add(&argv, "-c");
        rt_strs_add(&argv, finder);
        rt_split_words(need->modules, &modules, &err);
        rt_strs_copy(&argv, &modules);
        launcher_environment(p, &env, &err);
        const struct rt_proc_opts o = {.argv = (const char *const *)argv.v, .env = (const char *const *)env.v, .timeout_ms = LOOK_MS};
        d->base.look = rt_run(p->env.loop, &o, SAID_MAX, modules_told, d);
    }
    rt_strs_deinit(&argv);
    rt_strs_deinit(&env);
    rt_strs_deinit(&modules);
    if (!d->base.look)
        rt_doctor_end(&d->base);
}

/* ---- ray, files, programs ---- */

static void version_told(void *ctx, const struct rt_run_result *r, const struct rt_error *err) {
    struct doctor *d = ctx;
    struct launcher_say say;
    char clean[200];
    d->base.look = NULL;
    launcher_say_init(&say);
    if (err) {
        rt_doctor_error(&d->base.lines, "bad", "ray", err);
    } else if (r->exit.status != 0) {
        struct rt_error why;
        launcher_say_feed(&say, r->err_text, r->err_len, NULL, NULL);
        launcher_say_end(&say, NULL, NULL);
        launcher_say_error(&say, "ray --version", &why);
        rt_doctor_line(&d->base.lines, "bad", "ray", "%s", why.message);
    } else {
        char *first = rt_strndup(r->out, strcspn(r->out, "\r\n"));
        rt_doctor_line(&d->base.lines, "ok", "ray", "%s", rt_clean_to(clean, sizeof clean, first));
        free(first);
    }
    launcher_say_deinit(&say);
    if (err || r->exit.status != 0)
        rt_doctor_end(&d->base);
    else
        look_for_modules(d);
}

static void problem(void *ctx, const struct rt_error *err) {
    struct doctor *d = ctx;
    rt_doctor_error(&d->base.lines, "bad", "file", err);
}

static void look_at_files(struct doctor *d) {
    struct rt_provider *p = d->provider;
    struct rt_launcher_file f;
    if (rt_launcher_load(p->conf->source_file, &f, problem, d))
        rt_doctor_line(&d->base.lines, "ok", "file", "%s: cluster %s, provider %s", f.path, f.cluster_name, f.type);
    for (size_t i = 0; i < f.warnings.n; i++)
        rt_doctor_line(&d->base.lines, "warn", "file", "%s", f.warnings.v[i]);
    if (f.auth.key && rt_file_exists(f.auth.key))
        rt_doctor_line(&d->base.lines, "ok", "key", "%s", f.auth.key);
    rt_launcher_deinit(&f);
    static const char *const programs[] = {"ssh", "rsync"};
    for (size_t i = 0; i < RT_COUNT(programs); i++) {
        char *path = rt_which(programs[i]);
        rt_doctor_line(&d->base.lines, path ? "ok" : "bad", programs[i], "%s", path ? path : "not found: `ray up` calls it");
        free(path);
    }
}

struct rt_op *launcher_doctor(struct rt_provider *p, void (*done)(void *ctx, const char *lines, const struct rt_error *err), void *ctx) {
    struct doctor *d = rt_doctor_new(sizeof *d, NULL, done, ctx);
    struct rt_strs argv = {0}, env = {0};
    struct rt_error err = {0};
    d->provider = p;
    look_at_files(d);
    if (!launcher_environment(p, &env, &err))
        rt_doctor_line(&d->base.lines, "bad", "environment", "%s", err.message);
    launcher_words(p, &argv);
    rt_strs_add(&argv, "--version");
    const struct rt_proc_opts o = {.argv = (const char *const *)argv.v, .env = (const char *const *)env.v, .timeout_ms = LOOK_MS};
    d->base.look = rt_run(p->env.loop, &o, SAID_MAX, version_told, d);
    rt_strs_deinit(&argv);
    rt_strs_deinit(&env);
    return &d->base.op;
}
