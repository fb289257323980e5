/* Provider `address`: a dashboard that is there already, by URL, straight or behind an SSH hop. It has no
 * machines of its own; where Ray's autoscaler runs, a pool can be asked to grow through request_resources
 * (Ray has no HTTP route for it: a tiny job asks), which is a floor that stays until it is lifted. */
#include "base/fs.h"
#include "base/shell.h"
#include "core/provider.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct address_config {
    char *url;
    int64_t client_port;
};

static const struct rt_yfield address_fields[] = {
    {.key = "url", .off = offsetof(struct address_config, url), .type = RT_Y_STR,
     .help = "the dashboard, as seen from here or from the hop", .example = "http://127.0.0.1:8265",
     .wanted = true},
    {.key = "client_port", .form = true, .off = offsetof(struct address_config, client_port), .type = RT_Y_I64, .min = 1, .max = 65535,
     .help = "port of the Ray client server on the same host", .example = "10001"},
    {0},
};

struct rt_provider {
    struct rt_provider_env env;
    const struct rt_cluster_conf *conf;
    const struct address_config *own;
    struct rt_cluster *cluster;
    struct rt_op *script;
    struct rt_operation *operation; /* of the script */
    json_t *floors;                 /* pool -> nodes asked for, remembered: each request replaces the last one whole */
};

static const char *url_of(const struct rt_cluster_conf *conf) {
    const struct address_config *own = conf->own;
    return own && own->url ? own->url : "http://127.0.0.1:8265";
}

static bool address_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx) {
    const struct address_config *own = conf->own;
    struct rt_error err = {0};
    struct rt_url u = {0};
    if (own && own->url && rt_url_parse(own->url, &u, &err)) {
        if (u.port == 6379) {
            rt_error_set(&err, RT_E_CONFIG, "url: port 6379 is the GCS, not the dashboard");
            rt_error_hint(&err, "the dashboard listens on 8265 unless it was told otherwise");
        }
        rt_url_deinit(&u);
    } else if ((!own || !own->url) && !conf->hop) {
        rt_error_set(&err, RT_E_CONFIG, "url is missing");
        rt_error_hint(&err, "url: http://HOST:8265");
    }
    if (err.code) {
        struct rt_error at = err;
        rt_error_wrap(&at, "%s:%d:%d: cluster %s", conf->file ? conf->file : "(given)", conf->line, conf->column, conf->name);
        problem(ctx, &at);
    }
    return !err.code;
}

static void address_where(const struct rt_cluster_conf *conf, struct rt_buf *out) {
    rt_buf_adds(out, url_of(conf));
    if (conf->hop)
        rt_buf_addf(out, " via %s", conf->hop);
}

static char *floors_path(const struct rt_provider *p) {
    return rt_cluster_path(p->conf->name, "floors.json");
}

static struct rt_provider *address_create(const struct rt_provider_env *env, const struct rt_cluster_conf *conf,
                                          struct rt_cluster *cluster, struct rt_error *err) {
    struct rt_provider *p = RT_NEW(struct rt_provider);
    struct rt_buf text;
    struct rt_error ignored = {0};
    (void)err;
    p->env = *env;
    p->conf = conf;
    p->own = conf->own;
    p->cluster = cluster;
    char *path = floors_path(p);
    rt_buf_init(&text, 64 * RT_KIB);
    if (rt_file_read(path, text.max, &text, &ignored))
        p->floors = rt_json_parse(rt_buf_str(&text), text.len, &ignored);
    if (!json_is_object(p->floors)) {
        json_decref(p->floors);
        p->floors = json_object();
    }
    rt_buf_deinit(&text);
    free(path);
    return p;
}

static bool address_endpoint(struct rt_provider *p, enum rt_endpoint_kind kind, struct rt_endpoint *out, struct rt_error *err) {
    struct rt_url u = {0};
    if (!rt_url_parse(url_of(p->conf), &u, err))
        return false;
    snprintf(out->host, sizeof out->host, "%s", u.host);
    out->port = kind == RT_EP_DASHBOARD ? u.port : p->own && p->own->client_port ? (int)p->own->client_port : 10001;
    snprintf(out->url, sizeof out->url, "%s", url_of(p->conf));
    rt_url_deinit(&u);
    return true;
}

/* ---- scaling through the autoscaler ---- */

static bool address_scale_impact(struct rt_provider *p, const char *pool, int64_t n, struct rt_scale_impact *out,
                                 struct rt_error *err) {
    const struct rt_pool *row = rt_store_pool(p->cluster, pool);
    if (!p->cluster->autoscaler) {
        rt_error_set(err, RT_E_UNSUPPORTED, "%s has no autoscaler that could be asked for nodes", p->conf->name);
        return rt_error_hint(err, "nodes join when `ray start --address=...` runs on them");
    }
    if (!row || !row->per_node.n)
        return rt_error_set(err, RT_E_UNSUPPORTED, "pool %s: no node of it was seen yet, so its size is not known", pool);
    out->from = row->desired >= 0 ? row->desired : row->ready;
    out->to = n;
    out->autoscaled = true;
    snprintf(out->note, sizeof out->note,
             "Asked of Ray's autoscaler by a small job (request_resources): a floor for all that is asked, not a size. "
             "Nodes above it end when they are idle; 0 lifts it.");
    return true;
}

/* [{"CPU": 4}, ...] for every pool with a floor. */
static json_t *bundles(const struct rt_provider *p) {
    json_t *list = json_array(), *count;
    const char *name;
    json_object_foreach(p->floors, name, count) {
        const struct rt_pool *pool = rt_store_pool(p->cluster, name);
        for (json_int_t i = 0; pool && i < json_integer_value(count); i++) {
            json_t *one = json_object();
            for (size_t k = 0; k < pool->per_node.n; k++) {
                const struct rt_amount *a = &pool->per_node.v[k];
                if (!rt_streq(a->name, "memory") && !rt_streq(a->name, "object_store_memory") && a->total > 0)
                    json_object_set_new(one, a->name, json_real(a->total));
            }
            json_array_append_new(list, one);
        }
    }
    return list;
}

static char *script_for(const struct rt_provider *p) {
    json_t *list = bundles(p);
    char *json = json_dumps(list, JSON_COMPACT);
    json_t *text = json_string(json);
    char *literal = json_dumps(text, JSON_ENCODE_ANY | JSON_ENSURE_ASCII); /* Python reads it as JSON means it */
    char *python = rt_strf("import json, ray; ray.init(); from ray.autoscaler.sdk import request_resources; "
                           "b = json.loads(%s); request_resources(bundles=b) if b else request_resources(num_cpus=0)",
                           literal);
    const char *const words[] = {"python", "-c", python, NULL};
    char *line = rt_shell_join(words);
    free(python);
    free(literal);
    free(json);
    json_decref(text);
    json_decref(list);
    return line;
}

static void scripted(void *ctx, const char *log, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    struct rt_operation *op = p->operation;
    p->script = NULL;
    p->operation = NULL;
    if (log && *log)
        rt_operation_output(op, 0, log, strlen(log));
    rt_operation_finish(op, err, "asked; the autoscaler answers in its own time");
    p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_POOLS);
}

static void cancel_script(void *ctx) {
    struct rt_provider *p = ctx;
    struct rt_error err = {0};
    rt_op_drop(&p->script);
    rt_error_set(&err, RT_E_CANCELLED, "cancelled");
    rt_operation_finish(p->operation, &err, NULL);
    p->operation = NULL;
}

static void address_destroy(struct rt_provider *p) {
    if (p->operation)
        cancel_script(p);
    json_decref(p->floors);
    free(p);
}

static struct rt_operation *address_scale(struct rt_provider *p, const char *pool, int64_t n, struct rt_error *err) {
    struct rt_scale_impact impact = {0};
    const bool possible = address_scale_impact(p, pool, n, &impact, err);
    rt_scale_impact_deinit(&impact);
    if (!possible)
        return NULL;
    if (p->operation) {
        rt_error_set(err, RT_E_BUSY, "%s: a request to its autoscaler is under way", p->conf->name);
        return NULL;
    }
    if (n > 0)
        json_object_set_new(p->floors, pool, json_integer(n));
    else
        json_object_del(p->floors, pool);
    char *path = floors_path(p), *text = json_dumps(p->floors, JSON_COMPACT), *line = script_for(p);
    const bool ok = rt_file_write(path, text, strlen(text), err);
    if (ok) {
        char *title = rt_strf("ask for %lld node%s of %s", (long long)n, rt_plural(n), pool);
        p->operation = rt_operation_start(p->env.operations, "scale", p->conf->name, title, cancel_script, p);
        rt_operation_step(p->operation, NULL, "a small job asks the autoscaler");
        p->script = p->env.ray->run_script(p->env.ray->ctx, p->conf->name, line, scripted, p);
        free(title);
    }
    free(line);
    free(text);
    free(path);
    return ok ? p->operation : NULL;
}

static bool address_equivalent(struct rt_provider *p, const char *verb, const char *arg, struct rt_buf *out) {
    (void)arg;
    if (!rt_streq(verb, "scale"))
        return false;
    char *line = script_for(p);
    rt_buf_addf(out, "ray job submit --address %s -- %s", url_of(p->conf), line);
    free(line);
    return true;
}

static bool address_shell(struct rt_provider *p, const char *node_id, struct rt_strs *argv, struct rt_error *err) {
    (void)node_id;
    if (!p->env.hop)
        return rt_error_set(err, RT_E_UNSUPPORTED, "%s is known by its URL only: there is no way to a shell", p->conf->name);
    rt_hop_argv(p->env.hop, argv);
    return true;
}

const struct rt_provider_ops rt_provider_address = {
    .name = "address",
    .summary = "a dashboard that is there already, by URL, straight or behind SSH",
    .caps = RT_CAP_SCALE | RT_CAP_SHELL,
    .config = address_fields,
    .config_size = sizeof(struct address_config),
    .check = address_check,
    .where = address_where,
    .create = address_create,
    .destroy = address_destroy,
    .endpoint = address_endpoint,
    .scale_impact = address_scale_impact,
    .scale = address_scale,
    .equivalent = address_equivalent,
    .shell = address_shell,
};
