/* Inside the list view only. */
#ifndef RT_UI_LIST_IMPL_H
#define RT_UI_LIST_IMPL_H

#include "ui/list.h"
#include "ui/setup.h"

struct list_kept {
    const void *row;
    uint64_t stamp; /* of the revisions that it was made from */
    char *text;
};

struct list {
    struct rt_view view;
    const struct rt_list_opts *opts;
    struct rt_list_rows rows;
    struct rt_map marks;      /* keys of rows */
    char *selected;           /* key of the selected row; NULL: the first */
    char *mark_anchor;
    size_t index, top;        /* of the selected and the first shown row */
    int page;                 /* rows that were shown last */
    int scroll;               /* columns moved to the left */
    bool rail, all;
    struct rt_rect drawn;     /* where the rows were drawn */
    struct rt_column columns[RT_FIT_MAX]; /* as they are set up, behind the cluster's name when all are shown */
    unsigned columns_seen;    /* revision of the set-up they were measured with */
    bool columns_whose;       /* and whether the cluster's name stood in front */
    int needs[RT_FIT_MAX];    /* widest text seen in each of them: widths grow, and do not jump back */
    int needs_cols;           /* for this width of the pane */
    struct rt_fit fit[RT_FIT_MAX];
    size_t nfit;
    struct rt_strs jobs;      /* lent to selections */
    struct list_kept kept[256]; /* by the row's address */
};

struct list *list_of(struct rt_view *v);
/* Rows as they are now; the selection follows its row. */
void list_gather(struct list *l);
const struct rt_cluster *list_cluster(const struct list *l);
struct rt_row_env list_env(const struct list *l, const struct rt_list_row *r);
/* What names a row among all of the list; appends. */
void list_key(struct rt_buf *out, const struct list *l, const struct rt_list_row *r);
bool list_marked(const struct list *l, const struct rt_list_row *r);
/* Appends the text of a cell; costly ones are kept. */
void list_cell_text(struct list *l, const struct rt_column *column, const struct rt_list_row *r, const struct rt_row_env *env,
                    struct rt_buf *out);
void list_kept_deinit(struct list *l);
void list_move_to(struct list *l, int64_t index);
/* The order was changed by a person: it is found again. */
void list_keep_sort(struct list *l);

void list_draw(struct rt_view *v, const struct rt_draw *d, struct rt_rect r);
enum rt_taken list_command(struct rt_view *v, const struct rt_strs *words, struct rt_error *err);
bool list_offers(struct rt_view *v, const struct rt_strs *words);

#endif
