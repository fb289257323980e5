/* Walks a directory as Ray's own packaging does: .gitignore and .rayignore of every level and the
 * excludes, each of which may leave something out; links are followed. */
#include "ray/walk.h"

#include "base/fs.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>

enum { MAX_DEPTH = 100, MAX_ENTRIES = 2000000 };

/* The patterns of one file; paths are looked at from the directory that holds it. */
struct layer {
    struct rt_ignore *rules;
    size_t from;
};

struct walker {
    const char *root;
    atomic_bool *cancel;
    struct rt_walk *out;
    bool gitignore;
    RT_VEC(struct layer) layers;
    struct {
        dev_t dev;
        ino_t ino;
    } above[MAX_DEPTH];
    size_t depth;
};

static char *full_path(const struct walker *w, const char *rel) {
    return *rel ? rt_strf("%s/%s", w->root, rel) : rt_strdup(w->root);
}

static void push_layer(struct walker *w, struct rt_ignore *rules, size_t from) {
    *rt_vec_push(&w->layers) = (struct layer){rules, from};
}

static void pop_layers(struct walker *w, size_t keep) {
    while (w->layers.n > keep)
        rt_ignore_destroy(w->layers.v[--w->layers.n].rules);
}

/* What is not there or no regular file has no rules. */
static bool read_rules(struct walker *w, const char *rel, const char *name, struct rt_error *err) {
    char *dir = full_path(w, rel), *path = rt_path_join(dir, name);
    struct stat st;
    struct rt_buf text;
    rt_buf_init(&text, 0);
    const bool there = stat(path, &st) == 0 && S_ISREG(st.st_mode);
    const bool ok = !there || rt_file_read(path, RT_MIB, &text, err);
    if (there && ok) {
        struct rt_ignore *rules = rt_ignore_create();
        rt_ignore_add(rules, "", rt_buf_str(&text));
        push_layer(w, rules, *rel ? strlen(rel) + 1 : 0);
    }
    rt_buf_deinit(&text);
    free(path);
    free(dir);
    return ok;
}

/* Any layer may leave something out; a "!" keeps it only from the other rules of its own file. */
static enum rt_verdict verdict(const struct walker *w, const char *rel, bool is_dir) {
    enum rt_verdict v = RT_V_NONE;
    for (size_t i = 0; i < w->layers.n; i++) {
        const enum rt_verdict x =
            rt_ignore_verdict(w->layers.v[i].rules, rel + w->layers.v[i].from, is_dir);
        if (x == RT_V_IGNORE)
            return x;
        if (x == RT_V_CONTENTS)
            v = x;
    }
    return v;
}

static void add(struct walker *w, const char *rel, enum rt_entry_kind kind, const struct stat *st) {
    struct rt_entry *e = rt_vec_push(&w->out->entries);
    e->rel = rt_strdup(*rel ? rel : ".");
    e->kind = kind;
    e->mode = st->st_mode;
    e->size = kind == RT_ENTRY_FILE ? (int64_t)st->st_size : 0;
    w->out->bytes += e->size;
    w->out->files += kind == RT_ENTRY_FILE;
}

static int by_name(const void *a, const void *b) {
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static bool list_dir(const char *path, struct rt_strs *names, struct rt_error *err) {
    DIR *d = opendir(path);
    if (!d)
        return rt_error_set(err, RT_E_IO, "%s: %s", path, strerror(errno));
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            rt_strs_add(names, e->d_name);
    closedir(d);
    if (names->n > 0)
        qsort(names->v, names->n, sizeof(*names->v), by_name);
    return true;
}

static bool enter(struct walker *w, const char *rel, const struct stat *st, struct rt_error *err) {
    for (size_t i = 0; i < w->depth; i++)
        if (w->above[i].dev == st->st_dev && w->above[i].ino == st->st_ino) {
            rt_error_set(err, RT_E_IO, "%s/%s leads back to a directory above it", w->root, rel);
            return rt_error_hint(err, "exclude the link (excludes, .rayignore)");
        }
    if (w->depth == MAX_DEPTH)
        return rt_error_set(err, RT_E_LIMIT, "%s/%s: more than %d directories deep", w->root, rel,
                            MAX_DEPTH);
    w->above[w->depth].dev = st->st_dev;
    w->above[w->depth++].ino = st->st_ino;
    return true;
}

static bool walk_dir(struct walker *w, const char *rel, const struct stat *st,
                     struct rt_error *err);

static bool walk_entry(struct walker *w, const char *rel, struct rt_error *err) {
    if (w->cancel && atomic_load(w->cancel))
        return rt_error_set(err, RT_E_CANCELLED, "cancelled");
    if (w->out->entries.n >= MAX_ENTRIES)
        return rt_error_set(err, RT_E_LIMIT, "%s: more than %d files", w->root, MAX_ENTRIES);
    char *path = full_path(w, rel);
    struct stat st;
    const bool there = stat(path, &st) == 0 || lstat(path, &st) == 0;
    free(path);
    if (!there)
        return true; /* gone since it was listed */
    const enum rt_verdict v = verdict(w, rel, S_ISDIR(st.st_mode));
    if (v >= RT_V_IGNORE)
        w->out->ignored++;
    if (v == RT_V_IGNORE)
        return true;
    if (v == RT_V_CONTENTS)
        add(w, rel, RT_ENTRY_DIR, &st);
    else if (S_ISDIR(st.st_mode))
        return walk_dir(w, rel, &st, err);
    else
        add(w, rel, S_ISREG(st.st_mode) ? RT_ENTRY_FILE : RT_ENTRY_OTHER, &st);
    return true;
}

static bool walk_names(struct walker *w, const char *rel, const struct stat *st,
                       struct rt_error *err) {
    char *path = full_path(w, rel);
    struct rt_strs names = {0};
    bool ok = list_dir(path, &names, err);
    free(path);
    if (ok)
        add(w, rel, names.n > 0 ? RT_ENTRY_DIR : RT_ENTRY_EMPTY_DIR, st);
    for (size_t i = 0; ok && i < names.n; i++) {
        char *child = *rel ? rt_strf("%s/%s", rel, names.v[i]) : rt_strdup(names.v[i]);
        ok = walk_entry(w, child, err);
        free(child);
    }
    rt_strs_deinit(&names);
    return ok;
}

/* A directory whose own file ignores all ("*", as tools write into their caches) is not there at
 * all. */
static bool hides_itself(const struct walker *w, const char *rel, size_t first) {
    for (size_t i = first; *rel && i < w->layers.n; i++)
        if (rt_ignores_all(w->layers.v[i].rules))
            return true;
    return false;
}

static bool walk_dir(struct walker *w, const char *rel, const struct stat *st,
                     struct rt_error *err) {
    const size_t layers = w->layers.n;
    bool ok = enter(w, rel, st, err);
    if (!ok)
        return false;
    ok = (!w->gitignore || read_rules(w, rel, ".gitignore", err)) &&
         read_rules(w, rel, ".rayignore", err);
    if (ok && hides_itself(w, rel, layers))
        w->out->ignored++;
    else if (ok)
        ok = walk_names(w, rel, st, err);
    pop_layers(w, layers);
    w->depth--;
    return ok;
}

bool rt_walk(const char *dir, const struct rt_strs *excludes, atomic_bool *cancel,
             struct rt_walk *out, struct rt_error *err) {
    *out = (struct rt_walk){0};
    struct stat st;
    if (stat(dir, &st) != 0)
        return rt_error_set(err, errno == ENOENT ? RT_E_NOT_FOUND : RT_E_IO, "%s: %s", dir,
                            strerror(errno));
    if (!S_ISDIR(st.st_mode))
        return rt_error_set(err, RT_E_USAGE, "%s is not a directory", dir);
    const char *off = getenv("RAY_RUNTIME_ENV_IGNORE_GITIGNORE");
    struct walker *w = RT_NEW(struct walker);
    w->root = dir;
    w->cancel = cancel;
    w->out = out;
    w->gitignore = !(off && strcmp(off, "1") == 0);
    struct rt_ignore *rules = rt_ignore_create();
    for (size_t i = 0; excludes && i < excludes->n; i++)
        rt_ignore_add(rules, "", excludes->v[i]);
    push_layer(w, rules, 0);
    const bool ok = walk_dir(w, "", &st, err);
    pop_layers(w, 0);
    rt_vec_deinit(&w->layers);
    free(w);
    if (!ok)
        rt_walk_deinit(out);
    return ok;
}

void rt_walk_deinit(struct rt_walk *w) {
    for (size_t i = 0; i < w->entries.n; i++)
        free(w->entries.v[i].rel);
    rt_vec_deinit(&w->entries);
    *w = (struct rt_walk){0};
}
