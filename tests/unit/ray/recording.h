/* Reads a recording of tests/fixtures whole. */
#ifndef RT_TEST_RAY_RECORDING_H
#define RT_TEST_RAY_RECORDING_H

#include "base/decode.h"
#include "base/fs.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static inline char *recording(const char *name) {
    struct rt_error err = {0};
    struct rt_buf b;
    rt_buf_init(&b, 0);
    char *path = rt_strf(RT_FIXTURES "/%s", name);
    if (!rt_file_read(path, 0, &b, &err) && !rt_file_read(path, 64 * RT_MIB, &b, &err))
        fail_msg("%s", err.message);
    free(path);
    return rt_buf_take(&b);
}

static inline json_t *recording_json(const char *name) {
    struct rt_error err = {0};
    char *text = recording(name);
    json_t *v = rt_json_parse(text, strlen(text), &err);
    if (!v)
        fail_msg("%s: %s", name, err.message);
    free(text);
    return v;
}

#endif
