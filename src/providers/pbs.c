/* Provider `pbs`: a Ray cluster of jobs of OpenPBS or PBS Pro. What is the same for every scheduler is in batch*.c. */
#include "base/vec.h"
#include "providers/batch.h"
#include "providers/pbs.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct rt_yfield pbs_fields[] = {
    {.key = "login", .off = offsetof(struct batch_config, login), .type = RT_Y_STR, .wanted = true, .alias = {"resource", "head"},
     .help = "[user@]host of the login node, or a Host of ~/.ssh/config", .example = "me@login.hpc"},
    {.key = "account", .form = true, .alias = {"pbs_account"}, .off = offsetof(struct batch_config, ask.account), .type = RT_Y_STR,
     .help = "account that pays for the jobs (qsub -A; where the site wants a project: directives: [\"-P abc\"])", .example = "abc"},
    {.key = "queue", .alias = {"pbs_queue"}, .off = offsetof(struct batch_config, ask.queue), .type = RT_Y_STR, .wanted = true,
     .help = "queue (`raytui doctor CLUSTER` lists them)", .example = "workq"},
    {.key = "walltime", .alias = {"pbs_walltime", "time"}, .off = offsetof(struct batch_config, ask.walltime_ms), .type = RT_Y_DURATION,
     .wanted = true, .help = "how long the cluster may live: it ends with its job (default: the queue's)", .example = "4h"},
    {.key = "nodes", .alias = {"pbs_nodes"}, .off = offsetof(struct batch_config, ask.nodes), .type = RT_Y_I64, .max = 10000, .wanted = true,
     .help = "hosts of the one job that holds the head and its workers", .example = "2"},
    {.key = "cpus_per_node", .form = true, .alias = {"num_cpus_per_node", "cpus"}, .off = offsetof(struct batch_config, ask.cpus), .type = RT_Y_F64,
     .max = 100000, .help = "CPUs of each host", .example = "16"},
    {.key = "gpus_per_node", .form = true, .alias = {"num_gpus_per_node", "gpus"}, .off = offsetof(struct batch_config, ask.gpus), .type = RT_Y_F64,
     .max = 100000, .help = "GPUs of each host", .example = "4"},
    {.key = "memory_gb", .form = true, .alias = {"ray_memory_gb"}, .off = offsetof(struct batch_config, ask.memory_gb), .type = RT_Y_F64, .max = 1000000,
     .help = "memory of each host in GiB", .example = "64"},
    {.key = "select", .form = true, .alias = {"pbs_select"}, .off = offsetof(struct batch_config, ask.select), .type = RT_Y_STR,
     .help = "what qsub -l select= takes, instead of nodes, cpus_per_node, gpus_per_node and memory_gb", .example = "4:ncpus=16:mem=64gb"},
    {.key = "directives", .off = offsetof(struct batch_config, ask.directives), .type = RT_Y_STRS,
     .help = "more options of qsub, one an item", .example = "[\"-l place=excl\", \"-P abc\"]"},
    {.key = "resources", .off = offsetof(struct batch_config, ask.resources), .type = RT_Y_KVS,
     .help = "other resources of Ray on the job's hosts", .example = "{tpu: 1}"},
    {.key = "pools", .off = offsetof(struct batch_config, pools), .type = RT_Y_NODE,
     .help = "pools of workers that are jobs of their own: the fields above, and nodes (jobs that `up` submits), min, max",
     .example = "{gpu: {queue: gpuq, nodes: 2, gpus_per_node: 4}}"},
    BATCH_FIELDS_COMMON,
    {0},
};

/* ---- what a job asks for ---- */

static bool directive_sets(const struct batch_ask *ask, const char *what) {
    for (size_t i = 0; i < ask->directives.n; i++)
        if (strstr(ask->directives.v[i], what))
            return true;
    return false;
}

static void put_select(const struct batch_ask *ask, bool head, struct rt_buf *out) {
    const int64_t nodes = RT_MAX(ask->nodes, 1);
    if (ask->select && head) {
        rt_buf_addf(out, "#PBS -l select=%s\n", ask->select);
    } else if (ask->select) { /* a worker's job is one host, as the first chunk describes it */
        const char *chunk = ask->select + strspn(ask->select, "0123456789");
        chunk += *chunk == ':';
        const int length = (int)strcspn(chunk, "+");
        rt_buf_addf(out, "#PBS -l select=1%s%.*s\n", length ? ":" : "", length, chunk);
    } else {
        rt_buf_addf(out, "#PBS -l select=%lld:ncpus=%lld", (long long)nodes, ask->cpus >= 1 ? (long long)ask->cpus : 1LL);
        if (ask->memory_gb > 0)
            rt_buf_addf(out, ":mem=%lldmb", (long long)(ask->memory_gb * 1024 + 0.5));
        if (ask->gpus >= 1)
            rt_buf_addf(out, ":ngpus=%lld", (long long)ask->gpus);
        rt_buf_adds(out, "\n");
    }
    /* One Ray node a host: two chunks on one would be one. */
    if (!directive_sets(ask, "place="))
        rt_buf_adds(out, "#PBS -l place=scatter\n");
}

static void pbs_header(const struct batch_job *job, struct rt_buf *out) {
    const struct batch_ask *ask = job->ask;
    rt_buf_addf(out, "#PBS -N %s\n", job->name);
    put_select(ask, rt_streq(job->node, "head"), out);
    if (ask->walltime_ms > 0) {
        const long long s = (long long)(ask->walltime_ms / 1000);
        rt_buf_addf(out, "#PBS -l walltime=%02lld:%02lld:%02lld\n", s / 3600, s / 60 % 60, s % 60);
    }
    if (ask->queue)
        rt_buf_addf(out, "#PBS -q %s\n", ask->queue);
    if (ask->account)
        rt_buf_addf(out, "#PBS -A %s\n", ask->account);
    rt_buf_adds(out, "#PBS -j oe\n#PBS -o /dev/null\n#PBS -r n\n");
    for (size_t i = 0; i < ask->directives.n; i++)
        rt_buf_addf(out, "#PBS %s\n", ask->directives.v[i]);
}

/* Takes text. */
static bool bad(const struct rt_ynode *at, rt_yproblem_fn *problem, void *ctx, char *text) {
    struct rt_error err = {0};
    rt_ynode_error(at, &err, "%s", text);
    problem(ctx, &err);
    free(text);
    return false;
}

static bool word_ok(const char *s) {
    return !s || (*s && *s != '-' && !s[strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.:=+,@/%-")]);
}

static bool pbs_check_ask(const struct batch_ask *ask, const struct rt_ynode *at, rt_yproblem_fn *problem, void *ctx) {
    const struct {
        const char *name, *value;
    } words[] = {{"account", ask->account}, {"queue", ask->queue}, {"select", ask->select}};
    bool ok = true;
    for (size_t i = 0; i < RT_COUNT(words); i++)
        if (!word_ok(words[i].value))
            ok = bad(at, problem, ctx, rt_strf("%s: '%s' is no word that can stand in a line of #PBS", words[i].name, words[i].value));
    for (size_t i = 0; i < ask->directives.n; i++)
        if (rt_starts(ask->directives.v[i], "#"))
            ok = bad(at, problem, ctx, rt_strf("directives: '%s' is written without #PBS before it", ask->directives.v[i]));
    return ok;
}

/* ---- what a query says ---- */

static enum batch_state state_of(const struct pbs_job *j) {
    switch (j->state) {
    case 'R':
    case 'B':
        return j->comment && strstr(j->comment, " and terminated") ? BATCH_ENDING : BATCH_RUNNING;
    case 'E':
        return BATCH_ENDING;
    case 'S':
    case 'U':
        return BATCH_SUSPENDED;
    case 'F':
    case 'C':
    case 'M':
    case 'X':
        return BATCH_ENDED;
    default:
        return BATCH_QUEUED;
    }
}

/* A word for it; `plain` says more. */
static const char *reason_of(const struct pbs_job *j) {
    static const struct {
        char state;
        const char *word;
    } words[] = {{'Q', "Queued"}, {'H', "Held"}, {'W', "Waiting"}, {'S', "Suspended"}, {'U', "Suspended"}, {'T', "Moving"}};
    if (j->comment && rt_starts(j->comment, "Can Never Run"))
        return "Can Never Run";
    for (size_t i = 0; i < RT_COUNT(words); i++)
        if (words[i].state == j->state)
            return words[i].word;
    return NULL;
}

static const char *or_null(struct rt_arena *arena, const struct rt_buf *b) {
    return b->len ? rt_arena_strdup(arena, b->data) : NULL;
}

/* `server_s` is the login node's clock at the time of the query, `here_s` ours. */
static void see(const struct pbs_job *j, int64_t server_s, int64_t here_s, struct rt_arena *arena, struct batch_seen *out) {
    const int64_t asked = j->asked_s > 0 ? j->asked_s : server_s, begins = j->state == 'W' ? j->begins_s : j->estimated_s;
    struct rt_buf plain, todo;
    struct rt_strs hosts = {0};
    rt_buf_init(&plain, 2048);
    rt_buf_init(&todo, 512);
    *out = (struct batch_seen){.id = rt_arena_strdup(arena, j->id), .name = rt_arena_strdup(arena, j->name), .left_ms = -1};
    out->state = state_of(j);
    out->word = rt_arena_strf(arena, "%c", j->state ? j->state : '?');
    out->reason = reason_of(j);
    if (out->state == BATCH_ENDED) {
        pbs_end(j, &plain);
    } else {
        const enum pbs_wait wait = pbs_why(j, &plain, &todo);
        out->never = wait == PBS_NEVER;
        out->held = wait == PBS_HELD;
    }
    out->plain = or_null(arena, &plain);
    out->todo = or_null(arena, &todo);
    if (out->state == BATCH_QUEUED && begins > 0)
        out->starts_ms = RT_MAX(here_s + (begins - asked), 0) * 1000;
    if (j->walltime_s >= 0 && j->start_s > 0 && out->state != BATCH_ENDED)
        out->left_ms = RT_MAX(j->walltime_s - (asked - j->start_s), 0) * 1000;
    pbs_hosts(j->hosts, &hosts);
    out->host = hosts.n ? rt_arena_strdup(arena, hosts.v[0]) : NULL;
    rt_strs_deinit(&hosts);
    rt_buf_deinit(&plain);
    rt_buf_deinit(&todo);
}

static bool pbs_parse(const char *text, int64_t now_ms, struct batch_list *out, struct rt_error *err) {
    const char *now = strstr(text, "raytui-now ");
    long long server_s = 0, zone = 0;
    struct pbs_jobs jobs;
    char sign = '+';
    if (!text[strspn(text, " \t\r\n")]) { /* no job was asked for */
        *out = (struct batch_list){.arena = rt_arena_create()};
        return true;
    }
    if (!now || sscanf(now, "raytui-now %11lld %c%4lld", &server_s, &sign, &zone) != 3)
        return rt_error_set(err, RT_E_PROTOCOL, "what qstat printed cannot be read: %.80s", text);
    const int64_t zone_s = (zone / 100 * 3600 + zone % 100 * 60) * (sign == '-' ? -1 : 1);
    now += strcspn(now, "\n");
    pbs_jobs_read(now, strlen(now), zone_s, &jobs);
    *out = (struct batch_list){.arena = rt_arena_create()};
    out->v = rt_arena_alloc(out->arena, (jobs.n + 1) * sizeof(*out->v));
    for (size_t i = 0; i < jobs.n; i++)
        see(&jobs.v[i], server_s, now_ms / 1000, out->arena, &out->v[out->n++]);
    pbs_jobs_deinit(&jobs);
    return true;
}

static bool pbs_id_ok(const char *id) {
    char *found = id ? pbs_submitted(id) : NULL;
    const bool ok = rt_streq(found, id) && id;
    free(found);
    return ok;
}

const struct batch_dialect pbs_dialect = {
    .name = "pbs",
    .scheduler = "PBS",
    .submit = "qsub",
    .mark = "#PBS",
    .login_shell = pbs_login_shell,
    .doctor_shell = pbs_doctor_shell,
    .job_shell = pbs_job_shell,
    .header = pbs_header,
    .parse = pbs_parse,
    .id_ok = pbs_id_ok,
    .refused = pbs_refused,
    .check = pbs_check_ask,
};

/* ---- the provider ---- */

static bool pbs_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx) {
    return batch_check(&pbs_dialect, conf, problem, ctx);
}

static struct rt_provider *pbs_create(const struct rt_provider_env *env, const struct rt_cluster_conf *conf, struct rt_cluster *cluster,
                                      struct rt_error *err) {
    return batch_create(&pbs_dialect, env, conf, cluster, err);
}

static struct rt_op *pbs_discover_at(const struct rt_provider_env *env, const char *where,
                                     void (*found)(void *ctx, const char *target, const char *text),
                                     void (*done)(void *ctx, const struct rt_error *err), void *ctx) {
    return batch_discover_at(&pbs_dialect, env, where, found, done, ctx);
}

const struct rt_provider_ops rt_provider_pbs = {
    .name = "pbs",
    .summary = "a real Ray in jobs of OpenPBS or PBS Pro, submitted and ended by raytui from the login node",
    .about = "`raytui up NAME` submits one job from the login node: the head and its workers on `nodes` hosts. Each further worker\n"
             "(+ on its pool, `raytui scale NAME POOL +1`) is a job of its own, which joins when it starts. The cluster ends with\n"
             "the walltime of its job, or with `raytui down NAME`. Homes of login and compute nodes must be the same; Ray is installed\n"
             "on the login node unless `python` says where it is. `up --dry-run` shows the scripts, `doctor NAME` queues and limits.\n",
    .config = pbs_fields,
    .check = pbs_check,
    .create = pbs_create,
    .discover_at = pbs_discover_at,
    BATCH_OPS,
};
