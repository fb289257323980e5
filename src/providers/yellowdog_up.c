/* up, and what adds to a cluster: pools first, then the work requirement, then tasks; what is there is not made again. */
#include "base/fs.h"
#include "providers/watchdog.h"
#include "providers/yellowdog_impl.h"
#include <stdlib.h>
#include <string.h>

enum { UP_MS = 30 * 60 * 1000, UNSURE_LOOKS = 3 };

/* ---- what is wanted ---- */

static struct yd_want *want(struct yd_run *r) {
    r->wants = rt_realloc(r->wants, (r->nwants + 1) * sizeof *r->wants);
    r->wants[r->nwants] = (struct yd_want){0};
    return &r->wants[r->nwants++];
}

static void want_one(struct yd_run *r, const struct yd_config *own, const struct yd_kind *kind, enum yd_role role) {
    struct yd_want *w = want(r);
    w->role = role;
    w->conf = (struct yd_pool_conf){.kind = *kind, .count = 1, .max = 1, .idle_node_ms = own->idle_node_ms, .idle_pool_ms = own->idle_pool_ms};
}

void yd_wants(const struct rt_provider *p, struct yd_run *r) {
    want_one(r, p->own, &p->own->head, YD_HEAD);
    if (yd_conf_observed(p->own))
        want_one(r, p->own, &p->own->observability, YD_OBSERVABILITY);
    for (size_t i = 0; i < p->pools.n; i++) {
        struct yd_want *w = want(r);
        w->role = YD_WORKER;
        w->conf = p->pools.v[i];
        w->preferred = (unsigned)(i + 1);
    }
}

void yd_wants_free(struct yd_run *r) {
    for (size_t i = 0; i < r->nwants; i++)
        if (r->wants[i].owned)
            yd_conf_pool_deinit(&r->wants[i].conf);
    free(r->wants);
    r->wants = NULL;
    r->nwants = 0;
}

bool yd_complete(const struct rt_provider *p, struct rt_error *err) {
    if (p->own->head.template_id)
        return true;
    rt_error_set(err, RT_E_CONFIG, "%s: the template of the head is wanted: `head: {template: NAMESPACE/NAME}`", p->conf->name);
    return rt_error_hint(err, "the platform's Portal lists compute requirement templates; `raytui doctor %s` does too", p->conf->name);
}

static const char *label_of(const struct yd_want *w) {
    return w->role == YD_HEAD ? "head" : w->role == YD_OBSERVABILITY ? "observability" : w->conf.name;
}

static const struct yd_part *part_of(const struct yd_run *r, const struct yd_want *w) {
    const struct yd_part *part = yd_seen_part(r->provider->seen, label_of(w));
    return part && !part->over && !yd_pool_over(part->pool) ? part : NULL;
}

/* What the journal keeps of a pool: {"pool":NAME,"words":[...]}; gives it. */
static char *yd_note_text(const struct yd_want *w, const char *label) {
    json_t *v = json_pack("{s:s}", "pool", label), *words = json_array();
    for (size_t i = 0; w->words && i < w->words->n; i++)
        json_array_append_new(words, json_string(w->words->v[i]));
    if (json_array_size(words))
        json_object_set(v, "words", words);
    char *text = json_dumps(v, JSON_COMPACT);
    json_decref(words);
    json_decref(v);
    return text;
}

bool yd_note_read(const struct rt_provider *p, const char *pool_name, char *label, size_t size, struct rt_strs *words) {
    const struct rt_journal_item *item = p->journal ? rt_journal_find(p->journal, "pool", pool_name) : NULL;
    struct rt_error ignored = {0};
    json_t *v = item && item->data ? rt_json_parse(item->data, strlen(item->data), &ignored) : NULL;
    const char *name = rt_json_str(v, "pool");
    const json_t *list = json_object_get(v, "words");
    for (size_t i = 0; words && i < json_array_size(list); i++)
        rt_strs_add(words, json_string_value(json_array_get(list, i)));
    if (name)
        rt_clean_to(label, size, name);
    json_decref(v);
    return name != NULL;
}

/* ---- making ---- */

static void undo(struct yd_run *r);

/* It was refused, so it is not there. */
static void unwant(struct yd_run *r) {
    struct rt_error ignored = {0};
    if (r->wanted)
        rt_journal_gone(r->provider->journal, r->wanted_kind, r->wanted, &ignored);
}

static bool journal_want(struct yd_run *r, const char *kind, const char *name, const char *label, struct rt_error *err) {
    free(r->wanted);
    r->wanted_kind = kind;
    r->wanted = rt_strdup(name);
    return rt_journal_want(r->provider->journal, r->operation->id, kind, name, label, err);
}

/* The answer to what makes something. Unanswered, it may be there all the same: it is looked for first. */
static bool made(struct yd_run *r, const struct yd_failure *f) {
    r->op = NULL;
    r->posting = false;
    if (f && f->maybe) {
        r->unsure = UNSURE_LOOKS;
        yd_run_say(r, f->error.message);
    } else if (f && f->error.code == RT_E_CONFLICT && !r->unsure) {
        r->unsure = 1; /* somebody was faster, perhaps this very call: a look tells */
        yd_run_say(r, f->error.message);
    } else if (f) {
        unwant(r);
        yd_run_note(r, &f->error);
    } else {
        r->unsure = 0;
    }
    if (r->first.code) { /* also: cancelled meanwhile */
        r->give_up(r);
        return false;
    }
    return true;
}

static bool may_send(struct yd_run *r) {
    if (r->unsure <= 0)
        return true;
    r->unsure--;
    yd_run_look(r, 1000);
    return false;
}

static void post(struct yd_run *r, const struct yd_call *c, yd_fn *fn) {
    r->posting = true;
    yd_run_send(r, c, fn);
}

static void fail(struct yd_run *r, const struct rt_error *err) {
    yd_run_note(r, err);
    r->give_up(r);
}

static void pool_made(void *ctx, struct yd_result *a, const struct yd_failure *f) {
    struct yd_run *r = ctx;
    struct rt_error err = {0};
    if (a && a->n && !rt_journal_made(r->provider->journal, "pool", a->pools->name, a->pools->id, NULL, &err))
        yd_run_note(r, &err);
    yd_result_free(a);
    if (made(r, f))
        yd_run_look(r, 0);
}

/* Its number: that of the configuration, where no pool ever had it. */
static unsigned number_of(const struct yd_run *r, const struct yd_want *w) {
    const struct yd_seen *s = r->provider->seen;
    const unsigned next = RT_MAX(s->highest_pool, (unsigned)r->provider->pools.n) + 1;
    if (!w->preferred)
        return next;
    for (size_t i = 0; i < s->nparts; i++)
        if (s->parts[i].role == YD_WORKER && s->parts[i].index == w->preferred)
            return next;
    return w->preferred;
}

static void make_pool(struct yd_run *r, const struct yd_want *w) {
    struct rt_provider *p = r->provider;
    struct rt_error err = {0};
    if (!may_send(r))
        return;
    char *name = yd_make_pool_name(w, r->name, w->role == YD_WORKER ? number_of(r, w) : 0);
    json_t *body = yd_make_pool(p, w, r->name, name, &err);
    yd_run_title(r, "pool %s: %lld machine%s", name, (long long)w->conf.count, w->conf.count == 1 ? "" : "s");
    char *label = yd_note_text(w, label_of(w));
    if (body && journal_want(r, "pool", name, label, &err)) {
        if (!rt_strs_has(&r->made, name))
            rt_strs_add(&r->made, name);
        post(r, &(struct yd_call){.verb = YD_POOL_CREATE, .body = body}, pool_made);
    } else {
        json_decref(body);
        fail(r, &err);
    }
    free(label);
    free(name);
}

static void work_made(void *ctx, struct yd_result *a, const struct yd_failure *f) {
    struct yd_run *r = ctx;
    struct rt_error err = {0};
    if (a && a->n && !rt_journal_made(r->provider->journal, "work", a->works->name, a->works->id, NULL, &err))
        yd_run_note(r, &err);
    yd_result_free(a);
    if (made(r, f))
        yd_run_look(r, 0);
}

static char *free_group(const struct yd_seen *s, unsigned k) {
    char *name = yd_group_workers(k ? k : 1);
    while (s->work && yd_work_group(s->work, name)) {
        free(name);
        name = yd_group_workers(++k);
    }
    return name;
}

/* Groups of all that is wanted; their tags are those of the pools, which are there, or whose names are known before. */
static json_t *work_body(const struct yd_run *r) {
    const struct rt_provider *p = r->provider;
    struct yd_group_spec *groups = rt_alloc((r->nwants + 1) * sizeof *groups);
    struct rt_strs words = {0};
    unsigned k = 0;
    for (size_t i = 0; i < r->nwants; i++) {
        const struct yd_want *w = &r->wants[i];
        const struct yd_part *part = part_of(r, w);
        char *name = part ? rt_strdup(part->pool->name) : yd_make_pool_name(w, r->name, w->preferred);
        rt_strs_take(&words, w->role == YD_WORKER ? yd_group_workers(++k) : rt_strdup(w->role == YD_HEAD ? YD_GROUP_HEAD : YD_GROUP_OBSERVABILITY));
        rt_strs_take(&words, yd_make_tag(w, r->name, name));
        free(name);
    }
    for (size_t i = 0; i < r->nwants; i++)
        groups[i] = yd_make_group(p, &r->wants[i], words.v[2 * i], words.v[2 * i + 1]);
    json_t *body = yd_body_work(p->own->space, r->name, p->own->tag, groups, r->nwants);
    rt_strs_deinit(&words);
    free(groups);
    return body;
}

static void make_work(struct yd_run *r) {
    struct rt_error err = {0};
    if (!may_send(r))
        return;
    yd_run_title(r, "work requirement %s", r->name);
    if (!journal_want(r, "work", r->name, NULL, &err)) {
        fail(r, &err);
        return;
    }
    r->work_made = true;
    post(r, &(struct yd_call){.verb = YD_WORK_CREATE, .body = work_body(r)}, work_made);
}

static void group_added(void *ctx, struct yd_result *a, const struct yd_failure *f) {
    struct yd_run *r = ctx;
    yd_result_free(a);
    if (made(r, f))
        yd_run_look(r, 0);
}

/* For a pool that came later, and for one whose tasks have all ended: a group that ended takes none. */
static void add_group(struct yd_run *r, const struct yd_want *w, const struct yd_part *part) {
    struct rt_provider *p = r->provider;
    const struct yd_seen *s = p->seen;
    if (!may_send(r))
        return;
    char *name = free_group(s, part->index);
    const struct yd_group_spec g = yd_make_group(p, w, name, part->pool->worker_tag ? part->pool->worker_tag : part->pool->name);
    json_t *body = s->work_answer && s->work_answer->json ? yd_body_append(s->work_answer->json, &g) : NULL;
    yd_run_title(r, "task group %s", name);
    free(name);
    if (body)
        post(r, &(struct yd_call){.verb = YD_WORK_CHANGE, .body = body}, group_added);
    else
        yd_run_look(r, 1000);
}

static void tasks_added(void *ctx, struct yd_result *a, const struct yd_failure *f) {
    struct yd_run *r = ctx;
    yd_result_free(a);
    if (!f)
        r->wants[r->at].posted = true;
    if (made(r, f))
        yd_run_look(r, 0);
}

static void add_tasks(struct yd_run *r, struct yd_want *w, const struct yd_group *g, size_t n) {
    struct rt_provider *p = r->provider;
    const struct yd_seen *s = p->seen;
    struct rt_error err = {0};
    if (!may_send(r))
        return;
    const unsigned highest = s->tasks ? yd_task_highest(s->tasks->tasks, s->tasks->n) : 0;
    const unsigned next = RT_MAX(highest, yd_conf_observed(p->own) ? 2U : 1U) + 1; /* 1 is the head's, 2 that of observability */
    const unsigned first = w->role == YD_HEAD ? 1 : w->role == YD_OBSERVABILITY ? 2 : next;
    json_t *body = yd_make_tasks(p, w, yd_role_ip(s, YD_HEAD), yd_role_ip(s, YD_OBSERVABILITY), first, n, &err);
    yd_run_title(r, "%zu task%s of %s", n, n == 1 ? "" : "s", label_of(w));
    if (!body) {
        fail(r, &err);
        return;
    }
    r->at = (size_t)(w - r->wants);
    post(r, &(struct yd_call){.verb = YD_TASKS_ADD, .id = g->id, .body = body}, tasks_added);
}

/* ---- one step ---- */

static bool ended_badly(struct yd_run *r, const struct yd_task *t, const char *what) {
    struct rt_error err = {0};
    char why[300];
    rt_error_set(&err, RT_E_REMOTE, "the task of %s ended (%s): %s", what, t->status ? t->status : "?", yd_task_why(t, why, sizeof why));
    rt_error_hint(&err, "the task's output is in the platform's Portal");
    fail(r, &err);
    return false;
}

/* The one task of a role executes and its node has an address; false: something was begun, or is waited for. */
static bool ensure_role(struct yd_run *r, struct yd_want *w) {
    const struct yd_seen *s = r->provider->seen;
    const struct yd_part *part = part_of(r, w);
    const struct yd_task *t = yd_role_task(s, w->role);
    const struct yd_group *g = yd_work_group(s->work, w->role == YD_HEAD ? YD_GROUP_HEAD : YD_GROUP_OBSERVABILITY);
    if (t && yd_task_over(t))
        return ended_badly(r, t, label_of(w));
    if (!t && g && !yd_work_over(g->state)) {
        add_tasks(r, w, g, 1);
        return false;
    }
    if (t && yd_role_ip(s, w->role))
        return true;
    struct rt_buf why;
    rt_buf_init(&why, 4 * RT_KIB);
    yd_run_title(r, "until the task of %s executes", label_of(w));
    if (part && yd_part_why(r->provider, s, part, &why))
        yd_run_say(r, rt_buf_str(&why));
    rt_buf_deinit(&why);
    yd_run_look(r, yd_run_pace_ms(r));
    return false;
}

static bool ensure_tasks(struct yd_run *r, struct yd_want *w) {
    struct rt_provider *p = r->provider;
    const struct yd_part *part = part_of(r, w);
    if (!part) { /* it idled away, or was ended, before the head was ready */
        make_pool(r, w);
        return false;
    }
    const struct yd_count c = yd_part_count(p, p->seen, part);
    if (w->posted || c.tasks >= w->conf.count)
        return true;
    const struct yd_group *g = yd_part_group(p->seen, part);
    if (!g || yd_work_over(g->state))
        add_group(r, w, part);
    else
        add_tasks(r, w, g, (size_t)(w->conf.count - c.tasks));
    return false;
}

bool yd_ensure(struct yd_run *r) {
    const struct yd_seen *s = r->provider->seen;
    if (s->work && yd_work_over(s->work->state) && r->name && rt_streq(s->work->name, r->name)) {
        const struct yd_task *head = yd_role_task(s, YD_HEAD);
        struct rt_error err = {0};
        if (head && yd_task_over(head))
            return ended_badly(r, head, "the head");
        rt_error_set(&err, RT_E_REMOTE, "the work requirement %s is %s", r->name, s->work->status);
        fail(r, &err);
        return false;
    }
    for (size_t i = 0; !yd_work_lives(s) && i < r->nwants; i++)
        if (r->wants[i].role != YD_OBSERVABILITY && !part_of(r, &r->wants[i])) {
            make_pool(r, &r->wants[i]);
            return false;
        }
    if (!yd_work_lives(s)) {
        make_work(r);
        return false;
    }
    for (size_t k = YD_ROLES; k-- > 0;) { /* observability, the head, the workers */
        static const enum yd_role order[YD_ROLES] = {YD_WORKER, YD_HEAD, YD_OBSERVABILITY};
        for (size_t i = 0; i < r->nwants; i++) {
            struct yd_want *w = &r->wants[i];
            if (w->role != order[k])
                continue;
            if (w->role != YD_WORKER && !part_of(r, w) && !yd_role_ip(s, w->role)) {
                make_pool(r, w);
                return false;
            }
            if (!(w->role == YD_WORKER ? ensure_tasks(r, w) : ensure_role(r, w)))
                return false;
        }
    }
    return true;
}

/* ---- the dashboard ---- */

static void save_state(const struct rt_provider *p) {
    const struct yd_seen *s = p->seen;
    if (!p->own->state_file || !yd_work_lives(s))
        return;
    char *path = rt_path_expand(p->own->state_file);
    struct yd_saved saved = {.name = rt_strdup(s->work->name), .space = rt_strdup(p->own->space), .tag = rt_strdup(p->own->tag),
                             .work_id = rt_strdup(s->work->id)};
    struct rt_error err = {0};
    for (size_t i = 0; i < s->nparts; i++)
        if (!s->parts[i].over)
            rt_strs_add(&saved.pool_ids, s->parts[i].pool->id);
    if (!yd_saved_write(path, &saved, &err) && p->run)
        yd_run_say(p->run, err.message);
    yd_saved_deinit(&saved);
    free(path);
}

static void is_up(struct yd_run *r) {
    struct rt_provider *p = r->provider;
    const struct yd_seen *s = p->seen;
    int64_t coming = 0;
    for (size_t i = 0; i < r->nwants; i++)
        coming += r->wants[i].role == YD_WORKER ? r->wants[i].conf.count : 0;
    const char *open = yd_head_public_ip(s), *ip = yd_role_ip(s, YD_HEAD);
    char *workers = coming ? rt_strf("; %lld worker%s as the machines come", (long long)coming, coming == 1 ? " joins" : "s join") : rt_strdup("");
    r->result = rt_strf("%s is up: head %s%s%s%s%s", p->conf->name, open ? open : ip ? ip : "?", open && ip ? " (" : "", open && ip ? ip : "",
                        open && ip ? ")" : "", workers);
    free(workers);
    save_state(p);
    yd_run_end(r);
}

/* ---- user_script ---- */

static void job_sent(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct yd_run *r = ctx;
    struct rt_error e = {0};
    r->probe = NULL;
    if (err)
        e = *err;
    else if (a->status != 200 && !strstr(a->body, "already exists"))
        rt_error_set(&e, RT_E_REMOTE, "HTTP %d", a->status);
    if (e.code) {
        e.code = RT_E_PARTIAL;
        rt_error_wrap(&e, "%s is up, but user_script was not sent", r->provider->conf->name);
        yd_run_note(r, &e);
    }
    is_up(r);
}

/* Under an id that the journal holds: sent twice it runs once. */
static void send_job(struct yd_run *r) {
    struct rt_provider *p = r->provider;
    struct rt_error err = {0};
    char *body = NULL;
    if (!watchdog_job(p->journal, p->conf->name, r->operation->id, r->job, &body, &err)) {
        yd_run_note(r, &err);
        is_up(r);
        return;
    }
    yd_run_title(r, "sending user_script");
    char *url = rt_strf("http://127.0.0.1:%d/api/jobs/", p->own->dashboard_port ? (int)p->own->dashboard_port : 8265);
    const char *const headers[] = {"Content-Type: application/json", NULL};
    const struct rt_http_request q = {.method = "POST", .url = url, .headers = headers, .body = body, .body_len = strlen(body),
                                      .dialer = rt_hop_dialer(p->env.hop), .pool = p->conf->name, .timeout_ms = 60000};
    r->probe = rt_http_send(p->env.http, &q, &(struct rt_http_callbacks){.done = job_sent, .ctx = r});
    free(body);
    free(url);
}

static bool needs_login(const struct yd_run *r) {
    const struct rt_hop *hop = r->provider->env.hop;
    return hop && rt_hop_status(hop)->state == RT_HOP_NEEDS_LOGIN;
}

/* The cluster runs, and this machine cannot get there: it is not ended for that. */
static void no_way(struct yd_run *r, const struct rt_error *why) {
    struct rt_error err = *why;
    const bool new_key = needs_login(r);
    err.code = RT_E_PARTIAL;
    rt_error_wrap(&err, "%s runs, but it cannot be reached from here", r->provider->conf->name);
    if (new_key)
        rt_error_hint(&err, "its host key is new: a terminal can be asked, or `ssh_config` names a file that says StrictHostKeyChecking accept-new");
    if (!err.hint[0])
        rt_error_hint(&err, "`raytui down %s` ends it", r->provider->conf->name);
    yd_run_note(r, &err);
    save_state(r->provider);
    yd_run_end(r);
}

static void probed(void *ctx, const struct rt_http_answer *a, const struct rt_error *err) {
    struct yd_run *r = ctx;
    r->probe = NULL;
    if (err || a->status >= 500) {
        yd_run_say(r, err ? err->message : "the dashboard does not answer yet");
        return;
    }
    rt_op_drop(&r->op);
    rt_timer_again(r->pause, INT32_MAX, 0);
    if (r->job)
        send_job(r);
    else
        is_up(r);
}

static void reach(struct yd_run *r) {
    struct rt_provider *p = r->provider;
    struct rt_hop *hop = p->env.hop;
    yd_run_title(r, "until the dashboard answers, through %s", p->aim ? p->aim : "the head");
    if (p->no_way.code) {
        no_way(r, &p->no_way);
        return;
    }
    if (!hop) {
        is_up(r);
        return;
    }
    const struct rt_hop_status *st = rt_hop_status(hop);
    if (st->state == RT_HOP_FAILED || st->state == RT_HOP_NEEDS_LOGIN) {
        no_way(r, &st->error);
        return;
    }
    if (st->state == RT_HOP_IDLE)
        rt_hop_open(hop, true);
    if (st->error.code)
        yd_run_say(r, st->error.message);
    if (!r->probe) {
        char *url = rt_strf("http://127.0.0.1:%d/api/version", p->own->dashboard_port ? (int)p->own->dashboard_port : 8265);
        const struct rt_http_request q = {.url = url, .dialer = rt_hop_dialer(hop), .pool = p->conf->name, .timeout_ms = 10000};
        r->probe = rt_http_send(p->env.http, &q, &(struct rt_http_callbacks){.done = probed, .ctx = r});
        free(url);
    }
    yd_run_look(r, yd_run_pace_ms(r));
}

/* ---- up ---- */

static void undone(struct yd_run *r) {
    struct rt_provider *p = r->provider;
    const bool nothing = !r->made.n && !r->work_made;
    if (r->keep || nothing) {
        struct rt_buf living;
        rt_buf_init(&living, 4 * RT_KIB);
        yd_seen_living(p->seen, &living);
        if (living.len)
            rt_error_hint(&r->first, "%.160s go on at the platform: `raytui up %.40s` waits for them again, `raytui down %.40s` ends them",
                          rt_buf_str(&living), p->conf->name, p->conf->name);
        rt_buf_deinit(&living);
        yd_run_end(r);
    } else if (r->fresh) {
        yd_end_all(r);
    } else {
        yd_end_pools(r, &r->made);
    }
}

/* While it is undone somebody may cancel again: then it ends there. */
static void undo(struct yd_run *r) {
    struct rt_provider *p = r->provider;
    rt_op_drop(&r->probe);
    rt_op_drop(&r->op);
    if (r->undoing) {
        rt_error_hint(&r->first, "not all that was made has ended: `raytui down %s`", p->conf->name);
        yd_run_end(r);
        return;
    }
    r->undoing = true;
    rt_timer_stop(r->limit);
    r->limit = NULL;
    if (r->first.code == RT_E_TIMEOUT) {
        const struct yd_part *part = yd_seen_part(p->seen, "head");
        struct rt_buf why;
        rt_buf_init(&why, 4 * RT_KIB);
        if (part && !yd_role_ip(p->seen, YD_HEAD))
            yd_part_why(p, p->seen, part, &why);
        rt_error_set(&r->first, RT_E_TIMEOUT, "%s did not come up in time%s%.300s", p->conf->name, why.len ? ": " : "", rt_buf_str(&why));
        rt_buf_deinit(&why);
    }
    yd_run_step_end(r, &r->first);
    undone(r);
}

static void decide_up(struct yd_run *r) {
    const struct yd_seen *s = r->provider->seen;
    if (!r->name) {
        const unsigned k = s->highest_run + 1;
        r->fresh = !yd_seen_lives(s);
        r->name = s->run ? rt_strdup(s->run) : k == 1 ? rt_strdup(yd_conf_name(r->provider->conf)) : rt_strf("%s-r%u", yd_conf_name(r->provider->conf), k);
        if (s->foreign) {
            struct rt_error err = {0};
            rt_error_set(&err, RT_E_UNSUPPORTED, "%s is up, and RayDog's autoscaler owns it", r->name);
            fail(r, &err);
            return;
        }
    }
    if (yd_work_lives(s) && s->work->state == YD_WORK_CANCELLING) {
        yd_run_title(r, "until what was there has ended");
        yd_run_look(r, 1000);
        return;
    }
    if (yd_ensure(r))
        reach(r);
}

struct rt_operation *yd_up(struct rt_provider *p, const struct rt_up_opts *o, struct rt_error *err) {
    if (!yd_complete(p, err))
        return NULL;
    struct yd_run *r = yd_run_start(p, "up", rt_strf("bring %s up", p->conf->name), decide_up, undo, err);
    if (!r)
        return NULL;
    r->keep = o->keep;
    r->job = rt_strdup(o->user_job);
    yd_wants(p, r);
    yd_run_limit(r, o->timeout_ms ? o->timeout_ms : p->conf->up_timeout_ms ? p->conf->up_timeout_ms : UP_MS);
    return r->operation;
}
