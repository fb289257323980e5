/* Inside batch*.c only: what its files share. */
#ifndef RT_PROVIDERS_BATCH_IMPL_H
#define RT_PROVIDERS_BATCH_IMPL_H

#include "providers/batch.h"
#include "providers/watchdog.h"

/* ---- batch_conf.c ---- */
struct batch_pool {
    char *name;
    struct batch_ask ask;    /* of one worker job */
    int64_t fixed;           /* hosts of the head's job that belong to it */
    int64_t nodes, min, max; /* nodes: how many `up` wants, with the fixed ones; max -1: no limit */
};
struct batch_pools {
    struct batch_pool *v;
    size_t n;
};
int64_t batch_hosts(const struct batch_ask *ask); /* of one job; at least 1 */
bool batch_pools_read(const struct rt_cluster_conf *conf, struct batch_pools *out, rt_yproblem_fn *problem, void *ctx);
void batch_pools_deinit(struct batch_pools *p);
struct batch_pool *batch_pool_named(const struct batch_pools *l, const char *name);
/* Where the key of a field stands in the configuration of a pool (NULL: the head); NULL when it is nowhere. */
const struct rt_ynode *batch_conf_at(const struct rt_cluster_conf *conf, const char *pool, const char *key);

/* ---- batch_script.c: what is run on the login node and in a job; each appends a whole script ---- */
struct batch_script {
    const struct batch_dialect *dialect;
    const char *cluster;
    const struct batch_config *own;
    const char *requirements;    /* text of the file; NULL */
    const char *node;            /* "head", "cpu-1" */
    const struct batch_ask *ask; /* of the job */
    int64_t fixed;               /* hosts of the head's job beside the head */
    const char *ray, *python;    /* as prepare told */
    struct watchdog_opts watchdog;
};
void batch_script_prepare(const struct batch_script *s, struct rt_buf *out);
void batch_script_look(const struct batch_script *s, struct rt_buf *out);
/* Prints "id ID", or "refused LINE" for each line of the refusal. */
void batch_script_submit(const struct batch_script *s, struct rt_buf *out);
/* Ends these jobs (names of nodes) and removes what they left; all: also the cluster's directory. */
void batch_script_stop(const struct batch_script *s, const struct rt_strs *nodes, bool all, struct rt_buf *out);
void batch_script_doctor(const struct batch_script *s, struct rt_buf *out);
/* The files of a job: what is submitted, and what runs on each of its hosts. */
void batch_script_job(const struct batch_script *s, struct rt_buf *out);
void batch_script_node(const struct batch_script *s, struct rt_buf *out);

/* batch_shell.c: the parts that are the same for all. */
extern const char batch_sh_look[], batch_sh_submit[], batch_sh_stop[], batch_sh_head_job[], batch_sh_worker_job[], batch_sh_node[],
    batch_sh_node_run[];

/* ---- one job ---- */
struct bjob {
    char *node, *pool;  /* "head" "head", "cpu-1" "cpu" */
    char *id;           /* NULL: none known */
    bool there;         /* it has a directory on the login node */
    bool booked;        /* our journal has it */
    bool known;         /* the scheduler told of it at the last look */
    enum batch_state state;
    char *word, *reason, *plain, *todo, *host;
    bool never, held;
    int64_t starts_ms, began_ms, left_ms, seen_ms; /* wall clock; seen_ms: when left_ms was told */
    char *ended;        /* what its script left as its cause; NULL */
    char *refused;      /* why it could not be submitted; NULL */
    struct rt_strs up;  /* Ray nodes of it that have come up */
    char *log;          /* last line of its output, clean */
    struct rt_buf tail; /* its last lines, as they are */
    bool wanted;        /* to be submitted by the task */
    bool before;        /* was there before the task */
    size_t step;
    bool stepping;
};

enum btask_phase { BT_REACH, BT_LOOK, BT_PREPARE, BT_SUBMIT, BT_WAIT, BT_STOP };

/* The one operation under way. */
struct btask {
    struct rt_provider *provider;
    struct rt_operation *operation;
    enum btask_phase phase;
    bool is_up, is_down, keep, undo;
    struct rt_strs stop;      /* nodes that go; with is_down or undo of up: all */
    struct rt_error first, partial;
    size_t failed, wanted;
    char *result;
    int64_t limit_ms, since_ms, ready_ms; /* loop time: without the queue; of the phase; when the head came up, 0 */
    size_t step;
    bool stepping;
    struct bjob *submitting;
    char *said; /* the last line of output that was ours */
};

struct rt_provider {
    struct rt_provider_env env;
    const struct batch_dialect *dialect;
    const struct rt_cluster_conf *conf;
    const struct batch_config *own;
    struct rt_cluster *cluster;
    struct rt_journal *journal;
    struct rt_error journal_error;
    struct batch_pools pools;
    struct bjob **jobs; /* [0] is the head's */
    size_t njobs;
    struct far_place place;
    bool connection;    /* the file is there */
    bool up;            /* the head's job runs and its Ray answers */
    bool looked, queue_known;
    int64_t told_ms; /* wall; of the last look */
    struct rt_error look_error, queue_error;
    struct rt_op *look; /* of refresh */
    int64_t looked_ms;  /* loop time of its begin */
    struct rt_op *op;   /* of the task */
    struct rt_timer *tick;
    struct btask *task;
    struct batch_way *way;
    char *requirements, *ray, *python;
    char *user_job;     /* body of user_script's submission, while there is a task */
    char *watchdog;     /* what it last said; NULL */
    struct watchdog_touch *touch;
    struct batch_log *logs; /* that were read; a list */
    int lock;
};

/* batch.c */
struct bjob *batch_job_named(const struct rt_provider *p, const char *node);
struct bjob *batch_job_add(struct rt_provider *p, const char *node, const char *pool);
void batch_job_forget(struct bjob *j); /* what was known of its life */
struct batch_script batch_script_of(const struct rt_provider *p, const struct bjob *j);
const struct batch_ask *batch_ask_of(const struct rt_provider *p, const struct bjob *j);
/* Is this the place of the run that is under way? A job that is run again has the same id, and may have been killed too hard to
 * take its place away. */
bool batch_place_current(const struct far_place *at, const struct bjob *head);
bool batch_job_lives(const struct bjob *j); /* waits, runs, or is about to end */
void batch_show(struct rt_provider *p);
void batch_take_look(struct rt_provider *p, const char *text);
struct rt_op *batch_run(struct rt_provider *p, struct rt_buf *script, int64_t timeout_ms, rt_proc_output_fn *output, rt_exec_fn *fn);

/* batch_way.c: the dashboard may listen on the loopback of a compute node. */
struct batch_way;
struct batch_way *batch_way_create(struct rt_provider *p);
void batch_way_destroy(struct batch_way *w);
const struct rt_dialer *batch_way_dialer(struct batch_way *w);

/* batch_logs.c */
void batch_logs_drop(struct rt_provider *p);

/* batch_task.c: one operation at a time; batch_submit.c, batch_wait.c: its parts. */
void batch_task_enter(struct btask *t, enum btask_phase phase);
void batch_task_step(struct btask *t, const char *subject, const char *title); /* the one before is done */
void batch_task_end_step(struct btask *t, const struct rt_error *err);
void batch_task_say(struct btask *t, const char *text);
void batch_task_end(struct btask *t);
void batch_task_fail(struct btask *t, const struct rt_error *err);
void batch_task_note(struct btask *t, const struct rt_error *err); /* of one job beside others */
struct rt_buf batch_script_buf(void);
void batch_task_run(struct rt_provider *p, struct rt_buf *script, int64_t timeout_ms, rt_exec_fn *fn); /* takes script */
/* Did the script do its work? Else why not. */
bool batch_task_went_well(struct rt_provider *p, const struct rt_exec_result *r, const struct rt_error *err, struct rt_error *out);
void batch_task_look(struct btask *t, rt_exec_fn *fn);
void batch_task_prepare(struct btask *t); /* then submits what is wanted, then waits */
void batch_task_wait(struct btask *t);
void batch_task_on_wait(struct btask *t);
void batch_tasks_abandon(struct rt_provider *p);
void batch_tick(struct rt_provider *p);

/* batch_scale.c */
/* Worker jobs of the pool that live or are about to. */
int64_t batch_pool_jobs(const struct rt_provider *p, const char *pool);
int64_t batch_pool_size(const struct rt_provider *p, const struct batch_pool *pool); /* with the fixed ones */
/* Jobs that would be submitted (made, if they are not there) or end, so that the pool has n. */
void batch_scale_jobs(struct rt_provider *p, const struct batch_pool *pool, int64_t n, struct rt_strs *nodes);
const struct rt_node *batch_ray_node(const struct rt_provider *p, const char *name);

#endif
