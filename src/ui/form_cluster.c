/* The small forms: attach to an address, set the size of a pool, forward a port. */
#include "ui/form.h"
#include "ui/views.h"

#include "base/shell.h"
#include "base/str.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A call from words, as if they were typed. */
static bool parse(struct rt_form *f, const char *const *words, struct rt_call *out, struct rt_error *err) {
    return rt_call_parse(rt_ui_app(f->view.ui), words, NULL, out, err);
}

static bool filled(struct rt_form *f, const char *id, struct rt_error *err) {
    const char *text = rt_form_get(f, id);
    return text[strspn(text, " ")] || rt_error_set(err, RT_E_USAGE, "%s is empty", id);
}

static char *trimmed(const struct rt_form *f, const char *id) {
    const char *text = rt_form_get(f, id);
    text += strspn(text, " ");
    size_t n = strlen(text);
    while (n && text[n - 1] == ' ')
        n--;
    return rt_strndup(text, n);
}

/* ---- attach ---- */

static const struct rt_form_field attach_fields[] = {
    {.id = "address", .label = "address", .example = "http://HOST:8265, ssh://[USER@]HOST, HOST:8265, local, a file"},
    {0},
};

static bool attach_call(struct rt_form *f, struct rt_call *out, struct rt_error *err) {
    if (!filled(f, "address", err))
        return false;
    char *address = trimmed(f, "address");
    const bool ok = parse(f, (const char *const[]){"attach", address, NULL}, out, err);
    free(address);
    return ok;
}

/* Shows the cluster that was opened. */
static char *attach_done(struct rt_form *f, const char *result, bool follow) {
    struct rt_error err = {0};
    (void)result;
    (void)follow;
    char *address = trimmed(f, "address");
    const char *name = rt_app_target(rt_ui_app(f->view.ui), address, &err);
    free(address);
    if (!name)
        return NULL;
    rt_ui_set_cluster(f->view.ui, name);
    return rt_shell_join((const char *const[]){"jobs", name, NULL});
}

static void attach_request(struct rt_form *f, struct rt_buf *out) {
    char *address = trimmed(f, "address");
    rt_buf_adds(out, "raytui attach ");
    rt_shell_word(out, *address ? address : "ADDRESS");
    rt_buf_adds(out, "\n\nTo keep it, in ~/.config/raytui/config.yaml:\n\nclusters:\n  NAME:\n    provider: address\n    url: ");
    rt_buf_addf(out, "%s\n", *address ? address : "http://HOST:8265");
    free(address);
}

static const struct rt_form_ops attach_ops = {
    .name = "attach-form",
    .verb = "attach",
    .show = "the command",
    .call = attach_call,
    .request = attach_request,
    .done = attach_done,
};

struct rt_view *rt_form_attach(struct rt_ui *ui) {
    struct rt_form *f = rt_form_create(ui, &attach_ops, attach_fields, "attach to a cluster", NULL);
    rt_form_say(f, RT_R_DIM, "A dashboard's URL, a host to reach through SSH (its own ~/.ssh/config holds), or a configured name.");
    return &f->view;
}

/* ---- scale ---- */

static const struct rt_form_field scale_fields[] = {
    {.id = "nodes", .label = "nodes", .example = "8, +2, -1", .cols = 12},
    {.id = "min", .label = "min", .cols = 12},
    {.id = "max", .label = "max", .cols = 12},
    {0},
};

struct scale_own {
    char *pool, *min, *max; /* limits as they were */
};

static void number_text(int64_t n, char **out) {
    *out = n >= 0 ? rt_strf("%lld", (long long)n) : rt_strdup("");
}

static bool scale_call(struct rt_form *f, struct rt_call *out, struct rt_error *err) {
    const struct scale_own *own = f->own;
    struct rt_strs words = {0};
    char *nodes = trimmed(f, "nodes"), *min = trimmed(f, "min"), *max = trimmed(f, "max");
    bool ok = filled(f, "nodes", err);
    rt_strs_add(&words, "scale");
    rt_strs_add(&words, f->view.cluster);
    rt_strs_add(&words, own->pool);
    rt_strs_add(&words, nodes);
    if (*min && !rt_streq(min, own->min))
        rt_strs_addf(&words, "--min=%s", min);
    if (*max && !rt_streq(max, own->max))
        rt_strs_addf(&words, "--max=%s", max);
    ok = ok && parse(f, (const char *const *)words.v, out, err);
    rt_strs_deinit(&words);
    free(nodes);
    free(min);
    free(max);
    return ok;
}

static void scale_preview(struct rt_form *f) {
    struct rt_call c = {0};
    struct rt_confirmation q = {0};
    struct rt_error err = {0};
    rt_form_clear_lines(f);
    if (scale_call(f, &c, &err) && rt_call_ready(rt_ui_app(f->view.ui), &c, &err) &&
        rt_call_ask(rt_ui_app(f->view.ui), &c, &q, &err)) {
        char *what = rt_strndup(q.title ? q.title : "", strcspn(q.title ? q.title : "", "?")); /* it is no question yet */
        rt_form_say(f, RT_R_DIM, what);
        free(what);
        for (char *line = q.text; line && *line;) {
            char *end = strchr(line, '\n');
            if (end)
                *end = '\0';
            rt_form_say(f, q.grade == RT_CONFIRM_NONE ? RT_R_DIM : RT_R_STATUS_WARN, line);
            line = end ? end + 1 : NULL;
        }
    } else {
        rt_form_fail(f, &err);
    }
    rt_confirmation_deinit(&q);
    rt_call_deinit(&c);
}

static void scale_destroy(struct rt_form *f) {
    struct scale_own *own = f->own;
    free(own->pool);
    free(own->min);
    free(own->max);
    free(own);
}

static const struct rt_form_ops scale_ops = {
    .name = "scale-form",
    .verb = "set",
    .show = "the command",
    .cols = 72,
    .call = scale_call,
    .preview = scale_preview,
    .destroy = scale_destroy,
};

struct rt_view *rt_form_scale(struct rt_ui *ui, const char *cluster, const char *pool) {
    const struct rt_cluster *c = rt_store_cluster(rt_ui_app(ui)->store, cluster);
    const struct rt_pool *p = c ? rt_store_pool(c, pool) : NULL;
    char *title = rt_strf("pool %s of %s", pool, cluster), *now = NULL, note[64];
    struct rt_form *f = rt_form_create(ui, &scale_ops, scale_fields, title, cluster);
    struct scale_own *own = RT_NEW(struct scale_own);
    f->own = own;
    own->pool = rt_strdup(pool);
    number_text(p ? p->min : -1, &own->min);
    number_text(p ? p->max : -1, &own->max);
    number_text(!p ? -1 : p->desired >= 0 ? p->desired : p->ready, &now);
    rt_form_fill(f, "nodes", now);
    rt_form_fill(f, "min", own->min);
    rt_form_fill(f, "max", own->max);
    if (p) {
        snprintf(note, sizeof note, "%lld ready now", (long long)p->ready);
        rt_form_say(f, RT_R_DIM, note);
    }
    rt_form_changed(f); /* a pool that cannot be scaled says so at once */
    free(now);
    free(title);
    return &f->view;
}

/* ---- a pool more ---- */

struct pool_own {
    struct rt_form *form;
    struct rt_op *asking;   /* which values there are of the provider's pool_choice */
    struct rt_strs words;   /* the answer */
    struct rt_form_field fields[8];
};

static const struct rt_form_field pool_fields[] = {
    {.id = "name", .label = "name", .example = "gpu", .cols = 24},
    {.id = "like", .label = "like pool", .example = "what is not said is as of that one", .cols = 32},
    {.id = "nodes", .label = "nodes", .example = "1", .cols = 12},
    {.id = "max", .label = "max", .example = "as many", .cols = 12},
    {.id = "more", .label = "KEY=VALUE..."},
    {0},
};
enum { POOL_MORE = 4 /* its index */ };

static bool pool_call(struct rt_form *f, struct rt_call *out, struct rt_error *err) {
    struct rt_strs words = {0};
    char *name = trimmed(f, "name"), *more = trimmed(f, "more");
    rt_strs_add(&words, "add-pool");
    rt_strs_add(&words, f->view.cluster);
    rt_strs_add(&words, name);
    for (size_t i = 1; i + 1 < f->n; i++) { /* between name and more */
        char *value = trimmed(f, f->fields[i].id);
        if (*value)
            rt_strs_addf(&words, "%s=%s", f->fields[i].id, value);
        free(value);
    }
    const bool ok = filled(f, "name", err) && rt_split_words(more, &words, err) && parse(f, (const char *const *)words.v, out, err);
    rt_strs_deinit(&words);
    free(name);
    free(more);
    return ok;
}

static void got_pool_choices(void *ctx, const struct rt_strs *words, const struct rt_error *err) {
    struct pool_own *own = ctx;
    struct rt_form_field *field = &own->fields[POOL_MORE];
    own->asking = NULL;
    if (!err) {
        rt_strs_copy(&own->words, words);
        field->choices = words->n ? (const char *const *)own->words.v : NULL;
    }
    rt_form_note(own->form, field->id, err ? "what there is cannot be asked for" : words->n ? "Space: those that are there" : "there is none");
    rt_ui_mark(own->form->view.ui);
}

/* The provider's own field stands before what is typed freely. */
static void make_pool_fields(struct pool_own *own, const struct rt_provider_ops *ops) {
    memcpy(own->fields, pool_fields, sizeof pool_fields);
    if (!ops || !ops->pool_choice)
        return;
    memmove(own->fields + POOL_MORE + 1, own->fields + POOL_MORE, 2 * sizeof *own->fields);
    own->fields[POOL_MORE] = (struct rt_form_field){.id = ops->pool_choice, .label = ops->pool_choice};
}

static void pool_destroy(struct rt_form *f) {
    struct pool_own *own = f->own;
    rt_op_drop(&own->asking);
    rt_strs_deinit(&own->words);
    free(own);
}

static const struct rt_form_ops pool_ops = {
    .name = "add-pool-form",
    .verb = "add",
    .show = "the command",
    .call = pool_call,
    .destroy = pool_destroy,
};

struct rt_view *rt_form_add_pool(struct rt_ui *ui, const char *cluster) {
    const struct rt_cluster *c = rt_store_cluster(rt_ui_app(ui)->store, cluster);
    const struct rt_provider_ops *ops = c ? rt_provider_find(rt_providers, c->provider) : NULL;
    char *title = rt_strf("add a pool to %s", cluster);
    struct pool_own *own = RT_NEW(struct pool_own);
    make_pool_fields(own, ops);
    struct rt_form *f = rt_form_create(ui, &pool_ops, own->fields, title, cluster);
    f->own = own;
    own->form = f;
    if (ops && ops->pool_choice)
        own->asking = rt_app_choices(rt_ui_app(ui), ops, cluster, ops->pool_choice, got_pool_choices, own);
    if (ops && ops->pool_words)
        rt_form_say(f, RT_R_DIM, ops->pool_words);
    free(title);
    return &f->view;
}

/* ---- forward ---- */

static const struct rt_form_field forward_fields[] = {
    {.id = "port", .label = "port of the head", .example = "8265, 10001, 3000, HOST:PORT"},
    {.id = "local", .label = "local port", .example = "the same, or the next free one", .cols = 32},
    {0},
};

static bool forward_call(struct rt_form *f, struct rt_call *out, struct rt_error *err) {
    struct rt_strs words = {0};
    char *port = trimmed(f, "port"), *local = trimmed(f, "local");
    bool ok = filled(f, "port", err);
    rt_strs_add(&words, "forward");
    rt_strs_add(&words, f->view.cluster);
    rt_strs_add(&words, port);
    if (*local)
        rt_strs_addf(&words, "--local-port=%s", local);
    ok = ok && parse(f, (const char *const *)words.v, out, err);
    rt_strs_deinit(&words);
    free(port);
    free(local);
    return ok;
}

static const struct rt_form_ops forward_ops = {
    .name = "forward-form",
    .verb = "forward",
    .show = "the command",
    .cols = 72,
    .call = forward_call,
};

struct rt_view *rt_form_forward(struct rt_ui *ui, const char *cluster) {
    char *title = rt_strf("forward a port of %s", cluster);
    struct rt_form *f = rt_form_create(ui, &forward_ops, forward_fields, title, cluster);
    free(title);
    return &f->view;
}
