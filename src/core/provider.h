/* Who makes machines appear and go. A provider answers for machines, never for what runs on them: Ray's
 * API is the same everywhere. A new provider is one file (or a few) and a row in registry.c. */
#ifndef RT_CORE_PROVIDER_H
#define RT_CORE_PROVIDER_H

#include "core/config.h"
#include "core/journal.h"
#include "core/operation.h"
#include "core/store.h"
#include "net/hop.h"
#include "net/http.h"

struct rt_kubes;

enum rt_cap {
    RT_CAP_UP = 1u << 0,
    RT_CAP_DOWN = 1u << 1,
    RT_CAP_SCALE = 1u << 2,
    RT_CAP_ADD_POOL = 1u << 3,
    RT_CAP_REMOVE_POOL = 1u << 4,
    RT_CAP_REMOVE_NODE = 1u << 5,
    RT_CAP_SHELL = 1u << 6,
    RT_CAP_SUSPEND = 1u << 7,
    RT_CAP_KEEPALIVE = 1u << 8,
    RT_CAP_MACHINE_LOGS = 1u << 9,
    RT_CAP_DISCOVER = 1u << 10,
    RT_CAP_EDIT = 1u << 11,
    RT_CAP_PODS = 1u << 12,
    RT_CAP_RAYJOBS = 1u << 13,
    RT_CAP_RAYSERVICES = 1u << 14,
    RT_CAP_USER_SCRIPT = 1u << 15 /* without a watchdog beside its head, which sends it too */
};
const char *rt_cap_name(uint32_t one_cap);

/* Where a port of the head is seen from. */
struct rt_endpoint {
    char host[256];  /* as seen from the hop, or from here */
    int port;
    char url[512];   /* for the dashboard: scheme://host:port/prefix */
    char unix_socket[112];          /* for the dashboard: instead of TCP; "" */
    const struct rt_dialer *dialer; /* instead of the hop's, for as long as the provider lives; NULL */
};
enum rt_endpoint_kind { RT_EP_DASHBOARD, RT_EP_CLIENT };

/* How a port of the head is carried, where the provider does that itself. */
struct rt_port_way {
    bool up;
    enum rt_health health;
    char state[96];      /* "up", "retrying (2, in 4 s)" */
    char via[128];
    char note[160];
    int64_t up_since_ms; /* wall; 0 */
};

/* What a provider may ask Ray for; filled in by app. Never NULL; a member is NULL when there is no way. */
struct rt_ray_calls {
    /* Submits a tiny job and waits for its end (request_resources). */
    struct rt_op *(*run_script)(void *ctx, const char *cluster, const char *entrypoint,
                                void (*done)(void *fn_ctx, const char *log, const struct rt_error *err), void *fn_ctx);
    /* Asks for the nodes again soon. */
    void (*poke)(void *ctx, const char *cluster, enum rt_topic t);
    void *ctx;
};

struct rt_provider_env {
    struct rt_loop *loop;
    struct rt_store *store;
    struct rt_http *http;
    struct rt_operations *operations;
    const struct rt_asker *asker;
    struct rt_hop *hop;               /* the cluster's SSH hop; NULL when it has none */
    struct rt_kubes *kubes;
    const struct rt_ray_calls *ray;
    const struct rt_config *config;
};

/* Something to attach to at a place. */
struct rt_seen {
    const char *target, *text; /* an address, a line about it */
};
/* All that is seen now, anew at each change. `whole`: everything was looked at once. `err`: what cannot be seen at the
 * moment, what was seen there before stays; NULL: all of it can. The look may be cancelled in here. */
typedef void rt_seen_fn(void *ctx, const struct rt_seen *all, size_t n, bool whole, const struct rt_error *err);

/* What a change of a pool would do. */
struct rt_scale_impact {
    int64_t min, max;      /* limits that are asked for with it; set before, -1: none */
    int64_t from, to;
    struct rt_strs nodes;  /* ids that would go */
    bool ends_work;        /* jobs or actors sit on them */
    struct rt_strs work;   /* "job raysubmit_… (python train.py)", "actor Learner pid 12" */
    bool autoscaled;       /* a floor, not a number: says so in `note` */
    char note[256];
};
void rt_scale_impact_deinit(struct rt_scale_impact *i);

struct rt_up_opts {
    bool keep;     /* on failure or time-out leave what was made */
    bool dry_run;
    int64_t timeout_ms; /* 0: the provider's default */
    const char *user_job; /* body of a submission without an id: sent once when the head is ready; NULL */
};

/* Files that `init` writes besides the configuration, named from its directory. */
struct rt_init_file {
    char *name;
    struct rt_buf text;
};
struct rt_init_files {
    struct rt_init_file *v;
    size_t n;
};
struct rt_buf *rt_init_file(struct rt_init_files *l, const char *name); /* a new one, empty; stays until the next is made */
void rt_init_files_deinit(struct rt_init_files *l);

struct rt_provider; /* each implementation has its own */

struct rt_provider_ops {
    const char *name;    /* "slurm" */
    const char *summary; /* one line */
    const char *pool_words; /* for the form of a new pool: which KEY=VALUE there are, a line; NULL */
    const char *pool_choice; /* a KEY of these of which `choices` knows the values; NULL */
    const char *about;   /* for `init`: lines that say how it works, each ended by a newline; NULL */
    uint32_t caps;       /* enum rt_cap: what it can do at all */
    const struct rt_yfield *config; /* its own fields; NULL */
    size_t config_size;
    const struct rt_yfield *asks; /* what only `init` asks; NULL */
    bool starts;         /* opening a cluster that is down brings it up without a question: it costs this machine only */
    bool needs_hop;      /* its cluster is reached over conf->hop or what hop_target gives */
    bool late_hop;       /* where its hop leads is found out by itself: it tells so by rt_hop_aim(env->hop, ...) */
    bool own_pools;      /* its pools are known also where Ray does not answer */
    bool validates;      /* `up` with dry_run asks the far side, changes nothing, and its result is the plan */
    bool own_file;       /* `file:` is in a format of its own, read by the provider; else it holds these same fields */

    /* What `init` writes besides the configuration of `name`. `set` is what the person said ("cloud=gcp"); what leads to the
     * files is added to it ("file=NAME/cluster.yaml"). May be NULL. */
    bool (*init)(const char *name, struct rt_strs *set, struct rt_init_files *out, struct rt_error *err);
    /* Reads files only. Problems are reported; may be NULL. */
    bool (*check)(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx);
    /* The SSH target that a hop should be opened to; NULL: none. Borrowed from conf. May be NULL. */
    const char *(*hop_target)(const struct rt_cluster_conf *conf);
    /* "http://127.0.0.1:8265", "me@lab1": for the cluster list, before anything is contacted. */
    void (*where)(const struct rt_cluster_conf *conf, struct rt_buf *out);

    /* env and conf are kept until destroy. Nothing is contacted. */
    struct rt_provider *(*create)(const struct rt_provider_env *env, const struct rt_cluster_conf *conf,
                                  struct rt_cluster *cluster, struct rt_error *err);
    void (*destroy)(struct rt_provider *p);

    /* Where the port is now; false: not known (the cluster is down, or still coming): err says which. */
    bool (*endpoint)(struct rt_provider *p, enum rt_endpoint_kind kind, struct rt_endpoint *out, struct rt_error *err);
    /* What ports are carried through instead of the hop, also while there is nothing to reach: host and port of
     * `endpoint` are then names only. May be NULL. */
    const struct rt_dialer *(*dialer)(struct rt_provider *p);
    /* A command line that prints the token of the dashboard, where the configuration has none; gives it, NULL: none is
     * known to be wanted. May be NULL. */
    char *(*token_command)(struct rt_provider *p);
    /* May its dashboard be asked now? Where the way there costs this machine much, who is not looked at takes turns with
     * others. `done`: nothing more is wanted of it for the moment. NULL: always. */
    bool (*turn)(struct rt_provider *p, bool looked, bool done);
    /* How such a port does; false: nothing is known yet. NULL where `dialer` is. */
    bool (*port_way)(struct rt_provider *p, int port, struct rt_port_way *out);
    /* Looks at the machines and writes state and pools into the store. Called every few seconds while the
     * cluster is looked at; must not start a second look while one runs. May be NULL. */
    void (*refresh)(struct rt_provider *p);
    /* Which of its own lists (RT_TOPICS_OWN) somebody looks at now; it puts these into the store while that is so. May be
     * NULL. */
    void (*look)(struct rt_provider *p, uint32_t topics);
    /* After Ray's nodes came: joins them into its pools (store->pools). May be NULL: pools are then made from
     * Ray's node types by rt_pools_from_nodes. */
    void (*join)(struct rt_provider *p);

    /* After the autoscaler was asked, of a provider that joins: what it says of node types (pending, failed, why). May be NULL. */
    void (*told)(struct rt_provider *p, const rt_pools *said);

    /* Powers: NULL where caps lacks them. Each starts an operation that ends with rt_operation_finish. */
    bool (*plan)(struct rt_provider *p, const char *verb, const struct rt_up_opts *o, struct rt_buf *out, struct rt_error *err);
    struct rt_operation *(*up)(struct rt_provider *p, const struct rt_up_opts *o, struct rt_error *err);
    struct rt_operation *(*down)(struct rt_provider *p, struct rt_error *err);
    /* What would happen; refuses below min or over max with the reason. No I/O. */
    bool (*scale_impact)(struct rt_provider *p, const char *pool, int64_t n, struct rt_scale_impact *out, struct rt_error *err);
    struct rt_operation *(*scale)(struct rt_provider *p, const char *pool, int64_t n, struct rt_error *err);
    bool (*set_limits)(struct rt_provider *p, const char *pool, int64_t min, int64_t max, struct rt_error *err);
    struct rt_operation *(*remove_node)(struct rt_provider *p, const char *node_id, struct rt_error *err);
    /* `fields` are "key=value"; what may stand there is the provider's. */
    struct rt_operation *(*add_pool)(struct rt_provider *p, const char *name, const struct rt_strs *fields, struct rt_error *err);
    struct rt_operation *(*remove_pool)(struct rt_provider *p, const char *pool, struct rt_error *err);
    /* The same without waiting for what runs there; NULL: remove_pool does not wait either. */
    struct rt_operation *(*remove_pool_now)(struct rt_provider *p, const char *pool, struct rt_error *err);
    /* on: its machines go, what it is stays; off: they come back. */
    struct rt_operation *(*suspend)(struct rt_provider *p, bool on, struct rt_error *err);
    /* A row of its own lists RT_T_RAYJOBS and RT_T_RAYSERVICES: "suspend", "resume", "delete". */
    struct rt_operation *(*change)(struct rt_provider *p, enum rt_topic list, const char *id, const char *verb, struct rt_error *err);
    /* Starts the idle time of its watchdog anew. */
    struct rt_operation *(*keepalive)(struct rt_provider *p, struct rt_error *err);
    /* argv of an interactive shell on a node (NULL: the head), or in "POD[/CONTAINER]" where it has pods. */
    bool (*shell)(struct rt_provider *p, const char *node_id, struct rt_strs *argv, struct rt_error *err);
    /* argv of a command on a node (NULL: the head) that needs no terminal. NULL: what `shell` gives is an `ssh` or a `kubectl exec`
     * that takes it, or the command runs here. */
    bool (*exec)(struct rt_provider *p, const char *node_id, const struct rt_strs *command, struct rt_strs *argv, struct rt_error *err);
    /* argv of a program for the terminal: "edit" (in $EDITOR), "pods", or with a pod as `arg` ("POD[/CONTAINER]", NULL: the
     * head's) "describe", "yaml", "events", "log", "log-follow", "log-previous". May be NULL. */
    bool (*tool)(struct rt_provider *p, const char *what, const char *arg, struct rt_strs *argv, struct rt_error *err);
    /* The command or body a person could have typed; appends text. May be NULL. */
    bool (*equivalent)(struct rt_provider *p, const char *verb, const char *arg, struct rt_buf *out);
    /* Only of a provider that stands for another (`auto`): looks which one it is. Fields that it does not know are that one's. */
    struct rt_op *(*find)(struct rt_provider *p, void (*done)(void *ctx, const char *provider, const struct rt_error *err), void *ctx);
    /* What is there on the far side and what is missing, for `doctor`: lines "MARK\tNAME\ttext" with MARK ok, warn or bad; opens
     * the hop. May be NULL. */
    struct rt_op *(*doctor)(struct rt_provider *p, void (*done)(void *ctx, const char *lines, const struct rt_error *err), void *ctx);
    /* What machines wrote while Ray started there: "name\tpath" lines, files of this machine. */
    void (*machine_logs)(struct rt_provider *p, struct rt_strs *out);
    /* Brings what is new on the machine into that file; called every few seconds while somebody reads it. NULL where
     * the machine writes the file itself. What the last look at it was like, when it brought nothing at all ("it has written
     * nothing yet"); NULL: there is something, or it was not looked at yet. Lent. */
    const char *(*machine_pull)(struct rt_provider *p, const char *name);
    /* What may stand in a field of the configuration of a new cluster ("head.template"; conf NULL), or in pool_choice for a new
     * pool of a cluster: asked for far away; `words` is lent. NULL: nothing is known of this field. May be NULL. */
    struct rt_op *(*choices)(const struct rt_provider_env *env, const struct rt_cluster_conf *conf, const char *field,
                             void (*done)(void *ctx, const struct rt_strs *words, const struct rt_error *err), void *ctx);
    /* Clusters that can be seen on this machine without being told; nothing off this machine is contacted.
     * `found` per cluster with an address to attach to. May be NULL. */
    struct rt_op *(*discover)(const struct rt_provider_env *env,
                              void (*found)(void *ctx, const char *target, const char *text),
                              void (*done)(void *ctx), void *ctx);
    /* The same at a place that is named ("kube://CONTEXT", "kube://"), which is contacted. NULL: no such place; done
     * tells what could not be seen. May be NULL. */
    struct rt_op *(*discover_at)(const struct rt_provider_env *env, const char *where,
                                 void (*found)(void *ctx, const char *target, const char *text),
                                 void (*done)(void *ctx, const struct rt_error *err), void *ctx);
    /* The same kept up to date until it is cancelled. NULL: no such place. May be NULL. */
    struct rt_op *(*watch_at)(const struct rt_provider_env *env, const char *where, rt_seen_fn *fn, void *ctx);
};

/* All providers, NULL-terminated; defined in providers/registry.c. */
extern const struct rt_provider_ops *const rt_providers[];
const struct rt_provider_ops *rt_provider_find(const struct rt_provider_ops *const *list, const char *name);

/* Pools as Ray's nodes tell them (node type, else label ray.io/node-group, else head and workers). */
void rt_pools_from_nodes(struct rt_store *s, struct rt_cluster *c);
/* What sits on nodes, for confirmations: running jobs whose driver is there and living actors. */
void rt_work_on_nodes(const struct rt_cluster *c, const struct rt_strs *node_ids, struct rt_strs *out);

#endif
