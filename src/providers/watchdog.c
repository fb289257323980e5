/* The watchdog beside the head, from this side: how it is started, what it says. */
#include "providers/watchdog.h"
#include "base/fs.h"
#include "base/shell.h"
#include "providers/watchdog_program.h"
#include <math.h>
#include <stdlib.h>
#include <string.h>

struct watchdog_opts watchdog_opts(const struct rt_cluster_conf *conf, const char *job) {
    return (struct watchdog_opts){
        .idle_ms = conf->idle_timeout_ms, .lifetime_ms = conf->lifetime_ms, .ephemeral = conf->ephemeral && conf->user_script, .job = job};
}

bool watchdog_wanted(const struct watchdog_opts *o) {
    return o->idle_ms || o->lifetime_ms || o->ephemeral || o->job;
}

/* A twentieth of what is measured, between 1 and 15 seconds. */
static double every_s(const struct watchdog_opts *o) {
    int64_t least = o->idle_ms ? o->idle_ms : INT64_MAX;
    if (o->lifetime_ms)
        least = RT_MIN(least, o->lifetime_ms);
    const int64_t ms = o->ephemeral ? 3000 : 15000;
    return (double)RT_MAX(1000, RT_MIN(ms, least / 20)) / 1000;
}

static void options(const struct watchdog_opts *o, struct rt_strs *out) {
    if (o->idle_ms)
        rt_strs_addf(out, "--idle=%.3f", (double)o->idle_ms / 1000);
    if (o->lifetime_ms)
        rt_strs_addf(out, "--lifetime=%.3f", (double)o->lifetime_ms / 1000);
    if (o->ephemeral)
        rt_strs_add(out, "--ephemeral");
    rt_strs_addf(out, "--every=%.3f", every_s(o));
}

static void program(struct rt_buf *out) {
    rt_buf_init(out, RT_MIB);
    for (size_t i = 0; watchdog_program[i]; i++)
        rt_buf_adds(out, watchdog_program[i]);
}

void watchdog_script(const struct watchdog_opts *o, struct rt_buf *out) {
    struct rt_strs words = {0};
    struct rt_buf run, text;
    rt_buf_init(&run, RT_MIB);
    program(&text);
    rt_buf_adds(&run, "#!/bin/sh\n# PYTHON URL PID COMMAND...: ends the cluster by COMMAND when its time has come.\n"
                      "W=$(dirname \"$0\")/watchdog PY=$1 URL=$2 PID=$3\nshift 3\nexec ");
    far_container(o->far, &run);
    rt_buf_adds(&run, "\"$PY\" \"$W/watchdog.py\" --dashboard=\"$URL\" --state=\"$W\" --pid=\"$PID\"");
    options(o, &words);
    for (size_t i = 0; i < words.n; i++) {
        rt_buf_addc(&run, ' ');
        rt_shell_word(&run, words.v[i]);
    }
    rt_buf_adds(&run, " -- \"$@\"\n");
    rt_buf_adds(out, "write_watchdog() {\n    mkdir -p \"$D/watchdog\" && chmod 700 \"$D/watchdog\" || die \"cannot make $D/watchdog\"\n"
                     "    printf %s ");
    rt_shell_word(out, rt_buf_str(&text));
    rt_buf_adds(out, " >\"$D/watchdog/watchdog.py\" || die \"cannot write in $D\"\n    printf %s ");
    rt_shell_word(out, rt_buf_str(&run));
    rt_buf_adds(out, " >\"$D/watchdog.sh\" || die \"cannot write in $D\"\n");
    if (o->job) {
        rt_buf_adds(out, "    [ -e \"$D/watchdog/submitted\" ] || printf %s ");
        rt_shell_word(out, o->job);
        rt_buf_adds(out, " >\"$D/watchdog/job.json\" || die \"cannot write in $D\"\n");
    }
    rt_buf_adds(out, "}\n");
    rt_buf_deinit(&run);
    rt_buf_deinit(&text);
    rt_strs_deinit(&words);
}

void watchdog_plan(const struct watchdog_opts *o, struct rt_buf *out) {
    char idle[32], life[32];
    if (o->job || o->ephemeral)
        rt_buf_addf(out, "\nWhen the head is ready: submit user_script, once%s\n", o->ephemeral ? "; when it ended, end the cluster" : "");
    if (o->idle_ms)
        rt_buf_addf(out, "When nothing ran for %s: end the cluster (also with this machine switched off)\n",
                    rt_fmt_age(idle, sizeof idle, o->idle_ms));
    if (o->lifetime_ms)
        rt_buf_addf(out, "After %s: end the cluster, whatever runs\n", rt_fmt_age(life, sizeof life, o->lifetime_ms));
}

/* ---- user_script ---- */

char *watchdog_job_id(const struct rt_journal *j) {
    const struct rt_journal_item *known = rt_journal_find(j, "job", "user_script");
    struct rt_error ignored = {0};
    json_t *v = known && known->data ? rt_json_parse(known->data, strlen(known->data), &ignored) : NULL;
    char *id = rt_strdup(rt_json_str(v, "submission_id"));
    json_decref(v);
    return id;
}

static bool want_job(struct rt_journal *j, const char *op, const char *id, struct rt_error *err) {
    json_t *v = json_pack("{s:s}", "submission_id", id);
    char *data = json_dumps(v, JSON_COMPACT);
    const bool ok = rt_journal_want(j, op, "job", "user_script", data, err);
    free(data);
    json_decref(v);
    return ok;
}

bool watchdog_job(struct rt_journal *j, const char *cluster, const char *op, const char *body, char **out, struct rt_error *err) {
    *out = NULL;
    if (!body)
        return true;
    char *id = watchdog_job_id(j);
    if (!id) {
        id = rt_strf("%s-%s", cluster, op);
        if (!want_job(j, op, id, err)) {
            free(id);
            return false;
        }
    }
    json_t *v = rt_json_parse(body, strlen(body), err);
    if (v) {
        json_object_set_new(v, "submission_id", json_string(id));
        *out = json_dumps(v, JSON_COMPACT);
    }
    json_decref(v);
    free(id);
    return *out != NULL;
}

void watchdog_job_gone(struct rt_journal *j) {
    struct rt_error ignored = {0};
    if (rt_journal_find(j, "job", "user_script"))
        rt_journal_gone(j, "job", "user_script", &ignored);
}

/* ---- what it says ---- */

static int64_t deadline_ms(const json_t *v) {
    const json_t *at = json_object_get(v, "deadline"), *now = json_object_get(v, "now");
    const double left = json_number_value(at) - json_number_value(now);
    if (!json_is_number(at) || !json_is_number(now) || !(fabs(left) < 1e9) || rt_streq(rt_json_str(v, "phase"), "off"))
        return 0;
    return (int64_t)(left * 1000);
}

void watchdog_show(struct rt_store *store, struct rt_cluster *c, const char *text, int64_t other_ms, const char *other_why) {
    struct rt_error ignored = {0};
    json_t *v = text && *text ? rt_json_parse(text, strlen(text), &ignored) : NULL;
    const int64_t left = deadline_ms(v), own = left ? rt_wall_ms() + left : 0;
    const bool by_other = other_ms && (!own || other_ms < own);
    const int64_t ends = by_other ? other_ms : own;
    const char *why = by_other ? other_why : own ? rt_json_str(v, "ends") : NULL;
    /* A look takes a moment: the same end is not a new one. */
    const int64_t moved = ends - c->ends_at_ms;
    if (moved > 3000 || moved < -3000 || !ends != !c->ends_at_ms || !rt_streq(why, c->ends_why)) {
        char *copy = rt_strdup(why);
        free(c->ends_why);
        c->ends_why = copy;
        c->ends_at_ms = ends;
        rt_store_touch(store, c, RT_T_CLUSTER);
    }
    json_decref(v);
}

/* ---- keepalive ---- */

struct watchdog_touch {
    struct watchdog_touch **slot;
    struct rt_op *op;
    struct rt_operation *operation;
    size_t step;
    char *result;
};

static void touch_end(struct watchdog_touch *t, const struct rt_error *err) {
    struct rt_operation *operation = t->operation;
    char *result = t->result;
    rt_op_drop(&t->op);
    *t->slot = NULL;
    free(t);
    rt_operation_finish(operation, err, result);
    free(result);
}

static void touched(void *ctx, const struct rt_exec_result *r, const struct rt_error *err) {
    struct watchdog_touch *t = ctx;
    struct rt_error e = {0};
    char clean[300];
    t->op = NULL;
    if (err)
        e = *err;
    else if (r->status != 0)
        rt_error_set(&e, RT_E_REMOTE, "%s", rt_clean_to(clean, sizeof clean, r->err_len ? r->err_text : "it failed without a word"));
    touch_end(t, e.code ? &e : NULL);
}

static void touch_cancel(void *ctx) {
    struct rt_error err = {0};
    rt_error_set(&err, RT_E_CANCELLED, "cancelled");
    touch_end(ctx, &err);
}

struct rt_operation *watchdog_keepalive(struct watchdog_touch **slot, const struct rt_provider_env *env, const char *cluster,
                                        struct rt_error *err) {
    if (*slot) {
        rt_error_set(err, RT_E_BUSY, "%s is being kept alive already", cluster);
        return NULL;
    }
    struct rt_buf script;
    rt_buf_init(&script, RT_MIB);
    far_begin(NULL, cluster, &script);
    rt_buf_adds(&script, "[ -d \"$D/watchdog\" ] || die \"nothing watches it: neither idle_timeout nor lifetime is set, or it is not up\"\n"
                         "touch \"$D/watchdog/keepalive\" || die \"cannot write in $D\"\n");
    far_end(&script);
    const struct rt_exec_opts o = {.script = rt_buf_str(&script)};
    struct watchdog_touch *t = *slot = RT_NEW(struct watchdog_touch);
    t->slot = slot;
    t->operation = rt_operation_start(env->operations, "keepalive", cluster, "start the idle time anew", touch_cancel, t);
    t->result = rt_strf("the idle time of %s starts anew", cluster);
    t->op = rt_hop_exec(env->hop, &o, touched, t);
    rt_buf_deinit(&script);
    return t->operation;
}

void watchdog_touch_drop(struct watchdog_touch **slot) {
    if (*slot)
        touch_cancel(*slot);
}

/* ---- on this machine ---- */

static bool put(const char *dir, const char *name, const char *text, struct rt_error *err) {
    char *path = rt_strf("%s/%s", dir, name);
    const bool ok = rt_file_write(path, text, strlen(text), err);
    free(path);
    return ok;
}

bool watchdog_write(const struct watchdog_opts *o, const char *dir, struct rt_error *err) {
    struct rt_buf text;
    program(&text);
    const bool ok = rt_mkdirs(dir, err) && put(dir, "watchdog.py", rt_buf_str(&text), err) && (!o->job || put(dir, "job.json", o->job, err));
    rt_buf_deinit(&text);
    return ok;
}

void watchdog_argv(const struct watchdog_opts *o, const char *python, const char *dir, const char *url, int64_t pid, struct rt_strs *out) {
    rt_strs_add(out, python);
    rt_strs_addf(out, "%s/watchdog.py", dir);
    rt_strs_addf(out, "--dashboard=%s", url);
    rt_strs_addf(out, "--state=%s", dir);
    rt_strs_addf(out, "--pid=%lld", (long long)pid);
    options(o, out);
    rt_strs_add(out, "--");
}
