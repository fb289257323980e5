/* The table of verbs. A key, a `:` line, a command line, a help entry, a completion: all are spellings of a row. */
#include "app/act.h"

static const struct rt_option up_options[] = {
    {"dry-run", 0, NULL, "print what would be done, do nothing", false},
    {"keep", 0, NULL, "leave what was made when it fails or times out", false},
    {"timeout", 0, "D", "give up after this time (30m)", false},
    {0},
};
static const struct rt_option forward_options[] = {
    {"local-port", 0, "N", "listen on this port of 127.0.0.1", false},
    {0},
};
static const struct rt_option env_options[] = {
    {"jobs", 0, NULL, "RAY_ADDRESS=http://... for the job commands of old Rays", false},
    {"host", 0, NULL, "as seen from the head's host, as in ~/.raytui/CLUSTER/connection there", false},
    {0},
};
static const struct rt_option scale_options[] = {
    {"min", 0, "N", "smallest size of the pool", false},
    {"max", 0, "N", "largest size of the pool", false},
    {0},
};
static const struct rt_option remove_pool_options[] = {
    {"now", 0, NULL, "do not wait for what runs there", false},
    {0},
};
/* What a job is: of `submit` and `run`. */
#define JOB_OPTIONS \
    {"working-dir", 0, "DIR", "goes along; the job starts in it (also a .zip or a URI)", false}, \
    {"runtime-env", 0, "FILE", "runtime environment, YAML or JSON", false}, \
    {"runtime-env-json", 0, "TEXT", "the same as JSON text", false}, \
    {"env", 'e', "K=V", "environment variable of the job", true}, \
    {"exclude", 0, "PATTERN", "leave out of the working directory (as in .gitignore)", true}, \
    {"py-module", 0, "DIR", "importable directory that goes along", true}, \
    {"entrypoint", 0, "LINE", "the command as one shell line, instead of -- CMD", false}, \
    {"entrypoint-num-cpus", 0, "N", "CPUs for the entrypoint", false}, \
    {"entrypoint-num-gpus", 0, "N", "GPUs for the entrypoint", false}, \
    {"entrypoint-memory", 0, "SIZE", "memory for the entrypoint, in bytes or with a unit", false}, \
    {"entrypoint-resources", 0, "JSON", "other resources for the entrypoint: {\"name\": 1}", false}, \
    {"metadata", 0, "K=V", "metadata of the job", true}, \
    {"metadata-json", 0, "JSON", "the same as a JSON object", false}, \
    {"submission-id", 0, "ID", "instead of one made by raytui", false}

static const struct rt_option submit_options[] = {
    JOB_OPTIONS,
    {"template", 0, "NAME", "the command of `entrypoints` of the cluster; what follows -- is appended", false},
    {"from", 0, "JOB", "as this job was submitted; other options win", false},
    {"wait", 0, NULL, "stay, follow the log, end with the job's own end", false},
    {"no-wait", 0, NULL, "return when it is submitted (the default)", false},
    {"dry-run", 0, NULL, "print the request and what looks wrong, send nothing", false},
    {"show-env", 0, NULL, "do not mask env_vars", false},
    {0},
};
static const struct rt_option run_options[] = {
    {"keep", 0, NULL, "leave the cluster at the end", false},
    {"timeout", 0, "D", "how long the cluster may take to come up (30m)", false},
    {"lost", 0, "D", "how long it may be out of reach while the job runs (5m)", false},
    {"dry-run", 0, NULL, "print what would be made, make nothing", false},
    JOB_OPTIONS,
    {0},
};
static const struct rt_option pod_options[] = {
    {"describe", 0, NULL, "its state and events as kubectl tells them (the default)", false},
    {"yaml", 0, NULL, "the object", false},
    {"events", 0, NULL, "its events", false},
    {"log", 0, NULL, "the logs of all its containers, or of POD/CONTAINER", false},
    {"previous", 0, NULL, "the log of the container that ran before", false},
    {"follow", 'f', NULL, "the log as it comes", false},
    {0},
};
static const struct rt_option stop_options[] = {
    {"no-wait", 0, NULL, "ask, and do not wait for the end", false},
    {0},
};
static const struct rt_option log_options[] = {
    {"follow", 'f', NULL, "go on until the job ends", false},
    {"lines", 'n', "N", "only the last N lines", false},
    {"all", 0, NULL, "the driver and all workers of the job, by time", false},
    {"workers", 0, NULL, "all workers of the job, by time", false},
    {"search", 0, "REGEX", "lines that match, of all logs of the jobs or nodes, or of the cluster", false},
    {"cached", 0, NULL, "what was seen of it, without asking the cluster; without a name: what there is", false},
    {"machine", 0, "NAME", "what a node, or the last one of a pool, wrote while Ray started there (head)", false},
    {"file", 0, "FILE", "a file of this machine", false},
    {"view", 0, NULL, "in the log view", false},
    {0},
};
static const struct rt_option wait_options[] = {
    {"up", 0, NULL, "wait until the cluster answers", false},
    {"timeout", 0, "D", "give up after this time", false},
    {0},
};
static const struct rt_option list_options[] = {
    {"show-env", 0, NULL, "do not mask env_vars", false},
    {"filter", 0, "TEXT", "only rows that contain it", false},
    {"sort", 0, "COLUMN", "by this column; -COLUMN descending", false},
    {0},
};
static const struct rt_option stack_options[] = {
    {"native", 0, NULL, "frames of C and C++ too", false},
    {"save", 0, "FILE", "to this file (-: stdout)", false},
    {0},
};
static const struct rt_option profile_options[] = {
    {"duration", 0, "D", "how long to measure, up to 60s (5s, memory 10s)", false},
    {"format", 0, "F", "raw (collapsed stacks), flamegraph, speedscope; memory: flamegraph, table", false},
    {"memory", 0, NULL, "who holds memory, instead of CPU time", false},
    {"native", 0, NULL, "frames of C and C++ too", false},
    {"save", 0, "FILE", "to this file (-: stdout)", false},
    {0},
};
static const struct rt_option init_options[] = {
    {"force", 0, NULL, "overwrite the file", false},
    {0},
};

const struct rt_action_def rt_actions[] = {
    {"attach", "TARGET", "open a cluster: a name, local, http://HOST:8265, ssh://[USER@]HOST", RT_ON_CLUSTER, 0,
     RT_CONFIRM_NONE, false, NULL, NULL, 0, NULL, NULL, run_attach},
    {"discover", "[WHERE]", "look for Ray clusters on this machine, or at kube://CONTEXT", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, NULL, "discover", 0,
     NULL, NULL, NULL},
    {"init", "PROVIDER [NAME] [KEY=VALUE...]", "write a commented configuration of a new cluster", RT_ON_NOTHING, 0, RT_CONFIRM_NONE,
     false, init_options, NULL, 0, NULL, NULL, run_init},
    {"up", "CLUSTER", "bring the cluster up", RT_ON_CLUSTER, RT_CAP_UP, RT_CONFIRM_YES_NO, true, up_options, NULL, 0, NULL,
     ask_up, run_up},
    {"down", "CLUSTER", "tear the cluster down and free its machines", RT_ON_CLUSTER, RT_CAP_DOWN, RT_CONFIRM_TYPE_NAME,
     true, NULL, NULL, 0, NULL, ask_down, run_down},
    {"keepalive", "CLUSTER", "start the idle time of the cluster anew", RT_ON_CLUSTER, RT_CAP_KEEPALIVE, RT_CONFIRM_NONE, true,
     NULL, NULL, 0, NULL, NULL, run_keepalive},
    {"forget", "CLUSTER", "take the cluster off the list; nothing is ended", RT_ON_CLUSTER, 0, RT_CONFIRM_YES_NO, false,
     NULL, NULL, 0, ready_forget, NULL, run_forget},
    {"forward", "CLUSTER [PORT...] [-- CMD]", "carry ports of the head to this machine", RT_ON_CLUSTER, 0, RT_CONFIRM_NONE,
     false, forward_options, NULL, 0, NULL, NULL, run_forward},
    {"unforward", "FORWARD", "close a forward", RT_ON_FORWARD, 0, RT_CONFIRM_NONE, false, NULL, NULL, 0, NULL, NULL,
     run_unforward},
    {"env", "CLUSTER", "print export lines for Ray's own tools", RT_ON_CLUSTER, 0, RT_CONFIRM_NONE, false, env_options, NULL,
     0, NULL, NULL, run_env},
    {"scale", "CLUSTER POOL N|+N|-N", "change the number of nodes of a pool", RT_ON_POOL, RT_CAP_SCALE, RT_CONFIRM_NONE,
     true, scale_options, NULL, 1, ready_scale, ask_scale, run_scale},
    {"add-pool", "CLUSTER NAME [KEY=VALUE...]", "add a pool; of what, is said with it (like=POOL, replicas=2)",
     RT_ON_CLUSTER, RT_CAP_ADD_POOL, RT_CONFIRM_YES_NO, true, NULL, NULL, 0, NULL, ask_add_pool, run_add_pool},
    {"remove-pool", "CLUSTER POOL", "make a pool empty and take it away", RT_ON_POOL, RT_CAP_REMOVE_POOL, RT_CONFIRM_YES_NO, true,
     remove_pool_options, NULL, 0, NULL, ask_remove_pool, run_remove_pool},
    {"suspend", "CLUSTER", "let the machines go and keep what the cluster is", RT_ON_CLUSTER, RT_CAP_SUSPEND, RT_CONFIRM_YES_NO, true, NULL,
     NULL, 0, NULL, ask_suspend, run_suspend},
    {"resume", "CLUSTER", "bring a suspended cluster back", RT_ON_CLUSTER, RT_CAP_SUSPEND, RT_CONFIRM_YES_NO, true, NULL, NULL, 0, NULL,
     ask_suspend, run_suspend},
    {"remove-node", "CLUSTER NODE", "end one node", RT_ON_NODE, RT_CAP_REMOVE_NODE, RT_CONFIRM_YES_NO, true, NULL, NULL, 0,
     NULL, ask_remove_node, run_remove_node},
    {"shell", "CLUSTER [NODE]", "a shell on the head or a node", RT_ON_NODE, RT_CAP_SHELL, RT_CONFIRM_NONE, false, NULL,
     NULL, 0, ready_shell, NULL, NULL},
    {"exec", "CLUSTER [NODE] -- CMD...", "run a command on the head or a node, end as it ends", RT_ON_NODE, RT_CAP_SHELL, RT_CONFIRM_NONE, true,
     NULL, NULL, 0, ready_shell, NULL, NULL},
    {"cp", "SRC DST", "copy files; CLUSTER[/NODE]:PATH is one there", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, true, NULL, NULL, 2, NULL, NULL, NULL},
    {"suspend-rayjob", "CLUSTER RAYJOB", "end the cluster of a RayJob and keep the RayJob", RT_ON_RAYJOB, RT_CAP_RAYJOBS, RT_CONFIRM_YES_NO, true,
     NULL, NULL, 0, ready_change, ask_change, run_change},
    {"resume-rayjob", "CLUSTER RAYJOB", "begin a suspended RayJob again, on a new cluster", RT_ON_RAYJOB, RT_CAP_RAYJOBS, RT_CONFIRM_YES_NO, true,
     NULL, NULL, 0, ready_change, ask_change, run_change},
    {"delete-rayjob", "CLUSTER RAYJOB", "delete a RayJob, with the cluster that was made for it", RT_ON_RAYJOB, RT_CAP_RAYJOBS,
     RT_CONFIRM_TYPE_NAME, true, NULL, NULL, 0, ready_change, ask_change, run_change},
    {"delete-rayservice", "CLUSTER RAYSERVICE", "delete a RayService with its clusters", RT_ON_RAYSERVICE, RT_CAP_RAYSERVICES,
     RT_CONFIRM_TYPE_NAME, true, NULL, NULL, 0, ready_change, ask_change, run_change},
    {"edit", "CLUSTER", "the RayCluster in $EDITOR; the API server validates it", RT_ON_CLUSTER, RT_CAP_EDIT, RT_CONFIRM_NONE, true,
     NULL, NULL, 0, NULL, NULL, NULL},
    {"pod", "CLUSTER [POD[/CONTAINER]]", "the pods of a RayCluster, or one of them: state, object, events, logs", RT_ON_CLUSTER,
     RT_CAP_PODS, RT_CONFIRM_NONE, false, pod_options, NULL, 0, NULL, NULL, NULL},
    {"submit", "[OPTIONS] -- CMD...", "submit a job", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, true, submit_options, NULL, 0, NULL,
     NULL, run_submit},
    {"run", "--cluster SPEC [OPTIONS] -- CMD...", "a job on a cluster of its own, made for it and torn down after it", RT_ON_NOTHING,
     0, RT_CONFIRM_NONE, true, run_options, NULL, 0, NULL, NULL, run_work},
    {"stop", "JOB...", "stop jobs", RT_ON_JOB, 0, RT_CONFIRM_YES_NO, true, stop_options, NULL, 0, ready_stop, ask_stop,
     run_stop},
    {"delete", "JOB...", "delete the records of ended jobs", RT_ON_JOB, 0, RT_CONFIRM_YES_NO, true, NULL, NULL, 0,
     ready_delete, ask_delete, run_delete},
    {"logs", "JOB | NODE/FILE...", "print or follow logs; several are merged by time", RT_ON_JOB, 0, RT_CONFIRM_NONE, false, log_options, "log", 0, NULL,
     NULL, NULL},
    {"wait", "JOB | CLUSTER --up", "wait for a job's end, or for a cluster", RT_ON_JOB, 0, RT_CONFIRM_NONE, false,
     wait_options, NULL, 0, NULL, NULL, NULL},
    {"show", "[CLUSTER] [POOL|NODE|JOB]", "one thing with all that is known of it", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false,
     list_options, "detail", 0, NULL, NULL, NULL},
    {"why", "[CLUSTER] [THING]", "why a job, actor, placement group, task, pool or node waits, failed or stays", RT_ON_NOTHING, 0,
     RT_CONFIRM_NONE, false, NULL, "why", 0, NULL, NULL, NULL},
    {"stack", "ACTOR|TASK|WORKER|NODE/PID", "what a process is doing now: its stack", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false,
     stack_options, "profile", 0, NULL, NULL, NULL},
    {"profile", "ACTOR|TASK|WORKER|NODE/PID", "where a process' CPU time or memory goes, to a file", RT_ON_NOTHING, 0,
     RT_CONFIRM_NONE, false, profile_options, "profile", 0, NULL, NULL, NULL},
    {"ls", "", "list the clusters", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, list_options, "clusters", 0, NULL, NULL, NULL},
    {"clusters", "", "list the clusters", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, list_options, "clusters", 0, NULL, NULL,
     NULL},
    {"pools", "[CLUSTER]", "list the pools of a cluster", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, list_options, "pools", 0,
     NULL, NULL, NULL},
    {"nodes", "[CLUSTER]", "list the nodes of a cluster", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, list_options, "nodes", 0,
     NULL, NULL, NULL},
    {"jobs", "[CLUSTER]", "list the jobs of a cluster", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, list_options, "jobs", 0,
     NULL, NULL, NULL},
    {"actors", "[CLUSTER]", "list the actors of a cluster", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, list_options, "actors", 0, NULL, NULL,
     NULL},
    {"tasks", "[CLUSTER]", "list the tasks that run, wait or failed", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, list_options, "tasks", 0, NULL, NULL,
     NULL},
    {"pgs", "[CLUSTER]", "list the placement groups", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, list_options, "pgs", 0, NULL, NULL,
     NULL},
    {"serve", "[CLUSTER]", "list Serve applications and deployments", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, list_options, "serve", 0, NULL, NULL,
     NULL},
    {"envs", "[CLUSTER]", "list runtime environments and how their making went", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, list_options, "envs", 0, NULL, NULL,
     NULL},
    {"workers", "[CLUSTER]", "list worker processes", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, list_options, "workers", 0, NULL, NULL,
     NULL},
    {"events", "[CLUSTER]", "list what the autoscaler and jobs reported", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, list_options, "events", 0, NULL, NULL,
     NULL},
    {"pods", "[CLUSTER]", "list the pods of a RayCluster and their containers", RT_ON_NOTHING, RT_CAP_PODS, RT_CONFIRM_NONE, false, list_options,
     "pods", 0, NULL, NULL, NULL},
    {"rayjobs", "[CLUSTER]", "list the RayJobs in the namespaces of a RayCluster", RT_ON_NOTHING, RT_CAP_RAYJOBS, RT_CONFIRM_NONE, false,
     list_options, "rayjobs", 0, NULL, NULL, NULL},
    {"rayservices", "[CLUSTER]", "list the RayServices in the namespaces of a RayCluster", RT_ON_NOTHING, RT_CAP_RAYSERVICES, RT_CONFIRM_NONE,
     false, list_options, "rayservices", 0, NULL, NULL, NULL},
    {"job", "JOB", "one job with all that is known of it", RT_ON_JOB, 0, RT_CONFIRM_NONE, false, list_options, "detail", 0,
     NULL, NULL, NULL},
    {"forwards", "", "list the forwards", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, NULL, "forwards", 0, NULL, NULL, NULL},
    {"operations", "", "list what raytui does and did", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, NULL, "operations", 0, NULL,
     NULL, NULL},
    {"check", "[NAME|FILE]", "read the configuration and list its problems", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, NULL,
     NULL, 0, NULL, NULL, NULL},
    {"doctor", "[CLUSTER]", "what is here, what is missing, what answers", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, NULL,
     "doctor", 0, NULL, NULL, NULL},
    {"keys", "", "print the keys of the screen", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, NULL, "help", 0, NULL, NULL, NULL},
    {"stats", "[CLUSTER]", "what watching costs the head", RT_ON_NOTHING, 0, RT_CONFIRM_NONE, false, NULL, "stats", 0, NULL,
     NULL, NULL},
    {0},
};
