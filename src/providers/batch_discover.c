/* Clusters of batch jobs that a login node knows, whichever laptop made them: slurm://[user@]host. */
#include "providers/batch_impl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char list[] =
    "for d in \"$HOME\"/.raytui/*/; do\n"
    "    d=${d%/} id=''\n"
    "    [ -r \"$d/jobs/head/id\" ] && read -r id <\"$d/jobs/head/id\" || continue\n"
    "    if b_lives \"$id\"; then state='lives'; elif [ $? = 1 ]; then state='has ended'; else state='is not known'; fi\n"
    "    echo \"${d##*/} $id $state\"\n"
    "done\n";

struct discover {
    struct rt_op op;
    const struct batch_dialect *dialect;
    struct rt_hop *hop;
    struct rt_op *script;
    char *login;
    void (*found)(void *ctx, const char *target, const char *text);
    void (*done)(void *ctx, const struct rt_error *err);
    void *ctx;
};

static void end(struct discover *d) {
    rt_op_drop(&d->script);
    rt_hop_destroy(d->hop);
    free(d->login);
    free(d);
}

static void cancel(struct rt_op *op) {
    end((struct discover *)op);
}

static void tell(const struct discover *d, const char *line) {
    struct rt_error ignored = {0};
    char name[48], id[48], state[24];
    if (sscanf(line, "%47s %47s %23[a-z ]", name, id, state) != 3 || !rt_cluster_name_ok(name, NULL, &ignored) || !d->dialect->id_ok(id))
        return;
    char *target = rt_strf("%s://%s/%s", d->dialect->name, d->login, name);
    char *text = rt_strf("%s: its job %s %s", name, id, state);
    d->found(d->ctx, target, text);
    free(target);
    free(text);
}

static void told(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct discover *d = ctx;
    struct rt_error e = err ? *err : (struct rt_error){0};
    void (*done)(void *, const struct rt_error *) = d->done;
    void *done_ctx = d->ctx;
    d->script = NULL;
    for (const char *at = err ? "" : r->out; *at;) {
        const size_t n = strcspn(at, "\n");
        char *line = rt_strndup(at, n);
        tell(d, line);
        free(line);
        at += n + (at[n] == '\n');
    }
    end(d);
    done(done_ctx, err ? &e : NULL);
}

struct rt_op *batch_discover_at(const struct batch_dialect *dialect, const struct rt_provider_env *env, const char *where,
                                void (*found)(void *ctx, const char *target, const char *text),
                                void (*done)(void *ctx, const struct rt_error *err), void *ctx) {
    char *scheme = rt_strf("%s://", dialect->name);
    const char *login = rt_starts(where, scheme) ? where + strlen(scheme) : NULL;
    free(scheme);
    if (!login || !far_host_ok(login))
        return NULL;
    struct discover *d = RT_NEW(struct discover);
    const struct rt_hop_opts hop = {.name = login, .target = login, .asker = env->asker};
    struct rt_buf b;
    d->op.cancel = cancel;
    d->dialect = dialect;
    d->login = rt_strdup(login);
    d->found = found;
    d->done = done;
    d->ctx = ctx;
    d->hop = rt_hop_create(env->loop, &hop, NULL, NULL);
    rt_hop_open(d->hop, true);
    rt_buf_init(&b, RT_MIB);
    rt_buf_adds(&b, "{\n");
    rt_buf_adds(&b, dialect->login_shell);
    rt_buf_adds(&b, list);
    rt_buf_adds(&b, "} </dev/null\n");
    const struct rt_exec_opts o = {.script = rt_buf_str(&b), .login_shell = true};
    d->script = rt_hop_exec(d->hop, &o, told, d);
    rt_buf_deinit(&b);
    return &d->op;
}
