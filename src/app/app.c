/* Making and ending the program without a face; which cluster is meant. */
#include "app/session.h"
#include "app/work_left.h"
#include "app/action.h"
#include "base/fs.h"
#include "base/log.h"
#include "core/snapshot.h"
#include "net/kube.h"
#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

enum { SNAPSHOT_EVERY_MS = 60000 };

static void poke_from_provider(void *ctx, const char *cluster, enum rt_topic t) {
    rt_app_poke(ctx, cluster, RT_TOPIC_BIT(t));
}

/* Every configured cluster, and what the journals know, stands in the store before anything is asked. */
static void list_cluster(struct rt_app *a, struct rt_cluster_conf *conf) {
    const bool known = rt_store_cluster(a->store, conf->name) != NULL;
    struct rt_cluster *c = rt_store_add(a->store, conf->name, conf->ops ? conf->ops->name : conf->provider ? conf->provider : "?");
    struct rt_buf where;
    rt_buf_init(&where, 4 * RT_KIB);
    if (conf->ops && conf->ops->where && !conf->broken)
        conf->ops->where(conf, &where);
    free(c->where);
    c->where = rt_buf_take(&where);
    c->caps = conf->ops ? conf->ops->caps : 0;
    c->readonly = conf->readonly || a->readonly;
    c->ours = rt_journal_lives(conf->name);
    if (conf->broken)
        rt_store_set_state(a->store, c, RT_CL_FAILED, "configuration has problems");
    if (!known && a->p->snapshots && !conf->broken) {
        struct rt_error err = {0};
        if (!rt_snapshot_load(a->store, c, &err) && err.code)
            rt_log(RT_LOG_WARN, "%s: last known state not read: %s", conf->name, err.message);
    }
    rt_store_touch(a->store, c, RT_T_CLUSTER);
}

bool rt_app_recall(struct rt_app *a, const char *cluster) {
    struct rt_cluster *c = rt_store_cluster(a->store, cluster);
    struct rt_error err = {0};
    return c && !c->nodes.n && !c->jobs.n && rt_snapshot_load(a->store, c, &err);
}

static void add_local(struct rt_app *a) {
    struct rt_error err = {0};
    if (!rt_config_cluster(a->config, "local") && !rt_config_add(a->config, "local", "{provider: local}", rt_providers, &err))
        rt_log(RT_LOG_WARN, "provider local: %s", err.message);
}

static void save_snapshots(void *ctx) {
    struct rt_app *a = ctx;
    for (size_t i = 0; i < a->p->nsessions; i++)
        session_keep(a->p->sessions[i]);
}

/* A verb wins over a cluster of its name: such a cluster could not be opened by its name alone. */
static void refuse_verb(struct rt_config *c, const struct rt_cluster_conf *conf) {
    struct rt_error err = {0};
    if (!rt_action_find(conf->name))
        return;
    rt_error_set(&err, RT_E_CONFIG, "%s:%d:%d: \"%s\" is a verb of raytui and cannot be the name of a cluster",
                 conf->file ? conf->file : c->path, conf->line, conf->column, conf->name);
    c->problems = rt_realloc(c->problems, (c->nproblems + 1) * sizeof(*c->problems));
    c->problems[c->nproblems++] = err;
}

struct rt_config *rt_app_config(const char *path) {
    struct rt_config *c = rt_config_load(path, rt_providers);
    for (size_t i = 0; i < c->nclusters; i++)
        refuse_verb(c, c->clusters[i]);
    return c;
}

struct rt_app *rt_app_create(const struct rt_app_opts *o, struct rt_error *err) {
    struct rt_loop *loop = rt_loop_create(err);
    if (!loop)
        return NULL;
    struct rt_app *a = RT_NEW(struct rt_app);
    a->p = RT_NEW(struct rt_app_private);
    a->loop = loop;
    a->p->http = rt_http_create(loop);
    a->p->kubes = rt_kubes_create(loop, a->p->http);
    a->asker = o->asker;
    a->p->snapshots = o->snapshots;
    a->store = rt_store_create();
    a->operations = rt_operations_create(loop, a->store);
    a->config = rt_app_config(o->config_path);
    a->readonly = o->readonly || a->config->readonly;
    a->p->refresh_ms = o->refresh_ms ? o->refresh_ms : a->config->refresh_ms;
    a->p->ray_calls = (struct rt_ray_calls){.run_script = run_script, .poke = poke_from_provider, .ctx = a};
    add_local(a);
    for (size_t i = 0; i < a->config->nclusters; i++)
        list_cluster(a, a->config->clusters[i]);
    work_left_adopt(a);
    if (o->snapshots)
        a->p->snapshot_timer = rt_timer_start(loop, SNAPSHOT_EVERY_MS, SNAPSHOT_EVERY_MS, save_snapshots, a);
    return a;
}

void rt_app_destroy(struct rt_app *a) {
    if (!a)
        return;
    rt_timer_stop(a->p->snapshot_timer);
    rt_op_drop(&a->p->pruning);
    rt_operations_destroy(a->operations);
    works_destroy(a);
    while (a->p->nsessions)
        session_destroy(a->p->sessions[a->p->nsessions - 1]);
    free(a->p->sessions);
    rt_kubes_destroy(a->p->kubes);
    rt_http_destroy(a->p->http);
    rt_store_destroy(a->store);
    rt_config_destroy(a->config);
    for (size_t i = 0; i < a->p->nretired; i++)
        rt_config_destroy(a->p->retired[i]);
    free(a->p->retired);
    rt_loop_destroy(a->loop);
    free(a->p);
    free(a);
}

void rt_app_set_refresh(struct rt_app *a, int64_t ms) {
    a->p->refresh_ms = ms;
    for (size_t i = 0; i < rt_store_count(a->store); i++)
        rt_app_poke(a, rt_store_at(a->store, i)->name, 0);
}

bool rt_app_reload(struct rt_app *a) {
    char *path = rt_strdup(a->config->path);
    struct rt_config *fresh = rt_app_config(rt_file_exists(path) ? path : NULL);
    free(path);
    /* A running session keeps its old settings until it is attached anew: its forwards must stay. Therefore
     * the old configuration stays too. */
    for (size_t i = a->p->nsessions; i-- > 0;)
        if (!a->p->sessions[i]->attached && !session_busy(a->p->sessions[i]))
            session_destroy(a->p->sessions[i]);
    a->p->retired = rt_realloc(a->p->retired, (a->p->nretired + 1) * sizeof(*a->p->retired));
    a->p->retired[a->p->nretired++] = a->config;
    a->config = fresh;
    add_local(a);
    for (size_t i = 0; i < fresh->nclusters; i++)
        list_cluster(a, fresh->clusters[i]);
    return fresh->nproblems == 0;
}

/* ---- targets ---- */

/* A name for an address: what is a letter or digit stays, the rest becomes one '-'. */
static void name_of(const char *text, char *out, size_t size) {
    size_t n = 0;
    for (const char *p = text; *p && n + 1 < RT_MIN(size, (size_t)40); p++) {
        if (isalnum((unsigned char)*p))
            out[n++] = (char)tolower((unsigned char)*p);
        else if (n && out[n - 1] != '-')
            out[n++] = '-';
    }
    while (n && out[n - 1] == '-')
        n--;
    out[n] = 0;
}

const char *app_add(struct rt_app *a, const char *name, const char *yaml, struct rt_error *err) {
    struct rt_cluster_conf *conf = rt_config_cluster(a->config, name);
    if (!conf)
        conf = rt_config_add(a->config, name, yaml, rt_providers, err);
    if (!conf)
        return NULL;
    list_cluster(a, conf);
    return rt_store_cluster(a->store, name)->name;
}

/* http(s)://…, ray://host:port (its dashboard is meant), host:port; a GCS port is understood. */
static const char *url_target(struct rt_app *a, const char *text, struct rt_error *err) {
    char name[64], *yaml;
    struct rt_url u = {0};
    char *url = strstr(text, "://") ? rt_strdup(text) : rt_strf("http://%s", text);
    if (rt_starts(url, "ray://") || rt_starts(url, "gcs://")) {
        char *http = rt_strf("http://%s", url + 6);
        free(url);
        url = http;
    }
    if (!rt_url_parse(url, &u, err)) {
        free(url);
        return NULL;
    }
    if (u.port == 6379 || u.port == 10001) { /* the GCS, the Ray client: the dashboard stands beside them */
        rt_log(RT_LOG_INFO, "%s: port %d is not the dashboard's, 8265 is taken instead", text, u.port);
        free(url);
        url = rt_strf(strchr(u.host, ':') ? "http://[%s]:8265" : "http://%s:8265", u.host);
        u.port = 8265;
    }
    char *place = rt_strf("%s-%d%s", u.host, u.port, u.path ? u.path : "");
    name_of(place, name, sizeof name);
    json_t *fields = json_pack("{s:s, s:s}", "provider", "address", "url", url);
    yaml = json_dumps(fields, JSON_COMPACT); /* JSON is YAML */
    json_decref(fields);
    const char *got = app_add(a, name, yaml, err);
    free(yaml);
    free(place);
    free(url);
    rt_url_deinit(&u);
    return got;
}

static const char *ssh_target(struct rt_app *a, const char *target, struct rt_error *err) {
    char name[64];
    name_of(target + 6, name, sizeof name);
    if (!name[0]) {
        rt_error_set(err, RT_E_USAGE, "%s: no host in it", target);
        rt_error_hint(err, "ssh://[user@]host[:port]");
        return NULL;
    }
    json_t *fields = json_pack("{s:s, s:s, s:s}", "provider", "address", "url", "http://127.0.0.1:8265", "hop", target + 6);
    char *yaml = json_dumps(fields, JSON_COMPACT);
    json_decref(fields);
    const char *got = app_add(a, name, yaml, err);
    free(yaml);
    return got;
}

/* kube://[CONTEXT]/NAMESPACE/NAME, NAME a RayCluster or "service:NAME". */
static const char *kube_target(struct rt_app *a, const char *target, struct rt_error *err) {
    char *context = NULL, *space = NULL, *object = NULL, name[64];
    const char *got = NULL;
    if (rt_kube_target(target, &context, &space, &object) && object) {
        const bool service = rt_starts(object, "service:");
        json_t *fields = json_pack("{s:s, s:s, s:s}", "provider", "kuberay", "namespace", space, service ? "service" : "name",
                                   service ? object + strlen("service:") : object);
        if (context)
            json_object_set_new(fields, "context", json_string(context));
        char *yaml = json_dumps(fields, JSON_COMPACT);
        json_decref(fields);
        char *place = rt_strf("%s-%s", service ? object + strlen("service:") : object, space);
        name_of(place, name, sizeof name);
        got = app_add(a, name, yaml, err);
        free(place);
        free(yaml);
    } else {
        rt_error_set(err, RT_E_USAGE, "%s names no cluster", target);
        rt_error_hint(err, "kube://[CONTEXT]/NAMESPACE/NAME; `raytui discover %s` lists those that are there", target);
    }
    free(context);
    free(space);
    free(object);
    return got;
}

const char *rt_app_beside(struct rt_app *a, const char *where, const char *fields, struct rt_error *err) {
    char *context = NULL, *space = NULL, *object = NULL, name[64];
    for (size_t i = 0; i < rt_store_count(a->store); i++)
        if (rt_streq(rt_store_at(a->store, i)->where, where))
            return rt_store_at(a->store, i)->name;
    const char *got = NULL;
    if (rt_kube_target(where, &context, &space, &object) && object) {
        char *place = rt_strf("%s-%s", object, space);
        name_of(place, name, sizeof name);
        got = app_add(a, name, fields, err);
        free(place);
    } else {
        rt_error_set(err, RT_E_INTERNAL, "%s is no address of a cluster", where);
    }
    free(context);
    free(space);
    free(object);
    return got;
}

static bool looks_like_address(const char *t) {
    const char *colon = strrchr(t, ':');
    int64_t port = 0;
    return strstr(t, "://") || (colon && rt_parse_i64(colon + 1, &port) && port > 0);
}

/* slurm://[USER@]LOGIN/NAME: a cluster that another laptop may have made. */
static const char *batch_target(struct rt_app *a, const char *target, struct rt_error *err) {
    const char *login = strstr(target, "://") + 3, *slash = strchr(login, '/');
    if (!slash || slash == login || !rt_cluster_name_ok(slash + 1, rt_action_names(), err)) {
        rt_error_set(err, RT_E_USAGE, "%s: no cluster in it", target);
        rt_error_hint(err, "`raytui discover %.*s` lists those that are there", (int)strcspn(login, "/") + (int)(login - target), target);
        return NULL;
    }
    char *provider = rt_strndup(target, (size_t)(login - 3 - target)), *host = rt_strndup(login, (size_t)(slash - login));
    json_t *fields = json_pack("{s:s, s:s}", "provider", provider, "login", host);
    char *yaml = json_dumps(fields, JSON_COMPACT);
    const char *got = app_add(a, slash + 1, yaml, err);
    json_decref(fields);
    free(yaml);
    free(provider);
    free(host);
    return got;
}

/* yellowdog://NAMESPACE/NAME, with the key of the environment. A configured cluster of that name there is meant when there is
 * one. */
static const char *yellowdog_target(struct rt_app *a, const char *target, struct rt_error *err) {
    const char *space = target + strlen("yellowdog://"), *slash = strchr(space, '/');
    char name[64];
    if (!slash || slash == space || !slash[1] || strchr(slash + 1, '/')) {
        rt_error_set(err, RT_E_USAGE, "%s: no cluster in it", target);
        rt_error_hint(err, "yellowdog://NAMESPACE/NAME; `raytui discover yellowdog://` lists those that are there");
        return NULL;
    }
    char *where = rt_strf("yellowdog %s", space);
    const char *got = NULL;
    for (size_t i = 0; i < rt_store_count(a->store) && !got; i++)
        if (rt_streq(rt_store_at(a->store, i)->where, where))
            got = rt_store_at(a->store, i)->name;
    if (!got) {
        char *of = rt_strndup(space, (size_t)(slash - space));
        json_t *fields = json_pack("{s:s, s:s, s:s}", "provider", "yellowdog", "namespace", of, "name", slash + 1);
        char *yaml = json_dumps(fields, JSON_COMPACT);
        name_of(slash + 1, name, sizeof name);
        got = app_add(a, name, yaml, err);
        json_decref(fields);
        free(yaml);
        free(of);
    }
    free(where);
    return got;
}

/* The name of the cluster that a YAML of `ray up` makes; false with the reason. */
static bool launcher_name(const char *path, char *out, size_t size, struct rt_error *err) {
    struct rt_ydoc doc = {0};
    const struct rt_ynode *name = NULL;
    bool ok = rt_yaml_load(path, &doc, err);
    if (ok && doc.root && doc.root->kind == RT_Y_MAP && rt_ynode_get(doc.root, "provider"))
        name = rt_ynode_get(doc.root, "cluster_name");
    if (ok && (!name || name->kind != RT_Y_SCALAR)) {
        rt_error_set(err, RT_E_CONFIG, "%s is no YAML of `ray up`: that has cluster_name and provider", path);
        rt_error_hint(err, "`raytui --config %s` reads a configuration of raytui", path);
        ok = false;
    }
    if (ok)
        name_of(name->text, out, size);
    rt_yaml_deinit(&doc);
    return ok;
}

/* FILE.yaml of Ray's launcher. A configured cluster of that file is meant when there is one. */
static const char *file_target(struct rt_app *a, const char *target, struct rt_error *err) {
    char name[64], *given = rt_path_expand(target), *path = realpath(given, NULL);
    const char *got = NULL;
    if (!path)
        rt_error_set(err, RT_E_NOT_FOUND, "%s is not there", given);
    for (size_t i = 0; path && !got && i < a->config->nclusters; i++) {
        const struct rt_cluster_conf *c = a->config->clusters[i];
        char *file = rt_streq(c->provider, "launcher") && c->source_file ? realpath(c->source_file, NULL) : NULL;
        if (rt_streq(file, path) && rt_store_cluster(a->store, c->name))
            got = rt_store_cluster(a->store, c->name)->name;
        free(file);
    }
    if (path && !got && launcher_name(path, name, sizeof name, err)) {
        json_t *fields = json_pack("{s:s, s:s}", "provider", "launcher", "file", path);
        char *yaml = json_dumps(fields, JSON_COMPACT);
        const struct rt_cluster_conf *other = rt_config_cluster(a->config, name);
        if (other) {
            rt_error_set(err, RT_E_CONFLICT, "%s: the name %s belongs to another cluster", path, name);
            rt_error_hint(err, "configure it under a name of its own: {provider: launcher, file: %s}", path);
        } else {
            got = app_add(a, name, yaml, err);
        }
        json_decref(fields);
        free(yaml);
    }
    free(path);
    free(given);
    return got;
}

const char *rt_app_target(struct rt_app *a, const char *target, struct rt_error *err) {
    struct rt_cluster *c = rt_store_cluster(a->store, target);
    if (c)
        return c->name;
    if (!rt_utf8_valid(target, strlen(target))) {
        rt_error_set(err, RT_E_USAGE, "%s is no UTF-8, as names and addresses of clusters are", target);
        return NULL;
    }
    if (rt_starts(target, "ssh://"))
        return ssh_target(a, target, err);
    if (rt_starts(target, "slurm://") || rt_starts(target, "pbs://"))
        return batch_target(a, target, err);
    if (rt_starts(target, "kube://"))
        return kube_target(a, target, err);
    if (rt_starts(target, "yellowdog://"))
        return yellowdog_target(a, target, err);
    if (rt_ends(target, ".yaml") || rt_ends(target, ".yml"))
        return file_target(a, target, err);
    if (looks_like_address(target))
        return url_target(a, target, err);
    const char **names = rt_alloc((rt_store_count(a->store) + 1) * sizeof(*names));
    for (size_t i = 0; i < rt_store_count(a->store); i++)
        names[i] = rt_store_at(a->store, i)->name;
    const char *near = rt_nearest(target, names);
    rt_error_set(err, RT_E_NOT_FOUND, "no cluster %s", target);
    if (near)
        rt_error_hint(err, "did you mean %s?", near);
    else
        rt_error_hint(err, "`raytui ls` lists the clusters; http://HOST:8265 and ssh://HOST attach without configuration");
    free(names);
    return NULL;
}

const char *rt_app_default_cluster(struct rt_app *a, struct rt_error *err) {
    static const char *const variables[] = {"RAYTUI_CLUSTER", "RAY_API_SERVER_ADDRESS", "RAY_ADDRESS"};
    for (size_t i = 0; i < RT_COUNT(variables); i++) {
        const char *v = getenv(variables[i]);
        if (v && *v && !rt_streq(v, "auto")) {
            const char *name = rt_app_target(a, v, err);
            if (!name)
                rt_error_wrap(err, "%s", variables[i]);
            return name;
        }
    }
    if (a->config->default_cluster && *a->config->default_cluster)
        return rt_app_target(a, a->config->default_cluster, err);
    /* `local` is always there: it is meant when it is alone, or the only other one is. */
    const size_t n = rt_store_count(a->store);
    const char *only = NULL;
    size_t others = 0;
    for (size_t i = 0; i < n; i++) {
        const char *name = rt_store_at(a->store, i)->name;
        if (!rt_streq(name, "local") || rt_journal_lives("local")) {
            only = name;
            others++;
        }
    }
    if (others <= 1)
        return only ? only : "local";
    struct rt_buf names;
    rt_buf_init(&names, 2 * RT_KIB);
    for (size_t i = 0; i < n; i++)
        rt_buf_addf(&names, "%s%s", i ? ", " : "", rt_store_at(a->store, i)->name);
    rt_error_set(err, RT_E_USAGE, "which cluster? there are: %s", rt_buf_str(&names));
    rt_error_hint(err, "--cluster NAME, RAYTUI_CLUSTER, or `default: NAME` in %s", a->config->path);
    rt_buf_deinit(&names);
    return NULL;
}

/* ---- attaching, looking ---- */

bool rt_app_attach(struct rt_app *a, const char *cluster, bool may_ask, struct rt_error *err) {
    struct session *s = session_get(a, cluster, err);
    if (s)
        session_attach(s, may_ask);
    return s != NULL;
}

bool rt_app_start(struct rt_app *a, const char *cluster, struct rt_error *err) {
    const struct rt_up_opts o = {0};
    struct session *s = session_get(a, cluster, err);
    if (!s)
        return false;
    if (!s->conf->ops->starts || s->cluster->state != RT_CL_DOWN || s->cluster->readonly)
        return true;
    return s->conf->ops->up(s->provider, &o, err) != NULL;
}

bool rt_app_attached(const struct rt_app *a, const char *cluster) {
    struct session *s = session_find(a, cluster);
    return s && s->attached;
}

void rt_app_attach_all(struct rt_app *a) {
    for (size_t i = 0; i < a->config->nclusters; i++) {
        struct rt_cluster_conf *conf = a->config->clusters[i];
        struct rt_error err = {0};
        if (conf->broken || conf->attach == RT_ATTACH_MANUAL)
            continue;
        if (rt_streq(conf->provider, "local") && !rt_journal_lives(conf->name))
            continue; /* there is nothing of it yet */
        if (!rt_app_attach(a, conf->name, false, &err))
            rt_store_fail(a->store, rt_store_cluster(a->store, conf->name), RT_T_CLUSTER, &err);
        else if (conf->attach == RT_ATTACH_PORTS && !rt_app_forward(a, conf->name, NULL, 0, &err))
            rt_log(RT_LOG_WARN, "%s", err.message);
    }
}

void rt_app_look(struct rt_app *a, const char *cluster, uint32_t topics, bool listed) {
    struct session *s = session_find(a, cluster);
    if (!s || (s->looked == topics && s->listed == listed))
        return;
    const uint32_t more = topics & ~s->looked;
    s->looked = topics;
    s->listed = listed;
    if (more & RT_TOPIC_BIT(RT_T_FORWARDS))
        forwards_show(s);
    polls_retime(s);
    session_look_again(s);
}

void rt_app_poke(struct rt_app *a, const char *cluster, uint32_t topics) {
    struct session *s = session_find(a, cluster);
    if (s)
        session_poke(s, topics);
}

/* ---- forwards ---- */

bool rt_app_forward(struct rt_app *a, const char *cluster, const char *port, int local_port, struct rt_error *err) {
    struct session *s = session_get(a, cluster, err);
    if (!s)
        return false;
    return port ? forwards_open(s, port, local_port, err) : forwards_open_all(s, err);
}

bool rt_app_forward_close(struct rt_app *a, const char *forward_id, struct rt_error *err) {
    for (size_t i = 0; i < a->p->nsessions; i++)
        if (forwards_close(a->p->sessions[i], forward_id))
            return true;
    return rt_error_set(err, RT_E_NOT_FOUND, "no forward %s", forward_id);
}

bool rt_app_forwarded(const struct rt_app *a, const char *cluster) {
    struct session *s = session_find(a, cluster);
    return s && s->nforwards > 0;
}

bool rt_app_shell(struct rt_app *a, const char *cluster, const char *node, struct rt_strs *argv, struct rt_error *err) {
    struct session *s = session_get(a, cluster, err);
    if (!s)
        return false;
    if (!s->conf->ops->shell)
        return rt_error_set(err, RT_E_UNSUPPORTED, "%s: provider %s has no way to a shell", cluster, s->conf->provider);
    const struct rt_node *n = node ? rt_find_node(s->cluster, node, err) : NULL;
    if (node && !n && !(s->cluster->caps & RT_CAP_PODS))
        return false;
    rt_error_clear(err);
    return s->conf->ops->shell(s->provider, n ? n->id : node, argv, err);
}

bool rt_app_tool(struct rt_app *a, const char *cluster, const char *what, const char *arg, struct rt_strs *argv, struct rt_error *err) {
    struct session *s = session_get(a, cluster, err);
    if (!s)
        return false;
    if (!s->conf->ops->tool)
        return rt_error_set(err, RT_E_UNSUPPORTED, "%s: provider %s has no pods and no objects", cluster, s->conf->provider);
    return s->conf->ops->tool(s->provider, what, arg, argv, err);
}

void rt_app_stats(struct rt_app *a, const char *cluster, struct rt_buf *out) {
    struct session *s = session_find(a, cluster);
    const struct rt_route_stats *v = NULL;
    size_t n = s && s->ray ? rt_ray_stats(s->ray, &v) : 0;
    int widest = 24;
    for (size_t i = 0; i < n; i++)
        widest = RT_MAX(widest, (int)RT_MIN(strlen(v[i].route), (size_t)44));
    rt_buf_addf(out, "%-*s %9s %8s %8s %8s %7s\n", widest, "ROUTE", "REQUESTS", "BYTES", "MS EACH", "LAST MS", "ERRORS");
    for (size_t i = 0; i < n; i++) {
        char bytes[24];
        const int64_t each = v[i].requests ? v[i].elapsed_us / v[i].requests : 0;
        rt_buf_addf(out, "%-*s %9lld %8s %8.1f %8.1f %7lld\n", widest, v[i].route, (long long)v[i].requests,
                    rt_fmt_bytes(bytes, sizeof bytes, (double)v[i].bytes), (double)each / 1000.0, (double)v[i].last_us / 1000.0,
                    (long long)v[i].errors);
    }
}
