/* What would be run where, as text for a person. */
#include "providers/batch_impl.h"
#include <stdlib.h>

static void plan_python(const struct rt_provider *p, struct rt_buf *out) {
    const struct batch_config *own = p->own;
    const char *want = own->far.python.ray ? own->far.python.ray : own->far.ray_version;
    if (own->far.container) {
        rt_buf_addf(out, "Ray is run by: %s ray start ...\n", own->far.container);
        return;
    }
    rt_buf_addf(out, "On %s: look for Ray %s ", own->login, want ? want : "(any version)");
    if ((own->far.python.activate.n || own->far.python.conda) && !own->far.python.venv)
        rt_buf_adds(out, "after these lines of a login shell:\n");
    else
        rt_buf_addf(out, "in %s; where it is not, install ray[default]==%s (about 400 MB, once; it stays after `down`)\n",
                    own->far.python.venv ? own->far.python.venv : "PATH and ~/.raytui/.venvs", want ? want : FAR_RAY_VERSION);
    for (size_t i = 0; i < own->far.python.activate.n; i++)
        rt_buf_addf(out, "    %s\n", own->far.python.activate.v[i]);
    if (own->far.python.conda)
        rt_buf_addf(out, "    conda activate %s\n", own->far.python.conda);
    if (own->far.python.requirements)
        rt_buf_addf(out, "and install %s beside it\n", own->far.python.requirements);
}

static void plan_job(const struct rt_provider *p, const struct bjob *j, bool node, struct rt_buf *out) {
    const struct batch_script s = batch_script_of(p, j);
    rt_buf_addf(out, "\nIn ~/.raytui/%s/jobs/%s: %s job\n", p->conf->name, j->node, p->dialect->submit);
    batch_script_job(&s, out);
    if (!node)
        return;
    rt_buf_addf(out, "\nOn each of its hosts, beside it as `node`:\n");
    batch_script_node(&s, out);
}

static void plan_down(const struct rt_provider *p, struct rt_buf *out) {
    rt_buf_addf(out, "On %s: end ", p->own->login);
    bool any = false;
    for (size_t i = 0; i < p->njobs; i++) {
        if (!p->jobs[i]->id && !p->jobs[i]->booked)
            continue;
        rt_buf_addf(out, "%sjob %s (%s)", any ? ", " : "", p->jobs[i]->id ? p->jobs[i]->id : "?", p->jobs[i]->node);
        any = true;
    }
    rt_buf_addf(out, "%s, wait until they are gone, remove ~/.raytui/%s\n", any ? "" : "every job of it that is there", p->conf->name);
}

static void plan_workers(struct rt_provider *p, const struct batch_pool *pool, int64_t n, struct rt_buf *out) {
    struct rt_strs nodes = {0};
    batch_scale_jobs(p, pool, n, &nodes);
    for (size_t i = 0; i < nodes.n; i++)
        plan_job(p, batch_job_named(p, nodes.v[i]), i == 0, out);
    rt_strs_deinit(&nodes);
}

bool batch_plan(struct rt_provider *p, const char *verb, const struct rt_up_opts *o, struct rt_buf *out, struct rt_error *err) {
    (void)o;
    (void)err;
    if (rt_streq(verb, "down")) {
        plan_down(p, out);
        return true;
    }
    plan_python(p, out);
    plan_job(p, p->jobs[0], true, out);
    for (size_t i = 0; i < p->pools.n; i++)
        plan_workers(p, &p->pools.v[i], p->pools.v[i].nodes, out);
    return true;
}

bool batch_equivalent(struct rt_provider *p, const char *verb, const char *arg, struct rt_buf *out) {
    int64_t wanted = 0;
    if (rt_streq(verb, "down")) {
        plan_down(p, out);
        return true;
    }
    if (!rt_streq(verb, "scale") || !arg)
        return false;
    const size_t n = strcspn(arg, " ");
    char *name = rt_strndup(arg, n);
    const struct batch_pool *pool = batch_pool_named(&p->pools, name);
    if (pool && rt_parse_i64(arg + n + (arg[n] == ' '), &wanted) && wanted > batch_pool_size(p, pool))
        plan_workers(p, pool, wanted, out);
    free(name);
    return out->len > 0;
}
