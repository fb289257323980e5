/* A RayCluster made and torn down: validated by the server, noted in the journal, created, watched until its pods are
 * ready; what does not come in time is deleted again, with the reason. */
#include "providers/kuberay.h"
#include "base/vec.h"
#include <stdio.h>

enum { UP_MS = 30 * 60 * 1000, DOWN_MS = 10 * 60 * 1000, UNDO_MS = 2 * 60 * 1000, TICK_MS = 1000, SILENT_MS = 30000, HANGS_MS = 10000 };

#define KIND "raycluster" /* in the journal */

enum phase { M_SPACE, M_VALIDATE, M_NODES, M_CREATE, M_READY, M_DELETE, M_GONE, M_HANGS };

struct kmake {
    struct rt_provider *provider;
    struct rt_operation *operation;
    struct rt_journal *journal;
    enum phase phase;
    bool is_down, keep, dry_run, made;
    json_t *manifest;
    size_t step;
    struct rt_op *op;
    struct rt_kube_watch *events;
    struct rt_timer *tick;
    int64_t limit_ms, since_ms; /* for how long, from when: loop time; of the present wait */
    bool told_silent;
    char *said;                 /* the latest word of the operator's events */
    char *fatal;                /* that will not mend by itself */
    char *hangs;                /* what is still there, in words */
    struct rt_error first;
};

static void delete_it(struct kmake *m);
static void wait_ready(struct kmake *m);

/* ---- the end ---- */

static void make_free(struct kmake *m) {
    m->provider->making = NULL;
    rt_op_drop(&m->op);
    rt_kube_watch_close(m->events);
    rt_timer_stop(m->tick);
    rt_journal_close(m->journal);
    json_decref(m->manifest);
    free(m->said);
    free(m->fatal);
    free(m->hangs);
    free(m);
}

static void finish(struct kmake *m, char *result) {
    struct rt_operation *op = m->operation;
    struct rt_error err = m->first;
    struct rt_provider *p = m->provider;
    p->cluster->ours = rt_journal_count(m->journal) > 0;
    make_free(m);
    kuberay_show(p);
    rt_operation_finish(op, err.code ? &err : NULL, result);
    free(result);
}

static void step(struct kmake *m, const char *title) {
    m->step = rt_operation_step(m->operation, NULL, "%s", title);
}

static void say(struct kmake *m, const char *text) {
    char clean[400];
    rt_clean_to(clean, sizeof clean, text);
    if (rt_streq(m->operation->steps[m->step].last_line, clean))
        return;
    rt_operation_output(m->operation, m->step, clean, strlen(clean));
    rt_operation_output(m->operation, m->step, "\n", 1);
}

static void went_wrong(struct kmake *m, const struct rt_error *err) {
    if (!m->first.code)
        m->first = *err;
}

/* Up failed: what was made goes, unless it shall stay. */
static void undo(struct kmake *m, const struct rt_error *err) {
    went_wrong(m, err);
    rt_op_drop(&m->op);
    rt_operation_step_end(m->operation, m->step, err);
    if (!m->made || m->keep) {
        if (m->made)
            rt_error_hint(&m->first, "the RayCluster %s was kept: `raytui down %s` removes it", m->provider->name, m->provider->conf->name);
        finish(m, NULL);
        return;
    }
    delete_it(m);
}

/* ---- what the operator says ---- */

static void on_event(void *ctx, const json_t *object) {
    struct kmake *m = ctx;
    const char *reason = rt_json_str(object, "reason"), *text = rt_json_str(object, "message");
    if (!reason || !text)
        return;
    free(m->said);
    m->said = rt_strf("%s: %.500s", reason, text);
    if (rt_starts(reason, "InvalidRayCluster")) {
        free(m->fatal);
        m->fatal = rt_strdup(m->said);
    }
}

static void no_event(void *ctx, const char *space, const char *name, const char *uid) {
    (void)ctx;
    (void)space;
    (void)name;
    (void)uid;
}

static void events_synced(void *ctx, const struct rt_error *err) {
    struct kmake *m = ctx;
    if (!err && m->said && m->phase == M_READY)
        say(m, m->said);
}

/* Those of this very object: one of the same name may have been here before. */
static void watch_events(struct kmake *m, const char *uid) {
    const struct rt_kube_watch_events e = {.put = on_event, .gone = no_event, .synced = events_synced, .ctx = m};
    char *path = rt_strf("/api/v1/namespaces/%s/events", m->provider->space), *query = rt_strf("fieldSelector=involvedObject.uid%%3D%s", uid);
    m->events = rt_kube_watch_open(m->provider->kube, path, query, &e);
    free(query);
    free(path);
}

/* ---- until it is ready ---- */

/* Why it is not: of the pods first, they know best. */
static char *why_not(const struct kmake *m) {
    const struct rt_provider *p = m->provider;
    for (size_t i = 0; i < p->npods; i++)
        if (!p->pods[i].ready && p->pods[i].why)
            return rt_strf("%s: %s", p->pods[i].name, p->pods[i].why);
    if (p->seen.failure)
        return rt_strdup(p->seen.failure);
    if (m->fatal || m->said)
        return rt_strdup(m->fatal ? m->fatal : m->said);
    if (p->error.code)
        return rt_strdup(p->error.message);
    if (p->object && !json_object_size(json_object_get(p->object, "status")))
        return rt_strdup("no operator looks after this namespace: the RayCluster got no status");
    return p->seen.head_reason ? rt_strf("head: %s", p->seen.head_reason) : NULL;
}

static void count_pods(const struct rt_provider *p, int64_t *ready, int64_t *wanted) {
    *ready = 0;
    *wanted = 1; /* the head */
    for (size_t i = 0; i < p->npods; i++)
        *ready += p->pods[i].ready && !p->pods[i].deleting;
    for (size_t i = 0; i < p->seen.ngroups; i++)
        *wanted += p->seen.groups[i].wanted;
}

static void look_ready(struct kmake *m) {
    const struct rt_provider *p = m->provider;
    const int64_t waited = rt_loop_now_ms(p->env.loop) - m->since_ms;
    const struct kpod *head = kuberay_head(p);
    int64_t ready, wanted;
    struct rt_error err = {0};
    char age[24];
    if (p->object) {
        count_pods(p, &ready, &wanted);
        rt_operation_progress(m->operation, m->step, ready, wanted);
        if (p->seen.observed >= p->seen.generation && head && head->ready && ready >= wanted) {
            rt_operation_step_end(m->operation, m->step, NULL);
            finish(m, rt_strf("%s is up: %lld pod%s ready", p->conf->name, (long long)ready, ready == 1 ? "" : "s"));
            return;
        }
    }
    char *why = why_not(m);
    if (why && (!rt_starts(why, "no operator") || waited > SILENT_MS))
        say(m, why);
    if (m->fatal)
        rt_error_set(&err, RT_E_REMOTE, "the operator refuses it: %.500s", m->fatal);
    else if (!p->object && p->listed && !p->error.code && waited > SILENT_MS)
        rt_error_set(&err, RT_E_CONFLICT, "the RayCluster %s was deleted by somebody else", p->name);
    else if (waited >= m->limit_ms)
        rt_error_set(&err, RT_E_TIMEOUT, "%s is not up after %s%s%.480s", p->conf->name, rt_fmt_age(age, sizeof age, m->limit_ms),
                     why ? ": " : "", why ? why : "");
    free(why);
    if (err.code)
        undo(m, &err);
}

/* ---- until it is gone ---- */

static void note_hanging(struct rt_buf *out, const char *kind, const json_t *object) {
    const json_t *finalizers = rt_json_at(object, "metadata.finalizers");
    const char *name = rt_json_str(object, "metadata.name");
    rt_buf_addf(out, "%s%s %s", out->len ? ", " : "", kind, name ? name : "?");
    for (size_t i = 0; i < json_array_size(finalizers); i++) {
        const char *f = json_string_value(json_array_get(finalizers, i));
        rt_buf_addf(out, "%s%s", i ? " " : " (waits for finalizer ", f ? f : "?");
    }
    rt_buf_adds(out, json_array_size(finalizers) ? ")" : "");
}

static void got_hanging(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct kmake *m = ctx;
    const json_t *items = err ? NULL : json_object_get(a->json, "items");
    struct rt_buf text;
    m->op = NULL;
    m->phase = M_GONE;
    rt_buf_init(&text, 4 * RT_KIB);
    if (m->provider->object)
        note_hanging(&text, "RayCluster", m->provider->object);
    for (size_t i = 0; i < json_array_size(items) && text.len < 2000; i++)
        note_hanging(&text, "pod", json_array_get(items, i));
    free(m->hangs);
    m->hangs = text.len ? rt_buf_take(&text) : NULL;
    rt_buf_deinit(&text);
    if (m->hangs)
        say(m, m->hangs);
}

static void ask_hanging(struct kmake *m) {
    char *path = rt_strf("/api/v1/namespaces/%s/pods?labelSelector=ray.io%%2Fcluster%%3D%s", m->provider->space, m->provider->name);
    const struct rt_kube_request r = {.path = path};
    m->phase = M_HANGS;
    m->op = rt_kube_send(m->provider->kube, &r, got_hanging, m);
    free(path);
}

/* ---- gone ---- */

static void is_gone(struct kmake *m) {
    struct rt_error err = {0};
    struct rt_provider *p = m->provider;
    rt_operation_step_end(m->operation, m->step, NULL);
    if (!rt_journal_gone(m->journal, KIND, p->name, &err))
        went_wrong(m, &err);
    finish(m, m->is_down ? rt_strf("%s is gone", p->conf->name) : NULL);
}

static void look_gone(struct kmake *m) {
    const struct rt_provider *p = m->provider;
    const int64_t waited = rt_loop_now_ms(p->env.loop) - m->since_ms;
    struct rt_error err = {0};
    char age[24];
    rt_operation_progress(m->operation, m->step, 0, (int64_t)p->npods);
    if (p->listed && p->pods_listed && !p->object && !p->npods && !p->error.code) {
        is_gone(m);
    } else if (p->error.code == RT_E_DENIED && !p->object) { /* deleted, and what becomes of it may not be seen */
        is_gone(m);
    } else if (waited >= m->limit_ms) {
        rt_error_set(&err, RT_E_PARTIAL, "%s is still there after %s: %.400s", p->conf->name, rt_fmt_age(age, sizeof age, m->limit_ms),
                     m->hangs ? m->hangs : p->error.code ? p->error.message : "its pods end slowly");
        rt_error_hint(&err, "`raytui down %s` looks again", p->conf->name);
        rt_operation_step_end(m->operation, m->step, &err);
        went_wrong(m, &err);
        finish(m, NULL);
    } else if (waited >= HANGS_MS && !m->hangs && !m->op) {
        ask_hanging(m);
    }
}

static void deleted(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct kmake *m = ctx;
    struct rt_provider *p = m->provider;
    (void)a;
    m->op = NULL;
    if (err && err->code != RT_E_NOT_FOUND) {
        rt_operation_step_end(m->operation, m->step, err);
        went_wrong(m, err);
        if (!m->is_down)
            rt_error_hint(&m->first, "the RayCluster %s could not be deleted (%.120s): `raytui down %s`", p->name, err->message, p->conf->name);
        finish(m, NULL);
        return;
    }
    rt_operation_step_end(m->operation, m->step, NULL);
    step(m, "until the pods are gone");
    m->phase = M_GONE;
    m->since_ms = rt_loop_now_ms(p->env.loop);
    m->limit_ms = m->is_down ? m->limit_ms : UNDO_MS;
    kuberay_look(p);
    look_gone(m);
}

/* In the foreground: the object stays visible until its pods are gone. */
static void delete_it(struct kmake *m) {
    static const char body[] = "{\"kind\":\"DeleteOptions\",\"apiVersion\":\"v1\",\"propagationPolicy\":\"Foreground\"}";
    char *path = kuberay_path(m->provider, m->provider->name);
    const struct rt_kube_request r = {.method = "DELETE", .path = path, .body = body};
    rt_op_drop(&m->op);
    m->phase = M_DELETE;
    step(m, m->is_down ? "deleting the RayCluster" : "deleting what was made");
    m->op = rt_kube_send(m->provider->kube, &r, deleted, m);
    free(path);
}

/* ---- both are looked at ---- */

void kuberay_making_look(struct rt_provider *p) {
    if (p->making && p->making->phase == M_READY)
        look_ready(p->making);
    else if (p->making && p->making->phase == M_GONE)
        look_gone(p->making);
}

static void on_tick(void *ctx) {
    struct kmake *m = ctx;
    kuberay_making_look(m->provider);
}

/* ---- creating ---- */

static void wait_ready(struct kmake *m) {
    struct rt_provider *p = m->provider;
    step(m, "until the pods are ready");
    m->phase = M_READY;
    m->since_ms = rt_loop_now_ms(p->env.loop);
    kuberay_look(p);
    look_ready(m);
}

static void created(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct kmake *m = ctx;
    struct rt_provider *p = m->provider;
    struct rt_error ignored = {0};
    m->op = NULL;
    if (err) {
        /* without an answer it may be there: the journal keeps it in mind */
        m->made = !a;
        if (a)
            rt_journal_gone(m->journal, KIND, p->name, &ignored);
        struct rt_error e = *err;
        if (a && a->status == 409)
            rt_error_set(&e, RT_E_CONFLICT, "namespace %s has a RayCluster %s already", p->space, p->name);
        undo(m, &e);
        return;
    }
    const char *uid = rt_json_str(a->json, "metadata.uid");
    m->made = true;
    rt_operation_step_end(m->operation, m->step, NULL);
    if (!rt_journal_made(m->journal, KIND, p->name, uid ? uid : "", NULL, &ignored)) {
        undo(m, &ignored);
        return;
    }
    p->cluster->ours = true;
    if (m->first.code) { /* cancelled meanwhile */
        const struct rt_error why = m->first;
        undo(m, &why);
        return;
    }
    if (uid)
        watch_events(m, uid);
    wait_ready(m);
}

static void create_it(struct kmake *m) {
    struct rt_provider *p = m->provider;
    struct rt_error err = {0};
    json_t *data = json_pack("{ss}", "namespace", p->space);
    char *text = json_dumps(m->manifest, JSON_COMPACT), *path = kuberay_path(p, NULL), *about = json_dumps(data, JSON_COMPACT);
    const struct rt_kube_request r = {.method = "POST", .path = path, .body = text, .timeout_ms = 30000};
    step(m, "creating the RayCluster");
    m->phase = M_CREATE;
    if (rt_journal_want(m->journal, m->operation->id, KIND, p->name, about, &err))
        m->op = rt_kube_send(p->kube, &r, created, m);
    json_decref(data);
    free(about);
    free(path);
    free(text);
    if (err.code)
        undo(m, &err);
}

/* ---- is there a machine for the head? ---- */

static bool fits(const json_t *node, int64_t milli, double bytes) {
    double cpu = 0, memory = 0;
    const json_t *has = rt_json_at(node, "status.allocatable");
    return kuberay_quantity(json_string_value(json_object_get(has, "cpu")), &cpu) &&
           kuberay_quantity(json_string_value(json_object_get(has, "memory")), &memory) && cpu * 1000 >= (double)milli && memory >= bytes;
}

static void validated(struct kmake *m) {
    rt_operation_step_end(m->operation, m->step, NULL);
    if (!m->dry_run) {
        create_it(m);
        return;
    }
    struct rt_buf text;
    rt_buf_init(&text, RT_MIB);
    rt_yaml_print(&text, m->manifest);
    finish(m, rt_buf_take(&text));
}

/* A warning only: nodes may come, and who may not list them is told nothing. */
static void got_nodes(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct kmake *m = ctx;
    const json_t *nodes = err ? NULL : json_object_get(a->json, "items");
    int64_t milli;
    double bytes;
    bool any = json_array_size(nodes) == 0;
    m->op = NULL;
    kuberay_manifest_head(m->manifest, &milli, &bytes);
    for (size_t i = 0; i < json_array_size(nodes); i++)
        any = any || fits(json_array_get(nodes, i), milli, bytes);
    if (!any) {
        char *text = rt_strf("no node is large enough for the head%s: %.3g CPUs and %.3g GiB on one machine",
                             json_is_true(rt_json_at(m->manifest, "spec.enableInTreeAutoscaling")) ? " with its autoscaler" : "",
                             (double)milli / 1000, bytes / 1073741824.0);
        say(m, text);
        free(text);
    }
    validated(m);
}

static void on_valid(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err) {
    struct kmake *m = ctx;
    m->op = NULL;
    if (err) {
        struct rt_error e = *err;
        if (a && a->status == 409)
            rt_error_set(&e, RT_E_CONFLICT, "namespace %s has a RayCluster %s already", m->provider->space, m->provider->name);
        else if (a && a->status == 404)
            kuberay_explain(m->provider, &e);
        undo(m, &e);
        return;
    }
    const struct rt_kube_request r = {.path = "/api/v1/nodes?limit=500"};
    m->phase = M_NODES;
    m->op = rt_kube_send(m->provider->kube, &r, got_nodes, m);
}

static void validate(struct kmake *m) {
    struct rt_provider *p = m->provider;
    struct rt_error err = {0};
    m->manifest = kuberay_manifest(p->conf, &p->own->make, p->name, p->space, &err);
    if (!m->manifest) {
        undo(m, &err);
        return;
    }
    char *text = json_dumps(m->manifest, JSON_COMPACT), *all = kuberay_path(p, NULL), *path = rt_strf("%s?dryRun=All", all);
    const struct rt_kube_request r = {.method = "POST", .path = path, .body = text, .timeout_ms = 30000};
    m->phase = M_VALIDATE;
    rt_operation_step_end(m->operation, m->step, NULL);
    step(m, "the API server validates the manifest");
    m->op = rt_kube_send(p->kube, &r, on_valid, m);
    free(path);
    free(all);
    free(text);
}

/* ---- the namespace, then the work ---- */

static void go_on(struct kmake *m) {
    if (!m->is_down) {
        validate(m);
        return;
    }
    rt_operation_step_end(m->operation, m->step, NULL);
    delete_it(m);
}

static void on_space(void *ctx, const char *space, const struct rt_error *err) {
    struct kmake *m = ctx;
    m->op = NULL;
    if (err) {
        undo(m, err);
        return;
    }
    if (!m->provider->space)
        m->provider->space = rt_strdup(space);
    go_on(m);
}

static void on_cancel(void *ctx) {
    struct kmake *m = ctx;
    struct rt_error err = {0};
    rt_error_set(&err, RT_E_CANCELLED, "cancelled");
    went_wrong(m, &err);
    if (m->operation->leaving || m->is_down) {
        finish(m, NULL); /* what was asked of the API server stays asked */
        return;
    }
    if (m->phase == M_CREATE)
        return; /* its answer is waited for: what came to be must go again */
    if (m->phase != M_DELETE && m->phase != M_GONE && m->phase != M_HANGS)
        undo(m, &err);
}

static bool may_make(const struct rt_provider *p, struct rt_error *err) {
    if (p->making || p->ntasks)
        return rt_error_set(err, RT_E_BUSY, "%s is being changed already", p->conf->name);
    if (p->own->service)
        return rt_error_set(err, RT_E_UNSUPPORTED, "%s is a service that somebody else makes", p->conf->name);
    if (!p->space && (p->own->spaces.n > 1 || rt_strs_has(&p->own->spaces, "*"))) {
        rt_error_set(err, RT_E_CONFIG, "%s: in which namespace?", p->conf->name);
        return rt_error_hint(err, "name one `namespace` in its configuration");
    }
    return true;
}

static struct rt_operation *begin(struct rt_provider *p, const char *verb, struct kmake *m, struct rt_error *err) {
    m->provider = p;
    m->journal = rt_journal_open(p->conf->name, err);
    if (!m->journal) {
        free(m);
        return NULL;
    }
    char *title = rt_strf("%s RayCluster %s", m->is_down ? "delete" : m->dry_run ? "validate" : "create", p->name);
    p->making = m;
    m->operation = rt_operation_start(p->env.operations, verb, p->conf->name, title, on_cancel, m);
    m->tick = rt_timer_start(p->env.loop, TICK_MS, TICK_MS, on_tick, m);
    free(title);
    step(m, "the namespace");
    m->op = rt_kube_space(p->kube, on_space, m);
    return m->operation;
}

struct rt_operation *kuberay_up(struct rt_provider *p, const struct rt_up_opts *o, struct rt_error *err) {
    if (!may_make(p, err))
        return NULL;
    if (p->object && !o->dry_run) {
        rt_error_set(err, RT_E_CONFLICT, p->seen.suspend ? "%s is suspended" : "%s is there already", p->conf->name);
        if (p->seen.suspend)
            rt_error_hint(err, "`raytui resume %s`", p->conf->name);
        return NULL;
    }
    struct kmake *m = RT_NEW(struct kmake);
    m->keep = o->keep;
    m->dry_run = o->dry_run;
    m->limit_ms = o->timeout_ms > 0 ? o->timeout_ms : p->conf->up_timeout_ms > 0 ? p->conf->up_timeout_ms : UP_MS;
    return begin(p, "up", m, err);
}

struct rt_operation *kuberay_down(struct rt_provider *p, struct rt_error *err) {
    if (p->making && !p->making->is_down)
        rt_operation_cancel(p->making->operation);
    if (!may_make(p, err))
        return NULL;
    struct kmake *m = RT_NEW(struct kmake);
    m->is_down = true;
    m->limit_ms = DOWN_MS;
    return begin(p, "down", m, err);
}

void kuberay_making_abandon(struct rt_provider *p) {
    struct rt_error err = {0};
    if (!p->making)
        return;
    rt_error_set(&err, RT_E_CANCELLED, "left");
    went_wrong(p->making, &err);
    finish(p->making, NULL);
}

char *kuberay_made_space(const char *cluster) {
    struct rt_error ignored = {0};
    char *space = NULL;
    if (!rt_journal_lives(cluster))
        return NULL;
    struct rt_journal *j = rt_journal_open(cluster, &ignored);
    for (size_t i = 0; j && i < rt_journal_count(j); i++) {
        const struct rt_journal_item *item = rt_journal_at(j, i);
        json_t *data = rt_streq(item->kind, KIND) && item->data ? rt_json_parse(item->data, strlen(item->data), &ignored) : NULL;
        if (data && !space)
            space = rt_strdup(rt_json_str(data, "namespace"));
        json_decref(data);
    }
    rt_journal_close(j);
    return space;
}

/* ---- in words ---- */

bool kuberay_plan_text(struct rt_provider *p, const char *verb, const struct rt_up_opts *o, struct rt_buf *out, struct rt_error *err) {
    (void)o;
    if (rt_streq(verb, "down")) {
        rt_buf_addf(out, "delete RayCluster %s%s%s", p->name, p->space ? " in namespace " : "", p->space ? p->space : "");
        if (p->npods)
            rt_buf_addf(out, " with its %zu pod%s", p->npods, p->npods == 1 ? "" : "s");
        rt_buf_addc(out, '\n');
        return true;
    }
    json_t *manifest = kuberay_manifest(p->conf, &p->own->make, p->name, p->space, err);
    if (!manifest)
        return false;
    rt_yaml_print(out, manifest);
    json_decref(manifest);
    return true;
}
