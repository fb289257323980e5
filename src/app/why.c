/* What an answer of why needs beside the store: what was submitted from here, and which stops were asked for. */
#include "app/act.h"
#include "base/fs.h"
#include "base/log.h"
#include "core/journal.h"
#include <stdlib.h>

enum { STOPS_KEPT = 200 };

/* ---- STATE/clusters/NAME/stops.json: {"JOB": ms} ---- */

static json_t *stops(const char *cluster) {
    json_t *v = rt_cluster_read(cluster, "stops.json", JSON_OBJECT);
    return v ? v : json_object();
}

/* The oldest goes: it was asked first. */
static void drop_oldest(json_t *all) {
    const char *key, *oldest = NULL;
    json_t *v;
    json_object_foreach(all, key, v) {
        if (!oldest || json_integer_value(v) < json_integer_value(json_object_get(all, oldest)))
            oldest = key;
    }
    if (oldest)
        json_object_del(all, oldest);
}

void why_stop_asked(const char *cluster, const char *job) {
    json_t *all = stops(cluster);
    if (!json_object_get(all, job)) /* the first time counts: since then it has no effect */
        json_object_set_new(all, job, json_integer(rt_wall_ms()));
    while (json_object_size(all) > STOPS_KEPT)
        drop_oldest(all);
    struct rt_error err = {0};
    if (!rt_cluster_write(cluster, "stops.json", all, &err))
        rt_log(RT_LOG_WARN, "%s: that a stop was asked for is not remembered: %s", cluster, err.message);
    json_decref(all);
}

static int64_t stop_asked_ms(const char *cluster, const char *job) {
    json_t *all = stops(cluster);
    const int64_t at = json_integer_value(json_object_get(all, job));
    json_decref(all);
    return at;
}

bool rt_app_why(struct rt_app *a, const char *cluster, enum rt_why_kind k, const char *id, struct rt_why *out,
                struct rt_error *err) {
    const struct rt_cluster *c = rt_store_cluster(a->store, cluster);
    struct rt_why_env env = {.now_ms = rt_wall_ms()};
    struct rt_resources asked = {0};
    *out = (struct rt_why){0};
    if (!c)
        return rt_error_set(err, RT_E_NOT_FOUND, "no cluster %s", cluster);
    struct rt_arena *arena = rt_arena_create();
    const struct rt_job *j = k == RT_WHY_JOB ? rt_store_job(c, id) : NULL;
    if (j && (j->status == RT_JOB_PENDING || j->status == RT_JOB_RUNNING)) {
        env.asked = submit_asked(cluster, id, arena, &asked) ? &asked : NULL;
        env.stop_asked_ms = stop_asked_ms(cluster, id);
    }
    const bool ok = rt_why(out, c, k, id, &env, err);
    rt_arena_destroy(arena);
    return ok;
}
