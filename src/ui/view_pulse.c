/* The first page of all clusters: their list with totals, and beside it the one that is selected: its heat map, its
 * last quarter of an hour, and what it is asked for and does not have. */
#include "ui/heat.h"
#include "ui/list.h"
#include "ui/views.h"

#include "app/app.h"
#include "base/decode.h"
#include "base/str.h"
#include "core/cells.h"
#include "ui/tools.h"
#include <stdlib.h>

#define SIDE_FROM 176 /* columns inside the frame from which there is room for the selected cluster */
#define SIDE_COLS 72

struct pulse {
    struct rt_view view;
    struct rt_view *list;
    struct rt_heat heat;
    struct rt_rect list_rect;
};

static struct pulse *of(struct rt_view *v) {
    return (struct pulse *)v;
}

static const struct rt_cluster *selected(struct pulse *p) {
    const struct rt_list_row *r = rt_list_selected(p->list);
    return r ? r->row : NULL;
}

/* ---- totals ---- */

struct sums {
    int64_t nodes, running, pending, failed;
    double cpu_used, cpu_reserved, cpu_total, gpu_used, gpu_reserved, gpu_total, mem_used, mem_total;
};

static void add(double *used, double *total, double u, double t) {
    if (u >= 0 && t >= 0) {
        *used += u;
        *total += t;
    }
}

static struct sums sum_all(const struct rt_store *s) {
    struct sums out = {0};
    for (size_t i = 0; i < rt_store_count(s); i++) {
        const struct rt_totals t = rt_cluster_totals(rt_store_at(s, i));
        out.nodes += RT_MAX(t.nodes_alive, 0);
        out.running += RT_MAX(t.jobs_running, 0);
        out.pending += RT_MAX(t.jobs_pending, 0);
        out.failed += RT_MAX(t.jobs_failed, 0);
        add(&out.cpu_used, &out.cpu_total, t.cpu_used, t.cpu_total);
        add(&out.gpu_used, &out.gpu_total, t.gpu_used, t.gpu_total);
        out.cpu_reserved += t.cpu_reserved;
        out.gpu_reserved += t.gpu_reserved;
        add(&out.mem_used, &out.mem_total, t.mem_used_bytes, t.mem_total_bytes);
    }
    return out;
}

/* Parts of one are noise where many clusters are added up. */
static double whole(double v) {
    return (double)rt_i64_within(v + 0.5);
}

static int draw_use(const struct rt_draw *d, struct rt_rect r, int col, const char *name, double used, double reserved, double total, bool bytes) {
    struct rt_buf text;
    if (total <= 0)
        return col;
    rt_buf_init(&text, 0);
    if (bytes)
        rt_cell_bytes_of(&text, used, total);
    else
        rt_cell_claims(&text, whole(used), whole(reserved), whole(total));
    if (col + (int)strlen(name) + 10 + (int)text.len > r.col + r.cols) {
        rt_buf_deinit(&text);
        return r.col + r.cols;
    }
    col += rt_tool_put(d->s, r.row, col, r.col + r.cols - col, name, rt_theme_look(d->theme, RT_R_DIM)) + 1;
    col += rt_tool_bar(d, r.row, col, RT_MIN(8, r.col + r.cols - col), (used + reserved) / total) + 1;
    col += rt_tool_put(d->s, r.row, col, r.col + r.cols - col, rt_buf_str(&text), rt_theme_look(d->theme, RT_R_TEXT)) + 3;
    rt_buf_deinit(&text);
    return col;
}

static void draw_totals(struct pulse *p, const struct rt_draw *d, struct rt_rect r) {
    const struct sums s = sum_all(rt_ui_app(p->view.ui)->store);
    char nodes[32], jobs[96];
    snprintf(jobs, sizeof jobs, "all  %s node%s   %lld running  %lld pending  %lld failed", rt_fmt_count(nodes, sizeof nodes, s.nodes), rt_plural(s.nodes),
             (long long)s.running, (long long)s.pending, (long long)s.failed);
    int col = r.col + 2;
    col += rt_tool_put(d->s, r.row, col, r.cols - 2, jobs, rt_theme_look(d->theme, RT_R_STRONG)) + 3;
    col = draw_use(d, r, col, "CPU", s.cpu_used, s.cpu_reserved, s.cpu_total, false);
    col = draw_use(d, r, col, "GPU", s.gpu_used, s.gpu_reserved, s.gpu_total, false);
    (void)draw_use(d, r, col, "MEM", s.mem_used, 0, s.mem_total, true);
}

/* ---- the selected cluster ---- */

struct column_of {
    const struct rt_draw *d;
    struct rt_rect r;
    int row; /* the next free one */
};

static void line(struct column_of *c, const char *text, enum rt_role role) {
    if (c->row < c->r.row + c->r.rows)
        rt_tool_put(c->d->s, c->row++, c->r.col, c->r.cols, text, rt_theme_look(c->d->theme, role));
}

static void draw_history(struct column_of *c, struct rt_ui *ui, const struct rt_cluster *cl, enum rt_measure m, const char *name, double used,
                         double reserved, double total) {
    double v[RT_HISTORY_SAMPLES];
    struct rt_buf text;
    if (total <= 0 || c->row >= c->r.row + c->r.rows)
        return;
    rt_buf_init(&text, 0);
    rt_buf_addf(&text, "%s  ", name);
    if (m == RT_M_MEMORY)
        rt_cell_bytes_of(&text, used, total);
    else
        rt_cell_claims(&text, used, reserved, total);
    rt_tool_put(c->d->s, c->row, c->r.col, 22, rt_buf_str(&text), rt_theme_look(c->d->theme, RT_R_TEXT));
    rt_buf_clear(&text);
    (void)rt_history_get(rt_ui_history(ui), cl->name, NULL, m, rt_wall_ms(), v);
    rt_sparkline(&text, v, RT_COUNT(v), 1, RT_MIN(c->r.cols - 24, RT_HISTORY_SAMPLES), c->d->ascii);
    rt_tool_put(c->d->s, c->row, c->r.col + 23, c->r.cols - 23, rt_buf_str(&text), rt_theme_look(c->d->theme, RT_R_BAR));
    c->row++;
    rt_buf_deinit(&text);
}

static void draw_demand(struct column_of *c, const struct rt_cluster *cl) {
    struct rt_buf text;
    rt_buf_init(&text, 0);
    line(c, "", RT_R_TEXT);
    line(c, cl->demands.n ? "asked for and not there" : "nothing is asked for that is not there", RT_R_DIM);
    for (size_t i = 0; i < cl->demands.n; i++) {
        const struct rt_demand *m = &cl->demands.v[i];
        rt_buf_clear(&text);
        rt_buf_addf(&text, "%lld x ", (long long)m->count);
        rt_cell_text(&text, m->text);
        rt_buf_adds(&text, "  ");
        rt_cell_text(&text, m->kind);
        line(c, rt_buf_str(&text), RT_R_STATUS_WAITING);
    }
    for (size_t i = 0; i < cl->failures.n; i++) {
        rt_buf_clear(&text);
        rt_cell_text(&text, cl->failures.v[i].kind);
        rt_buf_adds(&text, ": ");
        rt_cell_text(&text, cl->failures.v[i].text);
        line(c, rt_buf_str(&text), RT_R_STATUS_FAILED);
    }
    rt_buf_deinit(&text);
}

static void draw_side(struct pulse *p, const struct rt_draw *d, struct rt_rect r) {
    const struct rt_cluster *cl = selected(p);
    for (int i = 0; i < r.rows; i++)
        rt_tool_put(d->s, r.row + i, r.col, 1, d->ascii ? "|" : "│", rt_theme_look(d->theme, RT_R_BORDER));
    struct column_of c = {d, {r.row, r.col + 2, r.rows, r.cols - 3}, r.row};
    if (!cl)
        return;
    line(&c, cl->name, RT_R_STRONG);
    if (cl->reach_detail && cl->reach != RT_REACH_OK) {
        struct rt_buf why;
        rt_buf_init(&why, 0);
        rt_clean(&why, cl->reach_detail, strlen(cl->reach_detail));
        line(&c, rt_buf_str(&why), RT_R_STATUS_FAILED);
        rt_buf_deinit(&why);
    }
    rt_heat_make(&p->heat, cl, c.r.cols - RT_HEAT_LABEL);
    line(&c, p->heat.cells.n ? "one cell a node: height is CPU, colour is state; H opens it" : "its nodes are not known", RT_R_DIM);
    line(&c, "", RT_R_TEXT);
    const int rows = RT_MIN(p->heat.rows, RT_MAX(c.r.rows - 12, 3));
    rt_heat_draw(&p->heat, d, (struct rt_rect){c.row, c.r.col, rows, c.r.cols}, RT_M_CPU, 0, SIZE_MAX);
    c.row += rows;
    line(&c, "", RT_R_TEXT);
    const struct rt_totals t = rt_cluster_totals(cl);
    draw_history(&c, p->view.ui, cl, RT_M_CPU, "CPU", t.cpu_used, t.cpu_reserved, t.cpu_total);
    draw_history(&c, p->view.ui, cl, RT_M_GPU, "GPU", t.gpu_used, t.gpu_reserved, t.gpu_total);
    draw_history(&c, p->view.ui, cl, RT_M_MEMORY, "MEM", t.mem_used_bytes, 0, t.mem_total_bytes);
    draw_demand(&c, cl);
}

static void pulse_draw(struct rt_view *v, const struct rt_draw *d, struct rt_rect r) {
    struct pulse *p = of(v);
    struct rt_rect list = r;
    if (r.cols >= SIDE_FROM) {
        list.cols -= SIDE_COLS;
        draw_side(p, d, (struct rt_rect){r.row, r.col + list.cols, r.rows, SIDE_COLS});
    }
    if (r.rows > 6) {
        list.rows -= 2;
        draw_totals(p, d, (struct rt_rect){r.row + r.rows - 1, r.col, 1, list.cols});
    }
    p->list_rect = list;
    p->list->ops->draw(p->list, d, list);
}

/* ---- what the list does ---- */

static void pulse_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    of(v)->list->ops->title(of(v)->list, left, right);
}

/* Opening a cluster's nodes or heat map makes it the current one first. */
static enum rt_taken pulse_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err) {
    struct pulse *p = of(v);
    const struct rt_cluster *c = selected(p);
    if (rt_streq(words->v[0], "heat") && words->n == 1 && c)
        rt_ui_set_cluster(v->ui, c->name);
    return p->list->ops->command(p->list, words, err);
}

static bool pulse_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r) {
    struct pulse *p = of(v);
    (void)r;
    return p->list->ops->mouse(p->list, ev, p->list_rect);
}

static void pulse_select(struct rt_view *v, struct rt_selection *out) {
    of(v)->list->ops->select(of(v)->list, out);
}

static bool pulse_offers(struct rt_view *v, const struct rt_strs *words) {
    return of(v)->list->ops->offers(of(v)->list, words);
}

static uint32_t pulse_topics(struct rt_view *v) {
    (void)v;
    return RT_TOPIC_BIT(RT_T_CLUSTER) | RT_TOPIC_BIT(RT_T_NODES) | RT_TOPIC_BIT(RT_T_DEMAND) | RT_TOPIC_BIT(RT_T_JOBS);
}

static void pulse_changed(struct rt_view *v, struct rt_cluster *c, enum rt_topic t) {
    struct pulse *p = of(v);
    p->list->ops->changed(p->list, c, t);
    if ((t == RT_T_NODES || t == RT_T_CLUSTER) && c && rt_streq(p->heat.cluster, c->name))
        rt_heat_deinit(&p->heat);
}

static bool pulse_ticks(struct rt_view *v) {
    (void)v;
    return true;
}

static void pulse_text(struct rt_view *v, struct rt_buf *out) {
    of(v)->list->ops->text(of(v)->list, out);
}

static const char *pulse_filter(struct rt_view *v) {
    return of(v)->list->ops->filter(of(v)->list);
}

static bool pulse_back(struct rt_view *v) {
    return of(v)->list->ops->back(of(v)->list);
}

static void pulse_destroy(struct rt_view *v) {
    struct pulse *p = of(v);
    p->list->ops->destroy(p->list);
    rt_heat_deinit(&p->heat);
    free(p);
}

static const struct rt_view_ops ops = {
    .name = "pulse",
    .klass = "list",
    .draw = pulse_draw,
    .title = pulse_title,
    .command = pulse_command,
    .mouse = pulse_mouse,
    .select = pulse_select,
    .offers = pulse_offers,
    .topics = pulse_topics,
    .changed = pulse_changed,
    .ticks = pulse_ticks,
    .text = pulse_text,
    .filter = pulse_filter,
    .back = pulse_back,
    .destroy = pulse_destroy,
};

struct rt_view *rt_view_pulse(struct rt_ui *ui) {
    struct pulse *p = RT_NEW(struct pulse);
    p->view = (struct rt_view){.ops = &ops, .ui = ui};
    p->list = rt_view_clusters(ui);
    return &p->view;
}
