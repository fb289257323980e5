/* Which files the parts of a log have: node by node, each file once. What nobody can be asked for is looked up in the
 * cache. */
#include "app/log_private.h"

#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/logcache.h"
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>

struct log_files {
    struct rt_log *log;
    bool any_session;
    struct log_files_out out;
    RT_VEC(struct rt_log_part) parts;
    struct rt_strs strings;  /* of the parts */
    struct rt_map known;     /* files */
    struct rt_op *listing;
    size_t at_part, at_node; /* of the round */
    bool unnamed;            /* the node's files of workers without a job in their names are asked for */
    char *node;              /* that is asked */
};

static const struct rt_cluster *cluster_of(const struct log_files *f) {
    return f->log->session->cluster;
}

/* ---- what was found ---- */

/* Nodes of one machine may share a directory: the files of a worker and of a driver are named after ids, which no other has. */
static bool is_new(struct log_files *f, const char *node, const char *name, const char *unnamed) {
    const bool own_name = rt_starts(name, "worker-") || rt_starts(name, "job-driver-");
    char *key = own_name ? rt_strf("%s%s", unnamed ? unnamed : "", name) : rt_strf("%s/%s", node, name);
    const bool known = rt_map_get(&f->known, key) != NULL;
    rt_map_set(&f->known, key, f);
    free(key);
    return !known;
}

static void offer(struct log_files *f, const struct rt_log_part *p, const char *node, const struct rt_strs *names, bool kept, bool unnamed) {
    const struct rt_job *j = unnamed ? rt_store_job(cluster_of(f), p->id) : NULL;
    const char *job = j ? j->job_id : NULL;
    for (size_t i = 0; i < names->n; i++) {
        if ((p->what == RT_LOG_PART_WORKERS && !rt_starts(names->v[i], "worker-")) || !is_new(f, node, names->v[i], job))
            continue;
        const struct log_file_found found = {.node = node, .name = names->v[i], .kept = kept, .unnamed = job};
        f->out.found(f->out.ctx, &found);
    }
}

/* Which files of a node belong to a part, or may, when they are of a worker that was started before its job; NULL: none can be
 * known yet. */
static char *glob_of(const struct log_files *f, const struct rt_log_part *p, bool unnamed) {
    if (p->what == RT_LOG_PART_FILES)
        return rt_strdup(p->glob);
    const struct rt_job *j = rt_store_job(cluster_of(f), p->id);
    return j && j->job_id && *j->job_id ? rt_strf("worker-*-%s-*", unnamed ? "ffffffff" : j->job_id) : NULL; /* its driver has not begun */
}

/* ---- the cache ---- */

static void offer_kept_as(struct log_files *f, const struct rt_log_part *p, const char *node, bool unnamed) {
    struct rt_strs kept = {0}, fit = {0};
    char *glob = glob_of(f, p, unnamed);
    if (glob)
        log_far_names(f->log->session, node, &kept);
    for (size_t i = 0; i < kept.n; i++)
        if (fnmatch(glob, kept.v[i], 0) == 0)
            rt_strs_add(&fit, kept.v[i]);
    offer(f, p, node, &fit, true, unnamed);
    rt_strs_deinit(&kept);
    rt_strs_deinit(&fit);
    free(glob);
}

static void offer_kept(struct log_files *f, const struct rt_log_part *p, const char *node) {
    offer_kept_as(f, p, node, false);
    if (p->what == RT_LOG_PART_WORKERS)
        offer_kept_as(f, p, node, true);
}

/* Drivers are kept by their job, wherever they ran. */
static void offer_drivers(struct log_files *f, const struct rt_log_part *p) {
    struct rt_strs jobs = {0};
    if (f->any_session)
        log_far_names(f->log->session, "jobs", &jobs);
    for (size_t i = 0; i < jobs.n; i++) {
        char *name = rt_strf("job-driver-%s.log", jobs.v[i]);
        if ((!p->id || rt_streq(p->id, jobs.v[i])) && fnmatch(p->glob, name, 0) == 0 && is_new(f, "jobs", name, NULL)) {
            const struct log_file_found found = {.job = jobs.v[i], .kept = true};
            f->out.found(f->out.ctx, &found);
        }
        free(name);
    }
    rt_strs_deinit(&jobs);
}

static bool is_meant(const struct rt_log_part *p, const char *node) {
    return p->what != RT_LOG_PART_FILES || !p->id || rt_streq(p->id, node);
}

static bool is_reached(const struct log_files *f) {
    const enum rt_reach r = cluster_of(f)->reach;
    return rt_reach_answers(r) || r == RT_REACH_NONE;
}

static bool can_ask(const struct log_files *f, const struct rt_node *n) {
    struct rt_error err = {0};
    return n->alive && is_reached(f) && session_ray(f->log->session, &err);
}

/* Nodes that nobody answers for, also those that the cluster does not name any more. The numbers of jobs start over with each
 * session, so that workers of a job are looked for in their own one alone. */
static void offer_gone(struct log_files *f, const struct rt_log_part *p) {
    const struct rt_cluster *c = cluster_of(f);
    const bool any = f->any_session && p->what == RT_LOG_PART_FILES;
    struct rt_strs nodes = {0};
    for (size_t i = 0; i < c->nodes.n; i++)
        if (is_meant(p, c->nodes.v[i].id) && !can_ask(f, &c->nodes.v[i]))
            offer_kept(f, p, c->nodes.v[i].id);
    log_far_nodes(f->log->session, any, &nodes);
    for (size_t i = 0; i < nodes.n; i++)
        if (!rt_store_node(c, nodes.v[i]) && !rt_streq(nodes.v[i], "jobs") &&
            (p->what != RT_LOG_PART_FILES || !p->id || rt_starts(nodes.v[i], p->id)))
            offer_kept(f, p, nodes.v[i]);
    rt_strs_deinit(&nodes);
    if (p->what == RT_LOG_PART_FILES)
        offer_drivers(f, p);
}

/* ---- the round ---- */

static void step(struct log_files *f);

static void got_names(void *ctx, const struct rt_strs *names, const struct rt_error *err) {
    struct log_files *f = ctx;
    const struct rt_log_part *p = &f->parts.v[f->at_part];
    f->listing = NULL;
    if (err) {
        f->out.trouble(f->out.ctx, f->node, err);
        offer_kept(f, p, f->node);
    } else {
        offer(f, p, f->node, names, false, f->unnamed);
    }
    f->unnamed = !err && !f->unnamed && p->what == RT_LOG_PART_WORKERS;
    f->at_node += !f->unnamed;
    step(f);
}

static bool ask(struct log_files *f, const struct rt_log_part *p, const struct rt_node *n) {
    struct rt_error err = {0};
    if (!is_meant(p, n->id) || !can_ask(f, n))
        return false;
    char *glob = glob_of(f, p, f->unnamed);
    if (glob) {
        free(f->node);
        f->node = rt_strdup(n->id);
        f->listing = rt_ray_log_list(session_ray(f->log->session, &err), n->id, glob, got_names, f);
    }
    free(glob);
    return f->listing != NULL;
}

static void step(struct log_files *f) {
    const rt_nodes *nodes = &cluster_of(f)->nodes;
    for (; f->at_part < f->parts.n; f->at_part++, f->at_node = 0) {
        const struct rt_log_part *p = &f->parts.v[f->at_part];
        if (p->what == RT_LOG_PART_DRIVER)
            continue;
        for (; f->at_node < nodes->n; f->at_node++, f->unnamed = false)
            if (ask(f, p, &nodes->v[f->at_node]))
                return;
        offer_gone(f, p);
    }
    f->at_part = f->at_node = 0;
    f->out.over(f->out.ctx);
}

bool log_files_busy(const struct log_files *f) {
    return f->listing != NULL;
}

void log_files_look(struct log_files *f) {
    if (!f->listing)
        step(f);
}

/* ---- life ---- */

static const char *keep(struct log_files *f, const char *text) {
    if (!text)
        return NULL;
    rt_strs_add(&f->strings, text);
    return f->strings.v[f->strings.n - 1];
}

struct log_files *log_files_create(struct rt_log *l, const struct rt_log_target *t, bool any_session, const struct log_files_out *out) {
    struct log_files *f = RT_NEW(struct log_files);
    f->log = l;
    f->any_session = any_session;
    f->out = *out;
    rt_map_init(&f->known, false);
    for (size_t i = 0; i < t->nparts; i++)
        *rt_vec_push(&f->parts) = (struct rt_log_part){t->parts[i].what, keep(f, t->parts[i].id), keep(f, t->parts[i].glob)};
    return f;
}

void log_files_destroy(struct log_files *f) {
    if (!f)
        return;
    rt_op_drop(&f->listing);
    rt_vec_deinit(&f->parts);
    rt_strs_deinit(&f->strings);
    rt_map_deinit(&f->known);
    free(f->node);
    free(f);
}

size_t log_files_parts(const struct log_files *f) {
    return f->parts.n;
}

const struct rt_log_part *log_files_part(const struct log_files *f, size_t i) {
    return &f->parts.v[i];
}

/* ---- where a node has them ---- */

char *log_node_url(const struct rt_cluster *c, const char *node_id) {
    const struct rt_node *n = node_id ? rt_store_node(c, node_id) : NULL;
    if (!n || !n->ip || n->agent_port <= 0)
        return NULL;
    return rt_strf(strchr(n->ip, ':') ? "http://[%s]:%d" : "http://%s:%d", n->ip, n->agent_port);
}
