/* Life of a cluster while every laptop is closed: a small program beside its head ends it when nobody uses it
 * (`idle_timeout`), when its time is over (`lifetime`), or when its `user_script` ended (`ephemeral`), and submits that
 * script once. It is Python of Ray's own environment, asks Ray's dashboard, and lies in a directory that is $D/watchdog
 * in scripts (far.h) and STATE/clusters/NAME/watchdog for `local`:
 *
 *   state.json   {"now", "deadline", "ends", "busy", "why", "phase", ...}, written at every look; the head's clock
 *   keepalive    touch it: the idle time starts anew        off   while it exists nothing is ended
 *   job.json     the body of user_script's submission, until it is sent; submitted, then its id
 *
 * The output of an ephemeral cluster's user_script is kept beside the directory, as user_script.log.
 *
 * How a script of the far side starts it, once the head's dashboard answers and $PY and $D are set:
 *
 *   watchdog_script(&opts, out)                 in C: defines write_watchdog
 *   write_watchdog                              makes the files above and $D/watchdog.sh
 *   sh "$D/watchdog.sh" "$PY" URL PID COMMAND... &    runs until the end; PID: the head's process, - for none
 *
 * COMMAND ends the cluster; RAYTUI_WHY in its environment says why ("idle timeout"). It is tried again as long as it
 * fails. A batch script runs it as a child of the job (COMMAND: sh -c 'kill -TERM $1' - $$); `ssh` by `launch`. When the
 * process PID is gone it ends without COMMAND. */
#ifndef RT_PROVIDERS_WATCHDOG_H
#define RT_PROVIDERS_WATCHDOG_H

#include "providers/far.h"

struct watchdog_opts {
    int64_t idle_ms, lifetime_ms; /* 0: none */
    bool ephemeral;
    const char *job;              /* body of user_script's submission (watchdog_job); NULL: none */
    const struct far_conf *far;   /* its container; NULL: none */
};
/* What a cluster's configuration asks for; job is kept as given. */
struct watchdog_opts watchdog_opts(const struct rt_cluster_conf *conf, const char *job);
bool watchdog_wanted(const struct watchdog_opts *o);
/* Appends the shell function write_watchdog, which fails through `die`. */
void watchdog_script(const struct watchdog_opts *o, struct rt_buf *out);
/* Lines for a plan: what ends it when; nothing when nothing does. */
void watchdog_plan(const struct watchdog_opts *o, struct rt_buf *out);

/* The body with the id under which user_script is submitted once per up: that of the journal (item "job"
 * "user_script"), else a new one that is written there first. *out is NULL when `body` is (rt_up_opts.user_job);
 * gives it. */
bool watchdog_job(struct rt_journal *j, const char *cluster, const char *op, const char *body, char **out, struct rt_error *err);
char *watchdog_job_id(const struct rt_journal *j); /* gives it; NULL: none is fixed */
/* The cluster is down: the next up submits anew. */
void watchdog_job_gone(struct rt_journal *j);

/* What state.json says into the store: ends_at_ms and ends_why, unless `other_ms` (walltime; 0: none) comes first. text
 * NULL or "": only the other. */
void watchdog_show(struct rt_store *store, struct rt_cluster *c, const char *text, int64_t other_ms, const char *other_why);

/* rt_provider_ops.keepalive over env->hop: an operation that touches the file there. `slot` is the provider's, NULL at
 * first; dropped in its destroy. */
struct watchdog_touch;
struct rt_operation *watchdog_keepalive(struct watchdog_touch **slot, const struct rt_provider_env *env, const char *cluster,
                                        struct rt_error *err);
void watchdog_touch_drop(struct watchdog_touch **slot);

/* For a process of this machine (`local`): writes the program and its files into `dir`, and appends the words that run
 * it, up to where COMMAND follows. */
bool watchdog_write(const struct watchdog_opts *o, const char *dir, struct rt_error *err);
void watchdog_argv(const struct watchdog_opts *o, const char *python, const char *dir, const char *url, int64_t pid, struct rt_strs *out);

#endif
