/* Clusters of `run` on disk: STATE/clusters/NAME/run.json says who made one and how it can be torn down. */
#include "app/work_left.h"
#include "app/work.h"
#include "base/decode.h"
#include "base/fs.h"
#include "base/log.h"
#include "core/journal.h"
#include <ctype.h>
#include <dirent.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define NOTE "run.json"

/* ---- the fields of a configuration as one line of YAML ---- */

static bool plain(const char *s) {
    return *s && !s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._+/-")] && strcmp(s, "-") != 0;
}

static void add_text(struct rt_buf *out, const char *s) {
    json_t *v = json_string(s);
    char *quoted = v ? json_dumps(v, JSON_ENCODE_ANY) : NULL;
    rt_buf_adds(out, quoted ? quoted : "\"\"");
    free(quoted);
    json_decref(v);
}

/* Scalars stay as they were written: 00123 is no number of ours to round. */
static void add_node(struct rt_buf *out, const struct rt_ynode *n) {
    if (n->kind == RT_Y_SCALAR) {
        if (!n->quoted && (plain(n->text) || !*n->text))
            rt_buf_adds(out, *n->text ? n->text : "null");
        else
            add_text(out, n->text);
        return;
    }
    rt_buf_addc(out, n->kind == RT_Y_MAP ? '{' : '[');
    for (size_t i = 0; i < n->n; i++) {
        rt_buf_adds(out, i ? ", " : "");
        if (n->kind == RT_Y_MAP) {
            add_text(out, n->keys[i]->text);
            rt_buf_adds(out, ": ");
        }
        add_node(out, n->items[i]);
    }
    rt_buf_addc(out, n->kind == RT_Y_MAP ? '}' : ']');
}

static bool is_secret(const struct rt_yfield *fields, const char *key) {
    for (; fields && fields->key; fields++)
        if (fields->secret && rt_streq(fields->key, key))
            return true;
    return false;
}

/* A file that is named beside the configuration is found from everywhere. */
static void add_path(struct rt_buf *out, const char *file, const char *path) {
    char *expanded = rt_path_expand(path), *slash = strrchr(file ? file : "", '/'), *joined = NULL;
    if (expanded[0] != '/' && slash) {
        char *dir = rt_strndup(file, (size_t)(slash - file));
        joined = rt_path_join(dir, expanded);
        free(dir);
    }
    add_text(out, joined ? joined : expanded);
    free(joined);
    free(expanded);
}

/* `ops` NULL: everything; else without secrets and without what only `up` reads. */
static char *fields_of(const struct rt_ynode *map, const char *file, const struct rt_provider_ops *ops) {
    static const char *const left_out[] = {"name", "attach", "file", "local_ports"};
    const struct rt_ynode *provider = rt_ynode_get(map, "provider");
    const bool local = provider && rt_streq(provider->text, "local");
    struct rt_buf out;
    bool first = true;
    rt_buf_init(&out, RT_MIB);
    rt_buf_addc(&out, '{');
    for (size_t i = 0; i < map->n; i++) {
        const char *key = map->keys[i]->text;
        const bool path = rt_streq(key, "manifest") && map->items[i]->kind == RT_Y_SCALAR;
        bool skip = local && rt_streq(key, "temp_dir"); /* one for each cluster on a machine */
        skip = skip || (ops && (path || is_secret(rt_cluster_fields, key) || is_secret(ops->config, key)));
        for (size_t k = 0; k < RT_COUNT(left_out); k++)
            skip = skip || rt_streq(key, left_out[k]);
        if (skip)
            continue;
        rt_buf_adds(&out, first ? "" : ", ");
        first = false;
        add_text(&out, key);
        rt_buf_adds(&out, ": ");
        if (path)
            add_path(&out, file, map->items[i]->text);
        else
            add_node(&out, map->items[i]);
    }
    rt_buf_addc(&out, '}');
    return rt_buf_take(&out);
}

/* ---- a cluster of its own ---- */

/* The base, cut and cleaned, and five letters that nobody else has. */
static char *fresh_name(struct rt_app *a, const char *base, struct rt_error *err) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz0123456789";
    char name[41];
    for (int tries = 0; tries < 100; tries++) {
        unsigned char dice[5];
        size_t n = 0;
        for (const char *p = base; *p && n < 34; p++)
            if (isalnum((unsigned char)*p))
                name[n++] = (char)tolower((unsigned char)*p);
            else if (n && name[n - 1] != '-')
                name[n++] = '-';
        if (!n || !isalpha((unsigned char)name[0])) /* Kubernetes wants a letter first */
            name[0] = 'r', n = RT_MAX(n, (size_t)1);
        if (name[n - 1] != '-')
            name[n++] = '-';
        if (RAND_bytes(dice, sizeof dice) != 1)
            break;
        for (size_t i = 0; i < sizeof dice; i++)
            name[n++] = letters[dice[i] % (sizeof letters - 1)];
        name[n] = '\0';
        char *dir = rt_cluster_path(name, NULL);
        const bool taken = rt_store_cluster(a->store, name) || rt_dir_exists(dir);
        free(dir);
        if (!taken)
            return rt_strdup(name);
    }
    rt_error_set(err, RT_E_INTERNAL, "no name can be made for the cluster");
    return NULL;
}

static struct rt_cluster_conf *add(struct rt_app *a, const char *base, const char *fields, struct rt_error *err) {
    char *name = fresh_name(a, base, err);
    struct rt_cluster_conf *conf = name && app_add(a, name, fields, err) ? rt_config_cluster(a->config, name) : NULL;
    if (conf)
        conf->ephemeral = true;
    free(name);
    return conf;
}

/* The YAML of `ray up` names its machines: a second cluster of it would be the first one. */
static struct rt_cluster_conf *not_twice(const char *spec, struct rt_error *err) {
    rt_error_set(err, RT_E_UNSUPPORTED, "%s: the YAML of `ray up` makes one cluster, which `run` cannot make a second time", spec);
    rt_error_hint(err, "raytui up %s; raytui submit -c %s --wait -- CMD; raytui down %s", spec, spec, spec);
    return NULL;
}

static struct rt_cluster_conf *from_file(struct rt_app *a, const char *path, struct rt_error *err) {
    struct rt_ydoc doc;
    struct rt_cluster_conf *conf = NULL;
    char *fields = NULL, real[4096];
    if (rt_yaml_load(path, &doc, err) && (!doc.root || doc.root->kind != RT_Y_MAP))
        rt_error_set(err, RT_E_CONFIG, "%s: the fields of a cluster are wanted: provider: ...", path);
    const struct rt_ynode *provider = err->code ? NULL : rt_ynode_get(doc.root, "provider");
    if (provider && provider->kind == RT_Y_MAP && rt_ynode_get(doc.root, "cluster_name"))
        not_twice(path, err);
    if (!err->code) {
        const struct rt_ynode *kind = rt_ynode_get(doc.root, "kind");
        const char *absolute = realpath(path, real);
        if (kind && rt_streq(kind->text, "RayCluster")) {
            json_t *v = json_pack("{ss ss}", "provider", "kuberay", "manifest", absolute ? absolute : path);
            fields = v ? json_dumps(v, JSON_COMPACT) : NULL;
            json_decref(v);
            if (!v)
                rt_error_set(err, RT_E_USAGE, "%s is no UTF-8", path);
        } else {
            fields = fields_of(doc.root, absolute ? absolute : path, NULL);
        }
        const char *slash = strrchr(path, '/');
        char *base = rt_strdup(slash ? slash + 1 : path);
        base[strcspn(base, ".")] = '\0';
        conf = err->code ? NULL : add(a, base, fields, err);
        if (!conf)
            rt_error_wrap(err, "%s", path);
        free(base);
    }
    free(fields);
    rt_yaml_deinit(&doc);
    return conf;
}

struct rt_cluster_conf *work_left_make(struct rt_app *a, const char *spec, struct rt_error *err) {
    const struct rt_cluster_conf *like = rt_config_cluster(a->config, spec);
    if (!like && (strchr(spec, '/') || rt_file_exists(spec)))
        return from_file(a, spec, err);
    if (!like) {
        rt_app_target(a, spec, err); /* names what could have been meant */
        if (!err->code)
            rt_error_set(err, RT_E_USAGE, "%s: a configured cluster or a file with a cluster's fields is wanted", spec);
        return NULL;
    }
    if (like->broken || !like->node) {
        rt_error_set(err, RT_E_CONFIG, "%s: its configuration has problems", spec);
        rt_error_hint(err, "`raytui check %s` lists them", spec);
        return NULL;
    }
    if (like->ops->own_file)
        return not_twice(spec, err);
    char *fields = fields_of(like->node, like->file, NULL);
    struct rt_cluster_conf *conf = add(a, like->name, fields, err);
    free(fields);
    return conf;
}

/* ---- on disk ---- */

bool work_left_note(struct rt_app *a, const char *name, const struct rt_call *c, struct rt_error *err) {
    const struct rt_cluster_conf *conf = rt_config_cluster(a->config, name);
    const int64_t pid = getpid();
    char *fields = fields_of(conf->node, NULL, conf->ops), *line = rt_call_text(c);
    json_t *v = json_pack("{sI sI ss ss sI}", "pid", (json_int_t)pid, "started", (json_int_t)rt_process_started(pid), "fields", fields,
                          "command", line, "at_ms", (json_int_t)rt_wall_ms());
    const bool ok = rt_cluster_write(name, NOTE, v, err);
    json_decref(v);
    free(fields);
    free(line);
    return ok;
}

void work_left_kept(const char *name) {
    struct rt_error err = {0};
    json_t *v = rt_cluster_read(name, NOTE, JSON_OBJECT);
    if (!v)
        return;
    json_object_set_new(v, "kept", json_true());
    if (!rt_cluster_write(name, NOTE, v, &err))
        rt_log(RT_LOG_WARN, "%s: %s", name, err.message);
    json_decref(v);
}

void work_left_forget(struct rt_app *a, const char *name, struct rt_error *err) {
    struct session *s = session_find(a, name);
    char *dir = rt_cluster_path(name, NULL);
    if (s)
        session_destroy(s);
    rt_remove_tree(dir, err);
    rt_store_remove(a->store, name);
    free(dir);
}

/* ---- at the start ---- */

static bool runs_still(const json_t *note) {
    const int64_t pid = json_integer_value(json_object_get(note, "pid"));
    const uint64_t started = (uint64_t)json_integer_value(json_object_get(note, "started"));
    return pid == getpid() || (rt_process_alive(pid) && rt_process_started(pid) == started);
}

static void adopt(struct rt_app *a, const char *name, const json_t *note) {
    struct rt_error err = {0};
    const char *fields = rt_json_str(note, "fields");
    if (!rt_journal_lives(name) && !runs_still(note)) {
        work_left_forget(a, name, &err);
        return;
    }
    if (!fields || rt_config_cluster(a->config, name))
        return;
    if (app_add(a, name, fields, &err))
        rt_config_cluster(a->config, name)->ephemeral = true;
    else
        rt_log(RT_LOG_WARN, "%s: %s", name, err.message);
}

void work_left_adopt(struct rt_app *a) {
    struct rt_strs names = {0};
    char *path = rt_path(RT_DIR_STATE, "clusters");
    DIR *dir = opendir(path);
    free(path);
    for (struct dirent *e = dir ? readdir(dir) : NULL; e; e = readdir(dir))
        if (e->d_name[0] != '.')
            rt_strs_add(&names, e->d_name);
    if (dir)
        closedir(dir);
    for (size_t i = 0; i < names.n; i++) {
        json_t *note = rt_cluster_read(names.v[i], NOTE, JSON_OBJECT);
        if (note)
            adopt(a, names.v[i], note);
        json_decref(note);
    }
    rt_strs_deinit(&names);
}

void rt_works_left(const struct rt_app *a, struct rt_strs *names) {
    for (size_t i = 0; i < rt_store_count(a->store); i++) {
        const char *name = rt_store_at(a->store, i)->name;
        json_t *note = rt_cluster_read(name, NOTE, JSON_OBJECT);
        if (note && !json_is_true(json_object_get(note, "kept")) && !runs_still(note) && rt_journal_lives(name))
            rt_strs_add(names, name);
        json_decref(note);
    }
}

void rt_work_left_text(const char *name, struct rt_buf *out) {
    json_t *note = rt_cluster_read(name, NOTE, JSON_OBJECT);
    const char *command = rt_json_str(note, "command");
    const int64_t at_ms = json_integer_value(json_object_get(note, "at_ms"));
    char age[24], clean[300];
    rt_buf_adds(out, name);
    if (at_ms)
        rt_buf_addf(out, ", made %s ago", rt_fmt_age(age, sizeof age, rt_wall_ms() - at_ms));
    if (command)
        rt_buf_addf(out, " by: %s", rt_clean_to(clean, sizeof clean, command));
    rt_buf_addc(out, '\n');
    json_decref(note);
}
