/* Words into calls: which verb, which cluster and target, which options; and the checks before one runs. */
#include "app/action.h"
#include "app/act.h"
#include "base/shell.h"
#include "base/vec.h"
#include <stdio.h>
#include <stdlib.h>

const struct rt_action_def *rt_action_find(const char *name) {
    for (const struct rt_action_def *d = rt_actions; d->name; d++)
        if (rt_streq(d->name, name))
            return d;
    return NULL;
}

const char *const *rt_action_names(void) {
    static const char *names[64];
    if (!names[0]) {
        size_t n = 0;
        for (const struct rt_action_def *d = rt_actions; d->name && n + 1 < RT_COUNT(names); d++)
            names[n++] = d->name;
    }
    return names;
}

/* ---- parsing ---- */

static const struct rt_option cluster_options[] = {
    {"cluster", 'c', "NAME", "the cluster that is meant", false},
    {"address", 0, "URL", "a cluster that is not configured", false},
    {0},
};

static const struct rt_option *find_option(const struct rt_option *list, const char *name, size_t len, char letter) {
    for (const struct rt_option *o = list; o && o->name; o++)
        if (letter ? o->letter == letter : strlen(o->name) == len && strncmp(o->name, name, len) == 0)
            return o;
    return NULL;
}

static bool unknown_option(const struct rt_action_def *d, const char *word, struct rt_error *err) {
    const char *names[64];
    size_t n = 0;
    for (const struct rt_option *o = d->options; o && o->name && n + 1 < RT_COUNT(names); o++)
        names[n++] = o->name;
    names[n] = NULL;
    rt_error_set(err, RT_E_USAGE, "%s: unknown option %s", d->name, word);
    const char *near = rt_nearest(word + strspn(word, "-"), names);
    return near ? rt_error_hint(err, "did you mean --%s?", near) : rt_error_hint(err, "`raytui %s --help` lists them", d->name);
}

static bool takes_word(const struct rt_option *o, const char *inline_value, const char *const *words, size_t *i,
                       struct rt_call *out, const char *word, struct rt_error *err) {
    if (!o->value) {
        if (inline_value)
            return rt_error_set(err, RT_E_USAGE, "%s takes no value", word);
        rt_strs_add(&out->options, o->name);
        return true;
    }
    const char *value = inline_value ? inline_value : words[*i + 1];
    if (!value)
        return rt_error_set(err, RT_E_USAGE, "%s wants %s", word, o->value);
    if (!inline_value)
        (*i)++;
    rt_strs_addf(&out->options, "%s=%s", o->name, value);
    return true;
}

static bool is_number(const char *w) {
    return (w[0] == '+' || w[0] == '-') && w[1] && strspn(w + 1, "0123456789") == strlen(w + 1);
}

static bool parse_words(const char *const *words, struct rt_call *out, struct rt_strs *plain, struct rt_error *err) {
    for (size_t i = 1; words[i]; i++) {
        const char *w = words[i];
        if (rt_streq(w, "--")) {
            for (i++; words[i]; i++)
                rt_strs_add(&out->command, words[i]);
            return true;
        }
        if (w[0] != '-' || !w[1] || is_number(w)) {
            rt_strs_add(plain, w);
            continue;
        }
        const bool is_long = w[1] == '-';
        const char *eq = is_long ? strchr(w, '=') : NULL;
        const size_t len = eq ? (size_t)(eq - w) - 2 : strlen(w) - (is_long ? 2 : 1);
        const char letter = is_long ? 0 : w[1];
        if (!is_long && len != 1)
            return unknown_option(out->def, w, err);
        const struct rt_option *o = find_option(out->def->options, w + 2, len, letter);
        if (!o)
            o = find_option(cluster_options, w + 2, len, letter);
        if (!o)
            return unknown_option(out->def, w, err);
        if (!takes_word(o, eq ? eq + 1 : NULL, words, &i, out, w, err))
            return false;
    }
    return true;
}

/* --cluster, --address, else the selection's, else what is meant when nothing is said. */
static bool named_cluster(struct rt_app *a, const struct rt_selection *sel, struct rt_call *out, struct rt_error *err) {
    const char *name = rt_call_option(out, "cluster");
    if (!name)
        name = rt_call_option(out, "address");
    if (name)
        name = rt_app_target(a, name, err);
    else if (sel && sel->cluster)
        name = sel->cluster;
    else
        name = rt_app_default_cluster(a, err);
    out->cluster = rt_strdup(name);
    return name != NULL;
}

static char *shift(struct rt_strs *l) {
    char *first = l->v[0];
    memmove(l->v, l->v + 1, l->n * sizeof(char *)); /* with the final NULL */
    l->n--;
    return first;
}

static bool has_second(const struct rt_action_def *d) {
    return d->target == RT_ON_POOL || d->target == RT_ON_NODE || d->target == RT_ON_RAYJOB || d->target == RT_ON_RAYSERVICE;
}

static const char *selected_second(const struct rt_action_def *d, const struct rt_selection *sel) {
    if (!sel)
        return NULL;
    return d->target == RT_ON_POOL ? sel->pool : d->target == RT_ON_NODE ? sel->node : d->target == RT_ON_RAYJOB ? sel->rayjob : sel->rayservice;
}

/* CLUSTER [POOL|NODE] words...: what is left out comes from the selection, the cluster first. */
static bool take_targets(struct rt_app *a, const struct rt_selection *sel, struct rt_strs *plain, struct rt_call *out,
                         struct rt_error *err) {
    const struct rt_action_def *d = out->def;
    const bool second = has_second(d);
    const bool optional_second = strchr(d->args, '[') != NULL;
    const size_t full = 1u + (second && !optional_second ? 1u : 0u) + (size_t)d->tail;
    const bool by_option = rt_call_option(out, "cluster") || rt_call_option(out, "address");
    const char *const sel_second = selected_second(d, sel);
    bool cluster_given = !by_option && plain->n >= full;
    if (sel && !by_option && plain->n && plain->n >= full && optional_second)
        cluster_given = rt_store_cluster(a->store, plain->v[0]) != NULL || strstr(plain->v[0], "://");
    if (cluster_given) {
        const char *name = rt_app_target(a, plain->v[0], err);
        if (!name)
            return false;
        out->cluster = rt_strdup(name);
        free(shift(plain));
    } else if (!sel && !by_option && d->writes) {
        return rt_error_set(err, RT_E_USAGE, "usage: raytui %s %s", d->name, d->args);
    } else if (!named_cluster(a, sel, out, err)) {
        return false;
    }
    if (second && plain->n == (size_t)d->tail && sel_second)
        rt_strs_add(&out->args, sel_second);
    while (plain->n)
        rt_strs_take(&out->args, shift(plain));
    const size_t want = (second && !optional_second ? 1u : 0u) + (size_t)d->tail;
    if (out->args.n < want)
        return rt_error_set(err, RT_E_USAGE, "usage: raytui %s %s", d->name, d->args);
    return true;
}

static bool take_jobs(struct rt_app *a, const struct rt_selection *sel, struct rt_strs *plain, struct rt_call *out,
                      struct rt_error *err) {
    if (rt_call_option(out, "file"))
        return true;
    if (rt_call_option(out, "up")) { /* wait CLUSTER --up */
        const char *name = plain->n == 1 ? rt_app_target(a, plain->v[0], err) : NULL;
        out->cluster = rt_strdup(name);
        if (plain->n > 1)
            return rt_error_set(err, RT_E_USAGE, "usage: raytui %s %s", out->def->name, out->def->args);
        return plain->n ? name != NULL : named_cluster(a, sel, out, err);
    }
    if (!named_cluster(a, sel, out, err))
        return false;
    if (rt_call_option(out, "search") || rt_call_option(out, "cached") || rt_call_option(out, "machine")) /* without a word: everything */
        return rt_strs_copy(&out->args, plain), true;
    if (plain->n)
        rt_strs_copy(&out->args, plain);
    else if (sel && sel->jobs)
        rt_strs_copy(&out->args, sel->jobs);
    return out->args.n || rt_error_set(err, RT_E_USAGE, "usage: raytui %s %s", out->def->name, out->def->args);
}

/* Lists: an optional CLUSTER. Others take their words as they are. */
static bool take_rest(struct rt_app *a, const struct rt_selection *sel, struct rt_strs *plain, struct rt_call *out,
                      struct rt_error *err) {
    const struct rt_action_def *d = out->def;
    const bool list = rt_streq(d->args, "[CLUSTER]");
    if (list && plain->n == 1) {
        const char *name = rt_app_target(a, plain->v[0], err);
        out->cluster = rt_strdup(name);
        return name != NULL;
    }
    if (list && plain->n > 1)
        return rt_error_set(err, RT_E_USAGE, "usage: raytui %s %s", d->name, d->args);
    rt_strs_copy(&out->args, plain);
    if (rt_streq(d->name, "run")) { /* the cluster is not there yet: what it shall be like */
        const char *spec = rt_call_option(out, "cluster");
        rt_strs_add(&out->args, spec ? spec : !plain->n && sel ? sel->cluster : NULL);
        return out->args.n == 1 || rt_error_set(err, RT_E_USAGE, "usage: raytui %s %s", d->name, d->args);
    }
    const bool of_cluster = (list && !rt_streq(d->name, "doctor")) || rt_streq(d->name, "submit");
    return !of_cluster || named_cluster(a, sel, out, err);
}

bool rt_call_parse(struct rt_app *a, const char *const *words, const struct rt_selection *sel, struct rt_call *out,
                   struct rt_error *err) {
    *out = (struct rt_call){0};
    if (!words[0])
        return rt_error_set(err, RT_E_USAGE, "no verb");
    out->def = rt_action_find(words[0]);
    if (!out->def) {
        const char *near = rt_nearest(words[0], rt_action_names());
        rt_error_set(err, RT_E_USAGE, "no such verb %s%s%s", words[0], near ? "; nearest: " : "", near ? near : "");
        return rt_error_hint(err, "`raytui --help` lists them");
    }
    struct rt_strs plain = {0};
    bool ok = parse_words(words, out, &plain, err);
    if (ok) {
        switch (out->def->target) {
        case RT_ON_CLUSTER:
        case RT_ON_POOL:
        case RT_ON_NODE:
        case RT_ON_RAYJOB:
        case RT_ON_RAYSERVICE:
            ok = take_targets(a, sel, &plain, out, err);
            break;
        case RT_ON_JOB:
            ok = take_jobs(a, sel, &plain, out, err);
            break;
        case RT_ON_FORWARD:
        case RT_ON_OPERATION: {
            const char *own = !sel ? NULL : out->def->target == RT_ON_FORWARD ? sel->forward : sel->operation;
            rt_strs_copy(&out->args, &plain);
            if (!plain.n && own)
                rt_strs_add(&out->args, own);
            ok = out->args.n || rt_error_set(err, RT_E_USAGE, "usage: raytui %s %s", out->def->name, out->def->args);
            break;
        }
        case RT_ON_NOTHING:
            ok = take_rest(a, sel, &plain, out, err);
            break;
        }
    }
    rt_strs_deinit(&plain);
    if (!ok)
        rt_call_deinit(out);
    return ok;
}

void rt_call_deinit(struct rt_call *c) {
    free(c->cluster);
    rt_strs_deinit(&c->args);
    rt_strs_deinit(&c->options);
    rt_strs_deinit(&c->command);
    *c = (struct rt_call){0};
}

static const char *option_value(const char *text, const char *name) {
    const size_t n = strlen(name);
    if (strncmp(text, name, n) != 0 || (text[n] && text[n] != '='))
        return NULL;
    return text[n] ? text + n + 1 : "";
}

const char *rt_call_option(const struct rt_call *c, const char *name) {
    const char *last = NULL;
    for (size_t i = 0; i < c->options.n; i++) {
        const char *v = option_value(c->options.v[i], name);
        last = v ? v : last;
    }
    return last;
}

size_t rt_call_options(const struct rt_call *c, const char *name, struct rt_strs *out) {
    const size_t before = out->n;
    for (size_t i = 0; i < c->options.n; i++) {
        const char *v = option_value(c->options.v[i], name);
        if (v)
            rt_strs_add(out, v);
    }
    return out->n - before;
}

char *rt_call_text(const struct rt_call *c) {
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_buf_adds(&b, c->def->name);
    const bool first = c->def->target == RT_ON_CLUSTER || has_second(c->def);
    if (c->cluster) {
        rt_buf_adds(&b, first ? " " : " --cluster ");
        rt_shell_word(&b, c->cluster);
    }
    for (size_t i = 0; i < c->args.n; i++) {
        rt_buf_addc(&b, ' ');
        rt_shell_word(&b, c->args.v[i]);
    }
    for (size_t i = 0; i < c->options.n; i++) {
        if (option_value(c->options.v[i], "cluster") || option_value(c->options.v[i], "address"))
            continue;
        const char *value = strchr(c->options.v[i], '=');
        if (value) {
            rt_buf_addf(&b, " --%.*s=", (int)(value - c->options.v[i]), c->options.v[i]);
            rt_shell_word(&b, value + 1);
        } else {
            rt_buf_addf(&b, " --%s", c->options.v[i]);
        }
    }
    if (c->command.n) {
        rt_buf_adds(&b, " -- ");
        rt_shell_words(&b, (const char *const *)c->command.v);
    }
    return rt_buf_take(&b);
}

/* ---- before it runs ---- */

bool rt_call_ready(struct rt_app *a, const struct rt_call *c, struct rt_error *err) {
    const struct rt_action_def *d = c->def;
    const struct rt_cluster *cl = c->cluster ? rt_store_cluster(a->store, c->cluster) : NULL;
    if (c->cluster && !cl)
        return rt_error_set(err, RT_E_NOT_FOUND, "no cluster %s", c->cluster);
    if (d->writes && (a->readonly || (cl && cl->readonly))) {
        rt_error_set(err, RT_E_DENIED, "%s: read-only", d->name);
        return rt_error_hint(err, "%s", a->readonly ? "started with --readonly or `readonly: true`" : "`readonly: true` of this cluster");
    }
    if (d->need && cl && !(cl->caps & d->need)) {
        rt_error_set(err, RT_E_UNSUPPORTED, "%s: provider %s has no `%s`", cl->name, cl->provider, rt_cap_name(d->need));
        return false;
    }
    return !d->ready || d->ready(a, c, err);
}

bool rt_call_ask(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err) {
    *out = (struct rt_confirmation){.grade = c->def->confirm};
    if (c->def->ask)
        return c->def->ask(a, c, out, err);
    if (c->def->confirm == RT_CONFIRM_NONE)
        return true;
    const char *what = c->args.n ? c->args.v[0] : c->cluster;
    out->title = rt_strf("%s %s?", c->def->name, what ? what : "");
    out->text = rt_strdup(c->def->help);
    if (c->def->confirm == RT_CONFIRM_TYPE_NAME)
        out->name = rt_strdup(c->cluster);
    return true;
}

void rt_confirmation_deinit(struct rt_confirmation *c) {
    free(c->title);
    free(c->text);
    free(c->equivalent);
    free(c->name);
    *c = (struct rt_confirmation){0};
}

struct rt_op *rt_call_run(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    if (!rt_call_ready(a, c, &err))
        return act_answer(a, done, ctx, &err, NULL, " ");
    if (!c->def->run) {
        rt_error_set(&err, RT_E_INTERNAL, "%s is not run this way", c->def->name);
        return act_answer(a, done, ctx, &err, NULL, " ");
    }
    return c->def->run(a, c, done, ctx);
}

/* ---- what verbs share ---- */

struct answer {
    struct rt_op op;
    struct rt_op *defer;
    rt_action_done_fn *done;
    void *ctx;
    struct rt_error err;
    struct rt_operation *operation;
    char *message;
};

static void answer_free(struct answer *x) {
    rt_op_drop(&x->defer);
    free(x->message);
    free(x);
}

static void answer_cancel(struct rt_op *op) {
    answer_free((struct answer *)op);
}

static void answer_now(void *ctx) {
    struct answer *x = ctx;
    x->defer = NULL;
    x->done(x->ctx, x->err.code ? &x->err : NULL, x->message, x->operation);
    answer_free(x);
}

struct rt_op *act_answer(struct rt_app *a, rt_action_done_fn *done, void *ctx, const struct rt_error *err,
                         struct rt_operation *op, const char *fmt, ...) {
    struct answer *x = RT_NEW(struct answer);
    va_list ap;
    x->op.cancel = answer_cancel;
    x->done = done;
    x->ctx = ctx;
    x->operation = op;
    if (err && err->code)
        x->err = *err;
    struct rt_buf b;
    rt_buf_init(&b, 0);
    va_start(ap, fmt);
    rt_buf_addv(&b, fmt, ap);
    va_end(ap);
    x->message = rt_buf_take(&b);
    x->defer = rt_loop_defer(a->loop, answer_now, x);
    return &x->op;
}

struct session *act_session(struct rt_app *a, const struct rt_call *c, struct rt_error *err) {
    return session_get(a, c->cluster, err);
}

void act_foreign(const struct rt_cluster *c, struct rt_buf *text) {
    if (!c->ours)
        rt_buf_addf(text, "%s was not made by raytui.\n", c->name);
}
