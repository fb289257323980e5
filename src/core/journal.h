/* What raytui made for a cluster, written and fsynced before the call that makes it:
 * STATE/clusters/NAME/journal.jsonl. A crash of the laptop leaves nothing forgotten. */
#ifndef RT_CORE_JOURNAL_H
#define RT_CORE_JOURNAL_H

#include "base/error.h"
#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rt_journal;

enum rt_phase { RT_J_WANT, RT_J_MADE, RT_J_GONE, RT_J_FAILED };

struct rt_journal_item {
    char *kind;    /* "process", "venv", "slurm-job", … */
    char *name;    /* unique with kind */
    char *id;      /* pid, job id, …; NULL while wanted */
    char *data;    /* provider's own JSON text; NULL */
    enum rt_phase phase;
    int64_t at_ms, pid; /* wall; pid of the raytui that wrote it */
};

/* Reads what is there. NULL: the directory cannot be made or the file cannot be read (then nothing may be
 * created: the caller refuses with this error). A torn last line is dropped. */
struct rt_journal *rt_journal_open(const char *cluster, struct rt_error *err);
void rt_journal_close(struct rt_journal *j);
/* Another raytui may have written: true when it has; the items are then those of the file. What cannot be read now changes
 * nothing. */
bool rt_journal_reread(struct rt_journal *j);
/* False: not on disk, so do not make it. */
bool rt_journal_want(struct rt_journal *j, const char *op, const char *kind, const char *name, const char *data,
                     struct rt_error *err);
bool rt_journal_made(struct rt_journal *j, const char *kind, const char *name, const char *id, const char *data,
                     struct rt_error *err);
bool rt_journal_gone(struct rt_journal *j, const char *kind, const char *name, struct rt_error *err); /* shrinks the file when all is gone */
/* Items that are wanted or made and not gone. */
size_t rt_journal_count(const struct rt_journal *j);
const struct rt_journal_item *rt_journal_at(const struct rt_journal *j, size_t i);
const struct rt_journal_item *rt_journal_find(const struct rt_journal *j, const char *kind, const char *name);

/* Does a cluster have a journal with living items? */
bool rt_journal_lives(const char *cluster);

/* STATE/clusters/NAME/FILE; gives it. */
char *rt_cluster_path(const char *cluster, const char *file);
/* Its content as JSON, when it is of this kind; gives it, NULL without. */
json_t *rt_cluster_read(const char *cluster, const char *file, json_type kind);
bool rt_cluster_write(const char *cluster, const char *file, const json_t *v, struct rt_error *err);
/* The lock that an operation holds on its cluster; -1 with RT_E_BUSY "busy: pid N, up". */
int rt_cluster_lock(const char *cluster, const char *what, struct rt_error *err);
/* Before a provider makes anything: there must be a journal (`unopened` is what rt_journal_open said), and the lock must
 * be ours. *lock >= 0: it is, by another task. */
bool rt_cluster_begin(const struct rt_journal *j, const struct rt_error *unopened, const char *cluster, const char *what,
                      int *lock, struct rt_error *err);

#endif
