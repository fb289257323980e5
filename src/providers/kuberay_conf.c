/* The configuration of `kuberay`. */
#include "providers/kuberay.h"
#include "base/shell.h"
#include <string.h>

static const char *const ways[] = {"auto", "service", "forward", NULL};

/* clang-format off */
const struct rt_yfield kuberay_fields[] = {
    {.key = "context", .off = offsetof(struct kuberay_config, context), .type = RT_Y_STR,
     .help = "context of the kubeconfig (default: the current one)", .example = "gke-prod", .wanted = true},
    {.key = "namespace", .alias = {"namespaces"}, .off = offsetof(struct kuberay_config, spaces), .type = RT_Y_STRS,
     .help = "namespace of the RayCluster (default: the context's); a list or \"*\": looked for in all", .example = "ray", .wanted = true},
    {.key = "name", .off = offsetof(struct kuberay_config, name), .type = RT_Y_STR,
     .help = "name of the RayCluster (default: this cluster's name)", .example = "prod"},
    {.key = "service", .off = offsetof(struct kuberay_config, service), .type = RT_Y_STR,
     .help = "instead of a RayCluster: a service with a dashboard port, such as NAME-head-svc of a RayService", .example = "prod-head-svc"},
    {.key = "kubeconfig", .off = offsetof(struct kuberay_config, kubeconfig), .type = RT_Y_STR,
     .help = "kubeconfig file (default: as kubectl finds it)", .example = "~/.kube/config"},
    {.key = "dashboard", .off = offsetof(struct kuberay_config, via), .type = RT_Y_ENUM, .names = ways,
     .help = "how it is reached: the API server's service proxy, a port-forward, or what works (auto)", .example = "auto"},
    KUBERAY_MAKE_FIELDS(struct kuberay_config, make),
    {0},
};
/* clang-format on */

/* DNS-1123 labels: what namespaces and our objects are called. They become part of paths. */
static bool name_ok(const char *s) {
    return !s || (*s && strlen(s) <= 63 && strspn(s, "abcdefghijklmnopqrstuvwxyz0123456789-") == strlen(s) && *s != '-');
}

static bool bad(const struct rt_cluster_conf *conf, const char *key, const char *value, rt_yproblem_fn *problem, void *ctx) {
    const struct rt_ynode *at = rt_ynode_get(conf->node, key);
    struct rt_error err;
    rt_ynode_error(at ? at : conf->node, &err, "%s: %s is no name in a Kubernetes (a-z, 0-9 and -, at most 63)", key, value);
    problem(ctx, &err);
    return false;
}

bool kuberay_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx) {
    const struct kuberay_config *own = conf->own;
    bool ok = kuberay_make_check(conf, &own->make, problem, ctx);
    if (!name_ok(own->name))
        ok = bad(conf, "name", own->name, problem, ctx);
    if (!name_ok(own->service))
        ok = bad(conf, "service", own->service, problem, ctx);
    for (size_t i = 0; i < own->spaces.n; i++)
        if (!name_ok(own->spaces.v[i]) && !rt_streq(own->spaces.v[i], "*"))
            ok = bad(conf, "namespace", own->spaces.v[i], problem, ctx);
    return ok;
}

/* kubectl's own template decodes it: the token is on no command line. */
char *kuberay_token_command(struct rt_provider *p) {
    if (!p->seen.token_auth || !p->space)
        return NULL;
    struct rt_strs argv = {0};
    rt_kube_argv(p->kube, &argv);
    rt_strs_add(&argv, "get");
    rt_strs_add(&argv, "secret");
    rt_strs_add(&argv, p->seen.token_secret);
    rt_strs_add(&argv, "--namespace");
    rt_strs_add(&argv, p->space);
    rt_strs_add(&argv, "-o");
    rt_strs_add(&argv, "go-template={{.data.auth_token | base64decode}}");
    char *line = rt_shell_join((const char *const *)argv.v);
    rt_strs_deinit(&argv);
    return line;
}
