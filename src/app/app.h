/* The program without a face: clusters, their sessions, what is polled, actions. The screen and the command
 * line are two callers of this header. Loop thread only.
 *
 *   target ─► cluster in the store ─► attach: provider, hop, Ray client, pollers ─► store
 *   action ─► provider or Ray client ─► operation ─► store */
#ifndef RT_APP_APP_H
#define RT_APP_APP_H

#include "core/config.h"
#include "core/logbuf.h"
#include "core/operation.h"
#include "core/provider.h"
#include "core/store.h"
#include "core/why.h"
#include "net/ask.h"
#include "net/loop.h"

struct rt_app_opts {
    const char *config_path;      /* NULL: the usual place */
    bool readonly;
    bool ascii;
    int64_t refresh_ms;           /* 0: as configured */
    const struct rt_asker *asker; /* keeps; NULL: nobody answers */
    bool snapshots;               /* load and save last known states (the screen) */
};

/* Members are read by faces; changed only here. */
struct rt_app {
    struct rt_loop *loop;
    struct rt_store *store;
    struct rt_operations *operations;
    struct rt_config *config;
    const struct rt_asker *asker;
    bool readonly;
    struct rt_app_private *p;
};

/* The configuration as the program reads it: rt_config_load, and no cluster has a verb's name. Gives it. */
struct rt_config *rt_app_config(const char *path);

struct rt_app *rt_app_create(const struct rt_app_opts *o, struct rt_error *err);
void rt_app_destroy(struct rt_app *a);

/* What a person typed as TARGET: a configured name, "local", http(s)://…, ssh://…, a host:port, a file. Adds the
 * cluster to the store if it is new; gives its name (the store's), or NULL with what could have been meant. */
const char *rt_app_target(struct rt_app *a, const char *target, struct rt_error *err);
/* The cluster that is meant when none was named: RAYTUI_CLUSTER, RAY_API_SERVER_ADDRESS, RAY_ADDRESS, `default:`,
 * the only one there is; else an error that lists the names. */
const char *rt_app_default_cluster(struct rt_app *a, struct rt_error *err);
/* Reads the configuration again; running sessions stay. False: it has problems (a->config->problems). */
bool rt_app_reload(struct rt_app *a);
/* Shortest pause between two polls, of clusters that configure none; for this run. */
void rt_app_set_refresh(struct rt_app *a, int64_t ms);

/* Opens the way to a cluster and begins to look at it. Coming true is seen in the store (reach, topics).
 * `may_ask`: questions may be put to the person now. Again on an attached one: tries now. */
bool rt_app_attach(struct rt_app *a, const char *cluster, bool may_ask, struct rt_error *err);
/* `raytui local`: brings a cluster up that is down, where its provider does that unasked; else nothing. */
bool rt_app_start(struct rt_app *a, const char *cluster, struct rt_error *err);
bool rt_app_attached(const struct rt_app *a, const char *cluster);
/* A cluster that cannot be reached: its last known state into the store. False: the store has data of its own, or nothing is known. */
bool rt_app_recall(struct rt_app *a, const char *cluster);
/* Attaches every configured cluster with `attach: auto`, as far as that needs no question. */
void rt_app_attach_all(struct rt_app *a);

/* What somebody looks at now, as RT_TOPIC_BITs: decides who is polled when. `listed`: its row stands in a list
 * of clusters. Calls replace each other, per cluster. */
void rt_app_look(struct rt_app *a, const char *cluster, uint32_t topics, bool listed);
/* Now, resetting back-off (^R); topics 0: everything looked at. */
void rt_app_poke(struct rt_app *a, const char *cluster, uint32_t topics);

/* Attaches, looks, and waits for a first answer (or failure) of every topic: what a one-shot command does. The
 * error is the first failure. RT_E_TIMEOUT after timeout_ms (0: 15 s). */
typedef void rt_app_wait_fn(void *ctx, const struct rt_error *err);
struct rt_op *rt_app_wait(struct rt_app *a, const char *cluster, uint32_t topics, int64_t timeout_ms, rt_app_wait_fn *fn,
                          void *ctx);

/* Is it known what the cluster is? Not while `provider: auto` has not looked. rt_app_settle attaches it and waits until it is. */
bool rt_app_settled(const struct rt_app *a, const char *cluster);
struct rt_op *rt_app_settle(struct rt_app *a, const char *cluster, rt_app_wait_fn *fn, void *ctx);

/* ---- forwards ---- */
/* `port` "8265", "10001", "HOST:PORT" or NULL for the configured ones; local_port 0: by the usual rules. */
bool rt_app_forward(struct rt_app *a, const char *cluster, const char *port, int local_port, struct rt_error *err);
bool rt_app_forward_close(struct rt_app *a, const char *forward_id, struct rt_error *err);
/* Are the configured forwards of the cluster open? */
bool rt_app_forwarded(const struct rt_app *a, const char *cluster);
/* `export` lines (RAY_ADDRESS, RAY_API_SERVER_ADDRESS, DASHBOARD_URL, RAY_AUTH_TOKEN_PATH); jobs: RAY_ADDRESS=http://…
 * only, for old Rays. False when no forward is open and the cluster cannot be reached directly: hint says how. */
bool rt_app_env(struct rt_app *a, const char *cluster, bool jobs, struct rt_buf *out, struct rt_error *err);
/* What speaks against ray:// from this machine: another Ray or Python here (`client_python`) than there, or a port that does
 * not answer; NULL: nothing that is known. NULL op: no such cluster. */
typedef void rt_app_client_fn(void *ctx, const char *problem);
struct rt_op *rt_app_client(struct rt_app *a, const char *cluster, rt_app_client_fn *fn, void *ctx);
/* Where the dashboard is seen from this machine; appends. False as rt_app_env. */
bool rt_app_web(struct rt_app *a, const char *cluster, struct rt_buf *out, struct rt_error *err);
/* The addresses as seen from the head's host. */
bool rt_app_env_host(struct rt_app *a, const char *cluster, struct rt_buf *out, struct rt_error *err);
/* The connection card: addresses, equivalent ssh command, lines to paste. */
void rt_app_card(struct rt_app *a, const char *cluster, struct rt_buf *out);

/* ---- logs ---- */
/* What an actor, a task's worker or any process of a node (id "NODE/PID") wrote is in a file that is looked for first. */
enum rt_log_what {
    RT_LOG_JOB, RT_LOG_NODE_FILE, RT_LOG_OPERATION, RT_LOG_FILE, RT_LOG_ACTOR, RT_LOG_TASK, RT_LOG_PROCESS,
    RT_LOG_MERGED, /* several sources by time (core/logmerge.h) */
    RT_LOG_SEARCH, /* the lines of all of them that match, with their place */
    RT_LOG_KEPT,   /* from the cache alone: id "NODE/FILE", or a job */
    RT_LOG_POD,    /* of a container: id "POD/CONTAINER"; file "previous": what ran there before */
    RT_LOG_MACHINE /* what a machine wrote while Ray started there: id is its node's name, or a pool: its last node */
};
/* Of a merged log: a job's driver, all of its workers that write a file, or files of nodes. Sources that come while it
 * is followed come in. */
enum rt_log_part_what { RT_LOG_PART_DRIVER, RT_LOG_PART_WORKERS, RT_LOG_PART_FILES };
struct rt_log_part {
    enum rt_log_part_what what;
    const char *id;   /* job; node, or NULL: all nodes */
    const char *glob; /* of files */
};
struct rt_log_target {
    enum rt_log_what what;
    const char *cluster, *id; /* job, node, operation, or path of a local file; merged: what it is called */
    const char *file;         /* of a node; "err": what a process wrote there, not on its output */
    const struct rt_log_part *parts; /* merged, or searched */
    size_t nparts;
    const char *regex; /* of a search */
};
/* What words mean: "JOB", "NODE/FILE" (NODE may be "*", FILE a pattern: all of them). `driver` and `workers`: what is
 * wanted of a job. With `regex` (kept, not copied) it is a search: there a node's name alone is all of its files, and no word at
 * all those of every node; else one word that means one log gives that. False: nothing is called that. */
struct rt_log_words {
    struct rt_log_target target;
    struct rt_strs strings; /* owns what target and parts point to */
    struct rt_log_part parts[32];
};
bool rt_log_words(const struct rt_cluster *c, const struct rt_strs *words, bool driver, bool workers, const char *regex,
                  struct rt_log_words *out, struct rt_error *err);
void rt_log_words_deinit(struct rt_log_words *w);

struct rt_log; /* a log being read into a logbuf; closing it closes the buffer */
struct rt_log_status {
    bool following, ended, failed;
    bool silent;            /* it was asked, and there is nothing yet: `text` says so */
    char text[200];         /* "following", "waiting: …", "lost (…), retry in 4 s", "ended: SUCCEEDED" */
    double lines_per_s;
    int job_status;         /* when ended: enum rt_job_status, else 0 */
    struct rt_error error;  /* when failed */
};
struct rt_log *rt_log_open_target(struct rt_app *a, const struct rt_log_target *t, bool follow, rt_loop_fn *change, void *ctx,
                                  struct rt_error *err);
void rt_log_close_target(struct rt_log *l); /* NULL is fine */
struct rt_logbuf *rt_log_buffer(struct rt_log *l);
const struct rt_log_status *rt_log_status(const struct rt_log *l);
void rt_log_retry(struct rt_log *l); /* reconnects now */
const char *rt_log_kept_path(const struct rt_log *l); /* of RT_LOG_KEPT and RT_LOG_MACHINE: the file; lent */
/* The sources of a merged log; 0 of any other. */
struct rt_log_source {
    const char *name;  /* as in front of its lines, "(train pid=12, ip=10.0.0.3) "; lent */
    const char *ident; /* the part of it that never changes, "pid=12, ip=10.0.0.3" */
    const char *state; /* "following", "ended", "not read", ... */
    int64_t lines;     /* that are in the log */
    bool shown;
};
size_t rt_log_sources(const struct rt_log *l);
struct rt_log_source rt_log_source_at(const struct rt_log *l, size_t i);
/* Its lines are seen, or are not; one that was not read is read from now on. */
void rt_log_source_show(struct rt_log *l, size_t i, bool shown);
/* Where a line of a search's result stands: the log, and the line in it (from 0). Lent. */
bool rt_log_hit(const struct rt_log *l, int64_t number, struct rt_log_target *out, int64_t *line);
int64_t rt_log_hits(const struct rt_log *l); /* -1: no search */
/* Names of the log files of a node. NULL with the reason when they cannot be asked for. */
typedef void rt_log_files_fn(void *ctx, const struct rt_strs *names, const struct rt_error *err);
struct rt_op *rt_app_log_files(struct rt_app *a, const char *cluster, const char *node_id, rt_log_files_fn *fn, void *ctx,
                               struct rt_error *err);
/* Logs of a node that the cache has; of the whole cluster as "NODE/FILE" (NULL). */
void rt_app_logs_kept(struct rt_app *a, const char *cluster, const char *node_id, struct rt_strs *names);
/* Bytes as they come, instead of into the buffer (the command line prints them). */
void rt_log_on_data(struct rt_log *l, void (*fn)(void *ctx, const char *data, size_t n), void *ctx);

/* ---- why ---- */
/* Why something waits, failed or stays (core/why.h), with what was submitted and asked from here. */
bool rt_app_why(struct rt_app *a, const char *cluster, enum rt_why_kind k, const char *id, struct rt_why *out,
                struct rt_error *err);

/* ---- first run, discovery ---- */
struct rt_found {
    char *target; /* what rt_app_target takes */
    char *text;   /* "a Ray cluster on 127.0.0.1:8265 (2.60.0, 1 node)" */
    char *key;    /* "Enter attaches" */
    const struct rt_error *error; /* instead of a finding: what could not be seen; else NULL */
};
/* Looks on this machine only. `fn` per finding, then once with NULL. */
typedef void rt_found_fn(void *ctx, const struct rt_found *f);
struct rt_op *rt_app_discover(struct rt_app *a, rt_found_fn *fn, void *ctx);
/* The same at a place, which is contacted: kube://[CONTEXT][/NAMESPACE], kube://"*" for all contexts. */
struct rt_op *rt_app_discover_at(struct rt_app *a, const char *where, rt_found_fn *fn, void *ctx);
/* The same kept up to date until it is cancelled (core/provider.h). NULL: what is there can only be looked at once. */
struct rt_op *rt_app_watch_at(struct rt_app *a, const char *where, rt_seen_fn *fn, void *ctx);
/* What may stand in a field of a new cluster of this provider, or of a new pool of `cluster` (core/provider.h: choices). NULL:
 * nothing is known of it. */
struct rt_op *rt_app_choices(struct rt_app *a, const struct rt_provider_ops *ops, const char *cluster, const char *field,
                             void (*done)(void *ctx, const struct rt_strs *words, const struct rt_error *err), void *ctx);
/* Is this a place to look at, and not a cluster to attach to? */
bool rt_app_is_place(const char *target);

/* argv of an interactive shell on the head (node NULL) or a node, for whoever owns the terminal to run. */
bool rt_app_shell(struct rt_app *a, const char *cluster, const char *node, struct rt_strs *argv, struct rt_error *err);
/* The same of one command there, which gets our stdin and gives its own exit status. */
bool rt_app_exec(struct rt_app *a, const char *cluster, const char *node, const struct rt_strs *command, struct rt_strs *argv,
                 struct rt_error *err);
/* argv that copies a file or a directory; one of the two is "CLUSTER[/NODE]:PATH". */
bool rt_app_copy(struct rt_app *a, const char *from, const char *to, struct rt_strs *argv, struct rt_error *err);
/* The cluster that one of them names, and whether it names a node too; NULL: none does. Borrowed from the store. */
const char *rt_app_copy_cluster(struct rt_app *a, const char *from, const char *to, bool *node);

/* The cluster that a row of RayJobs or RayServices leads to (its `where` and `fields`): the one that is there, or a new one.
 * Its name in the store; NULL with the reason. */
const char *rt_app_beside(struct rt_app *a, const char *where, const char *fields, struct rt_error *err);

/* argv of a program for the terminal about the cluster's own objects: what `edit` and `pod` run (core/provider.h: tool). */
bool rt_app_tool(struct rt_app *a, const char *cluster, const char *what, const char *arg, struct rt_strs *argv, struct rt_error *err);

/* Raw answer behind a row (`Y`): pretty JSON as received. */
typedef void rt_raw_fn(void *ctx, const char *text, const struct rt_error *err);
struct rt_op *rt_app_raw(struct rt_app *a, const char *cluster, const char *table, const char *id, rt_raw_fn *fn, void *ctx);

/* Route statistics of a cluster as a text table (`:stats`). */
void rt_app_stats(struct rt_app *a, const char *cluster, struct rt_buf *out);
/* What is here and what is missing (`doctor` without a cluster): appends clean lines "ok|warn|bad  text". */
void rt_app_doctor(struct rt_app *a, struct rt_buf *out);
/* The same of the far side of a cluster: `lines` as above; empty where its provider cannot tell. NULL `lines`: the error. */
typedef void rt_doctor_fn(void *ctx, const char *lines, const struct rt_error *err);
struct rt_op *rt_app_doctor_far(struct rt_app *a, const char *cluster, rt_doctor_fn *fn, void *ctx);
/* Is it a YAML of Ray's launcher (and no configuration of raytui)? */
bool rt_app_is_launcher_file(const char *path);
/* What `ray up` would refuse in it, and what it takes otherwise than it was meant. `again`: what the configuration that names it
 * tells is told already. */
void rt_app_check_launcher_file(const char *path, bool again, rt_yproblem_fn *problem, rt_yproblem_fn *warning, void *ctx);
/* The commented configuration that `init` writes. */
void rt_app_init_text(const char *name, const struct rt_provider_ops *ops, const struct rt_strs *set, struct rt_buf *out);
/* The files that are written besides, named from its directory (rt_provider_ops.init). Deinit in any case. */
bool rt_app_init_files(const char *name, const struct rt_provider_ops *ops, const struct rt_strs *set, struct rt_init_files *out,
                       struct rt_error *err);
/* Fields that a form asks for, in the order of the provider's table; at most `max` of them. A field in a map has the keys of
 * both: "python.venv". */
struct rt_init_field {
    char key[48];
    const struct rt_yfield *field;
};
size_t rt_app_init_fields(const struct rt_provider_ops *ops, struct rt_init_field *out, size_t max);
/* Would it do as it is? Says what is wrong first. */
bool rt_app_init_check(const char *name, const struct rt_provider_ops *ops, const struct rt_strs *set, struct rt_error *err);

#endif
