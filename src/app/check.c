/* The YAML of `ray up` for `raytui check`, without a configuration around it. */
#include "app/app.h"

#include "providers/launcher_file.h"

bool rt_app_is_launcher_file(const char *path) {
    struct rt_ydoc doc;
    struct rt_error ignored = {0};
    const bool read = rt_yaml_load(path, &doc, &ignored);
    const struct rt_ynode *provider = read ? rt_ynode_get(doc.root, "provider") : NULL;
    const bool yes =
        read && !rt_ynode_get(doc.root, "clusters") && (rt_ynode_get(doc.root, "cluster_name") || (provider && provider->kind == RT_Y_MAP));
    rt_yaml_deinit(&doc);
    return yes;
}

void rt_app_check_launcher_file(const char *path, bool again, rt_yproblem_fn *problem, rt_yproblem_fn *warning, void *ctx) {
    struct rt_launcher_file f;
    struct rt_error missing = {0};
    rt_launcher_load(path, &f, again ? NULL : problem, ctx);
    if (!rt_launcher_ready(&f, &missing))
        problem(ctx, &missing);
    for (size_t i = 0; i < f.warnings.n; i++) {
        struct rt_error err = {0};
        rt_error_set(&err, RT_E_CONFIG, "%s", f.warnings.v[i]);
        warning(ctx, &err);
    }
    rt_launcher_deinit(&f);
}
