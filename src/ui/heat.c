/* The heat map: its order, its places, its drawing. */
#include "ui/heat.h"

#include "base/str.h"
#include "ui/list.h"
#include "ui/tools.h"

static const char *pool_of(const struct rt_node *n) {
    return n->pool && *n->pool ? n->pool : n->head ? "head" : "workers";
}

/* The head's pool, the others by name; in each those that live by name, then the dead. */
static int by_place(const void *a, const void *b) {
    const struct rt_node *x = ((const struct rt_heat_cell *)a)->node, *y = ((const struct rt_heat_cell *)b)->node;
    int d = (int)y->head - (int)x->head;
    if (!d)
        d = rt_natcmp(pool_of(x), pool_of(y));
    if (!d)
        d = (int)y->alive - (int)x->alive;
    if (!d)
        d = rt_natcmp(x->hostname ? x->hostname : x->ip, y->hostname ? y->hostname : y->ip);
    return d ? d : rt_strcmp(x->id, y->id);
}

static enum rt_health health_of(const struct rt_cluster *c, const struct rt_node *n) {
    const struct rt_row_env env = {.cluster = c};
    const enum rt_health h = rt_table_nodes.health(n, &env);
    return h == RT_H_OK && rt_table_nodes.attention(n, &env) ? RT_H_WARN : h;
}

static void place(struct rt_heat *h) {
    int row = 0, col = 0;
    h->pools.n = 0;
    for (size_t i = 0; i < h->cells.n; i++) {
        struct rt_heat_cell *c = &h->cells.v[i];
        const char *name = pool_of(c->node);
        if (!h->pools.n || !rt_streq(h->pools.v[h->pools.n - 1].name, name)) {
            row += h->pools.n > 0;
            col = 0;
            *rt_vec_push(&h->pools) = (struct rt_heat_pool){.name = name, .row = row, .first = i};
        } else if (col == h->cols) {
            row++;
            col = 0;
        }
        struct rt_heat_pool *p = &h->pools.v[h->pools.n - 1];
        p->n++;
        p->alive += c->node->alive;
        c->row = row;
        c->col = col++;
    }
    h->rows = h->cells.n ? row + 1 : 0;
}

static bool passes(const struct rt_heat *h, const struct rt_node *n) {
    const char *words[] = {n->hostname, n->ip, n->name, pool_of(n), n->state, n->id, n->state_message};
    struct rt_buf text;
    if (!h->filter)
        return true;
    rt_buf_init(&text, 0);
    for (size_t i = 0; i < RT_COUNT(words); i++)
        rt_buf_addf(&text, "%s ", words[i] ? words[i] : "");
    const bool yes = rt_filter_match(h->filter, rt_buf_str(&text));
    rt_buf_deinit(&text);
    return yes;
}

void rt_heat_make(struct rt_heat *h, const struct rt_cluster *c, int cols) {
    const uint64_t revision = c ? c->fresh[RT_T_NODES].revision : 0;
    cols = RT_MAX(cols, 1);
    if (c && rt_streq(h->cluster, c->name) && h->revision == revision && h->cols == cols && h->total == c->nodes.n)
        return;
    h->cells.n = 0;
    h->total = c ? c->nodes.n : 0;
    for (size_t i = 0; i < h->total; i++)
        if (passes(h, &c->nodes.v[i]))
            *rt_vec_push(&h->cells) = (struct rt_heat_cell){.node = &c->nodes.v[i], .health = health_of(c, &c->nodes.v[i])};
    if (h->cells.n)
        qsort(h->cells.v, h->cells.n, sizeof *h->cells.v, by_place);
    free(h->cluster);
    h->cluster = rt_strdup(c ? c->name : NULL);
    h->revision = revision;
    h->cols = cols;
    place(h);
}

void rt_heat_deinit(struct rt_heat *h) {
    rt_vec_deinit(&h->cells);
    rt_vec_deinit(&h->pools);
    free(h->cluster);
    free(h->filter);
    *h = (struct rt_heat){0};
}

void rt_heat_filter(struct rt_heat *h, const char *text) {
    char *filter = text && *text ? rt_strdup(text) : NULL;
    const int cols = h->cols;
    rt_heat_deinit(h);
    h->cols = cols;
    h->filter = filter;
}

/* ---- walking ---- */

static size_t nearest_in_row(const struct rt_heat *h, int row, int col) {
    size_t best = SIZE_MAX;
    for (size_t i = 0; i < h->cells.n; i++)
        if (h->cells.v[i].row == row && h->cells.v[i].col <= col)
            best = i;
    return best;
}

size_t rt_heat_step(const struct rt_heat *h, size_t from, int rows, int cols) {
    if (!h->cells.n)
        return 0;
    from = RT_MIN(from, h->cells.n - 1);
    if (cols) {
        const int64_t to = RT_MAX(RT_MIN((int64_t)from + cols, (int64_t)h->cells.n - 1), 0);
        return (size_t)to;
    }
    const int row = RT_MAX(RT_MIN(h->cells.v[from].row + rows, h->rows - 1), 0);
    const size_t to = nearest_in_row(h, row, h->cells.v[from].col);
    return to == SIZE_MAX ? from : to;
}

size_t rt_heat_find(const struct rt_heat *h, const char *node_id) {
    for (size_t i = 0; node_id && i < h->cells.n; i++)
        if (rt_streq(h->cells.v[i].node->id, node_id))
            return i;
    return SIZE_MAX;
}

/* ---- drawing ---- */

static void draw_cell(const struct rt_heat_cell *c, const struct rt_draw *d, int row, int col, enum rt_measure m) {
    const double v = c->node->alive ? rt_node_measure(c->node, m) : -1;
    const char *glyph = !c->node->alive ? rt_health_glyph(c->health, d->ascii) : v < 0 ? (d->ascii ? "." : "·") : rt_height(v, d->ascii);
    const enum rt_role role = c->node->alive && v < 0 ? RT_R_DIM : rt_role_of_health(c->health);
    rt_tool_put(d->s, row, col, 1, glyph, rt_theme_look(d->theme, role));
}

static void draw_label(const struct rt_heat_pool *p, const struct rt_draw *d, int row, int col) {
    struct rt_buf text;
    char count[24];
    rt_buf_init(&text, 0);
    snprintf(count, sizeof count, "%zu", p->n);
    rt_fit(&text, p->name, RT_HEAT_LABEL - 2 - (int)strlen(count) - 1, RT_CUT_MIDDLE, d->ascii);
    const int used = rt_tool_put(d->s, row, col, RT_HEAT_LABEL - 2, rt_buf_str(&text), rt_theme_look(d->theme, RT_R_TEXT));
    rt_tool_put(d->s, row, col + used + 1, RT_HEAT_LABEL - used - 2, count, rt_theme_look(d->theme, RT_R_DIM));
    rt_buf_deinit(&text);
}

void rt_heat_draw(const struct rt_heat *h, const struct rt_draw *d, struct rt_rect r, enum rt_measure m, int top, size_t at) {
    for (size_t i = 0; i < h->pools.n; i++)
        if (h->pools.v[i].row >= top && h->pools.v[i].row < top + r.rows)
            draw_label(&h->pools.v[i], d, r.row + h->pools.v[i].row - top, r.col);
    for (size_t i = 0; i < h->cells.n; i++) {
        const struct rt_heat_cell *c = &h->cells.v[i];
        if (c->row < top || c->row >= top + r.rows)
            continue;
        const int row = r.row + c->row - top, col = r.col + RT_HEAT_LABEL + c->col;
        draw_cell(c, d, row, col, m);
        if (i != at)
            continue;
        rt_surface_tint(d->s, (struct rt_rect){row, col, 1, 1}, (struct rt_look){RT_COLOR_INHERIT, RT_COLOR_INHERIT, RT_REVERSE});
        if (d->focus) {
            d->s->cursor_row = row;
            d->s->cursor_col = col;
        }
    }
}
