/* init: a commented configuration of a new cluster, into a file of its own. */
#include "app/act.h"
#include "base/fs.h"
#include "base/mem.h"
#include <stdlib.h>
#include <string.h>

/* A file that is there is somebody's work: it stays, whatever was said. `text` gets what was done. */
static bool write_files(const char *dir, const struct rt_init_files *files, struct rt_buf *text, struct rt_error *err) {
    bool ok = true;
    for (size_t i = 0; ok && i < files->n; i++) {
        const struct rt_init_file *f = &files->v[i];
        char *path = rt_path_join(dir, f->name);
        const bool there = rt_file_exists(path);
        ok = there || rt_file_write(path, rt_buf_str(&f->text), f->text.len, err);
        rt_buf_addf(text, there ? ", %s stays as it was" : ", %s", path);
        free(path);
    }
    return ok;
}

struct rt_op *run_init(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    const char *kind = c->args.n ? c->args.v[0] : NULL;
    const struct rt_provider_ops *ops = kind ? rt_provider_find(rt_providers, kind) : NULL;
    const bool named = c->args.n > 1 && !strchr(c->args.v[1], '=');
    const char *name = named ? c->args.v[1] : kind;
    const struct rt_strs set = {.v = c->args.v + 1 + named, .n = c->args.n > 1 ? c->args.n - 1 - named : 0};
    if (!ops) {
        struct rt_buf list;
        rt_buf_init(&list, RT_KIB);
        for (size_t i = 0; rt_providers[i]; i++)
            rt_buf_addf(&list, "%s%s", i ? ", " : "", rt_providers[i]->name);
        rt_error_set(&err, RT_E_USAGE, kind ? "no provider %s" : "which provider?%.0s", kind ? kind : "");
        rt_error_hint(&err, "there are: %s", rt_buf_str(&list));
        rt_buf_deinit(&list);
        return act_answer(a, done, ctx, &err, NULL, " ");
    }
    if (!rt_cluster_name_ok(name, rt_action_names(), &err)) {
        err.code = RT_E_USAGE;
        return act_answer(a, done, ctx, &err, NULL, " ");
    }
    char *dir = rt_path(RT_DIR_CONFIG, "clusters.d"), *file = rt_strf("%s/%s.yaml", dir, name);
    const struct rt_cluster_conf *there = rt_config_cluster(a->config, name);
    struct rt_buf text, more;
    struct rt_init_files files = {0};
    rt_buf_init(&text, RT_MIB);
    rt_buf_init(&more, 16 * RT_KIB);
    rt_app_init_text(name, ops, &set, &text);
    if (set.n && !rt_app_init_check(name, ops, &set, &err)) {
        rt_error_wrap(&err, "%s", name);
    } else if (there && there->file && !rt_streq(there->file, file)) {
        rt_error_set(&err, RT_E_CONFLICT, "%s is configured already at %s:%d", name, there->file, there->line);
    } else if (rt_file_exists(file) && !rt_call_option(c, "force")) {
        rt_error_set(&err, RT_E_CONFLICT, "%s is there already", file);
        rt_error_hint(&err, "another name, or --force");
    } else if (rt_app_init_files(name, ops, &set, &files, &err) && write_files(dir, &files, &more, &err) &&
               rt_file_write(file, rt_buf_str(&text), text.len, &err)) {
        rt_app_reload(a);
    }
    struct rt_op *op = act_answer(a, done, ctx, &err, NULL, "wrote %s%s - edit %s, then `raytui %s%s`", file, rt_buf_str(&more),
                                  files.n ? "them" : "it", ops->caps & RT_CAP_UP ? "up " : "", name);
    rt_init_files_deinit(&files);
    rt_buf_deinit(&more);
    rt_buf_deinit(&text);
    free(file);
    free(dir);
    return op;
}
