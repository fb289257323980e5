/* Provider `slurm`: what sbatch, squeue and scancel want and say. */
#include "providers/slurm.h"
#include <string.h>

static const struct rt_yfield slurm_fields[] = {
    {.key = "login", .off = offsetof(struct batch_config, login), .type = RT_Y_STR, .wanted = true, .alias = {"resource", "head"},
     .help = "[user@]host of the login node, or a Host of ~/.ssh/config", .example = "me@login.hpc"},
    {.key = "account", .form = true, .alias = {"slurm_account"}, .off = offsetof(struct batch_config, ask.account), .type = RT_Y_STR,
     .help = "account that pays for the jobs", .example = "abc"},
    {.key = "partition", .alias = {"slurm_partition", "queue"}, .off = offsetof(struct batch_config, ask.queue), .type = RT_Y_STR,
     .wanted = true, .help = "partition (`raytui doctor CLUSTER` lists them)", .example = "gpu"},
    {.key = "qos", .form = true, .alias = {"slurm_qos"}, .off = offsetof(struct batch_config, ask.qos), .type = RT_Y_STR,
     .help = "quality of service", .example = "normal"},
    {.key = "walltime", .alias = {"slurm_time", "time"}, .off = offsetof(struct batch_config, ask.walltime_ms), .type = RT_Y_DURATION,
     .wanted = true, .help = "how long the cluster may live: it ends with its job (default: the partition's)", .example = "4h"},
    {.key = "nodes", .alias = {"slurm_nodes"}, .off = offsetof(struct batch_config, ask.nodes), .type = RT_Y_I64, .max = 10000,
     .wanted = true, .help = "hosts of the one job that holds the head and its workers", .example = "2"},
    {.key = "cpus_per_node", .form = true, .alias = {"num_cpus_per_node", "cpus"}, .off = offsetof(struct batch_config, ask.cpus), .type = RT_Y_F64,
     .max = 100000, .help = "CPUs of each host", .example = "16"},
    {.key = "gpus_per_node", .form = true, .alias = {"num_gpus_per_node", "gpus"}, .off = offsetof(struct batch_config, ask.gpus), .type = RT_Y_F64,
     .max = 100000, .help = "GPUs of each host", .example = "4"},
    {.key = "gres", .off = offsetof(struct batch_config, ask.gres), .type = RT_Y_STR,
     .help = "generic resources of each host, instead of gpus_per_node", .example = "gpu:a100:4"},
    {.key = "memory_gb", .form = true, .alias = {"ray_memory_gb"}, .off = offsetof(struct batch_config, ask.memory_gb), .type = RT_Y_F64,
     .max = 1000000, .help = "memory of each host in GiB", .example = "64"},
    {.key = "directives", .off = offsetof(struct batch_config, ask.directives), .type = RT_Y_STRS,
     .help = "more options of sbatch, one an item; they win", .example = "[\"--constraint=a100\", \"--exclusive\"]"},
    {.key = "resources", .off = offsetof(struct batch_config, ask.resources), .type = RT_Y_KVS, .help = "other resources of Ray on the job's hosts",
     .example = "{tpu: 1}"},
    {.key = "pools", .off = offsetof(struct batch_config, pools), .type = RT_Y_NODE,
     .help = "pools of workers that are jobs of their own: the fields above, and nodes (jobs that `up` submits), min, max",
     .example = "{gpu: {partition: gpu, nodes: 2, gpus_per_node: 4}}"},
    BATCH_FIELDS_COMMON,
    {0},
};

/* ---- directives ---- */

static void line(struct rt_buf *out, const char *fmt, ...) RT_PRINTF(2, 3);
static void line(struct rt_buf *out, const char *fmt, ...) {
    va_list ap;
    rt_buf_adds(out, "#SBATCH ");
    va_start(ap, fmt);
    rt_buf_addv(out, fmt, ap);
    va_end(ap);
    rt_buf_addc(out, '\n');
}

static long long whole(double v) {
    const long long n = (long long)v;
    return (double)n < v ? n + 1 : n;
}

static void slurm_header(const struct batch_job *job, struct rt_buf *out) {
    const struct batch_ask *a = job->ask;
    const long long minutes = (long long)((a->walltime_ms + 59999) / 60000);
    line(out, "--job-name=%s", job->name);
    line(out, "--output=out");
    line(out, "--open-mode=append");
    line(out, "--no-requeue");
    line(out, "--signal=B:TERM@60"); /* time to end in order before the walltime is over */
    line(out, "--nodes=%lld", (long long)a->nodes);
    line(out, "--ntasks-per-node=1");
    if (a->cpus > 0)
        line(out, "--cpus-per-task=%lld", whole(a->cpus));
    if (a->gres)
        line(out, "--gres=%s", a->gres);
    else if (a->gpus > 0)
        line(out, "--gres=gpu:%lld", whole(a->gpus));
    if (a->memory_gb > 0)
        line(out, "--mem=%lldM", whole(a->memory_gb * 1024));
    if (minutes)
        line(out, "--time=%lld-%02lld:%02lld:00", minutes / 1440, minutes / 60 % 24, minutes % 60);
    if (a->account)
        line(out, "--account=%s", a->account);
    if (a->queue)
        line(out, "--partition=%s", a->queue);
    if (a->qos)
        line(out, "--qos=%s", a->qos);
    for (size_t i = 0; i < a->directives.n; i++)
        line(out, "%s", a->directives.v[i]);
}

/* Digits, and the index of an array or the cluster of a federation, which submit leaves out. */
static bool slurm_id_ok(const char *id) {
    return id && *id && strlen(id) < 40 && !id[strspn(id, "0123456789_")];
}

static bool slurm_own_check(const struct batch_ask *ask, const struct rt_ynode *at, rt_yproblem_fn *problem, void *ctx) {
    struct rt_error err = {0};
    if (!ask->select)
        return true;
    rt_ynode_error(at, &err, "select belongs to PBS; Slurm wants nodes, cpus_per_node, memory_gb");
    problem(ctx, &err);
    return false;
}

/* ---- shell ---- */

static const char login_shell[] =
    "unset SQUEUE_FORMAT SQUEUE_FORMAT2 SQUEUE_STATES SQUEUE_SORT SQUEUE_PARTITION SINFO_FORMAT\n"
    "LC_ALL=C SLURM_TIME_FORMAT=standard\n"
    "export LC_ALL SLURM_TIME_FORMAT\n"
    "b_submit() {\n"
    "    made=$(sbatch --parsable ${2:+--dependency=after:$2} \"$1\") || return\n"
    "    echo \"${made%%;*}\"\n"
    "}\n"
    "b_find() { squeue --noheader -u \"$(id -u)\" --name=\"$1\" -o %i; }\n"
    "b_query() {\n"
    "    date '+now %s %Y-%m-%dT%H:%M:%S'\n"
    "    list=$(echo \"$@\" | tr ' ' ,)\n"
    "    if rows=$(squeue --noheader -t all --jobs=\"$list\" -o '%i|%T|%L|%S|%B|%r' 2>&1); then\n"
    "        echo \"$rows\"\n"
    "    else\n"
    "        case $rows in *'Invalid job id'*) return 0 ;; esac\n"
    "        echo \"$rows\" >&2\n"
    "        return 1\n"
    "    fi\n"
    "}\n"
    "b_lives() {\n"
    "    if ! word=$(squeue --noheader -t all --jobs=\"$1\" -o %T 2>&1); then\n"
    "        case $word in *'Invalid job id'*) return 1 ;; esac\n"
    "        return 2\n"
    "    fi\n"
    "    case $word in\n"
    "    '' | BOOT_FAIL | CANCELLED | COMPLETED | DEADLINE | FAILED | NODE_FAIL | OUT_OF_MEMORY | PREEMPTED | REVOKED | TIMEOUT) return 1 ;;\n"
    "    esac\n"
    "}\n"
    "b_stop() {\n"
    "    scancel --state=PENDING \"$1\"\n"
    "    scancel --signal=TERM \"$1\"\n"
    "} 2>/dev/null\n"
    "b_cancel() { scancel \"$1\" 2>/dev/null; }\n"
    "b_doctor() {\n"
    "    printf 'ok\\tslurm\\t%s\\n' \"$(sbatch --version)\"\n"
    "    if ! rows=$(sinfo --noheader -o '%P|%a|%l|%D|%T|%c|%m|%G' 2>&1); then\n"
    "        printf 'bad\\tsinfo\\t%s\\n' \"$rows\"\n"
    "        return\n"
    "    fi\n"
    "    echo \"$rows\" | awk -F'|' '{ printf \"%s\\tpartition\\t%s: %s nodes %s, %s CPUs, %s MB%s each, at most %s\\n\","
    " ($2 == \"up\" ? \"ok\" : \"warn\"), $1, $4, $5, $6, $7, ($8 == \"(null)\" ? \"\" : \", \" $8), $3 }'\n"
    "    if rows=$(sacctmgr -n -P show assoc user=\"$(id -un)\" format=account,qos 2>/dev/null) && [ -n \"$rows\" ]; then\n"
    "        echo \"$rows\" | awk -F'|' '{ printf \"ok\\taccount\\t%s, QOS %s\\n\", $1, $2 }'\n"
    "    fi\n"
    "}\n";

static const char job_shell[] =
    "b_begin() {\n"
    "    [ -z \"${SLURM_CPUS_PER_TASK-}\" ] || export SRUN_CPUS_PER_TASK=$SLURM_CPUS_PER_TASK\n"
    "}\n"
    "b_id() { echo \"$SLURM_JOB_ID\"; }\n"
    "b_hosts() { scontrol show hostnames \"$SLURM_JOB_NODELIST\"; }\n"
    "b_on() {\n"
    "    b_host=$1\n"
    "    shift\n"
    "    srun --nodes=1 --ntasks=1 --nodelist=\"$b_host\" /bin/bash \"$@\" </dev/null\n"
    "}\n"
    "b_term() { scancel --signal=TERM \"$SLURM_JOB_ID\"; }\n"
    "b_size() {\n"
    "    CPUS=${SLURM_CPUS_PER_TASK:-${SLURM_CPUS_ON_NODE-}}\n"
    "    GPUS=${SLURM_GPUS_ON_NODE-}\n"
    "}\n";

const struct batch_dialect slurm_dialect = {
    .name = "slurm",
    .scheduler = "Slurm",
    .submit = "sbatch",
    .mark = "#SBATCH",
    .login_shell = login_shell,
    .job_shell = job_shell,
    .header = slurm_header,
    .parse = slurm_parse,
    .id_ok = slurm_id_ok,
    .refused = slurm_refused,
    .check = slurm_own_check,
};

static bool slurm_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx) {
    return batch_check(&slurm_dialect, conf, problem, ctx);
}

static struct rt_provider *slurm_create(const struct rt_provider_env *env, const struct rt_cluster_conf *conf,
                                        struct rt_cluster *cluster, struct rt_error *err) {
    return batch_create(&slurm_dialect, env, conf, cluster, err);
}

static struct rt_op *slurm_discover_at(const struct rt_provider_env *env, const char *where,
                                     void (*found)(void *ctx, const char *target, const char *text),
                                     void (*done)(void *ctx, const struct rt_error *err), void *ctx) {
    return batch_discover_at(&slurm_dialect, env, where, found, done, ctx);
}

const struct rt_provider_ops rt_provider_slurm = {
    .name = "slurm",
    .summary = "a real Ray in jobs of a Slurm cluster, submitted and ended by raytui from the login node",
    .about = "`raytui up NAME` submits one job from the login node: the head and its workers on `nodes` hosts. Each further worker\n"
             "(+ on its pool, `raytui scale NAME POOL +1`) is a job of its own, which joins when it starts. The cluster ends with\n"
             "the walltime of its job, or with `raytui down NAME`. Homes of login and compute nodes must be the same; Ray is installed\n"
             "on the login node unless `python` says where it is. `up --dry-run` shows the scripts, `doctor NAME` partitions and limits.\n",
    .config = slurm_fields,
    .check = slurm_check,
    .create = slurm_create,
    .discover_at = slurm_discover_at,
    BATCH_OPS,
};
