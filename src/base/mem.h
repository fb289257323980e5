/* Allocation that ends the program instead of returning NULL.
 *
 * Sizes that come from outside are capped before they get here (rt_buf, jsplit, yaml), so a failure
 * means that the machine has no memory left; then the exit path gives the terminal back and says so. */
#ifndef RT_BASE_MEM_H
#define RT_BASE_MEM_H

#include "base/macros.h"
#include <stddef.h>

void *rt_alloc(size_t size); /* zeroed */
void *rt_realloc(void *p, size_t size);
char *rt_strdup(const char *s);            /* NULL gives NULL */
char *rt_strndup(const char *s, size_t n); /* stops at NUL */
char *rt_strf(const char *fmt, ...) RT_PRINTF(1, 2);

#define RT_NEW(T) ((T *)rt_alloc(sizeof(T)))

/* Runs before the process ends for lack of memory (restores the terminal). */
void rt_on_out_of_memory(void (*fn)(void));

/* Memory that is freed as one: what a decoded answer's strings live in. */
struct rt_arena;
struct rt_arena *rt_arena_create(void);
void rt_arena_destroy(struct rt_arena *a); /* NULL is fine */
void *rt_arena_alloc(struct rt_arena *a, size_t size); /* zeroed, aligned for any type */
char *rt_arena_strdup(struct rt_arena *a, const char *s); /* NULL gives NULL */
char *rt_arena_strndup(struct rt_arena *a, const char *s, size_t n);
char *rt_arena_strf(struct rt_arena *a, const char *fmt, ...) RT_PRINTF(2, 3);
size_t rt_arena_bytes(const struct rt_arena *a);

#endif
