/* One bit per line of a log, with "how many before" and "where is the i-th" in next to no time. */
#ifndef RT_CORE_LOGBITS_H
#define RT_CORE_LOGBITS_H

#include "base/vec.h"
#include <stdbool.h>
#include <stdint.h>

/* Plain value; all zero is empty. */
struct rt_logbits {
    RT_VEC(uint64_t) words;
    RT_VEC(int64_t) ranks; /* ones before each group of 64 words */
    int64_t n, ones;
};

void rt_logbits_deinit(struct rt_logbits *v); /* empty again */
/* Appends `n` bits of `words`, from bit `from` on. */
void rt_logbits_add(struct rt_logbits *v, const uint64_t *words, int64_t from, int64_t n);
bool rt_logbits_get(const struct rt_logbits *v, int64_t i); /* false outside */
/* Ones before bit i. */
int64_t rt_logbits_rank(const struct rt_logbits *v, int64_t i);
/* The bit with `rank` ones before it, or -1. */
int64_t rt_logbits_select(const struct rt_logbits *v, int64_t rank);

/* The same on bare words. */
bool rt_words_get(const uint64_t *words, int64_t i);
void rt_words_set(uint64_t *words, int64_t i);
/* 64 bits from bit `from` on; those past `n` read as 0. */
uint64_t rt_words_at(const uint64_t *words, int64_t n, int64_t from);

#endif
