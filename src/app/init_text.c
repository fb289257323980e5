/* The configuration that `init` and the form of a new cluster write: made from the provider's own field table. */
#include "app/act.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool of_every_provider(const struct rt_yfield *f, const struct rt_provider_ops *ops) {
    return !rt_streq(f->key, "provider") && f->help && (!f->need || ops->caps & f->need);
}

/* ---- what is asked for ---- */

static size_t asked(const struct rt_yfield *table, const char *prefix, struct rt_init_field *out, size_t n, size_t max) {
    for (const struct rt_yfield *f = table; f && f->key; f++) {
        if (f->type == RT_Y_STRUCT && !*prefix)
            n = asked(f->sub, f->key, out, n, max);
        if (n == max || !(f->wanted || f->form))
            continue;
        snprintf(out[n].key, sizeof out[n].key, "%s%s%s", prefix, *prefix ? "." : "", f->key);
        out[n++].field = f;
    }
    return n;
}

size_t rt_app_init_fields(const struct rt_provider_ops *ops, struct rt_init_field *out, size_t max) {
    size_t n = asked(ops->config, "", out, asked(ops->asks, "", out, 0, max), max);
    for (const struct rt_yfield *f = rt_cluster_fields; f->key && n < max; f++) {
        if (!f->form || !of_every_provider(f, ops))
            continue;
        snprintf(out[n].key, sizeof out[n].key, "%s", f->key);
        out[n++].field = f;
    }
    return n;
}

/* ---- values ---- */

/* "PREFIX.KEY=VALUE" of the list; NULL. */
static const char *value_of(const struct rt_strs *set, const char *prefix, const char *key) {
    const size_t p = strlen(prefix), k = strlen(key);
    for (size_t i = 0; set && i < set->n; i++) {
        const char *at = set->v[i];
        if (p && (strncmp(at, prefix, p) != 0 || at[p] != '.'))
            continue;
        at += p ? p + 1 : 0;
        if (strncmp(at, key, k) == 0 && at[k] == '=')
            return at + k + 1;
    }
    return NULL;
}

static bool sets_in(const struct rt_strs *set, const char *prefix) {
    const size_t p = strlen(prefix);
    for (size_t i = 0; set && i < set->n; i++)
        if (strncmp(set->v[i], prefix, p) == 0 && set->v[i][p] == '.')
            return true;
    return false;
}

/* A number, a duration, a size, a word: nothing that a reader takes for more. */
static bool bare(const char *s) {
    return *s && !s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.:+_-")];
}

/* Items of "a, b" one by one; those of a map have a `=` that becomes a colon. */
static void list_value(struct rt_buf *b, const char *value, bool map) {
    rt_buf_addc(b, map ? '{' : '[');
    for (const char *at = value, *next; at; at = next) {
        at += strspn(at, " ");
        size_t n = strcspn(at, ",");
        next = at[n] ? at + n + 1 : NULL;
        while (n && at[n - 1] == ' ')
            n--;
        char *item = rt_strndup(at, n), *equals = map ? strchr(item, '=') : NULL;
        if (equals) {
            *equals = '\0';
            rt_yaml_word(b, item, rt_yaml_plain(item));
            rt_buf_adds(b, ": ");
        }
        const char *text = equals ? equals + 1 : item;
        rt_yaml_word(b, text, rt_yaml_plain(text) || (map && bare(text)));
        rt_buf_adds(b, next ? ", " : "");
        free(item);
    }
    rt_buf_addc(b, map ? '}' : ']');
}

static void value_text(struct rt_buf *b, const struct rt_yfield *f, const char *value) {
    const bool list = f->type == RT_Y_STRS || f->type == RT_Y_KVS || f->type == RT_Y_NODE || f->type == RT_Y_CUSTOM;
    if (list && (*value == '[' || *value == '{'))
        rt_buf_adds(b, value); /* YAML as it is */
    else if (f->type == RT_Y_STRS || f->type == RT_Y_KVS)
        list_value(b, value, f->type == RT_Y_KVS);
    else
        rt_yaml_word(b, value, f->type == RT_Y_STR ? rt_yaml_plain(value) : bare(value));
}

/* ---- the text ---- */

/* Of which cluster, what is set (nothing: the examples of what is wanted), and the files beside it. */
struct init {
    const char *name;
    const struct rt_strs *set;
    const struct rt_init_files *files;
};

static bool wants_in(const struct rt_yfield *f) {
    for (; f && f->key; f++)
        if (f->wanted)
            return true;
    return false;
}

/* The file CLUSTER-EXAMPLE of `init` is a better example. */
static void example_text(struct rt_buf *b, const struct init *in, const char *example) {
    char *own = rt_strf("%s-%s", in->name, example);
    bool there = false;
    for (size_t i = 0; i < in->files->n; i++)
        there = there || rt_streq(in->files->v[i].name, own);
    rt_buf_addf(b, " %s", there ? own : example);
    free(own);
}

static void one_field(struct rt_buf *b, const struct init *in, const struct rt_yfield *f, const char *prefix, int indent) {
    const char *value = value_of(in->set, prefix, f->key);
    const bool block = f->type == RT_Y_STRUCT, examples = !in->set->n;
    const bool written = value || (examples && (f->wanted || (block && wants_in(f->sub)))) || (block && sets_in(in->set, f->key));
    rt_buf_addf(b, "%*s%s%s:", indent, "", written ? "" : "# ", f->key);
    if (value) {
        rt_buf_addc(b, ' ');
        value_text(b, f, value);
    } else if (f->example) {
        example_text(b, in, f->example);
    }
    rt_buf_addf(b, "%s%s\n", f->help ? "  # " : "", f->help ? f->help : "");
}

/* A field without help is another spelling of one that has it. */
static void field_lines(struct rt_buf *b, const struct init *in, const struct rt_yfield *f, const char *prefix, int indent) {
    for (; f && f->key; f++) {
        if (!f->help)
            continue;
        one_field(b, in, f, prefix, indent);
        if (f->type == RT_Y_STRUCT && !f->example)
            field_lines(b, in, f->sub, f->key, indent + 2);
    }
}

static void about_lines(struct rt_buf *b, const char *text) {
    while (text && *text) {
        const size_t n = strcspn(text, "\n");
        rt_buf_addf(b, "# %.*s\n", (int)n, text);
        text += n + (text[n] == '\n');
    }
}

/* What was said, and what leads to the files that the provider adds. */
static bool with_files(const char *name, const struct rt_provider_ops *ops, const struct rt_strs *set, struct rt_strs *all,
                       struct rt_init_files *files, struct rt_error *err) {
    if (set)
        rt_strs_copy(all, set);
    return !ops->init || ops->init(name, all, files, err);
}

bool rt_app_init_files(const char *name, const struct rt_provider_ops *ops, const struct rt_strs *set, struct rt_init_files *out,
                       struct rt_error *err) {
    struct rt_strs all = {0};
    const bool ok = with_files(name, ops, set, &all, out, err);
    rt_strs_deinit(&all);
    return ok;
}

void rt_app_init_text(const char *name, const struct rt_provider_ops *ops, const struct rt_strs *said, struct rt_buf *b) {
    struct rt_init_files files = {0};
    struct rt_strs all = {0};
    struct rt_error ignored = {0};
    const struct init in = {name, &all, &files};
    with_files(name, ops, said, &all, &files, &ignored);
    rt_buf_addf(b, "# %s: %s.\n", name, ops->summary);
    about_lines(b, ops->about);
    rt_buf_adds(b, "# Fields in comments show an example; what is left out has a good default.\n");
    rt_buf_addf(b, "clusters:\n  %s:\n    provider: %s\n", name, ops->name);
    field_lines(b, &in, ops->config, "", 4);
    rt_buf_adds(b, "    # for every provider:\n");
    for (const struct rt_yfield *f = rt_cluster_fields; f->key; f++)
        if (of_every_provider(f, ops))
            one_field(b, &in, f, "", 4);
    rt_init_files_deinit(&files);
    rt_strs_deinit(&all);
}

/* ---- would it do ---- */

static bool has_key(const struct rt_yfield *table, const char *key, size_t n) {
    const size_t dot = strcspn(key, ".");
    for (const struct rt_yfield *f = table; f && f->key; f++) {
        if (strlen(f->key) == n && strncmp(f->key, key, n) == 0)
            return true;
        if (f->type == RT_Y_STRUCT && dot < n && strlen(f->key) == dot && strncmp(f->key, key, dot) == 0)
            return has_key(f->sub, key + dot + 1, n - dot - 1);
    }
    return false;
}

/* Does it name a file that `init` is about to write? */
static bool names_file(const struct rt_strs *all, const struct rt_init_files *files) {
    for (size_t i = 0; i < all->n; i++) {
        const char *value = strchr(all->v[i], '=');
        for (size_t k = 0; value && k < files->n; k++)
            if (rt_streq(value + 1, files->v[k].name))
                return true;
    }
    return false;
}

bool rt_app_init_check(const char *name, const struct rt_provider_ops *ops, const struct rt_strs *set, struct rt_error *err) {
    for (size_t i = 0; i < set->n; i++) {
        const char *at = set->v[i];
        const size_t n = strcspn(at, "=");
        if (!at[n] || strpbrk(at, "\r\n"))
            return rt_error_set(err, RT_E_USAGE, "%s: KEY=VALUE is wanted, on one line", at);
        if (!has_key(ops->config, at, n) && !has_key(ops->asks, at, n) && !has_key(rt_cluster_fields, at, n)) {
            rt_error_set(err, RT_E_USAGE, "%s has no field %.*s", ops->name, (int)RT_MIN(n, 60), at);
            return rt_error_hint(err, "`raytui init %s NAME` writes all of them", ops->name);
        }
    }
    struct rt_init_files files = {0};
    struct rt_strs all = {0};
    const bool made = with_files(name, ops, set, &all, &files, err), named = names_file(&all, &files);
    rt_init_files_deinit(&files);
    rt_strs_deinit(&all);
    if (!made || named) /* what it names is not there yet */
        return made;
    struct rt_buf text;
    rt_buf_init(&text, RT_MIB);
    rt_app_init_text(name, ops, set, &text);
    const bool ok = rt_config_try(rt_buf_str(&text), rt_providers, err);
    rt_buf_deinit(&text);
    return ok;
}
