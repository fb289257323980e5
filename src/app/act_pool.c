/* Verbs on what a cluster is made of: add-pool, remove-pool, suspend, resume. */
#include "app/act.h"
#include <stdlib.h>

static bool wrong_usage(const struct rt_call *c, struct rt_error *err) {
    return rt_error_set(err, RT_E_USAGE, "usage: raytui %s %s", c->def->name, c->def->args);
}

static void add_equivalent(const struct session *s, const char *verb, const char *arg, struct rt_confirmation *out) {
    struct rt_buf same;
    rt_buf_init(&same, 64 * RT_KIB);
    if (s->conf->ops->equivalent && s->conf->ops->equivalent(s->provider, verb, arg, &same))
        out->equivalent = rt_strdup(rt_buf_str(&same));
    rt_buf_deinit(&same);
}

/* ---- pools ---- */

bool ask_add_pool(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err) {
    struct session *s = act_session(a, c, err);
    if (!s)
        return false;
    if (!c->args.n)
        return wrong_usage(c, err);
    struct rt_buf text;
    rt_buf_init(&text, 64 * RT_KIB);
    for (size_t i = 1; i < c->args.n; i++)
        rt_buf_addf(&text, "%s\n", c->args.v[i]);
    act_foreign(s->cluster, &text);
    out->grade = RT_CONFIRM_YES_NO;
    out->title = rt_strf("Add pool %s to %s?", c->args.v[0], c->cluster);
    out->text = rt_buf_take(&text);
    return true;
}

struct rt_op *run_add_pool(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    struct rt_strs fields = {0};
    struct session *s = act_session(a, c, &err);
    struct rt_operation *op = NULL;
    for (size_t i = 1; i < c->args.n; i++)
        rt_strs_add(&fields, c->args.v[i]);
    if (s && !c->args.n)
        wrong_usage(c, &err);
    else if (s)
        op = s->conf->ops->add_pool(s->provider, c->args.v[0], &fields, &err);
    rt_strs_deinit(&fields);
    return act_answer(a, done, ctx, op ? NULL : &err, op, "%s: pool %s is coming", c->cluster, c->args.n ? c->args.v[0] : "");
}

/* The nodes of a pool and what runs on them. */
static void what_ends(const struct rt_cluster *cl, const char *pool, struct rt_buf *text) {
    struct rt_strs ids = {0}, work = {0};
    for (size_t i = 0; i < cl->nodes.n; i++)
        if (cl->nodes.v[i].alive && (!pool || rt_streq(cl->nodes.v[i].pool, pool)))
            rt_strs_add(&ids, cl->nodes.v[i].id);
    rt_work_on_nodes(cl, &ids, &work);
    if (ids.n)
        rt_buf_addf(text, "%zu node%s would end%s\n", ids.n, ids.n == 1 ? "" : "s", work.n ? ", with:" : ".");
    for (size_t i = 0; i < work.n && i < 12; i++)
        rt_buf_addf(text, "  %s\n", work.v[i]);
    if (work.n > 12)
        rt_buf_addf(text, "  and %zu more\n", work.n - 12);
    rt_strs_deinit(&ids);
    rt_strs_deinit(&work);
}

bool ask_remove_pool(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err) {
    struct session *s = act_session(a, c, err);
    if (!s)
        return false;
    const struct rt_pool *p = rt_store_pool(s->cluster, c->args.v[0]);
    if (!p || p->head) {
        rt_error_set(err, p ? RT_E_UNSUPPORTED : RT_E_NOT_FOUND, p ? "pool %s is the head: a cluster has one" : "no pool %s", c->args.v[0]);
        return false;
    }
    struct rt_buf text;
    rt_buf_init(&text, 64 * RT_KIB);
    what_ends(s->cluster, p->name, &text);
    act_foreign(s->cluster, &text);
    out->grade = RT_CONFIRM_YES_NO;
    out->title = rt_strf("Take pool %s away from %s?", p->name, c->cluster);
    out->text = rt_buf_take(&text);
    out->seen = s->cluster->fresh[RT_T_POOLS].revision;
    add_equivalent(s, c->def->name, p->name, out);
    return true;
}

struct rt_op *run_remove_pool(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    struct session *s = act_session(a, c, &err);
    const bool now = s && s->conf->ops->remove_pool_now && rt_call_option(c, "now");
    struct rt_operation *op = !s ? NULL : (now ? s->conf->ops->remove_pool_now : s->conf->ops->remove_pool)(s->provider, c->args.v[0], &err);
    return act_answer(a, done, ctx, op ? NULL : &err, op, "%s: pool %s is going", c->cluster, c->args.v[0]);
}

/* ---- the whole ---- */

bool ask_suspend(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err) {
    struct session *s = act_session(a, c, err);
    const bool on = rt_streq(c->def->name, "suspend");
    if (!s)
        return false;
    struct rt_buf text;
    rt_buf_init(&text, 64 * RT_KIB);
    if (on)
        what_ends(s->cluster, NULL, &text);
    act_foreign(s->cluster, &text);
    out->grade = RT_CONFIRM_YES_NO;
    out->title = rt_strf(on ? "Suspend %s?" : "Resume %s?", c->cluster);
    out->text = rt_buf_take(&text);
    add_equivalent(s, c->def->name, NULL, out);
    return true;
}

struct rt_op *run_suspend(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    const bool on = rt_streq(c->def->name, "suspend");
    struct session *s = act_session(a, c, &err);
    struct rt_operation *op = s ? s->conf->ops->suspend(s->provider, on, &err) : NULL;
    return act_answer(a, done, ctx, op ? NULL : &err, op, on ? "%s: its machines are going" : "%s: its machines come back", c->cluster);
}
