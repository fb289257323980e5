/* The command lines that every list takes. */
#include "ui/list_impl.h"

#include "app/app.h"
#include "base/str.h"
#include "core/operation.h"
#include "ui/menu.h"
#include "ui/views.h"
#include <stdlib.h>

static const char *word(const struct rt_strs *words, size_t i) {
    return i < words->n ? words->v[i] : "";
}

static const struct rt_list_row *selected(struct list *l) {
    list_gather(l);
    return l->index < l->rows.n ? &l->rows.v[l->index] : NULL;
}

static void changed(struct list *l) {
    l->rows.dirty = true;
    rt_ui_mark(l->view.ui);
}

/* ---- moving ---- */

static bool do_move(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    const char *how = word(w, 1);
    const int page = RT_MAX(l->page - 1, 1);
    int64_t by = 0;
    list_gather(l);
    if (rt_streq(how, "first"))
        by = -(int64_t)l->index;
    else if (rt_streq(how, "last"))
        by = (int64_t)l->rows.n;
    else if (rt_streq(how, "page") || rt_streq(how, "-page"))
        by = *how == '-' ? -page : page;
    else if (rt_streq(how, "half") || rt_streq(how, "-half"))
        by = *how == '-' ? -page / 2 : page / 2;
    else if (!rt_parse_i64(*how == '+' ? how + 1 : how, &by))
        return rt_error_set(err, RT_E_USAGE, "usage: move N|first|last|page|-page|half|-half");
    list_move_to(l, (int64_t)l->index + by);
    return true;
}

static bool do_scroll(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    int64_t by = 0;
    const char *how = word(w, 1);
    if (!rt_parse_i64(*how == '+' ? how + 1 : how, &by))
        return rt_error_set(err, RT_E_USAGE, "usage: scroll N");
    l->scroll = (int)RT_MAX(RT_MIN(l->scroll + by, 1000), 0);
    rt_ui_mark(l->view.ui);
    return true;
}

/* ---- marks ---- */

static void set_mark(struct list *l, const struct rt_list_row *r, bool on) {
    struct rt_buf key;
    rt_buf_init(&key, 0);
    list_key(&key, l, r);
    if (on)
        rt_map_set(&l->marks, rt_buf_str(&key), l);
    else
        rt_map_remove(&l->marks, rt_buf_str(&key));
    rt_buf_deinit(&key);
}

static bool do_mark(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_list_row *r = selected(l);
    (void)w;
    (void)err;
    if (!r)
        return true;
    set_mark(l, r, !list_marked(l, r));
    free(l->mark_anchor);
    l->mark_anchor = rt_strdup(l->selected ? l->selected : "");
    list_move_to(l, (int64_t)l->index + 1);
    return true;
}

static bool do_mark_range(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    size_t from = l->index;
    struct rt_buf key;
    (void)w;
    (void)err;
    if (!selected(l))
        return true;
    rt_buf_init(&key, 0);
    for (size_t i = 0; l->mark_anchor && i < l->rows.n; i++) {
        rt_buf_clear(&key);
        list_key(&key, l, &l->rows.v[i]);
        if (rt_streq(rt_buf_str(&key), l->mark_anchor))
            from = i;
    }
    rt_buf_deinit(&key);
    for (size_t i = RT_MIN(from, l->index); i <= RT_MAX(from, l->index); i++)
        set_mark(l, &l->rows.v[i], true);
    rt_ui_mark(l->view.ui);
    return true;
}

static bool do_unmark(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    (void)w;
    (void)err;
    rt_map_deinit(&l->marks);
    rt_map_init(&l->marks, false);
    rt_ui_mark(l->view.ui);
    return true;
}

/* ---- order and filters ---- */

void list_keep_sort(struct list *l) {
    if (!l->rows.sort)
        return;
    char *sort = rt_strf("%s%s", l->rows.descending ? "-" : "", l->rows.sort->id);
    rt_setup_sort(rt_ui_setup(l->view.ui), l->rows.table, sort);
    free(sort);
}

static bool sort_by(struct list *l, int step) {
    struct rt_column all[RT_FIT_MAX];
    const size_t n = rt_setup_apply(rt_ui_setup(l->view.ui), l->rows.table, all, RT_COUNT(all));
    int shown = 0, at = -1;
    for (size_t i = 0; i < n; i++)
        if (l->rows.wide || !all[i].wide) {
            at = l->rows.sort && rt_streq(all[i].id, l->rows.sort->id) ? shown : at;
            all[shown++] = all[i];
        }
    rt_list_rows_sort(&l->rows, all[(at + step + shown) % shown].id);
    l->rows.descending = false;
    list_keep_sort(l);
    changed(l);
    return true;
}

static bool do_sort_next(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    (void)w;
    (void)err;
    return sort_by(l, 1);
}

static bool do_sort_previous(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    (void)w;
    (void)err;
    return sort_by(l, -1);
}

static bool do_sort_invert(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    (void)w;
    (void)err;
    l->rows.descending = !l->rows.descending;
    list_keep_sort(l);
    changed(l);
    return true;
}

static bool do_sort(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    const char *names[RT_FIT_MAX + 1] = {NULL};
    size_t n = 0;
    if (rt_list_rows_sort(&l->rows, word(w, 1))) {
        list_keep_sort(l);
        changed(l);
        return true;
    }
    for (const struct rt_column *c = l->rows.table->columns; c->id && n < RT_FIT_MAX; c++)
        names[n++] = c->id;
    const char *near = rt_nearest(word(w, 1), names);
    rt_error_set(err, RT_E_USAGE, "%s has no column %s", l->rows.table->name, word(w, 1));
    return near ? rt_error_hint(err, "did you mean %s?", near) : false;
}

static bool do_sort_menu(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    struct rt_view *menu = rt_menu_create(l->view.ui, "sort by");
    int n = 0;
    (void)w;
    (void)err;
    for (const struct rt_column *c = l->rows.table->columns; c->id; c++, n++) {
        char key[2] = {n < 9 ? (char)('1' + n) : (char)('a' + n - 9), 0};
        char *line = rt_strf("sort %s", c->id);
        rt_menu_add(menu, key, c->title, line);
        free(line);
    }
    rt_ui_popup(l->view.ui, menu);
    return true;
}

static bool do_wide(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    (void)w;
    (void)err;
    l->rows.wide = !l->rows.wide;
    l->scroll = 0;
    rt_ui_mark(l->view.ui);
    return true;
}

static bool do_columns(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    struct rt_setup *setup = rt_ui_setup(l->view.ui);
    const char *names[RT_FIT_MAX + 1] = {NULL};
    struct rt_strs ids = {0};
    size_t n = 0;
    if (w->n < 2) {
        rt_ui_popup(l->view.ui, rt_view_columns(l->view.ui, l->rows.table));
        return true;
    }
    for (const struct rt_column *c = l->rows.table->columns; c->id && n < RT_FIT_MAX; c++)
        names[n++] = c->id;
    const bool reset = w->n == 2 && rt_streq(w->v[1], "reset");
    for (size_t i = 1; i < w->n && !reset; i++)
        for (const char *s = w->v[i]; *s; s += *s == ',') {
            const size_t len = strcspn(s, ",");
            rt_strs_take(&ids, rt_strndup(s, len));
            s += len;
        }
    bool ok = true;
    for (size_t i = 0; i < ids.n && ok; i++) {
        bool known = false;
        for (size_t k = 0; k < n && !known; k++)
            known = rt_streq(names[k], ids.v[i]);
        const char *near = known ? NULL : rt_nearest(ids.v[i], names);
        ok = known || rt_error_set(err, RT_E_USAGE, "%s has no column %s", l->rows.table->name, ids.v[i]);
        if (near)
            rt_error_hint(err, "did you mean %s?", near);
    }
    if (ok)
        rt_setup_columns(setup, l->rows.table, &ids);
    rt_strs_deinit(&ids);
    rt_ui_mark(l->view.ui);
    return ok;
}

static bool do_attention(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    (void)w;
    (void)err;
    l->rows.attention = !l->rows.attention;
    changed(l);
    return true;
}

static bool do_filter(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    (void)err;
    rt_list_rows_filter(&l->rows, word(w, 1));
    changed(l);
    return true;
}

static bool do_all(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    (void)w;
    (void)err;
    if (!l->rows.table->global)
        rt_list_set_all(&l->view, !l->all);
    rt_ui_mark(l->view.ui);
    return true;
}

/* ---- one row ---- */

static bool nothing_selected(struct rt_error *err) {
    return rt_error_set(err, RT_E_USAGE, "nothing is selected");
}

static const char *row_cluster(const struct list *l, const struct rt_list_row *r) {
    if (l->rows.table == &rt_table_clusters)
        return l->rows.table->id(r->row);
    return r->cluster ? r->cluster->name : rt_ui_cluster(l->view.ui);
}

static bool do_detail(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_list_row *r = selected(l);
    (void)w;
    if (!r)
        return nothing_selected(err);
    rt_ui_push(l->view.ui, rt_view_detail(l->view.ui, l->rows.table, row_cluster(l, r), l->rows.table->id(r->row)));
    return true;
}

/* With a name it is the verb, which finds the thing itself. */
static bool do_why(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_list_row *r = selected(l);
    const enum rt_why_kind k = rt_why_kind_of(l->rows.table->name);
    (void)w;
    if (!r)
        return nothing_selected(err);
    if (k == RT_WHY_KINDS)
        return rt_error_set(err, RT_E_UNSUPPORTED, "%s have no why", l->rows.table->name);
    rt_ui_push(l->view.ui, rt_view_why(l->view.ui, row_cluster(l, r), k, l->rows.table->id(r->row)));
    return true;
}

static bool do_raw(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_list_row *r = selected(l);
    (void)w;
    if (!r)
        return nothing_selected(err);
    rt_ui_push(l->view.ui, rt_view_raw(l->view.ui, row_cluster(l, r), l->rows.table->name, l->rows.table->id(r->row)));
    return true;
}

static bool do_copy_id(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    const char *id = rt_list_selected_id(&l->view);
    (void)w;
    if (!id)
        return nothing_selected(err);
    return rt_ui_copy(l->view.ui, id, strlen(id), id);
}

/* A choice of what is worth having elsewhere: each cell of the row, the id first. */
static bool do_copy(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_list_row *r = selected(l);
    (void)w;
    if (!r)
        return nothing_selected(err);
    struct rt_view *menu = rt_menu_create(l->view.ui, "copy");
    const struct rt_row_env env = list_env(l, r);
    struct rt_buf text, line;
    rt_buf_init(&text, 0);
    rt_buf_init(&line, 0);
    int n = 0;
    rt_buf_addf(&text, "%-10s  %s", "id", l->rows.table->id(r->row));
    rt_menu_add(menu, "c", rt_buf_str(&text), "copy-id");
    if (l->rows.table == &rt_table_clusters)
        rt_menu_add(menu, "e", "export lines for Ray's own tools (env)", "copy-env");
    for (const struct rt_column *c = l->rows.table->columns; c->id; c++) {
        rt_buf_clear(&text);
        c->text(&text, r->row, &env);
        if (!text.len || rt_streq(rt_buf_str(&text), "-"))
            continue;
        char key[2] = {(char)('1' + n), 0};
        rt_buf_clear(&line);
        rt_buf_addf(&line, "%-10s  %s", c->title, rt_buf_str(&text));
        char *command = rt_strf("copy-cell %s", c->id);
        rt_menu_add(menu, n++ < 9 ? key : "", rt_buf_str(&line), command);
        free(command);
    }
    rt_buf_deinit(&text);
    rt_buf_deinit(&line);
    rt_ui_popup(l->view.ui, menu);
    return true;
}

static bool do_copy_cell(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_list_row *r = selected(l);
    if (!r)
        return nothing_selected(err);
    const struct rt_row_env env = list_env(l, r);
    for (const struct rt_column *c = l->rows.table->columns; c->id; c++) {
        if (!rt_streq(c->id, word(w, 1)))
            continue;
        struct rt_buf text;
        rt_buf_init(&text, 0);
        c->text(&text, r->row, &env);
        const bool ok = rt_ui_copy(l->view.ui, rt_buf_str(&text), text.len, rt_buf_str(&text));
        rt_buf_deinit(&text);
        return ok;
    }
    return rt_error_set(err, RT_E_USAGE, "no column %s", word(w, 1));
}

/* The command line that shows this row without a screen. */
static bool do_equivalent(struct list *l, const struct rt_strs *w, struct rt_error *err) {
    const struct rt_list_row *r = selected(l);
    (void)w;
    if (!r)
        return nothing_selected(err);
    const char *id = l->rows.table->id(r->row), *slash = strchr(id, '/');
    const bool own = r->cluster && RT_TOPIC_BIT(l->rows.table->topic) & RT_TOPICS_OWN; /* what `show` does not know */
    char *line = own ? rt_strf("raytui %s %s --filter %s -o json", l->rows.table->name, r->cluster->name, slash ? slash + 1 : id)
                 : r->cluster ? rt_strf("raytui show --cluster %s %s", r->cluster->name, l->rows.table->id(r->row))
                            : rt_strf("raytui show %s", l->rows.table->id(r->row));
    const bool ok = rt_ui_copy(l->view.ui, line, strlen(line), line);
    free(line);
    return ok;
}

static const struct {
    const char *name;
    bool (*run)(struct list *l, const struct rt_strs *w, struct rt_error *err);
    bool needs_row; /* hints leave it out when nothing is selected */
} commands[] = {
    {"move", do_move, true},
    {"scroll", do_scroll, false},
    {"mark", do_mark, true},
    {"mark-range", do_mark_range, true},
    {"unmark", do_unmark, false},
    {"sort", do_sort, false},
    {"sort-next", do_sort_next, false},
    {"sort-previous", do_sort_previous, false},
    {"sort-invert", do_sort_invert, false},
    {"sort-menu", do_sort_menu, false},
    {"wide", do_wide, false},
    {"columns", do_columns, false},
    {"attention", do_attention, false},
    {"filter", do_filter, false},
    {"all", do_all, false},
    {"detail", do_detail, true},
    {"why", do_why, true},
    {"raw", do_raw, true},
    {"copy-id", do_copy_id, true},
    {"copy", do_copy, true},
    {"copy-cell", do_copy_cell, true},
    {"equivalent", do_equivalent, true},
};

enum rt_taken list_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err) {
    struct list *l = list_of(v);
    if (l->opts->command) {
        const enum rt_taken taken = l->opts->command(v, words, err);
        if (taken != RT_TAKEN_NO)
            return taken;
    }
    if (rt_streq(word(words, 0), "why") && words->n > 1)
        return RT_TAKEN_NO;
    for (size_t i = 0; i < RT_COUNT(commands); i++)
        if (rt_streq(commands[i].name, word(words, 0)))
            return commands[i].run(l, words, err) ? RT_TAKEN_YES : RT_TAKEN_FAILED;
    return RT_TAKEN_NO;
}

/* What panes add: none of it works on an empty list, some only before or after an end. */
static bool own_offers(struct list *l, const char *name) {
    static const char *const needs_row[] = {"stop-or-delete", "submit-again", "open", "operation-log", "up", "stack", "profile-menu", "row-log", "actor-log",
                                            "task-log", "worker-log", "machine-log", "node-logs", "shell", "unforward", "remove-node", "remove-pool", "nodes",
                                            "pod-log", "pod-shell", "pod-describe", "pod-yaml", "open-owned", "owned-log", "suspend-or-resume"};
    const struct rt_list_row *r = selected(l);
    const struct rt_pool *pool = r && l->rows.table == &rt_table_pools ? r->row : NULL;
    const struct rt_operation *op = r && l->rows.table == &rt_table_operations ? r->row : NULL;
    if (rt_streq(name, "operation-cancel"))
        return op && op->state == RT_OPS_RUNNING;
    if (rt_streq(name, "operation-retry"))
        return op && op->state != RT_OPS_RUNNING && rt_operation_retry_line(op);
    if (rt_streq(name, "scale-step") || rt_streq(name, "scale-form"))
        return pool && pool->scalable;
    if (rt_streq(name, "forwards-toggle"))
        return r || l->rows.table == &rt_table_forwards;
    for (size_t i = 0; i < RT_COUNT(needs_row); i++)
        if (rt_streq(needs_row[i], name) && !r)
            return false;
    return true;
}

/* Is there anything to ask? Of a cluster only when it is not well. */
static bool has_why(struct list *l) {
    const struct rt_list_row *r = selected(l);
    const enum rt_why_kind k = rt_why_kind_of(l->rows.table->name);
    return r && k != RT_WHY_KINDS && (k != RT_WHY_CLUSTER || rt_cluster_health(r->row) != RT_H_OK);
}

bool list_offers(struct rt_view *v, const struct rt_strs *words) {
    struct list *l = list_of(v);
    if (rt_streq(word(words, 0), "why") && !has_why(l))
        return false;
    for (size_t i = 0; i < RT_COUNT(commands); i++)
        if (rt_streq(commands[i].name, word(words, 0)))
            return !commands[i].needs_row || selected(l) != NULL;
    return own_offers(l, word(words, 0));
}
