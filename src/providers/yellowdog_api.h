/* Inside provider `yellowdog` only: the platform's REST calls, what their answers hold and what is sent to it. It knows
 * nothing of clusters; names of objects and their order are the provider's business. */
#ifndef RT_PROVIDERS_YELLOWDOG_API_H
#define RT_PROVIDERS_YELLOWDOG_API_H

#include "base/decode.h"
#include "base/str.h"
#include "core/config.h"
#include "net/http.h"

/* ---- objects, as far as they are read (yellowdog_decode.c) ----
 *
 * Texts live in the arena of their answer; NULL: not told. Numbers that are not told are -1, times 0 (wall). `status` is
 * the platform's own word, `state` what we know of it: 0 for a word that we do not. */

struct yd_words {
    const char **v;
    size_t n;
};
bool yd_words_have(const struct yd_words *w, const char *word);

struct yd_account {
    const char *account, *application;
    bool all_spaces;        /* may read every namespace; else: */
    struct yd_words spaces;
};

struct yd_template {
    const char *id, *name, *space, *description;
};

enum yd_pool_state {
    YD_POOL_OTHER, YD_POOL_PENDING, YD_POOL_CONFIGURING, YD_POOL_EMPTY, YD_POOL_IDLE, YD_POOL_RUNNING, YD_POOL_SHUTDOWN, YD_POOL_TERMINATED
};
/* A worker pool; from a list (YD_POOLS) only what stands before `requirement_id`. */
struct yd_pool {
    const char *id, *name, *space, *status;
    int state;
    int64_t nodes;          /* registered and alive */
    int64_t claimed;        /* workers that a task group holds */
    int64_t created_ms;
    const char *requirement_id, *worker_tag;
    int64_t min_nodes, max_nodes;
    int64_t expected;       /* nodes that are to come or there */
    bool awaiting;          /* for nodes */
    int64_t idle_node_ms, idle_pool_ms; /* ends after so much idleness; -1: never */
};
static inline bool yd_pool_over(const struct yd_pool *p) {
    return p->state == YD_POOL_SHUTDOWN || p->state == YD_POOL_TERMINATED;
}

enum yd_node_state { YD_NODE_OTHER, YD_NODE_RUNNING, YD_NODE_LATE, YD_NODE_LOST, YD_NODE_DEREGISTERED, YD_NODE_TERMINATED };
struct yd_worker {
    const char *id, *status, *group_id; /* group_id NULL: nobody claims it */
};
struct yd_node {
    const char *id, *pool_id, *status, *instance_id, *hostname, *private_ip, *public_ip, *instance_type, *region, *provider, *worker_tag;
    int state;
    int64_t vcpus;
    double ram_gb;          /* < 0: not told */
    bool spot;
    struct yd_words task_types; /* what it takes: "bash" */
    struct yd_worker *workers;
    size_t nworkers;
    int64_t registered_ms;
};
static inline bool yd_node_gone(const struct yd_node *n) {
    return n->state == YD_NODE_LOST || n->state == YD_NODE_DEREGISTERED || n->state == YD_NODE_TERMINATED;
}

enum yd_instance_state {
    YD_INSTANCE_OTHER, YD_INSTANCE_PENDING, YD_INSTANCE_RUNNING, YD_INSTANCE_STOPPING, YD_INSTANCE_STOPPED, YD_INSTANCE_TERMINATING,
    YD_INSTANCE_TERMINATED, YD_INSTANCE_UNAVAILABLE
};
struct yd_instance {
    const char *id, *source_id, *status, *private_ip, *public_ip, *hostname, *instance_type, *region;
    int state;
    bool spot;
};

enum yd_requirement_state {
    YD_REQUIREMENT_OTHER, YD_REQUIREMENT_NEW, YD_REQUIREMENT_PROVISIONING, YD_REQUIREMENT_STARTING, YD_REQUIREMENT_RUNNING,
    YD_REQUIREMENT_STOPPING, YD_REQUIREMENT_STOPPED, YD_REQUIREMENT_TERMINATING, YD_REQUIREMENT_TERMINATED
};
/* A compute requirement: the machines of a pool. */
struct yd_requirement {
    const char *id, *name, *space, *tag, *status;
    int state;
    int64_t target, expected, alive; /* instances; expected < target: there is no capacity for the rest; alive only in lists */
    int64_t created_ms;
    const char *trouble;    /* what a source of machines complains about, clean: "aws-eu: Insufficient capacity"; NULL */
};
static inline bool yd_requirement_over(const struct yd_requirement *r) {
    return r->state == YD_REQUIREMENT_TERMINATING || r->state == YD_REQUIREMENT_TERMINATED;
}

/* Of work requirements and of task groups. */
enum yd_work_state {
    YD_WORK_OTHER, YD_WORK_PENDING, YD_WORK_RUNNING, YD_WORK_HELD, YD_WORK_FINISHING, YD_WORK_FAILING, YD_WORK_CANCELLING,
    YD_WORK_COMPLETED, YD_WORK_FAILED, YD_WORK_CANCELLED
};
static inline bool yd_work_over(int state) {
    return state >= YD_WORK_COMPLETED;
}
struct yd_group {
    const char *id, *name, *tag, *status;
    int state;
    struct yd_words worker_tags; /* of the pools whose nodes take its tasks */
    struct rt_resources counts;  /* tasks by status word: "EXECUTING" 2 */
    int64_t tasks;
    int64_t timeout_ms;          /* of each task; -1: none */
};
/* A work requirement; from a list (YD_WORKS) without groups. */
struct yd_work {
    const char *id, *name, *space, *tag, *status;
    int state;
    int64_t created_ms;
    struct yd_group *groups;
    size_t ngroups;
};
const struct yd_group *yd_work_group(const struct yd_work *w, const char *name); /* NULL when absent */

enum yd_task_state {
    YD_TASK_OTHER, YD_TASK_PENDING, YD_TASK_READY, YD_TASK_ALLOCATED, YD_TASK_DOWNLOADING, YD_TASK_EXECUTING, YD_TASK_UPLOADING,
    YD_TASK_COMPLETED, YD_TASK_FAILED, YD_TASK_ABORTED, YD_TASK_CANCELLED, YD_TASK_DISCARDED, YD_TASK_RESUBMITTED
};
struct yd_task_error {
    const char *type, *text; /* "ALLOCATION_LOST"; what the platform says */
    int64_t exit_code;       /* -1: none */
    int64_t at_ms;
};
/* A task. Its script and its environment are not kept: there are secrets in them. */
struct yd_task {
    const char *id, *name, *group_id, *status, *worker_id, *node_id;
    int state;
    int64_t changed_ms, started_ms, finished_ms;
    int64_t timeout_ms;      /* its own; -1: its group's */
    bool aborting;
    struct yd_task_error *errors;
    size_t nerrors;
};
static inline bool yd_task_over(const struct yd_task *t) {
    return t->state >= YD_TASK_COMPLETED;
}
/* Why it ended so, in one clean line: "exit 3 (PROCESS_NON_ZERO_EXIT)"; "" when the platform gives no reason. */
char *yd_task_why(const struct yd_task *t, char *out, size_t size);

/* One object each; false: it is none (no id, or no object at all). */
bool yd_decode_account(const json_t *v, struct yd_account *out, struct rt_arena *a, struct rt_error *err);
bool yd_decode_template(const json_t *v, struct yd_template *out, struct rt_arena *a, struct rt_error *err);
bool yd_decode_pool(const json_t *v, struct yd_pool *out, struct rt_arena *a, struct rt_error *err);
bool yd_decode_node(const json_t *v, struct yd_node *out, struct rt_arena *a, struct rt_error *err);
bool yd_decode_instance(const json_t *v, struct yd_instance *out, struct rt_arena *a, struct rt_error *err);
bool yd_decode_requirement(const json_t *v, struct yd_requirement *out, struct rt_arena *a, struct rt_error *err);
bool yd_decode_work(const json_t *v, struct yd_work *out, struct rt_arena *a, struct rt_error *err);
bool yd_decode_task(const json_t *v, struct yd_task *out, struct rt_arena *a, struct rt_error *err);
int64_t yd_time_ms(const char *text);     /* "2026-11-21T03:27:25.095Z"; 0 when it is none */
int64_t yd_duration_ms(const char *text); /* "PT4H", "P1DT2H", "PT0.5S"; -1 when it is none */

/* ---- calls (yellowdog_api.c) ---- */

/* An account's way to the platform. */
struct yd_api;

struct yd_access {
    const char *url;        /* NULL: YD_API_URL, else the public platform */
    const char *key_id;     /* NULL: YD_API_KEY_ID */
    const struct rt_secret_conf *secret; /* not set, or NULL: YD_API_KEY_SECRET */
    const char *ca_file, *proxy; /* NULL: the system's */
    const char *pool;       /* of connections: the cluster's name */
};
/* Copies `a`. The secret is read at the first call, and anew after it was refused. Never NULL: what is missing is told by the
 * calls. */
struct yd_api *yd_api_create(struct rt_loop *l, struct rt_http *http, const struct yd_access *a);
void yd_api_destroy(struct yd_api *api); /* its calls must be over or cancelled; NULL is fine */
const char *yd_api_url(const struct yd_api *api); /* without a trailing slash */

/* In brackets: what narrows a list; the platform may take a part of a name for it, so look at what comes. */
enum yd_verb {
    YD_ACCOUNT,         /* are the credentials right? -> account */
    YD_TEMPLATES,       /* [space, name] -> templates */
    YD_TEMPLATE,        /* id: an id or NAMESPACE/NAME -> template */
    YD_TEMPLATE_TRY,    /* body: requirementTemplateUsage; nothing is made -> nothing */
    YD_POOL_CREATE,     /* body -> pool */
    YD_POOLS,           /* [space, name] -> pools */
    YD_POOL,            /* id, or space and name -> pool */
    YD_POOL_RESIZE,     /* id, size -> pool */
    YD_POOL_SHUT_DOWN,  /* id -> nothing */
    YD_NODES,           /* id of the pool -> nodes */
    YD_NODE,            /* id -> node */
    YD_NODE_OF_WORKER,  /* id of the worker -> node */
    YD_NODE_SHUT_DOWN,  /* id; it waits for its task -> node */
    YD_INSTANCES,       /* id of the compute requirement -> instances */
    YD_REQUIREMENTS,    /* [space, name, tag] -> requirements */
    YD_REQUIREMENT,     /* id -> requirement */
    YD_TERMINATE,       /* id of the compute requirement: its machines go at once -> requirement */
    YD_WORK_CREATE,     /* body -> work */
    YD_WORK_CHANGE,     /* body: the whole object -> work */
    YD_WORKS,           /* [space, name, tag] -> works */
    YD_WORK,            /* id, or space and name -> work */
    YD_WORK_CANCEL,     /* id; running tasks are aborted -> work */
    YD_TASKS_ADD,       /* id of the group, body -> tasks */
    YD_TASKS,           /* id of the work requirement, [name: id of a group] -> tasks */
    YD_TASK,            /* id -> task */
    YD_TASK_ABORT,      /* id -> task */
    YD_VERBS
};
struct yd_call {
    enum yd_verb verb;
    const char *id, *space, *name, *tag;
    int64_t size;
    json_t *body;           /* taken */
    bool once;              /* no second attempt: a look that comes again by itself */
    bool living;            /* YD_POOLS, YD_NODES, YD_REQUIREMENTS, YD_WORKS: without what is over */
};

/* What a call gave. `n` objects of the kind of its verb in the array of that name (1 where it is not a list). */
struct yd_result {
    struct rt_arena *arena;
    size_t n;
    union {
        void *objects;
        struct yd_account *account;
        struct yd_template *templates;
        struct yd_pool *pools;
        struct yd_node *nodes;
        struct yd_instance *instances;
        struct yd_requirement *requirements;
        struct yd_work *works;
        struct yd_task *tasks;
    };
    json_t *json;           /* of YD_WORK, _CREATE, _CHANGE, _CANCEL: the object as it was read, for yd_body_append; else NULL */
};
void yd_result_free(struct yd_result *r); /* NULL is fine */

struct yd_failure {
    struct rt_error error;  /* 401, 403: RT_E_DENIED; 404: RT_E_NOT_FOUND; 409: RT_E_CONFLICT; other 4xx: RT_E_USAGE; 429: RT_E_BUSY; 5xx: RT_E_REMOTE */
    int status;             /* 0: no answer came */
    char type[96];          /* the platform's errorType; "" */
    bool maybe;             /* of YD_*_CREATE, YD_WORK_CHANGE, YD_TASKS_ADD: it may have been done all the same: look by name before it is sent again */
};
/* The transition is not possible any more: it is over already, or on its way. */
bool yd_failure_too_late(const struct yd_failure *f);

/* Of `r` (taken) and `f` one is NULL. */
typedef void yd_fn(void *ctx, struct yd_result *r, const struct yd_failure *f);
/* Sends. 429 and 5xx are tried three times in all (Retry-After, else full jitter), and so is what got no answer unless it makes
 * something. A list is read to its end. Cancel is silent. */
struct rt_op *yd_send(struct yd_api *api, const struct yd_call *c, yd_fn *fn, void *ctx);
/* "POST https://api.yellowdog.ai/work/requirements": what the call asks for, for `equivalent`; appends. */
void yd_call_text(const struct yd_api *api, const struct yd_call *c, struct rt_buf *out);

/* ---- what is sent (yellowdog_body.c); all give a new value ---- */

/* Names of the platform: lower case letters, digits, '-', '_', at most 60 characters, begun by a letter. */
bool yd_name_ok(const char *name, const char *what, struct rt_error *err);
/* Names of a cluster's objects, as RayDog gives them; give them. */
char *yd_name_head(const char *cluster);               /* NAME-00-head */
char *yd_name_workers(const char *cluster, unsigned k); /* NAME-01-wrkrs, k from 1 */
char *yd_name_observability(const char *cluster);      /* NAME-observability */
char *yd_tag_observability(const char *cluster);       /* NAME-observability-00 */
char *yd_group_workers(unsigned k);                    /* worker-nodes-01 */
#define YD_GROUP_HEAD "head-node"
#define YD_GROUP_OBSERVABILITY "observability-node"
/* The k of NAME-0k-wrkrs; 0: it is no worker pool of that cluster. */
unsigned yd_workers_index(const char *cluster, const char *pool_name);

struct yd_pool_spec {
    const char *name, *space, *tag;           /* tag NULL: none */
    const char *template_id, *image, *userdata; /* image, userdata NULL: the template's */
    const struct rt_strs *instance_tags;      /* "K=V"; NULL or empty: none */
    const char *worker_tag;
    int64_t nodes, max_nodes;                 /* max_nodes 0: nodes */
    bool metrics;
    int64_t idle_node_ms, idle_pool_ms;       /* 0: 3 minutes; -1: never */
    int64_t boot_ms;                          /* nodeBootTimeout; 0: the platform's */
};
json_t *yd_body_pool(const struct yd_pool_spec *s);

struct yd_group_spec {
    const char *name, *worker_tag, *space;
    const char *tag;        /* NULL: none */
    bool fail_with_task;    /* one failed task ends it */
    int64_t timeout_ms;     /* of its tasks; 0: none */
};
json_t *yd_body_work(const char *space, const char *name, const char *tag, const struct yd_group_spec *groups, size_t n);
/* `read` as it came (yd_result.json) with one group more: unknown fields stay. NULL: a group of this name is there. */
json_t *yd_body_append(const json_t *read, const struct yd_group_spec *g);

struct yd_task_spec {
    const char *script;
    const struct rt_strs *env; /* "K=V"; NULL or empty: none */
    unsigned first;         /* the number in the first name: task-00001 */
    size_t n;               /* so many of them */
};
json_t *yd_body_tasks(const struct yd_task_spec *s);
/* The highest number in the names of tasks (task-00017: 17); 0 when there is none. */
unsigned yd_task_highest(const struct yd_task *tasks, size_t n);
char *yd_duration(int64_t ms); /* "PT4H"; gives it */

/* ---- RayDog's saved state (yellowdog_saved.c) ---- */

struct yd_saved {
    char *name, *space, *tag, *work_id;
    struct rt_strs pool_ids;
};
bool yd_saved_read(const char *path, struct yd_saved *out, struct rt_error *err);
bool yd_saved_write(const char *path, const struct yd_saved *s, struct rt_error *err); /* 0600, by rename */
void yd_saved_deinit(struct yd_saved *s);

/* ---- what the nodes run (yellowdog_scripts.c) ---- */

enum yd_role { YD_HEAD, YD_WORKER, YD_OBSERVABILITY, YD_ROLES };
const char *yd_script(enum yd_role role); /* a task's script */
extern const char yd_userdata[];          /* for a bare Ubuntu: what the scripts need */
/* What a person's own script lacks ("no EXIT trap that stops Ray"), one line each. */
void yd_script_lacks(enum yd_role role, const char *script, struct rt_strs *out);

#endif
