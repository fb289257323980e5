/* Provider `launcher`: clusters of Ray's own launcher. */
#include "providers/launcher.h"
#include "base/fs.h"
#include "base/log.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum {
    ASK_EVERY_MS = 60 * 1000, /* where a head is that cannot be reached */
    ASK_DOWN_MS = 180 * 1000  /* whether somebody brought one up */
};

/* ---- state into the store ---- */

static enum rt_cluster_state state_of(const struct rt_provider *p, const char **detail) {
    *detail = NULL;
    if (launcher_stopping(p))
        return RT_CL_STOPPING;
    if (launcher_starting(p))
        return p->up ? RT_CL_UP : RT_CL_STARTING;
    if (p->up)
        return launcher_changing(p) ? RT_CL_SCALING : RT_CL_UP;
    if (launcher_run_known(p)) /* another raytui sees to it */
        return RT_CL_STARTING;
    if (p->failure.code) {
        *detail = p->failure.message;
        return RT_CL_FAILED;
    }
    if (p->file_error.code) {
        *detail = p->file_error.message;
        return RT_CL_UNKNOWN;
    }
    if (!p->head)
        return p->asked && !p->asking && !p->ask_error.code ? RT_CL_DOWN : RT_CL_UNKNOWN;
    if (!p->probed)
        return RT_CL_UNKNOWN;
    if (!launcher_is_local(p))
        *detail = "its head is there, but Ray's dashboard does not answer";
    return RT_CL_DOWN;
}

void launcher_show(struct rt_provider *p) {
    rt_pools b = {0};
    const char *detail;
    char clean[480];
    launcher_pools(p, &b);
    rt_store_put_pools(p->env.store, p->cluster, &b);
    const bool ours = p->journal && rt_journal_find(p->journal, "cluster", p->conf->name);
    p->cluster->ours = ours || !p->up; /* what is not there yet will be ours */
    p->cluster->pools_foretold = true;
    p->cluster->told_ms = p->told_ms;
    const enum rt_cluster_state state = state_of(p, &detail);
    rt_store_set_state(p->env.store, p->cluster, state, detail ? rt_clean_to(clean, sizeof clean, detail) : NULL);
}

/* ---- looking ---- */

/* A person may have edited it. */
static void look_at_file(struct rt_provider *p) {
    struct stat st;
    struct rt_error err = {0};
    if (stat(p->conf->source_file, &st) != 0 || (st.st_mtime == p->file_mtime && st.st_size == p->file_size))
        return;
    p->file_mtime = st.st_mtime;
    p->file_size = st.st_size;
    if (!launcher_read(p, &err))
        rt_log(RT_LOG_WARN, "%s: %s", p->conf->name, err.message);
    p->aimed = false; /* auth may be another */
}

static void look_for_head(struct rt_provider *p) {
    const int64_t now = rt_loop_now_ms(p->env.loop);
    const bool reached = p->head && p->env.hop && rt_hop_status(p->env.hop)->state == RT_HOP_UP;
    if (!reached && !p->asking && !p->file_error.code && (!p->asked_ms || now - p->asked_ms >= (p->head ? ASK_EVERY_MS : ASK_DOWN_MS)))
        launcher_head_ask(p);
}

static void launcher_refresh(struct rt_provider *p) {
    struct rt_error ignored = {0};
    look_at_file(p);
    launcher_tasks_find(p);
    if (p->task) {
        launcher_show(p);
        return;
    }
    if (!rt_launcher_head(&p->file))
        look_for_head(p);
    if (launcher_head_aim(p, &ignored) && (!p->up || p->cluster->reach != RT_REACH_OK))
        launcher_probe(p);
    launcher_show(p);
}

static bool launcher_endpoint(struct rt_provider *p, enum rt_endpoint_kind kind, struct rt_endpoint *out, struct rt_error *err) {
    if (p->up && !launcher_stopping(p)) {
        snprintf(out->host, sizeof out->host, "127.0.0.1"); /* as seen from the head */
        out->port = kind == RT_EP_DASHBOARD ? p->file.dashboard_port : p->file.client_port;
        snprintf(out->url, sizeof out->url, "http://127.0.0.1:%d", p->file.dashboard_port);
        return true;
    }
    if (p->ask_error.code) {
        *err = p->ask_error;
        return false;
    }
    if (launcher_starting(p) || launcher_stopping(p))
        return rt_error_set(err, RT_E_UNREACHABLE, "%s is %s", p->conf->name, launcher_starting(p) ? "starting" : "going down");
    if (p->asking || (p->head && !p->probed)) {
        rt_error_set(err, RT_E_BUSY, "%s: its head was not looked at yet", p->conf->name);
        return rt_error_hint(err, "`raytui ls` shows whether it can be reached");
    }
    rt_error_set(err, RT_E_UNREACHABLE, "%s is not up", p->conf->name);
    return rt_error_hint(err, "`raytui up %s` starts it (u on the screen)", p->conf->name);
}

/* ---- life ---- */

static void launcher_where(const struct rt_cluster_conf *conf, struct rt_buf *out) {
    const char *path = conf->source_file ? conf->source_file : "", *slash = strrchr(path, '/');
    rt_buf_adds(out, slash ? slash + 1 : path);
}

static struct rt_provider *launcher_create(const struct rt_provider_env *env, const struct rt_cluster_conf *conf,
                                           struct rt_cluster *cluster, struct rt_error *err) {
    struct rt_provider *p = RT_NEW(struct rt_provider);
    p->env = *env;
    p->conf = conf;
    p->own = conf->own;
    p->cluster = cluster;
    p->lock = -1;
    p->dir = rt_cluster_path(conf->name, "launcher");
    launcher_read(p, err);
    *err = (struct rt_error){0}; /* told by file_error when it matters */
    p->journal = rt_journal_open(conf->name, &p->journal_error);
    launcher_head_begin(p);
    launcher_show(p);
    return p;
}

/* A `ray` that works goes on: the journal finds it again. */
static void launcher_destroy(struct rt_provider *p) {
    launcher_tasks_abandon(p);
    launcher_head_end(p);
    rt_launcher_deinit(&p->file);
    rt_journal_close(p->journal);
    rt_arena_destroy(p->said.arena);
    free(p->limits.pool);
    free(p->dir);
    free(p);
}

static void launcher_machine_logs(struct rt_provider *p, struct rt_strs *out) {
    static const char *const whats[] = {"up", "apply", "down"};
    for (size_t i = 0; i < RT_COUNT(whats); i++) {
        char *path = rt_strf("%s/%s.log", p->dir, whats[i]);
        if (rt_file_exists(path))
            rt_strs_addf(out, "ray-%s\t%s", whats[i], path);
        free(path);
    }
}

const struct rt_provider_ops rt_provider_launcher = {
    .name = "launcher",
    .summary = "a cluster of Ray's own launcher, from its YAML",
    .about = "`raytui up NAME` runs `ray up` with the YAML that `file` names and shows how far it is; `raytui down NAME` runs `ray down` and\n"
             "sees that nothing is left. The head is reached by SSH, with the YAML's user and key: dashboard, jobs, logs, shell and\n"
             "forwards work as with other clusters. A pool is a node type: scaling it changes min_workers in the YAML (comments stay)\n"
             "and runs `ray up --no-restart`. Clusters of a person's own `ray up` are attached to; `raytui FILE.yaml` needs no configuration.\n"
             "Host keys of a cloud's machines are kept with the cluster; `ssh_config` may name a file that says how new ones are taken.\n",
    .caps = RT_CAP_UP | RT_CAP_DOWN | RT_CAP_SCALE | RT_CAP_SHELL | RT_CAP_MACHINE_LOGS | RT_CAP_USER_SCRIPT,
    .config = launcher_fields,
    .config_size = sizeof(struct launcher_config),
    .asks = launcher_asks,
    .init = launcher_init,
    .late_hop = true,
    .own_pools = true,
    .own_file = true,
    .check = launcher_check,
    .where = launcher_where,
    .create = launcher_create,
    .destroy = launcher_destroy,
    .endpoint = launcher_endpoint,
    .refresh = launcher_refresh,
    .join = launcher_join,
    .told = launcher_told,
    .plan = launcher_plan,
    .up = launcher_up,
    .down = launcher_down,
    .scale_impact = launcher_scale_impact,
    .scale = launcher_scale,
    .set_limits = launcher_set_limits,
    .shell = launcher_shell,
    .exec = launcher_exec,
    .equivalent = launcher_equivalent,
    .doctor = launcher_doctor,
    .machine_logs = launcher_machine_logs,
};
