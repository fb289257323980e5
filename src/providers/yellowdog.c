/* Provider `yellowdog`: a Ray cluster on the YellowDog platform, as the RayDog library builds them. */
#include "base/fs.h"
#include "providers/yellowdog_impl.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LOOK_MS = 10000, DASHBOARD = 8265, CLIENT = 10001 };

static void ignore_problem(void *ctx, const struct rt_error *err) {
    (void)ctx; /* they were told when the configuration was read */
    (void)err;
}

/* ---- looks ---- */

void yd_take_look(struct rt_provider *p, struct yd_seen *seen, const struct rt_error *err) {
    p->looked_ms = rt_loop_now_ms(p->env.loop);
    p->look_error = err ? *err : (struct rt_error){0};
    if (err)
        return;
    if (p->journal && !p->run) /* another raytui may have added a pool */
        rt_journal_reread(p->journal);
    yd_seen_free(p->seen);
    p->seen = seen;
}

static void looked(void *ctx, struct yd_seen *seen, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    const bool first = !p->seen, had_head = p->head_ip != NULL;
    p->look = NULL;
    yd_take_look(p, seen, err);
    if (err)
        rt_store_fail(p->env.store, p->cluster, RT_T_POOLS, err);
    yd_show(p);
    if (err)
        rt_store_fail(p->env.store, p->cluster, RT_T_POOLS, err);
    if (!err && (first || had_head != (p->head_ip != NULL)))
        p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_CLUSTER);
}

static void refresh(struct rt_provider *p) {
    const int64_t now = rt_loop_now_ms(p->env.loop);
    const bool settled = p->seen && !p->look_error.code;
    if (p->look || p->run || (p->looked_ms && now - p->looked_ms < (settled ? LOOK_MS : LOOK_MS / 2)))
        return;
    p->look = yd_look(p, looked, p);
}

/* ---- where it is ---- */

static bool endpoint(struct rt_provider *p, enum rt_endpoint_kind kind, struct rt_endpoint *out, struct rt_error *err) {
    const int dashboard = p->own->dashboard_port ? (int)p->own->dashboard_port : DASHBOARD;
    if (p->head_ip && !p->no_way.code) {
        snprintf(out->host, sizeof out->host, "127.0.0.1");
        out->port = kind == RT_EP_DASHBOARD ? dashboard : p->own->client_port ? (int)p->own->client_port : CLIENT;
        snprintf(out->url, sizeof out->url, "http://127.0.0.1:%d", dashboard);
        return true;
    }
    if (p->no_way.code || p->look_error.code) {
        *err = p->no_way.code ? p->no_way : p->look_error;
        if (!err->hint[0])
            rt_error_hint(err, "`raytui doctor %s` tells what is missing", p->conf->name);
        return false;
    }
    if (!p->seen) {
        rt_error_set(err, RT_E_BUSY, "%s: the platform was not asked yet", p->conf->name);
        return rt_error_hint(err, "`raytui ls` shows whether it answers");
    }
    rt_error_set(err, RT_E_UNREACHABLE, "%s is %s", p->conf->name, yd_seen_lives(p->seen) ? "starting: its head does not run Ray yet" : "not up");
    return rt_error_hint(err, "`raytui up %s` starts it (u on the screen)", p->conf->name);
}

static void where(const struct rt_cluster_conf *conf, struct rt_buf *out) {
    const struct yd_config *own = conf->own;
    rt_buf_addf(out, "yellowdog %s/%s", own->space ? own->space : "?", yd_conf_name(conf));
}

/* ---- life ---- */

static struct rt_provider *create(const struct rt_provider_env *env, const struct rt_cluster_conf *conf, struct rt_cluster *cluster,
                                  struct rt_error *err) {
    struct rt_provider *p = RT_NEW(struct rt_provider);
    (void)err;
    p->env = *env;
    p->conf = conf;
    p->own = conf->own;
    p->cluster = cluster;
    p->lock = -1;
    yd_conf_pools(conf, &p->pools, ignore_problem, NULL);
    const struct yd_access access = {.url = p->own->api_url, .key_id = p->own->key_id, .secret = &p->own->secret, .ca_file = conf->ca_file,
                                     .proxy = conf->proxy, .pool = conf->name};
    p->api = yd_api_create(env->loop, env->http, &access);
    p->journal = rt_journal_open(conf->name, &p->journal_error);
    yd_show(p);
    return p;
}

/* What runs at the platform goes on: it is found again by its names. */
static void destroy(struct rt_provider *p) {
    yd_run_abandon(p);
    rt_op_drop(&p->look);
    yd_api_destroy(p->api);
    yd_seen_free(p->seen);
    rt_journal_close(p->journal);
    yd_conf_pools_deinit(&p->pools);
    free(p->head_ip);
    free(p->aim);
    free(p);
}

/* ---- shells ---- */

static bool shell(struct rt_provider *p, const char *node_id, struct rt_strs *argv, struct rt_error *err) {
    const struct rt_node *ray = node_id ? rt_store_node(p->cluster, node_id) : NULL;
    const struct yd_part *part = NULL;
    if (!p->env.hop || !p->aim) {
        if (p->no_way.code)
            *err = p->no_way;
        else
            rt_error_set(err, RT_E_UNREACHABLE, "%s: its head does not run yet", p->conf->name);
        return false;
    }
    if (!node_id || (ray && ray->head)) {
        rt_hop_argv(p->env.hop, argv);
        return true;
    }
    const struct yd_node *n = ray ? yd_node_of(p, ray, &part) : NULL;
    if (!n || !n->private_ip)
        return rt_error_set(err, RT_E_NOT_FOUND, "no address is known for node %s", node_id);
    /* From the head on, with the person's own key: it is known to the laptop only. */
    char *config = rt_cluster_path(p->conf->name, "ssh_config"), *key = p->own->ssh_key ? rt_path_expand(p->own->ssh_key) : NULL;
    rt_strs_add(argv, "ssh");
    rt_strs_add(argv, "-F");
    rt_strs_add(argv, config);
    rt_strs_add(argv, "-J");
    rt_strs_add(argv, p->aim);
    if (key) {
        rt_strs_add(argv, "-i");
        rt_strs_add(argv, key);
    }
    rt_strs_addf(argv, "%s@%s", p->own->ssh_user ? p->own->ssh_user : "yd-agent", n->private_ip);
    free(key);
    free(config);
    return true;
}

const struct rt_provider_ops rt_provider_yellowdog = {
    .name = "yellowdog",
    .summary = "a Ray cluster on the YellowDog platform, laid out as RayDog lays it out",
    .about = "`raytui up NAME` provisions a worker pool for the head and one for each pool, runs a task on each node that starts Ray, and\n"
             "reaches the head by SSH; `raytui down NAME` ends all of it. Templates, images and scripts are given as to RayDog, under its\n"
             "names or shorter ones. Clusters that RayDog built are found by namespace and name. The key of the application is read from\n"
             "YD_API_KEY_ID and YD_API_KEY_SECRET where it is not said. `lifetime` becomes the time-out of the tasks.\n",
    .pool_words = "template=NAMESPACE/NAME images= userdata= task_script= metrics_enabled= idle_node_shutdown=3m idle_pool_shutdown=3m (or never)",
    .pool_choice = "template",
    .caps = RT_CAP_UP | RT_CAP_DOWN | RT_CAP_SCALE | RT_CAP_ADD_POOL | RT_CAP_REMOVE_POOL | RT_CAP_REMOVE_NODE | RT_CAP_SHELL |
            RT_CAP_DISCOVER,
    .config = yd_fields,
    .config_size = sizeof(struct yd_config),
    .needs_hop = true,
    .late_hop = true,
    .own_pools = true,
    .init = yd_init,
    .check = yd_conf_check,
    .where = where,
    .create = create,
    .destroy = destroy,
    .endpoint = endpoint,
    .refresh = refresh,
    .join = yd_join,
    .plan = yd_plan,
    .up = yd_up,
    .down = yd_down,
    .scale_impact = yd_scale_impact,
    .scale = yd_scale,
    .remove_node = yd_remove_node,
    .add_pool = yd_add_pool,
    .remove_pool = yd_remove_pool,
    .remove_pool_now = yd_remove_pool_now,
    .shell = shell,
    .equivalent = yd_equivalent,
    .doctor = yd_doctor,
    .choices = yd_choices,
    .discover = yd_discover,
    .discover_at = yd_discover_at,
};
