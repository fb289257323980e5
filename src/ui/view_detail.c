/* Everything known of one row, kept up to date; and the raw answer behind it. */
#include "ui/views.h"

#include "base/str.h"
#include "net/loop.h"
#include "ui/text.h"
#include <stdlib.h>

struct detail {
    const struct rt_table *table;
    char *cluster, *id;
    struct rt_op *op; /* of a raw answer */
    struct rt_view *view;
};

static void detail_free(void *ctx) {
    struct detail *d = ctx;
    rt_op_drop(&d->op);
    free(d->cluster);
    free(d->id);
    free(d);
}

static struct detail *create(const struct rt_table *t, const char *cluster, const char *id) {
    struct detail *d = RT_NEW(struct detail);
    d->table = t;
    d->cluster = rt_strdup(cluster);
    d->id = rt_strdup(id);
    return d;
}

static const void *find_row(const struct detail *d, const struct rt_row_env *env) {
    if (!d->table->global && !env->cluster)
        return NULL;
    const size_t n = d->table->count(env);
    for (size_t i = 0; i < n; i++) {
        const void *row = d->table->at(env, i);
        if (rt_streq(d->table->id(row), d->id))
            return row;
    }
    return NULL;
}

/* What is not known is left out: what is known is found sooner. */
static void add_known(struct rt_buf *out, const char *text) {
    while (*text) {
        const size_t n = strcspn(text, "\n");
        const bool unknown = n >= 3 && strncmp(text + n - 3, "  -", 3) == 0;
        if (!unknown)
            rt_buf_add(out, text, n + (text[n] == '\n'));
        text += n + (text[n] == '\n');
    }
}

static void refill(struct rt_view *v, void *ctx) {
    const struct detail *d = ctx;
    struct rt_app *app = rt_ui_app(v->ui);
    const struct rt_row_env env = {.store = app->store, .cluster = d->cluster ? rt_store_cluster(app->store, d->cluster) : NULL,
                                   .now_ms = rt_wall_ms(), .ascii = rt_ui_ascii(v->ui)};
    const void *row = find_row(d, &env);
    struct rt_buf out, all;
    rt_buf_init(&out, 0);
    rt_buf_init(&all, 0);
    if (!row)
        rt_buf_addf(&out, "%s is no longer there\n", d->id);
    else if (d->table == &rt_table_clusters)
        rt_app_card(app, d->id, &out);
    if (row && d->table == &rt_table_clusters)
        rt_buf_adds(&out, "\n");
    if (row)
        rt_row_describe(&all, d->table, row, &env);
    add_known(&out, rt_buf_str(&all));
    rt_text_set(v, rt_buf_str(&out));
    rt_buf_deinit(&out);
    rt_buf_deinit(&all);
}

struct rt_view *rt_view_detail(struct rt_ui *ui, const struct rt_table *t, const char *cluster, const char *id) {
    if (t == &rt_table_nodes)
        return rt_view_node(ui, cluster, id);
    char *title = rt_strf("%s %s", t->singular, id);
    struct rt_view *v = rt_text_create(ui, "detail", title, "");
    v->cluster = rt_strdup(cluster);
    rt_text_on_change(v, RT_TOPIC_BIT(t->topic) | RT_TOPIC_BIT(RT_T_CLUSTER), refill, create(t, cluster, id), detail_free);
    free(title);
    return v;
}

/* ---- raw ---- */

static void on_raw(void *ctx, const char *text, const struct rt_error *err) {
    struct detail *d = ctx;
    d->op = NULL;
    if (err && err->code) {
        char *why = rt_strf("%s\n%s", err->message, err->hint);
        rt_text_set(d->view, why);
        free(why);
    } else {
        struct rt_buf clean;
        rt_buf_init(&clean, 0);
        for (const char *s = text ? text : ""; *s;) {
            const size_t n = strcspn(s, "\n");
            rt_clean(&clean, s, n);
            rt_buf_addc(&clean, '\n');
            s += n + (s[n] == '\n');
        }
        rt_text_set(d->view, rt_buf_str(&clean));
        rt_buf_deinit(&clean);
    }
}

struct rt_view *rt_view_raw(struct rt_ui *ui, const char *cluster, const char *table, const char *id) {
    char *title = rt_strf("%s %s ─ as received", table, id);
    struct rt_view *v = rt_text_create(ui, "raw", rt_ui_ascii(ui) ? "as received" : title, "asking ...");
    struct detail *d = create(rt_table_find(table), cluster, id);
    d->view = v;
    rt_text_on_change(v, 0, NULL, d, detail_free);
    if (cluster)
        d->op = rt_app_raw(rt_ui_app(ui), cluster, table, id, on_raw, d);
    else
        rt_text_set(v, "raytui made this itself: there is no answer behind it");
    free(title);
    return v;
}
