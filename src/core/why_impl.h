/* Inside the files of why only. */
#ifndef RT_CORE_WHY_IMPL_H
#define RT_CORE_WHY_IMPL_H

#include "base/str.h"
#include "base/vec.h"
#include "core/provider.h"
#include "core/why.h"

/* An answer being put together. */
struct why {
    struct rt_arena *arena;
    const struct rt_cluster *c;
    struct rt_why_env env;
    bool brief_only; /* for a cell: no lines, no rows */
    const char *title, *summary, *brief;
    RT_VEC(struct rt_why_line) lines;
    RT_VEC(struct rt_why_pool) pools;
    struct rt_why_action action;
};

/* What must be had on one node. */
struct need {
    struct rt_resources res;
    struct rt_kvs labels;
};

/* ---- why.c ---- */
void why_line(struct why *w, enum rt_topic from, const char *fmt, ...) RT_PRINTF(3, 4);
const char *why_clean(struct why *w, const char *s);               /* harmless; "" for NULL */
const char *why_age(struct why *w, int64_t from_ms);               /* "4m" until now; "-" */
const char *why_node_name(struct why *w, const char *node_id);     /* name, else id */
const char *why_amount(struct why *w, const char *name, double v); /* "64 CPU", "2.0G memory" */
const char *why_needs(struct why *w, const struct need *need);     /* "8 GPU and 1 CPU" */
bool why_known(const struct why *w, enum rt_topic t);              /* was there ever an answer */
/* A line that the topic is missing, with its error. False when it is there. */
bool why_missing(struct why *w, enum rt_topic t, const char *what);

/* ---- why_fit.c ---- */
enum room { ROOM_UNKNOWN, ROOM_NOW, ROOM_LATER, ROOM_NEVER };
/* Rows per pool, and a summary and brief ("It asks for ..."). */
enum room why_fit(struct why *w, const char *subject, const struct need *need);
/* The same verdict alone. */
enum room why_room(const struct why *w, const struct need *need);
/* Could a node of this pool hold it when it is empty? ROOM_LATER: yes. */
enum room why_pool_room(const struct why *w, const struct rt_pool *p, const struct need *need);

/* ---- why_demand.c ---- */
struct bundle {
    struct need need;
    int64_t count;
};
struct bundles {
    struct bundle *v;
    size_t n;
    char strategy[24]; /* "PACK"; "" */
};
/* "{'CPU': 40.0} * 2 (PACK)" as the autoscaler writes it. */
struct bundles why_parse_demand(struct why *w, const char *text);
/* The bundles of a placement group (JSON as Ray sends it), equal ones counted. */
struct bundles why_parse_bundles(struct why *w, const char *json);
/* What the autoscaler says and does about this need: demand, launches on their way, failures,
 * events. */
void why_autoscaler(struct why *w, const struct bundles *b);
/* How the bundles must lie, when the list of waiting demand tells ("STRICT_PACK"); else "". */
const char *why_strategy(struct why *w, const struct bundles *b);
struct bundles why_one(struct why *w, const struct need *need);
bool why_same_resources(const struct rt_resources *a, const struct rt_resources *b);

/* ---- why_env.c ---- */
/* Lines about the job's runtime environment; brief words of what went wrong, or NULL. */
const char *why_environment(struct why *w, const struct rt_job *j);
/* The line of an installer's output or of a traceback that says what is wrong; in the arena, clean;
 * NULL. */
const char *why_installer(struct why *w, const char *text);

/* ---- why_run.c, why_machines.c ---- */
void why_job(struct why *w, const struct rt_job *j);
void why_actor(struct why *w, const struct rt_actor *a);
void why_task(struct why *w, const struct rt_task *t);
void why_pg(struct why *w, const struct rt_pg *g);
void why_pool(struct why *w, const struct rt_pool *p);
void why_node(struct why *w, const struct rt_node *n);
void why_cluster(struct why *w);

#endif
