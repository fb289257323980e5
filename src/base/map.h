/* String to pointer; keys are copied (or borrowed, see init). Open addressing, keyed hash. */
#ifndef RT_BASE_MAP_H
#define RT_BASE_MAP_H

#include <stdbool.h>
#include <stddef.h>

struct rt_map {
    struct rt_map_slot *slots;
    size_t n, cap;
    bool borrow; /* keys are the caller's and outlive the map */
};

void rt_map_init(struct rt_map *m, bool borrow_keys);
void rt_map_deinit(struct rt_map *m); /* values are the caller's */
void *rt_map_get(const struct rt_map *m, const char *key); /* NULL when absent */
void rt_map_set(struct rt_map *m, const char *key, void *value);
void *rt_map_remove(struct rt_map *m, const char *key); /* gives the value */
/* Walks all, in no order: start with *it = 0; false at the end. Do not change the map meanwhile. */
bool rt_map_next(const struct rt_map *m, size_t *it, const char **key, void **value);

#endif
