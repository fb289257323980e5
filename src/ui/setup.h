/* What a person set up on the screen and finds again the next time: columns and order of the lists. Kept in
 * STATE/ui.json. What the file names and this program does not know is left out when it is used, not when it is read. */
#ifndef RT_UI_SETUP_H
#define RT_UI_SETUP_H

#include "base/str.h"
#include "base/vec.h"
#include "core/table.h"

struct rt_setup_table {
    char *name;
    struct rt_strs columns; /* ids in their order; none: the table's own */
    char *sort;             /* "-started"; NULL: the table's own */
};
struct rt_setup {
    RT_VEC(struct rt_setup_table) tables;
    bool changed;      /* since it was loaded or saved */
    unsigned revision; /* one more with every change of columns */
};

/* False when there is a file that cannot be used: `s` is empty then, and err says what is wrong. No file is fine. */
bool rt_setup_load(struct rt_setup *s, const char *path, struct rt_error *err);
bool rt_setup_save(struct rt_setup *s, const char *path, struct rt_error *err); /* 0600, by rename */
void rt_setup_deinit(struct rt_setup *s);

/* Of a table; NULL when nothing is set. */
const struct rt_setup_table *rt_setup_find(const struct rt_setup *s, const char *table);
void rt_setup_sort(struct rt_setup *s, const struct rt_table *t, const char *sort); /* the default is not kept */
/* Ids in order; NULL or none of them known: the table's own. */
void rt_setup_columns(struct rt_setup *s, const struct rt_table *t, const struct rt_strs *ids);

/* The columns of a table as they are set: chosen ones first and never only wide ones, the others wide. Gives how many;
 * out ends with an id of NULL. `max` counts that end. */
size_t rt_setup_apply(const struct rt_setup *s, const struct rt_table *t, struct rt_column *out, size_t max);

#endif
