/* What the tables of simple lists (struct rt_rows, actors) share, so that each is little more than its columns. Core
 * only. */
#ifndef RT_CORE_ROWS_H
#define RT_CORE_ROWS_H

#include "core/cells.h"
#include "core/table.h"

/* A text column of a row of type T. */
#define RT_TEXT_CELL(fn, T, value)                                                                 \
    static void fn(struct rt_buf *out, const void *row, const struct rt_row_env *env) {            \
        const T *r = row;                                                                          \
        (void)env;                                                                                 \
        rt_cell_text(out, value);                                                                  \
    }
/* An order by a number of a row of type T; equal ones by id. */
#define RT_NUMBER_ORDER(fn, T, member)                                                             \
    static int fn(const void *a, const void *b) {                                                  \
        const T *x = a, *y = b;                                                                    \
        int d = rt_order_i64(x->member, y->member);                                                \
        return d ? d : rt_natcmp(x->id, y->id);                                                    \
    }
/* count, at and id of a topic of cluster->lists, for a table of this name. */
#define RT_LIST_ROWS(name, topic)                                                                  \
    static size_t name##_count(const struct rt_row_env *env) {                                     \
        return env->cluster ? env->cluster->lists[topic].n : 0;                                    \
    }                                                                                              \
    static const void *name##_at(const struct rt_row_env *env, size_t i) {                         \
        return rt_rows_at(&env->cluster->lists[topic], i);                                         \
    }
const void *rt_rows_at(const struct rt_rows *b, size_t i);
/* The first member of every row of these lists. */
const char *rt_rows_id(const void *row);

/* "CPU 1, GPU 0.5" */
void rt_cell_resources(struct rt_buf *out, const struct rt_resources *l);
void rt_put_resources(json_t *o, const char *key, const struct rt_resources *l);
/* JSON text as a value, or null. */
void rt_put_json(json_t *o, const char *key, const char *text);

#endif
