/* Inside app only: one cluster's provider, hop, Ray client, pollers and forwards. */
#ifndef RT_APP_SESSION_H
#define RT_APP_SESSION_H

#include "app/app.h"
#include "net/forward.h"
#include "ray/client.h"

enum poll_kind {
    POLL_VERSION, POLL_HEALTH, POLL_NODES, POLL_STATUS, POLL_JOBS, POLL_ACTORS, POLL_IDLE,
    POLL_TASKS, POLL_PGS, POLL_EVENTS, POLL_SERVE, POLL_ENVS, POLL_WORKERS, /* lists: only while looked at */
    POLL_PROVIDER, POLL_COUNT
};

struct session;

struct poll {
    struct session *session;
    enum poll_kind kind;
    struct rt_op *op;
    int64_t due_ms;     /* loop time */
    int64_t started_ms; /* loop time of the running one */
    int64_t ended_ms;   /* of the last one */
    int64_t took_ms;    /* of the last one */
    bool asked;         /* wanted now, whatever the schedule says */
};

/* Does anybody listen behind a forward that goes straight there? Asked now and then. */
struct behind {
    struct session *session;
    struct rt_op *op;
    const char *host; /* the forward's */
    int port;
    bool known;
    struct rt_error error; /* why nobody does; RT_OK */
    int64_t asked_ms;      /* loop time */
    int64_t since_ms;      /* wall; since when somebody does */
};

struct session_forward {
    char id[80];
    char *host; /* as seen from the far side */
    int port;   /* as it was asked for: 8265 is the dashboard, wherever it is */
    int to_port;
    struct rt_forward *forward;
    struct behind *behind; /* NULL: its way tells */
    int64_t opened_ms; /* wall */
};

/* client.c: what is known of the Ray client of this machine. */
struct session_client {
    struct rt_op *look, *metadata;
    char *asked;   /* the session of Ray whose Python was asked for */
    char *problem; /* what speaks against ray:// from here; NULL */
    bool known;
};

struct session {
    struct rt_app *app;
    struct rt_cluster *cluster;
    struct rt_cluster_conf *conf;
    struct rt_provider *provider;
    struct rt_hop *hop;   /* NULL: none */
    struct rt_ray *ray;   /* NULL until the dashboard's place is known */
    struct rt_op *secret;
    struct rt_op *find;   /* settle.c */
    struct rt_op *script; /* user_script on its way from here */
    struct doctor_look *doctors; /* doctor.c: looks of `doctor` under way */
    struct rt_log *logs;         /* log.c: that are read over it */
    bool token_had, headers_had, secret_had, secret_failed; /* secret_had: all of them */
    bool attached;
    bool kept; /* what the first answers after attaching told */
    bool used;            /* something but the polls asked its dashboard */
    uint32_t looked, waited; /* topics */
    bool listed;
    int failures;         /* in a row, of reaching it */
    int64_t retry_at_ms;  /* loop time; 0: not backing off */
    int64_t good_at_ms;   /* loop time of the last answer */
    struct rt_error unwell; /* what the health check said last; code 0: fine */
    struct poll polls[POLL_COUNT];
    struct rt_timer *timer;
    rt_pools status_pools; /* what the autoscaler last said */
    struct session_forward *forwards;
    size_t nforwards;
    bool forwards_wanted; /* all of them, once it is known where the head is */
    struct session_client client;
    bool foreign_agreed; /* a cluster that raytui did not make: its first change in a run was agreed to */
    struct rt_timer *forward_timer;
};

/* Makes provider and hop of a cluster if they are not there; nothing is contacted. */
struct session *session_get(struct rt_app *a, const char *cluster, struct rt_error *err);
struct session *session_find(const struct rt_app *a, const char *cluster);
void session_destroy(struct session *s);
/* Does an operation or a `run` of its cluster still need it? */
bool session_busy(const struct session *s);
void session_attach(struct session *s, bool may_ask);
void session_detach(struct session *s);
void session_keep(struct session *s); /* what is known goes to disk, where last known states are kept */
/* Are its ports seen from here only through forwards? */
bool session_carried(const struct session *s);
/* The dashboard's client, made on demand; NULL with the reason. */
struct rt_ray *session_ray(struct session *s, struct rt_error *err);
/* The same for polls, which wait for their turn where there are turns. */
struct rt_ray *session_polled(struct session *s, struct rt_error *err);
void session_headers(const struct session *s, struct rt_strs *out); /* what the configuration adds to each request */
/* Polls what is due and arms the timer for the next. */
void session_schedule(struct session *s);
void session_poke(struct session *s, uint32_t topics);
/* What is looked at changed: what became due is asked in the next turn. */
void session_look_again(struct session *s);

/* settle.c: a cluster of `provider: auto` that was reached is looked at; the session is replaced by one of what it is. */
void session_settle(struct session *s);

/* doctor.c: the session goes; those who wait for what its machines have are told so, later. */
void doctors_drop(struct session *s);

/* log.c: the session goes; logs that are still read end with the reason. */
void logs_drop(struct session *s);

/* polls.c */
void polls_init(struct session *s);
void polls_cancel(struct session *s);
void polls_run(struct session *s);
void polls_retime(struct session *s); /* shorter intervals take effect now */

/* forwards.c */
bool forwards_open(struct session *s, const char *spec, int local_port, struct rt_error *err);
bool forwards_open_all(struct session *s, struct rt_error *err);
bool forwards_close(struct session *s, const char *id);
void forwards_close_all(struct session *s);
void forwards_show(struct session *s); /* rows into the store */
/* The local port where a raytui of before or beside carries `spec`; 0 when nobody listens there. */
int forwards_elsewhere(const struct session *s, const char *spec);
const struct session_forward *forwards_of(const struct session *s, int remote_port);

/* env.c: host:port of one of Ray's two ports as seen from this machine; false when there is none. */
bool env_address(struct session *s, enum rt_endpoint_kind kind, struct rt_endpoint *out, struct rt_error *err);

/* client.c */
const char *client_problem(struct session *s); /* what is known; asks once. NULL: nothing, or not yet */
void client_learn(struct session *s);          /* the version of Python there, once for each session of Ray */
void client_forget(struct session *s);

/* script.c: a tiny job run to its end, for providers (struct rt_ray_calls). */
struct rt_op *run_script(void *ctx, const char *cluster, const char *entrypoint,
                         void (*done)(void *fn_ctx, const char *log, const struct rt_error *err), void *fn_ctx);

/* app.c: a cluster with these fields (YAML), listed; its name in the store, or NULL with the reason. */
const char *app_add(struct rt_app *a, const char *name, const char *yaml, struct rt_error *err);
/* work.c: after operations, before sessions. */
void works_destroy(struct rt_app *a);
/* Is a `run` not over yet whose cluster has this name? */
bool works_use(const struct rt_app *a, const char *cluster);

struct rt_app_private {
    struct rt_http *http;
    struct rt_kubes *kubes;
    struct session **sessions;
    size_t nsessions;
    struct rt_ray_calls ray_calls;
    bool snapshots;
    int64_t refresh_ms;
    struct rt_timer *snapshot_timer;
    struct rt_op *pruning; /* the cache of logs */
    struct work *works;         /* of `run` */
    struct rt_config **retired; /* before a reload: running sessions still read them */
    size_t nretired;
    struct rt_hop *kept_hop; /* of a session that is being replaced: nobody logs in twice; NULL */
    char *kept_target;
};

#endif
