/* Where each node of a cluster stands on a heat map: one cell a node, in lines of its pool. Pure. */
#ifndef RT_UI_HEAT_H
#define RT_UI_HEAT_H

#include "base/vec.h"
#include "core/history.h"
#include "core/table.h"
#include "ui/view.h"

#define RT_HEAT_LABEL 16 /* columns of a pool's name at the left */

struct rt_heat_cell {
    const struct rt_node *node; /* lent until the nodes of the store change */
    int row, col;               /* of the map, without the labels */
    enum rt_health health;
};
struct rt_heat_pool {
    const char *name;
    int row;      /* its first line */
    size_t first, n, alive;
};
struct rt_heat {
    RT_VEC(struct rt_heat_cell) cells; /* by pool: the head's first; in a pool those that live, by name */
    RT_VEC(struct rt_heat_pool) pools;
    int rows, cols;
    uint64_t revision; /* of the nodes it was made of */
    size_t total;      /* nodes, with those that the filter leaves out */
    char *cluster;
    char *filter; /* as a list's; NULL: none */
};

/* Makes it for `cols` columns of cells if it is not what it shows already. */
void rt_heat_make(struct rt_heat *h, const struct rt_cluster *c, int cols);
void rt_heat_deinit(struct rt_heat *h);
void rt_heat_filter(struct rt_heat *h, const char *text); /* NULL or "": none */
/* The cell one step to a side: the nearest one of the next line, or the next one. */
size_t rt_heat_step(const struct rt_heat *h, size_t from, int rows, int cols);
/* The cell of a node by id; SIZE_MAX: it is not there. */
size_t rt_heat_find(const struct rt_heat *h, const char *node_id);
/* Lines [top, top + r.rows) of the map; `at` is marked (SIZE_MAX: none). */
void rt_heat_draw(const struct rt_heat *h, const struct rt_draw *d, struct rt_rect r, enum rt_measure m, int top, size_t at);

#endif
