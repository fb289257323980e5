/* Recorded answers for tests. */
#ifndef RT_TESTS_FIXTURE_H
#define RT_TESTS_FIXTURE_H

#include "base/fs.h"
#include "base/mem.h"
#include <stdio.h>
#include <stdlib.h>

/* Gives the content of tests/fixtures/NAME; ends the test program when there is none. */
static inline char *fixture(const char *name, size_t *n) {
    struct rt_buf b;
    struct rt_error err = {0};
    rt_buf_init(&b, 0);
    char *path = rt_path_join(RT_FIXTURES, name);
    if (!rt_file_read(path, 0, &b, &err)) {
        fprintf(stderr, "%s\n", err.message);
        abort();
    }
    free(path);
    if (n)
        *n = b.len;
    return rt_buf_take(&b);
}

#endif
