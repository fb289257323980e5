/* Verbs on clusters: attach, up, down, forget. */
#include "app/act.h"
#include "base/fs.h"
#include "base/log.h"
#include <stdlib.h>

struct rt_op *run_attach(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    if (!rt_app_attach(a, c->cluster, true, &err))
        return act_answer(a, done, ctx, &err, NULL, " ");
    struct session *s = session_find(a, c->cluster);
    if (session_carried(s) && !forwards_open_all(s, &err)) /* loopback ports are for people's tools: only where they are needed */
        rt_log(RT_LOG_WARN, "%s: %s", c->cluster, err.message);
    return act_answer(a, done, ctx, NULL, NULL, "attached to %s", c->cluster);
}

static bool up_opts(const struct rt_call *c, struct rt_up_opts *out, struct rt_error *err) {
    const char *timeout = rt_call_option(c, "timeout");
    *out = (struct rt_up_opts){.keep = rt_call_option(c, "keep") != NULL, .dry_run = rt_call_option(c, "dry-run") != NULL};
    return !timeout || rt_parse_duration(timeout, &out->timeout_ms, err);
}

bool ask_up(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err) {
    struct session *s = act_session(a, c, err);
    struct rt_up_opts o;
    if (!s || !up_opts(c, &o, err))
        return false;
    struct rt_buf plan;
    rt_buf_init(&plan, RT_MIB);
    if (s->conf->ops->plan && !s->conf->ops->plan(s->provider, "up", &o, &plan, err)) {
        rt_buf_deinit(&plan);
        return false;
    }
    out->grade = o.dry_run ? RT_CONFIRM_NONE : RT_CONFIRM_YES_NO;
    out->title = rt_strf("Bring %s up?", c->cluster);
    out->text = rt_buf_take(&plan);
    return true;
}

struct rt_op *run_up(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    struct rt_up_opts o;
    struct session *s = act_session(a, c, &err);
    if (!s || !up_opts(c, &o, &err))
        return act_answer(a, done, ctx, &err, NULL, " ");
    if (o.dry_run && !s->conf->ops->validates) {
        struct rt_buf plan;
        rt_buf_init(&plan, RT_MIB);
        const bool ok = s->conf->ops->plan && s->conf->ops->plan(s->provider, "up", &o, &plan, &err);
        struct rt_op *op = act_answer(a, done, ctx, ok ? NULL : &err, NULL, "%s", rt_buf_str(&plan));
        rt_buf_deinit(&plan);
        return op;
    }
    char *job = NULL;
    struct rt_operation *op = NULL;
    if (user_script_job(s, &job, &err)) {
        o.user_job = job;
        op = s->conf->ops->up(s->provider, &o, &err);
    }
    free(job);
    if (op && !o.dry_run)
        user_script_follow(a, s, op);
    if (op && !s->attached && !o.dry_run)
        session_attach(s, true);
    return act_answer(a, done, ctx, op ? NULL : &err, op, "%s: coming up", c->cluster);
}

/* Numbers of what would end. */
static void what_ends(const struct rt_cluster *c, struct rt_buf *text) {
    const struct rt_totals t = rt_cluster_totals(c);
    if (c->fresh[RT_T_NODES].at_ms && t.nodes_alive >= 0)
        rt_buf_addf(text, "%lld node%s", (long long)t.nodes_alive, t.nodes_alive == 1 ? " ends" : "s end");
    if (c->fresh[RT_T_JOBS].at_ms && (t.jobs_running > 0 || t.jobs_pending > 0))
        rt_buf_addf(text, "; %lld running and %lld pending job%s end with %s", (long long)t.jobs_running, (long long)t.jobs_pending,
                    rt_plural(t.jobs_pending), t.nodes_alive == 1 ? "it" : "them");
    if (text->len)
        rt_buf_adds(text, ".\n");
}

bool ask_down(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err) {
    struct session *s = act_session(a, c, err);
    if (!s)
        return false;
    struct rt_buf text, same;
    struct rt_up_opts o = {0};
    rt_buf_init(&text, 64 * RT_KIB);
    rt_buf_init(&same, 64 * RT_KIB);
    what_ends(s->cluster, &text);
    act_foreign(s->cluster, &text);
    if (s->conf->ops->plan && !s->conf->ops->plan(s->provider, "down", &o, &text, err)) {
        rt_buf_deinit(&text);
        return false;
    }
    out->grade = RT_CONFIRM_TYPE_NAME;
    out->title = rt_strf("Tear %s down?", c->cluster);
    out->text = rt_buf_take(&text);
    out->name = rt_strdup(c->cluster);
    if (s->conf->ops->equivalent && s->conf->ops->equivalent(s->provider, "down", NULL, &same))
        out->equivalent = rt_strdup(rt_buf_str(&same));
    rt_buf_deinit(&same);
    return true;
}

struct rt_op *run_down(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    struct session *s = act_session(a, c, &err);
    struct rt_operation *op = s ? s->conf->ops->down(s->provider, &err) : NULL;
    return act_answer(a, done, ctx, op ? NULL : &err, op, "%s: going down", c->cluster);
}

struct rt_op *run_keepalive(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    struct session *s = act_session(a, c, &err);
    if (s && !s->attached)
        session_attach(s, true);
    struct rt_operation *op = s ? s->conf->ops->keepalive(s->provider, &err) : NULL;
    return act_answer(a, done, ctx, op ? NULL : &err, op, "%s: its idle time starts anew", c->cluster);
}

/* What is known by its URL only has no host that one could log in to. */
bool ready_shell(struct rt_app *a, const struct rt_call *c, struct rt_error *err) {
    const struct rt_cluster_conf *conf = rt_config_cluster(a->config, c->cluster);
    if (!conf || conf->hop || !rt_streq(conf->provider, "address"))
        return true;
    return rt_error_set(err, RT_E_UNSUPPORTED, "%s is known by its URL only: there is no way to a shell", c->cluster);
}

bool ready_forget(struct rt_app *a, const struct rt_call *c, struct rt_error *err) {
    const struct session *s = session_find(a, c->cluster);
    if (s && session_busy(s)) {
        rt_error_set(err, RT_E_CONFLICT, "%s: an operation still runs on it", c->cluster);
        return rt_error_hint(err, "@ lists it, ^K there cancels it");
    }
    if (!rt_journal_lives(c->cluster))
        return true;
    rt_error_set(err, RT_E_CONFLICT, "%s: something that raytui made for it still lives", c->cluster);
    return rt_error_hint(err, "`raytui down %s` ends it", c->cluster);
}

struct rt_op *run_forget(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    struct session *s = session_find(a, c->cluster);
    const struct rt_cluster_conf *conf = rt_config_cluster(a->config, c->cluster);
    const bool configured = conf && conf->file;
    char *dir = rt_cluster_path(c->cluster, NULL);
    if (s)
        session_destroy(s);
    if (!rt_remove_tree(dir, &err))
        rt_log(RT_LOG_WARN, "%s: %s", c->cluster, err.message);
    free(dir);
    struct rt_op *op = act_answer(a, done, ctx, NULL, NULL, configured ? "%s is off the list until the next start: it stands in %s" : "%s is forgotten%.0s",
                                  c->cluster, configured ? conf->file : "");
    rt_store_remove(a->store, c->cluster);
    return op;
}
