/* The set-up of lists: kept as JSON, applied to columns. */
#include "ui/setup.h"

#include "base/fs.h"
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { FILE_MAX = 256 * 1024, TABLES_MAX = 64, COLUMNS_MAX = 64 };

static void table_deinit(struct rt_setup_table *t) {
    free(t->name);
    free(t->sort);
    rt_strs_deinit(&t->columns);
}

void rt_setup_deinit(struct rt_setup *s) {
    for (size_t i = 0; i < s->tables.n; i++)
        table_deinit(&s->tables.v[i]);
    rt_vec_deinit(&s->tables);
    *s = (struct rt_setup){0};
}

const struct rt_setup_table *rt_setup_find(const struct rt_setup *s, const char *table) {
    for (size_t i = 0; i < s->tables.n; i++)
        if (rt_streq(s->tables.v[i].name, table))
            return &s->tables.v[i];
    return NULL;
}

/* ---- the file: {"schema": 1, "tables": {"jobs": {"columns": [...], "sort": "-started"}}} ---- */

static bool read_table(struct rt_setup *s, const char *name, const json_t *v, struct rt_error *err) {
    const json_t *columns = json_object_get(v, "columns"), *sort = json_object_get(v, "sort");
    if (!json_is_object(v) || (columns && !json_is_array(columns)) || (sort && !json_is_string(sort)) ||
        json_array_size(columns) > COLUMNS_MAX || s->tables.n == TABLES_MAX)
        return rt_error_set(err, RT_E_CONFIG, "table %.40s is not as it is written here", name);
    struct rt_setup_table *t = rt_vec_push(&s->tables);
    t->name = rt_strdup(name);
    t->sort = rt_strdup(json_string_value(sort));
    for (size_t i = 0; i < json_array_size(columns); i++) {
        const char *id = json_string_value(json_array_get(columns, i));
        if (!id)
            return rt_error_set(err, RT_E_CONFIG, "table %.40s: a column is no text", name);
        rt_strs_add(&t->columns, id);
    }
    return true;
}

static bool read_all(struct rt_setup *s, const json_t *v, struct rt_error *err) {
    const json_t *tables = json_object_get(v, "tables");
    if (!json_is_object(tables) || json_integer_value(json_object_get(v, "schema")) != 1)
        return rt_error_set(err, RT_E_CONFIG, "no tables of schema 1");
    for (void *it = json_object_iter((json_t *)(uintptr_t)tables); it; it = json_object_iter_next((json_t *)(uintptr_t)tables, it))
        if (!read_table(s, json_object_iter_key(it), json_object_iter_value(it), err))
            return false;
    return true;
}

bool rt_setup_load(struct rt_setup *s, const char *path, struct rt_error *err) {
    struct rt_buf text;
    *s = (struct rt_setup){0};
    rt_buf_init(&text, FILE_MAX);
    bool ok = rt_file_read(path, FILE_MAX, &text, err);
    const bool absent = !ok && err->code == RT_E_NOT_FOUND;
    json_t *v = ok ? rt_json_parse(rt_buf_str(&text), text.len, err) : NULL;
    ok = absent || (v && read_all(s, v, err));
    if (!ok) {
        rt_setup_deinit(s);
        rt_error_wrap(err, "%s is ignored", path);
        rt_error_hint(err, "it is written anew with the next change of columns or order");
    }
    json_decref(v);
    rt_buf_deinit(&text);
    return ok;
}

bool rt_setup_save(struct rt_setup *s, const char *path, struct rt_error *err) {
    json_t *v = json_pack("{s:i, s:{}}", "schema", 1, "tables"), *tables = json_object_get(v, "tables");
    for (size_t i = 0; i < s->tables.n; i++) {
        const struct rt_setup_table *t = &s->tables.v[i];
        json_t *o = json_object();
        if (t->columns.n)
            json_object_set_new(o, "columns", json_array());
        for (size_t k = 0; k < t->columns.n; k++)
            json_array_append_new(json_object_get(o, "columns"), json_string(t->columns.v[k]));
        if (t->sort)
            json_object_set_new(o, "sort", json_string(t->sort));
        json_object_set_new(tables, t->name, o);
    }
    char *text = json_dumps(v, JSON_INDENT(1) | JSON_SORT_KEYS);
    const bool ok = text && rt_file_write(path, text, strlen(text), err);
    free(text);
    json_decref(v);
    s->changed = false; /* a disk that takes nothing is not tried again every second */
    return ok;
}

/* ---- changes ---- */

static struct rt_setup_table *to_change(struct rt_setup *s, const char *table) {
    s->changed = true;
    for (size_t i = 0; i < s->tables.n; i++)
        if (rt_streq(s->tables.v[i].name, table))
            return &s->tables.v[i];
    struct rt_setup_table *t = rt_vec_push(&s->tables);
    t->name = rt_strdup(table);
    return t;
}

static const struct rt_column *column(const struct rt_table *t, const char *id) {
    for (const struct rt_column *c = t->columns; c->id; c++)
        if (rt_streq(c->id, id))
            return c;
    return NULL;
}

void rt_setup_sort(struct rt_setup *s, const struct rt_table *t, const char *sort) {
    struct rt_setup_table *x = to_change(s, t->name);
    free(x->sort);
    x->sort = rt_streq(sort, t->default_sort) ? NULL : rt_strdup(sort);
}

/* Is it what the table shows when nothing is set? */
static bool is_default(const struct rt_table *t, const struct rt_strs *ids) {
    size_t n = 0;
    for (const struct rt_column *c = t->columns; c->id; c++)
        if (!c->wide && (n >= ids->n || !rt_streq(ids->v[n++], c->id)))
            return false;
    return n == ids->n;
}

void rt_setup_columns(struct rt_setup *s, const struct rt_table *t, const struct rt_strs *ids) {
    struct rt_setup_table *x = to_change(s, t->name);
    struct rt_strs known = {0};
    s->revision++;
    for (size_t i = 0; ids && i < ids->n; i++)
        if (column(t, ids->v[i]) && !rt_strs_has(&known, ids->v[i]))
            rt_strs_add(&known, ids->v[i]);
    rt_strs_deinit(&x->columns);
    if (known.n && !is_default(t, &known))
        x->columns = known;
    else
        rt_strs_deinit(&known);
}

size_t rt_setup_apply(const struct rt_setup *s, const struct rt_table *t, struct rt_column *out, size_t max) {
    const struct rt_setup_table *x = rt_setup_find(s, t->name);
    size_t n = 0;
    for (size_t i = 0; x && i < x->columns.n && n + 1 < max; i++) {
        const struct rt_column *c = column(t, x->columns.v[i]);
        bool twice = !c;
        for (size_t k = 0; k < n && !twice; k++)
            twice = rt_streq(out[k].id, c->id);
        if (twice)
            continue;
        out[n] = *c;
        out[n++].wide = false;
    }
    const bool chosen = n > 0;
    for (const struct rt_column *c = t->columns; c->id && n + 1 < max; c++) {
        if (chosen && rt_strs_has(&x->columns, c->id))
            continue;
        out[n] = *c;
        out[n++].wide = c->wide || chosen;
    }
    out[n] = (struct rt_column){0};
    return n;
}
