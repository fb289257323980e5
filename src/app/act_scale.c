/* Verbs on pools and nodes: scale, remove-node. What would end work asks first; the rest can be undone. */
#include "app/act.h"
#include <stdlib.h>

static const struct rt_pool *pool_of(struct rt_app *a, const struct rt_call *c, struct rt_error *err) {
    const struct rt_cluster *cl = rt_store_cluster(a->store, c->cluster);
    const struct rt_pool *p = rt_store_pool(cl, c->args.v[0]);
    if (p)
        return p;
    if (!cl->pools.n) {
        rt_error_set(err, RT_E_NOT_FOUND, "%s: no pools are known", c->cluster);
        if (cl->fresh[RT_T_CLUSTER].error.code)
            rt_error_hint(err, "%.300s", cl->fresh[RT_T_CLUSTER].error.message);
        return NULL;
    }
    const char *names[65];
    struct rt_buf list;
    rt_buf_init(&list, 2 * RT_KIB);
    size_t n = 0;
    for (size_t i = 0; i < cl->pools.n && n + 1 < RT_COUNT(names); i++) {
        rt_buf_addf(&list, "%s%s", n ? ", " : "", cl->pools.v[i].name);
        names[n++] = cl->pools.v[i].name;
    }
    names[n] = NULL;
    const char *near = rt_nearest(c->args.v[0], names);
    rt_error_set(err, RT_E_NOT_FOUND, "%s: no pool %s", c->cluster, c->args.v[0]);
    if (near)
        rt_error_hint(err, "did you mean %s?", near);
    else
        rt_error_hint(err, "there are: %.200s", rt_buf_str(&list));
    rt_buf_deinit(&list);
    return NULL;
}

/* "8", "+2", "-1" against what is asked for now. */
static bool target_size(const struct rt_pool *p, const char *text, int64_t *out, struct rt_error *err) {
    int64_t n = 0;
    const bool relative = text[0] == '+' || text[0] == '-';
    if (!rt_parse_i64(text[0] == '+' ? text + 1 : text, &n)) {
        rt_error_set(err, RT_E_USAGE, "%s is no number of nodes", text);
        return rt_error_hint(err, "8 for eight, +2 for two more, -1 for one less");
    }
    const int64_t now = p->desired >= 0 ? p->desired : p->ready, most = 100000;
    const bool possible = n >= -most && n <= most;
    *out = relative && possible ? now + n : n;
    if (!possible || *out < 0 || *out > most)
        return rt_error_set(err, RT_E_USAGE, "pool %s: %lld is no possible size", p->name, (long long)*out);
    return true;
}

static bool limit(const struct rt_call *c, const char *name, int64_t now, int64_t *out, struct rt_error *err) {
    const char *text = rt_call_option(c, name);
    *out = now;
    return !text || rt_parse_i64(text, out) || rt_error_set(err, RT_E_USAGE, "--%s %s is no number", name, text);
}

static bool impact_of(struct rt_app *a, const struct rt_call *c, struct rt_scale_impact *out, struct rt_error *err) {
    struct session *s = act_session(a, c, err);
    int64_t n = 0;
    *out = (struct rt_scale_impact){0};
    if (!s || !limit(c, "min", -1, &out->min, err) || !limit(c, "max", -1, &out->max, err))
        return false;
    const struct rt_pool *p = pool_of(a, c, err);
    if (!p || !target_size(p, c->args.v[1], &n, err))
        return false;
    if (p->head) {
        rt_error_set(err, RT_E_UNSUPPORTED, "pool %s is the head: a cluster has one", p->name);
        return false;
    }
    return s->conf->ops->scale_impact(s->provider, p->name, n, out, err);
}

/* Known pools only: what is not known yet (the command line before the first answer) may become ready. */
bool ready_scale(struct rt_app *a, const struct rt_call *c, struct rt_error *err) {
    const struct rt_cluster *cl = rt_store_cluster(a->store, c->cluster);
    struct rt_scale_impact i;
    if (!cl->fresh[RT_T_POOLS].at_ms)
        return rt_error_set(err, RT_E_UNREACHABLE, "%s: its pools are not known yet", c->cluster);
    const bool ok = impact_of(a, c, &i, err);
    rt_scale_impact_deinit(&i);
    return ok;
}

static void list_work(const struct rt_scale_impact *i, struct rt_buf *text) {
    const size_t most = 12;
    if (i->nodes.n)
        rt_buf_addf(text, "%zu node%s would end", i->nodes.n, i->nodes.n == 1 ? "" : "s");
    rt_buf_adds(text, i->work.n ? ", with:\n" : i->nodes.n ? ".\n" : "");
    for (size_t k = 0; k < i->work.n && k < most; k++)
        rt_buf_addf(text, "  %s\n", i->work.v[k]);
    if (i->work.n > most)
        rt_buf_addf(text, "  and %zu more\n", i->work.n - most);
}

bool ask_scale(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err) {
    struct rt_scale_impact i;
    if (!impact_of(a, c, &i, err))
        return false;
    const struct session *s = session_find(a, c->cluster);
    const bool foreign = !s->cluster->ours && !s->foreign_agreed;
    struct rt_buf text;
    rt_buf_init(&text, 64 * RT_KIB);
    list_work(&i, &text);
    if (foreign)
        act_foreign(s->cluster, &text);
    if (i.note[0])
        rt_buf_addf(&text, "%s\n", i.note);
    out->grade = i.ends_work || foreign ? RT_CONFIRM_YES_NO : RT_CONFIRM_NONE;
    out->title = rt_strf("Scale %s of %s from %lld to %lld?", c->args.v[0], c->cluster, (long long)i.from, (long long)i.to);
    out->text = rt_buf_take(&text);
    out->seen = s->cluster->fresh[RT_T_POOLS].revision;
    struct rt_buf same;
    rt_buf_init(&same, 64 * RT_KIB);
    char *arg = rt_strf("%s %lld", c->args.v[0], (long long)i.to);
    if (s->conf->ops->equivalent && s->conf->ops->equivalent(s->provider, "scale", arg, &same))
        out->equivalent = rt_strdup(rt_buf_str(&same));
    free(arg);
    rt_buf_deinit(&same);
    rt_scale_impact_deinit(&i);
    return true;
}

struct rt_op *run_scale(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    struct rt_scale_impact i;
    int64_t min = -1, max = -1;
    if (!impact_of(a, c, &i, &err))
        return act_answer(a, done, ctx, &err, NULL, " ");
    const int64_t from = i.from, to = i.to;
    rt_scale_impact_deinit(&i);
    struct session *s = act_session(a, c, &err);
    const struct rt_pool *p = pool_of(a, c, &err);
    char *pool = rt_strdup(p->name);
    struct rt_operation *op = NULL;
    bool ok = limit(c, "min", p->min, &min, &err) && limit(c, "max", p->max, &max, &err);
    if (ok && (min != p->min || max != p->max))
        ok = s->conf->ops->set_limits ? s->conf->ops->set_limits(s->provider, pool, min, max, &err)
                                      : rt_error_set(&err, RT_E_UNSUPPORTED, "provider %s has no limits of pools", s->conf->provider);
    if (ok)
        op = s->conf->ops->scale(s->provider, pool, to, &err);
    if (op)
        s->foreign_agreed = true;
    struct rt_op *answer = act_answer(a, done, ctx, op ? NULL : &err, op, "%s: %s from %lld to %lld", c->cluster, pool,
                                      (long long)from, (long long)to);
    free(pool);
    return answer;
}

/* One of Ray's nodes, or a pod by its name, be it a node yet or not: then `pod` is set; its node may be known too. */
static bool machine_of(const struct rt_cluster *cl, const char *word, const struct rt_node **node, const char **pod, struct rt_error *err) {
    struct rt_error ignored;
    *pod = NULL;
    *node = rt_find_node(cl, word, err);
    if (*node || !(cl->caps & RT_CAP_PODS))
        return *node != NULL;
    for (size_t i = 0; i < cl->nodes.n; i++)
        if (cl->nodes.v[i].alive && rt_streq(cl->nodes.v[i].instance_id, word))
            *node = &cl->nodes.v[i];
    for (size_t i = 0; !*node && i < cl->lists[RT_T_PODS].n; i++) {
        const struct rt_pod *p = &((const struct rt_pod *)cl->lists[RT_T_PODS].v)[i];
        if (rt_streq(p->id, word) && p->ip)
            *node = rt_find_node(cl, p->ip, &ignored);
    }
    rt_error_clear(err);
    *pod = word;
    return true;
}

bool ask_remove_node(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err) {
    const struct rt_cluster *cl = rt_store_cluster(a->store, c->cluster);
    const struct rt_node *n = NULL;
    const char *pod = NULL;
    if (!machine_of(cl, c->args.v[0], &n, &pod, err))
        return false;
    struct rt_scale_impact i = {0};
    struct rt_buf text;
    rt_buf_init(&text, 64 * RT_KIB);
    if (n)
        rt_strs_add(&i.nodes, n->id);
    rt_work_on_nodes(cl, &i.nodes, &i.work);
    list_work(&i, &text);
    act_foreign(cl, &text);
    out->grade = RT_CONFIRM_YES_NO;
    out->title = rt_strf("End node %s of %s?", pod ? pod : n->name ? n->name : n->id, c->cluster);
    out->text = rt_buf_take(&text);
    out->seen = cl->fresh[RT_T_NODES].revision;
    rt_scale_impact_deinit(&i);
    return true;
}

struct rt_op *run_remove_node(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    struct session *s = act_session(a, c, &err);
    const struct rt_node *n = NULL;
    const char *pod = NULL;
    const bool known = s && machine_of(s->cluster, c->args.v[0], &n, &pod, &err);
    struct rt_operation *op = known ? s->conf->ops->remove_node(s->provider, pod ? pod : n->id, &err) : NULL;
    return act_answer(a, done, ctx, op ? NULL : &err, op, "%s: ending node %s", c->cluster, c->args.v[0]);
}
