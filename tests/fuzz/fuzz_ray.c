/* What a dashboard sends, element by element: jobs, machines, texts about resources and errors. */
#include "fuzz.h"

#include "ray/summary.h"

#include <string.h>

static void decode(const json_t *v) {
    struct rt_arena *arena = rt_arena_create();
    struct rt_error err = {0};
    struct rt_job job;
    struct rt_summary summary;
    if (rt_job_decode(v, &job, arena, &err))
        PROMISE(job.id && job.status_text);
    else
        PROMISE(err.message[0]);
    if (rt_summary_decode(v, &summary, arena, &err))
        PROMISE(summary.node.id && summary.node.agent_port >= 0 && summary.node.agent_port < 65536);
    rt_arena_destroy(arena);
}

static void texts(const char *text) {
    struct rt_arena *arena = rt_arena_create();
    struct rt_resource v[] = {{"CPU", 1}, {"memory", 2}};
    const struct rt_resources total = {v, RT_COUNT(v)};
    const struct rt_amounts amounts = rt_node_amounts(&total, text, arena);
    PROMISE(amounts.n == 2 && amounts.v[0].used >= -1);
    char reason[100];
    rt_ray_reason(reason, sizeof(reason), text);
    PROMISE(strlen(reason) < sizeof(reason) && !strchr(reason, '\n'));
    rt_arena_destroy(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    struct rt_error err = {0};
    char *text = rt_strndup((const char *)data, size);
    json_t *v = rt_json_parse(text, strlen(text), &err);
    if (v)
        decode(v);
    json_decref(v);
    texts(text);
    free(text);
    return 0;
}
