/* Allocation that never returns NULL, and arenas. */
#include "base/mem.h"
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void (*out_of_memory)(void);

void rt_on_out_of_memory(void (*fn)(void)) {
    out_of_memory = fn;
}

RT_NORETURN static void give_up(void) {
    static const char text[] = "raytui: out of memory\n";
    if (out_of_memory)
        out_of_memory();
    ssize_t ignored = write(STDERR_FILENO, text, sizeof text - 1);
    (void)ignored;
    _exit(1);
}

void *rt_alloc(size_t size) {
    void *p = calloc(1, size ? size : 1);
    if (!p)
        give_up();
    return p;
}

void *rt_realloc(void *p, size_t size) {
    void *q = realloc(p, size ? size : 1);
    if (!q)
        give_up();
    return q;
}

char *rt_strdup(const char *s) {
    return s ? rt_strndup(s, strlen(s)) : NULL;
}

char *rt_strndup(const char *s, size_t n) {
    if (!s)
        return NULL;
    n = strnlen(s, n);
    char *copy = rt_alloc(n + 1);
    memcpy(copy, s, n);
    return copy;
}

RT_PRINTF(1, 0) static size_t formatted_size(const char *fmt, va_list ap) {
    int n = vsnprintf(NULL, 0, fmt, ap);
    return n < 0 ? 1 : (size_t)n + 1;
}

char *rt_strf(const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    size_t size = formatted_size(fmt, again);
    va_end(again);
    char *s = rt_alloc(size);
    vsnprintf(s, size, fmt, ap);
    va_end(ap);
    return s;
}

enum { BLOCK_FIRST = 4096, BLOCK_MOST = 256 * 1024 };

struct block {
    struct block *next;
    size_t size, used; /* of data */
    max_align_t data[];
};

struct rt_arena {
    struct block *blocks; /* the first one is being filled */
    size_t bytes, next_size;
};

struct rt_arena *rt_arena_create(void) {
    struct rt_arena *a = RT_NEW(struct rt_arena);
    a->next_size = BLOCK_FIRST;
    return a;
}

void rt_arena_destroy(struct rt_arena *a) {
    if (!a)
        return;
    for (struct block *b = a->blocks, *next; b; b = next) {
        next = b->next;
        free(b);
    }
    free(a);
}

static struct block *add_block(struct rt_arena *a, size_t size) {
    struct block *b = rt_alloc(sizeof *b + size);
    b->size = size;
    a->bytes += sizeof *b + size;
    return b;
}

void *rt_arena_alloc(struct rt_arena *a, size_t size) {
    const size_t align = _Alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        give_up();
    size = (size + align - 1) / align * align;
    if (size == 0)
        size = align;

    struct block *b = a->blocks;
    if (!b || b->size - b->used < size) {
        bool large = size > a->next_size / 4;
        b = add_block(a, large ? size : a->next_size);
        if (large && a->blocks) { /* keep filling the block that is begun */
            b->next = a->blocks->next;
            a->blocks->next = b;
        } else {
            b->next = a->blocks;
            a->blocks = b;
        }
        if (!large && a->next_size < BLOCK_MOST)
            a->next_size *= 2;
    }
    void *p = (char *)b->data + b->used;
    b->used += size;
    return p;
}

char *rt_arena_strdup(struct rt_arena *a, const char *s) {
    return s ? rt_arena_strndup(a, s, strlen(s)) : NULL;
}

char *rt_arena_strndup(struct rt_arena *a, const char *s, size_t n) {
    if (!s)
        return NULL;
    n = strnlen(s, n);
    char *copy = rt_arena_alloc(a, n + 1);
    memcpy(copy, s, n);
    return copy;
}

char *rt_arena_strf(struct rt_arena *a, const char *fmt, ...) {
    va_list ap, again;
    va_start(ap, fmt);
    va_copy(again, ap);
    size_t size = formatted_size(fmt, again);
    va_end(again);
    char *s = rt_arena_alloc(a, size);
    vsnprintf(s, size, fmt, ap);
    va_end(ap);
    return s;
}

size_t rt_arena_bytes(const struct rt_arena *a) {
    return a->bytes;
}
