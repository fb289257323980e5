/* A Ray cluster of batch jobs: what is the same for every scheduler (batch*.c), and what one of them must say of itself
 * (struct batch_dialect; slurm*.c, pbs*.c).
 *
 * Everything goes over one SSH session to the login node. Its home is shared with the compute nodes: ~/.raytui/NAME/
 * holds `connection`, `ended`, and per job jobs/NODE/ with `job` (the script as it was submitted), `node` (what runs on
 * each host), `id`, `out`. NODE is "head", or a worker job of a pool: "cpu-1". The head's job starts the head, waits for
 * it, then starts the workers of its own allocation; worker jobs wait for `connection`. Jobs carry the name
 * "rt-CLUSTER-NODE", so that one whose id got lost on the way is found again. */
#ifndef RT_PROVIDERS_BATCH_H
#define RT_PROVIDERS_BATCH_H

#include "providers/far.h"

/* What one job asks the scheduler for; the same fields stand at the top of a configuration and in each pool, which
 * inherits what it does not say. Zero, NULL and empty: not said. */
struct batch_ask {
    char *account, *queue /* Slurm: partition */, *qos, *gres, *select;
    int64_t walltime_ms;
    int64_t nodes;          /* hosts of one job; at least 1 */
    double cpus, gpus, memory_gb; /* of each host */
    struct rt_strs directives;    /* free: "--constraint=a100", "-l place=excl" (without the leading #SBATCH or #PBS) */
    struct rt_strs resources;     /* Ray's: "tpu=1" */
};

/* One job to be written. */
struct batch_job {
    const char *cluster, *node; /* "lab", "head" or "cpu-1" */
    const char *name;           /* "rt-lab-head" */
    const struct batch_ask *ask;
};

enum batch_state { BATCH_QUEUED, BATCH_RUNNING, BATCH_ENDING, BATCH_SUSPENDED, BATCH_ENDED };

/* A job as the scheduler tells of it. Strings live in the arena of the list. */
struct batch_seen {
    const char *id;     /* as submit printed it, without what a query leaves out */
    const char *name;   /* NULL unknown */
    enum batch_state state;
    const char *word;   /* the scheduler's own: "PENDING", "Q" */
    const char *reason; /* the scheduler's own: "Priority"; NULL */
    const char *plain;  /* why it is not running, or how it ended, in plain words; NULL */
    const char *todo;   /* what a person may do: "`scontrol release 12` lets it go"; NULL */
    bool never;         /* queued, but it cannot start as it is */
    bool held;
    int64_t starts_ms;  /* expected start, wall clock; 0 unknown */
    int64_t began_ms;   /* start of the run that is under way; 0 unknown */
    int64_t left_ms;    /* of its walltime; -1 unknown or unlimited */
    const char *host;   /* where its first host is; NULL */
};
struct batch_list {
    struct rt_arena *arena;
    struct batch_seen *v;
    size_t n;
};

struct batch_dialect {
    const char *name;      /* "slurm": the provider's */
    const char *scheduler; /* "Slurm": in sentences */
    const char *submit;    /* "sbatch": in sentences, and looked for on the login node */
    const char *mark;      /* "#SBATCH": what a line of directives begins with */

    /* POSIX sh functions for scripts on the login node; may print what they like on stderr:
     *   b_submit FILE [AFTER]  in the job's directory, which is the present one: submits FILE (not to begin before the
     *                          job AFTER has begun) and prints its id alone on stdout; else the refusal on stderr, status not 0
     *   b_find NAME            ids of jobs of this user with this name that wait or run, one a line; status not 0: not known
     *   b_query ID...          what `parse` reads, on stdout, with the job of each id that the scheduler still knows (none:
     *                          nothing); what cannot be asked now: status not 0
     *   b_lives ID             status 0: it waits, runs or ends; 1: it does not; 2: not known
     *   b_stop ID              takes it from the queue when it waits; asks what runs in it to end (TERM), so that the job's own
     *                          script cleans up; returns at once. Fine when it has ended
     *   b_cancel ID            takes it from the queue or ends it hard; returns at once. Unknown and ended ids are no error */
    const char *login_shell;
    /* More of them, for `doctor` only (and because a string has 4095 bytes at most in C):
     *   b_doctor               lines "MARK\tNAME\ttext" with MARK ok, warn, bad: version, queues, limits, accounts */
    const char *doctor_shell;
    /* bash functions for the job's own script, which runs on its first host, and for the node script on each host:
     *   b_begin                first thing in the job's script; what it sets or redirects holds for the rest
     *   b_id                   prints the job's id
     *   b_hosts                the job's hosts, one a line, the one that this runs on first
     *   b_on HOST FILE ARG...  runs `bash FILE ARG...` on HOST as part of the job, in the foreground
     *   b_term                 asks what b_on runs to end (TERM), also on other hosts; returns at once
     *   b_size                 on any host, in the node script: sets CPUS and GPUS to what the job may use there ('' unknown) */
    const char *job_shell;

    /* Appends the lines of directives; the output goes to `out` in the directory from which it is submitted. */
    void (*header)(const struct batch_job *job, struct rt_buf *out);
    /* What b_query printed. `now_ms` is the wall clock here. False: no answer that can be understood. */
    bool (*parse)(const char *text, int64_t now_ms, struct batch_list *out, struct rt_error *err);
    bool (*id_ok)(const char *id); /* may it stand in a command line? */
    /* What the scheduler printed when it refused: the key of the field that it means (NULL: none), and the sentence that
     * matters, without its prefix; text is what b_submit wrote to stderr. */
    const char *(*refused)(const char *text, char *sentence, size_t size);
    /* Its own problems of a configuration, beside those that are the same for all. May be NULL. */
    bool (*check)(const struct batch_ask *ask, const struct rt_ynode *at, rt_yproblem_fn *problem, void *ctx);
};

/* The configuration; slurm_fields and pbs_fields are tables over it. Labels and accelerator_type are of far.size, the
 * other sizes of `ask`. */
struct batch_config {
    struct far_conf far; /* the first member: far.h */
    char *login;
    struct batch_ask ask;
    const struct rt_ynode *pools;
};
/* Rows that are the same in each field table, after the scheduler's own. */
#define BATCH_FIELDS_COMMON                                                                                                     \
    FAR_PYTHON_FIELDS,                                                                                                          \
    {.key = "labels", .off = offsetof(struct far_conf, size.labels), .type = RT_Y_KVS,                                          \
     .help = "labels of each Ray node (Ray 2.45 and newer)", .example = "{disk: ssd}"},                                         \
    {.key = "accelerator_type", .off = offsetof(struct far_conf, size.accelerator_type), .type = RT_Y_STR,                      \
     .help = "what the GPUs are, where Ray cannot tell", .example = "A100"},                                                    \
    FAR_PLACE_FIELDS

/* A provider's row is BATCH_OPS and its name, summary, config, check and create. */
bool batch_check(const struct batch_dialect *d, const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx);
struct rt_provider *batch_create(const struct batch_dialect *d, const struct rt_provider_env *env, const struct rt_cluster_conf *conf,
                                 struct rt_cluster *cluster, struct rt_error *err);
const char *batch_hop_target(const struct rt_cluster_conf *conf);
void batch_where(const struct rt_cluster_conf *conf, struct rt_buf *out);
void batch_destroy(struct rt_provider *p);
bool batch_endpoint(struct rt_provider *p, enum rt_endpoint_kind kind, struct rt_endpoint *out, struct rt_error *err);
void batch_refresh(struct rt_provider *p);
void batch_join(struct rt_provider *p);
bool batch_plan(struct rt_provider *p, const char *verb, const struct rt_up_opts *o, struct rt_buf *out, struct rt_error *err);
struct rt_operation *batch_up(struct rt_provider *p, const struct rt_up_opts *o, struct rt_error *err);
struct rt_operation *batch_down(struct rt_provider *p, struct rt_error *err);
bool batch_scale_impact(struct rt_provider *p, const char *pool, int64_t n, struct rt_scale_impact *out, struct rt_error *err);
struct rt_operation *batch_scale(struct rt_provider *p, const char *pool, int64_t n, struct rt_error *err);
bool batch_set_limits(struct rt_provider *p, const char *pool, int64_t min, int64_t max, struct rt_error *err);
struct rt_operation *batch_keepalive(struct rt_provider *p, struct rt_error *err);
struct rt_operation *batch_remove_node(struct rt_provider *p, const char *node_id, struct rt_error *err);
bool batch_shell(struct rt_provider *p, const char *node_id, struct rt_strs *argv, struct rt_error *err);
bool batch_equivalent(struct rt_provider *p, const char *verb, const char *arg, struct rt_buf *out);
void batch_machine_logs(struct rt_provider *p, struct rt_strs *out);
const char *batch_machine_pull(struct rt_provider *p, const char *name);
struct rt_op *batch_doctor(struct rt_provider *p, void (*done)(void *ctx, const char *lines, const struct rt_error *err), void *ctx);
/* rt_provider_ops.discover_at for "NAME://[user@]host", NAME being the dialect's. */
struct rt_op *batch_discover_at(const struct batch_dialect *d, const struct rt_provider_env *env, const char *where,
                                void (*found)(void *ctx, const char *target, const char *text),
                                void (*done)(void *ctx, const struct rt_error *err), void *ctx);

#define BATCH_OPS                                                                                                         \
    .caps = RT_CAP_UP | RT_CAP_DOWN | RT_CAP_SCALE | RT_CAP_REMOVE_NODE | RT_CAP_SHELL | RT_CAP_KEEPALIVE | \
            RT_CAP_MACHINE_LOGS,                                                                                          \
    .config_size = sizeof(struct batch_config), .needs_hop = true, .hop_target = batch_hop_target, .where = batch_where,  \
    .destroy = batch_destroy, .endpoint = batch_endpoint, .refresh = batch_refresh, .join = batch_join,                   \
    .plan = batch_plan, .up = batch_up, .down = batch_down, .scale_impact = batch_scale_impact, .scale = batch_scale,     \
    .set_limits = batch_set_limits, .remove_node = batch_remove_node, .keepalive = batch_keepalive, .shell = batch_shell,                               \
    .equivalent = batch_equivalent, .doctor = batch_doctor, .machine_logs = batch_machine_logs, .machine_pull = batch_machine_pull

#endif
