/* Inside app only: what the files of verbs share. */
#ifndef RT_APP_ACT_H
#define RT_APP_ACT_H

#include "app/action.h"
#include "app/session.h"

/* The answer of a verb that was over at once: `done` runs in the next turn. err NULL: fine; message and err are
 * copied. */
struct rt_op *act_answer(struct rt_app *a, rt_action_done_fn *done, void *ctx, const struct rt_error *err,
                         struct rt_operation *op, const char *fmt, ...) RT_PRINTF(6, 7);

/* The session of the call's cluster, or NULL with the reason. */
struct session *act_session(struct rt_app *a, const struct rt_call *c, struct rt_error *err);

/* Adds a line about a cluster that raytui did not make. */
void act_foreign(const struct rt_cluster *c, struct rt_buf *text);

/* act_cluster.c */
bool ask_down(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err);
bool ask_up(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err);
struct rt_op *run_up(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);
struct rt_op *run_down(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);
struct rt_op *run_attach(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);
struct rt_op *run_forget(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);
bool ready_shell(struct rt_app *a, const struct rt_call *c, struct rt_error *err);
bool ready_forget(struct rt_app *a, const struct rt_call *c, struct rt_error *err);

struct rt_op *run_keepalive(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);

/* act_scale.c */
bool ready_scale(struct rt_app *a, const struct rt_call *c, struct rt_error *err);
bool ask_scale(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err);
struct rt_op *run_scale(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);
bool ask_remove_node(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err);
struct rt_op *run_remove_node(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);

/* act_pool.c */
bool ask_add_pool(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err);
struct rt_op *run_add_pool(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);
bool ask_remove_pool(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err);
struct rt_op *run_remove_pool(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);
bool ask_suspend(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err);
struct rt_op *run_suspend(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);

/* act_change.c: RayJobs and RayServices */
bool ready_change(struct rt_app *a, const struct rt_call *c, struct rt_error *err);
bool ask_change(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err);
struct rt_op *run_change(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);

/* act_job.c */
bool ready_stop(struct rt_app *a, const struct rt_call *c, struct rt_error *err);
bool ask_stop(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err);
struct rt_op *run_stop(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);
bool ready_delete(struct rt_app *a, const struct rt_call *c, struct rt_error *err);
bool ask_delete(struct rt_app *a, const struct rt_call *c, struct rt_confirmation *out, struct rt_error *err);
struct rt_op *run_delete(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);

/* submit.c */
/* What a job that was submitted from here asked for; false when it was not. Names may live in the arena. */
bool submit_asked(const char *cluster, const char *id, struct rt_arena *arena, struct rt_resources *out);
struct rt_op *run_submit(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);

/* The body of the request that a submit call stands for, env_vars in clear; gives it, NULL with the reason. Reads small
 * files; the call has no directory of this machine. */
char *submit_body(struct session *s, const struct rt_call *c, struct rt_error *err);

/* user_script.c */
/* What its provider gets as rt_up_opts.user_job; gives it, NULL without a script. */
bool user_script_job(struct session *s, char **body, struct rt_error *err);
/* When `up` went well: submits what only this machine can send. */
void user_script_follow(struct rt_app *a, struct session *s, struct rt_operation *up);

/* why.c: that the stop of a job was asked for outlives this process. */
void why_stop_asked(const char *cluster, const char *job);

/* act_forward.c */
struct rt_op *run_forward(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);
struct rt_op *run_unforward(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);
struct rt_op *run_env(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);

/* work.c */
struct rt_op *run_work(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);

/* act_init.c */
struct rt_op *run_init(struct rt_app *a, const struct rt_call *c, rt_action_done_fn *done, void *ctx);

#endif
