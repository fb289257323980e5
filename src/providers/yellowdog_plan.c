/* What is sent to the platform, and how it reads before it is. */
#include "base/shell.h"
#include "providers/yellowdog_impl.h"
#include <stdlib.h>
#include <string.h>

/* ---- bodies ---- */

static const char *role_name(const struct yd_want *w) {
    return w->role == YD_HEAD ? "head" : w->role == YD_OBSERVABILITY ? "observability" : w->conf.name;
}

char *yd_make_pool_name(const struct yd_want *w, const char *run, unsigned k) {
    return w->role == YD_HEAD ? yd_name_head(run) : w->role == YD_OBSERVABILITY ? yd_name_observability(run) : yd_name_workers(run, k);
}

char *yd_make_tag(const struct yd_want *w, const char *run, const char *pool_name) {
    return w->role == YD_OBSERVABILITY ? yd_tag_observability(run) : rt_strdup(pool_name);
}

json_t *yd_make_pool(const struct rt_provider *p, const struct yd_want *w, const char *run, const char *name, struct rt_error *err) {
    const struct yd_kind *k = &w->conf.kind;
    char *what = rt_strf("%s: userdata", role_name(w)), *userdata = yd_conf_text(p->conf, k->userdata, "", what, err);
    free(what);
    if (!userdata)
        return NULL;
    char *tag = yd_make_tag(w, run, name);
    const struct yd_pool_spec s = {
        .name = name, .space = p->own->space, .tag = p->own->tag, .template_id = k->template_id, .image = k->images,
        .userdata = *userdata ? userdata : NULL, .instance_tags = &k->instance_tags, .worker_tag = tag, .nodes = w->conf.count,
        .max_nodes = RT_MAX(w->conf.max, w->conf.count), .metrics = k->metrics, .idle_node_ms = w->conf.idle_node_ms,
        .idle_pool_ms = w->conf.idle_pool_ms, .boot_ms = p->own->boot_ms,
    };
    json_t *body = yd_body_pool(&s);
    free(tag);
    free(userdata);
    return body;
}

struct yd_group_spec yd_make_group(const struct rt_provider *p, const struct yd_want *w, const char *name, const char *worker_tag) {
    /* A pool whose number does not say which of the configuration it is, says its name. */
    char *plain = w->preferred ? yd_name_workers("", w->preferred) : NULL;
    const bool known = plain && rt_ends(worker_tag, plain);
    free(plain);
    return (struct yd_group_spec){.name = name, .worker_tag = worker_tag, .space = p->own->space,
                                  .tag = w->role == YD_WORKER && !known ? w->conf.name : NULL,
                                  .fail_with_task = w->role == YD_HEAD, .timeout_ms = p->conf->lifetime_ms};
}

json_t *yd_make_tasks(const struct rt_provider *p, const struct yd_want *w, const char *head_ip, const char *observability_ip,
                      unsigned first, size_t n, struct rt_error *err) {
    char *what = rt_strf("%s: its script", role_name(w));
    char *script = yd_conf_text(p->conf, w->conf.kind.script, yd_script(w->role), what, err);
    free(what);
    if (!script)
        return NULL;
    struct rt_strs env = {0};
    if (w->role == YD_WORKER) {
        rt_strs_addf(&env, "RAY_HEAD_NODE_PRIVATE_IP=%s", head_ip); /* the name that older scripts know */
        rt_strs_addf(&env, "RAY_HEAD_IP=%s", head_ip);
    }
    if (observability_ip && w->role != YD_OBSERVABILITY)
        rt_strs_addf(&env, "OBSERVABILITY_HOST=%s", observability_ip);
    json_t *body = yd_body_tasks(&(struct yd_task_spec){.script = script, .env = &env, .first = first, .n = n});
    rt_strs_deinit(&env);
    free(script);
    return body;
}

/* ---- a plan ---- */

static void body_line(const struct rt_provider *p, const struct yd_call *c, json_t *list) {
    struct rt_buf call;
    rt_buf_init(&call, 4 * RT_KIB);
    yd_call_text(p->api, c, &call);
    json_t *one = json_object();
    json_object_set_new(one, "request", json_string(rt_buf_str(&call)));
    if (c->body)
        json_object_set_new(one, "body", c->body);
    json_array_append_new(list, one);
    rt_buf_deinit(&call);
}

static bool plan_pool(const struct rt_provider *p, const struct yd_want *w, const char *run, unsigned k, json_t *list, struct rt_error *err) {
    char *name = yd_make_pool_name(w, run, k);
    json_t *body = yd_make_pool(p, w, run, name, err);
    free(name);
    if (body)
        body_line(p, &(struct yd_call){.verb = YD_POOL_CREATE, .body = body}, list);
    return body != NULL;
}

static bool plan_tasks(const struct rt_provider *p, const struct yd_want *w, const char *group, unsigned first, json_t *list, struct rt_error *err) {
    const bool observed = yd_conf_observed(p->own);
    json_t *body = yd_make_tasks(p, w, "PRIVATE-ADDRESS-OF-THE-HEAD", observed ? "PRIVATE-ADDRESS-OF-OBSERVABILITY" : NULL, first,
                                 (size_t)w->conf.count, err);
    char *id = rt_strf("ID-OF-%s", group);
    if (body)
        body_line(p, &(struct yd_call){.verb = YD_TASKS_ADD, .id = id, .body = body}, list);
    free(id);
    return body != NULL;
}

static void plan_work(const struct rt_provider *p, const struct yd_run *r, const char *run, json_t *list) {
    struct yd_group_spec *groups = rt_alloc((r->nwants + 1) * sizeof *groups);
    char **owned = rt_alloc((2 * r->nwants + 1) * sizeof *owned);
    unsigned k = 0;
    for (size_t i = 0; i < r->nwants; i++) {
        const struct yd_want *w = &r->wants[i];
        const bool worker = w->role == YD_WORKER;
        char *pool = yd_make_pool_name(w, run, worker ? ++k : 0);
        owned[2 * i] = worker ? yd_group_workers(k) : rt_strdup(w->role == YD_HEAD ? YD_GROUP_HEAD : YD_GROUP_OBSERVABILITY);
        owned[2 * i + 1] = yd_make_tag(w, run, pool);
        groups[i] = yd_make_group(p, w, owned[2 * i], owned[2 * i + 1]);
        free(pool);
    }
    body_line(p, &(struct yd_call){.verb = YD_WORK_CREATE, .body = yd_body_work(p->own->space, run, p->own->tag, groups, r->nwants)}, list);
    for (size_t i = 0; i < 2 * r->nwants; i++)
        free(owned[i]);
    free(owned);
    free(groups);
}

/* In the order of the calls: pools of head and workers, the work requirement, observability, the head's task, the workers'. */
static bool plan_up(const struct rt_provider *p, const struct yd_run *r, const char *run, json_t *list, struct rt_error *err) {
    const struct yd_want *head = &r->wants[0], *eye = r->nwants > 1 && r->wants[1].role == YD_OBSERVABILITY ? &r->wants[1] : NULL;
    const size_t workers = eye ? 2 : 1;
    unsigned first = eye ? 3 : 2, k = 0;
    bool ok = plan_pool(p, head, run, 0, list, err);
    for (size_t i = workers; ok && i < r->nwants; i++)
        ok = plan_pool(p, &r->wants[i], run, (unsigned)(i - workers + 1), list, err);
    if (ok)
        plan_work(p, r, run, list);
    if (ok && eye)
        ok = plan_pool(p, eye, run, 0, list, err) && plan_tasks(p, eye, YD_GROUP_OBSERVABILITY, 2, list, err);
    ok = ok && plan_tasks(p, head, YD_GROUP_HEAD, 1, list, err);
    for (size_t i = workers; ok && i < r->nwants; i++) {
        char *group = yd_group_workers(++k);
        ok = plan_tasks(p, &r->wants[i], group, first, list, err);
        first += (unsigned)r->wants[i].conf.count;
        free(group);
    }
    return ok;
}

static void plan_down(const struct rt_provider *p, json_t *list) {
    const struct yd_seen *s = p->seen;
    if (yd_work_lives(s))
        body_line(p, &(struct yd_call){.verb = YD_WORK_CANCEL, .id = s->work->id}, list);
    for (size_t i = 0; s && i < s->nparts; i++) {
        if (s->parts[i].over)
            continue;
        if (s->parts[i].pool->requirement_id)
            body_line(p, &(struct yd_call){.verb = YD_TERMINATE, .id = s->parts[i].pool->requirement_id}, list);
        body_line(p, &(struct yd_call){.verb = YD_POOL_SHUT_DOWN, .id = s->parts[i].pool->id}, list);
    }
}

/* What a person wants to know first, as comments. */
static void plan_head(const struct rt_provider *p, const struct yd_run *r, struct rt_buf *out) {
    char life[32], idle[32];
    for (size_t i = 0; i < r->nwants; i++) {
        const struct yd_want *w = &r->wants[i];
        const int64_t n = w->conf.count, max = RT_MAX(w->conf.max, n);
        rt_buf_addf(out, "# %s: %lld machine%s of %s", role_name(w), (long long)n, n == 1 ? "" : "s", w->conf.kind.template_id);
        if (w->role == YD_WORKER && max > n)
            rt_buf_addf(out, ", up to %lld", (long long)max);
        if (w->conf.idle_pool_ms >= 0)
            rt_buf_addf(out, "; ends when nothing ran for %s", rt_fmt_age(idle, sizeof idle, w->conf.idle_pool_ms ? w->conf.idle_pool_ms : 180000));
        rt_buf_addc(out, '\n');
    }
    if (p->conf->lifetime_ms)
        rt_buf_addf(out, "# all of it ends %s after its head started\n", rt_fmt_age(life, sizeof life, p->conf->lifetime_ms));
}

static void plan_down_head(const struct rt_provider *p, struct rt_buf *out) {
    const struct yd_seen *s = p->seen;
    if (yd_work_lives(s))
        rt_buf_addf(out, "# work requirement %s: cancelled; the scripts on its nodes end\n", s->work->name);
    for (size_t i = 0; s && i < s->nparts; i++) {
        const struct yd_part *part = &s->parts[i];
        const int64_t n = yd_part_count(p, s, part).wanted;
        if (!part->over)
            rt_buf_addf(out, "# %s: pool %s ends, %lld machine%s\n", part->label, part->pool->name, (long long)n, n == 1 ? "" : "s");
    }
}

bool yd_plan(struct rt_provider *p, const char *verb, const struct rt_up_opts *o, struct rt_buf *out, struct rt_error *err) {
    json_t *list = json_array();
    bool ok = true;
    (void)o;
    if (rt_streq(verb, "down")) {
        plan_down(p, list);
        plan_down_head(p, out);
    } else {
        struct yd_run r = {.provider = p};
        ok = yd_complete(p, err);
        if (ok) {
            yd_wants(p, &r);
            ok = plan_up(p, &r, yd_conf_name(p->conf), list, err);
            if (ok)
                plan_head(p, &r, out);
            yd_wants_free(&r);
        }
    }
    if (ok && json_array_size(list))
        rt_yaml_print(out, list);
    else if (ok)
        rt_buf_addf(out, "# nothing of %s is known to live\n", p->conf->name);
    json_decref(list);
    return ok;
}

/* ---- as a person could type it ---- */

static void curl_line(const struct rt_provider *p, const struct yd_call *c, struct rt_buf *out) {
    struct rt_buf call;
    rt_buf_init(&call, 4 * RT_KIB);
    yd_call_text(p->api, c, &call);
    const char *text = rt_buf_str(&call), *blank = strchr(text, ' ');
    char *method = rt_strndup(text, blank ? (size_t)(blank - text) : 0), *body = c->body ? json_dumps(c->body, JSON_COMPACT) : NULL;
    rt_buf_addf(out, "%scurl -X %s -H \"Authorization: yd-key $YD_API_KEY_ID:$YD_API_KEY_SECRET\" ", out->len ? "\n" : "", method);
    if (body) {
        rt_buf_adds(out, "-H 'Content-Type: application/json' -d ");
        rt_shell_word(out, body);
        rt_buf_addc(out, ' ');
    }
    rt_shell_word(out, blank ? blank + 1 : text);
    free(method);
    free(body);
    json_decref(c->body);
    rt_buf_deinit(&call);
}

static void same_down(const struct rt_provider *p, const char *label, struct rt_buf *out) {
    const struct yd_seen *s = p->seen;
    if (!label && yd_work_lives(s))
        curl_line(p, &(struct yd_call){.verb = YD_WORK_CANCEL, .id = s->work->id}, out);
    for (size_t i = 0; s && i < s->nparts; i++) {
        if (s->parts[i].over || (label && !rt_streq(s->parts[i].label, label)))
            continue;
        if (s->parts[i].pool->requirement_id)
            curl_line(p, &(struct yd_call){.verb = YD_TERMINATE, .id = s->parts[i].pool->requirement_id}, out);
        curl_line(p, &(struct yd_call){.verb = YD_POOL_SHUT_DOWN, .id = s->parts[i].pool->id}, out);
    }
}

bool yd_equivalent(struct rt_provider *p, const char *verb, const char *arg, struct rt_buf *out) {
    if (rt_streq(verb, "down")) {
        same_down(p, NULL, out);
    } else if (rt_streq(verb, "remove-pool") && arg) {
        same_down(p, arg, out);
    } else if (rt_streq(verb, "scale") && arg) {
        char *pool = rt_strndup(arg, strcspn(arg, " "));
        const struct yd_part *part = yd_seen_part(p->seen, pool);
        int64_t n = 0;
        if (part && !part->over && rt_parse_i64(arg + strlen(pool) + (arg[strlen(pool)] == ' '), &n))
            curl_line(p, &(struct yd_call){.verb = YD_POOL_RESIZE, .id = part->pool->id, .size = n}, out);
        free(pool);
    }
    return out->len > 0;
}
