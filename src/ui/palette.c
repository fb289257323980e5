/* Completion of command lines: verbs, options, and the live names of what they act on. */
#include "ui/command.h"
#include "ui/views.h"

#include "base/fs.h"
#include "base/shell.h"
#include "base/str.h"
#include "core/provider.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { CHOICES_MAX = 500, FILES_MAX = 4000 };

/* What is being completed. */
struct completing {
    struct rt_ui *ui;
    struct rt_app *app;
    struct rt_strs words; /* before the one at the cursor */
    char *word;           /* as far as it is typed */
    struct rt_strs *out;
};

static void offer(struct completing *c, const char *text) {
    if (text && rt_starts(text, c->word) && c->out->n < CHOICES_MAX && !rt_strs_has(c->out, text))
        rt_strs_add(c->out, text);
}

static void offer_quoted(struct completing *c, const char *text) {
    if (!rt_starts(text, c->word) || c->out->n >= CHOICES_MAX)
        return;
    struct rt_buf b;
    rt_buf_init(&b, 0);
    rt_shell_word(&b, text);
    if (!rt_strs_has(c->out, rt_buf_str(&b)))
        rt_strs_add(c->out, rt_buf_str(&b));
    rt_buf_deinit(&b);
}

/* ---- live names ---- */

static void clusters(struct completing *c, const char *before) {
    for (size_t i = 0; i < rt_store_count(c->app->store); i++) {
        char *name = rt_strf("%s%s", before, rt_store_at(c->app->store, i)->name);
        offer(c, name);
        free(name);
    }
}

/* The one named before, else the one on the screen. */
static const struct rt_cluster *cluster_of(const struct completing *c) {
    for (size_t i = 1; i < c->words.n; i++) {
        const char *w = c->words.v[i];
        const char *name = rt_starts(w, "--cluster=") ? w + 10 : w[0] == '@' ? w + 1 : w;
        const struct rt_cluster *found = rt_store_cluster(c->app->store, name);
        if (found)
            return found;
    }
    const char *now = rt_ui_cluster(c->ui);
    return now ? rt_store_cluster(c->app->store, now) : NULL;
}

static void pools(struct completing *c) {
    const struct rt_cluster *cl = cluster_of(c);
    for (size_t i = 0; cl && i < cl->pools.n; i++)
        if (!cl->pools.v[i].head)
            offer_quoted(c, cl->pools.v[i].name);
}

static void nodes(struct completing *c) {
    const struct rt_cluster *cl = cluster_of(c);
    for (size_t i = 0; cl && i < cl->nodes.n; i++) {
        if (cl->nodes.v[i].ip)
            offer_quoted(c, cl->nodes.v[i].ip);
        offer_quoted(c, cl->nodes.v[i].id);
    }
}

static void jobs(struct completing *c) {
    const struct rt_cluster *cl = cluster_of(c);
    for (size_t i = 0; cl && i < cl->jobs.n; i++)
        offer_quoted(c, cl->jobs.v[i].id);
}

static void rows(struct completing *c, const struct rt_table *t) {
    const struct rt_row_env env = {.store = c->app->store, .cluster = cluster_of(c)};
    for (size_t i = 0; env.cluster && i < t->count(&env); i++)
        offer_quoted(c, t->id(t->at(&env, i)));
}

static void forwards(struct completing *c) {
    const struct rt_cluster *cl = cluster_of(c);
    for (size_t i = 0; cl && i < cl->nforwards; i++)
        offer_quoted(c, cl->forwards[i].id);
}

static void operations(struct completing *c) {
    for (size_t i = 0; i < rt_operations_count(c->app->operations); i++)
        offer(c, rt_operations_at(c->app->operations, i)->id);
}

static void providers(struct completing *c) {
    for (size_t i = 0; rt_providers[i]; i++)
        offer(c, rt_providers[i]->name);
}

static void themes(struct completing *c) {
    struct rt_strs names = {0};
    rt_theme_names(&names);
    for (size_t i = 0; i < names.n; i++)
        offer(c, names.v[i]);
    rt_strs_deinit(&names);
}

static void settings(struct completing *c) {
    struct rt_strs names = {0};
    rt_theme_names(&names);
    for (size_t i = 0; i < names.n; i++) {
        char *text = rt_strf("theme=%s", names.v[i]);
        offer(c, text);
        free(text);
    }
    rt_strs_deinit(&names);
    offer(c, "animations=on");
    offer(c, "animations=off");
    offer(c, "refresh=5s");
}

/* ---- files ---- */

static void add_file(struct completing *c, const char *dir, const char *shown, const char *name, bool only_dirs) {
    struct stat st;
    char *path = rt_path_join(*dir ? dir : ".", name);
    const bool is_dir = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
    if (is_dir || !only_dirs) {
        char *text = rt_strf("%s%s%s", shown, name, is_dir ? "/" : "");
        if (rt_utf8_valid(text, strlen(text)))
            offer_quoted(c, text);
        free(text);
    }
    free(path);
}

static void files(struct completing *c, bool only_dirs) {
    const char *slash = strrchr(c->word, '/');
    char *shown = slash ? rt_strndup(c->word, (size_t)(slash - c->word) + 1) : rt_strdup("");
    char *dir = rt_path_expand(shown);
    const char *name = slash ? slash + 1 : c->word;
    DIR *d = opendir(*dir ? dir : ".");
    int seen = 0;
    for (struct dirent *e = d ? readdir(d) : NULL; e && seen < FILES_MAX; e = readdir(d), seen++) {
        if (e->d_name[0] == '.' && (name[0] != '.' || rt_streq(e->d_name, ".") || rt_streq(e->d_name, "..")))
            continue;
        if (rt_starts(e->d_name, name))
            add_file(c, dir, shown, e->d_name, only_dirs);
    }
    if (d)
        closedir(d);
    free(dir);
    free(shown);
}

/* ---- verbs and options ---- */

/* Has the cluster on the screen what this verb or view of its name is about? */
static bool fits(const struct completing *c, const char *name) {
    const struct rt_view_def *d = rt_view_find(name);
    return !d || rt_view_fits(c->ui, d);
}

static void verbs(struct completing *c) {
    for (const struct rt_action_def *d = rt_actions; d->name; d++)
        if ((!d->writes || !c->app->readonly) && fits(c, d->name))
            offer(c, d->name);
    for (const struct rt_view_def *d = rt_view_defs; d->name; d++)
        if (fits(c, d->name))
            offer(c, d->name);
    for (const struct shell_command *d = shell_commands; d->name; d++)
        offer(c, d->name);
    for (size_t i = 0; i < c->app->config->aliases.n; i++) {
        const char *a = c->app->config->aliases.v[i];
        char *name = rt_strndup(a, strcspn(a, "="));
        offer(c, name);
        free(name);
    }
    for (size_t i = 0; i < c->app->config->ncommands; i++)
        if (!c->app->config->commands[i].writes || !c->app->readonly)
            offer(c, c->app->config->commands[i].key);
}

static const struct rt_option *option_of(const struct rt_action_def *d, const char *word, size_t n) {
    for (const struct rt_option *o = d ? d->options : NULL; o && o->name; o++)
        if (strlen(o->name) == n && strncmp(o->name, word, n) == 0)
            return o;
    return NULL;
}

static void value(struct completing *c, const char *kind) {
    if (rt_streq(kind, "DIR"))
        files(c, true);
    else if (rt_streq(kind, "FILE"))
        files(c, false);
    else if (rt_streq(kind, "JOB"))
        jobs(c);
    else if (rt_streq(kind, "NAME"))
        clusters(c, "");
}

/* "--working-dir=sr": only what stands after = is looked at, and given back with what stands before. */
static void inline_value(struct completing *c, const struct rt_action_def *d) {
    const size_t n = strcspn(c->word, "=");
    const struct rt_option *o = option_of(d, c->word + 2, n - 2);
    char *whole = c->word;
    struct rt_strs found = {0}, *out = c->out;
    c->word = rt_strdup(whole + n + 1);
    c->out = &found;
    value(c, rt_starts(whole, "--cluster=") ? "NAME" : o && o->value ? o->value : "");
    for (size_t i = 0; i < found.n; i++)
        rt_strs_addf(out, "%.*s=%s", (int)n, whole, found.v[i]);
    free(c->word);
    c->word = whole;
    c->out = out;
    rt_strs_deinit(&found);
}

static void options(struct completing *c, const struct rt_action_def *d) {
    for (const struct rt_option *o = d ? d->options : NULL; o && o->name; o++) {
        char *name = rt_strf("--%s", o->name);
        offer(c, name);
        free(name);
    }
    if (d)
        offer(c, "--cluster");
}

/* The word before wants a value: "--working-dir ". */
static bool after_option(struct completing *c, const struct rt_action_def *d) {
    const char *last = c->words.v[c->words.n - 1];
    if (c->words.n < 2 || !rt_starts(last, "--") || strchr(last, '='))
        return false;
    const struct rt_option *o = option_of(d, last + 2, strlen(last + 2));
    if (o ? !o->value : !rt_streq(last, "--cluster"))
        return false;
    value(c, o ? o->value : "NAME");
    return true;
}

static void targets(struct completing *c, const struct rt_action_def *d) {
    switch (d->target) {
    case RT_ON_CLUSTER:
        clusters(c, "");
        break;
    case RT_ON_POOL:
        if (c->words.n == 1)
            clusters(c, "");
        pools(c);
        break;
    case RT_ON_NODE:
        if (c->words.n == 1)
            clusters(c, "");
        nodes(c);
        break;
    case RT_ON_RAYJOB:
    case RT_ON_RAYSERVICE:
        if (c->words.n == 1)
            clusters(c, "");
        rows(c, d->target == RT_ON_RAYJOB ? &rt_table_rayjobs : &rt_table_rayservices);
        break;
    case RT_ON_JOB:
        jobs(c);
        break;
    case RT_ON_FORWARD:
        forwards(c);
        break;
    case RT_ON_OPERATION:
        operations(c);
        break;
    case RT_ON_NOTHING:
        if (rt_streq(d->name, "init") && c->words.n == 1)
            providers(c);
        else if (strstr(d->args, "CLUSTER"))
            clusters(c, "");
        break;
    }
}

static void arguments(struct completing *c) {
    const char *verb = c->words.v[0];
    const struct rt_action_def *d = rt_action_find(verb);
    if (rt_strs_has(&c->words, "--"))
        files(c, false);
    else if (c->word[0] == '@')
        clusters(c, "@");
    else if (rt_starts(c->word, "--") && strchr(c->word, '='))
        inline_value(c, d);
    else if (c->word[0] == '-')
        options(c, d);
    else if (d && after_option(c, d))
        return;
    else if (rt_streq(verb, "cluster") || rt_streq(verb, "ctx") || rt_streq(verb, "open"))
        clusters(c, "");
    else if (rt_streq(verb, "theme"))
        themes(c);
    else if (rt_streq(verb, "set"))
        settings(c);
    else if (rt_streq(verb, "save") || rt_streq(verb, "w"))
        files(c, false);
    else if (d)
        targets(c, d);
    else if (rt_view_find(verb))
        clusters(c, "@");
}

static int by_text(const void *a, const void *b) {
    return rt_natcmp(*(char *const *)a, *(char *const *)b);
}

/* Where the word at the cursor begins: blanks inside quotes do not end one. */
static size_t start_of_word(const char *line, size_t at) {
    size_t start = 0;
    char quote = 0;
    for (size_t i = 0; i < at; i++) {
        if (quote ? line[i] == quote : line[i] == '\'' || line[i] == '"')
            quote = quote ? 0 : line[i];
        else if (line[i] == ' ' && !quote)
            start = i + 1;
    }
    return start;
}

void rt_complete(struct rt_ui *ui, const char *line, size_t at, struct rt_strs *out, size_t *word_start) {
    struct completing c = {.ui = ui, .app = rt_ui_app(ui), .out = out};
    struct rt_error err = {0};
    at = RT_MIN(at, strlen(line));
    *word_start = start_of_word(line, at);
    char *before = rt_strndup(line, *word_start);
    const char *word = line + *word_start;
    const bool quoted = *word == '\'' || *word == '"';
    c.word = rt_strndup(word + (quoted ? 1 : 0), at - *word_start - (quoted ? 1u : 0u));
    if (rt_split_words(before, &c.words, &err)) {
        if (c.words.n)
            arguments(&c);
        else
            verbs(&c);
    }
    if (out->n > 1)
        qsort(out->v, out->n, sizeof *out->v, by_text);
    rt_strs_deinit(&c.words);
    free(c.word);
    free(before);
}
