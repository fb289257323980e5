/* A regular expression over the lines of a log.
 *
 * A line is matched as it is shown: without escape sequences, after its carriage returns. Lines without
 * either are matched many at a time, in place. Upper-case letters in a pattern make it mind the case. */
#ifndef RT_CORE_LOGREGEX_H
#define RT_CORE_LOGREGEX_H

#include "base/buf.h"
#include "base/error.h"
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Compiled once, never changed: several threads may match with it. Counted, on the loop thread. */
struct rt_logregex;
struct rt_logregex *rt_logregex_create(const char *pattern, struct rt_error *err);
struct rt_logregex *rt_logregex_ref(struct rt_logregex *r);
void rt_logregex_unref(struct rt_logregex *r); /* NULL is fine */
const char *rt_logregex_pattern(const struct rt_logregex *r);

/* What one thread needs to match. */
struct rt_logmatcher;
struct rt_logmatcher *rt_logmatcher_create(const struct rt_logregex *r);
void rt_logmatcher_destroy(struct rt_logmatcher *m); /* NULL is fine */

bool rt_logmatcher_line(struct rt_logmatcher *m, const char *text, size_t n);
/* Where bits of lines are set, and when to stop. */
struct rt_logmatches {
    uint64_t *bits;
    int64_t line, n; /* the next line, and how many there may be */
    int64_t until;   /* >= 0: stop after the first match at or past this line */
    const atomic_bool *cancel; /* may be NULL */
};
/* Of lines separated by newlines: sets the bits of those that match, and moves `line`. False: stopped. */
bool rt_logmatcher_lines(struct rt_logmatcher *m, const char *text, size_t n, struct rt_logmatches *out);
/* Pairs of start and end in clean text. */
size_t rt_logmatcher_all(struct rt_logmatcher *m, const char *text, size_t n, size_t (*out)[2], size_t max);
/* The pattern took too many steps for too many lines: not worth going on. */
bool rt_logmatcher_too_hard(const struct rt_logmatcher *m);

/* Newlines in a text; fast. */
size_t rt_count_newlines(const char *text, size_t n);

#endif
