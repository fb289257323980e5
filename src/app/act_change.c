/* Verbs on RayJobs and RayServices: suspend-rayjob, resume-rayjob, delete-rayjob, delete-rayservice. */
#include "app/act.h"
#include "core/table.h"
#include <stdlib.h>

static bool of_jobs(const struct rt_call *c) {
    return c->def->target == RT_ON_RAYJOB;
}

static const struct rt_table *table_of(const struct rt_call *c) {
    return of_jobs(c) ? &rt_table_rayjobs : &rt_table_rayservices;
}

/* "delete" of "delete-rayjob". */
static const char *verb_of(const struct rt_call *c) {
    return rt_starts(c->def->name, "delete") ? "delete" : rt_starts(c->def->name, "suspend") ? "suspend" : "resume";
}

/* By NAMESPACE/NAME, or by a name that only one has. */
static const void *row_of(struct rt_app *a, const struct rt_call *c, struct rt_error *err) {
    const struct rt_table *t = table_of(c);
    const struct rt_row_env env = {.store = a->store, .cluster = rt_store_cluster(a->store, c->cluster)};
    const char *wanted = c->args.v[0];
    const void *found = NULL;
    for (size_t i = 0; i < t->count(&env); i++) {
        const void *row = t->at(&env, i);
        const char *id = t->id(row), *name = strchr(id, '/') + 1;
        if (rt_streq(id, wanted))
            return row;
        if (!rt_streq(name, wanted))
            continue;
        if (found) {
            rt_error_set(err, RT_E_USAGE, "several namespaces have a %s %s", t->singular, wanted);
            rt_error_hint(err, "%s is one of them", id);
            return NULL;
        }
        found = row;
    }
    if (!found && env.cluster->fresh[t->topic].at_ms)
        rt_error_set(err, RT_E_NOT_FOUND, "%s: no %s %s", c->cluster, t->singular, wanted);
    else if (!found)
        rt_error_set(err, RT_E_BUSY, "%s: its %s were not looked at yet", c->cluster, t->name);
    return found;
}

bool ready_change(struct rt_app *a, const struct rt_call *c, struct rt_error *err) {
    const char *verb = verb_of(c);
    const void *row = c->args.n ? row_of(a, c, err) : NULL;
    if (!row || !of_jobs(c))
        return row != NULL;
    const struct rt_rayjob *j = row;
    if (rt_streq(verb, "suspend") && j->suspend)
        return rt_error_set(err, RT_E_CONFLICT, "%s is suspended already", j->id);
    if (rt_streq(verb, "suspend") && j->unsuspendable)
        return rt_error_set(err, RT_E_UNSUPPORTED, "%s: %s", j->id, j->unsuspendable);
    if (rt_streq(verb, "resume") && !j->suspend)
        return rt_error_set(err, RT_E_CONFLICT, "%s is not suspended", j->id);
    return true;
}

static void say_job(const struct rt_rayjob *j, const char *verb, struct rt_buf *text) {
    rt_buf_addf(text, "It is %s%s%s.\n", j->deployment ? j->deployment : "new", j->status ? ", its job " : "", j->status ? j->status : "");
    if (j->cluster && !rt_streq(verb, "resume"))
        rt_buf_addf(text, rt_streq(verb, "suspend") ? "The RayCluster %s ends, with all that runs on it; the job begins anew when it is resumed.\n"
                                                    : "The RayCluster %s ends with it, if it was made for it.\n",
                    j->cluster);
}

static void say_service(const struct rt_rayservice *s, struct rt_buf *text) {
    rt_buf_addf(text, "It is %s", s->state ? s->state : "new");
    if (s->endpoints >= 0)
        rt_buf_addf(text, ", %lld endpoint%s serve%s", (long long)s->endpoints, s->endpoints == 1 ? "" : "s", s->endpoints == 1 ? "s" : "");
    rt_buf_adds(text, ".\n");
    if (s->apps)
        rt_buf_addf(text, "Applications: %s\n", s->apps);
    if (s->cluster || s->pending)
        rt_buf_addf(text, "Ends with it: RayCluster %s%s%s\n", s->cluster ? s->cluster : s->pending, s->cluster && s->pending ? ", " : "",
                    s->cluster && s->pending ? s->pending : "");
}

bool ask_change(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err) {
    struct session *s = act_session(a, c, err);
    const void *row = s ? row_of(a, c, err) : NULL;
    const char *verb = verb_of(c);
    if (!row)
        return false;
    struct rt_buf text;
    rt_buf_init(&text, 64 * RT_KIB);
    if (of_jobs(c))
        say_job(row, verb, &text);
    else
        say_service(row, &text);
    /* What has ended costs nobody anything. */
    out->grade = rt_streq(verb, "delete") && !(of_jobs(c) && rt_rayjob_ended(row)) ? RT_CONFIRM_TYPE_NAME : RT_CONFIRM_YES_NO;
    const char *id = table_of(c)->id(row);
    out->title = rt_strf("%s %s %s?", rt_streq(verb, "delete") ? "Delete" : rt_streq(verb, "suspend") ? "Suspend" : "Resume",
                         of_jobs(c) ? "RayJob" : "RayService", id);
    out->name = rt_strdup(strchr(id, '/') + 1);
    out->text = rt_buf_take(&text);
    struct rt_buf same;
    rt_buf_init(&same, 64 * RT_KIB);
    if (s->conf->ops->equivalent && s->conf->ops->equivalent(s->provider, c->def->name, id, &same))
        out->equivalent = rt_strdup(rt_buf_str(&same));
    rt_buf_deinit(&same);
    return true;
}

struct rt_op *run_change(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx) {
    struct rt_error err = {0};
    struct session *s = act_session(a, c, &err);
    const void *row = s ? row_of(a, c, &err) : NULL;
    const char *verb = verb_of(c), *id = row ? table_of(c)->id(row) : NULL;
    struct rt_operation *op = row ? s->conf->ops->change(s->provider, table_of(c)->topic, id, verb, &err) : NULL;
    return act_answer(a, done, ctx, op ? NULL : &err, op, "%s: %s %s", c->cluster, verb, c->args.v[0]);
}
