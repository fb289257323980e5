/* All entities by stable id, each answer with its time. Sources write whole answers, views read. A
 * failure never wipes data: it stands beside the last good answer. Loop thread only. */
#ifndef RT_CORE_STORE_H
#define RT_CORE_STORE_H

#include "core/model.h"

struct rt_store;

enum rt_topic {
    RT_T_CLUSTER, /* state, reach, version, times */
    RT_T_NODES,
    RT_T_POOLS,
    RT_T_DEMAND,
    RT_T_JOBS,
    RT_T_ACTORS,
    RT_T_TASKS, /* from here to WORKERS: in lists[], asked only while looked at */
    RT_T_PGS,
    RT_T_EVENTS,
    RT_T_SERVE,
    RT_T_ENVS,
    RT_T_WORKERS,
    RT_T_PODS, /* from here to RAYSERVICES: in lists[] too, of the provider, while looked at */
    RT_T_RAYJOBS,
    RT_T_RAYSERVICES,
    RT_T_FORWARDS,
    RT_T_OPERATIONS,
    RT_T_COUNT
};
#define RT_TOPIC_BIT(t) (1u << (t))
/* Lists that Ray knows nothing of: the provider's own. */
#define RT_TOPICS_OWN (RT_TOPIC_BIT(RT_T_PODS) | RT_TOPIC_BIT(RT_T_RAYJOBS) | RT_TOPIC_BIT(RT_T_RAYSERVICES))
const char *rt_topic_name(enum rt_topic t); /* "nodes", ... */

/* How fresh a topic of a cluster is. */
struct rt_freshness {
    int64_t at_ms;         /* wall time of the last good answer; 0: never */
    bool from_snapshot;    /* it is the last known state from disk */
    struct rt_error error; /* of the last try; RT_OK after a good one */
    int64_t error_at_ms;
    uint64_t revision;     /* rises with every change of data or error; the same number: the same rows at the same
                            * addresses (an equal list of jobs leaves the old one in place) */
};

/* One local port carried to the cluster, as the forwards pane shows it. */
struct rt_forward_row {
    char id[80];        /* CLUSTER:REMOTE, stable */
    char local[64];     /* "127.0.0.1:8265" or "-" */
    char to[128];       /* "head:8265" */
    char state[96];     /* "up", "retrying (2, in 4 s)", "down (reason)" */
    enum rt_health health;
    char via[128];
    char note[160];
    int local_port, remote_port;
    int connections;
    int64_t up_since_ms, bytes_in, bytes_out;
};

struct rt_cluster {
    const char *name, *provider; /* owned by the store, live as long as the cluster */
    char *where;                 /* "http://…", "me@lab1", … */
    enum rt_cluster_state state;
    enum rt_reach reach;
    char *state_detail;  /* beside the state: "Priority", why it failed; NULL */
    char *reach_detail;  /* why it is not reached, in one line; NULL */
    bool ours;           /* in our journal: made by raytui */
    bool readonly;
    uint32_t caps;       /* enum rt_cap of its provider */
    char *ray_version, *session_name; /* NULL unknown */
    char *python_version; /* of its nodes, "3.11.7"; NULL unknown */
    int64_t idle_since_ms, ends_at_ms; /* wall; 0 unknown or not */
    char *ends_why;      /* "walltime", "idle timeout" */
    int64_t reach_since_ms; /* when `reach` last changed */
    int64_t retry_at_ms;    /* wall; when the next try comes after a loss; 0 */
    char *autoscaler_error;
    bool autoscaler;     /* one is there */
    bool autoscaler_v2;  /* it is the one that is usual since Ray 2.50 */
    double price_per_hour; /* of a node whose pool has no price of its own; 0 unknown */

    struct rt_freshness fresh[RT_T_COUNT];
    bool pools_foretold; /* pools are known before anybody was asked: their time says nothing */
    int64_t told_ms;     /* then: wall time when the machines told something last; 0 never */
    bool unwell;         /* its dashboard answers, its control service (GCS) does not: what is told may be old */
    int64_t version_ms;  /* wall time when Ray told its version last; 0 never */
    rt_nodes nodes;
    rt_pools pools;
    rt_demands demands;
    rt_demands failures; /* of launches, lately; kind is the pool or "node" */
    rt_jobs jobs;
    rt_actors actors;
    struct rt_rows lists[RT_T_COUNT]; /* by topic: TASKS to RAYSERVICES */
    struct rt_forward_row *forwards;
    size_t nforwards;
};

struct rt_store *rt_store_create(void);
void rt_store_destroy(struct rt_store *s);

struct rt_cluster *rt_store_add(struct rt_store *s, const char *name, const char *provider); /* the old one if there, of this provider now */
void rt_store_remove(struct rt_store *s, const char *name);
struct rt_cluster *rt_store_cluster(const struct rt_store *s, const char *name); /* NULL when absent */
size_t rt_store_count(const struct rt_store *s);
struct rt_cluster *rt_store_at(const struct rt_store *s, size_t i);

/* Take the batch (it is zeroed), clear the topic's error, stamp the time, and tell the watchers. */
void rt_store_put_nodes(struct rt_store *s, struct rt_cluster *c, rt_nodes *b);
void rt_store_put_pools(struct rt_store *s, struct rt_cluster *c, rt_pools *b);
void rt_store_put_demands(struct rt_store *s, struct rt_cluster *c, rt_demands *b);
/* Beside the demand, of the same answer: put first, it tells nobody. */
void rt_store_put_failures(struct rt_cluster *c, rt_demands *b);
void rt_store_put_jobs(struct rt_store *s, struct rt_cluster *c, rt_jobs *b);
void rt_store_put_actors(struct rt_store *s, struct rt_cluster *c, rt_actors *b);
void rt_store_put_rows(struct rt_store *s, struct rt_cluster *c, enum rt_topic t, struct rt_rows *b);
void rt_store_put_forwards(struct rt_store *s, struct rt_cluster *c, const struct rt_forward_row *v, size_t n);
/* One job changed or came (a copy of *j goes into the batch's arena). */
void rt_store_put_job(struct rt_store *s, struct rt_cluster *c, const struct rt_job *j);
void rt_store_drop_job(struct rt_store *s, struct rt_cluster *c, const char *id);
/* The topic could not be had: data stays, the error stands beside it. */
void rt_store_fail(struct rt_store *s, struct rt_cluster *c, enum rt_topic t, const struct rt_error *err);

void rt_store_set_state(struct rt_store *s, struct rt_cluster *c, enum rt_cluster_state st, const char *detail);
void rt_store_set_reach(struct rt_store *s, struct rt_cluster *c, enum rt_reach r, const char *detail);
/* Version and session; another session name than before drops nodes, jobs, actors (ids restart). */
void rt_store_set_version(struct rt_store *s, struct rt_cluster *c, const char *ray_version, const char *session_name);
void rt_store_set_python(struct rt_store *s, struct rt_cluster *c, const char *version);
/* Any other change made directly to members: mark it. */
void rt_store_touch(struct rt_store *s, struct rt_cluster *c, enum rt_topic t);

/* Lookups lend until the next put of the same topic. NULL when absent. `id` may be whole only. */
const struct rt_node *rt_store_node(const struct rt_cluster *c, const char *id);
const struct rt_node *rt_store_head(const struct rt_cluster *c); /* that lives */
const struct rt_pool *rt_store_pool(const struct rt_cluster *c, const char *name);
const struct rt_job *rt_store_job(const struct rt_cluster *c, const char *id);
/* By whole id or unique prefix (jobs: submission id with or without "raysubmit_", or job id; nodes: id,
 * ip, name). Errors: RT_E_NOT_FOUND, or RT_E_USAGE with the candidates when several match. */
const struct rt_job *rt_find_job(const struct rt_cluster *c, const char *text, struct rt_error *err);
const struct rt_node *rt_find_node(const struct rt_cluster *c, const char *text, struct rt_error *err);

/* `fn` runs inside every put (same turn); several may watch. RT_T_CLUSTER also tells of clusters that came
 * and of one that goes: then rt_store_cluster no longer finds it and c dies after the call. `c` is NULL for
 * RT_T_OPERATIONS of a cluster that is not in the store. */
typedef void rt_store_fn(void *ctx, struct rt_cluster *c, enum rt_topic t);
void rt_store_watch(struct rt_store *s, rt_store_fn *fn, void *ctx);
void rt_store_unwatch(struct rt_store *s, rt_store_fn *fn, void *ctx);

/* Totals over the alive nodes of a cluster; of one that is known to have ended nothing is known. */
struct rt_totals {
    int64_t nodes_alive, nodes_total; /* -1: not told yet; the same for jobs */
    double cpu_used, cpu_total, gpu_used, gpu_total; /* logical; < 0 unknown */
    double cpu_reserved, gpu_reserved;               /* by placement groups, and not used; 0 where nothing is known */
    double mem_used_bytes, mem_total_bytes;          /* physical; < 0 unknown */
    int64_t jobs_running, jobs_pending, jobs_failed, jobs_total;
};
struct rt_totals rt_cluster_totals(const struct rt_cluster *c);
/* Wall time of the newest answer of Ray, or of its provider where no Ray is meant to be there or none ever answered; 0: none. */
int64_t rt_cluster_newest_ms(const struct rt_cluster *c);
/* What its living nodes cost per hour, in the configuration's own unit; < 0 unknown. */
double rt_cluster_cost(const struct rt_cluster *c);

#endif
