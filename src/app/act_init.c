/* init: a commented configuration made from the provider's own field table. */
#include "app/act.h"
#include "base/fs.h"
#include <stdlib.h>
#include <string.h>

static void field_lines(struct rt_buf *b, const struct rt_yfield *f, int indent, bool comment) {
    for (; f && f->key; f++) {
        rt_buf_addf(b, "%*s%s%s:", indent, "", comment && !f->wanted ? "# " : "", f->key);
        if (f->example)
            rt_buf_addf(b, " %s", f->example);
        rt_buf_addf(b, "%s%s\n", f->help ? "  # " : "", f->help ? f->help : "");
        if (f->type == RT_Y_STRUCT && !f->example)
            field_lines(b, f->sub, indent + 2, comment);
    }
}

static void about_lines(struct rt_buf *b, const char *text) {
    while (text && *text) {
        const size_t n = strcspn(text, "\n");
        rt_buf_addf(b, "# %.*s\n", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

void rt_app_init_text(const char *name, const struct rt_provider_ops *ops, struct rt_buf *b) {
    rt_buf_addf(b, "# %s: %s.\n", name, ops->summary);
    about_lines(b, ops->about);
    rt_buf_adds(b, "# Fields in comments show an example; what is left out has a good default.\n");
    rt_buf_addf(b, "clusters:\n  %s:\n    provider: %s\n", name, ops->name);
    field_lines(b, ops->config, 4, true);
    rt_buf_adds(b, "    # for every provider:\n");
    for (const struct rt_yfield *f = rt_cluster_fields; f->key; f++)
        if (!rt_streq(f->key, "provider") && f->help && !f->inert && (!f->need || ops->caps & f->need))
            rt_buf_addf(b, "    # %s: %s  # %s\n", f->key, f->example ? f->example : "", f->help);
}

struct rt_op *run_init(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    const char *kind = c->args.n ? c->args.v[0] : NULL;
    const struct rt_provider_ops *ops = kind ? rt_provider_find(rt_providers, kind) : NULL;
    const char *name = c->args.n > 1 ? c->args.v[1] : kind;
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
    struct rt_buf text;
    rt_buf_init(&text, RT_MIB);
    rt_app_init_text(name, ops, &text);
    if (there && there->file && !rt_streq(there->file, file)) {
        rt_error_set(&err, RT_E_CONFLICT, "%s is configured already at %s:%d", name, there->file, there->line);
    } else if (rt_file_exists(file) && !rt_call_option(c, "force")) {
        rt_error_set(&err, RT_E_CONFLICT, "%s is there already", file);
        rt_error_hint(&err, "another name, or --force");
    } else if (rt_file_write(file, rt_buf_str(&text), text.len, &err)) {
        rt_app_reload(a);
    }
    struct rt_op *op = act_answer(a, done, ctx, &err, NULL, "wrote %s - edit it, then `raytui %s%s`", file,
                                  ops->caps & RT_CAP_UP ? "up " : "", name);
    rt_buf_deinit(&text);
    free(file);
    free(dir);
    return op;
}
