/* A typed growing array: struct { T *v; size_t n, cap; }. */
#ifndef RT_BASE_VEC_H
#define RT_BASE_VEC_H

#include "base/mem.h"
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#define RT_VEC(T)                                                                                  \
    struct {                                                                                       \
        T *v;                                                                                      \
        size_t n, cap;                                                                             \
    }

/* Gives a pointer to a new zeroed element at the end. */
#define rt_vec_push(vec)                                                                           \
    (rt_vec_reserve_((void **)&(vec)->v, (vec)->n + 1, &(vec)->cap, sizeof(*(vec)->v)),            \
     memset(&(vec)->v[(vec)->n], 0, sizeof(*(vec)->v)), &(vec)->v[(vec)->n++])

#define rt_vec_remove(vec, i)                                                                      \
    (memmove(&(vec)->v[i], &(vec)->v[(i) + 1], ((vec)->n - (i) - 1) * sizeof(*(vec)->v)), (vec)->n--)

#define rt_vec_deinit(vec) (free((vec)->v), (vec)->v = NULL, (vec)->n = (vec)->cap = 0)

void rt_vec_reserve_(void **v, size_t need, size_t *cap, size_t size);

#endif
