/* Answers of the YellowDog platform as it might send them, and what is made of them. */
#include "fuzz.h"

#include "providers/yellowdog_call.h"
#include <stdlib.h>
#include <string.h>

static void durations(const char *text) {
    const int64_t ms = yd_duration_ms(text);
    PROMISE(ms >= -1);
    if (ms <= 0)
        return;
    char *again = yd_duration(ms);
    PROMISE(yd_duration_ms(again) == ms);
    free(again);
}

static void work(const json_t *v, struct rt_arena *a) {
    static const struct yd_group_spec another = {.name = "worker-nodes-77", .worker_tag = "x", .space = "y"};
    struct rt_error err = {0};
    struct yd_work w;
    if (!yd_decode_work(v, &w, a, &err)) {
        PROMISE(err.code != RT_OK && err.message[0]);
        return;
    }
    for (size_t i = 0; i < w.ngroups; i++)
        PROMISE(w.groups[i].id);
    json_t *more = yd_body_append(v, &another);
    PROMISE(!more || json_array_size(json_object_get(more, "taskGroups")) >= 1);
    json_decref(more);
}

/* As the answer of every call, a list or not. */
static void results(json_t *v) {
    for (int verb = 0; verb < YD_VERBS; verb++) {
        struct yd_result *r = yd_result_new();
        struct rt_error err = {0};
        char *next = NULL;
        if (!yd_result_add(r, (enum yd_verb)verb, v, &next, &err))
            PROMISE(err.code != RT_OK);
        PROMISE(!r->n || r->objects);
        free(next);
        yd_result_free(r);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rt_error err = {0};
    struct yd_failure f = {0};
    struct yd_task task;
    struct yd_requirement requirement;
    char why[120], *text = rt_strndup((const char *)data, size);
    durations(text);
    (void)yd_time_ms(text);
    free(text);
    json_t *v = rt_json_parse((const char *)data, size, &err);
    if (!v)
        return 0;
    struct rt_arena *a = rt_arena_create();
    work(v, a);
    results(v);
    if (yd_decode_task(v, &task, a, &err))
        PROMISE(strlen(yd_task_why(&task, why, sizeof why)) < sizeof why);
    if (yd_decode_requirement(v, &requirement, a, &err) && requirement.trouble)
        PROMISE(!strchr(requirement.trouble, '\x1b'));
    yd_refused(503, v, (const char *)"", "GET /x", &f);
    PROMISE(f.error.code == RT_E_REMOTE && f.error.message[0]);
    rt_arena_destroy(a);
    json_decref(v);
    return 0;
}
