/* All nodes of a cluster at a glance: one cell a node; walked with h j k l, Enter opens one. */
#include "ui/heat.h"

#include "app/app.h"
#include "base/str.h"
#include "core/cells.h"
#include "ui/tools.h"
#include "ui/views.h"
#include <stdlib.h>

static const enum rt_measure measures[] = {RT_M_CPU, RT_M_MEMORY, RT_M_GPU, RT_M_STORE, RT_M_DISK};

struct heat_view {
    struct rt_view view;
    struct rt_heat heat;
    size_t measure;  /* of measures */
    char *node;      /* where the cursor stands; NULL: on the first */
    int top, page;
    struct rt_rect drawn; /* of the map, labels included */
};

static struct heat_view *of(struct rt_view *v) {
    return (struct heat_view *)v;
}

static const struct rt_cluster *cluster_of(const struct heat_view *h) {
    const char *name = rt_ui_cluster(h->view.ui);
    return name ? rt_store_cluster(rt_ui_app(h->view.ui)->store, name) : NULL;
}

static const struct rt_cluster *made(struct heat_view *h) {
    const struct rt_cluster *c = cluster_of(h);
    rt_heat_make(&h->heat, c, h->heat.cols);
    return c;
}

static size_t cursor(const struct heat_view *h) {
    const size_t at = rt_heat_find(&h->heat, h->node);
    return at == SIZE_MAX ? 0 : at;
}

static const struct rt_node *node_here(struct heat_view *h) {
    made(h);
    return h->heat.cells.n ? h->heat.cells.v[cursor(h)].node : NULL;
}

static void go_to(struct heat_view *h, size_t at) {
    if (at >= h->heat.cells.n)
        return;
    free(h->node);
    h->node = rt_strdup(h->heat.cells.v[at].node->id);
    rt_ui_mark(h->view.ui);
}

/* ---- drawing ---- */

static void say(const struct rt_draw *d, struct rt_rect line, const char *text, enum rt_role role) {
    rt_tool_put(d->s, line.row, line.col, line.cols, text, rt_theme_look(d->theme, role));
}

/* "node-017  ALIVE  gpu_pool   cpu 15%  memory 49%  ..." of the node under the cursor. */
static void draw_node(struct heat_view *h, const struct rt_draw *d, struct rt_rect r) {
    const struct rt_node *n = node_here(h);
    struct rt_buf out;
    if (!n)
        return;
    rt_buf_init(&out, 0);
    rt_cell_text(&out, rt_node_name(n));
    rt_buf_adds(&out, "  ");
    rt_cell_text(&out, n->state);
    rt_buf_adds(&out, "  ");
    rt_cell_text(&out, n->pool);
    for (size_t i = 0; i < RT_COUNT(measures); i++) {
        const double v = rt_node_measure(n, measures[i]);
        if (v >= 0)
            rt_buf_addf(&out, "   %s %.0f%%", rt_measure_name(measures[i]), 100 * v);
    }
    if (!n->alive && n->state_message) {
        rt_buf_adds(&out, "   ");
        rt_cell_text(&out, n->state_message);
    }
    say(d, r, rt_buf_str(&out), RT_R_TEXT);
    rt_buf_deinit(&out);
}

static void keep_seen(struct heat_view *h, int rows) {
    const int row = h->heat.cells.n ? h->heat.cells.v[cursor(h)].row : 0;
    h->page = RT_MAX(rows, 1);
    h->top = RT_MAX(RT_MIN(h->top, row), row - h->page + 1);
    h->top = RT_MAX(RT_MIN(h->top, h->heat.rows - h->page), 0);
}

static void heat_draw(struct rt_view *v, const struct rt_draw *d, struct rt_rect r) {
    struct heat_view *h = of(v);
    const struct rt_cluster *c = cluster_of(h);
    rt_heat_make(&h->heat, c, r.cols - RT_HEAT_LABEL - 2);
    if (!h->heat.cells.n) {
        say(d, (struct rt_rect){r.row, r.col + 2, 1, r.cols - 2}, h->heat.total ? "the filter hides all nodes - Esc" : c ? rt_table_nodes.empty : "no cluster is open - 1 lists them", RT_R_DIM);
        return;
    }
    const bool tall = r.rows > 3;
    h->drawn = (struct rt_rect){r.row, r.col + 1, r.rows - (tall ? 2 : 0), r.cols - 2};
    keep_seen(h, h->drawn.rows);
    rt_heat_draw(&h->heat, d, h->drawn, measures[h->measure], h->top, cursor(h));
    if (c->reach == RT_REACH_LOST || c->fresh[RT_T_NODES].from_snapshot)
        rt_surface_tint(d->s, h->drawn, rt_theme_over(d->theme, RT_R_STALE));
    if (tall)
        draw_node(h, d, (struct rt_rect){r.row + r.rows - 1, r.col + 1, 1, r.cols - 2});
}

static void heat_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    struct heat_view *h = of(v);
    const struct rt_cluster *c = made(h);
    size_t alive = 0;
    for (size_t i = 0; i < h->heat.pools.n; i++)
        alive += h->heat.pools.v[i].alive;
    rt_buf_addf(left, "heat %s %s", rt_ui_ascii(v->ui) ? "-" : "─", c ? c->name : "no cluster");
    rt_buf_addf(left, ", height is %s, colour is state", rt_measure_name(measures[h->measure]));
    if (h->heat.filter) {
        rt_buf_adds(right, "</");
        rt_clean(right, h->heat.filter, strlen(h->heat.filter));
        rt_buf_addf(right, ">  %zu of %zu  ", h->heat.cells.n, h->heat.total);
    }
    rt_buf_addf(right, "%zu alive of %zu", alive, h->heat.cells.n);
}

/* ---- commands ---- */

static bool set_measure(struct heat_view *h, const char *name, struct rt_error *err) {
    const char *names[RT_COUNT(measures) + 1] = {NULL};
    for (size_t i = 0; i < RT_COUNT(measures); i++) {
        names[i] = rt_measure_name(measures[i]);
        if (name && rt_starts(names[i], name)) {
            h->measure = i;
            return true;
        }
    }
    if (name)
        return rt_error_set(err, RT_E_USAGE, "usage: measure cpu|memory|gpu|object|disk");
    h->measure = (h->measure + 1) % RT_COUNT(measures);
    return true;
}

static bool walk(struct heat_view *h, const char *how, struct rt_error *err) {
    static const struct {
        const char *word;
        int rows, cols;
    } ways[] = {{"left", 0, -1}, {"right", 0, 1}, {"up", -1, 0}, {"down", 1, 0}};
    made(h);
    for (size_t i = 0; i < RT_COUNT(ways); i++)
        if (rt_streq(how, ways[i].word)) {
            go_to(h, rt_heat_step(&h->heat, cursor(h), ways[i].rows, ways[i].cols));
            return true;
        }
    if (rt_streq(how, "first") || rt_streq(how, "last"))
        go_to(h, rt_streq(how, "first") || !h->heat.cells.n ? 0 : h->heat.cells.n - 1);
    else if (rt_streq(how, "page") || rt_streq(how, "-page"))
        go_to(h, rt_heat_step(&h->heat, cursor(h), *how == '-' ? -h->page : h->page, 0));
    else
        return rt_error_set(err, RT_E_USAGE, "usage: walk left|right|up|down|first|last|page|-page");
    return true;
}

static enum rt_taken heat_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err) {
    struct heat_view *h = of(v);
    const char *name = words->v[0], *arg = words->n > 1 ? words->v[1] : NULL;
    bool ok;
    if (rt_streq(name, "walk")) {
        ok = walk(h, arg, err);
    } else if (rt_streq(name, "measure")) {
        ok = set_measure(h, arg, err);
    } else if (rt_streq(name, "filter")) {
        rt_heat_filter(&h->heat, arg);
        ok = true;
    } else if (rt_streq(name, "detail") && words->n == 1) {
        const struct rt_node *n = node_here(h);
        ok = n || rt_error_set(err, RT_E_USAGE, "nothing is selected");
        if (n)
            rt_ui_push(v->ui, rt_view_detail(v->ui, &rt_table_nodes, rt_ui_cluster(v->ui), n->id));
    } else {
        return RT_TAKEN_NO;
    }
    rt_ui_mark(v->ui);
    return ok ? RT_TAKEN_YES : RT_TAKEN_FAILED;
}

static bool heat_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r) {
    struct heat_view *h = of(v);
    (void)r;
    made(h);
    if (ev->mouse == RT_MOUSE_WHEEL_UP || ev->mouse == RT_MOUSE_WHEEL_DOWN) {
        go_to(h, rt_heat_step(&h->heat, cursor(h), ev->mouse == RT_MOUSE_WHEEL_UP ? -3 : 3, 0));
        return true;
    }
    if (ev->mouse != RT_MOUSE_PRESS || !rt_rect_has(h->drawn, ev->row, ev->col))
        return false;
    const int row = ev->row - h->drawn.row + h->top, col = ev->col - h->drawn.col - RT_HEAT_LABEL;
    for (size_t i = 0; i < h->heat.cells.n; i++)
        if (h->heat.cells.v[i].row == row && h->heat.cells.v[i].col == col)
            go_to(h, i);
    return !ev->double_click || rt_ui_key(v->ui, (struct rt_key){RT_K_ENTER, 0});
}

/* ---- the rest ---- */

static void heat_select(struct rt_view *v, struct rt_selection *out) {
    const struct rt_node *n = node_here(of(v));
    out->cluster = rt_ui_cluster(v->ui);
    out->node = n ? n->id : NULL;
    out->pool = n ? n->pool : NULL;
}

static uint32_t heat_topics(struct rt_view *v) {
    (void)v;
    return RT_TOPIC_BIT(RT_T_NODES);
}

static void heat_changed(struct rt_view *v, struct rt_cluster *c, enum rt_topic t) {
    struct heat_view *h = of(v);
    if (t != RT_T_NODES && t != RT_T_CLUSTER)
        return;
    if (c && rt_streq(h->heat.cluster, c->name)) { /* its cells point into what is gone */
        char *filter = rt_strdup(h->heat.filter);
        rt_heat_filter(&h->heat, filter);
        free(filter);
    }
}

static void heat_text(struct rt_view *v, struct rt_buf *out) {
    struct heat_view *h = of(v);
    made(h);
    for (size_t i = 0; i < h->heat.pools.n; i++) {
        const struct rt_heat_pool *p = &h->heat.pools.v[i];
        rt_buf_addf(out, "%s\t%zu alive of %zu\t", p->name, p->alive, p->n);
        for (size_t k = p->first; k < p->first + p->n; k++) {
            const double load = rt_node_measure(h->heat.cells.v[k].node, measures[h->measure]);
            rt_buf_adds(out, !h->heat.cells.v[k].node->alive ? "x" : load < 0 ? "." : rt_height(load, rt_ui_ascii(v->ui)));
        }
        rt_buf_addc(out, '\n');
    }
}

static const char *heat_filter(struct rt_view *v) {
    return of(v)->heat.filter;
}

static bool heat_back(struct rt_view *v) {
    if (!of(v)->heat.filter)
        return false;
    rt_heat_filter(&of(v)->heat, NULL);
    rt_ui_mark(v->ui);
    return true;
}

static void heat_destroy(struct rt_view *v) {
    struct heat_view *h = of(v);
    rt_heat_deinit(&h->heat);
    free(h->node);
    free(h);
}

static const struct rt_view_ops ops = {
    .name = "heat",
    .draw = heat_draw,
    .title = heat_title,
    .command = heat_command,
    .mouse = heat_mouse,
    .select = heat_select,
    .topics = heat_topics,
    .changed = heat_changed,
    .text = heat_text,
    .filter = heat_filter,
    .back = heat_back,
    .destroy = heat_destroy,
};

struct rt_view *rt_view_heat(struct rt_ui *ui) {
    struct heat_view *h = RT_NEW(struct heat_view);
    h->view = (struct rt_view){.ops = &ops, .ui = ui};
    return &h->view;
}
