/* Rows of a list: gathered from the store, filtered, sorted; and which columns fit. Pure. */
#include "ui/list.h"

#include "base/str.h"
#include "base/vec.h"
#include <stdlib.h>
#include <string.h>

#define GAP 2
#define NUMBER_MORE 8 /* columns of the screen that a number may take beyond what its column wants */

void rt_list_rows_init(struct rt_list_rows *l, const struct rt_table *t) {
    *l = (struct rt_list_rows){.table = t, .dirty = true};
    rt_list_rows_sort(l, t->default_sort);
}

void rt_list_rows_deinit(struct rt_list_rows *l) {
    free(l->v);
    free(l->filter);
    free(l->note);
    *l = (struct rt_list_rows){0};
}

void rt_list_rows_filter(struct rt_list_rows *l, const char *text) {
    free(l->filter);
    l->filter = text && *text ? rt_strdup(text) : NULL;
    l->dirty = true;
}

bool rt_list_rows_sort(struct rt_list_rows *l, const char *column) {
    const bool descending = column && *column == '-';
    for (const struct rt_column *c = l->table->columns; column && c->id; c++)
        if (rt_streq(c->id, column + descending)) {
            l->sort = c;
            l->descending = descending;
            l->dirty = true;
            return true;
        }
    return false;
}

/* "text" contains, "!text" does not, "-f text" its letters in order. Case counts for nobody. */
bool rt_filter_match(const char *filter, const char *text) {
    if (rt_starts(filter, "-f "))
        return rt_fuzzy_i(text, filter + 3);
    if (*filter == '!')
        return !filter[1] || !rt_contains_i(text, filter + 1);
    return rt_contains_i(text, filter);
}

/* ---- gathering ---- */

static void row_text(const struct rt_list_rows *l, const struct rt_list_row *r, const struct rt_row_env *env, struct rt_buf *out) {
    rt_buf_clear(out);
    for (const struct rt_column *c = l->table->columns; c->id; c++) {
        if (out->len)
            rt_buf_addc(out, ' ');
        c->text(out, r->row, env);
    }
    if (r->cluster) {
        rt_buf_addc(out, ' ');
        rt_buf_adds(out, r->cluster->name);
    }
}

static bool passes(const struct rt_list_rows *l, const struct rt_list_row *r, const struct rt_row_env *env, struct rt_buf *text) {
    if (l->attention && l->table->attention && !l->table->attention(r->row, env))
        return false;
    if (!l->filter)
        return true;
    row_text(l, r, env, text);
    return rt_filter_match(l->filter, rt_buf_str(text));
}

/* With rows of several clusters: of the first that has something to say. */
static void gather_source(struct rt_list_rows *l, const struct rt_row_env *env, size_t n, struct rt_buf *text) {
    const struct rt_source s = rt_table_source(l->table, env);
    l->at_source += s.total;
    rt_buf_clear(text);
    rt_source_text(text, &s, n);
    if (text->len && !l->note)
        l->note = rt_strdup(rt_buf_str(text));
}

static void gather_one(struct rt_list_rows *l, const struct rt_row_env *env, struct rt_buf *text) {
    const struct rt_table *t = l->table;
    const size_t n = t->count(env);
    gather_source(l, env, n, text);
    l->total += n;
    rt_vec_reserve_((void **)&l->v, l->n + n, &l->cap, sizeof(*l->v));
    for (size_t i = 0; i < n; i++) {
        const struct rt_list_row r = {env->cluster, t->at(env, i)};
        const enum rt_health h = t->health ? t->health(r.row, env) : RT_H_UNKNOWN;
        l->health[h]++;
        if (passes(l, &r, env, text))
            l->v[l->n++] = r;
    }
}

/* ---- sorting: stable, so that equal rows do not change places ---- */

struct sorter {
    const struct rt_column *by;
    struct rt_row_env env;
    int sign;
};

static int by_cells(const struct sorter *s, const struct rt_list_row *a, const struct rt_list_row *b) {
    struct rt_buf left, right;
    struct rt_row_env env = s->env;
    rt_buf_init(&left, 0);
    rt_buf_init(&right, 0);
    env.cluster = a->cluster;
    s->by->text(&left, a->row, &env);
    env.cluster = b->cluster;
    s->by->text(&right, b->row, &env);
    const int d = rt_natcmp(rt_buf_str(&left), rt_buf_str(&right));
    rt_buf_deinit(&left);
    rt_buf_deinit(&right);
    return d;
}

static int compare(const struct sorter *s, const struct rt_list_row *a, const struct rt_list_row *b) {
    return s->sign * (s->by->order ? s->by->order(a->row, b->row) : by_cells(s, a, b));
}

static void merge_sort(const struct sorter *s, struct rt_list_row *v, struct rt_list_row *spare, size_t n) {
    if (n < 2)
        return;
    const size_t half = n / 2;
    merge_sort(s, v, spare, half);
    merge_sort(s, v + half, spare, n - half);
    if (compare(s, &v[half - 1], &v[half]) <= 0)
        return; /* in order already, as it mostly is after a refresh */
    memcpy(spare, v, half * sizeof(*v));
    size_t a = 0, b = half, out = 0;
    while (a < half && b < n)
        v[out++] = compare(s, &spare[a], &v[b]) <= 0 ? spare[a++] : v[b++];
    while (a < half)
        v[out++] = spare[a++];
}

static void sort_rows(struct rt_list_rows *l, const struct rt_row_env *env) {
    const struct sorter s = {l->sort, *env, l->descending ? -1 : 1};
    struct rt_list_row *spare = rt_alloc((l->n / 2 + 1) * sizeof(*spare));
    merge_sort(&s, l->v, spare, l->n);
    free(spare);
}

void rt_list_rows_gather(struct rt_list_rows *l, const struct rt_store *s, const struct rt_cluster *cluster, bool all,
                         int64_t now_ms) {
    struct rt_row_env env = {.store = s, .cluster = cluster, .now_ms = now_ms, .ascii = l->ascii};
    struct rt_buf text;
    if (!l->dirty)
        return;
    l->dirty = false;
    l->n = l->total = l->at_source = 0;
    free(l->note);
    l->note = NULL;
    memset(l->health, 0, sizeof l->health);
    rt_buf_init(&text, 0);
    if (l->table->global) {
        env.cluster = NULL;
        gather_one(l, &env, &text);
    } else if (all) {
        for (size_t i = 0; i < rt_store_count(s); i++) {
            env.cluster = rt_store_at(s, i);
            gather_one(l, &env, &text);
        }
    } else if (cluster) {
        gather_one(l, &env, &text);
    }
    rt_buf_deinit(&text);
    if (l->sort)
        sort_rows(l, &env);
}

/* ---- columns ---- */

static size_t eligible(const struct rt_column *columns, bool wide, struct rt_fit *out) {
    size_t n = 0;
    for (const struct rt_column *c = columns; c->id && n < RT_FIT_MAX; c++)
        if (wide || !c->wide)
            out[n++] = (struct rt_fit){c, 0, c->min};
    return n;
}

static int width_of(const struct rt_fit *f, size_t n) {
    int sum = n ? (int)(n - 1) * GAP : 0;
    for (size_t i = 0; i < n; i++)
        sum += f[i].cols;
    return sum;
}

/* The least important one; the last of several. -1: all must stay. */
static int to_drop(const struct rt_fit *f, size_t n) {
    int at = -1;
    for (size_t i = 0; i < n; i++)
        if (f[i].column->priority > 0 && (at < 0 || f[i].column->priority >= f[at].column->priority))
            at = (int)i;
    return at;
}

static void place(struct rt_fit *f, size_t n) {
    int at = 0;
    for (size_t i = 0; i < n; i++) {
        f[i].at = at;
        at += f[i].cols + GAP;
    }
}

/* Where even those that must stay do not fit, the first two are worth most: a name and a state. */
static void squeeze(struct rt_fit *f, size_t *n, int cols) {
    while (*n > 2 && width_of(f, *n) > cols)
        (*n)--;
    for (size_t i = *n; i-- > 0 && width_of(f, *n) > cols;)
        f[i].cols = RT_MAX(f[i].cols - (width_of(f, *n) - cols), 4);
    while (*n > 1 && width_of(f, *n) > cols)
        (*n)--;
    if (*n == 1)
        f[0].cols = RT_MIN(f[0].cols, RT_MAX(cols, 1));
}

/* How wide it would like to be: as its widest text, within the column's own bounds; a number may go beyond. */
static int wish(const struct rt_column *columns, const struct rt_fit *f, const int *needs) {
    const int title = (int)strlen(f->column->title) + 1;
    const int need = needs ? RT_MAX(needs[f->column - columns], title) : f->column->want;
    if (f->column->align == RT_RIGHT && needs && needs[f->column - columns] > f->column->want)
        return RT_MIN(needs[f->column - columns], f->column->want + NUMBER_MORE);
    return f->column->grow || need < f->column->want ? RT_MIN(need, f->column->want) : f->column->want;
}

/* What is worth nothing when it is cut. */
static bool comes_first(const struct rt_column *c) {
    return c->align == RT_RIGHT || c->whole;
}

/* Where such a name would be cut, columns of little weight go. */
static size_t make_room(const struct rt_column *columns, struct rt_fit *f, size_t n, int cols, const int *needs) {
    for (;;) {
        int lack = 0, asked = 0;
        for (size_t i = 0; i < n; i++) {
            const int more = comes_first(f[i].column) ? RT_MAX(wish(columns, &f[i], needs) - f[i].cols, 0) : 0;
            lack += f[i].column->whole ? more : 0;
            asked += more;
        }
        const int at = to_drop(f, n);
        if (!lack || asked <= cols - width_of(f, n) || at < 0 || f[at].column->priority < 3)
            return n;
        memmove(&f[at], &f[at + 1], (n - (size_t)at - 1) * sizeof(*f));
        n--;
    }
}

/* Numbers are never cut as long as there is room: they get theirs first. */
static int feed_numbers(const struct rt_column *columns, struct rt_fit *f, size_t n, int room, const int *needs) {
    for (size_t i = 0; i < n; i++) {
        const int more = comes_first(f[i].column) ? RT_MIN(RT_MAX(wish(columns, &f[i], needs) - f[i].cols, 0), room) : 0;
        f[i].cols += more;
        room -= more;
    }
    return room;
}

/* One more column of the screen for each that wants it, in turn, so that none starves; those that grow take three. */
static int share_out(const struct rt_column *columns, struct rt_fit *f, size_t n, int room, const int *needs) {
    for (bool any = true; any && room > 0;) {
        any = false;
        for (size_t i = 0; i < n && room > 0; i++) {
            const int more = RT_MIN(RT_MIN(f[i].column->grow ? 3 : 1, room), wish(columns, &f[i], needs) - f[i].cols);
            if (more <= 0)
                continue;
            f[i].cols += more;
            room -= more;
            any = true;
        }
    }
    return room;
}

size_t rt_columns_fit(const struct rt_column *columns, int cols, bool wide, const int *needs, struct rt_fit out[RT_FIT_MAX]) {
    size_t n = eligible(columns, wide, out);
    for (int at; width_of(out, n) > cols && (at = to_drop(out, n)) >= 0; n--)
        memmove(&out[at], &out[at + 1], (n - (size_t)at - 1) * sizeof(*out));
    for (size_t i = 0; needs && i < n; i++) /* more than it holds is missed elsewhere; numbers grow while one looks, and keep theirs */
        if (out[i].column->align != RT_RIGHT)
            out[i].cols = RT_MIN(out[i].cols, wish(columns, &out[i], needs));
    squeeze(out, &n, cols);
    if (needs)
        n = make_room(columns, out, n, cols, needs);
    int room = RT_MAX(cols - width_of(out, n), 0), growing = 0;
    room = feed_numbers(columns, out, n, room, needs);
    room = share_out(columns, out, n, room, needs);
    for (size_t i = 0; i < n; i++)
        growing += out[i].column->grow;
    for (size_t i = 0; i < n && room > 0; i++)
        if (out[i].column->grow) {
            const int part = room / growing--;
            out[i].cols += part;
            room -= part;
        }
    place(out, n);
    return n;
}

size_t rt_columns_scrolled(const struct rt_column *columns, int cols, bool wide, int *scroll, struct rt_fit out[RT_FIT_MAX]) {
    const size_t n = eligible(columns, wide, out);
    for (size_t i = 0; i < n; i++)
        out[i].cols = out[i].column->want;
    const int most = RT_MAX(width_of(out, n) - cols, 0);
    *scroll = RT_MAX(RT_MIN(*scroll, most), 0);
    place(out, n);
    for (size_t i = 1; i < n; i++)
        out[i].at -= *scroll;
    return n;
}
