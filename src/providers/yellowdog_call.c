/* The platform's calls as a table: method, path, what narrows a list, what comes back. */
#include "providers/yellowdog_call.h"
#include "base/log.h"
#include <stdlib.h>
#include <string.h>

enum kind { NOTHING, ACCOUNT, TEMPLATE, POOL, NODE, INSTANCE, REQUIREMENT, WORK, TASK };

/* In a path %i is the id, %s the namespace, %n the name, %z the size. */
struct row {
    struct yd_route route;
    const char *path;
    const char *named;  /* instead of `path` where there is no id */
    const char *query;  /* of every call */
    const char *narrow; /* letters of what narrows a list: s n t as above, i a parameter of `by` */
    const char *by;
    const char *living; /* statuses of what is not over, with blanks between */
    enum kind kind;
};

#define POOLS_LIVING "PENDING CONFIGURING EMPTY IDLE RUNNING"
#define REQUIREMENTS_LIVING "NEW PROVISIONING STARTING RUNNING STOPPING STOPPED TERMINATING"

static const struct row rows[YD_VERBS] = {
    [YD_ACCOUNT] = {{"GET", false, false}, .path = "/application/", .kind = ACCOUNT},
    [YD_TEMPLATES] = {{"GET", true, false}, .path = "/compute/templates/requirements", .query = "sliced=true", .narrow = "sn", .kind = TEMPLATE},
    [YD_TEMPLATE] = {{"GET", false, false},
                     .path = "/compute/templates/requirements/%i",
                     .named = "/compute/namespaces/%s/templates/requirements/%n",
                     .kind = TEMPLATE},
    [YD_TEMPLATE_TRY] = {{"PUT", false, false}, .path = "/compute/templates/test", .kind = NOTHING},
    [YD_POOL_CREATE] = {{"POST", false, true}, .path = "/workerPools/provisioned/template", .kind = POOL},
    [YD_POOLS] = {{"GET", true, false}, .path = "/workerPools/", .query = "sliced=true", .narrow = "sn", .living = POOLS_LIVING, .kind = POOL},
    [YD_POOL] = {{"GET", false, false}, .path = "/workerPools/%i", .named = "/workerPools/%s/%n", .kind = POOL},
    [YD_POOL_RESIZE] = {{"PUT", false, false}, .path = "/workerPools/provisioned/%i?size=%z", .kind = POOL},
    [YD_POOL_SHUT_DOWN] = {{"DELETE", false, false}, .path = "/workerPools/%i", .kind = NOTHING},
    [YD_NODES] = {{"GET", true, false}, .path = "/workerPools/nodes", .narrow = "i", .by = "workerPoolId", .living = "RUNNING LATE", .kind = NODE},
    [YD_NODE] = {{"GET", false, false}, .path = "/workerPools/nodes/%i", .kind = NODE},
    [YD_NODE_OF_WORKER] = {{"GET", false, false}, .path = "/workerPools/workers/%i/node", .kind = NODE},
    [YD_NODE_SHUT_DOWN] = {{"DELETE", false, false}, .path = "/workerPools/nodes/%i", .kind = NODE},
    [YD_INSTANCES] = {{"GET", true, false}, .path = "/compute/instances", .narrow = "i", .by = "computeRequirementId", .kind = INSTANCE},
    [YD_REQUIREMENTS] = {{"GET", true, false},
                         .path = "/compute/requirements",
                         .query = "summaries=true",
                         .narrow = "snt",
                         .living = REQUIREMENTS_LIVING,
                         .kind = REQUIREMENT},
    [YD_REQUIREMENT] = {{"GET", false, false}, .path = "/compute/requirements/%i", .kind = REQUIREMENT},
    [YD_TERMINATE] = {{"PUT", false, false}, .path = "/compute/requirements/%i/transition/TERMINATED", .kind = REQUIREMENT},
    [YD_WORK_CREATE] = {{"POST", false, true}, .path = "/work/requirements", .kind = WORK},
    [YD_WORK_CHANGE] = {{"PUT", false, true}, .path = "/work/requirements", .kind = WORK},
    [YD_WORKS] = {{"GET", true, false},
                  .path = "/work/requirements",
                  .query = "sliced=true",
                  .narrow = "snt",
                  .living = "RUNNING HELD FINISHING CANCELLING",
                  .kind = WORK},
    [YD_WORK] = {{"GET", false, false}, .path = "/work/requirements/%i", .named = "/work/namespaces/%s/requirements/%n", .kind = WORK},
    [YD_WORK_CANCEL] = {{"PUT", false, false}, .path = "/work/requirements/%i/transition/CANCELLING?abort=True", .kind = WORK},
    [YD_TASKS_ADD] = {{"POST", false, true}, .path = "/work/taskGroups/%i/tasks", .kind = TASK},
    [YD_TASKS] = {{"GET", true, false}, .path = "/work/tasks", .narrow = "ig", .by = "workRequirementId", .kind = TASK},
    [YD_TASK] = {{"GET", false, false}, .path = "/work/tasks/%i", .kind = TASK},
    [YD_TASK_ABORT] = {{"PUT", false, false}, .path = "/work/tasks/%i/cancel?abort=True", .kind = TASK},
};

const struct yd_route *yd_route(enum yd_verb verb) {
    return &rows[verb].route;
}

/* ---- paths ---- */

/* Ids have colons, which a path may hold as they are. */
static void add_escaped(struct rt_buf *b, const char *s) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._~:";
    for (; s && *s; s++)
        if (strchr(plain, *s))
            rt_buf_addc(b, *s);
        else
            rt_buf_addf(b, "%%%02X", (unsigned char)*s);
}

static void add_path(struct rt_buf *b, const char *pattern, const struct yd_call *c) {
    for (; *pattern; pattern++) {
        if (*pattern != '%') {
            rt_buf_addc(b, *pattern);
            continue;
        }
        pattern++;
        if (*pattern == 'z')
            rt_buf_addf(b, "%lld", (long long)c->size);
        else
            add_escaped(b, *pattern == 's' ? c->space : *pattern == 'n' ? c->name : c->id);
    }
}

static void add_param(struct rt_buf *b, const char *key, const char *value) {
    if (!value)
        return;
    rt_buf_addf(b, "%c%s=", strchr(rt_buf_str(b), '?') ? '&' : '?', key);
    add_escaped(b, value);
}

static void add_statuses(struct rt_buf *b, const char *living) {
    while (living && *living) {
        const size_t n = strcspn(living, " ");
        char *word = rt_strndup(living, n);
        add_param(b, "statuses", word);
        free(word);
        living += n + (living[n] == ' ');
    }
}

char *yd_route_path(const struct yd_call *c) {
    const struct row *row = &rows[c->verb];
    struct rt_buf b;
    rt_buf_init(&b, RT_MIB);
    const char *slash = c->verb == YD_TEMPLATE && c->id ? strchr(c->id, '/') : NULL;
    if (slash) { /* a template by its name; elsewhere an id has no slash */
        char *space = rt_strndup(c->id, (size_t)(slash - c->id));
        add_path(&b, row->named, &(struct yd_call){.space = space, .name = slash + 1});
        free(space);
    } else {
        add_path(&b, row->named && !c->id ? row->named : row->path, c);
    }
    if (row->query)
        rt_buf_addf(&b, "?%s", row->query);
    for (const char *n = row->narrow; n && *n; n++)
        switch (*n) {
        case 's':
            add_param(&b, "namespaces", c->space);
            break;
        case 'n':
            add_param(&b, "name", c->name);
            break;
        case 't':
            add_param(&b, "tag", c->tag);
            break;
        case 'g':
            add_param(&b, "taskGroupId", c->name);
            break;
        default:
            add_param(&b, row->by, c->id);
        }
    if (c->living)
        add_statuses(&b, row->living);
    return rt_buf_take(&b);
}

/* ---- results ---- */

typedef bool decode_fn(const json_t *v, void *out, struct rt_arena *a, struct rt_error *err);

#define DECODER(kind)                                                                                                                 \
    static bool decode_##kind(const json_t *v, void *out, struct rt_arena *a, struct rt_error *err) {                                  \
        return yd_decode_##kind(v, out, a, err);                                                                                       \
    }
DECODER(account)
DECODER(template)
DECODER(pool)
DECODER(node)
DECODER(instance)
DECODER(requirement)
DECODER(work)
DECODER(task)

static const struct {
    size_t size;
    decode_fn *decode;
} kinds[] = {
    [NOTHING] = {0, NULL},
    [ACCOUNT] = {sizeof(struct yd_account), decode_account},
    [TEMPLATE] = {sizeof(struct yd_template), decode_template},
    [POOL] = {sizeof(struct yd_pool), decode_pool},
    [NODE] = {sizeof(struct yd_node), decode_node},
    [INSTANCE] = {sizeof(struct yd_instance), decode_instance},
    [REQUIREMENT] = {sizeof(struct yd_requirement), decode_requirement},
    [WORK] = {sizeof(struct yd_work), decode_work},
    [TASK] = {sizeof(struct yd_task), decode_task},
};

struct yd_result *yd_result_new(void) {
    struct yd_result *r = RT_NEW(struct yd_result);
    r->arena = rt_arena_create();
    return r;
}

void yd_result_free(struct yd_result *r) {
    if (!r)
        return;
    free(r->objects);
    json_decref(r->json);
    rt_arena_destroy(r->arena);
    free(r);
}

static bool add_one(struct yd_result *r, enum kind kind, const json_t *v, struct rt_error *err) {
    const size_t size = kinds[kind].size;
    if (!r->n || !(r->n & (r->n - 1))) /* full at every power of two */
        r->objects = rt_realloc(r->objects, RT_MAX(r->n * 2, (size_t)1) * size);
    if (!kinds[kind].decode(v, (char *)r->objects + r->n * size, r->arena, err))
        return false;
    r->n++;
    return true;
}

bool yd_result_add(struct yd_result *r, enum yd_verb verb, json_t *answer, char **next, struct rt_error *err) {
    const enum kind kind = rows[verb].kind;
    const json_t *items = json_is_array(answer) ? answer : rows[verb].route.list ? json_object_get(answer, "items") : NULL, *v = NULL;
    size_t i = 0;
    *next = NULL;
    if (kind == NOTHING)
        return true;
    if (!items && !rows[verb].route.list) {
        if (!add_one(r, kind, answer, err))
            return false;
        if (kind == WORK)
            r->json = json_incref(answer);
        return true;
    }
    if (!json_is_array(answer) && !json_is_object(answer))
        return rt_error_set(err, RT_E_PROTOCOL, "the answer is no list");
    json_array_foreach(items, i, v) {
        if (!add_one(r, kind, v, err)) {
            rt_log(RT_LOG_WARN, "yellowdog: left out of a list: %s", err->message);
            rt_error_clear(err);
        }
    }
    if (json_array_size(items))
        *next = rt_strdup(rt_json_str(answer, "nextSliceId"));
    return true;
}

/* ---- refusals ---- */

static enum rt_code code_of(int status) {
    switch (status) {
    case 401:
    case 403:
        return RT_E_DENIED;
    case 404:
        return RT_E_NOT_FOUND;
    case 409:
        return RT_E_CONFLICT;
    case 429:
        return RT_E_BUSY;
    default:
        return status >= 400 && status < 500 ? RT_E_USAGE : RT_E_REMOTE;
    }
}

static void hint_for(int status, struct rt_error *err) {
    if (status == 401)
        rt_error_hint(err, "are the key's id and secret right, and for this platform (api_url)?");
    else if (status == 403)
        rt_error_hint(err, "the application of this key lacks a permission: its groups and roles are set on the platform");
    else if (status == 429)
        rt_error_hint(err, "the platform wants fewer calls: try again in a while");
}

void yd_refused(int status, const json_t *json, const char *body, const char *what, struct yd_failure *out) {
    const char *message = rt_json_str(json, "message"), *type = rt_json_str(json, "errorType");
    const json_t *detail = json_object_get(json, "detail"), *line = NULL;
    char clean[500];
    size_t i = 0;
    struct rt_buf text;
    out->status = status;
    rt_clean_to(out->type, sizeof out->type, type ? type : "");
    rt_buf_init(&text, 4 * RT_KIB);
    if (message)
        rt_buf_adds(&text, rt_clean_to(clean, sizeof clean, message));
    json_array_foreach(detail, i, line) {
        if (json_is_string(line))
            rt_buf_addf(&text, "%s%s", text.len ? "; " : "", rt_clean_to(clean, sizeof clean, json_string_value(line)));
    }
    if (!text.len)
        rt_buf_adds(&text, *out->type ? out->type : rt_clean_to(clean, sizeof clean, body ? body : ""));
    rt_log_mask(&text);
    rt_error_set(&out->error, code_of(status), "%s: %d%s%s", what, status, text.len ? ": " : "", rt_buf_str(&text));
    hint_for(status, &out->error);
    rt_buf_deinit(&text);
}

bool yd_failure_too_late(const struct yd_failure *f) {
    return f && rt_starts(f->type, "Invalid") && rt_ends(f->type, "StatusException");
}
