/* Several logs as one, by time: lines go out in the order of their times, each with its source before it,
 * "(train pid=12, ip=10.0.0.3) ".
 *
 * A line without a time goes with the line before it of the same source; before the first time of its source it
 * goes out as it comes. A line goes out when every other source has a later one, has ended, or has been silent for a
 * while: so lines of sources that are read at different speeds still meet. What waits is on disk, not in memory.
 * Ray's own lines that name what a worker runs (":actor_name:A", ":task_name:f", ":job_id:01000000") are not lines
 * of the log: they become the name in front. Loop thread only. */
#ifndef RT_CORE_LOGMERGE_H
#define RT_CORE_LOGMERGE_H

#include "net/loop.h"
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct rt_logmerge;

struct rt_logmerge_out {
    void (*data)(void *ctx, const char *data, size_t n); /* whole lines */
    void (*mark)(void *ctx, const char *text);
    void *ctx;
};
struct rt_logmerge *rt_logmerge_create(struct rt_loop *l, const struct rt_logmerge_out *out);
void rt_logmerge_destroy(struct rt_logmerge *m); /* NULL is fine; not inside its callbacks */

/* A new source; gives its number (from 0). `ident` tells it from every other ("pid=12, ip=10.0.0.3"). */
size_t rt_logmerge_add(struct rt_logmerge *m, const char *ident);
void rt_logmerge_append(struct rt_logmerge *m, size_t source, const char *data, size_t n);
/* A visible line of raytui's own, behind what came of the source so far. */
void rt_logmerge_mark(struct rt_logmerge *m, size_t source, const char *text);
/* Nothing more comes (or, with false, something may come again): nobody waits for it. */
void rt_logmerge_end(struct rt_logmerge *m, size_t source, bool ended);
/* The source answers, and is looked at every `pause_ms`: a longer silence means that there is nothing. Without this it is
 * waited for some seconds. */
void rt_logmerge_alive(struct rt_logmerge *m, size_t source, int64_t pause_ms);

/* As it stands in front of the source's lines: "train pid=12, ip=10.0.0.3". Lent. */
const char *rt_logmerge_name(const struct rt_logmerge *m, size_t source);
const char *rt_logmerge_ident(const struct rt_logmerge *m, size_t source);
int64_t rt_logmerge_lines(const struct rt_logmerge *m, size_t source); /* that went out */
/* Every line went out. */
bool rt_logmerge_drained(const struct rt_logmerge *m);
/* A regular expression for the lines of the sources whose `hidden` is true; NULL for none. Gives it. */
char *rt_logmerge_veil(const struct rt_logmerge *m, const bool *hidden, size_t n);

#endif
