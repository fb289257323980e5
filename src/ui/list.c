/* The list view: selection, marks, titles, mouse. */
#include "ui/list_impl.h"

#include "base/str.h"
#include "net/loop.h"
#include "ui/view.h"
#include <stdlib.h>

struct list *list_of(struct rt_view *v) {
    return (struct list *)v;
}

const struct rt_cluster *list_cluster(const struct list *l) {
    const char *name = rt_ui_cluster(l->view.ui);
    return name ? rt_store_cluster(rt_ui_app(l->view.ui)->store, name) : NULL;
}

struct rt_row_env list_env(const struct list *l, const struct rt_list_row *r) {
    return (struct rt_row_env){.store = rt_ui_app(l->view.ui)->store, .cluster = r ? r->cluster : NULL,
                               .now_ms = rt_wall_ms(), .ascii = rt_ui_ascii(l->view.ui)};
}

void list_key(struct rt_buf *out, const struct list *l, const struct rt_list_row *r) {
    if (r->cluster)
        rt_buf_addf(out, "%s\x1f", r->cluster->name);
    rt_buf_adds(out, l->rows.table->id(r->row));
}

static bool key_is(const struct list *l, const struct rt_list_row *r, const char *key) {
    if (r->cluster) {
        const size_t n = strlen(r->cluster->name);
        if (strncmp(key, r->cluster->name, n) != 0 || key[n] != '\x1f')
            return false;
        key += n + 1;
    }
    return rt_streq(key, l->rows.table->id(r->row));
}

bool list_marked(const struct list *l, const struct rt_list_row *r) {
    if (!l->marks.n)
        return false;
    struct rt_buf key;
    rt_buf_init(&key, 0);
    list_key(&key, l, r);
    const bool marked = rt_map_get(&l->marks, rt_buf_str(&key)) != NULL;
    rt_buf_deinit(&key);
    return marked;
}

static void remember(struct list *l) {
    free(l->selected);
    l->selected = NULL;
    if (l->index >= l->rows.n)
        return;
    struct rt_buf key;
    rt_buf_init(&key, 0);
    list_key(&key, l, &l->rows.v[l->index]);
    l->selected = rt_buf_take(&key);
}

void list_move_to(struct list *l, int64_t index) {
    const int64_t last = (int64_t)l->rows.n - 1;
    l->index = (size_t)RT_MAX(RT_MIN(index, last), 0);
    remember(l);
    rt_ui_mark(l->view.ui);
}

/* The row that was selected, wherever it went; if it is gone, its place. */
static void follow(struct list *l) {
    if (!l->selected) {
        l->index = 0;
        return;
    }
    if (l->index < l->rows.n && key_is(l, &l->rows.v[l->index], l->selected))
        return;
    for (size_t i = 0; i < l->rows.n; i++)
        if (key_is(l, &l->rows.v[i], l->selected)) {
            const size_t above = l->index - RT_MIN(l->index, l->top);
            l->index = i;
            l->top = i - RT_MIN(i, above);
            return;
        }
    if (l->rows.n) {
        l->index = RT_MIN(l->index, l->rows.n - 1);
        remember(l);
    }
}

void list_gather(struct list *l) {
    if (!l->rows.dirty)
        return;
    l->rows.ascii = rt_ui_ascii(l->view.ui);
    rt_list_rows_gather(&l->rows, rt_ui_app(l->view.ui)->store, list_cluster(l), l->all, rt_wall_ms());
    follow(l);
}

/* ---- titles ---- */

static void add_counts(const struct list *l, struct rt_buf *out) {
    const char *gap = rt_ui_ascii(l->view.ui) ? " - " : " ─ ";
    char n[32];
    for (size_t h = 0; h < RT_HEALTH_COUNT; h++)
        if (l->opts->words[h] && l->rows.health[h]) {
            const char *word = l->opts->words[h], *bar = strchr(word, '|');
            rt_buf_addf(out, "%s%s %.*s", gap, rt_fmt_count(n, sizeof n, (int64_t)l->rows.health[h]),
                        (int)(bar ? (size_t)(bar - word) : strlen(word)), word);
            rt_buf_adds(out, bar && l->rows.health[h] != 1 ? bar + 1 : "");
            gap = "  ";
        }
}

static void add_age(const struct list *l, struct rt_buf *out) {
    const struct rt_cluster *c = list_cluster(l);
    if (!c || l->rows.table->global || l->all)
        return;
    const struct rt_freshness *f = &c->fresh[l->rows.table->topic];
    if (f->at_ms <= 0 || (!f->error.code && !f->from_snapshot && c->reach == RT_REACH_OK))
        return;
    char age[32];
    rt_buf_addf(out, "%s ago  ", rt_fmt_age(age, sizeof age, RT_MAX(rt_wall_ms() - f->at_ms, 0)));
}

static void list_title(struct rt_view *v, struct rt_buf *left, struct rt_buf *right) {
    struct list *l = list_of(v);
    list_gather(l);
    rt_buf_adds(left, l->rail ? l->rows.table->title : l->rows.table->name);
    if (l->rail)
        return;
    add_counts(l, left);
    add_age(l, right);
    if (l->marks.n)
        rt_buf_addf(right, "%zu marked  ", l->marks.n);
    if (l->all)
        rt_buf_adds(right, "all clusters  ");
    if (l->rows.attention)
        rt_buf_adds(right, "<!>  ");
    if (l->rows.filter) {
        rt_buf_adds(right, "</");
        rt_clean(right, l->rows.filter, strlen(l->rows.filter));
        rt_buf_adds(right, ">  ");
    }
    char shown[32], total[32];
    rt_fmt_count(shown, sizeof shown, (int64_t)l->rows.n);
    rt_fmt_count(total, sizeof total, (int64_t)l->rows.at_source);
    if (l->rows.n != l->rows.at_source)
        rt_buf_addf(right, "%s of %s", shown, total);
    else if (l->rows.n)
        rt_buf_adds(right, total);
}

/* ---- selection ---- */

static void marked_jobs(struct list *l) {
    for (size_t i = 0; i < l->rows.n; i++)
        if (list_marked(l, &l->rows.v[i]))
            rt_strs_add(&l->jobs, l->rows.table->id(l->rows.v[i].row));
}

static void list_select(struct rt_view *v, struct rt_selection *out) {
    struct list *l = list_of(v);
    list_gather(l);
    out->cluster = rt_ui_cluster(v->ui);
    if (l->index >= l->rows.n)
        return;
    const struct rt_list_row *r = &l->rows.v[l->index];
    const char *id = l->rows.table->id(r->row);
    if (r->cluster)
        out->cluster = r->cluster->name;
    if (l->rows.table == &rt_table_clusters)
        out->cluster = id;
    else if (l->rows.table == &rt_table_pools)
        out->pool = id;
    else if (l->rows.table == &rt_table_nodes)
        out->node = id;
    else if (l->rows.table == &rt_table_rayjobs)
        out->rayjob = id;
    else if (l->rows.table == &rt_table_rayservices)
        out->rayservice = id;
    else if (l->rows.table == &rt_table_forwards)
        out->forward = id;
    else if (l->rows.table == &rt_table_operations)
        out->operation = id;
    if (l->rows.table != &rt_table_jobs)
        return;
    rt_strs_deinit(&l->jobs);
    marked_jobs(l);
    if (!l->jobs.n)
        rt_strs_add(&l->jobs, id);
    out->jobs = &l->jobs;
}

/* ---- mouse ---- */

static bool click_title(struct list *l, int col) {
    for (size_t i = 0; i < l->nfit; i++) {
        const struct rt_fit *f = &l->fit[i];
        const int at = l->drawn.col + 2 + f->at;
        if (col < at || col >= at + f->cols + 1)
            continue;
        const bool again = l->rows.sort && rt_streq(l->rows.sort->id, f->column->id);
        const bool descending = again && !l->rows.descending;
        rt_list_rows_sort(&l->rows, f->column->id); /* the cluster's name is no column of the table: as before */
        l->rows.descending = descending;
        list_keep_sort(l);
        rt_ui_mark(l->view.ui);
        return true;
    }
    return false;
}

static bool list_mouse(struct rt_view *v, const struct rt_event *ev, struct rt_rect r) {
    struct list *l = list_of(v);
    list_gather(l);
    if (ev->mouse == RT_MOUSE_WHEEL_UP || ev->mouse == RT_MOUSE_WHEEL_DOWN) {
        list_move_to(l, (int64_t)l->index + (ev->mouse == RT_MOUSE_WHEEL_UP ? -3 : 3));
        return true;
    }
    if (ev->mouse != RT_MOUSE_PRESS || ev->button != 1)
        return false;
    if (ev->row == r.row && l->drawn.row > r.row)
        return click_title(l, ev->col);
    if (!rt_rect_has(l->drawn, ev->row, ev->col))
        return false;
    const size_t at = l->top + (size_t)(ev->row - l->drawn.row);
    if (at >= l->rows.n)
        return false;
    list_move_to(l, (int64_t)at);
    if (ev->double_click)
        return rt_ui_key(v->ui, (struct rt_key){RT_K_ENTER, 0});
    return true;
}

/* ---- the rest of the vtable ---- */

static uint32_t list_topics(struct rt_view *v) {
    return RT_TOPIC_BIT(list_of(v)->rows.table->topic);
}

/* The list of clusters sums up what the others hold; any other list shows its own topic. */
static void list_changed(struct rt_view *v, struct rt_cluster *c, enum rt_topic t) {
    struct list *l = list_of(v);
    (void)c;
    if (l->rows.table->topic != t && t != RT_T_CLUSTER && l->rows.table != &rt_table_clusters)
        return;
    l->rows.dirty = true;
}

static bool list_ticks(struct rt_view *v) {
    return list_of(v)->rows.n > 0;
}

static const char *list_filter(struct rt_view *v) {
    return list_of(v)->rows.filter;
}

static bool list_back(struct rt_view *v) {
    struct list *l = list_of(v);
    rt_ui_mark(v->ui);
    if (l->rows.filter) {
        rt_list_rows_filter(&l->rows, NULL);
        return true;
    }
    if (l->rows.attention) {
        l->rows.attention = false;
        l->rows.dirty = true;
        return true;
    }
    return false;
}

/* The table as text, all columns, nothing cut. */
static void list_text(struct rt_view *v, struct rt_buf *out) {
    struct list *l = list_of(v);
    list_gather(l);
    for (const struct rt_column *c = l->rows.table->columns; c->id; c++)
        rt_buf_addf(out, "%s%s", c == l->rows.table->columns ? "" : "\t", c->title);
    rt_buf_addc(out, '\n');
    for (size_t i = 0; i < l->rows.n; i++) {
        const struct rt_row_env env = list_env(l, &l->rows.v[i]);
        for (const struct rt_column *c = l->rows.table->columns; c->id; c++) {
            if (c != l->rows.table->columns)
                rt_buf_addc(out, '\t');
            c->text(out, l->rows.v[i].row, &env);
        }
        rt_buf_addc(out, '\n');
    }
}

static void list_destroy(struct rt_view *v) {
    struct list *l = list_of(v);
    rt_list_rows_deinit(&l->rows);
    rt_map_deinit(&l->marks);
    rt_strs_deinit(&l->jobs);
    list_kept_deinit(l);
    free(l->selected);
    free(l->mark_anchor);
    free(l);
}

#define LIST_OPS(view_name)                                                                        \
    {                                                                                              \
        .name = view_name, .klass = "list", .draw = list_draw, .title = list_title, .command = list_command,       \
        .mouse = list_mouse, .select = list_select, .offers = list_offers, .topics = list_topics,                  \
        .changed = list_changed, .ticks = list_ticks, .text = list_text, .filter = list_filter,           \
        .back = list_back, .destroy = list_destroy                                                                  \
    }

/* One vtable a table: the name chooses the keys. */
static const struct rt_view_ops all_ops[] = {
    LIST_OPS("clusters"), LIST_OPS("pools"),  LIST_OPS("nodes"), LIST_OPS("jobs"), LIST_OPS("forwards"), LIST_OPS("operations"), LIST_OPS("actors"),
    LIST_OPS("tasks"),    LIST_OPS("events"), LIST_OPS("pgs"),   LIST_OPS("serve"), LIST_OPS("envs"),    LIST_OPS("workers"),
    LIST_OPS("pods"),     LIST_OPS("rayjobs"), LIST_OPS("rayservices"),
};

bool rt_view_is_list(const struct rt_view *v) {
    return v && v->ops->draw == list_draw;
}

struct rt_view *rt_list_create(struct rt_ui *ui, const struct rt_list_opts *opts) {
    struct list *l = RT_NEW(struct list);
    l->view.ui = ui;
    l->opts = opts;
    for (size_t i = 0; i < RT_COUNT(all_ops); i++)
        if (rt_streq(all_ops[i].name, opts->table->name))
            l->view.ops = &all_ops[i];
    rt_list_rows_init(&l->rows, opts->table);
    const struct rt_setup_table *kept = rt_setup_find(rt_ui_setup(ui), opts->table->name);
    if (kept && kept->sort)
        rt_list_rows_sort(&l->rows, kept->sort);
    rt_map_init(&l->marks, false);
    return &l->view;
}

struct rt_list_rows *rt_list_rows(struct rt_view *list) {
    list_gather(list_of(list));
    return &list_of(list)->rows;
}

const struct rt_list_row *rt_list_selected(struct rt_view *list) {
    struct list *l = list_of(list);
    list_gather(l);
    return l->index < l->rows.n ? &l->rows.v[l->index] : NULL;
}

enum rt_taken rt_list_run(struct rt_view *list, const struct rt_strs *words, const struct rt_row_command *commands, size_t n, struct rt_error *err) {
    for (size_t i = 0; i < n; i++) {
        if (!rt_streq(commands[i].name, words->v[0]))
            continue;
        const struct rt_list_row *row = rt_list_selected(list);
        if (!row)
            return rt_error_set(err, RT_E_USAGE, "nothing is selected"), RT_TAKEN_FAILED;
        return commands[i].run(list, row, words, err) ? RT_TAKEN_YES : RT_TAKEN_FAILED;
    }
    return RT_TAKEN_NO;
}

const char *rt_list_selected_id(struct rt_view *list) {
    const struct rt_list_row *r = rt_list_selected(list);
    return r ? list_of(list)->rows.table->id(r->row) : NULL;
}

bool rt_list_select(struct rt_view *list, const char *id) {
    struct list *l = list_of(list);
    list_gather(l);
    for (size_t i = 0; i < l->rows.n; i++)
        if (rt_streq(l->rows.table->id(l->rows.v[i].row), id)) {
            list_move_to(l, (int64_t)i);
            return true;
        }
    return false;
}

void rt_list_set_rail(struct rt_view *list, bool rail) {
    list_of(list)->rail = rail;
}

void rt_list_set_all(struct rt_view *list, bool all) {
    struct list *l = list_of(list);
    l->rows.dirty |= l->all != all;
    l->all = all;
}

bool rt_list_all(const struct rt_view *list) {
    return ((const struct list *)list)->all;
}

void rt_list_touch(struct rt_view *list) {
    list_of(list)->rows.dirty = true;
}
