/* The list every table pane uses: rows of a core table, filtered, sorted, cut to columns, with a selection and
 * marks by id. The rows are pure (list_rows.c); the view is drawn from them. */
#ifndef RT_UI_LIST_H
#define RT_UI_LIST_H

#include "base/map.h"
#include "core/table.h"
#include "ui/view.h"

#define RT_HEALTH_COUNT (RT_H_OFF + 1)

struct rt_list_row {
    const struct rt_cluster *cluster; /* NULL for global tables */
    const void *row;
};

struct rt_list_rows {
    const struct rt_table *table;
    struct rt_list_row *v; /* what is shown, in order */
    size_t n, cap;
    size_t total;          /* before filters */
    size_t at_source;      /* what the clusters have of them; more than total: cut */
    char *note;            /* why it is cut, in a line; NULL */
    size_t health[RT_HEALTH_COUNT]; /* how many of all rows are in each */
    char *filter;          /* as typed: "text", "!text", "-f text"; NULL */
    bool attention, wide, ascii;
    const struct rt_column *sort; /* NULL: as the table gives them */
    bool descending;
    bool dirty;            /* rows may be gone: gather before reading */
};

void rt_list_rows_init(struct rt_list_rows *l, const struct rt_table *t);
void rt_list_rows_deinit(struct rt_list_rows *l);
/* If dirty: gathers, filters and sorts the rows of `cluster`, of every cluster (all), or of a global table. */
void rt_list_rows_gather(struct rt_list_rows *l, const struct rt_store *s, const struct rt_cluster *cluster, bool all,
                         int64_t now_ms);
void rt_list_rows_filter(struct rt_list_rows *l, const char *text); /* NULL or "": none */
bool rt_list_rows_sort(struct rt_list_rows *l, const char *column); /* "-name": descending; false: no such column */
bool rt_filter_match(const char *filter, const char *text);

/* Which columns fit into `cols`, and how wide each is: the least important go, numbers are whole, the rest is given
 * to those that grow; two blanks between them. `needs`: how wide the widest text of each of `columns` is; NULL: unknown. */
struct rt_fit {
    const struct rt_column *column;
    int at, cols; /* from the left edge; `at` may be outside when scrolled */
};
#define RT_FIT_MAX 40
size_t rt_columns_fit(const struct rt_column *columns, int cols, bool wide, const int *needs, struct rt_fit out[RT_FIT_MAX]);
/* All of them, none narrowed, the first one fixed and the others moved to the left. `scroll` is held in bounds. */
size_t rt_columns_scrolled(const struct rt_column *columns, int cols, bool wide, int *scroll, struct rt_fit out[RT_FIT_MAX]);

struct rt_list_opts {
    const struct rt_table *table;
    const char *words[RT_HEALTH_COUNT]; /* for the title: "running", "warning|s" (of more than one) */
    /* One line of a narrow list: a name and what stands at the right. */
    void (*rail)(const void *row, const struct rt_row_env *env, struct rt_buf *left, struct rt_buf *right);
    /* Command lines beyond the lists' own. May be NULL. */
    enum rt_taken (*command)(struct rt_view *v, const struct rt_strs *words, struct rt_error *err);
};
/* Keeps opts. */
struct rt_view *rt_list_create(struct rt_ui *ui, const struct rt_list_opts *opts);
bool rt_view_is_list(const struct rt_view *v);
struct rt_list_rows *rt_list_rows(struct rt_view *list); /* gathered */
/* The selected row, or NULL; lent until the store changes. */
const struct rt_list_row *rt_list_selected(struct rt_view *list);
/* Commands about the selected row, as a pane's own `command` takes them: the one that words[0] names runs. */
struct rt_row_command {
    const char *name;
    bool (*run)(struct rt_view *list, const struct rt_list_row *row, const struct rt_strs *words, struct rt_error *err);
};
enum rt_taken rt_list_run(struct rt_view *list, const struct rt_strs *words, const struct rt_row_command *commands, size_t n, struct rt_error *err);
const char *rt_list_selected_id(struct rt_view *list); /* NULL: nothing there */
bool rt_list_select(struct rt_view *list, const char *id);
void rt_list_set_rail(struct rt_view *list, bool rail);
void rt_list_set_all(struct rt_view *list, bool all);
bool rt_list_all(const struct rt_view *list); /* rows of every cluster? */
void rt_list_touch(struct rt_view *list); /* its rows may have changed */

#endif
