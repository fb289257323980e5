/* What raytui knows of a cluster: plain structs, units in the names, Ray's own words for states.
 *
 * Strings and lists live in the arena of the batch that holds the entity; whoever wants to keep
 * something past the end of a loop turn keeps the id. Unknown numbers are negative, unknown strings
 * NULL: they are drawn as "-" and written to JSON as null, never as 0. */
#ifndef RT_CORE_MODEL_H
#define RT_CORE_MODEL_H

#include "base/decode.h"
#include "base/error.h"
#include "base/mem.h"
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* Who answers for a state on the screen: a glyph, a word, and a colour role. */
enum rt_health { RT_H_UNKNOWN, RT_H_OK, RT_H_BUSY /* in progress */, RT_H_WAITING, RT_H_DONE, RT_H_WARN, RT_H_BAD, RT_H_OFF };

/* ---- clusters ---- */
enum rt_cluster_state {
    RT_CL_UNKNOWN, RT_CL_QUEUED, RT_CL_STARTING, RT_CL_UP, RT_CL_SCALING, RT_CL_SUSPENDED,
    RT_CL_STOPPING, RT_CL_DOWN, RT_CL_FAILED
};
const char *rt_cluster_state_name(enum rt_cluster_state s); /* "up", ... */

/* How it is reached, beside its state. */
enum rt_reach {
    RT_REACH_NONE,         /* not attached */
    RT_REACH_CONNECTING,
    RT_REACH_OK,
    RT_REACH_LOST,         /* unreachable: last data stays, with its age */
    RT_REACH_TOKEN_NEEDED, /* 401 or 403, and nothing was sent */
    RT_REACH_NEEDS_LOGIN,  /* a question must be answered first */
    RT_REACH_REFUSED,      /* 401 or 403 in spite of a token or headers */
    RT_REACH_TURN          /* nobody looks at it, and its way costs much: asked in turns with others */
};
const char *rt_reach_name(enum rt_reach r);
bool rt_reach_answers(enum rt_reach r); /* it does, or may soon: nothing speaks against asking it */

/* ---- nodes (Ray's nodes: /api/v0/nodes joined with /nodes?view=summary) ---- */
struct rt_amount {
    const char *name; /* Ray's resource name, real spelling */
    double used;      /* < 0 unknown */
    double total;     /* < 0 unknown */
};
struct rt_amounts {
    struct rt_amount *v;
    size_t n;
    const double *reserved; /* of each of v: placement groups hold it, nothing uses it, and nobody else gets it; NULL: nothing is */
};
double rt_amounts_reserved(const struct rt_amounts *a, const struct rt_amount *of); /* `of` is one of a->v */
const struct rt_amount *rt_amounts_get(const struct rt_amounts *a, const char *name); /* NULL when absent */

struct rt_gpu {
    const char *name;
    double percent;                      /* < 0 unknown */
    double mem_used_bytes, mem_total_bytes;
};

struct rt_node {
    const char *id;            /* 56 hex */
    const char *ip, *name;     /* node_name */
    const char *unlike;        /* its name with a piece of its id, where another living node has the same one; else NULL (the store sets it) */
    const char *hostname;
    const char *state;         /* "ALIVE", "DEAD" */
    const char *state_message; /* why it died */
    const char *pool;          /* node type or worker group; "head" for an ungrouped head, "workers" else */
    const char *instance_id, *instance_type;
    bool head, alive;
    int64_t start_ms, end_ms;  /* wall clock; end 0 while alive, -1 unknown */
    struct rt_amounts amounts; /* logical resources, without node:IP and placement-group shadows */
    struct rt_kvs labels;
    double cpu_percent;        /* physical; < 0 unknown */
    int64_t cpus;
    double mem_used_bytes, mem_total_bytes;
    double disk_used_bytes, disk_total_bytes;
    double store_used_bytes, store_total_bytes; /* object store */
    double net_in_bps, net_out_bps;             /* bytes per second */
    struct rt_gpu *gpus;
    size_t ngpus;
    int64_t workers;    /* processes; -1 unknown */
    int64_t idle_ms;    /* -1 unknown */
    int agent_port;     /* the node's own HTTP port (logs); 0 unknown */
};
const char *rt_node_name(const struct rt_node *n); /* as people know it: the same everywhere */

/* ---- pools ---- */
struct rt_pool {
    const char *name;
    const char *kind;            /* provider's word: "node type", "worker group", "hosts", "workers" */
    int64_t min, desired, max;   /* -1 unknown or unlimited */
    int64_t ready;               /* nodes of it that are ALIVE in Ray */
    int64_t pending;             /* asked for and not there yet */
    int64_t failed;
    const char *why;             /* why ready differs from desired; NULL */
    double price_per_hour;       /* of one node; 0 unknown */
    struct rt_amounts per_node;  /* what one node of it offers; may be empty */
    bool head;                   /* the head's own: cannot be scaled */
    bool scalable;
    bool limits_move;            /* an autoscaler owns its size: scaling moves min and max instead */
};

/* ---- demand (from the autoscaler's status) ---- */
struct rt_demand {
    const char *text;  /* "{'CPU': 4.0}" as Ray writes it */
    const char *kind;  /* "tasks/actors", "placement groups", "request_resources" */
    int64_t count;
};

/* ---- jobs (ray-api: GET /api/jobs/) ---- */
enum rt_job_status { RT_JOB_OTHER, RT_JOB_PENDING, RT_JOB_RUNNING, RT_JOB_STOPPED, RT_JOB_SUCCEEDED, RT_JOB_FAILED };
extern const char *const rt_job_status_names[]; /* [RT_JOB_OTHER] "OTHER"; NULL-terminated */
/* CPU, GPU, memory, object store first, then by name: the order in which resources are told, whatever order Ray gave. */
int rt_resource_order(const char *a, const char *b);
void rt_resources_sort(struct rt_resources *l);

static inline bool rt_job_ended(enum rt_job_status s) {
    return s == RT_JOB_STOPPED || s == RT_JOB_SUCCEEDED || s == RT_JOB_FAILED;
}

struct rt_job {
    const char *id;            /* submission id, or the job id of a DRIVER job */
    const char *submission_id; /* NULL for DRIVER jobs */
    const char *job_id;        /* hex; NULL until the driver called ray.init */
    const char *type;          /* "SUBMISSION", "DRIVER" */
    int status;                /* enum rt_job_status */
    const char *status_text;   /* Ray's word, also when we do not know it */
    const char *entrypoint, *message, *error_type;
    int64_t start_ms, end_ms;  /* wall; -1 unknown. start is the submission */
    struct rt_kvs metadata;
    const char *runtime_env;   /* compact JSON with env_vars in clear: masked wherever shown; NULL */
    const char *driver_agent_http_address, *driver_node_id, *driver_ip, *driver_pid;
    int64_t driver_exit_code;  /* -1 unknown */
};

/* ---- actors (GET /api/v0/actors?detail=1), without Ray's own ---- */
struct rt_actor {
    const char *id, *class_name, *name, *state, *job_id, *node_id;
    int64_t pid;              /* 0 while not placed */
    const char *ray_namespace, *placement_group_id;
    const char *death_cause;  /* JSON; NULL */
    struct rt_resources resources;
    struct rt_kvs label_selector; /* labels that its node must have */
    int64_t restarts;         /* -1 unknown */
    bool detached;
};

/* ---- what is asked only while somebody looks at it: State API lists, each in a struct rt_rows ---- */
struct rt_task {
    const char *id, *name, *state, *job_id, *actor_id, *type, *node_id, *error_type, *error_message;
    int64_t attempt, pid; /* -1 unknown */
    int64_t created_ms, start_ms, end_ms; /* wall; -1 unknown */
    struct rt_resources resources;
    struct rt_kvs label_selector; /* labels that its node must have */
    const char *placement_group_id;
};
struct rt_pg {
    const char *id, *name, *job_id, *state;
    const char *bundles;          /* JSON list as Ray sends it */
    struct {
        const char *scheduling_state; /* "INFEASIBLE", "QUEUED", ... */
    } stats;
    bool detached;
};
struct rt_cluster_event {
    const char *id, *severity, *source, *message;
    const char *time; /* local time of the head, without zone; of the last one */
    int64_t times;    /* said so often, in the same words */
};
struct rt_worker {
    const char *id, *type, *node_id, *ip, *exit_type, *exit_detail;
    int64_t pid, start_ms, end_ms;
    bool alive;
};
struct rt_env {
    const char *id;          /* made here: Ray gives none */
    const char *runtime_env; /* JSON, env_vars in clear: masked wherever shown */
    const char *node_id, *error;
    int64_t creation_ms, refs; /* how long it took to make; -1 unknown */
    bool success;
};
/* A Serve application, one of its deployments (deployment not NULL), or a replica of that (replica not NULL too). */
struct rt_serve {
    const char *id, *app, *deployment, *replica, *status, *message, *route;
    const char *node_id;            /* of a replica */
    const char *log_node, *log_file; /* the node and its file: what the replica wrote; of the others what Serve's controller did */
    int64_t pid;                    /* of a replica; -1 unknown */
    int64_t replicas, wanted;       /* -1 unknown */
    int64_t deployed_ms;            /* of a replica: when it started */
};

/* What Kubernetes has of a RayCluster and beside it; ids of RayJobs and RayServices are NAMESPACE/NAME. */
struct rt_container {
    const char *name, *state, *reason; /* state: "running", "waiting", "terminated"; NULL unknown */
    int64_t restarts;
    const char *before; /* how the one ended that ran in its place before ("OOMKilled, exit code 137"): it has a log too; NULL: none */
    bool init, ready;
};
struct rt_pod {
    const char *id, *pool, *phase, *node, *ip, *why; /* id is its name; pool "head" for the head */
    const struct rt_container *containers;           /* init containers last */
    size_t ncontainers;
    int64_t created_ms;
    bool head, ready, deleting;
};
struct rt_rayjob {
    const char *id, *name, *space;
    const char *deployment, *status; /* jobDeploymentStatus, jobStatus; NULL while there is none */
    const char *cluster, *job;       /* its RayCluster, and what its job is called there; NULL */
    const char *where, *fields;      /* of that cluster: its address, and its configuration as JSON; NULL without one */
    const char *why, *entrypoint, *mode;
    int64_t created_ms, start_ms, end_ms;
    bool suspend, deleting;
    const char *unsuspendable; /* why it cannot be suspended; NULL: it can */
};
bool rt_rayjob_ended(const struct rt_rayjob *j);

struct rt_rayservice {
    const char *id, *name, *space, *state; /* "Running", "Upgrading", "Starting", ... */
    const char *cluster, *pending;         /* that serves; that comes with an upgrade; NULL */
    const char *where, *fields;            /* as of a RayJob */
    const char *apps, *why;                /* "app RUNNING, other DEPLOYING" */
    int64_t endpoints, apps_total, apps_running; /* -1 unknown */
    int64_t created_ms;
    bool ready, upgrading, deleting;
};

/* A batch of any of these: `v` is an array of `n` structs of `size` bytes whose first member is the id. */
struct rt_rows {
    struct rt_arena *arena;
    void *v;
    size_t n, size, total, left_out;
    const char *note;
};

/* A whole answer: what a source puts into the store at once. The arena owns every string in it
 * and the array `v` itself: freeing a batch is destroying its arena. */
#define RT_BATCH(T)                                                                                \
    struct {                                                                                       \
        struct rt_arena *arena;                                                                    \
        T *v;                                                                                      \
        size_t n;                                                                                  \
        size_t total;    /* at the source; more than n: cut */                                     \
        size_t left_out; /* elements that could not be decoded */                                  \
        const char *note; /* why it is cut, or a warning of the server; NULL */                    \
    }
typedef RT_BATCH(struct rt_node) rt_nodes;
typedef RT_BATCH(struct rt_pool) rt_pools;
typedef RT_BATCH(struct rt_job) rt_jobs;
typedef RT_BATCH(struct rt_demand) rt_demands;
/* Actors, and beside them those that Ray runs for itself and that live or wait: lists leave them out, but a job's
 * supervisor tells what the job asked for. */
typedef struct {
    struct rt_arena *arena;
    struct rt_actor *v;
    size_t n, total, left_out;
    const char *note;
    struct rt_actor *own;
    size_t nown;
} rt_actors;

/* Frees a batch of any kind and leaves zeroes; may be called twice. */
#define rt_batch_deinit(b) (rt_arena_destroy((b)->arena), (void)memset((b), 0, sizeof(*(b))))

#endif
