/* What the providers share that run Ray on machines reached by SSH: how Python and Ray are found or installed there, and
 * the shell text that does it. A script is POSIX sh, sent on stdin (rt_exec_opts.script), may be run again at any time and
 * makes nothing twice. Data reaches it as quoted words only; `python.activate` is shell by intention.
 *
 * Everything of a cluster lies in ~/.raytui/NAME/ (0700) of its head, or of the home that login and compute nodes share;
 * in scripts that is $D:
 *
 *   connection       RAY_ADDRESS=, DASHBOARD_URL=, GCS_ADDRESS= lines, written by rename when the head is ready
 *   ended            why it ended, when it ended by itself: one line
 *   head.lock/       held while somebody changes it (lock, unlock below)
 *   NODE.sh .pid .log .place .step .claim   the node's script, its process, output, addresses, what prepares it, what
 *                    holds its ports until Ray listens there
 *   watchdog/        of watchdog.h
 *
 * Python environments that raytui makes lie in ~/.raytui/.venvs/ and stay after `down`. */
#ifndef RT_PROVIDERS_FAR_H
#define RT_PROVIDERS_FAR_H

#include "providers/pools.h"

#define FAR_RAY_VERSION "2.60.0" /* newest known good; `python: {ray: ...}` chooses another */
#define FAR_DRAIN_S "5"          /* a node that is ended drains so long */

/* The first member of a provider's configuration, with FAR_FIELDS in its table. */
struct far_conf {
    struct {
        char *venv, *conda, *ray, *requirements, *index;
        struct rt_strs activate;
    } python;
    char *ray_version, *temp_dir;
    char *container;       /* "apptainer exec ray.sif": words before every ray and python there */
    struct node_size size; /* of each node, unless its pool says otherwise; resources and labels of the head */
    int64_t object_store_bytes;
    int64_t dashboard_port, client_port, gcs_port; /* 0: usual */
    int dashboard_host;    /* enum far_dashboard_host */
};
enum far_dashboard_host { FAR_LOOPBACK, FAR_NODE };
extern const struct rt_yfield far_python_fields[];
extern const char *const far_dashboard_hosts[];

/* Rows of a field table for a struct whose first member is a struct far_conf. */
#define FAR_PYTHON_FIELDS                                                                                               \
    {.key = "python", .off = 0, .type = RT_Y_STRUCT, .sub = far_python_fields, .help = "the Python that runs Ray on the hosts"}, \
    {.key = "ray_version", .form = true, .off = offsetof(struct far_conf, ray_version), .type = RT_Y_STR,                             \
     .help = "the same as `python: {ray: VERSION}`", .example = FAR_RAY_VERSION},                                       \
    {.key = "container", .off = offsetof(struct far_conf, container), .type = RT_Y_STR,                                 \
     .help = "command line before `ray` and `python` on the hosts: an image that has Ray",                              \
     .example = "apptainer exec --nv ~/ray.sif"}
#define FAR_PLACE_FIELDS                                                                                                \
    {.key = "object_store_memory", .off = offsetof(struct far_conf, object_store_bytes), .type = RT_Y_SIZE,             \
     .help = "object store of each node (default: Ray's own choice)", .example = "2GiB"},                               \
    {.key = "temp_dir", .off = offsetof(struct far_conf, temp_dir), .type = RT_Y_STR,                                   \
     .help = "where Ray's temporary directory is made (default /tmp; short: paths of sockets end at 107 bytes)",        \
     .example = "/scratch/me"},                                                                                         \
    {.key = "dashboard_port", .off = offsetof(struct far_conf, dashboard_port), .type = RT_Y_I64, .max = 65535,         \
     .help = "first port tried for the dashboard", .example = "8265"},                                                  \
    {.key = "client_port", .off = offsetof(struct far_conf, client_port), .type = RT_Y_I64, .max = 65535,               \
     .help = "first port tried for Ray clients", .example = "10001"},                                                   \
    {.key = "gcs_port", .off = offsetof(struct far_conf, gcs_port), .type = RT_Y_I64, .max = 65535,                     \
     .help = "first port tried for the GCS", .example = "6379"},                                                        \
    {.key = "dashboard_host", .off = offsetof(struct far_conf, dashboard_host), .type = RT_Y_ENUM, .names = far_dashboard_hosts, \
     .help = "where the dashboard listens: loopback (reached through SSH), or node (anyone who reaches the node may use it)", \
     .example = "loopback"}
#define FAR_FIELDS FAR_PYTHON_FIELDS, NODE_SIZE_FIELDS(far_conf, size, "each node"), FAR_PLACE_FIELDS

bool far_conf_check(const struct far_conf *far, const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx);
const char *far_version(const struct far_conf *far);  /* that is wanted; NULL: any */
bool far_login_shell(const struct far_conf *far);     /* scripts are run by `bash -l` (rt_exec_opts.login_shell) */
bool far_host_ok(const char *s);                      /* a word that can stand for a host in an ssh command line */
/* Text of the requirements file; NULL where none is configured. False when it cannot be read. */
bool far_requirements(const struct far_conf *far, char **out, struct rt_error *err);

/* ---- making scripts; each appends ---- */

/* Opens a script that is read as a whole before it runs: sets $D, the functions of far_sh_common and `within` (the
 * container's prefix, if any: within python3 -c ...). far may be NULL: no container. far_end closes it. */
void far_begin(const struct far_conf *far, const char *cluster, struct rt_buf *out);
void far_end(struct rt_buf *out);
void far_set(struct rt_buf *out, const char *name, const char *value);     /* NAME=VALUE of any text; NULL: empty */
void far_set_path(struct rt_buf *out, const char *name, const char *path); /* the same; a leading ~ is the far home */
void far_activate(const struct far_conf *far, struct rt_buf *out);         /* the lines of python.activate, then conda */
void far_container(const struct far_conf *far, struct rt_buf *out);        /* the container's words, a blank behind each */
/* Sets VERSION (to be installed where none is there), RAY (where it must be, or is looked for) and, where raytui may install
 * it, V (the virtual environment); requirements: some are configured. */
void far_where_ray(const struct far_conf *far, const char *cluster, bool requirements, struct rt_buf *out);
/* A whole script that finds or installs Python and Ray on the machine where it runs; on success it prints
 * "ray PATH", "python PATH", "address IP" (of the machine as SSH saw it; may be empty). requirements: text or NULL.
 * While it runs $D/NODE.step names its process group (stop_node ends it). */
void far_prepare(const struct far_conf *far, const char *cluster, const char *node, const char *requirements, struct rt_buf *out);
/* What `doctor` asks a machine (far_doctor.c), as a whole script: lines "MARK\tHOST\ttext" with MARK ok, warn or bad; then
 * "is\tKEY\tVALUE" for what is compared between hosts and with this machine: ray, python (versions; of what would be
 * installed where none is there), clock (seconds since 1970). `head`: its first ports are looked at too. */
void far_doctor(const struct far_conf *far, const char *cluster, const char *host, bool head, bool requirements, struct rt_buf *out);
/* "ray PATH" and the like of what far_prepare printed; a line that is not there leaves its target as it is. Frees what
 * the targets held, gives the new text; address may be NULL. */
void far_prepared(const char *text, char **ray, char **python, char **address);
/* The words of `[container] "$RAY" start ...`, on continued lines, ended by a newline; for use after `exec `. Variables
 * that must be set: RAY IP AGENT METRICS TMPDIR, for a head GCS DASHBOARD CLIENT DASHBOARD_IP, for a worker HEAD_IP GCS.
 * The head's temporary directory is $TMPDIR/r; workers have theirs from it. name NULL: "$NODE_NAME" of the shell. RAY_OPTIONS,
 * if set, holds further words. */
void far_ray_start(const struct far_conf *far, const struct node_size *size, bool head, const char *name, struct rt_buf *out);
/* PATH and the drain time that every node's script sets before far_ray_start; after $RAY is set. */
void far_node_environment(struct rt_buf *out);

/* ---- reading what scripts printed ---- */

/* Where the head is, as its `connection` file says. */
struct far_place {
    char ip[64], dashboard_ip[64];
    int gcs, dashboard, client;
    char *temp_dir;           /* of its Ray; NULL */
    char host[256], job[64];  /* of a batch job: the compute node, and the scheduler's id */
    int64_t began_s;          /* of a batch job: when this run of it wrote the place, seconds since the epoch; 0 unknown */
};
void far_place_take(struct far_place *at, const char *key, const char *value); /* of a line "place KEY VALUE" */
void far_place_clear(struct far_place *at);
/* Why a script failed: the last line that it printed as its complaint. */
void far_complaint(const struct rt_exec_result *r, struct rt_error *err);

/* far_patient.c: opens the hop, waits as long as a person may need to answer a question on the way, then runs the script; `o`
 * is copied. */
struct rt_op *far_exec_patiently(struct rt_loop *l, struct rt_hop *hop, const struct rt_exec_opts *o, rt_exec_fn *fn, void *ctx);

/* ---- far_log.c: a log there, copied to STATE/clusters/NAME/machine-NODE.log while it is read ---- */
struct far_log {
    struct rt_op *op;
    char *path;     /* the copy */
    int64_t pulled; /* bytes that are here */
    const char *note; /* of the last look, when there is nothing; NULL */
};
/* Appends "NODE\tPATH of the copy", as rt_provider_ops.machine_logs wants it. */
void far_log_named(const char *cluster, const char *node, struct rt_strs *out);
/* Fetches what is new; gives the note of the last time. `file` in words of the shell, with $D and $NODE: "$D/$NODE.log". */
const char *far_log_pull(struct far_log *l, struct rt_hop *hop, const char *cluster, const char *node, const char *file);
void far_log_drop(struct far_log *l);

/* far_shell.c: shell functions, the same for all.
 *
 * far_sh_common  die TEXT · started PID · alive FILE · lock DIR · unlock · home (makes $D)
 * far_sh_python  python_of RAY · version_of RAY · fits RAY · make_venv DIR VERSION · require FILE; uses $WANT
 * far_sh_net     net ip [PEER...] · net ports FILE FIRST... (a free port from each on, outside Ray's 10002 to 19999; then the
 *                process that keeps everybody else on the host from being told the same ones, until Ray listens to all of
 *                them or FILE is gone) · net taken PORT... (those that are) · net reach HOST PORT · net up HOST PORT (a
 *                dashboard answers); uses $PY
 * far_sh_launch  launch NODE MARK ARG... · wait_for NODE SECONDS COMMAND... · last_words NODE
 * far_sh_stop    stop_node NODE · remove_temp DIR
 * far_sh_look    prints up, coming, ended or none, then "place KEY VALUE", "ended TEXT", "life JSON" (watchdog.h)
 *                and "node NAME HOST" lines
 * far_sh_connection  connection IP GCS DASHBOARD_IP DASHBOARD CLIENT (writes $D/connection) · ended TEXT (writes $D/ended) */
extern const char far_sh_common[], far_sh_python[], far_sh_net[], far_sh_launch[], far_sh_stop[], far_sh_look[], far_sh_connection[];

#endif
