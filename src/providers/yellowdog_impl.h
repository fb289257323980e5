/* Inside the provider `yellowdog` only: a Ray cluster on the YellowDog platform, laid out as the RayDog library lays it out.
 *
 * One pool of machines for the head, one per pool of workers, one for observability; one work requirement with a task
 * group per pool and a task per node, whose script starts Ray. Everything is found again by namespace and name: RUN-00-head,
 * RUN-01-wrkrs, RUN-observability, and the work requirement RUN. RUN is the cluster's name at its first `up`; the platform
 * gives a name of a work requirement once only, so later ones are NAME-r2, NAME-r3, ... */
#ifndef RT_PROVIDERS_YELLOWDOG_IMPL_H
#define RT_PROVIDERS_YELLOWDOG_IMPL_H

#include "core/provider.h"
#include "providers/yellowdog_api.h"

/* ---- configuration (yellowdog_conf.c) ---- */

/* What is provisioned for nodes of one kind, and what they run. */
struct yd_kind {
    char *template_id, *images, *userdata, *script; /* userdata, script: text, or the path of a file */
    struct rt_strs instance_tags;
    bool metrics;
};
struct yd_pool_conf {
    char *name;
    struct yd_kind kind;
    int64_t count, max;      /* max: how far it may grow */
    int64_t idle_node_ms, idle_pool_ms; /* 0: as RayDog; -1: never */
    double price_per_hour;
    const struct rt_ynode *at;
};
struct yd_pool_confs {
    struct yd_pool_conf *v;
    size_t n, cap;
};
struct yd_config {
    char *api_url, *key_id;
    struct rt_secret_conf secret;
    char *name, *space, *tag, *state_file;
    struct yd_kind head, observability;
    bool observe;            /* enable_observability, for a block under RayDog's flat names */
    const struct rt_ynode *pools;
    char *ssh_user, *ssh_key, *ssh_jump;
    int ssh_address;         /* enum yd_address */
    int64_t dashboard_port, client_port;
    int64_t idle_node_ms, idle_pool_ms, boot_ms;
};
enum yd_address { YD_ADDRESS_AUTO, YD_ADDRESS_PUBLIC, YD_ADDRESS_PRIVATE };
extern const struct rt_yfield yd_fields[];
extern const struct rt_provider_ops rt_provider_yellowdog;

bool yd_conf_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx);
/* The pools of the configuration; every problem is reported. */
bool yd_conf_pools(const struct rt_cluster_conf *conf, struct yd_pool_confs *out, rt_yproblem_fn *problem, void *ctx);
/* One pool from "key=value" words; "like=POOL" takes what is not said from that one. False: err says why. */
bool yd_conf_pool(const struct rt_cluster_conf *conf, const struct yd_pool_confs *known, const char *name, const struct rt_strs *words,
                  struct yd_pool_conf *out, struct rt_error *err);
void yd_conf_pool_deinit(struct yd_pool_conf *p);
void yd_conf_pools_deinit(struct yd_pool_confs *l);
const struct yd_pool_conf *yd_conf_pool_named(const struct yd_pool_confs *l, const char *name); /* NULL */
bool yd_conf_observed(const struct yd_config *own);
/* The text of userdata or a script: itself, what the file holds, or `absent`; gives it, NULL with err. */
char *yd_conf_text(const struct rt_cluster_conf *conf, const char *value, const char *absent, const char *what, struct rt_error *err);
const char *yd_conf_name(const struct rt_cluster_conf *conf); /* of the cluster at the platform */

/* ---- a look at the platform (yellowdog_look.c) ---- */

/* One pool of the cluster with all that is known of it. Everything is lent by its struct yd_seen. */
struct yd_part {
    const struct yd_pool *pool;
    struct yd_result *pool_answer, *nodes, *instances, *requirement; /* NULL: not had */
    char label[64];          /* "head", "observability", the pool's name here */
    unsigned index;          /* 0: head or observability; else its number */
    enum yd_role role;
    bool over;               /* nothing of it lives */
};
struct yd_seen {
    char *run;               /* RUN; NULL: nothing lives */
    struct yd_result *pool_list, *work_list, *work_answer, *tasks;
    const struct yd_work *work;  /* the newest of the cluster, also one that is over; NULL */
    struct yd_part *parts;   /* living ones, and those that ended while the work requirement lives */
    size_t nparts;
    unsigned highest_run, highest_pool; /* numbers that are used up */
    bool foreign;            /* RayDog's autoscaler owns its size */
    int64_t at_ms;           /* wall */
};
typedef void yd_look_fn(void *ctx, struct yd_seen *seen, const struct rt_error *err); /* takes seen */
struct rt_op *yd_look(struct rt_provider *p, yd_look_fn *fn, void *ctx);
void yd_seen_free(struct yd_seen *s); /* NULL is fine */

/* ---- what a look says (yellowdog_seen.c) ---- */

bool yd_seen_lives(const struct yd_seen *s);
bool yd_work_lives(const struct yd_seen *s);
void yd_seen_living(const struct yd_seen *s, struct rt_buf *out); /* "work requirement NAME (RUNNING), pool NAME (PENDING)"; "": nothing */
const struct yd_part *yd_seen_part(const struct yd_seen *s, const char *label); /* a living one first; NULL */
const struct yd_group *yd_part_group(const struct yd_seen *s, const struct yd_part *part); /* one that takes tasks first; NULL */
const struct yd_node *yd_part_node(const struct yd_part *part, const char *node_id); /* NULL */
/* Of the tasks of a part. */
struct yd_count {
    int64_t tasks, waiting, executing, failed; /* tasks: those that are not over */
    int64_t wanted, machines, nodes, joined;   /* joined: in Ray; -1: not asked */
    const struct yd_task *failure;             /* the newest that failed; NULL */
    bool no_bash, free_node, lost;
};
struct yd_count yd_part_count(const struct rt_provider *p, const struct yd_seen *s, const struct yd_part *part);
/* The head's task: the one that lives, else the newest; NULL. */
const struct yd_task *yd_role_task(const struct yd_seen *s, enum yd_role role);
/* The node that runs a task; NULL. */
const struct yd_node *yd_task_node(const struct yd_seen *s, const struct yd_task *t);
/* The private address of the node that executes the task of a role; NULL: not yet. */
const char *yd_role_ip(const struct yd_seen *s, enum yd_role role);
const char *yd_head_public_ip(const struct yd_seen *s);
/* Why it is not what it should be, in one line; false: it is. */
bool yd_part_why(const struct rt_provider *p, const struct yd_seen *s, const struct yd_part *part, struct rt_buf *out);
/* Into the store: state, pools, the end of its life; the hop is aimed. */
void yd_show(struct rt_provider *p);
/* Which of Ray's nodes run in which pool. */
void yd_join(struct rt_provider *p);
/* The node of the platform behind one of Ray's; NULL. `part` may be NULL. */
const struct yd_node *yd_node_of(const struct rt_provider *p, const struct rt_node *ray, const struct yd_part **part);

/* ---- the provider ---- */

struct yd_run;

struct rt_provider {
    struct rt_provider_env env;
    const struct rt_cluster_conf *conf;
    const struct yd_config *own;
    struct rt_cluster *cluster;
    struct rt_journal *journal;
    struct rt_error journal_error;
    struct yd_pool_confs pools;  /* of the configuration */
    struct yd_api *api;
    struct yd_seen *seen;        /* NULL: never looked */
    struct rt_error look_error;  /* of the last look */
    struct rt_op *look;          /* of refresh */
    int64_t looked_ms;           /* loop time of its end */
    char *head_ip, *aim;         /* private address of the head; where the hop leads; NULL */
    struct rt_error no_way;      /* why the head cannot be reached although it runs */
    struct yd_run *run;          /* NULL: nothing is under way */
    int lock;                    /* held while something is */
};
void yd_take_look(struct rt_provider *p, struct yd_seen *seen, const struct rt_error *err); /* takes seen */

/* ---- operations (yellowdog_run.c) ----
 *
 * Each looks, decides on one call by what it saw, sends it, and looks again: so it goes on where another one, or a raytui that
 * was killed, stopped. */

/* A pool and what is to be there. */
struct yd_want {
    struct yd_pool_conf conf; /* of a worker pool; of the others only `kind`, lent, and count 1 */
    bool owned;               /* conf is */
    const struct rt_strs *words; /* that it was added with; NULL */
    enum yd_role role;
    unsigned preferred;       /* its number, where that is free; 0: the next */
    bool posted;              /* its tasks were added */
};
/* A pool that is to end. */
struct yd_ending {
    char *name;               /* at the platform */
    bool shut, terminated;    /* was asked for */
    int64_t since_ms;
    struct rt_error error;    /* of what was asked last */
};
struct yd_run {
    struct rt_provider *provider;
    struct rt_operation *operation;
    void (*decide)(struct yd_run *r);
    void (*give_up)(struct yd_run *r); /* somebody cancels, or the time is over: `first` says which */
    struct rt_op *op;         /* in flight */
    struct rt_timer *pause, *limit;
    size_t step;
    char *step_title;         /* NULL: none is open */
    bool posting;             /* what is in flight makes something: it is waited for */
    bool looked_once;
    int failures;             /* looks in a row */
    int unsure;               /* looks until what may have been made would have been seen */
    int64_t since_ms;         /* loop time; of a phase */
    struct rt_error first;    /* what it ends with */
    char *result;
    /* up, add-pool, scale */
    struct yd_want *wants;
    size_t nwants;
    char *name;               /* RUN */
    bool fresh, keep, undoing, work_made, resized;
    struct rt_strs made;      /* names of pools */
    const char *wanted_kind;  /* what was last noted in the journal to be made; `wanted` NULL: nothing */
    char *wanted;
    struct rt_op *probe;      /* of the dashboard */
    char *job;                /* user_script; NULL: none, or it was sent */
    /* down, remove-pool, scale */
    bool all, cancelled, looked_twice;
    bool drain_asked, drained;
    struct yd_ending *endings;
    size_t nendings;
    int rounds;
    char *pool;               /* its label */
    int64_t count;
    struct rt_strs words;     /* of add-pool */
    struct rt_strs nodes, rays; /* ids of nodes that go, at the platform and in Ray */
    size_t at;
    bool aborted, shut;
};
/* NULL: err. Takes title. The first look starts. */
struct yd_run *yd_run_start(struct rt_provider *p, const char *verb, char *title, void (*decide)(struct yd_run *r),
                            void (*give_up)(struct yd_run *r), struct rt_error *err);
void yd_run_end(struct yd_run *r);            /* with `first`, else `result`; r is gone */
void yd_run_abandon(struct rt_provider *p);   /* what is at the platform stays; the journal knows it */
void yd_run_look(struct yd_run *r, int64_t delay_ms);
void yd_run_send(struct yd_run *r, const struct yd_call *c, yd_fn *fn); /* with r */
void yd_run_title(struct yd_run *r, const char *fmt, ...) RT_PRINTF(2, 3); /* another step begins, unless it has that title */
void yd_run_step_end(struct yd_run *r, const struct rt_error *err); /* NULL: it is done */
void yd_run_say(struct yd_run *r, const char *text);
void yd_run_note(struct yd_run *r, const struct rt_error *err); /* the first error stays */
int64_t yd_run_waited_ms(const struct yd_run *r); /* since since_ms, which it sets when it is 0 */
int64_t yd_run_pace_ms(const struct yd_run *r);   /* until the next look while something comes */
void yd_run_limit(struct yd_run *r, int64_t ms);

/* yellowdog_up.c */
struct rt_operation *yd_up(struct rt_provider *p, const struct rt_up_opts *o, struct rt_error *err);
void yd_wants(const struct rt_provider *p, struct yd_run *r);     /* of the configuration; also of a plan */
void yd_wants_free(struct yd_run *r);
bool yd_ensure(struct yd_run *r);             /* one step to what is wanted; true: all is there */
bool yd_complete(const struct rt_provider *p, struct rt_error *err); /* can it be made at all? */
/* yellowdog_down.c */
struct rt_operation *yd_down(struct rt_provider *p, struct rt_error *err);
void yd_end_all(struct yd_run *r);            /* decides from now on: everything of the cluster ends */
void yd_end_pools(struct yd_run *r, const struct rt_strs *names); /* only these; the work requirement stays */
/* What it is called here, and with which words it was added; false: the journal does not know it. `words` may be NULL. */
bool yd_note_read(const struct rt_provider *p, const char *pool_name, char *label, size_t size, struct rt_strs *words);
/* yellowdog_pools.c */
bool yd_scale_impact(struct rt_provider *p, const char *pool, int64_t n, struct rt_scale_impact *out, struct rt_error *err);
struct rt_operation *yd_scale(struct rt_provider *p, const char *pool, int64_t n, struct rt_error *err);
struct rt_operation *yd_add_pool(struct rt_provider *p, const char *name, const struct rt_strs *fields, struct rt_error *err);
struct rt_operation *yd_remove_pool(struct rt_provider *p, const char *pool, struct rt_error *err);
struct rt_operation *yd_remove_pool_now(struct rt_provider *p, const char *pool, struct rt_error *err);
struct rt_operation *yd_remove_node(struct rt_provider *p, const char *node_id, struct rt_error *err);

/* yellowdog_plan.c */
bool yd_plan(struct rt_provider *p, const char *verb, const struct rt_up_opts *o, struct rt_buf *out, struct rt_error *err);
bool yd_equivalent(struct rt_provider *p, const char *verb, const char *arg, struct rt_buf *out);
/* What is sent; new values. NULL: err (a file of the configuration cannot be read). */
json_t *yd_make_pool(const struct rt_provider *p, const struct yd_want *w, const char *run, const char *name, struct rt_error *err);
struct yd_group_spec yd_make_group(const struct rt_provider *p, const struct yd_want *w, const char *name, const char *worker_tag);
json_t *yd_make_tasks(const struct rt_provider *p, const struct yd_want *w, const char *head_ip, const char *observability_ip,
                      unsigned first, size_t n, struct rt_error *err);
char *yd_make_pool_name(const struct yd_want *w, const char *run, unsigned k);
char *yd_make_tag(const struct yd_want *w, const char *run, const char *pool_name);

/* yellowdog_scripts.c: the scripts as files beside the configuration. */
bool yd_init(const char *name, struct rt_strs *set, struct rt_init_files *out, struct rt_error *err);
/* yellowdog_doctor.c */
struct rt_op *yd_doctor(struct rt_provider *p, void (*done)(void *ctx, const char *lines, const struct rt_error *err), void *ctx);

/* yellowdog_discover.c */
struct rt_op *yd_discover(const struct rt_provider_env *env, void (*found)(void *ctx, const char *target, const char *text),
                          void (*done)(void *ctx), void *ctx);
struct rt_op *yd_discover_at(const struct rt_provider_env *env, const char *where, void (*found)(void *ctx, const char *target, const char *text),
                             void (*done)(void *ctx, const struct rt_error *err), void *ctx);
/* The templates that the key sees. */
struct rt_op *yd_choices(const struct rt_provider_env *env, const struct rt_cluster_conf *conf, const char *field,
                         void (*done)(void *ctx, const struct rt_strs *words, const struct rt_error *err), void *ctx);

#endif
