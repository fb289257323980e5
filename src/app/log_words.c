/* From words to logs. */
#include "app/app.h"

#include "base/str.h"
#include "core/table.h"
#include <stdlib.h>
#include <string.h>

static const char *keep(struct rt_log_words *w, const char *text) {
    rt_strs_add(&w->strings, text);
    return w->strings.v[w->strings.n - 1];
}

static bool add(struct rt_log_words *w, enum rt_log_part_what what, const char *id, const char *glob, struct rt_error *err) {
    if (w->target.nparts >= RT_COUNT(w->parts))
        return rt_error_set(err, RT_E_LIMIT, "that is more than %zu logs at once", RT_COUNT(w->parts));
    w->parts[w->target.nparts++] = (struct rt_log_part){what, id ? keep(w, id) : NULL, glob ? keep(w, glob) : NULL};
    return true;
}

/* Nodes by name, address or the beginning of the id, when they are known. */
static bool add_node(struct rt_log_words *w, const struct rt_cluster *c, const char *name, const char *glob, struct rt_error *err) {
    if (rt_streq(name, "*"))
        return add(w, RT_LOG_PART_FILES, NULL, glob, err);
    if (!c->nodes.n)
        return add(w, RT_LOG_PART_FILES, name, glob, err);
    const struct rt_node *n = rt_find_node(c, name, err);
    return n && add(w, RT_LOG_PART_FILES, n->id, glob, err);
}

static bool add_word(struct rt_log_words *w, const struct rt_cluster *c, const char *word, bool driver, bool workers, bool search,
                     struct rt_error *err) {
    struct rt_error other = {0};
    const struct rt_job *j = rt_find_job(c, word, err);
    const char *slash = strchr(word, '/');
    if (j) {
        return (!driver || add(w, RT_LOG_PART_DRIVER, j->id, NULL, err)) &&
               (!workers || add(w, RT_LOG_PART_WORKERS, j->id, NULL, err));
    }
    if (!slash && !search)
        return false;
    char *name = slash ? rt_strndup(word, (size_t)(slash - word)) : rt_strdup(word);
    const bool ok = add_node(w, c, name, slash && slash[1] ? slash + 1 : "*", &other);
    free(name);
    if (!ok && slash)
        *err = other;
    if (ok)
        rt_error_clear(err);
    return ok;
}

bool rt_log_words(const struct rt_cluster *c, const struct rt_strs *words, bool driver, bool workers, const char *regex,
                  struct rt_log_words *out, struct rt_error *err) {
    const bool search = regex != NULL;
    bool ok = true;
    *out = (struct rt_log_words){0};
    for (size_t i = 0; ok && i < words->n; i++)
        ok = add_word(out, c, words->v[i], driver, workers, search, err);
    if (ok && search && !words->n)
        ok = add(out, RT_LOG_PART_FILES, NULL, "*", err);
    if (!ok) {
        rt_log_words_deinit(out);
        return false;
    }
    struct rt_log_target *t = &out->target;
    const struct rt_log_part *p = &out->parts[0];
    const bool file = p->what == RT_LOG_PART_FILES && p->id && !strpbrk(p->glob, "*?[");
    t->cluster = c->name;
    t->what = search ? RT_LOG_SEARCH : RT_LOG_MERGED;
    t->regex = regex;
    t->parts = out->parts;
    if (!search && t->nparts == 1 && (file || p->what == RT_LOG_PART_DRIVER)) {
        t->what = file ? RT_LOG_NODE_FILE : RT_LOG_JOB;
        t->id = p->id;
        t->file = p->glob;
        t->nparts = 0;
        return true;
    }
    char *all = words->n > 1 ? rt_strf("%s and %zu more", words->v[0], words->n - 1) : rt_strdup(words->n ? words->v[0] : c->name);
    t->id = keep(out, p->what != RT_LOG_PART_FILES && words->n == 1 ? p->id : all);
    free(all);
    return true;
}

void rt_log_words_deinit(struct rt_log_words *w) {
    rt_strs_deinit(&w->strings);
}
