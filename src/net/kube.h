/* Kubernetes' API server through `kubectl proxy` (or `oc proxy`): one child per context, spoken to over its Unix
 * socket. kubectl does what is hard: merged kubeconfigs, client certificates, exec plugins, proxies.
 *
 * The child starts when something is asked for and comes back when it ends (back-off 0.5 s to 15 s); it outlives an
 * API server that dies. Watches resume by themselves. Loop thread only. */
#ifndef RT_NET_KUBE_H
#define RT_NET_KUBE_H

#include "base/decode.h"
#include "base/str.h"
#include "net/dial.h"
#include "net/http.h"
#include "net/loop.h"

/* All contexts of a program. */
struct rt_kubes;
struct rt_kubes *rt_kubes_create(struct rt_loop *l, struct rt_http *http);
/* All that was got from it must have been put back. NULL is fine. */
void rt_kubes_destroy(struct rt_kubes *k);

/* "kube://[CONTEXT][/NAMESPACE[/NAME]]" into its parts (NULL where there is none); gives them. A context may have slashes
 * (those of EKS do): the last two parts are namespace and name when there are three or more. False: no such address. */
bool rt_kube_target(const char *text, char **context, char **space, char **name);

/* ---- one context ---- */
struct rt_kube;
/* The same one for the same pair; both may be NULL: as kubectl would choose. Nothing is contacted. `kubeconfig` is an
 * absolute path. Counted: put back what was got. */
struct rt_kube *rt_kube_get(struct rt_kubes *k, const char *kubeconfig, const char *context);
void rt_kube_put(struct rt_kube *k); /* ends the child with the last one. NULL is fine */

enum rt_kube_state {
    RT_KUBE_IDLE,
    RT_KUBE_STARTING,
    RT_KUBE_UP,
    RT_KUBE_RETRYING, /* the child ended; comes back by itself */
    RT_KUBE_FAILED    /* no kubectl, one that is too old, no such context: tried anew only for who asks a while later */
};
struct rt_kube_status {
    enum rt_kube_state state;
    struct rt_error error; /* of the child's last end; of the API server while it does not answer; else RT_OK */
    int attempt;
    int64_t retry_at_ms;   /* rt_loop_now_ms time; of RETRYING */
};
const struct rt_kube_status *rt_kube_status(const struct rt_kube *k);
/* Where the proxy listens, or will: the path stays the same while the context is kept. */
const char *rt_kube_socket(const struct rt_kube *k);
/* kubectl or oc with the words that choose kubeconfig and context; what a person could type, or a child's argv. */
void rt_kube_argv(const struct rt_kube *k, struct rt_strs *out);

/* The namespace that the context names, else "default"; kubectl is asked, the server is not. */
typedef void rt_kube_space_fn(void *ctx, const char *space, const struct rt_error *err);
struct rt_op *rt_kube_space(struct rt_kube *k, rt_kube_space_fn *fn, void *ctx);

/* ---- one request ---- */
#define RT_KUBE_JSON_PATCH "application/json-patch+json"
#define RT_KUBE_MERGE_PATCH "application/merge-patch+json"
#define RT_KUBE_APPLY "application/apply-patch+yaml"

struct rt_kube_request {
    const char *method;       /* NULL: GET */
    const char *path;         /* "/apis/ray.io/v1/namespaces/NS/rayclusters/NAME", with query */
    const char *body;         /* NULL: none */
    size_t body_len;          /* 0: strlen(body) */
    const char *content_type; /* NULL: application/json */
    int64_t timeout_ms;       /* 0: 10 s, the start of the proxy not counted; -1: none (log follow) */
    size_t max_bytes;         /* 0: 64 MiB */
    rt_http_data_fn *data;    /* 2xx bodies as they come (a pod's log), with ctx; NULL: collected */
    bool sparse;              /* little will come, now and then */
};
struct rt_kube_answer {
    int status;       /* of HTTP */
    const char *body; /* valid during the callback */
    size_t body_len;
    const json_t *json; /* borrowed; NULL when the body is none */
};
/* err NULL: 2xx. Else what the Status says: RT_E_DENIED 401 403 and a login that expired (with the plugin's own
 * words), RT_E_NOT_FOUND 404, RT_E_CONFLICT 409 410, RT_E_USAGE 422 and 400 (an object or a patch that is refused),
 * RT_E_REMOTE 5xx of the server, RT_E_UNREACHABLE no API server or no kubectl. `a` is NULL when no answer came. */
typedef void rt_kube_fn(void *ctx, const struct rt_kube_answer *a, const struct rt_error *err);
/* Waits for the proxy. Everything in `r` is copied. Never NULL. */
struct rt_op *rt_kube_send(struct rt_kube *k, const struct rt_kube_request *r, rt_kube_fn *fn, void *ctx);

/* ---- a list that is kept ---- */
/* Lists in pages, watches from there, resumes at an end, lists again at a 410, connects again when nothing came for two
 * minutes (bookmarks do every one), tries again with back-off when there is no answer. */
struct rt_kube_watch;
struct rt_kube_watch_events {
    /* An object is there or has changed. Borrowed; without managedFields. */
    void (*put)(void *ctx, const json_t *object);
    /* It is gone: also when a new list has it no more. `uid` is the object's. */
    void (*gone)(void *ctx, const char *space, const char *name, const char *uid);
    /* After a whole list, and after each batch of changes. `err` NULL: what was put is how things are; else what was put
     * is the last known (the API server is away, the right was taken). The watch must not be closed in put and gone, it
     * may be in here. */
    void (*synced)(void *ctx, const struct rt_error *err);
    void *ctx;
};
/* `path` without query; `query` selects: "labelSelector=ray.io%2Fcluster%3Ddemo"; NULL: all. Nothing is called within. */
struct rt_kube_watch *rt_kube_watch_open(struct rt_kube *k, const char *path, const char *query,
                                         const struct rt_kube_watch_events *e);
void rt_kube_watch_close(struct rt_kube_watch *w); /* no callback runs afterwards. NULL is fine */

/* ---- ports of pods ---- */
/* A dialer whose streams go through `kubectl port-forward` children, one per port, to the pod that is told; supervised
 * by a probe (HTTP at a dashboard, HTTP/2 at a gRPC port, else a connection that stays), not by the child's life. */
struct rt_kube_ports;
struct rt_kube_ports *rt_kube_ports_create(struct rt_kube *k, struct rt_loop *l);
void rt_kube_ports_destroy(struct rt_kube_ports *p); /* streams end. NULL is fine */
/* "pod/demo-head-x7k2p", "service/demo-head-svc"; NULL: there is none now, streams wait for the next (at most 10 s).
 * Another one than before: children are replaced, streams that are open end with the old one. */
void rt_kube_ports_target(struct rt_kube_ports *p, const char *space, const char *target, const char *why_none);
/* Begins to carry the port before the first stream asks for it. */
void rt_kube_ports_begin(struct rt_kube_ports *p, int port);
/* All children end; what is asked for next begins anew. */
void rt_kube_ports_rest(struct rt_kube_ports *p);
/* A child costs some 30 MiB: of all contexts only a few ports without a look at them have one, the others wait for their
 * turn in the order of asking. Asked again and again by who polls; false: not now, its children have ended.
 * `looked`: somebody waits for its answers, it has its children beside the few. `done`: what its turn was wanted for is had. */
bool rt_kube_ports_turn(struct rt_kube_ports *p, bool looked, bool done);
/* Host names are ignored: every port is one of the target. */
const struct rt_dialer *rt_kube_ports_dialer(struct rt_kube_ports *p);
/* How a port does. False: nobody asked for it yet. */
struct rt_kube_port_status {
    bool up;               /* the last probe went through */
    struct rt_error error; /* why not */
    int attempt;
    int64_t retry_at_ms;   /* rt_loop_now_ms time; 0: not waiting */
    int64_t up_since_ms;   /* rt_wall_ms time */
};
bool rt_kube_ports_status(const struct rt_kube_ports *p, int port, struct rt_kube_port_status *out);

#endif
