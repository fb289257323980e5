/* What is sent to the platform: names, and bodies of the requests that make something. */
#include "providers/yellowdog_api.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    NAME_MAX_LEN = 60,
    IDLE_MS = 3 * 60 * 1000,
};
static const char task_type[] = "bash";
static const char task_file[] = "taskdata.txt"; /* where the agent puts a task's script */

/* ---- names ---- */

static bool alnum(char c) {
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool yd_name_ok(const char *name, const char *what, struct rt_error *err) {
    char shown[80];
    const size_t n = name ? strlen(name) : 0;
    if (!n)
        return rt_error_set(err, RT_E_CONFIG, "%s has no name", what);
    bool ok = name[0] >= 'a' && name[0] <= 'z' && alnum(name[n - 1]);
    for (size_t i = 0; i < n; i++)
        ok = ok && (alnum(name[i]) || name[i] == '-' || name[i] == '_');
    rt_clean_to(shown, sizeof shown, name);
    if (ok && n <= NAME_MAX_LEN)
        return true;
    if (ok)
        rt_error_set(err, RT_E_CONFIG, "%s \"%s\" is too long for the platform: %zu characters of at most %d", what, shown, n, NAME_MAX_LEN);
    else
        rt_error_set(err, RT_E_CONFIG, "%s \"%s\" is no name that the platform takes", what, shown);
    return rt_error_hint(err, "lower case letters, digits, '-' and '_', begun by a letter, ended by a letter or digit");
}

char *yd_name_head(const char *cluster) {
    return rt_strf("%s-00-head", cluster);
}

char *yd_name_workers(const char *cluster, unsigned k) {
    return rt_strf("%s-%02u-wrkrs", cluster, k);
}

char *yd_name_observability(const char *cluster) {
    return rt_strf("%s-observability", cluster);
}

char *yd_tag_observability(const char *cluster) {
    return rt_strf("%s-observability-00", cluster);
}

char *yd_group_workers(unsigned k) {
    return rt_strf("worker-nodes-%02u", k);
}

/* Digits only, of a number that fits; 0: it is none. `end`: where they end. */
static unsigned number(const char *s, const char **end) {
    unsigned n = 0;
    const size_t digits = strspn(s, "0123456789");
    *end = s + digits;
    if (digits > 8)
        return 0;
    for (size_t i = 0; i < digits; i++)
        n = n * 10 + (unsigned)(s[i] - '0');
    return n;
}

unsigned yd_workers_index(const char *cluster, const char *pool_name) {
    const size_t n = strlen(cluster);
    const char *end = NULL;
    if (!pool_name || strncmp(pool_name, cluster, n) != 0 || pool_name[n] != '-')
        return 0;
    const unsigned k = number(pool_name + n + 1, &end);
    return rt_streq(end, "-wrkrs") ? k : 0;
}

unsigned yd_task_highest(const struct yd_task *tasks, size_t n) {
    static const char prefix[] = "task-";
    unsigned highest = 0;
    for (size_t i = 0; i < n; i++) {
        const char *end = NULL;
        if (!tasks[i].name || !rt_starts(tasks[i].name, prefix))
            continue;
        const unsigned k = number(tasks[i].name + sizeof prefix - 1, &end);
        if (!*end)
            highest = RT_MAX(highest, k);
    }
    return highest;
}

/* ---- pieces ---- */

char *yd_duration(int64_t ms) {
    struct rt_buf b;
    const int64_t day = 86400000, days = ms / day, rest = ms % day, hours = rest / 3600000, minutes = rest / 60000 % 60, of_minute = rest % 60000;
    if (ms <= 0)
        return rt_strdup("PT0S");
    rt_buf_init(&b, 0);
    rt_buf_adds(&b, "P");
    if (days)
        rt_buf_addf(&b, "%lldD", (long long)days);
    if (rest)
        rt_buf_adds(&b, "T");
    if (hours)
        rt_buf_addf(&b, "%lldH", (long long)hours);
    if (minutes)
        rt_buf_addf(&b, "%lldM", (long long)minutes);
    if (of_minute % 1000)
        rt_buf_addf(&b, "%lld.%03lldS", (long long)(of_minute / 1000), (long long)(of_minute % 1000));
    else if (of_minute)
        rt_buf_addf(&b, "%lldS", (long long)(of_minute / 1000));
    return rt_buf_take(&b);
}

/* A field without a value is left out: the platform does not want null. */
static void set(json_t *object, const char *key, const char *text) {
    if (text)
        json_object_set_new(object, key, json_string(text));
}

static void set_duration(json_t *object, const char *key, int64_t ms) {
    if (ms <= 0)
        return;
    char *text = yd_duration(ms);
    set(object, key, text);
    free(text);
}

/* "K=V" to members; left out when there are none. */
static void set_pairs(json_t *object, const char *key, const struct rt_strs *pairs) {
    if (!pairs || !pairs->n)
        return;
    json_t *map = json_object();
    for (size_t i = 0; i < pairs->n; i++) {
        const char *is = strchr(pairs->v[i], '=');
        char *name = is ? rt_strndup(pairs->v[i], (size_t)(is - pairs->v[i])) : rt_strdup(pairs->v[i]);
        set(map, name, is ? is + 1 : "");
        free(name);
    }
    json_object_set_new(object, key, map);
}

static json_t *list_of(const char *word) {
    json_t *list = json_array();
    json_array_append_new(list, json_string(word));
    return list;
}

/* 0: the default; < 0: never. */
static json_t *shutdown_after(int64_t ms) {
    json_t *v = json_object();
    json_object_set_new(v, "enabled", json_boolean(ms >= 0));
    if (ms >= 0)
        set_duration(v, "timeout", ms ? ms : IDLE_MS);
    return v;
}

/* ---- bodies ---- */

json_t *yd_body_pool(const struct yd_pool_spec *s) {
    json_t *usage = json_object(), *properties = json_object(), *workers = json_object(), *body = json_object();
    set(usage, "templateId", s->template_id);
    set(usage, "requirementName", s->name);
    set(usage, "requirementNamespace", s->space);
    set(usage, "requirementTag", s->tag);
    json_object_set_new(usage, "targetInstanceCount", json_integer(s->nodes));
    set(usage, "imagesId", s->image);
    set(usage, "userData", s->userdata);
    set_pairs(usage, "instanceTags", s->instance_tags);
    json_object_set_new(usage, "maintainInstanceCount", json_false());
    set(workers, "targetType", "PER_NODE");
    json_object_set_new(workers, "targetCount", json_integer(1));
    json_object_set_new(properties, "createNodeWorkers", workers);
    json_object_set_new(properties, "minNodes", json_integer(0));
    json_object_set_new(properties, "maxNodes", json_integer(RT_MAX(s->max_nodes, s->nodes)));
    set(properties, "workerTag", s->worker_tag);
    if (s->metrics)
        json_object_set_new(properties, "metricsEnabled", json_true());
    set_duration(properties, "nodeBootTimeout", s->boot_ms);
    json_object_set_new(properties, "idleNodeShutdown", shutdown_after(s->idle_node_ms));
    json_object_set_new(properties, "idlePoolShutdown", shutdown_after(s->idle_pool_ms));
    json_object_set_new(body, "requirementTemplateUsage", usage);
    json_object_set_new(body, "provisionedProperties", properties);
    return body;
}

static json_t *group_of(const struct yd_group_spec *g) {
    json_t *run = json_object(), *v = json_object();
    json_object_set_new(run, "taskTypes", list_of(task_type));
    set_duration(run, "taskTimeout", g->timeout_ms);
    json_object_set_new(run, "workerTags", list_of(g->worker_tag));
    json_object_set_new(run, "namespaces", list_of(g->space));
    set(v, "name", g->name);
    set(v, "tag", g->tag);
    json_object_set_new(v, "runSpecification", run);
    json_object_set_new(v, "priority", json_integer(0));
    json_object_set_new(v, "starved", json_false());
    json_object_set_new(v, "waitingOnDependency", json_false());
    json_object_set_new(v, "finishIfAllTasksFinished", json_true());
    json_object_set_new(v, "finishIfAnyTaskFailed", json_boolean(g->fail_with_task));
    return v;
}

json_t *yd_body_work(const char *space, const char *name, const char *tag, const struct yd_group_spec *groups, size_t n) {
    json_t *body = json_object(), *list = json_array();
    set(body, "namespace", space);
    set(body, "name", name);
    set(body, "tag", tag);
    json_object_set_new(body, "priority", json_integer(0));
    for (size_t i = 0; i < n; i++)
        json_array_append_new(list, group_of(&groups[i]));
    json_object_set_new(body, "taskGroups", list);
    return body;
}

json_t *yd_body_append(const json_t *read, const struct yd_group_spec *g) {
    const json_t *there = NULL;
    size_t i = 0;
    json_array_foreach(json_object_get(read, "taskGroups"), i, there) {
        if (rt_streq(rt_json_str(there, "name"), g->name))
            return NULL;
    }
    json_t *body = json_deep_copy(read);
    if (!json_is_object(body)) {
        json_decref(body);
        return NULL;
    }
    if (!json_is_array(json_object_get(body, "taskGroups")))
        json_object_set_new(body, "taskGroups", json_array());
    json_array_append_new(json_object_get(body, "taskGroups"), group_of(g));
    return body;
}

json_t *yd_body_tasks(const struct yd_task_spec *s) {
    json_t *list = json_array();
    for (size_t i = 0; i < s->n; i++) {
        json_t *task = json_object();
        char *name = rt_strf("task-%05zu", s->first + i);
        set(task, "name", name);
        set(task, "taskType", task_type);
        json_object_set_new(task, "arguments", list_of(task_file));
        set(task, "taskData", s->script);
        set_pairs(task, "environment", s->env);
        json_array_append_new(list, task);
        free(name);
    }
    return list;
}
