/* Reading the configuration: config.yaml, clusters.d and keymap.yaml beside it, each problem where
 * it stands. */
#include "core/config.h"

#include "base/fs.h"
#include "base/log.h"
#include "core/config_impl.h"
#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define NAME_MAX_LENGTH 40

typedef const struct rt_provider_ops *const *provider_list;

/* ---- problems ---- */

/* "file:line:column" of a message; 0 when it has no place. */
static size_t place_length(const char *message) {
    const char *end = strstr(message, ": ");
    return end ? (size_t)(end - message) : 0;
}

/* Two tables read the same map, and both may stumble over the same key. */
static bool said_already(const struct rt_config_own *o, const struct rt_error *err) {
    size_t n = place_length(err->message);
    for (size_t i = o->first_problem; n && i < o->c.nproblems; i++)
        if (place_length(o->c.problems[i].message) == n &&
            strncmp(o->c.problems[i].message, err->message, n) == 0)
            return true;
    return false;
}

static void add_error(struct rt_error **list, size_t *n, const struct rt_error *err) {
    *list = rt_realloc(*list, (*n + 1) * sizeof(**list));
    (*list)[(*n)++] = *err;
}

void rt_config_problem(void *own, const struct rt_error *err) {
    struct rt_config_own *o = own;
    if (o->reading)
        o->reading->broken = true;
    if (!said_already(o, err))
        add_error(&o->c.problems, &o->c.nproblems, err);
}

void rt_config_warning(struct rt_config_own *o, const struct rt_error *err) {
    for (size_t i = 0; i < o->c.nwarnings; i++)
        if (rt_streq(o->c.warnings[i].message, err->message))
            return;
    add_error(&o->c.warnings, &o->c.nwarnings, err);
}

/* ---- names ---- */

bool rt_cluster_name_ok(const char *name, const char *const *verbs, struct rt_error *err) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    char shown[80];
    size_t n = strlen(name);
    rt_clean_to(shown, sizeof(shown), name);
    if (!n || name[0] == '-' || strspn(name, letters) != n) {
        rt_error_set(err, RT_E_CONFIG, "\"%s\" cannot be the name of a cluster", shown);
        return rt_error_hint(err, "a name is a-z, 0-9 and -, and does not begin with -");
    }
    if (n > NAME_MAX_LENGTH)
        return rt_error_set(err, RT_E_CONFIG, "the name \"%s\" has more than %d letters", shown,
                            NAME_MAX_LENGTH);
    for (; verbs && *verbs; verbs++)
        if (rt_streq(*verbs, name)) {
            rt_error_set(err, RT_E_CONFIG,
                         "\"%s\" is a verb of raytui and cannot be the name of a cluster", shown);
            return rt_error_hint(err, "the verb would always win over the cluster");
        }
    return true;
}

struct rt_cluster_conf *rt_config_cluster(const struct rt_config *c, const char *name) {
    for (size_t i = 0; i < c->nclusters; i++)
        if (rt_streq(c->clusters[i]->name, name))
            return c->clusters[i];
    return NULL;
}

/* ---- secrets and permissions ---- */

static bool others_may(const char *file, mode_t bits, mode_t *mode) {
    struct stat st;
    if (!file || stat(file, &st) != 0)
        return false;
    *mode = st.st_mode & 07777;
    return st.st_mode & bits;
}

static void secret_in_clear(struct rt_config_own *o, const struct rt_ynode *n,
                            const struct rt_yfield *f) {
    struct rt_error err = {0};
    mode_t mode = 0;
    if (n->kind == RT_Y_SCALAR)
        rt_log_secret(n->text);
    if (o->memory)
        return;
    bool open = others_may(n->file, S_IRWXG | S_IRWXO, &mode);
    if (open)
        rt_ynode_error(n, &err, "%s stands in clear in a file that others can read (mode %04o)",
                       f->key, (unsigned)mode);
    else
        rt_ynode_error(n, &err, "%s stands in clear", f->key);
    rt_error_hint(&err, "%s%s_file, %s_env or %s_command keep it elsewhere",
                  open ? "chmod 600, or better: " : "", f->key, f->key, f->key);
    if (open)
        rt_config_problem(o, &err);
    else
        rt_config_warning(o, &err);
}

/* Single secret fields; headers and env_vars are masked when shown, but may stand here. */
static void check_secrets(struct rt_config_own *o, const struct rt_ynode *map,
                          const struct rt_yfield *fields) {
    if (!map || map->kind != RT_Y_MAP)
        return;
    for (const struct rt_yfield *f = fields; f && f->key; f++) {
        const struct rt_ynode *n = rt_field_node(map, f);
        if (n && f->type == RT_Y_STRUCT)
            check_secrets(o, n, f->sub);
        else if (n && f->secret && f->type == RT_Y_STR && !rt_ynode_is_null(n))
            secret_in_clear(o, n, f);
    }
}

static void check_permissions(struct rt_config_own *o, const char *file) {
    struct rt_error err = {0};
    struct stat st;
    mode_t mode;
    if (others_may(file, S_IWGRP | S_IWOTH, &mode)) {
        rt_error_set(&err, RT_E_CONFIG, "%s can be changed by others (mode %04o)", file,
                     (unsigned)mode);
        rt_error_hint(&err, "it names commands that run as you: chmod go-w %s", file);
        rt_config_warning(o, &err);
    } else if (stat(file, &st) == 0 && st.st_uid != geteuid() && st.st_uid != 0) {
        rt_error_set(&err, RT_E_CONFIG, "%s belongs to another user", file);
        rt_error_hint(&err, "it names commands that run as you");
        rt_config_warning(o, &err);
    }
}

/* ---- documents ---- */

static struct rt_ydoc *keep_doc(struct rt_config_own *o, struct rt_ydoc *doc) {
    o->c.docs = rt_realloc(o->c.docs, (o->c.ndocs + 1) * sizeof(*o->c.docs));
    return o->c.docs[o->c.ndocs++] = doc;
}

/* NULL: a problem was reported, or the file is not there and need not be. */
static struct rt_ydoc *load_doc(struct rt_config_own *o, const char *path, bool must_exist) {
    struct rt_error err = {0};
    if (!must_exist && !rt_file_exists(path))
        return NULL;
    struct rt_ydoc *doc = RT_NEW(struct rt_ydoc);
    if (!rt_yaml_load(path, doc, &err)) {
        free(doc);
        rt_config_problem(o, &err);
        return NULL;
    }
    check_permissions(o, path);
    return keep_doc(o, doc);
}

/* ---- one cluster ---- */

static char *provider_names(provider_list providers) {
    struct rt_buf list;
    rt_buf_init(&list, 0);
    for (; providers && *providers; providers++)
        rt_buf_addf(&list, "%s%s", list.len ? ", " : "", (*providers)->name);
    return rt_buf_take(&list);
}

static void unknown_provider(struct rt_config_own *o, const struct rt_ynode *at, const char *name,
                             provider_list providers) {
    struct rt_strs names = {0};
    struct rt_error err = {0};
    char shown[80];
    for (provider_list p = providers; p && *p; p++)
        rt_strs_add(&names, (*p)->name);
    const char *near = names.n ? rt_nearest(name, (const char *const *)names.v) : NULL;
    rt_clean_to(shown, sizeof(shown), name);
    if (near)
        rt_ynode_error(at, &err, "unknown provider \"%s\", did you mean \"%s\"?", shown, near);
    else
        rt_ynode_error(at, &err, "unknown provider \"%s\"", shown);
    char *list = provider_names(providers);
    rt_error_hint(&err, "one of: %s", list);
    rt_config_problem(o, &err);
    free(list);
    rt_strs_deinit(&names);
}

/* Where a cluster of `provider: auto` says that it is, for what was found there. */
static const char *login_of(const struct rt_cluster_conf *conf) {
    static const char *const keys[] = {"login", "resource", "head"};
    for (size_t i = 0; i < RT_COUNT(keys); i++) {
        const struct rt_ynode *n = rt_ynode_get(conf->node, keys[i]);
        if (n && n->kind == RT_Y_SCALAR)
            return n->text;
    }
    return "";
}

/* The provider that was found there before; the one that asks again when none was, or elsewhere. */
static const struct rt_provider_ops *settled(const struct rt_cluster_conf *conf, provider_list providers) {
    char *path = rt_cluster_path(conf->name, "provider");
    const struct rt_provider_ops *found = NULL;
    struct rt_error ignored = {0};
    struct rt_buf b;
    rt_buf_init(&b, 4096);
    if (rt_file_exists(path) && rt_file_read(path, 4096, &b, &ignored)) {
        const char *text = rt_buf_str(&b), *login = login_of(conf);
        const size_t n = strcspn(text, " \n");
        char *name = rt_strndup(text, n);
        const char *rest = text + n + (text[n] == ' ');
        if (strcspn(rest, "\n") == strlen(login) && rt_starts(rest, login))
            found = rt_provider_find(providers, name);
        free(name);
    }
    rt_buf_deinit(&b);
    free(path);
    return found ? found : conf->ops;
}

bool rt_config_settle(const struct rt_cluster_conf *conf, const char *provider, struct rt_error *err) {
    char *path = rt_cluster_path(conf->name, "provider"), *text = rt_strf("%s %s\n", provider, login_of(conf));
    const bool ok = rt_file_write(path, text, strlen(text), err);
    free(text);
    free(path);
    return ok;
}

static void find_provider(struct rt_config_own *o, struct rt_cluster_conf *conf,
                          provider_list providers) {
    const struct rt_ynode *n = rt_ynode_get(conf->node, "provider");
    if (n && n->kind == RT_Y_SCALAR && !rt_ynode_is_null(n)) {
        conf->ops = rt_provider_find(providers, n->text);
        if (!conf->ops)
            unknown_provider(o, n, n->text, providers);
        else if (conf->ops->find)
            conf->ops = settled(conf, providers);
        return;
    }
    struct rt_error err = {0};
    char *list = provider_names(providers);
    rt_ynode_error(n ? n : conf->node, &err, "cluster %s: provider is missing", conf->name);
    rt_error_hint(&err, "one of: %s", list);
    rt_config_problem(o, &err);
    free(list);
}

/* A table of whatever keys a map has: those of an unknown provider are not wrong besides. */
static struct rt_yfield *any_keys(const struct rt_ynode *map) {
    struct rt_yfield *all = rt_alloc((map->n + 1) * sizeof(*all));
    for (size_t i = 0; i < map->n; i++)
        all[i].key = map->keys[i]->text;
    return all;
}

/* What somebody relies on and does not happen (a cluster that should end by itself) must be said. */
static void warn_of_inert(struct rt_config_own *o, const struct rt_provider_ops *ops, const struct rt_ynode *map) {
    for (size_t i = 0; map->kind == RT_Y_MAP && i < map->n; i++)
        for (const struct rt_yfield *f = rt_cluster_fields; f->key; f++) {
            struct rt_error err = {0};
            bool same = rt_streq(f->key, map->keys[i]->text);
            for (size_t k = 0; k < RT_COUNT(f->alias) && f->alias[k]; k++)
                same = same || rt_streq(f->alias[k], map->keys[i]->text);
            if (!same || !f->need || ops->caps & f->need)
                continue;
            rt_ynode_error(map->keys[i], &err, "%s: has no effect with provider %s", map->keys[i]->text, ops->name);
            rt_config_warning(o, &err);
        }
}

static void read_fields(struct rt_config_own *o, struct rt_cluster_conf *conf) {
    const struct rt_provider_ops *ops = conf->ops;
    const bool open = !ops || ops->find; /* which keys there may be is not known */
    struct rt_yfield *any = open ? any_keys(conf->node) : NULL;
    rt_yaml_read(conf->node, rt_cluster_fields, open ? any : ops->config, conf, rt_config_problem,
                 o);
    check_secrets(o, conf->node, rt_cluster_fields);
    if (!open)
        warn_of_inert(o, ops, conf->node);
    if (ops && ops->config) {
        conf->own = rt_alloc(ops->config_size);
        rt_yaml_read(conf->node, ops->config, open ? any : rt_cluster_fields, conf->own, rt_config_problem, o);
        check_secrets(o, conf->node, ops->config);
    }
    free(any);
}

static char *dir_of(const char *path) {
    const char *slash = strrchr(path, '/');
    return slash ? rt_strndup(path, slash == path ? 1 : (size_t)(slash - path)) : rt_strdup(".");
}

/* Paths in a file are seen from that file. */
static char *path_beside(const char *file, const char *path) {
    char *expanded = rt_path_expand(path);
    if (expanded[0] == '/' || !file)
        return expanded;
    char *dir = dir_of(file);
    char *joined = rt_path_join(dir, expanded);
    free(dir);
    free(expanded);
    return joined;
}

static void add_pair(struct rt_ynode *map, struct rt_ynode *key, struct rt_ynode *value) {
    map->keys = rt_realloc(map->keys, (map->n + 1) * sizeof(*map->keys));
    map->items = rt_realloc(map->items, (map->n + 1) * sizeof(*map->items));
    map->keys[map->n] = key;
    map->items[map->n++] = value;
}

/* What the file says stands under what the configuration says itself. */
static const struct rt_ynode *merge(struct rt_config_own *o, const struct rt_ynode *top,
                                    const struct rt_ynode *under) {
    struct rt_ynode *m = RT_NEW(struct rt_ynode);
    m->kind = RT_Y_MAP;
    m->line = top->line;
    m->column = top->column;
    m->file = top->file;
    for (size_t i = 0; i < under->n; i++)
        if (!rt_ynode_get(top, under->keys[i]->text))
            add_pair(m, under->keys[i], under->items[i]);
    for (size_t i = 0; i < top->n; i++)
        add_pair(m, top->keys[i], top->items[i]);
    *rt_vec_push(&o->merged) = m;
    return m;
}

/* `file:` of a provider without a format of its own holds fields of the cluster. */
static void merge_file(struct rt_config_own *o, struct rt_cluster_conf *conf,
                       provider_list providers) {
    const struct rt_ynode *file = rt_ynode_get(conf->node, "file");
    const struct rt_ynode *provider = rt_ynode_get(conf->node, "provider");
    const struct rt_provider_ops *ops = provider && provider->kind == RT_Y_SCALAR
                                            ? rt_provider_find(providers, provider->text)
                                            : NULL;
    if (!file || file->kind != RT_Y_SCALAR || rt_ynode_is_null(file) || (ops && ops->own_file))
        return;
    char *path = path_beside(conf->file, file->text);
    struct rt_error err = {0};
    struct rt_ydoc *doc = NULL;
    if (rt_file_exists(path)) {
        doc = load_doc(o, path, true);
    } else {
        rt_ynode_error(file, &err, "file: %s is not there", path);
        rt_config_problem(o, &err);
    }
    free(path);
    if (!doc || !doc->root)
        return;
    if (doc->root->kind == RT_Y_MAP) {
        conf->node = merge(o, conf->node, doc->root);
        return;
    }
    rt_ynode_error(doc->root, &err, "a map of the cluster's fields is expected");
    rt_config_problem(o, &err);
}

static void set_defaults(struct rt_cluster_conf *conf) {
    if (!conf->ports.n && !rt_ynode_get(conf->node, "ports")) {
        rt_strs_add(&conf->ports, "8265");
        rt_strs_add(&conf->ports, "10001");
    }
    if (conf->source_file) {
        const struct rt_ynode *n = rt_ynode_get(conf->node, "file");
        char *path = path_beside(n && conf->file ? n->file : NULL, conf->source_file);
        free(conf->source_file);
        conf->source_file = path;
    }
}

static void conf_destroy(struct rt_cluster_conf *conf) {
    if (conf->own)
        rt_yaml_free(conf->ops->config, conf->own);
    free(conf->own);
    rt_yaml_free(rt_cluster_fields, conf);
    rt_strs_deinit(&conf->ports);
    rt_strs_deinit(&conf->local_ports);
    free(conf->user_script);
    free(conf->name);
    free(conf);
}

static void add_conf(struct rt_config *c, struct rt_cluster_conf *conf) {
    c->clusters = rt_realloc(c->clusters, (c->nclusters + 1) * sizeof(*c->clusters));
    c->clusters[c->nclusters++] = conf;
}

/* False: the name is taken; the problem names both places. */
static bool name_free(struct rt_config_own *o, const struct rt_ynode *at, const char *name) {
    const struct rt_cluster_conf *old = rt_config_cluster(&o->c, name);
    struct rt_error err = {0};
    if (!old)
        return true;
    rt_ynode_error(at, &err, "the cluster \"%s\" stands already in %s:%d:%d", name,
                   old->file ? old->file : "memory", old->line, old->column);
    rt_error_hint(&err, "one of the two must go or get another name");
    rt_config_problem(o, &err);
    return false;
}

static void read_conf(struct rt_config_own *o, struct rt_cluster_conf *conf,
                      provider_list providers) {
    o->reading = conf;
    o->first_problem = o->c.nproblems;
    merge_file(o, conf, providers);
    find_provider(o, conf, providers);
    read_fields(o, conf);
    set_defaults(conf);
    /* A check of what did not read would only repeat it in other words. */
    if (!conf->broken && conf->ops->check)
        conf->ops->check(conf, rt_config_problem, o);
    o->reading = NULL;
}

/* `at` is where its name stands. */
static void read_cluster(struct rt_config_own *o, struct rt_ydoc *doc, const char *name,
                         const struct rt_ynode *at, const struct rt_ynode *map,
                         provider_list providers) {
    struct rt_error err = {0}, placed = {0};
    if (!name_free(o, at, name))
        return;
    struct rt_cluster_conf *conf = RT_NEW(struct rt_cluster_conf);
    conf->name = rt_strdup(name);
    conf->file = doc->file;
    conf->line = at->line;
    conf->column = at->column;
    conf->doc = doc;
    conf->node = map;
    add_conf(&o->c, conf);
    o->reading = conf;
    if (!rt_cluster_name_ok(name, NULL, &err)) {
        rt_ynode_error(at, &placed, "%s", err.message);
        rt_error_hint(&placed, "%s", err.hint);
        rt_config_problem(o, &placed);
    }
    if (map->kind == RT_Y_MAP) {
        read_conf(o, conf, providers);
    } else {
        rt_ynode_error(map, &err, "cluster %s: a map of its fields is expected", conf->name);
        rt_config_problem(o, &err);
    }
    o->reading = NULL;
}

static void read_clusters(struct rt_config_own *o, struct rt_ydoc *doc, const struct rt_ynode *map,
                          provider_list providers) {
    struct rt_error err = {0};
    if (!map || rt_ynode_is_null(map))
        return;
    if (map->kind != RT_Y_MAP) {
        rt_ynode_error(map, &err, "clusters: a map of names is expected");
        rt_config_problem(o, &err);
        return;
    }
    for (size_t i = 0; i < map->n; i++)
        read_cluster(o, doc, map->keys[i]->text, map->keys[i], map->items[i], providers);
}

/* ---- files ---- */

static void read_main(struct rt_config_own *o, struct rt_ydoc *doc, provider_list providers) {
    if (!doc || !doc->root)
        return;
    o->first_problem = o->c.nproblems;
    rt_yaml_read(doc->root, rt_config_fields, NULL, o, rt_config_problem, o);
    rt_bindings_read(o, o->hotkeys);
    rt_commands_read(o, o->bound);
    read_clusters(o, doc, o->clusters, providers);
}

/* NAME.yaml holds the fields of one cluster, or `clusters:` as the configuration does. */
static void read_cluster_file(struct rt_config_own *o, const char *path, provider_list providers) {
    struct rt_ydoc *doc = load_doc(o, path, true);
    if (!doc || !doc->root)
        return;
    const struct rt_ynode *clusters =
        doc->root->kind == RT_Y_MAP ? rt_ynode_get(doc->root, "clusters") : NULL;
    if (clusters) {
        read_clusters(o, doc, clusters, providers);
        return;
    }
    const char *base = strrchr(path, '/') + 1;
    char *name = rt_strndup(base, (size_t)(strrchr(base, '.') - base));
    read_cluster(o, doc, name, doc->root, doc->root, providers);
    free(name);
}

static int by_name(const void *a, const void *b) {
    return rt_strcmp(*(char *const *)a, *(char *const *)b);
}

static void read_cluster_dir(struct rt_config_own *o, const char *dir, provider_list providers) {
    struct rt_strs names = {0};
    DIR *d = opendir(dir);
    for (struct dirent *e = d ? readdir(d) : NULL; e; e = readdir(d))
        if (e->d_name[0] != '.' && (rt_ends(e->d_name, ".yaml") || rt_ends(e->d_name, ".yml")))
            rt_strs_add(&names, e->d_name);
    if (d)
        closedir(d);
    if (names.n > 1)
        qsort(names.v, names.n, sizeof(*names.v), by_name);
    for (size_t i = 0; i < names.n; i++) {
        char *path = rt_path_join(dir, names.v[i]);
        read_cluster_file(o, path, providers);
        free(path);
    }
    rt_strs_deinit(&names);
}

static void check_default(struct rt_config_own *o, const struct rt_ydoc *doc) {
    struct rt_strs names = {0};
    struct rt_error err = {0};
    char shown[80];
    const char *name = o->c.default_cluster;
    if (!name || rt_config_cluster(&o->c, name) || rt_streq(name, "local"))
        return;
    for (size_t i = 0; i < o->c.nclusters; i++)
        rt_strs_add(&names, o->c.clusters[i]->name);
    const char *near = names.n ? rt_nearest(name, (const char *const *)names.v) : NULL;
    const struct rt_ynode *at = rt_ynode_get(doc->root, "default");
    rt_clean_to(shown, sizeof(shown), name);
    if (near)
        rt_ynode_error(at, &err, "default: no cluster \"%s\", did you mean \"%s\"?", shown, near);
    else
        rt_ynode_error(at, &err, "default: no cluster \"%s\"", shown);
    rt_config_problem(o, &err);
    rt_strs_deinit(&names);
}

struct rt_config_own *rt_config_fresh(void) {
    struct rt_config_own *o = RT_NEW(struct rt_config_own);
    o->c.mouse = true;
    o->c.animations = true;
    o->c.refresh_ms = 2000;
    o->c.max_answer_bytes = (int64_t)(128 * RT_MIB);
    o->c.log_cache_bytes = (int64_t)RT_GIB;
    return o;
}

struct rt_config *rt_config_load(const char *path, const struct rt_provider_ops *const *providers) {
    struct rt_config_own *o = rt_config_fresh();
    o->c.path = path ? rt_path_expand(path) : rt_path(RT_DIR_CONFIG, "config.yaml");
    char *dir = dir_of(o->c.path);
    char *more = rt_path_join(dir, "clusters.d"), *keys = rt_path_join(dir, "keymap.yaml");
    struct rt_ydoc *doc = load_doc(o, o->c.path, path != NULL);
    read_main(o, doc, providers);
    read_cluster_dir(o, more, providers);
    struct rt_ydoc *keymap = load_doc(o, keys, false);
    if (keymap)
        rt_bindings_read(o, keymap->root);
    if (doc)
        check_default(o, doc);
    if (!o->c.theme)
        o->c.theme = rt_strdup("default");
    free(keys);
    free(more);
    free(dir);
    return &o->c;
}

void rt_config_destroy(struct rt_config *c) {
    struct rt_config_own *o = (struct rt_config_own *)(void *)c;
    if (!c)
        return;
    for (size_t i = 0; i < c->nclusters; i++)
        conf_destroy(c->clusters[i]);
    for (size_t i = 0; i < c->nbindings; i++)
        rt_binding_deinit(&c->bindings[i]);
    for (size_t i = 0; i < c->ncommands; i++)
        rt_binding_deinit(&c->commands[i]);
    rt_yaml_free(rt_config_fields, o);
    for (size_t i = 0; i < o->merged.n; i++) {
        free(o->merged.v[i]->keys);
        free(o->merged.v[i]->items);
        free(o->merged.v[i]);
    }
    rt_vec_deinit(&o->merged);
    for (size_t i = 0; i < c->ndocs; i++) {
        rt_yaml_deinit(c->docs[i]);
        free(c->docs[i]);
    }
    free(c->docs);
    free(c->clusters);
    free(c->bindings);
    free(c->commands);
    free(c->problems);
    free(c->warnings);
    free(c->path);
    free(o);
}

/* ---- in memory ---- */

/* Takes back what came since: the problems are the caller's, not the configuration's. */
static void undo_add(struct rt_config_own *o, size_t nproblems, struct rt_error *err) {
    *err = o->c.problems[nproblems];
    o->c.nproblems = nproblems;
    if (o->c.nclusters && o->c.clusters[o->c.nclusters - 1]->broken)
        conf_destroy(o->c.clusters[--o->c.nclusters]);
}

struct rt_cluster_conf *rt_config_add(struct rt_config *c, const char *name, const char *text,
                                      const struct rt_provider_ops *const *providers,
                                      struct rt_error *err) {
    struct rt_config_own *o = (struct rt_config_own *)(void *)c;
    if (!rt_cluster_name_ok(name, NULL, err))
        return NULL;
    if (rt_config_cluster(c, name)) {
        rt_error_set(err, RT_E_CONFLICT, "there is a cluster \"%s\" already", name);
        return NULL;
    }
    struct rt_ydoc *doc = RT_NEW(struct rt_ydoc);
    if (!rt_yaml_parse(name, text, strlen(text), doc, err)) {
        free(doc);
        return NULL;
    }
    keep_doc(o, doc);
    if (!doc->root) {
        rt_error_set(err, RT_E_CONFIG, "%s: no fields", name);
        return NULL;
    }
    size_t before = c->nproblems;
    o->memory = true;
    read_cluster(o, doc, name, doc->root, doc->root, providers);
    o->memory = false;
    if (c->nproblems > before) {
        undo_add(o, before, err);
        return NULL;
    }
    struct rt_cluster_conf *conf = c->clusters[c->nclusters - 1];
    conf->file = NULL;
    return conf;
}

bool rt_config_try(const char *text, const struct rt_provider_ops *const *providers, struct rt_error *err) {
    struct rt_config_own *o = rt_config_fresh();
    struct rt_ydoc *doc = RT_NEW(struct rt_ydoc);
    struct rt_error first = {0};
    const bool parsed = rt_yaml_parse("", text, strlen(text), doc, &first);
    keep_doc(o, doc);
    if (parsed && doc->root)
        read_clusters(o, doc, rt_ynode_get(doc->root, "clusters"), providers);
    if (parsed && o->c.nproblems)
        first = o->c.problems[0];
    rt_config_destroy(&o->c);
    if (!first.code)
        return true;
    const char *after = rt_starts(first.message, ":") ? strstr(first.message, ": ") : NULL;
    rt_error_set(err, first.code, "%s", after ? after + 2 : first.message);
    rt_error_hint(err, "%s", first.hint);
    return false;
}
