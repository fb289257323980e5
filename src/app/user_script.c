/* user_script: what a cluster runs once when it is up. It is sent by what watches the head, with the laptop closed or
 * not; one with a directory of this machine goes from here, as soon as the cluster is up. */
#include "app/act.h"
#include "base/log.h"
#include "providers/watchdog.h"
#include <stdlib.h>
#include <string.h>

/* The keys of the configuration's map as options of `submit`. */
static void add_option(const json_t *map, const char *key, const char *option, struct rt_strs *out) {
    const json_t *v = json_object_get(map, key);
    if (json_is_string(v)) {
        rt_strs_addf(out, "%s=%s", option, json_string_value(v));
    } else if (v) {
        char *text = json_dumps(v, JSON_COMPACT);
        rt_strs_addf(out, "%s-json=%s", option, text);
        free(text);
    }
}

/* The submit call of a cluster's user_script; false when it has none. Deinit in any case. */
static bool submit_call(const struct rt_cluster_conf *conf, struct rt_call *out) {
    struct rt_error ignored = {0};
    const char *text = conf->user_script;
    *out = (struct rt_call){.def = rt_action_find("submit"), .cluster = rt_strdup(conf->name)};
    json_t *map = text && *text == '{' ? rt_json_parse(text, strlen(text), &ignored) : NULL;
    if (json_is_object(map)) {
        add_option(map, "entrypoint", "entrypoint", &out->options);
        add_option(map, "working_dir", "working-dir", &out->options);
        add_option(map, "runtime_env", "runtime-env", &out->options);
    } else if (text) {
        rt_strs_addf(&out->options, "entrypoint=%s", text);
    }
    json_decref(map);
    return text != NULL;
}

static bool from_here(const struct rt_call *call) {
    const char *dir = rt_call_option(call, "working-dir");
    return dir && *dir && !strstr(dir, "://");
}

bool user_script_job(struct session *s, char **body, struct rt_error *err) {
    struct rt_call call;
    bool ok = true;
    *body = NULL;
    if (submit_call(s->conf, &call)) {
        /* One that goes from here is only waited for there. */
        *body = from_here(&call) ? rt_strdup("{\"raytui_elsewhere\": true}") : submit_body(s, &call, err);
        ok = *body != NULL;
        if (!ok)
            rt_error_wrap(err, "user_script");
    }
    rt_call_deinit(&call);
    return ok;
}

static void submitted(void *ctx, const struct rt_error *err, const char *message, struct rt_operation *op) {
    struct rt_op **slot = ctx;
    (void)message;
    (void)op;
    *slot = NULL;
    if (err)
        rt_log(RT_LOG_WARN, "user_script: %s", err->message);
}

static void is_up(void *ctx, struct rt_operation *op) {
    struct rt_app *a = ctx;
    struct session *s = session_find(a, op->cluster);
    struct rt_error err = {0};
    struct rt_call call;
    if (op->state != RT_OPS_DONE || !s || s->script)
        return;
    struct rt_journal *j = rt_journal_open(op->cluster, &err);
    char *id = j ? watchdog_job_id(j) : NULL;
    if (submit_call(s->conf, &call) && from_here(&call) && id) {
        rt_strs_addf(&call.options, "submission-id=%s", id);
        s->script = run_submit(a, &call, submitted, &s->script);
    }
    rt_call_deinit(&call);
    free(id);
    rt_journal_close(j);
}

void user_script_follow(struct rt_app *a, struct session *s, struct rt_operation *up) {
    struct rt_call call;
    if (submit_call(s->conf, &call) && from_here(&call))
        rt_operation_on_done(up, is_up, a);
    rt_call_deinit(&call);
}
