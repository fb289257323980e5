/* Recordings of tests/fixtures as text and as JSON. */
#ifndef RT_TEST_RAY_RECORDING_H
#define RT_TEST_RAY_RECORDING_H

#include "base/decode.h"
#include "unit/cmocka_all.h"
#include "unit/fixture.h"

#include <string.h>

static inline char *recording(const char *name) {
    return fixture(name, NULL);
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
