/* The form of a new cluster: a provider, a name, the fields that matter for that provider, and the text that would be
 * written. The fields are those of the provider's own table. */
#include "ui/form.h"
#include "ui/views.h"

#include "base/fs.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/provider.h"
#include "ui/tools.h"
#include <stdlib.h>
#include <string.h>

enum { PROVIDERS_MAX = 32, OWN = 2 /* fields of the form itself */ };

struct fields {
    struct rt_init_field from[RT_FORM_FIELDS];
    struct rt_form_field list[RT_FORM_FIELDS + 1];
};

struct init_own {
    struct rt_form *form;
    struct rt_op *asking;              /* what may stand in `asked` */
    size_t asked;                      /* index of that field */
    struct rt_strs words;              /* the answer: its choices */
    const char *names[PROVIDERS_MAX];
    const struct rt_provider_ops *ops; /* whose fields are shown; NULL */
    struct fields fields[2];           /* the form has one of them */
    size_t shown;
};

static const char *const booleans[] = {"true", "false", NULL};

static const struct rt_provider_ops *provider(const struct rt_form *f) {
    return rt_provider_find(rt_providers, rt_form_get(f, "provider"));
}

/* ---- fields ---- */

static void make_fields(struct init_own *own, struct fields *to) {
    const size_t n = own->ops ? rt_app_init_fields(own->ops, to->from, RT_FORM_FIELDS - OWN) : 0;
    to->list[0] = (struct rt_form_field){.id = "provider", .label = "provider", .choices = own->names};
    to->list[1] = (struct rt_form_field){.id = "name", .label = "name", .example = "a-z 0-9 -"};
    for (size_t i = 0; i < n; i++) {
        const struct rt_yfield *y = to->from[i].field;
        to->list[OWN + i] = (struct rt_form_field){
            .id = to->from[i].key,
            .label = to->from[i].key,
            .example = y->example,
            .help = y->help,
            .choices = y->type == RT_Y_ENUM ? y->names : y->type == RT_Y_BOOL ? booleans : NULL,
        };
    }
    to->list[OWN + n] = (struct rt_form_field){0};
}

static void got_choices(void *ctx, const struct rt_strs *words, const struct rt_error *err) {
    struct init_own *own = ctx;
    struct rt_form_field *field = &own->fields[own->shown].list[own->asked];
    own->asking = NULL;
    if (err || !words->n) {
        rt_form_note(own->form, field->id, err ? "what there is cannot be asked for" : "there is none");
    } else {
        rt_strs_copy(&own->words, words);
        field->choices = (const char *const *)own->words.v;
        rt_form_note(own->form, field->id, words->n == 1 ? "one is there" : "Space: those that are there");
    }
    rt_ui_mark(own->form->view.ui);
}

/* One field at most is asked for: the first of which the provider knows more. */
static void ask_choices(struct rt_form *f) {
    struct init_own *own = f->own;
    const struct rt_form_field *list = own->fields[own->shown].list;
    rt_op_drop(&own->asking);
    rt_strs_deinit(&own->words);
    for (own->asked = OWN; list[own->asked].id && !own->asking; own->asked++)
        own->asking = rt_app_choices(rt_ui_app(f->view.ui), own->ops, NULL, list[own->asked].id, got_choices, own);
    own->asked -= own->asking != NULL;
}

static void show_fields(struct rt_form *f) {
    struct init_own *own = f->own;
    const struct rt_provider_ops *ops = provider(f);
    if (!ops || ops == own->ops)
        return;
    own->ops = ops;
    own->shown = !own->shown;
    make_fields(own, &own->fields[own->shown]);
    rt_form_set_fields(f, own->fields[own->shown].list);
    ask_choices(f);
}

/* "KEY=VALUE" of what is filled in. */
static void filled(const struct rt_form *f, struct rt_strs *out) {
    for (size_t i = OWN; i < f->n; i++) {
        const char *text = rt_input_text(&f->inputs[i]);
        text += strspn(text, " ");
        size_t n = strlen(text);
        while (n && text[n - 1] == ' ')
            n--;
        if (n)
            rt_strs_addf(out, "%s=%.*s", f->fields[i].id, (int)n, text);
    }
}

/* ---- what it does ---- */

static bool init_call(struct rt_form *f, struct rt_call *out, struct rt_error *err) {
    const char *name = rt_form_get(f, "name");
    struct rt_strs words = {0};
    show_fields(f);
    if (!*name) {
        f->at = 1;
        return rt_error_set(err, RT_E_USAGE, "the name is empty");
    }
    rt_strs_add(&words, "init");
    rt_strs_add(&words, rt_form_get(f, "provider"));
    rt_strs_add(&words, name);
    filled(f, &words);
    const bool ok = rt_call_parse(rt_ui_app(f->view.ui), (const char *const *)words.v, NULL, out, err);
    rt_strs_deinit(&words);
    return ok;
}

static void init_preview(struct rt_form *f) {
    struct rt_error err = {0};
    struct rt_strs set = {0};
    const struct rt_provider_ops *ops = provider(f);
    const char *name = rt_form_get(f, "name");
    show_fields(f);
    rt_form_clear_lines(f);
    filled(f, &set);
    if (!ops)
        rt_form_say(f, RT_R_STATUS_WARN, "no such provider - Space steps through them");
    else if (*name && !rt_cluster_name_ok(name, rt_action_names(), &err))
        rt_form_fail(f, &err);
    else if (set.n && !rt_app_init_check(*name ? name : "new", ops, &set, &err))
        rt_form_say(f, RT_R_STATUS_WARN, err.message);
    else
        rt_form_say(f, RT_R_DIM, ops->summary);
    rt_strs_deinit(&set);
}

/* What is written besides, each under its name. */
static void more_files(const char *name, const struct rt_provider_ops *provider_ops, const struct rt_strs *set, struct rt_buf *out) {
    struct rt_init_files files = {0};
    struct rt_error ignored = {0};
    rt_app_init_files(name, provider_ops, set, &files, &ignored);
    for (size_t i = 0; i < files.n; i++)
        rt_buf_addf(out, "\n---- %s ----\n%s", files.v[i].name, rt_buf_str(&files.v[i].text));
    rt_init_files_deinit(&files);
}

static void init_request(struct rt_form *f, struct rt_buf *out) {
    struct rt_strs set = {0};
    const struct rt_provider_ops *ops = provider(f);
    const char *name = rt_form_get(f, "name");
    show_fields(f);
    filled(f, &set);
    if (ops) {
        rt_app_init_text(*name ? name : "NAME", ops, &set, out);
        more_files(*name ? name : "NAME", ops, &set, out);
    } else {
        rt_buf_adds(out, "no such provider");
    }
    rt_strs_deinit(&set);
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
    struct init_own *own = f->own;
    rt_op_drop(&own->asking);
    rt_strs_deinit(&own->words);
    free(own);
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
    make_fields(own, &own->fields[own->shown]);
    struct rt_form *f = rt_form_create(ui, &ops, own->fields[own->shown].list, "new cluster", NULL);
    f->own = own;
    own->form = f;
    rt_form_fill(f, "provider", own->names[0]);
    init_preview(f);
    return &f->view;
}
