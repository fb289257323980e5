/* String map: open addressing with linear probing; removal shifts back, so there are no tombstones.
 */
#include "base/map.h"
#include "base/mem.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct rt_map_slot {
    const char *key; /* NULL: free */
    void *value;
    uint64_t hash;
};

static uint64_t rotl(uint64_t x, int b) {
    return x << b | x >> (64 - b);
}

static void sip_round(uint64_t v[4]) {
    v[0] += v[1], v[1] = rotl(v[1], 13), v[1] ^= v[0], v[0] = rotl(v[0], 32);
    v[2] += v[3], v[3] = rotl(v[3], 16), v[3] ^= v[2];
    v[0] += v[3], v[3] = rotl(v[3], 21), v[3] ^= v[0];
    v[2] += v[1], v[1] = rotl(v[1], 17), v[1] ^= v[2], v[2] = rotl(v[2], 32);
}

/* SipHash-1-3. Keys come from clusters: nobody must be able to choose names that collide. */
static uint64_t siphash(const char *s, size_t n, uint64_t k0, uint64_t k1) {
    uint64_t v[4] = {k0 ^ 0x736f6d6570736575u, k1 ^ 0x646f72616e646f6du, k0 ^ 0x6c7967656e657261u,
                     k1 ^ 0x7465646279746573u};
    uint64_t last = (uint64_t)n << 56;
    for (; n >= 8; s += 8, n -= 8) {
        uint64_t m;
        memcpy(&m, s, 8);
        v[3] ^= m;
        sip_round(v);
        v[0] ^= m;
    }
    for (size_t i = 0; i < n; i++)
        last |= (uint64_t)(unsigned char)s[i] << (8 * i);
    v[3] ^= last;
    sip_round(v);
    v[0] ^= last;
    v[2] ^= 0xff;
    for (int i = 0; i < 3; i++)
        sip_round(v);
    return v[0] ^ v[1] ^ v[2] ^ v[3];
}

/* The address of the slots is the key: random from start to start, and another one after each
 * growth. */
static uint64_t hash_of(const struct rt_map *m, const char *key) {
    uint64_t at = (uint64_t)(uintptr_t)m->slots;
    return siphash(key, strlen(key), at * 0x9e3779b97f4a7c15u, ~at);
}

void rt_map_init(struct rt_map *m, bool borrow_keys) {
    *m = (struct rt_map){.borrow = borrow_keys};
}

static void free_key(const struct rt_map *m, const char *key) {
    union {
        const char *in;
        char *out;
    } own = {.in = key};
    if (!m->borrow)
        free(own.out);
}

void rt_map_deinit(struct rt_map *m) {
    for (size_t i = 0; i < m->cap; i++)
        if (m->slots[i].key)
            free_key(m, m->slots[i].key);
    free(m->slots);
    *m = (struct rt_map){.borrow = m->borrow};
}

/* The slot of the key, or the free slot where it would stand. cap > n always. */
static struct rt_map_slot *find(const struct rt_map *m, const char *key, uint64_t hash) {
    size_t i = (size_t)hash & (m->cap - 1);
    while (m->slots[i].key && (m->slots[i].hash != hash || strcmp(m->slots[i].key, key) != 0))
        i = (i + 1) & (m->cap - 1);
    return &m->slots[i];
}

static void grow(struct rt_map *m) {
    struct rt_map old = *m;
    m->cap = old.cap ? old.cap * 2 : 16;
    m->slots = rt_alloc(m->cap * sizeof *m->slots);
    for (size_t i = 0; i < old.cap; i++) {
        const struct rt_map_slot *from = &old.slots[i];
        if (!from->key)
            continue;
        uint64_t hash = hash_of(m, from->key);
        *find(m, from->key, hash) = (struct rt_map_slot){from->key, from->value, hash};
    }
    free(old.slots);
}

void *rt_map_get(const struct rt_map *m, const char *key) {
    return m->n && key ? find(m, key, hash_of(m, key))->value : NULL;
}

void rt_map_set(struct rt_map *m, const char *key, void *value) {
    if ((m->n + 1) * 4 > m->cap * 3)
        grow(m);
    uint64_t hash = hash_of(m, key);
    struct rt_map_slot *slot = find(m, key, hash);
    if (!slot->key) {
        slot->key = m->borrow ? key : rt_strdup(key);
        slot->hash = hash;
        m->n++;
    }
    slot->value = value;
}

void *rt_map_remove(struct rt_map *m, const char *key) {
    if (!m->n || !key)
        return NULL;
    struct rt_map_slot *slot = find(m, key, hash_of(m, key));
    if (!slot->key)
        return NULL;
    void *value = slot->value;
    free_key(m, slot->key);
    m->n--;

    size_t mask = m->cap - 1, hole = (size_t)(slot - m->slots);
    for (size_t i = (hole + 1) & mask; m->slots[i].key; i = (i + 1) & mask) {
        size_t home = (size_t)m->slots[i].hash & mask;
        if (((i - home) & mask) >= ((i - hole) & mask)) {
            m->slots[hole] = m->slots[i];
            hole = i;
        }
    }
    m->slots[hole] = (struct rt_map_slot){0};
    return value;
}

bool rt_map_next(const struct rt_map *m, size_t *it, const char **key, void **value) {
    for (; *it < m->cap; ++*it) {
        const struct rt_map_slot *slot = &m->slots[*it];
        if (!slot->key)
            continue;
        if (key)
            *key = slot->key;
        if (value)
            *value = slot->value;
        ++*it;
        return true;
    }
    return false;
}
