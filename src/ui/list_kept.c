/* Texts of cells that are dear to make and change only with the store: kept until a revision of their cluster
 * rises, so that a key costs the same however many nodes a reason was looked for on. */
#include "ui/list_impl.h"

#include "base/mem.h"

#include <stdint.h>
#include <stdlib.h>

static uint64_t stamp_of(const struct rt_cluster *c) {
    uint64_t sum = (uint64_t)(uintptr_t)c;
    for (int t = 0; c && t < RT_T_COUNT; t++)
        sum += c->fresh[t].revision;
    return sum;
}

void list_kept_deinit(struct list *l) {
    for (size_t i = 0; i < RT_COUNT(l->kept); i++) {
        free(l->kept[i].text);
        l->kept[i] = (struct list_kept){0};
    }
}

void list_cell_text(struct list *l, const struct rt_column *column, const struct rt_list_row *r, const struct rt_row_env *env,
                    struct rt_buf *out) {
    if (!column->costly || !r->cluster) {
        column->text(out, r->row, env);
        return;
    }
    const uint64_t stamp = stamp_of(r->cluster);
    struct list_kept *k = &l->kept[((uintptr_t)r->row / 64) % RT_COUNT(l->kept)];
    if (!k->text || k->row != r->row || k->stamp != stamp) {
        struct rt_buf made;
        rt_buf_init(&made, 0);
        column->text(&made, r->row, env);
        free(k->text);
        *k = (struct list_kept){.row = r->row, .stamp = stamp, .text = rt_buf_take(&made)};
    }
    rt_buf_adds(out, k->text);
}
