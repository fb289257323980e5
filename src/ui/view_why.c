/* Why a row waits, failed or stays: the answer, kept up to date, with the key that may help. */
#include "ui/shell.h"
#include "ui/text.h"

#include "base/str.h"
#include <stdlib.h>

struct answer {
    char *cluster, *id;
    enum rt_why_kind kind;
    char *pool; /* one node more of it may help; NULL */
};

static void answer_free(void *ctx) {
    struct answer *a = ctx;
    free(a->cluster);
    free(a->id);
    free(a->pool);
    free(a);
}

static void offer(struct answer *a, const struct rt_why *w, struct rt_buf *out) {
    free(a->pool);
    a->pool = rt_strdup(w->action.pool);
    if (w->action.key)
        rt_buf_addf(out, "\n%s %s    ", w->action.key, w->action.text);
    else
        rt_buf_addc(out, '\n');
    rt_buf_adds(out, "y copy\n");
}

static void refill(struct rt_view *v, void *ctx) {
    struct answer *a = ctx;
    struct rt_error err = {0};
    struct rt_why w;
    struct rt_buf out;
    rt_buf_init(&out, 4 * RT_MIB);
    if (rt_app_why(rt_ui_app(v->ui), a->cluster, a->kind, a->id, &w, &err)) {
        rt_text_set_title(v, w.title);
        rt_why_text(&out, &w, rt_wall_ms());
        offer(a, &w, &out);
    } else {
        rt_buf_addf(&out, "%s %s is no longer there\n", rt_why_kind_name(a->kind), a->id);
    }
    rt_why_deinit(&w);
    rt_text_set(v, rt_buf_str(&out));
    rt_buf_deinit(&out);
}

static enum rt_taken command(struct rt_view *v, void *ctx, const struct rt_strs *words, struct rt_error *err) {
    const struct answer *a = ctx;
    if (!rt_streq(words->v[0], "why-act"))
        return RT_TAKEN_NO;
    const struct rt_cluster *c = rt_store_cluster(rt_ui_app(v->ui)->store, a->cluster);
    const struct rt_pool *p = c && a->pool ? rt_store_pool(c, a->pool) : NULL;
    if (!p) {
        rt_error_set(err, RT_E_UNSUPPORTED, "nothing here can be scaled");
        return RT_TAKEN_FAILED;
    }
    return scaling_step(v->ui, a->cluster, p, 1, err) ? RT_TAKEN_YES : RT_TAKEN_FAILED;
}

struct rt_view *rt_view_why(struct rt_ui *ui, const char *cluster, enum rt_why_kind k, const char *id) {
    struct answer *a = RT_NEW(struct answer);
    a->cluster = rt_strdup(cluster);
    a->id = rt_strdup(id);
    a->kind = k;
    struct rt_view *v = rt_text_create(ui, "why", "why", "");
    v->cluster = rt_strdup(cluster);
    rt_text_on_change(v, rt_why_topics(k), refill, a, answer_free);
    rt_text_on_command(v, command);
    return v;
}
