/* Provider `launcher`: clusters of Ray's own launcher (`ray up FILE`). Ray's program makes and ends machines, in a session of its
 * own that outlives raytui; raytui reads what it writes, finds the head, and reaches everything through SSH to it.
 *
 *   STATE/clusters/NAME/launcher/        RAY_TMPDIR and TMPDIR of `ray`: its record of the cluster outlives a reboot
 *   .../WHAT.log .pid .status            of a long call ("up", "down"): output, the process, its exit status
 *   .../head                             the address that `ray get-head-ip` gave
 */
#ifndef RT_PROVIDERS_LAUNCHER_H
#define RT_PROVIDERS_LAUNCHER_H

#include "core/provider.h"
#include "providers/launcher_file.h"
#include "providers/launcher_say.h"

struct launcher_config {
    char *env_file, *ray_command;
    struct rt_strs env; /* "K=V" */
};
extern const struct rt_yfield launcher_fields[];

struct launcher_run;
struct launcher_task;

/* What a size is to become, from set_limits to scale; -1: as it is. */
struct launcher_limits {
    char *pool;
    int64_t min, max;
};

struct rt_provider {
    struct rt_provider_env env;
    const struct rt_cluster_conf *conf;
    const struct launcher_config *own;
    struct rt_cluster *cluster;
    struct rt_journal *journal;
    struct rt_error journal_error;
    int lock;
    char *dir;             /* STATE/clusters/NAME/launcher */
    struct rt_launcher_file file;
    struct rt_error file_error; /* of the last read */
    int64_t file_mtime, file_size;

    char *head;            /* its address as seen from here; NULL: not known */
    bool aimed;            /* the hop leads there */
    struct rt_op *asking;  /* get-head-ip */
    bool asked;            /* it was answered once */
    int64_t asked_ms;      /* loop time */
    struct rt_error ask_error;
    struct rt_op *probe;   /* of its dashboard */
    bool up, probed;       /* its dashboard answers; it was asked */
    int64_t told_ms;       /* wall: when it was */
    struct rt_error failure; /* of the last `up`; RT_OK */

    struct launcher_task *task;
    struct launcher_limits limits;
    rt_pools said;         /* what the autoscaler last said */
};

/* ---- launcher_conf.c ---- */
bool launcher_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx);
/* Reads the file again; false: what it was stays, and file_error says why. */
bool launcher_read(struct rt_provider *p, struct rt_error *err);
bool launcher_is_local(const struct rt_provider *p);
/* Words of `ray ARG...`, and what is added to its environment. */
void launcher_words(const struct rt_provider *p, struct rt_strs *argv);
bool launcher_environment(const struct rt_provider *p, struct rt_strs *out, struct rt_error *err);
/* False: the cluster runs and `ray up --no-restart` would restart it all the same. */
bool launcher_recorded(const struct rt_provider *p, struct rt_error *err);
char *launcher_beside(const struct rt_provider *p); /* the file's directory: where `ray` runs; gives it */

/* ---- launcher_run.c: one long `ray`, in a session of its own ---- */
struct launcher_run_events {
    launcher_said_fn *said;
    void (*ended)(void *ctx, int status); /* -1: by a signal, or nobody knows how. The run is over and freed */
    void *ctx;
};
/* What runs is in the journal before it does. `what` names its files. */
struct launcher_run *launcher_run_start(struct rt_provider *p, const char *op, const char *what, const struct rt_strs *argv,
                                        const struct launcher_run_events *e, struct rt_error *err);
/* One that an earlier raytui started, and which still runs or ended unseen; NULL: none. Its output comes from the beginning. */
struct launcher_run *launcher_run_find(struct rt_provider *p, const struct launcher_run_events *e);
/* Is there one? Its name ("up"); NULL. */
const char *launcher_run_known(const struct rt_provider *p);
struct launcher_say *launcher_run_say(struct launcher_run *r);
void launcher_run_end(struct launcher_run *r);   /* its group gets SIGTERM, later SIGKILL; `ended` tells */
void launcher_run_leave(struct launcher_run *r); /* it goes on alone; nothing is told any more. NULL is fine */

/* ---- launcher_head.c: where the head is, and whether Ray answers there ---- */
void launcher_head_begin(struct rt_provider *p);    /* what is known without asking */
void launcher_head_ask(struct rt_provider *p);      /* `ray get-head-ip`, unless it runs already */
bool launcher_head_aim(struct rt_provider *p, struct rt_error *err); /* the hop leads there from now on */
void launcher_head_forget(struct rt_provider *p);   /* the machine is gone */
void launcher_probe(struct rt_provider *p);
void launcher_head_end(struct rt_provider *p);

/* ---- launcher_task.c ---- */
struct rt_operation *launcher_up(struct rt_provider *p, const struct rt_up_opts *o, struct rt_error *err);
struct rt_operation *launcher_down(struct rt_provider *p, struct rt_error *err);
/* Writes the file, then `ray up --no-restart`; the old text comes back when Ray refuses. Takes all four. */
struct rt_operation *launcher_apply(struct rt_provider *p, char *title, char *result, char *before, char *after, struct rt_error *err);
void launcher_tasks_find(struct rt_provider *p);    /* what an earlier raytui left running */
void launcher_tasks_look(struct rt_provider *p);    /* head, hop or probe have news */
void launcher_tasks_abandon(struct rt_provider *p); /* what runs goes on */
bool launcher_starting(const struct rt_provider *p);
bool launcher_stopping(const struct rt_provider *p);
bool launcher_changing(const struct rt_provider *p);

/* ---- launcher_far.c: what is left of Ray on the hosts of a `local` cluster ---- */
/* Appends a script for the head: ends this cluster's Ray there and on the workers; prints "gone HOST", "left HOST N" or
 * "unreached HOST". */
void launcher_far_sweep(const struct rt_provider *p, struct rt_buf *out);
/* What it printed: false when something may be left (err says what), or when it says nothing (then err is RT_OK). */
bool launcher_far_swept(const char *out, struct rt_error *err);

/* ---- launcher_scale.c ---- */
bool launcher_scale_impact(struct rt_provider *p, const char *pool, int64_t n, struct rt_scale_impact *out, struct rt_error *err);
struct rt_operation *launcher_scale(struct rt_provider *p, const char *pool, int64_t n, struct rt_error *err);
bool launcher_set_limits(struct rt_provider *p, const char *pool, int64_t min, int64_t max, struct rt_error *err);
/* What the change of the file would be, as a diff; false: none is possible. */
bool launcher_scale_diff(struct rt_provider *p, const char *pool, int64_t n, struct rt_buf *out);
/* Replaces the file's text, keeping mode and owner; refused when it is not `before` (any more). */
bool launcher_file_write(const struct rt_provider *p, const char *before, const char *after, struct rt_error *err);

/* ---- launcher_pools.c ---- */
void launcher_pools(struct rt_provider *p, rt_pools *out);
void launcher_join(struct rt_provider *p);
void launcher_told(struct rt_provider *p, const rt_pools *said);

/* ---- launcher_plan.c ---- */
bool launcher_plan(struct rt_provider *p, const char *verb, const struct rt_up_opts *o, struct rt_buf *out, struct rt_error *err);
bool launcher_equivalent(struct rt_provider *p, const char *verb, const char *arg, struct rt_buf *out);

/* ---- launcher_shell.c ---- */
bool launcher_shell(struct rt_provider *p, const char *node_id, struct rt_strs *argv, struct rt_error *err);
bool launcher_exec(struct rt_provider *p, const char *node_id, const struct rt_strs *command, struct rt_strs *argv, struct rt_error *err);

/* ---- launcher_doctor.c ---- */
struct rt_op *launcher_doctor(struct rt_provider *p, void (*done)(void *ctx, const char *lines, const struct rt_error *err), void *ctx);

void launcher_show(struct rt_provider *p);

#endif
