/* Verbs on forwards: forward, unforward, env. */
#include "app/act.h"
#include <stdlib.h>

struct rt_op *run_forward(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    const char *local = rt_call_option(c, "local-port");
    int64_t port = 0;
    if (local && (!rt_parse_i64(local, &port) || port < 1 || port > 65535)) {
        rt_error_set(&err, RT_E_USAGE, "--local-port %s is no port", local);
        return act_answer(a, done, ctx, &err, NULL, " ");
    }
    bool ok = rt_app_attached(a, c->cluster) || rt_app_attach(a, c->cluster, true, &err);
    if (ok && !c->args.n)
        ok = rt_app_forward(a, c->cluster, NULL, 0, &err);
    for (size_t i = 0; ok && i < c->args.n; i++)
        ok = rt_app_forward(a, c->cluster, c->args.v[i], (int)port, &err);
    const struct rt_cluster *cl = rt_store_cluster(a->store, c->cluster);
    struct rt_buf list;
    rt_buf_init(&list, 64 * RT_KIB);
    for (size_t i = 0; cl && i < cl->nforwards; i++)
        rt_buf_addf(&list, "%s%s -> %s", i ? ", " : "", cl->forwards[i].local, cl->forwards[i].to);
    struct rt_op *op = act_answer(a, done, ctx, ok ? NULL : &err, NULL, "%s: %s", c->cluster, rt_buf_str(&list));
    rt_buf_deinit(&list);
    return op;
}

struct rt_op *run_unforward(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    rt_app_forward_close(a, c->args.v[0], &err);
    return act_answer(a, done, ctx, &err, NULL, "%s closed", c->args.v[0]);
}

struct rt_op *run_env(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    struct rt_buf out;
    rt_buf_init(&out, 64 * RT_KIB);
    const bool ok = rt_call_option(c, "host") ? rt_app_env_host(a, c->cluster, &out, &err)
                                              : rt_app_env(a, c->cluster, rt_call_option(c, "jobs") != NULL, &out, &err);
    struct rt_op *op = act_answer(a, done, ctx, ok ? NULL : &err, NULL, "%s", rt_buf_str(&out));
    rt_buf_deinit(&out);
    return op;
}
