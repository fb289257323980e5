/* What is read off the platform's answers. Fields without a value are left out there, unknown ones pass. */
#include "providers/yellowdog_api.h"
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

/* ---- times ---- */

int64_t yd_time_ms(const char *s) {
    int y = 0, mo = 0, d = 0, h = 0, mi = 0, sec = 0, at = 0, ms = 0;
    if (!s || sscanf(s, "%4d-%2d-%2dT%2d:%2d:%2d%n", &y, &mo, &d, &h, &mi, &sec, &at) != 6)
        return 0;
    if (s[at] == '.')
        for (int i = 1, unit = 100; s[at + i] >= '0' && s[at + i] <= '9'; i++, unit /= 10)
            ms += (s[at + i] - '0') * unit;
    struct tm tm = {.tm_year = y - 1900, .tm_mon = mo - 1, .tm_mday = d, .tm_hour = h, .tm_min = mi, .tm_sec = sec};
    return (int64_t)timegm(&tm) * 1000 + ms;
}

/* One number and its letter, "4H"; false: there is none here. */
static bool part(const char **s, double *value, char *unit) {
    static const char digits[] = "0123456789.";
    const size_t n = strspn(*s, digits);
    char text[32];
    if (!n || n >= sizeof text)
        return false;
    memcpy(text, *s, n);
    text[n] = '\0';
    *unit = (*s)[n];
    *s += n + 1; /* the letter; at the end of the text the caller finds no unit and reads no further */
    return *unit && rt_parse_f64(text, value);
}

int64_t yd_duration_ms(const char *s) {
    double total_ms = 0, value = 0;
    bool time = false, any = false;
    char unit = 0;
    if (!s || *s++ != 'P')
        return -1;
    while (*s) {
        if (*s == 'T' && !time) {
            time = true;
            s++;
            continue;
        }
        if (!part(&s, &value, &unit))
            return -1;
        const double ms = !time ? (unit == 'D' ? 86400e3 : unit == 'W' ? 604800e3 : 0)
                                : (unit == 'H' ? 3600e3 : unit == 'M' ? 60e3 : unit == 'S' ? 1e3 : 0);
        if (ms == 0)
            return -1;
        total_ms += value * ms;
        any = true;
    }
    return any && total_ms < 9e15 ? llround(total_ms) : -1;
}

/* ---- pieces ---- */

static int64_t time_at(const json_t *v, const char *path) {
    return yd_time_ms(rt_json_str(v, path));
}

static struct yd_words words(const json_t *list, struct rt_arena *a) {
    struct yd_words w = {0};
    const size_t n = json_array_size(list);
    if (n)
        w.v = rt_arena_alloc(a, n * sizeof *w.v);
    for (size_t i = 0; i < n; i++) {
        const char *word = json_string_value(json_array_get(list, i));
        if (word)
            w.v[w.n++] = rt_arena_strdup(a, word);
    }
    return w;
}

bool yd_words_have(const struct yd_words *w, const char *word) {
    for (size_t i = 0; i < w->n; i++)
        if (rt_streq(w->v[i], word))
            return true;
    return false;
}

static int64_t sum(const struct rt_resources *counts) {
    double n = 0;
    for (size_t i = 0; i < counts->n; i++)
        n += counts->v[i].amount;
    return n > 0 && n < 1e15 ? (int64_t)n : 0;
}

/* ---- account and templates ---- */

bool yd_decode_account(const json_t *v, struct yd_account *out, struct rt_arena *a, struct rt_error *err) {
    static const struct rt_field fields[] = {
        RT_FIELD(struct yd_account, account, "accountName", RT_F_STR),
        RT_FIELD(struct yd_account, application, "name", RT_F_STR),
        RT_FIELD(struct yd_account, all_spaces, "allNamespacesReadable", RT_F_BOOL),
        {0},
    };
    *out = (struct yd_account){0};
    if (!rt_decode(v, fields, out, a, err))
        return rt_error_wrap(err, "account");
    out->spaces = words(json_object_get(v, "readableNamespaces"), a);
    return true;
}

bool yd_decode_template(const json_t *v, struct yd_template *out, struct rt_arena *a, struct rt_error *err) {
    static const struct rt_field fields[] = {
        RT_FIELD(struct yd_template, id, "id", RT_F_STR, .required = true),
        RT_FIELD(struct yd_template, name, "name", RT_F_STR),
        RT_FIELD(struct yd_template, space, "namespace", RT_F_STR),
        RT_FIELD(struct yd_template, description, "description", RT_F_STR),
        {0},
    };
    *out = (struct yd_template){0};
    return rt_decode(v, fields, out, a, err) || rt_error_wrap(err, "template");
}

/* ---- worker pools ---- */

static int64_t idle_ms(const json_t *v) {
    return json_is_true(json_object_get(v, "enabled")) ? yd_duration_ms(rt_json_str(v, "timeout")) : -1;
}

bool yd_decode_pool(const json_t *v, struct yd_pool *out, struct rt_arena *a, struct rt_error *err) {
    static const char *const states[] = {"", "PENDING", "CONFIGURING", "EMPTY", "IDLE", "RUNNING", "SHUTDOWN", "TERMINATED", NULL};
    static const struct rt_field properties[] = {
        RT_FIELD(struct yd_pool, min_nodes, "minNodes", RT_F_I64, .absent = -1),
        RT_FIELD(struct yd_pool, max_nodes, "maxNodes", RT_F_I64, .absent = -1),
        RT_FIELD(struct yd_pool, worker_tag, "workerTag", RT_F_STR),
        {0},
    };
    static const struct rt_field summary[] = {
        RT_FIELD(struct yd_pool, claimed, "claimedWorkerCount", RT_F_I64, .absent = -1),
        {0},
    };
    static const struct rt_field fields[] = {
        RT_FIELD(struct yd_pool, id, "id", RT_F_STR, .required = true),
        RT_FIELD(struct yd_pool, name, "name", RT_F_STR),
        RT_FIELD(struct yd_pool, space, "namespace", RT_F_STR),
        RT_FIELD(struct yd_pool, status, "status", RT_F_STR),
        RT_FIELD(struct yd_pool, state, "status", RT_F_ENUM, .names = states),
        RT_FIELD(struct yd_pool, nodes, "registeredNodeCount", RT_F_I64, .absent = -1),
        {.key = "workerSummary", .type = RT_F_OBJ, .sub = summary},
        RT_FIELD(struct yd_pool, requirement_id, "computeRequirementId", RT_F_STR),
        RT_FIELD(struct yd_pool, expected, "expectedNodeCount", RT_F_I64, .absent = -1),
        RT_FIELD(struct yd_pool, awaiting, "awaitingNodes", RT_F_BOOL),
        {.key = "properties", .type = RT_F_OBJ, .sub = properties},
        {0},
    };
    *out = (struct yd_pool){0};
    if (!rt_decode(v, fields, out, a, err))
        return rt_error_wrap(err, "worker pool");
    const json_t *claimed = json_object_get(v, "claimedWorkerCount"); /* where a list has it */
    if (json_is_integer(claimed))
        out->claimed = json_integer_value(claimed);
    const json_t *counts = rt_json_at(v, "nodeSummary.statusCounts");
    if (json_is_object(counts)) {
        const json_t *running = json_object_get(counts, "RUNNING"), *late = json_object_get(counts, "LATE");
        out->nodes = (json_is_integer(running) ? json_integer_value(running) : 0) + (json_is_integer(late) ? json_integer_value(late) : 0);
    }
    out->idle_node_ms = idle_ms(rt_json_at(v, "properties.idleNodeShutdown"));
    out->idle_pool_ms = idle_ms(rt_json_at(v, "properties.idlePoolShutdown"));
    out->created_ms = time_at(v, "createdTime");
    return true;
}

/* ---- nodes, instances, compute requirements ---- */

static void decode_workers(const json_t *list, struct yd_node *out, struct rt_arena *a) {
    const size_t n = json_array_size(list);
    if (!n)
        return;
    out->workers = rt_arena_alloc(a, n * sizeof *out->workers);
    for (size_t i = 0; i < n; i++) {
        const json_t *w = json_array_get(list, i);
        const char *id = rt_json_str(w, "id");
        if (id)
            out->workers[out->nworkers++] = (struct yd_worker){
                rt_arena_strdup(a, id), rt_arena_strdup(a, rt_json_str(w, "status")), rt_arena_strdup(a, rt_json_str(w, "taskGroupId"))};
    }
}

bool yd_decode_node(const json_t *v, struct yd_node *out, struct rt_arena *a, struct rt_error *err) {
    static const char *const states[] = {"", "RUNNING", "LATE", "LOST", "DEREGISTERED", "TERMINATED", NULL};
    static const struct rt_field details[] = {
        RT_FIELD(struct yd_node, instance_id, "instanceId", RT_F_STR),
        RT_FIELD(struct yd_node, hostname, "hostname", RT_F_STR),
        RT_FIELD(struct yd_node, private_ip, "privateIpAddress", RT_F_STR),
        RT_FIELD(struct yd_node, public_ip, "publicIpAddress", RT_F_STR),
        RT_FIELD(struct yd_node, instance_type, "instanceType", RT_F_STR),
        RT_FIELD(struct yd_node, region, "region", RT_F_STR),
        RT_FIELD(struct yd_node, provider, "provider", RT_F_STR),
        RT_FIELD(struct yd_node, worker_tag, "workerTag", RT_F_STR),
        RT_FIELD(struct yd_node, vcpus, "vcpus", RT_F_I64, .absent = -1),
        RT_FIELD(struct yd_node, ram_gb, "ram", RT_F_F64, .absent = -1),
        RT_FIELD(struct yd_node, spot, "spot", RT_F_BOOL),
        {0},
    };
    static const struct rt_field fields[] = {
        RT_FIELD(struct yd_node, id, "id", RT_F_STR, .required = true),
        RT_FIELD(struct yd_node, pool_id, "workerPoolId", RT_F_STR),
        RT_FIELD(struct yd_node, status, "status", RT_F_STR),
        RT_FIELD(struct yd_node, state, "status", RT_F_ENUM, .names = states),
        {.key = "details", .type = RT_F_OBJ, .sub = details},
        {0},
    };
    *out = (struct yd_node){0};
    if (!rt_decode(v, fields, out, a, err))
        return rt_error_wrap(err, "node");
    out->task_types = words(rt_json_at(v, "details.supportedTaskTypes"), a);
    decode_workers(json_object_get(v, "workers"), out, a);
    out->registered_ms = time_at(v, "registeredTime");
    return true;
}

bool yd_decode_instance(const json_t *v, struct yd_instance *out, struct rt_arena *a, struct rt_error *err) {
    static const char *const states[] = {"",           "PENDING",    "RUNNING",     "STOPPING", "STOPPED",
                                         "TERMINATING", "TERMINATED", "UNAVAILABLE", NULL};
    static const struct rt_field ids[] = {
        RT_FIELD(struct yd_instance, id, "instanceId", RT_F_STR, .required = true),
        RT_FIELD(struct yd_instance, source_id, "sourceId", RT_F_STR),
        {0},
    };
    static const struct rt_field fields[] = {
        {.key = "id", .type = RT_F_OBJ, .sub = ids, .required = true},
        RT_FIELD(struct yd_instance, status, "status", RT_F_STR),
        RT_FIELD(struct yd_instance, state, "status", RT_F_ENUM, .names = states),
        RT_FIELD(struct yd_instance, private_ip, "privateIpAddress", RT_F_STR),
        RT_FIELD(struct yd_instance, public_ip, "publicIpAddress", RT_F_STR),
        RT_FIELD(struct yd_instance, hostname, "hostname", RT_F_STR),
        RT_FIELD(struct yd_instance, instance_type, "instanceType", RT_F_STR),
        RT_FIELD(struct yd_instance, region, "region", RT_F_STR),
        RT_FIELD(struct yd_instance, spot, "spot", RT_F_BOOL),
        {0},
    };
    *out = (struct yd_instance){0};
    return rt_decode(v, fields, out, a, err) || rt_error_wrap(err, "instance");
}

/* The first source that cannot give what it is asked for. */
static const char *trouble(const json_t *v, struct rt_arena *a) {
    const json_t *sources = rt_json_at(v, "provisionStrategy.sources"), *s = NULL;
    char name[80], text[240];
    size_t i = 0;
    json_array_foreach(sources, i, s) {
        const bool exhausted = rt_json_str(s, "exhaustion.status");
        if (!rt_streq(rt_json_str(s, "status"), "ERRORED") && !exhausted)
            continue;
        const char *called = rt_json_str(s, "name"), *message = rt_json_str(s, "statusMessage");
        return rt_arena_strf(a, "%s: %s", rt_clean_to(name, sizeof name, called ? called : "a source"),
                             rt_clean_to(text, sizeof text, message ? message : exhausted ? "its allowance is used up" : "it failed"));
    }
    return NULL;
}

bool yd_decode_requirement(const json_t *v, struct yd_requirement *out, struct rt_arena *a, struct rt_error *err) {
    static const char *const states[] = {"",         "NEW",     "PROVISIONING", "STARTING",   "RUNNING",
                                         "STOPPING", "STOPPED", "TERMINATING",  "TERMINATED", NULL};
    static const struct rt_field fields[] = {
        RT_FIELD(struct yd_requirement, id, "id", RT_F_STR, .required = true),
        RT_FIELD(struct yd_requirement, name, "name", RT_F_STR),
        RT_FIELD(struct yd_requirement, space, "namespace", RT_F_STR),
        RT_FIELD(struct yd_requirement, tag, "tag", RT_F_STR),
        RT_FIELD(struct yd_requirement, status, "status", RT_F_STR),
        RT_FIELD(struct yd_requirement, state, "status", RT_F_ENUM, .names = states),
        RT_FIELD(struct yd_requirement, target, "targetInstanceCount", RT_F_I64, .absent = -1),
        RT_FIELD(struct yd_requirement, expected, "expectedInstanceCount", RT_F_I64, .absent = -1),
        RT_FIELD(struct yd_requirement, alive, "aliveInstanceCount", RT_F_I64, .absent = -1),
        {0},
    };
    *out = (struct yd_requirement){0};
    if (!rt_decode(v, fields, out, a, err))
        return rt_error_wrap(err, "compute requirement");
    out->created_ms = time_at(v, "createdTime");
    out->trouble = trouble(v, a);
    return true;
}

/* ---- work ---- */

static const char *const work_states[] = {"",         "PENDING",    "RUNNING",   "HELD",   "FINISHING", "FAILING",
                                          "CANCELLING", "COMPLETED", "FAILED", "CANCELLED", NULL};

static bool decode_group(const json_t *v, struct yd_group *out, struct rt_arena *a, struct rt_error *err) {
    static const struct rt_field summary[] = {
        RT_FIELD(struct yd_group, counts, "statusCounts", RT_F_RES),
        RT_FIELD(struct yd_group, tasks, "taskCount", RT_F_I64, .absent = -1),
        {0},
    };
    static const struct rt_field fields[] = {
        RT_FIELD(struct yd_group, id, "id", RT_F_STR, .required = true),
        RT_FIELD(struct yd_group, name, "name", RT_F_STR),
        RT_FIELD(struct yd_group, tag, "tag", RT_F_STR),
        RT_FIELD(struct yd_group, status, "status", RT_F_STR),
        RT_FIELD(struct yd_group, state, "status", RT_F_ENUM, .names = work_states),
        {.key = "taskSummary", .type = RT_F_OBJ, .sub = summary},
        {0},
    };
    *out = (struct yd_group){0};
    if (!rt_decode(v, fields, out, a, err))
        return rt_error_wrap(err, "task group");
    if (out->tasks < 0)
        out->tasks = sum(&out->counts);
    out->worker_tags = words(rt_json_at(v, "runSpecification.workerTags"), a);
    out->timeout_ms = yd_duration_ms(rt_json_str(v, "runSpecification.taskTimeout"));
    return true;
}

bool yd_decode_work(const json_t *v, struct yd_work *out, struct rt_arena *a, struct rt_error *err) {
    static const struct rt_field fields[] = {
        RT_FIELD(struct yd_work, id, "id", RT_F_STR, .required = true),
        RT_FIELD(struct yd_work, name, "name", RT_F_STR),
        RT_FIELD(struct yd_work, space, "namespace", RT_F_STR),
        RT_FIELD(struct yd_work, tag, "tag", RT_F_STR),
        RT_FIELD(struct yd_work, status, "status", RT_F_STR),
        RT_FIELD(struct yd_work, state, "status", RT_F_ENUM, .names = work_states),
        {0},
    };
    *out = (struct yd_work){0};
    if (!rt_decode(v, fields, out, a, err))
        return rt_error_wrap(err, "work requirement");
    const json_t *groups = json_object_get(v, "taskGroups");
    const size_t n = json_array_size(groups);
    if (n)
        out->groups = rt_arena_alloc(a, n * sizeof *out->groups);
    for (size_t i = 0; i < n; i++)
        if (!decode_group(json_array_get(groups, i), &out->groups[out->ngroups++], a, err))
            return rt_error_wrap(err, "work requirement");
    out->created_ms = time_at(v, "createdTime");
    return true;
}

const struct yd_group *yd_work_group(const struct yd_work *w, const char *name) {
    for (size_t i = 0; i < w->ngroups; i++)
        if (rt_streq(w->groups[i].name, name))
            return &w->groups[i];
    return NULL;
}

static void decode_errors(const json_t *list, struct yd_task *out, struct rt_arena *a) {
    const size_t n = json_array_size(list);
    if (!n)
        return;
    out->errors = rt_arena_alloc(a, n * sizeof *out->errors);
    for (size_t i = 0; i < n; i++) {
        const json_t *e = json_array_get(list, i), *code = rt_json_at(e, "processExitCode");
        out->errors[out->nerrors++] = (struct yd_task_error){
            .type = rt_arena_strdup(a, rt_json_str(e, "errorType")),
            .text = rt_arena_strdup(a, rt_json_str(e, "error")),
            .exit_code = json_is_integer(code) ? json_integer_value(code) : -1,
            .at_ms = time_at(e, "timestamp"),
        };
    }
}

bool yd_decode_task(const json_t *v, struct yd_task *out, struct rt_arena *a, struct rt_error *err) {
    static const char *const states[] = {"",          "PENDING", "READY",   "ALLOCATED", "DOWNLOADING", "EXECUTING",   "UPLOADING",
                                         "COMPLETED", "FAILED",  "ABORTED", "CANCELLED", "DISCARDED",   "RESUBMITTED", NULL};
    static const struct rt_field fields[] = {
        RT_FIELD(struct yd_task, id, "id", RT_F_STR, .required = true),
        RT_FIELD(struct yd_task, name, "name", RT_F_STR),
        RT_FIELD(struct yd_task, group_id, "taskGroupId", RT_F_STR),
        RT_FIELD(struct yd_task, status, "status", RT_F_STR),
        RT_FIELD(struct yd_task, state, "status", RT_F_ENUM, .names = states),
        RT_FIELD(struct yd_task, worker_id, "workerId", RT_F_STR),
        RT_FIELD(struct yd_task, node_id, "nodeId", RT_F_STR),
        {0},
    };
    *out = (struct yd_task){0};
    if (!rt_decode(v, fields, out, a, err))
        return rt_error_wrap(err, "task");
    out->changed_ms = time_at(v, "statusChangedTime");
    out->started_ms = time_at(v, "startedTime");
    out->finished_ms = time_at(v, "finishedTime");
    out->timeout_ms = yd_duration_ms(rt_json_str(v, "timeout"));
    out->aborting = rt_json_str(v, "abortRequestedTime");
    decode_errors(json_object_get(v, "errors"), out, a);
    return true;
}

char *yd_task_why(const struct yd_task *t, char *out, size_t size) {
    static const struct {
        const char *type, *words;
    } known[] = {
        {"ALLOCATION_LOST", "its node went away"},
        {"TIMED_OUT", "it ran for longer than its lifetime"},
        {"UNABLE_START_PROCESS", "its script could not be started"},
        {"UNABLE_WRITE_TASK_DATA", "its script could not be written on the node"},
        {"RESOURCE_REQUEST_FAILED", "the platform could not give it what it needs"},
    };
    if (size)
        *out = '\0';
    if (!t->nerrors)
        return out;
    const struct yd_task_error *e = &t->errors[t->nerrors - 1];
    const char *type = e->type ? e->type : "UNKNOWN_ERROR", *words = NULL;
    char line[400], text[300];
    for (size_t i = 0; i < RT_COUNT(known) && !words; i++)
        if (rt_streq(known[i].type, type))
            words = known[i].words;
    if (e->exit_code >= 0)
        snprintf(line, sizeof line, "exit %lld (%s)", (long long)e->exit_code, type);
    else if (words)
        snprintf(line, sizeof line, "%s (%s)", words, type);
    else
        snprintf(line, sizeof line, "%s%s%.250s", type, e->text ? ": " : "", e->text ? rt_clean_to(text, sizeof text, e->text) : "");
    return rt_clean_to(out, size, line);
}
