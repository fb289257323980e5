/* From a name to a process, from its profile to a file. */
#include "app/profile.h"

#include "app/session.h"
#include "base/fs.h"
#include "base/str.h"
#include "ray/profile.h"
#include <stdlib.h>
#include <string.h>

void rt_profile_target_deinit(struct rt_profile_target *t) {
    free(t->cluster);
    free(t->title);
    free(t->node);
    free(t->ip);
    free(t->task);
    *t = (struct rt_profile_target){0};
}

/* ---- which process ---- */

/* One candidate; several that begin alike are none. */
struct found {
    const char *kind, *name, *node, *task;
    int64_t pid, attempt;
    size_t n;
    bool whole;
};

static void consider(struct found *f, const char *text, const char *id, const char *other, struct found this) {
    const bool whole = rt_streq(id, text) || rt_streq(other, text);
    if (!whole && (f->whole || !id || strlen(text) < 4 || !rt_starts(id, text)))
        return;
    const size_t n = f->whole == whole ? f->n + 1 : 1;
    *f = this;
    f->n = n;
    f->whole = whole;
}

static void look_at_actors(struct found *f, const struct rt_cluster *c, const char *text) {
    for (size_t i = 0; i < c->actors.n; i++) {
        const struct rt_actor *x = &c->actors.v[i];
        consider(f, text, x->id, x->name,
                 (struct found){.kind = "actor", .name = x->class_name, .node = x->node_id, .pid = x->pid});
    }
}

static void look_at_tasks(struct found *f, const struct rt_cluster *c, const char *text) {
    const struct rt_rows *l = &c->lists[RT_T_TASKS];
    for (size_t i = 0; i < l->n; i++) {
        const struct rt_task *x = &((const struct rt_task *)l->v)[i];
        consider(f, text, x->id, NULL,
                 (struct found){.kind = "task", .name = x->name, .node = x->node_id, .pid = x->pid, .task = x->id,
                                .attempt = RT_MAX(x->attempt, 0)});
    }
}

static void look_at_workers(struct found *f, const struct rt_cluster *c, const char *text) {
    const struct rt_rows *l = &c->lists[RT_T_WORKERS];
    char pid[24];
    for (size_t i = 0; i < l->n; i++) {
        const struct rt_worker *x = &((const struct rt_worker *)l->v)[i];
        snprintf(pid, sizeof pid, "%lld", (long long)x->pid);
        if (x->alive || rt_streq(x->id, text))
            consider(f, text, x->id, pid, (struct found){.kind = "worker", .node = x->node_id, .pid = x->pid});
    }
}

static bool process_of_node(const struct rt_cluster *c, const char *text, struct found *f, struct rt_error *err) {
    const char *slash = strrchr(text, '/');
    int64_t pid = 0;
    if (!slash || !rt_parse_i64(slash + 1, &pid) || pid <= 0)
        return false;
    char *name = rt_strndup(text, (size_t)(slash - text));
    const struct rt_node *n = rt_find_node(c, name, err);
    free(name);
    if (n)
        *f = (struct found){.kind = "process", .node = n->id, .pid = pid, .n = 1};
    return true;
}

static bool settle(const struct rt_cluster *c, const struct found *f, const char *text, struct rt_profile_target *out,
                   struct rt_error *err) {
    if (!f->n) {
        rt_error_set(err, RT_E_NOT_FOUND, "%s: no actor, task or worker %s", c->name, text);
        return rt_error_hint(err, "an id, an actor's name, a worker's PID or NODE/PID; `actors`, `tasks` and `workers` list them");
    }
    if (f->n > 1) {
        rt_error_set(err, RT_E_USAGE, "%s: %zu things are called or begin with %s", c->name, f->n, text);
        return rt_error_hint(err, "write more of the id, or NODE/PID");
    }
    if (!f->node || !*f->node || f->pid <= 0) {
        rt_error_set(err, RT_E_CONFLICT, "the %s has no process: it was not placed yet, or it ended", f->kind);
        return rt_error_hint(err, "`why` tells what it waits for");
    }
    const struct rt_node *n = rt_store_node(c, f->node);
    const char *where = n && n->hostname ? n->hostname : n && n->ip ? n->ip : f->node;
    char name[120];
    rt_clean_to(name, sizeof name, f->name ? f->name : "");
    *out = (struct rt_profile_target){
        .cluster = rt_strdup(c->name),
        .title = rt_streq(f->kind, "process") ? rt_strf("process %lld on %.60s", (long long)f->pid, where)
                                              : rt_strf("%s %s%sprocess %lld on %.60s", f->kind, name, *name ? ", " : "",
                                                        (long long)f->pid, where),
        .node = rt_strdup(f->node),
        .ip = n ? rt_strdup(n->ip) : NULL,
        .task = rt_strdup(f->task),
        .pid = f->pid,
        .attempt = f->attempt,
    };
    return true;
}

bool rt_app_profile_find(struct rt_app *a, const char *cluster, const char *thing, struct rt_profile_target *out,
                         struct rt_error *err) {
    const struct rt_cluster *c = rt_store_cluster(a->store, cluster);
    struct found f = {0};
    *out = (struct rt_profile_target){0};
    if (!c)
        return rt_error_set(err, RT_E_NOT_FOUND, "no cluster %s", cluster);
    if (process_of_node(c, thing, &f, err)) {
        if (err->code)
            return false;
    } else {
        look_at_actors(&f, c, thing);
        look_at_tasks(&f, c, thing);
        look_at_workers(&f, c, thing);
    }
    return settle(c, &f, thing, out, err);
}

/* ---- measuring ---- */

static bool one_of(const char *word, const char *const *words) {
    for (; *words; words++)
        if (rt_streq(*words, word))
            return true;
    return false;
}

bool rt_profile_ask_check(struct rt_profile_ask *q, struct rt_error *err) {
    static const char *const cpu[] = {"raw", "flamegraph", "speedscope", NULL}, *const memory[] = {"flamegraph", "table", NULL};
    if (q->kind == RT_PROFILE_STACK)
        return true;
    const bool is_memory = q->kind == RT_PROFILE_MEMORY;
    if (!q->duration_s)
        q->duration_s = is_memory ? 10 : 5;
    if (!q->format)
        q->format = is_memory ? "flamegraph" : "raw";
    if (q->duration_s < 1 || q->duration_s > RT_PROFILE_MAX_S)
        return rt_error_set(err, RT_E_USAGE, "a profile takes 1 to %d seconds", RT_PROFILE_MAX_S);
    if (!one_of(q->format, is_memory ? memory : cpu)) {
        rt_error_set(err, RT_E_USAGE, "--format %s: unknown form", q->format);
        return rt_error_hint(err, "%s", is_memory ? "flamegraph or table" : "raw, flamegraph or speedscope");
    }
    return true;
}

struct rt_op *rt_app_profile(struct rt_app *a, const struct rt_profile_target *t, const struct rt_profile_ask *q, rt_profile_fn *fn,
                             void *ctx, struct rt_error *err) {
    struct session *s = session_get(a, t->cluster, err);
    struct rt_ray *ray = s ? session_ray(s, err) : NULL;
    const struct rt_profile p = {.kind = q->kind, .node_id = t->node, .node_ip = t->ip, .pid = t->pid, .task_id = t->task,
                                 .attempt = t->attempt, .duration_s = q->duration_s, .format = q->format, .native = q->native};
    return ray ? rt_ray_profile(ray, &p, fn, ctx) : NULL;
}

/* ---- the file ---- */

static const char *ending(const struct rt_profile_ask *q) {
    if (q->kind == RT_PROFILE_MEMORY)
        return "html";
    return rt_streq(q->format, "flamegraph") ? "svg" : rt_streq(q->format, "speedscope") ? "json" : "txt";
}

const char *rt_profile_opens_with(const struct rt_profile_ask *q) {
    if (q->kind == RT_PROFILE_MEMORY || rt_streq(q->format, "flamegraph"))
        return "a browser";
    return rt_streq(q->format, "speedscope") ? "speedscope" : "flamegraph.pl, inferno or speedscope: collapsed stacks";
}

char *rt_profile_save(const struct rt_profile_target *t, const struct rt_profile_ask *q, const char *path, const char *data, size_t n,
                      struct rt_error *err) {
    static const char *const kinds[] = {[RT_PROFILE_STACK] = "stack", [RT_PROFILE_CPU] = "cpu", [RT_PROFILE_MEMORY] = "memory"};
    char *to = path ? rt_path_expand(path)
                    : rt_strf("raytui-%s-%lld-%lld.%s", kinds[q->kind], (long long)t->pid, (long long)(rt_wall_ms() / 1000),
                              q->kind == RT_PROFILE_STACK ? "txt" : ending(q));
    if (rt_file_write(to, data, n, err))
        return to;
    free(to);
    return NULL;
}
