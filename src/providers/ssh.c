/* Provider `ssh`: a Ray cluster on hosts that one can log in to. */
#include "providers/ssh.h"
#include "base/fs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- state into the store ---- */

static enum rt_cluster_state state_of(const struct rt_provider *p) {
    const struct snode *head = p->nodes[0];
    bool moving = false;
    for (size_t i = 1; i < p->nnodes; i++)
        moving = moving || p->nodes[i]->state == SNODE_STARTING || p->nodes[i]->state == SNODE_STOPPING;
    for (size_t i = 0; i < p->ntasks; i++)
        if (p->tasks[i]->is_down || p->tasks[i]->undo)
            return RT_CL_STOPPING;
        else if (p->tasks[i]->is_up && !p->up)
            return RT_CL_STARTING;
    if (!p->looked)
        return RT_CL_UNKNOWN;
    if (p->up)
        return moving ? RT_CL_SCALING : RT_CL_UP;
    return p->coming || head->state == SNODE_STARTING ? RT_CL_STARTING : RT_CL_DOWN;
}

static enum pool_node_state shown_state(const struct snode *n) {
    const struct rt_provider *p = n->provider;
    if (n == p->nodes[0] && n->state != SNODE_STARTING && n->state != SNODE_STOPPING)
        return p->up ? POOL_NODE_UP : n->state == SNODE_LOST ? POOL_NODE_LOST : POOL_NODE_ABSENT;
    switch (n->state) {
    case SNODE_STARTING:
        return POOL_NODE_STARTING;
    case SNODE_UP:
        return p->up ? POOL_NODE_UP : POOL_NODE_ABSENT;
    case SNODE_STOPPING:
        return POOL_NODE_STOPPING;
    case SNODE_LOST:
        return POOL_NODE_LOST;
    case SNODE_ABSENT:
        break;
    }
    return POOL_NODE_ABSENT;
}

struct pool_node *ssh_pool_nodes(const struct rt_provider *p) {
    struct pool_node *v = rt_alloc((p->nnodes + 1) * sizeof *v);
    for (size_t i = 0; i < p->nnodes; i++) {
        const struct snode *n = p->nodes[i];
        v[i] = (struct pool_node){.name = n->name, .pool = n->pool, .where = n->host, .why = n->why, .state = shown_state(n)};
    }
    return v;
}

void ssh_show(struct rt_provider *p) {
    struct pool_node *nodes = ssh_pool_nodes(p);
    pools_show(p->env.store, p->cluster, "hosts", &p->pools, nodes, p->nnodes);
    free(nodes);
    p->cluster->pools_foretold = true;
    p->cluster->told_ms = p->told_ms;
    const bool ours = p->journal && rt_journal_count(p->journal) > 0;
    p->cluster->ours = ours || !p->up; /* what is not there yet will be ours */
    const enum rt_cluster_state state = state_of(p);
    char clean[160];
    rt_store_set_state(p->env.store, p->cluster, state,
                       state == RT_CL_DOWN && p->ended ? rt_clean_to(clean, sizeof clean, p->ended) : NULL);
    watchdog_show(p->env.store, p->cluster, p->up ? p->life : NULL, 0, NULL);
}

/* ---- a look at the head ---- */

static void take_node(struct rt_provider *p, const char *name, const char *host) {
    struct rt_error ignored = {0};
    const char *dash = strrchr(name, '-');
    struct snode *n = ssh_node_named(p, name);
    if (!dash || !rt_cluster_name_ok(name, NULL, &ignored))
        return;
    if (!n) {
        char *pool = rt_strndup(name, (size_t)(dash - name));
        n = ssh_node_add(p, name, pool, host);
        free(pool);
    }
    n->booked = true;
    if (n->state == SNODE_ABSENT) {
        free(n->host);
        n->host = rt_strdup(host);
        n->state = SNODE_UP;
    }
}

static void take_line(struct rt_provider *p, const char *line) {
    char word[64], key[300];
    int at = 0;
    if (rt_starts(line, "life ") || rt_starts(line, "ended ")) {
        char **to = *line == 'l' ? &p->life : &p->ended;
        free(*to);
        *to = rt_strdup(strchr(line, ' ') + 1);
        return;
    }
    if (sscanf(line, "%63s %299s %n", word, key, &at) < 2 || !at)
        return;
    if (rt_streq(word, "place"))
        far_place_take(&p->place, key, line + at);
    else if (rt_streq(word, "node"))
        take_node(p, key, line + at);
}

void ssh_take_look(struct rt_provider *p, const char *text) {
    struct snode *head = p->nodes[0];
    const char *eol = text + strcspn(text, "\n");
    char *state = rt_strndup(text, (size_t)(eol - text));
    p->looked = true;
    p->told_ms = rt_wall_ms();
    p->look_error = (struct rt_error){0};
    p->up = rt_streq(state, "up");
    p->coming = p->up || rt_streq(state, "coming");
    free(state);
    free(p->life);
    free(p->ended);
    p->life = p->ended = NULL;
    for (size_t i = 1; i < p->nnodes; i++)
        if (p->nodes[i]->phase == PH_NONE && !p->nodes[i]->task && p->nodes[i]->state == SNODE_UP && !p->nodes[i]->touched)
            p->nodes[i]->state = SNODE_ABSENT; /* unless the list says otherwise */
    while (*eol) {
        text = eol + 1;
        eol = text + strcspn(text, "\n");
        char *line = rt_strndup(text, (size_t)(eol - text));
        take_line(p, line);
        free(line);
    }
    if (head->phase == PH_NONE && !head->task)
        head->state = p->up ? SNODE_UP : p->coming ? SNODE_STARTING : SNODE_ABSENT;
}

static void looked(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct rt_provider *p = ctx;
    const bool first = !p->looked || p->look_error.code, was_up = p->up;
    p->look = NULL;
    if (err) {
        p->look_error = *err;
    } else if (r->status != 0) {
        rt_error_set(&p->look_error, RT_E_REMOTE, "%s: its directory cannot be read", p->own->head);
        rt_error_hint(&p->look_error, "try `ssh %s true`", p->own->head);
    } else {
        ssh_take_look(p, r->out);
    }
    ssh_show(p);
    if (first || was_up != p->up)
        p->env.ray->poke(p->env.ray->ctx, p->conf->name, RT_T_CLUSTER);
}

static void ssh_refresh(struct rt_provider *p) {
    if (!p->env.hop || p->look || p->ntasks || rt_hop_status(p->env.hop)->state != RT_HOP_UP)
        return;
    struct rt_buf b;
    rt_buf_init(&b, RT_MIB);
    ssh_script_look(p->conf->name, &b);
    const struct rt_exec_opts o = {.script = rt_buf_str(&b)};
    p->look = rt_hop_exec(p->env.hop, &o, looked, p);
    rt_buf_deinit(&b);
}

static void ssh_join(struct rt_provider *p) {
    struct pool_node *nodes = ssh_pool_nodes(p);
    pools_join(p->cluster, nodes, p->nnodes);
    free(nodes);
    ssh_show(p);
}

static bool ssh_endpoint(struct rt_provider *p, enum rt_endpoint_kind kind, struct rt_endpoint *out, struct rt_error *err) {
    if (p->up && p->place.dashboard) {
        const bool dashboard = kind == RT_EP_DASHBOARD;
        snprintf(out->host, sizeof out->host, "%s", dashboard ? p->place.dashboard_ip : p->place.ip);
        out->port = dashboard ? p->place.dashboard : p->place.client;
        snprintf(out->url, sizeof out->url, "http://%s:%d", p->place.dashboard_ip, p->place.dashboard);
        return true;
    }
    if (p->look_error.code) {
        *err = p->look_error;
        return false;
    }
    if (!p->looked) {
        rt_error_set(err, RT_E_BUSY, "%s: its head was not looked at yet", p->conf->name);
        return rt_error_hint(err, "`raytui ls` shows whether %s can be reached", p->own->head);
    }
    rt_error_set(err, RT_E_UNREACHABLE, "%s is %s", p->conf->name, p->coming ? "starting" : "not up");
    return rt_error_hint(err, "`raytui up %s` starts it (u on the screen)", p->conf->name);
}

/* ---- life ---- */

static const char *ssh_hop_target(const struct rt_cluster_conf *conf) {
    return ((const struct ssh_config *)conf->own)->head;
}

static void ssh_where(const struct rt_cluster_conf *conf, struct rt_buf *out) {
    rt_buf_adds(out, ssh_hop_target(conf));
}

static void make_nodes(struct rt_provider *p) {
    ssh_node_add(p, "head", "head", p->own->head);
    for (size_t i = 0; i < p->pools.n; i++) {
        const struct pool_conf *po = &p->pools.v[i];
        for (size_t k = 0; k < po->hosts.n; k++) {
            char *name = rt_strf("%s-%zu", po->name, k + 1);
            ssh_node_add(p, name, po->name, po->hosts.v[k]);
            free(name);
        }
    }
}

static struct rt_provider *ssh_create(const struct rt_provider_env *env, const struct rt_cluster_conf *conf,
                                      struct rt_cluster *cluster, struct rt_error *err) {
    struct rt_provider *p = RT_NEW(struct rt_provider);
    (void)err;
    p->env = *env;
    p->conf = conf;
    p->own = conf->own;
    p->cluster = cluster;
    p->lock = -1;
    ssh_pools_read(conf, &p->pools, conf_ignore_problem, NULL);
    make_nodes(p);
    p->journal = rt_journal_open(conf->name, &p->journal_error);
    if (p->journal)
        ssh_nodes_from_journal(p);
    ssh_show(p);
    return p;
}

/* What runs on the hosts goes on: the journal and the head's list find it again. */
static void ssh_destroy(struct rt_provider *p) {
    ssh_tasks_abandon(p);
    watchdog_touch_drop(&p->touch);
    rt_op_drop(&p->look);
    rt_op_drop(&p->probe);
    for (size_t i = 0; i < p->nnodes; i++)
        ssh_node_free(p->nodes[i]);
    free(p->nodes);
    free(p->tasks);
    rt_journal_close(p->journal);
    pools_deinit(&p->pools);
    far_place_clear(&p->place);
    free(p->life);
    free(p->ended);
    free(p);
}

static bool ssh_shell(struct rt_provider *p, const char *node_id, struct rt_strs *argv, struct rt_error *err) {
    const struct rt_node *ray = node_id ? rt_store_node(p->cluster, node_id) : NULL;
    struct snode *n = !node_id ? p->nodes[0] : ray && ray->name ? ssh_node_named(p, ray->name) : NULL;
    if (!n)
        return rt_error_set(err, RT_E_NOT_FOUND, "no host is known for node %s", node_id);
    rt_hop_argv(ssh_node_hop(n), argv);
    return true;
}

static struct rt_operation *ssh_keepalive(struct rt_provider *p, struct rt_error *err) {
    return watchdog_keepalive(&p->touch, &p->env, p->conf->name, err);
}

static void ssh_machine_logs(struct rt_provider *p, struct rt_strs *out) {
    for (size_t i = 0; i < p->nnodes; i++) {
        const struct snode *n = p->nodes[i];
        if (i == 0 || n->booked || n->touched || n->state != SNODE_ABSENT)
            far_log_named(p->conf->name, n->name, out);
    }
}

static const char *ssh_machine_pull(struct rt_provider *p, const char *name) {
    struct snode *n = ssh_node_named(p, name);
    return n ? far_log_pull(&n->log, ssh_node_hop(n), p->conf->name, n->name, "$D/$NODE.log") : NULL;
}

const struct rt_provider_ops rt_provider_ssh = {
    .name = "ssh",
    .summary = "a real Ray on hosts that you can log in to, started and ended by raytui",
    .about = "`raytui up NAME` finds or installs Ray on the head and on the hosts of the pools, starts it there, and forwards ports to\n"
             "you; `raytui down NAME` ends what it started, and only that. The hosts are reached as `ssh` reaches them (~/.ssh/config,\n"
             "ProxyJump), directly or through the head. `head` alone is a cluster of one host. `up --dry-run` shows what would be run.\n",
    .caps = RT_CAP_UP | RT_CAP_DOWN | RT_CAP_SCALE | RT_CAP_REMOVE_NODE | RT_CAP_SHELL | RT_CAP_KEEPALIVE |
            RT_CAP_MACHINE_LOGS,
    .config = ssh_fields,
    .config_size = sizeof(struct ssh_config),
    .needs_hop = true,
    .check = ssh_conf_check,
    .hop_target = ssh_hop_target,
    .where = ssh_where,
    .create = ssh_create,
    .destroy = ssh_destroy,
    .endpoint = ssh_endpoint,
    .refresh = ssh_refresh,
    .join = ssh_join,
    .plan = ssh_plan,
    .up = ssh_up,
    .down = ssh_down,
    .scale_impact = ssh_scale_impact,
    .scale = ssh_scale,
    .set_limits = ssh_set_limits,
    .remove_node = ssh_remove_node,
    .keepalive = ssh_keepalive,
    .shell = ssh_shell,
    .equivalent = ssh_equivalent,
    .doctor = ssh_doctor,
    .machine_logs = ssh_machine_logs,
    .machine_pull = ssh_machine_pull,
};
