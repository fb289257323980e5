/* doctor: what is on this machine, and what the machines of a cluster have and lack, as soon as they tell. */
#include "ui/text.h"
#include "ui/views.h"

#include "base/str.h"
#include <stdlib.h>

struct doctor {
    struct rt_view *view;
    struct rt_op *look;
    char *cluster;
    struct rt_buf text;
};

static void told(void *ctx, const char *lines, const struct rt_error *err) {
    struct doctor *d = ctx;
    d->look = NULL;
    rt_buf_clear(&d->text);
    rt_app_doctor(rt_ui_app(d->view->ui), &d->text);
    rt_buf_addc(&d->text, '\n');
    if (err)
        rt_buf_addf(&d->text, "%-5s %-14s %s%s%s\n", "bad", d->cluster, err->message, *err->hint ? " - " : "", err->hint);
    else
        rt_buf_adds(&d->text, *lines ? lines : "its provider has nothing to add\n");
    rt_text_set(d->view, rt_buf_str(&d->text));
}

/* It is known what it is. */
static void settled(void *ctx, const struct rt_error *err) {
    struct doctor *d = ctx;
    d->look = NULL;
    if (err)
        told(d, NULL, err);
    else
        d->look = rt_app_doctor_far(rt_ui_app(d->view->ui), d->cluster, told, d);
}

static void refill(struct rt_view *v, void *ctx) {
    struct doctor *d = ctx;
    rt_text_set(v, rt_buf_str(&d->text));
}

static void doctor_free(void *ctx) {
    struct doctor *d = ctx;
    rt_op_drop(&d->look);
    rt_buf_deinit(&d->text);
    free(d->cluster);
    free(d);
}

struct rt_view *rt_view_doctor(struct rt_ui *ui, const char *cluster) {
    struct rt_buf text;
    rt_buf_init(&text, RT_MIB);
    rt_app_doctor(rt_ui_app(ui), &text);
    if (!cluster) {
        struct rt_view *v = rt_text_create(ui, "doctor", "doctor", rt_buf_str(&text));
        rt_buf_deinit(&text);
        return v;
    }
    struct doctor *d = RT_NEW(struct doctor);
    char *title = rt_strf("doctor %s", cluster);
    rt_buf_addf(&text, "\nlooking at the machines of %s\n", cluster);
    d->text = text;
    d->cluster = rt_strdup(cluster);
    d->view = rt_text_create(ui, "doctor", title, rt_buf_str(&d->text));
    rt_text_on_change(d->view, 0, refill, d, doctor_free);
    if (rt_app_settled(rt_ui_app(ui), cluster))
        settled(d, NULL);
    else
        d->look = rt_app_settle(rt_ui_app(ui), cluster, settled, d);
    free(title);
    return d->view;
}
