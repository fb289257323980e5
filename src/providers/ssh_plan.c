/* What would be run where, as text for a person. */
#include "base/fs.h"
#include "base/shell.h"
#include "providers/ssh.h"
#include <stdlib.h>

struct ssh_script ssh_script_of(const struct snode *n) {
    const struct rt_provider *p = n->provider;
    const bool head = n == p->nodes[0];
    static const struct pool_conf no_pool; /* a node of a pool that is in the configuration no more: it can be stopped */
    const struct pool_conf *pool = head ? NULL : pool_named(&p->pools, n->pool);
    return (struct ssh_script){
        .cluster = p->conf->name,
        .own = p->own,
        .requirements = p->requirements,
        .node = n->name,
        .pool = head ? NULL : pool ? pool : &no_pool,
        .ray = n->ray,
        .python = n->python,
        .place = &p->place,
        .mark = "0",
    };
}

static void plan_python(const struct rt_provider *p, struct rt_buf *out) {
    const struct far_conf *far = &p->own->far;
    const char *want = far_version(far);
    rt_buf_addf(out, "On each host: look for Ray %s ", want ? want : "(any version)");
    if (far->container)
        rt_buf_addf(out, "inside `%s`\n", far->container);
    else if (far_login_shell(far) && !far->python.venv)
        rt_buf_adds(out, "after these lines of a login shell:\n");
    else
        rt_buf_addf(out, "in %s; where it is not, install ray[default]==%s (about 400 MB, once; it stays after `down`)\n",
                    far->python.venv ? far->python.venv : "PATH and ~/.raytui/.venvs", want ? want : FAR_RAY_VERSION);
    for (size_t i = 0; i < far->python.activate.n; i++)
        rt_buf_addf(out, "    %s\n", far->python.activate.v[i]);
    if (far->python.conda)
        rt_buf_addf(out, "    conda activate %s\n", far->python.conda);
    if (far->python.requirements)
        rt_buf_addf(out, "and install %s beside it\n", far->python.requirements);
}

static void plan_node(struct snode *n, struct rt_buf *out) {
    struct rt_provider *p = n->provider;
    struct ssh_script s = ssh_script_of(n);
    struct far_place place = p->place;
    if (!*place.ip) {
        place.gcs = p->own->far.gcs_port ? (int)p->own->far.gcs_port : 6379;
        snprintf(place.ip, sizeof place.ip, "HEAD");
    }
    s.place = &place;
    rt_buf_addf(out, "\nOn %s: write and run ~/.raytui/%s/%s.sh, in a session of its own:\n", n->host, p->conf->name, n->name);
    ssh_script_node(&s, out);
}

static void plan_down(struct rt_provider *p, struct rt_buf *out) {
    for (size_t i = p->nnodes; i-- > 0;) {
        const struct snode *n = p->nodes[i];
        if (i == 0 || n->booked || n->touched)
            rt_buf_addf(out, "On %s: end node %s (its own processes only), remove its files in ~/.raytui/%s and its temporary directory\n",
                        n->host, n->name, p->conf->name);
    }
}

bool ssh_plan(struct rt_provider *p, const char *verb, const struct rt_up_opts *o, struct rt_buf *out, struct rt_error *err) {
    (void)o;
    (void)err;
    if (rt_streq(verb, "down")) {
        plan_down(p, out);
        return true;
    }
    plan_python(p, out);
    plan_node(p->nodes[0], out);
    for (size_t i = 0; i < p->pools.n; i++) {
        struct snode **v = NULL;
        size_t count = 0;
        ssh_scale_nodes(p, p->pools.v[i].name, p->pools.v[i].nodes, &v, &count);
        for (size_t k = 0; k < count; k++)
            plan_node(v[k], out);
        free(v);
    }
    const struct watchdog_opts life = watchdog_opts(p->conf, p->conf->user_script);
    watchdog_plan(&life, out);
    return true;
}

bool ssh_equivalent(struct rt_provider *p, const char *verb, const char *arg, struct rt_buf *out) {
    if (rt_streq(verb, "down")) {
        plan_down(p, out);
        return true;
    }
    if (!rt_streq(verb, "scale") || !arg)
        return false;
    char *pool = rt_strndup(arg, strcspn(arg, " "));
    int64_t wanted = 0;
    if (rt_parse_i64(arg + strlen(pool) + (arg[strlen(pool)] == ' '), &wanted) && wanted > (int64_t)ssh_pool_size(p, pool)) {
        struct snode **v = NULL;
        size_t count = 0;
        ssh_scale_nodes(p, pool, wanted, &v, &count);
        for (size_t k = 0; k < count; k++)
            plan_node(v[k], out);
        free(v);
    }
    free(pool);
    return out->len > 0;
}
