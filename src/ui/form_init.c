/* The form of a new cluster: a provider, a name, and the text that would be written. */
#include "ui/form.h"
#include "ui/views.h"

#include "base/fs.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/provider.h"
#include "ui/tools.h"
#include <stdlib.h>
#include <string.h>

enum { PROVIDERS_MAX = 32 };

struct init_own {
    const char *names[PROVIDERS_MAX];
    struct rt_form_field fields[3];
};

static const struct rt_provider_ops *provider(const struct rt_form *f) {
    return rt_provider_find(rt_providers, rt_form_get(f, "provider"));
}

static bool init_call(struct rt_form *f, struct rt_call *out, struct rt_error *err) {
    const char *name = rt_form_get(f, "name"), *kind = rt_form_get(f, "provider");
    if (!*name) {
        f->at = 1;
        return rt_error_set(err, RT_E_USAGE, "the name is empty");
    }
    return rt_call_parse(rt_ui_app(f->view.ui), (const char *const[]){"init", kind, name, NULL}, NULL, out, err);
}

static void init_preview(struct rt_form *f) {
    struct rt_error err = {0};
    const struct rt_provider_ops *ops = provider(f);
    const char *name = rt_form_get(f, "name");
    rt_form_clear_lines(f);
    if (!ops)
        rt_form_say(f, RT_R_STATUS_WARN, "no such provider - Space steps through them");
    else if (*name && !rt_cluster_name_ok(name, rt_action_names(), &err))
        rt_form_fail(f, &err);
    else
        rt_form_say(f, RT_R_DIM, ops->summary);
}

static void init_request(struct rt_form *f, struct rt_buf *out) {
    const struct rt_provider_ops *ops = provider(f);
    const char *name = rt_form_get(f, "name");
    if (ops)
        rt_app_init_text(*name ? name : "NAME", ops, out);
    else
        rt_buf_adds(out, "no such provider");
}

/* F3: the file in the editor, then it is read. */
static char *init_done(struct rt_form *f, const char *result, bool follow) {
    struct rt_error err = {0};
    (void)result;
    if (!follow)
        return NULL;
    char *dir = rt_path(RT_DIR_CONFIG, "clusters.d"), *path = rt_strf("%s/%s.yaml", dir, rt_form_get(f, "name"));
    if (!rt_tool_edit(f->view.ui, path, 0, &err))
        rt_ui_error(f->view.ui, &err);
    else if (!rt_app_reload(rt_ui_app(f->view.ui)))
        rt_ui_error(f->view.ui, &rt_ui_app(f->view.ui)->config->problems[0]);
    free(path);
    free(dir);
    return NULL;
}

static void init_destroy(struct rt_form *f) {
    free(f->own);
}

static const struct rt_form_ops ops = {
    .name = "init-form",
    .verb = "write",
    .follow = "write and edit",
    .show = "the text",
    .cols = 76,
    .call = init_call,
    .preview = init_preview,
    .request = init_request,
    .done = init_done,
    .destroy = init_destroy,
};

struct rt_view *rt_form_init(struct rt_ui *ui) {
    struct init_own *own = RT_NEW(struct init_own);
    for (size_t i = 0; rt_providers[i] && i + 1 < PROVIDERS_MAX; i++)
        own->names[i] = rt_providers[i]->name;
    own->fields[0] = (struct rt_form_field){.id = "provider", .label = "provider", .choices = own->names};
    own->fields[1] = (struct rt_form_field){.id = "name", .label = "name", .example = "a-z 0-9 -"};
    struct rt_form *f = rt_form_create(ui, &ops, own->fields, "new cluster", NULL);
    f->own = own;
    rt_form_fill(f, "provider", own->names[0]);
    init_preview(f);
    return &f->view;
}
