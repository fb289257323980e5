/* What would be run, as text for a person. */
#include "base/shell.h"
#include "providers/launcher.h"
#include <stdlib.h>
#include <string.h>

static void command(const struct rt_provider *p, const char *verb, const char *const *more, struct rt_buf *out) {
    struct rt_strs words = {0};
    launcher_words(p, &words);
    rt_strs_add(&words, verb);
    for (; more && *more; more++)
        rt_strs_add(&words, *more);
    rt_shell_words(out, (const char *const *)words.v);
    rt_strs_deinit(&words);
}

static void plan_environment(const struct rt_provider *p, struct rt_buf *out) {
    struct rt_strs env = {0};
    struct rt_error err = {0};
    if (!launcher_environment(p, &env, &err))
        rt_buf_addf(out, "  its environment cannot be made: %s\n", err.message);
    rt_buf_adds(out, "  with");
    for (size_t i = 0; i < env.n; i++)
        rt_buf_addf(out, "%s %.*s", i ? "," : "", (int)strcspn(env.v[i], "="), env.v[i]);
    rt_buf_adds(out, " in its environment\n");
    rt_strs_deinit(&env);
}

static void plan_types(const struct rt_provider *p, struct rt_buf *out) {
    const struct rt_launcher_file *f = &p->file;
    rt_buf_addf(out, "\nCluster %s, provider %s%s%s", f->cluster_name, f->type, f->region ? ", " : "", f->region ? f->region : "");
    if (f->docker.on)
        rt_buf_addf(out, ", in containers of %s", f->docker.head_image ? f->docker.head_image : f->docker.image);
    rt_buf_addf(out, "; at most %lld workers\n", (long long)f->max_workers);
    rt_buf_addf(out, "  head  %s, logged in to as %s\n", launcher_is_local(p) && p->head ? p->head : f->head_type, f->auth.user);
    for (size_t i = 0; i < f->ntypes; i++) {
        const struct rt_launcher_type *t = &f->types[i];
        if (t->head && t->max <= 0)
            continue;
        rt_buf_addf(out, "  %s  %lld to %lld", t->name, (long long)t->min, (long long)t->max);
        for (size_t k = 0; k < t->resources.n; k++)
            rt_buf_addf(out, "%s%s", k ? ", " : "  ", t->resources.v[k]);
        rt_buf_addc(out, '\n');
    }
    for (size_t i = 0; i < f->warnings.n; i++)
        rt_buf_addf(out, "  note: %s\n", f->warnings.v[i]);
}

static void plan_up(const struct rt_provider *p, struct rt_buf *out) {
    char *beside = launcher_beside(p);
    const char *const cold[] = {"-y", p->file.path, NULL}, *const warm[] = {"-y", "--no-restart", p->file.path, NULL};
    rt_buf_addf(out, "In %s:\n  ", beside);
    command(p, "up", p->up ? warm : cold, out);
    rt_buf_addc(out, '\n');
    plan_environment(p, out);
    plan_types(p, out);
    if (p->up || (p->head && !p->probed))
        rt_buf_addf(out, "\n%s it is not restarted, jobs go on. But where node_config, auth or the head's type changed since, `ray up` replaces the\n"
                    "head, and jobs end.\n", p->up ? "Ray runs there:" : "Where Ray runs already");
    free(beside);
}

static void plan_down(const struct rt_provider *p, struct rt_buf *out) {
    const char *const words[] = {"-y", p->file.path, NULL};
    command(p, "down", words, out);
    rt_buf_addc(out, '\n');
    if (launcher_is_local(p))
        rt_buf_addf(out, "Then this cluster's Ray is ended on %zu worker hosts, through the head; the hosts stay.\n", p->file.worker_ips.n);
}

bool launcher_plan(struct rt_provider *p, const char *verb, const struct rt_up_opts *o, struct rt_buf *out, struct rt_error *err) {
    (void)o;
    if (rt_streq(verb, "down")) {
        plan_down(p, out);
        return true;
    }
    if (!launcher_read(p, err) || !rt_launcher_ready(&p->file, err))
        return false;
    plan_up(p, out);
    return true;
}

bool launcher_equivalent(struct rt_provider *p, const char *verb, const char *arg, struct rt_buf *out) {
    const char *const file[] = {p->file.path, NULL}, *const yes[] = {"-y", p->file.path, NULL},
               *const warm[] = {"-y", "--no-restart", p->file.path, NULL};
    if (rt_streq(verb, "down") || rt_streq(verb, "up")) {
        command(p, verb, yes, out);
    } else if (rt_streq(verb, "shell")) {
        command(p, "attach", file, out);
    } else if (rt_streq(verb, "exec") && arg) {
        const char *const words[] = {p->file.path, arg, NULL};
        command(p, "exec", words, out);
    } else if (rt_streq(verb, "scale") && arg) {
        char *pool = rt_strndup(arg, strcspn(arg, " "));
        int64_t n = 0;
        const bool ok = rt_parse_i64(arg + strlen(pool) + (arg[strlen(pool)] == ' '), &n) && launcher_scale_diff(p, pool, n, out);
        free(pool);
        if (!ok)
            return false;
        command(p, "up", warm, out);
    } else {
        return false;
    }
    rt_buf_addc(out, '\n');
    return true;
}
