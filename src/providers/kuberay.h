/* Inside provider `kuberay` only: one RayCluster (ray.io/v1) of a Kubernetes or OpenShift, watched through the context's
 * proxy. Pools are its worker groups. */
#ifndef RT_PROVIDERS_KUBERAY_H
#define RT_PROVIDERS_KUBERAY_H

#include "core/provider.h"
#include "net/kube.h"
#include "providers/kuberay_manifest.h"

enum kuberay_via { KUBERAY_VIA_AUTO, KUBERAY_VIA_SERVICE, KUBERAY_VIA_FORWARD };

struct kuberay_config {
    char *context, *kubeconfig; /* NULL: as kubectl would choose */
    struct rt_strs spaces;      /* namespaces; empty: the context's own; "*": all */
    char *name;                 /* of the RayCluster; NULL: the cluster's own name */
    char *service;              /* instead: a plain service with a dashboard port, or that of a RayService */
    int via;                    /* enum kuberay_via: how the dashboard is reached */
    struct kuberay_make make;
};
extern const struct rt_yfield kuberay_fields[];
extern const struct rt_provider_ops rt_provider_kuberay;

/* kuberay_conf.c */
bool kuberay_check(const struct rt_cluster_conf *conf, rt_yproblem_fn *problem, void *ctx);
char *kuberay_token_command(struct rt_provider *p); /* of a cluster with authOptions.mode token; gives it; else NULL */

/* ---- kuberay_decode.c: what is read off the objects ---- */

struct kgroup {
    char *name;
    int64_t replicas, min, max, hosts; /* max < 0: no limit */
    int64_t wanted;                    /* pods: clamp(replicas, min, max) * hosts; 0 while suspended */
    double cpu, memory_bytes, gpu;     /* of one pod; < 0: not said */
    struct rt_strs to_delete;          /* scaleStrategy.workersToDelete */
};
/* A RayCluster. */
struct kcluster {
    char *name, *space, *uid, *version;
    int64_t generation, observed; /* observed < generation: the operator has not seen the last edit */
    bool deleting, suspend, suspending, suspended, autoscaler, token_auth;
    bool head_ready;
    char *head_reason;    /* of HeadPodReady when it is False: "ImagePullBackOff" */
    char *failure;        /* message of ReplicaFailure: a quota, an admission webhook */
    char *head_service;   /* status.head.serviceName, else NAME-head-svc */
    char *token_secret;   /* with token_auth */
    char *managed_by;     /* "kueue.x-k8s.io/multikueue"; NULL */
    char *from_kind, *from_name; /* the RayJob or RayService that made it; NULL */
    struct kgroup *groups;
    size_t ngroups;
};
bool kuberay_decode_cluster(const json_t *object, struct kcluster *out, struct rt_error *err);
void kuberay_cluster_deinit(struct kcluster *c);
const struct kgroup *kuberay_group(const struct kcluster *c, const char *name); /* NULL when absent */

struct kcontainer {
    char *name, *state, *reason;
    char *before; /* how the one ended that ran in its place before; NULL: none did */
    int64_t restarts;
    bool init, ready;
};
struct kpod {
    char *name, *uid, *group, *ip, *node, *phase;
    struct kcontainer *containers; /* init containers last */
    size_t ncontainers;
    bool head, running, ready, deleting, autoscaler; /* autoscaler: a container of that name is beside Ray */
    char *why;          /* why it is not ready, in one line; NULL */
    int64_t created_ms; /* wall */
};
/* The condition of that type in a status; lent, NULL when there is none. */
const json_t *kuberay_condition(const json_t *status, const char *type);
bool kuberay_decode_pod(const json_t *object, struct kpod *out, struct rt_error *err);
void kuberay_pod_deinit(struct kpod *pod);
int64_t kuberay_time_ms(const char *text); /* "2026-11-21T03:17:30Z"; 0 when it is none */

/* ---- kuberay_patch.c: bodies of JSON patches; NULL when there is no such group ---- */

struct kpatch {
    int64_t replicas, min, max;  /* < 0: not touched; else tested to be still as read, and set */
    const struct rt_strs *pods;  /* become workersToDelete; NULL or empty: none */
    bool clear;                  /* workersToDelete is emptied */
};
json_t *kuberay_patch_group(const json_t *object, const char *group, const struct kpatch *w);
json_t *kuberay_patch_add_group(const json_t *object, json_t *group); /* takes group */
json_t *kuberay_patch_remove_group(const json_t *object, const char *group);

/* ---- the provider ---- */

struct kmake;
struct kowners; /* RayJobs and RayServices (kuberay_owners.c) */
struct ktask; /* an operation that changes the object (kuberay_task.c) */

struct rt_provider {
    struct rt_provider_env env;
    const struct rt_cluster_conf *conf;
    const struct kuberay_config *own;
    struct rt_cluster *cluster;
    struct rt_kube *kube;
    char *space;              /* namespace; NULL until it is known */
    char *name;               /* of the object; of the service when own->service */
    struct rt_op *asking;     /* which namespace */
    struct rt_kube_watch *clusters, *pods_watch;
    json_t *object;           /* the RayCluster as last seen, without managedFields; NULL: none */
    struct kcluster seen;     /* decoded from it; zeroed when none */
    bool listed, pods_listed; /* a whole list came once */
    struct rt_error error;    /* of the context, or of the list of RayClusters; RT_OK */
    struct rt_error pods_error;
    int64_t behind_ms;        /* loop time since when the operator has been behind; 0 */
    struct kpod *pods;
    size_t npods;
    struct rt_kube_ports *ports;
    bool through_service;     /* the dashboard is reached by the service proxy */
    bool way_known;           /* it was tried */
    bool turn;                /* it may carry ports */
    char *tried_head;         /* uid of the head for which it was */
    struct rt_op *probe;
    struct rt_timer *rest;    /* nobody looks: what is open is closed */
    int64_t asked_ms;         /* loop time of the last refresh */
    char *limits_pool;        /* set_limits: go along with the next scale of this pool */
    int64_t limits_min, limits_max;
    struct ktask **tasks;
    size_t ntasks;
    struct kchange **changes; /* of RayJobs and RayServices */
    size_t nchanges;
    uint32_t shown;           /* own lists that somebody looks at */
    struct kowners *owners;
    struct kmake *making;     /* up or down under way (kuberay_make.c); NULL */
};

/* kuberay.c */
void kuberay_show(struct rt_provider *p);       /* state and pools into the store */
void kuberay_look(struct rt_provider *p);       /* begins to watch, if it does not */
const struct kpod *kuberay_head(const struct rt_provider *p);  /* the one that counts; NULL */
const struct kpod *kuberay_pod(const struct rt_provider *p, const char *name);
/* The pod of one of Ray's nodes: by instance id, address or name; NULL. */
const struct kpod *kuberay_pod_of(const struct rt_provider *p, const char *node_id);
char *kuberay_path(const struct rt_provider *p, const char *name); /* of rayclusters, or of one; gives it */

/* An error of the API server about RayClusters, with what helps. */
void kuberay_explain(const struct rt_provider *p, struct rt_error *err);

/* kuberay_make.c */
bool kuberay_plan_text(struct rt_provider *p, const char *verb, const struct rt_up_opts *o, struct rt_buf *out, struct rt_error *err);
struct rt_operation *kuberay_up(struct rt_provider *p, const struct rt_up_opts *o, struct rt_error *err);
struct rt_operation *kuberay_down(struct rt_provider *p, struct rt_error *err);
void kuberay_making_look(struct rt_provider *p); /* the objects changed */
void kuberay_making_abandon(struct rt_provider *p);
/* Where the cluster's RayCluster was made, as its journal says; gives it, NULL when there is none. */
char *kuberay_made_space(const char *cluster);

/* kuberay_pods.c */
void kuberay_decode_containers(const json_t *object, struct kpod *out);
void kuberay_containers_deinit(struct kpod *pod);
void kuberay_show_pods(struct rt_provider *p); /* into the store, if somebody looks */

/* kuberay_owners.c: the lists of RayJobs and RayServices, watched while somebody looks or a change of one is under way. */
enum kowner_kind { K_RAYJOB, K_RAYSERVICE, K_OWNER_KINDS };
struct kowners *kuberay_owners_create(struct rt_provider *p);
void kuberay_owners_destroy(struct kowners *o); /* NULL is fine */
void kuberay_owners_look(struct rt_provider *p); /* opens what is wanted, closes what is not */
void kuberay_owners_rest(struct kowners *o);     /* closes all */
/* As last seen, by id (NAMESPACE/NAME), without the spec of its cluster; NULL. `listed`: a whole list came. */
const json_t *kuberay_owner(const struct rt_provider *p, enum kowner_kind k, const char *id, bool *listed);
const char *kuberay_owner_plural(enum kowner_kind k); /* "rayjobs" */

/* kuberay_change.c: operations on one of them. */
struct rt_operation *kuberay_change(struct rt_provider *p, enum rt_topic list, const char *id, const char *verb, struct rt_error *err);
struct kchange;
void kuberay_changes_look(struct rt_provider *p, enum kowner_kind k); /* its list changed */
void kuberay_changes_abandon(struct rt_provider *p);

/* kuberay_pools.c */
void kuberay_pools(const struct rt_provider *p, rt_pools *out);
bool kuberay_scale_impact(struct rt_provider *p, const char *pool, int64_t n, struct rt_scale_impact *out, struct rt_error *err);

/* How many replicas (of numOfHosts each) so many nodes are; < 0 stays. */
int64_t kuberay_replicas(const struct kgroup *g, int64_t nodes);
/* Pods that would go so that the group has n: not ready ones first, then those without work. Appends names. */
void kuberay_victims(const struct rt_provider *p, const char *group, size_t n, struct rt_strs *out);
const struct rt_node *kuberay_node_of(const struct rt_provider *p, const struct kpod *pod); /* alive in Ray; NULL */
/* What a scale to n patches; `note` says so, under an autoscaler. `pods` is filled with who goes. */
void kuberay_plan_scale(const struct rt_provider *p, const struct kgroup *g, int64_t n, int64_t min, int64_t max, struct kpatch *out,
                        struct rt_strs *pods, char *note, size_t size);

/* kuberay_task.c */
struct rt_operation *kuberay_scale(struct rt_provider *p, const char *pool, int64_t n, struct rt_error *err);
bool kuberay_set_limits(struct rt_provider *p, const char *pool, int64_t min, int64_t max, struct rt_error *err);
struct rt_operation *kuberay_remove_node(struct rt_provider *p, const char *node_id, struct rt_error *err);
struct rt_operation *kuberay_add_pool(struct rt_provider *p, const char *name, const struct rt_strs *fields, struct rt_error *err);
struct rt_operation *kuberay_remove_pool(struct rt_provider *p, const char *pool, struct rt_error *err);
struct rt_operation *kuberay_suspend(struct rt_provider *p, bool on, struct rt_error *err);
void kuberay_tasks_look(struct rt_provider *p);    /* the objects changed: tasks go on */
void kuberay_tasks_abandon(struct rt_provider *p);

/* kuberay_same.c */
bool kuberay_equivalent(struct rt_provider *p, const char *verb, const char *arg, struct rt_buf *out);
/* A worker group for this RayCluster from "key=value" (like cpu memory_gb gpu_count replicas min max image); gives it. */
json_t *kuberay_group_of(const json_t *object, const char *name, const struct rt_strs *fields, struct rt_error *err);

/* kuberay_tool.c */
bool kuberay_shell(struct rt_provider *p, const char *node_id, struct rt_strs *argv, struct rt_error *err);
bool kuberay_tool(struct rt_provider *p, const char *what, const char *arg, struct rt_strs *argv, struct rt_error *err);

/* kuberay_doctor.c */
struct rt_op *kuberay_doctor(struct rt_provider *p, void (*done)(void *ctx, const char *lines, const struct rt_error *err), void *ctx);

/* kuberay_discover.c */
struct rt_op *kuberay_discover(const struct rt_provider_env *env, void (*found)(void *ctx, const char *target, const char *text),
                               void (*done)(void *ctx), void *ctx);
struct rt_op *kuberay_discover_at(const struct rt_provider_env *env, const char *where,
                                  void (*found)(void *ctx, const char *target, const char *text),
                                  void (*done)(void *ctx, const struct rt_error *err), void *ctx);

/* kuberay_watch.c */
struct rt_op *kuberay_watch_at(const struct rt_provider_env *env, const char *where, rt_seen_fn *fn, void *ctx);

#endif
