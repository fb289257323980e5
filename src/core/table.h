/* The lists of raytui as tables: which columns a row has, how they are cut, sorted and coloured, and what
 * JSON it becomes. Panes and the command line draw from the same rows of this file. */
#ifndef RT_CORE_TABLE_H
#define RT_CORE_TABLE_H

#include "base/str.h"
#include "core/store.h"
#include <jansson.h>

struct rt_row_env {
    const struct rt_store *store;
    const struct rt_cluster *cluster; /* of the row */
    int64_t now_ms;                   /* wall */
    bool ascii;
};

enum rt_align { RT_LEFT, RT_RIGHT };

struct rt_column {
    const char *id;    /* as in JSON and in `:columns` */
    const char *title; /* upper case */
    int min, want;     /* columns of the screen */
    enum rt_align align;
    enum rt_cut cut;
    int priority;      /* 0: never goes; the highest goes first when it is narrow */
    bool wide;         /* only in wide mode (^W, -o wide) */
    bool grow;         /* takes what is left */
    bool whole;        /* a name to be typed: not cut for the sake of columns of priority 3 and more */
    bool glyph;        /* drawn with the glyph of its health and a blank in front: min and want count both */
    bool costly;       /* dear to make, and of the store alone (not of the time): a view may keep the text; one of a table */
    void (*text)(struct rt_buf *out, const void *row, const struct rt_row_env *env); /* appends clean text */
    int (*order)(const void *a, const void *b); /* NULL: by text */
    enum rt_health (*health)(const void *row, const struct rt_row_env *env); /* colours the cell (UNKNOWN: not); NULL */
};

struct rt_table {
    const char *name;     /* "jobs": also the verb and the view */
    const char *singular; /* "job" */
    const char *title;    /* "Jobs" */
    enum rt_topic topic;
    const struct rt_column *columns; /* ends with id NULL */
    const char *default_sort;        /* column id; '-' in front: descending */
    bool global;                     /* rows are not of one cluster: clusters, operations */
    size_t (*count)(const struct rt_row_env *env);
    const void *(*at)(const struct rt_row_env *env, size_t i);
    const char *(*id)(const void *row); /* stable, unique in the table */
    enum rt_health (*health)(const void *row, const struct rt_row_env *env);
    bool (*attention)(const void *row, const struct rt_row_env *env); /* `!` keeps these */
    /* Whole object with documented keys; gives it. show_env: env_vars unmasked. */
    json_t *(*json)(const void *row, const struct rt_row_env *env, bool show_env);
    const char *empty; /* what to say when there is nothing: "no jobs - n submits one" */
};

extern const struct rt_table rt_table_clusters, rt_table_pools, rt_table_nodes, rt_table_jobs, rt_table_forwards,
    rt_table_operations, rt_table_actors, rt_table_tasks, rt_table_pgs, rt_table_events, rt_table_serve, rt_table_envs,
    rt_table_workers, rt_table_pods, rt_table_rayjobs, rt_table_rayservices;
const struct rt_table *const *rt_tables(void); /* all, NULL-terminated */
const struct rt_table *rt_table_find(const char *name); /* by name or singular */

/* What stands behind the rows of a cluster: how many there are at the source, and why not all of them are here. */
struct rt_source {
    size_t total;     /* never less than the rows */
    size_t left_out;  /* that could not be understood */
    const char *note; /* of whoever answered; NULL; lent until the next answer */
};
struct rt_source rt_table_source(const struct rt_table *t, const struct rt_row_env *env);
/* Appends why rows are missing, or the note, in one clean line; nothing when all are here. */
void rt_source_text(struct rt_buf *out, const struct rt_source *s, size_t rows);

/* The state of a cluster in words, with how it is reached: "up, 2 nodes starting", "queued (Priority)",
 * "unreachable 14m"; appends clean text. And the health that goes with it. */
void rt_cluster_state_text(struct rt_buf *out, const struct rt_cluster *c, int64_t now_ms);
enum rt_health rt_cluster_health(const struct rt_cluster *c);
/* Why a job waits or failed, in a few clean words; appends nothing when there is nothing to say. */
void rt_job_why(struct rt_buf *out, const struct rt_job *j);

/* A row as "key  value" lines for detail views and `show`; appends clean text. */
void rt_row_describe(struct rt_buf *out, const struct rt_table *t, const void *row, const struct rt_row_env *env);
/* Glyph of a health ("●" or "*"). */
const char *rt_health_glyph(enum rt_health h, bool ascii);
/* runtime_env JSON text with the values of env_vars masked as ***; gives it. NULL gives NULL. */
char *rt_mask_env(const char *runtime_env_json);

#endif
