/* Provider `auto`: not a kind of cluster, but the question which one it is. It looks once on the login node for sbatch and
 * qsub; what it found is remembered, and from then on the cluster is read as one of that provider. */
#include "base/mem.h"
#include "core/provider.h"
#include <stdlib.h>
#include <string.h>

struct auto_config {
    char *login;
};

static const struct rt_yfield auto_fields[] = {
    {.key = "login", .off = offsetof(struct auto_config, login), .type = RT_Y_STR, .wanted = true, .alias = {"resource", "head"},
     .help = "[user@]host of a login node (slurm, pbs) or of the head (ssh); the other fields are those of that provider",
     .example = "me@login.hpc"},
    {0},
};

struct rt_provider {
    struct rt_provider_env env;
    const struct rt_cluster_conf *conf;
};

static const char *login_of(const struct rt_cluster_conf *conf) {
    return ((const struct auto_config *)conf->own)->login;
}

static bool auto_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx) {
    struct rt_error err = {0};
    if (login_of(conf))
        return true;
    rt_ynode_error(conf->node, &err, "the login node is wanted: `login: [user@]host`");
    problem(ctx, &err);
    return false;
}

static void auto_where(const struct rt_cluster_conf *conf, struct rt_buf *out) {
    rt_buf_adds(out, login_of(conf));
}

static struct rt_provider *auto_create(const struct rt_provider_env *env, const struct rt_cluster_conf *conf, struct rt_cluster *cluster,
                                       struct rt_error *err) {
    struct rt_provider *p = RT_NEW(struct rt_provider);
    (void)cluster;
    (void)err;
    p->env = *env;
    p->conf = conf;
    return p;
}

static void auto_destroy(struct rt_provider *p) {
    free(p);
}

static bool auto_endpoint(struct rt_provider *p, enum rt_endpoint_kind kind, struct rt_endpoint *out, struct rt_error *err) {
    (void)kind;
    (void)out;
    rt_error_set(err, RT_E_BUSY, "%s: it is not known yet what %s has, Slurm, PBS or neither", p->conf->name, login_of(p->conf));
    return rt_error_hint(err, "or say `provider: slurm`, `pbs` or `ssh`");
}

/* ---- the look ---- */

struct find {
    struct rt_op op;
    struct rt_op *exec;
    struct rt_provider *provider;
    void (*done)(void *ctx, const char *provider, const struct rt_error *err);
    void *ctx;
};

static void find_cancel(struct rt_op *op) {
    struct find *f = (struct find *)op;
    rt_op_drop(&f->exec);
    free(f);
}

static void found(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    static const char *const known[] = {"slurm", "pbs", "ssh"};
    struct find f = *(struct find *)ctx;
    struct rt_error bad = {0};
    const char *name = NULL;
    free(ctx);
    for (size_t i = 0; !err && i < RT_COUNT(known); i++)
        if (rt_starts(r->out, known[i]))
            name = known[i];
    if (err)
        bad = *err;
    else if (!name)
        rt_error_set(&bad, RT_E_REMOTE, "%s: its login node does not say what it has", f.provider->conf->name);
    f.done(f.ctx, name, name ? NULL : &bad);
}

static struct rt_op *auto_find(struct rt_provider *p, void (*done)(void *ctx, const char *provider, const struct rt_error *err), void *ctx) {
    /* Slurm has wrappers that are called as PBS's commands are: where both are there, Slurm must answer. */
    static const char script[] = "has() { command -v \"$1\" >/dev/null 2>&1 || [ -x \"/opt/pbs/bin/$1\" ]; }\n"
                                 "if has sbatch && { ! has qsub || sinfo --noheader >/dev/null 2>&1; }; then echo slurm\n"
                                 "elif has qsub; then echo pbs\n"
                                 "else echo ssh; fi\n";
    const struct rt_exec_opts o = {.script = script, .login_shell = true};
    struct find *f = RT_NEW(struct find);
    f->op.cancel = find_cancel;
    f->provider = p;
    f->done = done;
    f->ctx = ctx;
    f->exec = rt_hop_exec(p->env.hop, &o, found, f);
    return &f->op;
}

const struct rt_provider_ops rt_provider_auto = {
    .name = "auto",
    .summary = "looks once on a login node whether it has Slurm, PBS or neither",
    .config = auto_fields,
    .config_size = sizeof(struct auto_config),
    .needs_hop = true,
    .check = auto_check,
    .hop_target = login_of,
    .where = auto_where,
    .create = auto_create,
    .destroy = auto_destroy,
    .endpoint = auto_endpoint,
    .find = auto_find,
};
