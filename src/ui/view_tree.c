/* The cluster as a tree: pools with their nodes and what lives on them; jobs with their actors and tasks. */
#include "ui/outline.h"
#include "ui/views.h"

#include "app/app.h"
#include "base/map.h"
#include "base/str.h"
#include "core/cells.h"
#include "core/history.h"
#include "core/table.h"
#include <stdio.h>
#include <stdlib.h>

#define MANY_NODES 16 /* more of a pool come folded */
#define MANY_JOBS 200 /* the newest; the jobs pane has all */

/* What hangs below each node or job: chains through the actors and tasks by their places. */
struct chain {
    size_t first, n;
};
struct chains {
    struct rt_map by_id; /* struct chain; keys are lent */
    size_t *next;        /* by place; SIZE_MAX ends */
};

struct tree {
    struct rt_outline outline;
};

static struct tree *of(struct rt_view *v) {
    return (struct tree *)v;
}

static const struct rt_cluster *cluster_of(const struct tree *t) {
    const char *name = rt_ui_cluster(t->outline.view.ui);
    return name ? rt_store_cluster(rt_ui_app(t->outline.view.ui)->store, name) : NULL;
}

/* ---- chains ---- */

static void chains_init(struct chains *c, size_t n) {
    rt_map_init(&c->by_id, true);
    c->next = rt_alloc((n + 1) * sizeof *c->next);
}

static void chains_deinit(struct chains *c) {
    size_t it = 0;
    const char *key;
    void *value;
    while (rt_map_next(&c->by_id, &it, &key, &value))
        free(value);
    rt_map_deinit(&c->by_id);
    free(c->next);
}

/* Places are added from the last to the first, so that chains keep their order. */
static void chain(struct chains *c, const char *id, size_t place) {
    if (!id || !*id)
        return;
    struct chain *at = rt_map_get(&c->by_id, id);
    if (!at) {
        at = RT_NEW(struct chain);
        at->first = SIZE_MAX;
        rt_map_set(&c->by_id, id, at);
    }
    c->next[place] = at->first;
    at->first = place;
    at->n++;
}

static size_t first_of(const struct chains *c, const char *id, size_t *n) {
    const struct chain *at = id ? rt_map_get(&c->by_id, id) : NULL;
    *n = at ? at->n : 0;
    return at ? at->first : SIZE_MAX;
}

/* ---- rows ---- */

static void add_actor(struct rt_outline *o, const struct rt_row_env *env, const struct rt_actor *a, int depth, const char *below) {
    char *key = rt_strf("%s/actor/%s", below, a->id);
    struct rt_outline_row *r = rt_outline_add(o, depth, key, a->class_name ? a->class_name : a->id);
    r->health = rt_table_actors.health(a, env);
    r->tail = rt_strf("%s  %s  pid %lld", a->name && *a->name ? a->name : "actor", a->state ? a->state : "-", (long long)a->pid);
    r->command = rt_strf("actor-log %s", a->id);
    free(key);
}

static void add_task(struct rt_outline *o, const struct rt_row_env *env, const struct rt_task *t, int depth, const char *below) {
    char *key = rt_strf("%s/task/%s/%lld", below, t->id, (long long)t->attempt);
    struct rt_outline_row *r = rt_outline_add(o, depth, key, t->name ? t->name : t->id);
    r->health = rt_table_tasks.health(t, env);
    r->tail = rt_strf("task  %s  %s", t->state ? t->state : "-", t->error_type ? t->error_type : "");
    r->command = rt_strf("task-log %s", t->id);
    free(key);
}

static void add_node(struct rt_outline *o, const struct rt_row_env *env, const struct rt_node *n, const struct chains *actors) {
    const struct rt_cluster *c = env->cluster;
    size_t count = 0, at = first_of(actors, n->id, &count);
    char *key = rt_strf("node/%s", n->id);
    struct rt_buf tail;
    rt_buf_init(&tail, 0);
    const char *name = rt_node_name(n);
    struct rt_outline_row *r = count ? rt_outline_fold(o, 2, key, name, false) : rt_outline_add(o, 2, key, name);
    const double cpu = n->alive ? rt_node_measure(n, RT_M_CPU) : -1;
    r->health = rt_table_nodes.health(n, env);
    if (cpu >= 0)
        rt_buf_addf(&tail, "%s cpu %.0f%%", rt_height(cpu, env->ascii), 100 * cpu);
    if (count)
        rt_buf_addf(&tail, "  %zu actor%s", count, count == 1 ? "" : "s");
    if (!n->alive)
        rt_cell_text(&tail, n->state_message);
    r->tail = rt_buf_take(&tail);
    r->command = count ? NULL : rt_strf("detail %s", n->id);
    for (; at != SIZE_MAX; at = actors->next[at])
        add_actor(o, env, &c->actors.v[at], 3, key);
    free(key);
}

static bool in_pool(const struct rt_node *n, const struct rt_pool *p) {
    return rt_streq(n->pool, p->name);
}

static void add_pools(struct rt_outline *o, const struct rt_row_env *env, const struct chains *actors) {
    const struct rt_cluster *c = env->cluster;
    rt_outline_fold(o, 0, "pools", "pools", true)->role = RT_R_STRONG;
    for (size_t i = 0; i < c->pools.n; i++) {
        const struct rt_pool *p = &c->pools.v[i];
        size_t n = 0, alive = 0;
        for (size_t k = 0; k < c->nodes.n; k++)
            if (in_pool(&c->nodes.v[k], p)) {
                n++;
                alive += c->nodes.v[k].alive;
            }
        char *key = rt_strf("pool/%s", p->name);
        struct rt_outline_row *r = rt_outline_fold(o, 1, key, p->name, n <= MANY_NODES);
        r->health = rt_table_pools.health(p, env);
        r->tail = rt_strf("%zu node%s", alive, alive == 1 ? "" : "s");
        for (int pass = 0; pass < 2; pass++) /* those that live first */
            for (size_t k = 0; k < c->nodes.n; k++)
                if (in_pool(&c->nodes.v[k], p) && c->nodes.v[k].alive == (pass == 0))
                    add_node(o, env, &c->nodes.v[k], actors);
        free(key);
    }
}

static void add_job(struct rt_outline *o, const struct rt_row_env *env, const struct rt_job *j, const struct chains *actors,
                    const struct chains *tasks) {
    const struct rt_cluster *c = env->cluster;
    size_t nactors = 0, ntasks = 0;
    size_t actor = first_of(actors, j->job_id, &nactors), task = first_of(tasks, j->job_id, &ntasks);
    char *key = rt_strf("job/%s", j->id);
    struct rt_outline_row *r = nactors + ntasks ? rt_outline_fold(o, 1, key, j->id, false) : rt_outline_add(o, 1, key, j->id);
    r->health = rt_table_jobs.health(j, env);
    struct rt_buf tail;
    rt_buf_init(&tail, 0);
    if (nactors)
        rt_buf_addf(&tail, "%zu actor%s  ", nactors, nactors == 1 ? "" : "s");
    if (ntasks)
        rt_buf_addf(&tail, "%zu task%s  ", ntasks, ntasks == 1 ? "" : "s");
    rt_cell_line(&tail, j->entrypoint);
    r->tail = rt_buf_take(&tail);
    if (!(nactors + ntasks) && j->submission_id)
        r->command = rt_strf("logs -f %s", j->submission_id);
    for (; actor != SIZE_MAX; actor = actors->next[actor])
        add_actor(o, env, &c->actors.v[actor], 2, key);
    for (; task != SIZE_MAX; task = tasks->next[task])
        add_task(o, env, &((const struct rt_task *)c->lists[RT_T_TASKS].v)[task], 2, key);
    free(key);
}

static void add_jobs(struct rt_outline *o, const struct rt_row_env *env, const struct chains *actors, const struct chains *tasks) {
    const struct rt_cluster *c = env->cluster;
    size_t shown = 0;
    rt_outline_fold(o, 0, "jobs", "jobs", true)->role = RT_R_STRONG;
    for (int pass = 0; pass < 2; pass++) /* those that run or wait first */
        for (size_t i = 0; i < c->jobs.n && shown < MANY_JOBS; i++)
            if (rt_job_ended((enum rt_job_status)c->jobs.v[i].status) == (pass == 1)) {
                add_job(o, env, &c->jobs.v[i], actors, tasks);
                shown++;
            }
    if (shown < c->jobs.n) {
        char *text = rt_strf("and %zu more that ended - 4 lists them", c->jobs.n - shown);
        rt_outline_add(o, 1, "jobs/more", text)->role = RT_R_DIM;
        free(text);
    }
}

static bool is_dead(const struct rt_actor *a) {
    return rt_streq(a->state, "DEAD");
}

static void fill(struct rt_outline *o) {
    const struct rt_cluster *c = cluster_of(of(&o->view));
    const struct rt_row_env env = {.store = rt_ui_app(o->view.ui)->store, .cluster = c, .now_ms = rt_wall_ms(), .ascii = rt_ui_ascii(o->view.ui)};
    if (!c) {
        rt_outline_add(o, 0, "none", "no cluster is open - 1 lists them")->role = RT_R_DIM;
        return;
    }
    const struct rt_rows *rows = &c->lists[RT_T_TASKS];
    struct chains on_node, of_job, tasks;
    chains_init(&on_node, c->actors.n);
    chains_init(&of_job, c->actors.n);
    chains_init(&tasks, rows->n);
    for (size_t i = c->actors.n; i-- > 0;)
        if (!is_dead(&c->actors.v[i])) {
            chain(&on_node, c->actors.v[i].node_id, i);
            chain(&of_job, c->actors.v[i].job_id, i);
        }
    for (size_t i = rows->n; i-- > 0;)
        chain(&tasks, ((const struct rt_task *)rows->v)[i].job_id, i);
    add_pools(o, &env, &on_node);
    add_jobs(o, &env, &of_job, &tasks);
    chains_deinit(&on_node);
    chains_deinit(&of_job);
    chains_deinit(&tasks);
}

/* ---- the view ---- */

static void tree_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    const struct rt_cluster *c = cluster_of(of(v));
    rt_buf_addf(left, "tree %s %s", rt_ui_ascii(v->ui) ? "-" : "─", c ? c->name : "no cluster");
    rt_outline_title(&of(v)->outline, right);
    if (c && c->actors.n < c->actors.total)
        rt_buf_addf(right, "%zu of %zu actors", c->actors.n, c->actors.total);
}

/* The node or job that the row under the cursor is, by its key. */
static void tree_select(struct rt_view *v, struct rt_selection *out) {
    const struct rt_outline_row *r = rt_outline_here(&of(v)->outline);
    out->cluster = rt_ui_cluster(v->ui);
    if (r && rt_starts(r->key, "node/") && !strchr(r->key + 5, '/'))
        out->node = r->key + 5;
    else if (r && rt_starts(r->key, "pool/"))
        out->pool = r->key + 5;
}

static enum rt_taken tree_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err) {
    struct rt_selection sel = {0};
    tree_select(v, &sel);
    if (!rt_streq(words->v[0], "detail") || words->n > 1)
        return rt_outline_command(v, words, err);
    if (sel.node) {
        rt_ui_push(v->ui, rt_view_detail(v->ui, &rt_table_nodes, sel.cluster, sel.node));
        return RT_TAKEN_YES;
    }
    if (sel.pool) {
        rt_ui_push(v->ui, rt_view_detail(v->ui, &rt_table_pools, sel.cluster, sel.pool));
        return RT_TAKEN_YES;
    }
    const struct rt_outline_row *r = rt_outline_here(&of(v)->outline);
    if (r && rt_starts(r->key, "job/") && !strstr(r->key, "/actor/") && !strstr(r->key, "/task/")) {
        rt_ui_push(v->ui, rt_view_detail(v->ui, &rt_table_jobs, sel.cluster, r->key + 4));
        return RT_TAKEN_YES;
    }
    rt_error_set(err, RT_E_USAGE, "no pool, node or job stands here");
    return RT_TAKEN_FAILED;
}

static uint32_t tree_topics(struct rt_view *v) {
    (void)v;
    return RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_POOLS) | RT_TOPIC_BIT(RT_T_JOBS) | RT_TOPIC_BIT(RT_T_ACTORS) | RT_TOPIC_BIT(RT_T_TASKS);
}

static void tree_changed(struct rt_view *v, struct rt_cluster *c, enum rt_topic t) {
    (void)c;
    if (t == RT_T_CLUSTER || (RT_TOPIC_BIT(t) & tree_topics(v)))
        of(v)->outline.dirty = true;
}

static void tree_draw(struct rt_view *v, const struct rt_draw *d, struct rt_rect r) {
    struct tree *t = of(v);
    const char *now = rt_ui_cluster(v->ui);
    if (!rt_streq(v->cluster, now)) { /* another one was opened */
        free(v->cluster);
        v->cluster = rt_strdup(now);
        t->outline.dirty = true;
    }
    rt_outline_draw(v, d, r);
}

static void tree_destroy(struct rt_view *v) {
    struct tree *t = of(v);
    rt_outline_deinit(&t->outline);
    free(v->cluster);
    free(t);
}

static const struct rt_view_ops ops = {
    .name = "tree",
    .klass = "outline",
    .draw = tree_draw,
    .title = tree_title,
    .command = tree_command,
    .mouse = rt_outline_mouse,
    .select = tree_select,
    .topics = tree_topics,
    .changed = tree_changed,
    .text = rt_outline_text,
    .filter = rt_outline_filter,
    .back = rt_outline_back,
    .destroy = tree_destroy,
};

struct rt_view *rt_view_tree(struct rt_ui *ui) {
    struct tree *t = RT_NEW(struct tree);
    rt_outline_init(&t->outline, ui, &ops, fill);
    return &t->outline.view;
}
