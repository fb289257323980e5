/* Bit vectors over the lines of a log, with ranks. */
#include "core/logbits.h"

enum { GROUP = 64 }; /* words to a rank */

static int ones_in(uint64_t w) {
    return __builtin_popcountll(w);
}

bool rt_words_get(const uint64_t *words, int64_t i) {
    return words[i / 64] >> (i % 64) & 1;
}

void rt_words_set(uint64_t *words, int64_t i) {
    words[i / 64] |= (uint64_t)1 << (i % 64);
}

uint64_t rt_words_at(const uint64_t *words, int64_t n, int64_t from) {
    if (from >= n)
        return 0;
    int64_t word = from / 64, shift = from % 64, left = n - from;
    uint64_t w = words[word] >> shift;
    if (shift && (word + 1) * 64 < n)
        w |= words[word + 1] << (64 - shift);
    return left < 64 ? w & (((uint64_t)1 << left) - 1) : w;
}

void rt_logbits_deinit(struct rt_logbits *v) {
    rt_vec_deinit(&v->words);
    rt_vec_deinit(&v->ranks);
    v->n = v->ones = 0;
}

/* Up to as many bits as complete the last word. */
static void add_some(struct rt_logbits *v, uint64_t bits, int64_t n) {
    if (v->n % 64 == 0) {
        if (v->words.n % GROUP == 0)
            *rt_vec_push(&v->ranks) = v->ones;
        rt_vec_push(&v->words);
    }
    if (n < 64)
        bits &= ((uint64_t)1 << n) - 1;
    v->words.v[v->words.n - 1] |= bits << (v->n % 64);
    v->n += n;
    v->ones += ones_in(bits);
}

void rt_logbits_add(struct rt_logbits *v, const uint64_t *words, int64_t from, int64_t n) {
    int64_t end = from + n;
    while (from < end) {
        int64_t room = 64 - v->n % 64, some = RT_MIN(room, end - from);
        add_some(v, rt_words_at(words, end, from), some);
        from += some;
    }
}

bool rt_logbits_get(const struct rt_logbits *v, int64_t i) {
    return i >= 0 && i < v->n && rt_words_get(v->words.v, i);
}

int64_t rt_logbits_rank(const struct rt_logbits *v, int64_t i) {
    if (i <= 0)
        return 0;
    if (i >= v->n)
        return v->ones;
    size_t word = (size_t)(i / 64), group = word / GROUP;
    int64_t rank = v->ranks.v[group];
    for (size_t w = group * GROUP; w < word; w++)
        rank += ones_in(v->words.v[w]);
    return rank + ones_in(v->words.v[word] & (((uint64_t)1 << (i % 64)) - 1));
}

/* The last group with at most `rank` ones before it. */
static size_t group_of(const struct rt_logbits *v, int64_t rank) {
    size_t lo = 0, hi = v->ranks.n;
    while (hi - lo > 1) {
        size_t mid = lo + (hi - lo) / 2;
        if (v->ranks.v[mid] <= rank)
            lo = mid;
        else
            hi = mid;
    }
    return lo;
}

int64_t rt_logbits_select(const struct rt_logbits *v, int64_t rank) {
    if (rank < 0 || rank >= v->ones)
        return -1;
    size_t group = group_of(v, rank), word = group * GROUP;
    rank -= v->ranks.v[group];
    while (ones_in(v->words.v[word]) <= rank)
        rank -= ones_in(v->words.v[word++]);
    uint64_t w = v->words.v[word];
    while (rank-- > 0)
        w &= w - 1;
    return (int64_t)word * 64 + __builtin_ctzll(w);
}
