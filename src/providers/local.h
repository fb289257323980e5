/* Inside the provider `local` only: a real Ray on this machine, of processes that raytui started.
 *
 * Each Ray node is one `ray start --block` in a session of its own: everything it starts has its session id, so a
 * node is ended by its own processes and nobody else's (`ray stop` would end every Ray on the machine). Nodes are
 * found again by the journal: pid and start time, else the node's name on a command line. */
#ifndef RT_PROVIDERS_LOCAL_H
#define RT_PROVIDERS_LOCAL_H

#include "providers/watchdog.h"

#define LOCAL_RAY_VERSION "2.60.0" /* newest known good; `python: {ray: ...}` chooses another */

struct local_config {
    struct {
        char *venv, *ray, *requirements;
    } python;
    char *ray_command, *temp_dir;
    struct node_size size; /* of the head */
    int64_t object_store_bytes;
    int64_t dashboard_port, client_port, gcs_port;
    const struct rt_ynode *pools;
};
extern const struct rt_yfield local_fields[];

/* The configured pools, or the one default `workers`. */
bool local_pools_read(const struct rt_cluster_conf *conf, struct pool_confs *out, rt_yproblem_fn *problem, void *ctx);
#define LOCAL_POOL_MAX 64

enum lnode_state { LNODE_STARTING, LNODE_UP, LNODE_STOPPING, LNODE_LOST /* ended by itself */ };

/* Ports that nobody else chooses until what was started listens on them. */
struct held_ports {
    int fd[6];
    size_t n;
};

struct lnode {
    struct rt_provider *provider;
    char *name, *pool;      /* "head"/"head", "workers-1"/"workers" */
    int64_t pid;
    uint64_t started;       /* with pid: this very process */
    enum lnode_state state;
    bool waiting;           /* to be started: for another one that starts */
    struct rt_proc *proc;   /* NULL: found again */
    char *why;              /* last lines when it was lost */
    struct task *task;      /* what starts or stops it; NULL */
    size_t step;
    int64_t since_ms;       /* loop time of the present state */
    int signals;            /* sent while stopping */
    struct held_ports held; /* while it starts */
};

/* One operation of ours: up, down, scale, remove. */
struct task {
    struct rt_provider *provider;
    struct rt_operation *operation;
    size_t open;            /* nodes on their way */
    bool undo;              /* cancelled or failed: what it started is being stopped */
    bool is_up, is_down, keep;
    struct rt_error first;
    char *result;
};

struct local_place {
    char ip[16];
    int gcs, dashboard, client;
    char *ray; /* path of the program */
};

struct rt_provider {
    struct rt_provider_env env;
    const struct rt_cluster_conf *conf;
    const struct local_config *own;
    struct rt_cluster *cluster;
    struct rt_journal *journal;
    struct rt_error journal_error;
    struct pool_confs pools;
    struct lnode **nodes;
    size_t nnodes;
    struct local_place place; /* ports 0 while nothing runs */
    struct held_ports held;   /* of the place, until the head is up */
    struct rt_timer *tick;    /* while something is on its way */
    struct rt_op *probe;      /* HTTP */
    struct env_job *env_job;  /* making the environment */
    struct task *up;          /* up under way */
    bool ended_by_others;     /* the head: another raytui takes it down */
    char *lost;               /* why it failed: its head ended by itself; NULL */
    char *job;                /* submission of user_script, for the present up; NULL */
    struct rt_proc *watchdog; /* started by us; NULL: found again, or none */
    int lock;                 /* held while there are tasks; -1 */
    int tasks;
    int64_t up_timeout_ms;    /* of the present or last up; 0: the usual */
};

/* local_env.c: the Ray program to use: configured, in a venv, on PATH, or an environment of ours. */
typedef void local_env_fn(struct rt_provider *p, const char *ray, const struct rt_error *err);
void local_env_get(struct rt_provider *p, struct rt_operation *op, local_env_fn *fn);
void local_env_cancel(struct rt_provider *p);
/* What it would be, for the plan; gives a line. */
char *local_env_plan(const struct rt_provider *p);

/* local_node.c */
void local_nodes_find(struct rt_provider *p);  /* from the journal */
void local_nodes_meet(struct rt_provider *p);  /* what another raytui has started or ended since */
/* One worker starts after the other: two that start at once in Ray's directory may choose the same names for their sockets. */
void local_node_start(struct rt_provider *p, struct task *t, const char *name, const char *pool);
void local_node_stop(struct lnode *n, struct task *t);
void local_nodes_look(struct rt_provider *p);  /* who has ended by itself */
void local_nodes_drop(struct rt_provider *p);  /* ends, at once, the workers of a head that has ended */
struct lnode *local_head(const struct rt_provider *p);
struct lnode *local_node_named(const struct rt_provider *p, const char *name);
/* Views of the nodes, p->nnodes of them in their order; gives the array. */
struct pool_node *local_pool_nodes(const struct rt_provider *p);
void local_node_free(struct lnode *n);
void local_ports_release(struct held_ports *held);
char *local_temp_dir(const struct rt_provider *p);
void local_tick_on(struct rt_provider *p);
/* argv of a node, for plan and start. */
void local_node_argv(const struct rt_provider *p, const char *name, const char *pool, struct rt_strs *out);
/* Holds them (p->held). */
bool local_choose_ports(struct rt_provider *p, struct rt_error *err);

/* local.c: a node came up, or could not; or has ended. err NULL: fine. Called once per node and task. */
void local_node_done(struct lnode *n, const struct rt_error *err);
void local_show(struct rt_provider *p); /* state and pools into the store */
void local_node_leave(struct lnode *n); /* another task takes it over: the one that was at it ends without */

/* local_watchdog.c */
bool local_watchdog_start(struct rt_provider *p, const char *job, struct rt_error *err); /* its head is up */
void local_watchdog_stop(struct rt_provider *p);
void local_watchdog_show(struct rt_provider *p);
struct rt_operation *local_keepalive(struct rt_provider *p, struct rt_error *err);

/* local_kill.c: signals every process of a node's session; false when none is left. */
bool local_session_signal(int64_t session, int signum);

#endif
