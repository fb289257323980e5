/* Differences between what was known and what came. */
#include "ui/notices.h"

#include "base/map.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/cells.h"
#include "core/table.h"
#include "net/loop.h"
#include <stdlib.h>

enum { END_SOON_MS = 15 * 60 * 1000, END_NOW_MS = 5 * 60 * 1000 };

struct known {
    char *cluster;
    struct rt_map jobs, nodes; /* that ran, that lived */
    bool jobs_seen, nodes_seen;
    enum rt_reach reach;       /* the last one that says something: OK or LOST */
    int end_told;              /* 1: that it ends soon, 2: that it ends now */
};

struct rt_notices {
    struct rt_store *store;
    RT_VEC(struct known) clusters;
    rt_notice_fn *fn;
    void *ctx;
};

static struct known *known_of(struct rt_notices *n, const char *cluster) {
    for (size_t i = 0; i < n->clusters.n; i++)
        if (rt_streq(n->clusters.v[i].cluster, cluster))
            return &n->clusters.v[i];
    struct known *k = rt_vec_push(&n->clusters);
    k->cluster = rt_strdup(cluster);
    rt_map_init(&k->jobs, false);
    rt_map_init(&k->nodes, false);
    return k;
}

static void known_deinit(struct known *k) {
    rt_map_deinit(&k->jobs);
    rt_map_deinit(&k->nodes);
    free(k->cluster);
}

static void forget(struct rt_notices *n, const char *cluster) {
    for (size_t i = 0; i < n->clusters.n; i++)
        if (rt_streq(n->clusters.v[i].cluster, cluster)) {
            known_deinit(&n->clusters.v[i]);
            rt_vec_remove(&n->clusters, i);
            return;
        }
}

static void tell(struct rt_notices *n, struct rt_buf *text, bool bad) {
    n->fn(n->ctx, rt_buf_str(text), bad);
    rt_buf_clear(text);
}

/* ---- jobs ---- */

static void job_ended(struct rt_notices *n, const struct rt_cluster *c, const struct rt_job *j) {
    struct rt_buf text;
    rt_buf_init(&text, 0);
    rt_buf_addf(&text, "%s: job ", c->name);
    rt_cell_text(&text, j->id);
    rt_buf_adds(&text, " ended: ");
    rt_cell_text(&text, j->status_text);
    if (j->status == RT_JOB_FAILED) {
        rt_buf_adds(&text, "  ");
        rt_job_why(&text, j);
    }
    tell(n, &text, j->status == RT_JOB_FAILED);
    rt_buf_deinit(&text);
}

static void on_jobs(struct rt_notices *n, struct known *k, const struct rt_cluster *c) {
    struct rt_map now;
    rt_map_init(&now, false);
    for (size_t i = 0; i < c->jobs.n; i++) {
        const struct rt_job *j = &c->jobs.v[i];
        if (!rt_job_ended((enum rt_job_status)j->status))
            rt_map_set(&now, j->id, n);
        else if (k->jobs_seen && rt_map_get(&k->jobs, j->id))
            job_ended(n, c, j);
    }
    rt_map_deinit(&k->jobs);
    k->jobs = now;
    k->jobs_seen = true;
}

/* ---- nodes ---- */

static void on_nodes(struct rt_notices *n, struct known *k, const struct rt_cluster *c) {
    const struct rt_row_env env = {.store = n->store, .cluster = c, .now_ms = rt_wall_ms()};
    const struct rt_node *lost = NULL;
    size_t count = 0;
    struct rt_map now;
    rt_map_init(&now, false);
    for (size_t i = 0; i < c->nodes.n; i++) {
        const struct rt_node *node = &c->nodes.v[i];
        if (node->alive) {
            rt_map_set(&now, node->id, n);
        } else if (k->nodes_seen && rt_map_get(&k->nodes, node->id) && rt_table_nodes.health(node, &env) == RT_H_BAD) {
            lost = node;
            count++;
        }
    }
    rt_map_deinit(&k->nodes);
    k->nodes = now;
    k->nodes_seen = true;
    if (!count)
        return;
    struct rt_buf text;
    rt_buf_init(&text, 0);
    rt_buf_addf(&text, "%s: ", c->name);
    if (count > 1) {
        rt_buf_addf(&text, "%zu nodes were lost", count);
    } else {
        rt_buf_adds(&text, "node ");
        rt_cell_text(&text, rt_node_name(lost));
        rt_buf_adds(&text, " was lost");
    }
    if (lost->state_message) {
        rt_buf_adds(&text, ": ");
        rt_cell_text(&text, lost->state_message);
    }
    tell(n, &text, true);
    rt_buf_deinit(&text);
}

/* ---- clusters ---- */

/* It does not answer because it was told to end, or has not begun. */
static bool meant_to_be_away(const struct rt_cluster *c) {
    return c->state == RT_CL_STOPPING || c->state == RT_CL_DOWN || c->state == RT_CL_SUSPENDED || c->state == RT_CL_STARTING;
}

static void on_reach(struct rt_notices *n, struct known *k, const struct rt_cluster *c) {
    struct rt_buf text;
    if (c->reach == RT_REACH_LOST && meant_to_be_away(c)) {
        k->reach = RT_REACH_NONE;
        return;
    }
    if (c->reach == RT_REACH_LOST && k->reach == RT_REACH_NONE) /* what was not reached yet cannot come back */
        return;
    if ((c->reach != RT_REACH_OK && c->reach != RT_REACH_LOST) || c->reach == k->reach) {
        if (c->reach == RT_REACH_NONE) /* left: coming back is no news */
            k->reach = RT_REACH_NONE;
        return;
    }
    rt_buf_init(&text, 0);
    if (c->reach == RT_REACH_LOST && k->reach == RT_REACH_OK) {
        const bool failed = c->state == RT_CL_FAILED && c->state_detail; /* what ended it says more */
        const char *why = failed ? c->state_detail : c->reach_detail;
        rt_buf_addf(&text, "%s %s", c->name, failed ? "failed" : "is unreachable");
        if (why) {
            rt_buf_adds(&text, ": ");
            rt_cell_text(&text, why);
        }
        tell(n, &text, true);
    } else if (c->reach == RT_REACH_OK && k->reach == RT_REACH_LOST) {
        rt_buf_addf(&text, "%s is back", c->name);
        tell(n, &text, false);
    }
    k->reach = c->reach;
    rt_buf_deinit(&text);
}

static void on_end(struct rt_notices *n, struct known *k, const struct rt_cluster *c) {
    const int64_t left = c->ends_at_ms - rt_wall_ms();
    const int due = c->ends_at_ms <= 0 || left <= 0 || left > END_SOON_MS ? 0 : left > END_NOW_MS ? 1 : 2;
    char age[32];
    if (due <= k->end_told) { /* kept alive, it is told again next time */
        k->end_told = due;
        return;
    }
    k->end_told = due;
    struct rt_buf text;
    rt_buf_init(&text, 0);
    rt_buf_addf(&text, "%s ends in %s", c->name, rt_fmt_age(age, sizeof age, left));
    if (c->ends_why) {
        rt_buf_adds(&text, ": ");
        rt_cell_text(&text, c->ends_why);
    }
    if (rt_streq(c->ends_why, "walltime"))
        rt_buf_adds(&text, "; only an administrator can raise it: save what is needed");
    tell(n, &text, true);
    rt_buf_deinit(&text);
}

static void on_store(void *ctx, struct rt_cluster *c, enum rt_topic t) {
    struct rt_notices *n = ctx;
    if (!c)
        return;
    if (t == RT_T_CLUSTER && rt_store_cluster(n->store, c->name) != c) {
        forget(n, c->name);
        return;
    }
    struct known *k = known_of(n, c->name);
    const struct rt_freshness *f = &c->fresh[t];
    const bool good = f->at_ms && !f->from_snapshot && !f->error.code;
    if (t == RT_T_CLUSTER) {
        on_reach(n, k, c);
    } else if (t == RT_T_JOBS && good) {
        on_jobs(n, k, c);
    } else if (t == RT_T_NODES && good) {
        on_nodes(n, k, c);
    }
    on_end(n, k, c); /* time goes by whatever came */
}

struct rt_notices *rt_notices_create(struct rt_store *s, rt_notice_fn *fn, void *ctx) {
    struct rt_notices *n = RT_NEW(struct rt_notices);
    n->store = s;
    n->fn = fn;
    n->ctx = ctx;
    rt_store_watch(s, on_store, n);
    return n;
}

void rt_notices_destroy(struct rt_notices *n) {
    if (!n)
        return;
    rt_store_unwatch(n->store, on_store, n);
    for (size_t i = 0; i < n->clusters.n; i++)
        known_deinit(&n->clusters.v[i]);
    rt_vec_deinit(&n->clusters);
    free(n);
}

/* ---- how it is told ---- */

struct rt_notify rt_notify_parse(const char *text) {
    struct rt_notify out = {.toast = true};
    if (!text || !*text)
        return out;
    out.toast = false;
    for (const char *s = text; *s;) {
        const size_t n = strcspn(s, ", ");
        if (n == 5 && strncmp(s, "toast", n) == 0)
            out.toast = true;
        else if (n == 4 && strncmp(s, "bell", n) == 0)
            out.bell = true;
        else if (n == 7 && strncmp(s, "desktop", n) == 0)
            out.desktop = true;
        else if (n && !(n == 4 && strncmp(s, "none", n) == 0))
            return (struct rt_notify){.toast = true, .command = text};
        s += n + strspn(s + n, ", ");
    }
    return out;
}
