/* The list every table pane uses: rows of a core table, filtered, sorted, cut to columns, with a selection and
 * marks by id. The model (list_rows) is pure; the view is drawn from it. */
#ifndef RT_UI_LIST_H
#define RT_UI_LIST_H

#include "base/map.h"
#include "core/table.h"
#include "ui/view.h"

struct rt_list_row {
    const struct rt_cluster *cluster; /* NULL for global tables */
    const void *row;
};

struct rt_list_rows {
    const struct rt_table *table;
    struct rt_list_row *v; /* what is shown, in order */
    size_t n, cap;
    size_t total;          /* before filters */
    size_t hidden_attention;
    char *filter;          /* as typed: "text", "!text", "-f text"; NULL */
    bool attention, wide, ascii;
    const struct rt_column *sort; /* NULL: as the table gives them */
    bool descending;
    bool dirty;            /* rows may be gone: gather before reading */
    struct rt_map marks;   /* ids */
};

void rt_list_rows_init(struct rt_list_rows *l, const struct rt_table *t);
void rt_list_rows_deinit(struct rt_list_rows *l);
/* Gathers, filters and sorts the rows of `cluster`, or of every cluster (all), or of a global table, if dirty. */
void rt_list_rows_gather(struct rt_list_rows *l, const struct rt_store *s, const struct rt_cluster *cluster, bool all, int64_t now_ms);
void rt_list_rows_filter(struct rt_list_rows *l, const char *text); /* NULL or "": none */
bool rt_list_rows_sort(struct rt_list_rows *l, const char *column); /* "-name": descending; false: no such column */
bool rt_filter_match(const char *filter, const char *text);

/* Which columns fit into `cols`, and how wide each is. */
struct rt_fit {
    const struct rt_column *column;
    int at, cols; /* from the left edge; `at` may be outside when scrolled */
};
#define RT_FIT_MAX 40
/* Drops by priority, gives the rest to those that grow; two blanks between. `widths` (may be NULL) tells how
 * wide each column's widest text is. `only` (may be NULL): ids that a person chose, in order. */
size_t rt_columns_fit(const struct rt_column *columns, int cols, bool wide, const int *widths, struct rt_fit *out);

struct rt_list_opts {
    const struct rt_table *table;
    const char *name;      /* view and keymap section; NULL: the table's name */
    bool rail;             /* narrow: two columns, no titles */
};
struct rt_view *rt_list_create(struct rt_ui *ui, const struct rt_list_opts *o);
struct rt_list_rows *rt_list_rows(struct rt_view *list); /* gathered */
/* The selected row, or NULL; lent until the store changes. */
const struct rt_list_row *rt_list_selected(struct rt_view *list);
const char *rt_list_selected_id(struct rt_view *list);
bool rt_list_select(struct rt_view *list, const char *id);
bool rt_view_is_list(const struct rt_view *v);
void rt_list_set_all(struct rt_view *list, bool all);

#endif
