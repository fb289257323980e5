/* What the files of logs in app share. */
#ifndef RT_APP_LOG_PRIVATE_H
#define RT_APP_LOG_PRIVATE_H

#include "app/log_far.h"

struct merged;
struct search;
struct pod_log;

struct rt_log {
    struct rt_app *app;
    struct session *session; /* NULL: none, or it has gone */
    struct rt_log *next;     /* of the session */
    struct rt_logbuf *buf;
    struct log_far *far;
    struct merged *merged; /* in place of `far` */
    struct search *search; /* the same */
    struct pod_log *pod;   /* the same */
    struct rt_op *listing; /* looking for the file of a process */
    char *node;            /* where it ran */
    char *waits;           /* the job whose log it will be, once the way to the cluster is known */
    char *path;            /* of a log that is read from the cache alone */
    bool follow_on;
    char cached[160];      /* "from the cache, seen until ..."; "" */
    struct rt_log_status status;
    rt_loop_fn *change;
    void *change_ctx;
    void (*data)(void *ctx, const char *data, size_t n);
    void *data_ctx;
    struct rt_timer *rate_timer, *pull_timer;
    char *machine;         /* whose start-up log it is */
    int64_t rate_lines;
    bool lost, counted; /* counted: all that was there at first is known */
};

/* log.c */
void log_changed(struct rt_log *l);
void log_data(void *log, const char *data, size_t n);
void log_mark(struct rt_log *l, const char *what, const char *why); /* "--- WHAT 17:14:02: WHY ---" */
void log_failed(void *log, const struct rt_error *err);

/* log_machine.c */
bool machine_open(struct rt_log *l, const struct rt_log_target *t, bool follow, struct rt_error *err);

/* log_pod.c */
bool pod_open(struct rt_log *l, const struct rt_log_target *t, bool follow, struct rt_error *err);
void pod_close(struct pod_log *x); /* NULL is fine */
void pod_retry(struct pod_log *x);

/* log_merged.c */
bool merged_open(struct rt_log *l, const struct rt_log_target *t, bool follow, struct rt_error *err);
void merged_close(struct merged *m); /* NULL is fine */
void merged_retry(struct merged *m);

/* log_files.c: which files the parts of a log have (drivers are no files), each told once: first those of nodes that answer,
 * then what the cache holds of others. `any_session`: also of sessions of the cluster that are over, with their drivers. */
struct log_file_found {
    const char *node, *name; /* or of a job: */
    const char *job;
    bool kept; /* in the cache, and nobody can be asked for it */
    const char *unnamed; /* its name tells no job: it may be of this one ("02000000"); else NULL */
};
struct log_files_out {
    void (*found)(void *ctx, const struct log_file_found *f);
    void (*trouble)(void *ctx, const char *node, const struct rt_error *err); /* the node gave no list */
    void (*over)(void *ctx);                                                  /* of the round */
    void *ctx;
};
struct log_files;
struct log_files *log_files_create(struct rt_log *l, const struct rt_log_target *t, bool any_session, const struct log_files_out *out);
void log_files_destroy(struct log_files *f); /* NULL is fine; not inside its callbacks */
/* A round over all nodes, unless one is under way; calls back at once for what is known at once. */
void log_files_look(struct log_files *f);
bool log_files_busy(const struct log_files *f);

/* log_peek.c: Ray starts workers before there is a job for them; then a line near the beginning of the file tells it
 * (":job_id:02000000", python/ray/_private/worker.py). 1: this job, 0: another, -1: the line tells none. */
enum { LOG_LOOK_INTO = 64 * 1024 /* so much of a file may be read until one does */ };
int log_line_job(const char *line, size_t n, const char *job);

/* log_peek.c: whose the files are that tell no job in their names. `ours` once for each that is of its job. */
struct log_peek;
typedef void log_peek_fn(void *ctx, const char *node, const char *name);
struct log_peek *log_peek_create(struct rt_log *l, log_peek_fn *ours, void *ctx);
void log_peek_destroy(struct log_peek *p); /* NULL is fine; not inside `ours` */
void log_peek_add(struct log_peek *p, const struct log_file_found *f);
void log_peek_round(struct log_peek *p); /* looks into some that are not known yet, unless it does */
bool log_peek_busy(const struct log_peek *p);
size_t log_files_parts(const struct log_files *f);
const struct rt_log_part *log_files_part(const struct log_files *f, size_t i);
/* Where a node serves its files itself, as far as is known; NULL. Gives it. */
char *log_node_url(const struct rt_cluster *c, const char *node_id);

/* log_search.c */
bool search_open(struct rt_log *l, const struct rt_log_target *t, struct rt_error *err);
void search_close(struct search *s); /* NULL is fine */

#endif
