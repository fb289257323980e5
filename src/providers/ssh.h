/* Inside the provider `ssh` only: a Ray over hosts that are reached by SSH, of processes that raytui started there.
 *
 * What is done on a host is a POSIX shell script sent on stdin (ssh_script.c); it may be run again at any time and
 * makes nothing twice. Everything of a cluster lies in ~/.raytui/NAME/ of the host, processes are ended by pid, start
 * time, session and a mark in their environment. The head's directory knows the nodes: any laptop finds them there. */
#ifndef RT_PROVIDERS_SSH_H
#define RT_PROVIDERS_SSH_H

#include "providers/watchdog.h"

struct ssh_config {
    struct far_conf far;
    char *head;
    struct rt_strs workers;
    const struct rt_ynode *pools;
};
extern const struct rt_yfield ssh_fields[];

bool ssh_pools_read(const struct rt_cluster_conf *conf, struct pool_confs *out, rt_yproblem_fn *problem, void *ctx);
bool ssh_conf_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx);
/* With the head's user in front where the host names none; gives it. */
char *ssh_host_target(const struct ssh_config *own, const char *host);

/* Where the head listens. */
/* ---- ssh_script.c: what is run where; each appends a whole script ---- */
struct ssh_script {
    const char *cluster;
    const struct ssh_config *own;
    const char *requirements;    /* text of the file; NULL */
    const char *node;            /* "head", "cpu-1" */
    const struct pool_conf *pool; /* NULL: the head */
    const char *ray, *python;    /* programs on that host, as prepare told */
    const struct far_place *place;
    const struct watchdog_opts *life; /* of the head; NULL: nothing ends it by itself */
    const char *mark;            /* this very cluster: letters and digits */
    const struct rt_strs *peers; /* addresses of hosts that will talk to the head */
};
void ssh_script_prepare(const struct ssh_script *s, struct rt_buf *out);
void ssh_script_start(const struct ssh_script *s, struct rt_buf *out);
void ssh_script_stop(const struct ssh_script *s, struct rt_buf *out);
/* On the head, by its watchdog: ends the head and leaves the reason; workers end when they miss it. */
void ssh_script_end(const char *cluster, struct rt_buf *out);
void ssh_script_look(const char *cluster, struct rt_buf *out);
/* On the head: its list of nodes. host NULL: the node is taken off. */
void ssh_script_book(const char *cluster, const char *node, const char *host, struct rt_buf *out);
/* The script of the node itself, which ends in `ray start --block`. */
void ssh_script_node(const struct ssh_script *s, struct rt_buf *out);

/* ---- one Ray node ---- */
enum snode_state { SNODE_ABSENT, SNODE_STARTING, SNODE_UP, SNODE_STOPPING, SNODE_LOST /* ended, or could not be had */ };
enum snode_phase {
    PH_NONE,
    PH_REACH,    /* its hop opens */
    PH_LOOK,     /* what is there already (head only) */
    PH_PREPARE,  /* Python and Ray */
    PH_READY,    /* waits for the head, or the head for its first worker */
    PH_BOOK,     /* on the head's list */
    PH_START,
    PH_JOIN,     /* until Ray lists it */
    PH_STOP,     /* wants to be stopped: its hop opens */
    PH_STOPPING, /* the script runs */
    PH_UNBOOK
};

struct snode {
    struct rt_provider *provider;
    char *name, *pool, *host; /* "head" "head" "me@lab1"; "cpu-1" "cpu" "lab2" */
    enum snode_state state;
    bool booked;              /* the head lists it, or our journal does */
    bool touched;             /* a script that makes something was sent to its host */
    bool before;              /* was there before the task that holds it: not undone with it */
    struct rt_hop *hop;       /* ours, or the cluster's for the head; NULL until needed */
    bool through_head;
    struct rt_error direct;   /* why it was not reached directly */
    enum snode_phase phase;
    int64_t since_ms;         /* loop time of the present phase */
    struct rt_op *op;
    struct stask *task;
    size_t step;
    bool stepping;
    char *ray, *python, *address, *why;
    struct far_log log;       /* its start-up log */
};

/* One operation: up, down, scale, remove-node. */
struct stask {
    struct rt_provider *provider;
    struct rt_operation *operation;
    bool is_up, is_down, keep, undo, head_asked, head_taken;
    struct rt_error first;   /* ends it */
    struct rt_error partial; /* of a worker */
    size_t failed, wanted;
    char *result;
    struct rt_timer *limit;
};

struct rt_provider {
    struct rt_provider_env env;
    const struct rt_cluster_conf *conf;
    const struct ssh_config *own;
    struct rt_cluster *cluster;
    struct rt_journal *journal;
    struct rt_error journal_error;
    struct pool_confs pools;
    struct snode **nodes; /* [0] is the head */
    size_t nnodes;
    struct far_place place;
    bool up;              /* its head lives and is ready */
    bool coming;          /* its head lives */
    bool looked;
    int64_t told_ms;      /* wall; of the last look */
    struct rt_error look_error;
    struct rt_op *look;   /* of refresh */
    struct rt_op *probe;  /* HTTP */
    int64_t probed_ms;
    struct rt_timer *tick; /* while there are tasks */
    struct stask **tasks;
    size_t ntasks;
    char *requirements;   /* text of the file, while there are tasks */
    char *job;            /* submission of user_script, while there are tasks; NULL */
    char *life, *ended;   /* what the watchdog says; why it ended by itself; NULL */
    struct watchdog_touch *touch;
    int lock;             /* held while there are tasks; -1 */
};

/* ssh.c */
void ssh_show(struct rt_provider *p);
/* What a look at the head's directory printed: state, place, nodes. */
void ssh_take_look(struct rt_provider *p, const char *text);
/* Views of the nodes, p->nnodes of them in their order; gives the array. */
struct pool_node *ssh_pool_nodes(const struct rt_provider *p);

/* ssh_node.c */
struct snode *ssh_node_named(const struct rt_provider *p, const char *name);
struct snode *ssh_node_add(struct rt_provider *p, const char *name, const char *pool, const char *host);
void ssh_node_free(struct snode *n);
void ssh_nodes_from_journal(struct rt_provider *p);
struct rt_hop *ssh_node_hop(struct snode *n); /* made if it is not there; nothing is contacted */
/* Not reached for this reason: may it be reached through the head? */
bool ssh_node_may_go_through_head(const struct snode *n, const struct rt_error *err);
void ssh_node_drop_hop(struct snode *n);
void ssh_node_start(struct snode *n, struct stask *t);
void ssh_node_look(struct snode *head, struct stask *t); /* reaches the head and looks what is there */
void ssh_node_stop(struct snode *n, struct stask *t);
void ssh_node_halt(struct snode *n, const struct rt_error *err); /* drops what is in flight; its step ends */
void ssh_node_tick(struct snode *n);

/* ssh_task.c: what a node tells its task. */
void ssh_task_looked(struct stask *t);
void ssh_task_node_failed(struct snode *n, const struct rt_error *err);
bool ssh_peers(const struct stask *t, struct rt_strs *out); /* false: an address of a worker may still come */
void ssh_tasks_abandon(struct rt_provider *p);
struct rt_operation *ssh_up(struct rt_provider *p, const struct rt_up_opts *o, struct rt_error *err);
struct rt_operation *ssh_down(struct rt_provider *p, struct rt_error *err);
struct rt_operation *ssh_remove_node(struct rt_provider *p, const char *node_id, struct rt_error *err);

/* ssh_scale.c */
size_t ssh_pool_size(const struct rt_provider *p, const char *pool);
bool ssh_scale_impact(struct rt_provider *p, const char *pool, int64_t n, struct rt_scale_impact *out, struct rt_error *err);
/* Nodes that would start or go, so that the pool has n. */
void ssh_scale_nodes(const struct rt_provider *p, const char *pool, int64_t n, struct snode ***out, size_t *count);
bool ssh_set_limits(struct rt_provider *p, const char *pool, int64_t min, int64_t max, struct rt_error *err);
struct rt_operation *ssh_scale(struct rt_provider *p, const char *pool, int64_t n, struct rt_error *err);

/* ssh_doctor.c */
struct rt_op *ssh_doctor(struct rt_provider *p, void (*done)(void *ctx, const char *lines, const struct rt_error *err), void *ctx);

/* ssh_plan.c */
bool ssh_plan(struct rt_provider *p, const char *verb, const struct rt_up_opts *o, struct rt_buf *out, struct rt_error *err);
bool ssh_equivalent(struct rt_provider *p, const char *verb, const char *arg, struct rt_buf *out);
struct ssh_script ssh_script_of(const struct snode *n);

#endif
